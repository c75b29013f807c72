/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h -- heap memory of a plugin that outlives requests: never NULL, as weir_alloc() is for a request. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn static inline void memory_none(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

static inline void *memory_resize(void *p, size_t count, size_t size)
{
    void *q = size && count > SIZE_MAX / size ? NULL : realloc(p, count && size ? count * size : 1);

    if (!q)
        memory_none();
    return q;
}

/* Room for one more at the end of an array. */
#define memory_more(array, count, cap)                                                     \
    ((count) < (cap)                                                                       \
         ? (void)0                                                                         \
         : (void)((cap) = (cap) ? (cap) * 2 : 16, (array) = memory_resize((array), (cap), sizeof *(array))))

#endif
