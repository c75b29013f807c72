/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_blocks.c -- canonical messages and their parts -> messages and blocks of Converse.  Called by lower.c.
 *
 * Converse wants user and assistant in turns, a user first, results before anything else in their message, and no blank
 * text anywhere.  So the parts that say something are gathered first, and a run of one role becomes one message.
 */
#include <stdio.h>

#include "lower.h"

struct said { /* a part that becomes a block */
    uint32_t part;
    bool assistant, result, aside; /* aside: the system says it between messages */
};

struct history {
    struct said *items;
    size_t count, cap;
};

static bool type_is(struct lower *l, uint32_t part, const char *type)
{
    return node_says(l->j, lower_at(l, part, "type"), type);
}

static bool is_blank(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr(" \t\r\n\v\f", s.ptr[i]) || !s.ptr[i])
            return false;
    return true;
}

/* ---- cache points ---- */

/* `object` is what has the mark.  Five minutes is what it means without; older models know nothing else. */
static bool put_point(struct lower *l, uint32_t object)
{
    struct weir_str ttl = get_value(l->c, l->j, lower_at(l, object, "cache"), "ttl");

    emit_open(&l->m, '{');
    emit_key(&l->m, "cachePoint");
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "default");
    if (str_is(ttl, "1h"))
        emit_member_text(&l->m, "ttl", ttl);
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    if (!ttl.len || str_is(ttl, "5m") || str_is(ttl, "1h"))
        return true;
    return object ? canon_lossy_at(l->c, object, "cache", true, l->e) : canon_lossy(l->c, "cache", true, l->e);
}

bool lower_cache(struct lower *l, uint32_t part)
{
    uint32_t cache = lower_at(l, part, "cache");

    return !node_there(l->j, cache) || put_point(l, part);
}

/* ---- media ---- */

static const struct {
    const char *type, *format;
} formats[] = {
    {"image/png", "png"},
    {"image/jpeg", "jpeg"},
    {"image/jpg", "jpeg"},
    {"image/gif", "gif"},
    {"image/webp", "webp"},
    {"application/pdf", "pdf"},
    {"text/csv", "csv"},
    {"application/msword", "doc"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"text/html", "html"},
    {"text/plain", "txt"},
    {"text/markdown", "md"},
    {"video/x-matroska", "mkv"},
    {"video/quicktime", "mov"},
    {"video/mp4", "mp4"},
    {"video/webm", "webm"},
    {"video/x-flv", "flv"},
    {"video/mpeg", "mpeg"},
    {"video/mpg", "mpg"},
    {"video/x-ms-wmv", "wmv"},
    {"video/3gpp", "three_gp"},
};

/* "text/plain; charset=utf-8" too.  NULL: Converse has no such format. */
static const char *format_of(struct weir_str type)
{
    const char *semicolon = type.len ? memchr(type.ptr, ';', type.len) : NULL;

    if (semicolon)
        type.len = (size_t)(semicolon - type.ptr);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (str_is(type, formats[i].type))
            return formats[i].format;
    return NULL;
}

/* Only letters, digits, single spaces and -()[] are taken, and each name once. */
static struct weir_str document_name(struct lower *l, struct weir_str wish)
{
    struct text t = {.c = l->c};
    size_t base;

    for (size_t i = 0; i < wish.len && t.len < 180; i++) {
        char ch = wish.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        bool mark = ch && strchr("-()[]", ch);
        if (word || mark)
            text_put(&t, &ch, 1);
        else if (t.len && t.ptr[t.len - 1] != ' ' && t.ptr[t.len - 1] != '-')
            text_put(&t, ch == ' ' ? " " : "-", 1);
    }
    while (t.len && t.ptr[t.len - 1] == ' ')
        t.len--;
    if (!t.len) {
        text_lit(&t, "doc-");
        text_int(&t, (int64_t)l->document_count + 1);
    }
    base = t.len;
    for (size_t i = 0, again = 2; i < l->document_count; i++) {
        if (!str_eq(l->documents[i], text_view(&t)))
            continue;
        t.len = base; /* and all are looked through anew */
        text_lit(&t, "-");
        text_int(&t, (int64_t)again++);
        i = SIZE_MAX;
    }
    if (l->document_count == l->document_cap) {
        struct weir_str *more = weir_alloc(l->c, (l->document_cap = 2 * l->document_cap + 8) * sizeof *more);
        if (l->document_count)
            memcpy(more, l->documents, l->document_count * sizeof *more);
        l->documents = more;
    }
    return l->documents[l->document_count++] = text_view(&t);
}

