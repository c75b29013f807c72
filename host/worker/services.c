/* SPDX-License-Identifier: Apache-2.0 */
/* services.c -- what the host does for a plugin, as sdk/weir.h promises it: thin doors to the files that do the work.
 */
#include "worker/services.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_text.h"
#include "base/log.h"
#include "worker/answer.h"
#include "worker/attempt.h"
#include "worker/exchange.h"
#include "worker/spans.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"
#include "world/catalogue.h"
#include "world/promises.h"

#define BLOCKED_US 10000

static struct ctx *own(struct weir_ctx *c)
{
    return (struct ctx *)c;
}

static void misused(const struct ctx *c, const char *service, const char *what)
{
    log_event(WEIR_WARN, LOG_plugin_misused, "instance=%s request=%s service=%s what=\"%s\"", c->in->name, c->r->id,
              service, what);
}

static void service_log(struct weir_ctx *c, enum weir_level level, const char *fmt, va_list ap)
{
    char prefix[160];

    snprintf(prefix, sizeof prefix, "instance=%s request=%s text=", own(c)->in->name, own(c)->r->id);
    log_vevent(level, LOG_plugin, prefix, fmt, ap);
}

static void *service_alloc(struct weir_ctx *c, size_t n)
{
    return arena_alloc(&own(c)->r->arena, n);
}

/* ---- the request ---- */

static const struct weir_json *service_body(struct weir_ctx *c)
{
    return translate_body(own(c));
}

static const struct weir_request *service_request(struct weir_ctx *c)
{
    return translate_request(own(c));
}

static const struct weir_json *service_canonical(struct weir_ctx *c)
{
    const struct ctx *me = own(c);
    bool may = me->hook == HOOK_ENCODE || me->waits == HOOK_ENCODE || me->hook == HOOK_DECODE;

    return may && translates(me->r) && me->r->tr ? &me->r->tr->canonical : NULL;
}

static bool service_lossy(struct weir_ctx *c, struct weir_str field, bool hint)
{
    struct ctx *me = own(c);

    if (me->hook == HOOK_LIFT || me->hook == HOOK_ENCODE || me->waits == HOOK_ENCODE)
        return translate_lossy(me, field, hint);
    misused(me, "lossy", "only in lift and encode");
    return false;
}

static const struct weir_json *service_skim(struct weir_ctx *c, struct weir_str text, struct weir_error *error)
{
    struct request *r = own(c)->r;
    const struct json_limits limits = {(uint32_t)r->w->world->settings.json_depth,
                                       (uint32_t)r->w->world->settings.json_nodes};
    struct weir_json *j = arena_alloc(&r->arena, sizeof *j);
    struct json_skim skim = {0}; /* the worker's own may be in use by whoever called the hook */
    bool ok = json_skim_arena(&r->arena, &skim, text, &limits, j, error);

    json_skim_fini(&skim);
    return ok ? j : NULL;
}

static struct weir_str service_unescape(struct weir_ctx *c, struct weir_str raw)
{
    return json_unescape(&own(c)->r->arena, raw);
}

/* In encode: of the model that the candidate at hand means. */
static struct weir_str model_fact(struct request *r, const char *name)
{
    const struct weir_candidate *c = r->candidate_count && r->attempt ? &r->candidates[r->pick] : NULL;
    struct provider_model m = {0};

    if (c)
        m = provider_model(r->w->world, r->endpoints[r->pick], c->model, r->view.model);
    return m.model ? catalogue_fact(m.model, m.endpoint, name, &r->arena) : WEIR_STR("");
}

/* In list: "N.NAME", NAME of its row N. */
static struct weir_str listed_fact(struct request *r, const char *name)
{
    char *end;
    unsigned long row = strtoul(name, &end, 10);
    const struct provider_model *m = end > name && *end == '.' && row < r->listed_count ? &r->listed[row] : NULL;

    return m && m->model ? catalogue_fact(m->model, m->endpoint, end + 1, &r->arena) : WEIR_STR("");
}

