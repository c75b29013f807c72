/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h -- the state folder as the supervisor sees it: made, locked, and tied to the folder on tmpfs where the rings
 * live.
 *
 *   STATE/lock    locked (flock) by the supervisor and all its children: as long as one of them lives nobody else can
 * begin STATE/rings   a link to /dev/shm/weir-<random>, made once; a folder of its own where /dev/shm cannot be used
 */
#ifndef SUPERVISOR_STATE_H
#define SUPERVISOR_STATE_H

#include <limits.h>

#include "weir.h"

struct state {
    int lock;
    char rings[PATH_MAX]; /* STATE/rings */
};

/* A weir that was just killed gets a second to be gone.  Errors say what is wrong and what to do; their
 * `field` is the setting. */
bool state_open(struct state *, const char *dir, struct weir_error *);
/* Ring files that are there: one more than the highest number, so that none of an earlier, larger weir is left
 * undrained. */
unsigned state_ring_count(const struct state *);
/* Removes the file of an empty ring, so that a folder that is thrown away leaves no memory taken. */
void state_ring_remove(const struct state *, unsigned slot);
void state_close(struct state *); /* removes STATE/rings when it is empty; lets go of the lock */

#endif
