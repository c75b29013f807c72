/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h -- weir's own log: one structured line per event on stderr, whole lines by one write(2), never content, never a
 * secret.
 *
 *   2026-11-25T08:00:00.123Z warn worker.0 upstream_failed provider=openai why="connection refused"
 *
 * Events stand in one table; docs print it.  Any process; not for signal handlers.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "weir.h"

#define LOG_EVENTS(X)                                                                                          \
    X(start,             "a process has started")                                                              \
    X(stop,              "a process ends as it was told to")                                                   \
    X(ready,             "weir answers on its address")                                                        \
    X(config,            "what a configuration left out, and why")                                             \
    X(child_died,        "a child ended by itself or by a signal; it is replaced at once")                     \
    X(child_quick,       "a child keeps dying right after its start; the next one waits a little")             \
    X(accept_failed,     "no descriptor is free for a new connection")                                         \
    X(client_refused,    "max_connections is reached: new connections wait")                                    \
    X(http_bad,          "bytes from a client that are no acceptable HTTP")                                    \
    X(form_unstored,     "a form is too large for memory and its file cannot be written; the request is refused")         \
    X(upstream_failed,   "an attempt failed: the next candidate is tried, or the client is told")              \
    X(upstream_rejected, "the upstream refuses our credential")                                                \
    X(upstream_secret,   "an upstream's error text held one of our secrets; it was not passed on")             \
    X(credential,        "a provider's credential has come; later ones are told at level debug")               \
    X(credential_failed, "a provider's credential could not be got; it is tried again")                        \
    X(stage_slow,        "a guardrail's hook held the loop for longer than its time budget")                   \
    X(stage_late,        "a guardrail did not answer within its time budget")                                  \
    X(stage_failed,      "a guardrail could not judge")                                                        \
    X(resume_twice,      "a plugin called weir_resume() when nothing waited")                                  \
    X(plugin_misused,    "a plugin called a service in a hook where it means nothing, or with a bad argument") \
    X(plugin,            "what a plugin says itself")                                                          \
    X(shed,              "a request was turned away because the journal has no room")                          \
    X(journal,           "the journal was opened, repaired or trimmed")                                        \
    X(journal_failed,    "the journal cannot be written; requests are turned away until it can")               \
    X(journal_ok,        "the journal can be written again")                                                   \
    X(gap,               "records were lost by a power cut; the journal says so too")                          \
    X(sink_failed,       "a sink could not deliver; it is tried again")                                        \
    X(sink_rejected,     "a sink refused records for good; they are in its dead letters")                      \
    X(sink_paused,       "a sink is held until its configuration or its target is mended")                     \
    X(admin,             "the admin listener")

#define LOG_ROW(name, help) LOG_##name,
enum log_event { LOG_EVENTS(LOG_ROW) LOG_EVENT_COUNT };
#undef LOG_ROW

/* `process`: "supervisor", "worker.0", "sink.traces" ...; kept, not copied.  Lines above `level` are left out. */
void log_open(enum weir_level level, const char *process);
bool log_level_of(const char *word, enum weir_level *);  /* "error" | "warn" | "info" | "debug" */

/* fmt makes `key=value` pairs.  A line is cut at 2 KB; line ends and control characters in it become '?'. */
void log_event(enum weir_level, enum log_event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_vevent(enum weir_level, enum log_event, const char *prefix, const char *fmt, va_list);

const char *log_event_name(enum log_event);
const char *log_event_help(enum log_event);

#endif
