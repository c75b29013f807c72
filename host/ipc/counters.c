/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters.c -- rates and levels are one word each.  Holds are a table of entries and a count per key, and the two must
 * agree although a process may be killed between them.
 *
 * So every change of a count is signed: the word holds the count, the lane of the process that wrote it last and the
 * number of that process's operation.  Who overwrites a word first notes in the signer's lane that the operation has
 * happened (`applied`).  An entry names the operation that it waits for; whether that has happened can be read
 * afterwards, by anybody: the word still carries the signature, or the lane notes it.  A half-done taking or giving
 * back is thus finished exactly once by counters_give_back_all().
 */
#include "ipc/counters.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"

/* An entry's word: 2 bits of state, the lane and the operation that it waits for (TAKING, GIVING) or was made by
 * (HELD). */
enum hold_state { FREE, TAKING, HELD, GIVING };

struct cell {
    _Atomic uint64_t key, word;
    _Atomic int64_t look_us;
    uint64_t unused;
};
struct hold {
    _Atomic uint64_t word;
    _Atomic int64_t expiry;
    _Atomic uint32_t cell;
    uint32_t unused;
};
struct lane {
    _Atomic uint32_t owner;
    _Atomic uint64_t op, applied;
};

struct shared {
    size_t cells, holds;
    _Atomic uint64_t lost;
    struct lane lanes[COUNTERS_LANES];
    struct cell table[]; /* then the holds */
};

struct counters { /* this process's own */
    struct shared *s;
    struct hold *holds;
    size_t bytes, hint;
    unsigned lane; /* NO_OWNER: counters_own() is still to come; NO_LANE: all were taken */
};

#define COUNT_BITS 16 /* word of a count: operation : 40, lane : 8, count : 16 */
#define COUNT_MAX  ((1 << COUNT_BITS) - 1)
#define INDEX_BITS 20
#define OP_BITS    40 /* a million operations a second come round in 12 days */
#define OP_MASK    (((uint64_t)1 << OP_BITS) - 1)
#define SWEEP_US   1000000 /* an expired hold that a sweep has just missed waits no longer */
#define NO_LANE    COUNTERS_LANES
#define NO_OWNER   (COUNTERS_LANES + 1)

enum use { RATE = 1, LEVEL, HOLDS }; /* each has cells of its own */

static uint64_t entry_word(enum hold_state state, unsigned lane, uint64_t op)
{
    return (op & OP_MASK) << 16 | (uint64_t)lane << 2 | state;
}

static unsigned entry_lane(uint64_t word)
{
    return word >> 2 & (COUNTERS_LANES - 1);
}
static uint64_t entry_op(uint64_t word)
{
    return word >> 16;
}
static uint64_t count_of(uint64_t word)
{
    return word & COUNT_MAX;
}
static unsigned count_lane(uint64_t word)
{
    return word >> COUNT_BITS & (COUNTERS_LANES - 1);
}
static uint64_t count_op(uint64_t word)
{
    return word >> (64 - OP_BITS);
}

struct counters *counters_new(size_t cells, size_t holds)
{
    struct counters *c = must_alloc(sizeof *c);

    must(cells && holds && holds <= 1u << INDEX_BITS && cells < UINT32_MAX);
    c->bytes = sizeof *c->s + cells * sizeof(struct cell) + holds * sizeof(struct hold);
    c->s = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(c->s != MAP_FAILED);
    c->s->cells = cells;
    c->s->holds = holds;
    c->holds = (struct hold *)(void *)(c->s->table + cells);
    c->lane = NO_OWNER;
    return c;
}

void counters_free(struct counters *c)
{
    if (!c)
        return;
    munmap(c->s, c->bytes);
    free(c);
}

uint64_t counters_lost(const struct counters *c)
{
    return atomic_load(&c->s->lost);
}

