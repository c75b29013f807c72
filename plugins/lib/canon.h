/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon.h -- what every dialect does with the canonical request (docs/canonical.md): names of fields in refusals,
 * arguments, ids of calls, opaque reasoning.
 *
 * Hooks `lift` and `encode`, worker process; knows nothing but sdk/weir.h, text.h and walk.h.
 */
#ifndef LIB_CANON_H
#define LIB_CANON_H

#include "walk.h"

/* A field that cannot be said, under the client's name for it.  true: go on without it.  false: the error says so;
 * encode returns WEIR_UNSUPPORTED, lift returns false. */
bool lossy(struct weir_ctx *, struct weir_str field, bool hint, struct weir_error *);

/* encode: the same for a key of the canonical request's top level, when it is there at all. */
bool canon_lossy(struct weir_ctx *, const char *key, bool hint, struct weir_error *);
/* encode: the same for a part, a tool, or anything that has `at`; `what` is the name when it has none. */
bool canon_lossy_at(struct weir_ctx *, uint32_t object, const char *what, bool hint, struct weir_error *);

/* encode: the names of messages, for dialects that have none.  Told once for all, as hints. */
bool canon_names_lossy(struct weir_ctx *, struct weir_error *);

/* encode: a penalty or a bias, which is a hint.  One that is zero, or empty, changes nothing and is not told. */
bool canon_bias_lossy(struct weir_ctx *, const char *key, struct weir_error *);

/* The client's spelling of a top-level key. */
struct weir_str canon_name(struct weir_ctx *, const char *key);

/* encode: the arguments of a call part as the text of one JSON object; "" is {}.  false: they are none, the error names
 * them. */
bool canon_arguments(struct weir_ctx *, uint32_t part, struct weir_str *object, struct weir_error *);

/* An id that the upstream takes: `id` itself when it is 1 to `max` of [A-Za-z0-9_-] (exactly max: `exact`), else
 * letters and digits made of it, always the same for the same id. */
struct weir_str canon_call_id(struct weir_ctx *, struct weir_str id, size_t max, bool exact);

/* The name of the tool that the call `id` in the canonical messages asked for; "" when there is none. */
struct weir_str canon_call_name(struct weir_ctx *, struct weir_str id);

/* "weir:KIND:DATA", for fields that have no room for the kind; and back.  false: not such a mark. */
struct weir_str opaque_mark(struct weir_ctx *, struct weir_str kind, struct weir_str data);
bool opaque_read(struct weir_str mark, struct weir_str *kind, struct weir_str *data);

#endif
