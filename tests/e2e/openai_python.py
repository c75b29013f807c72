# SPDX-License-Identifier: Apache-2.0
"""openai_python.py -- the official openai package for Python against weir; stage.py runs it."""
import asyncio
import socket
import time

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from stage_view import FEW, KEY, OPEN_URL, SECRET, URL, eventually, record, seen, tagged, tests
from upstream import CALLS, LOGPROBS, TEXT, USAGE, VECTORS

client = OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=20)
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {
    "city": {"type": "string"}, "note": {"type": "string"}}}}}]
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def user(content):
    return [{"role": "user", "content": content}]


def ask(model, content="hello", with_client=client, **more):
    return with_client.chat.completions.create(model=model, messages=user(content), **more)


def fails(kind, f):
    try:
        f()
    except kind as e:
        assert type(e) is kind, "%s, not %s" % (type(e), kind)
        return e
    raise AssertionError("no %s" % kind.__name__)


def told(e):
    """The id that an error carries; every answer of weir has one."""
    got = e.response.headers["x-weir-request-id"]
    assert got.startswith("req_"), got
    return got


# ---- the mock ----

@tests
def mock_chat():
    raw = client.chat.completions.with_raw_response.create(model="mock/echo", messages=user(TEXT))
    assert raw.headers["x-weir-request-id"].startswith("req_")
    answer = raw.parse()
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop" and answer.model == "mock/echo" and answer.object == "chat.completion"


@tests
def mock_usage_and_limit():
    answer = ask("mock/echo", "twelve bytes", max_tokens=2)           # four bytes are a token
    assert answer.choices[0].message.content == "twelve b" and answer.choices[0].finish_reason == "length"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 2, 5)


@tests
def mock_stream():
    parts = list(ask("mock/echo", "one two three", stream=True))
    assert "".join(p.choices[0].delta.content or "" for p in parts) == "one two three"
    assert len(parts) == 5 and parts[-1].choices[0].finish_reason == "stop"     # role, three words, finish
    assert all(p.usage is None for p in parts)
    parts = list(ask("mock/echo", "one two three", stream=True, stream_options={"include_usage": True}))
    assert parts[-1].choices == [] and parts[-1].usage.total_tokens == 8 and parts[-1].usage.prompt_tokens == 4


@tests
def mock_tools():
    call = ask("mock/tools", '{"city":"Oslo"}', tools=TOOLS).choices[0]
    assert call.finish_reason == "tool_calls" and call.message.content is None
    assert call.message.tool_calls[0].function.name == "get_weather"
    assert call.message.tool_calls[0].function.arguments == '{"city":"Oslo"}'
    with client.chat.completions.stream(model="mock/tools?calls=3&chunks=4", messages=user('{"city":"Oslo"}'), tools=TOOLS) as s:
        calls = s.get_final_completion().choices[0].message.tool_calls
    assert [(c.id, c.function.name, c.function.arguments) for c in calls] == [
        ("call_mock_%d" % i, "get_weather", '{"city":"Oslo"}') for i in range(3)]


@tests
def mock_tool_result_is_answered():
    messages = user("what is it?") + [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "21 degrees"}]
    answer = client.chat.completions.create(model="mock/tools", messages=messages, tools=TOOLS)
    assert answer.choices[0].message.content == "21 degrees" and answer.choices[0].finish_reason == "stop"


@tests
def mock_reasoning():
    message = ask("mock/reasoning", "why").choices[0].message
    assert message.content == "why" and message.reasoning_content == "The user wrote: why"


@tests
def mock_embeddings():
    one, same, other = client.embeddings.create(model="mock/embed", input=["tea", "tea", "coffee"]).data
    assert len(one.embedding) == 16 and one.embedding == same.embedding != other.embedding
    assert abs(sum(x * x for x in one.embedding) - 1) < 1e-5
    plain = client.embeddings.create(model="mock/embed", input="tea", encoding_format="float", dimensions=16).data[0].embedding
    assert max(abs(a - b) for a, b in zip(plain, one.embedding)) < 1e-7
    assert len(client.embeddings.create(model="mock/embed", input="tea", dimensions=256).data[0].embedding) == 256


