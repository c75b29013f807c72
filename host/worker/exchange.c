/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c -- sending one request and framing its answer; see exchange.h. */
#include "worker/exchange.h"

#include <string.h>

#include "net/url.h"
#include "worker/request.h"
#include "worker/worker.h"

#define READ_TURNS 8 /* most reads in one turn of the loop: others want their turn too */

static void exchange_ready(void *user, uint32_t events);
static void exchange_late(struct loop_timer *);
static void exchange_got(struct wait *, struct link *, struct connect_result *);
static void exchange_go_on(struct loop_task *);

struct exchange *exchange_new(struct request *r, const struct provider *p, const struct exchange_user *user)
{
    struct exchange *x = arena_alloc(&r->arena, sizeof *x);

    x->r = r;
    x->w = r->w;
    x->p = p;
    x->user = user;
    x->wait.got = exchange_got;
    x->timer.fire = exchange_late;
    x->task.run = exchange_go_on;
    x->start_us = x->w->loop.now_us;
    x->deadline_us = x->start_us + p->total_timeout * 1000;
    return x;
}

static void exchange_drop_link(struct exchange *x, bool keep)
{
    struct link *l = x->link;

    if (!l)
        return;
    x->link = NULL;
    if (keep)
        link_keep(l);
    else
        link_close(l);
}

void exchange_free(struct exchange *x)
{
    exchange_stop(x);
    loop_timer_stop(&x->w->loop, &x->timer);
    loop_undefer(&x->w->loop, &x->task);
    worker_buf_give(x->w, &x->head);
    buf_fini(&x->in);
    buf_fini(&x->held);
}

void exchange_stop(struct exchange *x)
{
    if (x->state == X_OVER)
        return;
    if (x->state == X_WAIT && x->wait.state != WAIT_NONE)
        pool_forget(&x->wait);
    x->state = X_OVER;
    loop_timer_idle(&x->timer);
    exchange_drop_link(x, false);
}

/* ---- deadlines ---- */

static void exchange_wait_ms(struct exchange *x, int64_t ms)
{
    int64_t left = x->deadline_us - x->w->loop.now_us, us = ms * 1000;

    loop_timer_set(&x->w->loop, &x->timer, us < left ? us : left > 0 ? left : 0);
}

static void exchange_fail(struct exchange *x, enum exchange_fault fault, const char *why)
{
    if (x->state == X_OVER)
        return;
    x->state = X_OVER;
    loop_timer_idle(&x->timer);
    exchange_drop_link(x, false);
    x->user->fail(x->r, fault, why);
}

static void exchange_late(struct loop_timer *t)
{
    struct exchange *x = (struct exchange *)((char *)t - offsetof(struct exchange, timer));

    if (x->state == X_WAIT && x->wait.state == WAIT_IN_LINE) {
        pool_forget(&x->wait);
        exchange_fail(x, FAULT_BUSY, "all connections to this provider are in use (max_connections)");
    } else if (x->w->loop.now_us >= x->deadline_us) {
        exchange_fail(x, FAULT_TIMEOUT, "the answer was not complete within total_timeout");
    } else if (x->state == X_BODY) {
        exchange_fail(x, FAULT_TIMEOUT, "nothing came for idle_timeout in the middle of the answer");
    } else {
        exchange_fail(x, FAULT_TIMEOUT, "no answer within first_byte_timeout");
    }
}

/* ---- receiving ---- */

static void exchange_over(struct exchange *x)
{
    x->state = X_OVER;
    loop_timer_idle(&x->timer);
    exchange_drop_link(x, x->keep && x->sent_all);
    x->user->end(x->r);
}

static void exchange_body_piece(struct exchange *x, struct weir_str s)
{
    x->received += s.len;
    if (s.len)
        x->user->body(x->r, s);
}

