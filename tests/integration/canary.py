# SPDX-License-Identifier: Apache-2.0
"""canary.py -- keys of providers and of clients while weir serves: in no answer, no log, no record, no metric, no file, no core.

secrets.py looks at commands and at mistakes in the configuration; this is the running gateway.
"""
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from _weir import SANITIZED, WEIR, Tests, Upstream, Weir, answer, chat, completion, free_port, request

tests = Tests()
SLOW = 5 if SANITIZED else 1
WORD = "CANARY-51c0"
ENV, FILE, EXEC, CLIENT, WRONG = ("sk-%s-%s-0123456789" % (WORD, where) for where in ("env", "file", "exec", "client", "wrong"))
KEYS = {"by-env": ENV, "by-file": FILE, "by-exec": EXEC}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
TEXT = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
WAYS = ("well", "refusal", "error", "busy", "header", "body", "stream", "late")


def silent(text, where):
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    assert WORD not in text, "%s holds a key:\n%s" % (where, text[-3000:])


def repeat_key(_, message):
    """An upstream that says our key back in the way that the prompt names."""
    key = dict((k.lower(), v) for k, v in message[1])[b"authorization"].split()[1]
    prompt = json.loads(message[2])["messages"][0]["content"]
    told = {"error": {"message": "key " + key.decode(), "type": "x", "code": key.decode()}}
    return {
        "well": [answer(completion("fine"))],
        "refusal": [answer(told, "401 Unauthorized")],
        "error": [answer(told, "400 Bad Request")],
        "busy": [answer(told, "503 Service Unavailable")],
        "header": [answer(completion("fine"), headers=[("x-key", key.decode()), ("set-cookie", key.decode())])],
        "body": [answer(completion("your key is " + key.decode()))],
        "stream": [HEAD + TEXT % key, "close"],
        "late": [HEAD + TEXT % b"one", 0.1, TEXT % key, "close"],
    }[prompt]


class Place:
    """A weir with a key of each kind, keys for clients, a sink and an admin listener."""

    def __init__(self, upstream):
        self.admin = free_port()
        config = ('admin = "127.0.0.1:%d"; log_level = "debug";\nproviders = (\n' % self.admin
                  + ",\n".join('  { name = "%s"; plugin = "openai"; url = "%s/v1"; key = "%s"; models = [ "%s" ]; }'
                               % (name, upstream.url, ref, name)
                               for name, ref in (("by-env", "env:TEST_CANARY"), ("by-file", "file:canary"), ("by-exec", "exec:cat canary-exec")))
                  + '\n);\nkeys = ( { id = "k1"; sha256 = "%s"; } );\n' % hashlib.sha256(CLIENT.encode()).hexdigest()
                  + 'sinks = ( { name = "lines"; plugin = "jsonl"; path = "lines.jsonl"; kinds = [ "open", "close", "deny" ]; } );\n')
        self.weir = Weir(config, env={"TEST_CANARY": ENV}, start=False, workers=1)
        self.dir = self.weir.dir
        for name, text in (("canary", FILE), ("canary-exec", EXEC)):
            with open(os.path.join(self.dir, name), "w") as f:
                f.write(text + "\n")
            os.chmod(f.name, 0o600)
        here = os.getcwd()
        os.chdir(self.dir)                   # exec: and cores begin there
        try:
            self.weir.start()
        finally:
            os.chdir(here)


@tests
def a_running_weir_keeps_keys_to_itself():
    up = Upstream(repeat_key)
    place = Place(up)
    with place.weir as w:
        auth = [("Authorization", "Bearer " + CLIENT)]
        for model, key in KEYS.items():
            for way in WAYS:
                seen = len(up.requests)
                status, headers, body = chat(w.port, way, model, way in ("stream", "late"), auth)
                silent(repr(headers).encode() + body, "%s, %s" % (model, way))
                assert (status == 200) == (way in ("well", "header", "late")), (model, way, status, body)
                head, sent, _, _ = up.requests[seen]
                assert ("Bearer " + key).encode() in dict((k.lower(), v) for k, v in sent).values(), (model, sent)
                assert CLIENT.encode() not in head + repr(sent).encode() + up.requests[seen][2]
        for name in ("Authorization", "x-api-key", "api-key", "x-goog-api-key"):
            status, headers, body = chat(w.port, "well", "by-env", headers=[(name, ("Bearer " if name[0] == "A" else "") + WRONG)])
            assert status == 401, (name, status)
            silent(repr(headers).encode() + body, "the answer to a wrong key")
        silent(request(w.port, "GET", "/v1/models", headers=auth)[2], "/v1/models")
        for path in ("/metrics", "/ready", "/health"):
            status, _, body = request(place.admin, "GET", path)
            assert status == 200 and body, (path, status)
            silent(body, path)
        assert len(w.wait_records(3 * len(WAYS))) == 3 * len(WAYS)
        for args in (["journal", w.state], ["journal", w.state, "--json"], ["check", "-c", w.file], ["keys", "list", "-c", w.file]):
            done = subprocess.run([WEIR] + args, capture_output=True, env=w.env, cwd=place.dir, timeout=30)
            assert done.stdout, (args, done)
            silent(done.stdout + done.stderr, " ".join(args))
        w.stop()
        silent(w.text(), "the log")
        files = 0
        for at, _, names in os.walk(place.dir):
            for name in names:
                if name not in ("canary", "canary-exec"):
                    with open(os.path.join(at, name), "rb") as f:
                        silent(f.read(), name)
                    files += 1
        assert files >= 4 and os.path.getsize(os.path.join(place.dir, "lines.jsonl")) > 1000
    up.close()


# ---- cores ----

def cores_below(folder):
    return [name for name in os.listdir(folder) if name.startswith("core")]


def cores_are_files():
    """Whether a process that aborts here leaves a file at all: else their absence shows nothing."""
    folder = tempfile.mkdtemp(prefix="weir-core-")
    try:
        subprocess.run(["/bin/sh", "-c", "kill -ABRT $$"], cwd=folder, stderr=subprocess.DEVNULL)
        return bool(cores_below(folder))
    finally:
        shutil.rmtree(folder)


def processes(w):
    found = {}
    for pid in w.children():
        try:
            with open("/proc/%d/comm" % pid) as f:
                found[f.read().strip()] = pid
        except OSError:
            pass
    return found


@tests
def no_process_leaves_a_core():
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        tests.skip("this machine lets nobody write a core")
        return
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        if not cores_are_files():
            tests.skip("cores are not written into the folder of their process here")
            return
        up = Upstream(repeat_key)
        place = Place(up)
        with place.weir as w:
            assert chat(w.port, "well", "by-env", headers=[("Authorization", "Bearer " + CLIENT)])[0] == 200
            for name in ("weir:worker", "weir:sink", "weir:recorder", "weir:generation"):
                end = time.monotonic() + 5 * SLOW
                pid = None
                while not pid and time.monotonic() < end:
                    pid = next((p for n, p in processes(w).items() if n.startswith(name[:13])), None)
                assert pid, (name, processes(w))
                os.kill(pid, signal.SIGABRT)
                while os.path.exists("/proc/%d" % pid) and time.monotonic() < end:
                    time.sleep(0.01)
                assert not os.path.exists("/proc/%d" % pid), name
                assert cores_below(place.dir) == [], name
            assert w.answers(10 * SLOW)
            assert w.text().count("signal=ABRT") == 4, w.text()
        up.close()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


tests.run()
