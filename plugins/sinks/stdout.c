/* SPDX-License-Identifier: Apache-2.0 */
/* stdout.c -- sink: one line of JSON for each record, to standard output: {"seq":12,"kind":"close",...}. */
#include "weir.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

/* All of it, also where standard output does not block. */
static bool write_all(struct iovec *v, int n)
{
    while (n) {
        ssize_t done = writev(STDOUT_FILENO, v, n);
        if (done < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, 1000);
        else if (done < 0 && errno != EINTR)
            return false;
        for (; n && done >= (ssize_t)v->iov_len; v++, n--)
            done -= (ssize_t)v->iov_len;
        if (n && done > 0) {
            v->iov_base = (char *)v->iov_base + done;
            v->iov_len -= (size_t)done;
        }
    }
    return true;
}

static enum weir_sent write_batch(void *self, const struct weir_record *r, size_t n, size_t stride,
                                  struct weir_error *e)
{
    char seq[40];

    (void)self;
    for (size_t i = 0; i < n; i++, r = (const struct weir_record *)(const void *)((const char *)r + stride)) {
        int len = snprintf(seq, sizeof seq, "{\"seq\":%llu,", (unsigned long long)r->seq);
        struct iovec line[] = {{seq, (size_t)len}, {(void *)(r->json.ptr + 1), r->json.len - 1}, {"\n", 1}};
        if (!write_all(line, 3)) {
            snprintf(e->text, sizeof e->text, "standard output: %s", strerror(errno));
            return errno == EBADF || errno == EPIPE ? WEIR_PAUSE : WEIR_RETRY;
        }
    }
    return WEIR_DONE;
}

WEIR_PLUGIN(
    .name    = "stdout",
    .version = "1",
    .summary = "Writes records to standard output, one line of JSON each.",
    .write   = write_batch,
);
