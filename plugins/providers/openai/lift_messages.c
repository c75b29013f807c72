/* SPDX-License-Identifier: Apache-2.0 */
/* lift_messages.c -- messages of a chat -> the canonical request; see lift.h. */
#include "lift.h"

#include <stdio.h>

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL, ROLE_FUNCTION, ROLE_UNKNOWN };

static enum role role_of(const struct weir_json *j, uint32_t message)
{
    static const struct {
        const char *word;
        enum role role;
    } roles[] = {
        {"system", ROLE_SYSTEM},       {"developer", ROLE_SYSTEM}, {"user", ROLE_USER},
        {"assistant", ROLE_ASSISTANT}, {"tool", ROLE_TOOL},        {"function", ROLE_FUNCTION},
    };
    uint32_t role = weir_json_get(j, message, "role");

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (node_says(j, role, roles[i].word))
            return roles[i].role;
    return ROLE_UNKNOWN;
}

/* ---- calls ---- */

/* Calls of old have no id: one is made of the place, the same in every request of a conversation. */
static struct weir_str old_id(struct lift *l, uint32_t message)
{
    struct text t = {.c = l->c};

    text_lit(&t, "call_");
    text_int(&t, message);
    return text_view(&t);
}

/* What stands as an object is the text of it. */
static void put_arguments(struct lift *l, uint32_t arguments)
{
    emit_key(&l->m, "arguments");
    if (!node_there(l->j, arguments))
        emit_text(&l->m, WEIR_STR(""));
    else if (node_is_string(l->j, arguments))
        emit_node(&l->m, l->j, arguments);
    else
        emit_text(&l->m, weir_json_text(l->j, arguments));
}

static bool lift_call(struct lift *l, uint32_t call, struct weir_str at)
{
    static const char *const known[] = {"id", "type", "index", "function", "custom", "extra_content", NULL};
    uint32_t f = weir_json_get(l->j, call, "function"), custom = weir_json_get(l->j, call, "custom");
    bool freeform = weir_json_is(l->j, custom, WEIR_JSON_OBJECT);

    if (!freeform && !weir_json_is(l->j, f, WEIR_JSON_OBJECT))
        return lift_invalid(l, at, "expected a call of a function or of a custom tool.");
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "call");
    emit_member_text(&l->m, "id", get_value(l->c, l->j, call, "id"));
    emit_member_text(&l->m, "name", get_value(l->c, l->j, freeform ? custom : f, "name"));
    if (freeform) {
        emit_key(&l->m, "custom");
        emit_bool(&l->m, true);
        emit_member_text(&l->m, "input", get_value(l->c, l->j, custom, "input"));
    } else {
        put_arguments(l, weir_json_get(l->j, f, "arguments"));
    }
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
    return lift_rest(l, call, known, at);
}

/* Gemini's own OpenAI-like API keeps the signature of a call beside it. */
static void lift_extra(struct lift *l, uint32_t call)
{
    uint32_t google = weir_json_get(l->j, weir_json_get(l->j, call, "extra_content"), "google");
    uint32_t sign = weir_json_get(l->j, google, "thought_signature");

    if (!node_is_string(l->j, sign))
        return;
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "reasoning");
    emit_member(&l->m, "opaque", l->j, sign);
    emit_member_lit(&l->m, "kind", "gemini.thought");
    emit_close(&l->m, '}');
}

static bool lift_calls(struct lift *l, uint32_t message, struct weir_str at)
{
    struct weir_str base = lift_at(l->c, at, "tool_calls");
    uint32_t i = 0;

    for (EACH_ITEM(l->j, call, weir_json_get(l->j, message, "tool_calls"))) {
        lift_thought(l, message, call);
        lift_extra(l, call);
        if (!lift_call(l, call, lift_item(l->c, base, i++)))
            return false;
    }
    return true;
}

static void lift_old_call(struct lift *l, uint32_t call, uint32_t index, struct weir_str at)
{
    if (!weir_json_is(l->j, call, WEIR_JSON_OBJECT))
        return;
    l->function = index;
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "call");
    emit_member_text(&l->m, "id", old_id(l, index));
    emit_member_text(&l->m, "name", get_value(l->c, l->j, call, "name"));
    put_arguments(l, weir_json_get(l->j, call, "arguments"));
    emit_member_text(&l->m, "at", lift_at(l->c, at, "function_call"));
    emit_close(&l->m, '}');
}

/* ---- messages ---- */

static void message_begin(struct lift *l, const char *role, uint32_t message)
{
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "role", str_of(role));
    if (message != WEIR_NO_NODE)
        emit_member(&l->m, "name", l->j, weir_json_get(l->j, message, "name"));
    if (message != WEIR_NO_NODE && node_true(l->j, weir_json_get(l->j, message, "prefix")))
        emit_member(&l->m, "prefix", l->j, weir_json_get(l->j, message, "prefix"));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
}

