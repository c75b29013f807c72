/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c -- see base64.h. */
#include "base64.h"

void base64_put(struct text *t, struct weir_str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)s.ptr;

    for (size_t i = 0; i < s.len; i += 3) {
        size_t n = s.len - i < 3 ? s.len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=',
                        n > 2 ? digits[v & 63] : '='};
        text_put(t, four, 4);
    }
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct weir_ctx *c, struct weir_str s, struct weir_str *bytes)
{
    char *to = weir_alloc(c, s.len / 4 * 3 + 1);
    size_t n = 0, end = s.len;

    if (s.len % 4)
        return false;
    while (end && end + 2 > s.len && s.ptr[end - 1] == '=')
        end--;
    for (size_t i = 0, v = 0; i < s.len; i++) {
        int d = i < end ? digit_value(s.ptr[i]) : 0;
        if (d < 0)
            return false;
        v = v << 6 | (size_t)d;
        if (i % 4 == 3) {
            to[n++] = (char)(v >> 16);
            to[n++] = (char)(v >> 8);
            to[n++] = (char)v;
            v = 0;
        }
    }
    *bytes = (struct weir_str){to, n - (s.len - end)};
    return true;
}

struct weir_str base64_standard(struct weir_ctx *c, struct weir_str s)
{
    size_t pad = (4 - s.len % 4) % 4;
    char *to;

    if (!pad && !memchr(s.ptr, '-', s.len) && !memchr(s.ptr, '_', s.len))
        return s;
    to = weir_alloc(c, s.len + pad);
    for (size_t i = 0; i < s.len; i++)
        to[i] = s.ptr[i] == '-' ? '+' : s.ptr[i] == '_' ? '/' : s.ptr[i];
    memset(to + s.len, '=', pad);
    return (struct weir_str){to, s.len + pad};
}
