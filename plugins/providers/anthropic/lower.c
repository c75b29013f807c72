/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.c -- the canonical request -> a body of Anthropic's: everything but messages.  Called by encode.c.
 *
 * Keys always stand in the same order, and what an upstream caches by (system, tools) before the messages, so that the
 * same history gives the same bytes.
 */
#include "lower.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_TOKENS 8192 /* where neither the client nor the catalogue says one: every model in service takes it */

static uint32_t top(const struct lower *l, const char *key)
{
    return weir_json_get(l->j, 0, key);
}

/* ---- limits and sampling ---- */

static int64_t max_of(const struct lower *l)
{
    struct weir_str fact = weir_fact(l->c, "model.max_output");
    int64_t said = weir_json_int(l->j, top(l, "max_output"), -1), v = 0;

    if (said >= 0)
        return said;
    for (size_t i = 0; i < fact.len && fact.ptr[i] >= '0' && fact.ptr[i] <= '9' && v < MOST_TOKENS; i++)
        v = v * 10 + (fact.ptr[i] - '0');
    return v > 0 ? v : MAX_TOKENS;
}

/* Newer versions of the API, and some models, take no sampling. */
static bool samples(const struct lower *l, const char *key)
{
    struct weir_str refused = weir_fact(l->c, "model.refuses");
    const char *at = refused.len ? memmem(refused.ptr, refused.len, key, strlen(key)) : NULL;

    return !at && strcmp(((const struct anthropic *)l->c->self)->version, ANTHROPIC_VERSION) == 0;
}

static double number(const struct lower *l, uint32_t node)
{
    struct weir_str s = weir_json_text(l->j, node);
    char digits[40];

    snprintf(digits, sizeof digits, "%.*s", (int)(s.len < 39 ? s.len : 39), s.ptr);
    return strtod(digits, NULL);
}

static bool is_number(const struct lower *l, const char *key)
{
    return weir_json_is(l->j, top(l, key), WEIR_JSON_NUMBER);
}

/* While a model thinks, only the default is taken. */
static bool put_temperature(struct lower *l)
{
    double v;

    if (!is_number(l, "temperature"))
        return true;
    v = number(l, top(l, "temperature"));
    if (!samples(l, "temperature") || l->think.on)
        return canon_lossy(l->c, "temperature", v == 1.0, l->e);
    emit_key(l->m, "temperature");
    if (v <= 1.0) {
        emit_node(l->m, l->j, top(l, "temperature"));
        return true;
    }
    emit_int(l->m, 1); /* others go up to 2 */
    return canon_lossy(l->c, "temperature", true, l->e);
}

static bool put_sampling(struct lower *l)
{
    bool tempered = is_number(l, "temperature");

    if (!put_temperature(l))
        return false;
    if (is_number(l, "top_p")) {
        double v = number(l, top(l, "top_p"));
        if (samples(l, "top_p") && !tempered && (!l->think.on || v >= 0.95))
            emit_member(l->m, "top_p", l->j, top(l, "top_p"));
        else if (!canon_lossy(l->c, "top_p", tempered || v >= 1.0, l->e)) /* not both, says Anthropic */
            return false;
    }
    if (is_number(l, "top_k")) {
        if (samples(l, "top_k") && !l->think.on)
            emit_member(l->m, "top_k", l->j, top(l, "top_k"));
        else if (!canon_lossy(l->c, "top_k", true, l->e))
            return false;
    }
    return true;
}

static bool is_blank(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr(" \t\r\n", s.ptr[i]) || !s.ptr[i])
            return false;
    return true;
}

/* Anthropic refuses sequences of nothing but blanks. */
static bool put_stop(struct lower *l)
{
    bool any = false, blank = false;

    for (EACH_ITEM(l->j, n, top(l, "stop"))) {
        if (is_blank(node_value(l->c, l->j, n))) {
            blank = true;
            continue;
        }
        if (!any) {
            emit_key(l->m, "stop_sequences");
            emit_open(l->m, '[');
        }
        any = true;
        emit_node(l->m, l->j, n);
    }
    if (any)
        emit_close(l->m, ']');
    return !blank || canon_lossy(l->c, "stop", true, l->e);
}

/* ---- thinking and form ---- */

static void put_thinking(struct lower *l)
{
    const struct thinking *t = &l->think;

    if (!t->on && !t->off)
        return;
    emit_key(l->m, "thinking");
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", str_of(t->off ? "disabled" : t->adaptive ? "adaptive" : "enabled"));
    if (t->on && !t->adaptive) {
        emit_key(l->m, "budget_tokens");
        emit_int(l->m, t->budget);
    }
    if (t->on && t->display.len)
        emit_member_text(l->m, "display", t->display);
    emit_close(l->m, '}');
}

