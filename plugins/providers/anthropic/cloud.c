/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud.c -- Claude on Google's Vertex AI (rawPredict) and on Amazon Bedrock (invoke): the same bodies with the model
 * in the URL and the version in the body; and how each is paid for.  Called by encode.c, and by the keeper.
 *
 * Members keep their order and their bytes, so that prompt caches hold.
 */
#include <stdio.h>

#include "anthropic.h"
#include "aws.h"
#include "google.h"
#include "source.h"

enum platform cloud_platform(const struct anthropic *o)
{
    return strcmp(o->platform, "vertex") == 0    ? PLATFORM_VERTEX
           : strcmp(o->platform, "bedrock") == 0 ? PLATFORM_BEDROCK
                                                 : PLATFORM_ANTHROPIC;
}

/* ---- credentials ---- */

bool cloud_keeps(const struct anthropic *o)
{
    if (o->key[0] || strcmp(o->auth, "none") == 0)
        return false;
    return cloud_platform(o) == PLATFORM_VERTEX ||
           (cloud_platform(o) == PLATFORM_BEDROCK && strcmp(o->credentials, "static") != 0);
}

bool cloud_credential(struct weir_ctx *c, struct weir_credential *out, struct weir_error *e)
{
    const struct anthropic *o = c->self;
    const struct google_source google = {.file = o->service_account, .url = o->credential_url};
    const struct aws_source aws = {
        .credentials = o->credentials, .profile = o->profile, .region = o->region, .url = o->credential_url};

    if (!cloud_keeps(o))
        return true;
    return cloud_platform(o) == PLATFORM_VERTEX ? google_token(c, &google, out, e) : aws_source_get(c, &aws, out, e);
}

bool cloud_sign(struct weir_ctx *c, struct weir_http *h, struct weir_str kept, struct weir_str url,
                struct weir_str body, struct weir_error *e)
{
    const struct anthropic *o = c->self;
    struct aws_keys keys = {str_of(o->access_key), str_of(o->secret_key), str_of(o->session_token)};

    if (kept.len)
        aws_keys_read(kept, &keys);
    return !keys.id.len || aws_sign_post(c, h, &keys, o->region, "bedrock", url, body, e);
}

/* ---- where to ---- */

/* One segment of a path; the @ of Google's versions stays. */
static void put_segment(struct text *t, struct weir_str model)
{
    while (model.len) {
        const char *at = memchr(model.ptr, '@', model.len);
        size_t n = at ? (size_t)(at - model.ptr) : model.len;
        aws_encode(t, (struct weir_str){model.ptr, n});
        if (at)
            text_lit(t, "@");
        n += at != NULL;
        model = (struct weir_str){model.ptr + n, model.len - n};
    }
}

static void put_base(struct text *t, const struct anthropic *o)
{
    struct weir_str base = str_of(o->url);

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    if (strcmp(o->url, ANTHROPIC_URL) != 0)
        text_str(t, base);
    else if (cloud_platform(o) == PLATFORM_VERTEX)
        google_vertex_put(t, o->location);
    else
        aws_bedrock_put(t, o->region);
}

struct weir_str cloud_url(struct weir_ctx *c, struct weir_str model)
{
    const struct anthropic *o = c->self;
    const struct weir_request *r = weir_request(c);
    struct text t = {.c = c};

    put_base(&t, o);
    if (cloud_platform(o) == PLATFORM_BEDROCK) {
        text_lit(&t, "/model/");
        aws_encode(&t, model);
        text_str(&t, r->stream ? WEIR_STR("/invoke-with-response-stream") : WEIR_STR("/invoke"));
        return text_view(&t);
    }
    text_lit(&t, "/projects/");
    text_str(&t, str_of(o->project));
    text_lit(&t, "/locations/");
    text_str(&t, str_of(o->location));
    text_lit(&t, "/publishers/anthropic/models/");
    if (r->kind == WEIR_COUNT_TOKENS)
        text_lit(&t, "count-tokens");
    else
        put_segment(&t, model);
    text_str(&t, r->stream ? WEIR_STR(":streamRawPredict") : WEIR_STR(":rawPredict"));
    return text_view(&t);
}

/* ---- the body ---- */

/* Models before 4.5 know no lifetime of caches on Bedrock, and no cache_control of the whole request. */
static bool is_old(struct weir_str model)
{
    static const char *const old[] = {"claude-v2", "claude-instant", "claude-3", "-4-2025", "opus-4-1"};

    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (memmem(model.ptr, model.len, old[i], strlen(old[i])))
            return true;
    return false;
}

static void put_without(struct emit *m, const struct weir_json *j, uint32_t object, const char *name)
{
    emit_open(m, '{');
    for (EACH_KEY(j, k, object)) {
        if (weir_json_eq(j, k, name, strlen(name)))
            continue;
        emit_quoted(m, weir_json_text(j, k));
        text_lit(&m->t, ":");
        m->comma = false;
        emit_node(m, j, k + 1);
    }
    emit_close(m, '}');
}

