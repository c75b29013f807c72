/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder_test.c -- the recorder as a process: acknowledged is on disk, killed is not lost, every open has one close.
 *
 * Workers are played by children of the test; what they put is kept in a ledger of the test's own and compared with
 * what an independent reading of the journal finds.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/journal.h"
#include "ipc/record.h"
#include "recorder/recorder.h"

#define WORKERS 2

static char state[64], rings_dir[64];
static struct world world;
static struct ring *rings[WORKERS];
static struct metrics *metrics;
static const struct metrics_labels no_labels;
static int wake_recorder, wake_worker[WORKERS], listener = -1, stop[2];
static struct weir_error e;

static void open_rings(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        rings[i] = ring_open(rings_dir, i, 1 << 20, &e);
        ck_assert_msg(rings[i] != NULL, "%s", e.text);
        ring_set_fds(rings[i], wake_recorder, wake_worker[i]);
    }
}

static void close_rings(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        ring_close(rings[i]);
}

static void setup(void)
{
    snprintf(state, sizeof state, "/tmp/weir-test-XXXXXX");
    snprintf(rings_dir, sizeof rings_dir, "/dev/shm/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state));
    ck_assert_ptr_nonnull(mkdtemp(rings_dir));
    world.settings.state = state;
    world.settings.segment_size = 1 << 20;
    world.settings.journal_keep = 1 << 30;
    wake_recorder = eventfd(0, EFD_NONBLOCK);
    for (unsigned i = 0; i < WORKERS; i++)
        wake_worker[i] = eventfd(0, EFD_NONBLOCK);
    metrics = metrics_new(1, &no_labels);
    log_open(WEIR_ERROR, "test");
    open_rings();
    e = (struct weir_error){0};
}

static void teardown(void)
{
    char cmd[256];
    close_rings();
    metrics_free(metrics);
    snprintf(cmd, sizeof cmd, "rm -rf %s %s", state, rings_dir);
    ck_assert_int_eq(system(cmd), 0);
}

static pid_t start_recorder(void)
{
    ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(stop[1]);
        struct recorder_start start = {.world = &world,
                                       .rings = rings,
                                       .ring_count = WORKERS,
                                       .wake_fd = wake_recorder,
                                       .admin_listener = listener,
                                       .metrics = metrics,
                                       .slot = 0,
                                       .stop_fd = stop[0]};
        _exit(recorder_run(&start));
    }
    close(stop[0]);
    return pid;
}

