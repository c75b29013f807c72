/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_inner.c -- fuzzes the splitter of JSON in pieces.  The first byte seeds the cuts; the rest is the text.  All
 * runs are the text; how it is cut does not change which bytes are structure, which text, and where texts end; and when
 * the text is JSON, its texts are exactly the strings that json_skim() finds.
 */
#include <string.h>

#include "base/json_inner.h"
#include "base/json_skim.h"
#include "base/json_text.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One mark for each byte of the text, 's' or 't', with 'e' between them where a text ends; and all values, with a line
 * end behind each. */
struct trace {
    struct buf marks, values, bytes;
};

static void trace_fini(struct trace *t)
{
    buf_fini(&t->marks);
    buf_fini(&t->values);
    buf_fini(&t->bytes);
}

static void trace_run(struct trace *t, const struct json_run *run)
{
    buf_str(&t->bytes, run->text);
    if (run->kind == INNER_STRING_END) {
        must(run->text.len == 0);
        buf_char(&t->marks, 'e');
        buf_char(&t->values, '\n');
        return;
    }
    must(run->text.len > 0);
    if (run->kind == INNER_STRING)
        json_unescape_to(&t->values, run->text);
    for (size_t i = 0; i < run->text.len; i++)
        buf_char(&t->marks, run->kind == INNER_STRING ? 't' : 's');
}

static void trace_text(struct trace *t, struct weir_str text, uint32_t seed)
{
    struct json_inner s = {0};
    struct json_run run;

    for (size_t at = 0; at < text.len;) {
        size_t n = seed ? 1 + (seed = seed * 1103515245u + 12345u) / 65536 % 9 : text.len;
        struct weir_str piece = str_sub(text, at, text.len - at < n ? text.len : at + n);
        at += piece.len;
        while (json_inner_next(&s, &piece, &run))
            trace_run(t, &run);
        must(piece.len == 0);
    }
    while (json_inner_end(&s, &run))
        trace_run(t, &run);
}

static void check_strings(struct weir_str text, const struct trace *t)
{
    struct json_limits limits = {1000, 1000000};
    struct json_skim skim = {0};
    struct weir_error error;
    struct buf values = {0};
    struct weir_json j;

    if (json_skim(&skim, text, &limits, &j, &error)) {
        for (uint32_t i = 0; i < j.count; i++)
            if (j.nodes[i].type == WEIR_JSON_STRING) {
                json_unescape_to(&values, weir_json_text(&j, i));
                buf_char(&values, '\n');
            }
        must(str_eq(buf_view(&values), buf_view(&t->values)));
    }
    buf_fini(&values);
    json_skim_fini(&skim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace whole = {0}, cut = {0};
    struct weir_str text;

    if (size == 0)
        return 0;
    text = (struct weir_str){(const char *)data + 1, size - 1};
    trace_text(&whole, text, 0);
    trace_text(&cut, text, data[0] + 1u);
    must(str_eq(buf_view(&whole.bytes), text) && str_eq(buf_view(&cut.bytes), text));
    must(str_eq(buf_view(&whole.marks), buf_view(&cut.marks)));
    must(str_eq(buf_view(&whole.values), buf_view(&cut.values)));
    check_strings(text, &whole);
    trace_fini(&whole);
    trace_fini(&cut);
    return 0;
}
