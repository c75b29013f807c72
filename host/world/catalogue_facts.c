/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_facts.c -- the table of what may be known of a model, and each of it as text; see catalogue.h. */
#include "base/must.h"
#include "world/catalogue.h"

const char *const price_names[] = {"input", "output", "cache_read", "cache_write", "reasoning", NULL};
const char *const modality_names[] = {"text", "image", "pdf", "audio", "video", NULL};

#define MODEL(field)         offsetof(struct catalogue_model, field)
#define AT(field)            offsetof(struct catalogue_endpoint, field)
#define IN_TEXT(f)           MODEL(f), FIELD_NOWHERE
#define IN_FLAG(f)           MODEL(f), FIELD_NOWHERE
#define IN_MODALITIES(f)     MODEL(f), FIELD_NOWHERE
#define IN_TOKENS(f)         MODEL(f), AT(f)
#define IN_PRICE(f)          MODEL(prices[PRICE_##f]), AT(prices[PRICE_##f])
#define FIELD(f, kind, help) {#f, help, FIELD_##kind, IN_##kind(f)},

const struct catalogue_field catalogue_fields[] = {
    CATALOGUE_FIELDS(FIELD){NULL, NULL, FIELD_TEXT, 0, FIELD_NOWHERE},
};

const struct catalogue_field *catalogue_field(const char *name)
{
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

int64_t catalogue_number(const struct catalogue_field *f, const struct catalogue_model *m,
                         const struct catalogue_endpoint *e)
{
    int64_t here = CATALOGUE_UNKNOWN;

    must(f->kind == FIELD_TOKENS || f->kind == FIELD_PRICE);
    if (e && f->in_endpoint != FIELD_NOWHERE)
        memcpy(&here, (const char *)e + f->in_endpoint, sizeof here);
    if (here < 0)
        memcpy(&here, (const char *)m + f->in_model, sizeof here);
    return here;
}

static void print_number(struct buf *b, enum field_kind kind, int64_t v)
{
    if (v < 0)
        return;
    if (kind == FIELD_PRICE)
        price_print(b, v);
    else
        buf_int(b, v);
}

static void print_modalities(struct buf *b, uint8_t set)
{
    size_t begin = b->len;

    for (unsigned i = 0; modality_names[i]; i++)
        if (set & 1u << i)
            buf_printf(b, "%s%s", b->len > begin ? " " : "", modality_names[i]);
}

void catalogue_print(struct buf *b, const struct catalogue_field *f, const struct catalogue_model *m,
                     const struct catalogue_endpoint *e)
{
    const char *at = (const char *)m + f->in_model;

    switch (f->kind) {
    case FIELD_TEXT:
        buf_str(b, str_of(*(const char *const *)(const void *)at));
        break;
    case FIELD_TOKENS:
    case FIELD_PRICE:
        print_number(b, f->kind, catalogue_number(f, m, e));
        break;
    case FIELD_FLAG:
        if (*(const int8_t *)at >= 0)
            buf_str(b, str_of(*(const int8_t *)at ? "true" : "false"));
        break;
    case FIELD_MODALITIES:
        print_modalities(b, *(const uint8_t *)at);
        break;
    }
}

struct weir_str catalogue_fact(const struct catalogue_model *m, const struct catalogue_endpoint *e, const char *name,
                               struct arena *a)
{
    const struct catalogue_field *f = catalogue_field(name);
    struct buf b = {0};
    struct weir_str s;

    if (!f)
        return strcmp(name, "id") == 0       ? str_of(m->id)
               : strcmp(name, "author") == 0 ? catalogue_author(m)
                                             : WEIR_STR("");
    if (f->kind == FIELD_TEXT)
        return str_of(*(const char *const *)(const void *)((const char *)m + f->in_model));
    catalogue_print(&b, f, m, e);
    s = b.len ? arena_copy(a, buf_view(&b)) : WEIR_STR("");
    buf_fini(&b);
    return s;
}

struct weir_str catalogue_author(const struct catalogue_model *m)
{
    const char *slash = strchr(m->id, '/');

    return slash ? (struct weir_str){m->id, (size_t)(slash - m->id)} : WEIR_STR("");
}
