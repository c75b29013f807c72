/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_blocks.c -- messages of a Converse request and the blocks in them -> canonical ones.  Called by lift.c.
 *
 * Results stand in user messages here and in messages of their own there; a cachePoint stands behind what is cached
 * here and in it there.
 */
#include <stdio.h>

#include "base64.h"
#include "bedrock.h"
#include "lift.h"

static bool is_object(struct lift *l, uint32_t node)
{
    return weir_json_is(l->j, node, WEIR_JSON_OBJECT);
}

/* The first cachePoint behind a block is said with it; lift_point() tells of all others. */
static uint32_t cache_behind(struct lift *l, uint32_t array, uint32_t block)
{
    uint32_t next = weir_json_next(l->j, array, block);

    return next == WEIR_NO_NODE ? next : lift_at(l, next, "cachePoint");
}

void lift_cache(struct lift *l, uint32_t array, uint32_t block)
{
    uint32_t point = cache_behind(l, array, block);

    if (!is_object(l, point))
        return;
    emit_key(&l->m, "cache");
    emit_open(&l->m, '{');
    emit_member(&l->m, "ttl", l->j, lift_at(l, point, "ttl"));
    emit_close(&l->m, '}');
}

/* ---- parts ---- */

static void part_open(struct lift *l, const char *type)
{
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "type", str_of(type));
}

static void part_text(struct lift *l, uint32_t array, uint32_t block, uint32_t text)
{
    part_open(l, "text");
    emit_member(&l->m, "text", l->j, text);
    lift_cache(l, array, block);
    emit_close(&l->m, '}');
}

