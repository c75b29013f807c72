/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h -- a client's body that is multipart/form-data: where it waits while it arrives, how dialects and guardrails see
 * it, and how their edits come back into it.
 *
 * Its bytes go through unchanged but for what is edited.  Up to form_memory they are held in memory, beyond that in a file
 * without a name under `state`, of which only the pages being read or sent are in memory.  Dialects see a JSON object that
 * describes it (weir_request.form in sdk/weir.h); a row of the map says which bytes of the form a piece of that object is.
 * Called by client.c (arriving), accept.c (description), attempt.c (sending).
 */
#ifndef WORKER_FORM_H
#define WORKER_FORM_H

#include "base/form.h"
#include "worker/request.h"
#include "worker/spans.h"

struct form {
    struct form_reader reader;
    uint64_t limit;                          /* max_form, or less for who may send nothing */
    int fd;                                  /* -1: in r->body */
    void *map; size_t map_len;               /* of the file, once the form is whole */
    bool broken;                             /* no form after all: the reader's `why` */
    struct buf json;
    struct form_row { enum { ROW_VALUE, ROW_NAME, ROW_JSON } kind; size_t at, len; uint64_t form_at, form_len; } *rows;
    size_t row_count, row_cap;
};

/* The head has come: makes r->form when the path takes forms and this is one. */
void form_begin(struct request *);
/* Bytes of the body.  false: no room for them. */
bool form_take(struct request *, struct weir_str bytes);
void form_free(struct request *);

/* The body is whole: r->json describes it, r->unseen counts what cannot be read.  false: 400. */
bool form_describe(struct request *, struct weir_error *);
/* The bytes of the body, form or not. */
struct weir_str request_body(const struct request *);
/* UTF-8 without control characters but those of text. */
bool text_is_plain(struct request *, struct weir_str);
/* Splices of the description become splices of the form, in place.  false: they cannot. */
bool form_splices(struct request *, struct splice *, size_t n);

#endif
