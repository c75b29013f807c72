/* SPDX-License-Identifier: Apache-2.0 */
/* secret_test.c -- secrets by reference: read, bounded, locked, left out of core dumps, and never in a message. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "unit.h"
#include "world/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool get(struct secrets *s, const char *text, struct secret_found *found, struct weir_error *e)
{
    struct secret_ref ref;

    memset(e, 0, sizeof(*e));
    ck_assert_msg(secret_parse(text, &ref), "%s", text);
    return secret_read(s, &ref, found, e);
}

static void put_file(const char *path, const char *text, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

START_TEST(knows_references)
{
    struct secret_ref ref;

    ck_assert(secret_parse("env:A", &ref));
    ck_assert_int_eq(ref.source, SECRET_ENV);
    ck_assert_str_eq(ref.what, "A");
    ck_assert(secret_parse("file:/a:b", &ref));
    ck_assert_int_eq(ref.source, SECRET_FILE);
    ck_assert_str_eq(ref.what, "/a:b");
    ck_assert(secret_parse("exec:printf x", &ref));
    ck_assert_int_eq(ref.source, SECRET_EXEC);
    ck_assert(!secret_parse("env:", &ref));
    ck_assert(!secret_parse("", &ref));
    ck_assert(!secret_parse("sk-123", &ref));
    ck_assert(!secret_parse("ENV:A", &ref));
}
END_TEST

START_TEST(reads_the_environment)
{
    struct secret_found found;
    struct secrets s = {0};
    struct weir_error e;

    setenv("WEIR_TEST_SECRET", "canary-env", 1);
    ck_assert(get(&s, "env:WEIR_TEST_SECRET", &found, &e));
    ck_assert_uint_eq(found.value.len, 10);
    ck_assert_str_eq(found.value.ptr, "canary-env");
    setenv("WEIR_TEST_SECRET", "", 1);
    ck_assert(!get(&s, "env:WEIR_TEST_SECRET", &found, &e));
    ck_assert(found.absent);
    unsetenv("WEIR_TEST_SECRET");
    ck_assert(!get(&s, "env:WEIR_TEST_SECRET", &found, &e));
    ck_assert(found.absent);
    ck_assert_str_eq(e.text, "environment variable WEIR_TEST_SECRET is not set; export it");
    secrets_fini(&s);
}
END_TEST

START_TEST(reads_files)
{
    char path[] = "/tmp/weir-secret-XXXXXX", ref[64];
    struct secret_found found;
    struct secrets s = {0};
    struct weir_error e;
    char *large = calloc(1, SECRET_MAX + 1);

    close(mkstemp(path));
    snprintf(ref, sizeof(ref), "file:%s", path);
    put_file(path, "canary-file\r\n", 13, 0600);
    ck_assert(get(&s, ref, &found, &e));
    ck_assert_str_eq(found.value.ptr, "canary-file");
    ck_assert(!found.everybody);
    put_file(path, "canary-file", 11, 0604);
    ck_assert(get(&s, ref, &found, &e));
    ck_assert(found.everybody);

    put_file(path, "canary\nsecond", 13, 0600);
    ck_assert(!get(&s, ref, &found, &e));
    ck_assert_str_eq(e.text, "the secret holds a line end or another control character; it must be one line");
    put_file(path, "canary\0x", 8, 0600);
    ck_assert(!get(&s, ref, &found, &e));
    put_file(path, "\n", 1, 0600);
    ck_assert(!get(&s, ref, &found, &e));
    ck_assert_str_eq(e.text, "the secret is empty; put the key there");

    memset(large, 'k', SECRET_MAX + 1);
    put_file(path, large, SECRET_MAX, 0600);
    ck_assert(get(&s, ref, &found, &e));
    ck_assert_uint_eq(found.value.len, SECRET_MAX);
    put_file(path, large, SECRET_MAX + 1, 0600);
    ck_assert(!get(&s, ref, &found, &e));
    unlink(path);
    ck_assert(!get(&s, ref, &found, &e));
    ck_assert(found.absent);
    ck_assert(!get(&s, "file:/tmp", &found, &e));
    ck_assert(!found.absent);
    free(large);
    secrets_fini(&s);
}
END_TEST

START_TEST(runs_commands)
{
    struct secret_found found;
    struct secrets s = {0};
    struct weir_error e;

    ck_assert(get(&s, "exec:printf 'canary-%s\\n' exec", &found, &e));
    ck_assert_str_eq(found.value.ptr, "canary-exec");
    ck_assert(!get(&s, "exec:echo canary; echo canary >&2; exit 3", &found, &e));
    ck_assert_str_eq(e.text, "the command failed with status 3; run it by hand to see why");
    ck_assert(!get(&s, "exec:kill -9 $$", &found, &e));
    ck_assert_str_eq(e.text, "the command failed with status 137; run it by hand to see why");
    ck_assert(!get(&s, "exec:head -c 70000 /dev/zero | tr '\\0' k", &found, &e));
    ck_assert_str_eq(e.text, "the command printed more than 64 KB; it must print the key and nothing else");
    ck_assert(!get(&s, "exec:/nowhere/nothing", &found, &e));
    ck_assert_str_eq(e.text, "the command failed with status 127; run it by hand to see why");
    ck_assert(!get(&s, "exec:true", &found, &e));
    ck_assert_str_eq(e.text, "the secret is empty; put the key there");
    secrets_fini(&s);
}
END_TEST

/* The status is ours to read even where children are reaped by nobody, and stdin is empty. */
START_TEST(runs_commands_whoever_reaps)
{
    struct secret_found found;
    struct secrets s = {0};
    struct weir_error e;

    signal(SIGCHLD, SIG_IGN);
    ck_assert(get(&s, "exec:cat; printf canary-reaped", &found, &e));
    ck_assert_str_eq(found.value.ptr, "canary-reaped");
    ck_assert(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
    secrets_fini(&s);
}
END_TEST

/* A command that hangs is killed with all that it started; here it has shut its output, so it gets a second, not ten.
 */
START_TEST(bounds_commands)
{
    char path[] = "/tmp/weir-secret-XXXXXX", command[160], pid[32] = "";
    struct secret_found found;
    struct secrets s = {0};
    struct weir_error e;
    int64_t start = clock_us();
    FILE *f;

    close(mkstemp(path));
    snprintf(command, sizeof(command), "exec:exec >&-; sleep 60 & echo $! > %s; wait", path);
    ck_assert(!get(&s, command, &found, &e));
    ck_assert_str_eq(e.text, "the command did not end within 10 s; run it by hand to see why");
    ck_assert_int_lt(clock_us() - start, 10000000);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(pid, sizeof(pid), f));
    fclose(f);
    unlink(path);
    for (int i = 0; i < 100 && kill((pid_t)strtol(pid, NULL, 10), 0) == 0; i++) {
        char stat[64], state = 0; /* a zombie that nobody has reaped yet is dead too */
        snprintf(stat, sizeof(stat), "/proc/%ld/stat", strtol(pid, NULL, 10));
        f = fopen(stat, "r");
        if (f && fscanf(f, "%*d %*s %c", &state) == 1 && state == 'Z')
            i = 1000;
        if (f)
            fclose(f);
        usleep(10000);
        ck_assert_int_ne(i, 99);
    }
    secrets_fini(&s);
}
END_TEST

