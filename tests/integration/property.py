# SPDX-License-Identifier: Apache-2.0
"""property.py -- a request of dialect A, made one of B, and of that one of A again, keeps every field that both sides have: each field by itself, then
random requests of many fields.   WEIR_SEED=N repeats a run; WEIR_ROUNDS=N makes it longer."""
import os
import random
import time

from _fields import DIALECTS, STREAM_PATHS, FieldList, Translate, loads, said, values
from _weir import SANITIZED, Tests

SEED = int(os.environ.get("WEIR_SEED", "0") or 0) or int(time.time())
ROUNDS = int(os.environ.get("WEIR_ROUNDS", "5" if SANITIZED else "25"))         # of each pair of dialects

# (A, field, B): A -> B is mapped, and the way back is not, as the matrix lays down for B -> A.
ONE_WAY = {
    ("openai", "reasoning: max_tokens", "gemini"),                       # a budget comes back as an effort
    ("anthropic", "output_config.effort", "openai"), ("anthropic", "output_config.effort", "responses"),    # to a model with budgets
    ("bedrock", "outputConfig.effort", "openai"), ("bedrock", "outputConfig.effort", "responses"),
    ("anthropic", "metadata.user_id", "bedrock"),                        # is metadata there
    ("gemini", "logprobs", "openai"),                                    # Gemini's answers cannot say them
}
ONE_WAY |= {("gemini", "fileData: https", b) for b in ("openai", "responses", "anthropic")}     # not all models fetch
ONE_WAY |= {("gemini", "functionCall, functionResponse", b) for b in ("openai", "responses", "anthropic", "bedrock")}      # ids are not sent
# What stands in one body only with something else in mind.
ALIKE = {"functions": "tools", "function_call": "tool_choice", "user": "safety_identifier", "max_tokens": "max_completion_tokens",
         "reasoning": "reasoning_effort", "system_instruction": "systemInstruction", "output_format": "output_config",
         "thinking": "output_config", "toolConfig": "toolConfig", "top_p": "temperature"}

tests = Tests()
translate = Translate()
lists = {d: FieldList(d) for d in DIALECTS}


def path_of(dialect, stream):
    return STREAM_PATHS[dialect] if stream and dialect in STREAM_PATHS else lists[dialect].path


def there_and_back(a, b, body):
    """The body of A that comes back, or None; how it looked on the way, or why not; what was told."""
    stream = bool(body.get("stream"))
    there = translate.request(a, b, "POST", path_of(a, stream), body, True)
    if there["step"] != "sent":
        return None, "%s to %s: %s" % (a, b, there["text"]), []
    back = translate.request(b, a, "POST", path_of(b, stream), there["body"], True)
    if back["step"] != "sent":
        return None, "%s back to %s: %s\n%s" % (b, a, back["text"], there["body"]), []
    return loads(back["body"]), there["body"], there["told"] + back["told"]


def mapped(a, b):
    return [f for f in lists[a].fields if f.columns[b] == "=" and f.name != "stream"]


def lost(a, field, back):
    without, _ = lists[a].bodies(field)
    return [v for v in values(field, without) if not said(v, back)]


@tests
def every_mapped_field_comes_back():
    wrong, count = [], 0
    for a in DIALECTS:
        for b in DIALECTS:
            for field in mapped(a, b) if a != b else []:
                count += 1
                back, how, _ = there_and_back(a, b, lists[a].bodies(field)[1])
                gone = lost(a, field, back) if back is not None else [how]
                if bool(gone) != ((a, field.name, b) in ONE_WAY):
                    wrong.append("%s %r -> %s -> %s: %s\n       through %s" % (a, field.name, b, a, gone or "comes back now: not one-way", how))
    for line in wrong:
        print("     " + line)
    assert not wrong, "%d of %d" % (len(wrong), count)
    assert count > 300, count


def combine(a, b, chance):
    """A request of several fields that do not get into each other's way."""
    body, took, taken = dict(lists[a].base), [], set()
    fields = [f for f in mapped(a, b) if (a, f.name, b) not in ONE_WAY]
    chance.shuffle(fields)
    for field in fields[:chance.randint(2, 14)]:
        with_it = lists[a].bodies(field)[1]
        changed = {k for k in with_it if with_it[k] != lists[a].base.get(k)}
        names = {ALIKE.get(k, k) for k in changed}
        if not names & taken:
            body.update({k: with_it[k] for k in changed})
            took.append(field)
            taken |= names
    return body, took


@tests
def random_requests_come_back():
    print("     WEIR_SEED=%d" % SEED)
    chance = random.Random(SEED)
    for a in DIALECTS:
        for b in DIALECTS:
            for _ in range(ROUNDS if a != b else 0):
                body, took = combine(a, b, chance)
                back, how, told = there_and_back(a, b, body)
                assert back is not None, (SEED, how, body)
                gone = [field.name for field in took if lost(a, field, back)]
                # Two fields may exclude each other (Anthropic: a temperature beside thinking): then each that goes is told.
                assert len(gone) <= len(told), (SEED, a, b, gone, told, body, how, back)


@tests
def a_history_is_a_prefix_of_the_next_turn():
    for a in DIALECTS:
        rows = {f.name: f for f in lists[a].fields}
        for name in [n for n in rows if "tool_calls and tool" in n or n.startswith(("function_call and", "tool_use and", "functionCall,", "toolUse and"))]:
            key = {"gemini": "contents", "responses": "input"}.get(a, "messages")
            whole = lists[a].bodies(rows[name])[1]
            for b in DIALECTS:
                if a == b:
                    continue
                first = translate.request(a, b, "POST", lists[a].path, dict(whole, **{key: whole[key][:1]}))["body"]
                then = translate.request(a, b, "POST", lists[a].path, whole)["body"]
                same = len(os.path.commonprefix([first, then]))
                rest = first[same:]
                assert len(rest) < 400 and "Hello" not in rest, (a, b, rest)


tests.run(translate.close)
