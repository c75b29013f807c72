/* SPDX-License-Identifier: Apache-2.0 */
/* lift_tools.c -- tools, functions and the choice among them -> the canonical request; see lift.h. */
#include "lift.h"

static const char *const tool_keys[] = {"type", "function", "custom", "cache_control", NULL};
static const char *const function_keys[] = {"name", "description", "parameters", "strict", NULL};
static const char *const custom_keys[] = {"name", "description", "format", NULL};

static bool lay_function(struct lift *l, uint32_t f, uint32_t tool, struct weir_str at)
{
    if (!node_is_string(l->j, weir_json_get(l->j, f, "name")))
        return lift_invalid(l, at, "a function needs a name.");
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, weir_json_get(l->j, f, "name"));
    emit_member(&l->m, "description", l->j, weir_json_get(l->j, f, "description"));
    emit_member(&l->m, "schema", l->j, weir_json_get(l->j, f, "parameters"));
    emit_member(&l->m, "strict", l->j, weir_json_get(l->j, f, "strict"));
    lift_cache(l, tool, WEIR_NO_NODE);
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
    return lift_rest(l, f, function_keys, tool == WEIR_NO_NODE ? at : lift_at(l->c, at, "function"));
}

static bool lay_freeform(struct lift *l, uint32_t custom, uint32_t tool, struct weir_str at)
{
    uint32_t format = weir_json_get(l->j, custom, "format");

    if (!node_is_string(l->j, weir_json_get(l->j, custom, "name")))
        return lift_invalid(l, at, "a custom tool needs a name.");
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, weir_json_get(l->j, custom, "name"));
    emit_member(&l->m, "description", l->j, weir_json_get(l->j, custom, "description"));
    emit_key(&l->m, "custom");
    if (weir_json_is(l->j, format, WEIR_JSON_OBJECT))
        emit_node(&l->m, l->j, format);
    else
        emit_raw(&l->m, WEIR_STR("{}"));
    lift_cache(l, tool, WEIR_NO_NODE);
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
    return lift_rest(l, custom, custom_keys, lift_at(l->c, at, "custom"));
}

static void lay_hosted(struct lift *l, uint32_t tool, struct weir_str at)
{
    emit_open(&l->m, '{');
    emit_member(&l->m, "hosted", l->j, weir_json_get(l->j, tool, "type"));
    emit_member(&l->m, "raw", l->j, tool);
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
}

static bool lay_tool(struct lift *l, uint32_t tool, struct weir_str at)
{
    uint32_t type = weir_json_get(l->j, tool, "type"), f = weir_json_get(l->j, tool, "function");
    uint32_t custom = weir_json_get(l->j, tool, "custom");

    if (weir_json_is(l->j, f, WEIR_JSON_OBJECT) && (node_says(l->j, type, "function") || !node_there(l->j, type)))
        return lay_function(l, f, tool, at) && lift_rest(l, tool, tool_keys, at);
    if (node_says(l->j, type, "custom"))
        return lay_freeform(l, custom, tool, at) && lift_rest(l, tool, tool_keys, at);
    if (!node_is_string(l->j, type) || node_says(l->j, type, "function"))
        return lift_invalid(l, at, "expected a tool with a type and what belongs to it.");
    lay_hosted(l, tool, at);
    return true;
}

bool lift_tools(struct lift *l, uint32_t tools, bool functions)
{
    struct weir_str base = functions ? WEIR_STR("functions") : WEIR_STR("tools");
    uint32_t i = 0;

    if (!weir_json_is(l->j, tools, WEIR_JSON_ARRAY) || weir_json_first(l->j, tools) == WEIR_NO_NODE)
        return true;
    emit_key(&l->m, "tools");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, tool, tools)) {
        struct weir_str at = lift_item(l->c, base, i++);
        if (!(functions ? lay_function(l, tool, WEIR_NO_NODE, at) : lay_tool(l, tool, at)))
            return false;
    }
    emit_close(&l->m, ']');
    return true;
}

/* ---- the choice ---- */

static void lay_mode(struct lift *l, struct weir_str mode)
{
    emit_key(&l->m, "tool_choice");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "mode", mode);
}

static uint32_t choice_name(const struct weir_json *j, uint32_t choice)
{
    uint32_t name = weir_json_get(j, weir_json_get(j, choice, "function"), "name");

    if (name == WEIR_NO_NODE)
        name = weir_json_get(j, weir_json_get(j, choice, "custom"), "name");
    return name != WEIR_NO_NODE ? name : weir_json_get(j, choice, "name");
}

static bool lay_allowed(struct lift *l, uint32_t allowed)
{
    static const char *const known[] = {"mode", "tools", NULL};

    lay_mode(l, WEIR_STR("allowed"));
    emit_key(&l->m, "names");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, tool, weir_json_get(l->j, allowed, "tools"))) {
        uint32_t name = choice_name(l->j, tool);
        if (!node_is_string(l->j, name))
            return lift_invalid(l, WEIR_STR("tool_choice.allowed_tools.tools"), "expected tools with a name.");
        emit_node(&l->m, l->j, name);
    }
    emit_close(&l->m, ']');
    emit_key(&l->m, "required");
    emit_bool(&l->m, node_says(l->j, weir_json_get(l->j, allowed, "mode"), "required"));
    emit_close(&l->m, '}');
    return lift_rest(l, allowed, known, WEIR_STR("tool_choice.allowed_tools"));
}

bool lift_choice(struct lift *l, uint32_t choice)
{
    static const char *const known[] = {"type", "function", "custom", "name", NULL};
    uint32_t allowed = weir_json_get(l->j, choice, "allowed_tools");

    if (node_is_string(l->j, choice)) {
        bool any = node_says(l->j, choice, "any"); /* Mistral's */
        if (!any && !node_says(l->j, choice, "auto") && !node_says(l->j, choice, "none") &&
            !node_says(l->j, choice, "required"))
            return lift_invalid(l, WEIR_STR("tool_choice"), "expected 'none', 'auto', 'required' or a tool.");
        lay_mode(l, any ? WEIR_STR("required") : weir_json_text(l->j, choice));
        emit_close(&l->m, '}');
        return true;
    }
    if (weir_json_is(l->j, allowed, WEIR_JSON_OBJECT))
        return lay_allowed(l, allowed);
    if (!node_is_string(l->j, choice_name(l->j, choice)))
        return lossy(l->c, WEIR_STR("tool_choice"), false, l->e);
    lay_mode(l, WEIR_STR("named"));
    emit_member(&l->m, "name", l->j, choice_name(l->j, choice));
    emit_close(&l->m, '}');
    return lift_rest(l, choice, known, WEIR_STR("tool_choice"));
}
