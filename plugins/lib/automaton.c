/* SPDX-License-Identifier: Apache-2.0 */
/* automaton.c -- states made on demand from the patterns' graph; see automaton.h. */
#include "automaton.h"

#include "memory.h"

/* ---- closures: what can be reached without a byte ---- */

enum edges { EDGES_WAIT, EDGES_TRUE, EDGES_FALSE }; /* whether a boundary is here: not known yet, yes, no */

struct closure {
    uint32_t *nodes;
    uint32_t count;
    uint32_t accepted;
    enum edges edges;
};

static void closure_node(struct automaton *a, struct closure *c, uint32_t *top, uint32_t n)
{
    const struct pattern_node *node = &a->set->nodes[n];

    switch (node->kind) {
    case PATTERN_SPLIT:
        a->stack[(*top)++] = node->arg;
        a->stack[(*top)++] = node->out;
        break;
    case PATTERN_ACCEPT:
        if (node->arg < c->accepted)
            c->accepted = node->arg;
        break;
    case PATTERN_EDGE:
    case PATTERN_NO_EDGE:
        if (c->edges == EDGES_WAIT)
            c->nodes[c->count++] = n;
        else if ((c->edges == EDGES_TRUE) == (node->kind == PATTERN_EDGE))
            a->stack[(*top)++] = node->out;
        break;
    default:
        c->nodes[c->count++] = n;
    }
}

static void closure_add(struct automaton *a, struct closure *c, uint32_t node)
{
    uint32_t top = 0;

    a->stack[top++] = node;
    while (top) {
        uint32_t n = a->stack[--top];
        if (a->marks[n] == a->mark)
            continue;
        a->marks[n] = a->mark;
        closure_node(a, c, &top, n);
    }
}

static struct closure closure_begin(struct automaton *a, uint32_t *nodes, enum edges edges)
{
    if (++a->mark == 0) {
        memset(a->marks, 0, a->set->node_count * sizeof *a->marks);
        a->mark = 1;
    }
    return (struct closure){nodes, 0, NO_PATTERN, edges};
}

/* ---- states ---- */

static uint32_t state_hash(const struct state *s, const uint32_t *nodes)
{
    uint32_t h = s->before * 31 + s->behind * 17 + s->after_word;

    for (uint32_t i = 0; i < s->count; i++)
        h = (h ^ nodes[i]) * 16777619u;
    return h ^ h >> 15;
}

static bool state_same(const struct automaton *a, const struct state *x, const struct state *y, const uint32_t *nodes)
{
    return x->count == y->count && x->before == y->before && x->behind == y->behind && x->after_word == y->after_word &&
           memcmp(a->members + x->first, nodes, x->count * sizeof *nodes) == 0;
}

static void index_put(struct automaton *a, uint32_t state)
{
    const struct state *s = &a->states[state];
    uint32_t i = state_hash(s, a->members + s->first) & (a->index_size - 1);

    while (a->index[i])
        i = (i + 1) & (a->index_size - 1);
    a->index[i] = state + 1;
}

static void index_grow(struct automaton *a)
{
    a->index_size = a->index_size ? a->index_size * 2 : 64;
    a->index = memory_resize(a->index, a->index_size, sizeof *a->index);
    memset(a->index, 0, a->index_size * sizeof *a->index);
    for (uint32_t i = 0; i < a->state_count; i++)
        index_put(a, i);
}

static uint32_t handle_of(const struct automaton *a, uint32_t state)
{
    const struct state *s = &a->states[state];
    bool match = s->before != NO_PATTERN || s->behind != NO_PATTERN;

    return (state + 1) * a->width << 2 | (match ? STATE_MATCH : 0) | (s->count ? 0 : STATE_DEAD);
}

static uint32_t state_push(struct automaton *a, const struct state *s, const uint32_t *nodes)
{
    uint32_t n = a->state_count;

    if (a->state_count * 2 >= a->index_size)
        index_grow(a);
    memory_more(a->states, a->state_count, a->state_cap);
    while (a->member_count + s->count > a->member_cap) {
        a->member_cap *= 2;
        a->members = memory_resize(a->members, a->member_cap, sizeof *a->members);
    }
    if (a->row_words + a->width > a->row_cap) {
        a->row_cap = (a->row_words + a->width) * 2;
        a->rows = memory_resize(a->rows, a->row_cap, sizeof *a->rows);
    }
    memcpy(a->members + a->member_count, nodes, s->count * sizeof *nodes);
    a->states[a->state_count++] = *s;
    a->states[n].first = a->member_count;
    a->member_count += s->count;
    memset(a->rows + a->row_words, 0, a->width * sizeof *a->rows);
    a->rows[a->row_words] = n;
    a->row_words += a->width;
    index_put(a, n);
    return handle_of(a, n);
}

/* The state with these nodes, or 0. */
static uint32_t state_find(const struct automaton *a, const struct state *s, const uint32_t *nodes)
{
    uint32_t i = a->index_size ? state_hash(s, nodes) & (a->index_size - 1) : 0;

    for (; a->index_size && a->index[i]; i = (i + 1) & (a->index_size - 1))
        if (state_same(a, &a->states[a->index[i] - 1], s, nodes))
            return handle_of(a, a->index[i] - 1);
    return 0;
}

