/* SPDX-License-Identifier: Apache-2.0 */
/* json_skim_test.c -- what is JSON, the nodes of it, duplicate keys, limits, and time that stays linear. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_skim.h"
#include "json_cases.h"
#include "scalar_skim.h"

static const struct json_limits plenty = {512, 4000000};
static struct json_skim skim; /* tests run one by one, each in a process of its own */
static struct weir_error error;
static struct weir_json j;

typedef bool skim_fn(struct json_skim *, struct weir_str, const struct json_limits *, struct weir_json *,
                     struct weir_error *);

/* The text stands at the very end of its allocation, so that a read behind it is seen. */
static void check_case(skim_fn *fn, const struct json_case *c)
{
    char *exact = malloc(c->len ? c->len : 1);

    memcpy(exact, c->text, c->len);
    memset(&error, 0, sizeof error);
    bool good = fn(&skim, (struct weir_str){exact, c->len}, &plenty, &j, &error);
    ck_assert_msg(good == !c->code[0], "%s: %s", c->text, error.text);
    ck_assert_msg(good || strcmp(error.code, c->code) == 0, "%s: %s, not %s", c->text, error.code, c->code);
    ck_assert_msg(good || strstr(error.text, " at byte "), "%s", error.text);
    free(exact);
}

START_TEST(every_case)
{
    size_t n = sizeof json_cases / sizeof *json_cases;

    ck_assert_uint_ge(n, 250);
    for (size_t i = 0; i < n; i++) {
        check_case(json_skim, &json_cases[i]);
        check_case(scalar_skim, &json_cases[i]);
    }
}
END_TEST

/* ---- nodes ---- */

static void skim_ok(struct weir_str text)
{
    ck_assert_msg(json_skim(&skim, text, &plenty, &j, &error), "%s", error.text);
}

static void skim_bad(struct weir_str text, const struct json_limits *limits, const char *code, const char *what)
{
    ck_assert(!json_skim(&skim, text, limits, &j, &error));
    ck_assert_str_eq(error.code, code);
    ck_assert_msg(strstr(error.text, what) != NULL, "%s", error.text);
}

struct want {
    const char *text;
    enum weir_json_type type;
    uint32_t next;
    uint16_t depth;
    bool escaped;
};

static void check_nodes(struct weir_str text, const struct want *w, size_t n)
{
    skim_ok(text);
    ck_assert_uint_eq(j.count, n);
    ck_assert_ptr_eq(j.text.ptr, text.ptr);
    ck_assert_uint_eq(j.text.len, text.len);
    for (uint32_t i = 0; i < n; i++) {
        struct weir_str got = weir_json_text(&j, i);
        ck_assert_msg(str_is(got, w[i].text), "node %u: %.*s", i, (int)got.len, got.ptr);
        ck_assert_uint_eq(j.nodes[i].type, w[i].type);
        ck_assert_uint_eq(j.nodes[i].next, w[i].next);
        ck_assert_uint_eq(j.nodes[i].depth, w[i].depth);
        ck_assert_uint_eq(j.nodes[i].escaped, w[i].escaped);
    }
}
#define CHECK_NODES(text, ...)                                                                                         \
    check_nodes(WEIR_STR(text), (const struct want[]){__VA_ARGS__},                                                    \
                sizeof(struct want[]){__VA_ARGS__} / sizeof(struct want))

START_TEST(nodes_of_roots)
{
    CHECK_NODES(" 12 ", {"12", WEIR_JSON_NUMBER, 1, 0, false});
    CHECK_NODES("true", {"true", WEIR_JSON_TRUE, 1, 0, false});
    CHECK_NODES("false\n", {"false", WEIR_JSON_FALSE, 1, 0, false});
    CHECK_NODES("\tnull", {"null", WEIR_JSON_NULL, 1, 0, false});
    CHECK_NODES("\"a\\n\"", {"a\\n", WEIR_JSON_STRING, 1, 0, true});
    CHECK_NODES("\"\"", {"", WEIR_JSON_STRING, 1, 0, false});
    CHECK_NODES(" [ ] ", {"[ ]", WEIR_JSON_ARRAY, 1, 0, false});
    CHECK_NODES("{}", {"{}", WEIR_JSON_OBJECT, 1, 0, false});
}
END_TEST

/* Plain elements of arrays have no node; values of keys always have. */
START_TEST(nodes_of_plain_values)
{
    CHECK_NODES("[1,true,\"s\",null,-2.5e1,false]", {"[1,true,\"s\",null,-2.5e1,false]", WEIR_JSON_ARRAY, 2, 0, false},
                {"s", WEIR_JSON_STRING, 2, 1, false});
    CHECK_NODES("[1,2,3]", {"[1,2,3]", WEIR_JSON_ARRAY, 1, 0, false});
    CHECK_NODES("{\"a\":-1.5,\"b\":null,\"c\":true,\"d\":false}",
                {"{\"a\":-1.5,\"b\":null,\"c\":true,\"d\":false}", WEIR_JSON_OBJECT, 9, 0, false},
                {"a", WEIR_JSON_STRING, 2, 1, false}, {"-1.5", WEIR_JSON_NUMBER, 3, 1, false},
                {"b", WEIR_JSON_STRING, 4, 1, false}, {"null", WEIR_JSON_NULL, 5, 1, false},
                {"c", WEIR_JSON_STRING, 6, 1, false}, {"true", WEIR_JSON_TRUE, 7, 1, false},
                {"d", WEIR_JSON_STRING, 8, 1, false}, {"false", WEIR_JSON_FALSE, 9, 1, false});
}
END_TEST

