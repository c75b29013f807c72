/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.h -- the recorder process: drains the rings into the journal, makes it durable, acknowledges; closes what
 * dead workers left open; answers on the admin listener (/metrics, /ready, /health).  Loads no plugin.
 *
 * Group commit: a record waits at most 40 ms for company before the sync begins, less when a strict request waits or
 * a ring is half full.  While the disk takes nothing the rings are closed (workers turn requests away), their
 * records stay in them, and it tries again until it can.  A kill at any instruction loses nothing and doubles
 * nothing.
 */
#ifndef RECORDER_RECORDER_H
#define RECORDER_RECORDER_H

#include "ipc/metrics.h"
#include "ipc/ring.h"
#include "world/world.h"

struct recorder_start {                      /* all of it outlives the recorder */
    const struct world *world;               /* settings and names only are read */
    struct ring **rings; unsigned ring_count;
    int wake_fd;                             /* eventfd: a worker has put something while the recorder slept */
    int admin_listener;                      /* -1: none */
    struct metrics *metrics; unsigned slot;
    int stop_fd;                             /* readable or at its end: drain, sync and exit */
};

int recorder_run(const struct recorder_start *);         /* returns the exit status */

#endif
