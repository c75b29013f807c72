/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- a request -> what is sent to Anthropic.  A client of this dialect: the same bytes, but for `model` when
 * the endpoint calls it by another name, and for thinking that another vendor did.  Else the body is made of the
 * canonical request (lower.c).  Host: step `try`, worker process.
 */
#include "anthropic.h"

#include <stdio.h>

/* ---- headers ---- */

static void put_header(struct weir_ctx *c, struct weir_http *h, const char *name, struct weir_str value)
{
    if (value.len)
        c->host->http_header(h, name, value);
}

static void put_bearer(struct weir_ctx *c, struct weir_http *h, struct weir_str token)
{
    struct text t = {.c = c};

    text_lit(&t, "Bearer ");
    text_str(&t, token);
    if (token.len)
        c->host->http_header(h, "authorization", text_view(&t));
}

static void put_credential(struct weir_ctx *c, struct weir_http *h)
{
    const struct anthropic *o = c->self;

    if (!o->key[0] || strcmp(o->auth, "none") == 0)
        return;
    if (strcmp(o->auth, "x-api-key") == 0) {
        c->host->http_header(h, "x-api-key", str_of(o->key));
        return;
    }
    put_bearer(c, h, str_of(o->key));
}

/* A line "name: value" of the client's headers. */
static bool next_line(struct weir_str *lines, struct weir_str *name, struct weir_str *value)
{
    const char *end = lines->len ? memchr(lines->ptr, '\n', lines->len) : NULL, *colon;

    if (!end)
        return false;
    colon = memchr(lines->ptr, ':', (size_t)(end - lines->ptr));
    if (!colon || end - colon < 2)
        return false;
    *name = (struct weir_str){lines->ptr, (size_t)(colon - lines->ptr)};
    *value = (struct weir_str){colon + 2, (size_t)(end - colon - 2)};
    lines->len -= (size_t)(end + 1 - lines->ptr);
    lines->ptr = end + 1;
    return true;
}

/* What the client says of version, betas and whatever Anthropic will think of goes on as it is; the configuration only
 * fills gaps. */
static void put_anthropic_headers(struct weir_ctx *c, struct weir_http *h, bool same)
{
    const struct anthropic *o = c->self;
    struct weir_str version = same ? weir_fact(c, "header.anthropic-version") : WEIR_STR("");
    struct weir_str beta = same ? weir_fact(c, "header.anthropic-beta") : WEIR_STR("");
    struct weir_str lines = same ? weir_fact(c, "headers.anthropic-") : WEIR_STR(""), name, value;

    put_header(c, h, "anthropic-version", version.len ? version : str_of(o->version));
    put_header(c, h, "anthropic-beta", beta.len ? beta : str_of(o->beta));
    while (next_line(&lines, &name, &value)) {
        struct weir_str z = text_keep(c, name); /* zeroed memory: ended by 0 */
        if (!str_is(name, "anthropic-version") && !str_is(name, "anthropic-beta"))
            put_header(c, h, z.ptr, value);
    }
}

static struct weir_str target_url(struct weir_ctx *c, bool same)
{
    const struct anthropic *o = c->self;
    const struct weir_request *r = weir_request(c);
    struct weir_str base = str_of(o->url);
    struct text t = {.c = c};

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    text_str(&t, base);
    if (r->kind >= WEIR_FILE) {
        kept_target(&t, r);
        return text_view(&t);
    }
    if (r->kind == WEIR_COUNT_TOKENS)
        text_lit(&t, "/messages/count_tokens");
    else
        text_lit(&t, "/messages");
    if (same && str_is(r->query, "beta=true"))
        text_lit(&t, "?beta=true");
    return text_view(&t);
}

/* ---- the client's bytes ---- */

struct edits {
    struct weir_ctx *c;
    struct edit *list;
    size_t count, cap;
};

static void edit_add(struct edits *x, uint32_t at, uint32_t len, struct weir_str with)
{
    if (x->count == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 4;
        struct edit *more = weir_alloc(x->c, cap * sizeof *more);
        if (x->count)
            memcpy(more, x->list, x->count * sizeof *more);
        x->list = more;
        x->cap = cap;
    }
    x->list[x->count++] = (struct edit){at, len, with};
}

static void edit_model(struct edits *x, struct weir_str model)
{
    const struct weir_request *r = weir_request(x->c);
    struct text t = {.c = x->c};

    if (!model.len || str_eq(model, r->model))
        return;
    text_json(&t, model);
    edit_add(x, r->model_at, r->model_len, text_view(&t));
}

/* Thinking that we handed to this client under our own mark: Anthropic would refuse its signature. */
static bool is_foreign(const struct weir_json *j, uint32_t block)
{
    uint32_t sign = weir_json_get(j, block, "signature"), data = weir_json_get(j, block, "data");
    uint32_t type = weir_json_get(j, block, "type");

    if (node_says(j, type, "thinking"))
        return node_is_string(j, sign) && str_starts(weir_json_text(j, sign), "weir:");
    return node_says(j, type, "redacted_thinking") && node_is_string(j, data) &&
           str_starts(weir_json_text(j, data), "weir:");
}

