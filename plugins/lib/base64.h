/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h -- RFC 4648, section 4, with padding.  Any process; knows nothing but sdk/weir.h and text.h.
 */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include "text.h"

void base64_put(struct text *, struct weir_str bytes);
/* false: it is none. */
bool base64_decode(struct weir_ctx *, struct weir_str text, struct weir_str *bytes);

/* The same bytes in that alphabet and padded, when they stand in the one for URLs (section 5), or without padding. */
struct weir_str base64_standard(struct weir_ctx *, struct weir_str text);

#endif
