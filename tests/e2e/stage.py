# SPDX-License-Identifier: Apache-2.0
"""stage.py -- sets the stage of make e2e (a weir with the mock, a scripted upstream and two keys) and lets each suite play on it.

    stage.py NAME=COMMAND...     each COMMAND is a program that ends with "N passed, N failed"; the last line here is their sum

A suite learns of the stage by its environment: WEIR_URL, WEIR_KEY, WEIR_KEY_FEW (may use mock/echo only), WEIR_OPEN_URL (a weir
without keys), SEEN_URL (upstream.py), WEIR_BIN and WEIR_STATE (for `weir journal`).
"""
import hashlib
import os
import re
import shlex
import subprocess
import sys
import time

from upstream import Scripted
from _weir import SANITIZED, WEIR, Weir, free_port

KEY, FEW = "wk_all_0123456789abcdef", "wk_few_0123456789abcdef"
SECRET = "sk-e2e-upstream-secret-9876"
LIMIT = 300 if SANITIZED else 100            # seconds of one suite

CONFIG = """
providers = (
  { name = "mock"; models = [ "mock/echo", "mock/lorem", "mock/tools", "mock/reasoning", "mock/embed", "mock/*" ]; },
  { name = "up"; plugin = "openai"; url = "%s"; key = "env:E2E_SECRET"; models = [ "gpt-renamed=whole/renamed", "s/*=*" ]; },
  { name = "nobody"; plugin = "openai"; url = "http://127.0.0.1:%d/v1"; key = "env:E2E_SECRET"; models = [ "nobody" ]; }
);
"""
KEYS = """
keys = (
  { id = "all"; sha256 = "%s"; },
  { id = "few"; sha256 = "%s"; models = [ "mock/echo" ]; }
);
"""


def play(name, command, env):
    """(passed, failed) of one suite; what it printed is shown when it failed."""
    start = time.monotonic()
    try:
        done = subprocess.run(shlex.split(command), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=LIMIT)
        out, code = done.stdout.decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as e:
        out, code = (e.stdout or b"").decode("utf-8", "replace") + "\nended after %d s" % LIMIT, 1
    sums = re.findall(r"^(\d+) passed, (\d+) failed$", out, re.M)
    passed, failed = map(int, sums[-1]) if sums else (0, 1)
    if code and not failed:
        failed = 1
    print("%s %-24s %3d passed, %d failed  %.1f s" % ("FAIL" if failed else "ok  ", name, passed, failed, time.monotonic() - start))
    if failed or os.environ.get("V"):
        print("     " + out.rstrip().replace("\n", "\n     "))
    sys.stdout.flush()
    return passed, failed


def main():
    upstream = Scripted()
    config = CONFIG % (upstream.url, free_port())
    keys = KEYS % tuple(hashlib.sha256(k.encode()).hexdigest() for k in (KEY, FEW))
    secret = {"E2E_SECRET": SECRET}
    passed = failed = 0
    with Weir(config + keys, secret, workers=2) as keyed, Weir(config, secret) as open_to_all:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "LANGSMITH_", "LANGCHAIN_")) and "proxy" not in k.lower()}
        env.update(WEIR_URL="http://127.0.0.1:%d/v1" % keyed.port, WEIR_KEY=KEY, WEIR_KEY_FEW=FEW, WEIR_BIN=WEIR, WEIR_STATE=keyed.state,
                   WEIR_OPEN_URL="http://127.0.0.1:%d/v1" % open_to_all.port, SEEN_URL=upstream.seen_url, E2E_SECRET=SECRET)
        for suite in sys.argv[1:]:
            name, _, command = suite.partition("=")
            p, f = play(name, command, env)
            passed, failed = passed + p, failed + f
        for weir in (keyed, open_to_all):
            text = weir.text()
            passed += 1
            if "child_died" in text or SECRET in text:
                passed, failed = passed - 1, failed + 1
                print("FAIL a process of weir died, or its log holds the upstream's key:\n" + text[-3000:])
    print("%d passed, %d failed" % (passed, failed))
    sys.stdout.flush()
    os._exit(1 if failed else 0)


main()