/* Takes the foreign blocks out of a content, each with one comma: the one behind it, or when all behind it go too, the
 * one before the first of them. */
static void edit_foreign(struct edits *x, const struct weir_json *j, uint32_t content)
{
    uint32_t kept = WEIR_NO_NODE, run = WEIR_NO_NODE, end = 0;

    for (EACH_ITEM(j, block, content)) {
        uint32_t from = j->nodes[block].at;
        end = from + j->nodes[block].len;
        if (is_foreign(j, block)) {
            run = run == WEIR_NO_NODE ? block : run;
            continue;
        }
        if (run != WEIR_NO_NODE)
            edit_add(x, j->nodes[run].at, from - j->nodes[run].at, WEIR_STR(""));
        run = WEIR_NO_NODE;
        kept = block;
    }
    if (run == WEIR_NO_NODE)
        return;
    uint32_t start = kept == WEIR_NO_NODE ? j->nodes[run].at : j->nodes[kept].at + j->nodes[kept].len;
    edit_add(x, start, end - start, WEIR_STR(""));
}

static void edits_make(struct edits *x, const struct weir_json *j, struct weir_str model)
{
    edit_model(x, model);
    for (EACH_ITEM(j, m, weir_json_get(j, 0, "messages")))
        edit_foreign(x, j, weir_json_get(j, m, "content"));
}

static void encode_same(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                        const struct weir_json *j)
{
    struct edits x = {.c = c};

    edits_make(&x, j, to->model);
    for (size_t i = 0; i < x.count; i++)
        c->host->http_splice(h, x.list[i].at, x.list[i].len, x.list[i].with);
}

/* ---- other platforms ---- */

/* The whole body as Anthropic would get it.  ptr NULL: it cannot be said. */
static struct weir_str whole_body(struct weir_ctx *c, struct weir_str model, struct weir_error *e)
{
    const struct weir_json *j = weir_body(c);
    struct edits x = {.c = c};
    struct emit m = {.t.c = c};

    if (weir_canonical(c))
        return lower_body(c, &m, model, e) ? text_view(&m.t) : (struct weir_str){NULL, 0};
    edits_make(&x, j, model);
    return edited_body(c, j, x.list, x.count);
}

static struct weir_str betas_of(struct weir_ctx *c)
{
    const struct anthropic *o = c->self;
    struct weir_str said = weir_canonical(c) ? WEIR_STR("") : weir_fact(c, "header.anthropic-beta");

    return said.len ? said : str_of(o->beta);
}

static enum weir_verdict encode_cloud(struct weir_ctx *c, struct weir_str model, struct weir_http *h,
                                      struct weir_error *e)
{
    const struct anthropic *o = c->self;
    bool bedrock = cloud_platform(o) == PLATFORM_BEDROCK;
    struct weir_str kept = cloud_keeps(o) ? weir_credential(c) : WEIR_STR(""), url, body;

    if (!kept.ptr)
        return WEIR_WAIT;
    if (bedrock && weir_request(c)->kind == WEIR_COUNT_TOKENS) {
        snprintf(e->text, sizeof e->text, "Bedrock does not count tokens of this API.");
        return WEIR_UNSUPPORTED;
    }
    body = whole_body(c, model, e);
    if (body.ptr)
        body = cloud_body(c, body, model, betas_of(c), e);
    if (!body.ptr)
        return WEIR_UNSUPPORTED;
    url = cloud_url(c, model);
    c->host->http_target(h, "POST", url);
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    c->host->http_body(h, body);
    if (bedrock)
        c->host->http_enveloped(h);
    else
        put_header(c, h, "anthropic-beta", betas_of(c));
    if (strcmp(o->auth, "none") == 0)
        return WEIR_PASS;
    if (!bedrock || o->key[0])
        put_bearer(c, h, o->key[0] ? str_of(o->key) : kept);
    else if (!cloud_sign(c, h, kept, url, body, e))
        return WEIR_FAIL;
    return WEIR_PASS;
}

enum weir_verdict anthropic_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                   struct weir_error *e)
{
    struct anthropic_local *l = c->local;
    struct weir_str model = to->model.len ? to->model : weir_request(c)->model;
    bool same = weir_canonical(c) == NULL;
    struct emit m = {.t.c = c};

    l->canonical = weir_canonical(c);
    if (weir_request(c)->kind >= WEIR_FILE) {
        c->host->http_target(h, kept_method(weir_request(c)), target_url(c, true));
        put_credential(c, h);
        put_anthropic_headers(c, h, true);
        return WEIR_PASS;
    }
    if (same && !weir_body(c)) {
        snprintf(e->text, sizeof e->text, "there is no body to send");
        return WEIR_FAIL;
    }
    if (cloud_platform(c->self) != PLATFORM_ANTHROPIC)
        return encode_cloud(c, model, h, e);
    if (same)
        encode_same(c, to, h, weir_body(c));
    else if (lower_body(c, &m, model, e))
        c->host->http_body(h, text_view(&m.t));
    else
        return WEIR_UNSUPPORTED;
    c->host->http_target(h, "POST", target_url(c, same));
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    put_credential(c, h);
    put_anthropic_headers(c, h, same);
    return WEIR_PASS;
}
