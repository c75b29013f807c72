/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h -- from the upstream's bytes to the client's: frames, events, edits, and step `stream`.
 *
 * A frame (SSE record, or whole body) is decoded by its dialect; its texts go through the guardrails (chain.h); then it goes to the
 * client as it came but for splices.  What stages let go without a frame of its own is written by the dialect's `answer`.  The end
 * mark of a stream, and a whole body, wait for step `check`.
 */
#ifndef WORKER_ANSWER_H
#define WORKER_ANSWER_H

#include "base/eventstream.h"
#include "base/sse.h"
#include "net/http1.h"
#include "weir.h"
#include "worker/chain.h"
#include "worker/frame.h"
#include "worker/request.h"

struct answer {
    bool stream;                             /* the upstream's is in frames; else one whole body */
    bool binary;                             /* they are those of AWS, not SSE */
    bool enveloped;                          /* and hold SSE records of the upstream's dialect; see envelope.h */
    bool out_stream;                         /* the client's */
    bool translated, started;                /* into the client's dialect; it has been told of the start */
    bool passes;                             /* an error body: goes through unread */
    bool bytes;                              /* no record and no JSON: goes through as it comes */
    bool text;                               /* the same, but gathered, because guardrails read it */
    bool opaque;                             /* pictures, sound, or else no text: nobody can read it */
    uint64_t unseen;                         /* bytes of it, then */
    uint64_t limit;                          /* of what is gathered */
    bool ended;                              /* nothing more comes from the upstream */
    bool finished, done;                     /* a FINISH; the end mark */
    bool stopped;                            /* refused or failed: what still comes is ignored */
    int status;
    const char *type;                        /* content-type */
    uint64_t received;
    struct sse sse;
    struct eventstream binary_frames;
    struct weir_str headers;                 /* of the binary frame at hand */
    struct buf opened;                       /* the record out of its envelope */
    struct buf body;
    struct chain chain;
    struct frame frame;                      /* the one at hand */
    struct buf tail;                         /* the end mark, or the whole body: waits for `check` */
};

void answer_new(struct request *);
void answer_free(struct request *);

/* From the exchange. */
bool answer_begin(struct request *, const struct http1_head *);     /* false: refused by a guardrail */
void answer_bytes(struct request *, struct weir_str);
void answer_end(struct request *);
bool answer_complete(const struct request *);        /* a stream whose end mark has been seen */

/* A stage that waited in on_event has spoken. */
void answer_resumed(struct ctx *, enum weir_verdict);

/* weir_answer(): the texts as the client gets them. */
const struct weir_event *answer_texts(struct ctx *, size_t *n);

/* After `check`: writes what has waited for it. */
void answer_finish(struct request *);

/* For frame.c: bytes to the client, the answer begins with the first; and the ways in which an answer ends badly. */
void answer_write(struct request *, struct weir_str);
void answer_stop(struct request *);          /* a stage has refused; the refusal stands in the request */
void answer_fail(struct request *, enum outcome, const char *code, const char *text, const char *why);

#endif
