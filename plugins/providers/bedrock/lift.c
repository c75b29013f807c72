/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.c -- a Converse request -> the canonical request (docs/canonical.md), in that page's order.  Host: step `try`,
 * worker process.
 */
#include "lift.h"

#include <stdio.h>

#include "bedrock.h"

bool lift_lossy(struct lift *l, const char *path, bool hint)
{
    return lossy(l->c, str_of(path), hint, l->e);
}

bool lift_unknown(struct lift *l, uint32_t object, const char *path, const char *const *known, bool hint)
{
    for (EACH_KEY(l->j, k, object)) {
        struct weir_str key = weir_json_text(l->j, k);
        const char *const *w = known;
        char name[LIFT_PATH];
        while (*w && !weir_json_eq(l->j, k, *w, strlen(*w)))
            w++;
        if (*w || !node_there(l->j, k + 1))
            continue;
        snprintf(name, sizeof name, "%s%s%.*s", path, path[0] ? "." : "", (int)(key.len < 48 ? key.len : 48), key.ptr);
        if (!lift_lossy(l, name, hint))
            return false;
    }
    return true;
}

bool lift_wrong(struct lift *l, const char *path, const char *want)
{
    snprintf(l->e->code, sizeof l->e->code, "invalid_type");
    snprintf(l->e->field, sizeof l->e->field, "%.60s", path);
    snprintf(l->e->text, sizeof l->e->text, "%.100s must be %s.", path, want);
    return false;
}

/* ---- names ---- */

static void lift_names(struct lift *l)
{
    static const struct {
        const char *canonical, *group, *key;
    } rows[] = {
        {"tools", "toolConfig", "tools"},
        {"tool_choice", "toolConfig", "toolChoice"},
        {"max_output", "inferenceConfig", "maxTokens"},
        {"temperature", "inferenceConfig", "temperature"},
        {"top_p", "inferenceConfig", "topP"},
        {"top_k", "additionalModelRequestFields", "top_k"},
        {"stop", "inferenceConfig", "stopSequences"},
        {"format", "outputConfig", "textFormat"},
        {"reasoning", "additionalModelRequestFields", "thinking"},
        {"reasoning", "additionalModelRequestFields", "output_config"},
        {"reasoning", "outputConfig", "effort"},
        {"service_tier", "serviceTier", "type"},
    };
    const char *last = "";

    emit_key(&l->m, "names");
    emit_open(&l->m, '{');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[LIFT_PATH];
        if (!node_there(l->j, lift_at(l, lift_at(l, 0, rows[i].group), rows[i].key)) ||
            strcmp(last, rows[i].canonical) == 0)
            continue;
        last = rows[i].canonical;
        snprintf(path, sizeof path, "%s.%s", rows[i].group, rows[i].key);
        emit_member_text(&l->m, rows[i].canonical, str_of(path));
    }
    if (node_there(l->j, lift_at(l, 0, "requestMetadata")))
        emit_member_lit(&l->m, "metadata", "requestMetadata");
    emit_close(&l->m, '}');
}

/* ---- tools ---- */

static bool lift_tool_spec(struct lift *l, uint32_t array, uint32_t tool, uint32_t spec, const char *path)
{
    static const char *const known[] = {"name", "description", "inputSchema", "strict", NULL};
    static const char *const schema_known[] = {"json", NULL};
    uint32_t schema = lift_at(l, spec, "inputSchema"), strict = lift_at(l, spec, "strict");
    char inner[LIFT_PATH];

    if (!node_is_string(l->j, lift_at(l, spec, "name")))
        return lift_wrong(l, path, "a tool with a name");
    snprintf(inner, sizeof inner, "%.80s.toolSpec", path);
    if (!lift_unknown(l, spec, inner, known, false))
        return false;
    snprintf(inner, sizeof inner, "%.80s.toolSpec.inputSchema", path);
    if (!lift_unknown(l, schema, inner, schema_known, false))
        return false;
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, lift_at(l, spec, "name"));
    emit_member(&l->m, "description", l->j, lift_at(l, spec, "description"));
    emit_member(&l->m, "schema", l->j, lift_at(l, schema, "json"));
    if (node_there(l->j, strict))
        emit_member(&l->m, "strict", l->j, strict);
    lift_cache(l, array, tool);
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

