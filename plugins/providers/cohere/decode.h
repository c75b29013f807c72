/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h -- what the files that read an upstream's frame share.
 *
 * Hook `decode`, worker process.  decode.c reads the records of a stream, decode_body.c answers in one piece.
 */
#ifndef COHERE_DECODE_H
#define COHERE_DECODE_H

#include "cohere.h"

struct decoder {
    struct weir_ctx *c;
    struct cohere_local *l;
    const struct weir_frame *frame;
    const struct weir_json *j; /* NULL: the frame is no JSON */
    struct weir_error *e;
    bool lowered; /* the client speaks another dialect: events are all that it gets */
};

static inline uint32_t member(const struct decoder *d, uint32_t object, const char *key)
{
    return weir_json_get(d->j, object, key);
}

static inline bool is_object(const struct decoder *d, uint32_t node)
{
    return weir_json_is(d->j, node, WEIR_JSON_OBJECT);
}

static inline struct weir_event event_of(enum weir_channel channel, uint32_t block)
{
    return (struct weir_event){.size = sizeof(struct weir_event), .channel = channel, .block = block};
}

/* false, and the error. */
bool decode_give_up(struct decoder *, const char *text);

/* One piece of a block's text; `last`: it is all that there is. */
bool decode_piece(struct decoder *, enum weir_channel, uint32_t block, uint32_t node, bool last);
/* {"id","function":{"name","arguments"}}: a call begins; `last`: it is all of it. */
bool decode_call(struct decoder *, uint32_t block, uint32_t call, bool last);
/* What says a block's text in another form: sent as null once that is edited. */
void decode_shadow(struct decoder *, uint32_t block, uint32_t node);
void decode_end_all(struct decoder *);

void decode_start(struct decoder *, uint32_t id);
/* Counts and the reason of `object`, when it says them. */
void decode_finish(struct decoder *, uint32_t object);
void decode_usage(struct decoder *, uint32_t usage);
void decode_error(struct decoder *, struct weir_str message, int status);

#endif
