/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.h -- asks the guardrails of a request, one after the other, and acts on what they say.
 *
 * One place decides what a verdict means: `mode`, `on_failure` and the time budget of a stage's block.  Steps `ask`,
 * `pick` and `check` walk the chain here; answer.c walks it for each piece of a stream.
 */
#ifndef WORKER_STAGES_H
#define WORKER_STAGES_H

#include "base/buf.h"
#include "weir.h"
#include "worker/request.h"

enum stages_result { STAGES_GO, STAGES_WAIT, STAGES_STOP };  /* STOP: the request has been refused */

/* Calls `hook` of `c`'s plugin through `call` with the clock running, and judges its answer. */
enum stages_result stages_judge(struct ctx *, enum hook, enum weir_verdict);

/* Runs one hook with its time accounted to the stage. */
enum weir_verdict stages_call(struct ctx *, enum hook, const struct weir_event *);

/* weir_resume(): the wait of a ctx is over. */
void stages_resume(struct ctx *, enum weir_verdict);

/* The request ends: every waiting ctx is told by on_cancel, every timer stops. */
void stages_cancel(struct request *);

/* Where weir_out() of this ctx goes; NULL: nowhere. */
void stages_out(struct ctx *, struct buf *);
/* The request's refusal, said by its dialect. */
void stages_refuse(struct request *, struct buf *out);

/* on_record of every stage that took part. */
void stages_record(struct request *);

/* Bytes that no guardrail can read, of the request or of the answer: false when one does not let them through; the
 * request has been refused. */
bool stages_take_unseen(struct request *, bool answer);

bool stages_have_events(const struct world *);       /* some stage has on_event */
bool stages_have_response(const struct world *);     /* some stage has on_response */
bool stages_hold_stream(const struct world *);       /* some enforcing stage can only judge the whole answer */

#endif
