/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c -- the life of an answer: its beginning, its pieces, its end; step `stream`.  See answer.h. */
#include "worker/answer.h"

#include "base/log.h"
#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/envelope.h"
#include "worker/exchange.h"
#include "worker/form.h"
#include "worker/kind.h"
#include "worker/reply.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"

#define END_WAIT_MS 100 /* between the end mark and the end of the message, which a connection is kept for */

void answer_new(struct request *r)
{
    const struct provider *p = r->endpoints[r->pick];
    struct answer *a = arena_alloc(&r->arena, sizeof *a);
    bool own = p->in.plugin->hooks.decode && (translates(r) || p->in.plugin != p->dialect->plugin);

    a->limit =
        (uint64_t)(kind_has_media(r->view.kind) ? r->w->world->settings.max_media : r->w->world->settings.max_response);
    a->sse.limit = a->binary_frames.limit = (size_t)a->limit;
    /* Decode shares `local` with encode; when client and upstream speak one dialect, with its answer instead. */
    a->frame.decoder = request_ctx(r, own ? &p->in : p->dialect, NULL);
    a->frame.arena = &r->frames;
    chain_init(&a->chain, r);
    r->answer = a;
}

void answer_free(struct request *r)
{
    struct answer *a = r->answer;

    if (!a)
        return;
    sse_fini(&a->sse);
    eventstream_fini(&a->binary_frames);
    buf_fini(&a->opened);
    worker_buf_give(r->w, &a->body);
    worker_buf_give(r->w, &a->tail);
    chain_fini(&a->chain);
    r->answer = NULL;
}

bool answer_complete(const struct request *r)
{
    return r->answer && r->answer->stream && r->answer->done;
}

void answer_fail(struct request *r, enum outcome outcome, const char *code, const char *text, const char *why)
{
    r->answer->stopped = true;
    attempt_failed(r, outcome, 502, code, text, why);
}

void answer_stop(struct request *r)
{
    r->answer->stopped = true;
    exchange_stop(r->x);
    pipeline_goto(r, STEP_close);
}

void answer_write(struct request *r, struct weir_str bytes)
{
    if (!bytes.len)
        return;
    if (!r->reply.begun)
        reply_begin(r, r->answer->status, r->answer->type, r->reply.headers);
    reply_piece(r, bytes);
    if (!r->reply.held && client_pending(r->client) > CLIENT_HIGH)
        exchange_block(r->x);
}

/* ---- the beginning ---- */

static bool type_is(struct weir_str type, struct weir_str want)
{
    return type.len >= want.len && str_eq_nocase(str_sub(type, 0, want.len), want) &&
           (type.len == want.len || type.ptr[want.len] == ';' || type.ptr[want.len] == ' ');
}

/* Sound and pictures: no text for a guardrail. */
static bool type_is_media(struct weir_str t)
{
    static const struct weir_str roots[] = {{"audio/", 6}, {"image/", 6}, {"video/", 6}};

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (t.len > roots[i].len && str_eq_nocase(str_sub(t, 0, roots[i].len), roots[i]))
            return !type_is(t, WEIR_STR("image/svg+xml"));
    return false;
}

/* An answer that is not of the dialect: whether it passes as it comes, or is gathered for guardrails to read. */
static void answer_plain(struct request *r, struct weir_str type)
{
    struct answer *a = r->answer;

    if (a->translated || a->stream || a->passes || r->view.answer == WEIR_BODY_JSON ||
        (r->view.answer == WEIR_BODY_TYPED && type_is(type, WEIR_STR("application/json"))))
        return;
    a->opaque = type_is_media(type);
    a->text = a->chain.keep && !a->opaque;
    a->bytes = !a->text;
}

/* false: a guardrail does not let through what it cannot read. */
static bool answer_unseen(struct request *r)
{
    if (stages_take_unseen(r, true))
        return true;
    r->answer->stopped = true;
    exchange_stop(r->x);
    pipeline_goto(r, STEP_close);
    return false;
}

