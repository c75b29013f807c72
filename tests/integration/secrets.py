#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""secrets.py -- a canary in every place where a secret may come from is in nothing that weir says, serves or leaves on disk."""
import os
import shutil
import subprocess
import tempfile

from _weir import WEIR, Tests, Upstream, Weir, answer, chat, request

tests = Tests()
CANARY = "CANARY-7f3a91"
ENV, FILE, EXEC, PROXY = (CANARY + "-" + where for where in ("env", "file", "exec", "proxy"))

PROVIDERS = """
providers = (
  { name = "mock"; },
  { name = "a"; plugin = "openai"; url = "http://127.0.0.1:1/v1"; key = "env:WEIR_CANARY"; },
  { name = "b"; plugin = "openai"; url = "http://127.0.0.1:1/v1"; key = "file:canary"; },
  { name = "c"; plugin = "openai"; url = "http://127.0.0.1:1/v1"; key = "exec:cat canary-exec"; },
  { name = "d"; plugin = "openai"; url = "http://127.0.0.1:1/v1"; proxy = "env:WEIR_CANARY_PROXY"; }
);
"""


class Place:
    """A folder with a configuration and canaries."""

    def __init__(self, config=PROVIDERS):
        self.dir = tempfile.mkdtemp(prefix="weir-test-")
        self.env = dict(os.environ, WEIR_CANARY=ENV, WEIR_CANARY_PROXY="http://user:%s@127.0.0.1:1" % PROXY)
        self.put("canary", FILE + "\n", 0o644)
        self.put("canary-exec", EXEC + "\n")
        self.put("weir.conf", config)

    def put(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def run(self, *args):
        done = subprocess.run([WEIR] + list(args), capture_output=True, env=self.env, cwd=self.dir, timeout=30)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)


def silent(text, where):
    assert CANARY not in text, "%s holds a secret:\n%s" % (where, text)


@tests
def commands_say_none():
    with Place() as place:
        for args in (["check", "-c", "weir.conf"], ["check", "-c", "weir.conf", "--json"], ["check"],
                     ["keys", "list", "-c", "weir.conf"], ["keys", "list", "-c", "weir.conf", "--json"], ["plugins"],
                     ["help"], ["help", "openai"], ["help", "providers"], ["docs", "options"], ["version"]):
            code, out, err = place.run(*args)
            assert code == 0, (args, out, err)
            assert out and not err, (args, err)
            silent(out, " ".join(args))


@tests
def mistakes_say_none():
    literal = CANARY + "-literal"
    mistakes = {
        "a literal": 'providers = ( { name = "openai"; key = "%s"; } );' % literal,
        "a literal in a list": 'providers = ( { name = "openai"; key = [ "%s" ]; } );' % literal,
        "a literal without quotes": 'providers = ( { name = "openai"; key = %s; } );' % literal,
        "a literal with an open quote": 'providers = ( { name = "openai"; key = "%s; } );' % literal,
        "a wrong name": 'providers = ( { name = "openai"; keys = "%s"; } );' % literal,
        "in the URL": 'providers = ( { name = "openai"; url = "https://%s@h/v1"; } );' % literal,
        "as the URL": 'providers = ( { name = "openai"; url = "%s"; } );' % literal,
        "in the proxy": 'providers = ( { name = "openai"; proxy = "http://u:%s@h:1"; } );' % literal,
        "the key in place of its digest": 'keys = ( { id = "a"; sha256 = "%s"; } );' % literal,
        "at the top": 'openai_api_key = "%s";' % literal,
        "a mistake beside a good reference": 'providers = ( { name = "openai"; key = "env:WEIR_CANARY"; nope = 1; } );',
    }
    for what, config in mistakes.items():
        with Place(config) as place:
            for args in (["check", "-c", "weir.conf"], ["check", "-c", "weir.conf", "--json"], ["serve", "-c", "weir.conf"]):
                code, out, err = place.run(*args)
                assert code == 1, (what, args, code, out, err)
                assert "weir.conf:" in out + err, (what, args, out, err)
                silent(out + err, what + ": " + " ".join(args))


@tests
def references_that_fail_say_none():
    failing = {
        "exec that fails": 'exec:cat canary-exec; cat canary-exec >&2; exit 1',
        "exec of two lines": 'exec:cat canary-exec canary-exec',
        "file of two lines": 'file:two',
        "variable of two lines": 'env:WEIR_CANARY_LINES',
        "no such file": 'file:missing',
    }
    for what, reference in failing.items():
        with Place('listen = "127.0.0.1:0"; providers = ( { name = "openai"; key = "%s"; } );' % reference) as place:
            place.put("two", FILE + "\n" + FILE + "\n")
            place.env["WEIR_CANARY_LINES"] = ENV + "\n" + ENV
            code, out, err = place.run("serve", "-c", "weir.conf")
            assert code == 1, (what, code, out, err)
            assert "weir.conf:1: key: " in err, (what, out, err)
            silent(out + err, what)


def files_below(folder):
    for at, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(at, name), "rb") as f:
                yield os.path.join(at, name), f.read()


@tests
def a_running_weir_tells_none():
    """An upstream that repeats our key in every answer it can: as an error of its own, as a refusal of our credential, in a header."""
    def script(n, message):
        headers = {k.lower(): v for k, v in message[1]}
        key = headers[b"authorization"].split()[1].decode()
        assert key == ENV
        status = ["400 Bad Request", "401 Unauthorized", "429 Too Many Requests", "500 Internal Server Error"][n % 4]
        return [answer({"error": {"message": "wrong key: " + key, "type": "x", "code": key}}, status, [("x-key", key)])]

    upstream = Upstream(script)
    config = ('providers = ( { name = "openai"; url = "%s/v1"; key = "env:WEIR_CANARY"; }, { name = "mock"; } );\n' % upstream.url)
    with Weir(config, env={"WEIR_CANARY": ENV}) as w:
        for _ in range(8):
            status, headers, body = chat(w.port, "hello", model="openai/m")
            assert status >= 400, status
            silent(body.decode() + repr(headers), "the answer")
        assert chat(w.port, "env:WEIR_CANARY")[0] == 200
        silent(request(w.port, "GET", "/v1/models")[2].decode(), "/v1/models")
        for pid in [w.process.pid] + w.children():
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                silent(f.read().decode("utf-8", "replace"), "the command line")
        w.stop()
        assert len(upstream.requests) >= 8
        silent(w.text(), "the log")
        for path, text in files_below(w.state):
            silent(text.decode("latin-1"), path)
    upstream.close()


tests.run()
