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
    text_lit(&t, "https://bedrock-runtime.");
    text_str(&t, str_of(b->region));
    text_lit(&t, ".amazonaws.com");
    if (str_starts(str_of(b->region), "cn-"))
        text_lit(&t, ".cn");
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

/* ---- the client's body, as the stages left it ---- */

struct edit {
    uint32_t at, len;
    struct weir_str with;
};

/* The text of a span as it stood in the client's body. */
static struct weir_str span_was(struct weir_ctx *c, const struct weir_json *j, const struct weir_span *s)
{
    struct weir_str text = {j->text.ptr + s->at, s->len}, raw = weir_unescape(c, text);

    return s->form == WEIR_INNER_JSON ? weir_unescape(c, raw) : raw;
}

static struct weir_str span_now(struct weir_ctx *c, const struct weir_span *s)
{
    struct text once = {.c = c}, twice = {.c = c};

    text_json(&once, s->text);
    if (s->form != WEIR_INNER_JSON)
        return text_view(&once);
    text_json(&twice, text_view(&once));
    return text_view(&twice);
}

/* Spans stand in the order of the body, or nearly: what is out of order is put right here. */
static void edit_add(struct edit *edits, size_t n, struct edit e)
{
    while (n && edits[n - 1].at > e.at) {
        edits[n] = edits[n - 1];
        n--;
    }
    edits[n] = e;
}

static struct weir_str edited_body(struct weir_ctx *c, const struct weir_json *j)
{
    struct text t = {.c = c};
    struct edit *edits;
    size_t n, count = 0, at = 0;
    const struct weir_span *first = weir_spans(c, &n);

    if (!n)
        return j->text;
    edits = weir_alloc(c, n * sizeof *edits);
    for (size_t i = 0; i < n; i++) {
        const struct weir_span *s = weir_at(first, c->host->span_size, i);
        if (!str_eq(span_was(c, j, s), s->text))
            edit_add(edits, count++, (struct edit){s->at, s->len, span_now(c, s)});
    }
    if (!count)
        return j->text;
    for (size_t i = 0; i < count; i++) {
        text_put(&t, j->text.ptr + at, edits[i].at - at);
        text_str(&t, edits[i].with);
        at = (size_t)edits[i].at + edits[i].len;
    }
    text_put(&t, j->text.ptr + at, j->text.len - at);
    return text_view(&t);
}

/* ---- credentials ---- */

static int64_t decimal(struct weir_str s)
{
    int64_t v = 0;

    for (size_t i = 0; i < s.len && i < 18; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        v = v * 10 + (s.ptr[i] - '0');
    }
    return s.len ? v : -1;
}

/* HOST and PATH of a URL. */
static bool url_split(struct weir_str url, struct weir_str *host, struct weir_str *path)
{
    const char *p = memmem(url.ptr, url.len, "://", 3), *end = url.ptr + url.len, *slash;

    if (!p)
        return false;
    p += 3;
    slash = memchr(p, '/', (size_t)(end - p));
    if (!slash)
        return false;
    *host = (struct weir_str){p, (size_t)(slash - p)};
    *path = (struct weir_str){slash, (size_t)(end - slash)};
    return host->len > 0;
}

static bool sign(struct weir_ctx *c, struct weir_http *h, struct weir_str url, struct weir_str body,
                 struct weir_error *e)
{
    const struct bedrock *b = c->self;
    char date[AWS_DATE], hash[AWS_HASH], authorization[AWS_AUTHORIZATION];
    struct weir_str host, path;

    if (!aws_date(decimal(weir_fact(c, "time")), date) || !url_split(url, &host, &path))
        return cannot(e, "The request to Bedrock cannot be signed: no time, or an address that is none.");
    aws_hash(body, hash);
    struct aws_pair headers[] = {
        {WEIR_STR("content-type"), WEIR_STR("application/json")},
        {WEIR_STR("host"), host},
        {WEIR_STR("x-amz-content-sha256"), str_of(hash)},
        {WEIR_STR("x-amz-date"), str_of(date)},
        {WEIR_STR("x-amz-security-token"), str_of(b->session_token)},
    };
    const struct aws_request r = {
        .access_key = str_of(b->access_key),
        .secret_key = str_of(b->secret_key),
        .region = str_of(b->region),
        .service = WEIR_STR("bedrock"),
        .date = str_of(date),
        .method = WEIR_STR("POST"),
        .path = path,
        .headers = headers,
        .header_count = b->session_token[0] ? 5 : 4,
        .body_hash = str_of(hash),
    };
    if (!aws_sign(&r, authorization))
        return cannot(e, "The request to Bedrock cannot be signed: region, access_key or secret_key is too long.");
    c->host->http_header(h, "x-amz-content-sha256", str_of(hash));
    c->host->http_header(h, "x-amz-date", str_of(date));
    if (b->session_token[0])
        c->host->http_header(h, "x-amz-security-token", str_of(b->session_token));
    c->host->http_header(h, "authorization", str_of(authorization));
    return true;
}

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
    bool made = weir_canonical(c) != NULL, signs = !b->key[0] && b->access_key[0];
    const struct weir_json *j = weir_body(c);
    struct weir_str url = target_url(c, to->model);
    struct text body = {.c = c};
    struct weir_str sent;
    enum weir_verdict v;

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
    sent = made ? text_view(&body) : signs ? edited_body(c, j) : WEIR_STR("");
    if (made || signs)
        c->host->http_body(h, sent);
    if (b->key[0])
        put_bearer(c, h);
    else if (signs && !sign(c, h, url, sent, e))
        return WEIR_FAIL;
    return WEIR_PASS;
}
