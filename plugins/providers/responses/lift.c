/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.c -- a client's body -> the canonical request: everything but the items, which are items.c's.  Host: before the
 * first attempt at an endpoint of another dialect, worker process.
 */
#include "lift.h"

#include <stdio.h>

struct place place_at(const char *fmt, ...)
{
    struct place p;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p.text, sizeof p.text, fmt, ap);
    va_end(ap);
    return p;
}

/* null, false and what is empty do not. */
static bool says_something(const struct weir_json *j, uint32_t node)
{
    uint8_t type = j->nodes[node].type;
    bool empty = (type == WEIR_JSON_ARRAY || type == WEIR_JSON_OBJECT) && j->nodes[node].len == 2;

    return type != WEIR_JSON_NULL && type != WEIR_JSON_FALSE && !empty;
}

bool lift_lossy(struct lift *l, const struct place *at, uint32_t key, bool hint)
{
    struct weir_str k = weir_json_text(l->j, key);
    struct place p = place_at("%s%s%.*s", at ? at->text : "", at ? "." : "", (int)(k.len < 48 ? k.len : 48), k.ptr);

    return lossy(l->c, place_str(&p), hint, l->e);
}

/* What only tells how something came about changes no meaning. */
bool lift_only(struct lift *l, uint32_t object, const struct place *at, const char *const *known)
{
    for (EACH_KEY(l->j, k, object)) {
        bool hint = KEY_IS(l->j, k, "phase") || KEY_IS(l->j, k, "logprobs");
        const char *const *w = known;
        while (*w && !weir_json_eq(l->j, k, *w, strlen(*w)))
            w++;
        if (!*w && says_something(l->j, k + 1) && !lift_lossy(l, at, k, hint))
            return false;
    }
    return true;
}

bool lift_refuse(struct lift *l, const char *field, const char *why)
{
    snprintf(l->e->code, sizeof l->e->code, "unsupported_parameter");
    snprintf(l->e->field, sizeof l->e->field, "%s", field);
    snprintf(l->e->text, sizeof l->e->text, "%s: %s", field, why);
    return false;
}

/* ---- tools ---- */

static void lift_at(struct lift *l, const struct place *at)
{
    emit_member_text(l->m, "at", place_str(at));
}

static bool lift_function(struct lift *l, uint32_t tool, const struct place *at)
{
    static const char *const function_keys[] = {"type", "name", "description", "parameters", "strict", NULL};
    static const char *const custom_keys[] = {"type", "name", "description", "format", NULL};
    const struct weir_json *j = l->j;
    bool custom = node_says(j, weir_json_get(j, tool, "type"), "custom");
    uint32_t strict = weir_json_get(j, tool, "strict"), format = weir_json_get(j, tool, "format");

    emit_open(l->m, '{');
    emit_member(l->m, "name", j, weir_json_get(j, tool, "name"));
    emit_member(l->m, "description", j, weir_json_get(j, tool, "description"));
    if (custom) {
        emit_key(l->m, "custom");
        emit_raw(l->m,
                 weir_json_is(j, format, WEIR_JSON_OBJECT) && !node_says(j, weir_json_get(j, format, "type"), "text")
                     ? weir_json_text(j, format)
                     : WEIR_STR("{}"));
    } else {
        emit_member(l->m, "schema", j, weir_json_get(j, tool, "parameters"));
        emit_member(l->m, "strict", j, strict);
    }
    lift_at(l, at);
    emit_close(l->m, '}');
    return lift_only(l, tool, at, custom ? custom_keys : function_keys);
}

static bool lift_tools(struct lift *l)
{
    const struct weir_json *j = l->j;
    uint32_t tools = weir_json_get(j, 0, "tools"), i = 0;

    if (!weir_json_is(j, tools, WEIR_JSON_ARRAY) || weir_json_first(j, tools) == WEIR_NO_NODE)
        return true;
    emit_key(l->m, "tools");
    emit_open(l->m, '[');
    for (EACH_ITEM(j, tool, tools)) {
        struct place at = place_at("tools[%u]", (unsigned)i++);
        uint32_t type = weir_json_get(j, tool, "type");
        if (node_says(j, type, "function") || node_says(j, type, "custom")) {
            if (!lift_function(l, tool, &at))
                return false;
            continue;
        }
        emit_open(l->m, '{');
        emit_key(l->m, "hosted");
        emit_quoted(l->m, node_is_string(j, type) ? weir_json_text(j, type) : WEIR_STR("unknown"));
        emit_key(l->m, "raw");
        emit_raw(l->m, weir_json_text(j, tool));
        lift_at(l, &at);
        emit_close(l->m, '}');
    }
    emit_close(l->m, ']');
    return true;
}

