/* SPDX-License-Identifier: Apache-2.0 */
/* must.c -- aborting on what cannot be survived; see must.h. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void must_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "weir: %s:%d: broken invariant: %s\n", file, line, what);
    abort();
}

void *must_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    must(p != NULL);
    return p;
}

void *must_realloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    must(q != NULL);
    return q;
}

char *must_strdup(const char *s)
{
    char *p = strdup(s);
    must(p != NULL);
    return p;
}