#define DOCUMENTS_MAX 100 /* Bedrock takes five; names are compared with each other */

static void put_source(struct lower *l, const char *key, uint32_t value)
{
    emit_key(&l->m, "source");
    emit_open(&l->m, '{');
    emit_member(&l->m, key, l->j, value);
    emit_close(&l->m, '}');
}

/* Of URLs and of files that another vendor keeps Converse can read none. */
static bool media_format(struct lower *l, uint32_t part, const char *kind, const char **format)
{
    uint32_t data = lower_at(l, part, "data");

    *format = type_is(l, part, "audio") ? NULL : format_of(get_value(l->c, l->j, part, "media_type"));
    if (type_is(l, part, "document") && node_is_string(l->j, lower_at(l, part, "text"))) {
        *format = "txt";
        return true;
    }
    if (node_is_string(l->j, data) && (*format || type_is(l, part, "audio")))
        return true;
    *format = NULL;
    return canon_lossy_at(l->c, part, kind, false, l->e);
}

static bool put_media(struct lower *l, uint32_t part, const char *kind)
{
    uint32_t text = lower_at(l, part, "text"), data = lower_at(l, part, "data");
    const char *format;

    if (!media_format(l, part, kind, &format))
        return false;
    if (!format && !(type_is(l, part, "audio") && node_is_string(l->j, data)))
        return true; /* left out, and told */
    emit_open(&l->m, '{');
    emit_key(&l->m, kind);
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "format", format ? str_of(format) : get_value(l->c, l->j, part, "format"));
    put_source(l, node_is_string(l->j, data) ? "bytes" : "text", node_is_string(l->j, data) ? data : text);
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return !node_there(l->j, lower_at(l, part, "detail")) || canon_lossy_at(l->c, part, "detail", true, l->e);
}

static bool put_document(struct lower *l, uint32_t part)
{
    uint32_t text = lower_at(l, part, "text"), data = lower_at(l, part, "data"),
             citations = lower_at(l, part, "citations");
    const char *format;

    if (!media_format(l, part, "document", &format))
        return false;
    if (!format)
        return true;
    if (l->document_count == DOCUMENTS_MAX)
        return canon_lossy_at(l->c, part, "document", false, l->e);
    emit_open(&l->m, '{');
    emit_key(&l->m, "document");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "format", str_of(format));
    emit_member_text(&l->m, "name", document_name(l, get_value(l->c, l->j, part, "name")));
    put_source(l, node_is_string(l->j, data) ? "bytes" : "text", node_is_string(l->j, data) ? data : text);
    emit_member(&l->m, "context", l->j, lower_at(l, part, "context"));
    if (node_there(l->j, citations)) {
        emit_key(&l->m, "citations");
        emit_open(&l->m, '{');
        emit_member(&l->m, "enabled", l->j, citations);
        emit_close(&l->m, '}');
    }
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return true;
}

/* ---- calls and results ---- */

static bool put_call(struct lower *l, uint32_t part)
{
    struct weir_str input;

    emit_open(&l->m, '{');
    emit_key(&l->m, "toolUse");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "toolUseId", lower_call_id(l, get_value(l->c, l->j, part, "id")));
    emit_member_text(&l->m, "name", lower_name(l, get_value(l->c, l->j, part, "name")));
    emit_key(&l->m, "input");
    if (node_true(l->j, lower_at(l, part, "custom"))) {
        emit_open(&l->m, '{');
        emit_member(&l->m, "input", l->j, lower_at(l, part, "input"));
        emit_close(&l->m, '}');
    } else {
        if (!canon_arguments(l->c, part, &input, l->e))
            return false;
        emit_raw(&l->m, input);
    }
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return true;
}

