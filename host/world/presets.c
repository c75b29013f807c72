/* SPDX-License-Identifier: Apache-2.0 */
/*
 * presets.c -- known vendors as rows of data: what a provider's block does not say, its preset does; see providers.h.
 *
 * The row's members are put into the block as libconfig holds it, before anybody reads it: they are checked like what
 * was written by hand.  The file is opened when the first block asks for it.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "world/providers.h"

static const char *member_text(const config_setting_t *group, const char *name)
{
    const config_setting_t *s = config_setting_get_member(group, name);

    return s ? config_setting_get_string(s) : NULL;
}

static bool file_open(struct build *b, const char *path, struct place asked)
{
    struct stat st;
    FILE *f = fopen(path, "re");

    if (!f || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX) {
        build_fault(b, asked, "the file of presets, %s, cannot be read; name it with presets = \"FILE\"", path);
        if (f)
            fclose(f);
        return false;
    }
    fclose(f);
    if (!includes_fit(b, path))
        return false;
    if (config_read_file(&b->presets, path))
        return true;
    build_fault(b, (struct place){path, config_error_line(&b->presets)}, "%s; correct it",
                config_error_text(&b->presets));
    return false;
}

/* The list of rows, NULL when it cannot be had: that is told once. */
static config_setting_t *rows(struct build *b, struct place asked)
{
    const char *path = b->world->settings.presets;
    config_setting_t *list;

    if (b->presets_asked)
        return config_lookup(&b->presets, "presets");
    b->presets_asked = true;
    if (!file_open(b, path, asked))
        return NULL;
    list = config_lookup(&b->presets, "presets");
    if (list && !config_setting_is_list(list))
        list = NULL;
    for (int i = 0; list && i < config_setting_length(list); i++)
        if (!config_setting_is_group(config_setting_get_elem(list, (unsigned)i)))
            list = NULL;
    if (!list)
        build_fault(b, (struct place){path, 0}, "no list of rows; write presets = ( { name = \"...\"; ... } );");
    return list;
}

static config_setting_t *row_find(struct build *b, config_setting_t *list, const char *name, struct place asked)
{
    struct names names = {0};
    config_setting_t *found = NULL;

    for (int i = 0; i < config_setting_length(list) && !found; i++) {
        config_setting_t *row = config_setting_get_elem(list, (unsigned)i);
        const char *own = config_setting_is_group(row) ? member_text(row, "name") : NULL;
        if (own && strcmp(own, name) == 0)
            found = row;
        else if (own)
            names_add(&names, own);
    }
    if (!found)
        build_fault(b, asked, "no preset is called \"%.60s\"; %s", name,
                    build_hint(b, name, names.list,
                               arena_printf(&b->world->arena, "%s has them all", b->world->settings.presets)));
    names_fini(&names);
    return found;
}

/* Lists of lists make no option. */
static void value_copy(config_setting_t *to, const config_setting_t *from)
{
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_STRING:
        config_setting_set_string(to, config_setting_get_string(from));
        break;
    case CONFIG_TYPE_INT:
        config_setting_set_int(to, config_setting_get_int(from));
        break;
    case CONFIG_TYPE_INT64:
        config_setting_set_int64(to, config_setting_get_int64(from));
        break;
    case CONFIG_TYPE_FLOAT:
        config_setting_set_float(to, config_setting_get_float(from));
        break;
    case CONFIG_TYPE_BOOL:
        config_setting_set_bool(to, config_setting_get_bool(from));
        break;
    default:
        break;
    }
}

static void member_copy(config_setting_t *block, const config_setting_t *from)
{
    config_setting_t *to = config_setting_add(block, config_setting_name(from), config_setting_type(from));

    value_copy(to, from);
    for (int i = 0; config_setting_is_aggregate(from) && i < config_setting_length(from); i++) {
        const config_setting_t *item = config_setting_get_elem(from, (unsigned)i);
        if (!config_setting_is_aggregate(item))
            value_copy(config_setting_add(to, NULL, config_setting_type(item)), item);
    }
}

static bool needs_met(struct build *b, config_setting_t *block, const config_setting_t *row, const char *name,
                      struct place asked)
{
    const config_setting_t *needs = config_setting_get_member(row, "needs");
    bool met = true;

    for (int i = 0; needs && i < config_setting_length(needs); i++) {
        const char *option = config_setting_get_string_elem(needs, i);
        if (!option || config_setting_get_member(block, option))
            continue;
        build_fault(b, asked, "preset \"%.60s\" needs %.60s; add it to the block", name, option);
        met = false;
    }
    return met;
}

bool preset_apply(struct build *b, config_setting_t *block)
{
    const char *name = member_text(block, "preset");
    struct place asked = build_place(b, name ? config_setting_get_member(block, "preset") : block);
    config_setting_t *list, *row;

    if (!name || !*name) /* a preset that is no text is told by who reads the options */
        return true;
    list = rows(b, asked);
    row = list ? row_find(b, list, name, asked) : NULL;
    if (!row || !needs_met(b, block, row, name, asked))
        return false;
    for (int i = 0; i < config_setting_length(row); i++) {
        const config_setting_t *s = config_setting_get_elem(row, (unsigned)i);
        const char *key = config_setting_name(s);
        if (strcmp(key, "name") != 0 && strcmp(key, "needs") != 0 && !config_setting_get_member(block, key))
            member_copy(block, s);
    }
    return true;
}
