/* SPDX-License-Identifier: Apache-2.0 */
/* eventstream.c -- frames by their length, then their headers; see eventstream.h. */
#include "base/eventstream.h"

#include "base/crc32.h"
#include "base/must.h"

enum { PRELUDE = 12, CRC = 4, LEAST = PRELUDE + CRC, MOST_HEADERS = 128 << 10 };

void eventstream_fini(struct eventstream *s)
{
    buf_fini(&s->rest);
    buf_fini(&s->held);
    *s = (struct eventstream){.limit = s->limit};
}

static uint32_t be32(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static uint32_t be16(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;

    return (uint32_t)u[0] << 8 | u[1];
}

/* ---- what is fed: as in sse.c ---- */

static bool fed_is_held(const struct eventstream *s)
{
    return s->held.len && s->fed.ptr + s->fed.len == s->held.ptr + s->held.len;
}

void eventstream_hold(struct eventstream *s)
{
    if (!s->fed.len || fed_is_held(s))
        return;
    s->held.len = 0;
    buf_str(&s->held, s->fed);
    s->fed = buf_view(&s->held);
}

void eventstream_feed(struct eventstream *s, struct weir_str bytes)
{
    size_t left = s->fed.len;

    if (s->failed)
        return;
    if (!left) {
        s->held.len = 0;
        s->fed = bytes;
        return;
    }
    eventstream_hold(s);
    if (left <= s->held.len / 2) /* so that a byte is moved only once or twice, however it comes in */
        buf_cut(&s->held, s->held.len - left);
    buf_str(&s->held, bytes);
    left += bytes.len;
    s->fed = (struct weir_str){s->held.ptr + s->held.len - left, left};
}

/* Fills `rest` up to `n` bytes; false: what was fed is used up before. */
static bool rest_fill(struct eventstream *s, size_t n)
{
    size_t take = n > s->rest.len ? n - s->rest.len : 0;

    if (take > s->fed.len)
        take = s->fed.len;
    if (take) {
        buf_put(&s->rest, s->fed.ptr, take);
        s->fed = str_sub(s->fed, take, s->fed.len);
    }
    if (s->rest.len >= n)
        return true;
    s->fed = (struct weir_str){0};
    return false;
}

static enum eventstream_result fail(struct eventstream *s, enum eventstream_result why)
{
    s->failed = why;
    s->fed = (struct weir_str){0};
    return why;
}

/* ---- headers ---- */

/* Bytes of a value by its type; -1: its length stands before it. */
static const int8_t value_sizes[] = {0, 0, 1, 2, 4, 8, -1, -1, 8, 16};
enum { STRING = 7 };

/* Takes the first header off `block`.  `value` of what is no string is "".  false: it makes no sense. */
static bool header_take(struct weir_str *block, struct weir_str *name, struct weir_str *value)
{
    size_t at = 1 + (size_t)(uint8_t)block->ptr[0], size;
    uint8_t type;

    if (at == 1 || at >= block->len)
        return false;
    *name = str_sub(*block, 1, at);
    type = (uint8_t)block->ptr[at++];
    if (type >= sizeof value_sizes)
        return false;
    if (value_sizes[type] >= 0) {
        size = (size_t)value_sizes[type];
    } else {
        if (block->len - at < 2)
            return false;
        size = be16(block->ptr + at);
        at += 2;
    }
    if (block->len - at < size)
        return false;
    *value = type == STRING ? str_sub(*block, at, at + size) : WEIR_STR("");
    *block = str_sub(*block, at + size, block->len);
    return true;
}

static bool headers_read(struct eventstream_record *r)
{
    struct weir_str event = {0}, exception = {0}, code = {0}, block = r->headers, name, value;

    while (block.len) {
        if (!header_take(&block, &name, &value))
            return false;
        if (str_is(name, ":message-type"))
            r->type = value;
        else if (str_is(name, ":event-type"))
            event = value;
        else if (str_is(name, ":exception-type"))
            exception = value;
        else if (str_is(name, ":error-code"))
            code = value;
        else if (str_is(name, ":error-message"))
            r->message = value;
    }
    r->name = str_is(r->type, "exception") ? exception : str_is(r->type, "error") ? code : event;
    return true;
}

/* ---- frames ---- */

/* The length of the frame that begins with these PRELUDE bytes; 0: the stream has failed. */
static size_t prelude_read(struct eventstream *s, const char *p)
{
    uint32_t total = be32(p), headers = be32(p + 4);

    if (crc32_ieee(0, p, 8) != be32(p + 8) || total < LEAST || headers > total - LEAST || headers > MOST_HEADERS)
        return fail(s, EVENTSTREAM_BROKEN), 0;
    if (total > s->limit)
        return fail(s, EVENTSTREAM_TOO_LARGE), 0;
    return total;
}

static enum eventstream_result record_read(struct eventstream *s, struct eventstream_record *r, struct weir_str raw)
{
    size_t data = PRELUDE + be32(raw.ptr + 4), crc = raw.len - CRC;

    *r = (struct eventstream_record){
        .raw = raw, .headers = str_sub(raw, PRELUDE, data), .data = str_sub(raw, data, crc)};
    if (crc32_ieee(0, raw.ptr, crc) != be32(raw.ptr + crc) || !headers_read(r))
        return fail(s, EVENTSTREAM_BROKEN);
    return EVENTSTREAM_RECORD;
}

enum eventstream_result eventstream_next(struct eventstream *s, struct eventstream_record *r)
{
    size_t total;

    if (s->failed)
        return s->failed;
    if (s->spent)
        s->rest.len = 0;
    s->spent = false;
    if (!s->rest.len && s->fed.len >= PRELUDE) {
        total = prelude_read(s, s->fed.ptr);
        if (!total)
            return s->failed;
        if (s->fed.len >= total) {
            struct weir_str raw = str_sub(s->fed, 0, total);
            s->fed = str_sub(s->fed, total, s->fed.len);
            return record_read(s, r, raw);
        }
    }
    if (!rest_fill(s, PRELUDE))
        return EVENTSTREAM_MORE;
    total = prelude_read(s, s->rest.ptr);
    if (!total)
        return s->failed;
    if (!rest_fill(s, total))
        return EVENTSTREAM_MORE;
    s->spent = true;
    return record_read(s, r, buf_view(&s->rest));
}

bool eventstream_end(struct eventstream *s, struct eventstream_record *r)
{
    return eventstream_next(s, r) == EVENTSTREAM_RECORD;
}

/* ---- writing ---- */

static void put_be(struct buf *b, uint32_t v, unsigned bytes)
{
    while (bytes--)
        buf_char(b, (char)(v >> 8 * bytes));
}

void eventstream_header(struct buf *headers, struct weir_str name, struct weir_str value)
{
    must(name.len >= 1 && name.len <= UINT8_MAX && value.len <= UINT16_MAX);
    buf_char(headers, (char)name.len);
    buf_str(headers, name);
    buf_char(headers, STRING);
    put_be(headers, (uint32_t)value.len, 2);
    buf_str(headers, value);
}

void eventstream_write(struct buf *b, struct weir_str headers, struct weir_str data)
{
    size_t from = b->len, total = LEAST + headers.len + data.len;

    must(headers.len <= MOST_HEADERS && total <= UINT32_MAX);
    put_be(b, (uint32_t)total, 4);
    put_be(b, (uint32_t)headers.len, 4);
    put_be(b, crc32_ieee(0, b->ptr + from, 8), 4);
    buf_str(b, headers);
    buf_str(b, data);
    put_be(b, crc32_ieee(0, b->ptr + from, b->len - from), 4);
}