/* The cell of a key, made when `make`; NULL: not there, or the table is full. */
static struct cell *cell_find(const struct counters *c, uint64_t key, enum use use, bool make)
{
    uint64_t h = (key ^ (uint64_t)use * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
    h += h == 0; /* 0 is an empty cell */

    for (size_t i = 0, at = h % c->s->cells; i < c->s->cells; i++, at = at + 1 == c->s->cells ? 0 : at + 1) {
        struct cell *cell = &c->s->table[at];
        uint64_t there = atomic_load_explicit(&cell->key, memory_order_acquire);
        if (there == h)
            return cell;
        if (there != 0)
            continue;
        if (!make)
            return NULL;
        if (atomic_compare_exchange_strong(&cell->key, &there, h) || there == h)
            return cell;
    }
    if (make)
        atomic_fetch_add(&c->s->lost, 1);
    return NULL;
}

/* ---- rates and levels ---- */

static int64_t multiply(int64_t a, int64_t b)
{
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX / 4 : product < INT64_MAX / 4 ? product : INT64_MAX / 4;
}

bool counters_rate(struct counters *c, uint64_t key, int64_t rate, int64_t period_us, int64_t burst, int64_t now_us,
                   int64_t *retry_us)
{
    struct cell *cell = cell_find(c, key, RATE, true);
    int64_t period = multiply(period_us, 1000), now = now_us * 1000;
    int64_t unit = period / rate + (period % rate != 0), slack = multiply(unit, burst - 1);

    if (retry_us)
        *retry_us = 0;
    if (!cell)
        return true;
    /* `due`: when the bucket is empty of what has been taken; one more may be taken while that is at most `slack`
     * ahead. */
    uint64_t old = atomic_load_explicit(&cell->word, memory_order_relaxed);
    for (;;) {
        int64_t due = (int64_t)old > now ? (int64_t)old : now;
        if (due - now > slack) {
            if (retry_us)
                *retry_us = (due - now - slack + 999) / 1000;
            return false;
        }
        if (atomic_compare_exchange_weak(&cell->word, &old, (uint64_t)(due + unit)))
            return true;
    }
}

int64_t counters_level(struct counters *c, uint64_t key, int64_t amount)
{
    struct cell *cell = cell_find(c, key, LEVEL, true);
    int64_t new;

    if (!cell)
        return 0;
    uint64_t old = atomic_load_explicit(&cell->word, memory_order_relaxed);
    do {
        if (__builtin_add_overflow((int64_t)old, amount, &new))
            new = amount > 0 ? INT64_MAX : 0;
        if (new < 0)
            new = 0;
    } while (!atomic_compare_exchange_weak(&cell->word, &old, (uint64_t) new));
    return new;
}

int64_t counters_level_of(const struct counters *c, uint64_t key)
{
    const struct cell *cell = cell_find(c, key, LEVEL, false);
    return cell ? (int64_t)atomic_load(&cell->word) : 0;
}

/* ---- holds ---- */

void counters_own(struct counters *c, uint32_t owner)
{
    must(owner != 0);
    for (c->lane = 0; c->lane < COUNTERS_LANES; c->lane++) {
        uint32_t none = 0;
        if (atomic_compare_exchange_strong(&c->s->lanes[c->lane].owner, &none, owner))
            break;
    }
    c->hint = c->lane * (c->s->holds / COUNTERS_LANES); /* apart from the others */
}

/* A number that this lane has never used, also not under an earlier owner. */
static uint64_t new_op(struct counters *c)
{
    return (atomic_fetch_add(&c->s->lanes[c->lane].op, 1) + 1) & OP_MASK;
}

static bool op_after(uint64_t a, uint64_t b)
{
    uint64_t ahead = (a - b) & OP_MASK;
    return ahead != 0 && ahead < (OP_MASK >> 1);
}

/* Notes that what `word` is signed with has happened: before the signature is overwritten. */
static void note_applied(struct counters *c, uint64_t word)
{
    struct lane *lane = &c->s->lanes[count_lane(word)];
    uint64_t noted = atomic_load(&lane->applied);

    while (op_after(count_op(word), noted) && !atomic_compare_exchange_weak(&lane->applied, &noted, count_op(word)))
        ;
}

static bool has_happened(const struct counters *c, const struct cell *cell, unsigned lane, uint64_t op)
{
    uint64_t word = atomic_load(&cell->word);

    if (count_lane(word) == lane && count_op(word) == op)
        return true;
    return !op_after(op, atomic_load(&c->s->lanes[lane].applied));
}

/* Changes a count as operation `op` of this process; false: it would pass the ceiling. */
static bool count_change(struct counters *c, struct cell *cell, uint64_t op, int by, int64_t ceiling)
{
    uint64_t old = atomic_load(&cell->word), new;

    do {
        if (by > 0 && (int64_t)count_of(old) >= ceiling)
            return false;
        note_applied(c, old);
        new = op << (64 - OP_BITS) | (uint64_t)c->lane << COUNT_BITS;
        new |= by > 0 ? count_of(old) + 1 : count_of(old) - (count_of(old) > 0);
    } while (!atomic_compare_exchange_weak(&cell->word, &old, new));
    return true;
}

/* Takes over an entry that stands in `word` and gives its unit back; false: somebody else was first. */
static bool hold_end(struct counters *c, struct hold *h, uint64_t word)
{
    uint64_t op = new_op(c);
    uint32_t cell = atomic_load(&h->cell);

    if (!atomic_compare_exchange_strong(&h->word, &word, entry_word(GIVING, c->lane, op)))
        return false;
    if (cell < c->s->cells)
        count_change(c, &c->s->table[cell], op, -1, 0);
    atomic_store(&h->word, FREE);
    return true;
}

/* Ends all holds of a cell that have expired, and notes when it is worth looking again. */
static bool expire(struct counters *c, uint32_t cell, int64_t now_us)
{
    int64_t next = now_us + SWEEP_US;
    bool any = false;

    if (atomic_load(&c->s->table[cell].look_us) > now_us)
        return false;
    for (size_t i = 0; i < c->s->holds; i++) {
        struct hold *h = &c->holds[i];
        uint64_t word = atomic_load(&h->word);
        if ((word & 3) != HELD || atomic_load(&h->cell) != cell)
            continue;
        int64_t at = atomic_load(&h->expiry);
        if (at <= now_us)
            any |= hold_end(c, h, word);
        else if (at < next)
            next = at;
    }
    atomic_store(&c->s->table[cell].look_us, next);
    return any;
}

static struct hold *hold_claim(struct counters *c, uint64_t taking)
{
    for (size_t i = 0; i < c->s->holds; i++) {
        struct hold *h = &c->holds[(c->hint + i) % c->s->holds];
        uint64_t none = FREE;
        if (atomic_load_explicit(&h->word, memory_order_relaxed) == FREE &&
            atomic_compare_exchange_strong(&h->word, &none, taking)) {
            c->hint = (size_t)(h - c->holds) + 1;
            return h;
        }
    }
    atomic_fetch_add(&c->s->lost, 1);
    return NULL;
}

bool counters_hold(struct counters *c, uint64_t key, int64_t ceiling, int64_t ttl_us, int64_t now_us, uint64_t *hold)
{
    struct cell *cell = cell_find(c, key, HOLDS, true);

    *hold = 0;
    must(c->lane != NO_OWNER);
    if (!cell)
        return true;
    if (c->lane == NO_LANE) {
        atomic_fetch_add(&c->s->lost, 1);
        return true;
    }
    if (ceiling > COUNT_MAX)
        ceiling = COUNT_MAX;
    uint32_t at = (uint32_t)(cell - c->s->table);
    if ((int64_t)count_of(atomic_load(&cell->word)) >= ceiling && !expire(c, at, now_us))
        return false;
    uint64_t op = new_op(c);
    struct hold *h = hold_claim(c, entry_word(TAKING, c->lane, op));
    if (!h)
        return true;
    atomic_store(&h->cell, at);
    atomic_store(&h->expiry, now_us + ttl_us);
    if (!count_change(c, cell, op, 1, ceiling)) {
        atomic_store(&h->word, FREE);
        return false;
    }
    atomic_store(&h->word, entry_word(HELD, c->lane, op));
    *hold = (uint64_t)(h - c->holds) << OP_BITS | op;
    return true;
}

void counters_give_back(struct counters *c, uint64_t hold)
{
    size_t at = hold >> OP_BITS;

    if (hold && at < c->s->holds)
        hold_end(c, &c->holds[at], entry_word(HELD, c->lane, hold));
}

int64_t counters_held(const struct counters *c, uint64_t key)
{
    const struct cell *cell = cell_find(c, key, HOLDS, false);
    return cell ? (int64_t)count_of(atomic_load(&cell->word)) : 0;
}

/* ---- the dead ---- */

/* Finishes what the owner of `lane`, who is dead, was doing with an entry; true when a unit came back. */
static bool hold_recover(struct counters *c, struct hold *h, unsigned lane)
{
    uint64_t word = atomic_load(&h->word);
    uint32_t cell = atomic_load(&h->cell);
    bool counted;

    if ((word & 3) == FREE || entry_lane(word) != lane)
        return false;
    if ((word & 3) == HELD)
        return hold_end(c, h, word);
    counted = cell < c->s->cells && has_happened(c, &c->s->table[cell], lane, entry_op(word));
    if ((word & 3) == GIVING)
        counted = !counted;
    if (counted)
        return hold_end(c, h, word);
    atomic_compare_exchange_strong(&h->word, &word, FREE);
    return false;
}

unsigned counters_give_back_all(struct counters *c, uint32_t owner)
{
    unsigned n = 0;

    if (c->lane >= NO_LANE)
        counters_own(c, 0x80000000u | (uint32_t)getpid());
    if (c->lane == NO_LANE)
        return 0;
    for (unsigned lane = 0; lane < COUNTERS_LANES; lane++) {
        if (lane == c->lane || atomic_load(&c->s->lanes[lane].owner) != owner)
            continue;
        for (size_t i = 0; i < c->s->holds; i++)
            n += hold_recover(c, &c->holds[i], lane);
        atomic_store(&c->s->lanes[lane].owner, 0);
    }
    return n;
}
