/* SPDX-License-Identifier: Apache-2.0 */
/* url.c -- taking an absolute URL apart; see url.h. */
#include "net/url.h"

#include <stdio.h>

#include "base/str.h"

static bool url_bad(struct weir_error *e, const char *why)
{
    snprintf(e->text, sizeof e->text, "not a usable URL: %s", why);
    return false;
}

static bool port_parse(struct weir_str s, uint16_t *port)
{
    uint32_t v = 0;

    if (!s.len || s.len > 5)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(s.ptr[i] - '0');
    }
    *port = (uint16_t)v;
    return v > 0 && v < 65536;
}

static size_t find(struct weir_str s, char c)
{
    const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return p ? (size_t)(p - s.ptr) : s.len;
}

static bool authority_parse(struct weir_str a, struct url *u, struct weir_error *e)
{
    size_t end;

    u->authority = a;
    if (find(a, '@') != a.len)
        return url_bad(e, "it holds a user name; credentials belong in the provider's `key`");
    if (a.len && a.ptr[0] == '[') {
        end = find(a, ']');
        if (end == a.len)
            return url_bad(e, "a bracket is not closed");
        u->host = str_sub(a, 1, end);
        end++;
    } else {
        end = find(a, ':');
        u->host = str_sub(a, 0, end);
    }
    if (!u->host.len)
        return url_bad(e, "it has no host");
    if (end == a.len)
        return true;
    if (a.ptr[end] != ':' || !port_parse(str_sub(a, end + 1, a.len), &u->port))
        return url_bad(e, "its port is not a number from 1 to 65535");
    return true;
}

bool url_parse(struct weir_str s, struct url *u, struct weir_error *e)
{
    const struct weir_str http = WEIR_STR("http://"), https = WEIR_STR("https://");
    size_t slash;

    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 127 || s.ptr[i] == '#')
            return url_bad(e, "it holds a space, a fragment, or a byte that is no ASCII letter");
    *u = (struct url){.tls = str_starts(s, https)};
    if (!u->tls && !str_starts(s, http))
        return url_bad(e, "it does not begin with http:// or https://");
    u->port = u->tls ? 443 : 80;
    s = str_sub(s, u->tls ? https.len : http.len, s.len);
    slash = find(s, '/');
    if (find(s, '?') < slash)
        return url_bad(e, "a path must come before the '?'");
    u->target = slash < s.len ? str_sub(s, slash, s.len) : WEIR_STR("/");
    return authority_parse(str_sub(s, 0, slash), u, e);
}
