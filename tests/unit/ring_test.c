/* SPDX-License-Identifier: Apache-2.0 */
/* ring_test.c -- the ring: what fits, what is refused, what outlives kill -9 at any instruction. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/ring.h"

static char dir[64];

static void setup(void)
{
    snprintf(dir, sizeof dir, "/dev/shm/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static struct ring *open_ring(size_t size)
{
    struct weir_error e = {0};
    struct ring *r = ring_open(dir, 3, size, &e);

    ck_assert_msg(r != NULL, "%s", e.text);
    ck_assert_str_eq(e.text, "");
    return r;
}

static struct weir_str bytes_of(char *to, size_t n, char c)
{
    memset(to, c, n);
    return (struct weir_str){to, n};
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t n;

    if (poll(&p, 1, 0) != 1)
        return false;
    ck_assert_int_eq(read(fd, &n, sizeof n), 8);
    return true;
}

START_TEST(puts_and_takes_in_order)
{
    struct ring *r = open_ring(65536);
    struct ring_record rec;
    uint64_t at = ring_durable(r), first, second;

    ring_attach(r);
    ck_assert_uint_eq(ring_slot(r), 3);
    ck_assert_uint_eq(at, 0);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_NONE);
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("one"), &first));
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("second!!!"), &second));
    ck_assert_uint_eq(first, 16); /* 8 of head, 3 of text, padded to a multiple of 8 */
    ck_assert_uint_eq(second, 40);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    ck_assert_uint_eq(rec.position, 16);
    ck_assert_uint_eq(rec.epoch, 1);
    ck_assert_uint_eq(rec.bytes.len, 3);
    ck_assert_mem_eq(rec.bytes.ptr, "one", 3);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    ck_assert_mem_eq(rec.bytes.ptr, "second!!!", 9);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_NONE);
    ck_assert_uint_eq(at, 40);
    ck_assert_uint_eq(ring_durable(r), 0);
    ring_release(r, at);
    ck_assert_uint_eq(ring_durable(r), 40);
    ring_close(r);
}
END_TEST

/* Lengths that do not divide the ring, 50 times round. */
START_TEST(wraps)
{
    struct ring *r = open_ring(65536);
    struct ring_record rec;
    char text[RECORD_MAX];
    uint64_t at = 0;

    ring_attach(r);
    for (unsigned i = 0; i < 3000; i++) {
        size_t n = 1 + i * 7919 % 3000;
        ck_assert(ring_put(r, RING_SINGLE, bytes_of(text, n, (char)('a' + i % 26)), NULL));
        ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
        ck_assert_uint_eq(rec.bytes.len, n);
        ck_assert_mem_eq(rec.bytes.ptr, text, n);
        ring_release(r, at);
    }
    ck_assert_uint_gt(at, 50 * 65536);
    ring_close(r);
}
END_TEST

/* 65536 bytes: an open of 92 (entry 104... the head is 8, so 92 + 8 = 100, padded 104) and its reserved 1032 make 1136;
 * 57 of them are 64752, and 784 are left: no further open, and singles only out of those. */
START_TEST(full_ring_refuses_new_requests_never_endings)
{
    struct ring *r = open_ring(65536);
    char text[RECORD_MAX];
    unsigned opens = 0, singles = 0;

    ring_attach(r);
    while (ring_put(r, RING_OPEN, bytes_of(text, 92, 'o'), NULL))
        opens++;
    ck_assert_uint_eq(opens, 57);
    while (ring_put(r, RING_SINGLE, bytes_of(text, 92, 's'), NULL))
        singles++;
    ck_assert_uint_eq(singles, 7); /* 784 / 104 */
    ck_assert(!ring_put(r, RING_END, bytes_of(text, RING_END_MAX + 200, 'e'), NULL));
    for (unsigned i = 0; i < opens; i++) {
        ck_assert(ring_put(r, RING_END, bytes_of(text, RING_END_MAX, 'e'), NULL));
        ck_assert(!ring_put(r, RING_OPEN, bytes_of(text, 92, 'o'), NULL));
    }
    ring_close(r);
}
END_TEST

