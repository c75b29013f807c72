/* SPDX-License-Identifier: Apache-2.0 */
/* edited.c -- see edited.h. */
#include "edited.h"

/* The text of a span as it stood in the client's body. */
static struct weir_str span_was(struct weir_ctx *c, const struct weir_json *j, const struct weir_span *s)
{
    struct weir_str text = {j->text.ptr + s->at, s->len}, raw = weir_unescape(c, text);

    return s->form == WEIR_INNER_JSON ? weir_unescape(c, raw) : raw;
}

static struct weir_str span_now(struct weir_ctx *c, const struct weir_span *s)
{
    struct text once = {.c = c}, twice = {.c = c};

    text_json(&once, s->text);
    if (s->form != WEIR_INNER_JSON)
        return text_view(&once);
    text_json(&twice, text_view(&once));
    return text_view(&twice);
}

/* Spans stand in the order of the body, or nearly: what is out of order is put right here. */
static void edit_add(struct edit *edits, size_t n, struct edit e)
{
    while (n && edits[n - 1].at > e.at) {
        edits[n] = edits[n - 1];
        n--;
    }
    edits[n] = e;
}

struct weir_str edited_body(struct weir_ctx *c, const struct weir_json *j, const struct edit *more, size_t more_count)
{
    struct text t = {.c = c};
    struct edit *edits;
    size_t n, count = 0, at = 0;
    const struct weir_span *first = weir_spans(c, &n);

    if (!n && !more_count)
        return j->text;
    edits = weir_alloc(c, (n + more_count) * sizeof *edits);
    for (size_t i = 0; i < more_count; i++)
        edit_add(edits, count++, more[i]);
    for (size_t i = 0; i < n; i++) {
        const struct weir_span *s = weir_at(first, c->host->span_size, i);
        if (!str_eq(span_was(c, j, s), s->text))
            edit_add(edits, count++, (struct edit){s->at, s->len, span_now(c, s)});
    }
    if (!count)
        return j->text;
    for (size_t i = 0; i < count; i++) {
        if (edits[i].at < at) /* inside of what has gone */
            continue;
        text_put(&t, j->text.ptr + at, edits[i].at - at);
        text_str(&t, edits[i].with);
        at = (size_t)edits[i].at + edits[i].len;
    }
    text_put(&t, j->text.ptr + at, j->text.len - at);
    return text_view(&t);
}
