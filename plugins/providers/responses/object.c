/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.c -- the response object and its items as clients get them: in the first and the last record of a stream, and
 * as a whole body.  Called by answer.c and refuse.c.
 *
 * What the client asked is said again from its body, as the vendor does; what it left out is the vendor's default.
 */
#include "responses.h"

/* ---- ids ---- */

/* The upstream's id as far as it fits, else the request's. */
static void object_base(struct weir_ctx *c, struct text *t)
{
    const struct responses_local *l = c->local;
    struct weir_str id = l->id.len ? l->id : weir_fact(c, "request_id");
    size_t n = 0;

    if (str_starts(id, "resp_"))
        id = (struct weir_str){id.ptr + 5, id.len - 5};
    for (size_t i = 0; i < id.len && n < 64; i++) {
        char ch = id.ptr[i];
        bool fits =
            (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
        if (fits)
            text_put(t, &ch, 1);
        n += fits;
    }
    if (!n)
        text_lit(t, "0");
}

static void object_id(struct weir_ctx *c, struct emit *m, const char *prefix, int64_t index)
{
    emit_comma(m);
    text_lit(&m->t, "\"");
    text_str(&m->t, str_of(prefix));
    object_base(c, &m->t);
    if (index >= 0) {
        text_lit(&m->t, "_");
        text_int(&m->t, index);
    }
    text_lit(&m->t, "\"");
}

void item_id_write(struct weir_ctx *c, struct emit *m, uint32_t index)
{
    static const char *const prefixes[] = {"msg_", "rs_", "fc_", "ctc_"};
    const struct responses_local *l = c->local;

    object_id(c, m, prefixes[l->items[index].kind], index);
}

/* ---- items ---- */

static void object_part(struct emit *m, const char *type, struct weir_str text)
{
    emit_open(m, '{');
    emit_member_text(m, "type", str_of(type));
    emit_member_text(m, "text", text);
    if (strcmp(type, "output_text") == 0) {
        emit_key(m, "annotations");
        emit_raw(m, WEIR_STR("[]"));
    }
    emit_close(m, '}');
}

static void object_reasoning(struct emit *m, const struct item *it, bool done)
{
    emit_key(m, "summary");
    emit_open(m, '[');
    if (done && it->text.len)
        object_part(m, "summary_text", text_view(&it->text));
    emit_close(m, ']');
    if (done && it->encrypted.len)
        emit_member_text(m, "encrypted_content", it->encrypted);
}

static void object_message(struct emit *m, const struct item *it, bool done)
{
    emit_member_lit(m, "role", "assistant");
    emit_key(m, "content");
    emit_open(m, '[');
    if (done)
        object_part(m, "output_text", text_view(&it->text));
    emit_close(m, ']');
}

static void object_call(struct emit *m, const struct item *it, bool done)
{
    bool custom = it->kind == ITEM_CUSTOM;
    struct weir_str text = done ? text_view(&it->text) : WEIR_STR("");

    emit_member_text(m, "call_id", it->call_id);
    emit_member_text(m, "name", it->name);
    emit_member_text(m, custom ? "input" : "arguments", text);
}

/* `status` "in_progress": the item has begun and is empty. */
void item_write(struct weir_ctx *c, struct emit *m, uint32_t index, const char *status)
{
    static const char *const types[] = {"message", "reasoning", "function_call", "custom_tool_call"};
    const struct responses_local *l = c->local;
    const struct item *it = &l->items[index];
    bool done = strcmp(status, "in_progress") != 0;

    emit_open(m, '{');
    emit_key(m, "id");
    item_id_write(c, m, index);
    emit_member_text(m, "type", str_of(types[it->kind]));
    if (it->kind != ITEM_REASONING || strcmp(status, "incomplete") == 0)
        emit_member_text(m, "status", str_of(status));
    if (it->kind == ITEM_MESSAGE)
        object_message(m, it, done);
    else if (it->kind == ITEM_REASONING)
        object_reasoning(m, it, done);
    else
        object_call(m, it, done);
    emit_close(m, '}');
}

/* ---- the response ---- */

/* What the client said of `key`, or the vendor's default. */
static void put_echo(struct emit *m, const struct weir_json *j, const char *key, const char *fallback)
{
    uint32_t node = j ? weir_json_get(j, 0, key) : WEIR_NO_NODE;

    emit_key(m, key);
    if (node != WEIR_NO_NODE && j->nodes[node].type != WEIR_JSON_NULL)
        emit_node(m, j, node);
    else
        emit_raw(m, str_of(fallback));
}

static void object_request(struct weir_ctx *c, struct emit *m)
{
    static const struct {
        const char *key, *fallback;
    } echoes[] = {
        {"instructions", "null"},
        {"max_output_tokens", "null"},
        {"max_tool_calls", "null"},
        {"metadata", "{}"},
        {"parallel_tool_calls", "true"},
        {"prompt_cache_key", "null"},
        {"reasoning", "{\"effort\":null,\"summary\":null}"},
        {"safety_identifier", "null"},
        {"temperature", "1"},
        {"text", "{\"format\":{\"type\":\"text\"}}"},
        {"tool_choice", "\"auto\""},
        {"tools", "[]"},
        {"top_logprobs", "0"},
        {"top_p", "1"},
        {"truncation", "\"disabled\""},
        {"user", "null"},
    };
    const struct weir_json *j = weir_body(c);

    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++)
        put_echo(m, j, echoes[i].key, echoes[i].fallback);
}

