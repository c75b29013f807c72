/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.c -- a Gemini body -> the canonical request (docs/canonical.md).  Host: step `try`, worker process.
 *
 * Calls without an id get one made of their place and content, so that the same history always gives the same; results
 * find their call by id, else by name and order.  Pieces of a thought are joined until a signature ends it, as a client
 * keeps them that read a stream; so are the model's contents that follow each other.
 */
#include "lifter.h"

#include <stdio.h>

bool lift_lossy(struct lifter *l, const char *place, const char *key, bool hint)
{
    struct text name = {.c = l->c};

    text_str(&name, str_of(place));
    if (place[0])
        text_lit(&name, ".");
    text_str(&name, str_of(key));
    return lossy(l->c, text_view(&name), hint, l->e);
}

bool lift_unknown(struct lifter *l, uint32_t object, const char *place, const char *const *known)
{
    for (EACH_KEY(l->j, k, object)) {
        const char *const *n = known;
        while (*n && (l->j->nodes[k].escaped || !proto_is(weir_json_text(l->j, k), *n)))
            n++;
        if (*n || l->j->nodes[k + 1].type == WEIR_JSON_NULL)
            continue;
        struct text key = {.c = l->c};
        text_str(&key, weir_json_text(l->j, k));
        text_put(&key, "", 1);
        if (!lift_lossy(l, place, key.ptr, false))
            return false;
    }
    return true;
}

static bool refuse(struct lifter *l, const char *code, const char *text)
{
    snprintf(l->e->code, sizeof l->e->code, "%s", code);
    snprintf(l->e->field, sizeof l->e->field, "%s", l->at);
    snprintf(l->e->text, sizeof l->e->text, "%s: %s", l->at, text);
    return false;
}

static void place(struct lifter *l, uint32_t content, uint32_t part)
{
    snprintf(l->at, sizeof l->at, "contents[%u].parts[%u]", content, part);
}

/* ---- thoughts and signatures ---- */

static void put_reasoning(struct lifter *l, struct weir_str text, struct weir_str opaque, struct weir_str kind)
{
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "reasoning");
    if (text.len)
        emit_member_text(&l->m, "text", text);
    if (opaque.len) {
        emit_member_text(&l->m, "opaque", opaque);
        emit_member_text(&l->m, "kind", kind);
    }
    emit_close(&l->m, '}');
}

static void flush_thought(struct lifter *l, struct weir_str opaque, struct weir_str kind)
{
    if (l->thought.len || opaque.len)
        put_reasoning(l, text_view(&l->thought), opaque, kind);
    l->thought.len = 0;
}

/* Whose the signature is: another issuer's stands in a mark, as base64.  "" when there is none worth keeping. */
static struct weir_str signature_of(struct lifter *l, uint32_t part, struct weir_str *kind)
{
    struct weir_str raw = proto_text(l->c, l->j, part, "thoughtSignature"), mark, data;

    *kind = WEIR_STR("gemini.thought");
    if (str_is(raw, GEMINI_DUMMY) || str_is(raw, "context_engineering_is_the_way_to_go"))
        return WEIR_STR("");
    if (str_starts(raw, "d2Vpcj") && base64_decode(l->c, raw, &mark) && opaque_read(mark, kind, &data))
        return data;
    return raw;
}

static void lift_thought(struct lifter *l, uint32_t part)
{
    struct weir_str kind, opaque = signature_of(l, part, &kind);

    text_str(&l->thought, proto_text(l->c, l->j, part, "text"));
    if (opaque.len)
        flush_thought(l, opaque, kind);
}

/* ---- calls and results ---- */

static struct weir_str lifted_id(struct lifter *l, uint32_t call)
{
    struct text seed = {.c = l->c}, id = {.c = l->c};

