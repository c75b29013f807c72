/* SPDX-License-Identifier: Apache-2.0 */
/*
 * older.c -- fixture: built against a header of the past, which ended with on_request.
 *
 * Ends: loads and works; all later hooks are NULL for the host, which reads no byte behind the shorter struct.  Its
 * on_request puts the label `older` on the record.
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

static enum weir_verdict on_request(struct weir_ctx *c)
{
    weir_label(c, WEIR_STR("older"), WEIR_STR("was asked"));
    return WEIR_PASS;
}

__attribute__((visibility("default"))) const struct weir_plugin_of_the_past weir_plugin = {
    .abi = WEIR_ABI,
    .size = sizeof(struct weir_plugin_of_the_past),
    .option_size = sizeof(struct weir_option),
    .path_size = sizeof(struct weir_path),
    .name = "older",
    .version = "1",
    .summary = "Fixture: its struct ends with on_request.",
    .on_request = on_request,
};
