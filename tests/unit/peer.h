/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h -- servers for tests, each in a process of its own: an origin (plain or TLS) and a CONNECT proxy.
 *
 * An origin answers every 4 bytes it reads with the same 4 bytes.  All listen on loopback, one thread a connection, and
 * die with the test.
 */
#ifndef PEER_H
#define PEER_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

struct peer {
    pid_t pid;
    uint16_t port;
    /* what it is; set before peer_start() */
    const char *address;                /* NULL: 127.0.0.1 */
    uint16_t want_port;                 /* 0: any */
    const char *cert, *key, *client_ca; /* TLS; client_ca: a certificate is required */
    int version;                        /* TLS: only this one; 0: any */
    const char *proxy_says;             /* proxy: answers so and does not tunnel; NULL: an origin, or `tunnel` */
    bool silent;                        /* accepts and says nothing */
    bool tunnel;                        /* proxy: connects to where CONNECT says */
    const char *auth;                   /* proxy: the Proxy-Authorization that it wants */
};

struct peer_conn {
    const struct peer *p;
    SSL_CTX *ctx;
    int fd;
};

static inline void peer_echo(SSL *ssl, int fd)
{
    char bytes[4];
    size_t at = 0;

    for (;;) {
        ssize_t n = ssl ? SSL_read(ssl, bytes + at, (int)(4 - at)) : read(fd, bytes + at, 4 - at);
        if (n <= 0)
            return;
        at += (size_t)n;
        if (at == 4 && (ssl ? SSL_write(ssl, bytes, 4) : write(fd, bytes, 4)) != 4)
            return;
        at %= 4;
    }
}

static inline void peer_relay(int a, int b)
{
    fd_set set;
    char bytes[4096];

    for (;;) {
        FD_ZERO(&set);
        FD_SET(a, &set), FD_SET(b, &set);
        if (select((a > b ? a : b) + 1, &set, NULL, NULL, NULL) < 0)
            return;
        int from = FD_ISSET(a, &set) ? a : b;
        ssize_t n = read(from, bytes, sizeof bytes);
        if (n <= 0 || write(from == a ? b : a, bytes, (size_t)n) != n)
            return;
    }
}

static inline void peer_proxy(const struct peer *p, int fd)
{
    char head[2048] = "", host[64];
    unsigned port;
    size_t n = 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    while (n < sizeof head - 1 && !strstr(head, "\r\n\r\n")) {
        ssize_t got = read(fd, head + n, sizeof head - 1 - n);
        if (got <= 0)
            return;
        n += (size_t)got;
    }
    const char *says = p->proxy_says;
    if (p->auth && !strstr(head, p->auth))
        says = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: "
               "0\r\n\r\n";
    if (says) {
        if (write(fd, says, strlen(says)) < 0)
            return;
        if (read(fd, head, 1) < 0) /* the end, or a second try */
            return;
        return;
    }
    if (sscanf(head, "CONNECT %63[^:]:%u HTTP/1.1", host, &port) != 2)
        return;
    to.sin_port = htons((uint16_t)port);
    int up = socket(AF_INET, SOCK_STREAM, 0);
    const char *ok = "HTTP/1.1 200 Fine\r\nX-Header: of the proxy\r\n\r\n";
    if (connect(up, (struct sockaddr *)&to, sizeof to) == 0 && write(fd, ok, strlen(ok)) > 0)
        peer_relay(fd, up);
    close(up);
}

static inline void *peer_serve(void *arg)
{
    struct peer_conn *c = arg;
    SSL *ssl = NULL;

    if (c->p->silent) {
        char bytes[512];
        while (read(c->fd, bytes, sizeof bytes) > 0)
            ;
    } else if (c->p->proxy_says || c->p->tunnel) {
        peer_proxy(c->p, c->fd);
    } else if (!c->ctx) {
        peer_echo(NULL, c->fd);
    } else {
        ssl = SSL_new(c->ctx);
        SSL_set_fd(ssl, c->fd);
        if (SSL_accept(ssl) == 1)
            peer_echo(ssl, c->fd);
        SSL_free(ssl);
    }
    close(c->fd);
    free(c);
    return NULL;
}

static inline SSL_CTX *peer_context(const struct peer *p)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_security_level(ctx, 0);
    ck_assert(SSL_CTX_use_certificate_chain_file(ctx, p->cert) == 1);
    ck_assert(SSL_CTX_use_PrivateKey_file(ctx, p->key, SSL_FILETYPE_PEM) == 1);
    if (p->version)
        ck_assert(SSL_CTX_set_min_proto_version(ctx, p->version) && SSL_CTX_set_max_proto_version(ctx, p->version));
    if (p->client_ca) {
        ck_assert(SSL_CTX_load_verify_file(ctx, p->client_ca) == 1);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"peer", 4);
    return ctx;
}

/* A listening socket; *port 0 is filled in. */
static inline int peer_listen(const char *address, uint16_t *port, int backlog)
{
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(*port)};
    bool v6 = strchr(address, ':') != NULL;
    struct sockaddr *a = v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
    socklen_t len = v6 ? sizeof a6 : sizeof a4;
    int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(inet_pton(a->sa_family, address, v6 ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr), 1);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    ck_assert_int_eq(bind(fd, a, len), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, a, &len), 0);
    *port = ntohs(v6 ? a6.sin6_port : a4.sin_port);
    return fd;
}

#ifdef __SANITIZE_THREAD__
const char *__tsan_default_options(void);
/* A peer has threads, and a test may start it while a resolver's thread is asleep, with no lock in its hands. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

static inline void peer_start(struct peer *p)
{
    p->port = p->want_port;
    int listener = peer_listen(p->address ? p->address : "127.0.0.1", &p->port, 1024);

    fflush(NULL);
    p->pid = fork();
    ck_assert_int_ge(p->pid, 0);
    if (p->pid) {
        close(listener);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *ctx = p->cert ? peer_context(p) : NULL;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        struct peer_conn *c = malloc(sizeof *c);
        pthread_t t;
        *c = (struct peer_conn){p, ctx, accept(listener, NULL, NULL)};
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (c->fd < 0 || pthread_create(&t, &detached, peer_serve, c) != 0)
            _exit(1);
    }
}

static inline void peer_stop(struct peer *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    p->pid = 0;
}

#endif
