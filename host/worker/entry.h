/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h -- a request's entries in the journal: `open` before data leaves, `close` for each open, `deny` for a refusal; and
 * what it did to the metrics.  Steps `open` and `close`.
 *
 * Each refusal by weir of a request to the API, from its head on, leaves one `deny`.  What breaks HTTP is no request and leaves
 * none.
 */
#ifndef WORKER_ENTRY_H
#define WORKER_ENTRY_H

struct request;
struct worker;

/* The `close` of the attempt at hand, with the request's outcome.  Does nothing when none is open. */
void entry_close(struct request *);

/* The recorder has made records durable: strict requests that waited for it go on. */
void entry_durable(struct worker *);

/* The request no longer waits for that. */
void entry_forget(struct request *);

#endif
