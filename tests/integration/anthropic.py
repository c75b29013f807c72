# SPDX-License-Identifier: Apache-2.0
"""anthropic.py -- Messages through real sockets: a client of Anthropic to Anthropic byte for byte, a client of Anthropic to an
OpenAI-like server, and a client of OpenAI to Anthropic, as bodies and as streams.

What an Anthropic client gets of a stream is read as strictly as Anthropic's own SDK reads it.
"""
import json

from _weir import Tests, Upstream, Weir, answer, request

tests = Tests()
PLANS = {}
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_up\r\nconnection: close\r\n\r\n"


def record(event):
    return ("event: %s\ndata: %s\n\n" % (event["type"], json.dumps(event))).encode()


def chunk(delta, **more):
    return ("data: %s\n\n" % json.dumps(dict({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-up",
                                              "choices": [dict({"index": 0, "delta": delta, "finish_reason": None}, **more)]}))).encode()


def read(stream):
    """A message, put together by the grammar's rules."""
    message, open_block = None, None
    records = stream.decode().split("\n\n")
    assert records.pop() == ""
    for r in records:
        name, data = r.split("\n")
        e = json.loads(data[len("data: "):])
        assert name == "event: " + e["type"], r
        if e["type"] == "message_start":
            assert message is None
            message = e["message"]
            message["estimate"] = message["usage"]["input_tokens"]
        elif e["type"] == "content_block_start":
            assert open_block is None and e["index"] == len(message["content"]), r
            open_block = e["content_block"]
            open_block["json"] = ""
            message["content"].append(open_block)
        elif e["type"] == "content_block_delta":
            assert e["index"] == len(message["content"]) - 1, r
            d = e["delta"]
            if d["type"] == "input_json_delta":
                open_block["json"] += d["partial_json"]
            else:
                key = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}[d["type"]]
                open_block[key] += d[key]
        elif e["type"] == "content_block_stop":
            assert e["index"] == len(message["content"]) - 1, r
            if open_block["type"] == "tool_use":
                open_block["input"] = json.loads(open_block["json"] or "{}")
            del open_block["json"]
            open_block = None
        elif e["type"] == "message_delta":
            message.update(e["delta"])
            message["usage"].update(e["usage"])
        elif e["type"] == "message_stop":
            assert open_block is None and r is records[-1], "nothing may follow"
            return message
        elif e["type"] == "error":
            assert r is records[-1], "nothing may follow"
            return e
    raise AssertionError("the stream has no end")


def script(n, message):
    return PLANS[json.loads(message[2])["model"]]


MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-up", "stop_reason": None, "stop_sequence": None,
           "content": [], "usage": {"input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 1}}
WHOLE = b"".join(map(record, [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "U0lH"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "server_tool_use", "id": "s", "name": "w", "input": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"q\":\"hidden\"}"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "web_search_tool_result", "content": [{"title": "hidden"}]}},
    {"type": "content_block_stop", "index": 2},
    {"type": "content_block_start", "index": 3, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "my sec"}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "ret word"}},
    {"type": "content_block_stop", "index": 3},
    {"type": "content_block_start", "index": 4, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}},
    {"type": "content_block_stop", "index": 4},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"}]))
PLANS["whole"] = [SSE, WHOLE, "close"]
PLANS["torn"] = [SSE, WHOLE[:WHOLE.index(b"ret word")], "close"]
PLANS["ill"] = [SSE, WHOLE[:WHOLE.index(b"event: message_delta")] +
                record({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}), "close"]
PLANS["body"] = [answer(dict(MESSAGE, stop_reason="end_turn", content=[
    {"type": "text", "text": "Hello"}, {"type": "tool_use", "id": "t1", "name": "o7tscn1ru8zh4xw7t6apouu4", "input": {"x": 1.5}}]))]
PLANS["bad"] = [answer({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 5 maximum"},
                        "request_id": "req_up"}, "400 Bad Request")]
PLANS["count"] = [answer({"input_tokens": 14})]
CALLS = (chunk({"role": "assistant", "content": None}) + chunk({"reasoning_content": "Hm"}) + chunk({"content": "my sec"}) +
         chunk({"content": "ret word"}) +
         chunk({"tool_calls": [{"index": 0, "id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}}]}) +
         chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{\"x\":"}}]}) +
         chunk({"tool_calls": [{"index": 1, "id": "call_b", "type": "function", "function": {"name": "g", "arguments": ""}}]}) +
         chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}) + chunk({}, finish_reason="tool_calls") +
         b'data: {"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42,'
         b'"prompt_tokens_details":{"cached_tokens":10}}}\n\n')
PLANS["calls"] = [SSE, CALLS + b"data: [DONE]\n\n", "close"]
PLANS["cut short"] = [SSE, CALLS[:CALLS.index(b"ret word")], "close"]
PLANS["completion"] = [answer({"id": "chatcmpl-2", "object": "chat.completion", "created": 1, "model": "gpt-up", "choices": [
    {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "Hi", "tool_calls": [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}}]}}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}})]
PLANS["full"] = [answer({"error": {"message": "This model's maximum context length is 128000 tokens. However, your messages resulted in "
                                   "130001 tokens.", "type": "invalid_request_error", "code": "context_length_exceeded"}}, "400 Bad Request")]


def config(up, guard=""):
    models = ["whole", "torn", "ill", "body", "bad", "count"]
    others = ["calls", "cut short", "completion", "full"]
    quoted = lambda names: ", ".join('"%s"' % n for n in names)
    return '''
providers = ( { name = "claude"; plugin = "anthropic"; url = "%s/v1"; key = "env:AT_KEY"; models = [ %s ]; },
              { name = "gpt"; plugin = "openai"; url = "%s/v1"; key = "env:AT_KEY"; models = [ %s ]; } );
%s
''' % (up.url, quoted(models), up.url, quoted(others), guard)


