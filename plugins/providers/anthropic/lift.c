/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.c -- a client's body -> the canonical request (docs/canonical.md), for upstreams of another dialect.  Messages
 * and blocks are in lift_parts.c.  Host: before the first such attempt, worker process.
 */
#include "lift.h"

#include <stdio.h>

static uint32_t lift_top(const struct lift *l, const char *key)
{
    return weir_json_get(l->j, 0, key);
}

static bool says(const struct lift *l, uint32_t object, const char *key, const char *word)
{
    return node_says(l->j, lift_get(l, object, key), word);
}

/* ---- names: how the client spells what the canonical request calls otherwise ---- */

static uint32_t format_of(const struct lift *l)
{
    uint32_t format = lift_get(l, lift_top(l, "output_config"), "format");

    return node_there(l->j, format) ? format : lift_top(l, "output_format");
}

static const char *reasoning_name(const struct lift *l)
{
    return node_there(l->j, lift_top(l, "thinking")) ? "thinking" : "output_config.effort";
}

static void lift_names(struct lift *l)
{
    bool beta = !node_there(l->j, lift_get(l, lift_top(l, "output_config"), "format"));

    emit_key(l->m, "names");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "parallel_tools", "tool_choice.disable_parallel_tool_use");
    emit_member_lit(l->m, "max_output", "max_tokens");
    emit_member_lit(l->m, "stop", "stop_sequences");
    emit_member_text(l->m, "format", str_of(beta ? "output_format" : "output_config.format"));
    emit_member_text(l->m, "reasoning", str_of(reasoning_name(l)));
    emit_member_lit(l->m, "user", "metadata.user_id");
    emit_member_lit(l->m, "cache", "cache_control");
    emit_close(l->m, '}');
}

/* ---- tools ---- */

static bool lift_hosted(struct lift *l, uint32_t tool, struct weir_str type, const char *at)
{
    size_t n = type.len;

    /* web_search_20250305: the date is a version, not a name. */
    while (n && type.ptr[n - 1] >= '0' && type.ptr[n - 1] <= '9')
        n--;
    if (n && type.len - n == 8 && type.ptr[n - 1] == '_')
        type.len = n - 1;
    emit_open(l->m, '{');
    emit_member_text(l->m, "hosted", type);
    emit_key(l->m, "raw");
    emit_node(l->m, l->j, tool);
    emit_member_text(l->m, "at", str_of(at));
    emit_close(l->m, '}');
    return true;
}

/* Members of a tool beside those that every dialect has. */
static bool tool_rest(struct lift *l, uint32_t tool, const char *at)
{
    static const char *const known[] = {"type", "name", "description", "input_schema", "strict", "cache_control", NULL};
    static const char *const hints[] = {"eager_input_streaming", "input_examples", "defer_loading", NULL};

    for (EACH_KEY(l->j, k, tool)) {
        struct weir_str key = weir_json_text(l->j, k);
        const char *const *w = known, *const *h = hints;
        bool direct = KEY_IS(l->j, k, "allowed_callers") && str_is(weir_json_text(l->j, k + 1), "[\"direct\"]");
        while (*w && !str_is(key, *w))
            w++;
        while (*h && !str_is(key, *h))
            h++;
        if (*w || direct || !node_there(l->j, k + 1) || weir_json_is(l->j, k + 1, WEIR_JSON_FALSE))
            continue;
        if (!lift_unknown(l, at, k, *h != NULL))
            return false;
    }
    return true;
}

static bool lift_tool(struct lift *l, uint32_t tool, uint32_t index)
{
    const char *at = place_of(l->c, "tools[%u]", (unsigned)index).ptr;
    struct weir_str type = get_value(l->c, l->j, tool, "type");

    if (type.len && !str_is(type, "custom"))
        return lift_hosted(l, tool, type, at);
    if (!node_is_string(l->j, lift_get(l, tool, "name"))) {
        snprintf(l->e->field, sizeof l->e->field, "%s.name", at);
        snprintf(l->e->text, sizeof l->e->text, "%s.name: Field required", at);
        return false;
    }
    emit_open(l->m, '{');
    emit_member(l->m, "name", l->j, lift_get(l, tool, "name"));
    emit_member(l->m, "description", l->j, lift_get(l, tool, "description"));
    emit_member(l->m, "schema", l->j, lift_get(l, tool, "input_schema"));
    emit_member(l->m, "strict", l->j, lift_get(l, tool, "strict"));
    if (!lift_cache(l, tool, at))
        return false;
    emit_member_text(l->m, "at", str_of(at));
    emit_close(l->m, '}');
    return tool_rest(l, tool, at);
}

