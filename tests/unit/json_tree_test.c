/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree_test.c -- text to tree and back, beside jansson's own reader. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_skim.h"
#include "base/json_tree.h"
#include "json_cases.h"

static struct weir_error error;

/* The texts stand as people write them; the expected forms are those of Python's repr(), shortest digits that read
 * back, laid out as JavaScript does, with a point in whole numbers. */
START_TEST(reals)
{
    static const struct {
        double d;
        const char *text;
    } rows[] = {
        {0x0.0p+0, "0.0"},
        {-0x0.0p+0, "-0.0"},
        {0x1.0000000000000p+0, "1.0"},
        {-0x1.0000000000000p+0, "-1.0"},
        {0x1.999999999999ap-4, "0.1"},
        {0x1.999999999999ap-3, "0.2"},
        {0x1.3333333333333p-2, "0.3"},
        {0x1.6666666666666p-1, "0.7"},
        {-0x1.4000000000000p+1, "-2.5"},
        {0x1.4000000000000p+3, "10.0"},
        {0x1.9000000000000p+6, "100.0"},
        {0x1.e240c9fbe76c9p+16, "123456.789"},
        {0x1.3333340000000p-2, "0.30000001192092896"},
        {0x1.3333333333334p-2, "0.30000000000000004"},
        {0x1.5555555555555p-2, "0.3333333333333333"},
        {0x1.5555555555555p-1, "0.6666666666666666"},
        {0x1.921fb54442d18p+1, "3.141592653589793"},
        {0x1.c6bf526340000p+49, "1000000000000000.0"},
        {0x1.1c37937e08000p+53, "10000000000000000.0"},
        {0x1.b69b4ba630f35p+56, "123456789012345680.0"},
        {0x1.5af1d78b58c40p+66, "100000000000000000000.0"},
        {0x1.b1ae4d6e2ef50p+69, "1e21"},
        {0x1.0f0cf064dd592p+73, "1e22"},
        {0x1.52d02c7e14af6p+76, "1e23"},
        {-0x1.249ad2594c37dp+332, "-1e100"},
        {0x1.1eb2d66005835p+997, "1.5e300"},
        {0x1.4f8b588e368f1p-17, "0.00001"},
        {0x1.4f8b588e368f1p-20, "0.00000125"},
        {0x1.0c6f7a0b5ed8dp-20, "0.000001"},
        {0x1.ad7f29abcaf48p-24, "1e-7"},
        {0x1.421f5f40d8376p-23, "1.5e-7"},
        {0x1.12d9b511d356fp-30, "9.999e-10"},
        {0x0.0000000000001p-1022, "5e-324"},
        {0x0.0000000000003p-1022, "1.5e-323"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
        {0x1.fffffffffffffp+1023, "1.7976931348623157e308"},
        {0x1.0000000000000p-44, "5.684341886080802e-14"},
        {0x1.0000000000000p-24, "5.960464477539063e-8"},
        {0x1.0000000000000p+53, "9007199254740992.0"},
        {0x1.0000000000001p+53, "9007199254740994.0"},
        {0x1.0000000000000p+89, "6.189700196426902e26"},
        {0x0.0000000000001p-1022, "5e-324"},
        {0x0.0000000004000p-1022, "8.095e-320"},
        {0x1.01f31f46ed246p-13, "0.000123"},
        {0x1.6bcc41e900020p+46, "100000000000000.5"},
        {0x1.c6bf52633ffffp+49, "999999999999999.9"},
        {0x1.1a9fbe76c8b44p-4, "0.069"},
        {0x1.3fd70a3d70a3dp+4, "19.99"},
        {0x1.348051eb851ecp+10, "1234.005"},
        {0x1.1666666666666p+2, "4.35"},
        {0x1.9e409302678b5p-17, "0.00001234567890123456"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = {0};
        json_write_real(&b, rows[i].d);
        ck_assert_msg(str_is(buf_view(&b), rows[i].text), "%.*s, not %s", (int)b.len, b.ptr, rows[i].text);
        buf_fini(&b);
    }
}
END_TEST

/* Any bits that are a finite number read back the same, as a real. */
START_TEST(reals_read_back)
{
    uint64_t bits = 88172645463325252u;

    for (int i = 0; i < 100000; i++) {
        struct buf b = {0};
        double d;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d))
            continue;
        json_write_real(&b, d);
        json_t *t = json_tree_text(buf_view(&b), &error);
        ck_assert_msg(json_is_real(t) && json_real_value(t) == d, "%a: %.*s", d, (int)b.len, b.ptr);
        json_decref(t);
        buf_fini(&b);
    }
}
END_TEST

