/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c -- answers of other dialects, as clients of this one get them: a stream, or one body.  Host: steps `stream`
 * and `close`, worker process.
 *
 * Each block is an item: a message with one text, a reasoning with one summary, a call.  Items may be open side by
 * side, for every record says which one it is about.  All texts are kept, since they are said again at the end of their
 * item and of the response; there is a ceiling.  The item whose text ended last waits for what comes next: reasoning
 * may get the opaque data that goes with it, and what the answer's limit cut off is not complete.
 */
#include "canon.h"
#include "responses.h"

/* ---- records ---- */

/* Every record of a stream: `event: TYPE`, `data: {"type":TYPE, ... ,"sequence_number":N}`. */
static struct emit record_begin(struct weir_ctx *c, const char *type)
{
    struct responses_local *l = c->local;
    struct emit m = {.t = l->out};

    m.t.c = c;
    m.t.len = 0;
    text_lit(&m.t, "event: ");
    text_str(&m.t, str_of(type));
    text_lit(&m.t, "\ndata: ");
    emit_open(&m, '{');
    emit_member_text(&m, "type", str_of(type));
    return m;
}

static void record_end(struct weir_ctx *c, struct emit *m)
{
    struct responses_local *l = c->local;

    emit_key(m, "sequence_number");
    emit_int(m, l->sequence++);
    emit_close(m, '}');
    text_lit(&m->t, "\n\n");
    weir_out(c, text_view(&m->t));
    l->out = m->t; /* the memory serves the next record */
}

static void put_response(struct weir_ctx *c, const char *type, const char *status)
{
    struct emit m = record_begin(c, type);

    emit_key(&m, "response");
    object_write(c, &m, status, NULL);
    record_end(c, &m);
}

static void put_item(struct weir_ctx *c, const char *type, uint32_t index, const char *status)
{
    struct emit m = record_begin(c, type);

    emit_key(&m, "output_index");
    emit_int(&m, index);
    emit_key(&m, "item");
    item_write(c, &m, index, status);
    record_end(c, &m);
}

static struct emit inner_begin(struct weir_ctx *c, const char *type, uint32_t index)
{
    const struct responses_local *l = c->local;
    struct emit m = record_begin(c, type);
    uint8_t kind = l->items[index].kind;

    emit_key(&m, "item_id");
    item_id_write(c, &m, index);
    emit_key(&m, "output_index");
    emit_int(&m, index);
    if (kind == ITEM_MESSAGE || kind == ITEM_REASONING) {
        emit_key(&m, kind == ITEM_MESSAGE ? "content_index" : "summary_index");
        emit_int(&m, 0);
    }
    return m;
}

static void put_part_record(struct weir_ctx *c, const char *type, uint32_t index, struct weir_str text)
{
    const struct responses_local *l = c->local;
    struct emit m = inner_begin(c, type, index);
    bool message = l->items[index].kind == ITEM_MESSAGE;

    emit_key(&m, "part");
    emit_open(&m, '{');
    emit_member_text(&m, "type", message ? WEIR_STR("output_text") : WEIR_STR("summary_text"));
    emit_member_text(&m, "text", text);
    if (message) {
        emit_key(&m, "annotations");
        emit_raw(&m, WEIR_STR("[]"));
    }
    emit_close(&m, '}');
    record_end(c, &m);
}

static void put_piece(struct weir_ctx *c, const char *type, uint32_t index, const char *key, struct weir_str text)
{
    const struct responses_local *l = c->local;
    struct emit m = inner_begin(c, type, index);

    emit_member_text(&m, key, text);
    if (l->items[index].kind == ITEM_MESSAGE) {
        emit_key(&m, "logprobs");
        emit_raw(&m, WEIR_STR("[]"));
    }
    record_end(c, &m);
}

/* ---- items ---- */

static const struct {
    const char *delta, *done, *whole, *added, *part_done; /* the last two: an item with a part */
} item_grammar[] = {
    [ITEM_MESSAGE] = {"response.output_text.delta", "response.output_text.done", "text", "response.content_part.added",
                      "response.content_part.done"},
    [ITEM_REASONING] = {"response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", "text",
                        "response.reasoning_summary_part.added", "response.reasoning_summary_part.done"},
    [ITEM_FUNCTION] = {"response.function_call_arguments.delta", "response.function_call_arguments.done", "arguments",
                       NULL, NULL},
    [ITEM_CUSTOM] = {"response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "input", NULL,
                     NULL},
};

