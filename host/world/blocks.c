/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.c -- lists of blocks, and the instances that they become; see blocks.h. */
#include "world/blocks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

struct head {
    const char *name, *plugin;
};

const struct weir_option block_options[] = {
    WEIR_OPT(struct head, name, NULL, "What records, logs and metrics call this block; it stands once in its list."),
    WEIR_OPT(struct head, plugin, "", "The plugin that serves it; empty: the one that is called like the block."),
    WEIR_OPT_END,
};

void *list_add(struct arena *a, void *list, size_t *count, void *item)
{
    void **rows = list;

    if ((*count & (*count - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ...: twice as many */
        void **more = arena_alloc(a, (*count ? *count * 2 : 1) * sizeof(*more));
        if (*count)
            memcpy(more, rows, *count * sizeof(*more));
        rows = more;
    }
    rows[(*count)++] = item;
    return rows;
}

config_setting_t *blocks_find(struct build *b, config_setting_t *root, const char *section, size_t most, size_t *n)
{
    config_setting_t *list = root ? config_setting_get_member(root, section) : NULL;
    bool ok;

    *n = 0;
    if (!list)
        return NULL;
    ok = config_setting_is_list(list) || (config_setting_is_array(list) && config_setting_length(list) == 0);
    for (int i = 0; ok && i < config_setting_length(list); i++)
        ok = config_setting_is_group(config_setting_get_elem(list, (unsigned)i));
    if (!ok) {
        build_fault(b, build_place(b, list), "%s must be a list of blocks; write %s = ( { ... }, { ... } );", section,
                    section);
        return NULL;
    }
    *n = (size_t)config_setting_length(list);
    if (*n > most) {
        build_fault(b, build_place(b, list), "%s holds %zu blocks; %zu are the most", section, *n, most);
        *n = 0;
    }
    return list;
}

static bool check_name(struct block *b, const char *name)
{
    size_t n = strlen(name);
    bool ok = n > 0 && n <= 64;

    for (size_t i = 0; ok && i < n; i++)
        ok = isalnum((unsigned char)name[i]) || strchr("_-.", name[i]);
    if (!ok)
        build_fault(b->build, b->place, "name \"%.70s\" must be 1 to 64 letters, digits, dots, - and _; change it",
                    name);
    return ok;
}

/* Quadratic over at most BLOCKS_MAX. */
static bool check_once(struct block *b, config_setting_t *list, size_t i, const char *name)
{
    for (size_t k = 0; k < i; k++) {
        config_setting_t *other = config_setting_get_elem(list, (unsigned)k);
        const char *taken = NULL;
        config_setting_lookup_string(other, "name", &taken);
        if (!taken || strcmp(taken, name) != 0)
            continue;
        build_fault(b->build, b->place, "name \"%s\" is taken by line %d; give each its own", name,
                    build_place(b->build, other).line);
        return false;
    }
    return true;
}

bool block_begin(struct block *b, struct build *build, config_setting_t *list, size_t i, const struct section *section,
                 struct instance *in)
{
    config_setting_t *setting = config_setting_get_elem(list, (unsigned)i);
    struct head head = {0};

    *b =
        (struct block){.build = build, .setting = setting, .place = build_place(build, setting), .what = section->name};
    in->place = (unsigned)i;
    in->file = b->place.file ? arena_strdup(&build->world->arena, str_of(b->place.file)) : NULL;
    in->line = b->place.line;
    if (!options_read(b, block_options, &head) || !check_name(b, head.name) || !check_once(b, list, i, head.name))
        return false;
    in->name = head.name;
    if (build->depth == WORLD_SETTINGS)
        return true;
    in->plugin = plugin_get(build, section->kind, *head.plugin ? head.plugin : head.name, b->place);
    if (!in->plugin)
        return false;
    b->over = in->plugin->hooks.options;
    b->what = in->plugin->name;
    return true;
}

bool block_end(struct block *b, const struct section *section, struct instance *in)
{
    const struct weir_option *const tables[] = {block_options, section->options, b->over, NULL};
    bool ok;

    if (b->build->depth == WORLD_SETTINGS)
        return true;
    in->options = arena_alloc(&b->build->world->arena, in->plugin->hooks.self_size);
    ok = options_read(b, b->over, in->options);
    in->unread = b->secret_asked && b->build->depth < WORLD_FULL;
    return options_known(b, tables, NULL) && ok;
}

const struct section *section_of(const char *name)
{
    const struct section *s = sections;

    while (s->name && strcmp(s->name, name) != 0)
        s++;
    must(s->name);
    return s;
}

struct instance *instance_implicit(struct build *build, const struct plugin *plugin, struct place place)
{
    struct arena *a = &build->world->arena;
    struct instance *in = arena_alloc(a, sizeof(*in));
    struct block b = {.build = build, .place = place, .what = plugin->name, .implicit = true};

    *in = (struct instance){.name = plugin->name, .plugin = plugin, .line = place.line};
    in->file = place.file ? arena_strdup(a, str_of(place.file)) : NULL;
    in->options = arena_alloc(a, plugin->hooks.self_size);
    options_read(&b, plugin->hooks.options, in->options);
    return in;
}

void instance_add(struct build *b, struct instance *in)
{
    struct world *w = b->world;

    in->index = (unsigned)w->instance_count;
    w->instances = list_add(&w->arena, w->instances, &w->instance_count, in);
}

/* Where the error's field was written, when it names an option of the block. */
static void prepare_failed(struct build *b, struct instance *in, const struct weir_error *e)
{
    struct place p = {in->file, in->line};

    build_fault(b, p, "%s \"%s\": %s%s%s; correct it", in->plugin->name, in->name, *e->field ? e->field : "",
                *e->field ? ": " : "", *e->text ? e->text : "prepare failed and does not say why");
}

void instance_prepare(struct build *b, struct instance *in)
{
    const struct weir_plugin *p = &in->plugin->hooks;
    struct weir_error e = {0};

    if (in->unread)
        return;
    if (p->shared_size)
        in->shared = arena_alloc(&b->world->arena, p->shared_size);
    if (p->prepare && !p->prepare(in->shared, in->options, &e)) {
        e.text[sizeof(e.text) - 1] = e.field[sizeof(e.field) - 1] = '\0';
        prepare_failed(b, in, &e);
    }
}

bool instance_init(struct instance *in, struct weir_error *e)
{
    const struct weir_plugin *p = &in->plugin->hooks;
    struct weir_error why = {0};

    in->self = must_alloc(p->self_size ? p->self_size : 1);
    memcpy(in->self, in->options, p->self_size);
    if (!p->init || p->init(in->self, in->shared, &why))
        return true;
    free(in->self);
    in->self = NULL;
    snprintf(e->text, sizeof(e->text), "%.80s:%d: %.64s: %.*s", in->file ? in->file : "", in->line, in->name,
             (int)strnlen(why.text, sizeof(why.text) - 1), *why.text ? why.text : "init failed and does not say why");
    return false;
}

void instance_fini(struct instance *in)
{
    if (!in->self)
        return;
    if (in->plugin->hooks.fini)
        in->plugin->hooks.fini(in->self);
    free(in->self);
    in->self = NULL;
}
