/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_fields.c -- what a head's fields say: how the body is framed, whom it is for, whether the connection stays.
 *
 * Called by http1.c when all lines are in.  Knows no lines and no limits.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "net/http1_inner.h"

struct fields { /* NULL: not there */
    const struct weir_str *host, *length, *coding;
    bool close, keep, odd_connection;  /* of Connection */
    bool proceed, unknown_expectation; /* of Expect */
};

/* ---- words ---- */

static inline bool chunk_is(const char *p, const char *lower, size_t n)
{
    uint64_t a = 0, b = 0;

    memcpy(&a, p, n);
    memcpy(&b, lower, n);
    return (a | UINT64_C(0x2020202020202020)) == (b | UINT64_C(0x2020202020202020));
}

/* Whether `s` is the word of letters and hyphens, given in lower case, at least four of them.  Eight at a time: setting
 * the bit that makes letters small turns only CR, which a value cannot hold, into a hyphen. */
static inline bool word_is(struct weir_str s, const char *lower, size_t n)
{
    size_t i, step = n >= 8 ? 8 : 4;

    if (s.len != n)
        return false;
    for (i = 0; i + step < n; i += step)
        if (!chunk_is(s.ptr + i, lower + i, step))
            return false;
    return chunk_is(s.ptr + n - step, lower + n - step, step);
}

#define is_word(s, literal) word_is((s), "" literal, sizeof(literal) - 1)

/* ---- lists ---- */

/* The next element of a comma-separated list, empty ones skipped (RFC 9110, 5.6.1.2).  Quoted commas separate too: no
 * list read here has quoted strings in it. */
static bool list_next(struct weir_str *rest, struct weir_str *item)
{
    while (rest->len) {
        const char *comma = memchr(rest->ptr, ',', rest->len);
        size_t n = comma ? (size_t)(comma - rest->ptr) : rest->len;
        *item = str_trim(str_sub(*rest, 0, n));
        *rest = str_sub(*rest, comma ? n + 1 : n, rest->len);
        if (item->len)
            return true;
    }
    return false;
}

static bool is_token(struct weir_str s)
{
    size_t i = 0;

    while (i < s.len && http1_is(s.ptr[i], HTTP1_TOKEN))
        i++;
    return s.len && i == s.len;
}

static void read_connection(struct fields *f, struct weir_str list)
{
    struct weir_str item;

    while (list_next(&list, &item)) {
        if (is_word(item, "close"))
            f->close = true;
        else if (is_word(item, "keep-alive"))
            f->keep = true;
        else if (!is_token(item))
            f->odd_connection = true;
    }
}

static void read_expect(struct fields *f, struct weir_str list)
{
    struct weir_str item;

    while (list_next(&list, &item)) {
        if (str_eq_nocase(item, WEIR_STR("100-continue")))
            f->proceed = true;
        else
            f->unknown_expectation = true;
    }
}

/* ---- host ---- */

