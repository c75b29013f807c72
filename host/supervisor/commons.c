/* SPDX-License-Identifier: Apache-2.0 */
/* commons.c -- sockets, shared memory and eventfds that the processes have in common; see commons.h. */
#include "supervisor/commons.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/must.h"
#include "worker/kind.h"
#include "worker/pipeline.h"

#define COUNTER_CELLS 65536
#define COUNTER_HOLDS 65536
#define WORKERS_MAX   (COUNTERS_LANES - 6) /* each owns holds; so do the dead ones until they are buried */

/* ---- names for the metrics ---- */

#define STEP_NAME(name, ...)     #name,
#define OUTCOME_NAME(name, help) #name,
static const char *const step_names[] = {PIPELINE(STEP_NAME)};
static const char *const outcome_names[] = {OUTCOMES(OUTCOME_NAME)};

static struct metrics_labels labels_of(const struct world *w)
{
    const char **providers = must_alloc(w->provider_count * sizeof *providers);
    const char **stages = must_alloc(w->stage_count * sizeof *stages);
    const char **sinks = must_alloc(w->sink_count * sizeof *sinks);
    struct metrics_labels l = {.count = {[LABEL_STEP] = STEP_COUNT,
                                         [LABEL_OUTCOME] = sizeof outcome_names / sizeof *outcome_names,
                                         [LABEL_ENDPOINT] = w->provider_count,
                                         [LABEL_STAGE] = w->stage_count,
                                         [LABEL_SINK] = w->sink_count,
                                         [LABEL_TASK] = KIND_OF_ALL},
                               .names = {[LABEL_STEP] = step_names,
                                         [LABEL_OUTCOME] = outcome_names,
                                         [LABEL_ENDPOINT] = providers,
                                         [LABEL_STAGE] = stages,
                                         [LABEL_SINK] = sinks,
                                         [LABEL_TASK] = kind_names}};

    for (size_t i = 0; i < w->provider_count; i++)
        providers[i] = w->providers[i]->in.name;
    for (size_t i = 0; i < w->stage_count; i++)
        stages[i] = w->stages[i]->in.name;
    for (size_t i = 0; i < w->sink_count; i++)
        sinks[i] = w->sinks[i]->in.name;
    return l;
}

unsigned commons_lane_sink(const struct commons *c, unsigned sink)
{
    return c->workers + sink;
}

unsigned commons_lane_recorder(const struct commons *c)
{
    return c->workers + (unsigned)c->world->sink_count;
}

unsigned commons_lane_supervisor(const struct commons *c)
{
    return commons_lane_recorder(c) + 1;
}

unsigned commons_lane_keeper(const struct commons *c)
{
    return commons_lane_supervisor(c) + 1;
}

/* ---- opening ---- */

static unsigned worker_count(int64_t wanted)
{
    cpu_set_t cores;

    if (wanted <= 0)
        wanted = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    return wanted > WORKERS_MAX ? WORKERS_MAX : (unsigned)wanted;
}

static int *fds_new(unsigned count)
{
    int *fds = must_alloc(count * sizeof *fds);

    for (unsigned i = 0; i < count; i++)
        fds[i] = -1;
    return fds;
}

static bool socket_open(const char *setting, const char *text, struct address *a, int *fds, unsigned count,
                        struct weir_error *error)
{
    if (address_parse(a, text, error) && listener_open(a, fds, count, error))
        return true;
    snprintf(error->field, sizeof error->field, "%s", setting);
    return false;
}

static bool sockets_open(struct commons *c, struct weir_error *error)
{
    const struct settings *set = &c->world->settings;
    struct address admin;

    if (!socket_open("listen", set->listen, &c->address, c->listeners, c->workers, error))
        return false;
    address_print(&c->address, c->listen, sizeof c->listen);
    return !*set->admin || socket_open("admin", set->admin, &admin, &c->admin, 1, error);
}

static int eventfd_new(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    must(fd >= 0);
    return fd;
}

