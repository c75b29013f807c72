/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h -- one HTTP/1.1 request to an upstream and its answer, over a link of a pool or against a provider that answers inside
 * this process (the `serve` hook).  Both are read by the same strict parser.
 *
 * Who starts it is told through `struct exchange_user`; the exchange may be freed inside any of these calls' owners only
 * after the call has returned (the pipeline defers).  After `end` or `fail` nothing follows.
 *
 * A request is written again on a fresh connection only when the kept one had closed before it took a single byte: what may
 * have reached the upstream is never repeated here.
 */
#ifndef WORKER_EXCHANGE_H
#define WORKER_EXCHANGE_H

#include <sys/uio.h>

#include "base/buf.h"
#include "net/chunked.h"
#include "net/http1.h"
#include "net/loop.h"
#include "weir.h"
#include "worker/pool.h"

struct request;
struct worker;

enum exchange_fault {
    FAULT_CONNECT,            /* no connection: nothing was sent                          */
    FAULT_BUSY,               /* max_connections are in use and none came free            */
    FAULT_TIMEOUT,            /* first byte, between bytes, or all of it                  */
    FAULT_RESET,              /* the connection ended before the answer's head was whole  */
    FAULT_CUT,                /* ... before its body was                                  */
    FAULT_INVALID,            /* what came is no acceptable HTTP                          */
};

struct exchange_user {
    void (*sent)(struct request *);                                  /* every byte of it has been taken: no repetition */
    void (*head)(struct request *, const struct http1_head *);       /* the head: valid during the call */
    void (*body)(struct request *, struct weir_str);                 /* in pieces; valid during the call */
    void (*end)(struct request *);
    void (*fail)(struct request *, enum exchange_fault, const char *why);
};

struct exchange {
    struct request *r;
    struct worker *w;
    const struct provider *p;
    const struct exchange_user *user;
    struct wait wait;
    struct link *link;                       /* NULL: waiting for one, or in-process */
    const char *host;                        /* without brackets */
    struct buf head;                         /* of our request */
    struct iovec *out; size_t out_n, out_at; bool sent_some, sent_all;
    enum { X_WAIT, X_SEND, X_HEAD, X_BODY, X_OVER } state;
    enum http1_body framing;
    struct chunked chunked;
    int64_t left;                            /* of a Content-Length */
    size_t examined;
    struct buf in;                           /* a head that is not whole */
    uint64_t received;                       /* of the body */
    bool keep, blocked, to_head;
    struct loop_timer timer;
    int64_t start_us, sent_us, deadline_us;  /* deadline of the whole */
    int64_t connect_us, first_us;            /* taken; 0: a kept link, not yet */
    struct buf held;                         /* in-process: what was served while blocked */
    bool held_last;
    struct loop_task task;                   /* goes on from a clean stack: reading, or handing over what was served */
};

/* In the request's memory. */
struct exchange *exchange_new(struct request *, const struct provider *, const struct exchange_user *);
void exchange_stop(struct exchange *);       /* cancels what is under way; nothing follows */
void exchange_free(struct exchange *);

/* `lines` are header lines ("name: value\r\n"); Host and Content-Length are added.  The pieces of the body stay with the
 * caller until the exchange is freed.  false: the URL is none; nothing follows. */
bool exchange_send(struct exchange *, struct weir_str url, const char *method, struct weir_str lines, struct iovec *body,
                   size_t pieces, size_t length, struct weir_error *);
void exchange_serve(struct exchange *);      /* in-process: waits for exchange_put() */
void exchange_put(struct exchange *, struct weir_str bytes, bool last);

/* All that counts is there: if the end of the message does not come in so many ms, it fails with FAULT_TIMEOUT. */
void exchange_linger(struct exchange *, int64_t ms);

/* Back-pressure: nothing is read until unblocked. */
void exchange_block(struct exchange *);
void exchange_unblock(struct exchange *);

#endif
