/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.h -- server-sent events (WHATWG HTML, section 9.2) read from bytes that come in any pieces.
 *
 * Line ends are LF, CRLF and CR, mixed, also cut between CR and LF; a leading BOM is skipped; data lines are joined with LF; one
 * space after the colon is dropped; id and retry are ignored; comments have no data.  A record's raw bytes are kept as they came, so that
 * it can go through untouched.  A record that lies whole in what was fed is not copied.
 */
#ifndef BASE_SSE_H
#define BASE_SSE_H

#include "base/buf.h"

struct sse_record {
    struct weir_str raw;      /* every byte, the empty line that ends it too */
    struct weir_str name;     /* of `event:`, "" for none */
    struct weir_str data;     /* "" for a comment, or a record without data */
};

enum sse_result {
    SSE_MORE,                 /* no whole record: what was fed has been used up, and may go */
    SSE_RECORD,
    SSE_TOO_LARGE,            /* a record over the limit: the stream cannot go on */
};

struct sse {                  /* {0} but for `limit` to begin with */
    size_t limit;             /* bytes of one record */
    struct buf rest;          /* the beginning of a record */
    struct buf joined;        /* data of a record with several data lines */
    struct weir_str fed;      /* not yet used */
    size_t scanned;           /* of what is at hand: no line end before it */
    bool started;             /* behind the BOM */
    bool after_cr;            /* the last record ended with CR: an LF that follows belongs to it */
};

void sse_fini(struct sse *);
/* `bytes` must stay until sse_next() says MORE, or sse_hold() is called. */
void sse_feed(struct sse *, struct weir_str bytes);
enum sse_result sse_next(struct sse *, struct sse_record *);     /* the record: until the next call of any of these */
void sse_hold(struct sse *);                                     /* copies what is not used yet */
/* The stream has ended: a record that lacks its empty line.  false: nothing is left. */
bool sse_end(struct sse *, struct sse_record *);

/* Appends one record: "event: NAME" when there is one, "data: " before each line, an empty line. */
void sse_write(struct buf *, struct weir_str name, struct weir_str data);

#endif
