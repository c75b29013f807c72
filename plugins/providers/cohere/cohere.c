/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere.c -- Cohere's API v2, chat, embed and rerank: for clients that speak it, and towards Cohere.  The host calls
 * it through the table at the end, in workers.
 */
#include "cohere.h"

void *cohere_more(struct weir_ctx *c, void *array, uint32_t count, uint32_t *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return array;
    *cap = *cap ? 2 * *cap : 8;
    more = weir_alloc(c, *cap * size);
    if (count)
        memcpy(more, array, count * size);
    return more;
}

static const char *const input_types[] = {"search_document", "search_query", "classification", "clustering", NULL};

static const struct weir_option cohere_options[] = {
    WEIR_OPT(struct cohere, url, "https://api.cohere.com", "base URL; /v2/chat and the like are added to it"),
    WEIR_OPT(struct cohere, key, "", "the account's key, sent as `authorization: Bearer`", .unit = WEIR_SECRET),
    WEIR_OPT(struct cohere, input_type, "search_document",
             "what texts to embed are for, when a client of another API does not say it", .choices = input_types),
    WEIR_OPT_END,
};

static const struct weir_path cohere_paths[] = {
    {"POST", "/v2/chat", WEIR_CHAT, NULL},
    {"POST", "/v2/embed", WEIR_EMBEDDING, NULL},
    {"POST", "/v2/rerank", WEIR_RERANK, NULL},
    {"*", "/v1/chat", WEIR_UNSERVED, NULL},
    {"*", "/v1/embed", WEIR_UNSERVED, NULL},
    {"*", "/v1/tokenize", WEIR_UNSERVED, NULL},
    {"*", "/v1/detokenize", WEIR_UNSERVED, NULL},
    {"*", "/v1/classify", WEIR_UNSERVED, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

#define KINDS (WEIR_CAN(WEIR_CHAT) | WEIR_CAN(WEIR_EMBEDDING) | WEIR_CAN(WEIR_RERANK))

WEIR_PLUGIN(.name = "cohere", .version = "1.0",
            .summary = "Cohere's API v2 (chat, embed, rerank), for clients and towards Cohere",
            .options = cohere_options, .self_size = sizeof(struct cohere), .local_size = sizeof(struct cohere_local),
            .dialect = "cohere", .paths = cohere_paths, .lifts = KINDS, .lowers = KINDS, .accept = cohere_accept,
            .lift = cohere_lift, .encode = cohere_encode, .decode = cohere_decode, .answer = cohere_answer,
            .refuse = cohere_refuse, );
