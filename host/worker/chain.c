/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c -- lanes, queues and escapes between an answer's frames and its guardrails; see chain.h. */
#include "worker/chain.h"

#include "base/json_text.h"
#include "base/log.h"
#include "worker/worker.h"

void chain_init(struct chain *ch, struct request *r)
{
    *ch = (struct chain){.r = r, .wanted = stages_have_events(r->w->world)};
    ch->keep = ch->wanted || stages_have_response(r->w->world);
}

void chain_fini(struct chain *ch)
{
    for (struct lane *l = ch->lanes; l; l = l->next) {
        buf_fini(&l->out);
        buf_fini(&l->total);
    }
    buf_fini(&ch->run_out);
    arena_fini(&ch->arena);
    ch->lanes = NULL;
}

static struct lane *lane_find(const struct chain *ch, uint32_t choice, enum weir_channel channel, uint32_t block)
{
    for (struct lane *l = ch->lanes; l; l = l->next)
        if (l->choice == choice && l->channel == channel && l->block == block)
            return l;
    return NULL;
}

struct lane *chain_lane(struct chain *ch, uint32_t choice, enum weir_channel channel, uint32_t block)
{
    struct lane *l = lane_find(ch, choice, channel, block), **end = &ch->lanes;

    if (l)
        return l;
    l = arena_alloc(&ch->r->arena, sizeof *l);
    l->choice = choice;
    l->channel = channel;
    l->block = block;
    while (*end)
        end = &(*end)->next;
    return *end = l;
}

/* ---- stages and their queues ---- */

static size_t stage_after(const struct world *w, size_t i)
{
    while (i < w->stage_count && !w->stages[i]->in.plugin->hooks.on_event)
        i++;
    return i;
}

static struct ctx *stage_ctx(struct chain *ch, size_t i)
{
    const struct stage *s = ch->r->w->world->stages[i];
    struct ctx *c = request_ctx(ch->r, &s->in, s);

    c->place = i;
    return c;
}

/* Behind the last stage: into the run at hand, or the lane. */
static void chain_out(struct chain *ch, struct lane *l, struct weir_str text)
{
    buf_str(l->channel == WEIR_ARGUMENTS ? &ch->run_out : &l->out, text);
}

static void queue_put(struct chain *ch, size_t stage, struct lane *l, struct weir_str text, bool last)
{
    struct queued *q;
    struct ctx *c;

    if (stage >= ch->r->w->world->stage_count) {
        chain_out(ch, l, text);
        return;
    }
    c = stage_ctx(ch, stage);
    q = arena_alloc(&ch->arena, sizeof *q);
    *q = (struct queued){.lane = l, .text = arena_copy(&ch->arena, text), .last = last};
    if (!c->queue)
        c->queue_end = &c->queue;
    *c->queue_end = q;
    c->queue_end = &q->next;
}

void chain_emit(struct chain *ch, struct ctx *c, const struct weir_event *ev)
{
    struct lane *l = lane_find(ch, ev->choice, ev->channel, ev->block);

    if (!l || (c->hook != HOOK_EVENT && c->waits != HOOK_EVENT)) {
        log_event(WEIR_WARN, LOG_plugin_misused,
                  "stage=%s request=%s service=emit what=\"no such stream, or not in on_event\"", c->in->name,
                  ch->r->id);
        return;
    }
    if (c->stage->observe || c->bypassed || ev->text.len == 0)
        return; /* who observes cannot change anything */
    queue_put(ch, stage_after(ch->r->w->world, c->place + 1), l, ev->text, false);
}

/* What one stage has said of the text at the head of its queue. */
static enum stages_result queue_done(struct chain *ch, struct ctx *c, enum stages_result result)
{
    struct queued *q = c->queue;
    size_t next = stage_after(ch->r->w->world, c->place + 1);

    if (result != STAGES_GO)
        return result;
    c->queue = q->next;
    if (c->stage->observe || c->bypassed)
        queue_put(ch, next, q->lane, q->text, q->last);
    else if (q->last)
        queue_put(ch, next, q->lane, (struct weir_str){0}, true);
    return STAGES_GO;
}

