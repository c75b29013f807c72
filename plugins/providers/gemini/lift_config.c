/* SPDX-License-Identifier: Apache-2.0 */
/* lift_config.c -- tools, toolConfig and generationConfig, as the canonical request has them.  Part of lift. */
#include "lifter.h"

#include <stdio.h>

/* ---- tools ---- */

static bool lift_declaration(struct lifter *l, uint32_t f)
{
    static const char *const known[] = {"name",     "description",        "parameters", "parametersJsonSchema",
                                        "response", "responseJsonSchema", "behavior",   NULL};
    uint32_t schema = proto_get(l->j, f, "parametersJsonSchema"), openapi = proto_get(l->j, f, "parameters");

    if (!lift_unknown(l, f, l->at, known))
        return false;
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, proto_get(l->j, f, "name"));
    emit_member(&l->m, "description", l->j, proto_get(l->j, f, "description"));
    emit_key(&l->m, "schema");
    if (node_there(l->j, schema))
        emit_node(&l->m, l->j, schema);
    else if (weir_json_is(l->j, openapi, WEIR_JSON_OBJECT))
        schema_from_openapi(&l->m, l->j, openapi);
    else
        emit_raw(&l->m, WEIR_STR("{\"type\":\"object\",\"properties\":{}}"));
    emit_member_text(&l->m, "at", str_of(l->at));
    emit_close(&l->m, '}');
    if ((node_there(l->j, proto_get(l->j, f, "response")) ||
         node_there(l->j, proto_get(l->j, f, "responseJsonSchema"))) &&
        !lift_lossy(l, l->at, "response", true))
        return false;
    return !node_there(l->j, proto_get(l->j, f, "behavior")) || lift_lossy(l, l->at, "behavior", true);
}

static void lift_hosted(struct lifter *l, uint32_t key)
{
    struct weir_str name = weir_json_text(l->j, key);

    emit_open(&l->m, '{');
    if (proto_is(name, "googleSearch") || proto_is(name, "googleSearchRetrieval"))
        emit_member_lit(&l->m, "hosted", "web_search");
    else if (proto_is(name, "codeExecution"))
        emit_member_lit(&l->m, "hosted", "code_execution");
    else {
        emit_key(&l->m, "hosted");
        emit_quoted(&l->m, name);
    }
    emit_key(&l->m, "raw");
    emit_node(&l->m, l->j, key + 1);
    emit_member_text(&l->m, "at", str_of(l->at));
    emit_close(&l->m, '}');
}

static bool lift_tool(struct lifter *l, uint32_t tool, uint32_t index)
{
    for (EACH_KEY(l->j, k, tool)) {
        uint32_t f = 0;
        if (l->j->nodes[k + 1].type == WEIR_JSON_NULL)
            continue;
        if (!proto_is(weir_json_text(l->j, k), "functionDeclarations")) {
            snprintf(l->at, sizeof l->at, "tools[%u].%.*s", index,
                     (int)(l->j->nodes[k].len < 40 ? l->j->nodes[k].len : 40), weir_json_text(l->j, k).ptr);
            lift_hosted(l, k);
            continue;
        }
        for (EACH_ONE(l->j, declaration, k + 1)) {
            snprintf(l->at, sizeof l->at, "tools[%u].functionDeclarations[%u]", index, f++);
            if (!lift_declaration(l, declaration))
                return false;
        }
    }
    return true;
}

static bool lift_choice(struct lifter *l, uint32_t calling)
{
    static const char *const known[] = {"mode", "allowedFunctionNames", NULL};
    uint32_t mode = proto_get(l->j, calling, "mode"), names = proto_get(l->j, calling, "allowedFunctionNames");
    uint32_t count = 0;
    bool any = node_says(l->j, mode, "ANY"), validated = node_says(l->j, mode, "VALIDATED");

    if (!lift_unknown(l, calling, "toolConfig.functionCallingConfig", known))
        return false;
    for (EACH_ONE(l->j, n, names))
        count += node_is_string(l->j, n);
    emit_key(&l->m, "tool_choice");
    emit_open(&l->m, '{');
    if (any && count == 1) {
        emit_member_lit(&l->m, "mode", "named");
        emit_member(&l->m, "name", l->j, proto_first(l->j, names));
    } else if ((any || validated) && count) {
        emit_member_lit(&l->m, "mode", "allowed");
        emit_key(&l->m, "names");
        emit_node(&l->m, l->j, names);
        emit_key(&l->m, "required");
        emit_bool(&l->m, any);
    } else {
        emit_member_text(&l->m, "mode", str_of(any ? "required" : node_says(l->j, mode, "NONE") ? "none" : "auto"));
    }
    emit_close(&l->m, '}');
    return !validated || lift_lossy(l, "toolConfig.functionCallingConfig", "mode", true);
}

bool lift_tools(struct lifter *l, uint32_t tools, uint32_t config)
{
    static const char *const known[] = {"functionCallingConfig", NULL};
    uint32_t calling = proto_get(l->j, config, "functionCallingConfig"), index = 0;

    if (node_there(l->j, tools)) {
        emit_key(&l->m, "tools");
        emit_open(&l->m, '[');
        for (EACH_ONE(l->j, tool, tools))
            if (!lift_tool(l, tool, index++))
                return false;
        emit_close(&l->m, ']');
    }
    if (!lift_unknown(l, config, "toolConfig", known))
        return false;
    return !weir_json_is(l->j, calling, WEIR_JSON_OBJECT) || lift_choice(l, calling);
}