static void stop_recorder(pid_t pid)
{
    int status;
    close(stop[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static void kill_child(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void wait_durable(struct ring *r, uint64_t position)
{
    for (int i = 0; i < 5000 && ring_durable(r) < position; i++)
        usleep(1000);
    ck_assert_uint_ge(ring_durable(r), position);
}

static struct weir_str make(struct buf *b, enum record_kind kind, unsigned worker, uint64_t n, int64_t attempt)
{
    char id[32];

    b->len = 0;
    snprintf(id, sizeof id, "w%u-%lu", worker, n);
    struct record_writer w = record_begin(b, kind, clock_wall_us(), str_of(id));
    record_int(&w, RECORD_attempt, attempt);
    record_str(&w, RECORD_provider, WEIR_STR("mock"));
    record_bool(&w, RECORD_stream, true);
    if (kind == KIND_close)
        record_str(&w, RECORD_outcome, WEIR_STR("ok"));
    record_end(&w);
    return buf_view(b);
}

static uint64_t put(unsigned worker, enum record_kind kind, uint64_t n)
{
    struct buf b = {0};
    uint64_t position = 0;
    enum ring_room room = kind == KIND_open ? RING_OPEN : kind == KIND_close ? RING_END : RING_SINGLE;

    ck_assert(ring_put(rings[worker], room, make(&b, kind, worker, n, 1), &position));
    buf_fini(&b);
    return position;
}

/* ---- what the journal says, read without any code of the recorder but the cursor ---- */

struct seen {
    unsigned opens, closes, died, gaps;
    uint64_t last;
};

static bool holds(struct weir_str text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

static struct seen read_journal(void (*each)(const struct journal_frame *, void *), void *owner)
{
    struct cursor *c = cursor_open(state, 1, &e);
    struct journal_frame f;
    struct seen s = {0};
    enum cursor_result got;

    ck_assert_msg(c != NULL, "%s", e.text);
    while ((got = cursor_next(c, &f, &e)) != CURSOR_END) {
        ck_assert_msg(got == CURSOR_FRAME, "%s", e.text);
        if (f.seq != s.last + 1)
            ck_abort_msg("%lu after %lu", f.seq, s.last);
        s.last = f.seq;
        s.opens += holds(f.text, "{\"kind\":\"open\"");
        s.closes += holds(f.text, "{\"kind\":\"close\"");
        s.gaps += holds(f.text, "{\"kind\":\"gap\"");
        s.died += holds(f.text, "\"outcome\":\"worker_died\"");
        if (each)
            each(&f, owner);
    }
    cursor_close(c);
    return s;
}

START_TEST(puts_become_durable)
{
    pid_t pid = start_recorder();
    uint64_t position = 0;

    ring_attach(rings[0]);
    put(0, KIND_open, 1);
    position = put(0, KIND_close, 1);
    wait_durable(rings[0], position);
    ck_assert(ring_has_recorder(rings[0]));
    ck_assert_int_eq(metrics_sum(metrics, METRIC_journal_records, 0), 2);
    ck_assert_int_eq(metrics_sum(metrics, METRIC_journal_sync_us, 0) > 0, 1);
    struct seen s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.opens, 1);
    ck_assert_uint_eq(s.closes, 1);
    stop_recorder(pid);
    s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.last, 2);
}
END_TEST

/* 60 opens one after another, each waited for: far less than 60 times the 40 ms that a batch may gather. */
START_TEST(strict_waits_are_not_gathered)
{
    pid_t pid = start_recorder();
    uint64_t n;

    ring_attach(rings[0]);
    wait_durable(rings[0], put(0, KIND_deny, 0));
    int64_t from = clock_us();
    for (uint64_t i = 1; i <= 60; i++) {
        uint64_t position = put(0, KIND_open, i);
        ring_want_durable(rings[0], position);
        while (ring_durable(rings[0]) < position) {
            struct pollfd p = {.fd = wake_worker[0], .events = POLLIN};
            ck_assert_int_eq(poll(&p, 1, 5000), 1);
            ck_assert_int_eq(read(wake_worker[0], &n, sizeof n), 8);
        }
        put(0, KIND_close, i);
    }
    ck_assert_int_lt(clock_us() - from, 60 * 40000 / 2);
    stop_recorder(pid);
    struct seen s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.opens, 60);
    ck_assert_uint_eq(s.closes, 60);
}
END_TEST

START_TEST(a_batch_waits_no_longer_than_50_ms)
{
    pid_t pid = start_recorder();
    int64_t longest = 0, sum = 0;

    ring_attach(rings[0]);
    wait_durable(rings[0], put(0, KIND_deny, 0));
    for (uint64_t i = 1; i <= 20; i++) {
        int64_t from = clock_us(), took;
        uint64_t position = put(0, KIND_deny, i);
        while (ring_durable(rings[0]) < position)
            usleep(500);
        took = clock_us() - from;
        longest = took > longest ? took : longest;
        sum += took;
        usleep(3000);
    }
    ck_assert_int_ge(longest, 39000);   /* they were gathered */
    ck_assert_int_lt(sum / 20, 100000); /* 40 ms of gathering; the rest is a sync, and a machine that is busy */
    stop_recorder(pid);
}
END_TEST

/* ---- kill -9 of the recorder under load ---- */

struct worker_ledger {
    _Atomic uint64_t put, durable;
    _Atomic bool stop;
};

static _Noreturn void play_worker(unsigned me, struct worker_ledger *l)
{
    struct buf b = {0};
    uint64_t n = 0, position;

    ring_attach(rings[me]);
    while (!atomic_load(&l->stop)) {
        if (!ring_put(rings[me], RING_OPEN, make(&b, KIND_open, me, n + 1, 1), NULL)) {
            usleep(500);
            continue;
        }
        if (!ring_put(rings[me], RING_END, make(&b, KIND_close, me, n + 1, 1), &position))
            _exit(1);
        atomic_store(&l->put, ++n);
        if (n % 64 == 0)
            usleep(200);
    }
    _exit(0);
}

static void expect_pairs(const struct journal_frame *f, void *owner)
{
    uint64_t *next = owner; /* per worker: records seen, open and close in turns */
    unsigned worker = f->slot;
    char want[64];

    snprintf(want, sizeof want, "\"id\":\"w%u-%lu\",", worker, next[worker] / 2 + 1);
    if (f->ring == 0 || !holds(f->text, want) ||
        !holds(f->text, next[worker] % 2 ? "\"kind\":\"close\"" : "\"kind\":\"open\""))
        ck_abort_msg("want %s: %.*s", want, (int)f->text.len, f->text.ptr);
    next[worker]++;
}

START_TEST(killed_recorder_loses_and_doubles_nothing)
{
    struct worker_ledger *l =
        mmap(NULL, WORKERS * sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t next[WORKERS] = {0};
    pid_t workers[WORKERS], recorder;
    unsigned seed = 11;
    int status;

    for (unsigned i = 0; i < WORKERS; i++)
        if ((workers[i] = fork()) == 0)
            play_worker(i, &l[i]);
    for (int round = 0; round < 200; round++) {
        recorder = start_recorder();
        usleep((unsigned)rand_r(&seed) % (round % 10 == 0 ? 120000 : 12000));
        kill_child(recorder);
        close(stop[1]);
    }
    recorder = start_recorder();
    usleep(100000);
    for (unsigned i = 0; i < WORKERS; i++) {
        atomic_store(&l[i].stop, true);
        ck_assert_int_eq(waitpid(workers[i], &status, 0), workers[i]);
        ck_assert_int_eq(status, 0);
    }
    stop_recorder(recorder);
    struct seen s = read_journal(expect_pairs, next);
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_uint_eq(next[i], 2 * atomic_load(&l[i].put));
    ck_assert_uint_eq(s.gaps, 0);
    ck_assert_uint_eq(s.died, 0);
    ck_assert_uint_gt(s.opens, 5000);
    munmap(l, WORKERS * sizeof *l);
}
END_TEST

/* ---- kill -9 of workers, and of the recorder meanwhile ---- */

#define IDS 400000

struct attempts {
    uint8_t opens[IDS], closes[IDS];
};

static _Noreturn void play_many(unsigned me, _Atomic uint64_t *next)
{
    struct buf b = {0};
    uint64_t open[8] = {0};

    ring_attach(rings[me]);
    for (unsigned i = 0;; i++) {
        uint64_t n = atomic_fetch_add(next, 1);
        uint64_t *o = &open[i % 8];
        if (*o && !ring_put(rings[me], RING_END, make(&b, KIND_close, me, *o, 1), NULL))
            _exit(1);
        *o = n < IDS && ring_put(rings[me], RING_OPEN, make(&b, KIND_open, me, n, 1), NULL) ? n : 0;
        usleep(n % 50 == 0 ? 300 : 0);
    }
}

static void count_attempt(const struct journal_frame *f, void *owner)
{
    struct attempts *a = owner;
    struct record_head h;
    char id[32];

    ck_assert(record_read_head(f->text, &h));
    ck_assert_uint_lt(h.id.len, sizeof id);
    memcpy(id, h.id.ptr, h.id.len);
    id[h.id.len] = '\0';
    uint64_t n = strtoull(id + 3, NULL, 10);
    ck_assert_uint_lt(n, IDS);
    if (h.kind == KIND_open)
        a->opens[n]++;
    else if (a->opens[n] == 1) /* a close comes after its open */
        a->closes[n]++;
}

START_TEST(every_open_has_one_close)
{
    struct attempts *a = calloc(1, sizeof *a);
    _Atomic uint64_t *next = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t workers[WORKERS], recorder = start_recorder();
    unsigned seed = 17, opens = 0;

    atomic_store(next, 1);
    for (unsigned i = 0; i < WORKERS; i++)
        if ((workers[i] = fork()) == 0)
            play_many(i, next);
    for (int round = 0; round < 200; round++) {
        unsigned i = (unsigned)round % WORKERS;
        usleep((unsigned)rand_r(&seed) % 10000);
        kill_child(workers[i]);
        if (round % 3 == 0) {
            kill_child(recorder);
            close(stop[1]);
            recorder = start_recorder();
        }
        if ((workers[i] = fork()) == 0)
            play_many(i, next);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        kill_child(workers[i]);
        ring_retire(rings[i]);
    }
    stop_recorder(recorder);
    struct seen s = read_journal(count_attempt, a);
    for (unsigned n = 0; n < IDS; n++) {
        if (a->opens[n] > 1 || a->opens[n] != a->closes[n])
            ck_abort_msg("request %u: %u opens, %u closes", n, a->opens[n], a->closes[n]);
        opens += a->opens[n];
    }
    ck_assert_uint_eq(s.opens, s.closes);
    ck_assert_uint_eq(s.opens, opens);
    ck_assert_uint_gt(s.died, 100);
    ck_assert_uint_eq(s.gaps, 0);
    free(a);
}
END_TEST

static void find_died(const struct journal_frame *f, void *owner)
{
    if (holds(f->text, "worker_died"))
        snprintf(owner, 512, "%.*s", (int)f->text.len, f->text.ptr);
}

START_TEST(an_orphan_says_what_its_open_said)
{
    char got[512] = "";
    pid_t pid = start_recorder();
    struct buf b = {0};

    ring_attach(rings[1]);
    struct record_writer w = record_begin(&b, KIND_open, 1, WEIR_STR("a\"b"));
    record_int(&w, RECORD_attempt, 2);
    record_str(&w, RECORD_key, WEIR_STR("k1"));
    record_str(&w, RECORD_model, WEIR_STR("m\\"));
    record_bool(&w, RECORD_stream, true);
    record_int(&w, RECORD_bytes_in, 12);
    record_end(&w);
    uint64_t position;
    ck_assert(ring_put(rings[1], RING_OPEN, buf_view(&b), &position));
    ring_retire(rings[1]);
    wait_durable(rings[1], position); /* there is a journal now */
    for (int i = 0; i < 2000 && !*got; i++) {
        usleep(1000);
        read_journal(find_died, got);
    }
    char *id = strstr(got, ",\"id\":");
    ck_assert_ptr_nonnull(id);
    ck_assert_str_eq(
        id, ",\"id\":\"a\\\"b\",\"attempt\":2,\"key\":\"k1\",\"model\":\"m\\\\\",\"stream\":true,\"bytes_in\":12,"
            "\"outcome\":\"worker_died\",\"reason\":\"the worker ended before the request did: how far it came is not "
            "known\"}");
    stop_recorder(pid);
    buf_fini(&b);
}
END_TEST

/* ---- the power cut: tmpfs is gone, the disk is not ---- */

static void lose_rings(void)
{
    char path[128];

    close_rings();
    for (unsigned i = 0; i < WORKERS; i++) {
        snprintf(path, sizeof path, "%s/ring.%u", rings_dir, i);
        ck_assert_int_eq(unlink(path), 0);
    }
    open_rings();
}

START_TEST(lost_rings_leave_a_gap_and_no_open_end)
{
    pid_t pid = start_recorder();
    char path[128];

    ring_attach(rings[0]);
    wait_durable(rings[0], put(0, KIND_open, 1));
    kill_child(pid);
    close(stop[1]);
    put(0, KIND_close, 1); /* in the ring only */
    lose_rings();
    for (int again = 0; again < 2; again++) { /* told once */
        pid = start_recorder();
        ring_attach(rings[0]);
        wait_durable(rings[0], put(0, KIND_deny, 2));
        kill_child(pid);
        close(stop[1]);
        struct seen s = read_journal(NULL, NULL);
        ck_assert_uint_eq(s.gaps, 1);
        ck_assert_uint_eq(s.opens, 1);
        ck_assert_uint_eq(s.closes, 1);
        ck_assert_uint_eq(s.died, 1);
    }
    snprintf(path, sizeof path, "%s/journal/snapshot", state);
    ck_assert_int_eq(unlink(path), 0); /* and without the snapshot as well */
    pid = start_recorder();
    stop_recorder(pid);
    struct seen s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.gaps, 1);
    ck_assert_uint_eq(s.closes, 1);
}
END_TEST

START_TEST(a_clean_stop_leaves_no_gap)
{
    pid_t pid = start_recorder();

    ring_attach(rings[0]);
    put(0, KIND_open, 1);
    put(0, KIND_close, 1);
    ring_retire(rings[0]);
    stop_recorder(pid);
    lose_rings();
    stop_recorder(start_recorder());
    struct seen s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.last, 2);
}
END_TEST

static void find_range(const struct journal_frame *f, void *owner)
{
    if (holds(f->text, "\"code\":\"journal_damaged\""))
        snprintf(owner, 512, "%.*s", (int)f->text.len, f->text.ptr);
}

START_TEST(damage_is_told_once)
{
    char path[256], got[512] = "";
    struct journal_frame f;
    pid_t pid = start_recorder();

    ring_attach(rings[0]);
    for (uint64_t i = 1; i <= 4; i++)
        wait_durable(rings[0], put(0, KIND_deny, i));
    kill_child(pid);
    close(stop[1]);
    snprintf(path, sizeof path, "%s/journal/%020d.wj", state, 1);
    int fd = open(path, O_RDWR);
    struct cursor *c = cursor_open(state, 1, &e);
    ck_assert_int_eq(cursor_next(c, &f, &e), CURSOR_FRAME);
    ck_assert_int_eq(pwrite(fd, "#", 1, 32 + 48 + (off_t)f.text.len + 60), 1);
    cursor_close(c);
    close(fd);
    for (int again = 0; again < 2; again++) {
        pid = start_recorder();
        wait_durable(rings[0], put(0, KIND_deny, 5));
        kill_child(pid);
        close(stop[1]);
    }
    unsigned gaps = 0;
    c = cursor_open(state, 3, &e);
    while (cursor_next(c, &f, &e) == CURSOR_FRAME) {
        find_range(&f, got);
        gaps += holds(f.text, "\"kind\":\"gap\"");
    }
    cursor_close(c);
    ck_assert_uint_eq(gaps, 1);
    ck_assert_ptr_nonnull(strstr(got, "\"from\":2,\"to\":2}"));
}
END_TEST

START_TEST(nonsense_from_a_worker_becomes_a_gap)
{
    pid_t pid = start_recorder();
    uint64_t position;

    ring_attach(rings[0]);
    ck_assert(ring_put(rings[0], RING_SINGLE, WEIR_STR("this is no record"), &position));
    wait_durable(rings[0], put(0, KIND_deny, 1));
    stop_recorder(pid);
    struct seen s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.last, 2);
    ck_assert_uint_eq(s.gaps, 1);
}
END_TEST

