/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contents.c -- systemInstruction and contents of the canonical messages.  Part of encode.
 *
 * Turns of one role are joined.  All results of one turn of the model stand in one content, in the order of its calls.
 * A signature goes with the part that it came with; the first call of a turn that another model made gets a stand-in.
 */
#include "encoder.h"

#include <stdio.h>

/* ---- contents and their parts ---- */

static void content_close(struct encoder *n)
{
    if (!n->role)
        return;
    emit_close(&n->m, ']');
    emit_close(&n->m, '}');
    n->role = NULL;
}

static void part_open(struct encoder *n, const char *role, bool results)
{
    if (n->role && (strcmp(n->role, role) != 0 || n->results != results))
        content_close(n);
    if (!n->role) {
        n->role = role;
        n->results = results;
        n->called = false;
        if (strcmp(role, "model") == 0)
            n->call_count = 0;
        emit_open(&n->m, '{');
        emit_member_text(&n->m, "role", str_of(role));
        emit_key(&n->m, "parts");
        emit_open(&n->m, '[');
    }
    emit_open(&n->m, '{');
}

static void part_close(struct encoder *n)
{
    if (n->signature.len && strcmp(n->role, "model") == 0) {
        emit_member_text(&n->m, "thoughtSignature", n->signature);
        n->signature.len = 0;
    }
    emit_close(&n->m, '}');
}

/* Empty texts are refused, and say nothing. */
static void text_part(struct encoder *n, const char *role, uint32_t text)
{
    if (!node_is_string(n->j, text) || !n->j->nodes[text].len)
        return;
    part_open(n, role, false);
    emit_member(&n->m, "text", n->j, text);
    part_close(n);
}

static bool put_media(struct encoder *n, const char *role, uint32_t part)
{
    bool say;

    if (!media_allowed(n, part, &say))
        return false;
    if (!say)
        return true;
    part_open(n, role, false);
    media_put(n, part);
    part_close(n);
    return true;
}

/* ---- the model's turn ---- */

static bool call_part(struct encoder *n, uint32_t call)
{
    struct weir_str args = WEIR_STR("{}");
    bool custom = node_true(n->j, weir_json_get(n->j, call, "custom"));

    if (!custom && !canon_arguments(n->c, call, &args, n->e))
        return false;
    part_open(n, "model", false);
    n->calls = gemini_grown(n->c, n->calls, n->call_count, &n->call_cap, sizeof *n->calls);
    n->calls[n->call_count++] = value(n, call, "id");
    emit_key(&n->m, "functionCall");
    emit_open(&n->m, '{');
    emit_member_text(&n->m, "name", gemini_name(n->c, value(n, call, "name")));
    emit_key(&n->m, "args");
    if (custom) {
        emit_open(&n->m, '{');
        emit_member(&n->m, "input", n->j, weir_json_get(n->j, call, "input"));
        emit_close(&n->m, '}');
    } else {
        emit_raw(&n->m, args);
    }
    emit_close(&n->m, '}');
    if (!n->called && !n->signature.len && n->major >= 3)
        n->signature = WEIR_STR(GEMINI_DUMMY);
    n->called = true;
    part_close(n);
    return true;
}

static bool put_model_part(struct encoder *n, uint32_t part)
{
    bool media = part_is(n, part, "image") || part_is(n, part, "document") || part_is(n, part, "audio") ||
                 part_is(n, part, "video");

    if (part_is(n, part, "text") || part_is(n, part, "refusal")) {
        text_part(n, "model", weir_json_get(n->j, part, "text"));
        return true;
    }
    if (part_is(n, part, "call"))
        return call_part(n, part);
    if (part_is(n, part, "reasoning")) { /* the signature is enough; what others issued stays away */
        if (node_says(n->j, weir_json_get(n->j, part, "kind"), "gemini.thought"))
            n->signature = value(n, part, "opaque");
        return true;
    }
    return media ? put_media(n, "model", part) : canon_lossy_at(n->c, part, "messages", false, n->e);
}

static bool put_user_part(struct encoder *n, uint32_t part)
{
    if (part_is(n, part, "text") || part_is(n, part, "refusal")) {
        text_part(n, "user", weir_json_get(n->j, part, "text"));
        return true;
    }
    if (part_is(n, part, "reasoning"))
        return true;
    if (part_is(n, part, "call") || part_is(n, part, "result") || part_is(n, part, "other"))
        return canon_lossy_at(n->c, part, "messages", false, n->e);
    return put_media(n, "user", part);
}

/* ---- results ---- */

/* An object goes as it is; anything else is wrapped in one. */
static void put_response(struct encoder *n, uint32_t result, struct weir_str text)
{
    bool failed = node_true(n->j, weir_json_get(n->j, result, "error"));
    struct weir_error no = {{0}, {0}, {0}};
    const struct weir_json *inner =
        !failed && text.len && memchr("{ \t\r\n", text.ptr[0], 5) ? weir_skim(n->c, text, &no) : NULL;

    emit_key(&n->m, "response");
    if (inner && inner->nodes[0].type == WEIR_JSON_OBJECT) {
        emit_raw(&n->m, text);
        return;
    }
    emit_open(&n->m, '{');
    emit_member_text(&n->m, failed ? "error" : "result", text);
    emit_close(&n->m, '}');
}

static struct weir_str result_text(struct encoder *n, uint32_t result)
{
    struct text t = {.c = n->c};
    bool any = false;