/* Bytes of the body; what lies behind its end closes the connection, for it belongs to nothing we asked. */
static void exchange_body(struct exchange *x, const char *bytes, size_t n)
{
    size_t used = 0;

    while (used < n && x->state == X_BODY) {
        struct weir_str data = {bytes + used, n - used};
        if (x->framing == HTTP1_LENGTH) {
            if ((int64_t)data.len > x->left)
                data.len = (size_t)x->left;
            x->left -= (int64_t)data.len;
            used += data.len;
            x->keep = x->keep && used == n;
            exchange_body_piece(x, data);
            if (x->left == 0 && x->state == X_BODY)
                exchange_over(x);
        } else if (x->framing == HTTP1_UNTIL_CLOSE) {
            used = n;
            exchange_body_piece(x, data);
        } else {
            size_t step;
            enum chunked_result result = chunked_next(&x->chunked, bytes + used, n - used, &step, &data);
            used += step;
            if (result == CHUNKED_BAD) {
                exchange_fail(x, FAULT_INVALID, x->chunked.why);
            } else if (result == CHUNKED_END) {
                x->keep = x->keep && used == n;
                exchange_over(x);
            } else {
                exchange_body_piece(x, data);
            }
        }
    }
}

static void exchange_head_done(struct exchange *x, const struct http1_head *h)
{
    x->first_us = x->w->loop.now_us - x->sent_us;
    x->state = X_BODY;
    x->framing = h->body;
    x->left = h->content_length;
    x->keep = h->keep_alive && h->body != HTTP1_UNTIL_CLOSE;
    chunked_init(&x->chunked);
    x->user->head(x->r, h);
    if (x->state == X_BODY && (h->body == HTTP1_NO_BODY || (h->body == HTTP1_LENGTH && x->left == 0)))
        exchange_over(x);
}

/* One head; returns the bytes it took, 0 when more are needed. */
static size_t exchange_head(struct exchange *x, const char *bytes, size_t n)
{
    const struct settings *set = &x->w->world->settings;
    struct http1_header headers[HTTP1_HEADERS_MAX];
    struct http1_head h = {.headers = headers};
    const struct http1_limits limits = {(size_t)set->max_head, HTTP1_HEADERS_MAX, (size_t)set->max_head};

    switch (http1_response(&h, bytes, n, &x->examined, &limits, x->to_head)) {
    case HTTP1_MORE:
        return 0;
    case HTTP1_BAD:
        exchange_fail(x, FAULT_INVALID, h.why);
        return 0;
    case HTTP1_OK:
        break;
    }
    x->examined = 0;
    if (h.status == 101)
        exchange_fail(x, FAULT_INVALID, "the upstream switched protocols unasked");
    else if (h.status >= 200)
        exchange_head_done(x, &h);
    return h.length;
}

/* Everything is taken; the answer above holds what it cannot pass on. */
static void exchange_feed(struct exchange *x, const char *bytes, size_t n)
{
    size_t used = 0;

    if (x->in.len && x->state != X_BODY) {
        buf_put(&x->in, bytes, n);
        bytes = x->in.ptr;
        n = x->in.len;
    }
    while (used < n && (x->state == X_SEND || x->state == X_HEAD)) {
        size_t step = exchange_head(x, bytes + used, n - used);
        if (!step)
            break;
        used += step;
    }
    if (x->state == X_BODY)
        exchange_body(x, bytes + used, n - used);
    else if (x->state == X_OVER)
        ;
    else if (bytes == x->in.ptr)
        buf_cut(&x->in, used);
    else
        buf_put(&x->in, bytes + used, n - used);
    if (x->state == X_BODY || x->state == X_OVER)
        buf_fini(&x->in);
    if (x->state == X_BODY)
        exchange_wait_ms(x, x->p->idle_timeout);
}

static void exchange_at_end(struct exchange *x)
{
    if (x->state == X_BODY && x->framing == HTTP1_UNTIL_CLOSE)
        exchange_over(x);
    else if (x->state == X_BODY)
        exchange_fail(x, FAULT_CUT, "the upstream closed the connection in the middle of its answer");
    else
        exchange_fail(x, FAULT_RESET,
                      x->sent_some ? "the upstream closed the connection without an answer"
                                   : "the upstream closed the connection");
}

/* ---- sending ---- */

static bool exchange_again(struct exchange *x)
{
    if (!x->link->used || x->sent_some || x->in.len)
        return false;
    exchange_drop_link(x, false);
    x->state = X_WAIT;
    pool_connect(x->wait.pool, &x->wait);
    exchange_wait_ms(x, x->p->connect_timeout + x->p->tls_timeout);
    return true;
}

