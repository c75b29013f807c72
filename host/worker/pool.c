/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c -- keeping, lending and making connections to upstreams; see pool.h. */
#include "worker/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"
#include "ipc/metrics.h"
#include "worker/worker.h"

/* An upstream may have closed a link that has been idle longer than this, and we may not have been told yet. */
#define SUSPECT_US 1000000

static void link_ready(struct loop_fd *, uint32_t events);
static void link_late(struct loop_timer *);
static void pool_serve_line(struct pool *);

void pool_init(struct pool *p, struct worker *w, const struct provider *provider)
{
    *p = (struct pool){.w = w, .p = provider};
    p->last = &p->first;
}

void pool_fini(struct pool *p)
{
    while (p->idle)
        link_close(p->idle);
}

static void pool_show_idle(struct pool *p)
{
    metrics_set(p->w->metrics, p->w->slot, METRIC_endpoint_idle, p->p->in.place, p->idle_count);
}

/* ---- links ---- */

static void link_unlist(struct link *l)
{
    if (!l->at)
        return;
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    l->at = NULL;
    l->pool->idle_count--;
    pool_show_idle(l->pool);
    loop_timer_idle(&l->timer);
}

void link_close(struct link *l)
{
    struct pool *p = l->pool;

    link_unlist(l);
    loop_timer_stop(&p->w->loop, &l->timer);
    stream_close(&l->stream, &p->w->loop);
    free(l);
    p->open--;
    pool_serve_line(p);
}

/* Nobody asked: an end, or bytes that belong to no answer.  TLS may say something of its own (tickets); that is fine.
 */
static bool link_idle_still(struct link *l)
{
    char byte;

    return l->stream.ssl && stream_read(&l->stream, &byte, 1) == STREAM_AGAIN;
}

static void link_ready(struct loop_fd *io, uint32_t events)
{
    struct link *l = (struct link *)io;

    if (l->user)
        l->ready(l->user, events);
    else if (!link_idle_still(l))
        link_close(l);
}

static void link_late(struct loop_timer *t)
{
    link_close((struct link *)((char *)t - offsetof(struct link, timer)));
}

static struct link *link_new(struct pool *p, const struct wait *to, struct stream *stream)
{
    struct link *l = must_alloc(sizeof *l);
    int fd = stream->io.fd;

    l->stream = *stream;
    l->stream.io.ready = link_ready;
    l->pool = p;
    l->timer.fire = link_late;
    l->port = to->port;
    l->tls = to->tls;
    snprintf(l->host, sizeof l->host, "%s", to->host);
    loop_add(&p->w->loop, &l->stream.io, fd, EPOLLIN | EPOLLRDHUP);
    metrics_add(p->w->metrics, p->w->slot, METRIC_endpoint_connects, p->p->in.place, 1);
    return l;
}

static bool link_leads_to(const struct link *l, const struct wait *to)
{
    return l->port == to->port && l->tls == to->tls && strcmp(l->host, to->host) == 0;
}

static bool link_is_alive(struct link *l)
{
    char byte;

    if (l->pool->w->loop.now_us - l->since_us < SUSPECT_US)
        return true;
    if (l->stream.ssl)
        return stream_read(&l->stream, &byte, 1) == STREAM_AGAIN;
    return recv(l->stream.io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static struct link *link_lend(struct link *l)
{
    link_unlist(l);
    l->used = true;
    loop_want(&l->pool->w->loop, &l->stream.io, EPOLLIN | EPOLLRDHUP);
    return l;
}

void link_keep(struct link *l)
{
    struct pool *p = l->pool;

    l->user = NULL;
    for (struct wait **at = &p->first; *at; at = &(*at)->next) {
        struct wait *wait = *at;
        if (!link_leads_to(l, wait))
            continue;
        *at = wait->next;
        if (p->last == &wait->next)
            p->last = at;
        wait->state = WAIT_NONE;
        l->used = true;
        loop_want(&p->w->loop, &l->stream.io, EPOLLIN | EPOLLRDHUP);
        wait->got(wait, l, NULL);
        return;
    }
    if (p->w->draining || p->p->keep_alive == 0) {
        link_close(l);
        return;
    }
    l->since_us = p->w->loop.now_us;
    l->next = p->idle;
    l->at = &p->idle;
    if (l->next)
        l->next->at = &l->next;
    p->idle = l;
    p->idle_count++;
    pool_show_idle(p);
    loop_want(&p->w->loop, &l->stream.io, EPOLLIN | EPOLLRDHUP);
    loop_timer_set(&p->w->loop, &l->timer, p->p->keep_alive * 1000);
}

/* ---- connecting ---- */

static void connect_done(void *arg, struct connect_result *result)
{
    struct wait *wait = arg;
    struct pool *p = wait->pool;
    struct link *l = NULL;

    wait->state = WAIT_NONE;
    wait->connecting = NULL;
    wait->connect_us = result->connect_us + result->tls_us;
    if (result->fault == CONNECT_OK)
        l = link_new(p, wait, &result->stream);
    else
        p->open--;
    wait->got(wait, l, result);
    if (!l)
        pool_serve_line(p);
}

static void connect_begin(struct pool *p, struct wait *wait)
{
    const struct connect_target target = {
        .host = wait->host,
        .port = wait->port,
        .tls = wait->tls ? p->p->tls : NULL,
        .proxy = p->p->proxy,
        .connect_ms = p->p->connect_timeout,
        .tls_ms = p->p->tls_timeout,
    };

    p->open++;
    wait->state = WAIT_CONNECTING;
    wait->connecting = connector_start(p->w->connector, &target, connect_done, wait);
}

static void pool_serve_line(struct pool *p)
{
    while (p->first && p->open < p->p->max_connections) {
        struct wait *wait = p->first;
        p->first = wait->next;
        if (!p->first)
            p->last = &p->first;
        connect_begin(p, wait);
    }
}

void pool_connect(struct pool *p, struct wait *wait)
{
    wait->pool = p;
    wait->connect_us = 0;
    if (p->open >= p->p->max_connections && p->idle)
        link_close(p->idle); /* leads elsewhere, or the caller wants a fresh one */
    if (p->open < p->p->max_connections) {
        connect_begin(p, wait);
        return;
    }
    wait->state = WAIT_IN_LINE;
    wait->next = NULL;
    *p->last = wait;
    p->last = &wait->next;
}

struct link *pool_take(struct pool *p, struct wait *wait)
{
    for (struct link *l = p->idle, *next; l; l = next) {
        next = l->next;
        if (!link_leads_to(l, wait))
            continue;
        if (link_is_alive(l)) {
            wait->connect_us = 0;
            return link_lend(l);
        }
        link_close(l);
    }
    pool_connect(p, wait);
    return NULL;
}

void pool_forget(struct wait *wait)
{
    struct pool *p = wait->pool;

    if (wait->state == WAIT_CONNECTING) {
        connector_cancel(wait->connecting);
        wait->connecting = NULL;
        p->open--;
        wait->state = WAIT_NONE;
        pool_serve_line(p);
    } else if (wait->state == WAIT_IN_LINE) {
        for (struct wait **at = &p->first; *at; at = &(*at)->next)
            if (*at == wait) {
                *at = wait->next;
                if (p->last == &wait->next)
                    p->last = at;
                break;
            }
        wait->state = WAIT_NONE;
    }
}
