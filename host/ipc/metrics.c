/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c -- lanes of numbers in shared memory, and how Prometheus reads them; see metrics.h. */
#include "ipc/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/must.h"

#define METRICS_ROW(name, type, label, help) {#name, help, METRIC_##type, label},
static const struct {
    const char *name, *help;
    enum metric_type type;
    enum metric_label label;
} rows[] = {METRICS(METRICS_ROW)};
#undef METRICS_ROW

static const char *const label_names[] = {"", "step", "outcome", "endpoint", "stage", "sink", "task"};

struct metrics { /* each process's own; the lanes are shared */
    _Atomic int64_t *lanes;
    size_t lane_words, bytes;
    unsigned slots;
    size_t at[METRIC_COUNT], count[METRIC_COUNT]; /* first word in a lane; how many label values */
    const char *const *labels[METRIC_COUNT];
};

const char *metric_name(enum metric m)
{
    return rows[m].name;
}
const char *metric_help(enum metric m)
{
    return rows[m].help;
}

/* A histogram's words: one per bucket, then the sum. */
static size_t words_of(enum metric m)
{
    return rows[m].type == METRIC_HISTOGRAM ? METRICS_BUCKETS + 1 : 1;
}

struct metrics *metrics_new(unsigned slots, const struct metrics_labels *labels)
{
    struct metrics *m = must_alloc(sizeof *m);

    m->slots = slots;
    for (enum metric i = 0; i < METRIC_COUNT; i++) {
        m->count[i] = rows[i].label == LABEL_NONE ? 1 : labels->count[rows[i].label];
        m->labels[i] = labels->names[rows[i].label];
        m->at[i] = m->lane_words;
        m->lane_words += m->count[i] * words_of(i);
    }
    m->lane_words = (m->lane_words + 7) & ~(size_t)7; /* whole cache lines: no two processes write to the same */
    m->bytes = slots * m->lane_words * sizeof *m->lanes;
    m->lanes = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(m->lanes != MAP_FAILED);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    munmap(m->lanes, m->bytes);
    free(m);
}

/* ---- writing: plain loads and stores, for nobody else writes here ---- */

static void word_add(_Atomic int64_t *w, int64_t by)
{
    atomic_store_explicit(w, atomic_load_explicit(w, memory_order_relaxed) + by, memory_order_relaxed);
}

static _Atomic int64_t *word_of(const struct metrics *m, unsigned slot, enum metric metric, size_t index)
{
    must(slot < m->slots);
    return index < m->count[metric] ? &m->lanes[slot * m->lane_words + m->at[metric] + index * words_of(metric)] : NULL;
}

void metrics_add(struct metrics *m, unsigned slot, enum metric metric, size_t index, int64_t by)
{
    _Atomic int64_t *w = word_of(m, slot, metric, index);

    if (w && rows[metric].type != METRIC_HISTOGRAM)
        word_add(w, by);
}

void metrics_set(struct metrics *m, unsigned slot, enum metric metric, size_t index, int64_t to)
{
    _Atomic int64_t *w = word_of(m, slot, metric, index);

    if (w && rows[metric].type == METRIC_GAUGE)
        atomic_store_explicit(w, to, memory_order_relaxed);
}

void metrics_observe(struct metrics *m, unsigned slot, enum metric metric, size_t index, int64_t us)
{
    _Atomic int64_t *w = word_of(m, slot, metric, index);
    unsigned bucket = us <= 1 ? 0 : 64 - (unsigned)__builtin_clzll((unsigned long long)us - 1);

    if (!w || rows[metric].type != METRIC_HISTOGRAM)
        return;
    word_add(&w[bucket < METRICS_BUCKETS ? bucket : METRICS_BUCKETS - 1], 1);
    word_add(&w[METRICS_BUCKETS], us > 0 ? us : 0);
}

void metrics_attach(struct metrics *m, unsigned slot)
{
    for (enum metric i = 0; i < METRIC_COUNT; i++)
        for (size_t k = 0; rows[i].type == METRIC_GAUGE && k < m->count[i]; k++)
            metrics_set(m, slot, i, k, 0);
}

/* ---- reading ---- */

