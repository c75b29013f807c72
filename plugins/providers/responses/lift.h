/* SPDX-License-Identifier: Apache-2.0 */
/* lift.h -- what lift.c and items.c share: where something stands in the client's body, as a refusal names it. */
#ifndef RESPONSES_LIFT_H
#define RESPONSES_LIFT_H

#include "canon.h"
#include "responses.h"

struct lift {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct emit *m;
    struct weir_error *e;
};

struct place { char text[64]; };

/* "input[2].content[1]"; `key` NULL: the element itself. */
__attribute__((format(printf, 1, 2)))
struct place place_at(const char *fmt, ...);

static inline struct weir_str place_str(const struct place *p)
{
    return str_of(p->text);
}

/* A key that has no place in the canonical request.  `at` NULL: of the top level. */
bool lift_lossy(struct lift *, const struct place *at, uint32_t key, bool hint);
/* Every key of `object` that is not among `known` (NULL-ended) is such a one. */
bool lift_only(struct lift *, uint32_t object, const struct place *at, const char *const *known);
/* What no provider's setting can make go away. */
bool lift_refuse(struct lift *, const char *field, const char *why);

#endif
