/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.h -- SipHash-2-4: a hash for tables that strangers fill; who does not know the key cannot make keys collide.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "weir.h"

uint64_t siphash(const uint64_t key[2], struct weir_str);

#endif
