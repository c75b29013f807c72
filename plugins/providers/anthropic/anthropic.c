/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic.c -- Anthropic's Messages: for clients that speak them (Claude Code too), and for Anthropic and servers
 * that speak like it.  The host calls it through the table at the end, in workers.
 */
#include "anthropic.h"

static const char *const auth_styles[] = {"x-api-key", "bearer", "none", NULL};

static const struct weir_option anthropic_options[] = {
    WEIR_OPT(struct anthropic, url, "https://api.anthropic.com/v1", "base URL; /messages is added to it"),
    WEIR_OPT(struct anthropic, key, "", "the account's key", .unit = WEIR_SECRET),
    WEIR_OPT(struct anthropic, auth, "x-api-key",
             "how the key is sent: the header `x-api-key`, `authorization: Bearer`, or not at all",
             .choices = auth_styles),
    WEIR_OPT(struct anthropic, version, ANTHROPIC_VERSION,
             "value of the header anthropic-version when the client sends none"),
    WEIR_OPT(struct anthropic, beta, "", "value of the header anthropic-beta when the client sends none"),
    WEIR_OPT_END,
};

static const struct weir_path anthropic_paths[] = {
    {"POST", "/v1/messages", WEIR_CHAT, NULL},
    {"POST", "/v1/messages/count_tokens", WEIR_COUNT_TOKENS, NULL},
    {"GET", "/v1/messages/batches", WEIR_BATCH, NULL},
    {"POST", "/v1/messages/batches", WEIR_BATCH, NULL},
    {"GET", "/v1/messages/batches/", WEIR_BATCH, NULL},
    {"POST", "/v1/messages/batches/", WEIR_BATCH, NULL},
    {"DELETE", "/v1/messages/batches/", WEIR_BATCH, NULL},
    {"GET", "/v1/files", WEIR_FILE, "anthropic-version"},
    {"POST", "/v1/files", WEIR_FILE, "anthropic-version"},
    {"GET", "/v1/files/", WEIR_FILE, "anthropic-version"},
    {"DELETE", "/v1/files/", WEIR_FILE, "anthropic-version"},
    {"GET", "/v1/models", WEIR_LIST_MODELS, "anthropic-version"},
    {"GET", "/v1/models/", WEIR_SHOW_MODEL, "anthropic-version"},
    {NULL, NULL, WEIR_CHAT, NULL},
};

WEIR_PLUGIN(.name = "anthropic", .version = "1.0",
            .summary = "Anthropic's Messages, for clients and towards Anthropic and compatible servers",
            .options = anthropic_options, .self_size = sizeof(struct anthropic),
            .local_size = sizeof(struct anthropic_local), .dialect = "anthropic", .paths = anthropic_paths,
            .lifts = WEIR_CAN(WEIR_CHAT), .lowers = WEIR_CAN(WEIR_CHAT), .accept = anthropic_accept,
            .lift = anthropic_lift, .encode = anthropic_encode, .decode = anthropic_decode, .answer = anthropic_answer,
            .refuse = anthropic_refuse, .list = anthropic_list, );
