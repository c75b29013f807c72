/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.h -- what the files that make OpenAI's body of the canonical request share.
 *
 * Hook `encode`, worker process.  lower.c has the top level, lower_messages.c the messages, lower_tools.c the tools.
 */
#ifndef OPENAI_LOWER_H
#define OPENAI_LOWER_H

#include "canon.h"
#include "emit.h"
#include "openai.h"

struct lower {
    struct weir_ctx *c;
    const struct weir_json *j; /* the canonical request */
    struct weir_error *e;
    const struct openai *o;
    struct emit m;
    bool cache_told;
};

/* The whole body.  false: the error says what cannot be said. */
bool lower_chat(struct lower *, struct weir_str model);
bool lower_embedding(struct lower *, struct weir_str model);
bool lower_rerank(struct lower *, struct weir_str model);

bool lower_messages(struct lower *);
bool lower_tools(struct lower *);
bool lower_choice(struct lower *);

/* The mark of a part or a tool, as this server has it; told as left out, once, when it has none. */
bool lower_cache(struct lower *, uint32_t object);
bool lower_marks_cache(const struct lower *, uint32_t object);

bool openai_takes(const struct openai *, const char *what);
bool openai_is_own(const struct openai *); /* OpenAI's API itself, or Azure's */

#endif
