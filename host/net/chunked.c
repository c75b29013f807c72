/* SPDX-License-Identifier: Apache-2.0 */
/* chunked.c -- a state machine over the bytes between the data; see chunked.h.  Data itself is never looked at. */
#include "net/chunked.h"

#include "net/http1_inner.h"

#define DIGITS_MAX     16
#define SIZE_VALUE_MAX (UINT64_C(1) << 62)
#define EXTENSION_MAX  256
#define EXTENSIONS_MAX 65536
#define TRAILER_MAX    8192

/* clang-format off */
enum state {
    SIZE,                                    /* hex digits; the first byte of a chunk */
    EXTENSION, QUOTED, ESCAPED,              /* behind ';'; inside "..."; behind a backslash in there */
    SIZE_LF,
    DATA, DATA_CR, DATA_LF,
    TRAILER, NAME, VALUE, TRAILER_LF,        /* at the start of a line; inside its name; behind its colon */
    LAST_LF,
    END, BAD,                                /* from here on nothing is read */
};
/* clang-format on */

static const char extensions_too_long[] = "the chunk extensions are too long";

void chunked_init(struct chunked *c)
{
    *c = (struct chunked){.state = SIZE};
}

static void refuse(struct chunked *c, const char *why)
{
    c->state = BAD;
    c->why = why;
}

/* 0 to 15, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 32) - 'a' + 10;
    return -1;
}

static bool is_text(char c)
{
    return ((uint8_t)c >= 0x20 && c != 0x7f) || c == '\t';
}

static void expect_byte(struct chunked *c, char byte, char expected, enum state next, const char *why)
{
    if (byte == expected)
        c->state = (uint8_t)next;
    else
        refuse(c, why);
}

static bool extension_fits(struct chunked *c)
{
    return ++c->extension <= EXTENSION_MAX && ++c->extensions <= EXTENSIONS_MAX;
}

static void size_byte(struct chunked *c, char byte)
{
    int v = hex_value(byte);

    if (v >= 0) {
        c->left = c->left << 4 | (unsigned)v;
        if (++c->digits > DIGITS_MAX || c->left > SIZE_VALUE_MAX)
            refuse(c, "a chunk's size is too large");
    } else if (!c->digits) {
        refuse(c, "a chunk does not begin with its size in hex digits");
    } else if (byte == ';') {
        c->extension = 0;
        c->state = EXTENSION;
        if (!extension_fits(c))
            refuse(c, extensions_too_long);
    } else {
        expect_byte(c, byte, '\r', SIZE_LF, "a chunk's size is not followed by CRLF");
    }
}

static void extension_byte(struct chunked *c, char byte)
{
    if (byte == '\r' && c->state == EXTENSION)
        c->state = SIZE_LF;
    else if (!is_text(byte))
        refuse(c, "there is a control character or an open quote in a chunk extension");
    else if (!extension_fits(c))
        refuse(c, extensions_too_long);
    else if (c->state == ESCAPED)
        c->state = QUOTED;
    else if (byte == '"')
        c->state = c->state == QUOTED ? EXTENSION : QUOTED;
    else if (byte == '\\' && c->state == QUOTED)
        c->state = ESCAPED;
}

static void trailer_byte(struct chunked *c, char byte)
{
    if (++c->trailer > TRAILER_MAX) {
        refuse(c, "the trailer section is too long");
    } else if (c->state == TRAILER && byte == '\r') {
        c->state = LAST_LF;
    } else if (c->state == VALUE) {
        if (byte == '\r')
            c->state = TRAILER_LF;
        else if (!is_text(byte))
            refuse(c, "there is a control character in a trailer");
    } else if (http1_is(byte, HTTP1_TOKEN)) {
        c->state = NAME;
    } else if (c->state == NAME && byte == ':') {
        c->state = VALUE;
    } else {
        refuse(c, "a trailer does not begin with a name and a colon");
    }
}

/* One byte that is not data. */
static void framing_byte(struct chunked *c, char byte)
{
    switch ((enum state)c->state) {
    case SIZE:
        size_byte(c, byte);
        break;
    case EXTENSION:
    case QUOTED:
    case ESCAPED:
        extension_byte(c, byte);
        break;
    case SIZE_LF:
        expect_byte(c, byte, '\n', c->left ? DATA : TRAILER, "a chunk's size line has a CR without LF");
        break;
    case DATA_CR:
        expect_byte(c, byte, '\r', DATA_LF, "a chunk is not as long as its size says");
        break;
    case DATA_LF:
        expect_byte(c, byte, '\n', SIZE, "a chunk is not as long as its size says");
        c->digits = 0;
        break;
    case TRAILER:
    case NAME:
    case VALUE:
        trailer_byte(c, byte);
        break;
    case TRAILER_LF:
        expect_byte(c, byte, '\n', TRAILER, "a trailer has a CR without LF");
        break;
    case LAST_LF:
        expect_byte(c, byte, '\n', END, "the body's last line has a CR without LF");
        break;
    case DATA:
    case END:
    case BAD:
        break;
    }
}

enum chunked_result chunked_next(struct chunked *c, const char *bytes, size_t n, size_t *used, struct weir_str *data)
{
    size_t at = 0;

    *data = (struct weir_str){bytes, 0};
    while (at < n && c->state != DATA && c->state < END)
        framing_byte(c, bytes[at++]);
    if (c->state == DATA && at < n) {
        data->ptr = bytes + at;
        data->len = c->left < n - at ? (size_t)c->left : n - at;
        at += data->len;
        c->left -= data->len;
        if (!c->left)
            c->state = DATA_CR;
        *used = at;
        return CHUNKED_DATA;
    }
    *used = at;
    return c->state == BAD ? CHUNKED_BAD : c->state == END ? CHUNKED_END : CHUNKED_MORE;
}
