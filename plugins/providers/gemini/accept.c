/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's path and body -> the view of the request, and a span for every text in it.
 *
 * One walk over the keys, guided by tables.  A string is a span unless a row says that it is none (enumerations, ids,
 * base64): what the tables do not know is text, its keys too.  A member that stands there under both of its spellings
 * is refused, and so is a key spelled with escapes: readers disagree on what they mean.  Host: step `accept`, worker.
 */
#include "fields.h"
#include "gemini.h"

#include <stdio.h>

struct path {
    const struct path *up;
    const char *name; /* NULL: an element of an array */
    uint32_t index;
};

struct walk {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct weir_request *r;
    struct weir_error *e;
    enum weir_where where;
    uint32_t message, part;
};

static void path_print(const struct path *p, char *out, size_t size)
{
    size_t n;

    if (!p)
        return;
    path_print(p->up, out, size);
    n = strlen(out);
    if (p->name)
        snprintf(out + n, size - n, "%s%s", n ? "." : "", p->name);
    else
        snprintf(out + n, size - n, "[%u]", (unsigned)p->index);
}

static bool refuse_field(struct walk *w, const struct path *p, const char *code, const char *why)
{
    path_print(p, w->e->field, sizeof w->e->field);
    snprintf(w->e->code, sizeof w->e->code, "%s", code);
    snprintf(w->e->text, sizeof w->e->text, "Invalid value at '%s': %s.", w->e->field, why);
    return false;
}

/* ---- spans ---- */

static void span_as(struct walk *w, uint32_t node, enum weir_where where)
{
    if (node_is_string(w->j, node))
        weir_span(w->c, node, where, WEIR_PLAIN_TEXT, w->message, w->part);
}

/* Nodes below a container stand behind it, so no recursion is needed: hostile depth costs nothing. */
static void span_all(struct walk *w, uint32_t node)
{
    for (uint32_t i = node; i < w->j->nodes[node].next; i++)
        span_as(w, i, w->where);
}

static void span_words(struct walk *w, uint32_t node)
{
    for (uint32_t i = node; i < w->j->nodes[node].next; i++)
        if (w->j->nodes[i].len > LONGEST_WORD)
            span_as(w, i, w->where);
}

/* ---- the walk ---- */

static bool walk_field(struct walk *, const struct field *, uint32_t value, const struct path *);

static const struct field *field_find(const struct weir_json *j, uint32_t key, const struct field *f)
{
    while (f->name && (j->nodes[key].escaped || !proto_is(weir_json_text(j, key), f->name)))
        f++;
    return f->name ? f : NULL;
}

static bool walk_object(struct walk *w, uint32_t object, const struct field *fields, const struct path *up)
{
    uint32_t seen = 0;

    for (EACH_KEY(w->j, k, object)) {
        const struct field *f = field_find(w->j, k, fields);
        if (!f) {
            if (w->j->nodes[k].escaped)
                return refuse_field(w, &(struct path){up, "\\", 0}, "unknown_parameter",
                                    "a key is spelled with escapes, which is not accepted");
            span_all(w, k);
            span_all(w, k + 1);
            continue;
        }
        struct path p = {up, f->name, 0};
        if (seen & 1u << (f - fields))
            return refuse_field(w, &p, "duplicate_key", "it is there twice, in two spellings");
        seen |= 1u << (f - fields);
        if (w->j->nodes[k + 1].type == WEIR_JSON_NULL)
            continue;
        if (!(f->types >> w->j->nodes[k + 1].type & 1))
            return refuse_field(w, &p, "invalid_type", "it is of another type");
        if (!walk_field(w, f, k + 1, &p))
            return false;
    }
    return true;
}

/* An object, or an array of them.  Elements that are no object are text, whatever they are. */
static bool walk_each(struct walk *w, const struct field *fields, uint32_t value, const struct path *up, bool parts)
{
    bool many = weir_json_is(w->j, value, WEIR_JSON_ARRAY);
    uint32_t part = w->part, i = 0;

    for (EACH_ONE(w->j, n, value)) {
        struct path p = {up, NULL, i};
        if (parts)
            w->part = i;
        i++;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            span_all(w, n);
        else if (!walk_object(w, n, fields, many ? &p : up))
            return false;
    }
    w->part = part;
    return true;
}

