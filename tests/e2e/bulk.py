# SPDX-License-Identifier: Apache-2.0
"""bulk.py -- every recorded answer of every vendor, through weir, to the official client of every dialect.

    bulk.py [WORD...]     only recordings whose file holds one of the words; V=1 shows what was compared

What a client has to get is what the recording's own vendor's SDK makes of it when it reads it without weir (bulk.mjs, the same program).
Recordings are in $WEIR_SHARED/data/fixtures or ../shared/data/fixtures; without them nothing is tested.
"""
import json
import os
import re
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from _weir import B, ROOT, Upstream, Weir, answer  # noqa: E402

FOLDER = os.path.join(os.environ.get("WEIR_SHARED") or os.path.join(ROOT, "..", "shared"), "data", "fixtures")
UPSTREAMS = {                # dialect of the index: (plugin, base path, more options, its own client)
    "openai-chat": ("openai", "/v1", "", "chat"),
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
    return wire + (b"data: [DONE]\n\n" if dialect == "openai-chat" else b"")


def split(dialect, lines):
    """Some files hold several of Anthropic's streams; and the fixtures of two faults have two starts in one stream."""
    starts = [i for i, x in enumerate(lines) if b'"type":"message_start"' in x]
    stops = sum(b'"type":"message_stop"' in x for x in lines)
    if dialect != "anthropic-messages" or stops < 2:
        return [lines]
    return [lines[a:b] for a, b in zip(starts, starts[1:] + [len(lines)])]


def recordings():
    """(file, dialect, streamed, status, body as sent)"""
    for row in json.load(open(os.path.join(FOLDER, "index.json"))):
        if row["dialect"] not in UPSTREAMS:
            continue
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
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith(("AWS_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_"))}
    done = subprocess.run(["node", "bulk.mjs"], input="".join(json.dumps(j) + "\n" for j in jobs).encode(), cwd=HERE, env=env,
                          stdout=subprocess.PIPE, timeout=240)
    return {line["n"]: line for line in map(json.loads, done.stdout.splitlines())}


def difference(want, line):
    """None, or what is wrong."""
    if line is None:
        return "no answer"
    if "got" not in want:
        return None if "error" in line else "an error of the upstream's became an answer"
    if "error" in line:
        return "error %s" % line["error"]
    got = line["got"]
    for key, value in want["got"].items():
        if got[key] != value:
            return "%s is %.300r, not %.300r" % (key, got[key], value)
    return None


def main():
    words = sys.argv[1:]
    if not os.path.exists(os.path.join(FOLDER, "index.json")):
        print("FAIL no recordings" if os.environ.get("CI") else "skipped: no recordings in $WEIR_SHARED/data/fixtures or ../shared/data/fixtures")
        print("0 passed, %d failed" % bool(os.environ.get("CI")))
        os._exit(1 if os.environ.get("CI") else 0)
    cases = [c for c in recordings() if not words or any(w in c[0] for w in words)]
    replay = Replay(cases)
    jobs, own = [], []
    names = ["%s-r%d" % (d, n) for n, (_, d, _, _, _) in enumerate(cases)]
    for n, (_, dialect, streamed, _, _) in enumerate(cases):
        own.append({"n": n, "client": UPSTREAMS[dialect][3], "base": replay.url, "model": names[n], "stream": streamed})
    want = ask(own)
    providers = ",\n".join('  { name = "%s"; plugin = "%s"; url = "%s%s"; %s models = [ "%s-*" ]; }' %
                           (d, p, replay.url, path, more if p == "bedrock" else 'key = "env:BULK_KEY";', d)
                           for d, (p, path, more, _) in UPSTREAMS.items() if served(p))
    passed = failed = 0
    with Weir("providers = (\n%s\n);\n" % providers, {"BULK_KEY": "sk-bulk-secret-key-12345"}, workers=2) as weir:
        where = []
        for n, (_, dialect, streamed, _, _) in enumerate(cases):
            for client, (plugin, _) in CLIENTS.items():
                if served(plugin) and served(UPSTREAMS[dialect][0]):
                    jobs.append({"n": len(jobs), "client": client, "base": "http://127.0.0.1:%d" % weir.port, "model": names[n], "stream": streamed})
                    where.append((n, client))
        lines = ask(jobs)
        for k, (n, client) in enumerate(where):
            fault = difference(want[n], lines.get(k))
            passed, failed = (passed, failed + 1) if fault else (passed + 1, failed)
            if fault or os.environ.get("V"):
                print("%s %s -> %s: %s" % ("FAIL" if fault else "ok  ", cases[n][0], client, fault or json.dumps(want[n])[:300]))
    print("%d passed, %d failed" % (passed, failed))
    sys.stdout.flush()
    os._exit(1 if failed else 0)


main()
