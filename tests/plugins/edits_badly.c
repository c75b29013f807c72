/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edits_badly.c -- fixture: edits ranges that do not exist: backwards, behind the end, in a span that is not there.
 *
 * Ends: none of these edits changes a byte; each is logged (`plugin_misused`).  A guardrail that misses what it wanted
 * to change has not done its work, so the stage counts as failed (WEIR_FAIL) although it says PASS, and `on_failure`
 * decides: with "closed" the client gets 403 `guardrail_failed`, with "open" the request goes on as it was.
 */
#include "weir.h"

static enum weir_verdict on_request(struct weir_ctx *c)
{
    size_t n;

    weir_spans(c, &n);
    weir_edit(c, 0, 2, 1, WEIR_STR("backwards"));
    weir_edit(c, 0, 0, SIZE_MAX, WEIR_STR("behind the end"));
    weir_edit(c, 0, SIZE_MAX, SIZE_MAX, WEIR_STR("far behind the end"));
    weir_edit(c, n, 0, 0, WEIR_STR("in no span"));
    weir_edit(c, SIZE_MAX, 0, 0, WEIR_STR("in no span at all"));
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "edits_badly",
    .version    = "1",
    .summary    = "Fixture: edits what is not there.",
    .on_request = on_request,
);
