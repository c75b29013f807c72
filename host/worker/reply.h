/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h -- puts an answer into a client's output: status line, headers, framing.
 *
 * A whole answer is written at once with its length; a stream in chunks (HTTP/1.0: until close).  A held reply collects
 * everything until reply_release().  Nothing here waits; back-pressure is client_pending().
 */
#ifndef WORKER_REPLY_H
#define WORKER_REPLY_H

#include "weir.h"

struct client;
struct request;

/* A whole answer: status, content type, more header lines ("name: value\r\n" each, may be empty), body. */
void reply_whole(struct request *, int status, const char *type, struct weir_str headers, struct weir_str body);

/* A streamed answer: head, then pieces, then the end.  reply_piece() may be called with what a frame is made of; an empty
 * piece does nothing. */
void reply_begin(struct request *, int status, const char *type, struct weir_str headers);
void reply_piece(struct request *, struct weir_str);
void reply_end(struct request *);
void reply_release(struct request *);        /* a held reply: let go; from now on it is not held */
void reply_discard(struct request *);        /* a held reply: forget it */

/* The request's refusal in its dialect: as a whole answer, or as the last event of a stream that has begun. */
void reply_refusal(struct request *);

/* An answer to what is not (yet) a request: a small JSON error. */
void reply_plain(struct client *, int status, const char *code, const char *text);

/* Keeps the upstream's headers that a client may see: reply.headers. */
struct http1_head;
void reply_pass_headers(struct request *, const struct http1_head *upstream);
/* Of an answer that is not of the dialect: its length, and what a client saves it as. */
void reply_pass_bytes(struct request *, const struct http1_head *upstream);

#endif
