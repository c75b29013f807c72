/* SPDX-License-Identifier: Apache-2.0 */
/* base_test.c -- arena, buf, str, siphash. */
#include "unit.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/siphash.h"
#include "base/str.h"

/* ---- arena ---- */

START_TEST(arena_gives)
{
    struct arena a = {0};

    ck_assert_uint_eq(arena_size(&a), 0);
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = arena_alloc(&a, n);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(p[i], 0);
        memset(p, 0xAA, n); /* what comes next must be zeroed all the same */
        memset(arena_bytes(&a, n % 7), 0xBB, n % 7);
    }
    arena_fini(&a);
    ck_assert_uint_eq(arena_size(&a), 0);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    arena_fini(&a);
}
END_TEST

/* Two pieces never overlap, large ones neither. */
START_TEST(arena_keeps_apart)
{
    struct arena a = {0};
    unsigned char *p[200];

    for (size_t i = 0; i < 200; i++) {
        p[i] = arena_bytes(&a, 1 + i * i % 3001 + (i % 50 == 49 ? 200000 : 0));
        memset(p[i], (int)i, 1 + i * i % 3001);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < 1 + i * i % 3001; k++)
            ck_assert_uint_eq(p[i][k], i);
    arena_fini(&a);
}
END_TEST

START_TEST(arena_is_small_then_reused)
{
    struct arena a = {0};
    size_t size;

    arena_alloc(&a, 100);
    ck_assert_uint_le(arena_size(&a), 2048);
    for (int i = 0; i < 1000; i++)
        arena_alloc(&a, 1000);
    arena_reset(&a);
    size = arena_size(&a);
    ck_assert_uint_le(size, 65536);
    ck_assert_uint_gt(size, 0);
    for (int round = 0; round < 100; round++) {
        memset(arena_alloc(&a, 30000), 1, 30000);
        arena_reset(&a);
    }
    ck_assert_uint_eq(arena_size(&a), size);
    unsigned char *p = arena_alloc(&a, 30000);
    for (size_t i = 0; i < 30000; i++)
        ck_assert_uint_eq(p[i], 0);
    arena_alloc(&a, 1000000); /* what was larger than a block goes back */
    arena_reset(&a);
    ck_assert_uint_le(arena_size(&a), 65536);
    arena_fini(&a);
    arena_reset(&a);
    ck_assert_uint_eq(arena_size(&a), 0);
}
END_TEST

START_TEST(arena_copies)
{
    struct arena a = {0};
    struct weir_str s = arena_copy(&a, WEIR_STR("a\0b"));

    ck_assert(str_eq(s, WEIR_STR("a\0b")));
    ck_assert_int_eq(s.ptr[3], '\0');
    ck_assert_str_eq(arena_strdup(&a, (struct weir_str){0}), "");
    ck_assert_str_eq(arena_printf(&a, "%d-%s", -7, "x"), "-7-x");
    const char *longer = arena_printf(&a, "%5000d", 1);
    ck_assert_uint_eq(strlen(longer), 5000);
    ck_assert_int_eq(longer[4999], '1');
    arena_fini(&a);
}
END_TEST

/* ---- buf ---- */

START_TEST(buf_grows)
{
    struct buf b = {0};

    for (int i = 0; i < 10000; i++)
        buf_char(&b, (char)('a' + i % 26));
    buf_put(&b, "", 0);
    buf_lit(&b, "xyz");
    buf_str(&b, WEIR_STR("123"));
    ck_assert_uint_eq(b.len, 10006);
    ck_assert_uint_ge(b.cap, b.len);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(b.ptr[i], 'a' + i % 26);
    ck_assert(str_is(str_sub(buf_view(&b), 10000, 10006), "xyz123"));
    memset(buf_room(&b, 100000), 1, 100000);
    ck_assert_uint_eq(b.len, 10006);
    buf_fini(&b);
    ck_assert_ptr_null(b.ptr);
    buf_fini(&b);
}
END_TEST

START_TEST(buf_formats)
{
    struct buf b = {0};

    buf_printf(&b, "%s=%d;", "a", 1);
    buf_printf(&b, "%s", "");
    ck_assert(str_is(buf_view(&b), "a=1;"));
    for (size_t n = 120; n < 600; n += 7) { /* around what is free */
        b.len = 0;
        buf_printf(&b, "%*d|", (int)n, 5);
        ck_assert_uint_eq(b.len, n + 1);
        ck_assert(b.ptr[n - 1] == '5' && b.ptr[n] == '|');
    }
    buf_fini(&b);
}
END_TEST

