/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h -- what weir counts of itself: one table, one lane of shared memory per process slot, summed when they
 * are read.
 *
 * Adding is a plain add to memory that no other process writes: no lock, no atomic read-modify-write.  A replaced
 * worker goes on in its slot's lane, so that counters never fall.  The recorder's admin listener prints them
 * (Prometheus text format 0.0.4).
 */
#ifndef IPC_METRICS_H
#define IPC_METRICS_H

#include "base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };     /* a histogram is of us, shown as seconds */
enum metric_label { LABEL_NONE, LABEL_STEP, LABEL_OUTCOME, LABEL_ENDPOINT, LABEL_STAGE, LABEL_SINK, LABEL_TASK };
#define LABEL_COUNT (LABEL_TASK + 1)

/*    name                  type       label           help                                                          */
#define METRICS(X)                                                                                                     \
    X(requests,              COUNTER,   LABEL_OUTCOME,  "Requests that have ended, by what they came to")              \
    X(tasks,                 COUNTER,   LABEL_TASK,     "The same of which the path is known, by what they asked for") \
    X(requests_active,       GAUGE,     LABEL_NONE,     "Requests under way")                                          \
    X(connections,           GAUGE,     LABEL_NONE,     "Client connections open")                                     \
    X(step_us,               HISTOGRAM, LABEL_STEP,     "Time from the beginning of a step to its end, waiting "       \
                                                        "included")                                                    \
    X(request_us,            HISTOGRAM, LABEL_NONE,     "Time from a request's last byte to its answer's last")        \
    X(overhead_us,           HISTOGRAM, LABEL_NONE,     "The part of it that was weir's own: not the upstream, not "   \
                                                        "a wait")                                                      \
    X(bytes_in,              COUNTER,   LABEL_NONE,     "Bytes of request bodies")                                     \
    X(bytes_out,             COUNTER,   LABEL_NONE,     "Bytes of answer bodies")                                      \
    X(endpoint_attempts,     COUNTER,   LABEL_ENDPOINT, "Sends to an endpoint")                                        \
    X(endpoint_failures,     COUNTER,   LABEL_ENDPOINT, "Sends that ended without an answer, or with 429 or 5xx")      \
    X(endpoint_connects,     COUNTER,   LABEL_ENDPOINT, "Connections made to an endpoint")                             \
    X(endpoint_idle,         GAUGE,     LABEL_ENDPOINT, "Connections kept for the next request")                       \
    X(endpoint_first_us,     HISTOGRAM, LABEL_ENDPOINT, "Time from the send to the first byte of the answer")          \
    X(tokens_in,             COUNTER,   LABEL_ENDPOINT, "Input tokens as the endpoint reported them")                  \
    X(tokens_out,            COUNTER,   LABEL_ENDPOINT, "Output tokens as the endpoint reported them")                 \
    X(credential_refreshes,  COUNTER,   LABEL_ENDPOINT, "Credentials that expire, got")                                \
    X(credential_failures,   COUNTER,   LABEL_ENDPOINT, "Times that a credential could not be got")                    \
    X(credential_failing,    GAUGE,     LABEL_ENDPOINT, "1 after a failure, until one is got again")                   \
    X(credential_expires,    GAUGE,     LABEL_ENDPOINT, "Unix time at which the credential expires; 0: never")         \
    X(stage_us,              HISTOGRAM, LABEL_STAGE,    "Time inside one hook of a guardrail")                         \
    X(stage_blocked,         COUNTER,   LABEL_STAGE,    "Requests and answers that a guardrail refused (or would "     \
                                                        "have)")                                                       \
    X(stage_failed,          COUNTER,   LABEL_STAGE,    "Times that a guardrail could not judge")                      \
    X(journal_records,       COUNTER,   LABEL_NONE,     "Records that are durable")                                    \
    X(journal_bytes,         COUNTER,   LABEL_NONE,     "Bytes of the journal written")                                \
    X(journal_sync_us,       HISTOGRAM, LABEL_NONE,     "Time of one fdatasync(2)")                                    \
    X(journal_failed,        GAUGE,     LABEL_NONE,     "1 while the journal cannot be written")                       \
    X(shed,                  COUNTER,   LABEL_NONE,     "Requests turned away because the journal had no room")        \
    X(denies_dropped,        COUNTER,   LABEL_NONE,     "Refusals without a valid key that left no record: too many "  \
                                                        "a second, or the journal had no room to spare")               \
    X(sink_records,          COUNTER,   LABEL_SINK,     "Records delivered")                                           \
    X(sink_rejected,         COUNTER,   LABEL_SINK,     "Records refused for good")                                    \
    X(sink_retries,          COUNTER,   LABEL_SINK,     "Batches that had to be tried again")                          \
    X(sink_lag,              GAUGE,     LABEL_SINK,     "Records behind the end of the journal")                       \
    X(restarts,              COUNTER,   LABEL_NONE,     "Children that died and were replaced")

#define METRICS_ROW(name, type, label, help) METRIC_##name,
enum metric { METRICS(METRICS_ROW) METRIC_COUNT };
#undef METRICS_ROW

#define METRICS_BUCKETS 28                   /* histograms: bucket i counts values <= 2^i us; the last > 67 s */

struct metrics;

/* Names of what the labels number; the arrays must outlive it. */
struct metrics_labels { const char *const *names[LABEL_COUNT]; size_t count[LABEL_COUNT]; };

/* Shared memory for `slots` processes, made before the fork; who has which slot is the supervisor's to say. */
struct metrics *metrics_new(unsigned slots, const struct metrics_labels *);
void metrics_free(struct metrics *);

/* `index`: which of the label's names; 0 for LABEL_NONE.  One past the names is ignored.  A process writes to its
 * own slot only. */
void metrics_add(struct metrics *, unsigned slot, enum metric, size_t index, int64_t by);
void metrics_set(struct metrics *, unsigned slot, enum metric, size_t index, int64_t to);      /* gauges */
void metrics_observe(struct metrics *, unsigned slot, enum metric, size_t index, int64_t us);
/* Of all slots; of a histogram: how many values. */
int64_t metrics_sum(const struct metrics *, enum metric, size_t index);
/* A new process in the slot: its gauges begin at 0. */
void metrics_attach(struct metrics *, unsigned slot);

/* Prometheus text format: weir_ before the name, _total behind a counter's, _seconds instead of _us. */
void metrics_print(const struct metrics *, struct buf *to);
const char *metric_name(enum metric);
const char *metric_help(enum metric);

#endif
