/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commons.h -- what the processes have in common: listening sockets, rings, counters, metrics and the descriptors that
 * wake.
 *
 * Made by the supervisor before the first fork, inherited by all; each child closes at once what is not for it.
 */
#ifndef SUPERVISOR_COMMONS_H
#define SUPERVISOR_COMMONS_H

#include "ipc/counters.h"
#include "ipc/metrics.h"
#include "ipc/ring.h"
#include "supervisor/listener.h"
#include "supervisor/state.h"
#include "world/world.h"

struct commons {
    const struct world *world;     /* the supervisor's: settings and names only */
    struct address address;        /* of the listeners, with the port that they got */
    char listen[64];               /* the same as text */
    unsigned workers;              /* slots: each has a listener, a ring, a wake descriptor and a lane of metrics */
    int *listeners, *wake_workers; /* by slot; -1 where this process does not have it */
    int admin, wake_recorder;      /* the admin listener, -1: none; an eventfd */
    struct ring **rings;
    unsigned ring_count; /* at least `workers`; NULL where this process does not have it */
    struct counters *counters;
    struct metrics *metrics;
    struct metrics_labels labels;
};

/* The sockets first: of all that can go wrong, a taken port is what people meet.  `field` of an error: the setting. */
bool commons_open(struct commons *, const struct world *, const struct state *, struct weir_error *);
void commons_close(struct commons *);

/* Lanes of the metrics behind the workers'. */
unsigned commons_lane_sink(const struct commons *, unsigned sink);
unsigned commons_lane_recorder(const struct commons *);
unsigned commons_lane_supervisor(const struct commons *);
unsigned commons_lane_keeper(const struct commons *);

/* The whole world; or one sink's, by its name.  `notes` may be NULL.  NULL: stderr has said why. */
struct world *commons_world(const struct commons *, const struct world_source *, const char *sink, struct buf *notes);

/* In a new child: lets go of all that is not for it. */
void commons_for_worker(struct commons *, unsigned slot);
void commons_for_recorder(struct commons *);
void commons_for_sink(struct commons *);
void commons_for_generation(struct commons *);

/* No connection is taken any more by anybody who has the listeners: clients are refused at once, instead of waiting in
 * a queue that nobody reads. */
void commons_refuse(struct commons *);
/* Ends what dead workers left open in their rings, once no worker runs. */
void commons_retire(struct commons *);
/* Removes the files of rings that have nothing for the recorder; after the last of the other processes has gone. */
void commons_remove_rings(struct commons *, const struct state *);

#endif
