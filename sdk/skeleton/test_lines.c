/* SPDX-License-Identifier: MIT */
/* test_lines.c -- what lines.c writes, and what it says when it cannot. */
#include "weir_test.h"
#include "lines.c"

#define FILE_NAME "test_lines.out"

static void test_appends(void)
{
    struct weir_test t;
    struct weir_error e;
    char text[256];
    size_t n;

    remove(FILE_NAME);
    weir_test_init(&t, &weir_plugin, "path = " FILE_NAME);
    weir_test_record(&t, "close", "{\"request\":\"r1\",\"status\":200}");
    weir_test_record(&t, "deny", "{\"request\":\"r2\"}");
    weir_test_int(weir_test_write(&t, &e), WEIR_DONE);
    weir_test_record(&t, "close", "{\"request\":\"r3\"}");
    weir_test_int(weir_test_write(&t, &e), WEIR_DONE);
    weir_test_fini(&t);

    FILE *f = fopen(FILE_NAME, "r");
    weir_test_ok(f != NULL);
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    weir_test_same(((struct weir_str){text, n}),
                   "{\"request\":\"r1\",\"status\":200}\n{\"request\":\"r2\"}\n{\"request\":\"r3\"}\n");
    remove(FILE_NAME);
}

static void test_pauses_without_a_folder(void)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, &weir_plugin, "path = no/such/folder/file");
    weir_test_record(&t, "close", "{\"request\":\"r1\"}");
    weir_test_int(weir_test_write(&t, &e), WEIR_PAUSE);
    weir_test_same(((struct weir_str){e.text, strlen(e.text)}), "no/such/folder/file: No such file or directory");
    weir_test_fini(&t);
}

static void test_retries_on_a_full_disk(void)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, &weir_plugin, "path = /dev/full");
    weir_test_record(&t, "close", "{\"request\":\"r1\"}");
    weir_test_int(weir_test_write(&t, &e), WEIR_RETRY);
    weir_test_fini(&t);
}

int main(void)
{
    test_appends();
    test_pauses_without_a_folder();
    test_retries_on_a_full_disk();
    puts("lines: 3 passed, 0 failed");
    return 0;
}
