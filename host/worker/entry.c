/* SPDX-License-Identifier: Apache-2.0 */
/* entry.c -- steps `open` and `close`: what the journal is told of a request; see entry.h. */
#include "worker/entry.h"

#include "base/clock.h"
#include "base/log.h"
#include "ipc/counters.h"
#include "ipc/record.h"
#include "worker/accept.h"
#include "worker/admit.h"
#include "worker/answer.h"
#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/exchange.h"
#include "worker/kind.h"
#include "worker/reply.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"

/* Whoever has no key must fill neither the rings nor the disk: of their refusals this many are recorded, by all workers
 * together. */
#define STRANGERS_RATE    10 /* a second */
#define STRANGERS_BURST   100
#define STRANGERS_COUNTER UINT64_C(0x737472616e676572)

/* ---- records ---- */

static void put_request(struct record_writer *w, const struct request *r)
{
    if (r->key) {
        record_str(w, RECORD_key, str_of(r->key->id));
        record_str(w, RECORD_workspace, str_of(r->key->workspace));
    } else if (r->w->world->key_count == 0) {
        record_str(w, RECORD_key, WEIR_STR("local"));
    }
    if (r->dialect)
        record_str(w, RECORD_dialect, str_of(r->dialect->plugin->hooks.dialect));
    record_str(w, RECORD_path, request_path(r));
    if (r->known)
        record_str(w, RECORD_task, str_of(kind_name(r->view.kind)));
    record_str(w, RECORD_model, r->view.model);
}

static void put_sizes(struct record_writer *w, const struct request *r)
{
    record_bool(w, RECORD_stream, r->view.stream);
    record_int(w, RECORD_bytes_in, (int64_t)r->bytes_in);
    record_int(w, RECORD_text_bytes, (int64_t)r->text_bytes);
    record_int(w, RECORD_unscanned, (int64_t)(r->spans_ready ? 0 : r->text_bytes));
    if (r->unseen)
        record_int(w, RECORD_unseen, (int64_t)r->unseen);
}

static void put_endpoint(struct record_writer *w, const struct request *r)
{
    record_str(w, RECORD_provider, str_of(r->endpoints[r->pick]->in.name));
    record_str(w, RECORD_upstream, r->candidates[r->pick].model);
}

static void put_labels(struct record_writer *w, const struct request *r)
{
    for (const struct label *l = r->labels; l; l = l->next)
        record_label(w, l->name, l->value);
}

/* Every record is written into the worker's one buffer and is in the ring before the next begins. */
static struct record_writer entry_begin(struct request *r, enum record_kind kind)
{
    r->w->record.len = 0;
    return record_begin(&r->w->record, kind, r->w->loop.wall_us, str_of(r->id));
}

static bool entry_put(struct request *r, enum ring_room room, uint64_t *position)
{
    return record_put(r->w->ring, room, &r->w->record, 0, position);
}

static bool put_open(struct request *r)
{
    struct record_writer w = entry_begin(r, KIND_open);

    record_int(&w, RECORD_attempt, r->attempt);
    put_request(&w, r);
    put_endpoint(&w, r);
    put_sizes(&w, r);
    record_end(&w);
    return entry_put(r, RING_OPEN, &r->open_at);
}

