/* SPDX-License-Identifier: Apache-2.0 */
/* value_test.c -- numbers, rates and addresses as people type them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "unit.h"
#include "world/value.h"

static const struct {
    const char *text;
    enum weir_unit unit;
    bool ok;
    int64_t value;
} numbers[] = {
    {"0", WEIR_PLAIN, true, 0},
    {"-7", WEIR_PLAIN, true, -7},
    {"9223372036854775807", WEIR_PLAIN, true, INT64_MAX},
    {"9223372036854775808", WEIR_PLAIN, false, 0},
    {"", WEIR_PLAIN, false, 0},
    {"-", WEIR_PLAIN, false, 0},
    {"1 ", WEIR_PLAIN, false, 0},
    {" 1", WEIR_PLAIN, false, 0},
    {"+1", WEIR_PLAIN, false, 0},
    {"0x10", WEIR_PLAIN, false, 0},
    {"1.5", WEIR_PLAIN, false, 0},
    {"5s", WEIR_PLAIN, false, 0},
    {"250", WEIR_MS, true, 250},
    {"250ms", WEIR_MS, true, 250},
    {"5s", WEIR_MS, true, 5000},
    {"2m", WEIR_MS, true, 120000},
    {"1h", WEIR_MS, true, 3600000},
    {"1d", WEIR_MS, true, 86400000},
    {"5S", WEIR_MS, false, 0},
    {"5k", WEIR_MS, false, 0},
    {"5 s", WEIR_MS, false, 0},
    {"s", WEIR_MS, false, 0},
    {"106751991168d", WEIR_MS, false, 0},
    {"4096", WEIR_BYTES, true, 4096},
    {"64k", WEIR_BYTES, true, 65536},
    {"10M", WEIR_BYTES, true, 10485760},
    {"1G", WEIR_BYTES, true, 1073741824},
    {"1T", WEIR_BYTES, false, 0},
    {"64kb", WEIR_BYTES, false, 0},
};

START_TEST(reads_numbers)
{
    int64_t v = 0;

    ck_assert_msg(value_number(numbers[_i].text, numbers[_i].unit, &v) == numbers[_i].ok, "%s", numbers[_i].text);
    if (numbers[_i].ok)
        ck_assert_int_eq(v, numbers[_i].value);
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    int64_t n, period_us;
} rates[] = {
    {"60 / minute", true, 60, 60000000},
    {"10/second", true, 10, 1000000},
    {"5 / 30 seconds", true, 5, 30000000},
    {"1000 / 5 hours", true, 1000, 18000000000},
    {"1 / day", true, 1, 86400000000},
    {" 2  /  3  days ", true, 2, 259200000000},
    {"0 / minute", false, 0, 0},
    {"60", false, 0, 0},
    {"60 / fortnight", false, 0, 0},
    {"60 / minutes / hour", false, 0, 0},
    {"-1 / minute", false, 0, 0},
    {"1.5 / minute", false, 0, 0},
    {"1 / 0 minutes", false, 0, 0},
    {"1 / 99999999999999 days", false, 0, 0},
    {"99999999999999999999 / day", false, 0, 0},
    {"", false, 0, 0},
};

START_TEST(reads_rates)
{
    int64_t n = 0, period = 0;

    ck_assert_msg(value_rate(rates[_i].text, &n, &period) == rates[_i].ok, "%s", rates[_i].text);
    if (rates[_i].ok) {
        ck_assert_int_eq(n, rates[_i].n);
        ck_assert_int_eq(period, rates[_i].period_us);
    }
}
END_TEST

static const struct {
    const char *text;
    bool ok, loopback;
    int family;
    uint16_t port;
} addresses[] = {
    {"127.0.0.1:8080", true, true, AF_INET, 8080},
    {"127.9.9.9:1", true, true, AF_INET, 1},
    {"localhost:80", true, true, AF_INET, 80},
    {"[::1]:8080", true, true, AF_INET6, 8080},
    {"0.0.0.0:8080", true, false, AF_INET, 8080},
    {"10.0.0.1:65535", true, false, AF_INET, 65535},
    {"[::]:8080", true, false, AF_INET6, 8080},
    {"[::ffff:127.0.0.1]:8080", true, false, AF_INET6, 8080}, /* refused rather than guessed */
    {"127.0.0.1:0", true, true, AF_INET, 0},                  /* the kernel's choice, for tests */
    {"127.0.0.1", false, false, 0, 0},
    {"127.0.0.1:", false, false, 0, 0},
    {"127.0.0.1:65536", false, false, 0, 0},
    {"127.0.0.1:80x", false, false, 0, 0},
    {"127.0.0.1:-1", false, false, 0, 0},
    {"127.1:80", false, false, 0, 0},
    {"::1:8080", false, false, 0, 0},
    {"[::1:8080", false, false, 0, 0},
    {"[]:80", false, false, 0, 0},
    {"]:80", false, false, 0, 0},
    {"[:80", false, false, 0, 0},
    {"example.com:80", false, false, 0, 0},
    {":80", false, false, 0, 0},
    {"", false, false, 0, 0},
};

START_TEST(reads_addresses)
{
    struct sockaddr_storage a = {0};
    bool loopback = false;
    size_t n = 0;

    ck_assert_msg(value_address(addresses[_i].text, &a, &n, &loopback) == addresses[_i].ok, "%s", addresses[_i].text);
    if (!addresses[_i].ok)
        return;
    ck_assert_int_eq(a.ss_family, addresses[_i].family);
    ck_assert_int_eq(loopback, addresses[_i].loopback);
    ck_assert_uint_eq(n, a.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    ck_assert_uint_eq(ntohs(((struct sockaddr_in *)(void *)&a)->sin_port), addresses[_i].port);
}
END_TEST

static const struct {
    enum weir_unit unit;
    int64_t value;
    const char *text;
} prints[] = {
    {WEIR_PLAIN, 60000, "60000"}, {WEIR_MS, 250, "250ms"},        {WEIR_MS, 5000, "5s"},
    {WEIR_MS, 90000, "90s"},      {WEIR_MS, 86400000, "1d"},      {WEIR_MS, 0, "0"},
    {WEIR_BYTES, 1000, "1000"},   {WEIR_BYTES, 65536, "64k"},     {WEIR_BYTES, 1 << 20, "1M"},
    {WEIR_BYTES, 1537, "1537"},   {WEIR_BYTES, 3 << 19, "1536k"},
};

START_TEST(prints_numbers)
{
    struct buf b = {0};

    value_print(&b, prints[_i].unit, prints[_i].value);
    buf_char(&b, '\0');
    ck_assert_str_eq(b.ptr, prints[_i].text);
    buf_fini(&b);
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof((t)[0]))

Suite *suite(void)
{
    Suite *s = suite_create("value");
    TCase *t = tcase_create("value");

    tcase_add_loop_test(t, reads_numbers, 0, ROWS(numbers));
    tcase_add_loop_test(t, reads_rates, 0, ROWS(rates));
    tcase_add_loop_test(t, reads_addresses, 0, ROWS(addresses));
    tcase_add_loop_test(t, prints_numbers, 0, ROWS(prints));
    suite_add_tcase(s, t);
    return s;
}