    text_int(&seed, l->call_count);
    text_lit(&seed, ":");
    text_str(&seed, weir_json_text(l->j, call));
    text_lit(&id, "call_");
    text_int(&id, l->call_count);
    text_lit(&id, "_");
    text_str(&id, canon_call_id(l->c, text_view(&seed), 24, false));
    return text_view(&id);
}

static bool lift_call(struct lifter *l, uint32_t call)
{
    static const char *const known[] = {"id", "name", "args", NULL};
    struct weir_str id = proto_text(l->c, l->j, call, "id"), name = proto_text(l->c, l->j, call, "name");
    uint32_t args = proto_get(l->j, call, "args");

    if (!lift_unknown(l, call, "functionCall", known))
        return false;
    if (!id.len)
        id = lifted_id(l, call);
    l->calls = gemini_grown(l->c, l->calls, l->call_count, &l->call_cap, sizeof *l->calls);
    l->calls[l->call_count++] = (struct lifted_call){id, name, false};
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "call");
    emit_member_text(&l->m, "id", id);
    emit_member_text(&l->m, "name", name);
    emit_member_text(&l->m, "arguments",
                     weir_json_is(l->j, args, WEIR_JSON_OBJECT) ? weir_json_text(l->j, args) : WEIR_STR("{}"));
    emit_member_text(&l->m, "at", str_of(l->at));
    emit_close(&l->m, '}');
    return true;
}

static struct lifted_call *call_find(struct lifter *l, struct weir_str id, struct weir_str name)
{
    for (uint32_t i = 0; id.len && i < l->call_count; i++)
        if (str_eq(l->calls[i].id, id))
            return &l->calls[i];
    for (uint32_t i = 0; i < l->call_count; i++)
        if (!l->calls[i].answered && str_eq(l->calls[i].name, name))
            return &l->calls[i];
    return NULL;
}

/* {"result": "..."} and the like are wraps of a text, {"error": ...} of one that says what failed. */
static void put_result_text(struct lifter *l, uint32_t response, bool *failed)
{
    static const char *const wraps[] = {"result", "output", "error"};
    uint32_t key = weir_json_is(l->j, response, WEIR_JSON_OBJECT) ? weir_json_first(l->j, response) : WEIR_NO_NODE;
    bool one = key != WEIR_NO_NODE && weir_json_next(l->j, response, key + 1) == WEIR_NO_NODE;

    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "text");
    *failed = one && weir_json_eq(l->j, key, "error", 5);
    for (size_t i = 0; one && node_is_string(l->j, key + 1) && i < 3; i++)
        if (weir_json_eq(l->j, key, wraps[i], strlen(wraps[i]))) {
            emit_member(&l->m, "text", l->j, key + 1);
            emit_close(&l->m, '}');
            return;
        }
    emit_member_text(&l->m, "text", response == WEIR_NO_NODE ? WEIR_STR("{}") : weir_json_text(l->j, response));
    emit_close(&l->m, '}');
}

static bool lift_result(struct lifter *l, uint32_t result)
{
    static const char *const known[] = {"id", "name", "response", "parts", NULL};
    struct weir_str name = proto_text(l->c, l->j, result, "name");
    struct lifted_call *call = call_find(l, proto_text(l->c, l->j, result, "id"), name);
    bool failed;

    if (!call)
        return refuse(l, "unknown_call", "this functionResponse answers no functionCall before it.");
    if (!lift_unknown(l, result, "functionResponse", known))
        return false;
    call->answered = true;
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "result");
    emit_member_text(&l->m, "id", call->id);
    emit_member_text(&l->m, "name", name);
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    put_result_text(l, proto_get(l->j, result, "response"), &failed);
    for (EACH_ONE(l->j, part, proto_get(l->j, result, "parts")))
        if (!lift_part(l, part))
            return false;
    emit_close(&l->m, ']');
    if (failed) {
        emit_key(&l->m, "error");
        emit_bool(&l->m, true);
    }
    emit_member_text(&l->m, "at", str_of(l->at));
    emit_close(&l->m, '}');
    return true;
}

