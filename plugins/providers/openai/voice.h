/* SPDX-License-Identifier: Apache-2.0 */
/*
 * voice.h -- whose client speaks: all that this dialect serves, but some want to hear a few things otherwise.
 *
 * Hooks accept, answer, refuse, list; worker process.
 */
#ifndef OPENAI_VOICE_H
#define OPENAI_VOICE_H

#include "text.h"

enum voice {
    VOICE_OPENAI,
    VOICE_ROUTER,  /* OpenRouter's, below /api: other errors and lists, `reasoning`, nothing that is null in a chunk */
    VOICE_MISTRAL, /* cannot ask for usage, takes no null for it, wants a name in each piece of a call, thoughts in content */
};

static inline enum voice voice_of(struct weir_ctx *c)
{
    struct weir_str agent;

    if (str_is(weir_fact(c, "base"), "/api"))
        return VOICE_ROUTER;
    agent = weir_fact(c, "header.user-agent");
    return agent.len && memmem(agent.ptr, agent.len, "mistral", 7) ? VOICE_MISTRAL : VOICE_OPENAI;
}

#endif
