/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c -- events -> what a client of this dialect reads: records of a stream (SSE, or elements of one array), or
 * one body.  Host: steps `stream` and `close`, worker process.
 *
 * Calls are written whole, so their arguments are gathered until `last`; a body gathers everything.  The reason of the
 * end and the usage go out together, when all is complete.
 */
#include "gemini.h"

/* ---- what is gathered ---- */

static struct said *said_new(struct weir_ctx *c, const struct weir_event *ev)
{
    struct gemini_local *l = c->local;
    struct said *s;

    l->said = gemini_grown(c, l->said, l->said_count, &l->said_cap, sizeof *l->said);
    s = &l->said[l->said_count++];
    *s = (struct said){.channel = ev->channel, .choice = ev->choice, .block = ev->block, .text.c = c};
    return s;
}

/* The newest are looked at first: pieces of a block come close to each other. */
static struct said *said_get(struct weir_ctx *c, const struct weir_event *ev)
{
    struct gemini_local *l = c->local;

    for (uint32_t i = l->said_count; i-- > 0;)
        if (l->said[i].channel == ev->channel && l->said[i].choice == ev->choice && l->said[i].block == ev->block)
            return &l->said[i];
    return said_new(c, ev);
}

static void said_add(struct weir_ctx *c, const struct weir_event *ev)
{
    struct said *s = said_get(c, ev);

    text_str(&s->text, ev->text);
    if (ev->tool_id.len)
        s->id = text_keep(c, ev->tool_id);
    if (ev->tool_name.len)
        s->name = text_keep(c, ev->tool_name);
}

static struct said *finish_get(struct gemini_local *l, uint32_t choice)
{
    for (uint32_t i = 0; i < l->said_count; i++)
        if (l->said[i].channel == WEIR_FINISH && l->said[i].choice == choice)
            return &l->said[i];
    return NULL;
}

/* ---- parts ---- */

static void write_signature(struct emit *m)
{
    struct gemini_local *l = m->t.c->local;

    if (!l->signature.len)
        return;
    emit_member_text(m, "thoughtSignature", l->signature);
    l->signature.len = 0;
}

static void write_text(struct emit *m, struct weir_str text, bool thought)
{
    emit_open(m, '{');
    emit_member_text(m, "text", text);
    if (thought) {
        emit_key(m, "thought");
        emit_bool(m, true);
    } else {
        write_signature(m);
    }
    emit_close(m, '}');
}

/* A record of a stream is one line; in JSON a break between two values is a space. */
static void put_one_line(struct emit *m, struct weir_str json)
{
    size_t start;

    emit_raw(m, json);
    start = m->t.len - json.len;
    for (size_t i = start; i < m->t.len; i++)
        if (m->t.ptr[i] == '\n' || m->t.ptr[i] == '\r')
            m->t.ptr[i] = ' ';
}

/* false: the arguments are no object, which this dialect cannot say. */
static bool write_call(struct emit *m, const struct said *s)
{
    struct weir_str args = text_view(&s->text);
    struct weir_error no = {{0}, {0}, {0}};
    const struct weir_json *j = args.len ? weir_skim(m->t.c, args, &no) : NULL;

    if (args.len && (!j || j->nodes[0].type != WEIR_JSON_OBJECT))
        return false;
    emit_open(m, '{');
    emit_key(m, "functionCall");
    emit_open(m, '{');
    if (s->id.len)
        emit_member_text(m, "id", s->id);
    emit_member_text(m, "name", s->name);
    emit_key(m, "args");
    put_one_line(m, args.len ? args : WEIR_STR("{}"));
    emit_close(m, '}');
    write_signature(m);
    emit_close(m, '}');
    return true;
}

