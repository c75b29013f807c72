/* SPDX-License-Identifier: MIT */
/* weir_test_host.h -- part of weir_test.h: the services of `struct weir_host`, each of which records what the plugin
 * does. */
#ifndef WEIR_TEST_HOST_H
#define WEIR_TEST_HOST_H

#ifndef WEIR_TEST_H
#error "include weir_test.h"
#endif

/* Hooks as bits, so that a service can say where it may be called. */
enum {
    WT_ACCEPT = 1,
    WT_REQUEST = 2,
    WT_ROUTE = 4,
    WT_ENCODE = 8,
    WT_SERVE = 16,
    WT_DECODE = 32,
    WT_EVENT = 64,
    WT_RESPONSE = 128,
    WT_ANSWER = 256,
    WT_REFUSE = 512,
    WT_LIST = 1024,
    WT_RECORD = 2048,
    WT_CANCEL = 4096,
    WT_LIFT = 8192,
    WT_CREDENTIAL = 16384,
    WT_GUARDRAIL = WT_REQUEST | WT_ROUTE | WT_EVENT | WT_RESPONSE,
    WT_SAYS = WT_ANSWER | WT_REFUSE | WT_LIST | WT_LIFT,
};

static inline struct weir_test *wt_of(struct weir_ctx *c)
{
    return (struct weir_test *)c;
}

static inline const char *wt_hook_name(unsigned hook)
{
    static const char *const names[] = {"accept", "on_request", "on_route",    "encode", "serve",
                                        "decode", "on_event",   "on_response", "answer", "refuse",
                                        "list",   "on_record",  "on_cancel",   "lift",   "credential"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hook == 1u << i)
            return names[i];
    return "no hook";
}

static inline bool wt_allowed(struct weir_test *t, unsigned hooks, const char *service)
{
    if (!(t->hook & hooks))
        wt_misuse(t, "weir_%s() is not for %s", service, wt_hook_name(t->hook));
    return t->hook & hooks;
}

/* ---- everywhere ---- */

__attribute__((format(printf, 3, 0))) static inline void wt_host_log(struct weir_ctx *c, enum weir_level level,
                                                                     const char *fmt, va_list ap)
{
    static const char *const names[] = {"error: ", "warn: ", "info: ", "debug: "};
    char text[1024];

    vsnprintf(text, sizeof text, fmt, ap);
    wt_add_text(&wt_of(c)->log, (unsigned)level < 4 ? names[level] : "?: ");
    wt_add_text(&wt_of(c)->log, text);
    wt_add_text(&wt_of(c)->log, "\n");
}

static inline void *wt_host_alloc(struct weir_ctx *c, size_t size)
{
    return wt_alloc(&wt_of(c)->memory, size);
}

static inline const struct weir_json *wt_host_body(struct weir_ctx *c)
{
    return wt_of(c)->json.count ? &wt_of(c)->json : NULL;
}

static inline const struct weir_request *wt_host_request(struct weir_ctx *c)
{
    return &wt_of(c)->request;
}

static inline const struct weir_json *wt_host_skim(struct weir_ctx *c, struct weir_str text, struct weir_error *e)
{
    struct weir_test *t = wt_of(c);
    struct weir_json *j = wt_alloc(&t->memory, sizeof *j);

    return wt_skim(&t->memory, wt_copy(&t->memory, text), j, e) ? j : NULL;
}

static inline struct weir_str wt_host_unescape(struct weir_ctx *c, struct weir_str raw)
{
    return wt_unescape(&wt_of(c)->memory, raw, NULL);
}

static inline struct weir_str wt_find(const struct weir_test_list *pairs, const char *name)
{
    const struct weir_test_pair *p = pairs->items;

    for (size_t i = pairs->count; i-- > 0;)
        if (wt_is(p[i].name, name))
            return p[i].value;
    return WEIR_STR("");
}

static inline struct weir_str wt_host_fact(struct weir_ctx *c, const char *name)
{
    return wt_find(&wt_of(c)->facts, name);
}

static inline void wt_host_model(struct weir_ctx *c, uint32_t node)
{
    struct weir_test *t = wt_of(c);

    if (wt_allowed(t, WT_ACCEPT, "model") && weir_json_is(&t->json, node, WEIR_JSON_STRING)) {
        wt_add(&t->named, weir_json_text(&t->json, node));
        wt_add_text(&t->named, "\n");
    }
}

static inline const struct weir_json *wt_host_canonical(struct weir_ctx *c)
{
    struct weir_test *t = wt_of(c);

    return wt_allowed(t, WT_ENCODE | WT_DECODE, "canonical") && t->canonical.count ? &t->canonical : NULL;
}

