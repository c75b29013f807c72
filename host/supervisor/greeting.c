/* SPDX-License-Identifier: Apache-2.0 */
/* greeting.c -- what `weir serve` says on stdout, once; see greeting.h. */
#include "supervisor/greeting.h"

#include <unistd.h>

/* May stand inside the quotes of a shell and of JSON as it is. */
static bool name_is_plain(struct weir_str s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._:-@";

    for (size_t i = 0; i < s.len; i++)
        if (!memchr(plain, s.ptr[i], sizeof plain - 1))
            return false;
    return s.len > 0;
}

/* For the curl line: the one that costs nothing, or the first that is named in full. */
static struct weir_str model_of(const struct world *w)
{
    struct weir_str echo = WEIR_STR("mock/echo"), first = WEIR_STR("MODEL"), upstream;

    for (size_t i = w->provider_count; i-- > 0;) {
        const struct provider *p = w->providers[i];
        if (provider_serves(p, echo, &upstream))
            return echo;
        for (size_t k = p->rule_count; k-- > 0;)
            if (!p->rules[k].glob && name_is_plain(p->rules[k].pattern))
                first = p->rules[k].pattern;
    }
    return first;
}

void greeting_write(struct buf *to, const struct world *w, const struct address *address)
{
    const char *scheme = w->tls ? "https" : "http";
    struct weir_str model = model_of(w);
    char near[64];

    address_print_near(address, near, sizeof near);
    buf_printf(to, "weir answers on %s://%s/v1\n\n", scheme, near);
    buf_printf(to, "  curl %s://%s/v1/chat/completions -H 'content-type: application/json'%s \\\n", scheme, near,
               w->key_count ? " -H \"authorization: Bearer $WEIR_KEY\"" : "");
    buf_printf(
        to, "    -d '{\"model\":\"" STR_FMT "\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello, weir\"}]}'\n\n",
        STR_ARG(model));
    buf_lit(to, "models:");
    for (size_t i = 0; i < w->provider_count; i++)
        for (size_t k = 0; k < w->providers[i]->rule_count; k++)
            buf_printf(to, " " STR_FMT, STR_ARG(w->providers[i]->rules[k].pattern));
    buf_lit(to, "\n");
}

void greeting_print(const struct world *w, const struct address *address)
{
    struct buf text = {0};

    greeting_write(&text, w, address);
    for (size_t at = 0; at < text.len;) {
        ssize_t n = write(STDOUT_FILENO, text.ptr + at, text.len - at);
        if (n <= 0)
            break; /* nobody reads it: it is only a greeting */
        at += (size_t)n;
    }
    buf_fini(&text);
}
