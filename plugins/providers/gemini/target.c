/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.c -- where a request goes and with which key: AI Studio, or Vertex AI with its project and location.
 *
 * Called by encode.c.  The model's name may come from a client: it cannot leave its place in the path.
 */
#include "gemini.h"

#include <stdio.h>

static bool is_vertex(const struct gemini *g)
{
    return strcmp(g->platform, "vertex") == 0;
}

/* "models/x", "tunedModels/x", "projects/.../x": names of that shape stay as they are. */
static bool is_resource(struct weir_str model)
{
    return str_starts(model, "models/") || str_starts(model, "tunedModels/") || str_starts(model, "projects/") ||
           str_starts(model, "publishers/");
}

struct weir_str gemini_resource(struct weir_ctx *c, struct weir_str model)
{
    struct text t = {.c = c};

    if (is_resource(model))
        return model;
    text_lit(&t, "models/");
    text_str(&t, model);
    return text_view(&t);
}

static void put_base(struct text *t, const struct gemini *g)
{
    struct weir_str base = str_of(g->url);

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    if (!is_vertex(g) || strcmp(g->url, GEMINI_URL) != 0) {
        text_str(t, base);
        return;
    }
    google_vertex_put(t, g->project[0] ? g->location : "global");
}

static void put_escaped(struct text *t, struct weir_str s, bool slashes)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~@";

    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.ptr[i];
        char code[3] = {'%', hex[ch >> 4], hex[ch & 15]};
        if (ch && (strchr(plain, ch) || (ch == '/' && slashes)))
            text_put(t, &s.ptr[i], 1);
        else
            text_put(t, code, 3);
    }
}

static void put_model(struct text *t, const struct gemini *g, struct weir_str model)
{
    bool resource = is_resource(model), absolute = str_starts(model, "projects/");

    text_lit(t, "/");
    if (is_vertex(g) && !absolute) {
        if (g->project[0]) {
            text_lit(t, "projects/");
            text_str(t, str_of(g->project));
            text_lit(t, "/locations/");
            text_str(t, str_of(g->location));
            text_lit(t, "/");
        }
        if (!str_starts(model, "publishers/"))
            text_lit(t, "publishers/google/");
    }
    if (!resource)
        text_lit(t, "models/");
    put_escaped(t, model, resource);
}

static void put_credential(struct weir_ctx *c, struct weir_http *h, struct weir_str key)
{
    const struct gemini *g = c->self;
    struct text t = {.c = c};

    if (!key.len || strcmp(g->auth, "none") == 0)
        return;
    if (strcmp(g->auth, "key") == 0) {
        c->host->http_header(h, "x-goog-api-key", key);
        return;
    }
    text_lit(&t, "Bearer ");
    text_str(&t, key);
    c->host->http_header(h, "authorization", text_view(&t));
}

enum weir_verdict gemini_target(struct weir_ctx *c, const struct weir_candidate *to, struct weir_str method,
                                struct weir_http *h, struct weir_error *e)
{
    const struct gemini *g = c->self;
    struct weir_str model = to->model.len ? to->model : weir_request(c)->model;
    struct weir_str key = strcmp(g->auth, "google") == 0 ? weir_credential(c) : str_of(g->key);
    struct text t = {.c = c};

    if (!model.len || memmem(model.ptr, model.len, "..", 2)) {
        snprintf(e->field, sizeof e->field, "model");
        snprintf(e->text, sizeof e->text, "This is no name of a model of this provider.");
        return WEIR_FAIL;
    }
    if (!key.ptr)
        return WEIR_WAIT;
    put_base(&t, g);
    put_model(&t, g, model);
    text_lit(&t, ":");
    text_str(&t, method);
    c->host->http_target(h, "POST", text_view(&t));
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    put_credential(c, h, key);
    return WEIR_PASS;
}
