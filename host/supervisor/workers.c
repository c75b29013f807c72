/* SPDX-License-Identifier: Apache-2.0 */
/* workers.c -- the generation's process: the world, and the workers and the keeper forked from it; see workers.h. */
#include "supervisor/workers.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "keeper/keeper.h"
#include "supervisor/generation.h"
#include "supervisor/greeting.h"
#include "worker/worker.h"

/* A worker costs one fork, and the connections that the kernel has dealt to its slot wait for it: its pause stays
 * short.  See docs/decisions/0002-dead-slot.md. */
#define WORKER_PAUSE_MAX_US 100000

struct slot {
    struct child child;
    struct workers *all;
    unsigned number;
};

struct workers {
    struct generation *generation;
    struct world *world;
    struct vault *vault;
    struct slot *slots; /* the workers', and the keeper's behind them */
    struct child **children;
    unsigned count; /* workers */
    unsigned children_count;
    int signals;
};

/* ---- a worker ---- */

/* What belongs to the generation, and to its other children, is not for this one. */
static void child_leave(struct workers *all, struct slot *me)
{
    close(all->signals);
    close(all->generation->child.stop);
    for (unsigned i = 0; i < all->children_count; i++)
        if (all->children[i] != &me->child && all->children[i]->stop >= 0)
            close(all->children[i]->stop);
}

static int worker_live(struct child *c)
{
    struct slot *me = c->owner;
    struct generation *g = me->all->generation;
    struct commons *common = g->commons;
    struct weir_error error = {{0}, {0}, {0}};
    struct worker_start start = {.world = me->all->world,
                                 .slot = me->number,
                                 .listener = common->listeners[me->number],
                                 .ring = common->rings[me->number],
                                 .counters = common->counters,
                                 .metrics = common->metrics,
                                 .vault = me->all->vault,
                                 .stop_fd = c->stop};
    int status;

    child_leave(me->all, me);
    commons_for_worker(common, me->number);
    if (!world_init(me->all->world, NULL, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return CHILD_REFUSED;
    }
    generation_tell(g, NEWS_READY, me->number,
                    getpid()); /* before it can hold anything, which is given back for sure */
    counters_own(common->counters, (uint32_t)getpid());
    if (g->greet && me->number == 0)
        greeting_print(me->all->world, &common->address);
    status = worker_run(&start);
    world_fini(me->all->world);
    return status;
}

/* ---- the keeper ---- */

static int keeper_live(struct child *c)
{
    struct slot *me = c->owner;
    struct generation *g = me->all->generation;
    const struct keeper_start start = {.world = me->all->world,
                                       .vault = me->all->vault,
                                       .metrics = g->commons->metrics,
                                       .slot = commons_lane_keeper(g->commons),
                                       .stop_fd = c->stop};

    child_leave(me->all, me);
    commons_for_sink(g->commons);
    close(g->tell); /* its end is that of the last worker */
    switch (keeper_run(&start)) {
    case KEEPER_IDLE:
        return CHILD_IDLE;
    case KEEPER_STOPPED:
        return EXIT_SUCCESS;
    default:
        return EXIT_FAILURE;
    }
}

/* It has nothing to finish. */
static void keeper_end(struct workers *w)
{
    struct child *keeper = &w->slots[w->count].child;

    if (w->children_count == w->count)
        return;
    child_stop(keeper);
    child_kill(keeper);
    if (keeper->pid)
        waitpid(keeper->pid, NULL, 0);
}

/* ---- the generation ---- */

static void slot_make(struct workers *w, unsigned i)
{
    struct slot *slot = &w->slots[i];

    slot->all = w;
    slot->number = i;
    child_init(&slot->child, i < w->count ? worker_live : keeper_live, slot);
    if (i < w->count) {
        snprintf(slot->child.name, sizeof slot->child.name, "worker.%u", i);
        slot->child.pause_max_us = WORKER_PAUSE_MAX_US;
    } else {
        snprintf(slot->child.name, sizeof slot->child.name, "keeper");
    }
    slot->child.log_level = w->generation->child.log_level;
    w->children[i] = &slot->child;
}

static void slots_make(struct workers *w)
{
    w->count = w->generation->commons->workers;
    w->children_count = w->count + keeper_wanted(w->world);
    w->vault = vault_new(w->world->provider_count);
    w->slots = must_alloc((w->count + 1) * sizeof *w->slots);
    w->children = must_alloc(w->children_count * sizeof(struct child *));
    for (unsigned i = 0; i < w->children_count; i++)
        slot_make(w, i);
}

static void children_start(struct workers *w)
{
    for (unsigned i = 0; i < w->children_count; i++) {
        if (!child_is_due(w->children[i], clock_us()))
            continue;
        child_start(w->children[i]);
        if (i == 0)
            w->generation->greet = false;
    }
}

static bool workers_alive(const struct workers *w)
{
    for (unsigned i = 0; i < w->count; i++)
        if (w->children[i]->pid || w->children[i]->due_us != CHILD_NEVER)
            return true;
    return false;
}

/* false: a worker cannot work as configured, at its very first start. */
static bool workers_reap(struct workers *w)
{
    struct child *c;
    int status;

    while ((c = child_reap(w->children, w->children_count, &status))) {
        struct slot *slot = c->owner;
        if (c->due_us != CHILD_NEVER || slot->number < w->count)
            generation_tell(w->generation, NEWS_DIED, slot->number, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_REFUSED && c->starts == 1)
            return false;
    }
    return true;
}

static int workers_loop(struct workers *w)
{
    struct pollfd fds[2] = {{.fd = w->signals, .events = POLLIN}, {.fd = w->generation->child.stop, .events = POLLIN}};
    struct signalfd_siginfo info;

    while (workers_alive(w)) {
        children_start(w);
        poll(fds, 2, child_wait_ms(w->children, w->children_count));
        while (read(w->signals, &info, sizeof info) > 0)
            ;
        if (fds[1].revents) {
            fds[1].fd = -1;
            for (unsigned i = 0; i < w->count; i++)
                child_stop(w->children[i]);
        }
        if (!workers_reap(w))
            return CHILD_REFUSED;
    }
    return EXIT_SUCCESS;
}

/* Ten lines on what a newcomer has not configured would bury the one that matters. */
static void notes_log(struct buf *notes)
{
    char *at = notes->ptr, *end = notes->ptr + notes->len, *eol;
    unsigned count = 0;

    for (; at < end; at = eol + 1, count++) {
        eol = memchr(at, '\n', (size_t)(end - at));
        eol = eol ? eol : end;
        log_event(WEIR_DEBUG, LOG_config, "note=\"%.*s\"", (int)(eol - at), at);
    }
    if (count)
        log_event(WEIR_INFO, LOG_config, "notes=%u see=\"weir check\"", count);
    buf_fini(notes);
}

int workers_run(struct generation *g)
{
    struct workers w = {.generation = g};
    struct buf notes = {0};
    int status;

    w.world = commons_world(g->commons, &g->source, NULL, &notes);
    notes_log(&notes);
    if (!w.world)
        return CHILD_REFUSED;
    w.signals = child_signals((const int[]){SIGCHLD}, 1);
    slots_make(&w);
    status = workers_loop(&w);
    keeper_end(&w);
    vault_free(w.vault);
    world_free(w.world);
    free(w.slots);
    free(w.children);
    close(w.signals);
    return status;
}
