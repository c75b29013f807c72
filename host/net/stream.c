/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c -- recv/sendmsg, or SSL_read/SSL_write; see stream.h. */
#include "net/stream.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "net/tls.h"

#define RECORD 16384 /* plaintext that one TLS record holds */

void stream_init(struct stream *s, int fd, struct ssl_st *ssl)
{
    *s = (struct stream){.io.fd = fd, .ssl = ssl, .handshaken = !ssl};
}

void stream_close(struct stream *s, struct loop *loop)
{
    loop_del(loop, &s->io);
    if (s->ssl) {
        /* Freeing a session that was not shut down would strike it from the sessions that can be resumed. */
        if (s->handshaken && !s->tls_error)
            SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(s->ssl);
        s->ssl = NULL;
    }
    if (s->io.fd >= 0)
        close(s->io.fd);
    s->io.fd = -1;
    s->ended = true;
}

static int broken(struct stream *s, int error, unsigned long tls_error)
{
    if (!s->error && !s->tls_error) {
        s->error = error;
        s->tls_error = tls_error;
    }
    s->ended = true;
    return STREAM_ERROR;
}

/* What an SSL_ call that returned `ret` means: 0 the end, AGAIN or ERROR. */
static int tls_outcome(struct stream *s, int ret)
{
    int sys = errno;

    switch (SSL_get_error(s->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        s->ended = true;
        return 0;
    case SSL_ERROR_SYSCALL:
        return broken(s, sys ? sys : ECONNRESET, 0);
    default:
        return broken(s, EPROTO, ERR_peek_error());
    }
}

/* OpenSSL looks at the thread's queue of errors to tell what a return value means: it must be empty before each call.
 */
static void tls_prepare(void)
{
    ERR_clear_error();
    errno = 0;
}

int stream_handshake(struct stream *s)
{
    if (s->handshaken)
        return 1;
    if (s->ended)
        return STREAM_ERROR;
    tls_prepare();
    int ret = SSL_do_handshake(s->ssl);
    s->wants_write = SSL_want_write(s->ssl);
    if (ret == 1) {
        s->handshaken = true;
        return 1;
    }
    int outcome = tls_outcome(s, ret);
    return outcome == 0 ? broken(s, ECONNRESET, 0) : outcome;
}

/* ---- reading ---- */

static ssize_t plain_read(struct stream *s, void *to, size_t room)
{
    ssize_t n;

    do
        n = recv(s->io.fd, to, room, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : broken(s, errno, 0);
    if (n == 0)
        s->ended = true;
    return n;
}

static ssize_t tls_read(struct stream *s, char *to, size_t room)
{
    size_t got = 0;

    do {
        size_t n = 0;
        tls_prepare();
        int ret = SSL_read_ex(s->ssl, to + got, room - got, &n);
        s->wants_write = SSL_want_write(s->ssl);
        s->dry = ret != 1;
        if (ret != 1) {
            int outcome = tls_outcome(s, ret);
            return got ? (ssize_t)got : outcome; /* an end is remembered: stream_more() */
        }
        got += n;
    } while (got < room && SSL_has_pending(s->ssl));
    /* A ticket that came with the data left an empty buffer for writing behind (OpenSSL 3.0): 16 KB an idle connection.
     */
    if (!SSL_has_pending(s->ssl))
        SSL_free_buffers(s->ssl);
    return (ssize_t)got;
}

ssize_t stream_read(struct stream *s, void *to, size_t room)
{
    must(room > 0);
    if (s->error || s->tls_error)
        return STREAM_ERROR;
    if (s->ended)
        return 0;
    return s->ssl ? tls_read(s, to, room) : plain_read(s, to, room);
}

bool stream_more(const struct stream *s)
{
    return s->ssl && (s->ended || (!s->dry && SSL_has_pending(s->ssl)));
}

/* ---- writing ---- */

static ssize_t plain_writev(struct stream *s, const struct iovec *v, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)(n < IOV_MAX ? n : IOV_MAX)};
    ssize_t sent;

    do
        sent = n == 1 ? send(s->io.fd, v->iov_base, v->iov_len, MSG_NOSIGNAL) : sendmsg(s->io.fd, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : broken(s, errno, 0);
    return sent;
}

/* Where a walk over pieces stands. */
struct walk {
    const struct iovec *v;
    int n;
    size_t at;
};

static void walk_skip(struct walk *w, size_t bytes)
{
    while (w->n && bytes >= w->v->iov_len - w->at) {
        bytes -= w->v->iov_len - w->at;
        w->v++, w->n--, w->at = 0;
    }
    w->at += bytes;
}

/* The next bytes to write in one call: a large piece as it stands, small ones copied together into `joined`. */
static size_t walk_join(const struct walk *from, char joined[RECORD], const char **bytes)
{
    struct walk w = *from;
    size_t len = 0;

    *bytes = (const char *)w.v->iov_base + w.at;
    if (w.n == 1 || w.v->iov_len - w.at >= RECORD)
        return w.v->iov_len - w.at;
    while (w.n && len < RECORD) {
        size_t step = w.v->iov_len - w.at;
        if (step > RECORD - len)
            step = RECORD - len;
        if (step)
            memcpy(joined + len, (const char *)w.v->iov_base + w.at, step);
        len += step;
        walk_skip(&w, step);
    }
    *bytes = joined;
    return len;
}

static ssize_t tls_writev(struct stream *s, const struct iovec *v, int n)
{
    char joined[RECORD];
    struct walk w = {v, n, 0};
    size_t total = 0;

    walk_skip(&w, 0); /* past empty pieces: SSL_write of nothing is an error */
    while (w.n) {
        const char *bytes;
        size_t wrote = 0, len = walk_join(&w, joined, &bytes);
        tls_prepare();
        int ret = SSL_write_ex(s->ssl, bytes, len, &wrote);
        if (ret != 1) {
            int outcome = tls_outcome(s, ret);
            if (total)
                return (ssize_t)total;
            return outcome == 0 ? broken(s, EPIPE, 0) : outcome;
        }
        total += wrote;
        walk_skip(&w, wrote);
    }
    return (ssize_t)total;
}

ssize_t stream_writev(struct stream *s, const struct iovec *v, int n)
{
    if (s->error || s->tls_error)
        return STREAM_ERROR;
    return s->ssl ? tls_writev(s, v, n) : plain_writev(s, v, n);
}

void stream_shutdown(struct stream *s)
{
    if (s->said_goodbye || s->io.fd < 0)
        return;
    s->said_goodbye = true;
    if (s->ssl && s->handshaken && !s->error && !s->tls_error) {
        tls_prepare();
        SSL_shutdown(s->ssl);
        ERR_clear_error();
    }
    shutdown(s->io.fd, SHUT_WR);
}

const char *stream_error(const struct stream *s)
{
    if (s->tls_error && s->ssl)
        return tls_reason(s->ssl, s->tls_error);
    return s->error ? strerror(s->error) : "no error";
}
