/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.h -- server-sent events (WHATWG HTML, section 9.2) read from bytes that come in any pieces.
 *
 * Line ends are LF, CRLF and CR, mixed, also cut between CR and LF; a leading BOM is skipped; data lines are joined
 * with LF; one space after the colon is dropped; id, retry and unknown fields are ignored; comments have no data. Every
 * empty line ends a record, also one that has nothing in it.  A record's raw bytes are kept as they came, so that it
 * can go through untouched: all raws, one after the other, are the input.  A record that lies whole in what was fed is
 * not copied. A record that ends with CR does not wait for an LF; one that comes later is the first byte of the next
 * record's raw.
 */
#ifndef BASE_SSE_H
#define BASE_SSE_H

#include "base/buf.h"

struct sse_record {
    struct weir_str raw;  /* every byte, the empty line that ends it too */
    struct weir_str name; /* of `event:`, "" for none */
    struct weir_str data; /* "" for a comment, or a record without data */
};

enum sse_result {
    SSE_MORE, /* no whole record: what was fed has been used up, and may go */
    SSE_RECORD,
    SSE_TOO_LARGE, /* a record over the limit: the stream cannot go on, and every later call says so */
};

struct sse {             /* {0} but for `limit` to begin with */
    size_t limit;        /* bytes of one record */
    struct buf rest;     /* the beginning of a record */
    struct buf joined;   /* data of a record with several data lines */
    struct buf held;     /* what was fed, once it had to be copied */
    struct weir_str fed; /* not yet used: borrowed, or the end of `held` */
    uint8_t lead;        /* bytes of the record before its first line: a BOM, or the LF that came late */
    uint8_t bom;         /* how many bytes of a BOM the stream began with so far */
    bool started;        /* the question of the BOM is settled */
    bool in_line;        /* the current line is not empty */
    bool after_cr;       /* an LF that comes now belongs to the last line end */
    bool spent;          /* `rest` is a record that was given out */
    bool failed;
};

void sse_fini(struct sse *);
/* `bytes` must stay until sse_next() says MORE, or sse_hold() is called. */
void sse_feed(struct sse *, struct weir_str bytes);
/* The record: until the next call of any of these, and no longer than the bytes that were fed. */
enum sse_result sse_next(struct sse *, struct sse_record *);
/* Copies what is not used yet; the bytes may go. */
void sse_hold(struct sse *);
/* The stream has ended: what sse_next() has not given yet, in the end a record that lacks its empty line.  false:
 * nothing is left. */
bool sse_end(struct sse *, struct sse_record *);

/* Appends one record: "event: NAME" when there is one, "data: " before each line, an empty line. */
void sse_write(struct buf *, struct weir_str name, struct weir_str data);

#endif
