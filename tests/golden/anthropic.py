#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""anthropic.py -- what recorded Anthropic answers come to, by reading them with Python's json: tests/golden/anthropic.txt.

Independent of the plugin on purpose: it knows the wire format from the vendor's pages, not from decode.c.  Usage:
    tests/golden/anthropic.py FIXTURES >tests/golden/anthropic.txt
FIXTURES is the folder with index.json.  One block a recording:
    file NAME                                NAME@N: the Nth answer of a recording that has several
    start ID MODEL
    text | thinking | compaction BLOCK BYTES SHA256
    call BLOCK ID NAME BYTES SHA256          a stream: the input as sent; else without blanks
    opaque BLOCK KIND BYTES SHA256
    strings COUNT BYTES SHA256               of the vendor's own tools' results and of citations, one after the other
    finish REASON
    usage INPUT CACHE_READ CACHE_WRITE OUTPUT REASONING AUDIO_IN AUDIO_OUT     -1: not reported
    broken                                   no client could make sense of it
"""
import hashlib
import json
import os
import sys

OPAQUE = {"type", "id", "tool_use_id", "encrypted_content", "encrypted_index", "encrypted_stdout", "data", "media_type", "file_id"}


def strings(value, key=None):
    if key in OPAQUE:
        return []
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, dict):
        return [s for k, v in value.items() for s in strings(v, k)]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return []


class Answer:
    def __init__(self):
        self.start, self.blocks, self.opaque, self.strings = None, {}, [], []
        self.finish, self.usage, self.broken = None, {}, False

    def block(self, at, b, stream):
        kind = b["type"]
        if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            text = "" if stream and not b["input"] else json.dumps(b["input"], ensure_ascii=False, separators=(",", ":"))
            self.blocks[at] = ["call", text, b["id"], b["name"]]
        elif kind == "text":
            self.blocks[at] = ["text", b["text"]]
            self.strings += strings(b.get("citations"))
        elif kind == "thinking":
            self.blocks[at] = ["thinking", b["thinking"]]
            if b.get("signature"):
                self.opaque.append((at, "anthropic.signature", b["signature"]))
        elif kind == "redacted_thinking":
            self.opaque.append((at, "anthropic.redacted", b["data"]))
        elif kind == "compaction":
            self.blocks[at] = ["compaction", b["content"] or ""]
        else:
            self.strings += strings(b.get("content"))

    def delta(self, at, d):
        kind = d["type"]
        if kind == "signature_delta":
            self.opaque.append((at, "anthropic.signature", d["signature"]))
        elif kind == "citations_delta":
            self.strings += strings(d["citation"])
        else:
            key = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json", "compaction_delta": "content"}
            self.blocks[at][1] += d[key[kind]] or ""

    def message(self, m):
        if self.start and self.start[0] != m["id"]:
            self.broken = True
        if not self.start:
            for at, b in enumerate(m["content"]):
                self.block(at, b, False)
        self.start = self.start or (m["id"], m["model"])
        self.finish = m["stop_reason"] or self.finish
        self.count(m["usage"])

    def count(self, usage):
        self.usage.update({k: v for k, v in usage.items() if v is not None})

    def record(self, r):
        if self.broken:
            return
        kind = r["type"]
        if kind == "message_start":
            self.message(r["message"])
        elif kind == "content_block_start":
            self.block(r["index"], r["content_block"], True)
        elif kind == "content_block_delta":
            self.delta(r["index"], r["delta"])
        elif kind == "message_delta":
            self.finish = r["delta"]["stop_reason"] or self.finish
            self.count(r["usage"])
        elif kind == "message":
            self.message(r)

    def partition(self):
        u = self.usage
        thinking = u.get("output_tokens_details", {}).get("thinking_tokens", -1)
        return [u["input_tokens"], u.get("cache_read_input_tokens", -1), u.get("cache_creation_input_tokens", -1),
                u["output_tokens"] - max(thinking, 0), thinking, -1, -1]


def digest(text):
    data = text.encode("utf-8", "surrogatepass")
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


def main(root):
    with open(os.path.join(root, "index.json"), encoding="utf-8") as f:
        index = json.load(f)
    for entry in index:
        if entry.get("dialect") != "anthropic-messages":
            continue
        with open(os.path.join(root, entry["file"]), encoding="utf-8") as f:
            text = f.read()
        records = [json.loads(r) for r in ([text] if entry["kind"] == "body" else text.splitlines()) if r.strip()]
        nth = 0
        while records:
            end = next((i for i, r in enumerate(records) if r["type"] == "message_stop"), len(records) - 1)
            nth += 1
            show(entry["file"] + (f"@{nth}" if nth > 1 else ""), records[:end + 1])
            records = records[end + 1:]


def show(name, records):
    answer = Answer()
    for r in records:
        answer.record(r)
    print("file", name)
    if answer.broken:
        print("broken")
        return
    print("start", *answer.start)
    for at, block in sorted(answer.blocks.items()):
        if block[0] == "call":
            print("call", at, block[2], block[3], digest(block[1]))
        elif block[1]:
            print(block[0], at, digest(block[1]))
    for at, kind, data in answer.opaque:
        print("opaque", at, kind, digest(data))
    if answer.strings:
        print("strings", len(answer.strings), digest("".join(answer.strings)))
    print("finish", answer.finish)
    print("usage", *answer.partition())


if __name__ == "__main__":
    main(sys.argv[1])
