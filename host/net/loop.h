/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h -- one process's event loop: file descriptors by epoll (level-triggered), timers, deferred work.
 *
 * Used by workers and by the recorder's admin listener.  Everything is embedded in its owner and starts as {0}: the
 * loop allocates nothing per descriptor, timer or event.  Callbacks may add, change and remove anything, themselves
 * too, and may free their owner after removing it: an event that was already fetched for a removed descriptor is not
 * delivered. A turn delivers events, then timers, then tasks.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

struct loop_fd {
    int fd;                                  /* set by loop_add(), kept by loop_del() */
    bool added;                              /* it is in a loop */
    uint32_t events;                         /* EPOLLIN | EPOLLOUT | EPOLLRDHUP as last asked for */
    void (*ready)(struct loop_fd *, uint32_t events);
};

struct loop_timer {
    int64_t due_us;                          /* monotonic; INT64_MAX: set once, not running now */
    int64_t key_us;                          /* where it stands in the heap; never later than due_us */
    size_t slot;                             /* place in the heap + 1; 0: not in it */
    void (*fire)(struct loop_timer *);
};

struct loop_task {                           /* runs once, at the end of a turn */
    struct loop_task *next, **link;          /* link: NULL when it is not queued */
    void (*run)(struct loop_task *);
};

struct loop {
    int epoll;
    bool stop;
    int64_t now_us;                          /* monotonic, read once per turn */
    int64_t wall_us;                         /* Unix time, read once per turn */
    struct loop_timer **heap; size_t count, cap;
    struct loop_task *first, **last;
    struct epoll_event *batch; int batch_at, batch_n;
};

/* Ignores SIGPIPE for the whole process: OpenSSL writes by write(2).  Who runs another program gives it back its
 * default. */
void loop_init(struct loop *);
void loop_fini(struct loop *);               /* what is still in it is forgotten, not closed */
void loop_run(struct loop *);                /* until loop_stop() */
/* One turn; -1: as long as it takes.  false once stopped.  Not from a callback. */
bool loop_turn(struct loop *, int max_ms);
void loop_stop(struct loop *);

void loop_add(struct loop *, struct loop_fd *, int fd, uint32_t events);
void loop_want(struct loop *, struct loop_fd *, uint32_t events);   /* no system call when nothing changes */
void loop_del(struct loop *, struct loop_fd *);                     /* does not close; harmless when not in the loop */

/* (Re)starts a timer, counted from the start of this turn; it fires in a later turn.  Cheap to call often: a later
 * deadline only moves a number. */
void loop_timer_set(struct loop *, struct loop_timer *, int64_t after_us);
void loop_timer_idle(struct loop_timer *);                          /* will not fire; stays in the heap, cheap */
void loop_timer_stop(struct loop *, struct loop_timer *);           /* out of the heap: before its owner is freed */

void loop_defer(struct loop *, struct loop_task *);                 /* harmless when it is queued already */
void loop_undefer(struct loop *, struct loop_task *);

#endif
