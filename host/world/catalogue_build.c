/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue_build.c -- the catalogue of a world: the file is found and read, the `models` blocks of the configuration
 * are laid over it; and which of its models a provider means.  Called by world.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "world/blocks.h"
#include "world/catalogue.h"

#define MODEL_BLOCKS_MAX 2000

/* ---- options of a block ---- */

#define TYPE_TEXT             const char *
#define TYPE_PRICE            const char *
#define TYPE_TOKENS           int64_t
#define TYPE_FLAG             bool
#define TYPE_MODALITIES       struct weir_list
#define MEMBER(f, kind, help) TYPE_##kind f;

struct model_block { /* as it is typed; what is not there counts as not said */
    const char *id, *provider;
    CATALOGUE_FIELDS(MEMBER)
};

#define OPT(...)                WEIR_OPT(struct model_block, __VA_ARGS__)
#define ROW_TEXT(f, help)       OPT(f, "", help),
#define ROW_PRICE(f, help)      OPT(f, "", help),
#define ROW_TOKENS(f, help)     OPT(f, "0", help, .min = 0, .max = CATALOGUE_TOKENS_MAX),
#define ROW_FLAG(f, help)       OPT(f, "false", help),
#define ROW_MODALITIES(f, help) OPT(f, "", help, .choices = modality_names),
#define ROW(f, kind, help)      ROW_##kind(f, help)

const struct weir_option model_options[] = {
    OPT(id, NULL, "The model, as the catalogue or a provider calls it; * stands for anything."),
    OPT(provider, "", "The block says only what this one of the `providers` has: limits and prices; empty: all."),
    CATALOGUE_FIELDS(ROW) WEIR_OPT_END,
};

static bool read_price(struct block *b, const struct catalogue_field *f, const char *text, int64_t *to)
{
    if (price_parse(str_of(text), to))
        return true;
    build_fault(b->build, build_place(b->build, config_setting_get_member(b->setting, f->name)),
                "%s \"%.40s\" is no price; write USD per million tokens with at most six decimals, such as \"0.25\"",
                f->name, text);
    return false;
}

static uint8_t modalities_of(const struct weir_list *list)
{
    uint8_t set = 0;

    for (size_t i = 0; i < list->count; i++)
        for (unsigned k = 0; modality_names[k]; k++)
            set |= (uint8_t)((strcmp(list->items[i], modality_names[k]) == 0) << k);
    return set;
}

/* One field from `from`, where it is typed, into the model, where it is known. */
static bool read_field(struct block *b, const struct catalogue_field *f, const struct model_block *from,
                       struct catalogue_model *m)
{
    const void *value = (const char *)from + options_find(model_options, f->name)->offset;
    void *to = (char *)m + f->in_model;

    switch (f->kind) {
    case FIELD_TEXT:
        memcpy(to, value, sizeof(const char *));
        break;
    case FIELD_TOKENS:
        memcpy(to, value, sizeof(int64_t));
        break;
    case FIELD_PRICE:
        return read_price(b, f, *(const char *const *)value, to);
    case FIELD_FLAG:
        *(int8_t *)to = *(const bool *)value;
        break;
    case FIELD_MODALITIES:
        *(uint8_t *)to = modalities_of(value);
        break;
    }
    return true;
}

/* What the block says, as a model that knows nothing else. */
static struct catalogue_model *read_block(struct block *b, struct model_block *from)
{
    static const struct weir_option *const tables[] = {model_options, NULL};
    struct arena *a = &b->build->world->arena;
    struct catalogue_model *m;
    bool ok = options_known(b, tables, NULL) & options_read(b, model_options, from);

    if (!ok)
        return NULL;
    m = catalogue_model_new(a, from->id);
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
        if (config_setting_get_member(b->setting, f->name))
            ok &= read_field(b, f, from, m);
    m->created = catalogue_seconds(m->released);
    return ok ? m : NULL;
}

/* ---- laying it over ---- */

static struct catalogue_endpoint *endpoint_for(struct arena *a, struct catalogue_model *m, const char *provider)
{
    for (size_t i = 0; i < m->endpoint_count; i++)
        if (strcmp(m->endpoints[i]->provider, provider) == 0)
            return m->endpoints[i];
    return catalogue_endpoint_new(a, m, provider);
}

/* A provider's own: every endpoint it has of the model, or a new one. */
static void lay_over(struct arena *a, struct catalogue_model *m, const struct catalogue_model *says,
                     const char *provider)
{
    if (!*provider) {
        catalogue_merge(m, says, true, NULL);
        return;
    }
    endpoint_for(a, m, provider);
    for (size_t i = 0; i < m->endpoint_count; i++)
        if (strcmp(m->endpoints[i]->provider, provider) == 0)
            catalogue_merge(m, says, true, m->endpoints[i]);
}

