/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a frame of an Anthropic-like upstream -> events.  Host: step `stream`, worker process.
 *
 * Shapes are not trusted: a member of a type that the grammar does not know is left alone (the frame goes through as it
 * came), and what cannot be numbered ends the attempt.  Blocks are numbered as the upstream numbers them.
 */
#include "decode.h"
#include "lines.h"

#include <stdio.h>

bool decode_fails(struct decoder *d, const char *text)
{
    d->failed = true;
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    return false;
}

/* Where a string of the frame stands, if it says something. */
static bool event_place(const struct decoder *d, struct weir_event *ev, uint32_t node)
{
    if (!node_is_string(d->j, node) || !d->j->nodes[node].len)
        return false;
    ev->text = weir_json_text(d->j, node);
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
    ev->escaped = d->j->nodes[node].escaped;
    return true;
}

/* ---- blocks ---- */

static struct anthropic_block *block_find(struct decoder *d, uint32_t index)
{
    for (uint32_t i = d->l->count; i-- > 0;)
        if (d->l->blocks[i].index == index)
            return &d->l->blocks[i];
    return NULL;
}

static struct anthropic_block *block_new(struct decoder *d, uint32_t index, enum block_kind kind)
{
    struct anthropic_read *l = d->l;

    if (l->count == l->cap) {
        struct anthropic_block *more;
        l->cap = l->cap ? l->cap * 2 : 8;
        more = weir_alloc(d->c, l->cap * sizeof *more);
        if (l->count)
            memcpy(more, l->blocks, l->count * sizeof *more);
        l->blocks = more;
    }
    l->blocks[l->count] = (struct anthropic_block){.index = index, .kind = (uint8_t)kind, .input = {.c = d->c}};
    return &l->blocks[l->count++];
}

static enum weir_channel block_channel(const struct anthropic_block *b)
{
    return b->kind == BLOCK_THINKING ? WEIR_REASONING : b->kind == BLOCK_TOOL ? WEIR_ARGUMENTS : WEIR_TEXT;
}

/* A piece of a block's text. */
static void block_text(struct decoder *d, struct anthropic_block *b, uint32_t node, bool last)
{
    struct weir_event ev = event_of(block_channel(b), b->index);

    if (event_place(d, &ev, node)) {
        ev.last = last;
        b->open = true;
        weir_emit(d->c, &ev);
    }
    if (last)
        b->open = false;
}

/* What no reader takes for text. */
static bool is_opaque(const struct decoder *d, uint32_t key)
{
    static const char *const words[] = {
        "type",       "id",      "tool_use_id", "encrypted_content", "encrypted_index", "encrypted_stdout", "data",
        "media_type", "file_id", NULL};

    for (const char *const *w = words; *w; w++)
        if (weir_json_eq(d->j, key, *w, strlen(*w)))
            return true;
    return false;
}

/* Strings that stand alone: nothing is held over from one to the next.  As deep as the host takes JSON. */
static void put_strings(struct decoder *d, uint32_t node)
{
    struct weir_event ev = event_of(WEIR_TEXT, BLOCK_STRINGS + d->l->strings);

    if (node == WEIR_NO_NODE || d->other || d->failed)
        return;
    for (EACH_KEY(d->j, k, node))
        if (!is_opaque(d, k))
            put_strings(d, k + 1);
    for (EACH_ITEM(d->j, n, node))
        put_strings(d, n);
    if (!event_place(d, &ev, node))
        return;
    if (d->l->strings++ == MOST_STRINGS) {
        decode_fails(d, "the answer has too many strings in its blocks");
        return;
    }
    ev.last = true;
    weir_emit(d->c, &ev);
}

static void put_opaque(struct decoder *d, uint32_t block, const char *kind, struct weir_str data)
{
    struct weir_event ev = event_of(WEIR_OPAQUE, block);

    if (!data.len)
        return;
    ev.detail = data;
    ev.value = str_of(kind);
    weir_emit(d->c, &ev);
}

/* ---- tool calls ---- */

