/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a frame of an OpenAI-like upstream -> events.  Host: step `stream`, worker process.
 *
 * Shapes are not trusted: a member of a type that the grammar does not know is left alone (the frame goes through as it
 * came), and what cannot be numbered ends the attempt.  Events of a frame are gathered first, because only at the end
 * of a choice is it known which event of each stream is its last.
 */
#include "decode.h"
#include "streams.h"

#include <stdio.h>

bool decode_give_up(struct decoder *d, const char *text)
{
    d->failed = true;
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    return false;
}

struct weir_event *decode_event(struct decoder *d, enum weir_channel channel, uint32_t choice)
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

/* ---- text ---- */

void decode_place(struct decoder *d, struct weir_event *ev, uint32_t node)
{
    ev->text = weir_json_text(d->j, node);
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
    ev->escaped = d->j->nodes[node].escaped;
    ev->raw = d->j->nodes[node].type != WEIR_JSON_STRING;
}

struct weir_event *decode_event_at(struct decoder *d, enum weir_channel channel, uint32_t choice, uint32_t block,
                                   uint32_t node)
{
    struct openai_stream *s = stream_get(d->c, channel, choice, block);
    int64_t as = s ? stream_use(s, d->l->frames, d->count) : -1;
    struct weir_event *ev;

    if (as < 0) {
        decode_give_up(d, "the answer has too many choices or tool calls");
        return NULL;
    }
    ev = decode_event(d, channel, choice);
    ev->block = (uint32_t)as;
    if (node != WEIR_NO_NODE)
        decode_place(d, ev, node);
    return ev;
}

static void put_text(struct decoder *d, enum weir_channel channel, uint32_t choice, uint32_t block, uint32_t node)
{
    if (!is_text(d, node))
        return;
    if (d->l->splits && channel == WEIR_TEXT && block == TEXT_CONTENT)
        think_text(d, choice, value_of(d, node));
    else
        decode_event_at(d, channel, choice, block, node);
}

/* Servers that say their reasoning under two names say it twice; a client of another dialect gets the first. */
static void put_reasoning(struct decoder *d, uint32_t choice, uint32_t block, uint32_t node)
{
    if (d->l->lowered && is_text(d, node)) {
        if (!d->l->reasoning)
            d->l->reasoning = (uint8_t)(block + 1);
        if (d->l->reasoning != block + 1)
            return;
    }
    put_text(d, WEIR_REASONING, choice, block, node);
}

/* A value that says a stream's text in another form, as logprobs do: a copy without text of its own. */
static void put_shadow(struct decoder *d, uint32_t choice, uint32_t block, uint32_t node)
{
    struct openai_stream *s;
    struct weir_event *ev;

    if (d->l->lowered || (!is(d, node, WEIR_JSON_ARRAY) && !is(d, node, WEIR_JSON_OBJECT)))
        return;
    s = stream_get(d->c, WEIR_TEXT, choice, block);
    if (!s) {
        decode_give_up(d, "the answer has too many choices or tool calls");
        return;
    }
    ev = decode_event(d, WEIR_TEXT, choice);
    ev->block = stream_block(s);
    ev->copy = true;
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
}

/* Mistral's parts: {"type":"text","text"} and {"type":"thinking","thinking":[{"type":"text","text"}]}. */
static void decode_parts(struct decoder *d, uint32_t choice, uint32_t array)
{
    for (EACH_ITEM(d->j, part, array)) {
        uint32_t thinking = weir_json_get(d->j, part, "thinking");
        if (is(d, part, WEIR_JSON_STRING))
            put_text(d, WEIR_TEXT, choice, TEXT_CONTENT, part);
        put_text(d, WEIR_TEXT, choice, TEXT_CONTENT, weir_json_get(d->j, part, "text"));
        put_text(d, WEIR_TEXT, choice, TEXT_REFUSAL, weir_json_get(d->j, part, "refusal"));
        put_reasoning(d, choice, REASONING_PARTS, thinking);
        for (EACH_ITEM(d->j, inner, thinking))
            put_reasoning(d, choice, REASONING_PARTS, weir_json_get(d->j, inner, "text"));
    }
}

/* OpenRouter's reasoning_details say what `reasoning` says, sometimes all of it, sometimes a summary. */
static void decode_details(struct decoder *d, uint32_t choice, uint32_t array)
{
    for (EACH_ITEM(d->j, item, array)) {
        put_reasoning(d, choice, REASONING_DETAILS, weir_json_get(d->j, item, "text"));
        put_reasoning(d, choice, REASONING_DETAILS, weir_json_get(d->j, item, "summary"));
        if (d->l->lowered)
            decode_opaque(d, choice, item);
    }
}

