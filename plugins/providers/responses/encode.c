/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c -- what is sent to a server that speaks Responses.  A client of the same dialect: its bytes, but for `model`
 * when the endpoint calls it by another name.  Another: a body made of the canonical request, always the same for the
 * same one, with the items last, so that a longer history begins with the bytes of a shorter.  Host: step `try`.
 */
#include <stdio.h>

#include "canon.h"
#include "responses.h"

#define LEAST_OUTPUT 16 /* tokens: OpenAI refuses less */

static void put_header(struct weir_ctx *c, struct weir_http *h, const char *name, const char *value)
{
    if (value[0])
        c->host->http_header(h, name, str_of(value));
}

static void put_credential(struct weir_ctx *c, struct weir_http *h)
{
    const struct responses *o = c->self;
    struct text t = {.c = c};

    if (!o->key[0] || strcmp(o->auth, "none") == 0)
        return;
    if (strcmp(o->auth, "api-key") == 0) {
        c->host->http_header(h, "api-key", str_of(o->key));
        return;
    }
    text_lit(&t, "Bearer ");
    text_str(&t, str_of(o->key));
    c->host->http_header(h, "authorization", text_view(&t));
}

static void put_target(struct weir_ctx *c, struct weir_http *h)
{
    const struct responses *o = c->self;
    struct weir_str base = str_of(o->url);
    struct text t = {.c = c};

    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    text_str(&t, base);
    text_lit(&t, "/responses");
    c->host->http_target(h, "POST", text_view(&t));
    c->host->http_header(h, "content-type", WEIR_STR("application/json"));
    put_credential(c, h);
    put_header(c, h, "openai-organization", o->organization);
    put_header(c, h, "openai-project", o->project);
}

static void splice_model(struct weir_ctx *c, struct weir_http *h, struct weir_str model)
{
    const struct weir_request *r = weir_request(c);
    struct text t = {.c = c};

    if (!model.len || str_eq(model, r->model))
        return;
    text_json(&t, model);
    c->host->http_splice(h, r->model_at, r->model_len, text_view(&t));
}

/* ---- tools ---- */

