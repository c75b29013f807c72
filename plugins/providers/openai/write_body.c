/* SPDX-License-Identifier: Apache-2.0 */
/* write_body.c -- a whole chat.completion of what write.c kept, its usage and the word for its end; see write.h. */
#include "write.h"

#include "details.h"

/* What the answer holds counts before the reason, unless that says why it is not whole. */
const char *write_finish(const struct openai_writer *w, const struct written_choice *ch)
{
    if (ch->finish == WEIR_FINISH_LENGTH || ch->finish == WEIR_FINISH_CONTEXT)
        return "length";
    if (ch->finish == WEIR_FINISH_FILTERED)
        return "content_filter";
    if (ch->call_count)
        return w->old ? "function_call" : "tool_calls";
    return "stop";
}

static int64_t counted(int64_t n)
{
    return n > 0 ? n : 0;
}

static void put_count(struct emit *m, const char *key, int64_t n)
{
    if (n < 0)
        return;
    emit_key(m, key);
    emit_int(m, n);
}

/* OpenAI's counts have their parts in them; ours stand beside each other. */
void write_usage(struct emit *m, const struct weir_usage *u, bool embedding)
{
    int64_t in = counted(u->input) + counted(u->cache_read) + counted(u->cache_write) + counted(u->audio_in);
    int64_t out = counted(u->output) + counted(u->reasoning) + counted(u->audio_out);

    emit_key(m, "usage");
    emit_open(m, '{');
    put_count(m, "prompt_tokens", in);
    if (!embedding)
        put_count(m, "completion_tokens", out);
    put_count(m, "total_tokens", in + out);
    if (!embedding && (u->cache_read >= 0 || u->cache_write >= 0 || u->audio_in >= 0)) {
        emit_key(m, "prompt_tokens_details");
        emit_open(m, '{');
        put_count(m, "cached_tokens", counted(u->cache_read));
        put_count(m, "cache_write_tokens", u->cache_write);
        put_count(m, "audio_tokens", u->audio_in);
        emit_close(m, '}');
    }
    if (!embedding && (u->reasoning >= 0 || u->audio_out >= 0)) {
        emit_key(m, "completion_tokens_details");
        emit_open(m, '{');
        put_count(m, "reasoning_tokens", counted(u->reasoning));
        put_count(m, "audio_tokens", u->audio_out);
        emit_close(m, '}');
    }
    emit_close(m, '}');
}

/* {"type":"thinking","thinking":[{"type":"text","text":...}]} */
void write_thinking(struct emit *m, struct weir_str text)
{
    emit_open(m, '{');
    emit_member_lit(m, "type", "thinking");
    emit_key(m, "thinking");
    emit_open(m, '[');
    emit_open(m, '{');
    emit_member_lit(m, "type", "text");
    emit_member_text(m, "text", text);
    emit_close(m, '}');
    emit_close(m, ']');
    emit_close(m, '}');
}

/* Mistral's clients find thoughts before the text, in the content. */
static void put_content(const struct openai_writer *w, struct emit *m, const struct written_choice *ch)
{
    bool parts = w->voice == VOICE_MISTRAL && ch->thoughts.len;

    emit_key(m, "content");
    if (parts) {
        emit_open(m, '[');
        write_thinking(m, text_view(&ch->thoughts));
        emit_open(m, '{');
        emit_member_lit(m, "type", "text");
        emit_member_text(m, "text", text_view(&ch->content));
        emit_close(m, '}');
        emit_close(m, ']');
    } else if (ch->content.len || !ch->call_count) {
        emit_text(m, text_view(&ch->content));
    } else {
        emit_raw(m, WEIR_STR("null"));
    }
}

