/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c -- see streams.h. */
#include "streams.h"

/* An array that doubles in the request's memory. */
static void *grown(struct weir_ctx *c, void *old, uint32_t count, uint32_t *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return old;
    *cap = *cap ? *cap * 2 : 4;
    more = weir_alloc(c, *cap * size);
    if (count)
        memcpy(more, old, count * size);
    return more;
}

struct openai_stream *stream_get(struct weir_ctx *c, enum weir_channel channel, uint32_t choice, uint32_t block)
{
    struct openai_local *l = c->local;

    for (uint32_t n = 0; n < l->stream_count; n++) {
        uint32_t i = l->stream_hint + n;
        if (i >= l->stream_count)
            i -= l->stream_count;
        struct openai_stream *s = &l->streams[i];
        if (s->channel == channel && s->choice == choice && s->block == block) {
            l->stream_hint = i;
            return s;
        }
    }
    if (l->stream_count == OPENAI_STREAMS)
        return NULL;
    l->streams = grown(c, l->streams, l->stream_count, &l->stream_cap, sizeof *l->streams);
    l->stream_hint = l->stream_count;
    l->streams[l->stream_count] = (struct openai_stream){.choice = choice, .block = block, .channel = (uint8_t)channel};
    return &l->streams[l->stream_count++];
}

uint32_t stream_block(const struct openai_stream *s)
{
    return s->block + s->again * BLOCK_AGAIN;
}

int64_t stream_use(struct openai_stream *s, uint32_t frame, uint32_t event)
{
    if (s->ended && s->again == UINT8_MAX - 1)
        return -1;
    s->again += s->ended;
    s->ended = false;
    s->open = true;
    s->frame = frame;
    s->event = event;
    return stream_block(s);
}

static int64_t call_new(struct weir_ctx *c, uint32_t choice, uint32_t block, struct weir_str id)
{
    struct openai_local *l = c->local;

    if (l->call_count == OPENAI_STREAMS)
        return -1;
    l->calls = grown(c, l->calls, l->call_count, &l->call_cap, sizeof *l->calls);
    l->calls[l->call_count++] = (struct openai_call){choice, block, text_keep(c, id)};
    return block;
}

int64_t call_block(struct weir_ctx *c, uint32_t choice, int64_t index, struct weir_str id, bool named)
{
    struct openai_local *l = c->local;
    const struct openai_call *newest = NULL;
    uint32_t next = 0;

    for (uint32_t i = 0; i < l->call_count; i++) {
        const struct openai_call *call = &l->calls[i];
        if (call->choice != choice)
            continue;
        if (index < 0 && id.len && str_eq(call->id, id))
            return call->block;
        if (index >= 0 && call->block == (uint32_t)index)
            return index;
        newest = call;
        if (call->block >= next)
            next = call->block + 1;
    }
    if (index >= 0)
        return call_new(c, choice, (uint32_t)index, id);
    if (newest && !id.len && !named)
        return newest->block;
    return next < OPENAI_CALLS ? call_new(c, choice, next, id) : -1;
}
