/* SPDX-License-Identifier: Apache-2.0 */
/* admit.c -- step `admit`; see admit.h. */
#include "worker/admit.h"

#include <arpa/inet.h>

#include "worker/request.h"
#include "worker/worker.h"

/* Where clients of the four APIs put their key.  The first that is there counts. */
static bool credential(const struct request *r, struct weir_str *key)
{
    static const struct weir_str names[] = {
        {"authorization", 13},
        {"x-api-key", 9},
        {"api-key", 7},
        {"x-goog-api-key", 14},
    };
    const struct weir_str bearer = WEIR_STR("bearer ");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct weir_str *v = http1_find(&r->head, names[i]);
        if (!v)
            continue;
        *key = *v;
        if (i == 0) {
            if (v->len <= bearer.len || !str_eq_nocase(str_sub(*v, 0, bearer.len), bearer))
                continue;
            *key = str_trim(str_sub(*v, bearer.len, v->len));
        }
        return true;
    }
    return false;
}

static const struct key *key_valid(const struct world *world, struct weir_str presented)
{
    const struct key *k = world_key(world, presented);

    return k && !k->disabled ? k : NULL;
}

const struct key *admit_key(const struct request *r)
{
    const struct world *world = r->w->world;
    struct weir_str presented;

    return world->key_count && credential(r, &presented) ? key_valid(world, presented) : NULL;
}

/* "127.0.0.1" but not "127.0.0.1.evil.example": four numbers, of which the first is 127. */
static bool is_loopback_v4(struct weir_str s)
{
    char text[16];
    struct in_addr a;

    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET, text, &a) == 1 && (ntohl(a.s_addr) >> 24) == 127;
}

/* Without keys only this machine may call, and only by a name of this machine: a web page that made its own name point
 * here (DNS rebinding) is turned away. */
static bool host_is_local(const struct request *r)
{
    const struct weir_str *host = http1_find(&r->head, WEIR_STR("host"));
    struct weir_str name;

    if (!host)
        return r->head.minor == 0; /* HTTP/1.0 has no Host; browsers do not speak it */
    name = *host;
    for (size_t i = name.len; i-- > 0 && name.ptr[i] != ']';)
        if (name.ptr[i] == ':')
            name.len = i;
    return str_eq_nocase(name, WEIR_STR("localhost")) || str_is(name, "[::1]") || is_loopback_v4(name);
}

static bool within_rate(struct request *r, const struct key *k)
{
    int64_t retry_us = 0;

    if (!k->rate || counters_rate(r->w->counters, k->hash, k->rate, k->rate_period_us, k->rate_burst,
                                  r->w->loop.wall_us, &retry_us))
        return true;
    r->retry_after_s = (int)((retry_us + 999999) / 1000000);
    request_refuse(r, 429, "rate_limit_exceeded", "", "key %s is over its rate; try again in %d s", k->id,
                   r->retry_after_s);
    return false;
}

/* A hold outlives a killed worker by no more than the longest time a request may take. */
static bool within_concurrency(struct request *r, const struct key *k)
{
    const int64_t ttl_us = (int64_t)3600 * 1000000;

    if (!k->concurrent)
        return true;
    r->held = counters_hold(r->w->counters, k->hash, k->concurrent, ttl_us, r->w->loop.wall_us, &r->hold);
    if (!r->held) {
        r->retry_after_s = 1;
        request_refuse(r, 429, "concurrency_exceeded", "", "key %s has %lld requests under way, which is its limit",
                       k->id, (long long)k->concurrent);
    }
    return r->held;
}

enum step_result step_admit(struct request *r)
{
    const struct world *world = r->w->world;
    struct weir_str presented;

    if (world->key_count == 0) {
        if (!host_is_local(r)) {
            request_refuse(r, 403, "host_not_local", "",
                           "without keys only http://127.0.0.1 and http://localhost are served; "
                           "configure keys to be called by another name");
            return STEP_END;
        }
    } else if (!credential(r, &presented)) {
        request_refuse(r, 401, "missing_api_key", "",
                       "send a key as \"Authorization: Bearer KEY\" (or x-api-key, api-key, "
                       "x-goog-api-key)");
        return STEP_END;
    } else if (!(r->key = key_valid(world, presented))) {
        request_refuse(r, 401, "invalid_api_key", "", "this key is not known here");
        return STEP_END;
    } else if (!within_rate(r, r->key) || !within_concurrency(r, r->key)) {
        return STEP_END;
    }
    r->t.admitted = r->w->loop.now_us;
    return STEP_NEXT;
}
