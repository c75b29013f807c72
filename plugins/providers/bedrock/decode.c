/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a frame of Bedrock -> events.  Host: step `stream`, worker process.
 *
 * Text and reasoning have no start of their own: a block begins with its first delta.  It ends with contentBlockStop,
 * or with the message when that never came.  Usage may come before the end of the message or after it.  Shapes are not
 * trusted: a member of a type that the grammar does not know is left alone.
 */
#include <stdio.h>

#include "bedrock.h"

struct decoder {
    struct weir_ctx *c;
    struct bedrock_local *l;
    const struct weir_frame *frame;
    const struct weir_json *j;
    struct weir_error *e;
};

static bool give_up(struct decoder *d, const char *text)
{
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    return false;
}

static uint32_t member(struct decoder *d, uint32_t object, const char *key)
{
    return weir_json_get(d->j, object, key);
}

static struct weir_event event(enum weir_channel channel, uint32_t block)
{
    return (struct weir_event){.size = sizeof(struct weir_event), .channel = channel, .block = block};
}

/* ---- blocks ---- */

/* A block of one channel, found or begun; NULL: there are too many. */
static struct bedrock_open *open_get(struct decoder *d, uint32_t index, enum weir_channel channel)
{
    struct bedrock_local *l = d->l;

    for (uint32_t i = l->open_count; i-- > 0;) /* the newest is the likeliest */
        if (l->open[i].index == index && l->open[i].channel == channel)
            return &l->open[i];
    if (l->open_count == BEDROCK_BLOCKS)
        return NULL;
    if (l->open_count == l->open_cap) {
        uint32_t cap = l->open_cap ? 2 * l->open_cap : 8;
        struct bedrock_open *more = weir_alloc(d->c, cap * sizeof *more);
        if (l->open_count)
            memcpy(more, l->open, l->open_count * sizeof *more);
        l->open = more;
        l->open_cap = cap;
    }
    l->open[l->open_count] = (struct bedrock_open){.index = index, .channel = channel};
    return &l->open[l->open_count++];
}

/* What only the issuer reads comes behind the last piece of its block. */
static void put_opaque(struct decoder *d, uint32_t index, struct weir_str kind, struct weir_str data)
{
    struct weir_event ev = event(WEIR_OPAQUE, index);

    ev.value = kind;
    ev.detail = data;
    weir_emit(d->c, &ev);
}

static void open_end(struct decoder *d, struct bedrock_open *o)
{
    if (o->ended)
        return;
    o->ended = true;
    struct weir_event ev = event(o->channel, o->index);
    ev.last = true;
    weir_emit(d->c, &ev);
    if (o->opaque.len)
        put_opaque(d, o->index, WEIR_STR("bedrock.signature"), o->opaque);
}

static void end_all(struct decoder *d, int64_t index)
{
    for (uint32_t i = 0; i < d->l->open_count; i++)
        if (index < 0 || d->l->open[i].index == index)
            open_end(d, &d->l->open[i]);
}

/* One piece of text.  `last`: it is all that there is. */
static bool put_piece(struct decoder *d, uint32_t index, enum weir_channel channel, uint32_t node, bool last)
{
    struct weir_event ev = event(channel, index);
    struct bedrock_open *o;

    if (!node_is_string(d->j, node) || (!d->j->nodes[node].len && !last))
        return true;
    o = open_get(d, index, channel);
    if (!o || o->ended)
        return give_up(d, o ? "a block of the answer goes on after its end" : "the answer has too many blocks");
    o->ended = last;
    if (d->j->nodes[node].len) {
        ev.text = weir_json_text(d->j, node);
        ev.at = d->j->nodes[node].at;
        ev.len = d->j->nodes[node].len;
        ev.escaped = d->j->nodes[node].escaped;
    }
    ev.last = last;
    weir_emit(d->c, &ev);
    return true;
}

/* ---- tools ---- */

/* A name that encode had to change is what it was. */
static struct weir_str real_name(struct decoder *d, struct weir_str sent)
{
    for (uint32_t i = 0; i < d->l->name_count; i++)
        if (str_eq(d->l->names[i].sent, sent))
            return d->l->names[i].real;
    return sent;
}

