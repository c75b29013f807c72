/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.c -- the ledger as a file, STATE/journal/snapshot: a line about the whole, a line for each ring, a journal
 * frame for each open, and a checksum.  It only saves time: a damaged one is not used, and the journal is read from its
 * beginning.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "ipc/folder.h"
#include "ipc/segment.h"
#include "recorder/ledger.h"

#define SNAPSHOT_MAX (1u << 30)
#define HEAD         "weir snapshot 1"

static void path_of(char *path, size_t room, const char *state)
{
    snprintf(path, room, "%s/journal/snapshot", state);
}

bool ledger_save(const struct ledger *l, const char *state, uint64_t seq, bool clean, struct weir_error *e)
{
    char path[PATH_ROOM];
    struct buf b = {0};
    bool ok;

    path_of(path, sizeof path, state);
    buf_printf(&b, HEAD " %llu %d %zu %zu\n", (unsigned long long)seq, clean, l->ring_count, l->opens);
    for (size_t i = 0; i < l->ring_count; i++)
        buf_printf(&b, "%llu %llu %llu %u\n", (unsigned long long)l->rings[i].identity,
                   (unsigned long long)l->rings[i].position, (unsigned long long)l->rings[i].seq, l->rings[i].slot);
    for (size_t i = 0; i < l->buckets; i++)
        for (const struct ledger_open *o = l->table[i]; o; o = o->next)
            frame_write(&b,
                        &(struct journal_frame){.ring = o->ring, .slot = o->slot, .epoch = o->epoch, .text = o->text});
    buf_printf(&b, "%08x\n", crc32c(0, b.ptr, b.len));
    ok = folder_write(path, buf_view(&b), e);
    buf_fini(&b);
    return ok;
}

/* Numbers divided by one space, up to the line end; false: something else. */
static bool read_line(struct weir_str *s, uint64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t digits = 0;
        for (numbers[i] = 0; digits < s->len && digits < 20 && s->ptr[digits] >= '0' && s->ptr[digits] <= '9'; digits++)
            numbers[i] = numbers[i] * 10 + (uint64_t)(s->ptr[digits] - '0');
        if (!digits || digits == s->len || s->ptr[digits] != (i + 1 < n ? ' ' : '\n'))
            return false;
        *s = str_sub(*s, digits + 1, s->len);
    }
    return true;
}

static bool read_opens(struct ledger *l, struct weir_str s, uint64_t n)
{
    struct journal_frame f;
    struct record_head h;

    for (; n; n--) {
        if (frame_read(s.ptr, s.len, &f) != FRAME_OK || !record_read_head(f.text, &h) || h.kind != KIND_open)
            return false;
        f.position = f.ring ? ledger_ring(l, f.ring)->position : 0; /* the rings' places stay as they were read */
        ledger_take(l, &f, &h);
        s = str_sub(s, FRAME_HEAD + f.text.len, s.len);
    }
    return s.len == 0;
}

static bool read_all(struct ledger *l, struct weir_str s, uint64_t *seq, bool *clean)
{
    uint64_t head[4], ring[4];
    char crc[16];

    if (s.len < sizeof HEAD + 9 || !str_starts(s, WEIR_STR(HEAD " ")))
        return false;
    snprintf(crc, sizeof crc, "%08x\n", crc32c(0, s.ptr, s.len - 9));
    if (memcmp(s.ptr + s.len - 9, crc, 9) != 0)
        return false;
    s = str_sub(s, sizeof HEAD, s.len - 9);
    if (!read_line(&s, head, 4))
        return false;
    *seq = head[0];
    *clean = head[1];
    for (uint64_t i = 0; i < head[2]; i++) {
        if (!read_line(&s, ring, 4))
            return false;
        struct ledger_ring *r = ledger_ring(l, ring[0]);
        r->position = ring[1];
        r->seq = ring[2];
        r->slot = (uint32_t)ring[3];
    }
    return read_opens(l, s, head[3]);
}

bool ledger_load(struct ledger *l, const char *state, uint64_t *seq, bool *clean)
{
    struct weir_error ignored = {0};
    char path[PATH_ROOM];
    struct buf b = {0};
    bool ok;

    *l = (struct ledger){0};
    path_of(path, sizeof path, state);
    ok = folder_read(path, SNAPSHOT_MAX, &b, NULL, &ignored) && read_all(l, buf_view(&b), seq, clean);
    if (!ok) {
        ledger_fini(l);
        *seq = 0;
        *clean = false;
    }
    buf_fini(&b);
    return ok;
}