/* The names of allowed_tools; false: one of them has none. */
static bool lift_allowed(struct lift *l, uint32_t choice)
{
    const struct weir_json *j = l->j;

    for (EACH_ITEM(j, tool, weir_json_get(j, choice, "tools")))
        if (!node_is_string(j, weir_json_get(j, tool, "name")))
            return lossy(l->c, WEIR_STR("tool_choice.tools"), false, l->e);
    emit_key(l->m, "tool_choice");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "mode", "allowed");
    emit_key(l->m, "names");
    emit_open(l->m, '[');
    for (EACH_ITEM(j, tool, weir_json_get(j, choice, "tools")))
        if (node_is_string(j, weir_json_get(j, tool, "name")))
            emit_node(l->m, j, weir_json_get(j, tool, "name"));
    emit_close(l->m, ']');
    emit_key(l->m, "required");
    emit_bool(l->m, node_says(j, weir_json_get(j, choice, "mode"), "required"));
    emit_close(l->m, '}');
    return lift_only(l, choice, &(struct place){"tool_choice"}, (const char *const[]){"type", "mode", "tools", NULL});
}

static bool lift_choice(struct lift *l)
{
    const struct weir_json *j = l->j;
    uint32_t choice = weir_json_get(j, 0, "tool_choice"), type = weir_json_get(j, choice, "type");
    bool word = node_says(j, choice, "auto") || node_says(j, choice, "none") || node_says(j, choice, "required");
    uint32_t name = weir_json_get(j, choice, "name");

    if (!node_there(j, choice))
        return true;
    if (node_says(j, type, "allowed_tools"))
        return lift_allowed(l, choice);
    if (!word && !((node_says(j, type, "function") || node_says(j, type, "custom")) && node_is_string(j, name)))
        return lossy(l->c, WEIR_STR("tool_choice"), false, l->e);
    emit_key(l->m, "tool_choice");
    emit_open(l->m, '{');
    emit_key(l->m, "mode");
    if (word) {
        emit_node(l->m, j, choice);
    } else {
        emit_text(l->m, WEIR_STR("named"));
        emit_member(l->m, "name", j, name);
    }
    emit_close(l->m, '}');
    return lift_only(l, choice, &(struct place){"tool_choice"}, (const char *const[]){"type", "name", NULL});
}

/* ---- format, reasoning, text ---- */

static bool lift_format(struct lift *l)
{
    static const char *const schema_keys[] = {"type", "name", "description", "schema", "strict", NULL};
    static const char *const plain_keys[] = {"type", NULL};
    const struct weir_json *j = l->j;
    uint32_t format = weir_json_get(j, weir_json_get(j, 0, "text"), "format"), type = weir_json_get(j, format, "type");
    bool schema = node_says(j, type, "json_schema");

    if (!node_there(j, format))
        return true;
    if (!lift_only(l, format, &(struct place){"text.format"}, schema ? schema_keys : plain_keys))
        return false;
    if (node_says(j, type, "text"))
        return true;
    if (!schema && !node_says(j, type, "json_object"))
        return lossy(l->c, WEIR_STR("text.format"), false, l->e);
    emit_key(l->m, "format");
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", schema ? WEIR_STR("schema") : WEIR_STR("json"));
    if (schema) {
        emit_member(l->m, "name", j, weir_json_get(j, format, "name"));
        emit_member(l->m, "description", j, weir_json_get(j, format, "description"));
        emit_member(l->m, "schema", j, weir_json_get(j, format, "schema"));
        emit_member(l->m, "strict", j, weir_json_get(j, format, "strict"));
    }
    emit_close(l->m, '}');
    return true;
}

static bool says_one_of(const struct weir_json *j, uint32_t node, const char *const *words)
{
    while (*words && !node_says(j, node, *words))
        words++;
    return *words != NULL;
}