static bool asks_for_edges(const struct automaton *a, const uint32_t *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (a->set->nodes[nodes[i]].kind != PATTERN_BYTE)
            return true;
    return false;
}

static uint32_t start_make(struct automaton *a, bool after_word)
{
    struct closure c = closure_begin(a, a->next, EDGES_WAIT);
    struct state s = {.before = NO_PATTERN, .behind = NO_PATTERN};
    uint32_t found;

    for (uint32_t i = 0; i < a->set->root_count; i++)
        closure_add(a, &c, a->set->roots[i]);
    s.count = c.count;
    s.after_word = after_word && asks_for_edges(a, c.nodes, c.count);
    found = state_find(a, &s, c.nodes);
    return found ? found : state_push(a, &s, c.nodes);
}

static void states_forget(struct automaton *a)
{
    a->epoch++;
    a->state_count = a->member_count = 0;
    a->row_words = a->width; /* row 0 is nobody's: a state of 0 means "not made yet" */
    if (a->index_size)
        memset(a->index, 0, a->index_size * sizeof *a->index);
    a->start[0] = start_make(a, false);
    a->start[1] = start_make(a, true);
}

static bool states_full(const struct automaton *a, uint32_t more)
{
    return (a->row_words + a->width + a->member_count + more) * sizeof *a->rows > a->limit && a->state_count > 4;
}

/* ---- a step that was never made before ---- */

/* Nodes of `from` with every boundary decided; what this accepts ends before the byte. */
static uint32_t settle_edges(struct automaton *a, const struct state *from, bool word)
{
    enum edges edges = from->after_word != word ? EDGES_TRUE : EDGES_FALSE;
    struct closure c = closure_begin(a, a->now, edges);

    for (uint32_t i = 0; i < from->count; i++)
        closure_add(a, &c, a->members[from->first + i]);
    a->now_count = c.count;
    return c.accepted;
}

uint32_t automaton_make(struct automaton *a, uint32_t state, uint32_t class)
{
    const struct state from = *automaton_at(a, state);
    bool end = class == a->set->class_count;
    unsigned char byte = end ? 0 : a->set->samples[class];
    bool word = !end && pattern_is_word(byte);
    struct state s = {.before = settle_edges(a, &from, word)};
    struct closure c = closure_begin(a, a->next, EDGES_WAIT);
    uint32_t to, epoch = a->epoch;

    for (uint32_t i = 0; i < a->now_count && !end; i++) {
        const struct pattern_node *n = &a->set->nodes[a->now[i]];
        if (pattern_has(&a->set->sets[n->arg], byte))
            closure_add(a, &c, n->out);
    }
    for (uint32_t i = 0; i < a->set->root_count && a->searches && !end; i++)
        closure_add(a, &c, a->set->roots[i]);
    s.count = c.count;
    s.behind = c.accepted;
    s.after_word = word && asks_for_edges(a, c.nodes, c.count);
    to = state_find(a, &s, c.nodes);
    if (to == 0) {
        if (states_full(a, s.count)) {
            memcpy(a->now, a->next, s.count * sizeof *a->now); /* the start states are made in `next` */
            states_forget(a);
            to = state_find(a, &s, a->now);
            return to ? to : state_push(a, &s, a->now);
        }
        to = state_push(a, &s, c.nodes);
    }
    if (epoch == a->epoch)
        a->rows[(state >> 2) + 1 + class] = to;
    return to;
}

/* ---- the whole ---- */

void automaton_init(struct automaton *a, const struct pattern_set *set, bool searches, size_t limit)
{
    uint32_t n = set->node_count;

    *a = (struct automaton){.set = set, .searches = searches, .limit = limit, .width = set->class_count + 2};
    a->marks = memory_resize(NULL, n, sizeof *a->marks);
    memset(a->marks, 0, n * sizeof *a->marks);
    a->stack = memory_resize(NULL, 2 * (size_t)n + 2, sizeof *a->stack);
    a->now = memory_resize(NULL, n, sizeof *a->now);
    a->next = memory_resize(NULL, n, sizeof *a->next);
    a->member_cap = 256;
    a->members = memory_resize(NULL, a->member_cap, sizeof *a->members);
    states_forget(a);
}

void automaton_fini(struct automaton *a)
{
    free(a->rows);
    free(a->states);
    free(a->members);
    free(a->index);
    free(a->marks);
    free(a->stack);
    free(a->now);
    free(a->next);
    *a = (struct automaton){0};
}

bool automaton_finds(struct automaton *a, struct weir_str text)
{
    const uint8_t *classes = a->set->classes;
    const uint32_t *rows = a->rows;
    uint32_t state = a->start[0], epoch = a->epoch;

    if (!a->set->root_count)
        return false;
    for (size_t i = 0; i < text.len && !(state & STATE_MATCH); i++) {
        uint32_t class = classes[(unsigned char)text.ptr[i]], next = rows[(state >> 2) + 1 + class];
        if (!next) {
            next = automaton_make(a, state, class);
            rows = a->rows;
            if (a->epoch - epoch > 2)
                return true; /* this text makes states faster than they can be kept */
        }
        state = next;
    }
    return (state & STATE_MATCH) || (automaton_end(a, state) & STATE_MATCH);
}
