/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic.c -- Anthropic's Messages: for clients that speak them (Claude Code too), and for Anthropic and servers
 * that speak like it.  The host calls it through the table at the end, in workers.
 */
#include "anthropic.h"

#include <stdio.h>

static const char *const auth_styles[] = {"x-api-key", "bearer", "none", NULL};
static const char *const platforms[] = {"anthropic", "vertex", "bedrock", NULL};

static const struct weir_option anthropic_options[] = {
    WEIR_OPT(struct anthropic, url, ANTHROPIC_URL,
             "base URL; /messages is added to it.  As it stands, Vertex and Bedrock take the one of their place"),
    WEIR_OPT(struct anthropic, key, "", "the account's key", .unit = WEIR_SECRET),
    WEIR_OPT(
        struct anthropic, auth, "x-api-key",
        "how the key is sent: the header `x-api-key`, `authorization: Bearer` (always so on other platforms), or not "
        "at all",
        .choices = auth_styles),
    WEIR_OPT(struct anthropic, version, ANTHROPIC_VERSION,
             "value of the header anthropic-version when the client sends none"),
    WEIR_OPT(struct anthropic, beta, "", "value of the header anthropic-beta when the client sends none"),
    WEIR_OPT(struct anthropic, platform, "anthropic",
             "where Claude runs: Anthropic's API, Google's Vertex AI (rawPredict), Amazon Bedrock (invoke)",
             .choices = platforms),
    WEIR_OPT(struct anthropic, project, "", "Vertex: the project"),
    WEIR_OPT(struct anthropic, location, "global", "Vertex: `global`, `us`, `eu`, or a region such as `europe-west1`"),
    WEIR_OPT(struct anthropic, service_account, "",
             "Vertex: key file; empty: GOOGLE_APPLICATION_CREDENTIALS, gcloud's, else the metadata service",
             .unit = WEIR_PATH),
    WEIR_OPT(struct anthropic, region, "", "Bedrock: AWS region; elsewhere, where it keeps data, as you name it"),
    WEIR_OPT(struct anthropic, access_key, "", "Bedrock: id of an access key", .unit = WEIR_SECRET),
    WEIR_OPT(struct anthropic, secret_key, "", "Bedrock: the secret of that access key", .unit = WEIR_SECRET),
    WEIR_OPT(struct anthropic, session_token, "", "Bedrock: its session token, when it is a temporary one",
             .unit = WEIR_SECRET),
    WEIR_OPT(struct anthropic, credentials, "static", AWS_SOURCE_HELP, .choices = aws_source_words),
    WEIR_OPT(struct anthropic, profile, "", "Bedrock: the profile in ~/.aws; empty: AWS_PROFILE, else `default`"),
    WEIR_OPT(struct anthropic, betas,
             "computer-use-2025-01-24 token-efficient-tools-2025-02-19 interleaved-thinking-2025-05-14 "
             "output-128k-2025-02-19 dev-full-thinking-2025-05-14 context-1m-2025-08-07 context-management-2025-06-27 "
             "effort-2025-11-24 tool-search-tool-2025-10-19 tool-examples-2025-10-29",
             "Bedrock: the beta flags that it knows; others of a client are left out, for it refuses the request"),
    WEIR_OPT(struct anthropic, credential_url, "",
             "base URL in place of the token server's, STS's or the metadata service's"),
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

/* Both go into URLs as they are. */
static bool plain(const char *s)
{
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.")] == '\0';
}

static bool anthropic_init(void *self, const void *shared, struct weir_error *e)
{
    const struct anthropic *o = self;
    enum platform on = cloud_platform(o);
    const char *field = "", *text = "";

    (void)shared;
    if (on == PLATFORM_VERTEX && (!o->project[0] || !plain(o->project))) {
        field = "project";
        text = "project: Vertex needs the project's id, letters, digits and - only";
    } else if (on == PLATFORM_VERTEX && (!o->location[0] || !plain(o->location))) {
        field = "location";
        text = "location: letters, digits and - only";
    } else if (on == PLATFORM_BEDROCK && (!o->region[0] || !plain(o->region))) {
        field = "region";
        text = "region: Bedrock needs the AWS region, letters, digits and - only";
    } else if (!o->access_key[0] != !o->secret_key[0]) {
        field = o->access_key[0] ? "secret_key" : "access_key";
        text = "access_key and secret_key belong together";
    } else if ((o->key[0] || o->access_key[0]) && strcmp(o->credentials, "static") != 0) {
        field = "credentials";
        text = "credentials stands beside a key; one of them is enough";
    }
    snprintf(e->field, sizeof e->field, "%s", field);
    snprintf(e->text, sizeof e->text, "%s", text);
    return !field[0];
}

WEIR_PLUGIN(.name = "anthropic", .version = "1.0",
            .summary = "Anthropic's Messages, for clients and towards Anthropic and compatible servers",
            .options = anthropic_options, .self_size = sizeof(struct anthropic),
            .local_size = sizeof(struct anthropic_local), .dialect = "anthropic", .paths = anthropic_paths,
            .lifts = WEIR_CAN(WEIR_CHAT), .lowers = WEIR_CAN(WEIR_CHAT), .init = anthropic_init, .accept = anthropic_accept,
            .lift = anthropic_lift, .encode = anthropic_encode, .decode = anthropic_decode, .answer = anthropic_answer,
            .refuse = anthropic_refuse, .list = anthropic_list,
            .credential = cloud_credential, );
