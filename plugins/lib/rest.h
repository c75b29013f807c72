/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.h -- paths whose parts are ids that the provider gave: which of them are passed on.
 *
 * What a gateway passes on must be the same path to whoever reads it next: an id is letters, digits and a few signs, never
 * a dot alone, a slash, or something encoded.  A dialect's `accept` calls it.  Knows nothing but sdk/weir.h.
 */
#ifndef LIB_REST_H
#define LIB_REST_H

#include "text.h"

struct rest {
    const char *method, *path; /* a star is one id: "/v1/files", star, "/content"; ended by a row with path NULL */
};

static inline bool rest_id_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '_' || c == '.' || c == ':';
}

/* Bytes of the id that `s` begins with; 0: none that is clear. */
static inline size_t rest_id(struct weir_str s)
{
    size_t n = 0;
    bool more = false;

    while (n < s.len && rest_id_char(s.ptr[n])) {
        more |= s.ptr[n] != '.';
        n++;
    }
    return more && n <= 256 ? n : 0;
}

static inline bool rest_is(struct weir_str path, const char *shape)
{
    for (; *shape; shape++) {
        size_t n = *shape == '*' ? rest_id(path) : path.len && path.ptr[0] == *shape;
        if (!n)
            return false;
        path = (struct weir_str){path.ptr + n, path.len - n};
    }
    return path.len == 0;
}

static inline bool rest_known(const struct weir_request *r, const struct rest *rows)
{
    while (rows->path && !(str_is(r->method, rows->method) && rest_is(r->path, rows->path)))
        rows++;
    return rows->path != NULL;
}

#endif
