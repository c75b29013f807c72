/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c -- the streaming matcher; see scan.h. */
#include "scan.h"

#include "memory.h"

#define WINDOW_KEPT (64 * 1024)

void scanner_init(struct scanner *s, const struct pattern_set *set, const struct scan_hooks *hooks, size_t limit)
{
    *s = (struct scanner){.hooks = hooks};
    automaton_init(&s->a, set, false, limit);
}

void scanner_fini(struct scanner *s)
{
    automaton_fini(&s->a);
    free(s->window);
    *s = (struct scanner){0};
}

/* ---- one piece ---- */

/* `text` is what was held, and the piece.  The match under way begins at `from` and has come to `at`. */
struct run {
    struct scanner *s;
    void *who;
    const unsigned char *text;
    size_t len, from, at;
    size_t clear;  /* text[clear, from) is clear and not yet given out */
    size_t masked; /* text before it belongs to a match, when it is > from */
    size_t last;   /* the longest match from `from` ends there; 0: none */
    uint32_t state, pattern, mask_pattern;
    bool after_word;
};

static void run_clear(struct run *r)
{
    if (r->from > r->clear)
        r->s->hooks->text(r->who, (struct weir_str){(const char *)r->text + r->clear, r->from - r->clear});
    r->clear = r->from;
}

static void matched(struct run *r, uint32_t pattern, size_t end)
{
    if (pattern == NO_PATTERN)
        return;
    r->last = end;
    r->pattern = pattern;
}

/* Steps to where no longer match is possible: true; or to the end of the text. */
static bool run_match(struct run *r)
{
    struct automaton *a = &r->s->a;
    uint32_t state = r->state;

    while (r->at < r->len && !(state & STATE_DEAD)) {
        state = automaton_step(a, state, r->text[r->at++]);
        if (state & STATE_MATCH) {
            const struct state *s = automaton_at(a, state);
            matched(r, s->before, r->at - 1);
            matched(r, s->behind, r->at);
        }
    }
    r->state = state;
    return state & STATE_DEAD;
}

/* Nothing follows: boundaries at the end count. */
static void run_end(struct run *r)
{
    matched(r, automaton_at(&r->s->a, automaton_end(&r->s->a, r->state))->before, r->len);
}

/* Moves on to the next byte as a beginning.  false: stopped. */
static bool run_next(struct run *r)
{
    enum scan_choice choice = SCAN_KEEP;

    if (r->last) {
        const struct weir_str match = {(const char *)r->text + r->from, r->last - r->from};
        choice = r->s->hooks->found(r->who, r->pattern, match);
    }
    if (choice == SCAN_STOP) {
        if (r->masked <= r->from)
            run_clear(r);
        return false;
    }
    if (choice == SCAN_MASK) {
        if (r->masked <= r->from) {
            run_clear(r);
            r->mask_pattern = r->pattern;
        }
        if (r->last > r->masked)
            r->masked = r->last;
    }
    r->after_word = pattern_is_word(r->text[r->from++]);
    if (r->masked == r->from) {
        r->s->hooks->mask(r->who, r->mask_pattern);
        r->clear = r->from;
    }
    r->state = r->s->a.start[r->after_word];
    r->at = r->from;
    r->last = 0;
    return true;
}

/* Passes bytes at which no match begins and none is under way at the end of the text: nearly all of them. */
static void run_skip(struct run *r)
{
    struct automaton *a = &r->s->a;
    const uint8_t *classes = a->set->classes;
    const unsigned char *text = r->text;
    const uint32_t *rows = a->rows;
    size_t from = r->from, at, len = r->len;
    uint32_t state, next;
    bool after_word = r->after_word;

    for (; from < len; after_word = a->set->word_bytes[text[from++]]) {
        at = from;
        next = a->start[after_word];
        do {
            uint32_t class = classes[text[at]];
            state = next;
            next = rows[(state >> 2) + 1 + class];
            if (!next) {
                next = automaton_make(a, state, class);
                rows = a->rows;
            }
        } while (!(next & (STATE_DEAD | STATE_MATCH)) && ++at < len);
        if ((next & (STATE_DEAD | STATE_MATCH)) != STATE_DEAD)
            break;
    }
    r->after_word = after_word;
    r->state = a->start[after_word]; /* the rest, from its first byte again, is for run_match() */
    r->at = r->from = from;
}

static bool run_all(struct run *r, bool last)
{
    while (r->from < r->len) {
        if (r->at == r->from && r->masked <= r->from)
            run_skip(r);
        if (r->from == r->len)
            break;
        if (!run_match(r)) {
            if (!last)
                break;
            run_end(r);
        }
        if (!run_next(r))
            return false;
    }
    if (r->masked <= r->from)
        run_clear(r);
    return true;
}

/* ---- between pieces ---- */

/* The held text and the piece in one. */
static void run_window(struct run *r, const struct scan *sc, struct weir_str piece)
{
    struct scanner *s = r->s;

    r->len = sc->held_len + piece.len;
    r->text = (const unsigned char *)piece.ptr;
    if (!sc->held_len)
        return;
    if (r->len > s->window_cap || s->window_cap > WINDOW_KEPT) { /* a large one is not kept for small texts */
        s->window_cap = r->len < WINDOW_KEPT / 2 ? r->len * 2 : r->len;
        s->window = memory_resize(s->window, s->window_cap, 1);
    }
    memcpy(s->window, sc->held, sc->held_len);
    if (piece.len)
        memcpy(s->window + sc->held_len, piece.ptr, piece.len);
    r->text = (const unsigned char *)s->window;
}

/* The state at the end of the held text; made again when it has been thrown away. */
static void run_resume(struct run *r, const struct scan *sc)
{
    struct automaton *a = &r->s->a;

    r->state = sc->held_len && sc->epoch == a->epoch ? sc->state : a->start[sc->after_word];
    r->at = sc->held_len && sc->epoch == a->epoch ? sc->held_len : 0;
    r->after_word = sc->after_word;
    r->masked = sc->masked;
    r->mask_pattern = sc->mask_pattern;
    r->last = sc->last;
    r->pattern = sc->pattern;
}

static void run_hold(const struct run *r, struct scan *sc)
{
    sc->epoch = r->s->a.epoch;
    sc->state = r->state;
    sc->held_len = (uint32_t)(r->len - r->from);
    sc->last = (uint32_t)(r->last ? r->last - r->from : 0);
    sc->pattern = r->pattern;
    sc->masked = (uint32_t)(r->masked > r->from ? r->masked - r->from : 0);
    sc->mask_pattern = r->mask_pattern;
    sc->after_word = r->after_word;
    if (sc->held_len)
        memcpy(sc->held, r->text + r->from, sc->held_len);
}

bool scan_feed(struct scanner *s, struct scan *sc, struct weir_str piece, bool last, void *who)
{
    struct run r = {.s = s, .who = who};
    bool going;

    run_window(&r, sc, piece);
    run_resume(&r, sc);
    going = run_all(&r, last);
    if (last || !going)
        memset(sc, 0, sizeof *sc);
    else
        run_hold(&r, sc);
    return going;
}
