# SPDX-License-Identifier: Apache-2.0
"""bulk.py -- every recorded answer of every vendor, through weir, to the official client of every dialect.

    bulk.py [WORD...]     only recordings whose file holds one of the words; V=1 shows what was compared
    bulk.py --write       writes docs/recordings.md anew instead of comparing it

What a client has to get is what the recording's own vendor's SDK makes of it when it reads it without weir (bulk.mjs, the same program).
Recordings are in $WEIR_SHARED/data/fixtures or ../shared/data/fixtures; without them nothing is tested.
"""
import functools
import json
import os
import re
import struct
import subprocess
import sys
import urllib.error
import urllib.request
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from _weir import B, ROOT, Upstream, Weir, answer  # noqa: E402

FOLDER = os.path.join(os.environ.get("WEIR_SHARED") or os.path.join(ROOT, "..", "shared"), "data", "fixtures")
PAGE = os.path.join(ROOT, "docs", "recordings.md")
UPSTREAMS = {                # dialect of the index: (plugin, base path, more options, its own client)
    "openai-chat": ("openai", "/v1", "", "chat"),
    "mistral": ("openai", "/v1", 'preset = "mistral";', "mistral"),
    "openai-responses": ("responses", "/v1", "", "responses"),
    "anthropic-messages": ("anthropic", "/v1", "", "anthropic"),
    "gemini-generate-content": ("gemini", "/v1beta", "", "gemini"),
    "bedrock-converse": ("bedrock", "", 'region = "us-east-1"; access_key = "env:BULK_KEY"; secret_key = "env:BULK_KEY";', "bedrock"),
    "cohere-chat-v2": ("cohere", "/v2", "", "cohere"),
}
CLIENTS = {                  # name in bulk.mjs: (the plugin whose dialect it speaks, what people call it)
    "chat": ("openai", "openai: chat"), "openrouter": ("openai", "@openrouter/sdk"), "mistral": ("openai", "@mistralai/mistralai"),
    "responses": ("responses", "openai: responses"), "anthropic": ("anthropic", "@anthropic-ai/sdk"), "gemini": ("gemini", "@google/genai"),
    "bedrock": ("bedrock", "@aws-sdk/client-bedrock-runtime"), "cohere": ("cohere", "cohere-ai"),
}


def served(plugin):
    return os.path.exists(os.path.join(B, "plugins", "providers", plugin + ".so"))


# ---- the recordings, each as what a server sends ----

def frame(name, payload):
    headers = b""
    for key, value in (b":event-type", name.encode()), (b":content-type", b"application/json"), (b":message-type", b"event"):
        headers += bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(value)) + value
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack(">I", zlib.crc32(message))


def stream_bytes(dialect, lines):
    if dialect == "bedrock-converse":
        return b"".join(frame(*next(iter(json.loads(line).items()))) for line in lines)
    named = dialect in ("anthropic-messages", "openai-responses", "cohere-chat-v2")
    wire = b"".join((b"event: %s\n" % json.loads(x)["type"].encode() if named else b"") + b"data: " + x + b"\n\n" for x in lines)
    return wire + (b"data: [DONE]\n\n" if dialect in ("openai-chat", "mistral") else b"")


def split(dialect, lines):
    """Some files hold several streams one after another; two of Anthropic's are faults, with two starts in one stream."""
    first, last = {"anthropic-messages": (b'{"type":"message_start"', b'{"type":"message_stop"'),
                   "openai-responses": (b'{"type":"response.created"', b'{"type":"response.completed"')}.get(dialect, (b"-", b"-"))
    starts = [i for i, x in enumerate(lines) if x.startswith(first)]
    if len(starts) < 2 or sum(x.startswith(last) for x in lines) < 2:
        return [lines]
    return [lines[a:b] for a, b in zip(starts, starts[1:] + [len(lines)])]


def recordings():
    """(file, dialect, streamed, status, body as sent)"""
    for row in json.load(open(os.path.join(FOLDER, "index.json"))):
        if row["dialect"] not in UPSTREAMS:
            continue
        if row["file"].startswith("mistral/"):
            row["dialect"] = "mistral"
        data = open(os.path.join(FOLDER, row["file"]), "rb").read()
        if row["kind"] == "body":
            body = json.loads(data)
            failed = isinstance(body.get("error"), dict) and "message" in body["error"] and "output" not in body
            code = body["error"].get("code") if failed else 200
            status = code if isinstance(code, int) else 429 if code == "insufficient_quota" else 400
            yield row["file"], row["dialect"], False, status, data
        elif row["kind"] == "sse":
            yield row["file"], row["dialect"], True, 200, data
        else:
            parts = split(row["dialect"], [x for x in data.splitlines() if x.strip()])
            for k, lines in enumerate(parts):
                yield row["file"] + (" #%d" % (k + 1) if len(parts) > 1 else ""), row["dialect"], True, 200, stream_bytes(row["dialect"], lines)


