# SPDX-License-Identifier: Apache-2.0
"""cohere.py -- Cohere's API through real sockets: a chat client before a scripted Cohere, a Cohere client before the mock, rerank
from both sides, what guardrails see, and errors in each client's own words.
"""
import json

from _weir import Tests, Upstream, Weir, answer, request

tests = Tests()
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def record(**members):
    return ("event: %s\ndata: %s\n\n" % (members["type"], json.dumps(members))).encode()


def message(**members):
    return {"message": members}


USAGE = {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 9, "output_tokens": 4}, "cached_tokens": 3}
RECORDS = [
    record(id="i", type="message-start", delta=message(role="assistant", content=[], tool_plan="", tool_calls=[], citations=[])),
    record(type="tool-plan-delta", delta=message(tool_plan="I look.")),
    record(type="tool-call-start", index=0,
           delta=message(tool_calls={"id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}})),
    record(type="tool-call-delta", index=0, delta=message(tool_calls={"function": {"arguments": '{"a":'}})),
    record(type="tool-call-delta", index=0, delta=message(tool_calls={"function": {"arguments": "1}"}})),
    record(type="tool-call-end", index=0),
    record(type="message-end", delta={"finish_reason": "TOOL_CALL", "usage": USAGE}),
]
TEXT = [RECORDS[0], record(type="content-start", index=0, delta=message(content={"type": "text", "text": ""})),
        record(type="content-delta", index=0, delta=message(content={"text": "my sec"})),
        record(type="content-delta", index=0, delta=message(content={"text": "ret word"})),
        record(type="content-end", index=0),
        record(type="message-end", delta={"finish_reason": "COMPLETE", "usage": USAGE})]


def bytewise(data):
    steps = [STREAM]
    for i in range(0, len(data), 11):
        steps += [data[i:i + 11], 0.001]
    return steps + ["close"]


PLANS = {
    "call": bytewise(b"".join(RECORDS)),
    "text": [STREAM, b"".join(TEXT), "close"],
    "torn": [STREAM, b"".join(TEXT[:3]), "close"],
    "broken": [STREAM, TEXT[0] + record(type="message-end", delta={"finish_reason": "ERROR", "error": "it broke"}), "close"],
    "busy": [answer({"id": "x", "message": "slow down"}, "429 Too Many Requests", [("retry-after", "3")])],
    "body": [answer({"id": "i", "message": {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
                     "finish_reason": "COMPLETE", "usage": USAGE})],
}
RERANK = {"id": "r", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}],
          "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}}
EMBED = {"id": "e", "embeddings": {"float": [[0.5, 1], [2, 3]]}, "texts": ["a", "b"], "meta": {"billed_units": {"input_tokens": 2}}}


def script(n, m):
    path, body = m[0].decode().split(" ")[1], json.loads(m[2])
    if path.endswith("/v2/rerank"):
        return [answer(RERANK)]
    if path.endswith("/v2/embed"):
        return [answer(EMBED)]
    if path.endswith("/rerank"):
        return [answer({"id": "j", "model": "jina", "results": RERANK["results"], "usage": {"total_tokens": 7}})]
    return PLANS[body["messages"][-1]["content"]]


def config(up, guard=""):
    return '''
providers = ( { name = "co"; plugin = "cohere"; url = "%s"; key = "env:CO_KEY"; models = [ "m=command-a" ]; },
              { name = "jina"; plugin = "openai"; url = "%s/v1"; models = [ "jina=jina-reranker" ]; },
              { name = "mock"; plugin = "mock"; models = [ "mock/*" ]; } );
%s
''' % (up.url, up.url, guard)


ENV = {"CO_KEY": "secret-key"}


def post(w, path, **body):
    status, head, got = request(w.port, "POST", path, body)
    return status, head, got


def user(text):
    return [{"role": "user", "content": text}]


def events(got):
    """[(event, data)] of Cohere's stream, whose grammar must be right."""
    out = []
    for part in got.decode().strip().split("\n\n"):
        name, data = part.split("\n")
        data = json.loads(data.removeprefix("data: "))
        assert name == "event: " + data["type"], part
        out.append(data)
    assert out[0]["type"] == "message-start" and out[-1]["type"] == "message-end", out
    open_now, next_of = None, {"content": 0, "tool-call": 0}
    for data in out[1:-1]:
        kind, _, what = data["type"].rpartition("-")
        if data["type"] == "tool-plan-delta":
            continue
        if what == "start":
            assert open_now is None and data["index"] == next_of[kind], out
            open_now = (kind, data["index"])
            next_of[kind] += 1
        else:
            assert open_now == (kind, data["index"]), out
        if what == "end":
            open_now = None
    assert open_now is None, out
    return out


@tests
def chat_client_before_cohere():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
        status, _, got = post(w, "/v1/chat/completions", model="m", messages=user("call"), tools=tools, stream=True,
                              stream_options={"include_usage": True}, max_tokens=5)
        assert status == 200, got
        sent = json.loads(up.requests[-1][2])
        assert sent == {"model": "command-a", "stream": True, "tools": tools, "max_tokens": 5, "messages": user("call")}, sent
        assert {k.lower(): v for k, v in up.requests[-1][1]}[b"authorization"] == b"Bearer secret-key"
        chunks = [json.loads(p[6:]) for p in got.decode().strip().split("\n\n") if p != "data: [DONE]"]
        deltas = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
        assert "".join(d.get("content") or "" for d in deltas) == "I look.", deltas
        calls = [d["tool_calls"][0] for d in deltas if d.get("tool_calls")]
        assert "".join(c["function"].get("arguments", "") for c in calls) == '{"a":1}' and calls[0]["id"] == "c0", calls
        assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1] == "tool_calls"
        assert chunks[-1]["usage"]["prompt_tokens"] == 9 and chunks[-1]["usage"]["completion_tokens"] == 4, chunks[-1]
        status, _, got = post(w, "/v1/chat/completions", model="m", messages=user("body"))
        assert json.loads(got)["choices"][0]["message"]["content"] == "Hello", got
        status, _, got = post(w, "/v1/embeddings", model="m", input=["a", "b"], encoding_format="base64")
        assert [d["embedding"] for d in json.loads(got)["data"]] == ["AAAAPwAAgD8=", "AAAAQAAAQEA="], got
        assert json.loads(up.requests[-1][2])["input_type"] == "search_document"
        rows = w.wait_records(3)
        assert (rows[0]["input"], rows[0]["cache_read"], rows[0]["output"]) == (6, 3, 4), rows[0]


@tests
def same_dialect_and_guardrails():
    up = Upstream(script)
    guard = 'guardrails = ( { name = "words"; plugin = "deny"; words = [ "secret" ]; action = "mask"; } );'
    with Weir(config(up), ENV) as w:
        _, _, got = post(w, "/v2/chat", model="m", messages=user("text"), stream=True)
        assert got == b"".join(TEXT), "not byte for byte"
    with Weir(config(up, guard), ENV) as w:
        _, _, got = post(w, "/v2/chat", model="m", messages=user("text"), stream=True)
        said = events(got)
        assert "".join(d["delta"]["message"]["content"]["text"] for d in said if d["type"] == "content-delta") == "my [removed] word"
        _, _, got = post(w, "/v2/rerank", model="m", query="a secret", documents=["x", "my secret"])
        assert json.loads(got) == RERANK, got
        sent = json.loads(up.requests[-1][2])
        assert (sent["query"], sent["documents"]) == ("a [removed]", ["x", "my [removed]"]), sent


@tests
def cohere_client_before_the_mock():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        _, _, got = post(w, "/v2/chat", model="mock/reasoning", messages=user("two words"), stream=True)
        said = events(got)
        assert "".join(d["delta"]["message"]["content"].get("text", "") for d in said if d["type"] == "content-delta") == "two words"
        assert said[-1]["delta"]["finish_reason"] == "COMPLETE" and said[-1]["delta"]["usage"]["tokens"]["input_tokens"] == 3, said[-1]
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
        _, _, got = post(w, "/v2/chat", model="mock/tools?calls=2", messages=user("{}"), tools=tools, stream=True)
        assert events(got)[-1]["delta"]["finish_reason"] == "TOOL_CALL", got
        _, _, got = post(w, "/v2/chat", model="mock/tools", messages=user("x"), tools=tools)
        call = json.loads(got)["message"]["tool_calls"][0]
        assert call["function"] == {"name": "f", "arguments": '{"text": "x"}'} or json.loads(call["function"]["arguments"]) == {"text": "x"}
        _, _, got = post(w, "/v2/embed", model="mock/embed", texts=["a"], input_type="search_query", embedding_types=["float"])
        assert len(json.loads(got)["embeddings"]["float"][0]) == 16, got


@tests
def rerank_from_both_sides():
    up = Upstream(script)
    documents = ["nothing here", "the capital of France", {"text": "France"}]
    with Weir(config(up), ENV) as w:
        _, _, got = post(w, "/v2/rerank", model="mock/rerank", query="capital France", documents=documents)
        assert json.loads(got)["results"] == [{"index": 1, "relevance_score": 1}, {"index": 2, "relevance_score": 0.5},
                                              {"index": 0, "relevance_score": 0}], got
        _, _, got = post(w, "/v1/rerank", model="mock/rerank", query="capital France", documents=documents, top_n=1)
        assert [r["index"] for r in json.loads(got)["results"]] == [1], got
        _, _, got = post(w, "/v1/rerank", model="m", query="q", documents=["a", "b"])
        said = json.loads(got)
        assert said["results"] == [{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}},
                                   {"index": 0, "relevance_score": 0.25, "document": {"text": "a"}}], said
        assert json.loads(up.requests[-1][2]) == {"model": "command-a", "query": "q", "documents": ["a", "b"]}
        _, _, got = post(w, "/v1/rerank", model="m", query="q", documents=["a", "b"], return_documents=False)
        assert "document" not in json.loads(got)["results"][0], got
        _, _, got = post(w, "/v2/rerank", model="jina", query="q", documents=["a", "b"], top_n=2)
        assert json.loads(got)["results"] == RERANK["results"] and json.loads(got)["meta"]["billed_units"] == {"input_tokens": 7}, got
        assert up.requests[-1][0].decode().split(" ")[1] == "/v1/rerank"
        assert json.loads(up.requests[-1][2]) == {"model": "jina-reranker", "query": "q", "documents": ["a", "b"], "top_n": 2}
        rows = w.wait_records(5)
        assert all(r["task"] == "rerank" and r["outcome"] == "ok" for r in rows), rows


@tests
def errors():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, head, got = post(w, "/v1/chat/completions", model="m", messages=user("busy"))
        assert status == 429 and json.loads(got)["error"]["message"] == "slow down" and "retry-after" in head, (status, head, got)
        status, _, got = post(w, "/v2/chat", model="m", messages=user("busy"))
        assert status == 429 and json.loads(got) == {"id": "x", "message": "slow down"}, got
        for plan, text in ("torn", None), ("broken", "it broke"):
            _, _, got = post(w, "/v1/chat/completions", model="m", messages=user(plan), stream=True)
            assert b'"error"' in got and (not text or text.encode() in got), (plan, got)
        _, _, got = post(w, "/v2/chat", model="m", messages=user("torn"), stream=True)
        last = json.loads(got.decode().strip().split("\n\n")[-1].split("data: ")[1])
        assert last["type"] == "message-end" and last["delta"]["finish_reason"] == "ERROR" and last["delta"]["error"], last
        status, _, got = post(w, "/v2/chat", model="none", messages=user("x"))
        assert status == 404 and json.loads(got)["message"], got
        status, _, got = post(w, "/v1/tokenize", model="m", text="x")
        assert status == 501 and "count" in json.loads(got)["message"], (status, got)
        status, _, got = post(w, "/v2/chat", model="mock/echo", messages=user("x"), raw_prompting=True)
        assert status == 400 and "raw_prompting" in json.loads(got)["message"], (status, got)


tests.run()
