#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""responses.py -- what recorded Responses answers come to, by reading them with Python's json: tests/golden/responses.txt.

Independent of the plugin on purpose: it adds up the deltas by itself and takes whole texts only where none came.  Usage:
    tests/golden/responses.py FIXTURES >tests/golden/responses.txt
FIXTURES is the folder with index.json.  One block an answer:
    file NAME N                   the N-th answer of a recording, from 0
    text CHANNEL BYTES SHA256     sorted; CHANNEL text, reasoning, arguments
    call ID NAME                  sorted
    finish WORD
    usage INPUT CACHE_READ CACHE_WRITE OUTPUT REASONING
    error MESSAGE
or, when pieces have been taken out of the recording, which no server does,
    trimmed
and then the same as clients of other dialects are told it, each line after the word `told`: nothing of the vendor's own
tools, the reasoning of one item as one text, and
    told opaque BYTES SHA256      reasoning that is encrypted, sorted
"""
import hashlib
import json
import os
import sys

CHANNELS = {"response.output_text": "text", "response.refusal": "text", "response.reasoning_summary_text": "reasoning",
            "response.reasoning_text": "reasoning", "response.function_call_arguments": "arguments",
            "response.custom_tool_call_input": "text", "response.mcp_call_arguments": "arguments",
            "response.code_interpreter_call_code": "text", "response.shell_call_command": "text",
            "response.apply_patch_call_operation_diff": "text"}
INDEX = {"response.output_text": "content_index", "response.refusal": "content_index",
         "response.reasoning_summary_text": "summary_index", "response.reasoning_text": "content_index",
         "response.shell_call_command": "command_index"}


TOLD = ("response.output_text", "response.refusal", "response.reasoning_summary_text", "response.reasoning_text",
        "response.function_call_arguments", "response.custom_tool_call_input")


class Answer:
    def __init__(self):
        self.texts, self.calls, self.opaque, self.hosted = {}, {}, set(), set()
        self.finish = self.usage = self.error = None
        self.trimmed = False

    def told(self):
        """As clients of other dialects get it."""
        t = Answer()
        t.opaque, t.usage, t.error = self.opaque, self.usage, self.error
        t.calls = {o: c for o, c in self.calls.items() if o not in self.hosted}
        for (output, stem, part), text in sorted(self.texts.items()):
            if output in self.hosted or stem not in TOLD or not text:
                continue
            at = (output, "reasoning", 0) if CHANNELS[stem] == "reasoning" else (output, stem, part)
            t.texts[at] = t.texts[at] + "\n\n" + text if at in t.texts else text
        t.finish = self.finish and ("tool_calls" if t.calls else "stop")
        return t

    def whole(self, output, stem, part, text):
        if text:
            self.texts.setdefault((output, stem, part), text)

    def item(self, output, item):
        kind = item["type"]
        if kind in ("function_call", "custom_tool_call"):
            self.calls[output] = (item["call_id"], item["name"])
            if item["call_id"].startswith("xs_call_"):      # xAI's own search
                self.hosted.add(output)
            stem = "function_call_arguments" if kind == "function_call" else "custom_tool_call_input"
            self.whole(output, "response." + stem, 0, item.get("arguments") or item.get("input"))
        elif kind in ("mcp_call", "mcp_approval_request"):
            self.whole(output, "response.mcp_call_arguments", 0, item.get("arguments"))
        elif kind == "code_interpreter_call":
            self.whole(output, "response.code_interpreter_call_code", 0, item.get("code"))
        elif kind == "apply_patch_call":
            self.whole(output, "response.apply_patch_call_operation_diff", 0, item["operation"].get("diff"))
        elif kind in ("shell_call", "local_shell_call"):
            for i, command in enumerate(item["action"].get("commands") or item["action"].get("command")):
                self.whole(output, "response.shell_call_command", i, command)
        elif kind == "reasoning" and item.get("encrypted_content"):
            self.opaque.add(item["encrypted_content"])
        for i, part in enumerate((item.get("content") or []) if kind in ("message", "reasoning") else []):
            stem = {"output_text": "output_text", "refusal": "refusal", "reasoning_text": "reasoning_text"}[part["type"]]
            self.whole(output, "response." + stem, i, part.get("text") or part.get("refusal"))
        for i, part in enumerate((item.get("summary") or []) if kind == "reasoning" else []):
            self.whole(output, "response.reasoning_summary_text", i, part["text"])

    def response(self, r, items):
        for i, item in enumerate(r["output"] if items else []):
            self.item(i, item)
        u = r.get("usage")
        if u:
            cached = (u.get("input_tokens_details") or {}).get("cached_tokens")
            written = (u.get("input_tokens_details") or {}).get("cache_write_tokens")
            thought = (u.get("output_tokens_details") or {}).get("reasoning_tokens")
            self.usage = (u["input_tokens"] - (cached or 0) - (written or 0), -1 if cached is None else cached,
                          -1 if written is None else written, u["output_tokens"] - (thought or 0),
                          -1 if thought is None else thought)
        if r["status"] == "failed":
            self.error = self.error or r["error"]["message"]
        elif r["status"] == "completed":
            self.finish = "tool_calls" if self.calls else "stop"
        else:
            raise SystemExit("a status that no recording had: " + r["status"])

    def record(self, r):
        kind = r["type"]
        stem, _, end = kind.rpartition(".")
        if stem in CHANNELS and end == "delta":
            at = r["output_index"], stem, r.get(INDEX.get(stem), 0)
            self.texts[at] = self.texts.get(at, "") + r["delta"]
        elif stem in CHANNELS and end == "done":
            at = r["output_index"], stem, r.get(INDEX.get(stem), 0)
            whole = r.get("text") or r.get("refusal") or r.get("arguments") or r.get("input") or r.get("code") or \
                r.get("command") or r.get("diff") or ""
            self.trimmed |= self.texts.get(at, whole) != whole
        elif kind == "response.output_item.done":
            self.item(r["output_index"], r["item"])
        elif kind == "response.completed" or kind == "response.failed":
            self.response(r["response"], not self.texts)
        elif kind == "error":
            self.error = r["error"]["message"]


def digest(text):
    raw = text.encode()
    return f"{len(raw)} {hashlib.sha256(raw).hexdigest()}"


def show(a, word=""):
    lines = [f"text {CHANNELS.get(stem, stem)} {digest(text)}" for (_, stem, _), text in a.texts.items() if text]
    lines = sorted(lines) + sorted(f"call {i} {n}" for i, n in a.calls.values())
    if word:
        lines += sorted(f"opaque {digest(text)}" for text in a.opaque)
    if a.finish:
        lines.append("finish " + a.finish)
    if a.usage:
        lines.append("usage " + " ".join(map(str, a.usage)))
    if a.error:
        lines.append("error " + a.error)
    print("".join(word + line + "\n" for line in lines), end="")


def answers(text, body):
    """A recording may hold the streams of several turns, one behind the other."""
    if body:
        found = json.loads(text)
        a = Answer()
        if "output" in found:
            a.response(found, True)
        else:
            a.error = found["error"]["message"]
        return [a]
    out = []
    for record in (json.loads(line) for line in text.splitlines() if line.strip()):
        if record["type"] == "response.created" or not out:
            out.append(Answer())
        out[-1].record(record)
    return out


def main(folder):
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
        index = [x for x in json.load(f) if x["dialect"] == "openai-responses"]
    for x in sorted(index, key=lambda x: x["file"]):
        with open(os.path.join(folder, x["file"]), encoding="utf-8") as f:
            found = answers(f.read(), x["kind"] == "body")
        for i, a in enumerate(found):
            print("file", x["file"], i)
            if a.trimmed:
                print("trimmed")
                continue
            show(a)
            show(a.told(), "told ")


main(sys.argv[1])
