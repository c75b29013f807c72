/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.h -- what the files of this plugin share: its options and a request's state.
 *
 * Worker process.  accept.c and lift.c read clients; encode.c, lower.c and decode.c speak to the upstream; answer.c and
 * frames.c speak to clients.  The names are those of AWS's Converse API.
 */
#ifndef BEDROCK_H
#define BEDROCK_H

#include "aws_keys.h"
#include "walk.h"

struct bedrock { /* one row of bedrock_options[] each */
    const char *region, *url, *key, *access_key, *secret_key, *session_token, *credentials, *profile, *credential_url;
};

#define BEDROCK_BLOCKS 4096 /* blocks of one answer at most */
#define BEDROCK_NAME   64   /* bytes of a tool's name, and of the id of a call, at most */

struct bedrock_open { /* a block of the upstream's answer */
    uint32_t index;
    enum weir_channel channel;
    bool ended;              /* it has had its `last` */
    struct weir_str opaque;  /* its signature so far */
};

struct bedrock_name { /* a tool whose name Converse would refuse */
    struct weir_str sent, real;
};

struct block { /* a block of the answer that a client gets */
    enum weir_channel channel;
    uint32_t block;                /* of the events */
    bool started, stopped, ended;  /* its start and its end have been written; its last event has come */
    struct weir_str id, name;      /* ARGUMENTS */
    struct weir_str kind, opaque;  /* REASONING */
    struct { char *ptr; size_t len, cap; } text; /* not written yet */
};

struct bedrock_local { /* one request, zeroed */
    /* decode */
    struct bedrock_open *open;
    uint32_t open_count, open_cap;
    bool called;                  /* the answer has a tool call */
    struct bedrock_name *names;
    uint32_t name_count, name_cap;
    /* answer */
    struct block *blocks;
    uint32_t block_count, block_cap;
    uint32_t at;                  /* the block that is being written */
    bool started;                 /* START has come: the upstream speaks another dialect */
    enum weir_finish finish;
    struct weir_str stop;         /* the stop sequence that was hit */
    struct weir_usage usage;
};

bool bedrock_accept(struct weir_ctx *, struct weir_request *, struct weir_error *);
bool bedrock_lift(struct weir_ctx *, struct weir_error *);
enum weir_verdict bedrock_encode(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                 struct weir_error *);
bool bedrock_decode(struct weir_ctx *, const struct weir_frame *, struct weir_error *);
bool bedrock_answer(struct weir_ctx *, const struct weir_event *);
void bedrock_refuse(struct weir_ctx *, const struct weir_refusal *);

/* lower.c: the canonical request as a body for `model`.  What PASS, UNSUPPORTED and FAIL mean: as for encode. */
struct text;
enum weir_verdict bedrock_lower(struct weir_ctx *, struct weir_str model, struct text *body, struct weir_error *);

/* frames.c: one frame to the client.  `exception`: an exception of this name, not an event. */
void bedrock_frame(struct weir_ctx *, bool exception, const char *name, struct weir_str payload);
/* frames.c: the value of a header of a whole frame, which the host has checked; "" when there is none. */
struct weir_str bedrock_header(struct weir_str raw, const char *name);

#endif
