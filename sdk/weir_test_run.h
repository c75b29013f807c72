/* SPDX-License-Identifier: MIT */
/* weir_test_run.h -- part of weir_test.h: an instance's life, a request's input, the hooks of a guardrail, streams. */
#ifndef WEIR_TEST_RUN_H
#define WEIR_TEST_RUN_H

#ifndef WEIR_TEST_H
#error "include weir_test.h"
#endif

/* ---- an instance ---- */

/* An older plugin's table is shorter and gets NULL for what it lacks; a newer one's may only be longer by zeros. */
static inline bool wt_table_copy(struct weir_test *t, const struct weir_plugin *p, struct weir_error *e)
{
    size_t ours = sizeof t->table;

    if (p->abi != WEIR_ABI)
        return wt_error(e, "wrong_abi", "", "the plugin has abi %u, this host has %u", p->abi, WEIR_ABI);
    memcpy(&t->table, p, p->size < ours ? p->size : ours);
    for (size_t i = ours; i < p->size; i++)
        if (((const char *)p)[i])
            return wt_error(e, "newer_hook", "", "the plugin uses a hook that this host does not know");
    return true;
}

/* What the loader would refuse. */
static inline bool wt_table(const struct weir_plugin *p, struct weir_error *e)
{
    if (!p->name || !p->version || !p->summary)
        return wt_error(e, "bad_table", "", "name, version and summary must be given");
    if ((p->paths || p->encode || p->serve) && !p->dialect)
        return wt_error(e, "bad_table", "", "paths, encode and serve need the name of a dialect");
    if ((p->accept && (!p->paths || !p->refuse)) || (p->paths && !p->accept))
        return wt_error(e, "bad_table", "", "a dialect has paths, accept and refuse");
    for (size_t i = 0; i < wt_option_count(p); i++)
        if (wt_option_at(p, i)->offset >= p->self_size)
            return wt_error(e, "bad_table", "", "self_size does not cover the option %s", wt_option_at(p, i)->name);
    return true;
}

static inline bool weir_test_try(struct weir_test *t, const struct weir_plugin *p, const char *options,
                                 struct weir_error *e)
{
    bool good;

    memset(t, 0, sizeof *t);
    memset(e, 0, sizeof *e);
    t->plugin = &t->table;
    t->host = wt_host();
    t->ctx.host = &t->host;
    good = wt_table_copy(t, p, e) && wt_table(&t->table, e);
    if (good) {
        p = &t->table;
        void *shared = wt_alloc(&t->kept, p->shared_size);
        t->ctx.self = wt_alloc(&t->kept, p->self_size);
        t->ctx.shared = shared;
        good = wt_options(t, options, e) && (!p->prepare || p->prepare(shared, t->ctx.self, e)) &&
               (!p->init || p->init(t->ctx.self, shared, e));
    }
    if (good)
        weir_test_begin(t);
    else
        wt_free(&t->kept);
    return good;
}

static inline void weir_test_init(struct weir_test *t, const struct weir_plugin *p, const char *options)
{
    struct weir_error e;

    if (!weir_test_try(t, p, options, &e))
        wt_die("plugin", 0, "%s does not start: %s", p->name ? p->name : "(no name)", e.text);
}

static inline void weir_test_fini(struct weir_test *t)
{
    struct weir_test_list *lists[] = {&t->spans,  &t->said,   &t->facts,        &t->answers,      &t->records,
                                      &t->events, &t->labels, &t->http_headers, &t->http_splices, &t->frame_splices,
                                      &t->fetched};
    struct weir_test_buf *bufs[] = {&t->named, &t->lossy, &t->log, &t->out, &t->served, &t->sent, &t->client, &t->joined,
                                    &t->fetches};

    if (t->plugin->fini)
        t->plugin->fini(t->ctx.self);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        wt_list_free(lists[i]);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        wt_buf_free(bufs[i]);
    wt_free(&t->memory);
    wt_free(&t->given);
    wt_free(&t->kept);
}

/* ---- a request ---- */

