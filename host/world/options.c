/* SPDX-License-Identifier: Apache-2.0 */
/* options.c -- reads a block of the configuration by a table of options; see options.h. */
#include "world/options.h"

#include <stdio.h>

#include "world/secret.h"
#include "world/value.h"

/* One value on its way: where it was written, and where it goes. */
struct reading {
    struct block *block;
    const struct weir_option *row;
    struct place place;
    void *field;
    const config_setting_t *setting; /* NULL: the fallback is read */
};

const struct weir_option *options_find(const struct weir_option *rows, const char *name)
{
    for (; rows && rows->type != WEIR_T_END; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

size_t options_width(enum weir_type type)
{
    static const size_t widths[] = {[WEIR_T_STR] = sizeof(const char *),
                                    [WEIR_T_INT] = sizeof(int64_t),
                                    [WEIR_T_NUM] = sizeof(double),
                                    [WEIR_T_BOOL] = sizeof(bool),
                                    [WEIR_T_LIST] = sizeof(struct weir_list)};

    return type > WEIR_T_END && type <= WEIR_T_LIST ? widths[type] : 0;
}

static bool wrong(struct reading *r, const char *what)
{
    build_fault(r->block->build, r->place, "%s %s", r->row->name, what);
    return false;
}

static bool wrong_secret(struct reading *r, const char *what)
{
    build_fault(r->block->build, r->place, "%s %s; write \"env:NAME\", \"file:/path\" or \"exec:COMMAND\"",
                r->row->name, what);
    return false;
}

static bool wrong_shape(struct reading *r)
{
    if (r->row->unit == WEIR_SECRET)
        return wrong_secret(r, "must be a string");
    build_fault(r->block->build, r->place, "%s must be %s; correct it", r->row->name,
                value_shape(r->row->type, r->row->unit));
    return false;
}

static bool in_range(const struct weir_option *row, double v)
{
    return !(row->min < row->max) || (v >= row->min && v <= row->max);
}

static bool check_range(struct reading *r, double v)
{
    struct buf limits = {0};

    if (in_range(r->row, v))
        return true;
    options_limits(&limits, r->row);
    build_fault(r->block->build, r->place, "%s is out of range; it must be " STR_FMT, r->row->name,
                STR_ARG(buf_view(&limits)));
    buf_fini(&limits);
    return false;
}

static bool check_choice(struct reading *r, const char *text)
{
    const char *near;
    struct buf limits = {0};

    if (!r->row->choices)
        return true;
    for (const char *const *c = r->row->choices; *c; c++)
        if (strcmp(*c, text) == 0)
            return true;
    near = str_nearest(text, r->row->choices);
    options_limits(&limits, r->row);
    build_fault(r->block->build, r->place, "%s cannot be \"%.60s\"; it must be " STR_FMT "%s%s%s", r->row->name, text,
                STR_ARG(buf_view(&limits)), near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
    buf_fini(&limits);
    return false;
}

/* A secret that is not there: no fault in an optional block, nor where the file is only looked at. */
static bool miss_secret(struct reading *r, const char *why)
{
    struct block *b = r->block;
    const char *line = arena_printf(&b->build->world->arena, "%s: %s", r->row->name, why);

    if (b->optional) {
        b->absent = b->absent ? b->absent : line;
        return true;
    }
    if (b->build->depth < WORLD_FULL) {
        build_note(b->build, r->place, "%s", line);
        return true;
    }
    build_fault(b->build, r->place, "%s", line);
    return false;
}

/* `field` gets the value.  Never print `text`: it may be the secret itself. */
static bool read_secret(struct reading *r, const char *text)
{
    struct block *b = r->block;
    struct build *build = b->build;
    struct secret_found found = {0};
    struct weir_error e = {0};
    struct secret_ref ref;

    *(const char **)r->field = "";
    if (!*text || (b->implicit && !r->setting))
        return r->row->fallback || b->implicit ? true : wrong_secret(r, "is empty");
    if (!secret_parse(text, &ref))
        return wrong_secret(r, "must not stand in the file itself");
    if (ref.source == SECRET_FILE)
        ref.what = build_path(build, ref.what);
    b->secret_asked = true;
    if (build->depth < WORLD_FULL)
        return secret_exists(&ref, &e) ? true : miss_secret(r, e.text);
    if (!secret_read(&build->world->secrets, &ref, &found, &e) && found.absent)
        return miss_secret(r, e.text);
    if (!found.value.ptr)
        return build_fault(build, r->place, "%s: %s", r->row->name, e.text), false;
    if (found.everybody)
        build_note(build, r->place, "%s: %s can be read by everybody; chmod 600 it", r->row->name, ref.what);
    if (b->secret_count == OPTIONS_SECRETS_MAX)
        return wrong(r, "is one secret too many for one block; split it");
    b->secrets[b->secret_count++] = found.value;
    *(const char **)r->field = found.value.ptr;
    return true;
}

static const char *keep(struct reading *r, const char *text)
{
    struct build *b = r->block->build;

    return r->row->unit == WEIR_PATH ? build_path(b, text) : arena_strdup(&b->world->arena, str_of(text));
}

static bool read_string(struct reading *r, const char *text)
{
    if (r->row->unit == WEIR_SECRET)
        return read_secret(r, text);
    if (!check_choice(r, text) || !check_range(r, (double)strlen(text)))
        return false;
    if (!*text && !r->row->fallback)
        return wrong(r, "is empty; give it a value");
    *(const char **)r->field = keep(r, text);
    return true;
}

static bool read_integer(struct reading *r, int64_t v)
{
    if (!check_range(r, (double)v))
        return false;
    *(int64_t *)r->field = v;
    return true;
}

/* `items` strings, each copied. */
static bool read_items(struct reading *r, const char *const *items, size_t n)
{
    const char **copy;

    if (!check_range(r, (double)n))
        return false;
    copy = arena_alloc(&r->block->build->world->arena, (n + 1) * sizeof(*copy));
    for (size_t i = 0; i < n; i++) {
        if (!*items[i])
            return wrong(r, "holds an empty string; take it out");
        if (!check_choice(r, items[i]))
            return false;
        copy[i] = keep(r, items[i]);
    }
    *(struct weir_list *)r->field = (struct weir_list){copy, n};
    return true;
}

/* The fallback of a list: words with spaces between. */
static bool read_words(struct reading *r, const char *text)
{
    struct names words = {0};
    char *copy = arena_strdup(&r->block->build->world->arena, str_of(text)), *save;
    bool ok;

    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        names_add(&words, w);
    ok = read_items(r, words.list, words.count);
    names_fini(&words);
    return ok;
}

/* A value as it would be typed, without quotes: a fallback, or a string for a number with a unit. */
static bool read_text(struct reading *r, const char *text)
{
    int64_t v;

    switch (r->row->type) {
    case WEIR_T_STR:
        return read_string(r, text);
    case WEIR_T_INT:
        return value_number(text, r->row->unit, &v) ? read_integer(r, v) : wrong_shape(r);
    case WEIR_T_NUM:
        if (!value_real(text, r->field))
            return wrong_shape(r);
        return check_range(r, *(double *)r->field);
    case WEIR_T_BOOL:
        *(bool *)r->field = strcmp(text, "true") == 0;
        return *(bool *)r->field || strcmp(text, "false") == 0 ? true : wrong_shape(r);
    case WEIR_T_LIST:
        return read_words(r, text);
    default:
        return wrong_shape(r);
    }
}

static bool read_list(struct reading *r)
{
    struct names items = {0};
    bool ok = true;

    if (config_setting_type(r->setting) == CONFIG_TYPE_STRING)
        names_add(&items, config_setting_get_string(r->setting));
    else if (config_setting_is_array(r->setting) || config_setting_is_list(r->setting))
        for (int i = 0; ok && i < config_setting_length(r->setting); i++) {
            const char *item = config_setting_get_string_elem(r->setting, i);
            ok = item != NULL;
            if (item)
                names_add(&items, item);
        }
    else
        ok = false;
    ok = ok ? read_items(r, items.list, items.count) : wrong_shape(r);
    names_fini(&items);
    return ok;
}

static bool read_setting(struct reading *r)
{
    int type = config_setting_type(r->setting);
    bool whole = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    bool units = r->row->unit == WEIR_MS || r->row->unit == WEIR_BYTES;

    switch (r->row->type) {
    case WEIR_T_LIST:
        return read_list(r);
    case WEIR_T_BOOL:
        if (type != CONFIG_TYPE_BOOL)
            return wrong_shape(r);
        *(bool *)r->field = config_setting_get_bool(r->setting);
        return true;
    case WEIR_T_INT:
        if (whole)
            return read_integer(r, config_setting_get_int64(r->setting));
        if (type != CONFIG_TYPE_STRING || !units)
            return wrong_shape(r);
        return read_text(r, config_setting_get_string(r->setting));
    case WEIR_T_NUM:
        if (!whole && type != CONFIG_TYPE_FLOAT)
            return wrong_shape(r);
        *(double *)r->field =
            whole ? (double)config_setting_get_int64(r->setting) : config_setting_get_float(r->setting);
        return check_range(r, *(double *)r->field);
    default:
        return type == CONFIG_TYPE_STRING ? read_string(r, config_setting_get_string(r->setting)) : wrong_shape(r);
    }
}

static bool read_row(struct block *b, const struct weir_option *row, void *field)
{
    const struct weir_option *over = options_find(b->over, row->name);
    struct reading r = {b, over ? over : row, b->place, field, NULL};

    if (b->setting)
        r.setting = config_setting_get_member(b->setting, row->name);
    if (row->type == WEIR_T_STR)
        *(const char **)field = "";
    if (r.setting) {
        r.place = build_place(b->build, r.setting);
        if (read_setting(&r))
            return true;
        r.setting = NULL; /* told; the reading goes on with something sound */
        if (r.row->fallback)
            read_text(&r, r.row->fallback);
        return false;
    }
    if (r.row->fallback)
        return read_text(&r, r.row->fallback);
    if (b->implicit)
        return true;
    build_fault(b->build, b->place, "%s is missing; add it: %s", row->name, row->help);
    return false;
}

bool options_read(struct block *b, const struct weir_option *rows, void *to)
{
    bool ok = true;

    for (; rows && rows->type != WEIR_T_END; rows++)
        ok &= read_row(b, rows, (char *)to + rows->offset);
    return ok;
}

static bool is_known(const char *name, const struct weir_option *const *tables, const char *const *more)
{
    for (; *tables; tables++)
        if (options_find(*tables, name))
            return true;
    for (; more && *more; more++)
        if (strcmp(*more, name) == 0)
            return true;
    return false;
}

bool options_known(struct block *b, const struct weir_option *const *tables, const char *const *more)
{
    struct names names = {0};
    bool ok = true;

    for (const struct weir_option *const *t = tables; *t; t++)
        for (const struct weir_option *row = *t; row->type != WEIR_T_END; row++)
            names_add(&names, row->name);
    for (const char *const *m = more; m && *m; m++)
        names_add(&names, *m);
    for (int i = 0; b->setting && i < config_setting_length(b->setting); i++) {
        const config_setting_t *s = config_setting_get_elem(b->setting, (unsigned)i);
        if (is_known(config_setting_name(s), tables, more))
            continue;
        const char *help = arena_printf(&b->build->world->arena, "\"weir help %s\" lists what there is", b->what);
        build_fault(b->build, build_place(b->build, s), "unknown option %.60s; %s", config_setting_name(s),
                    build_hint(b->build, config_setting_name(s), names.list, help));
        ok = false;
    }
    names_fini(&names);
    return ok;
}
