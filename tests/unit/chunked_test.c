/* SPDX-License-Identifier: Apache-2.0 */
/* chunked_test.c -- chunked bodies (RFC 9112, 7.1), whole and in pieces of every size. */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "net/chunked.h"

/* Decodes in pieces of `step`; returns how it ended and what was used. */
static enum chunked_result decode(const char *bytes, size_t n, size_t step, struct buf *body, size_t *at)
{
    struct chunked c;
    enum chunked_result result = CHUNKED_MORE;

    chunked_init(&c);
    *at = 0;
    while (*at < n && (result == CHUNKED_MORE || result == CHUNKED_DATA)) {
        size_t used, have = n - *at < step ? n - *at : step;
        struct weir_str data;
        result = chunked_next(&c, bytes + *at, have, &used, &data);
        ck_assert_uint_le(used, have);
        ck_assert_uint_gt(used, 0);
        ck_assert(result != CHUNKED_MORE || used == have);
        ck_assert((result == CHUNKED_DATA) == (data.len > 0));
        ck_assert(!data.len || (data.ptr >= bytes + *at && data.ptr + data.len == bytes + *at + used));
        ck_assert((result == CHUNKED_BAD) == (c.why != NULL));
        *at += used;
        buf_str(body, data);
    }
    return result == CHUNKED_DATA ? CHUNKED_MORE : result;
}

