// SPDX-License-Identifier: Apache-2.0
// vercel_ai.mjs -- Vercel's ai with @ai-sdk/openai against weir; stage.py runs it.
import assert from 'node:assert/strict';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, Output, embed, embedMany, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { CALLS, FEW, KEY, TEXT, URL_V1, VECTORS, eventually, goneAtOnce, run, seen, tagged, test } from './stage_view.mjs';

const openai = createOpenAI({ baseURL: URL_V1, apiKey: KEY });
const quiet = { maxRetries: 0, onError: () => {} };       // an error is looked for where it belongs, not printed

async function texts(stream) {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

async function fails(f) {
  try {
    await f();
  } catch (e) {
    assert.ok(APICallError.isInstance(e), String(e));
    return e;
  }
  assert.fail('no error');
}

test('mock: generate and stream', async () => {
  const { text, finishReason, usage, response } = await generateText({ ...quiet, model: openai.chat('mock/echo'), prompt: TEXT });
  assert.deepEqual([text, finishReason], [TEXT, 'stop']);
  assert.ok(usage.outputTokens > 0);
  assert.match(response.headers['x-weir-request-id'], /^req_/);
  const streamed = streamText({ ...quiet, model: openai.chat('mock/echo'), prompt: 'one two three' });
  assert.equal(await texts(streamed.textStream), 'one two three');
  assert.equal(await streamed.finishReason, 'stop');
  const used = await streamed.usage;                      // four bytes are a token
  assert.deepEqual([used.inputTokens, used.outputTokens], [4, 4]);
});

test('upstream: generate and stream', async () => {
  const { text, usage } = await generateText({ ...quiet, model: openai.chat(tagged('whole')[0]), system: 'be brief', prompt: 'hi' });
  assert.equal(text, TEXT);
  assert.deepEqual([usage.inputTokens, usage.outputTokens, usage.totalTokens], [19, 10, 29]);
  const [model, asked] = tagged('whole');
  const streamed = streamText({ ...quiet, model: openai.chat(model), prompt: 'hi' });
  assert.equal(await texts(streamed.textStream), TEXT);
  assert.deepEqual([await streamed.finishReason, (await streamed.usage).totalTokens], ['stop', 29]);
  assert.equal((await seen(asked)).requests[0].body.stream, true);
});

test('tools, called and answered, whole and streamed', async () => {
  for (const ask of [generateText, streamText]) {
    const called = [];
    const one = (name) => tool({ inputSchema: z.object({}).loose(), execute: async (input) => (called.push([name, input]), '21') });
    const [model, asked] = tagged('tools');
    const answer = await ask({ ...quiet, model: openai.chat(model), prompt: 'weather?', stopWhen: stepCountIs(3),
                               tools: { get_weather: one('get_weather'), get_time: one('get_time') } });
    assert.equal(await answer.text, 'It is 21 degrees.');
    assert.deepEqual(called, CALLS.map(([, name, input]) => [name, JSON.parse(input)]));
    const { requests } = await seen(asked);
    assert.equal(requests.length, 2);
    assert.deepEqual(requests[1].body.messages.slice(-2).map((m) => m.tool_call_id), CALLS.map(([id]) => id));
  }
});

test('mock: tools streamed', async () => {
  const streamed = streamText({ ...quiet, model: openai.chat('mock/tools?chunks=4'), prompt: '{"city":"Oslo"}',
                                tools: { get_weather: tool({ inputSchema: z.object({ city: z.string() }) }) } });
  const [call] = await streamed.toolCalls;
  assert.deepEqual([call.toolName, call.input, await streamed.finishReason], ['get_weather', { city: 'Oslo' }, 'tool-calls']);
});

test('an object by its schema', async () => {
  const [model, asked] = tagged('schema');
  const schema = z.object({ name: z.string(), age: z.number() });
  const { output } = await generateText({ ...quiet, model: openai.chat(model), prompt: 'who', output: Output.object({ schema }) });
  assert.deepEqual(output, { name: 'Ada', age: 36 });
  const streamed = streamText({ ...quiet, model: openai.chat(model), prompt: 'who', output: Output.object({ schema }) });
  let last;
  for await (last of streamed.partialOutputStream);
  assert.deepEqual(last, { name: 'Ada', age: 36 });
  assert.equal((await seen(asked)).requests[0].body.response_format.type, 'json_schema');
});

test('an image', async () => {
  const [model, asked] = tagged('whole');
  const content = [{ type: 'text', text: 'what?' }, { type: 'image', image: 'iVBORw0KGgo=', mediaType: 'image/png' }];
  await generateText({ ...quiet, model: openai.chat(model), messages: [{ role: 'user', content }] });
  assert.equal((await seen(asked)).requests[0].body.messages[0].content[1].image_url.url, 'data:image/png;base64,iVBORw0KGgo=');
});

test('embeddings', async () => {
  const { embeddings } = await embedMany({ model: openai.textEmbeddingModel(tagged('embed')[0]), values: ['a', 'b'] });
  assert.deepEqual(embeddings, VECTORS);
  assert.equal((await embed({ model: openai.textEmbeddingModel('mock/embed'), value: 'tea' })).embedding.length, 16);
});

test('errors', async () => {
  const ask = (model, key = KEY, maxRetries = 0) =>
    generateText({ ...quiet, maxRetries, model: createOpenAI({ baseURL: URL_V1, apiKey: key }).chat(model), prompt: 'x' });
  let e = await fails(() => ask('mock/echo', 'wrong'));
  assert.deepEqual([e.statusCode, e.data.error.code, e.isRetryable], [401, 'invalid_api_key', false]);
  e = await fails(() => ask('mock/lorem', FEW));
  assert.deepEqual([e.statusCode, e.data.error.code], [403, 'model_not_allowed']);
  e = await fails(() => ask(tagged('invalid')[0]));
  assert.deepEqual([e.statusCode, e.message], [400, "Invalid 'temperature': 9"]);
  e = await fails(() => ask(tagged('refused')[0]));
  assert.deepEqual([e.statusCode, e.data.error.code], [502, 'upstream_credential']);
  const [model, asked] = tagged('limited');
  assert.equal((await ask(model, KEY, 2)).text, TEXT);
  assert.equal((await seen(asked)).requests.length, 3);
});

test('broken streams are errors', async () => {
  for (const scenario of ['truncated', 'cut', 'error-in-stream']) {
    const parts = [];
    for await (const part of streamText({ ...quiet, model: openai.chat(tagged(scenario)[0]), prompt: 'x' }).fullStream) parts.push(part);
    assert.equal(parts.filter((p) => p.type === 'error').length, 1, scenario);
    assert.ok(!parts.some((p) => p.type === 'finish' && p.finishReason === 'stop'), scenario);
  }
});

test('abort', async () => {
  const [model, asked] = tagged('slow-stream');
  const abort = new AbortController();
  const streamed = streamText({ ...quiet, model: openai.chat(model), prompt: 'x', abortSignal: abort.signal });
  let left;
  for await (const part of streamed.fullStream)
    if (part.type === 'text-delta') {
      left = Date.now();
      abort.abort();
    }
  await goneAtOnce(asked, left);
  const [slow, slowAsked] = tagged('slow');
  const stop = new AbortController();
  const asking = generateText({ ...quiet, model: openai.chat(slow), prompt: 'x', abortSignal: stop.signal });
  asking.catch(() => {});
  assert.ok(await eventually(async () => (await seen(slowAsked)).requests.length));
  left = Date.now();
  stop.abort();
  await assert.rejects(asking);
  await goneAtOnce(slowAsked, left);
});

test('thirty streams at once', async () => {
  const numbers = [...Array(30).keys()];
  const got = await Promise.all(numbers.map((i) =>
    texts(streamText({ ...quiet, model: openai.chat('mock/echo?chunk=5ms&chunks=4'), prompt: `number ${i}` }).textStream)));
  assert.deepEqual(got, numbers.map((i) => `number ${i}`));
});

await run();