static bool lift_tools(struct lift *l, uint32_t array)
{
    static const char *const known[] = {"toolSpec", "systemTool", NULL};
    uint32_t before = WEIR_NO_NODE;
    unsigned i = 0;

    if (!node_there(l->j, array))
        return true;
    if (!weir_json_is(l->j, array, WEIR_JSON_ARRAY))
        return lift_wrong(l, "toolConfig.tools", "an array");
    emit_key(&l->m, "tools");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, tool, array)) {
        uint32_t spec = lift_at(l, tool, "toolSpec"), hosted = lift_at(l, tool, "systemTool");
        char path[LIFT_PATH];
        snprintf(path, sizeof path, "toolConfig.tools[%u]", i++);
        if (weir_json_is(l->j, lift_at(l, tool, "cachePoint"), WEIR_JSON_OBJECT)) {
            if (!lift_point(l, before, path))
                return false;
            before = tool;
            continue;
        }
        before = tool;
        if (!lift_unknown(l, tool, path, known, false))
            return false;
        if (node_there(l->j, spec)) {
            if (!lift_tool_spec(l, array, tool, spec, path))
                return false;
        } else if (node_is_string(l->j, lift_at(l, hosted, "name"))) {
            emit_open(&l->m, '{');
            emit_member(&l->m, "hosted", l->j, lift_at(l, hosted, "name"));
            emit_member(&l->m, "raw", l->j, hosted);
            emit_member_text(&l->m, "at", str_of(path));
            emit_close(&l->m, '}');
        }
    }
    emit_close(&l->m, ']');
    return true;
}

static bool lift_choice(struct lift *l, uint32_t choice)
{
    static const char *const known[] = {"auto", "any", "tool", NULL};
    uint32_t tool = lift_at(l, choice, "tool");

    if (!node_there(l->j, choice))
        return true;
    if (!lift_unknown(l, choice, "toolConfig.toolChoice", known, false))
        return false;
    emit_key(&l->m, "tool_choice");
    emit_open(&l->m, '{');
    if (node_there(l->j, tool)) {
        emit_member_lit(&l->m, "mode", "named");
        emit_member(&l->m, "name", l->j, lift_at(l, tool, "name"));
    } else if (node_there(l->j, lift_at(l, choice, "any"))) {
        emit_member_lit(&l->m, "mode", "required");
    } else {
        emit_member_lit(&l->m, "mode", "auto");
    }
    emit_close(&l->m, '}');
    return true;
}

/* ---- settings ---- */

static bool lift_inference(struct lift *l)
{
    static const char *const known[] = {"maxTokens", "temperature", "topP", "stopSequences", NULL};
    uint32_t config = lift_at(l, 0, "inferenceConfig"), extra = lift_at(l, 0, "additionalModelRequestFields");

    if (!lift_unknown(l, config, "inferenceConfig", known, false))
        return false;
    emit_member(&l->m, "max_output", l->j, lift_at(l, config, "maxTokens"));
    emit_member(&l->m, "temperature", l->j, lift_at(l, config, "temperature"));
    emit_member(&l->m, "top_p", l->j, lift_at(l, config, "topP"));
    emit_member(&l->m, "top_k", l->j, lift_at(l, extra, "top_k"));
    emit_member(&l->m, "stop", l->j, lift_at(l, config, "stopSequences"));
    return true;
}

/* The schema is a string that holds JSON. */
static bool lift_format(struct lift *l, uint32_t format)
{
    static const char *const known[] = {"type", "structure", NULL};
    static const char *const schema_known[] = {"schema", "name", "description", NULL};
    uint32_t json = lift_at(l, lift_at(l, format, "structure"), "jsonSchema");
    struct weir_str text = get_value(l->c, l->j, json, "schema");
    struct weir_error why = {{0}, {0}, {0}};
    const struct weir_json *schema;

    if (!node_there(l->j, format))
        return true;
    if (!lift_unknown(l, format, "outputConfig.textFormat", known, false) ||
        !lift_unknown(l, json, "outputConfig.textFormat.structure.jsonSchema", schema_known, false))
        return false;
    if (!node_says(l->j, lift_at(l, format, "type"), "json_schema"))
        return lift_lossy(l, "outputConfig.textFormat.type", false);
    schema = weir_skim(l->c, text, &why);
    if (!schema || !weir_json_is(schema, 0, WEIR_JSON_OBJECT))
        return lift_wrong(l, "outputConfig.textFormat.structure.jsonSchema.schema",
                          "a string that holds a JSON object");
    emit_key(&l->m, "format");
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "schema");
    emit_member(&l->m, "name", l->j, lift_at(l, json, "name"));
    emit_member(&l->m, "description", l->j, lift_at(l, json, "description"));
    emit_key(&l->m, "schema");
    emit_raw(&l->m, text);
    emit_close(&l->m, '}');
    return true;
}

