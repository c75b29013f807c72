/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c -- one worker process from its fork to its end: accepting, draining, and small things that its requests
 * share. */
#include "worker/worker.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "worker/client.h"
#include "worker/entry.h"
#include "worker/pool.h"
#include "worker/request.h"

#define ACCEPT_TURNS    64     /* most connections taken in one turn of the loop */
#define ACCEPT_PAUSE_US 100000 /* without a free descriptor: how long until the next try */
#define TIDY_US         5000000
#define SPARE_MAX       16384 /* a larger buffer is not kept */
#define SPARE_BODY_MAX  65536

#define OWNER(member_ptr, member) ((struct worker *)((char *)(member_ptr)-offsetof(struct worker, member)))

/* ---- what requests share ---- */

static struct buf spare_take(struct spares *s)
{
    struct buf b = {0};

    if (s->count)
        return s->bufs[--s->count];
    buf_grow(&b, 1024);
    return b;
}

static void spare_give(struct spares *s, struct buf *b, size_t most)
{
    if (b->ptr && b->cap <= most && s->count < WORKER_SPARES) {
        b->len = 0;
        s->bufs[s->count++] = *b;
    } else {
        free(b->ptr);
    }
    *b = (struct buf){0};
}

static void spares_free(struct spares *s)
{
    while (s->count)
        free(s->bufs[--s->count].ptr);
}

struct buf worker_buf_take(struct worker *w)
{
    return spare_take(&w->spares);
}

void worker_buf_give(struct worker *w, struct buf *b)
{
    spare_give(&w->spares, b, SPARE_MAX);
}

struct buf worker_body_take(struct worker *w)
{
    return spare_take(&w->bodies);
}

void worker_body_give(struct worker *w, struct buf *b)
{
    spare_give(&w->bodies, b, SPARE_BODY_MAX);
}

struct weir_str worker_date(struct worker *w)
{
    int64_t s = w->loop.wall_us / 1000000;

