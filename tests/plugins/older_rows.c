/* SPDX-License-Identifier: Apache-2.0 */
/*
 * older_rows.c -- fixture: built against a header of the past, when neither its struct nor a row of its option table
 * was as long as now.
 *
 * Ends: loads and works; its options have no range and no choices.  Its on_request puts the label `older_rows` = the
 * value of its second option on the record.
 */
#include "weir.h"

/* As the header stood then. */
struct weir_plugin_of_the_past {
    uint32_t abi, size, option_size, path_size;
    const char *name, *version, *summary;
    const struct weir_option *options;
    size_t shared_size, self_size, local_size;
    const char *dialect;
    const struct weir_path *paths;
    uint32_t lifts, lowers;
    bool (*prepare)(void *shared, const void *options, struct weir_error *);
    bool (*init)(void *self, const void *shared, struct weir_error *);
    void (*fini)(void *self);
    bool (*accept)(struct weir_ctx *, struct weir_request *, struct weir_error *);
    enum weir_verdict (*on_request)(struct weir_ctx *);
};

_Static_assert(offsetof(struct weir_plugin_of_the_past, on_request) == offsetof(struct weir_plugin, on_request),
               "fields are appended, never moved");

struct weir_option_of_the_past {
    const char *name, *fallback, *help;
    enum weir_type type;
    enum weir_unit unit;
    size_t offset;
};

_Static_assert(offsetof(struct weir_option_of_the_past, offset) == offsetof(struct weir_option, offset),
               "fields are appended, never moved");

struct older_rows {
    const char *first, *second;
};

static const struct weir_option_of_the_past options[] = {
    {"first", "never", "The first of two.", WEIR_T_STR, WEIR_PLAIN, offsetof(struct older_rows, first)},
    {"second", "was asked", "The second of two.", WEIR_T_STR, WEIR_PLAIN, offsetof(struct older_rows, second)},
    {.type = WEIR_T_END},
};

static enum weir_verdict on_request(struct weir_ctx *c)
{
    const struct older_rows *me = c->self;

    weir_label(c, WEIR_STR("older_rows"), ((struct weir_str){me->second, strlen(me->second)}));
    return WEIR_PASS;
}

__attribute__((visibility("default"))) const struct weir_plugin_of_the_past weir_plugin = {
    .abi = WEIR_ABI,
    .size = sizeof(struct weir_plugin_of_the_past),
    .option_size = sizeof(struct weir_option_of_the_past),
    .path_size = sizeof(struct weir_path),
    .name = "older_rows",
    .version = "1",
    .summary = "Fixture: its struct and its rows are shorter.",
    .options = (const struct weir_option *)(const void *)options,
    .self_size = sizeof(struct older_rows),
    .on_request = on_request,
};