/* ---- numbers in text ---- */

START_TEST(integers)
{
    static const struct {
        const char *text;
        json_int_t v;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-7", -7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775799", INT64_MAX - 8},
        {"1000000000000000000", 1000000000000000000},
    };
    static const char *const large[] = {
        "9223372036854775808",
        "-9223372036854775809",
        "10000000000000000000",
        "18446744073709551616",
        "99999999999999999999999999999999999999999999999999",
        "-99999999999999999999",
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *t = json_tree_text(str_of(rows[i].text), &error);
        ck_assert(json_is_integer(t));
        ck_assert_int_eq(json_integer_value(t), rows[i].v);
        json_decref(t);
    }
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        ck_assert_ptr_null(json_tree_text(str_of(large[i]), &error));
        ck_assert_str_eq(error.code, "json_number");
        ck_assert_str_eq(error.text, "an integer needs more than 64 bits at byte 0");
    }
    ck_assert_ptr_null(json_tree_text(WEIR_STR("{\"a\":[1,{\"b\":9223372036854775808}]}"), &error));
    ck_assert_str_eq(error.text, "an integer needs more than 64 bits at byte 13");
}
END_TEST

START_TEST(reals_in_text)
{
    static const struct {
        const char *text;
        double v;
    } rows[] = {
        {"1.0", 1.0},
        {"-0.0", -0.0},
        {"0.7", 0.7},
        {"1e5", 1e5},
        {"1E+2", 100.0},
        {"25e-1", 2.5},
        {"1e-400", 0.0},
        {"0.69999999999999995559", 0.7},
        {"3.14159265358979323846", 3.141592653589793},
        {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
        {"123456789012345.6", 123456789012345.6},
        {"0.000000000000000000000123456", 1.23456e-22},
        {"0.00000000000000000000123", 1.23e-21},
        {"0.00000000000000000000000123456", 1.23456e-24},
        {"9007199254740993.0", 9007199254740992.0},
        {"0e0", 0.0},
        {"100000000000000000000000.5", 0x1.52d02c7e14af7p+76},
        {"0.1234567890123456789", 0.12345678901234568},
        {"4.9e-324", 0x1p-1074},
    };
    static const char *const large[] = {"1e400", "-1e309", "1.7976931348623159e308", "1e99999999999999999999"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *t = json_tree_text(str_of(rows[i].text), &error);
        double d = json_real_value(t);
        ck_assert(json_is_real(t));
        ck_assert_msg(memcmp(&d, &rows[i].v, sizeof d) == 0, "%s: %a", rows[i].text, d);
        json_decref(t);
    }
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        ck_assert_ptr_null(json_tree_text(str_of(large[i]), &error));
        ck_assert_str_eq(error.text, "a number is beyond the range of a double at byte 0");
    }
}
END_TEST

/* ---- whole texts ---- */

/* Compact text with numbers in their written form comes back byte for byte. */
START_TEST(written_as_read)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "1.0",
        "\"\"",
        "[]",
        "{}",
        "[[],{},[{}]]",
        "[1,true,\"s\",null,-2.5,false,[3],4,{\"a\":5},6]",
        "{\"z\":1,\"a\":2,\"\":[null],\"m\":{\"k\":\"v\"}}",
        "[\"a\",1,2,\"b\",3,\"\",\"c\"]",
        "{\"a\":[1,2,[3,[4,\"[5]\"]],6]}",
        "\"q\\\" b\\\\ n\\n c\\u0001 \xC3\xA9 \xF0\x9F\x98\x80\"",
        "{\"k\\n\\\"\":\"\\ud83d\"}",
        "[0.1,1e300,-0.0,9007199254740993]",
        "{\"model\":\"m\",\"temperature\":0.7,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *t = json_tree_text(str_of(texts[i]), &error);
        struct buf b = {0};
        ck_assert_msg(t != NULL, "%s: %s", texts[i], error.text);
        json_write(&b, t);
        ck_assert_msg(str_is(buf_view(&b), texts[i]), "%.*s, not %s", (int)b.len, b.ptr, texts[i]);
        buf_fini(&b);
        json_decref(t);
    }
}
END_TEST

START_TEST(spaced_and_escaped)
{
    json_t *t = json_tree_text(
        WEIR_STR(
            " { \"\\u0061\" : [ 1 ,\t2.50 , \"\\/\\ud83d\\ude00\" ,\r\n[ ] , true ] , \"n\\u0000\" : \"\\u0000\" } "),
        &error);
    struct buf b = {0};

    ck_assert(t != NULL);
    json_write(&b, t);
    ck_assert_msg(str_is(buf_view(&b), "{\"a\":[1,2.5,\"/\xF0\x9F\x98\x80\",[],true],\"n\\u0000\":\"\\u0000\"}"),
                  "%.*s", (int)b.len, b.ptr);
    buf_fini(&b);
    json_decref(t);
}
END_TEST

