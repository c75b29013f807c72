/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny.c -- fuzzes the matcher against the slow meaning of its patterns (tests/unit/naive_match.h), with patterns that
 * overlap: the text comes out as it should, and before its end never a byte more than that.  Input: cuts' seed, then
 * the text.
 */
#include <stdlib.h>

#include "../unit/naive_match.h"
#include "base/must.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const patterns[] = {
    "secret",
    "cretin",
    "\\btoken\\b",
    "[0-9]{3,6}",
    "\\d{2}-\\d{2}",
    "sk-[a-z0-9]{2,9}",
    "(ab|ba){2,3}",
    "ab{2,4}c?",
    "(?i)pass\\w{0,4}:\\s?\\S{2,6}",
    "\xc3\xa9[\xc3\xa0-\xc3\xbf]{1,2}",
    "x.{0,5}y",
    "\\Bz|z\\b",
};

struct out {
    char text[2 * NAIVE_MAX];
    size_t len;
};

static enum scan_choice found(void *who, uint32_t pattern, struct weir_str match)
{
    (void)who, (void)pattern, (void)match;
    return SCAN_MASK;
}

static void text_out(void *who, struct weir_str s)
{
    struct out *o = who;

    must(o->len + s.len < sizeof o->text);
    memcpy(o->text + o->len, s.ptr, s.len);
    o->len += s.len;
}

static void mask_out(void *who, uint32_t pattern)
{
    (void)pattern;
    text_out(who, WEIR_STR("#"));
}

static const struct scan_hooks hooks = {found, text_out, mask_out};

static void stream(struct scanner *s, const char *text, size_t n, uint32_t seed, const struct out *want)
{
    struct scan *scan = must_alloc(scan_size(s->a.set));
    struct out got = {.len = 0};

    for (size_t at = 0, step; at < n; at += step) {
        seed = seed * 1664525u + 1013904223u;
        step = 1 + (seed >> 24) % 12;
        step = step < n - at ? step : n - at;
        must(scan_feed(s, scan, (struct weir_str){text + at, step}, at + step == n, &got));
        must(got.len <= want->len && memcmp(got.text, want->text, got.len) == 0);
    }
    must(got.len == want->len);
    free(scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t count = sizeof patterns / sizeof *patterns;
    static struct pattern_set set;
    struct weir_error e;
    struct scanner s;
    struct out want = {.len = 0};
    bool masked[NAIVE_MAX];

    if (size < 2 || size > 120)
        return 0;
    for (uint32_t i = 0; i < count && !set.sealed; i++)
        must(pattern_add(&set, patterns[i], i, &e));
    must(set.sealed || pattern_seal(&set, &e));
    want.len = naive_masked(patterns, count, (const char *)data + 1, size - 1, '#', want.text, masked);
    scanner_init(&s, &set, &hooks, data[0] & 1 ? 3000 : 1 << 20);
    for (uint32_t k = 0; k < 3; k++)
        stream(&s, (const char *)data + 1, size - 1, data[0] * 3 + k, &want);
    scanner_fini(&s);
    return 0;
}
