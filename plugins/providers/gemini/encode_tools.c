/* SPDX-License-Identifier: Apache-2.0 */
/* encode_tools.c -- tools, toolConfig and generationConfig of the canonical request.  Part of encode. */
#include "encoder.h"

#include <stdio.h>

/* ---- tools ---- */

/* {} says nothing, and old models refuse an object without properties. */
static bool schema_empty(const struct encoder *n, uint32_t schema)
{
    uint32_t properties = weir_json_get(n->j, schema, "properties");

    if (!weir_json_is(n->j, schema, WEIR_JSON_OBJECT) || weir_json_first(n->j, schema) == WEIR_NO_NODE)
        return true;
    return n->openapi && node_says(n->j, weir_json_get(n->j, schema, "type"), "object") &&
           (!weir_json_is(n->j, properties, WEIR_JSON_OBJECT) || weir_json_first(n->j, properties) == WEIR_NO_NODE);
}

static bool encode_tool(struct encoder *n, uint32_t tool)
{
    uint32_t schema = weir_json_get(n->j, tool, "schema");

    if (!node_is_string(n->j, weir_json_get(n->j, tool, "name")) ||
        weir_json_get(n->j, tool, "custom") != WEIR_NO_NODE) /* one of the vendor's, or of free text */
        return canon_lossy_at(n->c, tool, "tools", false, n->e);
    if (node_true(n->j, weir_json_get(n->j, tool, "strict")) && !canon_lossy_at(n->c, tool, "tools", true, n->e))
        return false;
    emit_open(&n->m, '{');
    emit_member_text(&n->m, "name", gemini_name(n->c, value(n, tool, "name")));
    emit_member(&n->m, "description", n->j, weir_json_get(n->j, tool, "description"));
    if (!schema_empty(n, schema)) {
        emit_key(&n->m, n->openapi ? "parameters" : "parametersJsonSchema");
        if (!n->openapi)
            emit_node(&n->m, n->j, schema);
        else if (!schema_to_openapi(&n->m, n->j, schema) && !canon_lossy_at(n->c, tool, "tools", true, n->e))
            return false;
    }
    emit_close(&n->m, '}');
    return true;
}

static void emit_names(struct encoder *n, uint32_t names)
{
    emit_key(&n->m, "allowedFunctionNames");
    emit_open(&n->m, '[');
    for (EACH_ONE(n->j, name, names))
        emit_text(&n->m, gemini_name(n->c, node_value(n->c, n->j, name)));
    emit_close(&n->m, ']');
}

/* Names may be given with ANY and VALIDATED only; VALIDATED leaves the model the choice to say something. */
static void encode_choice(struct encoder *n, uint32_t choice)
{
    static const char *const modes[][2] = {
        {"auto", "AUTO"}, {"none", "NONE"}, {"required", "ANY"}, {"named", "ANY"}, {"allowed", "VALIDATED"}};
    struct weir_str mode = value(n, choice, "mode");
    const char *word = "AUTO";

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (str_is(mode, modes[i][0]))
            word = modes[i][1];
    if (str_is(mode, "allowed") && node_true(n->j, weir_json_get(n->j, choice, "required")))
        word = "ANY";
    emit_key(&n->m, "toolConfig");
    emit_open(&n->m, '{');
    emit_key(&n->m, "functionCallingConfig");
    emit_open(&n->m, '{');
    emit_member_text(&n->m, "mode", str_of(word));
    if (str_is(mode, "named"))
        emit_names(n, weir_json_get(n->j, choice, "name"));
    if (str_is(mode, "allowed"))
        emit_names(n, weir_json_get(n->j, choice, "names"));
    emit_close(&n->m, '}');
    emit_close(&n->m, '}');
}

