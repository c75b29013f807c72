/* SPDX-License-Identifier: Apache-2.0 */
/* form.c -- see form.h. */
#include "base/form.h"

#include "base/must.h"

static bool bad(struct form_reader *f, const char *why)
{
    f->state = FORM_BAD;
    f->why = why;
    return false;
}

/* ---- parameters ---- */

static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || (str_lower(c) >= 'a' && str_lower(c) <= 'z') ||
           (c && memchr("!#$%&'*+-.^_`|~", c, 15) != NULL);
}

static bool is_boundary(char c)
{
    return (c >= '0' && c <= '9') || (str_lower(c) >= 'a' && str_lower(c) <= 'z') ||
           (c && memchr("'()+_,-./:=?", c, 12) != NULL);
}

struct param {
    struct weir_str name, value;
    bool quoted;
};

/* Takes "; name=value" off the front of `s`.  false: it is not that. */
static bool param_take(struct weir_str *s, struct param *p)
{
    size_t i = 0, from;

    while (i < s->len && (s->ptr[i] == ' ' || s->ptr[i] == '\t'))
        i++;
    if (i == s->len || s->ptr[i++] != ';')
        return false;
    while (i < s->len && (s->ptr[i] == ' ' || s->ptr[i] == '\t'))
        i++;
    for (from = i; i < s->len && is_token(s->ptr[i]);)
        i++;
    p->name = str_sub(*s, from, i);
    if (!p->name.len || i == s->len || s->ptr[i++] != '=')
        return false;
    p->quoted = i < s->len && s->ptr[i] == '"';
    if (p->quoted) {
        for (from = ++i; i < s->len && s->ptr[i] != '"'; i++)
            if ((unsigned char)s->ptr[i] < ' ' || s->ptr[i] == 0x7f || s->ptr[i] == '\\')
                return false;
        if (i == s->len)
            return false;
        p->value = str_sub(*s, from, i++);
    } else {
        for (from = i; i < s->len && is_token(s->ptr[i]);)
            i++;
        p->value = str_sub(*s, from, i);
        if (!p->value.len)
            return false;
    }
    *s = str_sub(*s, i, s->len);
    return true;
}

/* What stands before the first semicolon; `s` is left with the rest. */
static struct weir_str value_take(struct weir_str *s)
{
    const char *semicolon = s->len ? memchr(s->ptr, ';', s->len) : NULL;
    size_t n = semicolon ? (size_t)(semicolon - s->ptr) : s->len;
    struct weir_str value = str_trim(str_sub(*s, 0, n));

    *s = str_sub(*s, n, s->len);
    return value;
}

bool form_is(struct weir_str type)
{
    const struct weir_str want = WEIR_STR("multipart/form-data");

    return type.len >= want.len && str_eq_nocase(str_sub(type, 0, want.len), want) &&
           str_eq_nocase(value_take(&type), want);
}

bool form_boundary(struct weir_str type, struct weir_str *boundary)
{
    struct param p;

    *boundary = (struct weir_str){0};
    if (!form_is(type))
        return false;
    value_take(&type);
    while (str_trim(type).len) {
        if (!param_take(&type, &p))
            return false;
        if (!str_eq_nocase(p.name, WEIR_STR("boundary")))
            continue;
        if (boundary->len)
            return false;
        *boundary = p.value;
    }
    for (size_t i = 0; i < boundary->len; i++)
        if (!is_boundary(boundary->ptr[i]))
            return false;
    return boundary->len && boundary->len <= FORM_BOUNDARY_MAX;
}

/* ---- a part's head ---- */

static bool disposition_read(struct form_reader *f, struct form_part *p, struct weir_str value)
{
    struct param param;

    if (!str_eq_nocase(value_take(&value), WEIR_STR("form-data")))
        return bad(f, "a part of the form is not form-data");
    while (str_trim(value).len) {
        if (!param_take(&value, &param))
            return bad(f, "a part's content-disposition cannot be read clearly (no backslashes, no filename*)");
        if (str_eq_nocase(param.name, WEIR_STR("name")) && !p->name.ptr) {
            p->name = param.value;
        } else if (str_eq_nocase(param.name, WEIR_STR("filename")) && !p->file) {
            p->filename = param.value;
            p->file = true;
            if (param.quoted)
                p->name_at = f->head_at + (uint64_t)(param.value.ptr - f->head.ptr);
        } else {
            return bad(f, "a part's content-disposition has other members than one name and one filename");
        }
    }
    return p->name.len || bad(f, "a part of the form has no name");
}

static bool header_read(struct form_reader *f, struct form_part *p, unsigned *seen, struct weir_str line)
{
    static const struct weir_str names[] = {
        {"content-disposition", 19}, {"content-type", 12}, {"content-transfer-encoding", 25}, {"content-length", 14}};
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    struct weir_str name = str_sub(line, 0, colon ? (size_t)(colon - line.ptr) : 0), value;
    unsigned i = 0;

    while (i < 4 && !(name.len == names[i].len && str_eq_nocase(name, names[i])))
        i++;
    if (i == 4 || *seen >> i & 1)
        return bad(f, "a part of the form has a header that it may not have, or has it twice");
    *seen |= 1u << i;
    value = str_trim(str_sub(line, name.len + 1, line.len));
    for (size_t k = 0; k < value.len; k++)
        if ((unsigned char)value.ptr[k] < ' ' || value.ptr[k] == 0x7f)
            return bad(f, "a header of a part holds a control character");
    if (i == 0)
        return disposition_read(f, p, value);
    if (i == 1)
        p->type = value;
    else if (i == 2 && !str_eq_nocase(value, WEIR_STR("binary")) && !str_eq_nocase(value, WEIR_STR("8bit")) &&
             !str_eq_nocase(value, WEIR_STR("7bit")))
        return bad(f, "a part of the form is encoded, which is not understood");
    return true;
}

