/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventstream_test.c -- frames of AWS event streams, the same for every way in which a stream may be cut.  The first
 * nine are the vectors that AWS gives to makers of SDKs; the others were made with zlib's crc32.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/eventstream.h"

#define ALL_HEADERS                                                                                                    \
    "000000cc000000af0fae64ca0a6576656e742d74797065040000a00c0c636f6e74656e742d747970650700106170706c69636174696f6e"   \
    "2f6a736f6e0a626f6f6c2066616c73650109626f6f6c207472756500046279746502cf08627974652062756606001449276d2061206c6974" \
    "746c6520746561706f74210974696d657374616d70080000000000845fed05696e74313603002a05696e7436340500000000028757b204"   \
    "75756964090102030405060708090a0b0c0d0e0f107b27666f6f273a27626172277daba5f10c"
#define EMPTY_MESSAGE      "000000100000000005c248eb7d98c8ff"
#define INT32_HEADER       "0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0"
#define PAYLOAD_NO_HEADERS "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936"
#define PAYLOAD_ONE_STR_HEADER                                                                                         \
    "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a2762617227" \
    "7d8d9c08b1"
#define CORRUPTED_HEADERS                                                                                              \
    "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b61666f6f273a2762617227" \
    "7d8d9c08b1"
#define CORRUPTED_HEADER_LEN                                                                                           \
    "0000003d0000002107fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a2762617227" \
    "7d8d9c08b1"
#define CORRUPTED_LENGTH                                                                                               \
    "0000003e0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a2762617227" \
    "7d8d9c08b1"
#define CORRUPTED_PAYLOAD "0000001d00000000fd528c5a5b27666f6f273a27626172277dc3653936"
#define EVENT                                                                                                          \
    "000000760000005296d5fade0b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e742d747970"         \
    "650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22726f6c65223a2261"         \
    "7373697374616e74227d6fa8c599"
#define EXCEPTION                                                                                                      \
    "0000008800000061de0175f40f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e0d3a"         \
    "636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d7479706507000965786365"         \
    "7074696f6e7b226d657373616765223a22736c6f7720646f776e227d832ee072"
#define ERROR                                                                                                          \
    "0000005e0000004e7365c2540d3a6d6573736167652d747970650700056572726f720b3a6572726f722d636f646507000f496e74"         \
    "65726e616c4661696c7572650e3a6572726f722d6d65737361676507000869742062726f6b659613f848"

static struct weir_str hex(const char *text)
{
    size_t n = strlen(text) / 2;
    char *p = malloc(n + 1);

    for (size_t i = 0; i < n; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        p[i] = (char)strtol(pair, NULL, 16);
    }
    return (struct weir_str){p, n};
}

/* "type/name/message=data;" of all frames in one line, and every raw byte. */
struct trace {
    struct buf line, bytes;
    enum eventstream_result result;
};

static void trace_record(struct trace *t, const struct eventstream_record *r)
{
    buf_str(&t->bytes, r->raw);
    buf_printf(&t->line, "%.*s/%.*s/%.*s=", (int)r->type.len, r->type.ptr, (int)r->name.len, r->name.ptr,
               (int)r->message.len, r->message.ptr);
    buf_str(&t->line, r->data);
    buf_char(&t->line, ';');
}

static void trace_drain(struct trace *t, struct eventstream *s)
{
    struct eventstream_record r;

    while ((t->result = eventstream_next(s, &r)) == EVENTSTREAM_RECORD)
        trace_record(t, &r);
}

/* Each piece is memory of its own, which goes away as early as the contract allows. */
static void trace_piece(struct trace *t, struct eventstream *s, const char *p, size_t n, bool hold)
{
    char *copy = malloc(n ? n : 1);

    memcpy(copy, p, n);
    eventstream_feed(s, (struct weir_str){copy, n});
    if (hold) {
        eventstream_hold(s);
        free(copy);
        copy = NULL;
    }
    trace_drain(t, s);
    free(copy);
}

static void trace_fini(struct trace *t)
{
    buf_fini(&t->line);
    buf_fini(&t->bytes);
}

