/* SPDX-License-Identifier: Apache-2.0 */
/* attempt.c -- step `try`: encode, send, and judge failures; see attempt.h. */
#include "worker/attempt.h"

#include <stdio.h>

#include "base/json_text.h"
#include "base/log.h"
#include "ipc/metrics.h"
#include "worker/answer.h"
#include "worker/entry.h"
#include "worker/exchange.h"
#include "worker/form.h"
#include "base/version.h"
#include "worker/translate.h"
#include "worker/worker.h"

#define CREDENTIAL_WAIT_US 2000000 /* for the first one, after a start */
#define CREDENTIAL_LOOK_US 10000

static const struct provider *provider_of(const struct request *r)
{
    return r->endpoints[r->pick];
}

/* Of the vault: the place in the world's order. */
static size_t slot_of(const struct request *r)
{
    const struct world *w = r->w->world;
    size_t i = 0;

    while (w->providers[i] != provider_of(r))
        i++;
    return i;
}

static void count(struct request *r, enum metric m)
{
    metrics_add(r->w->metrics, r->w->slot, m, provider_of(r)->in.place, 1);
}

/* ---- failures ---- */

void attempt_failed(struct request *r, enum outcome outcome, int status, const char *code, const char *text,
                    const char *why)
{
    bool again = !r->reply.begun && r->pick + 1 < r->candidate_count && outcome != OUTCOME_denied;

    count(r, METRIC_endpoint_failures);
    log_event(WEIR_WARN, LOG_upstream_failed, "request=%s provider=%s outcome=%s next=%s why=\"%s\"", r->id,
              provider_of(r)->in.name, outcome_name(outcome), again ? "yes" : "no", why);
    if (r->x)
        exchange_stop(r->x);
    r->reason = arena_copy(&r->arena, str_of(why));
    if (again) {
        r->outcome = outcome;
        entry_close(r);
        r->reason = (struct weir_str){0};
        r->outcome = OUTCOME_ok;
        r->upstream_status = 0;
        r->pick++;
        pipeline_goto(r, STEP_open);
        return;
    }
    request_refuse(r, status, code, "", "%s", text);
    r->outcome = outcome;
    pipeline_goto(r, STEP_close);
}

void attempt_clear(struct request *r)
{
    if (r->x)
        exchange_free(r->x);
    r->x = NULL;
    if (r->http)
        worker_buf_give(r->w, &r->http->lines);
    r->http = NULL;
    answer_free(r);
}

static void attempt_fail(struct request *r, enum exchange_fault fault, const char *why)
{
    static const struct {
        enum outcome outcome;
        int status;
        const char *code, *text;
    } faults[] = {
        [FAULT_CONNECT] = {OUTCOME_upstream_failed, 502, "upstream_unreachable",
                           "the model's provider could not be reached"},
        [FAULT_BUSY] = {OUTCOME_shed, 503, "upstream_busy",
                        "all connections to the model's provider are in use; try again"},
        [FAULT_TIMEOUT] = {OUTCOME_upstream_timeout, 504, "upstream_timeout",
                           "the model's provider did not answer in time"},
        [FAULT_RESET] = {OUTCOME_upstream_failed, 502, "upstream_reset",
                         "the model's provider closed the connection without an answer"},
        [FAULT_CUT] = {OUTCOME_truncated, 502, "upstream_truncated",
                       "the model's provider broke off in the middle of its answer"},
        [FAULT_INVALID] = {OUTCOME_upstream_invalid, 502, "upstream_invalid",
                           "the model's provider sent an answer that breaks HTTP"},
    };

    if ((fault == FAULT_CUT || fault == FAULT_TIMEOUT) &&
        answer_complete(r)) { /* its end mark has come: nothing is missing */
        answer_end(r);
        return;
    }
    attempt_failed(r, faults[fault].outcome, faults[fault].status, faults[fault].code, faults[fault].text, why);
}

/* ---- the answer's head ---- */

static bool status_is_passing(int status) /* another endpoint may do better */
{
    return status == 401 || status == 403 || status == 408 || status == 409 || status == 429 || status >= 500;
}

static bool encoded(const struct http1_head *h)
{
    const struct weir_str *v = http1_find(h, WEIR_STR("content-encoding"));

    return v && v->len && !str_eq_nocase(*v, WEIR_STR("identity"));
}