/* Summaries are shown only to who asks. */
static bool lift_reasoning(struct lift *l)
{
    static const char *const keys[] = {"effort", "summary", "generate_summary", NULL};
    static const char *const efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max", NULL};
    static const char *const shows[] = {"auto", "concise", "detailed", "none", NULL};
    const struct weir_json *j = l->j;
    uint32_t reasoning = weir_json_get(j, 0, "reasoning"), effort = weir_json_get(j, reasoning, "effort");
    uint32_t show = weir_json_get(j, reasoning, "summary");
    bool known = says_one_of(j, effort, efforts), shown;

    if (!node_there(j, show))
        show = weir_json_get(j, reasoning, "generate_summary");
    shown = says_one_of(j, show, shows);
    if (!lift_only(l, reasoning, &(struct place){"reasoning"}, keys))
        return false;
    if (node_there(j, effort) && !known && !lossy(l->c, WEIR_STR("reasoning.effort"), false, l->e))
        return false;
    if (node_there(j, show) && !shown && !lossy(l->c, WEIR_STR("reasoning.summary"), true, l->e))
        return false;
    if (!known && !shown)
        return true;
    emit_key(l->m, "reasoning");
    emit_open(l->m, '{');
    if (known)
        emit_member(l->m, "effort", j, effort);
    if (shown)
        emit_member(l->m, "show", j, show);
    emit_close(l->m, '}');
    return true;
}

/* Breakpoints that the client sets take the place of the automatic one. */
static bool lift_cache(struct lift *l)
{
    static const char *const keys[] = {"mode", "ttl", "type", NULL};
    const struct weir_json *j = l->j;
    uint32_t options = weir_json_get(j, 0, "prompt_cache_options");

    if (!node_there(j, options))
        return true;
    if (!node_says(j, weir_json_get(j, options, "mode"), "explicit")) {
        emit_key(l->m, "cache");
        emit_open(l->m, '{');
        emit_member(l->m, "ttl", j, weir_json_get(j, options, "ttl"));
        emit_close(l->m, '}');
    }
    return lift_only(l, options, &(struct place){"prompt_cache_options"}, keys);
}

/* ---- the top level ---- */

enum fate {
    TAKEN,     /* has a place, or says nothing */
    HINT,      /* changes no meaning */
    TRUE_HINT, /* so when it is true */
    OPTIONS,   /* an object whose members matter but for padding */
    NOT_ZERO,  /* matters unless it is 0 */
    NOT_WORD,  /* matters unless it is `word` */
};

static const struct {
    const char *key;
    enum fate fate;
    const char *word;
} fates[] = {
    {"model", TAKEN, NULL},
    {"input", TAKEN, NULL},
    {"instructions", TAKEN, NULL},
    {"stream", TAKEN, NULL},
    {"stream_options", OPTIONS, NULL},
    {"max_output_tokens", TAKEN, NULL},
    {"temperature", TAKEN, NULL},
    {"top_p", TAKEN, NULL},
    {"tools", TAKEN, NULL},
    {"tool_choice", TAKEN, NULL},
    {"parallel_tool_calls", TAKEN, NULL},
    {"reasoning", TAKEN, NULL},
    {"text", TAKEN, NULL},
    {"service_tier", TAKEN, NULL},
    {"user", TAKEN, NULL},
    {"safety_identifier", TAKEN, NULL},
    {"metadata", TAKEN, NULL},
    {"prompt_cache_key", TAKEN, NULL},
    {"include", TAKEN, NULL},
    {"background", TAKEN, NULL},
    {"previous_response_id", TAKEN, NULL},
    {"conversation", TAKEN, NULL},
    {"prompt", TAKEN, NULL},
    {"store", TRUE_HINT, NULL},
    {"prompt_cache_retention", HINT, NULL},
    {"prompt_cache_options", TAKEN, NULL},
    {"max_tool_calls", HINT, NULL}, /* of the vendor's tools, of which there are none elsewhere */
    {"top_logprobs", NOT_ZERO, NULL},
    {"truncation", NOT_WORD, "disabled"},
};

static bool lift_key(struct lift *l, uint32_t key)
{
    const struct weir_json *j = l->j;
    uint32_t v = key + 1;

    if (!node_there(j, v))
        return true;
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++) {
        if (!weir_json_eq(j, key, fates[i].key, strlen(fates[i].key)))
            continue;
        switch (fates[i].fate) {
        case TAKEN:
            return true;
        case HINT:
            return lift_lossy(l, NULL, key, true);
        case TRUE_HINT:
            return !node_true(j, v) || lift_lossy(l, NULL, key, true);
        case OPTIONS:
            return lift_only(l, v, &(struct place){"stream_options"},
                             (const char *const[]){"include_obfuscation", NULL});
        case NOT_ZERO:
            return weir_json_int(j, v, -1) == 0 || lift_lossy(l, NULL, key, false);
        case NOT_WORD:
            return node_says(j, v, fates[i].word) || lift_lossy(l, NULL, key, false);
        }
    }
    return lift_lossy(l, NULL, key, false);
}

