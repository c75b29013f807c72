/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_table.h -- reads tests/http/requests.txt, whose head says how its rows look.  For unit tests only: a row that
 * cannot be read aborts.
 */
#ifndef HTTP_TABLE_H
#define HTTP_TABLE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"

#define TABLE_FILE "tests/http/requests.txt"

struct table_text { char name[32]; struct buf bytes; };

struct table_row { char name[64], where[16], outcome[64], conn[16]; struct buf bytes; };

struct table { struct table_text texts[32]; size_t text_count; struct table_row *rows; size_t count; };

static const struct buf *table_text(const struct table *t, const char *name, size_t n)
{
    for (size_t i = 0; i < t->text_count; i++)
        if (strlen(t->texts[i].name) == n && memcmp(t->texts[i].name, name, n) == 0)
            return &t->texts[i].bytes;
    must_fail("a text of this name is defined", TABLE_FILE, 0);
}

/* The parenthesis that closes the one before `p`. */
static const char *table_close(const char *p, const char *end)
{
    for (int depth = 1; p < end; p++) {
        depth += (*p == '(') - (*p == ')');
        if (!depth)
            return p;
    }
    must_fail("a parenthesis is closed", TABLE_FILE, 0);
}

/* Puts what the escapes in [p, end) mean into `to`. */
static void table_expand(const struct table *t, const char *p, const char *end, struct buf *to)
{
    while (p < end) {
        if (*p != '\\') {
            buf_char(to, *p++);
            continue;
        }
        must(end - p >= 2);
        char kind = p[1];
        p += 2;
        if (kind == 'x') {
            must(end - p >= 2);
            buf_char(to, (char)strtol((char[]){p[0], p[1], 0}, NULL, 16));
            p += 2;
        } else if (kind == '<') {
            const char *close = memchr(p, '>', (size_t)(end - p));
            must(close != NULL);
            const struct buf *text = table_text(t, p, (size_t)(close - p));
            buf_str(to, buf_view(text));
            p = close + 1;
        } else if (kind == '@') {
            char *open;
            long times = strtol(p, &open, 10);
            must(*open == '(');
            const char *close = table_close(open + 1, end);
            for (long i = 0; i < times; i++)
                table_expand(t, open + 1, close, to);
            p = close + 1;
        } else {
            const char *found = strchr("rnt\\", kind);
            must(found != NULL);
            buf_char(to, "\r\n\t\\"[found - "rnt\\"]);
        }
    }
}

static void table_line(struct table *t, char *line)
{
    size_t n = strcspn(line, "\n");
    int at = 0;

    line[n] = 0;
    if (line[0] == '#' || !line[0])
        return;
    if (line[0] == '=') {
        must(t->text_count < sizeof t->texts / sizeof *t->texts);
        struct table_text *text = &t->texts[t->text_count];
        must(sscanf(line, "= %31s %n", text->name, &at) == 1 && at);
        table_expand(t, line + at, line + n, &text->bytes);
        t->text_count++;
        return;
    }
    t->rows = must_realloc(t->rows, (t->count + 1) * sizeof *t->rows);
    struct table_row *row = &t->rows[t->count++];
    memset(row, 0, sizeof *row);
    must(sscanf(line, "%63s %15s %63s %15s %n", row->name, row->where, row->outcome, row->conn, &at) == 4 && at);
    table_expand(t, line + at, line + n, &row->bytes);
}

static inline struct table table_read(void)
{
    struct table t = {0};
    char *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(TABLE_FILE, "r");

    if (!f) {
        perror(TABLE_FILE ": run the tests from the top of the tree");
        exit(1);
    }
    while (getline(&line, &cap, f) > 0)
        table_line(&t, line);
    free(line);
    fclose(f);
    return t;
}

static inline void table_fini(struct table *t)
{
    for (size_t i = 0; i < t->text_count; i++)
        buf_fini(&t->texts[i].bytes);
    for (size_t i = 0; i < t->count; i++)
        buf_fini(&t->rows[i].bytes);
    free(t->rows);
}

#endif
