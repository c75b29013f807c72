/* SPDX-License-Identifier: Apache-2.0 */
/*
 * missing_option.c -- fixture: has an option without a fallback.
 *
 * Ends: a block that does not give `word` does not start; one line at the block's file:line names the option and its
 * help.  With `word` it refuses requests that contain it, code "word_found".
 */
#include "weir.h"

struct missing_option {
    const char *word;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct missing_option, word, NULL, "Word that no prompt may contain."),
    WEIR_OPT_END,
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    const struct missing_option *me = c->self;
    size_t n, len = strlen(me->word);
    const struct weir_span *spans = weir_spans(c, &n);

    for (size_t i = 0; i < n; i++) {
        struct weir_str text = weir_at(spans, c->host->span_size, i)->text;
        for (size_t at = 0; at + len <= text.len; at++)
            if (memcmp(text.ptr + at, me->word, len) == 0)
                return weir_block(c, "word_found", WEIR_STR("the word of this block"));
    }
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "missing_option",
    .version    = "1",
    .summary    = "Fixture: needs an option.",
    .options    = options,
    .self_size  = sizeof(struct missing_option),
    .on_request = on_request,
);
