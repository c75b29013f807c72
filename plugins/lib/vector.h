/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.h -- an embedding, as an array of numbers or as base64 of little-endian floats.  Hook `answer`, worker
 * process; knows nothing but sdk/weir.h and emit.h.
 */
#ifndef LIB_VECTOR_H
#define LIB_VECTOR_H

#include "emit.h"

/* One value: in base64 when asked for, and numbers when not, whichever of both `text` (raw JSON, a string without its
 * quotes) is. */
void vector_put(struct emit *, struct weir_str text, bool base64);

#endif
