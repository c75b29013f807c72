/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks_everywhere.c -- fixture: says BLOCK in the hook that its block names, and PASS in all others.
 *
 * Ends, when it enforces:
 *   request, route   403 "blocked_in_request", "blocked_in_route"; no byte has gone to a provider
 *   event            before the first byte of the answer: 403 "blocked_in_event"; in a stream that has begun: an error
 * event that ends it well.  The upstream is cancelled response         403 "blocked_in_response"; in a stream that has
 * begun, an error event in place of its end The reason, "fixture", is in the record and nowhere else.  When it
 * observes, nothing is blocked, and the record has the label NAME.would_block.
 */
#include "weir.h"

struct blocks_everywhere {
    const char *where;
};

static const char *const hooks[] = {"request", "route", "event", "response", NULL};

static const struct weir_option options[] = {
    WEIR_OPT(struct blocks_everywhere, where, "request", "The hook that blocks.", .choices = hooks),
    WEIR_OPT_END,
};

static enum weir_verdict judge(struct weir_ctx *c, const char *where, const char *code)
{
    const struct blocks_everywhere *me = c->self;

    return strcmp(me->where, where) == 0 ? weir_block(c, code, WEIR_STR("fixture")) : WEIR_PASS;
}

static enum weir_verdict on_request(struct weir_ctx *c)
{
    return judge(c, "request", "blocked_in_request");
}

static enum weir_verdict on_route(struct weir_ctx *c, struct weir_candidate *first, size_t n, size_t stride)
{
    (void)first;
    (void)n;
    (void)stride;
    return judge(c, "route", "blocked_in_route");
}

static enum weir_verdict on_event(struct weir_ctx *c, const struct weir_event *e)
{
    enum weir_verdict v = judge(c, "event", "blocked_in_event");

    if (v == WEIR_PASS)
        weir_emit(c, e);
    return v;
}

static enum weir_verdict on_response(struct weir_ctx *c)
{
    return judge(c, "response", "blocked_in_response");
}

WEIR_PLUGIN(
    .name        = "blocks_everywhere",
    .version     = "1",
    .summary     = "Fixture: refuses, wherever it is told to.",
    .options     = options,
    .self_size   = sizeof(struct blocks_everywhere),
    .on_request  = on_request,
    .on_route    = on_route,
    .on_event    = on_event,
    .on_response = on_response,
);
