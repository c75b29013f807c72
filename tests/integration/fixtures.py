# SPDX-License-Identifier: Apache-2.0
"""fixtures.py -- every misbehaving plugin of tests/plugins in the real host, as the header of each says; and the SDK's skeleton."""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from _weir import B, ROOT, SANITIZED, WEIR, Tests, Upstream, Weir, answer, chat, completion, read_message, request

tests = Tests()
SLOW = 5 if SANITIZED else 1
FOLDER = tempfile.mkdtemp(prefix="weir-plugins-")
PROVIDERS = 'providers = ( { name = "mock"; models = [ "mock/*" ]; } );\n'
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
ROLE = b'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
TEXT = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
END = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def place_plugin(so, kind):
    os.makedirs(os.path.join(FOLDER, kind), exist_ok=True)
    os.symlink(so, os.path.join(FOLDER, kind, os.path.basename(so)))


def place_plugins():
    for so in glob.glob(os.path.join(B, "plugins", "*", "*.so")):
        place_plugin(so, os.path.basename(os.path.dirname(so)))
    for so in glob.glob(os.path.join(B, "tests", "plugins", "*.so")):
        if not os.path.basename(so).startswith("world_"):    # those belong to the unit tests of world
            place_plugin(so, "guardrails")


def guardrail(name, more="", providers=PROVIDERS):
    return 'plugins = "%s";\n%sguardrails = (\n  { name = "fixture"; plugin = "%s"; %s }\n);\n' % (FOLDER, providers, name, more)


def weir(name, more="", providers=PROVIDERS, workers=1, sanitizer=""):
    """`sanitizer`: what a sanitizer must leave alone, because the plugin does it on purpose."""
    env = {"TEST_KEY": "sk-fixtures-0123456789"}
    if sanitizer:
        for options in "ASAN_OPTIONS", "TSAN_OPTIONS":
            env[options] = os.environ.get(options, "") + ":" + sanitizer
    return Weir(guardrail(name, more, providers), env=env, workers=workers)


def upstream_provider(up):
    return 'providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; key = "env:TEST_KEY"; models = [ "m" ]; } );\n' % up.url


def code_of(body):
    return json.loads(body)["error"]["code"]


def content_of(body):
    return json.loads(body)["choices"][0]["message"]["content"]


def records_of(body):
    return [r[6:] for r in body.split(b"\n\n") if r.startswith(b"data: ")]


def stream_text(body):
    return "".join((c.get("delta") or {}).get("content") or "" for r in records_of(body) if r.startswith(b"{")
                   for c in json.loads(r).get("choices", []))


def eventually(f, seconds=5):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        got = f()
        if got:
            return got
        time.sleep(0.002)
    return None


def workers(w):
    out = []
    for pid in w.children():
        try:
            with open("/proc/%d/comm" % pid) as f:
                if "worker" in f.read():
                    out.append(pid)
        except OSError:
            pass
    return sorted(out)


# ---- what does not load ----

def refused(name, *words):
    """weir does not start, and one line, at the block's, says why; `weir check` says the same."""
    w = Weir(guardrail(name), start=False)
    try:
        line = 1 + open(w.file).read().split("{ name = \"fixture\"")[0].count("\n")
        for command in (["serve", "-c", w.file], ["check", "-c", w.file]):
            done = subprocess.run([WEIR] + command, capture_output=True, timeout=20 * SLOW)
            text = (done.stdout + done.stderr).decode()
            told = [x for x in text.splitlines() if "weir.conf:" in x]
            assert done.returncode != 0, (command, text)
            assert len(told) == 1 and "weir.conf:%d: " % line in told[0], (line, text)
            assert all(word in told[0] for word in words), (words, told)
    finally:
        w.log.close()
        shutil.rmtree(w.dir)


@tests
def wrong_abi_is_refused_with_both_numbers():
    refused("wrong_abi", "wrong_abi.so", "ABI 2", "has 1")


@tests
def newer_hook_is_refused():
    refused("newer_hook", "newer_hook.so", "update weir")


@tests
def missing_option_is_refused_with_its_help():
    refused("missing_option", "word", "Word that no prompt may contain.")


