/* SPDX-License-Identifier: MIT */
/* weir_test_memory.h -- part of weir_test.h: blocks, buffers, lists, and the checks. */
#ifndef WEIR_TEST_MEMORY_H
#define WEIR_TEST_MEMORY_H

#ifndef WEIR_TEST_H
#error "include weir_test.h"
#endif

/* ---- what ends a test ---- */

__attribute__((format(printf, 3, 4), noreturn)) static inline void wt_die(const char *file, int line, const char *fmt,
                                                                          ...)
{
    va_list ap;

    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    fflush(stderr);
    _Exit(1); /* no leak report behind the one line that matters */
}

static inline void wt_same(const char *file, int line, const char *what, struct weir_str got, const char *want)
{
    if (got.len != strlen(want) || (got.len && memcmp(got.ptr, want, got.len) != 0))
        wt_die(file, line, "%s\n   is: %.*s\n want: %s", what, (int)got.len, got.len ? got.ptr : "", want);
}

static inline void wt_int(const char *file, int line, const char *what, long long got, long long want)
{
    if (got != want)
        wt_die(file, line, "%s is %lld, want %lld", what, got, want);
}

static inline const char *wt_verdict_name(enum weir_verdict v)
{
    static const char *const names[] = {"PASS", "BLOCK", "WAIT", "FAIL", "UNSUPPORTED"};

    return (unsigned)v < 5 ? names[v] : "no verdict at all";
}

static inline void wt_verdict(const char *file, int line, const char *what, enum weir_verdict got,
                              enum weir_verdict want)
{
    if (got != want)
        wt_die(file, line, "%s says %s, want %s", what, wt_verdict_name(got), wt_verdict_name(want));
}

/* ---- memory ---- */

static inline void *wt_memory(void *p)
{
    if (!p)
        wt_die(__FILE__, __LINE__, "out of memory");
    return p;
}

struct weir_test_block {
    struct weir_test_block *next;
    void *memory;
};

/* Zeroed, of exactly this size, so that the address sanitizer sees the byte behind it. */
static inline void *wt_alloc(struct weir_test_block **list, size_t size)
{
    struct weir_test_block *b = wt_memory(malloc(sizeof *b));

    b->memory = wt_memory(calloc(1, size ? size : 1));
    b->next = *list;
    *list = b;
    return b->memory;
}

static inline void wt_free(struct weir_test_block **list)
{
    while (*list) {
        struct weir_test_block *b = *list;
        *list = b->next;
        free(b->memory);
        free(b);
    }
}

static inline struct weir_str wt_copy(struct weir_test_block **list, struct weir_str s)
{
    char *p = wt_alloc(list, s.len);

    if (s.len)
        memcpy(p, s.ptr, s.len);
    return (struct weir_str){p, s.len};
}

/* Ended by 0. */
static inline struct weir_str wt_copy_z(struct weir_test_block **list, struct weir_str s)
{
    char *p = wt_alloc(list, s.len + 1);

    if (s.len)
        memcpy(p, s.ptr, s.len);
    return (struct weir_str){p, s.len};
}

static inline struct weir_str wt_str(const char *s)
{
    return (struct weir_str){s, strlen(s)};
}

static inline bool wt_is(struct weir_str s, const char *word)
{
    return s.len == strlen(word) && (s.len == 0 || memcmp(s.ptr, word, s.len) == 0);
}

static inline void wt_add(struct weir_test_buf *b, struct weir_str s)
{
    if (b->cap - b->len < s.len + 1) {
        b->cap = (b->len + s.len + 1) * 2;
        b->ptr = wt_memory(realloc(b->ptr, b->cap));
    }
    if (s.len)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = '\0'; /* for a debugger's eyes; never part of the text */
}

static inline void wt_add_text(struct weir_test_buf *b, const char *s)
{
    wt_add(b, wt_str(s));
}

static inline struct weir_str wt_view(const struct weir_test_buf *b)
{
    return b->ptr ? (struct weir_str){b->ptr, b->len} : WEIR_STR("");
}

static inline void wt_buf_free(struct weir_test_buf *b)
{
    free(b->ptr);
    *b = (struct weir_test_buf){0};
}

/* A new zeroed item at the end of the list. */
static inline void *wt_push(struct weir_test_list *l, size_t size)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->items = wt_memory(realloc(l->items, l->cap * size));
    }
    return memset((char *)l->items + l->count++ * size, 0, size);
}

static inline void wt_list_free(struct weir_test_list *l)
{
    free(l->items);
    *l = (struct weir_test_list){0};
}

__attribute__((format(printf, 4, 5))) static inline bool wt_error(struct weir_error *e, const char *code,
                                                                  const char *field, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return false;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    snprintf(e->code, sizeof e->code, "%s", code);
    snprintf(e->field, sizeof e->field, "%s", field);
    return false;
}

/* ---- misuse: what the real host would log and survive, and a test should not ---- */

__attribute__((format(printf, 2, 3))) static inline void wt_misuse(struct weir_test *t, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    t->misuses++;
    wt_add_text(&t->log, "misuse: ");
    wt_add_text(&t->log, text);
    wt_add_text(&t->log, "\n");
    if (!t->lenient)
        wt_die("plugin", 0, "%s: %s", t->plugin->name, text);
}

#endif
