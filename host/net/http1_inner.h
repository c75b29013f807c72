/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_inner.h -- what the files of the head reader share: http1.c (lines), http1_fields.c (what the fields mean) and
 * chunked.c (trailers).  Nobody else includes it.
 */
#ifndef NET_HTTP1_INNER_H
#define NET_HTTP1_INNER_H

#include "net/http1.h"

/* Bits of http1_class: where a character may stand. */
enum {
    HTTP1_TOKEN = 1,                         /* tchar of RFC 9110, 5.6.2 */
    HTTP1_PATH = 2,                          /* in a path as sent; '%' is not here, see http1_uri_run() */
    HTTP1_QUERY = 4,
    HTTP1_NAME = 8,                          /* in a reg-name of RFC 3986, 3.2.2 */
};

extern const uint8_t http1_class[256];

static inline bool http1_is(char c, uint8_t bits)
{
    return http1_class[(uint8_t)c] & bits;
}

/* The end of the run of characters of these classes and of whole percent-escapes; behind it must stand a character that
 * is in no class, as a space, a tab or a CR does behind everything in a line. */
const char *http1_uri_run(const char *p, uint8_t bits);
/* host [":" port] of RFC 9110, 7.2, host not empty; in a line, see above. */
bool http1_authority_ok(struct weir_str);

/* Notes the status and the reason; always false. */
bool http1_refuse(struct http1_head *, int status, const char *why);
/* What the fields say of framing and the connection; the start line is read.  false: refused. */
bool http1_request_fields(struct http1_head *);
bool http1_response_fields(struct http1_head *, bool to_head);

#endif