/* ---- choices ---- */

static void decode_reasoning(struct decoder *d, uint32_t choice, uint32_t k)
{
    if (KEY_IS(d->j, k, "reasoning_content"))
        put_reasoning(d, choice, REASONING_CONTENT, k + 1);
    else if (KEY_IS(d->j, k, "reasoning"))
        put_reasoning(d, choice, REASONING_PLAIN, k + 1);
    else if (KEY_IS(d->j, k, "reasoning_details"))
        decode_details(d, choice, k + 1);
}

/* `delta` of a stream, `message` of a whole answer: the same members.  Dialects in which reasoning has a place have it
 * before the text, wherever this server puts it. */
static void decode_message(struct decoder *d, uint32_t choice, uint32_t message)
{
    for (EACH_KEY(d->j, k, d->l->lowered ? message : WEIR_NO_NODE))
        decode_reasoning(d, choice, k);
    for (EACH_KEY(d->j, k, message)) {
        uint32_t v = k + 1;
        if (KEY_IS(d->j, k, "content") && is(d, v, WEIR_JSON_STRING))
            put_text(d, WEIR_TEXT, choice, TEXT_CONTENT, v);
        else if (KEY_IS(d->j, k, "content"))
            decode_parts(d, choice, v);
        else if (KEY_IS(d->j, k, "refusal"))
            put_text(d, WEIR_TEXT, choice, TEXT_REFUSAL, v);
        else if (KEY_IS(d->j, k, "tool_calls"))
            decode_calls(d, choice, v);
        else if (KEY_IS(d->j, k, "function_call"))
            decode_old_call(d, choice, v);
        else if (KEY_IS(d->j, k, "audio"))
            put_text(d, WEIR_TEXT, choice, TEXT_TRANSCRIPT, weir_json_get(d->j, v, "transcript"));
        else if (!d->l->lowered)
            decode_reasoning(d, choice, k);
    }
}

/* Chat has {"content":[...],"refusal":[...]}, legacy completions one object. */
static void decode_logprobs(struct decoder *d, uint32_t choice, uint32_t logprobs)
{
    uint32_t content = weir_json_get(d->j, logprobs, "content"), refusal = weir_json_get(d->j, logprobs, "refusal");

    put_shadow(d, choice, TEXT_CONTENT, content);
    put_shadow(d, choice, TEXT_REFUSAL, refusal);
    if (content == WEIR_NO_NODE && refusal == WEIR_NO_NODE)
        put_shadow(d, choice, TEXT_CONTENT, logprobs);
}

void decode_end_stream(struct decoder *d, struct openai_stream *s)
{
    struct weir_event *ev;

    s->open = false;
    s->ended = true;
    if (s->frame == d->l->frames) {
        d->events[s->event].last = true;
        return;
    }
    ev = decode_event(d, (enum weir_channel)s->channel, s->choice);
    ev->block = stream_block(s);
    ev->last = true;
}

/* All open streams of a choice. */
static void end_streams(struct decoder *d, bool all, uint32_t choice)
{
    for (uint32_t i = 0; i < d->l->stream_count && !d->failed; i++) {
        struct openai_stream *s = &d->l->streams[i];
        if (s->open && (all || s->choice == choice))
            decode_end_stream(d, s);
    }
}

/* Without a reason the choice ended all the same: clients of other dialects are told so, for theirs want one. */
static void decode_finish(struct decoder *d, uint32_t choice, uint32_t item, uint32_t reason)
{
    struct openai_stream *s;
    struct weir_event *ev;

    think_end(d, choice);
    end_streams(d, false, choice);
    if ((!is_text(d, reason) && !d->l->lowered) || d->failed || d->l->errored)
        return;
    s = stream_get(d->c, WEIR_FINISH, choice, 0);
    if (!s) {
        decode_give_up(d, "the answer has too many choices");
        return;
    }
    if (s->frame) /* some servers say it again with the usage */
        return;
    s->frame = d->l->frames;
    ev = decode_event(d, WEIR_FINISH, choice);
    ev->detail = value_of(d, reason);
    ev->finish = decode_reason(d, choice, ev->detail);
    decode_stop_sequence(d, ev, item);
}