/* A tool that the client's dialect calls with plain text is told here as one with {"input": text}. */
static bool is_custom(const struct decoder *d, struct weir_str name)
{
    const struct weir_json *j = d->canonical;

    for (EACH_ITEM(j, tool, d->tools))
        if (str_eq(get_value(d->c, j, tool, "name"), name))
            return weir_json_get(j, tool, "custom") != WEIR_NO_NODE;
    return false;
}

/* The client's name of a tool that was renamed for Anthropic. */
static struct weir_str tool_name(const struct decoder *d, struct weir_str said)
{
    const struct weir_json *j = d->canonical;

    for (EACH_ITEM(j, tool, d->tools)) {
        struct weir_str name = get_value(d->c, j, tool, "name");
        if (str_eq(lower_tool_name(d->c, name), said))
            return name;
    }
    return said;
}

static void tool_begin(struct decoder *d, struct anthropic_block *b, uint32_t block)
{
    struct weir_event ev = event_of(WEIR_ARGUMENTS, b->index);
    uint32_t input = member(d, block, "input");
    struct weir_str id = member_value(d, block, "id"), name = tool_name(d, member_value(d, block, "name"));

    if (is_custom(d, name)) {
        b->kind = BLOCK_CUSTOM;
        b->id = text_keep(d->c, id);
        b->name = text_keep(d->c, name);
        if (d->whole && weir_json_is(d->j, input, WEIR_JSON_OBJECT))
            text_str(&b->input, weir_json_text(d->j, input));
        return;
    }
    ev.tool_id = id;
    ev.tool_name = name;
    /* A stream begins with {}, which is no input yet. */
    if (weir_json_is(d->j, input, WEIR_JSON_OBJECT) && (d->whole || weir_json_first(d->j, input) != WEIR_NO_NODE)) {
        ev.text = weir_json_text(d->j, input);
        ev.at = d->j->nodes[input].at;
        ev.len = d->j->nodes[input].len;
        ev.raw = true;
    }
    ev.last = d->whole;
    b->open = !d->whole;
    weir_emit(d->c, &ev);
}

/* The text in {"input": text}; what is no such object is handed on as it is. */
static void custom_end(struct decoder *d, struct anthropic_block *b)
{
    struct weir_event ev = event_of(WEIR_TEXT, b->index);
    struct weir_str raw = text_view(&b->input);
    struct weir_error none = {{0}, {0}, {0}};
    const struct weir_json *j = raw.len ? weir_skim(d->c, raw, &none) : NULL;
    uint32_t input = j ? weir_json_get(j, 0, "input") : WEIR_NO_NODE;

    ev.text = input != WEIR_NO_NODE && node_is_string(j, input) ? node_value(d->c, j, input) : raw;
    ev.tool_id = b->id;
    ev.tool_name = b->name;
    ev.last = true;
    b->kind = BLOCK_OTHER;
    weir_emit(d->c, &ev);
}

/* ---- content ---- */

static enum block_kind kind_of(const struct decoder *d, uint32_t block)
{
    static const struct {
        const char *type;
        enum block_kind kind;
    } kinds[] = {
        {"text", BLOCK_TEXT},         {"thinking", BLOCK_THINKING},
        {"tool_use", BLOCK_TOOL},     {"server_tool_use", BLOCK_TOOL},
        {"mcp_tool_use", BLOCK_TOOL}, {"compaction", BLOCK_COMPACTION},
    };
    uint32_t type = member(d, block, "type");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (node_says(d->j, type, kinds[i].type))
            return kinds[i].kind;
    return BLOCK_OTHER;
}

/* Calls that the vendor makes and answers itself mean nothing to a client of another dialect. */
static bool is_hidden(const struct decoder *d, uint32_t block, enum block_kind kind)
{
    return d->other &&
           (kind == BLOCK_COMPACTION || (kind == BLOCK_TOOL && !node_says(d->j, member(d, block, "type"), "tool_use")));
}

