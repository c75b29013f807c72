/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_scores.c -- documents in the order of their relevance, as Jina, vLLM and OpenRouter say them; see write.h.
 *
 * The documents themselves are the client's own, as it sent them; `return_documents: false` leaves them out.
 */
#include "walk.h"
#include "write.h"

/* The nodes of the client's documents by their places; *n of them. */
static const uint32_t *documents_of(struct weir_ctx *c, const struct weir_json *j, uint32_t *n)
{
    uint32_t cap = 0, *nodes = NULL;

    *n = 0;
    if (!j || weir_json_is(j, weir_json_get(j, 0, "return_documents"), WEIR_JSON_FALSE))
        return NULL;
    for (EACH_ITEM(j, node, weir_json_get(j, 0, "documents"))) {
        nodes = write_more(c, nodes, *n, &cap, sizeof *nodes);
        nodes[(*n)++] = node;
    }
    return nodes;
}

static void put_document(struct emit *m, const struct weir_json *j, uint32_t node)
{
    emit_key(m, "document");
    if (!node_is_string(j, node)) {
        emit_node(m, j, node);
        return;
    }
    emit_open(m, '{');
    emit_member(m, "text", j, node);
    emit_close(m, '}');
}

void write_scores(struct openai_writer *w)
{
    const struct weir_json *j = weir_body(w->c);
    struct emit m = {.t.c = w->c};
    uint32_t count;
    const uint32_t *documents = documents_of(w->c, j, &count);

    emit_open(&m, '{');
    emit_member_text(&m, "id", w->id);
    emit_member_text(&m, "model", w->model);
    emit_key(&m, "results");
    emit_open(&m, '[');
    for (uint32_t i = 0; i < w->vector_count; i++) {
        emit_open(&m, '{');
        emit_key(&m, "index");
        emit_int(&m, w->vectors[i].index);
        emit_key(&m, "relevance_score");
        emit_raw(&m, w->vectors[i].text);
        if (w->vectors[i].index < count)
            put_document(&m, j, documents[w->vectors[i].index]);
        emit_close(&m, '}');
    }
    emit_close(&m, ']');
    if (w->usage_said)
        write_usage(&m, &w->usage, true);
    emit_close(&m, '}');
    weir_out(w->c, text_view(&m.t));
}
