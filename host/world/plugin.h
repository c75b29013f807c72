/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.h -- shared objects -> struct plugin: found by kind and name, checked, and copied to the host's sizes.
 *
 * A plugin is trusted code, but not trusted to be built for this host: its abi, its sizes and its tables are checked
 * before anything in it is used.  Nothing is ever dlclose()d.
 */
#ifndef WORLD_PLUGIN_H
#define WORLD_PLUGIN_H

#include "world/build.h"

extern const char *const plugin_kinds[];     /* "providers", "guardrails", "sinks"; ended by NULL */

/* The folder that holds <kind>/: the setting, or when it is "" the one that belongs to this program. */
const char *plugin_folder(struct arena *, const char *setting);

/* Loads FOLDER/KIND/NAME.so.  NULL: `why` (room for a line) is a sentence with its cure. */
struct plugin *plugin_load(struct arena *, const char *folder, const char *kind, const char *name, char *why,
                           size_t room);

/* The names for which there is a file, sorted. */
void plugin_names(struct arena *, const char *folder, const char *kind, struct names *);

/* The same plugin is loaded once per world.  NULL: a fault has been told at `p`. */
const struct plugin *plugin_get(struct build *, const char *kind, const char *name, struct place p);

/* The names of the hooks that it fills, with spaces between. */
void plugin_hooks(struct buf *, const struct weir_plugin *);

#endif