/* content_block_start, or a block of a whole answer. */
static void block_begin(struct decoder *d, uint32_t index, uint32_t block)
{
    enum block_kind kind = kind_of(d, block);
    struct anthropic_block *b;
    bool whole = d->whole;

    if (block_find(d, index)) {
        decode_fails(d, "a block begins twice");
        return;
    }
    if (is_hidden(d, block, kind))
        kind = BLOCK_OTHER;
    b = block_new(d, index, kind);
    b->ended = whole;
    switch (kind) {
    case BLOCK_TEXT:
        block_text(d, b, member(d, block, "text"), whole);
        put_strings(d, member(d, block, "citations"));
        return;
    case BLOCK_THINKING:
        block_text(d, b, member(d, block, "thinking"), whole);
        put_opaque(d, index, "anthropic.signature", member_value(d, block, "signature"));
        return;
    case BLOCK_TOOL:
        tool_begin(d, b, block);
        if (b->kind == BLOCK_CUSTOM && whole)
            custom_end(d, b);
        return;
    case BLOCK_COMPACTION:
        block_text(d, b, member(d, block, "content"), whole);
        return;
    case BLOCK_CUSTOM:
    case BLOCK_OTHER:
        break;
    }
    if (node_says(d->j, member(d, block, "type"), "redacted_thinking"))
        put_opaque(d, index, "anthropic.redacted", member_value(d, block, "data"));
    else
        put_strings(d, member(d, block, "content"));
}

static void block_delta(struct decoder *d, uint32_t index, uint32_t delta)
{
    static const struct {
        const char *type, *key;
        enum block_kind kind;
    } deltas[] = {
        {"text_delta", "text", BLOCK_TEXT},
        {"thinking_delta", "thinking", BLOCK_THINKING},
        {"input_json_delta", "partial_json", BLOCK_TOOL},
        {"compaction_delta", "content", BLOCK_COMPACTION},
    };
    struct anthropic_block *b = block_find(d, index);
    uint32_t type = member(d, delta, "type");

    if (node_says(d->j, type, "signature_delta"))
        put_opaque(d, index, "anthropic.signature", member_value(d, delta, "signature"));
    if (node_says(d->j, type, "citations_delta"))
        put_strings(d, member(d, delta, "citation"));
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        if (!node_says(d->j, type, deltas[i].type))
            continue;
        if (!b && !(deltas[i].kind == BLOCK_COMPACTION && d->other)) /* a server that begins no blocks */
            b = block_new(d, index, deltas[i].kind);
        if (b && b->kind == deltas[i].kind)
            block_text(d, b, member(d, delta, deltas[i].key), false);
        else if (b && b->kind == BLOCK_CUSTOM)
            text_str(&b->input, member_value(d, delta, "partial_json"));
    }
}

static void block_end(struct decoder *d, struct anthropic_block *b)
{
    struct weir_event ev = event_of(block_channel(b), b->index);

    b->ended = true;
    if (b->kind == BLOCK_CUSTOM)
        custom_end(d, b);
    if (!b->open)
        return;
    b->open = false;
    ev.last = true;
    weir_emit(d->c, &ev);
}

void blocks_end(struct decoder *d)
{
    for (uint32_t i = 0; i < d->l->count; i++)
        block_end(d, &d->l->blocks[i]);
}

/* ---- frames ---- */

static bool decode_block(struct decoder *d, uint32_t type)
{
    int64_t index = weir_json_int(d->j, member(d, 0, "index"), -1);
    bool start = node_says(d->j, type, "content_block_start");
    struct anthropic_block *b;

    if (index < 0 || index >= MOST_BLOCKS)
        return decode_fails(d, "a block's index makes no sense");
    b = block_find(d, (uint32_t)index);
    if (b && b->ended && node_says(d->j, type, "content_block_delta"))
        return decode_fails(d, "a block goes on after its end");
    if (start)
        block_begin(d, (uint32_t)index, member(d, 0, "content_block"));
    else if (node_says(d->j, type, "content_block_delta"))
        block_delta(d, (uint32_t)index, member(d, 0, "delta"));
    else if (b)
        block_end(d, b);
    return !d->failed;
}

