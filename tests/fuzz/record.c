/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c -- fuzzes records both ways: any bytes are read without harm; whatever is written is valid JSON of bounded
 * size, which is read back with the same fields, also after it has been shortened.
 */
#include <stdlib.h>

#include "base/must.h"
#include "ipc/record.h"

static void read_any(struct weir_str text)
{
    struct arena a = {0};
    struct json_skim skim = {0};
    struct record_head head;
    struct weir_record r;
    bool headed = record_read_head(text, &head);

    if (record_read(&a, &skim, 1, text, &r)) {
        must(r.json.ptr == text.ptr);
        for (size_t i = 0; i < r.count; i++)
            must(r.fields[i].name.len + r.fields[i].text.len <= 2 * text.len + 8);
        if (headed)
            must(str_is(r.kind, record_kind_name(head.kind)));
    }
    json_skim_fini(&skim);
    arena_fini(&a);
}

static void must_be_record(struct weir_str text)
{
    static const struct json_limits limits = {.depth = 3, .nodes = RECORD_MAX};
    struct arena a = {0};
    struct json_skim skim = {0};
    struct weir_error e;
    struct weir_json j;
    struct record_head head;
    struct weir_record r;

    must(text.len <= RECORD_MAX);
    must(json_skim(&skim, text, &limits, &j, &e));
    must(record_read_head(text, &head));
    must(record_read(&a, &skim, 1, text, &r));
    must(str_is(r.kind, record_kind_name(head.kind)) && r.time_us == head.time_us);
    json_skim_fini(&skim);
    arena_fini(&a);
}

static struct weir_str take(struct weir_str *s, size_t n)
{
    struct weir_str head = str_sub(*s, 0, n < s->len ? n : s->len);
    *s = str_sub(*s, head.len, s->len);
    return head;
}

/* The input as orders: a byte says what, then a length, then the value. */
static void write_any(struct weir_str in)
{
    struct buf b = {0};
    struct weir_str id = take(&in, in.len ? (uint8_t)in.ptr[0] % 40 : 0);
    struct record_writer w = record_begin(&b, id.len % KIND_COUNT, (int64_t)in.len * 1234567, id);
    bool labels = false;

    while (in.len > 2) {
        unsigned what = (uint8_t)in.ptr[0], n = (uint8_t)in.ptr[1] * (what & 64 ? 16u : 1u);
        enum record_field f = RECORD_key + what % (RECORD_FIELD_COUNT - RECORD_key);
        int64_t v = 0;
        take(&in, 2);
        struct weir_str value = take(&in, n);
        if (what & 128 || labels) {
            labels = w.labels != NULL || labels;
            record_label(&w, take(&value, value.len / 4), value);
            labels = w.labels != NULL;
        } else if (w.seen >> f & 1 || f == RECORD_labels || f == RECORD_cut) {
            continue;
        } else if (what & 32) {
            memcpy(&v, value.ptr, value.len < 8 ? value.len : 8);
            record_int(&w, f, v);
        } else {
            record_str(&w, f, value);
        }
    }
    record_end(&w);
    must_be_record(buf_view(&b));
    for (size_t most = b.len; most >= 1024; most = most * 3 / 4) {
        record_shorten(&b, 0, most);
        must(b.len <= most);
        must_be_record(buf_view(&b));
    }
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_str in = {(const char *)data, size};

    if (size < 1)
        return 0;
    read_any(in);
    write_any(in);
    return 0;
}