static inline bool wt_host_lossy(struct weir_ctx *c, struct weir_str field, bool hint)
{
    struct weir_test *t = wt_of(c);

    if (!wt_allowed(t, WT_ENCODE | WT_LIFT, "lossy"))
        return false;
    wt_add(&t->lossy, field);
    wt_add_text(&t->lossy, hint ? " (hint)\n" : "\n");
    return hint || t->drop;
}

static inline void wt_pair(struct weir_test_block **memory, struct weir_test_list *to, struct weir_str name,
                           struct weir_str value)
{
    struct weir_test_pair *p = wt_push(to, sizeof *p);

    *p = (struct weir_test_pair){wt_copy(memory, name), wt_copy(memory, value)};
}

static inline void wt_host_label(struct weir_ctx *c, struct weir_str name, struct weir_str value)
{
    wt_pair(&wt_of(c)->memory, &wt_of(c)->labels, name, value);
}

static inline void wt_host_block(struct weir_ctx *c, const char *code, struct weir_str reason)
{
    struct weir_test *t = wt_of(c);

    if (!wt_allowed(t, WT_GUARDRAIL, "block"))
        return;
    t->block_code = wt_copy(&t->memory, wt_str(code));
    t->block_reason = wt_copy(&t->memory, reason);
}

static inline void wt_host_after(struct weir_ctx *c, uint32_t ms, void (*fire)(struct weir_ctx *))
{
    struct weir_test *t = wt_of(c);

    if (t->cancelled && fire) {
        wt_misuse(t, "weir_after() after on_cancel: it will never fire");
        return;
    }
    t->fire = fire;
    t->fire_ms = ms;
}

static inline void wt_host_resume(struct weir_ctx *c, enum weir_verdict v)
{
    struct weir_test *t = wt_of(c);

    if (t->cancelled || t->resumed || !(t->hook & (WT_GUARDRAIL | WT_ENCODE))) {
        wt_misuse(t, "weir_resume() %s",
                  t->cancelled ? "after on_cancel"
                  : t->resumed ? "a second time"
                               : "but nothing waits");
        return;
    }
    if (v == WEIR_WAIT) {
        wt_misuse(t, "weir_resume(WEIR_WAIT) says nothing");
        return;
    }
    t->resumed = true; /* from inside the hook: counts when the hook then returns WEIR_WAIT */
    t->waiting = false;
    t->verdict = v;
}

/* ---- spans ---- */

static inline struct weir_test_span *wt_span(struct weir_test *t, size_t i)
{
    return (struct weir_test_span *)t->spans.items + i;
}

/* One span for each string of the JSON inside; false when there is none, and the text is plain. */
static inline bool wt_span_expand(struct weir_test *t, struct weir_test_span outer)
{
    struct weir_str raw = {t->body.ptr + outer.pub.at, outer.pub.len};
    uint32_t *map = wt_alloc(&t->given, (raw.len + 1) * sizeof *map);
    struct weir_str text = wt_unescape(&t->given, raw, map);
    struct weir_json j;

    if (!wt_skim(&t->given, text, &j, NULL))
        return false;
    for (uint32_t i = 0; i < j.count; i++) {
        const struct weir_node *n = &j.nodes[i];
        if (n->type != WEIR_JSON_STRING || !n->len)
            continue;
        struct weir_test_span *s = wt_push(&t->spans, sizeof *s);
        *s = outer;
        s->original = s->pub.text = wt_copy(&t->given, wt_unescape(&t->given, weir_json_text(&j, i), NULL));
        s->pub.at = outer.pub.at + map[n->at];
        s->pub.len = map[n->at + n->len] - map[n->at];
    }
    return true;
}

static inline void wt_host_span(struct weir_ctx *c, uint32_t node, enum weir_where where, enum weir_form form,
                                uint32_t message, uint32_t part)
{
    struct weir_test *t = wt_of(c);
    struct weir_test_span *s, outer;

    if (!wt_allowed(t, WT_ACCEPT, "span"))
        return;
    if (node != WEIR_NO_NODE && node >= t->json.count) {
        wt_misuse(t, "weir_span() of node %u of %u", node, t->json.count);
        return;
    }
    if (!weir_json_is(&t->json, node, WEIR_JSON_STRING) || !t->json.nodes[node].len)
        return;
    outer = (struct weir_test_span){.pub = {.where = where,
                                            .form = form,
                                            .message = message,
                                            .part = part,
                                            .at = t->json.nodes[node].at,
                                            .len = t->json.nodes[node].len}};
    if (form == WEIR_INNER_JSON && wt_span_expand(t, outer))
        return;
    s = wt_push(&t->spans, sizeof *s);
    *s = outer;
    s->pub.form = WEIR_PLAIN_TEXT;
    s->original = s->pub.text = wt_copy(&t->given, wt_unescape(&t->given, weir_json_text(&t->json, node), NULL));
}

