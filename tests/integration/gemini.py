# SPDX-License-Identifier: Apache-2.0
"""gemini.py -- Gemini through real sockets: bytes of one dialect go through untouched but for a guardrail's edits, and
clients of chat completions and of Gemini reach each other's upstreams, as streams, arrays and bodies, with calls and errors.
"""
import json

from _weir import Tests, Upstream, Weir, answer, request

tests = Tests()
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def record(parts, reason=None):
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 14}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3-flash", "responseId": "R1"}


def sse(*records, end=b"\r\n\r\n"):
    return b"".join(b"data: " + json.dumps(r).encode() + end for r in records)


CALL = {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "AAEC"}
GEMINI = [record([{"text": "Hel"}]), record([{"text": "lo"}, CALL]), record([{"text": ""}], "STOP")]
MASKED = [record([{"text": "my sec"}]), record([{"text": "ret word"}], "STOP")]


def chunk(delta, reason=None):
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "g",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


CHAT = [chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}),
        chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}), chunk({}, "tool_calls"),
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "g", "choices": [],
         "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}}]


def script(n, message):
    path, sent = message[0].decode().split(" ")[1], message[2].decode()
    if "quota" in sent:
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}]
        error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": details}
        return [answer({"error": error}, "429 Too Many Requests")]
    if "torn" in sent:
        return [SSE, sse(GEMINI[0]), "close"]
    if path.endswith("/chat/completions"):
        return [SSE, sse(*CHAT, end=b"\n\n") + b"data: [DONE]\n\n", "close"]
    if path.endswith(":streamGenerateContent?alt=sse"):
        return [SSE, sse(*(MASKED if "masked" in sent else GEMINI)), "close"]
    if path.endswith(":batchEmbedContents"):
        return [answer({"embeddings": [{"values": [0.5, 1]}, {"values": [2, 3]}]})]
    return [answer(record([{"text": "Hello"}, CALL], "STOP"))]


def config(up, guard=""):
    return '''
providers = ( { name = "google"; plugin = "gemini"; url = "%s/v1beta"; key = "env:GT_KEY"; models = [ "m=gemini-3-flash" ]; },
              { name = "other"; plugin = "openai"; url = "%s/v1"; models = [ "o" ]; } );
%s
''' % (up.url, up.url, guard)


ENV = {"GT_KEY": "AIza"}


def contents(text):
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def gemini(w, model, method, text):
    return request(w.port, "POST", "/v1beta/models/%s:%s" % (model, method), contents(text))


def chat(w, text, **more):
    return request(w.port, "POST", "/v1/chat/completions", dict(model="m", messages=[{"role": "user", "content": text}], **more))


def records(got):
    return [json.loads(line[6:]) for line in got.decode().split("\r\n") if line.startswith("data: ")]


def parts(said):
    return [p for r in said for p in r["candidates"][0]["content"]["parts"]]


@tests
def same_dialect_goes_through():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = gemini(w, "m", "streamGenerateContent?alt=sse", "hi")
        assert status == 200 and got == sse(*GEMINI), got
        m = up.requests[-1]
        assert m[0].decode().split(" ")[1] == "/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse", m[0]
        assert dict((k.decode().lower(), v.decode()) for k, v in m[1])["x-goog-api-key"] == "AIza"
        assert json.loads(m[2]) == contents("hi")
        status, _, got = gemini(w, "m", "generateContent", "hi")
        assert status == 200 and json.loads(got) == record([{"text": "Hello"}, CALL], "STOP"), got
        for row in w.wait_records(2):
            assert (row["outcome"], row["input"], row["output"], row["reasoning"]) == ("ok", 9, 2, 3), row


@tests
def edits():
    up = Upstream(script)
    guard = 'guardrails = ( { name = "words"; plugin = "deny"; words = [ "secret" ]; action = "mask"; } );'
    with Weir(config(up, guard), ENV) as w:
        status, _, got = gemini(w, "m", "streamGenerateContent?alt=sse", "secret masked")
        assert json.loads(up.requests[-1][2]) == contents("[removed] masked"), up.requests[-1][2]
        said = records(got)
        assert "".join(p["text"] for p in parts(said)) == "my [removed] word", said


