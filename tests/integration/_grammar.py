# SPDX-License-Identifier: Apache-2.0
"""_grammar.py -- one state machine for each client dialect, written from the vendors' documents and not from weir's code: is this a stream as that
dialect's clients read it?  check(dialect, bytes) raises Broken, or returns what the stream says."""
import json
import struct
import zlib


class Broken(Exception):
    pass


def need(condition, *why):
    if not condition:
        raise Broken(" ".join(str(w) for w in why)[:600])


class Said:
    """What a client understood."""

    def __init__(self):
        self.text, self.reasoning, self.calls, self.ends, self.error = "", "", [], [], None
        self.terminals = 0

    def key(self):
        return self.text, self.reasoning, [tuple(c) for c in self.calls], self.ends, bool(self.error)


def sse(data):
    """(name, data) of each record.  Every record is whole: one optional event line, data lines, one empty line."""
    text = data.decode("utf-8")
    need(not text or text.endswith("\n\n") or text.endswith("\r\n\r\n"), "the last record is not ended:", text[-80:])
    for record in text.replace("\r\n", "\n").split("\n\n")[:-1]:
        name, lines = "", []
        for line in record.split("\n"):
            field, colon, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if line.startswith(":"):
                continue
            need(colon and field in ("event", "data"), "no field of a record:", line)
            if field == "event":
                need(not name, "two names")
                name = value
            else:
                lines.append(value)
        if lines:
            yield name, "\n".join(lines)


def strict(text):
    def pairs(items):
        keys = [k for k, _ in items]
        need(len(set(keys)) == len(keys), "a key stands twice:", keys)
        return dict(items)

    try:
        return json.loads(text, object_pairs_hook=pairs)
    except ValueError as e:
        raise Broken("no JSON: %s: %s" % (e, text[:200]))


# ---- Chat Completions ----

def openai(data):
    s, ids, roles, open_choices, ended, calls = Said(), set(), set(), set(), set(), {}
    usage = done = False
    for name, text in sse(data):
        need(not done, "a record after [DONE]")
        if text == "[DONE]":
            done = True
            continue
        need(not s.error, "a record after an error:", text)
        j = strict(text)
        if "error" in j:
            need(isinstance(j["error"], dict) and isinstance(j["error"].get("message"), str), "an error without words")
            s.error = j["error"]
            s.terminals += 1
            continue
        need(not name, "chunks have no names")
        need(j["object"] == "chat.completion.chunk" and isinstance(j["created"], int) and j["id"] and "model" in j, "no chunk:", text)
        ids.add((j["id"], j["created"], j["model"]))
        need(len(ids) == 1, "id, created, model change:", ids)
        if j.get("usage"):
            need(not usage and j["choices"] == [], "usage twice, or beside choices")
            need(j["usage"]["total_tokens"] == j["usage"]["prompt_tokens"] + j["usage"]["completion_tokens"], "usage does not add up")
            usage = True
            continue
        need(j["choices"] and not usage, "no choices, or choices behind the usage")
        for c in j["choices"]:
            i, d = c["index"], c["delta"]
            need(i not in ended, "a choice goes on behind its finish")
            if i not in open_choices:
                need(d.get("role") == "assistant", "the first delta has no role")
                open_choices.add(i)
            else:
                need("role" not in d, "a second role")
            s.text += d.get("content") or ""
            s.reasoning += d.get("reasoning_content") or ""
            for t in d.get("tool_calls") or []:
                k = (i, t["index"])
                custom = t.get("custom")
                if k not in calls:
                    need(t["index"] == sum(1 for x in calls if x[0] == i), "calls are not counted from 0 without gaps:", t)
                    need(t.get("id") and t.get("type") and (custom or t["function"]).get("name"), "a call begins without id, type or name:", t)
                    calls[k] = [(custom or t["function"])["name"], ""]
                    s.calls.append(calls[k])
                else:
                    need("id" not in t and "name" not in (custom or t["function"]), "a call begins twice:", t)
                calls[k][1] += (custom or {}).get("input", "") or t.get("function", {}).get("arguments", "")
            if c.get("finish_reason") is not None:
                need(c["finish_reason"] in ("stop", "length", "tool_calls", "content_filter", "function_call"), "finish_reason", c["finish_reason"])
                ended.add(i)
                s.ends.append(c["finish_reason"])
    if not s.error:
        need(done and open_choices == ended and ended, "no end: done %s, %s of %s choices" % (done, ended, open_choices))
        s.terminals = 1
    return s


