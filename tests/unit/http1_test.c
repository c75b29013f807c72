/* SPDX-License-Identifier: Apache-2.0 */
/* http1_test.c -- heads of requests (the rows of tests/http/requests.txt that need no server) and of responses. */
#include "http_table.h"
#include "unit.h"

#include "net/chunked.h"
#include "net/http1.h"

static const struct http1_limits limits = {16384, 100, 16384};
static const char follower[] = "GET /follower HTTP/1.1\r\nHost: localhost\r\n\r\n";

static struct http1_header headers[HTTP1_HEADERS_MAX];

/* ---- the table ---- */

struct verdict {
    bool more, keep;
    int status;
    size_t used;
}; /* status 0: a request was read, of `used` bytes */

static enum http1_result read_in_steps(struct http1_head *h, const char *bytes, size_t n, size_t step)
{
    size_t examined = 0;
    enum http1_result result = HTTP1_MORE;

    for (size_t have = 0; result == HTTP1_MORE && have < n;) {
        have = have + step < n ? have + step : n;
        result = http1_request(h, bytes, have, &examined, &limits);
    }
    return result;
}

static struct verdict read_chunks(const char *bytes, size_t n, size_t step, struct verdict v)
{
    struct chunked c;
    struct weir_str data;
    enum chunked_result result = CHUNKED_MORE;

    chunked_init(&c);
    while (v.used < n && result != CHUNKED_END) {
        size_t used;
        result = chunked_next(&c, bytes + v.used, n - v.used < step ? n - v.used : step, &used, &data);
        v.used += used;
        if (result == CHUNKED_BAD) {
            ck_assert_ptr_nonnull(c.why);
            v.status = 400;
            return v;
        }
    }
    v.more = result != CHUNKED_END;
    return v;
}

static struct verdict read_request(const char *bytes, size_t n, size_t step)
{
    struct http1_head h = {.headers = headers};
    enum http1_result result = read_in_steps(&h, bytes, n, step);
    struct verdict v = {.more = result == HTTP1_MORE, .keep = h.keep_alive, .used = h.length};

    if (result == HTTP1_BAD) {
        ck_assert_ptr_nonnull(h.why);
        v.status = h.status;
    }
    if (result != HTTP1_OK)
        return v;
    if (h.body == HTTP1_CHUNKED)
        return read_chunks(bytes, n, step, v);
    if (h.body == HTTP1_LENGTH) {
        v.more = (size_t)h.content_length > n - v.used;
        v.used += (size_t)h.content_length;
    }
    return v;
}

/* One outcome of a row, against what was read. */
static void check_outcome(const char *row, const char *outcome, struct verdict v)
{
    char status[16];

    if (strcmp(outcome, "more") == 0) {
        ck_assert_msg(v.more && !v.status, "%s: not more, but %d", row, v.status);
        return;
    }
    ck_assert_msg(!v.more, "%s: more, not %s", row, outcome);
    if (strncmp(outcome, "ok", 2) == 0) {
        ck_assert_msg(!v.status, "%s: %d, not ok", row, v.status);
        return;
    }
    snprintf(status, sizeof status, "%d", v.status);
    ck_assert_msg(v.status && strstr(outcome, status), "%s: %s, not %s", row, status, outcome);
}

static void check_row(const struct table_row *row, size_t step)
{
    struct buf all = {0};
    struct verdict v = {0};
    char outcomes[sizeof row->outcome];
    size_t at = 0;

    buf_str(&all, buf_view(&row->bytes));
    if (strcmp(row->outcome, "more") != 0)
        buf_put(&all, follower, sizeof follower - 1);
    memcpy(outcomes, row->outcome, sizeof outcomes);
    for (char *rest = outcomes, *outcome; (outcome = strsep(&rest, ",")); at += v.used) {
        v = read_request(all.ptr + at, all.len - at, step);
        check_outcome(row->name, outcome, v);
    }
    if (strcmp(row->conn, "open") == 0)
        ck_assert_msg(v.keep && !v.status && str_eq(str_sub(buf_view(&all), at, all.len), str_of(follower)),
                      "%s: the connection does not stay in step", row->name);
    else
        ck_assert_msg(!v.keep || v.status || v.more, "%s: the connection stays open", row->name);
    buf_fini(&all);
}