/* ---- messages ---- */

static void message_open(struct lifter *l, const char *role)
{
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "role", str_of(role));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
}

static void message_close(struct lifter *l)
{
    emit_close(&l->m, ']');
    emit_close(&l->m, '}');
}

static void turn_close(struct lifter *l)
{
    if (!l->open)
        return;
    flush_thought(l, WEIR_STR(""), WEIR_STR(""));
    message_close(l);
    l->open = false;
}

static bool lift_model_part(struct lifter *l, uint32_t part)
{
    uint32_t call = proto_get(l->j, part, "functionCall");
    struct weir_str kind, opaque;

    if (node_true(l->j, proto_get(l->j, part, "thought"))) {
        lift_thought(l, part);
        return true;
    }
    flush_thought(l, WEIR_STR(""), WEIR_STR(""));
    opaque = signature_of(l, part, &kind);
    if (opaque.len)
        put_reasoning(l, WEIR_STR(""), opaque, kind);
    return weir_json_is(l->j, call, WEIR_JSON_OBJECT) ? lift_call(l, call) : lift_part(l, part);
}

static bool lift_turn(struct lifter *l, uint32_t parts, uint32_t index)
{
    uint32_t p = 0;

    if (!l->open)
        message_open(l, "assistant");
    l->open = true;
    for (EACH_ONE(l->j, part, parts)) {
        place(l, index, p++);
        if (!lift_model_part(l, part))
            return false;
    }
    return true;
}

/* Results first, in a message of their own; then what the user says. */
static bool lift_said(struct lifter *l, uint32_t parts, uint32_t index, bool results)
{
    bool open = false;
    uint32_t p = 0;

    for (EACH_ONE(l->j, part, parts)) {
        uint32_t result = proto_get(l->j, part, "functionResponse");
        bool is_result = weir_json_is(l->j, result, WEIR_JSON_OBJECT);
        place(l, index, p++);
        if (is_result != results)
            continue;
        if (!open)
            message_open(l, results ? "tool" : "user");
        open = true;
        if (is_result ? !lift_result(l, result) : !lift_part(l, part))
            return false;
    }
    if (open)
        message_close(l);
    return true;
}

static bool lift_content(struct lifter *l, uint32_t content, uint32_t index)
{
    static const char *const known[] = {"role", "parts", NULL};
    uint32_t role = proto_get(l->j, content, "role"), parts = proto_get(l->j, content, "parts");

    snprintf(l->at, sizeof l->at, "contents[%u]", index);
    if (!weir_json_is(l->j, content, WEIR_JSON_OBJECT))
        return refuse(l, "invalid_type", "it must be an object.");
    if (!lift_unknown(l, content, l->at, known))
        return false;
    if (node_says(l->j, role, "model"))
        return lift_turn(l, parts, index);
    if (node_there(l->j, role) && !node_says(l->j, role, "user") && !node_says(l->j, role, "function") &&
        !node_says(l->j, role, "tool"))
        return refuse(l, "invalid_value", "the role must be user or model.");
    turn_close(l);
    return lift_said(l, parts, index, true) && lift_said(l, parts, index, false);
}

static bool lift_contents(struct lifter *l, uint32_t contents)
{
    uint32_t index = 0;

    emit_key(&l->m, "messages");
    emit_open(&l->m, '[');
    for (EACH_ONE(l->j, content, contents))
        if (!lift_content(l, content, index++))
            return false;
    turn_close(l);
    emit_close(&l->m, ']');
    return true;
}