@tests
def missing_option_works_when_it_is_there():
    with weir("missing_option", 'word = "tulip";') as w:
        assert chat(w.port, "a rose")[0] == 200
        status, _, body = chat(w.port, "a tulip")
        assert (status, code_of(body)) == (403, "word_found"), body


@tests
def bad_options_are_refused_whatever_the_block_says():
    refused("bad_options", "bad_options.so", "limit")
    w = Weir(guardrail("bad_options", "limit = 5;"), start=False)
    done = subprocess.run([WEIR, "check", "-c", w.file], capture_output=True, timeout=20 * SLOW)
    assert done.returncode != 0 and b"bad_options.so" in done.stdout + done.stderr
    w.log.close()
    shutil.rmtree(w.dir)


# ---- what was built against another header ----

@tests
def newer_that_uses_nothing_new_works():
    with weir("newer_unused", 'first = "one"; second = "two";') as w:
        assert content_of(chat(w.port, "hello")[2]) == "hello"
        assert w.wait_records(1)[0]["labels"]["newer_unused"] == "two"


@tests
def older_works():
    for name in ("older", "older_rows"):
        older_loads(name)


def older_loads(name):
    with weir(name, 'second = "was asked";' if name == "older_rows" else "") as w:
        assert content_of(chat(w.port, "hello")[2]) == "hello"
        status, _, body = chat(w.port, "hello", stream=True)
        assert status == 200 and stream_text(body) == "hello"
        assert [c["labels"][name] for c in w.wait_records(2)] == ["was asked"] * 2


# ---- what takes time ----

@tests
def slow_is_logged_and_breaks_nothing():
    with weir("slow", 'hold = "200ms"; timeout = "50ms";') as w:
        got = []
        start = time.monotonic()
        threads = [threading.Thread(target=lambda i=i: got.append((i, chat(w.port, "number %d" % i)))) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took = time.monotonic() - start
        assert sorted((i, a[0], content_of(a[2])) for i, a in got) == [(i, 200, "number %d" % i) for i in range(4)], got
        assert took > 0.75, took             # they waited for each other
        lines = [x for x in w.text().splitlines() if " stage_slow " in x]
        assert len(lines) == 4 and all("stage=fixture" in x for x in lines), lines
        assert all(int(re.search(r"took_us=(\d+)", x)[1]) >= 200000 for x in lines), lines


@tests
def slow_within_its_budget_is_not_logged():
    with weir("slow", 'hold = "20ms"; timeout = "%ds";' % (2 * SLOW)) as w:
        assert chat(w.port, "hello")[0] == 200
        assert "stage_slow" not in w.text()


@tests
def never_resumes_is_refused_at_its_time():
    with weir("never_resumes", 'timeout = "300ms";') as w:
        start = time.monotonic()
        status, _, body = chat(w.port, "hello")
        took = time.monotonic() - start
        assert (status, code_of(body)) == (403, "guardrail_failed"), body
        assert 0.29 <= took < 1.0 * SLOW, took
        deny = w.wait_records(1, "deny")
        assert [(d["code"], d["status"]) for d in deny] == [("guardrail_failed", 403)], deny
        assert w.records("open") == []
    assert w.said.count("cancelled") == 1 and w.said.count(" stage_late ") == 1, w.said


@tests
def never_resumes_passes_when_failures_are_open():
    with weir("never_resumes", 'timeout = "100ms"; on_failure = "open";') as w:
        status, _, body = chat(w.port, "hello")
        assert status == 200 and content_of(body) == "hello", body
        assert w.wait_records(1)[0]["labels"]["fixture.failed"] == "true"
    assert w.said.count("cancelled") == 1, w.said


@tests
def never_resumes_ends_when_the_client_leaves():
    with weir("never_resumes", 'timeout = "60s";') as w:
        body = json.dumps({"model": "mock/echo", "messages": [{"role": "user", "content": "x"}]}).encode()
        s = socket.create_connection(("127.0.0.1", w.port), 5)
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                  % len(body) + body)
        time.sleep(0.1 * SLOW)
        assert "cancelled" not in w.text()
        s.close()
        assert eventually(lambda: "cancelled" in w.text()), w.text()
    assert w.said.count("cancelled") == 1, w.said


