# SPDX-License-Identifier: Apache-2.0
"""run.py -- what weir costs, beside nginx's proxy_pass and the floor (load straight to the upstream), interleaved in one run.

    bench/run.py [--rounds N] [--seconds S] [--rows WORD,...] [--quick] [--no-write]

CPU is the run time of all processes of the proxy (schedstat), summed over weir's supervisor, generation, workers, recorder and sinks,
divided by the requests that the load generator saw answered whole.  Ratios are taken round by round against nginx of the same round,
and their median is what counts: the machine's speed drifts, its ratios less.  Writes bench/RESULTS.md.
"""
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
B = os.path.join(ROOT, "build")
KEY = "wk_bench"


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


def tree(pid):
    found, todo = [pid], [pid]
    while todo:
        p = todo.pop()
        try:
            kids = [int(k) for k in open("/proc/%d/task/%d/children" % (p, p)).read().split()]
        except OSError:
            kids = []
        found += kids
        todo += kids
    return found


def cpu_ns(pids):
    total = 0
    for p in pids:
        try:
            for t in os.listdir("/proc/%d/task" % p):
                total += int(open("/proc/%d/task/%s/schedstat" % (p, t)).read().split()[0])
        except OSError:
            pass
    return total


def memory_kb(pids, field):
    total = 0
    for p in pids:
        try:
            for line in open("/proc/%d/smaps_rollup" % p):
                if line.startswith(field + ":"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total


def pin(pid, cpu):
    for p in tree(pid):
        try:
            for t in os.listdir("/proc/%d/task" % p):
                os.sched_setaffinity(int(t), {cpu})
        except OSError:
            pass


class Server:
    """A process that listens; everything that is started here is ended here."""

    def __init__(self, name, argv, port, cpu, env=None, log=None):
        self.name, self.port = name, port
        self.log = log or subprocess.DEVNULL
        self.p = subprocess.Popen(argv, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=env,
                                  preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        end = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if self.p.poll() is not None or time.monotonic() > end:
                    raise SystemExit("%s did not start: %s" % (name, " ".join(argv)))
                time.sleep(0.01)

    def pids(self):
        return tree(self.p.pid)

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            for q in self.pids():
                try:
                    os.kill(q, signal.SIGKILL)
                except OSError:
                    pass


def certificate(folder):
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    return cert, key


def body(size, model, stream):
    messages = []
    text = ("The quick brown fox jumps over the lazy dog; weir counts what it lets through and says no where it must. " * 200)
    left = size - 120
    n = 0
    while left > 0:
        k = min(left, 800)
        messages.append('{"role":"%s","content":"%s"}' % ("user" if n % 2 == 0 else "assistant", text[:k]))
        left -= k + 40
        n += 1
    return ('{"model":"%s","messages":[%s]%s}' % (model, ",".join(messages), ',"stream":true' if stream else "")).encode()


def request_file(folder, name, size, model, stream):
    b = body(size, model, stream)
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                 "User-Agent: bench\r\nAccept: */*\r\nContent-Length: %d\r\n\r\n" % (KEY, len(b))).encode() + b)
    return path


def load(port, connections, seconds, path, tls=False, cpu=1):
    argv = [os.path.join(B, "bench/load"), "127.0.0.1", str(port), str(connections), str(seconds), path] + (["--tls"] if tls else [])
    out = subprocess.run(argv, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {cpu})).stdout
    return {k: float(v) for k, v in (w.split("=") for w in out.split()[-7:])}


NGINX = """
worker_processes 1; daemon off; master_process on; pid {dir}/nginx.pid; error_log {dir}/nginx.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_buffer_size 256k; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s; ssl_session_cache shared:S:1m;
  upstream up {{ server 127.0.0.1:{up}; keepalive 512; keepalive_requests 100000000; }}
  upstream ups {{ server 127.0.0.1:{ups}; keepalive 512; keepalive_requests 100000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering on;
  server {{ listen 127.0.0.1:{plain} backlog=8192; location / {{ proxy_pass http://up; }} }}
  server {{ listen 127.0.0.1:{tls_up} backlog=8192; location / {{ proxy_pass https://ups; proxy_ssl_session_reuse on; proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {cert}; proxy_ssl_name localhost; }} }}
  server {{ listen 127.0.0.1:{tls_down} ssl backlog=8192; ssl_certificate {cert}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
            location / {{ proxy_pass http://up; }} }}
}}
"""

WEIR = """
listen = "127.0.0.1:{port}"; state = "{state}"; workers = 1; max_connections = 20000; log_level = "warn";
{tls}
providers = ( {{ name = "up"; plugin = "openai"; url = "{url}/v1"; key = "env:BENCH_KEY"; models = [ "bench*" ]; max_connections = 20000;
                 ca = "{ca}"; }},
              {{ name = "other"; plugin = "anthropic"; url = "{url}/v1"; key = "env:BENCH_KEY"; models = [ "other/*=*" ];
                 max_connections = 20000; ca = "{ca}"; }} );
keys = ( {{ id = "bench"; sha256 = "{sha}"; }} );
{more}
"""


