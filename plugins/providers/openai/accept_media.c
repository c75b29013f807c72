/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept_media.c -- what is no chat: images, speech, transcriptions, files, uploads and batches, as JSON or as forms.
 * Of a form the host shows the same JSON (weir_request.form), so that one table serves both.  Called by accept.c.
 */
#include "openai.h"

#include <stdio.h>

#include "openai_fault.h"
#include "rest.h"
#include "unserved.h"
#include "walk.h"
#include "fields.h"

static WALK_READ(read_flag);
static WALK_READ(read_lines);
static WALK_READ(read_purpose);

static const struct field media_file_fields[] = {
    FIELD_AS("filename", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD("content_type", IS_STRING, walk_word),
    FIELD("bytes", IS_NUMBER, NULL),
    FIELD_AS("text", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD_AS("lines", IS_ARRAY, read_lines, WEIR_DOCUMENT),
    FIELD("file_id", IS_STRING, walk_word),
    FIELD_AS("image_url", IS_STRING, walk_link, WEIR_DOCUMENT),
    FIELDS_END,
};
static const struct field media_image_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELD_AS("prompt", IS_STRING, walk_text, WEIR_USER),
    FIELDS("image", IS_OBJECT | IS_ARRAY | IS_STRING, walk_each, media_file_fields),
    FIELDS("image[]", IS_OBJECT | IS_ARRAY, walk_each, media_file_fields),
    FIELDS("images", IS_OBJECT | IS_ARRAY, walk_each, media_file_fields),
    FIELDS("mask", IS_OBJECT, walk_each, media_file_fields),
    FIELD("stream", IS_ANY, read_flag),
    FIELD("n", IS_ANY, walk_word),
    FIELD("size", IS_ANY, walk_word),
    FIELD("quality", IS_ANY, walk_word),
    FIELD("style", IS_ANY, walk_word),
    FIELD("background", IS_ANY, walk_word),
    FIELD("moderation", IS_ANY, walk_word),
    FIELD("input_fidelity", IS_ANY, walk_word),
    FIELD("output_format", IS_ANY, walk_word),
    FIELD("response_format", IS_ANY, walk_word),
    FIELD("user", IS_STRING | IS_NULL, walk_text),
    FIELDS_END,
};
static const struct field speech_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELD_AS("input", IS_STRING | MUST, walk_text, WEIR_USER),
    FIELD_AS("instructions", IS_STRING | IS_NULL, walk_text, WEIR_SYSTEM),
    FIELD("voice", IS_ANY, walk_word),
    FIELD("response_format", IS_ANY, walk_word),
    FIELD("stream_format", IS_ANY, walk_word),
    FIELDS_END,
};
static const struct field media_audio_fields[] = {FIELD("data", IS_STRING, NULL), FIELD("format", IS_ANY, walk_word),
                                                  FIELDS_END};
static const struct field transcription_fields[] = {
    FIELD("model", IS_STRING | MUST, walk_model),
    FIELDS("file", IS_OBJECT, walk_each, media_file_fields),
    FIELDS("input_audio", IS_OBJECT, walk_each, media_audio_fields),
    FIELD_AS("prompt", IS_STRING | IS_NULL, walk_text, WEIR_SYSTEM),
    FIELD("stream", IS_ANY, read_flag),
    FIELD("language", IS_ANY, walk_word),
    FIELD("response_format", IS_ANY, walk_word),
    FIELD("known_speaker_references[]", IS_ANY, walk_link),
    FIELDS_END,
};
static const struct field stored_fields[] = {
    FIELD("purpose", IS_STRING | MUST, read_purpose),
    FIELDS("file", IS_OBJECT, walk_each, media_file_fields),
    FIELDS_END,
};
static const struct field upload_part_fields[] = {FIELDS("data", IS_OBJECT | MUST, walk_each, media_file_fields),
                                                  FIELDS_END};
static const struct field kept_other_fields[] = {
    FIELD("input_file_id", IS_STRING, walk_word),
    FIELD("endpoint", IS_STRING, walk_word),
    FIELD("completion_window", IS_STRING, walk_word),
    FIELD("part_ids", IS_ARRAY, walk_word),
    FIELD("md5", IS_STRING, walk_word),
    FIELDS_END,
};

/* ---- reads ---- */

/* In a form it is a word. */
static bool read_flag(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    w->r->stream = node_true(w->j, value) || node_says(w->j, value, "true");
    return walk_word(w, f, value, p);
}

static bool media_refuse(struct walk *w, const char *code, const char *field, const char *text)
{
    snprintf(w->e->code, sizeof w->e->code, "%s", code);
    snprintf(w->e->field, sizeof w->e->field, "%s", field);
    snprintf(w->e->text, sizeof w->e->text, "%s", text);
    return false;
}

