/* SPDX-License-Identifier: Apache-2.0 */
/* partial.c -- see partial.h. */
#include "partial.h"

enum { MOST_DEPTH = 64, MOST_NODES = 20000 };

enum shape { UNKNOWN, OBJECT, ARRAY, STRING, OTHER };

struct place { /* a value: what it is called in its parent, and what is in it */
    struct weir_str key;
    enum shape shape;
    struct place *first, *last, *next;
    uint32_t count;   /* of what is below */
    struct text text; /* STRING: the inside, escapes as sent; OTHER: the value */
};

struct partial {
    struct place root;
    uint32_t nodes;
};

struct partial *partial_new(struct weir_ctx *c)
{
    return weir_alloc(c, sizeof(struct partial));
}

static struct place *place_new(struct weir_ctx *c, struct partial *p, struct place *in)
{
    struct place *made;

    if (p->nodes++ == MOST_NODES)
        return NULL;
    made = weir_alloc(c, sizeof *made);
    if (in->last)
        in->last->next = made;
    else
        in->first = made;
    in->last = made;
    in->count++;
    return made;
}

static bool becomes(struct place *at, enum shape shape)
{
    if (at->shape == UNKNOWN)
        at->shape = shape;
    return at->shape == shape;
}

/* Values come in order, so the newest is looked at first. */
static struct place *member(struct weir_ctx *c, struct partial *p, struct place *in, struct weir_str key)
{
    struct place *at;

    if (!becomes(in, OBJECT))
        return NULL;
    if (in->last && str_eq(in->last->key, key))
        return in->last;
    for (at = in->first; at; at = at->next)
        if (str_eq(at->key, key))
            return at;
    at = place_new(c, p, in);
    if (at)
        at->key = text_keep(c, key);
    return at;
}

static struct place *element(struct weir_ctx *c, struct partial *p, struct place *in, uint32_t index)
{
    struct place *at;

    if (!becomes(in, ARRAY))
        return NULL;
    if (index + 1 == in->count)
        return in->last;
    if (index < in->count) {
        for (at = in->first; index; index--)
            at = at->next;
        return at;
    }
    do /* what was passed over is null */
        at = place_new(c, p, in);
    while (at && in->count <= index);
    return at;
}

/* ---- paths: $.name[0]["other name"] ---- */

static bool take_index(struct weir_str *path, uint32_t *index)
{
    size_t n = 0;

    *index = 0;
    while (n < path->len && path->ptr[n] >= '0' && path->ptr[n] <= '9' && *index < MOST_NODES)
        *index = *index * 10 + (uint32_t)(path->ptr[n++] - '0');
    if (!n || *index >= MOST_NODES || n == path->len || path->ptr[n] != ']')
        return false;
    *path = (struct weir_str){path->ptr + n + 1, path->len - n - 1};
    return true;
}

/* Behind a bracket: 'name'] or "name"], without escapes in it. */
static bool take_quoted(struct weir_str *path, struct weir_str *key)
{
    const char *end = memchr(path->ptr + 1, path->ptr[0], path->len - 1);

    if (!end || end + 1 == path->ptr + path->len || end[1] != ']')
        return false;
    *key = (struct weir_str){path->ptr + 1, (size_t)(end - path->ptr) - 1};
    *path = (struct weir_str){end + 2, path->len - key->len - 3};
    return true;
}

static struct weir_str take_name(struct weir_str *path)
{
    struct weir_str name = *path;
    size_t n = 0;

    while (n < path->len && path->ptr[n] != '.' && path->ptr[n] != '[')
        n++;
    name.len = n;
    *path = (struct weir_str){path->ptr + n, path->len - n};
    return name;
}

static struct place *step(struct weir_ctx *c, struct partial *p, struct place *at, struct weir_str *path)
{
    struct weir_str key;
    uint32_t index;
    char kind = path->ptr[0];

    *path = (struct weir_str){path->ptr + 1, path->len - 1};
    if (kind == '.' && path->len)
        return member(c, p, at, take_name(path));
    if (kind != '[' || !path->len)
        return NULL;
    if (path->ptr[0] == '\'' || path->ptr[0] == '"')
        return take_quoted(path, &key) ? member(c, p, at, key) : NULL;
    return take_index(path, &index) ? element(c, p, at, index) : NULL;
}

static struct place *find(struct weir_ctx *c, struct partial *p, struct weir_str path)
{
    struct place *at = &p->root;

    if (path.len < 2 || path.ptr[0] != '$')
        return NULL;
    path = (struct weir_str){path.ptr + 1, path.len - 1};
    for (uint32_t depth = 0; at && path.len; depth++)
        at = depth < MOST_DEPTH ? step(c, p, at, &path) : NULL;
    return at;
}

bool partial_add(struct weir_ctx *c, struct partial *p, const struct weir_json *j, uint32_t item)
{
    uint32_t string = proto_get(j, item, "stringValue"), number = proto_get(j, item, "numberValue");
    uint32_t truth = proto_get(j, item, "boolValue");
    struct place *at = find(c, p, proto_text(c, j, item, "jsonPath"));

    if (!at)
        return false;
    at->text.c = c;
    if (node_is_string(j, string)) {
        text_str(&at->text, weir_json_text(j, string));
        return becomes(at, STRING);
    }
    at->text.len = 0;
    if (weir_json_is(j, number, WEIR_JSON_NUMBER))
        text_str(&at->text, weir_json_text(j, number));
    else if (weir_json_is(j, truth, WEIR_JSON_TRUE))
        text_lit(&at->text, "true");
    else if (weir_json_is(j, truth, WEIR_JSON_FALSE))
        text_lit(&at->text, "false");
    else
        text_lit(&at->text, "null");
    return becomes(at, OTHER);
}

/* ---- out ---- */

static void put_place(struct emit *m, const struct place *at) /* no deeper than MOST_DEPTH */
{
    char open = at->shape == OBJECT ? '{' : '[', shut = at->shape == OBJECT ? '}' : ']';

    if (at->shape == STRING) {
        emit_quoted(m, text_view(&at->text));
        return;
    }
    if (at->shape != OBJECT && at->shape != ARRAY) {
        emit_raw(m, at->text.len ? text_view(&at->text) : WEIR_STR("null"));
        return;
    }
    emit_open(m, open);
    for (const struct place *in = at->first; in; in = in->next) {
        if (at->shape == OBJECT) {
            emit_text(m, in->key);
            text_lit(&m->t, ":");
            m->comma = false;
        }
        put_place(m, in);
    }
    emit_close(m, shut);
}

struct weir_str partial_text(struct weir_ctx *c, const struct partial *p)
{
    struct emit m = {.t.c = c};

    if (p->root.shape != OBJECT)
        return WEIR_STR("{}");
    put_place(&m, &p->root);
    return text_view(&m.t);
}
