/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.c -- fuzzes the reader of event streams.  The first byte seeds the cuts, the second chooses the limit; the rest
 * is the stream.  However it is cut, held or fed ahead: the same names and data in the same order, the same verdict on
 * the limit, and the raw bytes of all records are the stream.  A plain reader, line by line, says what the records are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct trace {
    struct buf records, bytes;
    bool too_large;
};

static void trace_fini(struct trace *t)
{
    buf_fini(&t->records);
    buf_fini(&t->bytes);
}

/* Lengths before the bytes, so that nothing in them can be taken for something else. */
static void put_event(struct buf *b, struct weir_str name, struct weir_str data)
{
    if (name.len || data.len) {
        buf_printf(b, "%zu,%zu:", name.len, data.len);
        buf_str(b, name);
        buf_str(b, data);
    }
}

static void trace_record(struct trace *t, const struct sse_record *r)
{
    buf_str(&t->bytes, r->raw);
    put_event(&t->records, r->name, r->data);
}

static void trace_drain(struct trace *t, struct sse *s)
{
    enum sse_result result;
    struct sse_record r;

    while ((result = sse_next(s, &r)) == SSE_RECORD)
        trace_record(t, &r);
    t->too_large = result == SSE_TOO_LARGE;
}

/* Each piece is memory of its own, which goes away as early as the contract allows. */
static void trace_stream(struct trace *t, struct weir_str text, size_t limit, uint32_t seed)
{
    struct sse s = {.limit = limit};
    struct sse_record r;

    for (size_t at = 0; at < text.len && !t->too_large;) {
        size_t n = seed ? (seed = seed * 1103515245u + 12345u) / 65536 % 12 : text.len;
        n = n < text.len - at ? n : text.len - at;
        char *piece = malloc(n + 1);
        must(piece != NULL);
        memcpy(piece, text.ptr + at, n);
        sse_feed(&s, (struct weir_str){piece, n});
        if (seed & 0x100000)
            sse_hold(&s);
        if (seed & 0x100000 && seed & 0x200000) {
            free(piece);
        } else {
            trace_drain(t, &s);
            free(piece);
        }
        at += n;
    }
    trace_drain(t, &s);
    while (sse_end(&s, &r))
        trace_record(t, &r);
    sse_fini(&s);
}

/* ---- the plain reader: the whole stream at once, as the standard says it ---- */

struct plain {
    struct buf name, data;
    size_t data_lines;
};

static void plain_line(struct plain *p, struct weir_str line)
{
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    struct weir_str field = line, value = {0};

    if (colon) {
        field.len = (size_t)(colon - line.ptr);
        value = str_sub(line, field.len + 1, line.len);
        if (value.len && value.ptr[0] == ' ')
            value = str_sub(value, 1, value.len);
    }
    if (str_is(field, "data")) {
        if (p->data_lines++)
            buf_char(&p->data, '\n');
        buf_str(&p->data, value);
    } else if (str_is(field, "event")) {
        p->name.len = 0;
        buf_str(&p->name, value);
    }
}

static void plain_event(struct plain *p, struct buf *out)
{
    put_event(out, buf_view(&p->name), buf_view(&p->data));
    p->name.len = p->data.len = p->data_lines = 0;
}

static void plain_read(struct buf *out, struct weir_str text)
{
    size_t i = text.len >= 3 && memcmp(text.ptr, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    struct plain p = {0};

    while (i < text.len) {
        size_t from = i;
        while (i < text.len && text.ptr[i] != '\n' && text.ptr[i] != '\r')
            i++;
        if (i == from)
            plain_event(&p, out);
        else
            plain_line(&p, str_sub(text, from, i));
        i += text.len - i >= 2 && text.ptr[i] == '\r' && text.ptr[i + 1] == '\n' ? 2 : 1;
    }
    plain_event(&p, out);
    buf_fini(&p.name);
    buf_fini(&p.data);
}

/* What sse_write() writes is one record with this name and data. */
static void check_written(struct weir_str name, struct weir_str data)
{
    struct buf text = {0};
    struct sse s = {.limit = SIZE_MAX};
    struct sse_record r;

    if (memchr(name.ptr, '\n', name.len) || memchr(name.ptr, '\r', name.len) || memchr(data.ptr, '\r', data.len))
        return;
    sse_write(&text, name, data);
    sse_feed(&s, buf_view(&text));
    must(sse_next(&s, &r) == SSE_RECORD && str_eq(r.name, name) && str_eq(r.data, data) && r.raw.len == text.len);
    must(sse_next(&s, &r) == SSE_MORE && !sse_end(&s, &r));
    sse_fini(&s);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace whole = {0}, cut = {0}, any = {0};
    struct weir_str text;
    struct buf plain = {0};

    if (size < 2)
        return 0;
    text = (struct weir_str){(const char *)data + 2, size - 2};
    trace_stream(&any, text, SIZE_MAX, data[0] + 1u);
    plain_read(&plain, text);
    must(str_eq(buf_view(&any.bytes), text) && str_eq(buf_view(&any.records), buf_view(&plain)));
    trace_stream(&whole, text, data[1], 0);
    trace_stream(&cut, text, data[1], data[0] + 1u);
    must(whole.too_large == cut.too_large && str_eq(buf_view(&whole.records), buf_view(&cut.records)));
    must(whole.too_large || str_eq(buf_view(&whole.bytes), text));
    check_written(str_sub(text, 0, text.len / 4), str_sub(text, text.len / 4, text.len));
    trace_fini(&whole);
    trace_fini(&cut);
    trace_fini(&any);
    buf_fini(&plain);
    return 0;
}
