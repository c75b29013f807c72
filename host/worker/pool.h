/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h -- connections to upstreams, kept between requests: one pool per provider and worker.
 *
 * A link is one connection.  An idle link stays in the loop: whatever it says while nobody asked it (an end, surplus bytes)
 * closes it.  At most max_connections are open; who comes then waits in line.  It knows nothing of HTTP.
 */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include "net/connector.h"
#include "net/loop.h"
#include "net/stream.h"
#include "world/world.h"

struct worker;

struct link {
    struct stream stream;                    /* first: its io leads back here */
    struct pool *pool;
    struct link *next, **at;                 /* in the idle list, newest first */
    struct loop_timer timer;                 /* keep_alive */
    int64_t since_us;                        /* idle since */
    void *user;                              /* NULL while idle */
    void (*ready)(void *user, uint32_t events);
    bool used;                               /* has served a request before */
    uint16_t port; bool tls;                 /* where it leads */
    char host[256];
};

struct wait {                                /* somebody who wants a link; embedded in its owner */
    struct wait *next;
    struct pool *pool;
    struct connect *connecting;
    enum { WAIT_NONE, WAIT_IN_LINE, WAIT_CONNECTING } state;
    const char *host; uint16_t port; bool tls;
    /* Exactly one call, never from inside pool_take(): a link with `user` to be set by the callee, or NULL and why. */
    void (*got)(struct wait *, struct link *, struct connect_result *);
    int64_t connect_us;                      /* taken */
};

struct pool {
    struct worker *w;
    const struct provider *p;
    struct link *idle;
    unsigned open, idle_count;               /* open: connected or connecting */
    struct wait *first, **last;
};

void pool_init(struct pool *, struct worker *, const struct provider *);
void pool_fini(struct pool *);

/* A kept link to host:port, at once; or NULL, and `got` follows unless pool_forget() comes first. */
struct link *pool_take(struct pool *, struct wait *);
/* As pool_take(), but never a kept link. */
void pool_connect(struct pool *, struct wait *);
void pool_forget(struct wait *);             /* harmless when nothing is awaited */

void link_keep(struct link *);               /* the exchange went well: for the next one */
void link_close(struct link *);

#endif