/* The blocks of a whole answer; some servers begin a stream with blocks, and even end it, in its first record. */
static bool decode_blocks(struct decoder *d, uint32_t content)
{
    bool before = d->whole;
    uint32_t index = 0;

    d->whole = true;
    for (EACH_ITEM(d->j, block, content)) {
        if (index == MOST_BLOCKS)
            return decode_fails(d, "the answer has too many blocks");
        if (weir_json_is(d->j, block, WEIR_JSON_OBJECT))
            block_begin(d, index++, block);
    }
    d->whole = before;
    return !d->failed;
}

static bool decode_start(struct decoder *d, uint32_t message)
{
    bool again = d->l->started;

    if (!put_start(d, message))
        return false;
    if (!again && !decode_blocks(d, member(d, message, "content")))
        return false;
    put_tokens(d, member(d, message, "usage"));
    put_finish(d, message);
    return !d->failed;
}

static bool decode_record(struct decoder *d)
{
    uint32_t type = member(d, 0, "type"), error = member(d, 0, "error");
    struct weir_str s = node_is_string(d->j, type) ? weir_json_text(d->j, type) : WEIR_STR("");

    if (node_there(d->j, error) || str_is(s, "error")) {
        put_error(d, error);
    } else if (str_is(s, "message_start")) {
        return decode_start(d, member(d, 0, "message"));
    } else if (str_starts(s, "content_block_")) {
        return decode_block(d, type);
    } else if (str_is(s, "message_delta")) {
        put_tokens(d, member(d, 0, "usage"));
        put_finish(d, member(d, 0, "delta"));
    } else if (str_is(s, "message_stop")) {
        if (node_there(d->j,
                       member(d, 0, "amazon-bedrock-invocationMetrics"))) /* Bedrock's own: clients do not know it */
            weir_frame_splice(d->c, 0, (uint32_t)d->frame->data.len, WEIR_STR("{\"type\":\"message_stop\"}"));
        put_done(d);
    }
    return true;
}

static bool decode_message(struct decoder *d)
{
    uint32_t error = member(d, 0, "error"), content = member(d, 0, "content");

    if (node_there(d->j, error) || d->frame->status >= 400) {
        put_error(d, error);
        return true;
    }
    if (!weir_json_is(d->j, content, WEIR_JSON_ARRAY)) /* a count of tokens */
        return true;
    return decode_start(d, 0);
}

/* Not a JSON object: an error page, an end mark as other dialects have it, or nothing that this grammar knows. */
static bool decode_bare(struct decoder *d)
{
    struct weir_str s = d->frame->data;

    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n'))
        s.len--;
    if (d->frame->status >= 400) {
        d->j = NULL;
        put_error(d, WEIR_NO_NODE);
        return true;
    }
    if (d->frame->stream && (!s.len || str_is(s, "[DONE]")))
        return true;
    return decode_fails(d, "the answer is not a JSON object");
}

bool anthropic_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct anthropic_local *local = c->local;
    struct decoder d = {.c = c, .l = &local->read, .frame = frame, .j = frame->json, .e = e, .whole = !frame->stream};

    d.tools = local->canonical ? weir_json_get(local->canonical, 0, "tools") : WEIR_NO_NODE;
    d.canonical = local->canonical;
    d.other = !str_starts(weir_request(c)->path, "/v1/messages");
    if (frame->first)
        *local = (struct anthropic_local){.canonical = local->canonical};
    if (d.l->done) { /* nothing follows the mark */
        weir_frame_drop(c);
        return true;
    }
    if (weir_request(c)->kind >= WEIR_FILE && frame->status < 400) {
        if (!d.j)
            lines_emit(c, frame);
        return true;
    }
    if (!d.j || !weir_json_is(d.j, 0, WEIR_JSON_OBJECT))
        return decode_bare(&d);
    return frame->stream ? decode_record(&d) : decode_message(&d);
}
