/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector.c -- attempts wait in line, go through libcurl, then shake hands on the socket it gave; see connector.h.
 *
 * libcurl starts a thread for each question to the resolver and keeps the answer for a minute.  So of all attempts that
 * need the same name only one asks; the others wait in line and find the answer.  One that gives up while it asks stays
 * as a ghost until the answer comes or its time is up: a resolver that hangs costs a few threads a name, not one a
 * request.
 */
#include "net/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "net/curl_loop.h"
#include "net/target.h"
#include "net/tls.h"

/* In libcurl at a time; beyond that each costs more and more: docs/decisions, "connector". */
#define UNDER_WAY_MAX 1024

struct connector {
    struct curl_loop curl;
    struct loop *loop;
    struct connect *all;
    struct connect *line, **line_end;
    struct connect *asking; /* their name has no address yet; one for each name */
    unsigned under_way;
    struct loop_task pump;
};

enum state { IN_LINE, CONNECTING, SHAKING, FAILED };

struct connect {
    struct connector *owner;
    struct connect *next, **link; /* among all */
    struct connect *line_next;
    struct connect *asking_next, **asking_link;
    enum state state;
    bool hopeless; /* in line for a name that has not been resolved for too long: not worth another thread */
    struct connect_target target;
    char *name;                                       /* what is to be resolved: the host, or the proxy */
    void (*done)(void *arg, struct connect_result *); /* NULL: a ghost */
    void *arg;
    CURL *easy;              /* CONNECTING */
    struct stream stream;    /* SHAKING */
    struct loop_timer timer; /* the bound of the state */
    struct loop_task fail;   /* FAILED: tells from outside connector_start() */
    int64_t begin_us, shake_us;
    struct connect_result result;
    char error[CURL_ERROR_SIZE];
};

#define OWNER(type, member_ptr, member) ((type *)((char *)(member_ptr)-offsetof(type, member)))

static bool given(const char *s)
{
    return s && *s;
}

/* ---- the life of an attempt ---- */

static void connect_stop_asking(struct connect *c)
{
    if (!c->asking_link)
        return;
    *c->asking_link = c->asking_next;
    if (c->asking_next)
        c->asking_next->asking_link = c->asking_link;
    c->asking_link = NULL;
    loop_defer(c->owner->loop, &c->owner->pump);
}

/* Takes it out of whatever it is in. */
static void connect_leave(struct connect *c)
{
    struct connector *o = c->owner;

    if (c->state == IN_LINE) {
        struct connect **at = &o->line;
        while (*at != c)
            at = &(*at)->line_next;
        *at = c->line_next;
        if (o->line_end == &c->line_next)
            o->line_end = at;
    }
    connect_stop_asking(c);
    if (c->easy) {
        curl_multi_remove_handle(o->curl.multi, c->easy);
        curl_easy_cleanup(c->easy);
        c->easy = NULL;
        o->under_way--;
        loop_defer(o->loop, &o->pump);
    }
    loop_undefer(o->loop, &c->fail);
}

static void connect_free(struct connect *c)
{
    loop_timer_stop(c->owner->loop, &c->timer);
    stream_close(&c->stream, c->owner->loop);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    free(c->name);
    free(c);
}

/* The last step: the attempt is gone before the callee hears of it. */
static void connect_finish(struct connect *c, enum connect_fault fault)
{
    struct connector *o = c->owner;
    void (*done)(void *, struct connect_result *) = c->done;
    void *arg = c->arg;
    struct connect_result result = c->result;
    int64_t now = clock_us();

    stream_init(&result.stream, -1, NULL);
    result.fault = fault;
    result.connect_us = (c->shake_us ? c->shake_us : now) - c->begin_us;
    result.tls_us = c->shake_us ? now - c->shake_us : 0;
    if (fault == CONNECT_OK) {
        loop_del(o->loop, &c->stream.io);
        result.stream = c->stream;
        result.stream.io.ready = NULL;
        stream_init(&c->stream, -1, NULL);
    }
    connect_leave(c);
    connect_free(c);
    if (done)
        done(arg, &result);
}

static void connect_fail(struct connect *c, enum connect_fault fault, const char *why)
{
    snprintf(c->result.why, sizeof c->result.why, "%s", why);
    connect_finish(c, fault);
}

static void connect_fail_later(struct loop_task *t)
{
    struct connect *c = OWNER(struct connect, t, fail);

    connect_finish(c, c->result.fault);
}

void connector_cancel(struct connect *c)
{
    if (c->asking_link) {
        c->done = NULL;
        c->target = (struct connect_target){0}; /* borrowed no longer */
        return;
    }
    connect_leave(c);
    connect_free(c);
}

/* ---- TLS ---- */