static bool encode_tool(struct weir_ctx *c, struct emit *m, uint32_t tool, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t custom = weir_json_get(j, tool, "custom"), schema = weir_json_get(j, tool, "schema");
    uint32_t strict = weir_json_get(j, tool, "strict"), grammar = weir_json_get(j, custom, "grammar");

    if (node_there(j, weir_json_get(j, tool, "hosted")))
        return canon_lossy_at(c, tool, "tools", false, e);
    if (node_there(j, weir_json_get(j, tool, "cache")) && !canon_lossy_at(c, tool, "tools", true, e))
        return false;
    emit_open(m, '{');
    emit_member_text(m, "type", node_there(j, custom) ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_member(m, "name", j, weir_json_get(j, tool, "name"));
    emit_member(m, "description", j, weir_json_get(j, tool, "description"));
    if (node_there(j, custom)) {
        if (weir_json_first(j, custom) != WEIR_NO_NODE)
            emit_key(m, "format");
        if (node_there(j, grammar)) { /* Chat wraps what is flat here */
            emit_open(m, '{');
            emit_member_lit(m, "type", "grammar");
            emit_member(m, "syntax", j, weir_json_get(j, grammar, "syntax"));
            emit_member(m, "definition", j, weir_json_get(j, grammar, "definition"));
            emit_close(m, '}');
        } else if (weir_json_first(j, custom) != WEIR_NO_NODE) {
            emit_raw(m, weir_json_text(j, custom));
        }
    } else {
        emit_key(m, "parameters");
        emit_raw(m, node_there(j, schema) ? weir_json_text(j, schema)
                                          : WEIR_STR("{\"type\":\"object\",\"properties\":{}}"));
        emit_key(m, "strict"); /* absent, OpenAI takes it for true here, other dialects for false */
        emit_bool(m, node_true(j, strict));
    }
    emit_close(m, '}');
    return true;
}

static bool encode_tools(struct weir_ctx *c, struct emit *m, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t tools = weir_json_get(j, 0, "tools");

    if (!node_there(j, tools))
        return true;
    emit_key(m, "tools");
    emit_open(m, '[');
    for (EACH_ITEM(j, tool, tools))
        if (!encode_tool(c, m, tool, e))
            return false;
    emit_close(m, ']');
    return true;
}

static void put_named(struct weir_ctx *c, struct emit *m, uint32_t name)
{
    const struct weir_json *j = weir_canonical(c);
    bool custom = tool_is_custom(j, c, node_value(c, j, name));

    emit_open(m, '{');
    emit_member_text(m, "type", custom ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_member(m, "name", j, name);
    emit_close(m, '}');
}

static void encode_choice(struct weir_ctx *c, struct emit *m)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t choice = weir_json_get(j, 0, "tool_choice"), mode = weir_json_get(j, choice, "mode");

    if (!node_there(j, choice))
        return;
    emit_key(m, "tool_choice");
    if (node_says(j, mode, "named")) {
        put_named(c, m, weir_json_get(j, choice, "name"));
        return;
    }
    if (!node_says(j, mode, "allowed")) {
        emit_node(m, j, mode);
        return;
    }
    emit_open(m, '{');
    emit_member_lit(m, "type", "allowed_tools");
    emit_member_text(m, "mode",
                     node_true(j, weir_json_get(j, choice, "required")) ? WEIR_STR("required") : WEIR_STR("auto"));
    emit_key(m, "tools");
    emit_open(m, '[');
    for (EACH_ITEM(j, name, weir_json_get(j, choice, "names")))
        put_named(c, m, name);
    emit_close(m, ']');
    emit_close(m, '}');
}

/* ---- scalars ---- */

static bool encode_limit(struct weir_ctx *c, struct emit *m, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t node = weir_json_get(j, 0, "max_output");
    int64_t v = weir_json_int(j, node, LEAST_OUTPUT);

    if (!node_there(j, node))
        return true;
    emit_key(m, "max_output_tokens");
    if (v >= LEAST_OUTPUT) {
        emit_node(m, j, node);
        return true;
    }
    emit_int(m, LEAST_OUTPUT);
    return canon_lossy(c, "max_output", true, e);
}

/* Of the answer's limit, as far as one is known: OpenRouter's shares, the other way. */
static struct weir_str budget_effort(struct weir_ctx *c, int64_t budget)
{
    const struct weir_json *j = weir_canonical(c);
    int64_t most = weir_json_int(j, weir_json_get(j, 0, "max_output"), 0);

    if (budget == 0)
        return WEIR_STR("none");
    if (most <= 0)
        most = 32768;
    return budget * 10 < most * 3 ? WEIR_STR("low") : budget * 10 < most * 6 ? WEIR_STR("medium") : WEIR_STR("high");
}

static void encode_reasoning(struct weir_ctx *c, struct emit *m)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t reasoning = weir_json_get(j, 0, "reasoning"), effort = weir_json_get(j, reasoning, "effort");
    uint32_t show = weir_json_get(j, reasoning, "show");
    int64_t budget = weir_json_int(j, weir_json_get(j, reasoning, "budget"), -1);
    bool shown = node_there(j, show) && !node_says(j, show, "none"), sized = budget >= 0 && budget < 1 << 30;

    if (!node_there(j, effort) && !sized && !shown)
        return;
    emit_key(m, "reasoning");
    emit_open(m, '{');
    if (node_there(j, effort))
        emit_member(m, "effort", j, effort);
    else if (sized)
        emit_member_text(m, "effort", budget_effort(c, budget));
    if (shown)
        emit_member(m, "summary", j, show);
    emit_close(m, '}');
}

static void encode_text(struct weir_ctx *c, struct emit *m)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t format = weir_json_get(j, 0, "format"), verbosity = weir_json_get(j, 0, "verbosity");
    uint32_t name = weir_json_get(j, format, "name");

    if (!node_there(j, format) && !node_there(j, verbosity))
        return;
    emit_key(m, "text");
    emit_open(m, '{');
    if (node_there(j, format)) {
        emit_key(m, "format");
        emit_open(m, '{');
        if (node_says(j, weir_json_get(j, format, "type"), "json")) {
            emit_member_lit(m, "type", "json_object");
        } else {
            emit_member_lit(m, "type", "json_schema");
            emit_key(m, "name"); /* demanded here, unknown elsewhere */
            emit_quoted(m, node_is_string(j, name) ? weir_json_text(j, name) : WEIR_STR("answer"));
            emit_member(m, "description", j, weir_json_get(j, format, "description"));
            emit_member(m, "schema", j, weir_json_get(j, format, "schema"));
            emit_member(m, "strict", j, weir_json_get(j, format, "strict"));
        }
        emit_close(m, '}');
    }
    emit_member(m, "verbosity", j, verbosity);
    emit_close(m, '}');
}

