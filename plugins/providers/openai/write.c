/* SPDX-License-Identifier: Apache-2.0 */
/* write.c -- events -> chunks of a stream, or what write_body.c makes one body of; see write.h. */
#include "write.h"

#include "canon.h"
#include "details.h"

void *write_more(struct weir_ctx *c, void *array, uint32_t count, uint32_t *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 4;
    more = weir_alloc(c, *cap * size);
    if (count)
        memcpy(more, array, count * size);
    return more;
}

/* ---- chunks ---- */

static void head_put(struct openai_writer *w, struct emit *m)
{
    text_lit(&m->t, "data: ");
    emit_open(m, '{');
    emit_member_text(m, "id", w->id);
    emit_member_lit(m, "object", "chat.completion.chunk");
    emit_key(m, "created");
    emit_raw(m, w->created);
    emit_member_text(m, "model", w->model);
    emit_key(m, "choices");
    emit_open(m, '[');
}

static void chunk_send(struct openai_writer *w, struct emit *m)
{
    emit_close(m, '}');
    text_lit(&m->t, "\n\n");
    weir_out(w->c, text_view(&m->t));
}

static void chunk_open(struct openai_writer *w, struct emit *m, uint32_t choice)
{
    *m = (struct emit){.t.c = w->c};
    head_put(w, m);
    emit_open(m, '{');
    emit_key(m, "index");
    emit_int(m, choice);
    emit_key(m, "delta");
    emit_open(m, '{');
}

static void chunk_close(struct openai_writer *w, struct emit *m, const char *finish)
{
    emit_close(m, '}');
    emit_key(m, "logprobs");
    emit_raw(m, WEIR_STR("null"));
    emit_key(m, "finish_reason");
    if (finish)
        emit_text(m, str_of(finish));
    else
        emit_raw(m, WEIR_STR("null"));
    emit_close(m, '}');
    emit_close(m, ']');
    if (w->usage_asked && w->voice == VOICE_OPENAI) {
        emit_key(m, "usage");
        emit_raw(m, WEIR_STR("null"));
    }
    chunk_send(w, m);
}

/* ---- choices ---- */

/* Each choice of a stream begins with its role. */
static struct written_choice *choice_get(struct openai_writer *w, uint32_t index)
{
    struct written_choice *ch;
    struct emit m;

    for (uint32_t i = 0; i < w->choice_count; i++)
        if (w->choices[i].index == index)
            return &w->choices[i];
    if (w->choice_count == OPENAI_STREAMS)
        return NULL;
    w->choices = write_more(w->c, w->choices, w->choice_count, &w->choice_cap, sizeof *w->choices);
    ch = &w->choices[w->choice_count++];
    *ch = (struct written_choice){.index = index, .content.c = w->c, .thoughts.c = w->c};
    if (w->stream) {
        chunk_open(w, &m, index);
        emit_member_lit(&m, "role", "assistant");
        emit_member_lit(&m, "content", "");
        chunk_close(w, &m, NULL);
    }
    return ch;
}

/* ---- text ---- */

static void write_text(struct openai_writer *w, struct written_choice *ch, struct weir_str text)
{
    struct emit m;

    if (!text.len)
        return;
    if (!w->stream) {
        text_str(&ch->content, text);
        return;
    }
    chunk_open(w, &m, ch->index);
    emit_member_text(&m, "content", text);
    chunk_close(w, &m, NULL);
}

/* ---- reasoning ---- */

static struct written_reasoning *reasoning_new(struct openai_writer *w, struct written_choice *ch, uint32_t block)
{
    struct written_reasoning *r;

    if (ch->reasoning_count == OPENAI_STREAMS)
        return NULL;
    ch->reasoning = write_more(w->c, ch->reasoning, ch->reasoning_count, &ch->reasoning_cap, sizeof *ch->reasoning);
    r = &ch->reasoning[ch->reasoning_count++];
    *r = (struct written_reasoning){.block = block, .text.c = w->c};
    return r;
}

static struct written_reasoning *reasoning_get(struct openai_writer *w, struct written_choice *ch, uint32_t block)
{
    for (uint32_t i = ch->reasoning_count; i-- > 0;)
        if (ch->reasoning[i].block == block && !ch->reasoning[i].closed)
            return &ch->reasoning[i];
    return reasoning_new(w, ch, block);
}

static bool write_thought(struct openai_writer *w, struct written_choice *ch, const struct weir_event *ev)
{
    struct written_reasoning *r;
    struct emit m;

    if (!ev->text.len)
        return true;
    r = reasoning_get(w, ch, ev->block);
    if (!r)
        return false;
    if (!w->stream) {
        text_str(&r->text, ev->text);
        text_str(&ch->thoughts, ev->text);
        return true;
    }
    chunk_open(w, &m, ch->index);
    if (w->voice == VOICE_MISTRAL) {
        emit_key(&m, "content");
        emit_open(&m, '[');
        write_thinking(&m, ev->text);
        emit_close(&m, ']');
    } else {
        emit_member_text(&m, w->voice == VOICE_ROUTER ? "reasoning" : "reasoning_content", ev->text);
    }
    emit_key(&m, "reasoning_details");
    emit_open(&m, '[');
    details_put(&m, ev->text, WEIR_STR(""), WEIR_STR(""), WEIR_STR(""), (uint32_t)(r - ch->reasoning));
    emit_close(&m, ']');
    chunk_close(w, &m, NULL);
    return true;
}

