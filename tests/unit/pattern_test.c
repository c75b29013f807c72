/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_test.c -- plugins/lib/{pattern,automaton,scan}: what patterns mean, that cuts do not matter, that nothing
 * leaks, and that no more is held back than must be.  What a match is comes from naive_match.h.
 */
#include <stdio.h>

#include "naive_match.h"
#include "scan.h"
#include "unit.h"

#define MARK '#'

struct bench {
    struct pattern_set set;
    struct scanner scanner;
    struct automaton search;
    struct scan *scan;
    char out[4096];
    size_t len;
    bool stop;
};

static enum scan_choice found(void *who, uint32_t pattern, struct weir_str match)
{
    struct bench *b = who;

    (void)pattern;
    ck_assert(match.len > 0 && match.len <= b->set.longest);
    return b->stop ? SCAN_STOP : SCAN_MASK;
}

static void text_out(void *who, struct weir_str s)
{
    struct bench *b = who;

    ck_assert(s.len > 0 && b->len + s.len < sizeof b->out);
    memcpy(b->out + b->len, s.ptr, s.len);
    b->len += s.len;
}

static void mask_out(void *who, uint32_t pattern)
{
    (void)pattern;
    text_out(who, (struct weir_str){"#", 1});
}

static const struct scan_hooks hooks = {found, text_out, mask_out};

static void bench_seal(struct bench *b, size_t limit)
{
    struct weir_error e;

    ck_assert(pattern_seal(&b->set, &e));
    scanner_init(&b->scanner, &b->set, &hooks, limit);
    automaton_init(&b->search, &b->set, true, limit);
    b->scan = calloc(1, scan_size(&b->set));
}

static void bench_patterns(struct bench *b, const char *const *patterns, size_t n, size_t limit)
{
    struct weir_error e = {{0}, {0}, {0}};

    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(pattern_add(&b->set, patterns[i], (uint32_t)i, &e), "%s", e.text);
    bench_seal(b, limit);
}

static void bench_one(struct bench *b, const char *pattern)
{
    bench_patterns(b, &pattern, 1, 1 << 20);
}

static void bench_end(struct bench *b)
{
    free(b->scan);
    scanner_fini(&b->scanner);
    automaton_fini(&b->search);
    pattern_fini(&b->set);
}

/* A piece is a copy of its own size, and gone afterwards. */
static bool feed(struct bench *b, const char *text, size_t n, bool last)
{
    char *copy = malloc(n ? n : 1);
    bool going;

    memcpy(copy, text, n);
    going = scan_feed(&b->scanner, b->scan, (struct weir_str){copy, n}, last, b);
    free(copy);
    return going;
}

static void same(const struct bench *b, const char *want, size_t n, const char *about)
{
    ck_assert_msg(b->len == n && memcmp(b->out, want, n) == 0, "%s: got \"%.*s\", not \"%.*s\"", about, (int)b->len,
                  b->out, (int)n, want);
}

static void cuts(struct bench *b, const char *text, size_t n, const char *want, size_t len)
{
    for (size_t i = 0; i <= n; i++)
        for (size_t k = i; k <= n; k++) {
            b->len = 0;
            feed(b, text, i, false);
            feed(b, text + i, k - i, false);
            feed(b, text + k, n - k, true);
            same(b, want, len, text);
        }
}

/* ---- what patterns mean, by hand ---- */

static const struct {
    const char *pattern, *text, *want;
} meaning[] = {
    {"abc", "xabcx abc", "x#x #"},
    {"abc", "ABC ab c", "ABC ab c"},
    {"(?i)aBc", "ABC abc", "# #"},
    {"a.c",
     "abc a\nc a\xc3\xa9"
     "c",
     "# a\nc #"},
    {"[a-c]{2,3}", "abcabd", "#d"},
    {"x[^0-9]y", "x1y xay x\xe2\x82\xacy", "x1y # #"},
    {"\\d{3}-\\d{2}", "12-34 123-45 1234-567", "12-34 # 1#7"},
    {"\\bcat\\b", "cat concat cat_ cats (cat)", "# concat cat_ cats (#)"},
    {"\\Bcat", "cat concat", "cat con#"},
    {"cat\\B", "cat cats", "cat #s"},
    {"colou?r", "color colour colouur", "# # colouur"},
    {"a(b|cd){2}e", "abbe abcde acdcde abe", "# # # abe"},
    {"a(?:b(c(d)))", "abcd", "#"},
    {"ab|abcd|bc", "abcd abc", "# #"},
    {"\\x41\\.\\t", "A.\tAxx", "#Axx"},
    {"[\\w.]{1,5}@", "a.b@ toolong@", "# to#"},
    {"\\s\\S\\s", "a b  c", "a# c"},
    {"[\\]\\\\-]{2}", "]\\ -] --", "# # #"},
    {"[\xc3\xa0-\xc3\xbf]", "e\xc3\xa9\xc3\x9f", "e#\xc3\x9f"},
    {"[^\xc3\xa9]", "\xc3\xa9\xc3\xa8", "\xc3\xa9#"},
    {"[\xce\xb1-\xf0\x9f\x98\x80]", "\xce\xb0\xce\xb1\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x81",
     "\xce\xb0###\xf0\x9f\x98\x81"},
    {"aa", "aaaa a aaa", "# a #"},
    {"ab", "abab", "##"},
    {"(?i)[^a]b", "ab Ab cB", "ab Ab #"},
    {"(?i)[_@`]", "_@`\x7f{", "###\x7f{"},
    {"\\D\\W", "1- a- \xc3\xa9\xc3\xa9", "1##"},
    {"a{2}", "a", "a"},
    {"(\\bfoo|bar\\b){1,2}", "foobar xfoo bars foo", "# xfoo bars #"},
    {"]}", "x]}", "x#"},
    {"[a-]{2}", "a--b", "#b"},
};

