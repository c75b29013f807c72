/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.c -- the model server of the benchmarks: answers every request at once, as cheaply as it can, so that what
 * stands before it is what is measured.
 *
 *   upstream PORT [--tls CERT KEY]
 *
 * POST .../json            1 KB of chat completion
 * POST .../messages        the same in Anthropic's words, whole and streamed
 * POST .../stream?n=N&ms=M N SSE records of about 200 bytes, M milliseconds apart (0: all at once), then [DONE]
 * A request whose body says "stream":true gets the stream, with n and ms from the header x-bench: n=N,ms=M (for proxies
 * that keep it) or from the model's name "bench/N/M".
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <netinet/in.h>
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

#define REQUEST_MAX 262144
#define CONNS_MAX   65536

struct answers {
    char json[2048], first[1024], record[512], last[1024];
    size_t json_len, first_len, record_len, last_len;
};

struct conn {
    int fd;
    const struct answers *say;
    SSL *ssl;
    bool shaken;
    char *in;
    size_t in_len;
    int left, every_ms; /* records still to send; time between them */
    int64_t next_ms;
    struct conn *next_stream, **stream_link;
    char *out; /* what the socket did not take */
    size_t out_len, out_at;
};

static struct answers chat, messages;
static struct conn *streams;
static int epfd;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t whole(char *to, size_t size, const char *body)
{
    return (size_t)snprintf(to, size,
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                            strlen(body), body);
}

static size_t chunk(char *to, size_t size, const char *records, bool last)
{
    return (size_t)snprintf(to, size, "%zx\r\n%s\r\n%s", strlen(records), records, last ? "0\r\n\r\n" : "");
}

static void chat_texts(struct answers *a, const char *text)
{
    char body[1536];

    snprintf(body, sizeof body,
             "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1750000000,\"model\":\"bench\","
             "\"choices\":"
             "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],"
             "\"usage\":{\"prompt_tokens\":500,\"completion_tokens\":225,\"total_tokens\":725}}",
             text);
    a->json_len = whole(a->json, sizeof a->json, body);
#define CHUNK(delta, finish)                                                                                           \
    "data: "                                                                                                           \
    "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1750000000,\"model\":\"bench\","      \
    "\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":" finish "}]}\n\n"
    a->record_len = chunk(a->record, sizeof a->record, CHUNK("{\"content\":\" word and\"}", "null"), false);
    a->last_len = chunk(a->last, sizeof a->last, CHUNK("{}", "\"stop\"") "data: [DONE]\n\n", true);
}

static void message_texts(struct answers *a, const char *text)
{
    char body[1536];

    snprintf(body, sizeof body,
             "{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"bench\",\"content\":"
             "[{\"type\":\"text\",\"text\":\"%s\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
             "\"usage\":{\"input_tokens\":500,\"output_tokens\":225}}",
             text);
    a->json_len = whole(a->json, sizeof a->json, body);
#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
    a->first_len = chunk(
        a->first, sizeof a->first,
        EVENT("message_start",
              ",\"message\":{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"bench\","
              "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
              "\"usage\":{\"input_tokens\":500,\"output_tokens\":1}}")
            EVENT("content_block_start", ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
        false);
    a->record_len = chunk(
        a->record, sizeof a->record,
        EVENT("content_block_delta", ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word and\"}"), false);
    a->last_len = chunk(
        a->last, sizeof a->last,
        EVENT("content_block_stop", ",\"index\":0")
            EVENT("message_delta",
                  ",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":225}")
                EVENT("message_stop", ""),
        true);
}

static void texts(void)
{
    char pad[751];

    memset(pad, 'a', sizeof pad);
    for (size_t i = 5; i < sizeof pad; i += 6)
        pad[i] = ' ';
    pad[sizeof pad - 1] = '\0';
    chat_texts(&chat, pad);
    message_texts(&messages, pad);
}

static void conn_close(struct conn *c)
{
    if (c->stream_link) {
        *c->stream_link = c->next_stream;
        if (c->next_stream)
            c->next_stream->stream_link = c->stream_link;
    }
    if (c->ssl)
        SSL_free(c->ssl);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static ssize_t conn_write(struct conn *c, const char *p, size_t n)
{
    if (!c->ssl)
        return send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    int r = SSL_write(c->ssl, p, (int)n);
    if (r <= 0) {
        errno = SSL_get_error(c->ssl, r) == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
        return -1;
    }
    return r;
}

static bool conn_send(struct conn *c, const char *p, size_t n)
{
    if (!c->out_len) {
        ssize_t w = conn_write(c, p, n);
        if (w < 0 && errno != EAGAIN)
            return false;
        if (w > 0)
            p += w, n -= (size_t)w;
    }
    if (!n)
        return true;
    c->out = realloc(c->out, c->out_len + n);
    memcpy(c->out + c->out_len, p, n);
    c->out_len += n;
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &e);
    return c->out_len < (64u << 20);
}

static bool conn_flush(struct conn *c)
{
    while (c->out_at < c->out_len) {
        ssize_t w = conn_write(c, c->out + c->out_at, c->out_len - c->out_at);
        if (w < 0)
            return errno == EAGAIN;
        c->out_at += (size_t)w;
    }
    c->out_len = c->out_at = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &e);
    return true;
}

