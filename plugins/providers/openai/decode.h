/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h -- what the files that read an upstream's frame share.
 *
 * Hook `decode`, worker process.  decode.c walks the frame; decode_calls.c knows tool calls, decode_error.c the
 * shapes of errors, decode_other.c what only clients of other dialects need, think.c reasoning between tags.
 */
#ifndef OPENAI_DECODE_H
#define OPENAI_DECODE_H

#include "openai.h"
#include "walk.h"

#define FIRST_EVENTS 8

struct decoder {
    struct weir_ctx *c;
    struct openai_local *l;
    const struct weir_frame *frame;
    const struct weir_json *j;
    struct weir_error *e;
    bool whole; /* not a piece of an answer: every text of it ends with it */
    bool failed;
    struct weir_event room[FIRST_EVENTS], *events;
    uint32_t count, cap;
    struct weir_usage usage;
};

static inline bool is(const struct decoder *d, uint32_t node, enum weir_json_type type)
{
    return weir_json_is(d->j, node, type);
}

static inline bool is_text(const struct decoder *d, uint32_t node)
{
    return is(d, node, WEIR_JSON_STRING) && d->j->nodes[node].len > 0;
}

static inline struct weir_str value_of(struct decoder *d, uint32_t node)
{
    return node_value(d->c, d->j, node);
}

/* false, and the error. */
bool decode_give_up(struct decoder *, const char *text);
/* One event more of this frame; valid until the next. */
struct weir_event *decode_event(struct decoder *, enum weir_channel, uint32_t choice);
/* One more on a stream, whose text is the string `node` (WEIR_NO_NODE: none).  NULL: given up. */
struct weir_event *decode_event_at(struct decoder *, enum weir_channel, uint32_t choice, uint32_t block, uint32_t node);
/* Where a value of the frame stands. */
void decode_place(struct decoder *, struct weir_event *, uint32_t node);
/* The newest event of this stream is its last; a stream without text in this frame gets one. */
struct openai_stream;
void decode_end_stream(struct decoder *, struct openai_stream *);

/* decode_calls.c */
void decode_calls(struct decoder *, uint32_t choice, uint32_t array);
void decode_old_call(struct decoder *, uint32_t choice, uint32_t function);

/* decode_error.c: {"message"}, "text", or anything else that is not null or false. */
void decode_error(struct decoder *, uint32_t error);
/* Errors that stand at the top of the object `root`. */
void decode_flat_error(struct decoder *, uint32_t root, uint32_t error);
/* A body of an error status that is no object: an array around one, a page. */
void decode_error_page(struct decoder *);

/* decode_media.c: kinds from WEIR_IMAGE on.  false: given up. */
bool decode_media(struct decoder *);

/* decode_other.c */
void decode_start(struct decoder *);
void decode_opaque(struct decoder *, uint32_t choice, uint32_t item);
void decode_vectors(struct decoder *, uint32_t data);
enum weir_finish decode_reason(const struct decoder *, uint32_t choice, struct weir_str reason);
void decode_stop_sequence(struct decoder *, struct weir_event *finish, uint32_t choice_item);

/* think.c: a piece of a choice's text, unescaped, of which what stands between the tags goes as reasoning.  What may be
 * the beginning of a tag is held back until more comes, or the end. */
void think_text(struct decoder *, uint32_t choice, struct weir_str text);
void think_end(struct decoder *, uint32_t choice);
void think_end_all(struct decoder *);

#endif
