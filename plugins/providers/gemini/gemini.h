/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini.h -- what the files of this plugin share: its options, a request's state, and what each file does.
 *
 * Worker process.  accept.c reads clients, lift*.c make the canonical request of theirs; encode*.c and decode.c speak
 * to the upstream; answer.c and refuse.c speak to clients.
 */
#ifndef GEMINI_H
#define GEMINI_H

#include "base64.h"
#include "canon.h"
#include "emit.h"
#include "google.h"
#include "proto.h"

#define GEMINI_URL "https://generativelanguage.googleapis.com/v1beta"

struct gemini { /* one row of gemini_options[] each */
    const char *url, *key, *auth, *platform, *project, *location, *schema, *service_account, *credential_url;
};

/* Blocks of the answer.  Towards clients of this dialect: TEXT 0 and REASONING 0 are the texts of a candidate, which
 * clients join; a call is an ARGUMENTS block, counted from 0; strings in other places are TEXT blocks of their own.
 * Towards others each change between them begins a new block, so that the order of parts is kept. */
enum { TEXT_STRINGS = 0x20000, MOST_STRINGS = 0x100000 };

#define GEMINI_CHOICES 128  /* candidates of one answer, at most */
#define GEMINI_CALLS   4096 /* function calls of a candidate, at most */
#define GEMINI_AGAIN   4096 /* blocks of text of a candidate, at most */

/* Sent in place of a signature with calls that another model made. */
#define GEMINI_DUMMY "skip_thought_signature_validator"

struct gemini_stream {
    uint32_t block;        /* of the next piece */
    bool open;             /* has had text and no `last` */
    uint32_t frame, event; /* its newest event: in which frame, and which one there */
};

struct gemini_choice { /* decode: one candidate */
    uint32_t index;
    struct gemini_stream text, thought;
    uint32_t calls;
    bool calling, finished;
    struct partial *arguments;    /* of the call under way */
    bool quoting;                 /* a string of them is under way: which, where */
    uint32_t string;
    struct weir_str string_path;
};

struct said { /* answer: one block, or what stands alone */
    enum weir_channel channel;
    uint32_t choice, block;
    struct text text;
    struct weir_str id, name;
};

struct gemini_local { /* one request, zeroed */
    /* decode, for one attempt */
    bool foreign; /* the client speaks another dialect */
    struct gemini_choice *choices;
    uint32_t choice_count, choice_cap;
    uint32_t frames, strings, vectors;
    bool begun;
    struct weir_str id, model; /* of the upstream's answer, values */
    /* answer */
    bool started, opened; /* another dialect's answer; the array of the stream has its bracket */
    struct said *said;
    uint32_t said_count, said_cap;
    struct weir_str signature; /* for the part that comes next */
    struct weir_usage usage;
    bool usage_known;
};

/* gemini.c: an array that doubles in the request's memory; room for one more. */
void *gemini_grown(struct weir_ctx *, void *old, uint32_t count, uint32_t *cap, size_t size);

bool gemini_accept(struct weir_ctx *, struct weir_request *, struct weir_error *);
bool gemini_lift(struct weir_ctx *, struct weir_error *);
enum weir_verdict gemini_encode(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                struct weir_error *);
bool gemini_decode(struct weir_ctx *, const struct weir_frame *, struct weir_error *);
bool gemini_answer(struct weir_ctx *, const struct weir_event *);
void gemini_refuse(struct weir_ctx *, const struct weir_refusal *);
void gemini_list(struct weir_ctx *, const struct weir_model *, size_t n, size_t stride);

/* accept.c: the path's method ("generateContent"), and whether a stream is an array for want of alt=sse. */
struct weir_str gemini_method(const struct weir_request *);
bool gemini_wants_array(const struct weir_request *);

/* target.c: PASS, FAIL with the error, or WAIT for a credential. */
enum weir_verdict gemini_target(struct weir_ctx *, const struct weir_candidate *, struct weir_str method, struct weir_http *,
                   struct weir_error *);
struct weir_str gemini_resource(struct weir_ctx *, struct weir_str model); /* "models/x", as bodies name it */

/* names.c: the name of a tool as Gemini takes it, always the same; and which tool of the canonical request that is. */
struct weir_str gemini_name(struct weir_ctx *, struct weir_str original);
struct weir_str gemini_original(struct weir_ctx *, struct weir_str sent);

/* usage.c: usageMetadata as a partition.  false: it says nothing. */
bool gemini_usage(const struct weir_json *, uint32_t object, struct weir_usage *);

/* schema.c: JSON Schema -> the subset that old models take, into `m`; false: something was left out.  And back. */
bool schema_to_openapi(struct emit *m, const struct weir_json *, uint32_t schema);
void schema_from_openapi(struct emit *m, const struct weir_json *, uint32_t schema);

#endif
