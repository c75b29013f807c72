/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h -- one sink process: reads the journal by its own durable cursor and hands batches to its plugin, at least
 * once.
 *
 * A new sink begins with the oldest record that there is.  A batch goes out when it has batch_count records,
 * batch_bytes bytes, or its first record has waited for batch_age.  RETRY backs off (100 ms doubling to 30 s); SPLIT
 * halves the batch, and a single record that cannot be split is rejected; REJECT goes to STATE/dead/NAME.jsonl;
 * PAUSE probes every 30 s.  The cursor moves only behind what is delivered or rejected.  Told to stop: what is in
 * the journal is delivered, unless the plugin would have to be asked twice; that is left to the next start.
 */
#ifndef RECORDER_SINK_H
#define RECORDER_SINK_H

#include "ipc/metrics.h"
#include "world/world.h"

struct sink_start {
    struct world *world;                     /* after world_init(world, sink) */
    struct sink *sink;
    struct metrics *metrics; unsigned slot; size_t index;    /* lane; place among LABEL_SINK */
    int stop_fd;                             /* readable or at its end: stop */
};

int sink_run(const struct sink_start *);     /* returns the exit status */

#endif
