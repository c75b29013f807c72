/* SPDX-License-Identifier: Apache-2.0 */
/* url.h -- the parts of an absolute http or https URL (RFC 3986, 3), as views of it. */
#ifndef NET_URL_H
#define NET_URL_H

#include "weir.h"

struct url {
    bool tls;
    struct weir_str authority;               /* as in a Host header: with the port when it was given */
    struct weir_str host;                    /* without brackets */
    uint16_t port;                           /* given, or 80 and 443 */
    struct weir_str target;                  /* path and query; "/" when there is none */
};

/* Refuses user info, fragments, spaces, controls and bytes beyond ASCII: they have no place in a request line. */
bool url_parse(struct weir_str, struct url *, struct weir_error *);

#endif
