/* SPDX-License-Identifier: Apache-2.0 */
/* sse_test.c -- records of event streams, the same for every way in which a stream may be cut. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/sse.h"

/* Names and data of all records that have any, as "name=data;" in one line, and every raw byte. */
struct trace {
    struct buf line, bytes;
    enum sse_result result;
};

static void trace_record(struct trace *t, const struct sse_record *r)
{
    buf_str(&t->bytes, r->raw);
    if (!r->name.len && !r->data.len)
        return;
    buf_str(&t->line, r->name);
    buf_char(&t->line, '=');
    buf_str(&t->line, r->data);
    buf_char(&t->line, ';');
}

static void trace_piece(struct trace *t, struct sse *s, const char *p, size_t n, bool hold)
{
    char *copy = malloc(n ? n : 1);
    struct sse_record r;

    memcpy(copy, p, n);
    sse_feed(s, (struct weir_str){copy, n});
    if (hold) {
        sse_hold(s);
        free(copy);
        copy = NULL;
    }
    while ((t->result = sse_next(s, &r)) == SSE_RECORD)
        trace_record(t, &r);
    free(copy);
}

/* `kind` & 1: sse_hold() after each piece; & 2: all pieces are fed before the first is read. */
static void check_cuts(struct weir_str text, const char *want, const size_t *cuts, size_t n, int kind)
{
    struct sse s = {.limit = 1000};
    struct trace t = {0};
    struct sse_record r;
    size_t at = 0;

    for (size_t i = 0; i <= n; i++) {
        size_t to = i < n ? cuts[i] : text.len;
        if (kind & 2)
            sse_feed(&s, str_sub(text, at, to));
        else
            trace_piece(&t, &s, text.ptr + at, to - at, kind & 1);
        at = to;
    }
    while (sse_next(&s, &r) == SSE_RECORD)
        trace_record(&t, &r);
    if (sse_end(&s, &r))
        trace_record(&t, &r);
    ck_assert(!sse_end(&s, &r));
    ck_assert_msg(str_eq(buf_view(&t.bytes), text), "cut at %zu of %zu: raw bytes differ", n ? cuts[0] : 0, text.len);
    ck_assert_msg(str_is(buf_view(&t.line), want), "cut at %zu: %.*s, not %s", n ? cuts[0] : 0, (int)t.line.len,
                  t.line.ptr, want);
    buf_fini(&t.line);
    buf_fini(&t.bytes);
    sse_fini(&s);
}

/* Whole, with one cut, with two cuts, and byte by byte. */
static void check_stream(struct weir_str text, const char *want)
{
    size_t cuts[256];

    for (int kind = 0; kind < 3; kind++) {
        check_cuts(text, want, cuts, 0, kind);
        for (cuts[0] = 0; cuts[0] <= text.len; cuts[0]++) {
            check_cuts(text, want, cuts, 1, kind);
            for (cuts[1] = cuts[0]; cuts[1] <= text.len; cuts[1]++)
                check_cuts(text, want, cuts, 2, kind);
        }
        ck_assert_uint_lt(text.len, 256);
        for (size_t i = 0; i < text.len; i++)
            cuts[i] = i + 1;
        check_cuts(text, want, cuts, text.len ? text.len - 1 : 0, kind);
    }
}

START_TEST(line_ends)
{
    check_stream(WEIR_STR("data: a\n\ndata: b\n\n"), "=a;=b;");
    check_stream(WEIR_STR("data: a\r\n\r\ndata: b\r\n\r\n"), "=a;=b;");
    check_stream(WEIR_STR("data: a\r\rdata: b\r\r"), "=a;=b;");
    check_stream(WEIR_STR("data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\rdata: e\r\r\n"), "=a;=b;=c;=d;=e;");
    check_stream(WEIR_STR("data: a\rdata: b\ndata: c\r\ndata: d\n\n"), "=a\nb\nc\nd;");
    check_stream(WEIR_STR("\n\r\n\rdata: a\n\n\r\n"), "=a;");
}
END_TEST

