/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini.c -- Google's Gemini: for clients that speak generateContent, and towards AI Studio and Vertex AI.  The host
 * calls it through the table at the end, in workers.
 */
#include "gemini.h"

#include <stdio.h>

static const char *const auth_styles[] = {"key", "bearer", "google", "none", NULL};
static const char *const platforms[] = {"aistudio", "vertex", NULL};
static const char *const schemas[] = {"json", "openapi", NULL};

static const struct weir_option gemini_options[] = {
    WEIR_OPT(struct gemini, url, GEMINI_URL,
             "base URL; /models/MODEL:METHOD is added to it.  As it stands, Vertex takes the one of its location"),
    WEIR_OPT(struct gemini, key, "", "the account's key, or an access token", .unit = WEIR_SECRET),
    WEIR_OPT(struct gemini, auth, "key",
             "how the key is sent: header `x-goog-api-key`, `authorization: Bearer`, or not at all; google: tokens of "
             "a service "
             "account, gcloud or the metadata service, renewed in time",
             .choices = auth_styles),
    WEIR_OPT(struct gemini, platform, "aistudio", "AI Studio's paths, or those of Vertex AI", .choices = platforms),
    WEIR_OPT(struct gemini, project, "", "Vertex: the project; empty: express mode"),
    WEIR_OPT(struct gemini, location, "global", "Vertex: `global`, `us`, `eu`, or a region such as `europe-west4`"),
    WEIR_OPT(struct gemini, schema, "json",
             "how schemas of other dialects are sent: whole, or as the OpenAPI subset that models before 2.5 take",
             .choices = schemas),
    WEIR_OPT(struct gemini, service_account, "",
             "auth = google: key file; empty: GOOGLE_APPLICATION_CREDENTIALS, gcloud's, else the metadata service",
             .unit = WEIR_PATH),
    WEIR_OPT(struct gemini, credential_url, "", "base URL in place of the token server's or the metadata service's"),
    WEIR_OPT_END,
};

static const struct weir_path gemini_paths[] = {
    {"POST", "/v1beta/models/", WEIR_CHAT, NULL},
    {"POST", "/v1/models/", WEIR_CHAT, NULL},
    {"GET", "/v1beta/models", WEIR_LIST_MODELS, NULL},
    {"GET", "/v1beta/models/", WEIR_SHOW_MODEL, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

void *gemini_grown(struct weir_ctx *c, void *old, uint32_t count, uint32_t *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return old;
    *cap = *cap ? *cap * 2 : 4;
    more = weir_alloc(c, *cap * size);
    if (count)
        memcpy(more, old, count * size);
    return more;
}

/* Both go into URLs as they are. */
static bool plain(const char *s)
{
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.")] == '\0';
}

static bool gemini_credential(struct weir_ctx *c, struct weir_credential *out, struct weir_error *e)
{
    const struct gemini *g = c->self;
    const struct google_source from = {.file = g->service_account, .url = g->credential_url};

    return strcmp(g->auth, "google") != 0 || google_token(c, &from, out, e);
}

static bool gemini_init(void *self, const void *shared, struct weir_error *e)
{
    const struct gemini *g = self;

    (void)shared;
    if (plain(g->project) && plain(g->location) && (g->location[0] || strcmp(g->platform, "vertex") != 0))
        return true;
    snprintf(e->field, sizeof e->field, "%s", plain(g->project) ? "location" : "project");
    snprintf(e->text, sizeof e->text, "%s: letters, digits and - only", e->field);
    return false;
}

WEIR_PLUGIN(.name = "gemini", .version = "1.0",
            .summary = "Google's Gemini API, for clients and towards AI Studio and Vertex AI",
            .options = gemini_options, .self_size = sizeof(struct gemini), .local_size = sizeof(struct gemini_local),
            .dialect = "gemini", .paths = gemini_paths, .lifts = WEIR_CAN(WEIR_CHAT) | WEIR_CAN(WEIR_EMBEDDING),
            .lowers = WEIR_CAN(WEIR_CHAT) | WEIR_CAN(WEIR_EMBEDDING), .init = gemini_init, .accept = gemini_accept,
            .lift = gemini_lift, .encode = gemini_encode, .decode = gemini_decode, .answer = gemini_answer,
            .refuse = gemini_refuse, .list = gemini_list, .credential = gemini_credential, );