static void connect_shake(struct connect *c)
{
    switch (stream_handshake(&c->stream)) {
    case 1:
        connect_finish(c, CONNECT_OK);
        return;
    case STREAM_AGAIN:
        loop_want(c->owner->loop, &c->stream.io, c->stream.wants_write ? EPOLLOUT : EPOLLIN);
        return;
    default:
        connect_fail(c, CONNECT_TLS, stream_error(&c->stream));
    }
}

static void connect_ready(struct loop_fd *io, uint32_t events)
{
    (void)events;
    connect_shake(OWNER(struct connect, io, stream.io));
}

/* libcurl is connected.  A duplicate of its socket stays open when libcurl closes its own, which for a plain socket is
 * close(2) and nothing else; so the peer hears nothing of the change of hands. */
static void connect_take(struct connect *c)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    int fd = -1;

    curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &socket);
    if (socket != CURL_SOCKET_BAD)
        fd = fcntl(socket, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        connect_fail(c, CONNECT_REFUSED,
                     socket == CURL_SOCKET_BAD ? "the connection was lost at once" : strerror(errno));
        return;
    }
    c->state = SHAKING;
    connect_leave(c);
    stream_init(&c->stream, fd, c->target.tls ? tls_connect(c->target.tls, fd, c->target.host) : NULL);
    if (!c->target.tls) {
        connect_finish(c, CONNECT_OK);
        return;
    }
    c->shake_us = clock_us();
    loop_timer_set(c->owner->loop, &c->timer, c->target.tls_ms * 1000);
    c->stream.io.ready = connect_ready;
    loop_add(c->owner->loop, &c->stream.io, fd, EPOLLIN);
    connect_shake(c);
}

/* ---- what went wrong ---- */

/* Somebody asks for this very name just now, or nobody should any more. */
static bool connect_must_wait(const struct connect *c)
{
    if (c->hopeless)
        return true;
    for (const struct connect *other = c->owner->asking; other; other = other->asking_next)
        if (strcmp(other->name, c->name) == 0)
            return true;
    return false;
}

/* There is no such name: that is the answer for all who wait for it. */
static void connect_name_unknown(struct connect *c)
{
    struct connector *o = c->owner;

    for (struct connect **at = &o->line; *at;) {
        struct connect *other = *at;
        if (strcmp(other->name, c->name) != 0) {
            at = &other->line_next;
            continue;
        }
        *at = other->line_next;
        if (o->line_end == &other->line_next)
            o->line_end = at;
        other->state = FAILED;
        other->result.fault = c->result.fault;
        snprintf(other->result.why, sizeof other->result.why, "%s", c->result.why);
        loop_defer(o->loop, &other->fail);
    }
}

/* The answer did not come in its time.  Who has waited in line for most of his own does not ask anew. */
static void connect_name_late(struct connect *c)
{
    int64_t now = clock_us();

    for (struct connect *other = c->owner->line; other; other = other->line_next)
        if (strcmp(other->name, c->name) == 0 && (now - other->begin_us) / 1000 > other->target.connect_ms / 2)
            other->hopeless = true;
}

static void connect_late(struct loop_timer *t)
{
    struct connect *c = OWNER(struct connect, t, timer);
    bool proxied = given(c->target.proxy);
    const char *what;

    if (c->asking_link)
        connect_name_late(c);
    if (c->state == SHAKING)
        what = "the TLS handshake was not done";
    else if (c->asking_link || c->hopeless || (c->state == IN_LINE && connect_must_wait(c)))
        what = proxied ? "the proxy's name did not resolve" : "the name did not resolve";
    else if (c->state == IN_LINE)
        what = "too many connects are under way: this one was not tried";
    else
        what = proxied ? "no tunnel through the proxy came about" : "no connection came about";
    snprintf(c->result.why, sizeof c->result.why, "%s within %lld ms", what,
             (long long)(c->state == SHAKING ? c->target.tls_ms : c->target.connect_ms));
    connect_finish(c, CONNECT_TIMEOUT);
}

static void connect_say(struct connect *c, const char *text)
{
    snprintf(c->result.why, sizeof c->result.why, "%s%.140s", given(c->target.proxy) ? "the proxy: " : "", text);
}

static void connect_explain(struct connect *c, CURLcode code)
{
    enum connect_fault fault = given(c->target.proxy) ? CONNECT_PROXY : CONNECT_REFUSED;
    long status = 0, error = 0;

    curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        connect_late(&c->timer);
        return;
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
        c->result.fault = fault = code == CURLE_COULDNT_RESOLVE_PROXY ? CONNECT_PROXY : CONNECT_DNS;
        connect_say(c, "the name does not resolve");
        connect_name_unknown(c);
    } else if (fault == CONNECT_PROXY && status >= 100) {
        snprintf(c->result.why, sizeof c->result.why, "the proxy refused the tunnel with status %ld%s", status,
                 status == 407 ? " (it wants other credentials)" : "");
    } else if (code == CURLE_COULDNT_CONNECT && error) {
        connect_say(c, strerror((int)error));
    } else {
        connect_say(c, *c->error ? c->error : curl_easy_strerror(code));
    }
    connect_finish(c, fault);
}