/* false: the exchange is over, or goes on with another connection. */
static bool exchange_write(struct exchange *x)
{
    while (x->out_at < x->out_n) {
        int n = x->out_n - x->out_at > 64 ? 64 : (int)(x->out_n - x->out_at);
        ssize_t wrote = stream_writev(&x->link->stream, x->out + x->out_at, n);
        if (wrote == STREAM_AGAIN)
            return true;
        if (wrote < 0) {
            if (!exchange_again(x))
                exchange_fail(x, FAULT_RESET, "the upstream closed the connection while the request was sent");
            return false;
        }
        x->sent_some = true;
        while (wrote > 0 && (size_t)wrote >= x->out[x->out_at].iov_len)
            wrote -= (ssize_t)x->out[x->out_at++].iov_len;
        if (wrote > 0) {
            x->out[x->out_at].iov_base = (char *)x->out[x->out_at].iov_base + wrote;
            x->out[x->out_at].iov_len -= (size_t)wrote;
        }
        while (x->out_at < x->out_n && x->out[x->out_at].iov_len == 0)
            x->out_at++;
    }
    x->sent_all = true;
    x->user->sent(x->r);
    if (x->state == X_SEND) {
        x->state = X_HEAD;
        x->sent_us = x->w->loop.now_us;
        exchange_wait_ms(x, x->p->first_byte_timeout);
    }
    return true;
}

/* A blocked link that is hung up would wake the loop again and again: edge-triggered, it wakes it once. */
static void exchange_want(struct exchange *x)
{
    uint32_t events = x->blocked ? EPOLLET : EPOLLIN | EPOLLRDHUP;

    if (!x->link)
        return;
    if (!x->sent_all || x->link->stream.wants_write)
        events |= EPOLLOUT;
    loop_want(&x->w->loop, &x->link->stream.io, events);
}

static void exchange_broken(struct exchange *x)
{
    const char *why =
        arena_printf(&x->r->arena, "the connection to the upstream broke: %s", stream_error(&x->link->stream));

    exchange_fail(x, x->state == X_BODY ? FAULT_CUT : FAULT_RESET, why);
}

/* A few reads a turn, for others want their turn too; what TLS has decrypted meanwhile wakes nobody but `task`. */
static void exchange_read(struct exchange *x)
{
    for (int turn = 0; turn < READ_TURNS; turn++) {
        ssize_t n = stream_read(&x->link->stream, x->w->scratch, WORKER_SCRATCH);
        if (n == STREAM_AGAIN)
            return;
        if (n == 0)
            exchange_at_end(x);
        else if (n < 0)
            exchange_broken(x);
        else
            exchange_feed(x, x->w->scratch, (size_t)n);
        if (!x->link || x->blocked || !stream_more(&x->link->stream))
            return;
    }
    loop_defer(&x->w->loop, &x->task);
}

static void exchange_ready(void *user, uint32_t events)
{
    struct exchange *x = user;

    if ((events & EPOLLOUT) && !x->sent_all && !exchange_write(x))
        return;
    if (!x->blocked && (x->link->stream.wants_write || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))))
        exchange_read(x);
    exchange_want(x);
}

static void exchange_begin(struct exchange *x, struct link *l)
{
    x->link = l;
    l->user = x;
    l->ready = exchange_ready;
    x->state = X_SEND;
    x->sent_us = x->w->loop.now_us;
    exchange_wait_ms(x, x->p->first_byte_timeout);
    if (exchange_write(x))
        exchange_want(x);
}

static void exchange_got(struct wait *wait, struct link *l, struct connect_result *result)
{
    struct exchange *x = (struct exchange *)((char *)wait - offsetof(struct exchange, wait));

    x->connect_us = wait->connect_us;
    if (l) {
        exchange_begin(x, l);
        return;
    }
    exchange_fail(x, result->fault == CONNECT_TIMEOUT ? FAULT_TIMEOUT : FAULT_CONNECT, result->why);
}

/* ---- starting ---- */

