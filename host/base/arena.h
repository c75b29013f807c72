/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h -- memory that lives and dies together: a request's, a configuration's.
 *
 * Blocks come from the heap and are freed in one sweep; nothing in an arena is freed by itself.  {0} is an empty
 * arena.  The first block is small, so that an idle request costs little; later ones double up to 64 KB.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "weir.h"

struct arena_block;
struct arena { struct arena_block *blocks; char *at, *end; };

void *arena_alloc(struct arena *, size_t n);       /* zeroed, aligned for any type */
void *arena_bytes(struct arena *, size_t n);       /* not zeroed, any alignment */
char *arena_strdup(struct arena *, struct weir_str);      /* ended by 0 */
struct weir_str arena_copy(struct arena *, struct weir_str);
char *arena_printf(struct arena *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_size(const struct arena *);           /* bytes taken from the heap */
void arena_reset(struct arena *);                  /* keeps the newest block for what comes next */
void arena_fini(struct arena *);                   /* frees all; the arena is empty and usable again */

#endif
