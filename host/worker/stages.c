/* SPDX-License-Identifier: Apache-2.0 */
/* stages.c -- verdicts, waiting and time budgets; steps `ask`, `pick`, `check`.  See stages.h. */
#include "worker/stages.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/answer.h"
#include "worker/attempt.h"
#include "worker/reply.h"
#include "worker/spans.h"
#include "worker/worker.h"

static void stage_label(struct ctx *c, const char *what)
{
    struct weir_str name = str_of(arena_printf(&c->r->arena, "%s.%s", c->in->name, what));

    c->pub.host->label(&c->pub, name, c->r->reason.len ? c->r->reason : WEIR_STR("true"));
}

/* ---- one verdict ---- */

static void stage_late(struct loop_timer *t)
{
    struct ctx *c = (struct ctx *)((char *)t - offsetof(struct ctx, budget));

    if (c->in->plugin->hooks.on_cancel)
        c->in->plugin->hooks.on_cancel(&c->pub);
    log_event(WEIR_WARN, LOG_stage_late, "stage=%s request=%s timeout_ms=%lld", c->in->name, c->r->id,
              (long long)c->stage->timeout);
    loop_timer_stop(&c->r->w->loop, &c->timer);
    stages_resume(c, WEIR_FAIL);
}

static enum stages_result stage_failed(struct ctx *c)
{
    metrics_add(c->r->w->metrics, c->r->w->slot, METRIC_stage_failed, c->in->place, 1);
    if (c->stage->fail_open || c->stage->observe) {
        stage_label(c, "failed");
        c->bypassed = true;
        return STAGES_GO;
    }
    request_refuse(c->r, 403, "guardrail_failed", "",
                   "guardrail %s could not judge this request, and is set to refuse then", c->in->name);
    c->r->outcome = OUTCOME_denied;
    return STAGES_STOP;
}

static enum stages_result stage_blocked(struct ctx *c)
{
    metrics_add(c->r->w->metrics, c->r->w->slot, METRIC_stage_blocked, c->in->place, 1);
    if (c->stage->observe) {
        stage_label(c, "would_block");
        c->r->refusal_code[0] = '\0';
        return STAGES_GO;
    }
    request_refuse(c->r, 403, c->r->refusal_code[0] ? c->r->refusal_code : "denied", "",
                   "guardrail %s refused this (decision %s)", c->in->name, c->r->id);
    c->r->outcome = OUTCOME_denied;
    return STAGES_STOP;
}

enum stages_result stages_judge(struct ctx *c, enum hook hook, enum weir_verdict verdict)
{
    if (verdict == WEIR_WAIT && c->resumed) { /* weir_resume() came before the hook returned */
        c->resumed = false;
        verdict = c->verdict;
    }
    if (verdict == WEIR_PASS && c->broken)
        verdict = WEIR_FAIL;
    c->broken = false;
    switch (verdict) {
    case WEIR_PASS:
        return STAGES_GO;
    case WEIR_BLOCK:
        return stage_blocked(c);
    case WEIR_WAIT:
        c->waits = hook;
        loop_timer_set(&c->r->w->loop, &c->budget, c->stage->timeout * 1000);
        return STAGES_WAIT;
    case WEIR_FAIL:
    case WEIR_UNSUPPORTED:
        break;
    }
    return stage_failed(c);
}

enum weir_verdict stages_call(struct ctx *c, enum hook hook, const struct weir_event *ev)
{
    const struct weir_plugin *hooks = &c->in->plugin->hooks;
    struct request *r = c->r;
    enum hook before = c->hook;
    enum weir_verdict v = WEIR_PASS;
    int64_t t = clock_us();