static const struct row {
    const char *bytes;
    enum chunked_result result;
    const char *body;
    size_t rest;
} rows[] = {
    {"0\r\n\r\n", CHUNKED_END, "", 0},
    {"0\r\n\r\nGET ", CHUNKED_END, "", 4},
    {"5\r\nhello\r\n0\r\n\r\n", CHUNKED_END, "hello", 0},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nX", CHUNKED_END, "hello world", 1},
    {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", CHUNKED_END, "01234567890123456789", 0},
    {"10\r\n0123456789abcdef\r\n0\r\n\r\n", CHUNKED_END, "0123456789abcdef", 0},
    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", CHUNKED_END, "\r\n\r\n", 0},
    {"3\r\n0\r\n\r\n0\r\n\r\n", CHUNKED_END, "0\r\n", 0},
    {"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", CHUNKED_END, "hello", 0},
    {"5;a\r\nhello\r\n0;b=c;d=\"e;\\\"\\\\\"\r\n\r\n", CHUNKED_END, "hello", 0},
    {"0\r\nA: b\r\nC:\r\nD:\t\xff e\r\n\r\n", CHUNKED_END, "", 0},
    /* not whole yet */
    {"", CHUNKED_MORE, "", 0},
    {"5", CHUNKED_MORE, "", 0},
    {"5;", CHUNKED_MORE, "", 0},
    {"5\r", CHUNKED_MORE, "", 0},
    {"5\r\nhell", CHUNKED_MORE, "hell", 0},
    {"5\r\nhello\r\n0\r\n", CHUNKED_MORE, "hello", 0},
    {"5\r\nhello\r\n0\r\n\r", CHUNKED_MORE, "hello", 0},
    {"0\r\nA: b\r\n\r", CHUNKED_MORE, "", 0},
    {"4000000000000000\r\nx", CHUNKED_MORE, "x", 0}, /* 2^62 */
    /* sizes */
    {"\r\n", CHUNKED_BAD, "", 0},
    {"g\r\n", CHUNKED_BAD, "", 2},
    {";a\r\n", CHUNKED_BAD, "", 3},
    {" 5\r\n", CHUNKED_BAD, "", 3},
    {"5 \r\n", CHUNKED_BAD, "", 2},
    {"5 ;a\r\n", CHUNKED_BAD, "", 4},
    {"+5\r\n", CHUNKED_BAD, "", 3},
    {"-5\r\n", CHUNKED_BAD, "", 3},
    {"0x5\r\n", CHUNKED_BAD, "", 3},
    {"5\n", CHUNKED_BAD, "", 0},
    {"5\rh", CHUNKED_BAD, "", 0},
    {"5\r\r\n", CHUNKED_BAD, "", 1},
    {"4000000000000001\r\n", CHUNKED_BAD, "", 2},
    {"00000000000000005\r\n", CHUNKED_BAD, "", 2},
    {"ffffffffffffffff0\r\n", CHUNKED_BAD, "", 3},
    {"@\r\n", CHUNKED_BAD, "", 2},
    {"`\r\n", CHUNKED_BAD, "", 2},
    {":\r\n", CHUNKED_BAD, "", 2},
    {"/\r\n", CHUNKED_BAD, "", 2},
    {"G\r\n", CHUNKED_BAD, "", 2},
    /* data */
    {"5\r\nhelloX", CHUNKED_BAD, "hello", 0},
    {"5\r\nhello\n", CHUNKED_BAD, "hello", 0},
    {"5\r\nhello\rX", CHUNKED_BAD, "hello", 0},
    {"5\r\nhello0\r\n\r\n", CHUNKED_BAD, "hello", 4},
    {"4\r\nhello\r\n", CHUNKED_BAD, "hell", 2},
    /* extensions */
    {"5;a\n", CHUNKED_BAD, "", 0},
    {"5;a\rb", CHUNKED_BAD, "", 0},
    {"5;\x01", CHUNKED_BAD, "", 0},
    {"5;\x7f", CHUNKED_BAD, "", 0},
    {"5;a=\"b\r\n", CHUNKED_BAD, "", 1},
    {"5;a=\"b\\\r\n", CHUNKED_BAD, "", 1},
    {"5;a=\"b\\\"\r\n", CHUNKED_BAD, "", 1},
    /* trailers */
    {"0\r\n\n", CHUNKED_BAD, "", 0},
    {"0\r\n\rX", CHUNKED_BAD, "", 0},
    {"0\r\n A: b\r\n\r\n", CHUNKED_BAD, "", 8},
    {"0\r\n: b\r\n\r\n", CHUNKED_BAD, "", 6},
    {"0\r\nA : b\r\n\r\n", CHUNKED_BAD, "", 7},
    {"0\r\nA\r\n\r\n", CHUNKED_BAD, "", 3},
    {"0\r\nA: b\n\r\n", CHUNKED_BAD, "", 2},
    {"0\r\nA: b\rc", CHUNKED_BAD, "", 0},
    {"0\r\nA: \x01", CHUNKED_BAD, "", 0},
    {"0\r\nA: b\r\n c\r\n\r\n", CHUNKED_BAD, "", 5},
    {"0\r\nGET / HTTP/1.1\r\n\r\n", CHUNKED_BAD, "", 14},
};

START_TEST(rows_in_pieces)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].bytes), at;
        for (size_t step = 1; step <= n + 1; step++) {
            struct buf body = {0};
            ck_assert_msg(decode(rows[i].bytes, n, step, &body, &at) == rows[i].result, "row %zu: %s", i,
                          rows[i].bytes);
            ck_assert_msg(str_is(buf_view(&body), rows[i].body), "body of row %zu: %s", i, rows[i].bytes);
            if (rows[i].result == CHUNKED_END)
                ck_assert_uint_eq(n - at, rows[i].rest);
            buf_fini(&body);
        }
    }
}
END_TEST

/* A fault is told at its byte: what comes behind is not needed for it, and not taken. */
START_TEST(faults_at_their_byte)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf body = {0};
        size_t n = strlen(rows[i].bytes), at;
        if (rows[i].result == CHUNKED_BAD && rows[i].rest) {
            ck_assert_int_eq(decode(rows[i].bytes, n, n, &body, &at), CHUNKED_BAD);
            ck_assert_msg(n - at == rows[i].rest, "row %zu: %zu left of %s", i, n - at, rows[i].bytes);
        }
        buf_fini(&body);
    }
}
END_TEST

/* Builds BEFORE, then `times` x PIECE, then AFTER, and decodes it. */
static enum chunked_result decode_built(const char *before, size_t times, const char *piece, const char *after)
{
    struct buf b = {0}, body = {0};
    size_t at;
    enum chunked_result result;

