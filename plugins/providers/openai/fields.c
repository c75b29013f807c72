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

static const struct field cache_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("mode", IS_ANY, WORD),
    ROW("ttl", IS_ANY, WORD),
    END,
};
const struct field image_fields[] = {ROW("url", IS_STRING, LINK), ROW("detail", IS_ANY, WORD), END};
static const struct field audio_fields[] = {ROW("data", IS_STRING, DATA), ROW("format", IS_ANY, WORD), END};
static const struct field file_fields[] = {
    ROW("file_data", STRING_OR_NULL, LINK),
    ROW("filename", STRING_OR_NULL, LINK),
    ROW("file_id", IS_ANY, WORD),
    END,
};
const struct field part_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("text", IS_STRING, TEXT),
    ROW("refusal", IS_STRING, TEXT),
    ROWS("image_url", IS_OBJECT | IS_STRING, image_fields),
    ROWS("input_audio", IS_OBJECT, audio_fields),
    ROWS("file", IS_OBJECT, file_fields),
    ROWS("prompt_cache_breakpoint", OBJECT_OR_NULL, cache_fields),
    ROWS("cache_control", OBJECT_OR_NULL, cache_fields),
    END,
};
const struct field call_function_fields[] = {
    ROW("name", STRING_OR_NULL, NAME),
    ROW("arguments", IS_STRING | OBJECT_OR_NULL, INNER),
    END,
};
static const struct field call_custom_fields[] = {ROW("name", STRING_OR_NULL, NAME), ROW("input", STRING_OR_NULL, TEXT),
                                                  END};
const struct field call_fields[] = {
    ROW("id", IS_ANY, WORD),
    ROW("type", IS_ANY, WORD),
    ROW("index", IS_ANY, ALL),
    ROWS("function", IS_OBJECT, call_function_fields),
    ROWS("custom", IS_OBJECT, call_custom_fields),
    END,
};
static const struct field audio_ref_fields[] = {ROW("id", IS_ANY, WORD), END};
const struct field message_fields[] = {
    ROW("role", IS_STRING, WORD),
    ROW("content", IS_STRING | IS_ARRAY | IS_NULL, PARTS),
    ROW("tool_call_id", IS_ANY, WORD),
    ROWS("tool_calls", IS_ARRAY | IS_NULL, call_fields),
    ROW("name", STRING_OR_NULL, NAME),
    ROW("refusal", STRING_OR_NULL, TEXT),
    ROW("reasoning_content", STRING_OR_NULL, TEXT),
    ROW("reasoning", IS_ANY, ALL),
    ROWS("function_call", OBJECT_OR_NULL, call_function_fields),
    ROWS("audio", OBJECT_OR_NULL, audio_ref_fields),
    ROW("prefix", IS_ANY, ALL),
    END,
};
static const struct field function_fields[] = {
    ROW("name", IS_STRING, NAME),
    ROW("description", STRING_OR_NULL, TEXT),
    ROW("parameters", OBJECT_OR_NULL, ALL),
    ROW("strict", IS_ANY, ALL),
    END,
};
static const struct field tool_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROWS("function", IS_OBJECT, function_fields),
    ROW("custom", IS_OBJECT, ALL),
    END,
};
static const struct field named_fields[] = {ROW("name", STRING_OR_NULL, NAME), END};
static const struct field choice_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROWS("function", IS_OBJECT, named_fields),
    ROWS("custom", IS_OBJECT, named_fields),
    END,
};
static const struct field format_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("json_schema", IS_ANY, ALL),
    ROW("schema", IS_ANY, ALL),
    END,
};
static const struct field prediction_fields[] = {ROW("type", IS_ANY, WORD), ROW("content", IS_STRING | IS_ARRAY, PARTS),
                                                 END};
static const struct field stream_fields[] = {
    ROW("include_usage", IS_BOOL | IS_NULL, USAGE),
    ROW("include_obfuscation", IS_ANY, ALL),
    END,
};
static const struct field voice_fields[] = {ROW("voice", IS_ANY, WORD), ROW("format", IS_ANY, WORD), END};

/* On all paths.  What is a number or a boolean stands as ALL: it has no text, and if it has, then that is seen. */
#define COMMON_ROWS                                                                                                    \
    ROW("model", IS_STRING, MODEL), ROW("stream", IS_BOOL | IS_NULL, STREAM),                                          \
        ROWS("stream_options", OBJECT_OR_NULL, stream_fields), ROW("max_tokens", IS_NUMBER | IS_NULL, OLD_LIMIT),      \
        ROW("n", IS_NUMBER | IS_NULL, CHOICES), ROW("user", STRING_OR_NULL, TEXT),                                     \
        ROW("safety_identifier", STRING_OR_NULL, TEXT)
#define SAMPLING_ROWS                                                                                                  \
    ROW("temperature", IS_ANY, ALL), ROW("top_p", IS_ANY, ALL), ROW("top_k", IS_ANY, ALL),                             \
        ROW("presence_penalty", IS_ANY, ALL), ROW("frequency_penalty", IS_ANY, ALL), ROW("seed", IS_ANY, ALL),         \
        ROW("stop", IS_ANY, ALL), ROW("logit_bias", IS_ANY, ALL), ROW("logprobs", IS_ANY, ALL)

const struct field chat_fields[] = {
    COMMON_ROWS,
    ROW("messages", IS_ARRAY, MESSAGES),
    ROW("max_completion_tokens", IS_NUMBER | IS_NULL, LIMIT),
    SAMPLING_ROWS,
    ROW("top_logprobs", IS_ANY, ALL),
    ROWS("tools", IS_ARRAY | IS_NULL, tool_fields),
    ROWS("tool_choice", IS_STRING | OBJECT_OR_NULL, choice_fields),
    ROW("parallel_tool_calls", IS_ANY, ALL),
    ROWS("functions", IS_ARRAY | IS_NULL, function_fields),
    ROWS("function_call", IS_STRING | OBJECT_OR_NULL, named_fields),
    ROWS("response_format", OBJECT_OR_NULL, format_fields),
    ROWS("prediction", OBJECT_OR_NULL, prediction_fields),
    ROW("reasoning_effort", IS_ANY, WORD),
    ROW("verbosity", IS_ANY, WORD),
    ROW("service_tier", IS_ANY, WORD),
    ROW("modalities", IS_ANY, WORD),
    ROWS("audio", OBJECT_OR_NULL, voice_fields),
    ROW("store", IS_ANY, ALL),
    ROW("metadata", IS_ANY, ALL),
    ROW("prompt_cache_key", STRING_OR_NULL, TEXT),
    ROW("prompt_cache_retention", IS_ANY, WORD),
    ROWS("prompt_cache_options", OBJECT_OR_NULL, cache_fields),
    END,
};
const struct field completion_fields[] = {
    COMMON_ROWS,
    ROW("prompt", IS_STRING | IS_ARRAY | IS_NULL, INPUT),
    ROW("suffix", STRING_OR_NULL, TEXT),
    SAMPLING_ROWS,
    ROW("best_of", IS_ANY, ALL),
    ROW("echo", IS_ANY, ALL),
    END,
};
const struct field embedding_fields[] = {
    COMMON_ROWS,
    ROW("input", IS_STRING | IS_ARRAY, INPUT),
    ROW("encoding_format", IS_ANY, WORD),
    ROW("dimensions", IS_ANY, ALL),
    ROW("input_type", IS_ANY, WORD),
    END,
};
const struct field moderation_fields[] = {COMMON_ROWS, ROW("input", IS_STRING | IS_ARRAY, INPUT), END};
