/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c -- fuzzes what reads a configuration: libconfig's text, settings, blocks, keys, and a plugin's table of
 * options. No plugin is loaded and no secret read.  Held: a world or faults, never both; faults are whole lines without
 * controls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "world/blocks.h"

struct fuzz_options {
    const char *text, *choice, *path, *secret;
    int64_t count, time, size;
    double share;
    bool on;
    struct weir_list words;
};

static const char *const choices[] = {"one", "two", NULL};

#define OPT(...) WEIR_OPT(struct fuzz_options, __VA_ARGS__)

static const struct weir_option rows[] = {
    OPT(text, NULL, "-"),
    OPT(choice, "one", "-", .choices = choices),
    OPT(path, "", "-", .unit = WEIR_PATH),
    OPT(secret, "", "-", .unit = WEIR_SECRET),
    OPT(count, "1", "-", .min = 0, .max = 1000),
    OPT(time, "1s", "-", .unit = WEIR_MS),
    OPT(size, "1k", "-", .unit = WEIR_BYTES),
    OPT(share, "0.5", "-", .min = 0, .max = 1),
    OPT(on, "false", "-"),
    OPT(words, "", "-", .choices = choices),
    WEIR_OPT_END,
};

/* libconfig leaks on syntax errors (see host/world/config.c), and libFuzzer would look for leaks after each of them, at
 * a tenth of the speed.  The corpus is replayed with leaks looked for. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void check_lines(const struct buf *b)
{
    must(!b->len || b->ptr[b->len - 1] == '\n');
    for (size_t i = 0; i < b->len; i++)
        must(b->ptr[i] == '\n' || ((unsigned char)b->ptr[i] >= ' ' && b->ptr[i] != 0x7f));
}

/* The top level as a block of `rows`: what a plugin's options go through. */
static void read_as_options(const char *path)
{
    struct buf notes = {0}, faults = {0};
    struct world w = {0};
    struct build b = {.world = &w, .depth = WORLD_CHECK, .notes = &notes, .faults = &faults};
    const struct weir_option *const tables[] = {rows, NULL};
    struct fuzz_options o = {0};

    w.file = path;
    if (config_open(&b, path)) {
        struct block block = {.build = &b, .setting = b.root, .place = build_place(&b, b.root), .what = "fuzz"};
        bool known = options_known(&block, tables, NULL), read = options_read(&block, rows, &o);
        must((known && read) == (b.fault_count == 0));
        must(o.choice && (strcmp(o.choice, "one") == 0 || strcmp(o.choice, "two") == 0));
        must(o.count >= 0 && o.count <= 1000 && o.share >= 0 && o.share <= 1);
        must(!*o.secret);
    }
    check_lines(&faults);
    check_lines(&notes);
    config_close(&b);
    buf_fini(&notes);
    buf_fini(&faults);
    arena_fini(&w.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char dir[] = "/tmp/weir-fuzz-XXXXXX", path[64];
    struct buf notes = {0}, faults = {0};
    struct world_source from = {.file = path};
    struct world *w;
    FILE *f;

    must(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/c", dir);
    f = fopen(path, "w");
    must(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
    w = world_load_from(&from, WORLD_SETTINGS, &notes, &faults);
    must((w != NULL) == (faults.len == 0));
    check_lines(&faults);
    check_lines(&notes);
    if (w)
        world_key(w, (struct weir_str){(const char *)data, size});
    world_free(w);
    read_as_options(path);
    unlink(path);
    rmdir(dir);
    buf_fini(&notes);
    buf_fini(&faults);
    return 0;
}
