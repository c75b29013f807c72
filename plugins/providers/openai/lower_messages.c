/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_messages.c -- the messages of the canonical request as OpenAI's chat has them; see lower.h.
 *
 * Text alone is a string, several blocks are parts.  Each result is a message of its own; images in results, which a
 * tool message cannot have, come in a user's message behind the last result of the turn.
 */
#include "details.h"
#include "lower.h"

static bool is_type(const struct lower *w, uint32_t part, const char *type)
{
    return node_says(w->j, weir_json_get(w->j, part, "type"), type);
}

static uint32_t part_get(const struct lower *w, uint32_t part, const char *key)
{
    return weir_json_get(w->j, part, key);
}

/* ---- parts ---- */

/* `marked`: whose mark of caching it has. */
static bool say_text_of(struct lower *w, struct weir_str text, uint32_t marked)
{
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "text");
    emit_member_text(&w->m, "text", text);
    if (!lower_cache(w, marked))
        return false;
    emit_close(&w->m, '}');
    return true;
}

static bool say_text(struct lower *w, uint32_t part)
{
    return say_text_of(w, get_value(w->c, w->j, part, "text"), part);
}

static void say_link(struct lower *w, const char *key, uint32_t part)
{
    struct text t = {.c = w->c};

    if (node_is_string(w->j, part_get(w, part, "url"))) {
        emit_member(&w->m, key, w->j, part_get(w, part, "url"));
        return;
    }
    text_lit(&t, "data:");
    text_str(&t, get_value(w->c, w->j, part, "media_type"));
    text_lit(&t, ";base64,");
    text_str(&t, get_value(w->c, w->j, part, "data"));
    emit_member_text(&w->m, key, text_view(&t));
}

static bool say_picture(struct lower *w, uint32_t part, const char *type)
{
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "type", str_of(type));
    emit_key(&w->m, type);
    emit_open(&w->m, '{');
    say_link(w, "url", part);
    emit_member(&w->m, "detail", w->j, part_get(w, part, "detail"));
    emit_close(&w->m, '}');
    if (!lower_cache(w, part))
        return false;
    emit_close(&w->m, '}');
    return true;
}

static bool say_document(struct lower *w, uint32_t part)
{
    if (node_there(w->j, part_get(w, part, "context")) && !canon_lossy_at(w->c, part, "context", true, w->e))
        return false;
    if (node_true(w->j, part_get(w, part, "citations")) && !canon_lossy_at(w->c, part, "citations", true, w->e))
        return false;
    if (node_is_string(w->j, part_get(w, part, "text")))
        return say_text(w, part);
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "file");
    emit_key(&w->m, "file");
    emit_open(&w->m, '{');
    if (node_there(w->j, part_get(w, part, "name")))
        emit_member(&w->m, "filename", w->j, part_get(w, part, "name"));
    else
        emit_member_lit(&w->m, "filename", "document.pdf"); /* demanded beside data */
    say_link(w, "file_data", part);
    emit_close(&w->m, '}');
    if (!lower_cache(w, part))
        return false;
    emit_close(&w->m, '}');
    return true;
}

static bool say_audio(struct lower *w, uint32_t part)
{
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "input_audio");
    emit_key(&w->m, "input_audio");
    emit_open(&w->m, '{');
    emit_member(&w->m, "data", w->j, part_get(w, part, "data"));
    emit_member(&w->m, "format", w->j, part_get(w, part, "format"));
    emit_close(&w->m, '}');
    emit_close(&w->m, '}');
    return true;
}

/* A part that the server cannot have is told; nothing stands for it. */
static bool say_part(struct lower *w, uint32_t part)
{
    bool file = node_there(w->j, part_get(w, part, "file")), url = node_there(w->j, part_get(w, part, "url"));

    if (is_type(w, part, "text") || is_type(w, part, "refusal"))
        return say_text(w, part);
    if (is_type(w, part, "image") && !file)
        return say_picture(w, part, "image_url");
    if (is_type(w, part, "document") && !file && (!url || openai_takes(w->o, "file_url")))
        return say_document(w, part);
    if (is_type(w, part, "audio"))
        return say_audio(w, part);
    if (is_type(w, part, "video") && openai_takes(w->o, "video"))
        return say_picture(w, part, "video_url");
    return canon_lossy_at(w->c, part, "content", false, w->e);
}

