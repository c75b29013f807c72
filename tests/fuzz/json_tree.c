/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_tree.c -- fuzzes reader and writer of trees against jansson: what jansson reads, json_tree_text() reads as the
 * same tree, and what json_write() writes reads back equal, by both.
 *
 * The differences are those of json_skim() (tests/fuzz/json_skim.c: half pairs, U+0000 in keys, a zero byte that
 * jansson loses); numbers that do not fit and nesting beyond 2,048 levels are refused by both.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/json_tree.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES)

static bool same(json_t *a, json_t *b);

static bool same_objects(json_t *a, json_t *b)
{
    void *i = json_object_iter(a), *k = json_object_iter(b);

    for (; i && k; i = json_object_iter_next(a, i), k = json_object_iter_next(b, k)) {
        struct weir_str x = {json_object_iter_key(i), json_object_iter_key_len(i)};
        struct weir_str y = {json_object_iter_key(k), json_object_iter_key_len(k)};
        if (!str_eq(x, y) || !same(json_object_iter_value(i), json_object_iter_value(k)))
            return false;
    }
    return !i && !k;
}

static bool same_arrays(json_t *a, json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

/* Stricter than json_equal(): keys in their order, with U+0000 in them too, and -0.0 is not 0.0. */
static bool same(json_t *a, json_t *b)
{
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return same_objects(a, b);
    if (json_is_array(a))
        return same_arrays(a, b);
    if (json_is_real(a))
        return json_real_value(a) == json_real_value(b) && signbit(json_real_value(a)) == signbit(json_real_value(b));
    return json_equal(a, b);
}

static void check_written(json_t *tree)
{
    struct weir_error error;
    struct buf text = {0}, again = {0};
    json_t *mine, *theirs;

    json_write(&text, tree);
    mine = json_tree_text(buf_view(&text), &error);
    must(mine && same(mine, tree));
    theirs = json_loadb(text.ptr, text.len, FLAGS, NULL);
    must(!theirs || same(theirs, tree)); /* half pairs and U+0000 in keys: see above */
    json_write(&again, mine);
    must(str_eq(buf_view(&text), buf_view(&again)));
    json_decref(mine);
    json_decref(theirs);
    buf_fini(&text);
    buf_fini(&again);
}

static void check_real(uint64_t bits)
{
    struct buf text = {0};
    double d;

    memcpy(&d, &bits, sizeof d);
    if (!isfinite(d))
        return;
    json_t *real = json_real(d), *theirs;
    json_write_real(&text, d);
    theirs = json_loadb(text.ptr, text.len, FLAGS, NULL);
    must(theirs && json_is_real(theirs) && same(real, theirs));
    json_decref(real);
    json_decref(theirs);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_str text = {(const char *)data, size};
    struct weir_error error;
    json_t *mine = json_tree_text(text, &error), *theirs = json_loadb(text.ptr, text.len, FLAGS, NULL);

    if (theirs && !memchr(data, 0, size))
        must(mine && same(mine, theirs));
    if (mine)
        check_written(mine);
    json_decref(mine);
    json_decref(theirs);
    if (size >= 8) {
        uint64_t bits;
        memcpy(&bits, data, sizeof bits);
        check_real(bits);
    }
    return 0;
}
