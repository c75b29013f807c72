/* SPDX-License-Identifier: Apache-2.0 */
/*
 * include.c -- looks at what a configuration includes before libconfig does: its scanner ends the process when an
 * included file cannot be read to its end, as a folder cannot, and would wait for ever at a pipe.
 *
 * Called by config_open() alone.  What is not there at all, and nesting, libconfig tells well by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "world/build.h"

#define DEPTH_MAX 10  /* libconfig's own */
#define FILES_MAX 256 /* of all that are included: more is a circle, or a way to keep us busy */

struct includes {
    struct build *b;
    unsigned files;
};

static bool file_look(struct includes *, const char *path, unsigned depth);

/* The path as libconfig reads it: up to a quote that has no backslash before it.  Returns the bytes used. */
static size_t path_read(const char *s, const char *end, struct buf *path)
{
    const char *p = s;

    for (; p < end && *p != '"'; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        buf_char(path, *p);
    }
    buf_char(path, '\0');
    return (size_t)(p - s);
}

static bool include_look(struct includes *in, struct place at, const char *name, unsigned depth)
{
    struct buf path = {0};
    struct stat st;
    bool ok = true;

    buf_printf(&path, "%s/%s", *in->b->dir ? in->b->dir : ".", name);
    buf_char(&path, '\0');
    if (stat(path.ptr, &st) == 0) {
        ok = S_ISREG(st.st_mode) && st.st_size <= CONFIG_MAX;
        if (!ok)
            build_fault(in->b, at,
                        "@include \"%.200s\" names no file of at most 64 MB; name one, relative to this file", name);
        else if (depth < DEPTH_MAX)
            ok = file_look(in, path.ptr, depth + 1);
    }
    buf_fini(&path);
    return ok;
}

static const char *blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* At the beginning of a line: an @include, or nothing. */
static bool line_look(struct includes *in, struct place at, const char **line, const char *end, unsigned depth)
{
    static const char word[] = "@include";
    const char *p = blanks(*line, end), *quote;
    struct buf name = {0};
    bool ok;

    if ((size_t)(end - p) < sizeof word || memcmp(p, word, sizeof word - 1) != 0)
        return true;
    quote = blanks(p + sizeof word - 1, end);
    if (quote == end || *quote != '"')
        return true;
    *line = quote + 1 + path_read(quote + 1, end, &name);
    ok = include_look(in, at, name.ptr, depth);
    buf_fini(&name);
    return ok;
}

static bool text_look(struct includes *in, const char *path, struct weir_str text, unsigned depth)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    struct place at = {path, 1};
    bool ok = true;

    while (ok && p < end) {
        const char *from = p, *next;
        ok = line_look(in, at, &p, end, depth);
        next = memchr(p, '\n', (size_t)(end - p));
        next = next ? next + 1 : end;
        for (; from < next; from++)
            at.line += *from == '\n';
        p = next;
    }
    return ok;
}

static bool file_look(struct includes *in, const char *path, unsigned depth)
{
    struct buf text = {0};
    FILE *f;
    size_t n;
    bool ok;

    if (in->files++ >= FILES_MAX) {
        build_fault(in->b, (struct place){path, 0}, "includes more than 256 files; include fewer");
        return false;
    }
    f = fopen(path, "re");
    if (!f)
        return true; /* libconfig says why */
    while ((n = fread(buf_room(&text, 65536), 1, 65536, f)) > 0)
        text.len += n;
    fclose(f);
    ok = text_look(in, path, buf_view(&text), depth);
    buf_fini(&text);
    return ok;
}

bool includes_fit(struct build *b, const char *path)
{
    struct includes in = {.b = b};

    return file_look(&in, path, 0);
}