    if (s != w->date_s) {
        struct tm tm;
        time_t t = (time_t)s;
        gmtime_r(&t, &tm);
        strftime(w->date, sizeof w->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        w->date_s = s;
    }
    return str_of(w->date);
}

/* xorshift128+: ids must differ, they need not be secret. */
uint64_t worker_random(struct worker *w)
{
    uint64_t a = w->random[0], b = w->random[1];

    w->random[0] = b;
    a ^= a << 23;
    w->random[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return w->random[1] + b;
}

/* ---- accepting ---- */

static void worker_want(struct worker *w, bool accept)
{
    if (w->accepting != accept && w->listener.fd >= 0)
        loop_want(&w->loop, &w->listener, accept ? EPOLLIN : 0);
    w->accepting = accept;
}

static void pause_over(struct loop_timer *t)
{
    struct worker *w = OWNER(t, pause);

    worker_accept_again(w);
}

void worker_accept_again(struct worker *w)
{
    if (!w->accepting && !w->draining && w->client_count < (size_t)w->world->settings.max_connections)
        worker_want(w, true);
}

static void accept_ready(struct loop_fd *io, uint32_t events)
{
    struct worker *w = OWNER(io, listener);

    (void)events;
    for (int i = 0; i < ACCEPT_TURNS; i++) {
        int fd;
        if (w->client_count >= (size_t)w->world->settings.max_connections) {
            log_event(WEIR_WARN, LOG_client_refused, "max_connections=%lld",
                      (long long)w->world->settings.max_connections);
            worker_want(w, false);
            return;
        }
        fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            client_new(w, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_event(WEIR_ERROR, LOG_accept_failed, "why=\"%s\" connections=%zu", strerror(errno), w->client_count);
            worker_want(w, false);
            loop_timer_set(&w->loop, &w->pause, ACCEPT_PAUSE_US);
            return;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
    }
}

/* After a crowd has gone its memory goes back to the system: the heap would keep it for a crowd that may never come. */
static void tidy_up(struct loop_timer *t)
{
    struct worker *w = OWNER(t, tidy);

    if (w->client_count < w->client_peak / 2)
        malloc_trim(0);
    w->client_peak = w->client_count;
    loop_timer_set(&w->loop, &w->tidy, TIDY_US);
}

/* ---- stopping ---- */

static void drain_late(struct loop_timer *t)
{
    struct worker *w = OWNER(t, drain);

    while (w->clients) {
        struct client *c = w->clients;
        if (c->r && c->state == CLIENT_BUSY) {
            struct request *r = c->r;
            c->state = CLIENT_CLOSING;
            request_abandon(r, OUTCOME_stopped);
            c->r = NULL;
        }
        client_free(c);
    }
    loop_stop(&w->loop);
}

void worker_client_gone(struct worker *w)
{
    if (w->draining && w->client_count == 0)
        loop_stop(&w->loop);
}

static void stop_ready(struct loop_fd *io, uint32_t events)
{
    struct worker *w = OWNER(io, stop);

    (void)events;
    loop_del(&w->loop, &w->stop);
    loop_del(&w->loop, &w->listener);
    w->draining = true;
    log_event(WEIR_INFO, LOG_stop, "connections=%zu", w->client_count);
    w->drain.fire = drain_late;
    loop_timer_set(&w->loop, &w->drain, w->world->settings.drain_timeout * 1000);
    client_drain(w);
    worker_client_gone(w);
}

/* ---- the journal's acknowledgements ---- */

static void acks_ready(struct loop_fd *io, uint32_t events)
{
    struct worker *w = OWNER(io, acks);
    uint64_t n;

    (void)events;
    if (read(io->fd, &n, sizeof n) > 0)
        entry_durable(w);
}

/* ---- life ---- */

static void worker_open(struct worker *w, const struct worker_start *start)
{
    w->world = start->world;
    w->slot = start->slot;
    w->ring = start->ring;
    w->counters = start->counters;
    w->metrics = start->metrics;
    w->vault = start->vault;
    w->strict = strcmp(w->world->settings.durability, "strict") == 0;
    w->scratch = must_alloc(WORKER_SCRATCH);
    must(getrandom(w->random, sizeof w->random, 0) == sizeof w->random);
    w->random[0] |= 1; /* all zero would stay so */
    ring_attach(w->ring);
    metrics_attach(w->metrics, w->slot);
    loop_init(&w->loop);
    w->connector = connector_new(&w->loop);
    w->pools = must_alloc((w->world->provider_count + 1) * sizeof *w->pools);
    for (size_t i = 0; i < w->world->provider_count; i++)
        pool_init(&w->pools[i], w, w->world->providers[i]);
    w->pause.fire = pause_over;
    w->tidy.fire = tidy_up;
    loop_timer_set(&w->loop, &w->tidy, TIDY_US);
    w->listener.ready = accept_ready;
    w->stop.ready = stop_ready;
    w->acks.ready = acks_ready;
    loop_add(&w->loop, &w->listener, start->listener, EPOLLIN);
    loop_add(&w->loop, &w->stop, start->stop_fd, EPOLLIN);
    if (ring_worker_fd(w->ring) >= 0)
        loop_add(&w->loop, &w->acks, ring_worker_fd(w->ring), EPOLLIN);
    w->accepting = true;
}

static void worker_close(struct worker *w)
{
    for (size_t i = 0; i < w->world->provider_count; i++)
        pool_fini(&w->pools[i]);
    connector_free(w->connector);
    spares_free(&w->spares);
    spares_free(&w->bodies);
    request_spares_free(w);
    json_skim_fini(&w->skim);
    loop_timer_stop(&w->loop, &w->drain);
    loop_timer_stop(&w->loop, &w->pause);
    loop_timer_stop(&w->loop, &w->tidy);
    loop_fini(&w->loop);
    free(w->pools);
    free(w->scratch);
    buf_fini(&w->record);
}

int worker_run(const struct worker_start *start)
{
    struct worker *w = must_alloc(sizeof *w);

    worker_open(w, start);
    log_event(WEIR_INFO, LOG_start, "slot=%u", w->slot);
    loop_run(&w->loop);
    worker_close(w);
    free(w);
    return 0;
}
