/* SPDX-License-Identifier: Apache-2.0 */
/* translate.c -- between dialects; see translate.h. */
#include "worker/translate.h"

#include <stdio.h>

#include "base/json_skim.h"
#include "worker/answer.h"
#include "worker/exchange.h"
#include "worker/spans.h"
#include "worker/stages.h"
#include "worker/worker.h"

#define DROPPED_MAX 400 /* bytes of names that are told */

static const struct provider *provider_of(const struct request *r)
{
    return r->endpoints[r->pick];
}

/* Whether there is a way through the canonical request. */
static bool has_way(const struct provider *p, const struct instance *dialect, enum weir_kind kind)
{
    const struct weir_plugin *from = &dialect->plugin->hooks;
    const struct weir_plugin *to = p->in.plugin->hooks.encode ? &p->in.plugin->hooks : &p->dialect->plugin->hooks;

    return from->lift && from->answer && to->encode && from->lifts & to->lowers & WEIR_CAN(kind);
}

bool translates(const struct request *r)
{
    const struct provider *p = r->candidate_count ? provider_of(r) : NULL;

    bool anew = p && (p->always_translate || (r->view.anew && !p->superset));

    return p && (p->dialect != r->dialect || (anew && has_way(p, r->dialect, r->view.kind)));
}

bool translate_can(const struct provider *p, const struct instance *dialect, enum weir_kind kind)
{
    if (p->dialect == dialect) /* what is not made in this process is passed on */
        return kind < WEIR_IMAGE || !p->in.plugin->hooks.serve;
    return has_way(p, dialect, kind);
}

void translation_free(struct request *r)
{
    if (r->tr)
        buf_fini(&r->tr->dropped);
    r->tr = NULL;
}

/* ---- up ---- */

static bool skim_copy(struct request *r, struct weir_str text, struct weir_json *to, struct weir_error *e)
{
    const struct settings *set = &r->w->world->settings;
    struct json_limits limits = {(uint32_t)set->json_depth + 8, (uint32_t)set->json_nodes * 2};

    return json_skim_arena(&r->arena, &r->w->skim, arena_copy(&r->arena, text), &limits, to, e);
}

/* The body with the stages' edits in it. */
static bool edited_body(struct request *r, struct weir_error *e)
{
    struct splice *edits = NULL;
    size_t n = spans_splices(r, &edits), pieces, length;
    struct iovec *v;
    struct buf b;
    bool ok;

    r->tr->edited = r->json;
    if (!n)
        return true;
    if (!splices_apply(&r->arena, buf_view(&r->body), edits, n, &v, &pieces, &length))
        return false;
    b = worker_buf_take(r->w);
    for (size_t i = 0; i < pieces; i++)
        buf_put(&b, v[i].iov_base, v[i].iov_len);
    ok = skim_copy(r, buf_view(&b), &r->tr->edited, e);
    b.len = 0;
    worker_buf_give(r->w, &b);
    return ok;
}

enum weir_verdict translate_lift(struct request *r, struct weir_error *e)
{
    struct ctx *c = request_ctx(r, r->dialect, NULL);
    struct buf b;
    bool ok;

    if (!r->tr)
        r->tr = arena_alloc(&r->arena, sizeof *r->tr);
    if (r->tr->lifted)
        return WEIR_PASS;
    if (!r->has_json || !edited_body(r, e))
        return WEIR_FAIL;
    b = worker_buf_take(r->w);
    stages_out(c, &b);
    c->hook = HOOK_LIFT;
    ok = r->dialect->plugin->hooks.lift(&c->pub, e);
    c->hook = HOOK_NONE;
    stages_out(c, NULL);
    r->tr->lifted = ok && skim_copy(r, buf_view(&b), &r->tr->canonical, e);
    b.len = 0;
    worker_buf_give(r->w, &b);
    r->tr->dropped_by_lift = r->tr->dropped.len;
    return r->tr->lifted ? WEIR_PASS : ok ? WEIR_FAIL : WEIR_UNSUPPORTED;
}

enum weir_verdict translate_extra(struct request *r, struct ctx *c, struct weir_error *e)
{
    const struct weir_json *j = &r->tr->canonical;
    uint32_t extra = weir_json_get(j, 0, "extra");
    uint32_t k = extra == WEIR_NO_NODE ? extra : weir_json_first(j, extra);

    if (provider_of(r)->dialect == r->dialect)
        return WEIR_PASS;
    for (; k != WEIR_NO_NODE; k = weir_json_next(j, extra, k + 1)) {
        struct weir_str name = weir_json_text(j, k);
        if (translate_lossy(c, name, false))
            continue;
        snprintf(e->code, sizeof e->code, "unsupported_parameter");
        snprintf(e->field, sizeof e->field, "%.*s", (int)name.len, name.ptr);
        snprintf(e->text, sizeof e->text,
                 "%s: not supported by the provider of this model, and too important to leave out.", e->field);
        return WEIR_UNSUPPORTED;
    }
    return WEIR_PASS;
}

bool translate_serve(struct request *r, struct weir_str body)
{
    struct weir_error e = {{0}, {0}, {0}};

    r->tr->served_view = r->view;
    r->tr->served_view.usage_asked = true;
    r->tr->serves = skim_copy(r, body, &r->tr->served, &e);
    return r->tr->serves;
}

