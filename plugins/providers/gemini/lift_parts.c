/* SPDX-License-Identifier: Apache-2.0 */
/* lift_parts.c -- parts of contents, and embeddings, as the canonical request has them.  Part of lift. */
#include "lifter.h"

#include <stdio.h>

#include "base64.h"

static const char *kind_of(struct weir_str type)
{
    return str_starts(type, "image/")   ? "image"
           : str_starts(type, "audio/") ? "audio"
           : str_starts(type, "video/") ? "video"
                                        : "document";
}

static void lift_open(struct lifter *l, const char *type)
{
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "type", str_of(type));
}

static void lift_close(struct lifter *l)
{
    emit_member_text(&l->m, "at", str_of(l->at));
    emit_close(&l->m, '}');
}

static void lift_other(struct lifter *l, uint32_t key)
{
    lift_open(l, "other");
    emit_key(&l->m, "name");
    emit_quoted(&l->m, weir_json_text(l->j, key));
    emit_key(&l->m, "raw");
    emit_node(&l->m, l->j, key + 1);
    lift_close(l);
}

/* MEDIA_RESOLUTION_LOW ... are what others call detail. */
static void put_detail(struct lifter *l, uint32_t part)
{
    uint32_t level = proto_get(l->j, part, "mediaResolution");

    if (weir_json_is(l->j, level, WEIR_JSON_OBJECT))
        level = proto_get(l->j, level, "level");
    if (node_says(l->j, level, "MEDIA_RESOLUTION_LOW"))
        emit_member_lit(&l->m, "detail", "low");
    else if (node_says(l->j, level, "MEDIA_RESOLUTION_HIGH"))
        emit_member_lit(&l->m, "detail", "high");
}

static void lift_inline(struct lifter *l, uint32_t part, uint32_t data)
{
    struct weir_str type = proto_text(l->c, l->j, data, "mimeType");
    const char *kind = kind_of(type);

    lift_open(l, kind);
    emit_member_text(&l->m, "data", base64_standard(l->c, proto_text(l->c, l->j, data, "data")));
    if (strcmp(kind, "audio") == 0)
        emit_member_text(&l->m, "format", (struct weir_str){type.ptr + 6, type.len - 6});
    else
        emit_member_text(&l->m, "media_type", type);
    if (strcmp(kind, "document") == 0)
        emit_member(&l->m, "name", l->j, proto_get(l->j, data, "displayName"));
    if (strcmp(kind, "image") == 0)
        put_detail(l, part);
    lift_close(l);
}

/* Files of the Files API are known to Google alone. */
static bool is_link(struct weir_str uri)
{
    return (str_starts(uri, "https://") || str_starts(uri, "http://")) &&
           !memmem(uri.ptr, uri.len, "googleapis.com/", 15);
}

static void lift_file(struct lifter *l, uint32_t key)
{
    struct weir_str uri = proto_text(l->c, l->j, key + 1, "fileUri");
    const char *kind = kind_of(proto_text(l->c, l->j, key + 1, "mimeType"));
    bool link = is_link(uri);

    if (strcmp(kind, "audio") == 0 || (strcmp(kind, "video") == 0 && !link)) {
        lift_other(l, key);
        return;
    }
    lift_open(l, kind);
    emit_member_text(&l->m, link ? "url" : "file", uri);
    if (strcmp(kind, "document") == 0)
        emit_member(&l->m, "name", l->j, proto_get(l->j, key + 1, "displayName"));
    lift_close(l);
}

static bool is_image(struct lifter *l, uint32_t part)
{
    return str_starts(proto_text(l->c, l->j, proto_get(l->j, part, "inlineData"), "mimeType"), "image/");
}

