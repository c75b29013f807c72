/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventstream.h -- application/vnd.amazon.eventstream read from bytes that come in any pieces, and written.
 *
 * A frame is its length, the length of its headers, a CRC-32 of these two, headers, payload, a CRC-32 of everything
 * before it.  The first CRC is checked before a length is believed, the second before a frame is given out.  The verbs
 * are those of sse.h, and raw bytes are kept as they came: all raws, one after the other, are the input.  A frame that
 * lies whole in what was fed is not copied.
 */
#ifndef BASE_EVENTSTREAM_H
#define BASE_EVENTSTREAM_H

#include "base/buf.h"

struct eventstream_record {
    struct weir_str raw;     /* the whole frame */
    struct weir_str headers; /* its headers, as they stand in it */
    struct weir_str type;    /* :message-type: "event", "exception", "error"; "" not said */
    struct weir_str name;    /* :event-type; of an exception :exception-type, of an error :error-code; "" not said */
    struct weir_str message; /* :error-message of an error, which has no payload */
    struct weir_str data;    /* the payload */
};

enum eventstream_result {
    EVENTSTREAM_MORE, /* no whole frame: what was fed has been used up, and may go */
    EVENTSTREAM_RECORD,
    EVENTSTREAM_TOO_LARGE, /* a frame over the limit */
    EVENTSTREAM_BROKEN,    /* a CRC, a length or a header that makes no sense */
};                         /* after the last two the stream cannot go on: every later call says the same */

struct eventstream {                /* {0} but for `limit` to begin with */
    size_t limit;                   /* bytes of one frame */
    struct buf rest;                /* the beginning of a frame */
    struct buf held;                /* what was fed, once it had to be copied */
    struct weir_str fed;            /* not yet used: borrowed, or the end of `held` */
    bool spent;                     /* `rest` is a frame that was given out */
    enum eventstream_result failed; /* MORE: not */
};

void eventstream_fini(struct eventstream *);
/* `bytes` must stay until eventstream_next() says no RECORD, or eventstream_hold() is called. */
void eventstream_feed(struct eventstream *, struct weir_str bytes);
/* The frame: until the next call of any of these, and no longer than the bytes that were fed. */
enum eventstream_result eventstream_next(struct eventstream *, struct eventstream_record *);
/* Copies what is not used yet; the bytes may go. */
void eventstream_hold(struct eventstream *);
/* The stream has ended: what eventstream_next() has not given yet.  false: nothing is left, but for a frame that was cut
 * off, which cannot be read. */
bool eventstream_end(struct eventstream *, struct eventstream_record *);

/* Appends one header, a string of at most 65,535 bytes under a name of 1 to 255, to a block of them. */
void eventstream_header(struct buf *headers, struct weir_str name, struct weir_str value);
/* Appends one frame.  `headers`: a block made by eventstream_header(), or that of a record, whose payload is replaced. */
void eventstream_write(struct buf *, struct weir_str headers, struct weir_str data);

#endif
