/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.h -- what the files that make the canonical request of a client's share.
 *
 * Hook `lift`, worker process.  lift.c has the top level, lift_messages.c and lift_parts.c what a model reads,
 * lift_tools.c what it may call.  Each writes its key when there is something to say.
 */
#ifndef OPENAI_LIFT_H
#define OPENAI_LIFT_H

#include "canon.h"
#include "emit.h"
#include "openai.h"

struct lift {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct weir_error *e;
    struct emit m;
    struct weir_str ttl; /* of prompt_cache_options, for explicit breakpoints */
    bool prefixed;       /* some message has `prefix` */
    uint32_t function;   /* the message with the newest function_call of old, which has no id */
};

struct lift_row;
typedef bool lift_row_fn(struct lift *, const struct lift_row *, uint32_t value);

struct lift_row {
    const char *key;  /* the client's */
    const char *as;   /* the canonical one; NULL: not carried */
    lift_row_fn *how; /* of rows with one canonical key, the first that is there counts and the others are told */
};

/* lift_router.c: members that OpenRouter's clients have beyond OpenAI's. */
lift_row_fn router_provider, router_models, router_plugins, router_transforms, router_usage, router_include_reasoning;

/* A place in the client's body, "messages[2].content[1]"; lasts as long as the request. */
struct weir_str lift_at(struct weir_ctx *, struct weir_str base, const char *key);
struct weir_str lift_item(struct weir_ctx *, struct weir_str base, uint32_t index);

/* Every key of `object` that is not in `known` (NULL-ended) is told as one that cannot be said; null says nothing. */
bool lift_rest(struct lift *, uint32_t object, const char *const *known, struct weir_str at);
/* A field that is there and cannot be said. */
bool lift_lossy(struct lift *, uint32_t value, struct weir_str at, bool hint);
bool lift_invalid(struct lift *, struct weir_str at, const char *why);

bool lift_system(struct lift *, uint32_t messages);
bool lift_messages(struct lift *, uint32_t messages);
/* The parts of a `content`, into an array that is open; `mark`: cache_control of the whole message. */
bool lift_content(struct lift *, uint32_t content, struct weir_str at, uint32_t mark);
/* reasoning_details, reasoning_content, reasoning of an assistant's message, but what belongs to a call. */
bool lift_reasoning(struct lift *, uint32_t message, struct weir_str at);
/* What of reasoning_details belongs to the call with this id. */
void lift_thought(struct lift *, uint32_t message, uint32_t call);
void lift_cache(struct lift *, uint32_t object, uint32_t mark);

/* `extra`: what only some servers know. */
void lift_known_to_some(struct lift *);

bool lift_tools(struct lift *, uint32_t tools, bool functions);
bool lift_choice(struct lift *, uint32_t choice);

#endif