static void opaque_send(struct openai_writer *w, struct written_choice *ch, uint32_t place)
{
    const struct written_reasoning *r = &ch->reasoning[place];
    struct emit m;

    if (!w->stream)
        return;
    chunk_open(w, &m, ch->index);
    emit_key(&m, "reasoning_details");
    emit_open(&m, '[');
    details_put(&m, WEIR_STR(""), r->kind, r->data, r->id, place);
    emit_close(&m, ']');
    chunk_close(w, &m, NULL);
}

/* A thought of Gemini's belongs to what follows; the id of a call that does so is all that tells a client. */
static bool write_opaque(struct openai_writer *w, struct written_choice *ch, const struct weir_event *ev)
{
    bool alone = str_is(ev->value, "gemini.thought");
    struct written_reasoning *r = alone ? reasoning_new(w, ch, ev->block) : reasoning_get(w, ch, ev->block);

    if (!r)
        return false;
    r->closed = true;
    r->kind = text_keep(w->c, ev->value);
    r->data = text_keep(w->c, ev->detail);
    if (alone) {
        w->held = (uint32_t)(r - ch->reasoning) + 1;
        w->held_choice = ch->index;
        return true;
    }
    opaque_send(w, ch, (uint32_t)(r - ch->reasoning));
    return true;
}

static void held_send(struct openai_writer *w, uint32_t choice, struct weir_str id)
{
    struct written_choice *ch = w->held ? choice_get(w, w->held_choice) : NULL;
    uint32_t place = w->held - 1;

    if (!ch)
        return;
    w->held = 0;
    if (choice == ch->index)
        ch->reasoning[place].id = id;
    opaque_send(w, ch, place);
}

/* ---- calls ---- */

static struct written_call *call_find(struct written_choice *ch, const struct weir_event *ev)
{
    for (uint32_t i = ch->call_count; i-- > 0;)
        if (ch->calls[i].block == ev->block && ch->calls[i].channel == ev->channel)
            return &ch->calls[i];
    return NULL;
}

/* Upstreams may have no ids: made of the answer's, which is another in every turn. */
static struct weir_str id_made(struct openai_writer *w, const struct written_choice *ch)
{
    struct text t = {.c = w->c}, id = {.c = w->c};

    text_str(&t, w->id);
    text_lit(&t, "/");
    text_int(&t, ch->index);
    text_lit(&t, "/");
    text_int(&t, ch->call_count);
    text_lit(&id, "call_");
    text_str(&id, canon_call_id(w->c, text_view(&t), 24, true));
    return text_view(&id);
}

static struct written_call *call_begin(struct openai_writer *w, struct written_choice *ch, const struct weir_event *ev)
{
    struct written_call *call;

    if (ch->call_count == OPENAI_STREAMS || (w->old && ch->call_count))
        return NULL;
    ch->calls = write_more(w->c, ch->calls, ch->call_count, &ch->call_cap, sizeof *ch->calls);
    call = &ch->calls[ch->call_count];
    *call = (struct written_call){.channel = ev->channel, .block = ev->block, .text.c = w->c};
    call->custom = ev->channel == WEIR_TEXT;
    call->id = ev->tool_id.len ? text_keep(w->c, ev->tool_id) : id_made(w, ch);
    call->name = text_keep(w->c, ev->tool_name);
    ch->call_count++;
    held_send(w, ch->index, call->id);
    return call;
}

static void call_chunk(struct openai_writer *w, struct written_choice *ch, struct written_call *call,
                       struct weir_str text, bool first)
{
    struct emit m;

    chunk_open(w, &m, ch->index);
    if (w->old) {
        emit_key(&m, "function_call");
    } else {
        emit_key(&m, "tool_calls");
        emit_open(&m, '[');
        emit_open(&m, '{');
        emit_key(&m, "index");
        emit_int(&m, call - ch->calls);
        if (first) {
            emit_member_text(&m, "id", call->id);
            emit_member_text(&m, "type", call->custom ? WEIR_STR("custom") : WEIR_STR("function"));
        }
        emit_key(&m, call->custom ? "custom" : "function");
    }
    emit_open(&m, '{');
    if (first || w->voice == VOICE_MISTRAL)
        emit_member_text(&m, "name", first ? call->name : WEIR_STR(""));
    emit_member_text(&m, call->custom ? "input" : "arguments", text);
    emit_close(&m, '}');
    if (!w->old) {
        emit_close(&m, '}');
        emit_close(&m, ']');
    }
    chunk_close(w, &m, NULL);
}

