/* SPDX-License-Identifier: Apache-2.0 */
/* options_table.c -- looks at tables of options themselves: are they sound, and how do they read; see options.h. */
#include <ctype.h>
#include <stdio.h>

#include "world/options.h"
#include "world/secret.h"
#include "world/value.h"

static bool is_name(const char *name)
{
    size_t n = 0;

    for (; name && name[n]; n++)
        if (!islower((unsigned char)name[n]) && name[n] != '_' && !(n && isdigit((unsigned char)name[n])))
            return false;
    return n > 0 && n <= 48;
}

static bool fits(const struct weir_option *row, double v)
{
    return !(row->min < row->max) || (v >= row->min && v <= row->max);
}

static bool is_choice(const struct weir_option *row, struct weir_str word)
{
    for (const char *const *c = row->choices; c && *c; c++)
        if (str_is(word, *c))
            return true;
    return !row->choices;
}

static bool words_fit(const struct weir_option *row, struct weir_str text)
{
    size_t words = 0;

    while (text.len) {
        const char *space = memchr(text.ptr, ' ', text.len);
        struct weir_str word = {text.ptr, space ? (size_t)(space - text.ptr) : text.len};
        if (word.len && !is_choice(row, word))
            return false;
        words += word.len > 0;
        text = str_sub(text, word.len + (space != NULL), text.len);
    }
    return fits(row, (double)words);
}

static bool fallback_fits(const struct weir_option *row)
{
    const char *text = row->fallback;
    struct secret_ref ref;
    int64_t whole;
    double real;

    switch (row->type) {
    case WEIR_T_STR:
        if (row->unit == WEIR_SECRET)
            return !*text || secret_parse(text, &ref);
        return is_choice(row, str_of(text)) && fits(row, (double)strlen(text));
    case WEIR_T_INT:
        return value_number(text, row->unit, &whole) && fits(row, (double)whole);
    case WEIR_T_NUM:
        return value_real(text, &real) && fits(row, real);
    case WEIR_T_BOOL:
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    case WEIR_T_LIST:
        return words_fit(row, str_of(text));
    default:
        return false;
    }
}

static bool unit_fits(const struct weir_option *row)
{
    switch (row->unit) {
    case WEIR_PLAIN:
        return true;
    case WEIR_MS:
    case WEIR_BYTES:
        return row->type == WEIR_T_INT;
    case WEIR_SECRET:
        return row->type == WEIR_T_STR && !row->choices && !(row->min < row->max);
    case WEIR_PATH:
        return row->type == WEIR_T_STR || row->type == WEIR_T_LIST;
    default:
        return false;
    }
}

static const char *row_flaw(const struct weir_option *rows, const struct weir_option *row, size_t self_size)
{
    size_t width = options_width(row->type);

    if (!width)
        return "has a type that this weir does not know";
    if (!row->help || !*row->help)
        return "has no help text";
    if (row->offset > self_size || width > self_size - row->offset)
        return "lies outside of self_size";
    if (!unit_fits(row))
        return "has a unit that does not go with its type";
    if (row->fallback && !fallback_fits(row))
        return "has a fallback that it would not take itself";
    if (options_find(rows, row->name) != row)
        return "stands there twice";
    if (options_find(block_options, row->name))
        return "has a name that weir uses itself";
    return NULL;
}

/* A plugin's row may stand in for a common one when both hold the same. */
static bool replaces_badly(const struct weir_option *row, const struct weir_option *common)
{
    const struct weir_option *same = options_find(common, row->name);

    return same && (same->type != row->type || ((same->unit == WEIR_SECRET) != (row->unit == WEIR_SECRET)));
}

const char *options_flaw(struct arena *a, const struct weir_option *rows, const struct weir_option *common,
                         size_t self_size)
{
    for (const struct weir_option *row = rows; row && row->type != WEIR_T_END; row++) {
        const char *flaw;
        if (!is_name(row->name))
            return "an option has no name of small letters, digits and _";
        flaw = row_flaw(rows, row, self_size);
        if (!flaw && replaces_badly(row, common))
            flaw = "has the name of a common option but another type";
        if (flaw)
            return arena_printf(a, "option %s %s", row->name, flaw);
    }
    return NULL;
}

void options_default(struct buf *b, const struct weir_option *row)
{
    if (!row->fallback)
        buf_lit(b, "required");
    else if (row->type == WEIR_T_LIST && !*row->fallback)
        buf_lit(b, "[ ]");
    else if (row->type == WEIR_T_LIST)
        for (const char *w = row->fallback; *w; w += strspn(w, " ")) {
            size_t n = strcspn(w, " ");
            buf_printf(b, "%s\"%.*s\"", w == row->fallback ? "[ " : ", ", (int)n, w);
            w += n;
            if (!w[strspn(w, " ")])
                buf_lit(b, " ]");
        }
    else if (row->type == WEIR_T_STR ||
             (row->type == WEIR_T_INT && row->fallback[strspn(row->fallback, "-0123456789")]))
        buf_printf(b, "\"%s\"", row->fallback);
    else
        buf_printf(b, "%s", row->fallback);
}

static void range_text(struct buf *b, const struct weir_option *row)
{
    bool counts = row->type == WEIR_T_LIST || row->type == WEIR_T_STR;

    for (int i = 0; i < 2; i++) {
        double v = i ? row->max : row->min;
        if (i)
            buf_lit(b, " to ");
        if (row->type == WEIR_T_NUM)
            buf_printf(b, "%g", v);
        else
            value_print(b, row->type == WEIR_T_INT ? row->unit : WEIR_PLAIN, (int64_t)v);
    }
    if (counts)
        buf_printf(b, row->type == WEIR_T_LIST ? " items" : " bytes");
}

void options_limits(struct buf *b, const struct weir_option *row)
{
    if (row->choices)
        for (const char *const *c = row->choices; *c; c++)
            buf_printf(b, "%s\"%s\"", c == row->choices ? "" : c[1] ? ", " : " or ", *c);
    else if (row->min < row->max)
        range_text(b, row);
}
