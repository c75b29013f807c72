/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's body -> the view of the request, and a span for every text in it: the tables of lib/fields.h,
 * and what they cannot say.  Host: step `accept`, worker process.
 */
#include "anthropic.h"

#include <stdio.h>

#include "fields.h"

#define STRING_OR_NULL (IS_STRING | IS_NULL)
#define OBJECT_OR_NULL (IS_OBJECT | IS_NULL)
#define ARRAY_OR_NULL  (IS_ARRAY | IS_NULL)

static WALK_READ(read_blocks);
static WALK_READ(read_content);
static WALK_READ(read_opaque);
static WALK_READ(read_source);
static WALK_READ(read_stream);

/* ---- the tables ---- */

static const struct field cache_fields[] = {FIELD("type", IS_ANY, walk_word), FIELD("ttl", IS_ANY, walk_word),
                                            FIELD("scope", IS_ANY, walk_word), FIELDS_END};
static const struct field caller_fields[] = {FIELD("type", IS_ANY, walk_word), FIELD("tool_id", IS_ANY, walk_word),
                                             FIELDS_END};
static const struct field source_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("media_type", IS_ANY, walk_word),
    FIELD("data", IS_STRING, walk_text),
    FIELD("content", IS_STRING | IS_ARRAY, read_blocks),
    FIELD_AS("url", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD("file_id", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field source_file_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("media_type", IS_ANY, walk_word),
    FIELD("data", IS_STRING, NULL),
    FIELDS_END,
};
static const struct field citation_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("enabled", IS_ANY, walk_text),
    FIELD("cited_text", IS_ANY, walk_text),
    FIELD("title", IS_ANY, walk_text),
    FIELD("document_title", IS_ANY, walk_text),
    FIELD_AS("url", IS_ANY, walk_text, WEIR_DOCUMENT),
    FIELD_AS("source", IS_ANY, walk_text, WEIR_DOCUMENT),
    FIELD("file_id", IS_ANY, walk_word),
    FIELD("encrypted_index", IS_ANY, read_opaque),
    FIELD("document_index", IS_ANY, walk_text),
    FIELD("start_char_index", IS_ANY, walk_text),
    FIELD("end_char_index", IS_ANY, walk_text),
    FIELD("start_page_number", IS_ANY, walk_text),
    FIELD("end_page_number", IS_ANY, walk_text),
    FIELD("start_block_index", IS_ANY, walk_text),
    FIELD("end_block_index", IS_ANY, walk_text),
    FIELD("search_result_index", IS_ANY, walk_text),
    FIELDS_END,
};
/* Blocks of all kinds, and what the results of the vendor's tools are made of. */
static const struct field block_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("text", IS_STRING, walk_text),
    FIELD_AS("source", IS_ANY, read_source, WEIR_DOCUMENT),
    FIELD("title", STRING_OR_NULL, walk_text),
    FIELD("context", STRING_OR_NULL, walk_text),
    FIELDS("citations", IS_ARRAY | OBJECT_OR_NULL, walk_each, citation_fields),
    FIELDS("cache_control", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELD("id", IS_ANY, walk_word),
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD_AS("input", IS_ANY, walk_text, WEIR_TOOL_CALL),
    FIELDS("caller", IS_ANY, walk_each, caller_fields),
    FIELD("tool_use_id", IS_STRING, walk_word),
    FIELD("content", IS_STRING | IS_ARRAY | OBJECT_OR_NULL, read_blocks),
    FIELD("is_error", IS_BOOL | IS_NULL, walk_text),
    FIELD("thinking", IS_STRING, walk_text),
    FIELD("signature", STRING_OR_NULL, read_opaque),
    FIELD("data", IS_ANY, read_opaque),
    FIELD("encrypted_content", IS_ANY, read_opaque),
    FIELD("encrypted_stdout", IS_ANY, read_opaque),
    FIELD("encrypted_index", IS_ANY, read_opaque),
    FIELD_AS("url", IS_ANY, walk_text, WEIR_DOCUMENT),
    FIELD("file_id", IS_ANY, walk_word),
    FIELD("page_age", IS_ANY, walk_word),
    FIELD("error_code", IS_ANY, walk_word),
    FIELD("retrieved_at", IS_ANY, walk_word),
    FIELD("stop_reason", IS_ANY, walk_word),
    FIELD_AS("server_name", IS_ANY, walk_text, WEIR_OTHER),
    FIELD_AS("tool_name", IS_ANY, walk_text, WEIR_OTHER),
    FIELDS_END,
};
static const struct field message_fields[] = {FIELD("role", IS_STRING | MUST, walk_word),
                                              FIELD("content", IS_STRING | IS_ARRAY | MUST, read_content), FIELDS_END};
