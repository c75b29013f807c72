/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h -- is this something that a connection can be made to?  The configuration asks early, the connector again.
 *
 * Stricter than libcurl, so that no two parsers read an address in two ways.
 */
#ifndef NET_TARGET_H
#define NET_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "weir.h"

#define TARGET_URL_MAX 300

/* Writes "http://host:port/" for libcurl.  false when `host` is neither a name of letters, digits, `-`, `_` and dots
 * nor an address (IPv6 without brackets and zone), or `port` is 0. */
bool target_url(char url[TARGET_URL_MAX], const char *host, uint16_t port);

/* false and the error when `proxy` is not of the form http://[user:password@]host[:port] (port 80 by default). */
bool target_proxy_ok(const char *proxy, struct weir_error *);

#endif
