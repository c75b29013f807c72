# SPDX-License-Identifier: Apache-2.0
"""kill.py -- kill -9 of anybody, again and again, under load: what a client holds as answered must be in the journal.

    python3 tests/integration/kill.py [--rounds 200] [--seed N] [--durability strict|batched] [--clients 6]

A process of its own asks the mock for answers and writes the id of each whole answer into its ledger.  Meanwhile one of worker,
generation, recorder, sink and supervisor (which is then started again) is killed, at random, and the time until answers come again is taken.
In the end every id of the ledger has its `open` and one `close`, no `open` is without its `close`, the sequence has no gap, the journal
reads clean, and the sink has been told of every request at least once.
"""
import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from _weir import SANITIZED, WEIR, Weir, read_message

SLOW = 10 if SANITIZED else 1
ROLES = ("worker", "generation", "recorder", "sink", "supervisor")
BOUND_MS = {"worker": 50, "generation": 1000, "recorder": 1000, "sink": 1000, "supervisor": 1000}

CONFIG = """
durability = "%s";
sinks = ( { name = "lines"; plugin = "jsonl"; path = "%s"; rotate = 0; } );
"""


# ---- the client: a process of its own, so that nothing of what it knows depends on weir ----

def client(port, ledger, count):
    lock = threading.Lock()
    tally = {"answered": 0, "refused": 0, "broken": 0}
    stop = threading.Event()
    out = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def one(s, n):
        body = json.dumps({"model": "mock/echo", "messages": [{"role": "user", "content": "number %d" % n}]}).encode()
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
        first, headers, answer, _ = read_message(s, 10)
        low = {k.lower(): v for k, v in headers}
        if first.startswith(b"HTTP/1.1 200") and json.loads(answer)["object"] == "chat.completion":
            os.write(out, low[b"x-weir-request-id"] + b"\n")
            return "answered"
        return "refused"

    def run(k):
        s, n = None, k * 1000000
        while not stop.is_set():
            try:
                if s is None or n % 20 == 0:               # kept connections, but new ones often
                    if s is not None:
                        s.close()
                    s = socket.create_connection(("127.0.0.1", port), 10)
                n += 1
                what = one(s, n)
            except (OSError, TypeError, ValueError, IndexError):
                what = "broken"
                if s is not None:
                    s.close()
                s = None
                time.sleep(0.002)
            with lock:
                tally[what] += 1

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    sys.stdin.read()                         # until the other side closes it
    stop.set()
    for t in threads:
        t.join()
    print(json.dumps(tally))


# ---- who is who ----

def pids_of(weir, role):
    if role == "supervisor":
        return [weir.process.pid]
    prefix = "weir:" + role
    found = []
    for pid in weir.children():
        try:
            with open("/proc/%d/comm" % pid) as f:
                if f.read().startswith(prefix):
                    found.append(pid)
        except OSError:
            pass
    return found


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# ---- back again ----

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CHAT_BODY = b'{"model":"mock/echo","messages":[{"role":"user","content":"probe"}]}'
CHAT = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(CHAT_BODY)) + CHAT_BODY


def answered(port, ask, count, until):
    """All of `count` new connections, made at once so that every slot has some, are answered: the queue of a dead slot too."""
    while time.monotonic() < until:
        socks = []
        try:
            for _ in range(count):
                s = socket.create_connection(("127.0.0.1", port), 5)
                socks.append(s)
                s.settimeout(5)
                s.sendall(ask)
            if all(s.recv(4096).startswith(b"HTTP/1.1 200") for s in socks):
                return True
        except OSError:
            pass
        finally:
            for s in socks:
                s.close()
        time.sleep(0.0005)
    return False


def kill_one(weir, role, chance):
    """Milliseconds from the signal until weir is whole again; None when nobody of that role is there yet."""
    pids = pids_of(weir, role)
    if not pids:
        return None
    victim = chance.choice(pids)
    orphans = weir.children(victim) if role in ("generation", "supervisor") else []
    start = time.monotonic()
    until = start + 10 * SLOW
    os.kill(victim, signal.SIGKILL)
    if role == "supervisor":
        weir.process.wait()
        weir.start(wait=False)
    while any(alive(p) for p in orphans):    # they may still answer
        if time.monotonic() > until:
            raise AssertionError("orphans live on")
        time.sleep(0.0005)
    if role == "sink":
        while victim in pids_of(weir, role) or not pids_of(weir, role):
            if time.monotonic() > until:
                raise AssertionError("no other sink")
            time.sleep(0.001)
    elif not answered(weir.port, CHAT if role == "recorder" else HEALTH, 8 if role == "worker" else 2, until):
        raise AssertionError("no answer after the end of a " + role + "\n" + weir.text()[-3000:])
    return (time.monotonic() - start) * 1000


# ---- the books ----

def ledger_of(path):
    with open(path) as f:
        lines = f.read().split("\n")
    return lines[:-1]                        # the last one has no end: it was never whole


