/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resumes_twice.c -- fixture: waits 10 ms, then resumes with PASS and at once again with BLOCK.
 *
 * Ends: the first answer counts and the request passes; the second is ignored and logged (`resume_twice`).
 */
#include "weir.h"

static void fire(struct weir_ctx *c)
{
    weir_resume(c, WEIR_PASS);
    weir_resume(c, WEIR_BLOCK);
}

static enum weir_verdict on_request(struct weir_ctx *c)
{
    weir_after(c, 10, fire);
    return WEIR_WAIT;
}

WEIR_PLUGIN(
    .name       = "resumes_twice",
    .version    = "1",
    .summary    = "Fixture: answers two times.",
    .on_request = on_request,
);
