/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h -- verbs for `struct weir_str`, a borrowed view of bytes (not ended by 0).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "weir.h"

#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr       /* for messages: lengths there are bounded by the caller */

static inline struct weir_str str_of(const char *z)
{
    return (struct weir_str){z, z ? strlen(z) : 0};
}

static inline struct weir_str str_sub(struct weir_str s, size_t from, size_t to)
{
    return (struct weir_str){s.ptr + from, to - from};
}

static inline bool str_eq(struct weir_str a, struct weir_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct weir_str a, const char *z)
{
    return str_eq(a, str_of(z));
}

static inline char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* ASCII only, as header names and schemes are. */
static inline bool str_eq_nocase(struct weir_str a, struct weir_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (str_lower(a.ptr[i]) != str_lower(b.ptr[i]))
            return false;
    return true;
}

static inline bool str_starts(struct weir_str s, struct weir_str prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

static inline struct weir_str str_trim(struct weir_str s)
{
    while (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
        s.ptr++, s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* A glob with `*` only, as lists of models are written: "openai" then "/" then "*". */
bool str_glob(struct weir_str pattern, struct weir_str s);

/* The name in `names` (NULL-ended) nearest to `word`, or NULL when none is near: for "did you mean". */
const char *str_nearest(const char *word, const char *const *names);

/* 64-bit FNV-1a: for tables inside one process tree; not for anything an attacker may fill. */
static inline uint64_t str_hash(struct weir_str s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.ptr[i]) * 0x100000001b3u;
    return h;
}

#endif
