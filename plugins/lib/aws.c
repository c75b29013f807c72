/* SPDX-License-Identifier: Apache-2.0 */
/* aws.c -- Signature Version 4; see aws.h.  The canonical request is hashed as it is made, so it stands nowhere. */
#include "aws.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHA256 32

/* ---- hashes: libcrypto fails only without memory, and then nothing goes on ---- */

static void need(bool ok)
{
    if (!ok)
        abort();
}

static void hex_put(const unsigned char sum[SHA256], char hex[AWS_HASH])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[2 * SHA256] = '\0';
}

void aws_hash(struct weir_str body, char hex[AWS_HASH])
{
    unsigned char sum[SHA256];

    need(EVP_Digest(body.len ? body.ptr : "", body.len, sum, NULL, EVP_sha256(), NULL) == 1);
    hex_put(sum, hex);
}

static void hash_put(EVP_MD_CTX *md, struct weir_str s)
{
    if (s.len)
        need(EVP_DigestUpdate(md, s.ptr, s.len) == 1);
}

/* key = HMAC(key, text) */
static void key_next(unsigned char key[SHA256], struct weir_str text)
{
    unsigned char next[SHA256];

    need(HMAC(EVP_sha256(), key, SHA256, (const unsigned char *)text.ptr, text.len, next, NULL) != NULL);
    memcpy(key, next, SHA256);
}

/* ---- percent-encoding ---- */

/* Bytes of one encoded character. */
static size_t char_encode(char ch, bool keep_slash, char out[3])
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char u = (unsigned char)ch;

    if ((u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') || (u >= '0' && u <= '9') || u == '-' || u == '.' ||
        u == '_' || u == '~' || (u == '/' && keep_slash)) {
        out[0] = ch;
        return 1;
    }
    out[0] = '%';
    out[1] = digits[u >> 4];
    out[2] = digits[u & 15];
    return 3;
}

void aws_encode(struct text *t, struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char out[3];
        size_t n = char_encode(s.ptr[i], false, out);
        text_put(t, out, n);
    }
}

static void hash_encoded(EVP_MD_CTX *md, struct weir_str s, bool keep_slash)
{
    for (size_t i = 0; i < s.len; i++) {
        char out[3];
        size_t n = char_encode(s.ptr[i], keep_slash, out);
        hash_put(md, (struct weir_str){out, n});
    }
}

/* ---- the query: by encoded name, then by encoded value ---- */

static int order_encoded(struct weir_str a, struct weir_str b)
{
    char x[3], y[3];

    for (size_t i = 0; i < a.len && i < b.len; i++) {
        size_t n = char_encode(a.ptr[i], false, x), m = char_encode(b.ptr[i], false, y);
        int order = memcmp(x, y, n < m ? n : m);
        if (order)
            return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static int order_query(const struct aws_pair *a, const struct aws_pair *b)
{
    int order = order_encoded(a->name, b->name);

    return order ? order : order_encoded(a->value, b->value);
}

/* ---- headers: by name in lower case ---- */

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch | 32) : ch;
}

static int order_header(const struct aws_pair *a, const struct aws_pair *b)
{
    for (size_t i = 0; i < a->name.len && i < b->name.len; i++) {
        unsigned char x = (unsigned char)lower(a->name.ptr[i]), y = (unsigned char)lower(b->name.ptr[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a->name.len < b->name.len ? -1 : a->name.len > b->name.len;
}

static void hash_lower(EVP_MD_CTX *md, struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = lower(s.ptr[i]);
        hash_put(md, (struct weir_str){&ch, 1});
    }
}

/* Without spaces at its ends, several in a row as one. */
static void hash_value(EVP_MD_CTX *md, struct weir_str s)
{
    bool space = false, any = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ' ' || s.ptr[i] == '\t') {
            space = any;
            continue;
        }
        if (space)
            hash_put(md, WEIR_STR(" "));
        hash_put(md, (struct weir_str){s.ptr + i, 1});
        space = false;
        any = true;
    }
}

/* ---- the request ---- */

struct sorted {
    const struct aws_pair *query[AWS_PAIRS], *headers[AWS_PAIRS];
};

/* By insertion: there are a handful. */
static void sort(const struct aws_pair **to, const struct aws_pair *from, size_t n,
                 int (*order)(const struct aws_pair *, const struct aws_pair *))
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at && order(&from[i], to[at - 1]) < 0; at--)
            to[at] = to[at - 1];
        to[at] = &from[i];
    }
}

static void hash_names(EVP_MD_CTX *md, const struct aws_request *r, const struct sorted *s)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (i)
            hash_put(md, WEIR_STR(";"));
        hash_lower(md, s->headers[i]->name);
    }
}

