/* SPDX-License-Identifier: Apache-2.0 */
/*
 * automaton.h -- runs all patterns of a set at once, one table look-up a byte.
 *
 * The states are sets of nodes, made when a text first needs them; one automaton per process, since making states
 * writes.  When they fill `limit` bytes all are thrown away, `epoch` counts up, and those from before must not be used.
 *
 * A boundary (\b) needs the byte behind it, so a match may become known one byte late: stepping from a state over a
 * byte tells of matches that end before that byte (`before`) and behind it (`behind`).
 */
#ifndef LIB_AUTOMATON_H
#define LIB_AUTOMATON_H

#include "pattern.h"

/* A state: where its row begins, times 4, and two facts about it that most steps need not look further for. */
#define STATE_MATCH 1u        /* a match ends here: see automaton_at() */
#define STATE_DEAD  2u        /* no match can come of what follows */

#define NO_PATTERN UINT32_MAX

struct state {
    uint32_t first, count;    /* its nodes: members[first ...] */
    uint32_t before, behind;  /* the lowest id of patterns that match up to there, or NO_PATTERN */
    bool after_word;          /* the byte before was a word's; false when no node asks */
};

struct automaton {
    const struct pattern_set *set;
    bool searches;            /* begins anew at every byte: finds whether, not where */
    uint32_t epoch;
    uint32_t start[2];        /* behind a byte of no word; of a word */
    size_t limit;             /* bytes for rows */
    uint32_t width;           /* of a row: the state's index, a state for each class of bytes, one for the end */
    uint32_t *rows;           size_t row_words, row_cap;
    struct state *states;     uint32_t state_count, state_cap;
    uint32_t *members;        uint32_t member_count, member_cap;
    uint32_t *index;          uint32_t index_size;               /* hash table: state + 1 */
    /* while a state is made */
    uint32_t *marks, mark;    /* by node: which closure it is in */
    uint32_t *stack;
    uint32_t *now, *next;     uint32_t now_count, next_count;
};

void automaton_init(struct automaton *, const struct pattern_set *, bool searches, size_t limit);
void automaton_fini(struct automaton *);

uint32_t automaton_make(struct automaton *, uint32_t state, uint32_t class);

static inline uint32_t automaton_step(struct automaton *a, uint32_t state, unsigned char c)
{
    uint32_t class = a->set->classes[c], next = a->rows[(state >> 2) + 1 + class];

    return next ? next : automaton_make(a, state, class);
}

/* The end of the text. */
static inline uint32_t automaton_end(struct automaton *a, uint32_t state)
{
    uint32_t class = a->set->class_count, next = a->rows[(state >> 2) + 1 + class];

    return next ? next : automaton_make(a, state, class);
}

static inline const struct state *automaton_at(const struct automaton *a, uint32_t state)
{
    return &a->states[a->rows[state >> 2]];
}

/* true: some pattern may match in `text`.  Never false when one does; true without a match only when the states do not
 * fit. */
bool automaton_finds(struct automaton *, struct weir_str text);

#endif
