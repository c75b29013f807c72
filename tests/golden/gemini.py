#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gemini.py -- what recorded answers of Gemini come to, by reading them with Python's json: tests/golden/gemini.txt.

Independent of the plugin on purpose: it knows the wire format from the vendor's pages, not from decode.c.  Usage:
    tests/golden/gemini.py FIXTURES >tests/golden/gemini.txt
FIXTURES is the folder with index.json.  One block a recording:
    file NAME
    text BYTES SHA256, thought BYTES SHA256      all of the first candidate, put together
    call NAME BYTES SHA256        its arguments as compact JSON
    signature BYTES SHA256        as sent, in order
    vector BYTES SHA256           compact JSON
    finish REASON
    usage INPUT CACHE_READ OUTPUT REASONING
    error STATUS RETRY_AFTER CODE
"""
import hashlib
import json
import math
import os
import re
import sys


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def put_digest(word, text):
    data = text.encode()
    print(word, len(data), hashlib.sha256(data).hexdigest())


def place(root, path, value, join):
    at, keys = root, re.findall(r"\.([^.\[]+)|\[(\d+)\]", path)
    keys = [int(index) if index else name for name, index in keys]
    for i, key in enumerate(keys):
        new = value if i + 1 == len(keys) else [] if isinstance(keys[i + 1], int) else {}
        if isinstance(key, int):
            while len(at) <= key:
                at.append(None)
            if at[key] is None:
                at[key] = new
            elif i + 1 == len(keys) and join:
                at[key] += value
        elif key not in at:
            at[key] = new
        elif i + 1 == len(keys) and join:
            at[key] += value
        at = at[key]


class Answer:
    def __init__(self):
        self.text, self.thought, self.calls, self.signatures, self.finish, self.usage = "", "", [], [], None, None

    def call(self, call):
        if call.get("name"):
            self.calls.append((call["name"], call.get("args", {})))
        for piece in call.get("partialArgs", []):
            for kind in ("stringValue", "numberValue", "boolValue", "nullValue"):
                if kind in piece:
                    value = None if kind == "nullValue" else piece[kind]
                    place(self.calls[-1][1], piece["jsonPath"], value, kind == "stringValue")

    def add(self, record):
        for candidate in record.get("candidates", [])[:1]:
            for part in candidate.get("content", {}).get("parts", []):
                if part.get("thoughtSignature"):
                    self.signatures.append(part["thoughtSignature"])
                if part.get("thought"):
                    self.thought += part.get("text", "")
                else:
                    self.text += part.get("text", "")
                self.call(part.get("functionCall", {}))
            self.finish = candidate.get("finishReason", self.finish)
        usage = record.get("usageMetadata", {})
        if "totalTokenCount" in usage:
            cached = usage.get("cachedContentTokenCount", 0)
            self.usage = (usage["promptTokenCount"] - cached, cached, usage.get("candidatesTokenCount", 0),
                          usage.get("thoughtsTokenCount", 0))

    def put(self):
        if self.text:
            put_digest("text", self.text)
        if self.thought:
            put_digest("thought", self.thought)
        for name, args in self.calls:
            put_digest("call " + name, compact(args))
        for signature in self.signatures:
            put_digest("signature", signature)
        if self.finish:
            print("finish", self.finish)
        if self.usage:
            print("usage", *self.usage)


def put_error(error):
    delay = [d["retryDelay"] for d in error["details"] if "retryDelay" in d]
    print("error", error["code"], math.ceil(float(delay[0][:-1])) if delay else 0, error["status"])


def main(folder):
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
        names = [row["file"] for row in json.load(f)]
    for name in sorted(n for n in names if n.split("/")[0] in ("google", "google-vertex")):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            text = f.read()
        print("file", name)
        records = [json.loads(l) for l in text.splitlines() if l] if ".chunks" in name else [json.loads(text)]
        answer = Answer()
        for record in records:
            if "error" in record:
                put_error(record["error"])
            for prediction in record.get("predictions", []):
                values = re.sub(r"\s", "", text[text.index(str(prediction["embeddings"]["values"][0])) - 1:].split("]")[0])
                put_digest("vector", values.lstrip("[").join(["[", "]"]))
            if "predictions" in record:
                counts = [p["embeddings"]["statistics"]["token_count"] for p in record["predictions"]]
                print("usage", sum(counts), -1, -1, -1)
            answer.add(record)
        answer.put()


main(sys.argv[1])
