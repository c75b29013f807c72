#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bedrock.py -- writes bedrock.txt: what the recorded answers of Bedrock mean, read independently of the plugin.

    tests/golden/bedrock.py FIXTURES >tests/golden/bedrock.txt
"""
import hashlib
import json
import pathlib
import sys


def digest(text):
    raw = text.encode("utf-8", "surrogatepass")
    return f"{len(raw)} {hashlib.sha256(raw).hexdigest()}"


def whole(body):
    """Blocks of a body, usage, the reason for the end."""
    blocks = []
    for block in body["output"]["message"]["content"]:
        if "text" in block:
            blocks.append(("text", block["text"], None, None))
        elif "reasoningContent" in block:
            r = block["reasoningContent"]["reasoningText"]
            blocks.append(("reasoning", r["text"], r.get("signature"), None))
        elif "toolUse" in block:
            u = block["toolUse"]
            blocks.append(("call", u["input"], u["toolUseId"], u["name"]))
    return blocks, body.get("usage"), body["stopReason"]


def streamed(lines):
    blocks, usage, stop = {}, None, None
    for line in lines:
        (name, v), = json.loads(line).items()
        i = v.get("contentBlockIndex")
        if name == "contentBlockStart" and "toolUse" in v["start"]:
            u = v["start"]["toolUse"]
            blocks[i] = ["call", "", u["toolUseId"], u["name"]]
        elif name == "contentBlockDelta":
            d = v["delta"]
            if "text" in d:
                blocks.setdefault(i, ["text", "", None, None])[1] += d["text"]
            elif "toolUse" in d:
                blocks[i][1] += d["toolUse"]["input"]
            elif "reasoningContent" in d:
                b = blocks.setdefault(i, ["reasoning", "", None, None])
                b[1] += d["reasoningContent"].get("text", "")
                if "signature" in d["reasoningContent"]:
                    b[2] = d["reasoningContent"]["signature"]
        elif name == "messageStop":
            stop = v["stopReason"]
        elif name == "metadata":
            usage = v["usage"]
    for b in blocks.values():
        if b[0] == "call":
            b[1] = json.loads(b[1] or "{}")
    return [tuple(blocks[i]) for i in sorted(blocks)], usage, stop


def main(folder):
    rows = json.loads((folder / "index.json").read_text())
    for row in rows:
        if row["dialect"] != "bedrock-converse":
            continue
        text = (folder / row["file"]).read_text()
        if row["kind"] == "body":
            blocks, usage, stop = whole(json.loads(text))
        else:
            blocks, usage, stop = streamed([line for line in text.splitlines() if line.strip()])
        print("file", row["file"])
        for kind, content, one, two in blocks:
            if kind == "call":
                print("call", one, two, digest(json.dumps(content, separators=(",", ":"), ensure_ascii=False)))
            else:
                print(kind, digest(content))
                if one:
                    print("signature", digest(one))
        print("finish", stop)
        if usage:
            print("usage", usage["inputTokens"], usage.get("cacheReadInputTokens", -1),
                  usage.get("cacheWriteInputTokens", -1), usage["outputTokens"])


main(pathlib.Path(sys.argv[1]))
