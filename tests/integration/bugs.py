# SPDX-License-Identifier: Apache-2.0
"""bugs.py -- the bugs that other gateways have most often (docs/bugs.md): those that only the whole program shows, and whether each of the list has a
test that is run."""
import json
import os
import socket
import subprocess
import sys
import time

from _fields import Translate
from _grammar import check
from _weir import ROOT, Tests, Upstream, Weir, answer, completion, request

sys.path.insert(0, os.path.join(ROOT, "tools"))

tests = Tests()
translate = Translate()
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
OPENAI = '{ name = "up"; plugin = "openai"; url = "%s/v1"; key = "env:TEST_KEY"; models = [ "m" ]; }'
ANTHROPIC = '{ name = "%s"; plugin = "anthropic"; url = "%s/v1"; key = "env:TEST_KEY"; models = [ "m" ]; }'
MESSAGE = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}]}
OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}'


def weir(*providers):
    return Weir("providers = ( " + ", ".join(providers) + " );\n", env={"TEST_KEY": "sk-bugs-0123456789"})


def chat_of(w, **more):
    return request(w.port, "POST", "/v1/chat/completions", dict({"model": "m", "messages": [{"role": "user", "content": "x"}]}, **more))


def message_of(w, **more):
    return request(w.port, "POST", "/v1/messages", dict(MESSAGE, **more), [("anthropic-version", "2023-06-01")])


def chunk(delta, finish="null", lead=b"data: ", end=b"\n\n"):
    return lead + ('{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}'
                   % (json.dumps(delta, ensure_ascii=False), finish)).encode() + end


@tests
def bug_06_characters_and_line_ends_cut_in_two():
    text = "gr\u00fc\u00df \U0001f600 \u6c34"
    stream = (chunk({"role": "assistant", "content": ""}, end=b"\r\n\r\n") + chunk({"content": text}, lead=b"data:", end=b"\r\n\r\n")
              + chunk({}, '"stop"', end=b"\r\n\r\n") + b"data:[DONE]\n\n")
    at = stream.index("\U0001f600".encode())
    cuts = [at + 1, at + 3, stream.index(b"\r\n\r\n") + 1, stream.index(b"\r\n\r\n") + 3, len(stream) - 1]
    up = Upstream(lambda n, _: script(stream, cuts))
    with weir(OPENAI % up.url) as w:
        status, _, body = chat_of(w, stream=True)
        assert status == 200 and check("openai", body).text == text, body
        status, _, body = message_of(w, stream=True)
        assert status == 200 and check("anthropic", body).text == text, body


def script(stream, cuts):
    out, last = [SSE_HEAD], 0
    for cut in sorted(cuts) + [len(stream)]:
        out += [stream[last:cut], 0.03]
        last = cut
    return out + ["close"]


@tests
def bug_23_an_error_never_stands_inside_a_record():
    whole = chunk({"role": "assistant", "content": "Once"})
    up = Upstream(lambda n, _: [SSE_HEAD, whole, 0.05, chunk({"content": "upon a time"})[:60], 0.05, "close"])
    with weir(OPENAI % up.url) as w:
        for call, dialect in ((chat_of, "openai"), (message_of, "anthropic")):
            status, _, body = call(w, stream=True)
            said = check(dialect, body)
            assert status == 200 and said.text == "Once" and said.error and not said.ends, body
            assert b"upon" not in body, body


@tests
def bug_25_rate_limits_are_told():
    limits = [("Retry-After", "7"), ("anthropic-ratelimit-requests-remaining", "0"), ("x-should-retry", "true"), ("request-id", "req_1")]
    up = Upstream(lambda n, _: [answer({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}, "429 Too Many Requests", limits)])
    with weir(ANTHROPIC % ("up", up.url)) as w:
        for call in message_of, chat_of:
            status, headers, body = call(w)
            assert status == 429 and headers["retry-after"] == "7", (headers, body)
            assert headers["anthropic-ratelimit-requests-remaining"] == "0" and headers["x-should-retry"] == "true", headers


@tests
def bug_25_overloaded_goes_to_the_next_and_blames_no_key():
    first = Upstream(lambda n, _: [answer(OVERLOADED, "529 Overloaded")] if n == 0 else [answer(message("first"))])
    second = Upstream(lambda n, _: [answer(message("second"))])
    with weir(ANTHROPIC % ("first", first.url), ANTHROPIC % ("second", second.url)) as w:
        start = time.monotonic()
        status, _, body = message_of(w)
        assert status == 200 and b"second" in body and time.monotonic() - start < 5, body
        assert len(first.requests) == 1 and len(second.requests) == 1
        texts = [message_of(w)[2] for _ in range(3)]
        assert any(b"first" in t for t in texts), texts      # it is asked again at once: nothing was put aside for minutes


def message(text):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}


@tests
def bug_25_the_last_ones_529_reaches_the_client():
    up = Upstream(lambda n, _: [answer(OVERLOADED, "529 Overloaded")])
    with weir(ANTHROPIC % ("up", up.url)) as w:
        status, _, body = message_of(w)
        assert status == 529 and body == OVERLOADED, (status, body)


@tests
def bug_26_a_client_that_leaves_ends_the_upstream():
    up = Upstream(lambda n, _: [SSE_HEAD, chunk({"role": "assistant", "content": "Once upon a time"}), "hold"])
    with weir(OPENAI % up.url) as w:
        for n, (path, body) in enumerate((("/v1/chat/completions", {"model": "m", "stream": True, "messages": MESSAGE["messages"]}),
                                          ("/v1/messages", dict(MESSAGE, stream=True)))):
            data, got = json.dumps(body).encode(), b""
            with socket.create_connection(("127.0.0.1", w.port), 10) as s:
                s.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                          % (path.encode(), len(data)) + data)
                while b"Once" not in got:
                    got += s.recv(65536)
            end = time.monotonic() + 5
            while len(up.gone) <= n and time.monotonic() < end:
                time.sleep(0.005)
            assert len(up.gone) == n + 1, "the upstream goes on"
        closes = w.wait_records(2)
        assert len(closes) == 2 and all(c["outcome"] == "client_gone" for c in closes), closes


