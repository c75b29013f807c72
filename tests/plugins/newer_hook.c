/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newer_hook.c -- fixture: built against a header of the future, and it uses a hook that this host does not know.
 *
 * Ends: not loaded, because a hook that nobody calls may be the one that says no.  weir does not start; one line at the
 * block's file:line says that the plugin needs a newer weir.
 */
#include "weir.h"

struct weir_plugin_of_the_future {
    struct weir_plugin known;
    enum weir_verdict (*on_unknown)(struct weir_ctx *);
};

static enum weir_verdict say_pass(struct weir_ctx *c)
{
    (void)c;
    return WEIR_PASS;
}

__attribute__((visibility("default"))) const struct weir_plugin_of_the_future weir_plugin = {
    .known =
        {
            .abi = WEIR_ABI,
            .size = sizeof(struct weir_plugin_of_the_future),
            .option_size = sizeof(struct weir_option),
            .path_size = sizeof(struct weir_path),
            .name = "newer_hook",
            .version = "1",
            .summary = "Fixture: uses a hook that does not exist yet.",
            .on_request = say_pass,
        },
    .on_unknown = say_pass,
};
