# SPDX-License-Identifier: Apache-2.0
"""refusals.py -- each refusal of a request to the API leaves one `deny`; what is no request leaves none; and whoever has no key
cannot fill the journal at the expense of who has one."""
import hashlib
import json
import os
import re
import signal
import socket
import time

from _weir import Tests, Weir, chat, free_port, read_message, request

tests = Tests()
MOCK = 'providers = ( { name = "mock"; models = [ "mock/*" ]; } );\n'
KEY, OTHER, OFF = "wk-refusals-good-0123", "wk-refusals-other-4567", "wk-refusals-off-89ab"
KEYS = "keys = (\n%s\n);\n" % ",\n".join('  { id = "%s"; sha256 = "%s"; %s }' % (i, hashlib.sha256(k.encode()).hexdigest(), more)
                                         for i, k, more in (("k1", KEY, 'models = [ "mock/echo" ];'), ("k2", OTHER, ""),
                                                            ("k3", OFF, "disabled = true;")))
BURST = 100                                  # STRANGERS_BURST and STRANGERS_RATE of host/worker/entry.c
RATE = 10
BODY = b'{"model":"mock/echo","messages":[{"role":"user","content":"canary-of-the-body"}]}'
PATH = "/v1/chat/completions"


def send(port, lines, body=b""):
    """(status, code, id) of what answers these head lines and this body; None where there is no such thing."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        first, headers, text, _ = read_message(s, 20)
        low = {k.decode().lower(): v.decode() for k, v in headers}
        error = json.loads(text)["error"]
        code = error["code"] if not isinstance(error["code"], int) else error["metadata"]["code"]       # below /api it is the status
        return int(first.split()[1]), code, low.get("x-weir-request-id")


def post(body, *headers, path=PATH, kind="application/json", length=None):
    return ["POST %s HTTP/1.1" % path, "Host: gateway.example", "Content-Type: " + kind,
            "Content-Length: %d" % (len(body) if length is None else length)] + list(headers), body


def bearer(key):
    return "Authorization: Bearer " + key


def get(path, *headers, method="GET"):
    return ["%s %s HTTP/1.1" % (method, path), "Host: gateway.example"] + list(headers), b""


# what is sent, status, code (None: any), what the record says; a record without "key" has none
ROWS = [
    (post(BODY), 401, "missing_api_key", {"dialect": "openai", "path": PATH, "model": "mock/echo"}),
    (post(BODY, bearer("wk-wrong-canary")), 401, "invalid_api_key", {"model": "mock/echo"}),
    (post(BODY, bearer(OFF)), 401, "invalid_api_key", {}),
    (post(BODY, "x-api-key: wk-wrong-canary", path="/api" + PATH + "?key=wk-query-canary"), 401, "invalid_api_key", {"path": PATH}),
    (get("/v1/models"), 401, "missing_api_key", {"path": "/v1/models"}),
    (get("/v1/nope"), 404, "not_found", {"path": "/v1/nope"}),
    (get("/api/v1/nope?key=wk-query-canary", bearer(OTHER)), 404, "not_found", {"path": "/v1/nope", "key": "k2"}),
    (get("/v1"), 404, "not_found", {"path": "/v1"}),
    (get(PATH), 405, "method_not_allowed", {"path": PATH}),
    (get(PATH, bearer(KEY), method="DELETE"), 405, "method_not_allowed", {"key": "k1"}),
    (post(BODY, kind="text/plain"), 415, "unsupported_media_type", {"dialect": "openai"}),
    (post(BODY, bearer(KEY), kind="text/plain"), 415, "unsupported_media_type", {"key": "k1"}),
    (post(b'{"canary-of-the-body'), 400, None, {"dialect": "openai"}),
    (post(b'["canary-of-the-body"]', bearer(KEY)), 400, None, {"key": "k1"}),
    (post(BODY, length=65537), 413, "body_too_large", {"path": PATH}),
    (post(BODY, bearer(KEY), length=65537), 413, "body_too_large", {"path": PATH, "key": "k1"}),
    ((get(PATH, "Content-Type: application/json", "Transfer-Encoding: chunked", bearer(KEY), method="POST")[0],
      b"10001\r\n" + b"x" * 65537 + b"\r\n"), 413, "body_too_large", {"path": PATH, "key": "k1"}),
    (post(BODY.replace(b"echo", b"lorem"), bearer(KEY)), 403, "model_not_allowed", {"key": "k1", "model": "mock/lorem"}),
    (post(BODY.replace(b"mock/echo", b"no/such"), bearer(OTHER)), 404, "model_not_found", {"key": "k2", "model": "no/such"}),
]
# no request, or not to the API: answered, and no record
NONE = [
    (get("/favicon.ico"), 404),
    (get("/v1x"), 404),
    (get("/other/v1/models"), 404),
    ((["GET  %s HTTP/1.1" % PATH, "Host: x"], b""), 400),
    ((["POST %s HTTP/1.1" % PATH, "Host: x", "Content-Length: 1", "Content-Length: 2"], b""), 400),
    ((["POST %s HTTP/1.1" % PATH, "Host: x", "Transfer-Encoding: chunked"], b"zz\r\n"), 400),
    ((["GET %s HTTP/1.1" % PATH, "Host: x", "X: " + "y" * 40000], b""), 431),
]


@tests
def each_refusal_leaves_one_record():
    with Weir(MOCK + KEYS + "max_body = 65536;\n") as w:
        for what, status in NONE:
            assert send(w.port, *what)[0] == status, what
        want = []
        for what, status, code, members in ROWS:
            got = send(w.port, *what)
            assert got[0] == status and code in (None, got[1]) and got[2], (what[0], got)
            want.append((got[2], dict(members, status=status, code=got[1], outcome="refused")))
        assert chat(w.port, "fine", headers=[("Authorization", "Bearer " + KEY)])[0] == 200
        w.wait_records(1)                    # the last to be written
        denies = w.records("deny")
        assert [d["id"] for d in denies] == [i for i, _ in want], denies
        for d, (_, members) in zip(denies, want):
            assert all(d.get(k) == v for k, v in members.items()), (d, members)
            assert ("key" in d) == ("key" in members), d
        assert len(w.records("open")) == len(w.records("close")) == 1
        text = json.dumps(denies)
        for word in ("canary", KEY, OTHER, OFF):
            assert word not in text, word


@tests
def a_body_too_slow_leaves_one_record():
    with Weir(MOCK + 'body_timeout = "300ms"; body_min_rate = 100000;\n') as w:
        lines, _ = post(b"", length=1000)
        got = send(w.port, lines, b'{"model"')
        assert got[:2] == (408, "timeout"), got
        denies = w.wait_records(1, "deny")
        assert [(d["id"], d["status"], d["code"], d["bytes_in"]) for d in denies] == [(got[2], 408, "timeout", 8)], denies


@tests
def another_name_for_this_machine_leaves_one_record():
    with Weir(MOCK) as w:
        got = send(w.port, *post(BODY))
        assert got[:2] == (403, "host_not_local"), got
        assert [(d["id"], d["code"]) for d in w.wait_records(1, "deny")] == [(got[2], "host_not_local")]


def flood(w, n, path="/v1/nope", header="X: y"):
    """n refusals on one connection."""
    with socket.create_connection(("127.0.0.1", w.port), 20) as s:
        f = s.makefile("rb")
        for _ in range(n):
            s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (path, header)).encode())
            assert b" 404 " in f.readline()
            length = 0
            while True:
                line = f.readline()
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                if line == b"\r\n":
                    break
            f.read(length)


def dropped(admin):
    text = request(admin, "GET", "/metrics")[2].decode()
    return int(re.search(r"^weir_denies_dropped_total (\d+)$", text, re.M)[1])


@tests
def without_a_key_only_so_many_a_second_are_recorded():
    admin = free_port()
    with Weir(MOCK + KEYS + 'admin = "127.0.0.1:%d";\n' % admin, workers=2) as w:
        start = time.monotonic()
        for _ in range(4):                   # on whichever worker it comes: the bound is for all together
            flood(w, 250)
        most = BURST + RATE * (time.monotonic() - start) + 1
        for _ in range(20):                  # who has a key is not among them
            assert send(w.port, *get("/v1/nope", bearer(KEY)))[0] == 404
        w.wait_records(BURST + 20, "deny")
        time.sleep(0.3)
        denies = w.records("deny")
        known = sum(d.get("key") == "k1" for d in denies)
        strangers = len(denies) - known
        print("     1000 refusals without a key: %d records" % strangers)
        assert known == 20, known
        assert BURST <= strangers <= most, (strangers, most)
        assert dropped(admin) == 1000 - strangers, (dropped(admin), strangers)


def pid_of(w, name):
    """A child takes its name after it has been started; the listener may answer before that."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for pid in w.children():
            try:
                with open("/proc/%d/comm" % pid) as f:
                    if name in f.read():
                        return pid
            except OSError:
                pass
        time.sleep(0.05)
    raise AssertionError("no " + name)


@tests
def without_a_key_half_of_the_ring_stays_free():
    admin = free_port()
    with Weir(MOCK + KEYS + 'admin = "127.0.0.1:%d"; ring_size = "1M";\n' % admin) as w:
        recorder = pid_of(w, "recorder")
        auth = [("Authorization", "Bearer " + KEY)]
        assert chat(w.port, "before", headers=auth)[0] == 200
        w.wait_records(1)
        os.kill(recorder, signal.SIGSTOP)    # nothing leaves the ring now
        try:
            flood(w, 5)
            flood(w, 500, "/v1/" + "n" * 1000, bearer(KEY))      # over half of it
            flood(w, 20)
            for i in range(20):
                assert chat(w.port, "with a key %d" % i, headers=auth)[0] == 200
        finally:
            os.kill(recorder, signal.SIGCONT)
        w.wait_records(21)
        denies = w.records("deny")
        assert sum("key" not in d for d in denies) == 5
        assert sum(d.get("key") == "k1" for d in denies) == 500
        assert len(w.records("open")) == len(w.records("close")) == 21
        assert dropped(admin) == 20


tests.run()
