/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue.c -- fuzzes the catalogue of models: any text as the file, then every question that is asked of it.  Held:
 * a catalogue or an error with a line that the text has; every model is found by its id; prices are in their range and
 * read back as they are printed; facts hold no controls.
 */
#include <stdlib.h>

#include "base/must.h"
#include "world/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        must((unsigned char)s.ptr[i] >= ' ' && s.ptr[i] != 0x7f);
}

static void check_price(int64_t v)
{
    struct buf b = {0};
    int64_t again = -7;

    must(v >= PRICE_UNKNOWN && v <= PRICE_MAX);
    if (v < 0)
        return;
    price_print(&b, v);
    must(price_parse(buf_view(&b), &again) && again == v);
    buf_fini(&b);
}

static void check_model(const struct catalogue_model *m, struct arena *a)
{
    check_text(str_of(m->id));
    check_text(catalogue_author(m));
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
        check_text(catalogue_fact(m, NULL, f->name, a));
    for (size_t i = 0; i < m->endpoint_count; i++) {
        const struct catalogue_endpoint *e = m->endpoints[i];
        must(catalogue_at(m, e->provider, str_of(e->upstream)) != NULL);
        check_text(str_of(e->upstream));
        check_text(str_of(e->status));
        for (int k = 0; k < PRICE_KINDS; k++)
            check_price(e->prices[k]);
        for (size_t t = 1; t < e->tier_count; t++)
            must(e->tiers[t].above > e->tiers[t - 1].above);
        for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
            check_text(catalogue_fact(m, e, f->name, a));
    }
}

static void check_catalogue(struct catalogue *c, struct arena *a, struct weir_str text)
{
    const char *twice = catalogue_finish(c, a);

    if (twice) {
        check_text(str_of(twice));
        return;
    }
    for (size_t i = 0; i < c->model_count; i++) {
        must(catalogue_find(c, str_of(c->models[i]->id)) == c->models[i]);
        check_model(c->models[i], a);
    }
    for (size_t i = 1; i < c->name_count; i++)
        must(!str_eq(c->names[i - 1].text, c->names[i].text));
    catalogue_find(c, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_str text = {(const char *)data, size};
    struct arena a = {0};
    struct catalogue c = {0};
    struct weir_error e = {0};
    int64_t v;
    int line = -1;

    if (catalogue_read(&c, &a, text, &line, &e)) {
        check_catalogue(&c, &a, text);
    } else {
        must(*e.text && line >= 0 && (size_t)line <= size + 1);
        check_text(str_of(e.text));
    }
    if (price_parse(text, &v))
        check_price(v);
    arena_fini(&a);
    return 0;
}
