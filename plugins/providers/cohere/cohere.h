/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere.h -- what the files of this plugin share: its options and a request's state.
 *
 * Worker process.  accept.c and lift*.c read clients; encode.c, lower*.c and decode*.c speak to the upstream; answer.c
 * and write*.c speak to clients.  The names are those of Cohere's API v2.
 */
#ifndef COHERE_H
#define COHERE_H

#include "walk.h"

struct cohere { /* one row of cohere_options[] each */
    const char *url, *key, *input_type;
};

#define COHERE_BLOCKS 4096    /* of one answer at most */
#define COHERE_ITEMS  65536   /* vectors or scores of one answer at most */
#define BLOCK_PLAN    0x10000 /* TEXT: tool_plan; + 1 for each time that it went on after calls */

struct cohere_open { /* a stream of text in the upstream's answer */
    uint32_t block;
    enum weir_channel channel;
    bool ended; /* it has had its `last` */
    bool said;  /* it has had text */
};

struct cohere_block { /* a block of the answer that a client gets */
    enum weir_channel channel;
    uint32_t block;      /* of the events */
    uint32_t index;      /* as the client counts: contents and calls each by themselves */
    bool started, ended; /* its start has been written; its last event has come */
    bool said;           /* it has had text */
    struct weir_str id, name;
    struct text text; /* not written yet */
};

struct cohere_item { /* a vector or a score */
    uint32_t index;
    struct weir_str text;
};

struct cohere_local { /* one request, zeroed */
    /* decode */
    struct cohere_open *open;
    uint32_t open_count, open_cap;
    uint32_t plan;     /* times that tool_plan has ended */
    bool called, done; /* the answer has a call; has had the mark of the end */
    /* answer */
    struct cohere_block *blocks;
    uint32_t block_count, block_cap, contents, calls;
    uint32_t at;  /* the block that is being written */
    bool started; /* START has come: the upstream speaks another dialect */
    struct weir_str id;
    enum weir_finish finish;
    struct weir_usage usage;
    struct cohere_item *items;
    uint32_t item_count, item_cap;
};

bool cohere_accept(struct weir_ctx *, struct weir_request *, struct weir_error *);
bool cohere_lift(struct weir_ctx *, struct weir_error *);
enum weir_verdict cohere_encode(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                struct weir_error *);
bool cohere_decode(struct weir_ctx *, const struct weir_frame *, struct weir_error *);
bool cohere_answer(struct weir_ctx *, const struct weir_event *);
void cohere_refuse(struct weir_ctx *, const struct weir_refusal *);

/* lower.c, lower_other.c: the canonical request as a body for `model`.  false: the error says what cannot be said. */
bool cohere_lower_chat(struct weir_ctx *, struct weir_str model, struct text *body, struct weir_error *);
bool cohere_lower_embed(struct weir_ctx *, struct weir_str model, struct text *body, struct weir_error *);
bool cohere_lower_rerank(struct weir_ctx *, struct weir_str model, struct text *body, struct weir_error *);

/* decode_body.c: an answer in one piece. */
struct decoder;
bool decode_body(struct decoder *);

/* write_body.c: the whole answer in one piece. */
void write_chat(struct weir_ctx *);
void write_vectors(struct weir_ctx *);
void write_scores(struct weir_ctx *);

/* Room for one more of `size` bytes in an array of the request's memory. */
void *cohere_more(struct weir_ctx *, void *array, uint32_t count, uint32_t *cap, size_t size);

#endif
