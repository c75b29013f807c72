/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c -- the first process: start, watch, stop; see supervisor.h. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "recorder/recorder.h"
#include "recorder/sink.h"
#include "supervisor/generation.h"
#include "supervisor/workers.h"

#define DRAIN_EXTRA_US 1000000 /* beyond drain_timeout, before what still runs is killed */
#define FLUSH_US       5000000 /* for the recorder, and then for the sinks, to finish */
#define HURRY_US       1000000 /* the same after a second signal */
#define SAME_SIGNAL_US 100000  /* timeout(1) and others send it to the process and to its group */

/* Stopping goes through these in order: workers first, then who takes in their last records, then who reads those. */
enum phase { PHASE_RUN, PHASE_GENERATION, PHASE_RECORDER, PHASE_SINKS, PHASE_OVER };

struct reader { /* a sink's process */
    struct child child;
    struct supervisor *of;
    unsigned number;
};

struct supervisor {
    const struct world_source *source;
    struct world *world; /* settings and names only */
    struct state state;
    struct commons commons;
    struct generation generation;
    struct child recorder;
    struct reader *readers;
    struct child **children;
    unsigned count; /* generation, recorder, readers */
    int signals;
    int64_t started_us;
    enum phase phase;
    int64_t deadline_us, signal_us;
    bool told_ready, failed;
    bool hurry; /* a second signal */
    bool cut;   /* somebody was killed while stopping */
};

/* ---- in the new processes ---- */

static void child_leave(struct supervisor *s, const struct child *me)
{
    close(s->signals);
    if (s->generation.channel >= 0)
        close(s->generation.channel);
    for (unsigned i = 0; i < s->count; i++)
        if (s->children[i] != me && s->children[i]->stop >= 0)
            close(s->children[i]->stop);
}

static int generation_live(struct child *c)
{
    struct supervisor *s = c->owner;

    child_leave(s, c);
    commons_for_generation(&s->commons);
    return workers_run(&s->generation);
}

static int recorder_live(struct child *c)
{
    struct supervisor *s = c->owner;
    struct recorder_start start = {.world = s->world,
                                   .rings = s->commons.rings,
                                   .ring_count = s->commons.ring_count,
                                   .wake_fd = s->commons.wake_recorder,
                                   .admin_listener = s->commons.admin,
                                   .metrics = s->commons.metrics,
                                   .slot = commons_lane_recorder(&s->commons),
                                   .stop_fd = c->stop};

    child_leave(s, c);
    commons_for_recorder(&s->commons);
    metrics_attach(start.metrics, start.slot);
    return recorder_run(&start);
}

/* NULL: the file has been edited since, and it is gone. */
static struct sink *sink_called(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->sink_count; i++)
        if (strcmp(w->sinks[i]->in.name, name) == 0)
            return w->sinks[i];
    return NULL;
}

