/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.c -- readers of the journal and their durable places; see journal.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/must.h"
#include "ipc/folder.h"
#include "ipc/segment.h"

struct cursor {
    char *state;
    struct segment segment;
    uint64_t next, lost;
    uint64_t follower; /* first sequence of the segment after this one; 0: none known */
    uint64_t durable;  /* as last read */
    int mark, watch;
    bool held; /* `ahead` was read, and damage before it told first */
    struct journal_frame ahead;
};

uint64_t cursor_at(const struct cursor *c)
{
    return c->next;
}
uint64_t cursor_lost(const struct cursor *c)
{
    return c->lost;
}

struct cursor *cursor_open(const char *state, uint64_t from, struct weir_error *e)
{
    char path[PATH_ROOM];

    must(strlen(state) < PATH_ROOM - 64);
    snprintf(path, sizeof path, "%s/journal", state);
    if (access(path, R_OK | X_OK) < 0) {
        folder_error(e, path);
        return NULL;
    }
    struct cursor *c = must_alloc(sizeof *c);
    *c = (struct cursor){
        .state = must_strdup(state), .next = from ? from : 1, .segment.fd = -1, .mark = -1, .watch = -1};
    if (from)
        return c;
    struct segment_list list;
    segment_list(state, &list);
    if (list.count)
        c->next = list.first[0]; /* the oldest there is: nothing was skipped */
    free(list.first);
    return c;
}

void cursor_close(struct cursor *c)
{
    if (!c)
        return;
    segment_close(&c->segment);
    if (c->mark >= 0)
        close(c->mark);
    if (c->watch >= 0)
        close(c->watch);
    free(c->state);
    free(c);
}

/* ---- how far ---- */

