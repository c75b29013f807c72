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

/* ---- calls ---- */

static int64_t call_new(struct weir_ctx *c, const struct openai_call *call)
{
    struct openai_local *l = c->local;

    if (l->call_count == OPENAI_STREAMS || call->block >= OPENAI_CALLS)
        return -1;
    l->calls = grown(c, l->calls, l->call_count, &l->call_cap, sizeof *l->calls);
    l->calls[l->call_count] = *call;
    l->calls[l->call_count].id = text_keep(c, call->id);
    l->calls[l->call_count++].name = text_keep(c, call->name);
    return call->block;
}

/* Without a number: the id tells which call it is, else the name. */
static const struct openai_call *call_meant(const struct openai_call *newest, struct weir_str id, struct weir_str name)
{
    bool open = newest && !(newest->begun && !newest->depth);

    if (!newest || id.len)
        return NULL;
    return !name.len || (open && str_eq(newest->name, name)) ? newest : NULL;
}

static bool is_another(const struct openai_call *call, struct weir_str id, struct weir_str name)
{
    return id.len && name.len && call->id.len && !str_eq(call->id, id);
}

int64_t call_block(struct weir_ctx *c, uint32_t choice, int64_t index, struct weir_str id, struct weir_str name)
{
    struct openai_local *l = c->local;
    const struct openai_call *newest = NULL, *found = NULL, *by_id = NULL;
    uint32_t next = 0;
    bool taken = false;

    for (uint32_t i = 0; i < l->call_count; i++) {
        const struct openai_call *call = &l->calls[i];
        if (call->choice != choice)
            continue;
        if (id.len && str_eq(call->id, id))
            by_id = call;
        if (index >= 0 && (call->index == index || (call->index < 0 && call->block == (uint32_t)index)))
            found = call;
        taken |= index >= 0 && call->block == (uint32_t)index;
        newest = call;
        if (call->block >= next)
            next = call->block + 1;
    }
    if (index < 0)
        found = by_id ? by_id : call_meant(newest, id, name);
    else if (found && l->lowered && is_another(found, id, name))
        found = by_id && by_id->index == index ? by_id : NULL;
    if (found)
        return found->block;
    if (index >= 0 && !taken)
        next = (uint32_t)index;
    return call_new(c, &(struct openai_call){.choice = choice, .block = next, .index = index, .id = id, .name = name});
}

static void arguments_walk(struct openai_call *call, struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (call->in_string) {
            call->in_string = ch != '"' || call->escape;
            call->escape = ch == '\\' && !call->escape;
        } else if (ch == '"') {
            call->in_string = true;
        } else if (ch == '{' || ch == '[') {
            call->begun = true;
            call->depth++;
        } else if ((ch == '}' || ch == ']') && call->depth) {
            call->depth--;
        }
    }
}

void call_said(struct weir_ctx *c, uint32_t choice, uint32_t block, struct weir_str arguments)
{
    struct openai_local *l = c->local;

    for (uint32_t i = l->call_count; i-- > 0;) {
        if (l->calls[i].choice != choice || l->calls[i].block != block)
            continue;
        if (l->calls[i].index < 0)
            arguments_walk(&l->calls[i], arguments);
        return;
    }
}
