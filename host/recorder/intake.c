/* SPDX-License-Identifier: Apache-2.0 */
/* intake.c -- records, orphans and gaps on their way into the journal; see intake.h. */
#include "recorder/intake.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"

/* ---- the recorder's own records ---- */

static void append_own(struct intake *in)
{
    struct journal_frame f = {.time_us = clock_wall_us(), .text = buf_view(&in->text)};
    struct record_head head;

    journal_append(in->journal, &f);
    if (record_read_head(f.text, &head))
        ledger_take(&in->ledger, &f, &head);
    in->records++;
}

struct range {
    uint64_t from, to;
}; /* sequences that are missing; from 0: none is */

static void write_gap(struct intake *in, const char *code, const char *reason, struct range missing)
{
    in->text.len = 0;
    struct record_writer w = record_begin(&in->text, KIND_gap, clock_wall_us(), WEIR_STR(""));
    record_str(&w, RECORD_code, str_of(code));
    record_str(&w, RECORD_reason, str_of(reason));
    if (missing.from) {
        record_int(&w, RECORD_from, (int64_t)missing.from);
        record_int(&w, RECORD_to, (int64_t)missing.to);
    }
    record_end(&w);
    log_event(WEIR_WARN, LOG_gap, "code=%s from=%llu to=%llu", code, (unsigned long long)missing.from,
              (unsigned long long)missing.to);
}

static void append_gap(struct intake *in, const char *code, const char *reason, struct range missing)
{
    write_gap(in, code, reason, missing);
    append_own(in);
}

/* Members of an open that its close repeats. */
static bool repeated(enum record_field f)
{
    return f >= RECORD_attempt && f <= RECORD_unseen;
}

static void copy_field(struct record_writer *w, const struct weir_field *field)
{
    for (enum record_field f = RECORD_attempt; repeated(f); f++) {
        if (!str_is(field->name, record_field_name(f)))
            continue;
        if (field->is_number)
            record_int(w, f, field->number);
        else if (f == RECORD_stream)
            record_bool(w, f, str_is(field->text, "true"));
        else
            record_str(w, f, field->text);
    }
}

static void append_orphan(struct intake *in, struct ledger_open *open)
{
    struct weir_record r = {0};
    struct weir_str id = open->id;

    in->text.len = 0;
    arena_reset(&in->arena);
    bool whole = record_read(&in->arena, &in->skim, 0, open->text, &r);
    for (size_t i = 0; i < r.count; i++)
        if (str_is(r.fields[i].name, "id"))
            id = r.fields[i].text;
    struct record_writer w = record_begin(&in->text, KIND_close, clock_wall_us(), id);
    if (!whole)
        record_int(&w, RECORD_attempt, open->attempt);
    for (size_t i = 0; i < r.count; i++)
        copy_field(&w, &r.fields[i]);
    record_str(&w, RECORD_outcome, WEIR_STR("worker_died"));
    record_str(&w, RECORD_reason, WEIR_STR("the worker ended before the request did: how far it came is not known"));
    record_end(&w);
    append_own(in);
    free(open);
}

/* ---- the rings' records ---- */

static void take_record(struct intake *in, struct intake_ring *r, const struct ring_record *record)
{
    struct journal_frame f = {.time_us = clock_wall_us(),
                              .ring = ring_identity(r->ring),
                              .position = record->position,
                              .slot = ring_slot(r->ring),
                              .epoch = record->epoch,
                              .text = record->bytes};
    struct record_head head;

    if (!record_read_head(f.text, &head)) {
        write_gap(in, "record_damaged", "a worker put something that is no record", (struct range){0});
        f.text = buf_view(&in->text);
        must(record_read_head(f.text, &head));
    }
    bool old = record->epoch < r->epoch;
    if (old && head.kind == KIND_close && !ledger_has(&in->ledger, &head))
        return; /* its worker was taken for dead, and this open has had its close */
    journal_append(in->journal, &f);
    ledger_take(&in->ledger, &f, &head);
    r->late |= old && head.kind == KIND_open;
    in->records++;
}

static void take_ring(struct intake *in, struct intake_ring *r, size_t most)
{
    uint32_t epoch = ring_epoch(r->ring); /* before the rest: see ring_epoch() */
    struct ledger_open *open;
    struct ring_record record;
    size_t looked = 0;

    while (journal_pending(in->journal) < most) {
        enum ring_result got = ring_next(r->ring, &r->at, &record);
        if (got == RING_RECORD) {
            take_record(in, r, &record);
            continue;
        }
        if (got == RING_DAMAGED) {
            append_gap(in, "ring_damaged", "what a worker left in its ring makes no sense", (struct range){0});
            continue;
        }
        if (epoch != r->epoch || r->late)
            while ((open = ledger_orphan(&in->ledger, &looked, ring_identity(r->ring), epoch)))
                append_orphan(in, open);
        r->epoch = epoch;
        r->late = false;
        return;
    }
}

void intake_take(struct intake *in, size_t most)
{
    for (unsigned i = 0; i < in->count; i++)
        take_ring(in, &in->rings[i], most);
}

bool intake_waits(const struct intake *in)
{
    struct ring_record record;

    for (unsigned i = 0; i < in->count; i++) {
        const struct intake_ring *r = &in->rings[i];
        uint64_t at = r->at;
        if (r->late || r->epoch != ring_epoch(r->ring) || ring_next(r->ring, &at, &record) != RING_NONE)
            return true;
    }
    return false;
}

void intake_release(struct intake *in)
{
    for (unsigned i = 0; i < in->count; i++)
        ring_release(in->rings[i].ring, in->rings[i].at);
}

