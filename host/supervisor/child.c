/* SPDX-License-Identifier: Apache-2.0 */
/* child.c -- fork, wait, and the pause before a child that keeps dying is started again; see child.h. */
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"

#define QUICK_US       1000000 /* a life shorter than this is a quick death */
#define QUICK_FREE     3       /* so many in a row cost no pause */
#define PAUSE_FIRST_US 10000

void child_init(struct child *c, int (*run)(struct child *), void *owner)
{
    *c = (struct child){.run = run, .owner = owner, .stop = -1, .pause_max_us = 5000000, .log_level = WEIR_INFO};
}

/* ---- in the new process ---- */

static void signals_reset(void)
{
    sigset_t none;

    /* A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group; only the supervisor may act on them.
     */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_live(struct child *c, pid_t parent, int stop)
{
    char title[80];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_SUCCESS);
    snprintf(title, sizeof title, "weir:%s", c->name);
    prctl(PR_SET_NAME, title); /* the kernel keeps 15 bytes */
    signals_reset();
    c->stop = stop;
    c->pid = 0;
    log_open(c->log_level, c->name);
    exit(c->run(c));
}

/* ---- in the parent ---- */

static void child_gone(struct child *c, int64_t now_us)
{
    int64_t pause = PAUSE_FIRST_US;

    c->pid = 0;
    if (c->stop >= 0)
        close(c->stop);
    c->stop = -1;
    c->quick = now_us - c->started_us < QUICK_US ? c->quick + 1 : 0;
    if (c->due_us == CHILD_NEVER)
        return;
    if (c->quick <= QUICK_FREE) {
        c->due_us = now_us;
        return;
    }
    for (unsigned i = QUICK_FREE + 1; i < c->quick && pause < c->pause_max_us; i++)
        pause *= 2;
    pause = pause < c->pause_max_us ? pause : c->pause_max_us;
    c->due_us = now_us + pause;
    log_event(WEIR_WARN, LOG_child_quick, "child=%s deaths=%u pause_ms=%lld", c->name, c->quick,
              (long long)pause / 1000);
}

void child_start(struct child *c)
{
    pid_t parent = getpid(), pid;
    int ends[2];

    must(c->pid == 0);
    c->started_us = clock_us();
    c->starts++;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        log_event(WEIR_ERROR, LOG_child_died, "child=%s why=\"no pipe: %s\"", c->name, strerror(errno));
        child_gone(c, c->started_us);
        return;
    }
    pid = fork();
    if (pid == 0) {
        close(ends[1]);
        child_live(c, parent, ends[0]);
    }
    close(ends[0]);
    c->stop = ends[1];
    if (pid < 0) {
        log_event(WEIR_ERROR, LOG_child_died, "child=%s why=\"no process: %s\"", c->name, strerror(errno));
        child_gone(c, c->started_us);
        return;
    }
    c->pid = pid;
}

void child_stop(struct child *c)
{
    c->due_us = CHILD_NEVER;
    if (c->stop >= 0)
        close(c->stop);
    c->stop = -1;
}

void child_kill(struct child *c)
{
    if (c->pid)
        kill(c->pid, SIGKILL);
}

bool child_is_due(const struct child *c, int64_t now_us)
{
    return c->pid == 0 && c->due_us <= now_us;
}

static void death_log(const struct child *c, int status)
{
    long long ms = (long long)(clock_us() - c->started_us) / 1000;

    if (WIFSIGNALED(status))
        log_event(WEIR_ERROR, LOG_child_died, "child=%s pid=%d signal=%s lived_ms=%lld", c->name, (int)c->pid,
                  sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?", ms);
    else if (WEXITSTATUS(status) == CHILD_REFUSED || WEXITSTATUS(status) == CHILD_IDLE)
        return; /* it has said why; there is nothing to say */
    else if (c->due_us != CHILD_NEVER || WEXITSTATUS(status) != 0)
        log_event(WEIR_ERROR, LOG_child_died, "child=%s pid=%d status=%d lived_ms=%lld", c->name, (int)c->pid,
                  WEXITSTATUS(status), ms);
}

struct child *child_reap(struct child *const *list, unsigned count, int *status)
{
    pid_t pid;

    while ((pid = waitpid(-1, status, WNOHANG)) > 0) {
        for (unsigned i = 0; i < count; i++) {
            if (list[i]->pid != pid)
                continue;
            death_log(list[i], *status);
            if (WIFEXITED(*status) && WEXITSTATUS(*status) == CHILD_IDLE)
                list[i]->due_us = CHILD_NEVER;
            child_gone(list[i], clock_us());
            return list[i];
        }
    }
    return NULL;
}

int child_wait_ms(struct child *const *list, unsigned count)
{
    int64_t first = CHILD_NEVER, now = clock_us();

    for (unsigned i = 0; i < count; i++)
        if (list[i]->pid == 0 && list[i]->due_us < first)
            first = list[i]->due_us;
    if (first == CHILD_NEVER)
        return -1;
    return first <= now ? 0 : (int)((first - now + 999) / 1000);
}

int child_signals(const int *signals, unsigned count)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (unsigned i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_SETMASK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    must(fd >= 0);
    return fd;
}
