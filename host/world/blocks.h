/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.h -- the parts of a file that are lists of blocks, and what a block with a plugin becomes: an instance. */
#ifndef WORLD_BLOCKS_H
#define WORLD_BLOCKS_H

#include "world/options.h"
#include "world/plugin.h"

#define BLOCKS_MAX 256                       /* of one part; keys: KEYS_MAX */
#define KEYS_MAX 100000

/* The list of this name; NULL: there is none, or a fault has been told.  `n`: its blocks. */
config_setting_t *blocks_find(struct build *, config_setting_t *root, const char *section, size_t most, size_t *n);

/* Begins block number `i`: its name and its plugin, which is loaded but for WORLD_SETTINGS.  The caller reads the
 * common options, then block_end() those of the plugin and looks for unknown ones.  false: faults have been told. */
bool block_begin(struct block *, struct build *, config_setting_t *list, size_t i, const struct section *,
                 struct instance *);
bool block_end(struct block *, const struct section *, struct instance *);
const struct section *section_of(const char *name);

/* An instance of `plugin` that nobody wrote, for a dialect. */
struct instance *instance_implicit(struct build *, const struct plugin *, struct place);
/* Gives it its index and puts it into world->instances. */
void instance_add(struct build *, struct instance *);
/* Runs the plugin's `prepare`; not when it would need secrets that were not read. */
void instance_prepare(struct build *, struct instance *);

/* One row more in a growing array of pointers that lives in the arena. */
void *list_add(struct arena *, void *list, size_t *count, void *item);

#endif
