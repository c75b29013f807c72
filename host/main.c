/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- the program; everything is in host/cmd/. */
#include "cmd/cmd.h"

int main(int argc, char **argv)
{
    return cmd_main(argc, argv);
}
