/* SPDX-License-Identifier: Apache-2.0 */
/* client.c -- reading requests and writing answers on one connection; see client.h. */
#include "worker/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "net/tls.h"
#include "worker/accept.h"
#include "worker/exchange.h"
#include "worker/form.h"
#include "worker/reply.h"
#include "worker/request.h"
#include "worker/worker.h"

#define AHEAD_MAX    65536   /* bytes a client may send ahead while a request is served */
#define LINGER_US    1000000 /* after the last byte: time to let the client read it */
#define READ_TURNS   16      /* most reads in one turn of the loop */
#define BODY_AT_ONCE 65536   /* of an announced body: more only as it arrives */
#define SECOND_US    1000000

static void client_ready(struct loop_fd *, uint32_t events);
static void client_late(struct loop_timer *);
static void client_turn(struct loop_task *);
static size_t client_parse(struct client *, const char *bytes, size_t n);

#define OWNER(member_ptr, member) ((struct client *)((char *)(member_ptr)-offsetof(struct client, member)))

static void client_wait(struct client *c, int64_t after_ms)
{
    loop_timer_set(&c->w->loop, &c->timer, after_ms * 1000);
}

struct client *client_new(struct worker *w, int fd)
{
    struct client *c = must_alloc(sizeof *c);
    struct ssl_st *ssl = w->world->tls ? tls_accept(w->world->tls, fd) : NULL;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    c->w = w;
    stream_init(&c->stream, fd, ssl);
    c->stream.io.ready = client_ready;
    c->timer.fire = client_late;
    c->flush.run = client_turn;
    c->state = ssl ? CLIENT_HANDSHAKE : CLIENT_IDLE;
    c->next = w->clients;
    c->link = &w->clients;
    if (c->next)
        c->next->link = &c->next;
    w->clients = c;
    w->client_count++;
    if (w->client_count > w->client_peak)
        w->client_peak = w->client_count;
    metrics_add(w->metrics, w->slot, METRIC_connections, 0, 1);
    loop_add(&w->loop, &c->stream.io, fd, EPOLLIN | EPOLLRDHUP);
    client_wait(c, w->world->settings.head_timeout);
    return c;
}

void client_free(struct client *c)
{
    struct worker *w = c->w;

    if (c->r) {
        struct request *r = c->r;
        if (c->state == CLIENT_BUSY) { /* the pipeline frees it, and comes back through client_next() */
            c->state = CLIENT_CLOSING;
            request_abandon(r, OUTCOME_client_gone);
        } else {
            request_free(r);
        }
        c->r = NULL;
    }
    loop_timer_stop(&w->loop, &c->timer);
    loop_undefer(&w->loop, &c->flush);
    stream_close(&c->stream, &w->loop);
    buf_fini(&c->in);
    worker_buf_give(w, &c->out);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    w->client_count--;
    free(c);
    metrics_add(w->metrics, w->slot, METRIC_connections, 0, -1);
    worker_accept_again(w);
    worker_client_gone(w);
}

/* ---- writing ---- */

size_t client_pending(const struct client *c)
{
    return c->out.len - c->out_at;
}

struct buf *client_out(struct client *c)
{
    if (!c->out.ptr)
        c->out = worker_buf_take(c->w);
    loop_defer(&c->w->loop, &c->flush);
    return &c->out;
}

void client_put(struct client *c, struct weir_str s)
{
    buf_str(client_out(c), s);
}

static void client_want(struct client *c)
{
    uint32_t events = EPOLLRDHUP;

    if (!c->paused)
        events |= EPOLLIN;
    if (client_pending(c) || c->stream.wants_write)
        events |= EPOLLOUT;
    loop_want(&c->w->loop, &c->stream.io, events);
}

