/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventstream.c -- fuzzes the reader of AWS event streams.  The first byte seeds the cuts, the second chooses the
 * limit; the rest is the stream.  Since no fuzzer guesses a CRC, a second run has them put right.  However it is cut,
 * held or fed ahead: the same frames and the same verdict, raw bytes that are the stream's, and what was read can be
 * written again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/eventstream.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct trace {
    struct buf records, bytes;
    enum eventstream_result result;
};

static void put_part(struct buf *b, struct weir_str part)
{
    buf_printf(b, "%zu:", part.len);
    buf_str(b, part);
}

static void trace_record(struct trace *t, const struct eventstream_record *r)
{
    struct buf again = {0};

    buf_str(&t->bytes, r->raw);
    put_part(&t->records, r->type);
    put_part(&t->records, r->name);
    put_part(&t->records, r->message);
    put_part(&t->records, r->data);
    eventstream_write(&again, r->headers, r->data);
    must(str_eq(buf_view(&again), r->raw));
    buf_fini(&again);
}

static void trace_drain(struct trace *t, struct eventstream *s)
{
    struct eventstream_record r;

    while ((t->result = eventstream_next(s, &r)) == EVENTSTREAM_RECORD)
        trace_record(t, &r);
}

/* Each piece is memory of its own, which goes away as early as the contract allows. */
static void trace_stream(struct trace *t, struct weir_str text, size_t limit, uint32_t seed)
{
    struct eventstream s = {.limit = limit};
    struct eventstream_record r;

    for (size_t at = 0; at < text.len;) {
        size_t n = seed ? (seed = seed * 1103515245u + 12345u) / 65536 % 24 : text.len;
        n = n < text.len - at ? n : text.len - at;
        char *piece = malloc(n + 1);
        must(piece != NULL);
        memcpy(piece, text.ptr + at, n);
        eventstream_feed(&s, (struct weir_str){piece, n});
        if (seed & 0x100000)
            eventstream_hold(&s);
        if (!(seed & 0x100000 && seed & 0x200000))
            trace_drain(t, &s);
        free(piece);
        at += n;
    }
    trace_drain(t, &s);
    must(!eventstream_end(&s, &r));
    eventstream_fini(&s);
}

static void check(struct weir_str text, size_t limit, uint32_t seed)
{
    struct trace whole = {0}, cut = {0};

    trace_stream(&whole, text, limit, 0);
    trace_stream(&cut, text, limit, seed);
    must(whole.result == cut.result && str_eq(buf_view(&whole.records), buf_view(&cut.records)));
    must(whole.bytes.len <= text.len && str_eq(buf_view(&whole.bytes), str_sub(text, 0, whole.bytes.len)));
    must(str_eq(buf_view(&cut.bytes), buf_view(&whole.bytes)));
    buf_fini(&whole.records);
    buf_fini(&whole.bytes);
    buf_fini(&cut.records);
    buf_fini(&cut.bytes);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_crc(uint8_t *p, uint32_t crc)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Puts the CRCs of all frames right, as far as their lengths make sense. */
static void mend(uint8_t *p, size_t n)
{
    while (n >= 16) {
        uint32_t total = be32(p);
        put_crc(p + 8, crc32_ieee(0, p, 8));
        if (total < 16 || total > n)
            return;
        put_crc(p + total - 4, crc32_ieee(0, p, total - 4));
        p += total;
        n -= total;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    if (size < 2)
        return 0;
    check((struct weir_str){(const char *)data + 2, size - 2}, data[1], data[0] + 1u);
    copy = malloc(size);
    must(copy != NULL);
    memcpy(copy, data, size);
    mend(copy + 2, size - 2);
    check((struct weir_str){(const char *)copy + 2, size - 2}, SIZE_MAX, data[0] + 1u);
    check((struct weir_str){(const char *)copy + 2, size - 2}, data[1], data[0] + 1u);
    free(copy);
    return 0;
}
