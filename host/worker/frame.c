/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c -- one frame of an answer: decode, guard, edit, write; see frame.h. */
#include "worker/frame.h"

#include <sys/uio.h>

#include "base/json_text.h"
#include "worker/answer.h"
#include "worker/exchange.h"
#include "worker/spans.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"

/* ---- writing ---- */

/* The bytes `from` with the frame's splices; offsets count from `from`. */
static bool spliced(struct frame *f, struct weir_str from, struct buf *to)
{
    struct iovec *v;
    size_t n, length;

    if (!splices_apply(f->arena, from, f->splices, f->splice_count, &v, &n, &length))
        return false;
    for (size_t i = 0; i < n; i++)
        buf_put(to, v[i].iov_base, v[i].iov_len);
    return true;
}

/* A record whose data is one line is edited in place; one of several lines is written anew, and a binary one with its
 * `headers`. */
static bool record_spliced(struct frame *f, const struct weir_str *headers, struct buf *to)
{
    struct weir_str raw = f->pub.raw, data = f->pub.data;
    struct buf edited = {0};
    bool ok;

    if (!headers && data.ptr >= raw.ptr && data.ptr + data.len <= raw.ptr + raw.len) {
        for (size_t i = 0; i < f->splice_count; i++)
            f->splices[i].at += (uint32_t)(data.ptr - raw.ptr);
        return spliced(f, raw, to);
    }
    ok = spliced(f, data, &edited);
    if (ok && headers)
        eventstream_write(to, *headers, buf_view(&edited));
    else if (ok)
        sse_write(to, f->pub.name, buf_view(&edited));
    buf_fini(&edited);
    return ok;
}

static bool frame_write(struct request *r)
{
    struct answer *a = r->answer;
    struct frame *f = &a->frame;
    const struct weir_str *headers = a->binary && !a->enveloped ? &a->headers : NULL;
    struct buf b;
    bool ok = true;

    if (f->dropped || a->translated)
        return true;
    if (!a->stream && !f->splice_count && !a->tail.len) {
        struct buf whole = a->body; /* as it came: a large one is not copied */
        a->body = a->tail;
        a->tail = whole;
    } else if (!a->stream) {
        ok = spliced(f, f->pub.data, &a->tail);
    } else if (!f->splice_count && f->end_mark) {
        buf_str(&a->tail, f->pub.raw);
    } else if (!f->splice_count) {
        answer_write(r, f->pub.raw);
    } else if (f->end_mark) {
        ok = record_spliced(f, headers, &a->tail);
    } else {
        b = worker_buf_take(r->w);
        ok = record_spliced(f, headers, &b);
        if (ok)
            answer_write(r, buf_view(&b));
        b.len = 0;
        worker_buf_give(r->w, &b);
    }
    if (!ok)
        answer_fail(r, OUTCOME_upstream_failed, "provider_broken", "the provider's plugin could not read the answer",
                    "decode gave texts that overlap");
    return ok;
}

/* Text without a frame of its own, as the dialect says it. */
static void write_synthetic(struct request *r, const struct lane *l)
{
    const struct weir_plugin *hooks = &r->dialect->plugin->hooks;
    struct ctx *c = request_ctx(r, r->dialect, NULL);
    struct buf b = worker_buf_take(r->w);
    const struct weir_event ev = {
        .size = sizeof ev,
        .channel = l->channel,
        .choice = l->choice,
        .block = l->block,
        .text = buf_view(&l->out),
        .tool_id = l->tool_id,
        .tool_name = l->tool_name,
    };
    bool ok;

    stages_out(c, &b);
    c->hook = HOOK_ANSWER;
    ok = hooks->answer && hooks->answer(&c->pub, &ev);
    c->hook = HOOK_NONE;
    stages_out(c, NULL);
    if (ok)
        answer_write(r, buf_view(&b));
    else
        answer_fail(r, OUTCOME_upstream_failed, "cannot_answer", "a guardrail's text cannot be said in this API",
                    "the dialect has no way to write held text");
    b.len = 0;
    worker_buf_give(r->w, &b);
}

/* ---- texts ---- */