static inline const struct weir_span *wt_host_spans(struct weir_ctx *c, size_t *n)
{
    *n = wt_of(c)->spans.count;
    return wt_of(c)->spans.items;
}

static inline void wt_host_edit(struct weir_ctx *c, size_t index, size_t from, size_t to, struct weir_str with)
{
    struct weir_test *t = wt_of(c);
    struct weir_test_span *s;
    struct weir_str old;
    char *text;

    if (!wt_allowed(t, WT_REQUEST, "edit"))
        return;
    if (index >= t->spans.count || from > to || to > wt_span(t, index)->pub.text.len) {
        wt_misuse(t, "weir_edit() of bytes %zu to %zu of span %zu, which are not there", from, to, index);
        return;
    }
    s = wt_span(t, index);
    old = s->pub.text;
    text = wt_alloc(&t->memory, old.len - (to - from) + with.len);
    memcpy(text, old.ptr, from);
    if (with.len)
        memcpy(text + from, with.ptr, with.len);
    memcpy(text + from + with.len, old.ptr + to, old.len - to);
    s->pub.text = (struct weir_str){text, old.len - (to - from) + with.len};
    s->edited = true;
}

static inline const struct weir_event *wt_host_answer(struct weir_ctx *c, size_t *n)
{
    *n = 0;
    if (!wt_allowed(wt_of(c), WT_RESPONSE, "answer"))
        return NULL;
    *n = wt_of(c)->answers.count;
    return wt_of(c)->answers.items;
}

/* ---- encode, serve ---- */

/* The address of a struct weir_http is that of the test: plugins only pass it on. */
static inline struct weir_test *wt_of_http(struct weir_http *h)
{
    return (struct weir_test *)(void *)h;
}

static inline void wt_host_http_target(struct weir_http *h, const char *method, struct weir_str url)
{
    struct weir_test *t = wt_of_http(h);

    if (!wt_allowed(t, WT_ENCODE, "http_target"))
        return;
    t->http_method = wt_copy(&t->memory, wt_str(method));
    t->http_url = wt_copy(&t->memory, url);
}

static inline bool wt_same_word(const char *a, size_t n, const char *b)
{
    size_t i = 0;

    while (i < n && b[i] && (a[i] | 32) == (b[i] | 32))
        i++;
    return i == n && !b[i];
}

/* The host frames the message and knows where it goes: these headers are its own. */
static inline void wt_check_header(struct weir_test *t, const char *name, struct weir_str value)
{
    static const char *const ours[] = {
        "host", "content-length", "transfer-encoding", "connection",       "expect", "upgrade",
        "te",   "trailer",        "keep-alive",        "proxy-connection", NULL};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    if (!*name || name[strspn(name, letters)])
        wt_misuse(t, "\"%s\" is no name of a header", name);
    for (const char *const *o = ours; *o; o++)
        if (wt_same_word(name, strlen(name), *o))
            wt_misuse(t, "the header %s is set by the host", name);
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 127)
            wt_misuse(t, "the header %s has a control character in its value", name);
}

static inline void wt_host_http_header(struct weir_http *h, const char *name, struct weir_str value)
{
    struct weir_test *t = wt_of_http(h);

    if (!wt_allowed(t, WT_ENCODE, "http_header"))
        return;
    wt_check_header(t, name, value);
    wt_pair(&t->memory, &t->http_headers, wt_str(name), value);
}

static inline bool wt_splice(struct weir_test *t, struct weir_test_list *to, struct weir_str whole, uint32_t at,
                             uint32_t len, struct weir_str with)
{
    struct weir_test_splice *s;

    if (at > whole.len || len > whole.len - at) {
        wt_misuse(t, "splice of bytes %u to %zu of %zu", at, (size_t)at + len, whole.len);
        return false;
    }
    s = wt_push(to, sizeof *s);
    *s = (struct weir_test_splice){at, len, wt_copy(&t->memory, with)};
    return true;
}

static inline void wt_host_http_splice(struct weir_http *h, uint32_t at, uint32_t len, struct weir_str with)
{
    struct weir_test *t = wt_of_http(h);

    if (wt_allowed(t, WT_ENCODE, "http_splice"))
        wt_splice(t, &t->http_splices, t->body, at, len, with);
}

