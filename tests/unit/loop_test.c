/* SPDX-License-Identifier: Apache-2.0 */
/* loop_test.c -- the event loop: delivery, removal from inside callbacks, timers in order, tasks, no allocation. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "net/loop.h"

static struct loop loop;

static void setup(void)
{
    loop_init(&loop);
}

static void teardown(void)
{
    loop_fini(&loop);
}

/* ---- counting allocations: by the sanitizer's hooks, or by standing before the C library ---- */

static size_t allocations;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *));
static void on_malloc(const volatile void *p, size_t n)
{
    (void)p, (void)n;
    allocations++;
}
static void on_free(const volatile void *p)
{
    (void)p;
}
static void count_allocations(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
__attribute__((visibility("default"))) void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}
__attribute__((visibility("default"))) void *calloc(size_t n, size_t m)
{
    allocations++;
    return __libc_calloc(n, m);
}
__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}
static void count_allocations(void) {}
#endif

/* ---- descriptors ---- */

struct end {
    struct loop_fd io;
    int calls;
    uint32_t seen;
    struct end *victim; /* removed from inside the callback */
    bool freed;         /* ... and its memory is spoiled */
    char got[16];
};

static void end_read(struct loop_fd *io, uint32_t events)
{
    struct end *e = (struct end *)io;

    e->calls++;
    e->seen = events;
    if (events & EPOLLIN)
        ck_assert_int_ge(read(io->fd, e->got, sizeof e->got), 0);
    if (e->victim) {
        loop_del(&loop, &e->victim->io);
        if (e->freed)
            memset(&e->victim->io, 0xa5, sizeof e->victim->io);
    }
}

static void pipe_new(int p[2])
{
    ck_assert_int_eq(pipe(p), 0);
}

START_TEST(delivers)
{
    struct end e = {.io.ready = end_read};
    int p[2];

    pipe_new(p);
    loop_add(&loop, &e.io, p[0], EPOLLIN);
    ck_assert(loop_turn(&loop, 0));
    ck_assert_int_eq(e.calls, 0);
    ck_assert_int_eq(write(p[1], "x", 1), 1);
    loop_turn(&loop, 1000);
    ck_assert_int_eq(e.calls, 1);
    ck_assert_uint_eq(e.seen, EPOLLIN);
    loop_want(&loop, &e.io, 0);
    ck_assert_int_eq(write(p[1], "x", 1), 1);
    loop_turn(&loop, 0);
    ck_assert_int_eq(e.calls, 1);
    loop_want(&loop, &e.io, EPOLLIN); /* level-triggered: it is still there */
    loop_turn(&loop, 0);
    ck_assert_int_eq(e.calls, 2);
    loop_del(&loop, &e.io);
    loop_del(&loop, &e.io);
    ck_assert_int_eq(write(p[1], "x", 1), 1);
    loop_turn(&loop, 0);
    ck_assert_int_eq(e.calls, 2);
    close(p[0]), close(p[1]);
}
END_TEST

START_TEST(level_triggered)
{
    struct end e = {.io.ready = end_read};
    int p[2];

    pipe_new(p);
    loop_add(&loop, &e.io, p[0], EPOLLIN);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(write(p[1], "0123456789abcdef", 16), 16);
    loop_turn(&loop, 1000);
    loop_turn(&loop, 1000);
    ck_assert_int_eq(e.calls, 2);
    loop_del(&loop, &e.io);
    close(p[0]), close(p[1]);
}
END_TEST

START_TEST(removed_is_not_delivered)
{
    struct end a = {.io.ready = end_read}, b = {.io.ready = end_read};
    int pa[2], pb[2];

    pipe_new(pa), pipe_new(pb);
    a.victim = &b, b.victim = &a;
    a.freed = b.freed = _i;
    loop_add(&loop, &a.io, pa[0], EPOLLIN);
    loop_add(&loop, &b.io, pb[0], EPOLLIN);
    ck_assert_int_eq(write(pa[1], "x", 1) + write(pb[1], "x", 1), 2);
    loop_turn(&loop, 1000); /* both are ready in one batch; the first removes the second */
    ck_assert_int_eq(a.calls + b.calls, 1);
    close(pa[0]), close(pa[1]), close(pb[0]), close(pb[1]);
}
END_TEST

