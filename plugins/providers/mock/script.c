/* SPDX-License-Identifier: Apache-2.0 */
/* script.c -- the language that steers the mock (docs/mock.md), and the cutting of what it says. */
#include "mock.h"

#include <stdio.h>

/* One row for each key.  Durations take "10ms", "2s", "1m"; counts take "64k", "10M" (powers of 1024). */
enum unit { AS_COUNT, AS_DURATION, AS_FAULT, AS_WORD };

static const struct key {
    const char *name;
    enum unit unit;
    size_t offset;
    int64_t min, max;
} keys[] = {
    {"first", AS_DURATION, offsetof(struct script, first), 0, 600000},
    {"chunk", AS_DURATION, offsetof(struct script, chunk), 0, 600000},
    {"chunks", AS_COUNT, offsetof(struct script, chunks), 1, 1000000},
    {"words", AS_COUNT, offsetof(struct script, words), 0, 1000000},
    {"bytes", AS_COUNT, offsetof(struct script, bytes), 0, 64 << 20},
    {"repeat", AS_COUNT, offsetof(struct script, repeat), 1, 100000},
    {"calls", AS_COUNT, offsetof(struct script, calls), 1, 128},
    {"cached", AS_COUNT, offsetof(struct script, cached), 0, 1 << 30},
    {"reasoning", AS_COUNT, offsetof(struct script, reasoning), 0, 1 << 30},
    {"status", AS_COUNT, offsetof(struct script, status), 300, 599},
    {"retry", AS_COUNT, offsetof(struct script, retry), 0, 1 << 30},
    {"at", AS_COUNT, offsetof(struct script, at), 0, 1000000},
    {"fault", AS_FAULT, offsetof(struct script, fault), 0, 0},
    {"finish", AS_WORD, offsetof(struct script, finish), 0, 0},
};

#define FAULT_NAME(name) #name,
static const char *const fault_names[] = {MOCK_FAULTS(FAULT_NAME) NULL};
static const char *const model_names[] = {"echo", "lorem", "tools", "reasoning", "embed", "rerank", NULL};

static int word_find(const char *const *words, struct weir_str s)
{
    for (int i = 0; words[i]; i++)
        if (str_is(s, words[i]))
            return i;
    return -1;
}

static bool say(struct weir_error *why, const char *what, struct weir_str s)
{
    snprintf(why->text, sizeof why->text, "mock: %s: '%.*s'", what, s.len > 80 ? 80 : (int)s.len, s.ptr);
    return false;
}

struct suffix {
    const char *name;
    int64_t factor;
};

static const struct suffix durations[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {NULL, 0}};
static const struct suffix counts[] = {{"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {NULL, 0}};

static bool read_number(const struct key *k, struct weir_str s, int64_t *out)
{
    const struct suffix *x = k->unit == AS_DURATION ? durations : counts;
    int64_t v = 0;
    size_t i = 0;

    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        if ((v = v * 10 + (s.ptr[i] - '0')) > k->max)
            return false;
    if (!i)
        return false;
    s.ptr += i;
    s.len -= i;
    for (; x->name; x++)
        if (str_is(s, x->name)) {
            *out = v * x->factor;
            return *out >= k->min && *out <= k->max;
        }
    return false;
}

static bool read_value(struct script *s, const struct key *k, struct weir_str value, struct weir_error *why)
{
    void *field = (char *)s + k->offset;
    int fault;

    switch (k->unit) {
    case AS_WORD:
        *(struct weir_str *)field = value;
        return true;
    case AS_FAULT:
        fault = word_find(fault_names, value);
        *(enum mock_fault *)field = (enum mock_fault)(fault < 0 ? 0 : fault);
        return fault >= 0 || say(why, "no such fault", value);
    case AS_COUNT:
    case AS_DURATION:
        break;
    }
    return read_number(k, value, field) || say(why, "no such number here", value);
}

static bool read_pair(struct script *s, struct weir_str pair, struct weir_error *why)
{
    const char *equals = memchr(pair.ptr, '=', pair.len);
    struct weir_str name = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};

    if (!equals)
        return say(why, "not of the form key=value", pair);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_is(name, keys[i].name))
            return read_value(s, &keys[i], (struct weir_str){equals + 1, pair.len - name.len - 1}, why);
    return say(why, "unknown key", name);
}