static void attempt_head(struct request *r, const struct http1_head *h)
{
    const char *why;

    r->upstream_status = h->status;
    metrics_observe(r->w->metrics, r->w->slot, METRIC_endpoint_first_us, provider_of(r)->in.place, r->x->first_us);
    if (h->status < 300 && !encoded(h)) {
        if (answer_begin(r, h))
            pipeline_goto(r, STEP_stream);
        return;
    }
    why = arena_printf(&r->arena, "status %d", h->status);
    if (h->status == 401 || h->status == 403) {
        /* Our credential, not the client's: a client that saw 401 would look for the fault in its own key. */
        log_event(WEIR_ERROR, LOG_upstream_rejected, "provider=%s status=%d", provider_of(r)->in.name, h->status);
        if (r->credential.ptr)
            vault_refuse(r->w->vault, slot_of(r));
        attempt_failed(r, OUTCOME_upstream_error, 502, "upstream_credential",
                       "the model's provider does not accept the gateway's credential; tell who runs this gateway",
                       why);
    } else if (h->status >= 300 && h->status < 400) {
        attempt_failed(r, OUTCOME_upstream_invalid, 502, "upstream_redirect",
                       "the model's provider redirects, which is not followed", why);
    } else if (encoded(h)) {
        attempt_failed(r, OUTCOME_upstream_invalid, 502, "upstream_encoding",
                       "the model's provider sent a content-encoding that was not "
                       "asked for",
                       why);
    } else if (status_is_passing(h->status) && r->pick + 1 < r->candidate_count) {
        attempt_failed(r, OUTCOME_upstream_error, 502, "upstream_error", "the model's provider failed", why);
    } else {
        if (h->status >= 400)
            count(r, METRIC_endpoint_failures);
        if (answer_begin(r, h))
            pipeline_goto(r, STEP_stream);
    }
}

/* Nobody will look at the body again: its memory serves the next request while it is still in the processor's cache.
 * But a client's dialect that says another's answer looks there for what was asked (encoding_format, documents). */
static void attempt_sent(struct request *r)
{
    if (r->w->world->stage_count || r->pick + 1 < r->candidate_count || translates(r))
        return;
    r->has_json = false;
    form_free(r);
    worker_body_give(r->w, &r->body);
}

static const struct exchange_user attempt_user = {
    .sent = attempt_sent,
    .head = attempt_head,
    .body = answer_bytes,
    .end = answer_end,
    .fail = attempt_fail,
};

/* ---- what is sent ---- */

void http_target(struct weir_http *h, const char *method, struct weir_str url)
{
    h->method = arena_strdup(&h->r->arena, str_of(method));
    h->url = arena_copy(&h->r->arena, url);
}

/* The framing of a message is the host's: a plugin that set these could make one request look like two. */
static bool header_is_ours(struct weir_str name)
{
    static const struct weir_str ours[] = {
        {"host", 4},
        {"content-length", 14},
        {"transfer-encoding", 17},
        {"connection", 10},
        {"expect", 6},
        {"upgrade", 7},
        {"te", 2},
        {"trailer", 7},
        {"keep-alive", 10},
        {"proxy-connection", 16},
    };

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (name.len == ours[i].len && str_eq_nocase(name, ours[i]))
            return true;
    return false;
}

static bool header_is_fine(struct weir_str name, struct weir_str value)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = str_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 127)
            return false;
    return name.len && !header_is_ours(name);
}

void http_header(struct weir_http *h, const char *name, struct weir_str value)
{
    struct weir_str n = str_of(name);

    if (!header_is_fine(n, value)) {
        log_event(WEIR_ERROR, LOG_plugin_misused,
                  "plugin=%s service=http_header what=\"a header that may not be set so\"", h->ctx->in->plugin->name);
        h->bad = true;
        return;
    }
    h->typed = h->typed || str_eq_nocase(n, WEIR_STR("content-type"));
    buf_str(&h->lines, n);
    buf_lit(&h->lines, ": ");
    buf_str(&h->lines, value);
    buf_lit(&h->lines, "\r\n");
}

void http_splice(struct weir_http *h, uint32_t at, uint32_t len, struct weir_str with)
{
    if (h->splice_count == h->splice_cap) {
        size_t cap = h->splice_cap ? h->splice_cap * 2 : 4;
        struct splice *more = arena_alloc(&h->r->arena, cap * sizeof *more);
        if (h->splice_count)
            memcpy(more, h->splices, h->splice_count * sizeof *more);
        h->splices = more;
        h->splice_cap = cap;
    }
    h->splices[h->splice_count++] = (struct splice){at, len, arena_copy(&h->r->arena, with)};
}

void http_enveloped(struct weir_http *h)
{
    h->enveloped = true;
}

void http_body(struct weir_http *h, struct weir_str body)
{
    h->body = arena_copy(&h->r->arena, body);
    h->own_body = true;
}