class Replay:
    def __init__(self, cases):
        self.cases = cases
        self.upstream = Upstream(self.script)
        self.url = self.upstream.url

    def script(self, _n, message):
        """The model's name ends with the number of the recording, wherever the dialect names the model."""
        first, _, data, _ = message
        found = re.search(r"-r(\d+)[/:]", first.decode()) or re.search(r'"model": ?"[^"]*-r(\d+)"', data.decode())
        _, dialect, streamed, status, body = self.cases[int(found[1])]
        if not streamed:
            return [answer(body, "%d X" % status)]
        kind = "application/vnd.amazon.eventstream" if dialect == "bedrock-converse" else "text/event-stream"
        head = "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % kind
        cuts = [body[i:i + 4093] for i in range(0, len(body), 4093)]     # cuts fall anywhere in records
        return [head.encode()] + [b"%x\r\n%s\r\n" % (len(c), c) for c in cuts] + [b"0\r\n\r\n"]


# ---- playing and comparing ----

def ask(jobs):
    """{n: line} of bulk.mjs."""
    hidden = "AWS_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "CO_API", "COHERE_", "MISTRAL_", "OPENROUTER_"
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith(hidden)}
    env["NODE_NO_WARNINGS"] = "1"
    done = subprocess.run(["node", "bulk.mjs"], input="".join(json.dumps(j) + "\n" for j in jobs).encode(), cwd=HERE, env=env,
                          stdout=subprocess.PIPE, timeout=240)
    return {line["n"]: line for line in map(json.loads, done.stdout.splitlines())}


TWICE = {"got": {"text": "Hello, World!", "reasoning": "", "calls": [], "finish": "stop", "usage": {"input": 17, "cached": 0, "output": 227}}}
NO_USAGE = {"input": 0, "cached": 0, "output": 0}


def expected(cases, case_number, client, want):
    """What the client has to get, given what the vendor's own SDK made of it."""
    file, dialect = cases[case_number][:2]
    if (case_number, client) in want and dialect != "mistral":
        return want[case_number, client]     # the same dialect: what the client gets without weir, be it that it does not like it
    want = want[case_number, UPSTREAMS[dialect][3]]
    if file.startswith("anthropic/duplicate-message-start"):
        want = TWICE                         # Anthropic's client gives up; a start that comes again before any text changes nothing
    if "got" not in want:
        return want
    got = dict(want["got"])
    if client not in ("chat", "responses") or "custom-tool" not in file:
        got["calls"] = [c for c in got["calls"] if not isinstance(c[1], str)]      # a call of a tool that nobody named is the vendor's
    if got["calls"] and got["finish"] == "stop":
        got["finish"] = "tools"              # a call in the answer is what counts
    if not got["calls"] and got["finish"] == "tools" and got["calls"] != want["got"]["calls"]:
        got["finish"] = "stop"
    if got["usage"] is None:
        del got["usage"]                     # the recording has none; some dialects must say a number
    if client == "cohere" and got["finish"] == "filter":
        got["finish"] = "ERROR"              # Cohere has no other word for it
    return {"got": got}


def difference(want, line):
    """None, or what is wrong."""
    if line is None:
        return "no answer"
    if "got" not in want:
        return None if "error" in line else "an error of the upstream's became an answer"
    if "error" in line:
        return "error %.600s" % line["error"]
    got = line["got"]
    for key, value in want["got"].items():
        have = got[key]
        if key == "usage" and have is None and value is not None:
            have = NO_USAGE                  # Google leaves zeros out
        if have != value:
            return "%s is %.300r, not %.300r" % (key, have, value)
    return None


