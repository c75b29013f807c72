/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a frame of Gemini -> events.  Host: step `stream`, worker process.
 *
 * Shapes are not trusted: a member of a type that the grammar does not know is left alone, and what cannot be numbered
 * ends the attempt.  Events of a frame are gathered first, because only then is it known which event of each stream is
 * its last.  Streams have no mark of their end: the record with a finishReason is the last that says something.
 */
#include "decoder.h"

#include <stdio.h>

bool give_up(struct decoder *d, const char *text)
{
    d->failed = true;
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    return false;
}

struct weir_event *event_new(struct decoder *d, enum weir_channel channel, uint32_t choice)
{
    if (d->count == d->cap) {
        struct weir_event *more = weir_alloc(d->c, 2 * d->cap * sizeof *more);
        memcpy(more, d->events, d->count * sizeof *more);
        d->events = more;
        d->cap *= 2;
    }
    struct weir_event *ev = &d->events[d->count++];
    *ev = (struct weir_event){.size = sizeof *ev, .channel = channel, .choice = choice};
    return ev;
}

void event_place(struct decoder *d, struct weir_event *ev, uint32_t node)
{
    ev->text = weir_json_text(d->j, node);
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
    ev->raw = !node_is_string(d->j, node);
    ev->escaped = !ev->raw && d->j->nodes[node].escaped;
}

/* ---- candidates ---- */

static struct gemini_choice *choice_get(struct decoder *d, uint32_t index)
{
    struct gemini_local *l = d->l;

    for (uint32_t i = 0; i < l->choice_count; i++)
        if (l->choices[i].index == index)
            return &l->choices[i];
    if (l->choice_count == GEMINI_CHOICES) {
        give_up(d, "the answer has too many candidates");
        return NULL;
    }
    l->choices = gemini_grown(d->c, l->choices, l->choice_count, &l->choice_cap, sizeof *l->choices);
    l->choices[l->choice_count] = (struct gemini_choice){.index = index};
    return &l->choices[l->choice_count++];
}

/* The newest event of the stream is its last; one without an event in this frame gets an empty one. */
static void stream_close(struct decoder *d, struct gemini_choice *ch, struct gemini_stream *s)
{
    enum weir_channel channel = s == &ch->text ? WEIR_TEXT : WEIR_REASONING;
    struct weir_event *ev;

    if (!s->open)
        return;
    s->open = false;
    if (s->frame == d->l->frames) {
        d->events[s->event].last = true;
    } else {
        ev = event_new(d, channel, ch->index);
        ev->block = s->block;
        ev->last = true;
    }
    s->block++;
    if (s->block == GEMINI_AGAIN)
        give_up(d, "the answer changes too often between text and thoughts");
}

static void choice_close(struct decoder *d, struct gemini_choice *ch)
{
    call_close(d, ch);
    stream_close(d, ch, &ch->text);
    stream_close(d, ch, &ch->thought);
}

static void put_text(struct decoder *d, struct gemini_choice *ch, struct gemini_stream *s, uint32_t node)
{
    struct weir_event *ev;

    if (d->l->foreign)
        stream_close(d, ch, s == &ch->text ? &ch->thought : &ch->text);
    s->open = true;
    s->frame = d->l->frames;
    s->event = d->count;
    ev = event_new(d, s == &ch->text ? WEIR_TEXT : WEIR_REASONING, ch->index);
    ev->block = s->block;
    event_place(d, ev, node);
}

/* Towards another dialect the signature stands alone, before what it belongs to. */
static void put_signature(struct decoder *d, struct gemini_choice *ch, uint32_t node)
{
    struct weir_event *ev;

    if (!d->l->foreign || !node_is_string(d->j, node) || !d->j->nodes[node].len)
        return;
    stream_close(d, ch, &ch->text);
    stream_close(d, ch, &ch->thought);
    ev = event_new(d, WEIR_OPAQUE, ch->index);
    ev->block = ch->thought.block;
    ev->detail = node_value(d->c, d->j, node);
    ev->value = WEIR_STR("gemini.thought");
}