/* Removes the other and puts it back under another descriptor: the event that was fetched was the old one's. */
static struct end *swapped;
static int swap_to;

static void end_swap(struct loop_fd *io, uint32_t events)
{
    struct end *e = (struct end *)io;

    end_read(io, events);
    if (swapped == e || !swapped)
        return;
    loop_del(&loop, &swapped->io);
    close(swapped->io.fd);
    loop_add(&loop, &swapped->io, swap_to, EPOLLIN);
    swapped = NULL;
}

START_TEST(reused_is_not_delivered)
{
    struct end a = {.io.ready = end_swap}, b = {.io.ready = end_swap};
    int pa[2], pb[2], pc[2];

    pipe_new(pa), pipe_new(pb), pipe_new(pc);
    loop_add(&loop, &a.io, pa[0], EPOLLIN);
    loop_add(&loop, &b.io, pb[0], EPOLLIN);
    swapped = &b, swap_to = pc[0];
    ck_assert_int_eq(write(pa[1], "x", 1) + write(pb[1], "x", 1), 2);
    loop_turn(&loop, 1000);
    ck_assert_int_eq(a.calls, 1);
    ck_assert_int_eq(b.calls, 0);
    ck_assert_int_eq(write(pc[1], "c", 1), 1);
    loop_turn(&loop, 1000);
    ck_assert_int_eq(b.calls, 1);
    ck_assert_int_eq(b.got[0], 'c');
    loop_del(&loop, &a.io), loop_del(&loop, &b.io);
    close(pa[0]), close(pa[1]), close(pb[1]), close(pc[0]), close(pc[1]);
}
END_TEST

static void end_free_self(struct loop_fd *io, uint32_t events)
{
    (void)events;
    loop_del(&loop, io);
    close(io->fd);
    free(io);
}

START_TEST(frees_itself)
{
    struct end *e = must_alloc(sizeof *e);
    int p[2];

    pipe_new(p);
    e->io.ready = end_free_self;
    loop_add(&loop, &e->io, p[0], EPOLLIN);
    close(p[1]);
    loop_turn(&loop, 1000);
    loop_turn(&loop, 0);
}
END_TEST

START_TEST(closed_before_removed)
{
    struct end e = {.io.ready = end_read};
    int p[2];

    pipe_new(p);
    loop_add(&loop, &e.io, p[0], EPOLLIN);
    close(p[0]);
    loop_del(&loop, &e.io);
    close(p[1]);
    ck_assert(!e.io.added);
}
END_TEST

/* ---- timers ---- */

struct bell {
    struct loop_timer timer;
    int rings;
    int64_t at_us, again_us;
    struct bell *stops;
};

static struct bell *rung[16];
static int rung_count;

static void bell_ring(struct loop_timer *t)
{
    struct bell *b = (struct bell *)t;

    b->rings++;
    b->at_us = clock_us();
    if (rung_count < 16)
        rung[rung_count++] = b;
    if (b->again_us)
        loop_timer_set(&loop, t, b->again_us);
    if (b->stops)
        loop_timer_stop(&loop, &b->stops->timer);
}

static void turn_for(int64_t us)
{
    for (int64_t end = clock_us() + us, now; (now = clock_us()) < end;)
        loop_turn(&loop, (int)((end - now) / 1000) + 1);
}

