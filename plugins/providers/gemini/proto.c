/* SPDX-License-Identifier: Apache-2.0 */
/* proto.c -- see proto.h. */
#include "proto.h"

bool proto_is(struct weir_str name, const char *camel)
{
    size_t i = 0;

    for (; *camel; camel++) {
        if (i < name.len && name.ptr[i] == *camel) {
            i++;
            continue;
        }
        if (*camel < 'A' || *camel > 'Z' || i + 1 >= name.len || name.ptr[i] != '_' || name.ptr[i + 1] != (*camel | 32))
            return false;
        i += 2;
    }
    return i == name.len;
}

uint32_t proto_get(const struct weir_json *j, uint32_t object, const char *camel)
{
    for (EACH_KEY(j, k, object))
        if (!j->nodes[k].escaped && proto_is(weir_json_text(j, k), camel))
            return k + 1;
    return WEIR_NO_NODE;
}

struct weir_str proto_text(struct weir_ctx *c, const struct weir_json *j, uint32_t object, const char *camel)
{
    return node_value(c, j, proto_get(j, object, camel));
}

int64_t proto_int(const struct weir_json *j, uint32_t node, int64_t otherwise)
{
    struct weir_str s;
    int64_t v = 0;
    size_t i;

    if (!weir_json_is(j, node, WEIR_JSON_NUMBER) && !weir_json_is(j, node, WEIR_JSON_STRING))
        return otherwise;
    s = weir_json_text(j, node);
    bool minus = s.len && s.ptr[0] == '-';
    for (i = minus; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
        if (v > (INT64_MAX - 9) / 10)
            return otherwise;
        v = v * 10 + (s.ptr[i] - '0');
    }
    if (i == minus)
        return otherwise;
    if (i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && s.ptr[i] == '0';)
            i++;
    return i != s.len ? otherwise : minus ? -v : v;
}

/* ---- base64 ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct weir_str base64_write(struct weir_ctx *c, struct weir_str in)
{
    char *out = weir_alloc(c, in.len / 3 * 4 + 5), *p = out;

    for (size_t i = 0; i < in.len; i += 3) {
        uint32_t left = (uint32_t)(in.len - i < 3 ? in.len - i : 3), v = 0;
        for (uint32_t k = 0; k < 3; k++)
            v = v << 8 | (k < left ? (unsigned char)in.ptr[i + k] : 0);
        for (uint32_t k = 0; k < 4; k++)
            *p++ = k <= left ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
    return (struct weir_str){out, (size_t)(p - out)};
}

static int digit_value(char ch)
{
    const char *at = ch ? strchr(digits, ch == '-' ? '+' : ch == '_' ? '/' : ch) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool base64_read(struct weir_ctx *c, struct weir_str in, struct weir_str *bytes)
{
    char *out = weir_alloc(c, in.len / 4 * 3 + 4);
    uint32_t v = 0, bits = 0;
    size_t n = 0;

    while (in.len && in.ptr[in.len - 1] == '=')
        in.len--;
    for (size_t i = 0; i < in.len; i++) {
        int d = digit_value(in.ptr[i]);
        if (d < 0)
            return false;
        v = v << 6 | (uint32_t)d;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(v >> bits);
        }
    }
    *bytes = (struct weir_str){out, n};
    return true;
}
