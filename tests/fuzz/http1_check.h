/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_check.h -- what the fuzzers of both kinds of head check: the same verdict however the bytes arrive, every view
 * inside the bytes, and no framing that could be read in two ways.
 */
#ifndef HTTP1_CHECK_H
#define HTTP1_CHECK_H

#include <stdlib.h>

#include "base/must.h"
#include "net/http1.h"

typedef enum http1_result read_fn(struct http1_head *, const char *, size_t, size_t *, const struct http1_limits *);

static void check_view(struct weir_str s, const char *bytes, size_t n)
{
    must(!s.ptr || (s.ptr >= bytes && s.len <= n && s.ptr + s.len <= bytes + n));
    for (size_t i = 0; i < s.len; i++)
        must(((uint8_t)s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f) || s.ptr[i] == '\t');
}

static size_t count_headers(const struct http1_head *h, const char *name)
{
    size_t found = 0;

    for (size_t i = 0; i < h->count; i++)
        found += str_eq_nocase(h->headers[i].name, str_of(name));
    return found;
}

static void check_ok(const struct http1_head *h, const char *bytes, size_t n, const struct http1_limits *limits)
{
    size_t lengths = count_headers(h, "content-length"), codings = count_headers(h, "transfer-encoding");

    must(h->length >= 16 && h->length <= n && h->length <= limits->head);
    must(memcmp(bytes + h->length - 4, "\r\n\r\n", 4) == 0);
    must(h->count <= limits->headers && h->count <= HTTP1_HEADERS_MAX);
    must(h->minor == 0 || h->minor == 1);
    must(lengths + codings <= 1);
    must(h->content_length >= 0 && (h->body == HTTP1_LENGTH || h->content_length == 0));
    must(h->body != HTTP1_LENGTH || lengths == 1);
    must(h->body != HTTP1_CHUNKED || (codings == 1 && h->minor == 1));
    for (size_t i = 0; i < h->count; i++) {
        check_view(h->headers[i].name, bytes, h->length);
        check_view(h->headers[i].value, bytes, h->length);
        must(h->headers[i].name.len > 0);
    }
    const struct weir_str views[] = {h->method, h->target, h->authority, h->path, h->query};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        check_view(views[i], bytes, h->length);
}

static void check_same(const struct http1_head *a, const struct http1_head *b, enum http1_result result)
{
    must(a->status == b->status && a->why == b->why);
    if (result == HTTP1_BAD)
        return;
    must(a->length == b->length && a->count == b->count);
    must(a->body == b->body && a->content_length == b->content_length && a->minor == b->minor);
    must(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
}

/* The first verdict that is not MORE, or the last; each call gets a copy that ends where its bytes end. */
static enum http1_result read_pieces(read_fn *read, struct http1_head *h, const char *bytes, size_t n, size_t step,
                                     const struct http1_limits *limits)
{
    enum http1_result result = HTTP1_MORE;
    size_t examined = 0;

    for (size_t have = 0; result == HTTP1_MORE && have < n;) {
        have = have + step < n ? have + step : n;
        char *copy = must_alloc(have);
        memcpy(copy, bytes, have);
        result = read(h, copy, have, &examined, limits);
        must(examined <= have && (result == HTTP1_MORE || examined == 0));
        free(copy);
    }
    return result;
}

static void check_limits(read_fn *read, const char *bytes, size_t n, const struct http1_limits *limits)
{
    struct http1_header whole_headers[HTTP1_HEADERS_MAX], headers[HTTP1_HEADERS_MAX];
    struct http1_head whole = {.headers = whole_headers}, h = {.headers = headers};
    const size_t steps[] = {n <= 600 ? 1 : n / 50, 1 + n % 13 + n / 60, n};
    size_t examined = 0;
    enum http1_result result = read(&whole, bytes, n, &examined, limits);

    must(result != HTTP1_MORE || n < limits->head);
    must(result != HTTP1_BAD || (whole.why && whole.status >= 400 && whole.status <= 505));
    if (result == HTTP1_OK)
        check_ok(&whole, bytes, n, limits);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (!n)
            break;
        must(read_pieces(read, &h, bytes, n, steps[i], limits) == result);
        if (result != HTTP1_MORE)
            check_same(&h, &whole, result);
    }
    if (result != HTTP1_OK)
        return;
    char *copy = must_alloc(whole.length);   /* what is behind the head changes nothing; views follow */
    memcpy(copy, bytes, whole.length);
    must(read_pieces(read, &h, copy, whole.length, whole.length, limits) == HTTP1_OK);
    check_same(&h, &whole, result);
    http1_rebase(&whole, bytes, copy);
    check_ok(&whole, copy, whole.length, limits);
    free(copy);
}

static inline void check_head(read_fn *read, const uint8_t *data, size_t n)
{
    static const struct http1_limits wide = {16384, 100, 8192}, narrow = {200, 4, 60};

    check_limits(read, (const char *)data, n, &wide);
    check_limits(read, (const char *)data, n, &narrow);
}

#endif