bool answer_begin(struct request *r, const struct http1_head *h)
{
    struct answer *a = r->answer;
    const struct weir_str *type = http1_find(h, WEIR_STR("content-type"));
    struct weir_str t = type ? *type : WEIR_STR("application/json");

    a->status = h->status;
    a->passes = h->status >= 400;
    a->binary = !a->passes && type_is(t, WEIR_STR("application/vnd.amazon.eventstream"));
    a->stream = a->binary || (!a->passes && type_is(t, WEIR_STR("text/event-stream")));
    a->enveloped = a->binary && r->http && r->http->enveloped;
    a->type = a->enveloped ? "text/event-stream; charset=utf-8" : arena_strdup(&r->arena, t);
    a->translated = translates(r);
    answer_plain(r, t);
    a->out_stream = a->translated ? r->view.stream : a->stream || a->bytes;
    if (a->translated)
        a->type = !a->out_stream        ? "application/json"
                  : r->view.stream_type ? r->view.stream_type
                                        : "text/event-stream; charset=utf-8";
    reply_pass_headers(r, h);
    r->reply.held = a->out_stream && !a->bytes && stages_hold_stream(r->w->world);
    if (a->bytes || a->text)
        reply_pass_bytes(r, h);
    r->reply.bytes = a->bytes;
    if (!a->stream)
        a->body = worker_buf_take(r->w);
    a->opaque = !a->passes && (a->opaque || kind_has_media(r->view.kind));
    return !a->opaque || answer_unseen(r);
}

enum step_result step_stream(struct request *r)
{
    (void)r;
    return STEP_WAIT; /* the exchange calls in here; the end leads to `check`, a failure to `close` */
}

/* ---- pieces ---- */

#define PIECE_LEAST 8  /* shorter lines of a credential are no secrets */
#define PIECE_MOST  32 /* so much from the middle of a long one tells as well, and is found faster */

/* Whether a line of the attempt's credential stands in it. */
static bool holds_credential(struct weir_str credential, struct weir_str s)
{
    const char *at = credential.ptr, *end = at + credential.len;

    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((eol ? eol : end) - at), most = n < PIECE_MOST ? n : PIECE_MOST;
        if (n >= PIECE_LEAST && memmem(s.ptr, s.len, at + (n - most) / 2, most))
            return true;
        at += n + 1;
    }
    return false;
}

/* An upstream may repeat what we sent; our credentials do not go on to clients. */
static bool holds_secret(const struct request *r, struct weir_str s)
{
    const struct provider *p = r->endpoints[r->pick];
    bool held = r->credential.len && s.len && holds_credential(r->credential, s);

    for (size_t i = 0; s.len && !held && i < p->secret_count; i++)
        held = p->secrets[i].len && memmem(s.ptr, s.len, p->secrets[i].ptr, p->secrets[i].len);
    if (held)
        log_event(WEIR_ERROR, LOG_upstream_secret, "request=%s provider=%s", r->id, p->in.name);
    return held;
}

static void record_take(struct request *r, const struct sse_record *rec)
{
    if (r->answer->done)
        return; /* nothing follows the end mark */
    if (holds_secret(r, rec->raw)) {
        answer_fail(r, OUTCOME_upstream_error, "upstream_error", "the model's provider failed; its words are withheld",
                    "a record held one of our secrets");
        return;
    }
    frame_take(r, (struct weir_frame){.stream = true, .raw = rec->raw, .name = rec->name, .data = rec->data});
}

static void too_large(struct request *r)
{
    answer_fail(r, OUTCOME_upstream_invalid, "upstream_too_large",
                "the model's provider sent a record that is too large", "a record is larger than max_response");
}

/* Of a frame the record that the client gets.  false: the stream has been ended. */
static bool record_open(struct request *r, const struct eventstream_record *frame, struct sse_record *rec)
{
    struct answer *a = r->answer;

    *rec = (struct sse_record){frame->raw, frame->name, frame->data.len ? frame->data : frame->message};
    a->headers = frame->headers;
    if (!a->enveloped)
        return true;
    if (!str_is(frame->type, "event")) {
        answer_fail(r, OUTCOME_upstream_error, "upstream_error",
                    "the model's provider failed in the middle of its answer", arena_strdup(&r->arena, frame->name));
        return false;
    }
    if (envelope_open(frame->data, &a->opened, rec))
        return true;
    answer_fail(r, OUTCOME_upstream_invalid, "upstream_invalid",
                "the model's provider sent an answer that makes no sense", "a frame is no envelope of a record");
    return false;
}

