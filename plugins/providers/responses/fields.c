/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c -- the tables of fields.h. */
#include "fields.h"

#define ROW(name, types, deed)                                                                                         \
    {                                                                                                                  \
        "" name, sizeof name - 1, types, deed, NULL                                                                    \
    }
#define ROWS(name, types, below)                                                                                       \
    {                                                                                                                  \
        "" name, sizeof name - 1, types, EACH, below                                                                   \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, 0, 0, 0, NULL                                                                                            \
    }
#define STRING_OR_NULL (IS_STRING | IS_NULL)
#define OBJECT_OR_NULL (IS_OBJECT | IS_NULL)
#define BOOL_OR_NULL   (IS_BOOL | IS_NULL)

static const struct field cache_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("mode", IS_ANY, WORD),
    ROW("ttl", IS_ANY, WORD),
    END,
};
const struct field image_fields[] = {ROW("url", IS_STRING, LINK), ROW("detail", IS_ANY, WORD), END};
static const struct field audio_fields[] = {ROW("data", IS_STRING, DATA), ROW("format", IS_ANY, WORD), END};
const struct field part_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("text", IS_STRING, TEXT),
    ROW("refusal", IS_STRING, TEXT),
    ROWS("image_url", IS_OBJECT | STRING_OR_NULL, image_fields),
    ROW("file_id", IS_ANY, WORD),
    ROW("detail", IS_ANY, WORD),
    ROW("file_data", STRING_OR_NULL, LINK),
    ROW("file_url", STRING_OR_NULL, LINK),
    ROW("filename", STRING_OR_NULL, LINK),
    ROWS("input_audio", IS_OBJECT, audio_fields),
    ROWS("prompt_cache_breakpoint", OBJECT_OR_NULL, cache_fields),
    END,
};
const struct field item_fields[] = {
    ROW("type", STRING_OR_NULL, WORD),
    ROW("role", IS_STRING, WORD),
    ROW("content", IS_STRING | IS_ARRAY | IS_NULL, PARTS),
    ROW("id", IS_ANY, WORD),
    ROW("call_id", IS_ANY, WORD),
    ROW("status", IS_ANY, WORD),
    ROW("phase", IS_ANY, WORD),
    ROW("name", STRING_OR_NULL, NAME),
    ROW("namespace", STRING_OR_NULL, NAME),
    ROW("arguments", IS_STRING | OBJECT_OR_NULL, INNER),
    ROW("input", STRING_OR_NULL, TEXT),
    ROW("output", IS_ANY, PARTS),
    ROW("summary", IS_ARRAY | IS_NULL, PARTS),
    ROW("encrypted_content", STRING_OR_NULL, DATA),
    ROW("fingerprint", STRING_OR_NULL, DATA),
    ROW("result", IS_ANY, IMAGE),
    END,
};
static const struct field tool_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("name", STRING_OR_NULL, NAME),
    ROW("description", STRING_OR_NULL, TEXT),
    ROW("parameters", OBJECT_OR_NULL, ALL),
    ROW("strict", IS_ANY, ALL),
    END,
};
static const struct field choice_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("name", STRING_OR_NULL, NAME),
    ROW("mode", IS_ANY, WORD),
    END,
};
static const struct field format_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("name", STRING_OR_NULL, NAME),
    ROW("description", STRING_OR_NULL, TEXT),
    ROW("schema", IS_ANY, ALL),
    END,
};
static const struct field text_fields[] = {
    ROWS("format", OBJECT_OR_NULL, format_fields),
    ROW("verbosity", IS_ANY, WORD),
    END,
};
static const struct field reasoning_fields[] = {
    ROW("effort", IS_ANY, WORD),
    ROW("summary", IS_ANY, WORD),
    ROW("generate_summary", IS_ANY, WORD),
    END,
};

/* What is a number or a boolean stands as ALL: it has no text, and if it has, then that is seen. */
const struct field request_fields[] = {
    ROW("model", IS_STRING, MODEL),
    ROW("input", IS_STRING | IS_ARRAY | IS_NULL, ITEMS),
    ROW("instructions", IS_STRING | IS_ARRAY | IS_NULL, SYSTEM),
    ROW("stream", BOOL_OR_NULL, STREAM),
    ROW("max_output_tokens", IS_NUMBER | IS_NULL, LIMIT),
    ROW("previous_response_id", IS_ANY, WORD),
    ROW("conversation", IS_ANY, WORD),
    ROW("store", BOOL_OR_NULL, ALL),
    ROW("background", BOOL_OR_NULL, ALL),
    ROW("prompt", IS_ANY, ALL),
    ROW("max_tool_calls", IS_ANY, ALL),
    ROW("temperature", IS_ANY, ALL),
    ROW("top_p", IS_ANY, ALL),
    ROW("top_logprobs", IS_ANY, ALL),
    ROWS("reasoning", OBJECT_OR_NULL, reasoning_fields),
    ROWS("text", OBJECT_OR_NULL, text_fields),
    ROWS("tools", IS_ARRAY | IS_NULL, tool_fields),
    ROWS("tool_choice", IS_STRING | OBJECT_OR_NULL, choice_fields),
    ROW("parallel_tool_calls", BOOL_OR_NULL, ALL),
    ROW("truncation", IS_ANY, WORD),
    ROW("service_tier", IS_ANY, WORD),
    ROW("include", IS_ANY, WORD),
    ROW("metadata", IS_ANY, ALL),
    ROW("user", STRING_OR_NULL, TEXT),
    ROW("safety_identifier", STRING_OR_NULL, TEXT),
    ROW("prompt_cache_key", STRING_OR_NULL, TEXT),
    ROW("prompt_cache_retention", IS_ANY, WORD),
    ROWS("prompt_cache_options", OBJECT_OR_NULL, cache_fields),
    ROW("stream_options", IS_ANY, ALL),
    END,
};
