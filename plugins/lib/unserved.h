/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unserved.h -- paths of an API that weir does not serve, each with the sentence that tells what to do instead.
 *
 * A dialect's `accept` calls it for WEIR_UNSERVED.  Knows nothing but sdk/weir.h.
 */
#ifndef LIB_UNSERVED_H
#define LIB_UNSERVED_H

#include <stdio.h>

#include "text.h"

struct unserved {
    const char *path; /* the beginning of it; ended by a row with path NULL, whose sentence is for all others */
    const char *instead;
};

/* Always false: the error says what to do instead. */
static inline bool unserved_refuse(const struct weir_request *r, const struct unserved *rows, struct weir_error *e)
{
    while (rows->path && !str_starts(r->path, rows->path))
        rows++;
    snprintf(e->code, sizeof e->code, "not_implemented");
    snprintf(e->text, sizeof e->text, "%s", rows->instead);
    return false;
}

#endif
