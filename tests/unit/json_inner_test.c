/* SPDX-License-Identifier: Apache-2.0 */
/* json_inner_test.c -- every cut of JSON in pieces gives the same structure and the same texts. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_inner.h"
#include "base/json_text.h"

/* What came out, in one line: structure as it is, `<` text `>` for each string; and all bytes one after the other. */
struct trace {
    struct buf line, bytes;
    bool in_text;
};

static void trace_fini(struct trace *t)
{
    buf_fini(&t->line);
    buf_fini(&t->bytes);
}

/* Runs of text hold whole escapes only: unescaped one by one they are the string's value. */
static void trace_run(struct trace *t, const struct json_run *run)
{
    buf_str(&t->bytes, run->text);
    if (run->kind == INNER_STRUCTURE) {
        ck_assert(!t->in_text);
        buf_str(&t->line, run->text);
        return;
    }
    if (!t->in_text)
        buf_char(&t->line, '<');
    t->in_text = run->kind == INNER_STRING;
    json_unescape_to(&t->line, run->text);
    if (run->kind == INNER_STRING_END) {
        ck_assert_uint_eq(run->text.len, 0);
        buf_char(&t->line, '>');
    } else {
        ck_assert_uint_gt(run->text.len, 0);
    }
}

/* A piece is a copy of its own, freed at once, so that nothing can be borrowed from it for too long. */
static void trace_piece(struct trace *t, struct json_inner *s, const char *p, size_t n)
{
    char *copy = malloc(n ? n : 1);
    struct weir_str piece = {copy, n};
    struct json_run run;

    memcpy(copy, p, n);
    while (json_inner_next(s, &piece, &run))
        trace_run(t, &run);
    ck_assert_uint_eq(piece.len, 0);
    free(copy);
}

static void check_cut(struct weir_str text, const char *want, size_t first, size_t second)
{
    struct json_inner s = {0};
    struct trace t = {0};
    struct json_run run;

    trace_piece(&t, &s, text.ptr, first);
    trace_piece(&t, &s, text.ptr + first, second - first);
    trace_piece(&t, &s, text.ptr + second, text.len - second);
    while (json_inner_end(&s, &run))
        trace_run(&t, &run);
    ck_assert_msg(str_eq(buf_view(&t.bytes), text), "cut at %zu, %zu: bytes %.*s", first, second, (int)t.bytes.len,
                  t.bytes.ptr);
    ck_assert_msg(str_is(buf_view(&t.line), want), "cut at %zu, %zu: %.*s, not %s", first, second, (int)t.line.len,
                  t.line.ptr, want);
    trace_fini(&t);
}

static void check_text(struct weir_str text, const char *want)
{
    for (size_t i = 0; i <= text.len; i++)
        for (size_t k = i; k <= text.len; k++)
            check_cut(text, want, i, k);
    struct json_inner s = {0}; /* and byte by byte */
    struct trace t = {0};
    struct json_run run;
    for (size_t i = 0; i < text.len; i++)
        trace_piece(&t, &s, text.ptr + i, 1);
    while (json_inner_end(&s, &run))
        trace_run(&t, &run);
    ck_assert_msg(str_is(buf_view(&t.line), want), "%.*s, not %s", (int)t.line.len, t.line.ptr, want);
    ck_assert(str_eq(buf_view(&t.bytes), text));
    trace_fini(&t);
}

START_TEST(plain)
{
    check_text(WEIR_STR("{\"a\":\"bc\",\"d\":[1,\"\"]}"), "{\"<a>\":\"<bc>\",\"<d>\":[1,\"<>\"]}");
    check_text(WEIR_STR("\"x\""), "\"<x>\"");
    check_text(WEIR_STR("\"\"\"\""), "\"<>\"\"<>\"");
    check_text(WEIR_STR(""), "");
    check_text(WEIR_STR("[1, 2.5, true]"), "[1, 2.5, true]");
}
END_TEST

START_TEST(escapes)
{
    check_text(WEIR_STR("[\"a\\\"b\\\\\",\"\\n\\/\"]"), "[\"<a\"b\\>\",\"<\n/>\"]");
    check_text(WEIR_STR("{\"\\u0041\\u00e9\":\"\\u20acx\"}"), "{\"<A\xC3\xA9>\":\"<\xE2\x82\xACx>\"}");
    check_text(WEIR_STR("\"\\\\u0041\\\\\\\\\""), "\"<\\u0041\\\\>\"");
}
END_TEST

