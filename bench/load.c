/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c -- the client of the benchmarks: keeps a number of connections busy with one request after the other, for a
 * number of seconds, and prints what came of it as one line of key=value.
 *
 *   load HOST PORT CONNECTIONS SECONDS REQUEST_FILE [--tls] [--open]
 *
 * REQUEST_FILE holds the bytes of one whole request.  --open: one (endless) stream per connection; after all have begun
 * it prints "open=N", counts for SECONDS, and ends.  An answer counts when it is whole and its status is 200.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct conn {
    int fd;
    SSL *ssl;
    bool connected;
    int64_t begun_us;
    size_t sent;
    char tail[8]; /* the last bytes seen: the end of a chunked body */
    char head[2048];
    size_t head_len;
    bool in_body, chunked, first;
    long left;
    uint64_t records;
};

static char *req;
static size_t req_len;
static int epfd;
static struct sockaddr_in to;
static SSL_CTX *ctx;
static uint32_t *latency; /* microseconds */
static size_t done, cap, failed, opened;
static uint64_t bytes, records;
static bool open_mode, over;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void conn_open(struct conn *c)
{
    int one = 1;
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};

    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connect(c->fd, (struct sockaddr *)&to, sizeof to);
    if (ctx) {
        c->ssl = SSL_new(ctx);
        SSL_set_fd(c->ssl, c->fd);
        SSL_set_connect_state(c->ssl);
    }
    c->begun_us = now_us();
    epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &e);
}

static void conn_again(struct conn *c)
{
    if (c->ssl)
        SSL_free(c->ssl);
    close(c->fd);
    if (!over && !open_mode)
        conn_open(c);
}

static void conn_fail(struct conn *c)
{
    failed++;
    conn_again(c);
}

/* false: it failed. */
static bool conn_send(struct conn *c)
{
    while (c->sent < req_len) {
        ssize_t n;
        if (c->ssl) {
            int r = SSL_write(c->ssl, req + c->sent, (int)(req_len - c->sent));
            if (r <= 0) {
                int e = SSL_get_error(c->ssl, r);
                return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
            }
            n = r;
        } else {
            n = send(c->fd, req + c->sent, req_len - c->sent, MSG_NOSIGNAL);
            if (n < 0)
                return errno == EAGAIN || errno == ENOTCONN;
        }
        c->sent += (size_t)n;
    }
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &e);
    return true;
}

static void conn_done(struct conn *c)
{
    int64_t us = now_us() - c->begun_us;
    if (done < cap)
        latency[done] = (uint32_t)us;
    done++;
    c->head_len = c->sent = 0;
    c->in_body = c->first = false;
    memset(c->tail, 0, sizeof c->tail);
    if (over)
        return;
    c->begun_us = now_us();
    if (!conn_send(c))
        conn_fail(c);
}

static bool head_done(struct conn *c, char *end)
{
    *end = '\0';
    c->in_body = true;
    c->chunked = strcasestr(c->head, "transfer-encoding: chunked") != NULL;
    char *cl = strcasestr(c->head, "content-length:");
    c->left = cl ? strtol(cl + 15, NULL, 10) : -1;
    return strncmp(c->head, "HTTP/1.1 200", 12) == 0 && (c->chunked || cl);
}

static bool conn_take(struct conn *c, char *p, size_t n)
{
    if (!c->in_body) {
        size_t room = sizeof c->head - 1 - c->head_len, k = n < room ? n : room;
        memcpy(c->head + c->head_len, p, k);
        c->head_len += k;
        c->head[c->head_len] = '\0';
        char *end = strstr(c->head, "\r\n\r\n");
        if (!end)
            return c->head_len < sizeof c->head - 1;
        size_t used = (size_t)(end + 4 - c->head) - (c->head_len - k);
        if (!head_done(c, end))
            return false;
        p += used, n -= used;
    }
    if (!n && c->left != 0)
        return true;
    bytes += n;
    if (open_mode) {
        for (size_t i = 0; i + 5 < n; i++)
            if (p[i] == 'd' && memcmp(p + i, "data:", 5) == 0)
                records++;
        if (n && !c->first) {
            c->first = true;
            opened++;
        }
        return true;
    }
    if (!c->chunked) {
        c->left -= (long)n;
        if (c->left < 0)
            return false;
        if (c->left == 0)
            conn_done(c);
        return true;
    }
    char t[16];
    size_t keep = n < 7 ? n : 7, had = sizeof c->tail - 1;
    memcpy(t, c->tail, had);
    memmove(c->tail, c->tail + keep, had - keep);
    memcpy(c->tail + had - keep, p + n - keep, keep);
    if (memcmp(c->tail, "\r\n0\r\n\r\n", 7) == 0)
        conn_done(c);
    return true;
}

static void conn_ready(struct conn *c, uint32_t events)
{
    static char buf[65536];
    if ((events & EPOLLOUT) && c->sent < req_len && !conn_send(c)) {
        conn_fail(c);
        return;
    }
    if (c->ssl && c->sent < req_len && !conn_send(c)) {
        conn_fail(c);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    for (;;) {
        ssize_t n = c->ssl ? SSL_read(c->ssl, buf, sizeof buf) : recv(c->fd, buf, sizeof buf, 0);
        if (n < 0 && (c->ssl ? SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ : errno == EAGAIN))
            return;
        if (n <= 0 || !conn_take(c, buf, (size_t)n)) {
            conn_fail(c);
            return;
        }
        if (!c->ssl)
            return;
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    size_t n = strtoul(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    FILE *f = fopen(argv[5], "rb");
    req = malloc(1 << 20);
    req_len = f ? fread(req, 1, 1 << 20, f) : 0;
    for (int i = 6; i < argc; i++) {
        if (strcmp(argv[i], "--tls") == 0)
            ctx = SSL_CTX_new(TLS_client_method()); /* who is measured is not verified: it is on this machine */
        else if (strcmp(argv[i], "--open") == 0)
            open_mode = true;
    }
    if (!req_len)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    cap = 4000000;
    latency = malloc(cap * sizeof *latency);
    epfd = epoll_create1(0);
    struct conn *conns = calloc(n, sizeof *conns);
    struct epoll_event batch[256];
    int64_t begin = now_us(), end = begin + (int64_t)(seconds * 1e6);
    size_t begun = 0;
    while (now_us() < end) {
        for (size_t i = 0; i < 64 && begun < n; i++)
            conn_open(&conns[begun++]);
        int k = epoll_wait(epfd, batch, 256, begun < n ? 0 : 20);
        for (int i = 0; i < k; i++)
            conn_ready(batch[i].data.ptr, batch[i].events);
        if (open_mode && opened == n && !records) {
            ;
        }
        if (open_mode && opened == n && begin) {
            printf("open=%zu\n", opened);
            fflush(stdout);
            begin = 0;
            records = 0;
            end = now_us() + (int64_t)(seconds * 1e6);
        }
    }
    over = true;
    size_t kept = done < cap ? done : cap;
    qsort(latency, kept, sizeof *latency, compare);
    printf("done=%zu failed=%zu opened=%zu records=%llu bytes=%llu p50=%u p99=%u\n", done, failed, opened,
           (unsigned long long)records, (unsigned long long)bytes, kept ? latency[kept / 2] : 0,
           kept ? latency[kept * 99 / 100] : 0);
    return 0;
}
