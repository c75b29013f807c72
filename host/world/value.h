/* SPDX-License-Identifier: Apache-2.0 */
/* value.h -- numbers as people type them in a configuration: "5s", "64k", "60 / minute"; pure. */
#ifndef WORLD_VALUE_H
#define WORLD_VALUE_H

#include "base/buf.h"
#include "weir.h"

/* A whole number with the unit's suffix or none; false: it is none, or does not fit. */
bool value_number(const char *text, enum weir_unit, int64_t *out);
bool value_real(const char *text, double *out);
/* "N / UNIT" or "N / M UNIT", of seconds, minutes, hours or days. */
bool value_rate(const char *text, int64_t *n, int64_t *period_us);
/* "ADDR:PORT", "[V6]:PORT" or "localhost:PORT", address and port in numbers.  `loopback` (may be NULL): nobody
 * outside this machine can reach it. */
struct sockaddr_storage;
bool value_address(const char *text, struct sockaddr_storage *, size_t *length, bool *loopback);

void value_print(struct buf *, enum weir_unit, int64_t);     /* the shortest way to type it */
const char *value_shape(enum weir_type, enum weir_unit);     /* how it is typed: `a time such as "5s"` */

#endif
