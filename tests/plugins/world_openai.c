/* SPDX-License-Identifier: MIT */
/* world_openai.c -- fixture of world tests: a dialect and provider with a url and a key. */
#include "world_openai.h"

static const struct weir_option options[] = {
    WEIR_OPT(struct world_openai, url, "https://api.example/v1", "Base URL."),
    WEIR_OPT(struct world_openai, key, "", "The account's key.", .unit = WEIR_SECRET),
    WEIR_OPT_END,
};

static const struct weir_path paths[] = {{"POST", "/v1/chat/completions", WEIR_CHAT, NULL},
                                         {NULL, NULL, WEIR_CHAT, NULL}};

static bool accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    (void)c, (void)r, (void)e;
    return true;
}

static void refuse(struct weir_ctx *c, const struct weir_refusal *r)
{
    (void)c, (void)r;
}

static enum weir_verdict encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                struct weir_error *e)
{
    (void)c, (void)to, (void)h, (void)e;
    return WEIR_PASS;
}

static bool decode(struct weir_ctx *c, const struct weir_frame *f, struct weir_error *e)
{
    (void)c, (void)f, (void)e;
    return true;
}

WEIR_PLUGIN(.name = "openai", .version = "1", .summary = "Takes and sends nothing.", .options = options,
            .self_size = sizeof(struct world_openai), .dialect = "openai", .paths = paths, .accept = accept,
            .refuse = refuse, .encode = encode, .decode = decode, );
