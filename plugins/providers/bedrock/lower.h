/* SPDX-License-Identifier: Apache-2.0 */
/* lower.h -- what lower.c (the members of a request), lower_tools.c and lower_blocks.c (messages and their blocks) share. */
#ifndef BEDROCK_LOWER_H
#define BEDROCK_LOWER_H

#include "bedrock.h"
#include "canon.h"
#include "emit.h"

struct lower {
    struct weir_ctx *c;
    const struct weir_json *j; /* the canonical request */
    struct weir_error *e;
    struct weir_str model;
    struct emit m;
    struct weir_str *documents; /* names given so far */
    size_t document_count, document_cap;
};

static inline uint32_t lower_at(const struct lower *l, uint32_t object, const char *key)
{
    return weir_json_get(l->j, object, key);
}

bool lower_is(const struct lower *, const char *family); /* the model's id has this in it */

/* The name that Converse takes for a tool; what it was is kept for decode. */
struct weir_str lower_name(struct lower *, struct weir_str name);
struct weir_str lower_call_id(struct lower *, struct weir_str id);

/* {"cachePoint"}, when `part` has "cache". */
bool lower_cache(struct lower *, uint32_t part);

bool lower_system(struct lower *);
bool lower_messages(struct lower *);
bool lower_tools(struct lower *);

#endif
