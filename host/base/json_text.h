/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.h -- between the raw text of a JSON string (escapes as sent, no quotes) and its value.
 *
 * Values are UTF-8, but half a surrogate pair that came as an escape is kept as its three bytes (ED A0 80 ... ED BF BF,
 * "WTF-8"), and is written as an escape again: nothing is lost on the way through.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends the value as raw text: the short escapes, \u00XX for other controls, \udXXX for half pairs; all else as it
 * is. */
void json_escape(struct buf *, struct weir_str value);
/* The same twice: for a string inside JSON that is itself inside a string. */
void json_escape_twice(struct buf *, struct weir_str value);

/* The value of raw text.  The same pointer when nothing is escaped.  Text that was never skimmed is safe too: a
 * backslash that begins no escape is kept as it is. */
struct weir_str json_unescape(struct arena *, struct weir_str raw);
void json_unescape_to(struct buf *, struct weir_str raw);

/* At a backslash of skimmed text, its string's closing quote still behind it: bytes of the escape (2, 6, or 12 for a
 * surrogate pair), and bytes of its value. */
size_t json_escape_length(const char *raw);
size_t json_escape_width(const char *raw);

#endif
