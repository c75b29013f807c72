# SPDX-License-Identifier: Apache-2.0
"""curl_client.py -- curl against weir, the command as people paste it; stage.py runs it."""
import json
import subprocess
import time

from stage_view import FEW, KEY, OPEN_URL, URL, eventually, record, seen, tagged, tests
from upstream import CALLS, TEXT, USAGE, VECTORS


def curl(*args, base=URL, key=KEY, body=None, code=0, also=()):
    """(status, {header: value}, text) of the last answer."""
    command = ["curl", "-sS", "-N", "--max-time", "20", *also]
    command += [] if "--head" in also else ["-D", "-"]
    command += ["-H", "Authorization: Bearer " + key] if key else []
    if body is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = subprocess.run(command + [base + a for a in args], capture_output=True)
    assert done.returncode == code, (done.returncode, done.stderr, done.stdout)
    head, _, text = done.stdout.decode().partition("\r\n\r\n")
    while head.startswith("HTTP/1.1 100"):
        head, _, text = text.partition("\r\n\r\n")
    lines = head.split("\r\n")
    return int(lines[0].split()[1]), {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}, text


def chat(model, content="hello", stream=False, **more):
    args = {k: more.pop(k) for k in ("base", "key", "code", "also") if k in more}
    body = dict({"model": model, "messages": [{"role": "user", "content": content}]}, **more)
    return curl("/chat/completions", body=dict(body, stream=True) if stream else body, **args)


def run(model, *args, stream=False):
    """The plain command, however it ends."""
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "x"}]})
    return subprocess.run(["curl", "-sS", "-N", *args, "-H", "Authorization: Bearer " + KEY, "-H", "Content-Type: application/json", "-d", body,
                           URL + "/chat/completions"], capture_output=True)


def data(text):
    """The records of a stream, which ends with [DONE] however it went."""
    records = [r[len("data:"):].strip() for r in text.replace("\r\n", "\n").split("\n\n") if r.startswith("data:")]
    assert records[-1] == "[DONE]", text
    return [json.loads(r) for r in records if r != "[DONE]"]


@tests
def chat_and_errors_have_an_id():
    for model, status in (("mock/echo", 200), (tagged("whole")[0], 200), ("no-such", 404), ("mock/status/503", 503), (tagged("refused")[0], 502)):
        got, headers, text = chat(model)
        assert got == status and headers["x-weir-request-id"].startswith("req_") and headers["content-type"].startswith("application/json")
        assert ("error" in json.loads(text)) == (status != 200)
        assert int(headers["content-length"]) == len(text.encode())


@tests
def chat_of_both():
    assert json.loads(chat("mock/echo", TEXT)[2])["choices"][0]["message"]["content"] == TEXT
    answer = json.loads(chat(tagged("whole")[0])[2])
    assert answer["choices"][0]["message"]["content"] == TEXT and answer["usage"] == USAGE
    assert chat("mock/echo", base=URL.replace("/v1", "/api/v1"))[0] == 200


@tests
def stream_of_both():
    for model in ("mock/echo", tagged("whole")[0]):
        status, headers, text = chat(model, TEXT, stream=True)
        assert status == 200 and headers["content-type"].startswith("text/event-stream") and headers["cache-control"] == "no-cache"
        records = data(text)
        assert "".join(r["choices"][0]["delta"].get("content") or "" for r in records) == TEXT
        assert records[-1]["choices"][0]["finish_reason"] == "stop" and not any(r.get("usage") for r in records)
        records = data(chat(model, TEXT, stream=True, stream_options={"include_usage": True})[2])
        assert records[-1]["choices"] == [] and records[-1]["usage"]["total_tokens"] > 0


@tests
def tools_of_both():
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    for model, expected in (("mock/tools", [("call_mock_0", "f", '{"a":1}')]), (tagged("tools")[0], CALLS)):
        message = json.loads(chat(model, '{"a":1}', tools=tools)[2])["choices"][0]["message"]
        assert [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in message["tool_calls"]] == expected
        calls = {}
        for r in data(chat(model, '{"a":1}', stream=True, tools=tools)[2]):
            for c in r["choices"][0]["delta"].get("tool_calls", []):
                at = calls.setdefault(c["index"], [c.get("id"), c["function"].get("name"), ""])
                at[2] += c["function"]["arguments"]
        assert [tuple(calls[i]) for i in sorted(calls)] == expected


@tests
def embeddings_and_models():
    answer = json.loads(curl("/embeddings", body={"model": tagged("embed")[0], "input": ["a", "b"]})[2])
    assert [d["embedding"] for d in answer["data"]] == VECTORS
    answer = json.loads(curl("/embeddings", body={"model": "mock/embed", "input": "tea", "dimensions": 4})[2])
    assert len(answer["data"][0]["embedding"]) == 4
    status, headers, text = curl("/models")
    assert status == 200 and json.loads(text)["data"][0]["id"] == "mock/echo" and "x-weir-request-id" in headers
    assert json.loads(curl("/models/mock/echo")[2])["id"] == "mock/echo"
    status, headers, text = curl("/models", also=["--head"])
    assert status == 200 and int(headers["content-length"]) > 100 and not text


