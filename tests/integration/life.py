# SPDX-License-Identifier: Apache-2.0
"""life.py -- requests in a bad world: clients that leave, that read slowly, that send slowly; upstreams that stall, break and flood."""
import json
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _weir import (SANITIZED, Tests, Upstream, Weir, answer, chat, completion, read_message, request)  # noqa: E402

tests = Tests()
SLOW = 4 if SANITIZED else 1


def provider(up, more=""):
    return ('providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; key = "env:TEST_KEY"; models = [ "m" ]; %s }, '
            '{ name = "mock"; models = [ "mock/*" ]; } );\n' % (up.url if up else "http://127.0.0.1:9", more))


ENV = {"TEST_KEY": "sk-life-test-0123456789"}
CHUNK = (b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s"},'
         b'"finish_reason":null}]}\n\n')
END = (b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
       b'\n\ndata: [DONE]\n\n')
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def piece(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def post(text="x", model="m", stream=False, extra=""):
    body = json.dumps(dict({"model": model, "messages": [{"role": "user", "content": text}]}, **({"stream": True} if stream else {}))).encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
            % (extra.encode(), len(body)) + body)


def connect(w, timeout=10):
    return socket.create_connection(("127.0.0.1", w.port), timeout)


def worker_pids(w):
    out = []
    for p in w.children():
        try:
            if "worker" in open("/proc/%d/comm" % p).read():
                out.append(p)
        except OSError:
            pass
    return out


def rss_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % pid).read()).group(1))


def eventually(f, seconds=5):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        if f():
            return True
        time.sleep(0.01)
    return False


@tests
def client_gone_before_the_answer_cancels_the_upstream():
    up = Upstream(lambda n, _: ["hold"])
    with Weir(provider(up), ENV) as w:
        s = connect(w)
        s.sendall(post())
        assert eventually(lambda: len(up.requests) == 1)
        t = time.monotonic()
        s.close()
        assert eventually(lambda: up.gone == [0]), "the upstream is still asked"
        took = time.monotonic() - t
        assert took < 0.5 * SLOW, took
        closes = w.wait_records(1)
        assert [c["outcome"] for c in closes] == ["client_gone"], closes


@tests
def client_gone_during_the_stream_cancels_the_upstream():
    up = Upstream(lambda n, _: [SSE_HEAD + piece(CHUNK % b"a"), "hold"])
    with Weir(provider(up), ENV) as w:
        s = connect(w)
        s.sendall(post(stream=True))
        s.recv(100)
        s.close()
        assert eventually(lambda: up.gone == [0])
        assert w.wait_records(1)[0]["outcome"] == "client_gone"


@tests
def half_closed_client_is_gone():
    up = Upstream(lambda n, _: ["hold"])
    with Weir(provider(up), ENV) as w:
        s = connect(w)
        s.sendall(post())
        assert eventually(lambda: len(up.requests) == 1)
        s.shutdown(socket.SHUT_WR)
        assert eventually(lambda: up.gone == [0])
        s.close()


@tests
def stalled_reader_of_50_mb_costs_less_than_1_mb():
    big = piece(CHUNK % (b"x" * 8000))
    up = Upstream(lambda n, _: [SSE_HEAD] + [big * 16] * 400 + [piece(END) + b"0\r\n\r\n"])
    with Weir(provider(up) + "max_response = \"100M\";\nwrite_timeout = \"60s\";\n", ENV) as w:
        chat(w.port, "warm")
        pid = worker_pids(w)[0]
        before = rss_kb(pid)
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", w.port))
        s.sendall(post(stream=True))
        time.sleep(1.5)
        grown = rss_kb(pid) - before
        print("     stalled: worker grew by %d KB" % grown)
        assert SANITIZED or grown < 1024, grown
        total = 0
        s.settimeout(30)
        tail = b""
        while b"[DONE]" not in tail[-200:]:
            got = s.recv(262144)
            assert got, "the stream broke off after %d bytes" % total
            total += len(got)
            tail = (tail + got)[-400:]
        assert total > 50_000_000, total
        s.close()