static void put_text(struct lower *l, uint32_t text)
{
    emit_open(&l->m, '{');
    emit_member(&l->m, "text", l->j, text);
    emit_close(&l->m, '}');
}

static bool put_result(struct lower *l, uint32_t part)
{
    emit_open(&l->m, '{');
    emit_key(&l->m, "toolResult");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "toolUseId", lower_call_id(l, get_value(l->c, l->j, part, "id")));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, item, lower_at(l, part, "content"))) {
        bool good = true;
        if (type_is(l, item, "text")) {
            if (!is_blank(get_value(l->c, l->j, item, "text")))
                put_text(l, lower_at(l, item, "text"));
        } else if (type_is(l, item, "image")) {
            good = put_media(l, item, "image");
        } else if (type_is(l, item, "document")) {
            good = put_document(l, item);
        } else {
            good = canon_lossy_at(l->c, item, "content", false, l->e);
        }
        if (!good)
            return false;
    }
    emit_close(&l->m, ']');
    if (node_true(l->j, lower_at(l, part, "error")))
        emit_member_lit(&l->m, "status", "error");
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return true;
}

/* ---- reasoning: back to its issuer only ---- */

static bool is_ours(struct lower *l, uint32_t part)
{
    uint32_t kind = lower_at(l, part, "kind");

    return node_says(l->j, kind, "bedrock.signature") || node_says(l->j, kind, "bedrock.redacted");
}

static void put_reasoning(struct lower *l, uint32_t part)
{
    uint32_t opaque = lower_at(l, part, "opaque"), text = lower_at(l, part, "text");

    emit_open(&l->m, '{');
    emit_key(&l->m, "reasoningContent");
    emit_open(&l->m, '{');
    if (node_says(l->j, lower_at(l, part, "kind"), "bedrock.redacted")) {
        emit_member(&l->m, "redactedContent", l->j, opaque);
    } else {
        emit_key(&l->m, "reasoningText");
        emit_open(&l->m, '{');
        if (node_is_string(l->j, text))
            emit_member(&l->m, "text", l->j, text);
        else
            emit_member_lit(&l->m, "text", "");
        emit_member(&l->m, "signature", l->j, opaque);
        emit_close(&l->m, '}');
    }
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
}

/* ---- messages ---- */

/* Asides stand in a user's message, in a tag that says whose they are. */
static void put_aside(struct lower *l, uint32_t part)
{
    struct text t = {.c = l->c};

    text_lit(&t, "<system>");
    text_str(&t, get_value(l->c, l->j, part, "text"));
    text_lit(&t, "</system>");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "text", text_view(&t));
    emit_close(&l->m, '}');
}

static bool put_block(struct lower *l, const struct said *s)
{
    static const char *const media[] = {"image", "audio", "video"};
    bool good = true;

    if (s->aside)
        put_aside(l, s->part);
    else if (type_is(l, s->part, "text") || type_is(l, s->part, "refusal"))
        put_text(l, lower_at(l, s->part, "text"));
    else if (type_is(l, s->part, "call"))
        good = put_call(l, s->part);
    else if (type_is(l, s->part, "result"))
        good = put_result(l, s->part);
    else if (type_is(l, s->part, "reasoning"))
        put_reasoning(l, s->part);
    else if (type_is(l, s->part, "document"))
        good = put_document(l, s->part);
    for (size_t i = 0; good && i < sizeof media / sizeof *media; i++)
        if (type_is(l, s->part, media[i]))
            good = put_media(l, s->part, media[i]);
    return good && lower_cache(l, s->part);
}

