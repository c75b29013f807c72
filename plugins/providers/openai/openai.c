/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.c -- OpenAI's chat completions, completions, embeddings, moderations and models: for clients that speak them,
 * and for OpenAI and the many servers that speak like it.  The host calls it through the table at the end, in workers.
 */
#include "openai.h"

static const char *const auth_styles[] = {"bearer", "api-key", "none", NULL};

static const char *const limit_fields[] = {"auto", "max_tokens", "max_completion_tokens", NULL};
static const char *const reasoning_styles[] = {"effort", "object", "thinking", "prompt_mode", "none", NULL};
static const char *const reasoning_fields[] = {
    "auto", "reasoning_content", "reasoning", "reasoning_details", "thinking", "none", NULL};
static const char *const part_styles[] = {"openai", "mistral", NULL};
static const char *const cache_styles[] = {"none", "prompt_cache_breakpoint", "cache_control", NULL};
static const char *const think_styles[] = {"keep", "tags", "begun", NULL};
static const char *const seed_fields[] = {"seed", "random_seed", NULL};
static const char *const dimensions_fields[] = {"dimensions", "output_dimension", NULL};

/* The rows from max_tokens_field on count for clients of other dialects only: those of OpenAI's are sent as they speak.
 */
static const struct weir_option openai_options[] = {
    WEIR_OPT(struct openai, url, "https://api.openai.com/v1",
             "base URL; /chat/completions and the like are added to it"),
    WEIR_OPT(struct openai, key, "", "the account's key", .unit = WEIR_SECRET),
    WEIR_OPT(struct openai, auth, "bearer",
             "how the key is sent: `authorization: Bearer`, the header `api-key` (Azure), or not at all",
             .choices = auth_styles),
    WEIR_OPT(struct openai, organization, "", "value of the header OpenAI-Organization"),
    WEIR_OPT(struct openai, project, "", "value of the header OpenAI-Project"),
    WEIR_OPT(
        struct openai, api_version, "",
        "Azure's deployments of old, with this as api-version: url is https://NAME.openai.azure.com, and the model's "
        "name for the provider is the deployment; empty for url = \"https://NAME.openai.azure.com/openai/v1\""),
    WEIR_OPT(struct openai, include_usage, "true",
             "ask for usage in every stream, and keep it from clients that did not; false for servers that refuse "
             "stream_options"),
    WEIR_OPT(struct openai, max_tokens_field, "auto",
             "the limit's name; auto: what the catalogue says of the model, else max_completion_tokens for OpenAI and "
             "Azure, max_tokens for others",
             .choices = limit_fields),
    WEIR_OPT(struct openai, reasoning, "effort",
             "how reasoning is asked for: `reasoning_effort`, OpenRouter's object `reasoning`, DeepSeek's switch "
             "`thinking`, Mistral's `prompt_mode`, or not at all",
             .choices = reasoning_styles),
    WEIR_OPT(struct openai, reasoning_field, "auto",
             "where an earlier turn's reasoning is handed back; auto: nowhere for OpenAI and Azure, reasoning_content "
             "for others; thinking: as a part of the content",
             .choices = reasoning_fields),
    WEIR_OPT(struct openai, cache_marks, "none", "how a part is marked as the end of a prefix that is worth keeping",
             .choices = cache_styles),
    WEIR_OPT(struct openai, parts, "openai", "how documents, audio and links of images look", .choices = part_styles),
    WEIR_OPT(struct openai, seed_field, "seed", "the seed's name", .choices = seed_fields),
    WEIR_OPT(struct openai, dimensions_field, "dimensions", "the name of an embedding's dimensions",
             .choices = dimensions_fields),
    WEIR_OPT(struct openai, call_id_length, "0",
             "letters and digits of which the id of a tool call must consist; 0: any id of at most 40", .min = 0,
             .max = 24),
    WEIR_OPT(struct openai, think, "keep",
             "reasoning that the server leaves in the text, <think>...</think> at its head: kept there, taken out as "
             "reasoning, or the same for models whose text begins within it",
             .choices = think_styles),
    WEIR_OPT(struct openai, takes, "",
             "what it takes beyond OpenAI's members: top_k, min_p, repetition_penalty, input_type, video, file_url, "
             "safe_prompt, guardrails, prediction, prefix"),
    WEIR_OPT(struct openai, lacks, "",
             "members it refuses, by their canonical names: temperature, n, logprobs, logit_bias, stop, format, user, "
             "metadata, service_tier, verbosity, cache_key, parallel_tools ...; "
             "also name (of messages), custom_tools, allowed_tools"),
    WEIR_OPT_END,
};