static void splice_add(struct frame *f, uint32_t at, uint32_t len, struct weir_str with)
{
    if (f->splice_count == f->splice_cap) {
        size_t cap = f->splice_cap ? f->splice_cap * 2 : 4;
        struct splice *more = arena_alloc(f->arena, cap * sizeof *more);
        if (f->splice_count)
            memcpy(more, f->splices, f->splice_count * sizeof *more);
        f->splices = more;
        f->splice_cap = cap;
    }
    f->splices[f->splice_count++] = (struct splice){at, len, with};
}

static struct weir_str escaped(struct frame *f, struct weir_str text)
{
    struct buf b = {0};
    struct weir_str s;

    json_escape(&b, text);
    s = arena_copy(f->arena, buf_view(&b));
    buf_fini(&b);
    return s;
}

/* Whether the event's text stands in the frame.  Only text that is no JSON can begin at byte 0. */
static bool placed(const struct weir_event *ev)
{
    return ev->at || ev->len;
}

/* What came out of the chain stands where the text stood; or goes ahead of the frame when it stood nowhere. */
static void text_done(struct request *r, const struct weir_event *ev, struct lane *l)
{
    struct frame *f = &r->answer->frame;
    struct weir_str out = buf_view(&l->out);

    if (r->answer->translated) {
        translate_text(r, l, ev->last);
        return;
    }
    if (!placed(ev)) {
        if (!out.len)
            return;
        l->edited = true;
        if (r->answer->stream)
            write_synthetic(r, l);
        return;
    }
    if (str_eq(out, f->text))
        return;
    l->edited = true;
    splice_add(f, ev->at, ev->len, ev->raw ? arena_copy(f->arena, out) : escaped(f, out));
}

/* A repetition says what the client has got; one in another form (logprobs) cannot, and goes. */
static void text_copy(struct frame *f, const struct weir_event *ev, const struct lane *l)
{
    if (!l->edited || !placed(ev))
        return;
    splice_add(f, ev->at, ev->len, ev->text.len ? escaped(f, buf_view(&l->total)) : WEIR_STR("null"));
}

/* Starts a text on its way.  false: there is nothing to send. */
static bool text_begin(struct request *r, const struct weir_event *ev, struct lane *l)
{
    struct answer *a = r->answer;
    struct frame *f = &a->frame;

    if (ev->tool_id.len)
        l->tool_id = arena_copy(&r->arena, ev->tool_id);
    if (ev->tool_name.len)
        l->tool_name = arena_copy(&r->arena, ev->tool_name);
    if (ev->copy) {
        if (!r->answer->translated)
            text_copy(f, ev, l);
        return false;
    }
    f->text = ev->escaped && !ev->raw ? json_unescape(f->arena, ev->text) : ev->text;
    if (!f->text.len && !(ev->last && (l->open || r->answer->translated)) &&
        !(ev->tool_name.len && r->answer->translated))
        return false;
    chain_push(&a->chain, l, f->text, ev->last || !a->stream);
    return true;
}

/* Until the text at hand is through.  false: a stage waits, or has refused. */
static bool text_run(struct request *r, const struct weir_event *ev, struct lane *l)
{
    struct frame *f = &r->answer->frame;

    f->begun = true;
    switch (chain_run(&r->answer->chain)) {
    case STAGES_WAIT:
        return false;
    case STAGES_STOP:
        answer_stop(r);
        return false;
    case STAGES_GO:
        break;
    }
    f->begun = false;
    text_done(r, ev, l);
    return !r->answer->stopped;
}

/* ---- events ---- */

static void usage_take(struct weir_usage *to, const struct weir_usage *from)
{
    int64_t *t = (int64_t *)to;
    const int64_t *s = (const int64_t *)from;

    for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
        if (s[i] >= 0)
            t[i] = s[i];
}

/* An error before the client has a byte is a failed attempt; later it goes through as the end of the stream. */
static void errored(struct request *r, const struct weir_event *ev)
{
    struct answer *a = r->answer;

    a->finished = true;
    if (a->translated) {
        translate_error(r, ev);
        return;
    }
    r->outcome = OUTCOME_upstream_error;
    r->reason = arena_copy(&r->arena, ev->detail);
    if (!r->reply.begun && a->stream && r->pick + 1 < r->candidate_count)
        answer_fail(r, OUTCOME_upstream_error, "upstream_error", "the model's provider failed",
                    "an error instead of a stream");
}

