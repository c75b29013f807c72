/* SPDX-License-Identifier: Apache-2.0 */
/* price.c -- decimal text to pico-USD and back; see price.h. */
#include "world/price.h"

#define PLACES 6

bool price_parse(struct weir_str s, int64_t *out)
{
    int64_t v = 0;
    int places = -1; /* digits behind the point; -1: before it */

    if (!s.len || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.' || (s.len > 1 && s.ptr[0] == '0' && s.ptr[1] != '.'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.' && places < 0) {
            places = 0;
            continue;
        }
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || places == PLACES || v > PRICE_MAX)
            return false;
        v = v * 10 + (s.ptr[i] - '0');
        places += places >= 0;
    }
    for (places = places < 0 ? 0 : places; places < PLACES; places++) {
        if (v > PRICE_MAX)
            return false;
        v *= 10;
    }
    if (v > PRICE_MAX)
        return false;
    *out = v;
    return true;
}

void price_print(struct buf *b, int64_t v)
{
    int64_t rest = v % 1000000, unit = 100000;

    buf_int(b, v / 1000000);
    if (rest)
        buf_char(b, '.');
    for (; rest; unit /= 10) {
        buf_char(b, (char)('0' + rest / unit));
        rest %= unit;
    }
}
