/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams.h -- the streams of one answer: which are open, so that each gets its `last`, and which block a tool call is.
 *
 * Kept in `local` by decode.  What comes from the upstream is not trusted: the number of streams has a ceiling.
 */
#ifndef OPENAI_STREAMS_H
#define OPENAI_STREAMS_H

#include "openai.h"

/* Finds or begins a stream.  NULL: there are too many. */
struct openai_stream *stream_get(struct weir_ctx *, enum weir_channel, uint32_t choice, uint32_t block);

/* The stream gets an event: the event's block.  -1: it has ended too often. */
int64_t stream_use(struct openai_stream *, uint32_t frame, uint32_t event);
uint32_t stream_block(const struct openai_stream *);

/* The block of a tool call.  `index` -1: the upstream did not say, so the id tells, then the name.  For clients of
 * other dialects, an index that comes with another id and a name begins a call too: some servers number all of them 0.
 * -1: too many. */
int64_t call_block(struct weir_ctx *, uint32_t choice, int64_t index, struct weir_str id, struct weir_str name);

/* More of a call's arguments: while they are not complete, its name said again begins no other call. */
void call_said(struct weir_ctx *, uint32_t choice, uint32_t block, struct weir_str arguments);

#endif
