/* SPDX-License-Identifier: Apache-2.0 */
/* fake_host_test.c -- sdk/weir_test.h itself: what it hands to plugins and what it records of them. */
#include "fake_host.h"

/* ---- JSON ---- */

static bool skims(const char *text, struct weir_error *e)
{
    struct weir_test_block *memory = NULL;
    struct weir_json j;
    bool good;

    memset(e, 0, sizeof *e);
    good = wt_skim(&memory, wt_copy(&memory, wt_str(text)), &j, e);
    wt_free(&memory);
    return good;
}

START_TEST(skim_accepts)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "0",
        "-0",
        "-1.5e+10",
        "1E5",
        "0.0",
        "true",
        "false",
        "null",
        "\"\"",
        " \t\n\r[ 1 , 2 ] ",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\x7f\"",
        "{\"\":0,\" \":1}",
        "\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
        "[[[[]]]]",
        "{\"a\":{\"a\":{}}}",
        "[{\"a\":1},{\"a\":1}]",
    };
    struct weir_error e;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(skims(texts[i], &e), "refuses %s: %s", texts[i], e.text);
}
END_TEST

START_TEST(skim_refuses)
{
    static const struct {
        const char *text, *code;
    } rows[] = {
        {"", "invalid_json"},
        {" ", "invalid_json"},
        {"{", "invalid_json"},
        {"[", "invalid_json"},
        {"]", "invalid_json"},
        {"[1,]", "invalid_json"},
        {"[,1]", "invalid_json"},
        {"[1 2]", "invalid_json"},
        {"{\"a\"}", "invalid_json"},
        {"{\"a\":}", "invalid_json"},
        {"{\"a\":1,}", "invalid_json"},
        {"{a:1}", "invalid_json"},
        {"{1:1}", "invalid_json"},
        {"{\"a\" 1}", "invalid_json"},
        {"[1}", "invalid_json"},
        {"{}{}", "invalid_json"},
        {"1 2", "invalid_json"},
        {"01", "invalid_json"},
        {"-", "invalid_json"},
        {"+1", "invalid_json"},
        {"1.", "invalid_json"},
        {".1", "invalid_json"},
        {"1e", "invalid_json"},
        {"1e+", "invalid_json"},
        {"0x1", "invalid_json"},
        {"NaN", "invalid_json"},
        {"Infinity", "invalid_json"},
        {"tru", "invalid_json"},
        {"True", "invalid_json"},
        {"nul", "invalid_json"},
        {"'a'", "invalid_json"},
        {"\"a", "invalid_json"},
        {"\"\\", "invalid_json"},
        {"\"\\x\"", "invalid_json"},
        {"\"\\u12g4\"", "invalid_json"},
        {"\"\\u12\"", "invalid_json"},
        {"\"\n\"", "invalid_json"},
        {"\"\x1f\"", "invalid_json"},
        {"// x\n1", "invalid_json"},
        {"\xef\xbb\xbf{}", "invalid_json"},
        {"\"\x80\"", "invalid_utf8"},
        {"\"\xc0\x80\"", "invalid_utf8"},
        {"\"\xc1\xbf\"", "invalid_utf8"},
        {"\"\xc3\"", "invalid_utf8"},
        {"\"\xe0\x9f\xbf\"", "invalid_utf8"},
        {"\"\xed\xa0\x80\"", "invalid_utf8"},
        {"\"\xf0\x8f\xbf\xbf\"", "invalid_utf8"},
        {"\"\xf4\x90\x80\x80\"", "invalid_utf8"},
        {"\"\xf5\x80\x80\x80\"", "invalid_utf8"},
        {"\"\xe2\x82", "invalid_utf8"},
        {"{\"a\":1,\"a\":2}", "duplicate_key"},
        {"{\"a\":1,\"\\u0061\":2}", "duplicate_key"},
        {"[{\"x\":{\"b\":[],\"c\":{},\"b\":0}}]", "duplicate_key"},
    };
    struct weir_error e;
    char deep[600];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(!skims(rows[i].text, &e), "accepts %s", rows[i].text);
        ck_assert_msg(strcmp(e.code, rows[i].code) == 0, "%s: %s, %s", rows[i].text, e.code, e.text);
    }
    memset(deep, '[', 300);
    memset(deep + 300, ']', 300);
    deep[599] = '\0';
    ck_assert(!skims(deep, &e));
    ck_assert_str_eq(e.code, "json_too_deep");
}
END_TEST

