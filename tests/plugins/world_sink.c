/* SPDX-License-Identifier: MIT */
/* world_sink.c -- fixture of world tests: a sink without options. */
#include "weir.h"

static enum weir_sent write_records(void *self, const struct weir_record *r, size_t n, size_t stride,
                                    struct weir_error *e)
{
    (void)self, (void)r, (void)n, (void)stride, (void)e;
    return WEIR_DONE;
}

WEIR_PLUGIN(.name = "tell", .version = "1", .summary = "Tells nobody.", .write = write_records, );