/* ---- content ---- */

/* The text of a content that is one block of text without a mark, or none; else WEIR_NO_NODE and false. */
static bool only_text(const struct lower *w, uint32_t content, uint32_t *text)
{
    size_t n = 0;

    *text = WEIR_NO_NODE;
    for (EACH_ITEM(w->j, part, content)) {
        if (n++ || !is_type(w, part, "text") || lower_marks_cache(w, part))
            return false;
        *text = part;
    }
    return true;
}

static bool say_content(struct lower *w, uint32_t content)
{
    uint32_t text;

    emit_key(&w->m, "content");
    if (only_text(w, content, &text)) {
        emit_text(&w->m, get_value(w->c, w->j, text, "text"));
        return text == WEIR_NO_NODE || lower_cache(w, text);
    }
    emit_open(&w->m, '[');
    for (EACH_ITEM(w->j, part, content))
        if (!say_part(w, part))
            return false;
    emit_close(&w->m, ']');
    return true;
}

/* Nothing is written of a message without content, nor of one whose parts were all left out. */
static bool say_said(struct lower *w, const char *role, uint32_t message, uint32_t content)
{
    struct emit before = w->m;
    size_t empty;

    if (!weir_json_is(w->j, content, WEIR_JSON_ARRAY) || weir_json_first(w->j, content) == WEIR_NO_NODE)
        return true;
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "role", str_of(role));
    empty = w->m.t.len + sizeof ",\"content\":[]" - 1;
    if (!say_content(w, content))
        return false;
    if (w->m.t.len == empty) {
        w->m.t.len = before.t.len;
        w->m.comma = before.comma;
        return true;
    }
    if (message != WEIR_NO_NODE)
        emit_member(&w->m, "name", w->j, part_get(w, message, "name"));
    emit_close(&w->m, '}');
    return true;
}

/* ---- the assistant ---- */

static struct weir_str call_id(struct lower *w, uint32_t part)
{
    struct weir_str id = get_value(w->c, w->j, part, "id");

    return w->o->call_id_length ? canon_call_id(w->c, id, (size_t)w->o->call_id_length, true)
                                : canon_call_id(w->c, id, 40, false);
}