/* The next record, of either kind.  false: there is none now. */
static bool record_next(struct request *r, struct sse_record *rec)
{
    struct answer *a = r->answer;
    struct eventstream_record frame;

    if (!a->binary)
        switch (sse_next(&a->sse, rec)) {
        case SSE_RECORD:
            return true;
        case SSE_TOO_LARGE:
            too_large(r);
            return false;
        default:
            return false;
        }
    switch (eventstream_next(&a->binary_frames, &frame)) {
    case EVENTSTREAM_RECORD:
        return record_open(r, &frame, rec);
    case EVENTSTREAM_TOO_LARGE:
        too_large(r);
        return false;
    case EVENTSTREAM_BROKEN:
        answer_fail(r, OUTCOME_upstream_invalid, "upstream_invalid",
                    "the model's provider sent an answer that makes no sense", "an event-stream frame is broken");
        return false;
    default:
        return false;
    }
}

static void stream_hold(struct answer *a)
{
    sse_hold(&a->sse);
    eventstream_hold(&a->binary_frames);
}

static void stream_run(struct request *r)
{
    struct answer *a = r->answer;
    struct sse_record rec;

    while (!a->stopped && !a->frame.busy && record_next(r, &rec))
        record_take(r, &rec);
    if (a->frame.busy && !a->stopped) { /* a stage waits: what is at hand must stay, what comes must wait */
        stream_hold(a);
        exchange_block(r->x);
    } else if (answer_complete(r)) {
        exchange_linger(r->x, END_WAIT_MS);
    }
}

/* Its size is memory of ours.  A stream of which nobody keeps the text may be of any length: it only passes through. */
static bool gathers(const struct answer *a)
{
    return a->bytes ? false : !a->stream || a->chain.keep;
}

void answer_bytes(struct request *r, struct weir_str bytes)
{
    struct answer *a = r->answer;

    if (a->stopped)
        return;
    a->received += bytes.len;
    if (a->opaque)
        a->unseen += bytes.len;
    if (a->received > a->limit && gathers(a)) {
        answer_fail(r, OUTCOME_upstream_invalid, "upstream_too_large",
                    "the model's provider sent more than this gateway takes",
                    "more than max_response or max_media bytes");
    } else if (a->bytes && holds_secret(r, bytes)) {
        answer_fail(r, OUTCOME_upstream_error, "upstream_error", "the model's provider failed; its words are withheld",
                    "the answer held one of our secrets");
    } else if (a->bytes) {
        answer_write(r, bytes);
    } else if (!a->stream) {
        buf_str(&a->body, bytes);
    } else {
        if (a->binary)
            eventstream_feed(&a->binary_frames, bytes);
        else
            sse_feed(&a->sse, bytes);
        if (a->frame.busy)
            stream_hold(a);
        else
            stream_run(r);
    }
}

/* ---- the end ---- */

static void whole_end(struct request *r)
{
    struct answer *a = r->answer;
    struct weir_str body = buf_view(&a->body);

    if (!a->passes && holds_secret(r, body)) {
        answer_fail(r, OUTCOME_upstream_error, "upstream_error", "the model's provider failed; its words are withheld",
                    "the answer held one of our secrets");
        return;
    }
    if (a->text && !text_is_plain(r, body)) {
        a->opaque = true;
        a->unseen = body.len;
        if (answer_unseen(r))
            buf_str(&a->tail, body);
        return;
    }
    if (!a->passes || (a->translated && !holds_secret(r, body))) {
        frame_take(r, (struct weir_frame){.raw = body, .data = body});
        if (a->passes && !a->stopped && !a->frame.busy)
            translate_error(r, &(struct weir_event){0}); /* in words that its dialect does not know */
        return;
    }
    r->outcome = OUTCOME_upstream_error;
    if (holds_secret(r, body)) {
        request_refuse(r, a->status, "upstream_error", "",
                       "the model's provider refused this request; its words are withheld");
        r->outcome = OUTCOME_upstream_error;
        answer_stop(r);
        return;
    }
    buf_str(&a->tail, body);
}

