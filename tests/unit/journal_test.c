/* SPDX-License-Identifier: Apache-2.0 */
/* journal_test.c -- the journal: what is acknowledged stays, whatever is cut off, flipped, or full. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/journal.h"
#include "ipc/ring.h"

static char state[64];
static const struct journal_limits wide = {.segment = 1 << 20, .keep = 1 << 30};
static struct weir_error e;

static void setup(void)
{
    snprintf(state, sizeof state, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(state));
    e = (struct weir_error){0};
}

static void teardown(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", state);
    ck_assert_int_eq(system(cmd), 0);
}

static struct journal *open_with(const struct journal_limits *limits, uint64_t *repaired)
{
    struct journal *j = journal_open(state, limits, repaired, &e);
    ck_assert_msg(j != NULL, "%s", e.text);
    return j;
}

static struct journal *open_journal(void)
{
    uint64_t repaired;
    return open_with(&wide, &repaired);
}

static uint64_t append(struct journal *j, const char *text)
{
    struct journal_frame f = {.time_us = 5, .ring = 7, .position = 11, .slot = 13, .epoch = 17, .text = str_of(text)};
    journal_append(j, &f);
    return f.seq;
}

static void sync_ok(struct journal *j)
{
    ck_assert_msg(journal_sync(j, &e), "%s", e.text);
}

static struct cursor *open_cursor(uint64_t from)
{
    struct cursor *c = cursor_open(state, from, &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    return c;
}

static void next_is(struct cursor *c, uint64_t seq, const char *text)
{
    struct journal_frame f;
    enum cursor_result got = cursor_next(c, &f, &e);

    ck_assert_msg(got == CURSOR_FRAME, "%d %s", got, e.text);
    ck_assert_uint_eq(f.seq, seq);
    ck_assert_uint_eq(f.text.len, strlen(text));
    ck_assert_mem_eq(f.text.ptr, text, f.text.len);
    ck_assert_int_eq(f.time_us, 5);
    ck_assert_uint_eq(f.ring, 7);
    ck_assert_uint_eq(f.position, 11);
    ck_assert_uint_eq(f.slot, 13);
    ck_assert_uint_eq(f.epoch, 17);
}

static void end_is_here(struct cursor *c)
{
    struct journal_frame f;
    ck_assert_int_eq(cursor_next(c, &f, &e), CURSOR_END);
}

static void file_path(char *path, size_t room, uint64_t first)
{
    snprintf(path, room, "%s/journal/%020lu.wj", state, first);
}

static int64_t file_size(uint64_t first)
{
    char path[256];
    struct stat st;

    file_path(path, sizeof path, first);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* ---- */

START_TEST(writes_and_reads)
{
    struct journal *j = open_journal();
    struct cursor *c = open_cursor(0);

    ck_assert_uint_eq(journal_next_seq(j), 1);
    end_is_here(c);
    ck_assert_uint_eq(append(j, "one"), 1);
    ck_assert_uint_eq(append(j, "two"), 2);
    ck_assert_uint_eq(journal_pending(j), 2 * (48 + 3));
    end_is_here(c);
    sync_ok(j);
    ck_assert_uint_eq(journal_pending(j), 0);
    ck_assert_int_eq(file_size(1), 32 + 2 * 51);
    ck_assert_uint_eq(cursor_behind(c), 2);
    next_is(c, 1, "one");
    ck_assert_uint_eq(cursor_at(c), 2);
    next_is(c, 2, "two");
    end_is_here(c);
    append(j, "three");
    sync_ok(j);
    next_is(c, 3, "three");
    ck_assert_uint_eq(cursor_behind(c), 0);
    cursor_close(c);
    journal_close(j);
    j = open_journal();
    ck_assert_uint_eq(append(j, "four"), 4);
    sync_ok(j);
    c = open_cursor(2);
    next_is(c, 2, "two");
    next_is(c, 3, "three");
    next_is(c, 4, "four");
    end_is_here(c);
    ck_assert_uint_eq(cursor_lost(c), 0);
    cursor_close(c);
    journal_close(j);
}
END_TEST

/* A frame, byte by byte, as docs/journal.md says it; the CRC by hand-fed reference: CRC-32C of length and all behind
 * the CRC. */