/* Google's own goes with the part that follows; another's is a thought without text. */
static void write_opaque(struct emit *m, const struct said *s)
{
    struct gemini_local *l = m->t.c->local;
    struct text mark = {.c = m->t.c};

    if (str_is(s->name, "gemini.thought")) {
        l->signature = text_keep(m->t.c, text_view(&s->text));
        return;
    }
    emit_open(m, '{');
    emit_member_lit(m, "text", "");
    emit_key(m, "thought");
    emit_bool(m, true);
    base64_put(&mark, opaque_mark(m->t.c, s->name, text_view(&s->text)));
    emit_member_text(m, "thoughtSignature", text_view(&mark));
    emit_close(m, '}');
}

static bool write_said(struct emit *m, const struct said *s)
{
    if (s->channel == WEIR_ARGUMENTS)
        return write_call(m, s);
    if (s->channel == WEIR_OPAQUE)
        write_opaque(m, s);
    else if (s->channel != WEIR_FINISH && s->text.len)
        write_text(m, text_view(&s->text), s->channel == WEIR_REASONING);
    return true;
}

/* ---- records ---- */

/* {"candidates":[ ... ], of which the bracket stays open. */
static void record_open(struct emit *m)
{
    const struct gemini_local *l = m->t.c->local;
    const struct weir_request *r = weir_request(m->t.c);

    if (gemini_wants_array(r))
        text_str(&m->t, l->opened ? WEIR_STR(",\r\n") : WEIR_STR("["));
    else if (r->stream)
        text_lit(&m->t, "data: ");
    emit_open(m, '{');
    emit_key(m, "candidates");
    emit_open(m, '[');
}

static void record_close(struct emit *m, bool last)
{
    struct gemini_local *l = m->t.c->local;
    const struct weir_request *r = weir_request(m->t.c);

    l->opened = true;
    emit_member_text(m, "modelVersion", l->model.len ? l->model : r->model);
    emit_member_text(m, "responseId", l->id.len ? l->id : weir_fact(m->t.c, "request_id"));
    emit_close(m, '}');
    if (gemini_wants_array(r) && last)
        text_lit(&m->t, "]");
    else if (r->stream && !gemini_wants_array(r))
        text_lit(&m->t, "\r\n\r\n");
}

static void candidate_open(struct emit *m)
{
    emit_open(m, '{');
    emit_key(m, "content");
    emit_open(m, '{');
    emit_key(m, "parts");
    emit_open(m, '[');
}

static void candidate_close(struct emit *m, uint32_t choice, struct weir_str reason)
{
    emit_close(m, ']');
    emit_member_lit(m, "role", "model");
    emit_close(m, '}');
    if (reason.len)
        emit_member_text(m, "finishReason", reason);
    emit_key(m, "index");
    emit_int(m, choice);
    emit_close(m, '}');
}

/* One part as a record of its own. */
static bool send_part(struct weir_ctx *c, const struct said *s, struct weir_str reason)
{
    struct emit m = {.t.c = c};
    size_t before;

    record_open(&m);
    candidate_open(&m);
    before = m.t.len;
    if (!write_said(&m, s))
        return false;
    if (m.t.len == before && !reason.len) /* a signature that waits for its part */
        return true;
    candidate_close(&m, s->choice, reason);
    emit_close(&m, ']');
    record_close(&m, false);
    weir_out(c, text_view(&m.t));
    return true;
}

/* ---- the end ---- */

static struct weir_str reason_of(enum weir_finish finish)
{
    switch (finish) {
    case WEIR_FINISH_LENGTH:
    case WEIR_FINISH_CONTEXT:
        return WEIR_STR("MAX_TOKENS");
    case WEIR_FINISH_FILTERED:
        return WEIR_STR("SAFETY");
    case WEIR_FINISH_PAUSED:
        return WEIR_STR("CONTINUATION");
    case WEIR_FINISH_FAILED:
        return WEIR_STR("OTHER");
    case WEIR_FINISH_UNKNOWN:
    case WEIR_FINISH_STOP:
    case WEIR_FINISH_STOP_SEQUENCE:
    case WEIR_FINISH_TOOL_CALLS:
        break;
    }
    return WEIR_STR("STOP");
}

