/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h -- what decode.c (records and blocks) and ends.c (beginning, usage, end, errors) share: one frame at hand.
 */
#ifndef ANTHROPIC_DECODE_H
#define ANTHROPIC_DECODE_H

#include "anthropic.h"

struct decoder {
    struct weir_ctx *c;
    struct anthropic_read *l;
    const struct weir_frame *frame;
    const struct weir_json *j; /* of the frame; NULL: it is none */
    struct weir_error *e;
    bool other;                /* the client speaks another dialect: what only ours knows is left out */
    const struct weir_json *canonical; /* whose tools were told to the upstream; NULL: the client's own */
    uint32_t tools;
    bool whole;                        /* the blocks at hand are complete */
    bool failed;
};

static inline uint32_t member(const struct decoder *d, uint32_t object, const char *key)
{
    return weir_json_get(d->j, object, key);
}

static inline struct weir_str member_value(const struct decoder *d, uint32_t object, const char *key)
{
    return get_value(d->c, d->j, object, key);
}

static inline struct weir_event event_of(enum weir_channel channel, uint32_t block)
{
    return (struct weir_event){.size = sizeof(struct weir_event), .channel = channel, .block = block};
}

/* decode.c: the attempt ends.  Always false. */
bool decode_fails(struct decoder *, const char *text);
/* decode.c: every block that is open gets its `last`. */
void blocks_end(struct decoder *);

/* ends.c.  put_start is false when another answer has begun inside this one. */
bool put_start(struct decoder *, uint32_t message);
void put_tokens(struct decoder *, uint32_t usage);
void put_finish(struct decoder *, uint32_t object);
void put_done(struct decoder *);
/* `error` of a record or a body, or WEIR_NO_NODE. */
void put_error(struct decoder *, uint32_t error);

#endif