static bool stream_begin(struct conn *c, const char *model)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    c->left = 100;
    c->every_ms = 0;
    if (model)
        sscanf(model, "bench/%d/%d", &c->left, &c->every_ms);
    if (!conn_send(c, head, sizeof head - 1) || (c->say->first_len && !conn_send(c, c->say->first, c->say->first_len)))
        return false;
    if (c->every_ms == 0) {
        for (; c->left > 0; c->left--)
            if (!conn_send(c, c->say->record, c->say->record_len))
                return false;
        return conn_send(c, c->say->last, c->say->last_len);
    }
    c->next_ms = now_ms();
    c->next_stream = streams;
    c->stream_link = &streams;
    if (streams)
        streams->stream_link = &c->next_stream;
    streams = c;
    return true;
}

static void streams_tick(void)
{
    int64_t now = now_ms();

    for (struct conn *c = streams, *next; c; c = next) {
        bool ok = true;
        next = c->next_stream;
        if (now < c->next_ms)
            continue;
        c->next_ms += c->every_ms;
        if (c->left-- > 0) {
            ok = conn_send(c, c->say->record, c->say->record_len);
        } else {
            *c->stream_link = c->next_stream;
            if (c->next_stream)
                c->next_stream->stream_link = c->stream_link;
            c->stream_link = NULL;
            ok = conn_send(c, c->say->last, c->say->last_len);
        }
        if (!ok)
            conn_close(c);
    }
}

/* Takes whole requests off the front.  false: the connection is over. */
static bool conn_serve(struct conn *c)
{
    for (;;) {
        c->in[c->in_len] = '\0';
        char *end = strstr(c->in, "\r\n\r\n");
        if (!end)
            return c->in_len < REQUEST_MAX - 1;
        size_t head = (size_t)(end + 4 - c->in), body = 0;
        for (char *l = strstr(c->in, "\r\n"); l && l < end; l = strstr(l + 2, "\r\n"))
            if (strncasecmp(l + 2, "content-length:", 15) == 0)
                body = strtoul(l + 17, NULL, 10);
        if (c->in_len < head + body)
            return head + body < REQUEST_MAX;
        char saved = c->in[head + body];
        c->in[head + body] = '\0';
        bool stream = strstr(c->in + head, "\"stream\":true") != NULL;
        c->say = memmem(c->in, head < 64 ? head : 64, "/messages ", 10) ? &messages : &chat;
        char *model = strstr(c->in + head, "bench/");
        bool ok = stream ? stream_begin(c, model) : conn_send(c, c->say->json, c->say->json_len);
        c->in[head + body] = saved;
        c->in_len -= head + body;
        memmove(c->in, c->in + head + body, c->in_len);
        if (!ok)
            return false;
    }
}

static bool conn_read(struct conn *c)
{
    if (!c->in)
        c->in = malloc(REQUEST_MAX);
    for (;;) {
        ssize_t n;
        if (c->ssl) {
            int r;
            if (!c->shaken) {
                r = SSL_accept(c->ssl);
                if (r != 1) {
                    int e = SSL_get_error(c->ssl, r);
                    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
                }
                c->shaken = true;
            }
            r = SSL_read(c->ssl, c->in + c->in_len, (int)(REQUEST_MAX - 1 - c->in_len));
            if (r <= 0)
                return SSL_get_error(c->ssl, r) == SSL_ERROR_WANT_READ;
            n = r;
        } else {
            n = recv(c->fd, c->in + c->in_len, REQUEST_MAX - 1 - c->in_len, MSG_DONTWAIT);
            if (n < 0)
                return errno == EAGAIN;
            if (n == 0)
                return false;
        }
        c->in_len += (size_t)n;
        if (!conn_serve(c))
            return false;
        if (c->in_len == 0 && c->stream_link) { /* many open streams: no buffer each */
            free(c->in);
            c->in = NULL;
            return true;
        }
        if (!c->ssl)
            return true;
    }
}

int main(int argc, char **argv)
{
    SSL_CTX *ctx = NULL;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int l, one = 1;

    if (argc < 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    texts();
    if (argc == 5) {
        ctx = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(ctx, argv[3]) != 1 ||
            SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1)
            return 2;
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    }
    l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    a.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    if (bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 16384)) {
        perror("upstream");
        return 1;
    }
    epfd = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, batch[256];
    epoll_ctl(epfd, EPOLL_CTL_ADD, l, &e);
    for (;;) {
        int n = epoll_wait(epfd, batch, 256, streams ? 1 : -1);
        for (int i = 0; i < n; i++) {
            struct conn *c = batch[i].data.ptr;
            if (!c) {
                int fd;
                while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    c = calloc(1, sizeof *c);
                    c->fd = fd;
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    if (ctx) {
                        c->ssl = SSL_new(ctx);
                        SSL_set_fd(c->ssl, fd);
                    }
                    e = (struct epoll_event){.events = EPOLLIN, .data.ptr = c};
                    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
                }
                continue;
            }
            bool ok = true;
            if (batch[i].events & EPOLLOUT)
                ok = conn_flush(c);
            if (ok && (batch[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                ok = conn_read(c);
            if (!ok)
                conn_close(c);
        }
        if (streams)
            streams_tick();
    }
}
