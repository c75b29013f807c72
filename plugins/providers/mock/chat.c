/* SPDX-License-Identifier: Apache-2.0 */
/* chat.c -- chat completions and legacy completions, whole and streamed. */
#include "mock.h"

#define CREATED "1750000000"
#define HALF_RECORD                                                                                                    \
    "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"de"
#define MOST_BYTES ((size_t)64 << 20) /* of all texts of one answer */
#define AT_ONCE    65536              /* bytes served before the loop gets its turn */

static const char lorem[] =
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore "
    "magna aliqua. "
    "Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. ";

static int64_t choices(struct weir_ctx *c)
{
    uint32_t n = weir_request(c)->choices;

    return n < 1 ? 1 : n > 128 ? 128 : n;
}

static bool is_legacy(struct weir_ctx *c)
{
    return weir_request(c)->kind == WEIR_COMPLETION;
}

/* ---- what will be said ---- */

static struct speech speech_lorem(const struct script *s)
{
    struct speech all = {{lorem, sizeof lorem - 1}, SIZE_MAX, 0};
    int64_t words = s->words ? s->words : s->chunks ? s->chunks : 50;

    if (s->bytes) {
        all.len = (size_t)s->bytes;
        return all;
    }
    for (size_t at = 0;; at++)
        if (lorem[at % (sizeof lorem - 1)] == ' ' && --words == 0) {
            all.len = at; /* the last word without its space */
            return all;
        }
}

/* The prompt when it is a JSON object, else an object that holds it. */
static struct weir_str tool_arguments(struct weir_ctx *c, struct weir_str prompt)
{
    struct weir_error error;
    const struct weir_json *j = prompt.len ? weir_skim(c, prompt, &error) : NULL;
    struct text t = {.c = c};

    if (j && weir_json_is(j, 0, WEIR_JSON_OBJECT))
        return prompt;
    text_lit(&t, "{\"text\":\"");
    text_json(&t, prompt);
    text_lit(&t, "\"}");
    return text_view(&t);
}

static struct weir_str tool_name(struct weir_ctx *c)
{
    const struct weir_json *j = weir_body(c);
    uint32_t tools = weir_json_get(j, 0, "tools"), first, name;

    if (!weir_json_is(j, tools, WEIR_JSON_ARRAY) || (first = weir_json_first(j, tools)) == WEIR_NO_NODE)
        return WEIR_STR("mock_tool");
    name = weir_json_get(j, weir_json_get(j, first, "function"), "name");
    return weir_json_is(j, name, WEIR_JSON_STRING) ? weir_unescape(c, weir_json_text(j, name)) : WEIR_STR("mock_tool");
}

static void limit(struct mock *m, int64_t tokens)
{
    if (tokens <= 0 || speech_tokens(&m->say) <= tokens)
        return;
    m->say.len = (size_t)tokens * 4;
    while (m->say.len && ((unsigned char)m->say.base.ptr[m->say.len % m->say.base.len] & 0xc0) == 0x80)
        m->say.len--;
    m->cut = true;
}

void chat_prepare(struct weir_ctx *c, struct weir_str prompt, bool after_tool)
{
    struct mock *m = c->local;
    struct text t = {.c = c};

    m->calls = m->s.name == MOCK_TOOLS && !after_tool && !is_legacy(c);
    if (m->calls) {
        m->tool = tool_name(c);
        m->args.base = tool_arguments(c, prompt);
        m->args.len = m->args.base.len;
        return;
    }
    m->say =
        m->s.name == MOCK_LOREM ? speech_lorem(&m->s) : (struct speech){prompt, prompt.len * (size_t)m->s.repeat, 0};
    if (m->say.len > MOST_BYTES / (size_t)choices(c))
        m->say.len = MOST_BYTES / (size_t)choices(c);
    limit(m, weir_request(c)->max_output);
    if (m->s.name == MOCK_REASONING && !is_legacy(c)) {
        text_lit(&t, "The user wrote: ");
        text_str(&t, prompt);
        m->think = (struct speech){text_view(&t), t.len, 0};
    }
}

static struct weir_str finish_reason(struct weir_ctx *c)
{
    const struct mock *m = c->local;

    if (m->s.finish.len)
        return m->s.finish;
    return m->calls ? WEIR_STR("tool_calls") : m->cut ? WEIR_STR("length") : WEIR_STR("stop");
}

/* ---- usage: four bytes are a token ---- */

void chat_usage(struct weir_ctx *c, struct text *t)
{
    const struct mock *m = c->local;
    int64_t prompt = (m->prompt_bytes + 3) / 4, thought = speech_tokens(&m->think);
    int64_t each = thought + speech_tokens(&m->say) + (m->calls ? m->s.calls * speech_tokens(&m->args) : 0);
    int64_t reasoning = m->s.reasoning ? m->s.reasoning : thought * choices(c);
    int64_t completion = each * choices(c) + (m->s.reasoning ? m->s.reasoning : 0);

    text_lit(t, "{\"prompt_tokens\":");
    text_int(t, prompt);
    text_lit(t, ",\"completion_tokens\":");
    text_int(t, completion);
    text_lit(t, ",\"total_tokens\":");
    text_int(t, prompt + completion);
    text_lit(t, ",\"prompt_tokens_details\":{\"cached_tokens\":");
    text_int(t, m->s.cached < prompt ? m->s.cached : prompt);
    text_lit(t, "},\"completion_tokens_details\":{\"reasoning_tokens\":");
    text_int(t, reasoning);
    text_lit(t, "}}");
}

