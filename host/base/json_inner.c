/* SPDX-License-Identifier: Apache-2.0 */
/* json_inner.c -- one automaton over the bytes of all pieces; see json_inner.h. */
#include "base/json_inner.h"

#include <string.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* How many of the four digits at p are there, and are digits. */
static size_t hex_count(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && i < 4 && is_hex(p[i]))
        i++;
    return i;
}

/* \uD8xx ... \uDBxx, or with `low` \uDCxx ... \uDFxx; the digits are there. */
static bool is_half(const char *digits, bool low)
{
    char third = (char)(digits[1] | 32);

    if ((digits[0] | 32) != 'd')
        return false;
    return low ? third >= 'c' && third <= 'f' : third == '8' || third == '9' || third == 'a' || third == 'b';
}

/* Bytes of the escape at p, a backslash; what breaks off before a byte that cannot go on is an escape too.  0: its end
 * is not at hand. */
static size_t escape_length(const char *p, size_t n)
{
    size_t digits;

    if (n < 2)
        return 0;
    if (p[1] != 'u')
        return 2;
    digits = hex_count(p + 2, n - 2);
    if (digits < 4)
        return n > 2 + digits ? 2 + digits : 0;
    if (!is_half(p + 2, false))
        return 6;
    if (n == 6 || (n == 7 && p[6] == '\\'))
        return 0;
    if (p[6] != '\\' || p[7] != 'u')
        return 6;
    digits = hex_count(p + 8, n - 8);
    if (digits < 4)
        return n > 8 + digits ? 6 : 0;
    return is_half(p + 8, true) ? 12 : 6;
}

static bool run_set(struct json_run *run, enum json_inner_kind kind, const char *p, size_t n)
{
    *run = (struct json_run){kind, {p, n}};
    return true;
}

static void piece_skip(struct weir_str *piece, size_t n)
{
    piece->ptr += n;
    piece->len -= n;
}

static void held_drop(struct json_inner *s)
{
    s->held = (uint8_t)(s->held - s->given);
    memmove(s->escape, s->escape + s->given, s->held);
    s->given = 0;
}

/* Bytes of the piece go behind those that are held, until these are an escape.  The bytes that told so may not belong
 * to it: they go back to the piece, or stay held when they came before it. */
static bool held_finish(struct json_inner *s, struct weir_str *piece, struct json_run *run)
{
    size_t took = 0, len = 0;

    while (!len && took < piece->len) {
        s->escape[s->held++] = piece->ptr[took++];
        len = escape_length(s->escape, s->held);
    }
    if (len) {
        size_t back = s->held - len < took ? s->held - len : took;
        s->held = (uint8_t)(s->held - back);
        s->given = (uint8_t)len;
        took -= back;
    }
    piece_skip(piece, took);
    return len && run_set(run, INNER_STRING, s->escape, len);
}

/* Text up to the quote that ends it, or to an escape whose end is not at hand. */
static size_t text_length(struct weir_str piece)
{
    size_t i = 0;

    while (i < piece.len && piece.ptr[i] != '"') {
        size_t n = piece.ptr[i] == '\\' ? escape_length(piece.ptr + i, piece.len - i) : 1;
        if (!n)
            break;
        i += n;
    }
    return i;
}

static bool string_next(struct json_inner *s, struct weir_str *piece, struct json_run *run)
{
    size_t n = text_length(*piece);

    if (n) {
        run_set(run, INNER_STRING, piece->ptr, n);
        piece_skip(piece, n);
        return true;
    }
    if (*piece->ptr == '"') {
        s->in_string = 0;
        s->ended = 1;
        return run_set(run, INNER_STRING_END, piece->ptr, 0);
    }
    s->held = (uint8_t)piece->len; /* an escape that is not whole: at most 11 bytes */
    memcpy(s->escape, piece->ptr, piece->len);
    piece_skip(piece, piece->len);
    return false;
}

/* Up to the next opening quote, with it, and with the closing quote before. */
static bool structure_next(struct json_inner *s, struct weir_str *piece, struct json_run *run)
{
    const char *p = piece->ptr, *quote = memchr(p + s->ended, '"', piece->len - s->ended);
    size_t n = quote ? (size_t)(quote - p) + 1 : piece->len;

    s->ended = 0;
    s->in_string = quote != NULL;
    piece_skip(piece, n);
    return run_set(run, INNER_STRUCTURE, p, n);
}

bool json_inner_next(struct json_inner *s, struct weir_str *piece, struct json_run *run)
{
    held_drop(s);
    if (!piece->len)
        return false;
    if (s->held)
        return held_finish(s, piece, run);
    return s->in_string ? string_next(s, piece, run) : structure_next(s, piece, run);
}

bool json_inner_end(struct json_inner *s, struct json_run *run)
{
    held_drop(s);
    if (!s->held)
        return false;
    s->given = s->held;
    return run_set(run, INNER_STRING, s->escape, s->held);
}
