/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_messages.c -- canonical messages and their parts -> messages of Cohere's chat.  Called by lower.c.
 *
 * Documents that are texts have a member of their own.  Texts before calls are the plan of the tools; each result is a
 * message.  What says nothing is left out.
 */
#include "lower.h"

static bool is_text(const struct lower *l, uint32_t part)
{
    return (type_is(l, part, "text") || type_is(l, part, "refusal")) &&
           node_is_string(l->j, lower_at(l, part, "text")) && l->j->nodes[lower_at(l, part, "text")].len;
}

/* Marks that Cohere has no word for. */
static bool told(struct lower *l, uint32_t part, const char *key)
{
    return !node_there(l->j, lower_at(l, part, key)) || canon_lossy_at(l->c, part, key, true, l->e);
}

static void put_text(struct lower *l, uint32_t text)
{
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "text");
    emit_member(&l->m, "text", l->j, text);
    emit_close(&l->m, '}');
}

/* ---- documents ---- */

static bool is_document(const struct lower *l, uint32_t part)
{
    return type_is(l, part, "document") && node_is_string(l->j, lower_at(l, part, "text"));
}

static bool put_document(struct lower *l, uint32_t part)
{
    emit_open(&l->m, '{');
    emit_key(&l->m, "data");
    emit_open(&l->m, '{');
    emit_member(&l->m, "title", l->j, lower_at(l, part, "name"));
    emit_member(&l->m, "context", l->j, lower_at(l, part, "context"));
    emit_member(&l->m, "text", l->j, lower_at(l, part, "text"));
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return !node_true(l->j, lower_at(l, part, "citations")) || canon_lossy_at(l->c, part, "citations", true, l->e);
}

static bool put_documents(struct lower *l)
{
    size_t count = 0;

    for (EACH_ITEM(l->j, m, lower_at(l, 0, "messages")))
        for (EACH_ITEM(l->j, part, lower_at(l, m, "content"))) {
            if (!is_document(l, part))
                continue;
            if (!count++) {
                emit_key(&l->m, "documents");
                emit_open(&l->m, '[');
            }
            if (!put_document(l, part))
                return false;
        }
    if (count)
        emit_close(&l->m, ']');
    return true;
}

/* ---- what users and the system say ---- */

static bool put_image(struct lower *l, uint32_t part)
{
    uint32_t data = lower_at(l, part, "data"), url = lower_at(l, part, "url");
    struct text t = {.c = l->c};

    if (!node_is_string(l->j, data) && !node_is_string(l->j, url)) /* a file that another vendor keeps */
        return canon_lossy_at(l->c, part, "image", false, l->e);
    if (node_is_string(l->j, data)) {
        text_lit(&t, "data:");
        text_str(&t, get_value(l->c, l->j, part, "media_type"));
        text_lit(&t, ";base64,");
        text_str(&t, node_value(l->c, l->j, data));
    } else {
        text_str(&t, node_value(l->c, l->j, url));
    }
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "image_url");
    emit_key(&l->m, "image_url");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "url", text_view(&t));
    emit_member(&l->m, "detail", l->j, lower_at(l, part, "detail"));
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return true;
}

static bool put_part(struct lower *l, uint32_t part)
{
    if (is_text(l, part))
        put_text(l, lower_at(l, part, "text"));
    else if (type_is(l, part, "image") && !put_image(l, part))
        return false;
    return true;
}

/* Parts that a message of this role cannot hold are refused by their place. */
static bool part_fits(struct lower *l, uint32_t part)
{
    static const char *const known[] = {"text", "refusal", "image", "reasoning", "call", "result", NULL};

    if (!told(l, part, "cache"))
        return false;
    for (const char *const *w = known; *w; w++)
        if (type_is(l, part, *w))
            return true;
    if (is_document(l, part))
        return true;
    return canon_lossy_at(l->c, part, "content", false, l->e);
}

/* A message of one text is that text. */
static bool put_content(struct lower *l, uint32_t parts)
{
    uint32_t only = WEIR_NO_NODE, count = 0;

    for (EACH_ITEM(l->j, part, parts)) {
        if (!part_fits(l, part))
            return false;
        count += is_text(l, part) || type_is(l, part, "image");
        if (is_text(l, part))
            only = lower_at(l, part, "text");
    }
    emit_key(&l->m, "content");
    if (count == 1 && only != WEIR_NO_NODE) {
        emit_node(&l->m, l->j, only);
        return true;
    }
    if (!count) {
        emit_text(&l->m, WEIR_STR(""));
        return true;
    }
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, part, parts))
        if (!put_part(l, part))
            return false;
    emit_close(&l->m, ']');
    return true;
}

/* ---- what the assistant said ---- */

static bool has_calls(struct lower *l, uint32_t parts)
{
    for (EACH_ITEM(l->j, part, parts))
        if (type_is(l, part, "call"))
            return true;
    return false;
}

/* Reasoning that another vendor signed is that vendor's; Cohere's own is plain text. */
static bool is_thinking(struct lower *l, uint32_t part)
{
    return type_is(l, part, "reasoning") && node_is_string(l->j, lower_at(l, part, "text")) &&
           l->j->nodes[lower_at(l, part, "text")].len && !node_there(l->j, lower_at(l, part, "opaque"));
}

