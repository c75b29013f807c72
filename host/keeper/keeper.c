/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c -- when each credential is due, and what becomes of each try; see keeper.h. */
#include "keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json_skim.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/must.h"
#include "keeper/fetch.h"

#define SECOND_US    1000000
#define AGAIN_US     SECOND_US /* after a failure, doubling to AGAIN_MAX_US */
#define AGAIN_MAX_US (60 * SECOND_US)
#define REFUSED_US   (10 * SECOND_US) /* between two tries because of refusals */
#define NEVER_US     INT64_MAX

struct kept {            /* one provider's */
    struct weir_ctx pub; /* comes first: what the hook gets */
    const struct provider *p;
    size_t slot;
    struct arena arena; /* of one call of the hook */
    int64_t due_us, tried_us;
    int64_t backoff_us; /* 0: the last try was good */
    int64_t expires_s;
    bool told; /* the first success has been logged */
};

struct keeper {
    const struct keeper_start *start;
    struct kept *kept;
    size_t count;
};

static struct kept *own(struct weir_ctx *c)
{
    return (struct kept *)c;
}

/* ---- services of the hook ---- */

static void service_log(struct weir_ctx *c, enum weir_level level, const char *fmt, va_list ap)
{
    char prefix[160];

    snprintf(prefix, sizeof prefix, "instance=%s text=", own(c)->p->in.name);
    log_vevent(level, LOG_plugin, prefix, fmt, ap);
}

static void *service_alloc(struct weir_ctx *c, size_t n)
{
    return arena_alloc(&own(c)->arena, n);
}

static const struct weir_json *service_skim(struct weir_ctx *c, struct weir_str text, struct weir_error *e)
{
    static const struct json_limits limits = {.depth = 32, .nodes = 4096};
    struct arena *a = &own(c)->arena;
    struct weir_json *j = arena_alloc(a, sizeof *j);
    struct json_skim skim = {0};
    bool ok = json_skim_arena(a, &skim, text, &limits, j, e);

    json_skim_fini(&skim);
    return ok ? j : NULL;
}

static struct weir_str service_unescape(struct weir_ctx *c, struct weir_str raw)
{
    return json_unescape(&own(c)->arena, raw);
}

static struct weir_str service_fact(struct weir_ctx *c, const char *name)
{
    if (strcmp(name, "time") == 0)
        return str_of(arena_printf(&own(c)->arena, "%lld", (long long)(clock_wall_us() / SECOND_US)));
    return strcmp(name, "provider") == 0 ? str_of(own(c)->p->in.name) : WEIR_STR("");
}

static bool service_fetch(struct weir_ctx *c, const struct weir_fetch *ask, struct weir_fetched *got,
                          struct weir_error *e)
{
    const struct provider *p = own(c)->p;

    return fetch_run(ask, p->proxy, p->ca, &own(c)->arena, got, e);
}

static const struct weir_host keeper_services = {
    .abi = WEIR_ABI,
    .size = sizeof(struct weir_host),
    .log = service_log,
    .alloc = service_alloc,
    .skim = service_skim,
    .unescape = service_unescape,
    .fact = service_fact,
    .fetch = service_fetch,
};

/* ---- one try ---- */

/* Many gateways must not ask at once. */
static int64_t some_of(int64_t us)
{
    uint16_t r = 0;

    must(getrandom(&r, sizeof r, 0) == sizeof r);
    return us * r / UINT16_MAX;
}

static int64_t jitter(int64_t us)
{
    return us - us / 4 + some_of(us / 2);
}

static void count(const struct keeper *k, const struct kept *c, enum metric m)
{
    metrics_add(k->start->metrics, k->start->slot, m, c->p->in.place, 1);
}

static void try_failed(struct keeper *k, struct kept *c, const struct weir_error *e)
{
    int64_t left = c->expires_s ? c->expires_s - clock_wall_us() / SECOND_US : 0;

    c->backoff_us = !c->backoff_us ? AGAIN_US : c->backoff_us < AGAIN_MAX_US / 2 ? c->backoff_us * 2 : AGAIN_MAX_US;
    c->due_us = clock_us() + jitter(c->backoff_us);
    vault_state_set(k->start->vault, c->slot, VAULT_FAILING);
    count(k, c, METRIC_credential_failures);
    metrics_set(k->start->metrics, k->start->slot, METRIC_credential_failing, c->p->in.place, 1);
    log_event(left > 0 ? WEIR_WARN : WEIR_ERROR, LOG_credential_failed,
              "provider=%s valid_s=%lld again_in_ms=%lld why=\"%s\"", c->p->in.name, (long long)(left > 0 ? left : 0),
              (long long)(c->due_us - clock_us()) / 1000, e->text[0] ? e->text : "the plugin does not say");
}

static int64_t due_after(const struct weir_credential *got)
{
    const int64_t day = 86400 * (int64_t)SECOND_US;
    int64_t left = got->expires < INT64_MAX / SECOND_US ? got->expires * SECOND_US - clock_wall_us() : day;

    if (got->again)
        return clock_us() + jitter((int64_t)got->again * SECOND_US);
    if (!got->expires)
        return NEVER_US;
    left = left > day ? day : left;
    return clock_us() + left * 7 / 10 + some_of(left / 10);
}

