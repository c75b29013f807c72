/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.h -- what the files that make OpenAI's body of the canonical request share.
 *
 * Hook `encode`, worker process.  lower.c has the top level, lower_messages.c the messages, lower_parts.c their
 * parts, lower_tools.c the tools, lower_ids.c the ids of calls.
 */
#ifndef OPENAI_LOWER_H
#define OPENAI_LOWER_H

#include "canon.h"
#include "emit.h"
#include "openai.h"

struct lower_id; /* lower_ids.c */

struct lower_ids {
    struct lower_id *pairs;
    uint32_t *by_id, *by_made; /* places in `pairs`, + 1; tables of `slots`, a power of two */
    uint32_t count, slots;
};

struct lower {
    struct weir_ctx *c;
    const struct weir_json *j; /* the canonical request */
    struct weir_error *e;
    const struct openai *o;
    struct emit m;
    bool cache_told;
    struct lower_ids ids;
};

/* The whole body.  false: the error says what cannot be said. */
bool lower_chat(struct lower *, struct weir_str model);
bool lower_embedding(struct lower *, struct weir_str model);
bool lower_rerank(struct lower *, struct weir_str model);

bool lower_messages(struct lower *);
bool lower_part(struct lower *, uint32_t part);
bool lower_text(struct lower *, uint32_t part);
bool lower_text_of(struct lower *, struct weir_str text, uint32_t marked); /* `marked`: whose mark of caching it has */
bool lower_tools(struct lower *);
bool lower_choice(struct lower *);

/* The mark of a part or a tool, as this server has it; told as left out, once, when it has none. */
bool lower_cache(struct lower *, uint32_t object);
bool lower_marks_cache(const struct lower *, uint32_t object);

/* The id by which the server gets a call and its result: the same for the same id, another for another, and the same
 * in every request that begins with the same messages. */
struct weir_str lower_call_id(struct lower *, struct weir_str id);

static inline bool part_is(const struct lower *w, uint32_t part, const char *type)
{
    return node_says(w->j, weir_json_get(w->j, part, "type"), type);
}

static inline uint32_t part_get(const struct lower *w, uint32_t part, const char *key)
{
    return weir_json_get(w->j, part, key);
}

static inline bool lower_is_mistral(const struct lower *w)
{
    return strcmp(w->o->parts, "mistral") == 0;
}

bool openai_lacks(const struct openai *, const char *what);
bool openai_takes(const struct openai *, const char *what);
bool openai_is_own(const struct openai *); /* OpenAI's API itself, or Azure's */

#endif
