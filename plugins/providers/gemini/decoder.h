/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.h -- what decode.c and call.c share: one frame on its way to become events. */
#ifndef GEMINI_DECODER_H
#define GEMINI_DECODER_H

#include "gemini.h"
#include "partial.h"

#define FIRST_EVENTS 8

struct decoder {
    struct weir_ctx *c;
    struct gemini_local *l;
    const struct weir_frame *frame;
    const struct weir_json *j;
    struct weir_error *e;
    bool whole; /* not a piece of an answer: every text of it ends with it */
    bool failed;
    struct weir_event room[FIRST_EVENTS], *events;
    uint32_t count, cap;
    struct weir_usage usage;
};

bool give_up(struct decoder *, const char *text);
struct weir_event *event_new(struct decoder *, enum weir_channel, uint32_t choice);
/* Where a node of the frame stands. */
void event_place(struct decoder *, struct weir_event *, uint32_t node);

/* call.c: a functionCall of a part; the end of the one under way. */
void decode_call(struct decoder *, struct gemini_choice *, uint32_t call);
void call_close(struct decoder *, struct gemini_choice *);
/* A string in another place than a text, for stages to see: TEXT blocks from TEXT_STRINGS on. */
void put_string(struct decoder *, struct gemini_choice *, uint32_t node, bool last);

#endif
