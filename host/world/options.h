/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h -- one block of the configuration -> the fields of a struct, by a table of options.
 *
 * The same for the settings, for what all providers, guardrails, sinks and keys have in common, and for what a plugin
 * has of its own.  A plugin may have an option of a common name ("url"): then its fallback and range count, and both
 * structs get the value.
 */
#ifndef WORLD_OPTIONS_H
#define WORLD_OPTIONS_H

#include "world/build.h"

#define OPTIONS_SECRETS_MAX 16               /* in one block */

/* The parts of a file; `weir help`, `weir docs` and weir.conf's test walk them.  Ended by a row with name NULL. */
struct section {
    const char *name;                        /* as it stands in the file; "settings": the top level itself */
    const char *kind;                        /* of the plugins its blocks name, "" for none */
    const char *one;                         /* "provider" */
    const char *help;
    const struct weir_option *options;       /* common to all its blocks */
};
extern const struct section sections[];
extern const struct weir_option settings_options[], block_options[], provider_options[], stage_options[],
    sink_options[], key_options[], model_options[];

struct block {
    struct build *build;
    config_setting_t *setting;               /* a group; NULL: there is none, all is fallback */
    struct place place;
    const char *what;                        /* "providers", "openai": where to read on, for `weir help` */
    const struct weir_option *over;          /* a plugin's rows, which replace common ones of the same name */
    bool implicit;                           /* nobody wrote it: what is required stays empty, secrets too */
    bool optional;                           /* a secret that is not there is no fault */
    const char *absent;                      /* ... but this sentence */
    bool secret_asked;                       /* a secret is referred to, read or not */
    struct weir_str secrets[OPTIONS_SECRETS_MAX]; size_t secret_count;
};

/* Fills the fields of `to` from the block or the fallbacks.  false: faults have been told. */
bool options_read(struct block *, const struct weir_option *rows, void *to);
/* Tells a fault for each key of the block that is in none of the tables (ended by NULL). */
bool options_known(struct block *, const struct weir_option *const *tables, const char *const *more);

/* What is wrong with a table that a plugin brings: its names, fields, fallbacks, or that it clashes with the
 * common ones.  NULL: nothing; else in the arena. */
const char *options_flaw(struct arena *, const struct weir_option *rows, const struct weir_option *common,
                         size_t self_size);

const struct weir_option *options_find(const struct weir_option *rows, const char *name);
size_t options_width(enum weir_type);        /* bytes of a field */

void options_default(struct buf *, const struct weir_option *);    /* the fallback as it is typed; "required" */
void options_limits(struct buf *, const struct weir_option *);     /* choices or range; nothing when there is none */

#endif
