/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a Converse request -> the view of it, and a span for every text in it: the tables of lib/fields.h.  The
 * model and the kind of the call stand in the path.  Host: step `accept`, worker process.
 */
#include "bedrock.h"

#include <stdio.h>

#include "fields.h"

static WALK_READ(read_limit);

/* ---- the tables ---- */

/* {"bytes"} is base64, {"text"} and {"content"} are text, {"s3Location"} is an address. */
static const struct field source_fields[] = {
    FIELD("bytes", IS_STRING, NULL),
    FIELD("text", IS_ANY, walk_text),
    FIELD("content", IS_ANY, walk_text),
    FIELD("s3Location", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field media_fields[] = {
    FIELD("format", IS_ANY, walk_word),    FIELDS("source", IS_ANY, walk_each, source_fields),
    FIELD("name", IS_ANY, walk_text),      FIELD("context", IS_ANY, walk_text),
    FIELD("citations", IS_ANY, walk_text), FIELDS_END,
};
static const struct field use_fields[] = {
    FIELD("toolUseId", IS_ANY, walk_word),
    FIELD("type", IS_ANY, walk_word),
    FIELD_AS("name", IS_ANY, walk_text, WEIR_OTHER),
    FIELD("input", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field result_block_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("text", IS_ANY, walk_text),
    FIELDS_AS("image", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELDS_AS("document", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELDS_AS("video", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELD("json", IS_ANY, walk_text),
    FIELD_AS("searchResult", IS_ANY, walk_text, WEIR_DOCUMENT),
    FIELDS_END,
};
static const struct field result_fields[] = {
    FIELD("toolUseId", IS_ANY, walk_word),
    FIELD("status", IS_ANY, walk_word),
    FIELD("type", IS_ANY, walk_word),
    FIELDS("content", IS_ARRAY, walk_each, result_block_fields),
    FIELDS_END,
};
/* Signatures and redacted content are for their issuer alone to read. */
static const struct field reasoning_text_fields[] = {
    FIELD("text", IS_ANY, walk_text),
    FIELD("signature", IS_STRING, NULL),
    FIELDS_END,
};
static const struct field reasoning_fields[] = {
    FIELDS("reasoningText", IS_OBJECT, walk_each, reasoning_text_fields),
    FIELD("redactedContent", IS_STRING, NULL),
    FIELDS_END,
};
static const struct field block_fields[] = {
    FIELD("text", IS_ANY, walk_text),
    FIELDS_AS("image", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELDS_AS("document", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELDS_AS("video", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELDS_AS("audio", IS_OBJECT, media_fields, WEIR_DOCUMENT),
    FIELDS_AS("toolUse", IS_OBJECT, use_fields, WEIR_TOOL_CALL),
    FIELDS_AS("toolResult", IS_OBJECT, result_fields, WEIR_TOOL_RESULT),
    FIELDS("reasoningContent", IS_OBJECT, walk_each, reasoning_fields),
    FIELD("cachePoint", IS_ANY, walk_word),
    FIELD("type", IS_ANY, walk_word),
    FIELD("citationsContent", IS_ANY, walk_text),
    FIELD("guardContent", IS_ANY, walk_text),
    FIELD_AS("searchResult", IS_ANY, walk_text, WEIR_DOCUMENT),
    FIELDS_END,
};
static const struct field message_fields[] = {
    FIELD("role", IS_STRING | MUST, walk_word),
    FIELDS("content", IS_ARRAY | MUST, walk_parts, block_fields),
    FIELDS_END,
};
static const struct field inference_fields[] = {
    FIELD("maxTokens", IS_NUMBER, read_limit),
    FIELD("temperature", IS_ANY, walk_text),
    FIELD("topP", IS_ANY, walk_text),
    FIELD("stopSequences", IS_ANY, walk_text),
    FIELDS_END,
};
/* Descriptions of tools, schemas, variables of prompts: whatever strings there are. */
static const struct field converse_fields[] = {
    FIELDS("messages", IS_ARRAY | MUST, walk_messages, message_fields),
    FIELD_ROW("system", IS_ARRAY, WEIR_SYSTEM, walk_parts, block_fields),
    FIELDS("inferenceConfig", IS_OBJECT, walk_each, inference_fields),
    FIELD("toolConfig", IS_ANY, walk_text),
    FIELD("guardrailConfig", IS_ANY, walk_word),
    FIELD("additionalModelRequestFields", IS_ANY, walk_text),
    FIELD("additionalModelResponseFieldPaths", IS_ANY, walk_text),
    FIELD("promptVariables", IS_ANY, walk_text),
    FIELD("requestMetadata", IS_ANY, walk_text),
    FIELD("performanceConfig", IS_ANY, walk_word),
    FIELD("serviceTier", IS_ANY, walk_word),
    FIELD("outputConfig", IS_ANY, walk_text),
    FIELDS_END,
};

static bool read_limit(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f;
    w->r->max_output = weir_json_int(w->j, value, -1);
    return w->r->max_output > 0 || walk_refuse(w, FAULT_TYPE, p, "a positive integer", "another number");
}

static enum weir_where role_where(const struct weir_json *j, uint32_t message)
{
    uint32_t role = weir_json_get(j, message, "role");

    return node_says(j, role, "user")        ? WEIR_USER
           : node_says(j, role, "assistant") ? WEIR_ASSISTANT
           : node_says(j, role, "system")    ? WEIR_SYSTEM
                                             : WEIR_OTHER;
}

static bool refuse(struct weir_error *e, const char *code, const char *field, const char *text)
{
    snprintf(e->code, sizeof e->code, "%s", code);
    snprintf(e->field, sizeof e->field, "%s", field);
    snprintf(e->text, sizeof e->text, "%s", text);
    return false;
}

static void say_fault(struct weir_error *e, enum walk_fault fault, const char *want, const char *got)
{
    (void)got;
    if (fault == FAULT_TYPE)
        snprintf(e->text, sizeof e->text, "%s must be %s.", e->field, want);
    else if (fault == FAULT_MISSING)
        snprintf(e->text, sizeof e->text, "%s is missing.", e->field);
    else
        snprintf(e->text, sizeof e->text, "%s: no member is spelled like this.", e->field);
}

/* ---- the path ---- */

/* /model/ID/ACTION; an id may have slashes in it, so the last one counts. */
static bool read_path(struct walk *w)
{
    struct weir_str path = str_behind(w->r->path, "/model/"), id = WEIR_STR(""), action = path;
    const char *slash = memrchr(path.ptr, '/', path.len);

    if (slash) {
        id = (struct weir_str){path.ptr, (size_t)(slash - path.ptr)};
        action = (struct weir_str){slash + 1, path.len - id.len - 1};
    }
    w->r->stream = str_is(action, "converse-stream");
    if (str_is(action, "count-tokens"))
        w->r->kind = WEIR_COUNT_TOKENS;
    else if (!w->r->stream && !str_is(action, "converse"))
        return refuse(w->e, "unknown_path", "",
                      "Of a model's paths only converse, converse-stream and count-tokens are served here.");
    return walk_path_model(w, id);
}

/* The request that is to be counted.  input.invokeModel is base64 of another dialect: texts that no stage would see. */
static bool count_root(const struct weir_json *j, uint32_t *root)
{
    uint32_t input = weir_json_get(j, 0, "input");

    *root = weir_json_get(j, input, "converse");
    return *root != WEIR_NO_NODE && j->nodes[input].next == j->nodes[0].next &&
           j->nodes[*root].next == j->nodes[input].next && weir_json_first(j, input) + 1 == *root &&
           weir_json_first(j, 0) + 1 == input && weir_json_is(j, *root, WEIR_JSON_OBJECT);
}

bool bedrock_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .r = r, .e = e, .say = say_fault, .role = role_where};
    uint32_t root = 0;

    if (!read_path(&w) || !walk_begin(&w))
        return false;
    if (r->kind == WEIR_COUNT_TOKENS && !count_root(w.j, &root))
        return refuse(e, "invalid_request", "input", "input.converse, and nothing else, is counted here.");
    r->usage_asked = true;
    r->stream_type = "application/vnd.amazon.eventstream";
    return walk_object(&w, root, converse_fields, NULL);
}
