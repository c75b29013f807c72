/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h -- bytes in and out of one connected socket, with or without TLS: the same verbs for clients and upstreams.
 *
 * Non-blocking.  The owner registers `io` with the loop (loop_add(loop, &s->io, s->io.fd, ...)) and reads when it is
 * ready. Bytes that TLS has already decrypted do not wake epoll: after a read, and when reading goes on after a pause,
 * read again while stream_more() says so.  No call raises SIGPIPE: plain writes say MSG_NOSIGNAL, and loop_init() made
 * the process ignore the signal, for TLS.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <sys/types.h>
#include <sys/uio.h>

#include "net/loop.h"
#include "weir.h"

struct ssl_st;
struct ssl_ctx_st;

enum { STREAM_AGAIN = -1, STREAM_ERROR = -2 };   /* results of read and writev beside a count; a read of 0 is the end */

struct stream {
    struct loop_fd io;                       /* io.fd is the socket from stream_init() on, -1 when closed */
    struct ssl_st *ssl;                      /* NULL: plain */
    bool handshaken;                         /* plain: true from the start */
    bool wants_write;                        /* TLS: the handshake or read that said AGAIN waits to write */
    bool dry;                                /* TLS: the last read found no whole record */
    bool ended;                              /* no more to read: the end or an error has been seen */
    bool said_goodbye;
    int error;                               /* errno, and OpenSSL's code, of the first STREAM_ERROR */
    unsigned long tls_error;
};

void stream_init(struct stream *, int fd, struct ssl_st *ssl);      /* takes both; not yet in a loop */
/* Out of the loop, closed, freed; harmless twice.  Says no goodbye: a peer must be able to see that an answer broke
 * off. */
void stream_close(struct stream *, struct loop *);

/* A server's or client's TLS handshake: 1 done, STREAM_AGAIN, STREAM_ERROR. */
int stream_handshake(struct stream *);

/* Fills as much of `room` as is there.  TLS: an end without close_notify is STREAM_ERROR, so that a body that lasts
 * until the end cannot be cut by a third party. */
ssize_t stream_read(struct stream *, void *to, size_t room);
bool stream_more(const struct stream *);     /* read again at once: it has something that epoll does not know of */

/* May take a part.  TLS joins pieces smaller than a record (16 KB) into one.  After AGAIN the next call begins with the
 * same bytes, and with no fewer of them. */
ssize_t stream_writev(struct stream *, const struct iovec *, int n);
void stream_shutdown(struct stream *);       /* says goodbye: close_notify, FIN; no more writes */

const char *stream_error(const struct stream *);   /* for the log, after STREAM_ERROR: "certificate has expired" */

#endif
