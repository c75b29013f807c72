/* SPDX-License-Identifier: Apache-2.0 */
/* version.c -- `weir version`: what this program is and which plugins fit it. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "weir.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1.0"
#endif

static int run(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cmd_misused(&cmd_version, "takes no argument");
    printf("weir %s (plugin ABI %d)\n", WEIR_VERSION, WEIR_ABI);
    return CMD_OK;
}

const struct cmd cmd_version = {
    .name = "version",
    .summary = "Says which weir this is",
    .usage = "weir version\n\nPrints the version, and the plugin ABI that plugins must be built for.\n",
    .run = run,
};
