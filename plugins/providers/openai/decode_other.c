/* SPDX-License-Identifier: Apache-2.0 */
/* decode_other.c -- what of an answer only clients of other dialects need, since they get no frame.  See decode.h. */
#include "decode.h"
#include "details.h"
#include "streams.h"

#define REASONING_OPAQUE 4 /* blocks of what has no text */

void decode_start(struct decoder *d)
{
    uint32_t choices = weir_json_get(d->j, 0, "choices"), data = weir_json_get(d->j, 0, "data");
    struct weir_event *ev;

    if (d->l->started || d->frame->status >= 400)
        return;
    if (!d->l->id.len && (!is(d, choices, WEIR_JSON_ARRAY) || weir_json_first(d->j, choices) == WEIR_NO_NODE) &&
        !is(d, data, WEIR_JSON_ARRAY))
        return;
    d->l->started = true;
    ev = decode_event(d, WEIR_START, 0);
    ev->detail = weir_unescape(d->c, d->l->id);
    ev->value = d->l->model.len ? weir_unescape(d->c, d->l->model) : value_of(d, weir_json_get(d->j, 0, "model"));
}

/* ---- why it ended ---- */

static bool has_calls(const struct openai_local *l, uint32_t choice)
{
    for (uint32_t i = 0; i < l->call_count; i++)
        if (l->calls[i].choice == choice)
            return true;
    return false;
}

/* What the answer holds counts before the label; words that nobody knows mean that it ended. */
enum weir_finish decode_reason(const struct decoder *d, uint32_t choice, struct weir_str reason)
{
    static const struct {
        const char *word;
        enum weir_finish finish;
    } words[] = {
        {"length", WEIR_FINISH_LENGTH},
        {"tool_calls", WEIR_FINISH_TOOL_CALLS},
        {"function_call", WEIR_FINISH_TOOL_CALLS},
        {"content_filter", WEIR_FINISH_FILTERED},
        {"sensitive", WEIR_FINISH_FILTERED},
        {"model_length", WEIR_FINISH_CONTEXT},
        {"error", WEIR_FINISH_FAILED},
        {"abort", WEIR_FINISH_FAILED},
        {"network_error", WEIR_FINISH_FAILED},
        {"insufficient_system_resource", WEIR_FINISH_FAILED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(reason, words[i].word))
            return words[i].finish;
    return has_calls(d->l, choice) ? WEIR_FINISH_TOOL_CALLS : WEIR_FINISH_STOP;
}

/* vLLM's stop_reason, SGLang's matched_stop: the sequence as text, or a token's number, which says nothing. */
void decode_stop_sequence(struct decoder *d, struct weir_event *finish, uint32_t item)
{
    uint32_t hit = weir_json_get(d->j, item, "stop_reason");

    if (finish->finish != WEIR_FINISH_STOP || !d->l->lowered)
        return;
    if (!is_text(d, hit))
        hit = weir_json_get(d->j, item, "matched_stop");
    if (!is_text(d, hit))
        return;
    finish->finish = WEIR_FINISH_STOP_SEQUENCE;
    finish->value = value_of(d, hit);
}

/* ---- opaque reasoning ---- */

/* The reasoning of a choice that has text and no end. */
static struct openai_stream *open_reasoning(struct decoder *d, uint32_t choice)
{
    for (uint32_t i = 0; i < d->l->stream_count; i++) {
        struct openai_stream *s = &d->l->streams[i];
        if (s->channel == WEIR_REASONING && s->choice == choice && s->open)
            return s;
    }
    return NULL;
}

/* Signatures end the text they sign, and encrypted reasoning of OpenAI its summary; what stands for itself has a block
 * of its own. */
void decode_opaque(struct decoder *d, uint32_t choice, uint32_t item)
{
    struct weir_str kind = details_kind(d->c, d->j, item), data = details_data(d->c, d->j, item);
    bool about = node_there(d->j, weir_json_get(d->j, item, "signature")) || str_is(kind, "openai.encrypted");
    struct openai_stream *s = about ? open_reasoning(d, choice) : NULL;
    struct weir_event *ev;
    int64_t block;

    if (!kind.len || d->failed)
        return;
    if (s) {
        block = stream_block(s);
        decode_end_stream(d, s);
    } else {
        s = stream_get(d->c, WEIR_REASONING, choice, REASONING_OPAQUE);
        block = s ? stream_use(s, 0, 0) : -1;
        if (block < 0) {
            decode_give_up(d, "the answer has too much opaque reasoning");
            return;
        }
        s->open = false;
        s->ended = true;
    }
    ev = decode_event(d, WEIR_OPAQUE, choice);
    ev->block = (uint32_t)block;
    ev->detail = data;
    ev->value = kind;
}

/* ---- rerank ---- */

/* Most say `relevance_score`; some say `score`. */
static void decode_scores(struct decoder *d, uint32_t results)
{
    for (EACH_ITEM(d->j, item, results)) {
        uint32_t score = weir_json_get(d->j, item, "relevance_score");
        int64_t index = weir_json_int(d->j, weir_json_get(d->j, item, "index"), -1);
        struct weir_event *ev;
        if (score == WEIR_NO_NODE)
            score = weir_json_get(d->j, item, "score");
        if (index < 0 || index >= OPENAI_CHOICES) {
            decode_give_up(d, "a document's index makes no sense");
            return;
        }
        if (!is(d, score, WEIR_JSON_NUMBER))
            continue;
        ev = decode_event(d, WEIR_SCORE, (uint32_t)index);
        decode_place(d, ev, score);
        ev->last = true;
    }
}

/* ---- embeddings ---- */

void decode_vectors(struct decoder *d, uint32_t data)
{
    uint32_t place = 0;

    if (weir_request(d->c)->kind == WEIR_RERANK)
        decode_scores(d, is(d, data, WEIR_JSON_ARRAY) ? data : weir_json_get(d->j, 0, "results"));
    if (weir_request(d->c)->kind != WEIR_EMBEDDING)
        return;
    for (EACH_ITEM(d->j, item, data)) {
        uint32_t vector = weir_json_get(d->j, item, "embedding");
        int64_t index = weir_json_int(d->j, weir_json_get(d->j, item, "index"), place);
        struct weir_event *ev;
        place++;
        if (index < 0 || index >= OPENAI_CHOICES) {
            decode_give_up(d, "an embedding's index makes no sense");
            return;
        }
        if (!is(d, vector, WEIR_JSON_ARRAY) && !is_text(d, vector))
            continue;
        ev = decode_event(d, WEIR_VECTOR, (uint32_t)index);
        decode_place(d, ev, vector);
        ev->last = true;
    }
}
