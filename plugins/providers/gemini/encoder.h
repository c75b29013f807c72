/* SPDX-License-Identifier: Apache-2.0 */
/* encoder.h -- what the files that make a body of the canonical request share. */
#ifndef GEMINI_ENCODER_H
#define GEMINI_ENCODER_H

#include "gemini.h"

struct encoder {
    struct weir_ctx *c;
    const struct weir_json *j; /* the canonical request */
    struct emit m;
    struct weir_error *e;
    /* of the model, as its name tells */
    int major;                 /* 0: unknown */
    bool pro, vertex, openapi;
    /* contents.c: the content that is open */
    const char *role;          /* NULL: none */
    bool results, called;      /* it holds results; it has a call */
    struct weir_str signature; /* for the part that comes next */
    struct weir_str *calls;    /* ids of the calls of the model's turn, in order */
    uint32_t call_count, call_cap;
};

/* Each writes its members, or none; false: UNSUPPORTED and the error. */
bool encode_system(struct encoder *);
bool encode_contents(struct encoder *);
bool encode_tools(struct encoder *);
bool encode_config(struct encoder *);

/* encode_parts.c: what is no text.  `*say`: it can be said, and media_put() writes its members; else it has been given
 * to weir_lossy(), and false refuses it. */
bool media_allowed(struct encoder *, uint32_t part, bool *say);
void media_put(struct encoder *, uint32_t part);

static inline uint32_t top(const struct encoder *n, const char *key)
{
    return weir_json_get(n->j, 0, key);
}

static inline struct weir_str value(struct encoder *n, uint32_t object, const char *key)
{
    return get_value(n->c, n->j, object, key);
}

static inline bool part_is(const struct encoder *n, uint32_t part, const char *type)
{
    return node_says(n->j, weir_json_get(n->j, part, "type"), type);
}

#endif
