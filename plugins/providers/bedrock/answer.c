/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c -- events -> what a client of Converse gets: frames as they come, or one body at the end; and errors.  Host:
 * steps `stream` and `close`, worker process.
 *
 * A message of Converse has its blocks one after the other, but events of several may take turns: the first block that
 * is open is written as it comes, later ones wait.  The end of the message waits for the last word on usage.
 */
#include "base64.h"
#include "bedrock.h"
#include "canon.h"
#include "emit.h"

/* ---- blocks ---- */

static struct text block_text(struct weir_ctx *c, const struct block *b)
{
    return (struct text){c, b->text.ptr, b->text.len, b->text.cap};
}

static void block_add(struct weir_ctx *c, struct block *b, struct weir_str s)
{
    struct text t = block_text(c, b);

    text_str(&t, s);
    b->text.ptr = t.ptr;
    b->text.len = t.len;
    b->text.cap = t.cap;
}

static struct block *block_new(struct weir_ctx *c, enum weir_channel channel, uint32_t number)
{
    struct bedrock_local *l = c->local;

    if (l->block_count == BEDROCK_BLOCKS)
        return NULL;
    if (l->block_count == l->block_cap) {
        uint32_t cap = l->block_cap ? 2 * l->block_cap : 8;
        struct block *more = weir_alloc(c, cap * sizeof *more);
        if (l->block_count)
            memcpy(more, l->blocks, l->block_count * sizeof *more);
        l->blocks = more;
        l->block_cap = cap;
    }
    l->blocks[l->block_count] = (struct block){.channel = channel, .block = number};
    return &l->blocks[l->block_count++];
}

/* The newest block of these events. */
static struct block *block_find(struct bedrock_local *l, enum weir_channel channel, uint32_t number)
{
    for (uint32_t i = l->block_count; i-- > 0;)
        if (l->blocks[i].channel == channel && l->blocks[i].block == number)
            return &l->blocks[i];
    return NULL;
}

/* ---- what is opaque, in the words of Converse ---- */

static bool is_redacted(const struct block *b)
{
    return b->channel == WEIR_OPAQUE;
}

/* Data that is not Bedrock's own is marked, so that it is known when it comes back. */
static struct weir_str opaque_value(struct weir_ctx *c, const struct block *b)
{
    bool ours = str_is(b->kind, is_redacted(b) ? "bedrock.redacted" : "bedrock.signature");
    struct text t = {.c = c};

    if (ours)
        return b->opaque;
    if (!is_redacted(b))
        return opaque_mark(c, b->kind, b->opaque);
    base64_put(&t, opaque_mark(c, b->kind, b->opaque));
    return text_view(&t);
}

/* ---- frames ---- */

static void frame_open(struct weir_ctx *c, struct emit *m, uint32_t index)
{
    *m = (struct emit){.t.c = c};
    emit_open(m, '{');
    emit_key(m, "contentBlockIndex");
    emit_int(m, index);
}

static void write_delta(struct weir_ctx *c, uint32_t index, enum weir_channel channel, struct weir_str text)
{
    struct emit m;

    frame_open(c, &m, index);
    emit_key(&m, "delta");
    emit_open(&m, '{');
    if (channel == WEIR_TEXT) {
        emit_member_text(&m, "text", text);
    } else {
        emit_key(&m, channel == WEIR_ARGUMENTS ? "toolUse" : "reasoningContent");
        emit_open(&m, '{');
        emit_member_text(&m, channel == WEIR_ARGUMENTS ? "input" : "text", text);
        emit_close(&m, '}');
    }
    emit_close(&m, '}');
    emit_close(&m, '}');
    bedrock_frame(c, false, "contentBlockDelta", text_view(&m.t));
}

