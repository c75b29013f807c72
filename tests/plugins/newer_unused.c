/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newer_unused.c -- fixture: built against a header of the future, but it uses nothing of what is new there.
 *
 * Ends: loads and works like any other.  Rows of its option table are longer than the host's, too.  Its on_request puts
 * the label `newer_unused` = the value of its second option on the record, so that a test sees that the table was
 * walked by its stride.
 */
#include "weir.h"

struct weir_plugin_of_the_future {
    struct weir_plugin known;
    enum weir_verdict (*on_unknown)(struct weir_ctx *);
};

struct weir_option_of_the_future {
    struct weir_option known;
    const char *unknown;
};

struct newer_unused {
    const char *first, *second;
};

static const struct weir_option_of_the_future options[] = {
    {WEIR_OPT(struct newer_unused, first, "1st", "The first of two."), NULL},
    {WEIR_OPT(struct newer_unused, second, "2nd", "The second of two."), NULL},
    {WEIR_OPT_END, NULL},
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    const struct newer_unused *me = c->self;

    weir_label(c, WEIR_STR("newer_unused"), ((struct weir_str){me->second, strlen(me->second)}));
    return WEIR_PASS;
}

__attribute__((visibility("default"))) const struct weir_plugin_of_the_future weir_plugin = {
    .known =
        {
            .abi = WEIR_ABI,
            .size = sizeof(struct weir_plugin_of_the_future),
            .option_size = sizeof(struct weir_option_of_the_future),
            .path_size = sizeof(struct weir_path),
            .name = "newer_unused",
            .version = "1",
            .summary = "Fixture: knows a hook that does not exist yet, and leaves it NULL.",
            .options = &options[0].known,
            .self_size = sizeof(struct newer_unused),
            .on_request = on_request,
        },
};