@tests
def resumes_twice_counts_once():
    with weir("resumes_twice") as w:
        for stream in (False, True):
            assert chat(w.port, "hello", stream=stream)[0] == 200
        assert [c["outcome"] for c in w.wait_records(2)] == ["ok", "ok"]
    lines = [x for x in w.said.splitlines() if " resume_twice " in x]
    assert len(lines) == 2 and all("stage=fixture" in x for x in lines), w.said


# ---- what dies, leaks, holds ----

def open_stream(w, model):
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "x"}]}).encode()
    s = socket.create_connection(("127.0.0.1", w.port), 30)
    s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
              % len(body) + body)
    return s, s.recv(65536)


def read_end(s, got):
    try:
        while b"[DONE]" not in got:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:
        pass
    s.close()
    return b"[DONE]" in got


@tests
def a_crash_costs_one_worker_and_no_more():
    with weir("crashes", workers=2, sanitizer="handle_segv=0") as w:
        assert eventually(lambda: len(workers(w)) == 2)
        before = workers(w)
        streams = [open_stream(w, "mock/lorem?chunks=20&chunk=%dms" % (100 * SLOW)) for _ in range(16)]
        assert all(b"200 OK" in got for _, got in streams)
        s = socket.create_connection(("127.0.0.1", w.port), 10)
        body = b'{"model":"mock/echo","messages":[{"role":"user","content":"please crash now"}]}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        s.sendall(head % len(body) + body)
        assert s.recv(1) == b"", "the crash was answered"
        gone = time.monotonic()
        now = eventually(lambda: (lambda p: p if len(p) == 2 and p != before else None)(workers(w)))
        took = (time.monotonic() - gone) * 1000
        assert now and len(set(now) & set(before)) == 1, (before, now)
        print("     replaced after %.0f ms" % took)
        assert took < 50 * SLOW, took
        for i in range(10):
            assert content_of(chat(w.port, "after %d" % i)[2]) == "after %d" % i
        whole = sum(read_end(s, got) for s, got in streams)
        assert 0 < whole < 16, whole
        closes = w.wait_records(26)
        outcomes = [c["outcome"] for c in closes]
        assert outcomes.count("worker_died") == 16 - whole and outcomes.count("ok") == 10 + whole, outcomes
        opens = w.records("open")
        assert len(opens) == 26 and {o["id"] for o in opens} == {c["id"] for c in closes}
        assert any("child_died" in x and "worker" in x for x in w.text().splitlines()), w.text()


@tests
def crash_after_crash_is_survived():
    with weir("crashes", sanitizer="handle_segv=0") as w:
        for i in range(3):
            try:
                chat(w.port, "crash now")
                raise AssertionError("the crash was answered")
            except (OSError, TypeError, AttributeError, IndexError):
                pass
            assert w.answers(5 * SLOW)
            assert content_of(chat(w.port, "still here")[2]) == "still here"


@tests
def leaks_are_harmless():
    with weir("leaks", sanitizer="detect_leaks=0") as w:
        s = socket.create_connection(("127.0.0.1", w.port), 10)
        body = b'{"model":"mock/echo","messages":[{"role":"user","content":"hello"}]}'
        one = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        for _ in range(2000):
            s.sendall(one % len(body) + body)
            assert read_message(s, 10)[0].startswith(b"HTTP/1.1 200")
        s.close()
        assert len(workers(w)) == 1 and "child_died" not in w.text()


@tests
def what_is_held_for_ever_is_removed():
    with weir("holds_forever") as w:
        status, _, body = chat(w.port, "hello")
        got = json.loads(body)
        assert status == 200 and (got["choices"][0]["message"]["content"] or "") == "", body
        assert got["choices"][0]["finish_reason"] == "stop" and got["usage"]["completion_tokens"] > 0, body
        status, _, body = chat(w.port, "hello", stream=True, stream_options={"include_usage": True})
        data = records_of(body)
        assert status == 200 and stream_text(body) == "" and data[-1] == b"[DONE]", body
        assert b'"finish_reason":"stop"' in body and json.loads(data[-2])["usage"]["completion_tokens"] > 0, body
        assert b"hello" not in body
        assert [(c["outcome"], c["finish"]) for c in w.wait_records(2)] == [("ok", "stop")] * 2


