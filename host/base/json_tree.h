/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_tree.h -- a text as a jansson tree and back, faster than jansson's own reader and writer.
 *
 * Reader: over the nodes of a skim, through jansson's public API.  A real becomes the nearest double, as everywhere.
 * What cannot live in a json_t is refused by name: integers beyond 64 bits, reals beyond a double's range, and more
 * levels than jansson's own reader takes (2,048; its json_decref() is recursive).  Strings are values as json_text.h
 * says, with lengths of their own: they may hold U+0000, and halves of surrogate pairs. Writer: compact, keys in their
 * order, reals in the shortest form that reads back to the same double, always with a point or an exponent, so that 1.0
 * stays a real.  It needs the "C" locale, which nobody in weir changes.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include <jansson.h>

#include "base/buf.h"
#include "weir.h"

/* A new reference to the tree of `node` and all below it; NULL and the error (code json_number or json_too_deep). */
json_t *json_tree(const struct weir_json *, uint32_t node, struct weir_error *);
/* From text, skimmed here; NULL and the error, of json_skim() or of json_tree(). */
json_t *json_tree_text(struct weir_str text, struct weir_error *);

void json_write(struct buf *, const json_t *);
void json_write_real(struct buf *, double); /* finite */

#endif