static bool put_tool(struct decoder *d, uint32_t index, uint32_t use)
{
    uint32_t input = member(d, use, "input");
    struct bedrock_open *o = open_get(d, index, WEIR_ARGUMENTS);
    struct weir_event ev = event(WEIR_ARGUMENTS, index);

    if (!o || o->ended)
        return give_up(d, o ? "a block of the answer goes on after its end" : "the answer has too many blocks");
    d->l->called = true;
    ev.tool_id = get_value(d->c, d->j, use, "toolUseId");
    ev.tool_name = real_name(d, get_value(d->c, d->j, use, "name"));
    if (!d->frame->stream) {
        ev.last = o->ended = true;
        if (weir_json_is(d->j, input, WEIR_JSON_OBJECT)) {
            ev.raw = true;
            ev.text = weir_json_text(d->j, input);
            ev.at = d->j->nodes[input].at;
            ev.len = d->j->nodes[input].len;
        }
    }
    weir_emit(d->c, &ev);
    return true;
}

/* ---- the end ---- */

static enum weir_finish finish_of(struct decoder *d, uint32_t reason)
{
    static const struct {
        const char *reason;
        enum weir_finish finish;
    } rows[] = {
        {"end_turn", WEIR_FINISH_STOP},
        {"tool_use", WEIR_FINISH_TOOL_CALLS},
        {"max_tokens", WEIR_FINISH_LENGTH},
        {"stop_sequence", WEIR_FINISH_STOP_SEQUENCE},
        {"guardrail_intervened", WEIR_FINISH_FILTERED},
        {"content_filtered", WEIR_FINISH_FILTERED},
        {"malformed_model_output", WEIR_FINISH_FAILED},
        {"malformed_tool_use", WEIR_FINISH_FAILED},
        {"model_context_window_exceeded", WEIR_FINISH_CONTEXT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (node_says(d->j, reason, rows[i].reason)) /* a call says more than the label does */
            return rows[i].finish == WEIR_FINISH_STOP && d->l->called ? WEIR_FINISH_TOOL_CALLS : rows[i].finish;
    return WEIR_FINISH_UNKNOWN;
}

static void put_finish(struct decoder *d, uint32_t object)
{
    uint32_t reason = member(d, object, "stopReason"), fields = member(d, object, "additionalModelResponseFields");
    struct weir_event ev = event(WEIR_FINISH, 0);

    if (!node_is_string(d->j, reason))
        return;
    end_all(d, -1);
    ev.detail = node_value(d->c, d->j, reason);
    ev.finish = finish_of(d, reason);
    ev.value = get_value(d->c, d->j, fields, "stop_sequence");
    weir_emit(d->c, &ev);
}

#define MOST_TOKENS 1000000000000 /* more than this is no count: sums of such numbers cannot overflow */

static int64_t tokens(struct decoder *d, uint32_t usage, const char *key)
{
    int64_t n = weir_json_int(d->j, member(d, usage, key), -1);

    return n < 0 || n > MOST_TOKENS ? -1 : n;
}

/* inputTokens are those outside the cache; those that the model thought with are among outputTokens. */
static void put_usage(struct decoder *d, uint32_t usage)
{
    struct weir_usage u = {tokens(d, usage, "inputTokens"),
                           tokens(d, usage, "cacheReadInputTokens"),
                           tokens(d, usage, "cacheWriteInputTokens"),
                           tokens(d, usage, "outputTokens"),
                           -1,
                           -1,
                           -1};
    struct weir_event ev = event(WEIR_USAGE, 0);

    if (u.input < 0 && u.output < 0)
        return;
    ev.usage = &u;
    weir_emit(d->c, &ev);
}

static void put_start(struct decoder *d)
{
    struct weir_event ev = event(WEIR_START, 0);

    weir_emit(d->c, &ev);
}

/* ---- errors ---- */

/* "com.amazon.coral#ThrottlingException:http://..." and "throttlingException" -> "ThrottlingException". */
static struct weir_str error_name(struct decoder *d, struct weir_str s)
{
    const char *hash = s.len ? memrchr(s.ptr, '#', s.len) : NULL, *colon;
    struct text t = {.c = d->c};

    if (hash)
        s = (struct weir_str){hash + 1, s.len - (size_t)(hash + 1 - s.ptr)};
    colon = s.len ? memchr(s.ptr, ':', s.len) : NULL;
    if (colon)
        s.len = (size_t)(colon - s.ptr);
    if (s.len > 100)
        s.len = 100;
    text_str(&t, s);
    if (t.len && t.ptr[0] >= 'a' && t.ptr[0] <= 'z')
        t.ptr[0] = (char)(t.ptr[0] - 'a' + 'A');
    return text_view(&t);
}

static int error_status(struct weir_str name)
{
    static const struct {
        const char *name;
        int status;
    } rows[] = {
        {"AccessDeniedException", 403},       {"UnrecognizedClientException", 403},
        {"ExpiredTokenException", 403},       {"InvalidSignatureException", 403},
        {"ValidationException", 400},         {"ResourceNotFoundException", 404},
        {"ConflictException", 400},           {"ServiceQuotaExceededException", 400},
        {"ModelTimeoutException", 408},       {"ModelErrorException", 424},
        {"ModelStreamErrorException", 424},   {"ThrottlingException", 429},
        {"ModelNotReadyException", 429},      {"InternalServerException", 500},
        {"ServiceUnavailableException", 503},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_is(name, rows[i].name))
            return rows[i].status;
    return 0;
}

static bool contains(struct weir_str s, const char *word)
{
    return s.len && memmem(s.ptr, s.len, word, strlen(word));
}

static void put_error(struct decoder *d, struct weir_str name, struct weir_str message, int status)
{
    struct weir_event ev = event(WEIR_ERRORED, 0);

    ev.status = error_status(name);
    if (!ev.status)
        ev.status = status;
    ev.value = contains(message, "too long for requested model") || contains(message, "prompt is too long")
                   ? WEIR_STR("context_length_exceeded")
                   : name;
    ev.detail = message;
    weir_emit(d->c, &ev);
}

static struct weir_str message_of(struct decoder *d)
{
    struct weir_str s = WEIR_STR("");

    if (d->j && weir_json_is(d->j, 0, WEIR_JSON_OBJECT)) {
        s = get_value(d->c, d->j, 0, "message");
        return s.len ? s : get_value(d->c, d->j, 0, "Message");
    }
    return d->frame->data.len <= 1024 ? d->frame->data : (struct weir_str){d->frame->data.ptr, 1024};
}

/* An exception has a payload, an error says all of it in its headers. */
static bool stream_error(struct decoder *d)
{
    struct weir_str type = bedrock_header(d->frame->raw, ":message-type"), name = d->frame->name;
    struct weir_str message = bedrock_header(d->frame->raw, ":error-message");
    bool exception = name.len > 9 && str_is((struct weir_str){name.ptr + name.len - 9, 9}, "Exception");

    if (!exception && !str_is(type, "exception") && !str_is(type, "error"))
        return false;
    put_error(d, error_name(d, name), str_is(type, "error") ? message : message_of(d), 0);
    return true;
}

/* ---- a whole body ---- */

static bool body_block(struct decoder *d, uint32_t index, uint32_t block)
{
    uint32_t reasoning = member(d, block, "reasoningContent"), text = member(d, reasoning, "reasoningText");
    uint32_t use = member(d, block, "toolUse"), redacted = member(d, reasoning, "redactedContent");
    uint32_t cited = member(d, member(d, block, "citationsContent"), "content");

    if (node_is_string(d->j, member(d, text, "text"))) {
        if (!put_piece(d, index, WEIR_REASONING, member(d, text, "text"), true))
            return false;
        if (node_is_string(d->j, member(d, text, "signature")))
            put_opaque(d, index, WEIR_STR("bedrock.signature"), get_value(d->c, d->j, text, "signature"));
    }
    if (node_is_string(d->j, redacted))
        put_opaque(d, index, WEIR_STR("bedrock.redacted"), node_value(d->c, d->j, redacted));
    if (weir_json_is(d->j, use, WEIR_JSON_OBJECT) && !put_tool(d, index, use))
        return false;
    for (EACH_ITEM(d->j, item, cited))
        if (!put_piece(d, index, WEIR_TEXT, member(d, item, "text"), false))
            return false;
    return !node_is_string(d->j, member(d, block, "text")) ||
           put_piece(d, index, WEIR_TEXT, member(d, block, "text"), true);
}

static bool decode_body(struct decoder *d)
{
    uint32_t content = member(d, member(d, member(d, 0, "output"), "message"), "content"), index = 0;
    uint32_t type = member(d, 0, "__type");

    if (d->frame->status >= 400) {
        struct weir_str name = node_value(d->c, d->j, node_is_string(d->j, type) ? type : member(d, 0, "code"));
        put_error(d, error_name(d, name), message_of(d), d->frame->status);
        return true;
    }
    if (weir_request(d->c)->kind == WEIR_COUNT_TOKENS)
        return true;
    put_start(d);
    for (EACH_ITEM(d->j, block, content))
        if (!body_block(d, index++, block))
            return false;
    put_finish(d, 0);
    put_usage(d, member(d, 0, "usage"));
    return true;
}

/* ---- a stream ---- */

static bool block_index(struct decoder *d, uint32_t *index)
{
    int64_t n = weir_json_int(d->j, member(d, 0, "contentBlockIndex"), -1);

    *index = (uint32_t)n;
    return (n >= 0 && n < 0x10000) || give_up(d, "a block's index makes no sense");
}

/* A signature is kept until its block ends; it may come in pieces. */
static bool reasoning_delta(struct decoder *d, uint32_t index, uint32_t reasoning)
{
    struct weir_str signature = get_value(d->c, d->j, reasoning, "signature");
    uint32_t redacted = member(d, reasoning, "redactedContent");
    struct text t = {.c = d->c};
    struct bedrock_open *o;

    if (!put_piece(d, index, WEIR_REASONING, member(d, reasoning, "text"), false))
        return false;
    if (node_is_string(d->j, redacted) && d->j->nodes[redacted].len)
        put_opaque(d, index, WEIR_STR("bedrock.redacted"), node_value(d->c, d->j, redacted));
    if (!signature.len)
        return true;
    o = open_get(d, index, WEIR_REASONING);
    if (!o || o->ended)
        return give_up(d, "a signature stands where none belongs");
    text_str(&t, o->opaque);
    text_str(&t, signature);
    o->opaque = text_view(&t);
    return true;
}

static bool stream_delta(struct decoder *d)
{
    uint32_t delta = member(d, 0, "delta"), reasoning = member(d, delta, "reasoningContent"), index;

    if (!block_index(d, &index) || !put_piece(d, index, WEIR_TEXT, member(d, delta, "text"), false) ||
        !put_piece(d, index, WEIR_ARGUMENTS, member(d, member(d, delta, "toolUse"), "input"), false))
        return false;
    return !weir_json_is(d->j, reasoning, WEIR_JSON_OBJECT) || reasoning_delta(d, index, reasoning);
}

static bool decode_event(struct decoder *d)
{
    struct weir_str name = d->frame->name;
    uint32_t index;

    if (str_is(name, "messageStart")) {
        put_start(d);
    } else if (str_is(name, "contentBlockStart")) {
        uint32_t use = member(d, member(d, 0, "start"), "toolUse");
        return !weir_json_is(d->j, use, WEIR_JSON_OBJECT) || (block_index(d, &index) && put_tool(d, index, use));
    } else if (str_is(name, "contentBlockDelta")) {
        return stream_delta(d);
    } else if (str_is(name, "contentBlockStop")) {
        if (!block_index(d, &index))
            return false;
        end_all(d, index);
    } else if (str_is(name, "messageStop")) {
        put_finish(d, 0);
    } else if (str_is(name, "metadata")) {
        put_usage(d, member(d, 0, "usage"));
    }
    return true;
}

bool bedrock_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct decoder d = {c, c->local, frame, frame->json, e};

    if (frame->first) {
        d.l->open_count = 0;
        d.l->called = false;
    }
    if (frame->stream && stream_error(&d))
        return true;
    if (!frame->json) {
        if (frame->stream)
            return frame->data.len == 0 || give_up(&d, "the payload of a frame is no JSON");
        if (frame->status < 400)
            return give_up(&d, "the answer is no JSON");
        put_error(&d, WEIR_STR(""), message_of(&d), frame->status);
        return true;
    }
    return frame->stream ? decode_event(&d) : decode_body(&d);
}