/* Encrypted reasoning is always given; log probabilities never are; the others are about tools of the vendor. */
static bool lift_include(struct lift *l)
{
    for (EACH_ITEM(l->j, n, weir_json_get(l->j, 0, "include"))) {
        bool matters = node_says(l->j, n, "message.output_text.logprobs");
        if (!node_says(l->j, n, "reasoning.encrypted_content") &&
            !lossy(l->c, matters ? WEIR_STR("include.message.output_text.logprobs") : WEIR_STR("include"), !matters,
                   l->e))
            return false;
    }
    return true;
}

static bool lift_losses(struct lift *l)
{
    static const char *const text[] = {"format", "verbosity", NULL};
    uint32_t user = weir_json_get(l->j, 0, "user");

    for (EACH_KEY(l->j, k, 0))
        if (!lift_key(l, k))
            return false;
    if (node_there(l->j, user) && node_there(l->j, weir_json_get(l->j, 0, "safety_identifier")) &&
        !lossy(l->c, WEIR_STR("user"), true, l->e))
        return false; /* one of them has a place */
    return lift_include(l) && lift_only(l, weir_json_get(l->j, 0, "text"), &(struct place){"text"}, text);
}

static void lift_names(struct lift *l)
{
    const struct weir_json *j = l->j;

    emit_key(l->m, "names");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "system", "instructions");
    emit_member_lit(l->m, "messages", "input");
    emit_member_lit(l->m, "parallel_tools", "parallel_tool_calls");
    emit_member_lit(l->m, "max_output", "max_output_tokens");
    emit_member_lit(l->m, "format", "text.format");
    emit_member_lit(l->m, "verbosity", "text.verbosity");
    if (node_there(j, weir_json_get(j, 0, "safety_identifier")))
        emit_member_lit(l->m, "user", "safety_identifier");
    emit_member_lit(l->m, "cache_key", "prompt_cache_key");
    emit_close(l->m, '}');
}

static void lift_sampling(struct lift *l)
{
    const struct weir_json *j = l->j;

    emit_member(l->m, "parallel_tools", j, weir_json_get(j, 0, "parallel_tool_calls"));
    emit_member(l->m, "max_output", j, weir_json_get(j, 0, "max_output_tokens"));
    emit_member(l->m, "temperature", j, weir_json_get(j, 0, "temperature"));
    emit_member(l->m, "top_p", j, weir_json_get(j, 0, "top_p"));
}

static bool lift_tail(struct lift *l)
{
    static const char *const levels[] = {"low", "medium", "high", NULL};
    const struct weir_json *j = l->j;
    uint32_t user = weir_json_get(j, 0, "safety_identifier"), metadata = weir_json_get(j, 0, "metadata");
    uint32_t verbosity = weir_json_get(j, weir_json_get(j, 0, "text"), "verbosity");
    uint32_t tier = weir_json_get(j, 0, "service_tier");
    bool level = says_one_of(j, verbosity, levels);

    if (!node_there(j, user))
        user = weir_json_get(j, 0, "user");
    if (node_there(j, verbosity) && !level && !lossy(l->c, WEIR_STR("text.verbosity"), true, l->e))
        return false;
    if (level)
        emit_member(l->m, "verbosity", j, verbosity);
    if (node_is_string(j, tier))
        emit_member(l->m, "service_tier", j, tier);
    emit_member(l->m, "user", j, user);
    if (weir_json_is(j, metadata, WEIR_JSON_OBJECT))
        emit_member(l->m, "metadata", j, metadata);
    emit_member(l->m, "cache_key", j, weir_json_get(j, 0, "prompt_cache_key"));
    return lift_cache(l);
}

bool responses_lift(struct weir_ctx *c, struct weir_error *e)
{
    struct emit m = {.t.c = c};
    struct lift l = {c, weir_body(c), &m, e};

    if (!l.j)
        return lift_refuse(&l, "input", "there is no body.");
    if (kept_refuse(l.j, e) || !lift_losses(&l))
        return false;
    if (!node_there(l.j, weir_json_get(l.j, 0, "input")))
        return lift_refuse(&l, "input", "there is none.");
    emit_open(&m, '{');
    lift_names(&l);
    emit_key(&m, "stream");
    emit_bool(&m, weir_request(c)->stream);
    if (!lift_input(c, &m, e) || !lift_tools(&l) || !lift_choice(&l))
        return false;
    lift_sampling(&l);
    if (!lift_format(&l) || !lift_reasoning(&l) || !lift_tail(&l))
        return false;
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
    return true;
}
