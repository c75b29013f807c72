/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd.h -- the subcommands of `weir`: one file and one row each.
 *
 * Exit codes of all of them: 0 it went well, 1 it did not (one line on stderr says why), 2 it was called wrongly.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/buf.h"

enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

struct cmd {
    const char *name;
    const char *summary;                     /* one line, for `weir help` */
    const char *usage;                       /* what `weir help NAME` prints: lines of arguments, then prose */
    int (*run)(int argc, char **argv);       /* argv[0] is the name of the command */
};

extern const struct cmd cmd_serve, cmd_check, cmd_keys, cmd_journal, cmd_plugins, cmd_models, cmd_promises, cmd_docs, cmd_help,
    cmd_version;

extern const struct cmd *const cmd_table[];  /* all of them, ended by NULL */

const struct cmd *cmd_find(const char *name);
int cmd_main(int argc, char **argv);         /* what main() does */

/* "weir NAME: <message>", and where to read on; returns CMD_USAGE. */
int cmd_misused(const struct cmd *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Options as `-c FILE`, `-cFILE`, `--config FILE`, `--config=FILE` and words, in any order; `--` ends the options. */
struct cmd_option {
    char letter;                             /* 0: has none */
    const char *word;
    const char **value;                      /* takes a value; NULL: a flag */
    bool *flag;
};

/* Takes the options out of argv, which keeps argv[0] and the words; `*argc` follows.  false: usage has been said. */
bool cmd_options(const struct cmd *, int *argc, char **argv, const struct cmd_option *, size_t n);

/* Rows of cells, printed with each column as wide as its widest cell; the last one is not padded. */
struct cmd_table { size_t columns, count; struct buf cells; };     /* {.columns = N} to begin with */

void cmd_cell(struct cmd_table *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cmd_table_print(struct cmd_table *, const char *indent);      /* and frees it */

/* Writes to stdout; a full disk or a closed pipe is a failure: returns CMD_OK or CMD_FAILED. */
int cmd_print(struct weir_str);

#endif
