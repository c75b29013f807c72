/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c -- three pages over HTTP; see admin.h. */
#include "recorder/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "net/http1.h"

#define CONNECTIONS_MAX 32
#define IDLE_US         10000000
#define HEAD_MAX        8192

struct admin_connection {
    struct admin_connection *next, **link;
    struct admin *admin;
    struct loop_fd io;
    struct loop_timer idle;
    struct buf in, out;
    size_t examined, sent;
    bool last; /* close when `out` has gone */
};

static void connection_free(struct admin_connection *c)
{
    loop_del(c->admin->loop, &c->io);
    loop_timer_stop(c->admin->loop, &c->idle);
    close(c->io.fd);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->admin->count--;
    buf_fini(&c->in);
    buf_fini(&c->out);
    free(c);
}

/* ---- answers ---- */

static void answer(struct admin_connection *c, const char *status, const char *more, struct weir_str body,
                   bool head_only)
{
    buf_printf(&c->out,
               "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %zu\r\n"
               "Cache-Control: no-store\r\n%s%s\r\n",
               status, body.len, more, c->last ? "Connection: close\r\n" : "");
    if (!head_only)
        buf_str(&c->out, body);
}

static void serve(struct admin_connection *c, const struct http1_head *h)
{
    bool head_only = str_is(h->method, "HEAD"), ok = true;
    struct buf body = {0};

    if (h->body != HTTP1_NO_BODY && !(h->body == HTTP1_LENGTH && h->content_length == 0)) {
        c->last = true; /* what follows would be read as a request */
        answer(c, "400 Bad Request", "", WEIR_STR("no body is expected here\n"), head_only);
        return;
    }
    if (!head_only && !str_is(h->method, "GET")) {
        answer(c, "405 Method Not Allowed", "Allow: GET, HEAD\r\n", WEIR_STR("only GET and HEAD\n"), false);
        return;
    }
    if (str_is(h->path, "/metrics"))
        metrics_print(c->admin->metrics, &body);
    else if (str_is(h->path, "/health"))
        buf_lit(&body, "ok\n");
    else if (str_is(h->path, "/ready"))
        ok = c->admin->ready(c->admin->owner, &body);
    else {
        answer(c, "404 Not Found", "", WEIR_STR("here are /metrics, /health and /ready\n"), head_only);
        return;
    }
    answer(c, ok ? "200 OK" : "503 Service Unavailable", "", buf_view(&body), head_only);
    buf_fini(&body);
}

/* Answers the requests that are there whole; with an answer still going out, later. */
static void take_requests(struct admin_connection *c)
{
    static const struct http1_limits limits = {.head = HEAD_MAX, .headers = HTTP1_HEADERS_MAX, .line = HEAD_MAX};
    struct http1_header headers[HTTP1_HEADERS_MAX];
    struct http1_head head = {.headers = headers};

    while (!c->last && !c->out.len) {
        enum http1_result got = http1_request(&head, c->in.ptr, c->in.len, &c->examined, &limits);
        if (got == HTTP1_MORE)
            return;
        c->examined = 0;
        if (got == HTTP1_BAD) {
            c->last = true;
            answer(c, "400 Bad Request", "", str_of(head.why), false);
            return;
        }
        c->last = !head.keep_alive;
        serve(c, &head);
        buf_cut(&c->in, head.length);
    }
}

/* ---- bytes ---- */

static bool send_out(struct admin_connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->io.fd, c->out.ptr + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
        loop_timer_set(c->admin->loop, &c->idle, IDLE_US);
    }
    c->out.len = c->sent = 0;
    return true;
}

static bool receive(struct admin_connection *c)
{
    ssize_t n = recv(c->io.fd, buf_room(&c->in, HEAD_MAX), HEAD_MAX, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->in.len += (size_t)n;
    return n > 0;
}

/* Sends and answers until one of them has to wait; false: the connection is of no more use. */
static bool flow(struct admin_connection *c)
{
    do {
        if (!send_out(c))
            return false;
        if (!c->out.len && !c->last)
            take_requests(c);
        else
            return c->out.len > 0;
    } while (c->out.len);
    return true;
}

static void connection_ready(struct loop_fd *io, uint32_t events)
{
    struct admin_connection *c = (struct admin_connection *)((char *)io - offsetof(struct admin_connection, io));
    bool ok = !(events & (EPOLLERR | EPOLLHUP)) && (!(events & EPOLLIN) || receive(c)) && flow(c);

    if (ok)
        loop_want(c->admin->loop, io, c->out.len ? EPOLLOUT : EPOLLIN);
    else
        connection_free(c);
}

static void connection_idle(struct loop_timer *t)
{
    connection_free((struct admin_connection *)((char *)t - offsetof(struct admin_connection, idle)));
}

static void listener_ready(struct loop_fd *io, uint32_t events)
{
    struct admin *a = (struct admin *)((char *)io - offsetof(struct admin, listener));
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    if (a->count == CONNECTIONS_MAX) {
        close(fd);
        log_event(WEIR_WARN, LOG_admin, "what=refused why=\"%d connections are open\"", CONNECTIONS_MAX);
        return;
    }
    struct admin_connection *c = must_alloc(sizeof *c);
    c->admin = a;
    c->io.ready = connection_ready;
    c->idle.fire = connection_idle;
    c->next = a->connections;
    c->link = &a->connections;
    if (c->next)
        c->next->link = &c->next;
    a->connections = c;
    a->count++;
    loop_add(a->loop, &c->io, fd, EPOLLIN);
    loop_timer_set(a->loop, &c->idle, IDLE_US);
}

void admin_init(struct admin *a, struct loop *loop, int listener)
{
    a->loop = loop;
    a->listener.ready = listener_ready;
    if (listener >= 0)
        loop_add(loop, &a->listener, listener, EPOLLIN);
}

void admin_fini(struct admin *a)
{
    loop_del(a->loop, &a->listener);
    while (a->connections)
        connection_free(a->connections);
}
