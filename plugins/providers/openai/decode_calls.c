/* SPDX-License-Identifier: Apache-2.0 */
/* decode_calls.c -- the tool calls of an answer, in all the ways in which servers send them.  See decode.h. */
#include "decode.h"
#include "streams.h"

/* Arguments that came as an object: each string in it is a text by itself, which nothing may be held over from. */
static void put_strings(struct decoder *d, uint32_t choice, uint32_t node)
{
    for (uint32_t i = node; i < d->j->nodes[node].next; i++) {
        struct weir_event *ev;
        if (!is_text(d, i))
            continue;
        if (d->l->strings == MOST_STRINGS) {
            decode_give_up(d, "the answer has too many strings in its arguments");
            return;
        }
        ev = decode_event(d, WEIR_TEXT, choice);
        ev->block = TEXT_STRINGS + d->l->strings++;
        ev->last = true;
        decode_place(d, ev, i);
    }
}

/* One piece of a call.  The first has the name; some servers repeat it or send it empty. */
static void decode_call(struct decoder *d, uint32_t choice, uint32_t block, uint32_t function, struct weir_str id)
{
    uint32_t arguments = weir_json_get(d->j, function, "arguments");
    struct weir_str name = value_of(d, weir_json_get(d->j, function, "name"));
    bool inside = is(d, arguments, WEIR_JSON_OBJECT) || is(d, arguments, WEIR_JSON_ARRAY);
    bool said = is_text(d, arguments) || (inside && d->l->lowered);
    struct weir_event *ev;

    if (id.len || name.len || said) {
        ev = decode_event_at(d, WEIR_ARGUMENTS, choice, block, said ? arguments : WEIR_NO_NODE);
        if (!ev)
            return;
        ev->tool_id = id;
        ev->tool_name = name;
    }
    if (inside && !said)
        put_strings(d, choice, arguments);
    if (said)
        call_said(d->c, choice, block, inside ? weir_json_text(d->j, arguments) : value_of(d, arguments));
}

void decode_old_call(struct decoder *d, uint32_t choice, uint32_t function)
{
    decode_call(d, choice, ARGUMENTS_FUNCTION, function, WEIR_STR(""));
}

/* Text of a custom tool is no JSON: it goes as text, so that stages see all of it. */
static void decode_custom(struct decoder *d, uint32_t choice, uint32_t block, uint32_t custom, struct weir_str id)
{
    uint32_t input = weir_json_get(d->j, custom, "input");
    struct weir_event *ev;

    ev = decode_event_at(d, WEIR_TEXT, choice, TEXT_CUSTOM + block, is_text(d, input) ? input : WEIR_NO_NODE);
    if (ev) {
        ev->tool_id = id;
        ev->tool_name = value_of(d, weir_json_get(d->j, custom, "name"));
    }
}

void decode_calls(struct decoder *d, uint32_t choice, uint32_t array)
{
    for (EACH_ITEM(d->j, call, array)) {
        uint32_t index = weir_json_get(d->j, call, "index"), function = weir_json_get(d->j, call, "function");
        uint32_t custom = weir_json_get(d->j, call, "custom");
        struct weir_str id = value_of(d, weir_json_get(d->j, call, "id"));
        int64_t at = is(d, index, WEIR_JSON_NUMBER) ? openai_count(d->j, index) : -1;
        if (!is(d, call, WEIR_JSON_OBJECT) || d->failed)
            continue;
        if (at >= OPENAI_CALLS || (at < 0 && is(d, index, WEIR_JSON_NUMBER))) {
            decode_give_up(d, "a tool call's index makes no sense");
            return;
        }
        at = call_block(d->c, choice, at, id, get_value(d->c, d->j, function, "name"));
        if (at < 0) {
            decode_give_up(d, "the answer has too many tool calls");
            return;
        }
        if (is(d, custom, WEIR_JSON_OBJECT))
            decode_custom(d, choice, (uint32_t)at, custom, id);
        if (!is(d, custom, WEIR_JSON_OBJECT) || function != WEIR_NO_NODE)
            decode_call(d, choice, (uint32_t)at, function, id);
    }
}
