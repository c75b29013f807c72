/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.c -- the lines of a head: octets, start line, header lines; see http1.h.  What the fields mean: http1_fields.c.
 *
 * The verdict is that of the first fault in the order of the bytes, so it is the same however they arrive: controls
 * are judged where they stand, a line when its CRLF is there, what needs several lines at the empty line.  A head that
 * comes in one piece is read once; one that trickles in is read once to judge its lines, and once more to keep them.
 */
#include "net/http1.h"

#include <ctype.h>
#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "net/http1_inner.h"

#define EMPTY_LINES_MAX 4
#define METHOD_MAX      32

/* Bits as in http1_inner.h.  Beyond RFC 3986, a path may hold [ ] | and a query \ ^ ` { } too: browsers and fetch()
 * (WHATWG URL) send those as they are. */
/* clang-format off */
const uint8_t http1_class[256] = {
    [0x20] = 0x0, 0xf, 0x0, 0x1, 0xf, 0x1, 0xf, 0xf, 0xe, 0xe, 0xf, 0xf, 0xe, 0xf, 0xf, 0x6, /*  !"#$%&'()*+,-./ */
    0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0x6, 0xe, 0x0, 0xe, 0x0, 0x4,          /* 0123456789:;<=>? */
    0x6, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf,          /* @ABCDEFGHIJKLMNO */
    0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0x6, 0x4, 0x6, 0x5, 0xf,          /* PQRSTUVWXYZ[\]^_ */
    0x5, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf,          /* `abcdefghijklmno */
    0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0xf, 0x4, 0x7, 0x4, 0xf, 0x0,          /* pqrstuvwxyz{|}~  */
};
/* clang-format on */

struct reading {
    struct http1_head *head;
    const struct http1_limits *limits;
    const char *first, *end; /* the start line; where the bytes or the head's limit end */
    const char *line, *at;   /* the line at hand; bytes before `at` hold no fault and no more line ends */
    size_t headers_max;
    bool response;
};

bool http1_refuse(struct http1_head *h, int status, const char *why)
{
    h->status = status;
    h->why = why;
    return false;
}

/* ---- characters ---- */

/* The place of the first control character, or of a HTAB, among the STRIDE bytes at `p`; STRIDE: there is none. */
#ifdef __SSE2__
#define STRIDE 16
static inline int control_among(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    int hits = _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));

    return __builtin_ctz((unsigned)hits | 1u << STRIDE);
}

/* How many letters and hyphens, of which most names are made, the STRIDE bytes at `p` begin with. */
static inline int plain_among(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i plain = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8('z' - 'a')), letter);
    int hits = _mm_movemask_epi8(_mm_or_si128(plain, _mm_cmpeq_epi8(v, _mm_set1_epi8('-'))));

    return __builtin_ctz(~(unsigned)hits);
}
#else
#define STRIDE 8
static inline int control_among(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t w, hits;

    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    /* < 0x20, or 0x7f.  Below the lowest marked byte nothing borrows, so that one is exact. */
    hits = ((w - ones * 0x20) | ((w ^ (ones * 0x7f)) - ones)) & ~w & (ones * 0x80);
    return hits ? __builtin_ctzll(hits) / 8 : STRIDE;
}

static inline int plain_among(const char *p)
{
    (void)p;
    return 0;
}
#endif

/* The first control character from `p` on, HTAB not counted, or `end`. */
static const char *control_find(const char *p, const char *end)
{
    while (end - p >= STRIDE) {
        int i = control_among(p);
        p += i;
        if (i == STRIDE)
            continue;
        if (*p != '\t')
            return p;
        p++;
    }
    while (p < end && ((uint8_t)*p >= 0x20 || *p == '\t') && *p != 0x7f)
        p++;
    return p;
}

/* The end of the run of characters of these classes.  What is read here always has a CR, a space or a tab behind it,
 * which are in no class: that ends every run. */
static inline const char *run_end(const char *p, uint8_t bits)
{
    for (;; p += 4) {
        if (!http1_is(p[0], bits))
            return p;
        if (!http1_is(p[1], bits))
            return p + 1;
        if (!http1_is(p[2], bits))
            return p + 2;
        if (!http1_is(p[3], bits))
            return p + 3;
    }
}

/* The end of a header's name in a line; `end`: of all bytes. */
static inline const char *name_end(const char *p, const char *end)
{
    return run_end(end - p >= STRIDE ? p + plain_among(p) : p, HTTP1_TOKEN);
}

const char *http1_uri_run(const char *p, uint8_t bits)
{
    for (;;) {
        p = run_end(p, bits);
        if (*p != '%' || !isxdigit((uint8_t)p[1]) || !isxdigit((uint8_t)p[2]))
            return p;
        p += 3;
    }
}

/* ---- the start line ---- */

