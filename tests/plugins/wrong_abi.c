/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrong_abi.c -- fixture: a plugin of another ABI.
 *
 * Ends: not loaded.  weir does not start; one line at the block's file:line names both numbers.  No hook is ever
 * called.
 */
#include "weir.h"

static enum weir_verdict on_request(struct weir_ctx *c)
{
    (void)c;
    return WEIR_PASS;
}

__attribute__((visibility("default"))) const struct weir_plugin weir_plugin = {
    .abi = WEIR_ABI + 1,
    .size = sizeof(struct weir_plugin),
    .option_size = sizeof(struct weir_option),
    .path_size = sizeof(struct weir_path),
    .name = "wrong_abi",
    .version = "1",
    .summary = "Fixture: built for an ABI that does not exist.",
    .on_request = on_request,
};
