/* SPDX-License-Identifier: Apache-2.0 */
/* curl_loop.c -- sockets and deadlines of libcurl; see curl_loop.h. */
#include "net/curl_loop.h"

#include <stdlib.h>

#include "base/must.h"

/* A socket that libcurl watches. */
struct watch {
    struct loop_fd io;
    struct curl_loop *owner;
};

#define OWNER(member_ptr, member) ((struct curl_loop *)((char *)(member_ptr)-offsetof(struct curl_loop, member)))

static void curl_loop_act(struct curl_loop *o, curl_socket_t fd, int what)
{
    int running, left;
    CURLMsg *m;

    must(curl_multi_socket_action(o->multi, fd, what, &running) == CURLM_OK);
    while ((m = curl_multi_info_read(o->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE)
            o->done(o, m->easy_handle, m->data.result);
}

static void watch_ready(struct loop_fd *io, uint32_t events)
{
    struct watch *w = (struct watch *)io; /* gone when libcurl lets go of the socket in this call */
    int what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & EPOLLERR ? CURL_CSELECT_ERR : 0);

    curl_loop_act(w->owner, io->fd, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct curl_loop *o = arg;
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
    curl_loop_act(OWNER(t, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void kick_run(struct loop_task *t)
{
    curl_loop_act(OWNER(t, kick), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct curl_loop *o = arg;

    (void)multi;
    loop_undefer(o->loop, &o->kick);
    loop_timer_idle(&o->timer);
    if (ms == 0)
        loop_defer(o->loop, &o->kick); /* libcurl must not be called from inside its callback */
    else if (ms > 0)
        loop_timer_set(o->loop, &o->timer, (int64_t)ms * 1000);
    return 0;
}

void curl_loop_init(struct curl_loop *o, struct loop *loop, void (*done)(struct curl_loop *, CURL *, CURLcode))
{
    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); /* counted by libcurl */
    *o = (struct curl_loop){
        .loop = loop, .multi = curl_multi_init(), .timer.fire = timer_fire, .kick.run = kick_run, .done = done};
    must(o->multi != NULL);
    must(curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK);
    must(curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o) == CURLM_OK);
    must(curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK);
    must(curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o) == CURLM_OK);
}

void curl_loop_fini(struct curl_loop *o)
{
    must(curl_multi_cleanup(o->multi) == CURLM_OK);
    loop_timer_stop(o->loop, &o->timer);
    loop_undefer(o->loop, &o->kick);
    curl_global_cleanup();
}
