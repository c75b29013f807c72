/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c -- blocks as a client of this dialect gets them: records of a stream, or one body that is written at the
 * end.  Called by answer.c, which decides what is open when.
 */
#include "anthropic.h"

static struct anthropic_write *writer(struct weir_ctx *c)
{
    return &((struct anthropic_local *)c->local)->write;
}

static void record_begin(struct emit *m, const char *type)
{
    text_lit(&m->t, "event: ");
    text_str(&m->t, str_of(type));
    text_lit(&m->t, "\ndata: ");
    emit_open(m, '{');
    emit_member_text(m, "type", str_of(type));
}

static void record_end(struct weir_ctx *c, struct emit *m)
{
    emit_close(m, '}');
    text_lit(&m->t, "\n\n");
    weir_out(c, text_view(&m->t));
}

static int64_t known(int64_t n)
{
    return n < 0 ? 0 : n;
}

/* ---- begin and end ---- */

/* Anthropic counts thinking as output, and input without what the cache knew. */
static void put_usage(struct weir_ctx *c, struct emit *m, bool start)
{
    const struct anthropic_write *w = writer(c);
    const struct weir_usage *u = &w->usage;
    int64_t output = known(u->output) + known(u->reasoning) + known(u->audio_out);

    emit_key(m, "usage");
    emit_open(m, '{');
    emit_key(m, "input_tokens");
    emit_int(m, u->input < 0 ? w->estimate : u->input + known(u->audio_in));
    emit_key(m, "cache_creation_input_tokens");
    emit_int(m, known(u->cache_write));
    emit_key(m, "cache_read_input_tokens");
    emit_int(m, known(u->cache_read));
    emit_key(m, "output_tokens");
    emit_int(m, start ? 1 : u->output < 0 ? (w->said + 3) / 4 : output);
    if (!start && u->reasoning >= 0) {
        emit_key(m, "output_tokens_details");
        emit_open(m, '{');
        emit_key(m, "thinking_tokens");
        emit_int(m, u->reasoning);
        emit_close(m, '}');
    }
    emit_close(m, '}');
}

static void put_head(struct weir_ctx *c, struct emit *m)
{
    const struct anthropic_write *w = writer(c);

    emit_member_text(m, "id", w->id);
    emit_member_lit(m, "type", "message");
    emit_member_lit(m, "role", "assistant");
    emit_member_text(m, "model", w->model);
}

void write_start(struct weir_ctx *c)
{
    struct emit m = {.t.c = c};

    if (!writer(c)->stream)
        return;
    record_begin(&m, "message_start");
    emit_key(&m, "message");
    emit_open(&m, '{');
    put_head(c, &m);
    emit_raw(&m, WEIR_STR("\"content\":[],\"stop_reason\":null,\"stop_sequence\":null"));
    put_usage(c, &m, true);
    emit_close(&m, '}');
    record_end(c, &m);
}

/* Clients of before the newer API know no context window as a reason. */
static struct weir_str reason_of(struct weir_ctx *c)
{
    const struct anthropic_write *w = writer(c);
    struct weir_str version = weir_fact(c, "header.anthropic-version");
    bool old = !version.len || str_is(version, ANTHROPIC_VERSION);

    switch (w->finish) {
    case WEIR_FINISH_STOP_SEQUENCE:
        return w->stop.len ? WEIR_STR("stop_sequence") : WEIR_STR("end_turn");
    case WEIR_FINISH_LENGTH:
        return WEIR_STR("max_tokens");
    case WEIR_FINISH_CONTEXT:
        return old ? WEIR_STR("max_tokens") : WEIR_STR("model_context_window_exceeded");
    case WEIR_FINISH_FILTERED:
        return WEIR_STR("refusal");
    case WEIR_FINISH_PAUSED:
        return WEIR_STR("pause_turn");
    case WEIR_FINISH_UNKNOWN:
    case WEIR_FINISH_STOP:
    case WEIR_FINISH_TOOL_CALLS:
    case WEIR_FINISH_FAILED:
        break;
    }
    return w->calls ? WEIR_STR("tool_use") : WEIR_STR("end_turn"); /* what was said beats what it was called */
}

static void put_reason(struct weir_ctx *c, struct emit *m)
{
    const struct anthropic_write *w = writer(c);
    struct weir_str reason = reason_of(c);

    emit_member_text(m, "stop_reason", reason);
    if (str_is(reason, "stop_sequence"))
        emit_member_text(m, "stop_sequence", w->stop);
    else
        emit_raw(m, WEIR_STR("\"stop_sequence\":null"));
}

void write_end(struct weir_ctx *c)
{
    const struct anthropic_write *w = writer(c);
    struct emit m = {.t.c = c};

    if (!w->stream) {
        emit_open(&m, '{');
        put_head(c, &m);
        emit_key(&m, "content");
        emit_open(&m, '[');
        emit_raw(&m, text_view(&w->content.t));
        emit_close(&m, ']');
        put_reason(c, &m);
        put_usage(c, &m, false);
        emit_close(&m, '}');
        weir_out(c, text_view(&m.t));
        return;
    }
    record_begin(&m, "message_delta");
    emit_key(&m, "delta");
    emit_open(&m, '{');
    put_reason(c, &m);
    emit_close(&m, '}');
    put_usage(c, &m, false);
    record_end(c, &m);
    m = (struct emit){.t.c = c};
    record_begin(&m, "message_stop");
    record_end(c, &m);
}

