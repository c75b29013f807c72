/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.c -- the table of subcommands, and what they share: options, tables, output; see cmd.h. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

const struct cmd *const cmd_table[] = {
    &cmd_serve,    &cmd_check, &cmd_keys, &cmd_journal, &cmd_plugins, &cmd_models,
    &cmd_promises, &cmd_docs,  &cmd_help, &cmd_version, NULL,
};

const struct cmd *cmd_find(const char *name)
{
    for (const struct cmd *const *c = cmd_table; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static int unknown_command(const char *word)
{
    const char *names[sizeof(cmd_table) / sizeof(cmd_table[0])] = {0};
    const char *near;

    for (size_t i = 0; cmd_table[i]; i++)
        names[i] = cmd_table[i]->name;
    near = str_nearest(word, names);
    if (near)
        fprintf(stderr, "weir: unknown command \"%s\"; did you mean \"%s\"?\n", word, near);
    else
        fprintf(stderr, "weir: unknown command \"%s\"; \"weir help\" lists them\n", word);
    return CMD_USAGE;
}

int cmd_main(int argc, char **argv)
{
    char *help[] = {"help", NULL};
    const struct cmd *c;

    if (argc < 2) {
        cmd_help.run(1, help);
        return CMD_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return cmd_help.run(1, help);
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version.run(1, argv + 1);
    c = cmd_find(argv[1]);
    if (!c)
        return unknown_command(argv[1]);
    if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        char *one[] = {"help", argv[1], NULL};
        return cmd_help.run(2, one);
    }
    return c->run(argc - 1, argv + 1);
}

int cmd_misused(const struct cmd *c, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "weir %s: ", c->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; \"weir help %s\" says more\n", c->name);
    return CMD_USAGE;
}

/* The row that `arg` names; `*value` is what is written behind it in the same word, or NULL. */
static const struct cmd_option *option_find(const struct cmd_option *options, size_t n, char *arg, char **value)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(options[i].word);
        *value = NULL;
        if (arg[1] != '-') {
            if (arg[1] != options[i].letter)
                continue;
            *value = arg[2] ? arg + 2 : NULL;
            return &options[i];
        }
        if (strncmp(arg + 2, options[i].word, len) != 0 || (arg[2 + len] && arg[2 + len] != '='))
            continue;
        *value = arg[2 + len] ? arg + 3 + len : NULL;
        return &options[i];
    }
    return NULL;
}

bool cmd_options(const struct cmd *c, int *argc, char **argv, const struct cmd_option *options, size_t n)
{
    int words = 1;

    for (int i = 1; i < *argc; i++) {
        const struct cmd_option *o;
        char *value;
        if (strcmp(argv[i], "--") == 0) {
            while (++i < *argc)
                argv[words++] = argv[i];
            break;
        }
        if (argv[i][0] != '-' || !argv[i][1]) {
            argv[words++] = argv[i];
            continue;
        }
        o = option_find(options, n, argv[i], &value);
        if (!o)
            return cmd_misused(c, "unknown option \"%s\"", argv[i]), false;
        if (!o->value && value)
            return cmd_misused(c, "--%s takes no value", o->word), false;
        if (o->value && !value && i + 1 >= *argc)
            return cmd_misused(c, "--%s needs a value", o->word), false;
        if (o->value)
            *o->value = value ? value : argv[++i];
        else
            *o->flag = true;
    }
    *argc = words;
    return true;
}

void cmd_cell(struct cmd_table *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&t->cells, fmt, ap);
    va_end(ap);
    buf_char(&t->cells, '\0');
    t->count++;
}

/* Columns as a terminal shows them: bytes that go on a UTF-8 character take no place. */
static size_t width(const char *z)
{
    size_t n = 0;

    for (; *z; z++)
        n += ((unsigned char)*z & 0xc0) != 0x80;
    return n;
}

void cmd_table_print(struct cmd_table *t, const char *indent)
{
    size_t *widths = must_alloc(t->columns * sizeof(*widths));
    const char *cell = t->cells.ptr;

    for (size_t i = 0; i < t->count; i++, cell += strlen(cell) + 1)
        if (widths[i % t->columns] < width(cell))
            widths[i % t->columns] = width(cell);
    cell = t->cells.ptr;
    for (size_t i = 0; i < t->count; i++, cell += strlen(cell) + 1) {
        bool last = i % t->columns == t->columns - 1;
        int pad = last ? 0 : (int)(widths[i % t->columns] - width(cell) + 2);
        printf("%s%s%*s%s", i % t->columns ? "" : indent, cell, pad, "", last ? "\n" : "");
    }
    free(widths);
    buf_fini(&t->cells);
    t->count = 0;
}

int cmd_print(struct weir_str s)
{
    fwrite(s.ptr, 1, s.len, stdout);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("weir: stdout");
        return CMD_FAILED;
    }
    return CMD_OK;
}
