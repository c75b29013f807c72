/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c -- events -> the records of a stream that a client of Cohere's API reads; and errors.  Host: steps `stream`
 * and `close`, worker process.
 *
 * A message has its blocks one after the other, but events of several may take turns: the first block that is open is
 * written as it comes, later ones wait.  The end waits for the last word on usage.  Of one body write_body.c makes all.
 */
#include "write.h"

/* ---- records ---- */

static void record_open(struct weir_ctx *c, struct emit *m, const char *type, int64_t index)
{
    *m = (struct emit){.t.c = c};
    text_lit(&m->t, "event: ");
    text_str(&m->t, str_of(type));
    text_lit(&m->t, "\ndata: ");
    emit_open(m, '{');
    emit_member_text(m, "type", str_of(type));
    if (index < 0)
        return;
    emit_key(m, "index");
    emit_int(m, index);
}

static void record_close(struct weir_ctx *c, struct emit *m)
{
    emit_close(m, '}');
    text_lit(&m->t, "\n\n");
    weir_out(c, text_view(&m->t));
}

/* "delta":{"message":{ */
static void message_open(struct emit *m)
{
    emit_key(m, "delta");
    emit_open(m, '{');
    emit_key(m, "message");
    emit_open(m, '{');
}

static void message_close(struct emit *m)
{
    emit_close(m, '}');
    emit_close(m, '}');
}

static void write_content_start(struct weir_ctx *c, uint32_t index, enum weir_channel channel)
{
    struct emit m;

    record_open(c, &m, "content-start", index);
    message_open(&m);
    emit_key(&m, "content");
    emit_open(&m, '{');
    emit_member_text(&m, "type", write_content_type(channel));
    emit_member_lit(&m, channel == WEIR_REASONING ? "thinking" : "text", "");
    emit_close(&m, '}');
    message_close(&m);
    record_close(c, &m);
}

static void write_content(struct weir_ctx *c, uint32_t index, enum weir_channel channel, struct weir_str text)
{
    struct emit m;

    record_open(c, &m, "content-delta", index);
    message_open(&m);
    emit_key(&m, "content");
    emit_open(&m, '{');
    emit_member_text(&m, channel == WEIR_REASONING ? "thinking" : "text", text);
    emit_close(&m, '}');
    message_close(&m);
    record_close(c, &m);
}

static void write_call_start(struct weir_ctx *c, const struct cohere_block *b)
{
    struct emit m;

    record_open(c, &m, "tool-call-start", b->index);
    message_open(&m);
    emit_key(&m, "tool_calls");
    write_call(&m, b, WEIR_STR(""));
    message_close(&m);
    record_close(c, &m);
}

static void write_arguments(struct weir_ctx *c, uint32_t index, struct weir_str text)
{
    struct emit m;

    record_open(c, &m, "tool-call-delta", index);
    message_open(&m);
    emit_key(&m, "tool_calls");
    emit_open(&m, '{');
    emit_key(&m, "function");
    emit_open(&m, '{');
    emit_member_text(&m, "arguments", text);
    emit_close(&m, '}');
    emit_close(&m, '}');
    message_close(&m);
    record_close(c, &m);
}

static void write_plan(struct weir_ctx *c, struct weir_str text)
{
    struct emit m;

    record_open(c, &m, "tool-plan-delta", -1);
    message_open(&m);
    emit_member_text(&m, "tool_plan", text);
    message_close(&m);
    record_close(c, &m);
}

static void write_block_end(struct weir_ctx *c, const struct cohere_block *b)
{
    struct emit m;

    record_open(c, &m, b->channel == WEIR_ARGUMENTS ? "tool-call-end" : "content-end", b->index);
    record_close(c, &m);
}

/* ---- blocks ---- */

static void write_piece(struct weir_ctx *c, const struct cohere_block *b, struct weir_str text)
{
    if (b->channel == WEIR_ARGUMENTS)
        write_arguments(c, b->index, text);
    else
        write_content(c, b->index, b->channel, text);
}

