# SPDX-License-Identifier: Apache-2.0
"""fields.py -- every documented field of every dialect, lifted and lowered to every other one: what becomes of it is what tests/fields says by hand, is
told when it is lost, and is what docs/fields.md says.   python3 tests/integration/fields.py --write   prints that page anew."""
import os
import sys

from _fields import DIALECTS, STREAM_PATHS, FieldList, Translate, loads, said, values
from _weir import ROOT, Tests

PAGE = os.path.join(ROOT, "docs", "fields.md")
TITLES = {"openai": "Chat Completions", "responses": "Responses", "anthropic": "Messages", "gemini": "generateContent", "bedrock": "Converse"}
WORDS = {"=": "mapped", "~": "emulated", "D": "dropped", "R": "refused", "-": "-", "L": "left out", ".": ""}

tests = Tests()
translate = Translate()
lists = {d: FieldList(d) for d in DIALECTS}


def path_of(fields, body):
    return STREAM_PATHS[fields.dialect] if body.get("stream") and fields.dialect in STREAM_PATHS else fields.path


def ask(fields, target, body, drop):
    return translate.request(fields.dialect, target, fields.method, path_of(fields, body), body, drop)


def judge(fields, field, target):
    """The letter, and what is wrong apart from it."""
    without, body = fields.bodies(field)
    plain, strict = ask(fields, target, without, False), ask(fields, target, body, False)
    if plain["step"] != "sent" and plain["field"]:       # what the field needs around it is refused by its name
        return "R", ""
    if plain["step"] != "sent":
        return "?", "the body without the field is refused: " + plain["text"]
    if strict["step"] != "sent":
        return refused(fields, field, target, body, strict)
    if strict["misuses"]:
        return "?", "the plugins misuse the host"
    told = [x for x in strict["told"] if x not in plain["told"]]
    same = (plain["body"], plain["url"]) == (strict["body"], strict["url"])
    lost = [v for v in values(field, without) if not said(v, loads(strict["body"]))]
    if same:
        return ("D" if told else "-"), ""
    if told:
        return "~D", ""
    return ("~" if lost else "="), ""


def refused(fields, field, target, body, strict):
    loose = ask(fields, target, body, True)
    top = list(field.patch)
    named = strict["field"] or strict["text"]
    if not any(k in named or k in strict["text"] for k in keys(field.patch)):
        return "R", "the refusal names no field of %s: %s %s" % (top, strict["field"], strict["text"])
    if loose["step"] == "sent" and not loose["told"]:
        return "R", "dropped in silence where unsupported = drop"
    return "R", ""


def keys(value):
    if isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from keys(v)
    elif isinstance(value, list):
        for v in value:
            yield from keys(v)


def agrees(letter, wanted, field, fields):
    if letter == "-" and "L" in wanted:
        return True
    if letter == "~D":
        return "~" in wanted and "D" in wanted
    return letter in wanted


def table():
    rows, wrong = {}, []
    for d in DIALECTS:
        for field in lists[d].fields:
            for target in DIALECTS:
                wanted = field.columns[target]
                if target == d:
                    continue
                letter, fault = judge(lists[d], field, target)
                if letter == "-" and "L" in wanted:
                    letter = "L"
                rows[d, field.name, target] = letter
                if fault or not agrees(letter, wanted, field, lists[d]):
                    wrong.append("%-10s %-32s -> %-10s is %-2s, should be %-4s %s" % (d, field.name, target, letter, wanted, fault))
    return rows, wrong


def page(rows):
    out = ["# What becomes of every request field", "",
           "Made by `python3 tests/integration/fields.py --write` from what the plugins do, and checked against `tests/fields` by the tests. Rows: fields of the",
           "client's dialect; columns: the upstream's. One dialect on both sides needs no table: the client's bytes go through.", "",
           "- **mapped**: every value arrives, under the upstream's name for it.",
           "- **emulated**: said in other words; *told* beside it: in `x-weir-dropped` too, because something is lost.",
           "- **dropped**: a hint that changes no meaning; left out and told in the header `x-weir-dropped` and in the record.",
           "- **refused**: 400 with the field's name; left out and told instead when the provider's block says `unsupported = \"drop\"`.",
           "- **left out**: reasoning that only its issuer can read (docs/canonical.md).",
           "- **-**: nothing has to be said: it is the default, or the gateway itself does it.", ""]
    for d in DIALECTS:
        columns = [t for t in DIALECTS if t != d]
        out += ["## A client of %s (`%s`)" % (TITLES[d], d), "", "| field | " + " | ".join("`%s`" % t for t in columns) + " |", "|---|" + "---|" * len(columns)]
        for field in lists[d].fields:
            cells = ["emulated, told" if rows[d, field.name, t] == "~D" else WORDS.get(rows[d, field.name, t], "?") for t in columns]
            out.append("| %s | %s |" % (field.name, " | ".join(cells)))
        out.append("")
    return "\n".join(out[:-1]) + "\n"


ROWS, WRONG = table()


@tests
def every_field_becomes_what_the_matrix_says():
    for line in WRONG:
        print("     " + line)
    assert not WRONG, "%d of %d" % (len(WRONG), len(ROWS))


@tests
def the_page_is_what_the_plugins_do():
    with open(PAGE) as f:
        assert f.read() == page(ROWS), "docs/fields.md is stale: python3 tests/integration/fields.py --write"


if sys.argv[1:] == ["--write"]:
    with open(PAGE, "w") as out:
        out.write(page(ROWS))
tests.run(translate.close)
