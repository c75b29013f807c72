/* SPDX-License-Identifier: Apache-2.0 */
/* connector.c -- libcurl's multi interface on our loop, then TLS on the socket it gave; see connector.h. */
#include "net/connector.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "net/target.h"
#include "net/tls.h"

#define UNDER_WAY_MAX 64 /* in libcurl at a time; it looks connections up one by one */

struct connector {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer; /* libcurl's own next deadline */
    struct loop_task kick;   /* libcurl's deadline is now */
    struct connect *all;
    struct connect *line, **line_end; /* waiting for their turn */
    unsigned under_way;
};

enum state { IN_LINE, CONNECTING, SHAKING, FAILED };

struct connect {
    struct connector *owner;
    struct connect *next, **link; /* among all */
    struct connect *line_next;
    enum state state;
    struct connect_target target;
    void (*done)(void *arg, struct connect_result *);
    void *arg;
    CURL *easy;              /* CONNECTING */
    struct stream stream;    /* SHAKING */
    struct loop_timer timer; /* the bound of the state */
    struct loop_task fail;   /* FAILED: tells from outside connector_start() */
    int64_t begin_us, shake_us;
    struct connect_result result;
    char error[CURL_ERROR_SIZE];
};

/* A socket that libcurl watches. */
struct watch {
    struct loop_fd io;
    struct connector *owner;
};

#define OWNER(type, member_ptr, member) ((type *)((char *)(member_ptr)-offsetof(type, member)))

static void connector_pump(struct connector *);

/* ---- the life of an attempt ---- */

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
    if (c->easy) {
        curl_multi_remove_handle(o->multi, c->easy);
        curl_easy_cleanup(c->easy);
        c->easy = NULL;
        o->under_way--;
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
    done(arg, &result);
    connector_pump(o);
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
    struct connector *o = c->owner;

    connect_leave(c);
    connect_free(c);
    connector_pump(o);
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
    connector_pump(c->owner);
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

static bool given(const char *s)
{
    return s && *s;
}

static void connect_late(struct loop_timer *t)
{
    struct connect *c = OWNER(struct connect, t, timer);
    bool proxied = given(c->target.proxy);
    curl_off_t resolved = 0;
    const char *what = "the TLS handshake was not done";

    if (c->state == IN_LINE) {
        what = "too many connects are under way: there was no turn for this one";
    } else if (c->state == CONNECTING) {
        curl_easy_getinfo(c->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
        if (resolved)
            what = proxied ? "no tunnel through the proxy came about" : "no connection came about";
        else
            what = proxied ? "the proxy's name did not resolve" : "the name did not resolve";
    }
    snprintf(c->result.why, sizeof c->result.why, "%s within %lld ms", what,
             (long long)(c->state == SHAKING ? c->target.tls_ms : c->target.connect_ms));
    connect_finish(c, CONNECT_TIMEOUT);
}

static void connect_explain(struct connect *c, CURLcode code)
{
    bool proxied = given(c->target.proxy);
    const char *text = *c->error ? c->error : curl_easy_strerror(code);
    long status = 0, error = 0;

    curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        connect_late(&c->timer);
    } else if (code == CURLE_COULDNT_RESOLVE_HOST) {
        connect_fail(c, CONNECT_DNS, "the name does not resolve");
    } else if (proxied && status >= 100) {
        snprintf(c->result.why, sizeof c->result.why, "the proxy refused the tunnel with status %ld%s", status,
                 status == 407 ? " (it wants other credentials)" : "");
        connect_finish(c, CONNECT_PROXY);
    } else {
        if (code == CURLE_COULDNT_RESOLVE_PROXY)
            text = "its name does not resolve";
        else if (code == CURLE_COULDNT_CONNECT && error)
            text = strerror((int)error);
        snprintf(c->result.why, sizeof c->result.why, "%s%.140s", proxied ? "the proxy: " : "", text);
        connect_finish(c, proxied ? CONNECT_PROXY : CONNECT_REFUSED);
    }
}

/* ---- libcurl on the loop ---- */

/* After each call into libcurl that may have finished something.  Never from inside its callbacks. */
static void connector_reap(struct connector *o)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(o->multi, &left)) != NULL) {
        CURLcode code = m->data.result;
        struct connect *c = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        if (code == CURLE_OK)
            connect_take(c);
        else
            connect_explain(c, code);
    }
}