/* Writes what may be written; `close`: nothing more comes. */
static void write_blocks(struct weir_ctx *c, bool close)
{
    struct cohere_local *l = c->local;

    for (; l->at < l->block_count; l->at++) {
        struct cohere_block *b = &l->blocks[l->at];
        bool ends = b->ended || close;
        if (!b->started && b->channel == WEIR_ARGUMENTS)
            write_call_start(c, b);
        else if (!b->started)
            write_content_start(c, b->index, b->channel);
        b->started = true;
        if (b->text.len)
            write_piece(c, b, text_view(&b->text));
        else if (ends && !b->said && b->channel == WEIR_ARGUMENTS) /* who parses them wants an object */
            write_piece(c, b, WEIR_STR("{}"));
        b->text.len = 0;
        if (!ends)
            return;
        write_block_end(c, b);
    }
}

/* The newest block of these events. */
static struct cohere_block *block_find(struct cohere_local *l, const struct weir_event *ev)
{
    for (uint32_t i = l->block_count; i-- > 0;)
        if (l->blocks[i].channel == ev->channel && l->blocks[i].block == ev->block)
            return &l->blocks[i];
    return NULL;
}

static struct cohere_block *block_new(struct weir_ctx *c, const struct weir_event *ev)
{
    struct cohere_local *l = c->local;
    struct cohere_block *b;

    if (l->block_count == COHERE_BLOCKS)
        return NULL;
    l->blocks = cohere_more(c, l->blocks, l->block_count, &l->block_cap, sizeof *l->blocks);
    b = &l->blocks[l->block_count++];
    *b = (struct cohere_block){.channel = ev->channel, .block = ev->block, .text.c = c};
    b->index = ev->channel == WEIR_ARGUMENTS ? l->calls++ : l->contents++;
    return b;
}

static bool take_piece(struct weir_ctx *c, const struct weir_event *ev)
{
    struct cohere_block *b = block_find(c->local, ev);

    if (!b || b->ended) {
        if (!ev->text.len && ev->channel != WEIR_ARGUMENTS) /* a text of nothing is no block */
            return true;
        b = block_new(c, ev);
    }
    if (!b)
        return false;
    if (ev->tool_id.len)
        b->id = text_keep(c, ev->tool_id);
    if (ev->tool_name.len)
        b->name = text_keep(c, ev->tool_name);
    text_str(&b->text, ev->text);
    b->said |= ev->text.len > 0;
    b->ended = ev->last;
    return true;
}

/* ---- start, counts, end ---- */

static void take_start(struct weir_ctx *c, const struct weir_event *ev)
{
    struct cohere_local *l = c->local;
    struct emit m = {.t.c = c};

    *l = (struct cohere_local){.started = true, .usage = {-1, -1, -1, -1, -1, -1, -1}};
    l->id = text_keep(c, ev->detail.len ? ev->detail : weir_fact(c, "request_id"));
    if (!weir_request(c)->stream)
        return;
    text_lit(&m.t, "event: message-start\ndata: ");
    emit_open(&m, '{');
    emit_member_text(&m, "id", l->id);
    emit_member_lit(&m, "type", "message-start");
    message_open(&m);
    emit_member_lit(&m, "role", "assistant");
    emit_key(&m, "content");
    emit_raw(&m, WEIR_STR("[]"));
    emit_member_lit(&m, "tool_plan", "");
    emit_key(&m, "tool_calls");
    emit_raw(&m, WEIR_STR("[]"));
    emit_key(&m, "citations");
    emit_raw(&m, WEIR_STR("[]"));
    message_close(&m);
    record_close(c, &m);
}

static void take_count(int64_t *to, int64_t n)
{
    if (n >= 0)
        *to = n;
}

