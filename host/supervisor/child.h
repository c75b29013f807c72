/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h -- one process that is kept running: forked, watched, stopped, and started again when it dies.
 *
 * Used by the supervisor (generation, recorder, sinks) and by the generation (workers).  It must not know what a child
 * does.
 *
 * A child dies with its parent: PR_SET_PDEATHSIG kills it, and a look at its parent's id closes the gap before that is
 * set. Between them runs a pipe: its end at the child's side means "finish what you have and go".
 */
#ifndef SUPERVISOR_CHILD_H
#define SUPERVISOR_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir.h"

/* The exit status of a child that has said on stderr, in one line, why it cannot work as it is configured (EX_CONFIG).
 */
#define CHILD_REFUSED 78
/* The exit status of a child that has nothing to do: it is not started again. */
#define CHILD_IDLE    79
#define CHILD_NEVER   INT64_MAX

struct child {
    char name[64];              /* "worker.0", in logs; `ps` shows "weir:" and its first ten bytes */
    int (*run)(struct child *); /* the whole life of the new process; returns its exit status */
    void *owner;                /* for run() */
    enum weir_level log_level;
    int64_t pause_max_us; /* how long a child that keeps dying at once may be left out */

    pid_t pid; /* 0: not running */
    int stop;  /* parent: the pipe's writing end; in the child: its reading end; -1: none */
    int64_t started_us;
    int64_t due_us; /* not running: when it is to be started; CHILD_NEVER: not any more */
    unsigned starts;
    unsigned quick; /* deaths in a row within a second of the start */
};

/* Due at once. */
void child_init(struct child *, int (*run)(struct child *), void *owner);
/* Forks.  When the system has no process to give, that counts as a death and is tried again later. */
void child_start(struct child *);
/* The pipe ends; the child is not started again.  Harmless when it was said before. */
void child_stop(struct child *);
void child_kill(struct child *); /* SIGKILL; harmless when it does not run */
bool child_is_due(const struct child *, int64_t now_us);

/* One of `list` that has ended since the last call, or NULL.  It has been logged, and is due again unless it was
 * stopped. Processes that are not in the list (orphans that a container's init inherits) are cleared away. */
struct child *child_reap(struct child *const *list, unsigned count, int *status);

/* Milliseconds until the next of `list` is due, for poll(2): -1 none. */
int child_wait_ms(struct child *const *list, unsigned count);

/* Blocks these signals and gives a descriptor that tells of them.  Every child begins with none blocked. */
int child_signals(const int *signals, unsigned count);

#endif
