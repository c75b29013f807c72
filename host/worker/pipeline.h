/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h -- the life of a request as one table, and the code that walks it.
 *
 * Each row is a step: its name (also in logs, metrics and docs/pipeline.md), the file that does it, what it does, and
 * the statuses with which it may refuse.  A step is a function `step_<name>(request)` that says NEXT, WAIT or END.
 */
#ifndef WORKER_PIPELINE_H
#define WORKER_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

struct request;

#define PIPELINE(X)                                                                                                        \
    X(accept, "accept.c",  "finds the dialect by the path, skims the body, lets the dialect read it",      "400 404 405 415") \
    X(admit,  "admit.c",   "who calls: virtual key, its rate and its concurrency",                         "401 403 429")     \
    X(route,  "select.c",  "candidates: the providers that serve the model and that this key may use",     "403 404")         \
    X(ask,    "stages.c",  "on_request of each stage, in order; edits freeze afterwards",                  "403")             \
    X(pick,   "stages.c",  "on_route of each stage, then the order of the candidates",                     "403")             \
    X(open,   "entry.c",   "journal `open`; strict: waits until it is durable",                            "503")             \
    X(try,    "attempt.c", "encode, send to the upstream, wait for its answer's head; or the next candidate", "400 502 503 504") \
    X(stream, "answer.c",  "frames -> events -> on_event of each stage -> the client, with back-pressure", "403 502")         \
    X(check,  "stages.c",  "on_response of each stage",                                                    "403")             \
    X(close,  "entry.c",   "journal `close`, give back what was held, finish the client's answer",         "")

#define PIPELINE_ENUM_ROW(name, file, help, statuses) STEP_##name,
enum step { PIPELINE(PIPELINE_ENUM_ROW) STEP_COUNT };
#undef PIPELINE_ENUM_ROW

/* What a request came to; the word in its `close` or `deny` record. */
#define OUTCOMES(X)                                                                        \
    X(ok,               "answered in full")                                               \
    X(refused,          "refused by weir: the request, the key, the model or a limit")    \
    X(denied,           "a guardrail said no")                                            \
    X(client_gone,      "the client left before the end")                                 \
    X(upstream_error,   "the upstream answered with an error status")                     \
    X(upstream_failed,  "the upstream could not be reached or broke off")                 \
    X(upstream_timeout, "the upstream did not answer in time")                            \
    X(upstream_invalid, "the upstream's answer breaks HTTP or its dialect")               \
    X(truncated,        "the stream ended without its end mark")                          \
    X(shed,             "no room in the journal or no connection free: nothing was sent") \
    X(stopped,          "weir was stopped before the end")

#define OUTCOMES_ROW(name, help) OUTCOME_##name,
#define OUTCOMES_ENUM OUTCOMES(OUTCOMES_ROW) OUTCOME_COUNT

enum step_result { STEP_NEXT, STEP_WAIT, STEP_END };   /* END: on to `close` (from there: done) */

/* Walks the steps until one waits or the request has ended.  Frees the request when it is done. */
void pipeline_run(struct request *);
/* Goes on with another step: at once when called from inside one, else from a clean stack at the end of this turn of the loop, so
 * that whoever calls is never freed under its own feet. */
void pipeline_goto(struct request *, enum step);
struct loop_task;
void pipeline_wake(struct loop_task *);      /* for request_new() */

#define PIPELINE_DECLARE(name, file, help, statuses) enum step_result step_##name(struct request *);
PIPELINE(PIPELINE_DECLARE)
#undef PIPELINE_DECLARE

#endif