static bool streams(struct weir_ctx *c)
{
    return weir_request(c)->stream;
}

static uint32_t item_new(struct weir_ctx *c, const struct weir_event *ev, enum item_kind kind)
{
    struct responses_local *l = c->local;
    struct item *it;

    if (l->item_count == l->item_cap) {
        uint32_t cap = l->item_cap ? l->item_cap * 2 : 4;
        struct item *more = weir_alloc(c, cap * sizeof *more);
        if (l->item_count)
            memcpy(more, l->items, l->item_count * sizeof *more);
        l->items = more;
        l->item_cap = cap;
    }
    it = &l->items[l->item_count];
    *it = (struct item){.kind = (uint8_t)kind,
                        .channel = (uint8_t)ev->channel,
                        .choice = ev->choice,
                        .block = ev->block,
                        .text.c = c,
                        .call_id = text_keep(c, ev->tool_id),
                        .name = text_keep(c, ev->tool_name)};
    return l->item_count++;
}

static void item_begin(struct weir_ctx *c, uint32_t index)
{
    const struct responses_local *l = c->local;
    struct item *it = &l->items[index];

    if ((it->kind == ITEM_FUNCTION || it->kind == ITEM_CUSTOM) && !it->call_id.len) {
        struct emit id = {.t.c = c}; /* upstreams without ids: one of the place, always the same */
        item_id_write(c, &id, index);
        it->call_id = (struct weir_str){id.t.ptr + 1, id.t.len - 2};
    }
    if (streams(c))
        put_item(c, "response.output_item.added", index, "in_progress");
    if (streams(c) && it->kind == ITEM_MESSAGE)
        put_part_record(c, item_grammar[it->kind].added, index, WEIR_STR(""));
}

/* A reasoning without text has no part: only its first piece begins one. */
static void item_piece(struct weir_ctx *c, uint32_t index, struct weir_str text)
{
    struct responses_local *l = c->local;
    struct item *it = &l->items[index];

    if (!text.len)
        return;
    if (streams(c) && it->kind == ITEM_REASONING && !it->text.len)
        put_part_record(c, item_grammar[it->kind].added, index, WEIR_STR(""));
    text_str(&it->text, text);
    l->written += text.len;
    if (streams(c) && !it->wrapped)
        put_piece(c, item_grammar[it->kind].delta, index, "delta", text);
}

/* The text in {"input": text}; what is no such object is handed on as it is. */
static void item_unwrap(struct weir_ctx *c, uint32_t index)
{
    struct responses_local *l = c->local;
    struct item *it = &l->items[index];
    struct weir_str raw = text_view(&it->text);
    struct weir_error none = {{0}, {0}, {0}};
    const struct weir_json *j = raw.len ? weir_skim(c, raw, &none) : NULL;
    uint32_t input = j ? weir_json_get(j, 0, "input") : WEIR_NO_NODE;

    it->wrapped = false;
    it->text = (struct text){.c = c};
    item_piece(c, index, input != WEIR_NO_NODE && node_is_string(j, input) ? node_value(c, j, input) : raw);
}

/* The text is complete.  Arguments that nobody sent are those of no argument. */
static void item_text_done(struct weir_ctx *c, uint32_t index)
{
    struct responses_local *l = c->local;
    struct item *it = &l->items[index];

    if (it->state != ITEM_OPEN)
        return;
    it->state = ITEM_TEXT_DONE;
    if (it->wrapped)
        item_unwrap(c, index);
    if (it->kind == ITEM_FUNCTION && !it->text.len)
        item_piece(c, index, WEIR_STR("{}"));
    if (!streams(c) || (it->kind == ITEM_REASONING && !it->text.len))
        return;
    put_piece(c, item_grammar[it->kind].done, index, item_grammar[it->kind].whole, text_view(&it->text));
    if (item_grammar[it->kind].part_done)
        put_part_record(c, item_grammar[it->kind].part_done, index, text_view(&it->text));
}

