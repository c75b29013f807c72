/* SPDX-License-Identifier: Apache-2.0 */
/* promises.c -- the file of promises, read with libconfig, and what of it counts for a provider; see promises.h. */
#include "world/promises.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/must.h"
#include "base/str.h"
#include "world/catalogue.h"

const char *const promise_facts[] = {"retention", "training", "region", "entity", NULL};
const char *const promise_retentions[] = {"unknown", "zdr", "stored", "trained", NULL};
const char *const promise_trainings[] = {"unknown", "no", "yes", NULL};

static const char *const members[] = {"provider", "fact", "value", "source", "date", "note", NULL};

/* Reading: faults are told at the line of the row or its member. */
struct reading {
    struct build *b;
    struct promises *to;
};

static struct place place_at(const struct reading *r, const config_setting_t *s)
{
    return (struct place){r->to->file, s ? config_setting_source_line(s) : 0};
}

static bool is_one(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static bool known_members(const struct reading *r, const config_setting_t *row)
{
    bool ok = true;

    for (int i = 0; i < config_setting_length(row); i++) {
        const config_setting_t *s = config_setting_get_elem(row, (unsigned)i);
        const char *name = config_setting_name(s);
        if (!is_one(name, members)) {
            build_fault(r->b, place_at(r, s), "a promise has no \"%.40s\"; %s", name,
                        build_hint(r->b, name, members, "it has provider, fact, value, source, date and note"));
            ok = false;
        } else if (config_setting_type(s) != CONFIG_TYPE_STRING) {
            build_fault(r->b, place_at(r, s), "%s is no text; put it in quotes", name);
            ok = false;
        }
    }
    return ok;
}

/* A member's text; one that must be there is told when it is not. */
static const char *text_of(const struct reading *r, const config_setting_t *row, const char *name, bool *ok)
{
    const config_setting_t *s = config_setting_get_member(row, name);
    const char *text = s ? config_setting_get_string(s) : NULL;

    if (text && *text)
        return arena_strdup(&r->b->world->arena, str_of(text));
    if (strcmp(name, "note") != 0) {
        build_fault(r->b, place_at(r, row), "a promise without %s; add it", name);
        *ok = false;
    }
    return "";
}

static bool check_words(const struct reading *r, const config_setting_t *row, const struct promise *p)
{
    const char *const *values = strcmp(p->fact, "retention") == 0  ? promise_retentions + 1
                                : strcmp(p->fact, "training") == 0 ? promise_trainings + 1
                                                                   : NULL;

    if (!is_one(p->fact, promise_facts))
        build_fault(r->b, place_at(r, config_setting_get_member(row, "fact")), "no promise is about \"%.40s\"; %s",
                    p->fact, build_hint(r->b, p->fact, promise_facts, "write retention, training, region or entity"));
    else if (values && !is_one(p->value, values))
        build_fault(r->b, place_at(r, config_setting_get_member(row, "value")), "%s is not \"%.40s\"; %s", p->fact,
                    p->value,
                    build_hint(r->b, p->value, values,
                               values == promise_trainings + 1 ? "write no or yes" : "write zdr, stored or trained"));
    else if (!catalogue_seconds(p->date))
        build_fault(r->b, place_at(r, config_setting_get_member(row, "date")),
                    "date \"%.40s\" is no day; write it as 2026-02-23", p->date);
    else if (promise_find(r->to, p->provider, p->fact))
        build_fault(r->b, place_at(r, row), "%s of \"%.40s\" stands twice; take one out", p->fact, p->provider);
    else
        return true;
    return false;
}

static void row_read(const struct reading *r, const config_setting_t *row)
{
    struct promise p;
    bool ok = true;

    if (!config_setting_is_group(row)) {
        build_fault(r->b, place_at(r, row), "no promise; write { provider = \"...\"; fact = \"...\"; ... }");
        return;
    }
    if (!known_members(r, row))
        return;
    p = (struct promise){
        .provider = text_of(r, row, "provider", &ok),
        .fact = text_of(r, row, "fact", &ok),
        .value = text_of(r, row, "value", &ok),
        .source = text_of(r, row, "source", &ok),
        .date = text_of(r, row, "date", &ok),
        .note = text_of(r, row, "note", &ok),
    };
    if (ok && check_words(r, row, &p))
        r->to->rows[r->to->count++] = p;
}

static void rows_read(const struct reading *r, config_t *config)
{
    config_setting_t *root = config_root_setting(config), *list = config_lookup(config, "promises");
    int n = list && config_setting_is_list(list) ? config_setting_length(list) : -1;

    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        if (strcmp(config_setting_name(s), "promises") != 0)
            build_fault(r->b, place_at(r, s), "unknown \"%.40s\"; the file has promises and nothing else",
                        config_setting_name(s));
    }
    if (n < 0 || n > PROMISES_MAX) {
        build_fault(r->b, (struct place){r->to->file, 0},
                    "no list of at most %d promises; write promises = ( { provider = \"...\"; ... } );", PROMISES_MAX);
        return;
    }
    r->to->rows = arena_alloc(&r->b->world->arena, ((size_t)n + 1) * sizeof *r->to->rows);
    for (int i = 0; i < n; i++)
        row_read(r, config_setting_get_elem(list, (unsigned)i));
}

void promises_read(struct build *b, bool named)
{
    struct promises *to = arena_alloc(&b->world->arena, sizeof *to);
    const struct reading r = {b, to};
    config_t config;
    struct stat st;
    FILE *f;

    b->world->promises = to;
    to->file = b->world->settings.promises;
    if (b->depth == WORLD_SETTINGS)
        return;
    f = fopen(to->file, "re");
    if (!f || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX) {
        if (named)
            build_fault(b, (struct place){to->file, 0}, "the file of promises cannot be read; correct `promises`");
        if (f)
            fclose(f);
        return;
    }
    fclose(f);
    config_init(&config);
    if (!includes_fit(b, to->file))
        ;
    else if (config_read_file(&config, to->file))
        rows_read(&r, &config);
    else
        build_fault(b, (struct place){to->file, config_error_line(&config)}, "%s; correct it",
                    config_error_text(&config));
    config_destroy(&config);
}

/* ---- what counts ---- */

const struct promise *promise_find(const struct promises *all, const char *provider, const char *fact)
{
    for (size_t i = 0; all && i < all->count; i++)
        if (strcmp(all->rows[i].provider, provider) == 0 && strcmp(all->rows[i].fact, fact) == 0)
            return &all->rows[i];
    return NULL;
}

static const char **field_of(struct provider *p, const char *fact)
{
    return strcmp(fact, "retention") == 0  ? &p->retention
           : strcmp(fact, "training") == 0 ? &p->training
           : strcmp(fact, "region") == 0   ? &p->region
           : strcmp(fact, "entity") == 0   ? &p->entity
                                           : NULL;
}

static bool is_said(const char *value)
{
    return *value && strcmp(value, "unknown") != 0;
}

struct weir_str promise_fact(const struct provider *p, const char *fact)
{
    struct provider copy = *p;
    const char **field = field_of(&copy, fact);

    return field && is_said(*field) ? str_of(*field) : WEIR_STR("");
}

void promises_apply(const struct promises *all, struct provider *p, const char *vendor)
{
    for (const char *const *fact = promise_facts; *fact; fact++) {
        const char **field = field_of(p, *fact);
        const struct promise *row = is_said(*field) ? NULL : promise_find(all, vendor, *fact);
        if (row)
            *field = row->value;
    }
}

const char *promises_path(struct arena *a, const char *setting)
{
    return *setting ? setting : own_path(a, "share/promises.conf", "share/weir/promises.conf");
}