START_TEST(buf_integers)
{
    static const struct {
        int64_t v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {-7, "-7"},
        {10, "10"},
        {1234567890, "1234567890"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = {0};
        buf_int(&b, rows[i].v);
        ck_assert(str_is(buf_view(&b), rows[i].text));
        buf_fini(&b);
    }
}
END_TEST

START_TEST(buf_cuts)
{
    struct buf b = {0};

    buf_lit(&b, "abcdef");
    buf_cut(&b, 2);
    ck_assert(str_is(buf_view(&b), "cdef"));
    buf_cut(&b, 0);
    buf_cut(&b, 4);
    ck_assert_uint_eq(b.len, 0);
    buf_cut(&b, 0);
    buf_fini(&b);
}
END_TEST

/* ---- str ---- */

START_TEST(str_compares)
{
    ck_assert(str_eq(WEIR_STR("a\0b"), WEIR_STR("a\0b")));
    ck_assert(!str_eq(WEIR_STR("a\0b"), WEIR_STR("a\0c")));
    ck_assert(!str_eq(WEIR_STR("a"), WEIR_STR("ab")));
    ck_assert(str_eq((struct weir_str){0}, WEIR_STR("")));
    ck_assert(str_is(WEIR_STR("abc"), "abc"));
    ck_assert(str_eq_nocase(WEIR_STR("Content-TYPE"), WEIR_STR("content-type")));
    ck_assert(!str_eq_nocase(WEIR_STR("a@"), WEIR_STR("a`")));
    ck_assert(!str_eq_nocase(WEIR_STR("a"), WEIR_STR("aa")));
    ck_assert(str_starts(WEIR_STR("/v1/x"), WEIR_STR("/v1/")));
    ck_assert(!str_starts(WEIR_STR("/v"), WEIR_STR("/v1/")));
    ck_assert(str_is(str_trim(WEIR_STR(" \ta b\t ")), "a b"));
    ck_assert_uint_eq(str_trim(WEIR_STR(" \t ")).len, 0);
    ck_assert(str_is(str_sub(WEIR_STR("hello"), 1, 3), "el"));
    ck_assert_uint_eq(str_of(NULL).len, 0);
}
END_TEST

START_TEST(str_globs)
{
    static const struct {
        const char *pattern, *s;
        bool yes;
    } rows[] = {
        {"*", "", true},
        {"*", "x", true},
        {"", "", true},
        {"", "x", false},
        {"abc", "abc", true},
        {"abc", "abcd", false},
        {"openai/*", "openai/gpt-4o", true},
        {"openai/*", "openai/", true},
        {"openai/*", "openai", false},
        {"*-mini", "gpt-4o-mini", true},
        {"*-mini", "gpt-4o-mini-x", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"**a**", "bab", true},
        {"*ab", "aab", true},
        {"a.c", "abc", false},
        {"?", "x", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(str_glob(str_of(rows[i].pattern), str_of(rows[i].s)) == rows[i].yes, "%s on %s", rows[i].pattern,
                      rows[i].s);
}
END_TEST

START_TEST(str_finds_nearest)
{
    static const char *const names[] = {"listen", "state", "providers", "guardrails", NULL};

    ck_assert_str_eq(str_nearest("provider", names), "providers");
    ck_assert_str_eq(str_nearest("lisen", names), "listen");
    ck_assert_str_eq(str_nearest("gaurdrails", names), "guardrails");
    ck_assert_ptr_null(str_nearest("budget", names));
    char word[200];
    memset(word, 'x', sizeof word);
    word[199] = '\0';
    ck_assert_ptr_null(str_nearest(word, names));
}
END_TEST

/* FNV-1a: the published values of "" and "foobar". */
START_TEST(str_hashes)
{
    ck_assert_uint_eq(str_hash(WEIR_STR("")), 0xcbf29ce484222325u);
    ck_assert_uint_eq(str_hash(WEIR_STR("foobar")), 0x85944171f73967e8u);
}
END_TEST

/* The paper's key 00 01 ... 0f, and texts 00 01 02 ... of 0, 1, 8 and 15 bytes with their published values. */
START_TEST(siphash_vectors)
{
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    static const char text[] = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e";

    ck_assert_uint_eq(siphash(key, (struct weir_str){text, 0}), 0x726fdb47dd0e0e31u);
    ck_assert_uint_eq(siphash(key, (struct weir_str){text, 1}), 0x74f839c593dc67fdu);
    ck_assert_uint_eq(siphash(key, (struct weir_str){text, 8}), 0x93f5f5799a932462u);
    ck_assert_uint_eq(siphash(key, (struct weir_str){text, 15}), 0xa129ca6149be45e5u);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("base");
    TCase *t = tcase_create("all");

    tcase_add_test(t, arena_gives);
    tcase_add_test(t, arena_keeps_apart);
    tcase_add_test(t, arena_is_small_then_reused);
    tcase_add_test(t, arena_copies);
    tcase_add_test(t, buf_grows);
    tcase_add_test(t, buf_formats);
    tcase_add_test(t, buf_integers);
    tcase_add_test(t, buf_cuts);
    tcase_add_test(t, str_compares);
    tcase_add_test(t, str_globs);
    tcase_add_test(t, str_finds_nearest);
    tcase_add_test(t, str_hashes);
    tcase_add_test(t, siphash_vectors);
    suite_add_tcase(s, t);
    return s;
}