static bool has_ttl(const struct weir_json *j, uint32_t n)
{
    return weir_json_is(j, n, WEIR_JSON_OBJECT) && j->nodes[n - 1].type == WEIR_JSON_STRING &&
           KEY_IS(j, n - 1, "cache_control") && weir_json_get(j, n, "ttl") != WEIR_NO_NODE;
}

/* A value as it stands, but for the lifetimes of caches. */
static void put_value(struct weir_ctx *c, struct emit *m, const struct weir_json *j, uint32_t value)
{
    uint32_t at = j->nodes[value].at, end = at + j->nodes[value].len;

    for (uint32_t n = value; n < j->nodes[value].next; n++) {
        if (!has_ttl(j, n))
            continue;
        text_put(&m->t, j->text.ptr + at, j->nodes[n].at - at);
        m->comma = false;
        put_without(m, j, n, "ttl");
        at = j->nodes[n].at + j->nodes[n].len;
        weir_lossy(c, WEIR_STR("cache_control.ttl"), true);
    }
    text_put(&m->t, j->text.ptr + at, end - at);
    m->comma = true;
}

static void put_member(struct weir_ctx *c, struct emit *m, const struct weir_json *j, uint32_t key, bool old)
{
    emit_quoted(m, weir_json_text(j, key));
    text_lit(&m->t, ":");
    m->comma = false;
    if (old && j->nodes[key + 1].type != WEIR_JSON_STRING)
        put_value(c, m, j, key + 1);
    else
        emit_node(m, j, key + 1);
}

static bool knows_beta(const struct anthropic *o, struct weir_str flag)
{
    for (size_t i = 0; i < o->betas.count; i++)
        if (str_is(flag, o->betas.items[i]))
            return true;
    return false;
}

static void tell_beta(struct weir_ctx *c, struct weir_str flag)
{
    struct text t = {.c = c};

    text_lit(&t, "anthropic-beta:");
    text_str(&t, flag);
    weir_lossy(c, text_view(&t), true);
}

/* "a, b" -> ["a","b"], those that Bedrock knows. */
static void put_betas(struct weir_ctx *c, struct emit *m, struct weir_str betas)
{
    bool any = false;

    while (betas.len) {
        const char *comma = memchr(betas.ptr, ',', betas.len);
        size_t n = comma ? (size_t)(comma - betas.ptr) : betas.len;
        struct weir_str flag = source_trim((struct weir_str){betas.ptr, n});
        n += comma != NULL;
        betas = (struct weir_str){betas.ptr + n, betas.len - n};
        if (flag.len && !knows_beta(c->self, flag)) {
            tell_beta(c, flag);
        } else if (flag.len) {
            if (!any) {
                emit_key(m, "anthropic_beta");
                emit_open(m, '[');
            }
            any = true;
            emit_text(m, flag);
        }
    }
    if (any)
        emit_close(m, ']');
}

/* Whether a member of the body does not go along. */
static bool is_left_out(struct weir_ctx *c, const struct weir_json *j, uint32_t key, bool bedrock, bool old)
{
    bool counts = weir_request(c)->kind == WEIR_COUNT_TOKENS;

    if (old && KEY_IS(j, key, "cache_control")) {
        weir_lossy(c, WEIR_STR("cache_control"), true);
        return true;
    }
    return (KEY_IS(j, key, "model") && !counts) || (bedrock && KEY_IS(j, key, "stream"));
}

struct weir_str cloud_body(struct weir_ctx *c, struct weir_str body, struct weir_str model, struct weir_str betas,
                           struct weir_error *e)
{
    bool bedrock = cloud_platform(c->self) == PLATFORM_BEDROCK, old = bedrock && is_old(model);
    const struct weir_json *j = weir_skim(c, body, e);
    struct emit m = {.t.c = c};

    if (!j || !weir_json_is(j, 0, WEIR_JSON_OBJECT))
        return (struct weir_str){NULL, 0};
    emit_open(&m, '{');
    if (weir_json_get(j, 0, "anthropic_version") == WEIR_NO_NODE)
        emit_member_text(&m, "anthropic_version",
                         bedrock ? WEIR_STR("bedrock-2023-05-31") : WEIR_STR("vertex-2023-10-16"));
    if (bedrock && weir_json_get(j, 0, "anthropic_beta") == WEIR_NO_NODE)
        put_betas(c, &m, betas);
    for (EACH_KEY(j, k, 0))
        if (!is_left_out(c, j, k, bedrock, old))
            put_member(c, &m, j, k, old);
    emit_close(&m, '}');
    return text_view(&m.t);
}