START_TEST(rows_of_the_table)
{
    struct table t = table_read();
    size_t checked = 0;

    for (size_t i = 0; i < t.count; i++) {
        if (strcmp(t.rows[i].where, "both") != 0)
            continue;
        check_row(&t.rows[i], SIZE_MAX / 2);
        check_row(&t.rows[i], t.rows[i].bytes.len < 4096 ? 1 : 61);
        check_row(&t.rows[i], 7);
        checked++;
    }
    ck_assert_uint_ge(checked, 300);
    table_fini(&t);
}
END_TEST

/* ---- what is read ---- */

static enum http1_result request(struct http1_head *h, const char *text)
{
    size_t examined = 0;

    h->headers = headers;
    return http1_request(h, text, strlen(text), &examined, &limits);
}

#define check_str(s, z) ck_assert_msg(str_is((s), (z)), "%.*s is not %s", STR_ARG(s), (z))

START_TEST(request_parts)
{
    static const char text[] =
        "\r\nPOST /v1/a%20b?c=d?e HTTP/1.1\r\nHost: Example.com:80\r\nX-A: \t a b \t\r\nx-empty:\r\n"
        "Content-LENGTH: 12\r\nx-a: second\r\nExpect: 100-Continue\r\n\r\nbody";
    struct http1_head h;

    ck_assert_int_eq(request(&h, text), HTTP1_OK);
    check_str(h.method, "POST");
    check_str(h.target, "/v1/a%20b?c=d?e");
    check_str(h.path, "/v1/a%20b");
    check_str(h.query, "c=d?e");
    check_str(h.authority, "");
    ck_assert_int_eq(h.minor, 1);
    ck_assert_int_eq(h.body, HTTP1_LENGTH);
    ck_assert_int_eq(h.content_length, 12);
    ck_assert(h.keep_alive && h.expect_continue);
    ck_assert_uint_eq(h.length, sizeof text - 1 - 4);
    ck_assert_uint_eq(h.count, 6);
    check_str(h.headers[1].name, "X-A");
    check_str(h.headers[1].value, "a b");
    check_str(h.headers[2].value, "");
    check_str(*http1_find(&h, WEIR_STR("x-a")), "a b");
    check_str(*http1_find(&h, WEIR_STR("host")), "Example.com:80");
    ck_assert_ptr_null(http1_find(&h, WEIR_STR("x-")));
    ck_assert_int_eq(request(&h, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), HTTP1_OK);
    ck_assert(!h.expect_continue && !h.keep_alive); /* RFC 9110, 10.1.1: it MUST be ignored there */
}
END_TEST

