# SPDX-License-Identifier: Apache-2.0
"""limits.py -- what bounds a request, an answer and a key, at the bound and one beyond it; and what connections cost in memory."""
import json
import os
import re
import resource
import socket
import time

from _weir import SANITIZED, Tests, Upstream, Weir, answer, chat, completion, read_message, request

tests = Tests()
SLOW = 5 if SANITIZED else 1
MOCK = 'providers = ( { name = "mock"; models = [ "mock/*" ]; } );\n'
ENV = {"TEST_KEY": "sk-limits-test-0123456789"}


def upstream_provider(up):
    return 'providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; key = "env:TEST_KEY"; models = [ "m" ]; } );\n' % up.url


def code_of(body):
    return json.loads(body)["error"]["code"]


def post(w, body):
    return request(w.port, "POST", "/v1/chat/completions", body)


def raw(w, data):
    """What is answered to these bytes, and whether the connection was closed."""
    with socket.create_connection(("127.0.0.1", w.port), 10) as s:
        s.sendall(data)
        first, headers, body, _ = read_message(s, 10)
        low = {k.lower(): v for k, v in headers}
        return int(first.split()[1]), low.get(b"connection") == b"close", body


# ---- the request ----

@tests
def json_depth_at_its_limit_and_beyond():
    with Weir(MOCK + "json_depth = 16;\n") as w:
        for depth, status in ((16, 200), (17, 400), (100000, 400)):
            n = depth - 1                    # the body itself is the first level
            body = (b'{"model":"mock/echo","messages":[{"role":"user","content":"x"}],"metadata":'
                    + b"[" * n + b"]" * n + b"}")
            got = post(w, body)
            # An array where an object belongs may be refused too, but then by its type and not by its depth.
            assert (got[0] == status or code_of(got[2]) == "invalid_type") and got[0] in (200, 400), (depth, got)
            deep = b"depth" in got[2] or b"level" in got[2] or b"deep" in got[2] or b"nest" in got[2]
            assert deep == (status == 400), (depth, got)
        assert chat(w.port, "still here")[0] == 200


@tests
def json_nodes_at_their_limit_and_beyond():
    with Weir(MOCK + "json_nodes = 1000;\n") as w:
        def body(n):
            return ('{"model":"mock/echo","messages":[{"role":"user","content":"x"}],"stop":[%s]}' % ",".join(['"s"'] * n)).encode()
        for n, status in ((900, 200), (1100, 400), (100000, 400)):
            got = post(w, body(n))
            assert got[0] == status, (n, got)
        assert chat(w.port, "still here")[0] == 200


