/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c -- the recorder's loop: when to take, when to sync, what to do while the disk is full; see recorder.h. */
#include "recorder/recorder.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "net/loop.h"
#include "recorder/admin.h"
#include "recorder/intake.h"

#define GATHER_US    40000      /* and the sync itself: a power cut takes at most 50 ms */
#define BEAT_US      250000     /* longest sleep: rings see that a recorder is alive */
#define BATCH_MAX    (1u << 18) /* bytes of one sync; more is waiting than that: another one follows at once */
#define RETRY_US     100000     /* after a failed sync, doubling */
#define RETRY_MAX_US 2000000
#define SAVE_BYTES   (8 << 20) /* journal between two snapshots: what a new recorder has to read */
#define TRIM_US      30000000

struct recorder {
    const struct recorder_start *start;
    struct loop loop;
    struct loop_fd wake, stop;
    struct loop_timer timer;
    struct admin admin;
    struct intake in;
    int64_t due_us;            /* the batch at hand is synced then; 0: there is none */
    int64_t retry_us, trim_us; /* retry_us: 0 while the journal can be written */
    int64_t unsaved;
    bool stopping;
};

#define OF(pointer, member) ((struct recorder *)((char *)(pointer)-offsetof(struct recorder, member)))

/* ---- the disk ---- */

static void close_rings(struct recorder *r, bool closed)
{
    for (unsigned i = 0; i < r->in.count; i++)
        ring_set_closed(r->in.rings[i].ring, closed);
    metrics_set(r->start->metrics, r->start->slot, METRIC_journal_failed, 0, closed);
}

static void sync_failed(struct recorder *r, const struct weir_error *e)
{
    bool first = r->retry_us == 0;

    r->retry_us = first ? RETRY_US : r->retry_us * 2 < RETRY_MAX_US ? r->retry_us * 2 : RETRY_MAX_US;
    r->due_us = clock_us() + r->retry_us;
    if (!first)
        return;
    close_rings(r, true);
    log_event(WEIR_ERROR, LOG_journal_failed, "code=%s why=\"%s\"", e->code, e->text);
    journal_trim(r->in.journal, r->in.saved_seq); /* it may be us who fill it */
}

static void sync_done(struct recorder *r, size_t bytes, int64_t took)
{
    struct metrics *m = r->start->metrics;

    intake_release(&r->in);
    metrics_add(m, r->start->slot, METRIC_journal_records, 0, (int64_t)r->in.records);
    metrics_add(m, r->start->slot, METRIC_journal_bytes, 0, (int64_t)bytes);
    metrics_observe(m, r->start->slot, METRIC_journal_sync_us, 0, took);
    r->in.records = 0;
    r->unsaved += (int64_t)bytes;
    r->due_us = 0;
    if (!r->retry_us)
        return;
    r->retry_us = 0;
    close_rings(r, false);
    log_event(WEIR_INFO, LOG_journal_ok, "next=%llu", (unsigned long long)journal_next_seq(r->in.journal));
}

static bool sync_batch(struct recorder *r)
{
    struct weir_error e = {0};
    size_t bytes = journal_pending(r->in.journal);
    int64_t from = clock_us();

    if (!journal_sync(r->in.journal, &e)) {
        sync_failed(r, &e);
        return false;
    }
    sync_done(r, bytes, clock_us() - from);
    return true;
}

static void save(struct recorder *r, bool clean)
{
    struct weir_error e = {0};

    r->unsaved = 0;
    if (!intake_save(&r->in, clean, &e))
        log_event(WEIR_WARN, LOG_journal, "what=snapshot_failed why=\"%s\"", e.text);
}

static void trim(struct recorder *r)
{
    unsigned n = journal_trim(r->in.journal, r->in.saved_seq);

    r->trim_us = r->loop.now_us + TRIM_US;
    if (n)
        log_event(WEIR_INFO, LOG_journal, "what=trimmed segments=%u", n);
}

/* ---- the loop ---- */

static bool in_a_hurry(const struct recorder *r)
{
    for (unsigned i = 0; i < r->in.count; i++)
        if (ring_wanted(r->in.rings[i].ring) || r->in.rings[i].epoch != ring_epoch(r->in.rings[i].ring))
            return true;
    return r->stopping;
}

/* One turn's work; true: there is more to do at once. */
static bool work(struct recorder *r, bool full)
{
    for (unsigned i = 0; i < r->in.count; i++)
        ring_beat(r->in.rings[i].ring);
    if (r->retry_us) { /* the batch that failed first: the rings stay as they are */
        if (clock_us() < r->due_us || !sync_batch(r))
            return false;
    } else if (!journal_pending(r->in.journal) && !intake_waits(&r->in)) {
        return false;
    }
    if (!r->due_us)
        r->due_us = clock_us() + GATHER_US;
    if (!full && !in_a_hurry(r) && clock_us() < r->due_us)
        return false;
    intake_take(&r->in, BATCH_MAX);
    bool more = journal_pending(r->in.journal) >= BATCH_MAX;
    if (!sync_batch(r))
        return false;
    if (r->unsaved >= SAVE_BYTES)
        save(r, false);
    if (more)
        r->due_us = clock_us();
    return more;
}