/* ---- no room ---- */

static void wait_closed(bool closed)
{
    for (int i = 0; i < 5000 && ring_closed(rings[0]) != closed; i++)
        usleep(1000);
    ck_assert_int_eq(ring_closed(rings[0]), closed);
}

START_TEST(a_full_disk_closes_the_rings_and_opens_them_again)
{
    static char big[3900000];
    char path[128];
    uint64_t n = 0, position = 0;

    if (unshare(CLONE_NEWNS) < 0)
        ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    ck_assert_msg(mount("tmpfs", state, "tmpfs", 0, "size=4m,mode=700") == 0, "%s", strerror(errno));
    snprintf(path, sizeof path, "%s/ballast", state);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, big, 3900000), 3900000);
    log_open(WEIR_ERROR, "test");
    freopen("/dev/null", "w", stderr); /* it says that it cannot write */
    pid_t pid = start_recorder();
    ring_attach(rings[0]);
    for (int i = 0; i < 100000 && !ring_closed(rings[0]); i++) {
        struct buf b = {0};
        if (ring_put(rings[0], RING_SINGLE, make(&b, KIND_deny, 0, n + 1, 1), &position))
            n++;
        else
            usleep(1000);
        buf_fini(&b);
    }
    wait_closed(true);
    ck_assert_int_eq(metrics_sum(metrics, METRIC_journal_failed, 0), 1);
    ck_assert(ring_has_recorder(rings[0]));
    usleep(300000);
    ck_assert_uint_lt(ring_durable(rings[0]), position);
    kill_child(pid); /* and killed while it is full */
    close(stop[1]);
    pid = start_recorder();
    usleep(100000);
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    wait_durable(rings[0], position);
    wait_closed(false);
    stop_recorder(pid);
    struct seen s = read_journal(NULL, NULL);
    ck_assert_uint_eq(s.last, n);
    ck_assert_uint_eq(s.gaps, 0);
    close(fd);
    ck_assert_int_eq(umount2(state, MNT_DETACH), 0);
}
END_TEST

