/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_parts.c -- the canonical request's system and messages -> Anthropic's: roles that alternate, all results of a
 * turn first in one user message, no empty text.  Called by lower.c.
 */
#include "anthropic.h"

#include <stdio.h>

struct parts {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct emit *m;
    struct weir_error *e;
};

static uint32_t get(const struct parts *p, uint32_t object, const char *key)
{
    return weir_json_get(p->j, object, key);
}

static struct weir_str value(const struct parts *p, uint32_t object, const char *key)
{
    return get_value(p->c, p->j, object, key);
}

static bool type_is(const struct parts *p, uint32_t part, const char *type)
{
    return node_says(p->j, get(p, part, "type"), type);
}

static bool refuse(struct parts *p, uint32_t part, const char *what, bool hint)
{
    return canon_lossy_at(p->c, part, what, hint, p->e);
}

/* A member of a part that is left out: named behind the part. */
static bool hint(struct parts *p, uint32_t part, const char *key)
{
    struct weir_str at = value(p, part, "at");

    return get(p, part, key) == WEIR_NO_NODE ||
           lossy(p->c, at.len ? place_of(p->c, "%.*s.%s", (int)at.len, at.ptr, key) : str_of(key), true, p->e);
}

static bool has_text(const struct parts *p, uint32_t part, const char *key)
{
    return node_is_string(p->j, get(p, part, key)) && p->j->nodes[get(p, part, key)].len > 0;
}

/* ---- parts ---- */

static bool put_text(struct parts *p, uint32_t part)
{
    if (!has_text(p, part, "text")) /* Anthropic refuses empty text */
        return true;
    emit_open(p->m, '{');
    emit_member_lit(p->m, "type", "text");
    emit_member(p->m, "text", p->j, get(p, part, "text"));
    if (!lower_cache(p->c, p->m, part, p->e))
        return false;
    emit_close(p->m, '}');
    return true;
}

static void put_source(struct parts *p, const char *type, const char *media, const char *key, uint32_t from)
{
    emit_key(p->m, "source");
    emit_open(p->m, '{');
    emit_member_text(p->m, "type", str_of(type));
    if (media)
        emit_member_text(p->m, "media_type", str_of(media));
    emit_member(p->m, key, p->j, from);
    emit_close(p->m, '}');
}

