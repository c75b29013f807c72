/* SPDX-License-Identifier: Apache-2.0 */
/* sink.c -- a sink's loop: gather, deliver, remember where; see sink.h. */
#include "recorder/sink.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "ipc/folder.h"
#include "ipc/journal.h"
#include "ipc/record.h"
#include "recorder/dead.h"

#define BACKOFF_US     100000
#define BACKOFF_MAX_US 30000000
#define PROBE_US       30000000
#define SAVE_US        500000 /* between two writes of the cursor: what is told again after a kill */
#define LOOK_US        50000  /* without inotify */
#define REST_US        10000000

struct process {
    const struct sink_start *start;
    struct sink *sink;
    const char *state, *name;
    struct cursor *cursor;
    struct arena arena;
    struct json_skim skim; /* the batch lives in the arena */
    struct weir_record *records;
    size_t count, cap, bytes;
    int64_t since_us; /* of the batch's first record */
    uint64_t done;    /* all before this is delivered, rejected, or not for us */
    uint64_t saved;
    int64_t saved_us;
    bool stopping;
};

/* ---- waiting ---- */

/* Until `us` have passed, something new is in the journal (when asked for), or it is time to stop. */
static void rest(struct process *p, int64_t us, bool news)
{
    int watch = news ? cursor_watch(p->cursor) : -1;
    struct pollfd fds[] = {{p->start->stop_fd, POLLIN, 0}, {watch, POLLIN, 0}};

    if (news && watch < 0 && us > LOOK_US)
        us = LOOK_US;
    if (poll(fds, 2, (int)((us < 0 ? 0 : us) + 999) / 1000) < 0)
        must(errno == EINTR);
    if (fds[0].revents)
        p->stopping = true;
    if (news)
        cursor_watched(p->cursor);
}

/* ---- where it is ---- */

static void save_place(struct process *p)
{
    struct weir_error e = {0};

    p->saved_us = clock_us();
    if (p->done == p->saved)
        return;
    if (cursor_save(p->state, p->name, p->done, &e))
        p->saved = p->done;
    else
        log_event(WEIR_WARN, LOG_sink_failed, "what=cursor why=\"%s\"", e.text);
}

static void count(struct process *p, enum metric m, size_t n)
{
    metrics_add(p->start->metrics, p->start->slot, m, p->start->index, (int64_t)n);
}

/* ---- delivering ---- */

static bool reject(struct process *p, const struct weir_record *r, size_t n, const char *why)
{
    struct weir_error e = {0};

    if (!dead_write(p->state, p->name, r, n, *why ? why : "refused by the sink", &e)) {
        log_event(WEIR_WARN, LOG_sink_failed, "what=dead_letters why=\"%s\"", e.text);
        return false;
    }
    log_event(WEIR_WARN, LOG_sink_rejected, "records=%zu first=%llu why=\"%s\"", n, (unsigned long long)r->seq, why);
    count(p, METRIC_sink_rejected, n);
    return true;
}

static void advance(struct process *p, const struct weir_record *r, size_t n)
{
    p->done = r[n - 1].seq + 1;
    if (clock_us() - p->saved_us >= SAVE_US)
        save_place(p);
}

static enum weir_sent hand_over(struct process *p, const struct weir_record *r, size_t n, struct weir_error *e)
{
    enum weir_sent sent = p->sink->in.plugin->hooks.write(p->sink->in.self, r, n, sizeof *r, e);

    if (sent == WEIR_DONE)
        count(p, METRIC_sink_records, n);
    if (sent == WEIR_REJECT || (sent == WEIR_SPLIT && n == 1))
        sent = reject(p, r, n, e->text) ? WEIR_REJECT : WEIR_RETRY;
    return sent;
}

/* Says something the first time, and then each time that the wait has doubled. */
static void wait_to_retry(struct process *p, enum weir_sent sent, const struct weir_error *e, int64_t *backoff)
{
    bool pause = sent == WEIR_PAUSE;

    count(p, METRIC_sink_retries, 1);
    if (*backoff <= BACKOFF_MAX_US)
        log_event(WEIR_WARN, pause ? LOG_sink_paused : LOG_sink_failed, "again_in_ms=%lld why=\"%s\"",
                  (long long)(pause ? PROBE_US : *backoff) / 1000, e->text);
    rest(p, pause ? PROBE_US : *backoff < BACKOFF_MAX_US ? *backoff : BACKOFF_MAX_US, false);
    *backoff = pause ? BACKOFF_MAX_US + 1 : *backoff <= BACKOFF_MAX_US ? *backoff * 2 : *backoff;
}

/* false: it is time to stop, and these (or the last of them) are not delivered. */
static bool deliver(struct process *p, const struct weir_record *r, size_t n)
{
    int64_t backoff = BACKOFF_US;

    for (;;) {
        struct weir_error e = {0};
        enum weir_sent sent = hand_over(p, r, n, &e);
        if (sent == WEIR_DONE || sent == WEIR_REJECT) {
            advance(p, r, n);
            return true;
        }
        if (sent == WEIR_SPLIT)
            return deliver(p, r, n / 2) && deliver(p, r + n / 2, n - n / 2);
        if (p->stopping)
            return false;
        wait_to_retry(p, sent, &e, &backoff);
    }
}