START_TEST(of_one_node)
{
    const struct weir_node nodes[] = {
        {.at = 0, .len = 21, .next = 7, .type = WEIR_JSON_OBJECT},
        {.at = 2, .len = 1, .next = 2, .type = WEIR_JSON_STRING, .depth = 1},
        {.at = 5, .len = 9, .next = 5, .type = WEIR_JSON_ARRAY, .depth = 1},
        {.at = 8, .len = 2, .next = 4, .type = WEIR_JSON_ARRAY, .depth = 2},
        {.at = 12, .len = 0, .next = 5, .type = WEIR_JSON_STRING, .depth = 2},
        {.at = 16, .len = 1, .next = 6, .type = WEIR_JSON_STRING, .depth = 1},
        {.at = 19, .len = 1, .next = 7, .type = WEIR_JSON_NUMBER, .depth = 1},
    };
    const struct weir_json json = {WEIR_STR("{\"a\":[1,[],\"\"],\"b\":2}"), nodes, 7};
    json_t *array = json_tree(&json, 2, &error), *number = json_tree(&json, 6, &error);

    ck_assert_uint_eq(json_array_size(array), 3);
    ck_assert_int_eq(json_integer_value(json_array_get(array, 0)), 1);
    ck_assert_uint_eq(json_array_size(json_array_get(array, 1)), 0);
    ck_assert_str_eq(json_string_value(json_array_get(array, 2)), "");
    ck_assert_int_eq(json_integer_value(number), 2);
    json_decref(array);
    json_decref(number);
}
END_TEST

START_TEST(depth)
{
    for (size_t n = 2047; n <= 2049; n++) {
        struct buf b = {0};
        for (size_t i = 0; i < n; i++)
            buf_char(&b, '[');
        for (size_t i = 0; i < n; i++)
            buf_char(&b, ']');
        json_t *t = json_tree_text(buf_view(&b), &error);
        ck_assert((t != NULL) == (n <= 2048));
        if (!t)
            ck_assert_str_eq(error.code, "json_too_deep");
        json_decref(t);
        buf_fini(&b);
    }
}
END_TEST

/* The same for nodes from a skim with other limits. */
START_TEST(depth_of_nodes)
{
    const struct json_limits limits = {5000, 10000};

    for (size_t n = 2048; n <= 2049; n++) {
        struct json_skim skim = {0};
        struct weir_json json;
        struct buf b = {0};
        for (size_t i = 0; i < n; i++)
            buf_char(&b, '[');
        for (size_t i = 0; i < n; i++)
            buf_char(&b, ']');
        ck_assert(json_skim(&skim, buf_view(&b), &limits, &json, &error));
        json_t *t = json_tree(&json, 0, &error);
        ck_assert((t != NULL) == (n == 2048));
        if (!t)
            ck_assert_str_eq(error.text, "the JSON text is nested too deeply at byte 2048");
        json_decref(t);
        t = json_tree(&json, 1, &error);
        ck_assert_ptr_nonnull(t);
        json_decref(t);
        json_skim_fini(&skim);
        buf_fini(&b);
    }
}
END_TEST

/* Every case that jansson takes too gives the tree that jansson builds. */
START_TEST(as_jansson)
{
    size_t same = 0;

    for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++) {
        const struct json_case *c = &json_cases[i];
        json_t *mine = json_tree_text((struct weir_str){c->text, c->len}, &error);
        json_t *theirs = json_loadb(c->text, c->len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
        if (c->code[0])
            ck_assert_msg(!mine, "%s", c->text);
        else if (theirs) {
            ck_assert_msg(mine && json_equal(mine, theirs), "%s", c->text);
            same++;
        }
        json_decref(mine);
        json_decref(theirs);
    }
    ck_assert_uint_gt(same, 100);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("json_tree");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, reals);
    tcase_add_test(t, reals_read_back);
    tcase_add_test(t, integers);
    tcase_add_test(t, reals_in_text);
    tcase_add_test(t, written_as_read);
    tcase_add_test(t, spaced_and_escaped);
    tcase_add_test(t, of_one_node);
    tcase_add_test(t, depth);
    tcase_add_test(t, depth_of_nodes);
    tcase_add_test(t, as_jansson);
    suite_add_tcase(s, t);
    return s;
}
