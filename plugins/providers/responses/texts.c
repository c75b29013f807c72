/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.c -- the texts of an answer as events; called by decode.c.
 *
 * Every text comes in pieces and then up to four times as a whole: in its own `done`, its part's, its item's, and the
 * response's.  Those are copies, known by their digest, so that what a guardrail did to the pieces reaches each of
 * them; what is no copy is a text of its own that the guardrails see.
 *
 * For a client of another dialect copies say nothing, and the parts of one item's reasoning are one block with blank
 * lines between, since there is one encrypted whole of them.
 */
#include <stdio.h>

#include "canon.h"
#include "decode.h"

bool give_up(struct decoder *d, const char *text)
{
    d->failed = true;
    snprintf(d->e->text, sizeof d->e->text, "%s", text);
    snprintf(d->e->code, sizeof d->e->code, "invalid_answer");
    return false;
}

static struct weir_event event_of(enum weir_channel channel, uint32_t block)
{
    return (struct weir_event){.size = sizeof(struct weir_event), .channel = channel, .block = block};
}

static void event_place(struct decoder *d, struct weir_event *ev, uint32_t node)
{
    ev->text = weir_json_text(d->j, node);
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
    ev->escaped = d->j->nodes[node].escaped;
}

static bool is_text(const struct decoder *d, uint32_t node)
{
    return node_is_string(d->j, node) && d->j->nodes[node].len > 0;
}

static struct stream *get(struct decoder *d, uint32_t output, enum stream_kind kind, uint32_t part)
{
    struct stream *s = stream_get(d->c, output, kind, part);

    if (!s)
        give_up(d, "the answer has too many texts");
    return s;
}

/* A client of another dialect gets what the model says and calls of its tools, and of these nothing before their name:
 * what came too early is in the whole. */
static bool is_hidden(const struct decoder *d, const struct stream *s)
{
    bool call = s->kind == KIND_ARGUMENTS || s->kind == KIND_CUSTOM;

    return d->l->foreign && (!stream_grammar[s->kind].told || (call && !s->named));
}

static bool merges(const struct decoder *d, enum stream_kind kind)
{
    return d->l->foreign && stream_grammar[kind].channel == WEIR_REASONING;
}

/* The stream whose block a text's events have: with merged reasoning, the item's first. */
static struct stream *head_of(struct decoder *d, struct stream *s)
{
    if (merges(d, s->kind))
        for (uint32_t i = 0; i < d->l->stream_count; i++)
            if (d->l->streams[i].output == s->output && merges(d, d->l->streams[i].kind))
                return &d->l->streams[i];
    return s;
}

static uint32_t block_of(const struct decoder *d, const struct stream *s)
{
    return (uint32_t)(s - d->l->streams);
}

static void emit_last(struct decoder *d, struct stream *s)
{
    struct weir_event ev = event_of(stream_grammar[s->kind].channel, block_of(d, s));

    ev.last = true;
    s->open = false;
    s->over = true;
    weir_emit(d->c, &ev);
}

static void emit_piece(struct decoder *d, struct stream *s, uint32_t node, bool last)
{
    struct stream *head = head_of(d, s);
    struct weir_event ev = event_of(stream_grammar[s->kind].channel, block_of(d, head));

    if (head->over) { /* a part that comes when its item is done */
        text_stray(d, ev.channel, node);
        return;
    }
    if (head != s && !s->begun && head->open) {
        struct weir_event blank = ev;
        blank.text = WEIR_STR("\n\n");
        weir_emit(d->c, &blank);
    }
    event_place(d, &ev, node);
    digest_add(&s->digest, ev.text);
    if (!s->begun)
        s->frame = d->l->frames;
    s->begun = true;
    head->open = true;
    if (last && !merges(d, s->kind)) {
        ev.last = s->over = true;
        s->open = false;
    }
    weir_emit(d->c, &ev);
}

/* After its end a text that goes on is one of its own, too: what was held has been let go. */
void text_stray(struct decoder *d, enum weir_channel channel, uint32_t node)
{
    struct weir_event ev;

    if (d->l->foreign || !is_text(d, node))
        return;
    if (d->l->stray_count == MOST_STRAYS) {
        give_up(d, "the answer has too many texts");
        return;
    }
    ev = event_of(channel, STRAY_BLOCK + d->l->stray_count++);
    event_place(d, &ev, node);
    ev.last = true;
    weir_emit(d->c, &ev);
}

void text_piece(struct decoder *d, uint32_t output, enum stream_kind kind, uint32_t part, uint32_t node,
                struct weir_str item)
{
    struct stream *s = get(d, output, kind, part);

