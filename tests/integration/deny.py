# SPDX-License-Identifier: Apache-2.0
"""deny.py -- the guardrail deny through real sockets: requests, whole answers and streams, cut at every place.

The scripted upstream is told by the request itself what to answer: the user's text is the name of a plan in PLANS.  What
must come out is made with Python's `re`, not by weir.
"""
import json
import re
import socket
import subprocess
import threading
import time

from _weir import SANITIZED, WEIR, Tests, Upstream, Weir, answer, chat, completion, read_message, request

tests = Tests()
PLANS = {}

WORDS = ["blue bird", "secret"]
PATTERN = r"sk-[a-z0-9]{4,8}"
REFERENCE = re.compile("(?i:blue bird|secret)|" + PATTERN)     # its matches never overlap in the texts below


def masked(text):
    return REFERENCE.sub("[removed]", text)


def config(up, options, name="words"):
    return '''
providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; key = "env:DENY_TEST_KEY"; models = [ "up/m=m" ]; } );
guardrails = ( { name = "%s"; plugin = "deny"; words = [ "Blue Bird", "secret" ]; patterns = [ "sk-[a-z0-9]{4,8}" ]; %s } );
''' % (up.url, name, options)


def chunk(delta, choice=0, finish=None, **more):
    body = dict({"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m",
                 "choices": [dict({"index": choice, "delta": delta, "finish_reason": finish}, **more)]})
    return record(json.dumps(body))


def record(data):
    return b"data: " + data.encode() + b"\n\n"


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
USAGE = record(json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [],
                           "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}))
DONE = record("[DONE]")


def script(_, message):
    body = json.loads(message[2])
    steps = PLANS.get(body["messages"][-1]["content"]) if "messages" in body else None
    return steps if steps is not None else [answer(completion("fine"))]


def text_stream(pieces, key="content", choice=0):
    """Each piece in a record of its own, in a write of its own."""
    return [chunk({key: p}, choice) for p in pieces]


def plan(name, steps, usage=True):
    PLANS[name] = [STREAM] + steps + [chunk({}, finish="stop")] + ([USAGE] if usage else []) + [DONE, "close"]
    return name


def frames(body):
    """The data of all records of a stream; each must be a record and nothing else."""
    assert body.endswith(b"\n\n"), body[-200:]
    out = []
    for rec in body[:-2].split(b"\n\n"):
        assert rec.startswith(b"data: ") and b"\n" not in rec, rec
        out.append(rec[6:].decode())
    return out


def parsed(body):
    data = frames(body)
    assert data[-1] == "[DONE]" and data.count("[DONE]") == 1, data[-3:]
    return [json.loads(d) for d in data[:-1]]


def joined(rows, key="content", choice=0):
    return "".join(c["delta"].get(key) or "" for r in rows for c in r.get("choices", ()) if c["index"] == choice)


def arguments(rows, index=0, choice=0):
    return "".join(t["function"].get("arguments") or "" for r in rows for c in r.get("choices", ()) if c["index"] == choice
                   for t in c["delta"].get("tool_calls", ()) if t["index"] == index)


def ask(w, name, stream=True, **more):
    return chat(w.port, name, "up/m", stream=stream, **more)


def cut_at(text, *places):
    places = [0] + sorted(places) + [len(text)]
    return [text[a:b] for a, b in zip(places, places[1:])]


def with_weir(options):
    def wrap(f):
        def run():
            PLANS.clear()
            up = Upstream(script)
            try:
                with Weir(config(up, options), {"DENY_TEST_KEY": "up-key"}) as w:
                    f(w, up)
            finally:
                up.close()
        run.__name__ = f.__name__
        return tests(run)
    return wrap


# ---- requests ----

@with_weir('action = "block"; code = "no_birds";')
def request_is_blocked(w, up):
    status, headers, body = chat(w.port, "have you seen the BLUE bird?", "up/m")
    error = json.loads(body)["error"]
    assert status == 403 and error["code"] == "no_birds" and error["type"] == "permission_error", body
    decision = headers["x-weir-request-id"]
    assert decision and decision in error["message"], (headers, error)
    status, _, body = chat(w.port, "have you seen the BLUE bird?", "up/m", stream=True)
    assert status == 403 and json.loads(body)["error"]["code"] == "no_birds", body
    # escaped, in a part, in the arguments of an earlier tool call
    for content in (b'"\\u0073ecret"', b'[{"type":"text","text":"a secre\\u0074"}]'):
        status, _, body = request(w.port, "POST", "/v1/chat/completions",
                                  b'{"model":"up/m","messages":[{"role":"user","content":' + content + b"}]}")
        assert status == 403, body
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"k":"s\\u0065cret"}'}}
    status, _, body = request(w.port, "POST", "/v1/chat/completions", {"model": "up/m", "messages": [
        {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "user", "content": "go on"}]})
    assert status == 403, body
    assert up.requests == [], "something reached the upstream"
    assert chat(w.port, "have you seen the bluebird?", "up/m")[0] == 200
    assert len(up.requests) == 1
    denied = w.wait_records(5, "deny")
    assert len(denied) == 5 and denied[0]["reason"] == "word 1" and denied[-1]["reason"] == "word 2", denied
    assert denied[0]["id"] == decision and denied[0]["code"] == "no_birds", denied[0]


