/* SPDX-License-Identifier: Apache-2.0 */
/* log.c -- makes a line and writes it; see log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

/* The one thing that a process has only one of: its standard error.  Set once, before any line. */
static struct {
    enum weir_level level;
    const char *process;
} log_to = {WEIR_INFO, "weir"};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

#define LOG_ROW(name, help) {#name, help},
static const struct {
    const char *name, *help;
} events[] = {LOG_EVENTS(LOG_ROW)};
#undef LOG_ROW

void log_open(enum weir_level level, const char *process)
{
    log_to.level = level;
    log_to.process = process;
}

bool log_level_of(const char *word, enum weir_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
        if (strcmp(word, level_names[i]) == 0) {
            *level = (enum weir_level)i;
            return true;
        }
    return false;
}

const char *log_event_name(enum log_event e)
{
    return (unsigned)e < LOG_EVENT_COUNT ? events[e].name : "";
}

const char *log_event_help(enum log_event e)
{
    return (unsigned)e < LOG_EVENT_COUNT ? events[e].help : "";
}

/* How much of a line is used; what did not fit was cut by snprintf. */
static size_t line_add(size_t at, size_t cap, int wrote)
{
    if (wrote < 0)
        return at;
    return (size_t)wrote < cap - at ? at + (size_t)wrote : cap - 1;
}

static size_t line_head(char *line, size_t cap, enum weir_level level, enum log_event event)
{
    struct timespec now;
    struct tm t;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &t);
    return line_add(0, cap,
                    snprintf(line, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s %s", t.tm_year + 1900, t.tm_mon + 1,
                             t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, now.tv_nsec / 1000000, level_names[level],
                             log_to.process, log_event_name(event)));
}

/* A terminal or a line reader must not be steered by what stands in a line: C0, DEL, and C1 as UTF-8 (C2 80 ... C2 9F).
 */
static void line_clean(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)line[i];
        if (c < 0x20 || c == 0x7F)
            line[i] = '?';
        else if (c == 0xC2 && i + 1 < len && (uint8_t)line[i + 1] >= 0x80 && (uint8_t)line[i + 1] < 0xA0)
            line[i] = line[i + 1] = '?';
    }
}

void log_vevent(enum weir_level level, enum log_event event, const char *prefix, const char *fmt, va_list ap)
{
    char line[LINE_MAX_BYTES];
    size_t cap = sizeof line, at; /* the 0 that snprintf wants becomes the line's end */

    if (level > log_to.level)
        return;
    at = line_head(line, cap, level, event);
    if (prefix && *prefix)
        at = line_add(at, cap, snprintf(line + at, cap - at, " %s", prefix));
    if (*fmt) {
        at = line_add(at, cap, snprintf(line + at, cap - at, " "));
        at = line_add(at, cap, vsnprintf(line + at, cap - at, fmt, ap));
    }
    line_clean(line, at);
    line[at++] = '\n';
    while (write(STDERR_FILENO, line, at) < 0 && errno == EINTR)
        continue;
}

void log_event(enum weir_level level, enum log_event event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_vevent(level, event, "", fmt, ap);
    va_end(ap);
}
