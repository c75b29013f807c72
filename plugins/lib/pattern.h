/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.h -- keywords and bounded regular expressions, compiled into one graph for automaton.h.
 *
 * Built once per generation (prepare) and sealed: the graph then is one read-only mapping that all workers share.  It
 * has no cycles: every pattern has a longest match, which bounds what a stream must ever hold back.  docs/deny.md
 * describes what may be written.
 */
#ifndef LIB_PATTERN_H
#define LIB_PATTERN_H

#include "weir.h"

enum {
    PATTERN_LONGEST = 512,    /* bytes of a match */
    PATTERN_REPEATS = 128,    /* the n of {m,n} */
    PATTERN_TEXT = 4096,      /* bytes of a pattern's own text */
    PATTERN_DEPTH = 50,       /* groups inside groups */
    PATTERN_NODES = 1 << 18,  /* of a whole set */
};

enum pattern_kind {
    PATTERN_BYTE,             /* one byte of sets[arg], then `out` */
    PATTERN_SPLIT,            /* `out` or `arg` */
    PATTERN_EDGE,             /* \b, then `out` */
    PATTERN_NO_EDGE,          /* \B, then `out` */
    PATTERN_ACCEPT,           /* a match of pattern `arg` ends here */
};

#define PATTERN_FULL UINT32_MAX

struct pattern_node { uint32_t kind, out, arg; };

struct pattern_bytes { uint64_t bits[4]; };

struct pattern_word { char *text; uint32_t len, id; bool caseless, whole; };

struct pattern_set {          /* {0} to begin with */
    struct pattern_node *nodes;  uint32_t node_count, node_cap;
    struct pattern_bytes *sets;  uint32_t set_count, set_cap;
    uint32_t *roots;             uint32_t root_count, root_cap;
    struct pattern_word *words;  uint32_t word_count, word_cap;   /* until sealed */
    void *sealed; size_t sealed_size;        /* the mapping that nodes, sets and roots stand in, once sealed */
    uint32_t longest;            /* bytes of the longest possible match */
    uint32_t class_count;        /* bytes that no pattern tells apart are of one class */
    uint8_t classes[256], samples[256];      /* byte -> class; class -> one of its bytes */
    bool word_bytes[256];     /* pattern_is_word() as a table */
};

/* false and the error, which names `text` and the column in it.  `id` is what a match is told by; of several patterns
 * that match the same text, the lowest id counts. */
bool pattern_add(struct pattern_set *, const char *text, uint32_t id, struct weir_error *);
/* A literal.  `caseless`: ASCII letters match in either case.  `whole`: not when a letter, digit or _ touches its
 * ends. */
bool pattern_add_word(struct pattern_set *, const char *text, bool caseless, bool whole, uint32_t id,
                      struct weir_error *);
/* After the last pattern; nothing may be added then.  false: the patterns are too large together. */
bool pattern_seal(struct pattern_set *, struct weir_error *);
/* Not needed by who keeps the set as long as the process lives. */
void pattern_fini(struct pattern_set *);

/* What \w means: ASCII letters, digits and _. */
static inline bool pattern_is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static inline bool pattern_has(const struct pattern_bytes *b, unsigned char c)
{
    return b->bits[c >> 6] >> (c & 63) & 1;
}

/* For the parser: nodes are made from the end of a pattern to its beginning.  PATTERN_FULL when the set is full, and
 * when `out` is that. */
uint32_t pattern_node(struct pattern_set *, enum pattern_kind, uint32_t out, uint32_t arg);
uint32_t pattern_byte(struct pattern_set *, const struct pattern_bytes *, uint32_t out);
void pattern_root(struct pattern_set *, uint32_t node);

/* One character of UTF-8 that ends with 0: its length, or 0 when it is none. */
size_t pattern_decode(const char *, uint32_t *character);

#endif