/* The models that accept named beside the request's own, as this provider calls them. */
static size_t named_splices(struct request *r, struct splice *to)
{
    struct weir_str upstream;
    struct buf b = {0};
    size_t n = 0;

    for (size_t i = 0; i < r->named_count; i++) {
        const struct named *m = &r->named[i];
        if (!provider_serves(provider_of(r), m->model, &upstream) || str_eq(upstream, m->model))
            continue;
        b.len = 0;
        json_escape(&b, upstream);
        to[n++] = (struct splice){m->at, m->len, arena_copy(&r->arena, buf_view(&b))};
    }
    buf_fini(&b);
    return n;
}

/* The client's bytes, with the stages' edits and the provider's splices. */
static bool http_pieces(struct request *r, struct weir_http *h, struct iovec **pieces, size_t *n, size_t *length)
{
    struct splice *edits = NULL, *all;
    size_t count_edits, n_all;

    if (h->own_body) {
        *pieces = arena_alloc(&r->arena, sizeof **pieces);
        **pieces = (struct iovec){(void *)(uintptr_t)h->body.ptr, h->body.len};
        *n = h->body.len != 0;
        *length = h->body.len;
        return true;
    }
    count_edits = spans_splices(r, &edits);
    all = arena_alloc(&r->arena, (count_edits + h->splice_count + r->named_count + 1) * sizeof *all);
    if (count_edits)
        memcpy(all, edits, count_edits * sizeof *all);
    if (h->splice_count)
        memcpy(all + count_edits, h->splices, h->splice_count * sizeof *all);
    n_all = count_edits + h->splice_count;
    n_all += named_splices(r, all + n_all);
    if (r->form && !form_splices(r, all, n_all))
        return false;
    return splices_apply(&r->arena, request_body(r), all, n_all, pieces, n, length);
}

static enum step_result attempt_send(struct request *r, struct weir_http *h)
{
    struct weir_error error = {{0}, {0}, {0}};
    struct iovec *pieces;
    size_t n, length;
    bool ok;

    if (!h->method || h->bad || !http_pieces(r, h, &pieces, &n, &length)) {
        worker_buf_give(r->w, &h->lines);
        attempt_failed(r, OUTCOME_upstream_failed, 502, "provider_broken",
                       "the provider's plugin made no usable request",
                       "encode gave no target, a bad header, or splices that overlap");
        return STEP_WAIT;
    }
    if (!h->typed && length) {
        buf_lit(&h->lines, "content-type: ");
        buf_str(&h->lines, r->form ? *r->type : WEIR_STR("application/json"));
        buf_lit(&h->lines, "\r\n");
    }
    buf_lit(&h->lines, "user-agent: weir/" WEIR_VERSION "\r\n");
    ok = exchange_send(r->x, h->url, h->method, buf_view(&h->lines), pieces, n, length, &error);
    worker_buf_give(r->w, &h->lines);
    if (!ok)
        attempt_failed(r, OUTCOME_upstream_failed, 502, "provider_broken", "the provider's address is no usable URL",
                       error.text);
    return STEP_WAIT;
}

/* A provider in this process gets the request as its dialect would have sent it. */
static enum step_result attempt_serve(struct request *r, struct weir_http *h)
{
    struct ctx *c = request_ctx(r, &provider_of(r)->in, NULL);

    if (h) {
        worker_buf_give(r->w, &h->lines);
        if (!translate_serve(r, h->body)) {
            attempt_failed(r, OUTCOME_upstream_failed, 502, "provider_broken",
                           "the provider's plugin made no usable request", "encode gave no JSON");
            return STEP_WAIT;
        }
    }
    exchange_serve(r->x);
    c->in->plugin->hooks.serve(&c->pub, &r->candidates[r->pick]);
    return STEP_WAIT;
}

/* ---- credentials that expire ---- */

struct weir_str attempt_credential(struct request *r)
{
    if (!r->credential.ptr && r->w->vault)
        r->credential = vault_take(r->w->vault, slot_of(r), r->w->loop.wall_us / 1000000, &r->arena);
    r->lacks = !r->credential.ptr;
    return r->credential;
}

static enum step_result attempt_encode(struct request *);

static void credential_look(struct loop_timer *t)
{
    struct ctx *c = (struct ctx *)((char *)t - offsetof(struct ctx, budget));

    c->waits = HOOK_NONE;
    attempt_encode(c->r);
}

/* The keeper is asking for one: that takes a moment.  When it has failed nobody waits for what may not come.
 */
static enum step_result credential_wait(struct request *r, struct ctx *c)
{
    int64_t now = r->w->loop.now_us;
    enum vault_state state = r->w->vault ? vault_state_of(r->w->vault, slot_of(r)) : VAULT_FAILING;

