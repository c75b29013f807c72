/* SPDX-License-Identifier: Apache-2.0 */
/* decode_body.c -- an answer of Cohere in one piece -> events: chat, vectors, scores, errors.  See decode.h. */
#include "decode.h"

/* ---- chat ---- */

static bool body_content(struct decoder *d, uint32_t content)
{
    uint32_t index = 0;

    if (node_is_string(d->j, content))
        return decode_piece(d, WEIR_TEXT, 0, content, true);
    for (EACH_ITEM(d->j, item, content)) {
        uint32_t thinking = member(d, item, "thinking"), text = member(d, item, "text");
        if (index == BLOCK_PLAN)
            return decode_give_up(d, "the answer has too many blocks");
        if (!decode_piece(d, WEIR_REASONING, index, thinking, true) || !decode_piece(d, WEIR_TEXT, index, text, true))
            return false;
        index++;
    }
    return true;
}

static bool body_calls(struct decoder *d, uint32_t calls)
{
    uint32_t index = 0;

    for (EACH_ITEM(d->j, call, calls))
        if (is_object(d, call) && !decode_call(d, index++, call, true))
            return false;
    return true;
}

/* The text of the answer: what citations and log probabilities say again. */
static uint32_t text_block(const struct decoder *d)
{
    for (uint32_t i = 0; i < d->l->open_count; i++)
        if (d->l->open[i].channel == WEIR_TEXT)
            return d->l->open[i].block;
    return 0;
}

static bool body_chat(struct decoder *d)
{
    uint32_t message = member(d, 0, "message");

    decode_start(d, member(d, 0, "id"));
    for (EACH_KEY(d->j, k, message)) {
        bool ok = KEY_IS(d->j, k, "content")      ? body_content(d, k + 1)
                  : KEY_IS(d->j, k, "tool_plan")  ? decode_piece(d, WEIR_TEXT, BLOCK_PLAN, k + 1, true)
                  : KEY_IS(d->j, k, "tool_calls") ? body_calls(d, k + 1)
                                                  : true;
        if (!ok)
            return false;
    }
    decode_shadow(d, text_block(d), member(d, message, "citations"));
    decode_shadow(d, text_block(d), member(d, 0, "logprobs"));
    decode_usage(d, member(d, 0, "usage"));
    decode_finish(d, 0);
    return true;
}

/* ---- vectors and scores ---- */

static void put_raw(struct decoder *d, enum weir_channel channel, uint32_t choice, uint32_t node)
{
    struct weir_event ev = event_of(channel, 0);

    ev.choice = choice;
    ev.text = weir_json_text(d->j, node);
    ev.at = d->j->nodes[node].at;
    ev.len = d->j->nodes[node].len;
    ev.raw = !node_is_string(d->j, node);
    ev.last = true;
    weir_emit(d->c, &ev);
}

/* {"float":[[...]]}, or what was asked for without a type: the list itself. */
static bool body_vectors(struct decoder *d)
{
    uint32_t embeddings = member(d, 0, "embeddings"), list = embeddings, index = 0;

    if (is_object(d, embeddings)) {
        list = member(d, embeddings, "float");
        if (list == WEIR_NO_NODE)
            list = member(d, embeddings, "base64");
    }
    decode_start(d, member(d, 0, "id"));
    for (EACH_ITEM(d->j, item, list)) {
        if (index == COHERE_ITEMS)
            return decode_give_up(d, "the answer has too many vectors");
        if (weir_json_is(d->j, item, WEIR_JSON_ARRAY) || node_is_string(d->j, item))
            put_raw(d, WEIR_VECTOR, index++, item);
    }
    decode_usage(d, member(d, 0, "meta"));
    return true;
}

static bool body_scores(struct decoder *d)
{
    uint32_t count = 0;

    decode_start(d, member(d, 0, "id"));
    for (EACH_ITEM(d->j, item, member(d, 0, "results"))) {
        int64_t index = weir_json_int(d->j, member(d, item, "index"), -1);
        uint32_t score = member(d, item, "relevance_score");
        if (index < 0 || index >= COHERE_ITEMS || count++ == COHERE_ITEMS)
            return decode_give_up(d, "a document's index makes no sense");
        if (weir_json_is(d->j, score, WEIR_JSON_NUMBER))
            put_raw(d, WEIR_SCORE, (uint32_t)index, score);
    }
    decode_usage(d, member(d, 0, "meta"));
    return true;
}

/* ---- errors ---- */

/* {"id","message"}; of a page, its beginning. */
static struct weir_str message_of(const struct decoder *d)
{
    struct weir_str s = WEIR_STR("");

    if (d->j && is_object(d, 0))
        s = get_value(d->c, d->j, 0, "message");
    if (!s.len && d->j && is_object(d, 0))
        s = get_value(d->c, d->j, 0, "error");
    if (!s.len)
        s = d->frame->data;
    if (s.len > 1024)
        s.len = 1024;
    return s;
}

bool decode_body(struct decoder *d)
{
    enum weir_kind kind = weir_request(d->c)->kind;

    if (d->frame->status >= 400) {
        decode_error(d, message_of(d), d->frame->status);
        return true;
    }
    if (!d->j || !is_object(d, 0))
        return decode_give_up(d, "the answer is no JSON object");
    if (!d->lowered && kind != WEIR_CHAT) {
        decode_usage(d, member(d, 0, "meta"));
        return true;
    }
    return kind == WEIR_EMBEDDING ? body_vectors(d) : kind == WEIR_RERANK ? body_scores(d) : body_chat(d);
}
