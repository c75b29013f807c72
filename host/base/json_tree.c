/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree.c -- from nodes to a jansson tree; see json_tree.h.  The writer is json_write.c. */
#include "base/json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_skim.h"
#include "base/json_text.h"
#include "base/must.h"

#define MOST_LEVELS 2048

struct build {
    const struct weir_json *json;
    struct buf scratch;
    struct weir_error *error;
};

static json_t *build_node(struct build *b, uint32_t node);

static bool refuse(struct build *b, size_t at, const char *code, const char *what)
{
    snprintf(b->error->text, sizeof b->error->text, "%s at byte %zu", what, at);
    snprintf(b->error->code, sizeof b->error->code, "%s", code);
    b->error->field[0] = '\0';
    return false;
}

/* jansson says NULL only when memory is out. */
static json_t *made(json_t *t)
{
    must(t != NULL);
    return t;
}

/* ---- numbers ---- */

/* Powers of ten that a double holds exactly. */
static const double exact_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A decimal of up to 15 digits and a small exponent: both parts are exact, so one operation rounds once, and rightly.
 */
static bool real_quick(struct weir_str s, double *out)
{
    uint64_t digits = 0;
    int count = 0, point = 0;
    bool after = false;
    size_t i = s.ptr[0] == '-';

    for (; i < s.len && s.ptr[i] != 'e' && s.ptr[i] != 'E'; i++) {
        if (s.ptr[i] == '.') {
            after = true;
            continue;
        }
        digits = digits * 10 + (uint64_t)(s.ptr[i] - '0');
        count += digits > 0;
        point += after;
        if (count > 15 || point > 22)
            return false;
    }
    if (i < s.len)
        return false;
    *out = (double)digits / exact_ten[point];
    if (s.ptr[0] == '-')
        *out = -*out;
    return true;
}

static bool real_read(struct build *b, struct weir_str s, double *out)
{
    if (real_quick(s, out))
        return true;
    b->scratch.len = 0;
    buf_str(&b->scratch, s);
    buf_char(&b->scratch, '\0');
    *out = strtod(b->scratch.ptr, NULL);
    return isfinite(*out);
}