static inline void wt_host_http_body(struct weir_http *h, struct weir_str body)
{
    struct weir_test *t = wt_of_http(h);

    if (!wt_allowed(t, WT_ENCODE, "http_body"))
        return;
    t->http_body = wt_copy(&t->memory, body);
    t->http_body_set = true;
}

static inline void wt_host_http_enveloped(struct weir_http *h)
{
    struct weir_test *t = wt_of_http(h);

    if (wt_allowed(t, WT_ENCODE, "http_enveloped"))
        t->http_enveloped = true;
}

static inline void wt_host_serve(struct weir_ctx *c, struct weir_str bytes, bool last)
{
    struct weir_test *t = wt_of(c);

    if (!wt_allowed(t, WT_SERVE, "serve"))
        return;
    if (t->served_last) {
        wt_misuse(t, "weir_serve() after `last`");
        return;
    }
    wt_add(&t->served, bytes);
    t->served_last = last;
}

/* ---- decode, on_event, the dialect ---- */

static inline bool wt_has_text(const struct weir_event *e)
{
    return e->channel <= WEIR_ARGUMENTS;
}

static inline struct weir_test_event *wt_event(struct weir_test *t, size_t i)
{
    return (struct weir_test_event *)t->events.items + i;
}

/* An event of decode must be in its frame, where it says. */
static inline void wt_check_place(struct weir_test *t, const struct weir_event *e)
{
    struct weir_str data = t->frame->data;

    if (e->copy && !e->text.len && e->len) { /* an array or object that says it in another form */
        if (e->at > data.len || e->len > data.len - e->at || (data.ptr[e->at] != '[' && data.ptr[e->at] != '{'))
            wt_misuse(t, "a copy without text is an array or object of the frame; at %u, length %u there is none",
                      e->at, e->len);
        return;
    }
    if (!e->at && !e->len) /* text that stands nowhere: as a reader sees it */
        return;
    if (e->at > data.len || e->len > data.len - e->at || e->len != e->text.len ||
        (e->len && memcmp(data.ptr + e->at, e->text.ptr, e->len) != 0))
        wt_misuse(t, "an event's text is not in the frame at its place: %u, length %u: %.*s", e->at, e->len,
                  (int)e->text.len, e->text.ptr);
    else if (e->raw)
        (data.ptr[e->at] == '{' || data.ptr[e->at] == '[')
            ? (void)0
            : wt_misuse(t, "a raw event is an array or an object of the frame: %.*s", (int)e->text.len, e->text.ptr);
    else if (!e->at || data.ptr[e->at - 1] != '"' || e->at + e->len >= data.len || data.ptr[e->at + e->len] != '"')
        wt_misuse(t, "an event's text is no whole string of the frame: %.*s", (int)e->text.len, e->text.ptr);
    if (!e->raw && e->escaped != (e->text.len && memchr(e->text.ptr, '\\', e->text.len)))
        wt_misuse(t, "`escaped` is wrong for: %.*s", (int)e->text.len, e->text.ptr);
}

static inline void wt_check_order(struct weir_test *t, const struct weir_event *e)
{
    if (t->done_mark)
        wt_misuse(t, "an event after WEIR_DONE_MARK");
    for (size_t i = 0; wt_has_text(e) && !e->copy && i < t->events.count; i++) {
        const struct weir_event *x = &wt_event(t, i)->event;
        if (x->last && !x->copy && x->channel == e->channel && x->choice == e->choice && x->block == e->block)
            wt_misuse(t, "an event after the `last` of its stream");
    }
    t->done_mark = t->done_mark || e->channel == WEIR_DONE_MARK;
}

static inline void wt_host_emit(struct weir_ctx *c, const struct weir_event *e)
{
    struct weir_test *t = wt_of(c);
    struct weir_test_event *to;

    if (!wt_allowed(t, WT_DECODE | WT_EVENT, "emit"))
        return;
    if (e->size != sizeof *e)
        wt_misuse(t, "an event without its size: begin with {.size = sizeof(struct weir_event)}");
    if (t->hook == WT_DECODE && wt_has_text(e))
        wt_check_place(t, e);
    wt_check_order(t, e);
    to = wt_push(&t->events, sizeof *to);
    to->event = *e;
    to->event.text = wt_copy(&t->memory, e->text);
    to->event.tool_id = wt_copy(&t->memory, e->tool_id);
    to->event.tool_name = wt_copy(&t->memory, e->tool_name);
    to->event.detail = wt_copy(&t->memory, e->detail);
    to->event.value = wt_copy(&t->memory, e->value);
    to->text =
        t->hook == WT_DECODE && e->at && !e->raw ? wt_unescape(&t->memory, to->event.text, NULL) : to->event.text;
    if (e->usage) {
        struct weir_usage *usage = wt_alloc(&t->memory, sizeof *usage);
        *usage = *e->usage;
        to->event.usage = usage;
    }
}

