/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_test.c -- sums over lanes and processes, and the exact text that Prometheus reads. */
#include "unit.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/metrics.h"

static const char *const endpoints[] = {"mock/echo", "a\"b\\c\nd"}, *const steps[] = {"admit"},
                         *const outcomes[] = {"ok", "denied"};
static const struct metrics_labels labels = {
    .names = {[LABEL_STEP] = steps, [LABEL_OUTCOME] = outcomes, [LABEL_ENDPOINT] = endpoints},
    .count = {[LABEL_STEP] = 1, [LABEL_OUTCOME] = 2, [LABEL_ENDPOINT] = 2},
};

static struct metrics *m;
static struct buf out;

static void setup(void)
{
    m = metrics_new(3, &labels);
}

static void teardown(void)
{
    metrics_free(m);
    buf_fini(&out);
}

static void has(const char *line)
{
    out.len = 0;
    metrics_print(m, &out);
    buf_char(&out, '\0');
    char *at = strstr(out.ptr, line);
    ck_assert_msg(at && (at == out.ptr || at[-1] == '\n'), "no %s", line);
}

START_TEST(sums_lanes)
{
    metrics_add(m, 0, METRIC_requests, 0, 2);
    metrics_add(m, 1, METRIC_requests, 0, 3);
    metrics_add(m, 2, METRIC_requests, 1, 1);
    metrics_add(m, 2, METRIC_requests, 2, 1); /* past the names */
    ck_assert_int_eq(metrics_sum(m, METRIC_requests, 0), 5);
    ck_assert_int_eq(metrics_sum(m, METRIC_requests, 1), 1);
    ck_assert_int_eq(metrics_sum(m, METRIC_requests, 2), 0);
    metrics_add(m, 0, METRIC_stage_blocked, 0, 1); /* there is no stage at all */
    ck_assert_int_eq(metrics_sum(m, METRIC_stage_blocked, 0), 0);
    has("# HELP weir_requests_total Requests that have ended, by what they came to\n# TYPE weir_requests_total "
        "counter\n"
        "weir_requests_total{outcome=\"ok\"} 5\nweir_requests_total{outcome=\"denied\"} 1\n# HELP");
}
END_TEST

START_TEST(gauges_begin_again)
{
    metrics_set(m, 0, METRIC_connections, 0, 4);
    metrics_add(m, 1, METRIC_connections, 0, 2);
    metrics_add(m, 1, METRIC_connections, 0, -1);
    metrics_add(m, 1, METRIC_bytes_in, 0, 9);
    metrics_set(m, 1, METRIC_bytes_in, 0, 1); /* no gauge */
    has("weir_connections 5\n");
    metrics_attach(m, 1);
    has("weir_connections 4\n");
    has("weir_bytes_in_total 9\n");
}
END_TEST

START_TEST(other_processes_are_seen)
{
    pid_t child = fork();

    if (child == 0) {
        metrics_add(m, 1, METRIC_bytes_out, 0, 1000);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    ck_assert_int_eq(metrics_sum(m, METRIC_bytes_out, 0), 1000);
}
END_TEST

START_TEST(escapes_label_values)
{
    metrics_add(m, 0, METRIC_tokens_in, 1, 7);
    has("weir_tokens_in_total{endpoint=\"a\\\"b\\\\c\\nd\"} 7\n");
}
END_TEST

START_TEST(histograms_are_cumulative)
{
    static const int64_t values[] = {-5, 0, 1, 2, 3, 4, 5, 1024, 1025, 67108864, 67108865, INT64_C(1) << 40};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        metrics_observe(m, (unsigned)(i % 3), METRIC_request_us, 0, values[i]);
    ck_assert_int_eq(metrics_sum(m, METRIC_request_us, 0), 12);
    has("# TYPE weir_request_seconds histogram\n"
        "weir_request_seconds_bucket{le=\"0.000001\"} 3\n"
        "weir_request_seconds_bucket{le=\"0.000002\"} 4\n"
        "weir_request_seconds_bucket{le=\"0.000004\"} 6\n"
        "weir_request_seconds_bucket{le=\"0.000008\"} 7\n");
    has("weir_request_seconds_bucket{le=\"0.000512\"} 7\n"
        "weir_request_seconds_bucket{le=\"0.001024\"} 8\n"
        "weir_request_seconds_bucket{le=\"0.002048\"} 9\n");
    has("weir_request_seconds_bucket{le=\"33.554432\"} 9\n"
        "weir_request_seconds_bucket{le=\"67.108864\"} 10\n"
        "weir_request_seconds_bucket{le=\"+Inf\"} 12\n"
        /* 1+2+3+4+5+1024+1025 = 2064; + 67108864 + 67108865 = 134219793; + 1099511627776 = 1099645847569 */
        "weir_request_seconds_sum 1099645.847569\n"
        "weir_request_seconds_count 12\n");
    metrics_observe(m, 0, METRIC_endpoint_first_us, 0, 1500000);
    has("weir_endpoint_first_seconds_bucket{endpoint=\"mock/echo\",le=\"1.048576\"} 0\n"
        "weir_endpoint_first_seconds_bucket{endpoint=\"mock/echo\",le=\"2.097152\"} 1\n");
    has("weir_endpoint_first_seconds_sum{endpoint=\"mock/echo\"} 1.500000\n"
        "weir_endpoint_first_seconds_count{endpoint=\"mock/echo\"} 1\n");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("metrics");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, sums_lanes);
    tcase_add_test(t, gauges_begin_again);
    tcase_add_test(t, other_processes_are_seen);
    tcase_add_test(t, escapes_label_values);
    tcase_add_test(t, histograms_are_cumulative);
    suite_add_tcase(s, t);
    return s;
}
