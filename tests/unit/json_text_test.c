/* SPDX-License-Identifier: Apache-2.0 */
/* json_text_test.c -- values to raw text and back. */
#include "unit.h"

#include <string.h>

#include "base/json_text.h"

struct row {
    struct weir_str value, once, twice;
};

/* Values, as the text of a string, and as the text of a string in a string. */
static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf once = {0}, twice = {0}, back = {0};
        json_escape(&once, rows[i].value);
        ck_assert_msg(str_eq(buf_view(&once), rows[i].once), "row %zu: %.*s", i, (int)once.len, once.ptr);
        json_escape_twice(&twice, rows[i].value);
        ck_assert_msg(str_eq(buf_view(&twice), rows[i].twice), "row %zu: %.*s", i, (int)twice.len, twice.ptr);
        json_unescape_to(&back, buf_view(&once));
        ck_assert_msg(str_eq(buf_view(&back), rows[i].value), "row %zu back", i);
        back.len = 0;
        json_unescape_to(&back, buf_view(&twice));
        ck_assert_msg(str_eq(buf_view(&back), rows[i].once), "row %zu back from twice", i);
        buf_fini(&once);
        buf_fini(&twice);
        buf_fini(&back);
    }
}

START_TEST(escaping)
{
    const struct row rows[] = {
        {WEIR_STR(""), WEIR_STR(""), WEIR_STR("")},
        {WEIR_STR("plain / 'text' \x7F"), WEIR_STR("plain / 'text' \x7F"), WEIR_STR("plain / 'text' \x7F")},
        {WEIR_STR("say \"hi\""), WEIR_STR("say \\\"hi\\\""), WEIR_STR("say \\\\\\\"hi\\\\\\\"")},
        {WEIR_STR("a\\b"), WEIR_STR("a\\\\b"), WEIR_STR("a\\\\\\\\b")},
        {WEIR_STR("\b\t\n\f\r"), WEIR_STR("\\b\\t\\n\\f\\r"), WEIR_STR("\\\\b\\\\t\\\\n\\\\f\\\\r")},
        {WEIR_STR("\0\x01\x0B\x1F"), WEIR_STR("\\u0000\\u0001\\u000b\\u001f"),
         WEIR_STR("\\\\u0000\\\\u0001\\\\u000b\\\\u001f")},
        {WEIR_STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), WEIR_STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
         WEIR_STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")},
        {WEIR_STR("\xED\x95\x9C\xED\x9F\xBF"), WEIR_STR("\xED\x95\x9C\xED\x9F\xBF"),
         WEIR_STR("\xED\x95\x9C\xED\x9F\xBF")},
        {WEIR_STR("a\xED\xA0\xBDz"), WEIR_STR("a\\ud83dz"), WEIR_STR("a\\\\ud83dz")},
        {WEIR_STR("\xED\xBF\xBF\xED\xAF\xBF.\xED\xA0\x80"), WEIR_STR("\\udfff\\udbff.\\ud800"),
         WEIR_STR("\\\\udfff\\\\udbff.\\\\ud800")},
        {WEIR_STR("\xE2\x80\xA8"), WEIR_STR("\xE2\x80\xA8"), WEIR_STR("\xE2\x80\xA8")},
        {WEIR_STR("\xED"), WEIR_STR("\xED"), WEIR_STR("\xED")},
        {WEIR_STR("\xED\xA0"), WEIR_STR("\xED\xA0"), WEIR_STR("\xED\xA0")},
        {WEIR_STR("\xED\xA0\n"), WEIR_STR("\xED\xA0\\n"), WEIR_STR("\xED\xA0\\\\n")},
        {WEIR_STR("\xED\n"), WEIR_STR("\xED\\n"), WEIR_STR("\xED\\\\n")},
    };

    check_rows(rows, sizeof rows / sizeof *rows);
}
END_TEST

START_TEST(unescaping)
{
    const struct {
        struct weir_str raw, value;
    } rows[] = {
        {WEIR_STR("\\/\\b\\f\\n\\r\\t\\\"\\\\"), WEIR_STR("/\b\f\n\r\t\"\\")},
        {WEIR_STR("\\u0000\\u0041\\u007f"), WEIR_STR("\0A\x7F")},
        {WEIR_STR("\\u0080\\u00e9\\u07FF"), WEIR_STR("\xC2\x80\xC3\xA9\xDF\xBF")},
        {WEIR_STR("\\u0800\\u20AC\\uFFFF"), WEIR_STR("\xE0\xA0\x80\xE2\x82\xAC\xEF\xBF\xBF")},
        {WEIR_STR("\\ud800\\udc00\\uDBFF\\uDFFF"), WEIR_STR("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")},
        {WEIR_STR("x\\ud83d\\ude00y"), WEIR_STR("x\xF0\x9F\x98\x80y")},
        {WEIR_STR("\\ud83d"), WEIR_STR("\xED\xA0\xBD")},
        {WEIR_STR("\\ude00\\ud83d"), WEIR_STR("\xED\xB8\x80\xED\xA0\xBD")},
        {WEIR_STR("\\ud83d\\u0041"), WEIR_STR("\xED\xA0\xBD\x41")},
        {WEIR_STR("\\ud83d\\ud83d\\ude00"), WEIR_STR("\xED\xA0\xBD\xF0\x9F\x98\x80")},
        {WEIR_STR("\\\\u0041"), WEIR_STR("\\u0041")},
        /* never skimmed */
        {WEIR_STR("\\"), WEIR_STR("\\")},
        {WEIR_STR("a\\q\\u12\\u12g4\\U0041"), WEIR_STR("a\\q\\u12\\u12g4\\U0041")},
        {WEIR_STR("\\ud83d\\ude0"), WEIR_STR("\xED\xA0\xBD\\ude0")},
        {WEIR_STR("\\\xFF"), WEIR_STR("\\\xFF")},
    };
    struct arena a = {0};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = {0};
        json_unescape_to(&b, rows[i].raw);
        ck_assert_msg(str_eq(buf_view(&b), rows[i].value), "row %zu: %.*s", i, (int)b.len, b.ptr);
        ck_assert(str_eq(json_unescape(&a, rows[i].raw), rows[i].value));
        buf_fini(&b);
    }
    struct weir_str plain = WEIR_STR("plain");
    ck_assert_ptr_eq(json_unescape(&a, plain).ptr, plain.ptr);
    ck_assert_uint_eq(json_unescape(&a, (struct weir_str){0}).len, 0);
    arena_fini(&a);
}
END_TEST

START_TEST(lengths)
{
    static const struct {
        const char *raw;
        size_t length, width;
    } rows[] = {
        {"\\n\"", 2, 1},
        {"\\\\\"", 2, 1},
        {"\\u0041\"", 6, 1},
        {"\\u00e9\"", 6, 2},
        {"\\u20ac\"", 6, 3},
        {"\\ud83d\\ude00\"", 12, 4},
        {"\\ud83d\"", 6, 3},
        {"\\ud83d\\n\"", 6, 3},
        {"\\ud83d\\u0041\"", 6, 3},
        {"\\ude00\\ude00\"", 6, 3},
        {"\\ud83d\\ud83d\"", 6, 3},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_uint_eq(json_escape_length(rows[i].raw), rows[i].length);
        ck_assert_uint_eq(json_escape_width(rows[i].raw), rows[i].width);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("json_text");
    TCase *t = tcase_create("all");

    tcase_add_test(t, escaping);
    tcase_add_test(t, unescaping);
    tcase_add_test(t, lengths);
    suite_add_tcase(s, t);
    return s;
}
