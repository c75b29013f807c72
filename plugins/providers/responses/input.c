/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.c -- `system` and `messages` of the canonical request -> `instructions` and `input`; called by lower.c.
 *
 * Nothing has an id: nothing is stored.  Reasoning that OpenAI encrypted goes back in its place, before what it led to,
 * if that goes, too; all other reasoning is left out, and is never turned into text.
 */
#include "canon.h"
#include "responses.h"

struct input {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct emit *m;
    struct weir_error *e;
    bool told;   /* of reasoning that is left out */
    bool custom; /* some calls took free text */
};

bool tool_is_custom(struct weir_ctx *c, const struct weir_json *j, struct weir_str name)
{
    for (EACH_ITEM(j, tool, weir_json_get(j, 0, "tools")))
        if (str_eq(get_value(c, j, tool, "name"), name))
            return node_there(j, weir_json_get(j, tool, "custom"));
    return false;
}

/* The call that a result answers took free text. */
static bool call_is_custom(const struct input *in, struct weir_str id)
{
    if (!in->custom)
        return false;
    for (EACH_ITEM(in->j, m, weir_json_get(in->j, 0, "messages")))
        for (EACH_ITEM(in->j, part, weir_json_get(in->j, m, "content")))
            if (type_is(in->j, part, "call") && str_eq(get_value(in->c, in->j, part, "id"), id))
                return node_true(in->j, weir_json_get(in->j, part, "custom"));
    return false;
}

/* ---- parts ---- */

static void put_url(struct input *in, const char *key, uint32_t part)
{
    const struct weir_json *j = in->j;
    uint32_t data = weir_json_get(j, part, "data"), type = weir_json_get(j, part, "media_type");

    emit_key(in->m, key);
    if (!node_is_string(j, data)) {
        emit_node(in->m, j, weir_json_get(j, part, "url"));
        return;
    }
    emit_comma(in->m);
    text_lit(&in->m->t, "\"data:");
    text_str(&in->m->t, node_is_string(j, type) ? weir_json_text(j, type) : WEIR_STR("application/octet-stream"));
    text_lit(&in->m->t, ";base64,");
    text_str(&in->m->t, weir_json_text(j, data));
    text_lit(&in->m->t, "\"");
}

static void put_text(struct input *in, const char *type, uint32_t text)
{
    emit_open(in->m, '{');
    emit_member_text(in->m, "type", str_of(type));
    emit_member(in->m, "text", in->j, text);
    if (strcmp(type, "output_text") == 0) {
        emit_key(in->m, "annotations");
        emit_raw(in->m, WEIR_STR("[]"));
    }
    emit_close(in->m, '}');
}

static bool put_image(struct input *in, uint32_t part)
{
    const struct weir_json *j = in->j;

    if (!node_is_string(j, weir_json_get(j, part, "data")) && !node_is_string(j, weir_json_get(j, part, "url")))
        return canon_lossy_at(in->c, part, "image", false, in->e); /* a file id of another vendor */
    emit_open(in->m, '{');
    emit_member_lit(in->m, "type", "input_image");
    put_url(in, "image_url", part);
    emit_member(in->m, "detail", j, weir_json_get(j, part, "detail"));
    emit_close(in->m, '}');
    return true;
}

static bool put_document(struct input *in, uint32_t part)
{
    const struct weir_json *j = in->j;
    uint32_t text = weir_json_get(j, part, "text"), name = weir_json_get(j, part, "name");
    bool data = node_is_string(j, weir_json_get(j, part, "data"));

    if ((node_there(j, weir_json_get(j, part, "context")) || node_true(j, weir_json_get(j, part, "citations"))) &&
        !canon_lossy_at(in->c, part, "document", false, in->e))
        return false;
    if (node_is_string(j, text)) {
        put_text(in, "input_text", text);
        return !node_there(j, name) || canon_lossy_at(in->c, part, "document", true, in->e);
    }
    if (!data && !node_is_string(j, weir_json_get(j, part, "url")))
        return canon_lossy_at(in->c, part, "document", false, in->e);
    emit_open(in->m, '{');
    emit_member_lit(in->m, "type", "input_file");
    put_url(in, data ? "file_data" : "file_url", part);
    if (data || node_is_string(j, name)) { /* demanded beside data */
        emit_key(in->m, "filename");
        emit_quoted(in->m, node_is_string(j, name) ? weir_json_text(j, name) : WEIR_STR("document.pdf"));
    }
    emit_close(in->m, '}');
    return true;
}

static void put_audio(struct input *in, uint32_t part)
{
    emit_open(in->m, '{');
    emit_member_lit(in->m, "type", "input_audio");
    emit_key(in->m, "input_audio");
    emit_open(in->m, '{');
    emit_member(in->m, "data", in->j, weir_json_get(in->j, part, "data"));
    emit_member(in->m, "format", in->j, weir_json_get(in->j, part, "format"));
    emit_close(in->m, '}');
    emit_close(in->m, '}');
}

