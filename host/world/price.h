/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price.h -- prices of tokens: typed in USD per million tokens as decimal text ("3", "0.075"), kept as whole numbers of
 * pico-USD per token, which is the same number times a million.  No double on the way.
 */
#ifndef WORLD_PRICE_H
#define WORLD_PRICE_H

#include "base/buf.h"

#define PRICE_UNKNOWN (-1)
#define PRICE_MAX 1000000000000              /* a million USD per million tokens */

/* At most six digits behind the point, no sign, no exponent, no spaces.  false: it is no price, and `out` is left. */
bool price_parse(struct weir_str, int64_t *out);
void price_print(struct buf *, int64_t);     /* the shortest text that reads back to it; known prices only */

#endif