START_TEST(fields)
{
    check_stream(WEIR_STR("event: ping\ndata: {}\n\n"), "ping={};");
    check_stream(WEIR_STR("event:x\ndata:y\n\n"), "x=y;");
    check_stream(WEIR_STR("data:  two\n\ndata:\n\ndata\n\n"), "= two;");
    check_stream(WEIR_STR("event: a\nevent: b\ndata: c:d: e\n\n"), "b=c:d: e;");
    check_stream(WEIR_STR(": comment\n\n:\n\n: x\ndata: y\n: z\n\n"), "=y;");
    check_stream(WEIR_STR("id: 7\nretry: 10\nfoo: bar\ndata: y\nDATA: z\n data: w\n\n"), "=y;");
    check_stream(WEIR_STR("data\ndata: x\ndata\n\n"), "=\nx\n;");
    check_stream(WEIR_STR("event: only\n\n"), "only=;");
    check_stream(WEIR_STR("event: a\n\ndata: b\n\n"), "a=;=b;");
}
END_TEST

START_TEST(byte_order_mark)
{
    check_stream(WEIR_STR("\xEF\xBB\xBF"
                          "data: a\n\n"),
                 "=a;");
    check_stream(WEIR_STR("\xEF\xBB\xBF\ndata: a\n\n"), "=a;");
    check_stream(WEIR_STR("\xEF\xBB"
                          "data: a\n\ndata: b\n\n"),
                 "=b;");
    check_stream(WEIR_STR("data: a\n\n\xEF\xBB\xBF"
                          "data: b\n\n"),
                 "=a;");
    check_stream(WEIR_STR("\xEF\xBB\xBF\xEF\xBB\xBF"
                          "data: a\n\n"),
                 "");
    check_stream(WEIR_STR("\xEF\xBB"), "");
    check_stream(WEIR_STR("\xEF\n\ndata: a\n\n"), "=a;");
}
END_TEST

/* A stream that ends without its last empty line, or in the middle of a line. */
START_TEST(ends)
{
    check_stream(WEIR_STR("data: a\n\ndata: [DONE]\n"), "=a;=[DONE];");
    check_stream(WEIR_STR("data: a\n\ndata: [DONE]"), "=a;=[DONE];");
    check_stream(WEIR_STR("data: a\r\n\r\ndata: b\r\n"), "=a;=b;");
    check_stream(WEIR_STR("data: a\n\ndata: b\ndata: c"), "=a;=b\nc;");
    check_stream(WEIR_STR(""), "");
    check_stream(WEIR_STR("\n"), "");
    check_stream(WEIR_STR("data: a\r\r"), "=a;");
}
END_TEST

/* What the vendors send: providers' sheet, section 2.5. */
START_TEST(vendors)
{
    check_stream(WEIR_STR("data: {\"c\":[{\"d\":\"caf\xC3\xA9\"}]}\n\ndata: [DONE]\n\n"),
                 "={\"c\":[{\"d\":\"caf\xC3\xA9\"}]};=[DONE];");
    check_stream(WEIR_STR("event: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n"), "ping={\"type\": \"ping\"};");
    check_stream(WEIR_STR(": OPENROUTER PROCESSING\n\ndata: {}\n\n"), "={};");
}
END_TEST

/* A record in one piece is where it was fed; one that was cut is a copy. */
START_TEST(not_copied)
{
    struct weir_str text = WEIR_STR("event: e\r\ndata: abc\r\n\r\ndata: d\n\n");
    struct sse s = {.limit = 100};
    struct sse_record r;

    sse_feed(&s, text);
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert_ptr_eq(r.raw.ptr, text.ptr);
    ck_assert_uint_eq(r.raw.len, 23);
    ck_assert_ptr_eq(r.name.ptr, text.ptr + 7);
    ck_assert_ptr_eq(r.data.ptr, text.ptr + 16);
    ck_assert_uint_eq(r.data.len, 3);
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert_ptr_eq(r.raw.ptr, text.ptr + 23);
    ck_assert_int_eq(sse_next(&s, &r), SSE_MORE);
    ck_assert_ptr_null(s.rest.ptr);
    sse_fini(&s);
    ck_assert_uint_eq(s.limit, 100);
}
END_TEST

/* CR ends a record at once: a server that waits then is not waited for. */
START_TEST(cr_does_not_wait)
{
    struct sse s = {.limit = 100};
    struct sse_record r;

    sse_feed(&s, WEIR_STR("data: a\r\n\r"));
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert(str_is(r.raw, "data: a\r\n\r"));
    ck_assert_int_eq(sse_next(&s, &r), SSE_MORE);
    sse_feed(&s, WEIR_STR("\ndata: b\r\n\r\n"));
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert(str_is(r.raw, "\ndata: b\r\n\r\n"));
    ck_assert(str_is(r.data, "b"));
    sse_fini(&s);
}
END_TEST

