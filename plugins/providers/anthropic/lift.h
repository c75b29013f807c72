/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.h -- what lift.c (the body) and lift_parts.c (messages and blocks) share: one request on its way into the
 * canonical one.
 */
#ifndef ANTHROPIC_LIFT_H
#define ANTHROPIC_LIFT_H

#include "anthropic.h"

struct lift {
    struct weir_ctx *c;
    const struct weir_json *j; /* the client's body */
    struct emit *m;            /* the canonical request so far */
    struct weir_error *e;
};

static inline uint32_t lift_get(const struct lift *l, uint32_t object, const char *key)
{
    return weir_json_get(l->j, object, key);
}

static inline struct weir_str lift_value(const struct lift *l, uint32_t object, const char *key)
{
    return get_value(l->c, l->j, object, key);
}

/* "AT.KEY", or "AT" when there is no key. */
static inline bool lift_lossy(struct lift *l, const char *at, const char *key, bool hint)
{
    return lossy(l->c, key ? place_of(l->c, "%s.%s", at, key) : str_of(at), hint, l->e);
}

/* The same for a key of the body that has no row anywhere. */
bool lift_unknown(struct lift *, const char *at, uint32_t key, bool hint);

/* A message of the client: one or two of the canonical ones. */
bool lift_message(struct lift *, uint32_t message, uint32_t index);
/* "system": [...] of a string or a list of blocks. */
bool lift_system(struct lift *, uint32_t system);
/* "cache": {...} of a block's cache_control. */
bool lift_cache(struct lift *, uint32_t object, const char *at);

#endif
