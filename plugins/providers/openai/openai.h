/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.h -- what the files of this plugin share: its options, a request's state, and how streams are numbered.
 *
 * Worker process.  accept.c reads clients; encode.c and decode.c speak to the upstream; answer.c speaks to clients.
 */
#ifndef OPENAI_H
#define OPENAI_H

#include "text.h"

struct openai { /* one row of openai_options[] each */
    const char *url, *key, *auth, *organization, *project, *api_version;
    bool include_usage;
    /* what a server that is not OpenAI's does otherwise: counts when the body is made, not passed through */
    const char *max_tokens_field, *reasoning, *reasoning_field, *cache_marks, *seed_field, *dimensions_field, *parts,
        *think;
    int64_t call_id_length;
    struct weir_list takes, lacks;
};

/* Blocks: which field of a choice a stream of text is.  Clients join the pieces of each field over the whole answer,
 * whatever comes between, so every field of a choice is one stream, and a tool call is a stream of its own.  Servers
 * that say their reasoning under two names have two. */
enum {
    TEXT_CONTENT = 0,
    TEXT_REFUSAL = 1,
    TEXT_TRANSCRIPT = 2,    /* WEIR_TEXT */
    TEXT_CUSTOM = 0x10000,  /* + call: text that a custom tool takes */
    TEXT_STRINGS = 0x20000, /* + n: the strings of arguments sent as an object, counted over the answer */
    REASONING_CONTENT = 0,
    REASONING_PLAIN = 1,
    REASONING_PARTS = 2,
    REASONING_DETAILS = 3,
    REASONING_TAGS = 5,           /* WEIR_REASONING; 4 is decode_other.c's */
    ARGUMENTS_FUNCTION = 0x10000, /* WEIR_ARGUMENTS: function_call of old; a tool call's block is its index */
};

#define BLOCK_AGAIN 0x1000000 /* added for each time that a stream had its `last` and came back all the same */

#define OPENAI_STREAMS 1024 /* of one answer at most: 128 choices with 8 streams each */
#define OPENAI_CHOICES 0x10000
#define OPENAI_CALLS   0x10000
#define MOST_STRINGS   (BLOCK_AGAIN - TEXT_STRINGS)

struct openai_stream {
    uint32_t choice, block;
    uint8_t channel;       /* FINISH: the choice has had its end */
    uint8_t again;         /* lives before this one */
    bool open, ended;      /* has had text and no `last`; has had its `last` */
    uint32_t frame, event; /* its newest event: in which frame, and which one there */
};

struct openai_call {
    uint32_t choice, block;
    int64_t index; /* as the upstream numbers it; -1: it does not */
    struct weir_str id, name;
    uint32_t depth; /* of its arguments so far */
    bool begun, in_string, escape;
};

struct openai_think; /* think.c */

struct openai_writer; /* write.h */

struct openai_local {             /* one request, zeroed */
    bool lowered;                 /* the client speaks another dialect: events are all that it gets */
    bool started;                 /* START has been given */
    bool splits;                  /* text may hold reasoning between tags */
    bool errored;                 /* the upstream has said that it failed */
    uint8_t reasoning;            /* lowered: which field's reasoning counts, + 1; the others repeat it */
    struct openai_writer *writer; /* the upstream speaks another dialect: see write.h */
    struct openai_stream *streams;
    uint32_t stream_count, stream_cap, stream_hint;
    struct openai_call *calls;
    uint32_t call_count, call_cap;
    struct openai_think *thinks;        /* one for each choice */
    uint32_t frames;                    /* decoded so far */
    uint32_t strings;                   /* TEXT_STRINGS so far */
    bool done;                          /* the mark of the end has been seen */
    struct weir_str id, model, created; /* of the upstream's answer, as raw JSON text; "" not seen yet */
};

#define OPENAI_DEFAULT_MODERATION "omni-moderation-latest"

bool openai_lift(struct weir_ctx *, struct weir_error *);
struct walk;
bool openai_accept_media(struct walk *); /* kinds from WEIR_IMAGE on */
bool openai_accept(struct weir_ctx *, struct weir_request *, struct weir_error *);
enum weir_verdict openai_encode(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                struct weir_error *);
bool openai_decode(struct weir_ctx *, const struct weir_frame *, struct weir_error *);
bool openai_answer(struct weir_ctx *, const struct weir_event *);
void openai_refuse(struct weir_ctx *, const struct weir_refusal *);
void openai_list(struct weir_ctx *, const struct weir_model *, size_t n, size_t stride);

/* usage.c: an object of the upstream as a partition.  false: it says nothing. */
bool openai_usage(const struct weir_json *, uint32_t object, struct weir_usage *);
/* A number that is a count; -1 when it is none.  Some servers write integers as 12.0. */
int64_t openai_count(const struct weir_json *, uint32_t node);

#endif