/* `kind` & 1: held after each piece; & 2: all pieces are fed before the first is read. */
static void check_cuts(struct weir_str text, const char *want, enum eventstream_result end, const size_t *cuts,
                       size_t n, int kind)
{
    struct eventstream s = {.limit = 1000};
    struct trace t = {0};
    struct eventstream_record r;
    size_t at = 0;

    for (size_t i = 0; i <= n; i++) {
        size_t to = i < n ? cuts[i] : text.len;
        if (kind & 2)
            eventstream_feed(&s, str_sub(text, at, to));
        else
            trace_piece(&t, &s, text.ptr + at, to - at, kind & 1);
        at = to;
    }
    trace_drain(&t, &s);
    ck_assert_int_eq(t.result, end);
    ck_assert(!eventstream_end(&s, &r));
    ck_assert_msg(str_is(buf_view(&t.line), want), "cut at %zu: %.*s, not %s", n ? cuts[0] : 0, (int)t.line.len,
                  t.line.ptr, want);
    ck_assert(t.bytes.len <= text.len && memcmp(t.bytes.ptr ? t.bytes.ptr : "", text.ptr, t.bytes.len) == 0);
    trace_fini(&t);
    eventstream_fini(&s);
}

/* Whole, with every cut in two, and byte by byte. */
static void check_stream(const char *digits, const char *want, enum eventstream_result end)
{
    struct weir_str text = hex(digits);
    size_t cuts[600];

    for (int kind = 0; kind < 3; kind++) {
        check_cuts(text, want, end, cuts, 0, kind);
        for (cuts[0] = 0; cuts[0] <= text.len; cuts[0]++)
            check_cuts(text, want, end, cuts, 1, kind);
        ck_assert(text.len && text.len < 600);
        for (size_t i = 0; i < text.len; i++)
            cuts[i] = i + 1;
        check_cuts(text, want, end, cuts, text.len - 1, kind);
    }
    free((void *)(uintptr_t)text.ptr);
}

START_TEST(crc_known_values)
{
    ck_assert_uint_eq(crc32_ieee(0, "", 0), 0);
    ck_assert_uint_eq(crc32_ieee(0, "123456789", 9), 0xcbf43926);
    ck_assert_uint_eq(crc32_ieee(crc32_ieee(0, "1234", 4), "56789", 5), 0xcbf43926);
}
END_TEST

START_TEST(vectors_good)
{
    check_stream(EMPTY_MESSAGE, "//=;", EVENTSTREAM_MORE);
    check_stream(ALL_HEADERS, "//={'foo':'bar'};", EVENTSTREAM_MORE);
    check_stream(INT32_HEADER, "//={'foo':'bar'};", EVENTSTREAM_MORE);
    check_stream(PAYLOAD_NO_HEADERS, "//={'foo':'bar'};", EVENTSTREAM_MORE);
    check_stream(PAYLOAD_ONE_STR_HEADER, "//={'foo':'bar'};", EVENTSTREAM_MORE);
    check_stream(EMPTY_MESSAGE INT32_HEADER EMPTY_MESSAGE EMPTY_MESSAGE ALL_HEADERS,
                 "//=;//={'foo':'bar'};//=;//=;//={'foo':'bar'};", EVENTSTREAM_MORE);
}
END_TEST

START_TEST(vectors_corrupt)
{
    check_stream(CORRUPTED_HEADERS, "", EVENTSTREAM_BROKEN);
    check_stream(CORRUPTED_HEADER_LEN, "", EVENTSTREAM_BROKEN);
    check_stream(CORRUPTED_LENGTH, "", EVENTSTREAM_BROKEN);
    check_stream(CORRUPTED_PAYLOAD, "", EVENTSTREAM_BROKEN);
    check_stream(EMPTY_MESSAGE CORRUPTED_PAYLOAD EMPTY_MESSAGE, "//=;", EVENTSTREAM_BROKEN);
}
END_TEST

START_TEST(names)
{
    check_stream(EVENT EXCEPTION ERROR,
                 "event/messageStart/={\"role\":\"assistant\"};"
                 "exception/throttlingException/={\"message\":\"slow down\"};error/InternalFailure/it broke=;",
                 EVENTSTREAM_MORE);
}
END_TEST

