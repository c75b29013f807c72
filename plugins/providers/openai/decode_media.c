/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_media.c -- answers that are no chat: texts of transcriptions, prompts that an image model rewrote, contents of
 * files. Called by decode.c.
 *
 * Words and segments of a transcription say its text once more, each with its time: they are shadows of it (`copy`),
 * which go when the text was edited.
 */
#include "decode.h"
#include "lines.h"

/* What is a text by itself. */
static void put_alone(struct decoder *d, uint32_t node, uint32_t choice, uint32_t block)
{
    struct weir_event *ev;

    if (!is_text(d, node))
        return;
    ev = decode_event(d, WEIR_TEXT, choice);
    ev->block = block;
    ev->last = true;
    decode_place(d, ev, node);
}

static void media_shadow(struct decoder *d, uint32_t node)
{
    struct weir_event *ev;

    if (!is(d, node, WEIR_JSON_ARRAY) && !is(d, node, WEIR_JSON_OBJECT))
        return;
    ev = decode_event(d, WEIR_TEXT, 0);
    ev->copy = true;
    ev->at = d->j->nodes[node].at;
    ev->len = d->j->nodes[node].len;
}

static void media_usage(struct decoder *d)
{
    uint32_t usage = weir_json_get(d->j, 0, "usage");
    int64_t in = weir_json_int(d->j, weir_json_get(d->j, usage, "input_tokens"), -1);
    int64_t out = weir_json_int(d->j, weir_json_get(d->j, usage, "output_tokens"), -1);

    if (in < 0 && out < 0)
        return;
    d->usage = (struct weir_usage){-1, -1, -1, -1, -1, -1, -1};
    d->usage.input = in;
    d->usage.output = out;
    decode_event(d, WEIR_USAGE, 0)->usage = &d->usage;
}

/* ---- streams ---- */

static bool ends_with(struct weir_str s, const char *tail)
{
    size_t n = strlen(tail);

    return s.len >= n && memcmp(s.ptr + s.len - n, tail, n) == 0;
}

static void decode_record(struct decoder *d)
{
    struct weir_str type = value_of(d, weir_json_get(d->j, 0, "type"));
    uint32_t delta = weir_json_get(d->j, 0, "delta"), error = weir_json_get(d->j, 0, "error");
    struct weir_event *ev;

    if (str_is(type, "error") || node_there(d->j, error)) {
        decode_error(d, node_there(d->j, error) ? error : 0);
        return;
    }
    if (str_is(type, "transcript.text.delta") && is_text(d, delta)) {
        ev = decode_event(d, WEIR_TEXT, 0);
        decode_place(d, ev, delta);
        media_shadow(d, weir_json_get(d->j, 0, "logprobs"));
    } else if (str_is(type, "transcript.text.segment")) {
        put_alone(d, weir_json_get(d->j, 0, "text"), 0, 1 + d->l->strings++ % MOST_STRINGS);
    } else if (ends_with(type, ".done") || ends_with(type, ".completed")) {
        if (str_is(type, "transcript.text.done")) {
            ev = decode_event(d, WEIR_TEXT, 0); /* ends the stream, without a place */
            ev->last = true;
            if (is_text(d, weir_json_get(d->j, 0, "text"))) {
                ev = decode_event(d, WEIR_TEXT, 0);
                ev->copy = true;
                decode_place(d, ev, weir_json_get(d->j, 0, "text"));
            }
            media_shadow(d, weir_json_get(d->j, 0, "logprobs"));
        }
        media_usage(d);
        decode_event(d, WEIR_FINISH, 0)->finish = WEIR_FINISH_STOP;
    }
}

/* ---- whole bodies ---- */

static void decode_whole(struct decoder *d)
{
    uint32_t choice = 0, n = 1;

    for (EACH_ITEM(d->j, image, weir_json_get(d->j, 0, "data")))
        put_alone(d, weir_json_get(d->j, image, "revised_prompt"), choice++, 0);
    if (is_text(d, weir_json_get(d->j, 0, "text"))) {
        put_alone(d, weir_json_get(d->j, 0, "text"), 0, 0);
        media_shadow(d, weir_json_get(d->j, 0, "segments"));
        media_shadow(d, weir_json_get(d->j, 0, "words"));
        media_shadow(d, weir_json_get(d->j, 0, "logprobs"));
    } else {
        for (EACH_ITEM(d->j, segment, weir_json_get(d->j, 0, "segments")))
            put_alone(d, weir_json_get(d->j, segment, "text"), 0, n++);
    }
    media_usage(d);
}

bool decode_media(struct decoder *d)
{
    if (d->j && d->frame->stream)
        decode_record(d);
    else if (d->j && weir_request(d->c)->kind < WEIR_FILE)
        decode_whole(d);
    else if (!d->j && !d->frame->stream)
        lines_emit(d->c, d->frame);
    else if (!d->j && str_is(d->frame->data, "[DONE]"))
        decode_event(d, WEIR_DONE_MARK, 0);
    return !d->failed;
}