static void write_opaque(struct weir_ctx *c, uint32_t index, const struct block *b)
{
    struct emit m;

    frame_open(c, &m, index);
    emit_key(&m, "delta");
    emit_open(&m, '{');
    emit_key(&m, "reasoningContent");
    emit_open(&m, '{');
    emit_member_text(&m, is_redacted(b) ? "redactedContent" : "signature", opaque_value(c, b));
    emit_close(&m, '}');
    emit_close(&m, '}');
    emit_close(&m, '}');
    bedrock_frame(c, false, "contentBlockDelta", text_view(&m.t));
}

static void write_start(struct weir_ctx *c, uint32_t index, const struct block *b)
{
    struct emit m;

    if (b->channel != WEIR_ARGUMENTS) /* the others begin with their first delta */
        return;
    frame_open(c, &m, index);
    emit_key(&m, "start");
    emit_open(&m, '{');
    emit_key(&m, "toolUse");
    emit_open(&m, '{');
    emit_member_text(&m, "toolUseId", b->id);
    emit_member_text(&m, "name", b->name);
    emit_close(&m, '}');
    emit_close(&m, '}');
    emit_close(&m, '}');
    bedrock_frame(c, false, "contentBlockStart", text_view(&m.t));
}

static void write_stop(struct weir_ctx *c, uint32_t index, const struct block *b)
{
    struct emit m;

    if (b->opaque.len)
        write_opaque(c, index, b);
    frame_open(c, &m, index);
    emit_close(&m, '}');
    bedrock_frame(c, false, "contentBlockStop", text_view(&m.t));
}

/* Writes what may be written.  A reasoning block that has ended stays open until `close`, or until something else
 * comes: its signature comes behind its end. */
static void write_blocks(struct weir_ctx *c, bool close)
{
    struct bedrock_local *l = c->local;

    for (; l->at < l->block_count; l->at++) {
        struct block *b = &l->blocks[l->at];
        if (!b->started)
            write_start(c, l->at, b);
        b->started = true;
        if (b->text.len)
            write_delta(c, l->at, b->channel, (struct weir_str){b->text.ptr, b->text.len});
        b->text.len = 0;
        if (!close && (!b->ended || (b->channel == WEIR_REASONING && l->at + 1 == l->block_count && !b->opaque.len)))
            return;
        write_stop(c, l->at, b);
        b->stopped = true;
    }
}

/* ---- the end ---- */

static struct weir_str stop_reason(enum weir_finish finish)
{
    switch (finish) {
    case WEIR_FINISH_STOP_SEQUENCE:
        return WEIR_STR("stop_sequence");
    case WEIR_FINISH_LENGTH:
        return WEIR_STR("max_tokens");
    case WEIR_FINISH_CONTEXT:
        return WEIR_STR("model_context_window_exceeded");
    case WEIR_FINISH_TOOL_CALLS:
        return WEIR_STR("tool_use");
    case WEIR_FINISH_FILTERED:
        return WEIR_STR("content_filtered");
    case WEIR_FINISH_FAILED:
        return WEIR_STR("malformed_model_output");
    default:
        return WEIR_STR("end_turn");
    }
}

static int64_t counted(int64_t n)
{
    return n > 0 ? n : 0;
}

static void say_usage(struct emit *m, const struct weir_usage *u)
{
    int64_t input = counted(u->input) + counted(u->audio_in);
    int64_t output = counted(u->output) + counted(u->reasoning) + counted(u->audio_out);

    emit_key(m, "usage");
    emit_open(m, '{');
    emit_key(m, "inputTokens");
    emit_int(m, input);
    emit_key(m, "outputTokens");
    emit_int(m, output);
    emit_key(m, "totalTokens");
    emit_int(m, input + output + counted(u->cache_read) + counted(u->cache_write));
    if (u->cache_read >= 0) {
        emit_key(m, "cacheReadInputTokens");
        emit_int(m, u->cache_read);
    }
    if (u->cache_write >= 0) {
        emit_key(m, "cacheWriteInputTokens");
        emit_int(m, u->cache_write);
    }
    emit_close(m, '}');
    emit_key(m, "metrics"); /* SDKs want a number; nobody knows it */
    emit_open(m, '{');
    emit_key(m, "latencyMs");
    emit_int(m, 0);
    emit_close(m, '}');
}

