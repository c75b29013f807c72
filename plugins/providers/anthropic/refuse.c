/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse.c -- errors and the list of models, as clients of this dialect know them.  Host: steps `stream` and `close`,
 * worker process.
 */
#include "anthropic.h"

#include <stdio.h>
#include <time.h>

/* ---- errors ---- */

static struct weir_str error_type(int status)
{
    static const struct {
        int status;
        struct weir_str type;
    } types[] = {
        {401, {"authentication_error", 20}}, {402, {"billing_error", 13}},    {403, {"permission_error", 16}},
        {404, {"not_found_error", 15}},      {408, {"timeout_error", 13}},    {409, {"conflict_error", 14}},
        {413, {"request_too_large", 17}},    {429, {"rate_limit_error", 16}}, {503, {"overloaded_error", 16}},
        {504, {"timeout_error", 13}},        {529, {"overloaded_error", 16}},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].status == status)
            return types[i].type;
    return status >= 500 ? WEIR_STR("api_error") : WEIR_STR("invalid_request_error");
}

/* The next number of a sentence that may be a count of tokens; 0 when there is none. */
static int64_t next_count(const char **s)
{
    int64_t v = 0;

    while (**s && (**s < '0' || **s > '9'))
        ++*s;
    for (; (**s >= '0' && **s <= '9') || (v && **s == ',' && (*s)[1] >= '0' && (*s)[1] <= '9'); ++*s)
        if (**s != ',' && v < MOST_TOKENS)
            v = v * 10 + (**s - '0');
    return v;
}

/* Claude Code makes its history shorter when it reads these words; other vendors have others for it. */
static struct weir_str too_long(struct weir_ctx *c, const char *text)
{
    struct text t = {.c = c};
    int64_t most = 0, least = 0, v;

    for (const char *s = text; (v = next_count(&s)) > 0;) {
        if (v < 256) /* a name's number, not a context */
            continue;
        most = v > most ? v : most;
        least = !least || v < least ? v : least;
    }
    text_lit(&t, "prompt is too long: ");
    if (least < most) {
        text_int(&t, most);
        text_lit(&t, " tokens > ");
        text_int(&t, least);
        text_lit(&t, " maximum");
    } else {
        text_str(&t, str_of(text));
    }
    return text_view(&t);
}

/* The field at fault stands at the beginning. */
static struct weir_str message_of(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct weir_str text = str_of(f->text);
    struct text t = {.c = c};

    if (f->code && strcmp(f->code, "context_length_exceeded") == 0 && !str_starts(text, "prompt is too long"))
        return too_long(c, f->text ? f->text : "");
    if (!f->field || !f->field[0] || str_starts(text, f->field))
        return text;
    text_str(&t, str_of(f->field));
    text_lit(&t, ": ");
    text_str(&t, text);
    return text_view(&t);
}

void anthropic_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct weir_str id = weir_fact(c, "request_id");
    struct emit m = {.t.c = c};

    if (f->in_stream)
        text_lit(&m.t, "event: error\ndata: ");
    emit_open(&m, '{');
    emit_member_lit(&m, "type", "error");
    emit_key(&m, "error");
    emit_open(&m, '{');
    emit_member_text(&m, "type", error_type(f->status));
    emit_member_text(&m, "message", message_of(c, f));
    if (f->code && f->code[0]) {
        emit_key(&m, "details");
        emit_open(&m, '{');
        emit_member_text(&m, "code", str_of(f->code));
        emit_close(&m, '}');
    }
    emit_close(&m, '}');
    if (id.len)
        emit_member_text(&m, "request_id", id);
    emit_close(&m, '}');
    if (f->in_stream)
        text_lit(&m.t, "\n\n");
    weir_out(c, text_view(&m.t));
}

/* ---- models ---- */

static const struct weir_model *model_at(const struct weir_model *models, size_t stride, size_t i)
{
    return weir_at(models, stride, i);
}

