/* SPDX-License-Identifier: Apache-2.0 */
/* lift_parts.c -- the parts of a message's content -> the canonical request; see lift.h. */
#include "lift.h"

#include <strings.h>

/* ---- marks of caching ---- */

/* cache_control {type, ttl} of OpenRouter's and LiteLLM's clients, prompt_cache_breakpoint {mode}. */
void lift_cache(struct lift *l, uint32_t object, uint32_t mark)
{
    uint32_t control = weir_json_get(l->j, object, "cache_control");
    uint32_t point = weir_json_get(l->j, object, "prompt_cache_breakpoint");
    uint32_t ttl;

    if (!weir_json_is(l->j, control, WEIR_JSON_OBJECT))
        control = mark == WEIR_NO_NODE ? mark : weir_json_get(l->j, mark, "cache_control");
    if (!weir_json_is(l->j, control, WEIR_JSON_OBJECT) && !weir_json_is(l->j, point, WEIR_JSON_OBJECT))
        return;
    ttl = weir_json_get(l->j, control, "ttl");
    emit_key(&l->m, "cache");
    emit_open(&l->m, '{');
    if (node_is_string(l->j, ttl))
        emit_member(&l->m, "ttl", l->j, ttl);
    else if (weir_json_is(l->j, point, WEIR_JSON_OBJECT) && l->ttl.len)
        emit_member_text(&l->m, "ttl", l->ttl);
    emit_close(&l->m, '}');
}

/* ---- one part ---- */

static void part_begin(struct lift *l, const char *type)
{
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "type", str_of(type));
}

static bool part_end(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    lift_cache(l, part, mark);
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
    return true;
}

static void lay_text(struct lift *l, const char *type, uint32_t text, uint32_t part, uint32_t mark)
{
    if (!node_is_string(l->j, text) || !l->j->nodes[text].len)
        return;
    part_begin(l, type);
    emit_member(&l->m, "text", l->j, text);
    lift_cache(l, part, mark);
    emit_close(&l->m, '}');
}

/* "data:TYPE;base64,DATA" in its halves.  false: it is no such link. */
static bool data_link(struct weir_str s, struct weir_str *type, struct weir_str *data)
{
    static const char mark[] = ";base64,";
    const char *comma = memchr(s.ptr, ',', s.len);
    size_t n = sizeof mark - 1, head = comma ? (size_t)(comma + 1 - s.ptr) : 0;
    const char *semicolon;

    if (head < 5 + n || strncasecmp(s.ptr, "data:", 5) != 0 || strncasecmp(s.ptr + head - n, mark, n) != 0)
        return false;
    *type = (struct weir_str){s.ptr + 5, head - n - 5};
    semicolon = memchr(type->ptr, ';', type->len); /* parameters of the type: charset, name */
    if (semicolon)
        type->len = (size_t)(semicolon - type->ptr);
    *data = (struct weir_str){s.ptr + head, s.len - head};
    return true;
}

static void lay_link(struct lift *l, struct weir_str link)
{
    struct weir_str type, data;

    if (!data_link(link, &type, &data)) {
        emit_member_text(&l->m, "url", link);
        return;
    }
    emit_member_text(&l->m, "data", data);
    emit_member_text(&l->m, "media_type", type);
}

static bool part_image(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    static const char *const known[] = {"url", "detail", NULL};
    uint32_t image = weir_json_get(l->j, part, "image_url"), url = weir_json_get(l->j, image, "url");

    if (node_is_string(l->j, image))
        url = image;
    if (!node_is_string(l->j, url))
        return lift_invalid(l, at, "expected an image_url with a url.");
    part_begin(l, "image");
    lay_link(l, node_value(l->c, l->j, url));
    emit_member(&l->m, "detail", l->j, weir_json_get(l->j, image, "detail"));
    return part_end(l, part, mark, at) && lift_rest(l, image, known, lift_at(l->c, at, "image_url"));
}

static bool part_video(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    static const char *const known[] = {"url", NULL};
    uint32_t video = weir_json_get(l->j, part, "video_url"), url = weir_json_get(l->j, video, "url");

    if (!node_is_string(l->j, url))
        return lift_invalid(l, at, "expected a video_url with a url.");
    part_begin(l, "video");
    lay_link(l, node_value(l->c, l->j, url));
    return part_end(l, part, mark, at) && lift_rest(l, video, known, lift_at(l->c, at, "video_url"));
}

static bool part_audio(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    static const char *const known[] = {"data", "format", NULL};
    uint32_t audio = weir_json_get(l->j, part, "input_audio");

    if (!node_is_string(l->j, weir_json_get(l->j, audio, "data")))
        return lift_invalid(l, at, "expected an input_audio with data.");
    part_begin(l, "audio");
    emit_member(&l->m, "data", l->j, weir_json_get(l->j, audio, "data"));
    emit_member(&l->m, "format", l->j, weir_json_get(l->j, audio, "format"));
    return part_end(l, part, mark, at) && lift_rest(l, audio, known, lift_at(l->c, at, "input_audio"));
}