/* Claude's `thinking` and effort, which travel in members that Converse does not read itself. */
static bool lift_reasoning(struct lift *l)
{
    static const char *const known[] = {"thinking", "top_k", "output_config", "anthropic_beta", NULL};
    static const char *const thinking_known[] = {"type", "budget_tokens", NULL};
    static const char *const effort_known[] = {"effort", NULL};
    uint32_t extra = lift_at(l, 0, "additionalModelRequestFields"), thinking = lift_at(l, extra, "thinking");
    uint32_t config = lift_at(l, extra, "output_config"), effort = lift_at(l, config, "effort");
    uint32_t type = lift_at(l, thinking, "type");

    if (!lift_unknown(l, extra, "additionalModelRequestFields", known, false) ||
        !lift_unknown(l, thinking, "additionalModelRequestFields.thinking", thinking_known, false) ||
        !lift_unknown(l, config, "additionalModelRequestFields.output_config", effort_known, false))
        return false;
    if (node_there(l->j, lift_at(l, extra, "anthropic_beta")) &&
        !lift_lossy(l, "additionalModelRequestFields.anthropic_beta", true))
        return false;
    if (!node_is_string(l->j, effort))
        effort = lift_at(l, lift_at(l, 0, "outputConfig"), "effort");
    if (!node_is_string(l->j, type) && !node_is_string(l->j, effort))
        return true;
    emit_key(&l->m, "reasoning");
    emit_open(&l->m, '{');
    if (node_says(l->j, type, "disabled"))
        emit_member_lit(&l->m, "effort", "none");
    else if (node_is_string(l->j, effort))
        emit_member(&l->m, "effort", l->j, effort);
    if (node_says(l->j, type, "enabled"))
        emit_member(&l->m, "budget", l->j, lift_at(l, thinking, "budget_tokens"));
    if (node_says(l->j, type, "adaptive")) {
        emit_key(&l->m, "adaptive");
        emit_bool(&l->m, true);
    }
    emit_close(&l->m, '}');
    return true;
}

static bool lift_rest(struct lift *l)
{
    static const char *const tier_known[] = {"type", NULL}, *const output_known[] = {"textFormat", "effort", NULL};
    static const char *const tools_known[] = {"tools", "toolChoice", NULL};
    static const char *const known[] = {
        "messages",          "system",      "inferenceConfig", "toolConfig",   "additionalModelRequestFields",
        "performanceConfig", "serviceTier", "requestMetadata", "outputConfig", NULL};

    emit_member(&l->m, "service_tier", l->j, lift_at(l, lift_at(l, 0, "serviceTier"), "type"));
    emit_member(&l->m, "metadata", l->j, lift_at(l, 0, "requestMetadata"));
    if (node_there(l->j, lift_at(l, 0, "performanceConfig")) && !lift_lossy(l, "performanceConfig", true))
        return false;
    return lift_unknown(l, lift_at(l, 0, "serviceTier"), "serviceTier", tier_known, false) &&
           lift_unknown(l, lift_at(l, 0, "outputConfig"), "outputConfig", output_known, false) &&
           lift_unknown(l, lift_at(l, 0, "toolConfig"), "toolConfig", tools_known, false) &&
           lift_unknown(l, 0, "", known, false);
}

bool bedrock_lift(struct weir_ctx *c, struct weir_error *e)
{
    struct lift l = {.c = c, .j = weir_body(c), .e = e, .m = {.t.c = c}};
    uint32_t tools = lift_at(&l, 0, "toolConfig");

    emit_open(&l.m, '{');
    lift_names(&l);
    emit_key(&l.m, "stream");
    emit_bool(&l.m, weir_request(c)->stream);
    if (!lift_system(&l, lift_at(&l, 0, "system")) || !lift_messages(&l, lift_at(&l, 0, "messages")) ||
        !lift_tools(&l, lift_at(&l, tools, "tools")) || !lift_choice(&l, lift_at(&l, tools, "toolChoice")) ||
        !lift_inference(&l) || !lift_format(&l, lift_at(&l, lift_at(&l, 0, "outputConfig"), "textFormat")) ||
        !lift_reasoning(&l) || !lift_rest(&l))
        return false;
    emit_close(&l.m, '}');
    weir_out(c, text_view(&l.m.t));
    return true;
}
