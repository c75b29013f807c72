/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c -- growth and formatting; see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){0};
}

void buf_grow(struct buf *b, size_t room)
{
    size_t cap = b->cap ? b->cap : 256;

    must(room <= SIZE_MAX / 4 && b->len <= SIZE_MAX / 4);
    while (cap - b->len < room)
        cap *= 2;
    if (cap != b->cap) {
        b->ptr = must_realloc(b->ptr, cap);
        b->cap = cap;
    }
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    char *at = buf_room(b, 128);
    va_copy(again, ap);
    int n = vsnprintf(at, b->cap - b->len, fmt, ap);

    must(n >= 0);
    if ((size_t)n >= b->cap - b->len) {
        at = buf_room(b, (size_t)n + 1);
        vsnprintf(at, b->cap - b->len, fmt, again);
    }
    va_end(again);
    b->len += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_int(struct buf *b, int64_t v)
{
    char text[20], *p = text + sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    buf_put(b, p, (size_t)(text + sizeof text - p));
}

void buf_cut(struct buf *b, size_t n)
{
    must(n <= b->len);
    b->len -= n;
    if (b->len)
        memmove(b->ptr, b->ptr + n, b->len);
}