START_TEST(test_meaning)
{
    struct bench b;
    const char *text = meaning[_i].text;
    char naive[256];
    bool masked[256];
    size_t n = strlen(text), len = naive_masked(&meaning[_i].pattern, 1, text, n, MARK, naive, masked);

    /* the reference is held to the same hand-written values */
    ck_assert_msg(len == strlen(meaning[_i].want) && memcmp(naive, meaning[_i].want, len) == 0, "naive: %s on %s: %.*s",
                  meaning[_i].pattern, text, (int)len, naive);
    bench_one(&b, meaning[_i].pattern);
    cuts(&b, text, n, meaning[_i].want, strlen(meaning[_i].want));
    ck_assert(automaton_finds(&b.search, (struct weir_str){text, n}) == (strchr(meaning[_i].want, MARK) != NULL));
    bench_end(&b);
}
END_TEST

static const struct {
    const char *pattern;
    unsigned column;
    const char *part;
} refused[] = {
    {"", 1, "is empty"},
    {"ab*", 3, "write {0,128}"},
    {"(a)+", 4, "write {1,128}"},
    {"a{2,}", 2, "no bound"},
    {"a{129}", 3, "at most 128"},
    {"a{1,1000000000000000000000}", 5, "at most 128"},
    {"a{x}", 3, "take numbers"},
    {"a{3,2}", 2, "allow nothing"},
    {"a{0}", 2, "allow nothing"},
    {"a{2", 2, "no }"},
    {"a??", 3, "repetition of a repetition"},
    {"a{2}{3}", 5, "repetition of a repetition"},
    {"?a", 1, "nothing stands before"},
    {"a|{2}", 3, "nothing stands before"},
    {"^a", 1, "^ and $"},
    {"a$", 2, "^ and $"},
    {"a?", 1, "empty text"},
    {"\\b", 1, "empty text"},
    {"a|", 1, "empty text"},
    {"()", 1, "empty text"},
    {"(a", 1, "no )"},
    {"a)", 2, "without its ("},
    {"x(?=a)", 2, "of (?...)"},
    {"a(?i)b", 2, "of (?...)"},
    {"[]", 2, "empty class"},
    {"[^]", 3, "empty class"},
    {"x[ab", 2, "no ]"},
    {"[b-a]", 2, "backwards"},
    {"[a-\\d]", 2, "a range needs"},
    {"[\\d\\D]{2}[^\\d\\D]", 10, "nothing matches"},
    {"\\q", 1, "unknown escape"},
    {"a\\1", 2, "unknown escape"},
    {"a\\", 2, "nothing follows"},
    {"[a\\", 3, "nothing follows"},
    {"\\x4", 1, "two hexadecimal"},
    {"\xc3\xa9\\q", 2, "unknown escape"}, /* columns are characters */
    {"a\xff", 2, "no UTF-8"},
    {"a\xed\xa0\x80", 2, "no UTF-8"},
    {"a{128}b{128}c{128}d{128}e", 25, "longer than 512"},
    {".{128}x", 7, "longer than 512"},
    {"((((((((((((((((((((((((((((((((((((((((((((((((((((a", 51, "too deep"},
};