static enum weir_where role_where(const struct weir_json *j, uint32_t content)
{
    uint32_t role = proto_get(j, content, "role");

    if (!node_there(j, role) || node_says(j, role, "user"))
        return WEIR_USER;
    if (node_says(j, role, "model"))
        return WEIR_ASSISTANT;
    if (node_says(j, role, "system"))
        return WEIR_SYSTEM;
    return node_says(j, role, "function") || node_says(j, role, "tool") ? WEIR_TOOL_RESULT : WEIR_OTHER;
}

static bool walk_contents(struct walk *w, const struct field *fields, uint32_t value, const struct path *up)
{
    uint32_t i = 0;

    for (EACH_ONE(w->j, n, value)) {
        struct path p = {up, NULL, i};
        w->message = i++;
        w->where = WEIR_USER;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT)) {
            span_all(w, n);
            continue;
        }
        w->where = role_where(w->j, n);
        if (!walk_object(w, n, fields, &p))
            return false;
    }
    w->message = 0;
    w->where = WEIR_OTHER;
    return true;
}

static bool walk_as(struct walk *w, const struct field *f, uint32_t value, const struct path *p, enum weir_where where)
{
    enum weir_where before = w->where;
    bool ok;

    w->where = where;
    ok = walk_each(w, f->below, value, p, false);
    w->where = before;
    return ok;
}

static bool take_count(struct walk *w, uint32_t value, const struct path *p, int64_t *out)
{
    *out = proto_int(w->j, value, INT64_MAX);
    if (*out == INT64_MAX)
        return refuse_field(w, p, "invalid_type", "it is no integer");
    if (*out < 0) /* the upstream's to refuse */
        *out = 0;
    return true;
}

static bool walk_field(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    int64_t v = 0;

    switch ((enum deed)f->deed) {
    case WORD:
        span_words(w, value);
        return true;
    case DATA:
        return true;
    case TEXT:
        span_as(w, value, w->where);
        return true;
    case NAME:
        span_as(w, value, WEIR_OTHER);
        return true;
    case LINK:
        span_as(w, value, WEIR_DOCUMENT);
        return true;
    case ALL:
        span_all(w, value);
        return true;
    case EACH:
        return walk_each(w, f->below, value, p, false);
    case PARTS:
        return walk_each(w, f->below, value, p, true);
    case CONTENTS:
        return walk_contents(w, f->below, value, p);
    case CALL:
        return walk_as(w, f, value, p, WEIR_TOOL_CALL);
    case RESULT:
        return walk_as(w, f, value, p, WEIR_TOOL_RESULT);
    case SYSTEM:
        return walk_as(w, f, value, p, WEIR_SYSTEM);
    case DOCUMENT:
        return walk_as(w, f, value, p, WEIR_DOCUMENT);
    case LIMIT:
        return take_count(w, value, p, &w->r->max_output);
    case CHOICES:
        if (!take_count(w, value, p, &v))
            return false;
        w->r->choices = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
        return true;
    }
    return true;
}

/* ---- the path ---- */

static const struct method {
    const char *name;
    enum weir_kind kind;
    bool stream;
    const struct field *fields;
    const char *required;
} methods[] = {
    {"generateContent", WEIR_CHAT, false, generate_fields, "contents"},
    {"streamGenerateContent", WEIR_CHAT, true, generate_fields, "contents"},
    {"embedContent", WEIR_EMBEDDING, false, embed_fields, "content"},
    {"batchEmbedContents", WEIR_EMBEDDING, false, batch_fields, "requests"},
    {"countTokens", WEIR_COUNT_TOKENS, false, count_fields, NULL},
};

struct weir_str gemini_method(const struct weir_request *r)
{
    size_t n = 0;

    while (n < r->path.len && r->path.ptr[r->path.len - 1 - n] != ':')
        n++;
    return (struct weir_str){r->path.ptr + r->path.len - n, n};
}

static struct weir_str query_get(struct weir_str query, const char *name)
{
    size_t len = strlen(name);

