/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse.c -- an error as clients of this dialect get it: a body, or in a stream the record `error` and then
 * `response.failed`, for a stream without a terminal looks broken to them.  Host: any step, worker process.
 */
#include "responses.h"

static struct weir_str error_type(int status, const char *code)
{
    if (strcmp(code, "insufficient_quota") == 0 || status == 402)
        return WEIR_STR("insufficient_quota");
    if (status == 403)
        return WEIR_STR("permission_error");
    if (status == 429)
        return WEIR_STR("rate_limit_error");
    return status < 500 ? WEIR_STR("invalid_request_error") : WEIR_STR("server_error");
}

static void put_nullable(struct emit *m, const char *key, const char *value)
{
    emit_key(m, key);
    if (value && value[0])
        emit_text(m, str_of(value));
    else
        emit_raw(m, WEIR_STR("null"));
}

static void put_number(struct responses_local *l, struct emit *m)
{
    emit_key(m, "sequence_number");
    emit_int(m, l->sequence++);
    emit_close(m, '}');
    text_lit(&m->t, "\n\n");
}

static void refuse_stream(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct responses_local *l = c->local;
    struct emit m = {.t.c = c};

    l->ended = true;
    text_lit(&m.t, "event: error\ndata: ");
    emit_open(&m, '{');
    emit_member_lit(&m, "type", "error");
    put_nullable(&m, "code", f->code);
    emit_member_text(&m, "message", str_of(f->text));
    put_nullable(&m, "param", f->field);
    put_number(l, &m);
    m.comma = false;
    text_lit(&m.t, "event: response.failed\ndata: ");
    emit_open(&m, '{');
    emit_member_lit(&m, "type", "response.failed");
    emit_key(&m, "response");
    object_write(c, &m, "failed", f);
    put_number(l, &m);
    weir_out(c, text_view(&m.t));
}

void responses_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct emit m = {.t.c = c};

    if (f->in_stream) {
        refuse_stream(c, f);
        return;
    }
    emit_open(&m, '{');
    emit_key(&m, "error");
    emit_open(&m, '{');
    emit_member_text(&m, "message", str_of(f->text));
    emit_member_text(&m, "type", error_type(f->status, f->code ? f->code : ""));
    put_nullable(&m, "param", f->field);
    put_nullable(&m, "code", f->code);
    emit_close(&m, '}');
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}
