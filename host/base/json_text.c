/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c -- escaping and unescaping; see json_text.h. */
#include "base/json_text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* ---- from a value to raw text ---- */

/* What follows the backslash of a short escape; 'u' for the long form; 0 for what needs none. */
static const char escape_of[256] = {
    [0] = 'u',  [1] = 'u',    [2] = 'u',    [3] = 'u',    [4] = 'u',   [5] = 'u',     [6] = 'u',
    [7] = 'u',  ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u',  ['\f'] = 'f',  ['\r'] = 'r',
    [14] = 'u', [15] = 'u',   [16] = 'u',   [17] = 'u',   [18] = 'u',  [19] = 'u',    [20] = 'u',
    [21] = 'u', [22] = 'u',   [23] = 'u',   [24] = 'u',   [25] = 'u',  [26] = 'u',    [27] = 'u',
    [28] = 'u', [29] = 'u',   [30] = 'u',   [31] = 'u',   ['"'] = '"', ['\\'] = '\\', [0xED] = 'u',
};

struct escape {
    size_t used, len;
    char text[6];
};

static void escape_long(struct escape *e, unsigned unit)
{
    e->text[1] = 'u';
    for (int i = 0; i < 4; i++)
        e->text[2 + i] = hex_digits[unit >> (12 - 4 * i) & 15];
    e->len = 6;
}

/* The escape for what stands at p, or one with len 0: ED begins ordinary letters too. */
static struct escape escape_at(const uint8_t *p, size_t n)
{
    struct escape e = {.used = 1, .len = 2, .text = "\\"};
    char kind = escape_of[*p];

    if (kind != 'u') {
        e.text[1] = kind;
    } else if (*p < 0x20) {
        escape_long(&e, *p);
    } else if (n >= 3 && p[1] >= 0xA0 && p[1] <= 0xBF && p[2] >= 0x80 && p[2] <= 0xBF) {
        e.used = 3;
        escape_long(&e, 0xD000u | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu));
    } else {
        e.len = 0;
    }
    return e;
}

static void put_again(struct buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' || text[i] == '"')
            buf_char(b, '\\');
        buf_char(b, text[i]);
    }
}

static void escape_value(struct buf *b, struct weir_str value, bool twice)
{
    const uint8_t *p = (const uint8_t *)value.ptr;
    size_t plain = 0, i = 0;

    while (i < value.len) {
        if (!escape_of[p[i]]) {
            i++;
            continue;
        }
        struct escape e = escape_at(p + i, value.len - i);
        if (e.len) {
            buf_put(b, p + plain, i - plain);
            plain = i + e.used;
            if (twice)
                put_again(b, e.text, e.len);
            else
                buf_put(b, e.text, e.len);
        }
        i += e.used;
    }
    if (value.len > plain)
        buf_put(b, p + plain, value.len - plain);
}

void json_escape(struct buf *b, struct weir_str value)
{
    escape_value(b, value, false);
}

void json_escape_twice(struct buf *b, struct weir_str value)
{
    escape_value(b, value, true);
}

/* ---- from raw text to a value ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of the \uXXXX at p, or -1. */
static int unit_at(const char *p, size_t n)
{
    int unit = 0;

    if (n < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static size_t put_code_point(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The short escapes, by what follows the backslash. */
static const char short_value[128] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Decodes the escape at p, which is a backslash; returns the bytes it takes, `*width` those of its value.  What is no
 * escape is a backslash that stands for itself. */
static size_t escape_read(const char *p, size_t n, char out[4], size_t *width)
{
    unsigned next = n > 1 ? (uint8_t)p[1] : 0;
    int unit = unit_at(p, n), low;

    *width = 1;
    if (next < 128 && short_value[next]) {
        out[0] = short_value[next];
        return 2;
    }
    if (unit < 0) {
        out[0] = '\\';
        return 1;
    }
    if (unit >= 0xD800 && unit <= 0xDBFF && (low = unit_at(p + 6, n - 6)) >= 0xDC00 && low <= 0xDFFF) {
        *width = put_code_point(out, 0x10000 + ((uint32_t)(unit & 0x3FF) << 10 | (uint32_t)(low & 0x3FF)));
        return 12;
    }
    *width = put_code_point(out, (uint32_t)unit);
    return 6;
}

/* `out` has room for as many bytes as `raw`: no value is longer than its escapes. */
static size_t unescape(char *out, struct weir_str raw)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    char *o = out;

    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((slash ? slash : end) - p), width;
        memcpy(o, p, plain);
        o += plain;
        p += plain;
        if (slash) {
            char value[4];
            p += escape_read(p, (size_t)(end - p), value, &width);
            memcpy(o, value, width);
            o += width;
        }
    }
    return (size_t)(o - out);
}

struct weir_str json_unescape(struct arena *a, struct weir_str raw)
{
    char *out;

    if (!raw.len || !memchr(raw.ptr, '\\', raw.len))
        return raw;
    out = arena_bytes(a, raw.len);
    return (struct weir_str){out, unescape(out, raw)};
}

void json_unescape_to(struct buf *b, struct weir_str raw)
{
    if (raw.len)
        b->len += unescape(buf_room(b, raw.len), raw);
}

/* Skimmed text, so that an escape is whole, and the quote behind the string ends a pair that is none. */
size_t json_escape_length(const char *raw)
{
    char value[4];
    size_t width, n = raw[1] != 'u' ? 2 : raw[6] == '\\' && raw[7] == 'u' ? 12 : 6;

    return escape_read(raw, n, value, &width);
}

size_t json_escape_width(const char *raw)
{
    char value[4];
    size_t width, n = raw[1] != 'u' ? 2 : raw[6] == '\\' && raw[7] == 'u' ? 12 : 6;

    escape_read(raw, n, value, &width);
    return width;
}
