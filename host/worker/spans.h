/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.h -- the texts inside a client's body: declared by its dialect, seen and edited by stages, spliced when sent.
 *
 * Nothing is unescaped before a stage looks.  An edit never touches the client's bytes: it becomes a splice.
 */
#ifndef WORKER_SPANS_H
#define WORKER_SPANS_H

#include "worker/request.h"

void spans_add(struct request *, uint32_t node, enum weir_where, enum weir_form, uint32_t message, uint32_t part);
const struct span *spans_all(struct request *, size_t *n);
/* false: the range does not exist. */
bool spans_edit(struct request *, size_t index, size_t from, size_t to, struct weir_str with);

/* The stages' edits as splices of the body, in the arena; returns how many. */
size_t spans_splices(struct request *, struct splice **);

/* The body with all splices done: pieces for writev, in the arena.  Overlapping splices are a defect of who made them:
 * false. */
struct iovec;
bool splices_apply(struct arena *, struct weir_str body, struct splice *, size_t n, struct iovec **, size_t *pieces,
                   size_t *length);

#endif
