#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cohere.py -- writes cohere.txt: what the recorded chats of Cohere mean, read independently of the plugin.

    tests/golden/cohere.py FIXTURES >tests/golden/cohere.txt
"""
import hashlib
import json
import pathlib
import sys


def digest(text):
    raw = text.encode("utf-8", "surrogatepass")
    return f"{len(raw)} {hashlib.sha256(raw).hexdigest()}"


def usage_of(usage):
    cached = usage.get("cached_tokens", -1)
    tokens = usage["tokens"]
    return f"usage {tokens['input_tokens'] - max(cached, 0)} {cached} {tokens['output_tokens']}"


def whole(body):
    message = body["message"]
    reasoning = "".join(part.get("thinking", "") for part in message.get("content", []))
    text = "".join(part.get("text", "") for part in message.get("content", []))
    calls = [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in message.get("tool_calls", [])]
    return message.get("tool_plan", ""), reasoning, text, calls, body["finish_reason"], body["usage"]


def streamed(lines):
    plan = reasoning = text = ""
    calls, end = {}, None
    for line in lines:
        record = json.loads(line)
        message = record.get("delta", {}).get("message", {})
        if record["type"] == "tool-plan-delta":
            plan += message["tool_plan"]
        elif record["type"] in ("content-start", "content-delta"):
            reasoning += message["content"].get("thinking", "")
            text += message["content"].get("text", "")
        elif record["type"] == "tool-call-start":
            call = message["tool_calls"]
            calls[record["index"]] = [call["id"], call["function"]["name"], call["function"]["arguments"]]
        elif record["type"] == "tool-call-delta":
            calls[record["index"]][2] += message["tool_calls"]["function"]["arguments"]
        elif record["type"] == "message-end":
            end = record["delta"]
    return plan, reasoning, text, [calls[i] for i in sorted(calls)], end["finish_reason"], end["usage"]


def main(folder):
    for path in sorted((folder / "cohere").iterdir()):
        text = path.read_text()
        if path.name.endswith(".chunks.txt"):
            said = streamed([line for line in text.splitlines() if line.strip()])
        elif "message" in (body := json.loads(text)):
            said = whole(body)
        else:
            continue
        plan, reasoning, answer, calls, finish, usage = said
        print("file", f"cohere/{path.name}")
        for word, value in (("reasoning", reasoning), ("text", plan + answer)):
            if value:
                print(word, digest(value))
        for name, function, arguments in calls:
            arguments = json.loads(arguments or "{}") or {}
            print("call", name, function, digest(json.dumps(arguments, separators=(",", ":"), ensure_ascii=False)))
        print("finish", finish)
        print(usage_of(usage))


main(pathlib.Path(sys.argv[1]))