/* Both CRCs hold, and still the headers make no sense. */
START_TEST(bad_headers)
{
    check_stream("0000001400000004f72f2a3200070000712b5900", "", EVENTSTREAM_BROKEN); /* a name of nothing */
    check_stream("0000001300000003db6b638101610affab9622", "", EVENTSTREAM_BROKEN);   /* type 10 */
    check_stream("0000001200000002910c7aa70161586f5691", "", EVENTSTREAM_BROKEN);     /* no type */
    check_stream("0000001300000003db6b6381056162bbcbd794", "", EVENTSTREAM_BROKEN);   /* a name beyond the block */
    check_stream("000000170000000729860158016107000561623c52410d", "",
                 EVENTSTREAM_BROKEN);                                                   /* a value beyond the block */
    check_stream("0000001400000004f72f2a3201610700ca8c1f30", "", EVENTSTREAM_BROKEN);   /* a length cut in two */
    check_stream("0000001500000005bd483314016104000036bb7822", "", EVENTSTREAM_BROKEN); /* an integer cut in two */
}
END_TEST

/* A bit anywhere: never a frame with other bytes. */
START_TEST(every_bit)
{
    struct weir_str good = hex(EVENT);
    char copy[256];

    ck_assert_uint_lt(good.len, sizeof copy);
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        struct eventstream s = {.limit = 1000};
        struct trace t = {0};
        memcpy(copy, good.ptr, good.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        trace_piece(&t, &s, copy, good.len, false);
        ck_assert_int_eq(t.result, EVENTSTREAM_BROKEN);
        ck_assert_uint_eq(t.line.len, 0);
        trace_fini(&t);
        eventstream_fini(&s);
    }
    free((void *)(uintptr_t)good.ptr);
}
END_TEST

static void check_prelude(const char *digits, size_t limit, enum eventstream_result want)
{
    struct weir_str text = hex(digits);
    struct eventstream s = {.limit = limit};
    struct eventstream_record r;

    eventstream_feed(&s, text);
    ck_assert_int_eq(eventstream_next(&s, &r), want);
    ck_assert_uint_le(s.rest.cap, 4096); /* a length that is only said costs nothing */
    eventstream_feed(&s, text);
    if (want != EVENTSTREAM_MORE)
        ck_assert_int_eq(eventstream_next(&s, &r), want);
    eventstream_fini(&s);
    free((void *)(uintptr_t)text.ptr);
}

/* Lengths as they stand in the first twelve bytes, with a right CRC. */
START_TEST(lengths)
{
    check_prelude("0000000f00000000e77248b8", 1000, EVENTSTREAM_BROKEN); /* shorter than its own frame */
    check_prelude("00000000000000006522df69", 1000, EVENTSTREAM_BROKEN);
    check_prelude("000000100000000172c5787d", 1000, EVENTSTREAM_BROKEN); /* headers beyond the end */
    check_prelude("ffffffff00000000ffffffff", 16777216, EVENTSTREAM_TOO_LARGE);
    check_prelude("7fffffff0001ffff132002ed", 16777216, EVENTSTREAM_TOO_LARGE);
    check_prelude("00ffffff00000000d9b4f919", 16777216, EVENTSTREAM_MORE);
    check_prelude("00ffffff00020000da302d77", 16777216, EVENTSTREAM_MORE);   /* headers of 128 KiB */
    check_prelude("00ffffff00020001ad371de1", 16777216, EVENTSTREAM_BROKEN); /* and one byte more */
    check_prelude("ffffffffffffffff2144df1c", 16777216, EVENTSTREAM_BROKEN);
}
END_TEST

/* Exactly the limit passes and one byte more does not, however it is cut. */
START_TEST(frame_limit)
{
    struct weir_str text = hex(PAYLOAD_NO_HEADERS);

    for (size_t cut = 0; cut <= text.len; cut++)
        for (size_t limit = text.len - 1; limit <= text.len; limit++) {
            struct eventstream s = {.limit = limit};
            struct trace t = {0};
            trace_piece(&t, &s, text.ptr, cut, false);
            trace_piece(&t, &s, text.ptr + cut, text.len - cut, false);
            ck_assert_int_eq(t.result, limit == text.len ? EVENTSTREAM_MORE : EVENTSTREAM_TOO_LARGE);
            ck_assert_uint_eq(t.bytes.len, limit == text.len ? text.len : 0);
            trace_fini(&t);
            eventstream_fini(&s);
        }
    free((void *)(uintptr_t)text.ptr);
}
END_TEST

