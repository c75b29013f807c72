# SPDX-License-Identifier: Apache-2.0
"""replay.py -- the upstreams of the matrix: one scenario, said in the words of every vendor's API, and the request looked at first.

The path's first part is the dialect; the user's first words tell which scenario of scenarios.json it is.  A request that is not as the vendor wants it, or
has lost what the client said, gets a 400 that says so, in which case its cell of the matrix fails.  What is written here follows the
vendors' documentation and knows nothing of weir.
"""
import base64
import hashlib
import hmac
import json
import os
import struct
import sys
import threading
import urllib.parse
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from _weir import Upstream  # noqa: E402

SCENARIOS = json.load(open(os.path.join(HERE, "scenarios.json")))
PNG = base64.b64decode(SCENARIOS["png"])
AWS_KEY, AWS_SECRET, KEY = "AKIDMATRIX", "matrix/secret+key", "sk-matrix-upstream-key-1234"


class Wrong(Exception):
    pass


def need(ok, what):
    if not ok:
        raise Wrong(what)


# ---- what a request says, the same for every dialect: {system, turns: [(role, [part])], tools: {name: schema}, schema, thinks} ----

def text_of(content, key="text"):
    return content if isinstance(content, str) else "".join(p.get(key, "") for p in content)


def from_data_url(url):
    need(url.startswith("data:image/png;base64,"), "an image that is no data URL: %.40s" % url)
    return ("image", base64.b64decode(url.split(",", 1)[1], validate=True))


def read_openai(b):
    said = {"system": "", "turns": [], "tools": {}, "schema": None, "thinks": "reasoning_effort" in b or "reasoning" in b}
    for m in b["messages"]:
        parts = []
        if m["role"] in ("system", "developer"):
            said["system"] += text_of(m["content"])
            continue
        if m["role"] == "tool":
            parts.append(("result", m["tool_call_id"], text_of(m["content"])))
        else:
            for p in [{"type": "text", "text": m["content"]}] if isinstance(m.get("content"), str) else m.get("content") or []:
                parts.append(from_data_url(p["image_url"]["url"]) if p["type"] == "image_url" else ("text", p["text"]))
            for c in m.get("tool_calls") or []:
                need(c["type"] == "function" and isinstance(c["function"]["arguments"], str), "tool_calls are not OpenAI's")
                parts.append(("call", c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])))
        said["turns"].append((m["role"], parts))
    for t in b.get("tools") or []:
        said["tools"][t["function"]["name"]] = t["function"]["parameters"]
    if b.get("response_format"):
        need(b["response_format"]["type"] == "json_schema" and b["response_format"]["json_schema"]["name"], "response_format")
        said["schema"] = b["response_format"]["json_schema"]["schema"]
    return said


