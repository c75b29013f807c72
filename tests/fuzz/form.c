/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.c -- fuzzes the reader of multipart/form-data.  The first byte seeds the cuts; the second is how long the
 * content-type is, which follows; the rest is the form, read with boundary "b" when the content-type names none.
 * However it is cut: the same parts, the same verdict.  Of what is taken, a plain search finds each boundary where a
 * part ends and nowhere else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_form(struct form_reader *f, struct arena *arena, struct weir_str boundary, struct weir_str body,
                      uint32_t seed)
{
    bool ok = true;

    form_init(f, arena, boundary);
    for (size_t at = 0; ok && at < body.len;) {
        size_t n = seed ? (seed = seed * 1103515245u + 12345u) / 65536 % 12 : body.len;
        n = n < body.len - at ? n : body.len - at;
        char *piece = malloc(n + 1);
        must(piece != NULL);
        memcpy(piece, body.ptr + at, n);
        ok = form_feed(f, (struct weir_str){piece, n});
        free(piece);
        at += n;
    }
    return ok && form_end(f);
}

static void check_same(const struct form_reader *a, const struct form_reader *b)
{
    must(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct form_part *p = &a->parts[i], *q = &b->parts[i];
        must(p->at == q->at && p->len == q->len && p->file == q->file && p->name_at == q->name_at);
        must(str_eq(p->name, q->name) && str_eq(p->filename, q->filename) && str_eq(p->type, q->type));
    }
}

static void check_places(const struct form_reader *f, struct weir_str body)
{
    size_t from = f->mark_len - 2; /* behind the first boundary */

    for (size_t i = 0; i < f->count; i++) {
        const struct form_part *p = &f->parts[i];
        const char *mark = memmem(body.ptr + p->at, body.len - p->at, f->mark, f->mark_len);
        must(p->at >= from && mark == body.ptr + p->at + p->len);
        must(!memmem(body.ptr + from, p->at - from, f->mark, f->mark_len));
        must(memcmp(body.ptr + p->at - 4, "\r\n\r\n", 4) == 0);
        must(!p->name_at || str_eq(str_sub(body, p->name_at, p->name_at + p->filename.len), p->filename));
        from = p->at + p->len + f->mark_len;
    }
    must(memcmp(body.ptr + from, "--", 2) == 0 && (body.len == from + 2 || body.len == from + 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct form_reader whole, cut;
    struct weir_str type, body, boundary;
    bool ok;

    if (size < 2 || size - 2 < data[1])
        return 0;
    type = (struct weir_str){(const char *)data + 2, data[1]};
    body = (struct weir_str){type.ptr + type.len, size - 2 - type.len};
    if (!form_boundary(type, &boundary))
        boundary = WEIR_STR("b");
    ok = read_form(&whole, &arena, boundary, body, 0);
    must(ok == read_form(&cut, &arena, boundary, body, data[0] + 1u));
    if (ok) {
        check_same(&whole, &cut);
        check_places(&whole, body);
    }
    form_fini(&whole);
    form_fini(&cut);
    arena_fini(&arena);
    return 0;
}
