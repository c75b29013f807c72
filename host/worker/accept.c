/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c -- step `accept`: from a path and a body to what a dialect reads in them.  Also what weir itself answers. */
#include "base/json_skim.h"
#include "worker/client.h"
#include "worker/reply.h"
#include "worker/request.h"
#include "worker/worker.h"

static bool path_matches(const struct weir_path *p, struct weir_str path)
{
    struct weir_str want = str_of(p->path);
    bool prefix = want.len > 1 && want.ptr[want.len - 1] == '/';

    return prefix ? path.len > want.len && str_starts(path, want) : str_eq(path, want);
}

static bool method_matches(const struct weir_path *p, struct weir_str method)
{
    return str_is(method, p->method) || (str_is(method, "HEAD") && strcmp(p->method, "GET") == 0);
}

/* The dialect that serves the path: a row that asks for a header which is there, before one that asks for none. `allow`
 * collects the methods of rows whose path fits but whose method does not. */
static const struct weir_path *path_find(struct request *r, struct weir_str path, struct buf *allow)
{
    const struct world *world = r->w->world;
    const struct weir_path *plain = NULL;

    for (size_t i = 0; i < world->dialect_count; i++) {
        const struct weir_path *p = world->dialects[i]->plugin->hooks.paths;
        for (; p->path; p++) {
            if (!path_matches(p, path) || (p->header && !http1_find(&r->head, str_of(p->header))))
                continue;
            if (!method_matches(p, r->head.method)) {
                buf_printf(allow, "%s%s", allow->len ? ", " : "", p->method);
            } else if (p->header) {
                r->dialect = world->dialects[i];
                return p;
            } else if (!plain) {
                r->dialect = world->dialects[i];
                plain = p;
            }
        }
    }
    return plain;
}

/* ---- what weir answers itself ---- */

static bool origin_allowed(struct request *r)
{
    const struct weir_list *allowed = &r->w->world->settings.cors_origins;
    const struct weir_str *origin = http1_find(&r->head, WEIR_STR("origin"));

    for (size_t i = 0; origin && i < allowed->count; i++)
        if (str_is(*origin, allowed->items[i]) || strcmp(allowed->items[i], "*") == 0)
            return true;
    return false;
}

static enum step_result answer_options(struct request *r)
{
    struct weir_str lines = WEIR_STR("allow: GET, POST, HEAD, OPTIONS\r\n");

    if (origin_allowed(r))
        lines =
            WEIR_STR("allow: GET, POST, HEAD, OPTIONS\r\naccess-control-allow-methods: GET, POST\r\n"
                     "access-control-allow-headers: authorization, content-type, x-api-key, api-key, x-goog-api-key\r\n"
                     "access-control-max-age: 600\r\n");
    reply_whole(r, 204, NULL, lines, WEIR_STR(""));
    return STEP_END;
}

static enum step_result answer_health(struct request *r)
{
    reply_whole(r, 200, "application/json", WEIR_STR(""), WEIR_STR("{\"status\":\"ok\"}\n"));
    return STEP_END;
}

/* ---- the body ---- */

/* A page in a browser may send a form or plain text to any address without asking; JSON it may not. */
static bool type_is_json(struct request *r)
{
    const struct weir_str *type = http1_find(&r->head, WEIR_STR("content-type"));
    struct weir_str t;

    if (!type)
        return false;
    t = *type;
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] == ';')
            t.len = i;
    t = str_trim(t);
    return str_eq_nocase(t, WEIR_STR("application/json")) ||
           (t.len > 5 && str_eq_nocase(str_sub(t, t.len - 5, t.len), WEIR_STR("+json")));
}

static bool body_skim(struct request *r)
{
    const struct settings *set = &r->w->world->settings;
    struct json_limits limits = {(uint32_t)set->json_depth, (uint32_t)set->json_nodes};
    struct weir_error error = {{0}, {0}, {0}};

    if (!type_is_json(r)) {
        request_refuse(r, 415, "unsupported_media_type", "", "send the body as content-type: application/json");
        return false;
    }
    if (!json_skim_arena(&r->arena, &r->w->skim, buf_view(&r->body), &limits, &r->json, &error)) {
        request_refuse(r, 400, error.code[0] ? error.code : "invalid_json", "", "%s", error.text);
        return false;
    }
    r->has_json = true;
    return true;
}

enum step_result step_accept(struct request *r)
{
    struct weir_str path = request_path(r);
    struct weir_error error = {{0}, {0}, {0}};
    struct buf allow = {0};
    const struct weir_path *p;
    struct ctx *c;
    bool ok;

    r->view.size = sizeof r->view;
    r->view.path = path;
    r->view.query = r->head.query;
    if (str_is(r->head.method, "OPTIONS"))
        return answer_options(r);
    if (str_is(path, "/health") && (str_is(r->head.method, "GET") || r->client->head_only))
        return answer_health(r);
    p = path_find(r, path, &allow);
    if (!p && allow.len) {
        r->allow = arena_copy(&r->arena, buf_view(&allow));
        request_refuse(r, 405, "method_not_allowed", "", "this path takes %.*s", (int)allow.len, allow.ptr);
    } else if (!p)
        request_refuse(r, 404, "not_found", "",
                       "no such path; the API is under /v1/, for example POST /v1/chat/completions");
    buf_fini(&allow);
    if (!p)
        return STEP_END;
    r->view.kind = p->kind;
    if (strcmp(p->method, "POST") == 0 && !body_skim(r))
        return STEP_END;
    c = request_ctx(r, r->dialect, NULL);
    c->hook = HOOK_ACCEPT;
    ok = r->dialect->plugin->hooks.accept(&c->pub, &r->view, &error);
    c->hook = HOOK_NONE;
    if (!ok) {
        request_refuse(r, 400, error.code[0] ? error.code : "invalid_request", error.field, "%s", error.text);
        return STEP_END;
    }
    r->view.model = arena_copy(&r->arena, r->view.model); /* the record names it when the body has gone */
    return STEP_NEXT;
}