/* The flags of the mapping that holds `p`, as the kernel says them. */
static void flags_of(const void *p, char *flags, size_t room)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;

    flags[0] = '\0';
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (unsigned long)p >= from && (unsigned long)p < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, room, "%s", line);
    }
    fclose(f);
}

START_TEST(keeps_values_out_of_dumps_and_swap)
{
    struct secret_found found;
    struct secrets s = {0};
    struct weir_error e;
    char flags[512], name[128];

    for (int i = 0; i < 200; i++) { /* more than one page */
        snprintf(name, sizeof(name), "canary-%0100d", 0);
        setenv("WEIR_TEST_SECRET", name, 1);
        ck_assert(get(&s, "env:WEIR_TEST_SECRET", &found, &e));
        ck_assert_str_eq(found.value.ptr, name);
    }
    secrets_keep(&s);
    flags_of(found.value.ptr, flags, sizeof(flags));
    ck_assert_msg(strstr(flags, " dd") != NULL, "%s", flags);       /* don't dump */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* there mlock(2) does nothing */
    ck_assert_msg(strstr(flags, " lo") != NULL, "%s", flags);       /* locked */
#endif
    secrets_fini(&s);
    ck_assert_ptr_null(s.pages);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("secret");
    TCase *t = tcase_create("secret");

    tcase_set_timeout(t, 30);
    tcase_add_test(t, knows_references);
    tcase_add_test(t, reads_the_environment);
    tcase_add_test(t, reads_files);
    tcase_add_test(t, runs_commands);
    tcase_add_test(t, runs_commands_whoever_reaps);
    tcase_add_test(t, bounds_commands);
    tcase_add_test(t, keeps_values_out_of_dumps_and_swap);
    suite_add_tcase(s, t);
    return s;
}