static void put_usage(struct record_writer *w, const struct weir_usage *u)
{
    static const struct {
        enum record_field field;
        size_t at;
    } rows[] = {
        {RECORD_input, offsetof(struct weir_usage, input)},
        {RECORD_cache_read, offsetof(struct weir_usage, cache_read)},
        {RECORD_cache_write, offsetof(struct weir_usage, cache_write)},
        {RECORD_output, offsetof(struct weir_usage, output)},
        {RECORD_reasoning, offsetof(struct weir_usage, reasoning)},
        {RECORD_audio_in, offsetof(struct weir_usage, audio_in)},
        {RECORD_audio_out, offsetof(struct weir_usage, audio_out)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = *(const int64_t *)((const char *)u + rows[i].at);
        if (v >= 0)
            record_int(w, rows[i].field, v);
    }
}

void entry_close(struct request *r)
{
    struct record_writer w;
    uint64_t position;
    int64_t now = r->w->loop.now_us;

    if (!r->open)
        return;
    r->open = false;
    w = entry_begin(r, KIND_close);
    record_int(&w, RECORD_attempt, r->attempt);
    put_request(&w, r);
    put_endpoint(&w, r);
    record_str(&w, RECORD_outcome, str_of(outcome_name(r->outcome)));
    record_int(&w, RECORD_status, r->reply.status);
    record_int(&w, RECORD_upstream_status, r->upstream_status);
    record_str(&w, RECORD_code, str_of(r->refusal.code));
    record_str(&w, RECORD_reason, r->reason);
    record_int(&w, RECORD_bytes_out, (int64_t)r->bytes_out);
    if (r->answer && r->answer->unseen)
        record_int(&w, RECORD_unseen_out, (int64_t)r->answer->unseen);
    record_str(&w, RECORD_finish, r->finish);
    if (translates(r))
        record_str(&w, RECORD_spoken, str_of(r->endpoints[r->pick]->dialect->name));
    if (r->tr)
        record_str(&w, RECORD_dropped, buf_view(&r->tr->dropped));
    put_usage(&w, &r->usage);
    record_int(&w, RECORD_connect_us, r->x ? r->x->connect_us : 0);
    record_int(&w, RECORD_first_us, r->x ? r->x->first_us : 0);
    record_int(&w, RECORD_guard_us, r->t.guard_us);
    record_int(&w, RECORD_total_us, now - r->t.begin);
    put_labels(&w, r);
    record_end(&w);
    entry_put(r, RING_END, &position); /* its room was reserved with the open */
}

static bool put_deny(struct request *r, enum ring_room room)
{
    struct record_writer w;
    uint64_t position;

    w = entry_begin(r, KIND_deny);
    put_request(&w, r);
    put_sizes(&w, r);
    record_str(&w, RECORD_outcome, str_of(outcome_name(r->outcome)));
    record_int(&w, RECORD_status, r->refusal.status);
    record_str(&w, RECORD_code, str_of(r->refusal.code));
    record_str(&w, RECORD_reason, r->reason);
    record_int(&w, RECORD_total_us, r->w->loop.now_us - r->t.begin);
    put_labels(&w, r);
    record_end(&w);
    return entry_put(r, room, &position);
}

/* ---- open ---- */

static enum step_result open_shed(struct request *r, const char *why)
{
    metrics_add(r->w->metrics, r->w->slot, METRIC_shed, 0, 1);
    request_refuse(r, 503, "overloaded", "",
                   "the gateway cannot record this request at the moment, so it does not send it; try again");
    r->outcome = OUTCOME_shed;
    log_event(WEIR_WARN, LOG_shed, "request=%s why=\"%s\"", r->id, why);
    return STEP_END;
}

static void open_late(struct loop_timer *t)
{
    struct request *r = (struct request *)((char *)t - offsetof(struct request, open_timer));

    entry_forget(r);
    open_shed(r, "the open record was not durable within strict_wait");
    pipeline_goto(r, STEP_close);
}

enum step_result step_open(struct request *r)
{
    struct worker *w = r->w;

    attempt_clear(r);
    if (ring_closed(w->ring))
        return open_shed(r, "the journal cannot be written");
    if (w->strict && !ring_has_recorder(w->ring))
        return open_shed(r, "no recorder is running");
    r->attempt++;
    if (!put_open(r))
        return open_shed(r, "the ring is full");
    r->open = true;
    r->t.opened = w->loop.now_us;
    if (!w->strict)
        return STEP_NEXT;
    ring_want_durable(w->ring, r->open_at); /* the newest asks for most: the others come before it */
    if (ring_durable(w->ring) >= r->open_at)
        return STEP_NEXT;
    r->unacked_next = w->unacked;
    r->unacked_link = &w->unacked;
    if (w->unacked)
        w->unacked->unacked_link = &r->unacked_next;
    w->unacked = r;
    r->open_timer.fire = open_late;
    loop_timer_set(&w->loop, &r->open_timer, w->world->settings.strict_wait * 1000);
    return STEP_WAIT;
}

void entry_forget(struct request *r)
{
    loop_timer_stop(&r->w->loop, &r->open_timer);
    if (!r->unacked_link)
        return;
    *r->unacked_link = r->unacked_next;
    if (r->unacked_next)
        r->unacked_next->unacked_link = r->unacked_link;
    r->unacked_link = NULL;
}

void entry_durable(struct worker *w)
{
    uint64_t durable = ring_durable(w->ring);

    for (struct request *r = w->unacked, *next; r; r = next) {
        next = r->unacked_next;
        if (durable < r->open_at)
            continue;
        entry_forget(r);
        pipeline_goto(r, STEP_try);
    }
    ring_want_durable(w->ring, w->unacked ? w->unacked->open_at : 0);
}

/* ---- close ---- */

/* Nothing was sent, and what was asked for is the API: not, say, a /favicon.ico. */
static bool deny_due(const struct request *r)
{
    return !r->open && r->attempt == 0 && r->refusal.status && r->outcome != OUTCOME_shed &&
           (r->dialect || accept_is_api(r));
}

static bool strangers_within_rate(struct request *r)
{
    return counters_rate(r->w->counters, STRANGERS_COUNTER, STRANGERS_RATE, 1000000, STRANGERS_BURST,
                         r->w->loop.wall_us, NULL);
}

/* A refusal before `admit` has not asked yet who calls.  Without keys that is a stranger too: any web page may try. */
static void deny(struct request *r)
{
    if (!r->key)
        r->key = admit_key(r);
    if (r->key || r->t.admitted) {
        if (!put_deny(r, RING_SINGLE))
            open_shed(r, "the ring is full");
    } else if (!strangers_within_rate(r) || !put_deny(r, RING_SPARE)) {
        metrics_add(r->w->metrics, r->w->slot, METRIC_denies_dropped, 0, 1);
    }
}

static void close_metrics(struct request *r)
{
    struct worker *w = r->w;
    int64_t total = w->loop.now_us - r->t.begin;
    size_t provider;

    metrics_add(w->metrics, w->slot, METRIC_requests, (size_t)r->outcome, 1);
    if (r->known)
        metrics_add(w->metrics, w->slot, METRIC_tasks, (size_t)r->view.kind, 1);
    metrics_observe(w->metrics, w->slot, METRIC_request_us, 0, total);
    metrics_add(w->metrics, w->slot, METRIC_bytes_in, 0, (int64_t)r->bytes_in);
    metrics_add(w->metrics, w->slot, METRIC_bytes_out, 0, (int64_t)r->bytes_out);
    if (!r->x)
        return;
    provider = r->endpoints[r->pick]->in.place;
    if (r->usage.input > 0)
        metrics_add(w->metrics, w->slot, METRIC_tokens_in, provider, r->usage.input);
    if (r->usage.output > 0)
        metrics_add(w->metrics, w->slot, METRIC_tokens_out, provider, r->usage.output);
}

/* The answer is put into the client's output before the record into the ring, for the record tells its size; the output
 * is written only after this step, so that what a client has seen is recorded. */
enum step_result step_close(struct request *r)
{
    stages_cancel(r);
    entry_forget(r);
    if (r->x)
        exchange_stop(r->x);
    stages_record(r);
    if (deny_due(r))
        deny(r);
    if (r->refusal.status)
        reply_refusal(r);
    else if (r->answer && r->answer->ended && !r->gone)
        answer_finish(r);
    entry_close(r);
    if (r->held)
        counters_give_back(r->w->counters, r->hold);
    r->held = false;
    close_metrics(r);
    return STEP_NEXT;
}