static struct weir_str service_fact(struct weir_ctx *c, const char *name)
{
    const struct request *r = own(c)->r;
    const struct weir_str header = WEIR_STR("header."), n = str_of(name);
    const struct weir_str *v;

    if (str_starts(n, header)) {
        v = http1_find(&r->head, str_sub(n, header.len, n.len));
        return v ? *v : WEIR_STR("");
    }
    if (str_starts(n, WEIR_STR("model.")))
        return model_fact(own(c)->r, name + sizeof "model." - 1);
    if (str_starts(n, WEIR_STR("listed.")))
        return listed_fact(own(c)->r, name + sizeof "listed." - 1);
    if (str_starts(n, WEIR_STR("promise.")))
        return r->candidate_count && r->attempt ? promise_fact(r->endpoints[r->pick], name + sizeof "promise." - 1)
                                                : WEIR_STR("");
    if (str_is(n, "base"))
        return str_sub(r->head.path, 0, r->head.path.len - request_path(r).len);
    if (str_is(n, "key"))
        return r->key ? str_of(r->key->id) : WEIR_STR("local");
    if (str_is(n, "workspace"))
        return r->key ? str_of(r->key->workspace) : WEIR_STR("");
    if (str_is(n, "model"))
        return r->view.model;
    if (str_is(n, "provider"))
        return r->candidate_count && r->attempt ? r->candidates[r->pick].provider : WEIR_STR("");
    if (str_is(n, "request_id"))
        return str_of(r->id);
    if (str_is(n, "time"))
        return str_of(arena_printf(&own(c)->r->arena, "%lld", (long long)(r->w->loop.wall_us / 1000000)));
    return WEIR_STR("");
}

static struct weir_str service_credential(struct weir_ctx *c)
{
    if (own(c)->hook == HOOK_ENCODE)
        return attempt_credential(own(c)->r);
    misused(own(c), "credential", "only in encode");
    return (struct weir_str){NULL, 0};
}

/* The keeper's: a worker's loop cannot wait. */
static bool service_fetch(struct weir_ctx *c, const struct weir_fetch *ask, struct weir_fetched *got,
                          struct weir_error *e)
{
    (void)ask;
    (void)got;
    snprintf(e->text, sizeof e->text, "weir_fetch() is for the hook `credential`");
    misused(own(c), "fetch", "only in credential");
    return false;
}

/* ---- models ---- */

static void service_model(struct weir_ctx *c, uint32_t node)
{
    struct request *r = own(c)->r;
    const struct weir_node *n;

    if (own(c)->hook != HOOK_ACCEPT) {
        misused(own(c), "model", "only in accept");
        return;
    }
    if (!r->has_json || !weir_json_is(&r->json, node, WEIR_JSON_STRING))
        return;
    if (r->named_count == r->named_cap) {
        size_t cap = r->named_cap ? r->named_cap * 2 : 16;
        struct named *more = arena_alloc(&r->arena, cap * sizeof *more);
        if (r->named_count)
            memcpy(more, r->named, r->named_count * sizeof *more);
        r->named = more;
        r->named_cap = cap;
    }
    n = &r->json.nodes[node];
    r->named[r->named_count++] =
        (struct named){json_unescape(&r->arena, weir_json_text(&r->json, node)), n->at, n->len};
}

/* ---- spans ---- */

static void service_span(struct weir_ctx *c, uint32_t node, enum weir_where where, enum weir_form form,
                         uint32_t message, uint32_t part)
{
    if (own(c)->hook == HOOK_ACCEPT)
        spans_add(own(c)->r, node, where, form, message, part);
    else
        misused(own(c), "span", "only in accept");
}

static const struct weir_span *service_spans(struct weir_ctx *c, size_t *n)
{
    const struct span *s = spans_all(own(c)->r, n);

    return s ? &s->pub : NULL;
}

static void service_edit(struct weir_ctx *c, size_t index, size_t from, size_t to, struct weir_str with)
{
    struct ctx *me = own(c);

    if (me->hook != HOOK_REQUEST && me->waits != HOOK_REQUEST)
        misused(me, "edit", "only in on_request");
    else if (me->stage && me->stage->observe)
        return; /* who observes cannot change anything */
    else if (!spans_edit(me->r, index, from, to, with)) {
        misused(me, "edit", "no such range");
        me->broken = true; /* what it meant to take out is still there */
    }
}

