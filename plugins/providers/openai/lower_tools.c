/* SPDX-License-Identifier: Apache-2.0 */
/* lower_tools.c -- tools, their choice and marks of caching, as OpenAI's chat has them; see lower.h. */
#include "lower.h"

bool lower_marks_cache(const struct lower *w, uint32_t object)
{
    return node_there(w->j, weir_json_get(w->j, object, "cache")) && strcmp(w->o->cache_marks, "none") != 0;
}

/* A mark saves money and changes no answer. */
bool lower_cache(struct lower *w, uint32_t object)
{
    uint32_t cache = weir_json_get(w->j, object, "cache");

    if (!node_there(w->j, cache))
        return true;
    if (!lower_marks_cache(w, object)) {
        bool first = !w->cache_told;
        w->cache_told = true;
        return !first || lossy(w->c, canon_name(w->c, "cache"), true, w->e);
    }
    if (strcmp(w->o->cache_marks, "cache_control") == 0) {
        emit_key(&w->m, "cache_control");
        emit_open(&w->m, '{');
        emit_member_lit(&w->m, "type", "ephemeral");
        emit_member(&w->m, "ttl", w->j, weir_json_get(w->j, cache, "ttl"));
    } else {
        emit_key(&w->m, "prompt_cache_breakpoint");
        emit_open(&w->m, '{');
        emit_member_lit(&w->m, "mode", "explicit");
    }
    emit_close(&w->m, '}');
    return true;
}

/* Mistral wants a schema of every function. */
static void say_schema(struct lower *w, uint32_t tool)
{
    uint32_t schema = weir_json_get(w->j, tool, "schema");

    if (lower_is_mistral(w) && !node_there(w->j, schema)) {
        emit_key(&w->m, "parameters");
        emit_raw(&w->m, WEIR_STR("{\"type\":\"object\",\"properties\":{}}"));
    }
    emit_member(&w->m, "parameters", w->j, schema);
    emit_member(&w->m, "strict", w->j, weir_json_get(w->j, tool, "strict"));
}

static bool say_tool(struct lower *w, uint32_t tool)
{
    uint32_t custom = weir_json_get(w->j, tool, "custom");
    bool freeform = node_there(w->j, custom), format;

    if (node_there(w->j, weir_json_get(w->j, tool, "hosted")) || (freeform && openai_lacks(w->o, "custom_tools")))
        return canon_lossy_at(w->c, tool, "tools", false, w->e);
    format = freeform && weir_json_first(w->j, custom) != WEIR_NO_NODE;
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "type", freeform ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_key(&w->m, freeform ? "custom" : "function");
    emit_open(&w->m, '{');
    emit_member(&w->m, "name", w->j, weir_json_get(w->j, tool, "name"));
    emit_member(&w->m, "description", w->j, weir_json_get(w->j, tool, "description"));
    if (format)
        emit_member(&w->m, "format", w->j, custom);
    if (!freeform)
        say_schema(w, tool);
    emit_close(&w->m, '}');
    if (!lower_cache(w, tool))
        return false;
    emit_close(&w->m, '}');
    return true;
}

/* Where a choice among some of the tools cannot be said, the others are not sent. */
static bool is_offered(const struct lower *w, uint32_t tool)
{
    uint32_t choice = weir_json_get(w->j, 0, "tool_choice");
    struct weir_str name = get_value(w->c, w->j, tool, "name");

    if (!openai_lacks(w->o, "allowed_tools") || !node_says(w->j, weir_json_get(w->j, choice, "mode"), "allowed"))
        return true;
    for (EACH_ITEM(w->j, allowed, weir_json_get(w->j, choice, "names")))
        if (str_eq(node_value(w->c, w->j, allowed), name))
            return true;
    return false;
}

bool lower_tools(struct lower *w)
{
    struct emit before = w->m;
    bool any = false;

    emit_key(&w->m, "tools");
    emit_open(&w->m, '[');
    for (EACH_ITEM(w->j, tool, weir_json_get(w->j, 0, "tools"))) {
        size_t n = w->m.t.len;
        if (is_offered(w, tool) && !say_tool(w, tool))
            return false;
        any |= w->m.t.len != n;
    }
    emit_close(&w->m, ']');
    if (!any) { /* none, or all were left out */
        w->m.t.len = before.t.len;
        w->m.comma = before.comma;
    }
    return true;
}

static bool name_is_custom(const struct lower *w, struct weir_str name)
{
    for (EACH_ITEM(w->j, tool, weir_json_get(w->j, 0, "tools")))
        if (str_eq(get_value(w->c, w->j, tool, "name"), name))
            return node_there(w->j, weir_json_get(w->j, tool, "custom"));
    return false;
}

static void say_named(struct lower *w, struct weir_str name)
{
    bool custom = name_is_custom(w, name);

    emit_open(&w->m, '{');
    emit_member_text(&w->m, "type", custom ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_key(&w->m, custom ? "custom" : "function");
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "name", name);
    emit_close(&w->m, '}');
    emit_close(&w->m, '}');
}

static void say_allowed(struct lower *w, uint32_t choice)
{
    bool required = node_true(w->j, weir_json_get(w->j, choice, "required"));

    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "allowed_tools");
    emit_key(&w->m, "allowed_tools");
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "mode", required ? WEIR_STR("required") : WEIR_STR("auto"));
    emit_key(&w->m, "tools");
    emit_open(&w->m, '[');
    for (EACH_ITEM(w->j, name, weir_json_get(w->j, choice, "names")))
        say_named(w, node_value(w->c, w->j, name));
    emit_close(&w->m, ']');
    emit_close(&w->m, '}');
    emit_close(&w->m, '}');
}

/* Without tools there is nothing to choose, and OpenAI refuses the member. */
bool lower_choice(struct lower *w)
{
    uint32_t choice = weir_json_get(w->j, 0, "tool_choice"), mode = weir_json_get(w->j, choice, "mode");

    if (!node_is_string(w->j, mode) ||
        (!node_there(w->j, weir_json_get(w->j, 0, "tools")) && !node_says(w->j, mode, "named")))
        return true;
    emit_key(&w->m, "tool_choice");
    if (node_says(w->j, mode, "named"))
        say_named(w, get_value(w->c, w->j, choice, "name"));
    else if (node_says(w->j, mode, "allowed") && openai_lacks(w->o, "allowed_tools"))
        emit_text(&w->m,
                  node_true(w->j, weir_json_get(w->j, choice, "required")) ? WEIR_STR("required") : WEIR_STR("auto"));
    else if (node_says(w->j, mode, "allowed"))
        say_allowed(w, choice);
    else
        emit_node(&w->m, w->j, mode);
    return true;
}