static void hash_request(const struct aws_request *r, const struct sorted *s, char hex[AWS_HASH])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char sum[SHA256];

    need(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    hash_put(md, r->method);
    hash_put(md, WEIR_STR("\n"));
    if (str_is(r->service, "s3")) /* all others encode a second time what is sent */
        hash_put(md, r->path);
    else
        hash_encoded(md, r->path, true);
    hash_put(md, WEIR_STR("\n"));
    for (size_t i = 0; i < r->query_count; i++) {
        hash_put(md, i ? WEIR_STR("&") : WEIR_STR(""));
        hash_encoded(md, s->query[i]->name, false);
        hash_put(md, WEIR_STR("="));
        hash_encoded(md, s->query[i]->value, false);
    }
    hash_put(md, WEIR_STR("\n"));
    for (size_t i = 0; i < r->header_count; i++) {
        hash_lower(md, s->headers[i]->name);
        hash_put(md, WEIR_STR(":"));
        hash_value(md, s->headers[i]->value);
        hash_put(md, WEIR_STR("\n"));
    }
    hash_put(md, WEIR_STR("\n"));
    hash_names(md, r, s);
    hash_put(md, WEIR_STR("\n"));
    hash_put(md, r->body_hash);
    need(EVP_DigestFinal_ex(md, sum, NULL) == 1);
    EVP_MD_CTX_free(md);
    hex_put(sum, hex);
}

static void key_make(const struct aws_request *r, unsigned char key[SHA256])
{
    char first[512] = "AWS4";

    memcpy(first + 4, r->secret_key.ptr, r->secret_key.len);
    need(HMAC(EVP_sha256(), first, (int)(4 + r->secret_key.len), (const unsigned char *)r->date.ptr, 8, key, NULL) !=
         NULL);
    OPENSSL_cleanse(first, sizeof first);
    key_next(key, r->region);
    key_next(key, r->service);
    key_next(key, WEIR_STR("aws4_request"));
}

static bool append(char *out, size_t size, size_t *at, struct weir_str s)
{
    if (s.len >= size - *at)
        return false;
    for (size_t i = 0; i < s.len; i++)
        out[(*at)++] = s.ptr[i];
    out[*at] = '\0';
    return true;
}

static bool scope_make(const struct aws_request *r, char scope[256])
{
    const struct weir_str parts[] = {{r->date.ptr, 8}, WEIR_STR("/"), r->region,
                                     WEIR_STR("/"),    r->service,    WEIR_STR("/aws4_request")};
    size_t at = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!append(scope, 256, &at, parts[i]))
            return false;
    return true;
}

static bool header_make(const struct aws_request *r, const struct sorted *s, const char *scope, const char *signature,
                        char *out)
{
    size_t at = 0;
    bool ok = append(out, AWS_AUTHORIZATION, &at, WEIR_STR("AWS4-HMAC-SHA256 Credential=")) &&
              append(out, AWS_AUTHORIZATION, &at, r->access_key) &&
              append(out, AWS_AUTHORIZATION, &at, WEIR_STR("/")) &&
              append(out, AWS_AUTHORIZATION, &at, str_of(scope)) &&
              append(out, AWS_AUTHORIZATION, &at, WEIR_STR(", SignedHeaders="));

    for (size_t i = 0; ok && i < r->header_count; i++) {
        size_t from = at;
        ok = (!i || append(out, AWS_AUTHORIZATION, &from, WEIR_STR(";")));
        at = from;
        ok = ok && append(out, AWS_AUTHORIZATION, &at, s->headers[i]->name);
        for (; ok && from < at; from++)
            out[from] = lower(out[from]);
    }
    return ok && append(out, AWS_AUTHORIZATION, &at, WEIR_STR(", Signature=")) &&
           append(out, AWS_AUTHORIZATION, &at, str_of(signature));
}

bool aws_sign(const struct aws_request *r, char authorization[AWS_AUTHORIZATION])
{
    char scope[256], hash[AWS_HASH], text[512];
    unsigned char key[SHA256], sum[SHA256];
    struct sorted s;
    int n;

    if (r->query_count > AWS_PAIRS || r->header_count > AWS_PAIRS || r->date.len != AWS_DATE - 1 ||
        r->secret_key.len > 256 || !scope_make(r, scope))
        return false;
    sort(s.query, r->query, r->query_count, order_query);
    sort(s.headers, r->headers, r->header_count, order_header);
    hash_request(r, &s, hash);
    n = snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%.*s\n%s\n%s", (int)r->date.len, r->date.ptr, scope, hash);
    key_make(r, key);
    need(HMAC(EVP_sha256(), key, SHA256, (const unsigned char *)text, (size_t)n, sum, NULL) != NULL);
    OPENSSL_cleanse(key, sizeof key);
    hex_put(sum, hash);
    return header_make(r, &s, scope, hash, authorization);
}

bool aws_date(int64_t unix_seconds, char date[AWS_DATE])
{
    time_t at = (time_t)unix_seconds;
    struct tm tm;

    return unix_seconds >= 0 && gmtime_r(&at, &tm) && tm.tm_year + 1900 <= 9999 &&
           strftime(date, AWS_DATE, "%Y%m%dT%H%M%SZ", &tm) == AWS_DATE - 1;
}