# ---- Messages ----

BLOCKS = {"text": {"text_delta", "citations_delta"}, "thinking": {"thinking_delta", "signature_delta"}, "tool_use": {"input_json_delta"},
          "redacted_thinking": set()}


def anthropic(data):
    s, state, block, index, signed = Said(), "start", None, 0, False
    for name, text in sse(data):
        j = strict(text)
        need(name == j["type"], "the record is called", name, "and is", j["type"])
        need(state != "end", "a record behind the end:", text)
        if name == "ping":
            need(state != "start", "a ping before the start")
        elif name == "error":
            need(isinstance(j["error"]["type"], str) and isinstance(j["error"]["message"], str), "an error without words")
            s.error, state = j["error"], "end"
            s.terminals += 1
        elif name == "message_start":
            need(state == "start", "a second start")
            m = j["message"]
            need(m["type"] == "message" and m["role"] == "assistant" and m["content"] == [] and m["stop_reason"] is None and m["id"], "start:", text)
            need(isinstance(m["usage"]["input_tokens"], int) and isinstance(m["usage"]["output_tokens"], int), "usage of the start:", text)
            state = "open"
        elif name == "content_block_start":
            need(state == "open" and block is None, "a block inside a block, or behind the end")
            need(j["index"] == index, "block", j["index"], "where", index, "is next")
            block, signed = j["content_block"], False
            need(block["type"] in BLOCKS, "block of type", block["type"])
            if block["type"] == "tool_use":
                need(block["id"] and block["name"] and block["input"] == {}, "a call begins with", block)
                s.calls.append([block["name"], ""])
            elif block["type"] != "redacted_thinking":
                need(block[block["type"]] == "", "a block begins with text")
        elif name == "content_block_delta":
            need(block is not None and j["index"] == index, "a delta of no open block:", text)
            d = j["delta"]
            need(d["type"] in BLOCKS[block["type"]], d["type"], "in a block of", block["type"])
            need(not signed, "a delta behind the signature")
            if d["type"] == "text_delta":
                s.text += d["text"]
            elif d["type"] == "thinking_delta":
                s.reasoning += d["thinking"]
            elif d["type"] == "input_json_delta":
                s.calls[-1][1] += d["partial_json"]
            signed = d["type"] == "signature_delta"
        elif name == "content_block_stop":
            need(block is not None and j["index"] == index, "a stop of no open block")
            if block["type"] == "thinking":
                need(signed, "thinking without a signature")
            block, index = None, index + 1
        elif name == "message_delta":
            need(state == "open" and block is None, "message_delta inside a block, or twice")
            need(j["delta"]["stop_reason"] in ("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal",
                                               "model_context_window_exceeded"), "stop_reason", j["delta"])
            need(isinstance(j["usage"]["output_tokens"], int), "usage", text)
            s.ends.append(j["delta"]["stop_reason"])
            state = "delta"
        elif name == "message_stop":
            need(state == "delta", "message_stop without message_delta")
            state = "end"
            s.terminals += 1
        else:
            need(False, "no event of Messages:", name)
    need(state == "end", "no end, but", state)
    return s


# ---- Responses ----