@tests
def mock_moderation_and_legacy():
    good, bad = client.moderations.create(model="mock/echo", input=["tea", "some violence here"]).results
    assert not good.flagged and bad.flagged and bad.categories.violence and not bad.categories.hate
    answer = client.completions.create(model="mock/echo", prompt="say it")
    assert answer.choices[0].text == "say it" and answer.object == "text_completion"
    parts = list(client.completions.create(model="mock/echo", prompt="say it", stream=True))
    assert "".join(p.choices[0].text for p in parts) == "say it" and parts[-1].choices[0].finish_reason == "stop"


@tests
def mock_models():
    names = [m.id for m in client.models.list()]
    assert names[:5] == ["mock/echo", "mock/lorem", "mock/tools", "mock/reasoning", "mock/embed"], names
    assert "gpt-renamed" in names and "mock/*" not in names and "s/*" not in names, names
    assert client.models.retrieve("mock/echo").owned_by == "mock"
    assert fails(openai.NotFoundError, lambda: client.models.retrieve("no-such")).code == "model_not_found"
    assert [m.id for m in OpenAI(base_url=URL, api_key=FEW).models.list()] == ["mock/echo"]


@tests
def mock_faults():
    for fault in ("cut", "half", "nofinish", "chunk", "error"):
        got = []
        try:
            for part in ask("mock/fault/" + fault, "one two three four", stream=True):
                got.append(part)
        except openai.APIError:
            assert not [p for p in got if p.choices and p.choices[0].finish_reason], fault
        else:
            raise AssertionError("%s: the stream ended as if it were whole" % fault)


# ---- who may call ----

@tests
def keys():
    e = fails(openai.AuthenticationError, lambda: ask("mock/echo", with_client=client.with_options(api_key="wrong")))
    assert e.status_code == 401 and e.code == "invalid_api_key" and "wrong" not in e.message and told(e)
    few = client.with_options(api_key=FEW)
    assert ask("mock/echo", "mine", few).choices[0].message.content == "mine"
    e = fails(openai.PermissionDeniedError, lambda: ask("mock/lorem", with_client=few))
    assert e.status_code == 403 and e.code == "model_not_allowed", e.body
    deny = record(told(e), "deny")
    assert deny["key"] == "few" and deny["code"] == "model_not_allowed", deny
    assert ask("mock/echo", "anyone", OpenAI(base_url=OPEN_URL, api_key="whatever")).choices[0].message.content == "anyone"


@tests
def unclear_requests():
    e = fails(openai.NotFoundError, lambda: ask("no-such-model"))
    assert e.code == "model_not_found" and e.param == "model" and told(e)
    e = fails(openai.BadRequestError, lambda: client.chat.completions.create(model="mock/echo", messages="none"))
    assert e.status_code == 400 and e.type == "invalid_request_error" and told(e)
    e = fails(openai.BadRequestError, lambda: client.post("/chat/completions", body={"messages": []}, cast_to=object))
    assert e.param == "model", e.body
    e = fails(openai.InternalServerError, lambda: ask("nobody"))
    assert e.status_code == 502 and e.code == "upstream_unreachable" and told(e)


# ---- the scripted upstream ----

@tests
def chat():
    model, asked = tagged("whole")
    raw = client.chat.completions.with_raw_response.create(model=model, messages=user("hi"), temperature=0.5, seed=12345678901234567,
                                                           user="caf\u00e9", metadata={"a": "b"}, extra_body={"unknown": {"kept": [1.0, None]}})
    answer = raw.parse()
    assert answer.choices[0].message.content == TEXT
    assert answer.id == "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT" and answer.system_fingerprint == "fp_44709d6fcb"
    assert answer.usage.model_dump(exclude_none=True) == USAGE and answer.model == "gpt-4.1-2025-04-14"
    assert raw.headers["x-request-id"] == "req_up"
    request, = seen(asked)["requests"]
    assert request["path"] == "POST /v1/chat/completions HTTP/1.1"
    assert request["body"] == {"model": asked, "messages": user("hi"), "temperature": 0.5, "seed": 12345678901234567, "user": "caf\u00e9",
                               "metadata": {"a": "b"}, "unknown": {"kept": [1.0, None]}}
    assert request["headers"]["authorization"] == "Bearer " + SECRET
    assert not [h for h in request["headers"] if h.startswith("x-stainless")], request["headers"]
    closed = record(raw.headers["x-weir-request-id"])
    assert (closed["outcome"], closed["status"], closed["key"], closed["model"]) == ("ok", 200, "all", model), closed
    used = [closed[k] for k in ("input", "cache_read", "output", "reasoning", "finish")]       # 19 with 8 cached, 10 with 3 reasoned
    assert used == [11, 8, 7, 3, "stop"], closed
    assert ask("gpt-renamed").choices[0].message.content == TEXT
    assert len(seen("whole/renamed")["requests"]) >= 1