static void object_model(struct weir_ctx *c, struct emit *m)
{
    const struct responses_local *l = c->local;

    emit_key(m, "model");
    if (l->model.len && l->writing)
        emit_text(m, l->model);
    else if (l->model.len)
        emit_quoted(m, l->model);
    else
        emit_text(m, weir_request(c)->model);
}

static void put_fault(struct emit *m, const struct weir_refusal *f)
{
    emit_key(m, "error");
    if (!f) {
        emit_raw(m, WEIR_STR("null"));
        return;
    }
    emit_open(m, '{');
    emit_member_text(m, "code", f->code && f->code[0] ? str_of(f->code) : WEIR_STR("server_error"));
    emit_member_text(m, "message", str_of(f->text));
    emit_close(m, '}');
}

static void put_incomplete(struct weir_ctx *c, struct emit *m, bool incomplete)
{
    const struct responses_local *l = c->local;

    emit_key(m, "incomplete_details");
    if (!incomplete) {
        emit_raw(m, WEIR_STR("null"));
        return;
    }
    emit_open(m, '{');
    emit_member_text(m, "reason",
                     l->finish == WEIR_FINISH_FILTERED ? WEIR_STR("content_filter") : WEIR_STR("max_output_tokens"));
    emit_close(m, '}');
}

static void object_output(struct weir_ctx *c, struct emit *m, const char *status)
{
    const struct responses_local *l = c->local;

    emit_key(m, "output");
    emit_open(m, '[');
    for (uint32_t i = 0; i < l->item_count && strcmp(status, "in_progress") != 0; i++)
        item_write(c, m, i, l->items[i].state == ITEM_DONE ? "completed" : "incomplete");
    emit_close(m, ']');
}

void object_write(struct weir_ctx *c, struct emit *m, const char *status, const struct weir_refusal *fault)
{
    const struct responses_local *l = c->local;
    struct weir_str time = weir_fact(c, "time");

    emit_open(m, '{');
    emit_key(m, "id");
    if (l->id.len && !l->writing)
        emit_quoted(m, l->id);
    else
        object_id(c, m, "resp_", -1);
    emit_member_lit(m, "object", "response");
    emit_key(m, "created_at");
    emit_raw(m, l->created.len ? l->created : time.len ? time : WEIR_STR("0"));
    emit_member_text(m, "status", str_of(status));
    emit_key(m, "background");
    emit_bool(m, false);
    put_fault(m, fault);
    put_incomplete(c, m, strcmp(status, "incomplete") == 0);
    object_model(c, m);
    object_output(c, m, status);
    emit_key(m, "previous_response_id");
    emit_raw(m, WEIR_STR("null"));
    object_request(c, m);
    emit_key(m, "store");
    emit_bool(m, false);
    emit_key(m, "usage");
    if (l->usage_known)
        usage_write(m, &l->usage);
    else
        emit_raw(m, WEIR_STR("null"));
    emit_close(m, '}');
}
