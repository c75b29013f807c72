# SPDX-License-Identifier: Apache-2.0
"""processes.py -- the process tree from outside: who is there, what each may hold, what happens when one dies, how it stops."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from _weir import (SANITIZED, WEIR, B, Tests, Upstream, Weir, answer, chat, completion, free_port, request)

tests = Tests()
SLOW = 10 if SANITIZED else 1                # sanitizers make every start slower
SINK = 'sinks = ( { name = "lines"; plugin = "jsonl"; path = "lines.jsonl"; } );\n'
NOBODY = 65534


def name(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip()
    except OSError:
        return ""


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def tree(weir):
    """{name: [pids]} of all descendants that live."""
    found = {}
    for pid in filter(alive, sorted(weir.children())):
        found.setdefault(name(pid), []).append(pid)
    return found


def wait_for(what, seconds, why):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.002)
    raise AssertionError(why)


def wait_tree(weir, names, seconds=3):
    return wait_for(lambda: (lambda t: t if sorted(t) == sorted(names) and all(len(p) == 1 for p in t.values()) else None)(tree(weir)),
                    seconds, "the tree is %s" % tree(weir))


def sockets(pid):
    """Inodes of the listening TCP sockets that a process holds, and what else it holds."""
    listening = set()
    for table in ("/proc/%d/net/tcp" % pid, "/proc/%d/net/tcp6" % pid):
        with open(table) as f:
            for line in f.readlines()[1:]:
                part = line.split()
                if part[3] == "0A":
                    listening.add(part[9])
    held = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    return [h for h in held if h.startswith("socket:[") and h[8:-1] in listening], held


ALL = ["weir:generation", "weir:worker.0", "weir:worker.1", "weir:recorder", "weir:sink.lines"]


@tests
def the_tree_is_as_documented():
    admin = free_port()
    with Weir(SINK + 'admin = "127.0.0.1:%d";\n' % admin, workers=2) as w:
        t = wait_tree(w, ALL)
        pid = {n: t[n][0] for n in ALL}
        assert parent(pid["weir:generation"]) == w.process.pid
        assert parent(pid["weir:recorder"]) == w.process.pid
        assert parent(pid["weir:sink.lines"]) == w.process.pid
        assert parent(pid["weir:worker.0"]) == parent(pid["weir:worker.1"]) == pid["weir:generation"]
        holds = {n: len(sockets(p)[0]) for n, p in pid.items()}
        assert holds == {"weir:generation": 2, "weir:worker.0": 1, "weir:worker.1": 1, "weir:recorder": 1,
                         "weir:sink.lines": 0}, holds
        assert len(sockets(w.process.pid)[0]) == 3
        assert not set(sockets(pid["weir:worker.0"])[0]) & set(sockets(pid["weir:worker.1"])[0])
        for n, p in list(pid.items()) + [("weir", w.process.pid)]:
            with open("/proc/%d/status" % p) as f:
                status = f.read()
            assert re.search(r"^NoNewPrivs:\s*1$", status, re.M), n
            if not SANITIZED:
                assert re.search(r"^Threads:\s*1$", status, re.M), n
        if not SANITIZED:
            pipes = [h for h in sockets(pid["weir:sink.lines"])[1] if h.startswith("pipe:")]
            assert len(pipes) == 1, pipes    # its own stop, and nobody else's


@tests
def what_it_says_can_be_pasted():
    with Weir("", workers=1) as w:
        said = wait_for(lambda: (lambda t: t if "models:" in t else None)(w.text()), 3, "no greeting: " + w.text())
        assert "weir answers on http://127.0.0.1:%d/v1\n" % w.port in said, said
        assert re.search(r"^models:.* mock/", said, re.M), said
        line = re.search(r"^  curl (?:.*\\\n)*.*$", said, re.M).group(0)
        got = subprocess.run(["sh", "-c", line.replace("curl ", "curl -s -S --fail --noproxy '*' ", 1)], capture_output=True)
        assert got.returncode == 0 and b"Hello, weir" in got.stdout, got


@tests
def whoever_dies_is_replaced():
    with Weir(SINK, workers=2) as w:
        t = wait_tree(w, ALL)
        for victim, sig in (("weir:worker.1", signal.SIGKILL), ("weir:worker.0", signal.SIGABRT), ("weir:recorder", signal.SIGKILL),
                            ("weir:sink.lines", signal.SIGKILL), ("weir:generation", signal.SIGKILL)):
            before = tree(w)
            os.kill(before[victim][0], sig)
            wait_for(lambda: not alive(before[victim][0]), 1, "it survives")
            after = wait_tree(w, ALL, 2)
            assert after[victim] != before[victim]
            for n in ALL:
                if n != victim and not (victim == "weir:generation" and n.startswith("weir:worker")):
                    assert after[n] == before[n], (victim, n)
            assert chat(w.port, "after " + victim)[0] == 200
        assert t["weir:generation"] != tree(w)["weir:generation"]


@tests
def a_dead_worker_keeps_nobody_waiting():
    worst = []
    with Weir("", workers=2) as w:
        for _ in range(5):
            t = tree(w)
            os.kill(t["weir:worker.0"][0], signal.SIGKILL)
            start = time.monotonic()
            socks = [socket.create_connection(("127.0.0.1", w.port), 5) for _ in range(16)]
            for s in socks:
                s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            for s in socks:                  # dealt out to both slots: some wait in the dead one's queue
                assert s.recv(64).startswith(b"HTTP/1.1 200")
                s.close()
            worst.append((time.monotonic() - start) * 1000)
            time.sleep(0.05)
    print("     16 connections right after a kill: all answered within ms: " + " ".join("%.1f" % m for m in sorted(worst)))
    assert sorted(worst)[2] < 50 * SLOW, worst


@tests
def a_worker_that_keeps_dying_is_not_left_out_for_long():
    with Weir("", workers=1) as w:
        for _ in range(12):
            victim = wait_for(lambda: tree(w).get("weir:worker.0"), 2, "no worker")
            os.kill(victim[0], signal.SIGKILL)
            wait_for(lambda: not alive(victim[0]), 1, "it survives")
        start = time.monotonic()
        assert chat(w.port, "still there")[0] == 200
        assert time.monotonic() - start < 0.5 * SLOW
        assert "child_quick" in w.text()


def provider(up):
    return 'providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; models = [ "up/*" ]; key = "env:TEST_KEY"; } );\n' % up.url


def ask_later(w, results):
    def run():
        try:
            results.append(chat(w.port, "slow", model="up/x"))
        except (OSError, TypeError) as e:    # broken off
            results.append(e)
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def delayed(seconds):
    whole = answer(completion("late"))
    return Upstream(lambda n, r: [seconds, whole])


def gone(pids):
    return not any(alive(p) for p in pids)


@tests
def stopping_finishes_what_is_under_way():
    up = delayed(0.7)
    w = Weir(provider(up) + SINK, env={"TEST_KEY": "k"}, workers=2)
    everybody = w.children() + [w.process.pid]
    results = []
    thread = ask_later(w, results)
    wait_for(lambda: up.requests, 2, "nothing came to the upstream")
    w.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    try:                                     # nobody new is let in, or left waiting
        socket.create_connection(("127.0.0.1", w.port), 1).close()
        raise AssertionError("a new connection was taken")
    except ConnectionRefusedError:
        pass
    thread.join()
    assert results[0][0] == 200 and b"late" in results[0][2], results
    assert w.process.wait(5) == 0
    assert gone(everybody)
    opens, closes = w.records("open"), w.records("close")
    assert len(opens) == len(closes) == 1 and closes[0]["outcome"] == "ok", closes
    w.close()
    up.close()


@tests
def a_second_signal_means_now():
    up = delayed(30)
    w = Weir(provider(up), env={"TEST_KEY": "k"}, workers=1)
    everybody = w.children()
    results = []
    thread = ask_later(w, results)
    wait_for(lambda: up.requests, 2, "nothing came to the upstream")
    w.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert w.process.poll() is None
    start = time.monotonic()
    w.process.send_signal(signal.SIGINT)
    assert w.process.wait(5) == 0
    assert time.monotonic() - start < 1.5 * SLOW
    thread.join()
    assert gone(everybody)
    assert len(w.records("open")) == len(w.records("close")) == 1      # the recorder ended what the worker could not
    w.close()
    up.close()


@tests
def the_drain_has_an_end():
    up = delayed(30)
    w = Weir(provider(up) + "drain_timeout = \"300ms\";\n", env={"TEST_KEY": "k"}, workers=1)
    results = []
    thread = ask_later(w, results)
    wait_for(lambda: up.requests, 2, "nothing came to the upstream")
    start = time.monotonic()
    w.process.send_signal(signal.SIGTERM)
    assert w.process.wait(5) == 0
    assert 0.25 < time.monotonic() - start < 2.5 * SLOW
    thread.join()
    assert len(w.records("close")) == 1
    w.close()
    up.close()


@tests
def a_terminal_s_ctrl_c_drains_too():
    up = delayed(0.5)
    w = Weir(provider(up), env={"TEST_KEY": "k"}, workers=1)
    results = []
    thread = ask_later(w, results)
    wait_for(lambda: up.requests, 2, "nothing came to the upstream")
    os.killpg(w.process.pid, signal.SIGINT)  # every process of the group gets it
    thread.join()
    assert results[0][0] == 200, results
    assert w.process.wait(5) == 0
    w.close()
    up.close()


@tests
def hangup_is_told_and_survived():
    with Weir("", workers=1) as w:
        before = tree(w)
        w.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "cannot reload" in w.text(), 2, w.text())
        assert tree(w) == before and chat(w.port, "x")[0] == 200


def run_refused(config, args=(), seconds=5, **popen):
    """What a weir says that cannot start; it must be one line."""
    d = tempfile.mkdtemp(prefix="weir-test-")
    try:
        file = os.path.join(d, "weir.conf")
        with open(file, "w") as f:
            f.write(config.replace("@", d))
        os.chmod(d, 0o777)
        p = subprocess.run([popen.pop("exe", WEIR), "serve", "-c", file] + list(args), capture_output=True, timeout=seconds * SLOW,
                           text=True, **popen)
        lines = [line for line in p.stderr.splitlines() if " info " not in line]
        assert p.returncode == 1, p
        assert p.stdout == "", p
        assert len(lines) == 1, p.stderr
        return lines[0].replace(d, "@")
    finally:
        shutil.rmtree(d, ignore_errors=True)


@tests
def a_taken_port_is_one_line():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        said = run_refused('\nstate = "@/state";\nlisten = "127.0.0.1:%d";\n' % port)
        assert said.startswith("@/weir.conf:3: "), said
        assert str(port) in said and "taken" in said and "-l" in said, said
        said = run_refused('state = "@/state";\n', ["-l", "127.0.0.1:%d" % port])
        assert said.startswith("-l ") and str(port) in said, said
        said = run_refused('state = "@/state";\n\nadmin = "127.0.0.1:%d";\n' % port, ["-l", "127.0.0.1:0"])
        assert said.startswith("@/weir.conf:3: ") and "admin" in said, said


@tests
def an_address_that_is_none_is_one_line():
    assert "127.0.0.1:8080" in run_refused('state = "@/state";\n', ["-l", "localhost"])
    assert "127.0.0.1:8080" in run_refused('state = "@/state";\nlisten = "here";\n')
    said = run_refused('state = "@/state";\nlisten = "192.0.2.7:8080";\n' + KEY)
    assert said.startswith("@/weir.conf:2: ") and "no such address" in said, said


KEY = 'keys = ( { id = "k"; sha256 = "%s"; } );\n' % ("ab" * 32)


@tests
def without_a_key_only_this_machine_gets_in():
    said = run_refused('state = "@/state";\nlisten = "0.0.0.0:%d";\n' % free_port())
    assert "key" in said and "127.0.0.1" in said, said
    said = run_refused('state = "@/state";\n', ["-l", "0.0.0.0:%d" % free_port()])
    assert "key" in said and "127.0.0.1" in said, said


@tests
def a_mistake_in_the_file_is_one_line():
    said = run_refused('state = "@/state";\nlisten = "127.0.0.1:%d";\nproviders = (\n  { name = "x"; plugin = "nonesuch"; }\n);\n'
                       % free_port())
    assert said.startswith("@/weir.conf:4: ") and "nonesuch" in said, said


@tests
def one_state_folder_is_for_one_weir():
    with Weir("", workers=1) as w:
        start = time.monotonic()
        said = run_refused('listen = "127.0.0.1:%d";\nstate = "%s";\n' % (free_port(), w.state))
        assert w.state in said and "process %d" % w.process.pid in said, said
        assert time.monotonic() - start < 3 * SLOW
        assert chat(w.port, "unharmed")[0] == 200


@tests
def nobody_outlives_the_supervisor():
    w = Weir(SINK, workers=2)
    wait_tree(w, ALL)
    times = []
    for _ in range(3):
        everybody = w.children()
        assert len(everybody) == 5
        start = time.monotonic()
        w.process.kill()
        w.process.wait()
        w.start(wait=False)                  # at once: the port and the rings are taken over
        wait_for(lambda: gone(everybody), 1, "orphans live on")        # some may still have answered
        assert w.answers(5)
        times.append((time.monotonic() - start) * 1000)
        wait_tree(w, ALL)
    print("     supervisor killed, another answers after ms: " + " ".join("%.0f" % t for t in times))
    assert max(times) < 1000 * SLOW
    w.close()


@tests
def a_request_that_a_killed_weir_left_open_is_ended_by_the_next():
    up = delayed(30)
    w = Weir(provider(up), env={"TEST_KEY": "k"}, workers=1)
    results = []
    thread = ask_later(w, results)
    wait_for(lambda: up.requests, 2, "nothing came to the upstream")
    w.process.kill()
    w.process.wait()
    thread.join()
    w.start()
    closes = w.wait_records(1)
    opens = w.records("open")
    assert len(opens) == len(closes) == 1 and opens[0]["id"] == closes[0]["id"], (opens, closes)
    w.close()
    up.close()


@tests
def no_memory_stays_taken():
    w = Weir("", workers=1)
    rings = os.path.realpath(os.path.join(w.state, "rings"))
    assert os.path.exists(os.path.join(rings, "ring.0"))
    assert os.stat(rings).st_mode & 0o7777 == 0o700
    assert chat(w.port, "x")[0] == 200
    assert w.stop() == 0
    assert not os.path.exists(rings)
    w.start()                                # and it can begin again
    assert chat(w.port, "y")[0] == 200
    assert w.stop() == 0
    assert len(w.records("close")) == 2
    w.close()


def as_nobody(d):
    """A copy of the program that another user can run, and the arguments to run it so (we are root)."""
    os.chmod(d, 0o755)
    shutil.copy(WEIR, d)
    shutil.copytree(os.path.join(B, "plugins"), os.path.join(d, "plugins"))
    return {"exe": os.path.join(d, "weir"), "user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


@tests
def it_needs_no_root_and_guards_its_memory():
    d = tempfile.mkdtemp(prefix="weir-test-")
    state = os.path.join(d, "state")
    os.mkdir(state)
    port = free_port()
    file = os.path.join(d, "weir.conf")
    with open(file, "w") as f:
        f.write('listen = "127.0.0.1:%d";\nstate = "%s";\nworkers = 1;\n' % (port, state))
    run = as_nobody(d) if os.geteuid() == 0 else {"exe": WEIR}
    if os.geteuid() == 0:
        os.chown(state, NOBODY, NOBODY)
    with open(os.path.join(d, "log"), "w+b") as log:
        p = subprocess.Popen([run.pop("exe"), "serve", "-c", file], stdout=log, stderr=log, **run)
        try:
            wait_for(lambda: answers(port), 5, "it does not start: " + open(log.name).read())
            for pid in Weir.children(None, p.pid) + [p.pid]:
                assert os.stat("/proc/%d/environ" % pid).st_uid == 0, name(pid)      # not dumpable: not even its own user may look
                peek = {k: v for k, v in run.items() if k != "cwd"}
                got = subprocess.run(["cat", "/proc/%d/environ" % pid], capture_output=True, **peek)
                assert got.returncode != 0 and not got.stdout, name(pid)
        finally:
            p.terminate()
            assert p.wait(10 * SLOW) == 0
    shutil.rmtree(d)


def answers(port):
    try:
        return request(port, "GET", "/health", timeout=2)[0] == 200
    except OSError:
        return False


@tests
def a_privileged_port_is_one_line():
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        first = int(f.read())
    if first <= 1 and os.geteuid() == 0:     # a container where every user may take every port: the kernel will not refuse
        return
    d = tempfile.mkdtemp(prefix="weir-test-")
    try:
        run = as_nobody(d) if os.geteuid() == 0 else {}
        said = run_refused('state = "@/state";\nlisten = "127.0.0.1:%d";\n' % (first - 1), **run)
        assert said.startswith("@/weir.conf:2: ") and "permission" in said and "1023" in said, said
    finally:
        shutil.rmtree(d, ignore_errors=True)


@tests
def the_first_answer_comes_soon():
    times = []
    for _ in range(5):
        w = Weir("", start=False, workers=2)
        start = time.monotonic()
        w.start(wait=False)
        while True:
            try:
                if chat(w.port, "first")[0] == 200:
                    break
            except OSError:
                time.sleep(0.001)
        times.append((time.monotonic() - start) * 1000)
        w.close()
    times.sort()
    print("     from exec to the first chat answered, ms: " + " ".join("%.0f" % t for t in times))
    assert times[2] < 100 * SLOW, times


tests.run()