@tests
def stalled_reader_is_cut_off_after_write_timeout():
    big = piece(CHUNK % (b"x" * 8000))
    up = Upstream(lambda n, _: [SSE_HEAD] + [big * 16] * 100 + [piece(END) + b"0\r\n\r\n"])
    with Weir(provider(up) + "write_timeout = \"1s\";\n", ENV) as w:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", w.port))
        s.sendall(post(stream=True))
        closes = w.wait_records(1, seconds=8)
        assert [c["outcome"] for c in closes] == ["client_gone"], closes
        s.close()


@tests
def slow_heads_and_bodies_end_at_their_deadlines():
    with Weir(provider(None) + 'head_timeout = "500ms"; body_timeout = "500ms"; body_min_rate = 1000;\n', ENV) as w:
        socks = []
        for sent in (b"GET /health HT", b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 1000\r\n\r\n{"):
            s = connect(w)
            s.sendall(sent)
            socks.append(s)
        for s in socks:
            first, _, body, _ = read_message(s, 5 * SLOW)
            assert first.startswith(b"HTTP/1.1 408"), first
            assert json.loads(body)["error"]["code"] == "timeout"
            s.close()


@tests
def slowloris_does_not_keep_others_out():
    with Weir(provider(None) + 'head_timeout = "2s";\n', ENV) as w:
        slow = []
        for i in range(300):
            s = connect(w)
            s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-%d: " % i)
            slow.append(s)
        t = time.monotonic()
        for _ in range(20):
            assert chat(w.port, "hello")[0] == 200
        took = time.monotonic() - t
        assert took < 2 * SLOW, took
        for s in slow:
            s.close()


@tests
def pipelined_requests_are_answered_in_order():
    with Weir(provider(None), ENV) as w:
        s = connect(w)
        s.sendall(b"".join(post("number %d" % i, "mock/echo") for i in range(20)))
        rest = b""
        from _weir import Buffered
        for i in range(20):
            first, _, body, rest = read_message(Buffered(s, rest), 10)
            assert first.startswith(b"HTTP/1.1 200"), first
            assert json.loads(body)["choices"][0]["message"]["content"] == "number %d" % i
        s.close()


@tests
def expect_continue_head_and_options():
    with Weir(provider(None), ENV) as w:
        s = connect(w)
        r = post("hi", "mock/echo", extra="Expect: 100-continue\r\n")
        head, body = r.split(b"\r\n\r\n", 1)
        s.sendall(head + b"\r\n\r\n")
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert read_message(s)[0].startswith(b"HTTP/1.1 200")
        s.sendall(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first, headers, body, rest = read_message(s, to_head=True)
        assert first.startswith(b"HTTP/1.1 200") and not body and not rest
        s.sendall(b"OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://page.example\r\n\r\n")
        first, headers, _, _ = read_message(s)
        assert first.startswith(b"HTTP/1.1 204"), first
        assert not [h for h in headers if h[0].lower().startswith(b"access-control")], headers
        s.close()
    with Weir(provider(None) + 'cors_origins = [ "https://page.example" ];\n', ENV) as w:
        status, headers, _ = request(w.port, "OPTIONS", "/v1/models", headers=[("Origin", "https://page.example")])
        assert status == 204 and "authorization" in headers["access-control-allow-headers"], headers
        status, headers, _ = request(w.port, "GET", "/v1/models", headers=[("Origin", "https://page.example")])
        assert headers["access-control-allow-origin"] == "https://page.example"
        status, headers, _ = request(w.port, "GET", "/v1/models", headers=[("Origin", "https://other.example")])
        assert "access-control-allow-origin" not in headers


@tests
def upstream_timeouts_each_say_which():
    up = Upstream(lambda n, _: [["hold"], [SSE_HEAD + piece(CHUNK % b"a"), "hold"]][n] if n < 2 else ["close"])
    with Weir(provider(up, 'first_byte_timeout = "300ms"; idle_timeout = "300ms";'), ENV) as w:
        status, _, body = chat(w.port, "x", "m")
        assert status == 504 and json.loads(body)["error"]["code"] == "upstream_timeout", body
        status, _, body = chat(w.port, "x", "m", stream=True)
        assert status == 200 and b"upstream_timeout" in body and body.endswith(b"data: [DONE]\n\n"), body
        assert [c["outcome"] for c in w.wait_records(2)] == ["upstream_timeout"] * 2


@tests
def connection_refused_is_502_and_fast():
    with Weir(provider(None), ENV) as w:
        status, _, body = chat(w.port, "x", "m")
        assert status == 502 and json.loads(body)["error"]["code"] == "upstream_unreachable", (status, body)
        assert b"127.0.0.1" not in body


@tests
def kept_connection_that_closed_is_not_a_failure():
    up = Upstream(lambda n, _: [answer(completion("n%d" % n)), 0.05, "close"])
    with Weir(provider(up), ENV) as w:
        for i in range(5):
            status, _, body = chat(w.port, "x", "m")
            assert status == 200 and b"n%d" % i in body, (i, status, body)
            time.sleep(0.15)
        assert up.connections == 5


@tests
def post_that_may_have_run_is_never_repeated():
    seen = []

    def script(n, message):
        seen.append(message[2])
        return [answer(completion("first"))] if n == 0 else ["close"]

    up = Upstream(script)
    with Weir(provider(up), ENV) as w:
        assert chat(w.port, "one", "m")[0] == 200
        status, _, body = chat(w.port, "two", "m")
        assert status == 502, (status, body)
        time.sleep(0.3)
        assert len([b for b in seen if b"two" in b]) == 1, "sent more than once"


@tests
def surplus_bytes_close_the_upstream_connection():
    up = Upstream(lambda n, _: [answer(completion("n%d" % n)) + (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" if n == 0 else b"")])
    with Weir(provider(up), ENV) as w:
        assert b"n0" in chat(w.port, "x", "m")[2]
        assert b"n1" in chat(w.port, "x", "m")[2]
        assert up.connections == 2


@tests
def random_aborts_resets_and_truncations_leave_nothing_behind():
    """Every open has exactly one close; nothing is stuck; the worker is alive and small."""
    total = int(os.environ.get("LIFE_TOTAL", 2500 if SANITIZED else 10000))
    rnd = random.Random(4711)
    kinds = {}
    lock = threading.Lock()

    def script(n, message):
        with lock:
            k = rnd.randrange(10)
        if b'"stream": true' in message[2]:
            head = [SSE_HEAD + piece(CHUNK % b"a")]
            return [head + ["reset"], head + ["close"], [SSE_HEAD + piece(CHUNK % b"a")[:30], "close"], head + [piece(END) + b"0\r\n\r\n"],
                    ["reset"], ["close"], [SSE_HEAD, 0.01, piece(CHUNK % b"b"), piece(END), b"0\r\n\r\n"],
                    [SSE_HEAD + b"zz\r\n"], [SSE_HEAD + piece(b"data: {broken\n\n")], head + [0.02, piece(END) + b"0\r\n\r\n"]][k]
        whole = answer(completion("ok"))
        return [[whole], [whole[:-5], "close"], ["reset"], ["close"], [whole[:20], "reset"], [0.01, whole], [whole], [b"garbage\r\n\r\n", "close"],
                [answer(b"{", "500 Oops")], [answer(completion("bye")), "close"]][k]

    up = Upstream(script)
    with Weir(provider(up, 'idle_timeout = "5s"; max_connections = 64;'), ENV, workers=2) as w:
        todo = iter(range(total))

        def client(seed):
            r = random.Random(seed)
            while True:
                with lock:
                    if next(todo, None) is None:
                        return
                try:
                    s = connect(w, 20)
                    whole = r.random() < 0.8
                    s.sendall(post("x", r.choice(["m", "m", "mock/echo"]), r.random() < 0.5)[:100000 if whole else 120])
                    how = r.randrange(5)
                    if how == 0:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    elif how == 1 and whole:
                        s.recv(r.randrange(1, 200))
                    elif how == 2:
                        time.sleep(r.random() * 0.01)
                    else:
                        s.settimeout(10 if whole else 0.02)
                        got = s.recv(65536)
                        with lock:
                            kinds[got[9:12]] = kinds.get(got[9:12], 0) + 1
                    s.close()
                except OSError:
                    pass

        threads = [threading.Thread(target=client, args=(i,)) for i in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        metrics = [c for c in kinds]
        assert b"200" in metrics, kinds
        assert chat(w.port, "alive")[0] == 200

        def settled():
            opens, closes = {}, {}
            for r in w.records():
                if r["kind"] in ("open", "close"):
                    which = opens if r["kind"] == "open" else closes
                    key = (r["id"], r["attempt"])
                    which[key] = which.get(key, 0) + 1
            settled.last = (len(opens), len(closes))
            assert not [k for k, n in closes.items() if n > 1], "two closes for one open"
            assert not set(closes) - set(opens), "a close without an open"
            return opens and set(opens) == set(closes)

        assert eventually(settled, 15), settled.last
        print("     %d requests, %d sends, each with one close; statuses %s" % (total, settled.last[0], kinds))
        assert "child_died" not in w.text(), w.text()[-2000:]


@tests
def tls_on_the_listener():
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", d + "/key.pem",
                        "-out", d + "/cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        w = Weir(provider(None) + 'tls_cert = "%s/cert.pem"; tls_key = "%s/key.pem";\n' % (d, d), ENV, start=False)
        w.start(wait=False)
        ctx = ssl.create_default_context(cafile=d + "/cert.pem")
        end = time.monotonic() + 10 * SLOW
        s = None
        while time.monotonic() < end and s is None:
            try:
                s = ctx.wrap_socket(socket.create_connection(("127.0.0.1", w.port), 5), server_hostname="localhost")
            except OSError:
                time.sleep(0.05)
        with w:
            for model, stream in (("mock/echo", False), ("mock/echo", True), ("mock/echo", False)):
                s.sendall(post("over tls", model, stream))
                first, _, body, _ = read_message(s)
                assert first.startswith(b"HTTP/1.1 200") and b"tls" in body, (first, body)
            s.close()
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname = False
            old.verify_mode = ssl.CERT_NONE
            old.set_ciphers("ALL:@SECLEVEL=0")
            import warnings
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            try:
                old.wrap_socket(socket.create_connection(("127.0.0.1", w.port), 5))
                raise AssertionError("TLS 1.1 was accepted")
            except (ssl.SSLError, OSError):
                pass


@tests
def max_connections_wait_instead_of_failing():
    with Weir(provider(None) + "max_connections = 4;\n", ENV) as w:
        held = [connect(w) for _ in range(4)]
        for s in held:
            s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_message(s)[0].startswith(b"HTTP/1.1 200")
        late = connect(w)
        late.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        late.settimeout(0.3)
        try:
            assert not late.recv(1), "served beyond max_connections"
        except socket.timeout:
            pass
        held[0].close()
        assert read_message(late)[0].startswith(b"HTTP/1.1 200")


@tests
def drain_finishes_what_is_under_way():
    with Weir(provider(None), ENV) as w:
        s = connect(w)
        s.sendall(post("slow", "mock/lorem?chunks=10&chunk=50ms", True))
        s.recv(10)
        w.process.send_signal(15)
        got = b""
        s.settimeout(10)
        while True:
            b = s.recv(65536)
            if not b:
                break
            got += b
        assert b"[DONE]" in got, got[-300:]
        assert w.stop() == 0


tests.run()
