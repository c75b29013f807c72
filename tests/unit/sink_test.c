/* SPDX-License-Identifier: Apache-2.0 */
/* sink_test.c -- a sink's process with a plugin that answers as it is told: batches, verdicts, places, what is told
 * again after a kill. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/journal.h"
#include "ipc/record.h"
#include "recorder/sink.h"

#define TOLD_MAX 100000

/* What the plugin was told and what it is to say, shared with the child that runs the sink. */
struct script {
    enum weir_sent say[16]; /* one after another; then DONE */
    _Atomic unsigned said;
    uint64_t bad; /* a batch with this sequence is answered by `bad_say`, always */
    enum weir_sent bad_say;
    unsigned slow_us;
    _Atomic unsigned calls, told;
    unsigned sizes[TOLD_MAX];
    int64_t times[TOLD_MAX];
    uint64_t seqs[TOLD_MAX];
};

static char state[64];
static struct script *script;
static struct world world;
static struct plugin plugin;
static struct sink sink;
static struct metrics *metrics;
static struct journal *journal;
static struct weir_error e;
static const char *const sink_names[] = {"test"};
static const struct metrics_labels labels = {.names = {[LABEL_SINK] = sink_names}, .count = {[LABEL_SINK] = 1}};
static int stop[2];

static enum weir_sent told(void *self, const struct weir_record *r, size_t n, size_t stride, struct weir_error *error)
{
    struct script *s = self;
    unsigned call = atomic_fetch_add(&s->calls, 1);

    s->sizes[call] = (unsigned)n;
    s->times[call] = clock_us();
    for (size_t i = 0; i < n; i++)
        if (r[i].seq == s->bad) {
            snprintf(error->text, sizeof error->text, "I do not like \"%lu\"", s->bad);
            return s->bad_say;
        }
    if (s->said < 16 && s->say[s->said] != WEIR_DONE)
        return s->say[s->said++];
    s->said++;
    for (size_t i = 0; i < n; i++)
        s->seqs[atomic_fetch_add(&s->told, 1)] =
            ((const struct weir_record *)(const void *)((const char *)r + i * stride))->seq;
    if (s->slow_us)
        usleep(s->slow_us);
    return WEIR_DONE;
}

static void setup(void)
{
    const struct journal_limits limits = {.segment = 1 << 16, .keep = 1 << 30};
    uint64_t repaired;

    snprintf(state, sizeof state, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state));
    script = mmap(NULL, sizeof *script, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    plugin = (struct plugin){.name = "told", .kind = "sinks", .hooks.write = told};
    sink = (struct sink){.in = {.name = "test", .plugin = &plugin, .self = script},
                         .batch_count = 10,
                         .batch_bytes = 1 << 20,
                         .batch_age = 100};
    world.settings.state = state;
    metrics = metrics_new(1, &labels);
    log_open(WEIR_ERROR, "test");
    journal = journal_open(state, &limits, &repaired, &e);
    ck_assert_msg(journal != NULL, "%s", e.text);
}

static void teardown(void)
{
    char cmd[128];
    journal_close(journal);
    metrics_free(metrics);
    munmap(script, sizeof *script);
    snprintf(cmd, sizeof cmd, "rm -rf %s", state);
    ck_assert_int_eq(system(cmd), 0);
}

static void append(enum record_kind kind, unsigned n)
{
    struct buf b = {0};

    for (; n; n--) {
        b.len = 0;
        struct record_writer w = record_begin(&b, kind, 1, WEIR_STR("i"));
        record_end(&w);
        struct journal_frame f = {.text = buf_view(&b)};
        journal_append(journal, &f);
    }
    ck_assert(journal_sync(journal, &e));
    buf_fini(&b);
}

static pid_t start_sink(void)
{
    ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(stop[1]);
        struct sink_start start = {
            .world = &world, .sink = &sink, .metrics = metrics, .slot = 0, .index = 0, .stop_fd = stop[0]};
        _exit(sink_run(&start));
    }
    close(stop[0]);
    return pid;
}

