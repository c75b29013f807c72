/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c -- the tables of fields.h. */
#include "fields.h"

#define ROW(name, types, deed)                                                                                         \
    {                                                                                                                  \
        "" name, types, deed, NULL                                                                                     \
    }
#define ROWS(name, types, deed, below)                                                                                 \
    {                                                                                                                  \
        "" name, types, deed, below                                                                                    \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, 0, 0, NULL                                                                                               \
    }

static const struct field inline_fields[] = {
    ROW("mimeType", IS_STRING, WORD),
    ROW("data", IS_STRING, DATA),
    ROW("displayName", IS_STRING, LINK),
    END,
};
static const struct field file_fields[] = {
    ROW("mimeType", IS_STRING, WORD),
    ROW("fileUri", IS_STRING, LINK),
    ROW("displayName", IS_STRING, LINK),
    END,
};
static const struct field call_fields[] = {
    ROW("id", IS_STRING, WORD),
    ROW("name", IS_STRING, NAME),
    ROW("args", IS_OBJECT, ALL),
    END,
};
static const struct field media_fields[] = {
    ROWS("inlineData", IS_OBJECT, EACH, inline_fields),
    ROWS("fileData", IS_OBJECT, EACH, file_fields),
    END,
};
static const struct field response_fields[] = {
    ROW("id", IS_STRING, WORD),         ROW("name", IS_STRING, NAME),
    ROW("response", IS_OBJECT, ALL),    ROWS("parts", IS_SOME, EACH, media_fields),
    ROW("scheduling", IS_STRING, WORD), END,
};
static const struct field code_fields[] = {
    ROW("id", IS_STRING, WORD),
    ROW("language", IS_STRING, WORD),
    ROW("code", IS_STRING, TEXT),
    END,
};
static const struct field outcome_fields[] = {
    ROW("id", IS_STRING, WORD),
    ROW("outcome", IS_STRING, WORD),
    ROW("output", IS_STRING, TEXT),
    END,
};
static const struct field part_fields[] = {
    ROW("text", IS_STRING, TEXT),
    ROW("thought", IS_BOOL, WORD),
    ROW("thoughtSignature", IS_STRING, DATA),
    ROWS("inlineData", IS_OBJECT, EACH, inline_fields),
    ROWS("fileData", IS_OBJECT, EACH, file_fields),
    ROWS("functionCall", IS_OBJECT, CALL, call_fields),
    ROWS("functionResponse", IS_OBJECT, RESULT, response_fields),
    ROWS("executableCode", IS_OBJECT, CALL, code_fields),
    ROWS("codeExecutionResult", IS_OBJECT, RESULT, outcome_fields),
    END,
};
const struct field content_fields[] = {
    ROW("role", IS_STRING, WORD),
    ROWS("parts", IS_SOME, PARTS, part_fields),
    END,
};
static const struct field declaration_fields[] = {
    ROW("name", IS_STRING, NAME),
    ROW("description", IS_STRING, TEXT),
    ROW("behavior", IS_STRING, WORD),
    ROW("parameters", IS_OBJECT, ALL),
    ROW("parametersJsonSchema", IS_ANY, ALL),
    ROW("response", IS_OBJECT, ALL),
    ROW("responseJsonSchema", IS_ANY, ALL),
    END,
};
static const struct field tool_fields[] = {
    ROWS("functionDeclarations", IS_SOME, EACH, declaration_fields),
    END,
};
static const struct field calling_fields[] = {
    ROW("mode", IS_STRING, WORD),
    ROW("allowedFunctionNames", IS_STRING | IS_ARRAY, ALL),
    END,
};
static const struct field tool_config_fields[] = {
    ROWS("functionCallingConfig", IS_OBJECT, EACH, calling_fields),
    END,
};
static const struct field thinking_fields[] = {
    ROW("includeThoughts", IS_BOOL, WORD),
    ROW("thinkingBudget", IS_NUMBER | IS_STRING, WORD),
    ROW("thinkingLevel", IS_STRING, WORD),
    END,
};
static const struct field generation_fields[] = {
    ROW("maxOutputTokens", IS_NUMBER | IS_STRING, LIMIT),
    ROW("candidateCount", IS_NUMBER | IS_STRING, CHOICES),
    ROW("temperature", IS_NUMBER, WORD),
    ROW("topP", IS_NUMBER, WORD),
    ROW("topK", IS_NUMBER | IS_STRING, WORD),
    ROW("stopSequences", IS_STRING | IS_ARRAY, ALL),
    ROW("seed", IS_NUMBER | IS_STRING, WORD),
    ROW("responseMimeType", IS_STRING, WORD),
    ROW("responseModalities", IS_STRING | IS_ARRAY, WORD),
    ROW("mediaResolution", IS_STRING, WORD),
    ROWS("thinkingConfig", IS_OBJECT, EACH, thinking_fields),
    END,
};
static const struct field safety_fields[] = {
    ROW("category", IS_STRING, WORD),
    ROW("threshold", IS_STRING, WORD),
    ROW("method", IS_STRING, WORD),
    END,
};

#define GENERATE_ROWS                                                                                                  \
    ROW("model", IS_STRING, WORD), ROWS("contents", IS_SOME, CONTENTS, content_fields),                                \
        ROWS("systemInstruction", IS_OBJECT | IS_STRING, SYSTEM, content_fields),                                      \
        ROWS("tools", IS_SOME, EACH, tool_fields), ROWS("toolConfig", IS_OBJECT, EACH, tool_config_fields),            \
        ROWS("generationConfig", IS_OBJECT, EACH, generation_fields),                                                  \
        ROWS("safetySettings", IS_SOME, EACH, safety_fields), ROW("cachedContent", IS_STRING, WORD),                   \
        ROW("serviceTier", IS_STRING, WORD)

const struct field generate_fields[] = {GENERATE_ROWS, END};
const struct field count_fields[] = {
    GENERATE_ROWS,
    ROWS("generateContentRequest", IS_OBJECT, EACH, generate_fields),
    END,
};

#define EMBED_ROWS                                                                                                     \
    ROW("model", IS_STRING, WORD), ROWS("content", IS_OBJECT, DOCUMENT, content_fields),                               \
        ROW("taskType", IS_STRING, WORD), ROW("title", IS_STRING, LINK),                                               \
        ROW("outputDimensionality", IS_NUMBER | IS_STRING, WORD)

const struct field embed_fields[] = {EMBED_ROWS, END};
const struct field batch_fields[] = {ROWS("requests", IS_SOME, EACH, embed_fields), END};
