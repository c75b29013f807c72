/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h -- bytes in and out of one connected socket, with or without TLS: the same verbs for clients and upstreams.
 *
 * Non-blocking.  The owner registers `io` with the loop and reads when it is ready; it must read until a call returns less
 * than it had room for, or STREAM_AGAIN: bytes that TLS has already decrypted do not wake epoll.
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
    struct loop_fd io;
    struct ssl_st *ssl;                      /* NULL: plain */
    bool handshaken;                         /* plain: true from the start */
    bool wants_write;                        /* TLS: the pending call can go on when the socket is writable */
};

void stream_init(struct stream *, int fd, struct ssl_st *ssl);      /* takes both; not yet in a loop */
void stream_close(struct stream *, struct loop *);                  /* out of the loop, closed, freed; harmless twice */

/* A server's or client's TLS handshake: 1 done, STREAM_AGAIN, STREAM_ERROR. */
int stream_handshake(struct stream *);
ssize_t stream_read(struct stream *, void *to, size_t room);
ssize_t stream_writev(struct stream *, const struct iovec *, int n); /* may take a part; TLS joins small pieces first */
void stream_shutdown(struct stream *);                              /* says goodbye: close_notify, FIN; no more writes */
const char *stream_error(const struct stream *);                    /* for the log, after STREAM_ERROR */

#endif
