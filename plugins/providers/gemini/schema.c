/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c -- JSON Schema and the OpenAPI subset that Gemini takes, one into the other.
 *
 * Called by encode (for old models) and by lift.  References are followed a few levels deep, since the subset has none;
 * nodes of a hostile schema can be written many times over by that, so their number has a ceiling.
 */
#include "gemini.h"

enum { MOST_LEVELS = 32, MOST_WRITTEN = 20000, MOST_BYTES = 1 << 20 };

struct schema {
    struct emit *m;
    const struct weir_json *j;
    uint32_t root;
    uint32_t level, written;
    size_t start; /* of what is written */
    bool lost;    /* something has no place in the subset */
};

/* ---- to the subset ---- */

static bool is_one_of(struct weir_str s, const char *const *words)
{
    for (; *words; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

/* Strings only: numbers, true, false and null of an array have no node, but stand between those that do. */
static bool all_strings(const struct weir_json *j, uint32_t array)
{
    size_t at = j->nodes[array].at + 1, end = j->nodes[array].at + j->nodes[array].len - 1;

    for (EACH_ITEM(j, n, array)) {
        if (!node_is_string(j, n))
            return false;
        for (; at < j->nodes[n].at; at++)
            if (!strchr(" \t\r\n,\"", j->text.ptr[at]))
                return false;
        at = j->nodes[n].at + j->nodes[n].len + 1;
    }
    for (; at < end; at++)
        if (!strchr(" \t\r\n,", j->text.ptr[at]))
            return false;
    return weir_json_first(j, array) != WEIR_NO_NODE;
}

/* "#/$defs/x" and "#/definitions/x". */
static uint32_t follow(const struct schema *s, uint32_t ref)
{
    static const char *const places[][2] = {{"#/$defs/", "$defs"}, {"#/definitions/", "definitions"}};

    for (size_t i = 0; node_is_string(s->j, ref) && i < 2; i++) {
        struct weir_str name = weir_json_text(s->j, ref);
        size_t n = strlen(places[i][0]);
        if (!str_starts(name, places[i][0]))
            continue;
        for (EACH_KEY(s->j, k, weir_json_get(s->j, s->root, places[i][1])))
            if (weir_json_eq(s->j, k, name.ptr + n, name.len - n))
                return k + 1;
    }
    return WEIR_NO_NODE;
}

/* A key as it stands, its value to follow. */
static void put_key(struct schema *s, uint32_t key)
{
    emit_quoted(s->m, weir_json_text(s->j, key));
    text_lit(&s->m->t, ":");
    s->m->comma = false;
}

static void put_schema(struct schema *, uint32_t node);

static void put_properties(struct schema *s, uint32_t object)
{
    emit_open(s->m, '{');
    for (EACH_KEY(s->j, k, object)) {
        put_key(s, k);
        put_schema(s, k + 1);
    }
    emit_close(s->m, '}');
}

static void put_several(struct schema *s, uint32_t array)
{
    emit_open(s->m, '[');
    for (EACH_ITEM(s->j, n, array))
        put_schema(s, n);
    emit_close(s->m, ']');
}

/* ["string","null"] is one type that may be null; of several others the first counts. */
static void put_type(struct schema *s, uint32_t type)
{
    bool null = false;
    uint32_t first = WEIR_NO_NODE;

    for (EACH_ONE(s->j, n, type)) {
        null |= node_says(s->j, n, "null");
        if (node_says(s->j, n, "null"))
            continue;
        s->lost |= first != WEIR_NO_NODE;
        first = first == WEIR_NO_NODE ? n : first;
    }
    if (first != WEIR_NO_NODE)
        emit_member(s->m, "type", s->j, first);
    if (null) {
        emit_key(s->m, "nullable");
        emit_bool(s->m, true);
    }
}

static void put_const(struct schema *s, uint32_t value)
{
    if (!node_is_string(s->j, value)) {
        s->lost = true;
        return;
    }
    emit_key(s->m, "enum");
    emit_open(s->m, '[');
    emit_node(s->m, s->j, value);
    emit_close(s->m, ']');
}

static void put_member(struct schema *s, uint32_t k)
{
    static const char *const same[] = {"title",   "description", "required",  "minItems",         "maxItems",
                                       "minimum", "maximum",     "minLength", "maxLength",        "pattern",
                                       "default", "example",     "nullable",  "propertyOrdering", NULL};
    static const char *const formats[] = {"enum", "date-time", "int32", "int64", "float", "double", NULL};
    struct weir_str key = weir_json_text(s->j, k);
    uint32_t v = k + 1;

    if (str_is(key, "type")) {
        put_type(s, v);
    } else if (str_is(key, "properties") && weir_json_is(s->j, v, WEIR_JSON_OBJECT)) {
        emit_key(s->m, "properties");
        put_properties(s, v);
    } else if (str_is(key, "items") && weir_json_is(s->j, v, WEIR_JSON_OBJECT)) {
        emit_key(s->m, "items");
        put_schema(s, v);
    } else if ((str_is(key, "anyOf") || str_is(key, "oneOf")) && weir_json_is(s->j, v, WEIR_JSON_ARRAY)) {
        emit_key(s->m, "anyOf");
        put_several(s, v);
    } else if (str_is(key, "enum") && weir_json_is(s->j, v, WEIR_JSON_ARRAY) && all_strings(s->j, v)) {
        emit_member(s->m, "enum", s->j, v);
    } else if (str_is(key, "const")) {
        put_const(s, v);
    } else if (is_one_of(key, same) || (str_is(key, "format") && is_one_of(weir_json_text(s->j, v), formats))) {
        put_key(s, k);
        emit_node(s->m, s->j, v);
    } else if (!str_is(key, "$schema") && !str_is(key, "$defs") && !str_is(key, "definitions") && !str_is(key, "$id")) {
        s->lost = true;
    }
}

static void put_schema(struct schema *s, uint32_t node)
{
    uint32_t ref = weir_json_get(s->j, node, "$ref");

    if (ref != WEIR_NO_NODE)
        node = follow(s, ref);
    if (!weir_json_is(s->j, node, WEIR_JSON_OBJECT) || s->level == MOST_LEVELS || s->written++ >= MOST_WRITTEN ||
        s->m->t.len - s->start > MOST_BYTES) {
        s->lost = true;
        emit_raw(s->m, WEIR_STR("{\"type\":\"object\"}"));
        return;
    }
    s->level++;
    emit_open(s->m, '{');
    for (EACH_KEY(s->j, k, node))
        put_member(s, k);
    emit_close(s->m, '}');
    s->level--;
}

bool schema_to_openapi(struct emit *m, const struct weir_json *j, uint32_t schema)
{
    struct schema s = {.m = m, .j = j, .root = schema, .start = m->t.len};

    put_schema(&s, schema);
    return !s.lost;
}

/* ---- from the subset ---- */

static void emit_lower(struct emit *m, struct weir_str word)
{
    emit_comma(m);
    text_lit(&m->t, "\"");
    for (size_t i = 0; i < word.len; i++) {
        char ch = word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (char)(word.ptr[i] | 32) : word.ptr[i];
        text_put(&m->t, &ch, 1);
    }
    text_lit(&m->t, "\"");
}

static void lift_type(struct schema *s, uint32_t type, bool nullable)
{
    emit_key(s->m, "type");
    if (!node_is_string(s->j, type)) {
        emit_node(s->m, s->j, type);
        return;
    }
    if (nullable)
        emit_open(s->m, '[');
    emit_lower(s->m, weir_json_text(s->j, type));
    if (nullable) {
        emit_raw(s->m, WEIR_STR("\"null\""));
        emit_close(s->m, ']');
    }
}

/* Integers come as strings too. */
static bool lift_count(struct schema *s, struct weir_str key, uint32_t value)
{
    static const char *const counts[] = {"minItems",      "maxItems",      "minLength", "maxLength",
                                         "minProperties", "maxProperties", NULL};

    for (const char *const *n = counts; *n; n++)
        if (proto_is(key, *n) && proto_int(s->j, value, -1) >= 0) {
            emit_key(s->m, *n);
            emit_int(s->m, proto_int(s->j, value, 0));
            return true;
        }
    return false;
}

static void lift_schema(struct schema *, uint32_t node);

static void lift_below(struct schema *s, uint32_t value, bool map)
{
    bool array = weir_json_is(s->j, value, WEIR_JSON_ARRAY);

    emit_open(s->m, array ? '[' : '{');
    if (array) {
        for (EACH_ITEM(s->j, n, value))
            lift_schema(s, n);
    } else if (map) {
        for (EACH_KEY(s->j, k, value)) {
            put_key(s, k);
            lift_schema(s, k + 1);
        }
    }
    emit_close(s->m, array ? ']' : '}');
}

static void lift_member(struct schema *s, uint32_t k, bool nullable)
{
    struct weir_str key = weir_json_text(s->j, k);
    uint32_t v = k + 1;

    if (str_is(key, "type")) {
        lift_type(s, v, nullable);
    } else if (str_is(key, "properties")) {
        emit_key(s->m, "properties");
        lift_below(s, v, true);
    } else if (str_is(key, "items")) {
        emit_key(s->m, "items");
        lift_schema(s, v);
    } else if (proto_is(key, "anyOf")) {
        emit_key(s->m, "anyOf");
        lift_below(s, v, false);
    } else if (str_is(key, "example")) {
        emit_key(s->m, "examples");
        emit_open(s->m, '[');
        emit_node(s->m, s->j, v);
        emit_close(s->m, ']');
    } else if (!str_is(key, "nullable") && !proto_is(key, "propertyOrdering") && !lift_count(s, key, v)) {
        put_key(s, k);
        emit_node(s->m, s->j, v);
    }
}

static void lift_schema(struct schema *s, uint32_t node)
{
    bool nullable = node_true(s->j, weir_json_get(s->j, node, "nullable"));

    if (!weir_json_is(s->j, node, WEIR_JSON_OBJECT)) {
        emit_node(s->m, s->j, node);
        return;
    }
    emit_open(s->m, '{');
    for (EACH_KEY(s->j, k, node))
        lift_member(s, k, nullable);
    emit_close(s->m, '}');
}

void schema_from_openapi(struct emit *m, const struct weir_json *j, uint32_t schema)
{
    struct schema s = {.m = m, .j = j, .root = schema};

    lift_schema(&s, schema);
}
