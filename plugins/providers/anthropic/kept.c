/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.c -- files and batches, which the provider keeps: what of them is read, and where it is sent.  Called by
 * accept.c and encode.c.
 */
#include "anthropic.h"

#include <stdio.h>

#include "fields.h"
#include "rest.h"
#include "unserved.h"

static WALK_READ(read_params);

static const struct field kept_file_fields[] = {
    FIELD_AS("filename", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD("content_type", IS_STRING, walk_word),
    FIELD("bytes", IS_NUMBER, NULL),
    FIELD_AS("text", IS_STRING, walk_text, WEIR_DOCUMENT),
    FIELD_AS("lines", IS_ARRAY, walk_text, WEIR_DOCUMENT),
    FIELDS_END,
};
static const struct field kept_upload_fields[] = {FIELDS("file", IS_OBJECT | MUST, walk_each, kept_file_fields),
                                                  FIELDS_END};
static const struct field kept_request_fields[] = {
    FIELD("params", IS_OBJECT | MUST, read_params),
    FIELD("custom_id", IS_STRING, walk_word),
    FIELDS_END,
};
static const struct field kept_batch_fields[] = {FIELDS("requests", IS_ARRAY | MUST, walk_each, kept_request_fields),
                                                 FIELDS_END};

/* One request of a batch: its model is one of many. */
static bool read_params(struct walk *w, const struct field *f, uint32_t value, const struct path *p)
{
    struct weir_request before = *w->r;
    bool ok = accept_message(w, value, p);

    (void)f;
    *w->r = before;
    w->message = w->part = 0;
    if (ok)
        weir_model(w->c, weir_json_get(w->j, value, "model"));
    return ok;
}

/* ---- paths ---- */

#define BATCHES "/v1/messages/batches"

static const struct rest kept_paths[] = {
    {"GET", "/v1/files"},
    {"POST", "/v1/files"},
    {"GET", "/v1/files/*"},
    {"DELETE", "/v1/files/*"},
    {"GET", "/v1/files/*/content"},
    {"GET", BATCHES},
    {"POST", BATCHES},
    {"GET", BATCHES "/*"},
    {"DELETE", BATCHES "/*"},
    {"GET", BATCHES "/*/results"},
    {"POST", BATCHES "/*/cancel"},
    {NULL, NULL},
};
static const struct unserved kept_unserved[] = {{NULL, "This is no path of files or batches that is passed on."}};

bool kept_accept(struct walk *w)
{
    struct weir_request *r = w->r;

    if (!rest_known(r, kept_paths)) {
        r->kind = WEIR_UNSERVED;
        return unserved_refuse(r, kept_unserved, w->e);
    }
    if (rest_is(r->path, "/v1/files/*/content") || rest_is(r->path, BATCHES "/*/results"))
        r->answer = WEIR_BODY_BYTES;
    if (!str_is(r->method, "POST"))
        return true;
    if (rest_is(r->path, BATCHES "/*/cancel")) {
        w->j = weir_body(w->c);
        w->where = WEIR_OTHER;
        return !w->j || walk_text(w, NULL, 0, NULL);
    }
    return walk_begin(w) && walk_object(w, 0, r->kind == WEIR_BATCH ? kept_batch_fields : kept_upload_fields, NULL);
}

const char *kept_method(const struct weir_request *r)
{
    return str_is(r->method, "GET") ? "GET" : str_is(r->method, "DELETE") ? "DELETE" : "POST";
}

void kept_target(struct text *t, const struct weir_request *r)
{
    text_str(t, str_behind(r->path, "/v1"));
    if (r->query.len) {
        text_lit(t, "?");
        text_str(t, r->query);
    }
}
