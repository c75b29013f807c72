/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c -- epoll, a binary heap of timers, a list of tasks; see loop.h. */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"

#define BATCH     256
#define TASKS_MAX 4096 /* of one turn: tasks that make tasks must not keep events waiting */
#define YEAR_US   (365 * 86400 * INT64_C(1000000))

static void clock_refresh(struct loop *l)
{
    l->now_us = clock_us();
    l->wall_us = clock_wall_us();
}

void loop_init(struct loop *l)
{
    *l = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    must(l->epoll >= 0);
    l->batch = must_alloc(BATCH * sizeof *l->batch);
    l->last = &l->first;
    clock_refresh(l);
    signal(SIGPIPE, SIG_IGN);
}

void loop_fini(struct loop *l)
{
    close(l->epoll);
    free(l->batch);
    free(l->heap);
    *l = (struct loop){.epoll = -1};
}

void loop_stop(struct loop *l)
{
    l->stop = true;
}

/* ---- descriptors ---- */

static void fd_control(struct loop *l, int op, struct loop_fd *io, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = io};

    must(epoll_ctl(l->epoll, op, io->fd, &e) == 0);
    io->events = events;
}

void loop_add(struct loop *l, struct loop_fd *io, int fd, uint32_t events)
{
    must(!io->added && io->ready);
    io->fd = fd;
    fd_control(l, EPOLL_CTL_ADD, io, events);
    io->added = true;
}

void loop_want(struct loop *l, struct loop_fd *io, uint32_t events)
{
    must(io->added);
    if (io->events != events)
        fd_control(l, EPOLL_CTL_MOD, io, events);
}

void loop_del(struct loop *l, struct loop_fd *io)
{
    if (!io->added)
        return;
    io->added = false;
    /* Fails only when the descriptor has been closed already, which takes it out as well. */
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, NULL);
    for (int i = l->batch_at; i < l->batch_n; i++)
        if (l->batch[i].data.ptr == io)
            l->batch[i].data.ptr = NULL;
}

/* ---- timers: key_us is what the heap is ordered by, due_us what counts ---- */

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->slot = i + 1;
}

static void heap_up(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];

    while (i > 0 && l->heap[(i - 1) / 2]->key_us > t->key_us) {
        heap_put(l, i, l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];

    for (size_t child; (child = 2 * i + 1) < l->count; i = child) {
        if (child + 1 < l->count && l->heap[child + 1]->key_us < l->heap[child]->key_us)
            child++;
        if (l->heap[child]->key_us >= t->key_us)
            break;
        heap_put(l, i, l->heap[child]);
    }
    heap_put(l, i, t);
}

static void heap_insert(struct loop *l, struct loop_timer *t)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->heap = must_realloc(l->heap, l->cap * sizeof(struct loop_timer *));
    }
    l->heap[l->count] = t;
    heap_up(l, l->count++);
}

static void heap_remove(struct loop *l, struct loop_timer *t)
{
    size_t i = t->slot - 1;
    struct loop_timer *last = l->heap[--l->count];

    t->slot = 0;
    if (last == t)
        return;
    heap_put(l, i, last);
    heap_up(l, i);
    heap_down(l, last->slot - 1);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t after_us)
{
    must(t->fire != NULL);
    if (after_us < 1)
        after_us = 1; /* not in this turn: a timer that restarts itself must not hold up the loop */
    if (after_us > YEAR_US)
        after_us = YEAR_US;
    t->due_us = l->now_us + after_us;
    if (t->slot && t->due_us >= t->key_us)
        return;
    t->key_us = t->due_us;
    if (t->slot)
        heap_up(l, t->slot - 1);
    else
        heap_insert(l, t);
}

void loop_timer_idle(struct loop_timer *t)
{
    t->due_us = INT64_MAX;
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
    t->due_us = INT64_MAX;
    if (t->slot)
        heap_remove(l, t);
}

static void timers_fire(struct loop *l)
{
    while (l->count && l->heap[0]->key_us <= l->now_us) {
        struct loop_timer *t = l->heap[0];
        if (t->due_us > l->now_us && t->due_us != INT64_MAX) {
            t->key_us = t->due_us;
            heap_down(l, 0);
            continue;
        }
        bool due = t->due_us != INT64_MAX;
        loop_timer_stop(l, t);
        if (due)
            t->fire(t);
    }
}

/* ---- tasks ---- */

void loop_defer(struct loop *l, struct loop_task *t)
{
    if (t->link)
        return;
    t->next = NULL;
    t->link = l->last;
    *l->last = t;
    l->last = &t->next;
}

void loop_undefer(struct loop *l, struct loop_task *t)
{
    if (!t->link)
        return;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    else
        l->last = t->link;
    t->link = NULL;
}

static void tasks_run(struct loop *l)
{
    for (int n = 0; l->first && n < TASKS_MAX; n++) {
        struct loop_task *t = l->first;
        loop_undefer(l, t);
        t->run(t);
    }
}

/* ---- turns ---- */

static int wait_ms(const struct loop *l, int max_ms)
{
    if (l->first)
        return 0;
    if (!l->count)
        return max_ms;
    int64_t us = l->heap[0]->key_us - l->now_us;
    int64_t ms = us <= 1 ? 0 : (us + 999) / 1000; /* 1: set with no delay in this turn; rounded up, so as not to spin */
    if (max_ms >= 0 && max_ms < ms)
        return max_ms;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

bool loop_turn(struct loop *l, int max_ms)
{
    must(l->batch_n == 0);
    if (l->stop)
        return false;
    int n = epoll_wait(l->epoll, l->batch, BATCH, wait_ms(l, max_ms));
    must(n >= 0 || errno == EINTR);
    clock_refresh(l);
    l->batch_n = n > 0 ? n : 0;
    for (l->batch_at = 0; l->batch_at < l->batch_n;) {
        struct epoll_event *e = &l->batch[l->batch_at++];
        struct loop_fd *io = e->data.ptr;
        if (io)
            io->ready(io, e->events);
    }
    l->batch_n = l->batch_at = 0;
    timers_fire(l);
    tasks_run(l);
    return !l->stop;
}

void loop_run(struct loop *l)
{
    while (loop_turn(l, -1))
        ;
}
