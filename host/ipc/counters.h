/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters.h -- limits that all workers share: rates, levels, and holds that expire.  Anonymous shared memory, made
 * before the fork; lock-free atomics only, so that a process killed at any instruction leaves nothing locked and
 * nothing lost.
 *
 * A cell is found by a 64-bit key (a hash of "key:ID" and the like; the same key may serve a rate, a level and
 * holds) by open addressing; cells are never moved.  When a table is full the call answers "allowed" and counts
 * counters_lost(), for a limit must not become an outage.
 */
#ifndef IPC_COUNTERS_H
#define IPC_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTERS_LANES 256                   /* most owners alive or not yet given back */

struct counters;

/* Aborts when memory cannot be had.  32 bytes a cell, 24 a hold; at most 2^20 holds. */
struct counters *counters_new(size_t cells, size_t holds);
void counters_free(struct counters *);

/* GCRA: `rate` (>= 1) units per period, with `burst` (>= 1) at once.  The time of one unit is rounded up to a
 * nanosecond.  false: over it; `*retry_us` (may be NULL) until one unit is free, rounded up.  `now_us` may be of any
 * clock, but of one. */
bool counters_rate(struct counters *, uint64_t key, int64_t rate, int64_t period_us, int64_t burst, int64_t now_us,
                   int64_t *retry_us);

/* A level: adds `amount` (may be negative) and returns the new value; never below 0. */
int64_t counters_level(struct counters *, uint64_t key, int64_t amount);
int64_t counters_level_of(const struct counters *, uint64_t key);

/* This process tags its holds with `owner` (a worker's slot and epoch; not 0, and no other living process's) from
 * now on.  Once after the fork, before its first hold. */
void counters_own(struct counters *, uint32_t owner);
/* Takes 1 of `ceiling` (at most 65,535) until it is given back by the same process, or `ttl_us` has passed.  false:
 * none is free. `*hold` is unique, 0 when nothing needs to be given back; giving back an expired hold, or one twice,
 * does nothing. */
bool counters_hold(struct counters *, uint64_t key, int64_t ceiling, int64_t ttl_us, int64_t now_us, uint64_t *hold);
void counters_give_back(struct counters *, uint64_t hold);
/* Gives back all holds of a dead process, and finishes what it was killed in.  The caller owns a tag of its own, or
 * is given one.  Returns how many there were. */
unsigned counters_give_back_all(struct counters *, uint32_t owner);
int64_t counters_held(const struct counters *, uint64_t key);

uint64_t counters_lost(const struct counters *);

#endif
