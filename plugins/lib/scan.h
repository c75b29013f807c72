/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.h -- finds and replaces matches in text that arrives in pieces; the result does not depend on the cuts.
 *
 * At every byte of the text the longest match that begins there is looked for; matches that overlap are replaced as
 * one.  What is clear goes out at once: only the longest text that may still become a match is held back, never more
 * than the set's longest match.  Cost: O(text x longest match) at worst, a few steps a byte in prose.
 */
#ifndef LIB_SCAN_H
#define LIB_SCAN_H

#include "automaton.h"

enum scan_choice {
    SCAN_KEEP,                /* no: it stays (a check digit is wrong, it is allowed) */
    SCAN_MASK,                /* it is replaced */
    SCAN_STOP,                /* the text ends here: scan_feed() returns false */
};

struct scan_hooks {
    enum scan_choice (*found)(void *who, uint32_t pattern, struct weir_str match);
    void (*text)(void *who, struct weir_str);            /* clear text, in order */
    void (*mask)(void *who, uint32_t pattern);           /* stands for matches that overlap; the first one's pattern */
};

struct scanner {              /* one per process */
    struct automaton a;
    const struct scan_hooks *hooks;
    char *window;             size_t window_cap;
};

struct scan {                 /* one text; zeroed to begin with, of scan_size() bytes */
    uint32_t epoch, state;    /* of the match under way, which begins at held[0] and has come to held_len */
    uint32_t held_len;
    uint32_t last, pattern;   /* the longest match so far: bytes, 0 for none */
    uint32_t masked;          /* bytes of held that belong to a match before */
    uint32_t mask_pattern;
    bool after_word;          /* the byte before held[0] was a word's */
    char held[];
};

void scanner_init(struct scanner *, const struct pattern_set *, const struct scan_hooks *, size_t limit);
void scanner_fini(struct scanner *);
static inline size_t scan_size(const struct pattern_set *set)
{
    return sizeof(struct scan) + set->longest;
}

/* The next piece; with `last` nothing is held back.  After `last` or a stop, which returns false, the state is that of
 * a new text.  What the hooks were given stays valid until the next call, as long as the piece does. */
bool scan_feed(struct scanner *, struct scan *, struct weir_str piece, bool last, void *who);

#endif
