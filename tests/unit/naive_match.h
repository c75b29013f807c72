/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naive_match.h -- the slow, plain meaning of a pattern, written from docs/deny.md and sharing nothing with
 * plugins/lib: it walks the pattern's own text and keeps, for each position of the subject, whether the match may stand
 * there.
 */
#ifndef NAIVE_MATCH_H
#define NAIVE_MATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAIVE_MAX 1024

struct naive { const char *p; const unsigned char *t; size_t n; bool caseless; };

static void naive_choice(struct naive *, const bool *in, bool *out);

static inline bool naive_word(int c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The character at `i`: its length, 0 for none. */
static inline size_t naive_char(const struct naive *m, size_t i, uint32_t *c)
{
    size_t len;

    if (i >= m->n)
        return 0;
    *c = m->t[i];
    if (*c < 0x80)
        return 1;
    if (*c < 0xc2 || *c > 0xf4)
        return 0;
    len = *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;
    *c &= 0xff >> (len + 1);
    for (size_t k = 1; k < len; k++) {
        if (i + k >= m->n || m->t[i + k] >> 6 != 2)
            return 0;
        *c = *c * 64 + m->t[i + k] % 64;
    }
    if ((len == 3 && *c < 0x800) || (len == 4 && (*c < 0x10000 || *c > 0x10ffff)))
        return 0;
    return len;
}

static inline uint32_t naive_literal(const char **p)
{
    struct naive whole = {.t = (const unsigned char *)*p, .n = strlen(*p)};
    uint32_t c = 0;
    size_t len;

    if (**p != '\\') {
        len = naive_char(&whole, 0, &c);
        *p += len;
        return c;
    }
    c = (unsigned char)(*p)[1];
    *p += 2;
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'f':
        return '\f';
    case 'v':
        return '\v';
    case 'x':
        c = (uint32_t)strtoul((char[]){(*p)[0], (*p)[1], 0}, NULL, 16);
        *p += 2;
    }
    return c;
}

/* \d \w \s and capitals at `p`: 1 yes, 0 no, -1 none of these. */
static inline int naive_named(const char *p, uint32_t c)
{
    bool has;

    if (p[0] != '\\')
        return -1;
    switch (p[1]) {
    case 'd':
    case 'D':
        has = c >= '0' && c <= '9';
        return has == (p[1] == 'd');
    case 'w':
    case 'W':
        has = c < 0x80 && naive_word((int)c);
        return has == (p[1] == 'w');
    case 's':
    case 'S':
        has = c == ' ' || (c >= 9 && c <= 13);
        return has == (p[1] == 's');
    }
    return -1;
}

static inline bool naive_in_range(bool caseless, uint32_t c, uint32_t from, uint32_t to)
{
    uint32_t other = c < 0x80 && naive_word((int)c) && c > '9' && c != '_' ? c ^ 32 : c;

    return (c >= from && c <= to) || (caseless && other >= from && other <= to);
}

/* Whether the class at m->p ("[...]") has c; *end is behind it. */
static inline bool naive_class(const struct naive *m, uint32_t c, const char **end)
{
    const char *p = m->p + 1;
    bool negated = *p == '^', has = false;

    p += negated;
    while (*p != ']') {
        int named = naive_named(p, c);
        if (named >= 0) {
            has |= named;
            p += 2;
            continue;
        }
        uint32_t from = naive_literal(&p), to = from;
        if (p[0] == '-' && p[1] != ']') {
            p++;
            to = naive_literal(&p);
        }
        has |= naive_in_range(m->caseless, c, from, to);
    }
    *end = p + 1;
    return has != negated;
}

/* One character at m->p of the pattern against c. */
static inline bool naive_has(const struct naive *m, uint32_t c, const char **end)
{
    int named = naive_named(m->p, c);
    const char *p = m->p;
    uint32_t want;

    *end = p + 2;
    if (named >= 0)
        return named;
    if (*p == '[')
        return naive_class(m, c, end);
    if (*p == '.') {
        *end = p + 1;
        return c != '\n';
    }
    want = naive_literal(&p);
    *end = p;
    return naive_in_range(m->caseless, c, want, want);
}