/* Some clients put a plain URL, or base64 without its type, where a data: URL belongs. */
static void lay_file_data(struct lift *l, struct weir_str link)
{
    if (str_starts(link, "http://") || str_starts(link, "https://") || str_starts(link, "data:")) {
        lay_link(l, link);
        return;
    }
    emit_member_text(&l->m, "data", link);
    emit_member_lit(&l->m, "media_type", "application/pdf");
}

static bool part_file(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    static const char *const known[] = {"file_data", "filename", "file_id", NULL};
    uint32_t file = weir_json_get(l->j, part, "file"), id = weir_json_get(l->j, file, "file_id");
    struct weir_str link = get_value(l->c, l->j, file, "file_data");

    if (!link.len && !node_is_string(l->j, id))
        return lift_invalid(l, at, "expected a file with file_data or file_id.");
    part_begin(l, "document");
    if (link.len)
        lay_file_data(l, link);
    else
        emit_member(&l->m, "file", l->j, id);
    emit_member(&l->m, "name", l->j, weir_json_get(l->j, file, "filename"));
    return part_end(l, part, mark, at) && lift_rest(l, file, known, lift_at(l->c, at, "file"));
}

/* Mistral's: a link, to data or elsewhere, and a name beside it. */
static bool part_link(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    struct weir_str link = get_value(l->c, l->j, part, "document_url");
    uint32_t name = weir_json_get(l->j, part, "document_name");

    if (!link.len)
        return lift_invalid(l, at, "expected a document_url.");
    part_begin(l, "document");
    lay_link(l, link);
    emit_member(&l->m, "name", l->j, name);
    return part_end(l, part, mark, at);
}

static bool part_text(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    (void)at;
    lay_text(l, "text", weir_json_get(l->j, part, "text"), part, mark);
    return true;
}

static bool part_refusal(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    (void)at;
    lay_text(l, "refusal", weir_json_get(l->j, part, "refusal"), part, mark);
    return true;
}

/* Mistral's. */
static bool part_thinking(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    uint32_t thinking = weir_json_get(l->j, part, "thinking");

    (void)mark;
    (void)at;
    lay_text(l, "reasoning", thinking, WEIR_NO_NODE, WEIR_NO_NODE);
    for (EACH_ITEM(l->j, n, thinking))
        lay_text(l, "reasoning", weir_json_get(l->j, n, "text"), WEIR_NO_NODE, WEIR_NO_NODE);
    return true;
}

static bool part_other(struct lift *l, uint32_t part, struct weir_str at)
{
    uint32_t type = weir_json_get(l->j, part, "type");

    if (!node_is_string(l->j, type))
        return lift_invalid(l, at, "expected a part with a type.");
    part_begin(l, "other");
    emit_member(&l->m, "name", l->j, type);
    emit_member(&l->m, "raw", l->j, part);
    emit_member_text(&l->m, "at", at);
    emit_close(&l->m, '}');
    return true;
}

static bool lift_part(struct lift *l, uint32_t part, uint32_t mark, struct weir_str at)
{
    static const struct {
        const char *type;
        bool (*how)(struct lift *, uint32_t, uint32_t, struct weir_str);
        const char *key;
    } types[] = {
        {"text", part_text, "text"},
        {"image_url", part_image, "image_url"},
        {"file", part_file, "file"},
        {"document_url", part_link, "document_url"},
        {"input_audio", part_audio, "input_audio"},
        {"video_url", part_video, "video_url"},
        {"refusal", part_refusal, "refusal"},
        {"thinking", part_thinking, "thinking"},
    };
    const char *known[] = {"type", "cache_control", "prompt_cache_breakpoint", "", "", NULL};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!node_says(l->j, weir_json_get(l->j, part, "type"), types[i].type))
            continue;
        known[3] = types[i].key;
        known[4] = types[i].how == part_link ? "document_name" : "type";
        return types[i].how(l, part, mark, at) && lift_rest(l, part, known, at);
    }
    return part_other(l, part, at);
}

bool lift_content(struct lift *l, uint32_t content, struct weir_str at, uint32_t mark)
{
    struct weir_str base = lift_at(l->c, at, "content");
    uint32_t i = 0;

    if (node_is_string(l->j, content))
        lay_text(l, "text", content, WEIR_NO_NODE, mark);
    for (EACH_ITEM(l->j, part, content)) {
        bool newest = weir_json_next(l->j, content, part) == WEIR_NO_NODE;
        uint32_t whole = newest ? mark : WEIR_NO_NODE;
        if (node_is_string(l->j, part))
            lay_text(l, "text", part, WEIR_NO_NODE, whole);
        else if (!lift_part(l, part, whole, lift_item(l->c, base, i)))
            return false;
        i++;
    }
    return true;
}
