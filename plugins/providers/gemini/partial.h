/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partial.h -- arguments of a call that arrive as values with JSON paths (Vertex, streamFunctionCallArguments), put
 * together into one object.
 *
 * Kept in `local` by decode.c.  What comes from the upstream is not trusted: depth, places and nodes have ceilings.
 */
#ifndef GEMINI_PARTIAL_H
#define GEMINI_PARTIAL_H

#include "gemini.h"

struct partial *partial_new(struct weir_ctx *);

/* One element of partialArgs.  false: its path makes no sense, or there is too much of it. */
bool partial_add(struct weir_ctx *, struct partial *, const struct weir_json *, uint32_t item);

/* The object so far: its text, "{}" when nothing has come. */
struct weir_str partial_text(struct weir_ctx *, const struct partial *);

#endif
