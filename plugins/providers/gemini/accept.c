/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's path and body -> the view of the request, and a span for every text in it: the tables of
 * lib/fields.h, read as protobuf reads JSON.  Host: step `accept`, worker process.
 */
#include "gemini.h"

#include <stdio.h>

#include "fields.h"

#define IS_SOME (IS_OBJECT | IS_ARRAY) /* an object, or several */

/* ---- the tables: names in camelCase, which count in snake_case too; null anywhere ---- */

static const struct field inline_fields[] = {
    FIELD("mimeType", IS_STRING, walk_word),
    FIELD("data", IS_STRING, NULL),
    FIELD_AS("displayName", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELDS_END,
};
static const struct field file_fields[] = {
    FIELD("mimeType", IS_STRING, walk_word),
    FIELD_AS("fileUri", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD_AS("displayName", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELDS_END,
};
static const struct field call_fields[] = {
    FIELD("id", IS_STRING, walk_word),
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("args", IS_OBJECT, walk_text),
    FIELDS_END,
};
static const struct field media_fields[] = {
    FIELDS("inlineData", IS_OBJECT, walk_each, inline_fields),
    FIELDS("fileData", IS_OBJECT, walk_each, file_fields),
    FIELDS_END,
};
static const struct field response_fields[] = {
    FIELD("id", IS_STRING, walk_word),         FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("response", IS_OBJECT, walk_text),   FIELDS("parts", IS_SOME, walk_each, media_fields),
    FIELD("scheduling", IS_STRING, walk_word), FIELDS_END,
};
static const struct field code_fields[] = {
    FIELD("id", IS_STRING, walk_word),
    FIELD("language", IS_STRING, walk_word),
    FIELD("code", IS_STRING, walk_text),
    FIELDS_END,
};
static const struct field outcome_fields[] = {
    FIELD("id", IS_STRING, walk_word),
    FIELD("outcome", IS_STRING, walk_word),
    FIELD("output", IS_STRING, walk_text),
    FIELDS_END,
};
static const struct field part_fields[] = {
    FIELD("text", IS_STRING, walk_text),
    FIELD("thought", IS_BOOL, walk_word),
    FIELD("thoughtSignature", IS_STRING, NULL),
    FIELDS("inlineData", IS_OBJECT, walk_each, inline_fields),
    FIELDS("fileData", IS_OBJECT, walk_each, file_fields),
    FIELDS_AS("functionCall", IS_OBJECT, call_fields, WEIR_TOOL_CALL),
    FIELDS_AS("functionResponse", IS_OBJECT, response_fields, WEIR_TOOL_RESULT),
    FIELDS_AS("executableCode", IS_OBJECT, code_fields, WEIR_TOOL_CALL),
    FIELDS_AS("codeExecutionResult", IS_OBJECT, outcome_fields, WEIR_TOOL_RESULT),
    FIELDS_END,
};
static const struct field content_fields[] = {
    FIELD("role", IS_STRING, walk_word),
    FIELDS("parts", IS_SOME, walk_parts, part_fields),
    FIELDS_END,
};
static const struct field declaration_fields[] = {
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("description", IS_STRING, walk_text),
    FIELD("behavior", IS_STRING, walk_word),
    FIELD("parameters", IS_OBJECT, walk_text),
    FIELD("parametersJsonSchema", IS_ANY, walk_text),
    FIELD("response", IS_OBJECT, walk_text),
    FIELD("responseJsonSchema", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field tool_fields[] = {
    FIELDS("functionDeclarations", IS_SOME, walk_each, declaration_fields),
    FIELDS_END,
};
static const struct field calling_fields[] = {
    FIELD("mode", IS_STRING, walk_word),
    FIELD("allowedFunctionNames", IS_STRING | IS_ARRAY, walk_text),
    FIELDS_END,
};
static const struct field tool_config_fields[] = {
    FIELDS("functionCallingConfig", IS_OBJECT, walk_each, calling_fields),
    FIELDS_END,
};
static const struct field thinking_fields[] = {
    FIELD("includeThoughts", IS_BOOL, walk_word),
    FIELD("thinkingBudget", IS_NUMBER | IS_STRING, walk_word),
    FIELD("thinkingLevel", IS_STRING, walk_word),
    FIELDS_END,
};
static const struct field generation_fields[] = {
    FIELD("maxOutputTokens", IS_NUMBER | IS_STRING, walk_limit),
    FIELD("candidateCount", IS_NUMBER | IS_STRING, walk_choices),
    FIELD("temperature", IS_NUMBER, walk_word),
    FIELD("topP", IS_NUMBER, walk_word),
    FIELD("topK", IS_NUMBER | IS_STRING, walk_word),
    FIELD("stopSequences", IS_STRING | IS_ARRAY, walk_text),
    FIELD("seed", IS_NUMBER | IS_STRING, walk_word),
    FIELD("responseMimeType", IS_STRING, walk_word),
    FIELD("responseModalities", IS_STRING | IS_ARRAY, walk_word),
    FIELD("mediaResolution", IS_STRING, walk_word),
    FIELDS("thinkingConfig", IS_OBJECT, walk_each, thinking_fields),
    FIELDS_END,
};
static const struct field safety_fields[] = {
    FIELD("category", IS_STRING, walk_word),
    FIELD("threshold", IS_STRING, walk_word),
    FIELD("method", IS_STRING, walk_word),
    FIELDS_END,
};

#define GENERATE_ROWS(must)                                                                                            \
    FIELDS("contents", IS_SOME | (must), walk_messages, content_fields), FIELD("model", IS_STRING, walk_word),         \
        FIELD_ROW("systemInstruction", IS_OBJECT | IS_STRING, WEIR_SYSTEM, walk_parts, content_fields),                \
        FIELDS("tools", IS_SOME, walk_each, tool_fields),                                                              \
        FIELDS("toolConfig", IS_OBJECT, walk_each, tool_config_fields),                                                \
        FIELDS("generationConfig", IS_OBJECT, walk_each, generation_fields),                                           \
        FIELDS("safetySettings", IS_SOME, walk_each, safety_fields), FIELD("cachedContent", IS_STRING, walk_word),     \
        FIELD("serviceTier", IS_STRING, walk_word)

static const struct field generate_fields[] = {GENERATE_ROWS(MUST), FIELDS_END};
static const struct field count_fields[] = {
    GENERATE_ROWS(0),
    FIELDS("generateContentRequest", IS_OBJECT, walk_each, generate_fields),
    FIELDS_END,
};
static const struct field embed_fields[] = {
    FIELDS_AS("content", IS_OBJECT | MUST, content_fields, WEIR_DOCUMENT),
    FIELD("model", IS_STRING, walk_word),
    FIELD("taskType", IS_STRING, walk_word),
    FIELD_AS("title", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD("outputDimensionality", IS_NUMBER | IS_STRING, walk_word),
    FIELDS_END,
};
static const struct field batch_fields[] = {FIELDS("requests", IS_SOME | MUST, walk_each, embed_fields), FIELDS_END};

/* ---- who says what ---- */

static enum weir_where role_where(const struct weir_json *j, uint32_t content)
{
    uint32_t role = proto_get(j, content, "role");

    if (!node_there(j, role) || node_says(j, role, "user"))
        return WEIR_USER;
    if (node_says(j, role, "model"))
        return WEIR_ASSISTANT;
    if (node_says(j, role, "system"))
        return WEIR_SYSTEM;
    return node_says(j, role, "function") || node_says(j, role, "tool") ? WEIR_TOOL_RESULT : WEIR_OTHER;
}

static void say_fault(struct weir_error *e, enum walk_fault fault, const char *want, const char *got)
{
    (void)got;
    switch (fault) {
    case FAULT_TYPE:
        snprintf(e->text, sizeof e->text, "Invalid value at '%s': expected %s.", e->field, want);
        break;
    case FAULT_NEARLY:
        snprintf(e->text, sizeof e->text, "Unknown name '%s': did you mean '%s'?", e->field, want);
        break;
    case FAULT_ESCAPED:
        snprintf(e->text, sizeof e->text, "Unknown name '%s': it is spelled with escapes, which is not accepted.",
                 e->field);
        break;
    case FAULT_TWICE:
        snprintf(e->text, sizeof e->text, "Invalid value at '%s': it is there twice, in two spellings.", e->field);
        break;
    case FAULT_MISSING:
        snprintf(e->text, sizeof e->text, "Invalid value at '%s': it is required.", e->field);
        break;
    }
}

/* ---- the path ---- */

static const struct method {
    const char *name;
    enum weir_kind kind;
    bool stream;
    const struct field *fields;
} methods[] = {
    {"generateContent", WEIR_CHAT, false, generate_fields},
    {"streamGenerateContent", WEIR_CHAT, true, generate_fields},
    {"embedContent", WEIR_EMBEDDING, false, embed_fields},
    {"batchEmbedContents", WEIR_EMBEDDING, false, batch_fields},
    {"countTokens", WEIR_COUNT_TOKENS, false, count_fields},
};

struct weir_str gemini_method(const struct weir_request *r)
{
    size_t n = 0;

    while (n < r->path.len && r->path.ptr[r->path.len - 1 - n] != ':')
        n++;
    return (struct weir_str){r->path.ptr + r->path.len - n, n};
}

static struct weir_str query_get(struct weir_str query, const char *name)
{
    size_t len = strlen(name);

    while (query.len) {
        const char *amp = memchr(query.ptr, '&', query.len);
        size_t n = amp ? (size_t)(amp - query.ptr) : query.len, skip = n + (amp != NULL);
        if (n > len && query.ptr[len] == '=' && memcmp(query.ptr, name, len) == 0)
            return (struct weir_str){query.ptr + len + 1, n - len - 1};
        query = (struct weir_str){query.ptr + skip, query.len - skip};
    }
    return WEIR_STR("");
}

bool gemini_wants_array(const struct weir_request *r)
{
    return r->stream && !str_is(query_get(r->query, "alt"), "sse");
}

static struct weir_str behind_models(struct weir_str path)
{
    const char *at = memmem(path.ptr, path.len, "/models/", 8);
    size_t n = at ? (size_t)(at - path.ptr) + 8 : path.len;

    return (struct weir_str){path.ptr + n, path.len - n};
}

static const struct method *method_find(struct weir_str name, struct weir_error *e)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_is(name, methods[i].name))
            return &methods[i];
    snprintf(e->code, sizeof e->code, "unknown_method");
    snprintf(e->text, sizeof e->text,
             "The path must end in :generateContent, :streamGenerateContent, :embedContent, "
             ":batchEmbedContents or :countTokens.");
    return NULL;
}

static bool accept_query(struct weir_request *r, struct weir_error *e)
{
    struct weir_str alt = query_get(r->query, "alt");

    if (!alt.len || str_is(alt, "json") || (str_is(alt, "sse") && r->stream))
        return true;
    snprintf(e->field, sizeof e->field, "alt");
    snprintf(e->text, sizeof e->text, "Invalid value at 'alt': it can be sse (for streams) or json.");
    return false;
}

bool gemini_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .r = r, .e = e, .say = say_fault, .role = role_where, .proto = true};
    struct weir_str rest = behind_models(r->path), name = gemini_method(r);
    const struct method *m;

    if (r->kind == WEIR_LIST_MODELS)
        return true;
    if (r->kind == WEIR_SHOW_MODEL)
        return walk_path_model(&w, rest);
    m = method_find(name, e);
    if (!m)
        return false;
    r->kind = m->kind;
    r->stream = m->stream;
    r->usage_asked = m->stream;
    if (gemini_wants_array(r))
        r->stream_type = "application/json";
    rest.len -= rest.len < name.len + 1 ? rest.len : name.len + 1;
    return walk_path_model(&w, rest) && accept_query(r, e) && walk_begin(&w) && walk_object(&w, 0, m->fields, NULL);
}
