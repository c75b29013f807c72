/* SPDX-License-Identifier: Apache-2.0 */
/*
 * piece.c -- text that a stage held and set free where no frame of the upstream has room for it, as a record of its
 * own; client and upstream both speak this dialect.  Called by answer.c.
 */
#include "streams.h"

/* Takes the number of the frame that it goes before, which gets the next one, and so do all behind it. */
static void answer_number(struct weir_ctx *c, struct emit *m)
{
    struct responses_local *l = c->local;
    struct text next = {.c = c};

    if (!l->number_at && !l->sequence)
        return; /* an upstream that does not number */
    emit_key(m, "sequence_number");
    emit_int(m, l->number_at ? l->sequence - 1 : l->sequence);
    l->sequence++;
    l->inserted++;
    text_int(&next, l->sequence - 1);
    if (l->number_at)
        weir_frame_splice(c, l->number_at, l->number_len, text_view(&next));
}

/* The record that upstream's pieces of this text are in. */
bool answer_piece(struct weir_ctx *c, const struct weir_event *ev)
{
    const struct responses_local *l = c->local;
    const struct stream *s = ev->block < l->stream_count ? &l->streams[ev->block] : NULL;
    const struct stream_grammar *g = s ? &stream_grammar[s->kind] : NULL;
    struct emit m = {.t.c = c};

    if (!s || g->channel != ev->channel)
        return false;
    text_lit(&m.t, "event: ");
    text_str(&m.t, str_of(g->stem));
    text_lit(&m.t, ".delta\ndata: {\"type\":\"");
    text_str(&m.t, str_of(g->stem));
    text_lit(&m.t, ".delta\"");
    m.comma = true;
    if (s->item.len) {
        emit_key(&m, "item_id");
        emit_quoted(&m, s->item);
    }
    emit_key(&m, "output_index");
    emit_int(&m, s->output);
    if (g->index) {
        emit_key(&m, g->index);
        emit_int(&m, s->part);
    }
    emit_member_text(&m, "delta", ev->text);
    if (s->kind == KIND_TEXT) {
        emit_key(&m, "logprobs");
        emit_raw(&m, WEIR_STR("[]"));
    }
    answer_number(c, &m);
    emit_close(&m, '}');
    text_lit(&m.t, "\n\n");
    weir_out(c, text_view(&m.t));
    return true;
}
