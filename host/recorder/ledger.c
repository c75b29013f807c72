/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.c -- the table of opens and the places of rings; see ledger.h. */
#include "recorder/ledger.h"

#include <stdlib.h>

#include "base/must.h"

void ledger_fini(struct ledger *l)
{
    for (size_t i = 0; i < l->buckets; i++)
        for (struct ledger_open *o = l->table[i], *next; o; o = next) {
            next = o->next;
            free(o);
        }
    free(l->table);
    free(l->rings);
    *l = (struct ledger){0};
}

/* ---- opens ---- */

static uint64_t hash_of(const struct record_head *h)
{
    uint64_t hash = (str_hash(h->id) ^ (uint64_t)h->attempt) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static void grow(struct ledger *l)
{
    size_t buckets = l->buckets ? l->buckets * 2 : 256;
    struct ledger_open **table = must_alloc(buckets * sizeof(struct ledger_open *));

    for (size_t i = 0; i < l->buckets; i++)
        for (struct ledger_open *o = l->table[i], *next; o; o = next) {
            next = o->next;
            o->next = table[o->hash % buckets];
            table[o->hash % buckets] = o;
        }
    free(l->table);
    l->table = table;
    l->buckets = buckets;
}

static void add_open(struct ledger *l, const struct journal_frame *f, const struct record_head *h)
{
    struct ledger_open *o = must_alloc(sizeof *o + f->text.len);
    char *text = (char *)(o + 1);

    if (l->opens >= l->buckets)
        grow(l);
    memcpy(text, f->text.ptr, f->text.len);
    *o = (struct ledger_open){.hash = hash_of(h),
                              .ring = f->ring,
                              .slot = f->slot,
                              .epoch = f->epoch,
                              .attempt = h->attempt,
                              .id = {text + (h->id.ptr - f->text.ptr), h->id.len},
                              .text = {text, f->text.len}};
    o->next = l->table[o->hash % l->buckets];
    l->table[o->hash % l->buckets] = o;
    l->opens++;
}

static struct ledger_open **find_open(const struct ledger *l, const struct record_head *h)
{
    uint64_t hash = hash_of(h);

    if (!l->buckets)
        return NULL;
    for (struct ledger_open **o = &l->table[hash % l->buckets]; *o; o = &(*o)->next)
        if ((*o)->hash == hash && (*o)->attempt == h->attempt && str_eq((*o)->id, h->id))
            return o;
    return NULL;
}

static struct ledger_open *unlink_open(struct ledger *l, struct ledger_open **at)
{
    struct ledger_open *o = *at;

    *at = o->next;
    l->opens--;
    return o;
}

bool ledger_has(const struct ledger *l, const struct record_head *h)
{
    return find_open(l, h) != NULL;
}

void ledger_take(struct ledger *l, const struct journal_frame *f, const struct record_head *h)
{
    struct ledger_open **open;

    if (f->ring) {
        struct ledger_ring *r = ledger_ring(l, f->ring);
        r->position = f->position;
        r->seq = f->seq;
        r->slot = f->slot;
    }
    if (h->kind == KIND_open)
        add_open(l, f, h);
    else if (h->kind == KIND_close && (open = find_open(l, h)))
        free(unlink_open(l, open));
}

static bool among(uint64_t identity, const uint64_t *present, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (present[i] == identity)
            return true;
    return false;
}

struct ledger_open *ledger_orphan(struct ledger *l, size_t *at, uint64_t ring, uint32_t epoch)
{
    for (; *at < l->buckets; ++*at)
        for (struct ledger_open **o = &l->table[*at]; *o; o = &(*o)->next)
            if ((*o)->ring == ring && (*o)->epoch < epoch)
                return unlink_open(l, o);
    return NULL;
}

struct ledger_open *ledger_stray(struct ledger *l, size_t *at, const uint64_t *present, size_t n)
{
    for (; *at < l->buckets; ++*at)
        for (struct ledger_open **o = &l->table[*at]; *o; o = &(*o)->next)
            if (!among((*o)->ring, present, n))
                return unlink_open(l, o);
    return NULL;
}

/* ---- rings ---- */

struct ledger_ring *ledger_ring(struct ledger *l, uint64_t identity)
{
    for (size_t i = 0; i < l->ring_count; i++)
        if (l->rings[i].identity == identity)
            return &l->rings[i];
    l->rings = must_realloc(l->rings, (l->ring_count + 1) * sizeof *l->rings);
    l->rings[l->ring_count] = (struct ledger_ring){.identity = identity};
    return &l->rings[l->ring_count++];
}

void ledger_forget_rings(struct ledger *l, const uint64_t *present, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->ring_count; i++)
        if (among(l->rings[i].identity, present, n))
            l->rings[kept++] = l->rings[i];
    l->ring_count = kept;
}