@tests
def stream():
    model, asked = tagged("whole")
    with ask(model, stream=True) as s:
        closed_id = s.response.headers["x-weir-request-id"]
        parts = list(s)
    assert "".join(p.choices[0].delta.content or "" for p in parts) == TEXT
    assert parts[-1].choices[0].finish_reason == "stop" and all(p.choices and p.usage is None for p in parts)
    assert seen(asked)["requests"][0]["body"]["stream_options"] == {"include_usage": True}
    closed = record(closed_id)
    assert (closed["outcome"], closed["output"]) == ("ok", 7), closed
    parts = list(ask(model, stream=True, stream_options={"include_usage": True}))
    assert parts[-1].choices == [] and parts[-1].usage.model_dump(exclude_none=True) == USAGE
    with client.chat.completions.stream(model=model, messages=user("hi")) as s:
        assert "".join(e.delta for e in s if e.type == "content.delta") == TEXT


@tests
def tools():
    model, asked = tagged("tools")
    calls = ask(model, tools=TOOLS, parallel_tool_calls=True).choices[0].message.tool_calls
    assert [(c.id, c.function.name, c.function.arguments) for c in calls] == CALLS
    with client.chat.completions.stream(model=model, messages=user("hi"), tools=TOOLS) as s:
        message = s.get_final_completion().choices[0].message
    assert [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls] == CALLS
    messages = user("hi") + [message.model_dump(include={"role", "content", "tool_calls"})] + [
        {"role": "tool", "tool_call_id": c.id, "content": "21"} for c in message.tool_calls]
    assert client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0].message.content == "It is 21 degrees."
    assert seen(asked)["requests"][-1]["body"]["tools"] == TOOLS


@tests
def two_choices():
    model, _ = tagged("n2")
    first, second = ask(model, n=2).choices
    assert (first.message.content, first.finish_reason, second.message.content, second.finish_reason) == ("first", "stop", "second", "length")
    texts = {0: "", 1: ""}
    for part in ask(model, n=2, stream=True):
        texts[part.choices[0].index] += part.choices[0].delta.content or ""
    assert texts == {0: "same twice", 1: "same twice"}


@tests
def image_audio_and_file_parts():
    model, asked = tagged("whole")
    parts = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
             {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
             {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}]
    assert ask(model, parts).choices[0].message.content == TEXT
    assert seen(asked)["requests"][0]["body"]["messages"] == user(parts)


@tests
def json_schema():
    class Person(BaseModel):
        name: str
        age: int

    model, asked = tagged("schema")
    answer = client.chat.completions.parse(model=model, messages=user("who"), response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)
    schema = seen(asked)["requests"][0]["body"]["response_format"]["json_schema"]
    assert schema["strict"] is True and schema["schema"]["required"] == ["name", "age"], schema
    with client.chat.completions.stream(model=model, messages=user("who"), response_format=Person) as s:
        assert s.get_final_completion().choices[0].message.parsed.age == 36


@tests
def logprobs_and_refusal():
    model, _ = tagged("logprobs")
    assert ask(model, logprobs=True, top_logprobs=2).choices[0].logprobs.model_dump() == LOGPROBS
    first = next(iter(ask(model, logprobs=True, top_logprobs=2, stream=True)))
    assert first.choices[0].logprobs.model_dump() == LOGPROBS
    assert ask(tagged("refusal")[0]).choices[0].message.refusal == "I can't help with that."


@tests
def embeddings():
    model, asked = tagged("embed")
    answer = client.embeddings.create(model=model, input=["a", "b"])           # the package asks for base64 and decodes it
    assert [list(d.embedding) for d in answer.data] == VECTORS and answer.usage.total_tokens == 5
    assert seen(asked)["requests"][0]["body"] == {"model": asked, "input": ["a", "b"], "encoding_format": "base64"}
    answer = client.embeddings.create(model=model, input="a", encoding_format="float", dimensions=3)
    assert [list(d.embedding) for d in answer.data] == VECTORS[:1]
    assert client.embeddings.create(model=model, input=[[1, 2], [3]]).data[1].index == 1