static bool has_call(const struct bedrock_local *l)
{
    for (uint32_t i = 0; i < l->block_count; i++) {
        if (l->blocks[i].channel == WEIR_ARGUMENTS)
            return true;
    }
    return false;
}

static void say_stop(struct emit *m, const struct bedrock_local *l)
{
    /* Some upstreams end with a plain stop behind a call, which agents would take for the end of their loop. */
    enum weir_finish finish = l->finish == WEIR_FINISH_STOP && has_call(l) ? WEIR_FINISH_TOOL_CALLS : l->finish;

    emit_member_text(m, "stopReason", stop_reason(finish));
    if (!l->stop.len)
        return;
    emit_key(m, "additionalModelResponseFields");
    emit_open(m, '{');
    emit_member_text(m, "stop_sequence", l->stop);
    emit_close(m, '}');
}

static void write_end(struct weir_ctx *c)
{
    const struct bedrock_local *l = c->local;
    struct emit m = {.t.c = c};

    write_blocks(c, true);
    emit_open(&m, '{');
    say_stop(&m, l);
    emit_close(&m, '}');
    bedrock_frame(c, false, "messageStop", text_view(&m.t));
    m = (struct emit){.t.c = c};
    emit_open(&m, '{');
    say_usage(&m, &l->usage);
    emit_close(&m, '}');
    bedrock_frame(c, false, "metadata", text_view(&m.t));
}

/* ---- one body ---- */

/* false: the model made arguments that are no JSON object, and Converse has no way to say such. */
static bool message_call(struct weir_ctx *c, struct emit *m, const struct block *b)
{
    struct weir_str input = {b->text.ptr, b->text.len};
    struct weir_error e = {{0}, {0}, {0}};
    const struct weir_json *j;

    if (!input.len)
        input = WEIR_STR("{}");
    j = weir_skim(c, input, &e);
    if (!j || !weir_json_is(j, 0, WEIR_JSON_OBJECT))
        return false;
    emit_key(m, "toolUse");
    emit_open(m, '{');
    emit_member_text(m, "toolUseId", b->id);
    emit_member_text(m, "name", b->name);
    emit_key(m, "input");
    emit_raw(m, input);
    emit_close(m, '}');
    return true;
}

static void message_reasoning(struct weir_ctx *c, struct emit *m, const struct block *b)
{
    emit_key(m, "reasoningContent");
    emit_open(m, '{');
    if (is_redacted(b)) {
        emit_member_text(m, "redactedContent", opaque_value(c, b));
    } else {
        emit_key(m, "reasoningText");
        emit_open(m, '{');
        emit_member_text(m, "text", (struct weir_str){b->text.ptr, b->text.len});
        if (b->opaque.len)
            emit_member_text(m, "signature", opaque_value(c, b));
        emit_close(m, '}');
    }
    emit_close(m, '}');
}

static bool write_body(struct weir_ctx *c)
{
    const struct bedrock_local *l = c->local;
    struct emit m = {.t.c = c};

    emit_open(&m, '{');
    emit_key(&m, "output");
    emit_open(&m, '{');
    emit_key(&m, "message");
    emit_open(&m, '{');
    emit_member_lit(&m, "role", "assistant");
    emit_key(&m, "content");
    emit_open(&m, '[');
    for (uint32_t i = 0; i < l->block_count; i++) {
        const struct block *b = &l->blocks[i];
        emit_open(&m, '{');
        if (b->channel == WEIR_TEXT)
            emit_member_text(&m, "text", (struct weir_str){b->text.ptr, b->text.len});
        else if (b->channel != WEIR_ARGUMENTS)
            message_reasoning(c, &m, b);
        else if (!message_call(c, &m, b))
            return false;
        emit_close(&m, '}');
    }
    emit_close(&m, ']');
    emit_close(&m, '}');
    emit_close(&m, '}');
    say_stop(&m, l);
    say_usage(&m, &l->usage);
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
    return true;
}