START_TEST(nodes_nested)
{
    CHECK_NODES("{\"m\":[{\"r\":\"u\\u0041\",\"c\":[7,[]]},\"z\"],\"k\\n\":{}}",
                {"{\"m\":[{\"r\":\"u\\u0041\",\"c\":[7,[]]},\"z\"],\"k\\n\":{}}", WEIR_JSON_OBJECT, 12, 0, false},
                {"m", WEIR_JSON_STRING, 2, 1, false},
                {"[{\"r\":\"u\\u0041\",\"c\":[7,[]]},\"z\"]", WEIR_JSON_ARRAY, 10, 1, false},
                {"{\"r\":\"u\\u0041\",\"c\":[7,[]]}", WEIR_JSON_OBJECT, 9, 2, false},
                {"r", WEIR_JSON_STRING, 5, 3, false}, {"u\\u0041", WEIR_JSON_STRING, 6, 3, true},
                {"c", WEIR_JSON_STRING, 7, 3, false}, {"[7,[]]", WEIR_JSON_ARRAY, 9, 3, false},
                {"[]", WEIR_JSON_ARRAY, 9, 4, false}, {"z", WEIR_JSON_STRING, 10, 2, false},
                {"k\\n", WEIR_JSON_STRING, 11, 1, true}, {"{}", WEIR_JSON_OBJECT, 12, 1, false});
    ck_assert_uint_eq(weir_json_get(&j, 0, "m"), 2);
    ck_assert_uint_eq(weir_json_get(&j, 3, "c"), 7);
    ck_assert_uint_eq(weir_json_get(&j, 0, "k"), WEIR_NO_NODE);
    ck_assert_uint_eq(weir_json_next(&j, 2, 3), 9);
    ck_assert_uint_eq(weir_json_next(&j, 2, 9), WEIR_NO_NODE);
}
END_TEST

START_TEST(nodes_in_an_arena)
{
    struct arena a = {0};
    struct weir_json kept;

    ck_assert(json_skim_arena(&a, &skim, WEIR_STR("{\"a\":[\"b\"]}"), &plenty, &kept, &error));
    skim_ok(WEIR_STR("[[],[],[],[],[]]"));
    ck_assert_uint_eq(kept.count, 4);
    ck_assert(str_is(weir_json_text(&kept, 3), "b"));
    ck_assert_uint_eq(kept.nodes[2].next, 4);
    arena_fini(&a);
}
END_TEST

/* ---- where errors stand ---- */

START_TEST(error_offsets)
{
    const struct {
        struct weir_str text;
        const char *where;
    } rows[] = {
        {WEIR_STR("{\"a\":1,\"a\":2}"), "at byte 8"},
        {WEIR_STR("[1,2"), "at byte 4"},
        {WEIR_STR("[1,x]"), "at byte 3"},
        {WEIR_STR("{} {}"), "at byte 3"},
        {WEIR_STR("\"ab\xFF\""), "at byte 3"},
        {WEIR_STR("\"ab\x01\""), "at byte 3"},
        {WEIR_STR("[\"\\ud83d\\u12\"]"), "at byte 8"},
        {WEIR_STR("{\"a\" 1}"), "at byte 5"},
        {WEIR_STR("{1}"), "at byte 1"},
        {WEIR_STR("-"), "at byte 1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(!json_skim(&skim, rows[i].text, &plenty, &j, &error));
        size_t at = strlen(error.text) - strlen(rows[i].where);
        ck_assert_msg(strcmp(error.text + at, rows[i].where) == 0, "%s: %s", rows[i].text.ptr, error.text);
    }
}
END_TEST

/* ---- many keys ---- */

/* {"k0":0,"k1":[{}],...}: `n` keys; with `again`, key number `again` once more at the end, spelled with an escape. */
static void put_keys(struct buf *b, int n, int again)
{
    buf_char(b, '{');
    for (int i = 0; i < n; i++)
        buf_printf(b, "%s\"k%d\":%s", i ? "," : "", i, i % 3 ? "0" : "[{}]");
    if (again >= 0)
        buf_printf(b, ",\"\\u006b%d\":1", again);
    buf_char(b, '}');
}

START_TEST(many_keys)
{
    static const int sizes[] = {1, 2, 7, 15, 16, 17, 18, 33, 64, 100, 1000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int n = sizes[i], places[] = {0, n / 2, n - 1};
        struct buf b = {0};
        put_keys(&b, n, -1);
        skim_ok(buf_view(&b));
        for (size_t k = 0; k < 3; k++) {
            b.len = 0;
            put_keys(&b, n, places[k]);
            skim_bad(buf_view(&b), &plenty, "duplicate_key", "same key twice");
        }
        buf_fini(&b);
    }
}
END_TEST

/* Two keys alike anywhere among 40 others, both plain. */
START_TEST(many_keys_plain_pair)
{
    for (int first = 0; first < 40; first++)
        for (int second = first + 1; second <= 40; second++) {
            struct buf b = {0};
            buf_lit(&b, "{\"first\":0");
            for (int i = 0; i <= 40; i++)
                buf_printf(&b, ",\"k%d\":{\"k\":1}", i == second ? first : i);
            buf_char(&b, '}');
            skim_bad(buf_view(&b), &plenty, "duplicate_key", "same key twice");
            buf_fini(&b);
        }
}
END_TEST

static int64_t skim_time(struct weir_str text)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < 3; i++) {
        int64_t start = clock_us(), us;
        skim_ok(text);
        us = clock_us() - start;
        best = us < best ? us : best;
    }
    return best;
}