/* The list as weir.h describes it, written down by hand. */
START_TEST(skim_lists_nodes)
{
    static const char text[] = "{\"a\": [1, \"x\\n\", true, {}], \"b\": null, \"c\": -2}";
    static const struct weir_node want[] = {
        {0, 47, 9, WEIR_JSON_OBJECT, 0, 0}, {2, 1, 2, WEIR_JSON_STRING, 0, 1},  {6, 20, 5, WEIR_JSON_ARRAY, 0, 1},
        {11, 3, 4, WEIR_JSON_STRING, 1, 2}, {23, 2, 5, WEIR_JSON_OBJECT, 0, 2}, {29, 1, 6, WEIR_JSON_STRING, 0, 1},
        {33, 4, 7, WEIR_JSON_NULL, 0, 1},   {40, 1, 8, WEIR_JSON_STRING, 0, 1}, {44, 2, 9, WEIR_JSON_NUMBER, 0, 1},
    };
    struct weir_test_block *memory = NULL;
    struct weir_json j;

    ck_assert(wt_skim(&memory, wt_str(text), &j, NULL));
    ck_assert_uint_eq(j.count, 9);
    for (size_t i = 0; i < j.count; i++)
        ck_assert_msg(memcmp(&j.nodes[i], &want[i], sizeof want[i]) == 0, "node %zu", i);
    ck_assert_int_eq(weir_json_int(&j, weir_json_get(&j, 0, "c"), 0), -2);
    ck_assert_uint_eq(weir_json_get(&j, 0, "d"), WEIR_NO_NODE);
    wt_free(&memory);
}
END_TEST

START_TEST(strings_go_both_ways)
{
    static const struct {
        const char *raw, *value;
    } rows[] = {
        {"a\\\"\\\\\\/\\b\\f\\n\\r\\t", "a\"\\/\b\f\n\r\t"},
        {"\\u00e9\\u20AC", "\xc3\xa9\xe2\x82\xac"},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"\\ud83dx", "\xed\xa0\xbdx"},
        {"\\ude00\\ud83d", "\xed\xb8\x80\xed\xa0\xbd"},
    };
    static const struct {
        const char *value, *raw;
    } out[] = {
        {"a\"\\/\b\f\n\r\t\x1f\x7f", "a\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7f"},
        {"\xed\xa0\xbd", "\\ud83d"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
    };
    struct weir_test_block *memory = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        weir_test_same(wt_unescape(&memory, wt_copy(&memory, wt_str(rows[i].raw)), NULL), rows[i].value);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        struct weir_test_buf b = {0};
        wt_escape(&b, wt_str(out[i].value));
        weir_test_same(b, out[i].raw);
        wt_buf_free(&b);
    }
    wt_free(&memory);
}
END_TEST

/* ---- options ---- */

struct wishes {
    const char *word, *secret, *pick;
    int64_t time, size, count;
    double share;
    bool on;
    struct weir_list list;
};

static const char *const picks[] = {"red", "blue", NULL};
static const struct weir_option wishes[] = {
    WEIR_OPT(struct wishes, word, NULL, "A word."),
    WEIR_OPT(struct wishes, secret, "", "A secret.", .unit = WEIR_SECRET),
    WEIR_OPT(struct wishes, pick, "red", "A choice.", .choices = picks),
    WEIR_OPT(struct wishes, time, "250", "A time.", .unit = WEIR_MS, .min = 1, .max = 86400000),
    WEIR_OPT(struct wishes, size, "64k", "A size.", .unit = WEIR_BYTES),
    WEIR_OPT(struct wishes, count, "-3", "A count."),
    WEIR_OPT(struct wishes, share, "0.5", "A share.", .min = 0, .max = 1),
    WEIR_OPT(struct wishes, on, "true", "A switch."),
    WEIR_OPT(struct wishes, list, "a  b", "A list.", .min = 0, .max = 3),
    WEIR_OPT_END,
};

static bool say_yes(void *self, const void *shared, struct weir_error *e)
{
    (void)self;
    (void)shared;
    (void)e;
    return true;
}

#define WISHES TABLE(.options = wishes, .self_size = sizeof(struct wishes), .init = say_yes)

START_TEST(options_have_fallbacks)
{
    struct weir_test t;
    const struct wishes *w;

    weir_test_init(&t, WISHES, " word = some thing ;");
    w = t.ctx.self;
    ck_assert_str_eq(w->word, "some thing");
    ck_assert_str_eq(w->secret, "");
    ck_assert_str_eq(w->pick, "red");
    ck_assert_int_eq(w->time, 250);
    ck_assert_int_eq(w->size, 65536);
    ck_assert_int_eq(w->count, -3);
    ck_assert(w->share == 0.5 && w->on);
    ck_assert_uint_eq(w->list.count, 2);
    ck_assert_str_eq(w->list.items[1], "b");
    weir_test_fini(&t);
}
END_TEST

