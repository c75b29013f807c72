/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.c -- a client's chat completion or embedding -> the canonical request (docs/canonical.md).
 *
 * One table, in the canonical order: where a client's key goes, and how.  A key in no row is refused by its name.  Hook
 * `lift`, worker process.
 */
#include "lift.h"

#include <stdio.h>

/* ---- helpers of all files ---- */

struct weir_str lift_at(struct weir_ctx *c, struct weir_str base, const char *key)
{
    struct text t = {.c = c};

    text_str(&t, base);
    if (base.len)
        text_lit(&t, ".");
    text_str(&t, str_of(key));
    return text_view(&t);
}

struct weir_str lift_item(struct weir_ctx *c, struct weir_str base, uint32_t index)
{
    struct text t = {.c = c};

    text_str(&t, base);
    text_lit(&t, "[");
    text_int(&t, index);
    text_lit(&t, "]");
    return text_view(&t);
}

bool lift_lossy(struct lift *l, uint32_t value, struct weir_str at, bool hint)
{
    return !node_there(l->j, value) || lossy(l->c, at, hint, l->e);
}

bool lift_invalid(struct lift *l, struct weir_str at, const char *why)
{
    snprintf(l->e->code, sizeof l->e->code, "invalid_value");
    snprintf(l->e->field, sizeof l->e->field, "%.*s", (int)at.len, at.ptr);
    snprintf(l->e->text, sizeof l->e->text, "Invalid value for '%s': %s", l->e->field, why);
    return false;
}

static bool word_in(const struct weir_json *j, uint32_t key, const char *const *words)
{
    for (; *words; words++)
        if (weir_json_eq(j, key, *words, strlen(*words)))
            return true;
    return false;
}

bool lift_rest(struct lift *l, uint32_t object, const char *const *known, struct weir_str at)
{
    for (EACH_KEY(l->j, k, object)) {
        struct text name = {.c = l->c};
        if (!node_there(l->j, k + 1) || word_in(l->j, k, known))
            continue;
        text_str(&name, at);
        if (at.len)
            text_lit(&name, ".");
        text_str(&name, weir_json_text(l->j, k));
        if (!lossy(l->c, text_view(&name), false, l->e))
            return false;
    }
    return true;
}

/* ---- the top level ---- */

static bool top_raw(struct lift *l, const struct lift_row *row, uint32_t v)
{
    emit_member(&l->m, row->as, l->j, v);
    return true;
}

/* One choice is what is asked for anyway. */
static bool top_choices(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return weir_json_int(l->j, v, 0) == 1 || top_raw(l, row, v);
}

static bool top_string(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return node_is_string(l->j, v) ? top_raw(l, row, v) : lift_invalid(l, str_of(row->key), "expected a string.");
}

/* true is what changes something. */
static bool top_hint_true(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return weir_json_is(l->j, v, WEIR_JSON_FALSE) || lossy(l->c, str_of(row->key), true, l->e);
}

static bool top_hint(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return lift_lossy(l, v, str_of(row->key), true);
}

static bool top_refuse(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return lift_lossy(l, v, str_of(row->key), false);
}

static bool top_logprobs(struct lift *l, const struct lift_row *row, uint32_t v)
{
    uint32_t top = weir_json_get(l->j, 0, "top_logprobs");

    if (!node_true(l->j, v))
        return true;
    emit_key(&l->m, row->as);
    if (weir_json_is(l->j, top, WEIR_JSON_NUMBER))
        emit_node(&l->m, l->j, top);
    else
        emit_int(&l->m, 0);
    return true;
}

/* Goes with `logprobs`. */
static bool top_alternatives(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return node_true(l->j, weir_json_get(l->j, 0, "logprobs")) || weir_json_int(l->j, v, 1) == 0 ||
           lossy(l->c, str_of(row->key), false, l->e);
}

