/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c -- writes records fast, in the room that record_begin() made sure of, and reads them back; see record.h.
 *
 * Every member needs a few instructions a byte: names are copied from padded constants, strings eight bytes at a time.
 */
#include "ipc/record.h"

#include "base/json_text.h"
#include "base/must.h"

#define NAME_ROOM   24u
#define TAIL_LABELS "},\"cut\":true}" /* the longest end of a record */
#define TAIL_CUT    ",\"cut\":true}"
#define BUDGET      (RECORD_MAX - (sizeof TAIL_LABELS - 1))
#define ID_MAX      128u
#define SEEN_FIRST  7u /* kind, time and id are written by record_begin() */

struct name {
    char text[NAME_ROOM];
    uint8_t len;
}; /* `,"name":`; one copy of fixed size, then len says how far */

#define RECORD_ROW(name, help) [RECORD_##name] = {",\"" #name "\":", sizeof ",\"" #name "\":" - 1},
static const struct name names[] = {RECORD_FIELDS(RECORD_ROW)};
#undef RECORD_ROW
#define RECORD_ROW(name, help) {#name, help},
static const struct {
    const char *name, *help;
} fields[] = {RECORD_FIELDS(RECORD_ROW)};
#undef RECORD_ROW
#define BEGIN(name)            "{\"kind\":\"" #name "\",\"time\":"
#define RECORD_ROW(name, help) {#name, help, BEGIN(name), sizeof BEGIN(name) - 1},
static const struct {
    const char *name, *help;
    char begin[2 * NAME_ROOM];
    uint8_t begin_len;
} kinds[] = {RECORD_KINDS(RECORD_ROW)};
#undef RECORD_ROW

_Static_assert(RECORD_FIELD_COUNT <= 64, "one bit a field in record_writer.seen");

const char *record_field_name(enum record_field f)
{
    return fields[f].name;
}
const char *record_field_help(enum record_field f)
{
    return fields[f].help;
}
const char *record_kind_name(enum record_kind k)
{
    return kinds[k].name;
}
const char *record_kind_help(enum record_kind k)
{
    return kinds[k].help;
}

/* ---- text ---- */

static const char digits[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static inline char *put_4(char *to, uint32_t u)
{
    memcpy(to, digits + u / 100 * 2, 2);
    memcpy(to + 2, digits + u % 100 * 2, 2);
    return to + 4;
}

static inline char *put_8(char *to, uint32_t u)
{
    return put_4(put_4(to, u / 10000), u % 10000);
}

/* Less than 10,000, without zeros before it. */
static inline char *put_short(char *to, uint32_t u)
{
    if (u >= 1000)
        return put_4(to, u);
    if (u >= 100) {
        *to++ = (char)('0' + u / 100);
        u %= 100;
    } else if (u < 10) {
        *to = (char)('0' + u);
        return to + 1;
    }
    memcpy(to, digits + u * 2, 2);
    return to + 2;
}

static char *put_int(char *to, int64_t v)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    if (v < 0)
        *to++ = '-';
    if (u < 10000)
        return put_short(to, (uint32_t)u);
    if (u < 100000000)
        return put_4(put_short(to, (uint32_t)u / 10000), (uint32_t)u % 10000);
    return put_8(put_int(to, (int64_t)(u / 100000000)), (uint32_t)(u % 100000000));
}

