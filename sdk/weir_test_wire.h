/* SPDX-License-Identifier: MIT */
/* weir_test_wire.h -- part of weir_test.h: the hooks of providers, dialects and sinks. */
#ifndef WEIR_TEST_WIRE_H
#define WEIR_TEST_WIRE_H

#ifndef WEIR_TEST_H
#error "include weir_test.h"
#endif

/* ---- accept ---- */

static inline bool wt_header_there(const struct weir_test *t, const char *name)
{
    const struct weir_test_pair *p = t->facts.items;

    for (size_t i = 0; i < t->facts.count; i++)
        if (p[i].name.len == 7 + strlen(name) && memcmp(p[i].name.ptr, "header.", 7) == 0 && p[i].value.len &&
            memcmp(p[i].name.ptr + 7, name, strlen(name)) == 0)
            return true;
    return false;
}

static inline const struct weir_path *wt_path(struct weir_test *t, const char *method, const char *path)
{
    const struct weir_plugin *p = t->plugin;
    const struct weir_path *row = p->paths, *plain = NULL;

    for (; row && row->path; row = (const void *)((const char *)row + p->path_size)) {
        size_t n = strlen(row->path);
        bool prefix = n > 1 && row->path[n - 1] == '/';
        if ((strcmp(row->method, method) == 0 || strcmp(row->method, "*") == 0) &&
            (prefix ? strlen(path) > n && strncmp(path, row->path, n) == 0 : strcmp(path, row->path) == 0)) {
            if (row->header && wt_header_there(t, row->header))
                return row;
            if (!row->header && !plain)
                plain = row;
        }
    }
    if (plain)
        return plain;
    wt_die("test", 0, "%s serves no %s %s", p->name, method, path);
}

static inline bool weir_test_accept(struct weir_test *t, const char *method, const char *path, const char *body,
                                    struct weir_error *e)
{
    size_t n = strlen(path);
    char *plain = memcpy(wt_alloc(&t->kept, n + 1), path, n), *query = strchr(plain, '?');
    const struct weir_path *row;
    bool good;

    if (query)
        *query++ = '\0';
    row = wt_path(t, method, plain);
    weir_test_begin(t);
    if (body)
        wt_set_body(t, wt_str(body));
    t->request = (struct weir_request){.size = sizeof t->request,
                                       .kind = row->kind,
                                       .path = wt_copy(&t->given, wt_str(plain)),
                                       .query = wt_copy(&t->given, wt_str(query ? query : ""))};
    memset(e, 0, sizeof *e);
    wt_enter(t, WT_ACCEPT, t->plugin->accept);
    good = t->plugin->accept(&t->ctx, &t->request, e);
    t->hook = 0;
    if (!good && !e->text[0])
        wt_misuse(t, "accept refuses without saying why");
    return good;
}

/* ---- lift ---- */

static inline void weir_test_canonical(struct weir_test *t, const char *json)
{
    struct weir_error e;

    if (!wt_skim(&t->given, wt_copy(&t->given, wt_str(json)), &t->canonical, &e))
        wt_die("test", 0, "the canonical request is no JSON: %s", e.text);
    t->request.stream = weir_json_is(&t->canonical, weir_json_get(&t->canonical, 0, "stream"), WEIR_JSON_TRUE);
}

static inline struct weir_str weir_test_lift(struct weir_test *t, struct weir_error *e)
{
    struct weir_json j;
    struct weir_str made;
    bool good;

    t->out.len = t->lossy.len = t->named.len = 0;
    memset(e, 0, sizeof *e);
    wt_enter(t, WT_LIFT, t->plugin->lift);
    good = t->plugin->lift(&t->ctx, e);
    t->hook = 0;
    if (!good && !e->text[0])
        wt_misuse(t, "lift refuses without saying why");
    if (!good)
        return (struct weir_str){NULL, 0};
    made = wt_copy(&t->given, wt_view(&t->out));
    if (!wt_skim(&t->given, made, &j, e))
        wt_misuse(t, "the canonical request is no JSON: %s", e->text);
    return made;
}