    for (EACH_ITEM(n->j, part, weir_json_get(n->j, result, "content"))) {
        if (!part_is(n, part, "text"))
            continue;
        if (any)
            text_lit(&t, "\n");
        text_str(&t, value(n, part, "text"));
        any = true;
    }
    return text_view(&t);
}

static bool put_result_media(struct encoder *n, uint32_t result)
{
    bool open = false, say;

    for (EACH_ITEM(n->j, part, weir_json_get(n->j, result, "content"))) {
        if (part_is(n, part, "text"))
            continue;
        if (!media_allowed(n, part, &say))
            return false;
        if (!say)
            continue;
        if (!open) {
            emit_key(&n->m, "parts");
            emit_open(&n->m, '[');
        }
        open = true;
        emit_open(&n->m, '{');
        media_put(n, part);
        emit_close(&n->m, '}');
    }
    if (open)
        emit_close(&n->m, ']');
    return true;
}

static bool put_result(struct encoder *n, uint32_t result)
{
    struct weir_str name = canon_call_name(n->c, value(n, result, "id"));

    if (!name.len)
        name = value(n, result, "name");
    part_open(n, "user", true);
    emit_key(&n->m, "functionResponse");
    emit_open(&n->m, '{');
    emit_member_text(&n->m, "name", gemini_name(n->c, name));
    put_response(n, result, result_text(n, result));
    if (n->major >= 3 && !put_result_media(n, result))
        return false;
    emit_close(&n->m, '}');
    part_close(n);
    return true;
}

struct results {
    uint32_t *node;
    uint32_t count, cap;
};

static void results_gather(struct encoder *n, struct results *r, uint32_t message)
{
    for (EACH_ITEM(n->j, part, weir_json_get(n->j, message, "content"))) {
        if (!part_is(n, part, "result"))
            continue;
        r->node = gemini_grown(n->c, r->node, r->count, &r->cap, sizeof *r->node);
        r->node[r->count++] = part;
    }
}

/* First those that answer the model's calls, as it made them; a result that answers none is the upstream's to refuse.
 * Models before 3 see images of results only in a message of their own. */
static bool put_results(struct encoder *n, struct results *r)
{
    bool *used = weir_alloc(n->c, r->count + 1);

    for (uint32_t i = 0; i < n->call_count; i++)
        for (uint32_t k = 0; k < r->count; k++)
            if (!used[k] && str_eq(value(n, r->node[k], "id"), n->calls[i])) {
                used[k] = true;
                if (!put_result(n, r->node[k]))
                    return false;
                break;
            }
    for (uint32_t k = 0; k < r->count; k++)
        if (!used[k] && !put_result(n, r->node[k]))
            return false;
    for (uint32_t k = 0; n->major < 3 && k < r->count; k++)
        for (EACH_ITEM(n->j, part, weir_json_get(n->j, r->node[k], "content")))
            if (!part_is(n, part, "text") && !put_media(n, "user", part))
                return false;
    r->count = 0;
    return true;
}

/* ---- messages ---- */

/* Between others there is no place for what the system says: it is said as the user, in a mark, and told. */
static bool put_system(struct encoder *n, uint32_t message)
{
    for (EACH_ITEM(n->j, part, weir_json_get(n->j, message, "content"))) {
        struct text t = {.c = n->c};
        if (!part_is(n, part, "text"))
            continue;
        text_lit(&t, "<system>\n");
        text_str(&t, value(n, part, "text"));
        text_lit(&t, "\n</system>");
        part_open(n, "user", false);
        emit_member_text(&n->m, "text", text_view(&t));
        part_close(n);
    }
    return lossy(n->c, WEIR_STR("messages.role"), true, n->e);
}

static bool put_message(struct encoder *n, uint32_t message)
{
    bool model = node_says(n->j, weir_json_get(n->j, message, "role"), "assistant");

    for (EACH_ITEM(n->j, part, weir_json_get(n->j, message, "content")))
        if (model ? !put_model_part(n, part) : !put_user_part(n, part))
            return false;
    if (model && n->signature.len) { /* it ends its message */
        part_open(n, "model", false);
        emit_member_lit(&n->m, "text", "");
        part_close(n);
    }
    return true;
}

bool encode_contents(struct encoder *n)
{
    struct results results = {0};
    bool first = true;

    emit_key(&n->m, "contents");
    emit_open(&n->m, '[');
    for (EACH_ITEM(n->j, message, top(n, "messages"))) {
        struct weir_str role = value(n, message, "role");
        if (first && !str_is(role, "user") && !lossy(n->c, WEIR_STR("messages[0].role"), false, n->e))
            return false;
        first = false;
        if (str_is(role, "tool")) {
            results_gather(n, &results, message);
            continue;
        }
        if (results.count && !put_results(n, &results))
            return false;
        if (str_is(role, "system") ? !put_system(n, message) : !put_message(n, message))
            return false;
    }
    if (results.count && !put_results(n, &results))
        return false;
    content_close(n);
    emit_close(&n->m, ']');
    return true;
}

bool encode_system(struct encoder *n)
{
    bool open = false;

    for (EACH_ITEM(n->j, part, top(n, "system"))) {
        uint32_t text = weir_json_get(n->j, part, "text");
        if (!node_is_string(n->j, text) || !n->j->nodes[text].len)
            continue;
        if (!open)
            emit_raw(&n->m, WEIR_STR("\"systemInstruction\":{\"parts\":["));
        n->m.comma = open;
        open = true;
        emit_open(&n->m, '{');
        emit_member(&n->m, "text", n->j, text);
        emit_close(&n->m, '}');
    }
    if (open)
        text_lit(&n->m.t, "]}");
    return true;
}
