/* SPDX-License-Identifier: Apache-2.0 */
/*
 * translate.h -- a client of one dialect, an upstream of another: the canonical request on the way up, events on the way down.
 *
 * Up: the client's dialect lifts the body, with the stages' edits in it, once; the upstream's dialect makes its own of that.
 * Down: every event of the upstream goes to the client's dialect, which writes a stream as it comes, or gathers one body.
 */
#ifndef WORKER_TRANSLATE_H
#define WORKER_TRANSLATE_H

#include "worker/chain.h"
#include "worker/request.h"

struct translation {
    struct weir_json edited, canonical;      /* the body with the stages' edits; what the client's dialect made of it */
    struct weir_json served;                 /* serves: what a provider in this process sees as the body */
    struct weir_request served_view;
    bool lifted, serves;
    struct buf dropped; size_t dropped_by_lift;          /* names of fields that the upstream does not get, with commas */
};

void translation_free(struct request *);

/* Whether the candidate being tried speaks another dialect than the client, or is to be treated as if it did. */
bool translates(const struct request *);
/* Whether this provider can serve a client of `dialect`, be it through the canonical request. */
bool translate_can(const struct provider *, const struct instance *dialect, enum weir_kind);

/* Makes the canonical request unless it is there.  PASS, or UNSUPPORTED with an error for the client. */
enum weir_verdict translate_lift(struct request *, struct weir_error *);
/* Members that only servers of the client's own dialect may know (`extra`) cannot go to others.  PASS, or UNSUPPORTED. */
enum weir_verdict translate_extra(struct request *, struct ctx *, struct weir_error *);
/* For a provider that serves from this process: it sees the body that `encode` made. */
bool translate_serve(struct request *, struct weir_str body);

/* weir_body(), weir_request() and weir_lossy(), as the ctx at hand is to see them. */
const struct weir_json *translate_body(const struct ctx *);
const struct weir_request *translate_request(const struct ctx *);
bool translate_lossy(struct ctx *, struct weir_str field, bool hint);
/* An attempt begins: what another one left out is forgotten. */
void translate_forget(struct request *);

/* An event for the client; text has been through the stages.  false: the answer has been stopped. */
bool translate_say(struct request *, const struct weir_event *);
/* What came out of the chain for this lane. */
bool translate_text(struct request *, struct lane *, bool last);
/* The upstream says that it failed, in an answer or instead of one. */
void translate_error(struct request *, const struct weir_event *);
/* All is there: the end mark, or the body. */
void translate_end(struct request *);

#endif
