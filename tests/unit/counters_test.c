/* SPDX-License-Identifier: Apache-2.0 */
/* counters_test.c -- rates by a table worked out by hand, exact sums over processes, holds that outlive kill -9 of
 * their takers. */
#include "unit.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/counters.h"

#define SECOND 1000000

/* 2 a second with a burst of 3: a unit is 500,000 us, and up to 3 may come at once. */
START_TEST(gcra_by_hand)
{
    static const struct {
        int64_t at;
        bool ok;
        int64_t retry;
    } table[] = {
        {0, true, 0},
        {0, true, 0},
        {0, true, 0}, /* due 1,500,000: 1,500,000 ahead, 1,000,000 allowed */
        {0, false, 500000},
        {499999, false, 1},
        {500000, true, 0}, /* due 2,000,000 */
        {500001, false, 499999},
        {1999999, true, 0},  /* due 2,000,000, 1 ahead -> 2,500,000 */
        {1999999, true, 0},  /* 500,001 ahead -> 3,000,000 */
        {1999999, false, 1}, /* 1,000,001 ahead */
        {2000000, true, 0},
        {10000000, true, 0},
        {10000000, true, 0},
        {10000000, true, 0},
        {10000000, false, 500000},
    };
    struct counters *c = counters_new(64, 16);

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t retry = -1;
        bool ok = counters_rate(c, 7, 2, SECOND, 3, table[i].at, &retry);
        ck_assert_msg(ok == table[i].ok && retry == table[i].retry, "row %zu: %d %ld", i, ok, (long)retry);
    }
    counters_free(c);
}
END_TEST

/* 7 a minute: a unit is 8,571,428.571 us, kept as 8,571,428,572 ns. */
START_TEST(gcra_odd_rates)
{
    struct counters *c = counters_new(64, 16);
    int64_t retry;

    ck_assert(counters_rate(c, 1, 7, 60 * SECOND, 1, 0, &retry));
    ck_assert(!counters_rate(c, 1, 7, 60 * SECOND, 1, 0, &retry));
    ck_assert_int_eq(retry, 8571429);
    ck_assert(!counters_rate(c, 1, 7, 60 * SECOND, 1, 8571428, &retry));
    ck_assert_int_eq(retry, 1);
    ck_assert(counters_rate(c, 1, 7, 60 * SECOND, 1, 8571429, &retry));
    /* faster than one a microsecond: 3 a microsecond, burst 1: 334 ns each, so 3 must wait */
    ck_assert(counters_rate(c, 2, 3, 1, 1, 100, NULL));
    ck_assert(!counters_rate(c, 2, 3, 1, 1, 100, &retry));
    ck_assert_int_eq(retry, 1);
    ck_assert(counters_rate(c, 2, 3, 1, 1, 101, NULL));
    /* numbers that do not fit must not wrap round */
    ck_assert(counters_rate(c, 3, 1, INT64_MAX / 2, INT64_MAX / 2, 1764030000123456, NULL));
    ck_assert(counters_rate(c, 3, 1, INT64_MAX / 2, INT64_MAX / 2, 1764030000123456, NULL));
    ck_assert_uint_eq(counters_lost(c), 0);
    counters_free(c);
}
END_TEST

