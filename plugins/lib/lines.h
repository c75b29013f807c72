/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h -- the texts of an answer that is a file: each string of its lines when they are JSON, else all of it as it stands.
 *
 * For a dialect's `decode`, of a frame without json (weir_request.answer is WEIR_BODY_BYTES).  Emits the events itself.
 */
#ifndef LIB_LINES_H
#define LIB_LINES_H

#include "weir.h"

void lines_emit(struct weir_ctx *, const struct weir_frame *);

#endif
