/* SPDX-License-Identifier: MIT */
/*
 * lines.c -- sink: appends every record to a file, one JSON object a line.
 *
 *     sinks = ( { name = "log";  plugin = "lines";  path = "/var/log/weir.jsonl"; } );
 *
 * A sink is told what has happened and cannot object.  It runs in a process of its own and may block.  The host keeps
 * its place in the journal, batches, retries and backs off by what `write` says; after a crash the last batch comes
 * again, so nothing is lost and a record may be written twice (`seq` tells).
 */
#include "weir.h"

#include <errno.h>
#include <stdio.h>

struct lines {
    const char *path;
    bool flush;
    FILE *file; /* not an option: set by us, so it stands behind them */
};

static const struct weir_option options[] = {
    WEIR_OPT(struct lines, path, NULL, "File that lines are appended to.", .unit = WEIR_PATH),
    WEIR_OPT(struct lines, flush, "true", "Whether each batch is handed to the system before it counts as delivered."),
    WEIR_OPT_END,
};

static enum weir_sent fails(const struct lines *me, struct weir_error *e, enum weir_sent what)
{
    snprintf(e->text, sizeof e->text, "%s: %s", me->path, strerror(errno));
    return what;
}

/* A full disk goes away by itself; a folder that is not there, or not ours, does not: then keep everything and ask now
 * and then. */
static enum weir_sent judge(const struct lines *me, struct weir_error *e)
{
    return fails(me, e, errno == ENOSPC || errno == EIO || errno == EINTR ? WEIR_RETRY : WEIR_PAUSE);
}

static void close_file(struct lines *me)
{
    if (me->file)
        fclose(me->file);
    me->file = NULL;
}

static enum weir_sent write_lines(void *self, const struct weir_record *first, size_t n, size_t stride,
                                  struct weir_error *e)
{
    struct lines *me = self;

    if (!me->file && !(me->file = fopen(me->path, "a")))
        return judge(me, e);
    for (size_t i = 0; i < n; i++) {
        struct weir_str line = weir_at(first, stride, i)->json;
        fwrite(line.ptr, 1, line.len, me->file);
        fputc('\n', me->file);
    }
    if ((me->flush && fflush(me->file) != 0) || ferror(me->file)) {
        enum weir_sent what = judge(me, e);
        close_file(me); /* the next try opens it anew: somebody may have moved it away */
        return what;
    }
    return WEIR_DONE;
}

static void fini(void *self)
{
    close_file(self);
}

WEIR_PLUGIN(
    .name      = "lines",
    .version   = "1.0",
    .summary   = "Appends every record to a file, one JSON object a line.",
    .options   = options,
    .self_size = sizeof(struct lines),
    .fini      = fini,
    .write     = write_lines,
);