static void try_kept(struct keeper *k, struct kept *c, const struct weir_credential *got, int64_t now_s)
{
    bool news = !c->told || c->backoff_us;

    c->due_us = due_after(got);
    c->backoff_us = 0;
    c->expires_s = got->expires;
    c->told = true;
    vault_put(k->start->vault, c->slot, got->secret, got->expires);
    vault_state_set(k->start->vault, c->slot, VAULT_KEPT);
    count(k, c, METRIC_credential_refreshes);
    metrics_set(k->start->metrics, k->start->slot, METRIC_credential_failing, c->p->in.place, 0);
    metrics_set(k->start->metrics, k->start->slot, METRIC_credential_expires, c->p->in.place, got->expires);
    log_event(news ? WEIR_INFO : WEIR_DEBUG, LOG_credential, "provider=%s from=%s valid_s=%lld", c->p->in.name,
              got->from ? got->from : "-", (long long)(got->expires ? got->expires - now_s : 0));
}

static bool usable(const struct weir_credential *got, int64_t now_s, struct weir_error *e)
{
    if (got->secret.len > WEIR_CREDENTIAL_MAX)
        snprintf(e->text, sizeof e->text, "the credential is larger than %d bytes", WEIR_CREDENTIAL_MAX);
    else if (got->expires && got->expires <= now_s)
        snprintf(e->text, sizeof e->text, "the credential has expired already; set this machine's clock right");
    else
        return true;
    return false;
}

static void try_now(struct keeper *k, struct kept *c)
{
    struct weir_credential got = {.size = sizeof got};
    struct weir_error e = {{0}, {0}, {0}};
    int64_t now_s;
    bool ok = c->p->in.plugin->hooks.credential(&c->pub, &got, &e);

    now_s = clock_wall_us() / SECOND_US;
    c->tried_us = clock_us();
    if (ok && !got.secret.len) {
        c->due_us = NEVER_US;
        c->p = NULL; /* needs none */
    } else if (ok && usable(&got, now_s, &e)) {
        try_kept(k, c, &got, now_s);
    } else {
        try_failed(k, c, &e);
    }
    arena_fini(&c->arena); /* it held secrets: nothing is kept for the next time */
}

/* ---- the process ---- */

bool keeper_wanted(const struct world *w)
{
    for (size_t i = 0; i < w->provider_count; i++)
        if (w->providers[i]->in.plugin->hooks.credential)
            return true;
    return false;
}

static bool keeper_open(struct keeper *k, struct weir_error *e)
{
    struct world *w = k->start->world;

    secrets_keep(&w->secrets);
    k->kept = must_alloc((w->provider_count + 1) * sizeof *k->kept);
    for (size_t i = 0; i < w->provider_count; i++) {
        struct provider *p = w->providers[i];
        struct kept *c = &k->kept[k->count];
        if (!p->in.plugin->hooks.credential)
            continue;
        if (!instance_init(&p->in, e))
            return false;
        *c = (struct kept){.pub = {.host = &keeper_services, .shared = p->in.shared, .self = p->in.self}, .p = p};
        c->slot = i;
        k->count++;
    }
    return true;
}

/* What an upstream has refused is due at once, but not again and again. */
static void refusals_take(struct keeper *k)
{
    int64_t now = clock_us();

    vault_fd_clear(k->start->vault);
    for (size_t i = 0; i < k->count; i++) {
        struct kept *c = &k->kept[i];
        int64_t soon = c->tried_us + REFUSED_US < now ? now : c->tried_us + REFUSED_US;
        if (c->p && vault_refused(k->start->vault, c->slot) && soon < c->due_us)
            c->due_us = soon;
    }
}

/* Of those that are due the one that waits longest; NULL and the time of the next. */
static struct kept *due_first(const struct keeper *k, int64_t *next_us)
{
    struct kept *first = NULL;

    *next_us = NEVER_US;
    for (size_t i = 0; i < k->count; i++)
        if (k->kept[i].p && k->kept[i].due_us < *next_us) {
            *next_us = k->kept[i].due_us;
            first = &k->kept[i];
        }
    return first && *next_us <= clock_us() ? first : NULL;
}

static bool keeper_idle(const struct keeper *k)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->kept[i].p)
            return false;
    return true;
}

/* true: told to stop. */
static bool keeper_rest(struct keeper *k, int64_t until_us)
{
    struct pollfd fds[] = {{k->start->stop_fd, POLLIN, 0}, {vault_fd(k->start->vault), POLLIN, 0}};
    int64_t ms = until_us == NEVER_US ? -1 : (until_us - clock_us() + 999) / 1000;

    ms = until_us != NEVER_US && ms < 0 ? 0 : ms > 3600000 ? 3600000 : ms;
    if (poll(fds, 2, (int)ms) < 0)
        must(errno == EINTR);
    if (fds[1].revents)
        refusals_take(k);
    return fds[0].revents != 0;
}

enum keeper_end keeper_run(const struct keeper_start *start)
{
    struct keeper k = {.start = start};
    struct weir_error e = {{0}, {0}, {0}};
    enum keeper_end end = KEEPER_STOPPED;
    int64_t next_us;

    signal(SIGPIPE, SIG_IGN);
    metrics_attach(start->metrics, start->slot);
    if (!keeper_open(&k, &e)) {
        fprintf(stderr, "%s\n", e.text);
        end = KEEPER_BROKEN;
    }
    while (end == KEEPER_STOPPED) {
        struct kept *c = due_first(&k, &next_us);
        if (c)
            try_now(&k, c);
        if (keeper_idle(&k))
            end = KEEPER_IDLE;
        else if (keeper_rest(&k, c ? 0 : next_us))
            break;
    }
    for (size_t i = 0; i < start->world->provider_count; i++)
        instance_fini(&start->world->providers[i]->in);
    free(k.kept);
    return end;
}
