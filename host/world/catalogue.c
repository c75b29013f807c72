/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.c -- the models of a catalogue: made, merged, put in order, and found again; see catalogue.h. */
#include "world/catalogue.h"

#include <stdlib.h>

#include "world/blocks.h"

enum rank { RANK_ID, RANK_UPSTREAM, RANK_BARE }; /* of names: which counts when two models share one */

static void prices_unknown(int64_t prices[PRICE_KINDS])
{
    for (int i = 0; i < PRICE_KINDS; i++)
        prices[i] = PRICE_UNKNOWN;
}

struct catalogue_model *catalogue_model_new(struct arena *a, const char *id)
{
    struct catalogue_model *m = arena_alloc(a, sizeof *m);

    *m = (struct catalogue_model){.id = id,
                                  .name = "",
                                  .released = "",
                                  .knowledge = "",
                                  .max_tokens_field = "",
                                  .efforts = "",
                                  .tool_efforts = "",
                                  .thinking = "",
                                  .refuses = "",
                                  .parameters = "",
                                  .context = CATALOGUE_UNKNOWN,
                                  .max_output = CATALOGUE_UNKNOWN,
                                  .tools = CATALOGUE_UNKNOWN,
                                  .reasoning = CATALOGUE_UNKNOWN,
                                  .structured_output = CATALOGUE_UNKNOWN,
                                  .open_weights = CATALOGUE_UNKNOWN};
    prices_unknown(m->prices);
    return m;
}

struct catalogue_endpoint *catalogue_endpoint_new(struct arena *a, struct catalogue_model *m, const char *provider)
{
    struct catalogue_endpoint *e = arena_alloc(a, sizeof *e);

    *e = (struct catalogue_endpoint){.provider = provider,
                                     .upstream = m->id,
                                     .status = "",
                                     .context = CATALOGUE_UNKNOWN,
                                     .max_output = CATALOGUE_UNKNOWN};
    prices_unknown(e->prices);
    m->endpoints = list_add(a, m->endpoints, &m->endpoint_count, e);
    return e;
}

/* ---- merging ---- */

static size_t field_width(enum field_kind kind)
{
    static const size_t widths[] = {[FIELD_TEXT] = sizeof(const char *),
                                    [FIELD_TOKENS] = sizeof(int64_t),
                                    [FIELD_PRICE] = sizeof(int64_t),
                                    [FIELD_FLAG] = sizeof(int8_t),
                                    [FIELD_MODALITIES] = sizeof(uint8_t)};

    return widths[kind];
}

static bool field_known(enum field_kind kind, const void *at)
{
    switch (kind) {
    case FIELD_TEXT:
        return **(const char *const *)at != '\0';
    case FIELD_TOKENS:
    case FIELD_PRICE:
        return *(const int64_t *)at >= 0;
    case FIELD_FLAG:
        return *(const int8_t *)at >= 0;
    case FIELD_MODALITIES:
        break;
    }
    return *(const uint8_t *)at != 0;
}

static void merge_endpoint(struct catalogue_endpoint *e, const struct catalogue_field *f, const void *value)
{
    memcpy((char *)e + f->in_endpoint, value, field_width(f->kind));
    if (f->kind == FIELD_PRICE) { /* the operator's price is the price, however long the prompt */
        e->tiers = NULL;
        e->tier_count = 0;
    }
}

void catalogue_merge(struct catalogue_model *to, const struct catalogue_model *from, bool replace,
                     struct catalogue_endpoint *at)
{
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++) {
        const void *value = (const char *)from + f->in_model;
        bool per_endpoint = f->in_endpoint != FIELD_NOWHERE;
        if (!field_known(f->kind, value))
            continue;
        if (at && per_endpoint) {
            merge_endpoint(at, f, value);
            continue;
        }
        if (replace || !field_known(f->kind, (char *)to + f->in_model))
            memcpy((char *)to + f->in_model, value, field_width(f->kind));
        for (size_t i = 0; replace && per_endpoint && i < to->endpoint_count; i++)
            merge_endpoint(to->endpoints[i], f, value);
    }
}

/* ---- families ---- */

bool catalogue_fits(const char *pattern, struct weir_str name)
{
    const char *slash = strrchr(pattern, '/');

    if (slash && slash[1] != '*' && !memchr(name.ptr, '/', name.len))
        pattern = slash + 1;
    return str_glob(str_of(pattern), name);
}

static struct catalogue_model *family_model(struct arena *a, const struct catalogue_family *f)
{
    struct catalogue_model *m = catalogue_model_new(a, f->pattern);

