/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.c -- the canonical request (docs/canonical.md) -> the body of a chat.  Host: step `try`, worker process.
 *
 * Messages stand last, so that the bytes of a history are the beginning of those of the next turn.
 */
#include "lower.h"

#include <stdlib.h>

static uint32_t top(struct lower *l, const char *key)
{
    return weir_json_get(l->j, 0, key);
}

bool lower_hints(struct lower *l, const char *const *keys)
{
    for (; *keys; keys++)
        if (!canon_lossy(l->c, *keys, true, l->e))
            return false;
    return true;
}

/* ---- tools ---- */

/* Cohere has no word for one tool, or some of those declared: then the others are not declared. */
static bool is_allowed(struct lower *l, struct weir_str name)
{
    uint32_t choice = top(l, "tool_choice"), mode = lower_at(l, choice, "mode");

    if (node_says(l->j, mode, "named"))
        return str_eq(get_value(l->c, l->j, choice, "name"), name);
    if (!node_says(l->j, mode, "allowed"))
        return true;
    for (EACH_ITEM(l->j, n, lower_at(l, choice, "names")))
        if (str_eq(node_value(l->c, l->j, n), name))
            return true;
    return false;
}

static void put_tool(struct lower *l, uint32_t tool)
{
    uint32_t schema = lower_at(l, tool, "schema");

    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "function");
    emit_key(&l->m, "function");
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, lower_at(l, tool, "name"));
    emit_member(&l->m, "description", l->j, lower_at(l, tool, "description"));
    emit_key(&l->m, "parameters");
    if (weir_json_is(l->j, schema, WEIR_JSON_OBJECT) && weir_json_first(l->j, schema) != WEIR_NO_NODE)
        emit_node(&l->m, l->j, schema);
    else
        emit_raw(&l->m, WEIR_STR("{\"type\":\"object\",\"properties\":{}}"));
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
}

/* `strict` counts for all tools or for none. */
static bool put_strict(struct lower *l)
{
    bool all = true, any = false;

    for (EACH_ITEM(l->j, tool, top(l, "tools"))) {
        bool strict = node_true(l->j, lower_at(l, tool, "strict"));
        all &= strict;
        any |= strict;
    }
    if (any && all) {
        emit_key(&l->m, "strict_tools");
        emit_bool(&l->m, true);
    }
    return !any || all || lossy(l->c, WEIR_STR("tools.strict"), true, l->e);
}

static void put_choice(struct lower *l)
{
    uint32_t choice = top(l, "tool_choice"), mode = lower_at(l, choice, "mode");
    bool some = node_says(l->j, mode, "allowed") && node_true(l->j, lower_at(l, choice, "required"));

    if (node_says(l->j, mode, "none"))
        emit_member_lit(&l->m, "tool_choice", "NONE");
    else if (some || node_says(l->j, mode, "required") || node_says(l->j, mode, "named"))
        emit_member_lit(&l->m, "tool_choice", "REQUIRED");
}

static bool lower_tools(struct lower *l)
{
    size_t count = 0;

    for (EACH_ITEM(l->j, tool, top(l, "tools"))) {
        if (node_there(l->j, lower_at(l, tool, "hosted")) || node_there(l->j, lower_at(l, tool, "custom"))) {
            if (!canon_lossy_at(l->c, tool, "tools", false, l->e))
                return false;
            continue;
        }
        if (node_there(l->j, lower_at(l, tool, "cache")) && !canon_lossy_at(l->c, tool, "cache", true, l->e))
            return false;
        if (!is_allowed(l, get_value(l->c, l->j, tool, "name")))
            continue;
        if (!count++) {
            emit_key(&l->m, "tools");
            emit_open(&l->m, '[');
        }
        put_tool(l, tool);
    }
    if (!count)
        return true;
    emit_close(&l->m, ']');
    put_choice(l);
    return put_strict(l);
}

/* ---- settings ---- */

/* false: no number. */
static bool number_of(struct lower *l, uint32_t node, double *value)
{
    struct weir_str s;
    char digits[40];

    if (!weir_json_is(l->j, node, WEIR_JSON_NUMBER))
        return false;
    s = weir_json_text(l->j, node);
    if (s.len >= sizeof digits)
        return false;
    memcpy(digits, s.ptr, s.len);
    digits[s.len] = '\0';
    *value = strtod(digits, NULL);
    return true;
}

/* Penalties go from 0 to 1 here, elsewhere from -2 to 2; one of nothing is none. */
static bool put_penalty(struct lower *l, const char *key)
{
    uint32_t node = top(l, key);
    double value;

    if (!number_of(l, node, &value) || value == 0)
        return true;
    if (value > 0 && value <= 1) {
        emit_member(&l->m, key, l->j, node);
        return true;
    }
    if (value > 1) {
        emit_key(&l->m, key);
        emit_int(&l->m, 1);
    }
    return canon_lossy(l->c, key, true, l->e);
}