static void mark(struct request *r, const struct weir_event *ev)
{
    struct answer *a = r->answer;

    if (ev->channel == WEIR_USAGE && ev->usage) {
        usage_take(&r->usage, ev->usage);
    } else if (ev->channel == WEIR_FINISH) {
        a->finished = true;
        if (ev->detail.len)
            r->finish = arena_copy(&r->arena, ev->detail);
    } else if (ev->channel == WEIR_DONE_MARK) {
        a->done = a->frame.end_mark = true;
    } else if (ev->channel == WEIR_ERRORED) {
        errored(r, ev);
    }
}

/* Ends the streams of one choice, or of all.  false: a stage waits, or the answer has been stopped. */
static bool lanes_end(struct request *r, const uint32_t *choice)
{
    struct answer *a = r->answer;
    const struct weir_event none = {.last = true};

    for (struct lane *l = a->chain.lanes; l; l = l->next) {
        bool open = a->translated ? !l->closed : l->open;
        if ((choice && l->choice != *choice) || (!open && !(a->frame.begun && a->chain.lane == l)))
            continue;
        a->frame.text = (struct weir_str){0};
        if (!a->frame.begun)
            chain_push(&a->chain, l, (struct weir_str){0}, true);
        if (!text_run(r, &none, l))
            return false;
    }
    return true;
}

/* false: a stage waits, or the answer has been stopped. */
static bool event_run(struct request *r, const struct weir_event *ev)
{
    struct answer *a = r->answer;
    struct lane *l;

    if (ev->channel > WEIR_ARGUMENTS) {
        if (a->translated && ev->channel == WEIR_FINISH && !lanes_end(r, &ev->choice))
            return false;
        mark(r, ev);
        if (a->translated && ev->channel != WEIR_ERRORED && ev->channel != WEIR_DONE_MARK && !a->stopped)
            translate_say(r, ev);
        return !a->stopped;
    }
    if (!a->chain.keep && !a->translated)
        return true; /* nobody looks at texts */
    l = chain_lane(&a->chain, ev->choice, ev->channel, ev->block);
    if (!a->frame.begun && !text_begin(r, ev, l))
        return true;
    return text_run(r, ev, l);
}

bool frame_flush(struct request *r)
{
    return lanes_end(r, NULL);
}

bool frame_run(struct request *r)
{
    struct frame *f = &r->answer->frame;

    while (f->event_at < f->event_count) {
        if (!event_run(r, &f->events[f->event_at]))
            return false;
        f->event_at++;
    }
    if (f->end_mark && !frame_flush(r))
        return false;
    f->busy = false;
    return frame_write(r) && !r->answer->stopped;
}

/* ---- taking ---- */

/* A stage may wait while the bytes that the frame came in are used for something else. */
static void frame_keep(struct frame *f)
{
    struct weir_frame *p = &f->pub;
    struct weir_str raw = arena_copy(f->arena, p->raw);
    bool inside = p->data.ptr >= p->raw.ptr && p->data.ptr + p->data.len <= p->raw.ptr + p->raw.len;

    p->data =
        inside ? (struct weir_str){raw.ptr + (p->data.ptr - p->raw.ptr), p->data.len} : arena_copy(f->arena, p->data);
    p->name = arena_copy(f->arena, p->name);
    p->raw = raw;
}

static void frame_reset(struct frame *f, const struct weir_frame *pub)
{
    arena_reset(f->arena);
    f->pub = *pub;
    f->pub.size = sizeof *pub;
    f->events = NULL;
    f->splices = NULL;
    f->event_count = f->event_cap = f->event_at = 0;
    f->splice_count = f->splice_cap = 0;
    f->dropped = f->end_mark = f->begun = false;
    f->busy = true;
}

static bool frame_decode(struct request *r, struct weir_error *error)
{
    struct ctx *c = r->answer->frame.decoder;
    enum hook before = c->hook;
    bool ok;

    c->hook = HOOK_DECODE;
    ok = c->in->plugin->hooks.decode(&c->pub, &r->answer->frame.pub, error);
    c->hook = before;
    return ok;
}

