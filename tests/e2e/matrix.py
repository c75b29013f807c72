# SPDX-License-Identifier: Apache-2.0
"""matrix.py -- official clients x upstream dialects through one weir: the table, and docs/matrix.md.

    matrix.py [WORD...]     only clients whose name holds one of the words
    matrix.py --write       writes docs/matrix.md anew instead of comparing it

Each client plays the scenarios of scenarios.json, whole and streamed, on replay.py in every dialect, and prints what its SDK parsed; it
is judged here by the scenarios' own words.
"""
import json
import os
import shlex
import subprocess
import sys
import threading
import time

from replay import AWS_KEY, AWS_SECRET, DIALECTS, KEY, SCENARIOS, Replay
from _weir import ROOT, Weir

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(ROOT, "docs", "matrix.md")
PYTHON = shlex.quote(sys.executable) + " matrix_clients.py"
CLIENTS = {                  # name: (command, the client's package)
    "openai chat (Python)": PYTHON + " 'openai chat'",
    "openai responses (Python)": PYTHON + " 'openai responses'",
    "anthropic (Python)": PYTHON + " anthropic",
    "google-genai (Python)": PYTHON + " google-genai",
    "boto3 converse (Python)": PYTHON + " 'boto3 converse'",
    "openai chat (Node)": "node matrix_clients.mjs 'openai chat'",
    "openai responses (Node)": "node matrix_clients.mjs 'openai responses'",
    "@anthropic-ai/sdk (Node)": "node matrix_clients.mjs anthropic",
    "@google/genai (Node)": "node matrix_clients.mjs google",
    "@aws-sdk/client-bedrock-runtime (Node)": "node matrix_clients.mjs bedrock",
    "@openrouter/sdk (Node)": "node matrix_clients.mjs openrouter",
    "@mistralai/mistralai (Node)": "node matrix_clients.mjs mistral",
    "cohere-ai (Node)": "node matrix_clients.mjs cohere",
}
CONFIG = """
providers = (
  { name = "openai"; plugin = "openai"; url = "%(u)s/openai/v1"; key = "env:MATRIX_SECRET"; models = [ "openai/*=*" ]; },
  { name = "responses"; plugin = "responses"; url = "%(u)s/responses/v1"; key = "env:MATRIX_SECRET"; models = [ "responses/*=*" ]; },
  { name = "anthropic"; plugin = "anthropic"; url = "%(u)s/anthropic/v1"; key = "env:MATRIX_SECRET"; models = [ "anthropic/*=*" ]; },
  { name = "gemini"; plugin = "gemini"; url = "%(u)s/gemini/v1beta"; key = "env:MATRIX_SECRET"; models = [ "gemini/*=*" ]; },
  { name = "bedrock"; plugin = "bedrock"; url = "%(u)s/bedrock"; region = "us-east-1"; access_key = "env:MATRIX_AWS_KEY";
    secret_key = "env:MATRIX_AWS_SECRET"; models = [ "bedrock/*=*" ]; },
  { name = "cohere"; plugin = "cohere"; url = "%(u)s/cohere"; key = "env:MATRIX_SECRET"; models = [ "cohere/*=*" ]; }
);
keys = ( { id = "matrix"; sha256 = "%(sha)s"; } );
"""
CLIENT_KEY = "wk_matrix_0123456789"


def judge(line):
    """None, or what is wrong with what a client got."""
    name, _, kind = line["case"].partition(" ")
    s = SCENARIOS["scenarios"][name]
    if s.get("status"):
        e = line.get("error")
        if not e:
            return "no error: %s" % (line.get("broken") or line.get("got"))
        if e["status"] != s["status"] or s["message"] not in e["message"]:
            return "another error: %s" % e
        return None
    if "got" not in line:
        return line.get("broken") or "error %s" % line.get("error")
    if s.get("hold"):
        return None
    got, want = line["got"], s["answer"]
    calls = [[n, a] for _, n, a in got["calls"]]
    if got["text"] != want["text"]:
        return "text is %r" % got["text"]
    if calls != [[n, a] for _, n, a in want.get("calls") or []] or len({i for i, _, _ in got["calls"]}) != len(calls):
        return "calls are %r" % (got["calls"],)
    if got["reasoning"] != want.get("reasoning", ""):
        return "reasoning is %r" % got["reasoning"]
    if got["finish"] != want["finish"]:
        return "finish is %r" % got["finish"]
    if got["usage"] != {k: want["usage"][k] for k in ("input", "cached", "output")}:
        return "usage is %r" % (got["usage"],)
    return None