/* false: the connection is broken. */
static bool client_write(struct client *c)
{
    bool before = client_pending(c) > CLIENT_LOW;

    while (client_pending(c)) {
        struct iovec v = {c->out.ptr + c->out_at, client_pending(c)};
        ssize_t n = stream_writev(&c->stream, &v, 1);
        if (n == STREAM_AGAIN) {
            if (c->timer.due_us == INT64_MAX)
                client_wait(c, c->w->world->settings.write_timeout);
            break;
        }
        if (n < 0)
            return false;
        c->out_at += (size_t)n;
        client_wait(c, c->w->world->settings.write_timeout);
    }
    if (!client_pending(c)) {
        c->out.len = c->out_at = 0;
        worker_buf_give(c->w, &c->out);
        if (c->state == CLIENT_BUSY)
            loop_timer_idle(&c->timer);
    } else if (c->out_at > CLIENT_HIGH) { /* keep what is written from piling up before what is not */
        buf_cut(&c->out, c->out_at);
        c->out_at = 0;
    }
    if (before && client_pending(c) <= CLIENT_LOW && c->r && c->r->x)
        exchange_unblock(c->r->x);
    client_want(c);
    return true;
}

/* ---- reading ---- */

/* An answer to what is no request; the connection ends after it. */
static void client_reject(struct client *c, int status, const char *code, const char *why)
{
    c->keep_alive = false;
    reply_plain(c, status, code, why);
    c->state = CLIENT_CLOSING;
    client_wait(c, c->w->world->settings.write_timeout);
    loop_defer(&c->w->loop, &c->flush);
}

static void client_serve(struct client *c)
{
    c->state = CLIENT_BUSY;
    c->r->t.begin = c->r->step_us = c->w->loop.now_us;
    loop_timer_idle(&c->timer);
    pipeline_run(c->r);
}

/* A request is refused before its body is there: recorded like any other, and the connection ends after the answer. */
static void client_refuse(struct client *c, int status, const char *code, const char *why)
{
    c->keep_alive = false;
    accept_find(c->r, &c->r->dialect, NULL); /* whose words the refusal is in */
    request_refuse(c->r, status, code, "", "%s", why);
    c->r->step = STEP_close;
    client_serve(c);
}

static void client_refuse_size(struct client *c)
{
    client_refuse(c, 413, "body_too_large",
                  c->r->form ? "the form is larger than max_form" : "the body is larger than max_body");
}

static uint64_t body_limit(const struct request *r)
{
    return r->form ? r->form->limit : (uint64_t)r->w->world->settings.max_body;
}

/* false: it has been refused. */
static bool client_keep(struct client *c, struct weir_str bytes)
{
    struct request *r = c->r;

    r->bytes_in += bytes.len;
    if (!r->form)
        buf_str(&r->body, bytes);
    else if (!form_take(r, bytes))
        client_refuse(c, 503, "form_unstored", "the gateway has no room for this form at the moment; try again");
    return c->state == CLIENT_BODY;
}

/* Copies the head into the request, whose memory its views then point into. */
static void client_take_head(struct client *c, struct request *r, const struct http1_head *head, const char *bytes)
{
    char *copy = arena_bytes(&r->arena, head->length);
    struct http1_header *headers = arena_alloc(&r->arena, head->count * sizeof *headers);

    memcpy(copy, bytes, head->length);
    r->head = *head;
    r->head.headers = headers;
    memcpy(headers, head->headers, head->count * sizeof *headers);
    http1_rebase(&r->head, bytes, copy);
    c->keep_alive = head->keep_alive && !c->w->draining;
    c->http10 = head->minor == 0;
    c->head_only = str_is(r->head.method, "HEAD");
}

static void client_start(struct client *c, const struct http1_head *head, const char *bytes)
{
    c->r = request_new(c->w, c);
    client_take_head(c, c->r, head, bytes);
    c->r->type = http1_find(&c->r->head, WEIR_STR("content-type"));
    form_begin(c->r);
    if (head->body == HTTP1_LENGTH && (uint64_t)head->content_length > body_limit(c->r)) {
        client_refuse_size(c);
        return;
    }
    c->state = CLIENT_BODY;
    c->body_want = 0;
    if (head->body == HTTP1_LENGTH) {
        c->body_want = (size_t)head->content_length;
        if (c->body_want && !c->r->form)
            buf_grow(&c->r->body, c->body_want < BODY_AT_ONCE ? c->body_want : BODY_AT_ONCE);
    } else if (head->body == HTTP1_CHUNKED) {
        chunked_init(&c->chunked);
    }
    c->body_start_us = c->w->loop.now_us;
    client_wait(c, c->w->world->settings.body_timeout);
}

