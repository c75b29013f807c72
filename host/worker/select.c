/* SPDX-License-Identifier: Apache-2.0 */
/* select.c -- step `route`: which endpoints may serve the request.  Also the list of models, which is the same
 * question. */
#include "worker/client.h"
#include "worker/kind.h"
#include "worker/reply.h"
#include "worker/request.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"
#include "world/catalogue.h"

/* ---- the list of models ---- */

/* Who made it and when, as far as the catalogue knows; else it is the provider's. */
static struct weir_model model_row(const struct world *world, const struct provider *p, const struct model_rule *rule)
{
    struct weir_str upstream = rule->upstream.len ? rule->upstream : rule->pattern;
    const struct catalogue_model *m = provider_model(world, p, upstream, rule->pattern).model;
    struct weir_str author = m ? catalogue_author(m) : WEIR_STR("");

    return (struct weir_model){
        .id = rule->pattern, .owner = author.len ? author : str_of(p->in.name), .created = m ? m->created : 0};
}

static size_t models_add(struct request *r, const struct provider *p, struct weir_model *to, size_t n, size_t max)
{
    const struct world *world = r->w->world;

    for (size_t i = 0; i < p->rule_count && n < max; i++) {
        const struct model_rule *rule = &p->rules[i];
        size_t k = 0;
        if (rule->glob || !key_may_ask(r->key, rule->pattern))
            continue;
        while (k < n && !str_eq(to[k].id, rule->pattern))
            k++;
        if (k == n)
            to[n++] = model_row(world, p, rule);
    }
    return n;
}

static enum step_result answer_models(struct request *r)
{
    const struct world *world = r->w->world;
    struct ctx *c = request_ctx(r, r->dialect, NULL);
    size_t max = 0, n = 0, show = SIZE_MAX;
    struct weir_model *models;
    struct buf body;

    for (size_t i = 0; i < world->provider_count; i++)
        max += world->providers[i]->rule_count;
    models = arena_alloc(&r->arena, max * sizeof *models);
    for (size_t i = 0; i < world->provider_count; i++)
        if (provider_open_to(world->providers[i], r->key))
            n = models_add(r, world->providers[i], models, n, max);
    if (r->view.kind == WEIR_SHOW_MODEL) {
        for (size_t i = 0; i < n; i++)
            if (str_eq(models[i].id, r->view.model))
                show = i;
        if (show == SIZE_MAX) {
            request_refuse(r, 404, "model_not_found", "model",
                           "no model of this name is listed here; see GET /v1/models");
            return STEP_END;
        }
        models += show;
        n = 1;
    }
    body = worker_buf_take(r->w);
    stages_out(c, &body);
    r->dialect->plugin->hooks.list(&c->pub, models, n, sizeof *models);
    stages_out(c, NULL);
    reply_whole(r, 200, "application/json", WEIR_STR(""), buf_view(&body));
    body.len = 0;
    worker_buf_give(r->w, &body);
    return STEP_END;
}

/* ---- candidates ---- */

static void candidate_add(struct request *r, const struct provider *p, struct weir_str upstream)
{
    struct weir_candidate *c = &r->candidates[r->candidate_count];

    *c = (struct weir_candidate){
        .size = sizeof *c,
        .provider = str_of(p->in.name),
        .model = upstream,
        .region = str_of(p->region),
        .zdr = strcmp(p->retention, "zdr") == 0,
        .trains = strcmp(p->retention, "trained") == 0,
        .rank = (double)r->candidate_count,
    };
    r->endpoints[r->candidate_count++] = p;
}

/* ---- what names no model ---- */

static bool refuse_model(struct request *r, struct weir_str model)
{
    request_refuse(r, 403, "model_not_allowed", "model", "this key may not use model \"%.*s\"",
                   (int)(model.len < 80 ? model.len : 80), model.ptr);
    return false;
}

/* Every model that a batch names: the key may ask for it, the provider serves it. */
static bool named_fit(struct request *r, const struct provider *p)
{
    struct weir_str upstream;

    for (size_t i = 0; i < r->named_count; i++) {
        struct weir_str model = r->named[i].model;
        if (!key_may_ask(r->key, model))
            return refuse_model(r, model);
        if (provider_serves(p, model, &upstream))
            continue;
        request_refuse(r, 404, "model_not_found", "model", "provider %s does not serve model \"%.*s\"", p->in.name,
                       (int)(model.len < 80 ? model.len : 80), model.ptr);
        return false;
    }
    return true;
}

/* The one that the client names; else the one that is `home`; else the only one.  What it keeps has ids that no other
 * provider knows, so there is never a second try elsewhere. */
static const struct provider *bare_provider(struct request *r)
{
    const struct world *world = r->w->world;
    const struct weir_str *name = http1_find(&r->head, WEIR_STR("x-weir-provider"));
    const struct provider *one = NULL, *home = NULL;
    size_t there = 0, open = 0;

    for (size_t i = 0; i < world->provider_count; i++) {
        const struct provider *p = world->providers[i];
        if (p->dialect != r->dialect || p->in.plugin->hooks.serve || (name && !str_is(*name, p->in.name)))
            continue;
        there++;
        if (!provider_open_to(p, r->key))
            continue;
        open++;
        one = p;
        if (p->home && !home)
            home = p;
    }
    if (home || open == 1)
        return home ? home : one;
    if (open)
        request_refuse(r, 400, "provider_unclear", "x-weir-provider",
                       "several providers could take this: name one in the header x-weir-provider");
    else if (there)
        request_refuse(r, 403, "provider_not_allowed", "x-weir-provider", "this key may not use that provider");
    else
        request_refuse(r, 404, "provider_not_found", "x-weir-provider", "no provider here takes this request");
    return NULL;
}

static enum step_result route_bare(struct request *r)
{
    const struct provider *p = bare_provider(r);

    if (!p || !named_fit(r, p))
        return STEP_END;
    r->candidates = arena_alloc(&r->arena, sizeof *r->candidates);
    r->endpoints = arena_alloc(&r->arena, sizeof *r->endpoints);
    candidate_add(r, p, WEIR_STR(""));
    return STEP_NEXT;
}

enum step_result step_route(struct request *r)
{
    const struct world *world = r->w->world;
    struct weir_str upstream, model = r->view.model;
    bool known = false;

    if (r->view.kind == WEIR_LIST_MODELS || r->view.kind == WEIR_SHOW_MODEL)
        return answer_models(r);
    if (kind_is_bare(r->view.kind))
        return route_bare(r);
    r->candidates = arena_alloc(&r->arena, world->provider_count * sizeof *r->candidates);
    r->endpoints = arena_alloc(&r->arena, world->provider_count * sizeof *r->endpoints);
    if (key_may_ask(r->key, model))
        for (size_t i = 0; i < world->provider_count; i++) {
            const struct provider *p = world->providers[i];
            if (!provider_serves(p, model, &upstream))
                continue;
            known = true;
            if (provider_open_to(p, r->key) && translate_can(p, r->dialect, r->view.kind))
                candidate_add(r, p, upstream);
        }
    if (r->candidate_count)
        return STEP_NEXT;
    if (known)
        request_refuse(r, 403, "provider_not_allowed", "model", "this key may not use any provider of model \"%.*s\"",
                       (int)(model.len < 80 ? model.len : 80), model.ptr);
    else if (!key_may_ask(r->key, model))
        refuse_model(r, model);
    else
        request_refuse(r, 404, "model_not_found", "model",
                       "no provider here serves model \"%.*s\"; GET /v1/models lists what there is",
                       (int)(model.len < 80 ? model.len : 80), model.ptr);
    return STEP_END;
}