static inline void weir_test_again(struct weir_test *t)
{
    wt_free(&t->memory);
    t->ctx.local = t->plugin->local_size ? wt_alloc(&t->memory, t->plugin->local_size) : NULL;
    for (size_t i = 0; i < t->spans.count; i++) {
        wt_span(t, i)->pub.text = wt_span(t, i)->original;
        wt_span(t, i)->edited = false;
    }
    t->hook = 0;
    t->verdict = WEIR_PASS;
    t->waiting = t->resumed = t->cancelled = false;
    t->block_code = t->block_reason = WEIR_STR("");
    t->events.count = t->labels.count = t->http_headers.count = t->http_splices.count = t->frame_splices.count = 0;
    t->log.len = t->out.len = t->served.len = t->sent.len = t->client.len = t->joined.len = 0;
    t->served_last = t->frame_dropped = t->done_mark = t->frame_seen = t->http_body_set = t->http_enveloped = false;
    t->http_method = t->http_url = t->http_body = WEIR_STR("");
    t->frame = NULL;
    t->fire = NULL;
    t->clock_ms = 0;
}

static inline void weir_test_begin(struct weir_test *t)
{
    t->spans.count = t->said.count = t->answers.count = t->records.count = 0;
    t->body = WEIR_STR("");
    t->json = t->canonical = (struct weir_json){{"", 0}, NULL, 0};
    t->request = (struct weir_request){.size = sizeof t->request};
    weir_test_again(t);
    wt_free(&t->given);
}

static inline void wt_set_body(struct weir_test *t, struct weir_str text)
{
    struct weir_error e;
    uint32_t model, stream;

    t->body = wt_copy(&t->given, text);
    if (!wt_skim(&t->given, t->body, &t->json, &e))
        wt_die("test", 0, "the body is no JSON: %s", e.text);
    t->request = (struct weir_request){.size = sizeof t->request};
    model = weir_json_get(&t->json, 0, "model");
    stream = weir_json_get(&t->json, 0, "stream");
    t->request.stream = weir_json_is(&t->json, stream, WEIR_JSON_TRUE);
    if (weir_json_is(&t->json, model, WEIR_JSON_STRING)) {
        t->request.model = weir_json_text(&t->json, model);
        t->request.model_at = t->json.nodes[model].at;
        t->request.model_len = t->json.nodes[model].len;
    }
}

static inline void weir_test_body(struct weir_test *t, const char *json)
{
    t->spans.count = t->said.count = 0;
    wt_set_body(t, wt_str(json));
    t->request.path = WEIR_STR("/test");
}

static inline const char *wt_role(enum weir_where where)
{
    return where == WEIR_SYSTEM                                 ? "system"
           : where == WEIR_ASSISTANT || where == WEIR_TOOL_CALL ? "assistant"
           : where == WEIR_TOOL_RESULT                          ? "tool"
                                                                : "user";
}

/* Writes all that was said as one body, and declares its spans anew. */
static inline void wt_said(struct weir_test *t)
{
    struct weir_test_said *said = t->said.items;
    struct weir_test_buf b = {0};
    uint32_t messages, message;

    wt_add_text(&b, "{\"model\": \"test\", \"messages\": [");
    for (size_t i = 0; i < t->said.count; i++) {
        wt_add_text(&b, i ? ", {\"role\": \"" : "{\"role\": \"");
        wt_add_text(&b, wt_role(said[i].where));
        wt_add_text(&b, "\", \"content\": \"");
        wt_escape(&b, said[i].text);
        wt_add_text(&b, "\"}");
    }
    wt_add_text(&b, "]}");
    wt_set_body(t, wt_view(&b));
    wt_buf_free(&b);
    t->spans.count = 0;
    t->hook = WT_ACCEPT;
    messages = weir_json_get(&t->json, 0, "messages");
    message = weir_json_first(&t->json, messages);
    for (uint32_t i = 0; i < t->said.count; i++, message = weir_json_next(&t->json, messages, message))
        wt_host_span(&t->ctx, weir_json_get(&t->json, message, "content"), said[i].where, WEIR_PLAIN_TEXT, i, 0);
    t->hook = 0;
}

static inline void weir_test_say(struct weir_test *t, enum weir_where where, const char *text)
{
    struct weir_test_said *s = wt_push(&t->said, sizeof *s);

    *s = (struct weir_test_said){where, wt_copy(&t->given, wt_str(text))};
    wt_said(t);
}

static inline void weir_test_fact(struct weir_test *t, const char *name, const char *value)
{
    wt_pair(&t->kept, &t->facts, wt_str(name), wt_str(value));
}

static inline const struct weir_span *weir_test_span(struct weir_test *t, size_t index)
{
    if (index >= t->spans.count)
        wt_die("test", 0, "there is no span %zu, there are %zu", index, t->spans.count);
    return &wt_span(t, index)->pub;
}

static inline size_t weir_test_span_count(struct weir_test *t)
{
    return t->spans.count;
}

static inline struct weir_str weir_test_label(struct weir_test *t, const char *name)
{
    return wt_find(&t->labels, name);
}

