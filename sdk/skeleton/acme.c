/* SPDX-License-Identifier: MIT */
/*
 * acme.c -- provider: reaches an upstream that speaks OpenAI's format at its own address, with its own headers.
 *
 *     providers = ( { name = "acme";  plugin = "acme";  key = "env:ACME_KEY";  models = [ "rocket-*" ]; } );
 *
 * A provider only translates: it says where to send what, and never sees a socket.  The host connects, retries and
 * times out. It speaks the dialect "openai", so clients of that dialect reach it, their bytes go through as they are
 * but for the spliced model, and answers are read by the dialect's own `decode` (ours is NULL).  An upstream with just
 * another address needs no plugin at all: `plugin = "openai"; url = "..."` serves it.
 */
#include "weir.h"

#include <stdio.h>

struct acme {
    const char *url, *key, *team;
};

/* Common options of providers (models, timeouts, proxy ...) are the host's.  Naming one here, as `url`, is how a plugin
 * gets it. */
static const struct weir_option options[] = {
    WEIR_OPT(struct acme, url, "https://api.acme.example/v2", "Base URL; what is asked for is added to it."),
    WEIR_OPT(struct acme, key, NULL, "The account's key.", .unit = WEIR_SECRET),
    WEIR_OPT(struct acme, team, "", "Team that is charged, when the account has several."),
    WEIR_OPT_END,
};

static struct weir_str text_of(const char *s)
{
    return (struct weir_str){s, strlen(s)};
}

/* Request memory: what is printed here is freed by the host when the request ends. */
static struct weir_str join(struct weir_ctx *c, const char *a, const char *b)
{
    size_t n = strlen(a) + strlen(b);
    char *p = weir_alloc(c, n + 1);

    snprintf(p, n + 1, "%s%s", a, b);
    return (struct weir_str){p, n};
}

static enum weir_verdict unsupported(struct weir_error *e, const char *field, const char *text)
{
    snprintf(e->code, sizeof e->code, "unsupported");
    snprintf(e->field, sizeof e->field, "%s", field);
    snprintf(e->text, sizeof e->text, "%s", text);
    return WEIR_UNSUPPORTED;
}

/* A splice is raw JSON text; a name that would need escapes is not worth them. */
static bool is_plain(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == '"' || s.ptr[i] == '\\')
            return false;
    return s.len > 0;
}

static enum weir_verdict encode(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                struct weir_error *e)
{
    const struct acme *me = c->self;
    const struct weir_request *r = weir_request(c);
    const struct weir_json *j = weir_body(c);

    /* What this upstream cannot do is said, never dropped: the next candidate is tried, or the client gets a 400 with
     * this text. */
    if (r->kind != WEIR_CHAT)
        return unsupported(e, "", "acme serves chat completions only");
    if (weir_json_is(j, weir_json_get(j, 0, "logprobs"), WEIR_JSON_TRUE))
        return unsupported(e, "logprobs", "acme gives no logprobs");
    if (!r->model_len || !is_plain(to->model))
        return unsupported(e, "model", "acme has no model of this name");

    c->host->http_target(h, "POST", join(c, me->url, "/chat"));
    c->host->http_header(h, "authorization", join(c, "Bearer ", me->key));
    c->host->http_header(h, "acme-version", WEIR_STR("2026-01-01"));
    if (me->team[0])
        c->host->http_header(h, "acme-team", text_of(me->team));
    c->host->http_splice(h, r->model_at, r->model_len, to->model);
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name      = "acme",
    .version   = "1.0",
    .summary   = "Reaches Acme, which speaks OpenAI's format with headers of its own.",
    .options   = options,
    .self_size = sizeof(struct acme),
    .dialect   = "openai",
    .encode    = encode,
);