static bool split_target(struct http1_head *h, const char *path, const char *end)
{
    const char *p = http1_uri_run(path, HTTP1_PATH);

    h->path = (struct weir_str){path, (size_t)(p - path)};
    h->query = (struct weir_str){p, 0};
    if (p < end && *p == '?') {
        h->query.ptr = ++p;
        p = http1_uri_run(p, HTTP1_QUERY);
        h->query.len = (size_t)(p - h->query.ptr);
    }
    return p == end || http1_refuse(h, 400, "a character or percent-escape in the request target is not allowed");
}

/* http://AUTHORITY[/PATH][?QUERY]: sent to proxies, to be understood by all (RFC 9112, 3.2.2). */
static bool read_absolute(struct http1_head *h, const char *end)
{
    struct weir_str scheme = {h->target.ptr, 0};
    const char *p = memchr(scheme.ptr, ':', h->target.len), *path;

    scheme.len = p ? (size_t)(p - scheme.ptr) : 0;
    if ((!str_eq_nocase(scheme, WEIR_STR("http")) && !str_eq_nocase(scheme, WEIR_STR("https"))) || end - p < 3 ||
        memcmp(p, "://", 3) != 0)
        return http1_refuse(h, 400, "the request target is neither a path nor an http URI");
    for (path = p + 3; path < end && *path != '/' && *path != '?'; path++)
        ;
    h->authority = (struct weir_str){p + 3, (size_t)(path - p - 3)};
    if (!http1_authority_ok(h->authority))
        return http1_refuse(h, 400, "the request target's host is not valid");
    if (path < end && *path == '/')
        return split_target(h, path, end);
    if (!split_target(h, path, end))
        return false;
    h->path = (struct weir_str){p + 1, 1}; /* no path means "/": the view is one of the two before the host */
    return true;
}

static bool read_target(struct http1_head *h)
{
    const char *end = h->target.ptr + h->target.len;

    if (*h->target.ptr == '/')
        return split_target(h, h->target.ptr, end);
    if (str_is(h->target, "*")) {
        h->path = h->target;
        h->query = (struct weir_str){end, 0};
        return str_is(h->method, "OPTIONS") || http1_refuse(h, 400, "the target * is for OPTIONS only");
    }
    return read_absolute(h, end);
}

static bool read_request_line(struct http1_head *h, const char *p, const char *end)
{
    const char *target, *space;

    h->method.ptr = p;
    p = run_end(p, HTTP1_TOKEN);
    h->method.len = (size_t)(p - h->method.ptr);
    if (!h->method.len || *p != ' ')
        return http1_refuse(h, 400, "the request line does not begin with a method and one space");
    target = p + 1;
    space = memchr(target, ' ', (size_t)(end - target));
    if (!space || space == target || end - space != 9 || memcmp(space + 1, "HTTP/", 5) != 0 ||
        !isdigit((uint8_t)space[6]) || space[7] != '.' || !isdigit((uint8_t)space[8]))
        return http1_refuse(h, 400, "the request line is not: method, target, version");
    h->target = (struct weir_str){target, (size_t)(space - target)};
    h->minor = space[8] - '0';
    if (space[6] != '1' || h->minor > 1)
        return http1_refuse(h, 505, "the version is neither HTTP/1.1 nor HTTP/1.0");
    if (h->method.len > METHOD_MAX || str_is(h->method, "CONNECT"))
        return http1_refuse(h, 501, "the method is not served here");
    return read_target(h);
}

/* The space behind the code may be missing when there is no reason: some servers leave it out, and nobody misreads it.
 */
static bool read_status_line(struct http1_head *h, const char *p, const char *end)
{
    if (end - p < 12 || memcmp(p, "HTTP/1.", 7) != 0 || (p[7] != '0' && p[7] != '1') || p[8] != ' ' ||
        !isdigit((uint8_t)p[9]) || !isdigit((uint8_t)p[10]) || !isdigit((uint8_t)p[11]) ||
        (end - p > 12 && p[12] != ' '))
        return http1_refuse(h, 502, "the answer does not begin with an HTTP/1.x status line");
    h->minor = p[7] - '0';
    h->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    return (h->status >= 100 && h->status <= 599) || http1_refuse(h, 502, "the status code is out of range");
}

/* ---- lines ---- */

static bool read_header_line(struct reading *r, const char *line, const char *end)
{
    struct http1_head *h = r->head;
    const char *p = name_end(line, r->end), *value;

    if (*p != ':' || p == line) {
        if (*line == ' ' || *line == '\t')
            return http1_refuse(h, 400, "a header line begins with space (line folding)");
        if (p > line && (*p == ' ' || *p == '\t'))
            return http1_refuse(h, 400, "there is space between a header's name and its colon");
        return http1_refuse(h, 400, "a header line does not begin with a name and a colon");
    }
    for (value = p + 1; *value == ' ' || *value == '\t'; value++)
        ; /* the CR ends this */
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (h->count < r->headers_max)
        h->headers[h->count] = (struct http1_header){{line, (size_t)(p - line)}, {value, (size_t)(end - value)}};
    h->count++;
    return true;
}

