# SPDX-License-Identifier: Apache-2.0
"""dialects.py -- a client of each API reaches a provider that speaks another: whole and streamed, records, what cannot be said."""
import json
import socket

from _weir import Tests, Weir, read_message

tests = Tests()
CONFIG = 'providers = ( { name = "mock"; models = [ "mock/*=*" ]; %s } );\n'
ANTHROPIC = {"model": "mock/echo", "max_tokens": 50, "messages": [{"role": "user", "content": "hello dialects"}]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hello dialects"}]}]}
RESPONSES = {"model": "mock/echo", "input": "hello dialects"}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "hello dialects"}]}]}


def send(port, path, body, *lines):
    """(status, headers, body) of one POST."""
    data = json.dumps(body).encode()
    head = ["POST %s HTTP/1.1" % path, "Host: 127.0.0.1", "Content-Type: application/json", "Content-Length: %d" % len(data)]
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall("\r\n".join(head + list(lines)).encode() + b"\r\n\r\n" + data)
        first, headers, text, _ = read_message(s, 20)
        return int(first.split()[1]), {k.decode().lower(): v.decode() for k, v in headers}, text


def sse(text):
    return [json.loads(line[6:]) for line in text.decode().split("\n") if line.startswith("data: ")]


@tests
def a_whole_answer_in_each_api():
    rows = [
        ("/v1/messages", ANTHROPIC, lambda a: (a["content"], a["stop_reason"]),
         ([{"type": "text", "text": "hello dialects"}], "end_turn")),
        ("/v1beta/models/mock%2Fecho:generateContent", GEMINI,
         lambda a: (a["candidates"][0]["content"], a["candidates"][0]["finishReason"]),
         ({"role": "model", "parts": [{"text": "hello dialects"}]}, "STOP")),
        ("/v1/responses", RESPONSES, lambda a: (a["status"], a["output"][0]["content"][0]["text"]), ("completed", "hello dialects")),
        ("/model/mock%2Fecho/converse", CONVERSE, lambda a: (a["output"]["message"]["content"], a["stopReason"]),
         ([{"text": "hello dialects"}], "end_turn")),
    ]
    with Weir(CONFIG % "") as w:
        for path, body, pick, want in rows:
            status, headers, text = send(w.port, path, body)
            assert status == 200, (path, status, text)
            assert headers["content-type"] == "application/json", (path, headers)
            assert pick(json.loads(text)) == want, (path, text)
        w.wait_records(len(rows))
        closes = w.records("close")
        assert [c["dialect"] for c in closes] == ["anthropic", "gemini", "responses", "bedrock"], closes
        assert all(c["spoken"] == "openai" and c["outcome"] == "ok" and c["output"] > 0 for c in closes), closes


@tests
def a_stream_ends_in_exactly_one_terminal():
    with Weir(CONFIG % "") as w:
        _, headers, text = send(w.port, "/v1/messages", dict(ANTHROPIC, stream=True))
        assert headers["content-type"].startswith("text/event-stream")
        kinds = [e["type"] for e in sse(text)]
        assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"], kinds
        assert kinds.count("message_stop") == 1 and kinds.count("content_block_start") == kinds.count("content_block_stop") == 1
        assert "".join(e["delta"]["text"] for e in sse(text) if e["type"] == "content_block_delta") == "hello dialects"
        events = sse(send(w.port, "/v1/responses", dict(RESPONSES, stream=True))[2])
        assert [e["sequence_number"] for e in events] == list(range(len(events)))
        assert events[-1]["type"] == "response.completed"
        assert sum(e["type"] in ("response.completed", "response.failed", "response.incomplete") for e in events) == 1
        assert events[-1]["response"]["output"][0]["content"][0]["text"] == "hello dialects"
        parts = sse(send(w.port, "/v1beta/models/mock%2Fecho:streamGenerateContent?alt=sse", GEMINI)[2])
        assert "".join(p["text"] for e in parts for p in e["candidates"][0]["content"]["parts"]) == "hello dialects"
        assert [e["candidates"][0].get("finishReason") for e in parts].count("STOP") == 1
        _, headers, text = send(w.port, "/model/mock%2Fecho/converse-stream", CONVERSE)
        assert headers["content-type"] == "application/vnd.amazon.eventstream"
        assert text.count(b"messageStop") == 1 and text.count(b"metadata") == 1


@tests
def what_cannot_be_said_is_refused_or_told():
    body = dict(RESPONSES, previous_response_id="resp_1")
    with Weir(CONFIG % "") as w:
        status, _, text = send(w.port, "/v1/responses", body)
        assert status == 400 and "previous_response_id" in json.loads(text)["error"]["message"], text
        status, _, text = send(w.port, "/v1/messages", dict(ANTHROPIC, surprise={"a": 1}))
        assert status == 400 and json.loads(text)["error"]["type"] == "invalid_request_error" and b"surprise" in text, text
    with Weir(CONFIG % 'unsupported = "drop";') as w:
        status, headers, text = send(w.port, "/v1/messages", dict(ANTHROPIC, surprise={"a": 1}))
        assert status == 200 and headers["x-weir-dropped"] == "surprise", (status, headers, text)
        w.wait_records(1)
        assert w.records("close")[0]["dropped"] == "surprise"


@tests
def errors_come_in_the_words_of_the_client():
    with Weir(CONFIG % "") as w:
        status, _, text = send(w.port, "/v1/messages", dict(ANTHROPIC, model="mock/nothing-of-this-name"))
        assert status == 404 and json.loads(text)["error"]["type"] == "not_found_error", text
        status, _, text = send(w.port, "/v1beta/models/mock%2Fno-such:generateContent", GEMINI)
        assert status == 404 and json.loads(text)["error"]["status"] == "NOT_FOUND", text


tests.run()