static void connector_curl_done(struct curl_loop *curl, CURL *easy, CURLcode code)
{
    struct connect *c = NULL;

    (void)curl;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
    if (code == CURLE_OK)
        connect_take(c);
    else
        connect_explain(c, code);
}

/* ---- starting ---- */

/* libcurl has an address and wants a socket to it. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct connect *c = arg;

    (void)purpose;
    connect_stop_asking(c);
    if (!c->done)
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes, (void)arg;
    return size * n; /* what a proxy says beside its status is nobody's business */
}

#define SET(option, value) must(curl_easy_setopt(e, option, value) == CURLE_OK)

static void connect_setup(struct connect *c, CURL *e, const char *url, int64_t ms)
{
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http");
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_ERRORBUFFER, c->error);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_HEADERFUNCTION, on_bytes);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* else letting go would wait for the resolver's thread */
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)ms);
    SET(CURLOPT_NOPROXY, ""); /* "" and not NULL, here and below: the environment is not asked */
    SET(CURLOPT_PROXY, given(c->target.proxy) ? c->target.proxy : "");
    if (given(c->target.proxy)) {
        SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
        SET(CURLOPT_PROXYPORT, 80L);
        SET(CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
        SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    }
}

static void connect_launch(struct connect *c)
{
    struct connector *o = c->owner;
    int64_t ms = c->target.connect_ms - (clock_us() - c->begin_us) / 1000;
    char url[TARGET_URL_MAX];

    must(target_url(url, c->target.host, c->target.port));
    c->state = CONNECTING;
    c->easy = curl_easy_init();
    must(c->easy != NULL);
    connect_setup(c, c->easy, url, ms > 0 ? ms : 1);
    o->under_way++;
    c->asking_next = o->asking;
    c->asking_link = &o->asking;
    if (c->asking_next)
        c->asking_next->asking_link = &c->asking_next;
    o->asking = c;
    must(curl_multi_add_handle(o->curl.multi, c->easy) == CURLM_OK);
}

static void connector_pump(struct loop_task *t)
{
    struct connector *o = OWNER(struct connector, t, pump);

    for (struct connect **at = &o->line; *at && o->under_way < UNDER_WAY_MAX;) {
        struct connect *c = *at;
        if (connect_must_wait(c)) {
            at = &c->line_next;
            continue;
        }
        *at = c->line_next;
        if (o->line_end == &c->line_next)
            o->line_end = at;
        connect_launch(c);
    }
}

/* What is wrong with the target itself; CONNECT_OK: nothing. */
static enum connect_fault connect_check(struct connect *c)
{
    struct weir_error e;
    char url[TARGET_URL_MAX];

    if (!target_url(url, c->target.host, c->target.port)) {
        snprintf(c->result.why, sizeof c->result.why,
                 "this is no host name or address (names in ASCII form), or port 0");
        return CONNECT_DNS;
    }
    if (given(c->target.proxy) && !target_proxy_ok(c->target.proxy, &e)) {
        snprintf(c->result.why, sizeof c->result.why, "%.150s", e.text);
        return CONNECT_PROXY;
    }
    return CONNECT_OK;
}

struct connect *connector_start(struct connector *o, const struct connect_target *target,
                                void (*done)(void *, struct connect_result *), void *arg)
{
    struct connect *c = must_alloc(sizeof *c);

    c->owner = o;
    c->target = *target;
    c->name = must_strdup(given(target->proxy) ? target->proxy : target->host);
    c->done = done;
    c->arg = arg;
    c->begin_us = clock_us();
    c->timer.fire = connect_late;
    c->fail.run = connect_fail_later;
    stream_init(&c->stream, -1, NULL);
    c->next = o->all;
    c->link = &o->all;
    if (c->next)
        c->next->link = &c->next;
    o->all = c;

    c->result.fault = connect_check(c);
    if (c->result.fault != CONNECT_OK) {
        c->state = FAILED;
        loop_defer(o->loop, &c->fail);
        return c;
    }
    loop_timer_set(o->loop, &c->timer, target->connect_ms * 1000);
    c->state = IN_LINE;
    *o->line_end = c;
    o->line_end = &c->line_next;
    loop_defer(o->loop, &o->pump);
    return c;
}

struct connector *connector_new(struct loop *loop)
{
    struct connector *o = must_alloc(sizeof *o);

    curl_loop_init(&o->curl, loop, connector_curl_done);
    o->loop = loop;
    o->line_end = &o->line;
    o->pump.run = connector_pump;
    return o;
}

void connector_free(struct connector *o)
{
    while (o->all) {
        struct connect *c = o->all;
        connect_leave(c);
        connect_free(c);
    }
    loop_undefer(o->loop, &o->pump);
    curl_loop_fini(&o->curl);
    free(o);
}
