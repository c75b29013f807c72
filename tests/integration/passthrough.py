# SPDX-License-Identifier: Apache-2.0
"""passthrough.py -- everything that is not JSON chat, through real sockets: forms, files, batches, binary answers, and what is
refused with 501."""
import json
import socket

from _weir import Tests, Weir, read_message, request

tests = Tests()
MOCK = 'providers = ( { name = "mock"; models = [ "mock/*" ]; } );\n'


# ---- what is not served ----

# method, path, a word of the sentence, the dialect
UNSERVED = [
    ("GET", "/v1/realtime", "chat/completions", "openai"),
    ("POST", "/v1/realtime/sessions", "chat/completions", "openai"),
    ("POST", "/v1/realtime/client_secrets", "chat/completions", "openai"),
    ("GET", "/v1/responses/resp_1", "whole history", "responses"),
    ("DELETE", "/v1/responses/resp_1", "whole history", "responses"),
    ("POST", "/v1/responses/resp_1/cancel", "whole history", "responses"),
    ("GET", "/v1/responses/resp_1/input_items", "whole history", "responses"),
    ("POST", "/v1/responses/input_tokens", "usage", "responses"),
    ("POST", "/v1/responses/compact", "compacted", "responses"),
    ("POST", "/v1/conversations", "whole history", "openai"),
    ("GET", "/v1/conversations/conv_1/items", "whole history", "openai"),
    ("POST", "/v1/assistants", "instructions", "openai"),
    ("POST", "/v1/assistants/asst_1", "instructions", "openai"),
    ("POST", "/v1/threads", "whole history", "openai"),
    ("POST", "/api/v1/threads/t/runs", "whole history", "openai"),
    ("GET", "/v1/vector_stores", "embeddings", "openai"),
    ("POST", "/v1/vector_stores/vs/search", "embeddings", "openai"),
    ("POST", "/v1/fine_tuning/jobs", "models", "openai"),
    ("GET", "/v1/fine_tuning/jobs/j/events", "models", "openai"),
]


@tests
def what_is_not_served_names_the_alternative():
    with Weir(MOCK) as w:
        for method, path, word, dialect in UNSERVED:
            status, headers, body = request(w.port, method, path, {} if method == "POST" else None)
            error = json.loads(body)["error"]
            assert status == 501 and error["code"] == "not_implemented", (path, status, body)
            assert word in error["message"] and error["type"] == "server_error", (path, error)
        denies = w.wait_records(len(UNSERVED), "deny")
        assert [(d["status"], d["code"], d["task"], d["dialect"]) for d in denies] == \
            [(501, "not_implemented", "unserved", d) for _, _, _, d in UNSERVED], denies


@tests
def a_websocket_is_refused_in_the_clients_dialect():
    ask = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    with Weir(MOCK) as w:
        for path in ("/v1/realtime?model=gpt-realtime", "/v1/responses", "/v1/chat/completions", "/v1/models"):
            status, _, body = raw(w.port, "GET", path, ask)
            error = json.loads(body)["error"]
            assert status == 501 and error["code"] == "websocket_not_served" and "server-sent" in error["message"], (path, body)
        status, _, body = raw(w.port, "GET", "/v1/messages", ask)
        assert status == 501 and json.loads(body)["type"] == "error", body       # Anthropic's shape
        status, _, body = raw(w.port, "GET", "/v1beta/models", ask)
        assert status == 501 and json.loads(body)["error"]["status"] == "UNIMPLEMENTED", body
        assert len(w.wait_records(6, "deny")) == 6


def raw(port, method, path, headers=(), body=b"", timeout=20):
    """As request(), but the head is the caller's alone."""
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: localhost"] + ["%s: %s" % h for h in headers]
        s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        first, got, answer, _ = read_message(s, timeout, method == "HEAD")
        return int(first.split()[1]), {k.decode().lower(): v.decode() for k, v in got}, answer


@tests
def refusals_under_every_dialects_paths_leave_a_record():
    with Weir(MOCK + "max_body = 65536;\n") as w:
        rows = [("GET", "/v1beta/nope", None, 404), ("GET", "/model/", None, 404), ("PUT", "/model/m/converse", None, 405),
                ("DELETE", "/v1beta/models/m", None, 405), ("GET", "/v1beta", None, 404)]
        for method, path, body, status in rows:
            assert request(w.port, method, path, body)[0] == status, path
        for path in ("/v1beta/models/m:generateContent", "/model/m/converse", "/v1/messages"):
            status, _, body = raw(w.port, "POST", path, [("Content-Type", "application/json"), ("Content-Length", "70000")])
            assert status == 413, (path, status)
            rows.append(("POST", path, None, 413))
        assert json.loads(body)["error"]["type"] == "request_too_large", body      # in the dialect's words
        assert request(w.port, "GET", "/v1betas/nope")[0] == 404                   # not of the API
        assert request(w.port, "GET", "/favicon.ico")[0] == 404
        denies = w.wait_records(len(rows), "deny")
        assert [(d["path"], d["status"]) for d in denies] == [(r[1], r[3]) for r in rows], denies


tests.run()
