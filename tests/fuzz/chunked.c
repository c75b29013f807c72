/* SPDX-License-Identifier: Apache-2.0 */
/* chunked.c -- fuzzes the chunked coding: the same body and end however the bytes are cut. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "net/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum chunked_result result;
    size_t used;
    struct buf body;
    const char *why;
};

/* Every piece is a copy that ends where its bytes end. */
static struct outcome decode(const uint8_t *bytes, size_t n, size_t step)
{
    struct outcome o = {.result = CHUNKED_MORE};
    struct chunked c;

    chunked_init(&c);
    while (o.used < n && o.result < CHUNKED_END) {
        size_t have = n - o.used < step ? n - o.used : step, used;
        struct weir_str data;
        char *copy = must_alloc(have);
        memcpy(copy, bytes + o.used, have);
        o.result = chunked_next(&c, copy, have, &used, &data);
        must(used > 0 && used <= have);
        must((o.result == CHUNKED_DATA) == (data.len > 0) && data.len <= used);
        must(!data.len || data.ptr + data.len == copy + used);
        must(o.result != CHUNKED_MORE || used == have);
        must((o.result == CHUNKED_BAD) == (c.why != NULL));
        buf_str(&o.body, data);
        o.used += used;
        free(copy);
    }
    if (o.result == CHUNKED_DATA)
        o.result = CHUNKED_MORE;
    o.why = c.why;
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t steps[] = {size <= 1000 ? 1 : size / 100, 2 + size % 7 + size / 100};
    struct outcome whole = decode(data, size, size ? size : 1);

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct outcome o = decode(data, size, steps[i]);
        must(o.result == whole.result && o.used == whole.used && o.why == whole.why);
        must(str_eq(buf_view(&o.body), buf_view(&whole.body)));
        buf_fini(&o.body);
    }
    buf_fini(&whole.body);
    return 0;
}