/* A value that says the candidate's text in another form, as logprobs do: a copy without text of its own. */
static void put_shadow(struct decoder *d, struct gemini_choice *ch, uint32_t node)
{
    struct weir_event *ev;

    if (d->l->foreign || (!weir_json_is(d->j, node, WEIR_JSON_ARRAY) && !weir_json_is(d->j, node, WEIR_JSON_OBJECT)))
        return;
    ev = event_new(d, WEIR_TEXT, ch->index);
    ev->block = ch->text.block;
    ev->copy = true;
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
}

/* ---- parts ---- */

/* What stands in a part that other dialects do not know: each string is a text by itself. */
static void put_other(struct decoder *d, struct gemini_choice *ch, uint32_t key)
{
    uint32_t value = key + 1;

    if (d->l->foreign) {
        weir_log(d->c, WEIR_WARN, "a part of the answer has no place in the client's dialect");
        return;
    }
    for (uint32_t i = value; i < d->j->nodes[value].next; i++)
        put_string(d, ch, i, true);
}

static bool part_modifier(const struct weir_json *j, uint32_t key)
{
    static const char *const names[] = {"text",          "thought",         "thoughtSignature",
                                        "functionCall",  "inlineData",      "fileData",
                                        "videoMetadata", "mediaResolution", NULL};

    for (const char *const *n = names; *n; n++)
        if (proto_is(weir_json_text(j, key), *n))
            return true;
    return false;
}

static void decode_part(struct decoder *d, struct gemini_choice *ch, uint32_t part)
{
    uint32_t text = proto_get(d->j, part, "text"), call = proto_get(d->j, part, "functionCall");

    put_signature(d, ch, proto_get(d->j, part, "thoughtSignature"));
    if (node_is_string(d->j, text) && d->j->nodes[text].len)
        put_text(d, ch, node_true(d->j, proto_get(d->j, part, "thought")) ? &ch->thought : &ch->text, text);
    if (weir_json_is(d->j, call, WEIR_JSON_OBJECT)) {
        if (d->l->foreign) {
            stream_close(d, ch, &ch->text);
            stream_close(d, ch, &ch->thought);
        }
        decode_call(d, ch, call);
    }
    if (d->l->foreign &&
        (proto_get(d->j, part, "inlineData") != WEIR_NO_NODE || proto_get(d->j, part, "fileData") != WEIR_NO_NODE))
        weir_log(d->c, WEIR_WARN, "an image of the answer has no place in the client's dialect");
    for (EACH_KEY(d->j, k, part))
        if (!part_modifier(d->j, k))
            put_other(d, ch, k);
}

/* ---- the end ---- */

