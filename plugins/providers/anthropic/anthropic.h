/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic.h -- what the files of this plugin share: its options, a request's state, and the verbs between files.
 *
 * Worker process.  accept.c and lift*.c read clients; encode.c, lower*.c and decode.c speak to the upstream; answer.c
 * and writer.c speak to clients, refuse.c says errors and models.
 */
#ifndef ANTHROPIC_H
#define ANTHROPIC_H

#include "aws_keys.h"
#include "canon.h"
#include "edited.h"
#include "emit.h"

struct anthropic { /* one row of anthropic_options[] each */
    const char *url, *key, *auth, *version, *beta, *platform;
    /* Vertex AI; Bedrock; both */
    const char *project, *location, *service_account;
    const char *region, *access_key, *secret_key, *session_token, *credentials, *profile;
    struct weir_list betas;
    const char *credential_url;
};

#define ANTHROPIC_URL "https://api.anthropic.com/v1"

#define ANTHROPIC_VERSION "2023-06-01" /* of requests that we make ourselves */
#define MOST_TOKENS       ((int64_t)1 << 40) /* of a count: sums of such numbers cannot overflow */

/* ---- decode: what an upstream has said so far ---- */

#define MOST_BLOCKS   4096
#define BLOCK_STRINGS 0x10000 /* + n: strings that stand alone (results of the vendor's tools, citations) */
#define MOST_STRINGS  0x100000

enum block_kind { BLOCK_OTHER, BLOCK_TEXT, BLOCK_THINKING, BLOCK_TOOL, BLOCK_CUSTOM, BLOCK_COMPACTION };

struct anthropic_block {
    uint32_t index;           /* as the upstream counts; also the block of its events */
    uint8_t kind;             /* enum block_kind */
    bool open, ended;         /* text has come without a `last`; nothing may follow */
    struct weir_str id, name; /* BLOCK_CUSTOM: of the call, which goes on when its input is complete */
    struct text input;        /* BLOCK_CUSTOM: its input so far */
};

struct anthropic_read {
    struct anthropic_block *blocks;
    uint32_t count, cap;
    uint32_t strings;    /* BLOCK_STRINGS so far */
    struct weir_str id;  /* of the answer; "" not seen yet */
    struct weir_str end; /* the stop reason that has been told */
    bool started, done;
};

/* ---- answer: what a client of this dialect has been told of another dialect's answer ---- */

#define MOST_HELD    ((size_t)16 << 20) /* bytes of blocks that wait for the open one to end */
#define MOST_WAITING 1024               /* and how many they may be */

/* What a block of the client's content is made of.  One is open; others wait in a queue until it may be closed. */
struct anthropic_part {
    struct anthropic_part *next;
    enum weir_channel channel;   /* TEXT, REASONING, ARGUMENTS; OPAQUE: redacted thinking */
    uint32_t block;              /* the event's */
    bool custom;                 /* ARGUMENTS: a plain text is the input; it goes as {"input": text} */
    bool ended;                  /* its `last` has come */
    struct weir_str id, name;    /* ARGUMENTS */
    struct weir_str signature;   /* REASONING; OPAQUE: the data */
    struct text held;            /* what came while another was open */
    uint32_t depth;              /* ARGUMENTS: of the JSON so far */
    bool begun, quoted, escaped; /* ARGUMENTS: something but blanks has come; inside a string; behind a backslash */
};

struct anthropic_write {
    bool on;                       /* START has come: this answer is of another dialect */
    bool stream;
    struct weir_str id, model;
    struct anthropic_part *open;   /* in the client's eyes; NULL: none */
    struct anthropic_part *queue, **queue_end;
    size_t held;                   /* bytes in the queue */
    uint32_t waiting;              /* parts in it */
    struct anthropic_part *closed; /* ARGUMENTS that are over: nothing may follow */
    uint32_t index, calls;         /* blocks and calls so far */
    struct emit content;           /* a whole answer's array of blocks */
    struct text input;             /* ARGUMENTS of a whole answer, of the open block */
    struct weir_usage usage;
    int64_t estimate, said;        /* input tokens as told in the beginning; bytes of output */
    enum weir_finish finish;
    struct weir_str stop;          /* the stop sequence that was hit */
};

struct anthropic_local { /* one request, zeroed */
    const struct weir_json *canonical; /* what encode made its body of; NULL: of the client's */
    struct anthropic_read read;
    struct anthropic_write write;
};

/* ---- hooks ---- */

/* kept.c: kinds from WEIR_FILE on. */
struct walk;
struct path;
bool accept_message(struct walk *, uint32_t object, const struct path *); /* accept.c: a request of Messages */
bool kept_accept(struct walk *);
const char *kept_method(const struct weir_request *);
void kept_target(struct text *, const struct weir_request *);

bool anthropic_accept(struct weir_ctx *, struct weir_request *, struct weir_error *);
bool anthropic_lift(struct weir_ctx *, struct weir_error *);
enum weir_verdict anthropic_encode(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                   struct weir_error *);
bool anthropic_decode(struct weir_ctx *, const struct weir_frame *, struct weir_error *);
bool anthropic_answer(struct weir_ctx *, const struct weir_event *);
void anthropic_refuse(struct weir_ctx *, const struct weir_refusal *);
void anthropic_list(struct weir_ctx *, const struct weir_model *, size_t n, size_t stride);

/* ---- between files ---- */

/* lower.c: the canonical request as a body for `model`. */
bool lower_body(struct weir_ctx *, struct emit *m, struct weir_str model, struct weir_error *);
/* The name that the upstream is told of a tool; Anthropic's are letters, digits, _ and -. */
struct weir_str lower_tool_name(struct weir_ctx *, struct weir_str name);

/* A name for a place in the client's body, as printf says it. */
__attribute__((format(printf, 2, 3))) struct weir_str place_of(struct weir_ctx *, const char *fmt, ...);

/* cloud.c: Claude on Vertex AI and on Bedrock.  A body of Anthropic's own as the platform takes it; its address; its
 * credential.  `kept`: what weir_credential() has said. */
enum platform { PLATFORM_ANTHROPIC, PLATFORM_VERTEX, PLATFORM_BEDROCK };
enum platform cloud_platform(const struct anthropic *);
/* The credential is the keeper's to get. */
bool cloud_keeps(const struct anthropic *);
bool cloud_credential(struct weir_ctx *, struct weir_credential *, struct weir_error *);
/* ptr NULL: the error says what is wrong. */
struct weir_str cloud_body(struct weir_ctx *, struct weir_str body, struct weir_str model, struct weir_str betas,
                           struct weir_error *);
struct weir_str cloud_url(struct weir_ctx *, struct weir_str model);
bool cloud_sign(struct weir_ctx *, struct weir_http *, struct weir_str kept, struct weir_str url, struct weir_str body,
                struct weir_error *);

/* writer.c: blocks as bytes of a stream, or of one body. */
void write_start(struct weir_ctx *);
void write_open(struct weir_ctx *, struct anthropic_part *);
void write_piece(struct weir_ctx *, struct anthropic_part *, struct weir_str text);
/* false: a whole answer's arguments are no JSON object. */
bool write_close(struct weir_ctx *);
void write_end(struct weir_ctx *);

#endif