START_TEST(test_refused)
{
    struct pattern_set set = {0};
    struct weir_error e = {{0}, {0}, {0}};
    char column[32];

    snprintf(column, sizeof column, "column %u:", refused[_i].column);
    ck_assert_msg(!pattern_add(&set, refused[_i].pattern, 0, &e), "%s", refused[_i].pattern);
    ck_assert_msg(strstr(e.text, column) && strstr(e.text, refused[_i].part), "%s", e.text);
    ck_assert_msg(strstr(e.text, refused[_i].pattern) != NULL, "%s", e.text);
    ck_assert_str_eq(e.field, "patterns");
    pattern_fini(&set);
}
END_TEST

START_TEST(test_too_large)
{
    struct pattern_set set = {0};
    struct weir_error e = {{0}, {0}, {0}};

    ck_assert(!pattern_add(&set, "x((\\b{128}){128}){128}", 0, &e));
    ck_assert_msg(strstr(e.text, "too large together") != NULL, "%s", e.text);
    pattern_fini(&set);
}
END_TEST

START_TEST(test_longest_is_known)
{
    static const struct {
        const char *pattern;
        unsigned longest;
    } rows[] = {
        {"abc", 3},   {"a{2,5}", 5},          {"ab|c", 2},    {".", 4},
        {"[a-z]", 1}, {"\\w{128}.{96}", 512}, {"\\ba\\b", 1}, {"\xc3\xa9?x", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pattern_set set = {0};
        struct weir_error e;
        ck_assert(pattern_add(&set, rows[i].pattern, 0, &e));
        ck_assert_uint_eq(set.longest, rows[i].longest);
        pattern_fini(&set);
    }
}
END_TEST

/* ---- words ---- */

static void words(struct bench *b, bool caseless, bool whole, const char *const *list, size_t n)
{
    struct weir_error e;

    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < n; i++)
        ck_assert(pattern_add_word(&b->set, list[i], caseless, whole, (uint32_t)i, &e));
    bench_seal(b, 1 << 20);
}

START_TEST(test_words)
{
    static const char *const list[] = {"he", "hers", "His", "she", "a.b*c", "he", "\xc3\xa9t\xc3\xa9"};
    const char *text = "USHERS his axbxc A.B*C \xc3\xa9T\xc3\xa9 \xc3\x89T\xc3\x89 h";
    struct bench b;

    words(&b, true, false, list, 7);
    cuts(&b, text, strlen(text), "U# # axbxc # # \xc3\x89T\xc3\x89 h", 22);
    bench_end(&b);
    words(&b, false, false, list, 7);
    cuts(&b, "USHERS ushers his His", 21, "USHERS u# his #", 15);
    bench_end(&b);
}
END_TEST

START_TEST(test_whole_words)
{
    static const char *const list[] = {"cat", "c++", "$x"};
    const char *text = "cat concat cats cat's c++ c++x xc++ $x a$x $xy";
    const char *want = "# concat cats #'s # #x xc++ # a# $xy";
    struct bench b;

    words(&b, true, true, list, 3);
    cuts(&b, text, strlen(text), want, strlen(want));
    bench_end(&b);
}
END_TEST

START_TEST(test_words_refused)
{
    struct pattern_set set = {0};
    struct weir_error e;
    char large[PATTERN_LONGEST + 2];

    memset(large, 'a', sizeof large);
    large[PATTERN_LONGEST + 1] = '\0';
    ck_assert(!pattern_add_word(&set, "", true, false, 0, &e));
    ck_assert(strstr(e.text, "is empty") != NULL);
    ck_assert(!pattern_add_word(&set, large, true, false, 0, &e));
    ck_assert(strstr(e.text, "longer than 512") != NULL);
    ck_assert(!pattern_add_word(&set, "ab\xc3", true, false, 0, &e));
    ck_assert(strstr(e.text, "no UTF-8") != NULL);
    large[PATTERN_LONGEST] = '\0';
    ck_assert(pattern_add_word(&set, large, true, false, 0, &e));
    ck_assert(pattern_seal(&set, &e));
    pattern_fini(&set);
}
END_TEST

/* ---- holding back: what may still become a match, and not a byte more ---- */

static const struct {
    const char *pattern, *text;
    size_t held;
} holds[] = {
    {"secret", "nothing here", 0},
    {"secret", "the s", 1},
    {"secret", "the secre", 5},
    {"secret", "the sesec", 3},
    {"secret", "the secrex", 0},
    {"secret", "the secret", 0},   /* a match that cannot grow is done */
    {"secrets?", "the secret", 6}, /* this one can */
    {"\\bsecret", "xsecre", 0},    /* begins in a word: no match can begin there */
    {"\\bsecret", "x-secre", 5},
    {"secret\\b", "the secret", 6}, /* the next byte decides */
    {"secret\\b", "the secretx", 0},
    {"\\d{4}", "99", 2},
    {"\\d{4}", "123456", 3}, /* all of it is in matches; 456 may begin one more */
    {"\\d{4}", "123456x", 0},
    {"ab{1,3}", "abbb", 0},
    {"ab{1,3}", "abb", 3},
    {"a[^x]{2}z", "a\xc3", 2}, /* in the middle of a character */
    {"a[^x]{2}z", "a\xc3\xa9", 3},
    {"a[^x]{2}z", "ax", 0},
    {"xy|yz", "xxy", 1}, /* xy is done; y may begin yz */
    {"aab", "aaa", 2},
};

