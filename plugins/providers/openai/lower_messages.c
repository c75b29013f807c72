/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_messages.c -- the messages of the canonical request as OpenAI's chat has them; see lower.h.
 *
 * Text alone is a string, several blocks are parts.  Each result is a message of its own; images in results, which a
 * tool message cannot have, come in a user's message behind the last result of the turn.
 */
#include "details.h"
#include "lower.h"

/* ---- content ---- */

/* The text of a content that is one block of text without a mark, or none; else WEIR_NO_NODE and false. */
static bool only_text(const struct lower *w, uint32_t content, uint32_t *text)
{
    size_t n = 0;

    *text = WEIR_NO_NODE;
    for (EACH_ITEM(w->j, part, content)) {
        if (n++ || !part_is(w, part, "text") || lower_marks_cache(w, part))
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
        if (!lower_part(w, part))
            return false;
    emit_close(&w->m, ']');
    return true;
}

static bool say_name(struct lower *w, uint32_t message)
{
    uint32_t name = part_get(w, message, "name");

    if (node_there(w->j, name) && openai_lacks(w->o, "name"))
        return lossy(w->c, WEIR_STR("messages.name"), true, w->e);
    emit_member(&w->m, "name", w->j, name);
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
    if (message != WEIR_NO_NODE && !say_name(w, message))
        return false;
    emit_close(&w->m, '}');
    return true;
}

/* ---- the assistant ---- */

static struct weir_str call_id(struct lower *w, uint32_t part)
{
    return lower_call_id(w, get_value(w->c, w->j, part, "id"));
}

/* Where there are no custom tools, what one was given is the one argument of a function. */
static struct weir_str wrapped(struct lower *w, uint32_t part)
{
    struct emit m = {.t.c = w->c};

    emit_open(&m, '{');
    emit_member_text(&m, "input", get_value(w->c, w->j, part, "input"));
    emit_close(&m, '}');
    return text_view(&m.t);
}

static bool say_call(struct lower *w, uint32_t part)
{
    bool freeform = node_true(w->j, part_get(w, part, "custom"));
    bool custom = freeform && !openai_lacks(w->o, "custom_tools");
    struct weir_str arguments = freeform ? wrapped(w, part) : get_value(w->c, w->j, part, "arguments");

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
        if (!part_is(w, part, "call"))
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

/* A refusal is text where there is no member for it. */
static bool is_said(const struct lower *w, uint32_t part)
{
    return part_is(w, part, "text") || (part_is(w, part, "refusal") && lower_is_mistral(w));
}

/* All pieces of text of one type, without anything between: blocks of one answer.  "" none. */
static struct weir_str joined(struct lower *w, uint32_t content, const char *type)
{
    bool said = strcmp(type, "text") == 0;
    struct text t = {.c = w->c};

    for (EACH_ITEM(w->j, part, content))
        if ((said ? is_said(w, part) : part_is(w, part, type)) && !node_there(w->j, part_get(w, part, "opaque")))
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
        if (!part_is(w, part, "reasoning"))
            continue;
        if (!any) {
            emit_key(&w->m, "reasoning_details");
            emit_open(&w->m, '[');
        }
        any = true;
        if (str_is(kind, "gemini.thought") && next != WEIR_NO_NODE && part_is(w, next, "call"))
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
    if (text.len && strcmp(field, "none") != 0 && strcmp(field, "thinking") != 0)
        emit_member_text(&w->m, field, text);
}

/* Mistral's: reasoning stands in the content, before the text. */
static bool say_thinking(struct lower *w, uint32_t content)
{
    struct weir_str text = joined(w, content, "reasoning");

    if (!text.len || strcmp(w->o->reasoning_field, "thinking") != 0)
        return false;
    emit_open(&w->m, '[');
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "thinking");
    emit_key(&w->m, "thinking");
    emit_open(&w->m, '[');
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "text");
    emit_member_text(&w->m, "text", text);
    emit_close(&w->m, '}');
    emit_close(&w->m, ']');
    emit_close(&w->m, '}');
    return true;
}

/* Text that has a mark stays in its blocks. */
static bool say_assistant_content(struct lower *w, uint32_t content, bool calls)
{
    struct weir_str text = joined(w, content, "text");
    bool marked = false, thinks;

    for (EACH_ITEM(w->j, part, content)) {
        marked |= part_is(w, part, "text") && lower_marks_cache(w, part);
        if (part_is(w, part, "text") && !lower_marks_cache(w, part) && !lower_cache(w, part))
            return false;
    }
    emit_key(&w->m, "content");
    thinks = say_thinking(w, content);
    if (!marked && !thinks) {
        if (text.len || !calls)
            emit_text(&w->m, text);
        else
            emit_raw(&w->m, WEIR_STR("null"));
        return true;
    }
    if (!thinks)
        emit_open(&w->m, '[');
    for (EACH_ITEM(w->j, part, content))
        if (is_said(w, part) && !lower_text(w, part))
            return false;
    emit_close(&w->m, ']');
    return true;
}

/* The answer is to go on from here. */
static bool say_prefix(struct lower *w, uint32_t message)
{
    if (!node_true(w->j, part_get(w, message, "prefix")))
        return true;
    if (!openai_takes(w->o, "prefix"))
        return lossy(w->c, WEIR_STR("messages.prefix"), false, w->e);
    emit_key(&w->m, "prefix");
    emit_bool(&w->m, true);
    return true;
}

static bool say_assistant(struct lower *w, uint32_t message, uint32_t content)
{
    struct weir_str refusal = lower_is_mistral(w) ? WEIR_STR("") : joined(w, content, "refusal");
    bool calls = false, any = false;

    for (EACH_ITEM(w->j, part, content)) {
        bool known = part_is(w, part, "text") || part_is(w, part, "refusal");
        calls |= part_is(w, part, "call");
        any |= known || part_is(w, part, "call") || part_is(w, part, "reasoning");
        if (!known && !part_is(w, part, "call") && !part_is(w, part, "reasoning") &&
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
    if (!say_name(w, message) || !say_calls(w, content) || !say_prefix(w, message))
        return false;
    emit_close(&w->m, '}');
    return true;
}

/* ---- results ---- */

static bool is_shown(const struct lower *w, uint32_t part)
{
    if (lower_is_mistral(w)) /* its tool messages hold any part */
        return false;
    return part_is(w, part, "image") || (part_is(w, part, "document") && !node_there(w->j, part_get(w, part, "text")));
}

static bool say_result_parts(struct lower *w, uint32_t result)
{
    uint32_t content = part_get(w, result, "content");

    emit_open(&w->m, '[');
    if (node_true(w->j, part_get(w, result, "error")) && !lower_text_of(w, WEIR_STR("Error: "), WEIR_NO_NODE))
        return false;
    for (EACH_ITEM(w->j, part, content)) {
        uint32_t marked =
            weir_json_next(w->j, content, part) == WEIR_NO_NODE && lower_marks_cache(w, result) ? result : part;
        if (is_shown(w, part)          ? !lower_text_of(w, WEIR_STR("(shown in the next user message)"), marked)
            : part_is(w, part, "text") ? !lower_text_of(w, get_value(w->c, w->j, part, "text"), marked)
                                       : !lower_part(w, part))
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
                if (!lower_part(w, part))
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
        if (part_is(w, result, "result") && !say_result(w, result))
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
