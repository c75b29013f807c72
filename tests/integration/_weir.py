# SPDX-License-Identifier: Apache-2.0
"""_weir.py -- what the integration tests share: a weir of their own, a scripted upstream, a plain HTTP client.

Standard library only.  Everything listens on 127.0.0.1 with ports that the kernel gives; every process that is started here
is ended here, by its pid.
"""
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.path.join(ROOT, os.environ.get("B", "build"))
SANITIZED = "/san-" in B
WEIR = os.path.join(B, "weir")


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


class Weir:
    """One `weir serve` with a configuration, a state folder and a port of its own."""

    def __init__(self, config, env=None, start=True, workers=1, args=()):
        self.dir = tempfile.mkdtemp(prefix="weir-test-")
        self.port = free_port()
        self.state = os.path.join(self.dir, "state")
        self.file = os.path.join(self.dir, "weir.conf")
        head = 'listen = "127.0.0.1:%d";\nstate = "%s";\n' % (self.port, self.state)
        if "workers" not in config:
            head += "workers = %d;\n" % workers
        with open(self.file, "w") as f:
            f.write(head + config)
        self.log = open(os.path.join(self.dir, "log"), "w+b")
        self.env = dict(os.environ, **(env or {}))
        self.args = list(args)
        self.process = None
        if start:
            self.start()

    def start(self, wait=True):
        self.process = subprocess.Popen([WEIR, "serve", "-c", self.file] + self.args, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env=self.env, start_new_session=True)
        if wait and not self.answers(20 if SANITIZED else 10):
            raise RuntimeError("weir did not start:\n" + self.text())

    def answers(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                    s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if s.recv(64).startswith(b"HTTP/1.1 200"):
                        return True
            except OSError:
                pass
            time.sleep(0.01)
        return False

    def text(self):
        self.log.flush()
        with open(self.log.name, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def children(self, pid=None):
        """pids of all descendants."""
        found = []
        todo = [pid or self.process.pid]
        while todo:
            p = todo.pop()
            try:
                with open("/proc/%d/task/%d/children" % (p, p)) as f:
                    kids = [int(k) for k in f.read().split()]
            except OSError:
                kids = []
            found += kids
            todo += kids
        return found

    def stop(self, seconds=20):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                for p in self.children() + [self.process.pid]:
                    try:
                        os.kill(p, signal.SIGKILL)
                    except OSError:
                        pass
                self.process.wait()
                raise RuntimeError("weir did not stop:\n" + self.text())
        return self.process.returncode if self.process else 0

    def records(self, kind=None):
        out = subprocess.run([WEIR, "journal", self.state, "--json"], capture_output=True, check=True).stdout
        rows = [json.loads(line) for line in out.splitlines() if line.strip()]
        return [r for r in rows if kind is None or r["kind"] == kind]

    def wait_records(self, n, kind="close", seconds=10):
        end = time.monotonic() + seconds
        while True:
            try:
                rows = self.records(kind)
            except (subprocess.CalledProcessError, json.JSONDecodeError):
                rows = []
            if len(rows) >= n or time.monotonic() > end:
                return rows
            time.sleep(0.05)

    def sanitizer_report(self):
        text = self.text()
        return text if re.search(r"(ERROR: (Address|Leak)|(WARNING|ERROR|FATAL): Thread)Sanitizer|runtime error:", text) else ""

    def close(self):
        try:
            code = self.stop()
            self.said = self.text()          # all of the log, for who asks after the end
            report = self.sanitizer_report()
            if report:
                raise AssertionError("sanitizer:\n" + report[-6000:])
            return code
        finally:
            self.log.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            sys.stderr.write(self.text()[-4000:])
            try:
                self.stop()
            except RuntimeError:
                pass
            self.log.close()
            shutil.rmtree(self.dir, ignore_errors=True)


def read_message(s, timeout=10, to_head=False):
    """One HTTP/1.1 message from a socket: (first line, headers as list, body bytes, rest).  Framing by the book."""
    s.settimeout(timeout)
    data = b""
    while b"\r\n\r\n" not in data:
        got = s.recv(65536)
        if not got:
            return (data, [], b"", b"") if data else None
        data += got
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    headers = [tuple(p.strip() for p in line.split(b":", 1)) for line in lines[1:]]
    low = {k.lower(): v for k, v in headers}
    first = lines[0]
    if first.startswith(b"HTTP/1.1 100"):
        return read_more(s, rest, timeout, to_head)
    if to_head or b" 204 " in first or b" 304 " in first:
        return first, headers, b"", rest
    if low.get(b"transfer-encoding", b"").lower() == b"chunked":
        body, rest = read_chunked(s, rest)
    elif b"content-length" in low:
        n = int(low[b"content-length"])
        while len(rest) < n:
            got = s.recv(65536)
            if not got:
                break
            rest += got
        body, rest = rest[:n], rest[n:]
    elif first.startswith(b"HTTP/"):
        body = rest
        rest = b""
        while True:
            got = s.recv(65536)
            if not got:
                break
            body += got
    else:
        body = b""
    return first, headers, body, rest


class Buffered:
    """A socket with bytes that were read too early."""

    def __init__(self, s, rest):
        self.s, self.rest = s, rest

    def settimeout(self, t):
        self.s.settimeout(t)

    def recv(self, n):
        if self.rest:
            out, self.rest = self.rest[:n], self.rest[n:]
            return out
        return self.s.recv(n)


def read_more(s, rest, timeout, to_head):
    return read_message(Buffered(s, rest), timeout, to_head)


def read_chunked(s, rest):
    body = b""
    while True:
        while b"\r\n" not in rest:
            got = s.recv(65536)
            if not got:
                return body, rest
            rest += got
        size, rest = rest.split(b"\r\n", 1)
        n = int(size.split(b";")[0], 16)
        while len(rest) < n + 2:
            got = s.recv(65536)
            if not got:
                return body + rest, b""
            rest += got
        body += rest[:n]
        rest = rest[n + 2:]
        if n == 0:
            return body, rest


def request(port, method, path, body=None, headers=(), timeout=20):
    """One request on a connection of its own: (status, {header: value}, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: localhost", "Connection: close"]
        if body is not None:
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
            lines += ["Content-Type: application/json", "Content-Length: %d" % len(body)]
        lines += ["%s: %s" % h for h in headers]
        s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b""))
        first, got, answer, _ = read_message(s, timeout, method == "HEAD")
        return int(first.split()[1]), {k.decode().lower(): v.decode() for k, v in got}, answer


def chat(port, text, model="mock/echo", stream=False, headers=(), **more):
    body = dict({"model": model, "messages": [{"role": "user", "content": text}]}, **more)
    if stream:
        body["stream"] = True
    return request(port, "POST", "/v1/chat/completions", body, headers)


class Upstream:
    """A server that plays a script: `script(n, request)` gives the list of things to do for the n-th request: bytes are sent,
    numbers are seconds to sleep, "close" ends the connection, "reset" breaks it, "hold" waits until the peer goes."""

    def __init__(self, script):
        self.script = script
        self.requests = []
        self.gone = []                       # numbers of requests whose peer left while we held
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                message = read_message(s, 60)
                if not message or not message[1]:
                    return
                with self.lock:
                    n = len(self.requests)
                    self.requests.append(message)
                for step in self.script(n, message):
                    if isinstance(step, bytes):
                        s.sendall(step)
                    elif isinstance(step, (int, float)):
                        time.sleep(step)
                    elif step == "hold":
                        s.settimeout(30)
                        if s.recv(1) == b"":
                            self.gone.append(n)
                        return
                    elif step == "reset":
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                        return
                    elif step == "close":
                        return
        except OSError:
            pass
        finally:
            s.close()

    def close(self):
        self.listener.close()


def answer(body, status="200 OK", headers=(), kind="application/json"):
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    lines = ["HTTP/1.1 " + status, "Content-Type: " + kind, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % h for h in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def completion(text, **more):
    return dict({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
                 "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}, **more)


class Tests:
    """Runs functions and counts: `@tests` above each, tests.run() at the end of the file."""

    def __init__(self):
        self.all = []
        self.skipped = 0

    def __call__(self, f):
        self.all.append(f)
        return f

    def skip(self, why):
        print("skipped: " + why)
        self.skipped += 1

    def run(self, after=None):
        """`after` cleans up when all have run."""
        import traceback
        words = sys.argv[1:]
        passed = failed = 0
        for f in self.all:
            if words and not any(w in f.__name__ for w in words):
                continue
            start = time.monotonic()
            try:
                f()
                passed += 1
                print("ok   %s (%.1f s)" % (f.__name__, time.monotonic() - start))
            except Exception:
                failed += 1
                print("FAIL %s" % f.__name__)
                traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
        tail = ", %d skipped" % self.skipped if self.skipped else ""
        print("%d passed, %d failed%s" % (passed, failed, tail))
        sys.stdout.flush()
        if after:
            after()
        os._exit(1 if failed else 0)
