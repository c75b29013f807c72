/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promises.h -- what providers say they do with data: rows of share/promises.conf, each with its source and its date.
 *
 * Read once per generation, immutable afterwards.  Who asks: providers.c (what a block does not say), workers (facts),
 * `weir promises`.  No row is no promise.
 */
#ifndef WORLD_PROMISES_H
#define WORLD_PROMISES_H

#include "world/build.h"

#define PROMISES_MAX 4096                    /* rows */

struct promise { const char *provider, *fact, *value, *source, *date, *note; };

struct promises {
    struct promise *rows; size_t count;
    const char *file;
};

extern const char *const promise_facts[];    /* "retention", "training", "region", "entity"; ended by NULL */
extern const char *const promise_retentions[], *const promise_trainings[];    /* words an option may have, too */

/* Where the file is: the setting, or when it is "" beside this program. */
const char *promises_path(struct arena *, const char *setting);
/* Reads the file into world->promises; mistakes are faults of the build.  A file that nobody named may be missing. */
void promises_read(struct build *, bool named);
/* NULL: nothing is promised. */
const struct promise *promise_find(const struct promises *, const char *provider, const char *fact);

/* A fact about a provider, its block's word first; "" unknown. */
struct weir_str promise_fact(const struct provider *, const char *fact);
/* What the block does not say, the row of `vendor` does. */
void promises_apply(const struct promises *, struct provider *, const char *vendor);

#endif
