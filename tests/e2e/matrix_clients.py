# SPDX-License-Identifier: Apache-2.0
"""matrix_clients.py -- the official Python clients of the matrix: each plays every scenario on every upstream and prints what it parsed.

    matrix_clients.py CLIENT UPSTREAM...     one JSON line for each case: {client, upstream, case, got: {...} | error: {...}}

`got` is {text, reasoning, calls: [[id, name, arguments]], finish, usage: {input, cached, output}} in neutral words; matrix.py judges it.
"""
import base64
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
S = json.load(open(os.path.join(HERE, "scenarios.json")))
BASE, KEY = os.environ["MATRIX_URL"], os.environ["MATRIX_KEY"]
RESULTS = list(zip(("call_a1", "call_b2"), S["scenarios"]["results"]["calls_before"], S["scenarios"]["results"]["results"]))


class OpenAIChat:
    finishes = {"stop": "stop", "tool_calls": "tools"}

    def __init__(self):
        import openai
        self.client = openai.OpenAI(base_url=BASE + "/v1", api_key=KEY, max_retries=0, timeout=20)
        self.errors = openai.APIStatusError

    def body(self, model, s):
        user = s["ask"]
        if s.get("image"):
            user = [{"type": "text", "text": user}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + S["png"]}}]
        messages = [{"role": "system", "content": S["system"]}, {"role": "user", "content": user}]
        if s.get("results"):
            messages.append({"role": "assistant", "content": None, "tool_calls": [
                {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for i, (n, a), _ in RESULTS]})
            messages += [{"role": "tool", "tool_call_id": i, "content": r} for i, _, r in RESULTS]
        body = {"model": model, "messages": messages}
        if s.get("tools"):
            body["tools"] = [{"type": "function", "function": {"name": n, "description": "d", "parameters": t}} for n, t in S["tools"].items()]
        if s.get("schema"):
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": S["schema"]}}
        if s.get("think"):
            body["reasoning_effort"] = "high"
        return body

    def usage(self, u):
        return {"input": u.prompt_tokens, "cached": u.prompt_tokens_details.cached_tokens if u.prompt_tokens_details else 0, "output": u.completion_tokens}

    def whole(self, model, s):
        a = self.client.chat.completions.create(**self.body(model, s))
        m = a.choices[0].message
        return {"text": m.content or "", "reasoning": getattr(m, "reasoning_content", None) or getattr(m, "reasoning", None) or "",
                "calls": [[c.id, c.function.name, json.loads(c.function.arguments)] for c in m.tool_calls or []],
                "finish": self.finishes.get(a.choices[0].finish_reason, a.choices[0].finish_reason), "usage": self.usage(a.usage)}

    def open(self, model, s):
        return self.client.chat.completions.create(**self.body(model, s), stream=True, stream_options={"include_usage": True})

    def stream(self, model, s):
        got, calls = {"text": "", "reasoning": "", "finish": None, "usage": None}, {}
        for c in self.open(model, s):
            if c.usage:
                got["usage"] = self.usage(c.usage)
            for choice in c.choices:
                d = choice.delta
                got["text"] += d.content or ""
                got["reasoning"] += getattr(d, "reasoning_content", None) or getattr(d, "reasoning", None) or ""
                for t in d.tool_calls or []:
                    call = calls.setdefault(t.index, ["", "", ""])
                    call[0] += t.id or ""
                    call[1] += t.function.name or ""
                    call[2] += t.function.arguments or ""
                if choice.finish_reason:
                    assert got["finish"] is None, "two finishes"
                    got["finish"] = self.finishes.get(choice.finish_reason, choice.finish_reason)
        got["calls"] = [[i, n, json.loads(a)] for i, n, a in calls.values()]
        return got

    def abort(self, model, s):
        with self.open(model, s) as stream:
            for c in stream:
                if c.choices and c.choices[0].delta.content:
                    return

    def failure(self, e):
        return {"status": e.status_code, "message": e.message, "kind": type(e).__name__}


class OpenAIResponses(OpenAIChat):
    def body(self, model, s):
        content = [{"type": "input_text", "text": s["ask"]}]
        if s.get("image"):
            content.append({"type": "input_image", "image_url": "data:image/png;base64," + S["png"], "detail": "auto"})
        items = [{"role": "user", "content": content}]
        if s.get("results"):
            items += [{"type": "function_call", "call_id": i, "name": n, "arguments": json.dumps(a)} for i, (n, a), _ in RESULTS]
            items += [{"type": "function_call_output", "call_id": i, "output": r} for i, _, r in RESULTS]
        body = {"model": model, "instructions": S["system"], "input": items}
        if s.get("tools"):
            body["tools"] = [{"type": "function", "name": n, "description": "d", "parameters": t, "strict": False} for n, t in S["tools"].items()]
        if s.get("schema"):
            body["text"] = {"format": {"type": "json_schema", "name": "city", "strict": True, "schema": S["schema"]}}
        if s.get("think"):
            body["reasoning"] = {"effort": "high", "summary": "auto"}
        return body

    def read(self, r):
        calls = [[i.call_id, i.name, json.loads(i.arguments)] for i in r.output if i.type == "function_call"]
        think = "".join(p.text for i in r.output if i.type == "reasoning" for p in list(i.summary) + list(i.content or []))
        return {"text": r.output_text, "reasoning": think, "calls": calls,
                "finish": ("tools" if calls else "stop") if r.status == "completed" else r.status,
                "usage": {"input": r.usage.input_tokens, "cached": r.usage.input_tokens_details.cached_tokens, "output": r.usage.output_tokens}}

    def whole(self, model, s):
        return self.read(self.client.responses.create(**self.body(model, s)))

    def open(self, model, s):
        return self.client.responses.create(**self.body(model, s), stream=True)

    def stream(self, model, s):
        text, last, number = "", None, -1
        for e in self.open(model, s):
            assert e.sequence_number == number + 1, "sequence_number"
            number = e.sequence_number
            text += e.delta if e.type == "response.output_text.delta" else ""
            last = e
        assert last.type == "response.completed", last.type
        got = self.read(last.response)
        assert got["text"] == text, "deltas %r, the end says %r" % (text, got["text"])
        return got

    def abort(self, model, s):
        with self.open(model, s) as stream:
            for e in stream:
                if e.type == "response.output_text.delta":
                    return


class Anthropic:
    finishes = {"end_turn": "stop", "tool_use": "tools"}

    def __init__(self):
        import anthropic
        self.client = anthropic.Anthropic(base_url=BASE, api_key=KEY, max_retries=0, timeout=20)
        self.errors = anthropic.APIStatusError

    def body(self, model, s):
        content = [{"type": "text", "text": s["ask"]}]
        if s.get("image"):
            content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": S["png"]}})
        messages = [{"role": "user", "content": content}]
        if s.get("results"):
            messages.append({"role": "assistant", "content": [{"type": "tool_use", "id": i, "name": n, "input": a} for i, (n, a), _ in RESULTS]})
            messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": i, "content": r} for i, _, r in RESULTS]})
        body = {"model": model, "max_tokens": 4000, "system": S["system"], "messages": messages}
        if s.get("tools"):
            body["tools"] = [{"name": n, "description": "d", "input_schema": t} for n, t in S["tools"].items()]
        if s.get("schema"):
            body["extra_body"] = {"output_config": {"format": {"type": "json_schema", "schema": S["schema"]}}}
        if s.get("think"):
            body["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        return body

    def read(self, m):
        return {"text": "".join(b.text for b in m.content if b.type == "text"),
                "reasoning": "".join(b.thinking for b in m.content if b.type == "thinking"),
                "calls": [[b.id, b.name, b.input] for b in m.content if b.type == "tool_use"],
                "finish": self.finishes.get(m.stop_reason, m.stop_reason),
                "usage": {"input": m.usage.input_tokens + (m.usage.cache_read_input_tokens or 0) + (m.usage.cache_creation_input_tokens or 0),
                          "cached": m.usage.cache_read_input_tokens or 0, "output": m.usage.output_tokens}}

    def whole(self, model, s):
        return self.read(self.client.messages.create(**self.body(model, s)))

    def stream(self, model, s):
        text = ""
        with self.client.messages.stream(**self.body(model, s)) as stream:
            for e in stream:
                if e.type == "text":
                    text += e.text
            got = self.read(stream.get_final_message())
        assert got["text"] == text, "deltas %r" % text
        return got

    def abort(self, model, s):
        with self.client.messages.stream(**self.body(model, s)) as stream:
            for e in stream:
                if e.type == "text":
                    return

    def failure(self, e):
        return {"status": e.status_code, "message": e.message, "kind": type(e).__name__}


class Gemini:
    def __init__(self):
        from google import genai
        from google.genai import errors, types
        self.types = types
        self.client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=BASE, timeout=20000))
        self.errors = errors.APIError

    def arguments(self, model, s):
        t = self.types
        parts = [t.Part(text=s["ask"])]
        if s.get("image"):
            parts.append(t.Part.from_bytes(data=base64.b64decode(S["png"]), mime_type="image/png"))
        contents = [t.Content(role="user", parts=parts)]
        if s.get("results"):
            contents.append(t.Content(role="model", parts=[t.Part(function_call=t.FunctionCall(id=i, name=n, args=a)) for i, (n, a), _ in RESULTS]))
            contents.append(t.Content(role="user", parts=[t.Part(function_response=t.FunctionResponse(id=i, name=n, response={"output": r}))
                                                          for i, (n, _), r in RESULTS]))
        config = {"system_instruction": S["system"]}
        if s.get("tools"):
            config["tools"] = [t.Tool(function_declarations=[t.FunctionDeclaration(name=n, description="d", parameters_json_schema=p)
                                                             for n, p in S["tools"].items()])]
            config["automatic_function_calling"] = t.AutomaticFunctionCallingConfig(disable=True)
        if s.get("schema"):
            config.update(response_mime_type="application/json", response_json_schema=S["schema"])
        if s.get("think"):
            config["thinking_config"] = t.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
        return {"model": model, "contents": contents, "config": t.GenerateContentConfig(**config)}

    def add(self, got, r):
        c = (r.candidates or [None])[0]
        for p in (c.content.parts or [] if c and c.content else []):
            if p.function_call:
                got["calls"].append([p.function_call.id, p.function_call.name, p.function_call.args])
            elif p.text:
                got["reasoning" if p.thought else "text"] += p.text
        if c and c.finish_reason:
            assert got["finish"] is None, "two finishes"
            got["finish"] = c.finish_reason.name
        u = r.usage_metadata
        if u and u.total_token_count:
            got["usage"] = {"input": u.prompt_token_count, "cached": u.cached_content_token_count or 0,
                            "output": (u.candidates_token_count or 0) + (u.thoughts_token_count or 0)}

    def end(self, got):
        got["finish"] = ("tools" if got["calls"] else "stop") if got["finish"] == "STOP" else got["finish"]
        return got

    def whole(self, model, s):
        got = {"text": "", "reasoning": "", "calls": [], "finish": None, "usage": None}
        self.add(got, self.client.models.generate_content(**self.arguments(model, s)))
        return self.end(got)

    def stream(self, model, s):
        got = {"text": "", "reasoning": "", "calls": [], "finish": None, "usage": None}
        for r in self.client.models.generate_content_stream(**self.arguments(model, s)):
            self.add(got, r)
        return self.end(got)

    def abort(self, model, s):
        stream = self.client.models.generate_content_stream(**self.arguments(model, s))
        for r in stream:
            if r.text:
                break
        stream.close()

    def failure(self, e):
        return {"status": e.code, "message": str(e), "kind": type(e).__name__}


