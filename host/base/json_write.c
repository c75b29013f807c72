/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c -- from a jansson tree to text; declared in json_tree.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/json_tree.h"
#include "base/must.h"

/* ---- reals ---- */

/* A number as 0.DIGITS times ten to the power of `point`: no zeros at either end of the digits, but "0" for zero. */
struct decimal {
    char digits[20];
    int count, point;
};

/* The decimal of `count` digits nearest to d, which is positive. */
static void decimal_round(struct decimal *n, double d, int count)
{
    char text[40];
    int exponent;

    snprintf(text, sizeof text, "%.*e", count - 1, d);
    n->digits[0] = text[0];
    if (count > 1)
        memcpy(n->digits + 1, text + 2, (size_t)count - 1);
    exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    n->count = count;
    n->point = exponent + 1;
}

static bool decimal_is(const struct decimal *n, double d)
{
    char text[48];

    snprintf(text, sizeof text, "0.%.*se%d", n->count, n->digits, n->point);
    return strtod(text, NULL) == d;
}

static void decimal_trim(struct decimal *n)
{
    while (n->count > 1 && n->digits[n->count - 1] == '0')
        n->count--;
}

/* The next decimal above with as many digits.  One that ends in 9 would become one with fewer, and those have been
 * tried. */
static bool decimal_up(struct decimal *n)
{
    if (n->digits[n->count - 1] == '9')
        return false;
    n->digits[n->count - 1]++;
    return true;
}

/* Below a power of two doubles lie twice as near as above it: there the nearest decimal of 16 digits may be below and
 * miss, while the one above reads back. */
static bool decimal_try(struct decimal *n, double d, int count)
{
    int exponent;

    decimal_round(n, d, count);
    return decimal_is(n, d) || (frexp(d, &exponent) == 0.5 && decimal_up(n) && decimal_is(n, d));
}

/* 15 digits or fewer survive the way into a normal double and back, so that a shorter form is the form of 15 without
 * its zeros.  The smallest doubles hold fewer digits: there every length is tried. */
static void decimal_shortest(struct decimal *n, double d)
{
    int count = d < 2.2250738585072014e-308 ? 1 : 15;

    while (count < 17 && !decimal_try(n, d, count))
        count++;
    if (count == 17)
        decimal_round(n, d, 17);
    decimal_trim(n);
}

/* Most reals in JSON are typed by people or are sums of money: a whole number of at most 15 digits over a power of ten.
 */
static bool decimal_quick(struct decimal *n, double d)
{
    double ten = 1;

    for (int places = 0; places <= 8 && d * ten < 1e15; places++, ten *= 10) {
        double whole = nearbyint(d * ten);
        if (whole / ten != d)
            continue;
        n->count = snprintf(n->digits, sizeof n->digits, "%.0f", whole);
        n->point = n->count - places;
        decimal_trim(n);
        return true;
    }
    return false;
}

static void put_zeros(struct buf *b, int n)
{
    while (n-- > 0)
        buf_char(b, '0');
}

/* As JavaScript lays numbers out, but for the point of a whole one. */
static void decimal_put(struct buf *b, const struct decimal *n)
{
    int before = n->point < n->count ? n->point : n->count;

    if (n->point > 21 || n->point < -5) {
        buf_char(b, n->digits[0]);
        if (n->count > 1)
            buf_char(b, '.');
        buf_put(b, n->digits + 1, (size_t)n->count - 1);
        buf_char(b, 'e');
        buf_int(b, n->point - 1);
    } else if (n->point <= 0) {
        buf_lit(b, "0.");
        put_zeros(b, -n->point);
        buf_put(b, n->digits, (size_t)n->count);
    } else {
        buf_put(b, n->digits, (size_t)before);
        put_zeros(b, n->point - n->count);
        buf_char(b, '.');
        if (n->count > before)
            buf_put(b, n->digits + before, (size_t)(n->count - before));
        else
            buf_char(b, '0');
    }
}

void json_write_real(struct buf *b, double d)
{
    struct decimal n;

    must(isfinite(d));
    if (signbit(d))
        buf_char(b, '-');
    d = fabs(d);
    if (!decimal_quick(&n, d))
        decimal_shortest(&n, d);
    decimal_put(b, &n);
}

/* ---- values ---- */

static void write_string(struct buf *b, const char *p, size_t n)
{
    buf_char(b, '"');
    json_escape(b, (struct weir_str){p, n});
    buf_char(b, '"');
}

/* jansson's iterators take trees that may be changed; nothing here does. */
static json_t *mutable(const json_t *t)
{
    return (json_t *)(uintptr_t)t;
}

static void write_object(struct buf *b, const json_t *t)
{
    json_t *object = mutable(t);
    void *first = json_object_iter(object);

    buf_char(b, '{');
    for (void *i = first; i; i = json_object_iter_next(object, i)) {
        if (i != first)
            buf_char(b, ',');
        write_string(b, json_object_iter_key(i), json_object_iter_key_len(i));
        buf_char(b, ':');
        json_write(b, json_object_iter_value(i));
    }
    buf_char(b, '}');
}

static void write_array(struct buf *b, const json_t *t)
{
    buf_char(b, '[');
    for (size_t i = 0; i < json_array_size(t); i++) {
        if (i)
            buf_char(b, ',');
        json_write(b, json_array_get(t, i));
    }
    buf_char(b, ']');
}

void json_write(struct buf *b, const json_t *t)
{
    switch (json_typeof(t)) {
    case JSON_OBJECT:
        write_object(b, t);
        break;
    case JSON_ARRAY:
        write_array(b, t);
        break;
    case JSON_STRING:
        write_string(b, json_string_value(t), json_string_length(t));
        break;
    case JSON_INTEGER:
        buf_int(b, json_integer_value(t));
        break;
    case JSON_REAL:
        json_write_real(b, json_real_value(t));
        break;
    case JSON_TRUE:
        buf_lit(b, "true");
        break;
    case JSON_FALSE:
        buf_lit(b, "false");
        break;
    case JSON_NULL:
        buf_lit(b, "null");
        break;
    }
}
