/* SPDX-License-Identifier: Apache-2.0 */
/* promises.c -- `weir promises`: what providers say they do with data, where that was read, and when. */
#include "world/promises.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "cmd/cmd.h"

/* Plugins and secrets have no part in it. */
static struct world *world_open(const char *file)
{
    struct world *w = must_alloc(sizeof *w);
    struct buf faults = {0};
    struct build b = {.world = w, .depth = WORLD_CHECK, .faults = &faults};

    w->settings.promises = promises_path(&w->arena, file ? file : "");
    promises_read(&b, true);
    if (faults.len) {
        fprintf(stderr, STR_FMT, STR_ARG(buf_view(&faults)));
        arena_fini(&w->arena);
        free(w);
        w = NULL;
    }
    buf_fini(&faults);
    return w;
}

static json_t *row_json(const struct promise *p)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "provider", p->provider, "fact", p->fact, "value", p->value,
                          "source", p->source, "date", p->date);

    must(o);
    if (*p->note)
        json_object_set_new(o, "note", json_string(p->note));
    return o;
}

static void print_json(const struct promises *all, const char *provider)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < all->count; i++)
        if (!provider || strcmp(all->rows[i].provider, provider) == 0)
            json_array_append_new(rows, row_json(&all->rows[i]));
    (void)json_dumpf(rows, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    printf("\n");
    json_decref(rows);
}

static void print_table(const struct promises *all, const char *provider)
{
    static const char *const heads[] = {"provider", "promise", "value", "read", "note", "source"};
    struct cmd_table t = {.columns = provider ? 6 : 4};

    for (size_t i = 0; i < t.columns; i++)
        cmd_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < all->count; i++) {
        const struct promise *p = &all->rows[i];
        if (provider && strcmp(p->provider, provider) != 0)
            continue;
        cmd_cell(&t, "%s", p->provider);
        cmd_cell(&t, "%s", p->fact);
        cmd_cell(&t, "%s", p->value);
        cmd_cell(&t, "%s", p->date);
        if (!provider)
            continue;
        cmd_cell(&t, "%s", *p->note ? p->note : "-");
        cmd_cell(&t, "%s", p->source);
    }
    cmd_table_print(&t, "");
}

static bool has(const struct promises *all, const char *provider)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->rows[i].provider, provider) == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    const char *file = NULL, *provider;
    bool json = false;
    const struct cmd_option options[] = {{'f', "file", &file, NULL}, {0, "json", NULL, &json}};
    struct world *w;
    bool show, ok;

    if (!cmd_options(&cmd_promises, &argc, argv, options, sizeof options / sizeof *options))
        return CMD_USAGE;
    show = argc > 1 && strcmp(argv[1], "show") == 0;
    if (argc != (show ? 3 : 2) || (!show && strcmp(argv[1], "list") != 0))
        return cmd_misused(&cmd_promises, "say \"weir promises list\" or \"weir promises show PROVIDER\"");
    provider = show ? argv[2] : NULL;
    w = world_open(file);
    if (!w)
        return CMD_FAILED;
    ok = !provider || has(w->promises, provider);
    if (!ok)
        fprintf(stderr, "weir promises: nothing is known of \"%s\", which counts as no promise\n", provider);
    else if (json)
        print_json(w->promises, provider);
    else
        print_table(w->promises, provider);
    arena_fini(&w->arena);
    free(w);
    return ok ? cmd_print(WEIR_STR("")) : CMD_FAILED;
}

const struct cmd cmd_promises = {
    .name = "promises",
    .summary = "Lists what providers say they do with data, with source and date",
    .usage = "weir promises list [-f FILE] [--json]\n"
             "weir promises show [-f FILE] [--json] PROVIDER\n"
             "\n"
             "  -f, --file FILE           a file of promises; without it the one that belongs to this weir\n"
             "      --json                JSON in place of tables\n"
             "\n"
             "PROVIDER is a preset or a plugin, as in a provider's block.  What is not listed is not promised.\n",
    .run = run,
};
