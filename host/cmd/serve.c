/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c -- `weir serve`: runs the gateway until it is told to stop. */
#include <unistd.h>

#include "cmd/cmd.h"
#include "supervisor/supervisor.h"
#include "world/world.h"

static const char usage[] =
    "weir serve [-c FILE] [-l ADDR:PORT]\n"
    "\n"
    "  -c, --config FILE         the configuration; without it, the built-in one\n"
    "  -l, --listen ADDR:PORT    listens here instead of where the configuration says; port 0: any that is free\n"
    "\n"
    "Runs in the foreground: log lines go to stderr, and where it answers to stdout, once.\n"
    "SIGTERM or SIGINT (Ctrl-C): finishes what is under way, then stops; a second one: now.\n";

static int serve(int argc, char **argv)
{
    struct world_source source = {0};
    const struct cmd_option known[] = {{'c', "config", &source.file, NULL}, {'l', "listen", &source.listen, NULL}};

    if (!cmd_options(&cmd_serve, &argc, argv, known, sizeof known / sizeof *known))
        return CMD_USAGE;
    if (argc > 1)
        return cmd_misused(&cmd_serve, "\"%s\" means nothing here", argv[1]);
    close_range(3, ~0u, 0); /* what a careless caller has left open is for none of the processes */
    return supervisor_run(&source) == 0 ? CMD_OK : CMD_FAILED;
}

const struct cmd cmd_serve = {
    .name = "serve",
    .summary = "Runs the gateway",
    .usage = usage,
    .run = serve,
};