static bool top_stop(struct lift *l, const struct lift_row *row, uint32_t v)
{
    if (!node_is_string(l->j, v) && !weir_json_is(l->j, v, WEIR_JSON_ARRAY))
        return lift_invalid(l, str_of(row->key), "expected a string or an array of strings.");
    emit_key(&l->m, row->as);
    emit_open(&l->m, '[');
    if (node_is_string(l->j, v))
        emit_node(&l->m, l->j, v);
    for (EACH_ITEM(l->j, n, v)) {
        if (!node_is_string(l->j, n))
            return lift_invalid(l, str_of(row->key), "expected a string or an array of strings.");
        emit_node(&l->m, l->j, n);
    }
    emit_close(&l->m, ']');
    return true;
}

/* json_object with a schema is llama.cpp's. */
static bool top_format(struct lift *l, const struct lift_row *row, uint32_t v)
{
    static const char *const known[] = {"type", "json_schema", "schema", NULL};
    static const char *const inner[] = {"name", "description", "schema", "strict", NULL};
    uint32_t type = weir_json_get(l->j, v, "type"), s = weir_json_get(l->j, v, "json_schema");
    uint32_t schema = weir_json_get(l->j, v, "schema");
    bool with = node_says(l->j, type, "json_schema") && weir_json_is(l->j, s, WEIR_JSON_OBJECT);

    if (node_says(l->j, type, "text"))
        return lift_rest(l, v, known, str_of(row->key));
    if (!with && !node_says(l->j, type, "json_object"))
        return lossy(l->c, str_of(row->key), false, l->e);
    if (with)
        schema = weir_json_get(l->j, s, "schema");
    emit_key(&l->m, row->as);
    emit_open(&l->m, '{');
    if (node_there(l->j, schema))
        emit_member_lit(&l->m, "type", "schema");
    else
        emit_member_lit(&l->m, "type", "json");
    if (with && node_there(l->j, schema)) {
        emit_member(&l->m, "name", l->j, weir_json_get(l->j, s, "name"));
        emit_member(&l->m, "description", l->j, weir_json_get(l->j, s, "description"));
    }
    emit_member(&l->m, "schema", l->j, schema);
    if (with && node_there(l->j, schema))
        emit_member(&l->m, "strict", l->j, weir_json_get(l->j, s, "strict"));
    emit_close(&l->m, '}');
    return lift_rest(l, v, known, str_of(row->key)) && lift_rest(l, s, inner, WEIR_STR("response_format.json_schema"));
}

static bool effort_known(const struct weir_json *j, uint32_t v)
{
    static const char *const efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max", NULL};

    return node_is_string(j, v) && word_in(j, v, efforts);
}

static bool top_effort(struct lift *l, const struct lift_row *row, uint32_t v)
{
    if (!effort_known(l->j, v))
        return lossy(l->c, str_of(row->key), false, l->e);
    emit_key(&l->m, row->as);
    emit_open(&l->m, '{');
    emit_member(&l->m, "effort", l->j, v);
    emit_close(&l->m, '}');
    return true;
}

/* OpenRouter's {effort, max_tokens, exclude, enabled} and DeepSeek's, Anthropic's {type, budget_tokens}. */
static bool top_reasoning(struct lift *l, const struct lift_row *row, uint32_t v)
{
    static const char *const known[] = {"effort", "max_tokens",    "exclude", "enabled",
                                        "type",   "budget_tokens", "summary", NULL};
    uint32_t effort = weir_json_get(l->j, v, "effort"), budget = weir_json_get(l->j, v, "max_tokens");
    uint32_t enabled = weir_json_get(l->j, v, "enabled"), type = weir_json_get(l->j, v, "type");
    bool off = weir_json_is(l->j, enabled, WEIR_JSON_FALSE) || node_says(l->j, type, "disabled");

    if (!weir_json_is(l->j, v, WEIR_JSON_OBJECT) || (node_there(l->j, effort) && !effort_known(l->j, effort)))
        return lossy(l->c, str_of(row->key), false, l->e);
    if (!node_there(l->j, budget))
        budget = weir_json_get(l->j, v, "budget_tokens");
    emit_key(&l->m, row->as);
    emit_open(&l->m, '{');
    if (off)
        emit_member_lit(&l->m, "effort", "none");
    else
        emit_member(&l->m, "effort", l->j, effort);
    if (!off && weir_json_is(l->j, budget, WEIR_JSON_NUMBER))
        emit_member(&l->m, "budget", l->j, budget);
    else if (!off && !node_there(l->j, effort) && (node_true(l->j, enabled) || node_says(l->j, type, "enabled"))) {
        emit_key(&l->m, "adaptive");
        emit_bool(&l->m, true);
    }
    if (node_true(l->j, weir_json_get(l->j, v, "exclude")))
        emit_member_lit(&l->m, "show", "none");
    else
        emit_member(&l->m, "show", l->j, weir_json_get(l->j, v, "summary"));
    emit_close(&l->m, '}');
    return lift_rest(l, v, known, str_of(row->key));
}

