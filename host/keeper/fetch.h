/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h -- one small HTTP request at a time, waited for: what the keeper asks token servers with.
 *
 * libcurl's ordinary transfers; no redirects, no cookies, no environment's proxy.  Keeper process only.
 */
#ifndef KEEPER_FETCH_H
#define KEEPER_FETCH_H

#include "base/arena.h"

#define FETCH_BODY_MAX (256u << 10)

/* proxy: of https requests; "" none.  ca: PEM file; "" the system's.  What is fetched lies in the arena.  false: there is
 * no answer; the error names the host, never the rest of the URL. */
bool fetch_run(const struct weir_fetch *, const char *proxy, const char *ca, struct arena *, struct weir_fetched *,
               struct weir_error *);

#endif
