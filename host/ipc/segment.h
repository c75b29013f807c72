/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h -- one file of the journal: its head, its frames, and how reading goes on behind damage.  What the
 * writer (journal.c) and the readers (cursor.c) have in common; nobody else needs it.
 */
#ifndef IPC_SEGMENT_H
#define IPC_SEGMENT_H

#include "ipc/journal.h"
#include "ipc/ring.h"

#define SEGMENT_HEAD 32u
#define FRAME_HEAD 48u

void segment_path(char *path, size_t room, const char *state, uint64_t first);

struct segment_list { uint64_t *first; size_t count; };      /* sorted */
void segment_list(const char *state, struct segment_list *); /* those that are there; freed with free(list.first) */

void segment_head(char to[SEGMENT_HEAD], uint64_t first, int64_t time_us);
bool segment_head_ok(const char head[SEGMENT_HEAD], uint64_t first);

void frame_write(struct buf *, const struct journal_frame *);
enum frame_result { FRAME_OK, FRAME_SHORT, FRAME_BAD };      /* SHORT: whole as far as it goes */
/* The frame at `p`, of which `n` bytes are there; its text is borrowed. */
enum frame_result frame_read(const char *p, size_t n, struct journal_frame *);

/* Reading from the beginning to the end, while somebody may append. */
struct segment {
    int fd;                                  /* -1: none */
    uint64_t first;
    int64_t end;                             /* bytes of the file up to the end of the last good frame */
    int64_t base; struct buf bytes;          /* what has been read from the file at `base` on */
};

/* A head that is damaged is no failure: the name says the same.  false: the file cannot be opened. */
bool segment_open(struct segment *, const char *state, uint64_t first, struct weir_error *);
void segment_close(struct segment *);
/* The next frame whose sequence is at least `least`; behind damage the next one that is whole, so its sequence may
 * be higher than that. false: there is none, now. */
bool segment_next(struct segment *, uint64_t least, struct journal_frame *);
/* What was read ahead may have been cut off and written anew since: reads it again. */
void segment_forget(struct segment *);

#endif