/* Mistral's switch. */
static bool top_prompt_mode(struct lift *l, const struct lift_row *row, uint32_t v)
{
    if (!node_says(l->j, v, "reasoning"))
        return lossy(l->c, str_of(row->key), false, l->e);
    emit_key(&l->m, row->as);
    emit_open(&l->m, '{');
    emit_key(&l->m, "adaptive");
    emit_bool(&l->m, true);
    emit_close(&l->m, '}');
    return true;
}

/* Breakpoints that the client sets take the place of the automatic one. */
static bool top_cache(struct lift *l, const struct lift_row *row, uint32_t v)
{
    static const char *const known[] = {"mode", "ttl", "type", NULL};

    if (!node_says(l->j, weir_json_get(l->j, v, "mode"), "explicit")) {
        emit_key(&l->m, row->as);
        emit_open(&l->m, '{');
        emit_member(&l->m, "ttl", l->j, weir_json_get(l->j, v, "ttl"));
        emit_close(&l->m, '}');
    }
    return lift_rest(l, v, known, str_of(row->key));
}

static bool top_modalities(struct lift *l, const struct lift_row *row, uint32_t v)
{
    for (EACH_ITEM(l->j, n, v))
        if (!node_says(l->j, n, "text"))
            return lossy(l->c, str_of(row->key), false, l->e);
    return true;
}

static bool top_stream_options(struct lift *l, const struct lift_row *row, uint32_t v)
{
    static const char *const known[] = {"include_usage", "include_obfuscation", NULL};

    if (node_true(l->j, weir_json_get(l->j, v, "include_obfuscation")) &&
        !lossy(l->c, WEIR_STR("stream_options.include_obfuscation"), true, l->e))
        return false;
    return lift_rest(l, v, known, str_of(row->key));
}

static bool top_system(struct lift *l, const struct lift_row *row, uint32_t v)
{
    (void)row;
    return lift_system(l, v);
}

static bool top_messages(struct lift *l, const struct lift_row *row, uint32_t v)
{
    (void)row;
    return lift_messages(l, v);
}

static bool top_tools(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return lift_tools(l, v, strcmp(row->key, "functions") == 0);
}

static bool top_tool_choice(struct lift *l, const struct lift_row *row, uint32_t v)
{
    (void)row;
    return lift_choice(l, v);
}

/* Who declares functions of old reads one call a turn. */
static bool top_one_call(struct lift *l, const struct lift_row *row, uint32_t v)
{
    (void)v;
    emit_key(&l->m, row->as);
    emit_bool(&l->m, false);
    return true;
}

/* Text, an array of texts, of token ids, of arrays of them.  Of the last three, the bytes are what is canonical, too.
 */
