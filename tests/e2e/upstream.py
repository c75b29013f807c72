# SPDX-License-Identifier: Apache-2.0
"""upstream.py -- a server in OpenAI's dialect that plays written answers, one scenario for each model name.

A model is "SCENARIO" or "SCENARIO/TAG"; a tag lets a test count its own attempts.  What was asked is told on a second port:
GET /seen/MODEL gives {"requests": [{path, headers, body}], "gone": [seconds since the epoch], "connections": N}.
The answers follow the shapes of the public API; they are sent in pieces whose cuts fall where a network would put them.
"""
import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from _weir import answer, read_message  # noqa: E402

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: req_up\r\nTransfer-Encoding: chunked\r\n\r\n"
USAGE = {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
         "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
         "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                                       "rejected_prediction_tokens": 0}}
TEXT = "Grüße, 世界! \U0001f30d\n\"quoted\" \\ and a tab\t."
LOGPROBS = {"content": [{"token": "Hi", "logprob": -0.25, "bytes": [72, 105],
                         "top_logprobs": [{"token": "Hi", "logprob": -0.25, "bytes": [72, 105]},
                                          {"token": "Yo", "logprob": -1.5, "bytes": [89, 111]}]}], "refusal": None}
CALLS = [("call_Paris7", "get_weather", '{"city": "Paris", "note": "a \\"b\\""}'), ("call_time2", "get_time", '{"zone":"CET"}')]
VECTORS = [[0.5, -0.25, 0.125], [1.0, 0.0, -2.0]]
VECTORS_BASE64 = ["AAAAPwAAgL4AAAA+", "AACAPwAAAAAAAADA"]      # the same as little-endian float32
CATEGORIES = ["harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
              "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic"]


def choice(index=0, content=TEXT, finish="stop", **more):
    message = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
    message.update(more.pop("message", {}))
    return dict({"index": index, "message": message, "logprobs": None, "finish_reason": finish}, **more)


def whole(*choices):
    return {"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1741569952,
            "model": "gpt-4.1-2025-04-14", "choices": list(choices), "usage": USAGE, "service_tier": "default",
            "system_fingerprint": "fp_44709d6fcb"}


def sized(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunk(delta=None, finish=None, index=0, choices=None, **more):
    if choices is None:
        choices = [dict({"index": index, "delta": delta or {}, "logprobs": None, "finish_reason": finish})]
    body = dict({"id": "chatcmpl-stream1", "object": "chat.completion.chunk", "created": 1741569952, "model": "gpt-4.1-2025-04-14",
                 "service_tier": "default", "system_fingerprint": "fp_44709d6fcb", "choices": choices}, **more)
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def stream(records, cut=37, usage=True, tail=b"data: [DONE]\n\n"):
    """The records as one chunked body, cut every so many bytes whatever stands there: within characters, records, line ends."""
    records = list(records)
    if usage:
        records.append(chunk(choices=[], usage=USAGE))
    body = b"".join(records) + tail
    return [SSE] + [sized(body[i:i + cut]) for i in range(0, len(body), cut)] + [b"0\r\n\r\n"]


def texts(text, n=1):
    yield from (chunk({"role": "assistant", "content": "", "refusal": None}, index=i) for i in range(n))
    for at in range(0, len(text), 5):
        yield from (chunk({"content": text[at:at + 5]}, index=i) for i in range(n))
    yield from (chunk({}, "stop", index=i) for i in range(n))


def call_chunks():
    """Two calls whose arguments come in pieces of three characters, in turns."""
    yield chunk({"role": "assistant", "content": None})
    for i, (name_id, name, _) in enumerate(CALLS):
        yield chunk({"tool_calls": [{"index": i, "id": name_id, "type": "function", "function": {"name": name, "arguments": ""}}]})
    for at in range(0, max(len(c[2]) for c in CALLS), 3):
        for i, (_, _, arguments) in enumerate(CALLS):
            if arguments[at:at + 3]:
                yield chunk({"tool_calls": [{"index": i, "function": {"arguments": arguments[at:at + 3]}}]})
    yield chunk({}, "tool_calls")


def error(status, message, kind, code, param=None, headers=()):
    return [answer({"error": {"message": message, "type": kind, "param": param, "code": code}}, status, list(headers))]


# ---- scenarios: (number of this request for its model, its body) -> what to do, as in _weir.Upstream ----

def play_whole(n, body):
    return stream(texts(TEXT)) if body.get("stream") else [answer(whole(choice()), headers=[("x-request-id", "req_up")])]


def play_echo(n, body):
    return [answer(whole(choice(content=body["messages"][-1]["content"])))]


def play_tools(n, body):
    if body["messages"][-1]["role"] == "tool":
        return stream(texts("It is 21 degrees.")) if body.get("stream") else [answer(whole(choice(content="It is 21 degrees.")))]
    if body.get("stream"):
        return stream(call_chunks())
    calls = [{"id": i, "type": "function", "function": {"name": name, "arguments": a}} for i, name, a in CALLS]
    return [answer(whole(choice(content=None, finish="tool_calls", message={"tool_calls": calls})))]


def play_n2(n, body):
    if body.get("stream"):
        return stream(texts("same twice", 2))
    return [answer(whole(choice(0, "first"), choice(1, "second", "length")))]


def play_schema(n, body):
    text = '{"name":"Ada","age":36}'
    return stream(texts(text)) if body.get("stream") else [answer(whole(choice(content=text)))]


def play_logprobs(n, body):
    if body.get("stream"):
        first = {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "logprobs": LOGPROBS, "finish_reason": None}
        return stream([chunk(choices=[first]), chunk({}, "stop")])
    return [answer(whole(choice(content="Hi", logprobs=LOGPROBS)))]


def play_refusal(n, body):
    return [answer(whole(choice(content=None, message={"refusal": "I can't help with that."})))]


def play_embed(n, body):
    vectors = VECTORS_BASE64 if body.get("encoding_format") == "base64" else VECTORS
    count = len(body["input"]) if isinstance(body["input"], list) else 1
    return [answer({"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 5, "total_tokens": 5},
                    "data": [{"object": "embedding", "index": i, "embedding": vectors[i]} for i in range(count)]})]


def play_moderate(n, body):
    return [answer({"id": "modr-970d409ef3bef3b70c73d8232df86e7d", "model": "omni-moderation-latest", "results": [{
        "flagged": True, "categories": {c: c == "violence" for c in CATEGORIES},
        "category_scores": {c: 0.875 if c == "violence" else 0.0078125 for c in CATEGORIES},
        "category_applied_input_types": {c: ["text"] for c in CATEGORIES}}]})]


def play_legacy(n, body):
    head = {"id": "cmpl-uqkvlQyYK7bGYrRHQ0eXlWi7", "object": "text_completion", "created": 1589478378, "model": "gpt-3.5-turbo-instruct"}
    if not body.get("stream"):
        return [answer(dict(head, choices=[{"text": "\n\nThis is a test", "index": 0, "logprobs": None, "finish_reason": "length"}],
                            usage={"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}))]
    parts = [("\n\nThis", None), (" is", None), (" a test", None), ("", "stop")]
    records = [dict(head, choices=[{"text": t, "index": 0, "logprobs": None, "finish_reason": f}]) for t, f in parts]
    return stream([b"data: " + json.dumps(r).encode() + b"\n\n" for r in records], usage=False)


def play_limited(n, body):
    if n < 2:
        return error("429 Too Many Requests", "Rate limit reached", "tokens", "rate_limit_exceeded", headers=[("retry-after-ms", "60")])
    return play_whole(n, body)


def play_limited_always(n, body):
    return error("429 Too Many Requests", "You exceeded your current quota", "insufficient_quota", "insufficient_quota",
                 headers=[("x-should-retry", "false"), ("retry-after", "9")])


def play_broken_once(n, body):
    return error("500 Internal Server Error", "The server had an error", "server_error", None) if n == 0 else play_whole(n, body)


def play_broken(n, body):
    return error("500 Internal Server Error", "The server had an error", "server_error", None)


def play_unavailable(n, body):
    return [b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<h1>overloaded</h1>\r\n"]


def play_invalid(n, body):
    return error("400 Bad Request", "Invalid 'temperature': 9", "invalid_request_error", "decimal_above_max_value", "temperature")


def play_missing(n, body):
    return error("404 Not Found", "The model does not exist", "invalid_request_error", "model_not_found")


def play_refused(n, body):
    return error("401 Unauthorized", "Incorrect API key provided: sk-e2e-up***9876", "invalid_request_error", "invalid_api_key")


BEGIN = chunk({"role": "assistant", "content": "half a "})


def play_error_in_stream(n, body):
    failed = {"error": {"message": "The model is overloaded", "type": "server_error", "param": None, "code": "overloaded"}}
    return [SSE, sized(BEGIN), sized(b"data: " + json.dumps(failed).encode() + b"\n\n"), b"0\r\n\r\n"]


def play_truncated(n, body):
    return [SSE, sized(BEGIN), sized(chunk({"content": "senten"})), b"0\r\n\r\n"]


def play_cut(n, body):
    return [SSE, sized(BEGIN), 0.05, sized(chunk({"content": "senten"})[:40]), 0.05, "reset"]


def play_cut_whole(n, body):
    return [answer(whole(choice()))[:-30], "close"]


def play_slow(n, body):
    return ["hold"]


def play_slow_stream(n, body):
    return [SSE, sized(BEGIN), "hold"]


def play_late(n, body):
    """The first byte after a while, then a piece now and then."""
    if not body.get("stream"):
        return [0.5] + play_whole(n, body)
    return [0.3, SSE] + [x for record in texts("so late") for x in (sized(record), 0.05)] + [sized(b"data: [DONE]\n\n"), b"0\r\n\r\n"]


def play_pings(n, body):
    """Comments, CRLF, event and id fields: all of the SSE grammar that a client may meet."""
    records = [b": ping\n\n"] + list(texts("kept")) + [b"event: message\nid: 7\n" + chunk(choices=[], usage=USAGE)]
    return [SSE] + [sized(r.replace(b"\n", b"\r\n")) for r in records] + [sized(b": bye\r\n\r\ndata: [DONE]\r\n\r\n"), b"0\r\n\r\n"]


def play_no_answer(n, body):
    return ["close"]


SCENARIOS = {name[5:].replace("_", "-"): f for name, f in list(globals().items()) if name.startswith("play_")}


class Scripted:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen = {}                       # model -> {"requests", "gone", "connections"}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = "http://127.0.0.1:%d/v1" % self.listener.getsockname()[1]
        self.teller = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.seen_url = "http://127.0.0.1:%d/seen/" % self.teller.getsockname()[1]
        for listener, serve in ((self.listener, self.serve), (self.teller, self.tell)):
            threading.Thread(target=self.accept, args=(listener, serve), daemon=True).start()

    def accept(self, listener, serve):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.guard, args=(s, serve), daemon=True).start()

    def guard(self, s, serve):
        try:
            serve(s)
        except OSError:
            pass
        finally:
            s.close()

    def about(self, model):
        return self.seen.setdefault(model, {"requests": [], "gone": [], "connections": set()})

    def tell(self, s):
        while True:
            message = read_message(s, 60)
            if not message or not message[1]:
                return
            with self.lock:
                about = self.about(message[0].split()[1][len(b"/seen/"):].decode())
                data = dict(about, connections=len(about["connections"]))
                s.sendall(answer(data))

    def serve(self, s):
        while True:
            message = read_message(s, 60)
            if not message or not message[1]:
                return
            body = json.loads(message[2] or b"{}")
            model = body.get("model", "")
            with self.lock:
                about = self.about(model)
                n = len(about["requests"])
                about["requests"].append({"path": message[0].decode(), "body": body,
                                          "headers": {k.decode().lower(): v.decode() for k, v in message[1]}})
                about["connections"].add(id(s))
            scenario = SCENARIOS.get(model.split("/")[0])
            for step in scenario(n, body) if scenario else error("418 No Scenario", model, "test", "no_scenario"):
                if not self.take(s, step, about):
                    return

    def take(self, s, step, about):
        """false: this connection is over."""
        if isinstance(step, bytes):
            s.sendall(step)
        elif isinstance(step, float):
            time.sleep(step)
        elif step == "hold":
            s.settimeout(60)
            try:
                left = s.recv(1) == b""
            except ConnectionResetError:
                left = True
            with self.lock:
                if left:
                    about["gone"].append(time.time())
            return False
        else:
            if step == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            return False
        return True