bool encode_tools(struct encoder *n)
{
    uint32_t tools = top(n, "tools"), choice = top(n, "tool_choice");

    if (weir_json_is(n->j, tools, WEIR_JSON_ARRAY) && weir_json_first(n->j, tools) != WEIR_NO_NODE) {
        emit_key(&n->m, "tools");
        emit_raw(&n->m, WEIR_STR("[{\"functionDeclarations\":["));
        n->m.comma = false;
        for (EACH_ITEM(n->j, tool, tools))
            if (!encode_tool(n, tool))
                return false;
        text_lit(&n->m.t, "]}]");
        n->m.comma = true;
    }
    if (weir_json_is(n->j, choice, WEIR_JSON_OBJECT))
        encode_choice(n, choice);
    if (weir_json_is(n->j, top(n, "parallel_tools"), WEIR_JSON_FALSE))
        return canon_lossy(n->c, "parallel_tools", true, n->e);
    return true;
}

/* ---- thinking ---- */

static const struct {
    const char *effort, *level;
    int64_t budget;
} efforts[] = {
    {"none", "MINIMAL", 0},  {"minimal", "MINIMAL", 512}, {"low", "LOW", 1024}, {"medium", "MEDIUM", 8192},
    {"high", "HIGH", 24576}, {"xhigh", "HIGH", -1},       {"max", "HIGH", -1},
};

static const char *level_of(int64_t budget)
{
    return budget <= 512 ? "MINIMAL" : budget <= 1024 ? "LOW" : budget <= 8192 ? "MEDIUM" : "HIGH";
}

/* Models from 3 on: a level.  What cannot be turned off is turned down, and told. */
static bool encode_level(struct encoder *n, struct weir_str effort, int64_t budget)
{
    const char *level = NULL;

    for (size_t i = 0; i < sizeof efforts / sizeof *efforts; i++)
        if (str_is(effort, efforts[i].effort))
            level = efforts[i].level;
    if (!level && budget >= 0)
        level = level_of(budget);
    if (!level)
        return true;
    if ((budget == 0 || str_is(effort, "none")) && !canon_lossy(n->c, "reasoning", true, n->e))
        return false;
    if (n->pro && strcmp(level, "MINIMAL") == 0)
        level = "LOW";
    emit_member_text(&n->m, "thinkingLevel", str_of(level));
    return true;
}

/* Models of 2.5: tokens. */
static bool encode_budget(struct encoder *n, struct weir_str effort, int64_t budget, bool adaptive)
{
    bool known = budget >= -1;

    for (size_t i = 0; !known && i < sizeof efforts / sizeof *efforts; i++)
        if (str_is(effort, efforts[i].effort)) {
            budget = efforts[i].budget;
            known = true;
        }
    if (!known && adaptive) {
        budget = -1;
        known = true;
    }
    if (!known)
        return true;
    if (n->pro && budget == 0) {
        budget = 128;
        if (!canon_lossy(n->c, "reasoning", true, n->e))
            return false;
    }
    emit_key(&n->m, "thinkingBudget");
    emit_int(&n->m, budget);
    return true;
}

static bool encode_thinking(struct encoder *n)
{
    uint32_t reasoning = top(n, "reasoning");
    struct weir_str effort = value(n, reasoning, "effort"), show = value(n, reasoning, "show");
    int64_t budget = weir_json_int(n->j, weir_json_get(n->j, reasoning, "budget"), -2);
    bool adaptive = node_true(n->j, weir_json_get(n->j, reasoning, "adaptive")), ok;

    if (reasoning == WEIR_NO_NODE)
        return true;
    if (n->major < 2) /* does not think */
        return str_is(effort, "none") || budget == 0 || canon_lossy(n->c, "reasoning", true, n->e);
    emit_key(&n->m, "thinkingConfig");
    emit_open(&n->m, '{');
    if (show.len) {
        emit_key(&n->m, "includeThoughts");
        emit_bool(&n->m, !str_is(show, "none"));
    }
    ok = n->major >= 3 ? encode_level(n, effort, budget) : encode_budget(n, effort, budget, adaptive);
    emit_close(&n->m, '}');
    return ok;
}