/* key=value pairs with '&' or spaces between. */
static bool read_pairs(struct script *s, struct weir_str pairs, struct weir_error *why)
{
    size_t from = 0;

    for (size_t i = 0; i <= pairs.len; i++) {
        if (i < pairs.len && pairs.ptr[i] != '&' && pairs.ptr[i] != ' ')
            continue;
        if (i > from && !read_pair(s, (struct weir_str){pairs.ptr + from, i - from}, why))
            return false;
        from = i + 1;
    }
    return true;
}

/* "mock/status/503?retry=2": the name, what may follow it, the pairs. */
static bool read_model(struct script *s, struct weir_str model, struct weir_error *why)
{
    const char *query = memchr(model.ptr, '?', model.len), *slash;
    struct weir_str name = {model.ptr, query ? (size_t)(query - model.ptr) : model.len}, rest = WEIR_STR("");
    const char *const short_names[] = {"status", "fault", NULL};
    int which;

    if (str_starts(name, "mock/")) {
        name.ptr += 5;
        name.len -= 5;
    }
    slash = name.len ? memchr(name.ptr, '/', name.len) : NULL;
    if (slash) {
        rest = (struct weir_str){slash + 1, name.len - (size_t)(slash + 1 - name.ptr)};
        name.len = (size_t)(slash - name.ptr);
    }
    which = word_find(short_names, name);
    if (which >= 0) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (str_is(name, keys[i].name) && !read_value(s, &keys[i], rest, why))
                return false;
    } else {
        which = rest.len ? -1 : word_find(model_names, name);
        if (which < 0)
            return say(why, "no such model", model);
        s->name = (enum mock_name)which;
    }
    return !query || read_pairs(s, (struct weir_str){query + 1, model.len - (size_t)(query + 1 - model.ptr)}, why);
}

/* [[first=200ms chunk=10ms]] at the very start of the prompt, and one space or line end behind it. */
static bool read_prompt(struct script *s, struct weir_str *prompt, struct weir_error *why)
{
    struct weir_str p = *prompt;
    const char *end;

    if (!str_starts(p, "[["))
        return true;
    end = memmem(p.ptr, p.len, "]]", 2);
    if (!end)
        return say(why, "[[ without ]]", p);
    if (!read_pairs(s, (struct weir_str){p.ptr + 2, (size_t)(end - p.ptr) - 2}, why))
        return false;
    end += 2;
    if (end < p.ptr + p.len && (*end == ' ' || *end == '\n'))
        end++;
    *prompt = (struct weir_str){end, p.len - (size_t)(end - p.ptr)};
    return true;
}

bool script_read(struct script *s, struct weir_str model, struct weir_str *prompt, struct weir_error *why)
{
    *s = (struct script){.calls = 1, .repeat = 1, .retry = -1, .at = 2, .finish = WEIR_STR("")};
    snprintf(why->code, sizeof why->code, "model_not_found");
    if (!read_model(s, model, why))
        return false;
    snprintf(why->code, sizeof why->code, "invalid_value");
    return read_prompt(s, prompt, why);
}

/* ---- speech ---- */

static char speech_byte(const struct speech *s, size_t at)
{
    return s->base.ptr[at % s->base.len];
}

static bool in_character(const struct speech *s, size_t at)
{
    return at < s->len && ((unsigned char)speech_byte(s, at) & 0xc0) == 0x80;
}

/* A word and the spaces behind it. */
static size_t word_end(const struct speech *s)
{
    size_t end = s->at;

    while (end < s->len && speech_byte(s, end) != ' ' && speech_byte(s, end) != '\n')
        end++;
    while (end < s->len && (speech_byte(s, end) == ' ' || speech_byte(s, end) == '\n'))
        end++;
    return end;
}

/* One of `chunks` pieces that are about as long: piece i ends at len * (i + 1) / chunks. */
static size_t share_end(const struct script *script, const struct speech *s)
{
    uint64_t n = (uint64_t)script->chunks, i = s->at * n / s->len;
    size_t end;

    do
        end = (size_t)(s->len * ++i / n);
    while (end <= s->at);
    return end;
}

static void speech_to(struct speech *s, size_t end, struct text *out)
{
    while (s->at < end) {
        size_t from = s->at % s->base.len, n = s->base.len - from;
        if (n > end - s->at)
            n = end - s->at;
        text_json(out, (struct weir_str){s->base.ptr + from, n});
        s->at += n;
    }
}

void speech_next(const struct script *script, struct speech *s, struct text *out)
{
    size_t end = script->chunks ? share_end(script, s) : word_end(s);

    while (in_character(s, end))
        end++;
    speech_to(s, end, out);
}

void speech_all(struct speech *s, struct text *out)
{
    speech_to(s, s->len, out);
}
