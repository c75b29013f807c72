/* SPDX-License-Identifier: MIT */
/* world_table.c -- fixture of world tests: a guardrail with an option that would not take its own fallback. */
#include "weir.h"

struct self {
    int64_t count;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct self, count, "50", "A number.", .min = 1, .max = 10),
    WEIR_OPT_END,
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    (void)c;
    return WEIR_PASS;
}

WEIR_PLUGIN(.name = "table", .version = "1", .summary = "Has a bad table.", .options = options,
            .self_size = sizeof(struct self), .on_request = on_request, );
