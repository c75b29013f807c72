/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h -- reading skimmed JSON without a word too many.  Knows nothing but sdk/weir.h and text.h.
 *
 *     for (EACH_KEY(j, k, object))        k is the key, k + 1 its value
 *     for (EACH_ITEM(j, n, array))        n is an element; numbers, true, false and null have no node
 * Both loop over nothing when there is no such container.
 */
#ifndef LIB_WALK_H
#define LIB_WALK_H

#include "text.h"

#define EACH_KEY(j, k, object)                                                                                         \
    uint32_t k = weir_json_is((j), (object), WEIR_JSON_OBJECT) ? weir_json_first((j), (object)) : WEIR_NO_NODE;        \
    k != WEIR_NO_NODE;                                                                                                 \
    k = weir_json_next((j), (object), k + 1)
#define EACH_ITEM(j, n, array)                                                                                         \
    uint32_t n = weir_json_is((j), (array), WEIR_JSON_ARRAY) ? weir_json_first((j), (array)) : WEIR_NO_NODE;           \
    n != WEIR_NO_NODE;                                                                                                 \
    n = weir_json_next((j), (array), n)

#define KEY_IS(j, key, word) weir_json_eq((j), (key), "" word, sizeof(word) - 1)

static inline bool node_is_string(const struct weir_json *j, uint32_t node)
{
    return weir_json_is(j, node, WEIR_JSON_STRING);
}

/* A string that says `word`. */
static inline bool node_says(const struct weir_json *j, uint32_t node, const char *word)
{
    return node_is_string(j, node) && weir_json_eq(j, node, word, strlen(word));
}

/* The value of a string node, unescaped; "" for anything else. */
static inline struct weir_str node_value(struct weir_ctx *c, const struct weir_json *j, uint32_t node)
{
    return node_is_string(j, node) ? weir_unescape(c, weir_json_text(j, node)) : WEIR_STR("");
}

static inline struct weir_str get_value(struct weir_ctx *c, const struct weir_json *j, uint32_t object, const char *key)
{
    return node_value(c, j, weir_json_get(j, object, key));
}

static inline bool node_true(const struct weir_json *j, uint32_t node)
{
    return weir_json_is(j, node, WEIR_JSON_TRUE);
}

static inline bool node_there(const struct weir_json *j, uint32_t node)
{
    return node != WEIR_NO_NODE && j->nodes[node].type != WEIR_JSON_NULL;
}

#endif