static const struct weir_path openai_paths[] = {
    {"POST", "/v1/chat/completions", WEIR_CHAT, NULL},
    {"POST", "/v1/completions", WEIR_COMPLETION, NULL},
    {"POST", "/v1/embeddings", WEIR_EMBEDDING, NULL},
    {"POST", "/v1/moderations", WEIR_MODERATION, NULL},
    {"POST", "/v1/images/generations", WEIR_IMAGE, NULL},
    {"POST", "/v1/images/edits", WEIR_IMAGE_EDIT, NULL},
    {"POST", "/v1/images/variations", WEIR_IMAGE_VARIATION, NULL},
    {"POST", "/v1/audio/speech", WEIR_SPEECH, NULL},
    {"POST", "/v1/audio/transcriptions", WEIR_TRANSCRIPTION, NULL},
    {"POST", "/v1/audio/translations", WEIR_TRANSLATION, NULL},
    {"GET", "/v1/files", WEIR_FILE, NULL},
    {"POST", "/v1/files", WEIR_FILE, NULL},
    {"GET", "/v1/files/", WEIR_FILE, NULL},
    {"DELETE", "/v1/files/", WEIR_FILE, NULL},
    {"POST", "/v1/uploads", WEIR_UPLOAD, NULL},
    {"POST", "/v1/uploads/", WEIR_UPLOAD, NULL},
    {"GET", "/v1/batches", WEIR_BATCH, NULL},
    {"POST", "/v1/batches", WEIR_BATCH, NULL},
    {"GET", "/v1/batches/", WEIR_BATCH, NULL},
    {"POST", "/v1/batches/", WEIR_BATCH, NULL},
    {"GET", "/v1/models", WEIR_LIST_MODELS, NULL},
    {"GET", "/v1/models/", WEIR_SHOW_MODEL, NULL},
    {"*", "/v1/realtime", WEIR_UNSERVED, NULL},
    {"*", "/v1/realtime/", WEIR_UNSERVED, NULL},
    {"*", "/v1/conversations", WEIR_UNSERVED, NULL},
    {"*", "/v1/conversations/", WEIR_UNSERVED, NULL},
    {"*", "/v1/assistants", WEIR_UNSERVED, NULL},
    {"*", "/v1/assistants/", WEIR_UNSERVED, NULL},
    {"*", "/v1/threads", WEIR_UNSERVED, NULL},
    {"*", "/v1/threads/", WEIR_UNSERVED, NULL},
    {"*", "/v1/vector_stores", WEIR_UNSERVED, NULL},
    {"*", "/v1/vector_stores/", WEIR_UNSERVED, NULL},
    {"*", "/v1/fine_tuning/", WEIR_UNSERVED, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

WEIR_PLUGIN(.name = "openai", .version = "1.0",
            .summary = "OpenAI's API, for clients and towards OpenAI and compatible servers", .options = openai_options,
            .self_size = sizeof(struct openai), .local_size = sizeof(struct openai_local), .dialect = "openai",
            .paths = openai_paths, .lifts = WEIR_CAN(WEIR_CHAT) | WEIR_CAN(WEIR_EMBEDDING),
            .lowers = WEIR_CAN(WEIR_CHAT) | WEIR_CAN(WEIR_EMBEDDING), .accept = openai_accept, .lift = openai_lift,
            .encode = openai_encode, .decode = openai_decode, .answer = openai_answer,
            .refuse = openai_refuse, .list = openai_list, );