    while (query.len) {
        const char *amp = memchr(query.ptr, '&', query.len);
        size_t n = amp ? (size_t)(amp - query.ptr) : query.len, skip = n + (amp != NULL);
        if (n > len && query.ptr[len] == '=' && memcmp(query.ptr, name, len) == 0)
            return (struct weir_str){query.ptr + len + 1, n - len - 1};
        query = (struct weir_str){query.ptr + skip, query.len - skip};
    }
    return WEIR_STR("");
}

bool gemini_wants_array(const struct weir_request *r)
{
    return r->stream && !str_is(query_get(r->query, "alt"), "sse");
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What stands behind /models/, unescaped: ids contain slashes, which SDKs send as %2F. */
static bool take_model(struct weir_ctx *c, struct weir_request *r, struct weir_str raw, struct weir_error *e)
{
    char *id = weir_alloc(c, raw.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char ch = raw.ptr[i];
        if (ch == '%' && i + 2 < raw.len && hex_value(raw.ptr[i + 1]) >= 0 && hex_value(raw.ptr[i + 2]) >= 0) {
            ch = (char)(hex_value(raw.ptr[i + 1]) << 4 | hex_value(raw.ptr[i + 2]));
            i += 2;
        }
        if ((unsigned char)ch < 0x20 || ch == 0x7f) {
            snprintf(e->text, sizeof e->text, "The name of the model holds control characters.");
            snprintf(e->field, sizeof e->field, "model");
            return false;
        }
        id[n++] = ch;
    }
    r->model = (struct weir_str){id, n};
    if (n)
        return true;
    snprintf(e->text, sizeof e->text, "The path names no model.");
    snprintf(e->field, sizeof e->field, "model");
    return false;
}

static struct weir_str behind_models(struct weir_str path)
{
    const char *at = memmem(path.ptr, path.len, "/models/", 8);
    size_t n = at ? (size_t)(at - path.ptr) + 8 : path.len;

    return (struct weir_str){path.ptr + n, path.len - n};
}

static const struct method *method_find(struct weir_str name, struct weir_error *e)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_is(name, methods[i].name))
            return &methods[i];
    snprintf(e->code, sizeof e->code, "unknown_method");
    snprintf(e->text, sizeof e->text,
             "The path must end in :generateContent, :streamGenerateContent, :embedContent, "
             ":batchEmbedContents or :countTokens.");
    return NULL;
}

static bool accept_query(struct weir_request *r, struct weir_error *e)
{
    struct weir_str alt = query_get(r->query, "alt");

    if (!alt.len || str_is(alt, "json") || (str_is(alt, "sse") && r->stream))
        return true;
    snprintf(e->field, sizeof e->field, "alt");
    snprintf(e->text, sizeof e->text, "Invalid value at 'alt': it can be sse (for streams) or json.");
    return false;
}

bool gemini_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .j = NULL, .r = r, .e = e, .where = WEIR_OTHER};
    struct weir_str rest = behind_models(r->path), name = gemini_method(r);
    const struct method *m;

    if (r->kind == WEIR_LIST_MODELS)
        return true;
    if (r->kind == WEIR_SHOW_MODEL)
        return take_model(c, r, rest, e);
    m = method_find(name, e);
    if (!m)
        return false;
    r->kind = m->kind;
    r->stream = m->stream;
    r->usage_asked = m->stream;
    if (gemini_wants_array(r))
        r->stream_type = "application/json";
    rest.len -= rest.len < name.len + 1 ? rest.len : name.len + 1;
    if (!take_model(c, r, rest, e) || !accept_query(r, e))
        return false;
    w.j = weir_body(c);
    if (!w.j || !weir_json_is(w.j, 0, WEIR_JSON_OBJECT)) {
        snprintf(e->text, sizeof e->text, "The body must be a JSON object.");
        snprintf(e->code, sizeof e->code, "invalid_json");
        return false;
    }
    if (!walk_object(&w, 0, m->fields, NULL))
        return false;
    if (m->required && !node_there(w.j, proto_get(w.j, 0, m->required)))
        return refuse_field(&w, &(struct path){NULL, m->required, 0}, "missing_required_parameter", "it is required");
    return true;
}
