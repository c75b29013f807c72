/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c -- a frame of an Anthropic-like upstream -> events.  Host: step `stream`, worker process.
 *
 * Shapes are not trusted: a member of a type that the grammar does not know is left alone (the frame goes through as it
 * came), and what cannot be numbered ends the attempt.  Blocks are numbered as the upstream numbers them.
 */
#include "anthropic.h"

#include <stdio.h>

struct decoder {
    struct weir_ctx *c;
    struct anthropic_read *l;
    const struct weir_frame *frame;
    const struct weir_json *j;
    struct weir_error *e;
    bool other; /* the client speaks another dialect: what only ours knows is left out */
    bool failed;
};

static bool give_up(struct decoder *d, const char *text)
{
    d->failed = true;
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    return false;
}

static uint32_t get(const struct decoder *d, uint32_t object, const char *key)
{
    return weir_json_get(d->j, object, key);
}

static struct weir_str value(const struct decoder *d, uint32_t object, const char *key)
{
    return get_value(d->c, d->j, object, key);
}

static struct weir_event event_of(enum weir_channel channel, uint32_t block)
{
    return (struct weir_event){.size = sizeof(struct weir_event), .channel = channel, .block = block};
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
        give_up(d, "the answer has too many strings in its blocks");
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
    const struct weir_json *j = d->other ? weir_canonical(d->c) : NULL;

    for (EACH_ITEM(j, tool, j ? weir_json_get(j, 0, "tools") : WEIR_NO_NODE))
        if (str_eq(get_value(d->c, j, tool, "name"), name))
            return weir_json_get(j, tool, "custom") != WEIR_NO_NODE;
    return false;
}

/* The client's name of a tool that was renamed for Anthropic. */
static struct weir_str tool_name(const struct decoder *d, struct weir_str said)
{
    const struct weir_json *j = d->other ? weir_canonical(d->c) : NULL;

    for (EACH_ITEM(j, tool, j ? weir_json_get(j, 0, "tools") : WEIR_NO_NODE)) {
        struct weir_str name = get_value(d->c, j, tool, "name");
        if (str_eq(lower_tool_name(d->c, name), said))
            return name;
    }
    return said;
}

static void tool_begin(struct decoder *d, struct anthropic_block *b, uint32_t block)
{
    struct weir_event ev = event_of(WEIR_ARGUMENTS, b->index);
    uint32_t input = get(d, block, "input");
    struct weir_str id = value(d, block, "id"), name = tool_name(d, value(d, block, "name"));

    if (is_custom(d, name)) {
        b->kind = BLOCK_CUSTOM;
        b->id = text_keep(d->c, id);
        b->name = text_keep(d->c, name);
        if (!d->frame->stream && weir_json_is(d->j, input, WEIR_JSON_OBJECT))
            text_str(&b->input, weir_json_text(d->j, input));
        return;
    }
    ev.tool_id = id;
    ev.tool_name = name;
    /* A stream begins with {}, which is no input yet. */
    if (weir_json_is(d->j, input, WEIR_JSON_OBJECT) &&
        (!d->frame->stream || weir_json_first(d->j, input) != WEIR_NO_NODE)) {
        ev.text = weir_json_text(d->j, input);
        ev.at = d->j->nodes[input].at;
        ev.len = d->j->nodes[input].len;
        ev.raw = true;
    }
    ev.last = !d->frame->stream;
    b->open = d->frame->stream;
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
    struct text as_sent = {.c = d->c};

    text_json(&as_sent, input != WEIR_NO_NODE && node_is_string(j, input) ? node_value(d->c, j, input) : raw);
    ev.text = text_view(&as_sent);
    ev.escaped = ev.text.len && memchr(ev.text.ptr, '\\', ev.text.len);
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
    uint32_t type = get(d, block, "type");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (node_says(d->j, type, kinds[i].type))
            return kinds[i].kind;
    return BLOCK_OTHER;
}

/* Calls that the vendor makes and answers itself mean nothing to a client of another dialect. */
static bool is_hidden(const struct decoder *d, uint32_t block, enum block_kind kind)
{
    return d->other &&
           (kind == BLOCK_COMPACTION || (kind == BLOCK_TOOL && !node_says(d->j, get(d, block, "type"), "tool_use")));
}

