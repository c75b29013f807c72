/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.c -- embeddings that depend on nothing but the text, and moderations that look for words. */
#include "mock.h"

#include <math.h>
#include <stdio.h>

#define DIMENSIONS      16
#define MOST_DIMENSIONS 4096

/* Inputs as the stages left them: strings come as spans, with their place as `message`; token ids as raw JSON. */
struct inputs {
    struct weir_ctx *c;
    const struct weir_json *j;
    const struct weir_span *spans;
    size_t count, at;            /* spans behind us have been used */
    uint32_t array, node, place; /* array WEIR_NO_NODE: one input */
    bool ended;
};

static struct inputs inputs_of(struct weir_ctx *c)
{
    struct inputs in = {.c = c, .j = weir_body(c), .array = WEIR_NO_NODE};

    in.spans = weir_spans(c, &in.count);
    in.node = weir_json_get(in.j, 0, "input");
    if (weir_json_is(in.j, in.node, WEIR_JSON_ARRAY) && weir_json_first(in.j, in.node) != WEIR_NO_NODE) {
        in.array = in.node;
        in.node = weir_json_first(in.j, in.array);
    }
    return in;
}

static struct weir_str input_text(struct inputs *in)
{
    for (; in->at < in->count; in->at++) {
        const struct weir_span *s = weir_at(in->spans, in->c->host->span_size, in->at);
        if ((s->where == WEIR_DOCUMENT || s->where == WEIR_USER) && s->message >= in->place)
            return s->message == in->place ? s->text : weir_json_text(in->j, in->node);
    }
    return weir_json_text(in->j, in->node);
}

/* false: there are no more. */
static bool input_next(struct inputs *in, struct weir_str *text)
{
    if (in->ended || in->node == WEIR_NO_NODE)
        return false;
    *text = input_text(in);
    in->place++;
    if (in->array == WEIR_NO_NODE)
        in->ended = true;
    else
        in->node = weir_json_next(in->j, in->array, in->node);
    return true;
}

/* ---- embeddings ---- */

static uint64_t hash(struct weir_str s)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.ptr[i]) * 0x100000001b3u;
    return h;
}

/* Unit length.  splitmix64 from the hash of the text, so equal texts have equal vectors everywhere. */
static void vector_fill(float *v, size_t n, struct weir_str text)
{
    uint64_t state = hash(text);
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        v[i] = (float)((int64_t)(z % 2001) - 1000) / 1000;
        sum += (double)v[i] * (double)v[i];
    }
    for (size_t i = 0; sum > 0 && i < n; i++)
        v[i] = (float)((double)v[i] / sqrt(sum));
}

static void put_base64(struct text *t, const unsigned char *p, size_t n)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        unsigned long v =
            (unsigned long)p[i] << 16 | (i + 1 < n ? (unsigned long)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        char four[4] = {abc[v >> 18 & 63], abc[v >> 12 & 63], i + 1 < n ? abc[v >> 6 & 63] : '=',
                        i + 2 < n ? abc[v & 63] : '='};
        text_put(t, four, 4);
    }
}

static void put_vector(struct text *t, const float *v, size_t n, bool base64)
{
    char number[32];

    if (base64) {
        text_lit(t, "\"");
        put_base64(t, (const unsigned char *)v, n * sizeof *v);
        text_lit(t, "\"");
        return;
    }
    text_lit(t, "[");
    for (size_t i = 0; i < n; i++) {
        int len = snprintf(number, sizeof number, "%s%.9g", i ? "," : "", (double)v[i]);
        text_put(t, number, (size_t)len);
    }
    text_lit(t, "]");
}

void vectors_embed(struct weir_ctx *c)
{
    struct mock *m = c->local;
    struct text *t = &m->record;
    struct inputs in = inputs_of(c);
    uint32_t format = weir_json_get(in.j, 0, "encoding_format");
    bool base64 = format != WEIR_NO_NODE && weir_json_eq(in.j, format, "base64", 6);
    int64_t n = weir_json_int(in.j, weir_json_get(in.j, 0, "dimensions"), DIMENSIONS);
    struct weir_str text;
    float *v;

    n = n < 1 ? 1 : n > MOST_DIMENSIONS ? MOST_DIMENSIONS : n;
    v = weir_alloc(c, (size_t)n * sizeof *v);
    text_lit(t, "{\"object\":\"list\",\"data\":[");
    for (int64_t i = 0; input_next(&in, &text); i++) {
        text_str(t, i ? WEIR_STR(",{\"object\":\"embedding\",\"index\":")
                      : WEIR_STR("{\"object\":\"embedding\",\"index\":"));
        text_int(t, i);
        text_lit(t, ",\"embedding\":");
        vector_fill(v, (size_t)n, text);
        put_vector(t, v, (size_t)n, base64);
        text_lit(t, "}");
    }
    text_lit(t, "],\"model\":\"");
    text_json(t, m->model);
    text_lit(t, "\",\"usage\":{\"prompt_tokens\":");
    text_int(t, (m->prompt_bytes + 3) / 4);
    text_lit(t, ",\"total_tokens\":");
    text_int(t, (m->prompt_bytes + 3) / 4);
    text_lit(t, "}}");
}

/* ---- moderations ---- */

static const char *const categories[] = {
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
};
#define CATEGORIES (sizeof categories / sizeof *categories)

static void put_verdict(struct text *t, struct weir_str text)
{
    bool hit[CATEGORIES], any = false;

    for (size_t i = 0; i < CATEGORIES; i++)
        any |= hit[i] = text.len && memmem(text.ptr, text.len, categories[i], strlen(categories[i]));
    text_str(t, any ? WEIR_STR("{\"flagged\":true,\"categories\":{") : WEIR_STR("{\"flagged\":false,\"categories\":{"));
    for (int scores = 0; scores < 2; scores++) {
        for (size_t i = 0; i < CATEGORIES; i++) {
            text_str(t, i ? WEIR_STR(",\"") : WEIR_STR("\""));
            text_str(t, str_of(categories[i]));
            text_lit(t, "\":");
            if (scores)
                text_str(t, hit[i] ? WEIR_STR("0.99") : WEIR_STR("0.01"));
            else
                text_str(t, hit[i] ? WEIR_STR("true") : WEIR_STR("false"));
        }
        text_str(t, scores ? WEIR_STR("}}") : WEIR_STR("},\"category_scores\":{"));
    }
}

void vectors_moderate(struct weir_ctx *c)
{
    struct mock *m = c->local;
    struct text *t = &m->record;
    struct inputs in = inputs_of(c);
    struct weir_str text;

    text_lit(t, "{\"id\":\"modr-mock\",\"model\":\"");
    text_json(t, m->model);
    text_lit(t, "\",\"results\":[");
    for (int64_t i = 0; input_next(&in, &text); i++) {
        if (i)
            text_lit(t, ",");
        put_verdict(t, text);
    }
    text_lit(t, "]}");
}
