/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h -- the process that gets credentials which expire, so that no worker ever waits for one.
 *
 * One per generation, forked from it like a worker.  It asks the hook `credential` of each provider at the start, again
 * in time before what it got expires, and soon after an upstream has refused it; what comes goes into the vault.  It
 * must not know requests.  Why it is so: docs/decisions/0005-credentials.md.
 *
 * In time: after seven to eight tenths of what is left.  A failure is tried again after 1 s, doubling to 60 s, each time
 * with a quarter of jitter.  A refusal counts once in 10 s.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "ipc/metrics.h"
#include "ipc/vault.h"
#include "world/world.h"

struct keeper_start {
    struct world *world;
    struct vault *vault;                     /* a slot per provider, in the world's order */
    struct metrics *metrics; unsigned slot;  /* lane */
    int stop_fd;                             /* readable or at its end: stop */
};

enum keeper_end { KEEPER_STOPPED, KEEPER_IDLE, KEEPER_BROKEN };  /* IDLE: there is nothing to keep, now or later */

/* Whether any provider's plugin could want one. */
bool keeper_wanted(const struct world *);
enum keeper_end keeper_run(const struct keeper_start *);

#endif