static const struct {
    const char *kind, *format, *type;
} media_types[] = {
    {"image", "png", "image/png"},
    {"image", "jpeg", "image/jpeg"},
    {"image", "gif", "image/gif"},
    {"image", "webp", "image/webp"},
    {"document", "pdf", "application/pdf"},
    {"document", "csv", "text/csv"},
    {"document", "doc", "application/msword"},
    {"document", "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"document", "xls", "application/vnd.ms-excel"},
    {"document", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"document", "html", "text/html"},
    {"document", "txt", "text/plain"},
    {"document", "md", "text/markdown"},
    {"video", "mkv", "video/x-matroska"},
    {"video", "mov", "video/quicktime"},
    {"video", "mp4", "video/mp4"},
    {"video", "webm", "video/webm"},
    {"video", "flv", "video/x-flv"},
    {"video", "mpeg", "video/mpeg"},
    {"video", "mpg", "video/mpg"},
    {"video", "wmv", "video/x-ms-wmv"},
    {"video", "three_gp", "video/3gpp"},
};

static const char *media_type(struct weir_str format, const char *kind)
{
    for (size_t i = 0; i < sizeof media_types / sizeof *media_types; i++)
        if (strcmp(media_types[i].kind, kind) == 0 && str_is(format, media_types[i].format))
            return media_types[i].type;
    return NULL;
}

/* What only Converse knows: the upstream's dialect refuses it by its place. */
static bool part_other(struct lift *l, const char *name, uint32_t value, const char *path)
{
    part_open(l, "other");
    emit_member_text(&l->m, "name", str_of(name));
    emit_key(&l->m, "raw");
    emit_node(&l->m, l->j, value);
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

/* The text of {"content":[{"text"}]}, of a document or of citations; false: something else is in there. */
static bool texts_join(struct lift *l, uint32_t array, struct text *to)
{
    for (EACH_ITEM(l->j, item, array)) {
        if (!node_is_string(l->j, lift_at(l, item, "text")))
            return false;
        text_str(to, get_value(l->c, l->j, item, "text"));
    }
    return true;
}

static void document_rest(struct lift *l, uint32_t media)
{
    uint32_t citations = lift_at(l, lift_at(l, media, "citations"), "enabled");

    emit_member(&l->m, "name", l->j, lift_at(l, media, "name"));
    emit_member(&l->m, "context", l->j, lift_at(l, media, "context"));
    if (node_there(l->j, citations))
        emit_member(&l->m, "citations", l->j, citations);
}

/* image, document, video, audio */
static bool part_media(struct lift *l, uint32_t array, uint32_t block, const char *kind, uint32_t media,
                       const char *path)
{
    uint32_t source = lift_at(l, media, "source"), bytes = lift_at(l, source, "bytes"),
             text = lift_at(l, source, "text");
    struct weir_str format = get_value(l->c, l->j, media, "format");
    const char *type = media_type(format, kind);
    bool document = strcmp(kind, "document") == 0, audio = strcmp(kind, "audio") == 0;
    struct text joined = {.c = l->c};

    if (document && node_is_string(l->j, text))
        text_str(&joined, get_value(l->c, l->j, source, "text"));
    else if (!node_is_string(l->j, bytes) || (!type && !audio)) {
        if (!document || !texts_join(l, lift_at(l, source, "content"), &joined) || !joined.len)
            return part_other(l, kind, media, path);
    }
    part_open(l, kind);
    if (joined.len || !node_is_string(l->j, bytes)) {
        emit_member_text(&l->m, "text", text_view(&joined));
    } else {
        emit_member(&l->m, "data", l->j, bytes);
        emit_member_text(&l->m, audio ? "format" : "media_type", audio ? format : str_of(type));
    }
    if (document)
        document_rest(l, media);
    lift_cache(l, array, block);
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

static bool part_call(struct lift *l, uint32_t array, uint32_t block, uint32_t use, const char *path)
{
    static const char *const known[] = {"toolUseId", "name", "input", NULL};
    uint32_t input = lift_at(l, use, "input");
    char inner[LIFT_PATH];

    snprintf(inner, sizeof inner, "%.80s.toolUse", path);
    if (!lift_unknown(l, use, inner, known, false))
        return false;
    part_open(l, "call");
    emit_member(&l->m, "id", l->j, lift_at(l, use, "toolUseId"));
    emit_member(&l->m, "name", l->j, lift_at(l, use, "name"));
    emit_member_text(&l->m, "arguments", is_object(l, input) ? weir_json_text(l->j, input) : WEIR_STR("{}"));
    lift_cache(l, array, block);
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

/* A signature that another vendor's answer was given as one is known by its mark. */
static bool part_reasoning(struct lift *l, uint32_t reasoning)
{
    uint32_t text = lift_at(l, reasoning, "reasoningText");
    struct weir_str kind = WEIR_STR("bedrock.signature"), data = get_value(l->c, l->j, text, "signature");
    struct weir_str redacted = get_value(l->c, l->j, reasoning, "redactedContent"), plain;

    if (redacted.len) {
        kind = WEIR_STR("bedrock.redacted");
        data = redacted;
        if (base64_decode(l->c, redacted, &plain))
            opaque_read(plain, &kind, &data);
    } else {
        opaque_read(data, &kind, &data);
    }
    part_open(l, "reasoning");
    emit_member(&l->m, "text", l->j, lift_at(l, text, "text"));
    if (data.len) {
        emit_member_text(&l->m, "opaque", data);
        emit_member_text(&l->m, "kind", kind);
    }
    emit_close(&l->m, '}');
    return true;
}

static bool part_citations(struct lift *l, uint32_t array, uint32_t block, uint32_t value, const char *path)
{
    struct text joined = {.c = l->c};
    char inner[LIFT_PATH];

    if (!texts_join(l, lift_at(l, value, "content"), &joined))
        return part_other(l, "citationsContent", value, path);
    snprintf(inner, sizeof inner, "%.80s.citationsContent.citations", path);
    if (node_there(l->j, lift_at(l, value, "citations")) && !lift_lossy(l, inner, true))
        return false;
    part_open(l, "text");
    emit_member_text(&l->m, "text", text_view(&joined));
    lift_cache(l, array, block);
    emit_close(&l->m, '}');
    return true;
}

/* ---- results ---- */

static bool result_item(struct lift *l, uint32_t array, uint32_t item, const char *path)
{
    uint32_t json = lift_at(l, item, "json"), v;

    if (node_is_string(l->j, lift_at(l, item, "text"))) {
        part_open(l, "text");
        emit_member(&l->m, "text", l->j, lift_at(l, item, "text"));
        emit_close(&l->m, '}');
        return true;
    }
    if (node_there(l->j, json)) { /* JSON, as text */
        part_open(l, "text");
        emit_member_text(&l->m, "text", weir_json_text(l->j, json));
        emit_close(&l->m, '}');
        return true;
    }
    if (is_object(l, v = lift_at(l, item, "image")))
        return part_media(l, array, item, "image", v, path);
    if (is_object(l, v = lift_at(l, item, "document")))
        return part_media(l, array, item, "document", v, path);
    return part_other(l, "toolResult.content", item, path);
}

static bool part_result(struct lift *l, uint32_t array, uint32_t block, uint32_t result, const char *path)
{
    static const char *const known[] = {"toolUseId", "content", "status", NULL};
    uint32_t content = lift_at(l, result, "content");
    char inner[LIFT_PATH];
    unsigned i = 0;

    snprintf(inner, sizeof inner, "%.80s.toolResult", path);
    if (!lift_unknown(l, result, inner, known, false))
        return false;
    part_open(l, "result");
    emit_member(&l->m, "id", l->j, lift_at(l, result, "toolUseId"));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, item, content)) {
        snprintf(inner, sizeof inner, "%.80s.toolResult.content[%u]", path, i++);
        if (!result_item(l, content, item, inner))
            return false;
    }
    emit_close(&l->m, ']');
    if (node_says(l->j, lift_at(l, result, "status"), "error")) {
        emit_key(&l->m, "error");
        emit_bool(&l->m, true);
    }
    lift_cache(l, array, block);
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

/* ---- blocks ---- */

/* A cachePoint with nothing before it to be said with is told. */
bool lift_point(struct lift *l, uint32_t before, const char *path)
{
    return (before != WEIR_NO_NODE && !is_object(l, lift_at(l, before, "cachePoint"))) || lift_lossy(l, path, true);
}

static bool lift_block(struct lift *l, uint32_t array, uint32_t block, uint32_t before, const char *path)
{
    static const char *const media[] = {"image", "document", "video", "audio"};
    uint32_t first = is_object(l, block) ? weir_json_first(l->j, block) : WEIR_NO_NODE, guard, v;
    char name[48];

    if (node_is_string(l->j, v = lift_at(l, block, "text"))) {
        part_text(l, array, block, v);
        return true;
    }
    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (is_object(l, v = lift_at(l, block, media[i])))
            return part_media(l, array, block, media[i], v, path);
    if (is_object(l, v = lift_at(l, block, "toolUse")))
        return part_call(l, array, block, v, path);
    if (is_object(l, v = lift_at(l, block, "toolResult")))
        return part_result(l, array, block, v, path);
    if (is_object(l, v = lift_at(l, block, "reasoningContent")))
        return part_reasoning(l, v);
    if (is_object(l, v = lift_at(l, block, "citationsContent")))
        return part_citations(l, array, block, v, path);
    if (is_object(l, lift_at(l, block, "cachePoint")))
        return lift_point(l, before, path);
    guard = lift_at(l, lift_at(l, block, "guardContent"), "text");
    if (node_is_string(l->j, v = lift_at(l, guard, "text"))) {
        part_text(l, array, block, v);
        return lift_lossy(l, path, true);
    }
    if (first == WEIR_NO_NODE)
        return true;
    snprintf(name, sizeof name, "%.*s", (int)(l->j->nodes[first].len < 40 ? l->j->nodes[first].len : 40),
             l->j->text.ptr + l->j->nodes[first].at);
    return part_other(l, name, first + 1, path);
}

bool lift_system(struct lift *l, uint32_t array)
{
    uint32_t before = WEIR_NO_NODE;
    unsigned i = 0;

    if (!weir_json_is(l->j, array, WEIR_JSON_ARRAY))
        return true;
    emit_key(&l->m, "system");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, block, array)) {
        uint32_t guard = lift_at(l, lift_at(l, block, "guardContent"), "text");
        char path[LIFT_PATH];
        snprintf(path, sizeof path, "system[%u]", i++);
        if (node_is_string(l->j, lift_at(l, block, "text")) || is_object(l, lift_at(l, block, "cachePoint")) ||
            node_is_string(l->j, lift_at(l, guard, "text"))) {
            if (!lift_block(l, array, block, before, path))
                return false;
        } else if (!lift_lossy(l, path, false)) {
            return false;
        }
        before = block;
    }
    emit_close(&l->m, ']');
    return true;
}

static bool is_result(struct lift *l, uint32_t block)
{
    return is_object(l, lift_at(l, block, "toolResult"));
}

/* One canonical message of the blocks that are results, or that are not; a cachePoint goes with what it is behind. */
static bool lift_message(struct lift *l, uint32_t message, unsigned index, bool results, const char *role)
{
    uint32_t content = lift_at(l, message, "content"), before = WEIR_NO_NODE;
    bool behind = false;
    unsigned i = 0;

    emit_open(&l->m, '{');
    emit_member_text(&l->m, "role", str_of(role));
    emit_key(&l->m, "content");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, block, content)) {
        char path[LIFT_PATH];
        bool point = is_object(l, lift_at(l, block, "cachePoint"));
        snprintf(path, sizeof path, "messages[%u].content[%u]", index, i++);
        behind = point ? behind : is_result(l, block);
        if (behind == results && !lift_block(l, content, block, before, path))
            return false;
        before = block;
    }
    emit_close(&l->m, ']');
    emit_close(&l->m, '}');
    return true;
}

bool lift_messages(struct lift *l, uint32_t array)
{
    unsigned index = 0;

    emit_key(&l->m, "messages");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, m, array)) {
        uint32_t role = lift_at(l, m, "role"), content = lift_at(l, m, "content");
        const char *word = node_says(l->j, role, "assistant") ? "assistant"
                           : node_says(l->j, role, "system")  ? "system"
                                                              : "user";
        bool results = false, others = weir_json_first(l->j, content) == WEIR_NO_NODE;
        for (EACH_ITEM(l->j, block, content)) {
            results |= is_result(l, block);
            others |= !is_result(l, block) && !is_object(l, lift_at(l, block, "cachePoint"));
        }
        if (results && !lift_message(l, m, index, true, "tool"))
            return false;
        if ((others || !results) && !lift_message(l, m, index, false, word))
            return false;
        index++;
    }
    emit_close(&l->m, ']');
    return true;
}