/* ---- splices ---- */

static inline int wt_splice_order(const void *a, const void *b)
{
    const struct weir_test_splice *x = a, *y = b;

    return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->len < y->len ? -1 : x->len > y->len;
}

static inline void wt_apply(struct weir_test *t, struct weir_test_buf *out, struct weir_str whole,
                            struct weir_test_list *splices)
{
    struct weir_test_splice *s = splices->items;
    size_t at = 0;

    if (splices->count > 1)
        qsort(s, splices->count, sizeof *s, wt_splice_order);
    for (size_t i = 0; i < splices->count; i++) {
        if (s[i].at < at) {
            wt_misuse(t, "splices overlap at byte %u", s[i].at);
            continue;
        }
        wt_add(out, (struct weir_str){whole.ptr + at, s[i].at - at});
        wt_add(out, s[i].with);
        at = (size_t)s[i].at + s[i].len;
    }
    wt_add(out, (struct weir_str){whole.ptr + at, whole.len - at});
}

/* The stages' edits, written back as they stood: escaped once, or twice inside JSON in a string. */
static inline void wt_edits(struct weir_test *t, struct weir_test_list *to)
{
    for (size_t i = 0; i < t->spans.count; i++) {
        const struct weir_test_span *s = wt_span(t, i);
        struct weir_test_buf once = {0}, twice = {0};
        struct weir_test_splice *x;
        if (!s->edited)
            continue;
        wt_escape(&once, s->pub.text);
        if (s->pub.form == WEIR_INNER_JSON)
            wt_escape(&twice, wt_view(&once));
        x = wt_push(to, sizeof *x);
        *x = (struct weir_test_splice){s->pub.at, s->pub.len, wt_copy(&t->memory, wt_view(twice.ptr ? &twice : &once))};
        wt_buf_free(&once);
        wt_buf_free(&twice);
    }
}

static inline void wt_add_body(struct weir_test *t, struct weir_test_buf *out)
{
    struct weir_test_list splices = {0};

    if (t->http_body_set) {
        if (t->http_splices.count)
            wt_misuse(t, "encode gives both a body and splices of the client's");
        wt_add(out, t->http_body);
        return;
    }
    wt_edits(t, &splices);
    for (size_t i = 0; i < t->http_splices.count; i++) {
        struct weir_test_splice *s = wt_push(&splices, sizeof *s);
        *s = ((struct weir_test_splice *)t->http_splices.items)[i];
    }
    wt_apply(t, out, t->body, &splices);
    wt_list_free(&splices);
}

static inline struct weir_str weir_test_sent(struct weir_test *t)
{
    t->sent.len = 0;
    wt_add_body(t, &t->sent);
    return wt_view(&t->sent);
}

/* ---- encode, serve ---- */

static inline struct weir_candidate weir_test_candidate(const char *provider, const char *model)
{
    return (struct weir_candidate){.size = sizeof(struct weir_candidate),
                                   .provider = wt_str(provider),
                                   .model = wt_str(model),
                                   .region = WEIR_STR("")};
}

static inline void weir_test_kept(struct weir_test *t, const char *secret)
{
    t->credential_given = secret != NULL;
    t->credential = wt_copy(&t->kept, wt_str(secret ? secret : ""));
}

static inline void weir_test_fetched(struct weir_test *t, const char *url, int status, const char *body)
{
    struct wt_fetched *f = wt_push(&t->fetched, sizeof *f);

    *f = (struct wt_fetched){wt_copy_z(&t->kept, wt_str(url)).ptr, wt_copy_z(&t->kept, wt_str(body)).ptr, status, false};
}