@tests
def bug_36_errors_go_through_byte_by_byte():
    words = (b'{"type":"error", "error":{"type":"invalid_request_error","message":"prompt is too long: 205000 tokens > 200000 maximum"},\n'
             b' "request_id":"req_1", "new": 1.0}')
    up = Upstream(lambda n, _: [answer(words, "400 Bad Request")])
    with weir(ANTHROPIC % ("up", up.url)) as w:
        for stream in (False, True):
            status, _, body = message_of(w, stream=stream)
            assert status == 400 and body == words, (status, body)


@tests
def bug_19_and_bug_38_what_the_client_sent_arrives():
    up = Upstream(lambda n, _: [answer(message("x"))])
    sent = b'{"messages":[{"content":"\\u0068i","role":"user"}],"zeta":1.0,"max_tokens":100,"temperature":1.00,"model":"m","seed":12345678901234567890}'
    with weir(ANTHROPIC % ("up", up.url)) as w:
        status, _, body = request(w.port, "POST", "/v1/messages", sent, [("Content-Type", "application/json"), ("Content-Length", str(len(sent))),
                                                                          ("anthropic-version", "2026-10-21"), ("anthropic-beta", "new-beta-1,other")][2:])
        assert status == 200, body
        _, headers, got, _ = up.requests[0]
        low = {k.decode().lower(): v.decode() for k, v in headers}
        assert got == sent, got
        assert (low["anthropic-version"], low["anthropic-beta"]) == ("2026-10-21", "new-beta-1,other"), low


def lowered(source, target, path, body, options=""):
    got = translate.request(source, target, "POST", path, body, False, options)
    assert got["step"] == "sent", got
    return json.loads(got["body"])


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SUMMED = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "b3BhcXVl"}


@tests
def bug_27_reasoning_keeps_its_place_and_no_foreign_id():
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "weir:openai.encrypted:b3BhcXVl"}
    call = {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "x"}]}
    got = lowered("anthropic", "responses", "/v1/messages", dict(MESSAGE, messages=MESSAGE["messages"] + [
        {"role": "assistant", "content": [thinking, call]}, result]))
    assert [i["type"] for i in got["input"]] == ["message", "reasoning", "function_call", "function_call_output"], got
    assert got["input"][1]["encrypted_content"] == "b3BhcXVl" and "id" not in got["input"][1] and got["store"] is False, got
    assert "reasoning.encrypted_content" in got["include"], got


@tests
def bug_28_a_reasoning_item_becomes_no_message():
    body = {"model": "m", "input": [{"role": "user", "content": "x"}, SUMMED, {"role": "assistant", "content": "y"}, {"role": "user", "content": "z"}]}
    for target, key in (("openai", "messages"), ("anthropic", "messages"), ("gemini", "contents"), ("bedrock", "messages")):
        turns = lowered("responses", target, "/v1/responses", body)[key]
        assert len(turns) == 3 and all(t.get("content") or t.get("parts") for t in turns), (target, turns)


@tests
def bug_29_reasoning_is_handed_back_in_a_loop_of_tools():
    thinking = {"type": "thinking", "thinking": "Hm, hm.", "signature": "weir:none:"}
    loop = [{"role": "assistant", "content": [thinking, {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "x"}]}]
    got = lowered("anthropic", "openai", "/v1/messages", dict(MESSAGE, messages=MESSAGE["messages"] + loop), "reasoning_field = reasoning_content")
    assert got["messages"][1]["reasoning_content"] == "Hm, hm." and got["messages"][1]["tool_calls"], got


@tests
def bug_35_tools_and_an_effort_go_through_responses():
    got = lowered("openai", "responses", "/v1/chat/completions", {"model": "m", "messages": MESSAGE["messages"], "tools": [TOOL], "reasoning_effort": "low"})
    assert got["reasoning"]["effort"] == "low" and got["tools"][0]["name"] == "f" and got["tools"][0]["strict"] is False, got


@tests
def bug_37_every_end_of_responses_is_one():
    def event(kind, **more):
        return ("event: %s\ndata: %s\n\n" % (kind, json.dumps(dict({"type": kind}, **more)))).encode()

    def response(status, **more):
        return dict({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "output": []}, **more)

    rows = (("response.completed", response("completed"), ["stop"]),
            ("response.incomplete", response("incomplete", incomplete_details={"reason": "max_output_tokens"}), ["length"]),
            ("response.incomplete", response("incomplete", incomplete_details={"reason": "content_filter"}), ["content_filter"]),
            ("response.failed", response("failed", error={"code": "server_error", "message": "broken"}), None))
    for kind, what, ends in rows:
        stream = event("response.created", sequence_number=0, response=response("in_progress")) + event(kind, sequence_number=1, response=what)
        up = Upstream(lambda n, _, stream=stream: [SSE_HEAD + stream, "close"])
        with weir('{ name = "up"; plugin = "responses"; url = "%s/v1"; key = "env:TEST_KEY"; models = [ "m" ]; }' % up.url) as w:
            status, _, body = chat_of(w, stream=True)
            if ends is None:
                assert b'"error"' in body and b'"finish_reason":"' not in body, (kind, status, body)
            else:
                assert status == 200 and check("openai", body).ends == ends, (kind, body)
        up.close()


@tests
def every_bug_of_the_list_has_a_test_that_is_run():
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "bugs.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


tests.run(translate.close)
