# SPDX-License-Identifier: Apache-2.0
"""instructions.py -- what translation costs in instructions, by callgrind: the same figure on every machine and at every load.

    bench/instructions.py

A chat client's requests are passed through and are translated to Messages, each kind in a weir of its own under valgrind, few and many of them: the
difference is what one costs.  Prints instructions per request of 12 KB and per streamed chunk of all of weir's processes."""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
B = os.path.join(ROOT, "build")
CONFIG = """
listen = "127.0.0.1:%d"; state = "%s"; workers = 1; log_level = "warn";
providers = ( { name = "up"; plugin = "openai"; url = "http://127.0.0.1:%d/v1"; key = "env:BENCH_KEY"; models = [ "bench*" ]; },
              { name = "other"; plugin = "anthropic"; url = "http://127.0.0.1:%d/v1"; key = "env:BENCH_KEY"; models = [ "other/*=*" ]; } );
"""
TEXT = "The quick brown fox jumps over the lazy dog; weir counts what it lets through and says no where it must. " * 200


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit("nothing listens on %d" % port)


def request(model, size, stream):
    """As bench/run.py makes them."""
    parts = ['{"role":"%s","content":"%s"}' % (("user", "assistant")[n % 2], TEXT[:800]) for n in range(max(1, size // 840) | 1)]
    body = ('{"model":"%s","messages":[%s]%s}' % (model, ",".join(parts), ',"stream":true' if stream else "")).encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)) + body


def ask(s, data, stream):
    s.sendall(data)
    got = b""
    while True:
        piece = s.recv(1 << 16)
        if not piece:
            raise SystemExit("weir closed the connection: %r" % got[-300:])
        got += piece
        head, sep, body = got.partition(b"\r\n\r\n")
        if sep and not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(got[:600].decode("utf-8", "replace"))
        if sep and (got.endswith(b"0\r\n\r\n") if stream else len(body) >= int(re.search(rb"content-length: (\d+)", head)[1])):
            return


def run(up, data, stream, count):
    """Instructions of all processes."""
    folder, port = tempfile.mkdtemp(prefix="weir-callgrind-"), free_port()
    conf = os.path.join(folder, "weir.conf")
    with open(conf, "w") as f:
        f.write(CONFIG % (port, os.path.join(folder, "state"), up, up))
    argv = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=%s/out.%%p" % folder, os.path.join(B, "weir"), "serve", "-c", conf]
    with open(os.path.join(folder, "log"), "wb") as log:
        p = subprocess.Popen(argv, stdout=log, stderr=log, env=dict(os.environ, BENCH_KEY="sk-bench"))
    try:
        wait_port(port)
        with socket.create_connection(("127.0.0.1", port), 60) as s:
            for _ in range(count):
                ask(s, data, stream)
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(60)
    total = sum(int(re.search(r"^(?:totals|summary): (\d+)", open(out).read(), re.M)[1]) for out in glob.glob(folder + "/out.*"))
    shutil.rmtree(folder, ignore_errors=True)
    return total


def main():
    up = free_port()
    server = subprocess.Popen([os.path.join(B, "bench", "upstream"), str(up)])
    try:
        wait_port(up)
        few, many = 20, 120
        whole = {k: (run(up, request(m, 12288, False), False, many) - run(up, request(m, 12288, False), False, few)) / (many - few)
                 for k, m in (("passed", "bench"), ("translated", "other/bench"))}
        print("12 KB request: passed %d, translated %d, translation +%d instructions" % (whole["passed"], whole["translated"], whole["translated"] - whole["passed"]))
        short, long, times = 50, 250, 10
        chunk = {k: (run(up, request(m % long, 2048, True), True, times) - run(up, request(m % short, 2048, True), True, times)) / times / (long - short)
                 for k, m in (("passed", "bench/%d/0"), ("translated", "other/bench/%d/0"))}
        print("streamed chunk: passed %d, translated %d, translation +%d instructions" % (chunk["passed"], chunk["translated"], chunk["translated"] - chunk["passed"]))
    finally:
        server.terminate()
        server.wait(5)


main()
