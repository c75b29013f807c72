/* SPDX-License-Identifier: Apache-2.0 */
/* record_test.c -- records: exact text, valid JSON whatever goes in, never too long, read back whole. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/record.h"

static struct buf out;

static void reset(void)
{
    buf_fini(&out);
}

static struct weir_str text(void)
{
    return buf_view(&out);
}

/* By another reader than ours. */
static json_t *parse(struct weir_str s)
{
    json_error_t e;
    json_t *j = json_loadb(s.ptr, s.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);

    ck_assert_msg(j != NULL, "%s: %.*s", e.text, (int)s.len, s.ptr);
    return j;
}

static void expect(const char *want)
{
    ck_assert_msg(out.len == strlen(want) && memcmp(out.ptr, want, out.len) == 0, "%.*s\nwant %s", (int)out.len,
                  out.ptr, want);
    out.len = 0;
}

START_TEST(writes_exactly)
{
    struct record_writer w = record_begin(&out, KIND_close, 1764030000123456, WEIR_STR("req_01"));

    record_int(&w, RECORD_attempt, 1);
    record_str(&w, RECORD_key, WEIR_STR("local"));
    record_str(&w, RECORD_workspace, WEIR_STR(""));
    record_bool(&w, RECORD_stream, true);
    record_int(&w, RECORD_bytes_in, 0);
    record_int(&w, RECORD_input, -1);
    record_int(&w, RECORD_output, INT64_MAX);
    record_int(&w, RECORD_reasoning, INT64_MIN);
    record_label(&w, WEIR_STR("pii"), WEIR_STR("2 \"emails\""));
    record_label(&w, WEIR_STR("x"), WEIR_STR(""));
    record_end(&w);
    expect("{\"kind\":\"close\",\"time\":1764030000123456,\"id\":\"req_01\",\"attempt\":1,\"key\":\"local\",\"stream\":"
           "true,"
           "\"bytes_in\":0,\"input\":-1,\"output\":9223372036854775807,\"reasoning\":-9223372036854775808,"
           "\"labels\":{\"pii\":\"2 \\\"emails\\\"\",\"x\":\"\"}}");
    w = record_begin(&out, KIND_open, 0, WEIR_STR(""));
    record_bool(&w, RECORD_stream, false);
    record_end(&w);
    expect("{\"kind\":\"open\",\"time\":0,\"id\":\"\",\"stream\":false}");
}
END_TEST

START_TEST(appends_behind_what_is_there)
{
    buf_lit(&out, "before");
    struct record_writer w = record_begin(&out, KIND_deny, 7, WEIR_STR("a"));
    record_end(&w);
    expect("before{\"kind\":\"deny\",\"time\":7,\"id\":\"a\"}");
}
END_TEST

static void escape_is(const char *in, size_t n, const char *want)
{
    struct record_writer w = record_begin(&out, KIND_deny, 1, WEIR_STR("i"));
    char whole[512];

    record_str(&w, RECORD_path, (struct weir_str){in, n});
    record_end(&w);
    snprintf(whole, sizeof whole, "{\"kind\":\"deny\",\"time\":1,\"id\":\"i\",\"path\":\"%s\"}", want);
    json_decref(parse(text()));
    expect(whole);
}

#define ESCAPE(in, want) escape_is(in, sizeof(in) - 1, want)