@tests
def keys_in_every_place():
    for header in ("Authorization: Bearer %s", "x-api-key: %s", "api-key: %s", "x-goog-api-key: %s"):
        assert chat("mock/echo", key=None, also=["-H", header % FEW])[0] == 200, header
        status, headers, text = chat("mock/echo", key=None, also=["-H", header % "wrong"])
        assert status == 401 and json.loads(text)["error"]["code"] == "invalid_api_key" and "x-weir-request-id" in headers
    status, _, text = chat("mock/echo", key=None)
    assert status == 401 and json.loads(text)["error"]["code"] == "missing_api_key"
    assert chat("mock/lorem", key=FEW)[0] == 403
    assert chat("mock/echo", key=None, base=OPEN_URL)[0] == 200


@tests
def retry():
    model, asked = tagged("limited-always")
    status, headers, _ = chat(model)
    assert status == 429 and headers["retry-after"] == "9" and headers["x-should-retry"] == "false"
    # --fail keeps the body of what failed out of the way of the answer
    model, asked = tagged("broken-once")
    done = run(model, "--fail", "--retry", "2", "--retry-delay", "1")
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == TEXT and len(seen(asked)["requests"]) == 2
    model, asked = tagged("broken")
    assert run(model, "--fail", "--retry", "1", "--retry-delay", "1").returncode == 22 and len(seen(asked)["requests"]) == 2


@tests
def broken_streams_say_so():
    for scenario, code in (("truncated", "upstream_truncated"), ("cut", None), ("error-in-stream", "overloaded")):
        records = data(chat(tagged(scenario)[0], stream=True)[2])
        errors = [r["error"]["code"] for r in records if "error" in r]
        assert len(errors) == 1 and (code or errors[0]) == errors[0], (scenario, records)
        assert not [r for r in records if r.get("choices") and r["choices"][0]["finish_reason"]], scenario


@tests
def abort():
    for scenario, stream in (("slow", False), ("slow-stream", True)):
        model, asked = tagged(scenario)
        start = time.time()
        assert run(model, "--max-time", "0.7", stream=stream).returncode == 28
        left = time.time()
        gone = eventually(lambda: seen(asked)["gone"])
        assert gone and gone[0] - left < 1 and gone[0] - start > 0.6, (scenario, gone, left)


@tests
def journal_of_an_abort():
    done = run("mock/lorem?chunk=50ms&chunks=400", "-D", "-", "--max-time", "0.5", stream=True)
    assert done.returncode == 28, done
    ids = [line.split()[1].decode() for line in done.stdout.split(b"\r\n") if line.startswith(b"x-weir-request-id:")]
    assert record(ids[0])["outcome"] == "client_gone"


@tests
def connections_are_kept():
    """Three transfers of one curl: one connection."""
    body = json.dumps({"model": "mock/echo", "stream": True, "messages": [{"role": "user", "content": "x"}]})
    common = ["-H", "Authorization: Bearer " + KEY, "-H", "Content-Type: application/json", "-w", "%{num_connects} ", "-o", "/dev/null", "-d", body]
    command = ["curl", "-sS"]
    for i in range(3):
        command += (["--next", "-sS"] if i else []) + common + [URL + "/chat/completions"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == [b"1", b"0", b"0"]


@tests
def expect_continue_and_large_bodies():
    text = "x" * 2000000
    done = subprocess.run(["curl", "-sS", "-H", "Expect: 100-continue", "-H", "Authorization: Bearer " + KEY, "-H", "Content-Type: application/json",
                           "-d", "@-", URL + "/chat/completions"], capture_output=True, check=True,
                          input=json.dumps({"model": "mock/echo", "messages": [{"role": "user", "content": text}]}).encode())
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == text
    done = subprocess.run(["curl", "-sS", "-H", "Transfer-Encoding: chunked", "-H", "Authorization: Bearer " + KEY, "-H", "Content-Type: application/json",
                           "-d", "@-", URL + "/chat/completions"], capture_output=True, check=True,
                          input=json.dumps({"model": "mock/echo", "messages": [{"role": "user", "content": "chunked"}]}).encode())
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "chunked"


@tests
def fifty_at_once():
    body = json.dumps({"model": tagged("whole")[0], "messages": [{"role": "user", "content": "x"}]})
    done = subprocess.run(["curl", "-sS", "--parallel", "--parallel-immediate", "--parallel-max", "50", "-H", "Authorization: Bearer " + KEY, "-H",
                           "Content-Type: application/json", "-d", body, "-w", "%{http_code}\n", "-o", "/dev/null", URL + "/chat/completions?[1-50]"],
                          capture_output=True, check=True)
    assert done.stdout.split() == [b"200"] * 50, done.stdout


@tests
def paths_that_are_not_there():
    for path in ("/nothing", "/chats"):          # /v1/chat is of Cohere's first API
        status, headers, text = curl(path, body={})
        assert status == 404 and json.loads(text)["error"]["code"] == "not_found", (status, text)
        assert headers["x-weir-request-id"].startswith("req_")
    status, headers, text = curl("/chat/completions")
    assert status == 405 and headers["allow"] == "POST" and headers["x-weir-request-id"].startswith("req_"), (status, headers)


tests.run()
