/* SPDX-License-Identifier: MIT */
/*
 * weir_test_json.h -- part of weir_test.h: checks a JSON text and lists its nodes as weir.h describes them; string
 * escapes. Written to be read, not to be fast: recursive, and it compares every key with every other.
 */
#ifndef WEIR_TEST_JSON_H
#define WEIR_TEST_JSON_H

#ifndef WEIR_TEST_H
#error "include weir_test.h"
#endif

/* ---- escapes ---- */

static inline unsigned wt_hex4(const char *p)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        v = v * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

static inline size_t wt_utf8(char *to, unsigned c)
{
    if (c < 0x80)
        return to[0] = (char)c, 1;
    if (c < 0x800)
        return to[0] = (char)(0xC0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return to[0] = (char)(0xE0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)), to[2] = (char)(0x80 | (c & 63)), 3;
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The escape at p: its value into `to`, bytes used into `used`.  Half a surrogate pair becomes its own three bytes. */
static inline size_t wt_escape_value(const char *p, const char *end, char *to, size_t *used)
{
    static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
    unsigned c, low;

    if (p[1] != 'u') {
        const char *at = strchr(from, p[1]);
        *used = 2;
        to[0] = at ? into[at - from] : p[1];
        return 1;
    }
    *used = 6;
    c = wt_hex4(p + 2);
    if (c >= 0xD800 && c < 0xDC00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
        low = wt_hex4(p + 8);
        if (low >= 0xDC00 && low < 0xE000) {
            *used = 12;
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return wt_utf8(to, c);
}

/* The value of a string's raw text.  `map`, when given, gets for each byte of it where that stands in the raw text, and
 * one more for the end. */
static inline struct weir_str wt_unescape(struct weir_test_block **list, struct weir_str raw, uint32_t *map)
{
    char *to;
    size_t n = 0, used = 1, width;

    if (!map && !(raw.len && memchr(raw.ptr, '\\', raw.len)))
        return raw;
    to = wt_alloc(list, raw.len);
    for (size_t i = 0; i < raw.len; i += used) {
        char value[4];
        if (raw.ptr[i] == '\\') {
            width = wt_escape_value(raw.ptr + i, raw.ptr + raw.len, value, &used);
        } else {
            value[0] = raw.ptr[i];
            width = used = 1;
        }
        memcpy(to + n, value, width);
        for (size_t k = 0; map && k < width; k++)
            map[n + k] = (uint32_t)i;
        n += width;
    }
    if (map)
        map[n] = (uint32_t)raw.len;
    return (struct weir_str){to, n};
}

static inline void wt_escape(struct weir_test_buf *b, struct weir_str s)
{
    static const char from[] = "\b\f\n\r\t", into[] = "bfnrt";
    char small[8];

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        const char *at = c && c < 0x20 ? strchr(from, c) : NULL;
        if (c == '"' || c == '\\') {
            snprintf(small, sizeof small, "\\%c", c);
        } else if (at) {
            snprintf(small, sizeof small, "\\%c", into[at - from]);
        } else if (c < 0x20) {
            snprintf(small, sizeof small, "\\u%04x", c);
        } else if (c == 0xED && i + 2 < s.len && (unsigned char)s.ptr[i + 1] >= 0xA0) {
            unsigned half = 0xD000u | ((unsigned char)s.ptr[i + 1] & 63u) << 6 | ((unsigned char)s.ptr[i + 2] & 63u);
            snprintf(small, sizeof small, "\\u%04x", half);
            i += 2;
        } else {
            wt_add(b, (struct weir_str){s.ptr + i, 1});
            continue;
        }
        wt_add_text(b, small);
    }
}

/* ---- the skim ---- */

enum { WT_DEPTH = 128 };

struct wt_skim {
    const char *text;
    size_t at, len;
    struct weir_test_list nodes;
    struct weir_error *error;
};

static inline struct weir_node *wt_node(struct wt_skim *s, uint32_t i)
{
    return (struct weir_node *)s->nodes.items + i;
}

static inline bool wt_skim_fails(struct wt_skim *s, const char *code, const char *what)
{
    return wt_error(s->error, code, "", "%s at byte %zu", what, s->at);
}

static inline uint32_t wt_skim_push(struct wt_skim *s, enum weir_json_type type, unsigned depth)
{
    struct weir_node *n = wt_push(&s->nodes, sizeof *n);
    uint32_t index = (uint32_t)s->nodes.count - 1;

    *n = (struct weir_node){.at = (uint32_t)s->at, .next = index + 1, .type = (uint8_t)type, .depth = (uint16_t)depth};
    return index;
}

static inline int wt_peek(struct wt_skim *s)
{
    return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static inline int wt_peek_token(struct wt_skim *s)
{
    while (wt_peek(s) == ' ' || wt_peek(s) == '\t' || wt_peek(s) == '\n' || wt_peek(s) == '\r')
        s->at++;
    return wt_peek(s);
}

static inline bool wt_between(int c, int low, int high)
{
    return c >= low && c <= high;
}

static inline bool wt_hex(int c)
{
    return wt_between(c, '0', '9') || wt_between(c | 32, 'a', 'f');
}

/* One character of more than one byte, as RFC 3629 draws the line. */
static inline bool wt_skim_utf8(struct wt_skim *s)
{
    int c = wt_peek(s), low = 0x80, high = 0xBF, more;

    more = wt_between(c, 0xC2, 0xDF) ? 1 : wt_between(c, 0xE0, 0xEF) ? 2 : wt_between(c, 0xF0, 0xF4) ? 3 : 0;
    if (!more)
        return wt_skim_fails(s, "invalid_utf8", "a byte that is no UTF-8");
    if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xF4)
        high = 0x8F;
    for (s->at++; more; more--, s->at++, low = 0x80, high = 0xBF)
        if (!wt_between(wt_peek(s), low, high))
            return wt_skim_fails(s, "invalid_utf8", "a byte that is no UTF-8");
    return true;
}

static inline bool wt_skim_escape(struct wt_skim *s)
{
    int c;

    s->at++;
    c = wt_peek(s);
    if (c <= 0 || !strchr("\"\\/bfnrtu", c))
        return wt_skim_fails(s, "invalid_json", "an escape that does not exist");
    s->at++;
    for (int i = 0; c == 'u' && i < 4; i++, s->at++)
        if (!wt_hex(wt_peek(s)))
            return wt_skim_fails(s, "invalid_json", "\\u without four hexadecimal digits");
    return true;
}

static inline bool wt_skim_string(struct wt_skim *s, unsigned depth)
{
    uint32_t node;
    int c;

    s->at++;
    node = wt_skim_push(s, WEIR_JSON_STRING, depth);
    while ((c = wt_peek(s)) != '"') {
        if (c < 0x20)
            return wt_skim_fails(s, "invalid_json",
                                 c < 0 ? "a string that does not end" : "a control character in a string");
        if (c == '\\') {
            wt_node(s, node)->escaped = 1;
            if (!wt_skim_escape(s))
                return false;
        } else if (c >= 0x80) {
            if (!wt_skim_utf8(s))
                return false;
        } else {
            s->at++;
        }
    }
    wt_node(s, node)->len = (uint32_t)s->at - wt_node(s, node)->at;
    s->at++;
    return true;
}

static inline bool wt_skim_digits(struct wt_skim *s)
{
    if (!wt_between(wt_peek(s), '0', '9'))
        return wt_skim_fails(s, "invalid_json", "a digit is missing");
    while (wt_between(wt_peek(s), '0', '9'))
        s->at++;
    return true;
}

static inline bool wt_skim_number(struct wt_skim *s)
{
    if (wt_peek(s) == '-')
        s->at++;
    if (wt_peek(s) == '0')
        s->at++;
    else if (!wt_skim_digits(s))
        return false;
    if (wt_peek(s) == '.') {
        s->at++;
        if (!wt_skim_digits(s))
            return false;
    }
    if (wt_peek(s) == 'e' || wt_peek(s) == 'E') {
        s->at++;
        if (wt_peek(s) == '+' || wt_peek(s) == '-')
            s->at++;
        return wt_skim_digits(s);
    }
    return true;
}

static inline bool wt_skim_word(struct wt_skim *s, const char *word)
{
    size_t n = strlen(word);

    if (s->len - s->at < n || memcmp(s->text + s->at, word, n) != 0)
        return wt_skim_fails(s, "invalid_json", "no JSON value");
    s->at += n;
    return true;
}

/* A number, true, false or null: a node as a member's value or at the root, none as an array's element. */
static inline bool wt_skim_scalar(struct wt_skim *s, unsigned depth, bool element)
{
    int c = wt_peek(s);
    enum weir_json_type type = c == 't'   ? WEIR_JSON_TRUE
                               : c == 'f' ? WEIR_JSON_FALSE
                               : c == 'n' ? WEIR_JSON_NULL
                                          : WEIR_JSON_NUMBER;
    uint32_t node = element ? 0 : wt_skim_push(s, type, depth);
    bool good = c == 't'   ? wt_skim_word(s, "true")
                : c == 'f' ? wt_skim_word(s, "false")
                : c == 'n' ? wt_skim_word(s, "null")
                : c == '-' || wt_between(c, '0', '9')
                    ? wt_skim_number(s)
                    : wt_skim_fails(s, "invalid_json", c < 0 ? "the text ends too early" : "no JSON value");

    if (good && !element)
        wt_node(s, node)->len = (uint32_t)s->at - wt_node(s, node)->at;
    return good;
}

static inline bool wt_key_same(const struct weir_json *j, uint32_t a, uint32_t b)
{
    struct weir_test_block *temporary = NULL;
    struct weir_str x = wt_unescape(&temporary, weir_json_text(j, a), NULL);
    struct weir_str y = wt_unescape(&temporary, weir_json_text(j, b), NULL);
    bool same = x.len == y.len && (x.len == 0 || memcmp(x.ptr, y.ptr, x.len) == 0);

    wt_free(&temporary);
    return same;
}

static inline bool wt_skim_keys_differ(struct wt_skim *s, uint32_t object)
{
    struct weir_json j = {{s->text, s->len}, s->nodes.items, (uint32_t)s->nodes.count};

    for (uint32_t a = weir_json_first(&j, object); a != WEIR_NO_NODE; a = weir_json_next(&j, object, a + 1))
        for (uint32_t b = weir_json_first(&j, object); b != a; b = weir_json_next(&j, object, b + 1))
            if (wt_key_same(&j, a, b))
                return wt_skim_fails(s, "duplicate_key", "a key stands twice in the object that ends");
    return true;
}

static inline bool wt_skim_value(struct wt_skim *s, unsigned depth, bool element);

static inline bool wt_skim_member(struct wt_skim *s, unsigned depth)
{
    if (wt_peek(s) != '"')
        return wt_skim_fails(s, "invalid_json", "a key is missing");
    if (!wt_skim_string(s, depth))
        return false;
    if (wt_peek_token(s) != ':')
        return wt_skim_fails(s, "invalid_json", "a colon is missing");
    s->at++;
    return wt_skim_value(s, depth, false);
}

static inline bool wt_skim_container(struct wt_skim *s, unsigned depth)
{
    bool object = wt_peek(s) == '{';
    int end = object ? '}' : ']';
    uint32_t node = wt_skim_push(s, object ? WEIR_JSON_OBJECT : WEIR_JSON_ARRAY, depth);

    if (depth >= WT_DEPTH)
        return wt_skim_fails(s, "json_too_deep", "too many levels");
    s->at++;
    if (wt_peek_token(s) != end)
        for (;;) {
            wt_peek_token(s);
            if (object ? !wt_skim_member(s, depth + 1) : !wt_skim_value(s, depth + 1, true))
                return false;
            if (wt_peek_token(s) == end)
                break;
            if (wt_peek(s) != ',')
                return wt_skim_fails(s, "invalid_json", "a comma or the end is missing");
            s->at++;
        }
    s->at++;
    wt_node(s, node)->len = (uint32_t)s->at - wt_node(s, node)->at;
    wt_node(s, node)->next = (uint32_t)s->nodes.count;
    return !object || wt_skim_keys_differ(s, node);
}

static inline bool wt_skim_value(struct wt_skim *s, unsigned depth, bool element)
{
    int c = wt_peek_token(s);

    if (c == '"')
        return wt_skim_string(s, depth);
    if (c == '{' || c == '[')
        return wt_skim_container(s, depth);
    return wt_skim_scalar(s, depth, element);
}

/* Checks `text` whole; on success `out` borrows it, and the nodes live in `list`. */
static inline bool wt_skim(struct weir_test_block **list, struct weir_str text, struct weir_json *out,
                           struct weir_error *error)
{
    struct wt_skim s = {.text = text.ptr, .len = text.len, .error = error};
    bool good = wt_skim_value(&s, 0, false);

    if (good && wt_peek_token(&s) >= 0)
        good = wt_skim_fails(&s, "invalid_json", "something follows the value");
    if (good) {
        struct weir_node *nodes = wt_alloc(list, s.nodes.count * sizeof *nodes);
        memcpy(nodes, s.nodes.items, s.nodes.count * sizeof *nodes);
        *out = (struct weir_json){text, nodes, (uint32_t)s.nodes.count};
    }
    wt_list_free(&s.nodes);
    return good;
}

#endif
