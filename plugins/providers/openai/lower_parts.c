/* SPDX-License-Identifier: Apache-2.0 */
/* lower_parts.c -- the parts of a message as OpenAI's chat has them, or as Mistral's has; see lower.h. */
#include "lower.h"

/* ---- parts ---- */

/* `marked`: whose mark of caching it has. */
bool lower_text_of(struct lower *w, struct weir_str text, uint32_t marked)
{
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "text");
    emit_member_text(&w->m, "text", text);
    if (!lower_cache(w, marked))
        return false;
    emit_close(&w->m, '}');
    return true;
}

bool lower_text(struct lower *w, uint32_t part)
{
    return lower_text_of(w, get_value(w->c, w->j, part, "text"), part);
}

static void say_link(struct lower *w, const char *key, uint32_t part)
{
    struct text t = {.c = w->c};

    if (node_is_string(w->j, part_get(w, part, "url"))) {
        emit_member(&w->m, key, w->j, part_get(w, part, "url"));
        return;
    }
    text_lit(&t, "data:");
    text_str(&t, get_value(w->c, w->j, part, "media_type"));
    text_lit(&t, ";base64,");
    text_str(&t, get_value(w->c, w->j, part, "data"));
    emit_member_text(&w->m, key, text_view(&t));
}

static bool say_picture(struct lower *w, uint32_t part, const char *type)
{
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "type", str_of(type));
    if (lower_is_mistral(w) && !node_there(w->j, part_get(w, part, "detail"))) {
        say_link(w, type, part); /* its older models want a string */
    } else {
        emit_key(&w->m, type);
        emit_open(&w->m, '{');
        say_link(w, "url", part);
        emit_member(&w->m, "detail", w->j, part_get(w, part, "detail"));
        emit_close(&w->m, '}');
    }
    if (!lower_cache(w, part))
        return false;
    emit_close(&w->m, '}');
    return true;
}

static bool say_document(struct lower *w, uint32_t part)
{
    if (node_there(w->j, part_get(w, part, "context")) && !canon_lossy_at(w->c, part, "context", true, w->e))
        return false;
    if (node_true(w->j, part_get(w, part, "citations")) && !canon_lossy_at(w->c, part, "citations", true, w->e))
        return false;
    if (node_is_string(w->j, part_get(w, part, "text")))
        return lower_text(w, part);
    emit_open(&w->m, '{');
    if (lower_is_mistral(w)) {
        emit_member_lit(&w->m, "type", "document_url");
        say_link(w, "document_url", part);
        emit_member(&w->m, "document_name", w->j, part_get(w, part, "name"));
        emit_close(&w->m, '}');
        return lower_cache(w, part);
    }
    emit_member_lit(&w->m, "type", "file");
    emit_key(&w->m, "file");
    emit_open(&w->m, '{');
    if (node_there(w->j, part_get(w, part, "name")))
        emit_member(&w->m, "filename", w->j, part_get(w, part, "name"));
    else
        emit_member_lit(&w->m, "filename", "document.pdf"); /* demanded beside data */
    say_link(w, "file_data", part);
    emit_close(&w->m, '}');
    if (!lower_cache(w, part))
        return false;
    emit_close(&w->m, '}');
    return true;
}

static bool say_audio(struct lower *w, uint32_t part)
{
    emit_open(&w->m, '{');
    emit_member_lit(&w->m, "type", "input_audio");
    if (lower_is_mistral(w)) { /* it looks itself which format that is */
        emit_member(&w->m, "input_audio", w->j, part_get(w, part, "data"));
        emit_close(&w->m, '}');
        return true;
    }
    emit_key(&w->m, "input_audio");
    emit_open(&w->m, '{');
    emit_member(&w->m, "data", w->j, part_get(w, part, "data"));
    emit_member(&w->m, "format", w->j, part_get(w, part, "format"));
    emit_close(&w->m, '}');
    emit_close(&w->m, '}');
    return true;
}

/* A part that the server cannot have is told; nothing stands for it. */
bool lower_part(struct lower *w, uint32_t part)
{
    bool file = node_there(w->j, part_get(w, part, "file")), url = node_there(w->j, part_get(w, part, "url"));

    if (part_is(w, part, "text") || part_is(w, part, "refusal"))
        return lower_text(w, part);
    if (part_is(w, part, "image") && !file)
        return say_picture(w, part, "image_url");
    if (part_is(w, part, "document") && !file && (!url || lower_is_mistral(w) || openai_takes(w->o, "file_url")))
        return say_document(w, part);
    if (part_is(w, part, "audio"))
        return say_audio(w, part);
    if (part_is(w, part, "video") && openai_takes(w->o, "video"))
        return say_picture(w, part, "video_url");
    return canon_lossy_at(w->c, part, "content", false, w->e);
}