static bool flush(struct process *p)
{
    bool ok = !p->count || deliver(p, p->records, p->count);

    if (!ok)
        return false;
    p->count = p->bytes = 0;
    arena_reset(&p->arena);
    p->done = cursor_at(p->cursor);
    return true;
}

/* ---- gathering ---- */

static bool wanted(const struct sink *s, struct weir_str kind)
{
    for (size_t i = 0; i < s->kinds.count; i++)
        if (str_is(kind, s->kinds.items[i]))
            return true;
    return s->kinds.count == 0;
}

static void add(struct process *p, const struct journal_frame *f)
{
    struct weir_error e = {0};
    struct record_head head;

    if (record_read_head(f->text, &head) && !wanted(p->sink, str_of(record_kind_name(head.kind))))
        return;
    if (p->count == p->cap)
        p->records = must_realloc(p->records, (p->cap = p->cap ? p->cap * 2 : 64) * sizeof *p->records);
    if (!record_read(&p->arena, &p->skim, f->seq, arena_copy(&p->arena, f->text), &p->records[p->count])) {
        if (!dead_write_text(p->state, p->name, f->seq, f->text, &e))
            log_event(WEIR_WARN, LOG_sink_failed, "what=dead_letters why=\"%s\"", e.text);
        count(p, METRIC_sink_rejected, 1);
        return;
    }
    if (!p->count)
        p->since_us = clock_us();
    p->count++;
    p->bytes += f->text.len;
}

static bool batch_full(const struct process *p)
{
    return p->count && (p->count >= (size_t)p->sink->batch_count || p->bytes >= (size_t)p->sink->batch_bytes);
}

/* Takes what is there, up to a full batch; false: the journal has no more, now. */
static bool gather(struct process *p)
{
    struct weir_error e = {0};
    struct journal_frame f;

    while (!batch_full(p)) {
        switch (cursor_next(p->cursor, &f, &e)) {
        case CURSOR_END:
            return false;
        case CURSOR_DAMAGED:
            log_event(WEIR_WARN, LOG_gap, "why=\"%s\"", e.text);
            break;
        case CURSOR_FRAME:
            add(p, &f);
            if (!p->count)
                p->done = f.seq + 1;
        }
    }
    return true;
}

/* How long the process may sleep with nothing new. */
static int64_t patience(const struct process *p)
{
    int64_t now = clock_us(), us = REST_US;

    if (p->count)
        us = p->since_us + p->sink->batch_age * 1000 - now;
    if (p->done != p->saved && p->saved_us + SAVE_US - now < us)
        us = p->saved_us + SAVE_US - now;
    return us > 0 ? us : 0;
}

static void run(struct process *p)
{
    for (;;) {
        bool more = gather(p), stop = p->stopping;
        bool old = p->count && clock_us() - p->since_us >= p->sink->batch_age * 1000;
        if ((batch_full(p) || old || stop) && !flush(p))
            return;
        metrics_set(p->start->metrics, p->start->slot, METRIC_sink_lag, p->start->index,
                    (int64_t)(cursor_behind(p->cursor) + p->count));
        if (stop && !more)
            return;
        if (clock_us() - p->saved_us >= SAVE_US)
            save_place(p);
        rest(p, more || p->stopping ? 0 : patience(p), !more);
    }
}

/* ---- the process ---- */

/* A place that cannot be read is begun anew: told twice is better than not told. */
static bool find_place(struct process *p, struct weir_error *e)
{
    char path[PATH_ROOM];
    uint64_t next = 0;

    snprintf(path, sizeof path, "%s/journal", p->state);
    if (!folder_make(path, e))
        return false;
    snprintf(path, sizeof path, "%s/cursors", p->state);
    if (!folder_make(path, e))
        return false;
    if (!cursor_load(p->state, p->name, &next, e))
        log_event(WEIR_WARN, LOG_sink_failed, "what=cursor why=\"%s\"", e->text);
    p->cursor = cursor_open(p->state, next, e);
    if (!p->cursor)
        return false;
    p->done = cursor_at(p->cursor);
    save_place(p); /* from now on the journal keeps what we have still to read */
    return true;
}

int sink_run(const struct sink_start *start)
{
    struct process p = {
        .start = start, .sink = start->sink, .state = start->world->settings.state, .name = start->sink->in.name};
    struct weir_error e = {0};
    bool ok;

    must(start->sink->in.plugin->hooks.write != NULL);
    signal(SIGPIPE, SIG_IGN);
    ok = find_place(&p, &e);
    if (ok) {
        run(&p);
        save_place(&p);
    } else {
        log_event(WEIR_ERROR, LOG_sink_failed, "why=\"%s\"", e.text);
    }
    cursor_close(p.cursor);
    free(p.records);
    arena_fini(&p.arena);
    json_skim_fini(&p.skim);
    return !ok;
}
