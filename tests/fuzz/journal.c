/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.c -- fuzzes what a recorder may find in its state folder.  The first byte says what the rest is:
 *   0 a segment as it is    1 a segment whose checksums are made right    2 a snapshot whose checksum is made right 3 a
 * cursor Whatever it is: reading ends, sequences rise, what a reader finds whole the writer keeps, and what is appended
 * afterwards is found.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/must.h"
#include "ipc/segment.h"
#include "recorder/ledger.h"

static char state[64];

static void remove_state(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", state);
    must(system(cmd) == 0);
}

static void put_file(const char *name, const char *p, size_t n)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", state, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", state, name);
    unlink(path);
}

static uint64_t read_all(uint64_t *last, bool *ends_with_x)
{
    struct weir_error e = {0};
    struct cursor *c = cursor_open(state, 1, &e);
    struct journal_frame f;
    enum cursor_result got;
    uint64_t n = 0;

    must(c != NULL);
    *last = 0;
    while ((got = cursor_next(c, &f, &e)) != CURSOR_END) {
        if (got == CURSOR_DAMAGED)
            continue;
        must(f.seq > *last && f.text.len > 0 && f.text.len <= RECORD_MAX);
        *last = f.seq;
        *ends_with_x = f.text.len == 1 && f.text.ptr[0] == 'x';
        n++;
    }
    cursor_close(c);
    return n;
}

static void try_segment(const char *p, size_t n)
{
    const struct journal_limits limits = {.segment = 1 << 20, .keep = 1 << 20};
    struct weir_error e = {0};
    uint64_t repaired, last, again, before, after;
    bool is_x = false;

    put_file("journal/00000000000000000001.wj", p, n);
    remove_file("journal/durable");
    before = read_all(&last, &is_x);
    struct journal *j = journal_open(state, &limits, &repaired, &e);
    must(j != NULL && journal_next_seq(j) == last + 1 && repaired <= n);
    must(read_all(&again, &is_x) == before && again == last);
    journal_append(j, &(struct journal_frame){.text = WEIR_STR("x")});
    must(journal_sync(j, &e));
    after = read_all(&again, &is_x);
    must(after == before + 1 && again == last + 1 && is_x);
    journal_close(j);
}

static void mend_segment(char *p, size_t n)
{
    for (size_t at = SEGMENT_HEAD; at + FRAME_HEAD < n;) {
        uint32_t length, crc;
        memcpy(&length, p + at, 4);
        length &= 0x7f; /* short ones, so that there are many */
        memcpy(p + at, &length, 4);
        if (at + FRAME_HEAD + length > n)
            return;
        crc = crc32c(crc32c(0, p + at, 4), p + at + 8, FRAME_HEAD + length - 8);
        memcpy(p + at + 4, &crc, 4);
        at += FRAME_HEAD + length;
    }
}

static void try_snapshot(const char *p, size_t n)
{
    struct buf b = {0};
    struct ledger l, m;
    struct weir_error e;
    uint64_t seq, seq2;
    bool clean, clean2;

    buf_put(&b, p, n);
    buf_printf(&b, "%08x\n", crc32c(0, p, n));
    put_file("journal/snapshot", b.ptr, b.len);
    if (ledger_load(&l, state, &seq, &clean)) {
        must(ledger_save(&l, state, seq, clean, &e));
        must(ledger_load(&m, state, &seq2, &clean2));
        must(seq2 == seq && clean2 == clean && m.opens == l.opens && m.ring_count == l.ring_count);
        ledger_fini(&m);
    }
    ledger_fini(&l);
    buf_fini(&b);
}

static void try_cursor(const char *p, size_t n)
{
    struct weir_error e = {0};
    uint64_t next;

    put_file("cursors/fuzz", p, n);
    if (cursor_load(state, "fuzz", &next, &e))
        must(next > 0);
    remove_file("cursors/fuzz");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b = {0};
    char path[96];

    if (!*state) {
        snprintf(state, sizeof state, "/dev/shm/weir-fuzz-XXXXXX");
        must(mkdtemp(state) != NULL);
        atexit(remove_state);
        for (const char *const *f = (const char *const[]){"journal", "cursors", NULL}; *f; f++) {
            snprintf(path, sizeof path, "%s/%s", state, *f);
            must(mkdir(path, 0700) == 0);
        }
    }
    if (size < 1 || size > 1 << 16)
        return 0;
    buf_put(&b, data + 1, size - 1);
    buf_room(&b, 1);
    switch (data[0] % 4) {
    case 0:
        try_segment(b.ptr, b.len);
        break;
    case 1:
        mend_segment(b.ptr, b.len);
        try_segment(b.ptr, b.len);
        break;
    case 2:
        try_snapshot(b.ptr, b.len);
        break;
    default:
        try_cursor(b.ptr, b.len);
    }
    buf_fini(&b);
    return 0;
}