const struct weir_json *translate_body(const struct ctx *c)
{
    const struct request *r = c->r;

    if (c->hook == HOOK_LIFT)
        return &r->tr->edited;
    if (r->tr && r->tr->serves && c->in == &provider_of(r)->in)
        return &r->tr->served;
    return r->has_json ? &r->json : NULL;
}

const struct weir_request *translate_request(const struct ctx *c)
{
    const struct request *r = c->r;

    return r->tr && r->tr->serves && c->in == &provider_of(r)->in ? &r->tr->served_view : &r->view;
}

static bool told(const struct buf *names, struct weir_str name)
{
    struct weir_str rest = buf_view(names);

    while (rest.len) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t n = comma ? (size_t)(comma - rest.ptr) : rest.len;
        if (str_eq(str_sub(rest, 0, n), name))
            return true;
        rest = str_sub(rest, comma ? n + 1 : n, rest.len);
    }
    return false;
}

bool translate_lossy(struct ctx *c, struct weir_str field, bool hint)
{
    struct request *r = c->r;
    struct buf *b;

    if (!hint && !provider_of(r)->drops)
        return false;
    if (!r->tr) /* client and upstream speak one dialect: only this is used of it */
        r->tr = arena_alloc(&r->arena, sizeof *r->tr);
    b = &r->tr->dropped;
    for (size_t i = 0; i < field.len; i++) /* it is told in a header */
        if (field.ptr[i] <= ' ' || field.ptr[i] >= 0x7f || field.ptr[i] == ',')
            return true;
    if (field.len && b->len + field.len + 1 <= DROPPED_MAX && !told(b, field)) {
        if (b->len)
            buf_char(b, ',');
        buf_str(b, field);
    }
    return true;
}

void translate_forget(struct request *r)
{
    if (!r->tr)
        return;
    r->tr->dropped.len = r->tr->dropped_by_lift;
    r->tr->serves = false;
}

/* ---- down ---- */

static struct weir_event start_event(const struct request *r)
{
    return (struct weir_event){
        .size = sizeof(struct weir_event),
        .channel = WEIR_START,
        .detail = str_of(r->id),
        .value = r->candidates[r->pick].model,
    };
}

static bool say(struct request *r, const struct weir_event *ev)
{
    struct ctx *c = request_ctx(r, r->dialect, NULL);
    struct buf b = worker_buf_take(r->w);
    bool ok;

    stages_out(c, &b);
    ok = r->dialect->plugin->hooks.answer(&c->pub, ev);
    stages_out(c, NULL);
    if (!ok)
        answer_fail(r, OUTCOME_upstream_failed, "cannot_answer", "the model's answer cannot be said in this API",
                    "the client's dialect has no way to write an event");
    else if (r->view.stream && ev->channel != WEIR_DONE_MARK)
        answer_write(r, buf_view(&b));
    else
        buf_str(&r->answer->tail, buf_view(&b));
    b.len = 0;
    worker_buf_give(r->w, &b);
    return ok && !r->answer->stopped;
}

bool translate_say(struct request *r, const struct weir_event *ev)
{
    struct answer *a = r->answer;
    struct weir_event start;

    if (!a->started) {
        a->started = true;
        start = start_event(r);
        if (ev->channel == WEIR_START) {
            start.detail = ev->detail.len ? ev->detail : start.detail;
            start.value = ev->value.len ? ev->value : start.value;
        }
        if (!say(r, &start))
            return false;
    }
    return ev->channel == WEIR_START || say(r, ev);
}

bool translate_text(struct request *r, struct lane *l, bool last)
{
    struct weir_event out = {
        .size = sizeof out,
        .channel = l->channel,
        .choice = l->choice,
        .block = l->block,
        .text = buf_view(&l->out),
        .last = last,
    };

    if (l->closed || (!out.text.len && !last && l->said))
        return true;
    if (!l->said) {
        out.tool_id = l->tool_id;
        out.tool_name = l->tool_name;
    }
    l->said = true;
    l->closed = last;
    return translate_say(r, &out);
}

/* What clients may see of an upstream's status.  That our credential is not taken is no fault of theirs. */
static int client_status(int status)
{
    return status < 400 || status > 599 || status == 401 || status == 403 ? 502 : status;
}

void translate_error(struct request *r, const struct weir_event *ev)
{
    struct answer *a = r->answer;
    int status = client_status(ev->status ? ev->status : a->status);
    struct weir_str code = ev->value.len ? ev->value : WEIR_STR("upstream_error");
    struct weir_str text = ev->detail.len ? ev->detail : WEIR_STR("the model's provider failed");

    r->reason = arena_copy(&r->arena, ev->detail);
    if (!r->reply.begun && r->pick + 1 < r->candidate_count && status != 400 && status != 404) {
        answer_fail(r, OUTCOME_upstream_error, "upstream_error", "the model's provider failed",
                    "an error instead of an answer");
        return;
    }
    a->stopped = true;
    if (ev->retry_after)
        r->retry_after_s = (int)(ev->retry_after < 86400 ? ev->retry_after : 86400);
    request_refuse(r, status, arena_strdup(&r->arena, code), "", "%.*s", (int)text.len, text.ptr);
    r->refusal_upstreams = true;
    r->outcome = OUTCOME_upstream_error;
    exchange_stop(r->x);
    pipeline_goto(r, STEP_close);
}

void translate_end(struct request *r)
{
    const struct weir_event mark = {.size = sizeof mark, .channel = WEIR_DONE_MARK};

    translate_say(r, &mark);
}
