/* SPDX-License-Identifier: Apache-2.0 */
/*
 * think.c -- models whose server leaves their reasoning in the text, between <think> and </think>: taken apart.
 *
 * Only where the block says so (`think`), and only at the head of an answer: a tag that comes later is text.  Hook
 * `decode`, worker process.  See decode.h.
 */
#include "decode.h"

#define OPEN_TAG  "<think>"
#define CLOSE_TAG "</think>"

enum think_state {
    THINK_BEFORE, /* nothing but white space and a part of the first tag */
    THINK_INSIDE,
    THINK_BEHIND, /* white space behind the last tag: left out */
    THINK_OVER,
};

struct openai_think {
    struct openai_think *next;
    uint32_t choice;
    enum think_state state;
    uint32_t matched; /* bytes of the tag that is looked for */
    struct text held; /* THINK_BEFORE: what is text if no tag comes */
    bool trimmed;     /* THINK_INSIDE: something has been said */
};

static struct openai_think *think_get(struct decoder *d, uint32_t choice)
{
    const struct openai *o = d->c->self;
    struct openai_think *k = d->l->thinks;

    while (k && k->choice != choice)
        k = k->next;
    if (k)
        return k;
    k = weir_alloc(d->c, sizeof *k);
    *k = (struct openai_think){.next = d->l->thinks, .choice = choice, .held.c = d->c};
    k->state = strcmp(o->think, "begun") == 0 ? THINK_INSIDE : THINK_BEFORE;
    return d->l->thinks = k;
}

static void put(struct decoder *d, const struct openai_think *k, bool reasoning, struct weir_str text)
{
    struct weir_event *ev;

    if (!text.len)
        return;
    ev = decode_event_at(d, reasoning ? WEIR_REASONING : WEIR_TEXT, k->choice,
                         reasoning ? (uint32_t)REASONING_TAGS : (uint32_t)TEXT_CONTENT, WEIR_NO_NODE);
    if (ev)
        ev->text = text_keep(d->c, text);
}

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
}

/* Bytes of `s` that were of no tag, and are text: it goes on with them. */
static size_t before(struct decoder *d, struct openai_think *k, struct weir_str s)
{
    size_t i = 0;

    for (; i < s.len && k->matched < sizeof OPEN_TAG - 1; i++) {
        bool fits = s.ptr[i] == OPEN_TAG[k->matched];
        if (!fits && (k->matched || !is_space(s.ptr[i])))
            break;
        k->matched += fits;
    }
    text_str(&k->held, (struct weir_str){s.ptr, i});
    if (k->matched == sizeof OPEN_TAG - 1) {
        k->state = THINK_INSIDE;
        k->matched = 0;
    } else if (i < s.len) {
        put(d, k, false, text_view(&k->held));
        k->state = THINK_OVER;
    }
    return i;
}

/* A tag that was begun and not ended is reasoning like the rest. */
static size_t inside(struct decoder *d, struct openai_think *k, struct weir_str s)
{
    struct text said = {.c = d->c};
    size_t i = 0;

    for (; i < s.len && k->matched < sizeof CLOSE_TAG - 1; i++) {
        bool fits = s.ptr[i] == CLOSE_TAG[k->matched];
        if (!fits && k->matched) {
            text_put(&said, CLOSE_TAG, k->matched);
            k->matched = 0;
            fits = s.ptr[i] == CLOSE_TAG[0];
        }
        if (fits)
            k->matched++;
        else if (k->trimmed || said.len || !is_space(s.ptr[i]))
            text_put(&said, s.ptr + i, 1);
    }
    k->trimmed |= said.len > 0;
    put(d, k, true, text_view(&said));
    if (k->matched == sizeof CLOSE_TAG - 1) {
        k->state = THINK_BEHIND;
        k->matched = 0;
    }
    return i;
}

void think_text(struct decoder *d, uint32_t choice, struct weir_str text)
{
    struct openai_think *k = think_get(d, choice);
    size_t i = 0;

    if (k->state == THINK_BEFORE)
        i = before(d, k, text);
    if (k->state == THINK_INSIDE)
        i += inside(d, k, (struct weir_str){text.ptr + i, text.len - i});
    while (k->state == THINK_BEHIND && i < text.len && is_space(text.ptr[i]))
        i++;
    if (i == text.len)
        return;
    k->state = THINK_OVER;
    put(d, k, false, (struct weir_str){text.ptr + i, text.len - i});
}

static void end(struct decoder *d, struct openai_think *k)
{
    if (k->state == THINK_BEFORE)
        put(d, k, false, text_view(&k->held));
    if (k->state == THINK_INSIDE)
        put(d, k, true, (struct weir_str){CLOSE_TAG, k->matched});
    k->state = THINK_OVER;
}

void think_end(struct decoder *d, uint32_t choice)
{
    for (struct openai_think *k = d->l->thinks; k; k = k->next)
        if (k->choice == choice)
            end(d, k);
}

void think_end_all(struct decoder *d)
{
    for (struct openai_think *k = d->l->thinks; k; k = k->next)
        end(d, k);
}