static bool names_model(const struct catalogue_model *m, const char *id)
{
    if (strcmp(m->id, id) == 0)
        return true;
    for (size_t i = 0; i < m->endpoint_count; i++)
        if (strcmp(m->endpoints[i]->upstream, id) == 0)
            return true;
    return false;
}

static void model_read(struct build *b, config_setting_t *list, size_t i, struct catalogue *c)
{
    struct arena *a = &b->world->arena;
    config_setting_t *setting = config_setting_get_elem(list, (unsigned)i);
    struct block block = {.build = b, .setting = setting, .place = build_place(b, setting), .what = "models"};
    struct model_block from = {0};
    const struct catalogue_model *says = read_block(&block, &from);
    struct catalogue_model *m;
    bool pattern, found = false;

    if (!says)
        return;
    pattern = strchr(from.id, '*') != NULL;
    for (size_t k = 0; k < c->model_count; k++)
        if (pattern ? catalogue_fits(from.id, str_of(c->models[k]->id)) : names_model(c->models[k], from.id)) {
            lay_over(a, c->models[k], says, from.provider);
            found = true;
        }
    if (found && !pattern)
        return;
    m = catalogue_model_new(a, from.id);
    lay_over(a, m, says, from.provider);
    if (pattern)
        c->rules = list_add(a, c->rules, &c->rule_count, m);
    else
        c->models = list_add(a, c->models, &c->model_count, m);
}

/* ---- the file ---- */

/* The whole file on the heap.  false: errno says why, 0 when it is none or too large. */
static bool file_read(const char *path, struct buf *to)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = -1;

    errno = fd < 0 ? errno : 0;
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= CATALOGUE_FILE_MAX) {
        buf_grow(to, (size_t)st.st_size + 1);
        while (to->len <= CATALOGUE_FILE_MAX && (n = read(fd, buf_room(to, 4096), to->cap - to->len)) > 0)
            to->len += (size_t)n;
    }
    close(fd);
    return n == 0;
}

void catalogue_load(struct build *b, const char *path, struct catalogue *c)
{
    struct arena *a = &b->world->arena;
    struct buf text = {0};
    struct weir_error e = {0};
    int line = 0;

    if (!file_read(path, &text)) {
        if (errno == ENOENT || errno == ENOTDIR)
            build_note(b, (struct place){path, 0},
                       "there is no catalogue of models: their limits and prices are not known");
        else
            build_fault(b, (struct place){path, 0}, "the catalogue of models cannot be read: %s; correct it",
                        errno ? strerror(errno) : "it is no file, or larger than 16 MB");
    } else if (catalogue_read(c, a, buf_view(&text), &line, &e)) {
        c->file = path;
    } else {
        build_fault(b, (struct place){path, line}, "%s; correct it, or make it again with \"weir models import\"",
                    e.text);
    }
    buf_fini(&text);
}

void catalogue_build(struct build *b)
{
    struct world *w = b->world;
    struct catalogue *c = arena_alloc(&w->arena, sizeof *c);
    config_setting_t *list;
    const char *twice;
    size_t n;

    if (b->depth != WORLD_SETTINGS)
        catalogue_load(b, w->settings.catalogue, c);
    list = blocks_find(b, b->root, "models", MODEL_BLOCKS_MAX, &n);
    for (size_t i = 0; i < n; i++)
        model_read(b, list, i, c);
    twice = catalogue_finish(c, &w->arena);
    if (twice)
        build_fault(b, (struct place){w->settings.catalogue, 0}, "model \"%.80s\" stands twice; take one out", twice);
    w->catalogue = c;
}

/* ---- what a provider means ---- */

/* As the catalogue calls it: its block, its preset, or its plugin where that goes to the vendor itself. */
static const struct catalogue_endpoint *endpoint_of(const struct provider *p, const struct catalogue_model *m,
                                                    struct weir_str upstream)
{
    const struct catalogue_endpoint *e = catalogue_at(m, p->in.name, upstream);
    const struct weir_option *url = options_find(p->in.plugin->hooks.options, "url");
    bool own = !*p->url || (url && url->fallback && strcmp(url->fallback, p->url) == 0);

    if (!e && *p->preset)
        e = catalogue_at(m, p->preset, upstream);
    return e || !own ? e : catalogue_at(m, p->in.plugin->name, upstream);
}

static bool is_pattern(const struct catalogue_model *m)
{
    return strchr(m->id, '*') != NULL;
}

struct provider_model provider_model(const struct world *w, const struct provider *p, struct weir_str upstream,
                                     struct weir_str asked)
{
    const struct catalogue_model *m = catalogue_find(w->catalogue, upstream), *other;

    if (!m || is_pattern(m)) {
        other = catalogue_find(w->catalogue, asked);
        m = other && (!m || !is_pattern(other)) ? other : m;
    }
    return (struct provider_model){m, m ? endpoint_of(p, m, upstream) : NULL};
}
