/* SPDX-License-Identifier: Apache-2.0 */
/* str.c -- globs and nearest names; see str.h. */
#include "base/str.h"

bool str_glob(struct weir_str p, struct weir_str s)
{
    size_t pi = 0, si = 0, star = SIZE_MAX, mark = 0;

    while (si < s.len) {
        if (pi < p.len && p.ptr[pi] == '*') {
            star = pi++;
            mark = si;
        } else if (pi < p.len && p.ptr[pi] == s.ptr[si]) {
            pi++, si++;
        } else if (star != SIZE_MAX) {
            pi = star + 1; /* let the last star take one byte more */
            si = ++mark;
        } else {
            return false;
        }
    }
    while (pi < p.len && p.ptr[pi] == '*')
        pi++;
    return pi == p.len;
}

/* Levenshtein distance with one row; words longer than the row are never near anything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);

    if (n >= 63 || strlen(a) >= 63)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; *a; i++, a++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t up = row[j], best = diagonal + (*a != b[j - 1]);
            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = up;
        }
    }
    return row[n];
}

const char *str_nearest(const char *word, const char *const *names)
{
    size_t limit = strlen(word) / 3 + 1, best = limit + 1;
    const char *found = NULL;

    for (; *names; names++) {
        size_t d = distance(word, *names);
        if (d < best)
            best = d, found = *names;
    }
    return found;
}