START_TEST(spare_records_leave_half_the_ring_to_the_others)
{
    struct ring *r = open_ring(65536);
    char text[RECORD_MAX];
    unsigned spare = 0, opens = 0;

    ring_attach(r);
    ck_assert(ring_put(r, RING_OPEN, bytes_of(text, 92, 'o'), NULL));
    while (ring_put(r, RING_SPARE, bytes_of(text, 92, 's'), NULL))
        spare++;
    ck_assert_uint_eq(spare, 304); /* 32768 - 1032 - 104 = 31632, / 104 */
    while (ring_put(r, RING_OPEN, bytes_of(text, 92, 'o'), NULL))
        opens++;
    ck_assert_uint_eq(opens, 28); /* 32784 / (104 + 1032) */
    ck_assert(!ring_put(r, RING_SPARE, bytes_of(text, 1, 's'), NULL));
    ck_assert(ring_put(r, RING_SINGLE, bytes_of(text, 92, 's'), NULL));
    for (unsigned i = 0; i < opens + 1; i++)
        ck_assert(ring_put(r, RING_END, bytes_of(text, RING_END_MAX, 'e'), NULL));
    ring_close(r);
}
END_TEST

START_TEST(an_end_may_use_free_room)
{
    struct ring *r = open_ring(65536);
    char text[RECORD_MAX];

    ring_attach(r);
    ck_assert(ring_put(r, RING_OPEN, bytes_of(text, 92, 'o'), NULL));
    ck_assert(ring_put(r, RING_END, bytes_of(text, RECORD_MAX, 'e'), NULL));
    ring_close(r);
}
END_TEST

START_TEST(attach_forgets_reservations_and_raises_the_epoch)
{
    struct ring *r = open_ring(65536);
    char text[RECORD_MAX];
    struct ring_record rec;
    uint64_t at = 0;
    unsigned opens = 0;

    ring_attach(r);
    while (ring_put(r, RING_OPEN, bytes_of(text, 92, 'o'), NULL))
        opens++;
    while (ring_next(r, &at, &rec) == RING_RECORD)
        ck_assert_uint_eq(rec.epoch, 1);
    ring_release(r, at);
    ck_assert(!ring_put(r, RING_SINGLE, bytes_of(text, 8000, 's'), NULL)); /* 57 x 1032 are still promised */
    ring_attach(r);
    ck_assert_uint_eq(ring_epoch(r), 2);
    for (unsigned i = 0; i < 15; i++)
        ck_assert(ring_put(r, RING_SINGLE, bytes_of(text, 4096, 's'), NULL));
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    ck_assert_uint_eq(rec.epoch, 2);
    ck_assert(ring_has_producer(r));
    ring_retire(r);
    ck_assert_uint_eq(ring_epoch(r), 3);
    ck_assert(!ring_has_producer(r));
    ring_close(r);
}
END_TEST

