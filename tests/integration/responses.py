# SPDX-License-Identifier: Apache-2.0
"""responses.py -- Responses through real sockets: bytes of one dialect go through but for a guardrail's edits, and clients of
Responses, chat completions and Anthropic reach each other's upstreams, as streams and bodies, with calls, errors and refusals.
"""
import json

from _weir import Tests, Upstream, Weir, answer, request

tests = Tests()
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
TERMINALS = ("response.completed", "response.incomplete", "response.failed")


def sse(*records, numbered=True):
    out = b""
    for n, r in enumerate(records):
        r = dict(r, sequence_number=n) if numbered else r
        out += b"event: " + r["type"].encode() + b"\ndata: " + json.dumps(r).encode() + b"\n\n"
    return out


def message(text):
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": []}]}


REASONING = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "gAAA"}
CALL = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "f", "arguments": '{"x":1}'}
USAGE = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5,
         "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 14}


def response(status, output, **more):
    return dict({"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "gpt-5.6", "output": output,
                 "error": None, "incomplete_details": None, "usage": USAGE if status != "in_progress" else None}, **more)


def text_records(pieces, output=0):
    at = {"item_id": "msg_1", "output_index": output, "content_index": 0}
    whole = "".join(pieces)
    return [{"type": "response.output_item.added", "output_index": output, "item": dict(message(""), content=[])},
            dict(at, type="response.content_part.added", part={"type": "output_text", "text": "", "annotations": []})] + \
           [dict(at, type="response.output_text.delta", delta=p, logprobs=[]) for p in pieces] + \
           [dict(at, type="response.output_text.done", text=whole, logprobs=[]),
            dict(at, type="response.content_part.done", part=message(whole)["content"][0]),
            {"type": "response.output_item.done", "output_index": output, "item": message(whole)}]


def stream(*middle, end="completed", output=(), **more):
    begun = response("in_progress", [])
    return [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}, *middle,
            {"type": "response." + end, "response": response(end, list(output), **more)}]


FULL = stream(
    {"type": "response.output_item.added", "output_index": 0, "item": dict(REASONING, summary=[], encrypted_content=None)},
    {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0, "summary_index": 0, "delta": "Hm"},
    {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
    *text_records(["Hel", "lo"], 1),
    {"type": "response.output_item.added", "output_index": 2, "item": dict(CALL, arguments="", status="in_progress")},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 2, "delta": '{"x":'},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 2, "delta": "1}"},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 2, "arguments": '{"x":1}'},
    {"type": "response.output_item.done", "output_index": 2, "item": CALL}, output=[REASONING, message("Hello"), CALL])
MASKED = stream(*text_records(["my sec", "ret", " word"]), output=[message("my secret word")])
CUT = stream(*text_records(["Hel"]), end="incomplete", output=[dict(message("Hel"), status="incomplete")],
             incomplete_details={"reason": "max_output_tokens"})
FAILED = [{"type": "response.created", "response": response("in_progress", [])},
          {"type": "error", "code": "server_error", "message": "Fell over", "param": None},
          {"type": "response.failed", "response": response("failed", [], error={"code": "server_error", "message": "Fell over"})}]


def chunk(delta, reason=None):
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "g",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def chat_sse(*records):
    return b"".join(b"data: " + json.dumps(r).encode() + b"\n\n" for r in records) + b"data: [DONE]\n\n"


def tool(index, **function):
    return {"tool_calls": [dict({"index": index}, **function)]}


CHAT = [chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}),
        chunk(tool(0, id="call_1", type="function", function={"name": "f", "arguments": '{"x"'})),
        chunk(tool(1, id="call_2", type="function", function={"name": "g", "arguments": ""})),
        chunk(tool(0, function={"arguments": ":1}"})), chunk({}, "tool_calls"),
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "g", "choices": [],
         "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}}]


def claude(*events):
    return b"".join(b"event: " + e["type"].encode() + b"\ndata: " + json.dumps(e).encode() + b"\n\n" for e in events)


CLAUDE = [{"type": "message_start", "message": {"id": "msg_9", "type": "message", "role": "assistant", "model": "claude", "content": [],
                                                "usage": {"input_tokens": 9, "output_tokens": 1}}},
          {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
          {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
          {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "U0lH"}},
          {"type": "content_block_stop", "index": 0},
          {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "sql", "input": {}}},
          {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"input":"sel'}},
          {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": 'ect"}'}},
          {"type": "content_block_stop", "index": 1},
          {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 5}},
          {"type": "message_stop"}]


