/* SPDX-License-Identifier: Apache-2.0 */
/* plugins.c -- `weir plugins`: which plugins are there, and do they fit this weir. */
#include <jansson.h>
#include <stdio.h>

#include "base/must.h"
#include "cmd/cmd.h"
#include "world/plugin.h"

struct found {
    const char *folder;
    bool json;
    unsigned bad;
    json_t *rows;
    struct cmd_table table;
};

static void show(struct found *f, struct arena *a, const char *kind, const char *name)
{
    char why[1024] = "";
    const struct plugin *p = plugin_load(a, f->folder, kind, name, why, sizeof(why));
    struct buf hooks = {0};

    f->bad += !p;
    if (p)
        plugin_hooks(&hooks, &p->hooks);
    buf_char(&hooks, '\0');
    if (f->json) {
        json_t *o = json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s?}", "kind", kind, "name", name, "version",
                              p ? p->hooks.version : NULL, "summary", p ? p->hooks.summary : NULL, "hooks", hooks.ptr,
                              "error", p ? NULL : why);
        must(o);
        json_array_append_new(f->rows, o);
    } else {
        cmd_cell(&f->table, "%s", kind);
        cmd_cell(&f->table, "%s", name);
        cmd_cell(&f->table, "%s", p ? p->hooks.version : "-");
        cmd_cell(&f->table, "%s%s", p ? p->hooks.summary : "DOES NOT LOAD: ", p ? "" : why);
    }
    buf_fini(&hooks);
}

static int run(int argc, char **argv)
{
    struct found f = {.folder = "", .table = {.columns = 4}};
    const struct cmd_option options[] = {{'p', "plugins", &f.folder, NULL}, {0, "json", NULL, &f.json}};
    struct arena arena = {0};

    if (!cmd_options(&cmd_plugins, &argc, argv, options, 2))
        return CMD_USAGE;
    if (argc > 1)
        return cmd_misused(&cmd_plugins, "takes no argument");
    f.folder = plugin_folder(&arena, f.folder);
    f.rows = json_array();
    for (const char *const *kind = plugin_kinds; *kind; kind++) {
        struct names names = {0};
        plugin_names(&arena, f.folder, *kind, &names);
        for (size_t i = 0; i < names.count; i++)
            show(&f, &arena, *kind, names.list[i]);
        names_fini(&names);
    }
    if (f.json)
        must(json_dumpf(f.rows, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0);
    else
        printf("%s in %s\n", f.table.count ? "plugins" : "no plugin", f.folder);
    cmd_table_print(&f.table, "  ");
    if (f.json)
        printf("\n");
    json_decref(f.rows);
    arena_fini(&arena);
    return cmd_print(WEIR_STR("")) == CMD_OK && !f.bad ? CMD_OK : CMD_FAILED;
}

const struct cmd cmd_plugins = {
    .name = "plugins",
    .summary = "Lists the plugins that are there",
    .usage = "weir plugins [-p FOLDER] [--json]\n"
             "\n"
             "  -p, --plugins FOLDER    holds <kind>/<name>.so; without it the folder that belongs to this weir\n"
             "      --json              an array of objects in place of the table\n"
             "\n"
             "Loads each, and says why when one does not fit; then it exits with 1.  \"weir help NAME\" shows a "
             "plugin's options.\n",
    .run = run,
};