/* Whether a part becomes a block.  What nobody can say is told here, so that no empty message comes of it. */
static bool says(struct lower *l, uint32_t part, bool *something)
{
    static const char *const known[] = {"image", "audio", "video", "document", "call", "result"};
    const char *format;

    *something = true;
    if (type_is(l, part, "text") || type_is(l, part, "refusal")) {
        *something = !is_blank(get_value(l->c, l->j, part, "text"));
        return true;
    }
    if (type_is(l, part, "reasoning")) {
        *something = is_ours(l, part);
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (type_is(l, part, known[i])) {
            if (i > 3)
                return true;
            if (!media_format(l, part, known[i], &format))
                return false;
            *something = format || (i == 1 && node_is_string(l->j, lower_at(l, part, "data")));
            return true;
        }
    *something = false;
    return canon_lossy_at(l->c, part, "messages", false, l->e);
}

static void history_add(struct lower *l, struct history *h, struct said s)
{
    if (h->count == h->cap) {
        struct said *more = weir_alloc(l->c, (h->cap = h->cap ? 2 * h->cap : 64) * sizeof *more);
        if (h->count)
            memcpy(more, h->items, h->count * sizeof *more);
        h->items = more;
    }
    h->items[h->count++] = s;
}

static bool history_read(struct lower *l, struct history *h)
{
    unsigned index = 0;

    for (EACH_ITEM(l->j, m, lower_at(l, 0, "messages"))) {
        uint32_t role = lower_at(l, m, "role");
        bool aside = node_says(l->j, role, "system"), told = false, something;
        char path[48];
        snprintf(path, sizeof path, "messages[%u]", index++);
        for (EACH_ITEM(l->j, part, lower_at(l, m, "content"))) {
            struct said s = {part, node_says(l->j, role, "assistant"), type_is(l, part, "result"), aside};
            if (!says(l, part, &something))
                return false;
            if (aside && !told && something) {
                if (!lossy(l->c, str_of(path), true, l->e))
                    return false;
                told = true;
            }
            s.aside = aside && type_is(l, part, "text");
            if (something)
                history_add(l, h, s);
        }
    }
    return true;
}

/* A document needs a text beside it: its name will do. */
static void put_company(struct lower *l, const struct said *s, size_t n)
{
    bool document = false;

    for (size_t i = 0; i < n; i++) {
        if (s[i].aside || type_is(l, s[i].part, "text"))
            return;
        document |= type_is(l, s[i].part, "document");
    }
    if (!document || !l->document_count)
        return;
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "text", l->documents[l->document_count - 1]);
    emit_close(&l->m, '}');
}

/* One message of `n` parts: results, then all else. */
static bool put_message(struct lower *l, const struct said *s, size_t n, bool last)
{
    uint32_t cache = lower_at(l, 0, "cache");

    emit_open(&l->m, '{');
    emit_member_text(&l->m, "role", s->assistant ? WEIR_STR("assistant") : WEIR_STR("user"));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    for (int results = 1; results >= 0; results--)
        for (size_t i = 0; i < n; i++)
            if (s[i].result == results && !put_block(l, &s[i]))
                return false;
    put_company(l, s, n);
    if (last && node_there(l->j, cache) && !node_there(l->j, lower_at(l, s[n - 1].part, "cache")) && !put_point(l, 0))
        return false;
    emit_close(&l->m, ']');
    emit_close(&l->m, '}');
    return true;
}

bool lower_messages(struct lower *l)
{
    struct history h = {NULL, 0, 0};
    size_t n;

    if (!history_read(l, &h))
        return false;
    emit_key(&l->m, "messages");
    emit_open(&l->m, '[');
    for (size_t i = 0; i < h.count; i += n) {
        for (n = 1; i + n < h.count && h.items[i + n].assistant == h.items[i].assistant;)
            n++;
        if (i == 0 && h.items[0].assistant) { /* nobody has asked yet */
            if (!lossy(l->c, WEIR_STR("messages[0]"), false, l->e))
                return false;
        } else if (!put_message(l, h.items + i, n, i + n == h.count)) {
            return false;
        }
    }
    emit_close(&l->m, ']');
    return true;
}

bool lower_system(struct lower *l)
{
    bool any = false;

    for (EACH_ITEM(l->j, part, lower_at(l, 0, "system"))) {
        if (is_blank(get_value(l->c, l->j, part, "text")))
            continue;
        if (!any) {
            emit_key(&l->m, "system");
            emit_open(&l->m, '[');
        }
        any = true;
        put_text(l, lower_at(l, part, "text"));
        lower_cache(l, part);
    }
    if (any)
        emit_close(&l->m, ']');
    return true;
}