static inline void naive_atom(struct naive *m, const bool *in, bool *out)
{
    const char *end = NULL;

    memset(out, 0, m->n + 1);
    if (*m->p == '(') {
        m->p += m->p[1] == '?' ? 3 : 1;
        naive_choice(m, in, out);
        m->p++;
        return;
    }
    if (m->p[0] == '\\' && (m->p[1] | 32) == 'b') {
        for (size_t i = 0; i <= m->n; i++) {
            bool left = i > 0 && naive_word(m->t[i - 1]), right = i < m->n && naive_word(m->t[i]);
            out[i] = in[i] && (left != right) == (m->p[1] == 'b');
        }
        m->p += 2;
        return;
    }
    naive_has(m, 0, &end);
    for (size_t i = 0; i < m->n; i++) {
        uint32_t c;
        size_t len = in[i] ? naive_char(m, i, &c) : 0;
        if (len && naive_has(m, c, &end))
            out[i + len] = true;
    }
    m->p = end;
}

static inline void naive_repeat(struct naive *m, const bool *in, bool *out)
{
    const char *start = m->p;
    bool now[NAIVE_MAX + 1], next[NAIVE_MAX + 1];
    unsigned long least = 1, most = 1;

    naive_atom(m, in, next);
    if (*m->p == '?') {
        least = 0;
        m->p++;
    } else if (*m->p == '{') {
        char *e;
        most = least = strtoul(m->p + 1, &e, 10);
        if (*e == ',')
            most = strtoul(e + 1, &e, 10);
        m->p = e + 1;
    }
    const char *end = m->p;
    memset(out, 0, m->n + 1);
    memcpy(now, in, m->n + 1);
    for (unsigned long k = 0; k <= most; k++) {
        for (size_t i = 0; k >= least && i <= m->n; i++)
            out[i] |= now[i];
        if (k == most)
            break;
        m->p = start;
        naive_atom(m, now, next);
        memcpy(now, next, m->n + 1);
    }
    m->p = end;
}

static void naive_choice(struct naive *m, const bool *in, bool *out)
{
    bool now[NAIVE_MAX + 1], next[NAIVE_MAX + 1];

    memset(out, 0, m->n + 1);
    for (;;) {
        memcpy(now, in, m->n + 1);
        while (*m->p && *m->p != '|' && *m->p != ')') {
            naive_repeat(m, now, next);
            memcpy(now, next, m->n + 1);
        }
        for (size_t i = 0; i <= m->n; i++)
            out[i] |= now[i];
        if (*m->p != '|')
            return;
        m->p++;
    }
}

/* Bytes of the longest match of `pattern` that begins at `from`; 0 for none. */
static inline size_t naive_longest(const char *pattern, const char *text, size_t n, size_t from)
{
    struct naive m = {.p = pattern, .t = (const unsigned char *)text, .n = n};
    bool in[NAIVE_MAX + 1] = {false}, out[NAIVE_MAX + 1];

    if (strncmp(pattern, "(?i)", 4) == 0) {
        m.caseless = true;
        m.p += 4;
    }
    in[from] = true;
    naive_choice(&m, in, out);
    for (size_t end = n; end > from; end--)
        if (out[end])
            return end - from;
    return 0;
}

/* `text` with matches that overlap replaced by one `mark`; returns the length.  masked[i]: byte i is in a match. */
static inline size_t naive_masked(const char *const *patterns, size_t count, const char *text, size_t n, char mark,
                                  char *out, bool *masked)
{
    size_t end = 0, len = 0;

    for (size_t i = 0; i < n; i++) {
        size_t longest = 0;
        for (size_t k = 0; k < count; k++) {
            size_t l = naive_longest(patterns[k], text, n, i);
            longest = l > longest ? l : longest;
        }
        if (longest && i >= end)
            out[len++] = mark;
        if (longest && i + longest > end)
            end = i + longest;
        masked[i] = i < end;
        if (!masked[i])
            out[len++] = text[i];
    }
    return len;
}

#endif
