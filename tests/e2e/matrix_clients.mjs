// SPDX-License-Identifier: Apache-2.0
// matrix_clients.mjs -- the official Node clients of the matrix; see matrix_clients.py, which prints the same lines.
//     node matrix_clients.mjs CLIENT UPSTREAM...
import { readFileSync } from 'node:fs';

const S = JSON.parse(readFileSync(new URL('./scenarios.json', import.meta.url)));
const { MATRIX_URL: BASE, MATRIX_KEY: KEY } = process.env;
const IMAGE = 'data:image/png;base64,' + S.png;
const RESULTS = ['call_a1', 'call_b2'].map((id, n) => [id, ...S.scenarios.results.calls_before[n], S.scenarios.results.results[n]]);
const TOOLS = Object.entries(S.tools);
const FORMAT = { name: 'city', strict: true, schema: S.schema };

const fresh = () => ({ text: '', reasoning: '', calls: [], finish: null, usage: null });
const finished = (got, word, words) => {
  if (!word) return;
  if (got.finish) throw new Error('two finishes');
  got.finish = words[word] ?? word;
};
const sum = (parts, f) => parts.map(f).join('');

// ---- OpenAI's chat completions, and who speaks them with other names ----

const CHAT = { stop: 'stop', tool_calls: 'tools' };
const chatBody = (s) => {
  const user = s.image ? [{ type: 'text', text: s.ask }, { type: 'image_url', image_url: { url: IMAGE } }] : s.ask;
  const messages = [{ role: 'system', content: S.system }, { role: 'user', content: user }];
  if (s.results) {
    messages.push({ role: 'assistant', content: null, tool_calls: RESULTS.map(([id, name, args]) =>
      ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } })) });
    messages.push(...RESULTS.map(([id, , , content]) => ({ role: 'tool', tool_call_id: id, content })));
  }
  return { messages,
           ...(s.tools && { tools: TOOLS.map(([name, parameters]) => ({ type: 'function', function: { name, description: 'd', parameters } })) }),
           ...(s.schema && { response_format: { type: 'json_schema', json_schema: FORMAT } }),
           ...(s.think && { reasoning_effort: 'high' }) };
};
const chatUsage = (u) => u && { input: u.prompt_tokens, cached: u.prompt_tokens_details?.cached_tokens ?? 0, output: u.completion_tokens };
// Content of Mistral's may be parts: thoughts, then text.
const said = (got, content) => {
  for (const p of Array.isArray(content) ? content : [{ type: 'text', text: content ?? '' }])
    if (p.type === 'thinking') got.reasoning += sum(p.thinking, (t) => t.text);
    else got.text += p.text;
};
const chatWhole = (a) => {
  const m = a.choices[0].message, got = fresh();
  got.reasoning = m.reasoning_content ?? m.reasoning ?? '';
  said(got, m.content);
  got.calls = (m.tool_calls ?? []).map((c) => [c.id, c.function.name, JSON.parse(c.function.arguments)]);
  finished(got, a.choices[0].finish_reason, CHAT);
  got.usage = chatUsage(a.usage);
  return got;
};
const chatStream = async (chunks) => {
  const got = fresh(), calls = [];
  for await (const c of chunks) {
    got.usage = chatUsage(c.usage) ?? got.usage;
    for (const { delta, finish_reason } of c.choices) {
      said(got, delta.content);
      got.reasoning += delta.reasoning_content ?? delta.reasoning ?? '';
      for (const t of delta.tool_calls ?? []) {
        const call = calls[t.index] ??= ['', '', ''];
        call[0] += t.id ?? '', call[1] += t.function?.name ?? '', call[2] += t.function?.arguments ?? '';
      }
      finished(got, finish_reason, CHAT);
    }
  }
  got.calls = calls.map(([id, name, args]) => [id, name, JSON.parse(args)]);
  return got;
};

// Requests and answers between snake_case and the camelCase of SDKs that have their own names for everything.
const rename = (x, f) => Array.isArray(x) ? x.map((y) => rename(y, f))
  : x && typeof x === 'object' ? Object.fromEntries(Object.entries(x).map(([k, v]) =>
      [f(k), ['parameters', 'schema', 'schemaDefinition', 'arguments'].includes(k) ? v : rename(v, f)])) : x;
const camel = (x) => rename(x, (k) => k.replace(/_([a-z])/g, (_, c) => c.toUpperCase()));
const snake = (x) => rename(x, (k) => k.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase()));
async function* each(stream, f) {
  for await (const c of stream) yield f(c);
}

