/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c -- the journal's format on disk; see segment.h and docs/journal.md. */
#include "ipc/segment.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/must.h"
#include "ipc/folder.h"

#define VERSION  1u
#define CHUNK    262144u
#define JUMP_MAX (1u << 24) /* a frame behind damage is believed when its sequence is no further ahead */

static const char magic[8] = {'w', 'e', 'i', 'r', 'j', 'r', 'n', 'l'};

/* ---- names ---- */

void segment_path(char *path, size_t room, const char *state, uint64_t first)
{
    must((size_t)snprintf(path, room, "%s/journal/%020llu.wj", state, (unsigned long long)first) < room);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void segment_list(const char *state, struct segment_list *list)
{
    char path[PATH_ROOM];
    struct dirent *entry;
    size_t cap = 0;

    *list = (struct segment_list){0};
    snprintf(path, sizeof path, "%s/journal", state);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d))) {
        const char *name = entry->d_name;
        if (strlen(name) != 23 || strspn(name, "0123456789") != 20 || strcmp(name + 20, ".wj") != 0)
            continue;
        if (list->count == cap)
            list->first = must_realloc(list->first, (cap = cap ? cap * 2 : 64) * sizeof *list->first);
        list->first[list->count++] = strtoull(name, NULL, 10);
    }
    if (d)
        closedir(d);
    if (list->count)
        qsort(list->first, list->count, sizeof *list->first, by_number);
}

/* ---- bytes ---- */

static void put32(char *to, uint32_t v)
{
    v = htole32(v);
    memcpy(to, &v, 4);
}

static void put64(char *to, uint64_t v)
{
    v = htole64(v);
    memcpy(to, &v, 8);
}

static uint32_t get32(const char *from)
{
    uint32_t v;
    memcpy(&v, from, 4);
    return le32toh(v);
}

static uint64_t get64(const char *from)
{
    uint64_t v;
    memcpy(&v, from, 8);
    return le64toh(v);
}

void segment_head(char to[SEGMENT_HEAD], uint64_t first, int64_t time_us)
{
    memcpy(to, magic, 8);
    put32(to + 8, VERSION);
    put64(to + 16, first);
    put64(to + 24, (uint64_t)time_us);
    put32(to + 12, crc32c(crc32c(0, to, 12), to + 16, 16));
}

bool segment_head_ok(const char head[SEGMENT_HEAD], uint64_t first)
{
    return memcmp(head, magic, 8) == 0 && get32(head + 8) == VERSION && get64(head + 16) == first &&
           get32(head + 12) == crc32c(crc32c(0, head, 12), head + 16, 16);
}

static uint32_t frame_crc(const char *frame, size_t size)
{
    return crc32c(crc32c(0, frame, 4), frame + 8, size - 8);
}

void frame_write(struct buf *b, const struct journal_frame *f)
{
    char *to = buf_room(b, FRAME_HEAD + f->text.len);

    must(f->text.len > 0 && f->text.len <= RECORD_MAX);
    put32(to, (uint32_t)f->text.len);
    put64(to + 8, f->seq);
    put64(to + 16, (uint64_t)f->time_us);
    put64(to + 24, f->ring);
    put64(to + 32, f->position);
    put32(to + 40, f->slot);
    put32(to + 44, f->epoch);
    memcpy(to + FRAME_HEAD, f->text.ptr, f->text.len);
    put32(to + 4, frame_crc(to, FRAME_HEAD + f->text.len));
    b->len += FRAME_HEAD + f->text.len;
}

enum frame_result frame_read(const char *p, size_t n, struct journal_frame *f)
{
    size_t length = n >= 4 ? get32(p) : 1;

    if (length == 0 || length > RECORD_MAX)
        return FRAME_BAD;
    if (n < FRAME_HEAD + length)
        return FRAME_SHORT;
    if (get32(p + 4) != frame_crc(p, FRAME_HEAD + length))
        return FRAME_BAD;
    *f = (struct journal_frame){.seq = get64(p + 8),
                                .time_us = (int64_t)get64(p + 16),
                                .ring = get64(p + 24),
                                .position = get64(p + 32),
                                .slot = get32(p + 40),
                                .epoch = get32(p + 44),
                                .text = {p + FRAME_HEAD, length}};
    return FRAME_OK;
}

/* ---- reading ---- */

bool segment_open(struct segment *s, const char *state, uint64_t first, struct weir_error *e)
{
    char path[PATH_ROOM];

    segment_path(path, sizeof path, state, first);
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    s->first = first;
    s->end = s->base = SEGMENT_HEAD;
    s->bytes.len = 0;
    return s->fd >= 0 || folder_error(e, path);
}

void segment_close(struct segment *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    buf_fini(&s->bytes);
}

void segment_forget(struct segment *s)
{
    s->bytes.len = 0;
    s->base = s->end;
}

/* At least `want` bytes from `from` on, if the file has them; returns how many there are. */
static size_t fetch(struct segment *s, int64_t from, size_t want)
{
    size_t skip = (size_t)(from - s->base);

    if (s->bytes.len >= skip + want)
        return s->bytes.len - skip;
    buf_cut(&s->bytes, skip);
    s->base = from;
    while (s->bytes.len < want) {
        size_t room = want > CHUNK ? want : CHUNK;
        ssize_t n = pread(s->fd, buf_room(&s->bytes, room), room, s->base + (int64_t)s->bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        s->bytes.len += (size_t)n;
    }
    return s->bytes.len;
}

static const char *bytes_at(const struct segment *s, int64_t from)
{
    return s->bytes.ptr + (from - s->base);
}

/* Looks at every byte behind `from` for a whole frame that may follow; moves s->end in front of it. */
static bool resync(struct segment *s, int64_t from, uint64_t least, struct journal_frame *f)
{
    for (size_t n; (n = fetch(s, from, FRAME_HEAD + RECORD_MAX)) > FRAME_HEAD; from++) {
        const char *p = bytes_at(s, from);
        uint64_t seq = get64(p + 8);
        if (seq < least || seq - least > JUMP_MAX || frame_read(p, n, f) != FRAME_OK)
            continue;
        s->end = from;
        return true;
    }
    return false;
}

bool segment_next(struct segment *s, uint64_t least, struct journal_frame *f)
{
    for (;;) {
        size_t n = fetch(s, s->end, FRAME_HEAD);
        if (n >= FRAME_HEAD)
            n = fetch(s, s->end, FRAME_HEAD + (get32(bytes_at(s, s->end)) & (2 * RECORD_MAX - 1)));
        enum frame_result got = n ? frame_read(bytes_at(s, s->end), n, f) : FRAME_SHORT;
        bool good = got == FRAME_OK && (f->seq < least || f->seq - least <= JUMP_MAX);
        if (!good && (n == 0 || !resync(s, s->end + 1, least, f)))
            return false;
        s->end += (int64_t)(FRAME_HEAD + f->text.len);
        if (f->seq >= least)
            return true;
    }
}
