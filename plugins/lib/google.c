/* SPDX-License-Identifier: Apache-2.0 */
/* google.c -- key files, assertions and tokens; see google.h. */
#include "google.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "aws.h"
#include "base64.h"
#include "emit.h"
#include "source.h"

#define SCOPE     "https://www.googleapis.com/auth/cloud-platform"
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define LIFETIME  3600 /* seconds: the most that Google grants */

void google_vertex_put(struct text *t, const char *location)
{
    text_lit(t, "https://");
    if (strcmp(location, "us") == 0 || strcmp(location, "eu") == 0) {
        text_lit(t, "aiplatform.");
        text_str(t, str_of(location));
        text_lit(t, ".rep.googleapis.com/v1");
        return;
    }
    if (strcmp(location, "global") != 0) {
        text_str(t, str_of(location));
        text_lit(t, "-");
    }
    text_lit(t, "aiplatform.googleapis.com/v1");
}

/* ---- the assertion ---- */

/* RFC 4648, section 5, without padding. */
static void base64url_put(struct text *t, struct weir_str s)
{
    size_t from = t->len;

    base64_put(t, s);
    while (t->len > from && t->ptr[t->len - 1] == '=')
        t->len--;
    for (size_t i = from; i < t->len; i++)
        t->ptr[i] = t->ptr[i] == '+' ? '-' : t->ptr[i] == '/' ? '_' : t->ptr[i];
}

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3). */
static struct weir_str sign(struct weir_ctx *c, struct weir_str pem, struct weir_str text)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, "") : NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct weir_str signature = {NULL, 0};
    unsigned char *to;
    size_t n = 0;

    if (key && md && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
        EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(md, NULL, &n, (const unsigned char *)text.ptr, text.len) == 1) {
        to = weir_alloc(c, n);
        if (EVP_DigestSign(md, to, &n, (const unsigned char *)text.ptr, text.len) == 1)
            signature = (struct weir_str){(const char *)to, n};
    }
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return signature;
}

struct weir_str google_assertion(struct weir_ctx *c, struct weir_str pem, struct weir_str key_id, struct weir_str email,
                                 struct weir_str audience, int64_t now)
{
    struct emit head = {.t.c = c}, claims = {.t.c = c};
    struct text t = {.c = c};
    struct weir_str signature;

    emit_open(&head, '{');
    emit_member_lit(&head, "alg", "RS256");
    emit_member_lit(&head, "typ", "JWT");
    if (key_id.len)
        emit_member_text(&head, "kid", key_id);
    emit_close(&head, '}');
    emit_open(&claims, '{');
    emit_member_text(&claims, "iss", email);
    emit_member_lit(&claims, "scope", SCOPE);
    emit_member_text(&claims, "aud", audience);
    emit_key(&claims, "iat");
    emit_int(&claims, now);
    emit_key(&claims, "exp");
    emit_int(&claims, now + LIFETIME);
    emit_close(&claims, '}');
    base64url_put(&t, text_view(&head.t));
    text_lit(&t, ".");
    base64url_put(&t, text_view(&claims.t));
    signature = sign(c, pem, text_view(&t));
    if (!signature.ptr)
        return signature;
    text_lit(&t, ".");
    base64url_put(&t, signature);
    return text_view(&t);
}

/* ---- tokens ---- */

static bool token_take(struct weir_ctx *c, const struct weir_fetched *got, const char *what,
                       struct weir_credential *out, struct weir_error *e)
{
    const struct weir_json *j = source_json(c, got, what, e);
    int64_t lasts;

    if (!j)
        return false;
    out->secret = get_value(c, j, 0, "access_token");
    lasts = weir_json_int(j, weir_json_get(j, 0, "expires_in"), 0);
    if (!source_is_token(out->secret) || lasts <= 0)
        return source_fail(e, "%s answers without access_token or expires_in", what);
    out->expires = source_now(c) + lasts;
    return true;
}

static bool token_post(struct weir_ctx *c, const char *url, struct weir_str form, struct weir_credential *out,
                       struct weir_error *e)
{
    static const char *const headers[] = {"content-type: application/x-www-form-urlencoded", NULL};
    const struct weir_fetch ask = {.size = sizeof ask, .method = "POST", .url = url, .headers = headers, .body = form};
    struct weir_fetched got = {.size = sizeof got};

    return weir_fetch(c, &ask, &got, e) && token_take(c, &got, "Google's token server", out, e);
}