/* ---- the admin listener ---- */

static uint16_t listen_here(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    return a.sin_port;
}

static void ask(uint16_t port, const char *request, char *answer, size_t room)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t got = 0;
    ssize_t n;

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    shutdown(fd, SHUT_WR);
    while (got + 1 < room && (n = read(fd, answer + got, room - 1 - got)) > 0)
        got += (size_t)n;
    answer[got] = '\0';
    close(fd);
}

static unsigned count_in(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

START_TEST(admin_answers)
{
    static char got[1 << 20];
    uint16_t port = listen_here();
    pid_t pid = start_recorder();

    ask(port, "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", got, sizeof got);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 OK\r\n", 17), 0);
    ck_assert_ptr_nonnull(strstr(got, "Content-Length: 3\r\n"));
    ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nok\n"));
    ask(port, "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", got, sizeof got);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 503 ", 13), 0);
    ck_assert_ptr_nonnull(strstr(got, "journal ok\nworkers 0\n"));
    ring_attach(rings[0]);
    ask(port, "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", got, sizeof got);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 ", 13), 0);
    ask(port, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", got, sizeof got);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 ", 13), 0);
    ck_assert_ptr_nonnull(strstr(got, "\nweir_journal_failed 0\n"));
    ask(port, "HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", got, sizeof got);
    ck_assert_ptr_null(strstr(got, "weir_"));
    ask(port,
        "GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\nPOST /health HTTP/1.1\r\nHost: "
        "a\r\n\r\n"
        "GET /health HTTP/1.0\r\n\r\n",
        got, sizeof got);
    ck_assert_uint_eq(count_in(got, "HTTP/1.1 200 OK"), 2);
    ck_assert_uint_eq(count_in(got, "HTTP/1.1 404 "), 1);
    ck_assert_uint_eq(count_in(got, "HTTP/1.1 405 "), 1);
    ck_assert_uint_eq(count_in(got, "Connection: close"), 1);
    static const char *const bad[] = {
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "nonsense\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask(port, bad[i], got, sizeof got);
        ck_assert_msg(strncmp(got, "HTTP/1.1 400 ", 13) == 0, "%s", got);
        ck_assert_uint_eq(count_in(got, "HTTP/1.1 "), 1);
    }
    for (int i = 0; i < 200; i++) /* comes and goes without a word */
        ask(port, i % 2 ? "GET /he" : "", got, sizeof got);
    ask(port, "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", got, sizeof got);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 OK\r\n", 17), 0);
    stop_recorder(pid);
    close(listener);
    listener = -1;
}
END_TEST

