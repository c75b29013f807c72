/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h -- the admin listener: GET /metrics (Prometheus), /health and /ready, in the recorder's loop.
 *
 * Strict HTTP/1.1 by net/http1.h, keep-alive, no bodies, few connections, and each at most 10 s without progress.
 * It knows nothing of requests and keys: who can reach the address may read.
 */
#ifndef RECORDER_ADMIN_H
#define RECORDER_ADMIN_H

#include "base/buf.h"
#include "ipc/metrics.h"
#include "net/loop.h"

struct admin_connection;

struct admin {
    struct loop *loop;
    const struct metrics *metrics;
    bool (*ready)(void *owner, struct buf *why);         /* appends a line in either case */
    void *owner;
    struct loop_fd listener;
    struct admin_connection *connections; unsigned count;
};

/* metrics, ready and owner are set before; -1: no listener. */
void admin_init(struct admin *, struct loop *, int listener);
void admin_fini(struct admin *);

#endif
