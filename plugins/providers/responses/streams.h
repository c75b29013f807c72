/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams.h -- the texts of one answer: which have come so far, and whether another text repeats one of them.
 *
 * Kept in `local` by decode.  What comes from the upstream is not trusted: the number of texts has a ceiling.
 */
#ifndef RESPONSES_STREAMS_H
#define RESPONSES_STREAMS_H

#include "responses.h"

enum stream_kind {
    KIND_TEXT, KIND_REFUSAL, KIND_SUMMARY, KIND_REASONING, KIND_ARGUMENTS, KIND_CUSTOM, KIND_MCP, KIND_CODE,
    KIND_COMMAND, KIND_DIFF, KIND_TRANSCRIPT, KIND_COUNT
};

struct stream_grammar {
    const char *stem;                 /* of its records: STEM.delta, STEM.done */
    const char *whole;                /* the member of STEM.done that says all of it; NULL: none */
    const char *index;                /* the member that counts its parts; NULL: one part */
    enum weir_channel channel;
    bool told;                        /* to clients of other dialects: what the model says, and calls of their tools */
};

extern const struct stream_grammar stream_grammar[KIND_COUNT];

/* Finds or begins a text.  NULL: there are too many. */
struct stream *stream_get(struct weir_ctx *, uint32_t output, enum stream_kind, uint32_t part);
struct stream *stream_find(struct responses_local *, uint32_t output, enum stream_kind, uint32_t part);
/* A text of this kind, anywhere in the answer, that says the same and began in a frame before `before`. */
struct stream *stream_same(struct responses_local *, enum stream_kind, struct digest, uint32_t before);

void digest_add(struct digest *, struct weir_str raw);
static inline bool digest_eq(struct digest a, struct digest b)
{
    return a.hash == b.hash && a.count == b.count;
}

#endif
