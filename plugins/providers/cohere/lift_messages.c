/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_messages.c -- messages of Cohere's chat, and its documents, -> canonical ones.  Called by lift.c.
 *
 * What the system says first is `system`; a plan of the tools is a text before the calls; documents stand before all
 * else in what the user says last.
 */
#include <stdio.h>

#include "cohere.h"
#include "lift.h"

static void part_open(struct lift *l, const char *type)
{
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "type", str_of(type));
}

static void part_text(struct lift *l, const char *type, uint32_t text)
{
    part_open(l, type);
    emit_member(&l->m, "text", l->j, text);
    emit_close(&l->m, '}');
}

static void part_other(struct lift *l, uint32_t part, const char *path)
{
    part_open(l, "other");
    emit_member_text(&l->m, "name", get_value(l->c, l->j, part, "type"));
    emit_key(&l->m, "raw");
    emit_node(&l->m, l->j, part);
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
}

/* ---- documents ---- */

/* A string, or an object: its only text, else a line for each of its members. */
static struct weir_str data_text(struct lift *l, uint32_t data)
{
    uint32_t text = lift_at(l, data, "text");
    struct text t = {.c = l->c};

    if (node_is_string(l->j, data))
        return node_value(l->c, l->j, data);
    if (node_is_string(l->j, text) && l->j->nodes[text].next == l->j->nodes[data].next &&
        weir_json_first(l->j, data) + 1 == text)
        return node_value(l->c, l->j, text);
    for (EACH_KEY(l->j, k, data)) {
        text_str(&t, node_value(l->c, l->j, k));
        text_lit(&t, ": ");
        if (node_is_string(l->j, k + 1))
            text_str(&t, node_value(l->c, l->j, k + 1));
        else
            text_str(&t, weir_json_text(l->j, k + 1));
        text_lit(&t, "\n");
    }
    return text_view(&t);
}

/* "text", or {"id","data"}; WEIR_NO_NODE: neither. */
static uint32_t document_data(struct lift *l, uint32_t document)
{
    uint32_t data = node_is_string(l->j, document) ? document : lift_at(l, document, "data");

    return node_is_string(l->j, data) || weir_json_is(l->j, data, WEIR_JSON_OBJECT) ? data : WEIR_NO_NODE;
}

