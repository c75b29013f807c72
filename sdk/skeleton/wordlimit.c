/* SPDX-License-Identifier: MIT */
/*
 * wordlimit.c -- guardrail: bounds the words of a prompt and of an answer.
 *
 *     guardrails = ( { name = "short";  plugin = "wordlimit";  limit = 2000;  answer_limit = 500; } );
 *
 * A guardrail is asked and must answer.  This one shows the three things that guardrails do: refuse (weir_block), edit
 * the request (weir_edit), and rewrite a stream (on_event), with state that lasts as long as the request.
 */
#include "weir.h"

/* One field per option; the host fills them in before any hook runs. */
struct wordlimit {
    int64_t limit, answer_limit;
    const char *over;
};

static const char *const over_choices[] = {"block", "cut", NULL};

static const struct weir_option options[] = {
    WEIR_OPT(struct wordlimit, limit, "1000", "Words that a request may have.", .min = 1, .max = 1e9),
    WEIR_OPT(struct wordlimit, over, "block", "What happens to more: the request is refused, or the words are cut.",
             .choices = over_choices),
    WEIR_OPT(struct wordlimit, answer_limit, "0", "Words after which each text of an answer is cut; 0: never.",
             .min = 0, .max = 1e9),
    WEIR_OPT_END,
};

/* Where a text has come to.  Text arrives in pieces cut anywhere, also inside a word: a count is not enough. */
struct counter {
    int64_t words;
    bool in_word, full;
};

/* Bytes of `text` that fit into `limit` words. */
static size_t count_words(struct counter *n, struct weir_str text, int64_t limit)
{
    for (size_t i = 0; i < text.len && !n->full; i++) {
        bool space = text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\t' || text.ptr[i] == '\r';
        n->full = !space && !n->in_word && n->words == limit;
        if (n->full)
            return i;
        n->words += !space && !n->in_word;
        n->in_word = !space;
    }
    return n->full ? 0 : text.len;
}

static enum weir_verdict on_request(struct weir_ctx *c)
{
    const struct wordlimit *me = c->self;
    struct counter n = {0};
    size_t count;
    const struct weir_span *spans = weir_spans(c, &count);

    for (size_t i = 0; i < count; i++) {
        struct weir_str text = weir_at(spans, c->host->span_size, i)->text; /* arrays are walked by the host's stride */
        n.in_word = false;
        size_t fits = count_words(&n, text, me->limit);
        if (fits == text.len)
            continue;
        if (strcmp(me->over, "block") == 0)
            return weir_block(c, "too_many_words", WEIR_STR("more words than the limit of this block"));
        weir_edit(c, i, fits, text.len, WEIR_STR(""));
        weir_label(c, WEIR_STR("wordlimit.cut"), WEIR_STR("request"));
    }
    return WEIR_PASS;
}

/* Each (choice, channel, block) of an answer is a stream of its own: choices must not share their words. */
struct stream {
    struct stream *next;
    enum weir_channel channel;
    uint32_t choice, block;
    struct counter n;
};

struct local {
    struct stream *streams;
};

static struct stream *find_stream(struct weir_ctx *c, const struct weir_event *e)
{
    struct local *l = c->local; /* zeroed when the request begins */
    struct stream *s = l->streams;

    while (s && (s->channel != e->channel || s->choice != e->choice || s->block != e->block))
        s = s->next;
    if (!s) {
        s = weir_alloc(c, sizeof *s); /* zeroed; the host frees it with the request */
        s->channel = e->channel;
        s->choice = e->choice;
        s->block = e->block;
        s->next = l->streams;
        l->streams = s;
    }
    return s;
}

static enum weir_verdict on_event(struct weir_ctx *c, const struct weir_event *e)
{
    const struct wordlimit *me = c->self;
    struct weir_event out = *e;

    if (me->answer_limit && e->channel == WEIR_TEXT)
        out.text.len = count_words(&find_stream(c, e)->n, e->text, me->answer_limit);
    weir_emit(c, &out); /* also when it is empty: `last` must reach the next stage */
    return WEIR_PASS;
}

WEIR_PLUGIN(
    .name       = "wordlimit",
    .version    = "1.0",
    .summary    = "Bounds the words of prompts and answers.",
    .options    = options,
    .self_size  = sizeof(struct wordlimit),
    .local_size = sizeof(struct local),
    .on_request = on_request,
    .on_event   = on_event,
);
