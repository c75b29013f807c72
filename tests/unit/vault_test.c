/* SPDX-License-Identifier: Apache-2.0 */
/* vault_test.c -- slots of secrets: what a reader gets while a writer writes, or has been killed. */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/vault.h"

static struct weir_str take(struct vault *v, size_t slot, int64_t now, struct arena *a)
{
    arena_reset(a);
    return vault_take(v, slot, now, a);
}

START_TEST(the_newest_counts_until_it_expires)
{
    struct vault *v = vault_new(2);
    struct arena a = {0};

    ck_assert_ptr_null(take(v, 0, 5, &a).ptr);
    vault_put(v, 0, WEIR_STR("first"), 100);
    ck_assert_str_eq(take(v, 0, 99, &a).ptr, "first");
    ck_assert_ptr_null(take(v, 0, 100, &a).ptr);
    vault_put(v, 0, WEIR_STR("2nd"), 200);
    vault_put(v, 0, WEIR_STR("3rd"), 0);
    ck_assert_str_eq(take(v, 0, INT64_MAX, &a).ptr, "3rd");
    ck_assert_uint_eq(take(v, 0, 0, &a).len, 3);
    ck_assert_ptr_null(take(v, 1, 5, &a).ptr);
    arena_fini(&a);
    vault_free(v);
}
END_TEST

START_TEST(the_largest_fits)
{
    static char secret[WEIR_CREDENTIAL_MAX];
    struct vault *v = vault_new(1);
    struct arena a = {0};

    memset(secret, 'x', sizeof secret);
    vault_put(v, 0, (struct weir_str){secret, sizeof secret}, 0);
    ck_assert_uint_eq(take(v, 0, 1, &a).len, sizeof secret);
    ck_assert_mem_eq(take(v, 0, 1, &a).ptr, secret, sizeof secret);
    arena_fini(&a);
    vault_free(v);
}
END_TEST

static bool is_readable(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, 0) == 1;
}

START_TEST(states_and_refusals)
{
    struct vault *v = vault_new(2);

    ck_assert_int_eq(vault_state_of(v, 1), VAULT_ASKING);
    vault_state_set(v, 1, VAULT_FAILING);
    ck_assert_int_eq(vault_state_of(v, 1), VAULT_FAILING);
    ck_assert_int_eq(vault_state_of(v, 0), VAULT_ASKING);
    ck_assert(!is_readable(vault_fd(v)));
    vault_refuse(v, 1);
    vault_refuse(v, 1);
    ck_assert(is_readable(vault_fd(v)));
    vault_fd_clear(v);
    ck_assert(!is_readable(vault_fd(v)));
    ck_assert(!vault_refused(v, 0));
    ck_assert(vault_refused(v, 1));
    ck_assert(!vault_refused(v, 1));
    vault_free(v);
}
END_TEST

/* Texts of one letter, of a length that goes with it. */
static struct weir_str pattern(char *to, unsigned i)
{
    size_t n = 1 + i % 26 * 600;

    memset(to, 'a' + (int)(i % 26), n);
    return (struct weir_str){to, n};
}

static bool is_pattern(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != s.ptr[0])
            return false;
    return s.len == 1 + (size_t)(s.ptr[0] - 'a') * 600;
}

START_TEST(a_writer_is_killed_at_any_instruction)
{
    struct vault *v = vault_new(1);
    struct arena a = {0};
    static char room[WEIR_CREDENTIAL_MAX];

    vault_put(v, 0, pattern(room, 0), 0);
    for (int round = 0; round < 20; round++) {
        pid_t writer = fork();
        if (writer == 0)
            for (unsigned i = 0;; i++)
                vault_put(v, 0, pattern(room, i), 0);
        for (int i = 0; i < 2000; i++) {
            struct weir_str s = take(v, 0, 1, &a);
            ck_assert(!s.ptr || is_pattern(s)); /* none: a writer that is never at rest was too fast for it */
        }
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        struct weir_str kept = take(v, 0, 1, &a);
        ck_assert(kept.ptr && is_pattern(kept));
    }
    arena_fini(&a);
    vault_free(v);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("vault");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_newest_counts_until_it_expires);
    tcase_add_test(t, the_largest_fits);
    tcase_add_test(t, states_and_refusals);
    tcase_add_test(t, a_writer_is_killed_at_any_instruction);
    suite_add_tcase(s, t);
    return s;
}