static bool say_call(struct lower *w, uint32_t part)
{
    bool custom = node_true(w->j, part_get(w, part, "custom"));
    struct weir_str arguments = get_value(w->c, w->j, part, "arguments");

    emit_open(&w->m, '{');
    emit_member_text(&w->m, "id", call_id(w, part));
    emit_member_text(&w->m, "type", custom ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_key(&w->m, custom ? "custom" : "function");
    emit_open(&w->m, '{');
    emit_member(&w->m, "name", w->j, part_get(w, part, "name"));
    if (custom)
        emit_member(&w->m, "input", w->j, part_get(w, part, "input"));
    else
        emit_member_text(&w->m, "arguments", arguments.len ? arguments : WEIR_STR("{}"));
    emit_close(&w->m, '}');
    emit_close(&w->m, '}');
    return lower_marks_cache(w, part) || lower_cache(w, part); /* no call can have a mark */
}

static bool say_calls(struct lower *w, uint32_t content)
{
    bool any = false;

    for (EACH_ITEM(w->j, part, content)) {
        if (!is_type(w, part, "call"))
            continue;
        if (!any) {
            emit_key(&w->m, "tool_calls");
            emit_open(&w->m, '[');
        }
        any = true;
        if (!say_call(w, part))
            return false;
    }
    if (any)
        emit_close(&w->m, ']');
    return true;
}

/* All pieces of text of one type, without anything between: blocks of one answer.  "" none. */
static struct weir_str joined(struct lower *w, uint32_t content, const char *type)
{
    struct text t = {.c = w->c};

    for (EACH_ITEM(w->j, part, content))
        if (is_type(w, part, type) && !node_there(w->j, part_get(w, part, "opaque")))
            text_str(&t, get_value(w->c, w->j, part, "text"));
    return text_view(&t);
}

/* What only its issuer can read goes to routers, who know the issuers, and to nobody else. */
static void say_details(struct lower *w, uint32_t content)
{
    uint32_t index = 0;
    bool any = false;

    for (EACH_ITEM(w->j, part, content)) {
        struct weir_str text = get_value(w->c, w->j, part, "text"), kind = get_value(w->c, w->j, part, "kind");
        struct weir_str id = WEIR_STR("");
        uint32_t next = weir_json_next(w->j, content, part);
        if (!is_type(w, part, "reasoning"))
            continue;
        if (!any) {
            emit_key(&w->m, "reasoning_details");
            emit_open(&w->m, '[');
        }
        any = true;
        if (str_is(kind, "gemini.thought") && next != WEIR_NO_NODE && is_type(w, next, "call"))
            id = call_id(w, next);
        details_put(&w->m, text, kind, get_value(w->c, w->j, part, "opaque"), id, index++);
    }
    if (any)
        emit_close(&w->m, ']');
}

static void say_reasoning(struct lower *w, uint32_t content)
{
    const char *field = w->o->reasoning_field;
    struct weir_str text = joined(w, content, "reasoning");

    if (strcmp(field, "reasoning_details") == 0) {
        say_details(w, content);
        return;
    }
    if (strcmp(field, "auto") == 0)
        field = openai_is_own(w->o) ? "none" : "reasoning_content";
    if (text.len && strcmp(field, "none") != 0)
        emit_member_text(&w->m, field, text);
}

/* Text that has a mark stays in its blocks. */
static bool say_assistant_content(struct lower *w, uint32_t content, bool calls)
{
    struct weir_str text = joined(w, content, "text");
    bool marked = false;

    for (EACH_ITEM(w->j, part, content)) {
        marked |= is_type(w, part, "text") && lower_marks_cache(w, part);
        if (is_type(w, part, "text") && !lower_marks_cache(w, part) && !lower_cache(w, part))
            return false;
    }
    emit_key(&w->m, "content");
    if (!marked) {
        if (text.len || !calls)
            emit_text(&w->m, text);
        else
            emit_raw(&w->m, WEIR_STR("null"));
        return true;
    }
    emit_open(&w->m, '[');
    for (EACH_ITEM(w->j, part, content))
        if (is_type(w, part, "text") && !say_text(w, part))
            return false;
    emit_close(&w->m, ']');
    return true;
}

static bool say_assistant(struct lower *w, uint32_t message, uint32_t content)
{
    struct weir_str refusal = joined(w, content, "refusal");
    bool calls = false, any = false;

    for (EACH_ITEM(w->j, part, content)) {
        bool known = is_type(w, part, "text") || is_type(w, part, "refusal");
        calls |= is_type(w, part, "call");
        any |= known || is_type(w, part, "call") || is_type(w, part, "reasoning");
        if (!known && !is_type(w, part, "call") && !is_type(w, part, "reasoning") &&
            !canon_lossy_at(w->c, part, "content", false, w->e))
            return false;
    }
    if (!any)
        return true;
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "role", "assistant");
    say_reasoning(w, content);
    if (!say_assistant_content(w, content, calls || refusal.len))
        return false;
    if (refusal.len)
        emit_member_text(&w->m, "refusal", refusal);
    emit_member(&w->m, "name", w->j, part_get(w, message, "name"));
    if (!say_calls(w, content))
        return false;
    emit_close(&w->m, '}');
    return true;
}

/* ---- results ---- */

static bool is_shown(const struct lower *w, uint32_t part)
{
    return is_type(w, part, "image") || (is_type(w, part, "document") && !node_there(w->j, part_get(w, part, "text")));
}

