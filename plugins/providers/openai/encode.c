/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- the request -> what is sent to an OpenAI-like server: the client's bytes, but for `model` when the
 * endpoint calls it by another name, and include_usage in streams; of a client of another dialect, what lower.c makes.
 * Host: step `try`, worker process.
 */
#include "lower.h"

#include <stdio.h>

static void put_header(struct weir_ctx *c, struct weir_http *h, const char *name, const char *value)
{
    if (value[0])
        c->host->http_header(h, name, str_of(value));
}

static void put_credential(struct weir_ctx *c, struct weir_http *h)
{
    const struct openai *o = c->self;
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

/* As one segment of a path. */
static void put_segment(struct text *t, struct weir_str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.ptr[i];
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
                     ch == '.' || ch == '_' || ch == '~';
        char coded[3] = {'%', hex[ch >> 4], hex[ch & 15]};
        text_put(t, plain ? (const char *)&ch : coded, plain ? 1 : 3);
    }
}

static const char *operation(enum weir_kind kind)
{
    switch (kind) {
    case WEIR_COMPLETION:
        return "/completions";
    case WEIR_EMBEDDING:
        return "/embeddings";
    case WEIR_RERANK:
        return "/rerank";
    case WEIR_MODERATION:
        return "/moderations";
    default:
        return "/chat/completions";
    }
}

/* What is passed on goes to the path that the client named; openai_accept_media() has judged it. */
static void put_path(struct text *t, const struct weir_request *r)
{
    text_str(t, str_behind(r->path, "/v1"));
    if (r->query.len) {
        text_lit(t, "?");
        text_str(t, r->query);
    }
}

static struct weir_str target_url(struct weir_ctx *c, enum weir_kind kind, struct weir_str model)
{
    const struct openai *o = c->self;
    struct weir_str base = str_of(o->url);
    struct text t = {.c = c};

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    text_str(&t, base);
    if (kind >= WEIR_IMAGE && !o->api_version[0]) {
        put_path(&t, weir_request(c));
        return text_view(&t);
    }
    if (o->api_version[0])
        text_lit(&t, "/openai");
    if (o->api_version[0] && kind < WEIR_FILE) {
        text_lit(&t, "/deployments/");
        put_segment(&t, model);
    }
    text_str(&t, kind >= WEIR_IMAGE ? str_behind(weir_request(c)->path, "/v1") : str_of(operation(kind)));
    if (o->api_version[0]) {
        text_lit(&t, "?api-version=");
        put_segment(&t, str_of(o->api_version));
        if (kind >= WEIR_IMAGE && weir_request(c)->query.len) {
            text_lit(&t, "&");
            text_str(&t, weir_request(c)->query);
        }
    }
    return text_view(&t);
}

/* ---- splices ---- */

static void splice_model(struct weir_ctx *c, struct weir_http *h, const struct weir_json *j, struct weir_str model)
{
    const struct weir_request *r = weir_request(c);
    struct text t = {.c = c};

    if (!model.len || str_eq(model, r->model))
        return;
    if (r->model_at) {
        text_json(&t, model);
        c->host->http_splice(h, r->model_at, r->model_len, text_view(&t));
        return;
    }
    text_lit(&t, "\"model\":\"");
    text_json(&t, model);
    if (weir_json_first(j, 0) == WEIR_NO_NODE)
        text_lit(&t, "\"");
    else
        text_lit(&t, "\",");
    c->host->http_splice(h, j->nodes[0].at + 1, 0, text_view(&t));
}

/* Behind the value of `stream`, so that what the body begins with stays as it is. */
static void splice_usage(struct weir_ctx *c, struct weir_http *h, const struct weir_json *j)
{
    uint32_t stream = weir_json_get(j, 0, "stream"), options = weir_json_get(j, 0, "stream_options");
    uint32_t usage = weir_json_get(j, options, "include_usage");

    if (options == WEIR_NO_NODE)
        c->host->http_splice(h, j->nodes[stream].at + j->nodes[stream].len, 0,
                             WEIR_STR(",\"stream_options\":{\"include_usage\":true}"));
    else if (!weir_json_is(j, options, WEIR_JSON_OBJECT))
        c->host->http_splice(h, j->nodes[options].at, j->nodes[options].len, WEIR_STR("{\"include_usage\":true}"));
    else if (usage != WEIR_NO_NODE)
        c->host->http_splice(h, j->nodes[usage].at, j->nodes[usage].len, WEIR_STR("true"));
    else if (weir_json_first(j, options) != WEIR_NO_NODE)
        c->host->http_splice(h, j->nodes[options].at + 1, 0, WEIR_STR("\"include_usage\":true,"));
    else
        c->host->http_splice(h, j->nodes[options].at + 1, 0, WEIR_STR("\"include_usage\":true"));
}

/* ---- a client of another dialect ---- */

static enum weir_verdict encode_lowered(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                        struct weir_error *e)
{
    struct lower w = {.c = c, .j = weir_canonical(c), .e = e, .o = c->self, .m.t.c = c};
    enum weir_kind kind = weir_request(c)->kind;
    bool ok = kind == WEIR_EMBEDDING ? lower_embedding(&w, to->model)
              : kind == WEIR_RERANK  ? lower_rerank(&w, to->model)
                                     : lower_chat(&w, to->model);

    if (!ok)
        return WEIR_UNSUPPORTED;
    c->host->http_body(h, text_view(&w.m.t));
    return WEIR_PASS;
}

static const char *method_of(const struct weir_request *r)
{
    return r->kind < WEIR_FILE           ? "POST"
           : str_is(r->method, "GET")    ? "GET"
           : str_is(r->method, "DELETE") ? "DELETE"
                                         : "POST";
}

enum weir_verdict openai_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                struct weir_error *e)
{
    const struct openai *o = c->self;
    const struct weir_request *r = weir_request(c);
    const struct weir_json *j = weir_body(c);
    struct openai_local *l = c->local;

    l->lowered = weir_canonical(c) != NULL;
    if (!l->lowered && !j && r->kind < WEIR_FILE) {
        snprintf(e->text, sizeof e->text, "there is no body to send");
        return WEIR_FAIL;
    }
    if (o->api_version[0] && r->kind < WEIR_FILE &&
        (!to->model.len || str_is(to->model, ".") || str_is(to->model, ".."))) {
        snprintf(e->text, sizeof e->text, "the model's name is none that a deployment can have");
        return WEIR_UNSUPPORTED;
    }
    c->host->http_target(h, method_of(r), target_url(c, r->kind, to->model));
    if (!r->form && (j || l->lowered))
        c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    put_credential(c, h);
    put_header(c, h, "openai-organization", o->organization);
    put_header(c, h, "openai-project", o->project);
    if (l->lowered)
        return encode_lowered(c, to, h, e);
    if (j && r->kind < WEIR_FILE)
        splice_model(c, h, j, to->model);
    if (r->stream && !r->usage_asked && o->include_usage)
        splice_usage(c, h, j);
    return WEIR_PASS;
}