bool intake_save(struct intake *in, bool clean, struct weir_error *e)
{
    uint64_t seq = journal_next_seq(in->journal);

    must(journal_pending(in->journal) == 0);
    if (!ledger_save(&in->ledger, in->state, seq, clean, e))
        return false;
    in->saved_seq = seq;
    return true;
}

/* ---- beginning ---- */

#define RANGES_MAX 64 /* more damage than that is told by `weir journal verify` only */

struct past {
    struct range ranges[RANGES_MAX];
    size_t count;
    uint64_t told; /* sequence of the last gap about lost rings */
};

/* A gap that an earlier recorder has told of needs no second record. */
static void forget_told(struct past *past, const struct journal_frame *f)
{
    const struct weir_str text = f->text;
    const char *at = memmem(text.ptr, text.len, ",\"from\":", 8), *end = text.ptr + text.len;
    uint64_t from = 0;

    for (at = at ? at + 8 : end; at < end && *at >= '0' && *at <= '9'; at++)
        from = from * 10 + (uint64_t)(*at - '0');
    if (memmem(text.ptr, text.len, "\"rings_lost\"", 12))
        past->told = f->seq;
    for (size_t i = 0; i < past->count; i++)
        if (past->ranges[i].from == from)
            past->ranges[i] = past->ranges[--past->count];
}

static bool read_past(struct intake *in, uint64_t from, struct past *past, struct weir_error *e)
{
    struct cursor *c = cursor_open(in->state, from, e);
    struct weir_error ignored;
    struct journal_frame f;
    struct record_head head;
    enum cursor_result got;
    uint64_t before;

    if (!c)
        return false;
    while ((before = cursor_at(c), got = cursor_next(c, &f, &ignored)) != CURSOR_END) {
        if (got == CURSOR_DAMAGED && past->count < RANGES_MAX)
            past->ranges[past->count++] = (struct range){before, cursor_at(c) - 1};
        if (got == CURSOR_DAMAGED || !record_read_head(f.text, &head))
            continue;
        ledger_take(&in->ledger, &f, &head);
        if (head.kind == KIND_gap)
            forget_told(past, &f);
    }
    cursor_close(c);
    return true;
}

/* Where each ring is to be read on. */
static void place_rings(struct intake *in, uint64_t *present)
{
    for (unsigned i = 0; i < in->count; i++) {
        struct intake_ring *r = &in->rings[i];
        present[i] = ring_identity(r->ring);
        r->at = ring_durable(r->ring);
        for (size_t k = 0; k < in->ledger.ring_count; k++)
            if (in->ledger.rings[k].identity == present[i] && in->ledger.rings[k].position > r->at)
                r->at = in->ledger.rings[k].position; /* synced, and killed before it could be released */
    }
}

/* Rings that lived after `told`, when such a loss was told of last, and are gone. */
static bool rings_lost(const struct intake *in, const uint64_t *present, uint64_t told)
{
    for (size_t k = 0; k < in->ledger.ring_count; k++) {
        bool there = in->ledger.rings[k].seq < told;
        for (unsigned i = 0; i < in->count && !there; i++)
            there = in->ledger.rings[k].identity == present[i];
        if (!there)
            return true;
    }
    return false;
}

static void settle_rings(struct intake *in, bool clean, uint64_t told)
{
    uint64_t *present = must_alloc(in->count * sizeof *present);
    struct ledger_open *open;
    size_t looked = 0;

    place_rings(in, present);
    if (!clean && rings_lost(in, present, told))
        append_gap(in, "rings_lost",
                   "the rings of the run before are gone, and it was not ended: what was put last may be missing",
                   (struct range){0});
    ledger_forget_rings(&in->ledger, present, in->count);
    while ((open = ledger_stray(&in->ledger, &looked, present, in->count)))
        append_orphan(in, open);
    for (unsigned i = 0; i < in->count; i++) {
        struct ledger_ring *r = ledger_ring(&in->ledger, present[i]);
        r->slot = ring_slot(in->rings[i].ring);
        r->seq = journal_next_seq(in->journal);
    }
    free(present);
}

bool intake_open(struct intake *in, const char *state, const struct journal_limits *limits, struct ring **rings,
                 unsigned count, struct weir_error *e)
{
    struct past past = {.count = 0};
    uint64_t repaired, from;
    bool clean;

    *in = (struct intake){.state = state, .count = count, .rings = must_alloc(count * sizeof *in->rings)};
    for (unsigned i = 0; i < count; i++)
        in->rings[i].ring = rings[i];
    in->journal = journal_open(state, limits, &repaired, e);
    if (!in->journal)
        return false;
    ledger_load(&in->ledger, state, &from, &clean);
    clean = clean && from == journal_next_seq(in->journal);
    if (!read_past(in, from, &past, e))
        return false;
    log_event(repaired || in->ledger.opens ? WEIR_INFO : WEIR_DEBUG, LOG_journal,
              "what=opened next=%llu read_from=%llu open=%zu cut_off=%llu",
              (unsigned long long)journal_next_seq(in->journal), (unsigned long long)from, in->ledger.opens,
              (unsigned long long)repaired);
    for (size_t i = 0; i < past.count; i++)
        append_gap(in, "journal_damaged", "bytes of the journal have changed on disk", past.ranges[i]);
    settle_rings(in, clean, past.told);
    for (unsigned i = 0; i < count; i++)
        ring_adopt(rings[i]);
    return true;
}

void intake_close(struct intake *in)
{
    journal_close(in->journal);
    ledger_fini(&in->ledger);
    buf_fini(&in->text);
    arena_fini(&in->arena);
    json_skim_fini(&in->skim);
    free(in->rings);
    *in = (struct intake){0};
}