    buf_str(&b, str_of(before));
    for (size_t i = 0; i < times; i++)
        buf_str(&b, str_of(piece));
    buf_str(&b, str_of(after));
    result = decode(b.ptr, b.len, 1000, &body, &at);
    buf_fini(&b);
    buf_fini(&body);
    return result;
}

START_TEST(bounds)
{
    char chunk[512];

    /* 256 bytes of extension, its ';' counted; the same inside quotes */
    ck_assert_int_eq(decode_built("1;", 255, "x", "\r\ny\r\n0\r\n\r\n"), CHUNKED_END);
    ck_assert_int_eq(decode_built("1;", 256, "x", "\r\ny\r\n0\r\n\r\n"), CHUNKED_BAD);
    ck_assert_int_eq(decode_built("1;\"", 253, "x", "\"\r\ny\r\n0\r\n\r\n"), CHUNKED_END);
    ck_assert_int_eq(decode_built("1;\"", 254, "x", "\"\r\ny\r\n0\r\n\r\n"), CHUNKED_BAD);
    /* 65536 bytes of extensions: 512 x 128 */
    snprintf(chunk, sizeof chunk, "1;%0127d\r\ny\r\n", 0);
    ck_assert_int_eq(decode_built("", 512, chunk, "0\r\n\r\n"), CHUNKED_END);
    ck_assert_int_eq(decode_built("", 512, chunk, "0;\r\n\r\n"), CHUNKED_BAD);
    /* 8192 bytes of trailers, each with its CR; 8190 + the CR of the empty line */
    ck_assert_int_eq(decode_built("0\r\n", 1638, "A:bc\r\n", "\r\n"), CHUNKED_END);
    ck_assert_int_eq(decode_built("0\r\nA:", 8188, "x", "\r\n\r\n"), CHUNKED_END);
    ck_assert_int_eq(decode_built("0\r\nA:", 8189, "x", "\r\n\r\n"), CHUNKED_BAD);
    ck_assert_int_eq(decode_built("0\r\n", 9000, "A", ":\r\n\r\n"), CHUNKED_BAD);
    /* any number of chunks */
    ck_assert_int_eq(decode_built("", 100000, "1\r\nx\r\n", "0\r\n\r\n"), CHUNKED_END);
}
END_TEST

START_TEST(end_and_bad_stay)
{
    static const char *const texts[] = {"0\r\n\r\n", "x"};

    for (size_t i = 0; i < 2; i++) {
        struct chunked c;
        struct weir_str data;
        size_t used;
        chunked_init(&c);
        enum chunked_result first = chunked_next(&c, texts[i], strlen(texts[i]), &used, &data);
        ck_assert_int_eq(first, i ? CHUNKED_BAD : CHUNKED_END);
        ck_assert_int_eq(chunked_next(&c, "5\r\nhello", 8, &used, &data), first);
        ck_assert_uint_eq(used, 0);
        ck_assert_uint_eq(data.len, 0);
    }
}
END_TEST

/* The view of a large piece is the piece itself. */
START_TEST(data_is_not_copied)
{
    struct chunked c;
    struct weir_str data;
    size_t used, n = 1 << 20;
    struct buf b = {0};

    chunked_init(&c);
    buf_lit(&b, "10000000\r\n");
    memset(buf_room(&b, n), 'x', n);
    b.len += n;
    ck_assert_int_eq(chunked_next(&c, b.ptr, b.len, &used, &data), CHUNKED_DATA);
    ck_assert(data.ptr == b.ptr + 10 && data.len == n && used == b.len);
    ck_assert_int_eq(chunked_next(&c, b.ptr, b.len, &used, &data), CHUNKED_DATA);
    ck_assert(data.ptr == b.ptr && data.len == b.len && used == b.len);
    buf_fini(&b);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("chunked");
    TCase *t = tcase_create("chunked");

    tcase_add_test(t, rows_in_pieces);
    tcase_add_test(t, faults_at_their_byte);
    tcase_add_test(t, bounds);
    tcase_add_test(t, end_and_bad_stay);
    tcase_add_test(t, data_is_not_copied);
    suite_add_tcase(s, t);
    return s;
}
