/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's body -> the view of the request, and a span for every text in it: the tables of lib/fields.h.
 * Host: step `accept`, worker process.
 */
#include "openai.h"

#include <stdio.h>

#include "openai_fault.h"
#include "unserved.h"
#include "voice.h"

#define STRING_OR_NULL (IS_STRING | IS_NULL)
#define OBJECT_OR_NULL (IS_OBJECT | IS_NULL)

static WALK_READ(read_image);
static WALK_READ(read_input);
static WALK_READ(read_old_limit);
static WALK_READ(read_stream);

/* ---- the tables ---- */

static const struct field cache_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("mode", IS_ANY, walk_word),
    FIELD("ttl", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field image_fields[] = {FIELD_AS("url", IS_STRING, walk_link, WEIR_DOCUMENT),
                                            FIELD("detail", IS_ANY, walk_word), FIELDS_END};
static const struct field audio_fields[] = {FIELD("data", IS_STRING, NULL), FIELD("format", IS_ANY, walk_word),
                                            FIELDS_END};
static const struct field file_fields[] = {
    FIELD_AS("file_data", STRING_OR_NULL, walk_link, WEIR_DOCUMENT),
    FIELD_AS("filename", STRING_OR_NULL, walk_link, WEIR_DOCUMENT),
    FIELD("file_id", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field part_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("text", IS_STRING, walk_text),
    FIELD("refusal", IS_STRING, walk_text),
    FIELDS("image_url", IS_OBJECT | IS_STRING, read_image, image_fields),
    FIELDS("input_audio", IS_OBJECT, walk_each, audio_fields),
    FIELDS("file", IS_OBJECT, walk_each, file_fields),
    FIELD_AS("document_url", IS_STRING, walk_link, WEIR_DOCUMENT),
    FIELD_AS("document_name", STRING_OR_NULL, walk_link, WEIR_DOCUMENT),
    FIELDS("prompt_cache_breakpoint", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELDS("cache_control", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELDS_END,
};
static const struct field call_function_fields[] = {
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("arguments", IS_STRING | OBJECT_OR_NULL, walk_inner),
    FIELDS_END,
};
static const struct field call_custom_fields[] = {FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
                                                  FIELD("input", STRING_OR_NULL, walk_text), FIELDS_END};
static const struct field call_fields[] = {
    FIELD("id", IS_ANY, walk_word),
    FIELD("type", IS_ANY, walk_word),
    FIELD("index", IS_ANY, walk_text),
    FIELDS_AS("function", IS_OBJECT, call_function_fields, WEIR_TOOL_CALL),
    FIELDS("custom", IS_OBJECT, walk_each, call_custom_fields),
    FIELDS_END,
};
static const struct field audio_ref_fields[] = {FIELD("id", IS_ANY, walk_word), FIELDS_END};
static const struct field message_fields[] = {
    FIELD("role", IS_STRING, walk_word),
    FIELDS("content", IS_STRING | IS_ARRAY | IS_NULL, walk_parts, part_fields),
    FIELD("tool_call_id", IS_ANY, walk_word),
    FIELD_ROW("tool_calls", IS_ARRAY | IS_NULL, WEIR_TOOL_CALL, walk_parts, call_fields),
    FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER),
    FIELD("refusal", STRING_OR_NULL, walk_text),
    FIELD("reasoning_content", STRING_OR_NULL, walk_text),
    FIELD("reasoning", IS_ANY, walk_text),
    FIELDS_AS("function_call", OBJECT_OR_NULL, call_function_fields, WEIR_TOOL_CALL),
    FIELDS("audio", OBJECT_OR_NULL, walk_each, audio_ref_fields),
    FIELD("prefix", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field function_fields[] = {
    FIELD_AS("name", IS_STRING, walk_text, WEIR_OTHER),
    FIELD("description", STRING_OR_NULL, walk_text),
    FIELD("parameters", OBJECT_OR_NULL, walk_text),
    FIELD("strict", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field tool_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELDS("function", IS_OBJECT, walk_each, function_fields),
    FIELD("custom", IS_OBJECT, walk_text),
    FIELDS_END,
};
static const struct field named_fields[] = {FIELD_AS("name", STRING_OR_NULL, walk_text, WEIR_OTHER), FIELDS_END};
static const struct field choice_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELDS("function", IS_OBJECT, walk_each, named_fields),
    FIELDS("custom", IS_OBJECT, walk_each, named_fields),
    FIELDS_END,
};
static const struct field format_fields[] = {
    FIELD("type", IS_ANY, walk_word),
    FIELD("json_schema", IS_ANY, walk_text),
    FIELD("schema", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field prediction_fields[] = {
    FIELD("type", IS_ANY, walk_word), FIELDS("content", IS_STRING | IS_ARRAY, walk_parts, part_fields), FIELDS_END};
static const struct field stream_fields[] = {
    FIELD("include_usage", IS_BOOL | IS_NULL, walk_usage),
    FIELD("include_obfuscation", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field voice_fields[] = {FIELD("voice", IS_ANY, walk_word), FIELD("format", IS_ANY, walk_word),
                                            FIELDS_END};

/* On all paths.  What is a number or a boolean stands as ALL: it has no text, and if it has, then that is seen. */
#define COMMON_ROWS                                                                                                    \
    FIELD("stream", IS_BOOL | IS_NULL, read_stream),                                                                   \
        FIELDS("stream_options", OBJECT_OR_NULL, walk_each, stream_fields),                                            \
        FIELD("max_tokens", IS_NUMBER | IS_NULL, read_old_limit), FIELD("n", IS_NUMBER | IS_NULL, walk_choices),       \
        FIELD("user", STRING_OR_NULL, walk_text), FIELD("safety_identifier", STRING_OR_NULL, walk_text)
#define SAMPLING_ROWS                                                                                                  \
    FIELD("temperature", IS_ANY, walk_text), FIELD("top_p", IS_ANY, walk_text), FIELD("top_k", IS_ANY, walk_text),     \
        FIELD("presence_penalty", IS_ANY, walk_text), FIELD("frequency_penalty", IS_ANY, walk_text),                   \
        FIELD("seed", IS_ANY, walk_text), FIELD("stop", IS_ANY, walk_text), FIELD("logit_bias", IS_ANY, walk_text),    \
        FIELD("logprobs", IS_ANY, walk_text)

static const struct field chat_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELDS("messages", IS_ARRAY | MUST, walk_messages, message_fields),
    COMMON_ROWS,
    FIELD("max_completion_tokens", IS_NUMBER | IS_NULL, walk_limit),
    SAMPLING_ROWS,
    FIELD("top_logprobs", IS_ANY, walk_text),
    FIELDS("tools", IS_ARRAY | IS_NULL, walk_each, tool_fields),
    FIELDS("tool_choice", IS_STRING | OBJECT_OR_NULL, walk_each, choice_fields),
    FIELD("parallel_tool_calls", IS_ANY, walk_text),
    FIELDS("functions", IS_ARRAY | IS_NULL, walk_each, function_fields),
    FIELDS("function_call", IS_STRING | OBJECT_OR_NULL, walk_each, named_fields),
    FIELDS("response_format", OBJECT_OR_NULL, walk_each, format_fields),
    FIELDS("prediction", OBJECT_OR_NULL, walk_each, prediction_fields),
    FIELD("reasoning_effort", IS_ANY, walk_word),
    FIELD("prompt_mode", IS_ANY, walk_word),
    FIELD("provider", OBJECT_OR_NULL, walk_word), /* from here on: OpenRouter's */
    FIELD("models", IS_ARRAY | IS_NULL, walk_word),
    FIELD("route", IS_ANY, walk_word),
    FIELD("transforms", IS_ANY, walk_word),
    FIELD("reasoning", OBJECT_OR_NULL, walk_word),
    FIELD("include_reasoning", IS_ANY, walk_word),
    FIELD("usage", OBJECT_OR_NULL, walk_word),
    FIELD("session_id", STRING_OR_NULL, walk_text),
    FIELD("trace", OBJECT_OR_NULL, walk_text),
    FIELD("plugins", IS_ARRAY | IS_NULL, walk_text),
    FIELD("verbosity", IS_ANY, walk_word),
    FIELD("service_tier", IS_ANY, walk_word),
    FIELD("modalities", IS_ANY, walk_word),
    FIELDS("audio", OBJECT_OR_NULL, walk_each, voice_fields),
    FIELD("store", IS_ANY, walk_text),
    FIELD("metadata", IS_ANY, walk_text),
    FIELD("prompt_cache_key", STRING_OR_NULL, walk_text),
    FIELD("prompt_cache_retention", IS_ANY, walk_word),
    FIELDS("prompt_cache_options", OBJECT_OR_NULL, walk_each, cache_fields),
    FIELDS_END,
};
static const struct field completion_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    COMMON_ROWS,
    FIELD("prompt", IS_STRING | IS_ARRAY | IS_NULL, read_input),
    FIELD("suffix", STRING_OR_NULL, walk_text),
    SAMPLING_ROWS,
    FIELD("best_of", IS_ANY, walk_text),
    FIELD("echo", IS_ANY, walk_text),
    FIELDS_END,
};
static const struct field embedding_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELD("input", IS_STRING | IS_ARRAY | MUST, read_input),
    COMMON_ROWS,
    FIELD("encoding_format", IS_ANY, walk_word),
    FIELD("dimensions", IS_ANY, walk_text),
    FIELD("input_type", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field rerank_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELD_AS("query", IS_STRING | MUST, walk_text, WEIR_USER),
    FIELD("documents", IS_ARRAY | MUST, read_input),
    FIELD("top_n", IS_ANY, walk_text),
    FIELD("return_documents", IS_ANY, walk_text),
    FIELD("user", STRING_OR_NULL, walk_text),
    FIELDS_END,
};
static const struct field moderation_fields[] = {
    FIELD("input", IS_STRING | IS_ARRAY | MUST, read_input),
    FIELD("model", IS_STRING, walk_model), /* without one: OPENAI_DEFAULT_MODERATION */
    COMMON_ROWS,
    FIELDS_END,
};

/* ---- what the tables cannot say ---- */

static bool read_image(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    if (node_is_string(w->j, value))
        w->where = WEIR_DOCUMENT;
    return node_is_string(w->j, value) ? walk_link(w, f, value, p) : walk_each(w, f, value, p);
}

/* What the model is to read, without a role: each string is a message of its own.  Token ids have no node. */
static bool read_input(struct walk *w, const struct field *f, uint32_t value, const struct path *up)
{
    uint32_t i = 0;
    bool ok = true;

    w->where = w->r->kind == WEIR_EMBEDDING || w->r->kind == WEIR_RERANK ? WEIR_DOCUMENT : WEIR_USER;
    if (!weir_json_is(w->j, value, WEIR_JSON_ARRAY))
        return walk_text(w, f, value, up);
    for (EACH_ITEM(w->j, n, value)) {
        struct path p = {up, NULL, i};
        w->message = i++;
        ok = w->r->kind == WEIR_MODERATION && weir_json_is(w->j, n, WEIR_JSON_OBJECT)
                 ? walk_object(w, n, part_fields, &p)
                 : walk_text(w, f, n, &p);
        if (!ok)
            break;
    }
    w->message = 0;
    return ok;
}

/* max_tokens does not count beside max_completion_tokens. */
static bool read_old_limit(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    return node_there(w->j, weir_json_get(w->j, 0, "max_completion_tokens")) ? walk_count(w, value, p, &(int64_t){0})
                                                                             : walk_limit(w, f, value, p);
}

static bool read_stream(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    w->r->stream = node_true(w->j, value) && (w->r->kind == WEIR_CHAT || w->r->kind == WEIR_COMPLETION);
    return true;
}

static enum weir_where role_where(const struct weir_json *j, uint32_t message)
{
    static const struct {
        const char *role;
        enum weir_where where;
    } roles[] = {
        {"user", WEIR_USER},        {"assistant", WEIR_ASSISTANT}, {"system", WEIR_SYSTEM},
        {"developer", WEIR_SYSTEM}, {"tool", WEIR_TOOL_RESULT},    {"function", WEIR_TOOL_RESULT},
    };
    uint32_t role = weir_json_get(j, message, "role");

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (node_says(j, role, roles[i].role))
            return roles[i].where;
    return WEIR_OTHER;
}

/* ---- paths ---- */

static const struct unserved openai_unserved[] = {
    {"/v1/realtime", "The Realtime API is not served here; use POST /v1/chat/completions with \"stream\": true, and "
                     "/v1/audio/transcriptions and /v1/audio/speech for audio."},
    {"/v1/conversations", "Conversations are not kept here; send the whole history with each POST /v1/responses or "
                          "/v1/chat/completions."},
    {"/v1/assistants", "Assistants are not served here; send instructions and tools with each POST /v1/responses or "
                       "/v1/chat/completions."},
    {"/v1/threads", "Threads are not kept here; send the whole history with each POST /v1/responses or "
                    "/v1/chat/completions."},
    {"/v1/vector_stores", "Vector stores are not kept here; use POST /v1/embeddings with a store of your own, and put "
                          "what it finds into the request."},
    {"/v1/fine_tuning", "Fine-tuning is not served here; start it at the provider, then list the tuned model in "
                        "`models` of the provider's block."},
    {NULL, "This part of the API is not served here."},
};

bool openai_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .r = r, .e = e, .say = openai_fault, .role = role_where};
    const struct field *fields = r->kind == WEIR_CHAT         ? chat_fields
                                 : r->kind == WEIR_COMPLETION ? completion_fields
                                 : r->kind == WEIR_EMBEDDING  ? embedding_fields
                                 : r->kind == WEIR_RERANK     ? rerank_fields
                                                              : moderation_fields;

    if (r->kind == WEIR_UNSERVED)
        return unserved_refuse(r, openai_unserved, e);
    if (r->kind == WEIR_LIST_MODELS)
        return true;
    if (r->kind == WEIR_SHOW_MODEL)
        return walk_path_model(&w, str_behind(r->path, "/v1/models/"));
    if (r->kind >= WEIR_IMAGE)
        return openai_accept_media(&w);
    if (!walk_begin(&w) || !walk_object(&w, 0, fields, NULL))
        return false;
    if (!r->model.len)
        r->model = WEIR_STR(OPENAI_DEFAULT_MODERATION);
    if (voice_of(c) != VOICE_OPENAI) {
        r->anew = true;
        r->usage_asked = true; /* they always get it */
    }
    return true;
}
