/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_ids.c -- ids of calls in the form that a server takes; see lower.h.
 *
 * An id that fits stays; others become letters and digits made of them.  The first that wants an id gets it, and what
 * comes later and would be called the same is made again with a number behind it: what stands before never changes.
 */
#include "lower.h"

struct lower_id {
    struct weir_str id, made;
};

/* Two requests put the same ids into different slots, so that nobody can choose ids that share one. */
static uint32_t slot_of(const struct lower *w, struct weir_str s)
{
    uint64_t h = 0xcbf29ce484222325u ^ (uintptr_t)w->c;

    for (size_t i = 0; i < s.len; i++) {
        h = (h ^ (unsigned char)s.ptr[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return (uint32_t)h & (w->ids.slots - 1);
}

static void slot_put(const struct lower *w, uint32_t *table, struct weir_str s, uint32_t place)
{
    uint32_t slot = slot_of(w, s);

    while (table[slot])
        slot = (slot + 1) & (w->ids.slots - 1);
    table[slot] = place + 1;
}

static void ids_grow(struct lower *w)
{
    struct lower_ids *ids = &w->ids;
    struct lower_id *more;

    if (ids->count < ids->slots / 2)
        return;
    ids->slots = ids->slots ? 2 * ids->slots : 32;
    more = weir_alloc(w->c, ids->slots / 2 * sizeof *more);
    if (ids->count)
        memcpy(more, ids->pairs, ids->count * sizeof *more);
    ids->pairs = more;
    ids->by_id = weir_alloc(w->c, ids->slots * sizeof *ids->by_id);
    ids->by_made = weir_alloc(w->c, ids->slots * sizeof *ids->by_made);
    for (uint32_t i = 0; i < ids->count; i++) {
        slot_put(w, ids->by_id, more[i].id, i);
        slot_put(w, ids->by_made, more[i].made, i);
    }
}

static struct lower_id *pair_by_id(const struct lower *w, struct weir_str id)
{
    for (uint32_t slot = slot_of(w, id); w->ids.by_id[slot]; slot = (slot + 1) & (w->ids.slots - 1))
        if (str_eq(w->ids.pairs[w->ids.by_id[slot] - 1].id, id))
            return &w->ids.pairs[w->ids.by_id[slot] - 1];
    return NULL;
}

static bool is_taken(const struct lower *w, struct weir_str made)
{
    for (uint32_t slot = slot_of(w, made); w->ids.by_made[slot]; slot = (slot + 1) & (w->ids.slots - 1))
        if (str_eq(w->ids.pairs[w->ids.by_made[slot] - 1].made, made))
            return true;
    return false;
}

/* No id that a server takes has a slash in it. */
static struct weir_str numbered(struct lower *w, struct weir_str id, uint32_t n)
{
    struct text t = {.c = w->c};

    text_str(&t, id);
    text_lit(&t, "/");
    text_int(&t, n);
    return text_view(&t);
}

struct weir_str lower_call_id(struct lower *w, struct weir_str id)
{
    bool exact = w->o->call_id_length > 0;
    size_t most = exact ? (size_t)w->o->call_id_length : 40;
    struct lower_id *known;
    struct weir_str made;

    ids_grow(w);
    known = pair_by_id(w, id);
    if (known)
        return known->made;
    made = canon_call_id(w->c, id, most, exact);
    for (uint32_t n = 1; is_taken(w, made); n++)
        made = canon_call_id(w->c, numbered(w, id, n), most, exact);
    w->ids.pairs[w->ids.count] = (struct lower_id){id, made};
    slot_put(w, w->ids.by_id, id, w->ids.count);
    slot_put(w, w->ids.by_made, made, w->ids.count);
    w->ids.count++;
    return made;
}