static void put_thinking(struct lower *l, uint32_t part)
{
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "thinking");
    emit_member(&l->m, "thinking", l->j, lower_at(l, part, "text"));
    emit_close(&l->m, '}');
}

/* Thoughts, and texts when there are no calls to be planned. */
static bool assistant_content(struct lower *l, uint32_t parts, bool calls)
{
    bool any = false;

    for (EACH_ITEM(l->j, part, parts)) {
        bool text = !calls && is_text(l, part);
        if (!part_fits(l, part))
            return false;
        if (type_is(l, part, "image") && !canon_lossy_at(l->c, part, "image", false, l->e))
            return false;
        if (!text && !is_thinking(l, part))
            continue;
        if (!any) {
            emit_key(&l->m, "content");
            emit_open(&l->m, '[');
        }
        any = true;
        if (text)
            put_text(l, lower_at(l, part, "text"));
        else
            put_thinking(l, part);
    }
    if (any)
        emit_close(&l->m, ']');
    else if (!calls)
        emit_member_lit(&l->m, "content", "");
    return true;
}

static void assistant_plan(struct lower *l, uint32_t parts)
{
    struct text t = {.c = l->c};

    for (EACH_ITEM(l->j, part, parts))
        if (is_text(l, part))
            text_str(&t, get_value(l->c, l->j, part, "text"));
    if (t.len)
        emit_member_text(&l->m, "tool_plan", text_view(&t));
}

static bool put_call(struct lower *l, uint32_t part)
{
    struct weir_str arguments;
    struct emit custom = {.t.c = l->c};

    if (node_true(l->j, lower_at(l, part, "custom"))) {
        emit_open(&custom, '{');
        emit_member(&custom, "input", l->j, lower_at(l, part, "input"));
        emit_close(&custom, '}');
        arguments = text_view(&custom.t);
    } else if (!canon_arguments(l->c, part, &arguments, l->e)) {
        return false;
    }
    emit_open(&l->m, '{');
    emit_member(&l->m, "id", l->j, lower_at(l, part, "id"));
    emit_member_lit(&l->m, "type", "function");
    emit_key(&l->m, "function");
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, lower_at(l, part, "name"));
    emit_member_text(&l->m, "arguments", arguments);
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return true;
}

static bool put_assistant(struct lower *l, uint32_t parts)
{
    bool calls = has_calls(l, parts);

    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "role", "assistant");
    if (!assistant_content(l, parts, calls))
        return false;
    if (calls) {
        assistant_plan(l, parts);
        emit_key(&l->m, "tool_calls");
        emit_open(&l->m, '[');
        for (EACH_ITEM(l->j, part, parts))
            if (type_is(l, part, "call") && !put_call(l, part))
                return false;
        emit_close(&l->m, ']');
    }
    emit_close(&l->m, '}');
    return true;
}

/* ---- results ---- */

/* Nothing but text; that it is an error is said in it. */
static bool put_result(struct lower *l, uint32_t part)
{
    struct text t = {.c = l->c};

    if (!told(l, part, "cache"))
        return false;
    if (node_true(l->j, lower_at(l, part, "error")))
        text_lit(&t, "Error: ");
    for (EACH_ITEM(l->j, item, lower_at(l, part, "content"))) {
        if (is_text(l, item) || is_document(l, item))
            text_str(&t, get_value(l->c, l->j, item, "text"));
        else if (!type_is(l, item, "text") && !canon_lossy_at(l->c, item, "content", false, l->e))
            return false;
    }
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "role", "tool");
    emit_member(&l->m, "tool_call_id", l->j, lower_at(l, part, "id"));
    emit_member_text(&l->m, "content", text_view(&t));
    emit_close(&l->m, '}');
    return true;
}

static bool put_message(struct lower *l, uint32_t message)
{
    uint32_t role = lower_at(l, message, "role"), parts = lower_at(l, message, "content");

    if (node_there(l->j, lower_at(l, message, "name")) && !lossy(l->c, WEIR_STR("messages.name"), true, l->e))
        return false;
    if (node_says(l->j, role, "assistant"))
        return put_assistant(l, parts);
    if (node_says(l->j, role, "tool")) {
        for (EACH_ITEM(l->j, part, parts))
            if (type_is(l, part, "result") && !put_result(l, part))
                return false;
        return true;
    }
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "role", node_says(l->j, role, "system") ? WEIR_STR("system") : WEIR_STR("user"));
    if (!put_content(l, parts))
        return false;
    emit_close(&l->m, '}');
    return true;
}

bool lower_messages(struct lower *l)
{
    uint32_t system = lower_at(l, 0, "system");

    if (!put_documents(l))
        return false;
    emit_key(&l->m, "messages");
    emit_open(&l->m, '[');
    if (weir_json_is(l->j, system, WEIR_JSON_ARRAY) && weir_json_first(l->j, system) != WEIR_NO_NODE) {
        emit_open(&l->m, '{');
        emit_member_lit(&l->m, "role", "system");
        if (!put_content(l, system))
            return false;
        emit_close(&l->m, '}');
    }
    for (EACH_ITEM(l->j, m, lower_at(l, 0, "messages")))
        if (!put_message(l, m))
            return false;
    emit_close(&l->m, ']');
    return true;
}
