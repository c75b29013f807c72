// SPDX-License-Identifier: Apache-2.0
// bulk.mjs -- the official clients of bulk.py: each asks for recordings and says in neutral words what its SDK has parsed.
//
//   bulk.mjs     one job a line on stdin {n, client, base, model, stream, custom?, exact?}, one line out {n, got: {...}} | {n, error: {status, message}}
//
// `custom` names tools without a schema that are told to the upstream; `exact`: a stream's pieces are what its end says.
// `got` is {text, reasoning, calls: [[name, arguments]], finish, usage: {input, cached, output}}.  It is also run against the replayed
// recordings themselves, with the SDK of their own vendor: that is what every other client has to get.
import { createInterface } from 'node:readline';
import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { Mistral } from '@mistralai/mistralai';
import { OpenRouter } from '@openrouter/sdk';
import { CohereClientV2 } from 'cohere-ai';
import OpenAI from 'openai';
import { NodeHttpHandler } from '@smithy/node-http-handler'; // HTTP/1.1: Bedrock's client would speak HTTP/2 by itself

const KEY = 'wk_bulk', ASK = [{ role: 'user', content: 'go' }];
const empty = () => ({ text: '', reasoning: '', calls: [], finish: null, usage: null });
const parsed = (text) => JSON.parse(text || '{}');
const once = new Map();
const kept = (base, kind, make) => once.get(kind + base) ?? once.set(kind + base, make()).get(kind + base);

function must(ok, what) {
  if (!ok) throw new Error(what);
}

function finishOnce(got, finish) {
  must(got.finish === null, `a second finish, ${finish} behind ${got.finish}`);
  got.finish = finish;
}

// ---- chat completions, for the three SDKs that speak them: names are OpenAI's ----

const CHAT_FINISH = { stop: 'stop', tool_calls: 'tools', function_call: 'tools', length: 'length', content_filter: 'filter' };
const thought = (x) => x.reasoning_content ?? x.reasoning ?? '';

function chatUsage(u) {
  const reasoning = u.completion_tokens_details?.reasoning_tokens ?? 0;
  const apart = u.prompt_tokens + u.completion_tokens + reasoning === u.total_tokens ? reasoning : 0; // xAI counts it beside the rest
  return { input: u.prompt_tokens, cached: u.prompt_tokens_details?.cached_tokens ?? u.num_cached_tokens ?? u.cached_tokens ?? 0, output: u.completion_tokens + apart };
}

function addContent(got, content) {
  if (typeof content === 'string') {
    got.text += content;
    return;
  }
  for (const part of content ?? []) {
    if (part.type === 'text') got.text += part.text;
    if (part.type === 'thinking') got.reasoning += part.thinking.map((t) => t.text ?? '').join('');
  }
}

function chatWhole(a) {
  const got = empty(), { message, finish_reason } = a.choices[0];
  addContent(got, message.content ?? '');
  if (message.refusal) got.text += message.refusal;
  got.reasoning += thought(message);
  got.calls = (message.tool_calls ?? []).map((c) => (c.custom ? [c.custom.name, c.custom.input]
                                                              : [c.function.name, parsed(c.function.arguments)]));
  got.finish = CHAT_FINISH[finish_reason] ?? finish_reason;
  got.usage = a.usage ? chatUsage(a.usage) : null;
  return got;
}

async function chatStream(chunks) {
  const got = empty(), calls = new Map();
  for await (const chunk of chunks) {
    if (chunk.error) throw new Error(`an error in the stream: ${chunk.error.message}`); // OpenRouter's SDK hands it on
    const usage = chunk.usage ?? chunk.x_groq?.usage;
    if (usage) got.usage = chatUsage(usage);
    for (const { delta, finish_reason } of chunk.choices ?? []) {
      addContent(got, delta?.content);
      if (delta?.refusal) got.text += delta.refusal;
      got.reasoning += thought(delta ?? {});
      for (const t of delta?.tool_calls ?? []) {
        const call = calls.get(t.index ?? 0) ?? calls.set(t.index ?? 0, { name: '', args: '' }).get(t.index ?? 0);
        call.name ||= (t.function ?? t.custom)?.name ?? '';
        call.args += t.function?.arguments ?? t.custom?.input ?? '';
        call.custom ||= Boolean(t.custom);
      }
      if (finish_reason && got.finish === null) got.finish = CHAT_FINISH[finish_reason] ?? finish_reason;
    }
  }
  got.calls = [...calls.values()].map((c) => [c.name, c.custom ? c.args : parsed(c.args)]);
  return got;
}