/* Reasoning that nobody encrypted says so: it must not go to a server that would look for its id. */
static void item_done(struct weir_ctx *c, uint32_t index, bool cut)
{
    struct responses_local *l = c->local;
    struct item *it = &l->items[index];

    if (it->state >= ITEM_DONE)
        return;
    item_text_done(c, index);
    it->state = cut ? ITEM_CUT : ITEM_DONE;
    if (it->kind == ITEM_REASONING && !it->encrypted.len)
        it->encrypted = opaque_mark(c, WEIR_STR("none"), WEIR_STR(""));
    if (streams(c))
        put_item(c, "response.output_item.done", index, cut ? "incomplete" : "completed");
    while (l->settled < l->item_count && l->items[l->settled].state >= ITEM_DONE)
        l->settled++;
}

/* Something else comes behind the item that waits. */
static void waiting_done(struct weir_ctx *c, bool cut)
{
    struct responses_local *l = c->local;
    uint32_t index = l->waiting;

    l->waiting = 0;
    if (index)
        item_done(c, index - 1, cut);
}

static bool is_waiting(const struct responses_local *l, const struct weir_event *ev)
{
    const struct item *it = l->waiting ? &l->items[l->waiting - 1] : NULL;

    return it && ev->channel == WEIR_OPAQUE && it->kind == ITEM_REASONING && it->choice == ev->choice &&
           it->block == ev->block;
}

/* ---- events ---- */

static int64_t item_find(const struct responses_local *l, const struct weir_event *ev, enum weir_channel channel)
{
    for (uint32_t i = l->item_count; i-- > l->settled;) {
        const struct item *it = &l->items[i];
        if (it->channel == channel && it->choice == ev->choice && it->block == ev->block && it->state == ITEM_OPEN)
            return i;
    }
    return -1;
}

/* The client has declared a tool of this name that takes plain text. */
static bool wants_text(struct weir_ctx *c, struct weir_str name)
{
    const struct weir_json *j = weir_body(c);

    for (EACH_ITEM(j, tool, j ? weir_json_get(j, 0, "tools") : WEIR_NO_NODE))
        if (type_is(j, tool, "custom") && str_eq(get_value(c, j, tool, "name"), name))
            return true;
    return false;
}

static uint32_t item_open(struct weir_ctx *c, const struct weir_event *ev)
{
    struct responses_local *l = c->local;
    bool call = ev->channel == WEIR_ARGUMENTS, named = ev->tool_id.len || ev->tool_name.len;
    bool wrapped = call && wants_text(c, ev->tool_name);
    enum item_kind kind = call                            ? ITEM_FUNCTION
                          : ev->channel == WEIR_REASONING ? ITEM_REASONING
                          : named                         ? ITEM_CUSTOM
                                                          : ITEM_MESSAGE;
    uint32_t index = item_new(c, ev, wrapped ? ITEM_CUSTOM : kind);

    l->items[index].wrapped = wrapped;
    item_begin(c, index);
    return index;
}

static bool write_text(struct weir_ctx *c, const struct weir_event *ev)
{
    struct responses_local *l = c->local;
    int64_t found = item_find(l, ev, ev->channel);
    uint32_t index;

    if (found < 0 && !ev->text.len && !ev->tool_id.len && !ev->tool_name.len)
        return true; /* the end of nothing */
    if (l->written + ev->text.len > MOST_WRITTEN || l->item_count >= MOST_OUTPUT)
        return false;
    waiting_done(c, false);
    index = found < 0 ? item_open(c, ev) : (uint32_t)found;
    item_piece(c, index, ev->text);
    if (!ev->last)
        return true;
    item_text_done(c, index);
    l->waiting = index + 1;
    return true;
}

