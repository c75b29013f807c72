/* SPDX-License-Identifier: Apache-2.0 */
/* refuse.c -- errors and lists of models, as clients of this dialect read them.  Host: any step, worker process. */
#include "gemini.h"

static struct weir_str status_of(int status)
{
    static const struct {
        int status;
        const char *name;
    } names[] = {
        {400, "INVALID_ARGUMENT"},  {401, "UNAUTHENTICATED"},    {402, "FAILED_PRECONDITION"},
        {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},          {408, "DEADLINE_EXCEEDED"},
        {409, "ABORTED"},           {429, "RESOURCE_EXHAUSTED"}, {499, "CANCELLED"},
        {501, "UNIMPLEMENTED"},     {503, "UNAVAILABLE"},        {504, "DEADLINE_EXCEEDED"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status)
            return str_of(names[i].name);
    return status < 500 ? WEIR_STR("INVALID_ARGUMENT") : WEIR_STR("INTERNAL");
}

/* google.rpc.ErrorInfo writes its reasons so. */
static void put_reason(struct emit *m, const char *code)
{
    struct text t = {.c = m->t.c};

    for (; *code; code++) {
        char ch = *code >= 'a' && *code <= 'z' ? (char)(*code & ~32) : *code;
        text_put(&t, &ch, 1);
    }
    emit_member_text(m, "reason", text_view(&t));
}

static void put_details(struct emit *m, const struct weir_refusal *f)
{
    emit_key(m, "details");
    emit_open(m, '[');
    if (f->code && f->code[0]) {
        emit_open(m, '{');
        emit_member_lit(m, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
        put_reason(m, f->code);
        emit_member_lit(m, "domain", "weir");
        emit_close(m, '}');
    }
    if (f->field && f->field[0]) {
        emit_open(m, '{');
        emit_member_lit(m, "@type", "type.googleapis.com/google.rpc.BadRequest");
        emit_key(m, "fieldViolations");
        emit_open(m, '[');
        emit_open(m, '{');
        emit_member_text(m, "field", str_of(f->field));
        emit_member_text(m, "description", str_of(f->text));
        emit_close(m, '}');
        emit_close(m, ']');
        emit_close(m, '}');
    }
    emit_close(m, ']');
}

void gemini_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    const struct weir_request *r = weir_request(c);
    const struct gemini_local *l = c->local;
    int status = f->status == 529 ? 503 : f->status; /* Google knows no 529 */
    bool array = f->in_stream && gemini_wants_array(r);
    struct emit m = {.t.c = c};

    if (array)
        text_str(&m.t, l->opened ? WEIR_STR(",\r\n") : WEIR_STR("["));
    else if (f->in_stream)
        text_lit(&m.t, "data: ");
    emit_open(&m, '{');
    emit_key(&m, "error");
    emit_open(&m, '{');
    emit_key(&m, "code");
    emit_int(&m, status);
    emit_member_text(&m, "message", str_of(f->text));
    emit_member_text(&m, "status", status_of(status));
    put_details(&m, f);
    emit_close(&m, '}');
    emit_close(&m, '}');
    if (array)
        text_lit(&m.t, "]");
    else if (f->in_stream)
        text_lit(&m.t, "\r\n\r\n");
    weir_out(c, text_view(&m.t));
}

/* ---- models ---- */

static void list_model(struct emit *m, const struct weir_model *model)
{
    struct text name = {.c = m->t.c};

    text_lit(&name, "models/");
    text_str(&name, model->id);
    emit_open(m, '{');
    emit_member_text(m, "name", text_view(&name));
    emit_member_text(m, "displayName", model->id);
    emit_close(m, '}');
}

void gemini_list(struct weir_ctx *c, const struct weir_model *models, size_t n, size_t stride)
{
    bool one = weir_request(c)->kind == WEIR_SHOW_MODEL;
    struct emit m = {.t.c = c};

    if (!one) {
        emit_open(&m, '{');
        emit_key(&m, "models");
        emit_open(&m, '[');
    }
    for (size_t i = 0; i < n; i++)
        list_model(&m, weir_at(models, stride, i));
    if (!one) {
        emit_close(&m, ']');
        emit_close(&m, '}');
    }
    weir_out(c, text_view(&m.t));
}
