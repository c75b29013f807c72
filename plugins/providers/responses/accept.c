/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a client's body -> the view of the request, and a span for every text in it, of every kind of item.
 *
 * One walk over the keys, guided by tables.  A string is a span unless a row says that it is none (enumerations, ids,
 * base64): what this file does not know is text, its keys too, so that nothing a model reads goes by unseen.  A key
 * that a laxer reader than ours could take for a known one is refused.  Host: step `accept`, worker process.
 */
#include "fields.h"
#include "responses.h"
#include "unserved.h"

#include <stdio.h>
#include <strings.h>

/* ---- the walk ---- */

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

static bool refuse_type(struct walk *w, const struct path *p, uint32_t types, uint32_t node)
{
    static const char *const got[] = {"null",     "a boolean", "a boolean", "a number",
                                      "a string", "an array",  "an object"};
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
    snprintf(w->e->text, sizeof w->e->text, "Invalid type for '%s': expected %s, but got %s instead.", w->e->field,
             want,
             types & IS_NUMBER && w->j->nodes[node].type == WEIR_JSON_NUMBER ? "another number"
                                                                             : got[w->j->nodes[node].type]);
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
        snprintf(w->e->text, sizeof w->e->text, "Unknown parameter: '%s'. Did you mean '%s'?", w->e->field, like);
    else
        snprintf(w->e->text, sizeof w->e->text, "Parameter '%s' is spelled with escapes, which is not accepted.",
                 w->e->field);
    return false;
}

static bool refuse_missing(struct walk *w, const char *name)
{
    snprintf(w->e->field, sizeof w->e->field, "%s", name);
    snprintf(w->e->code, sizeof w->e->code, "missing_required_parameter");
    snprintf(w->e->text, sizeof w->e->text, "Missing required parameter: '%s'.", name);
    return false;
}

static void span_as(struct walk *w, uint32_t node, enum weir_where where, enum weir_form form)
{
    if (w->j->nodes[node].type == WEIR_JSON_STRING)
        weir_span(w->c, node, where, form, w->message, w->part);
}

static void span_node(struct walk *w, uint32_t node, enum weir_form form)
{
    span_as(w, node, w->where, form);
}

/* Nodes below a container stand behind it, so no recursion is needed: hostile depth costs nothing. */
static void span_all(struct walk *w, uint32_t node)
{
    for (uint32_t i = node; i < w->j->nodes[node].next; i++)
        span_node(w, i, WEIR_PLAIN_TEXT);
}

/* Of an array too (modalities): each string is a word of its own. */
static void span_words(struct walk *w, uint32_t node)
{
    for (uint32_t i = node; i < w->j->nodes[node].next; i++)
        if (w->j->nodes[i].len > LONGEST_WORD)
            span_node(w, i, WEIR_PLAIN_TEXT);
}

/* data:image/png;base64,... is no text.  Other data: URLs may hold some. */
static void span_link(struct walk *w, uint32_t node)
{
    static const char mark[] = ";base64,";
    struct weir_str s = weir_json_text(w->j, node);
    const char *comma = memchr(s.ptr, ',', s.len);
    size_t n = sizeof mark - 1;

    if (comma && s.len > 5 && strncasecmp(s.ptr, "data:", 5) == 0 && (size_t)(comma + 1 - s.ptr) >= n &&
        strncasecmp(comma + 1 - n, mark, n) == 0)
        return;
    span_as(w, node, WEIR_DOCUMENT, WEIR_PLAIN_TEXT);
}

