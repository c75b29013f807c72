/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.h -- the answer of an upstream that speaks another dialect, as a client of this one reads it.
 *
 * Hook `answer`, worker process.  Everything comes as events, the first is START.  A stream is written piece by piece;
 * of one body the pieces are kept until DONE_MARK.
 */
#ifndef OPENAI_WRITE_H
#define OPENAI_WRITE_H

#include "emit.h"
#include "openai.h"
#include "voice.h"

struct written_reasoning { /* a block: its place is its `index` in reasoning_details */
    uint32_t block;
    bool closed; /* what is opaque about it has come */
    struct text text;
    struct weir_str kind, data, id;
};

struct written_call { /* its place is its `index` in tool_calls, whatever the upstream counts */
    enum weir_channel channel;
    uint32_t block;
    bool custom, any;
    struct weir_str id, name;
    struct text text;
};

struct written_choice {
    uint32_t index;
    bool begun, finished;
    struct text content, thoughts;
    struct written_reasoning *reasoning;
    uint32_t reasoning_count, reasoning_cap;
    struct written_call *calls;
    uint32_t call_count, call_cap;
    enum weir_finish finish;
};

struct written_vector { /* or a score */
    uint32_t index;
    struct weir_str text;
};

struct openai_writer {
    struct weir_ctx *c;
    struct weir_str id, model, created;
    bool stream, usage_asked, old; /* old: functions in place of tools */
    enum voice voice;
    struct written_choice *choices;
    uint32_t choice_count, choice_cap;
    struct written_vector *vectors;
    uint32_t vector_count, vector_cap;
    struct weir_usage usage;
    bool usage_said;
    uint32_t held_choice, held; /* the thought that waits for its call's id: its place + 1; 0 none */
};

/* START: begins anew.  Then all others; false: this dialect cannot say it. */
bool write_start(struct weir_ctx *, const struct weir_event *);
bool write_event(struct openai_writer *, const struct weir_event *);

/* write_body.c */
void write_thinking(struct emit *, struct weir_str text); /* as a part of Mistral's content */
void write_body(struct openai_writer *);
void write_usage(struct emit *, const struct weir_usage *, bool embedding);
const char *write_finish(const struct openai_writer *, const struct written_choice *);
/* write_vectors.c */
void write_vectors(struct openai_writer *);
/* write_scores.c */
void write_scores(struct openai_writer *);

/* Room for one more in an array of the request's memory. */
void *write_more(struct weir_ctx *, void *array, uint32_t count, uint32_t *cap, size_t size);

#endif
