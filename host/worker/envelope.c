/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.c -- see envelope.h. */
#include "worker/envelope.h"

#include <openssl/evp.h>

#include "base/json_skim.h"

#define TYPE_MAX 64

/* The value of a string member at the top of an object, as it stands; "" for anything else. */
static struct weir_str member(struct weir_str text, const char *key)
{
    static const struct json_limits limits = {.depth = 64, .nodes = 1u << 20};
    struct json_skim skim = {0};
    struct weir_error ignored = {{0}, {0}, {0}};
    struct weir_str value = WEIR_STR("");
    struct weir_json j;

    if (json_skim(&skim, text, &limits, &j, &ignored)) {
        uint32_t n = weir_json_get(&j, 0, key);
        if (weir_json_is(&j, n, WEIR_JSON_STRING) && !j.nodes[n].escaped)
            value = weir_json_text(&j, n);
    }
    json_skim_fini(&skim);
    return value;
}

/* Appends what `base64` says.  false: it is none. */
static bool decode(struct weir_str base64, struct buf *to)
{
    size_t padding = 0;
    int n;

    if (!base64.len || base64.len % 4 || base64.len > INT32_MAX)
        return false;
    while (padding < 2 && base64.ptr[base64.len - 1 - padding] == '=')
        padding++;
    n = EVP_DecodeBlock((unsigned char *)buf_room(to, base64.len / 4 * 3 + 1), (const unsigned char *)base64.ptr,
                        (int)base64.len);
    if (n < (int)padding)
        return false;
    to->len += (size_t)n - padding;
    return true;
}

/* The data is one line: JSON may have line ends only between its tokens, where a blank says the same. */
static void one_line(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == '\n' || p[i] == '\r')
            p[i] = ' ';
}

bool envelope_open(struct weir_str payload, struct buf *to, struct sse_record *rec)
{
    struct weir_str bytes = member(payload, "bytes"), type;
    size_t name_at, data_at;

    to->len = 0;
    if (!decode(bytes, to))
        return false;
    one_line(to->ptr, to->len);
    type = member(buf_view(to), "type");
    if (!type.len || type.len > TYPE_MAX)
        return false;
    struct buf whole = {0};
    buf_lit(&whole, "event: ");
    name_at = whole.len;
    buf_str(&whole, type);
    buf_lit(&whole, "\ndata: ");
    data_at = whole.len;
    buf_str(&whole, buf_view(to));
    buf_lit(&whole, "\n\n");
    buf_fini(to);
    *to = whole;
    *rec = (struct sse_record){
        .raw = buf_view(to), .name = {to->ptr + name_at, type.len}, .data = {to->ptr + data_at, to->len - data_at - 2}};
    return true;
}
