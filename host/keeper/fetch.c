/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c -- a request by libcurl, from its setting up to its body; see fetch.h. */
#include "keeper/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/version.h"

#define TIMEOUT_MS 5000
#define CONNECT_MS 2000

static size_t body_take(char *bytes, size_t one, size_t n, void *to)
{
    struct buf *b = to;

    (void)one;
    if (n > FETCH_BODY_MAX - b->len)
        return 0;
    buf_put(b, bytes, n);
    return n;
}

/* "HOST:PORT" of a URL: all of it that an error may name, for there are secrets in some. */
static struct weir_str host_of(const char *url)
{
    const char *p = strstr(url, "://");

    p = p ? p + 3 : url;
    return (struct weir_str){p, strcspn(p, "/?#")};
}

static struct curl_slist *headers_of(const struct weir_fetch *f)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    must(list);
    for (size_t i = 0; f->headers && f->headers[i]; i++)
        must(curl_slist_append(list, f->headers[i]));
    return list;
}

static void options_set(CURL *c, const struct weir_fetch *f, const char *proxy, const char *ca, struct buf *body)
{
    long ms = f->timeout ? (long)f->timeout : TIMEOUT_MS;
    bool https = strncmp(f->url, "https:", 6) == 0;

    curl_easy_setopt(c, CURLOPT_URL, f->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
    curl_easy_setopt(c, CURLOPT_PROXY, https ? proxy : "");
    curl_easy_setopt(c, CURLOPT_NOPROXY, "");
    if (*ca)
        curl_easy_setopt(c, CURLOPT_CAINFO, ca);
    if (f->body.len || strcmp(f->method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)f->body.len);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, f->body.len ? f->body.ptr : "");
    }
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, f->method);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
}

bool fetch_run(const struct weir_fetch *f, const char *proxy, const char *ca, struct arena *a, struct weir_fetched *got,
               struct weir_error *e)
{
    struct weir_str host = host_of(f->url);
    struct curl_slist *headers = headers_of(f);
    struct buf body = {0};
    CURL *c = curl_easy_init();
    CURLcode code;
    long status = 0;

    must(c);
    options_set(c, f, proxy, ca, &body);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
        got->status = (int)status;
        got->body = (struct weir_str){arena_strdup(a, buf_view(&body)), body.len};
    } else {
        snprintf(e->text, sizeof e->text, "%.*s does not answer: %s", (int)host.len, host.ptr,
                 code == CURLE_WRITE_ERROR ? "it sends too much" : curl_easy_strerror(code));
    }
    curl_easy_cleanup(c);
    curl_slist_free_all(headers);
    if (body.ptr)
        explicit_bzero(body.ptr, body.cap);
    buf_fini(&body);
    return code == CURLE_OK;
}
