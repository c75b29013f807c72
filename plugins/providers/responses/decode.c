/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a frame of an upstream that speaks Responses -> events.  Host: step `stream`, worker process.
 *
 * Shapes are not trusted: a record of a type that the grammar does not know goes through, its strings seen as texts,
 * and what cannot be numbered ends the attempt.  Every terminal is one: completed, incomplete, failed.  Errors come in
 * two shapes, and as those of Chat.
 */
#include <stdio.h>

#include "decode.h"

static struct weir_event event_new(enum weir_channel channel)
{
    return (struct weir_event){.size = sizeof(struct weir_event), .channel = channel};
}

static int64_t index_at(struct decoder *d, uint32_t object, const char *key)
{
    uint32_t node = key ? weir_json_get(d->j, object, key) : WEIR_NO_NODE;
    int64_t v = node == WEIR_NO_NODE ? 0 : weir_json_int(d->j, node, -1);

    if (v >= 0 && v < MOST_OUTPUT)
        return v;
    give_up(d, "an index makes no sense");
    return -1;
}

/* ---- the response ---- */

static void keep_raw(struct decoder *d, struct weir_str *to, uint32_t node)
{
    if (!to->len && node_there(d->j, node) && d->j->nodes[node].len <= 256)
        *to = text_keep(d->c, weir_json_text(d->j, node));
}

static void response_start(struct decoder *d, uint32_t response)
{
    struct weir_event ev = event_new(WEIR_START);

    if (d->l->started || !weir_json_is(d->j, response, WEIR_JSON_OBJECT))
        return;
    d->l->started = true;
    ev.detail = get_value(d->c, d->j, response, "id");
    ev.value = get_value(d->c, d->j, response, "model");
    if (node_is_string(d->j, weir_json_get(d->j, response, "id")))
        keep_raw(d, &d->l->id, weir_json_get(d->j, response, "id"));
    if (node_is_string(d->j, weir_json_get(d->j, response, "model")))
        keep_raw(d, &d->l->model, weir_json_get(d->j, response, "model"));
    if (weir_json_is(d->j, weir_json_get(d->j, response, "created_at"), WEIR_JSON_NUMBER))
        keep_raw(d, &d->l->created, weir_json_get(d->j, response, "created_at"));
    weir_emit(d->c, &ev);
}

static void response_usage(struct decoder *d, uint32_t response)
{
    struct weir_usage usage;
    struct weir_event ev = event_new(WEIR_USAGE);

    if (!usage_read(d->j, weir_json_get(d->j, response, "usage"), &usage))
        return;
    ev.usage = &usage;
    weir_emit(d->c, &ev);
}

static void response_items(struct decoder *d, uint32_t response)
{
    uint32_t output = 0;

    for (EACH_ITEM(d->j, item, weir_json_get(d->j, response, "output"))) {
        if (output == MOST_OUTPUT) {
            give_up(d, "the answer has too many items");
            return;
        }
        item_texts(d, output++, item, true);
        if (d->failed)
            return;
    }
}

/* The convenience of some servers, all texts in one: a copy when there is one text, else a text of its own. */
static void response_text(struct decoder *d, uint32_t response)
{
    uint32_t node = weir_json_get(d->j, response, "output_text");

    if (node_is_string(d->j, node) && d->j->nodes[node].len && !d->l->foreign)
        text_whole(d, MOST_OUTPUT, KIND_TEXT, 0, node);
}

/* ---- errors ---- */

static int code_status(struct weir_str code)
{
    static const struct {
        const char *code;
        int status;
    } known[] = {
        {"rate_limit_exceeded", 429}, {"insufficient_quota", 429},
        {"server_error", 502},        {"server_is_overloaded", 503},
        {"slow_down", 503},           {"context_length_exceeded", 400},
        {"invalid_prompt", 400},      {"invalid_request_error", 400},
        {"model_not_found", 404},     {"vector_store_timeout", 504},
        {"invalid_image", 400},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(code, known[i].code))
            return known[i].status;
    return 0;
}

/* `error` is an object with the message, a text, or the record itself. */
static void emit_error(struct decoder *d, uint32_t error)
{
    struct weir_event ev = event_new(WEIR_ERRORED);
    bool said = node_is_string(d->j, error);

    if (d->l->errored)
        return;
    d->l->errored = true;
    ev.detail = said ? node_value(d->c, d->j, error) : get_value(d->c, d->j, error, "message");
    if (!said) {
        ev.value = get_value(d->c, d->j, error, "code");
        if (!ev.value.len)
            ev.value = get_value(d->c, d->j, error, "type");
        if (str_is(ev.value, "error") || str_is(ev.value, "response.failed"))
            ev.value = WEIR_STR("");
    }
    ev.status = d->frame->status >= 400 ? d->frame->status : code_status(ev.value);
    weir_emit(d->c, &ev);
}