/* ---- pieces of JSON that both forms share ---- */

static void put_head(struct weir_ctx *c, struct text *t, bool stream)
{
    struct mock *m = c->local;

    text_str(t, is_legacy(c) ? WEIR_STR("{\"id\":\"cmpl-mock\",\"object\":\"text_completion")
                             : WEIR_STR("{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion"));
    if (stream && !is_legacy(c))
        text_lit(t, ".chunk");
    text_lit(t, "\",\"created\":" CREATED ",\"model\":\"");
    text_json(t, m->model);
    text_lit(t, "\",\"choices\":[");
}

static void put_call(struct text *t, const struct mock *m, int64_t i, bool stream)
{
    text_lit(t, "{");
    if (stream) {
        text_lit(t, "\"index\":");
        text_int(t, i);
        text_lit(t, ",");
    }
    text_lit(t, "\"id\":\"call_mock_");
    text_int(t, i);
    text_lit(t, "\",\"type\":\"function\",\"function\":{\"name\":\"");
    text_json(t, m->tool);
    text_lit(t, "\",\"arguments\":\"");
}

static void put_index(struct text *t, int64_t i)
{
    text_str(t, i ? WEIR_STR(",{\"index\":") : WEIR_STR("{\"index\":"));
    text_int(t, i);
}

/* ---- whole ---- */

static void put_message(struct mock *m, struct text *t)
{
    text_lit(t, ",\"message\":{\"role\":\"assistant\",\"content\":");
    if (m->calls) {
        text_lit(t, "null,\"tool_calls\":[");
        for (int64_t i = 0; i < m->s.calls; i++) {
            if (i)
                text_lit(t, ",");
            put_call(t, m, i, false);
            m->args.at = 0;
            speech_all(&m->args, t);
            text_lit(t, "\"}}");
        }
        text_lit(t, "],\"refusal\":null}");
        return;
    }
    text_lit(t, "\"");
    m->say.at = m->think.at = 0;
    speech_all(&m->say, t);
    text_lit(t, "\"");
    if (m->think.len) {
        text_lit(t, ",\"reasoning_content\":\"");
        speech_all(&m->think, t);
        text_lit(t, "\"");
    }
    text_lit(t, ",\"refusal\":null}");
}

void chat_whole(struct weir_ctx *c)
{
    struct mock *m = c->local;
    struct text *t = &m->record;

    put_head(c, t, false);
    for (int64_t i = 0; i < choices(c); i++) {
        put_index(t, i);
        if (is_legacy(c)) {
            text_lit(t, ",\"text\":\"");
            m->say.at = 0;
            speech_all(&m->say, t);
            text_lit(t, "\"");
        } else {
            put_message(m, t);
        }
        text_lit(t, ",\"logprobs\":null,\"finish_reason\":");
        if (m->s.fault == FAULT_nofinish) {
            text_lit(t, "null}");
            continue;
        }
        text_lit(t, "\"");
        text_json(t, finish_reason(c));
        text_lit(t, "\"}");
    }
    text_lit(t, "],\"usage\":");
    chat_usage(c, t);
    text_lit(t, "}");
}

/* ---- streamed ---- */

/* One record of the same delta for every choice would be shorter, but OpenAI sends one for each. */
static void put_record(struct weir_ctx *c, int64_t choice, struct weir_str delta, struct weir_str finish)
{
    struct mock *m = c->local;
    struct text *t = &m->record;

    t->len = 0;
    text_lit(t, "data: ");
    put_head(c, t, true);
    text_lit(t, "{\"index\":");
    text_int(t, choice);
    text_lit(t, ",");
    text_str(t, delta);
    text_lit(t, ",\"logprobs\":null,\"finish_reason\":");
    if (finish.len) {
        text_lit(t, "\"");
        text_json(t, finish);
        text_lit(t, "\"}");
    } else {
        text_lit(t, "null}");
    }
    text_str(t, weir_request(c)->usage_asked ? WEIR_STR("],\"usage\":null}\n\n") : WEIR_STR("]}\n\n"));
    wire_chunk(m, text_view(t));
}

static void put_delta(struct weir_ctx *c, const char *field, struct speech *s, struct text *delta)
{
    struct mock *m = c->local;

    delta->len = 0;
    if (!is_legacy(c))
        text_lit(delta, "\"delta\":{");
    text_lit(delta, "\"");
    text_str(delta, is_legacy(c) ? WEIR_STR("text") : str_of(field));
    text_lit(delta, "\":\"");
    speech_next(&m->s, s, delta);
    text_str(delta, is_legacy(c) ? WEIR_STR("\"") : WEIR_STR("\"}"));
}

