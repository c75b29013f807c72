# SPDX-License-Identifier: Apache-2.0
"""promises.py -- `weir promises`, mistakes in its file by line, and which blocks of providers get what their vendor promises."""
import json
import os
import subprocess
import tempfile

from _weir import WEIR, Tests

tests = Tests()
ROW = 'provider = "x"; fact = "training"; value = "no"; source = "https://x.example"; date = "2026-02-23";'


def run(*args):
    return subprocess.run([WEIR, *args], capture_output=True, text=True, timeout=60, env=dict(os.environ, KEY="a-key-of-some-length"))


def wrong(text):
    with tempfile.TemporaryDirectory(prefix="weir-test-") as folder:
        path = os.path.join(folder, "p.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        got = run("promises", "list", "-f", path)
        return got.returncode, got.stderr.replace(path, "FILE")


@tests
def ours_has_sources_and_dates():
    rows = json.loads(run("promises", "list", "--json").stdout)
    assert {"openai", "anthropic", "groq"} <= {r["provider"] for r in rows}, rows
    assert all(r["source"].startswith("https://") and len(r["date"]) == 10 for r in rows), rows
    assert not [r for r in rows if r["value"] == "zdr"], rows
    assert run("promises", "show", "acme").returncode == 1


@tests
def mistakes_are_told_by_line():
    for text, want in (("promises = (\n{ %s }\n);" % ROW.replace("fact", "fcat"), 'FILE:2: a promise has no "fcat"; did you mean "fact"'),
                       ("promises = (\n{ %s }\n);" % ROW.replace("training", "trainig"), 'FILE:2: no promise is about "trainig"'),
                       ("promises = (\n{ %s }\n);" % ROW.replace('"no"', '"nope"'), 'FILE:2: training is not "nope"'),
                       ("promises = (\n{ %s }\n);" % ROW.replace("02-23", "13-23"), "FILE:2: date"),
                       ("promises = (\n{ %s },\n{ %s }\n);" % (ROW, ROW), 'FILE:3: training of "x" stands twice'),
                       ("promises = (\n{ provider = \"x\"; }\n);", "FILE:2: a promise without source"),
                       ("promises = 5;", "FILE: no list"), ("promises = (", "FILE:")):
        code, said = wrong(text)
        assert code == 1 and want in said, (text, said)


@tests
def blocks_get_what_their_vendor_says():
    blocks = [('preset = "openai";', "stored", "no"), ('preset = "groq"; retention = "zdr";', "zdr", "unknown"),
              ('preset = "openai"; url = "https://mine.example/v1";', "unknown", "unknown"),
              ('plugin = "openai"; url = "https://mine.example/v1";', "unknown", "unknown"), ('plugin = "openai";', "stored", "no")]
    with tempfile.TemporaryDirectory(prefix="weir-test-") as folder:
        path = os.path.join(folder, "weir.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write("providers = ( %s );" % ", ".join('{ name = "p%d"; key = "env:KEY"; %s }' % (i, b[0]) for i, b in enumerate(blocks)))
        got = run("check", "-c", path, "--json")
        said = json.loads(got.stdout)["providers"]
        assert [(p["retention"], p["training"]) for p in said] == [b[1:] for b in blocks], said


tests.run()