static void put_thoughts(const struct openai_writer *w, struct emit *m, const struct written_choice *ch)
{
    if (ch->thoughts.len && w->voice != VOICE_MISTRAL)
        emit_member_text(m, w->voice == VOICE_ROUTER ? "reasoning" : "reasoning_content", text_view(&ch->thoughts));
    if (!ch->reasoning_count)
        return;
    emit_key(m, "reasoning_details");
    emit_open(m, '[');
    for (uint32_t i = 0; i < ch->reasoning_count; i++) {
        const struct written_reasoning *r = &ch->reasoning[i];
        details_put(m, text_view(&r->text), r->kind, r->data, r->id, i);
    }
    emit_close(m, ']');
}

static void put_called(struct emit *m, const struct written_call *call)
{
    struct weir_str text = text_view(&call->text);

    emit_open(m, '{');
    emit_member_text(m, "name", call->name);
    if (call->custom)
        emit_member_text(m, "input", text);
    else
        emit_member_text(m, "arguments", text.len ? text : WEIR_STR("{}"));
    emit_close(m, '}');
}

static void put_all_calls(struct emit *m, const struct written_choice *ch, bool old)
{
    if (!ch->call_count)
        return;
    if (old) {
        emit_key(m, "function_call");
        put_called(m, &ch->calls[0]);
        return;
    }
    emit_key(m, "tool_calls");
    emit_open(m, '[');
    for (uint32_t i = 0; i < ch->call_count; i++) {
        const struct written_call *call = &ch->calls[i];
        emit_open(m, '{');
        emit_member_text(m, "id", call->id);
        emit_member_text(m, "type", call->custom ? WEIR_STR("custom") : WEIR_STR("function"));
        emit_key(m, call->custom ? "custom" : "function");
        put_called(m, call);
        emit_close(m, '}');
    }
    emit_close(m, ']');
}

static void put_whole_choice(struct openai_writer *w, struct emit *m, const struct written_choice *ch)
{
    emit_open(m, '{');
    emit_key(m, "index");
    emit_int(m, ch->index);
    emit_key(m, "message");
    emit_open(m, '{');
    emit_member_lit(m, "role", "assistant");
    put_content(w, m, ch);
    emit_key(m, "refusal");
    emit_raw(m, WEIR_STR("null"));
    put_thoughts(w, m, ch);
    put_all_calls(m, ch, w->old);
    emit_close(m, '}');
    emit_key(m, "logprobs");
    emit_raw(m, WEIR_STR("null"));
    emit_member_text(m, "finish_reason", str_of(write_finish(w, ch)));
    emit_close(m, '}');
}

/* The choice with the lowest index from `least` on; NULL: none.  There are few. */
static const struct written_choice *next_choice(const struct openai_writer *w, uint32_t least)
{
    const struct written_choice *found = NULL;

    for (uint32_t i = 0; i < w->choice_count; i++)
        if (w->choices[i].index >= least && (!found || w->choices[i].index < found->index))
            found = &w->choices[i];
    return found;
}

void write_body(struct openai_writer *w)
{
    struct emit m = {.t.c = w->c};

    if (weir_request(w->c)->kind == WEIR_EMBEDDING) {
        write_vectors(w);
        return;
    }
    if (weir_request(w->c)->kind == WEIR_RERANK) {
        write_scores(w);
        return;
    }
    emit_open(&m, '{');
    emit_member_text(&m, "id", w->id);
    emit_member_lit(&m, "object", "chat.completion");
    emit_key(&m, "created");
    emit_raw(&m, w->created);
    emit_member_text(&m, "model", w->model);
    if (w->voice == VOICE_ROUTER) { /* must be there in a whole answer, and must not be null in a chunk */
        emit_key(&m, "system_fingerprint");
        emit_raw(&m, WEIR_STR("null"));
    }
    emit_key(&m, "choices");
    emit_open(&m, '[');
    for (const struct written_choice *ch = next_choice(w, 0); ch; ch = next_choice(w, ch->index + 1))
        put_whole_choice(w, &m, ch);
    emit_close(&m, ']');
    if (w->usage_said)
        write_usage(&m, &w->usage, false);
    emit_close(&m, '}');
    weir_out(w->c, text_view(&m.t));
}
