/* SPDX-License-Identifier: MIT */
/* world_options.c -- fixture of world tests: a guardrail with an option of every type and unit; fails when it is told
 * to. */
#include "world_options.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const moods[] = {"calm", "wild", NULL};
static const char *const colours[] = {"red", "green", "blue", NULL};

#define OPT(...) WEIR_OPT(struct world_options, __VA_ARGS__)

static const struct weir_option options[] = {
    OPT(word, NULL, "A word that must be given."),
    OPT(mood, "calm", "One of two.", .choices = moods),
    OPT(script, "", "A file.", .unit = WEIR_PATH),
    OPT(token, "", "A secret.", .unit = WEIR_SECRET),
    OPT(fail, "", "Which hook fails."),
    OPT(count, "3", "A number.", .min = 1, .max = 10),
    OPT(wait, "5s", "A time.", .unit = WEIR_MS, .min = 1, .max = 3600000),
    OPT(room, "64k", "A size.", .unit = WEIR_BYTES),
    OPT(share, "0.5", "A part.", .min = 0, .max = 1),
    OPT(on, "true", "A switch."),
    OPT(words, "a bc", "Some words."),
    OPT(colours, "red blue", "Some of three.", .choices = colours),
    OPT(files, "", "Some files.", .unit = WEIR_PATH, .min = 0, .max = 2),
    WEIR_OPT_END,
};

static bool prepare(void *shared, const void *opts, struct weir_error *e)
{
    const struct world_options *o = opts;
    struct world_options_shared *s = shared;

    if (strcmp(o->fail, "prepare") == 0) {
        snprintf(e->text, sizeof(e->text), "it was told\nto fail");
        snprintf(e->field, sizeof(e->field), "fail");
        return false;
    }
    s->prepares++;
    s->word = o->word;
    return true;
}

static bool init(void *self, const void *shared, struct weir_error *e)
{
    struct world_options *me = self;

    (void)shared;
    if (strcmp(me->fail, "init") == 0) {
        snprintf(e->text, sizeof(e->text), "it was told to fail");
        return false;
    }
    me->inits++;
    return true;
}

/* Says so to the test: a file called by the environment gains one letter. */
static void fini(void *self)
{
    const char *path = getenv("WORLD_OPTIONS_FINI");
    FILE *f = path ? fopen(path, "a") : NULL;

    (void)self;
    if (f) {
        fputc('f', f);
        fclose(f);
    }
}

static enum weir_verdict on_request(struct weir_ctx *c)
{
    (void)c;
    return WEIR_PASS;
}

WEIR_PLUGIN(.name = "options", .version = "1", .summary = "Has options.", .options = options,
            .shared_size = sizeof(struct world_options_shared), .self_size = sizeof(struct world_options),
            .prepare = prepare, .init = init, .fini = fini, .on_request = on_request, );
