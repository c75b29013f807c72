/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's body -> the view of the request, and a span for every text in it.
 *
 * One walk over the keys, guided by tables.  A string is a span unless a row says that it is none (enumerations, ids,
 * base64): what this file does not know is text, its keys too, so that nothing a model reads goes by unseen.  A key
 * that a laxer reader than ours could take for a known one is refused.  Host: step `accept`, worker process.
 */
#include "anthropic.h"
#include "fields.h"

#include <stdio.h>
#include <strings.h>

#define DEEPEST 8 /* content inside content: what lies deeper is text without a shape */

struct path {
    const struct path *up;
    const char *name;
    uint32_t index;
}; /* name NULL: an element of an array */

struct walk {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct weir_request *r;
    struct weir_error *e;
    enum weir_where where;
    uint32_t message, part;
    int depth; /* of contents */
};

/* ---- refusals ---- */

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

static bool refuse_type(struct walk *w, const struct path *p, uint32_t types)
{
    static const struct {
        uint32_t bits;
        const char *name;
    } names[] = {
        {IS_STRING, "a string"},   {IS_ARRAY, "an array"}, {IS_OBJECT, "an object"},
        {IS_NUMBER, "an integer"}, {IS_BOOL, "a boolean"}, {IS_NULL, "null"},
    };
    char want[80] = "";

    path_print(p, w->e->field, sizeof w->e->field);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (types & names[i].bits) {
            size_t n = strlen(want);
            snprintf(want + n, sizeof want - n, "%s%s", n ? " or " : "", names[i].name);
        }
    snprintf(w->e->code, sizeof w->e->code, "invalid_type");
    snprintf(w->e->text, sizeof w->e->text, "%s: Input should be %s.", w->e->field, want);
    return false;
}

/* A key as it may stand in a message for people: what is not plain ASCII is left out. */
static bool refuse_key(struct walk *w, const struct path *p, uint32_t key, const char *like)
{
    struct weir_str s = weir_json_text(w->j, key);
    char name[48];
    size_t n = 0;

    for (size_t i = 0; i < s.len && n < sizeof name - 1; i++)
        if (s.ptr[i] > ' ' && s.ptr[i] < 0x7f)
            name[n++] = s.ptr[i];
    name[n] = '\0';
    path_print(&(struct path){p, name, 0}, w->e->field, sizeof w->e->field);
    snprintf(w->e->code, sizeof w->e->code, "unknown_parameter");
    if (like)
        snprintf(w->e->text, sizeof w->e->text, "%s: Extra inputs are not permitted. Did you mean '%s'?", w->e->field,
                 like);
    else
        snprintf(w->e->text, sizeof w->e->text, "%s: The key is spelled with escapes, which is not accepted.",
                 w->e->field);
    return false;
}

static bool refuse_missing(struct walk *w, const char *name)
{
    snprintf(w->e->field, sizeof w->e->field, "%s", name);
    snprintf(w->e->code, sizeof w->e->code, "missing_required_parameter");
    snprintf(w->e->text, sizeof w->e->text, "%s: Field required", name);
    return false;
}

/* ---- spans ---- */

static void span_as(struct walk *w, uint32_t node, enum weir_where where)
{
    if (w->j->nodes[node].type == WEIR_JSON_STRING)
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

/* Signatures are base64, and our own mark of another's.  A sentence is neither. */
static bool looks_opaque(struct weir_str s)
{
    static const char more[] = "+/=_-";
    struct weir_str kind;

    if (opaque_read(s, &kind, &s) && memchr(kind.ptr, ' ', kind.len))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
            !memchr(more, c, sizeof more - 1))
            return false;
    }
    return true;
}

static void span_opaque(struct walk *w, uint32_t node)
{
    if (!node_is_string(w->j, node))
        span_all(w, node);
    else if (!looks_opaque(weir_json_text(w->j, node)))
        span_as(w, node, w->where);
}

/* ---- the walk ---- */

static const struct field *field_find(const struct weir_json *j, uint32_t key, const struct field *fields)
{
    for (; fields->name; fields++)
        if (j->nodes[key].len == fields->len && weir_json_eq(j, key, fields->name, fields->len))
            return fields;
    return NULL;
}

static const struct field *field_nearly(struct weir_str key, const struct field *fields)
{
    for (; fields->name; fields++)
        if (fields->len == key.len && strncasecmp(fields->name, key.ptr, key.len) == 0)
            return fields;
    return NULL;
}