START_TEST(format_is_as_written_down)
{
    struct journal *j = open_journal();
    static const uint8_t want[] = {3, 0, 0, 0, 0, 0, 0,  0, 1, 0, 0, 0, 0, 0, 0,  0, 5, 0, 0,  0, 0, 0, 0,   0,   7,  0,
                                   0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 13, 0, 0, 0, 17, 0, 0, 0, 'o', 'n', 'e'};
    uint8_t got[32 + sizeof want];
    char path[256];
    uint32_t crc = ~0u;

    append(j, "one");
    sync_ok(j);
    file_path(path, sizeof path, 1);
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, got, sizeof got), sizeof got);
    close(fd);
    ck_assert_mem_eq(got, "weirjrnl\1\0\0\0", 12);
    ck_assert_mem_eq(got + 16, "\1\0\0\0\0\0\0\0", 8);
    ck_assert_mem_eq(got + 32, want, 4);
    ck_assert_mem_eq(got + 32 + 8, want + 8, sizeof want - 8);
    for (size_t i = 0; i < sizeof want; i++) {
        if (i >= 4 && i < 8)
            continue;
        crc ^= want[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    ck_assert_mem_eq(got + 32 + 4, &crc, 4);
    journal_close(j);
}
END_TEST

START_TEST(one_writer)
{
    struct journal *j = open_journal();
    uint64_t repaired;

    ck_assert_ptr_null(journal_open(state, &wide, &repaired, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "another recorder"));
    journal_close(j);
    journal_close(open_journal());
}
END_TEST

START_TEST(no_journal_is_an_error_for_readers)
{
    ck_assert_ptr_null(cursor_open(state, 0, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "No such file"));
}
END_TEST

START_TEST(rotates_and_trims)
{
    struct journal_limits small = {.segment = 200, .keep = 600};
    uint64_t repaired;
    struct journal *j = open_with(&small, &repaired);
    struct cursor *c = open_cursor(0);
    char text[8];

    ck_assert(cursor_save(state, "slow", 8, &e));
    for (uint64_t i = 1; i <= 30; i++) { /* 50 bytes a frame: 32 + 4 x 50 >= 200, so 4 in a segment */
        snprintf(text, sizeof text, "%02lu", i);
        ck_assert_uint_eq(append(j, text), i);
        sync_ok(j);
        if (i > 15)
            next_is(c, i - 15, (snprintf(text, sizeof text, "%02lu", i - 15), text));
    }
    ck_assert_int_eq(file_size(1), 232);
    ck_assert_int_eq(file_size(5), 232);
    ck_assert_int_eq(file_size(29), 132);
    ck_assert_uint_eq(journal_trim(j, 31), 1); /* 5..8 has 8, which "slow" has still to read */
    ck_assert_int_eq(file_size(1), -1);
    ck_assert_int_eq(file_size(5), 232);
    ck_assert(cursor_save(state, "slow", 31, &e));
    ck_assert_uint_eq(journal_trim(j, 12), 1); /* 9..12 is needed by the recorder */
    ck_assert_uint_eq(journal_trim(j, 31), 3); /* left: 25..28 and 29..30 are 364, with 21..24 596 <= 600 */
    ck_assert_int_eq(file_size(21), 232);
    next_is(c, 16, "16"); /* what the cursor has open it may still read; then it is told */
    struct journal_frame f;
    ck_assert_int_eq(cursor_next(c, &f, &e), CURSOR_DAMAGED);
    ck_assert_str_eq(e.text, "records 17 to 20 are missing or damaged");
    ck_assert_uint_eq(cursor_lost(c), 4);
    next_is(c, 21, "21");
    cursor_close(c);
    c = open_cursor(0);
    next_is(c, 21, "21");
    cursor_close(c);
    c = open_cursor(29);
    next_is(c, 29, "29");
    next_is(c, 30, "30");
    end_is_here(c);
    cursor_close(c);
    journal_close(j);
    j = open_with(&small, &repaired);
    ck_assert_uint_eq(journal_next_seq(j), 31);
    journal_close(j);
}
END_TEST

/* Three batches; the file ends at every byte of the last two frames. */
START_TEST(torn_at_every_byte)
{
    struct journal *j = open_journal();
    char path[256];
    static char copy[1024];
    int64_t size;

    append(j, "first");
    sync_ok(j);
    append(j, "second");
    append(j, "third one");
    sync_ok(j);
    journal_close(j);
    file_path(path, sizeof path, 1);
    int fd = open(path, O_RDWR);
    size = pread(fd, copy, sizeof copy, 0);
    ck_assert_int_eq(size, 32 + 53 + 54 + 57);
    for (int64_t cut = 0; cut <= size; cut++) {
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(pwrite(fd, copy, (size_t)cut, 0), cut);
        uint64_t whole = (cut >= 32 + 53) + (cut >= 32 + 53 + 54) + (cut >= size), repaired;
        int64_t good = whole == 0 ? 32 : whole == 1 ? 85 : whole == 2 ? 139 : 196;
        j = open_with(&wide, &repaired);
        ck_assert_uint_eq(repaired, cut > good ? (uint64_t)(cut - good) : 0);
        ck_assert_uint_eq(append(j, "after"), whole + 1);
        sync_ok(j);
        journal_close(j);
        struct cursor *c = open_cursor(1);
        for (uint64_t i = 1; i <= whole; i++)
            next_is(c, i, i == 1 ? "first" : i == 2 ? "second" : "third one");
        next_is(c, whole + 1, "after");
        end_is_here(c);
        cursor_close(c);
        if (whole == 0) { /* the file was made anew */
            close(fd);
            fd = open(path, O_RDWR);
        }
    }
    close(fd);
}
END_TEST

/* Every bit of the first two of three frames: whole frames behind damage stay, and what is missing is said. */
START_TEST(flipped_at_every_bit)
{
    struct journal *j = open_journal();
    struct journal_frame f;
    char path[256], byte, flipped;
    uint64_t repaired;

    append(j, "first");
    append(j, "second");
    append(j, "third");
    sync_ok(j);
    journal_close(j);
    file_path(path, sizeof path, 1);
    int fd = open(path, O_RDWR);
    for (int64_t at = 0; at < 32 + 53 + 54; at++)
        for (int bit = 0; bit < 8; bit++) {
            ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
            flipped = (char)(byte ^ 1 << bit);
            ck_assert_int_eq(pwrite(fd, &flipped, 1, at), 1);
            j = open_with(&wide, &repaired);
            if (repaired != 0 || journal_next_seq(j) != 4)
                ck_abort_msg("at %ld bit %d: %lu bytes cut, next %lu", at, bit, repaired, journal_next_seq(j));
            journal_close(j);
            struct cursor *c = open_cursor(1);
            if (at < 32) {
                next_is(c, 1, "first");
                next_is(c, 2, "second");
            } else if (at < 32 + 53) {
                ck_assert_int_eq(cursor_next(c, &f, &e), CURSOR_DAMAGED);
                ck_assert_uint_eq(cursor_lost(c), 1);
                next_is(c, 2, "second");
            } else {
                next_is(c, 1, "first");
                ck_assert_int_eq(cursor_next(c, &f, &e), CURSOR_DAMAGED);
                ck_assert_uint_eq(cursor_lost(c), 1);
            }
            next_is(c, 3, "third");
            end_is_here(c);
            cursor_close(c);
            ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
        }
    close(fd);
}
END_TEST

START_TEST(zeros_and_nonsense_behind_the_end)
{
    for (int kind = 0; kind < 3; kind++) {
        struct journal *j = open_journal();
        char path[256], tail[5000];
        uint64_t repaired, next = journal_next_seq(j);

        append(j, "kept");
        sync_ok(j);
        journal_close(j);
        for (size_t i = 0; i < sizeof tail; i++)
            tail[i] = kind == 0 ? 0 : kind == 1 ? (char)0xff : (char)(i * i * 31);
        file_path(path, sizeof path, 1);
        int fd = open(path, O_WRONLY | O_APPEND);
        ck_assert_int_eq(write(fd, tail, sizeof tail), sizeof tail);
        close(fd);
        j = open_with(&wide, &repaired);
        ck_assert_uint_eq(repaired, sizeof tail);
        ck_assert_uint_eq(journal_next_seq(j), next + 1);
        journal_close(j);
    }
}
END_TEST

/* Written is not durable: what stands behind the mark is not told, and when it is cut off and written anew, the new is
 * told. */
START_TEST(readers_stop_at_the_durable_mark)
{
    struct journal *j = open_journal();
    char path[256], mark[16], old[16];
    struct cursor *c = open_cursor(1);

    append(j, "one");
    sync_ok(j);
    snprintf(path, sizeof path, "%s/journal/durable", state);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pread(fd, old, 16, 0), 16);
    append(j, "two, not safe");
    sync_ok(j);
    ck_assert_int_eq(pread(fd, mark, 16, 0), 16);
    ck_assert_int_eq(pwrite(fd, old, 16, 0), 16);
    next_is(c, 1, "one"); /* reads ahead */
    end_is_here(c);
    journal_close(j);
    file_path(path, sizeof path, 1);
    ck_assert_int_eq(truncate(path, 32 + 51), 0);
    j = open_journal();
    append(j, "another two");
    sync_ok(j);
    next_is(c, 2, "another two");
    ck_assert_int_eq(pwrite(fd, "nonsense, torn..", 16, 0), 16);
    append(j, "three");
    ck_assert_int_eq(pwrite(fd, "nonsense, torn..", 16, 0), 16);
    end_is_here(c); /* keeps to what it knew */
    sync_ok(j);
    next_is(c, 3, "three");
    close(fd);
    snprintf(path, sizeof path, "%s/journal/durable", state);
    ck_assert_int_eq(unlink(path), 0); /* a copy of a journal: all that is whole */
    cursor_close(c);
    c = open_cursor(2);
    next_is(c, 2, "another two");
    next_is(c, 3, "three");
    end_is_here(c);
    cursor_close(c);
    journal_close(j);
}
END_TEST