START_TEST(not_copied)
{
    struct weir_str text = hex(EVENT EMPTY_MESSAGE);
    struct eventstream s = {.limit = 1000};
    struct eventstream_record r;

    eventstream_feed(&s, text);
    ck_assert_int_eq(eventstream_next(&s, &r), EVENTSTREAM_RECORD);
    ck_assert_ptr_eq(r.raw.ptr, text.ptr);
    ck_assert_ptr_eq(r.headers.ptr, text.ptr + 12);
    ck_assert_int_eq(eventstream_next(&s, &r), EVENTSTREAM_RECORD);
    ck_assert_int_eq(eventstream_next(&s, &r), EVENTSTREAM_MORE);
    ck_assert_ptr_null(s.rest.ptr);
    eventstream_fini(&s);
    ck_assert_uint_eq(s.limit, 1000);
    free((void *)(uintptr_t)text.ptr);
}
END_TEST

/* A stream that is read as fast as it comes, but always one frame behind, costs no memory that grows. */
START_TEST(held_stays_small)
{
    struct weir_str text = hex(PAYLOAD_NO_HEADERS);
    struct eventstream s = {.limit = 100};
    struct eventstream_record r;

    eventstream_feed(&s, text);
    for (int i = 0; i < 10000; i++) {
        eventstream_feed(&s, text);
        ck_assert_int_eq(eventstream_next(&s, &r), EVENTSTREAM_RECORD);
        ck_assert(str_is(r.data, "{'foo':'bar'}"));
    }
    ck_assert_uint_le(s.held.cap, 256);
    eventstream_fini(&s);
    free((void *)(uintptr_t)text.ptr);
}
END_TEST

static void check_written(const char *digits, const char *const *headers, const char *data)
{
    struct weir_str want = hex(digits);
    struct buf block = {0}, frame = {0};

    for (; *headers; headers += 2)
        eventstream_header(&block, str_of(headers[0]), str_of(headers[1]));
    buf_lit(&frame, "before");
    eventstream_write(&frame, buf_view(&block), str_of(data));
    ck_assert(str_eq(str_sub(buf_view(&frame), 6, frame.len), want));
    buf_fini(&block);
    buf_fini(&frame);
    free((void *)(uintptr_t)want.ptr);
}

START_TEST(written)
{
    check_written(EMPTY_MESSAGE, (const char *const[]){NULL}, "");
    check_written(PAYLOAD_NO_HEADERS, (const char *const[]){NULL}, "{'foo':'bar'}");
    check_written(PAYLOAD_ONE_STR_HEADER, (const char *const[]){"content-type", "application/json", NULL},
                  "{'foo':'bar'}");
    check_written(EVENT,
                  (const char *const[]){":event-type", "messageStart", ":content-type", "application/json",
                                        ":message-type", "event", NULL},
                  "{\"role\":\"assistant\"}");
}
END_TEST

/* A frame's headers, whatever they are, with another payload. */
START_TEST(rewritten)
{
    struct weir_str text = hex(ALL_HEADERS);
    struct eventstream s = {.limit = 1000};
    struct eventstream_record r;
    struct buf frame = {0};

    eventstream_feed(&s, text);
    ck_assert_int_eq(eventstream_next(&s, &r), EVENTSTREAM_RECORD);
    eventstream_write(&frame, r.headers, WEIR_STR("{'foo':'bar'}"));
    ck_assert(str_eq(buf_view(&frame), text));
    buf_fini(&frame);
    eventstream_fini(&s);
    free((void *)(uintptr_t)text.ptr);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("eventstream");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, crc_known_values);
    tcase_add_test(t, vectors_good);
    tcase_add_test(t, vectors_corrupt);
    tcase_add_test(t, names);
    tcase_add_test(t, bad_headers);
    tcase_add_test(t, every_bit);
    tcase_add_test(t, lengths);
    tcase_add_test(t, frame_limit);
    tcase_add_test(t, not_copied);
    tcase_add_test(t, held_stays_small);
    tcase_add_test(t, written);
    tcase_add_test(t, rewritten);
    suite_add_tcase(s, t);
    return s;
}