/* {"error": ...}, {"detail": ...} of FastAPI, or {"message": ...}. */
static void error_body(struct decoder *d)
{
    uint32_t error = d->j ? weir_json_get(d->j, 0, "error") : WEIR_NO_NODE;

    if (!d->j) {
        struct weir_event ev = event_new(WEIR_ERRORED);
        ev.status = d->frame->status;
        weir_emit(d->c, &ev);
        return;
    }
    if (!node_there(d->j, error))
        error = weir_json_get(d->j, 0, "detail");
    emit_error(d, node_there(d->j, error) ? error : 0);
}

/* ---- the end ---- */

static enum weir_finish finish_of(const struct decoder *d, uint32_t response, struct weir_str *detail)
{
    const struct weir_json *j = d->j;
    uint32_t reason = weir_json_get(j, weir_json_get(j, response, "incomplete_details"), "reason");
    struct weir_str status = get_value(d->c, j, response, "status");

    *detail = status;
    if (str_is(status, "incomplete")) {
        if (node_is_string(j, reason))
            *detail = node_value(d->c, j, reason);
        return node_says(j, reason, "max_output_tokens") ? WEIR_FINISH_LENGTH
               : node_says(j, reason, "content_filter")  ? WEIR_FINISH_FILTERED
                                                         : WEIR_FINISH_UNKNOWN;
    }
    if (str_is(status, "completed") || !status.len)
        return d->l->called ? WEIR_FINISH_TOOL_CALLS : WEIR_FINISH_STOP;
    return str_is(status, "failed") || str_is(status, "cancelled") ? WEIR_FINISH_FAILED : WEIR_FINISH_UNKNOWN;
}

/* The whole response, as the last record has it or as the body is. */
static void response_end(struct decoder *d, uint32_t response)
{
    struct weir_event ev = event_new(WEIR_FINISH);
    uint32_t error = weir_json_get(d->j, response, "error");

    if (!node_there(d->j, error))
        response_start(d, response);
    d->before = d->frame->stream ? d->l->frames : 0;
    if (!d->l->foreign || !d->l->itemed)
        response_items(d, response);
    if (d->failed)
        return;
    d->before = UINT32_MAX;
    response_text(d, response);
    texts_end(d, true, 0);
    response_usage(d, response);
    if (node_there(d->j, error) || node_says(d->j, weir_json_get(d->j, response, "status"), "failed")) {
        emit_error(d, node_there(d->j, error) ? error : response);
        return;
    }
    if (d->l->finished)
        return;
    d->l->finished = true;
    ev.finish = finish_of(d, response, &ev.detail);
    if (!ev.detail.len)
        ev.detail = WEIR_STR("completed");
    weir_emit(d->c, &ev);
    if (!d->l->foreign)
        return; /* what is the mark of the end cannot be edited */
    ev = event_new(WEIR_DONE_MARK);
    weir_emit(d->c, &ev);
    d->l->done = true;
}

/* ---- records ---- */

/* STEM.delta and STEM.done.  false: it is neither. */
static bool decode_text(struct decoder *d, struct weir_str type)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct stream_grammar *g = &stream_grammar[i];
        size_t stem = strlen(g->stem);
        uint32_t item = weir_json_get(d->j, 0, "item_id");
        int64_t output, part;
        bool delta;
        if (!str_starts(type, g->stem) || type.len < stem + 5)
            continue;
        delta = str_is((struct weir_str){type.ptr + stem, type.len - stem}, ".delta");
        if (!delta && !str_is((struct weir_str){type.ptr + stem, type.len - stem}, ".done"))
            continue;
        output = index_at(d, 0, "output_index");
        part = index_at(d, 0, g->index);
        if (output < 0 || part < 0)
            return true;
        if (delta)
            text_piece(d, (uint32_t)output, i, (uint32_t)part, weir_json_get(d->j, 0, "delta"),
                       node_is_string(d->j, item) ? weir_json_text(d->j, item) : WEIR_STR(""));
        else if (g->whole)
            text_whole(d, (uint32_t)output, i, (uint32_t)part, weir_json_get(d->j, 0, g->whole));
        text_shadow(d, (uint32_t)output, i, (uint32_t)part, weir_json_get(d->j, 0, "logprobs"));
        return true;
    }
    return false;
}

static void decode_begun(struct decoder *d, uint32_t item)
{
    int64_t output = index_at(d, 0, "output_index");

    if (output >= 0)
        call_begin(d, (uint32_t)output, item);
    strings_say(d, item); /* it should say nothing yet */
}