static bool write_call(struct openai_writer *w, struct written_choice *ch, const struct weir_event *ev)
{
    struct written_call *call = call_find(ch, ev);
    bool first = !call;

    if (first)
        call = call_begin(w, ch, ev);
    if (!call)
        return false;
    if (!w->stream)
        text_str(&call->text, ev->text);
    else if (first || ev->text.len)
        call_chunk(w, ch, call, ev->text, first);
    call->any |= ev->text.len > 0;
    if (w->stream && ev->last && !call->any && !call->custom) { /* no arguments are {} */
        call_chunk(w, ch, call, WEIR_STR("{}"), false);
        call->any = true;
    }
    return true;
}

/* ---- the end ---- */

static bool finish_send(struct openai_writer *w, struct written_choice *ch, enum weir_finish finish)
{
    struct emit m;

    if (ch->finished)
        return true;
    if (finish == WEIR_FINISH_FAILED) /* nothing here says so but an error */
        return false;
    ch->finished = true;
    ch->finish = finish;
    if (w->stream) {
        chunk_open(w, &m, ch->index);
        chunk_close(w, &m, write_finish(w, ch));
    }
    return true;
}

static void usage_take(struct openai_writer *w, const struct weir_usage *u)
{
#define TAKE(field) w->usage.field = u->field >= 0 ? u->field : w->usage.field
    w->usage_said = true;
    TAKE(input);
    TAKE(cache_read);
    TAKE(cache_write);
    TAKE(output);
    TAKE(reasoning);
    TAKE(audio_in);
    TAKE(audio_out);
#undef TAKE
}

static bool write_done(struct openai_writer *w)
{
    struct emit m = {.t.c = w->c};

    for (uint32_t i = 0; i < w->choice_count; i++)
        if (!finish_send(w, &w->choices[i], WEIR_FINISH_STOP))
            return false;
    if (!w->stream) {
        write_body(w);
        return true;
    }
    if (w->usage_asked && w->usage_said) {
        head_put(w, &m);
        emit_close(&m, ']');
        write_usage(&m, &w->usage, false);
        chunk_send(w, &m);
    }
    weir_out(w->c, WEIR_STR("data: [DONE]\n\n"));
    return true;
}

static bool vector_keep(struct openai_writer *w, const struct weir_event *ev)
{
    if (w->vector_count == OPENAI_CHOICES)
        return false;
    w->vectors = write_more(w->c, w->vectors, w->vector_count, &w->vector_cap, sizeof *w->vectors);
    w->vectors[w->vector_count++] = (struct written_vector){ev->choice, text_keep(w->c, ev->text)};
    return true;
}

bool write_start(struct weir_ctx *c, const struct weir_event *ev)
{
    const struct weir_request *r = weir_request(c);
    const struct weir_json *j = weir_body(c);
    struct openai_writer *w = weir_alloc(c, sizeof *w);
    struct text id = {.c = c};
    struct weir_str time = weir_fact(c, "time");

    text_lit(&id, "chatcmpl-");
    text_str(&id, weir_fact(c, "request_id"));
    *w = (struct openai_writer){.c = c, .stream = r->stream};
    w->voice = voice_of(c);
    w->usage_asked = r->stream && r->usage_asked;
    w->usage = (struct weir_usage){-1, -1, -1, -1, -1, -1, -1};
    w->id = ev->detail.len ? text_keep(c, ev->detail) : text_view(&id);
    w->model = text_keep(c, ev->value.len ? ev->value : r->model);
    w->created = time.len ? text_keep(c, time) : WEIR_STR("0");
    w->old = j && weir_json_is(j, weir_json_get(j, 0, "functions"), WEIR_JSON_ARRAY) &&
             weir_json_get(j, 0, "tools") == WEIR_NO_NODE;
    ((struct openai_local *)c->local)->writer = w;
    return r->kind == WEIR_EMBEDDING || r->kind == WEIR_RERANK || choice_get(w, 0) != NULL;
}

bool write_event(struct openai_writer *w, const struct weir_event *ev)
{
    struct written_choice *ch = NULL;
    bool call = ev->channel == WEIR_ARGUMENTS || (ev->channel == WEIR_TEXT && (ev->tool_id.len || ev->tool_name.len));

    if (ev->channel == WEIR_USAGE) {
        usage_take(w, ev->usage);
        return true;
    }
    if (ev->channel == WEIR_VECTOR || ev->channel == WEIR_SCORE)
        return vector_keep(w, ev);
    if (ev->channel == WEIR_TEXT || ev->channel == WEIR_REASONING || ev->channel == WEIR_ARGUMENTS ||
        ev->channel == WEIR_OPAQUE || ev->channel == WEIR_FINISH)
        ch = choice_get(w, ev->choice);
    if (ch && ev->channel == WEIR_TEXT && !call)
        call = call_find(ch, ev) != NULL;
    if (!call)
        held_send(w, UINT32_MAX, WEIR_STR(""));
    if (ev->channel == WEIR_DONE_MARK)
        return write_done(w);
    if (!ch)
        return false;
    switch (ev->channel) {
    case WEIR_REASONING:
        return write_thought(w, ch, ev);
    case WEIR_OPAQUE:
        return write_opaque(w, ch, ev);
    case WEIR_FINISH:
        return finish_send(w, ch, ev->finish);
    default:
        break;
    }
    if (call)
        return write_call(w, ch, ev);
    write_text(w, ch, ev->text);
    return true;
}