def responses(data):
    s, items, n, ended, failed = Said(), [], 0, False, False
    for name, text in sse(data):
        j = strict(text)
        need(name == j["type"] and not ended, "the record is called", name, "and is", j["type"], "or stands behind the end")
        need(j["sequence_number"] == n, "number", j["sequence_number"], "where", n, "is next")
        need((n == 0) == (name == "response.created") and (n == 1) == (name == "response.in_progress"), "record", n, "is", name)
        need(not failed or name == "response.failed", "behind an error stands", name)
        n += 1
        if n <= 2:
            need(j["response"]["status"] == "in_progress" and j["response"]["output"] == [], "begins with", text)
        elif name == "error":
            need(isinstance(j["message"], str), "an error without words")
            s.error, failed = j, True
        elif name == "response.output_item.added":
            need(j["output_index"] == len(items), "item", j["output_index"])
            items.append({"item": j["item"], "text": "", "state": "open"})
        elif name in ("response.completed", "response.incomplete", "response.failed"):
            need(name[9:] == j["response"]["status"], name, "with", j["response"]["status"])
            need((name == "response.failed") == failed, "failed without an error, or the other way round")
            need(len(j["response"]["output"]) == len(items) and all(i["state"] == "done" or failed for i in items), "items are not done")
            if not failed:
                need([i["done"] for i in items] == j["response"]["output"], "the output is not what the items were")
                s.ends.append(name)
            s.terminals += 1
            ended = True
        else:
            responses_piece(s, items, name, j)
    need(ended, "no end")
    return s


def responses_piece(s, items, name, j):
    need(j["output_index"] < len(items), "of no item:", name)
    it = items[j["output_index"]]
    kind = it["item"]["type"]
    need(it["state"] != "done", "a piece of an item that is done:", name)
    if name == "response.output_item.done":
        need(j["item"]["id"] == it["item"]["id"] and j["item"]["type"] == kind, "another item ends")
        it["state"], it["done"] = "done", j["item"]
        responses_item(s, it, j["item"])
        return
    need(j["item_id"] == it["item"]["id"], "item_id", j["item_id"])
    if name.endswith(".delta"):
        it["text"] += j["delta"]
    elif name.endswith("_text.done"):
        need(j["text"] == it["text"][-len(j["text"]):] if j["text"] else True, "done says", j["text"][:80], "the deltas", it["text"][:80])
    elif name == "response.function_call_arguments.done":
        need(j["arguments"] == it["text"], "done says", j["arguments"], "the deltas", it["text"])
    else:
        need(name in ("response.content_part.added", "response.content_part.done", "response.reasoning_summary_part.added",
                      "response.reasoning_summary_part.done", "response.custom_tool_call_input.done", "response.refusal.done",
                      "response.output_text.annotation.added"), "no event of Responses:", name)


def responses_item(s, it, item):
    if item["type"] == "message":
        text = "".join(p.get("text", p.get("refusal", "")) for p in item["content"])
        s.text += text
    elif item["type"] == "reasoning":
        text = "".join(p["text"] for p in item["summary"] + item.get("content", []))
        s.reasoning += text
    elif item["type"] == "function_call":
        need(item["call_id"] and item["name"], "a call without id or name")
        text = item["arguments"]
        s.calls.append([item["name"], text])
    else:
        need(item["type"] == "custom_tool_call", "item of type", item["type"])
        text = item["input"]
        s.calls.append([item["name"], text])
    need(text == it["text"] or (not it["text"] and text == "{}"), "an item says", text[:80], "its deltas", it["text"][:80])


# ---- generateContent ----

