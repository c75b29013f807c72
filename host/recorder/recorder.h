/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.h -- the recorder process: drains the rings into the journal, makes it durable, acknowledges; closes what dead workers
 * left open; answers on the admin listener (/metrics, /ready, /health).  Loads no plugin.
 */
#ifndef RECORDER_RECORDER_H
#define RECORDER_RECORDER_H

#include "ipc/metrics.h"
#include "ipc/ring.h"
#include "world/world.h"

struct recorder_start {                      /* all of it outlives the recorder */
    const struct world *world;               /* settings only are read */
    struct ring **rings; unsigned ring_count;
    int wake_fd;                             /* eventfd: a worker has put something while the recorder slept */
    int admin_listener;                      /* -1: none */
    struct metrics *metrics; unsigned slot;
    int stop_fd;                             /* readable or at its end: drain, sync and exit */
};

int recorder_run(const struct recorder_start *);         /* returns the exit status */

#endif