bool lift_part(struct lifter *l, uint32_t part)
{
    if (!weir_json_is(l->j, part, WEIR_JSON_OBJECT))
        return lossy(l->c, str_of(l->at), false, l->e);
    for (EACH_KEY(l->j, k, part)) {
        struct weir_str key = weir_json_text(l->j, k);
        if (l->j->nodes[k + 1].type == WEIR_JSON_NULL || proto_is(key, "thought") || proto_is(key, "thoughtSignature"))
            continue;
        if (proto_is(key, "inlineData")) {
            lift_inline(l, part, k + 1);
        } else if (proto_is(key, "fileData")) {
            lift_file(l, k);
        } else if (proto_is(key, "mediaResolution")) {
            if (!is_image(l, part) && !lift_lossy(l, l->at, "mediaResolution", true))
                return false;
        } else if (proto_is(key, "videoMetadata")) {
            if (!lift_lossy(l, l->at, "videoMetadata", false))
                return false;
        } else if (!proto_is(key, "text") || !node_is_string(l->j, k + 1)) {
            lift_other(l, k);
        } else if (l->j->nodes[k + 1].len) { /* an empty text says nothing, and others refuse it */
            emit_open(&l->m, '{');
            emit_member_lit(&l->m, "type", "text");
            emit_member(&l->m, "text", l->j, k + 1);
            emit_close(&l->m, '}');
        }
    }
    return true;
}

/* ---- embeddings ---- */

static bool put_input(struct lifter *l, uint32_t content)
{
    struct text t = {.c = l->c};

    for (EACH_ONE(l->j, part, proto_get(l->j, content, "parts"))) {
        uint32_t text = proto_get(l->j, part, "text");
        if (!node_is_string(l->j, text))
            return lift_lossy(l, "content", "parts", false);
        text_str(&t, node_value(l->c, l->j, text));
    }
    emit_text(&l->m, text_view(&t));
    return true;
}

/* All inputs of a canonical request are embedded in one way. */
static bool same_as_first(struct lifter *l, uint32_t requests, const char *key, uint32_t *first)
{
    bool any = false;

    *first = WEIR_NO_NODE;
    for (EACH_ONE(l->j, n, requests)) {
        uint32_t v = proto_get(l->j, n, key);
        bool there = node_there(l->j, v), before = node_there(l->j, *first);
        if (any && (there != before || (there && !str_eq(weir_json_text(l->j, v), weir_json_text(l->j, *first)))) &&
            !lift_lossy(l, "requests", key, false))
            return false;
        if (!any)
            *first = v;
        any = true;
    }
    return true;
}

static bool lift_task(struct lifter *l, uint32_t type)
{
    static const char *const types[][2] = {
        {"RETRIEVAL_QUERY", "query"},
        {"RETRIEVAL_DOCUMENT", "document"},
        {"CLASSIFICATION", "classification"},
        {"CLUSTERING", "clustering"},
    };

    if (!node_there(l->j, type) || node_says(l->j, type, "TASK_TYPE_UNSPECIFIED"))
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (node_says(l->j, type, types[i][0])) {
            emit_member_text(&l->m, "input_type", str_of(types[i][1]));
            return true;
        }
    return lift_lossy(l, "", "taskType", false);
}

bool lift_embedding(struct lifter *l)
{
    static const char *const known[] = {"model", "content", "taskType", "title", "outputDimensionality", NULL};
    static const char *const batch[] = {"requests", NULL};
    uint32_t several = proto_get(l->j, 0, "requests"), requests = node_there(l->j, several) ? several : 0;
    uint32_t type, size;

    if (requests && !lift_unknown(l, 0, "", batch))
        return false;
    emit_raw(&l->m, WEIR_STR("\"names\":{\"dimensions\":\"outputDimensionality\",\"input_type\":\"taskType\"}"));
    emit_key(&l->m, "input");
    emit_open(&l->m, '[');
    for (EACH_ONE(l->j, n, requests)) {
        if (!lift_unknown(l, n, requests ? "requests" : "", known) || !put_input(l, proto_get(l->j, n, "content")))
            return false;
        if (node_there(l->j, proto_get(l->j, n, "title")) && !lift_lossy(l, "", "title", true))
            return false;
    }
    emit_close(&l->m, ']');
    if (!same_as_first(l, requests, "taskType", &type) || !same_as_first(l, requests, "outputDimensionality", &size))
        return false;
    if (proto_int(l->j, size, -1) >= 0) {
        emit_key(&l->m, "dimensions");
        emit_int(&l->m, proto_int(l->j, size, 0));
    }
    emit_member_lit(&l->m, "encoding", "float");
    return lift_task(l, type);
}
