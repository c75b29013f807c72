/* SPDX-License-Identifier: Apache-2.0 */
/* text.c -- growing bytes and the JSON escapes; see text.h. */
#include "text.h"

void text_put(struct text *t, const void *p, size_t n)
{
    if (t->cap - t->len < n) {
        size_t cap = t->cap ? t->cap : 256;
        char *more;
        while (cap - t->len < n)
            cap *= 2;
        more = weir_alloc(t->c, cap);
        if (t->len)
            memcpy(more, t->ptr, t->len);
        t->ptr = more;
        t->cap = cap;
    }
    if (n)
        memcpy(t->ptr + t->len, p, n);
    t->len += n;
}

void text_reserve(struct text *t, size_t n)
{
    if (t->cap)
        return;
    t->cap = n + n / 8 + 256;
    t->ptr = weir_alloc(t->c, t->cap);
}

void text_int(struct text *t, int64_t v)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    text_put(t, p, (size_t)(digits + sizeof digits - p));
}

struct weir_str text_keep(struct weir_ctx *c, struct weir_str s)
{
    char *copy = weir_alloc(c, s.len + 1);

    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return (struct weir_str){copy, s.len};
}

static void put_u(struct text *t, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    char e[6] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};

    text_put(t, e, sizeof e);
}

/* Bytes of the UTF-8 character at `s`, 0 when there is none.  Surrogates count: the caller looks for them. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80                   ? 1
                 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                 : (s[0] & 0xf0) == 0xe0       ? 3
                 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                               : 0;
    unsigned u;

    if (len <= 1)
        return len;
    if (len > n)
        return 0;
    u = s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        u = u << 6 | (s[i] & 0x3f);
    }
    return u < least[len] || u > 0x10ffff ? 0 : len;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* How many of the bytes need no escape.  Eight at a time: nearly all of a prompt is plain. */
static size_t plain_length(const unsigned char *s, size_t n)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    size_t i = 0;

    for (uint64_t x; n - i >= 8; i += 8) {
        memcpy(&x, s + i, 8);
        uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\', last = x ^ ones * 0x7f;
        if ((x | (x - ones * 0x20) | (quote - ones) | (slash - ones) | (last - ones)) & tops)
            break;
    }
    while (i < n && is_plain(s[i]))
        i++;
    return i;
}

static void put_ascii(struct text *t, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const char *at = c ? strchr(from, c) : NULL;
    char e[2] = {'\\', 0};

    if (!at) {
        put_u(t, c);
        return;
    }
    e[1] = to[at - from];
    text_put(t, e, 2);
}

void text_json(struct text *t, struct weir_str value)
{
    const unsigned char *s = (const unsigned char *)value.ptr;

    for (size_t i = 0, n; i < value.len; i += n) {
        n = plain_length(s + i, value.len - i);
        if (n) {
            text_put(t, s + i, n);
            continue;
        }
        n = utf8_length(s + i, value.len - i);
        if (n == 1 && s[i] != 0x7f)
            put_ascii(t, s[i]);
        else if (n == 3 && s[i] == 0xed && s[i + 1] >= 0xa0)
            put_u(t, 0xd000u | (s[i + 1] & 0x3fu) << 6 | (s[i + 2] & 0x3fu));
        else if (n)
            text_put(t, s + i, n);
        else {
            text_lit(t, "\xef\xbf\xbd");
            n = 1;
        }
    }
}