/* A pair is one character wherever it is cut; a half stays a half whatever follows. */
START_TEST(surrogates)
{
    check_text(WEIR_STR("\"\\ud83d\\ude00!\""), "\"<\xF0\x9F\x98\x80!>\"");
    check_text(WEIR_STR("\"\\uD83D\\uDE00\\uD83D\\uDE01\""), "\"<\xF0\x9F\x98\x80\xF0\x9F\x98\x81>\"");
    check_text(WEIR_STR("\"\\ud83d\""), "\"<\xED\xA0\xBD>\"");
    check_text(WEIR_STR("\"\\ud83d.\""), "\"<\xED\xA0\xBD.>\"");
    check_text(WEIR_STR("\"\\ud83d\\n\\\"\""), "\"<\xED\xA0\xBD\n\">\"");
    check_text(WEIR_STR("\"\\ud83d\\u0041\""), "\"<\xED\xA0\xBD"
                                               "A>\"");
    check_text(WEIR_STR("\"\\ud83d\\ud83d\\ude00\""), "\"<\xED\xA0\xBD\xF0\x9F\x98\x80>\"");
    check_text(WEIR_STR("\"\\ude00\\ud83d\""), "\"<\xED\xB8\x80\xED\xA0\xBD>\"");
}
END_TEST

/* What is no JSON keeps all of its bytes; a backslash that begins no escape stands for itself. */
START_TEST(broken)
{
    check_text(WEIR_STR("\"\\q\\u12\""), "\"<\\q\\u12>\"");
    check_text(WEIR_STR("\"\\u12x\\ud83d\\uZ\""), "\"<\\u12x\xED\xA0\xBD\\uZ>\"");
    check_text(WEIR_STR("\"\\ud83d\\ude0\""), "\"<\xED\xA0\xBD\\ude0>\"");
    check_text(WEIR_STR("}]x\"y\"z"), "}]x\"<y>\"z");
}
END_TEST

/* Broken off inside a string: the text so far, and no end of it. */
START_TEST(unfinished)
{
    check_text(WEIR_STR("{\"a\":\"bc"), "{\"<a>\":\"<bc");
    check_text(WEIR_STR("\"b\\"), "\"<b\\");
    check_text(WEIR_STR("\"b\\u00"), "\"<b\\u00");
    check_text(WEIR_STR("\"\\ud83d"), "\"<\xED\xA0\xBD");
    check_text(WEIR_STR("\"\\ud83d\\ude0"), "\"<\xED\xA0\xBD\\ude0");
}
END_TEST

/* The kinds of all runs of one piece, as they come. */
START_TEST(runs_of_one_piece)
{
    static const enum json_inner_kind kinds[] = {INNER_STRUCTURE, INNER_STRING,     INNER_STRING_END, INNER_STRUCTURE,
                                                 INNER_STRING,    INNER_STRING_END, INNER_STRUCTURE};
    static const char *const texts[] = {"{\"", "k", "", "\":\"", "v\\nw", "", "\"}"};
    struct weir_str piece = WEIR_STR("{\"k\":\"v\\nw\"}");
    struct json_inner s = {0};
    struct json_run run;

    for (size_t i = 0; i < 7; i++) {
        ck_assert(json_inner_next(&s, &piece, &run));
        ck_assert_int_eq(run.kind, kinds[i]);
        ck_assert(str_is(run.text, texts[i]));
    }
    ck_assert(!json_inner_next(&s, &piece, &run));
    ck_assert(!json_inner_end(&s, &run));
}
END_TEST

/* Values that are escaped again give back the bytes: the escapes here are those that json_escape() writes. */
START_TEST(same_after_escaping)
{
    struct weir_str text = WEIR_STR("{\"a\\n\":[\"\\\"\\\\\\u0001\",\"\xF0\x9F\x98\x80 \xC3\xA9\\ud83d\"]}");

    for (size_t cut = 0; cut <= text.len; cut++) {
        struct weir_str pieces[] = {str_sub(text, 0, cut), str_sub(text, cut, text.len)};
        struct buf out = {0}, value = {0};
        struct json_inner s = {0};
        struct json_run run;
        for (size_t i = 0; i < 2; i++)
            while (json_inner_next(&s, &pieces[i], &run)) {
                if (run.kind == INNER_STRUCTURE) {
                    buf_str(&out, run.text);
                    continue;
                }
                value.len = 0;
                json_unescape_to(&value, run.text);
                json_escape(&out, buf_view(&value));
            }
        ck_assert_msg(str_eq(buf_view(&out), text), "cut at %zu: %.*s", cut, (int)out.len, out.ptr);
        buf_fini(&out);
        buf_fini(&value);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("json_inner");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, plain);
    tcase_add_test(t, escapes);
    tcase_add_test(t, surrogates);
    tcase_add_test(t, broken);
    tcase_add_test(t, unfinished);
    tcase_add_test(t, runs_of_one_piece);
    tcase_add_test(t, same_after_escaping);
    suite_add_tcase(s, t);
    return s;
}
