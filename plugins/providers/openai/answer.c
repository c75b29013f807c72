/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c -- what a client of this dialect gets that no upstream frame carries: text set free by a stage, errors, the
 * list of models; and by write.c the whole answer of an upstream of another dialect.  Host: steps `stream` and `close`,
 * worker process.
 */
#include "router.h"
#include "write.h"

/* ---- a chunk for one event ---- */

/* Which upstream, when and which model is taken from the answer's own frames, so that all chunks of a stream agree. */
static void put_head(struct text *t, const struct openai_local *l, const struct weir_request *r)
{
    text_lit(t, "data: {\"id\":\"");
    if (l->id.len) {
        text_str(t, l->id);
    } else {
        text_lit(t, "chatcmpl-");
        text_json(t, weir_fact(t->c, "request_id"));
    }
    text_lit(t, "\",\"object\":\"");
    text_str(t, r->kind == WEIR_COMPLETION ? WEIR_STR("text_completion") : WEIR_STR("chat.completion.chunk"));
    text_lit(t, "\",\"created\":");
    text_str(t, l->created.len ? l->created : WEIR_STR("0"));
    text_lit(t, ",\"model\":\"");
    if (l->model.len)
        text_str(t, l->model);
    else
        text_json(t, r->model);
    text_lit(t, "\",\"choices\":[");
}

static void put_string(struct text *t, struct weir_str name, struct weir_str value)
{
    text_lit(t, "\"");
    text_str(t, name);
    text_lit(t, "\":\"");
    text_json(t, value);
    text_lit(t, "\"");
}

static void put_text_delta(struct text *t, const struct weir_event *ev)
{
    if (ev->block >= TEXT_CUSTOM) {
        text_lit(t, "\"tool_calls\":[{\"index\":");
        text_int(t, ev->block - TEXT_CUSTOM);
        text_lit(t, ",\"custom\":{");
        put_string(t, WEIR_STR("input"), ev->text);
        text_lit(t, "}}]");
    } else if (ev->block == TEXT_TRANSCRIPT) {
        text_lit(t, "\"audio\":{");
        put_string(t, WEIR_STR("transcript"), ev->text);
        text_lit(t, "}");
    } else {
        put_string(t, ev->block == TEXT_REFUSAL ? WEIR_STR("refusal") : WEIR_STR("content"), ev->text);
    }
}

static void put_arguments_delta(struct text *t, const struct weir_event *ev)
{
    if (ev->block == ARGUMENTS_FUNCTION) {
        text_lit(t, "\"function_call\":{");
    } else {
        text_lit(t, "\"tool_calls\":[{\"index\":");
        text_int(t, ev->block);
        if (ev->tool_id.len) {
            text_lit(t, ",");
            put_string(t, WEIR_STR("id"), ev->tool_id);
            text_lit(t, ",\"type\":\"function\"");
        }
        text_lit(t, ",\"function\":{");
    }
    if (ev->tool_name.len) {
        put_string(t, WEIR_STR("name"), ev->tool_name);
        text_lit(t, ",");
    }
    put_string(t, WEIR_STR("arguments"), ev->text);
    if (ev->block == ARGUMENTS_FUNCTION)
        text_lit(t, "}");
    else
        text_lit(t, "}}]");
}

static void put_delta(struct text *t, const struct weir_event *ev)
{
    text_lit(t, "\"delta\":{");
    if (ev->channel == WEIR_TEXT)
        put_text_delta(t, ev);
    else if (ev->channel == WEIR_ARGUMENTS)
        put_arguments_delta(t, ev);
    else if (ev->channel == WEIR_REASONING)
        put_string(t,
                   ev->block == REASONING_PLAIN || ev->block == REASONING_DETAILS ? WEIR_STR("reasoning")
                                                                                  : WEIR_STR("reasoning_content"),
                   ev->text);
    text_lit(t, "}");
}

static void put_choice(struct text *t, const struct weir_event *ev, const struct weir_request *r)
{
    text_lit(t, "{\"index\":");
    text_int(t, ev->choice);
    text_lit(t, ",");
    if (r->kind == WEIR_COMPLETION)
        put_string(t, WEIR_STR("text"), ev->channel == WEIR_FINISH ? WEIR_STR("") : ev->text);
    else
        put_delta(t, ev);
    text_lit(t, ",\"logprobs\":null,\"finish_reason\":");
    if (ev->channel == WEIR_FINISH) {
        text_lit(t, "\"");
        text_json(t, ev->detail);
        text_lit(t, "\"}");
    } else {
        text_lit(t, "null}");
    }
}