@tests
def moderations_and_legacy_completions():
    answer = client.moderations.create(model=tagged("moderate")[0], input=[{"type": "text", "text": "x"}])
    assert answer.results[0].flagged and answer.results[0].category_scores.violence == 0.875 and not answer.results[0].categories.hate
    model, asked = tagged("legacy")
    answer = client.completions.create(model=model, prompt="say this is a test", max_tokens=7)
    assert answer.choices[0].text == "\n\nThis is a test" and answer.usage.total_tokens == 12
    assert "".join(p.choices[0].text for p in client.completions.create(model=model, prompt="x", stream=True)) == "\n\nThis is a test"
    assert seen(asked)["requests"][0]["path"] == "POST /v1/completions HTTP/1.1"


@tests
def sse_grammar():
    parts = list(ask(tagged("pings")[0], stream=True))
    assert "".join(p.choices[0].delta.content or "" for p in parts) == "kept"


# ---- what goes wrong ----

@tests
def retry_after_429():
    model, asked = tagged("limited")
    start = time.monotonic()
    assert ask(model, with_client=client.with_options(max_retries=2)).choices[0].message.content == TEXT
    assert len(seen(asked)["requests"]) == 3 and time.monotonic() - start < 0.9     # 60 ms each as it was told, not its own 0.5 s and 1 s
    e = fails(openai.RateLimitError, lambda: ask(tagged("limited")[0]))
    assert e.code == "rate_limit_exceeded" and e.type == "tokens" and e.response.headers["retry-after-ms"] == "60" and told(e)
    model, asked = tagged("limited-always")
    e = fails(openai.RateLimitError, lambda: ask(model, with_client=client.with_options(max_retries=2)))
    assert e.code == "insufficient_quota" and len(seen(asked)["requests"]) == 1      # x-should-retry: false came through


@tests
def retry_after_500():
    model, asked = tagged("broken-once")
    parts = list(ask(model, with_client=client.with_options(max_retries=1), stream=True))
    assert parts[-1].choices[0].finish_reason == "stop" and len(seen(asked)["requests"]) == 2
    model, asked = tagged("broken")
    e = fails(openai.InternalServerError, lambda: ask(model, with_client=client.with_options(max_retries=1)))
    assert e.status_code == 500 and "The server had an error" in e.message and len(seen(asked)["requests"]) == 2
    e = fails(openai.InternalServerError, lambda: ask(tagged("unavailable")[0]))
    assert e.status_code == 503, e


@tests
def refusals_untouched():
    e = fails(openai.BadRequestError, lambda: ask(tagged("invalid")[0]))
    assert e.body == {"message": "Invalid 'temperature': 9", "type": "invalid_request_error", "param": "temperature", "code": "decimal_above_max_value"}
    assert fails(openai.NotFoundError, lambda: ask(tagged("missing")[0])).body["message"] == "The model does not exist"


@tests
def our_credential_is_our_fault():
    e = fails(openai.InternalServerError, lambda: ask(tagged("refused")[0]))
    assert e.status_code == 502 and e.code == "upstream_credential" and "sk-e2e" not in str(e.body), e.body
    closed = record(told(e))
    assert closed["upstream_status"] == 401 and closed["outcome"] == "upstream_error", closed


@tests
def errors_in_streams():
    for scenario, outcome in (("error-in-stream", "upstream_error"), ("truncated", "truncated"), ("cut", None)):
        s = ask(tagged(scenario)[0], stream=True)
        got, raised = [], None
        try:
            for part in s:
                got.append(part)
        except openai.APIError as e:
            raised = e
        assert raised, scenario + ": the stream ended as if it were whole"
        assert "".join(p.choices[0].delta.content for p in got).startswith("half a "), (scenario, got)
        assert not [p for p in got if p.choices[0].finish_reason], scenario
        if scenario == "error-in-stream":
            assert raised.message == "The model is overloaded" and raised.code == "overloaded", raised.body
        closed = record(s.response.headers["x-weir-request-id"])
        assert closed["outcome"] == (outcome or closed["outcome"]) != "ok", closed