/* ---- one hook ---- */

static inline void wt_enter(struct weir_test *t, unsigned hook, bool there)
{
    if (!there)
        wt_die("test", 0, "%s has no %s", t->plugin->name, wt_hook_name(hook));
    if (t->waiting)
        wt_die("test", 0, "%s still waits in %s: fire its timer, settle or cancel it first", t->plugin->name,
               wt_hook_name(t->hook));
    t->hook = hook;
    t->resumed = t->cancelled = false;
}

/* The verdict is known: from the hook, or later from weir_resume(). */
static inline enum weir_verdict wt_judged(struct weir_test *t, enum weir_verdict v)
{
    if (v == WEIR_BLOCK && !t->block_code.len)
        wt_misuse(t, "%s says BLOCK without weir_block()", wt_hook_name(t->hook));
    if ((unsigned)v > WEIR_UNSUPPORTED || (v == WEIR_UNSUPPORTED && t->hook != WT_ENCODE))
        wt_misuse(t, "%s says %s", wt_hook_name(t->hook), wt_verdict_name(v));
    t->hook = 0;
    return t->verdict = v;
}

static inline enum weir_verdict wt_leave(struct weir_test *t, enum weir_verdict v)
{
    if (v == WEIR_WAIT && !t->resumed) {
        t->waiting = true;
        return t->verdict = v;
    }
    if (v != WEIR_WAIT && t->resumed)
        wt_misuse(t, "%s called weir_resume() and did not wait", wt_hook_name(t->hook));
    return wt_judged(t, v == WEIR_WAIT ? t->verdict : v);
}

static inline void weir_test_fire(struct weir_test *t)
{
    void (*fire)(struct weir_ctx *) = t->fire;
    bool waited = t->waiting;

    if (!fire)
        wt_die("test", 0, "%s has no timer to fire", t->plugin->name);
    t->fire = NULL;
    t->clock_ms += t->fire_ms;
    fire(&t->ctx);
    if (waited && !t->waiting)
        wt_judged(t, t->verdict);
}

static inline enum weir_verdict weir_test_settle(struct weir_test *t)
{
    for (int i = 0; t->waiting; i++) {
        if (!t->fire)
            wt_die("test", 0, "%s waits in %s, and no timer will wake it", t->plugin->name, wt_hook_name(t->hook));
        if (i == 10000)
            wt_die("test", 0, "%s still waits in %s after %d timers", t->plugin->name, wt_hook_name(t->hook), i);
        weir_test_fire(t);
    }
    return t->verdict;
}

static inline void weir_test_cancel(struct weir_test *t)
{
    if (!t->waiting)
        wt_die("test", 0, "%s does not wait: on_cancel is only called then", t->plugin->name);
    t->fire = NULL;
    t->hook = WT_CANCEL;
    t->cancelled = true;
    t->waiting = false;
    if (t->plugin->on_cancel)
        t->plugin->on_cancel(&t->ctx);
    t->hook = 0;
}

/* ---- hooks of a guardrail ---- */

static inline enum weir_verdict weir_test_on_request(struct weir_test *t)
{
    wt_enter(t, WT_REQUEST, t->plugin->on_request);
    return wt_leave(t, t->plugin->on_request(&t->ctx));
}

/* The plugin gets an array with a longer stride than it knows, and the caller gets back what it may change. */
static inline enum weir_verdict weir_test_on_route(struct weir_test *t, struct weir_candidate *c, size_t n)
{
    struct wt_wide {
        struct weir_candidate pub;
        double unknown;
    } *wide = wt_alloc(&t->memory, n * sizeof *wide);
    enum weir_verdict v;

    wt_enter(t, WT_ROUTE, t->plugin->on_route);
    for (size_t i = 0; i < n; i++)
        wide[i].pub = c[i];
    v = wt_leave(t, t->plugin->on_route(&t->ctx, &wide[0].pub, n, sizeof *wide));
    for (size_t i = 0; i < n; i++) {
        c[i].rank = wide[i].pub.rank;
        c[i].out = wide[i].pub.out;
    }
    return v;
}

static inline enum weir_verdict weir_test_on_event_full(struct weir_test *t, const struct weir_event *e)
{
    wt_enter(t, WT_EVENT, t->plugin->on_event);
    return wt_leave(t, t->plugin->on_event(&t->ctx, e));
}

static inline enum weir_verdict weir_test_on_event(struct weir_test *t, enum weir_channel channel, const char *text,
                                                   bool last)
{
    struct weir_event e = {
        .size = sizeof e, .channel = channel, .text = wt_copy(&t->memory, wt_str(text)), .last = last};

    return weir_test_on_event_full(t, &e);
}

