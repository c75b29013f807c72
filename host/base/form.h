/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h -- reads multipart/form-data (RFC 7578, RFC 2046) as it arrives: where each part stands and what it is.
 *
 * Strict where readers differ, so that whoever reads the same bytes later sees the same parts: nothing stands before the
 * first boundary or behind the last one, a boundary ends its line, names hold no backslash, a part has each header once and
 * no other than these: content-disposition, content-type, content-length, and content-transfer-encoding when it says that
 * nothing is encoded.  Linear in the bytes; memory is bounded by the limits.  It keeps no byte of a part.
 */
#ifndef BASE_FORM_H
#define BASE_FORM_H

#include "base/arena.h"
#include "base/buf.h"

#define FORM_BOUNDARY_MAX 70   /* RFC 2046 */
#define FORM_HEAD_MAX     4096 /* bytes of a part's headers */
#define FORM_PARTS_MAX    256

struct form_part {
    struct weir_str name, filename, type;    /* in the arena; filename: as it stands between its quotes */
    bool file;                               /* it has a filename, perhaps "" */
    uint64_t name_at;                        /* where the filename stands in the body; 0: it is no quoted one */
    uint64_t at, len;                        /* the part's bytes in the body */
};

enum form_state { FORM_START, FORM_HEAD, FORM_DATA, FORM_MARK, FORM_TAIL, FORM_OVER, FORM_BAD };

struct form_reader {
    struct arena *arena;                     /* of the parts */
    char mark[4 + FORM_BOUNDARY_MAX];        /* CR LF - - boundary */
    size_t mark_len, matched;                /* of the mark, at the end of what was fed */
    enum form_state state;
    uint64_t at;                             /* bytes fed */
    struct buf head;
    uint64_t head_at;
    char end[2]; size_t end_len;             /* what follows the mark */
    struct form_part *parts; size_t count, cap;
    const char *why;                         /* FORM_BAD: a sentence for the user */
};

/* The parameter `boundary` of a Content-Type that is multipart/form-data; false: it is none, or names no clear one. */
bool form_boundary(struct weir_str content_type, struct weir_str *boundary);
bool form_is(struct weir_str content_type);          /* multipart/form-data, whatever its parameters */

void form_init(struct form_reader *, struct arena *, struct weir_str boundary);
void form_fini(struct form_reader *);
bool form_feed(struct form_reader *, struct weir_str bytes);   /* false: bad */
bool form_end(struct form_reader *);                 /* false: bad, or not whole */

#endif