/* A call begins with its name; then come pieces of its arguments. */
static void put_call_delta(struct mock *m, struct text *delta)
{
    delta->len = 0;
    text_lit(delta, "\"delta\":{\"tool_calls\":[");
    if (m->args.at == 0) {
        put_call(delta, m, m->call, true);
    } else {
        text_lit(delta, "{\"index\":");
        text_int(delta, m->call);
        text_lit(delta, ",\"function\":{\"arguments\":\"");
    }
    speech_next(&m->s, &m->args, delta);
    text_lit(delta, "\"}}]}");
    if (speech_ended(&m->args) && ++m->call < m->s.calls)
        m->args.at = 0;
}

/* The next thing to say, for all choices.  true: it was a piece, and the pause between pieces follows. */
static bool stream_step(struct weir_ctx *c, struct text *delta)
{
    struct mock *m = c->local;
    struct weir_str finish = WEIR_STR("");
    bool piece = false;

    delta->len = 0;
    if (m->phase == PHASE_REASON && (piece = !speech_ended(&m->think)))
        put_delta(c, "reasoning_content", &m->think, delta);
    else if (m->phase == PHASE_CALLS && (piece = m->calls && m->call < m->s.calls))
        put_call_delta(m, delta);
    else if (m->phase == PHASE_TEXT && (piece = !speech_ended(&m->say)))
        put_delta(c, "content", &m->say, delta);
    else if (m->phase == PHASE_ROLE && !is_legacy(c))
        text_lit(delta, "\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
    else if (m->phase == PHASE_FINISH) {
        text_str(delta, is_legacy(c) ? WEIR_STR("\"text\":\"\"") : WEIR_STR("\"delta\":{}"));
        finish = finish_reason(c);
    }
    for (int64_t i = 0; delta->len && i < choices(c); i++)
        put_record(c, i, text_view(delta), finish);
    m->pieces += piece;
    if (!piece)
        m->phase++;
    return piece;
}

static void stream_usage(struct weir_ctx *c)
{
    struct mock *m = c->local;
    struct text *t = &m->record;

    m->phase = PHASE_DONE;
    if (!weir_request(c)->usage_asked)
        return;
    t->len = 0;
    text_lit(t, "data: ");
    put_head(c, t, true);
    text_lit(t, "],\"usage\":");
    chat_usage(c, t);
    text_lit(t, "}\n\n");
    wire_chunk(m, text_view(t));
}

static void stream_end(struct mock *m)
{
    text_lit(&m->out, "0\r\n\r\n");
    m->phase = PHASE_END;
}

/* What goes wrong in the middle.  true: the stream is over, well or not. */
static bool stream_fault(struct weir_ctx *c)
{
    struct mock *m = c->local;

    if (m->s.fault == FAULT_none || m->phase > PHASE_FINISH || (m->phase < PHASE_FINISH && m->pieces < m->s.at))
        return false;
    switch (m->s.fault) {
    case FAULT_cut:
        text_lit(&m->out, "ffff\r\n");
        text_lit(&m->out, HALF_RECORD);
        m->phase = PHASE_END;
        return true;
    case FAULT_half:
        wire_chunk(m, WEIR_STR(HALF_RECORD));
        stream_end(m);
        return true;
    case FAULT_nofinish:
        stream_end(m);
        return true;
    case FAULT_chunk:
        text_lit(&m->out, "10zz\r\ndata: {}\n\n\r\n");
        m->phase = PHASE_END;
        return true;
    case FAULT_error:
        wire_chunk(
            m,
            WEIR_STR(
                "data: {\"error\":{\"message\":\"mock: error in the stream\",\"type\":\"server_error\",\"param\":null,"
                "\"code\":\"mock_error\"}}\n\n"));
        stream_end(m);
        return true;
    case FAULT_json:
        wire_chunk(m, WEIR_STR("data: {\"id\":\"chatcmpl-mock\",\"choices\":[{]}\n\n"));
        m->s.fault = FAULT_none; /* once; then it goes on */
        return false;
    default:
        return false;
    }
}

static bool stream_hangs(const struct mock *m)
{
    return m->s.fault == FAULT_hang && (m->pieces >= m->s.at || m->phase >= PHASE_FINISH);
}

/* Goes on until a pause, the end, or enough bytes for one turn of the loop. */
void chat_stream(struct weir_ctx *c)
{
    struct mock *m = c->local;
    struct text delta = {.c = c};

    while (m->phase < PHASE_END && m->out.len < AT_ONCE) {
        if (stream_hangs(m)) {
            wire_flush(c, false);
            return;
        }
        if (stream_fault(c))
            break;
        if (m->phase == PHASE_USAGE) {
            stream_usage(c);
        } else if (m->phase == PHASE_DONE) {
            if (m->s.fault != FAULT_nodone)
                wire_chunk(m, WEIR_STR("data: [DONE]\n\n"));
            stream_end(m);
        } else if (stream_step(c, &delta) && m->s.chunk) {
            break;
        }
    }
    wire_flush(c, m->phase == PHASE_END);
    if (m->phase != PHASE_END)
        weir_after(c, (uint32_t)m->s.chunk, chat_stream);
}