async function chat(base, model, stream, custom) {
  const tools = custom?.map((name) => ({ type: 'custom', custom: { name } }));
  const client = kept(base, 'chat', () => new OpenAI({ baseURL: base + '/v1', apiKey: KEY, maxRetries: 0, timeout: 20000 }));
  if (!stream) return chatWhole(await client.chat.completions.create({ model, messages: ASK, tools }));
  return chatStream(await client.chat.completions.create({ model, messages: ASK, tools, stream: true, stream_options: { include_usage: true } }));
}

// The SDKs of OpenRouter and Mistral give the same in camelCase; the names of arguments and schemas are strings' content, not keys.
function snake(x) {
  if (Array.isArray(x)) return x.map(snake);
  if (x === null || typeof x !== 'object' || x instanceof Date) return x;
  return Object.fromEntries(Object.entries(x).map(([k, v]) => [k.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase()),
    k === 'arguments' && typeof v === 'object' ? JSON.stringify(v) : snake(v)]));
}

async function* snakes(stream, pick = (x) => x) {
  for await (const event of stream) yield snake(pick(event));
}

async function openrouter(base, model, stream) {
  const client = kept(base, 'openrouter', () => new OpenRouter({ serverURL: base + '/api/v1', apiKey: KEY, retryConfig: { strategy: 'none' } }));
  const got = await client.chat.send({ chatRequest: { model, messages: ASK, stream, ...(stream ? { streamOptions: { includeUsage: true } } : {}) } });
  return stream ? chatStream(snakes(got)) : chatWhole(snake(got));
}

async function mistral(base, model, stream) {
  const client = kept(base, 'mistral', () => new Mistral({ serverURL: base, apiKey: KEY, retryConfig: { strategy: 'none' } }));
  if (!stream) return chatWhole(snake(await client.chat.complete({ model, messages: ASK })));
  return chatStream(snakes(await client.chat.stream({ model, messages: ASK }), (e) => e.data));
}

// ---- Responses ----

function responsesRead(r) {
  const got = empty();
  for (const item of r.output) {
    if (item.type === 'message') got.text += item.content.map((p) => p.text ?? p.refusal ?? '').join('');
    if (item.type === 'reasoning') got.reasoning += [...(item.summary ?? []), ...(item.content ?? [])].map((p) => p.text).join('');
    if (item.type === 'function_call') got.calls.push([item.name, parsed(item.arguments)]);
    if (item.type === 'custom_tool_call') got.calls.push([item.name, item.input]);
  }
  if (r.status === 'completed') got.finish = got.calls.length ? 'tools' : 'stop';
  else if (r.status === 'incomplete') got.finish = r.incomplete_details.reason === 'content_filter' ? 'filter' : 'length';
  else throw Object.assign(new Error(r.error?.message ?? r.status), { status: 200 });
  const u = r.usage;
  got.usage = u && { input: u.input_tokens, cached: u.input_tokens_details?.cached_tokens ?? 0, output: u.output_tokens };
  return got;
}

async function responses(base, model, stream, custom, exact) {
  const client = kept(base, 'responses', () => new OpenAI({ baseURL: base + '/v1', apiKey: KEY, maxRetries: 0, timeout: 20000 }));
  const tools = custom?.map((name) => ({ type: 'custom', name }));
  if (!stream) return responsesRead(await client.responses.create({ model, input: 'go', tools }));
  const said = { text: '' };
  let last = null;
  for await (const e of await client.responses.create({ model, input: 'go', tools, stream: true })) {
    if (e.type === 'response.output_text.delta' || e.type === 'response.refusal.delta') said.text += e.delta;
    if (/^response\.(completed|incomplete|failed)$/.test(e.type)) {
      must(!last, 'a second end');
      last = e.response;
    }
    if (e.type === 'error') throw Object.assign(new Error(e.message ?? e.error?.message), { status: 200 });
  }
  must(last, 'the stream has no end');
  const got = responsesRead(last);
  must(!exact || got.text === said.text, `deltas said ${JSON.stringify(said.text.slice(-40))}, the end ${JSON.stringify(got.text.slice(-40))}`);
  return { ...got, text: said.text }; // some recordings are shortened, and only their pieces
}

// ---- Anthropic ----

