/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c -- the upstream's `usage` object as a partition: every token counted once.
 *
 * OpenAI's prompt_tokens include cached and audio tokens, completion_tokens include reasoning.  xAI's completion_tokens
 * do not: then the parts and the total say so.  Vendors name cached tokens in their own ways; the first name found
 * counts.
 */
#include "openai.h"

#define MOST_TOKENS 1000000000000 /* more than this is no count: sums of such numbers cannot overflow */

int64_t openai_count(const struct weir_json *j, uint32_t node)
{
    struct weir_str s;
    int64_t v = 0;
    size_t i = 0;

    if (!weir_json_is(j, node, WEIR_JSON_NUMBER))
        return -1;
    s = weir_json_text(j, node);
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        if ((v = v * 10 + (s.ptr[i] - '0')) > MOST_TOKENS)
            return -1;
    if (i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && s.ptr[i] == '0';)
            i++;
    return i == s.len ? v : -1;
}

static int64_t tokens(const struct weir_json *j, uint32_t object, const char *key)
{
    return openai_count(j, weir_json_get(j, object, key));
}

static int64_t first_of(int64_t a, int64_t b)
{
    return a >= 0 ? a : b;
}

static int64_t known(int64_t v)
{
    return v < 0 ? 0 : v;
}

/* Takes a part out of what is left of the whole.  A part that is larger than its whole is cut to it. */
static int64_t take(int64_t *left, int64_t part)
{
    if (part < 0 || *left < 0)
        return part;
    if (part > *left)
        part = *left;
    *left -= part;
    return part;
}

bool openai_usage(const struct weir_json *j, uint32_t object, struct weir_usage *u)
{
    uint32_t in = weir_json_get(j, object, "prompt_tokens_details");
    uint32_t out = weir_json_get(j, object, "completion_tokens_details");
    int64_t prompt = tokens(j, object, "prompt_tokens"), completion = tokens(j, object, "completion_tokens");
    int64_t total = tokens(j, object, "total_tokens"), reasoning = tokens(j, out, "reasoning_tokens");
    int64_t cached = first_of(tokens(j, in, "cached_tokens"), tokens(j, object, "prompt_cache_hit_tokens"));

    if (prompt < 0 && completion < 0 && total < 0)
        return false;
    if (prompt < 0 && total >= known(completion)) /* Voyage says only the total */
        prompt = total - known(completion);
    cached = first_of(cached, first_of(tokens(j, object, "cached_tokens"), tokens(j, object, "num_cached_tokens")));
    u->input = prompt;
    u->cache_read = take(&u->input, cached);
    u->cache_write = take(&u->input, tokens(j, in, "cache_write_tokens"));
    u->audio_in = take(&u->input, tokens(j, in, "audio_tokens"));
    if (reasoning > 0 && completion >= 0 && prompt >= 0 && total == prompt + completion + reasoning)
        completion += reasoning;
    u->output = completion;
    u->reasoning = take(&u->output, reasoning);
    u->audio_out = take(&u->output, tokens(j, out, "audio_tokens"));
    return true;
}