START_TEST(request_targets)
{
    static const struct {
        const char *target, *authority, *path, *query;
    } rows[] = {
        {"/", "", "/", ""},
        {"/?", "", "/", ""},
        {"/a?b", "", "/a", "b"},
        {"/a/", "", "/a/", ""},
        {"http://localhost", "localhost", "/", ""},
        {"http://localhost?q", "localhost", "/", "q"},
        {"hTTps://LocalHost/x?y", "LocalHost", "/x", "y"},
        {"http://localhost/", "localhost", "/", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[128];
        struct http1_head h;
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", rows[i].target);
        ck_assert_int_eq(request(&h, text), HTTP1_OK);
        check_str(h.target, rows[i].target);
        check_str(h.authority, rows[i].authority);
        check_str(h.path, rows[i].path);
        check_str(h.query, rows[i].query);
    }
}
END_TEST

/* Every byte in every kind of place: the classes are those of RFC 9110, 5.6.2 and 5.5. */
START_TEST(every_byte)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char in_host[] = "!$&'()*+,;=-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char in_path[] =
        "!$&'()*+,;=-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:@/?[]|";
    static const char in_query[] =
        "!$&'()*+,;=-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:@/?[]|\\^`{}";

    for (int c = 1; c < 256; c++) {
        static const char *const forms[][2] = {
            {"G", "T / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
            {"GET / HTTP/1.1\r\nHost: localhost\r\nX", "Y: z0123456789abcdef\r\n\r\n"},
            {"GET / HTTP/1.1\r\nHost: localhost\r\nX: y", "z0123456789abcdef\r\n\r\n"},
            {"GET / HTTP/1.1\r\nHost: local", "host\r\n\r\n"},
            {"GET /a", "b HTTP/1.1\r\nHost: localhost\r\n\r\n"},
            {"GET /?a", "b HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        };
        bool allowed[] = {
            strchr(token, c),   strchr(token, c) || c == ':', (c >= 0x20 && c != 0x7f) || c == '\t',
            strchr(in_host, c), strchr(in_path, c),           strchr(in_query, c),
        };
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
            char text[128];
            struct http1_head h;
            snprintf(text, sizeof text, "%s%c%s", forms[i][0], c, forms[i][1]);
            ck_assert_msg((request(&h, text) == HTTP1_OK) == allowed[i], "byte %d in form %zu", c, i);
        }
    }
}
END_TEST

/* Controls are found at every place of a run, whatever stands around it. */
START_TEST(control_places)
{
    static const char controls[] = "\x01\x08\x0b\x1f\x7f\r\n";

    for (size_t place = 0; place < 39; place++) {
        for (size_t c = 0; c < sizeof controls; c++) { /* the 0 at the end, too */
            char text[] =
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: \t\xff\x80\x7e 0123456789012345678901234567890123\r\n\r\n";
            struct http1_head h = {.headers = headers};
            size_t examined = 0, at = 16 + 17 + 3 + place;
            text[at] = controls[c];
            ck_assert_int_eq(http1_request(&h, text, sizeof text - 1, &examined, &limits), HTTP1_BAD);
            ck_assert_int_eq(h.status, 400);
            text[at] = place % 2 ? '\t' : '\x80';
            ck_assert_int_eq(http1_request(&h, text, sizeof text - 1, &examined, &limits), HTTP1_OK);
        }
    }
}
END_TEST

START_TEST(rebase_moves_all_views)
{
    static const char *const texts[] = {
        "GET /a?b HTTP/1.1\r\nHost: localhost\r\nX:\r\n\r\n",
        "GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n",
    };

    for (size_t i = 0; i < 2; i++) {
        struct http1_head h;
        ck_assert_int_eq(request(&h, texts[i]), HTTP1_OK);
        char *copy = must_alloc(h.length);
        memcpy(copy, texts[i], h.length);
        http1_rebase(&h, texts[i], copy);
        const struct weir_str *views[] = {&h.method, &h.target,          &h.path,
                                          &h.query,  &h.headers[0].name, &h.headers[h.count - 1].value};
        for (size_t k = 0; k < sizeof views / sizeof *views; k++)
            ck_assert(views[k]->ptr >= copy && views[k]->ptr + views[k]->len <= copy + h.length);
        check_str(h.method, "GET");
        check_str(h.path, i ? "/" : "/a");
        check_str(h.headers[0].value, "localhost");
        free(copy);
    }
}
END_TEST

/* ---- limits ---- */

static int refusal(const char *text, const struct http1_limits *l)
{
    struct http1_head h = {.headers = headers};
    size_t examined = 0;

    return http1_request(&h, text, strlen(text), &examined, l) == HTTP1_BAD ? h.status : 0;
}

START_TEST(limits_are_exact)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\r\n"; /* lines of 14, 15 and 4 */

    ck_assert_int_eq(refusal(text, &(struct http1_limits){sizeof text - 1, 2, 15}), 0);
    ck_assert_int_eq(refusal(text, &(struct http1_limits){sizeof text - 2, 2, 15}), 431);
    ck_assert_int_eq(refusal(text, &(struct http1_limits){sizeof text - 1, 1, 15}), 431);
    ck_assert_int_eq(refusal(text, &(struct http1_limits){sizeof text - 1, 2, 14}), 431);
    ck_assert_int_eq(refusal(text, &(struct http1_limits){sizeof text - 1, 2, 13}), 414);
    ck_assert_int_eq(refusal(text, &(struct http1_limits){15, 2, 15}), 414);
    ck_assert_int_eq(refusal(text, &(struct http1_limits){16, 2, 15}), 431);
}
END_TEST

START_TEST(no_more_headers_than_the_array_holds)
{
    struct buf b = {0};

    buf_lit(&b, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 1; i < HTTP1_HEADERS_MAX; i++)
        buf_lit(&b, "A: b\r\n");
    buf_put(&b, "\r\n", 3);
    ck_assert_int_eq(refusal(b.ptr, &(struct http1_limits){16384, 1000, 100}), 0);
    b.len -= 3;
    buf_put(&b, "A: b\r\n\r\n", 9);
    ck_assert_int_eq(refusal(b.ptr, &(struct http1_limits){16384, 1000, 100}), 431);
    buf_fini(&b);
}
END_TEST

/* A head that trickles in is examined on from where the last call stopped, and a fault is told as soon as it is there.
 */
START_TEST(examined_grows)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\nLong: 0123456789\r\n\r\n";
    struct http1_head h = {.headers = headers};
    size_t examined = 0;

    for (size_t n = 1; n < sizeof text - 1; n++) {
        ck_assert_int_eq(http1_request(&h, text, n, &examined, &limits), HTTP1_MORE);
        ck_assert_uint_ge(examined + 1, n);
        ck_assert_uint_le(examined, n);
    }
    ck_assert_int_eq(http1_request(&h, text, sizeof text - 1, &examined, &limits), HTTP1_OK);
    ck_assert_uint_eq(examined, 0);
    ck_assert_uint_eq(h.count, 2);
    ck_assert_int_eq(http1_request(&h, "GET / HTTP/3.0\r\n", 16, &examined, &limits), HTTP1_BAD);
    ck_assert_int_eq(h.status, 505);
    ck_assert_int_eq(http1_request(&h, "GET \x01", 5, &examined, &limits), HTTP1_BAD);
}
END_TEST