    if (!s || !is_text(d, node))
        return;
    s->missed |= is_hidden(d, s);
    if (s->missed)
        return;
    if (!s->item.len && item.len && item.len <= 256)
        s->item = text_keep(d->c, item);
    if (s->ended)
        text_stray(d, stream_grammar[kind].channel, node);
    else
        emit_piece(d, s, node, false);
}

static void emit_copy(struct decoder *d, const struct stream *s, uint32_t node)
{
    struct weir_event ev = event_of(stream_grammar[s->kind].channel, block_of(d, s));

    event_place(d, &ev, node);
    ev.copy = true;
    weir_emit(d->c, &ev);
}

void text_whole(struct decoder *d, uint32_t output, enum stream_kind kind, uint32_t part, uint32_t node)
{
    struct stream *s = get(d, output, kind, part), *same;
    struct digest digest = {0, 0};

    if (!s || is_hidden(d, s) || (!s->begun && !is_text(d, node)))
        return; /* an empty whole ends nothing: a later one may say more */
    if (is_text(d, node))
        digest_add(&digest, weir_json_text(d->j, node));
    same = s->begun && digest_eq(s->digest, digest) ? s : stream_same(d->l, kind, digest, d->before);
    if (!same && !s->begun && !s->ended) {
        emit_piece(d, s, node, true);
    } else {
        if (s->open && !merges(d, kind))
            emit_last(d, s);
        if (same && !d->l->foreign && is_text(d, node))
            emit_copy(d, same, node);
        else if (!same && is_text(d, node))
            text_stray(d, stream_grammar[kind].channel, node);
    }
    s->ended = true;
}

void text_shadow(struct decoder *d, uint32_t output, enum stream_kind kind, uint32_t part, uint32_t array)
{
    struct stream *s;
    struct weir_event ev;

    if (d->l->foreign || !weir_json_is(d->j, array, WEIR_JSON_ARRAY) || d->j->nodes[array].len < 3)
        return;
    s = get(d, output, kind, part);
    if (!s)
        return;
    ev = event_of(stream_grammar[kind].channel, block_of(d, s));
    ev.copy = true;
    ev.at = d->j->nodes[array].at;
    ev.len = d->j->nodes[array].len;
    weir_emit(d->c, &ev);
}

void texts_end(struct decoder *d, bool all, uint32_t output)
{
    for (uint32_t i = 0; i < d->l->stream_count; i++) {
        struct stream *s = &d->l->streams[i];
        if (!all && s->output != output)
            continue;
        if (s->open)
            emit_last(d, s);
        s->ended = true;
    }
}

/* ---- parts ---- */

void part_texts(struct decoder *d, uint32_t output, uint32_t part, uint32_t index)
{
    static const struct {
        const char *type, *key;
        enum stream_kind kind;
    } parts[] = {
        {"output_text", "text", KIND_TEXT},         {"text", "text", KIND_TEXT},
        {"refusal", "refusal", KIND_REFUSAL},       {"summary_text", "text", KIND_SUMMARY},
        {"reasoning_text", "text", KIND_REASONING},
    };
    uint32_t type = weir_json_get(d->j, part, "type"), text = WEIR_NO_NODE;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!node_says(d->j, type, parts[i].type))
            continue;
        text = weir_json_get(d->j, part, parts[i].key);
        if (is_text(d, text))
            text_whole(d, output, parts[i].kind, index, text);
        text_shadow(d, output, parts[i].kind, index, weir_json_get(d->j, part, "logprobs"));
    }
    if (!weir_json_is(d->j, part, WEIR_JSON_OBJECT))
        strings_say(d, part);
    for (EACH_KEY(d->j, k, part))
        if (k + 1 != text)
            strings_member(d, k);
}

static void list_texts(struct decoder *d, uint32_t output, uint32_t array)
{
    uint32_t i = 0;

    for (EACH_ITEM(d->j, part, array))
        part_texts(d, output, part, i++);
}

/* ---- calls ---- */

/* The client's name of a tool that was renamed for this upstream. */
static struct weir_str tool_name(const struct decoder *d, struct weir_str said)
{
    const struct weir_json *j = weir_canonical(d->c);

    for (EACH_ITEM(j, tool, j ? weir_json_get(j, 0, "tools") : WEIR_NO_NODE)) {
        struct weir_str name = get_value(d->c, j, tool, "name");
        if (str_eq(tool_name_sent(d->c, name), said))
            return name;
    }
    return said;
}

