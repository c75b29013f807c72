# SPDX-License-Identifier: Apache-2.0
"""bugs.py -- the bugs that other gateways have most often (docs/bugs.md): those that only the whole program shows, and whether each of the list has a
test that is run."""
import json
import os
import subprocess
import sys
import time

from _grammar import check
from _weir import ROOT, Tests, Upstream, Weir, answer, completion, request

sys.path.insert(0, os.path.join(ROOT, "tools"))

tests = Tests()
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


@tests
def every_bug_of_the_list_has_a_test_that_is_run():
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "bugs.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


tests.run()
