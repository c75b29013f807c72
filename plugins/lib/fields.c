/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c -- see fields.h. */
#include "fields.h"

#include <stdio.h>
#include <strings.h>

#include "proto.h"

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

bool walk_refuse(struct walk *w, enum walk_fault fault, const struct path *p, const char *want, const char *got)
{
    static const char *const codes[] = {
        [FAULT_TYPE] = "invalid_type",
        [FAULT_NEARLY] = "unknown_parameter",
        [FAULT_ESCAPED] = "unknown_parameter",
        [FAULT_TWICE] = "duplicate_key",
        [FAULT_MISSING] = "missing_required_parameter",
    };

    w->e->field[0] = '\0';
    path_print(p, w->e->field, sizeof w->e->field);
    snprintf(w->e->code, sizeof w->e->code, "%s", codes[fault]);
    w->say(w->e, fault, want, got);
    return false;
}

bool walk_refuse_type(struct walk *w, uint32_t types, uint32_t value, const struct path *p)
{
    static const char *const is[] = {"null", "a boolean", "a boolean", "a number", "a string", "an array", "an object"};
    static const struct {
        uint32_t bits;
        const char *name;
    } names[] = {
        {IS_STRING, "a string"},   {IS_ARRAY, "an array"}, {IS_OBJECT, "an object"},
        {IS_NUMBER, "an integer"}, {IS_BOOL, "a boolean"}, {IS_NULL, "null"},
    };
    enum weir_json_type type = w->j->nodes[value].type;
    char want[80] = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (types & names[i].bits) {
            size_t n = strlen(want);
            snprintf(want + n, sizeof want - n, "%s%s", n ? " or " : "", names[i].name);
        }
    return walk_refuse(w, FAULT_TYPE, p, want, types >> type & 1 ? "another number" : is[type]);
}

/* A key as it may stand in a message for people: what is not plain ASCII is left out. */
static bool refuse_key(struct walk *w, enum walk_fault fault, const struct path *up, uint32_t key, const char *like)
{
    struct weir_str s = weir_json_text(w->j, key);
    char name[48];
    size_t n = 0;

    for (size_t i = 0; i < s.len && n < sizeof name - 1; i++)
        if (s.ptr[i] > ' ' && s.ptr[i] < 0x7f)
            name[n++] = s.ptr[i];
    name[n] = '\0';
    return walk_refuse(w, fault, &(struct path){up, name, 0}, like, NULL);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* false: a percent sign without two digits, or what no name holds. */
static bool percent_decode(struct text *t, struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '%') {
            int high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1, low = high < 0 ? -1 : hex_value(s.ptr[i + 2]);
            if (low < 0)
                return false;
            ch = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)ch < ' ' || ch == 0x7f)
            return false;
        text_put(t, &ch, 1);
    }
    return s.len > 0;
}

bool walk_path_model(struct walk *w, struct weir_str id)
{
    struct text t = {.c = w->c};

    if (percent_decode(&t, id)) {
        w->r->model = text_view(&t);
        return true;
    }
    snprintf(w->e->code, sizeof w->e->code, "invalid_model");
    snprintf(w->e->field, sizeof w->e->field, "model");
    snprintf(w->e->text, sizeof w->e->text, "The path names no model, or not in a way that a model is spelled.");
    return false;
}

/* ---- the walk ---- */

static const struct field *field_find(const struct walk *w, uint32_t key, const struct field *f)
{
    if (w->proto)
        while (f->len && (w->j->nodes[key].escaped || !proto_is(weir_json_text(w->j, key), f->name)))
            f++;
    else
        while (f->len && !weir_json_eq(w->j, key, f->name, f->len))
            f++;
    return f->len ? f : NULL;
}

static const struct field *field_nearly(struct weir_str key, const struct field *f)
{
    while (f->len && (f->len != key.len || strncasecmp(f->name, key.ptr, key.len) != 0))
        f++;
    return f->len ? f : NULL;
}

static bool walk_unknown(struct walk *w, uint32_t key, const struct field *fields, const struct path *up)
{
    const struct field *like;

    if (w->j->nodes[key].escaped)
        return refuse_key(w, FAULT_ESCAPED, up, key, NULL);
    like = field_nearly(weir_json_text(w->j, key), fields);
    if (like)
        return refuse_key(w, FAULT_NEARLY, up, key, like->name);
    return walk_text(w, NULL, key, up) && walk_text(w, NULL, key + 1, up);
}

static bool walk_field(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    enum weir_json_type type = w->j->nodes[value].type;
    enum weir_where before = w->where;
    bool ok;

    if (type == WEIR_JSON_NULL && (w->proto || f->types & IS_NULL))
        return true;
    if (!(f->types >> type & 1))
        return walk_refuse_type(w, f->types & IS_ANY, value, p);
    if (!f->read)
        return true;
    if (f->where != AROUND)
        w->where = f->where;
    ok = f->read(w, f, value, p);
    w->where = before;
    return ok;
}

static bool walk_missing(struct walk *w, const struct field *fields, uint64_t seen, const struct path *up)
{
    for (const struct field *f = fields; f->types & MUST; f++)
        if (!(seen >> (f - fields) & 1))
            return walk_refuse(w, FAULT_MISSING, &(struct path){up, f->name, 0}, NULL, NULL);
    return true;
}

