/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h -- the spine: segments of CRC-framed records with one sequence, written by the recorder alone, read by
 * sinks, tools and the recorder by cursors.
 *
 * STATE/journal/<first sequence, 20 digits>.wj.  A segment begins with a head (magic, version, first sequence); a
 * frame is
 *   u32 length, u32 CRC-32C of the rest, u64 sequence, i64 time, u64 ring identity, u64 ring position, u32 slot,
 *   u32 epoch, text
 * little-endian, `length` counting the text.  Where a record came from is kept so that a restarted recorder takes
 * from the rings exactly what is not yet in the journal.  A torn tail is cut off when the journal is opened for
 * writing.  STATE/journal/durable says up to which sequence all is safe on disk: readers go no further, so that no
 * sink is told what a power cut may still take back. docs/journal.md says it for others.
 */
#ifndef IPC_JOURNAL_H
#define IPC_JOURNAL_H

#include "base/buf.h"
#include "weir.h"

#define PATH_ROOM 512                        /* bytes of a path below the state folder */

struct journal_frame {
    uint64_t seq; int64_t time_us;
    uint64_t ring, position; uint32_t slot, epoch;       /* where it came from; ring 0: the recorder itself */
    struct weir_str text;                    /* until the next call on the same journal or cursor */
};

/* ---- writing: the recorder ---- */

struct journal;

/* Bytes of one segment; bytes that are kept of what every cursor is past. */
struct journal_limits { int64_t segment, keep; };

/* Opens for writing, alone (flock); makes STATE/journal and STATE/cursors.  Repairs the tail: `repaired` gets the
 * bytes that were cut off.  NULL and the error. */
struct journal *journal_open(const char *state, const struct journal_limits *, uint64_t *repaired, struct weir_error *);
void journal_close(struct journal *);
uint64_t journal_next_seq(const struct journal *);

/* Appends to memory; journal_sync() writes (one write) and makes durable (fdatasync).  `seq` of the frame is given
 * here. */
void journal_append(struct journal *, struct journal_frame *);
/* false and the error (disk full ...): nothing of this batch counts as written; the next call tries all of it again,
 * and what was half written is cut off first. */
bool journal_sync(struct journal *, struct weir_error *);
size_t journal_pending(const struct journal *);          /* bytes appended and not durable */
/* Deletes the oldest segments while more than `keep` is there; never one that a cursor in STATE/cursors has still to
 * read, nor one with sequences from `needed` on.  Returns how many. */
unsigned journal_trim(struct journal *, uint64_t needed);

/* ---- reading: sinks, `weir journal`, tests ---- */

struct cursor;

/* Stands at `from`, or at the oldest record there is when that is gone (cursor_lost() says how many were skipped).
 * NULL and the error when there is no journal. */
struct cursor *cursor_open(const char *state, uint64_t from, struct weir_error *);
void cursor_close(struct cursor *);
/* END: nothing durable beyond, now.  DAMAGED: records are missing, the error says which; the next call goes on
 * behind them. */
enum cursor_result { CURSOR_FRAME, CURSOR_END, CURSOR_DAMAGED };
enum cursor_result cursor_next(struct cursor *, struct journal_frame *, struct weir_error *);
uint64_t cursor_at(const struct cursor *);   /* the sequence that comes next */
uint64_t cursor_lost(const struct cursor *);
uint64_t cursor_behind(struct cursor *);     /* durable records from there to the end */
/* A descriptor that becomes readable when more may have become durable, for poll(2); read what it holds before
 * cursor_next().  -1: the system has none left, look every 50 ms. */
int cursor_watch(struct cursor *);
void cursor_watched(struct cursor *);        /* empties it */

/* Durable places of readers: STATE/cursors/NAME, replaced by rename(2) after fdatasync.  `*next` 0: none yet. */
bool cursor_load(const char *state, const char *name, uint64_t *next, struct weir_error *);
bool cursor_save(const char *state, const char *name, uint64_t next, struct weir_error *);
/* The lowest and the highest of all of them; false: there is none. */
bool cursor_range(const char *state, uint64_t *lowest, uint64_t *highest);

#endif