const ANTHROPIC_FINISH = { end_turn: 'stop', stop_sequence: 'stop', pause_turn: 'stop', tool_use: 'tools', max_tokens: 'length',
                           model_context_window_exceeded: 'length', refusal: 'filter' };

async function anthropic(base, model, stream) {
  const client = kept(base, 'anthropic', () => new Anthropic({ baseURL: base, apiKey: KEY, maxRetries: 0, timeout: 20000 }));
  const body = { model, max_tokens: 4000, messages: ASK };
  const m = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
  const got = empty(), u = m.usage;
  for (const b of m.content) {
    if (b.type === 'text') got.text += b.text;
    if (b.type === 'thinking') got.reasoning += b.thinking;
    if (b.type === 'tool_use') got.calls.push([b.name, b.input]);
  }
  got.finish = ANTHROPIC_FINISH[m.stop_reason] ?? m.stop_reason;
  got.usage = { input: u.input_tokens + (u.cache_read_input_tokens ?? 0) + (u.cache_creation_input_tokens ?? 0),
                cached: u.cache_read_input_tokens ?? 0, output: u.output_tokens };
  return got;
}

// ---- Gemini ----

const GEMINI_FILTER = /^(SAFETY|RECITATION|BLOCKLIST|PROHIBITED_CONTENT|SPII|LANGUAGE|IMAGE_.*)$/;

// Vertex sends arguments in pieces, each with the path of its place.
function addPartial(calls, f) {
  if (f.name) calls.push([f.name, f.args ?? {}]);
  for (const piece of f.partialArgs ?? []) {
    const path = piece.jsonPath.slice(2).replace(/\[(\d+)\]/g, '.$1').split('.');
    let at = calls.at(-1)[1];
    path.forEach((key, i) => {
      if (i < path.length - 1) at = at[key] ??= /^\d+$/.test(path[i + 1]) ? [] : {};
      else if (piece.stringValue !== undefined) at[key] = (at[key] ?? '') + piece.stringValue;
      else at[key] = piece.numberValue ?? piece.boolValue ?? null;
    });
  }
}

function geminiAdd(got, r) {
  const c = r.candidates?.[0];
  for (const p of c?.content?.parts ?? []) {
    if (p.functionCall) addPartial(got.calls, p.functionCall);
    else if (p.text) got[p.thought ? 'reasoning' : 'text'] += p.text;
  }
  const why = c?.finishReason;
  if (why) finishOnce(got, why === 'MAX_TOKENS' ? 'length' : GEMINI_FILTER.test(why) ? 'filter' : why === 'STOP' ? 'stop' : why);
  const u = r.usageMetadata;
  if (u?.totalTokenCount) {
    got.usage = { input: (u.promptTokenCount ?? 0) + (u.toolUsePromptTokenCount ?? 0), cached: u.cachedContentTokenCount ?? 0,
                  output: (u.candidatesTokenCount ?? 0) + (u.thoughtsTokenCount ?? 0) };
  }
}

async function gemini(base, model, stream) {
  const client = kept(base, 'gemini', () => new GoogleGenAI({ apiKey: KEY, vertexai: false, httpOptions: { baseUrl: base, timeout: 20000 } }));
  const got = empty();
  if (!stream) geminiAdd(got, await client.models.generateContent({ model, contents: 'go' }));
  else for await (const r of await client.models.generateContentStream({ model, contents: 'go' })) geminiAdd(got, r);
  if (got.finish === 'stop' && got.calls.length) got.finish = 'tools';
  return got;
}

// ---- Bedrock Converse ----

const BEDROCK_FINISH = { end_turn: 'stop', stop_sequence: 'stop', tool_use: 'tools', max_tokens: 'length', model_context_window_exceeded: 'length',
                         content_filtered: 'filter', guardrail_intervened: 'filter' };
const bedrockUsage = (u) => ({ input: u.inputTokens + (u.cacheReadInputTokens ?? 0) + (u.cacheWriteInputTokens ?? 0),
                               cached: u.cacheReadInputTokens ?? 0, output: u.outputTokens });

