/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rerank.c -- documents in the order of their relevance: the share of the query's words that a document holds.  Words
 * are runs of letters and digits, whatever their case.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mock.h"
#include "walk.h"

#define MOST_WORDS     64 /* of the query */
#define MOST_DOCUMENTS 10000

struct scored {
    uint32_t index;
    uint64_t found; /* bits: which of the query's words */
    double score;
};

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (unsigned char)c >= 0x80;
}

/* The next word from *at on.  false: there is none. */
static bool word_next(struct weir_str s, size_t *at, struct weir_str *word)
{
    size_t from;

    while (*at < s.len && !is_word(s.ptr[*at]))
        (*at)++;
    from = *at;
    while (*at < s.len && is_word(s.ptr[*at]))
        (*at)++;
    *word = (struct weir_str){s.ptr + from, *at - from};
    return word->len > 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static bool word_same(struct weir_str a, struct weir_str b)
{
    size_t i = 0;

    while (i < a.len && i < b.len && lower(a.ptr[i]) == lower(b.ptr[i]))
        i++;
    return i == a.len && i == b.len;
}

/* Each word once. */
static size_t words_of(struct weir_str query, struct weir_str words[MOST_WORDS])
{
    struct weir_str word;
    size_t n = 0, at = 0, i;

    while (n < MOST_WORDS && word_next(query, &at, &word)) {
        for (i = 0; i < n && !word_same(words[i], word);)
            i++;
        if (i == n)
            words[n++] = word;
    }
    return n;
}

static uint64_t words_found(struct weir_str text, const struct weir_str *words, size_t n)
{
    struct weir_str word;
    uint64_t found = 0;
    size_t at = 0;

    while (word_next(text, &at, &word))
        for (size_t i = 0; i < n; i++)
            if (word_same(words[i], word))
                found |= (uint64_t)1 << i;
    return found;
}

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static uint32_t documents_count(const struct weir_json *j)
{
    uint32_t count = 0;

    for (EACH_ITEM(j, n, weir_json_get(j, 0, "documents")))
        count += count < MOST_DOCUMENTS;
    return count;
}

/* Texts come as the stages left them; a document that is an object has several. */
static void documents_score(struct weir_ctx *c, struct scored *documents, uint32_t count, const struct weir_str *words,
                            size_t n)
{
    size_t spans;
    const struct weir_span *first = weir_spans(c, &spans);

    for (size_t i = 0; i < spans; i++) {
        const struct weir_span *s = weir_at(first, c->host->span_size, i);
        if (s->where == WEIR_DOCUMENT && s->message < count)
            documents[s->message].found |= words_found(s->text, words, n);
    }
    for (uint32_t i = 0; i < count; i++) {
        documents[i].index = i;
        documents[i].score = n ? (double)__builtin_popcountll(documents[i].found) / (double)n : 0;
    }
}

static struct weir_str query_of(struct weir_ctx *c)
{
    size_t spans;
    const struct weir_span *first = weir_spans(c, &spans);

    for (size_t i = 0; i < spans; i++) {
        const struct weir_span *s = weir_at(first, c->host->span_size, i);
        if (s->where == WEIR_USER)
            return s->text;
    }
    return WEIR_STR("");
}

void rerank_all(struct weir_ctx *c)
{
    struct mock *m = c->local;
    struct text *t = &m->record;
    struct weir_str words[MOST_WORDS];
    const struct weir_json *j = weir_body(c);
    uint32_t count = documents_count(j);
    struct scored *documents = weir_alloc(c, (count + 1) * sizeof *documents);
    int64_t most = weir_json_int(j, weir_json_get(j, 0, "top_n"), count);
    char number[32];

    documents_score(c, documents, count, words, words_of(query_of(c), words));
    qsort(documents, count, sizeof *documents, by_score);
    text_lit(t, "{\"id\":\"rerank-mock\",\"model\":\"");
    text_json(t, m->model);
    text_lit(t, "\",\"results\":[");
    for (uint32_t i = 0; i < count && i < most; i++) {
        if (i)
            text_lit(t, ",");
        text_lit(t, "{\"index\":");
        text_int(t, documents[i].index);
        snprintf(number, sizeof number, "%.6g", documents[i].score);
        text_lit(t, ",\"relevance_score\":");
        text_str(t, str_of(number));
        text_lit(t, "}");
    }
    text_lit(t, "],\"usage\":{\"prompt_tokens\":");
    text_int(t, (m->prompt_bytes + 3) / 4);
    text_lit(t, ",\"total_tokens\":");
    text_int(t, (m->prompt_bytes + 3) / 4);
    text_lit(t, "}}");
}
