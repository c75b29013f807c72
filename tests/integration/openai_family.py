# SPDX-License-Identifier: Apache-2.0
"""openai_family.py -- servers that speak like OpenAI and are not, through real sockets and by the rows of share/presets.conf:
Mistral, Azure, and what others do otherwise; the bugs of other gateways by their numbers; a vendor that is one row.
"""
import base64
import json
import os
import re
import socket
import struct
import tempfile
import time

from _weir import ROOT, Tests, Upstream, Weir, answer, request

tests = Tests()
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"
ENV = {"MISTRAL_API_KEY": "mistral-key-1", "AZURE_OPENAI_API_KEY": "azure-key-1"}
CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "hi"}


def sse(*records):
    return b"".join(b"data: " + json.dumps(r).encode() + b"\n\n" for r in records)


def chunk(delta, reason=None, **more):
    return dict({"id": "u1", "object": "chat.completion.chunk", "created": 1, "model": "up",
                 "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}, **more)


def whole(message, reason="stop"):
    return {"id": "u1", "object": "chat.completion", "created": 1, "model": "up",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}}


def plays(*steps):
    return Upstream(lambda n, message: list(steps))


def provider(up, preset, more="", path="/v1"):
    return 'providers = ( { name = "p"; preset = "%s"; url = "%s%s"; models = [ "m", "gpt=dep" ]; %s } );\n' % (
        preset, up.url, path, more)


def sent(up):
    """(path, headers, body) of the newest request."""
    m = up.requests[-1]
    return m[0].decode().split(" ")[1], {k.decode().lower(): v.decode() for k, v in m[1]}, json.loads(m[2])


def events(got):
    return [json.loads(line[6:]) for line in got.decode().split("\n") if line.startswith("data: {")]


def ask(w, path=CHAT, **body):
    return request(w.port, "POST", path, dict({"model": "m", "messages": [USER]}, **body))


def messages(w, **body):
    return request(w.port, "POST", "/v1/messages", dict({"model": "m", "max_tokens": 50, "messages": [USER]}, **body))


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


@tests
def mistral_for_clients_of_openai():
    up = plays(answer(whole({"role": "assistant", "content": [THINKING, {"type": "text", "text": "4"}], "tool_calls": [
        {"id": "gSIMJiOkT", "function": {"name": "f", "arguments": '{"x": 1}'}}]}, "tool_calls")))
    call = {"id": "call_of_another_vendor", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [{"role": "developer", "content": "Be short."}, USER, {"role": "assistant", "content": None, "tool_calls": [call]},
               {"role": "tool", "tool_call_id": "call_of_another_vendor", "content": "sun"}]
    with Weir(provider(up, "mistral"), ENV) as w:
        status, head, got = ask(w, messages=history, max_completion_tokens=9, seed=7, logit_bias={"1": 2}, tools=[TOOL],
                                tool_choice="required", user="u")
        assert status == 200, got
        assert sorted(head["x-weir-dropped"].split(",")) == ["logit_bias", "user"], head
        path, headers, body = sent(up)
        id = body["messages"][2]["tool_calls"][0]["id"]
        assert re.fullmatch("[A-Za-z0-9]{9}", id), id
        assert (path, headers["authorization"]) == (CHAT, "Bearer mistral-key-1")
        assert body == {
            "model": "m", "tools": [TOOL], "max_tokens": 9, "random_seed": 7, "tool_choice": "required",
            "messages": [{"role": "system", "content": "Be short."}, USER,
                         {"role": "assistant", "content": None, "tool_calls": [dict(call, id=id)]},
                         {"role": "tool", "tool_call_id": id, "content": "sun"}]}, body
        message = json.loads(got)["choices"][0]["message"]
        assert (message["content"], message["reasoning_content"]) == ("4", "Let me see."), message
        assert message["tool_calls"] == [{"id": "gSIMJiOkT", "type": "function",
                                          "function": {"name": "f", "arguments": '{"x": 1}'}}], message
        # and the next turn: what it thought goes back as it came, under the id that it gave
        status, _, got = ask(w, messages=[USER, message, {"role": "tool", "tool_call_id": "gSIMJiOkT", "content": "1"}])
        back = sent(up)[2]["messages"]
        assert back[1]["content"] == [THINKING, {"type": "text", "text": "4"}], back
        assert back[1]["tool_calls"][0]["id"] == back[2]["tool_call_id"] == "gSIMJiOkT", back
        row = w.wait_records(2)[0]
        assert (row["outcome"], row["input"], row["output"], row["spoken"]) == ("ok", 7, 5, "openai"), row


@tests
def mistral_streams():
    up = plays(SSE, sse(chunk({"role": "assistant", "content": [THINKING]}), chunk({"content": [{"type": "text", "text": "4"}]}),
                        chunk({"content": ""}, "stop", usage={"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12})),
               DONE, "close")
    with Weir(provider(up, "mistral"), ENV) as w:
        for asked in False, True:
            more = {"stream_options": {"include_usage": True}} if asked else {}
            status, _, got = ask(w, stream=True, **more)
            assert status == 200 and "stream_options" not in sent(up)[2], got
            said = events(got)
            deltas = [c["delta"] for r in said for c in r["choices"]]
            assert all(d.get("content") is None or isinstance(d["content"], str) for d in deltas), deltas
            assert "".join(d.get("content") or "" for d in deltas) == "4", deltas
            assert "".join(d.get("reasoning_content") or "" for d in deltas) == "Let me see.", deltas
            assert [c["finish_reason"] for r in said for c in r["choices"] if c["finish_reason"]] == ["stop"]
            usage = [r["usage"]["total_tokens"] for r in said if r.get("usage")]
            assert usage == ([12] if asked else []), said
            assert got.endswith(DONE) and got.count(b"[DONE]") == 1


@tests
def mistral_for_its_own_clients():
    up = plays(answer(whole({"role": "assistant", "content": "4"})))
    body = {"random_seed": 7, "safe_prompt": True, "prompt_mode": "reasoning", "tool_choice": "any", "tools": [TOOL], "max_tokens": 9,
            "messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": "data:image/png;base64,QQ=="},
                {"type": "document_url", "document_url": "https://h/d.pdf", "document_name": "d"}]},
                {"role": "assistant", "content": "Sure:", "prefix": True}]}
    other = 'providers = ( { name = "c"; plugin = "anthropic"; url = "%s"; key = "env:MISTRAL_API_KEY"; models = [ "m" ]; %s } );'
    with Weir(provider(up, "mistral"), ENV) as w:
        status, head, got = ask(w, **body)
        assert status == 200 and "x-weir-dropped" not in head, (head, got)
        assert sent(up)[2] == dict(body, model="m", tool_choice="required"), sent(up)[2]
        status, _, got = ask(w, top_logprobs=2, logprobs=True)
        assert status == 400 and json.loads(got)["error"]["param"] == "logprobs", got
    plain = {"safe_prompt": True, "messages": [USER, {"role": "assistant", "content": "Sure:", "prefix": True}]}
    with Weir(other % (up.url, ""), ENV) as w:
        before = len(up.requests)
        status, _, got = ask(w, **plain)
        assert status == 400 and json.loads(got)["error"]["param"] == "safe_prompt", got
        assert len(up.requests) == before
    with Weir(other % (up.url, 'unsupported = "drop";'), ENV) as w:
        head = ask(w, **plain)[1]
        assert sorted(head["x-weir-dropped"].split(",")) == ["messages[1].prefix", "safe_prompt"], head
        assert "safe_prompt" not in sent(up)[2] and "prefix" not in json.dumps(sent(up)[2])


@tests
def mistral_errors():
    detail = {"detail": [{"type": "extra_forbidden", "loc": ["body", "foo"], "msg": "Extra inputs are not permitted", "input": 1}]}
    up = plays(answer(detail, "422 Unprocessable Entity"))
    with Weir(provider(up, "mistral"), ENV) as w:
        status, _, got = ask(w)
        assert status == 422 and json.loads(got)["error"]["message"] == "body.foo: Extra inputs are not permitted", got
        status, _, got = messages(w)
        assert status == 422 and json.loads(got)["error"]["message"].endswith("Extra inputs are not permitted"), got


@tests
def bug_32_vectors_as_the_client_wants_them():
    up = plays(answer({"id": "e", "object": "list", "model": "up", "usage": {"prompt_tokens": 3, "total_tokens": 3},
                       "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -2]}]}))
    with Weir(provider(up, "mistral"), ENV) as w:
        body = {"model": "m", "input": "a", "encoding_format": "base64", "dimensions": 2}
        status, _, got = request(w.port, "POST", "/v1/embeddings", body)
        assert status == 200, got
        assert struct.unpack("<2f", base64.b64decode(json.loads(got)["data"][0]["embedding"])) == (0.5, -2)
        assert sent(up)[2] == {"model": "m", "input": ["a"], "output_dimension": 2, "encoding_format": "float"}, sent(up)[2]


FILTERS = {"choices": [], "created": 0, "id": "", "model": "", "object": "",
           "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}


@tests
def bug_04_azure_on_both_surfaces():
    said = SSE + sse(FILTERS, chunk({"content": "a"}), chunk({}, "content_filter")) + DONE
    up = plays(said, "close")
    rows = [("azure", "/openai/v1", "/openai/v1/chat/completions"),
            ("azure-classic", "", "/openai/deployments/dep/chat/completions?api-version=2024-10-21")]
    for preset, base, want in rows:
        with Weir(provider(up, preset, path=base), ENV) as w:
            status, _, got = ask(w, model="gpt", stream=True)
            path, headers, body = sent(up)
            assert (status, path, headers["api-key"], body["model"]) == (200, want, "azure-key-1", "dep"), (path, headers)
            assert "authorization" not in headers
            assert got == said[len(SSE):], got
            status, _, got = messages(w, model="gpt", stream=True)
            kinds = events(got)
            assert "max_completion_tokens" in sent(up)[2], sent(up)[2]
            assert kinds[0]["type"] == "message_start" and kinds[0]["message"]["id"] != "", kinds
            assert [e["delta"]["stop_reason"] for e in kinds if e["type"] == "message_delta"] == ["refusal"], kinds


@tests
def azure_stops_a_prompt():
    error = {"error": {"message": "filtered", "type": None, "param": "prompt", "code": "content_filter", "status": 400,
                       "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}}}
    up = plays(answer(error, "400 Bad Request"))
    with Weir(provider(up, "azure"), ENV) as w:
        status, _, got = ask(w)
        assert status == 400 and json.loads(got) == error, got
        status, _, got = messages(w)
        assert status == 400 and json.loads(got)["error"]["message"] == "filtered", got


VENDOR = 'providers = ( { name = "p"; plugin = "openai"; url = "%s/v1"; models = [ "m" ]; %s } );\n'


def text_of(said):
    return "".join(e["delta"].get("text", "") for e in said if e["type"] == "content_block_delta")


@tests
def bug_07_bug_33_comments_and_an_end_without_a_reason():
    up = plays(SSE, b": OPENROUTER PROCESSING\n\n" + sse(chunk({"role": "assistant", "content": ""})) + b": keep-alive\n\n",
               sse(chunk({"role": "assistant", "content": "a"}), chunk({"content": "b"})) + DONE, "hold")
    with Weir(VENDOR % (up.url, "")) as w:
        started = time.monotonic()
        status, _, got = messages(w, stream=True)
        said = events(got)
        assert status == 200 and text_of(said) == "ab", got
        assert [e["delta"]["stop_reason"] for e in said if e["type"] == "message_delta"] == ["end_turn"], said
        assert said[-1]["type"] == "message_stop" and time.monotonic() - started < 10
        assert w.wait_records(1)[0]["outcome"] == "ok"


@tests
def bug_33_the_end_mark_is_the_end():
    """Without waiting for the end of the message, if that does not come; with it, the connection serves again."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    said = sse(chunk({"content": "a"}), chunk({}, "stop")) + DONE
    first = [head, b"%x\r\n" % len(said) + said + b"\r\n", 0.02, b"0\r\n\r\n"]
    up = Upstream(lambda n, message: first if n < 2 else first[:2] + ["hold"])
    with Weir(VENDOR % (up.url, "")) as w:
        assert ask(w, stream=True)[2] == said and ask(w, stream=True)[2] == said
        assert up.connections == 1, up.connections
        started = time.monotonic()
        assert ask(w, stream=True)[2] == said and time.monotonic() - started < 5
        assert [r["outcome"] for r in w.wait_records(3)] == ["ok"] * 3


@tests
def bug_22_an_error_inside_200():
    up = plays(SSE, sse(chunk({"content": "a"}), dict(chunk({}, "error"), error={"code": 502, "message": "gone"})), DONE, "close")
    with Weir(VENDOR % (up.url, "")) as w:
        said = events(messages(w, stream=True)[2])
        assert said[-1]["type"] == "error" and not any(e["type"] == "message_stop" for e in said), said
        assert w.wait_records(1)[0]["outcome"] != "ok"


@tests
def bug_08_bug_01_calls_as_odd_servers_send_them():
    calls = [{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}},
             {"index": 0, "id": "b", "function": {"name": "g", "arguments": {}}}]
    up = plays(SSE, sse(chunk({"role": "assistant", "tool_calls": [calls[0]]}), chunk({"role": "assistant", "tool_calls": [calls[1]]}),
                        chunk({}, "stop")), DONE, "close")
    with Weir(VENDOR % (up.url, "")) as w:
        said = events(messages(w, stream=True)[2])
        blocks = [e["content_block"] for e in said if e["type"] == "content_block_start"]
        assert [(b["type"], b["name"]) for b in blocks] == [("tool_use", "f"), ("tool_use", "g")], said
        assert [e["index"] for e in said if e["type"] == "content_block_start"] == [0, 1]
        inputs = ["".join(e["delta"]["partial_json"] for e in said if e["type"] == "content_block_delta" and e["index"] == i)
                  for i in (0, 1)]
        assert [json.loads(i or "{}") for i in inputs] == [{"x": 1}, {}], inputs
        assert [e["delta"]["stop_reason"] for e in said if e["type"] == "message_delta"] == ["tool_use"], said


@tests
def bug_13_usage_wherever_it_stands():
    deep = {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36}
    up = plays(SSE, sse(chunk({"content": "a"}), chunk({}, "stop", x_groq={"id": "r", "usage": deep})), DONE, "close")
    with Weir(VENDOR % (up.url, "")) as w:
        said = events(messages(w, stream=True)[2])
        usage = [e["usage"] for e in said if e["type"] == "message_delta"][0]
        assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (36, 64, 9), usage
        row = w.wait_records(1)[0]
        assert (row["input"], row["cache_read"], row["output"]) == (36, 64, 9), row


@tests
def bug_34_reasoning_between_tags():
    pieces = ["<th", "ink>\nhm", " ye", "s</thi", "nk>\n\n", "fo", "ur"]
    up = plays(SSE, sse(*[chunk({"content": p}) for p in pieces], chunk({}, "stop")), DONE, "close")
    with Weir(VENDOR % (up.url, 'think = "tags"; always_translate = true;')) as w:
        deltas = [c["delta"] for r in events(ask(w, stream=True)[2]) for c in r["choices"]]
        assert "".join(d.get("content") or "" for d in deltas) == "four", deltas
        assert "".join(d.get("reasoning_content") or "" for d in deltas) == "hm yes", deltas
        said = events(messages(w, stream=True)[2])
        assert text_of(said) == "four" and "".join(e["delta"].get("thinking", "") for e in said
                                                    if e["type"] == "content_block_delta") == "hm yes", said
    with Weir(VENDOR % (up.url, 'think = "tags";')) as w:
        status, _, got = ask(w, stream=True)
        assert b"<th" in got and got.endswith(DONE), got         # bytes of OpenAI's clients are theirs


@tests
def bug_26_a_client_that_leaves():
    up = plays(SSE, sse(chunk({"content": [{"type": "text", "text": "a"}]})), "hold")
    with Weir(provider(up, "mistral"), ENV) as w:
        body = json.dumps({"model": "m", "stream": True, "messages": [USER]}).encode()
        with socket.create_connection(("127.0.0.1", w.port), 10) as s:
            s.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
                CHAT.encode(), len(body)) + body)
            got = b""
            while b'"a"' not in got:
                got += s.recv(65536)
        deadline = time.monotonic() + 5
        while not up.gone and time.monotonic() < deadline:
            time.sleep(0.01)
        assert up.gone == [0], "the upstream was kept running"
        assert w.wait_records(1)[0]["outcome"] == "client_gone", w.records("close")


@tests
def bug_35_tools_and_effort_go_through_responses():
    response = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "up", "output": [
        {"type": "message", "id": "m1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "four", "annotations": []}]}],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}
    up = plays(answer(response))
    config = 'providers = ( { name = "p"; plugin = "responses"; url = "%s/v1"; key = "env:MISTRAL_API_KEY"; models = [ "m" ]; } );'
    with Weir(config % up.url, ENV) as w:
        status, _, got = ask(w, tools=[TOOL], reasoning_effort="low")
        path, _, body = sent(up)
        assert path == "/v1/responses" and body["reasoning"]["effort"] == "low" and body["tools"][0]["name"] == "f", body
        assert status == 200 and json.loads(got)["choices"][0]["message"]["content"] == "four", got


@tests
def a_vendor_is_one_row():
    up = plays(answer(whole({"role": "assistant", "content": "4", "reasoning": "hm"})))
    page = open(os.path.join(ROOT, "docs/presets.md"), encoding="utf-8").read()       # the row that it shows
    row = re.search(r'\{ name = "acme";  plugin.*?\}', page, re.S).group().replace("https://api.acme.test", up.url)
    with tempfile.TemporaryDirectory(prefix="weir-test-") as folder:
        path = os.path.join(folder, "presets.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write("presets = ( %s );\n" % row)
        with Weir('presets = "%s";\nproviders = ( { name = "acme"; preset = "acme"; } );\n' % path,
                  {"ACME_API_KEY": "acme-key-1"}) as w:
            status, head, got = messages(w, model="acme/m", top_k=4)
            assert status == 200 and [b["type"] for b in json.loads(got)["content"]] == ["thinking", "text"], got
            assert sent(up)[2] == {"model": "m", "messages": [USER], "max_tokens": 50, "top_k": 4}, sent(up)[2]
            history = [USER, {"role": "assistant", "content": json.loads(got)["content"]}, USER]
            messages(w, model="acme/m", messages=history)
            assert sent(up)[2]["messages"][1] == {"role": "assistant", "reasoning": "hm", "content": "4"}, sent(up)[2]
            head = request(w.port, "POST", "/v1beta/models/acme%2Fm:generateContent",
                           {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"seed": 1}})[1]
            assert head["x-weir-dropped"] == "generationConfig.seed", head


tests.run()