static bool lift_tools(struct lift *l)
{
    uint32_t tools = lift_top(l, "tools"), i = 0;

    if (!weir_json_is(l->j, tools, WEIR_JSON_ARRAY) || weir_json_first(l->j, tools) == WEIR_NO_NODE)
        return true;
    emit_key(l->m, "tools");
    emit_open(l->m, '[');
    for (EACH_ITEM(l->j, tool, tools))
        if (!lift_tool(l, tool, i++))
            return false;
    emit_close(l->m, ']');
    return true;
}

static bool lift_choice(struct lift *l)
{
    static const struct {
        const char *type, *mode;
    } modes[] = {{"auto", "auto"}, {"any", "required"}, {"none", "none"}, {"tool", "named"}};
    uint32_t choice = lift_top(l, "tool_choice"), alone = lift_get(l, choice, "disable_parallel_tool_use");
    const char *mode = NULL;

    if (!node_there(l->j, choice))
        return true;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (says(l, choice, "type", modes[i].type))
            mode = modes[i].mode;
    if (!mode)
        return lift_lossy(l, "tool_choice.type", NULL, false);
    emit_key(l->m, "tool_choice");
    emit_open(l->m, '{');
    emit_member_text(l->m, "mode", str_of(mode));
    if (strcmp(mode, "named") == 0)
        emit_member(l->m, "name", l->j, lift_get(l, choice, "name"));
    emit_close(l->m, '}');
    if (node_there(l->j, alone)) {
        emit_key(l->m, "parallel_tools");
        emit_bool(l->m, !node_true(l->j, alone));
    }
    return true;
}

/* ---- limits, form, thinking ---- */

static bool lift_limits(struct lift *l)
{
    static const char *const numbers[] = {"temperature", "top_p", "top_k", NULL};

    if (weir_json_int(l->j, lift_top(l, "max_tokens"), -1) == 0 &&
        !lift_lossy(l, "max_tokens", NULL, false)) /* only to fill a cache */
        return false;
    if (weir_json_int(l->j, lift_top(l, "max_tokens"), -1) > 0)
        emit_member(l->m, "max_output", l->j, lift_top(l, "max_tokens"));
    for (const char *const *n = numbers; *n; n++)
        emit_member(l->m, *n, l->j, lift_top(l, *n));
    if (weir_json_is(l->j, lift_top(l, "stop_sequences"), WEIR_JSON_ARRAY) &&
        weir_json_first(l->j, lift_top(l, "stop_sequences")) != WEIR_NO_NODE)
        emit_member(l->m, "stop", l->j, lift_top(l, "stop_sequences"));
    return true;
}

static bool lift_format(struct lift *l)
{
    uint32_t format = format_of(l), schema = lift_get(l, format, "schema");

    if (!node_there(l->j, format))
        return true;
    if (!says(l, format, "type", "json_schema") || !weir_json_is(l->j, schema, WEIR_JSON_OBJECT))
        return lift_lossy(l, "output_config.format", NULL, false);
    emit_key(l->m, "format");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "schema");
    emit_member(l->m, "schema", l->j, schema);
    emit_close(l->m, '}');
    return true;
}

static bool lift_reasoning(struct lift *l)
{
    uint32_t thinking = lift_top(l, "thinking"), effort = lift_get(l, lift_top(l, "output_config"), "effort");
    bool there = node_there(l->j, thinking), off = says(l, thinking, "type", "disabled");
    bool adaptive = says(l, thinking, "type", "adaptive");

    if (!there && !node_there(l->j, effort))
        return true;
    if (there && !off && !adaptive && !says(l, thinking, "type", "enabled"))
        return lift_lossy(l, "thinking.type", NULL, false);
    emit_key(l->m, "reasoning");
    emit_open(l->m, '{');
    if (off)
        emit_raw(l->m, WEIR_STR("\"effort\":\"none\",\"budget\":0"));
    else
        emit_member(l->m, "effort", l->j, effort);
    if (!off)
        emit_member(l->m, "budget", l->j, lift_get(l, thinking, "budget_tokens"));
    if (adaptive)
        emit_raw(l->m, WEIR_STR("\"adaptive\":true"));
    if (!off && node_there(l->j, lift_get(l, thinking, "display")))
        emit_member_text(l->m, "show", str_of(says(l, thinking, "display", "omitted") ? "none" : "auto"));
    emit_close(l->m, '}');
    return !off || !node_there(l->j, effort) || lift_lossy(l, "output_config.effort", NULL, true);
}

