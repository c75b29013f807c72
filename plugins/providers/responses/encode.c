/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- what is sent to a server that speaks Responses.  A client of the same dialect: its bytes, but for `model`
 * when the endpoint calls it by another name, and for reasoning that another vendor did.  Else the body is made of the
 * canonical request (lower.c).  Host: step `try`, worker process.
 */
#include <stdio.h>

#include "responses.h"

static void put_header(struct weir_ctx *c, struct weir_http *h, const char *name, const char *value)
{
    if (value[0])
        c->host->http_header(h, name, str_of(value));
}

static void put_credential(struct weir_ctx *c, struct weir_http *h)
{
    const struct responses *o = c->self;
    struct text t = {.c = c};

    if (!o->key[0] || strcmp(o->auth, "none") == 0)
        return;
    if (strcmp(o->auth, "api-key") == 0) {
        c->host->http_header(h, "api-key", str_of(o->key));
        return;
    }
    text_lit(&t, "Bearer ");
    text_str(&t, str_of(o->key));
    c->host->http_header(h, "authorization", text_view(&t));
}

static void put_target(struct weir_ctx *c, struct weir_http *h)
{
    const struct responses *o = c->self;
    struct weir_str base = str_of(o->url);
    struct text t = {.c = c};

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    text_str(&t, base);
    text_lit(&t, "/responses");
    c->host->http_target(h, "POST", text_view(&t));
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    put_credential(c, h);
    put_header(c, h, "openai-organization", o->organization);
    put_header(c, h, "openai-project", o->project);
}

static void splice_model(struct weir_ctx *c, struct weir_http *h, struct weir_str model)
{
    const struct weir_request *r = weir_request(c);
    struct text t = {.c = c};

    if (!model.len || str_eq(model, r->model))
        return;
    text_json(&t, model);
    c->host->http_splice(h, r->model_at, r->model_len, text_view(&t));
}

/* Reasoning that we handed to this client under our own mark: no server can read it, and its id names nothing. */
static bool is_foreign(const struct weir_json *j, uint32_t item)
{
    uint32_t data = weir_json_get(j, item, "encrypted_content");

    return type_is(j, item, "reasoning") && node_is_string(j, data) && str_starts(weir_json_text(j, data), "weir:");
}

/* Takes the foreign items out, each with one comma: the one behind it, or when all behind it go too, the one before the
 * first of them. */
static void splice_foreign(struct weir_ctx *c, struct weir_http *h, const struct weir_json *j, uint32_t input)
{
    uint32_t kept = WEIR_NO_NODE, run = WEIR_NO_NODE, end = 0, start;

    for (EACH_ITEM(j, item, input)) {
        uint32_t from = j->nodes[item].at;
        end = from + j->nodes[item].len;
        if (is_foreign(j, item)) {
            run = run == WEIR_NO_NODE ? item : run;
            continue;
        }
        if (run != WEIR_NO_NODE)
            c->host->http_splice(h, j->nodes[run].at, from - j->nodes[run].at, WEIR_STR(""));
        run = WEIR_NO_NODE;
        kept = item;
    }
    if (run == WEIR_NO_NODE)
        return;
    start = kept == WEIR_NO_NODE ? j->nodes[run].at : j->nodes[kept].at + j->nodes[kept].len;
    c->host->http_splice(h, start, end - start, WEIR_STR(""));
}

enum weir_verdict responses_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                   struct weir_error *e)
{
    const struct responses *o = c->self;
    struct responses_local *l = c->local;
    struct emit m = {.t.c = c};

    l->foreign = weir_canonical(c) != NULL;
    if (!l->foreign && !weir_body(c)) {
        snprintf(e->text, sizeof e->text, "there is no body to send");
        return WEIR_FAIL;
    }
    put_target(c, h);
    if (!l->foreign) {
        if (!o->stateful && kept_refuse(weir_body(c), e))
            return WEIR_UNSUPPORTED;
        splice_model(c, h, to->model);
        splice_foreign(c, h, weir_body(c), weir_json_get(weir_body(c), 0, "input"));
        return WEIR_PASS;
    }
    if (!lower_body(c, &m, to->model.len ? to->model : weir_request(c)->model, e))
        return WEIR_UNSUPPORTED;
    c->host->http_body(h, text_view(&m.t));
    return WEIR_PASS;
}