@tests
def broken_answers():
    for scenario in ("cut-whole", "no-answer"):
        model, asked = tagged(scenario)
        e = fails(openai.InternalServerError, lambda: ask(model))
        assert e.status_code == 502 and told(e), (scenario, e)
        assert len(seen(asked)["requests"]) == 1, scenario


def gone_at_once(asked, left):
    gone = eventually(lambda: seen(asked)["gone"])
    assert gone, "the upstream was never left"
    assert gone[0] - left < 1, gone[0] - left


@tests
def abort_before_the_first_byte():
    model, asked = tagged("slow")
    fails(openai.APITimeoutError, lambda: ask(model, with_client=client.with_options(timeout=0.5)))
    gone_at_once(asked, time.time())


@tests
def abort_within_the_stream():
    model, asked = tagged("slow-stream")
    s = ask(model, stream=True)
    assert next(iter(s)).choices[0].delta.content == "half a "
    s.close()
    gone_at_once(asked, time.time())
    assert record(s.response.headers["x-weir-request-id"])["outcome"] == "client_gone"


@tests
def abort_of_the_mock():
    s = ask("mock/lorem?chunk=50ms&chunks=400", stream=True)
    next(iter(s))
    s.close()
    assert record(s.response.headers["x-weir-request-id"])["outcome"] == "client_gone"


@tests
def late_first_byte():
    start = time.monotonic()
    times = [time.monotonic() - start for _ in ask(tagged("late")[0], stream=True)]
    assert times[0] >= 0.3 and times[-1] - times[0] > 0.1, times           # it streams: pieces come as they are made
    assert ask(tagged("late")[0]).choices[0].message.content == TEXT


# ---- many ----

class Connects:
    """Counts the connections that this process opens."""

    def __enter__(self):
        self.real, self.count = socket.socket.connect, 0

        def counted(s, address):
            self.count += 1
            return self.real(s, address)

        socket.socket.connect = counted
        return self

    def __exit__(self, *_):
        socket.socket.connect = self.real


@tests
def connections_are_kept():
    model, asked = tagged("whole")
    with Connects() as made:
        fresh = OpenAI(base_url=OPEN_URL, api_key="x", max_retries=0)
        for i in range(10):
            assert ask(model, with_client=fresh).choices[0].message.content == TEXT
        fails(openai.NotFoundError, lambda: ask("no-such", with_client=fresh))
        fails(openai.BadRequestError, lambda: ask(tagged("invalid")[0], with_client=fresh))
        assert ask(model, with_client=fresh).choices[0].message.content == TEXT
    assert made.count == 1, made.count
    about = seen(asked)
    assert len(about["requests"]) == 11 and about["connections"] == 1, about["connections"]     # one worker, one connection upstream


@tests
def connections_are_kept_after_streams():
    async def run():                         # the package without async closes each after [DONE], this one reads to the end
        fresh = AsyncOpenAI(base_url=OPEN_URL, api_key="x", max_retries=0)
        model, asked = tagged("whole")
        for i in range(5):
            s = await fresh.chat.completions.create(model=model, messages=user("x"), stream=True)
            assert "".join([p.choices[0].delta.content or "" async for p in s]) == TEXT
        assert seen(asked)["connections"] == 1

    seen("warm")
    with Connects() as made:
        asyncio.run(run())
    assert made.count == 2, made.count       # this one and that of seen()


@tests
def fifty_at_once():
    async def run():
        many = AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)
        model = tagged("echo")[0]

        async def whole(i):
            return (await many.chat.completions.create(model=(model, "mock/echo")[i % 2], messages=user("number %d" % i))).choices[0].message.content

        async def streamed(i):
            s = await many.chat.completions.create(model="mock/echo?chunk=5ms&chunks=5", messages=user("number %d" % i), stream=True)
            return "".join([p.choices[0].delta.content or "" async for p in s])

        got = await asyncio.gather(*[whole(i) for i in range(50)], *[streamed(i) for i in range(50)])
        assert got == ["number %d" % i for i in range(50)] * 2, got
    asyncio.run(run())


@tests
def large():
    text = "0123456789\u00e9\n" * 100000
    assert ask(tagged("echo")[0], text).choices[0].message.content == text
    assert "".join(p.choices[0].delta.content or "" for p in ask("mock/echo?chunks=50", text, stream=True)) == text


tests.run()