def heard_by(told):
    """Ids of the closes in the sink's file.  A line that was cut by a kill is no record; it is told again."""
    heard = set()
    with open(told) as f:
        for line in f:
            try:
                r = json.loads(line)
            except ValueError:
                continue
            if r["kind"] == "close":
                heard.add(r["id"])
    return heard


def audit(weir, ledger, told):
    """What is wrong with the journal, as lines."""
    wrong = []
    check = subprocess.run([WEIR, "journal", "verify", weir.state], capture_output=True, text=True)
    if check.returncode != 0:
        wrong.append("journal verify: " + (check.stdout + check.stderr).strip()[:400])
    rows = weir.records()
    for i, r in enumerate(rows):
        if r["seq"] != rows[0]["seq"] + i:
            wrong.append("sequence: %d after %d" % (r["seq"], rows[i - 1]["seq"]))
            break
    if rows and rows[0]["seq"] != 1:
        wrong.append("the first sequence is %d" % rows[0]["seq"])
    opens, closes = {}, {}
    for r in rows:
        into = opens if r["kind"] == "open" else closes if r["kind"] == "close" else None
        if into is not None:
            key = (r["id"], r.get("attempt", 1))
            into[key] = into.get(key, 0) + 1
    gaps = [r for r in rows if r["kind"] == "gap"]
    twice = [k for k, n in list(opens.items()) + list(closes.items()) if n != 1]
    never = [k for k in opens if k not in closes]
    lonely = [k for k in closes if k not in opens]
    ids = {k[0] for k in opens}
    lost = [i for i in ledger if i not in ids]
    heard = heard_by(told)
    unheard = [k for k in closes if k[0] not in heard]
    for what, which in (("gap records", gaps), ("opens or closes twice", twice), ("opens without close", never),
                        ("closes without open", lonely), ("answered but not in the journal", lost),
                        ("in the journal but not told to the sink", unheard)):
        if which:
            wrong.append("%s: %d, first %s" % (what, len(which), which[0]))
    print("     journal: %d records, %d opens, %d closes; ledger: %d answered" % (len(rows), len(opens), len(closes), len(ledger)))
    return wrong


def wait_told(weir, told, seconds):
    """The sink has caught up with the journal."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        closes = {r["id"] for r in weir.records("close")}
        if closes <= heard_by(told):
            return
        time.sleep(0.2)


def percentile(sorted_values, p):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * p / 100))]


def figures(times):
    wrong = []
    for role in ROLES:
        t = sorted(times[role])
        if not t:
            wrong.append("nobody of role %s was killed" % role)
            continue
        p50, p90, worst = percentile(t, 50), percentile(t, 90), t[-1]
        print("     %-11s n %3d   back in ms: p50 %6.1f   p90 %6.1f   max %6.1f" % (role, len(t), p50, p90, worst))
        if p90 > BOUND_MS[role] * SLOW:
            wrong.append("%s: p90 %.1f ms is over %d ms" % (role, p90, BOUND_MS[role]))
    return wrong


# ---- the whole ----

def run(options):
    chance = random.Random(options.seed)
    times = {role: [] for role in ROLES}
    folder = tempfile.mkdtemp(prefix="weir-kill-")
    ledger, told = os.path.join(folder, "ledger"), os.path.join(folder, "lines.jsonl")
    weir = Weir(CONFIG % (options.durability, told), workers=2)
    load = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--client", str(weir.port), ledger, "--clients",
                             str(options.clients)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print("     seed %d, %d rounds, durability %s" % (options.seed, options.rounds, options.durability))
    try:
        while sum(map(len, times.values())) < options.rounds:
            time.sleep(chance.uniform(0, 0.25))
            role = chance.choice(ROLES)
            took = kill_one(weir, role, chance)
            if took is not None:             # None: it is only just being replaced
                times[role].append(took)
    finally:
        said = load.communicate()[0]
    print("     client: " + said.decode().strip())
    time.sleep(0.2)                          # the sync bound of batched records is 50 ms
    wait_told(weir, told, 10 * SLOW)
    if weir.stop() != 0:
        return ["weir did not stop well"]
    wrong = figures(times) + audit(weir, ledger_of(ledger), told)
    report = weir.sanitizer_report()
    if report:
        wrong.append(report[-4000:])
    if wrong:
        print(weir.text()[-6000:])
    weir.close()
    shutil.rmtree(folder, ignore_errors=True)
    return wrong


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=int(os.environ.get("KILL_ROUNDS", "60" if SANITIZED else "200")))
    p.add_argument("--seed", type=int, default=int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 1 << 30))
    p.add_argument("--durability", default="strict", choices=("strict", "batched"))
    p.add_argument("--clients", type=int, default=6)
    p.add_argument("--client", nargs=2, metavar=("PORT", "LEDGER"))
    options = p.parse_args()
    if options.client:
        client(int(options.client[0]), options.client[1], options.clients)
        return
    wrong = run(options)
    for line in wrong:
        print("FAIL " + line)
    print("%d passed, %d failed" % (0 if wrong else 1, 1 if wrong else 0))
    sys.exit(1 if wrong else 0)


main()
