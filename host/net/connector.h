/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector.h -- gets connected sockets to upstreams: libcurl resolves, races addresses (Happy Eyeballs, RFC 8305) and
 * tunnels through CONNECT proxies; OpenSSL adds TLS and verifies; then the socket is ours and libcurl is let go.
 *
 * One per worker, on its loop.  It knows nothing of HTTP exchanges, pools or requests.
 */
#ifndef NET_CONNECTOR_H
#define NET_CONNECTOR_H

#include "net/loop.h"
#include "net/stream.h"
#include "weir.h"

struct connector;
struct connect;                              /* one attempt under way */

struct connect_target {                      /* borrowed for as long as an attempt runs; NUL-ended strings */
    const char *host;                        /* name or address, IPv6 without brackets */
    uint16_t port;
    struct ssl_ctx_st *tls;                  /* NULL: plain */
    const char *proxy;                       /* "http://user:pass@host:port", "" none; the environment is not asked */
    int64_t connect_ms, tls_ms;              /* bounds: resolve + connect + tunnel; handshake */
};

enum connect_fault { CONNECT_OK, CONNECT_DNS, CONNECT_REFUSED, CONNECT_TIMEOUT, CONNECT_PROXY, CONNECT_TLS };

struct connect_result {
    enum connect_fault fault;
    struct stream stream;                    /* CONNECT_OK: taken by the callee, not in the loop, non-blocking */
    char why[160];                           /* else: for the log and the record */
    int64_t connect_us, tls_us;              /* time taken */
};

struct connector *connector_new(struct loop *);
void connector_free(struct connector *);     /* cancels what is under way */

/* `done` is called exactly once, never from inside connector_start(), unless connector_cancel() comes first. */
struct connect *connector_start(struct connector *, const struct connect_target *,
                                void (*done)(void *arg, struct connect_result *), void *arg);
void connector_cancel(struct connect *);

#endif
