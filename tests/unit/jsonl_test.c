/* SPDX-License-Identifier: Apache-2.0 */
/* jsonl_test.c -- the jsonl plugin: whole lines whatever happens to its file, and nothing missing after kill -9 of its
 * process. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../plugins/sinks/jsonl.c" /* before Check, whose names it may use */

#include "unit.h"

#include "base/log.h"
#include "ipc/journal.h"
#include "ipc/record.h"
#include "recorder/sink.h"

static char dir[64], file[128];
static struct jsonl self;
static struct weir_error e;

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/out.jsonl", dir);
    self = (struct jsonl){.path = file, .rotate = 0, .keep = 2};
}

static void teardown(void)
{
    char cmd[128];
    fini(&self);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static enum weir_sent tell(uint64_t from, size_t n)
{
    struct weir_record r[64];

    for (size_t i = 0; i < n; i++)
        r[i] = (struct weir_record){.size = sizeof *r, .seq = from + i, .json = WEIR_STR("{\"kind\":\"deny\"}")};
    return write_batch(&self, r, n, sizeof *r, &e);
}

static void holds(const char *path, const char *want)
{
    static char got[1 << 20];
    int fd = open(path, O_RDONLY);

    ck_assert_msg(fd >= 0, "no %s", path);
    ssize_t n = read(fd, got, sizeof got - 1);
    got[n] = '\0';
    close(fd);
    ck_assert_str_eq(got, want);
}

#define LINE(n) "{\"seq\":" #n ",\"kind\":\"deny\"}\n" /* 24 bytes */

START_TEST(appends_lines)
{
    struct stat st;

    ck_assert_int_eq(tell(1, 2), WEIR_DONE);
    ck_assert_int_eq(tell(3, 1), WEIR_DONE);
    holds(file, LINE(1) LINE(2) LINE(3));
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    fini(&self);
    self = (struct jsonl){.path = file, .fsync = true};
    ck_assert_int_eq(tell(4, 1), WEIR_DONE);
    holds(file, LINE(1) LINE(2) LINE(3) LINE(4));
}
END_TEST

START_TEST(goes_on_in_a_new_file_when_it_was_moved_away)
{
    char moved[128];

    ck_assert_int_eq(tell(1, 1), WEIR_DONE);
    snprintf(moved, sizeof moved, "%s/moved", dir);
    ck_assert_int_eq(rename(file, moved), 0);
    ck_assert_int_eq(tell(2, 1), WEIR_DONE);
    holds(moved, LINE(1));
    holds(file, LINE(2));
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(tell(3, 1), WEIR_DONE);
    holds(file, LINE(3));
}
END_TEST

START_TEST(rotates)
{
    char old[3][140];

    for (int i = 0; i < 3; i++)
        snprintf(old[i], sizeof old[i], "%s.%d", file, i + 1);
    self.rotate = 60; /* two lines */
    for (uint64_t i = 1; i <= 7; i++)
        ck_assert_int_eq(tell(i, 1), WEIR_DONE);
    holds(file, LINE(7));
    holds(old[0], LINE(5) LINE(6));
    holds(old[1], LINE(3) LINE(4));
    ck_assert_int_ne(access(old[2], F_OK), 0);
    ck_assert_int_eq(tell(10, 5), WEIR_DONE); /* a batch that is larger than a file stays together */
    holds(file, LINE(10) LINE(11) LINE(12) LINE(13) LINE(14));
    holds(old[0], LINE(7));
    self.keep = 0;
    ck_assert_int_eq(tell(20, 1), WEIR_DONE);
    holds(file, LINE(20));
    holds(old[0], LINE(7));
}
END_TEST

START_TEST(cuts_off_half_a_line)
{
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    static const char text[] = LINE(1) "{\"seq\":2,\"ki";

    for (size_t n = 0; n < sizeof text; n++) {
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(pwrite(fd, text, n, 0), (ssize_t)n);
        ck_assert_int_eq(tell(2, 1), WEIR_DONE);
        holds(file, n < 24 ? LINE(2) : LINE(1) LINE(2));
        fini(&self);
        self = (struct jsonl){.path = file};
    }
    static char filler[9000];
    memset(filler, 'x', sizeof filler);
    ck_assert_int_eq(pwrite(fd, filler, sizeof filler, 48), sizeof filler); /* more than is looked at in one step */
    ck_assert_int_eq(tell(3, 1), WEIR_DONE);
    holds(file, LINE(1) LINE(2) LINE(3));
    close(fd);
}
END_TEST

START_TEST(a_full_disk_leaves_no_half_line)
{
    struct rlimit limit = {60, RLIM_INFINITY}, free_again = {RLIM_INFINITY, RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(tell(1, 1), WEIR_DONE);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(tell(2, 2), WEIR_RETRY);
    ck_assert_ptr_nonnull(strstr(e.text, "File too large"));
    holds(file, LINE(1));
    ck_assert_int_eq(tell(2, 1), WEIR_DONE);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &free_again), 0);
    ck_assert_int_eq(tell(3, 1), WEIR_DONE);
    holds(file, LINE(1) LINE(2) LINE(3));
}
END_TEST