/* The head is whole: its lines, each with its end. */
static bool head_read(struct form_reader *f)
{
    struct weir_str rest = buf_view(&f->head);
    struct form_part p = {0};
    unsigned seen = 0;

    while (rest.len > 2) {
        const char *end = memchr(rest.ptr, '\r', rest.len);
        size_t n = (size_t)(end - rest.ptr);
        if (!header_read(f, &p, &seen, str_sub(rest, 0, n)))
            return false;
        rest = str_sub(rest, n + 2, rest.len);
    }
    if (!p.name.len)
        return bad(f, "a part of the form has no name");
    if (f->count == FORM_PARTS_MAX)
        return bad(f, "the form has too many parts");
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 8;
        struct form_part *more = arena_alloc(f->arena, cap * sizeof *more);
        if (f->count)
            memcpy(more, f->parts, f->count * sizeof *more);
        f->parts = more;
        f->cap = cap;
    }
    p.name = arena_copy(f->arena, p.name);
    p.filename = arena_copy(f->arena, p.filename);
    p.type = arena_copy(f->arena, p.type);
    p.at = f->at;
    f->parts[f->count++] = p;
    f->head.len = 0;
    f->state = FORM_DATA;
    f->matched = 0;
    return true;
}

/* ---- the bytes ---- */

static bool head_byte(struct form_reader *f, char c)
{
    char before = f->head.len ? f->head.ptr[f->head.len - 1] : '\n';

    if (!f->head.len)
        f->head_at = f->at - 1;
    if (f->head.len == FORM_HEAD_MAX)
        return bad(f, "a part's headers are too long");
    if ((c == '\n') != (before == '\r') || !c)
        return bad(f, "a part's headers do not end their lines with CR LF");
    buf_char(&f->head, c);
    if (c != '\n' || (f->head.len > 2 && f->head.ptr[f->head.len - 3] != '\n'))
        return true;
    return head_read(f); /* an empty line */
}

/* After the mark: the end of its line, or two hyphens and the end of all. */
static bool mark_byte(struct form_reader *f, char c)
{
    f->end[f->end_len++] = c;
    if (f->end_len < 2)
        return true;
    f->end_len = 0;
    if (memcmp(f->end, "\r\n", 2) == 0)
        f->state = FORM_HEAD;
    else if (memcmp(f->end, "--", 2) == 0)
        f->state = FORM_TAIL;
    else
        return bad(f, "a line of the form begins with its boundary and goes on");
    return true;
}

static bool tail_byte(struct form_reader *f, char c)
{
    if (c != "\r\n"[f->end_len])
        return bad(f, "something follows the end of the form");
    if (++f->end_len == 2)
        f->state = FORM_OVER;
    return true;
}

static bool start_byte(struct form_reader *f, char c)
{
    if (c != f->mark[f->matched])
        return bad(f, "the form does not begin with the boundary that its content-type names");
    if (++f->matched == f->mark_len)
        f->state = FORM_MARK;
    return true;
}

/* CR stands in the mark only at its beginning: what did not go on as the mark may begin it anew, and nothing else.
 * Returns the bytes used up. */
static size_t data_bytes(struct form_reader *f, const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && f->matched < f->mark_len) {
        if (!f->matched) {
            const char *cr = memchr(p + i, '\r', n - i);
            if (!cr) {
                f->at += n - i;
                return n;
            }
            f->at += (size_t)(cr - (p + i));
            i = (size_t)(cr - p);
        }
        if (p[i] == f->mark[f->matched]) {
            f->matched++;
            i++;
            f->at++;
        } else {
            f->matched = 0;
            if (p[i] != '\r') {
                i++;
                f->at++;
            }
        }
    }
    if (f->matched == f->mark_len) {
        struct form_part *part = &f->parts[f->count - 1];
        part->len = f->at - f->mark_len - part->at;
        f->state = FORM_MARK;
    }
    return i;
}

bool form_feed(struct form_reader *f, struct weir_str bytes)
{
    bool ok = f->state != FORM_BAD;

    for (size_t i = 0; ok && i < bytes.len;) {
        char c = bytes.ptr[i];
        if (f->state == FORM_DATA) {
            i += data_bytes(f, bytes.ptr + i, bytes.len - i);
            continue;
        }
        i++;
        f->at++;
        switch (f->state) {
        case FORM_START:
            ok = start_byte(f, c);
            break;
        case FORM_HEAD:
            ok = head_byte(f, c);
            break;
        case FORM_MARK:
            ok = mark_byte(f, c);
            break;
        case FORM_TAIL:
            ok = tail_byte(f, c);
            break;
        default:
            ok = bad(f, "something follows the end of the form");
        }
    }
    return ok;
}

bool form_end(struct form_reader *f)
{
    if (f->state == FORM_BAD)
        return false;
    if (f->state != FORM_OVER && (f->state != FORM_TAIL || f->end_len))
        return bad(f, "the form breaks off before its last boundary");
    return true;
}

void form_init(struct form_reader *f, struct arena *arena, struct weir_str boundary)
{
    must(boundary.len <= FORM_BOUNDARY_MAX);
    *f = (struct form_reader){.arena = arena, .mark_len = 4 + boundary.len, .matched = 2};
    memcpy(f->mark, "\r\n--", 4);
    if (boundary.len)
        memcpy(f->mark + 4, boundary.ptr, boundary.len);
}

void form_fini(struct form_reader *f)
{
    buf_fini(&f->head);
}