/* xAI tells of its own search as custom calls: what the client has not declared is none of its. */
void call_begin(struct decoder *d, uint32_t output, uint32_t item)
{
    uint32_t type = weir_json_get(d->j, item, "type");
    bool custom = node_says(d->j, type, "custom_tool_call");
    enum stream_kind kind = custom ? KIND_CUSTOM : KIND_ARGUMENTS;
    struct weir_event ev;
    struct weir_str name;
    struct stream *s;

    if (!custom && !node_says(d->j, type, "function_call"))
        return;
    name = tool_name(d, get_value(d->c, d->j, item, "name"));
    if (custom && d->l->foreign && !tool_is_custom(d->c, weir_canonical(d->c), name))
        return;
    s = get(d, output, kind, 0);
    d->l->called = true;
    if (!s || s->named || s->over)
        return;
    s->named = s->open = true;
    ev = event_of(stream_grammar[kind].channel, block_of(d, s));
    ev.tool_id = get_value(d->c, d->j, item, "call_id");
    ev.tool_name = name;
    weir_emit(d->c, &ev);
}

/* ---- items ---- */

/* Commands of a shell. */
static void command_texts(struct decoder *d, uint32_t output, uint32_t array)
{
    uint32_t i = 0;

    for (EACH_ITEM(d->j, node, array)) {
        if (is_text(d, node))
            text_whole(d, output, KIND_COMMAND, i, node);
        else
            strings_say(d, node);
        i++;
    }
}

static void one_text(struct decoder *d, uint32_t output, enum stream_kind kind, uint32_t node)
{
    if (is_text(d, node))
        text_whole(d, output, kind, 0, node);
    else
        strings_say(d, node);
}

/* Encrypted reasoning belongs to the item's block, and comes only when that is complete.  A weir as the upstream says
 * whose it is. */
static void opaque_texts(struct decoder *d, uint32_t output, uint32_t item)
{
    struct weir_str data = get_value(d->c, d->j, item, "encrypted_content"), kind = reasoning_kind(d->c);
    struct weir_event ev;
    struct stream *s;

    if (!data.len || !d->l->foreign || (opaque_read(data, &kind, &data) && !data.len))
        return;
    s = get(d, output, KIND_SUMMARY, 0);
    if (!s || s->named)
        return;
    s->named = true;
    ev = event_of(WEIR_OPAQUE, block_of(d, head_of(d, s)));
    ev.detail = data;
    ev.value = kind;
    weir_emit(d->c, &ev);
}

/* What a tool is told to do: members of `action` and `operation`. */
static void action_texts(struct decoder *d, uint32_t output, uint32_t action)
{
    for (EACH_KEY(d->j, k, action)) {
        if (weir_json_is(d->j, k + 1, WEIR_JSON_ARRAY) && (KEY_IS(d->j, k, "commands") || KEY_IS(d->j, k, "command")))
            command_texts(d, output, k + 1);
        else if (KEY_IS(d->j, k, "diff"))
            one_text(d, output, KIND_DIFF, k + 1);
        else
            strings_member(d, k);
    }
}

static void member_texts(struct decoder *d, uint32_t output, uint32_t type, uint32_t key)
{
    static const struct {
        const char *type, *key;
        enum stream_kind kind;
    } wholes[] = {
        {"function_call", "arguments", KIND_ARGUMENTS},
        {"custom_tool_call", "input", KIND_CUSTOM},
        {"mcp_call", "arguments", KIND_MCP},
        {"mcp_approval_request", "arguments", KIND_MCP},
        {"code_interpreter_call", "code", KIND_CODE},
    };
    const struct weir_json *j = d->j;
    uint32_t v = key + 1;

    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
        if (node_says(j, type, wholes[i].type) && weir_json_eq(j, key, wholes[i].key, strlen(wholes[i].key))) {
            one_text(d, output, wholes[i].kind, v);
            return;
        }
    if (weir_json_is(j, v, WEIR_JSON_ARRAY) && (KEY_IS(j, key, "content") || KEY_IS(j, key, "summary")))
        list_texts(d, output, v);
    else if (weir_json_is(j, v, WEIR_JSON_OBJECT) && (KEY_IS(j, key, "action") || KEY_IS(j, key, "operation")))
        action_texts(d, output, v);
    else
        strings_member(d, key);
}

void item_texts(struct decoder *d, uint32_t output, uint32_t item, bool ends)
{
    uint32_t type = weir_json_get(d->j, item, "type");

    call_begin(d, output, item);
    if (!weir_json_is(d->j, item, WEIR_JSON_OBJECT))
        strings_say(d, item);
    for (EACH_KEY(d->j, k, item))
        member_texts(d, output, type, k);
    if (!ends)
        return;
    texts_end(d, false, output);
    if (node_says(d->j, type, "reasoning"))
        opaque_texts(d, output, item);
}