static inline enum weir_verdict weir_test_on_response(struct weir_test *t)
{
    wt_enter(t, WT_RESPONSE, t->plugin->on_response);
    return wt_leave(t, t->plugin->on_response(&t->ctx));
}

static inline void weir_test_on_record(struct weir_test *t)
{
    wt_enter(t, WT_RECORD, t->plugin->on_record);
    t->plugin->on_record(&t->ctx);
    t->hook = 0;
}

static inline void weir_test_answered(struct weir_test *t, enum weir_channel channel, const char *text)
{
    struct weir_test_event *e = wt_push(&t->answers, sizeof *e);

    e->event = (struct weir_event){
        .size = sizeof e->event, .channel = channel, .text = wt_copy(&t->given, wt_str(text)), .last = true};
}

/* ---- streams ---- */

static inline size_t weir_test_event_count(struct weir_test *t)
{
    return t->events.count;
}

static inline const struct weir_test_event *weir_test_event(struct weir_test *t, size_t index)
{
    if (index >= t->events.count)
        wt_die("test", 0, "there is no event %zu, there are %zu", index, t->events.count);
    return wt_event(t, index);
}

static inline struct weir_str weir_test_text(struct weir_test *t, enum weir_channel channel, uint32_t choice,
                                             uint32_t block)
{
    t->joined.len = 0;
    for (size_t i = 0; i < t->events.count; i++) {
        const struct weir_event *e = &wt_event(t, i)->event;
        if (e->channel == channel && e->choice == choice && e->block == block && !e->copy)
            wt_add(&t->joined, wt_event(t, i)->text);
    }
    return wt_view(&t->joined);
}

/* A piece in memory of its own that is gone afterwards: what the plugin wants to keep it must copy. */
static inline enum weir_verdict wt_piece(struct weir_test *t, enum weir_channel channel, struct weir_str text,
                                         bool last)
{
    struct weir_test_block *piece = NULL;
    struct weir_event e = {.size = sizeof e, .channel = channel, .text = wt_copy(&piece, text), .last = last};

    weir_test_on_event_full(t, &e);
    weir_test_settle(t);
    wt_free(&piece);
    return t->verdict;
}

static inline struct weir_str weir_test_stream(struct weir_test *t, enum weir_channel channel, const char *text,
                                               size_t cut1, size_t cut2)
{
    size_t cuts[] = {0, cut1, cut2, strlen(text)};

    if (cut1 > cut2 || cut2 > cuts[3])
        wt_die("test", 0, "cuts at %zu and %zu of %zu bytes", cut1, cut2, cuts[3]);
    weir_test_again(t);
    if (t->plugin->on_request && t->json.count) {
        weir_test_on_request(t);
        if (weir_test_settle(t) != WEIR_PASS)
            return WEIR_STR("");
    }
    for (int i = 0; i < 3; i++) {
        struct weir_str piece = {text + cuts[i], cuts[i + 1] - cuts[i]};
        if ((piece.len || i == 2) && wt_piece(t, channel, piece, i == 2) != WEIR_PASS)
            break;
    }
    return weir_test_text(t, channel, 0, 0);
}

static inline bool wt_boundary(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xC0) != 0x80;
}

static inline void wt_one_cut(struct weir_test *t, enum weir_channel channel, const char *text, size_t a, size_t b,
                              const char *want)
{
    struct weir_str got = weir_test_stream(t, channel, text, a, b);

    if (t->verdict != (want ? WEIR_PASS : WEIR_BLOCK))
        wt_die("test", 0, "cut as \"%.*s|%.*s|%s\": %s says %s", (int)a, text, (int)(b - a), text + a, text + b,
               t->plugin->name, wt_verdict_name(t->verdict));
    if (want && !wt_is(got, want))
        wt_die("test", 0, "cut as \"%.*s|%.*s|%s\":\n   is: %.*s\n want: %s", (int)a, text, (int)(b - a), text + a,
               text + b, (int)got.len, got.len ? got.ptr : "", want);
}

static inline void weir_test_every_cut(struct weir_test *t, enum weir_channel channel, const char *text,
                                       const char *expected)
{
    size_t n = strlen(text);

    for (size_t a = 0; a <= n; a++)
        for (size_t b = a; b <= n; b++)
            if (wt_boundary(text, a) && wt_boundary(text, b))
                wt_one_cut(t, channel, text, a, b, expected);
}

#endif
