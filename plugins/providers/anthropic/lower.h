/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.h -- what lower.c (the body), lower_parts.c (system and messages) and lower_think.c share: one canonical request
 * on its way to Anthropic.
 */
#ifndef ANTHROPIC_LOWER_H
#define ANTHROPIC_LOWER_H

#include "anthropic.h"

struct thinking {
    bool on, off, adaptive;
    int64_t budget;
    struct weir_str effort, display;
};

struct lower {
    struct weir_ctx *c;
    const struct weir_json *j; /* the canonical request */
    struct emit *m;            /* Anthropic's body so far */
    struct weir_error *e;
    int64_t max;               /* tokens of the answer */
    struct thinking think;
};

static inline uint32_t lower_get(const struct lower *l, uint32_t object, const char *key)
{
    return weir_json_get(l->j, object, key);
}

static inline struct weir_str lower_value(const struct lower *l, uint32_t object, const char *key)
{
    return get_value(l->c, l->j, object, key);
}

/* Fills l->think, for `model`. */
bool lower_thinking(struct lower *, struct weir_str model);
/* "system": [...], with `more` behind it when there is some. */
bool lower_system(struct lower *, struct weir_str more);
/* "messages": [...]. */
bool lower_messages(struct lower *);
/* "cache_control": {...} of anything that has `cache`. */
bool lower_cache(struct lower *, uint32_t object);

#endif
