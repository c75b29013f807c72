/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses.h -- what the files of this plugin share: its options, and a request's state on both sides.
 *
 * Worker process.  accept.c and lift.c read clients, answer.c writes to them; encode.c and decode.c speak to upstreams.
 */
#ifndef RESPONSES_H
#define RESPONSES_H

#include "emit.h"
#include "walk.h"

struct responses { /* one row of responses_options[] each */
    const char *url, *key, *auth, *organization, *project, *issuer;
    bool encrypted_reasoning, stateful;
};

#define MOST_STREAMS 1024             /* texts of one answer that arrive in pieces */
#define MOST_STRAYS  65536            /* texts of one answer that arrive whole and repeat nothing */
#define STRAY_BLOCK  0x10000          /* their blocks begin here */
#define MOST_OUTPUT  65536            /* items of one answer */
#define MOST_WRITTEN (64u << 20)      /* bytes of an answer that the writer keeps for its last record */

/* ---- decode ---- */

struct digest { uint64_t hash, count; }; /* of a text as UTF-16, however it is escaped and cut */

/* One text that arrives in pieces and is then said again, up to four times.  Its block is its place in the table. */
struct stream {
    uint32_t output, part;
    uint8_t kind;                     /* enum stream_kind */
    bool open, begun, ended, named;   /* wants its `last`; has had text; its text is complete; has told the call */
    bool over;                        /* has had its `last` */
    bool missed;                      /* pieces came before the call was told: only the whole of it counts */
    uint32_t frame;                   /* in which it began */
    struct digest digest;
    struct weir_str item;             /* raw, for texts set free */
};

/* ---- answer ---- */

enum item_kind { ITEM_MESSAGE, ITEM_REASONING, ITEM_FUNCTION, ITEM_CUSTOM };
enum item_state { ITEM_OPEN, ITEM_TEXT_DONE, ITEM_DONE, ITEM_CUT }; /* cut: not complete, and never will be */

struct item {
    uint8_t kind, state, channel;
    bool wrapped;                     /* arguments for a tool that takes plain text: {"input": text} until it ends */
    uint32_t choice, block;
    struct text text;
    struct weir_str call_id, name, encrypted;
};

struct responses_local { /* one request, zeroed */
    bool foreign;                     /* encode: the client speaks another dialect */
    /* decode */
    struct stream *streams; uint32_t stream_count, stream_cap, stray_count;
    uint32_t frames;                  /* decoded so far */
    bool started, itemed, called, finished, errored, done;
    /* both: of the response; raw JSON text when decode saw it */
    struct weir_str id, model, created;
    int64_t sequence;                 /* the next record's number */
    int64_t inserted;                 /* records of ours among the upstream's */
    uint32_t number_at, number_len;   /* of the frame at hand: where its number stands; 0: it has none */
    /* answer, another dialect */
    bool writing, ended;
    struct item *items; uint32_t item_count, item_cap;
    uint32_t settled;                 /* so many items from the first are done */
    uint32_t waiting;                 /* the item whose text ended last, counted from 1: what comes next tells how */
    struct text out;
    size_t written;
    struct weir_usage usage;
    bool usage_known;
    enum weir_finish finish;
    bool incomplete;                  /* by what `finish` says */
};

static inline bool type_is(const struct weir_json *j, uint32_t object, const char *type)
{
    return node_says(j, weir_json_get(j, object, "type"), type);
}

bool responses_accept(struct weir_ctx *, struct weir_request *, struct weir_error *);
bool responses_lift(struct weir_ctx *, struct weir_error *);
enum weir_verdict responses_encode(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                   struct weir_error *);
bool responses_decode(struct weir_ctx *, const struct weir_frame *, struct weir_error *);
bool responses_answer(struct weir_ctx *, const struct weir_event *);
void responses_refuse(struct weir_ctx *, const struct weir_refusal *);

/* piece.c: a piece of text ahead of the frame at hand.  false: it belongs to no text of the answer. */
bool answer_piece(struct weir_ctx *, const struct weir_event *);
/* items.c: `system` and `messages` of the canonical request, of `instructions` and `input`. */
bool lift_input(struct weir_ctx *, struct emit *, struct weir_error *);
/* lower.c: the canonical request as a body.  false: the error says what cannot be said. */
bool lower_body(struct weir_ctx *, struct emit *, struct weir_str model, struct weir_error *);
/* lower.c: the kind that this server's encrypted reasoning has in the canonical request and in events. */
struct weir_str reasoning_kind(struct weir_ctx *);
/* lower.c: the name of a tool as servers take it, always the same for the same. */
struct weir_str tool_name_sent(struct weir_ctx *, struct weir_str name);
/* input.c: `instructions` (one text) or the first items, and `input`, of the canonical request. */
bool lower_input(struct weir_ctx *, struct emit *, struct weir_error *);
/* kept.c: true: the request points to something that only its server keeps; the error names it. */
bool kept_refuse(const struct weir_json *, struct weir_error *);
/* input.c: the canonical tool of this name takes free text. */
bool tool_is_custom(struct weir_ctx *, const struct weir_json *, struct weir_str name);

/* usage.c: an object of the upstream as a partition, false: it says nothing; and back. */
bool usage_read(const struct weir_json *, uint32_t object, struct weir_usage *);
void usage_write(struct emit *, const struct weir_usage *);

/* object.c: the response as an object, its `output` as written so far. */
void object_write(struct weir_ctx *, struct emit *, const char *status, const struct weir_refusal *);
void item_write(struct weir_ctx *, struct emit *, uint32_t index, const char *status);
void item_id_write(struct weir_ctx *, struct emit *, uint32_t index);

#endif
