/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h -- what the recorder must remember of the journal: which opens have no close yet, and how far each ring
 * is in it.
 *
 * Every appended record goes through ledger_take().  A snapshot of the ledger is kept in STATE/journal/snapshot, so
 * that a new recorder reads only what was written after it; without one it reads the whole journal.  Its size is
 * bounded by the rings: each open record in it has reserved RING_END_MAX bytes of one.
 */
#ifndef RECORDER_LEDGER_H
#define RECORDER_LEDGER_H

#include "ipc/journal.h"
#include "ipc/record.h"

struct ledger_open {
    struct ledger_open *next;
    uint64_t hash, ring; uint32_t slot, epoch;
    struct weir_str id; int64_t attempt;     /* id: raw, a piece of the text */
    struct weir_str text;                    /* of the open record */
};

struct ledger_ring {
    uint64_t identity, position;
    uint64_t seq;                            /* of its last sign of life in the journal */
    uint32_t slot;
};

struct ledger {
    struct ledger_open **table; size_t buckets, opens;
    struct ledger_ring *rings; size_t ring_count;
};

void ledger_fini(struct ledger *);           /* {0} is an empty one */

/* A record has been appended.  `head` is its own, read before. */
void ledger_take(struct ledger *, const struct journal_frame *, const struct record_head *head);
bool ledger_has(const struct ledger *, const struct record_head *);     /* this attempt is open */
/* Takes out one open that came from `ring` with an epoch before `epoch`, or from any ring that is none of `present`;
 * NULL: there is none.  Freed by the caller with free().  `*at` is 0 to begin with and remembers how far the table
 * has been looked through. */
struct ledger_open *ledger_orphan(struct ledger *, size_t *at, uint64_t ring, uint32_t epoch);
struct ledger_open *ledger_stray(struct ledger *, size_t *at, const uint64_t *present, size_t n);

/* The place of a ring, made when it is new. */
struct ledger_ring *ledger_ring(struct ledger *, uint64_t identity);
void ledger_forget_rings(struct ledger *, const uint64_t *present, size_t n);        /* all but these */

/* `seq`: the first sequence that is not in it.  `clean`: nothing was left in any ring. */
bool ledger_save(const struct ledger *, const char *state, uint64_t seq, bool clean, struct weir_error *);
/* false: there is none, or it is damaged; the ledger is empty then. */
bool ledger_load(struct ledger *, const char *state, uint64_t *seq, bool *clean);

#endif
