/* SPDX-License-Identifier: Apache-2.0 */
/* fake_host.h -- what the tests of sdk/weir_test.h share: plugins of a few hooks, and a check that ends a process. */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "weir_test.h"

#define TABLE(...)                                                                                                     \
    (&(const struct weir_plugin){.abi = WEIR_ABI,                                                                      \
                                 .size = sizeof(struct weir_plugin),                                                   \
                                 .option_size = sizeof(struct weir_option),                                            \
                                 .path_size = sizeof(struct weir_path),                                                \
                                 .name = "test",                                                                       \
                                 .version = "1",                                                                       \
                                 .summary = "A test.",                                                                 \
                                 __VA_ARGS__})

/* Runs `what` in a child: it must end with exit code 1 and say `word`. */
static inline void expect_death(void (*what)(void), const char *word)
{
    char said[2048] = "";
    int out[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t child;

    ck_assert_int_eq(pipe(out), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(out[1], STDERR_FILENO);
        what();
        _exit(0);
    }
    close(out[1]);
    while (n < sizeof said - 1 && (got = read(out[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(out[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "no exit code 1, want \"%s\"; said: %s", word, said);
    ck_assert_msg(strstr(said, word) != NULL, "want \"%s\", said: %s", word, said);
}

#endif
