/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h -- records on their way from one worker to the recorder: a named file on tmpfs, mapped by both.
 *
 * One producer (the worker of this slot), one consumer (the recorder).  Putting is a copy and one release store: no system
 * call, no wait.  The file outlives every process: who is killed in the middle loses nothing that was put, and the
 * half-written bytes of a put that did not finish are never seen.  Positions count bytes since the ring was made.
 *
 * A request puts at most one `open` at a time, and with it reserves room for the record that ends it, so that a full ring turns
 * away new requests and never an ending.
 */
#ifndef IPC_RING_H
#define IPC_RING_H

#include "weir.h"

#define RECORD_MAX 16384                     /* bytes of one record (DESIGN: records are small) */

struct ring;

/* Opens or makes DIR/ring.SLOT.  A file of another size or layout that is empty (all acknowledged) is made anew; one that still
 * holds records keeps its size.  NULL and the error when it cannot be. */
struct ring *ring_open(const char *dir, unsigned slot, size_t size, struct weir_error *);
void ring_close(struct ring *);
unsigned ring_slot(const struct ring *);
uint64_t ring_identity(const struct ring *); /* random, given when the file was made: positions of different rings differ */

/* ---- producer ---- */

/* A new worker takes the slot: forgets reservations of the one before, raises the epoch, which every record carries. */
void ring_attach(struct ring *);

enum ring_room { RING_OPEN, RING_END, RING_SINGLE };     /* reserves room for an end; uses it; stands alone */

/* false: no room (never for RING_END of at most RECORD_MAX bytes after its RING_OPEN).  `position`: where the record ends;
 * it is durable once ring_durable() has reached that.  Wakes the recorder only when it sleeps. */
bool ring_put(struct ring *, enum ring_room, struct weir_str record, uint64_t *position);
uint64_t ring_durable(const struct ring *);
/* An eventfd that becomes readable when ring_durable() has moved while someone asked; see ring_want_durable().  The supervisor makes
 * it and hands it to both sides. */
void ring_want_durable(struct ring *);
/* true while the recorder says that the disk takes nothing: new requests are turned away before the ring is full. */
bool ring_closed(const struct ring *);
bool ring_has_recorder(const struct ring *); /* a recorder has shown life within the last second */

/* ---- consumer ---- */

struct ring_record { uint64_t position; uint32_t epoch; struct weir_str bytes; };   /* position: where it ends */

/* The record that begins at `*at`, which moves behind it; false: none yet.  Start with ring_durable().  A copy is taken into
 * `to` (RECORD_MAX bytes). */
bool ring_next(struct ring *, uint64_t *at, struct ring_record *, char *to);
void ring_release(struct ring *, uint64_t position);     /* all up to there is durable: room for the producer; wakes it when it asked */
void ring_set_closed(struct ring *, bool);
void ring_beat(struct ring *);               /* the recorder is alive */
uint32_t ring_epoch(const struct ring *);    /* of the producer at hand; raised by each ring_attach() */
/* Before sleeping: true when a put may be asleep-safe, i.e. nothing has come since `at`; the next put then writes to wake_fd. */
bool ring_sleep(struct ring *, uint64_t at);
void ring_awake(struct ring *);

/* Both eventfds are inherited over fork; -1 where a side is absent (tests). */
void ring_set_fds(struct ring *, int wake_recorder, int wake_worker);
int ring_worker_fd(const struct ring *);

#endif
