/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses.c -- OpenAI's Responses: for clients that speak it, and for OpenAI and the servers that speak like it.  The
 * host calls it through the table at the end, in workers.
 */
#include "responses.h"

static const char *const auth_styles[] = {"bearer", "api-key", "none", NULL};

static const struct weir_option responses_options[] = {
    WEIR_OPT(struct responses, url, "https://api.openai.com/v1", "base URL; /responses is added to it"),
    WEIR_OPT(struct responses, key, "", "the account's key", .unit = WEIR_SECRET),
    WEIR_OPT(struct responses, auth, "bearer",
             "how the key is sent: `authorization: Bearer`, the header `api-key` (Azure), or not at all",
             .choices = auth_styles),
    WEIR_OPT(struct responses, organization, "", "value of the header OpenAI-Organization"),
    WEIR_OPT(struct responses, project, "", "value of the header OpenAI-Project"),
    WEIR_OPT(struct responses, encrypted_reasoning, "true",
             "for clients of other dialects: ask for encrypted reasoning, so that it can be handed back; false for "
             "models and servers that refuse it"),
    WEIR_OPT_END,
};

static const struct weir_path responses_paths[] = {
    {"POST", "/v1/responses", WEIR_CHAT, NULL},
    {"*", "/v1/responses/", WEIR_UNSERVED, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

WEIR_PLUGIN(.name = "responses", .version = "1.0",
            .summary = "OpenAI's Responses, for clients and towards OpenAI and compatible servers",
            .options = responses_options, .self_size = sizeof(struct responses),
            .local_size = sizeof(struct responses_local), .dialect = "responses", .paths = responses_paths,
            .lifts = WEIR_CAN(WEIR_CHAT), .lowers = WEIR_CAN(WEIR_CHAT), .accept = responses_accept,
            .lift = responses_lift, .encode = responses_encode, .decode = responses_decode, .answer = responses_answer,
            .refuse = responses_refuse, );
