/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c -- the journal's one writer; see journal.h. */
#include "ipc/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "ipc/folder.h"
#include "ipc/segment.h"

#define PENDING_KEPT (1u << 20) /* memory that stays allocated between batches */

struct journal {
    char *state, folder[PATH_ROOM];
    struct journal_limits limits;
    int lock, mark, fd; /* fd -1: the next batch begins a segment */
    uint64_t first;     /* of the open segment */
    int64_t offset;     /* its bytes that are durable */
    uint64_t next_seq, pending_first;
    struct buf pending;
};

uint64_t journal_next_seq(const struct journal *j)
{
    return j->next_seq;
}
size_t journal_pending(const struct journal *j)
{
    return j->pending.len;
}

/* ---- opening ---- */

static bool lock(struct journal *j, struct weir_error *e)
{
    char path[PATH_ROOM + 16];

    snprintf(path, sizeof path, "%s/lock", j->folder);
    j->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->lock < 0)
        return folder_error(e, path);
    if (flock(j->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return folder_error(e, path);
    snprintf(e->text, sizeof e->text, "%.180s is being written by another recorder", j->folder);
    return false;
}

/* Says how far all is durable: after every sync, and what a killed recorder left when the next one has repaired it. */
static void mark_durable(struct journal *j)
{
    uint64_t seq = j->pending.len ? j->pending_first - 1 : j->next_seq - 1;

    /* A failure (a full disk that copies on write) makes readers wait for the next batch, no more. */
    if (pwrite(j->mark, (uint64_t[]){seq, ~seq}, 16, 0) != 16)
        return;
}

/* Reads the newest segment to its last whole frame, and cuts off what is behind. */
static bool repair(struct journal *j, uint64_t first, uint64_t *repaired, struct weir_error *e)
{
    struct segment s = {.fd = -1};
    struct journal_frame f;
    char path[PATH_ROOM];
    struct stat st;

    segment_path(path, sizeof path, j->state, first);
    j->next_seq = first;
    if (!segment_open(&s, j->state, first, e))
        return false;
    while (segment_next(&s, j->next_seq, &f))
        j->next_seq = f.seq + 1;
    j->offset = s.end;
    segment_close(&s);
    j->fd = open(path, O_RDWR | O_CLOEXEC);
    if (j->fd < 0 || fstat(j->fd, &st) < 0)
        return folder_error(e, path);
    j->first = first;
    *repaired = st.st_size > j->offset ? (uint64_t)(st.st_size - j->offset) : 0;
    if (first == j->next_seq) { /* nothing in it, and the head may be torn too */
        close(j->fd);
        j->fd = -1;
        return unlink(path) == 0 || folder_error(e, path);
    }
    return !*repaired || (ftruncate(j->fd, j->offset) == 0 && fdatasync(j->fd) == 0) || folder_error(e, path);
}

static bool open_newest(struct journal *j, uint64_t *repaired, struct weir_error *e)
{
    struct segment_list list;
    uint64_t lowest, highest;
    bool ok = true;

    j->next_seq = 1;
    segment_list(j->state, &list);
    if (list.count)
        ok = repair(j, list.first[list.count - 1], repaired, e);
    free(list.first);
    if (!ok)
        return false;
    /* A journal that was taken away must not go back behind what its readers have seen. */
    if (cursor_range(j->state, &lowest, &highest) && highest > j->next_seq)
        j->next_seq = highest;
    return true;
}

struct journal *journal_open(const char *state, const struct journal_limits *limits, uint64_t *repaired,
                             struct weir_error *e)
{
    struct journal *j = must_alloc(sizeof *j);
    char path[PATH_ROOM + 16];

    *repaired = 0;
    *j = (struct journal){.state = must_strdup(state), .limits = *limits, .lock = -1, .mark = -1, .fd = -1};
    must(strlen(state) < PATH_ROOM - 64);
    snprintf(path, sizeof path, "%s/cursors", state);
    snprintf(j->folder, sizeof j->folder, "%s/journal", state);
    if (folder_make(j->folder, e) && folder_make(path, e) && lock(j, e) && open_newest(j, repaired, e)) {
        snprintf(path, sizeof path, "%s/durable", j->folder);
        j->mark = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        /* What is found may have been written and not synced; it is taken as durable from here on, so make it so. */
        if (j->mark >= 0 && (j->fd < 0 || fdatasync(j->fd) == 0) && folder_sync(j->folder, e)) {
            mark_durable(j);
            return j;
        }
        if (!*e->text)
            folder_error(e, path);
    }
    journal_close(j);
    return NULL;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    if (j->mark >= 0)
        close(j->mark);
    if (j->lock >= 0)
        close(j->lock);
    buf_fini(&j->pending);
    free(j->state);
    free(j);
}

/* ---- writing ---- */

void journal_append(struct journal *j, struct journal_frame *f)
{
    f->seq = j->next_seq++;
    if (!j->pending.len)
        j->pending_first = f->seq;
    frame_write(&j->pending, f);
}

static bool write_at(int fd, const char *p, size_t n, int64_t at)
{
    while (n) {
        ssize_t done = pwrite(fd, p, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done, n -= (size_t)done, at += done;
    }
    return true;
}

/* A new file, named by the first sequence that it will hold.  It may be there: from a batch that failed before any of
 * it was durable. */
static bool begin_segment(struct journal *j, struct weir_error *e)
{
    char path[PATH_ROOM], head[SEGMENT_HEAD];

    segment_path(path, sizeof path, j->state, j->pending_first);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return folder_error(e, path);
    segment_head(head, j->pending_first, clock_wall_us());
    if (!write_at(fd, head, sizeof head, 0)) {
        folder_error(e, path);
        unlink(path);
        close(fd);
        return false;
    }
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->first = j->pending_first;
    j->offset = SEGMENT_HEAD;
    return true;
}

/* Of a batch that did not become durable nothing may stay: readers would meet its sequences twice. */
static void take_back(struct journal *j, bool distrust)
{
    bool cut = ftruncate(j->fd, j->offset) == 0;

    if (cut && !distrust && j->offset > SEGMENT_HEAD)
        return;
    /* After a failed sync the kernel may take pages for clean that are not: go on in a new file, whose pages are all
     * new.  The same for a file that could not be cut, and for one that holds nothing. */
    close(j->fd);
    j->fd = -1;
}

bool journal_sync(struct journal *j, struct weir_error *e)
{
    bool begins = j->fd < 0 || (j->offset >= j->limits.segment && j->offset > SEGMENT_HEAD);
    bool written;

    if (!j->pending.len)
        return true;
    if (begins && !begin_segment(j, e))
        return false;
    written = write_at(j->fd, j->pending.ptr, j->pending.len, j->offset);
    if (!written || fdatasync(j->fd) < 0) {
        folder_error(e, j->folder);
        take_back(j, written);
        return false;
    }
    if (begins && !folder_sync(j->folder, e)) {
        take_back(j, true);
        return false;
    }
    j->offset += (int64_t)j->pending.len;
    if (j->pending.cap > PENDING_KEPT)
        buf_fini(&j->pending);
    j->pending.len = 0;
    mark_durable(j);
    return true;
}

unsigned journal_trim(struct journal *j, uint64_t needed)
{
    struct segment_list list;
    int64_t sum = 0, *size;
    uint64_t lowest, highest;
    char path[PATH_ROOM];
    struct stat st;
    unsigned n = 0;

    segment_list(j->state, &list);
    size = must_alloc(list.count * sizeof *size);
    for (size_t i = 0; i < list.count; i++) {
        segment_path(path, sizeof path, j->state, list.first[i]);
        size[i] = stat(path, &st) == 0 ? st.st_size : 0;
        sum += size[i];
    }
    if (cursor_range(j->state, &lowest, &highest) && lowest < needed)
        needed = lowest;
    for (size_t i = 0; i + 1 < list.count && sum > j->limits.keep && list.first[i + 1] <= needed; i++) {
        segment_path(path, sizeof path, j->state, list.first[i]);
        if (unlink(path) < 0)
            break;
        sum -= size[i];
        n++;
    }
    free(size);
    free(list.first);
    return n;
}