def play(command, url, replay):
    """Lines of one client, by (upstream, case)."""
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith(("AWS_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_"))}
    env.update(MATRIX_URL=url, MATRIX_KEY=CLIENT_KEY)
    lines, gone = {}, replay.gone()
    p = subprocess.Popen(shlex.split(command) + list(DIALECTS), cwd=HERE, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    timer = threading.Timer(180, p.kill)
    timer.start()
    for text in p.stdout:
        line = json.loads(text)
        fault = judge(line)
        if line["case"] == "hold" and not fault:     # the reader left: so must weir, and at once
            end = time.monotonic() + 1.5
            while replay.gone() == gone and time.monotonic() < end:
                time.sleep(0.01)
            fault = None if replay.gone() > gone else "the upstream was not left"
            gone = replay.gone()
        lines[line["upstream"], line["case"]] = fault
    tail = p.stderr.read().decode("utf-8", "replace")
    p.wait()
    timer.cancel()
    if p.returncode:
        print(tail[-2000:])
    return lines


def cases():
    for name, s in SCENARIOS["scenarios"].items():
        for kind in ("",) if s.get("hold") else (" whole", " stream"):
            yield name + kind


def page(rows):
    total = len(list(cases()))
    out = ["<!-- made by tests/e2e/matrix.py --write -->", "# Official clients, and the upstreams they reach through weir", "",
           "`make e2e` plays %d cases in each cell: a chat, parallel tool calls, their results, an image, structured output and reasoning, each whole" % total,
           "and streamed; an error 429 and an error 400, each whole and streamed; a stream that the client leaves.  The upstream looks at the request",
           "(credentials, required members, roles in turn, tool results behind their calls, the image byte by byte) before it answers in its own words,",
           "and what the client's SDK has parsed is compared with what was said.  A cell tells how many cases were as they must be.", "",
           "| client | " + " | ".join(DIALECTS) + " |", "| --- |" + " --- |" * len(DIALECTS)]
    for client, lines in rows.items():
        cells = []
        for d in DIALECTS:
            good = sum((d, c) in lines and lines[d, c] is None for c in cases())
            cells.append("%d of %d" % (good, total))
        out.append("| %s | %s |" % (client, " | ".join(cells)))
    return "\n".join(out) + "\n"


def main():
    import hashlib
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    replay = Replay()
    config = CONFIG % {"u": "http://127.0.0.1:%d" % replay.port, "sha": hashlib.sha256(CLIENT_KEY.encode()).hexdigest()}
    rows, passed, failed = {}, 0, 0
    with Weir(config, {"MATRIX_SECRET": KEY, "MATRIX_AWS_KEY": AWS_KEY, "MATRIX_AWS_SECRET": AWS_SECRET}, workers=2) as weir:
        for client, command in CLIENTS.items():
            if words and not any(w in client for w in words):
                continue
            lines = rows[client] = play(command, "http://127.0.0.1:%d" % weir.port, replay)
            for d in DIALECTS:
                for c in cases():
                    fault = lines.get((d, c), "it was not played")
                    passed, failed = (passed, failed + 1) if fault else (passed + 1, failed)
                    if fault:
                        print("FAIL %s -> %s, %s: %.400s" % (client, d, c, fault))
        for d, fault in replay.faults:
            print("     %s: %.300s" % (d, fault))
        if "child_died" in weir.text():
            passed, failed = passed, failed + 1
            print("FAIL a process of weir died:\n" + weir.text()[-3000:])
    text = page(rows)
    print(text[text.index("| client"):], end="")
    if "--write" in sys.argv:
        open(PAGE, "w").write(text)
    elif not words:
        same = os.path.exists(PAGE) and open(PAGE).read() == text
        passed, failed = (passed + 1, failed) if same else (passed, failed + 1)
        if not same:
            print("FAIL docs/matrix.md does not say this; run tests/e2e/matrix.py --write")
    print("%d passed, %d failed" % (passed, failed))
    sys.stdout.flush()
    os._exit(1 if failed else 0)


main()
