/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_tools.c -- tools and the choice among them -> toolConfig.  Called by lower.c.
 *
 * Converse refuses a history with calls or results when no tools are declared: then the tools that the history names
 * are declared, without saying what they do.
 */
#include "lower.h"

static bool is_allowed(struct lower *l, struct weir_str name)
{
    uint32_t choice = lower_at(l, 0, "tool_choice");

    if (!node_says(l->j, lower_at(l, choice, "mode"), "allowed"))
        return true;
    for (EACH_ITEM(l->j, n, lower_at(l, choice, "names")))
        if (str_eq(node_value(l->c, l->j, n), name))
            return true;
    return false;
}

static void put_spec(struct lower *l, struct weir_str name, uint32_t tool)
{
    uint32_t description = lower_at(l, tool, "description"), schema = lower_at(l, tool, "schema");

    emit_open(&l->m, '{');
    emit_key(&l->m, "toolSpec");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "name", lower_name(l, name));
    if (node_value(l->c, l->j, description).len)
        emit_member(&l->m, "description", l->j, description);
    emit_key(&l->m, "inputSchema");
    emit_open(&l->m, '{');
    emit_key(&l->m, "json");
    if (weir_json_is(l->j, schema, WEIR_JSON_OBJECT) && weir_json_first(l->j, schema) != WEIR_NO_NODE)
        emit_node(&l->m, l->j, schema);
    else
        emit_raw(&l->m, WEIR_STR("{\"type\":\"object\"}"));
    emit_close(&l->m, '}');
    if (node_true(l->j, lower_at(l, tool, "strict"))) {
        emit_key(&l->m, "strict");
        emit_bool(&l->m, true);
    }
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
}

static bool put_tools(struct lower *l)
{
    for (EACH_ITEM(l->j, tool, lower_at(l, 0, "tools"))) {
        struct weir_str name = get_value(l->c, l->j, tool, "name");
        if (node_there(l->j, lower_at(l, tool, "hosted")) || node_there(l->j, lower_at(l, tool, "custom"))) {
            if (!canon_lossy_at(l->c, tool, "tools", false, l->e))
                return false;
            continue;
        }
        if (!is_allowed(l, name))
            continue;
        put_spec(l, name, tool);
        if (!lower_cache(l, tool))
            return false;
    }
    return true;
}

/* The tools of a history, each once, in the order of their first call.  A handful: looked up one by one. */
static bool put_stubs(struct lower *l)
{
    struct weir_str *seen = NULL;
    size_t n = 0, cap = 0;

    for (EACH_ITEM(l->j, m, lower_at(l, 0, "messages")))
        for (EACH_ITEM(l->j, part, lower_at(l, m, "content"))) {
            struct weir_str name = get_value(l->c, l->j, part, "name");
            size_t i = 0;
            if (!node_says(l->j, lower_at(l, part, "type"), "call") || !name.len)
                continue;
            while (i < n && !str_eq(seen[i], name))
                i++;
            if (i < n)
                continue;
            if (n == cap) {
                struct weir_str *more = weir_alloc(l->c, (cap = cap ? 2 * cap : 8) * sizeof *more);
                if (n)
                    memcpy(more, seen, n * sizeof *more);
                seen = more;
            }
            if (n == 1000)
                return canon_lossy(l->c, "messages", false, l->e);
            seen[n++] = name;
            put_spec(l, name, WEIR_NO_NODE);
        }
    if (!n) /* results of calls that are not there: Converse says what is wrong with them */
        put_spec(l, WEIR_STR("tool"), WEIR_NO_NODE);
    return true;
}

static bool history_has_tools(struct lower *l)
{
    for (EACH_ITEM(l->j, m, lower_at(l, 0, "messages")))
        for (EACH_ITEM(l->j, part, lower_at(l, m, "content"))) {
            uint32_t type = lower_at(l, part, "type");
            if (node_says(l->j, type, "call") || node_says(l->j, type, "result"))
                return true;
        }
    return false;
}

static void put_choice(struct lower *l, uint32_t choice)
{
    uint32_t mode = lower_at(l, choice, "mode");
    bool any = node_says(l->j, mode, "required") ||
               (node_says(l->j, mode, "allowed") && node_true(l->j, lower_at(l, choice, "required")));
    bool named = node_says(l->j, mode, "named");

    if (mode == WEIR_NO_NODE || node_says(l->j, mode, "none"))
        return;
    emit_key(&l->m, "toolChoice");
    emit_open(&l->m, '{');
    emit_key(&l->m, named ? "tool" : any ? "any" : "auto");
    emit_open(&l->m, '{');
    if (named)
        emit_member_text(&l->m, "name", lower_name(l, get_value(l->c, l->j, choice, "name")));
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
}

bool lower_tools(struct lower *l)
{
    uint32_t tools = lower_at(l, 0, "tools"), choice = lower_at(l, 0, "tool_choice");
    bool declared = weir_json_is(l->j, tools, WEIR_JSON_ARRAY) && weir_json_first(l->j, tools) != WEIR_NO_NODE;
    bool history = history_has_tools(l), none = node_says(l->j, lower_at(l, choice, "mode"), "none");
    struct emit before = l->m;
    size_t from;

    if (none && history && declared && !canon_lossy(l->c, "tool_choice", false, l->e))
        return false;
    if (!history && (!declared || none))
        return true;
    emit_key(&l->m, "toolConfig");
    emit_open(&l->m, '{');
    emit_key(&l->m, "tools");
    emit_open(&l->m, '[');
    from = l->m.t.len;
    if (declared && !put_tools(l))
        return false;
    if (l->m.t.len == from && history && !put_stubs(l))
        return false;
    if (l->m.t.len == from) { /* all of them were left out: there is no empty list */
        l->m.t.len = before.t.len;
        l->m.comma = before.comma;
        return true;
    }
    emit_close(&l->m, ']');
    if (declared)
        put_choice(l, choice);
    emit_close(&l->m, '}');
    return true;
}
