/* SPDX-License-Identifier: Apache-2.0 */
/* value.c -- numbers, rates and addresses as people type them; see value.h. */
#include "world/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>

struct suffix {
    const char *word;
    int64_t factor;
};

static const struct suffix times[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct suffix sizes[] = {{"G", 1 << 30}, {"g", 1 << 30}, {"M", 1 << 20}, {"m", 1 << 20},
                                      {"k", 1 << 10}, {"K", 1 << 10}, {NULL, 0}};

static const struct suffix *suffixes(enum weir_unit unit)
{
    return unit == WEIR_MS ? times : unit == WEIR_BYTES ? sizes : NULL;
}

/* Digits at *text, which moves behind them. */
static bool take_digits(const char **text, int64_t *out)
{
    const char *p = *text;
    int64_t v = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
            return false;
    if (p == *text)
        return false;
    *text = p;
    *out = v;
    return true;
}

static void skip_spaces(const char **text)
{
    while (**text == ' ')
        (*text)++;
}

bool value_number(const char *text, enum weir_unit unit, int64_t *out)
{
    bool minus = *text == '-';
    int64_t v;

    text += minus;
    if (!take_digits(&text, &v))
        return false;
    if (*text) {
        const struct suffix *s = suffixes(unit);
        while (s && s->word && strcmp(s->word, text) != 0)
            s++;
        if (!s || !s->word || __builtin_mul_overflow(v, s->factor, &v))
            return false;
    }
    *out = minus ? -v : v;
    return true;
}

bool value_real(const char *text, double *out)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    return end != text && !*end && errno == 0 && isfinite(*out);
}

bool value_rate(const char *text, int64_t *n, int64_t *period_us)
{
    static const struct suffix periods[] = {
        {"second", 1000000}, {"minute", 60000000}, {"hour", 3600000000}, {"day", 86400000000}, {NULL, 0}};
    int64_t many = 1;

    skip_spaces(&text);
    if (!take_digits(&text, n) || *n < 1)
        return false;
    skip_spaces(&text);
    if (*text++ != '/')
        return false;
    skip_spaces(&text);
    if (*text >= '0' && *text <= '9' && (!take_digits(&text, &many) || many < 1))
        return false;
    skip_spaces(&text);
    for (const struct suffix *s = periods; s->word; s++) {
        size_t len = strlen(s->word);
        if (strncmp(text, s->word, len) != 0)
            continue;
        text += len + (text[len] == 's');
        skip_spaces(&text);
        return !*text && !__builtin_mul_overflow(many, s->factor, period_us);
    }
    return false;
}

static bool parse_host(const char *host, bool bracketed, uint16_t port, struct sockaddr_storage *to, size_t *length)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(to, 0, sizeof(*to));
    if (bracketed) {
        if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
            return false;
        memcpy(to, &v6, *length = sizeof(v6));
        return true;
    }
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4.sin_addr) != 1)
        return false;
    memcpy(to, &v4, *length = sizeof(v4));
    return true;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

bool value_address(const char *text, struct sockaddr_storage *to, size_t *length, bool *loopback)
{
    const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : NULL;
    bool bracketed = *text == '[';
    char host[64];
    int64_t port;

    if (!colon || !take_digits(&digits, &port) || *digits || port > 65535)
        return false;
    if (bracketed && (colon - text < 2 || colon[-1] != ']'))
        return false;
    size_t n = (size_t)(colon - text) - (bracketed ? 2 : 0);
    if (n >= sizeof(host))
        return false;
    memcpy(host, text + bracketed, n);
    host[n] = '\0';
    if (!parse_host(host, bracketed, (uint16_t)port, to, length))
        return false;
    if (loopback)
        *loopback = is_loopback(to);
    return true;
}

void value_print(struct buf *b, enum weir_unit unit, int64_t v)
{
    const struct suffix *s = suffixes(unit);

    for (; s && s->word && v; s++) {
        if (s->factor == 1 || v % s->factor)
            continue;
        buf_int(b, v / s->factor);
        buf_put(b, s->word, strlen(s->word));
        return;
    }
    buf_int(b, v);
    if (unit == WEIR_MS && v)
        buf_lit(b, "ms");
}

const char *value_shape(enum weir_type type, enum weir_unit unit)
{
    switch (type) {
    case WEIR_T_INT:
        return unit == WEIR_MS      ? "a time such as 250, \"250ms\", \"5s\", \"2m\", \"1h\" or \"1d\""
               : unit == WEIR_BYTES ? "a size such as 4096, \"64k\", \"10M\" or \"1G\""
                                    : "a whole number";
    case WEIR_T_NUM:
        return "a number";
    case WEIR_T_BOOL:
        return "true or false, without quotes";
    case WEIR_T_LIST:
        return "a list of strings such as [ \"a\", \"b\" ]";
    default:
        return "a string in quotes";
    }
}
