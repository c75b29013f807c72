/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h -- what is at hand while a world is built from a file; the files of this folder pass it to each other.
 *
 * Mistakes are collected, not thrown: each is one line "FILE:LINE: what is wrong; what to do", and the reading goes
 * on so that one run shows them all.
 */
#ifndef WORLD_BUILD_H
#define WORLD_BUILD_H

#include <libconfig.h>

#include "base/arena.h"
#include "base/buf.h"
#include "world/world.h"

struct place { const char *file; int line; };            /* line 0: the whole file */

struct left_out { const char *name; struct left_out *next; };       /* an optional provider that is not there */

/* A growing NULL-ended list of names, for build_hint(); {0} to begin with; freed by names_fini(). */
struct names { const char **list; size_t count, cap; };

struct build {
    struct world *world;
    enum world_depth depth;
    const char *sink;                        /* of world_source */
    config_t config;
    config_setting_t *root;                  /* of the file; NULL: none was given */
    config_t builtin;                        /* of the embedded configuration, when it is used */
    config_t presets;                        /* the rows of share/presets.conf */
    bool presets_asked;                      /* it has been opened, or could not be */
    const char *dir;                         /* of the file, "" the working directory */
    struct buf *notes, *faults;
    unsigned fault_count;
    size_t key_blocks;                       /* read or not */
    struct left_out *left_out;
    struct names misfits;                    /* kind, name, kind, name ...: plugins that did not load */
};

#define CONFIG_MAX (64 << 20)                /* bytes of a configuration file */
#define BUILD_FAULTS_MAX 100                 /* more are not told */

void build_fault(struct build *, struct place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void build_note(struct build *, struct place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct place build_place(const struct build *, const config_setting_t *);       /* NULL: the file */
/* A path of the file: relative ones begin at the file's folder. */
const char *build_path(struct build *, const char *path);

/* "; did you mean \"X\"?" when a name is near, else "; " and `otherwise`.  Lives in the world's arena. */
const char *build_hint(struct build *, const char *word, const char *const *names, const char *otherwise);
void names_add(struct names *, const char *);
void names_fini(struct names *);

/* Reads libconfig's text.  `path` NULL: the embedded configuration goes in.  false: the fault has been told. */
bool config_open(struct build *, const char *path);
void config_close(struct build *);
/* All that it includes are files that can be read to their end.  false: the fault has been told. */
bool includes_fit(struct build *, const char *path);
extern const char builtin_config[];

/* The parts, in the order of reading. */
void settings_read(struct build *, const char *listen);
void providers_read(struct build *);
void stages_read(struct build *);
void sinks_read(struct build *);
void keys_read(struct build *);              /* after the providers: it checks their names */
void keys_free(struct world *);
void catalogue_build(struct build *);        /* reads the file, but for WORLD_SETTINGS, and the `models` blocks */
const char *own_path(struct arena *, const char *built, const char *installed);    /* of what belongs to this program */
void catalogue_load(struct build *, const char *path, struct catalogue *);
void providers_finish(struct build *);       /* full depth: leaves silent ones out, makes TLS contexts */

#endif