def read_responses(b):
    said = {"system": b.get("instructions") or "", "turns": [], "tools": {}, "schema": None, "thinks": bool(b.get("reasoning"))}
    items = [{"type": "message", "role": "user", "content": b["input"]}] if isinstance(b["input"], str) else b["input"]
    for i in items:
        kind = i.get("type", "message")
        if kind == "message" and i["role"] in ("system", "developer"):
            said["system"] += text_of(i["content"])
        elif kind == "message":
            parts = []
            for p in [{"type": "input_text", "text": i["content"]}] if isinstance(i["content"], str) else i["content"]:
                need(p["type"] == "input_image" or p["type"] == ("output_text" if i["role"] == "assistant" else "input_text"),
                     "a part of type %s in a message of %s" % (p["type"], i["role"]))
                parts.append(from_data_url(p["image_url"]) if p["type"] == "input_image" else ("text", p["text"]))
            said["turns"].append((i["role"], parts))
        elif kind == "function_call":
            said["turns"].append(("assistant", [("call", i["call_id"], i["name"], json.loads(i["arguments"]))]))
        elif kind == "function_call_output":
            said["turns"].append(("tool", [("result", i["call_id"], text_of(i["output"]))]))
        else:
            need(kind == "reasoning", "an item of type %s" % kind)
    for t in b.get("tools") or []:
        need(t["type"] == "function", "a tool that is no function")
        said["tools"][t["name"]] = t["parameters"]
    form = (b.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        need(form["name"], "text.format has no name")
        said["schema"] = form["schema"]
    return said


def read_anthropic(b):
    need(isinstance(b.get("max_tokens"), int) and b["max_tokens"] > 0, "max_tokens is required")
    thinking = b.get("thinking") or {}
    said = {"system": text_of(b.get("system") or ""), "turns": [], "tools": {}, "schema": None, "thinks": thinking.get("type") in ("enabled", "adaptive")}
    if thinking.get("type") == "enabled":
        need(1024 <= thinking["budget_tokens"] < b["max_tokens"], "thinking.budget_tokens is not below max_tokens")
    for m in b["messages"]:
        need(m["role"] in ("user", "assistant"), "role %s" % m["role"])
        need(not said["turns"] or said["turns"][-1][0] != m["role"], "roles do not take turns")
        parts = []
        for p in [{"type": "text", "text": m["content"]}] if isinstance(m["content"], str) else m["content"]:
            if p["type"] == "text":
                parts.append(("text", p["text"]))
            elif p["type"] == "image":
                need(p["source"]["media_type"] == "image/png", "media_type")
                parts.append(("image", base64.b64decode(p["source"]["data"], validate=True)))
            elif p["type"] == "tool_use":
                parts.append(("call", p["id"], p["name"], p["input"]))
            elif p["type"] == "tool_result":
                need(all(q[0] == "result" for q in parts), "tool_result must come first in its message")
                parts.append(("result", p["tool_use_id"], text_of(p["content"])))
            else:
                need(p["type"] in ("thinking", "redacted_thinking"), "a block of type %s" % p["type"])
        said["turns"].append((m["role"], parts))
    for t in b.get("tools") or []:
        said["tools"][t["name"]] = t["input_schema"]
    form = (b.get("output_config") or {}).get("format") or b.get("output_format")
    if form:
        said["schema"] = form["schema"]
    return said


def camel(x):
    """protobuf's JSON takes snake_case for camelCase; arguments and schemas have names of their own."""
    if isinstance(x, list):
        return [camel(y) for y in x]
    if not isinstance(x, dict):
        return x
    named = {k.split("_")[0] + "".join(w.title() for w in k.split("_")[1:]): v for k, v in x.items()}
    return {k: v if k in ("args", "response", "parameters", "parametersJsonSchema", "responseJsonSchema", "responseSchema") else camel(v)
            for k, v in named.items()}


def any_base64(text):
    return base64.b64decode((text + "=" * (-len(text) % 4)).replace("-", "+").replace("_", "/"))


def read_gemini(b):
    b = camel(b)
    config = b.get("generationConfig") or {}
    said = {"system": text_of((b.get("systemInstruction") or {}).get("parts") or ""), "turns": [], "tools": {},
            "schema": config.get("responseJsonSchema") or config.get("responseSchema"), "thinks": bool(config.get("thinkingConfig"))}
    if said["schema"]:
        need(config.get("responseMimeType") == "application/json", "a schema wants responseMimeType")
    for m in b["contents"]:
        need(m.get("role", "user") in ("user", "model"), "role %s" % m.get("role"))
        parts = []
        for p in m["parts"]:
            if p.get("text") is not None:
                parts.append(("text", p["text"]))
            elif "inlineData" in p:
                need(p["inlineData"]["mimeType"] == "image/png", "mimeType")
                parts.append(("image", any_base64(p["inlineData"]["data"])))
            elif "functionCall" in p:
                parts.append(("call", p["functionCall"].get("id") or p["functionCall"]["name"], p["functionCall"]["name"], p["functionCall"]["args"]))
            elif "functionResponse" in p:
                r = p["functionResponse"]
                need(isinstance(r["response"], dict), "functionResponse.response is no object")
                parts.append(("result", r.get("id") or r["name"], "".join(v for v in r["response"].values() if isinstance(v, str))))
        said["turns"].append(("assistant" if m.get("role") == "model" else "user", parts))
    for t in b.get("tools") or []:
        for f in t["functionDeclarations"]:
            said["tools"][f["name"]] = f.get("parametersJsonSchema") or f["parameters"]
    return said


def read_bedrock(b):
    extra = b.get("additionalModelRequestFields") or {}
    said = {"system": text_of(b.get("system") or ""), "turns": [], "tools": {}, "schema": None,
            "thinks": "thinking" in extra or "reasoning_effort" in extra or "reasoning_config" in extra or "reasoningConfig" in extra}
    for m in b["messages"]:
        need(not said["turns"] or said["turns"][-1][0] != m["role"], "roles do not take turns")
        parts = []
        for p in m["content"]:
            if "text" in p:
                parts.append(("text", p["text"]))
            elif "image" in p:
                need(p["image"]["format"] == "png", "format")
                parts.append(("image", base64.b64decode(p["image"]["source"]["bytes"], validate=True)))
            elif "toolUse" in p:
                parts.append(("call", p["toolUse"]["toolUseId"], p["toolUse"]["name"], p["toolUse"]["input"]))
            elif "toolResult" in p:
                r = p["toolResult"]
                parts.append(("result", r["toolUseId"], "".join(c.get("text") or "".join(v for v in c["json"].values()) for c in r["content"])))
        said["turns"].append((m["role"], parts))
    for t in (b.get("toolConfig") or {}).get("tools") or []:
        said["tools"][t["toolSpec"]["name"]] = t["toolSpec"]["inputSchema"]["json"]
    form = ((b.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    if form:
        said["schema"] = json.loads(form["jsonSchema"]["schema"])
    return said


def read_cohere(b):
    said = {"system": "", "turns": [], "tools": {}, "schema": None, "thinks": (b.get("thinking") or {}).get("type") == "enabled"}
    for m in b["messages"]:
        parts = []
        if m["role"] == "system":
            said["system"] += text_of(m["content"])
            continue
        if m["role"] == "tool":
            documents = [p for p in m["content"] if isinstance(p, dict) and p["type"] == "document"]
            text = "".join(v for p in documents for v in [p["document"]["data"]]) if documents else text_of(m["content"])
            parts.append(("result", m["tool_call_id"], text))
        else:
            for p in [{"type": "text", "text": m["content"]}] if isinstance(m.get("content"), str) else m.get("content") or []:
                parts.append(from_data_url(p["image_url"]["url"]) if p["type"] == "image_url" else ("text", p["text"]))
            for c in m.get("tool_calls") or []:
                parts.append(("call", c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])))
        said["turns"].append((m["role"], parts))
    for t in b.get("tools") or []:
        said["tools"][t["function"]["name"]] = t["function"]["parameters"]
    form = b.get("response_format") or {}
    if form:
        need(form["type"] == "json_object", "response_format.type")
        said["schema"] = form.get("json_schema") or form.get("schema")
    return said


# ---- the request as it must arrive ----

def sigv4(method, path, headers, body):
    """The signature that AWS would compute (Signature Version 4), over the headers that the request says are signed."""
    head = headers["authorization"]
    need(head.startswith("AWS4-HMAC-SHA256 Credential=" + AWS_KEY + "/"), "authorization: %.60s" % head)
    fields = dict(f.strip().split("=", 1) for f in head.split(" ", 1)[1].split(","))
    date, region, service, _ = fields["Credential"].split("/")[1:]
    signed = fields["SignedHeaders"].split(";")
    need({"host", "x-amz-date"} <= set(signed) and service == "bedrock", "SignedHeaders " + fields["SignedHeaders"])
    where = urllib.parse.quote(path, safe="/-_.~")          # each part is encoded once more than it is sent
    canonical = "\n".join([method, where, ""] + ["%s:%s" % (h, " ".join(headers[h].split())) for h in signed] +
                          ["", ";".join(signed), hashlib.sha256(body).hexdigest()])
    scope = "/".join((date, region, service, "aws4_request"))
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + AWS_SECRET).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return hmac.new(key, text.encode(), "sha256").hexdigest() == fields["Signature"]