/* content_block_start, or a block of a whole answer. */
static void block_begin(struct decoder *d, uint32_t index, uint32_t block)
{
    enum block_kind kind = kind_of(d, block);
    struct anthropic_block *b;
    bool whole = !d->frame->stream;

    if (is_hidden(d, block, kind))
        kind = BLOCK_OTHER;
    b = block_new(d, index, kind);
    switch (kind) {
    case BLOCK_TEXT:
        block_text(d, b, get(d, block, "text"), whole);
        put_strings(d, get(d, block, "citations"));
        return;
    case BLOCK_THINKING:
        block_text(d, b, get(d, block, "thinking"), whole);
        put_opaque(d, index, "anthropic.signature", value(d, block, "signature"));
        return;
    case BLOCK_TOOL:
        tool_begin(d, b, block);
        if (b->kind == BLOCK_CUSTOM && whole)
            custom_end(d, b);
        return;
    case BLOCK_COMPACTION:
        block_text(d, b, get(d, block, "content"), whole);
        return;
    case BLOCK_CUSTOM:
    case BLOCK_OTHER:
        break;
    }
    if (node_says(d->j, get(d, block, "type"), "redacted_thinking"))
        put_opaque(d, index, "anthropic.redacted", value(d, block, "data"));
    else
        put_strings(d, get(d, block, "content"));
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
    uint32_t type = get(d, delta, "type");

    if (node_says(d->j, type, "signature_delta"))
        put_opaque(d, index, "anthropic.signature", value(d, delta, "signature"));
    if (node_says(d->j, type, "citations_delta"))
        put_strings(d, get(d, delta, "citation"));
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        if (!node_says(d->j, type, deltas[i].type))
            continue;
        if (!b && !(deltas[i].kind == BLOCK_COMPACTION && d->other)) /* a server that begins no blocks */
            b = block_new(d, index, deltas[i].kind);
        if (b && b->kind == deltas[i].kind)
            block_text(d, b, get(d, delta, deltas[i].key), false);
        else if (b && b->kind == BLOCK_CUSTOM)
            text_str(&b->input, value(d, delta, "partial_json"));
    }
}

static void block_end(struct decoder *d, struct anthropic_block *b)
{
    struct weir_event ev = event_of(block_channel(b), b->index);

    if (b->kind == BLOCK_CUSTOM)
        custom_end(d, b);
    if (!b->open)
        return;
    b->open = false;
    ev.last = true;
    weir_emit(d->c, &ev);
}

static void blocks_end(struct decoder *d)
{
    for (uint32_t i = 0; i < d->l->count; i++)
        block_end(d, &d->l->blocks[i]);
}

/* ---- usage, start and end ---- */

static int64_t tokens(const struct decoder *d, uint32_t object, const char *key)
{
    int64_t v = weir_json_int(d->j, get(d, object, key), -1);

    return v > MOST_TOKENS ? -1 : v;
}

/* What is written to the cache is told twice: as a sum, and by how long it stays. */
static int64_t tokens_written(const struct decoder *d, uint32_t usage)
{
    uint32_t by = get(d, usage, "cache_creation");
    int64_t sum = tokens(d, usage, "cache_creation_input_tokens");
    int64_t a = tokens(d, by, "ephemeral_5m_input_tokens"), b = tokens(d, by, "ephemeral_1h_input_tokens");

    if (sum >= 0 || (a < 0 && b < 0))
        return sum;
    return (a > 0 ? a : 0) + (b > 0 ? b : 0);
}

static void put_usage(struct decoder *d, uint32_t usage)
{
    struct weir_event ev = event_of(WEIR_USAGE, 0);
    struct weir_usage u = {-1, -1, -1, -1, -1, -1, -1};

    if (!weir_json_is(d->j, usage, WEIR_JSON_OBJECT))
        return;
    u.input = tokens(d, usage, "input_tokens");
    u.cache_read = tokens(d, usage, "cache_read_input_tokens");
    u.cache_write = tokens_written(d, usage);
    u.output = tokens(d, usage, "output_tokens");
    u.reasoning = tokens(d, get(d, usage, "output_tokens_details"), "thinking_tokens");
    if (u.output >= 0 && u.reasoning >= 0) {
        if (u.reasoning > u.output)
            u.reasoning = u.output;
        u.output -= u.reasoning;
    }
    ev.usage = &u;
    weir_emit(d->c, &ev);
}

/* false: another answer has begun inside this one. */
static bool put_start(struct decoder *d, uint32_t message)
{
    struct weir_event ev = event_of(WEIR_START, 0);

    ev.detail = value(d, message, "id");
    ev.value = value(d, message, "model");
    if (d->l->started)
        return str_eq(ev.detail, d->l->id) || give_up(d, "another answer begins in the middle of this one");
    d->l->started = true;
    d->l->id = text_keep(d->c, ev.detail);
    weir_emit(d->c, &ev);
    return true;
}

