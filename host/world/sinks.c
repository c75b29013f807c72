/* SPDX-License-Identifier: Apache-2.0 */
/* sinks.c -- the blocks of `sinks`; see world.h. */
#include "world/blocks.h"

static const char *const kinds[] = {"open", "close", "deny", "gap", NULL};

#define OPT(...) WEIR_OPT(struct sink, __VA_ARGS__)

const struct weir_option sink_options[] = {
    OPT(kinds, "close deny gap", "Which records it is told.", .choices = kinds),
    OPT(batch_count, "500", "Most records that it is told at once.", .min = 1, .max = 100000),
    OPT(batch_bytes, "1M", "Most bytes of records that it is told at once.", .unit = WEIR_BYTES, .min = 16384,
        .max = 1 << 28),
    OPT(batch_age, "1s", "Longest time that a record waits for others.", .unit = WEIR_MS, .min = 0, .max = 600000),
    WEIR_OPT_END,
};

static void sink_read(struct build *b, config_setting_t *list, size_t i, const struct section *section)
{
    struct world *w = b->world;
    struct sink *s = arena_alloc(&w->arena, sizeof(*s));
    struct block block;

    if (!block_begin(&block, b, list, i, section, &s->in))
        return;
    if (options_read(&block, sink_options, s) & block_end(&block, section, &s->in))
        w->sinks = list_add(&w->arena, w->sinks, &w->sink_count, s);
}

void sinks_read(struct build *b)
{
    size_t n;
    config_setting_t *list = blocks_find(b, b->root, "sinks", BLOCKS_MAX, &n);

    for (size_t i = 0; i < n; i++) {
        enum world_depth depth = b->depth;
        const char *name = NULL;

        config_setting_lookup_string(config_setting_get_elem(list, (unsigned)i), "name", &name);
        if (b->sink && !(name && strcmp(name, b->sink) == 0))
            b->depth = WORLD_SETTINGS;
        sink_read(b, list, i, section_of("sinks"));
        b->depth = depth;
    }
}
