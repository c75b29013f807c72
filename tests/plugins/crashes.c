/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crashes.c -- fixture: dies of SIGSEGV in on_request when a text contains "crash now".
 *
 * Ends: the worker is gone and with it the requests that it had, whose clients see their connections close; what was in
 * the journal stays there.  Another worker takes its place at once, from the same generation, and the gateway goes on.
 */
#include "weir.h"

#include <signal.h>

static enum weir_verdict on_request(struct weir_ctx *c)
{
    static const char word[] = "crash now";
    size_t n;
    const struct weir_span *spans = weir_spans(c, &n);

    for (size_t i = 0; i < n; i++) {
        struct weir_str text = weir_at(spans, c->host->span_size, i)->text;
        for (size_t at = 0; at + sizeof word - 1 <= text.len; at++)
            if (memcmp(text.ptr + at, word, sizeof word - 1) == 0)
                raise(SIGSEGV);
    }
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "crashes",
    .version    = "1",
    .summary    = "Fixture: takes its worker down when asked to.",
    .on_request = on_request,
);