static bool walk_field(struct walk *, const struct field *, uint32_t value, const struct path *);

static bool walk_object(struct walk *w, uint32_t object, const struct field *fields, const struct path *up)
{
    const struct weir_json *j = w->j;

    for (EACH_KEY(j, k, object)) {
        const struct field *f = field_find(j, k, fields);
        if (f) {
            struct path p = {up, f->name, 0};
            if (!(f->types >> j->nodes[k + 1].type & 1))
                return refuse_type(w, &p, f->types);
            if (!walk_field(w, f, k + 1, &p))
                return false;
            continue;
        }
        if (j->nodes[k].escaped)
            return refuse_key(w, up, k, NULL);
        f = field_nearly(weir_json_text(j, k), fields);
        if (f)
            return refuse_key(w, up, k, f->name);
        span_all(w, k);
        span_all(w, k + 1);
    }
    return true;
}

static bool walk_each(struct walk *w, const struct field *fields, uint32_t value, const struct path *up)
{
    uint32_t i = 0;

    if (weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        return walk_object(w, value, fields, up);
    if (node_is_string(w->j, value))
        span_words(w, value);
    for (EACH_ITEM(w->j, n, value)) {
        struct path p = {up, NULL, i++};
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            span_all(w, n);
        else if (!walk_object(w, n, fields, &p))
            return false;
    }
    return true;
}

/* ---- content ---- */

/* Who says what stands in a block of this type. */
static enum weir_where block_where(const struct walk *w, uint32_t block)
{
    uint32_t type = weir_json_get(w->j, block, "type");
    struct weir_str s = node_is_string(w->j, type) ? weir_json_text(w->j, type) : WEIR_STR("");

    if (str_is(s, "document") || str_is(s, "search_result"))
        return WEIR_DOCUMENT;
    if (s.len >= 8 && memcmp(s.ptr + s.len - 8, "tool_use", 8) == 0)
        return WEIR_TOOL_CALL;
    if (s.len >= 11 && memcmp(s.ptr + s.len - 11, "tool_result", 11) == 0)
        return WEIR_TOOL_RESULT;
    return w->where;
}

static bool walk_block(struct walk *w, uint32_t block, const struct path *p)
{
    enum weir_where before = w->where;
    bool ok;

    w->where = block_where(w, block);
    ok = walk_object(w, block, block_fields, p);
    w->where = before;
    return ok;
}

static bool walk_blocks(struct walk *w, uint32_t value, const struct path *up)
{
    uint32_t i = 0;
    bool ok = true;

    if (weir_json_is(w->j, value, WEIR_JSON_STRING) || w->depth == DEEPEST) {
        span_all(w, value);
        return true;
    }
    w->depth++;
    if (weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        ok = walk_block(w, value, up);
    for (EACH_ITEM(w->j, n, value)) {
        struct path p = {up, NULL, i};
        if (w->depth == 1)
            w->part = i;
        i++;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            span_all(w, n);
        else if (!(ok = walk_block(w, n, &p)))
            break;
    }
    w->depth--;
    if (!w->depth)
        w->part = 0;
    return ok;
}

static bool walk_source(struct walk *w, uint32_t value, const struct path *p)
{
    bool file = node_says(w->j, weir_json_get(w->j, value, "type"), "base64"), ok;
    enum weir_where before = w->where;

    if (!weir_json_is(w->j, value, WEIR_JSON_OBJECT)) {
        span_all(w, value);
        return true;
    }
    w->where = WEIR_DOCUMENT;
    ok = walk_object(w, value, file ? source_file_fields : source_fields, p);
    w->where = before;
    return ok;
}

static enum weir_where role_where(const struct weir_json *j, uint32_t message)
{
    uint32_t role = weir_json_get(j, message, "role");

    return node_says(j, role, "user")        ? WEIR_USER
           : node_says(j, role, "assistant") ? WEIR_ASSISTANT
           : node_says(j, role, "system")    ? WEIR_SYSTEM
                                             : WEIR_OTHER;
}

static bool walk_messages(struct walk *w, uint32_t array, const struct path *up)
{
    uint32_t i = 0;

    for (EACH_ITEM(w->j, n, array)) {
        struct path p = {up, NULL, i};
        w->message = i++;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            return refuse_type(w, &p, IS_OBJECT);
        w->where = role_where(w->j, n);
        if (!walk_object(w, n, message_fields, &p))
            return false;
    }
    w->message = 0;
    w->where = WEIR_OTHER;
    return true;
}

/* ---- fields ---- */

static bool take_limit(struct walk *w, uint32_t value, const struct path *p)
{
    int64_t v = weir_json_int(w->j, value, -1);

    if (weir_json_is(w->j, value, WEIR_JSON_NULL))
        return true;
    if (v < 0 && weir_json_int(w->j, value, INT64_MAX) == INT64_MAX)
        return refuse_type(w, p, IS_NUMBER);
    w->r->max_output = v < 0 ? 0 : v; /* a negative integer: the upstream's to refuse */
    return true;
}

static void take_model(struct walk *w, uint32_t value)
{
    w->r->model = weir_unescape(w->c, weir_json_text(w->j, value));
    w->r->model_at = w->j->nodes[value].at;
    w->r->model_len = w->j->nodes[value].len;
}

/* As another voice than the one around it. */
static bool walk_as(struct walk *w, enum weir_where where, uint32_t value, const struct path *blocks)
{
    enum weir_where before = w->where;
    bool ok = true;

    w->where = where;
    if (blocks)
        ok = walk_blocks(w, value, blocks);
    else
        span_all(w, value);
    w->where = before;
    return ok;
}

static bool walk_field(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    switch ((enum deed)f->deed) {
    case WORD:
        span_words(w, value);
        return true;
    case OPAQUE:
        span_opaque(w, value);
        return true;
    case BASE64:
        return true;
    case TEXT:
    case ALL:
        span_all(w, value);
        return true;
    case NAME:
        return walk_as(w, WEIR_OTHER, value, NULL);
    case LINK:
        return walk_as(w, WEIR_DOCUMENT, value, NULL);
    case INPUT:
        return walk_as(w, WEIR_TOOL_CALL, value, NULL);
    case BLOCKS:
        return walk_blocks(w, value, p);
    case SYSTEM:
        return walk_as(w, WEIR_SYSTEM, value, p);
    case SOURCE:
        return walk_source(w, value, p);
    case EACH:
        return weir_json_is(w->j, value, WEIR_JSON_NULL) || walk_each(w, f->below, value, p);
    case MODEL:
        take_model(w, value);
        return true;
    case STREAM:
        w->r->stream = node_true(w->j, value) && w->r->kind == WEIR_CHAT;
        w->r->usage_asked = true; /* streams of this dialect always have it */
        return true;
    case LIMIT:
        return take_limit(w, value, p);
    case MESSAGES:
        return walk_messages(w, value, p);
    }
    return true;
}

/* ---- paths ---- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* GET /v1/models/{id}: ids contain slashes, which SDKs send as %2F. */
static bool accept_show(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    const size_t prefix = sizeof "/v1/models/" - 1;
    char *id = weir_alloc(c, r->path.len - prefix + 1);
    size_t n = 0;

    for (size_t i = prefix; i < r->path.len; i++) {
        char ch = r->path.ptr[i];
        if (ch == '%' && i + 2 < r->path.len && hex_value(r->path.ptr[i + 1]) >= 0 &&
            hex_value(r->path.ptr[i + 2]) >= 0) {
            ch = (char)(hex_value(r->path.ptr[i + 1]) << 4 | hex_value(r->path.ptr[i + 2]));
            i += 2;
        }
        if ((unsigned char)ch < 0x20 || ch == 0x7f) {
            snprintf(e->text, sizeof e->text, "model: The name of the model holds control characters.");
            snprintf(e->field, sizeof e->field, "model");
            return false;
        }
        id[n++] = ch;
    }
    r->model = (struct weir_str){id, n};
    return true;
}

bool anthropic_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .j = NULL, .r = r, .e = e, .where = WEIR_OTHER};

    if (r->kind == WEIR_LIST_MODELS)
        return true;
    if (r->kind == WEIR_SHOW_MODEL)
        return accept_show(c, r, e);
    w.j = weir_body(c);
    if (!w.j || !weir_json_is(w.j, 0, WEIR_JSON_OBJECT)) {
        snprintf(e->text, sizeof e->text, "The body must be a JSON object.");
        snprintf(e->code, sizeof e->code, "invalid_json");
        return false;
    }
    if (!walk_object(&w, 0, anthropic_fields, NULL))
        return false;
    if (!r->model.len)
        return refuse_missing(&w, "model");
    if (weir_json_get(w.j, 0, "messages") == WEIR_NO_NODE)
        return refuse_missing(&w, "messages");
    return true;
}
