/* SPDX-License-Identifier: MIT */
/* world_mock.c -- fixture of world tests: an in-process provider that speaks the dialect of world_openai.c. */
#include "weir.h"

static void serve(struct weir_ctx *c, const struct weir_candidate *candidate)
{
    (void)candidate;
    weir_serve(c, WEIR_STR(""), true);
}

WEIR_PLUGIN(.name = "mock", .version = "1", .summary = "Serves nothing.", .dialect = "openai", .serve = serve, );