@tests
def max_body_at_its_limit_and_beyond():
    with Weir(MOCK + "max_body = 65536;\n") as w:
        base = json.dumps({"model": "mock/echo", "messages": [{"role": "user", "content": ""}]})
        for size, status in ((65536, 200), (65537, 413)):
            body = base.replace('""', '"%s"' % ("x" * (size - len(base)))).encode()
            assert len(body) == size
            got = post(w, body)
            assert got[0] == status, (size, got[0], got[2][:200])
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[i:i + 10000] for i in range(0, size, 10000)))
            got = raw(w, head + chunks + b"0\r\n\r\n")
            assert got[:2] == (status, status == 413), (size, got[:2])
        # A length is refused before its bytes are asked for.
        got = raw(w, b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n")
        assert got[:2] == (413, True), got


@tests
def heads_at_their_limit_and_beyond():
    with Weir(MOCK + "max_head = 4096; max_headers = 20;\n") as w:
        plain = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
        for size, status in ((4096, 200), (4097, 431)):
            data = plain + b"X: " + b"a" * (size - len(plain) - 7) + b"\r\n\r\n"
            assert len(data) == size
            assert raw(w, data)[:2] == (status, status != 200), (size, raw(w, data))
        for count, status in ((20, 200), (21, 431)):
            data = plain + b"A: b\r\n" * (count - 1) + b"\r\n"
            assert raw(w, data)[:2] == (status, status != 200), (count, raw(w, data))
        assert raw(w, b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")[:2] == (414, True)


# ---- the answer ----

@tests
def max_response_of_a_whole_answer_and_of_one_record():
    """A stream as such has no end: only what has to be kept is bounded."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    record = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
    small = len(json.dumps(completion("")))

    def script(n, message):
        if b"long" in message[2]:
            return [head] + [record % (b"x" * 900)] * 200 + [b"data: [DONE]\n\n", "close"]
        if b"wide" in message[2]:
            return [head, record % (b"x" * 900), 0.2, record % (b"x" * 70000), "hold"]
        return [answer(completion("x" * ((65536 if b"fits" in message[2] else 65537) - small)))]

    up = Upstream(script)
    with Weir(upstream_provider(up) + "max_response = 65536;\n", ENV) as w:
        assert chat(w.port, "fits", "m")[0] == 200
        status, _, body = chat(w.port, "beyond", "m")
        assert (status, code_of(body)) == (502, "upstream_too_large"), body[:200]
        status, _, body = chat(w.port, "long", "m", stream=True)
        assert status == 200 and len(body) > 180000 and body.endswith(b"data: [DONE]\n\n"), body[-300:]
        status, _, body = chat(w.port, "wide", "m", stream=True)
        assert status == 200 and b'"code":"upstream_too_large"' in body and len(body) < 5000, body[-300:]
        assert [c["outcome"] for c in w.wait_records(4)] == ["ok", "upstream_invalid", "ok", "upstream_invalid"]
    up.close()


# ---- a key ----

@tests
def concurrency_of_a_key_is_bounded_and_given_back():
    up = Upstream(lambda n, m: ["hold"] if b"hold" in m[2] else [answer(completion("x"))])
    keys = ('keys = ( { id = "k1"; sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; concurrency = 2; },\n'
            '{ id = "k2"; sha256 = "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4"; } );\n')
    key1, key2 = [("Authorization", "Bearer test")], [("Authorization", "Bearer second")]
    with Weir(upstream_provider(up) + keys, ENV, workers=2) as w:
        body = b'{"model":"m","messages":[{"role":"user","content":"hold"}]}'
        held = []
        for i in range(2):
            s = socket.create_connection(("127.0.0.1", w.port), 10)
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(body) + body)
            held.append(s)
        end = time.monotonic() + 5 * SLOW
        while len(up.requests) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        for _ in range(5):                   # on whichever worker it comes
            status, headers, got = chat(w.port, "one more", "m", headers=key1)
            assert (status, code_of(got)) == (429, "concurrency_exceeded"), got
            assert headers["retry-after"] == "1"
        assert chat(w.port, "another key", "m", headers=key2)[0] == 200
        for s in held:
            s.close()
        end = time.monotonic() + 5 * SLOW
        while time.monotonic() < end:
            status = chat(w.port, "after", "m", headers=key1)[0]
            if status == 200:
                break
            time.sleep(0.02)
        assert status == 200, "what left clients held was not given back"
        assert all(d["key"] == "k1" for d in w.records("deny"))
    up.close()


# ---- memory ----

def worker_pid(w):
    for pid in w.children():
        with open("/proc/%d/comm" % pid) as f:
            if "worker" in f.read():
                return pid
    raise AssertionError("no worker")


def private_kb(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            return int(re.search(r"Private_Dirty:\s+(\d+)", f.read())[1])
    except PermissionError:                  # weir lets nobody look into it but root
        with open("/proc/%d/statm" % pid) as f:
            _, resident, shared = f.read().split()[:3]
            return (int(resident) - int(shared)) * resource.getpagesize() // 1024


def files_allowed(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = n + 200
    if soft < want:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(want, hard) if hard > 0 else want, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= want


def idle_cost(count, used):
    """KB per connection that has asked nothing (or one thing, `used`) and stays."""
    with Weir(MOCK + 'head_timeout = "120s"; idle_timeout = "120s";\n') as w:
        for _ in range(5):
            chat(w.port, "warm")
        pid = worker_pid(w)
        before = private_kb(pid)
        socks = []
        for _ in range(count):
            s = socket.create_connection(("127.0.0.1", w.port), 10)
            if used:
                s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            socks.append(s)
        if used:
            for s in socks:
                assert b"200 OK" in s.recv(4096)
        assert chat(w.port, "all are in")[0] == 200
        cost = (private_kb(pid) - before) / count
        for s in socks:
            s.close()
        print("     %d %s connections: %.2f KB each" % (count, "used" if used else "silent", cost))
        return cost


@tests
def idle_connections_cost_one_kb_at_most():
    count = 2000 if not SANITIZED else 500
    if not files_allowed(count):
        tests.skip("not enough files may be open")
        return
    for used in (False, True):
        cost = idle_cost(count, used)
        assert SANITIZED or cost <= 1.0, cost


@tests
def ten_thousand_silent_connections_keep_nobody_out():
    count = 10000 if not SANITIZED else 1000
    if not files_allowed(count):
        tests.skip("not enough files may be open")
        return
    cost = idle_cost(count, False)
    assert SANITIZED or cost <= 1.0, cost


def open_streams(port, count, model):
    """Sockets of `count` streams that have begun."""
    body = b'{"model":"%s","stream":true,"messages":[{"role":"user","content":"%s"}]}' % (model, b"x" * 1500)
    ask = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
           % len(body) + body)
    socks = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), 10)
        s.sendall(ask)
        socks.append(s)
    for s in socks:
        s.settimeout(20 * SLOW)
        assert b"200 OK" in s.recv(200)
    return socks


@tests
def open_streams_cost_24_kb_at_most():
    count = 500 if not SANITIZED else 100
    if not files_allowed(count):
        tests.skip("not enough files may be open")
        return
    with Weir(MOCK) as w:
        for _ in range(5):
            chat(w.port, "warm", "mock/lorem?chunks=3", stream=True)
        pid = worker_pid(w)
        before = private_kb(pid)
        socks = open_streams(w.port, count, b"mock/lorem?chunks=100&chunk=200ms")
        time.sleep(1)
        cost = (private_kb(pid) - before) / count
        for s in socks:
            s.close()
        print("     %d open streams: %.1f KB each" % (count, cost))
        assert SANITIZED or cost <= 24, cost
        assert len(w.wait_records(count + 5, seconds=10 * SLOW)) == count + 5


@tests
def memory_of_a_crowd_goes_back():
    count, stay = (1000, 10) if not SANITIZED else (100, 5)
    if not files_allowed(count):
        tests.skip("not enough files may be open")
        return
    with Weir(MOCK) as w:
        for _ in range(5):
            chat(w.port, "warm", "mock/lorem?chunks=3", stream=True)
        pid = worker_pid(w)
        idle = private_kb(pid)
        socks = open_streams(w.port, count, b"mock/lorem?chunks=1000&chunk=200ms")
        time.sleep(1)
        crowd = private_kb(pid)
        for s in socks[:-stay]:              # the last to come stay: what lies behind them in the heap cannot go by itself
            s.close()
        assert len(w.wait_records(count - stay + 5, seconds=10 * SLOW)) == count - stay + 5
        start = time.monotonic()
        gone = private_kb(pid)               # and a worker looks every 5 s whether there is memory to give back
        while not SANITIZED and private_kb(pid) > idle + (crowd - idle) / 4 and time.monotonic() - start < 20:
            time.sleep(0.2)
        after = private_kb(pid)
        print("     private KB: idle %d, %d streams %d, %d left %d, after %.1f s %d"
              % (idle, count, crowd, stay, gone, time.monotonic() - start, after))
        assert SANITIZED or crowd - idle > 4 * count, (idle, crowd)
        assert SANITIZED or after <= idle + (crowd - idle) / 4, (idle, crowd, gone, after)
        assert all(s.recv(1) for s in socks[-stay:]), "a stream that stayed has ended"
        for s in socks[-stay:]:
            s.close()
        assert len(w.wait_records(count + 5, seconds=10 * SLOW)) == count + 5


tests.run()