static void put_model(struct emit *m, const struct weir_model *model)
{
    time_t when = model->created > 0 ? (time_t)model->created : 0;
    char date[40];
    struct tm tm;

    if (!gmtime_r(&when, &tm) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(date, sizeof date, "1970-01-01T00:00:00Z");
    emit_open(m, '{');
    emit_member_lit(m, "type", "model");
    emit_member_text(m, "id", model->id);
    emit_member_text(m, "display_name", model->id);
    emit_member_text(m, "created_at", str_of(date));
    emit_close(m, '}');
}

/* The value of a query's member, as it stands there. */
static struct weir_str query_get(struct weir_str query, const char *name)
{
    size_t n = strlen(name);

    while (query.len) {
        const char *end = memchr(query.ptr, '&', query.len);
        size_t len = end ? (size_t)(end - query.ptr) : query.len;
        if (len > n && memcmp(query.ptr, name, n) == 0 && query.ptr[n] == '=')
            return (struct weir_str){query.ptr + n + 1, len - n - 1};
        len += end != NULL;
        query.ptr += len;
        query.len -= len;
    }
    return WEIR_STR("");
}

/* An id in a query: clients send slashes and colons as %2F and %3A. */
static bool id_is(struct weir_str in_query, struct weir_str id)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    size_t at = 0;

    for (size_t i = 0; i < in_query.len; i++) {
        char ch = in_query.ptr[i];
        if (ch == '%' && i + 2 < in_query.len) {
            const char *a = strchr(digits, in_query.ptr[i + 1]), *b = strchr(digits, in_query.ptr[i + 2]);
            if (a && b && *a && *b) {
                ch = (char)((a - digits) % 16 << 4 | (b - digits) % 16);
                i += 2;
            }
        }
        if (at == id.len || id.ptr[at++] != ch)
            return false;
    }
    return at == id.len;
}

/* Which of the models are on the page that was asked for: limit, after_id, before_id. */
static bool page_of(struct weir_ctx *c, const struct weir_model *models, size_t n, size_t stride, size_t *from,
                    size_t *to)
{
    struct weir_str query = weir_request(c)->query, limit = query_get(query, "limit");
    struct weir_str after = query_get(query, "after_id"), before = query_get(query, "before_id");
    size_t most = 0;

    for (size_t i = 0; i < limit.len && limit.ptr[i] >= '0' && limit.ptr[i] <= '9' && most < n; i++)
        most = most * 10 + (size_t)(limit.ptr[i] - '0');
    *from = 0;
    *to = n;
    for (size_t i = 0; i < n; i++) {
        struct weir_str id = model_at(models, stride, i)->id;
        if (after.len && id_is(after, id))
            *from = i + 1;
        if (before.len && id_is(before, id))
            *to = i;
    }
    if (*from > *to)
        *from = *to;
    if (!most || most >= *to - *from)
        return false;
    if (before.len)
        *from = *to - most;
    else
        *to = *from + most;
    return true;
}

void anthropic_list(struct weir_ctx *c, const struct weir_model *models, size_t n, size_t stride)
{
    struct emit m = {.t.c = c};
    size_t from = 0, to = n;
    bool more;

    if (weir_request(c)->kind == WEIR_SHOW_MODEL) {
        if (n)
            put_model(&m, models);
        weir_out(c, text_view(&m.t));
        return;
    }
    more = page_of(c, models, n, stride, &from, &to);
    emit_open(&m, '{');
    emit_key(&m, "data");
    emit_open(&m, '[');
    for (size_t i = from; i < to; i++)
        put_model(&m, model_at(models, stride, i));
    emit_close(&m, ']');
    emit_key(&m, "has_more");
    emit_bool(&m, more);
    if (from < to) {
        emit_member_text(&m, "first_id", model_at(models, stride, from)->id);
        emit_member_text(&m, "last_id", model_at(models, stride, to - 1)->id);
    } else {
        emit_raw(&m, WEIR_STR("\"first_id\":null,\"last_id\":null"));
    }
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}
