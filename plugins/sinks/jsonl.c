/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonl.c -- sink: one line of JSON for each record, into a file.
 *
 * A line is the record with its sequence first: {"seq":12,"kind":"close",...}.  The file is rotated by size (FILE.1 is
 * the newest of the old ones), opened anew when somebody has moved it away, and never left with half a line in it.
 */
#include "weir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct jsonl {
    const char *path;
    int64_t rotate, keep;
    bool fsync;
    int fd; /* 0: not open */
    char *lines;
    size_t len, cap;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct jsonl, path, NULL, "File that lines are appended to; made with mode 0600.", .unit = WEIR_PATH),
    WEIR_OPT(struct jsonl, rotate, "100M", "Size at which the file is renamed to FILE.1 and a new one begun; 0: never.",
             .unit = WEIR_BYTES),
    WEIR_OPT(struct jsonl, keep, "5", "Rotated files that are kept.", .min = 0, .max = 1000),
    WEIR_OPT(struct jsonl, fsync, "false", "Wait for the disk before a record counts as delivered."),
    WEIR_OPT_END,
};

static enum weir_sent fail(const struct jsonl *j, struct weir_error *e, enum weir_sent sent)
{
    snprintf(e->text, sizeof e->text, "%.180s: %s", j->path, strerror(errno));
    return sent;
}

/* ---- the file ---- */

static void close_file(struct jsonl *j)
{
    if (j->fd > 0)
        close(j->fd);
    j->fd = 0;
}

/* A line that a killed process left half written is cut off: its record was not acknowledged and comes again. */
static void cut_torn_line(int fd, off_t size)
{
    char tail[4096];

    while (size > 0) {
        off_t from = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
        ssize_t n = pread(fd, tail, (size_t)(size - from), from);
        if (n != size - from)
            return;
        while (n > 0 && tail[n - 1] != '\n')
            n--;
        size = from + n;
        if (n > 0)
            break;
    }
    if (ftruncate(fd, size) < 0)
        return; /* then the line stays, and readers must do with it */
}

static bool open_file(struct jsonl *j)
{
    struct stat st, there;

    if (j->fd > 0 && fstat(j->fd, &st) == 0 && stat(j->path, &there) == 0 && st.st_ino == there.st_ino &&
        st.st_dev == there.st_dev)
        return true;
    close_file(j);
    j->fd = open(j->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return false;
    if (fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode))
        cut_torn_line(j->fd, st.st_size);
    return true;
}

static void name_old(const struct jsonl *j, char *to, size_t room, int64_t n)
{
    if (n)
        snprintf(to, room, "%s.%lld", j->path, (long long)n);
    else
        snprintf(to, room, "%s", j->path);
}

static bool rotate(struct jsonl *j)
{
    char from[4200], to[4200];

    if (j->fsync && fdatasync(j->fd) < 0)
        return false;
    if (j->keep == 0)
        return unlink(j->path) == 0 && open_file(j);
    for (int64_t n = j->keep; n > 0; n--) {
        name_old(j, from, sizeof from, n - 1);
        name_old(j, to, sizeof to, n);
        if (rename(from, to) < 0 && errno != ENOENT)
            return false;
    }
    return open_file(j);
}

/* ---- lines ---- */

static void put(struct jsonl *j, const char *p, size_t n)
{
    if (j->cap - j->len < n) {
        j->cap = (j->len + n) * 2;
        j->lines = realloc(j->lines, j->cap);
        if (!j->lines)
            abort();
    }
    memcpy(j->lines + j->len, p, n);
    j->len += n;
}

static void make_lines(struct jsonl *j, const struct weir_record *r, size_t n, size_t stride)
{
    char seq[40];

    j->len = 0;
    for (size_t i = 0; i < n; i++, r = (const struct weir_record *)(const void *)((const char *)r + stride)) {
        put(j, seq, (size_t)snprintf(seq, sizeof seq, "{\"seq\":%llu,", (unsigned long long)r->seq));
        put(j, r->json.ptr + 1, r->json.len - 1);
        put(j, "\n", 1);
    }
}

static bool write_lines(struct jsonl *j, off_t end)
{
    size_t done = 0;

    while (done < j->len) {
        ssize_t n = write(j->fd, j->lines + done, j->len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            int why = n == 0 ? ENOSPC : errno;
            if (end >= 0 && ftruncate(j->fd, end) < 0)
                close_file(j); /* opening it again cuts off what is half there */
            errno = why;
            return false;
        }
    }
    return !j->fsync || fdatasync(j->fd) == 0;
}

static enum weir_sent write_batch(void *self, const struct weir_record *r, size_t n, size_t stride,
                                  struct weir_error *e)
{
    struct jsonl *j = self;
    struct stat st;

    if (!open_file(j)) {
        j->fd = 0;
        return fail(j, e, errno == ENOSPC || errno == EMFILE || errno == ENFILE ? WEIR_RETRY : WEIR_PAUSE);
    }
    make_lines(j, r, n, stride);
    if (fstat(j->fd, &st) < 0)
        return fail(j, e, WEIR_RETRY);
    bool regular = S_ISREG(st.st_mode);
    if (regular && j->rotate && st.st_size && st.st_size + (off_t)j->len > j->rotate) {
        if (!rotate(j))
            return fail(j, e, WEIR_RETRY);
        st.st_size = 0;
    }
    return write_lines(j, regular ? st.st_size : -1) ? WEIR_DONE : fail(j, e, WEIR_RETRY);
}

static void fini(void *self)
{
    struct jsonl *j = self;

    close_file(j);
    free(j->lines);
}

WEIR_PLUGIN(
    .name      = "jsonl",
    .version   = "1",
    .summary   = "Writes records into a file, one line of JSON each.",
    .options   = options,
    .self_size = sizeof(struct jsonl),
    .fini      = fini,
    .write     = write_batch,
);