static bool top_input(struct lift *l, const struct lift_row *row, uint32_t v)
{
    bool list = weir_json_is(l->j, v, WEIR_JSON_ARRAY);
    uint32_t first = list ? weir_json_first(l->j, v) : WEIR_NO_NODE;
    struct weir_str raw = weir_json_text(l->j, v);
    bool empty = true;

    for (size_t i = 1; list && i + 1 < raw.len && empty; i++)
        empty = raw.ptr[i] == ' ' || raw.ptr[i] == '\n' || raw.ptr[i] == '\r' || raw.ptr[i] == '\t';
    emit_key(&l->m, row->as);
    if (list && (first != WEIR_NO_NODE || empty)) {
        emit_raw(&l->m, raw);
        return true;
    }
    emit_open(&l->m, '[');
    emit_node(&l->m, l->j, v);
    emit_close(&l->m, ']');
    return true;
}

/* Strings, or objects with a text: each must stand in its place, so none is left out. */
static bool top_documents(struct lift *l, const struct lift_row *row, uint32_t v)
{
    emit_key(&l->m, row->as);
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, n, v)) {
        uint32_t text = node_is_string(l->j, n) ? n : weir_json_get(l->j, n, "text");
        if (!node_is_string(l->j, text))
            return lift_invalid(l, str_of(row->key), "expected an array of strings, or of objects with a text.");
        emit_node(&l->m, l->j, text);
    }
    emit_close(&l->m, ']');
    return true;
}

static bool top_count(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return weir_json_int(l->j, v, 0) > 0 ? top_raw(l, row, v)
                                         : lift_invalid(l, str_of(row->key), "expected a positive integer.");
}

/* Done where the answer is written. */
static bool top_here(struct lift *l, const struct lift_row *row, uint32_t v)
{
    (void)l, (void)row, (void)v;
    return true;
}

/* ---- the tables, in the canonical order ---- */

static const struct lift_row chat_rows[] = {
    {"stream", "stream", top_raw},
    {"messages", NULL, top_system},
    {"messages", NULL, top_messages},
    {"tools", "tools", top_tools},
    {"functions", "tools", top_tools},
    {"tool_choice", "tool_choice", top_tool_choice},
    {"function_call", "tool_choice", top_tool_choice},
    {"parallel_tool_calls", "parallel_tools", top_raw},
    {"functions", "parallel_tools", top_one_call},
    {"max_completion_tokens", "max_output", top_raw},
    {"max_tokens", "max_output", top_raw},
    {"temperature", "temperature", top_raw},
    {"top_p", "top_p", top_raw},
    {"top_k", "top_k", top_raw},
    {"min_p", "min_p", top_raw},
    {"presence_penalty", "presence_penalty", top_raw},
    {"frequency_penalty", "frequency_penalty", top_raw},
    {"repetition_penalty", "repetition_penalty", top_raw},
    {"logit_bias", "logit_bias", top_raw},
    {"seed", "seed", top_raw},
    {"random_seed", "seed", top_raw},
    {"n", "n", top_choices},
    {"logprobs", "logprobs", top_logprobs},
    {"top_logprobs", NULL, top_alternatives},
    {"stop", "stop", top_stop},
    {"response_format", "format", top_format},
    {"reasoning", "reasoning", top_reasoning},
    {"reasoning_effort", "reasoning", top_effort},
    {"thinking", "reasoning", top_reasoning},
    {"include_reasoning", "reasoning", router_include_reasoning},
    {"prompt_mode", "reasoning", top_prompt_mode},
    {"verbosity", "verbosity", top_string},
    {"service_tier", "service_tier", top_string},
    {"safety_identifier", "user", top_raw},
    {"user", "user", top_raw},
    {"metadata", "metadata", top_raw},
    {"prompt_cache_key", "cache_key", top_raw},
    {"prompt_cache_options", "cache", top_cache},
    {"cache_control", "cache", top_cache},
    {"prompt_cache_retention", NULL, top_hint},
    {"provider", NULL, router_provider},
    {"models", NULL, router_models},
    {"plugins", NULL, router_plugins},
    {"transforms", NULL, router_transforms},
    {"route", NULL, top_hint},
    {"session_id", NULL, top_hint},
    {"trace", NULL, top_hint},
    {"debug", NULL, top_hint},
    {"top_a", NULL, top_hint},
    {"max_tool_calls", NULL, top_hint},
    {"stop_server_tools_when", NULL, top_hint},
    {"structured_outputs", NULL, top_hint},
    {"usage", NULL, router_usage},
    {"stream_options", NULL, top_stream_options},
    {"store", NULL, top_hint_true},
    {"modalities", NULL, top_modalities},
    {"audio", NULL, top_refuse},
    {"safe_prompt", NULL, NULL}, /* these: lift_known_to_some */
    {"guardrails", NULL, NULL},
    {"prediction", NULL, NULL},
    {"model", NULL, NULL},
    {NULL, NULL, NULL},
};

