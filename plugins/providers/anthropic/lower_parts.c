/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_parts.c -- the canonical request's system and messages -> Anthropic's: roles that alternate, all results of a
 * turn first in one user message, no empty text.  Called by lower.c.
 */
#include "lower.h"

#include <stdio.h>

static bool type_is(const struct lower *l, uint32_t part, const char *type)
{
    return node_says(l->j, lower_get(l, part, "type"), type);
}

static bool part_lossy(struct lower *l, uint32_t part, const char *what, bool hint)
{
    return canon_lossy_at(l->c, part, what, hint, l->e);
}

/* A member of a part that is left out: named behind the part. */
static bool hint(struct lower *l, uint32_t part, const char *key)
{
    struct weir_str at = lower_value(l, part, "at");

    return lower_get(l, part, key) == WEIR_NO_NODE ||
           lossy(l->c, at.len ? place_of(l->c, "%.*s.%s", (int)at.len, at.ptr, key) : str_of(key), true, l->e);
}

static bool has_text(const struct lower *l, uint32_t part, const char *key)
{
    return node_is_string(l->j, lower_get(l, part, key)) && l->j->nodes[lower_get(l, part, key)].len > 0;
}

/* ---- parts ---- */

static bool put_text(struct lower *l, uint32_t part)
{
    if (!has_text(l, part, "text")) /* Anthropic refuses empty text */
        return true;
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "text");
    emit_member(l->m, "text", l->j, lower_get(l, part, "text"));
    if (!lower_cache(l, part))
        return false;
    emit_close(l->m, '}');
    return true;
}

static void put_source(struct lower *l, const char *type, const char *media, const char *key, uint32_t from)
{
    emit_key(l->m, "source");
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", str_of(type));
    if (media)
        emit_member_text(l->m, "media_type", str_of(media));
    emit_member(l->m, key, l->j, from);
    emit_close(l->m, '}');
}

static bool put_image(struct lower *l, uint32_t part)
{
    static const char *const types[] = {"image/jpeg", "image/png", "image/gif", "image/webp", NULL};
    struct weir_str media = lower_value(l, part, "media_type");
    const char *const *t = types;

    if (str_is(media, "image/jpg"))
        media = WEIR_STR("image/jpeg");
    while (*t && !str_is(media, *t))
        t++;
    if (has_text(l, part, "data") ? !*t : !has_text(l, part, "url")) /* an id is of its own vendor only */
        return part_lossy(l, part, "image", false);
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "image");
    if (has_text(l, part, "data"))
        put_source(l, "base64", *t, "data", lower_get(l, part, "data"));
    else
        put_source(l, "url", NULL, "url", lower_get(l, part, "url"));
    if (!lower_cache(l, part))
        return false;
    emit_close(l->m, '}');
    return hint(l, part, "detail");
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* false: it is no base64. */
static bool base64_read(struct text *to, struct weir_str from)
{
    uint32_t bits = 0;
    int count = 0;

    while (from.len && from.ptr[from.len - 1] == '=')
        from.len--;
    for (size_t i = 0; i < from.len; i++) {
        int v = base64_digit(from.ptr[i]);
        char byte;
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        byte = (char)(bits >> count & 0xff);
        text_put(to, &byte, 1);
    }
    return count < 6;
}

static void put_document_source(struct lower *l, uint32_t part, struct weir_str plain)
{
    if (has_text(l, part, "text")) {
        put_source(l, "text", "text/plain", "data", lower_get(l, part, "text"));
    } else if (has_text(l, part, "url")) {
        put_source(l, "url", NULL, "url", lower_get(l, part, "url"));
    } else if (str_is(lower_value(l, part, "media_type"), "application/pdf")) {
        put_source(l, "base64", "application/pdf", "data", lower_get(l, part, "data"));
    } else {
        emit_key(l->m, "source");
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "text");
        emit_member_lit(l->m, "media_type", "text/plain");
        emit_member_text(l->m, "data", plain);
        emit_close(l->m, '}');
    }
}

/* Files of text go as text; of others only PDF is known. */
static bool put_document(struct lower *l, uint32_t part)
{
    struct weir_str media = lower_value(l, part, "media_type");
    bool data = has_text(l, part, "data"), said = has_text(l, part, "text") || has_text(l, part, "url");
    struct text plain = {.c = l->c};

    if (!said && !(data && str_is(media, "application/pdf")) &&
        !(data && str_starts(media, "text/") && base64_read(&plain, lower_value(l, part, "data"))))
        return part_lossy(l, part, "document", false);
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "document");
    put_document_source(l, part, text_view(&plain));
    emit_member(l->m, "title", l->j, lower_get(l, part, "name"));
    emit_member(l->m, "context", l->j, lower_get(l, part, "context"));
    if (node_true(l->j, lower_get(l, part, "citations"))) {
        emit_key(l->m, "citations");
        emit_raw(l->m, WEIR_STR("{\"enabled\":true}"));
    }
    if (!lower_cache(l, part))
        return false;
    emit_close(l->m, '}');
    return true;
}

static bool put_call(struct lower *l, uint32_t part)
{
    struct weir_str input = WEIR_STR("{}");

    if (!node_true(l->j, lower_get(l, part, "custom")) && !canon_arguments(l->c, part, &input, l->e))
        return false;
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "tool_use");
    emit_member_text(l->m, "id", canon_call_id(l->c, lower_value(l, part, "id"), 64, false));
    emit_member_text(l->m, "name", lower_tool_name(l->c, lower_value(l, part, "name")));
    emit_key(l->m, "input");
    if (node_true(l->j, lower_get(l, part, "custom"))) {
        emit_open(l->m, '{');
        emit_member(l->m, "input", l->j, lower_get(l, part, "input"));
        emit_close(l->m, '}');
    } else {
        emit_raw(l->m, input);
    }
    if (!lower_cache(l, part))
        return false;
    emit_close(l->m, '}');
    return true;
}