START_TEST(wakes_only_sleepers)
{
    struct ring *r = open_ring(65536);
    int recorder = eventfd(0, EFD_NONBLOCK), worker = eventfd(0, EFD_NONBLOCK);
    char text[RECORD_MAX];
    uint64_t position, at = 0;
    struct ring_record rec;

    ring_set_fds(r, recorder, worker);
    ring_attach(r);
    ck_assert(readable(recorder));
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("x"), NULL));
    ck_assert(!readable(recorder));           /* awake */
    ck_assert(!ring_sleep(r, RING_IDLE, at)); /* something is there: no sleep */
    ring_awake(r);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    ring_release(r, at);
    ck_assert(!readable(worker)); /* nobody asked */
    ck_assert(ring_sleep(r, RING_IDLE, at));
    ck_assert(ring_put(r, RING_OPEN, WEIR_STR("x"), &position));
    ck_assert(readable(recorder));
    ck_assert(ring_put(r, RING_END, WEIR_STR("x"), NULL));
    ck_assert(!readable(recorder)); /* one bell is enough */
    ck_assert(ring_sleep(r, RING_GATHER, at));
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("x"), NULL));
    ck_assert(!readable(recorder));
    ring_want_durable(r, at + 48); /* three entries of 16 */
    ck_assert(readable(recorder));
    ck_assert(ring_wanted(r));
    ck_assert(!ring_sleep(r, RING_GATHER, at));
    ring_awake(r);
    while (ring_next(r, &at, &rec) == RING_RECORD)
        ;
    ring_release(r, position); /* on the way: who waits for less may go on */
    ck_assert(readable(worker));
    ck_assert(ring_wanted(r));
    ring_release(r, at);
    ck_assert(readable(worker));
    ck_assert(!ring_wanted(r));
    ring_release(r, at);
    ck_assert(!readable(worker));
    ring_adopt(r); /* the recorder before may have died between the release and the bell */
    ck_assert(readable(worker));
    ck_assert(ring_sleep(r, RING_GATHER, at));
    for (int i = 0; i < 7; i++) { /* 7 x 4104 < 32768 < 8 x 4104 */
        ck_assert(ring_put(r, RING_SINGLE, bytes_of(text, 4096, 's'), NULL));
        ck_assert(!readable(recorder));
    }
    ck_assert(ring_put(r, RING_SINGLE, bytes_of(text, 4096, 's'), NULL));
    ck_assert(readable(recorder));
    ck_assert(ring_sleep(r, RING_AWAKE, at));
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("x"), NULL));
    ck_assert(!readable(recorder));
    ring_close(r);
    close(recorder);
    close(worker);
}
END_TEST

START_TEST(tells_of_recorder_and_closing)
{
    struct ring *r = open_ring(65536);

    ck_assert(!ring_has_recorder(r));
    ring_beat(r);
    ck_assert(ring_has_recorder(r));
    ck_assert(!ring_closed(r));
    ring_set_closed(r, true);
    ck_assert(ring_closed(r));
    ring_set_closed(r, false);
    ck_assert(!ring_closed(r));
    ring_close(r);
}
END_TEST

START_TEST(keeps_its_size_while_it_holds_records)
{
    struct ring *r = open_ring(65536);
    struct ring_record rec;
    uint64_t at, identity = ring_identity(r);

    ck_assert_uint_ne(identity, 0);
    ring_attach(r);
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("kept"), NULL));
    ring_close(r);
    r = open_ring(131072);
    ck_assert_uint_eq(ring_size(r), 65536);
    ck_assert_uint_eq(ring_identity(r), identity);
    at = ring_durable(r);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    ck_assert_mem_eq(rec.bytes.ptr, "kept", 4);
    ring_release(r, at);
    ring_close(r);
    r = open_ring(131072);
    ck_assert_uint_eq(ring_size(r), 131072);
    ck_assert_uint_ne(ring_identity(r), identity);
    ck_assert_uint_eq(ring_durable(r), 0);
    identity = ring_identity(r);
    ring_close(r);
    r = open_ring(131072);
    ck_assert_uint_eq(ring_identity(r), identity);
    ring_close(r);
}
END_TEST

static void damage(size_t at, const void *with, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/ring.3", dir);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pwrite(fd, with, n, (off_t)at), (ssize_t)n);
    close(fd);
}

START_TEST(survives_nonsense)
{
    struct ring *r = open_ring(65536);
    struct ring_record rec;
    uint64_t at = 0;

    ring_attach(r);
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("bad"), NULL));
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("lost"), NULL));
    damage(4096, "\xff\xff\xff\x7f", 4); /* the first length */
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_DAMAGED);
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_NONE);
    ring_release(r, at);
    ck_assert(ring_put(r, RING_SINGLE, WEIR_STR("good"), NULL));
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_RECORD);
    ck_assert_mem_eq(rec.bytes.ptr, "good", 4);
    damage(64, "\xf9\xff\xff\xff\xff\xff\xff\x7f", 8); /* the producer's position */
    ck_assert_int_eq(ring_next(r, &at, &rec), RING_DAMAGED);
    ring_release(r, at);
    ring_close(r);
    damage(0, "another layout", 14);
    r = open_ring(65536);
    ck_assert_uint_eq(ring_durable(r), 0);
    ring_close(r);
}
END_TEST

