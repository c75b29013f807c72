/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h -- what the hook `credential` reads its credentials from: files, the environment, answers of token servers.
 *
 * Keeper process: it may block.  Errors name places, never values.  Knows nothing but sdk/weir.h, text.h and walk.h.
 */
#ifndef LIB_SOURCE_H
#define LIB_SOURCE_H

#include "walk.h"

#define SOURCE_FILE_MAX (64u << 10)

/* The whole of a file, ended by 0.  false: the error says why; `*absent` (may be NULL): there is none. */
bool source_file(struct weir_ctx *, const char *path, struct weir_str *, bool *absent, struct weir_error *);
/* A variable of the environment; "" when it is not set. */
const char *source_env(const char *name);
/* Without blanks and line ends at both ends. */
struct weir_str source_trim(struct weir_str);
/* One line that may stand in a header or a URL's query: no control characters, no blanks, not empty. */
bool source_is_token(struct weir_str);

/* "2026-11-25T14:00:00Z", with or without a fraction or an offset -> seconds, Unix; -1: it is none. */
int64_t source_time(struct weir_str);
/* fact "time" */
int64_t source_now(struct weir_ctx *);

/* An answer with status 200 whose body is a JSON object; NULL and the error, which says `what` failed and, when the
 * server says an error's short code, that. */
const struct weir_json *source_json(struct weir_ctx *, const struct weir_fetched *, const char *what,
                                    struct weir_error *);
/* As source_json() does it, for a status that is not 200. */
bool source_refused(struct weir_ctx *, const struct weir_fetched *, const char *what, struct weir_error *);

/* e->text as printf says it, and false. */
__attribute__((format(printf, 2, 3))) bool source_fail(struct weir_error *, const char *fmt, ...);

/* NUL-ended, as long as the ctx's memory. */
__attribute__((format(printf, 2, 3))) char *source_print(struct weir_ctx *, const char *fmt, ...);

#endif