static enum weir_finish finish_of(struct weir_str reason, bool called)
{
    static const struct {
        const char *name;
        enum weir_finish finish;
    } reasons[] = {
        {"MAX_TOKENS", WEIR_FINISH_LENGTH},
        {"SAFETY", WEIR_FINISH_FILTERED},
        {"RECITATION", WEIR_FINISH_FILTERED},
        {"BLOCKLIST", WEIR_FINISH_FILTERED},
        {"PROHIBITED_CONTENT", WEIR_FINISH_FILTERED},
        {"SPII", WEIR_FINISH_FILTERED},
        {"LANGUAGE", WEIR_FINISH_FILTERED},
        {"IMAGE_SAFETY", WEIR_FINISH_FILTERED},
        {"IMAGE_PROHIBITED_CONTENT", WEIR_FINISH_FILTERED},
        {"IMAGE_RECITATION", WEIR_FINISH_FILTERED},
        {"MALFORMED_FUNCTION_CALL", WEIR_FINISH_FAILED},
        {"UNEXPECTED_TOOL_CALL", WEIR_FINISH_FAILED},
        {"TOO_MANY_TOOL_CALLS", WEIR_FINISH_FAILED},
        {"MALFORMED_RESPONSE", WEIR_FINISH_FAILED},
        {"MISSING_THOUGHT_SIGNATURE", WEIR_FINISH_FAILED},
        {"CONTINUATION", WEIR_FINISH_FAILED}, /* only who sent the request can go on with it */
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (str_is(reason, reasons[i].name))
            return reasons[i].finish;
    return called ? WEIR_FINISH_TOOL_CALLS : WEIR_FINISH_STOP;
}

/* Another dialect has no word for a call that came out wrong: to its clients it is an error. */
static void put_finish(struct decoder *d, struct gemini_choice *ch, struct weir_str reason, uint32_t message)
{
    enum weir_finish finish = finish_of(reason, ch->calls > 0);
    struct weir_event *ev;

    if (finish == WEIR_FINISH_FAILED && d->l->foreign) {
        ev = event_new(d, WEIR_ERRORED, ch->index);
        ev->status = 502;
        ev->value = reason;
        ev->detail = node_is_string(d->j, message) ? node_value(d->c, d->j, message) : reason;
        return;
    }
    if (node_is_string(d->j, message) && !d->l->foreign) /* quotes what the model wrote */
        put_string(d, ch, message, true);
    ev = event_new(d, WEIR_FINISH, ch->index);
    ev->detail = reason;
    ev->finish = finish;
}

static void decode_candidate(struct decoder *d, uint32_t candidate, uint32_t place)
{
    int64_t index = proto_int(d->j, proto_get(d->j, candidate, "index"), place);
    uint32_t reason = proto_get(d->j, candidate, "finishReason");
    bool ends = node_is_string(d->j, reason) && d->j->nodes[reason].len;
    struct gemini_choice *ch;

    if (index < 0 || index > UINT16_MAX) {
        give_up(d, "a candidate's index makes no sense");
        return;
    }
    ch = choice_get(d, (uint32_t)index);
    if (!ch)
        return;
    for (EACH_ONE(d->j, part, proto_get(d->j, proto_get(d->j, candidate, "content"), "parts"))) {
        if (d->failed)
            return;
        decode_part(d, ch, part);
    }
    put_shadow(d, ch, proto_get(d->j, candidate, "logprobsResult"));
    put_shadow(d, ch, proto_get(d->j, candidate, "groundingMetadata"));
    if (ends || d->whole)
        choice_close(d, ch);
    if (ends && !ch->finished && !d->failed)
        put_finish(d, ch, node_value(d->c, d->j, reason), proto_get(d->j, candidate, "finishMessage"));
    ch->finished |= ends;
}

/* No candidate at all: the prompt was refused. */
static void decode_feedback(struct decoder *d, uint32_t feedback)
{
    uint32_t reason = proto_get(d->j, feedback, "blockReason");
    struct weir_event *ev;

    if (!node_is_string(d->j, reason) || d->l->choice_count)
        return;
    if (!choice_get(d, 0))
        return;
    ev = event_new(d, WEIR_FINISH, 0);
    ev->detail = node_value(d->c, d->j, reason);
    ev->finish = WEIR_FINISH_FILTERED;
}

/* ---- embeddings ---- */

static void put_vector(struct decoder *d, uint32_t values)
{
    struct weir_event *ev;

    if (!d->l->foreign || !weir_json_is(d->j, values, WEIR_JSON_ARRAY))
        return;
    ev = event_new(d, WEIR_VECTOR, d->l->vectors++);
    event_place(d, ev, values);
    ev->last = true;
}

/* {"embedding"}, {"embeddings":[]}, or Vertex's {"predictions":[]}, which count their tokens one by one. */
static void decode_embeddings(struct decoder *d, uint32_t root)
{
    uint32_t predictions = proto_get(d->j, root, "predictions");
    int64_t sum = 0;

    put_vector(d, proto_get(d->j, proto_get(d->j, root, "embedding"), "values"));
    for (EACH_ITEM(d->j, n, proto_get(d->j, root, "embeddings")))
        put_vector(d, proto_get(d->j, n, "values"));
    for (EACH_ITEM(d->j, n, predictions)) {
        uint32_t made = proto_get(d->j, n, "embeddings");
        int64_t v = proto_int(d->j, proto_get(d->j, proto_get(d->j, made, "statistics"), "token_count"), 0);
        put_vector(d, proto_get(d->j, made, "values"));
        sum += v > 0 && v < UINT32_MAX ? v : 0;
    }
    if (sum) {
        d->usage = (struct weir_usage){sum, -1, -1, -1, -1, -1, -1};
        event_new(d, WEIR_USAGE, 0)->usage = &d->usage;
    }
}

/* ---- errors ---- */

/* "34.07s", rounded up. */
static uint32_t seconds(struct weir_str s)
{
    uint32_t v = 0;
    size_t i = 0;

    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9' && v < 100000; i++)
        v = v * 10 + (uint32_t)(s.ptr[i] - '0');
    for (; i < s.len && (s.ptr[i] == '.' || s.ptr[i] == '0');)
        i++;
    return v + (i < s.len && s.ptr[i] > '0' && s.ptr[i] <= '9');
}

static void decode_error(struct decoder *d, uint32_t error)
{
    int64_t code = proto_int(d->j, proto_get(d->j, error, "code"), 0);
    struct weir_event *ev = event_new(d, WEIR_ERRORED, 0);

    ev->status = code >= 400 && code < 600 ? (int)code : d->frame->status >= 400 ? d->frame->status : 0;
    ev->value = proto_text(d->c, d->j, error, "status");
    ev->detail = proto_text(d->c, d->j, error, "message");
    for (EACH_ITEM(d->j, n, proto_get(d->j, error, "details"))) {
        uint32_t delay = proto_get(d->j, n, "retryDelay");
        if (node_is_string(d->j, delay))
            ev->retry_after = seconds(weir_json_text(d->j, delay));
        if (node_says(d->j, proto_get(d->j, n, "reason"), "API_KEY_INVALID")) /* told with 400 */
            ev->status = 401;
    }
}

/* ---- frames ---- */

static void remember(struct decoder *d, uint32_t root)
{
    uint32_t id = proto_get(d->j, root, "responseId"), model = proto_get(d->j, root, "modelVersion");
    struct weir_event *ev;

    if (d->l->begun)
        return;
    d->l->begun = true;
    if (node_is_string(d->j, id) && d->j->nodes[id].len <= 256)
        d->l->id = text_keep(d->c, node_value(d->c, d->j, id));
    if (node_is_string(d->j, model) && d->j->nodes[model].len <= 256)
        d->l->model = text_keep(d->c, node_value(d->c, d->j, model));
    if (!d->l->foreign)
        return;
    ev = event_new(d, WEIR_START, 0);
    ev->detail = d->l->id;
    ev->value = d->l->model;
}

static void decode_object(struct decoder *d, uint32_t root)
{
    uint32_t error = proto_get(d->j, root, "error"), usage = proto_get(d->j, root, "usageMetadata"), place = 0;

    if (weir_json_is(d->j, error, WEIR_JSON_OBJECT)) {
        decode_error(d, error);
        return;
    }
    if (d->frame->status >= 400) {
        event_new(d, WEIR_ERRORED, 0)->status = d->frame->status;
        return;
    }
    remember(d, root);
    for (EACH_ITEM(d->j, candidate, proto_get(d->j, root, "candidates"))) {
        if (weir_json_is(d->j, candidate, WEIR_JSON_OBJECT))
            decode_candidate(d, candidate, place++);
        if (d->failed)
            return;
    }
    decode_feedback(d, proto_get(d->j, root, "promptFeedback"));
    decode_embeddings(d, root);
    if (gemini_usage(d->j, usage, &d->usage)) /* of several the last counts */
        event_new(d, WEIR_USAGE, 0)->usage = &d->usage;
}

static bool decode_bare(struct decoder *d)
{
    struct weir_str s = d->frame->data;

    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n'))
        s.len--;
    if (d->frame->stream && !s.len)
        return true;
    if (d->frame->status < 400)
        return give_up(d, "the answer is not JSON");
    event_new(d, WEIR_ERRORED, 0)->status = d->frame->status;
    return true;
}

bool gemini_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct decoder d = {.c = c, .l = c->local, .frame = frame, .j = frame->json, .e = e, .cap = FIRST_EVENTS};
    bool array = weir_json_is(d.j, d.j ? 0 : WEIR_NO_NODE, WEIR_JSON_ARRAY);

    d.events = d.room;
    if (frame->first)
        *d.l = (struct gemini_local){.foreign = weir_canonical(c) != NULL};
    d.l->frames++;
    d.whole = !frame->stream && !array;
    if (!d.j || (!array && !weir_json_is(d.j, 0, WEIR_JSON_OBJECT)))
        decode_bare(&d);
    else if (array) /* a stream without alt=sse; an error may be alone in one too */
        for (EACH_ITEM(d.j, n, 0))
            decode_object(&d, n);
    else
        decode_object(&d, 0);
    for (uint32_t i = 0; array && i < d.l->choice_count && !d.failed; i++)
        choice_close(&d, &d.l->choices[i]);
    for (uint32_t i = 0; !d.failed && i < d.count; i++)
        weir_emit(c, &d.events[i]);
    return !d.failed;
}