static const struct lift_row embedding_rows[] = {
    {"user", "user", top_raw},
    {"input", "input", top_input},
    {"dimensions", "dimensions", top_raw},
    {"output_dimension", "dimensions", top_raw},
    {"encoding_format", "encoding", top_string},
    {"input_type", "input_type", top_string},
    {"model", NULL, NULL},
    {NULL, NULL, NULL},
};

static const struct lift_row rerank_rows[] = {
    {"user", "user", top_raw},
    {"documents", "input", top_documents},
    {"query", "query", top_string},
    {"top_n", "top_n", top_count},
    {"return_documents", NULL, top_here},
    {"model", NULL, NULL},
    {NULL, NULL, NULL},
};

static bool row_yields(struct lift *l, const struct lift_row *rows, const struct lift_row *row)
{
    for (const struct lift_row *r = rows; r < row && row->as; r++)
        if (r->as && strcmp(r->as, row->as) == 0 && node_there(l->j, weir_json_get(l->j, 0, r->key)))
            return true;
    return false;
}

static void put_names(struct lift *l, const struct lift_row *rows)
{
    bool any = false;

    for (const struct lift_row *r = rows; r->key; r++) {
        if (!r->as || strcmp(r->key, r->as) == 0 || !node_there(l->j, weir_json_get(l->j, 0, r->key)) ||
            row_yields(l, rows, r))
            continue;
        if (!any) {
            emit_key(&l->m, "names");
            emit_open(&l->m, '{');
        }
        any = true;
        emit_member_text(&l->m, r->as, str_of(r->key));
    }
    if (any)
        emit_close(&l->m, '}');
}

static bool put_rows(struct lift *l, const struct lift_row *rows)
{
    for (const struct lift_row *r = rows; r->key; r++) {
        uint32_t v = weir_json_get(l->j, 0, r->key);
        if (!node_there(l->j, v) || !r->how)
            continue;
        if (row_yields(l, rows, r)) {
            if (r->how != top_one_call && !lossy(l->c, str_of(r->key), true, l->e))
                return false;
            continue;
        }
        if (!r->how(l, r, v))
            return false;
    }
    return true;
}

static bool refuse_rest(struct lift *l, const struct lift_row *rows)
{
    const char *known[128];
    size_t n = 0;

    for (const struct lift_row *r = rows; r->key && n + 1 < sizeof known / sizeof *known; r++)
        known[n++] = r->key;
    known[n] = NULL;
    return lift_rest(l, 0, known, WEIR_STR(""));
}

bool openai_lift(struct weir_ctx *c, struct weir_error *e)
{
    enum weir_kind kind = weir_request(c)->kind;
    const struct lift_row *rows = kind == WEIR_EMBEDDING ? embedding_rows
                                  : kind == WEIR_RERANK  ? rerank_rows
                                                         : chat_rows;
    struct lift l = {.c = c, .j = weir_body(c), .e = e, .m.t.c = c};
    uint32_t options = weir_json_get(l.j, 0, "prompt_cache_options");

    text_reserve(&l.m.t, l.j->text.len);
    l.ttl = get_value(c, l.j, options, "ttl");
    emit_open(&l.m, '{');
    put_names(&l, rows);
    if (!put_rows(&l, rows) || !refuse_rest(&l, rows))
        return false;
    if (rows == chat_rows)
        lift_known_to_some(&l);
    emit_close(&l.m, '}');
    weir_out(c, text_view(&l.m.t));
    return true;
}