START_TEST(options_are_read)
{
    struct weir_test t;
    const struct wishes *w;

    setenv("FAKE_HOST_SECRET", "s3cret", 1);
    weir_test_init(&t, WISHES,
                   "word = \"a;\\\"b\\\"\"; secret = env:FAKE_HOST_SECRET; pick = blue\ntime = 2m; size = 1G;"
                   "count = 7; share = 1; on = false; list = [ x, \"y, z\" , w ]");
    w = t.ctx.self;
    ck_assert_str_eq(w->word, "a;\"b\"");
    ck_assert_str_eq(w->secret, "s3cret");
    ck_assert_str_eq(w->pick, "blue");
    ck_assert_int_eq(w->time, 120000);
    ck_assert_int_eq(w->size, 1073741824);
    ck_assert_int_eq(w->count, 7);
    ck_assert(w->share == 1 && !w->on);
    ck_assert_uint_eq(w->list.count, 3);
    ck_assert_str_eq(w->list.items[1], "y, z");
    ck_assert_str_eq(w->list.items[2], "w");
    weir_test_fini(&t);
}
END_TEST

START_TEST(options_are_refused)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        {"", "word"},
        {"word = \"\"", "word"},
        {"word = a; word = b", "word"},
        {"word = a; wort = b", ""},
        {"word", ""},
        {"word = a; pick = green", "pick"},
        {"word = a; time = 5x", "time"},
        {"word = a; time = 0", "time"},
        {"word = a; time = 2d", "time"},
        {"word = a; count = 1k", "count"},
        {"word = a; count = 1.5", "count"},
        {"word = a; size = 9999999999G", "size"},
        {"word = a; share = 2", "share"},
        {"word = a; share = x", "share"},
        {"word = a; on = yes", "on"},
        {"word = a; list = [ 1, 2, 3, 4 ]", "list"},
        {"word = [ a, b ]", "word"},
        {"word = a; secret = env:FAKE_HOST_UNSET", "secret"},
        {"word = a; secret = file:/no/such/file", "secret"},
        {"word = a; secret = exec:true", "secret"},
    };
    struct weir_error e;
    struct weir_test t;

    unsetenv("FAKE_HOST_UNSET");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(!weir_test_try(&t, WISHES, rows[i].text, &e), "accepts %s", rows[i].text);
        ck_assert_msg(strcmp(e.field, rows[i].field) == 0 && e.text[0], "%s: field %s, %s", rows[i].text, e.field,
                      e.text);
    }
}
END_TEST

/* ---- spans and edits ---- */

static const struct weir_path paths[] = {
    {"POST", "/v1/x", WEIR_CHAT, NULL}, {"GET", "/v1/x/", WEIR_SHOW_MODEL, NULL}, {NULL, NULL, WEIR_CHAT, NULL}};

static bool accept_all(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    const struct weir_json *j = weir_body(c);
    uint32_t model = j ? weir_json_get(j, 0, "model") : WEIR_NO_NODE;

    if (!j)
        return true;
    if (model == WEIR_NO_NODE) {
        snprintf(e->text, sizeof e->text, "model is missing");
        return false;
    }
    r->model = weir_json_text(j, model);
    r->model_at = j->nodes[model].at;
    r->model_len = j->nodes[model].len;
    weir_span(c, weir_json_get(j, 0, "call"), WEIR_TOOL_CALL, WEIR_INNER_JSON, 0, 0);
    weir_span(c, weir_json_get(j, 0, "text"), WEIR_USER, WEIR_PLAIN_TEXT, 1, 0);
    weir_span(c, weir_json_get(j, 0, "none"), WEIR_USER, WEIR_PLAIN_TEXT, 2, 0);
    return true;
}

static void refuse_all(struct weir_ctx *c, const struct weir_refusal *r)
{
    weir_out(c, WEIR_STR("no: "));
    weir_out(c, ((struct weir_str){r->code, strlen(r->code)}));
}

static enum weir_verdict put_quotes(struct weir_ctx *c)
{
    size_t n;

    weir_spans(c, &n);
    for (size_t i = 0; i < n; i++)
        weir_edit(c, i, 0, 1, WEIR_STR("\"\n"));
    return WEIR_PASS;
}

#define DIALECT .dialect = "test", .paths = paths, .accept = accept_all, .refuse = refuse_all