START_TEST(test_holds)
{
    struct bench b;
    size_t n = strlen(holds[_i].text);

    for (size_t cut = 0; cut <= n; cut++) {
        bench_one(&b, holds[_i].pattern);
        feed(&b, holds[_i].text, cut, false);
        feed(&b, holds[_i].text + cut, n - cut, false);
        ck_assert_msg(b.scan->held_len == holds[_i].held, "%s on \"%s\": holds %u", holds[_i].pattern, holds[_i].text,
                      b.scan->held_len);
        bench_end(&b);
    }
}
END_TEST

START_TEST(test_last_lets_go_and_begins_anew)
{
    struct bench b;

    bench_one(&b, "\\bsecret\\b");
    feed(&b, "a sec", 5, false);
    same(&b, "a ", 2, "held");
    feed(&b, "", 0, true);
    same(&b, "a sec", 5, "let go");
    feed(&b, "ret secret", 10, true); /* a new text: nothing of the old one counts */
    same(&b, "a secret #", 10, "new text");
    feed(&b, "x", 1, false);
    feed(&b, "secret", 6, true);
    same(&b, "a secret #xsecret", 17, "the byte before counts");
    bench_end(&b);
}
END_TEST

START_TEST(test_stop_is_at_the_same_text)
{
    const char *text = "clear and clean, then secret42 and more secret1";
    size_t n = strlen(text);
    struct bench b;

    bench_one(&b, "secret\\d{1,4}");
    b.stop = true;
    for (size_t i = 0; i <= n; i++)
        for (size_t k = i; k <= n; k++) {
            b.len = 0;
            bool going =
                feed(&b, text, i, false) && feed(&b, text + i, k - i, false) && feed(&b, text + k, n - k, true);
            ck_assert(!going);
            same(&b, text, 22, "before the stop");
        }
    bench_end(&b);
}
END_TEST

START_TEST(test_nul_and_any_byte)
{
    const char text[] = "a\0b\0secret\0\xff\xfe\x80secret\0";
    const char want[] = "a\0b\0#\0\xff\xfe\x80#\0";
    struct bench b;

    bench_one(&b, "secret|\\x00\\x00");
    cuts(&b, text, sizeof text - 1, want, sizeof want - 1);
    bench_end(&b);
}
END_TEST

/* ---- texts made to hurt, against the reference ---- */

static const char *const set_a[] = {
    "secret",
    "cretin",
    "in?sec",
    "\\btoken\\b",
    "[0-9]{3,6}",
    "\\d{2}-\\d{2}",
    "sk-[a-zA-Z0-9]{4,12}",
    "(ab|ba){2,3}",
    "ab{2,4}c?",
    "(?i)pass\\w{0,4}:\\s?\\S{2,6}",
    "\xc3\xa9[\xc3\xa0-\xc3\xbf]{1,2}",
    "x.{0,5}y",
    "[^a-z0-9 ]{3}",
};
static const char *const set_b[] = {"a",       "aa",   "aab",          "(a|b){4}b",  "b{1,8}a",
                                    "\\ba\\B", "a\\b", "(a?b?){2,3}c", "c[ab]{0,6}c"};