static int reader_live(struct child *c)
{
    struct reader *me = c->owner;
    struct supervisor *s = me->of;
    const char *name = s->world->sinks[me->number]->in.name;
    struct weir_error error = {{0}, {0}, {0}};
    struct sink_start start = {.metrics = s->commons.metrics,
                               .slot = commons_lane_sink(&s->commons, me->number),
                               .index = me->number,
                               .stop_fd = c->stop};
    int status;

    child_leave(s, c);
    commons_for_sink(&s->commons);
    metrics_attach(start.metrics, start.slot);
    start.world = commons_world(&s->commons, s->source, name, NULL);
    start.sink = start.world ? sink_called(start.world, name) : NULL;
    if (!start.sink)
        return CHILD_REFUSED;
    if (!world_init(start.world, start.sink, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return CHILD_REFUSED;
    }
    status = sink_run(&start);
    world_fini(start.world);
    world_free(start.world);
    return status;
}

/* ---- children ---- */

static void children_init(struct supervisor *s)
{
    unsigned sinks = (unsigned)s->world->sink_count;
    enum weir_level level = WEIR_INFO;

    log_level_of(s->world->settings.log_level, &level);
    log_open(level, "supervisor");
    s->readers = must_alloc(sinks * sizeof *s->readers);
    s->children = must_alloc((2 + sinks) * sizeof(struct child *));
    generation_init(&s->generation, &s->commons, s->source, generation_live, s);
    child_init(&s->recorder, recorder_live, s);
    snprintf(s->recorder.name, sizeof s->recorder.name, "recorder");
    s->children[s->count++] = &s->generation.child;
    s->children[s->count++] = &s->recorder;
    for (unsigned i = 0; i < sinks; i++) {
        struct reader *r = &s->readers[i];
        r->of = s;
        r->number = i;
        child_init(&r->child, reader_live, r);
        snprintf(r->child.name, sizeof r->child.name, "sink.%s", s->world->sinks[i]->in.name);
        r->child.due_us = CHILD_NEVER; /* until weir answers: nothing may slow down the first answer */
        s->children[s->count++] = &r->child;
    }
    for (unsigned i = 0; i < s->count; i++)
        s->children[i]->log_level = level;
}

/* The part of the children that may be started: not the generation while anything of the one before it lives. */
static unsigned startable_from(const struct supervisor *s)
{
    return s->generation.channel >= 0;
}

static void children_start(struct supervisor *s)
{
    for (unsigned i = startable_from(s); i < s->count; i++) {
        if (!child_is_due(s->children[i], clock_us()))
            continue;
        if (i == 0)
            generation_start(&s->generation);
        else
            child_start(s->children[i]);
    }
}

static void stop_begin(struct supervisor *);

static void children_reap(struct supervisor *s)
{
    struct child *c;
    int status;

    while ((c = child_reap(s->children, s->count, &status))) {
        bool refused = WIFEXITED(status) && WEXITSTATUS(status) == CHILD_REFUSED;
        metrics_add(s->commons.metrics, commons_lane_supervisor(&s->commons), METRIC_restarts, 0,
                    s->phase == PHASE_RUN);
        if (!refused || s->generation.ready || s->phase != PHASE_RUN)
            continue;
        s->failed = true;
        stop_begin(s);
    }
}

static void ready_tell(struct supervisor *s)
{
    if (s->told_ready || !s->generation.ready || s->phase != PHASE_RUN)
        return;
    s->told_ready = true;
    log_event(WEIR_INFO, LOG_ready, "listen=%s workers=%u start_ms=%lld", s->commons.listen, s->commons.workers,
              (long long)(clock_us() - s->started_us) / 1000);
    for (unsigned i = 0; i < s->world->sink_count; i++)
        s->readers[i].child.due_us = 0;
}

/* ---- stopping ---- */

static void stop_begin(struct supervisor *s)
{
    s->phase = PHASE_GENERATION;
    s->deadline_us = clock_us() + s->world->settings.drain_timeout * 1000 + DRAIN_EXTRA_US;
    child_stop(&s->generation.child);
    commons_refuse(&s->commons);
    if (!s->generation.ready)
        child_kill(&s->generation.child); /* it is loading, and has nothing to drain */
}

static void stop_signal(struct supervisor *s, unsigned signal)
{
    bool same = s->phase != PHASE_RUN && clock_us() - s->signal_us < SAME_SIGNAL_US;

    s->signal_us = clock_us();
    if (same)
        return;
    if (s->phase == PHASE_RUN) {
        log_event(WEIR_INFO, LOG_stop, "signal=%s", sigabbrev_np((int)signal));
        stop_begin(s);
        return;
    }
    log_event(WEIR_INFO, LOG_stop, "signal=%s now=true", sigabbrev_np((int)signal));
    s->hurry = true;
    s->cut = s->cut || s->generation.child.pid;
    child_kill(&s->generation.child);
    if (s->deadline_us > clock_us() + HURRY_US)
        s->deadline_us = clock_us() + HURRY_US;
}

static bool phase_is_done(const struct supervisor *s)
{
    if (s->phase == PHASE_GENERATION)
        return generation_is_gone(&s->generation);
    if (s->phase == PHASE_RECORDER)
        return s->recorder.pid == 0;
    for (unsigned i = 0; i < s->world->sink_count; i++)
        if (s->readers[i].child.pid)
            return false;
    return true;
}

static void phase_next(struct supervisor *s)
{
    s->phase++;
    s->deadline_us = clock_us() + (s->hurry ? HURRY_US : FLUSH_US);
    if (s->phase == PHASE_RECORDER)
        child_stop(&s->recorder);
    for (unsigned i = 0; s->phase == PHASE_SINKS && i < s->world->sink_count; i++)
        child_stop(&s->readers[i].child);
}

static void phase_kill(struct supervisor *s)
{
    unsigned from = s->phase == PHASE_GENERATION ? 0 : s->phase == PHASE_RECORDER ? 1 : 2;

    for (unsigned i = from; i < (from == 2 ? s->count : from + 1); i++)
        child_kill(s->children[i]);
    s->cut = true;
    s->deadline_us = clock_us() + HURRY_US;
}

static void stop_turn(struct supervisor *s)
{
    while (s->phase != PHASE_RUN && s->phase != PHASE_OVER && phase_is_done(s))
        phase_next(s);
    if (s->phase != PHASE_RUN && s->phase != PHASE_OVER && clock_us() > s->deadline_us)
        phase_kill(s);
}

/* ---- the loop ---- */

static void signals_take(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop_signal(s, info.ssi_signo);
        else if (info.ssi_signo == SIGHUP)
            log_event(WEIR_WARN, LOG_config, "note=\"this weir cannot reload; stop it and start it again\"");
    }
}

