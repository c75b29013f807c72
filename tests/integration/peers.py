# SPDX-License-Identifier: Apache-2.0
"""peers.py -- weir behind nginx and haproxy and in front of them: all agree on how many requests there were, and on their bodies.

Every row of tests/http/requests.txt, and the classical ways to smuggle, go through peer -> weir -> origin and weir -> peer -> origin.
The peer logs what it took for a request, weir's journal has what it sent, the origin keeps what arrived: the three must be the same.
(http_peers.py compares the verdicts of the parsers one by one.)
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from _weir import ROOT, Buffered, Tests, Weir, answer, completion, free_port, read_message, request

sys.path.insert(0, os.path.join(ROOT, "tests", "http"))
import rows as table  # noqa: E402

tests = Tests()
FOLDER = tempfile.mkdtemp(prefix="weir-peers-")
CHAT = b'{"model":"mock/echo","messages":[{"role":"user","content":"hi"}]}'
EVIL = b'{"model":"mock/echo","messages":[{"role":"user","content":"SMUGGLED"}]}'
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SMUGGLED = (b"POST /v1/chat/completions?smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(EVIL) + EVIL)

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 256; }}
http {{
    log_format told "$request_method $request_uri $status"; access_log {folder}/nginx.access told;
    client_max_body_size 4m; large_client_header_buffers 4 16k;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    upstream behind {{ server 127.0.0.1:{behind}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";
                     proxy_set_header Host localhost; proxy_next_upstream off; }}
    }}
}}
"""

HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    log global
    log-format "%HM %HU %ST"
    retries 0
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend f
    bind 127.0.0.1:{port}
    default_backend b
backend b
    http-reuse always
    server s 127.0.0.1:{behind}