/* A part of a user, a system or a result.  Empty texts say nothing. */
static bool put_part(struct input *in, uint32_t part)
{
    const struct weir_json *j = in->j;
    uint32_t text = weir_json_get(j, part, "text");

    if (node_there(j, weir_json_get(j, part, "cache")) && !canon_lossy_at(in->c, part, "cache", true, in->e))
        return false;
    if (type_is(j, part, "text") || type_is(j, part, "refusal")) {
        if (node_is_string(j, text) && j->nodes[text].len)
            put_text(in, "input_text", text);
        return true;
    }
    if (type_is(j, part, "image"))
        return put_image(in, part);
    if (type_is(j, part, "document"))
        return put_document(in, part);
    if (type_is(j, part, "audio")) {
        put_audio(in, part);
        return true;
    }
    return canon_lossy_at(in->c, part, "content", false, in->e);
}

static bool put_parts(struct input *in, uint32_t content)
{
    emit_open(in->m, '[');
    for (EACH_ITEM(in->j, part, content))
        if (!put_part(in, part))
            return false;
    emit_close(in->m, ']');
    return true;
}

/* ---- items ---- */

static void message_begin(struct input *in, const char *role)
{
    emit_open(in->m, '{');
    emit_member_lit(in->m, "type", "message");
    emit_member_text(in->m, "role", str_of(role));
    emit_key(in->m, "content");
}

static bool put_message(struct input *in, const char *role, uint32_t content)
{
    message_begin(in, role);
    if (!put_parts(in, content))
        return false;
    emit_close(in->m, '}');
    return true;
}

static void put_call(struct input *in, uint32_t part)
{
    const struct weir_json *j = in->j;
    struct weir_str id = canon_call_id(in->c, get_value(in->c, j, part, "id"), 64, false);
    uint32_t arguments = weir_json_get(j, part, "arguments");
    bool custom = node_true(j, weir_json_get(j, part, "custom"));

    emit_open(in->m, '{');
    emit_member_text(in->m, "type", custom ? WEIR_STR("custom_tool_call") : WEIR_STR("function_call"));
    emit_member_text(in->m, "call_id", id);
    emit_member_text(in->m, "name", tool_name_sent(in->c, get_value(in->c, j, part, "name")));
    if (custom)
        emit_member_text(in->m, "input", get_value(in->c, j, part, "input"));
    else if (node_is_string(j, arguments) && j->nodes[arguments].len)
        emit_member(in->m, "arguments", j, arguments);
    else
        emit_member_lit(in->m, "arguments", "{}");
    emit_close(in->m, '}');
}

static bool put_reasoning(struct input *in, uint32_t part, bool leads)
{
    const struct weir_json *j = in->j;
    uint32_t text = weir_json_get(j, part, "text");

    if (!leads || !str_eq(get_value(in->c, j, part, "kind"), reasoning_kind(in->c))) {
        bool tell = !in->told && node_there(j, text);
        in->told |= tell;
        return !tell || lossy(in->c, WEIR_STR("messages.reasoning"), true, in->e);
    }
    emit_open(in->m, '{');
    emit_member_lit(in->m, "type", "reasoning");
    emit_key(in->m, "summary");
    emit_open(in->m, '[');
    if (node_is_string(j, text))
        put_text(in, "summary_text", text);
    emit_close(in->m, ']');
    emit_member(in->m, "encrypted_content", j, weir_json_get(j, part, "opaque"));
    emit_close(in->m, '}');
    return true;
}

static bool said_text(const struct input *in, uint32_t part)
{
    uint32_t text = weir_json_get(in->j, part, "text");

    return (type_is(in->j, part, "text") || type_is(in->j, part, "refusal")) && node_is_string(in->j, text) &&
           in->j->nodes[text].len;
}

static void put_said(struct input *in, uint32_t part)
{
    if (type_is(in->j, part, "text")) {
        put_text(in, "output_text", weir_json_get(in->j, part, "text"));
        return;
    }
    emit_open(in->m, '{');
    emit_member_lit(in->m, "type", "refusal");
    emit_member(in->m, "refusal", in->j, weir_json_get(in->j, part, "text"));
    emit_close(in->m, '}');
}

/* `leads`: an item follows that reasoning may have led to; without one it is refused upstream. */
static bool put_made(struct input *in, uint32_t part, bool leads)
{
    if (type_is(in->j, part, "call")) {
        put_call(in, part);
        return true;
    }
    if (type_is(in->j, part, "reasoning"))
        return put_reasoning(in, part, leads);
    if (type_is(in->j, part, "text") || type_is(in->j, part, "refusal"))
        return true; /* an empty one */
    return canon_lossy_at(in->c, part, "content", false, in->e);
}