const failure = (e, status, message) => ({ status, message, kind: e.constructor.name });

const clients = {
  async 'openai chat'() {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ baseURL: BASE + '/v1', apiKey: KEY, maxRetries: 0, timeout: 20000 });
    const open = (model, s) => client.chat.completions.create({ model, ...chatBody(s), stream: true, stream_options: { include_usage: true } });
    return {
      whole: async (model, s) => chatWhole(await client.chat.completions.create({ model, ...chatBody(s) })),
      stream: async (model, s) => chatStream(await open(model, s)),
      async abort(model, s) {
        const stream = await open(model, s);
        for await (const c of stream) if (c.choices[0]?.delta.content) return stream.controller.abort();
      },
      failure: (e) => e instanceof OpenAI.APIError && failure(e, e.status, e.message),
    };
  },

  async 'openai responses'() {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ baseURL: BASE + '/v1', apiKey: KEY, maxRetries: 0, timeout: 20000 });
    const body = (model, s) => ({
      model, instructions: S.system,
      input: [{ role: 'user', content: [{ type: 'input_text', text: s.ask }, ...(s.image ? [{ type: 'input_image', image_url: IMAGE, detail: 'auto' }] : [])] },
              ...(s.results ? RESULTS.map(([call_id, name, args]) => ({ type: 'function_call', call_id, name, arguments: JSON.stringify(args) })) : []),
              ...(s.results ? RESULTS.map(([call_id, , , output]) => ({ type: 'function_call_output', call_id, output })) : [])],
      ...(s.tools && { tools: TOOLS.map(([name, parameters]) => ({ type: 'function', name, description: 'd', parameters, strict: false })) }),
      ...(s.schema && { text: { format: { type: 'json_schema', ...FORMAT } } }),
      ...(s.think && { reasoning: { effort: 'high', summary: 'auto' } }),
    });
    const read = (r) => {
      const got = fresh();
      got.text = r.output_text ?? sum(r.output.filter((i) => i.type === 'message').flatMap((i) => i.content), (p) => p.text);
      got.reasoning = sum(r.output.filter((i) => i.type === 'reasoning').flatMap((i) => [...i.summary, ...(i.content ?? [])]), (p) => p.text);
      got.calls = r.output.filter((i) => i.type === 'function_call').map((i) => [i.call_id, i.name, JSON.parse(i.arguments)]);
      got.finish = r.status !== 'completed' ? r.status : got.calls.length ? 'tools' : 'stop';
      got.usage = { input: r.usage.input_tokens, cached: r.usage.input_tokens_details.cached_tokens, output: r.usage.output_tokens };
      return got;
    };
    return {
      whole: async (model, s) => read(await client.responses.create(body(model, s))),
      async stream(model, s) {
        const stream = client.responses.stream(body(model, s));          // the helper checks the order of events itself
        let text = '';
        for await (const e of stream) if (e.type === 'response.output_text.delta') text += e.delta;
        const got = read(await stream.finalResponse());
        if (got.text !== text) throw new Error(`deltas ${text}, the end says ${got.text}`);
        return got;
      },
      async abort(model, s) {
        const stream = await client.responses.create({ ...body(model, s), stream: true });
        for await (const e of stream) if (e.type === 'response.output_text.delta') return stream.controller.abort();
      },
      failure: (e) => e instanceof OpenAI.APIError && failure(e, e.status, e.message),
    };
  },

  async anthropic() {
    const { default: Anthropic } = await import('@anthropic-ai/sdk');
    const client = new Anthropic({ baseURL: BASE, apiKey: KEY, maxRetries: 0, timeout: 20000 });
    const body = (model, s) => ({
      model, max_tokens: 4000, system: S.system,
      messages: [{ role: 'user', content: [{ type: 'text', text: s.ask },
                                           ...(s.image ? [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: S.png } }] : [])] },
                 ...(s.results ? [{ role: 'assistant', content: RESULTS.map(([id, name, input]) => ({ type: 'tool_use', id, name, input })) },
                                  { role: 'user', content: RESULTS.map(([id, , , content]) => ({ type: 'tool_result', tool_use_id: id, content })) }] : [])],
      ...(s.tools && { tools: TOOLS.map(([name, input_schema]) => ({ name, description: 'd', input_schema })) }),
      ...(s.schema && { output_config: { format: { type: 'json_schema', schema: S.schema } } }),
      ...(s.think && { thinking: { type: 'enabled', budget_tokens: 2000 } }),
    });
    const read = (m) => {
      const got = fresh(), of = (type) => m.content.filter((b) => b.type === type), u = m.usage;
      got.text = sum(of('text'), (b) => b.text);
      got.reasoning = sum(of('thinking'), (b) => b.thinking);
      got.calls = of('tool_use').map((b) => [b.id, b.name, b.input]);
      finished(got, m.stop_reason, { end_turn: 'stop', tool_use: 'tools' });
      got.usage = { input: u.input_tokens + (u.cache_read_input_tokens ?? 0) + (u.cache_creation_input_tokens ?? 0),
                    cached: u.cache_read_input_tokens ?? 0, output: u.output_tokens };
      return got;
    };
    return {
      whole: async (model, s) => read(await client.messages.create(body(model, s))),
      async stream(model, s) {
        const stream = client.messages.stream(body(model, s));
        let text = '';
        stream.on('text', (piece) => { text += piece; });
        const got = read(await stream.finalMessage());
        if (got.text !== text) throw new Error(`deltas ${text}`);
        return got;
      },
      async abort(model, s) {
        const stream = client.messages.stream(body(model, s));
        for await (const e of stream) if (e.type === 'content_block_delta') return stream.abort();
      },
      failure: (e) => e instanceof Anthropic.APIError && failure(e, e.status, e.message),
    };
  },

  async google() {
    const { GoogleGenAI, ApiError } = await import('@google/genai');
    const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: BASE, timeout: 20000 } });
    const params = (model, s, abortSignal) => ({
      model,
      contents: [{ role: 'user', parts: [{ text: s.ask }, ...(s.image ? [{ inlineData: { mimeType: 'image/png', data: S.png } }] : [])] },
                 ...(s.results ? [{ role: 'model', parts: RESULTS.map(([id, name, args]) => ({ functionCall: { id, name, args } })) },
                                  { role: 'user', parts: RESULTS.map(([id, name, , output]) => ({ functionResponse: { id, name, response: { output } } })) }] : [])],
      config: { systemInstruction: S.system, abortSignal,
                ...(s.tools && { tools: [{ functionDeclarations: TOOLS.map(([name, parametersJsonSchema]) => ({ name, description: 'd', parametersJsonSchema })) }] }),
                ...(s.schema && { responseMimeType: 'application/json', responseJsonSchema: S.schema }),
                ...(s.think && { thinkingConfig: { includeThoughts: true, thinkingBudget: 2000 } }) },
    });
    const add = (got, r) => {
      const c = r.candidates?.[0], u = r.usageMetadata;
      for (const p of c?.content?.parts ?? [])
        if (p.functionCall) got.calls.push([p.functionCall.id, p.functionCall.name, p.functionCall.args]);
        else got[p.thought ? 'reasoning' : 'text'] += p.text ?? '';
      finished(got, c?.finishReason, {});
      if (u?.totalTokenCount)
        got.usage = { input: u.promptTokenCount, cached: u.cachedContentTokenCount ?? 0, output: (u.candidatesTokenCount ?? 0) + (u.thoughtsTokenCount ?? 0) };
    };
    const end = (got) => ({ ...got, finish: got.finish !== 'STOP' ? got.finish : got.calls.length ? 'tools' : 'stop' });
    return {
      async whole(model, s) {
        const got = fresh();
        add(got, await client.models.generateContent(params(model, s)));
        return end(got);
      },
      async stream(model, s) {
        const got = fresh();
        for await (const r of await client.models.generateContentStream(params(model, s))) add(got, r);
        return end(got);
      },
      async abort(model, s) {
        const controller = new AbortController();
        for await (const r of await client.models.generateContentStream(params(model, s, controller.signal)))
          if (r.candidates?.[0]?.content?.parts?.[0]?.text) return controller.abort();
      },
      failure: (e) => e instanceof ApiError && failure(e, e.status, e.message),
    };
  },

  async bedrock() {
    const aws = await import('@aws-sdk/client-bedrock-runtime');
    const { NodeHttpHandler } = await import('@smithy/node-http-handler');      // the default speaks HTTP/2 without TLS
    const client = new aws.BedrockRuntimeClient({ region: 'us-east-1', endpoint: BASE, maxAttempts: 1, requestHandler: new NodeHttpHandler(),
                                                  credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'unused' } });
    client.middlewareStack.add((next) => (args) => {         // the signature is of no account; weir's key is a header
      args.request.headers['x-api-key'] = KEY;
      return next(args);
    }, { step: 'finalizeRequest', priority: 'low' });
    const input = (modelId, s) => ({
      modelId, system: [{ text: S.system }], inferenceConfig: { maxTokens: 4000 },
      messages: [{ role: 'user', content: [{ text: s.ask }, ...(s.image ? [{ image: { format: 'png', source: { bytes: Buffer.from(S.png, 'base64') } } }] : [])] },
                 ...(s.results ? [{ role: 'assistant', content: RESULTS.map(([toolUseId, name, args]) => ({ toolUse: { toolUseId, name, input: args } })) },
                                  { role: 'user', content: RESULTS.map(([toolUseId, , , text]) => ({ toolResult: { toolUseId, content: [{ text }] } })) }] : [])],
      ...(s.tools && { toolConfig: { tools: TOOLS.map(([name, json]) => ({ toolSpec: { name, description: 'd', inputSchema: { json } } })) } }),
      ...(s.schema && { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'city', schema: JSON.stringify(S.schema) } } } } }),
      ...(s.think && { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2000 } } }),
    });
    const words = { end_turn: 'stop', tool_use: 'tools' };
    const usage = (u) => ({ input: u.inputTokens + (u.cacheReadInputTokens ?? 0) + (u.cacheWriteInputTokens ?? 0), cached: u.cacheReadInputTokens ?? 0,
                            output: u.outputTokens });
    return {
      async whole(model, s) {
        const a = await client.send(new aws.ConverseCommand(input(model, s))), got = fresh(), content = a.output.message.content;
        got.text = sum(content, (b) => b.text ?? '');
        got.reasoning = sum(content, (b) => b.reasoningContent?.reasoningText?.text ?? '');
        got.calls = content.filter((b) => b.toolUse).map(({ toolUse: t }) => [t.toolUseId, t.name, t.input]);
        finished(got, a.stopReason, words);
        got.usage = usage(a.usage);
        return got;
      },
      async stream(model, s) {
        const a = await client.send(new aws.ConverseStreamCommand(input(model, s))), got = fresh(), calls = {};
        for await (const e of a.stream) {
          const start = e.contentBlockStart?.start?.toolUse, delta = e.contentBlockDelta?.delta;
          if (start) calls[e.contentBlockStart.contentBlockIndex] = [start.toolUseId, start.name, ''];
          got.text += delta?.text ?? '';
          got.reasoning += delta?.reasoningContent?.text ?? '';
          if (delta?.toolUse) calls[e.contentBlockDelta.contentBlockIndex][2] += delta.toolUse.input;
          finished(got, e.messageStop?.stopReason, words);
          if (e.metadata) got.usage = usage(e.metadata.usage);
        }
        got.calls = Object.values(calls).map(([id, name, args]) => [id, name, JSON.parse(args)]);
        return got;
      },
      async abort(model, s) {
        const controller = new AbortController();
        const a = await client.send(new aws.ConverseStreamCommand(input(model, s)), { abortSignal: controller.signal });
        for await (const e of a.stream) if (e.contentBlockDelta) return controller.abort();
      },
      failure: (e) => e instanceof aws.BedrockRuntimeServiceException && failure(e, e.$metadata.httpStatusCode, e.message),
    };
  },

  async openrouter() {
    const { OpenRouter } = await import('@openrouter/sdk');
    const { OpenRouterError } = await import('@openrouter/sdk/models/errors');
    const client = new OpenRouter({ apiKey: KEY, serverURL: BASE + '/api/v1', retryConfig: { strategy: 'none' }, timeoutMs: 20000 });
    const request = (model, s, more) => {
      const { reasoning_effort: effort, ...body } = chatBody(s);
      return { chatRequest: { model, ...camel(body), ...(effort && { reasoning: { effort } }), ...more } };
    };
    return {
      whole: async (model, s) => chatWhole(snake(await client.chat.send(request(model, s)))),
      stream: async (model, s) => chatStream(each(await client.chat.send(request(model, s, { stream: true, streamOptions: { includeUsage: true } })), snake)),
      async abort(model, s) {
        const controller = new AbortController();
        const stream = await client.chat.send(request(model, s, { stream: true }), { fetchOptions: { signal: controller.signal } });
        for await (const c of stream) if (c.choices[0]?.delta.content) return controller.abort();
      },
      failure: (e) => e instanceof OpenRouterError && failure(e, e.statusCode, e.message + e.body),
    };
  },

  async cohere() {
    const { CohereClientV2, CohereError } = await import('cohere-ai');
    const client = new CohereClientV2({ environment: BASE, token: KEY });
    const options = { maxRetries: 0, timeoutInSeconds: 20 };
    const request = (model, s) => {
      const { response_format, reasoning_effort, messages, ...body } = chatBody(s);
      return { model, ...camel(body), messages: camel(messages).map((m) => m.content === null ? { ...m, content: undefined } : m),
               ...(response_format && { responseFormat: { type: 'json_object', jsonSchema: S.schema } }),
               ...(reasoning_effort && { thinking: { type: 'enabled', tokenBudget: 2000 } }) };
    };
    const words = { COMPLETE: 'stop', TOOL_CALL: 'tools' };
    const usage = (u) => ({ input: u.tokens.inputTokens, cached: u.cachedTokens ?? 0, output: u.tokens.outputTokens });
    return {
      async whole(model, s) {
        const a = await client.chat(request(model, s), options), got = fresh();
        for (const p of a.message.content ?? []) got.text += p.text ?? '', got.reasoning += p.thinking ?? '';
        got.calls = (a.message.toolCalls ?? []).map((c) => [c.id, c.function.name, JSON.parse(c.function.arguments)]);
        finished(got, a.finishReason, words);
        got.usage = usage(a.usage);
        return got;
      },
      async stream(model, s) {
        const got = fresh(), calls = {};
        for await (const e of await client.chatStream(request(model, s), options)) {
          const m = e.delta?.message;
          if (e.type === 'content-delta') got.text += m.content.text ?? '', got.reasoning += m.content.thinking ?? '';
          if (e.type === 'tool-call-start') calls[e.index] = [m.toolCalls.id, m.toolCalls.function.name, m.toolCalls.function.arguments ?? ''];
          if (e.type === 'tool-call-delta') calls[e.index][2] += m.toolCalls.function.arguments ?? '';
          if (e.type === 'message-end') {
            if (e.delta.error) throw new Error(e.delta.error);
            finished(got, e.delta.finishReason, words);
            got.usage = usage(e.delta.usage);
          }
        }
        got.calls = Object.values(calls).map(([id, name, args]) => [id, name, JSON.parse(args)]);
        return got;
      },
      async abort(model, s) {
        const controller = new AbortController();
        const stream = await client.chatStream(request(model, s), { ...options, abortSignal: controller.signal });
        for await (const e of stream) if (e.type === 'content-delta') return controller.abort();
      },
      failure: (e) => e instanceof CohereError && failure(e, e.statusCode, e.message + JSON.stringify(e.body ?? '')),
    };
  },

  async mistral() {
    const { Mistral } = await import('@mistralai/mistralai');
    const { MistralError } = await import('@mistralai/mistralai/models/errors');
    const client = new Mistral({ apiKey: KEY, serverURL: BASE, retryConfig: { strategy: 'none' }, timeoutMs: 20000 });
    const request = (model, s) => {
      const { response_format, ...body } = chatBody(s);
      return { model, ...camel(body),
               ...(response_format && { responseFormat: { type: 'json_schema', jsonSchema: { name: 'city', strict: true, schemaDefinition: S.schema } } }) };
    };
    return {
      whole: async (model, s) => chatWhole(snake(await client.chat.complete(request(model, s)))),
      stream: async (model, s) => chatStream(each(await client.chat.stream(request(model, s)), (e) => snake(e.data))),
      async abort(model, s) {
        const controller = new AbortController();
        const stream = await client.chat.stream(request(model, s), { fetchOptions: { signal: controller.signal } });
        for await (const e of stream) if (e.data.choices[0]?.delta.content) return controller.abort();
      },
      failure: (e) => e instanceof MistralError && failure(e, e.statusCode, e.message + e.body),
    };
  },
};

const [, , name, ...upstreams] = process.argv;
const client = await clients[name]();
for (const upstream of upstreams) {
  for (const [scenario, s] of Object.entries(S.scenarios)) {
    for (const kind of s.hold ? ['abort'] : ['whole', 'stream']) {
      const line = { upstream, case: scenario + (kind === 'abort' ? '' : ' ' + kind) };
      try {
        line.got = (await client[kind](`${upstream}/${S.models[upstream]}`, s)) ?? {};
      } catch (e) {
        if (kind === 'abort' && /abort/i.test(e.name + e.message)) line.got = {};
        else line.error = client.failure(e) || undefined;
        if (!line.error && !line.got) line.broken = `${e.constructor.name}: ${e.message} ${e.cause ?? ''}`;
      }
      console.log(JSON.stringify(line));
    }
  }
}
process.exit(0);