@tests
def bad_edits_are_a_failure():
    with weir("edits_badly") as w:
        status, _, body = chat(w.port, "hello")
        assert (status, code_of(body)) == (403, "guardrail_failed"), body
        assert w.text().count(" plugin_misused ") == 5, w.text()
        assert [d["code"] for d in w.wait_records(1, "deny")] == ["guardrail_failed"]
    with weir("edits_badly", 'on_failure = "open";') as w:
        status, _, body = chat(w.port, "hello")
        assert status == 200 and content_of(body) == "hello", body


# ---- BLOCK in every hook ----

@tests
def blocked_in_request_and_route_before_a_byte_is_sent():
    for where in ("request", "route"):
        up = Upstream(lambda n, _: [answer(completion("never"))])
        with weir("blocks_everywhere", 'where = "%s";' % where, upstream_provider(up)) as w:
            for stream in (False, True):
                status, _, body = chat(w.port, "hello", model="m", stream=stream)
                assert (status, code_of(body)) == (403, "blocked_in_" + where), body
                assert b"fixture" not in body.replace(b"guardrail fixture", b""), body   # the reason is for the record alone
            deny = w.wait_records(2, "deny")
            assert [d["code"] for d in deny] == ["blocked_in_" + where] * 2, deny
            assert all(d["reason"] == "fixture" for d in deny), deny
            assert w.records("open") == [] and up.requests == [] and up.connections == 0


@tests
def blocked_in_a_whole_answer():
    for where in ("event", "response"):
        up = Upstream(lambda n, _: [answer(completion("an answer"))])
        with weir("blocks_everywhere", 'where = "%s";' % where, upstream_provider(up)) as w:
            status, _, body = chat(w.port, "hello", model="m")
            assert (status, code_of(body)) == (403, "blocked_in_" + where), body
            assert b"an answer" not in body
            close = w.wait_records(1)
            assert [(c["outcome"], c["status"], c["reason"]) for c in close] == [("denied", 403, "fixture")], close


@tests
def blocked_in_event_before_the_first_byte_is_a_403():
    up = Upstream(lambda n, _: [SSE_HEAD + TEXT % b"an answer", "hold"])
    with weir("blocks_everywhere", 'where = "event";', upstream_provider(up)) as w:
        status, _, body = chat(w.port, "hello", model="m", stream=True)
        assert (status, code_of(body)) == (403, "blocked_in_event"), body
        assert eventually(lambda: up.gone == [0]), "the upstream is still asked"


@tests
def blocked_in_event_of_a_stream_that_has_begun_is_an_error_event():
    up = Upstream(lambda n, _: [SSE_HEAD + ROLE, 0.3, TEXT % b"an answer", "hold"])
    with weir("blocks_everywhere", 'where = "event";', upstream_provider(up)) as w:
        status, _, body = chat(w.port, "hello", model="m", stream=True)
        data = records_of(body)
        assert status == 200 and b"an answer" not in body, body
        assert json.loads(data[-2])["error"]["code"] == "blocked_in_event" and data[-1] == b"[DONE]", body
        assert eventually(lambda: up.gone == [0]), "the upstream is still asked"
        assert [(c["outcome"], c["reason"]) for c in w.wait_records(1)] == [("denied", "fixture")]


@tests
def blocked_in_response_of_a_stream_is_an_error_in_place_of_its_end():
    up = Upstream(lambda n, _: [SSE_HEAD + ROLE, 0.1, TEXT % b"an answer" + END, "close"])
    with weir("blocks_everywhere", 'where = "response";', upstream_provider(up)) as w:
        status, _, body = chat(w.port, "hello", model="m", stream=True)
        data = records_of(body)
        assert status == 200 and stream_text(body) == "an answer", body
        assert json.loads(data[-2])["error"]["code"] == "blocked_in_response" and data[-1] == b"[DONE]", body
        assert data.count(b"[DONE]") == 1
        assert [c["outcome"] for c in w.wait_records(1)] == ["denied"]


