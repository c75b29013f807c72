#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands.py -- the subcommands that start nothing: what they print, and their exit codes."""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zlib

from _weir import ROOT, WEIR, Tests

tests = Tests()
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def weir(*args, config=None, stdout=subprocess.PIPE):
    """(exit code, stdout, stderr) of a run in a folder that has `config` as weir.conf."""
    d = tempfile.mkdtemp(prefix="weir-test-")
    try:
        if config is not None:
            with open(os.path.join(d, "weir.conf"), "w") as f:
                f.write(config)
        done = subprocess.run([WEIR] + list(args), stdout=stdout, stderr=subprocess.PIPE, cwd=d, timeout=30)
        return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()
    finally:
        shutil.rmtree(d)


@tests
def help_and_usage():
    for args in (["help"], ["--help"], ["-h"]):
        code, out, err = weir(*args)
        assert code == 0 and not err, (args, code, err)
        for word in ("serve", "check", "keys", "journal", "plugins", "docs", "help", "version", "Exit codes: 0"):
            assert word in out, (args, word)
    code, out, _ = weir()
    assert code == 2 and "weir serve" in out
    for name in ("serve", "check", "keys", "journal", "plugins", "docs", "help", "version"):
        code, out, err = weir("help", name)
        assert code == 0 and "weir " + name in out and not err, (name, out, err)
        assert weir(name, "--help")[1] == out, name
    for name in ("settings", "providers", "guardrails", "sinks", "keys", "mock", "openai"):
        assert weir("help", name)[0] == 0, name
    assert "  key = \"\"   (secret: " in weir("help", "openai")[1]
    assert weir("--version")[1].startswith("weir ")


@tests
def wrong_calls_exit_with_2():
    for args, said in ((["chek"], 'did you mean "check"?'), (["xyzxyz"], '"weir help" lists them'), (["help", "opnai"], 'did you mean "openai"?'),
                       (["check", "--nope"], 'unknown option "--nope"'), (["check", "-c"], "--config needs a value"),
                       (["check", "weir.conf"], "-c"), (["check", "--json=1"], "--json takes no value"), (["keys"], "keys new"),
                       (["keys", "new", "--id", "a b"], "an id is"), (["keys", "new", "--id", "local"], "an id is"),
                       (["keys", "list"], "-c FILE"), (["docs", "nope"], 'no page "nope"'), (["version", "x"], "no argument"),
                       (["plugins", "x"], "no argument")):
        code, out, err = weir(*args)
        assert code == 2 and not out, (args, code, out)
        assert said in err and err.count("\n") == 1, (args, err)


@tests
def options_may_be_written_in_every_usual_way():
    for args in (["-c", "weir.conf"], ["-cweir.conf"], ["--config", "weir.conf"], ["--config=weir.conf"]):
        code, out, err = weir("check", *args, config='listen = "127.0.0.1:7777";')
        assert code == 0 and "http://127.0.0.1:7777/v1" in out, (args, out, err)


@tests
def a_new_key_is_a_key():
    seen = set()
    for _ in range(20):
        code, out, err = weir("keys", "new", "--json")
        assert code == 0 and not err
        new = json.loads(out)
        key = new["key"]
        body, check = key[3:46], key[46:]
        assert key.startswith("wk_") and len(key) == 52 and all(c in DIGITS for c in body + check), key
        assert sum(DIGITS.index(c) * 62 ** i for i, c in enumerate(check)) == zlib.crc32(key[:46].encode()), key
        assert new["sha256"] == hashlib.sha256(key.encode()).hexdigest()
        seen.add(key)
    assert len(seen) == 20
    code, out, _ = weir("keys", "new", "--id", "lab-1")
    lines = out.splitlines()
    block = [line.strip() for line in lines if line.startswith("  { ")]
    assert block == ['{ id = "lab-1";  sha256 = "%s"; }' % hashlib.sha256(lines[0].encode()).hexdigest()]
    code, out, err = weir("keys", "list", "-c", "weir.conf", config="keys = ( %s );" % block[0])
    assert code == 0 and "lab-1" in out and lines[0] not in out, (out, err)


