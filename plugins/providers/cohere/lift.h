/* SPDX-License-Identifier: Apache-2.0 */
/* lift.h -- what lift.c (the members of a request) and lift_messages.c share. */
#ifndef COHERE_LIFT_H
#define COHERE_LIFT_H

#include "canon.h"
#include "emit.h"

#define LIFT_PATH 128 /* bytes of a path in the client's body */

struct lift {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct weir_error *e;
    struct emit m;
};

static inline uint32_t lift_at(const struct lift *l, uint32_t object, const char *key)
{
    return weir_json_get(l->j, object, key);
}

/* A member that has no place: false, refused. */
bool lift_lossy(struct lift *, const char *path, bool hint);
/* The same for each key of `object` that is not among `known`; its name is put behind `path` and a dot. */
bool lift_unknown(struct lift *, uint32_t object, const char *path, const char *const *known);
bool lift_wrong(struct lift *, const char *path, const char *want);

/* "system" and "messages". */
bool lift_messages(struct lift *, uint32_t array);

#endif