static bool put_result(struct lower *l, uint32_t part)
{
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "tool_result");
    emit_member_text(l->m, "tool_use_id", canon_call_id(l->c, lower_value(l, part, "id"), 64, false));
    emit_key(l->m, "content");
    emit_open(l->m, '[');
    for (EACH_ITEM(l->j, inner, lower_get(l, part, "content"))) {
        bool ok = type_is(l, inner, "text")       ? put_text(l, inner)
                  : type_is(l, inner, "image")    ? put_image(l, inner)
                  : type_is(l, inner, "document") ? put_document(l, inner)
                                                  : part_lossy(l, inner, "result", false);
        if (!ok)
            return false;
    }
    emit_close(l->m, ']');
    if (node_true(l->j, lower_get(l, part, "error")))
        emit_raw(l->m, WEIR_STR("\"is_error\":true"));
    if (!lower_cache(l, part))
        return false;
    emit_close(l->m, '}');
    return true;
}

/* Only what Anthropic has signed goes back to it. */
static bool put_thought(struct lower *l, uint32_t part)
{
    struct weir_str kind = lower_value(l, part, "kind");
    bool redacted = str_is(kind, "anthropic.redacted");

    if (!redacted && !str_is(kind, "anthropic.signature"))
        return true;
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", str_of(redacted ? "redacted_thinking" : "thinking"));
    if (!redacted) {
        emit_member_text(l->m, "thinking", lower_value(l, part, "text"));
        emit_member(l->m, "signature", l->j, lower_get(l, part, "opaque"));
    } else {
        emit_member(l->m, "data", l->j, lower_get(l, part, "opaque"));
    }
    emit_close(l->m, '}');
    return true;
}

static bool put_part(struct lower *l, uint32_t part)
{
    static const struct {
        const char *type;
        bool (*put)(struct lower *, uint32_t);
    } kinds[] = {
        {"text", put_text}, {"refusal", put_text},  {"image", put_image},       {"document", put_document},
        {"call", put_call}, {"result", put_result}, {"reasoning", put_thought},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (type_is(l, part, kinds[i].type))
            return kinds[i].put(l, part);
    return part_lossy(l, part, "messages", false);
}

/* ---- messages ---- */

static bool is_assistant(const struct lower *l, uint32_t message)
{
    return node_says(l->j, lower_get(l, message, "role"), "assistant");
}

static bool is_system(const struct lower *l, uint32_t message)
{
    return node_says(l->j, lower_get(l, message, "role"), "system");
}

/* A system message between others is user text in a tag: older models take no such role. */
static bool put_tagged(struct lower *l, uint32_t message)
{
    for (EACH_ITEM(l->j, part, lower_get(l, message, "content"))) {
        struct text t = {.c = l->c};
        if (!has_text(l, part, "text"))
            continue;
        text_lit(&t, "<system>\n");
        text_str(&t, lower_value(l, part, "text"));
        text_lit(&t, "\n</system>");
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "text");
        emit_member_text(l->m, "text", text_view(&t));
        if (!lower_cache(l, part))
            return false;
        emit_close(l->m, '}');
    }
    return lossy(l->c, WEIR_STR("messages[].role"), true, l->e);
}

/* Of messages `from` to before `to`, those parts that are results, or those that are not. */
static bool put_group(struct lower *l, uint32_t array, uint32_t from, uint32_t to, bool results)
{
    for (uint32_t m = from; m != to; m = weir_json_next(l->j, array, m)) {
        if (is_system(l, m)) {
            if (!results && !put_tagged(l, m))
                return false;
            continue;
        }
        for (EACH_ITEM(l->j, part, lower_get(l, m, "content")))
            if (type_is(l, part, "result") == results && !put_part(l, part))
                return false;
    }
    return true;
}

bool lower_messages(struct lower *l)
{
    uint32_t array = lower_get(l, 0, "messages"), to;

    emit_key(l->m, "messages");
    emit_open(l->m, '[');
    for (uint32_t from = weir_json_is(l->j, array, WEIR_JSON_ARRAY) ? weir_json_first(l->j, array) : WEIR_NO_NODE;
         from != WEIR_NO_NODE; from = to) {
        bool assistant = is_assistant(l, from);
        for (to = from; to != WEIR_NO_NODE && is_assistant(l, to) == assistant;)
            to = weir_json_next(l->j, array, to);
        emit_open(l->m, '{');
        emit_member_text(l->m, "role", str_of(assistant ? "assistant" : "user"));
        emit_key(l->m, "content");
        emit_open(l->m, '[');
        if (!put_group(l, array, from, to, true) || !put_group(l, array, from, to, false))
            return false;
        emit_close(l->m, ']');
        emit_close(l->m, '}');
    }
    emit_close(l->m, ']');
    return true;
}

bool lower_system(struct lower *l, struct weir_str more)
{
    bool any = more.len > 0;

    for (EACH_ITEM(l->j, part, lower_get(l, 0, "system")))
        any |= has_text(l, part, "text");
    if (!any)
        return true;
    emit_key(l->m, "system");
    emit_open(l->m, '[');
    for (EACH_ITEM(l->j, part, lower_get(l, 0, "system")))
        if (!put_text(l, part))
            return false;
    if (more.len) {
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "text");
        emit_member_text(l->m, "text", more);
        emit_close(l->m, '}');
    }
    emit_close(l->m, ']');
    return true;
}