/* ---- the rest of generationConfig ---- */

static bool encode_stop(struct encoder *n)
{
    uint32_t stop = top(n, "stop"), count = 0;

    for (EACH_ITEM(n->j, s, stop))
        count++;
    if (!count)
        return true;
    if (count > 5)
        return canon_lossy(n->c, "stop", false, n->e);
    emit_member(&n->m, "stopSequences", n->j, stop);
    return true;
}

/* Seeds are of 32 bits; another one is as good, but not the one that was asked for. */
static bool encode_seed(struct encoder *n)
{
    uint32_t seed = top(n, "seed");
    int64_t v = weir_json_int(n->j, seed, INT64_MAX);

    if (seed == WEIR_NO_NODE)
        return true;
    if (v >= INT32_MIN && v <= INT32_MAX) {
        emit_member(&n->m, "seed", n->j, seed);
        return true;
    }
    emit_key(&n->m, "seed");
    emit_int(&n->m, (int64_t)((uint64_t)v & 0x7fffffff));
    return canon_lossy(n->c, "seed", true, n->e);
}

static bool encode_format(struct encoder *n)
{
    uint32_t format = top(n, "format"), schema = weir_json_get(n->j, format, "schema");

    if (format == WEIR_NO_NODE)
        return true;
    if (n->major < 3 && top(n, "tools") != WEIR_NO_NODE) /* either, not both */
        return canon_lossy(n->c, "format", false, n->e);
    emit_member_lit(&n->m, "responseMimeType", "application/json");
    if (!weir_json_is(n->j, schema, WEIR_JSON_OBJECT))
        return true;
    emit_key(&n->m, n->openapi ? "responseSchema" : "responseJsonSchema");
    if (!n->openapi)
        emit_node(&n->m, n->j, schema);
    else if (!schema_to_openapi(&n->m, n->j, schema))
        return canon_lossy(n->c, "format", true, n->e);
    return true;
}

static bool encode_tier(struct encoder *n)
{
    struct weir_str tier = value(n, 0, "service_tier");

    if (!tier.len || str_is(tier, "auto") || str_is(tier, "default"))
        return true;
    if (!str_is(tier, "flex") && !str_is(tier, "priority") && !str_is(tier, "standard"))
        return canon_lossy(n->c, "service_tier", true, n->e);
    emit_member_text(&n->m, "serviceTier", tier);
    return true;
}

/* What Gemini has no word for: hints of sampling and caching are told, data that the client waits for is refused. */
static bool encode_unsaid(struct encoder *n)
{
    static const struct {
        const char *key;
        bool hint;
    } keys[] = {
        {"repetition_penalty", true}, {"verbosity", true}, {"user", true},      {"metadata", true},
        {"cache_key", true},          {"cache", true},     {"logprobs", false},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!canon_lossy(n->c, keys[i].key, keys[i].hint, n->e))
            return false;
    return canon_bias_lossy(n->c, "min_p", n->e) && canon_bias_lossy(n->c, "logit_bias", n->e);
}

bool encode_config(struct encoder *n)
{
    static const char *const direct[][2] = {
        {"max_output", "maxOutputTokens"},
        {"temperature", "temperature"},
        {"top_p", "topP"},
        {"top_k", "topK"},
        {"presence_penalty", "presencePenalty"},
        {"n", "candidateCount"},
        {"frequency_penalty", "frequencyPenalty"},
    };

    emit_key(&n->m, "generationConfig");
    emit_open(&n->m, '{');
    for (size_t i = 0; i < sizeof direct / sizeof *direct; i++)
        emit_member(&n->m, direct[i][1], n->j, top(n, direct[i][0]));
    if (!encode_stop(n) || !encode_seed(n) || !encode_format(n) || !encode_thinking(n))
        return false;
    emit_close(&n->m, '}');
    return encode_tier(n) && encode_unsaid(n);
}