/* ---- events ---- */

static bool take_piece(struct weir_ctx *c, const struct weir_event *ev)
{
    struct block *b = block_find(c->local, ev->channel, ev->block);

    if (b && b->ended && !ev->text.len && !ev->tool_name.len) /* the end of what its signature has ended already */
        return true;
    if (!b || b->ended) {
        if (!b && !ev->text.len && ev->channel == WEIR_TEXT) /* a text of nothing is no block */
            return true;
        b = block_new(c, ev->channel, ev->block);
    }
    if (!b)
        return false;
    if (ev->tool_id.len)
        b->id = text_keep(c, ev->tool_id);
    if (ev->tool_name.len)
        b->name = text_keep(c, ev->tool_name);
    block_add(c, b, ev->text);
    b->ended = ev->last;
    return true;
}

/* Behind the reasoning block that it names, or alone. */
static bool take_opaque(struct weir_ctx *c, const struct weir_event *ev)
{
    struct bedrock_local *l = c->local;
    struct block *b = l->block_count ? &l->blocks[l->block_count - 1] : NULL;
    struct block *named = block_find(l, WEIR_REASONING, ev->block);

    if (named && !named->stopped && !named->opaque.len && !str_is(ev->value, "bedrock.redacted"))
        b = named;
    else if (!b || b->channel != WEIR_REASONING || b->block != ev->block || b->stopped || b->opaque.len ||
             str_is(ev->value, "bedrock.redacted"))
        b = block_new(c, WEIR_OPAQUE, ev->block);
    if (!b)
        return false;
    b->kind = text_keep(c, ev->value);
    b->opaque = text_keep(c, ev->detail);
    b->ended = true;
    return true;
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

static void take_start(struct weir_ctx *c, bool stream)
{
    struct bedrock_local *l = c->local;

    l->started = true;
    l->usage = (struct weir_usage){-1, -1, -1, -1, -1, -1, -1};
    if (stream)
        bedrock_frame(c, false, "messageStart", WEIR_STR("{\"role\":\"assistant\"}"));
}

/* The upstream speaks Converse too: its frames go through, and only text that a stage held comes here. */
static bool answer_same(struct weir_ctx *c, const struct weir_event *ev)
{
    if (ev->channel == WEIR_DONE_MARK)
        return true;
    if (ev->channel > WEIR_ARGUMENTS)
        return false;
    if (ev->text.len)
        write_delta(c, ev->block, ev->channel, ev->text);
    return true;
}

bool bedrock_answer(struct weir_ctx *c, const struct weir_event *ev)
{
    struct bedrock_local *l = c->local;
    bool stream = weir_request(c)->stream, good = true;

    if (ev->channel == WEIR_START)
        return take_start(c, stream), true;
    if (!l->started)
        return answer_same(c, ev);
    if (ev->choice)
        return false;
    switch (ev->channel) {
    case WEIR_TEXT:
    case WEIR_REASONING:
    case WEIR_ARGUMENTS:
        good = take_piece(c, ev);
        break;
    case WEIR_OPAQUE:
        good = take_opaque(c, ev);
        break;
    case WEIR_USAGE:
        if (ev->usage)
            take_usage(&l->usage, ev->usage);
        break;
    case WEIR_FINISH:
        l->finish = ev->finish;
        l->stop = text_keep(c, ev->value);
        break;
    case WEIR_DONE_MARK:
        if (!stream)
            return write_body(c);
        write_end(c);
        return true;
    default:
        return false;
    }
    if (good && stream)
        write_blocks(c, false);
    return good;
}
