/* SPDX-License-Identifier: Apache-2.0 */
/* canon.c -- see canon.h. */
#include "canon.h"

#include <stdio.h>

bool lossy(struct weir_ctx *c, struct weir_str field, bool hint, struct weir_error *e)
{
    if (weir_lossy(c, field, hint))
        return true;
    snprintf(e->code, sizeof e->code, "unsupported_parameter");
    snprintf(e->field, sizeof e->field, "%.*s", (int)field.len, field.ptr);
    snprintf(e->text, sizeof e->text,
             "%.*s: not supported by the provider of this model, and too important to leave out.",
             (int)(field.len < 64 ? field.len : 64), field.ptr);
    return false;
}

struct weir_str canon_name(struct weir_ctx *c, const char *key)
{
    const struct weir_json *j = weir_canonical(c);
    struct weir_str name = get_value(c, j, weir_json_get(j, 0, "names"), key);

    return name.len ? name : str_of(key);
}

bool canon_lossy(struct weir_ctx *c, const char *key, bool hint, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);

    return weir_json_get(j, 0, key) == WEIR_NO_NODE || lossy(c, canon_name(c, key), hint, e);
}

bool canon_lossy_at(struct weir_ctx *c, uint32_t object, const char *what, bool hint, struct weir_error *e)
{
    struct weir_str at = get_value(c, weir_canonical(c), object, "at");

    return lossy(c, at.len ? at : str_of(what), hint, e);
}

bool canon_names_lossy(struct weir_ctx *c, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);

    for (EACH_ITEM(j, message, weir_json_get(j, 0, "messages")))
        if (weir_json_get(j, message, "name") != WEIR_NO_NODE)
            return lossy(c, WEIR_STR("messages.name"), true, e);
    return true;
}

static bool changes_nothing(const struct weir_json *j, uint32_t node)
{
    struct weir_str s;

    if (weir_json_is(j, node, WEIR_JSON_OBJECT))
        return weir_json_first(j, node) == WEIR_NO_NODE;
    if (!weir_json_is(j, node, WEIR_JSON_NUMBER))
        return false;
    s = weir_json_text(j, node);
    for (size_t i = 0; i < s.len && s.ptr[i] != 'e' && s.ptr[i] != 'E'; i++)
        if (s.ptr[i] >= '1' && s.ptr[i] <= '9')
            return false;
    return true;
}

bool canon_bias_lossy(struct weir_ctx *c, const char *key, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);

    return changes_nothing(j, weir_json_get(j, 0, key)) || canon_lossy(c, key, true, e);
}

bool canon_arguments(struct weir_ctx *c, uint32_t part, struct weir_str *object, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c), *inner;
    struct weir_str s = get_value(c, j, part, "arguments"), at = get_value(c, j, part, "at");
    struct weir_error why = {{0}, {0}, {0}};

    *object = WEIR_STR("{}");
    if (!s.len)
        return true;
    inner = weir_skim(c, s, &why);
    if (inner && weir_json_is(inner, 0, WEIR_JSON_OBJECT)) {
        *object = s;
        return true;
    }
    snprintf(e->code, sizeof e->code, "invalid_arguments");
    snprintf(e->field, sizeof e->field, "%.*s", (int)at.len, at.ptr);
    snprintf(e->text, sizeof e->text, "%.*s: the arguments of this tool call are no JSON object.",
             (int)(at.len < 64 ? at.len : 64), at.ptr);
    return false;
}

/* ---- ids ---- */

static bool id_fits(struct weir_str id, size_t max, bool exact)
{
    if (!id.len || id.len > max || (exact && id.len != max))
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char ch = id.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!word && (exact || (ch != '_' && ch != '-')))
            return false;
    }
    return true;
}

/* FNV-1a, which is enough: ids of one conversation are few, and who chooses them harms only itself. */
static uint64_t id_hash(struct weir_str id, uint64_t seed)
{
    uint64_t h = 0xcbf29ce484222325u ^ seed;

    for (size_t i = 0; i < id.len; i++)
        h = (h ^ (unsigned char)id.ptr[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

struct weir_str canon_call_id(struct weir_ctx *c, struct weir_str id, size_t max, bool exact)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    size_t len = max < 24 ? max : 24;
    uint64_t h = 0;
    char *made;

    if (id_fits(id, max, exact))
        return id;
    made = weir_alloc(c, len);
    for (size_t i = 0; i < len; i++) {
        if (i % 12 == 0)
            h = id_hash(id, i);
        made[i] = digits[h % 36];
        h /= 36;
    }
    return (struct weir_str){made, len};
}

struct weir_str canon_call_name(struct weir_ctx *c, struct weir_str id)
{
    const struct weir_json *j = weir_canonical(c);
    struct weir_str name = WEIR_STR("");

    for (EACH_ITEM(j, m, weir_json_get(j, 0, "messages")))
        for (EACH_ITEM(j, part, weir_json_get(j, m, "content")))
            if (node_says(j, weir_json_get(j, part, "type"), "call") && str_eq(get_value(c, j, part, "id"), id))
                name = get_value(c, j, part, "name");
    return name;
}

/* ---- opaque reasoning ---- */

struct weir_str opaque_mark(struct weir_ctx *c, struct weir_str kind, struct weir_str data)
{
    struct text t = {.c = c};

    text_lit(&t, "weir:");
    text_str(&t, kind);
    text_lit(&t, ":");
    text_str(&t, data);
    return text_view(&t);
}

bool opaque_read(struct weir_str mark, struct weir_str *kind, struct weir_str *data)
{
    const char *colon;

    if (!str_starts(mark, "weir:"))
        return false;
    mark.ptr += 5;
    mark.len -= 5;
    colon = memchr(mark.ptr, ':', mark.len);
    if (!colon)
        return false;
    *kind = (struct weir_str){mark.ptr, (size_t)(colon - mark.ptr)};
    *data = (struct weir_str){colon + 1, mark.len - kind->len - 1};
    return true;
}
