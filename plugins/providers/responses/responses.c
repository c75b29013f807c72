/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses.c -- OpenAI's Responses: for clients that speak it, and for OpenAI and the servers that speak like it.  The
 * host calls it through the table at the end, in workers.
 */
#include <stdio.h>

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
    WEIR_OPT(struct responses, issuer, "openai",
             "who encrypts the reasoning of these models: it goes back only to servers with the same word here"),
    WEIR_OPT(struct responses, stateful, "true",
             "the server keeps responses: previous_response_id, conversation, prompt, background and item references "
             "are sent to it; false: they are refused"),
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

/* It stands in marks, between : and . */
static bool responses_prepare(void *shared, const void *options, struct weir_error *e)
{
    const struct responses *o = options;

    (void)shared;
    if (o->issuer[0] && o->issuer[strspn(o->issuer, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0')
        return true;
    snprintf(e->text, sizeof e->text, "issuer must be a word of lower-case letters, digits, _ and -");
    snprintf(e->field, sizeof e->field, "issuer");
    return false;
}

WEIR_PLUGIN(.name = "responses", .version = "1.0",
            .summary = "OpenAI's Responses, for clients and towards OpenAI and compatible servers",
            .options = responses_options, .self_size = sizeof(struct responses),
            .local_size = sizeof(struct responses_local), .dialect = "responses", .paths = responses_paths,
            .lifts = WEIR_CAN(WEIR_CHAT), .lowers = WEIR_CAN(WEIR_CHAT), .prepare = responses_prepare, .accept = responses_accept,
            .lift = responses_lift, .encode = responses_encode, .decode = responses_decode, .answer = responses_answer,
            .refuse = responses_refuse, );
