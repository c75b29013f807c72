/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden.h -- what the golden tests of all dialects share: finding recordings, and telling what an answer meant in
 * lines that tests/golden/NAME.txt has, made by a script beside it.
 *
 * The recordings are not part of the repository: they are looked for in $WEIR_SHARED/data/fixtures, then ../shared.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <openssl/evp.h>

#include "unit.h"
#include "weir_test.h"

/* Ended by 0, freed by the caller; NULL when there is no such file. */
static inline char *golden_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct weir_test_buf b = {0};
    char part[4096];
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        wt_add(&b, (struct weir_str){part, n});
    fclose(f);
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* A recording; what stands behind '@' says which part of it is meant. */
static inline char *golden_recording(const char *name)
{
    const char *shared = getenv("WEIR_SHARED");
    char path[512];

    snprintf(path, sizeof path, "%s/data/fixtures/%.*s", shared && shared[0] ? shared : "../shared",
             (int)strcspn(name, "@"), name);
    return golden_file(path);
}

/* "WORD LENGTH SHA256\n": a text without the text. */
static inline void golden_digest(struct weir_test_buf *to, const char *word, struct weir_str text)
{
    unsigned char sum[32];
    char hex[24];

    ck_assert(EVP_Digest(text.len ? text.ptr : "", text.len, sum, NULL, EVP_sha256(), NULL) == 1);
    wt_add_text(to, word);
    snprintf(hex, sizeof hex, "%s%zu ", word[0] ? " " : "", text.len);
    wt_add_text(to, hex);
    for (size_t i = 0; i < sizeof sum; i++) {
        snprintf(hex, sizeof hex, "%02x", sum[i]);
        wt_add_text(to, hex);
    }
    wt_add_text(to, "\n");
}

/* JSON without the blanks between its tokens; arguments that are empty are {}. */
static inline struct weir_str golden_compact(struct weir_test *x, struct weir_str s)
{
    char *to = wt_alloc(&x->memory, s.len + 2);
    bool string = false;
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' && (!i || s.ptr[i - 1] != '\\'))
            string = !string;
        if (string || !strchr(" \n\r\t", s.ptr[i]))
            to[n++] = s.ptr[i];
    }
    if (!n)
        memcpy(to, "{}", n = 2);
    return (struct weir_str){to, n};
}

/* Frees `got`. */
static inline void golden_same(const char *name, const char *how, struct weir_test_buf *got, struct weir_str want)
{
    ck_assert_msg(got->len == want.len && (!got->len || memcmp(got->ptr, want.ptr, got->len) == 0),
                  "%s, %s:\n got: %.*s\nwant: %.*s", name, how, (int)got->len, got->ptr, (int)want.len, want.ptr);
    wt_buf_free(got);
}

/* Each stream of text has one `last`, and nothing behind it. */
static inline void golden_lasts(struct weir_test *x, const char *name)
{
    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_event *a = &weir_test_event(x, i)->event;
        int lasts = 0;
        for (size_t k = i; k < weir_test_event_count(x); k++) {
            const struct weir_event *b = &weir_test_event(x, k)->event;
            lasts += b->last && b->channel == a->channel && b->choice == a->choice && b->block == a->block;
        }
        if (a->channel <= WEIR_ARGUMENTS && !a->copy)
            ck_assert_msg(lasts == 1, "%s: a stream has %d lasts", name, lasts);
    }
}

#endif