static enum stages_result queue_serve(struct chain *ch, struct ctx *c)
{
    const struct queued *q = c->queue;
    const struct weir_event ev = {
        .size = sizeof ev,
        .channel = q->lane->channel,
        .choice = q->lane->choice,
        .block = q->lane->block,
        .text = q->text,
        .last = q->last,
        .tool_id = q->lane->tool_id,
        .tool_name = q->lane->tool_name,
    };
    enum weir_verdict v = c->bypassed ? WEIR_PASS : stages_call(c, HOOK_EVENT, &ev);

    return queue_done(ch, c, stages_judge(c, HOOK_EVENT, v));
}

/* The furthest stage first, so that order is kept and little is queued. */
static enum stages_result queues_drain(struct chain *ch)
{
    const struct world *w = ch->r->w->world;

    for (size_t i = w->stage_count; i-- > 0;) {
        const struct stage *s = w->stages[i];
        struct ctx *c;
        if (!s->in.plugin->hooks.on_event)
            continue;
        c = stage_ctx(ch, i);
        if (c->waits != HOOK_NONE)
            return STAGES_WAIT;
        if (!c->queue)
            continue;
        enum stages_result result = queue_serve(ch, c);
        if (result != STAGES_GO)
            return result;
        i = w->stage_count; /* it may have given the later ones something */
    }
    return STAGES_GO;
}

enum stages_result chain_resumed(struct chain *ch, struct ctx *c, enum weir_verdict v)
{
    return queue_done(ch, c, stages_judge(c, HOOK_EVENT, v));
}

/* ---- arguments: strings inside JSON ---- */

static void run_begin(struct chain *ch, struct weir_str raw, bool last)
{
    ch->run = raw;
    ch->run_text = memchr(raw.ptr ? raw.ptr : "", '\\', raw.len) ? json_unescape(&ch->arena, raw) : raw;
    ch->run_open = true;
    ch->run_out.len = 0;
    queue_put(ch, stage_after(ch->r->w->world, 0), ch->lane, ch->run_text, last);
}

/* Unedited text keeps the escapes that it came with. */
static void run_end(struct chain *ch)
{
    struct weir_str out = buf_view(&ch->run_out);

    ch->run_open = false;
    if (str_eq(out, ch->run_text))
        buf_str(&ch->lane->out, ch->run);
    else
        json_escape(&ch->lane->out, out);
    ch->run_out.len = 0;
}

/* false: nothing is left of the piece. */
static bool run_next(struct chain *ch)
{
    struct lane *l = ch->lane;
    struct json_run run;

    while (json_inner_next(&l->inner, &ch->piece, &run)) {
        if (run.kind == INNER_STRUCTURE) {
            buf_str(&l->out, run.text);
            continue;
        }
        run_begin(ch, run.text, run.kind == INNER_STRING_END);
        return true;
    }
    if (!ch->last || ch->ending)
        return false;
    ch->ending = true;
    if (json_inner_end(&l->inner, &run))
        buf_str(&l->out, run.text);
    run_begin(ch, (struct weir_str){0}, true); /* arguments that broke off inside a string: let go what is held */
    return true;
}

/* ---- one text ---- */

void chain_push(struct chain *ch, struct lane *l, struct weir_str text, bool last)
{
    arena_reset(&ch->arena);
    ch->lane = l;
    ch->last = last;
    ch->ending = false;
    l->out.len = 0;
    l->open = !last;
    if (!ch->wanted) {
        buf_str(&l->out, text);
    } else if (l->channel == WEIR_ARGUMENTS) {
        ch->piece = text;
    } else {
        queue_put(ch, stage_after(ch->r->w->world, 0), l, text, last);
    }
}

enum stages_result chain_run(struct chain *ch)
{
    struct lane *l = ch->lane;

    if (ch->wanted)
        do {
            enum stages_result result = queues_drain(ch);
            if (result != STAGES_GO)
                return result;
            if (ch->run_open)
                run_end(ch);
        } while (l->channel == WEIR_ARGUMENTS && run_next(ch));
    if (ch->keep)
        buf_str(&l->total, buf_view(&l->out));
    ch->lane = NULL;
    return STAGES_GO;
}
