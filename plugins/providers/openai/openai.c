/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.c -- OpenAI's chat completions, completions, embeddings, moderations and models: for clients that speak them,
 * and for OpenAI and the many servers that speak like it.  The host calls it through the table at the end, in workers.
 */
#include "openai.h"

static const char *const auth_styles[] = {"bearer", "api-key", "none", NULL};

static const struct weir_option openai_options[] = {
    WEIR_OPT(struct openai, url, "https://api.openai.com/v1",
             "base URL; /chat/completions and the like are added to it"),
    WEIR_OPT(struct openai, key, "", "the account's key", .unit = WEIR_SECRET),
    WEIR_OPT(struct openai, auth, "bearer",
             "how the key is sent: `authorization: Bearer`, the header `api-key` (Azure), or not at all",
             .choices = auth_styles),
    WEIR_OPT(struct openai, organization, "", "value of the header OpenAI-Organization"),
    WEIR_OPT(struct openai, project, "", "value of the header OpenAI-Project"),
    WEIR_OPT(struct openai, include_usage, "true",
             "ask for usage in every stream, and keep it from clients that did not; false for servers that refuse "
             "stream_options"),
    WEIR_OPT_END,
};

static const struct weir_path openai_paths[] = {
    {"POST", "/v1/chat/completions", WEIR_CHAT, NULL},
    {"POST", "/v1/completions", WEIR_COMPLETION, NULL},
    {"POST", "/v1/embeddings", WEIR_EMBEDDING, NULL},
    {"POST", "/v1/moderations", WEIR_MODERATION, NULL},
    {"GET", "/v1/models", WEIR_LIST_MODELS, NULL},
    {"GET", "/v1/models/", WEIR_SHOW_MODEL, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

WEIR_PLUGIN(.name = "openai", .version = "1.0",
            .summary = "OpenAI's API, for clients and towards OpenAI and compatible servers", .options = openai_options,
            .self_size = sizeof(struct openai), .local_size = sizeof(struct openai_local), .dialect = "openai",
            .paths = openai_paths, .accept = openai_accept, .encode = openai_encode, .decode = openai_decode,
            .answer = openai_answer, .refuse = openai_refuse, .list = openai_list, );