@with_weir('action = "mask";')
def request_is_masked(w, up):
    body = ('{ "model" : "up/m",  "seed": 1.50, "messages": [ {"role": "system", "content": "h\\u00e9 \\/ stays"},'
            ' {"role":"user", "content":"say SECRET and sk-abcd12345 t\u00f6 \\"me\\""} ], "x": [1,2 , 3] }')
    status, _, _ = request(w.port, "POST", "/v1/chat/completions", body.encode())
    want = body.replace("up/m", "m", 1).replace("SECRET", "[removed]").replace("sk-abcd1234", "[removed]")
    assert status == 200 and up.requests[0][2] == want.encode(), up.requests[0][2]
    row = w.wait_records(1)[0]["labels"]
    assert row == {"deny.masked": "2", "deny.first": "word 2"}, row


@with_weir('action = "mask";')
def arguments_of_a_request_are_masked(w, up):
    inner = json.dumps({"q": "the \"secret\"\n", "secret": 1})
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": inner}}
    status, _, _ = request(w.port, "POST", "/v1/chat/completions", {"model": "up/m", "messages": [
        {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "user", "content": "go on"}]})
    sent = json.loads(up.requests[0][2])["messages"][0]["tool_calls"][0]["function"]["arguments"]
    assert status == 200 and json.loads(sent) == {"q": 'the "[removed]"\n', "[removed]": 1}, sent


# ---- whole answers ----

def says_logprobs(choice):
    """null, or an object whose lists are null."""
    return any(v is not None for v in (choice.get("logprobs") or {}).values())


@with_weir('action = "mask";')
def whole_answer_is_masked(w, up):
    text = "the \"secret\" is sk-abcdef \u20ac \\ Blue Bird"
    PLANS["whole"] = [answer(completion(text))]
    status, _, body = ask(w, "whole", stream=False)
    got = json.loads(body)
    assert status == 200 and got["choices"][0]["message"]["content"] == masked(text), body
    assert got["usage"]["total_tokens"] == 5
    PLANS["clear"] = [answer(completion("nothing to see \u20ac"))]
    status, headers, body = ask(w, "clear", stream=False)
    assert json.dumps(completion("nothing to see \u20ac")).encode() == body, body