def page(cells):
    """docs/recordings.md: how many recordings of each dialect arrived, in each client."""
    known = [d for d in UPSTREAMS if served(UPSTREAMS[d][0])]
    out = ["<!-- made by tests/e2e/bulk.py --write -->", "# Recorded answers, and what official clients make of them through weir", "",
           "`make e2e` sends every recorded answer and stream of the vendors' APIs through weir to the official client of every dialect. What the",
           "client's SDK parses (text, reasoning, calls with their arguments, the finish, the usage) has to be what the vendor's own SDK parses of",
           "the recording itself; for a client of the vendor's own dialect, what it parses without weir. A cell tells how many did.", "",
           "| client | " + " | ".join(known) + " |", "| --- |" + " --- |" * len(known)]
    for client, (_, title) in CLIENTS.items():
        counts = [[cells.get((client, d, verdict), 0) for verdict in ("ok", "fail")] for d in known]
        if any(map(any, counts)):
            out.append("| %s | %s |" % (title, " | ".join("%d" % good + (", %d failed" % bad if bad else "") for good, bad in counts)))
    return "\n".join(out) + "\n"


def jobs_of(cases, url):
    """([jobs], [(case, client)]) through weir at url."""
    jobs, where = [], []
    for n, (file, dialect, streamed, _, _) in enumerate(cases):
        for client, (plugin, _) in CLIENTS.items():
            if not served(plugin) or not served(UPSTREAMS[dialect][0]) or (client == "openrouter" and not serves_openrouter(url)):
                continue
            job = {"n": len(jobs), "client": client, "base": url, "model": "%s-r%d" % (dialect, n), "stream": streamed}
            if "custom-tool" in file:
                job["custom"] = ["write_sql"]
            job["exact"] = UPSTREAMS[dialect][3] != client
            jobs.append(job)
            where.append((n, client))
    return jobs, where


@functools.lru_cache
def serves_openrouter(url):
    try:
        return b'"links"' in urllib.request.urlopen(url + "/api/v1/models", timeout=5).read()     # a member of OpenRouter's lists alone
    except urllib.error.HTTPError:
        return False


def judge(cases, want, where, lines):
    """{(client, dialect, "ok" | "fail"): how many}"""
    cells = {}
    for k, (n, client) in enumerate(where):
        hoped = expected(cases, n, client, want)
        fault = difference(hoped, lines.get(k))
        key = client, cases[n][1], "fail" if fault else "ok"
        cells[key] = cells.get(key, 0) + 1
        if fault or os.environ.get("V"):
            print("%s %s -> %s: %s" % ("FAIL" if fault else "ok  ", cases[n][0], client, fault or json.dumps(hoped)[:300]))
    return cells


def settle(text, words):
    """Whether docs/recordings.md says this; --write makes it so."""
    if "--write" in sys.argv:
        with open(PAGE, "w") as f:
            f.write(text)
    if words or (os.path.exists(PAGE) and open(PAGE).read() == text):
        return True
    print("FAIL docs/recordings.md does not say this; run tests/e2e/bulk.py --write")
    return False


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    if not os.path.exists(os.path.join(FOLDER, "index.json")):
        print(("FAIL" if os.environ.get("CI") else "skipped:") + " no recordings in $WEIR_SHARED/data/fixtures or ../shared/data/fixtures")
        print("0 passed, %d failed" % bool(os.environ.get("CI")))
        sys.exit(1 if os.environ.get("CI") else 0)
    cases = [c for c in recordings() if not words or any(w in c[0] for w in words)]
    replay = Replay(cases)
    own = [(n, UPSTREAMS[d][3]) for n, (_, d, _, _, _) in enumerate(cases)]
    direct = ask([{"n": k, "client": client, "base": replay.url, "model": "%s-r%d" % (cases[n][1], n), "stream": cases[n][2]}
                  for k, (n, client) in enumerate(own)])
    want = {key: direct[k] for k, key in enumerate(own)}
    providers = ",\n".join('  { name = "%s"; plugin = "%s"; url = "%s%s"; %s models = [ "%s-*" ]; }' %
                           (d, p, replay.url, path, more + ("" if p == "bedrock" else ' key = "env:BULK_KEY";'), d)
                           for d, (p, path, more, _) in UPSTREAMS.items() if served(p))
    with Weir("providers = (\n%s\n);\n" % providers, {"BULK_KEY": "sk-bulk-secret-key-12345"}, workers=2) as weir:
        jobs, where = jobs_of(cases, "http://127.0.0.1:%d" % weir.port)
        cells = judge(cases, want, where, ask(jobs))
        died = "child_died" in weir.text()
    if died:
        print("FAIL a process of weir died")
    text = page(cells)
    print(text[text.index("| client"):], end="")
    failed = sum(n for k, n in cells.items() if k[2] == "fail") + died + (not settle(text, words))
    print("%d passed, %d failed" % (sum(n for k, n in cells.items() if k[2] == "ok"), failed))
    sys.stdout.flush()
    os._exit(1 if failed else 0)


main()
