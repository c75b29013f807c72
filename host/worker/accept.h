/* SPDX-License-Identifier: Apache-2.0 */
/* accept.h -- which dialect a path belongs to.  Step `accept`, and whoever must know before it. */
#ifndef WORKER_ACCEPT_H
#define WORKER_ACCEPT_H

#include "base/buf.h"
#include "weir.h"

struct instance;
struct request;

/* The row that serves the request's method and path: one that asks for a header which is there, before one that asks for
 * none.  NULL: none does; `allow` (may be NULL) has collected the methods that the path takes.  `dialect` is set also
 * then, when the path is of one. */
const struct weir_path *accept_find(const struct request *, struct instance **dialect, struct buf *allow);

/* Whether the path is part of an API: it begins like one of the paths that a dialect serves. */
bool accept_is_api(const struct request *);

#endif
