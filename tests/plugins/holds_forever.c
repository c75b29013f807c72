/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds_forever.c -- fixture: on_event takes every piece and emits none, not even those marked `last`.
 *
 * Ends: text that is not emitted by `last` has been removed, which a guardrail may do.  The client's answer has no
 * text; usage, the finish and the end mark reach it, and nothing is kept after the request.
 */
#include "weir.h"

static enum weir_verdict on_event(struct weir_ctx *c, const struct weir_event *e)
{
    (void)c;
    (void)e;
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name     = "holds_forever",
    .version  = "1",
    .summary  = "Fixture: lets no text go.",
    .on_event = on_event,
);
