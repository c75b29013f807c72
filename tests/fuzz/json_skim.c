/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_skim.c -- fuzzes json_skim() against jansson, against itself without SSE2, and checks what must hold of every
 * node list.
 *
 * jansson refuses four things that JSON allows; json_skim() lets them through, because a gateway must not refuse what a
 * provider would take:
 *   1. numbers that do not fit: integers beyond 64 bits, reals beyond a double    json_error_numeric_overflow
 *   2. escapes of half a surrogate pair, which JavaScript sends                    json_error_invalid_syntax, and the
 * text has one
 *   3. U+0000 in a key                                                             json_error_null_byte_in_key
 *   4. more than 2,048 levels                                                      json_error_stack_overflow
 * And it takes one thing that is no JSON: it loses a zero byte right behind a number or a word.  No text with a zero
 * byte is JSON, so that json_skim() must refuse all of those. All else that jansson accepts (any value, U+0000 in
 * strings, no key twice), json_skim() must accept, and the other way round.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/scalar_skim.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The code unit of \uXXXX at p, or -1. */
static int unit_of(const char *p, const char *end)
{
    char digits[5] = {0};

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    memcpy(digits, p + 2, 4);
    return (int)strtol(digits, NULL, 16);
}

static bool has_half_pair(const char *p, const char *end)
{
    while (p < end) {
        int unit = unit_of(p, end);
        if (unit >= 0xD800 && unit <= 0xDBFF) {
            int low = unit_of(p + 6, end);
            if (low < 0xDC00 || low > 0xDFFF)
                return true;
            p += 12;
        } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
            return true;
        } else {
            p += unit >= 0 ? 6 : *p == '\\' ? 2 : 1;
        }
    }
    return false;
}

static void check_against_jansson(struct weir_str text, bool good)
{
    json_error_t error;
    json_t *t = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);

    json_decref(t);
    if (text.len && memchr(text.ptr, 0, text.len))
        must(!good);
    else if (t)
        must(good);
    if (t || !good)
        return;
    switch (json_error_code(&error)) {
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
    case json_error_stack_overflow:
        break;
    default:
        must(has_half_pair(text.ptr, text.ptr + text.len));
    }
}

/* Nodes below `node`, which is a container: each inside it, one after the other. */
static void check_container(const struct weir_json *j, uint32_t node)
{
    const struct weir_node *c = &j->nodes[node];
    uint32_t at = c->at + 1, i = 0;

    for (uint32_t n = weir_json_first(j, node); n != WEIR_NO_NODE; n = weir_json_next(j, node, n), i++) {
        const struct weir_node *k = &j->nodes[n];
        must(k->at >= at && k->at + k->len <= c->at + c->len - 1);
        must(k->depth == c->depth + 1 && k->next > n && k->next <= c->next);
        if (c->type == WEIR_JSON_OBJECT && i % 2 == 0)
            must(k->type == WEIR_JSON_STRING);
        if (c->type == WEIR_JSON_ARRAY)
            must(k->type >= WEIR_JSON_STRING);
        at = k->at + k->len;
    }
    must(c->type == WEIR_JSON_ARRAY || i % 2 == 0);
}

static void check_node(const struct weir_json *j, uint32_t i)
{
    const struct weir_node *n = &j->nodes[i];
    struct weir_str s = weir_json_text(j, i);

    switch (n->type) {
    case WEIR_JSON_STRING:
        must(n->at > 0 && j->text.ptr[n->at - 1] == '"' && j->text.ptr[n->at + n->len] == '"');
        must(n->escaped == (memchr(s.ptr, '\\', s.len) != NULL));
        must(n->next == i + 1);
        break;
    case WEIR_JSON_ARRAY:
        must(s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']');
        check_container(j, i);
        break;
    case WEIR_JSON_OBJECT:
        must(s.len >= 2 && s.ptr[0] == '{' && s.ptr[s.len - 1] == '}');
        check_container(j, i);
        break;
    default:
        must(n->next == i + 1 && s.len >= 1 && !n->escaped);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_str text = {(const char *)data, size};
    struct json_limits limits = {65535, UINT32_MAX};
    struct json_skim skim = {0}, scalar = {0};
    struct weir_error error, scalar_error;
    struct weir_json j, k;
    bool good = json_skim(&skim, text, &limits, &j, &error);

    must(scalar_skim(&scalar, text, &limits, &k, &scalar_error) == good);
    check_against_jansson(text, good);
    if (good) {
        must(j.count == k.count && memcmp(j.nodes, k.nodes, j.count * sizeof *j.nodes) == 0);
        must(j.count > 0 && j.nodes[0].next == j.count && j.nodes[0].depth == 0);
        for (uint32_t i = 0; i < j.count; i++)
            check_node(&j, i);
        limits.nodes = j.count - 1;
        must(!json_skim(&skim, text, &limits, &j, &error) && strcmp(error.code, "json_too_large") == 0);
    } else {
        must(strcmp(error.text, scalar_error.text) == 0 && strcmp(error.code, scalar_error.code) == 0);
    }
    json_skim_fini(&skim);
    scalar_skim_fini(&scalar);
    return 0;
}
