/* SPDX-License-Identifier: Apache-2.0 */
/* lifter.h -- what the files that make the canonical request share. */
#ifndef GEMINI_LIFTER_H
#define GEMINI_LIFTER_H

#include "gemini.h"

struct lifted_call { struct weir_str id, name; bool answered; };

struct lifter {
    struct weir_ctx *c;
    const struct weir_json *j; /* the client's body */
    struct emit m;
    struct weir_error *e;
    char at[64];               /* where the part under way stands: "contents[2].parts[1]" */
    /* lift.c: the model's turn under way */
    bool open;
    struct text thought;
    struct lifted_call *calls;
    uint32_t call_count, call_cap;
};

/* lift_parts.c: a part that is no call, no result and no thought, as one of the canonical's. */
bool lift_part(struct lifter *, uint32_t part);
bool lift_embedding(struct lifter *);
/* lift_config.c */
bool lift_tools(struct lifter *, uint32_t tools, uint32_t config);
bool lift_config(struct lifter *, uint32_t config);

/* Every key of `object` that `known` (NULL-ended) does not name is lossy; `place` is where the object stands. */
bool lift_unknown(struct lifter *, uint32_t object, const char *place, const char *const *known);

bool lift_lossy(struct lifter *, const char *place, const char *key, bool hint);

#endif
