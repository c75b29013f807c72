/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.c -- fuzzes the parser and the streaming matcher: any pattern is refused or compiled, and what it makes of a
 * text does not depend on the cuts, nor on how often states are thrown away.  Input: patterns, one a line; an empty
 * line; the text.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum scan_choice found(void *who, uint32_t pattern, struct weir_str match)
{
    (void)who;
    must(match.len > 0 && match.len <= PATTERN_LONGEST);
    return pattern % 4 == 3 ? SCAN_KEEP : SCAN_MASK;
}

static void text_out(void *who, struct weir_str s)
{
    must(s.len > 0);
    buf_str(who, s);
}

static void mask_out(void *who, uint32_t pattern)
{
    (void)pattern;
    buf_str(who, WEIR_STR("#"));
}

static const struct scan_hooks hooks = {found, text_out, mask_out};

static void scan_all(const struct pattern_set *set, size_t limit, struct weir_str text, size_t step, struct buf *out)
{
    struct scan *scan = must_alloc(scan_size(set));
    struct scanner s;

    scanner_init(&s, set, &hooks, limit);
    for (size_t at = 0, n; at < text.len; at += n) {
        n = step < text.len - at ? step : text.len - at;
        char *copy = must_alloc(n);
        memcpy(copy, text.ptr + at, n);
        must(scan_feed(&s, scan, (struct weir_str){copy, n}, at + n == text.len, out));
        must(scan->held_len <= set->longest);
        free(copy);
    }
    must(text.len == 0 || scan->held_len == 0);
    scanner_fini(&s);
    free(scan);
}

static void check_text(const struct pattern_set *set, struct weir_str text)
{
    struct buf one = {0}, other = {0};
    struct automaton search;

    automaton_init(&search, set, true, 1 << 16);
    scan_all(set, 1 << 20, text, text.len ? text.len : 1, &one);
    must(automaton_finds(&search, text) || str_eq(buf_view(&one), text));
    for (size_t step = 1; step <= 7; step += 2) {
        other.len = 0;
        scan_all(set, step == 1 ? 4000 : 1 << 20, text, step, &other);
        must(str_eq(buf_view(&one), buf_view(&other)));
    }
    automaton_fini(&search);
    buf_fini(&one);
    buf_fini(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pattern_set set = {0};
    struct weir_error e;
    uint32_t id = 0;
    size_t at = 0;

    if (size > 2048)
        return 0;
    while (at < size && data[at] != '\n') {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t n = (end ? (size_t)(end - data) : size) - at;
        char *line = must_alloc(n + 1);
        memcpy(line, data + at, n);
        if (line[0] == '=')
            pattern_add_word(&set, line + 1, id & 1, id & 2, id, &e);
        else
            pattern_add(&set, line, id, &e);
        free(line);
        id++;
        at += n + (end != NULL);
    }
    at += at < size;
    if (set.node_count < 4000 && pattern_seal(&set, &e))
        check_text(&set, (struct weir_str){(const char *)data + at, size - at});
    pattern_fini(&set);
    return 0;
}
