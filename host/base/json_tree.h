/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_tree.h -- a text as a jansson tree and back, faster than jansson's own reader and writer, and without loss.
 *
 * Reader: over the nodes of a skim, through jansson's public API.  Integers beyond 64 bits and reals beyond a double's
 * precision cannot live in a json_t: json_tree() refuses them by name (use the raw text instead).
 * Writer: compact, keys in their order, reals in the shortest form that reads back to the same double, always with a point or
 * an exponent, so that 1.0 stays a real.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include <jansson.h>

#include "base/buf.h"
#include "weir.h"

/* A new reference to the tree of `node` and all below it; NULL and the error when a number does not fit. */
json_t *json_tree(const struct weir_json *, uint32_t node, struct weir_error *);
/* From text, skimmed here with room for any nesting that `limits` of the program allow. */
json_t *json_tree_text(struct weir_str text, struct weir_error *);

void json_write(struct buf *, const json_t *);
void json_write_real(struct buf *, double);              /* finite */

#endif
