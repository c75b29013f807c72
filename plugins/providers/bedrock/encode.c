/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- what is sent to Bedrock: the client's Converse body as it came, or one made of the canonical request; and
 * the credential.  Host: step `try`, worker process.
 *
 * A signature covers the body, so a signed body must be whole here: the client's, with the edits of all stages.
 */
#include <stdio.h>

#include "aws.h"
#include "bedrock.h"
#include "edited.h"

static bool cannot(struct weir_error *e, const char *text)
{
    snprintf(e->code, sizeof e->code, "provider_misconfigured");
    snprintf(e->text, sizeof e->text, "%s", text);
    return false;
}

/* ---- where to ---- */

/* https://HOST or what `url` says, without a slash at its end. */
static struct weir_str base_url(struct weir_ctx *c)
{
    const struct bedrock *b = c->self;
    struct weir_str base = str_of(b->url);
    struct text t = {.c = c};

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    if (base.len)
        return base;
    aws_bedrock_put(&t, b->region);
    return text_view(&t);
}

/* The id is one segment of the path, whatever is in it. */
static struct weir_str target_url(struct weir_ctx *c, struct weir_str model)
{
    const struct weir_request *r = weir_request(c);
    struct text t = {.c = c};

    text_str(&t, base_url(c));
    text_lit(&t, "/model/");
    aws_encode(&t, model);
    text_str(&t, r->kind == WEIR_COUNT_TOKENS ? WEIR_STR("/count-tokens")
                 : r->stream                  ? WEIR_STR("/converse-stream")
                                              : WEIR_STR("/converse"));
    return text_view(&t);
}

/* ---- credentials ---- */

static void put_bearer(struct weir_ctx *c, struct weir_http *h)
{
    const struct bedrock *b = c->self;
    struct text t = {.c = c};

    text_lit(&t, "Bearer ");
    text_str(&t, str_of(b->key));
    c->host->http_header(h, "authorization", text_view(&t));
}

enum weir_verdict bedrock_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                 struct weir_error *e)
{
    const struct bedrock *b = c->self;
    bool made = weir_canonical(c) != NULL, kept = strcmp(b->credentials, "static") != 0;
    bool signs = !b->key[0] && (kept || b->access_key[0]);
    struct aws_keys keys = {str_of(b->access_key), str_of(b->secret_key), str_of(b->session_token)};
    const struct weir_json *j = weir_body(c);
    struct weir_str url = target_url(c, to->model);
    struct text body = {.c = c};
    struct weir_str sent;
    enum weir_verdict v;

    if (signs && kept) {
        struct weir_str credential = weir_credential(c);
        if (!credential.ptr)
            return WEIR_WAIT;
        aws_keys_read(credential, &keys);
    }
    ((struct bedrock_local *)c->local)->name_count = 0;
    if (made) {
        v = bedrock_lower(c, to->model, &body, e);
        if (v != WEIR_PASS)
            return v;
    } else if (!j) {
        return cannot(e, "there is no body to send") ? WEIR_PASS : WEIR_FAIL;
    }
    c->host->http_target(h, "POST", url);
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    sent = made ? text_view(&body) : signs ? edited_body(c, j, NULL, 0) : WEIR_STR("");
    if (made || signs)
        c->host->http_body(h, sent);
    if (b->key[0])
        put_bearer(c, h);
    else if (signs && !aws_sign_post(c, h, &keys, b->region, "bedrock", url, sent, e))
        return WEIR_FAIL;
    return WEIR_PASS;
}
