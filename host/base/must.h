/* SPDX-License-Identifier: Apache-2.0 */
/*
 * must.h -- what cannot go on stops here.
 *
 * Out of memory and broken invariants abort with file and line; a supervisor replaces the process.  What the outside
 * world may cause is never a must(): it is a `bool` and a `struct weir_error`.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>

_Noreturn void must_fail(const char *what, const char *file, int line);

#define must(x) ((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__))

/* Heap memory that is never NULL.  Freed with free(). */
void *must_alloc(size_t n);              /* zeroed */
void *must_realloc(void *p, size_t n);
char *must_strdup(const char *s);

#endif