/* The end of a stream whose choices never had a reason; what it holds is complete. */
static void finish_rest(struct decoder *d)
{
    uint32_t count;

    think_end_all(d);
    count = d->l->stream_count;
    for (uint32_t i = 0; i < count && !d->failed; i++)
        decode_finish(d, d->l->streams[i].choice, WEIR_NO_NODE, WEIR_NO_NODE);
    if (!count && d->l->started) /* an empty answer */
        decode_finish(d, 0, WEIR_NO_NODE, WEIR_NO_NODE);
}

/* Members of a choice, found in one pass; WEIR_NO_NODE: not there. */
struct choice_members {
    uint32_t index, text, delta, message, logprobs, finish, error, usage;
};

static struct choice_members choice_read(const struct weir_json *j, uint32_t item)
{
    struct choice_members m;

    memset(&m, 0xff, sizeof m); /* WEIR_NO_NODE in all */
    for (EACH_KEY(j, k, item)) {
        if (KEY_IS(j, k, "index"))
            m.index = k + 1;
        else if (KEY_IS(j, k, "delta"))
            m.delta = k + 1;
        else if (KEY_IS(j, k, "finish_reason"))
            m.finish = k + 1;
        else if (KEY_IS(j, k, "logprobs"))
            m.logprobs = k + 1;
        else if (KEY_IS(j, k, "message"))
            m.message = k + 1;
        else if (KEY_IS(j, k, "text"))
            m.text = k + 1;
        else if (KEY_IS(j, k, "usage"))
            m.usage = k + 1;
        else if (KEY_IS(j, k, "error"))
            m.error = k + 1;
    }
    return m;
}

static void decode_choice(struct decoder *d, uint32_t item, uint32_t place)
{
    struct choice_members m = choice_read(d->j, item);
    int64_t index = is(d, m.index, WEIR_JSON_NUMBER) ? openai_count(d->j, m.index) : place;
    uint32_t choice = (uint32_t)index;

    if (index < 0 || index >= OPENAI_CHOICES) {
        decode_give_up(d, "a choice's index makes no sense");
        return;
    }
    put_text(d, WEIR_TEXT, choice, TEXT_CONTENT, m.text);
    decode_message(d, choice, m.delta);
    if (is(d, m.delta, WEIR_JSON_OBJECT)) /* beside a delta, the message says all of it again */
        put_shadow(d, choice, TEXT_CONTENT, m.message);
    else
        decode_message(d, choice, m.message);
    if (node_there(d->j, m.logprobs))
        decode_logprobs(d, choice, m.logprobs);
    if (d->whole || is_text(d, m.finish))
        decode_finish(d, choice, item, m.finish);
    if (m.error != WEIR_NO_NODE)
        decode_error(d, m.error);
    if (is(d, m.usage, WEIR_JSON_OBJECT) && openai_usage(d->j, m.usage, &d->usage)) /* Moonshot, once */
        decode_event(d, WEIR_USAGE, choice)->usage = &d->usage;
}

/* ---- frames ---- */

struct frame_members {
    uint32_t id, model, created, choices, usage, error, x_groq, data;
};

static struct frame_members frame_read(const struct weir_json *j)
{
    struct frame_members m;

    memset(&m, 0xff, sizeof m); /* WEIR_NO_NODE in all */
    for (EACH_KEY(j, k, 0)) {
        if (KEY_IS(j, k, "id"))
            m.id = k + 1;
        else if (KEY_IS(j, k, "choices"))
            m.choices = k + 1;
        else if (KEY_IS(j, k, "created"))
            m.created = k + 1;
        else if (KEY_IS(j, k, "model"))
            m.model = k + 1;
        else if (KEY_IS(j, k, "usage"))
            m.usage = k + 1;
        else if (KEY_IS(j, k, "error"))
            m.error = k + 1;
        else if (KEY_IS(j, k, "x_groq"))
            m.x_groq = k + 1;
        else if (KEY_IS(j, k, "data"))
            m.data = k + 1;
    }
    return m;
}

static void remember(struct decoder *d, const struct frame_members *m)
{
    if (!is_text(d, m->id) || d->j->nodes[m->id].len > 256) /* Azure's first chunk has "" */
        return;
    d->l->id = text_keep(d->c, weir_json_text(d->j, m->id));
    if (is_text(d, m->model) && d->j->nodes[m->model].len <= 256)
        d->l->model = text_keep(d->c, weir_json_text(d->j, m->model));
    if (is(d, m->created, WEIR_JSON_NUMBER))
        d->l->created = text_keep(d->c, weir_json_text(d->j, m->created));
}