@tests
def who_observes_blocks_nothing():
    for where in ("request", "route", "event", "response"):
        with weir("blocks_everywhere", 'where = "%s"; mode = "observe";' % where) as w:
            assert content_of(chat(w.port, "hello")[2]) == "hello"
            status, _, body = chat(w.port, "hello", stream=True)
            assert status == 200 and stream_text(body) == "hello", body
            closes = w.wait_records(2)
            assert [c["outcome"] for c in closes] == ["ok", "ok"], closes
            assert all(c["labels"]["fixture.would_block"] == "fixture" for c in closes), (where, closes)


@tests
def what_a_guardrail_reads_is_bounded():
    up = Upstream(lambda n, _: [SSE_HEAD] + [TEXT % (b"x" * 900)] * 200 + [END, "close"])
    with weir("blocks_everywhere", 'where = "request"; mode = "observe";', upstream_provider(up) + 'max_response = "64k";\n') as w:
        status, _, body = chat(w.port, "hello", model="m", stream=True)
        assert b'"code":"upstream_too_large"' in body and len(body) < 80000, body[-300:]
        assert [c["outcome"] for c in w.wait_records(1)] == ["upstream_invalid"]


# ---- the skeleton ----

SKELETON = {"acme": "providers", "hello": "providers", "wordlimit": "guardrails", "lines": "sinks"}


def build_skeleton():
    work = os.path.join(FOLDER, "skeleton")
    shutil.copytree(os.path.join(ROOT, "sdk", "skeleton"), work)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "B", "SAN")}
    subprocess.run(["make", "-s", "all", "WEIR_INCLUDE=" + os.path.join(ROOT, "sdk")], cwd=work, env=env, check=True)
    for name, kind in SKELETON.items():
        found = glob.glob(os.path.join(work, "**", name + ".so"), recursive=True)
        place_plugin(found[0], kind)


@tests
def skeleton_plugins_serve_a_request_each():
    build_skeleton()
    up = Upstream(lambda n, _: [answer(completion("one two three four"))])
    config = ('plugins = "%s";\n' % FOLDER
              + 'providers = ( { name = "acme"; url = "%s/v2"; key = "env:ACME_KEY"; team = "blue"; models = [ "rocket=rocket-9" ]; },\n' % up.url
              + '  { name = "hello"; models = [ "hello/world" ]; pause = "1ms"; } );\n'
              + 'guardrails = ( { name = "short"; plugin = "wordlimit"; limit = 5; answer_limit = 3; } );\n'
              + 'sinks = ( { name = "told"; plugin = "lines"; path = "lines.jsonl"; } );\n')
    with Weir(config, env={"ACME_KEY": "acme-secret-0123456789"}) as w:
        status, _, body = chat(w.port, "hi there", model="hello/world")
        assert status == 200 and content_of(body) == "hello from weir", body
        status, _, body = chat(w.port, "hi there", model="hello/world", stream=True)
        assert status == 200 and stream_text(body) == "hello from weir", body
        status, _, body = chat(w.port, "hi there", model="rocket")
        assert status == 200 and content_of(body).split() == ["one", "two", "three"], body
        head, headers, sent, _ = up.requests[0]
        low = {k.lower(): v for k, v in headers}
        assert head == b"POST /v2/chat HTTP/1.1" and json.loads(sent)["model"] == "rocket-9", (head, sent)
        assert (low[b"authorization"], low[b"acme-version"], low[b"acme-team"]) == (b"Bearer acme-secret-0123456789", b"2026-01-01", b"blue")
        status, _, body = chat(w.port, "one two three four five six", model="rocket")
        assert (status, code_of(body)) == (403, "too_many_words"), body
        status, _, body = chat(w.port, "hi", model="rocket", logprobs=True)
        assert status == 400 and json.loads(body)["error"]["param"] == "logprobs", body
        assert len(up.requests) == 1
        path = os.path.join(w.dir, "lines.jsonl")
        want = {(r["kind"], r["id"]) for r in w.wait_records(4) + w.records("deny")}   # `open` is not told unless asked for
        assert len(want) == 5, want
        eventually(lambda: os.path.exists(path) and sum(1 for _ in open(path)) >= 5)
        told = [json.loads(line) for line in open(path)]
        assert {(t["kind"], t["id"]) for t in told} == want, told


place_plugins()
tests.run(lambda: shutil.rmtree(FOLDER, ignore_errors=True))
