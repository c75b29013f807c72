/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector.h -- gets connected sockets to upstreams: libcurl resolves, races addresses (Happy Eyeballs, RFC 8305) and
 * tunnels through CONNECT proxies; OpenSSL adds TLS and verifies; then the socket is ours and libcurl is let go.
 *
 * One per worker, on its loop.  It knows nothing of HTTP exchanges, pools or requests.  Names are resolved by
 * short-lived threads of libcurl's; nothing of ours runs in them.  Why it is so: docs/decisions, "connector".
 */
#ifndef NET_CONNECTOR_H
#define NET_CONNECTOR_H

#include "net/loop.h"
#include "net/stream.h"
#include "weir.h"

struct connector;
struct connect;                              /* one attempt under way */

struct connect_target {                      /* NUL-ended strings, borrowed for as long as the attempt runs */
    const char *host;                        /* name (ASCII) or address, IPv6 without brackets */
    uint16_t port;
    struct ssl_ctx_st *tls;                  /* NULL: plain */
    const char *proxy;                       /* "http://user:pass@host:port"; NULL or "": none, not the environment's */
    int64_t connect_ms, tls_ms;              /* bounds: waiting in line + resolve + connect + tunnel; handshake */
};

/* PROXY: the proxy was not reached, or refused the tunnel.  REFUSED: no address of the host took the connection. */
enum connect_fault { CONNECT_OK, CONNECT_DNS, CONNECT_REFUSED, CONNECT_TIMEOUT, CONNECT_PROXY, CONNECT_TLS };

struct connect_result {
    enum connect_fault fault;
    struct stream stream;                    /* CONNECT_OK: taken by the callee, not in the loop, non-blocking */
    char why[160];                           /* else: for the log and the record; holds no credentials */
    int64_t connect_us, tls_us;              /* time taken */
};

struct connector *connector_new(struct loop *);
void connector_free(struct connector *);     /* cancels what is under way; not from inside `done` */

/* `done` is called exactly once, never from inside connector_start(), unless connector_cancel() comes first.  With
 * TLS 1.3 a peer that wants a client certificate says so only after the handshake: in the first read. */
struct connect *connector_start(struct connector *, const struct connect_target *,
                                void (*done)(void *arg, struct connect_result *), void *arg);
void connector_cancel(struct connect *);

#endif
