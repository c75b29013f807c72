/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- what is sent to Gemini: the client's bytes when it speaks Gemini, but for the model's name where bodies
 * have one; else a body made of the canonical request.  Host: step `try`, worker process.
 */
#include "encoder.h"

#include <stdio.h>

/* ---- clients of this dialect ---- */

static void splice_model(struct weir_ctx *c, struct weir_http *h, const struct weir_json *j, uint32_t object,
                         struct weir_str model)
{
    uint32_t node = proto_get(j, object, "model");
    struct text t = {.c = c};

    if (!node_is_string(j, node))
        return;
    text_json(&t, gemini_resource(c, model));
    c->host->http_splice(h, j->nodes[node].at, j->nodes[node].len, text_view(&t));
}

static enum weir_verdict encode_same(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                     struct weir_error *e)
{
    const struct weir_request *r = weir_request(c);
    const struct weir_json *j = weir_body(c);
    struct text method = {.c = c};
    enum weir_verdict v;

    if (!j) {
        snprintf(e->text, sizeof e->text, "there is no body to send");
        return WEIR_FAIL;
    }
    text_str(&method, gemini_method(r));
    if (r->stream && !gemini_wants_array(r))
        text_lit(&method, "?alt=sse");
    v = gemini_target(c, to, text_view(&method), h, e);
    if (v != WEIR_PASS)
        return v;
    if (!to->model.len || str_eq(to->model, r->model))
        return WEIR_PASS;
    splice_model(c, h, j, 0, to->model);
    splice_model(c, h, j, proto_get(j, 0, "generateContentRequest"), to->model);
    for (EACH_ONE(j, n, proto_get(j, 0, "requests")))
        splice_model(c, h, j, n, to->model);
    return WEIR_PASS;
}

/* ---- embeddings of another dialect ---- */

static bool task_type(struct encoder *n, struct weir_str *task)
{
    static const char *const types[][2] = {
        {"query", "RETRIEVAL_QUERY"},
        {"document", "RETRIEVAL_DOCUMENT"},
        {"classification", "CLASSIFICATION"},
        {"clustering", "CLUSTERING"},
    };
    struct weir_str type = value(n, 0, "input_type");

    *task = WEIR_STR("");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_is(type, types[i][0]))
            *task = str_of(types[i][1]);
    return task->len || canon_lossy(n->c, "input_type", false, n->e);
}

static bool embed_aistudio(struct encoder *n, struct weir_str model, struct weir_str task)
{
    struct weir_str resource = gemini_resource(n->c, model);

    emit_key(&n->m, "requests");
    emit_open(&n->m, '[');
    for (EACH_ITEM(n->j, input, top(n, "input"))) {
        emit_open(&n->m, '{');
        emit_member_text(&n->m, "model", resource);
        emit_key(&n->m, "content");
        emit_raw(&n->m, WEIR_STR("{\"parts\":[{\"text\":"));
        n->m.comma = false;
        emit_node(&n->m, n->j, input);
        text_lit(&n->m.t, "}]}");
        if (task.len)
            emit_member_text(&n->m, "taskType", task);
        emit_member(&n->m, "outputDimensionality", n->j, top(n, "dimensions"));
        emit_close(&n->m, '}');
    }
    emit_close(&n->m, ']');
    return true;
}

static bool embed_vertex(struct encoder *n, struct weir_str task)
{
    emit_key(&n->m, "instances");
    emit_open(&n->m, '[');
    for (EACH_ITEM(n->j, input, top(n, "input"))) {
        emit_open(&n->m, '{');
        if (task.len)
            emit_member_text(&n->m, "task_type", task);
        emit_member(&n->m, "content", n->j, input);
        emit_close(&n->m, '}');
    }
    emit_close(&n->m, ']');
    if (top(n, "dimensions") == WEIR_NO_NODE)
        return true;
    emit_key(&n->m, "parameters");
    emit_open(&n->m, '{');
    emit_member(&n->m, "outputDimensionality", n->j, top(n, "dimensions"));
    emit_close(&n->m, '}');
    return true;
}

static bool encode_embedding(struct encoder *n, struct weir_str model)
{
    struct weir_str task;

    for (EACH_ITEM(n->j, input, top(n, "input")))
        if (!node_is_string(n->j, input)) { /* numbers of another vendor's tokens */
            snprintf(n->e->text, sizeof n->e->text, "input: this model takes text, not numbers of tokens.");
            snprintf(n->e->code, sizeof n->e->code, "unsupported_parameter");
            snprintf(n->e->field, sizeof n->e->field, "input");
            return false;
        }
    if (!task_type(n, &task) || !canon_lossy(n->c, "user", true, n->e) || !canon_lossy(n->c, "metadata", true, n->e))
        return false;
    return n->vertex ? embed_vertex(n, task) : embed_aistudio(n, model, task);
}

/* ---- all of another dialect ---- */

/* "gemini-2.5-pro", "models/gemini-3-flash-preview"; names without a number mean the newest. */
static void read_name(struct encoder *n, struct weir_str model)
{
    const char *at = memmem(model.ptr, model.len, "gemini-", 7);
    const char *end = model.ptr + model.len;

    n->pro = memmem(model.ptr, model.len, "-pro", 4) != NULL;
    if (!at)
        return;
    for (at += 7; at < end && *at >= '0' && *at <= '9' && n->major < 1000; at++)
        n->major = n->major * 10 + (*at - '0');
    if (n->major == 2 && (end - at < 2 || at[0] != '.' || at[1] < '5')) /* 2.0 does not think */
        n->major = 1;
    if (!n->major && memmem(model.ptr, model.len, "latest", 6))
        n->major = 3;
}

/* Where the name tells nothing (a tuned model), the catalogue does. */
static void read_model(struct encoder *n, struct weir_str model)
{
    struct weir_str thinking = weir_fact(n->c, "model.thinking");

    read_name(n, model);
    if (!n->major && thinking.len)
        n->major = str_is(thinking, "level") ? 3 : str_is(thinking, "budget") ? 2 : 0;
}

static bool encode_chat(struct encoder *n)
{
    return canon_names_lossy(n->c, n->e) && encode_system(n) && encode_tools(n) && encode_contents(n) &&
           encode_config(n);
}

static struct weir_str method_of(const struct encoder *n, const struct weir_request *r)
{
    if (r->kind == WEIR_EMBEDDING)
        return n->vertex ? WEIR_STR("predict") : WEIR_STR("batchEmbedContents");
    return r->stream ? WEIR_STR("streamGenerateContent?alt=sse") : WEIR_STR("generateContent");
}

enum weir_verdict gemini_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                struct weir_error *e)
{
    const struct gemini *g = c->self;
    const struct weir_request *r = weir_request(c);
    struct weir_str model = to->model.len ? to->model : r->model;
    struct encoder n = {.c = c, .j = weir_canonical(c), .m.t.c = c, .e = e};
    enum weir_verdict v;

    if (!n.j)
        return encode_same(c, to, h, e);
    n.vertex = strcmp(g->platform, "vertex") == 0;
    n.openapi = strcmp(g->schema, "openapi") == 0;
    read_model(&n, model);
    v = gemini_target(c, to, method_of(&n, r), h, e);
    if (v != WEIR_PASS)
        return v;
    text_reserve(&n.m.t, n.j->text.len);
    emit_open(&n.m, '{');
    if (r->kind == WEIR_EMBEDDING ? !encode_embedding(&n, model) : !encode_chat(&n))
        return WEIR_UNSUPPORTED;
    emit_close(&n.m, '}');
    c->host->http_body(h, text_view(&n.m.t));
    return WEIR_PASS;
}