static bool is_batch(const struct walk *w)
{
    return node_says(w->j, weir_json_get(w->j, 0, "purpose"), "batch");
}

/* One request of a batch.  Keys that a laxer reader takes for ours would hide a model. */
static bool read_line(struct walk *w, uint32_t line)
{
    static const char *const line_keys[] = {"custom_id", "method", "url", "body", NULL};
    static const char *const body_keys[] = {"model", NULL};
    uint32_t body = weir_json_get(w->j, line, "body"), model = weir_json_get(w->j, body, "model");

    if (weir_json_strict(w->j, line, line_keys) != WEIR_NO_NODE ||
        weir_json_strict(w->j, body, body_keys) != WEIR_NO_NODE || !node_is_string(w->j, model) ||
        !w->j->nodes[model].len)
        return media_refuse(
            w, "invalid_batch", "file",
            "Each line of a batch must be an object with a `body` that names its `model`, spelled plainly.");
    weir_model(w->c, model);
    return true;
}

static bool read_lines(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    for (EACH_ITEM(w->j, line, value))
        if (is_batch(w) && !read_line(w, line))
            return false;
    return walk_text(w, f, value, p);
}

/* A batch is read line by line or not sent: who may use which model, and what guardrails say, counts for each line. */
static bool read_purpose(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    uint32_t file = weir_json_get(w->j, 0, "file");

    if (is_batch(w) && w->r->kind == WEIR_UPLOAD)
        return media_refuse(
            w, "batch_unreadable", "purpose",
            "The parts of an upload cannot be read as a batch here; send the file whole, with POST /v1/files.");
    if (is_batch(w) && weir_json_get(w->j, file, "lines") == WEIR_NO_NODE)
        return media_refuse(
            w, "batch_unreadable", "file",
            "The file of a batch must hold one JSON object in each line, and be no larger than max_body.");
    return walk_word(w, f, value, p);
}

/* ---- paths ---- */

static const struct rest openai_rest[] = {
    {"GET", "/v1/files"},
    {"POST", "/v1/files"},
    {"GET", "/v1/files/*"},
    {"DELETE", "/v1/files/*"},
    {"GET", "/v1/files/*/content"},
    {"POST", "/v1/uploads"},
    {"POST", "/v1/uploads/*/parts"},
    {"POST", "/v1/uploads/*/complete"},
    {"POST", "/v1/uploads/*/cancel"},
    {"GET", "/v1/batches"},
    {"POST", "/v1/batches"},
    {"GET", "/v1/batches/*"},
    {"POST", "/v1/batches/*/cancel"},
    {NULL, NULL},
};
static const struct unserved openai_rest_unserved[] = {
    {NULL, "This is no path of files, uploads or batches that is passed on."},
};

static const struct field *kept_fields(const struct weir_request *r)
{
    if (str_is(r->path, "/v1/files") || str_is(r->path, "/v1/uploads"))
        return stored_fields;
    return r->kind == WEIR_UPLOAD && r->form ? upload_part_fields : kept_other_fields;
}

static bool accept_kept(struct walk *w)
{
    struct weir_request *r = w->r;
    bool may_be_bare =
        !str_is(r->path, "/v1/files") && !str_is(r->path, "/v1/uploads") && !str_is(r->path, "/v1/batches");

    if (!rest_known(r, openai_rest)) {
        r->kind = WEIR_UNSERVED;
        return unserved_refuse(r, openai_rest_unserved, w->e);
    }
    if (r->kind == WEIR_FILE && rest_is(r->path, "/v1/files/*/content"))
        r->answer = WEIR_BODY_BYTES;
    if (!str_is(r->method, "POST") || (may_be_bare && !weir_body(w->c)))
        return true;
    return walk_begin(w) && walk_object(w, 0, kept_fields(r), NULL);
}

bool openai_accept_media(struct walk *w)
{
    struct weir_request *r = w->r;
    const struct field *fields = r->kind == WEIR_SPEECH                                         ? speech_fields
                                 : r->kind == WEIR_TRANSCRIPTION || r->kind == WEIR_TRANSLATION ? transcription_fields
                                                                                                : media_image_fields;

    r->usage_asked = true; /* nothing is to be asked for in these streams, nor to be hidden */
    if (r->kind >= WEIR_FILE)
        return accept_kept(w);
    r->answer = fields == speech_fields          ? WEIR_BODY_BYTES
                : fields == transcription_fields ? WEIR_BODY_TYPED
                                                 : WEIR_BODY_JSON;
    if (!walk_begin(w) || !walk_object(w, 0, fields, NULL))
        return false;
    if (fields == speech_fields)
        r->stream = node_says(w->j, weir_json_get(w->j, 0, "stream_format"), "sse");
    return true;
}
