/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's body -> the view of the request, and a span for every text in it, of every kind of item: the
 * tables of lib/fields.h.  Host: step `accept`, worker process.
 */
#include "fields.h"
#include "openai_fault.h"
#include "responses.h"
#include "unserved.h"

#define STRING_OR_NULL (IS_STRING | IS_NULL)
#define OBJECT_OR_NULL (IS_OBJECT | IS_NULL)
#define BOOL_OR_NULL   (IS_BOOL | IS_NULL)

static WALK_READ(read_data);
static WALK_READ(read_image);
static WALK_READ(read_result);
static WALK_READ(read_instructions);
static WALK_READ(read_input);
static WALK_READ(read_stream);

/* ---- the tables ---- */

static const struct field cache_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("mode", IS_ANY, walk_word),
    FIELD("ttl", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field image_fields[] = {
    FIELD_AS("url", IS_STRING, walk_link, WEIR_DOCUMENT),
    FIELD("detail", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field audio_fields[] = {
    FIELD("data", IS_STRING, read_data),
    FIELD("format", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field part_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("text", IS_STRING, walk_text),
    FIELD("refusal", IS_STRING, walk_text),
    FIELDS("image_url", IS_OBJECT | STRING_OR_NULL, read_image, image_fields),
    FIELD("file_id", IS_ANY, walk_word),
    FIELD("detail", IS_ANY, walk_word),
    FIELD_AS("file_data", STRING_OR_NULL, walk_link, WEIR_DOCUMENT),
    FIELD_AS("file_url", STRING_OR_NULL, walk_link, WEIR_DOCUMENT),
    FIELD_AS("filename", STRING_OR_NULL, walk_link, WEIR_DOCUMENT),
    FIELDS("input_audio", IS_OBJECT, walk_each, audio_fields),
    FIELDS("prompt_cache_breakpoint", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELDS_END,
};
static const struct field item_fields[] = {
    FIELD("type", STRING_OR_NULL, walk_word),
    FIELD("role", IS_STRING, walk_word),
    FIELDS("content", IS_STRING | IS_ARRAY | IS_NULL, walk_parts, part_fields),
    FIELD("id", IS_ANY, walk_word),
    FIELD("call_id", IS_ANY, walk_word),
    FIELD("status", IS_ANY, walk_word),
    FIELD("phase", IS_ANY, walk_word),
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD_AS("namespace", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("arguments", IS_STRING | OBJECT_OR_NULL, walk_inner),
    FIELD("input", STRING_OR_NULL, walk_text),
    FIELDS("output", IS_ANY, walk_parts, part_fields),
    FIELDS("summary", IS_ARRAY | IS_NULL, walk_parts, part_fields),
    FIELD("encrypted_content", STRING_OR_NULL, read_data),
    FIELD("fingerprint", STRING_OR_NULL, read_data),
    FIELD("result", IS_ANY, read_result),
    FIELDS_END,
};
static const struct field tool_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("description", STRING_OR_NULL, walk_text),
    FIELD("parameters", OBJECT_OR_NULL, walk_text),
    FIELD("strict", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field choice_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("mode", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field format_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("description", STRING_OR_NULL, walk_text),
    FIELD("schema", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field text_fields[] = {
    FIELDS("format", OBJECT_OR_NULL, walk_each, format_fields),
    FIELD("verbosity", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field reasoning_fields[] = {
    FIELD("effort", IS_ANY, walk_word),
    FIELD("summary", IS_ANY, walk_word),
    FIELD("generate_summary", IS_ANY, walk_word),
    FIELDS_END,
};

/* Of what is a number or a boolean, walk_text: it has no text, and if it has, then that is seen. */
static const struct field request_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELDS("input", IS_STRING | IS_ARRAY | IS_NULL, read_input, item_fields),
    FIELDS("instructions", IS_STRING | IS_ARRAY | IS_NULL, read_instructions, item_fields),
    FIELD("stream", BOOL_OR_NULL, read_stream),
    FIELD("max_output_tokens", IS_NUMBER | IS_NULL, walk_limit),
    FIELD("previous_response_id", IS_ANY, walk_word),
    FIELD("conversation", IS_ANY, walk_word),
    FIELD("store", BOOL_OR_NULL, walk_text),
    FIELD("background", BOOL_OR_NULL, walk_text),
    FIELD("prompt", IS_ANY, walk_text),
    FIELD("max_tool_calls", IS_ANY, walk_text),
    FIELD("temperature", IS_ANY, walk_text),
    FIELD("top_p", IS_ANY, walk_text),
    FIELD("top_logprobs", IS_ANY, walk_text),
    FIELDS("reasoning", OBJECT_OR_NULL, walk_each, reasoning_fields),
    FIELDS("text", OBJECT_OR_NULL, walk_each, text_fields),
    FIELDS("tools", IS_ARRAY | IS_NULL, walk_each, tool_fields),
    FIELDS("tool_choice", IS_STRING | OBJECT_OR_NULL, walk_each, choice_fields),
    FIELD("parallel_tool_calls", BOOL_OR_NULL, walk_text),
    FIELD("truncation", IS_ANY, walk_word),
    FIELD("service_tier", IS_ANY, walk_word),
    FIELD("include", IS_ANY, walk_word),
    FIELD("metadata", IS_ANY, walk_text),
    FIELD("user", STRING_OR_NULL, walk_text),
    FIELD("safety_identifier", STRING_OR_NULL, walk_text),
    FIELD("prompt_cache_key", STRING_OR_NULL, walk_text),
    FIELD("prompt_cache_retention", IS_ANY, walk_word),
    FIELDS("prompt_cache_options", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELD("stream_options", IS_ANY, walk_text),
    FIELDS_END,
};

/* ---- who says what ---- */

/* Who said an item's texts: its role, or what its type is about.  What a tool of the vendor did is the assistant's. */
static enum weir_where item_where(const struct weir_json *j, uint32_t item)
{
    static const struct {
        const char *word;
        enum weir_where where;
    } roles[] = {{"user", WEIR_USER},
                 {"assistant", WEIR_ASSISTANT},
                 {"system", WEIR_SYSTEM},
                 {"developer", WEIR_SYSTEM},
                 {"tool", WEIR_TOOL_RESULT}};
    uint32_t role = weir_json_get(j, item, "role"), type = weir_json_get(j, item, "type");
    struct weir_str s = weir_json_is(j, type, WEIR_JSON_STRING) ? weir_json_text(j, type) : WEIR_STR("");

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (role != WEIR_NO_NODE && weir_json_eq(j, role, roles[i].word, strlen(roles[i].word)))
            return roles[i].where;
    if (s.len > 7 && memcmp(s.ptr + s.len - 7, "_output", 7) == 0)
        return WEIR_TOOL_RESULT;
    if (s.len > 5 && memcmp(s.ptr + s.len - 5, "_call", 5) == 0)
        return WEIR_TOOL_CALL;
    return str_is(s, "reasoning") ? WEIR_ASSISTANT : WEIR_OTHER;
}

/* ---- reads ---- */

/* Of either alphabet, or a mark of ours (weir:KIND:DATA). */
static bool looks_like_base64(const struct weir_json *j, uint32_t node)
{
    struct weir_str s = weir_json_text(j, node);

    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!word && !memchr("+/=_-:.", ch, 7))
            return false;
    }
    return true;
}

static bool read_data(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    return looks_like_base64(w->j, value) || walk_text(w, f, value, p);
}

/* An image of the vendor's tool is never short; a result of another tool is text. */
static bool read_result(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    return (w->j->nodes[value].len > LONGEST_WORD && looks_like_base64(w->j, value)) || walk_text(w, f, value, p);
}

/* A URL, or as in Chat an object with one. */
static bool read_image(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    enum weir_where before = w->where;
    bool ok;

    if (!node_is_string(w->j, value))
        return walk_each(w, f, value, p);
    w->where = WEIR_DOCUMENT;
    ok = walk_link(w, f, value, p);
    w->where = before;
    return ok;
}

/* As an array they are items, which come back so in answers. */
static bool read_instructions(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    walk_span(w, value, WEIR_SYSTEM, WEIR_PLAIN_TEXT);
    return node_is_string(w->j, value) || walk_messages(w, f, value, p);
}

static bool read_input(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    walk_span(w, value, WEIR_USER, WEIR_PLAIN_TEXT);
    return node_is_string(w->j, value) || walk_messages(w, f, value, p);
}

static bool read_stream(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    w->r->stream = node_true(w->j, value);
    return true;
}

static const struct unserved responses_unserved[] = {
    {"/v1/responses/input_tokens",
     "Tokens are not counted here; the answer's `usage` has them, and Anthropic's API has "
     "POST /v1/messages/count_tokens."},
    {"/v1/responses/compact", "Histories are not compacted here; send a shorter history with POST /v1/responses."},
    {NULL, "Responses are not kept here: they cannot be fetched, cancelled or deleted; send the whole history with "
           "each POST /v1/responses."},
};

bool responses_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .r = r, .e = e, .say = openai_fault, .role = item_where};

    if (r->kind == WEIR_UNSERVED)
        return unserved_refuse(r, responses_unserved, e);
    r->usage_asked = true; /* a response always has it */
    return walk_begin(&w) && walk_object(&w, 0, request_fields, NULL);
}