def play(n, message_):
    path, sent = message_[0].decode().split(" ")[1], json.loads(message_[2])
    text = json.dumps(sent)
    if "quota" in text:
        error = {"message": "Slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded", "param": None}
        return [answer({"error": error}, "429 Too Many Requests", [("Retry-After", "7")])]
    if path.endswith("/chat/completions"):
        if "torn" in text:
            return [SSE, chat_sse(*CHAT[:2])[:-14], "close"]
        if sent.get("stream"):
            return [SSE, chat_sse(*CHAT), "close"]
        return [answer({"id": "c1", "object": "chat.completion", "created": 1, "model": "g", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hel"}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}})]
    if path.endswith("/messages"):
        return [SSE, claude(*CLAUDE), "close"]
    for word, records in (("masked", MASKED), ("cut", CUT), ("failed", FAILED), ("torn", FULL[:-1])):
        if word in text:
            return [SSE, sse(*records), "close"]
    if sent.get("stream"):
        return [SSE, sse(*FULL), "close"]
    return [answer(response("completed", [REASONING, message("Hello"), CALL]))]


def config(up, guard="", more=""):
    return '''
providers = ( { name = "openai"; plugin = "responses"; url = "%(url)s/v1"; key = "env:RT_KEY"; models = [ "m=gpt-5.6" ]; },
              { name = "plain"; plugin = "responses"; url = "%(url)s/v1"; stateful = false; models = [ "p" ]; },
              { name = "chat"; plugin = "openai"; url = "%(url)s/v1"; models = [ "o" ]; %(more)s },
              { name = "claude"; plugin = "anthropic"; url = "%(url)s"; models = [ "a" ]; } );
%(guard)s
''' % {"url": up.url, "guard": guard, "more": more}


ENV = {"RT_KEY": "sk-up"}
GUARD = 'guardrails = ( { name = "words"; plugin = "deny"; words = [ "secret" ]; action = "mask"; } );'


def ask(w, model, text, **more):
    return request(w.port, "POST", "/v1/responses", dict({"model": model, "input": text}, **more))


def chat(w, text, **more):
    return request(w.port, "POST", "/v1/chat/completions", dict({"model": "m", "messages": [{"role": "user", "content": text}]}, **more))


def records(got):
    """The records of a stream, checked: names, numbers without a gap, one terminal, at the end."""
    out = []
    for block in got.decode().split("\n\n"):
        if block:
            name, data = block.split("\n")
            out.append(json.loads(data[6:]))
            assert name == "event: " + out[-1]["type"], block
    assert [r["sequence_number"] for r in out] == list(range(len(out))), out
    assert sum(r["type"] == "response.created" for r in out) == 1 and out[0]["type"] == "response.created", out
    assert [r["type"] in TERMINALS for r in out] == [False] * (len(out) - 1) + [True], out
    return out


def done_items(said):
    items = [r["item"] for r in said if r["type"] == "response.output_item.done"]
    assert items == said[-1]["response"]["output"], said
    return items


@tests
def same_dialect_goes_through():
    up = Upstream(play)
    with Weir(config(up), ENV) as w:
        body = {"model": "m", "input": "hi", "stream": True, "previous_response_id": "resp_0", "store": True}
        status, _, got = request(w.port, "POST", "/v1/responses", body)
        assert status == 200 and got == sse(*FULL), got
        first, headers, sent, _ = up.requests[-1]
        assert first.startswith(b"POST /v1/responses "), first
        assert dict((k.lower(), v) for k, v in headers)[b"authorization"] == b"Bearer sk-up", headers
        assert json.loads(sent) == dict(body, model="gpt-5.6"), sent
        status, _, got = ask(w, "m", "hi")
        assert status == 200 and json.loads(got) == response("completed", [REASONING, message("Hello"), CALL]), got
        status, _, got = ask(w, "m", "cut", stream=True)
        assert got == sse(*CUT), got
        rows = w.wait_records(3)
        assert [r["outcome"] for r in rows] == ["ok"] * 3, rows
        assert (rows[0]["input"], rows[0]["cache_read"], rows[0]["output"], rows[0]["reasoning"]) == (5, 4, 2, 3), rows[0]


@tests
def edits_reach_every_copy():
    up = Upstream(play)
    with Weir(config(up, GUARD), ENV) as w:
        status, _, got = ask(w, "m", "secret masked", stream=True)
        assert json.loads(up.requests[-1][2])["input"] == "[removed] masked", up.requests[-1][2]
        assert status == 200 and b"secret" not in got and b"sec" not in got, got
        said = records(got)
        assert "".join(r["delta"] for r in said if r["type"].endswith(".delta")) == "my [removed] word", said
        assert done_items(said) == [message("my [removed] word")], said


@tests
def kept_state_is_refused_where_there_is_none():
    up = Upstream(play)
    fields = [{"previous_response_id": "resp_1"}, {"conversation": "conv_1"}, {"background": True}, {"prompt": {"id": "p"}}]
    with Weir(config(up), ENV) as w:
        for model in ("p", "o", "a"):
            for field in fields:
                name = next(iter(field))
                status, _, got = ask(w, model, "hi", **field)
                error = json.loads(got)["error"]
                assert status == 400 and error["param"] == name and error["code"] == "unsupported_parameter", (model, got)
            status, _, got = ask(w, model, [{"role": "user", "content": "a"}, {"type": "item_reference", "id": "msg_1"}])
            assert status == 400 and json.loads(got)["error"]["param"] == "input[1]", (model, got)
        assert not up.requests, up.requests
        for field in fields:
            assert ask(w, "m", "hi", **field)[0] == 200, field


@tests
def responses_reaches_chat():
    up = Upstream(play)
    with Weir(config(up), ENV) as w:
        status, head, got = ask(w, "o", "hi", stream=True, instructions="be", store=True,
                                tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": None}])
        assert status == 200 and head["content-type"].startswith("text/event-stream"), got
        assert head.get("x-weir-dropped") == "store", head
        sent = json.loads(up.requests[-1][2])
        assert [m["role"] for m in sent["messages"]] == ["system", "user"], sent
        assert sent["tools"][0]["function"]["name"] == "f", sent
        said = records(got)
        items = done_items(said)
        assert [i["type"] for i in items] == ["message", "function_call", "function_call"], items
        assert items[0]["content"][0]["text"] == "Hello", items
        assert [(i["call_id"], i["name"], i["arguments"]) for i in items[1:]] == [("call_1", "f", '{"x":1}'), ("call_2", "g", "{}")]
        last = said[-1]["response"]
        assert (last["status"], last["store"], last["instructions"]) == ("completed", False, "be"), last
        assert last["usage"]["total_tokens"] == 14 and last["usage"]["input_tokens"] == 9, last
        history = [{"role": "user", "content": "hi"}] + items + [
            {"type": "function_call_output", "call_id": c, "output": "sun"} for c in ("call_1", "call_2")]
        status, _, got = ask(w, "o", history)
        sent = json.loads(up.requests[-1][2])["messages"]
        assert [m["role"] for m in sent] == ["user", "assistant", "tool", "tool"], sent
        assert [c["id"] for c in sent[1]["tool_calls"]] == ["call_1", "call_2"], sent
        body = json.loads(got)
        assert status == 200 and body["status"] == "incomplete", got
        assert body["incomplete_details"] == {"reason": "max_output_tokens"} and body["output"][0]["status"] == "incomplete", got


@tests
def responses_reaches_anthropic():
    up = Upstream(play)
    tools = [{"type": "custom", "name": "sql", "description": "runs"}]
    with Weir(config(up), ENV) as w:
        status, _, got = ask(w, "a", "hi", stream=True, tools=tools, max_output_tokens=100)
        assert status == 200, got
        sent = json.loads(up.requests[-1][2])
        assert sent["tools"][0]["input_schema"]["properties"]["input"]["type"] == "string", sent
        items = done_items(records(got))
        assert [i["type"] for i in items] == ["reasoning", "custom_tool_call"], items
        assert items[0]["encrypted_content"] == "weir:anthropic.signature:U0lH", items
        assert (items[1]["call_id"], items[1]["name"], items[1]["input"]) == ("toolu_1", "sql", "select"), items
        history = [{"role": "user", "content": "hi"}] + items + [
            {"type": "custom_tool_call_output", "call_id": "toolu_1", "output": "3 rows"}]
        assert ask(w, "a", history, stream=True, tools=tools, max_output_tokens=100)[0] == 200
        turn = json.loads(up.requests[-1][2])["messages"]
        assert turn[1]["content"][0] == {"type": "thinking", "thinking": "Hm", "signature": "U0lH"}, turn
        assert turn[1]["content"][1]["input"] == {"input": "select"}, turn
        assert ask(w, "m", history, stream=True, tools=tools)[0] == 200
        sent = json.loads(up.requests[-1][2])["input"]
        assert [i.get("type") for i in sent] == [None, "custom_tool_call", "custom_tool_call_output"], sent


@tests
def chat_reaches_responses():
    up = Upstream(play)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    with Weir(config(up), ENV) as w:
        status, head, got = chat(w, "hi", stream=True, seed=1, reasoning_effort="high", tools=tools,
                                 stream_options={"include_usage": True})
        assert status == 200 and head.get("x-weir-dropped") == "seed", (head, got)
        sent = json.loads(up.requests[-1][2])
        assert up.requests[-1][0].startswith(b"POST /v1/responses "), up.requests[-1][0]
        assert sent == {"model": "gpt-5.6", "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
                        "reasoning": {"effort": "high"}, "store": False, "include": ["reasoning.encrypted_content"], "stream": True,
                        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]}, sent
        said = [json.loads(l[6:]) for l in got.decode().split("\n") if l.startswith("data: {")]
        deltas = [c for r in said for c in r["choices"]]
        assert "".join(c["delta"].get("content") or "" for c in deltas) == "Hello", said
        assert "".join(c["delta"].get("reasoning_content") or "" for c in deltas) == "Hm", said
        calls = [t for c in deltas for t in c["delta"].get("tool_calls", [])]
        assert calls[0]["id"] == "call_1" and "".join(t["function"].get("arguments", "") for t in calls) == '{"x":1}', calls
        assert [c["finish_reason"] for c in deltas if c["finish_reason"]] == ["tool_calls"], deltas
        assert said[-1]["usage"]["total_tokens"] == 14 and got.rstrip().endswith(b"data: [DONE]"), got
        status, _, got = chat(w, "hi")
        turn = json.loads(got)["choices"][0]["message"]
        history = [{"role": "user", "content": "hi"}, turn, {"role": "tool", "tool_call_id": "call_1", "content": "sun"}]
        assert request(w.port, "POST", "/v1/chat/completions", {"model": "m", "messages": history})[0] == 200
        sent = json.loads(up.requests[-1][2])["input"]
        assert [i["type"] for i in sent] == ["message", "reasoning", "message", "function_call", "function_call_output"], sent
        assert sent[1] == {"type": "reasoning", "summary": REASONING["summary"], "encrypted_content": "gAAA"}, sent
        assert not any("id" in i for i in sent), sent
        status, _, got = chat(w, "cut", stream=True)
        assert b'"finish_reason":"length"' in got, got


@tests
def errors():
    up = Upstream(play)
    with Weir(config(up), ENV) as w:
        for model in ("m", "o"):
            status, head, got = ask(w, model, "quota")
            error = json.loads(got)["error"]
            assert status == 429 and head.get("retry-after") == "7" and "Slow down" in error["message"], (model, head, got)
        status, head, got = chat(w, "quota")
        assert status == 429 and head.get("retry-after") == "7" and b"Slow down" in got, (head, got)
        status, _, got = ask(w, "m", "failed", stream=True)
        assert got == sse(*FAILED), got
        status, _, got = chat(w, "failed", stream=True)
        assert b"Fell over" in got and b"finish_reason\":\"" not in got, got
        for model in ("m", "o"):
            said = records(ask(w, model, "torn", stream=True)[2])
            assert [r["type"] for r in said[-2:]] == ["error", "response.failed"], said
            assert said[-1]["response"]["status"] == "failed" and said[-1]["response"]["error"]["message"], said
        status, _, got = ask(w, "none", "hi")
        assert status == 404 and json.loads(got)["error"]["code"] == "model_not_found", got
        status, _, got = ask(w, "m", 5)
        assert status == 400 and json.loads(got)["error"]["param"] == "input", got


@tests
def what_cannot_be_said():
    up = Upstream(play)
    body = dict(truncation="auto", top_logprobs=3, surprise=1)
    with Weir(config(up), ENV) as w:
        status, _, got = ask(w, "o", "hi", **body)
        assert status == 400 and json.loads(got)["error"]["param"] == "truncation", got
        status, _, got = ask(w, "o", "hi", tools=[{"type": "web_search"}])
        assert status == 400 and "tools[0]" in json.loads(got)["error"]["message"], got
        status, _, got = chat(w, "hi", stop=["END"])
        assert status == 400 and json.loads(got)["error"]["param"] == "stop", got
    with Weir(config(up, more='unsupported = "drop";'), ENV) as w:
        status, head, got = ask(w, "o", "hi", stream=True, **body)
        assert status == 200 and sorted(head["x-weir-dropped"].replace(" ", "").split(",")) == sorted(body), head


tests.run()