/* Of either alphabet, or a mark of ours (weir:KIND:DATA). */
static bool looks_like_base64(const struct weir_json *j, uint32_t node)
{
    struct weir_str s = weir_json_text(j, node);

    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!word && !memchr("+/=_-:.", ch, 7))
            return false;
    }
    return true;
}

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

    for (uint32_t k = weir_json_first(j, object); k != WEIR_NO_NODE; k = weir_json_next(j, object, k + 1)) {
        const struct field *f = field_find(j, k, fields);
        if (f) {
            struct path p = {up, f->name, 0};
            if (!(f->types >> j->nodes[k + 1].type & 1))
                return refuse_type(w, &p, f->types, k + 1);
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

/* An object, an array of them, or a string.  Elements that are no object are text, whatever they are. */
static bool walk_each(struct walk *w, const struct field *fields, uint32_t value, const struct path *up)
{
    uint32_t part = w->part, i = 0;

    if (weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        return walk_object(w, value, fields, up);
    if (!weir_json_is(w->j, value, WEIR_JSON_ARRAY)) {
        if (fields == image_fields)
            span_link(w, value);
        else
            span_words(w, value);
        return true;
    }
    for (uint32_t n = weir_json_first(w->j, value); n != WEIR_NO_NODE; n = weir_json_next(w->j, value, n), i++) {
        struct path p = {up, NULL, i};
        w->part = i;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            span_all(w, n);
        else if (!walk_object(w, n, fields, &p))
            return false;
    }
    w->part = part;
    return true;
}

/* ---- items ---- */

/* Who said an item's texts: its role, or what its type is about.  What a tool of the vendor did is the assistant's. */
static enum weir_where item_where(const struct weir_json *j, uint32_t item)
{
    static const struct {
        const char *word;
        enum weir_where where;
    } roles[] = {{"user", WEIR_USER},
                 {"assistant", WEIR_ASSISTANT},
                 {"system", WEIR_SYSTEM},
                 {"developer", WEIR_SYSTEM},
                 {"tool", WEIR_TOOL_RESULT}};
    uint32_t role = weir_json_get(j, item, "role"), type = weir_json_get(j, item, "type");
    struct weir_str s = weir_json_is(j, type, WEIR_JSON_STRING) ? weir_json_text(j, type) : WEIR_STR("");

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (role != WEIR_NO_NODE && weir_json_eq(j, role, roles[i].word, strlen(roles[i].word)))
            return roles[i].where;
    if (s.len > 7 && memcmp(s.ptr + s.len - 7, "_output", 7) == 0)
        return WEIR_TOOL_RESULT;
    if (s.len > 5 && memcmp(s.ptr + s.len - 5, "_call", 5) == 0)
        return WEIR_TOOL_CALL;
    return str_is(s, "reasoning") ? WEIR_ASSISTANT : WEIR_OTHER;
}

static bool walk_items(struct walk *w, uint32_t value, const struct path *up)
{
    uint32_t i = 0;

    w->where = WEIR_USER;
    span_node(w, value, WEIR_PLAIN_TEXT);
    w->where = WEIR_OTHER;
    if (!weir_json_is(w->j, value, WEIR_JSON_ARRAY))
        return true;
    for (uint32_t n = weir_json_first(w->j, value); n != WEIR_NO_NODE; n = weir_json_next(w->j, value, n), i++) {
        struct path p = {up, NULL, i};
        w->message = i;
        w->part = 0;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            return refuse_type(w, &p, IS_OBJECT, n);
        w->where = item_where(w->j, n);
        if (!walk_object(w, n, item_fields, &p))
            return false;
    }
    w->message = w->part = 0;
    w->where = WEIR_OTHER;
    return true;
}

/* An object alone is what a computer shows. */
static bool walk_parts(struct walk *w, uint32_t value, const struct path *up)
{
    if (weir_json_is(w->j, value, WEIR_JSON_ARRAY) || weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        return walk_each(w, part_fields, value, up);
    span_all(w, value);
    return true;
}

/* As an array they are items, which come back so in answers. */
static bool walk_system(struct walk *w, uint32_t value, const struct path *up)
{
    if (weir_json_is(w->j, value, WEIR_JSON_ARRAY))
        return walk_items(w, value, up);
    span_as(w, value, WEIR_SYSTEM, WEIR_PLAIN_TEXT);
    return true;
}

/* ---- scalars ---- */

static bool take_limit(struct walk *w, uint32_t value, const struct path *p)
{
    int64_t v = weir_json_int(w->j, value, -1);

    if (v < 0 && weir_json_is(w->j, value, WEIR_JSON_NUMBER) && weir_json_int(w->j, value, INT64_MAX) == INT64_MAX)
        return refuse_type(w, p, IS_NUMBER, value);
    w->r->max_output = v < 0 ? 0 : v; /* a negative one is the upstream's to refuse */
    return true;
}

static void take_model(struct walk *w, uint32_t value)
{
    w->r->model = weir_unescape(w->c, weir_json_text(w->j, value));
    w->r->model_at = w->j->nodes[value].at;
    w->r->model_len = w->j->nodes[value].len;
}

/* Arguments as a string are JSON inside it; as an object they are plain strings. */
static bool walk_inner(struct walk *w, uint32_t value)
{
    if (weir_json_is(w->j, value, WEIR_JSON_STRING))
        span_node(w, value, WEIR_INNER_JSON);
    else
        span_all(w, value);
    return true;
}

static bool walk_field(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    bool yes = weir_json_is(w->j, value, WEIR_JSON_TRUE);

    switch ((enum deed)f->deed) {
    case WORD:
        span_words(w, value);
        return true;
    case DATA:
        if (!looks_like_base64(w->j, value))
            span_node(w, value, WEIR_PLAIN_TEXT);
        return true;
    case IMAGE:
        if (w->j->nodes[value].len <= LONGEST_WORD || !looks_like_base64(w->j, value))
            span_all(w, value);
        return true;
    case TEXT:
        span_node(w, value, WEIR_PLAIN_TEXT);
        return true;
    case SYSTEM:
        return walk_system(w, value, p);
    case NAME:
        span_as(w, value, WEIR_OTHER, WEIR_PLAIN_TEXT);
        return true;
    case INNER:
        return walk_inner(w, value);
    case ALL:
        span_all(w, value);
        return true;
    case LINK:
        span_link(w, value);
        return true;
    case PARTS:
        return walk_parts(w, value, p);
    case EACH:
        return weir_json_is(w->j, value, WEIR_JSON_NULL) || walk_each(w, f->below, value, p);
    case MODEL:
        take_model(w, value);
        return true;
    case STREAM:
        w->r->stream = yes;
        return true;
    case LIMIT:
        return take_limit(w, value, p);
    case ITEMS:
        return walk_items(w, value, p);
    }
    return true;
}

static const struct unserved responses_unserved[] = {
    {"/v1/responses/input_tokens",
     "Tokens are not counted here; the answer's `usage` has them, and Anthropic's API has "
     "POST /v1/messages/count_tokens."},
    {"/v1/responses/compact", "Histories are not compacted here; send a shorter history with POST /v1/responses."},
    {NULL, "Responses are not kept here: they cannot be fetched, cancelled or deleted; send the whole history with "
           "each POST /v1/responses."},
};

bool responses_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .j = weir_body(c), .r = r, .e = e, .where = WEIR_OTHER};

    if (r->kind == WEIR_UNSERVED)
        return unserved_refuse(r, responses_unserved, e);
    if (!w.j || !weir_json_is(w.j, 0, WEIR_JSON_OBJECT)) {
        snprintf(e->text, sizeof e->text, "The body must be a JSON object.");
        snprintf(e->code, sizeof e->code, "invalid_json");
        return false;
    }
    if (!walk_object(&w, 0, request_fields, NULL))
        return false;
    r->usage_asked = true; /* a response always has it */
    return r->model.len || refuse_missing(&w, "model");
}