START_TEST(a_wrong_path_is_the_configurations_fault)
{
    snprintf(file, sizeof file, "%s/nowhere/out.jsonl", dir);
    ck_assert_int_eq(tell(1, 1), WEIR_PAUSE);
    ck_assert_ptr_nonnull(strstr(e.text, "nowhere/out.jsonl: No such file"));
    self.path = dir;
    ck_assert_int_eq(tell(1, 1), WEIR_PAUSE);
    self.path = "/dev/null"; /* no regular file: no size, no cutting */
    self.rotate = 1;
    ck_assert_int_eq(tell(1, 1), WEIR_DONE);
    ck_assert_int_eq(tell(2, 1), WEIR_DONE);
}
END_TEST

/* The whole way from the journal, with the process killed at random: read by a reader of its own. */
START_TEST(killed_it_misses_nothing)
{
    const struct journal_limits limits = {.segment = 1 << 16, .keep = 1 << 30};
    struct plugin plugin = {.name = "jsonl", .hooks.write = write_batch};
    struct sink sink = {.in = {.name = "lines", .plugin = &plugin, .self = &self},
                        .batch_count = 7,
                        .batch_bytes = 1 << 20,
                        .batch_age = 1};
    struct world world = {.settings.state = dir};
    const struct metrics_labels labels = {.count = {0}};
    struct metrics *metrics = metrics_new(1, &labels);
    uint64_t repaired, total = 0, next = 1, seq;
    struct journal *j = journal_open(dir, &limits, &repaired, &e);
    unsigned seed = 29;
    struct buf b = {0};

    ck_assert_ptr_nonnull(j);
    log_open(WEIR_ERROR, "test");
    self.rotate = 4000;
    self.keep = 1000;
    for (int round = 0; round <= 100; round++) {
        int stop[2];
        ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(stop[1]);
            struct sink_start start = {.world = &world, .sink = &sink, .metrics = metrics, .stop_fd = stop[0]};
            _exit(sink_run(&start));
        }
        close(stop[0]);
        for (int k = rand_r(&seed) % 6; k >= 0; k--) {
            for (int n = rand_r(&seed) % 30; n >= 0; n--, total++) {
                b.len = 0;
                struct record_writer w = record_begin(&b, KIND_close, 1, WEIR_STR("i"));
                record_end(&w);
                journal_append(j, &(struct journal_frame){.text = buf_view(&b)});
            }
            ck_assert(journal_sync(j, &e));
            usleep((unsigned)rand_r(&seed) % 3000);
        }
        if (round < 100)
            kill(pid, SIGKILL);
        close(stop[1]);
        waitpid(pid, NULL, 0);
    }
    for (int old = 1000; old >= 0; old--) {
        char name[160], line[256];
        snprintf(name, sizeof name, old ? "%s.%d" : "%s", file, old);
        FILE *f = fopen(name, "r");
        while (f && fgets(line, sizeof line, f)) {
            ck_assert_int_eq(sscanf(line, "{\"seq\":%lu,\"kind\":\"close\",\"time\":1,\"id\":\"i\"}", &seq), 1);
            ck_assert_int_eq(line[strlen(line) - 1], '\n');
            ck_assert_uint_le(seq, next); /* none left out */
            next = seq == next ? next + 1 : next;
        }
        if (f)
            fclose(f);
    }
    ck_assert_uint_eq(next, total + 1);
    journal_close(j);
    metrics_free(metrics);
    buf_fini(&b);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("jsonl");
    TCase *t = tcase_create("jsonl");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, appends_lines);
    tcase_add_test(t, goes_on_in_a_new_file_when_it_was_moved_away);
    tcase_add_test(t, rotates);
    tcase_add_test(t, cuts_off_half_a_line);
    tcase_add_test(t, a_full_disk_leaves_no_half_line);
    tcase_add_test(t, a_wrong_path_is_the_configurations_fault);
    tcase_add_test(t, killed_it_misses_nothing);
    suite_add_tcase(s, t);
    return s;
}