static bool put_image(struct parts *p, uint32_t part)
{
    static const char *const types[] = {"image/jpeg", "image/png", "image/gif", "image/webp", NULL};
    struct weir_str media = value(p, part, "media_type");
    const char *const *t = types;

    if (str_is(media, "image/jpg"))
        media = WEIR_STR("image/jpeg");
    while (*t && !str_is(media, *t))
        t++;
    if (has_text(p, part, "data") ? !*t : !has_text(p, part, "url")) /* an id is of its own vendor only */
        return refuse(p, part, "image", false);
    emit_open(p->m, '{');
    emit_member_lit(p->m, "type", "image");
    if (has_text(p, part, "data"))
        put_source(p, "base64", *t, "data", get(p, part, "data"));
    else
        put_source(p, "url", NULL, "url", get(p, part, "url"));
    if (!lower_cache(p->c, p->m, part, p->e))
        return false;
    emit_close(p->m, '}');
    return hint(p, part, "detail");
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

static void put_document_source(struct parts *p, uint32_t part, struct weir_str plain)
{
    if (has_text(p, part, "text")) {
        put_source(p, "text", "text/plain", "data", get(p, part, "text"));
    } else if (has_text(p, part, "url")) {
        put_source(p, "url", NULL, "url", get(p, part, "url"));
    } else if (str_is(value(p, part, "media_type"), "application/pdf")) {
        put_source(p, "base64", "application/pdf", "data", get(p, part, "data"));
    } else {
        emit_key(p->m, "source");
        emit_open(p->m, '{');
        emit_member_lit(p->m, "type", "text");
        emit_member_lit(p->m, "media_type", "text/plain");
        emit_member_text(p->m, "data", plain);
        emit_close(p->m, '}');
    }
}

/* Files of text go as text; of others only PDF is known. */
static bool put_document(struct parts *p, uint32_t part)
{
    struct weir_str media = value(p, part, "media_type");
    bool data = has_text(p, part, "data"), said = has_text(p, part, "text") || has_text(p, part, "url");
    struct text plain = {.c = p->c};

    if (!said && !(data && str_is(media, "application/pdf")) &&
        !(data && str_starts(media, "text/") && base64_read(&plain, value(p, part, "data"))))
        return refuse(p, part, "document", false);
    emit_open(p->m, '{');
    emit_member_lit(p->m, "type", "document");
    put_document_source(p, part, text_view(&plain));
    emit_member(p->m, "title", p->j, get(p, part, "name"));
    emit_member(p->m, "context", p->j, get(p, part, "context"));
    if (node_true(p->j, get(p, part, "citations"))) {
        emit_key(p->m, "citations");
        emit_raw(p->m, WEIR_STR("{\"enabled\":true}"));
    }
    if (!lower_cache(p->c, p->m, part, p->e))
        return false;
    emit_close(p->m, '}');
    return true;
}

static bool put_call(struct parts *p, uint32_t part)
{
    struct weir_str input = WEIR_STR("{}");

    if (!node_true(p->j, get(p, part, "custom")) && !canon_arguments(p->c, part, &input, p->e))
        return false;
    emit_open(p->m, '{');
    emit_member_lit(p->m, "type", "tool_use");
    emit_member_text(p->m, "id", canon_call_id(p->c, value(p, part, "id"), 64, false));
    emit_member_text(p->m, "name", lower_tool_name(p->c, value(p, part, "name")));
    emit_key(p->m, "input");
    if (node_true(p->j, get(p, part, "custom"))) {
        emit_open(p->m, '{');
        emit_member(p->m, "input", p->j, get(p, part, "input"));
        emit_close(p->m, '}');
    } else {
        emit_raw(p->m, input);
    }
    if (!lower_cache(p->c, p->m, part, p->e))
        return false;
    emit_close(p->m, '}');
    return true;
}

static bool put_result(struct parts *p, uint32_t part)
{
    emit_open(p->m, '{');
    emit_member_lit(p->m, "type", "tool_result");
    emit_member_text(p->m, "tool_use_id", canon_call_id(p->c, value(p, part, "id"), 64, false));
    emit_key(p->m, "content");
    emit_open(p->m, '[');
    for (EACH_ITEM(p->j, inner, get(p, part, "content"))) {
        bool ok = type_is(p, inner, "text")       ? put_text(p, inner)
                  : type_is(p, inner, "image")    ? put_image(p, inner)
                  : type_is(p, inner, "document") ? put_document(p, inner)
                                                  : refuse(p, inner, "result", false);
        if (!ok)
            return false;
    }
    emit_close(p->m, ']');
    if (node_true(p->j, get(p, part, "error")))
        emit_raw(p->m, WEIR_STR("\"is_error\":true"));
    if (!lower_cache(p->c, p->m, part, p->e))
        return false;
    emit_close(p->m, '}');
    return true;
}

/* Only what Anthropic has signed goes back to it. */
static bool put_reasoning(struct parts *p, uint32_t part)
{
    struct weir_str kind = value(p, part, "kind");
    bool redacted = str_is(kind, "anthropic.redacted");

    if (!redacted && !str_is(kind, "anthropic.signature"))
        return true;
    emit_open(p->m, '{');
    emit_member_text(p->m, "type", str_of(redacted ? "redacted_thinking" : "thinking"));
    if (!redacted) {
        emit_member_text(p->m, "thinking", value(p, part, "text"));
        emit_member(p->m, "signature", p->j, get(p, part, "opaque"));
    } else {
        emit_member(p->m, "data", p->j, get(p, part, "opaque"));
    }
    emit_close(p->m, '}');
    return true;
}

static bool put_part(struct parts *p, uint32_t part)
{
    static const struct {
        const char *type;
        bool (*put)(struct parts *, uint32_t);
    } kinds[] = {
        {"text", put_text}, {"refusal", put_text},  {"image", put_image},         {"document", put_document},
        {"call", put_call}, {"result", put_result}, {"reasoning", put_reasoning},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (type_is(p, part, kinds[i].type))
            return kinds[i].put(p, part);
    return refuse(p, part, "messages", false);
}

/* ---- messages ---- */

static bool is_assistant(const struct parts *p, uint32_t message)
{
    return node_says(p->j, get(p, message, "role"), "assistant");
}

static bool is_system(const struct parts *p, uint32_t message)
{
    return node_says(p->j, get(p, message, "role"), "system");
}

/* A system message between others is user text in a tag: older models take no such role. */
static bool put_tagged(struct parts *p, uint32_t message)
{
    for (EACH_ITEM(p->j, part, get(p, message, "content"))) {
        struct text t = {.c = p->c};
        if (!has_text(p, part, "text"))
            continue;
        text_lit(&t, "<system>\n");
        text_str(&t, value(p, part, "text"));
        text_lit(&t, "\n</system>");
        emit_open(p->m, '{');
        emit_member_lit(p->m, "type", "text");
        emit_member_text(p->m, "text", text_view(&t));
        if (!lower_cache(p->c, p->m, part, p->e))
            return false;
        emit_close(p->m, '}');
    }
    return lossy(p->c, WEIR_STR("messages[].role"), true, p->e);
}

/* Of messages `from` to before `to`, those parts that are results, or those that are not. */
static bool put_group(struct parts *p, uint32_t array, uint32_t from, uint32_t to, bool results)
{
    for (uint32_t m = from; m != to; m = weir_json_next(p->j, array, m)) {
        if (is_system(p, m)) {
            if (!results && !put_tagged(p, m))
                return false;
            continue;
        }
        for (EACH_ITEM(p->j, part, get(p, m, "content")))
            if (type_is(p, part, "result") == results && !put_part(p, part))
                return false;
    }
    return true;
}

bool lower_messages(struct weir_ctx *c, struct emit *m, struct weir_error *e)
{
    struct parts p = {.c = c, .j = weir_canonical(c), .m = m, .e = e};
    uint32_t array = get(&p, 0, "messages");

    emit_key(m, "messages");
    emit_open(m, '[');
    for (uint32_t from = weir_json_is(p.j, array, WEIR_JSON_ARRAY) ? weir_json_first(p.j, array) : WEIR_NO_NODE, to;
         from != WEIR_NO_NODE; from = to) {
        bool assistant = is_assistant(&p, from);
        to = from;
        while (to != WEIR_NO_NODE && is_assistant(&p, to) == assistant)
            to = weir_json_next(p.j, array, to);
        emit_open(m, '{');
        emit_member_text(m, "role", str_of(assistant ? "assistant" : "user"));
        emit_key(m, "content");
        emit_open(m, '[');
        if (!put_group(&p, array, from, to, true) || !put_group(&p, array, from, to, false))
            return false;
        emit_close(m, ']');
        emit_close(m, '}');
    }
    emit_close(m, ']');
    return true;
}

bool lower_system(struct weir_ctx *c, struct emit *m, struct weir_str more, struct weir_error *e)
{
    struct parts p = {.c = c, .j = weir_canonical(c), .m = m, .e = e};
    bool any = more.len > 0;

    for (EACH_ITEM(p.j, part, get(&p, 0, "system")))
        any |= has_text(&p, part, "text");
    if (!any)
        return true;
    emit_key(m, "system");
    emit_open(m, '[');
    for (EACH_ITEM(p.j, part, get(&p, 0, "system")))
        if (!put_text(&p, part))
            return false;
    if (more.len) {
        emit_open(m, '{');
        emit_member_lit(m, "type", "text");
        emit_member_text(m, "text", more);
        emit_close(m, '}');
    }
    emit_close(m, ']');
    return true;
}
