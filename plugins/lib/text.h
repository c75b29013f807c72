/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h -- bytes that a plugin puts together, in the memory of its request.
 *
 * {.c = ctx} is an empty text.  Growth is by doubling; nothing is freed before the request ends, so empty a text
 * (len = 0) and use it again rather than making another.  Any process; knows nothing but sdk/weir.h.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include "weir.h"

struct text {
    struct weir_ctx *c;
    char *ptr;
    size_t len, cap;
};

void text_put(struct text *, const void *, size_t);
void text_int(struct text *, int64_t);
/* Room for about `n` bytes at once, for a text that is made of another of that length. */
void text_reserve(struct text *, size_t n);

/* The value as the inside of a JSON string.  What is no UTF-8 becomes U+FFFD, but half a surrogate pair (the three
 * bytes that weir_unescape() makes of a lone \udXXX) becomes that escape again. */
void text_json(struct text *, struct weir_str value);

static inline void text_str(struct text *t, struct weir_str s)
{
    text_put(t, s.ptr, s.len);
}
#define text_lit(t, s) text_put((t), "" s, sizeof(s) - 1)

static inline struct weir_str text_view(const struct text *t)
{
    return (struct weir_str){t->ptr, t->len};
}

static inline struct weir_str str_of(const char *z)
{
    return (struct weir_str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(struct weir_str a, struct weir_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct weir_str a, const char *z)
{
    return str_eq(a, str_of(z));
}

static inline bool str_starts(struct weir_str s, const char *z)
{
    size_t n = strlen(z);

    return s.len >= n && memcmp(s.ptr, z, n) == 0;
}

/* What stands behind `z`, with which s starts. */
static inline struct weir_str str_behind(struct weir_str s, const char *z)
{
    size_t n = strlen(z);

    return (struct weir_str){s.ptr + n, s.len - n};
}

/* A copy that lasts as long as the request. */
struct weir_str text_keep(struct weir_ctx *, struct weir_str);

#endif
