/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h -- one frame of an upstream being read: what decode.c, texts.c and strings.c share. */
#ifndef RESPONSES_DECODE_H
#define RESPONSES_DECODE_H

#include "streams.h"

struct decoder {
    struct weir_ctx *c;
    struct responses_local *l;
    const struct weir_frame *frame;
    const struct weir_json *j;
    struct weir_error *e;
    uint32_t before; /* the last record may count items anew: texts from before this frame are looked for everywhere */
    bool failed;
};

/* A text that comes in pieces gets one more.  `item` is raw. */
void text_piece(struct decoder *, uint32_t output, enum stream_kind, uint32_t part, uint32_t node, struct weir_str item);
/* A text as a whole: it repeats the pieces that came before, or is new. */
void text_whole(struct decoder *, uint32_t output, enum stream_kind, uint32_t part, uint32_t node);
/* A value that says a text in another form, as log probabilities do. */
void text_shadow(struct decoder *, uint32_t output, enum stream_kind, uint32_t part, uint32_t array);
/* All texts of an item, or of one part of it.  `ends`: nothing more comes of it. */
void item_texts(struct decoder *, uint32_t output, uint32_t item, bool ends);
void part_texts(struct decoder *, uint32_t output, uint32_t part, uint32_t index);
/* A call has begun: who it is, before it has any arguments. */
void call_begin(struct decoder *, uint32_t output, uint32_t item);
/* Texts that are still open get their `last`: those of one item, or all. */
void texts_end(struct decoder *, bool all, uint32_t output);

/* A text that is no part of another, and no copy.  What is no string, or is empty, is passed over. */
void text_stray(struct decoder *, enum weir_channel, uint32_t node);
/* Each string below a node, or below the value of a key, as a text of its own, unless it is an id, an enumeration or
 * data.  Nothing for clients of other dialects. */
void strings_say(struct decoder *, uint32_t node);
void strings_member(struct decoder *, uint32_t key);

bool give_up(struct decoder *, const char *text);

#endif