@with_weir('action = "mask";')
def whole_answer_loses_its_logprobs(w, up):
    def whole(text):
        c = completion(text)
        c["choices"][0]["logprobs"] = {"content": [{"token": text, "logprob": -1, "bytes": None, "top_logprobs": []}]}
        return c
    PLANS["edited"] = [answer(whole("a secret"))]
    PLANS["clear"] = [answer(whole("a song"))]
    got = json.loads(ask(w, "edited", stream=False)[2])["choices"][0]
    assert not says_logprobs(got) and got["message"]["content"] == "a [removed]", got
    got = json.loads(ask(w, "clear", stream=False)[2])["choices"][0]
    assert got["logprobs"]["content"][0]["token"] == "a song", got


@with_weir('action = "block";')
def whole_answer_is_blocked(w, up):
    PLANS["whole"] = [answer(completion("a secret"))]
    status, _, body = ask(w, "whole", stream=False)
    assert status == 403 and json.loads(body)["error"]["code"] == "denied_content" and b"secret" not in body, body


@with_weir('action = "mask";')
def whole_tool_call_is_masked(w, up):
    c = completion(None)
    c["choices"][0]["message"]["tool_calls"] = [
        {"id": "t1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": "x\nsecret\"", "n": [1, "sk-1234"]})}}]
    PLANS["tool"] = [answer(c)]
    got = json.loads(ask(w, "tool", stream=False)[2])["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(got) == {"a": "x\n[removed]\"", "n": [1, "[removed]"]}, got


# ---- streams ----

@with_weir('action = "mask";')
def stream_is_masked_at_every_cut(w, up):
    text = "A \"secret\", s\u00e9cret \U0001f600 sk-abcdefghi blue blue bird\n sk-ab secre"
    for i in range(len(text) + 1):
        name = plan("cut %d" % i, text_stream(cut_at(text, i)))
        status, _, body = ask(w, name)
        rows = parsed(body)
        assert status == 200 and joined(rows) == masked(text), (i, joined(rows))
        assert rows[-1]["choices"][0]["finish_reason"] == "stop", rows[-1]
    for step in (1, 2, 3, 5):
        name = plan("step %d" % step, text_stream(cut_at(text, *range(step, len(text), step))))
        rows = parsed(ask(w, name)[2])
        assert joined(rows) == masked(text), (step, joined(rows))


@with_weir('action = "mask";')
def stream_is_masked_however_records_arrive(w, up):
    """The bytes of the stream cut anywhere: records split over writes."""
    text = "a secret or two: sk-abcd."
    whole = b"".join(text_stream(cut_at(text, 4, 9, 20)) + [chunk({}, finish="stop"), DONE])
    for i in range(0, len(whole), 1 if not SANITIZED else 7):
        PLANS["bytes"] = [STREAM, whole[:i], 0.002, whole[i:], "close"]
        rows = parsed(ask(w, "bytes")[2])
        assert joined(rows) == masked(text), (i, joined(rows))


@with_weir('action = "mask";')
def clear_stream_is_not_touched(w, up):
    """Frames go through as they came, byte by byte, also those after a held letter that came to nothing."""
    steps = text_stream(["no", "thing ", "at ", "all\u20ac"])
    name = plan("clear", steps)
    _, _, body = ask(w, name, stream_options={"include_usage": True})
    assert body == b"".join(steps) + chunk({}, finish="stop") + USAGE + DONE, body


@with_weir('action = "mask";')
def held_text_comes_before_what_follows_it(w, up):
    """Held text is let go before finish_reason, before usage, and before [DONE] when there is no finish."""
    name = plan("held", text_stream(["end sec"]))
    rows = parsed(ask(w, name, stream_options={"include_usage": True})[2])
    assert joined(rows) == "end sec", rows
    finish = [i for i, r in enumerate(rows) if r["choices"] and r["choices"][0]["finish_reason"]][0]
    texts = [i for i, r in enumerate(rows) if r["choices"] and r["choices"][0]["delta"].get("content")]
    assert texts[-1] <= finish and rows[-1]["usage"]["total_tokens"] == 5 and rows[-1]["choices"] == [], rows
    PLANS["no finish"] = [STREAM] + text_stream(["end ", "sec"]) + [DONE, "close"]
    assert joined(parsed(ask(w, "no finish")[2])) == "end sec"