async function bedrock(base, model, stream) {
  const client = kept(base, 'bedrock', () => new BedrockRuntimeClient({
    endpoint: base, region: 'us-east-1', maxAttempts: 1, requestHandler: new NodeHttpHandler(), credentials: { accessKeyId: 'AKIDBULK', secretAccessKey: 'secret' },
  }));
  const body = { modelId: model, messages: [{ role: 'user', content: [{ text: 'go' }] }] }, got = empty();
  if (!stream) {
    const a = await client.send(new ConverseCommand(body));
    for (const b of a.output.message.content) {
      got.text += b.text ?? '';
      got.reasoning += b.reasoningContent?.reasoningText?.text ?? '';
      if (b.toolUse) got.calls.push([b.toolUse.name, b.toolUse.input]);
    }
    return { ...got, finish: BEDROCK_FINISH[a.stopReason] ?? a.stopReason, usage: bedrockUsage(a.usage) };
  }
  const calls = new Map();
  for await (const e of (await client.send(new ConverseStreamCommand(body))).stream) {
    const start = e.contentBlockStart, delta = e.contentBlockDelta?.delta;
    if (start?.start?.toolUse) calls.set(start.contentBlockIndex, { name: start.start.toolUse.name, args: '' });
    got.text += delta?.text ?? '';
    got.reasoning += delta?.reasoningContent?.text ?? '';
    if (delta?.toolUse) calls.get(e.contentBlockDelta.contentBlockIndex).args += delta.toolUse.input;
    if (e.messageStop) finishOnce(got, BEDROCK_FINISH[e.messageStop.stopReason] ?? e.messageStop.stopReason);
    if (e.metadata) got.usage = bedrockUsage(e.metadata.usage);
  }
  got.calls = [...calls.values()].map((c) => [c.name, parsed(c.args)]);
  return got;
}

// ---- Cohere ----

const COHERE_FINISH = { COMPLETE: 'stop', STOP_SEQUENCE: 'stop', TOOL_CALL: 'tools', MAX_TOKENS: 'length' };
const cohereUsage = (u) => u && { input: u.tokens?.inputTokens, cached: u.cachedTokens ?? 0, output: u.tokens?.outputTokens };

async function cohere(base, model, stream) {
  const client = kept(base, 'cohere', () => new CohereClientV2({ environment: base, token: KEY }));
  const options = { maxRetries: 0, timeoutInSeconds: 20 }, got = empty();
  if (!stream) {
    const { message, finishReason, usage } = await client.chat({ model, messages: ASK }, options);
    got.text = message.toolPlan ?? ''; // what it says before its calls
    for (const p of message.content ?? []) {
      got.text += p.text ?? '';
      got.reasoning += p.thinking ?? '';
    }
    got.calls = (message.toolCalls ?? []).map((c) => [c.function.name, parsed(c.function.arguments) ?? {}]);
    return { ...got, finish: COHERE_FINISH[finishReason] ?? finishReason, usage: cohereUsage(usage) };
  }
  const calls = new Map();
  for await (const e of await client.chatStream({ model, messages: ASK }, options)) {
    const m = e.delta?.message;
    if (e.type === 'content-delta') got.text += m.content.text ?? '';
    if (e.type === 'content-delta') got.reasoning += m.content.thinking ?? '';
    if (e.type === 'tool-plan-delta') got.text += m.toolPlan ?? '';
    if (e.type === 'tool-call-start') calls.set(e.index, { name: m.toolCalls.function.name, args: m.toolCalls.function.arguments ?? '' });
    if (e.type === 'tool-call-delta') calls.get(e.index).args += m.toolCalls.function.arguments ?? '';
    if (e.type === 'message-end') {
      if (e.delta.error) throw Object.assign(new Error(e.delta.error), { status: 200 });
      finishOnce(got, COHERE_FINISH[e.delta.finishReason] ?? e.delta.finishReason);
      got.usage = cohereUsage(e.delta.usage);
    }
  }
  got.calls = [...calls.values()].map((c) => [c.name, parsed(c.args)]);
  return got;
}

const CLIENTS = { chat, openrouter, mistral, responses, anthropic, gemini, bedrock, cohere };

async function play({ n, client, base, model, stream, custom, exact }) {
  try {
    return { n, got: await CLIENTS[client](base, model, stream, custom, exact) };
  } catch (e) {
    const status = e.status ?? e.statusCode ?? e.$metadata?.httpStatusCode ?? null;
    return { n, error: { status, kind: e.constructor.name, message: String(e.message ?? e) + (e.cause ? ' ' + e.cause : '') } };
  }
}

// As many at once as keep two processors busy; lines come out as they are done.
const jobs = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await Promise.all(Array.from({ length: 4 }, async () => {
  for (let line = await jobs.next(); !line.done; line = await jobs.next()) console.log(JSON.stringify(await play(JSON.parse(line.value))));
}));
process.exit(0);
