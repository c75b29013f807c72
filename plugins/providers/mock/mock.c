/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock.c -- a provider without a network: answers like OpenAI's API, as the model's name or the prompt tells it to
 * (docs/mock.md).  For demonstrations, tests and benchmarks.  The host calls `serve` in place of an upstream, in
 * workers.
 */
#include "mock.h"

/* What the user said last, whether a tool has answered since, and how much there is in all. */
static struct weir_str prompt_find(struct weir_ctx *c, bool *after_tool)
{
    struct mock *m = c->local;
    struct weir_str last = WEIR_STR(""), result = WEIR_STR("");
    size_t n;
    const struct weir_span *spans = weir_spans(c, &n);

    *after_tool = false;
    for (size_t i = 0; i < n; i++) {
        const struct weir_span *s = weir_at(spans, c->host->span_size, i);
        m->prompt_bytes += (int64_t)s->text.len;
        if (s->where == WEIR_USER) {
            last = s->text;
            *after_tool = false;
        } else if (s->where == WEIR_TOOL_RESULT) {
            result = s->text;
            *after_tool = true;
        }
    }
    return *after_tool ? result : last;
}

static const char *status_code(int64_t status)
{
    static const struct {
        int64_t status;
        const char *code;
    } codes[] = {
        {400, "invalid_value"},   {401, "invalid_api_key"},     {402, "insufficient_quota"}, {403, "permission_denied"},
        {404, "model_not_found"}, {429, "rate_limit_exceeded"}, {503, "overloaded"},
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].status == status)
            return codes[i].code;
    return "mock_status";
}

static void begin_stream(struct weir_ctx *c)
{
    struct mock *m = c->local;

    wire_head(m, 200, "text/event-stream; charset=utf-8", -1);
    chat_stream(c);
}

static void begin_whole(struct weir_ctx *c)
{
    struct mock *m = c->local;

    switch (weir_request(c)->kind) {
    case WEIR_EMBEDDING:
        vectors_embed(c);
        break;
    case WEIR_RERANK:
        rerank_all(c);
        break;
    case WEIR_MODERATION:
        vectors_moderate(c);
        break;
    default:
        chat_whole(c);
    }
    if (m->s.fault == FAULT_error)
        wire_error(m, 200, "mock_error", "mock: error in the answer");
    else
        wire_body(m, 200);
    wire_flush(c, m->s.fault != FAULT_hang);
}

/* The time before the first byte is over. */
static void begin(struct weir_ctx *c)
{
    struct mock *m = c->local;
    bool badly = m->s.fault == FAULT_head || m->s.fault == FAULT_type;

    if (m->s.fault == FAULT_drop) {
        wire_flush(c, true);
    } else if (m->s.status) {
        wire_error(m, (int)m->s.status, status_code(m->s.status), "mock: the status that was asked for");
        wire_flush(c, true);
    } else if (weir_request(c)->stream && !badly) {
        begin_stream(c);
    } else {
        begin_whole(c);
    }
}

static void mock_serve(struct weir_ctx *c, const struct weir_candidate *to)
{
    struct mock *m = c->local;
    struct weir_error why = {{0}, {0}, {0}};
    struct weir_str prompt;
    bool after_tool;

    *m = (struct mock){.out.c = c, .record.c = c};
    m->model = text_keep(c, to->model);
    prompt = prompt_find(c, &after_tool);
    if (!script_read(&m->s, m->model, &prompt, &why)) {
        m->s.fault = FAULT_none;
        wire_error(m, strcmp(why.code, "model_not_found") == 0 ? 404 : 400, why.code, why.text);
        wire_flush(c, true);
        return;
    }
    chat_prepare(c, prompt, after_tool);
    if (m->s.first)
        weir_after(c, (uint32_t)m->s.first, begin);
    else
        begin(c);
}

WEIR_PLUGIN(.name = "mock", .version = "1.0",
            .summary =
                "answers without a network: echo, lorem, tools, reasoning, embeddings, errors and faults on request",
            .local_size = sizeof(struct mock), .dialect = "openai", .serve = mock_serve, );
