/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dead.h -- dead letters: what a sink refused for good, kept in STATE/dead/NAME.jsonl, one line each:
 *   {"seq":12,"why":"...","record":{...}}      or, of what is no record, {"seq":12,"why":"...","text":"..."}
 */
#ifndef RECORDER_DEAD_H
#define RECORDER_DEAD_H

#include "weir.h"

/* Durable when it returns true.  `json` of a record that could not be read is written as text. */
bool dead_write(const char *state, const char *name, const struct weir_record *, size_t n, const char *why,
                struct weir_error *);
bool dead_write_text(const char *state, const char *name, uint64_t seq, struct weir_str text, struct weir_error *);

#endif