/* ---- the rest ---- */

static bool lift_account(struct lift *l)
{
    uint32_t metadata = lift_top(l, "metadata");

    emit_member(l->m, "service_tier", l->j, lift_top(l, "service_tier"));
    emit_member(l->m, "user", l->j, lift_get(l, metadata, "user_id"));
    for (EACH_KEY(l->j, k, metadata))
        if (!KEY_IS(l->j, k, "user_id") && !lift_unknown(l, "metadata", k, true))
            return false;
    return lift_cache(l, 0, "body");
}

/* Edits that only save tokens may be left out; one that sums up the history may not. */
static bool edits_are_hints(const struct lift *l, uint32_t management)
{
    bool hints = true;

    for (EACH_ITEM(l->j, edit, lift_get(l, management, "edits")))
        hints &= str_starts(get_value(l->c, l->j, edit, "type"), "clear_");
    for (EACH_KEY(l->j, k, management))
        hints &= KEY_IS(l->j, k, "edits");
    return hints;
}

static bool is_empty(const struct lift *l, uint32_t node)
{
    return !node_there(l->j, node) ||
           (weir_json_is(l->j, node, WEIR_JSON_ARRAY) && l->j->nodes[node].next == node + 1) ||
           (weir_json_is(l->j, node, WEIR_JSON_OBJECT) && l->j->nodes[node].next == node + 1);
}

/* Every key of the body is one of ours, or is told by its name. */
static bool name_rest(struct lift *l)
{
    static const char *const known[] = {
        "model",         "messages",    "max_tokens",     "stream",        "system",       "tools",
        "tool_choice",   "temperature", "stop_sequences", "top_p",         "top_k",        "metadata",
        "output_config", "thinking",    "output_format",  "cache_control", "service_tier", NULL};
    static const char *const hints[] = {"speed", "diagnostics", NULL};

    for (EACH_KEY(l->j, k, 0)) {
        struct weir_str key = weir_json_text(l->j, k);
        const char *const *w = known, *const *h = hints;
        bool hint;
        while (*w && !str_is(key, *w))
            w++;
        while (*h && !str_is(key, *h))
            h++;
        hint = *h || (KEY_IS(l->j, k, "context_management") && edits_are_hints(l, k + 1));
        if (!*w && !is_empty(l, k + 1) && !lossy(l->c, key, hint, l->e))
            return false;
    }
    for (EACH_KEY(l->j, k, lift_top(l, "output_config")))
        if (!KEY_IS(l->j, k, "effort") && !KEY_IS(l->j, k, "format") && !lift_unknown(l, "output_config", k, false))
            return false;
    return !weir_fact(l->c, "header.anthropic-beta").len || lift_lossy(l, "anthropic-beta", NULL, true);
}

static bool lift_messages(struct lift *l)
{
    uint32_t i = 0;

    emit_key(l->m, "messages");
    emit_open(l->m, '[');
    for (EACH_ITEM(l->j, message, lift_top(l, "messages")))
        if (!lift_message(l, message, i++))
            return false;
    emit_close(l->m, ']');
    return true;
}

bool anthropic_lift(struct weir_ctx *c, struct weir_error *e)
{
    struct emit m = {.t.c = c};
    struct lift l = {.c = c, .j = weir_body(c), .m = &m, .e = e};

    if (!name_rest(&l))
        return false;
    text_reserve(&m.t, l.j->text.len);
    emit_open(&m, '{');
    lift_names(&l);
    emit_key(&m, "stream");
    emit_bool(&m, weir_request(c)->stream);
    if (!lift_system(&l, lift_top(&l, "system")) || !lift_messages(&l) || !lift_tools(&l) || !lift_choice(&l) ||
        !lift_limits(&l) || !lift_format(&l) || !lift_reasoning(&l) || !lift_account(&l))
        return false;
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
    return true;
}
