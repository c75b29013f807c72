/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunked.h -- decodes the chunked transfer coding (RFC 9112, 7.1) from bytes that come in any pieces; copies nothing.
 *
 * Used for clients and for upstreams.  Sizes are plain hex digits (at most 16, value at most 2^62) without sign, space
 * or 0x; extensions are skipped but bounded (256 bytes a chunk, 64 KB a body), and their quotes must close; every line
 * ends with CRLF; trailers are checked like header lines, bounded (8 KB), and dropped.
 */
#ifndef NET_CHUNKED_H
#define NET_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "weir.h"

struct chunked {
    uint8_t state;
    uint8_t digits;                          /* of the size at hand */
    uint16_t extension;                      /* bytes of this chunk's extension */
    uint32_t extensions, trailer;            /* bytes of all of them; of the trailer section */
    uint64_t left;                           /* the size at hand, then what is left of its data */
    const char *why;                         /* CHUNKED_BAD: a sentence */
};

enum chunked_result { CHUNKED_MORE, CHUNKED_DATA, CHUNKED_END, CHUNKED_BAD };

void chunked_init(struct chunked *);
/* Takes `*used` bytes.  DATA: `data` is a view of them, never empty; call again with the rest.  MORE: all are used.
 * END: the body is whole; bytes behind `*used` belong to the next message.  `data` is empty but for DATA.  END and BAD
 * stay.  O(1) in the length of the data. */
enum chunked_result chunked_next(struct chunked *, const char *bytes, size_t n, size_t *used, struct weir_str *data);

#endif