static void stop_sink(pid_t pid)
{
    int status;
    close(stop[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static void wait_told(unsigned n)
{
    for (int i = 0; i < 5000 && atomic_load(&script->told) < n; i++)
        usleep(1000);
    ck_assert_uint_eq(atomic_load(&script->told), n);
}

static void told_in_order(uint64_t from, uint64_t to)
{
    ck_assert_uint_eq(atomic_load(&script->told), to - from + 1);
    for (uint64_t i = from; i <= to; i++)
        ck_assert_uint_eq(script->seqs[i - from], i);
}

static uint64_t place(void)
{
    uint64_t next;
    ck_assert(cursor_load(state, "test", &next, &e));
    return next;
}

START_TEST(batches_by_count)
{
    append(KIND_deny, 25);
    sink.batch_age = 60000;
    pid_t pid = start_sink();
    wait_told(20); /* two full ones; the five wait for their age */
    ck_assert_uint_eq(script->calls, 2);
    stop_sink(pid);
    told_in_order(1, 25);
    ck_assert_uint_eq(script->sizes[0], 10);
    ck_assert_uint_eq(script->sizes[2], 5);
    ck_assert_uint_eq(place(), 26);
    ck_assert_int_eq(metrics_sum(metrics, METRIC_sink_records, 0), 25);
    pid = start_sink(); /* nothing is told twice */
    append(KIND_deny, 1);
    stop_sink(pid);
    told_in_order(1, 26);
}
END_TEST

START_TEST(batches_by_bytes)
{
    sink.batch_bytes = 99; /* a record has 33 bytes: three fill it */
    append(KIND_deny, 7);
    pid_t pid = start_sink();
    wait_told(7);
    ck_assert_uint_eq(script->sizes[0], 3);
    ck_assert_uint_eq(script->sizes[1], 3);
    ck_assert_uint_eq(script->sizes[2], 1);
    stop_sink(pid);
}
END_TEST

START_TEST(batches_by_age)
{
    pid_t pid = start_sink();
    usleep(50000);
    int64_t from = clock_us();
    append(KIND_deny, 1);
    wait_told(1);
    ck_assert_int_ge(script->times[0] - from, 95000);
    ck_assert_int_lt(script->times[0] - from, 400000);
    stop_sink(pid);
}
END_TEST

START_TEST(wakes_at_once)
{
    int64_t sum = 0;

    sink.batch_age = 0;
    pid_t pid = start_sink();
    usleep(50000);
    for (unsigned i = 0; i < 20; i++) {
        usleep(20000);
        int64_t from = clock_us();
        append(KIND_deny, 1);
        wait_told(i + 1);
        sum += script->times[i] - from;
    }
    ck_assert_int_lt(sum / 20, 20000); /* the sync is in it */
    stop_sink(pid);
}
END_TEST

START_TEST(takes_only_its_kinds)
{
    static const char *const kinds[] = {"close", "gap"};

    sink.kinds = (struct weir_list){kinds, 2};
    append(KIND_open, 5);
    append(KIND_close, 2);
    append(KIND_deny, 3);
    append(KIND_gap, 1);
    append(KIND_open, 30);
    pid_t pid = start_sink();
    wait_told(3);
    usleep(800000); /* what is not for it moves its place as well */
    ck_assert_uint_eq(place(), 42);
    ck_assert_int_eq(metrics_sum(metrics, METRIC_sink_lag, 0), 0);
    stop_sink(pid);
    ck_assert_uint_eq(script->seqs[0], 6);
    ck_assert_uint_eq(script->seqs[1], 7);
    ck_assert_uint_eq(script->seqs[2], 11);
}
END_TEST

START_TEST(retries_back_off)
{
    for (int i = 0; i < 3; i++)
        script->say[i] = WEIR_RETRY;
    append(KIND_deny, 10);
    pid_t pid = start_sink();
    wait_told(10);
    ck_assert_uint_eq(script->calls, 4);
    ck_assert_int_ge(script->times[1] - script->times[0], 100000);
    ck_assert_int_ge(script->times[2] - script->times[1], 200000);
    ck_assert_int_ge(script->times[3] - script->times[2], 400000);
    ck_assert_int_eq(metrics_sum(metrics, METRIC_sink_retries, 0), 3);
    stop_sink(pid);
    told_in_order(1, 10);
}
END_TEST

static void dead_letters_are(const char *want)
{
    char path[128], got[4096];

    snprintf(path, sizeof path, "%s/dead/test.jsonl", state);
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t n = read(fd, got, sizeof got - 1);
    got[n] = '\0';
    struct stat st;
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    close(fd);
    ck_assert_str_eq(got, want);
}

START_TEST(splits_down_to_the_bad_one)
{
    script->bad = 7;
    script->bad_say = WEIR_SPLIT;
    append(KIND_deny, 10);
    pid_t pid = start_sink();
    wait_told(9);
    stop_sink(pid);
    for (unsigned i = 0; i < 9; i++)
        ck_assert_uint_eq(script->seqs[i], i < 6 ? i + 1 : i + 2);
    dead_letters_are(
        "{\"seq\":7,\"why\":\"I do not like \\\"7\\\"\",\"record\":{\"kind\":\"deny\",\"time\":1,\"id\":\"i\"}}\n");
    ck_assert_int_eq(metrics_sum(metrics, METRIC_sink_rejected, 0), 1);
    ck_assert_uint_eq(place(), 11);
}
END_TEST

START_TEST(rejected_go_to_the_dead_letters)
{
    script->say[0] = WEIR_REJECT;
    sink.batch_count = 2;
    append(KIND_deny, 3);
    pid_t pid = start_sink();
    wait_told(1);
    stop_sink(pid);
    ck_assert_uint_eq(script->seqs[0], 3);
    dead_letters_are(
        "{\"seq\":1,\"why\":\"refused by the sink\",\"record\":{\"kind\":\"deny\",\"time\":1,\"id\":\"i\"}}\n"
        "{\"seq\":2,\"why\":\"refused by the sink\",\"record\":{\"kind\":\"deny\",\"time\":1,\"id\":\"i\"}}\n");
}
END_TEST

START_TEST(what_is_no_record_is_not_told)
{
    struct journal_frame f = {.text = WEIR_STR("\"nonsense")};
    journal_append(journal, &f);
    append(KIND_deny, 1);
    pid_t pid = start_sink();
    wait_told(1);
    stop_sink(pid);
    ck_assert_uint_eq(script->seqs[0], 2);
    dead_letters_are("{\"seq\":1,\"why\":\"this is no record\",\"text\":\"\\\"nonsense\"}\n");
}
END_TEST

/* A sink that is held stops when it is told to, keeps its place, and goes on with the same batch. */
START_TEST(stops_while_it_is_held)
{
    for (int verdict = 0; verdict < 2; verdict++) {
        script->calls = script->told = script->said = 0;
        script->bad = verdict * 10 + 1;
        script->bad_say = verdict ? WEIR_PAUSE : WEIR_RETRY;
        append(KIND_deny, 10);
        pid_t pid = start_sink();
        while (!script->calls)
            usleep(1000);
        int64_t from = clock_us();
        stop_sink(pid);
        ck_assert_int_lt(clock_us() - from, 1000000);
        ck_assert_uint_eq(place(), script->bad);
        script->bad = 0;
        stop_sink(start_sink());
        ck_assert_uint_eq(script->told, 10);
        ck_assert_uint_eq(script->seqs[0], (unsigned)verdict * 10 + 1);
    }
}
END_TEST

START_TEST(a_place_that_cannot_be_read_is_begun_anew)
{
    char path[128];

    append(KIND_deny, 3);
    snprintf(path, sizeof path, "%s/cursors/test", state);
    FILE *f = fopen(path, "w");
    fputs("garbage", f);
    fclose(f);
    freopen("/dev/null", "w", stderr);
    pid_t pid = start_sink();
    wait_told(3);
    stop_sink(pid);
    told_in_order(1, 3);
}
END_TEST

/* Killed at random under load: every record at least once, in order but for what is repeated after a kill. */
START_TEST(killed_sinks_miss_nothing)
{
    unsigned seed = 23, repeats = 0, kills = 100;
    uint64_t total = 0, next = 1;

    sink.batch_age = 1;
    script->slow_us = 300;
    for (unsigned i = 0; i < kills; i++) {
        pid_t pid = start_sink();
        for (int k = rand_r(&seed) % 8; k >= 0; k--) {
            unsigned n = (unsigned)rand_r(&seed) % 40 + 1;
            append(KIND_close, n);
            total += n;
            usleep((unsigned)rand_r(&seed) % 2000);
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(stop[1]);
    }
    script->slow_us = 0;
    stop_sink(start_sink());
    unsigned n = atomic_load(&script->told);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_le(script->seqs[i], next);
        repeats += script->seqs[i] < next && (i == 0 || script->seqs[i] <= script->seqs[i - 1]);
        if (i && script->seqs[i] > script->seqs[i - 1])
            ck_assert_uint_eq(script->seqs[i], script->seqs[i - 1] + 1);
        next = script->seqs[i] == next ? next + 1 : next;
    }
    ck_assert_uint_eq(next, total + 1);
    ck_assert_uint_le(repeats, kills);
    ck_assert_uint_eq(place(), total + 1);
}
END_TEST

START_TEST(idle_costs_nothing)
{
    char path[64], line[512];
    unsigned long user, system;
    pid_t pid = start_sink();

    usleep(1500000);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    fclose(f);
    ck_assert_int_eq(
        sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
    ck_assert_uint_le(user + system, 2);
    stop_sink(pid);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("sink");
    TCase *t = tcase_create("sink");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, batches_by_count);
    tcase_add_test(t, batches_by_bytes);
    tcase_add_test(t, batches_by_age);
    tcase_add_test(t, wakes_at_once);
    tcase_add_test(t, takes_only_its_kinds);
    tcase_add_test(t, retries_back_off);
    tcase_add_test(t, splits_down_to_the_bad_one);
    tcase_add_test(t, rejected_go_to_the_dead_letters);
    tcase_add_test(t, what_is_no_record_is_not_told);
    tcase_add_test(t, stops_while_it_is_held);
    tcase_add_test(t, a_place_that_cannot_be_read_is_begun_anew);
    tcase_add_test(t, killed_sinks_miss_nothing);
    tcase_add_test(t, idle_costs_nothing);
    suite_add_tcase(s, t);
    return s;
}
