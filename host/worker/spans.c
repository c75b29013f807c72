/* SPDX-License-Identifier: Apache-2.0 */
/* spans.c -- texts of a request and their edits; see spans.h. */
#include "worker/spans.h"

#include <stdlib.h>
#include <sys/uio.h>

#include "base/json_skim.h"
#include "base/json_text.h"
#include "worker/worker.h"

static struct span *span_push(struct request *r)
{
    if (r->span_count == r->span_cap) {
        size_t cap = r->span_cap ? r->span_cap * 2 : 8;
        struct span *more = arena_alloc(&r->arena, cap * sizeof *more);
        if (r->span_count)
            memcpy(more, r->spans, r->span_count * sizeof *more);
        r->spans = more;
        r->span_cap = cap;
    }
    return &r->spans[r->span_count++];
}

void spans_add(struct request *r, uint32_t node, enum weir_where where, enum weir_form form, uint32_t message,
               uint32_t part)
{
    struct span *s;

    if (!r->has_json || !weir_json_is(&r->json, node, WEIR_JSON_STRING) || r->json.nodes[node].len == 0)
        return;
    s = span_push(r);
    s->pub = (struct weir_span){
        .text = weir_json_text(&r->json, node),
        .where = where,
        .form = form,
        .message = message,
        .part = part,
        .at = r->json.nodes[node].at,
        .len = r->json.nodes[node].len,
    };
    s->raw = true;
    r->text_bytes += s->pub.len;
}

/* ---- JSON inside a JSON string ---- */

/* Walks an escaped string and its value side by side. */
struct aligned {
    const char *raw;
    size_t at, value_at;
};

static void aligned_step(struct aligned *a)
{
    unsigned char c = (unsigned char)a->raw[a->at];

    if (c != '\\') {
        a->at++;
        a->value_at++;
        return;
    }
    if (a->raw[a->at + 1] != 'u') {
        a->at += 2;
        a->value_at++;
        return;
    }
    size_t used = json_escape_length(a->raw + a->at); /* 6, or 12 for a surrogate pair */
    a->at += used;
    a->value_at += json_escape_width(a->raw + a->at - used);
}

static size_t aligned_to(struct aligned *a, size_t value_at)
{
    while (a->value_at < value_at)
        aligned_step(a);
    return a->at;
}

/* One span for each string inside; false when the text is no JSON, and the span stays as it is. */
static bool span_expand(struct request *r, struct span outer)
{
    struct json_limits limits = {64, 65536};
    struct weir_str inner = json_unescape(&r->arena, outer.pub.text);
    struct weir_error error;
    struct weir_json j;
    struct aligned a = {outer.pub.text.ptr, 0, 0};

    if (!json_skim_arena(&r->arena, &r->w->skim, inner, &limits, &j, &error))
        return false;
    for (uint32_t i = 0; i < j.count; i++) {
        const struct weir_node *n = &j.nodes[i];
        if (n->type != WEIR_JSON_STRING || n->len == 0)
            continue;
        struct span *s = span_push(r);
        size_t from = aligned_to(&a, n->at), to = aligned_to(&a, n->at + n->len);
        *s = outer;
        s->pub.text = n->escaped ? json_unescape(&r->arena, weir_json_text(&j, i)) : weir_json_text(&j, i);
        s->pub.at = outer.pub.at + (uint32_t)from;
        s->pub.len = (uint32_t)(to - from);
        s->raw = false;
    }
    return true;
}

static void spans_open(struct request *r)
{
    struct span *declared = r->spans;
    size_t n = r->span_count;

    r->spans_ready = true;
    r->spans = NULL;
    r->span_count = r->span_cap = 0;
    for (size_t i = 0; i < n; i++) {
        if (declared[i].pub.form == WEIR_INNER_JSON && span_expand(r, declared[i]))
            continue;
        struct span *s = span_push(r);
        *s = declared[i];
        s->pub.form = WEIR_PLAIN_TEXT;
        s->pub.text = json_unescape(&r->arena, s->pub.text);
        s->raw = false;
    }
}

const struct span *spans_all(struct request *r, size_t *n)
{
    if (!r->spans_ready)
        spans_open(r);
    *n = r->span_count;
    return r->spans;
}

/* ---- edits ---- */

bool spans_edit(struct request *r, size_t index, size_t from, size_t to, struct weir_str with)
{
    struct span *s;
    char *text;

    if (!r->spans_ready || index >= r->span_count)
        return false;
    s = &r->spans[index];
    if (from > to || to > s->pub.text.len)
        return false;
    text = arena_bytes(&r->arena, s->pub.text.len - (to - from) + with.len);
    memcpy(text, s->pub.text.ptr, from);
    if (with.len)
        memcpy(text + from, with.ptr, with.len);
    memcpy(text + from + with.len, s->pub.text.ptr + to, s->pub.text.len - to);
    s->pub.text = (struct weir_str){text, s->pub.text.len - (to - from) + with.len};
    s->edited = true;
    return true;
}

size_t spans_splices(struct request *r, struct splice **out)
{
    size_t n = 0;

    for (size_t i = 0; i < r->span_count; i++)
        n += r->spans[i].edited;
    if (!n)
        return 0;
    *out = arena_alloc(&r->arena, n * sizeof **out);
    n = 0;
    for (size_t i = 0; i < r->span_count; i++) {
        const struct span *s = &r->spans[i];
        struct buf b = {0};
        if (!s->edited)
            continue;
        if (s->pub.form == WEIR_INNER_JSON)
            json_escape_twice(&b, s->pub.text);
        else
            json_escape(&b, s->pub.text);
        (*out)[n++] = (struct splice){s->pub.at, s->pub.len, arena_copy(&r->arena, buf_view(&b))};
        buf_fini(&b);
    }
    return n;
}

static int splice_order(const void *a, const void *b)
{
    const struct splice *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->len < y->len ? -1 : x->len > y->len; /* an insertion comes before what it stands in front of */
}

bool splices_apply(struct arena *arena, struct weir_str body, struct splice *s, size_t n, struct iovec **out,
                   size_t *pieces, size_t *length)
{
    struct iovec *v = arena_alloc(arena, (2 * n + 1) * sizeof *v);
    size_t at = 0, count = 0, total = 0;

    if (n > 1)
        qsort(s, n, sizeof *s, splice_order);
    for (size_t i = 0; i < n; i++) {
        if (s[i].at < at || s[i].at > body.len || s[i].len > body.len - s[i].at)
            return false;
        if (s[i].at > at)
            v[count++] = (struct iovec){(void *)(uintptr_t)(body.ptr + at), s[i].at - at};
        if (s[i].with.len)
            v[count++] = (struct iovec){(void *)(uintptr_t)s[i].with.ptr, s[i].with.len};
        at = s[i].at + s[i].len;
    }
    if (at < body.len)
        v[count++] = (struct iovec){(void *)(uintptr_t)(body.ptr + at), body.len - at};
    for (size_t i = 0; i < count; i++)
        total += v[i].iov_len;
    *out = v;
    *pieces = count;
    *length = total;
    return true;
}