    c->hook = hook;
    c->resumed = false;
    c->budget.fire = stage_late;
    if (hook == HOOK_REQUEST)
        v = hooks->on_request(&c->pub);
    else if (hook == HOOK_ROUTE)
        v = hooks->on_route(&c->pub, r->candidates, r->candidate_count, sizeof *r->candidates);
    else if (hook == HOOK_EVENT)
        v = hooks->on_event(&c->pub, ev);
    else if (hook == HOOK_RESPONSE)
        v = hooks->on_response(&c->pub);
    c->hook = before;
    t = clock_us() - t;
    r->t.guard_us += t;
    metrics_observe(r->w->metrics, r->w->slot, METRIC_stage_us, c->in->place, t);
    if (t > c->stage->timeout * 1000)
        log_event(WEIR_WARN, LOG_stage_slow, "stage=%s request=%s took_us=%lld", c->in->name, r->id, (long long)t);
    return v;
}

/* ---- walking the chain ---- */

static bool has_hook(const struct stage *s, enum hook hook)
{
    const struct weir_plugin *h = &s->in.plugin->hooks;

    return hook == HOOK_REQUEST ? h->on_request != NULL
           : hook == HOOK_ROUTE ? h->on_route != NULL
           : hook == HOOK_EVENT ? h->on_event != NULL
                                : h->on_response != NULL;
}

static bool any_hook(const struct world *w, enum hook hook)
{
    for (size_t i = 0; i < w->stage_count; i++)
        if (has_hook(w->stages[i], hook))
            return true;
    return false;
}

bool stages_have_events(const struct world *w)
{
    return any_hook(w, HOOK_EVENT);
}
bool stages_have_response(const struct world *w)
{
    return any_hook(w, HOOK_RESPONSE);
}

bool stages_hold_stream(const struct world *w)
{
    for (size_t i = 0; i < w->stage_count; i++)
        if (has_hook(w->stages[i], HOOK_RESPONSE) && !has_hook(w->stages[i], HOOK_EVENT) && !w->stages[i]->observe)
            return true;
    return false;
}

/* From r->stage_at on; a stage that has just been resumed is behind us. */
static enum step_result stages_walk(struct request *r, enum hook hook)
{
    const struct world *w = r->w->world;

    while (r->stage_at < w->stage_count) {
        const struct stage *s = w->stages[r->stage_at++];
        if (!has_hook(s, hook))
            continue;
        struct ctx *c = request_ctx(r, &s->in, s);
        if (c->bypassed)
            continue;
        enum stages_result result = stages_judge(c, hook, stages_call(c, hook, NULL));
        if (result != STAGES_GO)
            return result == STAGES_WAIT ? STEP_WAIT : STEP_END;
    }
    r->stage_at = 0;
    return STEP_NEXT;
}

/* Whether the stage reads this side. */
static bool reads(const struct stage *s, bool answer)
{
    return answer ? has_hook(s, HOOK_EVENT) || has_hook(s, HOOK_RESPONSE) : has_hook(s, HOOK_REQUEST);
}

bool stages_take_unseen(struct request *r, bool answer)
{
    const struct world *w = r->w->world;

    for (size_t i = 0; i < w->stage_count; i++) {
        const struct stage *s = w->stages[i];
        struct ctx *c;
        if (!s->block_unseen || !reads(s, answer))
            continue;
        c = request_ctx(r, &s->in, s);
        snprintf(r->refusal_code, sizeof r->refusal_code, "unseen_content");
        r->reason = WEIR_STR("unseen");
        if (stage_blocked(c) == STAGES_STOP)
            return false;
        r->reason = (struct weir_str){0};
    }
    return true;
}

enum step_result step_ask(struct request *r)
{
    enum step_result result;

    if (r->unseen && !r->stage_at && !stages_take_unseen(r, false))
        return STEP_END;
    result = stages_walk(r, HOOK_REQUEST);

    if (result == STEP_NEXT)
        r->t.asked = r->w->loop.now_us;
    return result;
}

