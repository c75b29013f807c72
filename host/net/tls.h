/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h -- TLS contexts by OpenSSL: for the listeners (server) and for upstreams (client).  TLS 1.2 and later only.
 *
 * Contexts are built once per generation, before the workers are forked, so that keys are read once and shared
 * copy-on-write; sessions (SSL) are per connection.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "weir.h"

struct ssl_ctx_st;
struct ssl_st;

struct tls_client_config {                   /* "" and NULL: not set */
    const char *ca;                          /* PEM file that replaces the system's list of authorities */
    const char *cert, *key;                  /* PEM files: who we are to the upstream */
};

/* NULL and the error when a file cannot be read or does not fit.  Free with tls_free(). */
struct ssl_ctx_st *tls_server(const char *cert, const char *key, struct weir_error *);
struct ssl_ctx_st *tls_client(const struct tls_client_config *, struct weir_error *);
void tls_free(struct ssl_ctx_st *);

/* A session over a connected socket.  The client's verifies the chain and `host` (DNS name, or address) and offers
 * ALPN http/1.1 alone. */
struct ssl_st *tls_accept(struct ssl_ctx_st *, int fd);
struct ssl_st *tls_connect(struct ssl_ctx_st *, int fd, const char *host);

/* The reason of the last failed handshake or call on this session, for people ("certificate has expired"). */
void tls_reason(const struct ssl_st *, char *text, size_t room);

#endif