/* Exactly the limit passes and one byte more does not, however it is cut; nothing comes after that. */
START_TEST(record_limit)
{
    static const char *const forms[] = {"data: 12\n\n", "data: 123\r\r", "data: 1\r\n\r\n", "data: 1234567890"};

    for (size_t f = 0; f < 4; f++) {
        struct weir_str text = str_of(forms[f]);
        size_t size = text.len - (text.ptr[text.len - 2] == '\r' && text.ptr[text.len - 1] == '\n');
        for (size_t cut = 0; cut <= text.len; cut++)
            for (size_t limit = size - 1; limit <= size; limit++) {
                struct sse s = {.limit = limit};
                struct trace t = {0};
                trace_piece(&t, &s, ": \n\n", 4, false);
                trace_piece(&t, &s, text.ptr, cut, false);
                if (t.result != SSE_TOO_LARGE)
                    trace_piece(&t, &s, text.ptr + cut, text.len - cut, false);
                ck_assert_int_eq(t.result, limit == size ? SSE_MORE : SSE_TOO_LARGE);
                if (limit < size) {
                    ck_assert_uint_eq(t.line.len, 0);
                    trace_piece(&t, &s, "\n\n\n", 3, false);
                    ck_assert_int_eq(t.result, SSE_TOO_LARGE);
                    ck_assert_uint_eq(t.line.len, 0);
                }
                buf_fini(&t.line);
                buf_fini(&t.bytes);
                sse_fini(&s);
            }
    }
}
END_TEST

/* Of CRLF cut in two the LF counts for nobody; a BOM that is none is a line, so that the empty line comes later. */
START_TEST(leads)
{
    struct sse s = {.limit = 10};
    struct sse_record r;

    sse_feed(&s, WEIR_STR(": \r\r"));
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert_int_eq(sse_next(&s, &r), SSE_MORE);
    sse_feed(&s, WEIR_STR("\ndata: 12\n\n"));
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert(str_is(r.raw, "\ndata: 12\n\n"));
    sse_fini(&s);
    sse_feed(&s, WEIR_STR("\xEF\xBB\n: a\n\n"));
    ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
    ck_assert(str_is(r.raw, "\xEF\xBB\n: a\n\n"));
    sse_fini(&s);
}
END_TEST

/* A stream that is read as fast as it comes, but always one record behind, costs no memory that grows. */
START_TEST(held_stays_small)
{
    struct sse s = {.limit = 100};
    struct sse_record r;

    sse_feed(&s, WEIR_STR("data: 0123456789\n\n"));
    for (int i = 0; i < 10000; i++) {
        sse_feed(&s, WEIR_STR("data: 0123456789\n\n"));
        ck_assert_int_eq(sse_next(&s, &r), SSE_RECORD);
        ck_assert(str_is(r.data, "0123456789"));
    }
    ck_assert_uint_le(s.held.cap, 256);
    sse_fini(&s);
}
END_TEST

START_TEST(written)
{
    static const struct {
        const char *name, *data, *want;
    } rows[] = {
        {"", "x", "data: x\n\n"},
        {"ping", "{}", "event: ping\ndata: {}\n\n"},
        {"", "a\nb", "data: a\ndata: b\n\n"},
        {"", "a\r\nb\rc\n", "data: a\ndata: b\ndata: c\ndata: \n\n"},
        {"", "", "data: \n\n"},
        {"two\nlines", "x", "event: two\ndata: x\n\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = {0};
        sse_write(&b, str_of(rows[i].name), str_of(rows[i].data));
        ck_assert_msg(str_is(buf_view(&b), rows[i].want), "%.*s", (int)b.len, b.ptr);
        buf_fini(&b);
    }
    struct buf b = {0};
    sse_write(&b, (struct weir_str){0}, (struct weir_str){0});
    ck_assert(str_is(buf_view(&b), "data: \n\n"));
    buf_fini(&b);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("sse");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, line_ends);
    tcase_add_test(t, fields);
    tcase_add_test(t, byte_order_mark);
    tcase_add_test(t, ends);
    tcase_add_test(t, vendors);
    tcase_add_test(t, not_copied);
    tcase_add_test(t, cr_does_not_wait);
    tcase_add_test(t, record_limit);
    tcase_add_test(t, leads);
    tcase_add_test(t, held_stays_small);
    tcase_add_test(t, written);
    suite_add_tcase(s, t);
    return s;
}