/* Insertion sort by rank, stable: a handful of candidates, equal ranks keep the configuration's order. */
static void candidates_order(struct request *r)
{
    for (size_t i = 1; i < r->candidate_count; i++)
        for (size_t k = i; k > 0 && r->candidates[k].rank < r->candidates[k - 1].rank; k--) {
            struct weir_candidate c = r->candidates[k];
            const struct provider *p = r->endpoints[k];
            r->candidates[k] = r->candidates[k - 1];
            r->endpoints[k] = r->endpoints[k - 1];
            r->candidates[k - 1] = c;
            r->endpoints[k - 1] = p;
        }
}

enum step_result step_pick(struct request *r)
{
    enum step_result result = stages_walk(r, HOOK_ROUTE);
    size_t n = 0;
    const char *why = NULL;

    if (result != STEP_NEXT)
        return result;
    for (size_t i = 0; i < r->candidate_count; i++) {
        if (r->candidates[i].out) {
            why = r->candidates[i].out;
            continue;
        }
        r->candidates[n] = r->candidates[i];
        r->endpoints[n++] = r->endpoints[i];
    }
    r->candidate_count = n;
    candidates_order(r);
    if (n)
        return STEP_NEXT;
    request_refuse(r, 403, "no_candidate", "model", "policy leaves no provider for this request: %s",
                   why ? why : "all were removed");
    r->outcome = OUTCOME_denied;
    return STEP_END;
}

enum step_result step_check(struct request *r)
{
    enum step_result result = stages_walk(r, HOOK_RESPONSE);

    if (result == STEP_NEXT && r->reply.held)
        reply_release(r);
    return result;
}

/* ---- waiting ---- */

void stages_resume(struct ctx *c, enum weir_verdict v)
{
    enum hook hook = c->waits;
    struct request *r = c->r;

    if (hook == HOOK_NONE) {
        if (c->hook != HOOK_NONE && !c->resumed) { /* from inside the hook, before it said WAIT */
            c->resumed = true;
            c->verdict = v;
            return;
        }
        log_event(WEIR_WARN, LOG_resume_twice, "stage=%s request=%s", c->in->name, r->id);
        return;
    }
    if (v == WEIR_WAIT)
        return;
    c->waits = HOOK_NONE;
    if (!c->stage) {
        attempt_resumed(r, v);
        return;
    }
    loop_timer_stop(&r->w->loop, &c->budget);
    r->reason = v == WEIR_BLOCK ? r->reason : (struct weir_str){0};
    if (hook == HOOK_EVENT) {
        answer_resumed(c, v);
        return;
    }
    if (stages_judge(c, hook, v) == STAGES_STOP)
        pipeline_goto(r, STEP_close);
    else
        pipeline_goto(r, r->step);
}

void stages_cancel(struct request *r)
{
    if (!r->ctxs)
        return;
    for (size_t i = 0; i < r->w->world->instance_count; i++) {
        struct ctx *c = r->ctxs[i];
        if (!c)
            continue;
        if (c->waits != HOOK_NONE && c->in->plugin->hooks.on_cancel)
            c->in->plugin->hooks.on_cancel(&c->pub);
        c->waits = HOOK_NONE;
        loop_timer_stop(&r->w->loop, &c->budget);
        loop_timer_stop(&r->w->loop, &c->timer);
    }
}

/* ---- what a dialect says ---- */

void stages_out(struct ctx *c, struct buf *b)
{
    c->out = b;
}

void stages_refuse(struct request *r, struct buf *out)
{
    struct ctx *c = request_ctx(r, r->dialect, NULL);

    stages_out(c, out);
    r->dialect->plugin->hooks.refuse(&c->pub, &r->refusal);
    stages_out(c, NULL);
}

void stages_record(struct request *r)
{
    for (size_t i = 0; r->ctxs && i < r->w->world->instance_count; i++)
        if (r->ctxs[i] && r->ctxs[i]->in->plugin->hooks.on_record)
            r->ctxs[i]->in->plugin->hooks.on_record(&r->ctxs[i]->pub);
}
