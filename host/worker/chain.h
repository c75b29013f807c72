/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.h -- the texts of an answer on their way through the guardrails that have on_event.
 *
 * Each (choice, channel, block) is a lane.  A text is pushed in at the front and comes out behind the last stage, at once or
 * later: what a stage holds back comes out with a later text of its lane, at the latest with the one that is `last`.  Tool
 * arguments are JSON: each string inside them is a text of its own, and is `last` where it ends, so that structure never
 * overtakes text.  A stage that WAITs stops the chain; chain_run() goes on where it stopped.
 */
#ifndef WORKER_CHAIN_H
#define WORKER_CHAIN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json_inner.h"
#include "worker/request.h"
#include "worker/stages.h"

struct lane {
    struct lane *next;
    uint32_t choice, block;
    enum weir_channel channel;
    struct json_inner inner;                 /* ARGUMENTS: where in the JSON the pieces have come to */
    bool edited;                             /* what came out differs from what went in */
    bool open;                               /* text has gone in since the last `last` */
    bool said, closed;                       /* another dialect has been told of it; of its end */
    struct buf out;                          /* came out, not yet taken */
    struct buf total;                        /* all that the client gets, when somebody will ask */
    struct weir_str tool_id, tool_name;
};

struct queued { struct queued *next; struct lane *lane; struct weir_str text; bool last; };

struct chain {
    struct request *r;
    struct lane *lanes;
    bool wanted;                             /* some stage has on_event */
    bool keep;                               /* the whole texts will be asked for: by on_response, or by a `copy` event */
    struct arena arena;                      /* queued texts; emptied by the next push */
    /* the text under way */
    struct lane *lane;                       /* NULL: none */
    struct weir_str piece;                   /* ARGUMENTS: what is left of it */
    bool last, ending;
    struct weir_str run, run_text;           /* a run inside a string, raw and unescaped */
    bool run_open, run_raw;
    struct buf run_out;
};

void chain_init(struct chain *, struct request *);
void chain_fini(struct chain *);
struct lane *chain_lane(struct chain *, uint32_t choice, enum weir_channel, uint32_t block);

/* Sends a text in (unescaped once: for arguments, JSON); then chain_run() until it says GO: `lane->out` has what came out. */
void chain_push(struct chain *, struct lane *, struct weir_str text, bool last);
enum stages_result chain_run(struct chain *);
/* weir_emit() of a stage. */
void chain_emit(struct chain *, struct ctx *, const struct weir_event *);
/* A stage that waited has spoken; STOP: the request has been refused. */
enum stages_result chain_resumed(struct chain *, struct ctx *, enum weir_verdict);

#endif