/* A recorder with nothing to do sleeps: four turns a second. */
START_TEST(idle_costs_nothing)
{
    pid_t pid = start_recorder();
    char path[64], line[512];
    unsigned long user, system;

    usleep(2000000);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    fclose(f);
    ck_assert_int_eq(
        sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
    ck_assert_uint_le(user + system, 3); /* hundredths of a second, its start too */
    stop_recorder(pid);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("recorder");
    TCase *t = tcase_create("recorder");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, puts_become_durable);
    tcase_add_test(t, strict_waits_are_not_gathered);
    tcase_add_test(t, a_batch_waits_no_longer_than_50_ms);
    tcase_add_test(t, killed_recorder_loses_and_doubles_nothing);
    tcase_add_test(t, every_open_has_one_close);
    tcase_add_test(t, an_orphan_says_what_its_open_said);
    tcase_add_test(t, lost_rings_leave_a_gap_and_no_open_end);
    tcase_add_test(t, a_clean_stop_leaves_no_gap);
    tcase_add_test(t, damage_is_told_once);
    tcase_add_test(t, nonsense_from_a_worker_becomes_a_gap);
    tcase_add_test(t, a_full_disk_closes_the_rings_and_opens_them_again);
    tcase_add_test(t, admin_answers);
    tcase_add_test(t, idle_costs_nothing);
    suite_add_tcase(s, t);
    return s;
}