/* Bytes of the UTF-8 sequence at p; 0: it is none.  Half a surrogate pair (ED A0..BF) passes here, see put_odd(). */
static size_t utf8_length(const uint8_t *p, size_t n)
{
    size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (len == 0 || len > n || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static char *put_hex(char *to, unsigned code)
{
    static const char hex[] = "0123456789abcdef";

    memcpy(to, "\\u", 2);
    for (int i = 0; i < 4; i++)
        to[2 + i] = hex[code >> (12 - 4 * i) & 15];
    return to + 6;
}

/* One character that cannot be copied by its byte alone; at most 6 bytes.  Returns how many bytes of the value it was.
 */
static size_t put_odd(char **to, const uint8_t *p, size_t n)
{
    size_t len = p[0] < 0x80 ? 1 : utf8_length(p, n);

    if (len == 1 && (p[0] == '"' || p[0] == '\\')) {
        *(*to)++ = '\\';
        *(*to)++ = (char)p[0];
    } else if (len == 1 && p[0] < 0x20) {
        *to = put_hex(*to, p[0]);
    } else if (len == 0) {
        *to = put_hex(*to, 0xfffd); /* bytes of no character must not make the record unreadable */
        return 1;
    } else if (len == 3 && p[0] == 0xed && p[1] >= 0xa0) {
        *to = put_hex(*to, 0xd000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu));
    } else {
        memcpy(*to, p, len);
        *to += len;
    }
    return len;
}

/* Not 0 when one of eight bytes is a control, a quote, a backslash or not ASCII. */
static inline uint64_t odd_ones(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

    return ((w - ones * 0x20) | ((w ^ ones * '"') - ones) | ((w ^ ones * '\\') - ones) | w) & high;
}

/* Copies eight bytes at a time, the last eight overlapping those before; false: not all of them are plain ASCII. */
static inline bool copy_plain(char *to, const char *p, size_t n)
{
    uint64_t w, odd = 0;
    uint32_t first, last;

    for (size_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        odd |= odd_ones(w);
        memcpy(to + i, &w, 8);
    }
    if (n >= 8 && n % 8) {
        memcpy(&w, p + n - 8, 8);
        odd |= odd_ones(w);
        memcpy(to + n - 8, &w, 8);
    } else if (n >= 4 && n < 8) {
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        odd = odd_ones((uint64_t)first << 32 | last);
        memcpy(to, &first, 4);
        memcpy(to + n - 4, &last, 4);
    } else if (n < 4) {
        w = 0x2020202020202020u;
        for (size_t i = 0; i < n; i++)
            w = w << 8 | (uint8_t)(to[i] = p[i]);
        odd = odd_ones(w);
    }
    return !odd;
}

/* The value of a JSON string, as much of it as ends before `limit`; false: not all of it. */
static bool put_escaped(char **to, const char *limit, struct weir_str s)
{
    const char *p = s.ptr, *end = p + s.len;

    while (p < end) {
        uint8_t c = (uint8_t)*p;
        if (limit - *to < 6)
            return false;
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
            *(*to)++ = (char)c, p++;
        else
            p += put_odd(to, (const uint8_t *)p, (size_t)(end - p));
    }
    return true;
}

static inline bool put_text(char **to, const char *limit, struct weir_str s)
{
    if (limit - *to < (ptrdiff_t)s.len || !copy_plain(*to, s.ptr, s.len))
        return put_escaped(to, limit, s);
    *to += s.len;
    return true;
}

static inline struct weir_str cut_text(struct weir_str s, size_t most, bool *cut)
{
    if (s.len <= most)
        return s;
    *cut = true;
    s.len = most;
    while (s.len && ((uint8_t)s.ptr[s.len] & 0xc0) == 0x80)
        s.len--;
    return s;
}

/* ---- writing ---- */

struct record_writer record_begin(struct buf *to, enum record_kind kind, int64_t time_us, struct weir_str id)
{
    char *at = buf_room(to, RECORD_MAX + NAME_ROOM);
    struct record_writer w = {.to = to, .start = at, .limit = at + BUDGET, .seen = SEEN_FIRST};

    memcpy(at, kinds[kind].begin, NAME_ROOM * 2);
    at = put_int(at + kinds[kind].begin_len, time_us);
    memcpy(at, ",\"id\":\"", 7);
    at += 7;
    put_text(&at, w.limit, cut_text(id, ID_MAX, &w.cut));
    *at++ = '"';
    w.at = at;
    return w;
}

/* Where the value of a member goes, its name written; NULL: it has no room for `need` bytes of value. */
static inline char *member(struct record_writer *w, enum record_field f, size_t need)
{
    const struct name *name = &names[f];
    char *at = w->at;

    must(!(w->seen >> f & 1)); /* twice, or behind a label */
    w->seen |= (uint64_t)1 << f;
    if ((size_t)(w->limit - at) < NAME_ROOM + need) {
        w->cut = true;
        return NULL;
    }
    memcpy(at, name->text, NAME_ROOM);
    return at + name->len;
}

void record_str(struct record_writer *w, enum record_field f, struct weir_str s)
{
    char *at = s.len ? member(w, f, 8) : NULL;

    if (!at)
        return;
    *at++ = '"';
    if (!put_text(&at, w->limit - 1, cut_text(s, RECORD_STR_MAX, &w->cut)))
        w->cut = true;
    *at++ = '"';
    w->at = at;
}

void record_int(struct record_writer *w, enum record_field f, int64_t v)
{
    char *at = member(w, f, 20);

    if (at)
        w->at = put_int(at, v);
}

void record_bool(struct record_writer *w, enum record_field f, bool v)
{
    char *at = member(w, f, 5);

    if (!at)
        return;
    memcpy(at, v ? "true\0" : "false", 5);
    w->at = at + (v ? 4 : 5);
}

/* The end of the string that begins at p with its quote. */
static const char *string_end(const char *p)
{
    for (p++; *p != '"'; p++)
        p += *p == '\\';
    return p + 1;
}

static bool label_there(const struct record_writer *w, struct weir_str quoted)
{
    const char *p = w->labels, *end = quoted.ptr;

    while (p < end) {
        const char *colon = string_end(p);
        if (str_eq((struct weir_str){p, (size_t)(colon - p)}, quoted))
            return true;
        p = string_end(colon + 1) + 1;
    }
    return false;
}

void record_label(struct record_writer *w, struct weir_str name, struct weir_str value)
{
    char *at = w->at, *limit = w->limit - 1, *quoted;

    if (w->limit - at < (ptrdiff_t)(2 * NAME_ROOM)) {
        w->cut = true;
        return;
    }
    if (!w->labels) {
        memcpy(at, ",\"labels\":", 10);
        at += 10;
    }
    *at++ = w->labels ? ',' : '{';
    quoted = at;
    *at++ = '"';
    bool whole = put_text(&at, limit - 8, cut_text(name, ID_MAX, &w->cut));
    *at++ = '"';
    w->cut |= !whole;
    if (!whole || (w->labels && label_there(w, (struct weir_str){quoted, (size_t)(at - quoted)})))
        return; /* w->at has not moved: nothing was written */
    memcpy(at, ":\"", 2);
    at += 2;
    if (!put_text(&at, limit, cut_text(value, RECORD_STR_MAX, &w->cut)))
        w->cut = true;
    *at++ = '"';
    w->at = at;
    if (!w->labels) {
        w->labels = quoted;
        w->seen = UINT64_MAX;
    }
}

void record_end(struct record_writer *w)
{
    if (w->labels)
        *w->at++ = '}';
    if (w->cut) {
        memcpy(w->at, TAIL_CUT, sizeof TAIL_CUT - 1);
        w->at += sizeof TAIL_CUT - 1;
    } else {
        *w->at++ = '}';
    }
    w->to->len += (size_t)(w->at - w->start);
}

void record_shorten(struct buf *b, size_t start, size_t most)
{
    const char *text = b->ptr + start, *end = b->ptr + b->len, *keep = NULL;
    const char *tail = TAIL_CUT;
    int depth = 0;

    if (b->len - start <= most)
        return;
    must(most >= 512);
    for (const char *p = text; p < end; p++) {
        if (*p == '"') {
            p = string_end(p) - 1;
            continue;
        }
        depth += (*p == '{') - (*p == '}');
        if (*p != ',' || (size_t)(p - text) + sizeof TAIL_LABELS - 1 > most)
            continue;
        keep = p;
        tail = depth == 2 ? TAIL_LABELS : TAIL_CUT;
    }
    must(keep != NULL);
    b->len = (size_t)(keep - b->ptr);
    buf_put(b, tail, strlen(tail));
}

bool record_put(struct ring *r, enum ring_room room, struct buf *b, size_t start, uint64_t *position)
{
    if (ring_put(r, room, str_sub(buf_view(b), start, b->len), position))
        return true;
    if (room != RING_END)
        return false;
    record_shorten(b, start, RING_END_MAX);
    must(ring_put(r, room, str_sub(buf_view(b), start, b->len), position));
    return true;
}

/* ---- reading ---- */

static inline bool skip(struct weir_str *s, struct weir_str word)
{
    if (!str_starts(*s, word))
        return false;
    *s = str_sub(*s, word.len, s->len);
    return true;
}

static bool read_int(struct weir_str *s, int64_t *v)
{
    size_t i = 0;

    for (*v = 0; i < s->len && i < 18 && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++)
        *v = *v * 10 + (s->ptr[i] - '0');
    *s = str_sub(*s, i, s->len);
    return i > 0;
}

bool record_read_head(struct weir_str text, struct record_head *h)
{
    size_t end = 0, k = 0;

    *h = (struct record_head){.kind = KIND_COUNT};
    while (k < KIND_COUNT && !skip(&text, (struct weir_str){kinds[k].begin, kinds[k].begin_len}))
        k++;
    if (k == KIND_COUNT || !read_int(&text, &h->time_us) || !skip(&text, WEIR_STR(",\"id\":\"")))
        return false;
    while (end < text.len && text.ptr[end] != '"')
        end += text.ptr[end] == '\\' ? 2 : 1;
    if (end >= text.len)
        return false;
    h->kind = (enum record_kind)k;
    h->id = str_sub(text, 0, end);
    text = str_sub(text, end + 1, text.len);
    return !skip(&text, WEIR_STR(",\"attempt\":")) || read_int(&text, &h->attempt);
}

static struct weir_field read_field(struct arena *a, const struct weir_json *j, uint32_t key, const char *prefix)
{
    struct weir_str name = json_unescape(a, weir_json_text(j, key)), text = weir_json_text(j, key + 1);
    struct weir_field f = {.name = name, .text = text};

    if (*prefix)
        f.name = str_of(arena_printf(a, "%s" STR_FMT, prefix, STR_ARG(name)));
    if (weir_json_is(j, key + 1, WEIR_JSON_STRING))
        f.text = json_unescape(a, text);
    if (weir_json_is(j, key + 1, WEIR_JSON_NUMBER)) {
        f.is_number = true;
        f.number = weir_json_int(j, key + 1, 0);
    }
    return f;
}

static void read_members(struct arena *a, const struct weir_json *j, uint32_t object, const char *prefix,
                         struct weir_field *to, size_t *n)
{
    for (uint32_t k = weir_json_first(j, object); k != WEIR_NO_NODE; k = weir_json_next(j, object, k + 1)) {
        if (weir_json_is(j, k + 1, WEIR_JSON_OBJECT) && !*prefix)
            read_members(a, j, k + 1, "labels.", to, n);
        else
            to[(*n)++] = read_field(a, j, k, prefix);
    }
}

bool record_read(struct arena *a, struct json_skim *skim, uint64_t seq, struct weir_str text, struct weir_record *r)
{
    static const struct json_limits limits = {.depth = 4, .nodes = RECORD_MAX};
    struct weir_error ignored = {0};
    struct weir_field *to;
    struct weir_json j;
    size_t n = 0;

    if (text.len > RECORD_MAX || !json_skim(skim, text, &limits, &j, &ignored) ||
        !weir_json_is(&j, 0, WEIR_JSON_OBJECT))
        return false;
    uint32_t kind = weir_json_get(&j, 0, "kind"), when = weir_json_get(&j, 0, "time");
    if (!weir_json_is(&j, kind, WEIR_JSON_STRING) || !weir_json_is(&j, when, WEIR_JSON_NUMBER))
        return false;
    to = arena_alloc(a, j.count * sizeof *to);
    read_members(a, &j, 0, "", to, &n);
    *r = (struct weir_record){.size = sizeof *r,
                              .field_size = sizeof *to,
                              .seq = seq,
                              .time_us = weir_json_int(&j, when, 0),
                              .kind = json_unescape(a, weir_json_text(&j, kind)),
                              .fields = to,
                              .count = n,
                              .json = text};
    return true;
}
