/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters.h -- limits that all workers share: rates, levels, and holds that expire.  Anonymous shared memory, made before the
 * fork; lock-free atomics only, so that a process killed at any instruction leaves nothing locked.
 *
 * A cell is found by a 64-bit key (a hash of "key:ID/rate" and the like) by open addressing; cells are never moved.  When the
 * table is full the call answers "allowed" and counts counters_lost(), for a limit must not become an outage.
 */
#ifndef IPC_COUNTERS_H
#define IPC_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counters;

struct counters *counters_new(size_t cells, size_t holds);           /* aborts when memory cannot be had */
void counters_free(struct counters *);

/* GCRA: `rate` units per period, with `burst` (>= 1) at once.  false: over it; `*retry_us` until one unit is free. */
bool counters_rate(struct counters *, uint64_t key, int64_t rate, int64_t period_us, int64_t burst, int64_t now_us,
                   int64_t *retry_us);

/* A level: adds `amount` (may be negative) and returns the new value; never below 0. */
int64_t counters_level(struct counters *, uint64_t key, int64_t amount);
int64_t counters_level_of(const struct counters *, uint64_t key);

/* Takes 1 of `ceiling` until it is given back or `ttl_us` has passed (its worker was killed).  false: none is free.
 * `*hold` is unique; giving back an expired hold does nothing. */
bool counters_hold(struct counters *, uint64_t key, int64_t ceiling, int64_t ttl_us, int64_t now_us, uint64_t *hold);
void counters_give_back(struct counters *, uint64_t hold);
/* Gives back all holds whose owner tag (a worker's slot and epoch; see counters_own) is `owner`: a dead worker's. */
void counters_own(struct counters *, uint32_t owner);                /* this process tags its holds from now on */
unsigned counters_give_back_all(struct counters *, uint32_t owner);

uint64_t counters_lost(const struct counters *);

#endif