static bool read_line(struct reading *r, const char *line, const char *end)
{
    if ((size_t)(end - line) > r->limits->line)
        return line == r->first ? http1_refuse(r->head, 414, "the request line is too long")
                                : http1_refuse(r->head, 431, "a header line is too long");
    if (line != r->first)
        return read_header_line(r, line, end);
    return r->response ? read_status_line(r->head, line, end) : read_request_line(r->head, line, end);
}

static enum http1_result bad_octet(struct http1_head *h, char c)
{
    http1_refuse(h, 400,
                 c == '\r'   ? "there is a CR without LF in the head"
                 : c == '\n' ? "there is a LF without CR in the head"
                             : "there is a control character in the head");
    return HTTP1_BAD;
}

/* Reads lines from r->line on, whose octets are known to be good up to r->at. */
static enum http1_result read_lines(struct reading *r, const char *bytes)
{
    const char *line = r->line, *at = r->at, *end = r->end;

    for (;;) {
        at = control_find(at, end);
        if (end - at < 2 && (at == end || *at == '\r'))
            break;
        if (at[0] != '\r' || at[1] != '\n')
            return bad_octet(r->head, *at);
        if (at == line && line != r->first) {
            r->head->length = (size_t)(at + 2 - bytes);
            return HTTP1_OK;
        }
        if (!read_line(r, line, at))
            return HTTP1_BAD;
        line = at += 2;
    }
    r->line = line;
    r->at = at;
    return HTTP1_MORE;
}

/* ---- heads ---- */

/* Where the line begins in which the last call stopped: no line end is between here and `examined`. */
static void resume(struct reading *r, const char *bytes, size_t examined)
{
    const char *lf;

    r->line = r->at = r->first;
    if (bytes + examined <= r->first)
        return;
    r->at = bytes + examined;
    lf = memrchr(r->first, '\n', (size_t)(r->at - r->first));
    if (lf)
        r->line = lf + 1;
}

static enum http1_result read_head(struct reading *r, const char *bytes, size_t n, size_t *examined)
{
    enum http1_result result;
    bool whole;

    r->end = bytes + (n < r->limits->head ? n : r->limits->head);
    r->headers_max = r->limits->headers < HTTP1_HEADERS_MAX ? r->limits->headers : HTTP1_HEADERS_MAX;
    resume(r, bytes, *examined);
    whole = r->line == r->first;
    result = read_lines(r, bytes);
    if (result == HTTP1_OK && !whole) {
        r->head->count = 0;
        r->line = r->at = r->first;
        result = read_lines(r, bytes);
    }
    *examined = result == HTTP1_MORE ? (size_t)(r->at - bytes) : 0;
    if (result == HTTP1_MORE && n >= r->limits->head) {
        *examined = 0;
        result = HTTP1_BAD;
        if (r->line == r->first)
            http1_refuse(r->head, 414, "the request line is too long");
        else
            http1_refuse(r->head, 431, "the head is too large");
    }
    if (result == HTTP1_OK && r->head->count > r->headers_max) {
        result = HTTP1_BAD;
        http1_refuse(r->head, 431, "there are too many headers");
    }
    return result;
}

enum http1_result http1_request(struct http1_head *h, const char *bytes, size_t n, size_t *examined,
                                const struct http1_limits *limits)
{
    struct reading r = {.head = h, .limits = limits, .first = bytes};
    enum http1_result result;

    *h = (struct http1_head){.headers = h->headers};
    for (size_t i = 0; i < 2 * EMPTY_LINES_MAX && i + 1 < n && memcmp(bytes + i, "\r\n", 2) == 0; i += 2)
        r.first = bytes + i + 2;
    result = read_head(&r, bytes, n, examined);
    if (result == HTTP1_OK && !http1_request_fields(h))
        result = HTTP1_BAD;
    return result;
}

enum http1_result http1_response(struct http1_head *h, const char *bytes, size_t n, size_t *examined,
                                 const struct http1_limits *limits, bool to_head)
{
    struct reading r = {.head = h, .limits = limits, .first = bytes, .response = true};
    enum http1_result result;

    *h = (struct http1_head){.headers = h->headers};
    result = read_head(&r, bytes, n, examined);
    if (result == HTTP1_OK && !http1_response_fields(h, to_head))
        result = HTTP1_BAD;
    if (result == HTTP1_BAD)
        h->status = 502;
    return result;
}

/* ---- using a head ---- */

const struct weir_str *http1_find(const struct http1_head *h, struct weir_str name)
{
    for (size_t i = 0; i < h->count; i++)
        if (str_eq_nocase(h->headers[i].name, name))
            return &h->headers[i].value;
    return NULL;
}

void http1_rebase(struct http1_head *h, const char *from, const char *to)
{
    struct weir_str *views[] = {&h->method, &h->target, &h->authority, &h->path, &h->query};

    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (views[i]->ptr)
            views[i]->ptr = to + (views[i]->ptr - from);
    for (size_t i = 0; i < h->count; i++) {
        h->headers[i].name.ptr = to + (h->headers[i].name.ptr - from);
        h->headers[i].value.ptr = to + (h->headers[i].value.ptr - from);
    }
}
