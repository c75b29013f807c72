/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_inner.h -- follows JSON that arrives in pieces, as tool arguments do, and tells the text inside its strings from
 * the structure around it.  Keys are strings too.
 *
 * It splits; it does not check the grammar: what is no JSON comes out as structure and strings all the same, every byte
 * of it exactly once.  An escape that is cut between two pieces is kept until it is whole, and one that may be the
 * first half of a surrogate pair until the next byte tells (at most 12 bytes).
 */
#ifndef BASE_JSON_INNER_H
#define BASE_JSON_INNER_H

#include "base/buf.h"

enum json_inner_kind {
    INNER_STRUCTURE,  /* everything outside strings, and the quotes: goes through as it is        */
    INNER_STRING,     /* a piece of a string: raw text, whole escapes only                        */
    INNER_STRING_END, /* the string ends here: an empty run, before the structure with its quote  */
};

struct json_inner {           /* {0} to begin with */
    uint8_t in_string, ended; /* ended: the next byte is the quote that ends the string */
    uint8_t held;             /* bytes of an escape that is not whole yet */
    uint8_t given;            /* the first so many of them were the last run */
    char escape[12];
};

struct json_run {
    enum json_inner_kind kind;
    struct weir_str text;
};

/* The next run of `piece`, which is moved on behind it; false when the piece is used up.  A run borrows the piece, or
 * the state until the next call. */
bool json_inner_next(struct json_inner *, struct weir_str *piece, struct json_run *);
/* No more pieces: an escape that was never finished, as a last run of text. */
bool json_inner_end(struct json_inner *, struct json_run *);

#endif