    m->max_tokens_field = f->max_tokens_field;
    m->efforts = f->efforts;
    m->tool_efforts = f->tool_efforts;
    m->thinking = f->thinking;
    m->refuses = f->refuses;
    return m;
}

static void fill_in(struct catalogue_model *m, struct catalogue_model **families, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (catalogue_fits(families[i]->id, str_of(m->id))) {
            catalogue_merge(m, families[i], false, NULL);
            return;
        }
}

static void add_families(struct catalogue *c, struct arena *a)
{
    struct catalogue_model **families = NULL;
    size_t n = 0;

    for (const struct catalogue_family *f = catalogue_families; f->pattern; f++)
        families = list_add(a, families, &n, family_model(a, f));
    for (size_t i = 0; i < c->model_count; i++)
        fill_in(c->models[i], families, n);
    for (size_t i = 0; i < c->rule_count; i++)
        fill_in(c->rules[i], families, n);
    for (size_t i = 0; i < n; i++)
        c->rules = list_add(a, c->rules, &c->rule_count, families[i]);
}

/* ---- names ---- */

static int compare(struct weir_str a, struct weir_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
    const struct catalogue_name *one = a, *two = b;
    int order = compare(one->text, two->text);

    return order ? order : one->rank - two->rank;
}

/* All the names of all models, in any order. */
static void names_collect(struct catalogue *c, struct arena *a)
{
    size_t most = 0;

    for (size_t i = 0; i < c->model_count; i++)
        most += 2 + c->models[i]->endpoint_count;
    c->names = arena_alloc(a, (most + 1) * sizeof *c->names);
    for (size_t i = 0; i < c->model_count; i++) {
        const struct catalogue_model *m = c->models[i];
        struct weir_str id = str_of(m->id);
        const char *slash = strchr(m->id, '/');
        c->names[c->name_count++] = (struct catalogue_name){id, m, RANK_ID};
        if (slash)
            c->names[c->name_count++] = (struct catalogue_name){str_of(slash + 1), m, RANK_BARE};
        for (size_t k = 0; k < m->endpoint_count; k++)
            if (m->endpoints[k]->upstream != m->id)
                c->names[c->name_count++] =
                    (struct catalogue_name){str_of(m->endpoints[k]->upstream), m, RANK_UPSTREAM};
    }
}

/* Of the names that are spelled alike, from `from` to `to`: the best; NULL when two models have it as their best. */
static const struct catalogue_name *names_judge(const struct catalogue_name *from, const struct catalogue_name *to)
{
    for (const struct catalogue_name *n = from + 1; n < to && n->rank == from->rank; n++)
        if (n->model != from->model)
            return NULL;
    return from;
}

static const char *names_sort(struct catalogue *c)
{
    size_t kept = 0;
    struct catalogue_name *end = c->names + c->name_count, *next;

    qsort(c->names, c->name_count, sizeof *c->names, by_name);
    for (struct catalogue_name *n = c->names; n < end; n = next) {
        const struct catalogue_name *best;
        for (next = n + 1; next < end && str_eq(n->text, next->text);)
            next++;
        best = names_judge(n, next);
        if (best)
            c->names[kept++] = *best;
        else if (n->rank == RANK_ID)
            return n->model->id;
    }
    c->name_count = kept;
    return NULL;
}

const char *catalogue_finish(struct catalogue *c, struct arena *a)
{
    add_families(c, a);
    names_collect(c, a);
    return names_sort(c);
}

/* ---- asking ---- */

const struct catalogue_model *catalogue_find(const struct catalogue *c, struct weir_str name)
{
    size_t low = 0, high = c->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, c->names[middle].text);
        if (order == 0)
            return c->names[middle].model;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = 0; name.len && i < c->rule_count; i++)
        if (catalogue_fits(c->rules[i]->id, name))
            return c->rules[i];
    return NULL;
}

const struct catalogue_endpoint *catalogue_at(const struct catalogue_model *m, const char *provider,
                                              struct weir_str upstream)
{
    const struct catalogue_endpoint *only = NULL;
    size_t n = 0;

    for (size_t i = 0; i < m->endpoint_count; i++) {
        const struct catalogue_endpoint *e = m->endpoints[i];
        if (strcmp(e->provider, provider) != 0)
            continue;
        if (str_is(upstream, e->upstream))
            return e;
        only = e;
        n++;
    }
    return n == 1 ? only : NULL;
}