static bool literal_ok(struct weir_str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool port_ok(const char *p, const char *end)
{
    int port = 0;

    for (; p < end; p++) {
        if (!isdigit((uint8_t)*p) || (port = port * 10 + (*p - '0')) > 65535)
            return false;
    }
    return true;
}

bool http1_authority_ok(struct weir_str s)
{
    const char *end = s.ptr + s.len, *p;

    if (s.len && *s.ptr == '[') {
        p = memchr(s.ptr, ']', s.len);
        if (!p || !literal_ok((struct weir_str){s.ptr + 1, (size_t)(p - s.ptr - 1)}))
            return false;
        p++;
    } else {
        p = http1_uri_run(s.ptr, HTTP1_NAME);
        if (p == s.ptr)
            return false;
    }
    return p == end || (*p == ':' && port_ok(p + 1, end));
}

/* ---- framing ---- */

static bool read_length(struct http1_head *h, struct weir_str s)
{
    int64_t v = 0;

    if (!s.len)
        return http1_refuse(h, 400, "Content-Length is empty");
    for (size_t i = 0; i < s.len; i++)
        if (!isdigit((uint8_t)s.ptr[i]))
            return http1_refuse(h, 400, "Content-Length is not a number");
    for (size_t i = 0; i < s.len; i++) {
        if (v > (INT64_MAX - 9) / 10)
            return http1_refuse(h, 413, "Content-Length is too large");
        v = v * 10 + (s.ptr[i] - '0');
    }
    h->body = HTTP1_LENGTH;
    h->content_length = v;
    return true;
}

/* Anything but `chunked` alone.  Codings below one final `chunked` frame the body well, but are not understood (501);
 * without that its end cannot be known (RFC 9112, 6.3). */
static bool refuse_coding(struct http1_head *h, struct weir_str list)
{
    struct weir_str item;
    bool last = false;
    int chunked = 0;

    while (list_next(&list, &item)) {
        last = is_word(item, "chunked");
        chunked += last;
    }
    if (last && chunked == 1)
        return http1_refuse(h, 501, "a transfer coding other than chunked is not understood");
    return http1_refuse(h, 400, "Transfer-Encoding is not chunked");
}

static bool read_framing(struct http1_head *h, const struct fields *f)
{
    if (f->coding && f->length)
        return http1_refuse(h, 400, "there are both Content-Length and Transfer-Encoding");
    if (f->coding && h->minor == 0)
        return http1_refuse(h, 400, "Transfer-Encoding has no place in HTTP/1.0");
    if (f->coding && !is_word(*f->coding, "chunked"))
        return refuse_coding(h, *f->coding);
    if (f->coding)
        h->body = HTTP1_CHUNKED;
    return !f->length || read_length(h, *f->length);
}

/* ---- all of them ---- */

static bool read_once(struct http1_head *h, const struct weir_str **slot, const struct weir_str *value, const char *why)
{
    if (*slot)
        return http1_refuse(h, 400, why);
    *slot = value;
    return true;
}

/* Sorted out by length first: most headers end there. */
static bool read_field(struct http1_head *h, struct fields *f, const struct http1_header *x)
{
    switch (x->name.len) {
    case 4:
        if (is_word(x->name, "host"))
            return read_once(h, &f->host, &x->value, "there are several Host headers");
        break;
    case 6:
        if (is_word(x->name, "expect"))
            read_expect(f, x->value);
        break;
    case 10:
        if (is_word(x->name, "connection"))
            read_connection(f, x->value);
        break;
    case 14:
        if (is_word(x->name, "content-length"))
            return read_once(h, &f->length, &x->value, "there are several Content-Length headers");
        break;
    case 17:
        if (is_word(x->name, "transfer-encoding"))
            return read_once(h, &f->coding, &x->value, "there are several Transfer-Encoding headers");
        break;
    default:
        break;
    }
    return true;
}

static bool read_fields(struct http1_head *h, struct fields *f)
{
    for (size_t i = 0; i < h->count; i++)
        if (!read_field(h, f, &h->headers[i]))
            return false;
    h->keep_alive = !f->close && (h->minor == 1 || f->keep);
    return read_framing(h, f);
}

/* HTTP/1.0 may do without; who asks for a whole URI must name its host again, or leave Host out (RFC 9112, 3.2). */
static bool check_host(struct http1_head *h, const struct weir_str *host)
{
    if (!host)
        return h->minor == 0 || http1_refuse(h, 400, "there is no Host header");
    if (!http1_authority_ok(*host))
        return http1_refuse(h, 400, "the Host header is not valid");
    if (h->authority.len && !str_eq_nocase(h->authority, *host))
        return http1_refuse(h, 400, "the Host header and the request target name different hosts");
    return true;
}

bool http1_request_fields(struct http1_head *h)
{
    struct fields f = {0};

    if (!read_fields(h, &f) || !check_host(h, f.host))
        return false;
    if (f.odd_connection)
        return http1_refuse(h, 400, "the Connection header is not a list of names");
    if (f.unknown_expectation)
        return http1_refuse(h, 417, "the only expectation served is 100-continue");
    h->expect_continue = f.proceed && h->minor == 1;
    return true;
}

/* An interim answer with a body would be read as the next head; a 204 with one is believed, but its connection not. */
static bool check_bodiless(struct http1_head *h)
{
    bool body = h->body == HTTP1_CHUNKED || h->content_length > 0;

    if (h->status == 101)
        return http1_refuse(h, 502, "the answer switches to a protocol that nobody asked for");
    if (h->status < 200 && body)
        return http1_refuse(h, 502, "an interim answer claims to have a body");
    if (h->status == 204 && body)
        h->keep_alive = false;
    return true;
}

bool http1_response_fields(struct http1_head *h, bool to_head)
{
    struct fields f = {0};

    if (!read_fields(h, &f) || !check_bodiless(h))
        return false;
    if (f.odd_connection)
        h->keep_alive = false;
    if (to_head || h->status < 200 || h->status == 204 || h->status == 304) {
        h->body = HTTP1_NO_BODY;
        h->content_length = 0;
    } else if (!f.coding && !f.length) {
        h->body = HTTP1_UNTIL_CLOSE;
        h->keep_alive = false;
    }
    return true;
}
