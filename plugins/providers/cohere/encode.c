/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- what is sent to Cohere: the client's bytes, but for `model` when the endpoint calls it by another name;
 * of a client of another dialect, what lower*.c make.  Host: step `try`, worker process.
 */
#include <stdio.h>

#include "cohere.h"

static struct weir_str target_url(struct weir_ctx *c, enum weir_kind kind)
{
    const struct cohere *o = c->self;
    struct weir_str base = str_of(o->url);
    struct text t = {.c = c};

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    text_str(&t, base);
    text_str(&t, kind == WEIR_EMBEDDING ? WEIR_STR("/v2/embed")
                 : kind == WEIR_RERANK  ? WEIR_STR("/v2/rerank")
                                        : WEIR_STR("/v2/chat"));
    return text_view(&t);
}

static void put_credential(struct weir_ctx *c, struct weir_http *h)
{
    const struct cohere *o = c->self;
    struct text t = {.c = c};

    if (!o->key[0])
        return;
    text_lit(&t, "Bearer ");
    text_str(&t, str_of(o->key));
    c->host->http_header(h, "authorization", text_view(&t));
}

static void splice_model(struct weir_ctx *c, struct weir_http *h, struct weir_str model)
{
    const struct weir_request *r = weir_request(c);
    struct text t = {.c = c};

    if (!model.len || !r->model_at || str_eq(model, r->model))
        return;
    text_json(&t, model);
    c->host->http_splice(h, r->model_at, r->model_len, text_view(&t));
}

enum weir_verdict cohere_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                struct weir_error *e)
{
    enum weir_kind kind = weir_request(c)->kind;
    struct text body = {.c = c};
    bool ok = true;

    if (weir_canonical(c))
        ok = kind == WEIR_EMBEDDING ? cohere_lower_embed(c, to->model, &body, e)
             : kind == WEIR_RERANK  ? cohere_lower_rerank(c, to->model, &body, e)
                                    : cohere_lower_chat(c, to->model, &body, e);
    if (!ok)
        return WEIR_UNSUPPORTED;
    if (!weir_canonical(c) && !weir_body(c)) {
        snprintf(e->text, sizeof e->text, "there is no body to send");
        return WEIR_FAIL;
    }
    c->host->http_target(h, "POST", target_url(c, kind));
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    put_credential(c, h);
    if (weir_canonical(c))
        c->host->http_body(h, text_view(&body));
    else
        splice_model(c, h, to->model);
    return WEIR_PASS;
}
