/* SPDX-License-Identifier: Apache-2.0 */
/* vector.c -- see vector.h. */
#include "vector.h"

#include <stdio.h>
#include <stdlib.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The next number of an array's text from *at on.  false: there is none. */
static bool number_next(struct weir_str s, size_t *at, float *value)
{
    char copy[64];
    size_t n = 0;

    while (*at < s.len && !(s.ptr[*at] == '-' || (s.ptr[*at] >= '0' && s.ptr[*at] <= '9')))
        (*at)++;
    while (*at < s.len && n < sizeof copy - 1 && memchr("+-.0123456789eE", s.ptr[*at], 15))
        copy[n++] = s.ptr[(*at)++];
    copy[n] = '\0';
    *value = strtof(copy, NULL);
    return n > 0;
}

static void put_base64(struct text *t, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        char four[4] = {digits[v >> 18 & 63], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                        i + 2 < n ? digits[v & 63] : '='};
        text_put(t, four, 4);
    }
}

static void put_packed(struct emit *m, struct weir_str numbers)
{
    struct text bytes = {.c = m->t.c}, out = {.c = m->t.c};
    size_t at = 0;
    float value;

    while (number_next(numbers, &at, &value)) {
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        unsigned char little[4] = {bits & 255, bits >> 8 & 255, bits >> 16 & 255, bits >> 24};
        text_put(&bytes, little, 4);
    }
    put_base64(&out, (const unsigned char *)bytes.ptr, bytes.len);
    emit_text(m, text_view(&out));
}

/* Nine digits tell any float from its neighbours; JSON has no name for those that are no number. */
static void put_float(struct emit *m, uint32_t bits)
{
    char number[32];
    float value;
    int n;

    memcpy(&value, &bits, sizeof value);
    n = (bits >> 23 & 255) == 255 ? 0 : snprintf(number, sizeof number, "%.9g", (double)value);
    emit_raw(m, n > 0 ? (struct weir_str){number, (size_t)n} : WEIR_STR("null"));
}

static void put_unpacked(struct emit *m, struct weir_str base64)
{
    uint32_t group = 0, bits = 0;
    unsigned have = 0, bytes = 0;

    emit_open(m, '[');
    for (size_t i = 0; i < base64.len; i++) {
        const char *digit = base64.ptr[i] ? strchr(digits, base64.ptr[i]) : NULL;
        if (!digit)
            break;
        group = group << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        bits |= (group >> have & 255) << 8 * bytes++;
        if (bytes == 4) {
            put_float(m, bits);
            bits = bytes = 0;
        }
    }
    emit_close(m, ']');
}

void vector_put(struct emit *m, struct weir_str text, bool base64)
{
    bool numbers = text.len && text.ptr[0] == '[';

    if (numbers && base64)
        put_packed(m, text);
    else if (numbers)
        emit_raw(m, text);
    else if (base64)
        emit_text(m, text);
    else
        put_unpacked(m, text);
}