START_TEST(watchers_wake)
{
    struct journal *j = open_journal();
    struct cursor *c = open_cursor(1);
    struct pollfd p = {.fd = cursor_watch(c), .events = POLLIN};

    ck_assert_int_ge(p.fd, 0);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    append(j, "x");
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    sync_ok(j);
    ck_assert_int_eq(poll(&p, 1, 1000), 1);
    cursor_watched(c);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    next_is(c, 1, "x");
    cursor_close(c);
    journal_close(j);
}
END_TEST

START_TEST(places)
{
    uint64_t next, lowest, highest;
    char path[256];

    journal_close(open_journal());
    ck_assert(cursor_load(state, "a", &next, &e));
    ck_assert_uint_eq(next, 0);
    ck_assert_str_eq(e.text, "");
    ck_assert(!cursor_range(state, &lowest, &highest));
    ck_assert(cursor_save(state, "a", 17, &e));
    ck_assert(cursor_save(state, "b", 9000000000, &e));
    ck_assert(cursor_load(state, "a", &next, &e));
    ck_assert_uint_eq(next, 17);
    ck_assert(cursor_range(state, &lowest, &highest));
    ck_assert_uint_eq(lowest, 17);
    ck_assert_uint_eq(highest, 9000000000);
    ck_assert(!cursor_save(state, "../x", 1, &e));
    ck_assert(!cursor_load(state, "", &next, &e));
    static const char *const bad[] = {"", "17", "x\n", "17 \n", "0\n", "-1\n", "99999999999999999999\n"};
    snprintf(path, sizeof path, "%s/cursors/a", state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *file = fopen(path, "w");
        fputs(bad[i], file);
        fclose(file);
        ck_assert_msg(!cursor_load(state, "a", &next, &e), "%s", bad[i]);
    }
}
END_TEST

