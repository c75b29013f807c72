/* SPDX-License-Identifier: Apache-2.0 */
/* write_body.c -- answers of Cohere's API in one piece: a message, vectors, scores; see write.h. */
#include "write.h"

#include <stdlib.h>

#include "vector.h"

struct weir_str write_content_type(enum weir_channel channel)
{
    return channel == WEIR_REASONING ? WEIR_STR("thinking") : WEIR_STR("text");
}

void write_call(struct emit *m, const struct cohere_block *b, struct weir_str arguments)
{
    emit_open(m, '{');
    emit_member_text(m, "id", b->id);
    emit_member_lit(m, "type", "function");
    emit_key(m, "function");
    emit_open(m, '{');
    emit_member_text(m, "name", b->name);
    emit_member_text(m, "arguments", arguments);
    emit_close(m, '}');
    emit_close(m, '}');
}

/* A call says more than the upstream's label does. */
struct weir_str write_finish(const struct cohere_local *l)
{
    switch (l->finish) {
    case WEIR_FINISH_STOP_SEQUENCE:
        return WEIR_STR("STOP_SEQUENCE");
    case WEIR_FINISH_LENGTH:
        return WEIR_STR("MAX_TOKENS");
    case WEIR_FINISH_TOOL_CALLS:
        return WEIR_STR("TOOL_CALL");
    case WEIR_FINISH_CONTEXT:
    case WEIR_FINISH_FILTERED:
    case WEIR_FINISH_FAILED:
        return WEIR_STR("ERROR");
    default:
        return l->calls ? WEIR_STR("TOOL_CALL") : WEIR_STR("COMPLETE");
    }
}

static int64_t counted(int64_t n)
{
    return n > 0 ? n : 0;
}

static int64_t input_all(const struct weir_usage *u)
{
    return counted(u->input) + counted(u->cache_read) + counted(u->cache_write) + counted(u->audio_in);
}

static int64_t output_all(const struct weir_usage *u)
{
    return counted(u->output) + counted(u->reasoning) + counted(u->audio_out);
}

static void put_counts(struct emit *m, const char *key, const struct weir_usage *u)
{
    emit_key(m, key);
    emit_open(m, '{');
    emit_key(m, "input_tokens");
    emit_int(m, input_all(u));
    emit_key(m, "output_tokens");
    emit_int(m, output_all(u));
    emit_close(m, '}');
}

/* What another vendor bills is not known here: all tokens, as clients read either member. */
void write_usage(struct emit *m, const struct weir_usage *u)
{
    emit_key(m, "usage");
    emit_open(m, '{');
    put_counts(m, "billed_units", u);
    put_counts(m, "tokens", u);
    if (u->cache_read >= 0) {
        emit_key(m, "cached_tokens");
        emit_int(m, u->cache_read);
    }
    emit_close(m, '}');
}

/* ---- a message ---- */

static void put_contents(struct emit *m, const struct cohere_local *l)
{
    if (!l->contents && l->calls)
        return;
    emit_key(m, "content");
    emit_open(m, '[');
    for (uint32_t i = 0; i < l->block_count; i++) {
        const struct cohere_block *b = &l->blocks[i];
        if (b->channel == WEIR_ARGUMENTS)
            continue;
        emit_open(m, '{');
        emit_member_text(m, "type", write_content_type(b->channel));
        emit_member_text(m, b->channel == WEIR_REASONING ? "thinking" : "text", text_view(&b->text));
        emit_close(m, '}');
    }
    emit_close(m, ']');
}

static void put_calls(struct emit *m, const struct cohere_local *l)
{
    if (!l->calls)
        return;
    emit_key(m, "tool_calls");
    emit_open(m, '[');
    for (uint32_t i = 0; i < l->block_count; i++)
        if (l->blocks[i].channel == WEIR_ARGUMENTS)
            write_call(m, &l->blocks[i], l->blocks[i].text.len ? text_view(&l->blocks[i].text) : WEIR_STR("{}"));
    emit_close(m, ']');
}

void write_chat(struct weir_ctx *c)
{
    const struct cohere_local *l = c->local;
    struct emit m = {.t.c = c};

    emit_open(&m, '{');
    emit_member_text(&m, "id", l->id);
    emit_key(&m, "message");
    emit_open(&m, '{');
    emit_member_lit(&m, "role", "assistant");
    put_contents(&m, l);
    put_calls(&m, l);
    emit_close(&m, '}');
    emit_member_text(&m, "finish_reason", write_finish(l));
    write_usage(&m, &l->usage);
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}

/* ---- vectors, scores ---- */

static void put_meta(struct emit *m, const struct weir_usage *u)
{
    emit_key(m, "meta");
    emit_open(m, '{');
    emit_key(m, "api_version");
    emit_raw(m, WEIR_STR("{\"version\":\"2\"}"));
    if (u->input >= 0) {
        emit_key(m, "billed_units");
        emit_open(m, '{');
        emit_key(m, "input_tokens");
        emit_int(m, input_all(u));
        emit_close(m, '}');
    }
    emit_close(m, '}');
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = ((const struct cohere_item *)a)->index, y = ((const struct cohere_item *)b)->index;

    return (x > y) - (x < y);
}

static bool wants(const struct weir_json *j, const char *type)
{
    uint32_t types = j ? weir_json_get(j, 0, "embedding_types") : WEIR_NO_NODE;

    if (!j || !weir_json_is(j, types, WEIR_JSON_ARRAY) || weir_json_first(j, types) == WEIR_NO_NODE)
        return strcmp(type, "float") == 0;
    for (EACH_ITEM(j, n, types))
        if (node_says(j, n, type))
            return true;
    return false;
}

void write_vectors(struct weir_ctx *c)
{
    static const char *const types[] = {"float", "base64", NULL};
    struct cohere_local *l = c->local;
    const struct weir_json *j = weir_body(c);
    struct emit m = {.t.c = c};

    if (l->item_count)
        qsort(l->items, l->item_count, sizeof *l->items, by_index);
    emit_open(&m, '{');
    emit_member_text(&m, "id", l->id);
    if (j)
        emit_member(&m, "texts", j, weir_json_get(j, 0, "texts"));
    emit_key(&m, "embeddings");
    emit_open(&m, '{');
    for (const char *const *type = types; *type; type++) {
        if (!wants(j, *type))
            continue;
        emit_key(&m, *type);
        emit_open(&m, '[');
        for (uint32_t i = 0; i < l->item_count; i++)
            vector_put(&m, l->items[i].text, strcmp(*type, "base64") == 0);
        emit_close(&m, ']');
    }
    emit_close(&m, '}');
    put_meta(&m, &l->usage);
    emit_member_lit(&m, "response_type", "embeddings_by_type");
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}

/* In the upstream's order: the most relevant first. */
void write_scores(struct weir_ctx *c)
{
    const struct cohere_local *l = c->local;
    struct emit m = {.t.c = c};

    emit_open(&m, '{');
    emit_member_text(&m, "id", l->id);
    emit_key(&m, "results");
    emit_open(&m, '[');
    for (uint32_t i = 0; i < l->item_count; i++) {
        emit_open(&m, '{');
        emit_key(&m, "index");
        emit_int(&m, l->items[i].index);
        emit_key(&m, "relevance_score");
        emit_raw(&m, l->items[i].text);
        emit_close(&m, '}');
    }
    emit_close(&m, ']');
    put_meta(&m, &l->usage);
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}
