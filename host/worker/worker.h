/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h -- one worker process: its loop, what it shares with the other processes, and what its requests share.
 *
 * Forked by the generation with a finished world and an open listening socket.  One thread, one loop, no locks.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "base/json_skim.h"
#include "ipc/counters.h"
#include "ipc/metrics.h"
#include "ipc/ring.h"
#include "ipc/vault.h"
#include "net/connector.h"
#include "net/loop.h"
#include "world/world.h"

struct client;
struct pool;

/* What the process that forks a worker hands to it.  All of it outlives the worker. */
struct worker_start {
    struct world *world;                     /* world_init() has been called in this process */
    unsigned slot;
    int listener;                            /* bound, listening, non-blocking */
    struct ring *ring;                       /* this slot's */
    struct counters *counters;               /* shared by all; counters_own() has been called in this process */
    struct metrics *metrics;
    struct vault *vault;                     /* the keeper's; a slot per provider */
    int stop_fd;                             /* readable or closed: drain and exit */
};

#define WORKER_SCRATCH 65536
#define WORKER_SPARES 128

struct worker {
    struct loop loop;
    struct world *world;
    unsigned slot;
    struct ring *ring;
    struct counters *counters;
    struct metrics *metrics;
    struct vault *vault;
    struct connector *connector;
    struct pool *pools;                      /* one per provider, in the world's order */
    struct loop_fd listener, stop, acks;
    struct loop_timer drain, pause, tidy;
    size_t client_peak;                      /* most clients since `tidy` last looked */
    bool draining, strict;
    bool accepting;                          /* the listener is in the loop */

    struct client *clients;                  /* all of them, newest first */
    size_t client_count;
    struct request *unacked;                 /* strict: requests whose `open` is not durable yet */

    char *scratch;                           /* WORKER_SCRATCH bytes to read into; valid within one callback */
    struct spares { struct buf bufs[WORKER_SPARES]; unsigned count; } spares, bodies;  /* between uses; bodies are larger */
    struct request *spare_requests; unsigned spare_request_count;
    struct buf record;                       /* the record at hand; see entry.c */
    struct json_skim skim;                   /* nodes of the frame at hand */
    uint64_t random[2];                      /* for ids: xorshift128+, seeded by getrandom(2) */
    char date[32]; int64_t date_s;           /* of the Date header */
};

/* Runs until told to stop; returns the exit status. */
int worker_run(const struct worker_start *);

/* A client connection has ended: there may be room for another, or nothing left to wait for. */
void worker_accept_again(struct worker *);
void worker_client_gone(struct worker *);

/* A buffer with some room, and back: what is empty again is kept for the next. */
struct buf worker_buf_take(struct worker *);
void worker_buf_give(struct worker *, struct buf *);
struct buf worker_body_take(struct worker *);       /* the same for bodies of requests */
void worker_body_give(struct worker *, struct buf *);

struct weir_str worker_date(struct worker *);       /* IMF-fixdate (RFC 9110, 5.6.7) of now */
uint64_t worker_random(struct worker *);

#endif