/* Data that is not OpenAI's says whose it is, so that `lift` knows it again. */
static bool write_opaque(struct weir_ctx *c, const struct weir_event *ev)
{
    struct responses_local *l = c->local;
    bool ours = str_is(ev->value, "openai.encrypted");
    struct weir_str data = ours ? text_keep(c, ev->detail) : opaque_mark(c, ev->value, ev->detail);
    int64_t found = is_waiting(l, ev) ? (int64_t)l->waiting - 1 : item_find(l, ev, WEIR_REASONING);

    if (l->written + data.len > MOST_WRITTEN || l->item_count >= MOST_OUTPUT)
        return false;
    if (!is_waiting(l, ev))
        waiting_done(c, false);
    l->waiting = 0;
    if (found < 0) {
        struct weir_event own = {.channel = WEIR_OPAQUE, .choice = ev->choice, .block = ev->block};
        found = item_new(c, &own, ITEM_REASONING);
        item_begin(c, (uint32_t)found);
    }
    l->items[found].encrypted = data;
    l->written += data.len;
    item_done(c, (uint32_t)found, false);
    return true;
}

static void write_usage(struct responses_local *l, const struct weir_usage *u)
{
    int64_t *to = (int64_t *)&l->usage;
    const int64_t *from = (const int64_t *)u;

    for (size_t i = 0; i < sizeof *u / sizeof *to; i++) {
        if (!l->usage_known)
            to[i] = -1;
        if (from[i] >= 0)
            to[i] = from[i];
    }
    l->usage_known = true;
}

static void write_start(struct weir_ctx *c, const struct weir_event *ev)
{
    struct responses_local *l = c->local;

    if (l->writing)
        return;
    *l = (struct responses_local){.writing = true, .out.c = c};
    l->id = text_keep(c, ev->detail);
    l->model = text_keep(c, ev->value);
    if (streams(c)) {
        put_response(c, "response.created", "in_progress");
        put_response(c, "response.in_progress", "in_progress");
    }
}

/* What is still open when the answer ends has been cut off, if anything has; so has the item that ended last. */
static void write_finish(struct weir_ctx *c, enum weir_finish finish)
{
    struct responses_local *l = c->local;
    bool cut = finish == WEIR_FINISH_LENGTH || finish == WEIR_FINISH_CONTEXT || finish == WEIR_FINISH_FILTERED ||
               finish == WEIR_FINISH_FAILED;

    l->finish = finish;
    l->incomplete = cut;
    waiting_done(c, cut);
    for (uint32_t i = l->settled; i < l->item_count; i++)
        item_done(c, i, cut);
}

/* An upstream that failed in its own words has told no reason.  A body says so in its status. */
static void write_end(struct weir_ctx *c)
{
    static const struct weir_refusal failed = {
        .status = 502, .code = "server_error", .text = "the model's provider failed", .in_stream = true};
    struct responses_local *l = c->local;
    const char *status = l->incomplete ? "incomplete" : "completed";
    struct emit m = {.t.c = c};

    write_finish(c, l->finish);
    l->ended = true;
    if (l->finish == WEIR_FINISH_FAILED && streams(c)) {
        responses_refuse(c, &failed);
    } else if (streams(c)) {
        put_response(c, l->incomplete ? "response.incomplete" : "response.completed", status);
    } else {
        bool bad = l->finish == WEIR_FINISH_FAILED;
        object_write(c, &m, bad ? "failed" : status, bad ? &failed : NULL);
        weir_out(c, text_view(&m.t));
    }
}

static bool write_event(struct weir_ctx *c, const struct weir_event *ev)
{
    struct responses_local *l = c->local;

    switch (ev->channel) {
    case WEIR_TEXT:
    case WEIR_REASONING:
    case WEIR_ARGUMENTS:
        return write_text(c, ev);
    case WEIR_OPAQUE:
        return write_opaque(c, ev);
    case WEIR_USAGE:
        if (ev->usage)
            write_usage(l, ev->usage);
        return true;
    case WEIR_FINISH:
        write_finish(c, ev->finish);
        return true;
    case WEIR_DONE_MARK:
        if (!l->ended)
            write_end(c);
        return true;
    default:
        return false;
    }
}

bool responses_answer(struct weir_ctx *c, const struct weir_event *ev)
{
    const struct responses_local *l = c->local;

    if (ev->channel == WEIR_START) {
        write_start(c, ev);
        return true;
    }
    if (l->writing)
        return write_event(c, ev);
    if (ev->channel <= WEIR_ARGUMENTS)
        return answer_piece(c, ev);
    return ev->channel == WEIR_DONE_MARK; /* the dialect has none of its own */
}
