/* SPDX-License-Identifier: Apache-2.0 */
/* generation.c -- the supervisor's side of a generation: its start, its news, its end; see generation.h. */
#include "supervisor/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
void generation_init(struct generation *g, struct commons *commons, const struct world_source *source,
                     int (*run)(struct child *), void *owner)
{
    *g = (struct generation){.commons = commons, .source = *source, .channel = -1, .tell = -1, .greet = true};
    child_init(&g->child, run, owner);
    snprintf(g->child.name, sizeof g->child.name, "generation");
    g->workers = must_alloc(commons->workers * sizeof *g->workers);
}

void generation_fini(struct generation *g)
{
    if (g->channel >= 0)
        close(g->channel);
    free(g->workers);
}

void generation_start(struct generation *g)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        g->channel = ends[0];
        g->tell = ends[1];
    }
    child_start(&g->child); /* without descriptors for the channel there is none for its pipe either */
    if (g->tell >= 0)
        close(g->tell);
    g->tell = -1;
    g->greet = false; /* once is enough */
}

bool generation_is_gone(const struct generation *g)
{
    return g->child.pid == 0 && g->channel < 0;
}

static void worker_gone(struct generation *g, unsigned slot)
{
    if (g->workers[slot])
        counters_give_back_all(g->commons->counters, (uint32_t)g->workers[slot]);
    g->workers[slot] = 0;
}

static void news_take(struct generation *g, const struct news *n)
{
    bool worker = n->slot < g->commons->workers;

    if (n->kind == NEWS_READY) {
        must(worker);
        g->workers[n->slot] = n->pid;
        g->ready = true;
        return;
    }
    if (worker)
        worker_gone(g, n->slot);
    metrics_add(g->commons->metrics, commons_lane_supervisor(g->commons), METRIC_restarts, 0, 1);
}

void generation_listen(struct generation *g)
{
    struct news n;
    ssize_t got;

    while ((got = read(g->channel, &n, sizeof n)) == (ssize_t)sizeof n)
        news_take(g, &n);
    if (got != 0)
        return;
    close(g->channel);
    g->channel = -1;
    for (unsigned i = 0; i < g->commons->workers; i++)
        worker_gone(g, i);
    commons_retire(g->commons);
}

/* Less than PIPE_BUF bytes are written whole or not at all.  Not at all only when the supervisor has not read for a
 * long time; then the holds in question expire by themselves. */
void generation_tell(const struct generation *g, enum news_kind kind, unsigned slot, pid_t pid)
{
    struct news n = {kind, slot, pid};

    if (write(g->tell, &n, sizeof n) < 0)
        log_event(WEIR_WARN, LOG_child_died, "why=\"the supervisor does not listen: %s\"", strerror(errno));
}