/* The journal was thrown away; its readers were at 50: they must not miss what comes. */
START_TEST(never_goes_back_behind_its_readers)
{
    journal_close(open_journal());
    ck_assert(cursor_save(state, "a", 50, &e));
    struct journal *j = open_journal();
    ck_assert_uint_eq(append(j, "x"), 50);
    sync_ok(j);
    struct cursor *c = open_cursor(50);
    next_is(c, 50, "x");
    cursor_close(c);
    journal_close(j);
}
END_TEST

/* ---- no room ---- */

static void fill_until_it_fails(struct journal *j, const char *text)
{
    for (int i = 0; i < 100000; i++) {
        append(j, text);
        if (i % 50 == 49 && !journal_sync(j, &e))
            return;
    }
    ck_abort_msg("it never failed");
}

static void all_there(uint64_t upto)
{
    struct cursor *c = open_cursor(1);
    struct journal_frame f;

    for (uint64_t i = 1; i <= upto; i++)
        if (cursor_next(c, &f, &e) != CURSOR_FRAME || f.seq != i)
            ck_abort_msg("at %lu: %s", i, e.text);
    end_is_here(c);
    cursor_close(c);
}

/* A disk that is really full: a tmpfs of 1 MB in a mount namespace of this process. */
START_TEST(full_disk)
{
    struct journal_limits small = {.segment = 100000, .keep = 1 << 30};
    uint64_t repaired, durable;
    char path[256], text[400];
    static char big[1 << 20];

    if (unshare(CLONE_NEWNS) < 0)
        ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    ck_assert_msg(mount("tmpfs", state, "tmpfs", 0, "size=1m,mode=700") == 0, "%s", strerror(errno));
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    snprintf(path, sizeof path, "%s/ballast", state);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, big, 600000), 600000);
    struct journal *j = open_with(&small, &repaired);
    fill_until_it_fails(j, text);
    ck_assert_str_eq(e.code, "disk_full");
    ck_assert_ptr_nonnull(strstr(e.text, "No space left"));
    durable = journal_next_seq(j) - 1 - journal_pending(j) / (48 + 399);
    ck_assert_uint_gt(durable, 300);
    all_there(durable);
    for (int i = 0; i < 3; i++)
        ck_assert(!journal_sync(j, &e));
    all_there(durable);
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    sync_ok(j);
    ck_assert_uint_eq(journal_pending(j), 0);
    all_there(journal_next_seq(j) - 1);
    journal_close(j);
    j = open_with(&small, &repaired);
    ck_assert_uint_eq(repaired, 0);
    journal_close(j);
    close(fd);
    ck_assert_int_eq(umount2(state, MNT_DETACH), 0);
}
END_TEST