/* ---- generationConfig ---- */

static void lift_number(struct lifter *l, const char *key, uint32_t value)
{
    if (proto_int(l->j, value, INT64_MAX) == INT64_MAX)
        return;
    emit_key(&l->m, key);
    emit_int(&l->m, proto_int(l->j, value, 0));
}

static bool lift_format(struct lifter *l, uint32_t config)
{
    uint32_t type = proto_get(l->j, config, "responseMimeType"), schema = proto_get(l->j, config, "responseJsonSchema");
    uint32_t openapi = proto_get(l->j, config, "responseSchema");
    bool shaped = node_there(l->j, schema) || node_there(l->j, openapi);

    if (!node_there(l->j, type) || node_says(l->j, type, "text/plain"))
        return !shaped || lift_lossy(l, "generationConfig", "responseSchema", false);
    if (!node_says(l->j, type, "application/json"))
        return lift_lossy(l, "generationConfig", "responseMimeType", false);
    emit_key(&l->m, "format");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "type", str_of(shaped ? "schema" : "json"));
    if (shaped)
        emit_key(&l->m, "schema");
    if (node_there(l->j, schema))
        emit_node(&l->m, l->j, schema);
    else if (shaped)
        schema_from_openapi(&l->m, l->j, openapi);
    emit_close(&l->m, '}');
    return true;
}

static bool lift_thinking(struct lifter *l, uint32_t thinking)
{
    static const char *const known[] = {"includeThoughts", "thinkingBudget", "thinkingLevel", NULL};
    static const char *const levels[][2] = {
        {"MINIMAL", "minimal"}, {"LOW", "low"}, {"MEDIUM", "medium"}, {"HIGH", "high"}};
    uint32_t level = proto_get(l->j, thinking, "thinkingLevel"), show = proto_get(l->j, thinking, "includeThoughts");

    if (!lift_unknown(l, thinking, "generationConfig.thinkingConfig", known))
        return false;
    if (!weir_json_is(l->j, thinking, WEIR_JSON_OBJECT))
        return true;
    emit_key(&l->m, "reasoning");
    emit_open(&l->m, '{');
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (node_says(l->j, level, levels[i][0]) || node_says(l->j, level, levels[i][1]))
            emit_member_text(&l->m, "effort", str_of(levels[i][1]));
    lift_number(l, "budget", proto_get(l->j, thinking, "thinkingBudget"));
    if (node_there(l->j, show))
        emit_member_text(&l->m, "show", str_of(node_true(l->j, show) ? "auto" : "none"));
    emit_close(&l->m, '}');
    return true;
}

static void lift_logprobs(struct lifter *l, uint32_t config)
{
    if (!node_true(l->j, proto_get(l->j, config, "responseLogprobs")))
        return;
    emit_key(&l->m, "logprobs");
    emit_int(&l->m, proto_int(l->j, proto_get(l->j, config, "logprobs"), 0));
}

/* Words alone are what everybody answers with. */
static bool lift_modalities(struct lifter *l, uint32_t modalities)
{
    for (EACH_ONE(l->j, n, modalities))
        if (node_there(l->j, n) && !node_says(l->j, n, "TEXT") && !node_says(l->j, n, "text"))
            return lift_lossy(l, "generationConfig", "responseModalities", false);
    return true;
}

static void lift_stop(struct lifter *l, uint32_t stop)
{
    if (!node_there(l->j, stop))
        return;
    emit_key(&l->m, "stop");
    emit_open(&l->m, '[');
    for (EACH_ONE(l->j, n, stop))
        if (node_is_string(l->j, n))
            emit_node(&l->m, l->j, n);
    emit_close(&l->m, ']');
}

bool lift_config(struct lifter *l, uint32_t config)
{
    static const char *const known[] = {"maxOutputTokens",
                                        "temperature",
                                        "topP",
                                        "topK",
                                        "candidateCount",
                                        "stopSequences",
                                        "seed",
                                        "presencePenalty",
                                        "frequencyPenalty",
                                        "responseLogprobs",
                                        "logprobs",
                                        "responseMimeType",
                                        "responseSchema",
                                        "responseJsonSchema",
                                        "responseModalities",
                                        "mediaResolution",
                                        "thinkingConfig",
                                        NULL};

    if (!lift_unknown(l, config, "generationConfig", known))
        return false;
    lift_number(l, "max_output", proto_get(l->j, config, "maxOutputTokens"));
    emit_member(&l->m, "temperature", l->j, proto_get(l->j, config, "temperature"));
    emit_member(&l->m, "top_p", l->j, proto_get(l->j, config, "topP"));
    lift_number(l, "top_k", proto_get(l->j, config, "topK"));
    emit_member(&l->m, "presence_penalty", l->j, proto_get(l->j, config, "presencePenalty"));
    emit_member(&l->m, "frequency_penalty", l->j, proto_get(l->j, config, "frequencyPenalty"));
    lift_number(l, "seed", proto_get(l->j, config, "seed"));
    lift_number(l, "n", proto_get(l->j, config, "candidateCount"));
    lift_logprobs(l, config);
    lift_stop(l, proto_get(l->j, config, "stopSequences"));
    if (!lift_format(l, config) || !lift_thinking(l, proto_get(l->j, config, "thinkingConfig")) ||
        !lift_modalities(l, proto_get(l->j, config, "responseModalities")))
        return false;
    return !node_there(l->j, proto_get(l->j, config, "mediaResolution")) ||
           lift_lossy(l, "generationConfig", "mediaResolution", true);
}