"""


class Peer:
    """nginx or haproxy in front of a port, and what it has logged."""

    def __init__(self, kind, behind):
        self.kind, self.port = kind, free_port()
        self.folder = tempfile.mkdtemp(dir=FOLDER)
        config = os.path.join(self.folder, kind + ".conf")
        with open(config, "w") as f:
            f.write((NGINX if kind == "nginx" else HAPROXY).format(folder=self.folder, port=self.port, behind=behind))
        self.out = open(os.path.join(self.folder, "out"), "wb")
        command = ["nginx", "-c", config] if kind == "nginx" else ["haproxy", "-db", "-f", config]
        self.process = subprocess.Popen(command, stdout=self.out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.close()
        raise RuntimeError(kind + " did not start: " + open(self.out.name).read())

    def answered(self):
        """The requests that it passed on and that were answered with 200, as [method, target]."""
        path = os.path.join(self.folder, "nginx.access") if self.kind == "nginx" else self.out.name
        with open(path, encoding="latin-1") as f:
            lines = [line.split() for line in f]
        return [line[:2] for line in lines if len(line) == 3 and line[2] == "200" and line[0] == "POST"]

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.out.close()


class Origin:
    """Keeps every request that arrives, also those that come unasked behind another on the same connection."""

    def __init__(self):
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        rest = b""
        try:
            while True:
                message = read_message(Buffered(s, rest), 60)
                if not message or not message[0]:
                    return
                rest = message[3]
                self.requests.append((message[0], message[2]))
                s.sendall(answer(completion("hello")))
        except (OSError, ValueError):
            pass
        finally:
            s.close()

    def close(self):
        self.listener.close()


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def smugglers():
    """What one side may read as one request and the other as two."""
    both = b"Content-Length: %d\r\nTransfer-Encoding: %s\r\n\r\n"
    for coding in (b"chunked", b"xchunked", b"chunked, identity", b"identity", b" chunked", b"chunked;x", b"\x0bchunked", b'"chunked"',
                   b"Chunked", b"chunked, chunked"):
        body = b"0\r\n\r\n" + SMUGGLED
        yield POST + both % (len(body), coding) + body                               # CL.TE
        size = b"%x\r\n" % len(SMUGGLED)
        yield POST + both % (len(size), coding) + size + SMUGGLED + b"\r\n0\r\n\r\n"  # TE.CL
    yield POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"Content-Length: 0, %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"Content-Length: +%d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"Content-Length: 0x%x\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"Content-Length : %d\r\nContent-Length: 0\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"Transfer-Encoding\t: chunked\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield POST + b"X: y\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n" % (len(SMUGGLED) + 5) + SMUGGLED
    yield POST + b"X: y\rTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n" % (len(SMUGGLED) + 5) + SMUGGLED
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(CHAT)[:-5] + b"0\r\nX: y\r\n" + SMUGGLED
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n41;a=\n" + CHAT + b"\r\n0\r\n\r\n" + SMUGGLED
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + SMUGGLED
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield b"GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(SMUGGLED)
    yield b"GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED


def send(port, data):
    try:
        table.send_row(("127.0.0.1", port), data, 2, timeout=0.5)
    except (OSError, ValueError):
        pass


def send_all(port):
    """How many were sent."""
    requests = [row.data for row in table.read_rows() if row.where == "both" and not row.more]
    assert len(requests) >= 60, len(requests)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda data: send(port, data), requests))
        list(pool.map(lambda data: send(port, data), smugglers()))
    for i in range(5):                       # and all of them still serve, on connections that have seen the rest
        status, _, _ = request(port, "POST", "/v1/chat/completions", CHAT)
        assert status == 200, status
    return len(requests) + len(list(smugglers()))


def settle(f):
    """The value of f() once it has not changed for a while; a longer while when its counts differ: a peer writes its log
    when a connection ends, which may be later."""
    last, same = None, 0
    for _ in range(200):
        now = f()
        same = same + 1 if now == last else 0
        if same >= (3 if len(set(now)) == 1 else 60):
            break
        last = now
        time.sleep(0.1)
    return last


def compare(name, peer, w, origin, sent):
    counts = settle(lambda: (len(w.records("open")), len(w.records("close")), len(origin.requests), len(peer.answered())))
    opens, closes, arrived, passed = counts
    print("     %s: %d sent, %d opens, %d closes, %d at the origin, %d by the peer" % ((name, sent) + counts))
    assert opens == closes == arrived, counts
    assert passed == arrived, (counts, peer.answered())
    assert arrived >= 20, counts             # else this test shows nothing
    for first, body in origin.requests:
        assert first == b"POST /v1/chat/completions HTTP/1.1", first
        assert body.rstrip(b" \r") in (CHAT, EVIL), body   # what a peer lets into a body is white space
    assert sum(len(body) for _, body in origin.requests) == sum(r["bytes_in"] for r in w.records("open"))
    return sum(body == EVIL for _, body in origin.requests)


def weir_to(port):
    return Weir('max_head = "16k"; max_body = "1M";\nproviders = ( { name = "up"; plugin = "openai"; url = "http://127.0.0.1:%d/v1"; '
                'models = [ "mock/echo" ]; } );\n' % port)


def weir_behind(kind):
    origin = Origin()
    with weir_to(origin.port) as w:
        peer = Peer(kind, w.port)
        try:
            evil = compare("%s -> weir" % kind, peer, w, origin, send_all(peer.port))
            # What the peer itself took for a request of its own is no smuggling; anything beyond that is.
            assert evil == sum("smuggled" in target for _, target in peer.answered()), (evil, peer.answered())
        finally:
            peer.close()
            origin.close()


def weir_in_front(kind):
    origin = Origin()
    peer = Peer(kind, origin.port)
    try:
        with weir_to(peer.port) as w:
            evil = compare("weir -> %s" % kind, peer, w, origin, send_all(w.port))
            assert evil == 0, origin.requests
    finally:
        peer.close()
        origin.close()


@tests
def weir_behind_nginx():
    weir_behind("nginx")


@tests
def weir_behind_haproxy():
    weir_behind("haproxy")


@tests
def weir_in_front_of_nginx():
    weir_in_front("nginx")


@tests
def weir_in_front_of_haproxy():
    weir_in_front("haproxy")


tests.run(lambda: shutil.rmtree(FOLDER, ignore_errors=True))