bool walk_object(struct walk *w, uint32_t object, const struct field *fields, const struct path *up)
{
    uint64_t seen = 0;

    for (EACH_KEY(w->j, k, object)) {
        const struct field *f = field_find(w, k, fields);
        struct path p = {up, f ? f->name : NULL, 0};
        if (!f) {
            if (!walk_unknown(w, k, fields, up))
                return false;
            continue;
        }
        uint64_t bit = f - fields < 64 ? 1ull << (f - fields) : 0;
        if (seen & bit) /* the skim refuses a repeated key, but not two spellings of one */
            return walk_refuse(w, FAULT_TWICE, &p, NULL, NULL);
        if (w->j->nodes[k + 1].type != WEIR_JSON_NULL)
            seen |= bit;
        if (!walk_field(w, f, k + 1, &p))
            return false;
    }
    return walk_missing(w, fields, seen, up);
}

bool walk_begin(struct walk *w)
{
    w->j = weir_body(w->c);
    w->where = WEIR_OTHER;
    if (w->j && weir_json_is(w->j, 0, WEIR_JSON_OBJECT))
        return true;
    snprintf(w->e->text, sizeof w->e->text, "The body must be a JSON object.");
    snprintf(w->e->code, sizeof w->e->code, "invalid_json");
    return false;
}

/* ---- reads: texts ---- */

/* Of an array too: each string is a word of its own. */
bool walk_word(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    for (uint32_t i = value; i < w->j->nodes[value].next; i++)
        if (w->j->nodes[i].len > LONGEST_WORD)
            walk_span(w, i, w->where, WEIR_PLAIN_TEXT);
    return true;
}

/* Nodes below a container stand behind it, so no recursion is needed: hostile depth costs nothing. */
bool walk_text(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    for (uint32_t i = value; i < w->j->nodes[value].next; i++)
        walk_span(w, i, w->where, WEIR_PLAIN_TEXT);
    return true;
}

/* data:image/png;base64,... is no text.  Other data: URLs may hold some. */
static bool is_base64_link(struct weir_str s)
{
    static const char mark[] = ";base64,";
    const char *comma = memchr(s.ptr, ',', s.len);
    size_t n = sizeof mark - 1;

    return comma && s.len > 5 && strncasecmp(s.ptr, "data:", 5) == 0 && (size_t)(comma + 1 - s.ptr) >= n &&
           strncasecmp(comma + 1 - n, mark, n) == 0;
}

bool walk_link(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    if (node_is_string(w->j, value) && is_base64_link(weir_json_text(w->j, value)))
        return true;
    return walk_text(w, f, value, p);
}

bool walk_inner(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    if (!node_is_string(w->j, value))
        return walk_text(w, f, value, p);
    walk_span(w, value, w->where, WEIR_INNER_JSON);
    return true;
}

/* ---- reads: what has members ---- */

/* Elements that are no object are text, whatever they are. */
bool walk_each(struct walk *w, const struct field *f, uint32_t value, const struct path *up)
{
    uint32_t i = 0;

    if (weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        return walk_object(w, value, f->below, up);
    if (!weir_json_is(w->j, value, WEIR_JSON_ARRAY))
        return walk_word(w, f, value, up);
    for (EACH_ITEM(w->j, n, value)) {
        struct path p = {up, NULL, i++};
        if (weir_json_is(w->j, n, WEIR_JSON_OBJECT) ? !walk_object(w, n, f->below, &p) : !walk_text(w, f, n, &p))
            return false;
    }
    return true;
}

bool walk_parts(struct walk *w, const struct field *f, uint32_t value, const struct path *up)
{
    uint32_t i = 0;
    bool ok = true;

    if (weir_json_is(w->j, value, WEIR_JSON_OBJECT))
        return walk_object(w, value, f->below, up);
    if (!weir_json_is(w->j, value, WEIR_JSON_ARRAY))
        return walk_text(w, f, value, up);
    for (EACH_ITEM(w->j, n, value)) {
        struct path p = {up, NULL, i};
        w->part = i++;
        ok = weir_json_is(w->j, n, WEIR_JSON_OBJECT) ? walk_object(w, n, f->below, &p) : walk_text(w, f, n, &p);
        if (!ok)
            break;
    }
    w->part = 0;
    return ok;
}

bool walk_messages(struct walk *w, const struct field *f, uint32_t value, const struct path *up)
{
    uint32_t i = 0;

    for (EACH_ONE(w->j, n, value)) { /* protobuf takes one for an array of one */
        struct path p = {up, NULL, i};
        w->message = i++;
        w->part = 0;
        if (!weir_json_is(w->j, n, WEIR_JSON_OBJECT))
            return walk_refuse_type(w, IS_OBJECT, n, &p);
        w->where = w->role(w->j, n);
        if (!walk_object(w, n, f->below, &p))
            return false;
    }
    w->message = 0;
    return true;
}

/* ---- reads: what the host asks for ---- */

bool walk_count(struct walk *w, uint32_t value, const struct path *p, int64_t *out)
{
    *out = w->proto ? proto_int(w->j, value, INT64_MAX) : weir_json_int(w->j, value, INT64_MAX);
    if (*out == INT64_MAX)
        return walk_refuse_type(w, IS_NUMBER, value, p);
    if (*out < 0)
        *out = 0;
    return true;
}

bool walk_limit(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f;
    return walk_count(w, value, p, &w->r->max_output);
}

bool walk_choices(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    int64_t v;

    (void)f;
    if (!walk_count(w, value, p, &v))
        return false;
    w->r->choices = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return true;
}

bool walk_usage(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f, (void)p;
    w->r->usage_asked = node_true(w->j, value);
    return true;
}

bool walk_model(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    (void)f;
    if (!w->j->nodes[value].len)
        return walk_refuse(w, FAULT_MISSING, p, NULL, NULL);
    w->r->model = weir_unescape(w->c, weir_json_text(w->j, value));
    w->r->model_at = w->j->nodes[value].at;
    w->r->model_len = w->j->nodes[value].len;
    return true;
}