class Bench:
    def __init__(self, folder):
        self.dir = folder
        self.cert, self.key = certificate(folder)
        self.ports = {n: free_port() for n in ("up", "ups", "plain", "tls_up", "tls_down")}
        self.servers = []
        self.start("upstream", [os.path.join(B, "bench/upstream"), str(self.ports["up"])], self.ports["up"], 1)
        self.start("upstream TLS", [os.path.join(B, "bench/upstream"), str(self.ports["ups"]), "--tls", self.cert, self.key],
                   self.ports["ups"], 1)
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(dir=folder, cert=self.cert, key=self.key, **self.ports))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.nginx = self.start("nginx", [nginx, "-c", conf, "-p", folder], self.ports["plain"], 0)
        import hashlib
        sha = hashlib.sha256(KEY.encode()).hexdigest()
        self.weirs = {}
        for name, url, tls in (("plain", "http://127.0.0.1:%d" % self.ports["up"], ""),
                               ("tls_up", "https://localhost:%d" % self.ports["ups"], ""),
                               ("tls_down", "http://127.0.0.1:%d" % self.ports["up"],
                                'tls_cert = "%s"; tls_key = "%s";' % (self.cert, self.key))):
            port = free_port()
            path = os.path.join(folder, name + ".conf")
            with open(path, "w") as f:
                f.write(WEIR.format(port=port, state=os.path.join(folder, "state-" + name), tls=tls, url=url, sha=sha, ca=self.cert,
                                    more=""))
            self.weirs[name] = self.start("weir " + name, [os.path.join(B, "weir"), "serve", "-c", path], port, 0,
                                          dict(os.environ, BENCH_KEY="sk-bench-upstream-key"), open(os.path.join(folder, name + ".log"), "wb"))

    def start(self, *args):
        s = Server(*args)
        self.servers.append(s)
        return s

    def stop(self):
        for s in reversed(self.servers):
            s.stop()

    def one(self, what, kind, path, connections, seconds):
        """(us of CPU per request, p50, p99, requests per second)"""
        tls = kind == "tls_down"
        if what == "floor":
            port, pids = self.ports["ups" if kind != "plain" else "up"], []
            tls = kind != "plain"
        elif what == "nginx":
            port, pids = self.ports[kind], self.nginx.pids()
        else:
            port, pids = self.weirs[kind].port, self.weirs[kind].pids()
        before = cpu_ns(pids)
        r = load(port, connections, seconds, path, tls)
        used = cpu_ns(pids) - before
        if r["failed"] or not r["done"]:
            raise SystemExit("%s %s: %s" % (what, kind, r))
        return used / 1000 / r["done"], r["p50"], r["p99"], r["done"] / seconds


ROWS = [  # name, kind, body bytes, stream, connections, unit (what one request counts as), goal x nginx
    ("2 KB, 64 connections", "plain", 2048, None, 64, 1, 0.9),
    ("12 KB, 64 connections", "plain", 12288, None, 64, 1, 1.0),
    ("2 KB, 1 connection", "plain", 2048, None, 1, 1, None),
    ("12 KB, 1 connection", "plain", 12288, None, 1, 1, None),
    ("2 KB, TLS upstream, 64", "tls_up", 2048, None, 64, 1, 1.0),
    ("12 KB, TLS upstream, 64", "tls_up", 12288, None, 64, 1, 1.0),
    ("2 KB, TLS downstream, 64", "tls_down", 2048, None, 64, 1, 1.0),
    ("12 KB, TLS downstream, 64", "tls_down", 12288, None, 64, 1, 1.0),
    ("stream: 100 chunks 5 ms apart, 128 streams (per chunk)", "plain", 2048, "bench/100/5", 128, 101, 1.0),
    ("stream: 100 chunks 5 ms apart, 1 stream (per chunk)", "plain", 2048, "bench/100/5", 1, 101, None),
    ("stream: 100 chunks, TLS upstream, 128 (per chunk)", "tls_up", 2048, "bench/100/5", 128, 101, 1.0),
]


