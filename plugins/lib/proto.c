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
