/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c -- step `accept`: from a path and a body to what a dialect reads in them.  Also what weir itself answers. */
#include "worker/accept.h"

#include "base/json_skim.h"
#include "worker/client.h"
#include "worker/form.h"
#include "worker/kind.h"
#include "worker/reply.h"
#include "worker/request.h"
#include "worker/worker.h"

static inline bool path_matches(const struct served *s, struct weir_str path)
{
    size_t n = s->path.len;

    /* The last byte tells most rows apart, for a slash seldom stands there. */
    return (s->below ? path.len > n : path.len == n) && path.ptr[n - 1] == s->path.ptr[n - 1] &&
           memcmp(path.ptr, s->path.ptr, n) == 0;
}

/* HEAD is for what weir answers itself. */
static bool method_matches(const struct weir_path *p, struct weir_str method)
{
    bool own = p->kind == WEIR_LIST_MODELS || p->kind == WEIR_SHOW_MODEL;

    return str_is(method, p->method) || *p->method == '*' ||
           (own && str_is(method, "HEAD") && strcmp(p->method, "GET") == 0);
}

static void allow_add(struct buf *allow, const char *method)
{
    if (allow)
        buf_printf(allow, "%s%s", allow->len ? ", " : "", method);
}

const struct weir_path *accept_find(const struct request *r, struct instance **dialect, struct buf *allow)
{
    const struct world *world = r->w->world;
    struct weir_str path = request_path(r);
    const struct served *plain = NULL, *other = NULL;

    for (const struct served *s = world->served; s < world->served + world->served_count; s++) {
        if (!path_matches(s, path) || (s->row->header && !http1_find(&r->head, str_of(s->row->header))))
            continue;
        if (!method_matches(s->row, r->head.method)) {
            allow_add(allow, s->row->method);
            other = other && !s->row->header ? other : s;
        } else if (s->row->header) {
            *dialect = s->dialect;
            return s->row;
        } else if (!plain) {
            plain = s;
        }
    }
    *dialect = plain ? plain->dialect : other ? other->dialect : NULL;
    return plain ? plain->row : NULL;
}

/* "/v1" of "/v1/models". */
static struct weir_str path_root(struct weir_str path)
{
    const char *slash = path.len > 1 ? memchr(path.ptr + 1, '/', path.len - 1) : NULL;

    return str_sub(path, 0, slash ? (size_t)(slash - path.ptr) : path.len);
}

bool accept_is_api(const struct request *r)
{
    const struct world *world = r->w->world;
    struct weir_str root = path_root(request_path(r));

    for (size_t i = 0; i < world->served_count; i++)
        if (str_eq(path_root(world->served[i].path), root))
            return true;
    return false;
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
    struct weir_str lines = WEIR_STR("allow: GET, POST, DELETE, HEAD, OPTIONS\r\n");

    if (origin_allowed(r))
        lines =
            WEIR_STR("allow: GET, POST, DELETE, HEAD, OPTIONS\r\naccess-control-allow-methods: GET, POST, DELETE\r\n"
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
    struct weir_str t;

    if (!r->type)
        return false;
    t = *r->type;
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

    if (r->form) {
        r->view.form = true;
        r->has_json = form_describe(r, &error);
        if (!r->has_json)
            request_refuse(r, 400, error.code, "", "%s", error.text);
        return r->has_json;
    }
    if (!type_is_json(r)) {
        request_refuse(r, 415, "unsupported_media_type", "", "send the body as content-type: application/json%s",
                       kind_takes_form(r->view.kind) ? " or multipart/form-data" : "");
        return false;
    }
    if (!json_skim_arena(&r->arena, &r->w->skim, buf_view(&r->body), &limits, &r->json, &error)) {
        request_refuse(r, 400, error.code[0] ? error.code : "invalid_json", "", "%s", error.text);
        return false;
    }
    r->has_json = true;
    return true;
}

/* POST has a body; but what asks by its path alone, such as to cancel, may have none.  Nothing else has one. */
static bool body_read(struct request *r)
{
    if (kind_is_bare(r->view.kind) && r->bytes_in == 0)
        return true;
    if (str_is(r->head.method, "POST"))
        return body_skim(r);
    if (kind_is_bare(r->view.kind)) {
        request_refuse(r, 400, "body_unexpected", "", "this method takes no body here");
        return false;
    }
    return true;
}

/* ---- the step ---- */

static bool asks_websocket(const struct request *r)
{
    const struct weir_str *upgrade = str_is(r->head.method, "GET") ? http1_find(&r->head, WEIR_STR("upgrade")) : NULL;

    return upgrade && str_eq_nocase(*upgrade, WEIR_STR("websocket"));
}

/* The row that serves this request; NULL: it has been refused. */
static const struct weir_path *path_take(struct request *r)
{
    struct buf allow = {0};
    const struct weir_path *p = accept_find(r, &r->dialect, &allow);

    if (asks_websocket(r)) {
        request_refuse(r, 501, "websocket_not_served", "",
                       "WebSockets are not served here; send a POST with \"stream\": true and read server-sent events");
        p = NULL;
    } else if (!p && allow.len) {
        r->allow = arena_copy(&r->arena, buf_view(&allow));
        request_refuse(r, 405, "method_not_allowed", "", "this path takes %.*s", (int)allow.len, allow.ptr);
    } else if (!p) {
        request_refuse(r, 404, "not_found", "",
                       "no such path; the API is under /v1/, for example POST /v1/chat/completions");
    }
    buf_fini(&allow);
    return p;
}

enum step_result step_accept(struct request *r)
{
    struct weir_error error = {{0}, {0}, {0}};
    const struct weir_path *p;
    struct ctx *c;
    bool ok;

    r->view.size = sizeof r->view;
    r->view.path = request_path(r);
    r->view.query = r->head.query;
    if (str_is(r->head.method, "OPTIONS"))
        return answer_options(r);
    if (str_is(r->view.path, "/health") && (str_is(r->head.method, "GET") || r->client->head_only))
        return answer_health(r);
    p = path_take(r);
    if (!p)
        return STEP_END;
    r->view.kind = p->kind;
    r->view.method = r->head.method;
    r->known = true;
    if (p->kind != WEIR_UNSERVED && !body_read(r))
        return STEP_END;
    c = request_ctx(r, r->dialect, NULL);
    c->hook = HOOK_ACCEPT;
    ok = r->dialect->plugin->hooks.accept(&c->pub, &r->view, &error);
    c->hook = HOOK_NONE;
    if (!ok) {
        request_refuse(r, r->view.kind == WEIR_UNSERVED ? 501 : 400, error.code[0] ? error.code : "invalid_request",
                       error.field, "%s", error.text);
        return STEP_END;
    }
    r->view.model = arena_copy(&r->arena, r->view.model); /* the record names it when the body has gone */
    return STEP_NEXT;
}
