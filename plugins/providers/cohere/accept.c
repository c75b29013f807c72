/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's body -> the view of the request, and a span for every text in it: the tables of lib/fields.h.
 * Host: step `accept`, worker process.
 */
#include "cohere.h"

#include <stdio.h>

#include "fields.h"
#include "unserved.h"

#define STRING_OR_NULL (IS_STRING | IS_NULL)
#define ARRAY_OR_NULL  (IS_ARRAY | IS_NULL)
#define OBJECT_OR_NULL (IS_OBJECT | IS_NULL)

static WALK_READ(read_image);
static WALK_READ(read_links);
static WALK_READ(read_stream);
static WALK_READ(read_texts);

/* ---- the tables ---- */

static const struct field image_fields[] = {
    FIELD_AS("url", IS_STRING, walk_link, WEIR_DOCUMENT),
    FIELD("detail", IS_ANY, walk_word),
    FIELDS_END,
};
/* Documents are what a tool gave: strings, or objects of strings. */
static const struct field part_fields[] = {
    FIELD("type", IS_ANY, walk_word),        FIELD("text", IS_STRING, walk_text),
    FIELD("thinking", IS_STRING, walk_text), FIELDS("image_url", IS_OBJECT | IS_STRING, read_image, image_fields),
    FIELD("document", IS_ANY, walk_text),    FIELDS_END,
};
static const struct field call_function_fields[] = {
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("arguments", IS_STRING | OBJECT_OR_NULL, walk_inner),
    FIELDS_END,
};
static const struct field call_fields[] = {
    FIELD("id", IS_ANY, walk_word),
    FIELD("type", IS_ANY, walk_word),
    FIELDS("function", IS_OBJECT, walk_each, call_function_fields),
    FIELDS_END,
};
static const struct field message_fields[] = {
    FIELD("role", IS_STRING | MUST, walk_word),
    FIELDS("content", IS_STRING | IS_ARRAY | IS_NULL, walk_parts, part_fields),
    FIELD_ROW("tool_calls", ARRAY_OR_NULL, WEIR_TOOL_CALL, walk_parts, call_fields),
    FIELD("tool_call_id", IS_ANY, walk_word),
    FIELD("tool_plan", STRING_OR_NULL, walk_text),
    FIELD("citations", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field function_fields[] = {
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("description", STRING_OR_NULL, walk_text),
    FIELD("parameters", OBJECT_OR_NULL, walk_text),
    FIELDS_END,
};
static const struct field tool_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELDS("function", IS_OBJECT, walk_each, function_fields),
    FIELDS_END,
};
static const struct field format_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("json_schema", IS_ANY, walk_text),
    FIELD("schema", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field citation_fields[] = {FIELD("mode", IS_ANY, walk_word), FIELDS_END};
static const struct field thinking_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("token_budget", IS_ANY, walk_text),
    FIELDS_END,
};

/* What is a number or a boolean stands as ANY: it has no text, and if it has, then that is seen. */
static const struct field chat_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELDS("messages", IS_ARRAY | MUST, walk_messages, message_fields),
    FIELD("stream", IS_BOOL | IS_NULL, read_stream),
    FIELDS("tools", ARRAY_OR_NULL, walk_each, tool_fields),
    FIELD("strict_tools", IS_ANY, walk_text),
    FIELD_AS("documents", ARRAY_OR_NULL, walk_text, WEIR_DOCUMENT),
    FIELDS("citation_options", OBJECT_OR_NULL, walk_each, citation_fields),
    FIELDS("response_format", OBJECT_OR_NULL, walk_each, format_fields),
    FIELD("safety_mode", IS_ANY, walk_word),
    FIELD("max_tokens", IS_NUMBER | IS_NULL, walk_limit),
    FIELD("stop_sequences", IS_ANY, walk_text),
    FIELD("temperature", IS_ANY, walk_text),
    FIELD("seed", IS_ANY, walk_text),
    FIELD("frequency_penalty", IS_ANY, walk_text),
    FIELD("presence_penalty", IS_ANY, walk_text),
    FIELD("k", IS_ANY, walk_text),
    FIELD("p", IS_ANY, walk_text),
    FIELD("logprobs", IS_ANY, walk_text),
    FIELD("tool_choice", IS_ANY, walk_word),
    FIELDS("thinking", OBJECT_OR_NULL, walk_each, thinking_fields),
    FIELD("priority", IS_ANY, walk_text),
    FIELD("raw_prompting", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field input_fields[] = {
    FIELDS("content", IS_STRING | IS_ARRAY, walk_parts, part_fields),
    FIELDS_END,
};
static const struct field embed_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELD_AS("texts", ARRAY_OR_NULL, read_texts, WEIR_DOCUMENT),
    FIELDS_AS("inputs", ARRAY_OR_NULL, input_fields, WEIR_DOCUMENT),
    FIELD_AS("images", ARRAY_OR_NULL, read_links, WEIR_DOCUMENT),
    FIELD("input_type", IS_ANY, walk_word),
    FIELD("embedding_types", IS_ANY, walk_word),
    FIELD("output_dimension", IS_ANY, walk_text),
    FIELD("max_tokens", IS_ANY, walk_text),
    FIELD("truncate", IS_ANY, walk_word),
    FIELD("priority", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field rerank_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELD_AS("query", IS_STRING | MUST, walk_text, WEIR_USER),
    FIELD_AS("documents", IS_ARRAY | MUST, read_texts, WEIR_DOCUMENT),
    FIELD("top_n", IS_ANY, walk_text),
    FIELD("max_tokens_per_doc", IS_ANY, walk_text),
    FIELD("return_documents", IS_ANY, walk_text),
    FIELD("priority", IS_ANY, walk_text),
    FIELDS_END,
};

/* ---- what the tables cannot say ---- */

static bool read_image(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    if (!node_is_string(w->j, value))
        return walk_each(w, f, value, p);
    w->where = WEIR_DOCUMENT;
    return walk_link(w, f, value, p);
}

static bool read_links(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    for (EACH_ITEM(w->j, n, value))
        walk_link(w, f, n, p);
    return true;
}

/* Each text is a message of its own. */
static bool read_texts(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    uint32_t i = 0;

    for (EACH_ITEM(w->j, n, value)) {
        w->message = i++;
        walk_text(w, f, n, p);
    }
    w->message = 0;
    return true;
}

static bool read_stream(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    w->r->stream = node_true(w->j, value);
    return true;
}

static enum weir_where role_where(const struct weir_json *j, uint32_t message)
{
    uint32_t role = weir_json_get(j, message, "role");

    return node_says(j, role, "user")        ? WEIR_USER
           : node_says(j, role, "assistant") ? WEIR_ASSISTANT
           : node_says(j, role, "system")    ? WEIR_SYSTEM
           : node_says(j, role, "tool")      ? WEIR_TOOL_RESULT
                                             : WEIR_OTHER;
}

static void say_fault(struct weir_error *e, enum walk_fault fault, const char *want, const char *got)
{
    if (fault == FAULT_TYPE)
        snprintf(e->text, sizeof e->text, "invalid type: parameter %s is of type %s but should be %s.", e->field, got,
                 want);
    else if (fault == FAULT_MISSING)
        snprintf(e->text, sizeof e->text, "invalid request: %s is required.", e->field);
    else if (fault == FAULT_NEARLY)
        snprintf(e->text, sizeof e->text, "invalid request: unknown parameter %s; did you mean %s?", e->field, want);
    else
        snprintf(e->text, sizeof e->text, "invalid request: no parameter is spelled like %s.", e->field);
}

static const struct unserved cohere_unserved[] = {
    {"/v1/chat", "Version 1 of Cohere's chat is not served here; use POST /v2/chat."},
    {"/v1/embed", "Version 1 of Cohere's embed is not served here; use POST /v2/embed."},
    {"/v1/tokenize", "Tokens are not made here; POST /v1/messages/count_tokens counts those of models that can."},
    {"/v1/detokenize", "Tokens are not read here; answers come as text from POST /v2/chat."},
    {"/v1/classify", "Classification is not served here; use POST /v2/chat with a response_format."},
    {NULL, "This part of the API is not served here."},
};

bool cohere_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .r = r, .e = e, .say = say_fault, .role = role_where};

    if (r->kind == WEIR_UNSERVED)
        return unserved_refuse(r, cohere_unserved, e);
    r->usage_asked = true;
    return walk_begin(&w) && walk_object(&w, 0,
                                         r->kind == WEIR_CHAT        ? chat_fields
                                         : r->kind == WEIR_EMBEDDING ? embed_fields
                                                                     : rerank_fields,
                                         NULL);
}
