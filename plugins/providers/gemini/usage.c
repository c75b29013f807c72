/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c -- usageMetadata as a partition: every token counted once.
 *
 * promptTokenCount includes what came from the cache, candidatesTokenCount excludes thoughts, and what tools put into
 * the prompt is counted apart.  Zeros are left out, so that a count which is not there is 0.
 */
#include "gemini.h"

#define MOST_TOKENS 1000000000000 /* more than this is no count: sums of such numbers cannot overflow */

/* A count; `otherwise` when there is none. */
static int64_t tokens(const struct weir_json *j, uint32_t object, const char *name, int64_t otherwise)
{
    int64_t v = proto_int(j, proto_get(j, object, name), otherwise);

    return v < 0 || v > MOST_TOKENS ? otherwise : v;
}

static int64_t audio(const struct weir_json *j, uint32_t details)
{
    int64_t sum = 0;

    for (EACH_ITEM(j, n, details))
        if (node_says(j, proto_get(j, n, "modality"), "AUDIO") && sum <= MOST_TOKENS)
            sum += tokens(j, n, "tokenCount", 0);
    return sum;
}

/* Takes a part out of what is left of the whole.  A part that is larger than its whole is cut to it. */
static int64_t take(int64_t *left, int64_t part)
{
    if (part > *left)
        part = *left;
    *left -= part;
    return part;
}

bool gemini_usage(const struct weir_json *j, uint32_t object, struct weir_usage *u)
{
    int64_t prompt = tokens(j, object, "promptTokenCount", -1), total = tokens(j, object, "totalTokenCount", -1);
    int64_t said = tokens(j, object, "candidatesTokenCount", -1), tools, thoughts;

    if (prompt < 0 && said < 0 && total < 0)
        return false;
    tools = tokens(j, object, "toolUsePromptTokenCount", 0);
    thoughts = tokens(j, object, "thoughtsTokenCount", 0);
    if (prompt < 0)
        prompt = 0;
    if (said < 0)
        said = total > prompt + tools + thoughts ? total - prompt - tools - thoughts : 0;
    u->input = prompt;
    u->cache_read = take(&u->input, tokens(j, object, "cachedContentTokenCount", 0));
    u->cache_write = 0;
    u->audio_in = take(&u->input, audio(j, proto_get(j, object, "promptTokensDetails")));
    u->input += tools;
    u->output = said;
    u->reasoning = thoughts;
    u->audio_out = take(&u->output, audio(j, proto_get(j, object, "candidatesTokensDetails")));
    return true;
}