static const struct field tool_fields[] = {
    FIELD("type", STRING_OR_NULL, walk_word),
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("description", STRING_OR_NULL, walk_text),
    FIELD("input_schema", IS_OBJECT, walk_text),
    FIELD("strict", IS_ANY, walk_text),
    FIELDS("cache_control", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELD("defer_loading", IS_ANY, walk_text),
    FIELD("eager_input_streaming", IS_ANY, walk_text),
    FIELD("input_examples", IS_ANY, walk_text),
    FIELD("allowed_callers", IS_ANY, walk_word),
    FIELD("max_uses", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field choice_fields[] = {
    FIELD("type", IS_STRING, walk_word),
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("disable_parallel_tool_use", IS_BOOL | IS_NULL, walk_text),
    FIELDS_END,
};
static const struct field thinking_fields[] = {
    FIELD("type", IS_STRING, walk_word),
    FIELD("budget_tokens", IS_NUMBER | IS_NULL, walk_text),
    FIELD("display", STRING_OR_NULL, walk_word),
    FIELDS_END,
};
static const struct field format_fields[] = {FIELD("type", IS_ANY, walk_word), FIELD("schema", IS_ANY, walk_text),
                                             FIELDS_END};
static const struct field output_fields[] = {
    FIELD("effort", STRING_OR_NULL, walk_word),
    FIELDS("format", OBJECT_OR_NULL, walk_each, format_fields),
    FIELDS_END,
};
static const struct field metadata_fields[] = {FIELD("user_id", STRING_OR_NULL, walk_text), FIELDS_END};
static const struct field server_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD_AS("url", IS_ANY, walk_text, WEIR_DOCUMENT),
    FIELD_AS("name", IS_ANY, walk_text, WEIR_OTHER),
    FIELD("authorization_token", IS_ANY, walk_text),
    FIELDS_END,
};

static const struct field anthropic_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELDS("messages", IS_ARRAY | MUST, walk_messages, message_fields),
    FIELD("max_tokens", IS_NUMBER | IS_NULL, walk_limit),
    FIELD("stream", IS_BOOL | IS_NULL, read_stream),
    FIELD_AS("system", IS_STRING | ARRAY_OR_NULL, read_content, WEIR_SYSTEM),
    FIELDS("tools", ARRAY_OR_NULL, walk_each, tool_fields),
    FIELDS("tool_choice", OBJECT_OR_NULL, walk_each, choice_fields),
    FIELD("stop_sequences", ARRAY_OR_NULL, walk_text),
    FIELD("temperature", IS_NUMBER | IS_NULL, walk_text),
    FIELD("top_p", IS_NUMBER | IS_NULL, walk_text),
    FIELD("top_k", IS_NUMBER | IS_NULL, walk_text),
    FIELDS("metadata", OBJECT_OR_NULL, walk_each, metadata_fields),
    FIELDS("thinking", OBJECT_OR_NULL, walk_each, thinking_fields),
    FIELDS("output_config", OBJECT_OR_NULL, walk_each, output_fields),
    FIELDS("output_format", OBJECT_OR_NULL, walk_each, format_fields),
    FIELDS("cache_control", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELD("service_tier", IS_ANY, walk_word),
    FIELD("speed", IS_ANY, walk_word),
    FIELD("inference_geo", IS_ANY, walk_word),
    FIELD("container", IS_ANY, walk_word),
    FIELD("context_management", IS_ANY, walk_text),
    FIELDS("mcp_servers", ARRAY_OR_NULL, walk_each, server_fields),
    FIELDS_END,
};

/* ---- texts ---- */

/* Signatures are base64, and our own mark of another's.  A sentence is neither. */
static bool looks_opaque(struct weir_str s)
{
    static const char more[] = "+/=_-";
    struct weir_str kind;

    if (opaque_read(s, &kind, &s) && memchr(kind.ptr, ' ', kind.len))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
            !memchr(more, c, sizeof more - 1))
            return false;
    }
    return true;
}

static bool read_opaque(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    if (node_is_string(w->j, value) && looks_opaque(weir_json_text(w->j, value)))
        return true;
    return walk_text(w, f, value, p);
}

