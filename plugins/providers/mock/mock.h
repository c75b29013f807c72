/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock.h -- what the files of this plugin share: what a request asked the mock to do, and how far it has come.
 *
 * Worker process.  script.c reads the little language of docs/mock.md; wire.c frames HTTP; chat.c, whole.c and
 * vectors.c say what a model would.
 */
#ifndef MOCK_H
#define MOCK_H

#include "text.h"

enum mock_name { MOCK_ECHO, MOCK_LOREM, MOCK_TOOLS, MOCK_REASONING, MOCK_EMBED, MOCK_RERANK };

/* Each is a word of `fault=`; docs/mock.md says what they do. */
#define MOCK_FAULTS(X)                                                                                                 \
    X(none) X(drop) X(head) X(hang) X(cut) X(half) X(nofinish) X(nodone) X(json) X(chunk) X(type) X(error)
#define MOCK_FAULT_ROW(name) FAULT_##name,
enum mock_fault { MOCK_FAULTS(MOCK_FAULT_ROW) FAULT_COUNT };
#undef MOCK_FAULT_ROW

struct script {
    enum mock_name name;
    enum mock_fault fault;
    int64_t status;            /* 0: 200 */
    int64_t first, chunk;      /* ms before the head, between pieces */
    int64_t chunks;            /* pieces of the text; 0: one a word */
    int64_t words, bytes;      /* of lorem; 0: not said */
    int64_t repeat;            /* of echo */
    int64_t calls;             /* of tools */
    int64_t cached, reasoning; /* tokens said to be so */
    int64_t retry;             /* seconds of retry-after; -1: as the status wants it */
    int64_t at;                /* pieces before the fault */
    struct weir_str finish;    /* "" as it comes */
};

/* Fills `s` from the model's name and from the [[...]] at the start of the prompt, which is moved on behind it.  false:
 * `why` says what is wrong with them. */
bool script_read(struct script *, struct weir_str model, struct weir_str *prompt, struct weir_error *why);

/* Text that is `base` over and over until it is `len` bytes long; saying it needs no copy of it. */
struct speech {
    struct weir_str base;
    size_t len, at;
};

enum phase { PHASE_ROLE, PHASE_REASON, PHASE_CALLS, PHASE_TEXT, PHASE_FINISH, PHASE_USAGE, PHASE_DONE, PHASE_END };

struct mock { /* `local`: one request */
    struct script s;
    struct text out;       /* HTTP, not served yet */
    struct text record;    /* one record, or a whole body */
    struct weir_str model; /* as asked */
    struct weir_str tool;  /* name of the tool to call */
    struct speech think, say, args;
    bool calls; /* answer with tool calls */
    bool cut;   /* max_tokens ended the text */
    int64_t prompt_bytes;
    enum phase phase;
    int64_t pieces, call; /* said so far; the call whose arguments are being said */
};

/* wire.c */
void wire_head(struct mock *, int status, const char *type, int64_t length); /* length -1: chunked */
void wire_chunk(struct mock *, struct weir_str);
void wire_body(struct mock *, int status); /* m->record as a whole answer, with the faults of one */
void wire_error(struct mock *, int status, const char *code, const char *text);
void wire_flush(struct weir_ctx *, bool last);

/* script.c: the next piece of a speech, as it is cut for this script.  Its bytes go to `out` escaped for JSON. */
void speech_next(const struct script *, struct speech *, struct text *out);
void speech_all(struct speech *, struct text *out);
static inline bool speech_ended(const struct speech *s)
{
    return s->at >= s->len;
}
static inline int64_t speech_tokens(const struct speech *s)
{
    return (int64_t)(s->len + 3) / 4;
}

/* chat.c: chat and legacy completions. */
void chat_prepare(struct weir_ctx *, struct weir_str prompt, bool after_tool);
void chat_whole(struct weir_ctx *);
void chat_stream(struct weir_ctx *); /* the next pieces; a timer goes on */
void chat_usage(struct weir_ctx *, struct text *);

/* rerank.c */
void rerank_all(struct weir_ctx *);

/* vectors.c: embeddings and moderations. */
void vectors_embed(struct weir_ctx *);
void vectors_moderate(struct weir_ctx *);

#endif
