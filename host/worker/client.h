/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h -- one client connection: reads requests, one at a time, and writes what reply.c makes.
 *
 * Deadlines: TLS handshake and head, body (a grace, then a minimum rate), idle between requests, no progress while writing.
 * What a client has sent ahead (pipelining) waits here, bounded, until its turn.  An idle connection holds no buffer.
 */
#ifndef WORKER_CLIENT_H
#define WORKER_CLIENT_H

#include "base/buf.h"
#include "net/chunked.h"
#include "net/http1.h"
#include "net/loop.h"
#include "net/stream.h"

struct request;
struct worker;

enum client_state { CLIENT_HANDSHAKE, CLIENT_IDLE, CLIENT_HEAD, CLIENT_BODY, CLIENT_BUSY, CLIENT_CLOSING };

struct client {
    struct stream stream;                    /* first: its io leads back here */
    struct worker *w;
    struct client *next, **link;
    struct request *r;                       /* BODY, BUSY */
    enum client_state state;
    bool keep_alive, http10, head_only;      /* of the request at hand: after it; its version; HEAD */
    bool unread;                             /* TLS holds decrypted bytes: `flush` goes on reading */
    bool paused;                             /* what it has sent ahead is over the bound: reading stopped */
    struct buf in;                           /* received, not yet taken */
    size_t examined;                         /* of the head */
    struct chunked chunked;
    size_t body_want;                        /* Content-Length */
    int64_t body_start_us;
    struct buf out; size_t out_at;           /* not yet taken by the socket */
    struct loop_task flush;
    struct loop_timer timer;
};

struct client *client_new(struct worker *, int fd);
void client_free(struct client *);           /* with its request */

/* The request at hand has ended and its answer is in `out`: goes on with the next one, or closes. */
void client_next(struct client *);

/* Appends to the output, which is written at the end of this turn of the loop. */
void client_put(struct client *, struct weir_str);
struct buf *client_out(struct client *);     /* to append to by hand; queues the write too */
size_t client_pending(const struct client *);
/* Called when the output has drained below the low mark: back-pressure ends. */
#define CLIENT_HIGH 65536
#define CLIENT_LOW 16384

void client_drain(struct worker *);          /* the worker stops: idle connections close now, busy ones after their answer */

#endif