def measure(bench, rounds, seconds, rows):
    table = []
    for name, kind, size, stream, connections, unit, goal in rows:
        path = request_file(bench.dir, "req", size, stream or "bench", bool(stream))
        got = {"floor": [], "nginx": [], "weir": []}
        for r in range(rounds + 1):
            order = ["floor", "nginx", "weir"] if r % 2 else ["weir", "nginx", "floor"]
            for what in order:
                x = bench.one(what, kind, path, connections, seconds if not stream else max(seconds, 2))
                if r:                        # the first round warms up
                    got[what].append(x)
        ratio = [w[0] / n[0] for w, n in zip(got["weir"], got["nginx"])]
        mid = {what: [statistics.median(c) for c in zip(*got[what])] for what in got}
        table.append((name, unit, goal, mid, statistics.median(ratio), min(ratio), max(ratio)))
        m = mid
        print("%-52s nginx %7.2f  weir %7.2f us  x%.2f (%.2f-%.2f)%s  p50 %d/%d/%d us" % (
            name, m["nginx"][0] / unit, m["weir"][0] / unit, table[-1][4], table[-1][5], table[-1][6],
            "  goal %.1f" % goal if goal else "", m["floor"][1], m["nginx"][1], m["weir"][1]))
        sys.stdout.flush()
    return table


TRANSLATED = [  # name, body bytes, model, connections, unit, the most that translation may add, us
    ("12 KB, 64 connections", 12288, "bench", 64, 1, 25.0),
    ("stream: 100 chunks 5 ms apart, 128 streams (per chunk)", 2048, "bench/100/5", 128, 101, 3.0),
]


def translated(bench, rounds, seconds):
    """Clients of chat and an upstream of Messages, beside the same clients passed through: what translation adds."""
    table = []
    for name, size, model, connections, unit, goal in TRANSLATED:
        stream = "/" in model
        paths = {"passed": request_file(bench.dir, "req-passed", size, model, stream),
                 "other": request_file(bench.dir, "req-other", size, "other/" + model, stream)}
        got = {"passed": [], "other": []}
        for r in range(rounds + 1):
            for what in sorted(paths, reverse=bool(r % 2)):
                x = bench.one("weir", "plain", paths[what], connections, max(seconds, 2) if stream else seconds)
                if r:
                    got[what].append(x[0] / unit)
        added = [b - a for a, b in zip(got["passed"], got["other"])]
        table.append((name, goal, statistics.median(got["passed"]), statistics.median(got["other"]), statistics.median(added), min(added), max(added)))
        print("translated, %-52s passed %7.2f  translated %7.2f us  +%.2f (%.2f-%.2f)  goal +%.0f" % (
            name, table[-1][2], table[-1][3], table[-1][4], table[-1][5], table[-1][6], goal))
        sys.stdout.flush()
    return table


def open_streams(bench, count, seconds):
    """Private memory of weir's worker idle, with `count` open streams, and after they have gone."""
    path = request_file(bench.dir, "open", 2048, "bench/100000/1000", True)
    weir = bench.weirs["plain"]
    rows = {}
    for what, server, port in (("nginx", bench.nginx, bench.ports["plain"]), ("weir", weir, weir.port)):
        idle = memory_kb(server.pids(), "Private_Dirty")
        rss = memory_kb(server.pids(), "Rss")
        p = subprocess.Popen([os.path.join(B, "bench/load"), "127.0.0.1", str(port), str(count), str(seconds), path, "--open"],
                             stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {1}))
        line = p.stdout.readline()
        if not line.startswith("open="):
            raise SystemExit("%s: not all streams opened: %s" % (what, line))
        time.sleep(seconds / 2)
        cpu = cpu_ns(server.pids())
        t = time.monotonic()
        time.sleep(seconds / 4)
        cpu = (cpu_ns(server.pids()) - cpu) / (time.monotonic() - t) / count / 1000
        loaded = memory_kb(server.pids(), "Private_Dirty")
        loaded_rss = memory_kb(server.pids(), "Rss")
        p.wait()
        time.sleep(12)
        rows[what] = (idle, loaded, memory_kb(server.pids(), "Private_Dirty"), (loaded - idle) / count, rss, loaded_rss,
                      memory_kb(server.pids(), "Rss"), cpu)
        print("%d open streams: %-5s private dirty %d -> %d -> %d KB (%.1f KB a stream), RSS %d -> %d -> %d KB, %.1f us a chunk" %
              (count, what, idle, loaded, rows[what][2], rows[what][3], rss, loaded_rss, rows[what][6], cpu))
    return rows


def start_time(bench):
    """exec to first answer, milliseconds, of a weir of its own."""
    times = []
    for i in range(9):
        port = free_port()
        path = os.path.join(bench.dir, "start.conf")
        with open(path, "w") as f:
            f.write('listen = "127.0.0.1:%d"; state = "%s";\n' % (port, os.path.join(bench.dir, "state-start")))
        t = time.monotonic()
        p = subprocess.Popen([os.path.join(B, "weir"), "serve", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        b = b'{"model":"mock/echo","messages":[{"role":"user","content":"hi"}]}'
        while True:
            try:
                s = socket.create_connection(("127.0.0.1", port), 1)
                s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                          % len(b) + b)
                if s.recv(15).startswith(b"HTTP/1.1 200"):
                    break
            except OSError:
                time.sleep(0.001)
        times.append((time.monotonic() - t) * 1000)
        s.close()
        p.terminate()
        p.wait()
    return statistics.median(times), max(times)


def machine():
    model = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "?")
    return "%s, %d cores, Linux %s, gcc %s" % (model, os.cpu_count(), platform.release().split("-")[0],
                                                subprocess.run(["gcc", "-dumpversion"], capture_output=True, text=True).stdout.strip())