static inline void wt_host_frame_drop(struct weir_ctx *c)
{
    if (wt_allowed(wt_of(c), WT_DECODE, "frame_drop"))
        wt_of(c)->frame_dropped = true;
}

static inline void wt_host_frame_splice(struct weir_ctx *c, uint32_t at, uint32_t len, struct weir_str with)
{
    struct weir_test *t = wt_of(c);

    if (!wt_allowed(t, WT_DECODE | WT_ANSWER, "frame_splice"))
        return;
    for (size_t i = 0; t->hook == WT_ANSWER && i < t->frame_splices.count; i++) {
        struct weir_test_splice *s = (struct weir_test_splice *)t->frame_splices.items + i;
        if (s->at == at && s->len == len) {
            s->with = wt_copy(&t->memory, with);
            return;
        }
    }
    /* A frame under this host has gone when `answer` runs: what it asks for stays to be looked at. */
    wt_splice(t, &t->frame_splices, t->frame ? t->frame->data : (struct weir_str){"", UINT32_MAX}, at, len, with);
}

static inline void wt_host_out(struct weir_ctx *c, struct weir_str bytes)
{
    if (wt_allowed(wt_of(c), WT_SAYS, "out"))
        wt_add(&wt_of(c)->out, bytes);
}

/* ---- credentials ---- */

static inline struct weir_str wt_host_credential(struct weir_ctx *c)
{
    struct weir_test *t = wt_of(c);

    t->lacks = !t->credential_given;
    if (!wt_allowed(t, WT_ENCODE, "credential") || t->lacks)
        return (struct weir_str){NULL, 0};
    return wt_copy(&t->memory, t->credential);
}

/* Answers of weir_test_fetched() are used up in their order. */
static inline bool wt_host_fetch(struct weir_ctx *c, const struct weir_fetch *ask, struct weir_fetched *got,
                                 struct weir_error *e)
{
    struct weir_test *t = wt_of(c);
    struct wt_fetched *answers = t->fetched.items;
    size_t i = 0;

    if (!wt_allowed(t, WT_CREDENTIAL, "fetch"))
        return false;
    wt_add_text(&t->fetches, ask->method);
    wt_add_text(&t->fetches, " ");
    wt_add_text(&t->fetches, ask->url);
    for (const char *const *h = ask->headers; h && *h; h++) {
        wt_add_text(&t->fetches, "\n");
        wt_add_text(&t->fetches, *h);
    }
    wt_add_text(&t->fetches, "\n\n");
    wt_add(&t->fetches, ask->body);
    wt_add_text(&t->fetches, "\n");
    while (i < t->fetched.count && (answers[i].used || strcmp(answers[i].url, ask->url) != 0))
        i++;
    if (i == t->fetched.count || !answers[i].status)
        return wt_error(e, "", "", "nobody answers");
    answers[i].used = true;
    got->status = answers[i].status;
    got->body = wt_copy_z(&t->memory, wt_str(answers[i].body));
    return true;
}

static inline struct weir_host wt_host(void)
{
    return (struct weir_host){
        .abi = WEIR_ABI,
        .size = sizeof(struct weir_host),
        .span_size = sizeof(struct weir_test_span),
        .event_size = sizeof(struct weir_test_event),
        .log = wt_host_log,
        .alloc = wt_host_alloc,
        .body = wt_host_body,
        .request = wt_host_request,
        .skim = wt_host_skim,
        .unescape = wt_host_unescape,
        .fact = wt_host_fact,
        .canonical = wt_host_canonical,
        .lossy = wt_host_lossy,
        .span = wt_host_span,
        .spans = wt_host_spans,
        .edit = wt_host_edit,
        .answer = wt_host_answer,
        .label = wt_host_label,
        .block = wt_host_block,
        .http_target = wt_host_http_target,
        .http_header = wt_host_http_header,
        .http_splice = wt_host_http_splice,
        .http_body = wt_host_http_body,
        .serve = wt_host_serve,
        .emit = wt_host_emit,
        .frame_drop = wt_host_frame_drop,
        .frame_splice = wt_host_frame_splice,
        .out = wt_host_out,
        .after = wt_host_after,
        .resume = wt_host_resume,
        .fetch = wt_host_fetch,
        .credential = wt_host_credential,
        .model = wt_host_model,
        .http_enveloped = wt_host_http_enveloped,
    };
}

#endif