static void keep_count(int64_t *kept, int64_t said)
{
    if (said >= 0)
        *kept = said;
}

static void keep_usage(struct gemini_local *l, const struct weir_usage *u)
{
    if (!l->usage_known)
        l->usage = (struct weir_usage){-1, -1, -1, -1, -1, -1, -1};
    l->usage_known = true;
    keep_count(&l->usage.input, u->input);
    keep_count(&l->usage.cache_read, u->cache_read);
    keep_count(&l->usage.cache_write, u->cache_write);
    keep_count(&l->usage.output, u->output);
    keep_count(&l->usage.reasoning, u->reasoning);
    keep_count(&l->usage.audio_in, u->audio_in);
    keep_count(&l->usage.audio_out, u->audio_out);
}

static int64_t counted(int64_t v)
{
    return v < 0 ? 0 : v;
}

static void put_count(struct emit *m, const char *key, int64_t v)
{
    if (v <= 0) /* zeros are left out, as Google does */
        return;
    emit_key(m, key);
    emit_int(m, v);
}

static void put_usage(struct emit *m)
{
    const struct gemini_local *l = m->t.c->local;
    const struct weir_usage *u = &l->usage;
    int64_t prompt, said;

    if (!l->usage_known)
        return;
    prompt = counted(u->input) + counted(u->cache_read) + counted(u->cache_write) + counted(u->audio_in);
    said = counted(u->output) + counted(u->audio_out);
    emit_key(m, "usageMetadata");
    emit_open(m, '{');
    put_count(m, "promptTokenCount", prompt);
    put_count(m, "candidatesTokenCount", said);
    put_count(m, "totalTokenCount", prompt + said + counted(u->reasoning));
    put_count(m, "cachedContentTokenCount", u->cache_read);
    put_count(m, "thoughtsTokenCount", u->reasoning);
    emit_close(m, '}');
}

/* What has been said of one choice, and why it ended. */
static bool put_candidate(struct emit *m, uint32_t choice, struct weir_str reason)
{
    struct gemini_local *l = m->t.c->local;

    candidate_open(m);
    for (uint32_t i = 0; i < l->said_count; i++)
        if (l->said[i].choice == choice && !write_said(m, &l->said[i]))
            return false;
    if (l->signature.len || weir_request(m->t.c)->stream)
        write_text(m, WEIR_STR(""), false);
    candidate_close(m, choice, reason);
    return true;
}

/* A choice that has no reason for its end, as the whole has one, has stopped. */
static void end_all(struct weir_ctx *c)
{
    struct gemini_local *l = c->local;

    for (uint32_t i = 0; i < l->said_count; i++)
        if (!finish_get(l, l->said[i].choice)) {
            struct weir_event ev = {.channel = WEIR_FINISH, .choice = l->said[i].choice};
            text_lit(&said_new(c, &ev)->text, "STOP");
        }
}

/* A body has all parts; the last record of a stream has none but a signature that no part followed. */
static bool send_end(struct weir_ctx *c)
{
    struct gemini_local *l = c->local;
    struct emit m = {.t.c = c};
    bool ok = true;

    end_all(c);
    record_open(&m);
    for (uint32_t i = 0; ok && i < l->said_count; i++) {
        struct said *s = &l->said[i];
        if (s->channel == WEIR_FINISH)
            ok = put_candidate(&m, s->choice, text_view(&s->text));
    }
    if (!ok)
        return false;
    emit_close(&m, ']');
    put_usage(&m);
    record_close(&m, true);
    weir_out(c, text_view(&m.t));
    return true;
}

/* ---- embeddings ---- */

