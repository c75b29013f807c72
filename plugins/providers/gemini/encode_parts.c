/* SPDX-License-Identifier: Apache-2.0 */
/* encode_parts.c -- images, documents, sound and films of the canonical request.  Part of encode. */
#include "encoder.h"

#include <strings.h>

static void put_inline(struct encoder *n, struct weir_str type, struct weir_str data)
{
    emit_key(&n->m, "inlineData");
    emit_open(&n->m, '{');
    emit_member_text(&n->m, "mimeType", type);
    emit_member_text(&n->m, "data", data);
    emit_close(&n->m, '}');
}

/* What a link is to: Vertex wants to be told. */
static struct weir_str type_of_link(struct weir_str url, const char *kind)
{
    static const char *const types[][2] = {
        {".png", "image/png"},   {".jpg", "image/jpeg"},      {".jpeg", "image/jpeg"}, {".webp", "image/webp"},
        {".gif", "image/gif"},   {".pdf", "application/pdf"}, {".txt", "text/plain"},  {".mp4", "video/mp4"},
        {".webm", "video/webm"}, {".mov", "video/mov"},       {".heic", "image/heic"},
    };
    const char *query = memchr(url.ptr, '?', url.len);

    if (query)
        url.len = (size_t)(query - url.ptr);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t len = strlen(types[i][0]);
        if (url.len > len && strncasecmp(url.ptr + url.len - len, types[i][0], len) == 0)
            return str_of(types[i][1]);
    }
    return str_of(strcmp(kind, "image") == 0      ? "image/jpeg"
                  : strcmp(kind, "document") == 0 ? "application/pdf"
                                                  : "video/mp4");
}

/* Google fetches links for Vertex and for models from 3 on; for others nobody does. */
static bool link_allowed(const struct encoder *n, uint32_t part)
{
    return n->major >= 3 || n->vertex || part_is(n, part, "video");
}

static void put_link(struct encoder *n, uint32_t part, uint32_t url)
{
    const char *kind = part_is(n, part, "image") ? "image" : part_is(n, part, "video") ? "video" : "document";

    emit_key(&n->m, "fileData");
    emit_open(&n->m, '{');
    emit_member_text(&n->m, "mimeType", type_of_link(node_value(n->c, n->j, url), kind));
    emit_member(&n->m, "fileUri", n->j, url);
    emit_close(&n->m, '}');
}

/* Hints that Gemini has no place for. */
static bool tell_hints(struct encoder *n, uint32_t part)
{
    static const char *const keys[] = {"name", "context", "citations", "detail", NULL};

    for (const char *const *k = keys; *k; k++) {
        uint32_t hint = weir_json_get(n->j, part, *k);
        if (hint == WEIR_NO_NODE || node_says(n->j, hint, "auto") || weir_json_is(n->j, hint, WEIR_JSON_FALSE))
            continue;
        if (!canon_lossy_at(n->c, part, *k, strcmp(*k, "context") != 0, n->e))
            return false;
    }
    return true;
}

bool media_allowed(struct encoder *n, uint32_t part, bool *say)
{
    bool data = node_is_string(n->j, weir_json_get(n->j, part, "data"));
    bool url = node_is_string(n->j, weir_json_get(n->j, part, "url"));
    bool text = node_is_string(n->j, weir_json_get(n->j, part, "text"));
    bool typed = node_is_string(n->j, weir_json_get(n->j, part, "media_type"));

    *say = part_is(n, part, "audio")
               ? data
               : (data && typed) || (url && link_allowed(n, part)) || (text && part_is(n, part, "document"));
    return *say ? tell_hints(n, part) : canon_lossy_at(n->c, part, "messages", false, n->e);
}

void media_put(struct encoder *n, uint32_t part)
{
    uint32_t data = weir_json_get(n->j, part, "data"), url = weir_json_get(n->j, part, "url");
    struct text type = {.c = n->c}; /* or the data, for a text */

    if (node_is_string(n->j, data)) {
        if (part_is(n, part, "audio"))
            text_lit(&type, "audio/");
        text_str(&type, value(n, part, part_is(n, part, "audio") ? "format" : "media_type"));
        put_inline(n, text_view(&type), node_value(n->c, n->j, data));
    } else if (node_is_string(n->j, url)) {
        put_link(n, part, url);
    } else {
        base64_put(&type, value(n, part, "text"));
        put_inline(n, WEIR_STR("text/plain"), text_view(&type));
    }
}
