/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt.h -- one send of a request to one endpoint: step `try`, and what becomes of a failed one.
 *
 * As long as the client has not got a byte, a failure that another endpoint may not have leads to the next candidate
 * (back to step `open`); afterwards, and with the last one, the client is told.
 */
#ifndef WORKER_ATTEMPT_H
#define WORKER_ATTEMPT_H

#include "base/buf.h"
#include "weir.h"
#include "worker/request.h"
#include "worker/spans.h"

struct weir_http {                           /* what `encode` fills */
    struct request *r;
    struct ctx *ctx;
    const char *method;
    struct weir_str url;
    struct buf lines;                        /* "name: value\r\n" each */
    struct splice *splices; size_t splice_count, splice_cap;
    struct weir_str body; bool own_body;     /* replaces the client's */
    bool typed;                              /* content-type is among the lines */
    bool enveloped;                          /* see weir_host.http_enveloped */
    bool bad;                                /* a service was misused: nothing is sent */
};

void http_target(struct weir_http *, const char *method, struct weir_str url);
void http_header(struct weir_http *, const char *name, struct weir_str value);
void http_splice(struct weir_http *, uint32_t at, uint32_t len, struct weir_str with);
void http_body(struct weir_http *, struct weir_str);
void http_enveloped(struct weir_http *);

/* weir_credential(): what the vault has for the provider at hand; ptr NULL: nothing now. */
struct weir_str attempt_credential(struct request *);
/* The provider's `encode` was waiting. */
void attempt_resumed(struct request *, enum weir_verdict);
/* The attempt has failed: on to the next candidate, or to `close` with an error for the client.  `why` is for log and record. */
void attempt_failed(struct request *, enum outcome, int status, const char *code, const char *text, const char *why);
/* What is left of the attempt before: freed from a clean stack by the next step. */
void attempt_clear(struct request *);

#endif
