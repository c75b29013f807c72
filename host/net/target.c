/* SPDX-License-Identifier: Apache-2.0 */
/* target.c -- checking hosts and proxies; see target.h. */
#include "net/target.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

#define HOST_MAX 254

bool target_url(char url[TARGET_URL_MAX], const char *host, uint16_t port)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char address[] = "abcdefABCDEF0123456789:.";
    bool v6 = strchr(host, ':') != NULL;
    size_t len = strlen(host);

    if (!len || len > HOST_MAX || !port || strspn(host, v6 ? address : name) != len)
        return false;
    snprintf(url, TARGET_URL_MAX, v6 ? "http://[%s]:%u/" : "http://%s:%u/", host, port);
    return true;
}

static const char *proxy_fault(CURLU *u, const char *proxy)
{
    char *scheme = NULL, *path = NULL, *query = NULL;
    const char *fault = NULL;

    if (curl_url_set(u, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME) ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(u, CURLUPART_PATH, &path, 0))
        fault = "is not of the form http://user:password@host:port";
    else if (strcmp(scheme, "http") != 0)
        fault = "is not http://; other proxies (https, socks) are not supported, and CONNECT carries https as well";
    else if (strcmp(path, "/") != 0 || curl_url_get(u, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
        fault = "has a path or a query";
    curl_free(scheme);
    curl_free(path);
    curl_free(query);
    return fault;
}

bool target_proxy_ok(const char *proxy, struct weir_error *e)
{
    CURLU *u = curl_url();

    must(u != NULL);
    const char *fault = proxy_fault(u, proxy);
    if (fault)
        snprintf(e->text, sizeof e->text, "the proxy's address %s", fault);
    curl_url_cleanup(u);
    return !fault;
}