static bool wants_json(const struct lower *l)
{
    return node_says(l->j, weir_json_get(l->j, top(l, "format"), "type"), "json");
}

static void put_output(struct lower *l)
{
    uint32_t schema = weir_json_get(l->j, top(l, "format"), "schema");

    if (!l->think.effort.len && schema == WEIR_NO_NODE)
        return;
    emit_key(l->m, "output_config");
    emit_open(l->m, '{');
    if (l->think.effort.len)
        emit_member_text(l->m, "effort", l->think.effort);
    if (schema != WEIR_NO_NODE) {
        emit_key(l->m, "format");
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "json_schema");
        emit_member(l->m, "schema", l->j, schema);
        emit_close(l->m, '}');
    }
    emit_close(l->m, '}');
}

/* ---- who and how ---- */

static bool put_account(struct lower *l)
{
    struct weir_str tier = lower_value(l, 0, "service_tier");

    if (top(l, "user") != WEIR_NO_NODE) {
        emit_key(l->m, "metadata");
        emit_open(l->m, '{');
        emit_member(l->m, "user_id", l->j, top(l, "user"));
        emit_close(l->m, '}');
    }
    if (str_is(tier, "default") || str_is(tier, "standard_only"))
        emit_member_lit(l->m, "service_tier", "standard_only");
    else if (str_is(tier, "auto"))
        emit_member_lit(l->m, "service_tier", "auto");
    else if (tier.len && !canon_lossy(l->c, "service_tier", true, l->e))
        return false;
    return true;
}

bool lower_cache(struct lower *l, uint32_t object)
{
    uint32_t cache = lower_get(l, object, "cache");
    struct weir_str ttl = lower_value(l, cache, "ttl");
    bool known = str_is(ttl, "5m") || str_is(ttl, "1h");

    if (!weir_json_is(l->j, cache, WEIR_JSON_OBJECT))
        return true;
    emit_key(l->m, "cache_control");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "ephemeral");
    if (known)
        emit_member_text(l->m, "ttl", ttl);
    emit_close(l->m, '}');
    return known || !ttl.len || canon_lossy_at(l->c, object, "cache", true, l->e);
}

/* ---- tools ---- */

struct weir_str lower_tool_name(struct weir_ctx *c, struct weir_str name)
{
    return canon_call_id(c, name, 128, false);
}

/* Anthropic wants {"type":"object"} in every schema. */
static void put_schema(struct lower *l, uint32_t schema)
{
    struct weir_str s;

    emit_key(l->m, "input_schema");
    if (!weir_json_is(l->j, schema, WEIR_JSON_OBJECT) || weir_json_first(l->j, schema) == WEIR_NO_NODE) {
        emit_raw(l->m, WEIR_STR("{\"type\":\"object\",\"properties\":{}}"));
        return;
    }
    if (weir_json_get(l->j, schema, "type") != WEIR_NO_NODE) {
        emit_node(l->m, l->j, schema);
        return;
    }
    s = weir_json_text(l->j, schema);
    emit_raw(l->m, WEIR_STR("{\"type\":\"object\","));
    text_put(&l->m->t, s.ptr + 1, s.len - 1);
}

/* A tool that takes plain text: an object of one string here, unwrapped again by decode. */
static void put_custom_schema(struct lower *l)
{
    emit_key(l->m, "input_schema");
    emit_raw(l->m, WEIR_STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
                            "\"required\":[\"input\"]}"));
}

static bool put_tool(struct lower *l, uint32_t tool)
{
    bool custom = weir_json_get(l->j, tool, "custom") != WEIR_NO_NODE;

    emit_open(l->m, '{');
    emit_member_text(l->m, "name", lower_tool_name(l->c, lower_value(l, tool, "name")));
    emit_member(l->m, "description", l->j, weir_json_get(l->j, tool, "description"));
    if (custom)
        put_custom_schema(l);
    else
        put_schema(l, weir_json_get(l->j, tool, "schema"));
    if (node_true(l->j, weir_json_get(l->j, tool, "strict")))
        emit_member(l->m, "strict", l->j, weir_json_get(l->j, tool, "strict"));
    if (!lower_cache(l, tool))
        return false;
    emit_close(l->m, '}');
    /* A grammar binds the text: without it the model may say anything. */
    return !custom || weir_json_get(l->j, weir_json_get(l->j, tool, "custom"), "type") == WEIR_NO_NODE ||
           node_says(l->j, weir_json_get(l->j, weir_json_get(l->j, tool, "custom"), "type"), "text") ||
           canon_lossy_at(l->c, tool, "tools", false, l->e);
}

