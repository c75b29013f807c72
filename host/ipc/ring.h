/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h -- records on their way from one worker to the recorder: a named file on tmpfs, mapped by both.
 *
 * One producer (the worker of this slot), one consumer (the recorder).  Putting is a copy and one release store: no
 * system call, no wait.  The file outlives every process: who is killed in the middle loses nothing that was put,
 * and the half-written bytes of a put that did not finish are never seen.  Positions count bytes since the ring was
 * made.
 *
 * A request puts at most one `open` at a time, and with it reserves RING_END_MAX bytes for the record that ends it,
 * so that a full ring turns away new requests and never an ending.  Only one process at a time may be the producer
 * of a slot: two generations that run side by side need different slots.
 */
#ifndef IPC_RING_H
#define IPC_RING_H

#include "weir.h"

#define RECORD_MAX 16384                     /* bytes of one record (DESIGN: records are small) */
#define RING_END_MAX 1024                    /* bytes of an ending for which there is always room */
#define RING_SIZE_MIN 65536

struct ring;

/* Opens or makes DIR/ring.SLOT with room for `size` bytes (rounded up to whole pages), all of them taken from the
 * tmpfs at once.  A file of another size or layout that is empty (all released) is made anew; one that still holds
 * records keeps its size.  NULL and the error when it cannot be.  STATE/lock sees to it that no other family of
 * processes has it. */
struct ring *ring_open(const char *dir, unsigned slot, size_t size, struct weir_error *);
void ring_close(struct ring *);
unsigned ring_slot(const struct ring *);
uint64_t ring_identity(const struct ring *); /* random, given when the file was made; never 0 */
size_t ring_size(const struct ring *);

/* Both eventfds are made by the supervisor and inherited over fork; -1 where a side is absent (tests). */
void ring_set_fds(struct ring *, int wake_recorder, int wake_worker);
int ring_worker_fd(const struct ring *);

/* ---- producer: the worker ---- */

/* A new worker takes the slot: forgets the reservations of the one before and raises the epoch, which every record
 * carries. */
void ring_attach(struct ring *);

/* Reserves room for an end; uses it; stands alone; stands alone and leaves half of the ring to the others. */
enum ring_room { RING_OPEN, RING_END, RING_SINGLE, RING_SPARE };

/* false: no room.  Never for a RING_END of at most RING_END_MAX bytes after its RING_OPEN; a longer one may be
 * refused, and then the reservation stays (record_put() shortens it and tries again).  `position` (may be NULL):
 * where the record ends; it is durable once ring_durable() has reached that.  Wakes the recorder only when it
 * sleeps. */
bool ring_put(struct ring *, enum ring_room, struct weir_str record, uint64_t *position);
uint64_t ring_durable(const struct ring *);
/* Strict mode: all up to `position` is waited for (0: nothing any more).  The recorder then does not wait for
 * company, and the worker's eventfd becomes readable each time that ring_durable() has moved, until it has reached
 * the position. */
void ring_want_durable(struct ring *, uint64_t position);
/* true while the recorder says that the disk takes nothing: new requests are turned away before the ring is full. */
bool ring_closed(const struct ring *);
bool ring_has_recorder(const struct ring *); /* a recorder has shown life within the last second */

/* ---- supervisor ---- */

/* The slot's worker has died and none will follow at once: raises the epoch, so that the recorder ends what was left
 * open. */
void ring_retire(struct ring *);
bool ring_has_producer(const struct ring *); /* the process that attached last is alive */

/* ---- consumer: the recorder ---- */

struct ring_record { uint64_t position; uint32_t epoch; struct weir_str bytes; };   /* position: where it ends */
enum ring_result { RING_NONE, RING_RECORD, RING_DAMAGED };

/* The record that begins at `*at`, which moves behind it; its bytes lie in the ring until ring_release().  Start
 * with ring_durable(). What the producer wrote is not trusted: RING_DAMAGED when it makes no sense; `*at` then moves
 * to where the producer stands. */
enum ring_result ring_next(struct ring *, uint64_t *at, struct ring_record *);
/* A recorder takes over: it is alive, the ring is not closed, and a worker that waits looks again what is durable. */
void ring_adopt(struct ring *);
/* All up to there is durable: room for the producer; wakes it when it waits. */
void ring_release(struct ring *, uint64_t position);
bool ring_wanted(const struct ring *);       /* a strict request waits for something that is not durable */
void ring_set_closed(struct ring *, bool);
void ring_beat(struct ring *);               /* the recorder is alive */
/* Of the producer at hand.  Read before ring_next() says RING_NONE: then all records of older epochs have been seen. */
uint32_t ring_epoch(const struct ring *);

/* Before sleeping.  RING_IDLE: any put wakes through the eventfd; RING_GATHER: only half a ring of records or a
 * strict request does; RING_AWAKE: nothing does (the disk is full, looking at the ring would not help). true:
 * nothing has come since `at`, sleep.  A producer that is killed just there may take the wake with it: never sleep
 * longer than a beat.  ring_awake() after sleeping, and after false. */
enum ring_sleep { RING_AWAKE, RING_GATHER, RING_IDLE };
bool ring_sleep(struct ring *, enum ring_sleep, uint64_t at);
void ring_awake(struct ring *);

#endif