REASONS = {"STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "LANGUAGE"}


def gemini(data):
    s, ended, usage = Said(), set(), False
    for name, text in sse(data):
        need(not name and not s.error, "chunks have no names, and none follows an error")
        j = strict(text)
        if "error" in j:
            need(isinstance(j["error"]["code"], int) and isinstance(j["error"]["message"], str) and isinstance(j["error"]["status"], str), "error:", text)
            s.error = j["error"]
            s.terminals += 1
            continue
        usage = usage or "usageMetadata" in j
        need("candidates" in j or "usageMetadata" in j or "promptFeedback" in j, "no chunk:", text)
        for c in j.get("candidates", []):
            i = c.get("index", 0)
            parts = c.get("content", {}).get("parts", [])
            need(i not in ended or not parts, "a candidate goes on behind its end")
            for p in parts:
                if "functionCall" in p:
                    need(p["functionCall"]["name"] and isinstance(p["functionCall"].get("args", {}), dict), "a call:", p)
                    s.calls.append([p["functionCall"]["name"], json.dumps(p["functionCall"].get("args", {}))])
                elif p.get("thought"):
                    s.reasoning += p["text"]
                else:
                    need("text" in p, "a part:", p)
                    s.text += p["text"]
            if "finishReason" in c:
                need(i not in ended and c["finishReason"] in REASONS, "finishReason", c)
                ended.add(i)
                s.ends.append(c["finishReason"])
    if not s.error:
        need(ended, "no end")
        s.terminals = 1
    return s


# ---- Converse ----

def frames(data):
    at = 0
    while at < len(data):
        need(len(data) - at >= 16, "a frame is cut off")
        total, head, crc = struct.unpack(">III", data[at:at + 12])
        need(zlib.crc32(data[at:at + 8]) == crc and total <= len(data) - at, "a frame's prelude is broken")
        need(zlib.crc32(data[at:at + total - 4]) == struct.unpack(">I", data[at + total - 4:at + total])[0], "a frame is broken")
        headers, h = {}, data[at + 12:at + 12 + head]
        while h:
            n = h[0]
            need(h[1 + n] == 7, "a header that is no string")
            size = struct.unpack(">H", h[2 + n:4 + n])[0]
            headers[h[1:1 + n].decode()] = h[4 + n:4 + n + size].decode()
            h = h[4 + n + size:]
        yield headers, data[at + 12 + head:at + total - 4].decode()
        at += total


def bedrock(data):
    s, state, index, kind = Said(), "start", -1, None
    for headers, text in frames(data):
        j = strict(text)
        need(state != "end", "a frame behind the end")
        if headers[":message-type"] == "exception":
            need(headers[":exception-type"].endswith("Exception") and isinstance(j["message"], str), "exception:", headers, text)
            s.error, state = j, "end"
            s.terminals += 1
            continue
        name = headers[":event-type"]
        need(headers[":message-type"] == "event" and headers[":content-type"] == "application/json", "headers", headers)
        if name == "messageStart":
            need(state == "start" and j["role"] == "assistant", "messageStart")
            state = "open"
        elif name == "contentBlockStart":
            need(state == "open" and kind is None and j["contentBlockIndex"] == index + 1, "a block begins:", text)
            use = j["start"]["toolUse"]
            need(use["toolUseId"] and use["name"], "a call without id or name")
            s.calls.append([use["name"], ""])
            index, kind = index + 1, "toolUse"
        elif name == "contentBlockDelta":
            (what, d), = j["delta"].items()
            if j["contentBlockIndex"] == index + 1 and kind is None and what != "toolUse":
                index, kind = index + 1, what                    # text and reasoning begin with their first delta
            need(state == "open" and j["contentBlockIndex"] == index and kind == what, "a delta of", what, "in a block of", kind, text)
            if what == "text":
                s.text += d
            elif what == "toolUse":
                s.calls[-1][1] += d["input"]
            else:
                need(what == "reasoningContent" and len(d) == 1, "a delta:", text)
                s.reasoning += d.get("text", "")
        elif name == "contentBlockStop":
            need(kind is not None and j["contentBlockIndex"] == index, "a block ends that is not open:", text)
            kind = None
        elif name == "messageStop":
            need(state == "open" and kind is None, "messageStop inside a block")
            need(j["stopReason"] in ("end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered",
                                     "model_context_window_exceeded"), "stopReason", text)
            s.ends.append(j["stopReason"])
            state = "stop"
        else:
            need(name == "metadata" and state == "stop" and isinstance(j["usage"]["inputTokens"], int), "no event of Converse here:", name)
            state = "end"
            s.terminals += 1
    need(state in ("end", "stop"), "no end, but", state)
    s.terminals = s.terminals or 1
    return s


CHECKS = {"openai": openai, "anthropic": anthropic, "responses": responses, "gemini": gemini, "bedrock": bedrock}


def check(dialect, data):
    try:
        s = CHECKS[dialect](data)
    except (KeyError, TypeError, IndexError, UnicodeDecodeError) as e:
        raise Broken("%s: %s" % (type(e).__name__, e))
    need(s.terminals == 1, "%d ends" % s.terminals)
    need(not (s.error and s.ends and dialect != "openai"), "an end and an error:", s.ends, s.error)
    return s