class Bedrock:
    finishes = {"end_turn": "stop", "tool_use": "tools"}

    def __init__(self):
        import boto3
        import botocore.config
        import botocore.exceptions
        # A Bedrock API key goes over TLS alone, so here the key is a header, as it is for whoever signs with keys of no account.
        config = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=20, signature_version=botocore.UNSIGNED)
        self.client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=BASE, config=config)
        self.client.meta.events.register("before-send.bedrock-runtime", lambda request, **_: request.headers.__setitem__("x-api-key", KEY))
        self.errors = botocore.exceptions.ClientError

    def arguments(self, model, s):
        content = [{"text": s["ask"]}]
        if s.get("image"):
            content.append({"image": {"format": "png", "source": {"bytes": base64.b64decode(S["png"])}}})
        messages = [{"role": "user", "content": content}]
        if s.get("results"):
            messages.append({"role": "assistant", "content": [{"toolUse": {"toolUseId": i, "name": n, "input": a}} for i, (n, a), _ in RESULTS]})
            messages.append({"role": "user", "content": [{"toolResult": {"toolUseId": i, "content": [{"text": r}]}} for i, _, r in RESULTS]})
        more = {"modelId": model, "system": [{"text": S["system"]}], "messages": messages, "inferenceConfig": {"maxTokens": 4000}}
        if s.get("tools"):
            more["toolConfig"] = {"tools": [{"toolSpec": {"name": n, "description": "d", "inputSchema": {"json": t}}} for n, t in S["tools"].items()]}
        if s.get("schema"):
            more["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "city", "schema": json.dumps(S["schema"])}}}}
        if s.get("think"):
            more["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": 2000}}
        return more

    def usage(self, u):
        return {"input": u["inputTokens"] + u.get("cacheReadInputTokens", 0) + u.get("cacheWriteInputTokens", 0),
                "cached": u.get("cacheReadInputTokens", 0), "output": u["outputTokens"]}

    def whole(self, model, s):
        a = self.client.converse(**self.arguments(model, s))
        content = a["output"]["message"]["content"]
        return {"text": "".join(b.get("text", "") for b in content),
                "reasoning": "".join(b["reasoningContent"].get("reasoningText", {}).get("text", "") for b in content if "reasoningContent" in b),
                "calls": [[b["toolUse"]["toolUseId"], b["toolUse"]["name"], b["toolUse"]["input"]] for b in content if "toolUse" in b],
                "finish": self.finishes.get(a["stopReason"], a["stopReason"]), "usage": self.usage(a["usage"])}

    def stream(self, model, s):
        got, calls = {"text": "", "reasoning": "", "finish": None, "usage": None}, {}
        for e in self.client.converse_stream(**self.arguments(model, s))["stream"]:
            if "contentBlockStart" in e and "toolUse" in e["contentBlockStart"].get("start", {}):
                use = e["contentBlockStart"]["start"]["toolUse"]
                calls[e["contentBlockStart"]["contentBlockIndex"]] = [use["toolUseId"], use["name"], ""]
            elif "contentBlockDelta" in e:
                d = e["contentBlockDelta"]["delta"]
                got["text"] += d.get("text", "")
                got["reasoning"] += d.get("reasoningContent", {}).get("text", "")
                if "toolUse" in d:
                    calls[e["contentBlockDelta"]["contentBlockIndex"]][2] += d["toolUse"]["input"]
            elif "messageStop" in e:
                assert got["finish"] is None, "two finishes"
                got["finish"] = self.finishes.get(e["messageStop"]["stopReason"], e["messageStop"]["stopReason"])
            elif "metadata" in e:
                got["usage"] = self.usage(e["metadata"]["usage"])
        got["calls"] = [[i, n, json.loads(a)] for i, n, a in calls.values()]
        return got

    def abort(self, model, s):
        stream = self.client.converse_stream(**self.arguments(model, s))["stream"]
        for e in stream:
            if "contentBlockDelta" in e:
                break
        stream.close()

    def failure(self, e):
        return {"status": e.response["ResponseMetadata"]["HTTPStatusCode"], "message": e.response["Error"].get("Message", ""),
                "kind": e.response["Error"]["Code"]}


CLIENTS = {"openai chat": OpenAIChat, "openai responses": OpenAIResponses, "anthropic": Anthropic, "google-genai": Gemini, "boto3 converse": Bedrock}


def play(client, upstream):
    for name, s in S["scenarios"].items():
        model = upstream + "/" + S["models"][upstream]
        for kind in ("abort",) if s.get("hold") else ("whole", "stream"):
            line = {"upstream": upstream, "case": name + ("" if kind == "abort" else " " + kind)}
            try:
                line["got"] = getattr(client, kind)(model, s) or {}
            except client.errors as e:
                line["error"] = client.failure(e)
            except Exception as e:                   # what an SDK cannot parse is a failure of its cell, not of the program
                line["broken"] = "%s: %s" % (type(e).__name__, e)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    player = CLIENTS[sys.argv[1]]()
    for name_of_upstream in sys.argv[2:]:
        play(player, name_of_upstream)
