/* SPDX-License-Identifier: Apache-2.0 */
/* request.c -- making, refusing, abandoning and freeing a request; see request.h. */
#include "worker/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/entry.h"
#include "worker/form.h"
#include "worker/services.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"

static const char *const outcomes[OUTCOME_COUNT] = {
#define ROW(name, help) #name,
    OUTCOMES(ROW)
#undef ROW
};

const char *outcome_name(enum outcome o)
{
    return outcomes[o];
}

static void id_make(struct request *r)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    uint64_t v = worker_random(r->w);

    memcpy(r->id, "req_", 4);
    for (int i = 0; i < 24; i++, v >>= 5) {
        if (i == 12)
            v = worker_random(r->w);
        r->id[4 + i] = digits[v & 31];
    }
    r->id[28] = '\0';
}

/* A few requests are kept with their memory: a busy worker then asks the heap for next to nothing. */
static struct request *request_take(struct worker *w)
{
    struct request *r = w->spare_requests;
    struct arena arena, frames;

    if (!r)
        return must_alloc(sizeof *r);
    w->spare_requests = r->spare;
    w->spare_request_count--;
    arena = r->arena;
    frames = r->frames;
    memset(r, 0, sizeof *r);
    r->arena = arena;
    r->frames = frames;
    return r;
}

static void request_give(struct worker *w, struct request *r)
{
    if (w->spare_request_count >= WORKER_SPARES) {
        arena_fini(&r->arena);
        arena_fini(&r->frames);
        free(r);
        return;
    }
    arena_reset(&r->arena);
    arena_reset(&r->frames);
    r->spare = w->spare_requests;
    w->spare_requests = r;
    w->spare_request_count++;
}

void request_spares_free(struct worker *w)
{
    while (w->spare_requests) {
        struct request *r = w->spare_requests;
        w->spare_requests = r->spare;
        arena_fini(&r->arena);
        arena_fini(&r->frames);
        free(r);
    }
}

struct request *request_new(struct worker *w, struct client *c)
{
    struct request *r = request_take(w);

    r->w = w;
    r->client = c;
    r->task.run = pipeline_wake;
    r->body = worker_body_take(w);
    r->usage = (struct weir_usage){-1, -1, -1, -1, -1, -1, -1};
    id_make(r);
    metrics_add(w->metrics, w->slot, METRIC_requests_active, 0, 1);
    return r;
}

void request_free(struct request *r)
{
    struct worker *w = r->w;

    attempt_clear(r);
    stages_cancel(r);
    entry_forget(r);
    loop_undefer(&w->loop, &r->task);
    form_free(r);
    worker_body_give(w, &r->body);
    buf_fini(&r->reply.hold);
    translation_free(r);
    request_give(w, r);
    metrics_add(w->metrics, w->slot, METRIC_requests_active, 0, -1);
}

struct ctx *request_ctx(struct request *r, const struct instance *in, const struct stage *stage)
{
    struct ctx *c;

    if (!r->ctxs)
        r->ctxs = arena_alloc(&r->arena, r->w->world->instance_count * sizeof *r->ctxs);
    c = r->ctxs[in->index];
    if (c)
        return c;
    c = arena_alloc(&r->arena, sizeof *c);
    c->pub = (struct weir_ctx){.host = &services, .shared = in->shared, .self = in->self};
    if (in->plugin->hooks.local_size)
        c->pub.local = arena_alloc(&r->arena, in->plugin->hooks.local_size);
    c->r = r;
    c->in = in;
    c->stage = stage;
    return r->ctxs[in->index] = c;
}

struct weir_str request_path(const struct request *r)
{
    const struct weir_str api = WEIR_STR("/api/");
    struct weir_str path = r->head.path;

    return str_starts(path, api) ? str_sub(path, api.len - 1, path.len) : path;
}

void request_refuse(struct request *r, int status, const char *code, const char *field, const char *fmt, ...)
{
    va_list ap;

    if (r->refusal.status)
        return;
    if (code != r->refusal_code)
        snprintf(r->refusal_code, sizeof r->refusal_code, "%s", code);
    snprintf(r->refusal_field, sizeof r->refusal_field, "%s", field);
    va_start(ap, fmt);
    vsnprintf(r->refusal_text, sizeof r->refusal_text, fmt, ap);
    va_end(ap);
    r->refusal = (struct weir_refusal){
        .status = status, .code = r->refusal_code, .text = r->refusal_text, .field = r->refusal_field};
    r->outcome = OUTCOME_refused;
}

void request_abandon(struct request *r, enum outcome o)
{
    r->gone = true;
    r->outcome = o;
    r->refusal.status = 0; /* nobody is there to be told */
    loop_undefer(&r->w->loop, &r->task);
    r->step = STEP_close;
    pipeline_run(r);
}