/* What the model said and did, in its order: texts that follow each other are one message. */
static bool put_assistant(struct input *in, uint32_t content)
{
    uint32_t led = 0;
    bool open = false;

    for (EACH_ITEM(in->j, part, content))
        if (said_text(in, part) || type_is(in->j, part, "call"))
            led = part;
    for (EACH_ITEM(in->j, part, content)) {
        bool said = said_text(in, part);
        if (node_there(in->j, weir_json_get(in->j, part, "cache")) &&
            !canon_lossy_at(in->c, part, "cache", true, in->e))
            return false;
        if (said && !open) {
            message_begin(in, "assistant");
            emit_open(in->m, '[');
        } else if (!said && open) {
            emit_close(in->m, ']');
            emit_close(in->m, '}');
        }
        open = said;
        if (said)
            put_said(in, part);
        else if (!put_made(in, part, part < led))
            return false;
    }
    if (open) {
        emit_close(in->m, ']');
        emit_close(in->m, '}');
    }
    return true;
}

static bool put_result(struct input *in, uint32_t part)
{
    const struct weir_json *j = in->j;
    struct weir_str id = get_value(in->c, j, part, "id");
    uint32_t content = weir_json_get(j, part, "content"), count = 0, only = WEIR_NO_NODE;

    for (EACH_ITEM(j, inner, content)) {
        only = inner;
        count++;
    }
    if (node_true(j, weir_json_get(j, part, "error")) && !canon_lossy_at(in->c, part, "is_error", true, in->e))
        return false;
    emit_open(in->m, '{');
    emit_member_text(in->m, "type",
                     call_is_custom(in, id) ? WEIR_STR("custom_tool_call_output") : WEIR_STR("function_call_output"));
    emit_member_text(in->m, "call_id", canon_call_id(in->c, id, 64, false));
    emit_key(in->m, "output");
    if (count == 0)
        emit_text(in->m, WEIR_STR(""));
    else if (count == 1 && type_is(j, only, "text") && !node_there(j, weir_json_get(j, only, "cache")))
        emit_text(in->m, get_value(in->c, j, only, "text"));
    else if (!put_parts(in, content))
        return false;
    emit_close(in->m, '}');
    return true;
}

static bool put_results(struct input *in, uint32_t content)
{
    for (EACH_ITEM(in->j, part, content)) {
        bool ok = type_is(in->j, part, "result") ? put_result(in, part)
                                                 : canon_lossy_at(in->c, part, "content", false, in->e);
        if (!ok)
            return false;
    }
    return true;
}

/* A single text before the messages is `instructions`; several stay apart, as messages of the developer. */
static bool put_system(struct input *in, bool *one)
{
    const struct weir_json *j = in->j;
    uint32_t system = weir_json_get(j, 0, "system"), count = 0;

    for (EACH_ITEM(j, part, system))
        count += said_text(in, part);
    *one = count == 1;
    for (EACH_ITEM(j, part, system)) {
        if (!*one || !said_text(in, part))
            continue;
        if (node_there(j, weir_json_get(j, part, "cache")) && !canon_lossy_at(in->c, part, "cache", true, in->e))
            return false;
        emit_member(in->m, "instructions", j, weir_json_get(j, part, "text"));
    }
    return true;
}

static bool put_turn(struct input *in, uint32_t message)
{
    const struct weir_json *j = in->j;
    uint32_t role = weir_json_get(j, message, "role"), content = weir_json_get(j, message, "content");

    if (node_says(j, role, "assistant"))
        return put_assistant(in, content);
    if (node_says(j, role, "tool"))
        return put_results(in, content);
    return put_message(in, node_says(j, role, "system") ? "developer" : "user", content);
}

bool lower_input(struct weir_ctx *c, struct emit *m, struct weir_error *e)
{
    struct input in = {c, weir_canonical(c), m, e, false, false};
    bool one;

    for (EACH_ITEM(in.j, message, weir_json_get(in.j, 0, "messages")))
        for (EACH_ITEM(in.j, part, weir_json_get(in.j, message, "content")))
            in.custom |= node_true(in.j, weir_json_get(in.j, part, "custom"));

    if (!put_system(&in, &one))
        return false;
    emit_key(m, "input");
    emit_open(m, '[');
    for (EACH_ITEM(in.j, part, weir_json_get(in.j, 0, "system"))) {
        if (one || !said_text(&in, part))
            continue;
        message_begin(&in, "developer");
        emit_open(m, '[');
        if (!put_part(&in, part))
            return false;
        emit_close(m, ']');
        emit_close(m, '}');
    }
    for (EACH_ITEM(in.j, message, weir_json_get(in.j, 0, "messages"))) {
        uint32_t name = weir_json_get(in.j, message, "name");
        if (node_there(in.j, name) && !lossy(c, WEIR_STR("messages.name"), true, e))
            return false;
        if (!put_turn(&in, message))
            return false;
    }
    emit_close(m, ']');
    return true;
}