/* ---- blocks ---- */

static void put_block(struct emit *m, const struct anthropic_part *p)
{
    emit_open(m, '{');
    switch (p->channel) {
    case WEIR_REASONING:
        emit_member_lit(m, "type", "thinking");
        emit_raw(m, WEIR_STR("\"thinking\":\"\",\"signature\":\"\""));
        break;
    case WEIR_ARGUMENTS:
        emit_member_lit(m, "type", "tool_use");
        emit_member_text(m, "id", p->id);
        emit_member_text(m, "name", p->name);
        emit_raw(m, WEIR_STR("\"input\":{}"));
        break;
    case WEIR_OPAQUE:
        emit_member_lit(m, "type", "redacted_thinking");
        emit_member_text(m, "data", p->signature);
        break;
    default:
        emit_member_lit(m, "type", "text");
        emit_raw(m, WEIR_STR("\"text\":\"\""));
    }
    emit_close(m, '}');
}

/* The same in a body, as far as it is known: text goes on from there. */
static void body_open(struct emit *m, const struct anthropic_part *p)
{
    emit_open(m, '{');
    switch (p->channel) {
    case WEIR_REASONING:
        emit_member_lit(m, "type", "thinking");
        text_lit(&m->t, ",\"thinking\":\"");
        break;
    case WEIR_ARGUMENTS:
        emit_member_lit(m, "type", "tool_use");
        emit_member_text(m, "id", p->id);
        emit_member_text(m, "name", p->name);
        break;
    case WEIR_OPAQUE:
        emit_member_lit(m, "type", "redacted_thinking");
        emit_member_text(m, "data", p->signature);
        break;
    default:
        emit_member_lit(m, "type", "text");
        text_lit(&m->t, ",\"text\":\"");
    }
}

void write_open(struct weir_ctx *c, struct anthropic_part *p)
{
    struct anthropic_write *w = writer(c);
    struct emit m = {.t.c = c};

    w->open = p;
    w->calls += p->channel == WEIR_ARGUMENTS;
    w->input.len = 0;
    if (!w->stream) {
        body_open(&w->content, p);
    } else {
        record_begin(&m, "content_block_start");
        emit_key(&m, "index");
        emit_int(&m, w->index);
        emit_key(&m, "content_block");
        put_block(&m, p);
        record_end(c, &m);
    }
    if (p->custom)
        write_piece(c, p, WEIR_STR("{\"input\":\""));
}

static void put_delta(struct weir_ctx *c, const char *type, const char *key, struct weir_str text)
{
    struct emit m = {.t.c = c};

    record_begin(&m, "content_block_delta");
    emit_key(&m, "index");
    emit_int(&m, writer(c)->index);
    emit_key(&m, "delta");
    emit_open(&m, '{');
    emit_member_text(&m, "type", str_of(type));
    emit_member_text(&m, key, text);
    emit_close(&m, '}');
    record_end(c, &m);
}

void write_piece(struct weir_ctx *c, struct anthropic_part *p, struct weir_str text)
{
    struct anthropic_write *w = writer(c);
    bool call = p->channel == WEIR_ARGUMENTS;

    if (!text.len)
        return;
    w->said += (int64_t)text.len;
    if (!w->stream && call)
        text_str(&w->input, text);
    else if (!w->stream)
        text_json(&w->content.t, text);
    else if (call)
        put_delta(c, "input_json_delta", "partial_json", text);
    else if (p->channel == WEIR_REASONING)
        put_delta(c, "thinking_delta", "thinking", text);
    else
        put_delta(c, "text_delta", "text", text);
}

/* A body has the input as an object. */
static bool close_call(struct weir_ctx *c)
{
    struct anthropic_write *w = writer(c);
    struct weir_str input = w->input.len ? text_view(&w->input) : WEIR_STR("{}");
    struct weir_error none = {{0}, {0}, {0}};
    const struct weir_json *j = weir_skim(c, input, &none);

    if (!j || !weir_json_is(j, 0, WEIR_JSON_OBJECT))
        return false;
    emit_key(&w->content, "input");
    emit_raw(&w->content, weir_json_text(j, 0));
    return true;
}

bool write_close(struct weir_ctx *c)
{
    struct anthropic_write *w = writer(c);
    const struct anthropic_part *p = w->open;
    struct emit m = {.t.c = c};
    bool ok = true;

    if (p->custom)
        write_piece(c, w->open, WEIR_STR("\"}"));
    w->open = NULL;
    /* Every thinking has a signature: one without comes back with our mark, and no vendor is asked to believe it. */
    if (p->channel == WEIR_REASONING && w->stream)
        put_delta(c, "signature_delta", "signature", p->signature.len ? p->signature : WEIR_STR("weir:none:"));
    if (w->stream) {
        record_begin(&m, "content_block_stop");
        emit_key(&m, "index");
        emit_int(&m, w->index++);
        record_end(c, &m);
        return true;
    }
    w->index++;
    if (p->channel == WEIR_ARGUMENTS)
        ok = close_call(c);
    else if (p->channel != WEIR_OPAQUE)
        text_lit(&w->content.t, "\"");
    if (p->channel == WEIR_REASONING)
        emit_member_text(&w->content, "signature", p->signature.len ? p->signature : WEIR_STR("weir:none:"));
    emit_close(&w->content, '}');
    return ok;
}
