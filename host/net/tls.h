/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h -- TLS contexts by OpenSSL: for the listeners (server) and for upstreams (client).  TLS 1.2 and later only.
 *
 * Contexts are built once per generation, before the workers are forked, so that keys (also those of session tickets)
 * are made and read once and shared copy-on-write; sessions (SSL) are per connection.  A client always verifies:
 * nothing here can switch that off.  It trusts the system's authorities (OpenSSL's default place, or $SSL_CERT_FILE and
 * $SSL_CERT_DIR), or those of `ca` instead.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "weir.h"

struct ssl_ctx_st;
struct ssl_st;

struct tls_client_config {                   /* "" and NULL: not set */
    const char *ca;                          /* PEM file that replaces the system's list of authorities */
    const char *cert, *key;                  /* PEM files: who we are to the upstream */
    struct ssl_ctx_st *same_ca;              /* a client's context with the same `ca`: its authorities are shared, not
                                                read again; NULL: none */
};

/* NULL and the error ("/path: No such file or directory"; field "cert", "key" or "ca") when a file cannot be read or
 * does not fit.  Free with tls_free(), which sessions may outlive. */
struct ssl_ctx_st *tls_server(const char *cert, const char *key, struct weir_error *);
struct ssl_ctx_st *tls_client(const struct tls_client_config *, struct weir_error *);
void tls_free(struct ssl_ctx_st *);

/* A session over a connected socket.  The client's verifies the chain and that the certificate is for `host` (DNS name,
 * or address), offers ALPN http/1.1 alone, and resumes this context's last session with `host` when that is fresh. */
struct ssl_st *tls_accept(struct ssl_ctx_st *, int fd);
struct ssl_st *tls_connect(struct ssl_ctx_st *, int fd, const char *host);

/* What an OpenSSL error code of this session means, for people ("certificate has expired"). */
const char *tls_reason(const struct ssl_st *, unsigned long code);

#endif