    worker_buf_give(r->w, &r->http->lines);
    if (!r->lacks_until_us)
        r->lacks_until_us = now + CREDENTIAL_WAIT_US;
    if (state != VAULT_FAILING && now < r->lacks_until_us) {
        c->waits = HOOK_ENCODE;
        c->budget.fire = credential_look;
        loop_timer_set(&r->w->loop, &c->budget, CREDENTIAL_LOOK_US);
        return STEP_WAIT;
    }
    attempt_failed(r, OUTCOME_upstream_failed, 503, "credential_missing",
                   "the gateway has no valid credential for the model's provider now; try again, or tell who runs this "
                   "gateway",
                   state != VAULT_FAILING ? "no credential has come yet; see the log of the keeper"
                                          : "the credential cannot be got; see credential_failed in the log");
    return STEP_WAIT;
}

/* ---- encoding ---- */

static void encode_late(struct loop_timer *t)
{
    struct ctx *c = (struct ctx *)((char *)t - offsetof(struct ctx, budget));

    if (c->in->plugin->hooks.on_cancel)
        c->in->plugin->hooks.on_cancel(&c->pub);
    c->waits = HOOK_NONE;
    attempt_failed(c->r, OUTCOME_upstream_timeout, 504, "provider_late",
                   "the provider's plugin did not make the request in time",
                   "encode waited longer than connect_timeout");
}

static enum step_result encode_judge(struct request *r, struct ctx *c, struct weir_http *h, enum weir_verdict v,
                                     const struct weir_error *e)
{
    if (v == WEIR_WAIT && c->resumed)
        v = c->verdict;
    c->resumed = false;
    if (v == WEIR_WAIT && r->lacks)
        return credential_wait(r, c);
    if (v == WEIR_PASS)
        return provider_of(r)->in.plugin->hooks.serve ? attempt_serve(r, h) : attempt_send(r, h);
    if (v == WEIR_WAIT) {
        c->waits = HOOK_ENCODE;
        c->budget.fire = encode_late;
        loop_timer_set(&r->w->loop, &c->budget, provider_of(r)->connect_timeout * 1000);
        return STEP_WAIT;
    }
    worker_buf_give(r->w, &h->lines);
    if (v == WEIR_UNSUPPORTED) {
        attempt_failed(r, OUTCOME_refused, 400, e->code[0] ? e->code : "unsupported",
                       e->text[0] ? e->text
                                  : "this model's provider "
                                    "cannot take this request",
                       "encode: unsupported");
        if (r->refusal.status == 400)
            snprintf(r->refusal_field, sizeof r->refusal_field, "%s", e->field);
    } else {
        attempt_failed(r, OUTCOME_upstream_failed, 502, "provider_failed",
                       "the provider's plugin could not make the request", e->text[0] ? e->text : "encode failed");
    }
    return STEP_WAIT;
}

static enum step_result attempt_encode(struct request *r)
{
    const struct provider *p = provider_of(r);
    struct ctx *c = request_ctx(r, p->in.plugin->hooks.encode ? &p->in : p->dialect, NULL);
    struct weir_error error = {{0}, {0}, {0}};
    struct weir_http *h = arena_alloc(&r->arena, sizeof *h);
    enum weir_verdict v;

    h->r = r;
    h->ctx = c;
    h->lines = worker_buf_take(r->w);
    r->http = h;
    r->lacks = false;
    translate_forget(r);
    v = translates(r) ? translate_lift(r, &error) : WEIR_PASS;
    if (v == WEIR_PASS && translates(r))
        v = translate_extra(r, c, &error);
    c->resumed = false;
    if (v == WEIR_PASS) {
        c->hook = HOOK_ENCODE;
        v = c->in->plugin->hooks.encode(&c->pub, &r->candidates[r->pick], h, &error);
        c->hook = HOOK_NONE;
    }
    return encode_judge(r, c, h, v, &error);
}

void attempt_resumed(struct request *r, enum weir_verdict v)
{
    struct ctx *c = r->http->ctx;
    struct weir_error error = {{0}, {0}, {0}};

    loop_timer_stop(&r->w->loop, &c->budget);
    encode_judge(r, c, r->http, v, &error);
}

enum step_result step_try(struct request *r)
{
    const struct provider *p = provider_of(r);

    r->credential = (struct weir_str){0};
    r->lacks_until_us = 0;
    r->x = exchange_new(r, p, &attempt_user);
    answer_new(r);
    r->t.sent = r->w->loop.now_us;
    count(r, METRIC_endpoint_attempts);
    return p->in.plugin->hooks.serve && !translates(r) ? attempt_serve(r, NULL) : attempt_encode(r);
}
