# SPDX-License-Identifier: Apache-2.0
"""docs.py -- what README.md and docs/ tell readers to type: configurations pass `weir check`, the curl line gets its answer."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from _weir import ROOT, WEIR, Weir

passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAIL %s\n%s" % (name, why))


def configurations():
    """Blocks that say they are `conf`, and unmarked ones that begin with a part of the configuration."""
    for page in [ROOT + "/README.md"] + sorted(glob.glob(ROOT + "/docs/*.md")):
        with open(page) as f:
            blocks = re.findall(r"^```(\w*)\n(.*?)^```", f.read(), re.M | re.S)
        for i, (word, text) in enumerate(blocks, 1):
            if word == "conf" or (not word and re.match(r"(listen|providers|guardrails|sinks|keys) *=", text)):
                yield "%s, block %d" % (os.path.relpath(page, ROOT), i), text


def checks(tmp):
    count = 0
    for name, text in configurations():
        file = os.path.join(tmp, "weir.conf")
        with open(file, "w") as f:
            f.write(text)
        done = subprocess.run([WEIR, "check", "-c", file], capture_output=True, text=True, timeout=60)
        check(name, done.returncode == 0, done.stdout + done.stderr)
        count += 1
    check("the pages have configurations", count >= 2, "found %d" % count)


def first_answer():
    with open(ROOT + "/README.md") as f:
        line = re.search(r"^```sh\n(curl .*?)^```", f.read(), re.M | re.S).group(1)
    weir = Weir("")
    try:
        line = line.replace("127.0.0.1:8080", "127.0.0.1:%d" % weir.port)
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30)
        try:
            said = json.loads(done.stdout)["choices"][0]["message"]["content"]
        except (ValueError, LookupError):
            said = None
        check("the curl line", said == "Hello, weir", done.stdout + done.stderr)
    finally:
        weir.close()


with tempfile.TemporaryDirectory(prefix="weir-docs-") as folder:
    checks(folder)
first_answer()
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed != 0)
