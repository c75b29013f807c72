/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h -- one growable run of bytes on the heap.  {0} is an empty buffer; buf_fini() gives the memory back.
 *
 * Growth is by doubling, so appending is cheap; who fills a buffer from outside must know a ceiling of his own.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct buf { char *ptr; size_t len, cap; };

void buf_fini(struct buf *);                       /* frees; the buffer is empty and usable again */
void buf_grow(struct buf *, size_t room);          /* at least `room` bytes free after len */
void buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *, const char *fmt, va_list);
void buf_int(struct buf *, int64_t);               /* decimal */
void buf_cut(struct buf *, size_t n);              /* drops the first n bytes */

static inline char *buf_room(struct buf *b, size_t room)
{
    if (b->cap - b->len < room)
        buf_grow(b, room);
    return b->ptr + b->len;
}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n) {
        memcpy(buf_room(b, n), p, n);
        b->len += n;
    }
}

static inline void buf_str(struct buf *b, struct weir_str s) { buf_put(b, s.ptr, s.len); }
static inline void buf_char(struct buf *b, char c) { *buf_room(b, 1) = c; b->len++; }
#define buf_lit(b, s) buf_put((b), "" s, sizeof(s) - 1)

static inline struct weir_str buf_view(const struct buf *b)
{
    return (struct weir_str){b->ptr, b->len};
}

#endif
