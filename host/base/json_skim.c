/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_skim.c -- the pass itself; see json_skim.h.
 *
 * Every scan_*() takes the place where it begins and returns the one behind what it read, or NULL with the error set.
 * Open containers are frames, not calls: hostile nesting costs no stack.
 */
#include "base/json_skim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#if defined __SSE2__ && !defined JSON_SKIM_SCALAR
#include <emmintrin.h>
#define SKIM_SSE2 1
#else
#define SKIM_SSE2 0
#endif

struct scan {
    const uint8_t *text, *end;
    struct weir_node *nodes; /* those of the skim */
    uint32_t count, room;    /* room: how many `nodes` holds now */
    uint32_t depth;          /* open containers */
    struct json_limits limits;
    struct json_skim *skim;
    struct weir_error *error;
};

/* Up to this many keys are compared with those before them. */
#define FEW_KEYS 16

void json_skim_fini(struct json_skim *skim)
{
    free(skim->nodes);
    free(skim->frames);
    json_keys_fini(&skim->keys);
    *skim = (struct json_skim){0};
}

/* ---- errors ---- */

static const uint8_t *refuse(struct scan *s, const uint8_t *at, const char *code, const char *what)
{
    snprintf(s->error->text, sizeof s->error->text, "%s at byte %zu", what, (size_t)(at - s->text));
    snprintf(s->error->code, sizeof s->error->code, "%s", code);
    s->error->field[0] = '\0';
    return NULL;
}

static const uint8_t *refuse_expected(struct scan *s, const uint8_t *at, const char *what)
{
    char text[96];

    snprintf(text, sizeof text, "the JSON text %s: expected %s", at == s->end ? "ends early" : "is wrong", what);
    return refuse(s, at, "invalid_json", text);
}

/* ---- nodes and frames ---- */

static bool nodes_grow(struct scan *s, const uint8_t *at)
{
    struct json_skim *skim = s->skim;

    if (s->count >= s->limits.nodes) {
        refuse(s, at, "json_too_large", "the JSON text holds too many values");
        return false;
    }
    if (s->count == skim->node_cap) {
        skim->node_cap = skim->node_cap ? skim->node_cap * 2 : 128;
        skim->nodes = must_realloc(skim->nodes, skim->node_cap * sizeof *skim->nodes);
        s->nodes = skim->nodes;
    }
    s->room = skim->node_cap < s->limits.nodes ? (uint32_t)skim->node_cap : s->limits.nodes;
    return true;
}

/* Bytes [from, to) as a node with nothing below it. */
static inline bool node_add(struct scan *s, enum weir_json_type type, const uint8_t *from, const uint8_t *to,
                            bool escaped)
{
    if (s->count == s->room && !nodes_grow(s, from))
        return false;
    s->nodes[s->count] = (struct weir_node){
        .at = (uint32_t)(from - s->text),
        .len = (uint32_t)(to - from),
        .next = s->count + 1,
        .type = (uint8_t)type,
        .escaped = escaped,
        .depth = (uint16_t)s->depth,
    };
    s->count++;
    return true;
}

static bool frame_push(struct scan *s, uint32_t node, const uint8_t *at)
{
    struct json_skim *skim = s->skim;

    if (s->depth >= s->limits.depth) {
        refuse(s, at, "json_too_deep", "the JSON text is nested too deeply");
        return false;
    }
    if (s->depth == skim->frame_cap) {
        skim->frame_cap = skim->frame_cap ? skim->frame_cap * 2 : 32;
        skim->frames = must_realloc(skim->frames, skim->frame_cap * sizeof *skim->frames);
    }
    skim->frames[s->depth++] = (struct json_frame){.node = node};
    return true;
}

/* ---- strings ---- */

/* Bytes of a string that need no look: all but quotes, backslashes, controls, and what is not ASCII. */
static inline const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
#if SKIM_SSE2
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        /* the comparison is signed, so that bytes of 0x80 and more are below a space too */
        __m128i stop =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmplt_epi8(v, space));
        int mask = _mm_movemask_epi8(stop);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20 && *p < 0x80)
        p++;
    return p;
}

static bool hex_four(const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        if (!(p[i] >= '0' && p[i] <= '9') && !((p[i] | 32) >= 'a' && (p[i] | 32) <= 'f'))
            return false;
    return true;
}

/* What may follow a backslash; 2 for `u`. */
static const uint8_t escapes[256] = {
    ['"'] = 1, ['\\'] = 1, ['/'] = 1, ['b'] = 1, ['f'] = 1, ['n'] = 1, ['r'] = 1, ['t'] = 1, ['u'] = 2,
};

static inline const uint8_t *scan_escape(struct scan *s, const uint8_t *p)
{
    if (s->end - p < 2)
        return refuse_expected(s, s->end, "the rest of an escape");
    switch (escapes[p[1]]) {
    case 1:
        return p + 2;
    case 2:
        if (s->end - p >= 6 && hex_four(p + 2))
            return p + 6;
        return refuse_expected(s, p, "four hexadecimal digits in this escape");
    default:
        return refuse_expected(s, p, "an escape that JSON knows");
    }
}

