// SPDX-License-Identifier: Apache-2.0
// langchain.mjs -- LangChain's @langchain/openai against weir; stage.py runs it.
import assert from 'node:assert/strict';
import { AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { CALLS, FEW, KEY, TEXT, URL_V1, VECTORS, goneAtOnce, run, seen, tagged, test } from './stage_view.mjs';

const at = (apiKey = KEY) => ({ apiKey, configuration: { baseURL: URL_V1 }, maxRetries: 0 });
const chat = (model, more = {}) => new ChatOpenAI({ model, ...at(), ...more });

async function gather(stream) {
  const parts = [];
  for await (const part of await stream) parts.push(part);
  return parts.reduce((a, b) => a.concat(b));
}

test('mock: invoke and stream', async () => {
  const whole = await chat('mock/echo').invoke(TEXT);
  assert.deepEqual([whole.content, whole.response_metadata.finish_reason], [TEXT, 'stop']);
  const streamed = await gather(chat('mock/echo').stream('one two three'));
  assert.ok(streamed instanceof AIMessageChunk);
  assert.equal(streamed.content, 'one two three');
  assert.equal(streamed.usage_metadata.total_tokens, 8);          // it asks for the usage of streams
});

test('upstream: invoke and stream', async () => {
  const whole = await chat(tagged('whole')[0]).invoke('hi');
  assert.equal(whole.content, TEXT);
  assert.deepEqual([whole.usage_metadata.input_tokens, whole.usage_metadata.input_token_details.cache_read], [19, 8]);
  const [model, asked] = tagged('whole');
  const streamed = await gather(chat(model).stream('hi'));
  assert.equal(streamed.content, TEXT);
  assert.equal(streamed.usage_metadata.total_tokens, 29);
  assert.equal((await seen(asked)).requests[0].body.stream, true);
  const silent = await gather(chat(tagged('whole')[0], { streamUsage: false }).stream('hi'));
  assert.equal(silent.content, TEXT);
});

test('tools, whole and streamed', async () => {
  const tools = [tool(async () => '21', { name: 'get_weather', description: 'of a city', schema: z.object({ city: z.string() }) })];
  const shape = (message) => message.tool_calls.map((c) => [c.id, c.name, c.args]);
  const expected = CALLS.map(([id, name, args]) => [id, name, JSON.parse(args)]);
  const model = chat(tagged('tools')[0]).bindTools(tools);
  assert.deepEqual(shape(await model.invoke('hi')), expected);
  const message = await gather(model.stream('hi'));
  assert.deepEqual(shape(message), expected);
  const messages = [new HumanMessage('hi'), message, ...message.tool_calls.map((c) => new ToolMessage({ content: '21', tool_call_id: c.id }))];
  assert.equal((await gather(model.stream(messages))).content, 'It is 21 degrees.');
  const [mocked] = (await gather(chat('mock/tools?chunks=4').bindTools(tools).stream('{"city":"Oslo"}'))).tool_calls;
  assert.deepEqual([mocked.name, mocked.args], ['get_weather', { city: 'Oslo' }]);
});

test('an object by its schema', async () => {
  const [model, asked] = tagged('schema');
  const schema = z.object({ name: z.string(), age: z.number() });
  const answer = await chat(model).withStructuredOutput(schema, { name: 'person', method: 'jsonSchema' }).invoke('who');
  assert.deepEqual(answer, { name: 'Ada', age: 36 });
  assert.equal((await seen(asked)).requests[0].body.response_format.json_schema.name, 'person');
});

test('embeddings and legacy completions', async () => {
  assert.deepEqual(await new OpenAIEmbeddings({ model: tagged('embed')[0], ...at() }).embedDocuments(['a', 'b']), VECTORS);
  assert.equal((await new OpenAIEmbeddings({ model: 'mock/embed', ...at() }).embedQuery('tea')).length, 16);
  assert.equal(await new OpenAI({ model: tagged('legacy')[0], ...at() }).invoke('x'), '\n\nThis is a test');
  let text = '';
  for await (const piece of await new OpenAI({ model: tagged('legacy')[0], ...at() }).stream('x')) text += piece;
  assert.equal(text, '\n\nThis is a test');
});

test('errors and retries', async () => {
  await assert.rejects(chat('mock/echo', at('wrong')).invoke('x'), (e) => e.status === 401 && e.code === 'invalid_api_key');
  await assert.rejects(chat('mock/lorem', at(FEW)).invoke('x'), (e) => e.status === 403 && e.code === 'model_not_allowed');
  await assert.rejects(chat(tagged('invalid')[0]).invoke('x'), (e) => e.status === 400 && e.param === 'temperature');
  await assert.rejects(chat(tagged('refused')[0]).invoke('x'), (e) => e.status === 502 && e.code === 'upstream_credential');
  const [model, asked] = tagged('broken-once');
  assert.equal((await chat(model, { maxRetries: 1 }).invoke('x')).content, TEXT);
  assert.equal((await seen(asked)).requests.length, 2);
});

test('broken streams are errors', async () => {
  for (const scenario of ['truncated', 'cut', 'error-in-stream']) {
    const parts = [];
    await assert.rejects(async () => {
      for await (const part of await chat(tagged(scenario)[0]).stream('x')) parts.push(part);
    }, scenario);
    assert.ok(parts.map((p) => p.content).join('').startsWith('half a '), scenario);
    assert.ok(!parts.some((p) => p.response_metadata.finish_reason), scenario);
  }
});

test('abort', async () => {
  const [model, asked] = tagged('slow-stream');
  const abort = new AbortController();
  let left;
  await assert.rejects(async () => {
    for await (const part of await chat(model).stream('x', { signal: abort.signal }))
      if (part.content) {
        left = Date.now();
        abort.abort();
      }
  });
  await goneAtOnce(asked, left);
});

test('thirty at once', async () => {
  const numbers = [...Array(30).keys()];
  const got = await chat('mock/echo').batch(numbers.map((i) => `number ${i}`));
  assert.deepEqual(got.map((m) => m.content), numbers.map((i) => `number ${i}`));
});

await run();