def scenario_of(said):
    """The scenario by the first words that a user says."""
    texts = [p[1] for _, parts in said["turns"] for p in parts if p[0] == "text"]
    found = [s for s in SCENARIOS["scenarios"].values() if texts and s["ask"] == texts[0]]
    need(found, "no scenario begins with %r" % (texts[:1],))
    return found[0]


def check(said, s):
    flat = [p for _, parts in said["turns"] for p in parts]
    need(said["system"] == SCENARIOS["system"], "the system prompt is %r" % said["system"])
    need(said["turns"][0][0] == "user", "the first turn is %s" % said["turns"][0][0])
    if s.get("tools"):
        need({n: sorted(t["properties"]) for n, t in said["tools"].items()} == SCENARIOS["tool_names"], "tools are %r" % (said["tools"],))
    if s.get("image"):
        need([p[1] for p in flat if p[0] == "image"] == [PNG], "the image did not arrive as it was")
    if s.get("schema"):
        need(said["schema"] and sorted(said["schema"]["properties"]) == ["city", "population"], "the schema is %r" % (said["schema"],))
    if s.get("think"):
        need(said["thinks"], "nobody asked for reasoning")
    if s.get("results"):
        calls = [(p[1], p[2], p[3]) for p in flat if p[0] == "call"]
        results = [(p[1], p[2]) for p in flat if p[0] == "result"]
        need([(n, a) for _, n, a in calls] == [(n, a) for n, a in s["calls_before"]], "calls are %r" % (calls,))
        need(len(results) == 2 and [i for i, _ in results] == [i for i, _, _ in calls], "results %r to calls %r" % (results, calls))
        need(len({i for i, _, _ in calls}) == 2, "ids are not unique")
        need([r for _, r in results] == s["results"], "results are %r" % (results,))