/* Killed while the disk is full: half a batch may be in the file, and what was durable is all that counts. */
START_TEST(file_size_limit)
{
    struct journal *j = open_journal();
    struct rlimit limit = {100000, RLIM_INFINITY}, free_again = {RLIM_INFINITY, RLIM_INFINITY};
    char text[400];
    uint64_t durable, next;

    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill_until_it_fails(j, text);
    next = journal_next_seq(j);
    durable = next - 1 - journal_pending(j) / (48 + 399);
    all_there(durable);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &free_again), 0);
    sync_ok(j);
    all_there(next - 1);
    journal_close(j);
}
END_TEST

/* ---- kill -9 ---- */

START_TEST(killed_writers_keep_what_they_acknowledged)
{
    struct journal_limits small = {.segment = 20000, .keep = 1 << 30};
    uint64_t acknowledged = 0, repaired, torn = 0;
    unsigned seed = 5;

    for (int round = 0; round < 200; round++) {
        int ack[2];
        ck_assert_int_eq(pipe(ack), 0);
        pid_t child = fork();
        if (child == 0) {
            struct journal *j = journal_open(state, &small, &repaired, &e);
            char text[RECORD_MAX];
            memset(text, 'z', sizeof text);
            if (!j)
                _exit(1);
            for (;;) {
                for (int i = rand_r(&seed) % 5; i >= 0; i--) {
                    size_t n = 1 + (size_t)rand_r(&seed) % 3000;
                    struct journal_frame f = {.text = {text, n}};
                    journal_append(j, &f);
                }
                uint64_t last = journal_next_seq(j) - 1;
                if (!journal_sync(j, &e) || write(ack[1], &last, sizeof last) != sizeof last)
                    _exit(1);
            }
        }
        close(ack[1]);
        usleep((unsigned)rand_r(&seed) % 5000 + 500);
        seed += (unsigned)round;
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        ck_assert(WIFSIGNALED(status));
        for (uint64_t last; read(ack[0], &last, sizeof last) == sizeof last;)
            acknowledged = last;
        close(ack[0]);
        struct journal *j = open_with(&small, &repaired);
        torn += repaired > 0;
        ck_assert_uint_gt(journal_next_seq(j), acknowledged);
        acknowledged = journal_next_seq(j) - 1; /* what the next one finds is acknowledged too */
        journal_close(j);
    }
    all_there(acknowledged);
    ck_assert_uint_gt(acknowledged, 100);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("journal");
    TCase *t = tcase_create("journal");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, writes_and_reads);
    tcase_add_test(t, format_is_as_written_down);
    tcase_add_test(t, one_writer);
    tcase_add_test(t, no_journal_is_an_error_for_readers);
    tcase_add_test(t, rotates_and_trims);
    tcase_add_test(t, torn_at_every_byte);
    tcase_add_test(t, flipped_at_every_bit);
    tcase_add_test(t, zeros_and_nonsense_behind_the_end);
    tcase_add_test(t, readers_stop_at_the_durable_mark);
    tcase_add_test(t, watchers_wake);
    tcase_add_test(t, places);
    tcase_add_test(t, never_goes_back_behind_its_readers);
    tcase_add_test(t, full_disk);
    tcase_add_test(t, file_size_limit);
    tcase_add_test(t, killed_writers_keep_what_they_acknowledged);
    suite_add_tcase(s, t);
    return s;
}
