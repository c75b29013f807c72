#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bugs.py -- docs/bugs.md: the translation bugs that gateways have most often, and the test of each.   tools/bugs.py           prints the page
                                                                                                tools/bugs.py --check   page stale? a bug without a test?
A test belongs to a bug when `bug_NN` is in its name.  One that no suite runs does not count."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, "docs", "bugs.md")
BUGS = [
    "Parallel calls are all numbered 0, or by the place of their block", "Pieces of parallel calls get into each other's arguments",
    "Thinking is written into a text block, a block's number used twice, the piece that makes the switch lost", "Crash on a chunk without choices",
    "Usage in a chunk with choices, or though nobody asked", "Characters and line ends cut in two", "Comments of a stream taken for data",
    "`stop` though a tool is called", "Gemini's thought signatures lost", "Anthropic's signature lost, or a block that has nothing else",
    "Cache marks lost in translation", "Lifetimes of cache marks sent to who does not know them", "Cached tokens counted twice or not at all",
    "No estimate of the input in `message_start`", "Results of tools in several messages, or behind text", "Gemini's function responses: another number or order",
    "Empty arguments", "Empty text blocks", "Bodies written anew: other order, other numbers", "Beta flags sent to who refuses them",
    "A stream that broke off ends like a good one", "Errors inside a 200 stream passed over", "An error inside a half-written record",
    "Converse without `toolConfig` though the history has calls", "Rate limits not told, 529 taken for a fault of the key",
    "The client has left and the upstream goes on", "Reasoning items lost, ids of what is not stored sent back", "A reasoning item becomes an empty message",
    "Reasoning not handed back within a loop of tools", "JSON Schema that Gemini refuses", "Signed paths of Bedrock's model ids", "Embeddings in base64",
    "No `[DONE]`, or waiting behind it", "Thinking in the visible text", "Tools beside an effort on models that refuse both", "Error bodies rewritten",
    "Missing or unknown ends of Responses", "The client's version and beta headers overwritten", "Stop reasons of another vendor's", "`content` null or absent",
    "Records glued together",
]


def tests_in(path):
    """Names of the tests of a file that are run."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if path.endswith(".c"):
        suite = text[text.rindex("Suite *suite(void)"):]                       # what it does not name is not run
        return [name for name in re.findall(r"START_TEST\((\w+)\)", text) if re.search(r"\b%s\b" % name, suite)]
    return re.findall(r"@tests\ndef (\w+)", text)


def found():
    rows = {n: [] for n in range(1, len(BUGS) + 1)}
    files = glob.glob(os.path.join(ROOT, "tests", "unit", "*_test.c")) + glob.glob(os.path.join(ROOT, "tests", "integration", "[a-z]*.py"))
    for path in sorted(files):
        for name in tests_in(path):
            for n in numbers(name):
                rows.setdefault(n, []).append((os.path.relpath(path, os.path.join(ROOT, "tests")), name.removeprefix("test_")))
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "cases", "*bug_*.case"))):
        for n in numbers(os.path.basename(path)):
            rows[n].append(("cases", os.path.basename(path)))
    return rows


def numbers(name):
    """bug_07 -> 7; bug_16_and_17_results -> 16, 17."""
    return sorted({int(n) for m in re.findall(r"bug_(\d\d(?:_(?:and_)?(?:bug_)?\d\d(?=_))*)", name + "_") for n in re.findall(r"\d\d", m)})


def page(rows):
    out = ["# Bugs that gateways have, and the tests that show them", "",
           "What users of other gateways report most often about translation, and the test of weir that fails on it. Made by `tools/bugs.py` from the names of",
           "the tests; `tools/test.sh bugs` fails when one has none, or one that nothing runs.", "", "| # | bug | tests |", "|---|---|---|"]
    for n, title in enumerate(BUGS, 1):
        out.append("| %d | %s | %s |" % (n, title, "<br>".join("%s: `%s`" % row for row in rows[n])))
    return "\n".join(out) + "\n"


def main():
    rows = found()
    if sys.argv[1:] != ["--check"]:
        sys.stdout.write(page(rows))
        return 0
    missing = [n for n in range(1, len(BUGS) + 1) if not rows[n]]
    for n in missing:
        print("bug %d has no test that is run: %s" % (n, BUGS[n - 1]))
    with open(PAGE, encoding="utf-8") as f:
        stale = f.read() != page(rows)
    if stale:
        print("docs/bugs.md is stale: tools/bugs.py >docs/bugs.md")
    return 1 if missing or stale else 0


sys.exit(main())