static void take_usage(struct weir_usage *to, const struct weir_usage *u)
{
    take_count(&to->input, u->input);
    take_count(&to->cache_read, u->cache_read);
    take_count(&to->cache_write, u->cache_write);
    take_count(&to->output, u->output);
    take_count(&to->reasoning, u->reasoning);
    take_count(&to->audio_in, u->audio_in);
    take_count(&to->audio_out, u->audio_out);
}

static bool take_item(struct weir_ctx *c, const struct weir_event *ev)
{
    struct cohere_local *l = c->local;

    if (l->item_count == COHERE_ITEMS)
        return false;
    l->items = cohere_more(c, l->items, l->item_count, &l->item_cap, sizeof *l->items);
    l->items[l->item_count++] = (struct cohere_item){ev->choice, text_keep(c, ev->text)};
    return true;
}

static void write_end(struct weir_ctx *c)
{
    const struct cohere_local *l = c->local;
    struct emit m;

    write_blocks(c, true);
    record_open(c, &m, "message-end", -1);
    emit_key(&m, "delta");
    emit_open(&m, '{');
    emit_member_text(&m, "finish_reason", write_finish(l));
    write_usage(&m, &l->usage);
    emit_close(&m, '}');
    record_close(c, &m);
}

static bool take_done(struct weir_ctx *c)
{
    const struct weir_request *r = weir_request(c);

    if (r->kind == WEIR_EMBEDDING)
        write_vectors(c);
    else if (r->kind == WEIR_RERANK)
        write_scores(c);
    else if (r->stream)
        write_end(c);
    else
        write_chat(c);
    return true;
}

/* ---- events ---- */

/* The upstream speaks Cohere's dialect too: its frames go through, and only text that a stage held comes here. */
static bool answer_same(struct weir_ctx *c, const struct weir_event *ev)
{
    if (ev->channel == WEIR_DONE_MARK)
        return true;
    if (ev->channel > WEIR_ARGUMENTS)
        return false;
    if (!ev->text.len)
        return true;
    if (ev->channel == WEIR_ARGUMENTS)
        write_arguments(c, ev->block, ev->text);
    else if (ev->channel == WEIR_TEXT && ev->block >= BLOCK_PLAN)
        write_plan(c, ev->text);
    else
        write_content(c, ev->block, ev->channel, ev->text);
    return true;
}

bool cohere_answer(struct weir_ctx *c, const struct weir_event *ev)
{
    struct cohere_local *l = c->local;
    bool good = true;

    if (ev->channel == WEIR_START)
        return take_start(c, ev), true;
    if (!l->started)
        return answer_same(c, ev);
    switch (ev->channel) {
    case WEIR_VECTOR:
    case WEIR_SCORE:
        return take_item(c, ev);
    case WEIR_DONE_MARK:
        return take_done(c);
    case WEIR_USAGE:
        if (ev->usage)
            take_usage(&l->usage, ev->usage);
        return true;
    case WEIR_OPAQUE: /* contents have no room for it */
        return true;
    case WEIR_TEXT:
    case WEIR_REASONING:
    case WEIR_ARGUMENTS:
        good = !ev->choice && take_piece(c, ev);
        break;
    case WEIR_FINISH:
        l->finish = ev->finish;
        return !ev->choice;
    default:
        return false;
    }
    if (good && weir_request(c)->stream)
        write_blocks(c, false);
    return good;
}

/* ---- errors ---- */

void cohere_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct emit m = {.t.c = c};

    if (f->in_stream) {
        record_open(c, &m, "message-end", -1);
        emit_key(&m, "delta");
        emit_open(&m, '{');
        emit_member_text(&m, "error", str_of(f->text));
        emit_member_lit(&m, "finish_reason", "ERROR");
        emit_close(&m, '}');
        record_close(c, &m);
        return;
    }
    emit_open(&m, '{');
    emit_member_text(&m, "id", weir_fact(c, "request_id"));
    emit_member_text(&m, "message", str_of(f->text));
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}