/* Each at the beginning, and behind 7, 8 and 9 plain bytes, where the fast path ends. */
START_TEST(escapes)
{
    ESCAPE("\"", "\\\"");
    ESCAPE("a\\b", "a\\\\b");
    ESCAPE("1234567\n", "1234567\\u000a");
    ESCAPE("12345678\t", "12345678\\u0009");
    ESCAPE("123456789\"abcdefgh\"", "123456789\\\"abcdefgh\\\"");
    ESCAPE("\x00\x1f\x7f", "\\u0000\\u001f\x7f");
    ESCAPE("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    ESCAPE("\xff", "\\ufffd");            /* no UTF-8 */
    ESCAPE("\xc3", "\\ufffd");            /* cut */
    ESCAPE("\xc0\xaf", "\\ufffd\\ufffd"); /* overlong */
    ESCAPE("\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd");
    ESCAPE("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
    ESCAPE("\x80x", "\\ufffdx");
}
END_TEST

/* Half a pair is no text for jansson, so this one is compared only. */
START_TEST(half_a_surrogate_pair_stays)
{
    struct record_writer w = record_begin(&out, KIND_deny, 1, WEIR_STR("i"));
    record_str(&w, RECORD_path, WEIR_STR("\xed\xa0\xbd"));
    record_end(&w);
    expect("{\"kind\":\"deny\",\"time\":1,\"id\":\"i\",\"path\":\"\\ud83d\"}");
}
END_TEST

START_TEST(cuts_long_strings_at_a_character)
{
    char s[2000];
    struct record_writer w = record_begin(&out, KIND_deny, 1, WEIR_STR("i"));
    json_t *j;

    memset(s, 'a', sizeof s);
    memcpy(s + 1022, "\xe2\x82\xac", 3); /* stands across 1024 */
    record_str(&w, RECORD_reason, (struct weir_str){s, sizeof s});
    record_str(&w, RECORD_model, (struct weir_str){s, 1022});
    record_end(&w);
    j = parse(text());
    ck_assert_uint_eq(json_string_length(json_object_get(j, "reason")), 1022);
    ck_assert_uint_eq(json_string_length(json_object_get(j, "model")), 1022);
    ck_assert(json_is_true(json_object_get(j, "cut")));
    json_decref(j);
}
END_TEST

/* Every string at its longest escape, and labels without end. */
START_TEST(never_passes_the_maximum)
{
    char bad[1024];
    struct record_writer w;

    memset(bad, 1, sizeof bad);
    for (unsigned step = 1; step < 40; step++) {
        out.len = 0;
        w = record_begin(&out, KIND_close, INT64_MAX, (struct weir_str){bad, 128});
        for (enum record_field f = RECORD_attempt; f < RECORD_labels; f++) {
            if (f % 3 == 0)
                record_int(&w, f, INT64_MIN);
            else
                record_str(&w, f, (struct weir_str){bad, step * 26});
        }
        for (unsigned i = 0; i < 500; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%u", i);
            record_label(&w, str_of(name), (struct weir_str){bad, i % 70});
        }
        record_end(&w);
        ck_assert_uint_le(out.len, RECORD_MAX);
        json_t *j = parse(text());
        ck_assert(json_is_true(json_object_get(j, "cut")));
        json_decref(j);
    }
    ck_assert_uint_gt(out.len, RECORD_MAX - 64);
}
END_TEST

START_TEST(the_first_of_equal_labels_stays)
{
    struct record_writer w = record_begin(&out, KIND_close, 1, WEIR_STR("i"));
    record_label(&w, WEIR_STR("a\"b"), WEIR_STR("1\\"));
    record_label(&w, WEIR_STR("c"), WEIR_STR("2"));
    record_label(&w, WEIR_STR("a\"b"), WEIR_STR("3"));
    record_label(&w, WEIR_STR("c"), WEIR_STR("4"));
    record_label(&w, WEIR_STR("b"), WEIR_STR("5"));
    record_end(&w);
    expect("{\"kind\":\"close\",\"time\":1,\"id\":\"i\",\"labels\":{\"a\\\"b\":\"1\\\\\",\"c\":\"2\",\"b\":\"5\"}}");
}
END_TEST

static void long_record(void)
{
    struct record_writer w = record_begin(&out, KIND_close, 1, WEIR_STR("i"));
    char name[16];

    record_int(&w, RECORD_attempt, 1);
    record_str(&w, RECORD_model, WEIR_STR("m,\"{"));
    for (unsigned i = 0; i < 320; i++) {
        snprintf(name, sizeof name, "label%u", i);
        record_label(&w, str_of(name), WEIR_STR("a value, with \"{}\" in it"));
    }
    record_end(&w);
}

START_TEST(shortens_to_any_size)
{
    struct buf whole = {0};

    buf_lit(&out, "xx");
    long_record();
    ck_assert_uint_gt(out.len, 12000);
    buf_put(&whole, out.ptr, out.len);
    for (size_t most = 512; most < 12000; most += 7) {
        out.len = 0;
        buf_put(&out, whole.ptr, whole.len);
        record_shorten(&out, 2, most);
        ck_assert_uint_le(out.len - 2, most);
        ck_assert_uint_gt(out.len - 2, most - 60);
        json_t *j = parse(str_sub(text(), 2, out.len));
        ck_assert(json_is_true(json_object_get(j, "cut")));
        ck_assert_str_eq(json_string_value(json_object_get(j, "model")), "m,\"{");
        json_decref(j);
    }
    buf_fini(&whole);
    out.len = 0;
    buf_lit(&out, "{\"kind\":\"close\"}");
    record_shorten(&out, 0, 512);
    expect("{\"kind\":\"close\"}");
}
END_TEST

START_TEST(an_ending_always_finds_room)
{
    char dir[] = "/dev/shm/weir-test-XXXXXX", path[64];
    struct weir_error e = {0};
    struct ring_record rec;
    uint64_t at = 0;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    struct ring *r = ring_open(dir, 0, 65536, &e);
    ck_assert_msg(r != NULL, "%s", e.text);
    ring_attach(r);
    long_record();
    for (unsigned i = 0; i < 62; i++) /* 62 x (16 + 1032) of 65536 */
        ck_assert(ring_put(r, RING_OPEN, WEIR_STR("o"), NULL));
    ck_assert(!record_put(r, RING_SINGLE, &out, 0, NULL));
    ck_assert_uint_gt(out.len, 12000);
    ck_assert(record_put(r, RING_END, &out, 0, NULL));
    ck_assert_uint_le(out.len, RING_END_MAX);
    for (unsigned i = 0; i < 63; i++)
        ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    json_decref(parse(rec.bytes));
    ring_close(r);
    snprintf(path, sizeof path, "%s/ring.0", dir);
    unlink(path);
    rmdir(dir);
}
END_TEST

START_TEST(reads_heads)
{
    struct record_head h;

    ck_assert(record_read_head(
        WEIR_STR("{\"kind\":\"open\",\"time\":17,\"id\":\"a\\\"b\",\"attempt\":2,\"key\":\"k\"}"), &h));
    ck_assert_int_eq(h.kind, KIND_open);
    ck_assert_int_eq(h.time_us, 17);
    ck_assert_uint_eq(h.id.len, 4);
    ck_assert_mem_eq(h.id.ptr, "a\\\"b", 4);
    ck_assert_int_eq(h.attempt, 2);
    ck_assert(record_read_head(WEIR_STR("{\"kind\":\"deny\",\"time\":0,\"id\":\"\"}"), &h));
    ck_assert_int_eq(h.kind, KIND_deny);
    ck_assert_int_eq(h.attempt, 0);
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{\"kind\":\"opem\",\"time\":1,\"id\":\"\"}",
        "{\"kind\":\"open\",\"time\":,\"id\":\"\"}",
        "{\"kind\":\"open\",\"time\":1,\"id\":\"",
        "{\"kind\":\"open\",\"time\":1,\"id\":\"a\\",
        "{\"kind\":\"open\",\"time\":1,\"id\":\"a\\\"",
        "{\"kind\":\"open\",\"time\":12345678901234567890,\"id\":\"\"}",
        "{\"kind\":\"open\",\"time\":-1,\"id\":\"\"}",
        " {\"kind\":\"open\",\"time\":1,\"id\":\"\"}",
        "{\"time\":1,\"kind\":\"open\",\"id\":\"\"}",
        "{\"kind\":\"open\",\"time\":1,\"id\":\"\",\"attempt\":x}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!record_read_head(str_of(bad[i]), &h), "%s", bad[i]);
}
END_TEST

static const struct weir_field *field(const struct weir_record *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_is(r->fields[i].name, name))
            return &r->fields[i];
    return NULL;
}

START_TEST(reads_back)
{
    struct record_writer w = record_begin(&out, KIND_close, 1764030000123456, WEIR_STR("req_01"));
    struct arena a = {0};
    struct json_skim skim = {0};
    struct weir_record r;

    record_int(&w, RECORD_attempt, 3);
    record_str(&w, RECORD_model, WEIR_STR("a \"b\"\n"));
    record_bool(&w, RECORD_stream, false);
    record_label(&w, WEIR_STR("pii\t"), WEIR_STR("x\\y"));
    record_end(&w);
    ck_assert(record_read(&a, &skim, 99, text(), &r));
    ck_assert_uint_eq(r.seq, 99);
    ck_assert_uint_eq(r.size, sizeof r);
    ck_assert_uint_eq(r.field_size, sizeof *r.fields);
    ck_assert_int_eq(r.time_us, 1764030000123456);
    ck_assert(str_is(r.kind, "close"));
    ck_assert(str_eq(r.json, text()));
    ck_assert_uint_eq(r.count, 7);
    ck_assert(str_is(field(&r, "model")->text, "a \"b\"\n"));
    ck_assert(!field(&r, "model")->is_number);
    ck_assert_int_eq(field(&r, "attempt")->number, 3);
    ck_assert(field(&r, "attempt")->is_number);
    ck_assert(str_is(field(&r, "attempt")->text, "3"));
    ck_assert(str_is(field(&r, "stream")->text, "false"));
    ck_assert(str_is(field(&r, "labels.pii\t")->text, "x\\y"));
    ck_assert(!record_read(&a, &skim, 1, WEIR_STR("{\"kind\":1,\"time\":1}"), &r));
    ck_assert(!record_read(&a, &skim, 1, WEIR_STR("{\"kind\":\"open\"}"), &r));
    ck_assert(!record_read(&a, &skim, 1, WEIR_STR("[]"), &r));
    ck_assert(!record_read(&a, &skim, 1, WEIR_STR("{\"kind\":\"open\",\"time\":1"), &r));
    json_skim_fini(&skim);
    arena_fini(&a);
}
END_TEST

START_TEST(names_are_the_table)
{
    ck_assert_str_eq(record_field_name(RECORD_upstream_status), "upstream_status");
    ck_assert_str_eq(record_field_help(RECORD_finish), "why the model stopped");
    ck_assert_str_eq(record_kind_name(KIND_gap), "gap");
    ck_assert_ptr_nonnull(strstr(record_kind_help(KIND_close), "exactly one"));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");

    tcase_add_checked_fixture(t, NULL, reset);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, writes_exactly);
    tcase_add_test(t, appends_behind_what_is_there);
    tcase_add_test(t, escapes);
    tcase_add_test(t, half_a_surrogate_pair_stays);
    tcase_add_test(t, cuts_long_strings_at_a_character);
    tcase_add_test(t, never_passes_the_maximum);
    tcase_add_test(t, the_first_of_equal_labels_stays);
    tcase_add_test(t, shortens_to_any_size);
    tcase_add_test(t, an_ending_always_finds_room);
    tcase_add_test(t, reads_heads);
    tcase_add_test(t, reads_back);
    tcase_add_test(t, names_are_the_table);
    suite_add_tcase(s, t);
    return s;
}
