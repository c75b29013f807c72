/* SPDX-License-Identifier: MIT */
/*
 * world_newer.c -- fixture of world tests: a guardrail built against a later header, which uses an option row
 * that has grown.
 */
#include "weir.h"

struct later_option {
    struct weir_option now;
    const char *later;
};
struct later_plugin {
    struct weir_plugin now;
    void (*later[3])(void);
};

struct self {
    const char *word;
    int64_t count;
};

static const struct later_option options[] = {
    {.now = WEIR_OPT(struct self, word, "deep", "A word.")},
    {.now = WEIR_OPT(struct self, count, "7", "A number."), .later = "used"},
    {.now = WEIR_OPT_END},
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    (void)c;
    return WEIR_PASS;
}

__attribute__((visibility("default"))) extern const struct later_plugin weir_plugin;
const struct later_plugin weir_plugin = {.now = {.abi = WEIR_ABI,
                                                 .size = sizeof(struct later_plugin),
                                                 .option_size = sizeof(struct later_option),
                                                 .path_size = sizeof(struct weir_path),
                                                 .name = "newer",
                                                 .version = "1",
                                                 .summary = "Is newer.",
                                                 .options = &options[0].now,
                                                 .self_size = sizeof(struct self),
                                                 .on_request = on_request}};