static const char *token_url(struct weir_ctx *c, const struct google_source *from, struct weir_str said)
{
    if (*from->url)
        return source_print(c, "%s/token", from->url);
    return said.len ? source_print(c, "%.*s", (int)said.len, said.ptr) : TOKEN_URL;
}

static bool of_account(struct weir_ctx *c, const struct google_source *from, const struct weir_json *j,
                       struct weir_credential *out, struct weir_error *e)
{
    struct weir_str said = get_value(c, j, 0, "token_uri"), assertion;
    const char *url = token_url(c, from, said);
    struct text form = {.c = c};

    if (!*from->url && strncmp(url, "https://", 8) != 0)
        return source_fail(e, "the key file's token_uri is not https; make a new key for the service account");
    assertion =
        google_assertion(c, get_value(c, j, 0, "private_key"), get_value(c, j, 0, "private_key_id"),
                         get_value(c, j, 0, "client_email"), said.len ? said : WEIR_STR(TOKEN_URL), source_now(c));
    if (!assertion.ptr)
        return source_fail(e, "the key file's private_key is no RSA key; make a new key for the service account");
    text_lit(&form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    aws_encode(&form, assertion);
    out->from = "service_account";
    return token_post(c, url, text_view(&form), out, e);
}

static bool of_user(struct weir_ctx *c, const struct google_source *from, const struct weir_json *j,
                    struct weir_credential *out, struct weir_error *e)
{
    static const char *const names[] = {"client_id", "client_secret", "refresh_token"};
    struct text form = {.c = c};

    text_lit(&form, "grant_type=refresh_token");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        text_lit(&form, "&");
        text_str(&form, str_of(names[i]));
        text_lit(&form, "=");
        aws_encode(&form, get_value(c, j, 0, names[i]));
    }
    out->from = "gcloud_user";
    return token_post(c, token_url(c, from, WEIR_STR("")), text_view(&form), out, e);
}

static bool of_file(struct weir_ctx *c, const struct google_source *from, struct weir_str file, const char *path,
                    struct weir_credential *out, struct weir_error *e)
{
    struct weir_error ignored = {{0}, {0}, {0}};
    const struct weir_json *j = weir_skim(c, file, &ignored);

    if (!j || !weir_json_is(j, 0, WEIR_JSON_OBJECT))
        return source_fail(e, "%.120s is no JSON; put a service account's key file there", path);
    if (node_says(j, weir_json_get(j, 0, "type"), "service_account"))
        return of_account(c, from, j, out, e);
    if (node_says(j, weir_json_get(j, 0, "type"), "authorized_user"))
        return of_user(c, from, j, out, e);
    return source_fail(e, "%.120s: its type is not known; service_account and authorized_user are", path);
}

static bool of_metadata(struct weir_ctx *c, const struct google_source *from, struct weir_credential *out,
                        struct weir_error *e)
{
    static const char *const headers[] = {"metadata-flavor: Google", NULL};
    const char *host = source_env("GCE_METADATA_HOST");
    const char *base = *from->url ? from->url
                       : *host    ? source_print(c, "http://%s", host)
                                  : "http://metadata.google.internal";
    const struct weir_fetch ask = {
        .size = sizeof ask,
        .method = "GET",
        .url = source_print(c, "%s/computeMetadata/v1/instance/service-accounts/default/token", base),
        .headers = headers,
        .timeout = 2000};
    struct weir_fetched got = {.size = sizeof got};

    out->from = "metadata";
    return weir_fetch(c, &ask, &got, e) && token_take(c, &got, "Google's metadata service", out, e);
}

/* gcloud's own: where `gcloud auth application-default login` puts it. */
static const char *usual_file(struct weir_ctx *c)
{
    const char *home = source_env("HOME"), *folder = source_env("CLOUDSDK_CONFIG");

    if (*folder)
        return source_print(c, "%s/application_default_credentials.json", folder);
    return *home ? source_print(c, "%s/.config/gcloud/application_default_credentials.json", home) : "";
}

bool google_token(struct weir_ctx *c, const struct google_source *from, struct weir_credential *out,
                  struct weir_error *e)
{
    const char *named = *from->file ? from->file : source_env("GOOGLE_APPLICATION_CREDENTIALS");
    const char *path = *named ? named : usual_file(c);
    struct weir_str file;
    bool absent = true;

    if (*path && source_file(c, path, &file, &absent, e))
        return of_file(c, from, file, path, out, e);
    if (*named || !absent)
        return false; /* who names a file means it */
    return of_metadata(c, from, out, e);
}