def write_translated(rows):
    out = ["", "## Translation", "", "A client of Chat Completions, an upstream of Messages; CPU beside the same request passed through, round by round in the same run.", "",
           "| | passed us | translated us | added | goal |", "|---|--:|--:|--:|--:|"]
    for name, goal, passed, other, added, low, high in rows:
        out.append("| %s | %.2f | %.2f | **+%.2f** (%.2f-%.2f) | <= +%.0f |" % (name, passed, other, added, low, high, goal))
    return out


def write_results(rows, other, streams, start, idle, rounds, seconds):
    out = ["# What weir costs", "",
           "`make bench` measured this on: %s. nginx: %s." % (machine(), subprocess.run(
               [shutil.which("nginx") or "/usr/sbin/nginx", "-v"], capture_output=True, text=True).stderr.strip().split(": ")[-1]), "",
           "The proxy is alone on one core; load generator and upstream share the other. %d rounds of %g s, interleaved; medians; the ratio is the"
           % (rounds, seconds),
           "median of the rounds' ratios (lowest-highest). CPU sums all processes: supervisor, generation, worker, recorder. Key check, journal "
           "and metrics on.", "",
           "| | nginx us | weir us | x nginx | goal | p50 floor / nginx / weir us | p99 |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, unit, goal, m, ratio, low, high in rows:
        out.append("| %s | %.2f | %.2f | **%.2f** (%.2f-%.2f) | %s | %d / %d / %d | %d / %d / %d |" % (
            name, m["nginx"][0] / unit, m["weir"][0] / unit, ratio, low, high, "<= %.1f" % goal if goal else "",
            m["floor"][1], m["nginx"][1], m["weir"][1], m["floor"][2], m["nginx"][2], m["weir"][2]))
    by = {r[0]: r for r in rows}
    out.append("")
    if "12 KB, 64 connections" in by:
        us = by["12 KB, 64 connections"][3]["weir"][0]
        out.append("CPU-ms per million input tokens (12 KB = 3,000 tokens, 4 bytes each): **%.1f** (goal of the full chain: 45)" % (us / 3000 * 1e6 / 1000))
    chunk = next((r for r in rows if r[0].startswith("stream: 100 chunks 5 ms apart, 128")), None)
    if chunk:
        out.append("CPU-s per million streamed output tokens (one record each): **%.1f** (goal of the full chain: 16)" % (chunk[3]["weir"][0] / 101))
    out += write_translated(other)
    out += ["", "| memory, KB | idle | loaded | after | per open stream |", "|---|--:|--:|--:|--:|"]
    for what, r in streams.items():
        out.append("| %s, private dirty, 5,000 open streams | %d | %d | %d | %.1f |" % (what, r[0], r[1], r[2], r[3]))
        out.append("| %s, RSS | %d | %d | %d | |" % (what, r[4], r[5], r[6]))
    out += ["", "Idle worker: %d KB private dirty (goal <= 8,192). Exec to first answer: median %.0f ms, longest %.0f ms of 9 (goal <= 100)." % (
        idle, start[0], start[1]), ""]
    with open(os.path.join(ROOT, "bench/RESULTS.md"), "w") as f:
        f.write("\n".join(out))


def option(name, otherwise):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def main():
    rounds, seconds = int(option("--rounds", "5")), float(option("--seconds", "2"))
    words = option("--rows", "").split(",")
    rows = [r for r in ROWS if any(w in r[0] for w in words)]
    if "--quick" in sys.argv:
        rounds, seconds = 2, 1.0
    folder = tempfile.mkdtemp(prefix="weir-bench-")
    bench = Bench(folder)
    try:
        time.sleep(0.3)
        worker = next(p for p in bench.weirs["plain"].pids() if b"worker" in open("/proc/%d/cmdline" % p, "rb").read()
                      + open("/proc/%d/comm" % p, "rb").read())
        idle = memory_kb([worker], "Private_Dirty")
        table = measure(bench, rounds, seconds, rows) if rows else []
        other = translated(bench, rounds, seconds) if any(w in "translated" for w in words) else []
        if "--no-write" in sys.argv:
            return
        streams = open_streams(bench, 5000, 12)
        start = start_time(bench)
        print("idle worker %d KB private dirty; exec to first answer %.0f ms" % (idle, start[0]))
        write_results(table, other, streams, start, idle, rounds, seconds)
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
