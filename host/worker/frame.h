/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h -- one frame of an answer: decoded into events, its texts sent through the guardrails, edited where they changed it, and
 * written.  It may stop in the middle, when a stage waits; frame_run() goes on from there.
 */
#ifndef WORKER_FRAME_H
#define WORKER_FRAME_H

#include "base/arena.h"
#include "weir.h"

struct ctx;
struct request;
struct splice;

struct frame {
    struct arena *arena;                     /* of this frame; emptied by the next */
    struct ctx *decoder;                     /* whose `decode` reads it */
    struct weir_frame pub;
    struct weir_json json;
    struct weir_event *events; size_t event_count, event_cap, event_at;
    struct splice *splices; size_t splice_count, splice_cap;
    struct weir_str text;                    /* of the event at hand, unescaped */
    bool busy;                               /* its events are not all done: a stage waits */
    bool begun;                              /* a text is in the chain */
    bool dropped, end_mark;
    bool taken;                              /* one has been, of this answer */
};

/* false: a stage waits (busy), or the answer has been stopped. */
bool frame_take(struct request *, struct weir_frame);
bool frame_run(struct request *);
/* Lets go what stages still hold of streams that had no `last`. */
bool frame_flush(struct request *);

/* Services for `decode`: weir_emit, weir_frame_drop, weir_frame_splice; the last for `answer` ahead of a frame, too. */
void frame_emit(struct ctx *, const struct weir_event *);
void frame_drop(struct ctx *);
void frame_splice(struct ctx *, uint32_t at, uint32_t len, struct weir_str with);

#endif
