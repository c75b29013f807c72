/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow.c -- fixture: on_request holds the worker's loop for `hold` instead of saying WEIR_WAIT.
 *
 * Ends: nothing can interrupt a hook, so the request goes on when it returns, and everybody on this worker has waited.
 * The verdict counts.  A warning `stage_slow` names the stage and the time, and the stage's histogram shows it.  Other
 * workers do not notice.
 */
#include "weir.h"

#include <time.h>

struct slow {
    int64_t hold;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct slow, hold, "200ms", "Time that each request holds the loop.", .unit = WEIR_MS, .min = 0,
             .max = 10000),
    WEIR_OPT_END,
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    const struct slow *me = c->self;

    nanosleep(&(struct timespec){me->hold / 1000, me->hold % 1000 * 1000000}, NULL);
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "slow",
    .version    = "1",
    .summary    = "Fixture: blocks the loop.",
    .options    = options,
    .self_size  = sizeof(struct slow),
    .on_request = on_request,
);