static bool is_allowed(const struct lower *l, uint32_t tool)
{
    uint32_t choice = top(l, "tool_choice");
    struct weir_str name = lower_value(l, tool, "name");

    if (!node_says(l->j, weir_json_get(l->j, choice, "mode"), "allowed"))
        return true;
    for (EACH_ITEM(l->j, n, weir_json_get(l->j, choice, "names")))
        if (str_eq(node_value(l->c, l->j, n), name))
            return true;
    return false;
}

static bool put_tools(struct lower *l, bool *any)
{
    for (EACH_ITEM(l->j, tool, top(l, "tools"))) {
        if (weir_json_get(l->j, tool, "hosted") != WEIR_NO_NODE) {
            if (!canon_lossy_at(l->c, tool, "tools", false, l->e))
                return false;
            continue;
        }
        if (!is_allowed(l, tool))
            continue;
        if (!*any) {
            emit_key(l->m, "tools");
            emit_open(l->m, '[');
        }
        *any = true;
        if (!put_tool(l, tool))
            return false;
    }
    if (*any)
        emit_close(l->m, ']');
    return true;
}

static bool put_choice(struct lower *l, bool tools)
{
    uint32_t choice = top(l, "tool_choice"), mode = weir_json_get(l->j, choice, "mode");
    bool alone = weir_json_is(l->j, top(l, "parallel_tools"), WEIR_JSON_FALSE);
    bool named = node_says(l->j, mode, "named"), none = node_says(l->j, mode, "none");
    bool any = node_says(l->j, mode, "required") ||
               (node_says(l->j, mode, "allowed") && node_true(l->j, weir_json_get(l->j, choice, "required")));

    if (!tools && (named || any))
        return canon_lossy(l->c, "tool_choice", false, l->e);
    if (!tools || (choice == WEIR_NO_NODE && !alone))
        return true;
    emit_key(l->m, "tool_choice");
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", str_of(named ? "tool" : any ? "any" : none ? "none" : "auto"));
    if (named)
        emit_member_text(l->m, "name", lower_tool_name(l->c, lower_value(l, choice, "name")));
    if (alone && !none)
        emit_raw(l->m, WEIR_STR("\"disable_parallel_tool_use\":true"));
    emit_close(l->m, '}');
    return true;
}

/* ---- what Anthropic has no word for ---- */

static bool is_zero(const struct lower *l, uint32_t node)
{
    if (weir_json_is(l->j, node, WEIR_JSON_OBJECT))
        return weir_json_first(l->j, node) == WEIR_NO_NODE;
    return weir_json_is(l->j, node, WEIR_JSON_NUMBER) && number(l, node) == 0.0;
}

static bool leave_out(struct lower *l)
{
    static const struct {
        const char *key;
        bool hint, zero; /* zero: that says nothing */
    } rows[] = {
        {"min_p", true, true},
        {"presence_penalty", true, true},
        {"frequency_penalty", true, true},
        {"repetition_penalty", true, false},
        {"logit_bias", true, true},
        {"seed", true, false},
        {"logprobs", false, false},
        {"verbosity", true, false},
        {"metadata", true, false},
        {"cache_key", true, false},
        {"input", false, false},
        {"dimensions", false, false},
        {"encoding", false, false},
        {"input_type", false, false},
        {"query", false, false},
        {"top_n", false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(rows[i].zero && is_zero(l, top(l, rows[i].key))) && !canon_lossy(l->c, rows[i].key, rows[i].hint, l->e))
            return false;
    if (weir_json_int(l->j, top(l, "n"), 1) != 1 && !canon_lossy(l->c, "n", false, l->e))
        return false;
    if (!canon_names_lossy(l->c, l->e))
        return false;
    return !wants_json(l) || canon_lossy(l->c, "format", true, l->e); /* asked for in words instead */
}

bool lower_body(struct weir_ctx *c, struct emit *m, struct weir_str model, struct weir_error *e)
{
    struct lower l = {.c = c, .j = weir_canonical(c), .m = m, .e = e};
    struct weir_str more = wants_json(&l) ? WEIR_STR("Answer with one JSON object and nothing else.") : WEIR_STR("");
    bool tools = false;

    l.max = max_of(&l);
    if (!leave_out(&l) || !lower_thinking(&l, model))
        return false;
    text_reserve(&m->t, l.j->text.len);
    emit_open(m, '{');
    emit_member_text(m, "model", model);
    emit_key(m, "max_tokens");
    emit_int(m, l.max);
    if (weir_request(c)->stream)
        emit_raw(m, WEIR_STR("\"stream\":true"));
    if (!put_sampling(&l) || !put_stop(&l))
        return false;
    put_thinking(&l);
    put_output(&l);
    if (!put_account(&l) || !lower_cache(&l, 0) || !lower_system(&l, more) || !put_tools(&l, &tools) ||
        !put_choice(&l, tools) || !lower_messages(&l))
        return false;
    emit_close(m, '}');
    return true;
}
