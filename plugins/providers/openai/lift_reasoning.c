/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_reasoning.c -- reasoning that a client hands back -> the canonical request; see lift.h.
 *
 * reasoning_details says all that there is, and counts before reasoning_content and reasoning.  Its items may be the
 * pieces of a stream, never joined: those of one index are one part, up to its signature.
 */
#include "details.h"
#include "lift.h"

struct open_part {
    struct text text;
    uint32_t index; /* WEIR_NO_NODE: none */
    bool any;
};

static void lay_part(struct lift *l, struct weir_str text, struct weir_str kind, struct weir_str data)
{
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "reasoning");
    if (text.len)
        emit_member_text(&l->m, "text", text);
    if (kind.len) {
        emit_member_text(&l->m, "opaque", data);
        emit_member_text(&l->m, "kind", kind);
    }
    emit_close(&l->m, '}');
}

static void close_part(struct lift *l, struct open_part *p, struct weir_str kind, struct weir_str data)
{
    if (p->any || kind.len)
        lay_part(l, text_view(&p->text), kind, data);
    p->text.len = 0;
    p->any = false;
}

/* Belongs to a call, before which it is put. */
static bool of_call(struct lift *l, uint32_t message, uint32_t item)
{
    struct weir_str id = get_value(l->c, l->j, item, "id");

    if (!id.len || !str_is(details_kind(l->c, l->j, item), "gemini.thought"))
        return false;
    for (EACH_ITEM(l->j, call, weir_json_get(l->j, message, "tool_calls")))
        if (str_eq(get_value(l->c, l->j, call, "id"), id))
            return true;
    return false;
}

static bool lift_detail(struct lift *l, struct open_part *p, uint32_t item, struct weir_str at)
{
    uint32_t text = weir_json_get(l->j, item, "text"), number = weir_json_get(l->j, item, "index");
    uint32_t index = (uint32_t)weir_json_int(l->j, number, 0);
    struct weir_str data = details_data(l->c, l->j, item), kind;

    if (!node_is_string(l->j, text))
        text = weir_json_get(l->j, item, "summary");
    if (p->any && (p->index != index || (node_says(l->j, weir_json_get(l->j, item, "type"), "reasoning.encrypted") &&
                                         !str_is(details_kind(l->c, l->j, item), "openai.encrypted"))))
        close_part(l, p, WEIR_STR(""), WEIR_STR(""));
    p->index = index;
    if (node_is_string(l->j, text) && l->j->nodes[text].len) {
        text_str(&p->text, node_value(l->c, l->j, text));
        p->any = true;
    }
    if (!data.len)
        return true;
    kind = details_kind(l->c, l->j, item);
    if (!kind.len && !opaque_read(data, &kind, &data))
        return lossy(l->c, lift_at(l->c, at, "reasoning_details"), true, l->e);
    close_part(l, p, kind, data);
    return true;
}

bool lift_reasoning(struct lift *l, uint32_t message, struct weir_str at)
{
    uint32_t details = weir_json_get(l->j, message, "reasoning_details");
    uint32_t text = weir_json_get(l->j, message, "reasoning_content");
    struct open_part p = {.text.c = l->c};
    bool any = false;

    for (EACH_ITEM(l->j, item, details)) {
        any = true;
        if (!of_call(l, message, item) && !lift_detail(l, &p, item, at))
            return false;
    }
    close_part(l, &p, WEIR_STR(""), WEIR_STR(""));
    if (!node_is_string(l->j, text))
        text = weir_json_get(l->j, message, "reasoning");
    if (!any && node_is_string(l->j, text) && l->j->nodes[text].len)
        lay_part(l, node_value(l->c, l->j, text), WEIR_STR(""), WEIR_STR(""));
    return true;
}

void lift_thought(struct lift *l, uint32_t message, uint32_t call)
{
    struct weir_str id = get_value(l->c, l->j, call, "id");

    for (EACH_ITEM(l->j, item, weir_json_get(l->j, message, "reasoning_details")))
        if (of_call(l, message, item) && str_eq(get_value(l->c, l->j, item, "id"), id))
            lay_part(l, WEIR_STR(""), details_kind(l->c, l->j, item), details_data(l->c, l->j, item));
}