static void message_end(struct lift *l)
{
    emit_close(&l->m, ']');
    emit_close(&l->m, '}');
}

static bool lift_assistant(struct lift *l, uint32_t message, uint32_t index, struct weir_str at)
{
    static const char *const known[] = {"role",          "content",     "name",      "refusal",           "tool_calls",
                                        "function_call", "annotations", "reasoning", "reasoning_content", "audio",
                                        "cache_control", "thinking",    "prefix",    "reasoning_details", NULL};
    uint32_t refusal = weir_json_get(l->j, message, "refusal"), prefix = weir_json_get(l->j, message, "prefix");

    l->prefixed |= node_true(l->j, prefix); /* see lift_extra.c: not everybody's */
    message_begin(l, "assistant", message);
    if (!lift_reasoning(l, message, at) || !lift_content(l, weir_json_get(l->j, message, "content"), at, message))
        return false;
    if (node_is_string(l->j, refusal) && l->j->nodes[refusal].len) {
        emit_open(&l->m, '{');
        emit_member_lit(&l->m, "type", "refusal");
        emit_member(&l->m, "text", l->j, refusal);
        emit_close(&l->m, '}');
    }
    if (!lift_calls(l, message, at))
        return false;
    lift_old_call(l, weir_json_get(l->j, message, "function_call"), index, at);
    message_end(l);
    return lift_lossy(l, weir_json_get(l->j, message, "annotations"), lift_at(l->c, at, "annotations"), true) &&
           lift_lossy(l, weir_json_get(l->j, message, "audio"), lift_at(l->c, at, "audio"), false) &&
           lift_rest(l, message, known, at);
}

static bool lift_result(struct lift *l, uint32_t message, bool old, struct weir_str at)
{
    static const char *const known[] = {"role", "content", "tool_call_id", "name", "cache_control", NULL};

    message_begin(l, "tool", WEIR_NO_NODE);
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "result");
    emit_member_text(&l->m, "id", old ? old_id(l, l->function) : get_value(l->c, l->j, message, "tool_call_id"));
    emit_member(&l->m, "name", l->j, weir_json_get(l->j, message, "name"));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    if (!lift_content(l, weir_json_get(l->j, message, "content"), at, WEIR_NO_NODE))
        return false;
    emit_close(&l->m, ']');
    lift_cache(l, message, WEIR_NO_NODE);
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
    message_end(l);
    return lift_rest(l, message, known, at);
}

static bool lift_said(struct lift *l, const char *role, uint32_t message, struct weir_str at)
{
    static const char *const known[] = {"role", "content", "name", "cache_control", NULL};

    message_begin(l, role, message);
    if (!lift_content(l, weir_json_get(l->j, message, "content"), at, message))
        return false;
    message_end(l);
    return lift_rest(l, message, known, at);
}

static bool lift_message(struct lift *l, uint32_t message, uint32_t index)
{
    struct weir_str at = lift_item(l->c, WEIR_STR("messages"), index);

    switch (role_of(l->j, message)) {
    case ROLE_SYSTEM:
        return lift_said(l, "system", message, at);
    case ROLE_USER:
        return lift_said(l, "user", message, at);
    case ROLE_ASSISTANT:
        return lift_assistant(l, message, index, at);
    case ROLE_TOOL:
        return lift_result(l, message, false, at);
    case ROLE_FUNCTION:
        return lift_result(l, message, true, at);
    case ROLE_UNKNOWN:
        break;
    }
    return lift_invalid(l, lift_at(l->c, at, "role"),
                        "expected 'system', 'developer', 'user', 'assistant', 'tool' or 'function'.");
}

bool lift_system(struct lift *l, uint32_t messages)
{
    static const char *const known[] = {"role", "content", "cache_control", NULL};
    uint32_t i = 0;

    for (EACH_ITEM(l->j, message, messages)) {
        struct weir_str at = lift_item(l->c, WEIR_STR("messages"), i);
        uint32_t name = weir_json_get(l->j, message, "name");
        if (role_of(l->j, message) != ROLE_SYSTEM)
            break;
        if (i++ == 0) {
            emit_key(&l->m, "system");
            emit_open(&l->m, '[');
        }
        if (!lift_content(l, weir_json_get(l->j, message, "content"), at, message))
            return false;
        if (!node_there(l->j, name) ? !lift_rest(l, message, known, at)
                                    : !lossy(l->c, lift_at(l->c, at, "name"), true, l->e))
            return false;
    }
    if (i)
        emit_close(&l->m, ']');
    return true;
}

bool lift_messages(struct lift *l, uint32_t messages)
{
    bool leading = true;
    uint32_t i = 0;

    emit_key(&l->m, "messages");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, message, messages)) {
        leading = leading && role_of(l->j, message) == ROLE_SYSTEM;
        if (!leading && !lift_message(l, message, i))
            return false;
        i++;
    }
    emit_close(&l->m, ']');
    return true;
}
