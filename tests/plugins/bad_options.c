/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bad_options.c -- fixture: the plugin's own table contradicts itself: the fallback of `limit` is out of its range.
 *
 * Ends: not loaded, whatever the block says, because it is the plugin that must be corrected.  weir does not start; one
 * line names the plugin's file and the option.
 */
#include "weir.h"

struct bad_options {
    int64_t limit;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct bad_options, limit, "20", "A number from 1 to 10, says this row, and begins with 20.", .min = 1,
             .max = 10),
    WEIR_OPT_END,
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    (void)c;
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "bad_options",
    .version    = "1",
    .summary    = "Fixture: its table of options contradicts itself.",
    .options    = options,
    .self_size  = sizeof(struct bad_options),
    .on_request = on_request,
);
