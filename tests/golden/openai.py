#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openai.py -- what recorded OpenAI-like answers come to, by reading them with Python's json: tests/golden/openai.txt.

Independent of the plugin on purpose: it knows the wire format from the vendors' pages, not from decode.c.  Usage:
    tests/golden/openai.py FIXTURES >tests/golden/openai.txt
FIXTURES is the folder with index.json.  One block a recording:
    file NAME
    FIELD CHOICE BYTES SHA256     the text of one field of one choice, put together: content, refusal, reasoning ...
    call CHOICE INDEX ID NAME BYTES SHA256
    finish CHOICE REASON
    usage INPUT CACHE_READ CACHE_WRITE OUTPUT REASONING AUDIO_IN AUDIO_OUT     -1: not reported
    error MESSAGE
"""
import hashlib
import json
import os
import sys


def records(path, kind):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if kind == "body":
        return [json.loads(text)]
    lines = text.splitlines()
    if kind == "sse":
        lines = [l[5:].strip() for l in lines if l.startswith("data:")]
    return [json.loads(l) for l in lines if l.strip() and l.strip() != "[DONE]"]


class Answer:
    def __init__(self):
        self.texts, self.calls, self.finish, self.usage, self.error = {}, {}, {}, None, None

    def say(self, field, choice, text):
        if isinstance(text, str) and text:
            self.texts[field, choice] = self.texts.get((field, choice), "") + text

    def content(self, choice, content):
        if isinstance(content, str):
            self.say("content", choice, content)
        for part in content if isinstance(content, list) else []:
            if part["type"] == "text":
                self.say("content", choice, part["text"])
            elif part["type"] == "thinking":
                for inner in part["thinking"]:
                    self.say("thinking", choice, inner["text"])

    def message(self, choice, m):
        self.content(choice, m.get("content"))
        for field in "refusal", "reasoning_content", "reasoning":
            self.say(field, choice, m.get(field))
        for i, call in enumerate(m.get("tool_calls") or []):
            at = call.get("index", i)
            known = self.calls.setdefault((choice, at), {"id": "", "name": "", "arguments": ""})
            known["id"] = known["id"] or call.get("id") or ""
            known["name"] = known["name"] or call["function"].get("name") or ""
            known["arguments"] += call["function"].get("arguments") or ""

    def record(self, r):
        for c in r.get("choices") or []:
            choice = c.get("index", 0)
            self.message(choice, c.get("delta") or c.get("message") or {})
            self.say("content", choice, c.get("text"))
            if c.get("finish_reason"):
                self.finish.setdefault(choice, c["finish_reason"])
        usage = r.get("usage") or (r.get("x_groq") or {}).get("usage")
        if usage:
            self.usage = usage
        if r.get("error"):
            self.error = r["error"]["message"]


def partition(u):
    """Every token once: providers.md, section 11.5."""
    i, o = u.get("prompt_tokens_details") or {}, u.get("completion_tokens_details") or {}
    prompt, completion, total = u["prompt_tokens"], u.get("completion_tokens", -1), u["total_tokens"]
    cached = i.get("cached_tokens", u.get("prompt_cache_hit_tokens", u.get("cached_tokens", -1)))
    write, audio_in = i.get("cache_write_tokens", -1), i.get("audio_tokens", -1)
    reasoning, audio_out = o.get("reasoning_tokens", -1), o.get("audio_tokens", -1)
    parts = [prompt - sum(max(x, 0) for x in (cached, write, audio_in)), cached, write]
    if completion < 0:
        out = -1
    elif reasoning > 0 and prompt + completion + reasoning == total:
        out = completion - max(audio_out, 0)
    else:
        out = completion - max(reasoning, 0) - max(audio_out, 0)
    numbers = parts + [out, reasoning, audio_in, audio_out]
    assert sum(max(x, 0) for x in numbers) == total, (numbers, total)
    return numbers


def digest(text):
    data = text.encode("utf-8", "surrogatepass")
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


def main(root):
    with open(os.path.join(root, "index.json"), encoding="utf-8") as f:
        index = json.load(f)
    for entry in index:
        if entry.get("dialect") not in ("openai-chat", "openai-completions", "embeddings-openai"):
            continue
        answer = Answer()
        for r in records(os.path.join(root, entry["file"]), entry["kind"]):
            answer.record(r)
        print("file", entry["file"])
        for (field, choice), text in sorted(answer.texts.items()):
            print(field, choice, digest(text))
        for (choice, at), call in sorted(answer.calls.items()):
            print("call", choice, at, call["id"] or "-", call["name"] or "-", digest(call["arguments"]))
        for choice, reason in sorted(answer.finish.items()):
            print("finish", choice, reason)
        if answer.usage:
            print("usage", *partition(answer.usage))
        if answer.error:
            print("error", answer.error)


if __name__ == "__main__":
    main(sys.argv[1])