# ---- answers ----

def json_bytes(x):
    return json.dumps(x, ensure_ascii=False).encode()


def pieces(text, n=7):
    return [text[i:i + n] for i in range(0, len(text), n)]


def numbers(a):
    return a["usage"]["input"], a["usage"]["cached"], a["usage"]["output"], a["usage"].get("reasoning", 0)


def openai_usage(a):
    i, c, o, r = numbers(a)
    return {"prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o, "prompt_tokens_details": {"cached_tokens": c},
            "completion_tokens_details": {"reasoning_tokens": r}}


def openai_whole(a):
    message = {"role": "assistant", "content": a["text"] or None}
    if a.get("reasoning"):
        message["reasoning_content"] = message["reasoning"] = a["reasoning"]     # as servers say it to both kinds of clients
    if a.get("calls"):
        message["tool_calls"] = [{"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(x)}} for i, n, x in a["calls"]]
    return {"id": "chatcmpl-7", "object": "chat.completion", "created": 1750000000, "model": "m", "system_fingerprint": "fp_7", "usage": openai_usage(a),
            "choices": [{"index": 0, "message": message, "finish_reason": {"tools": "tool_calls"}.get(a["finish"], a["finish"]), "logprobs": None}]}


def openai_stream(a):
    def chunk(delta, finish=None, **more):
        return dict({"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1750000000, "model": "m", "system_fingerprint": "fp_7",
                     "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}, **more)
    yield chunk({"role": "assistant", "content": ""})
    for p in pieces(a.get("reasoning") or ""):
        yield chunk({"reasoning_content": p, "reasoning": p})
    for p in pieces(a["text"]):
        yield chunk({"content": p})
    for k, (i, n, x) in enumerate(a.get("calls") or []):
        yield chunk({"tool_calls": [{"index": k, "id": i, "type": "function", "function": {"name": n, "arguments": ""}}]})
        for p in pieces(json.dumps(x), 5):
            yield chunk({"tool_calls": [{"index": k, "function": {"arguments": p}}]})
    yield chunk({}, {"tools": "tool_calls"}.get(a["finish"], a["finish"]))
    yield dict(chunk({}), choices=[], usage=openai_usage(a))


def responses_whole(a, status="completed"):
    out = []
    if a.get("reasoning"):
        out.append({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": a["reasoning"]}]})
    if a["text"]:
        out.append({"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
                    "content": [{"type": "output_text", "text": a["text"], "annotations": [], "logprobs": []}]})
    for k, (i, n, x) in enumerate(a.get("calls") or []):
        out.append({"id": "fc_%d" % k, "type": "function_call", "status": "completed", "call_id": i, "name": n, "arguments": json.dumps(x)})
    i, c, o, r = numbers(a)
    return {"id": "resp_7", "object": "response", "created_at": 1750000000, "status": status, "error": None, "incomplete_details": None,
            "instructions": None, "max_output_tokens": None, "model": "m", "output": out, "parallel_tool_calls": True,
            "previous_response_id": None, "reasoning": {"effort": None, "summary": None}, "store": False, "temperature": 1.0,
            "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled", "user": None,
            "metadata": {}, "usage": {"input_tokens": i, "input_tokens_details": {"cached_tokens": c}, "output_tokens": o,
                                      "output_tokens_details": {"reasoning_tokens": r}, "total_tokens": i + o}}


def responses_stream(a):
    done = responses_whole(a)
    events = [("response.created", {"response": dict(done, status="in_progress", output=[], usage=None)}),
              ("response.in_progress", {"response": dict(done, status="in_progress", output=[], usage=None)})]
    for n, item in enumerate(done["output"]):
        here = {"output_index": n, "item_id": item["id"]}
        if item["type"] == "message":
            part = item["content"][0]
            events.append(("response.output_item.added", {"output_index": n, "item": dict(item, status="in_progress", content=[])}))
            events.append(("response.content_part.added", dict(here, content_index=0, part=dict(part, text=""))))
            events += [("response.output_text.delta", dict(here, content_index=0, delta=p, logprobs=[])) for p in pieces(part["text"])]
            events.append(("response.output_text.done", dict(here, content_index=0, text=part["text"], logprobs=[])))
            events.append(("response.content_part.done", dict(here, content_index=0, part=part)))
        elif item["type"] == "reasoning":
            part = item["summary"][0]
            events.append(("response.output_item.added", {"output_index": n, "item": dict(item, summary=[])}))
            events.append(("response.reasoning_summary_part.added", dict(here, summary_index=0, part=dict(part, text=""))))
            events += [("response.reasoning_summary_text.delta", dict(here, summary_index=0, delta=p)) for p in pieces(part["text"])]
            events.append(("response.reasoning_summary_text.done", dict(here, summary_index=0, text=part["text"])))
            events.append(("response.reasoning_summary_part.done", dict(here, summary_index=0, part=part)))
        else:
            events.append(("response.output_item.added", {"output_index": n, "item": dict(item, status="in_progress", arguments="")}))
            events += [("response.function_call_arguments.delta", dict(here, delta=p)) for p in pieces(item["arguments"], 5)]
            events.append(("response.function_call_arguments.done", dict(here, arguments=item["arguments"])))
        events.append(("response.output_item.done", {"output_index": n, "item": item}))
    events.append(("response.completed", {"response": done}))
    for n, (kind, body) in enumerate(events):
        yield kind, dict({"type": kind, "sequence_number": n}, **body)


def anthropic_usage(a):
    i, c, o, _ = numbers(a)
    return {"input_tokens": i - c, "cache_creation_input_tokens": 0, "cache_read_input_tokens": c, "output_tokens": o}


def anthropic_whole(a):
    content = []
    if a.get("reasoning"):
        content.append({"type": "thinking", "thinking": a["reasoning"], "signature": "c2lnbmF0dXJl"})
    if a["text"]:
        content.append({"type": "text", "text": a["text"]})
    content += [{"type": "tool_use", "id": i, "name": n, "input": x} for i, n, x in a.get("calls") or []]
    return {"id": "msg_7", "type": "message", "role": "assistant", "model": "m", "content": content, "stop_sequence": None,
            "stop_reason": {"tools": "tool_use", "stop": "end_turn"}[a["finish"]], "usage": anthropic_usage(a)}


def anthropic_stream(a):
    whole = anthropic_whole(a)
    yield "message_start", {"type": "message_start", "message": dict(whole, content=[], stop_reason=None, usage=dict(anthropic_usage(a), output_tokens=1))}
    yield "ping", {"type": "ping"}
    for n, block in enumerate(whole["content"]):
        empty = {"thinking": dict(block, thinking="", signature=""), "text": dict(block, text=""), "tool_use": dict(block, input={})}[block["type"]]
        yield "content_block_start", {"type": "content_block_start", "index": n, "content_block": empty}
        deltas = {"thinking": [{"type": "thinking_delta", "thinking": p} for p in pieces(block.get("thinking", ""))] +
                              [{"type": "signature_delta", "signature": block.get("signature")}],
                  "text": [{"type": "text_delta", "text": p} for p in pieces(block.get("text", ""))],
                  "tool_use": [{"type": "input_json_delta", "partial_json": p} for p in [""] + pieces(json.dumps(block.get("input")), 5)]}
        for d in deltas[block["type"]]:
            yield "content_block_delta", {"type": "content_block_delta", "index": n, "delta": d}
        yield "content_block_stop", {"type": "content_block_stop", "index": n}
    yield "message_delta", {"type": "message_delta", "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
                            "usage": {"output_tokens": a["usage"]["output"]}}
    yield "message_stop", {"type": "message_stop"}


def gemini_part(parts, a=None):
    body = {"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}], "modelVersion": "m", "responseId": "gem7"}
    if a:
        i, c, o, r = numbers(a)
        body["candidates"][0]["finishReason"] = "STOP"
        body["usageMetadata"] = {"promptTokenCount": i, "cachedContentTokenCount": c, "candidatesTokenCount": o - r, "totalTokenCount": i + o}
        if r:
            body["usageMetadata"]["thoughtsTokenCount"] = r
    return body


def gemini_calls(a):
    return [{"functionCall": {"id": i, "name": n, "args": x}} for i, n, x in a.get("calls") or []]


def gemini_whole(a):
    parts = [{"text": a["reasoning"], "thought": True}] if a.get("reasoning") else []
    return gemini_part(parts + ([{"text": a["text"]}] if a["text"] else []) + gemini_calls(a), a)


def gemini_stream(a):
    for p in pieces(a.get("reasoning") or "", 11):
        yield gemini_part([{"text": p, "thought": True}])
    for p in pieces(a["text"], 11):
        yield gemini_part([{"text": p}])
    for call in gemini_calls(a):
        yield gemini_part([call])
    yield gemini_part([{"text": ""}], a)


def bedrock_usage(a):
    i, c, o, _ = numbers(a)
    return {"inputTokens": i - c, "cacheReadInputTokens": c, "cacheWriteInputTokens": 0, "outputTokens": o, "totalTokens": i + o}


def bedrock_whole(a):
    content = [{"reasoningContent": {"reasoningText": {"text": a["reasoning"], "signature": "c2lnbmF0dXJl"}}}] if a.get("reasoning") else []
    content += [{"text": a["text"]}] if a["text"] else []
    content += [{"toolUse": {"toolUseId": i, "name": n, "input": x}} for i, n, x in a.get("calls") or []]
    return {"output": {"message": {"role": "assistant", "content": content}}, "metrics": {"latencyMs": 7}, "usage": bedrock_usage(a),
            "stopReason": {"tools": "tool_use", "stop": "end_turn"}[a["finish"]]}


def bedrock_stream(a):
    whole = bedrock_whole(a)
    yield "messageStart", {"role": "assistant"}
    for n, block in enumerate(whole["output"]["message"]["content"]):
        if "toolUse" in block:
            use = block["toolUse"]
            yield "contentBlockStart", {"contentBlockIndex": n, "start": {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}}
            deltas = [{"toolUse": {"input": p}} for p in pieces(json.dumps(use["input"]), 5)]
        elif "text" in block:
            deltas = [{"text": p} for p in pieces(block["text"])]
        else:
            think = block["reasoningContent"]["reasoningText"]
            deltas = [{"reasoningContent": {"text": p}} for p in pieces(think["text"])] + [{"reasoningContent": {"signature": think["signature"]}}]
        for d in deltas:
            yield "contentBlockDelta", {"contentBlockIndex": n, "delta": d}
        yield "contentBlockStop", {"contentBlockIndex": n}
    yield "messageStop", {"stopReason": whole["stopReason"]}
    yield "metadata", {"usage": whole["usage"], "metrics": whole["metrics"]}


def cohere_usage(a):
    i, c, o, _ = numbers(a)
    return {"billed_units": {"input_tokens": i, "output_tokens": o}, "tokens": {"input_tokens": i, "output_tokens": o}, "cached_tokens": c}


def cohere_whole(a):
    content = [{"type": "thinking", "thinking": a["reasoning"]}] if a.get("reasoning") else []
    content += [{"type": "text", "text": a["text"]}] if a["text"] else []
    message = {"role": "assistant", "content": content}
    if a.get("calls"):
        message["tool_calls"] = [{"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(x)}} for i, n, x in a["calls"]]
    return {"id": "co7", "message": message, "finish_reason": {"tools": "TOOL_CALL", "stop": "COMPLETE"}[a["finish"]], "usage": cohere_usage(a)}


def cohere_stream(a):
    whole = cohere_whole(a)
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield "message-start", {"id": "co7", "type": "message-start", "delta": {"message": start}}
    for n, block in enumerate(whole["message"]["content"]):
        key = block["type"]
        yield "content-start", {"type": "content-start", "index": n, "delta": {"message": {"content": {"type": key, key: ""}}}}
        for p in pieces(block[key]):
            yield "content-delta", {"type": "content-delta", "index": n, "delta": {"message": {"content": {key: p}}}}
        yield "content-end", {"type": "content-end", "index": n}
    for n, call in enumerate(whole["message"].get("tool_calls") or []):
        arguments, empty = call["function"]["arguments"], dict(call, function=dict(call["function"], arguments=""))
        yield "tool-call-start", {"type": "tool-call-start", "index": n, "delta": {"message": {"tool_calls": empty}}}
        for p in pieces(arguments, 5):
            yield "tool-call-delta", {"type": "tool-call-delta", "index": n, "delta": {"message": {"tool_calls": {"function": {"arguments": p}}}}}
        yield "tool-call-end", {"type": "tool-call-end", "index": n}
    yield "message-end", {"type": "message-end", "delta": {"finish_reason": whole["finish_reason"], "usage": whole["usage"]}}


# ---- framing ----

def sse(events):
    for e in events:
        name, body = e if isinstance(e, tuple) else (None, e)
        yield (b"event: %s\n" % name.encode() if name else b"") + b"data: " + json_bytes(body) + b"\n\n"


def amazon(events):
    for name, body in events:
        headers = b""
        for key, value in ((b":event-type", name.encode()), (b":content-type", b"application/json"), (b":message-type", b"event")):
            headers += bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(value)) + value
        payload = json_bytes(body)
        prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
        message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
        yield message + struct.pack(">I", zlib.crc32(message))


DIALECTS = {                 # how the request is read, the answer, its stream, how that is framed, its mark of the end, content type
    "openai": (read_openai, openai_whole, openai_stream, sse, b"data: [DONE]\n\n", "text/event-stream"),
    "responses": (read_responses, responses_whole, responses_stream, sse, b"", "text/event-stream"),
    "anthropic": (read_anthropic, anthropic_whole, anthropic_stream, sse, b"", "text/event-stream"),
    "gemini": (read_gemini, gemini_whole, gemini_stream, sse, b"", "text/event-stream"),
    "bedrock": (read_bedrock, bedrock_whole, bedrock_stream, amazon, b"", "application/vnd.amazon.eventstream"),
    "cohere": (read_cohere, cohere_whole, cohere_stream, sse, b"", "text/event-stream"),
}


def error_body(dialect, status, text):
    kind = {429: "rate_limit_error"}.get(status, "invalid_request_error")
    return {"openai": {"error": {"message": text, "type": kind, "param": None, "code": None}},
            "responses": {"error": {"message": text, "type": kind, "param": None, "code": None}},
            "anthropic": {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_7"},
            "gemini": {"error": {"code": status, "message": text, "status": {429: "RESOURCE_EXHAUSTED"}.get(status, "INVALID_ARGUMENT")}},
            "bedrock": {"message": text}, "cohere": {"id": "co7", "message": text}}[dialect]


def respond(status, body, headers=()):
    reasons = {200: "OK", 400: "Bad Request", 429: "Too Many Requests"}
    data = json_bytes(body)
    lines = ["HTTP/1.1 %d %s" % (status, reasons[status]), "content-type: application/json", "content-length: %d" % len(data)]
    return "\r\n".join(lines + list(headers)).encode() + b"\r\n\r\n" + data


def target(dialect, path, body):
    """(model, streamed) by the vendor's rules."""
    if dialect in ("gemini", "bedrock"):
        tail = urllib.parse.unquote(path)
        if dialect == "gemini":
            need(tail.startswith("/v1beta/models/"), path)
            model, _, method = tail[len("/v1beta/models/"):].partition(":")
            need(method.split("?")[0] in ("generateContent", "streamGenerateContent"), path)
            need(not method.startswith("stream") or method.endswith("?alt=sse"), path)
            return model, method.startswith("stream")
        need(tail.startswith("/model/"), path)
        model, _, method = tail[len("/model/"):].rpartition("/")
        need(method in ("converse", "converse-stream"), path)
        return model, method == "converse-stream"
    need(path == {"openai": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages", "cohere": "/v2/chat"}[dialect], path)
    if dialect == "openai" and body.get("stream"):
        need((body.get("stream_options") or {}).get("include_usage") is True, "nobody asked for the usage of a stream")
    return body["model"], bool(body.get("stream"))


def credential(dialect, method, path, headers, body):
    if dialect == "bedrock":
        need(sigv4(method, path, headers, body), "the signature is wrong")
    elif dialect == "anthropic":
        need(headers.get("x-api-key") == KEY and headers.get("anthropic-version") in ("2023-06-01", "2026-10-21"), "x-api-key or anthropic-version")
    elif dialect == "gemini":
        need(headers.get("x-goog-api-key") == KEY, "x-goog-api-key")
    else:
        need(headers.get("authorization") == "Bearer " + KEY, "authorization")


class Replay:
    """An upstream that speaks every dialect; `gone` counts the held streams whose reader left."""

    def __init__(self):
        self.lock = threading.Lock()
        self.faults = []
        self.upstream = Upstream(self.script)
        self.port = self.upstream.port

    def gone(self):
        return len(self.upstream.gone)

    def script(self, _n, message):
        first, headers, data, _ = message
        headers = {k.decode().lower(): v.decode() for k, v in headers}
        method, path, _ = first.decode().split(" ")
        dialect, _, rest = path[1:].partition("/")
        try:
            body = json.loads(data)
            credential(dialect, method, path, headers, data)
            model, streamed = target(dialect, "/" + rest, body)
            need(model == SCENARIOS["models"][dialect], "the model is %r" % model)
            read, whole, stream, frame, end, kind = DIALECTS[dialect]
            said = read(body)
            s = scenario_of(said)
            if s.get("status"):
                return [respond(s["status"], error_body(dialect, s["status"], s["message"]), ["retry-after: 7"])]
            check(said, s)
        except (Wrong, KeyError, TypeError, ValueError, IndexError, AttributeError) as e:
            text = "replay: %s: %s" % (type(e).__name__, e)
            with self.lock:
                self.faults.append((dialect, text))
            return [respond(400, error_body(dialect, 400, text))]
        if not streamed:
            return [respond(200, whole(s["answer"]), ["x-amzn-requestid: r7"])]
        head = "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % kind
        wire = b"".join(frame(stream(s["answer"]))) + end
        if s.get("hold"):
            wire = b"".join(list(frame(stream(s["answer"])))[:s["hold"]])
            return [head.encode() + b"%x\r\n%s\r\n" % (len(wire), wire), "hold"]
        cuts = [wire[i:i + 61] for i in range(0, len(wire), 61)]
        steps = [head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in cuts[:3])]
        steps += [b"%x\r\n%s\r\n" % (len(c), c) for c in cuts[3:]]
        return steps + [b"0\r\n\r\n"]