/* Of streams that are no chat only a transcription's text can be held, and they have no mark at their end. */
static bool answer_media(struct weir_ctx *c, const struct weir_request *r, const struct weir_event *ev)
{
    struct text t = {.c = c};

    if (r->kind != WEIR_TRANSCRIPTION || ev->channel != WEIR_TEXT || ev->block)
        return false;
    text_lit(&t, "data: {\"type\":\"transcript.text.delta\",\"delta\":\"");
    text_json(&t, ev->text);
    text_lit(&t, "\"}\n\n");
    weir_out(c, text_view(&t));
    return true;
}

bool openai_answer(struct weir_ctx *c, const struct weir_event *ev)
{
    const struct weir_request *r = weir_request(c);
    struct openai_local *l = c->local;
    struct weir_event plain = *ev;
    struct text t = {.c = c};

    if (ev->channel == WEIR_START)
        return write_start(c, ev);
    if (l->writer)
        return write_event(l->writer, ev);
    if (r->kind >= WEIR_IMAGE)
        return answer_media(c, r, ev);
    plain.block %= BLOCK_AGAIN;
    if (ev->channel == WEIR_DONE_MARK) {
        weir_out(c, WEIR_STR("data: [DONE]\n\n"));
        return true;
    }
    if (ev->channel > WEIR_ARGUMENTS && ev->channel != WEIR_FINISH)
        return false;
    if (ev->channel == WEIR_TEXT && plain.block >= TEXT_STRINGS) /* these never leave their frame */
        return false;
    if (r->kind == WEIR_COMPLETION && ev->channel != WEIR_TEXT && ev->channel != WEIR_FINISH)
        return false;
    put_head(&t, c->local, r);
    put_choice(&t, &plain, r);
    text_lit(&t, "]}\n\n");
    weir_out(c, text_view(&t));
    return true;
}

/* ---- errors ---- */

static struct weir_str error_type(int status, const char *code)
{
    if (strcmp(code, "insufficient_quota") == 0 || status == 402)
        return WEIR_STR("insufficient_quota");
    if (status == 403)
        return WEIR_STR("permission_error");
    if (status == 429)
        return WEIR_STR("rate_limit_error");
    return status < 500 ? WEIR_STR("invalid_request_error") : WEIR_STR("server_error");
}

static void put_nullable(struct text *t, const char *value)
{
    if (!value || !value[0]) {
        text_lit(t, "null");
        return;
    }
    text_lit(t, "\"");
    text_json(t, str_of(value));
    text_lit(t, "\"");
}

void openai_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct text t = {.c = c};

    if (voice_of(c) == VOICE_ROUTER) {
        router_refuse(c, f);
        return;
    }
    if (f->in_stream)
        text_lit(&t, "data: ");
    text_lit(&t, "{\"error\":{\"message\":\"");
    text_json(&t, str_of(f->text));
    text_lit(&t, "\",\"type\":\"");
    text_str(&t, error_type(f->status, f->code ? f->code : ""));
    text_lit(&t, "\",\"param\":");
    put_nullable(&t, f->field);
    text_lit(&t, ",\"code\":");
    put_nullable(&t, f->code);
    text_lit(&t, "}}");
    if (f->in_stream)
        text_lit(&t, "\n\ndata: [DONE]\n\n");
    weir_out(c, text_view(&t));
}

/* ---- models ---- */

static void put_model(struct text *t, const struct weir_model *m)
{
    text_lit(t, "{");
    put_string(t, WEIR_STR("id"), m->id);
    text_lit(t, ",\"object\":\"model\",\"created\":");
    text_int(t, m->created);
    text_lit(t, ",");
    put_string(t, WEIR_STR("owned_by"), m->owner);
    text_lit(t, "}");
}

void openai_list(struct weir_ctx *c, const struct weir_model *models, size_t n, size_t stride)
{
    bool one = weir_request(c)->kind == WEIR_SHOW_MODEL;
    struct text t = {.c = c};

    if (voice_of(c) == VOICE_ROUTER) {
        router_list(c, models, n, stride);
        return;
    }
    if (!one)
        text_lit(&t, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            text_lit(&t, ",");
        put_model(&t, (const struct weir_model *)(const void *)((const char *)models + i * stride));
    }
    if (!one)
        text_lit(&t, "]}");
    weir_out(c, text_view(&t));
}