/* The record that include_usage adds: usage and no choice.  One that says more stays, without its usage. */
static void hide_usage(struct decoder *d, uint32_t choices, uint32_t usage)
{
    static const char *const plain[] = {
        "id",           "object",      "created", "model", "choices", "usage", "system_fingerprint",
        "service_tier", "obfuscation", "x_groq",  NULL};
    const struct openai *o = d->c->self;
    const struct weir_request *r = weir_request(d->c);
    bool more = false;

    if (d->l->lowered || !d->frame->stream || !r->stream || r->usage_asked || !o->include_usage ||
        !is(d, usage, WEIR_JSON_OBJECT) ||
        (is(d, choices, WEIR_JSON_ARRAY) && weir_json_first(d->j, choices) != WEIR_NO_NODE))
        return;
    for (EACH_KEY(d->j, k, 0)) {
        const char *const *p = plain;
        while (*p && !weir_json_eq(d->j, k, *p, strlen(*p)))
            p++;
        more |= !*p;
    }
    if (more)
        weir_frame_splice(d->c, d->j->nodes[usage].at, d->j->nodes[usage].len, WEIR_STR("null"));
    else
        weir_frame_drop(d->c);
}

static void decode_usage(struct decoder *d, uint32_t usage, uint32_t x_groq)
{
    if (!is(d, usage, WEIR_JSON_OBJECT))
        usage = weir_json_get(d->j, x_groq, "usage");
    if (is(d, usage, WEIR_JSON_OBJECT) && openai_usage(d->j, usage, &d->usage))
        decode_event(d, WEIR_USAGE, 0)->usage = &d->usage;
}

static bool decode_object(struct decoder *d)
{
    struct frame_members m = frame_read(d->j);
    uint32_t place = 0;

    if (!d->l->id.len)
        remember(d, &m);
    if (d->l->lowered)
        decode_start(d);
    for (EACH_ITEM(d->j, item, m.choices)) {
        if (is(d, item, WEIR_JSON_OBJECT))
            decode_choice(d, item, place++);
        if (d->failed)
            return false;
    }
    if (d->l->lowered)
        decode_vectors(d, m.data);
    if (m.usage != WEIR_NO_NODE || m.x_groq != WEIR_NO_NODE)
        decode_usage(d, m.usage, m.x_groq);
    if (m.error != WEIR_NO_NODE)
        decode_error(d, m.error);
    if (d->frame->status >= 400 || d->frame->name.len || m.choices == WEIR_NO_NODE)
        decode_flat_error(d, 0, m.error);
    if (m.usage != WEIR_NO_NODE)
        hide_usage(d, m.choices, m.usage);
    return !d->failed;
}

/* Not JSON: the mark of the end, a comment, an error page; or nothing that this grammar knows. */
static bool decode_bare(struct decoder *d)
{
    struct weir_str s = d->frame->data;

    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n'))
        s.len--;
    if (d->frame->stream && !s.len)
        return true;
    if (d->frame->stream && str_is(s, "[DONE]")) {
        if (d->l->lowered)
            finish_rest(d);
        end_streams(d, true, 0);
        decode_event(d, WEIR_DONE_MARK, 0);
        d->l->done = true;
        return true;
    }
    if (d->frame->status < 400)
        return decode_give_up(d, "the answer is not JSON");
    decode_error_page(d);
    return true;
}

bool openai_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct decoder d = {.c = c, .l = c->local, .frame = frame, .j = frame->json, .e = e, .whole = !frame->stream};
    bool ok;

    d.events = d.room;
    d.cap = FIRST_EVENTS;
    if (frame->first)
        *d.l = (struct openai_local){.lowered = d.l->lowered,
                                     .splits = d.l->lowered && strcmp(((struct openai *)c->self)->think, "keep") != 0};
    d.l->frames++;
    if (d.l->done) { /* nothing follows the mark */
        weir_frame_drop(c);
        return true;
    }
    if (weir_request(c)->kind >= WEIR_IMAGE && frame->status < 400)
        ok = decode_media(&d);
    else if (!d.j)
        ok = decode_bare(&d);
    else if (!is(&d, 0, WEIR_JSON_OBJECT))
        ok = frame->status >= 400 ? decode_bare(&d) : decode_give_up(&d, "the answer is not a JSON object");
    else
        ok = decode_object(&d);
    for (uint32_t i = 0; ok && i < d.count; i++)
        weir_emit(c, &d.events[i]);
    return ok;
}
