/* SPDX-License-Identifier: MIT */
/* world_options.h -- options of the fixture, for the test that looks at them. */
#include "weir.h"

struct world_options {
    const char *word, *mood, *script, *token, *fail;
    int64_t count, wait, room;
    double share;
    bool on;
    struct weir_list words, colours, files;
    int inits;                               /* not an option: what `init` adds */
};

struct world_options_shared { int prepares; const char *word; };