@with_weir('action = "mask";')
def nothing_is_held_longer_than_it_must_be(w, up):
    """Each piece is with the client before the upstream sends the next, but for what may still be a match."""
    steps = [("a cle", "a cle"), ("ar ", "a clear "), ("s", "a clear "), ("ec", "a clear "), ("ure ", "a clear secure "),
             ("SEC", "a clear secure "), ("RET", "a clear secure [removed]"), (" x", "a clear secure [removed] x")]
    PLANS["slow"] = [STREAM] + [x for p, _ in steps for x in (chunk({"content": p}), 0.25)] + [chunk({}, finish="stop"), DONE, "close"]
    body = json.dumps({"model": "up/m", "stream": True, "messages": [{"role": "user", "content": "slow"}]}).encode()
    with socket.create_connection(("127.0.0.1", w.port), 10) as s:
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        seen, got = b"", []
        while b"[DONE]" not in seen:
            more = s.recv(65536)
            assert more, seen
            seen += more
            text = "".join(json.loads(m)["choices"][0]["delta"].get("content") or "" for m in
                           re.findall(r"data: (\{.*\})\n", seen.decode()))
            got.append(text)
    for want in {w for _, w in steps}:
        assert want in got, (want, got)


@with_weir('action = "mask";')
def two_choices_are_apart(w, up):
    one, two = "the secret of sk-12345678x", "blue bird, secre"
    steps = []
    for i in range(max(len(one), len(two))):
        steps += [chunk({"content": t[i]}, n) for n, t in enumerate((one, two)) if i < len(t)]
    PLANS["two"] = [STREAM] + steps + [chunk({}, 1, "stop"), chunk({}, 0, "stop"), USAGE, DONE, "close"]
    rows = parsed(ask(w, "two", n=2)[2])
    assert joined(rows) == masked(one) and joined(rows, choice=1) == masked(two), rows
    PLANS["together"] = [STREAM] + [record(json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [
        {"index": n, "delta": {"content": p}, "finish_reason": None} for n, p in enumerate(pair)]})) for pair in
        (("the sec", "blue "), ("ret", "bi"), (".", "rd secre"))] + [chunk({}, 1, "stop"), chunk({}, 0, "stop"), DONE, "close"]
    rows = parsed(ask(w, "together", n=2)[2])
    assert joined(rows) == "the [removed]." and joined(rows, choice=1) == "[removed] secre", rows


@with_weir('action = "mask";')
def reasoning_is_masked(w, up):
    for key in ("reasoning_content", "reasoning"):
        name = plan("think " + key, text_stream(["I know a sec", "ret."], key) + text_stream(["no sec", "rets"]))
        rows = parsed(ask(w, name)[2])
        assert joined(rows, key) == "I know a [removed]." and joined(rows) == "no [removed]s", rows


@with_weir('action = "mask";')
def stream_loses_its_logprobs_when_edited(w, up):
    def lp(text):
        return {"content": [{"token": text, "logprob": -1, "bytes": None, "top_logprobs": []}]}
    pieces = ["first ", "a sec", "ret", " more"]
    name = plan("logprobs", [chunk({"content": p}, logprobs=lp(p)) for p in pieces])
    rows = parsed(ask(w, name, logprobs=True)[2])
    assert joined(rows) == "first a [removed] more", rows
    assert rows[0]["choices"][0]["logprobs"]["content"][0]["token"] == "first ", rows[0]
    assert not any(says_logprobs(c) for r in rows[1:] for c in r["choices"]), rows