/* 100,000 keys, and keys whose first, middle and last bytes and lengths agree, cost about as much per byte as 1,000 do:
 * a quadratic way would take a hundred times as long. */
START_TEST(linear_in_keys)
{
    for (int same = 0; same < 2; same++) {
        int64_t us[2];
        for (int big = 0; big < 2; big++) {
            int n = big ? 100000 : 1000;
            struct buf b = {0};
            buf_char(&b, '{');
            for (int i = 0; i < n; i++)
                buf_printf(&b, same ? "%s\"x%07dxx%07dx\":1" : "%s\"%d\":\"%d\"", i ? "," : "", i, i);
            buf_char(&b, '}');
            us[big] = skim_time(buf_view(&b));
            buf_fini(&b);
        }
        ck_assert_msg(us[1] < 100 * 20 * (us[0] + 20), "%ld us for 1,000, %ld us for 100,000", (long)us[0],
                      (long)us[1]);
        ck_assert_int_lt(us[1], 2000000);
    }
}
END_TEST

/* ---- limits ---- */

static void put_nested(struct buf *b, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++)
        buf_str(b, i % 2 ? WEIR_STR("{\"a\":") : WEIR_STR("["));
    buf_char(b, '1');
    for (uint32_t i = depth; i-- > 0;)
        buf_char(b, i % 2 ? '}' : ']');
}

START_TEST(depth_limit)
{
    struct json_limits limits = {40, 1000};
    struct buf b = {0};

    put_nested(&b, 40);
    ck_assert(json_skim(&skim, buf_view(&b), &limits, &j, &error));
    b.len = 0;
    put_nested(&b, 41);
    skim_bad(buf_view(&b), &limits, "json_too_deep", "at byte 120"); /* 20 times `[{"a":`, then `[` */
    limits.depth = 0;
    ck_assert(json_skim(&skim, WEIR_STR("1"), &limits, &j, &error));
    skim_bad(WEIR_STR("[]"), &limits, "json_too_deep", "at byte 0");
    limits.depth = UINT32_MAX; /* depths are kept in 16 bits */
    limits.nodes = 1000000;
    b.len = 0;
    put_nested(&b, 65535);
    ck_assert(json_skim(&skim, buf_view(&b), &limits, &j, &error));
    b.len = 0;
    put_nested(&b, 65536);
    skim_bad(buf_view(&b), &limits, "json_too_deep", "nested");
    buf_fini(&b);
}
END_TEST

START_TEST(node_limit)
{
    struct json_limits limits = {8, 5};

    ck_assert(json_skim(&skim, WEIR_STR("{\"a\":1,\"b\":2}"), &limits, &j, &error));
    skim_bad(WEIR_STR("{\"a\":1,\"b\":[\"x\"]}"), &limits, "json_too_large", "at byte 13");
    ck_assert(json_skim(&skim, WEIR_STR("[1,2,3,4,5,6,7,8,9,10]"), &limits, &j, &error));
    ck_assert(json_skim(&skim, WEIR_STR("[[],[],[],[]]"), &limits, &j, &error));
    skim_bad(WEIR_STR("[[],[],[],[],[]]"), &limits, "json_too_large", "too many values");
    skim_ok(WEIR_STR("[[],[],[],[],[],[],[]]")); /* more room than before, with the same skim */
    ck_assert(!json_skim(&skim, WEIR_STR("[[],[],[],[],[]]"), &limits, &j, &error));
    limits.nodes = 0;
    skim_bad(WEIR_STR("1"), &limits, "json_too_large", "at byte 0");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("json_skim");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_case);
    tcase_add_test(t, nodes_of_roots);
    tcase_add_test(t, nodes_of_plain_values);
    tcase_add_test(t, nodes_nested);
    tcase_add_test(t, nodes_in_an_arena);
    tcase_add_test(t, error_offsets);
    tcase_add_test(t, many_keys);
    tcase_add_test(t, many_keys_plain_pair);
    tcase_add_test(t, linear_in_keys);
    tcase_add_test(t, depth_limit);
    tcase_add_test(t, node_limit);
    suite_add_tcase(s, t);
    return s;
}
