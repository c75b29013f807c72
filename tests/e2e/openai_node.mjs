// SPDX-License-Identifier: Apache-2.0
// openai_node.mjs -- the official openai package for Node against weir; its name (openai, openai-6) is the argument.
import assert from 'node:assert/strict';
import { z } from 'zod';
import { CALLS, FEW, KEY, OPEN_URL, SECRET, TEXT, URL_V1, VECTORS, connects, eventually, goneAtOnce, record, run, seen, tagged, test,
         user } from './stage_view.mjs';

const { default: OpenAI } = await import(process.argv[2]);
const { zodResponseFormat } = await import(process.argv[2] + '/helpers/zod');
const client = new OpenAI({ baseURL: URL_V1, apiKey: KEY, maxRetries: 0, timeout: 20000 });
const chat = (model, content = 'hello', more = {}, options = {}) =>
  client.chat.completions.create({ model, messages: user(content), ...more }, options);
const idOf = (headers) => {
  const id = headers.get('x-weir-request-id');
  assert.match(id ?? '', /^req_/);
  return id;
};
const textOf = (parts) => parts.map((p) => p.choices[0]?.delta?.content ?? '').join('');
const TOOLS = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];

async function collect(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

async function fails(kind, f) {
  try {
    await f();
  } catch (e) {
    assert.equal(e.constructor, kind, `${e.constructor.name}: ${e.message}`);
    return e;
  }
  assert.fail(`no ${kind.name}`);
}

// ---- the mock ----

test('mock: chat', async () => {
  const { data, response } = await chat('mock/echo', TEXT).withResponse();
  assert.equal(data.choices[0].message.content, TEXT);
  assert.equal(data.choices[0].finish_reason, 'stop');
  idOf(response.headers);
  const short = await chat('mock/echo', 'twelve bytes', { max_tokens: 2 });
  assert.deepEqual([short.choices[0].message.content, short.choices[0].finish_reason, short.usage.total_tokens], ['twelve b', 'length', 5]);
});

test('mock: stream', async () => {
  let parts = await collect(await chat('mock/echo', 'one two three', { stream: true }));
  assert.equal(textOf(parts), 'one two three');
  assert.equal(parts.length, 5);
  assert.equal(parts.at(-1).choices[0].finish_reason, 'stop');
  assert.ok(parts.every((p) => !p.usage));
  parts = await collect(await chat('mock/echo', 'one two three', { stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual(parts.at(-1).choices, []);
  assert.equal(parts.at(-1).usage.total_tokens, 8);
});

test('mock: tools', async () => {
  const { message, finish_reason } = (await chat('mock/tools', '{"city":"Oslo"}', { tools: TOOLS })).choices[0];
  assert.deepEqual([finish_reason, message.tool_calls[0].function], ['tool_calls', { name: 'get_weather', arguments: '{"city":"Oslo"}' }]);
  const s = client.chat.completions.stream({ model: 'mock/tools?calls=3&chunks=4', messages: user('{"city":"Oslo"}'), tools: TOOLS });
  const calls = (await s.finalMessage()).tool_calls;
  assert.deepEqual(calls.map((c) => [c.id, c.function.arguments]), [0, 1, 2].map((i) => [`call_mock_${i}`, '{"city":"Oslo"}']));
});

test('mock: the runner calls the tool and goes on', async () => {
  const got = [];
  const runner = client.chat.completions.runTools({
    model: 'mock/tools',
    messages: user('{"city":"Oslo"}'),
    tools: [{ type: 'function', function: { name: 'get_weather', parse: JSON.parse, function: (a) => (got.push(a), '21 degrees'),
                                            parameters: { type: 'object', properties: { city: { type: 'string' } } } } }],
  });
  assert.equal(await runner.finalContent(), '21 degrees');
  assert.deepEqual(got, [{ city: 'Oslo' }]);
});

test('mock: embeddings, moderations, legacy completions', async () => {
  const [one, same, other] = (await client.embeddings.create({ model: 'mock/embed', input: ['tea', 'tea', 'coffee'] })).data;
  assert.equal(one.embedding.length, 16);
  assert.deepEqual(one.embedding, same.embedding);
  assert.notDeepEqual(one.embedding, other.embedding);
  const [good, bad] = (await client.moderations.create({ input: ['tea', 'some violence here'], model: 'mock/echo' })).results;
  assert.deepEqual([good.flagged, bad.flagged, bad.categories.violence], [false, true, true]);
  assert.equal((await client.completions.create({ model: 'mock/echo', prompt: 'say it' })).choices[0].text, 'say it');
  const parts = await collect(await client.completions.create({ model: 'mock/echo', prompt: 'say it', stream: true }));
  assert.equal(parts.map((p) => p.choices[0].text).join(''), 'say it');
});

test('mock: models', async () => {
  const names = (await collect(await client.models.list())).map((m) => m.id);
  assert.deepEqual(names.slice(0, 2), ['mock/echo', 'mock/lorem']);
  assert.ok(names.includes('gpt-renamed') && !names.some((n) => n.includes('*')), String(names));
  assert.equal((await client.models.retrieve('mock/echo')).id, 'mock/echo');
  assert.equal((await fails(OpenAI.NotFoundError, () => client.models.retrieve('no-such'))).code, 'model_not_found');
});

test('mock: faults of a stream are never an end', async () => {
  for (const fault of ['cut', 'half', 'nofinish', 'chunk', 'error']) {
    const got = [];
    await assert.rejects(async () => {
      for await (const part of await chat('mock/fault/' + fault, 'one two three four', { stream: true })) got.push(part);
    }, OpenAI.APIError, fault);
    assert.ok(!got.some((p) => p.choices[0]?.finish_reason), fault);
  }
});

// ---- who may call ----

test('keys', async () => {
  let e = await fails(OpenAI.AuthenticationError, () => client.withOptions({ apiKey: 'wrong' }).models.list());
  assert.deepEqual([e.status, e.code], [401, 'invalid_api_key']);
  idOf(e.headers);
  const few = client.withOptions({ apiKey: FEW });
  assert.equal((await few.chat.completions.create({ model: 'mock/echo', messages: user('mine') })).choices[0].message.content, 'mine');
  e = await fails(OpenAI.PermissionDeniedError, () => few.chat.completions.create({ model: 'mock/lorem', messages: user('x') }));
  assert.deepEqual([e.status, e.code], [403, 'model_not_allowed']);
  assert.equal((await record(idOf(e.headers), 'deny')).key, 'few');
});

test('unclear requests', async () => {
  let e = await fails(OpenAI.NotFoundError, () => chat('no-such-model'));
  assert.deepEqual([e.code, e.param], ['model_not_found', 'model']);
  idOf(e.headers);
  e = await fails(OpenAI.BadRequestError, () => client.chat.completions.create({ model: 'mock/echo', messages: 'none' }));
  assert.equal(e.type, 'invalid_request_error');
  e = await fails(OpenAI.InternalServerError, () => chat('nobody'));
  assert.deepEqual([e.status, e.code], [502, 'upstream_unreachable']);
});

// ---- the scripted upstream ----

test('chat', async () => {
  const [model, asked] = tagged('whole');
  const { data, response, request_id } = await chat(model, 'hi', { temperature: 0.5, metadata: { a: 'b' }, unknown: { kept: [1, null] } }).withResponse();
  assert.equal(data.choices[0].message.content, TEXT);
  assert.deepEqual([data.usage.total_tokens, data.usage.prompt_tokens_details.cached_tokens, data.model], [29, 8, 'gpt-4.1-2025-04-14']);
  assert.equal(request_id, 'req_up');
  const [request] = (await seen(asked)).requests;
  assert.deepEqual(request.body, { model: asked, messages: user('hi'), temperature: 0.5, metadata: { a: 'b' }, unknown: { kept: [1, null] } });
  assert.equal(request.headers.authorization, 'Bearer ' + SECRET);
  const closed = await record(idOf(response.headers));
  assert.deepEqual([closed.outcome, closed.key, closed.model, closed.input, closed.cache_read, closed.output, closed.reasoning],
                   ['ok', 'all', model, 11, 8, 7, 3]);
});

test('stream', async () => {
  const [model, asked] = tagged('whole');
  const { data, response } = await chat(model, 'hi', { stream: true }).withResponse();
  let parts = await collect(data);
  assert.equal(textOf(parts), TEXT);
  assert.ok(parts.every((p) => p.choices.length === 1 && !p.usage));
  assert.equal(parts.at(-1).choices[0].finish_reason, 'stop');
  assert.deepEqual((await seen(asked)).requests[0].body.stream_options, { include_usage: true });
  assert.equal((await record(idOf(response.headers))).output, 7);
  parts = await collect(await chat(model, 'hi', { stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual([parts.at(-1).choices, parts.at(-1).usage.total_tokens], [[], 29]);
  assert.equal(await client.chat.completions.stream({ model, messages: user('hi') }).finalContent(), TEXT);
  assert.equal(textOf(await collect(await chat(tagged('pings')[0], 'hi', { stream: true }))), 'kept');
});

test('tools', async () => {
  const [model, asked] = tagged('tools');
  const calls = (message) => message.tool_calls.map((c) => [c.id, c.function.name, c.function.arguments]);
  assert.deepEqual(calls((await chat(model, 'hi', { tools: TOOLS })).choices[0].message), CALLS);
  const message = await client.chat.completions.stream({ model, messages: user('hi'), tools: TOOLS }).finalMessage();
  assert.deepEqual(calls(message), CALLS);
  const messages = [...user('hi'), message, ...message.tool_calls.map((c) => ({ role: 'tool', tool_call_id: c.id, content: '21' }))];
  const s = client.chat.completions.stream({ model, messages, tools: TOOLS });
  assert.equal(await s.finalContent(), 'It is 21 degrees.');
  assert.deepEqual((await seen(asked)).requests.at(-1).body.tools, TOOLS);
});

test('two choices', async () => {
  const { choices } = await chat(tagged('n2')[0], 'hi', { n: 2 });
  assert.deepEqual(choices.map((c) => [c.message.content, c.finish_reason]), [['first', 'stop'], ['second', 'length']]);
  const texts = ['', ''];
  for await (const p of await chat(tagged('n2')[0], 'hi', { n: 2, stream: true })) texts[p.choices[0].index] += p.choices[0].delta.content ?? '';
  assert.deepEqual(texts, ['same twice', 'same twice']);
});

test('image and audio parts', async () => {
  const [model, asked] = tagged('whole');
  const parts = [{ type: 'text', text: 'what is this?' },
                 { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
                 { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }];
  assert.equal((await chat(model, parts)).choices[0].message.content, TEXT);
  assert.deepEqual((await seen(asked)).requests[0].body.messages, user(parts));
});

test('JSON schema', async () => {
  const [model, asked] = tagged('schema');
  const response_format = zodResponseFormat(z.object({ name: z.string(), age: z.number() }), 'person');
  const answer = await client.chat.completions.parse({ model, messages: user('who'), response_format });
  assert.deepEqual(answer.choices[0].message.parsed, { name: 'Ada', age: 36 });
  const schema = (await seen(asked)).requests[0].body.response_format.json_schema;
  assert.deepEqual([schema.name, schema.strict, schema.schema.required], ['person', true, ['name', 'age']]);
});

test('logprobs', async () => {
  const expected = [['Hi', -0.25, 2]];
  const shape = (c) => c.logprobs.content.map((t) => [t.token, t.logprob, t.top_logprobs.length]);
  assert.deepEqual(shape((await chat(tagged('logprobs')[0], 'x', { logprobs: true, top_logprobs: 2 })).choices[0]), expected);
  const [first] = await collect(await chat(tagged('logprobs')[0], 'x', { logprobs: true, top_logprobs: 2, stream: true }));
  assert.deepEqual(shape(first.choices[0]), expected);
});

test('embeddings as base64 and as numbers', async () => {
  const [model, asked] = tagged('embed');
  let answer = await client.embeddings.create({ model, input: ['a', 'b'] });
  assert.deepEqual(answer.data.map((d) => d.embedding), VECTORS);
  assert.equal((await seen(asked)).requests[0].body.encoding_format, 'base64');
  answer = await client.embeddings.create({ model, input: 'a', encoding_format: 'float' });
  assert.deepEqual(answer.data.map((d) => d.embedding), VECTORS.slice(0, 1));
});

test('moderations and legacy completions', async () => {
  const [result] = (await client.moderations.create({ model: tagged('moderate')[0], input: 'x' })).results;
  assert.deepEqual([result.flagged, result.category_scores.violence, result.categories.hate], [true, 0.875, false]);
  const model = tagged('legacy')[0];
  assert.equal((await client.completions.create({ model, prompt: 'x' })).choices[0].text, '\n\nThis is a test');
  const parts = await collect(await client.completions.create({ model, prompt: 'x', stream: true }));
  assert.equal(parts.map((p) => p.choices[0].text).join(''), '\n\nThis is a test');
});

// ---- what goes wrong ----

test('retry after 429', async () => {
  let [model, asked] = tagged('limited');
  const start = Date.now();
  assert.equal((await chat(model, 'x', {}, { maxRetries: 2 })).choices[0].message.content, TEXT);
  assert.equal((await seen(asked)).requests.length, 3);
  assert.ok(Date.now() - start < 900, 'waited longer than retry-after-ms');
  [model, asked] = tagged('limited-always');
  const e = await fails(OpenAI.RateLimitError, () => chat(model, 'x', {}, { maxRetries: 2 }));
  assert.deepEqual([e.code, e.headers.get('retry-after'), (await seen(asked)).requests.length], ['insufficient_quota', '9', 1]);
  idOf(e.headers);
});

test('retry after 500', async () => {
  let [model, asked] = tagged('broken-once');
  assert.equal(textOf(await collect(await chat(model, 'x', { stream: true }, { maxRetries: 1 }))), TEXT);
  assert.equal((await seen(asked)).requests.length, 2);
  [model, asked] = tagged('broken');
  const e = await fails(OpenAI.InternalServerError, () => chat(model, 'x', {}, { maxRetries: 1 }));
  assert.deepEqual([e.status, (await seen(asked)).requests.length], [500, 2]);
});

test('refusals go through untouched', async () => {
  const e = await fails(OpenAI.BadRequestError, () => chat(tagged('invalid')[0]));
  assert.deepEqual(e.error, { message: "Invalid 'temperature': 9", type: 'invalid_request_error', param: 'temperature', code: 'decimal_above_max_value' });
});

test('our credential is our fault', async () => {
  const e = await fails(OpenAI.InternalServerError, () => chat(tagged('refused')[0]));
  assert.deepEqual([e.status, e.code], [502, 'upstream_credential']);
  assert.ok(!JSON.stringify(e.error).includes('sk-e2e'));
  assert.equal((await record(idOf(e.headers))).upstream_status, 401);
});

test('errors in streams', async () => {
  for (const [scenario, code, outcome] of [['error-in-stream', 'overloaded', 'upstream_error'], ['truncated', 'upstream_truncated', 'truncated'],
                                           ['cut', null, null]]) {
    const { data, response } = await chat(tagged(scenario)[0], 'x', { stream: true }).withResponse();
    const got = [];
    let raised = null;
    try {
      for await (const part of data) got.push(part);
    } catch (e) {
      raised = e;
    }
    assert.ok(raised instanceof OpenAI.APIError, `${scenario}: ${raised}`);
    if (code) assert.equal(raised.code, code);
    assert.ok(textOf(got).startsWith('half a '), scenario);
    assert.ok(!got.some((p) => p.choices[0].finish_reason), scenario);
    const closed = await record(idOf(response.headers));
    assert.equal(closed.outcome, outcome ?? closed.outcome);
    assert.notEqual(closed.outcome, 'ok');
  }
});

test('broken answers', async () => {
  for (const scenario of ['cut-whole', 'no-answer']) {
    const [model, asked] = tagged(scenario);
    const e = await fails(OpenAI.InternalServerError, () => chat(model));
    assert.deepEqual([e.status, (await seen(asked)).requests.length], [502, 1], scenario);
  }
});

test('abort before the first byte', async () => {
  const [model, asked] = tagged('slow');
  const abort = new AbortController();
  const asking = chat(model, 'x', {}, { signal: abort.signal });
  asking.catch(() => {});
  assert.ok(await eventually(async () => (await seen(asked)).requests.length));
  const left = Date.now();
  abort.abort();
  await fails(OpenAI.APIUserAbortError, () => asking);
  await goneAtOnce(asked, left);
});

test('abort within the stream', async () => {
  for (const how of ['controller', 'signal', 'break']) {
    const [model, asked] = tagged('slow-stream');
    const abort = new AbortController();
    const { data, response } = await chat(model, 'x', { stream: true }, { signal: abort.signal }).withResponse();
    let left;
    for await (const part of data) {
      assert.equal(part.choices[0].delta.content, 'half a ');
      left = Date.now();
      if (how === 'controller') data.controller.abort();
      else if (how === 'signal') abort.abort();
      else break;
    }
    await goneAtOnce(asked, left);
    assert.equal((await record(idOf(response.headers))).outcome, 'client_gone', how);
  }
});

// ---- many ----

test('connections are kept', async () => {
  const fresh = new OpenAI({ baseURL: OPEN_URL, apiKey: 'x', maxRetries: 0 });
  const [model, asked] = tagged('whole');
  const ask = (more) => fresh.chat.completions.create({ model, messages: user('x'), ...more });
  const first = await connects(OPEN_URL, async () => (await ask(), await ask()));
  assert.ok(first >= 1 && first <= 2, `${first} connections`);       // fetch opens its second while it still counts the first as busy
  const more = await connects(OPEN_URL, async () => {
    for (let i = 0; i < 10; i++) {
      assert.equal((await ask()).choices[0].message.content, TEXT);
      assert.equal(textOf(await collect(await ask({ stream: true }))), TEXT);
      await fails(OpenAI.NotFoundError, () => ask({ model: 'no-such' }));
    }
  });
  assert.equal(more, 0);
  const about = await seen(asked);
  assert.deepEqual([about.requests.length, about.connections], [22, 1]);
});

test('fifty at once', async () => {
  const model = tagged('echo')[0], numbers = [...Array(50).keys()];
  const whole = numbers.map(async (i) => (await chat([model, 'mock/echo'][i % 2], `number ${i}`)).choices[0].message.content);
  const streams = numbers.map(async (i) => textOf(await collect(await chat('mock/echo?chunk=5ms&chunks=5', `number ${i}`, { stream: true }))));
  assert.deepEqual(await Promise.all([...whole, ...streams]), [...numbers, ...numbers].map((i) => `number ${i}`));
});

await run();