static const char *const bits[] = {
    "secret", "secre", "cretin", "insec", "isec", "token",  "123", "4", "12-34",        "sk-",      "sk-abcd",
    "abba",   "ab",    "bbb",    "c",     "Pass", "word: ", "x",   "y", "\xc3\xa9",     "\xc3\xa0", "\xc3",
    "\xa9",   "-",     "!?",     " ",     "_",    "\n",     "a",   "b", "\xe2\x82\xac", "\xff",
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static size_t make_text(uint32_t *seed, char *text, bool small)
{
    size_t n = 0, pieces = 1 + next_random(seed) % 14;

    for (size_t i = 0; i < pieces; i++) {
        const char *bit = bits[next_random(seed) % (sizeof bits / sizeof *bits)];
        size_t len = strlen(bit);
        if (small) {
            text[n++] = "aaabbc x"[next_random(seed) % 8];
            continue;
        }
        if (next_random(seed) % 4 == 0) /* truncated */
            len = 1 + next_random(seed) % len;
        memcpy(text + n, bit, len);
        n += len;
    }
    return n;
}

static void against_naive(struct bench *b, const char *const *patterns, size_t count, uint32_t seed, bool small)
{
    char text[256], want[512];
    bool masked[256];
    size_t n = make_text(&seed, text, small);
    size_t len = naive_masked(patterns, count, text, n, MARK, want, masked);
    bool any = false;

    for (size_t i = 0; i < n; i++)
        any |= masked[i];
    ck_assert(automaton_finds(&b->search, (struct weir_str){text, n}) >= any);
    if (n < 24)
        cuts(b, text, n, want, len);
    for (int round = 0; round < 8; round++) {
        b->len = 0;
        for (size_t at = 0, step; at < n; at += step) {
            step = 1 + next_random(&seed) % 9;
            step = step < n - at ? step : n - at;
            feed(b, text + at, step, at + step == n);
            /* never a byte of a match: what is out is a beginning of what must come out */
            ck_assert(b->len <= len && memcmp(b->out, want, b->len) == 0);
        }
        same(b, want, len, "random cuts");
    }
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

START_TEST(test_random)
{
    struct bench b;

    bench_patterns(&b, set_a, COUNT(set_a), 1 << 20);
    for (uint32_t i = 0; i < 1500; i++)
        against_naive(&b, set_a, COUNT(set_a), i * 7919 + 1, false);
    ck_assert_uint_eq(b.scanner.a.epoch, 1);
    bench_end(&b);
    bench_patterns(&b, set_b, COUNT(set_b), 1 << 20);
    for (uint32_t i = 0; i < 1500; i++)
        against_naive(&b, set_b, COUNT(set_b), i * 104729 + 5, true);
    bench_end(&b);
}
END_TEST

/* So little room that states are thrown away all the time, also while a match is under way. */
START_TEST(test_random_without_room)
{
    struct bench b;

    bench_patterns(&b, set_a, COUNT(set_a), 3000);
    for (uint32_t i = 0; i < 500; i++)
        against_naive(&b, set_a, COUNT(set_a), i * 31337 + 3, false);
    ck_assert_uint_gt(b.scanner.a.epoch, 100);
    ck_assert_uint_gt(b.search.epoch, 100);
    bench_end(&b);
}
END_TEST

/* Two texts at once share the states; one throws away what the other stands on. */
START_TEST(test_two_texts_interleaved)
{
    const char *one = "sk-abcdefgh 12-34 token", *two = "pass: xyz secretinsec abba";
    struct scan *scans[2];
    char outs[2][64];
    size_t lens[2] = {0};
    struct bench b;

    bench_patterns(&b, set_a, COUNT(set_a), 3000);
    scans[0] = b.scan;
    scans[1] = calloc(1, scan_size(&b.set));
    for (size_t i = 0; i < 32; i++)
        for (int k = 0; k < 2; k++) {
            const char *text = k ? two : one;
            if (i > strlen(text))
                continue;
            b.scan = scans[k];
            b.len = 0;
            feed(&b, text + i, i < strlen(text), i == strlen(text));
            memcpy(outs[k] + lens[k], b.out, b.len);
            lens[k] += b.len;
        }
    ck_assert_msg(lens[0] == 5 && memcmp(outs[0], "# # #", 5) == 0, "%.*s", (int)lens[0], outs[0]);
    ck_assert_msg(lens[1] == 5 && memcmp(outs[1], "# # #", 5) == 0, "%.*s", (int)lens[1], outs[1]);
    b.scan = scans[0];
    free(scans[1]);
    bench_end(&b);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("pattern");
    TCase *t = tcase_create("pattern");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, test_meaning, 0, (int)COUNT(meaning));
    tcase_add_loop_test(t, test_refused, 0, (int)COUNT(refused));
    tcase_add_test(t, test_too_large);
    tcase_add_test(t, test_longest_is_known);
    tcase_add_test(t, test_words);
    tcase_add_test(t, test_whole_words);
    tcase_add_test(t, test_words_refused);
    tcase_add_loop_test(t, test_holds, 0, (int)COUNT(holds));
    tcase_add_test(t, test_last_lets_go_and_begins_anew);
    tcase_add_test(t, test_stop_is_at_the_same_text);
    tcase_add_test(t, test_nul_and_any_byte);
    tcase_add_test(t, test_random);
    tcase_add_test(t, test_random_without_room);
    tcase_add_test(t, test_two_texts_interleaved);
    suite_add_tcase(s, t);
    return s;
}