static bool put_stop(struct lower *l)
{
    uint32_t stop = top(l, "stop"), count = 0;

    for (EACH_ITEM(l->j, n, stop))
        count += node_is_string(l->j, n);
    if (!count)
        return true;
    if (count > 5)
        return canon_lossy(l->c, "stop", false, l->e);
    emit_member(&l->m, "stop_sequences", l->j, stop);
    return true;
}

static bool lower_format(struct lower *l)
{
    uint32_t format = top(l, "format");

    if (!node_there(l->j, format))
        return true;
    emit_key(&l->m, "response_format");
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "json_object");
    emit_member(&l->m, "json_schema", l->j, lower_at(l, format, "schema"));
    emit_close(&l->m, '}');
    return true;
}

/* Efforts are budgets here; the highest are thinking without one. */
static int64_t thinking_budget(struct lower *l, uint32_t reasoning)
{
    static const struct {
        const char *effort;
        int64_t tokens;
    } rows[] = {{"none", 0}, {"minimal", 512}, {"low", 1024}, {"medium", 8192}};
    uint32_t effort = lower_at(l, reasoning, "effort");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (node_says(l->j, effort, rows[i].effort))
            return rows[i].tokens;
    return -1;
}

static bool lower_thinking(struct lower *l)
{
    uint32_t reasoning = top(l, "reasoning"), budget = lower_at(l, reasoning, "budget");
    int64_t tokens = weir_json_int(l->j, budget, thinking_budget(l, reasoning));
    bool none = node_says(l->j, lower_at(l, reasoning, "effort"), "none");
    bool asked = none || node_there(l->j, budget) || node_there(l->j, lower_at(l, reasoning, "effort")) ||
                 node_true(l->j, lower_at(l, reasoning, "adaptive"));

    if (!node_there(l->j, reasoning))
        return true;
    if (str_is(weir_fact(l->c, "model.reasoning"), "false")) /* it does not know the member */
        return none || tokens == 0 || canon_lossy(l->c, "reasoning", true, l->e);
    if (node_says(l->j, lower_at(l, reasoning, "show"), "none") && !canon_lossy(l->c, "reasoning", true, l->e))
        return false;
    if (!asked)
        return true;
    emit_key(&l->m, "thinking");
    emit_open(&l->m, '{');
    if (none || tokens == 0)
        emit_member_lit(&l->m, "type", "disabled");
    else
        emit_member_lit(&l->m, "type", "enabled");
    if (!none && tokens > 0) {
        emit_key(&l->m, "token_budget");
        emit_int(&l->m, tokens);
    }
    emit_close(&l->m, '}');
    return true;
}

static bool lower_settings(struct lower *l)
{
    static const char *const hints[] = {"min_p", "repetition_penalty", "logit_bias", "verbosity", "service_tier",
                                        "user",  "metadata",           "cache_key",  "cache",     NULL};

    emit_member(&l->m, "max_tokens", l->j, top(l, "max_output"));
    emit_member(&l->m, "temperature", l->j, top(l, "temperature"));
    emit_member(&l->m, "p", l->j, top(l, "top_p"));
    emit_member(&l->m, "k", l->j, top(l, "top_k"));
    if (!put_penalty(l, "presence_penalty") || !put_penalty(l, "frequency_penalty"))
        return false;
    emit_member(&l->m, "seed", l->j, top(l, "seed"));
    if (!put_stop(l) || !lower_format(l) || !lower_thinking(l) || !lower_hints(l, hints))
        return false;
    if (weir_json_is(l->j, top(l, "parallel_tools"), WEIR_JSON_FALSE) &&
        !canon_lossy(l->c, "parallel_tools", true, l->e))
        return false;
    if (weir_json_int(l->j, top(l, "n"), 1) != 1 && !canon_lossy(l->c, "n", false, l->e))
        return false;
    return canon_lossy(l->c, "logprobs", false, l->e);
}

bool cohere_lower_chat(struct weir_ctx *c, struct weir_str model, struct text *body, struct weir_error *e)
{
    struct lower l = {.c = c, .j = weir_canonical(c), .e = e, .m = {.t.c = c}};

    emit_open(&l.m, '{');
    emit_member_text(&l.m, "model", model);
    emit_key(&l.m, "stream");
    emit_bool(&l.m, weir_request(c)->stream);
    if (!lower_tools(&l) || !lower_settings(&l) || !lower_messages(&l))
        return false;
    emit_close(&l.m, '}');
    *body = l.m.t;
    return true;
}