static inline bool weir_test_credential(struct weir_test *t, struct weir_credential *got, struct weir_error *e)
{
    bool ok;

    *got = (struct weir_credential){.size = sizeof *got};
    memset(e, 0, sizeof *e);
    t->fetches.len = 0;
    wt_enter(t, WT_CREDENTIAL, t->plugin->credential);
    ok = t->plugin->credential(&t->ctx, got, e);
    t->hook = 0;
    if (ok && got->secret.len > WEIR_CREDENTIAL_MAX)
        wt_misuse(t, "the credential is too large");
    if (!ok && !e->text[0])
        wt_misuse(t, "credential fails and does not say why");
    return ok;
}

static inline enum weir_verdict weir_test_encode(struct weir_test *t, const struct weir_candidate *c,
                                                 struct weir_error *e)
{
    enum weir_verdict v;

    t->http_headers.count = t->http_splices.count = 0;
    t->http_method = t->http_url = t->http_body = WEIR_STR("");
    t->http_body_set = t->http_enveloped = t->frame_seen = false;
    t->lossy.len = 0;
    memset(e, 0, sizeof *e);
    wt_enter(t, WT_ENCODE, t->plugin->encode);
    t->lacks = false;
    v = t->plugin->encode(&t->ctx, c, (struct weir_http *)(void *)t, e);
    if (t->lacks) {
        if (v != WEIR_WAIT)
            wt_misuse(t, "encode has no credential and says %s", wt_verdict_name(v));
        t->hook = 0;
        return t->verdict = v;
    }
    v = wt_leave(t, v);
    if (v == WEIR_BLOCK)
        wt_misuse(t, "encode says BLOCK: that is a guardrail's word");
    if (v == WEIR_PASS && (!t->http_method.len || !t->http_url.len))
        wt_misuse(t, "encode gives no target");
    return v;
}

static inline struct weir_str weir_test_http(struct weir_test *t)
{
    const struct weir_test_pair *p = t->http_headers.items;

    t->sent.len = 0;
    wt_add(&t->sent, t->http_method);
    wt_add_text(&t->sent, " ");
    wt_add(&t->sent, t->http_url);
    wt_add_text(&t->sent, "\n");
    for (size_t i = 0; i < t->http_headers.count; i++) {
        wt_add(&t->sent, p[i].name);
        wt_add_text(&t->sent, ": ");
        wt_add(&t->sent, p[i].value);
        wt_add_text(&t->sent, "\n");
    }
    wt_add_text(&t->sent, "\n");
    wt_add_body(t, &t->sent);
    return wt_view(&t->sent);
}

static inline struct weir_str weir_test_http_header(struct weir_test *t, const char *name)
{
    const struct weir_test_pair *p = t->http_headers.items;

    for (size_t i = 0; i < t->http_headers.count; i++)
        if (wt_same_word(p[i].name.ptr, p[i].name.len, name))
            return p[i].value;
    return WEIR_STR("");
}

static inline bool weir_test_serve(struct weir_test *t, const struct weir_candidate *c)
{
    t->served.len = 0;
    t->served_last = false;
    t->fire = NULL;
    wt_enter(t, WT_SERVE, t->plugin->serve);
    t->plugin->serve(&t->ctx, c);
    for (int i = 0; !t->served_last && t->fire; i++) {
        if (i == 1000000)
            wt_die("test", 0, "%s serves without end", t->plugin->name);
        weir_test_fire(t);
    }
    t->hook = 0;
    return t->served_last;
}

/* ---- decode ---- */

