/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a record of Cohere's stream -> events.  Host: step `stream`, worker process.
 *
 * Contents and calls are numbered each by themselves; the plan of the tools has no number.  What has begun ends with
 * its own record, or with the message when that never came.  Shapes are not trusted: a member of a type that the
 * grammar does not know is left alone.
 */
#include "decode.h"

#include <stdio.h>

bool decode_give_up(struct decoder *d, const char *text)
{
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    return false;
}

/* ---- blocks ---- */

static struct cohere_open *open_find(struct cohere_local *l, enum weir_channel channel, uint32_t block)
{
    for (uint32_t i = l->open_count; i-- > 0;) /* the newest is the likeliest */
        if (l->open[i].block == block && l->open[i].channel == channel)
            return &l->open[i];
    return NULL;
}

/* Found or begun; NULL, and the error: it has had its end, or there are too many. */
static struct cohere_open *open_get(struct decoder *d, enum weir_channel channel, uint32_t block)
{
    struct cohere_local *l = d->l;
    struct cohere_open *o = open_find(l, channel, block);

    if (o && o->ended)
        decode_give_up(d, "a block of the answer goes on after its end");
    if (o)
        return o->ended ? NULL : o;
    if (l->open_count == COHERE_BLOCKS) {
        decode_give_up(d, "the answer has too many blocks");
        return NULL;
    }
    l->open = cohere_more(d->c, l->open, l->open_count, &l->open_cap, sizeof *l->open);
    l->open[l->open_count] = (struct cohere_open){.block = block, .channel = channel};
    return &l->open[l->open_count++];
}

static void open_end(struct decoder *d, struct cohere_open *o)
{
    struct weir_event ev = event_of(o->channel, o->block);

    if (o->ended)
        return;
    o->ended = ev.last = true;
    weir_emit(d->c, &ev);
    if (o->channel == WEIR_TEXT && o->block >= BLOCK_PLAN)
        d->l->plan++;
}

void decode_end_all(struct decoder *d)
{
    for (uint32_t i = 0; i < d->l->open_count; i++)
        open_end(d, &d->l->open[i]);
}

static uint32_t plan_block(const struct decoder *d)
{
    return BLOCK_PLAN + d->l->plan;
}

static void plan_end(struct decoder *d)
{
    struct cohere_open *o = open_find(d->l, WEIR_TEXT, plan_block(d));

    if (o)
        open_end(d, o);
}

bool decode_piece(struct decoder *d, enum weir_channel channel, uint32_t block, uint32_t node, bool last)
{
    struct weir_event ev = event_of(channel, block);
    struct cohere_open *o;

    if (!node_is_string(d->j, node) || (!d->j->nodes[node].len && !last))
        return true;
    o = open_get(d, channel, block);
    if (!o)
        return false;
    o->ended = last;
    /* The arguments of a call without any are "null" for Cohere, and nothing for everybody else. */
    if (d->j->nodes[node].len && !(channel == WEIR_ARGUMENTS && !o->said && node_says(d->j, node, "null"))) {
        o->said = true;
        ev.text = weir_json_text(d->j, node);
        ev.at = d->j->nodes[node].at;
        ev.len = d->j->nodes[node].len;
        ev.escaped = d->j->nodes[node].escaped;
    } else if (!last) {
        return true;
    }
    ev.last = last;
    weir_emit(d->c, &ev);
    return true;
}

bool decode_call(struct decoder *d, uint32_t block, uint32_t call, bool last)
{
    uint32_t function = member(d, call, "function"), arguments = member(d, function, "arguments");
    struct weir_event ev = event_of(WEIR_ARGUMENTS, block);

    if (!open_get(d, WEIR_ARGUMENTS, block))
        return false;
    d->l->called = true;
    ev.tool_id = get_value(d->c, d->j, call, "id");
    ev.tool_name = get_value(d->c, d->j, function, "name");
    weir_emit(d->c, &ev);
    if (!decode_piece(d, WEIR_ARGUMENTS, block, arguments, last))
        return false;
    if (last && !node_is_string(d->j, arguments))
        open_end(d, open_find(d->l, WEIR_ARGUMENTS, block));
    return true;
}

void decode_shadow(struct decoder *d, uint32_t block, uint32_t node)
{
    struct weir_event ev = event_of(WEIR_TEXT, block);

    if (d->lowered || !open_find(d->l, WEIR_TEXT, block) ||
        (!is_object(d, node) && !weir_json_is(d->j, node, WEIR_JSON_ARRAY)))
        return;
    ev.copy = true;
    ev.at = d->j->nodes[node].at;
    ev.len = d->j->nodes[node].len;
    weir_emit(d->c, &ev);
}

/* ---- start and end ---- */