ENV = {"AT_KEY": "sk-test-key-of-the-gateway"}
MASK = 'guardrails = ( { name = "words"; plugin = "deny"; words = [ "secret" ]; action = "mask"; } );'


def messages(w, model, stream=False, path="/v1/messages", headers=(), **more):
    return request(w.port, "POST", path, dict({"model": model, "max_tokens": 50, "stream": stream,
                                               "messages": [{"role": "user", "content": "hi"}]}, **more), headers=list(headers))


def completions(w, model, stream=False, **more):
    return request(w.port, "POST", "/v1/chat/completions", dict({"model": model, "stream": stream, "messages": [
        {"role": "user", "content": "hi"}]}, **more))


@tests
def anthropic_to_anthropic():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = messages(w, "whole", True, "/v1/messages?beta=true", [("anthropic-beta", "a,b"), ("anthropic-version", "2026-10-21")])
        assert status == 200 and got == WHOLE, (status, got)
        m = up.requests[-1]
        said = {k.decode().lower(): v.decode() for k, v in m[1]}
        assert (said["anthropic-beta"], said["anthropic-version"], said["x-api-key"]) == ("a,b", "2026-10-21", ENV["AT_KEY"]), said
        assert m[0].decode().split(" ")[1] == "/v1/messages?beta=true", m[0]
        status, _, got = messages(w, "bad")
        assert status == 400 and json.loads(got)["request_id"] == "req_up", got  # untouched
        status, _, got = messages(w, "count", path="/v1/messages/count_tokens")
        assert status == 200 and json.loads(got) == {"input_tokens": 14}, got
        status, _, got = messages(w, "torn", True)
        assert read(got)["error"]["type"] == "api_error", got
        row = w.wait_records(1)[0]
        assert (row["input"], row["cache_read"], row["output"], row["finish"]) == (3, 2, 9, "tool_use"), row


@tests
def a_guardrail_reads_streams():
    up = Upstream(script)
    with Weir(config(up, MASK), ENV) as w:
        _, _, got = messages(w, "whole", True)
        texts = [b.get("text") for b in read(got)["content"]]
        assert texts[3] == "my [removed] word", texts
        _, _, got = messages(w, "calls", True)
        assert read(got)["content"][1]["text"] == "my [removed] word", got


@tests
def anthropic_to_openai():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = messages(w, "calls", True, tools=[{"name": "f", "input_schema": {"type": "object"}}])
        assert status == 200 and head["content-type"].startswith("text/event-stream"), (status, head)
        m = read(got)
        for b in m["content"]:
            b.pop("signature", None)
        assert m["content"] == [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "my secret word"},
                                {"type": "tool_use", "id": "call_a", "name": "f", "input": {"x": 1}},
                                {"type": "tool_use", "id": "call_b", "name": "g", "input": {}}], m
        assert m["stop_reason"] == "tool_use" and m["estimate"] > 0, m
        u = m["usage"]
        assert (u["input_tokens"], u["cache_read_input_tokens"], u["output_tokens"]) == (20, 10, 12), u
        status, _, got = messages(w, "completion")
        m = json.loads(got)
        assert m["content"] == [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "call_a", "name": "f", "input": {}}], m
        assert m["stop_reason"] == "max_tokens" and m["usage"]["input_tokens"] == 4, m
        status, _, got = messages(w, "full")
        assert status == 400 and json.loads(got)["error"]["message"] == "prompt is too long: 130001 tokens > 128000 maximum", got
        status, _, got = messages(w, "cut short", True)
        assert read(got)["type"] == "error", got
        status, _, got = messages(w, "completion", container="c")
        assert status == 400 and json.loads(got)["error"]["message"].startswith("container"), got


@tests
def openai_to_anthropic():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, _, got = completions(w, "whole", True)
        assert status == 200 and b"hidden" not in got, got
        records = [json.loads(r[6:]) for r in got.decode().split("\n\n") if r.startswith("data: {")]
        deltas = [c["delta"] for r in records for c in r["choices"]]
        assert "".join(d.get("content") or "" for d in deltas) == "my secret word", deltas
        assert got.endswith(b"data: [DONE]\n\n") and "tool_calls" in [c["finish_reason"] for r in records for c in r["choices"]], got
        sent = json.loads(up.requests[-1][2])
        assert sent == {"model": "whole", "max_tokens": 8192, "stream": True, "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]}]}, sent
        status, _, got = completions(w, "body", tools=[{"type": "function", "function": {"name": "a.b", "parameters": {"type": "object"}}}])
        m = json.loads(got)["choices"][0]["message"]
        name = json.loads(up.requests[-1][2])["tools"][0]["name"]
        assert name == "o7tscn1ru8zh4xw7t6apouu4", name  # Anthropic takes no dots
        assert m["content"] == "Hello" and json.loads(m["tool_calls"][0]["function"]["arguments"]) == {"x": 1.5}, m
        status, _, got = completions(w, "bad")
        assert status == 400 and json.loads(got)["error"]["code"] == "context_length_exceeded", got
        status, _, got = completions(w, "ill", True)
        assert b"Busy" in got and b'"finish_reason":"tool_calls"' not in got, got
        status, _, got = completions(w, "body", n=2)
        assert status == 400 and json.loads(got)["error"]["param"] == "n", got


@tests
def models():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, _, got = request(w.port, "GET", "/v1/models?limit=1000", headers=[("anthropic-version", "2023-06-01")])
        page = json.loads(got)
        assert status == 200 and {"type", "id", "display_name", "created_at"} == set(page["data"][0]), got
        status, _, got = request(w.port, "GET", "/v1/models")
        assert json.loads(got)["object"] == "list", got


tests.run()