/* ---- what is said ---- */

static void service_label(struct weir_ctx *c, struct weir_str name, struct weir_str value)
{
    struct request *r = own(c)->r;
    struct label *l = arena_alloc(&r->arena, sizeof *l), **end = &r->labels;

    l->name = arena_copy(&r->arena, name);
    l->value = arena_copy(&r->arena, value);
    while (*end)
        end = &(*end)->next;
    *end = l;
}

static void service_block(struct weir_ctx *c, const char *code, struct weir_str reason)
{
    struct request *r = own(c)->r;

    if (r->refusal.status)
        return;
    snprintf(r->refusal_code, sizeof r->refusal_code, "%s", code);
    r->reason = arena_copy(&r->arena, reason);
}

static void service_out(struct weir_ctx *c, struct weir_str bytes)
{
    if (own(c)->out)
        buf_str(own(c)->out, bytes);
    else
        misused(own(c), "out", "only in answer, refuse, list and lift");
}

static void service_serve(struct weir_ctx *c, struct weir_str bytes, bool last)
{
    struct request *r = own(c)->r;

    if (r->x && r->x->p->in.plugin == own(c)->in->plugin)
        exchange_put(r->x, bytes, last);
}

static void service_emit(struct weir_ctx *c, const struct weir_event *ev)
{
    frame_emit(own(c), ev);
}
static void service_frame_drop(struct weir_ctx *c)
{
    frame_drop(own(c));
}

static void service_frame_splice(struct weir_ctx *c, uint32_t at, uint32_t len, struct weir_str with)
{
    frame_splice(own(c), at, len, with);
}

static const struct weir_event *service_answer(struct weir_ctx *c, size_t *n)
{
    return answer_texts(own(c), n);
}

/* ---- time ---- */

static void timer_fire(struct loop_timer *t)
{
    struct ctx *c = (struct ctx *)((char *)t - offsetof(struct ctx, timer));
    const struct request *r = c->r;

    if (!c->stage && r->x && r->x->blocked) /* back-pressure for a provider in this process: its clock stands still */
        loop_timer_set(&r->w->loop, t, BLOCKED_US);
    else
        c->fire(&c->pub);
}

static void service_after(struct weir_ctx *c, uint32_t ms, void (*fire)(struct weir_ctx *))
{
    struct ctx *me = own(c);

    if (!fire) {
        loop_timer_stop(&me->r->w->loop, &me->timer);
        return;
    }
    me->fire = fire;
    me->timer.fire = timer_fire;
    loop_timer_set(&me->r->w->loop, &me->timer, (int64_t)ms * 1000);
}

static void service_resume(struct weir_ctx *c, enum weir_verdict v)
{
    stages_resume(own(c), v);
}

const struct weir_host services = {
    .abi = WEIR_ABI,
    .size = sizeof(struct weir_host),
    .span_size = sizeof(struct span),
    .event_size = sizeof(struct weir_event),
    .log = service_log,
    .alloc = service_alloc,
    .body = service_body,
    .request = service_request,
    .skim = service_skim,
    .unescape = service_unescape,
    .fact = service_fact,
    .canonical = service_canonical,
    .lossy = service_lossy,
    .span = service_span,
    .spans = service_spans,
    .edit = service_edit,
    .answer = service_answer,
    .label = service_label,
    .block = service_block,
    .http_target = http_target,
    .http_header = http_header,
    .http_splice = http_splice,
    .http_body = http_body,
    .serve = service_serve,
    .emit = service_emit,
    .frame_drop = service_frame_drop,
    .frame_splice = service_frame_splice,
    .out = service_out,
    .after = service_after,
    .resume = service_resume,
    .fetch = service_fetch,
    .credential = service_credential,
    .model = service_model,
    .http_enveloped = http_enveloped,
};
