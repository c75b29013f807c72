/* SPDX-License-Identifier: Apache-2.0 */
/* log_test.c -- what stands in a line, and that a line is one write. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

static int seen = -1; /* the other end of standard error */
static char line[8192];

/* A socket of packets: each write is one of them. */
static void stderr_catch(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
    close(pair[1]);
    seen = pair[0];
}

/* One write, or "" when there was none. */
static size_t line_read(void)
{
    ssize_t n = recv(seen, line, sizeof line - 1, MSG_DONTWAIT);

    line[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* The line behind its time. */
static const char *rest_of_line(void)
{
    line_read();
    ck_assert_uint_gt(strlen(line), 25);
    return line + 25;
}

static void plugin_says(enum weir_level level, const char *prefix, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_vevent(level, LOG_plugin, prefix, fmt, ap);
    va_end(ap);
}

START_TEST(one_line)
{
    int y, mo, d, h, mi, s, ms, end = 0;

    stderr_catch();
    log_open(WEIR_INFO, "worker.0");
    log_event(WEIR_WARN, LOG_upstream_failed, "provider=%s why=\"%s\"", "openai", "connection refused");
    ck_assert_str_eq(rest_of_line(), "warn worker.0 upstream_failed provider=openai why=\"connection refused\"\n");
    ck_assert_int_eq(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &y, &mo, &d, &h, &mi, &s, &ms, &end), 7);
    ck_assert_int_eq(end, 25);
    ck_assert_int_ge(y, 2024);
    log_event(WEIR_INFO, LOG_start, "%s", "");
    ck_assert_str_eq(rest_of_line(), "info worker.0 start \n");
    plugin_says(WEIR_ERROR, "plugin=deny request=r1", "n=%d", 3);
    ck_assert_str_eq(rest_of_line(), "error worker.0 plugin plugin=deny request=r1 n=3\n");
    plugin_says(WEIR_ERROR, NULL, "x");
    ck_assert_str_eq(rest_of_line(), "error worker.0 plugin x\n");
}
END_TEST

START_TEST(levels)
{
    enum weir_level level = WEIR_ERROR;

    stderr_catch();
    log_open(WEIR_WARN, "p");
    log_event(WEIR_INFO, LOG_ready, "x");
    ck_assert_uint_eq(line_read(), 0);
    log_event(WEIR_WARN, LOG_ready, "x");
    ck_assert_uint_gt(line_read(), 0);
    ck_assert(log_level_of("debug", &level));
    ck_assert_int_eq(level, WEIR_DEBUG);
    ck_assert(log_level_of("error", &level));
    ck_assert_int_eq(level, WEIR_ERROR);
    ck_assert(!log_level_of("loud", &level));
    log_open(WEIR_DEBUG, "p");
    log_event(WEIR_DEBUG, LOG_ready, "x");
    ck_assert_uint_gt(line_read(), 0);
}
END_TEST

/* Nobody writes a line of his own into the log, or steers a terminal. */
START_TEST(controls)
{
    stderr_catch();
    log_open(WEIR_INFO, "p");
    log_event(WEIR_INFO, LOG_plugin, "a\nb\r\tc\x1B[2J\x7F");
    ck_assert_str_eq(rest_of_line(), "info p plugin a?b??c?[2J?\n");
    log_event(WEIR_INFO, LOG_plugin,
              "caf\xC3\xA9 \xC2\x9B"
              "1m \xC2\xA0");
    ck_assert_str_eq(rest_of_line(), "info p plugin caf\xC3\xA9 ??1m \xC2\xA0\n");
}
END_TEST

START_TEST(cut)
{
    static char big[5000];

    memset(big, 'x', sizeof big - 1);
    stderr_catch();
    log_open(WEIR_INFO, "p");
    log_event(WEIR_INFO, LOG_plugin, "%s", big);
    ck_assert_uint_eq(line_read(), 2048);
    ck_assert_int_eq(line[2047], '\n');
    ck_assert_int_eq(line[2046], 'x');
    ck_assert_uint_eq(line_read(), 0);
    plugin_says(WEIR_INFO, big, "%s", big);
    ck_assert_uint_eq(line_read(), 2048);
    log_open(WEIR_INFO, big);
    log_event(WEIR_INFO, LOG_plugin, "%s", big);
    ck_assert_uint_eq(line_read(), 2048);
}
END_TEST

START_TEST(table)
{
    ck_assert_str_eq(log_event_name(LOG_start), "start");
    ck_assert_str_eq(log_event_name(LOG_admin), "admin");
    ck_assert_str_eq(log_event_help(LOG_start), "a process has started");
    ck_assert_str_eq(log_event_name(LOG_EVENT_COUNT), "");
    for (int i = 0; i < LOG_EVENT_COUNT; i++)
        ck_assert_uint_gt(strlen(log_event_help((enum log_event)i)), 0);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("all");

    tcase_add_test(t, one_line);
    tcase_add_test(t, levels);
    tcase_add_test(t, controls);
    tcase_add_test(t, cut);
    tcase_add_test(t, table);
    suite_add_tcase(s, t);
    return s;
}