static inline bool is_tail(uint8_t c)
{
    return (c & 0xC0) == 0x80;
}

/* Bytes of the well-formed sequence at p, which is not ASCII; 0 when there is none (RFC 3629, section 4). */
static size_t utf8_length(const uint8_t *p, size_t n)
{
    uint8_t c = p[0];

    if (c >= 0xC2 && c <= 0xDF)
        return n >= 2 && is_tail(p[1]) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (n < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        return (c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) ? 0 : 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (n < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
            return 0;
        return (c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F) ? 0 : 4;
    }
    return 0;
}

static const uint8_t *scan_utf8(struct scan *s, const uint8_t *p)
{
    while (p < s->end && *p >= 0x80) {
        size_t n = utf8_length(p, (size_t)(s->end - p));
        if (!n)
            return refuse(s, p, "invalid_utf8", "a string is not valid UTF-8");
        p += n;
    }
    return p;
}

/* From behind the opening quote to the closing one. */
static inline const uint8_t *scan_string(struct scan *s, const uint8_t *p, bool *escaped)
{
    *escaped = false;
    while (p) {
        p = skip_plain(p, s->end);
        if (p == s->end)
            return refuse_expected(s, p, "the quote that ends this string");
        if (*p == '"')
            return p;
        if (*p == '\\') {
            *escaped = true;
            p = scan_escape(s, p);
        } else if (*p >= 0x80) {
            p = scan_utf8(s, p);
        } else {
            return refuse(s, p, "invalid_json", "a control character stands unescaped in a string");
        }
    }
    return NULL;
}

/* ---- what is no string ---- */

static inline const uint8_t *skip_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

static inline const uint8_t *skip_digits(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const uint8_t *scan_digits(struct scan *s, const uint8_t *p)
{
    const uint8_t *after = skip_digits(p, s->end);

    return after > p ? after : refuse_expected(s, p, "a digit");
}

static const uint8_t *scan_number(struct scan *s, const uint8_t *p)
{
    if (*p == '-')
        p++;
    if (p < s->end && *p == '0')
        p++;
    else if (!(p = scan_digits(s, p)))
        return NULL;
    if (p < s->end && *p == '.' && !(p = scan_digits(s, p + 1)))
        return NULL;
    if (p < s->end && (*p | 32) == 'e') {
        p++;
        if (p < s->end && (*p == '+' || *p == '-'))
            p++;
        p = scan_digits(s, p);
    }
    return p;
}

static const uint8_t *scan_word(struct scan *s, const uint8_t *p, const char *word, size_t len)
{
    if ((size_t)(s->end - p) < len || memcmp(p, word, len) != 0)
        return refuse_expected(s, p, "a value");
    return p + len;
}

static const uint8_t *scan_plain(struct scan *s, const uint8_t *p, enum weir_json_type *type)
{
    switch (*p) {
    case 't':
        *type = WEIR_JSON_TRUE;
        return scan_word(s, p, "true", 4);
    case 'f':
        *type = WEIR_JSON_FALSE;
        return scan_word(s, p, "false", 5);
    case 'n':
        *type = WEIR_JSON_NULL;
        return scan_word(s, p, "null", 4);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        *type = WEIR_JSON_NUMBER;
        return scan_number(s, p);
    default:
        return refuse_expected(s, p, "a value");
    }
}

/* ---- containers ---- */

/* `p` is behind the closing bracket. */
static inline void node_close(struct scan *s, uint32_t node, const uint8_t *p)
{
    s->nodes[node].len = (uint32_t)(p - s->text) - s->nodes[node].at;
    s->nodes[node].next = s->count;
}

/* An empty container is closed at once; another one becomes a frame, and its first item is next. */
static inline const uint8_t *scan_open(struct scan *s, const uint8_t *p)
{
    uint8_t close = *p == '{' ? '}' : ']';
    uint32_t node = s->count;

    if (!node_add(s, *p == '{' ? WEIR_JSON_OBJECT : WEIR_JSON_ARRAY, p, p, false) || !frame_push(s, node, p))
        return NULL;
    p = skip_space(p + 1, s->end);
    if (p < s->end && *p == close) {
        s->depth--;
        node_close(s, node, ++p);
    }
    return p;
}

static inline const uint8_t *scan_value(struct scan *s, const uint8_t *p, bool element)
{
    const uint8_t *from = p;
    enum weir_json_type type = WEIR_JSON_NULL;
    bool escaped;

    if (p == s->end)
        return refuse_expected(s, p, "a value");
    if (*p == '"') {
        p = scan_string(s, p + 1, &escaped);
        return p && node_add(s, WEIR_JSON_STRING, from + 1, p, escaped) ? p + 1 : NULL;
    }
    if (*p == '{' || *p == '[')
        return scan_open(s, p);
    p = scan_plain(s, p, &type);
    return p && (element || node_add(s, type, from, p, false)) ? p : NULL;
}

/* ---- keys ---- */

static const uint8_t *refuse_repeated(struct scan *s, uint32_t key)
{
    return refuse(s, s->text + s->nodes[key].at, "duplicate_key", "an object holds the same key twice, again");
}

static struct weir_json so_far(const struct scan *s)
{
    return (struct weir_json){{(const char *)s->text, (size_t)(s->end - s->text)}, s->nodes, s->count};
}

/* `key` against every key of its object before it.  None of them is escaped. */
static bool key_repeats(const struct scan *s, const struct json_frame *f, uint32_t key)
{
    const struct weir_node *n = &s->nodes[key];
    uint32_t before = f->node + 1;

    for (uint32_t i = 0; i < f->keys; i++, before = s->nodes[before + 1].next)
        if (s->nodes[before].len == n->len && memcmp(s->text + s->nodes[before].at, s->text + n->at, n->len) == 0)
            return true;
    return false;
}

/* One of 64 bits for a key; a key whose bit nobody had is new. */
static inline uint64_t key_bit(const struct weir_node *n, const uint8_t *text)
{
    const uint8_t *k = text + n->at;

    return n->len ? 1ull << ((n->len + k[0] * 5u + k[n->len - 1] * 11u + k[n->len / 2] * 23u) & 63) : 1;
}

/* Objects with many keys, or with an escaped one, wait for the hash table at their end. */
static inline bool key_is_new(struct scan *s, struct json_frame *f, uint32_t key)
{
    const struct weir_node *n = &s->nodes[key];
    uint64_t bit = key_bit(n, s->text);

    f->hashed |= n->escaped || f->keys == FEW_KEYS;
    if (!f->hashed && (f->seen & bit) && key_repeats(s, f, key))
        return false;
    f->seen |= bit;
    f->keys++;
    return true;
}

/* From a key's opening quote to its value. */
static inline const uint8_t *scan_key(struct scan *s, struct json_frame *f, const uint8_t *p)
{
    const uint8_t *from = p + 1;
    uint32_t key = s->count;
    bool escaped;

    if (p == s->end || *p != '"')
        return refuse_expected(s, p, "a key");
    p = scan_string(s, from, &escaped);
    if (!p || !node_add(s, WEIR_JSON_STRING, from, p, escaped))
        return NULL;
    if (!key_is_new(s, f, key))
        return refuse_repeated(s, key);
    p = skip_space(p + 1, s->end);
    if (p == s->end || *p != ':')
        return refuse_expected(s, p, "a colon");
    return skip_space(p + 1, s->end);
}

static inline const uint8_t *scan_close(struct scan *s, const struct json_frame *f, const uint8_t *p)
{
    s->depth--;
    node_close(s, f->node, p + 1);
    if (f->hashed) {
        struct weir_json j = so_far(s);
        uint32_t key = json_keys_repeated(&s->skim->keys, &j, f->node + 1, f->keys);
        if (key != WEIR_NO_NODE)
            return refuse_repeated(s, key);
    }
    return p + 1;
}

/* The next item of the innermost container, or its end. */
static inline const uint8_t *scan_item(struct scan *s, const uint8_t *p, bool first)
{
    struct json_frame *f = &s->skim->frames[s->depth - 1];
    bool object = s->nodes[f->node].type == WEIR_JSON_OBJECT;

    if (!first) {
        p = skip_space(p, s->end);
        if (p < s->end && *p == (object ? '}' : ']'))
            return scan_close(s, f, p);
        if (p == s->end || *p != ',')
            return refuse_expected(s, p, object ? "a comma or }" : "a comma or ]");
        p = skip_space(p + 1, s->end);
    }
    if (object)
        p = scan_key(s, f, p);
    return p ? scan_value(s, p, !object) : NULL;
}

static bool scan_text(struct scan *s)
{
    const uint8_t *p = scan_value(s, skip_space(s->text, s->end), false);
    bool first = true;

    while (p && s->depth) {
        uint32_t before = s->depth;
        p = scan_item(s, p, first);
        first = s->depth > before;
    }
    if (p && (p = skip_space(p, s->end)) != s->end)
        p = refuse_expected(s, p, "nothing behind the value");
    return p != NULL;
}

bool json_skim(struct json_skim *skim, struct weir_str text, const struct json_limits *limits, struct weir_json *out,
               struct weir_error *error)
{
    const uint8_t *from = (const uint8_t *)(text.len ? text.ptr : "");
    struct scan s = {.text = from, .nodes = skim->nodes, .limits = *limits, .skim = skim, .error = error};

    s.end = from + text.len;
    if (s.limits.depth > UINT16_MAX)
        s.limits.depth = UINT16_MAX;
    if (text.len >= UINT32_MAX) {
        refuse(&s, from, "json_too_large", "the JSON text is larger than 4 GB");
        return false;
    }
    if (!scan_text(&s))
        return false;
    *out = so_far(&s);
    return true;
}

bool json_skim_arena(struct arena *arena, struct json_skim *skim, struct weir_str text,
                     const struct json_limits *limits, struct weir_json *out, struct weir_error *error)
{
    struct weir_node *nodes;

    if (!json_skim(skim, text, limits, out, error))
        return false;
    nodes = arena_alloc(arena, out->count * sizeof *nodes);
    out->nodes = memcpy(nodes, out->nodes, out->count * sizeof *nodes);
    return true;
}