static enum weir_finish finish_of(struct weir_str reason)
{
    static const struct {
        const char *reason;
        enum weir_finish finish;
    } words[] = {
        {"end_turn", WEIR_FINISH_STOP},     {"stop_sequence", WEIR_FINISH_STOP_SEQUENCE},
        {"max_tokens", WEIR_FINISH_LENGTH}, {"tool_use", WEIR_FINISH_TOOL_CALLS},
        {"pause_turn", WEIR_FINISH_PAUSED}, {"model_context_window_exceeded", WEIR_FINISH_CONTEXT},
        {"refusal", WEIR_FINISH_FILTERED},  {"compaction", WEIR_FINISH_PAUSED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(reason, words[i].reason))
            return words[i].finish;
    return WEIR_FINISH_UNKNOWN;
}

static void put_finish(struct decoder *d, uint32_t object)
{
    struct weir_event ev = event_of(WEIR_FINISH, 0);

    ev.detail = value(d, object, "stop_reason");
    if (!ev.detail.len || str_eq(ev.detail, d->l->end))
        return;
    d->l->end = text_keep(d->c, ev.detail);
    blocks_end(d);
    ev.finish = finish_of(ev.detail);
    if (ev.finish == WEIR_FINISH_STOP_SEQUENCE)
        ev.value = value(d, object, "stop_sequence");
    weir_emit(d->c, &ev);
}

static void put_done(struct decoder *d)
{
    struct weir_event ev = event_of(WEIR_DONE_MARK, 0);

    blocks_end(d);
    d->l->done = true;
    weir_emit(d->c, &ev);
}

/* ---- errors ---- */

static int status_of(struct weir_str type)
{
    static const struct {
        const char *type;
        int status;
    } types[] = {
        {"invalid_request_error", 400}, {"authentication_error", 401},
        {"billing_error", 402},         {"permission_error", 403},
        {"not_found_error", 404},       {"timeout_error", 504},
        {"conflict_error", 409},        {"request_too_large", 413},
        {"rate_limit_error", 429},      {"api_error", 500},
        {"overloaded_error", 529},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_is(type, types[i].type))
            return types[i].status;
    return 0;
}

/* {"error": {"type", "message"}}, or what servers that only look like Anthropic send. */
static void put_error(struct decoder *d, uint32_t error)
{
    struct weir_event ev = event_of(WEIR_ERRORED, 0);

    if (d->j && weir_json_is(d->j, error, WEIR_JSON_OBJECT)) {
        ev.value = value(d, error, "type");
        ev.detail = value(d, error, "message");
    } else if (d->j) {
        ev.detail = node_value(d->c, d->j, error);
        if (!ev.detail.len)
            ev.detail = value(d, 0, "message");
    }
    ev.status = d->frame->status >= 400 ? d->frame->status : status_of(ev.value);
    if (str_is(ev.value, "invalid_request_error") && str_starts(ev.detail, "prompt is too long"))
        ev.value = WEIR_STR("context_length_exceeded");
    weir_emit(d->c, &ev);
}

/* ---- frames ---- */

static bool decode_block(struct decoder *d, uint32_t type)
{
    int64_t index = weir_json_int(d->j, get(d, 0, "index"), -1);
    bool start = node_says(d->j, type, "content_block_start");
    struct anthropic_block *b;

    if (index < 0 || index >= MOST_BLOCKS)
        return give_up(d, "a block's index makes no sense");
    b = block_find(d, (uint32_t)index);
    if (start && b)
        return give_up(d, "a block begins twice");
    if (start)
        block_begin(d, (uint32_t)index, get(d, 0, "content_block"));
    else if (node_says(d->j, type, "content_block_delta"))
        block_delta(d, (uint32_t)index, get(d, 0, "delta"));
    else if (b)
        block_end(d, b);
    return !d->failed;
}

static bool decode_record(struct decoder *d)
{
    uint32_t type = get(d, 0, "type"), error = get(d, 0, "error");
    struct weir_str s = node_is_string(d->j, type) ? weir_json_text(d->j, type) : WEIR_STR("");

    if (node_there(d->j, error) || str_is(s, "error")) {
        put_error(d, error);
    } else if (str_is(s, "message_start")) {
        if (!put_start(d, get(d, 0, "message")))
            return false;
        put_usage(d, get(d, get(d, 0, "message"), "usage"));
    } else if (str_starts(s, "content_block_")) {
        return decode_block(d, type);
    } else if (str_is(s, "message_delta")) {
        put_usage(d, get(d, 0, "usage"));
        put_finish(d, get(d, 0, "delta"));
    } else if (str_is(s, "message_stop")) {
        put_done(d);
    }
    return true;
}

static bool decode_message(struct decoder *d)
{
    uint32_t error = get(d, 0, "error"), content = get(d, 0, "content"), index = 0;

    if (node_there(d->j, error) || d->frame->status >= 400) {
        put_error(d, error);
        return true;
    }
    if (!weir_json_is(d->j, content, WEIR_JSON_ARRAY)) /* a count of tokens */
        return true;
    put_start(d, 0);
    for (EACH_ITEM(d->j, block, content)) {
        if (index == MOST_BLOCKS)
            return give_up(d, "the answer has too many blocks");
        if (weir_json_is(d->j, block, WEIR_JSON_OBJECT))
            block_begin(d, index++, block);
    }
    put_usage(d, get(d, 0, "usage"));
    put_finish(d, 0);
    return !d->failed;
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
    return give_up(d, "the answer is not a JSON object");
}

bool anthropic_decode(struct weir_ctx *c, const struct weir_frame *frame, struct weir_error *e)
{
    struct anthropic_local *local = c->local;
    struct decoder d = {.c = c, .l = &local->read, .frame = frame, .j = frame->json, .e = e};

    d.other = weir_canonical(c) != NULL;
    if (frame->first)
        *local = (struct anthropic_local){0};
    if (d.l->done) { /* nothing follows the mark */
        weir_frame_drop(c);
        return true;
    }
    if (!d.j || !weir_json_is(d.j, 0, WEIR_JSON_OBJECT))
        return decode_bare(&d);
    return frame->stream ? decode_record(&d) : decode_message(&d);
}