START_TEST(timers_in_order)
{
    static const int64_t after[] = {9000, 1000, 5000, 3000, 7000, 1000, 0, -5};
    struct bell b[8] = {0};

    rung_count = 0;
    for (int i = 0; i < 8; i++) {
        b[i].timer.fire = bell_ring;
        loop_timer_set(&loop, &b[i].timer, after[i]);
    }
    int64_t start = loop.now_us;
    turn_for(15000);
    ck_assert_int_eq(rung_count, 8);
    for (int i = 1; i < 8; i++)
        ck_assert_int_le(after[rung[i - 1] - b] < 1 ? 1 : after[rung[i - 1] - b],
                         after[rung[i] - b] < 1 ? 1 : after[rung[i] - b]);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_ge(b[i].at_us, start + after[i]);
        ck_assert_uint_eq(b[i].timer.slot, 0);
        ck_assert_int_eq(b[i].timer.due_us, INT64_MAX);
    }
}
END_TEST

START_TEST(timer_moves)
{
    struct bell late = {.timer.fire = bell_ring}, early = late, idle = late, stopped = late, revived = late;

    loop_timer_set(&loop, &late.timer, 2000);
    loop_timer_set(&loop, &late.timer, 12000); /* later: only the number */
    ck_assert_int_eq(late.timer.key_us, loop.now_us + 2000);
    loop_timer_set(&loop, &early.timer, 60000000);
    loop_timer_set(&loop, &early.timer, 2000); /* earlier: in the heap too */
    loop_timer_set(&loop, &idle.timer, 2000);
    loop_timer_idle(&idle.timer);
    loop_timer_set(&loop, &stopped.timer, 2000);
    loop_timer_stop(&loop, &stopped.timer);
    loop_timer_stop(&loop, &stopped.timer);
    loop_timer_set(&loop, &revived.timer, 1000);
    loop_timer_idle(&revived.timer);
    loop_timer_set(&loop, &revived.timer, 3000);
    int64_t start = loop.now_us;
    turn_for(8000);
    ck_assert_int_eq(early.rings, 1);
    ck_assert_int_eq(revived.rings, 1);
    ck_assert_int_ge(revived.at_us, start + 3000);
    ck_assert_int_eq(late.rings, 0);
    turn_for(12000);
    ck_assert_int_eq(late.rings, 1);
    ck_assert_int_ge(late.at_us, start + 12000);
    ck_assert_int_eq(idle.rings + stopped.rings, 0);
    ck_assert_uint_eq(loop.count, 0);
}
END_TEST

START_TEST(timer_restarts_itself)
{
    struct bell b = {.timer.fire = bell_ring, .again_us = -1}, other = {.timer.fire = bell_ring};

    loop_timer_set(&loop, &b.timer, 0);
    for (int i = 1; i <= 10; i++) {
        loop_turn(&loop, 1000); /* once a turn, and at once */
        ck_assert_int_eq(b.rings, i);
    }
    b.again_us = 0;
    b.stops = &other; /* due in the same turn, stopped by the one before it */
    loop_timer_set(&loop, &other.timer, 2);
    usleep(10);
    loop_turn(&loop, 0);
    turn_for(2000);
    ck_assert_int_eq(other.rings, 0);
}
END_TEST

START_TEST(timer_spurious_wakeups_are_bounded)
{
    struct bell b = {.timer.fire = bell_ring};
    int turns = 0;

    loop_timer_set(&loop, &b.timer, 2000);
    loop_timer_set(&loop, &b.timer, 30000);
    for (; !b.rings; turns++)
        loop_turn(&loop, -1);
    ck_assert_int_le(turns, 4); /* once at 2 ms, once at 30 ms */
}
END_TEST

#define MANY 100000

static int64_t many_last;
static size_t many_rung;

static void many_fire(struct loop_timer *t)
{
    ck_assert_int_ge(t->key_us, many_last);
    many_last = t->key_us;
    many_rung++;
}

