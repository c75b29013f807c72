/* SPDX-License-Identifier: Apache-2.0 */
/*
 * never_resumes.c -- fixture: says WEIR_WAIT and never resumes.
 *
 * Ends: after the block's `timeout` on_cancel is called once, the stage counts as failed (WEIR_FAIL) and `on_failure`
 * decides: with "closed" the client gets 403 `guardrail_failed`, with "open" the request goes on.  A client that leaves
 * before ends the wait too: on_cancel, no answer.  Either way on_cancel leaves one line "cancelled" in the log.
 */
#include "weir.h"

static enum weir_verdict on_request(struct weir_ctx *c)
{
    (void)c;
    return WEIR_WAIT;
}

static void on_cancel(struct weir_ctx *c)
{
    weir_log(c, WEIR_INFO, "cancelled");
}

WEIR_PLUGIN(
    .name       = "never_resumes",
    .version    = "1",
    .summary    = "Fixture: waits for ever.",
    .on_request = on_request,
    .on_cancel  = on_cancel,
);
