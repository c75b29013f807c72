/* SPDX-License-Identifier: Apache-2.0 */
/* world_kit.h -- a folder with a configuration and fixture plugins, for the tests of host/world/. */
#ifndef UNIT_WORLD_KIT_H
#define UNIT_WORLD_KIT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "world/world.h"

struct kit {
    char dir[64], conf[80];
    struct buf notes, faults;
};

static void kit_path(const struct kit *k, char to[160], const char *name)
{
    snprintf(to, 160, "%s/%s", k->dir, name);
}

static void kit_put(const struct kit *k, const char *name, const char *text)
{
    char path[160];
    FILE *f;

    kit_path(k, path, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* The fixture build/tests/plugins/world_FIXTURE.so as plugin `name`. */
static void kit_plugin(const struct kit *k, const char *kind, const char *name, const char *fixture)
{
    char exe[512], so[700], link[160], file[64];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    ck_assert_int_gt(n, 0);
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    snprintf(so, sizeof(so), "%s/plugins/world_%s.so", exe, fixture);
    ck_assert_msg(access(so, R_OK) == 0, "%s is not built", so);
    snprintf(file, sizeof(file), "plugins/%s/%s.so", kind, name);
    kit_path(k, link, file);
    ck_assert_int_eq(symlink(so, link), 0);
}

/* Folders, and the fixtures as openai, mock, options and tell. */
static void kit_open(struct kit *k)
{
    static const char *const folders[] = {"plugins", "plugins/providers", "plugins/guardrails", "plugins/sinks"};
    char path[160];

    memset(k, 0, sizeof(*k));
    snprintf(k->dir, sizeof(k->dir), "/tmp/weir-world-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(k->dir));
    snprintf(k->conf, sizeof(k->conf), "%s/c", k->dir);
    for (size_t i = 0; i < 4; i++) {
        kit_path(k, path, folders[i]);
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    kit_plugin(k, "providers", "mock", "mock");
    kit_plugin(k, "providers", "openai", "openai");
    kit_plugin(k, "guardrails", "options", "options");
    kit_plugin(k, "sinks", "tell", "sink");
    kit_put(k, "models", "{\"models\":[]}");
}

static int kit_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void kit_close(struct kit *k)
{
    buf_fini(&k->notes);
    buf_fini(&k->faults);
    nftw(k->dir, kit_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* The world of `text`, with the fixtures as plugins; NULL: k->faults says why. */
static struct world *kit_load(struct kit *k, const char *text, enum world_depth depth)
{
    const struct world_source from = {.file = k->conf};
    struct buf all = {0};

    buf_printf(&all, "plugins = \"plugins\"; catalogue = \"models\"; %s", text);
    buf_char(&all, '\0');
    kit_put(k, "c", all.ptr);
    buf_fini(&all);
    k->notes.len = k->faults.len = 0;
    return world_load_from(&from, depth, &k->notes, &k->faults);
}

/* What a buffer holds, with the folder's name taken out of it, so that tests can say it. */
static const char *kit_text(const struct kit *k, struct buf *b)
{
    size_t n = strlen(k->dir);
    char *at;

    buf_char(b, '\0');
    b->len--;
    while ((at = strstr(b->ptr, k->dir))) {
        memmove(at, at + n + 1, strlen(at + n + 1) + 1);
        b->len -= n + 1;
    }
    return b->ptr;
}

/* `text` is refused with exactly these lines. */
static void kit_refuses(struct kit *k, const char *text, enum world_depth depth, const char *lines)
{
    struct world *w = kit_load(k, text, depth);

    ck_assert_msg(!w, "accepted: %s", text);
    ck_assert_str_eq(kit_text(k, &k->faults), lines);
}

static struct world *kit_takes(struct kit *k, const char *text, enum world_depth depth)
{
    struct world *w = kit_load(k, text, depth);

    ck_assert_msg(w != NULL, "refused: %s", kit_text(k, &k->faults));
    return w;
}

#endif