static bool send_vectors(struct weir_ctx *c)
{
    const struct gemini_local *l = c->local;
    bool several = str_is(gemini_method(weir_request(c)), "batchEmbedContents");
    struct emit m = {.t.c = c};
    uint32_t next = 0;

    emit_open(&m, '{');
    emit_key(&m, several ? "embeddings" : "embedding");
    if (several)
        emit_open(&m, '[');
    for (uint32_t i = 0; i < l->said_count && (several || !next); i++) {
        const struct said *s = &l->said[i];
        if (s->channel != WEIR_VECTOR)
            continue;
        if (s->choice != next++ || !s->text.len || s->text.ptr[0] != '[')
            return false;
        emit_open(&m, '{');
        emit_key(&m, "values");
        emit_raw(&m, text_view(&s->text));
        emit_close(&m, '}');
    }
    if (several)
        emit_close(&m, ']');
    emit_close(&m, '}');
    if (!next)
        return false;
    weir_out(c, text_view(&m.t));
    return true;
}

/* ---- events ---- */

static void keep_finish(struct weir_ctx *c, const struct weir_event *ev)
{
    if (finish_get(c->local, ev->choice))
        return;
    text_str(&said_new(c, ev)->text, reason_of(ev->finish));
}

static void keep_start(struct weir_ctx *c, const struct weir_event *ev)
{
    struct gemini_local *l = c->local;

    l->started = true;
    l->id = text_keep(c, ev->detail);
    l->model = text_keep(c, ev->value);
}

/* The piece itself goes out: a stream of text is not gathered. */
static bool stream_piece(struct weir_ctx *c, const struct weir_event *ev)
{
    struct said s = {.channel = ev->channel, .choice = ev->choice, .text.c = c};

    if (!ev->text.len)
        return true;
    text_str(&s.text, ev->text);
    return send_part(c, &s, WEIR_STR(""));
}

static bool stream_call(struct weir_ctx *c, const struct weir_event *ev)
{
    struct gemini_local *l = c->local;
    struct said *s;
    bool ok;

    said_add(c, ev);
    if (!ev->last)
        return true;
    s = said_get(c, ev);
    ok = send_part(c, s, WEIR_STR(""));
    *s = l->said[--l->said_count];
    return ok;
}

static bool answer_opaque(struct weir_ctx *c, const struct weir_event *ev)
{
    struct said s = {.channel = ev->channel, .choice = ev->choice, .text.c = c, .name = text_keep(c, ev->value)};

    text_str(&s.text, ev->detail);
    if (weir_request(c)->stream)
        return send_part(c, &s, WEIR_STR(""));
    *said_new(c, ev) = s;
    return true;
}

static bool answer_end(struct weir_ctx *c)
{
    const struct gemini_local *l = c->local;

    if (!l->started) /* this dialect's streams have no mark of their end */
        return true;
    return weir_request(c)->kind == WEIR_EMBEDDING ? send_vectors(c) : send_end(c);
}

bool gemini_answer(struct weir_ctx *c, const struct weir_event *ev)
{
    bool stream = weir_request(c)->stream;

    switch (ev->channel) {
    case WEIR_TEXT:
    case WEIR_REASONING:
        if (ev->block >= TEXT_STRINGS) /* these never leave their frame */
            return false;
        if (stream)
            return stream_piece(c, ev);
        said_add(c, ev);
        return true;
    case WEIR_ARGUMENTS:
        if (stream)
            return stream_call(c, ev);
        said_add(c, ev);
        return true;
    case WEIR_VECTOR:
        said_add(c, ev);
        return true;
    case WEIR_OPAQUE:
        return answer_opaque(c, ev);
    case WEIR_START:
        keep_start(c, ev);
        return true;
    case WEIR_USAGE:
        if (ev->usage)
            keep_usage(c->local, ev->usage);
        return true;
    case WEIR_FINISH:
        keep_finish(c, ev);
        return true;
    case WEIR_DONE_MARK:
        return answer_end(c);
    case WEIR_SCORE: /* there is no rerank here */
    case WEIR_ERRORED:
        break;
    }
    return false;
}