START_TEST(spans_of_json_inside)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, TABLE(DIALECT, .on_request = put_quotes), "");
    ck_assert(weir_test_accept(&t, "POST", "/v1/x",
                               "{\"model\":\"m\",\"call\":\"{\\\"k\\\":[1,\\\"\\\\u0041\\u00e9\\\",\\\"\\\"]}\","
                               "\"text\":\"caf\\u00e9\",\"none\":null}",
                               &e));
    ck_assert_uint_eq(weir_test_span_count(&t), 3);
    weir_test_same(weir_test_span(&t, 0)->text, "k");
    weir_test_same(weir_test_span(&t, 1)->text, "A\xc3\xa9");
    ck_assert_int_eq(weir_test_span(&t, 1)->form, WEIR_INNER_JSON);
    weir_test_same(((struct weir_str){t.body.ptr + weir_test_span(&t, 1)->at, weir_test_span(&t, 1)->len}),
                   "\\\\u0041\\u00e9");
    weir_test_same(weir_test_span(&t, 2)->text, "caf\xc3\xa9");
    ck_assert_int_eq(weir_test_span(&t, 2)->form, WEIR_PLAIN_TEXT);
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_same(weir_test_sent(&t),
                   "{\"model\":\"m\",\"call\":\"{\\\"\\\\\\\"\\\\n\\\":[1,\\\"\\\\\\\"\\\\n\xc3\xa9\\\",\\\"\\\"]}\","
                   "\"text\":\"\\\"\\naf\xc3\xa9\",\"none\":null}");
    weir_test_again(&t);
    weir_test_same(weir_test_span(&t, 1)->text, "A\xc3\xa9");
    weir_test_fini(&t);
}
END_TEST

START_TEST(accept_and_refuse)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, TABLE(DIALECT), "");
    ck_assert(!weir_test_accept(&t, "POST", "/v1/x", "{}", &e));
    ck_assert_str_eq(e.text, "model is missing");
    ck_assert(weir_test_accept(&t, "GET", "/v1/x/m", NULL, &e));
    ck_assert_int_eq(t.request.kind, WEIR_SHOW_MODEL);
    weir_test_same(t.request.path, "/v1/x/m");
    weir_test_refuse(&t, &(struct weir_refusal){.status = 404, .code = "gone", .text = "", .field = ""});
    weir_test_same(t.out, "no: gone");
    weir_test_fini(&t);
}
END_TEST

/* ---- waiting ---- */

static void pass_now(struct weir_ctx *c)
{
    weir_resume(c, WEIR_PASS);
}

static enum weir_verdict wait_a_second(struct weir_ctx *c)
{
    weir_after(c, 1000, pass_now);
    return WEIR_WAIT;
}

static enum weir_verdict resume_inside(struct weir_ctx *c)
{
    weir_resume(c, weir_block(c, "early", WEIR_STR("known at once")));
    return WEIR_WAIT;
}

static void log_cancel(struct weir_ctx *c)
{
    weir_log(c, WEIR_WARN, "cancelled %d", 7);
}

START_TEST(waits_end)
{
    struct weir_test t;

    weir_test_init(&t, TABLE(.on_request = wait_a_second, .on_cancel = log_cancel), "");
    weir_test_say(&t, WEIR_USER, "x");
    weir_test_verdict(weir_test_on_request(&t), WEIR_WAIT);
    ck_assert(t.waiting && t.fire_ms == 1000);
    weir_test_fire(&t);
    weir_test_verdict(t.verdict, WEIR_PASS);
    ck_assert_uint_eq(t.clock_ms, 1000);
    weir_test_on_request(&t);
    weir_test_cancel(&t);
    weir_test_same(t.log, "warn: cancelled 7\n");
    ck_assert(!t.fire && !t.waiting);
    weir_test_fini(&t);
}
END_TEST

START_TEST(resume_counts_inside_the_hook)
{
    struct weir_test t;

    weir_test_init(&t, TABLE(.on_request = resume_inside), "");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_same(t.block_code, "early");
    ck_assert(!t.waiting);
    weir_test_fini(&t);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        skim_accepts,
        skim_refuses,
        skim_lists_nodes,
        strings_go_both_ways,
        options_have_fallbacks,
        options_are_read,
        options_are_refused,
        spans_of_json_inside,
        accept_and_refuse,
        waits_end,
        resume_counts_inside_the_hook,
    };
    Suite *s = suite_create("fake_host");
    TCase *all = tcase_create("all");

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(s, all);
    return s;
}