static bool integer_read(struct weir_str s, json_int_t *out)
{
    bool minus = s.ptr[0] == '-';
    uint64_t v = 0, most = (uint64_t)INT64_MAX + minus;

    for (size_t i = minus; i < s.len; i++) {
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (v > (most - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = (json_int_t)(minus ? 0 - v : v);
    return true;
}

static json_t *build_number(struct build *b, struct weir_str s)
{
    bool real = false;
    json_int_t i;
    double d;

    for (size_t k = 0; k < s.len && !real; k++)
        real = s.ptr[k] == '.' || s.ptr[k] == 'e' || s.ptr[k] == 'E';
    if (real ? !real_read(b, s, &d) : !integer_read(s, &i)) {
        refuse(b, (size_t)(s.ptr - b->json->text.ptr), "json_number",
               real ? "a number is beyond the range of a double" : "an integer needs more than 64 bits");
        return NULL;
    }
    return made(real ? json_real(d) : json_integer(i));
}

/* ---- strings and words ---- */

static struct weir_str value_of(struct build *b, uint32_t node)
{
    struct weir_str raw = weir_json_text(b->json, node);

    if (!b->json->nodes[node].escaped)
        return raw;
    b->scratch.len = 0;
    json_unescape_to(&b->scratch, raw);
    return buf_view(&b->scratch);
}

static json_t *build_string(struct build *b, uint32_t node)
{
    struct weir_str s = value_of(b, node);

    return made(json_stringn_nocheck(s.ptr, s.len));
}

/* A number or a word, by its text. */
static json_t *build_plain(struct build *b, struct weir_str s)
{
    switch (s.ptr[0]) {
    case 't':
        return json_true();
    case 'f':
        return json_false();
    case 'n':
        return json_null();
    default:
        return build_number(b, s);
    }
}

/* ---- containers ---- */

static json_t *build_object(struct build *b, uint32_t node)
{
    json_t *object = made(json_object());

    for (uint32_t key = weir_json_first(b->json, node); key != WEIR_NO_NODE;
         key = weir_json_next(b->json, node, key + 1)) {
        json_t *value = build_node(b, key + 1);
        if (!value) {
            json_decref(object);
            return NULL;
        }
        struct weir_str name = value_of(b, key);
        must(json_object_setn_new_nocheck(object, name.ptr, name.len, value) == 0);
    }
    return object;
}

static bool is_gap(char c)
{
    return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Plain elements have no nodes: their text is found between those that have. */
static struct weir_str plain_at(struct weir_str text, size_t at, size_t end)
{
    size_t from = at;

    while (at < end && !is_gap(text.ptr[at]))
        at++;
    return str_sub(text, from, at);
}

static size_t element_at(struct weir_str text, size_t at, size_t end)
{
    while (at < end && is_gap(text.ptr[at]))
        at++;
    return at;
}

/* The element at byte *at, which is moved behind it; *child is the first node not yet used. */
static json_t *build_element(struct build *b, uint32_t array, size_t end, size_t *at, uint32_t *child)
{
    const struct weir_node *n = *child != WEIR_NO_NODE ? &b->json->nodes[*child] : NULL;
    size_t quote = n && n->type == WEIR_JSON_STRING;
    json_t *value;

    if (n && n->at - quote == *at) {
        value = build_node(b, *child);
        *at = n->at + n->len + quote;
        *child = weir_json_next(b->json, array, *child);
        return value;
    }
    struct weir_str plain = plain_at(b->json->text, *at, end);
    *at += plain.len;
    return build_plain(b, plain);
}

static json_t *build_array(struct build *b, uint32_t node)
{
    const struct weir_node *n = &b->json->nodes[node];
    size_t end = (size_t)n->at + n->len - 1, at = element_at(b->json->text, (size_t)n->at + 1, end);
    uint32_t child = weir_json_first(b->json, node);
    json_t *array = made(json_array());

    while (at < end) {
        json_t *value = build_element(b, node, end, &at, &child);
        if (!value) {
            json_decref(array);
            return NULL;
        }
        must(json_array_append_new(array, value) == 0);
        at = element_at(b->json->text, at, end);
    }
    return array;
}

/* ---- any value ---- */

static json_t *build_node(struct build *b, uint32_t node)
{
    switch (b->json->nodes[node].type) {
    case WEIR_JSON_OBJECT:
        return build_object(b, node);
    case WEIR_JSON_ARRAY:
        return build_array(b, node);
    case WEIR_JSON_STRING:
        return build_string(b, node);
    default:
        return build_plain(b, weir_json_text(b->json, node));
    }
}

/* Before anything is built: then the recursion is bounded. */
static bool depth_ok(struct build *b, uint32_t node)
{
    const struct weir_node *nodes = b->json->nodes;

    for (uint32_t i = node; i < nodes[node].next; i++)
        if (nodes[i].type >= WEIR_JSON_ARRAY && nodes[i].depth - nodes[node].depth >= MOST_LEVELS)
            return refuse(b, nodes[i].at, "json_too_deep", "the JSON text is nested too deeply");
    return true;
}

json_t *json_tree(const struct weir_json *json, uint32_t node, struct weir_error *error)
{
    struct build b = {.json = json, .error = error};
    json_t *tree = depth_ok(&b, node) ? build_node(&b, node) : NULL;

    buf_fini(&b.scratch);
    return tree;
}

json_t *json_tree_text(struct weir_str text, struct weir_error *error)
{
    const struct json_limits limits = {MOST_LEVELS, UINT32_MAX};
    struct json_skim skim = {0};
    struct weir_json json;
    json_t *tree = NULL;

    if (json_skim(&skim, text, &limits, &json, error))
        tree = json_tree(&json, 0, error);
    json_skim_fini(&skim);
    return tree;
}
