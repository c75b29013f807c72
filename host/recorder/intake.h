/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake.h -- from the rings into the journal: what the recorder does with every record, and with what is missing.
 *
 * Taking appends in memory; who calls syncs the journal and then lets the rings go.  After a kill at any instruction
 * intake_open() finds in the journal which records of each ring it already holds.  It must not know when, how often
 * and for whom it is called.
 */
#ifndef RECORDER_INTAKE_H
#define RECORDER_INTAKE_H

#include "ipc/journal.h"
#include "ipc/ring.h"
#include "recorder/ledger.h"

struct intake_ring {
    struct ring *ring;
    uint64_t at;                             /* taken up to here */
    uint32_t epoch;                          /* opens of older ones have been ended */
    bool late;                               /* an open of an older epoch came after that */
};

struct intake {
    const char *state;
    struct journal *journal;
    struct ledger ledger;
    struct intake_ring *rings; unsigned count;
    struct buf text;                         /* of the recorder's own records */
    struct arena arena; struct json_skim skim;
    uint64_t saved_seq;                      /* of the snapshot */
    uint64_t records;                        /* appended since it began */
};

/* Opens the journal, learns what is in it, ends opens whose ring is gone, and writes a `gap` for what may be lost.
 * The rings outlive it.  false and the error; intake_close() all the same. */
bool intake_open(struct intake *, const char *state, const struct journal_limits *, struct ring **, unsigned count,
                 struct weir_error *);
void intake_close(struct intake *);

bool intake_waits(const struct intake *);    /* something is in a ring, or a worker has died */
/* Until the rings are empty, or `most` bytes are pending in the journal. */
void intake_take(struct intake *, size_t most);
void intake_release(struct intake *);        /* all that was taken is durable */
/* With nothing pending: what a next recorder begins with.  `clean`: no worker runs and the rings are empty. */
bool intake_save(struct intake *, bool clean, struct weir_error *);

#endif