static void exchange_head_line(struct exchange *x, const char *method, const struct url *u, struct weir_str lines,
                               size_t length)
{
    struct buf *b = &x->head;

    buf_str(b, str_of(method));
    buf_char(b, ' ');
    buf_str(b, u->target);
    buf_lit(b, " HTTP/1.1\r\nhost: ");
    buf_str(b, u->authority);
    buf_lit(b, "\r\n");
    buf_str(b, lines);
    if (length || strcmp(method, "GET") != 0) {
        buf_lit(b, "content-length: ");
        buf_int(b, (int64_t)length);
        buf_lit(b, "\r\n");
    }
    buf_lit(b, "\r\n");
}

bool exchange_send(struct exchange *x, struct weir_str url, const char *method, struct weir_str lines,
                   struct iovec *body, size_t pieces, size_t length, struct weir_error *error)
{
    struct url u;
    struct link *l;

    if (!url_parse(url, &u, error))
        return false;
    x->host = arena_strdup(&x->r->arena, u.host);
    x->head = worker_buf_take(x->w);
    exchange_head_line(x, method, &u, lines, length);
    x->to_head = strcmp(method, "HEAD") == 0;
    x->out = arena_alloc(&x->r->arena, (pieces + 1) * sizeof *x->out);
    x->out[0] = (struct iovec){x->head.ptr, x->head.len};
    if (pieces)
        memcpy(x->out + 1, body, pieces * sizeof *body);
    x->out_n = pieces + 1;
    x->wait.host = x->host;
    x->wait.port = u.port;
    x->wait.tls = u.tls;
    for (size_t i = 0; i < x->w->world->provider_count; i++)
        if (x->w->world->providers[i] == x->p)
            x->wait.pool = &x->w->pools[i];
    x->state = X_WAIT;
    exchange_wait_ms(x, x->p->connect_timeout + x->p->tls_timeout);
    l = pool_take(x->wait.pool, &x->wait);
    if (l)
        exchange_begin(x, l);
    return true;
}

/* ---- in-process ---- */

void exchange_serve(struct exchange *x)
{
    x->state = X_HEAD;
    x->sent_all = true;
    x->sent_us = x->w->loop.now_us;
    exchange_wait_ms(x, x->p->first_byte_timeout);
}

void exchange_put(struct exchange *x, struct weir_str bytes, bool last)
{
    if (x->state == X_OVER || x->held_last)
        return;
    buf_str(&x->held, bytes);
    x->held_last = last;
    loop_defer(&x->w->loop, &x->task);
}

/* From a clean stack: goes on reading, or takes what was served in this process as if it came from a socket. */
static void exchange_go_on(struct loop_task *task)
{
    struct exchange *x = (struct exchange *)((char *)task - offsetof(struct exchange, task));

    if (x->blocked || x->state == X_OVER)
        return;
    if (x->link) {
        exchange_read(x);
        exchange_want(x);
        return;
    }
    if (x->held.len) {
        struct buf now = x->held;
        x->held = worker_buf_take(x->w);
        exchange_feed(x, now.ptr, now.len);
        now.len = 0;
        worker_buf_give(x->w, &now);
    }
    if (x->held_last && x->state != X_OVER && !x->held.len)
        exchange_at_end(x);
}

/* ---- back-pressure ---- */

void exchange_block(struct exchange *x)
{
    if (x->blocked || x->state == X_OVER)
        return;
    x->blocked = true;
    loop_timer_idle(&x->timer); /* the reader is slow, not the upstream */
    exchange_want(x);
}

void exchange_linger(struct exchange *x, int64_t ms)
{
    int64_t until = x->w->loop.now_us + ms * 1000;

    if (x->state == X_OVER)
        return;
    if (until < x->deadline_us)
        x->deadline_us = until;
    if (!x->blocked)
        exchange_wait_ms(x, ms);
}

void exchange_unblock(struct exchange *x)
{
    if (!x->blocked || x->state == X_OVER)
        return;
    x->blocked = false;
    exchange_wait_ms(x, x->state == X_BODY ? x->p->idle_timeout : x->p->first_byte_timeout);
    if (!x->link) {
        loop_defer(&x->w->loop, &x->task);
        return;
    }
    exchange_read(x); /* TLS may hold decrypted bytes that wake nobody */
    exchange_want(x);
}