START_TEST(timers_100k)
{
    struct loop_timer *t = must_alloc(MANY * sizeof *t);
    uint64_t x = 88172645463325252u;
    size_t stopped = 0;

    many_last = 0, many_rung = 0;
    for (size_t i = 0; i < MANY; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        t[i].fire = many_fire;
        loop_timer_set(&loop, &t[i], (int64_t)(x % 50000) + 1000);
    }
    int64_t begin = clock_us();
    for (int round = 0; round < 10; round++)
        for (size_t i = 0; i < MANY; i++) /* to about the same time: no heap work */
            loop_timer_set(&loop, &t[i], t[i].due_us - loop.now_us + 1);
    printf("loop: re-arming a timer takes %.1f ns\n", (double)(clock_us() - begin) * 1000 / (10.0 * MANY));
    for (size_t i = 0; i < MANY; i += 3, stopped++)
        loop_timer_stop(&loop, &t[i]);
    while (loop.count)
        loop_turn(&loop, -1);
    ck_assert_uint_eq(many_rung, MANY - stopped);
    free(t);
}
END_TEST

/* The heap against a plain array, over random verbs. */
START_TEST(timers_against_a_model)
{
    enum { N = 200 };
    static struct bell b[N];
    int64_t due[N];
    uint64_t x = 1234567;

    memset(b, 0, sizeof b);
    for (int i = 0; i < N; i++)
        b[i].timer.fire = bell_ring, due[i] = INT64_MAX;
    for (int step = 0; step < 20000; step++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        int i = (int)(x >> 33) % N, verb = (int)(x >> 20) % 8;
        int64_t after = (int64_t)(x >> 40) % 3000 + 1;
        if (verb == 0)
            loop_timer_stop(&loop, &b[i].timer), due[i] = INT64_MAX;
        else if (verb == 1)
            loop_timer_idle(&b[i].timer), due[i] = INT64_MAX;
        else
            loop_timer_set(&loop, &b[i].timer, after), due[i] = loop.now_us + after;
        if (step % 100 == 99) {
            loop_turn(&loop, 0);
            for (int k = 0; k < N; k++) {
                ck_assert_int_eq(b[k].rings, due[k] <= loop.now_us ? 1 : 0);
                if (b[k].rings)
                    b[k].rings = 0, due[k] = INT64_MAX;
            }
        }
    }
    for (int i = 0; i < N; i++)
        loop_timer_stop(&loop, &b[i].timer);
    ck_assert_uint_eq(loop.count, 0);
}
END_TEST

/* ---- tasks ---- */

struct job {
    struct loop_task task;
    int runs, again;
    struct job *drops;
};

static void job_run(struct loop_task *t)
{
    struct job *j = (struct job *)t;

    j->runs++;
    if (j->again-- > 0)
        loop_defer(&loop, t);
    if (j->drops)
        loop_undefer(&loop, &j->drops->task);
}

START_TEST(tasks)
{
    struct job a = {.task.run = job_run}, b = a, c = a, d = a;

    a.drops = &b;
    loop_defer(&loop, &a.task);
    loop_defer(&loop, &a.task);
    loop_defer(&loop, &b.task);
    loop_defer(&loop, &c.task);
    loop_defer(&loop, &d.task);
    loop_undefer(&loop, &d.task); /* the last in line */
    loop_undefer(&loop, &d.task);
    loop_turn(&loop, -1); /* does not wait */
    ck_assert_int_eq(a.runs, 1);
    ck_assert_int_eq(b.runs, 0);
    ck_assert_int_eq(c.runs, 1);
    ck_assert_int_eq(d.runs, 0);
    a.drops = NULL, a.again = 3;
    loop_defer(&loop, &a.task);
    loop_turn(&loop, -1);
    ck_assert_int_eq(a.runs, 5); /* a task that a task makes runs in the same turn */
}
END_TEST