static int64_t word_sum(const struct metrics *m, size_t word)
{
    int64_t sum = 0;

    for (unsigned s = 0; s < m->slots; s++)
        sum += atomic_load_explicit(&m->lanes[s * m->lane_words + word], memory_order_relaxed);
    return sum;
}

int64_t metrics_sum(const struct metrics *m, enum metric metric, size_t index)
{
    size_t at = m->at[metric] + index * words_of(metric);
    int64_t sum = 0;

    if (index >= m->count[metric])
        return 0;
    if (rows[metric].type != METRIC_HISTOGRAM)
        return word_sum(m, at);
    for (unsigned b = 0; b < METRICS_BUCKETS; b++)
        sum += word_sum(m, at + b);
    return sum;
}

static void print_seconds(struct buf *to, int64_t us)
{
    buf_printf(to, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void print_name(struct buf *to, enum metric m)
{
    size_t n = strlen(rows[m].name);

    if (rows[m].type == METRIC_HISTOGRAM)
        buf_printf(to, "weir_%.*s_seconds", (int)(n - 3), rows[m].name); /* without _us */
    else
        buf_printf(to, "weir_%s%s", rows[m].name, rows[m].type == METRIC_COUNTER ? "_total" : "");
}

/* {label="value" -- with `more` behind it, and nothing at all when there is neither. */
static void print_labels(const struct metrics *m, struct buf *to, enum metric metric, size_t index, const char *more)
{
    bool labelled = rows[metric].label != LABEL_NONE;

    if (!labelled && !*more)
        return;
    buf_char(to, '{');
    if (labelled) {
        buf_printf(to, "%s=\"", label_names[rows[metric].label]);
        for (const char *p = m->labels[metric][index]; *p; p++) {
            if (*p == '"' || *p == '\\' || *p == '\n')
                buf_char(to, '\\');
            buf_char(to, *p == '\n' ? 'n' : *p);
        }
        buf_char(to, '"');
    }
    buf_printf(to, "%s%s}", labelled && *more ? "," : "", more);
}

static void print_histogram(const struct metrics *m, struct buf *to, enum metric metric, size_t index)
{
    size_t at = m->at[metric] + index * words_of(metric);
    int64_t sum = word_sum(m, at + METRICS_BUCKETS), below = 0;
    char le[40];

    for (unsigned b = 0; b < METRICS_BUCKETS; b++) {
        int64_t edge = (int64_t)1 << b;
        below += word_sum(m, at + b);
        if (b < METRICS_BUCKETS - 1)
            snprintf(le, sizeof le, "le=\"%lld.%06lld\"", (long long)(edge / 1000000), (long long)(edge % 1000000));
        else
            snprintf(le, sizeof le, "le=\"+Inf\"");
        print_name(to, metric);
        buf_lit(to, "_bucket");
        print_labels(m, to, metric, index, le);
        buf_printf(to, " %lld\n", (long long)below);
    }
    print_name(to, metric);
    buf_lit(to, "_sum");
    print_labels(m, to, metric, index, "");
    buf_char(to, ' ');
    print_seconds(to, sum);
    buf_char(to, '\n');
    print_name(to, metric);
    buf_lit(to, "_count");
    print_labels(m, to, metric, index, "");
    buf_printf(to, " %lld\n", (long long)below);
}

static void print_value(const struct metrics *m, struct buf *to, enum metric metric, size_t index)
{
    print_name(to, metric);
    print_labels(m, to, metric, index, "");
    buf_printf(to, " %lld\n", (long long)word_sum(m, m->at[metric] + index));
}

void metrics_print(const struct metrics *m, struct buf *to)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};

    for (enum metric i = 0; i < METRIC_COUNT; i++) {
        if (!m->count[i])
            continue;
        buf_lit(to, "# HELP ");
        print_name(to, i);
        buf_printf(to, " %s\n# TYPE ", rows[i].help);
        print_name(to, i);
        buf_printf(to, " %s\n", types[rows[i].type]);
        for (size_t k = 0; k < m->count[i]; k++)
            rows[i].type == METRIC_HISTOGRAM ? print_histogram(m, to, i, k) : print_value(m, to, i, k);
    }
}
