/* SPDX-License-Identifier: Apache-2.0 */
/* aws_post.c -- a POST that is signed as AWS wants it; see aws_keys.h. */
#include <stdio.h>

#include "aws.h"
#include "aws_keys.h"
#include "source.h"

void aws_bedrock_put(struct text *t, const char *region)
{
    text_lit(t, "https://bedrock-runtime.");
    text_str(t, str_of(region));
    text_lit(t, ".amazonaws.com");
    if (strncmp(region, "cn-", 3) == 0)
        text_lit(t, ".cn");
}

/* HOST and PATH of a URL without a query. */
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

bool aws_sign_post(struct weir_ctx *c, struct weir_http *h, const struct aws_keys *k, const char *region,
                   const char *service, struct weir_str url, struct weir_str body, struct weir_error *e)
{
    char date[AWS_DATE], hash[AWS_HASH], authorization[AWS_AUTHORIZATION];
    struct weir_str host, path;

    snprintf(e->code, sizeof e->code, "provider_misconfigured");
    if (!aws_date(source_now(c), date) || !url_split(url, &host, &path))
        return source_fail(e, "The request to AWS cannot be signed: no time, or an address that is none.");
    aws_hash(body, hash);
    struct aws_pair headers[] = {
        {WEIR_STR("content-type"), WEIR_STR("application/json")},
        {WEIR_STR("host"), host},
        {WEIR_STR("x-amz-content-sha256"), str_of(hash)},
        {WEIR_STR("x-amz-date"), str_of(date)},
        {WEIR_STR("x-amz-security-token"), k->token},
    };
    const struct aws_request r = {
        .access_key = k->id,
        .secret_key = k->secret,
        .region = str_of(region),
        .service = str_of(service),
        .date = str_of(date),
        .method = WEIR_STR("POST"),
        .path = path,
        .headers = headers,
        .header_count = k->token.len ? 5 : 4,
        .body_hash = str_of(hash),
    };
    if (!aws_sign(&r, authorization))
        return source_fail(e, "The request to AWS cannot be signed: the region or a key is too long.");
    e->code[0] = '\0';
    c->host->http_header(h, "x-amz-content-sha256", str_of(hash));
    c->host->http_header(h, "x-amz-date", str_of(date));
    if (k->token.len)
        c->host->http_header(h, "x-amz-security-token", k->token);
    c->host->http_header(h, "authorization", str_of(authorization));
    return true;
}
