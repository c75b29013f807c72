/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.c -- the Converse API of Amazon Bedrock: for clients that speak it, and towards Bedrock.  The host calls it
 * through the table at the end, in workers.
 */
#include "bedrock.h"

#include <stdio.h>

static const struct weir_option bedrock_options[] = {
    WEIR_OPT(struct bedrock, region, "us-east-1", "AWS region: part of the address, and of what is signed"),
    WEIR_OPT(struct bedrock, url, "",
             "base URL; empty: https://bedrock-runtime.REGION.amazonaws.com; /model/ID/converse is added to it"),
    WEIR_OPT(struct bedrock, key, "", "a Bedrock API key, sent as `authorization: Bearer`; then nothing is signed",
             .unit = WEIR_SECRET),
    WEIR_OPT(struct bedrock, access_key, "", "id of the access key that requests are signed with", .unit = WEIR_SECRET),
    WEIR_OPT(struct bedrock, secret_key, "", "the secret of that access key", .unit = WEIR_SECRET),
    WEIR_OPT(struct bedrock, session_token, "", "its session token, when it is a temporary one", .unit = WEIR_SECRET),
    WEIR_OPT(struct bedrock, credentials, "static", AWS_SOURCE_HELP, .choices = aws_source_words),
    WEIR_OPT(struct bedrock, profile, "", "the profile in ~/.aws; empty: AWS_PROFILE, else `default`"),
    WEIR_OPT(struct bedrock, credential_url, "",
             "base URL in place of STS's or the metadata service's, for a private endpoint"),
    WEIR_OPT_END,
};

static bool bedrock_credential(struct weir_ctx *c, struct weir_credential *out, struct weir_error *e)
{
    const struct bedrock *b = c->self;
    const struct aws_source from = {.credentials = b->key[0] ? "static" : b->credentials,
                                    .profile = b->profile,
                                    .region = b->region,
                                    .url = b->credential_url};

    return aws_source_get(c, &from, out, e);
}

static bool bedrock_init(void *self, const void *shared, struct weir_error *e)
{
    const struct bedrock *b = self;

    (void)shared;
    if ((b->key[0] || b->access_key[0]) && strcmp(b->credentials, "static") != 0) {
        snprintf(e->field, sizeof e->field, "credentials");
        snprintf(e->text, sizeof e->text, "credentials = \"%s\" stands beside a key; one of them is enough",
                 b->credentials);
        return false;
    }
    if (!b->access_key[0] == !b->secret_key[0])
        return true;
    snprintf(e->field, sizeof e->field, b->access_key[0] ? "secret_key" : "access_key");
    snprintf(e->text, sizeof e->text, "access_key and secret_key belong together");
    return false;
}

static const struct weir_path bedrock_paths[] = {
    {"POST", "/model/", WEIR_CHAT, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

WEIR_PLUGIN(.name = "bedrock", .version = "1.0",
            .summary = "Amazon Bedrock's Converse API, for clients and towards Bedrock", .options = bedrock_options,
            .self_size = sizeof(struct bedrock), .local_size = sizeof(struct bedrock_local), .dialect = "bedrock",
            .paths = bedrock_paths, .lifts = WEIR_CAN(WEIR_CHAT), .lowers = WEIR_CAN(WEIR_CHAT), .init = bedrock_init,
            .accept = bedrock_accept, .lift = bedrock_lift, .encode = bedrock_encode, .decode = bedrock_decode,
            .answer = bedrock_answer, .refuse = bedrock_refuse, .credential = bedrock_credential, );
