/* SPDX-License-Identifier: Apache-2.0 */
/* config.c -- opens a configuration with libconfig, and tells what is wrong in it by file and line; see build.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/must.h"
#include "world/build.h"

#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_LOOKED_FOR
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_LOOKED_FOR
#endif
#endif
#ifdef LEAKS_ARE_LOOKED_FOR
const char *__lsan_default_suppressions(void);
/* libconfig forgets the text that it was reading when it meets a syntax error. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}
#endif

/* One line: what a file or a plugin says may hold line ends. */
static void put_line(struct buf *b, struct place p, const char *fmt, va_list ap)
{
    size_t start;

    if (p.file && p.line > 0)
        buf_printf(b, "%s:%d: ", p.file, p.line);
    else if (p.file)
        buf_printf(b, "%s: ", p.file);
    start = b->len;
    buf_vprintf(b, fmt, ap);
    for (size_t i = start; i < b->len; i++)
        if ((unsigned char)b->ptr[i] < ' ' || b->ptr[i] == 0x7f)
            b->ptr[i] = '?';
    buf_char(b, '\n');
}

void build_fault(struct build *b, struct place p, const char *fmt, ...)
{
    va_list ap;

    if (b->fault_count++ >= BUILD_FAULTS_MAX)
        return;
    va_start(ap, fmt);
    put_line(b->faults, p, fmt, ap);
    va_end(ap);
}

void build_note(struct build *b, struct place p, const char *fmt, ...)
{
    va_list ap;

    if (!b->notes || b->notes->len > 65536)
        return;
    va_start(ap, fmt);
    put_line(b->notes, p, fmt, ap);
    va_end(ap);
}

struct place build_place(const struct build *b, const config_setting_t *s)
{
    while (s && !config_setting_source_line(s) && config_setting_parent(s)) /* nobody wrote it here: see presets.c */
        s = config_setting_parent(s);
    const char *file = s ? config_setting_source_file(s) : NULL;

    if (s && s->config == &b->builtin)
        file = "built-in configuration";
    return (struct place){file ? file : b->world->file, s ? (int)config_setting_source_line(s) : 0};
}

const char *build_path(struct build *b, const char *path)
{
    struct arena *a = &b->world->arena;

    if (!*path || *path == '/' || !*b->dir)
        return arena_strdup(a, str_of(path));
    if (path[0] == '.' && path[1] == '/')
        path += 2;
    return arena_printf(a, "%s/%s", b->dir, path);
}

const char *build_hint(struct build *b, const char *word, const char *const *names, const char *otherwise)
{
    const char *near = names ? str_nearest(word, names) : NULL;

    return near ? arena_printf(&b->world->arena, "did you mean \"%s\"?", near) : otherwise;
}

void names_add(struct names *n, const char *name)
{
    if (n->count + 2 > n->cap) {
        n->cap = n->cap ? 2 * n->cap : 16;
        n->list = must_realloc(n->list, n->cap * sizeof(*n->list));
    }
    n->list[n->count++] = name;
    n->list[n->count] = NULL;
}

void names_fini(struct names *n)
{
    free(n->list);
    *n = (struct names){0};
}

/* What libconfig's words mean to somebody who did not write it. */
static const char *cure(const char *text)
{
    static const struct {
        const char *text, *cure;
    } cures[] = {
        {"syntax error",
         "look here and at the line before: a setting ends with \";\", blocks and items of a list have \",\" "
         "between them and none after the last, text stands in quotes"},
        {"duplicate setting name", "keep one of the two"},
        {"cannot open include file", "write its path relative to this file"},
        {"include file nesting too deep", "include fewer files in each other"},
        {"mismatched element type in array", "put every item in quotes"},
    };

    for (size_t i = 0; text && i < sizeof(cures) / sizeof(cures[0]); i++)
        if (strcmp(text, cures[i].text) == 0)
            return cures[i].cure;
    return "correct it";
}

static bool open_failed(struct build *b, const char *path)
{
    const char *text = config_error_text(&b->config);
    struct place p = {config_error_file(&b->config), config_error_line(&b->config)};

    if (!p.file)
        p.file = path;
    build_fault(b, p, "%s; %s", text ? text : "syntax error", cure(text));
    return false;
}

/* libconfig says only "file I/O error": the reasons that people meet are told here. */
static bool file_fits(struct build *b, const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    bool ok;

    if (!f) {
        build_fault(b, (struct place){path, 0}, "cannot be read: %s; give the configuration with -c FILE",
                    strerror(errno));
        return false;
    }
    ok = fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= CONFIG_MAX;
    fclose(f);
    if (!ok)
        build_fault(b, (struct place){path, 0}, "is no file of at most 64 MB; give the configuration with -c FILE");
    return ok;
}

bool config_open(struct build *b, const char *path)
{
    struct arena *a = &b->world->arena;
    const char *slash = path ? strrchr(path, '/') : NULL;

    config_init(&b->presets);
    config_init(&b->builtin);
    must(config_read_string(&b->builtin, builtin_config));
    config_init(&b->config);
    b->dir = slash ? arena_strdup(a, (struct weir_str){path, (size_t)(slash - path) + (slash == path)}) : "";
    if (!path)
        return true;
    if (!file_fits(b, path) || !includes_fit(b, path))
        return false;
    config_set_include_dir(&b->config, *b->dir ? b->dir : ".");
    if (!config_read_file(&b->config, path))
        return open_failed(b, path);
    b->root = config_root_setting(&b->config);
    return true;
}

void config_close(struct build *b)
{
    config_destroy(&b->config);
    config_destroy(&b->builtin);
    config_destroy(&b->presets);
    names_fini(&b->misfits);
}