START_TEST(endless_task_lets_events_through)
{
    struct job a = {.task.run = job_run, .again = INT32_MAX};
    struct end e = {.io.ready = end_read};
    int p[2];

    pipe_new(p);
    loop_add(&loop, &e.io, p[0], EPOLLIN);
    ck_assert_int_eq(write(p[1], "x", 1), 1);
    loop_defer(&loop, &a.task);
    loop_turn(&loop, -1);
    loop_turn(&loop, -1);
    ck_assert_int_eq(e.calls, 1);
    loop_undefer(&loop, &a.task);
    loop_del(&loop, &e.io);
    close(p[0]), close(p[1]);
}
END_TEST

static void timer_stop_loop(struct loop_timer *t)
{
    (void)t;
    loop_stop(&loop);
}

START_TEST(stops)
{
    struct loop_timer t = {.fire = timer_stop_loop};

    loop_timer_set(&loop, &t, 1000);
    loop_run(&loop);
    ck_assert(!loop_turn(&loop, -1));
}
END_TEST

START_TEST(ignores_sigpipe)
{
    int p[2];

    pipe_new(p);
    close(p[0]);
    ck_assert_int_eq(write(p[1], "x", 1), -1); /* and we are still here */
    close(p[1]);
}
END_TEST

/* Two ends that throw a byte to and fro, each with a timer and a task. */
struct player {
    struct loop_fd io;
    int to;
    struct loop_timer timer;
    struct loop_task task;
};
static int64_t throws;

static void player_task(struct loop_task *t)
{
    (void)t;
}

static void player_ready(struct loop_fd *io, uint32_t events)
{
    struct player *p = (struct player *)io;
    char c;

    (void)events;
    throws++;
    must(read(io->fd, &c, 1) == 1); /* Check's own assertions allocate */
    loop_timer_set(&loop, &p->timer, 5000000);
    loop_defer(&loop, &p->task);
    loop_want(&loop, io, throws & 4 ? EPOLLIN : EPOLLIN | EPOLLRDHUP);
    must(write(p->to, &c, 1) == 1);
}

START_TEST(no_allocation_per_event)
{
    int p[2], q[2];
    pipe_new(p), pipe_new(q);
    struct player a = {.io.ready = player_ready, .to = q[1], .timer.fire = bell_ring, .task.run = player_task}, b = a;

    b.to = p[1];
    loop_add(&loop, &a.io, p[0], EPOLLIN);
    loop_add(&loop, &b.io, q[0], EPOLLIN);
    ck_assert_int_eq(write(p[1], "x", 1), 1);
    for (int i = 0; i < 10; i++)
        loop_turn(&loop, 1000); /* the heap gets its memory */
    count_allocations();
    free(must_alloc(1));
    ck_assert_uint_gt(allocations, 0); /* the counter counts */
    size_t before = allocations;
    int64_t from = throws;
    for (int i = 0; i < 10000; i++)
        loop_turn(&loop, 1000);
    size_t after = allocations;
    ck_assert_int_ge(throws - from, 10000);
    ck_assert_uint_eq(after - before, 0);
    loop_timer_stop(&loop, &a.timer), loop_timer_stop(&loop, &b.timer);
    loop_del(&loop, &a.io), loop_del(&loop, &b.io);
    close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("loop");
    TCase *t = tcase_create("loop");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, delivers);
    tcase_add_test(t, level_triggered);
    tcase_add_loop_test(t, removed_is_not_delivered, 0, 2);
    tcase_add_test(t, reused_is_not_delivered);
    tcase_add_test(t, frees_itself);
    tcase_add_test(t, closed_before_removed);
    tcase_add_test(t, timers_in_order);
    tcase_add_test(t, timer_moves);
    tcase_add_test(t, timer_restarts_itself);
    tcase_add_test(t, timer_spurious_wakeups_are_bounded);
    tcase_add_test(t, timers_100k);
    tcase_add_test(t, timers_against_a_model);
    tcase_add_test(t, tasks);
    tcase_add_test(t, endless_task_lets_events_through);
    tcase_add_test(t, stops);
    tcase_add_test(t, ignores_sigpipe);
    tcase_add_test(t, no_allocation_per_event);
    suite_add_tcase(s, t);
    return s;
}
