/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaks.c -- fixture: keeps 1 KB of memory for each request and never frees it.
 *
 * Ends: harmless to requests, to other workers and to the host.  The worker grows by what is leaked, and all of it goes
 * with the process, at the latest when its generation ends.  (The blocks hang together from `self`, so that a leak
 * checker, which looks for what nobody points to, has nothing to say of the host's own exit.)
 */
#include "weir.h"

#include <stdlib.h>

struct block {
    struct block *next;
    char memory[1024 - sizeof(void *)];
};

struct leaks {
    struct block *lost;
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    struct leaks *me = c->self;
    struct block *b = malloc(sizeof *b);

    if (!b)
        return WEIR_FAIL;
    memset(b, 'x', sizeof *b);
    b->next = me->lost;
    me->lost = b;
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "leaks",
    .version    = "1",
    .summary    = "Fixture: frees nothing.",
    .self_size  = sizeof(struct leaks),
    .on_request = on_request,
);