static bool encode_tier(struct weir_ctx *c, struct emit *m, struct weir_error *e)
{
    static const char *const tiers[] = {"auto", "default", "flex", "priority", "scale", "fast", "ultrafast"};
    const struct weir_json *j = weir_canonical(c);
    uint32_t tier = weir_json_get(j, 0, "service_tier");

    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
        if (node_says(j, tier, tiers[i])) {
            emit_member(m, "service_tier", j, tier);
            return true;
        }
    return canon_lossy(c, "service_tier", true, e);
}

/* An id of at most 64 characters; a longer one as letters made of it. */
static void encode_user(struct weir_ctx *c, struct emit *m)
{
    struct weir_str user = get_value(c, weir_canonical(c), 0, "user");

    if (user.len > 64)
        user = canon_call_id(c, user, 64, false);
    if (user.len)
        emit_member_text(m, "safety_identifier", user);
}

/* What this dialect cannot say.  Zeros of penalties and one choice say nothing. */
static bool encode_losses(struct weir_ctx *c, struct weir_error *e)
{
    static const struct {
        const char *key;
        bool hint, zero;
        int64_t plain;
    } lost[] = {
        {"top_k", true, false, 0},
        {"min_p", true, true, 0},
        {"presence_penalty", true, true, 0},
        {"frequency_penalty", true, true, 0},
        {"repetition_penalty", true, true, 1},
        {"logit_bias", true, false, 0},
        {"seed", true, false, 0},
        {"n", false, true, 1},
        {"logprobs", false, false, 0},
        {"stop", false, false, 0},
        {"cache", true, false, 0},
    };
    const struct weir_json *j = weir_canonical(c);

    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        uint32_t node = weir_json_get(j, 0, lost[i].key);
        bool nothing = (lost[i].zero && weir_json_int(j, node, -1) == lost[i].plain) ||
                       ((weir_json_is(j, node, WEIR_JSON_ARRAY) || weir_json_is(j, node, WEIR_JSON_OBJECT)) &&
                        j->nodes[node].len == 2);
        if (!nothing && !canon_lossy(c, lost[i].key, lost[i].hint, e))
            return false;
    }
    return true;
}

/* Nothing is kept at the upstream, for the client could not name it: what must come back is asked for. */
static void encode_keeping(struct weir_ctx *c, struct emit *m)
{
    const struct responses *o = c->self;

    emit_key(m, "store");
    emit_bool(m, false);
    if (!o->encrypted_reasoning || str_is(weir_fact(c, "model.reasoning"), "false"))
        return;
    emit_key(m, "include");
    emit_raw(m, WEIR_STR("[\"reasoning.encrypted_content\"]"));
}

static bool encode_body(struct weir_ctx *c, struct emit *m, struct weir_str model, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);

    emit_open(m, '{');
    emit_member_text(m, "model", model);
    if (!encode_losses(c, e) || !encode_tools(c, m, e))
        return false;
    encode_choice(c, m);
    emit_member(m, "parallel_tool_calls", j, weir_json_get(j, 0, "parallel_tools"));
    if (!encode_limit(c, m, e))
        return false;
    emit_member(m, "temperature", j, weir_json_get(j, 0, "temperature"));
    emit_member(m, "top_p", j, weir_json_get(j, 0, "top_p"));
    encode_reasoning(c, m);
    encode_text(c, m);
    if (!encode_tier(c, m, e))
        return false;
    emit_member(m, "metadata", j, weir_json_get(j, 0, "metadata"));
    encode_user(c, m);
    emit_member(m, "prompt_cache_key", j, weir_json_get(j, 0, "cache_key"));
    encode_keeping(c, m);
    if (node_true(j, weir_json_get(j, 0, "stream"))) {
        emit_key(m, "stream");
        emit_bool(m, true);
    }
    if (!encode_input(c, m, e))
        return false;
    emit_close(m, '}');
    return true;
}

enum weir_verdict responses_encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                   struct weir_error *e)
{
    struct responses_local *l = c->local;
    struct emit m = {.t.c = c};

    l->foreign = weir_canonical(c) != NULL;
    if (!l->foreign && !weir_body(c)) {
        snprintf(e->text, sizeof e->text, "there is no body to send");
        return WEIR_FAIL;
    }
    put_target(c, h);
    if (!l->foreign) {
        splice_model(c, h, to->model);
        return WEIR_PASS;
    }
    if (!encode_body(c, &m, to->model.len ? to->model : weir_request(c)->model, e))
        return WEIR_UNSUPPORTED;
    c->host->http_body(h, text_view(&m.t));
    return WEIR_PASS;
}