static void stream_end(struct request *r)
{
    struct answer *a = r->answer;
    struct sse_record rec;

    while (!a->stopped && !a->frame.busy && !a->binary && sse_end(&a->sse, &rec))
        record_take(r, &rec);
    if (a->stopped || a->frame.busy)
        return;
    if (!a->finished && !a->done)
        answer_fail(r, OUTCOME_truncated, "upstream_truncated",
                    "the model's provider broke off in the middle of its answer",
                    "the stream ended without its end mark");
    else
        frame_flush(r);
}

static void answer_settle(struct request *r)
{
    struct answer *a = r->answer;

    if (a->stream && !a->stopped && !a->frame.busy)
        stream_end(r);
    if (!a->stopped && !a->frame.busy && !a->frame.begun)
        pipeline_goto(r, STEP_check);
}

void answer_end(struct request *r)
{
    struct answer *a = r->answer;

    if (a->stopped || a->ended)
        return;
    a->ended = true;
    if (!a->stream && !a->bytes)
        whole_end(r);
    answer_settle(r);
}

void answer_resumed(struct ctx *c, enum weir_verdict v)
{
    struct request *r = c->r;
    struct answer *a = r->answer;

    if (chain_resumed(&a->chain, c, v) == STAGES_STOP) {
        answer_stop(r);
        return;
    }
    if (a->frame.busy && !frame_run(r))
        return;
    if (a->stream)
        stream_run(r);
    if (a->ended)
        answer_settle(r);
    else if (!a->stopped && !a->frame.busy && client_pending(r->client) <= CLIENT_HIGH)
        exchange_unblock(r->x);
}

/* A stream that is complete but for its end mark gets it: a client waits for exactly one end. */
static void answer_end_mark(struct request *r)
{
    const struct weir_event mark = {.size = sizeof mark, .channel = WEIR_DONE_MARK};
    struct ctx *c = request_ctx(r, r->dialect, NULL);
    struct buf b = worker_buf_take(r->w);

    stages_out(c, &b);
    if (r->dialect->plugin->hooks.answer && r->dialect->plugin->hooks.answer(&c->pub, &mark))
        answer_write(r, buf_view(&b));
    stages_out(c, NULL);
    worker_buf_give(r->w, &b);
}

void answer_finish(struct request *r)
{
    struct answer *a = r->answer;

    if (a->translated)
        translate_end(r);
    if (!a->out_stream) {
        reply_whole(r, a->status, a->type, r->reply.headers, buf_view(&a->tail));
        return;
    }
    answer_write(r, buf_view(&a->tail));
    if (!a->translated && !a->done && !a->bytes)
        answer_end_mark(r);
    if (!r->reply.begun)
        reply_begin(r, a->status, a->type, r->reply.headers);
    reply_end(r);
}

/* ---- services ---- */

const struct weir_event *answer_texts(struct ctx *c, size_t *n)
{
    struct answer *a = c->r->answer;
    struct weir_event *texts;
    size_t count = 0;

    *n = 0;
    if (!a)
        return NULL;
    for (struct lane *l = a->chain.lanes; l; l = l->next)
        count++;
    texts = arena_alloc(&c->r->arena, (count + 1) * sizeof *texts);
    for (struct lane *l = a->chain.lanes; l; l = l->next)
        texts[(*n)++] = (struct weir_event){
            .size = sizeof *texts,
            .channel = l->channel,
            .choice = l->choice,
            .block = l->block,
            .text = buf_view(&l->total),
            .last = true,
            .tool_id = l->tool_id,
            .tool_name = l->tool_name,
        };
    return texts;
}