/* Reads of the body what is there; returns the bytes used up. */
static size_t client_body(struct client *c, const char *bytes, size_t n)
{
    struct request *r = c->r;
    size_t used = 0;

    if (r->head.body != HTTP1_CHUNKED) {
        used = c->body_want - r->bytes_in < n ? c->body_want - r->bytes_in : n;
        if (!client_keep(c, (struct weir_str){bytes, used}))
            return n;
        if (r->bytes_in == c->body_want)
            client_serve(c);
        return used;
    }
    while (used < n) {
        struct weir_str data;
        size_t step;
        enum chunked_result result = chunked_next(&c->chunked, bytes + used, n - used, &step, &data);

        used += step;
        if (!client_keep(c, data))
            return n;
        if (r->bytes_in > body_limit(r)) {
            client_refuse_size(c);
            return n;
        }
        if (result == CHUNKED_BAD) {
            client_reject(c, 400, "bad_chunk", c->chunked.why);
            return n;
        }
        if (result == CHUNKED_END) {
            client_serve(c);
            return used;
        }
        if (step == 0)
            break;
    }
    return used;
}

static size_t client_head(struct client *c, const char *bytes, size_t n)
{
    const struct settings *set = &c->w->world->settings;
    struct http1_header headers[HTTP1_HEADERS_MAX];
    struct http1_limits limits = {(size_t)set->max_head, (size_t)set->max_headers, (size_t)set->max_head};
    struct http1_head head = {.headers = headers};

    if (c->state == CLIENT_IDLE) {
        c->state = CLIENT_HEAD;
        client_wait(c, set->head_timeout);
    }
    switch (http1_request(&head, bytes, n, &c->examined, &limits)) {
    case HTTP1_MORE:
        return 0;
    case HTTP1_BAD:
        c->examined = 0;
        client_reject(c, head.status, "bad_request", head.why);
        return n;
    case HTTP1_OK:
        break;
    }
    c->examined = 0;
    client_start(c, &head, bytes);
    if (c->state != CLIENT_BODY)
        return n;
    if (head.body == HTTP1_NO_BODY || (head.body == HTTP1_LENGTH && head.content_length == 0))
        client_serve(c);
    else if (head.expect_continue && head.length == n)
        client_put(c, WEIR_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    return head.length;
}

/* Uses up what can be used of the bytes; a request that is being served leaves the rest for later. */
static size_t client_parse(struct client *c, const char *bytes, size_t n)
{
    size_t used = 0;

    while (used < n) {
        size_t step = 0;
        if (c->state == CLIENT_IDLE || c->state == CLIENT_HEAD)
            step = client_head(c, bytes + used, n - used);
        else if (c->state == CLIENT_BODY)
            step = client_body(c, bytes + used, n - used);
        else if (c->state == CLIENT_CLOSING)
            return n;
        if (step == 0)
            break;
        used += step;
    }
    return used;
}

static void client_take(struct client *c, const char *bytes, size_t n)
{
    if (c->state == CLIENT_CLOSING)
        return;
    if (c->in.len || c->state == CLIENT_BUSY) {
        buf_put(&c->in, bytes, n);
        if (c->state != CLIENT_BUSY) {
            size_t used = client_parse(c, c->in.ptr, c->in.len);
            buf_cut(&c->in, used);
        }
    } else {
        size_t used = client_parse(c, bytes, n);
        buf_put(&c->in, bytes + used, n - used);
    }
    if (c->in.ptr && !c->in.len)
        buf_fini(&c->in);
    c->paused = c->state == CLIENT_BUSY && c->in.len > AHEAD_MAX;
}

/* A few reads a turn, for others want their turn too.  false: the client is gone. */
static bool client_read(struct client *c)
{
    for (int turns = 0; turns < READ_TURNS; turns++) {
        ssize_t n = stream_read(&c->stream, c->w->scratch, WORKER_SCRATCH);
        if (n == STREAM_AGAIN)
            return true;
        if (n <= 0)
            return false;
        client_take(c, c->w->scratch, (size_t)n);
        if (c->paused || !stream_more(&c->stream))
            return true;
    }
    c->unread = true; /* what TLS has decrypted wakes nobody */
    loop_defer(&c->w->loop, &c->flush);
    return true;
}

static bool client_greet(struct client *c)
{
    int done = stream_handshake(&c->stream);

    if (done == STREAM_ERROR)
        return false;
    if (done == 1) {
        c->state = CLIENT_IDLE;
        client_wait(c, c->w->world->settings.head_timeout);
    }
    client_want(c);
    return true;
}

static void client_ready(struct loop_fd *io, uint32_t events)
{
    struct client *c = (struct client *)io;
    bool ok = !(events & EPOLLERR);

    if (ok && c->state == CLIENT_HANDSHAKE)
        ok = client_greet(c);
    if (ok && c->state != CLIENT_HANDSHAKE && (events & EPOLLIN) && !c->paused)
        ok = client_read(c);
    if (ok && c->state == CLIENT_BUSY && (events & (EPOLLRDHUP | EPOLLHUP)))
        ok = false;
    if (ok && (events & EPOLLOUT))
        ok = client_write(c);
    if (ok && !(events & EPOLLIN) && (events & (EPOLLRDHUP | EPOLLHUP)))
        ok = false;
    if (!ok)
        client_free(c);
    else
        client_want(c);
}

/* ---- between requests ---- */

void client_next(struct client *c)
{
    c->r = NULL;
    if (c->state == CLIENT_BUSY) {
        c->state = c->keep_alive ? CLIENT_IDLE : CLIENT_CLOSING;
        c->paused = false;
        client_wait(c, c->w->world->settings.idle_timeout);
    }
    loop_defer(&c->w->loop, &c->flush);
}

/* At the end of a turn: writes, then takes up what was sent ahead, then closes what is to be closed. */
static void client_turn(struct loop_task *task)
{
    struct client *c = OWNER(task, flush);

    if (c->unread) {
        c->unread = false;
        if (!client_read(c)) {
            client_free(c);
            return;
        }
    }
    if (!client_write(c)) {
        client_free(c);
        return;
    }
    if (c->state == CLIENT_IDLE && c->in.len) {
        size_t used = client_parse(c, c->in.ptr, c->in.len);
        buf_cut(&c->in, used);
        if (!c->in.len)
            buf_fini(&c->in);
        client_want(c);
    }
    if (c->state == CLIENT_CLOSING && !client_pending(c)) {
        stream_shutdown(&c->stream);
        loop_timer_set(&c->w->loop, &c->timer, LINGER_US);
    }
    if (c->state == CLIENT_IDLE && c->w->draining && !client_pending(c))
        client_free(c);
}

/* A slow body: after the grace it must keep to the minimum rate. */
static bool client_body_late(struct client *c)
{
    const struct settings *set = &c->w->world->settings;
    int64_t us = c->w->loop.now_us - c->body_start_us;

    if ((int64_t)c->r->bytes_in >= set->body_min_rate * (us / SECOND_US)) {
        loop_timer_set(&c->w->loop, &c->timer, SECOND_US);
        return false;
    }
    return true;
}

static void client_late(struct loop_timer *t)
{
    struct client *c = OWNER(t, timer);

    switch (c->state) {
    case CLIENT_HEAD:
        client_reject(c, 408, "timeout", "the request's head did not arrive in time");
        return;
    case CLIENT_BODY:
        if (client_body_late(c))
            client_refuse(c, 408, "timeout", "the request's body arrives too slowly");
        return;
    case CLIENT_BUSY:
        if (!client_pending(c))
            return; /* the answer's own deadlines are the exchange's */
        break;
    case CLIENT_HANDSHAKE:
    case CLIENT_IDLE:
    case CLIENT_CLOSING:
        break;
    }
    client_free(c);
}

void client_drain(struct worker *w)
{
    for (struct client *c = w->clients, *next; c; c = next) {
        next = c->next;
        c->keep_alive = false;
        if (c->state == CLIENT_IDLE || c->state == CLIENT_HANDSHAKE)
            client_free(c);
    }
}