static inline void wt_client_frame(struct weir_test *t, const struct weir_frame *f)
{
    struct weir_test_buf data = {0};
    struct weir_str rest;

    if (t->frame_dropped)
        return;
    if (!t->frame_splices.count) {
        wt_add(&t->client, f->raw);
        return;
    }
    wt_apply(t, &data, f->data, &t->frame_splices);
    rest = wt_view(&data);
    if (f->stream && f->name.len) {
        wt_add_text(&t->client, "event: ");
        wt_add(&t->client, f->name);
        wt_add_text(&t->client, "\n");
    }
    while (f->stream && rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.ptr) : rest.len;
        wt_add_text(&t->client, "data: ");
        wt_add(&t->client, (struct weir_str){rest.ptr, n});
        wt_add_text(&t->client, "\n");
        rest = end ? (struct weir_str){rest.ptr + n + 1, rest.len - n - 1} : WEIR_STR("");
    }
    if (f->stream)
        wt_add_text(&t->client, "\n");
    else
        wt_add(&t->client, rest);
    wt_buf_free(&data);
}

/* One frame, in memory that is gone afterwards. */
static inline bool wt_decode(struct weir_test *t, struct weir_frame f, struct weir_error *e)
{
    struct weir_test_block *frame = NULL;
    struct weir_json j;
    bool good;

    f.size = sizeof f;
    f.first = !t->frame_seen;
    t->frame_seen = true;
    f.raw = wt_copy(&frame, f.raw);
    f.name = wt_copy(&frame, f.name);
    f.data = wt_copy(&frame, f.data);
    f.json = wt_skim(&frame, f.data, &j, NULL) ? &j : NULL;
    t->frame = &f;
    t->frame_dropped = false;
    t->frame_splices.count = 0;
    wt_enter(t, WT_DECODE, t->plugin->decode);
    good = t->plugin->decode(&t->ctx, &f, e);
    t->hook = 0;
    if (!good && !e->text[0])
        wt_misuse(t, "decode fails without saying why");
    wt_client_frame(t, &f);
    t->frame = NULL;
    wt_free(&frame);
    return good;
}

static inline bool weir_test_decode_body(struct weir_test *t, int status, const char *body, struct weir_error *e)
{
    memset(e, 0, sizeof *e);
    return wt_decode(
        t, (struct weir_frame){.status = status, .raw = wt_str(body), .name = WEIR_STR(""), .data = wt_str(body)}, e);
}

/* The next line of `text`, which is moved on behind it: LF, CRLF or CR end it.  false: there is none. */
static inline bool wt_line(struct weir_str *text, struct weir_str *line)
{
    size_t n = 0, end;

    if (!text->len)
        return false;
    while (n < text->len && text->ptr[n] != '\n' && text->ptr[n] != '\r')
        n++;
    end = n + (n < text->len);
    if (n + 1 < text->len && text->ptr[n] == '\r' && text->ptr[n + 1] == '\n')
        end++;
    *line = (struct weir_str){text->ptr, n};
    *text = (struct weir_str){text->ptr + end, text->len - end};
    return true;
}

/* "data: x" -> the field's name and its value, one space dropped. */
static inline void wt_field(struct weir_str line, struct weir_str *name, struct weir_str *value)
{
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    size_t n = colon ? (size_t)(colon - line.ptr) : line.len, v = colon ? n + 1 : n;

    if (v < line.len && line.ptr[v] == ' ')
        v++;
    *name = (struct weir_str){line.ptr, n};
    *value = (struct weir_str){line.ptr + v, line.len - v};
}

/* A record without data is a comment or the like: it goes to the client as it is, and decode does not see it. */
static inline bool weir_test_decode_stream(struct weir_test *t, const char *sse, struct weir_error *e)
{
    struct weir_str text = wt_str(sse), line, field, value, name = WEIR_STR("");
    const char *start = text.ptr;
    struct weir_test_buf data = {0};
    bool good = true, any = false;

    memset(e, 0, sizeof *e);
    while (good && wt_line(&text, &line)) {
        wt_field(line, &field, &value);
        if (wt_is(field, "event"))
            name = value;
        if (wt_is(field, "data")) {
            wt_add_text(&data, any ? "\n" : "");
            wt_add(&data, value);
            any = true;
        }
        if (line.len && text.len)
            continue;
        struct weir_str raw = {start, (size_t)(text.ptr - start)};
        if (data.len)
            good = wt_decode(
                t, (struct weir_frame){.stream = true, .status = 200, .raw = raw, .name = name, .data = wt_view(&data)},
                e);
        else
            wt_add(&t->client, raw);
        start = text.ptr;
        name = WEIR_STR("");
        data.len = 0;
        any = false;
    }
    wt_buf_free(&data);
    return good;
}

