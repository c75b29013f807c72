/* SPDX-License-Identifier: Apache-2.0 */
/* lower.h -- what lower.c (the members of a request), lower_messages.c and lower_other.c share. */
#ifndef COHERE_LOWER_H
#define COHERE_LOWER_H

#include "canon.h"
#include "cohere.h"
#include "emit.h"

struct lower {
    struct weir_ctx *c;
    const struct weir_json *j; /* the canonical request */
    struct weir_error *e;
    struct emit m;
};

static inline uint32_t lower_at(const struct lower *l, uint32_t object, const char *key)
{
    return weir_json_get(l->j, object, key);
}

static inline bool type_is(const struct lower *l, uint32_t part, const char *type)
{
    return node_says(l->j, lower_at(l, part, "type"), type);
}

/* Members of the canonical request that are no more than hints, to the end of a list: left out, and told. */
bool lower_hints(struct lower *, const char *const *keys);

/* "documents", then "messages". */
bool lower_messages(struct lower *);

#endif
