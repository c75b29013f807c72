/* SPDX-License-Identifier: Apache-2.0 */
/* sse.c -- finds where records end, then reads their lines; see sse.h. */
#include "base/sse.h"

#include <string.h>

void sse_fini(struct sse *s)
{
    buf_fini(&s->rest);
    buf_fini(&s->joined);
    buf_fini(&s->held);
    *s = (struct sse){.limit = s->limit};
}

/* ---- what is fed ---- */

static bool fed_is_held(const struct sse *s)
{
    return s->held.len && s->fed.ptr + s->fed.len == s->held.ptr + s->held.len;
}

void sse_hold(struct sse *s)
{
    if (!s->fed.len || fed_is_held(s))
        return;
    s->held.len = 0;
    buf_str(&s->held, s->fed);
    s->fed = buf_view(&s->held);
}

void sse_feed(struct sse *s, struct weir_str bytes)
{
    size_t left = s->fed.len;

    if (s->failed) /* what was fed then may have gone */
        return;
    if (!left) {
        s->held.len = 0;
        s->fed = bytes;
        return;
    }
    sse_hold(s);
    if (left <= s->held.len / 2) /* so that a byte is moved only once or twice, however it comes in */
        buf_cut(&s->held, s->held.len - left);
    buf_str(&s->held, bytes);
    left += bytes.len;
    s->fed = (struct weir_str){s->held.ptr + s->held.len - left, left};
}

/* ---- lines ---- */

/* Where the first CR or LF in [p, end) stands, or `end`.  In steps, since a search for an LF that is far away would be
 * paid again for every CR before it. */
static const char *line_end(const char *p, const char *end)
{
    while (p < end) {
        size_t n = end - p < 512 ? (size_t)(end - p) : 512;
        const char *lf = memchr(p, '\n', n);
        const char *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : n);
        if (cr || lf)
            return cr ? cr : lf;
        p += n;
    }
    return end;
}

/* Skips what may stand before the first line of a record: a BOM at the very beginning, an LF whose CR ended the last
 * one. */
static const char *lead_skip(struct sse *s, const char *p, const char *end)
{
    static const char bom[] = "\xEF\xBB\xBF";

    while (!s->started && p < end) {
        if (*p != bom[s->bom]) {
            s->started = true;
            s->in_line = s->bom > 0;
        } else {
            p++;
            if (++s->bom == 3) {
                s->started = true;
                s->lead = 3;
            }
        }
    }
    return p;
}

/* Behind the empty line that ends the record which goes on at `p`; NULL when there is none up to `end`. */
static const char *record_end(struct sse *s, const char *p, const char *end)
{
    bool fresh = !s->rest.len;
    const char *from = p;

    p = lead_skip(s, p, end);
    while (p < end) {
        if (s->after_cr && *p == '\n') {
            s->lead = fresh && p == from ? 1 : s->lead;
            p++;
        }
        s->after_cr = false;
        const char *e = line_end(p, end);
        bool empty = e == p && !s->in_line;
        s->in_line = e == end && (s->in_line || e > p);
        if (e == end)
            return NULL;
        s->after_cr = *e == '\r';
        p = e + 1;
        if (empty)
            return p;
    }
    return NULL;
}

/* ---- records ---- */

static void data_add(struct sse *s, struct sse_record *r, size_t lines, struct weir_str value)
{
    if (lines == 0) {
        r->data = value;
        return;
    }
    if (lines == 1) {
        s->joined.len = 0;
        buf_str(&s->joined, r->data);
    }
    buf_char(&s->joined, '\n');
    buf_str(&s->joined, value);
    r->data = buf_view(&s->joined);
}

static void record_read(struct sse *s, struct sse_record *r, struct weir_str raw)
{
    const char *p = raw.ptr + s->lead, *end = raw.ptr + raw.len;
    size_t lines = 0;

    *r = (struct sse_record){.raw = raw};
    while (p < end) {
        const char *e = line_end(p, end), *colon = memchr(p, ':', (size_t)(e - p));
        struct weir_str field = {p, (size_t)((colon ? colon : e) - p)}, value = {e, 0};
        if (colon) {
            value.ptr = colon + 1 + (colon + 1 < e && colon[1] == ' ');
            value.len = (size_t)(e - value.ptr);
        }
        if (str_is(field, "data"))
            data_add(s, r, lines++, value);
        else if (str_is(field, "event"))
            r->name = value;
        p = e + (e < end);
        if (e < end && *e == '\r' && p < end && *p == '\n')
            p++;
    }
}

static void rest_drop(struct sse *s)
{
    if (s->spent) {
        s->rest.len = 0;
        s->spent = false;
    }
}

/* The record that ends with the first `n` bytes of what was fed. */
static void record_give(struct sse *s, struct sse_record *r, size_t n)
{
    struct weir_str raw = {s->fed.ptr, n};

    if (s->rest.len) {
        buf_put(&s->rest, s->fed.ptr, n);
        raw = buf_view(&s->rest);
        s->spent = true;
    }
    s->fed.ptr += n;
    s->fed.len -= n;
    record_read(s, r, raw);
    s->lead = 0;
}

static enum sse_result too_large(struct sse *s)
{
    s->failed = true;
    s->fed = (struct weir_str){0};
    return SSE_TOO_LARGE;
}

/* The limit does not count an LF that belongs to a CR before it: whether it is in this record or in the next depends on
 * how the stream was cut. */
enum sse_result sse_next(struct sse *s, struct sse_record *r)
{
    const char *end, *p;
    size_t n;

    if (s->failed)
        return SSE_TOO_LARGE;
    rest_drop(s);
    if (!s->fed.len)
        return SSE_MORE;
    end = s->fed.ptr + s->fed.len;
    p = record_end(s, s->fed.ptr, end);
    n = (size_t)((p ? p : end) - s->fed.ptr);
    if (s->rest.len + n - (s->lead == 1) > s->limit)
        return too_large(s);
    if (p) {
        if (s->after_cr && p < end && *p == '\n') {
            s->after_cr = false;
            n++;
        }
        record_give(s, r, n);
        return SSE_RECORD;
    }
    buf_put(&s->rest, s->fed.ptr, n);
    s->fed = (struct weir_str){0};
    return SSE_MORE;
}

bool sse_end(struct sse *s, struct sse_record *r)
{
    if (sse_next(s, r) == SSE_RECORD)
        return true;
    if (s->failed || !s->rest.len)
        return false;
    record_read(s, r, buf_view(&s->rest));
    s->spent = true;
    return true;
}

/* ---- writing ---- */

/* The first line of `s`, which is moved on behind it: to NULL when it was the last. */
static struct weir_str line_take(struct weir_str *s)
{
    struct weir_str line = *s;
    const char *end, *e;

    if (!s->len) {
        *s = (struct weir_str){0};
        return line;
    }
    end = s->ptr + s->len;
    e = line_end(s->ptr, end);
    line.len = (size_t)(e - s->ptr);
    if (e < end && *e == '\r' && e + 1 < end && e[1] == '\n')
        e++;
    *s = e < end ? (struct weir_str){e + 1, (size_t)(end - e - 1)} : (struct weir_str){0};
    return line;
}

void sse_write(struct buf *b, struct weir_str name, struct weir_str data)
{
    bool more;

    if (name.len) {
        buf_lit(b, "event: ");
        buf_str(b, line_take(&name));
        buf_char(b, '\n');
    }
    do {
        struct weir_str line = line_take(&data);
        more = data.ptr != NULL;
        buf_lit(b, "data: ");
        buf_str(b, line);
        buf_char(b, '\n');
    } while (more);
    buf_char(b, '\n');
}
