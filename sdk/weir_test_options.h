/* SPDX-License-Identifier: MIT */
/* weir_test_options.h -- part of weir_test.h: fills a plugin's `self` from text by its option table, as the host does.
 */
#ifndef WEIR_TEST_OPTIONS_H
#define WEIR_TEST_OPTIONS_H

#ifndef WEIR_TEST_H
#error "include weir_test.h"
#endif

static inline const struct weir_option *wt_option_at(const struct weir_plugin *p, size_t i)
{
    return (const void *)((const char *)p->options + i * p->option_size);
}

static inline size_t wt_option_count(const struct weir_plugin *p)
{
    size_t n = 0;

    while (p->options && wt_option_at(p, n)->type != WEIR_T_END)
        n++;
    return n;
}

static inline bool wt_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What may stand behind a number, and what it makes of it: "64k". */
struct wt_suffix {
    const char *name;
    int64_t factor;
};

static inline const struct wt_suffix *wt_suffixes(enum weir_unit unit)
{
    static const struct wt_suffix plain[] = {{"", 1}, {NULL, 0}};
    static const struct wt_suffix ms[] = {{"", 1},        {"ms", 1},       {"s", 1000}, {"m", 60000},
                                          {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    static const struct wt_suffix bytes[] = {{"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};

    return unit == WEIR_MS ? ms : unit == WEIR_BYTES ? bytes : plain;
}

static inline bool wt_option_int(const struct weir_option *o, const char *text, int64_t *out)
{
    char *end;
    long long v = strtoll(text, &end, 10);

    if (end == text || wt_space(text[0]) || text[0] == '+')
        return false;
    for (const struct wt_suffix *s = wt_suffixes(o->unit); s->name; s++)
        if (strcmp(end, s->name) == 0) {
            if (v > INT64_MAX / s->factor || v < INT64_MIN / s->factor)
                return false;
            *out = v * s->factor;
            return true;
        }
    return false;
}

/* min and max bound a number, the length of a text, the items of a list. */
static inline bool wt_option_range(const struct weir_option *o, double v, struct weir_error *e)
{
    if (o->min < o->max && (v < o->min || v > o->max))
        return wt_error(e, "bad_option", o->name, "%s must be from %g to %g", o->name, o->min, o->max);
    return true;
}

static inline bool wt_option_choice(const struct weir_option *o, const char *text, struct weir_error *e)
{
    if (!o->choices)
        return true;
    for (const char *const *c = o->choices; *c; c++)
        if (strcmp(*c, text) == 0)
            return true;
    return wt_error(e, "bad_option", o->name, "%s cannot be \"%s\"", o->name, text);
}

/* env:NAME and file:PATH are looked up; commands are not run in a test; everything else is the secret itself. */
static inline bool wt_option_secret(struct weir_test *t, const struct weir_option *o, const char **text,
                                    struct weir_error *e)
{
    char read[4096];
    size_t n;
    FILE *f;

    if (strncmp(*text, "exec:", 5) == 0)
        return wt_error(e, "bad_option", o->name, "%s: a test runs no commands; give the secret itself", o->name);
    if (strncmp(*text, "env:", 4) == 0) {
        *text = getenv(*text + 4);
        return *text || wt_error(e, "bad_option", o->name, "%s: this variable is not set", o->name);
    }
    if (strncmp(*text, "file:", 5) != 0)
        return true;
    f = fopen(*text + 5, "r");
    if (!f)
        return wt_error(e, "bad_option", o->name, "%s: cannot open %s", o->name, *text + 5);
    n = fread(read, 1, sizeof read - 1, f);
    fclose(f);
    while (n && wt_space(read[n - 1]))
        n--;
    read[n] = '\0';
    *text = wt_copy(&t->kept, (struct weir_str){read, n + 1}).ptr;
    return true;
}

/* One value: `items` are what the user typed, `n` is 1 unless it is a list. */
static inline bool wt_option_set(struct weir_test *t, const struct weir_option *o, const char *const *items, size_t n,
                                 struct weir_error *e)
{
    char *to = (char *)t->ctx.self + o->offset, *end;
    const char *text = n ? items[0] : "";
    int64_t i = 0;
    double d;
    bool b;

    if (o->type != WEIR_T_LIST && n != 1)
        return wt_error(e, "bad_option", o->name, "%s takes one value", o->name);
    switch (o->type) {
    case WEIR_T_STR:
        if (o->unit == WEIR_SECRET && !wt_option_secret(t, o, &text, e))
            return false;
        memcpy(to, &text, sizeof text);
        if (!*text && !o->fallback)
            return wt_error(e, "bad_option", o->name, "%s is empty", o->name);
        return wt_option_choice(o, text, e) && wt_option_range(o, (double)strlen(text), e);
    case WEIR_T_INT:
        if (!wt_option_int(o, text, &i))
            return wt_error(e, "bad_option", o->name, "%s cannot be \"%s\": not a whole number with a known unit",
                            o->name, text);
        memcpy(to, &i, sizeof i);
        return wt_option_range(o, (double)i, e);
    case WEIR_T_NUM:
        d = strtod(text, &end);
        if (end == text || *end)
            return wt_error(e, "bad_option", o->name, "%s cannot be \"%s\": not a number", o->name, text);
        memcpy(to, &d, sizeof d);
        return wt_option_range(o, d, e);
    case WEIR_T_BOOL:
        b = strcmp(text, "true") == 0;
        if (!b && strcmp(text, "false") != 0)
            return wt_error(e, "bad_option", o->name, "%s must be true or false", o->name);
        memcpy(to, &b, sizeof b);
        return true;
    case WEIR_T_LIST:
        for (size_t k = 0; k < n; k++)
            if (!wt_option_choice(o, items[k], e))
                return false;
        memcpy(to, &(struct weir_list){items, n}, sizeof(struct weir_list));
        return wt_option_range(o, (double)n, e);
    case WEIR_T_END:
        break;
    }
    return wt_error(e, "bad_option", o->name, "%s: this row of the table has no type", o->name);
}

/* ---- reading the text ---- */

struct wt_words {
    const char **items;
    size_t count;
};

static inline void wt_words_add(struct weir_test *t, struct wt_words *w, const char *from, size_t len)
{
    const char **more = wt_alloc(&t->kept, (w->count + 1) * sizeof *more);
    char *word = wt_alloc(&t->kept, len + 1);

    if (w->count)
        memcpy(more, w->items, w->count * sizeof *more);
    memcpy(word, from, len);
    more[w->count++] = word;
    w->items = more;
}

/* One word: quoted (\" and \\ inside), or everything up to one of `ends`, trimmed. */
static inline const char *wt_word(struct weir_test *t, struct wt_words *w, const char *p, const char *ends)
{
    struct weir_test_buf b = {0};

    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            wt_add(&b, (struct weir_str){p, 1});
        }
        p += *p == '"';
    } else {
        size_t n = strcspn(p, ends), len = n;
        while (len && wt_space(p[len - 1]))
            len--;
        wt_add(&b, (struct weir_str){p, len});
        p += n;
    }
    wt_words_add(t, w, b.ptr ? b.ptr : "", b.len);
    wt_buf_free(&b);
    return p;
}

static inline const char *wt_skip(const char *p, const char *what)
{
    return p + strspn(p, what);
}

/* [ a, "b c" ] */
static inline const char *wt_words_list(struct weir_test *t, struct wt_words *w, const char *p)
{
    p = wt_skip(p + 1, " \t\n\r,");
    while (*p && *p != ']')
        p = wt_skip(wt_word(t, w, p, ",]"), " \t\n\r,");
    return p + (*p == ']');
}

static inline bool wt_option_fallback(struct weir_test *t, const struct weir_option *o, struct weir_error *e)
{
    struct wt_words w = {NULL, 0};
    const char *p = o->fallback;

    if (!p)
        return wt_error(e, "missing_option", o->name, "%s must be given: %s", o->name, o->help);
    if (o->type != WEIR_T_LIST)
        wt_words_add(t, &w, p, strlen(p));
    else
        for (size_t n; (p = wt_skip(p, " "), n = strcspn(p, " ")) > 0; p += n)
            wt_words_add(t, &w, p, n);
    return wt_option_set(t, o, w.items, w.count, e);
}

/* name = value; ...  Sets `seen` for each row that was given. */
static inline bool wt_options_read(struct weir_test *t, const char *p, bool *seen, struct weir_error *e)
{
    for (p = wt_skip(p, " \t\n\r;"); *p; p = wt_skip(p, " \t\n\r;")) {
        struct wt_words name = {NULL, 0}, value = {NULL, 0};
        size_t row = 0, rows = wt_option_count(t->plugin);
        p = wt_word(t, &name, p, "=;\n");
        if (*p != '=')
            return wt_error(e, "bad_option", "", "write %s = value", name.items[0]);
        p = wt_skip(p + 1, " \t");
        p = *p == '[' ? wt_words_list(t, &value, p) : wt_word(t, &value, p, ";\n");
        while (row < rows && strcmp(wt_option_at(t->plugin, row)->name, name.items[0]) != 0)
            row++;
        if (row == rows)
            return wt_error(e, "unknown_option", "", "there is no option %s", name.items[0]);
        if (seen[row])
            return wt_error(e, "bad_option", name.items[0], "%s is given twice", name.items[0]);
        seen[row] = true;
        if (!wt_option_set(t, wt_option_at(t->plugin, row), value.items, value.count, e))
            return false;
    }
    return true;
}

static inline bool wt_options(struct weir_test *t, const char *text, struct weir_error *e)
{
    size_t rows = wt_option_count(t->plugin);
    bool *seen = wt_alloc(&t->kept, rows);

    if (!wt_options_read(t, text ? text : "", seen, e))
        return false;
    for (size_t i = 0; i < rows; i++)
        if (!seen[i] && !wt_option_fallback(t, wt_option_at(t->plugin, i), e))
            return false;
    return true;
}

#endif