void decode_start(struct decoder *d, uint32_t id)
{
    struct weir_event ev = event_of(WEIR_START, 0);

    ev.detail = node_value(d->c, d->j, id);
    weir_emit(d->c, &ev);
}

static enum weir_finish finish_of(const struct decoder *d, uint32_t reason)
{
    static const struct {
        const char *reason;
        enum weir_finish finish;
    } rows[] = {
        {"COMPLETE", WEIR_FINISH_STOP},        {"STOP_SEQUENCE", WEIR_FINISH_STOP_SEQUENCE},
        {"MAX_TOKENS", WEIR_FINISH_LENGTH},    {"TOOL_CALL", WEIR_FINISH_TOOL_CALLS},
        {"ERROR", WEIR_FINISH_FAILED},         {"TIMEOUT", WEIR_FINISH_FAILED},
        {"ERROR_TOXIC", WEIR_FINISH_FILTERED}, {"ERROR_LIMIT", WEIR_FINISH_CONTEXT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (node_says(d->j, reason, rows[i].reason)) /* a call says more than the label does */
            return rows[i].finish == WEIR_FINISH_STOP && d->l->called ? WEIR_FINISH_TOOL_CALLS : rows[i].finish;
    return WEIR_FINISH_UNKNOWN;
}

void decode_finish(struct decoder *d, uint32_t object)
{
    uint32_t reason = member(d, object, "finish_reason");
    struct weir_event ev = event_of(WEIR_FINISH, 0);

    if (!node_is_string(d->j, reason) || !d->j->nodes[reason].len)
        return;
    ev.detail = node_value(d->c, d->j, reason);
    ev.finish = finish_of(d, reason);
    weir_emit(d->c, &ev);
}

#define MOST_TOKENS 1000000000000 /* more than this is no count: sums of such numbers cannot overflow */

/* Counts are written as integers, and by some versions as 12.0. */
static int64_t tokens(const struct decoder *d, uint32_t object, const char *key)
{
    uint32_t node = member(d, object, key);
    struct weir_str s = node == WEIR_NO_NODE ? WEIR_STR("") : weir_json_text(d->j, node);
    int64_t v = 0;
    size_t i = 0;

    if (!weir_json_is(d->j, node, WEIR_JSON_NUMBER))
        return -1;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        if ((v = v * 10 + (s.ptr[i] - '0')) > MOST_TOKENS)
            return -1;
    if (i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && s.ptr[i] == '0';)
            i++;
    return i == s.len ? v : -1;
}

/* `tokens` are what the model read and wrote, `billed_units` what is paid for of it: the first count, the second only
 * where there is nothing else.  Cached tokens are among those that were read. */
void decode_usage(struct decoder *d, uint32_t usage)
{
    uint32_t said = member(d, usage, "tokens"), billed = member(d, usage, "billed_units");
    struct weir_usage u = {-1, -1, -1, -1, -1, -1, -1};
    struct weir_event ev = event_of(WEIR_USAGE, 0);
    int64_t searches = tokens(d, billed, "search_units");

    u.input = tokens(d, said, "input_tokens");
    u.output = tokens(d, said, "output_tokens");
    if (u.input < 0 && u.output < 0) {
        u.input = tokens(d, billed, "input_tokens");
        u.output = tokens(d, billed, "output_tokens");
    }
    u.cache_read = tokens(d, usage, "cached_tokens");
    if (u.cache_read > u.input && u.input >= 0)
        u.cache_read = u.input;
    if (u.cache_read > 0 && u.input >= 0)
        u.input -= u.cache_read;
    if (searches >= 0)
        weir_label(d->c, WEIR_STR("search_units"), weir_json_text(d->j, member(d, billed, "search_units")));
    if (u.input < 0 && u.output < 0)
        return;
    ev.usage = &u;
    weir_emit(d->c, &ev);
}

static bool contains(struct weir_str s, const char *word)
{
    return s.len && memmem(s.ptr, s.len, word, strlen(word));
}

void decode_error(struct decoder *d, struct weir_str message, int status)
{
    struct weir_event ev = event_of(WEIR_ERRORED, 0);

    ev.status = status;
    ev.detail = message;
    if (contains(message, "too many tokens") || contains(message, "maximum context length"))
        ev.value = WEIR_STR("context_length_exceeded");
    weir_emit(d->c, &ev);
}

/* ---- records ---- */

static bool block_index(struct decoder *d, uint32_t *index)
{
    uint32_t node = member(d, 0, "index");
    int64_t n = node == WEIR_NO_NODE ? 0 : weir_json_int(d->j, node, -1);

    *index = (uint32_t)n;
    return (n >= 0 && n < BLOCK_PLAN) || decode_give_up(d, "a block's index makes no sense");
}

/* Texts of content-start and content-delta: a content has one of the two. */
static bool record_content(struct decoder *d, uint32_t content)
{
    uint32_t index;

    if (!block_index(d, &index) || !decode_piece(d, WEIR_REASONING, index, member(d, content, "thinking"), false) ||
        !decode_piece(d, WEIR_TEXT, index, node_is_string(d->j, content) ? content : member(d, content, "text"), false))
        return false;
    decode_shadow(d, index, member(d, 0, "logprobs"));
    return true;
}

static bool record_content_end(struct decoder *d)
{
    struct cohere_open *o;
    uint32_t index;

    if (!block_index(d, &index))
        return false;
    if ((o = open_find(d->l, WEIR_REASONING, index)))
        open_end(d, o);
    if ((o = open_find(d->l, WEIR_TEXT, index)))
        open_end(d, o);
    return true;
}

static bool record_call(struct decoder *d, uint32_t call, bool begins)
{
    uint32_t index;

    if (!block_index(d, &index))
        return false;
    plan_end(d);
    if (begins)
        return decode_call(d, index, call, false);
    return decode_piece(d, WEIR_ARGUMENTS, index, member(d, member(d, call, "function"), "arguments"), false);
}

static bool record_call_end(struct decoder *d)
{
    struct cohere_open *o;
    uint32_t index;

    if (!block_index(d, &index))
        return false;
    if ((o = open_find(d->l, WEIR_ARGUMENTS, index)))
        open_end(d, o);
    return true;
}

/* A citation repeats words of the answer. */
static void record_citation(struct decoder *d, uint32_t citation)
{
    int64_t index = weir_json_int(d->j, member(d, citation, "content_index"), 0);
    uint32_t block = node_says(d->j, member(d, citation, "type"), "PLAN") ? BLOCK_PLAN : (uint32_t)index;

    for (uint32_t i = d->l->open_count; !open_find(d->l, WEIR_TEXT, block) && i-- > 0;)
        if (d->l->open[i].channel == WEIR_TEXT)
            block = d->l->open[i].block;
    decode_shadow(d, block, citation);
}

static void record_end(struct decoder *d, uint32_t delta)
{
    struct weir_str error = get_value(d->c, d->j, delta, "error");

    decode_end_all(d);
    decode_usage(d, member(d, delta, "usage"));
    if (error.len)
        decode_error(d, error, 0);
    else
        decode_finish(d, delta);
}

static bool decode_record(struct decoder *d)
{
    uint32_t type = member(d, 0, "type"), delta = member(d, 0, "delta"), message = member(d, delta, "message");

    if (node_says(d->j, type, "message-start")) {
        decode_start(d, member(d, 0, "id"));
    } else if (node_says(d->j, type, "tool-plan-delta")) {
        return decode_piece(d, WEIR_TEXT, plan_block(d), member(d, message, "tool_plan"), false);
    } else if (node_says(d->j, type, "content-start") || node_says(d->j, type, "content-delta")) {
        return record_content(d, member(d, message, "content"));
    } else if (node_says(d->j, type, "content-end")) {
        return record_content_end(d);
    } else if (node_says(d->j, type, "tool-call-start") || node_says(d->j, type, "tool-call-delta")) {
        return record_call(d, member(d, message, "tool_calls"), node_says(d->j, type, "tool-call-start"));
    } else if (node_says(d->j, type, "tool-call-end")) {
        return record_call_end(d);
    } else if (node_says(d->j, type, "citation-start")) {
        record_citation(d, member(d, message, "citations"));
    } else if (node_says(d->j, type, "message-end")) {
        record_end(d, delta);
    } else if (!node_is_string(d->j, type) && node_is_string(d->j, member(d, 0, "message"))) {
        decode_error(d, get_value(d->c, d->j, 0, "message"), 0); /* an error where a record should be */
    }
    return true;
}

/* Not JSON: some deployments end with OpenAI's mark. */
static bool decode_bare(struct decoder *d)
{
    struct weir_str s = d->frame->data;
    const struct weir_event mark = {.size = sizeof mark, .channel = WEIR_DONE_MARK};

    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n'))
        s.len--;
    if (!s.len)
        return true;
    if (!str_is(s, "[DONE]"))
        return decode_give_up(d, "a record of the stream is no JSON");
    decode_end_all(d);
    d->l->done = true;
    weir_emit(d->c, &mark);
    return true;
}

bool cohere_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct decoder d = {c, c->local, frame, frame->json, e, weir_canonical(c) != NULL};

    if (frame->first) {
        d.l->open_count = d.l->plan = 0;
        d.l->called = d.l->done = false;
    }
    if (d.l->done) { /* nothing follows the mark */
        weir_frame_drop(c);
        return true;
    }
    if (!frame->stream)
        return decode_body(&d);
    return frame->json ? decode_record(&d) : decode_bare(&d);
}