static int wait_ms(const struct supervisor *s)
{
    unsigned from = startable_from(s);
    int ms = child_wait_ms(s->children + from, s->count - from);
    int64_t left = (s->deadline_us - clock_us()) / 1000 + 1;

    if (s->phase == PHASE_RUN)
        return ms;
    left = left < 0 ? 0 : left;
    return ms < 0 || ms > left ? (int)left : ms;
}

static void supervisor_loop(struct supervisor *s)
{
    const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};

    s->signals = child_signals(signals, sizeof signals / sizeof *signals);
    while (s->phase != PHASE_OVER) {
        children_start(s);
        struct pollfd fds[2] = {{.fd = s->signals, .events = POLLIN}, {.fd = s->generation.channel, .events = POLLIN}};
        poll(fds, 2, wait_ms(s));
        if (fds[1].revents)
            generation_listen(&s->generation);
        ready_tell(s);
        signals_take(s);
        children_reap(s);
        stop_turn(s);
    }
    if (!s->failed)
        log_event(WEIR_INFO, LOG_stop, "drained=%s", s->cut ? "false" : "true");
}

/* ---- start ---- */

/* Every process holds secrets: keys of providers stand in the environment that all inherit.  Nobody may attach, and no
 * core is written. A program that a plugin starts gets no more rights than weir has. */
static void process_harden(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* "FILE:LINE: " of the setting that is at fault, or "-l ADDR:PORT: ". */
static void fault_place(const struct supervisor *s, const char *setting, struct buf *to)
{
    int line = strcmp(setting, "listen") == 0  ? s->world->lines.listen
               : strcmp(setting, "admin") == 0 ? s->world->lines.admin
                                               : s->world->lines.state;

    if (strcmp(setting, "listen") == 0 && s->source->listen)
        buf_printf(to, "-l %s: ", s->source->listen);
    else if (line)
        buf_printf(to, "%s:%d: ", s->source->file, line);
    else
        buf_printf(to, "%s: ", s->source->file ? s->source->file : "built-in configuration");
}

static bool supervisor_open(struct supervisor *s, struct buf *faults)
{
    struct weir_error error = {{0}, {0}, {0}};

    s->world = world_load_from(s->source, WORLD_SETTINGS, NULL, faults);
    if (!s->world)
        return false;
    if (state_open(&s->state, s->world->settings.state, &error) &&
        commons_open(&s->commons, s->world, &s->state, &error))
        return true;
    fault_place(s, error.field, faults);
    buf_printf(faults, "%s: %s\n", error.field, error.text);
    return false;
}

int supervisor_run(const struct world_source *source)
{
    struct supervisor s = {.source = source,
                           .state = {.lock = -1},
                           .commons = {.admin = -1, .wake_recorder = -1},
                           .signals = -1,
                           .started_us = clock_us()};
    struct buf faults = {0};

    process_harden();
    if (supervisor_open(&s, &faults)) {
        children_init(&s);
        supervisor_loop(&s);
        commons_remove_rings(&s.commons, &s.state);
        generation_fini(&s.generation);
    } else {
        fprintf(stderr, STR_FMT, STR_ARG(buf_view(&faults)));
        s.failed = true;
    }
    buf_fini(&faults);
    commons_close(&s.commons);
    state_close(&s.state);
    if (s.world)
        world_free(s.world);
    free(s.readers);
    free(s.children);
    if (s.signals >= 0)
        close(s.signals);
    return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