/* Of an image or a document; of a search result it is a string. */
static bool read_source(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    bool file = node_says(w->j, weir_json_get(w->j, value, "type"), "base64");

    if (!weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        return walk_text(w, f, value, p);
    return walk_object(w, value, file ? source_file_fields : source_fields, p);
}

/* ---- content ---- */

static bool ends_in(struct weir_str s, struct weir_str end)
{
    return s.len >= end.len && memcmp(s.ptr + s.len - end.len, end.ptr, end.len) == 0;
}

/* Who says what stands in a block of this type. */
static enum weir_where block_where(const struct walk *w, uint32_t block)
{
    uint32_t type = weir_json_get(w->j, block, "type");
    struct weir_str s = node_is_string(w->j, type) ? weir_json_text(w->j, type) : WEIR_STR("");

    if (str_is(s, "document") || str_is(s, "search_result"))
        return WEIR_DOCUMENT;
    if (ends_in(s, WEIR_STR("tool_use")))
        return WEIR_TOOL_CALL;
    return ends_in(s, WEIR_STR("tool_result")) ? WEIR_TOOL_RESULT : w->where;
}

static bool walk_block(struct walk *w, const struct field *f, uint32_t block, const struct path *p)
{
    enum weir_where before = w->where;
    bool ok;

    if (!weir_json_is(w->j, block, WEIR_JSON_OBJECT))
        return walk_text(w, f, block, p);
    w->where = block_where(w, block);
    ok = walk_object(w, block, block_fields, p);
    w->where = before;
    return ok;
}

/* A string, a block, or an array of them. */
static bool walk_blocks(struct walk *w, const struct field *f, uint32_t value, const struct path *up, bool count)
{
    uint32_t i = 0;

    if (!weir_json_is(w->j, value, WEIR_JSON_ARRAY))
        return walk_block(w, f, value, up);
    for (EACH_ITEM(w->j, n, value)) {
        struct path p = {up, NULL, i};
        if (count)
            w->part = i;
        i++;
        if (!walk_block(w, f, n, &p))
            return false;
    }
    if (count)
        w->part = 0;
    return true;
}

/* Blocks of a message are its parts; what stands in a block belongs to that part. */
static bool read_content(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    return walk_blocks(w, f, value, p, true);
}

static bool read_blocks(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    return walk_blocks(w, f, value, p, false);
}

static enum weir_where role_where(const struct weir_json *j, uint32_t message)
{
    uint32_t role = weir_json_get(j, message, "role");

    return node_says(j, role, "user")        ? WEIR_USER
           : node_says(j, role, "assistant") ? WEIR_ASSISTANT
           : node_says(j, role, "system")    ? WEIR_SYSTEM
                                             : WEIR_OTHER;
}

/* ---- the request ---- */

static bool read_stream(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    w->r->stream = node_true(w->j, value) && w->r->kind == WEIR_CHAT;
    w->r->usage_asked = true; /* streams of this dialect always have it */
    return true;
}

static void say_fault(struct weir_error *e, enum walk_fault fault, const char *want, const char *got)
{
    (void)got;
    switch (fault) {
    case FAULT_TYPE:
        snprintf(e->text, sizeof e->text, "%s: Input should be %s.", e->field, want);
        break;
    case FAULT_NEARLY:
        snprintf(e->text, sizeof e->text, "%s: Extra inputs are not permitted. Did you mean '%s'?", e->field, want);
        break;
    case FAULT_MISSING:
        snprintf(e->text, sizeof e->text, "%s: Field required", e->field);
        break;
    case FAULT_ESCAPED:
    case FAULT_TWICE:
        snprintf(e->text, sizeof e->text, "%s: The key is spelled with escapes, which is not accepted.", e->field);
        break;
    }
}

bool accept_message(struct walk *w, uint32_t object, const struct path *p)
{
    return walk_object(w, object, anthropic_fields, p);
}

bool anthropic_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .r = r, .e = e, .say = say_fault, .role = role_where};

    if (r->kind == WEIR_LIST_MODELS)
        return true;
    if (r->kind == WEIR_SHOW_MODEL)
        return walk_path_model(&w, str_behind(r->path, "/v1/models/"));
    if (r->kind >= WEIR_FILE)
        return kept_accept(&w);
    return walk_begin(&w) && accept_message(&w, 0, NULL);
}