static void decode_part(struct decoder *d)
{
    uint32_t part = weir_json_get(d->j, 0, "part");
    int64_t output = index_at(d, 0, "output_index"), index = index_at(d, 0, "content_index");
    uint32_t summary = weir_json_get(d->j, 0, "summary_index");

    if (summary != WEIR_NO_NODE)
        index = index_at(d, 0, "summary_index");
    if (output >= 0 && index >= 0)
        part_texts(d, (uint32_t)output, part, (uint32_t)index);
}

static void decode_record(struct decoder *d, struct weir_str type)
{
    uint32_t response = weir_json_get(d->j, 0, "response");
    int64_t output;

    if (str_is(type, "response.created") || str_is(type, "response.in_progress") || str_is(type, "response.queued")) {
        response_start(d, response);
    } else if (str_is(type, "response.output_item.added")) {
        decode_begun(d, weir_json_get(d->j, 0, "item"));
    } else if (str_is(type, "response.output_item.done")) {
        output = index_at(d, 0, "output_index");
        d->l->itemed = true;
        if (output >= 0)
            item_texts(d, (uint32_t)output, weir_json_get(d->j, 0, "item"), true);
    } else if (str_is(type, "response.content_part.added") || str_is(type, "response.reasoning_summary_part.added")) {
        strings_say(d, weir_json_get(d->j, 0, "part"));
    } else if (str_is(type, "response.content_part.done") || str_is(type, "response.reasoning_summary_part.done")) {
        decode_part(d);
    } else if (str_is(type, "response.completed") || str_is(type, "response.incomplete") ||
               str_is(type, "response.failed") || str_is(type, "response.cancelled")) {
        response_end(d, response);
    } else if (str_is(type, "error")) {
        emit_error(d, node_there(d->j, weir_json_get(d->j, 0, "error")) ? weir_json_get(d->j, 0, "error") : 0);
    } else if (!decode_text(d, type) && !str_is(type, "response.audio.delta")) {
        strings_say(d, 0);
    }
}

/* Records that we put in between make the numbers of those behind go on. */
static void record_number(struct decoder *d)
{
    uint32_t node = weir_json_get(d->j, 0, "sequence_number");
    int64_t number = weir_json_int(d->j, node, -1);
    struct text t = {.c = d->c};

    if (number < 0 || number >= INT32_MAX)
        return;
    d->l->sequence = number + d->l->inserted + 1;
    d->l->number_at = d->j->nodes[node].at;
    d->l->number_len = d->j->nodes[node].len;
    if (!d->l->inserted || d->l->foreign)
        return;
    text_int(&t, d->l->sequence - 1);
    weir_frame_splice(d->c, d->l->number_at, d->l->number_len, text_view(&t));
}

static bool decode_object(struct decoder *d)
{
    struct weir_str type = get_value(d->c, d->j, 0, "type");

    record_number(d);
    if (d->frame->status >= 400)
        error_body(d);
    else if (!d->frame->stream)
        response_end(d, 0);
    else if (type.len)
        decode_record(d, type);
    else if (str_is(d->frame->name, "error") || node_there(d->j, weir_json_get(d->j, 0, "error")))
        error_body(d);
    return !d->failed;
}

/* Not JSON: the mark of the end that some servers add, a comment, an error page. */
static bool decode_bare(struct decoder *d)
{
    struct weir_str s = d->frame->data;
    struct weir_event ev = event_new(WEIR_DONE_MARK);

    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n'))
        s.len--;
    if (d->frame->stream && !s.len)
        return true;
    if (d->frame->stream && str_is(s, "[DONE]")) {
        if (!d->l->finished && !d->l->errored) { /* no terminal came: a truncation, which the host tells */
            weir_frame_drop(d->c);
            return true;
        }
        texts_end(d, true, 0);
        weir_emit(d->c, &ev);
        d->l->done = true;
        return true;
    }
    if (d->frame->status < 400)
        return give_up(d, "the answer is not JSON");
    d->j = NULL;
    error_body(d);
    return true;
}

static void local_reset(struct responses_local *l)
{
    bool foreign = l->foreign;

    *l = (struct responses_local){.foreign = foreign};
}

bool responses_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct decoder d = {.c = c, .l = c->local, .frame = frame, .j = frame->json, .e = e};

    if (frame->first)
        local_reset(d.l);
    d.l->number_at = d.l->number_len = 0;
    d.l->frames++;
    if (d.l->done) { /* nothing follows the mark */
        weir_frame_drop(c);
        return true;
    }
    if (!d.j)
        return decode_bare(&d);
    if (!weir_json_is(d.j, 0, WEIR_JSON_OBJECT))
        return frame->status >= 400 ? decode_bare(&d) : give_up(&d, "the answer is not a JSON object");
    return decode_object(&d);
}