/* ---- a dialect's words ---- */

static inline bool weir_test_answer(struct weir_test *t, const struct weir_event *e)
{
    bool good;

    t->out.len = 0;
    wt_enter(t, WT_ANSWER, t->plugin->answer);
    good = t->plugin->answer(&t->ctx, e);
    t->hook = 0;
    return good;
}

static inline void weir_test_refuse(struct weir_test *t, const struct weir_refusal *r)
{
    t->out.len = 0;
    wt_enter(t, WT_REFUSE, t->plugin->refuse);
    t->plugin->refuse(&t->ctx, r);
    t->hook = 0;
}

static inline void weir_test_list(struct weir_test *t, const struct weir_model *m, size_t n)
{
    struct wt_wide {
        struct weir_model pub;
        int64_t unknown;
    } *wide = wt_alloc(&t->memory, n * sizeof *wide);

    t->out.len = 0;
    for (size_t i = 0; i < n; i++)
        wide[i].pub = m[i];
    wt_enter(t, WT_LIST, t->plugin->list);
    t->plugin->list(&t->ctx, &wide[0].pub, n, sizeof *wide);
    t->hook = 0;
}

/* ---- a sink ---- */

struct wt_record {
    struct weir_record pub;
    uint64_t unknown;
};
struct wt_field_wide {
    struct weir_field pub;
    uint64_t unknown;
};

static inline void weir_test_record(struct weir_test *t, const char *kind, const char *json)
{
    struct wt_record *r = wt_push(&t->records, sizeof *r);
    struct wt_field_wide *fields;
    struct weir_error e;
    struct weir_json j;

    r->pub = (struct weir_record){.size = sizeof r->pub,
                                  .field_size = sizeof *fields,
                                  .seq = t->records.count,
                                  .time_us = 1700000000000000 + (int64_t)t->records.count};
    r->pub.kind = wt_copy(&t->given, wt_str(kind));
    r->pub.json = wt_copy(&t->given, wt_str(json));
    if (!wt_skim(&t->given, r->pub.json, &j, &e) || !weir_json_is(&j, 0, WEIR_JSON_OBJECT))
        wt_die("test", 0, "a record must be a JSON object: %s", json);
    fields = wt_alloc(&t->given, j.count * sizeof *fields);
    r->pub.fields = &fields[0].pub;
    for (uint32_t k = weir_json_first(&j, 0); k != WEIR_NO_NODE; k = weir_json_next(&j, 0, k + 1)) {
        struct weir_field *f = &fields[r->pub.count++].pub;
        f->name = weir_json_text(&j, k);
        f->is_number = weir_json_is(&j, k + 1, WEIR_JSON_NUMBER);
        f->number = weir_json_int(&j, k + 1, 0);
        f->text = f->is_number ? WEIR_STR("") : wt_unescape(&t->given, weir_json_text(&j, k + 1), NULL);
    }
}

static inline enum weir_sent weir_test_write(struct weir_test *t, struct weir_error *e)
{
    enum weir_sent said;

    if (!t->plugin->write)
        wt_die("test", 0, "%s has no write", t->plugin->name);
    memset(e, 0, sizeof *e);
    said = t->plugin->write(t->ctx.self, t->records.items, t->records.count, sizeof(struct wt_record), e);
    if ((unsigned)said > WEIR_PAUSE)
        wt_misuse(t, "write says %d", (int)said);
    if (said != WEIR_DONE && !e->text[0])
        wt_misuse(t, "write did not deliver and does not say why");
    t->records.count = 0;
    return said;
}

#endif