/* ---- kill -9 ---- */

struct ledger {
    _Atomic uint64_t acknowledged;
}; /* records that ring_put() said yes to */

/* Records say their number and repeat it through their whole length, so that a torn one is seen. */
static size_t make_record(char *to, uint64_t number)
{
    size_t n = 16 + number * 2654435761u % 1500;

    n -= n % 8;
    for (size_t i = 0; i < n; i += 8)
        memcpy(to + i, &number, 8);
    return n;
}

static _Noreturn void putting_child(struct ring *r, struct ledger *l)
{
    char text[2048];
    bool open = false;

    ring_attach(r);
    for (uint64_t i = atomic_load(&l->acknowledged) + 1;;) {
        size_t n = make_record(text, i);
        if (ring_put(r, open ? RING_END : RING_OPEN, (struct weir_str){text, n}, NULL)) {
            atomic_store(&l->acknowledged, i++);
            open = !open;
        }
    }
}

/* Takes what is there; each record must be whole and follow the one before, or repeat it when the child was killed
 * after the put and before it could note that. */
static uint64_t drain(struct ring *r, uint64_t *at, uint64_t last, unsigned most)
{
    struct ring_record rec;
    uint64_t number;
    enum ring_result got = RING_RECORD;

    while (most-- && (got = ring_next(r, at, &rec)) == RING_RECORD) {
        memcpy(&number, rec.bytes.ptr, 8);
        char want[2048];
        size_t n = make_record(want, number);
        if ((number != last + 1 && number != last) || rec.bytes.len != n || memcmp(rec.bytes.ptr, want, n) != 0)
            ck_abort_msg("record %lu of %zu bytes after %lu", number, rec.bytes.len, last);
        last = number;
        ring_release(r, *at);
    }
    ck_assert_int_ne(got, RING_DAMAGED);
    return last;
}

START_TEST(killed_producers_lose_nothing)
{
    struct ledger *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct ring *r = open_ring(65536);
    uint64_t at = 0, last = 0;
    unsigned seed = 1;

    for (unsigned round = 1; round <= 300; round++) {
        pid_t child = fork();
        if (child == 0)
            putting_child(r, l);
        int64_t us = rand_r(&seed) % 3000;
        struct timespec pause = {0, us * 1000};
        if (round % 3 == 0) /* also with a ring that fills up */
            nanosleep(&pause, NULL);
        else
            for (int i = 0; i < 20; i++) {
                last = drain(r, &at, last, 30);
                nanosleep(&(struct timespec){0, us * 50}, NULL);
            }
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        last = drain(r, &at, last, UINT32_MAX);
        uint64_t acknowledged = atomic_load(&l->acknowledged);
        ck_assert_msg(last == acknowledged || last == acknowledged + 1, "have %lu, acknowledged %lu", last,
                      acknowledged);
        ck_assert_uint_le(ring_epoch(r), round); /* less when it was killed before ring_attach() */
    }
    ck_assert_uint_gt(last, 10000);
    ring_close(r);
    munmap(l, sizeof *l);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("ring");
    TCase *t = tcase_create("ring");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, puts_and_takes_in_order);
    tcase_add_test(t, wraps);
    tcase_add_test(t, full_ring_refuses_new_requests_never_endings);
    tcase_add_test(t, spare_records_leave_half_the_ring_to_the_others);
    tcase_add_test(t, an_end_may_use_free_room);
    tcase_add_test(t, attach_forgets_reservations_and_raises_the_epoch);
    tcase_add_test(t, wakes_only_sleepers);
    tcase_add_test(t, tells_of_recorder_and_closing);
    tcase_add_test(t, keeps_its_size_while_it_holds_records);
    tcase_add_test(t, survives_nonsense);
    tcase_add_test(t, killed_producers_lose_nothing);
    suite_add_tcase(s, t);
    return s;
}
