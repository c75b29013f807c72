/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c_test.c -- the examples of RFC 3720, appendix B.4, and both ways against each other. */
#include "unit.h"

#include <string.h>

#include "base/crc32c.h"

static void both(const void *p, size_t n, uint32_t want)
{
    ck_assert_uint_eq(crc32c(0, p, n), want);
    ck_assert_uint_eq(crc32c_by_table(0, p, n), want);
}

START_TEST(known_values)
{
    uint8_t b[32] = {0};

    both("", 0, 0);
    both("123456789", 9, 0xe3069283);
    both(b, 32, 0x8a9136aa);
    memset(b, 0xff, 32);
    both(b, 32, 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        b[i] = (uint8_t)i;
    both(b, 32, 0x46dd794e);
    for (int i = 0; i < 32; i++)
        b[i] = (uint8_t)(31 - i);
    both(b, 32, 0x113fdb5c);
}
END_TEST

START_TEST(in_pieces)
{
    char text[100];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 37);
    for (size_t n = 0; n <= sizeof text; n++) {
        uint32_t whole = crc32c(0, text, n);
        ck_assert_uint_eq(crc32c_by_table(0, text, n), whole);
        for (size_t cut = 0; cut <= n; cut++)
            ck_assert_uint_eq(crc32c(crc32c(0, text, cut), text + cut, n - cut), whole);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("crc32c");
    TCase *t = tcase_create("crc32c");

    tcase_add_test(t, known_values);
    tcase_add_test(t, in_pieces);
    suite_add_tcase(s, t);
    return s;
}
