/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c -- block list with a bump pointer; see arena.h. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct arena_block {
    struct arena_block *next;
    size_t size;
};

#define FIRST   2048u
#define LARGEST 65536u

static void *block_add(struct arena *a, size_t n)
{
    size_t size = a->blocks ? a->blocks->size * 2 : FIRST;
    struct arena_block *b;

    if (size > LARGEST)
        size = LARGEST;
    must(n < SIZE_MAX / 2);
    if (n + sizeof *b + 16 > size)
        size = n + sizeof *b + 16;
    b = malloc(size);
    must(b != NULL);
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    a->at = (char *)(b + 1);
    a->end = (char *)b + size;
    return a->at;
}

void *arena_bytes(struct arena *a, size_t n)
{
    char *p = a->at;

    if ((size_t)(a->end - a->at) < n || !p)
        p = block_add(a, n);
    a->at = p + n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t pad = (size_t)(-(uintptr_t)a->at & 15);
    char *p;

    if (!a->at || (size_t)(a->end - a->at) < n + pad) {
        p = block_add(a, n);
        pad = (size_t)(-(uintptr_t)p & 15);
    }
    p = a->at + pad;
    a->at = p + n;
    return memset(p, 0, n);
}

char *arena_strdup(struct arena *a, struct weir_str s)
{
    char *p = arena_bytes(a, s.len + 1);

    if (s.len)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return p;
}

struct weir_str arena_copy(struct arena *a, struct weir_str s)
{
    return (struct weir_str){arena_strdup(a, s), s.len};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    must(n >= 0);
    char *p = arena_bytes(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

size_t arena_size(const struct arena *a)
{
    size_t sum = 0;

    for (const struct arena_block *b = a->blocks; b; b = b->next)
        sum += b->size;
    return sum;
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    if (!keep)
        return;
    if (keep->size > LARGEST) {
        arena_fini(a);
        return;
    }
    struct arena older = {keep->next, NULL, NULL};
    arena_fini(&older);
    keep->next = NULL;
    a->at = (char *)(keep + 1);
    a->end = (char *)keep + keep->size;
}
