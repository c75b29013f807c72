/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c -- walks a request through the table of pipeline.h.  Worker process; knows no step from inside. */
#include "worker/pipeline.h"

#include "ipc/metrics.h"
#include "worker/client.h"
#include "worker/request.h"
#include "worker/worker.h"

static enum step_result (*const steps[STEP_COUNT])(struct request *) = {
#define ROW(name, file, help, statuses) step_##name,
    PIPELINE(ROW)
#undef ROW
};

static void request_done(struct request *r)
{
    struct client *c = r->client;

    request_free(r);
    client_next(c);
}

static void step_timed(struct request *r, enum step at)
{
    int64_t now =
        r->w->loop.now_us; /* as coarse as the turns: reading the clock at each step would cost more than a step */

    metrics_observe(r->w->metrics, r->w->slot, METRIC_step_us, at, now - r->step_us);
    r->step_us = now;
}

/* A step may finish at once what it said it would wait for: pipeline_goto() then runs inside it, and its answer WAIT is
 * out of date. */
void pipeline_run(struct request *r)
{
    r->running = true;
    for (;;) {
        enum step at = r->step;
        r->jumped = false;
        enum step_result result = steps[at](r);
        if (r->jumped) {
            step_timed(r, at);
            continue;
        }
        if (result == STEP_WAIT)
            break;
        step_timed(r, at);
        if (at == STEP_close) {
            request_done(r);
            return;
        }
        r->step = result == STEP_NEXT ? at + 1 : STEP_close;
    }
    r->running = false;
}

void pipeline_wake(struct loop_task *task)
{
    pipeline_run((struct request *)((char *)task - offsetof(struct request, task)));
}

void pipeline_goto(struct request *r, enum step to)
{
    if (!r->running && r->step != to)
        step_timed(r, r->step);
    r->step = to;
    r->jumped = true;
    if (!r->running)
        loop_defer(&r->w->loop, &r->task);
}
