/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c -- function calls of an answer.  Part of decode.
 *
 * A call stands whole in one part, or (Vertex) its arguments come one by one until a functionCall without
 * willContinue; some streams leave that out.  Towards another dialect such arguments are put together first: only then
 * are they the text of an object.
 */
#include "decoder.h"

void put_string(struct decoder *d, struct gemini_choice *ch, uint32_t node, bool last)
{
    struct weir_event *ev;

    if (!node_is_string(d->j, node) || !d->j->nodes[node].len)
        return;
    if (d->l->strings == MOST_STRINGS) {
        give_up(d, "the answer has too many strings");
        return;
    }
    ev = event_new(d, WEIR_TEXT, ch->index);
    ev->block = TEXT_STRINGS + d->l->strings++;
    ev->last = last;
    event_place(d, ev, node);
}

static struct weir_event *put_arguments(struct decoder *d, struct gemini_choice *ch)
{
    struct weir_event *ev = event_new(d, WEIR_ARGUMENTS, ch->index);

    ev->block = ch->calls - 1;
    return ev;
}

/* Of the answer's id and the call's place, so that it is the same however the stream was cut. */
static struct weir_str made_id(struct decoder *d, const struct gemini_choice *ch)
{
    struct text seed = {.c = d->c}, id = {.c = d->c};

    text_str(&seed, d->l->id.len ? d->l->id : weir_fact(d->c, "request_id"));
    text_lit(&seed, ":");
    text_int(&seed, ch->index);
    text_lit(&seed, ":");
    text_int(&seed, ch->calls);
    text_lit(&id, "call_");
    text_str(&id, canon_call_id(d->c, text_view(&seed), 24, false));
    return text_view(&id);
}

/* ---- strings of partial arguments, for clients of this dialect ---- */

static void string_close(struct decoder *d, struct gemini_choice *ch)
{
    struct weir_event *ev;

    if (!ch->quoting)
        return;
    ch->quoting = false;
    ev = event_new(d, WEIR_TEXT, ch->index);
    ev->block = ch->string;
    ev->last = true;
}

/* One value comes in several records: they are one stream. */
static void put_piece(struct decoder *d, struct gemini_choice *ch, uint32_t item)
{
    uint32_t string = proto_get(d->j, item, "stringValue");
    struct weir_str path = proto_text(d->c, d->j, item, "jsonPath");
    bool more = node_true(d->j, proto_get(d->j, item, "willContinue"));
    struct weir_event *ev;

    if (ch->quoting && !str_eq(path, ch->string_path))
        string_close(d, ch);
    if (!node_is_string(d->j, string))
        return;
    if (!ch->quoting && !more) {
        put_string(d, ch, string, true);
        return;
    }
    if (!ch->quoting) {
        if (d->l->strings == MOST_STRINGS) {
            give_up(d, "the answer has too many strings");
            return;
        }
        ch->string = TEXT_STRINGS + d->l->strings++;
        ch->string_path = text_keep(d->c, path);
    }
    ch->quoting = more;
    ev = event_new(d, WEIR_TEXT, ch->index);
    ev->block = ch->string;
    ev->last = !more;
    event_place(d, ev, string);
}

/* ---- a call ---- */

void call_close(struct decoder *d, struct gemini_choice *ch)
{
    struct weir_event *ev;

    if (!ch->calling)
        return;
    string_close(d, ch);
    ch->calling = false;
    ev = put_arguments(d, ch);
    ev->last = true;
    if (d->l->foreign)
        ev->text = partial_text(d->c, ch->arguments);
}

static struct weir_event *call_open(struct decoder *d, struct gemini_choice *ch, uint32_t call, struct weir_str name)
{
    struct weir_str id = proto_text(d->c, d->j, call, "id");
    struct weir_event *ev;

    if (ch->calls == GEMINI_CALLS) {
        give_up(d, "the answer has too many function calls");
        return NULL;
    }
    ch->calls++;
    ev = put_arguments(d, ch);
    ev->tool_id = id.len || !d->l->foreign ? id : made_id(d, ch);
    ev->tool_name = d->l->foreign ? gemini_original(d->c, name) : name;
    return ev;
}

static void call_pieces(struct decoder *d, struct gemini_choice *ch, uint32_t pieces)
{
    for (EACH_ITEM(d->j, item, pieces)) {
        if (!d->l->foreign)
            put_piece(d, ch, item);
        else if (!partial_add(d->c, ch->arguments, d->j, item))
            give_up(d, "a piece of a call's arguments makes no sense");
        if (d->failed)
            return;
    }
}

void decode_call(struct decoder *d, struct gemini_choice *ch, uint32_t call)
{
    struct weir_str name = proto_text(d->c, d->j, call, "name");
    uint32_t args = proto_get(d->j, call, "args"), pieces = proto_get(d->j, call, "partialArgs");
    bool more = node_true(d->j, proto_get(d->j, call, "willContinue"));
    struct weir_event *ev;

    if (name.len) {
        call_close(d, ch);
        ev = call_open(d, ch, call, name);
        if (!ev)
            return;
        if (!more && !weir_json_is(d->j, pieces, WEIR_JSON_ARRAY)) {
            ev->last = true;
            if (weir_json_is(d->j, args, WEIR_JSON_OBJECT))
                event_place(d, ev, args);
            else if (d->l->foreign)
                ev->text = WEIR_STR("{}");
            return;
        }
        ch->calling = true;
        ch->arguments = partial_new(d->c);
    }
    if (!ch->calling) /* an end without a beginning */
        return;
    call_pieces(d, ch, pieces);
    if (!more && !d->failed)
        call_close(d, ch);
}
