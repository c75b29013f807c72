/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c -- the shared file and its two sides; see ring.h.
 *
 * One page of heads, then the data, mapped twice in a row so that every record is contiguous.  An entry is u32 length,
 * u32 epoch, the bytes, padded to 8.  `put` is stored last, with release: a producer killed before that store has put
 * nothing.
 */
#include "ipc/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "ipc/folder.h"

#define MAGIC     0x31676e6972776577u /* changes with the layout */
#define HEAD_SIZE 4096u
#define BEAT_US   1000000

struct shared {
    uint64_t magic, size, identity;    /* magic is written last: a file without it was never used */
    _Alignas(64) _Atomic uint64_t put; /* written by the producer */
    _Atomic uint64_t want;
    _Atomic uint32_t epoch, producer;      /* producer: its process id, 0: none */
    _Alignas(64) _Atomic uint64_t durable; /* written by the consumer */
    _Atomic int64_t beat_us;
    _Atomic uint32_t closed;
    _Alignas(64) _Atomic uint32_t sleep; /* enum ring_sleep; written by both */
};

struct entry {
    uint32_t length, epoch;
};

struct ring {
    struct shared *s;
    char *data;
    uint64_t size, identity; /* copies that a stray write of a worker cannot reach in other processes */
    uint64_t reserved;       /* the producer's own: dies with it */
    uint32_t epoch;
    unsigned slot;
    int wake_recorder, wake_worker;
};

_Static_assert(sizeof(struct shared) <= HEAD_SIZE, "the heads fill one page");

static uint64_t entry_size(size_t length)
{
    return (sizeof(struct entry) + length + 7) & ~(uint64_t)7;
}

/* ---- the file ---- */

/* What a file that is already there says of itself; size 0: it is not one of ours, or holds nothing that must be kept.
 */
static uint64_t size_kept(int fd, uint64_t size)
{
    struct shared s;
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size < (off_t)HEAD_SIZE || pread(fd, &s, sizeof s, 0) != (ssize_t)sizeof s)
        return 0;
    if (s.magic != MAGIC || s.size < RING_SIZE_MIN || s.size % HEAD_SIZE || (uint64_t)st.st_size != HEAD_SIZE + s.size)
        return 0;
    return s.size == size || s.put != s.durable ? s.size : 0;
}

static bool make_file(int fd, const char *path, uint64_t size, struct weir_error *e)
{
    struct shared s = {.size = size};
    ssize_t got;

    if (ftruncate(fd, 0) < 0)
        return folder_error(e, path);
    /* All pages now: on a full tmpfs a later first touch would be a SIGBUS in a worker. */
    if ((errno = posix_fallocate(fd, 0, (off_t)(HEAD_SIZE + size))) != 0) {
        int why = errno;
        if (ftruncate(fd, 0) < 0)
            why = errno;
        errno = why;
        return folder_error(e, path);
    }
    do
        got = getrandom(&s.identity, sizeof s.identity, 0);
    while (got < 0 && errno == EINTR);
    must(got == (ssize_t)sizeof s.identity);
    s.identity |= 1; /* 0 is no ring */
    if (pwrite(fd, &s, sizeof s, 0) != (ssize_t)sizeof s)
        return folder_error(e, path);
    s.magic = MAGIC;
    if (pwrite(fd, &s.magic, sizeof s.magic, 0) != (ssize_t)sizeof s.magic)
        return folder_error(e, path);
    return true;
}

