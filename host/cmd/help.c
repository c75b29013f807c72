/* SPDX-License-Identifier: Apache-2.0 */
/* help.c -- `weir help`: the commands, one command, a plugin's options, or those of a part of the configuration. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "world/options.h"
#include "world/plugin.h"

static int help_all(void)
{
    struct cmd_table t = {.columns = 2};

    printf("weir -- a gateway between an organisation and the models it uses\n\n");
    for (const struct cmd *const *c = cmd_table; *c; c++) {
        cmd_cell(&t, "weir %s", (*c)->name);
        cmd_cell(&t, "%s", (*c)->summary);
    }
    cmd_table_print(&t, "  ");
    printf("\n\"weir help COMMAND\" says more; \"weir help PLUGIN\" shows a plugin's options; \"weir help settings\", "
           "providers,\n"
           "guardrails, sinks, keys or models those of a part of the configuration.\n"
           "\nExit codes: 0 it went well; 1 it did not, and stderr says why; 2 weir was called wrongly.\n");
    return cmd_print(WEIR_STR(""));
}

/* Prose in lines of at most 100 columns. */
static void wrap(const char *text, const char *indent)
{
    size_t column = 0;

    while (*text) {
        size_t n = strcspn(text, " ");
        if (n && column && column + 1 + n > 100 - strlen(indent)) {
            printf("\n");
            column = 0;
        }
        if (n) {
            printf("%s%.*s", column ? " " : indent, (int)n, text);
            column += n + (column > 0);
        }
        text += n + (text[n] == ' ');
    }
    printf("\n");
}

static void help_option(const struct weir_option *row)
{
    struct buf fallback = {0}, limits = {0};

    options_default(&fallback, row);
    options_limits(&limits, row);
    printf("  %s%s" STR_FMT, row->name, row->fallback ? " = " : "   ", STR_ARG(buf_view(&fallback)));
    if (row->unit == WEIR_SECRET)
        printf("   (secret: \"env:NAME\", \"file:/path\" or \"exec:COMMAND\")");
    if (limits.len)
        printf("   (" STR_FMT ")", STR_ARG(buf_view(&limits)));
    printf("\n");
    wrap(row->help, "      ");
    buf_fini(&fallback);
    buf_fini(&limits);
}

static void help_options(const struct weir_option *rows)
{
    for (; rows && rows->type != WEIR_T_END; rows++)
        help_option(rows);
}

static int help_section(const struct section *s)
{
    printf("%s: ", s->name);
    wrap(s->help, "");
    printf("\n");
    if (*s->kind)
        help_options(block_options);
    help_options(s->options);
    if (*s->kind)
        printf("\nand the options of the plugin that the block names.\n");
    return cmd_print(WEIR_STR(""));
}

static int help_plugin(const char *folder, const char *kind, const char *name)
{
    struct arena a = {0};
    char why[1024];
    const struct plugin *p = plugin_load(&a, folder, kind, name, why, sizeof(why));
    struct buf hooks = {0};
    int status = CMD_FAILED;

    if (p) {
        plugin_hooks(&hooks, &p->hooks);
        printf("%s %s, in %s: ", p->name, p->hooks.version, kind);
        wrap(p->hooks.summary, "");
        printf("hooks: " STR_FMT "\n\n", STR_ARG(buf_view(&hooks)));
        help_options(p->hooks.options);
        printf("%s\"weir help %s\" shows the options that all %s have.\n",
               p->hooks.options ? "\n" : "It has no options of its own.\n", kind, kind);
        buf_fini(&hooks);
        status = cmd_print(WEIR_STR(""));
    } else {
        fprintf(stderr, "weir: %s\n", why);
    }
    arena_fini(&a);
    return status;
}

static int unknown(const char *folder, const char *word)
{
    struct arena a = {0};
    struct names names = {0};
    const char *near;

    for (const struct cmd *const *c = cmd_table; *c; c++)
        names_add(&names, (*c)->name);
    for (const struct section *s = sections; s->name; s++)
        names_add(&names, s->name);
    for (const char *const *kind = plugin_kinds; *kind; kind++)
        plugin_names(&a, folder, *kind, &names);
    near = str_nearest(word, names.list);
    fprintf(stderr, "weir help: \"%s\" is no command, no part of the configuration and no plugin in %s; %s%s%s\n", word,
            folder, near ? "did you mean \"" : "\"weir help\" and \"weir plugins\" list them", near ? near : "",
            near ? "\"?" : "");
    names_fini(&names);
    arena_fini(&a);
    return CMD_USAGE;
}

/* A command, a part of the configuration, or plugins of this name, of which several kinds may have one. */
static int help_word(const char *folder, const char *word)
{
    const struct cmd *c = cmd_find(word);
    struct arena a = {0};
    int status = -1;

    if (c) {
        printf("%s\n%s", c->summary, c->usage);
        return cmd_print(WEIR_STR(""));
    }
    for (const struct section *s = sections; s->name; s++)
        if (strcmp(s->name, word) == 0)
            return help_section(s);
    for (const char *const *kind = plugin_kinds; *kind; kind++) {
        struct names names = {0};
        plugin_names(&a, folder, *kind, &names);
        for (size_t i = 0; i < names.count; i++)
            if (strcmp(names.list[i], word) == 0 && status != CMD_FAILED)
                status = help_plugin(folder, *kind, word);
        names_fini(&names);
    }
    arena_fini(&a);
    return status >= 0 ? status : unknown(folder, word);
}

static int run(int argc, char **argv)
{
    const char *folder = "";
    const struct cmd_option options[] = {{'p', "plugins", &folder, NULL}};
    struct arena a = {0};
    int status;

    if (!cmd_options(&cmd_help, &argc, argv, options, 1))
        return CMD_USAGE;
    if (argc < 2)
        return help_all();
    if (argc > 2)
        return cmd_misused(&cmd_help, "takes one word");
    status = help_word(plugin_folder(&a, folder), argv[1]);
    arena_fini(&a);
    return status;
}

const struct cmd cmd_help = {
    .name = "help",
    .summary = "Says how to use a command, a plugin, or a part of the configuration",
    .usage =
        "weir help [-p FOLDER] [COMMAND | PLUGIN | settings | providers | guardrails | sinks | keys | models]\n"
        "\n"
        "  -p, --plugins FOLDER    where plugins are looked for; without it the folder that belongs to this weir\n",
    .run = run,
};
