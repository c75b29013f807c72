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
#define ARRAY_OR_NULL  (IS_ARRAY | IS_NULL)

static const struct field cache_fields[] = {ROW("type", IS_ANY, WORD), ROW("ttl", IS_ANY, WORD),
                                            ROW("scope", IS_ANY, WORD), END};
static const struct field caller_fields[] = {ROW("type", IS_ANY, WORD), ROW("tool_id", IS_ANY, WORD), END};
const struct field source_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("media_type", IS_ANY, WORD),
    ROW("data", IS_STRING, TEXT),
    ROW("content", IS_STRING | IS_ARRAY, BLOCKS),
    ROW("url", IS_STRING, LINK),
    ROW("file_id", IS_ANY, WORD),
    END,
};
const struct field source_file_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("media_type", IS_ANY, WORD),
    ROW("data", IS_STRING, BASE64),
    END,
};
static const struct field citation_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("enabled", IS_ANY, ALL),
    ROW("cited_text", IS_ANY, TEXT),
    ROW("title", IS_ANY, TEXT),
    ROW("document_title", IS_ANY, TEXT),
    ROW("url", IS_ANY, LINK),
    ROW("source", IS_ANY, LINK),
    ROW("file_id", IS_ANY, WORD),
    ROW("encrypted_index", IS_ANY, OPAQUE),
    ROW("document_index", IS_ANY, ALL),
    ROW("start_char_index", IS_ANY, ALL),
    ROW("end_char_index", IS_ANY, ALL),
    ROW("start_page_number", IS_ANY, ALL),
    ROW("end_page_number", IS_ANY, ALL),
    ROW("start_block_index", IS_ANY, ALL),
    ROW("end_block_index", IS_ANY, ALL),
    ROW("search_result_index", IS_ANY, ALL),
    END,
};
/* Blocks of all kinds, and what the results of the vendor's tools are made of. */
const struct field block_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("text", IS_STRING, TEXT),
    ROW("source", IS_ANY, SOURCE),
    ROW("title", STRING_OR_NULL, TEXT),
    ROW("context", STRING_OR_NULL, TEXT),
    ROWS("citations", IS_ARRAY | OBJECT_OR_NULL, citation_fields),
    ROWS("cache_control", OBJECT_OR_NULL, cache_fields),
    ROW("id", IS_ANY, WORD),
    ROW("name", IS_STRING, NAME),
    ROW("input", IS_ANY, INPUT),
    ROWS("caller", IS_ANY, caller_fields),
    ROW("tool_use_id", IS_STRING, WORD),
    ROW("content", IS_STRING | IS_ARRAY | OBJECT_OR_NULL, BLOCKS),
    ROW("is_error", IS_BOOL | IS_NULL, ALL),
    ROW("thinking", IS_STRING, TEXT),
    ROW("signature", STRING_OR_NULL, OPAQUE),
    ROW("data", IS_ANY, OPAQUE),
    ROW("encrypted_content", IS_ANY, OPAQUE),
    ROW("encrypted_stdout", IS_ANY, OPAQUE),
    ROW("encrypted_index", IS_ANY, OPAQUE),
    ROW("url", IS_ANY, LINK),
    ROW("file_id", IS_ANY, WORD),
    ROW("page_age", IS_ANY, WORD),
    ROW("error_code", IS_ANY, WORD),
    ROW("retrieved_at", IS_ANY, WORD),
    ROW("stop_reason", IS_ANY, WORD),
    ROW("server_name", IS_ANY, NAME),
    ROW("tool_name", IS_ANY, NAME),
    END,
};
const struct field message_fields[] = {ROW("role", IS_STRING, WORD), ROW("content", IS_STRING | IS_ARRAY, BLOCKS), END};
static const struct field tool_fields[] = {
    ROW("type", STRING_OR_NULL, WORD),
    ROW("name", IS_STRING, NAME),
    ROW("description", STRING_OR_NULL, TEXT),
    ROW("input_schema", IS_OBJECT, ALL),
    ROW("strict", IS_ANY, ALL),
    ROWS("cache_control", OBJECT_OR_NULL, cache_fields),
    ROW("defer_loading", IS_ANY, ALL),
    ROW("eager_input_streaming", IS_ANY, ALL),
    ROW("input_examples", IS_ANY, ALL),
    ROW("allowed_callers", IS_ANY, WORD),
    ROW("max_uses", IS_ANY, ALL),
    END,
};
static const struct field choice_fields[] = {
    ROW("type", IS_STRING, WORD),
    ROW("name", IS_STRING, NAME),
    ROW("disable_parallel_tool_use", IS_BOOL | IS_NULL, ALL),
    END,
};
static const struct field thinking_fields[] = {
    ROW("type", IS_STRING, WORD),
    ROW("budget_tokens", IS_NUMBER | IS_NULL, ALL),
    ROW("display", STRING_OR_NULL, WORD),
    END,
};
static const struct field format_fields[] = {ROW("type", IS_ANY, WORD), ROW("schema", IS_ANY, ALL), END};
static const struct field output_fields[] = {
    ROW("effort", STRING_OR_NULL, WORD),
    ROWS("format", OBJECT_OR_NULL, format_fields),
    END,
};
static const struct field metadata_fields[] = {ROW("user_id", STRING_OR_NULL, TEXT), END};
static const struct field server_fields[] = {
    ROW("type", IS_ANY, WORD),
    ROW("url", IS_ANY, LINK),
    ROW("name", IS_ANY, NAME),
    ROW("authorization_token", IS_ANY, TEXT),
    END,
};

const struct field anthropic_fields[] = {
    ROW("model", IS_STRING, MODEL),
    ROW("messages", IS_ARRAY, MESSAGES),
    ROW("max_tokens", IS_NUMBER | IS_NULL, LIMIT),
    ROW("stream", IS_BOOL | IS_NULL, STREAM),
    ROW("system", IS_STRING | ARRAY_OR_NULL, SYSTEM),
    ROWS("tools", ARRAY_OR_NULL, tool_fields),
    ROWS("tool_choice", OBJECT_OR_NULL, choice_fields),
    ROW("stop_sequences", ARRAY_OR_NULL, ALL),
    ROW("temperature", IS_NUMBER | IS_NULL, ALL),
    ROW("top_p", IS_NUMBER | IS_NULL, ALL),
    ROW("top_k", IS_NUMBER | IS_NULL, ALL),
    ROWS("metadata", OBJECT_OR_NULL, metadata_fields),
    ROWS("thinking", OBJECT_OR_NULL, thinking_fields),
    ROWS("output_config", OBJECT_OR_NULL, output_fields),
    ROWS("output_format", OBJECT_OR_NULL, format_fields),
    ROWS("cache_control", OBJECT_OR_NULL, cache_fields),
    ROW("service_tier", IS_ANY, WORD),
    ROW("speed", IS_ANY, WORD),
    ROW("inference_geo", IS_ANY, WORD),
    ROW("container", IS_ANY, WORD),
    ROW("context_management", IS_ANY, ALL),
    ROWS("mcp_servers", ARRAY_OR_NULL, server_fields),
    END,
};