static void connector_act(struct connector *o, curl_socket_t fd, int what)
{
    int running;

    must(curl_multi_socket_action(o->multi, fd, what, &running) == CURLM_OK);
    connector_reap(o);
}

static void watch_ready(struct loop_fd *io, uint32_t events)
{
    struct watch *w = (struct watch *)io; /* gone when libcurl lets go of the socket in this call */
    int what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & EPOLLERR ? CURL_CSELECT_ERR : 0);

    connector_act(w->owner, io->fd, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct connector *o = arg;
    struct watch *w = known;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            loop_del(o->loop, &w->io);
            free(w);
            curl_multi_assign(o->multi, fd, NULL);
        }
        return 0;
    }
    if (w) {
        loop_want(o->loop, &w->io, events);
        return 0;
    }
    w = must_alloc(sizeof *w);
    w->owner = o;
    w->io.ready = watch_ready;
    loop_add(o->loop, &w->io, fd, events);
    curl_multi_assign(o->multi, fd, w);
    return 0;
}

static void timer_fire(struct loop_timer *t)
{
    connector_act(OWNER(struct connector, t, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void kick_run(struct loop_task *t)
{
    connector_act(OWNER(struct connector, t, kick), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct connector *o = arg;

    (void)multi;
    loop_undefer(o->loop, &o->kick);
    loop_timer_idle(&o->timer);
    if (ms == 0)
        loop_defer(o->loop, &o->kick); /* libcurl must not be called from inside its callback */
    else if (ms > 0)
        loop_timer_set(o->loop, &o->timer, (int64_t)ms * 1000);
    return 0;
}

/* ---- starting ---- */

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg, (void)purpose;
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
    must(curl_multi_add_handle(o->multi, c->easy) == CURLM_OK);
}

static void connector_pump(struct connector *o)
{
    while (o->line && o->under_way < UNDER_WAY_MAX) {
        struct connect *c = o->line;
        o->line = c->line_next;
        if (!o->line)
            o->line_end = &o->line;
        connect_launch(c);
    }
}

struct connect *connector_start(struct connector *o, const struct connect_target *target,
                                void (*done)(void *, struct connect_result *), void *arg)
{
    struct connect *c = must_alloc(sizeof *c);
    struct weir_error e;
    char url[TARGET_URL_MAX];

    c->owner = o;
    c->target = *target;
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

    if (!target_url(url, target->host, target->port)) {
        c->result.fault = CONNECT_DNS;
        snprintf(c->result.why, sizeof c->result.why,
                 "this is no host name or address (names in ASCII form), or port 0");
    } else if (given(target->proxy) && !target_proxy_ok(target->proxy, &e)) {
        c->result.fault = CONNECT_PROXY;
        snprintf(c->result.why, sizeof c->result.why, "%.150s", e.text);
    }
    if (c->result.fault != CONNECT_OK) {
        c->state = FAILED;
        loop_defer(o->loop, &c->fail);
        return c;
    }
    loop_timer_set(o->loop, &c->timer, target->connect_ms * 1000);
    c->state = IN_LINE;
    *o->line_end = c;
    o->line_end = &c->line_next;
    connector_pump(o);
    return c;
}

struct connector *connector_new(struct loop *loop)
{
    struct connector *o = must_alloc(sizeof *o);

    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    o->loop = loop;
    o->line_end = &o->line;
    o->timer.fire = timer_fire;
    o->kick.run = kick_run;
    o->multi = curl_multi_init();
    must(o->multi != NULL);
    must(curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK);
    must(curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o) == CURLM_OK);
    must(curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK);
    must(curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o) == CURLM_OK);
    return o;
}

void connector_free(struct connector *o)
{
    o->line_end = NULL;
    while (o->all) {
        struct connect *c = o->all;
        connect_leave(c);
        connect_free(c);
    }
    must(curl_multi_cleanup(o->multi) == CURLM_OK);
    loop_timer_stop(o->loop, &o->timer);
    loop_undefer(o->loop, &o->kick);
    free(o);
    curl_global_cleanup();
}
