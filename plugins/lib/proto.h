/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.h -- JSON as protobuf reads it: members in camelCase or snake_case, one element for an array of one, integers
 * as strings.
 *
 * Any process; knows nothing but sdk/weir.h and walk.h.
 */
#ifndef LIB_PROTO_H
#define LIB_PROTO_H

#include "walk.h"

/* `name` says `camel`, or the same in snake_case. */
bool proto_is(struct weir_str name, const char *camel);

/* The value of a member under either spelling, or WEIR_NO_NODE. */
uint32_t proto_get(const struct weir_json *, uint32_t object, const char *camel);

/* The same as a string's value, "" for none. */
struct weir_str proto_text(struct weir_ctx *, const struct weir_json *, uint32_t object, const char *camel);

/* An integer, also as a string or as 12.0; `otherwise` when it is none. */
int64_t proto_int(const struct weir_json *, uint32_t node, int64_t otherwise);

/* Items of an array; what is no array is its own only item. */
static inline uint32_t proto_first(const struct weir_json *j, uint32_t value)
{
    return weir_json_is(j, value, WEIR_JSON_ARRAY) ? weir_json_first(j, value) : value;
}

static inline uint32_t proto_next(const struct weir_json *j, uint32_t value, uint32_t item)
{
    return item == value ? WEIR_NO_NODE : weir_json_next(j, value, item);
}

#define EACH_ONE(j, n, value)                                                                                          \
    uint32_t n = proto_first((j), (value));                                                                            \
    n != WEIR_NO_NODE;                                                                                                 \
    n = proto_next((j), (value), n)

#endif