static bool map_file(struct ring *r, int fd, const char *path, struct weir_error *e)
{
    char *at = mmap(NULL, HEAD_SIZE + 2 * r->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        return folder_error(e, path);
    r->s = (struct shared *)(void *)at;
    r->data = at + HEAD_SIZE;
    if (mmap(at, HEAD_SIZE + r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
        mmap(r->data + r->size, r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, HEAD_SIZE) == MAP_FAILED) {
        folder_error(e, path);
        munmap(at, HEAD_SIZE + 2 * r->size);
        r->s = NULL;
        return false;
    }
    r->identity = r->s->identity;
    return true;
}

struct ring *ring_open(const char *dir, unsigned slot, size_t size, struct weir_error *e)
{
    struct ring *r = must_alloc(sizeof *r);
    char path[512];

    snprintf(path, sizeof path, "%s/ring.%u", dir, slot);
    size = size < RING_SIZE_MIN ? RING_SIZE_MIN : (size + HEAD_SIZE - 1) / HEAD_SIZE * HEAD_SIZE;
    r->slot = slot;
    r->wake_recorder = r->wake_worker = -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        folder_error(e, path);
        free(r);
        return NULL;
    }
    r->size = size_kept(fd, size);
    if (!r->size && make_file(fd, path, size, e))
        r->size = size;
    if (!r->size || !map_file(r, fd, path, e)) {
        free(r);
        r = NULL;
    }
    close(fd);
    return r;
}

void ring_close(struct ring *r)
{
    if (!r)
        return;
    munmap(r->s, HEAD_SIZE + 2 * r->size);
    free(r);
}

unsigned ring_slot(const struct ring *r)
{
    return r->slot;
}
uint64_t ring_identity(const struct ring *r)
{
    return r->identity;
}
size_t ring_size(const struct ring *r)
{
    return r->size;
}
int ring_worker_fd(const struct ring *r)
{
    return r->wake_worker;
}

void ring_set_fds(struct ring *r, int wake_recorder, int wake_worker)
{
    r->wake_recorder = wake_recorder;
    r->wake_worker = wake_worker;
}

/* ---- producer ---- */

static void ring_bell(int fd)
{
    uint64_t one = 1;

    /* The only failure of an eventfd is that it is full: then it is readable, which is all that is wanted. */
    if (fd >= 0 && write(fd, &one, sizeof one) < 0)
        return;
}

/* After a store that the consumer must see before it sleeps; `least`: of which sleeps it is to be woken. */
static void wake_recorder(struct ring *r, uint32_t least)
{
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t asleep = atomic_load_explicit(&r->s->sleep, memory_order_relaxed);

    if (asleep >= least && atomic_exchange(&r->s->sleep, RING_AWAKE) != RING_AWAKE)
        ring_bell(r->wake_recorder);
}

void ring_retire(struct ring *r)
{
    atomic_store(&r->s->producer, 0);
    atomic_fetch_add(&r->s->epoch, 1);
    wake_recorder(r, RING_AWAKE);
    ring_bell(r->wake_recorder); /* the one before may have been killed between the flag and the bell */
}

void ring_attach(struct ring *r)
{
    ring_retire(r);
    r->epoch = atomic_load(&r->s->epoch);
    r->reserved = 0;
    atomic_store(&r->s->want, 0);
    atomic_store(&r->s->producer, (uint32_t)getpid());
}

bool ring_has_producer(const struct ring *r)
{
    pid_t pid = (pid_t)atomic_load(&r->s->producer);

    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

/* Bytes that must still be free when an entry has been put.  An end gives up its own reservation, so one that fits into
 * that always finds room, and a longer one takes what nobody has reserved. */
static uint64_t kept_free(const struct ring *r, enum ring_room room)
{
    const uint64_t end = entry_size(RING_END_MAX);

    switch (room) {
    case RING_OPEN:
        return r->reserved + end;
    case RING_END:
        return r->reserved - end;
    case RING_SPARE:
        return r->reserved + r->size / 2;
    case RING_SINGLE:
        break;
    }
    return r->reserved;
}

bool ring_put(struct ring *r, enum ring_room room, struct weir_str record, uint64_t *position)
{
    uint64_t need = entry_size(record.len), put = atomic_load_explicit(&r->s->put, memory_order_relaxed);
    uint64_t used = put - atomic_load_explicit(&r->s->durable, memory_order_acquire);

    must(record.len > 0 && record.len <= RECORD_MAX && (room != RING_END || r->reserved));
    if (used + need + kept_free(r, room) > r->size)
        return false;
    char *to = r->data + put % r->size;
    memcpy(to, &(struct entry){(uint32_t)record.len, r->epoch}, sizeof(struct entry));
    memcpy(to + sizeof(struct entry), record.ptr, record.len);
    atomic_store_explicit(&r->s->put, put + need, memory_order_release);
    if (room == RING_OPEN)
        r->reserved += entry_size(RING_END_MAX);
    else if (room == RING_END)
        r->reserved -= entry_size(RING_END_MAX);
    if (position)
        *position = put + need;
    wake_recorder(r, used + need > r->size / 2 ? RING_GATHER : RING_IDLE);
    return true;
}

uint64_t ring_durable(const struct ring *r)
{
    return atomic_load_explicit(&r->s->durable, memory_order_acquire);
}

void ring_want_durable(struct ring *r, uint64_t position)
{
    atomic_store_explicit(&r->s->want, position, memory_order_release);
    if (position)
        wake_recorder(r, RING_GATHER);
}

bool ring_closed(const struct ring *r)
{
    return atomic_load_explicit(&r->s->closed, memory_order_relaxed);
}

bool ring_has_recorder(const struct ring *r)
{
    return clock_us() - atomic_load_explicit(&r->s->beat_us, memory_order_relaxed) < BEAT_US;
}

/* ---- consumer ---- */

enum ring_result ring_next(struct ring *r, uint64_t *at, struct ring_record *record)
{
    uint64_t put = atomic_load_explicit(&r->s->put, memory_order_acquire), there = put - *at;
    struct entry entry;

    if (there == 0)
        return RING_NONE;
    const char *from = r->data + *at % r->size;
    memcpy(&entry, from, sizeof entry);
    if (there > r->size || there < sizeof entry || put % 8 || *at % 8 || entry.length == 0 ||
        entry.length > RECORD_MAX || entry_size(entry.length) > there) {
        *at = put & ~(uint64_t)7;
        return RING_DAMAGED;
    }
    *at += entry_size(entry.length);
    *record = (struct ring_record){*at, entry.epoch, {from + sizeof entry, entry.length}};
    return RING_RECORD;
}

void ring_release(struct ring *r, uint64_t position)
{
    uint64_t before = ring_durable(r);

    atomic_store_explicit(&r->s->durable, position, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (position != before && atomic_load_explicit(&r->s->want, memory_order_acquire) > before)
        ring_bell(r->wake_worker);
}

bool ring_wanted(const struct ring *r)
{
    return atomic_load_explicit(&r->s->want, memory_order_acquire) > ring_durable(r);
}

void ring_adopt(struct ring *r)
{
    ring_set_closed(r, false);
    ring_beat(r);
    ring_awake(r);
    ring_bell(r->wake_worker);
}

void ring_set_closed(struct ring *r, bool closed)
{
    atomic_store(&r->s->closed, closed);
}
void ring_beat(struct ring *r)
{
    atomic_store_explicit(&r->s->beat_us, clock_us(), memory_order_relaxed);
}
uint32_t ring_epoch(const struct ring *r)
{
    return atomic_load_explicit(&r->s->epoch, memory_order_acquire);
}

bool ring_sleep(struct ring *r, enum ring_sleep how, uint64_t at)
{
    atomic_store(&r->s->sleep, how);
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t put = atomic_load_explicit(&r->s->put, memory_order_acquire);

    if (how != RING_GATHER)
        return how == RING_AWAKE || put == at;
    return put - ring_durable(r) <= r->size / 2 && !ring_wanted(r);
}

void ring_awake(struct ring *r)
{
    atomic_store(&r->s->sleep, RING_AWAKE);
}
