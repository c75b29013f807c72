/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c -- `usage` of a response as a partition, and back.  input_tokens include cached and written ones,
 * output_tokens include reasoning; where they do not (the total tells), the parts are added.
 */
#include "responses.h"

#define MOST_TOKENS 1000000000000 /* more than this is no count: sums of such numbers cannot overflow */

static int64_t tokens(const struct weir_json *j, uint32_t object, const char *key)
{
    int64_t v = weir_json_int(j, weir_json_get(j, object, key), -1);

    return v > MOST_TOKENS || v < -1 ? -1 : v;
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

bool usage_read(const struct weir_json *j, uint32_t object, struct weir_usage *u)
{
    uint32_t in = weir_json_get(j, object, "input_tokens_details");
    uint32_t out = weir_json_get(j, object, "output_tokens_details");
    int64_t input = tokens(j, object, "input_tokens"), output = tokens(j, object, "output_tokens");
    int64_t total = tokens(j, object, "total_tokens"), reasoning = tokens(j, out, "reasoning_tokens");

    *u = (struct weir_usage){.audio_in = -1, .audio_out = -1};
    if (input < 0 && output < 0)
        return false;
    u->input = input;
    u->cache_read = take(&u->input, tokens(j, in, "cached_tokens"));
    u->cache_write = take(&u->input, tokens(j, in, "cache_write_tokens"));
    if (reasoning > 0 && input >= 0 && output >= 0 && total == input + output + reasoning)
        output += reasoning;
    u->output = output;
    u->reasoning = take(&u->output, reasoning);
    return true;
}

void usage_write(struct emit *m, const struct weir_usage *u)
{
    int64_t in = known(u->input) + known(u->cache_read) + known(u->cache_write) + known(u->audio_in);
    int64_t out = known(u->output) + known(u->reasoning) + known(u->audio_out);

    emit_open(m, '{');
    emit_key(m, "input_tokens");
    emit_int(m, in);
    emit_key(m, "input_tokens_details");
    emit_open(m, '{');
    emit_key(m, "cached_tokens");
    emit_int(m, known(u->cache_read));
    if (u->cache_write >= 0) {
        emit_key(m, "cache_write_tokens");
        emit_int(m, u->cache_write);
    }
    emit_close(m, '}');
    emit_key(m, "output_tokens");
    emit_int(m, out);
    emit_key(m, "output_tokens_details");
    emit_open(m, '{');
    emit_key(m, "reasoning_tokens");
    emit_int(m, known(u->reasoning));
    emit_close(m, '}');
    emit_key(m, "total_tokens");
    emit_int(m, in + out);
    emit_close(m, '}');
}