bool frame_take(struct request *r, struct weir_frame pub)
{
    const struct settings *set = &r->w->world->settings;
    const struct json_limits limits = {(uint32_t)set->json_depth, (uint32_t)set->json_nodes};
    struct answer *a = r->answer;
    struct frame *f = &a->frame;
    struct weir_error error = {{0}, {0}, {0}};
    bool ok = true;

    pub.status = a->status;
    pub.first = !f->taken;
    f->taken = true;
    frame_reset(f, &pub);
    if (a->stream && a->chain.wanted) {
        frame_keep(f);
        a->headers = arena_copy(f->arena, a->headers);
    }
    if (a->text || (!f->pub.data.len && r->view.answer != WEIR_BODY_JSON))
        ok = true; /* no JSON, or nothing at all */
    else if (f->pub.data.len && json_skim(&r->w->skim, f->pub.data, &limits, &f->json, &error))
        f->pub.json = &f->json;
    else
        ok = a->stream || a->passes; /* records may hold anything: "[DONE]", comments; and errors any page */
    if (ok && f->pub.data.len && (a->stream || a->text || f->pub.json))
        ok = frame_decode(r, &error) || a->passes;
    f->pub.json = NULL; /* its nodes serve the next frame */
    if (!ok) {
        f->busy = false;
        answer_fail(r, OUTCOME_upstream_invalid, "upstream_invalid",
                    "the model's provider sent an answer that makes no sense",
                    error.text[0] ? error.text : "decode failed");
        return false;
    }
    return frame_run(r);
}

/* ---- services ---- */

static void event_add(struct frame *f, const struct weir_event *ev)
{
    if (f->event_count == f->event_cap) {
        size_t cap = f->event_cap ? f->event_cap * 2 : 4;
        struct weir_event *more = arena_alloc(f->arena, cap * sizeof *more);
        if (f->event_count)
            memcpy(more, f->events, f->event_count * sizeof *more);
        f->events = more;
        f->event_cap = cap;
    }
    f->events[f->event_count++] = *ev;
}

void frame_emit(struct ctx *c, const struct weir_event *given)
{
    struct answer *a = c->r->answer;
    struct weir_event ev = {0};

    memcpy(&ev, given, given->size < sizeof ev ? given->size : sizeof ev); /* an older plugin's is shorter */
    if (!a)
        return;
    if (c->stage) {
        chain_emit(&a->chain, c, &ev);
        return;
    }
    if (c->hook != HOOK_DECODE)
        return;
    if (placed(&ev)) { /* the text is what stands there, whatever the event says */
        if (ev.at > a->frame.pub.data.len || ev.len > a->frame.pub.data.len - ev.at)
            return;
        if (!ev.copy || ev.text.len)
            ev.text = str_sub(a->frame.pub.data, ev.at, ev.at + ev.len);
    } else {
        ev.text = arena_copy(a->frame.arena, ev.text);
    }
    if (ev.usage) {
        struct weir_usage *u = arena_alloc(a->frame.arena, sizeof *u);
        *u = *ev.usage;
        ev.usage = u;
    }
    ev.detail = arena_copy(a->frame.arena, ev.detail);
    ev.value = arena_copy(a->frame.arena, ev.value);
    ev.tool_id = arena_copy(a->frame.arena, ev.tool_id);
    ev.tool_name = arena_copy(a->frame.arena, ev.tool_name);
    event_add(&a->frame, &ev);
}

void frame_drop(struct ctx *c)
{
    if (c->r->answer && c->hook == HOOK_DECODE)
        c->r->answer->frame.dropped = true;
}

void frame_splice(struct ctx *c, uint32_t at, uint32_t len, struct weir_str with)
{
    struct answer *a = c->r->answer;

    if (!a || (c->hook != HOOK_DECODE && c->hook != HOOK_ANSWER))
        return;
    with = arena_copy(a->frame.arena, with);
    for (size_t i = 0; c->hook == HOOK_ANSWER && i < a->frame.splice_count; i++) {
        struct splice *s = &a->frame.splices[i];
        if (s->at == at && s->len == len) {
            s->with = with;
            return;
        }
    }
    splice_add(&a->frame, at, len, with);
}