/* Tells the producers how it sleeps; false: something has come. */
static bool fall_asleep(struct recorder *r, bool *full)
{
    enum ring_sleep how = r->retry_us ? RING_AWAKE : r->due_us ? RING_GATHER : RING_IDLE;
    bool asleep = true;

    for (unsigned i = 0; i < r->in.count; i++)
        asleep &= ring_sleep(r->in.rings[i].ring, how, r->in.rings[i].at);
    *full = !asleep && how == RING_GATHER;
    return asleep;
}

static void wake_up(struct recorder *r)
{
    for (unsigned i = 0; i < r->in.count; i++)
        ring_awake(r->in.rings[i].ring);
}

static void run(struct recorder *r)
{
    bool full = false;

    while (!r->stopping) {
        bool more = work(r, full), asleep = fall_asleep(r, &full);
        int64_t wait = r->due_us ? r->due_us - clock_us() : BEAT_US;
        loop_timer_set(&r->loop, &r->timer, wait < BEAT_US ? wait : BEAT_US);
        loop_turn(&r->loop, more || !asleep ? 0 : -1);
        wake_up(r);
        if (r->loop.now_us >= r->trim_us)
            trim(r);
    }
}

/* No worker runs any more.  What cannot be written now stays in the rings for the next recorder. */
static bool drain(struct recorder *r)
{
    r->retry_us = r->due_us = 0;
    do {
        intake_take(&r->in, BATCH_MAX);
        if (!sync_batch(r))
            return false;
    } while (intake_waits(&r->in));
    save(r, true);
    return true;
}

static void woken(struct loop_fd *io, uint32_t events)
{
    uint64_t n;

    (void)events;
    if (read(io->fd, &n, sizeof n) < 0)
        must(errno == EAGAIN || errno == EINTR);
}

static void told_to_stop(struct loop_fd *io, uint32_t events)
{
    (void)events;
    OF(io, stop)->stopping = true;
}

static void timer_fired(struct loop_timer *t)
{
    (void)t;
}

/* One provider without a credential is no reason to take the gateway away from the clients of the others. */
static void credentials_tell(const struct recorder *r, struct buf *why)
{
    const struct world *w = r->start->world;

    for (size_t i = 0; i < w->provider_count; i++)
        if (metrics_sum(r->start->metrics, METRIC_credential_failing, w->providers[i]->in.place))
            buf_printf(why, "credential of %s failing\n", w->providers[i]->in.name);
}

static bool ready(void *owner, struct buf *why)
{
    const struct recorder *r = owner;
    unsigned workers = 0;

    for (unsigned i = 0; i < r->in.count; i++)
        workers += ring_has_producer(r->in.rings[i].ring);
    buf_printf(why, "journal %s\nworkers %u\n", r->retry_us ? "cannot be written" : "ok", workers);
    credentials_tell(r, why);
    return !r->retry_us && workers;
}

/* A cursor that belongs to no sink keeps the journal from being trimmed: somebody should know. */
static void name_strangers(const struct recorder *r)
{
    uint64_t lowest, highest, next;
    struct weir_error e;
    const struct world *w = r->start->world;

    if (!cursor_range(w->settings.state, &lowest, &highest))
        return;
    for (size_t i = 0; i < w->sink_count; i++)
        if (cursor_load(w->settings.state, w->sinks[i]->in.name, &next, &e) && next == lowest)
            return;
    log_event(WEIR_WARN, LOG_journal, "what=cursor_without_sink at=%llu", (unsigned long long)lowest);
}

int recorder_run(const struct recorder_start *start)
{
    const struct settings *set = &start->world->settings;
    struct journal_limits limits = {.segment = set->segment_size, .keep = set->journal_keep};
    struct recorder r = {.start = start,
                         .wake.ready = woken,
                         .stop.ready = told_to_stop,
                         .timer.fire = timer_fired,
                         .admin = {.metrics = start->metrics, .ready = ready}};
    struct weir_error e = {0};
    bool ok = false;

    loop_init(&r.loop);
    r.admin.owner = &r;
    loop_add(&r.loop, &r.wake, start->wake_fd, EPOLLIN);
    loop_add(&r.loop, &r.stop, start->stop_fd, EPOLLIN);
    admin_init(&r.admin, &r.loop, start->admin_listener);
    if (intake_open(&r.in, set->state, &limits, start->rings, start->ring_count, &e)) {
        if (sync_batch(&r)) /* gaps and orphans: before anybody is let in again */
            save(&r, false);
        name_strangers(&r);
        run(&r);
        ok = drain(&r);
    } else {
        log_event(WEIR_ERROR, LOG_journal_failed, "code=%s why=\"%s\"", e.code, e.text);
    }
    admin_fini(&r.admin);
    intake_close(&r.in);
    loop_fini(&r.loop);
    return !ok;
}