/* A journal without the mark is a copy: all that is whole in it counts. */
static void read_mark(struct cursor *c)
{
    char path[PATH_ROOM];
    uint64_t mark[2] = {0};

    if (c->mark < 0) {
        snprintf(path, sizeof path, "%s/journal/durable", c->state);
        c->mark = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (c->mark < 0 || pread(c->mark, mark, sizeof mark, 0) != (ssize_t)sizeof mark)
        c->durable = UINT64_MAX;
    else if (mark[0] == ~mark[1])
        c->durable = mark[0]; /* else it is just being written: what we knew still holds */
}

uint64_t cursor_behind(struct cursor *c)
{
    read_mark(c);
    return c->durable == UINT64_MAX || c->durable < c->next ? 0 : c->durable - c->next + 1;
}

int cursor_watch(struct cursor *c)
{
    char path[PATH_ROOM];

    if (c->watch >= 0)
        return c->watch;
    snprintf(path, sizeof path, "%s/journal/durable", c->state);
    c->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (c->watch >= 0 && inotify_add_watch(c->watch, path, IN_MODIFY) < 0) {
        close(c->watch);
        c->watch = -1;
    }
    return c->watch;
}

void cursor_watched(struct cursor *c)
{
    char events[4096];

    while (c->watch >= 0 && read(c->watch, events, sizeof events) > 0)
        ;
}

/* ---- reading ---- */

/* The segment that holds c->next, or the first one behind it; false: there is none. */
static bool find_segment(struct cursor *c, struct weir_error *e)
{
    struct segment_list list;
    size_t i = 0;

    segment_close(&c->segment);
    segment_list(c->state, &list);
    while (i + 1 < list.count && list.first[i + 1] <= c->next)
        i++;
    c->follower = i + 1 < list.count ? list.first[i + 1] : 0;
    bool ok = list.count && list.first[i] <= c->durable && segment_open(&c->segment, c->state, list.first[i], e);
    free(list.first);
    return ok;
}

static uint64_t find_follower(const struct cursor *c)
{
    struct segment_list list;
    uint64_t follower = 0;

    segment_list(c->state, &list);
    for (size_t i = list.count; i-- && list.first[i] > c->segment.first;)
        follower = list.first[i];
    free(list.first);
    return follower;
}

static enum cursor_result missing(struct cursor *c, uint64_t to, struct weir_error *e)
{
    snprintf(e->text, sizeof e->text, "records %llu to %llu are missing or damaged", (unsigned long long)c->next,
             (unsigned long long)to - 1);
    snprintf(e->code, sizeof e->code, "damaged");
    c->lost += to - c->next;
    c->next = to;
    return CURSOR_DAMAGED;
}

static enum cursor_result deliver(struct cursor *c, struct journal_frame *f)
{
    *f = c->ahead;
    c->held = false;
    c->next = f->seq + 1;
    return CURSOR_FRAME;
}

enum cursor_result cursor_next(struct cursor *c, struct journal_frame *f, struct weir_error *e)
{
    if (c->held)
        return deliver(c, f);
    if (c->next > c->durable || c->durable == UINT64_MAX) {
        read_mark(c);
        segment_forget(&c->segment);
    }
    if (c->next > c->durable)
        return CURSOR_END;
    for (;;) {
        if ((c->segment.fd < 0 || (c->follower && c->next >= c->follower)) && !find_segment(c, e))
            return CURSOR_END;
        if (c->segment.first > c->next) /* trimmed away, or a file that is gone */
            return missing(c, c->segment.first, e);
        if (segment_next(&c->segment, c->next, &c->ahead) && (!c->follower || c->ahead.seq < c->follower)) {
            if (c->ahead.seq == c->next)
                return deliver(c, f);
            c->held = true;
            return missing(c, c->ahead.seq, e);
        }
        if (!c->follower && !(c->follower = find_follower(c)))
            return CURSOR_END;
        if (c->next < c->follower)
            return missing(c, c->follower, e);
    }
}

/* ---- durable places ---- */

static bool place_path(char *path, size_t room, const char *state, const char *name, struct weir_error *e)
{
    if (*name && *name != '.' && !strchr(name, '/') &&
        (size_t)snprintf(path, room, "%s/cursors/%s", state, name) < room)
        return true;
    snprintf(e->text, sizeof e->text, "\"%.100s\" cannot be the name of a cursor", name);
    return false;
}

static bool place_parse(struct weir_str s, uint64_t *next)
{
    size_t i = 0;

    *next = 0;
    for (; i < s.len && i < 19 && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        *next = *next * 10 + (uint64_t)(s.ptr[i] - '0');
    return i > 0 && *next > 0 && i + 1 == s.len && s.ptr[i] == '\n';
}

bool cursor_load(const char *state, const char *name, uint64_t *next, struct weir_error *e)
{
    char path[PATH_ROOM];
    struct buf b = {0};
    bool absent = false, ok;

    *next = 0;
    if (!place_path(path, sizeof path, state, name, e))
        return false;
    ok = folder_read(path, 64, &b, &absent, e);
    if (ok && !place_parse(buf_view(&b), next)) {
        snprintf(e->text, sizeof e->text, "%.180s is no cursor: it must hold one sequence and a line end", path);
        ok = false;
    }
    buf_fini(&b);
    if (absent)
        *e = (struct weir_error){0};
    return ok || absent;
}

bool cursor_save(const char *state, const char *name, uint64_t next, struct weir_error *e)
{
    char path[PATH_ROOM], text[32];
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)next);

    return place_path(path, sizeof path, state, name, e) && folder_write(path, (struct weir_str){text, (size_t)n}, e);
}

bool cursor_range(const char *state, uint64_t *lowest, uint64_t *highest)
{
    struct weir_error ignored = {0};
    char path[PATH_ROOM];
    struct dirent *entry;
    uint64_t next;
    bool any = false;

    snprintf(path, sizeof path, "%s/cursors", state);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d))) {
        size_t n = strlen(entry->d_name);
        bool half = n > 4 && strcmp(entry->d_name + n - 4, ".new") == 0;
        if (half || !cursor_load(state, entry->d_name, &next, &ignored) || !next)
            continue;
        *lowest = !any || next < *lowest ? next : *lowest;
        *highest = !any || next > *highest ? next : *highest;
        any = true;
    }
    if (d)
        closedir(d);
    return any;
}