@tests
def chat_reaches_gemini():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = chat(w, "hi", stream=True, seed=1, logit_bias={"1": 2}, stream_options={"include_usage": True})
        assert status == 200, got
        assert head.get("x-weir-dropped") == "logit_bias", head
        sent = json.loads(up.requests[-1][2])
        assert sent == dict(contents("hi"), generationConfig={"seed": 1}), sent
        said = [json.loads(l[6:]) for l in got.decode().split("\n") if l.startswith("data: {")]
        deltas = [c for r in said for c in r["choices"]]
        assert "".join(c["delta"].get("content") or "" for c in deltas) == "Hello", said
        calls = [t for c in deltas for t in c["delta"].get("tool_calls", [])]
        assert json.loads("".join(t["function"].get("arguments", "") for t in calls)) == {"x": 1}, calls
        assert [c["finish_reason"] for c in deltas if c["finish_reason"]] == ["tool_calls"], deltas
        assert got.rstrip().endswith(b"data: [DONE]"), got
        status, _, got = chat(w, "hi")
        said = json.loads(got)
        message = said["choices"][0]["message"]
        assert (status, said["id"], message["content"]) == (200, "R1", "Hello"), got
        assert any(d.get("data") == "AAEC" for d in message["reasoning_details"]), got
        history = [{"role": "user", "content": "hi"}, message,
                   {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sun"}]
        status, _, got = request(w.port, "POST", "/v1/chat/completions", {"model": "m", "messages": history})
        sent = json.loads(up.requests[-1][2])["contents"]
        assert sent[1]["parts"] == [{"text": "Hello"}, CALL], sent
        status, _, got = request(w.port, "POST", "/v1/embeddings", {"model": "m", "input": ["a", "b"]})
        assert [d["embedding"] for d in json.loads(got)["data"]] == [[0.5, 1], [2, 3]], got


@tests
def gemini_reaches_chat():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = gemini(w, "o", "streamGenerateContent?alt=sse", "hi")
        assert status == 200, got
        said = records(got)
        status, head, got = gemini(w, "o", "streamGenerateContent", "hi")
        assert head["content-type"].startswith("application/json"), head
        assert [parts([r]) for r in json.loads(got)] == [parts([r]) for r in said], got
        assert "".join(p.get("text", "") for p in parts(said)) == "Hello", said
        calls = [p["functionCall"] for p in parts(said) if "functionCall" in p]
        assert calls == [{"id": "call_1", "name": "f", "args": {"x": 1}}], calls
        assert said[-1]["candidates"][0]["finishReason"] == "STOP", said
        assert said[-1]["usageMetadata"]["totalTokenCount"] == 14, said


@tests
def errors():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = gemini(w, "m", "generateContent", "quota")
        assert status == 429 and json.loads(got)["error"]["message"] == "slow down", got
        status, head, got = chat(w, "quota")
        assert status == 429 and head.get("retry-after") == "35", (status, head, got)
        assert "slow down" in json.loads(got)["error"]["message"], got
        status, _, got = gemini(w, "none", "generateContent", "hi")
        assert status == 404 and json.loads(got)["error"]["status"] == "NOT_FOUND", got
        _, _, got = gemini(w, "m", "streamGenerateContent?alt=sse", "torn")
        assert "error" in records(got)[-1], got
        status, _, got = request(w.port, "POST", "/v1beta/models/m:generateContent", {"contents": 1})
        error = json.loads(got)["error"]
        assert status == 400 and error["status"] == "INVALID_ARGUMENT" and "contents" in error["message"], got
        status, _, got = request(w.port, "POST", "/v1beta/models/o:generateContent", dict(contents("hi"), cachedContent="c"))
        assert status == 400 and "cachedContent" in json.loads(got)["error"]["message"], got


@tests
def lists():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, _, got = request(w.port, "GET", "/v1beta/models")
        names = [m["name"] for m in json.loads(got)["models"]]
        assert status == 200 and "models/m" in names and "models/o" in names, got
        status, _, got = request(w.port, "GET", "/v1beta/models/m")
        assert status == 200 and json.loads(got)["name"] == "models/m", got


tests.run()
