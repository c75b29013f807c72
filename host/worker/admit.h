/* SPDX-License-Identifier: Apache-2.0 */
/* admit.h -- step `admit`: who calls, and whether they may call now. */
#ifndef WORKER_ADMIT_H
#define WORKER_ADMIT_H

struct key;
struct request;

/* The key that came with the request, when it is one of ours and may be used; else NULL.  Only looks: nothing is counted
 * against its limits. */
const struct key *admit_key(const struct request *);

#endif
