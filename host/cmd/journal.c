/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c -- `weir journal`: prints the records of a journal, follows it, or checks every byte of it.  Writes
 * nothing. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd/cmd.h"
#include "ipc/journal.h"
#include "ipc/record.h"
#include "ipc/segment.h"
#include "world/world.h"

struct view {
    const char *state;
    uint64_t from;
    bool follow, json;
    struct arena arena;
    struct json_skim skim;
    struct buf line;
};

/* ---- printing ---- */

static void put_time(struct buf *b, int64_t us)
{
    time_t s = (time_t)(us / 1000000);
    struct tm tm;
    char text[32];

    gmtime_r(&s, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(b, "%s.%03dZ", text, (int)(us / 1000 % 1000));
}

/* A value as the log writes it: bare when it is plain, else quoted; nothing that a terminal would obey. */
static void put_value(struct buf *b, const struct weir_field *f)
{
    bool plain = f->text.len > 0;

    for (size_t i = 0; i < f->text.len; i++)
        plain &= f->text.ptr[i] > ' ' && f->text.ptr[i] != '"' && f->text.ptr[i] != 0x7f;
    if (!plain)
        buf_char(b, '"');
    for (size_t i = 0; i < f->text.len; i++) {
        uint8_t c = (uint8_t)f->text.ptr[i];
        buf_char(b, c < ' ' || c == 0x7f || c == '"' ||
                            (c == 0xc2 && i + 1 < f->text.len && (uint8_t)f->text.ptr[i + 1] < 0xa0)
                        ? '?'
                        : (char)c);
    }
    if (!plain)
        buf_char(b, '"');
}

static void put_frame(struct view *v, const struct journal_frame *f)
{
    struct weir_record r;

    v->line.len = 0;
    if (v->json) {
        buf_printf(&v->line, "{\"seq\":%llu,", (unsigned long long)f->seq);
        buf_put(&v->line, f->text.ptr + 1, f->text.len - 1);
        buf_char(&v->line, '\n');
        return;
    }
    arena_reset(&v->arena);
    buf_printf(&v->line, "%llu ", (unsigned long long)f->seq);
    if (!record_read(&v->arena, &v->skim, f->seq, f->text, &r)) {
        buf_lit(&v->line, "this is no record\n");
        return;
    }
    put_time(&v->line, r.time_us);
    buf_printf(&v->line, " " STR_FMT, STR_ARG(r.kind));
    for (size_t i = 2; i < r.count; i++) { /* behind kind and time */
        buf_printf(&v->line, " " STR_FMT "=", STR_ARG(r.fields[i].name));
        put_value(&v->line, &r.fields[i]);
    }
    buf_char(&v->line, '\n');
}

static int show(struct view *v, struct cursor *c)
{
    struct weir_error e = {0};
    struct journal_frame f;

    for (;;) {
        enum cursor_result got = cursor_next(c, &f, &e);
        if (got == CURSOR_FRAME) {
            put_frame(v, &f);
            if (fwrite(v->line.ptr, 1, v->line.len, stdout) != v->line.len)
                return CMD_FAILED;
        } else if (got == CURSOR_DAMAGED) {
            fprintf(stderr, "weir: %s\n", e.text);
        } else if (fflush(stdout) != 0 || !v->follow) {
            return v->follow || ferror(stdout) ? CMD_FAILED : CMD_OK;
        } else {
            struct pollfd p = {.fd = cursor_watch(c), .events = POLLIN};
            poll(&p, 1, p.fd < 0 ? 50 : 10000);
            cursor_watched(c);
        }
    }
}

/* ---- checking ---- */

struct sums {
    uint64_t records, opens, closes, denies, gaps, bad, first, last;
};

static void count_frame(struct view *v, struct sums *s, const struct journal_frame *f)
{
    struct record_head head;
    struct weir_record r;

    s->first = s->records++ ? s->first : f->seq;
    s->last = f->seq;
    arena_reset(&v->arena);
    if (!record_read_head(f->text, &head) || !record_read(&v->arena, &v->skim, f->seq, f->text, &r)) {
        s->bad++;
        printf("record %llu is no record\n", (unsigned long long)f->seq);
        return;
    }
    s->opens += head.kind == KIND_open;
    s->closes += head.kind == KIND_close;
    s->denies += head.kind == KIND_deny;
    s->gaps += head.kind == KIND_gap;
}

static unsigned bad_heads(const char *state)
{
    char path[PATH_ROOM], head[SEGMENT_HEAD];
    struct segment_list list;
    unsigned bad = 0;

    segment_list(state, &list);
    for (size_t i = 0; i < list.count; i++) {
        segment_path(path, sizeof path, state, list.first[i]);
        FILE *f = fopen(path, "rb");
        bool ok = f && fread(head, 1, sizeof head, f) == sizeof head && segment_head_ok(head, list.first[i]);
        if (f)
            fclose(f);
        if (!ok) {
            bad++;
            printf("the head of %s is damaged\n", path);
        }
    }
    free(list.first);
    return bad;
}

static int verify(struct view *v, struct cursor *c)
{
    struct weir_error e = {0};
    struct sums s = {0};
    struct journal_frame f;
    enum cursor_result got;

    while ((got = cursor_next(c, &f, &e)) != CURSOR_END) {
        if (got == CURSOR_FRAME)
            count_frame(v, &s, &f);
        else
            printf("%s\n", e.text);
    }
    s.bad += cursor_lost(c) + bad_heads(v->state);
    printf("%llu records, %llu to %llu: %llu open, %llu close, %llu deny, %llu gap; %s\n",
           (unsigned long long)s.records, (unsigned long long)s.first, (unsigned long long)s.last,
           (unsigned long long)s.opens, (unsigned long long)s.closes, (unsigned long long)s.denies,
           (unsigned long long)s.gaps, s.bad ? "DAMAGED" : "all whole");
    return fflush(stdout) == 0 && !s.bad ? CMD_OK : CMD_FAILED;
}

/* ---- the command ---- */

static bool number(const char *text, uint64_t *n)
{
    char *end;

    errno = 0;
    *n = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

static int run_view(struct view *v, bool check)
{
    struct weir_error e = {0};
    struct cursor *c = cursor_open(v->state, v->from, &e);
    int status;

    if (!c) {
        fprintf(stderr, "weir: %s\n", e.text);
        return CMD_FAILED;
    }
    status = check ? verify(v, c) : show(v, c);
    cursor_close(c);
    arena_fini(&v->arena);
    json_skim_fini(&v->skim);
    buf_fini(&v->line);
    return status;
}

static int run(int argc, char **argv)
{
    const char *config = NULL, *from = "0", *state = NULL;
    struct view v = {0};
    const struct cmd_option options[] = {{'c', "config", &config, NULL},
                                         {0, "from", &from, NULL},
                                         {'f', "follow", NULL, &v.follow},
                                         {0, "json", NULL, &v.json}};
    struct weir_error e = {0};
    struct world *w = NULL;

    if (!cmd_options(&cmd_journal, &argc, argv, options, sizeof options / sizeof *options))
        return CMD_USAGE;
    bool check = argc > 1 && strcmp(argv[1], "verify") == 0;
    if (argc > 2 + check)
        return cmd_misused(&cmd_journal, "one state folder, not %d", argc - 1 - check);
    if (!number(from, &v.from))
        return cmd_misused(&cmd_journal, "--from takes a sequence, not \"%s\"", from);
    if (check && v.follow)
        return cmd_misused(&cmd_journal, "verify follows nothing");
    if (argc == 2 + check)
        state = argv[1 + check];
    if (state && config)
        return cmd_misused(&cmd_journal, "-c or a state folder, not both");
    if (!state) {
        w = world_load(config, WORLD_SETTINGS, NULL, &e);
        if (!w) {
            fprintf(stderr, "%s\n", e.text);
            return CMD_FAILED;
        }
        state = w->settings.state;
    }
    if (strlen(state) > PATH_ROOM - 64)
        return cmd_misused(&cmd_journal, "that name is too long");
    v.state = state;
    int status = run_view(&v, check);
    world_free(w);
    return status;
}

const struct cmd cmd_journal = {
    .name = "journal",
    .summary = "Prints the records of the journal, or checks it",
    .usage = "weir journal [-c FILE | STATE] [--follow] [--from SEQ] [--json]\n"
             "weir journal verify [-c FILE | STATE]\n"
             "\n"
             "Prints what is durable, one record a line, oldest first; --from begins at a sequence, --follow waits\n"
             "for more, --json prints the records as they are, with their sequence.  Of a journal that was copied\n"
             "elsewhere all that is whole is printed.\n"
             "verify reads every byte, says what is missing or damaged, and fails when something is.\n",
    .run = run,
};
