/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.h -- heads of HTTP/1.1 messages (RFC 9112), read strictly: what two parsers could read in two ways is refused.
 *
 * Works on one contiguous run of bytes and copies nothing.  Used for clients (http1_request) and for upstreams
 * (http1_response).  Refused: Content-Length with Transfer-Encoding, a repeated, empty, signed or list-valued
 * Content-Length, Transfer-Encoding other than exactly `chunked` once, or in HTTP/1.0, bare CR, bare LF, obs-fold,
 * space before the colon, empty or non-token names, NUL and other controls in values, no, several, empty or impossible
 * Host in a request or one that differs from an absolute target's, a target that is not origin-form, absolute-form
 * (http, https) or `*`, CONNECT, versions other than HTTP/1.0 and HTTP/1.1, answers that switch protocols.
 *
 * The verdict is that of the first fault in the order of the bytes, and does not depend on how they arrive.
 */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HTTP1_HEADERS_MAX 128

struct http1_header { struct weir_str name, value; };    /* as sent; value without the space around it */

enum http1_body { HTTP1_NO_BODY, HTTP1_LENGTH, HTTP1_CHUNKED, HTTP1_UNTIL_CLOSE };   /* the last: responses only */

struct http1_limits { size_t head, headers, line; };     /* bytes of the head, headers (<= MAX), bytes of a line */

struct http1_head {
    struct http1_header *headers;            /* the caller's array of HTTP1_HEADERS_MAX; set before the call */
    size_t count;
    struct weir_str method, target;          /* request; target as sent */
    struct weir_str authority;               /* request: of an absolute-form target, else empty */
    struct weir_str path, query;             /* request: of the target, as sent; query without '?' */
    int status;                              /* response: its code.  HTTP1_BAD: what to answer: a request 4xx or 5xx,
                                                a response 502 */
    int minor;                               /* HTTP/1.x */
    enum http1_body body;
    int64_t content_length;                  /* of HTTP1_LENGTH */
    bool keep_alive, expect_continue;
    size_t length;                           /* bytes of the head, the empty line too */
    const char *why;                         /* HTTP1_BAD: a sentence */
};

enum http1_result { HTTP1_MORE, HTTP1_OK, HTTP1_BAD };

/* `examined` is kept by the caller between calls with more and more bytes, so that a head that trickles in costs linear
 * time: 0 first, and 0 again after OK and BAD.  Empty lines before a request line are skipped (RFC 9112, 2.2): at
 * most 4.  After BAD only `status` and `why` tell anything, and the connection cannot be used further.  A method is any
 * token of up to 32 bytes but CONNECT: which are served is the caller's to say. */
enum http1_result http1_request(struct http1_head *, const char *bytes, size_t n, size_t *examined,
                                const struct http1_limits *);
/* `to_head`: the request was HEAD.  1xx answers have HTTP1_NO_BODY and another head after them. */
enum http1_result http1_response(struct http1_head *, const char *bytes, size_t n, size_t *examined,
                                 const struct http1_limits *, bool to_head);

/* The value of the first header of this name (lower case), or NULL. */
const struct weir_str *http1_find(const struct http1_head *, struct weir_str name);
/* The head's bytes were copied from `from` to `to`: all views follow. */
void http1_rebase(struct http1_head *, const char *from, const char *to);

#endif