static bool say_result_parts(struct lower *w, uint32_t result)
{
    uint32_t content = part_get(w, result, "content");

    emit_open(&w->m, '[');
    if (node_true(w->j, part_get(w, result, "error")) && !say_text_of(w, WEIR_STR("Error: "), WEIR_NO_NODE))
        return false;
    for (EACH_ITEM(w->j, part, content)) {
        uint32_t marked =
            weir_json_next(w->j, content, part) == WEIR_NO_NODE && lower_marks_cache(w, result) ? result : part;
        if (is_shown(w, part)          ? !say_text_of(w, WEIR_STR("(shown in the next user message)"), marked)
            : is_type(w, part, "text") ? !say_text_of(w, get_value(w->c, w->j, part, "text"), marked)
                                       : !say_part(w, part))
            return false;
    }
    emit_close(&w->m, ']');
    return true;
}

static bool say_result(struct lower *w, uint32_t result)
{
    uint32_t content = part_get(w, result, "content"), text;
    struct text failed = {.c = w->c};

    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "role", "tool");
    emit_member_text(&w->m, "tool_call_id", call_id(w, result));
    emit_key(&w->m, "content");
    if (!only_text(w, content, &text) || lower_marks_cache(w, result)) {
        if (!say_result_parts(w, result))
            return false;
    } else if (node_true(w->j, part_get(w, result, "error"))) {
        text_lit(&failed, "Error: ");
        text_str(&failed, get_value(w->c, w->j, text, "text"));
        emit_text(&w->m, text_view(&failed));
    } else {
        emit_text(&w->m, get_value(w->c, w->j, text, "text"));
    }
    emit_close(&w->m, '}');
    return lower_marks_cache(w, result) || lower_cache(w, result);
}

/* What the results of the messages [from, to) show. */
static bool say_shown(struct lower *w, uint32_t messages, uint32_t from, uint32_t to)
{
    bool any = false;

    for (uint32_t m = from; m != to && m != WEIR_NO_NODE; m = weir_json_next(w->j, messages, m))
        for (EACH_ITEM(w->j, result, part_get(w, m, "content")))
            for (EACH_ITEM(w->j, part, part_get(w, result, "content"))) {
                if (!is_shown(w, part))
                    continue;
                if (!any) {
                    emit_open(&w->m, '{');
                    emit_member_lit(&w->m, "role", "user");
                    emit_key(&w->m, "content");
                    emit_open(&w->m, '[');
                }
                any = true;
                if (!say_part(w, part))
                    return false;
            }
    if (any) {
        emit_close(&w->m, ']');
        emit_close(&w->m, '}');
    }
    return true;
}

static bool say_results(struct lower *w, uint32_t content)
{
    for (EACH_ITEM(w->j, result, content))
        if (is_type(w, result, "result") && !say_result(w, result))
            return false;
    return true;
}

static bool say_message(struct lower *w, uint32_t message)
{
    uint32_t content = part_get(w, message, "content"), role = part_get(w, message, "role");

    if (node_says(w->j, role, "assistant"))
        return say_assistant(w, message, content);
    if (node_says(w->j, role, "tool"))
        return say_results(w, content);
    return say_said(w, node_says(w->j, role, "system") ? "system" : "user", message, content);
}

bool lower_messages(struct lower *w)
{
    uint32_t messages = weir_json_get(w->j, 0, "messages"), results = WEIR_NO_NODE;

    emit_key(&w->m, "messages");
    emit_open(&w->m, '[');
    if (!say_said(w, "system", WEIR_NO_NODE, weir_json_get(w->j, 0, "system")))
        return false;
    for (EACH_ITEM(w->j, message, messages)) {
        bool tool = node_says(w->j, part_get(w, message, "role"), "tool");
        if (!tool && results != WEIR_NO_NODE) {
            if (!say_shown(w, messages, results, message))
                return false;
            results = WEIR_NO_NODE;
        }
        if (tool && results == WEIR_NO_NODE)
            results = message;
        if (!say_message(w, message))
            return false;
    }
    if (results != WEIR_NO_NODE && !say_shown(w, messages, results, WEIR_NO_NODE))
        return false;
    emit_close(&w->m, ']');
    return true;
}