static bool rings_open(struct commons *c, const struct state *state, struct weir_error *error)
{
    c->wake_recorder = eventfd_new();
    for (unsigned i = 0; i < c->ring_count; i++) {
        c->rings[i] = ring_open(state->rings, i, (size_t)c->world->settings.ring_size, error);
        if (!c->rings[i])
            return false;
        if (i < c->workers)
            c->wake_workers[i] = eventfd_new();
        ring_set_fds(c->rings[i], c->wake_recorder, i < c->workers ? c->wake_workers[i] : -1);
    }
    commons_retire(c);
    return true;
}

bool commons_open(struct commons *c, const struct world *world, const struct state *state, struct weir_error *error)
{
    unsigned kept = state_ring_count(state);

    *c = (struct commons){
        .world = world, .workers = worker_count(world->settings.workers), .admin = -1, .wake_recorder = -1};
    c->ring_count = kept > c->workers ? kept : c->workers;
    c->listeners = fds_new(c->workers);
    c->wake_workers = fds_new(c->workers);
    c->rings = must_alloc(c->ring_count * sizeof(struct ring *));
    if (!sockets_open(c, error) || !rings_open(c, state, error))
        return false;
    c->counters = counters_new(COUNTER_CELLS, COUNTER_HOLDS);
    c->labels = labels_of(world);
    c->metrics = metrics_new(commons_lane_keeper(c) + 1, &c->labels);
    return true;
}

struct world *commons_world(const struct commons *c, const struct world_source *source, const char *sink,
                            struct buf *notes)
{
    const struct world_source here = {.file = source->file, .listen = c->listen, .sink = sink};
    struct buf faults = {0};
    struct world *w = world_load_from(&here, WORLD_FULL, notes, &faults);

    if (!w)
        fprintf(stderr, STR_FMT, STR_ARG(buf_view(&faults)));
    buf_fini(&faults);
    return w;
}

/* ---- letting go ---- */

static void fd_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void fds_drop(int *fds, unsigned count, unsigned but)
{
    for (unsigned i = 0; i < count; i++)
        if (i != but)
            fd_drop(&fds[i]);
}

static void rings_drop(struct commons *c, unsigned but)
{
    for (unsigned i = 0; i < c->ring_count; i++) {
        if (i == but || !c->rings[i])
            continue;
        ring_close(c->rings[i]);
        c->rings[i] = NULL;
    }
}

#define NO_EXCEPTION ~0u /* as `but` */

void commons_for_worker(struct commons *c, unsigned slot)
{
    fds_drop(c->listeners, c->workers, slot);
    fds_drop(c->wake_workers, c->workers, slot);
    rings_drop(c, slot);
}

void commons_for_generation(struct commons *c)
{
    fd_drop(&c->admin);
}

void commons_for_recorder(struct commons *c)
{
    fds_drop(c->listeners, c->workers, NO_EXCEPTION);
}

void commons_for_sink(struct commons *c)
{
    commons_for_recorder(c);
    fd_drop(&c->admin);
    fd_drop(&c->wake_recorder);
    fds_drop(c->wake_workers, c->workers, NO_EXCEPTION);
    rings_drop(c, NO_EXCEPTION);
}

void commons_close(struct commons *c)
{
    commons_for_sink(c);
    if (c->counters)
        counters_free(c->counters);
    if (c->metrics)
        metrics_free(c->metrics);
    for (int label = LABEL_ENDPOINT; label <= LABEL_SINK; label++)
        free((void *)c->labels.names[label]);
    free(c->listeners);
    free(c->wake_workers);
    free(c->rings);
}

void commons_refuse(struct commons *c)
{
    for (unsigned i = 0; i < c->workers; i++)
        shutdown(c->listeners[i], SHUT_RD);
}

/* ---- rings without workers ---- */

void commons_retire(struct commons *c)
{
    for (unsigned i = 0; i < c->ring_count; i++)
        ring_retire(c->rings[i]);
}

void commons_remove_rings(struct commons *c, const struct state *state)
{
    for (unsigned i = 0; i < c->ring_count; i++) {
        uint64_t at = ring_durable(c->rings[i]);
        struct ring_record record;

        if (ring_next(c->rings[i], &at, &record) == RING_NONE)
            state_ring_remove(state, ring_slot(c->rings[i]));
    }
}
