/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_vectors.c -- embeddings as OpenAI's list, as numbers or as base64 of little-endian floats, whichever the client
 * asked for and whichever the upstream gave; see write.h.
 */
#include "write.h"

#include <stdlib.h>

#include "vector.h"
#include "walk.h"

/* Those of one input after the other's, as clients expect that do not look at `index`. */
static int by_index(const void *a, const void *b)
{
    uint32_t x = ((const struct written_vector *)a)->index, y = ((const struct written_vector *)b)->index;

    return (x > y) - (x < y);
}

void write_vectors(struct openai_writer *w)
{
    const struct weir_json *j = weir_body(w->c);
    bool base64 = j && node_says(j, weir_json_get(j, 0, "encoding_format"), "base64");
    struct emit m = {.t.c = w->c};

    if (w->vector_count)
        qsort(w->vectors, w->vector_count, sizeof *w->vectors, by_index);
    emit_open(&m, '{');
    emit_member_lit(&m, "object", "list");
    emit_key(&m, "data");
    emit_open(&m, '[');
    for (uint32_t i = 0; i < w->vector_count; i++) {
        emit_open(&m, '{');
        emit_member_lit(&m, "object", "embedding");
        emit_key(&m, "index");
        emit_int(&m, w->vectors[i].index);
        emit_key(&m, "embedding");
        vector_put(&m, w->vectors[i].text, base64);
        emit_close(&m, '}');
    }
    emit_close(&m, ']');
    emit_member_text(&m, "model", w->model);
    if (w->usage_said)
        write_usage(&m, &w->usage, true);
    emit_close(&m, '}');
    weir_out(w->c, text_view(&m.t));
}