static bool part_document(struct lift *l, uint32_t document, const char *path)
{
    static const char *const known[] = {"id", "data", NULL};
    uint32_t data = document_data(l, document);

    if (data == WEIR_NO_NODE)
        return lift_wrong(l, path, "a string, or an object with data");
    if (!lift_unknown(l, document, path, known))
        return false;
    part_open(l, "document");
    emit_member_text(&l->m, "text", data_text(l, data));
    emit_member(&l->m, "name", l->j, lift_at(l, document, "id"));
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

static bool lift_documents(struct lift *l)
{
    unsigned i = 0;

    for (EACH_ITEM(l->j, document, lift_at(l, 0, "documents"))) {
        char path[LIFT_PATH];
        snprintf(path, sizeof path, "documents[%u]", i++);
        if (!part_document(l, document, path))
            return false;
    }
    return true;
}

/* ---- parts ---- */

/* A data: URL is base64 with its type; anything else is an address. */
static bool part_image(struct lift *l, uint32_t image, const char *path)
{
    static const char *const known[] = {"url", "detail", NULL};
    uint32_t node = node_is_string(l->j, image) ? image : lift_at(l, image, "url");
    struct weir_str url = node_value(l->c, l->j, node);
    const char *mark = url.len ? memmem(url.ptr, url.len, ";base64,", 8) : NULL;

    if (!node_is_string(l->j, node))
        return lift_wrong(l, path, "an image with a url");
    if (!lift_unknown(l, image, path, known))
        return false;
    part_open(l, "image");
    if (str_starts(url, "data:") && mark) {
        size_t at = (size_t)(mark - url.ptr) + 8;
        emit_member_text(&l->m, "data", (struct weir_str){url.ptr + at, url.len - at});
        emit_member_text(&l->m, "media_type", (struct weir_str){url.ptr + 5, (size_t)(mark - url.ptr) - 5});
    } else {
        emit_member_text(&l->m, "url", url);
    }
    emit_member(&l->m, "detail", l->j, lift_at(l, image, "detail"));
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

static bool lift_part(struct lift *l, uint32_t part, const char *path)
{
    static const char *const known[] = {"type", "text", "thinking", "image_url", NULL};
    uint32_t text = lift_at(l, part, "text"), thinking = lift_at(l, part, "thinking");
    uint32_t image = lift_at(l, part, "image_url");
    char inner[LIFT_PATH];

    if (node_is_string(l->j, part)) {
        part_text(l, "text", part);
        return true;
    }
    snprintf(inner, sizeof inner, "%.80s.image_url", path);
    if (!node_is_string(l->j, text) && !node_is_string(l->j, thinking) && !node_there(l->j, image)) {
        part_other(l, part, path);
        return true;
    }
    if (!lift_unknown(l, part, path, known))
        return false;
    if (node_is_string(l->j, text))
        part_text(l, "text", text);
    else if (node_is_string(l->j, thinking))
        part_text(l, "reasoning", thinking);
    else
        return part_image(l, image, inner);
    return true;
}

static bool lift_content(struct lift *l, uint32_t content, const char *path)
{
    unsigned i = 0;

    if (node_is_string(l->j, content) && l->j->nodes[content].len)
        part_text(l, "text", content);
    for (EACH_ITEM(l->j, part, content)) {
        char inner[LIFT_PATH];
        snprintf(inner, sizeof inner, "%.80s.content[%u]", path, i++);
        if (!lift_part(l, part, inner))
            return false;
    }
    return true;
}

/* ---- calls and results ---- */

static bool part_call(struct lift *l, uint32_t call, const char *path)
{
    static const char *const known[] = {"id", "type", "function", NULL};
    static const char *const function_known[] = {"name", "arguments", NULL};
    uint32_t function = lift_at(l, call, "function"), arguments = lift_at(l, function, "arguments");
    char inner[LIFT_PATH];

    snprintf(inner, sizeof inner, "%.80s.function", path);
    if (!lift_unknown(l, call, path, known) || !lift_unknown(l, function, inner, function_known))
        return false;
    part_open(l, "call");
    emit_member(&l->m, "id", l->j, lift_at(l, call, "id"));
    emit_member(&l->m, "name", l->j, lift_at(l, function, "name"));
    if (weir_json_is(l->j, arguments, WEIR_JSON_OBJECT))
        emit_member_text(&l->m, "arguments", weir_json_text(l->j, arguments));
    else if (node_is_string(l->j, arguments) && !node_says(l->j, arguments, "null"))
        emit_member(&l->m, "arguments", l->j, arguments);
    else
        emit_member_lit(&l->m, "arguments", "{}");
    snprintf(inner, sizeof inner, "%.80s.function.arguments", path);
    emit_member_text(&l->m, "at", str_of(inner));
    emit_close(&l->m, '}');
    return true;
}

static bool lift_calls(struct lift *l, uint32_t calls, const char *path)
{
    unsigned i = 0;

    for (EACH_ITEM(l->j, call, calls)) {
        char inner[LIFT_PATH];
        snprintf(inner, sizeof inner, "%.80s.tool_calls[%u]", path, i++);
        if (!part_call(l, call, inner))
            return false;
    }
    return true;
}

/* A document among results is the text of it. */
static bool result_part(struct lift *l, uint32_t part, const char *path)
{
    uint32_t data = document_data(l, lift_at(l, part, "document"));

    if (data == WEIR_NO_NODE)
        return lift_part(l, part, path);
    part_open(l, "text");
    emit_member_text(&l->m, "text",
                     node_is_string(l->j, data) ? node_value(l->c, l->j, data) : weir_json_text(l->j, data));
    emit_close(&l->m, '}');
    return true;
}

static bool lift_result(struct lift *l, uint32_t message, const char *path)
{
    uint32_t content = lift_at(l, message, "content");
    unsigned i = 0;

    part_open(l, "result");
    emit_member(&l->m, "id", l->j, lift_at(l, message, "tool_call_id"));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    if (node_is_string(l->j, content))
        part_text(l, "text", content);
    for (EACH_ITEM(l->j, part, content)) {
        char inner[LIFT_PATH];
        snprintf(inner, sizeof inner, "%.80s.content[%u]", path, i++);
        if (!result_part(l, part, inner))
            return false;
    }
    emit_close(&l->m, ']');
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

/* ---- messages ---- */

static bool lift_assistant(struct lift *l, uint32_t message, const char *path)
{
    uint32_t plan = lift_at(l, message, "tool_plan"), citations = lift_at(l, message, "citations");
    char inner[LIFT_PATH];

    if (!lift_content(l, lift_at(l, message, "content"), path))
        return false;
    if (node_is_string(l->j, plan) && l->j->nodes[plan].len)
        part_text(l, "text", plan);
    snprintf(inner, sizeof inner, "%.80s.citations", path);
    if (node_there(l->j, citations) && weir_json_first(l->j, citations) != WEIR_NO_NODE && !lift_lossy(l, inner, true))
        return false;
    return lift_calls(l, lift_at(l, message, "tool_calls"), path);
}

static bool lift_message(struct lift *l, uint32_t message, const char *role, bool documents, const char *path)
{
    static const char *const known[] = {"role", "content", NULL};
    static const char *const tool_known[] = {"role", "content", "tool_call_id", NULL};
    static const char *const assistant_known[] = {"role", "content", "tool_plan", "tool_calls", "citations", NULL};
    bool assistant = strcmp(role, "assistant") == 0, tool = strcmp(role, "tool") == 0, ok;

    if (!lift_unknown(l, message, path, assistant ? assistant_known : tool ? tool_known : known))
        return false;
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "role", str_of(role));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    ok = assistant ? lift_assistant(l, message, path)
         : tool    ? lift_result(l, message, path)
                   : (!documents || lift_documents(l)) && lift_content(l, lift_at(l, message, "content"), path);
    emit_close(&l->m, ']');
    emit_close(&l->m, '}');
    return ok;
}

/* The user's last message; WEIR_NO_NODE: there is none. */
static uint32_t last_user(struct lift *l, uint32_t array)
{
    uint32_t last = WEIR_NO_NODE;

    for (EACH_ITEM(l->j, m, array))
        if (node_says(l->j, lift_at(l, m, "role"), "user"))
            last = m;
    return last;
}

static bool is_system(struct lift *l, uint32_t message)
{
    return node_says(l->j, lift_at(l, message, "role"), "system");
}

static bool lift_system(struct lift *l, uint32_t array)
{
    static const char *const known[] = {"role", "content", NULL};
    uint32_t first = weir_json_first(l->j, array);
    unsigned i = 0;

    if (first == WEIR_NO_NODE || !is_system(l, first))
        return true;
    emit_key(&l->m, "system");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, m, array)) {
        char path[LIFT_PATH];
        snprintf(path, sizeof path, "messages[%u]", i++);
        if (!is_system(l, m))
            break;
        if (!lift_unknown(l, m, path, known) || !lift_content(l, lift_at(l, m, "content"), path))
            return false;
    }
    emit_close(&l->m, ']');
    return true;
}

bool lift_messages(struct lift *l, uint32_t array)
{
    static const char *const roles[] = {"user", "assistant", "system", "tool"};
    uint32_t last = last_user(l, array), documents = lift_at(l, 0, "documents");
    bool leading = true;
    unsigned index = 0;

    if (last == WEIR_NO_NODE && node_there(l->j, documents) && weir_json_first(l->j, documents) != WEIR_NO_NODE)
        return lift_wrong(l, "documents", "about what a user says");
    if (!lift_system(l, array))
        return false;
    emit_key(&l->m, "messages");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, m, array)) {
        const char *role = NULL;
        char path[LIFT_PATH];
        snprintf(path, sizeof path, "messages[%u]", index++);
        leading = leading && is_system(l, m);
        if (leading)
            continue;
        for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
            if (node_says(l->j, lift_at(l, m, "role"), roles[i]))
                role = roles[i];
        if (!role)
            return lift_wrong(l, path, "of the role user, assistant, system or tool");
        if (!lift_message(l, m, role, m == last, path))
            return false;
    }
    emit_close(&l->m, ']');
    return true;
}