def tool_chunks(pieces, index=0):
    first = {"tool_calls": [{"index": index, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": pieces[0]}}]}
    return [chunk(first)] + [chunk({"tool_calls": [{"index": index, "function": {"arguments": p}}]}) for p in pieces[1:]]


@with_weir('action = "mask";')
def tool_arguments_are_masked_at_every_cut(w, up):
    args = '{"a": "x\\n\\u0073ecret\\"", "b":["sk-abcd\\u0031", "bl\\u00fce bird \\ud83d\\ude00"], "secret" : {"n":-1.50e3, "e": "secre"}}'
    want = {"a": "x\n[removed]\"", "b": ["[removed]", "bl\u00fce bird \U0001f600"], "[removed]": {"n": -1500.0, "e": "secre"}}
    for i in range(len(args) + 1):
        name = plan("tool %d" % i, tool_chunks(cut_at(args, i)))
        rows = parsed(ask(w, name)[2])
        got = arguments(rows)
        assert json.loads(got) == want, (i, got)
        assert '"b":["' in got and '"n":-1.50e3' in got, (i, got)       # structure as it came
    name = plan("tool by byte", tool_chunks(list(args)))
    assert json.loads(arguments(parsed(ask(w, name)[2]))) == want
    ids = [t.get("id") for r in parsed(ask(w, name)[2]) for c in r["choices"] for t in c["delta"].get("tool_calls", ()) if t.get("id")]
    assert ids and set(ids) == {"call_1"}, ids


@with_weir('action = "mask";')
def two_tool_calls_are_apart(w, up):
    a, b = '{"k":"sec', 'ret secret"}'
    name = plan("tools", tool_chunks([a, '"}']) + tool_chunks(['{"k":"', b], 1))
    rows = parsed(ask(w, name)[2])
    assert json.loads(arguments(rows, 0)) == {"k": "sec"} and json.loads(arguments(rows, 1)) == {"k": "ret [removed]"}, rows


@with_weir('action = "block";')
def stream_is_blocked_at_every_cut(w, up):
    text = "All is well. The secret is out, and more of it."
    for i in range(len(text) + 1):
        name = plan("block %d" % i, text_stream(cut_at(text, min(5, i), i)))
        status, headers, body = ask(w, name)
        if status == 403:
            assert json.loads(body)["error"]["code"] == "denied_content", body
        else:
            rows = parsed(body)
            assert status == 200 and rows[-1]["error"]["code"] == "denied_content", rows[-1]
            shown = joined(rows[:-1])
            assert text.startswith(shown) and len(shown) <= text.index("secret"), shown
            assert headers["x-weir-request-id"] in rows[-1]["error"]["message"], rows[-1]
        assert b"secret" not in body and b"out, and" not in body, body
    rows = w.wait_records(len(text) + 1)
    assert all(r["outcome"] == "denied" and r["reason"] == "word 2" for r in rows), rows[0]


@with_weir('action = "block";')
def blocked_stream_leaves_the_upstream(w, up):
    PLANS["endless"] = [STREAM] + text_stream(["fine ", "secret"]) + ["hold"]
    status, _, body = ask(w, "endless")
    rows = parsed(body)
    assert status == 200 and rows[-1]["error"]["code"] == "denied_content", rows
    for _ in range(100):
        if up.gone:
            break
        time.sleep(0.05)
    assert up.gone == [0], "the upstream was kept"
    assert chat(w.port, "still there?", "up/m")[0] == 200


@with_weir('action = "block"; directions = [ "request" ];')
def directions_are_kept(w, up):
    name = plan("answer", text_stream(["a secret"]))
    assert joined(parsed(ask(w, name)[2])) == "a secret"
    assert ask(w, "secret")[0] == 403


# ---- other shapes of streams ----

@with_weir('action = "mask";')
def the_last_text_may_come_with_the_finish(w, up):
    PLANS["f"] = [STREAM] + text_stream(["a sec"]) + [chunk({"content": "ret, a sec"}, finish="stop"), DONE, "close"]
    rows = parsed(ask(w, "f")[2])
    assert joined(rows) == "a [removed], a sec" and rows[-1]["choices"][0]["finish_reason"] == "stop", rows
    PLANS["g"] = [STREAM] + text_stream(["a sec"]) + [chunk({"content": ""}, finish="stop"), DONE, "close"]
    rows = parsed(ask(w, "g")[2])
    assert joined(rows) == "a sec" and rows[-1]["choices"][0]["finish_reason"] == "stop", rows


@with_weir('action = "mask";')
def records_of_other_shapes(w, up):
    """Several data lines, CRLF, comments and event names around a word that is cut."""
    def lines(text, end):
        data = json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [
            {"index": 0, "delta": {"content": text}, "finish_reason": None}]}, indent=1)
        return end.join(["event: message", ": hello"] + ["data: " + d for d in data.split("\n")] + ["", ""]).encode()
    for end in ("\n", "\r\n", "\r"):
        PLANS["shape"] = [STREAM, lines("a sec", end), lines("ret ", end), lines("more", end), lines(" secrets", end),
                          chunk({}, finish="stop"), DONE, "close"]
        _, _, body = ask(w, "shape")
        text = ""
        for rec in re.split(rb"\r\n\r\n|\n\n|\r\r", body):
            data = "\n".join(l[6:] for l in rec.decode().splitlines() if l.startswith("data: "))
            if data and data != "[DONE]":
                text += json.loads(data)["choices"][0]["delta"].get("content", "")
        assert text == "a [removed] more [removed]s", (end, body)


@with_weir('action = "mask";')
def legacy_completions_are_masked(w, up):
    def legacy(text, finish=None):
        return record(json.dumps({"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m",
                                  "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}]}))
    text = "once a secret, and a secre"
    for i in range(len(text) + 1):
        stream = [STREAM] + [legacy(p) for p in cut_at(text, i)] + [legacy("", "stop"), DONE, "close"]
        up.script = lambda n, m: stream
        _, _, body = request(w.port, "POST", "/v1/completions", {"model": "up/m", "prompt": "p", "stream": True})
        assert "".join(r["choices"][0]["text"] for r in parsed(body)) == masked(text), (i, body)
    up.script = script
    assert request(w.port, "POST", "/v1/completions", {"model": "up/m", "prompt": ["a secret", "b"]})[0] == 200
    assert json.loads(up.requests[-1][2])["prompt"] == ["a [removed]", "b"], up.requests[-1][2]


@with_weir('action = "mask";')
def refusals_are_masked(w, up):
    name = plan("refusal", text_stream(["I keep the sec", "ret"], "refusal"))
    assert joined(parsed(ask(w, name)[2]), "refusal") == "I keep the [removed]"


@with_weir('action = "mask";')
def a_stream_that_breaks_off_ends_well(w, up):
    """What is held when the upstream fails is never more than text; the error event and [DONE] stand at the end."""
    PLANS["broken"] = [STREAM] + text_stream(["begun ", "sec"]) + ["close"]
    rows = parsed(ask(w, "broken")[2])
    assert rows[-1]["error"]["code"] == "upstream_truncated" and joined(rows[:-1]) in ("begun ", "begun sec"), rows
    PLANS["failed"] = [STREAM] + text_stream(["begun ", "a secret sec"]) + [record('{"error":{"message":"overloaded","type":"server_error"}}'), DONE, "close"]
    body = ask(w, "failed")[2]
    assert b"secret" not in body and b"overloaded" in body and body.endswith(b"data: [DONE]\n\n"), body


@with_weir('action = "block";')
def tool_arguments_are_blocked_at_every_cut(w, up):
    args = '{"fine": 1, "a": "the s\\u0065cret"}'
    for i in range(len(args) + 1):
        name = plan("tool %d" % i, tool_chunks(cut_at(args, i)))
        status, _, body = ask(w, name)
        last = json.loads(body) if status == 403 else parsed(body)[-1]
        assert last["error"]["code"] == "denied_content", (i, body)
        assert b"0065cret" not in body and b"cret" not in body, (i, body)


@with_weir('action = "mask"; mask = "<blue>"; }, { name = "second"; plugin = "deny"; patterns = [ "<blue> b", "x<" ]; action = "mask"; mask = "!";')
def stages_see_what_those_before_them_made(w, up):
    for text in ("a secret bee", "x secret", "xsecret b", "secret c"):
        want = re.sub("<blue> b|x<", "!", REFERENCE.sub("<blue>", text))
        want = {"xsecret b": "!"}.get(text, want)                   # the two overlap: one mask
        for i in range(len(text) + 1):
            name = plan("%s %d" % (text[::-1], i), text_stream(cut_at(text, i)))
            assert joined(parsed(ask(w, name)[2])) == want, (text, i)
        assert ask(w, text, stream=False)[0] == 200
        assert json.loads(up.requests[-1][2])["messages"][0]["content"] == want, up.requests[-1][2]


@with_weir('action = "mask";')
def many_streams_at_once(w, up):
    """Requests that are cut in the middle of a word wait for one another and share one process."""
    plan("slow", [x for p in cut_at("a secret sk-12", 4, 5, 8, 10) for x in (chunk({"content": p}), 0.02)])
    bad = []

    def one():
        rows = parsed(ask(w, "slow")[2])
        if joined(rows) != "a [removed] sk-12":
            bad.append(rows)

    threads = [threading.Thread(target=one) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad, bad[0]


# ---- observe ----

def observed(w, up, label, value):
    text = "a secret, sk-abcdef"
    steps = text_stream(cut_at(text, 4, 9))
    name = plan("watch", steps)
    _, _, body = ask(w, name, stream_options={"include_usage": True})
    assert body == b"".join(steps) + chunk({}, finish="stop") + USAGE + DONE, body
    PLANS["tool"] = [STREAM] + tool_chunks(['{"a":"\\u0073ec', 'ret"}']) + [chunk({}, finish="stop"), DONE, "close"]
    _, _, body = ask(w, "tool")
    assert body == b"".join(PLANS["tool"][1:-1]), body
    PLANS["whole"] = [answer(completion(text))]
    assert ask(w, "whole", stream=False)[2] == json.dumps(completion(text)).encode()
    body = b'{"model":"up/m","messages":[{"role":"user","content":"the s\\u0065cret"}]}'
    assert request(w.port, "POST", "/v1/chat/completions", body)[0] == 200
    assert up.requests[-1][2] == body.replace(b"up/m", b"m"), up.requests[-1][2]
    rows = w.wait_records(4)
    assert all(r["outcome"] == "ok" and r["labels"][label] == value for r in rows), rows


@with_weir('action = "mask"; mode = "observe";')
def observing_masks_nothing(w, up):
    observed(w, up, "deny.first", "word 2")


@with_weir('action = "block"; mode = "observe";')
def observing_blocks_nothing(w, up):
    observed(w, up, "words.would_block", "word 2")


# ---- configuration ----

@tests
def a_bad_pattern_is_told_with_its_place():
    for options, want in (('patterns = [ "ok", "ab*" ];', 'pattern "ab*" column 3'), ("", "nothing to look for"),
                          ('words = [ "a" ]; mask = "\\"";', "without quotes")):
        w = Weir('guardrails = ( { name = "d"; plugin = "deny"; %s } );\n' % options, start=False)
        out = subprocess.run([WEIR, "check", "-c", w.file], capture_output=True, text=True)
        assert out.returncode != 0 and want in out.stderr + out.stdout and "weir.conf:" in out.stderr + out.stdout, (out.stdout, out.stderr)
        w.close()


if __name__ == "__main__":
    tests.run()
