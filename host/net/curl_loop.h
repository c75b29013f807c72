/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_loop.h -- libcurl's multi interface on our event loop.
 *
 * Used by the connector, and by whoever makes ordinary transfers with libcurl in a process that has a loop.
 */
#ifndef NET_CURL_LOOP_H
#define NET_CURL_LOOP_H

#include <curl/curl.h>

#include "net/loop.h"

struct curl_loop {
    struct loop *loop;
    CURLM *multi;                            /* the owner adds and removes handles */
    struct loop_timer timer;                 /* libcurl's next deadline */
    struct loop_task kick;                   /* ... when it is now */
    /* A transfer is over.  Never called from inside a call into libcurl; may add and remove any handle, and must remove
     * this one. */
    void (*done)(struct curl_loop *, CURL *, CURLcode);
};

void curl_loop_init(struct curl_loop *, struct loop *, void (*done)(struct curl_loop *, CURL *, CURLcode));
void curl_loop_fini(struct curl_loop *);     /* all handles have been removed; not from inside `done` */

#endif