/* ---- responses ---- */

#define OK11 "HTTP/1.1 200 OK\r\n"

static const struct response_row {
    const char *text;
    bool to_head;
    enum http1_result result;
    int status;
    enum http1_body body;
    int64_t length;
    bool keep;
} responses[] = {
    /* RFC 9112, 6.3, in its order: HEAD, 1xx, 204, 304 */
    {OK11 "Content-Length: 5\r\n\r\n", true, HTTP1_OK, 200, HTTP1_NO_BODY, 0, true},
    {OK11 "Transfer-Encoding: chunked\r\n\r\n", true, HTTP1_OK, 200, HTTP1_NO_BODY, 0, true},
    {OK11 "\r\n", true, HTTP1_OK, 200, HTTP1_NO_BODY, 0, true},
    {"HTTP/1.1 100 Continue\r\n\r\n", false, HTTP1_OK, 100, HTTP1_NO_BODY, 0, true},
    {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, HTTP1_OK, 103, HTTP1_NO_BODY, 0, true},
    {"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, HTTP1_OK, 204, HTTP1_NO_BODY, 0, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false, HTTP1_OK, 204, HTTP1_NO_BODY, 0, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 204, HTTP1_NO_BODY, 0, false},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP1_OK, 204, HTTP1_NO_BODY, 0, false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 304, HTTP1_NO_BODY, 0, true},
    /* Transfer-Encoding */
    {OK11 "Transfer-Encoding: chunked\r\n\r\n", false, HTTP1_OK, 200, HTTP1_CHUNKED, 0, true},
    {OK11 "transfer-encoding: Chunked\r\nConnection: close\r\n\r\n", false, HTTP1_OK, 200, HTTP1_CHUNKED, 0, false},
    {OK11 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Transfer-Encoding: gzip, chunked\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Transfer-Encoding: gzip\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Transfer-Encoding: identity\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    /* Content-Length */
    {OK11 "Content-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5, true},
    {OK11 "Content-Length: 0\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 0, true},
    {OK11 "Content-Length: 9223372036854775799\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 9223372036854775799, true},
    {OK11 "Content-Length: 9223372036854775808\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", true, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5, 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: -5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length:\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    /* neither: until the connection closes */
    {OK11 "\r\n", false, HTTP1_OK, 200, HTTP1_UNTIL_CLOSE, 0, false},
    {OK11 "Connection: keep-alive\r\n\r\n", false, HTTP1_OK, 200, HTTP1_UNTIL_CLOSE, 0, false},
    {"HTTP/1.0 200 OK\r\n\r\n", false, HTTP1_OK, 200, HTTP1_UNTIL_CLOSE, 0, false},
    /* keep-alive (9.3) */
    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5, false},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5,
     true},
    {OK11 "Connection: x, Close\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5, false},
    {OK11 "Connection: keep-alive; x\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5, false},
    /* the status line (4) */
    {"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5, true},
    {"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 200, HTTP1_LENGTH, 5, true},
    {"HTTP/1.1 599 caf\xc3\xa9\tx\r\nContent-Length: 5\r\n\r\n", false, HTTP1_OK, 599, HTTP1_LENGTH, 5, true},
    {"HTTP/1.1 600 X\r\nContent-Length: 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 099 X\r\nContent-Length: 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 20 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 2000 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 +20 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1  200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1\t200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 200\tOK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.1 200OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/1.2 200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/2.0 200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"HTTP/2 200\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"http/1.1 200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"ICY 200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {" HTTP/1.1 200 OK\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {"<html>\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    /* lines (2.2, 5) */
    {"HTTP/1.1 200 OK\nContent-Length: 5\n\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5\nX: y\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "X: a\rContent-Length: 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "X: a\r\n b\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length : 5\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 ": x\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "X: \x01\r\n\r\n", false, HTTP1_BAD, 502, 0, 0, false},
    {OK11 "Content-Length: 5\r\n", false, HTTP1_MORE, 0, 0, 0, false},
    {"HTTP/1.1 200 OK", false, HTTP1_MORE, 0, 0, 0, false},
    {"H", false, HTTP1_MORE, 0, 0, 0, false},
};

static void check_response(const struct response_row *row, size_t step)
{
    struct http1_head h = {.headers = headers};
    size_t examined = 0, n = strlen(row->text), have = 0;
    enum http1_result result = HTTP1_MORE;

    while (result == HTTP1_MORE && have < n) {
        have = have + step < n ? have + step : n;
        result = http1_response(&h, row->text, have, &examined, &limits, row->to_head);
    }
    ck_assert_msg(result == row->result, "%d for %s", (int)result, row->text);
    if (result == HTTP1_MORE)
        return;
    ck_assert_msg(h.status == row->status, "status %d of %s", h.status, row->text);
    if (result == HTTP1_BAD) {
        ck_assert_ptr_nonnull(h.why);
        return;
    }
    ck_assert_msg(h.body == row->body && h.content_length == row->length, "body of %s", row->text);
    ck_assert_msg(h.keep_alive == row->keep, "keep-alive of %s", row->text);
    ck_assert_uint_eq(h.length, n);
}

START_TEST(response_rows)
{
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        check_response(&responses[i], 1);
        check_response(&responses[i], 5);
        check_response(&responses[i], 1000);
    }
}
END_TEST

START_TEST(response_limits)
{
    static const char text[] = OK11 "A: b\r\nC: d\r\n\r\n";
    static const struct http1_limits rows[] = {{sizeof text - 2, 9, 99}, {99, 1, 99}, {99, 9, 14}};

    for (size_t i = 0; i < 3; i++) {
        struct http1_head h = {.headers = headers};
        size_t examined = 0;
        ck_assert_int_eq(http1_response(&h, text, sizeof text - 1, &examined, &rows[i], false), HTTP1_BAD);
        ck_assert_int_eq(h.status, 502);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("http1");
    TCase *t = tcase_create("http1");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, rows_of_the_table);
    tcase_add_test(t, request_parts);
    tcase_add_test(t, request_targets);
    tcase_add_test(t, every_byte);
    tcase_add_test(t, control_places);
    tcase_add_test(t, rebase_moves_all_views);
    tcase_add_test(t, limits_are_exact);
    tcase_add_test(t, no_more_headers_than_the_array_holds);
    tcase_add_test(t, examined_grows);
    tcase_add_test(t, response_rows);
    tcase_add_test(t, response_limits);
    suite_add_tcase(s, t);
    return s;
}