@tests
def keys_are_listed():
    config = ('keys = ( { id = "a"; sha256 = "%064x"; rate = "60 / minute"; models = [ "gpt-*", "x" ]; workspace = "lab"; },\n'
              '  { id = "b"; sha256 = "%064x"; disabled = true; rate = "5 / 30 seconds"; } );' % (1, 2))
    rows = weir("keys", "list", "-c", "weir.conf", config=config)[1].splitlines()
    assert rows[0].split() == ["id", "sha256", "state", "workspace", "rate", "providers", "models"]
    assert rows[1].split() == ["a", "00000000...", "active", "lab", "60", "/", "minute", "all", "gpt-*", "x"]
    assert rows[2].split() == ["b", "00000000...", "disabled", "-", "5", "/", "30", "seconds", "all", "all"]
    listed = json.loads(weir("keys", "list", "-c", "weir.conf", "--json", config=config)[1])
    assert [k["id"] for k in listed] == ["a", "b"] and listed[0]["models"] == ["gpt-*", "x"] and listed[1]["disabled"]
    assert "everybody" in weir("keys", "list", "-c", "weir.conf", config="")[1] or "every client" in weir("keys", "list", "-c", "weir.conf", config="")[1]


@tests
def check_shows_what_would_run():
    config = ('listen = "127.0.0.1:7777";\n'
              'providers = ( { name = "mock"; }, { name = "ours"; plugin = "openai"; url = "http://127.0.0.1:9/v1"; models = "big"; },\n'
              '  { name = "gone"; plugin = "openai"; key = "env:WEIR_NOT_SET"; optional = true; } );\n')
    code, out, err = weir("check", "-c", "weir.conf", config=config)
    assert code == 0 and not err, err
    assert any(line.split() == ["ours", "openai", "openai", "http://127.0.0.1:9/v1", "big"] for line in out.splitlines()), out
    assert "weir.conf:3: provider gone is left out: key: environment variable WEIR_NOT_SET is not set" in out
    code, out, err = weir("check", "-c", "weir.conf", "--json", config=config)
    seen = json.loads(out)
    assert seen["ok"] and seen["errors"] == [] and len(seen["notes"]) == 1
    assert [p["name"] for p in seen["providers"]] == ["mock", "ours"] and seen["providers"][1]["dialect"] == "openai"
    assert seen["providers"][1]["line"] == 2


@tests
def check_tells_every_mistake():
    config = 'listen_ = "x";\nworkers = -1;\n'
    code, out, err = weir("check", "-c", "weir.conf", config=config)
    lines = ['weir.conf:1: unknown option listen_; did you mean "listen"?', "weir.conf:2: workers is out of range; it must be 0 to 1024"]
    assert code == 1 and not out and err.splitlines() == lines, err
    seen = json.loads(weir("check", "-c", "weir.conf", "--json", config=config)[1])
    assert not seen["ok"] and seen["errors"] == lines


@tests
def the_shipped_configuration_is_fine():
    code, out, err = weir("check", "-c", os.path.join(ROOT, "weir.conf"))
    assert code == 0 and not err, err
    code, out, err = weir("check")
    assert code == 0 and not err, err


@tests
def without_a_key_nobody_else_is_let_in():
    for command in ("check", "serve"):
        code, out, err = weir(command, "-l", "0.0.0.0:0")
        assert code == 1 and not out, (command, code, out)
        assert "0.0.0.0:0 is open to other machines but there is no key; listen on 127.0.0.1, or add one with \"weir keys new\"" in err
    code, _, err = weir("serve", "-c", "weir.conf", config='\nlisten = "[::]:0";\n')
    assert code == 1 and err.startswith("weir.conf:2: [::]:0 is open to other machines"), err


@tests
def pages_of_the_docs():
    names = weir("docs", "--list")[1].split()
    assert set(names) >= {"options", "pipeline", "records", "log", "metrics"}
    for name in names:
        code, out, err = weir("docs", name)
        assert code == 0 and not err, (name, err)
        assert out.startswith("<!-- Printed by `weir docs %s`" % name) and "\n# " in out
    options = weir("docs", "options")[1]
    for row in ("| `listen` | text | `\"127.0.0.1:8080\"` |", "| `max_body` | size | `\"32M\"` |", "| `key` | secret | `\"\"` |", "### openai"):
        assert row in options, row


@tests
def plugins_are_listed():
    code, out, _ = weir("plugins")
    assert code == 0 and "openai" in out and "mock" in out
    rows = json.loads(weir("plugins", "--json")[1])
    assert {"openai", "mock"} <= {r["name"] for r in rows} and all(r["error"] is None for r in rows)
    code, out, _ = weir("plugins", "-p", ".")
    assert code == 0 and "no plugin in ." in out


@tests
def a_full_disk_is_a_failure():
    with open("/dev/full", "w") as full:
        for args in (["help"], ["check"], ["docs", "options"], ["keys", "new"], ["plugins", "--json"]):
            code, _, err = weir(*args, stdout=full)
            assert code == 1 and "No space left" in err, (args, code, err)


tests.run()