/* A Content, or the text alone. */
static bool lift_system(struct lifter *l, uint32_t system)
{
    uint32_t parts = node_is_string(l->j, system) ? system : proto_get(l->j, system, "parts"), p = 0;

    if (!node_there(l->j, parts))
        return true;
    emit_key(&l->m, "system");
    emit_open(&l->m, '[');
    for (EACH_ONE(l->j, part, parts)) {
        uint32_t text = part == system ? system : proto_get(l->j, part, "text");
        snprintf(l->at, sizeof l->at, "systemInstruction.parts[%u]", p++);
        if (!node_is_string(l->j, text)) {
            if (!lossy(l->c, str_of(l->at), false, l->e))
                return false;
            continue;
        }
        emit_open(&l->m, '{');
        emit_member_lit(&l->m, "type", "text");
        emit_member(&l->m, "text", l->j, text);
        emit_close(&l->m, '}');
    }
    emit_close(&l->m, ']');
    return true;
}

/* ---- the whole ---- */

static void put_names(struct lifter *l, uint32_t config)
{
    static const char *const names[][2] = {
        {"max_output", "maxOutputTokens"},
        {"temperature", "temperature"},
        {"top_p", "topP"},
        {"top_k", "topK"},
        {"presence_penalty", "presencePenalty"},
        {"frequency_penalty", "frequencyPenalty"},
        {"seed", "seed"},
        {"n", "candidateCount"},
        {"logprobs", "responseLogprobs"},
        {"stop", "stopSequences"},
        {"format", "responseMimeType"},
        {"reasoning", "thinkingConfig"},
    };

    emit_key(&l->m, "names");
    emit_open(&l->m, '{');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text name = {.c = l->c};
        if (!node_there(l->j, proto_get(l->j, config, names[i][1])))
            continue;
        text_lit(&name, "generationConfig.");
        text_str(&name, str_of(names[i][1]));
        emit_member_text(&l->m, names[i][0], text_view(&name));
    }
    if (node_there(l->j, proto_get(l->j, 0, "toolConfig")))
        emit_member_lit(&l->m, "tool_choice", "toolConfig.functionCallingConfig");
    if (node_there(l->j, proto_get(l->j, 0, "labels")))
        emit_member_lit(&l->m, "metadata", "labels");
    if (node_there(l->j, proto_get(l->j, 0, "serviceTier")))
        emit_member_lit(&l->m, "service_tier", "serviceTier");
    emit_close(&l->m, '}');
}

static bool lift_chat(struct lifter *l)
{
    static const char *const known[] = {
        "model",          "contents", "systemInstruction", "tools", "toolConfig", "generationConfig",
        "safetySettings", "labels",   "serviceTier",       "store", NULL};
    uint32_t config = proto_get(l->j, 0, "generationConfig"), tier = proto_get(l->j, 0, "serviceTier");

    if (!lift_unknown(l, 0, "", known))
        return false;
    put_names(l, config);
    emit_key(&l->m, "stream");
    emit_bool(&l->m, weir_request(l->c)->stream);
    if (!lift_system(l, proto_get(l->j, 0, "systemInstruction")) || !lift_contents(l, proto_get(l->j, 0, "contents")) ||
        !lift_tools(l, proto_get(l->j, 0, "tools"), proto_get(l->j, 0, "toolConfig")) || !lift_config(l, config))
        return false;
    if (node_is_string(l->j, tier))
        emit_member(&l->m, "service_tier", l->j, tier);
    emit_member(&l->m, "metadata", l->j, proto_get(l->j, 0, "labels"));
    if (node_there(l->j, proto_get(l->j, 0, "safetySettings")) && !lift_lossy(l, "", "safetySettings", true))
        return false;
    return !node_there(l->j, proto_get(l->j, 0, "store")) || lift_lossy(l, "", "store", true);
}

bool gemini_lift(struct weir_ctx *c, struct weir_error *e)
{
    struct lifter l = {.c = c, .j = weir_body(c), .m.t.c = c, .e = e, .thought.c = c};

    emit_open(&l.m, '{');
    if (weir_request(c)->kind == WEIR_EMBEDDING ? !lift_embedding(&l) : !lift_chat(&l))
        return false;
    emit_close(&l.m, '}');
    weir_out(c, text_view(&l.m.t));
    return true;
}