START_TEST(levels)
{
    struct counters *c = counters_new(64, 16);

    ck_assert_int_eq(counters_level_of(c, 5), 0);
    ck_assert_int_eq(counters_level(c, 5, 10), 10);
    ck_assert_int_eq(counters_level(c, 5, -3), 7);
    ck_assert_int_eq(counters_level(c, 6, 1), 1);
    ck_assert_int_eq(counters_level(c, 5, -100), 0);
    ck_assert_int_eq(counters_level(c, 5, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(counters_level(c, 5, 1), INT64_MAX);
    ck_assert_int_eq(counters_level_of(c, 6), 1);
    ck_assert(counters_rate(c, 6, 1, SECOND, 1, 0, NULL)); /* the same key, another use */
    ck_assert_int_eq(counters_level_of(c, 6), 1);
    counters_free(c);
}
END_TEST

START_TEST(full_tables_allow_and_say_so)
{
    struct counters *c = counters_new(4, 2);
    uint64_t hold;

    counters_own(c, 1);
    for (uint64_t k = 0; k < 3; k++)
        ck_assert_int_eq(counters_level(c, k, 1), 1);
    ck_assert(counters_hold(c, 50, 9, SECOND, 0, &hold) && hold);
    ck_assert_uint_eq(counters_lost(c), 0);
    ck_assert_int_eq(counters_level(c, 9, 1), 0);
    ck_assert(counters_rate(c, 9, 1, SECOND, 1, 0, NULL));
    ck_assert(counters_rate(c, 9, 1, SECOND, 1, 0, NULL));
    ck_assert_uint_eq(counters_lost(c), 3);
    ck_assert(counters_hold(c, 50, 9, SECOND, 0, &hold) && hold);
    ck_assert(counters_hold(c, 50, 9, SECOND, 0, &hold) && !hold); /* no entry is left */
    counters_give_back(c, hold);
    ck_assert_uint_eq(counters_lost(c), 4);
    ck_assert_int_eq(counters_held(c, 50), 2);
    counters_free(c);
}
END_TEST

START_TEST(holds)
{
    struct counters *c = counters_new(64, 16);
    uint64_t a, b, d;

    counters_own(c, 77);
    ck_assert(counters_hold(c, 1, 2, 10 * SECOND, 0, &a));
    ck_assert(counters_hold(c, 1, 2, 20 * SECOND, 0, &b));
    ck_assert_uint_ne(a, b);
    ck_assert(!counters_hold(c, 1, 2, SECOND, 0, &d));
    ck_assert_uint_eq(d, 0);
    ck_assert(counters_hold(c, 2, 1, SECOND, 0, &d)); /* another key */
    counters_give_back(c, a);
    ck_assert_int_eq(counters_held(c, 1), 1);
    counters_give_back(c, a);
    counters_give_back(c, 0);
    counters_give_back(c, UINT64_MAX);
    ck_assert_int_eq(counters_held(c, 1), 1);
    ck_assert(counters_hold(c, 1, 2, 30 * SECOND, 0, &d));
    ck_assert(!counters_hold(c, 1, 2, SECOND, 20 * SECOND - 1, &a));
    ck_assert(counters_hold(c, 1, 2, SECOND, 20 * SECOND, &a)); /* b has expired */
    counters_give_back(c, b);                                   /* so this does nothing */
    ck_assert_int_eq(counters_held(c, 1), 2);
    counters_free(c);
}
END_TEST

START_TEST(gives_back_by_owner)
{
    struct counters *c = counters_new(64, 64);
    uint64_t hold;

    for (uint32_t owner = 1; owner <= 3; owner++) {
        pid_t child = fork();
        if (child == 0) {
            counters_own(c, owner);
            for (unsigned i = 0; i < owner * 5; i++)
                if (!counters_hold(c, 1, 100, SECOND, 0, &hold))
                    _exit(1);
            _exit(0);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(counters_held(c, 1), 30);
    ck_assert_uint_eq(counters_give_back_all(c, 2), 10);
    ck_assert_int_eq(counters_held(c, 1), 20);
    ck_assert_uint_eq(counters_give_back_all(c, 2), 0);
    ck_assert_uint_eq(counters_give_back_all(c, 1), 5);
    ck_assert_uint_eq(counters_give_back_all(c, 3), 15);
    ck_assert_int_eq(counters_held(c, 1), 0);
    for (unsigned i = 0; i < 3 * COUNTERS_LANES; i++) { /* lanes are used again */
        pid_t child = fork();
        if (child == 0) {
            counters_own(c, 1000 + i);
            _exit(!counters_hold(c, 1, 100, SECOND, 0, &hold) || hold == 0);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_uint_eq(counters_give_back_all(c, 1000 + i), 1);
    }
    counters_free(c);
}
END_TEST

/* ---- several processes ---- */

#define CHILDREN 4

struct tally {
    _Atomic int64_t allowed, most;
};

static struct tally *tally_new(void)
{
    struct tally *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(t, MAP_FAILED);
    return t;
}

static void all_end_well(const pid_t *children)
{
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
}

START_TEST(rates_are_exact_over_processes)
{
    struct counters *c = counters_new(256, 16);
    struct tally *t = tally_new();
    pid_t children[CHILDREN];

    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0) {
            for (int n = 0; n < 100000; n++) {
                atomic_fetch_add(&t->allowed,
                                 counters_rate(c, (uint64_t)(n % 50), 60, 60 * SECOND, 777, 5 * SECOND, NULL));
                counters_level(c, 1, n % 2 ? -1 : 1);
            }
            _exit(0);
        }
    all_end_well(children);
    ck_assert_int_eq(t->allowed, 50 * 777);
    ck_assert_int_eq(counters_level_of(c, 1), 0);
    counters_free(c);
    munmap(t, sizeof *t);
}
END_TEST

/* Nobody ever sees more than the ceiling, no free place is refused for good, and all comes back. */
START_TEST(holds_are_exact_over_processes)
{
    struct counters *c = counters_new(256, 256);
    struct tally *t = tally_new();
    pid_t children[CHILDREN];

    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0) {
            uint64_t hold;
            counters_own(c, (uint32_t)i + 1);
            for (int n = 0; n < 50000; n++) {
                if (!counters_hold(c, 9, 3, 3600ll * SECOND, 0, &hold))
                    continue;
                int64_t now = atomic_fetch_add(&t->allowed, 1) + 1;
                if (now > 3)
                    _exit(1);
                if (now > atomic_load(&t->most))
                    atomic_store(&t->most, now);
                if (n % 16 == 0)
                    sched_yield(); /* while it holds, so that the ceiling is met on one core too */
                atomic_fetch_sub(&t->allowed, 1);
                counters_give_back(c, hold);
            }
            _exit(0);
        }
    all_end_well(children);
    ck_assert_int_eq(t->most, 3);
    ck_assert_int_eq(counters_held(c, 9), 0);
    counters_free(c);
    munmap(t, sizeof *t);
}
END_TEST

static _Noreturn void hammer(struct counters *c, uint32_t owner)
{
    uint64_t held[4] = {0};

    counters_own(c, owner);
    for (unsigned n = 0;; n++) {
        counters_give_back(c, held[n % 4]);
        counters_hold(c, n % 2, 6, 3600ll * SECOND, 0, &held[n % 4]);
        counters_rate(c, n % 3, 1000, SECOND, 10, n, NULL);
    }
}

/* Killed at any instruction, of all four at once; those that live on never notice, and in the end nothing is held. */
START_TEST(killed_takers_leave_nothing)
{
    struct counters *c = counters_new(64, 64);
    pid_t children[CHILDREN];
    uint32_t owner = 1, owners[CHILDREN];
    unsigned seed = 3, given = 0;

    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0)
            hammer(c, (uint32_t)i + 1);
    for (int i = 0; i < CHILDREN; i++)
        owners[i] = owner++;
    for (int round = 0; round < 600; round++) {
        int i = rand_r(&seed) % CHILDREN;
        nanosleep(&(struct timespec){0, rand_r(&seed) % 2000 * 1000}, NULL);
        ck_assert_int_eq(kill(children[i], SIGKILL), 0);
        ck_assert_int_eq(waitpid(children[i], NULL, 0), children[i]);
        given += counters_give_back_all(c, owners[i]);
        owners[i] = owner++;
        if ((children[i] = fork()) == 0)
            hammer(c, owners[i]);
    }
    for (int i = 0; i < CHILDREN; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
        given += counters_give_back_all(c, owners[i]);
    }
    ck_assert_uint_gt(given, 100);
    ck_assert_int_eq(counters_held(c, 0), 0);
    ck_assert_int_eq(counters_held(c, 1), 0);
    uint64_t hold;
    counters_own(c, owner);
    for (int i = 0; i < 64; i++) /* no entry is lost either */
        ck_assert(counters_hold(c, 5, 64, SECOND, 0, &hold) && hold);
    ck_assert_uint_eq(counters_lost(c), 0);
    counters_free(c);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("counters");
    TCase *t = tcase_create("counters");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, gcra_by_hand);
    tcase_add_test(t, gcra_odd_rates);
    tcase_add_test(t, levels);
    tcase_add_test(t, full_tables_allow_and_say_so);
    tcase_add_test(t, holds);
    tcase_add_test(t, gives_back_by_owner);
    tcase_add_test(t, rates_are_exact_over_processes);
    tcase_add_test(t, holds_are_exact_over_processes);
    tcase_add_test(t, killed_takers_leave_nothing);
    suite_add_tcase(s, t);
    return s;
}
