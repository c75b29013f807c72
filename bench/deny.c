/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny.c -- what plugins/lib/{automaton,scan} cost on 12 KB of prose with 100 words and 20 patterns, on the worst text
 * that they can be given, and piece by piece.
 *
 *     bench/deny                          times, and instructions by valgrind when it is installed
 *     bench/deny search|scan|pieces|worst ROUNDS      one of them alone, for callgrind: subtract two runs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "scan.h"

static const char *const patterns[] = {
    "\\b[A-Za-z0-9._%-]{1,64}@[A-Za-z0-9-]{1,63}\\.[A-Za-z]{2,24}\\b", /* mail */
    "\\b[A-Z]{2}\\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,4})?\\b",      /* IBAN */
    "\\b4\\d{3}([ -]?\\d{4}){3}\\b",
    "\\b5[1-5]\\d{2}([ -]?\\d{4}){3}\\b",
    "\\b3[47]\\d{2}[ -]?\\d{6}[ -]?\\d{5}\\b",
    "\\b\\d{3}-\\d{2}-\\d{4}\\b",
    "\\b\\d{1,3}(\\.\\d{1,3}){3}\\b",
    "\\b\\+?\\d{1,3}[ -]\\d{2,4}[ -]\\d{3,4}[ -]\\d{3,4}\\b",
    "\\bsk-[A-Za-z0-9_-]{20,128}",
    "\\bsk-ant-api03-[A-Za-z0-9_-]{80,120}",
    "\\bgh[pousr]_[A-Za-z0-9]{36,76}",
    "\\bAKIA[0-9A-Z]{16}\\b",
    "\\bxox[abpr]-[0-9A-Za-z-]{10,72}",
    "\\bAIza[0-9A-Za-z_-]{35}\\b",
    "\\beyJ[A-Za-z0-9_-]{10,128}\\.eyJ[A-Za-z0-9_-]{10,128}",
    "-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
    "\\bhf_[A-Za-z0-9]{34}\\b",
    "\\bglpat-[A-Za-z0-9_-]{20,64}",
    "(?i)\\b(password|passwd|pwd|secret|token)\\s{0,3}[=:]\\s{0,3}\\S{4,40}",
    "(?i)ignore (all |any )?(the )?(previous|prior) instructions",
};

static const char *const prose[] = {
    "the",   "gateway",  "of",    "and",  "a",    "measures", "every",   "request", "to",
    "model", "in",       "is",    "that", "it",   "holds",    "back",    "stream",  "for",
    "with",  "tokens",   "was",   "on",   "as",   "tested",   "by",      "people",  "who",
    "write", "Systems,", "which", "are",  "not",  "always.",  "simple;", "however", "this",
    "one",   "from",     "2024",  "had",  "been", "(mostly)", "their",   "answer",  "has",
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void add_patterns(struct pattern_set *set)
{
    static const char *const parts[] = {"ba", "ker", "lo", "min", "tra", "vel", "sto", "ne", "gri", "pho", "ant", "ci"};
    struct weir_error e;
    uint32_t seed = 7, id = 0;

    for (int i = 0; i < 100; i++) {
        char word[64] = "";
        for (uint32_t k = 2 + next_random(&seed) % 3, n = 0; k > 0; k--)
            n += (uint32_t)snprintf(word + n, sizeof word - n, "%s", parts[next_random(&seed) % 12]);
        must(pattern_add_word(set, word, true, false, id++, &e));
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (!pattern_add(set, patterns[i], id++, &e)) {
            fprintf(stderr, "%s\n", e.text);
            exit(1);
        }
    must(pattern_seal(set, &e));
}

static size_t put_prose(char *text, size_t size)
{
    uint32_t seed = 1;
    size_t n = 0;

    for (;;) {
        const char *word = prose[next_random(&seed) % (sizeof prose / sizeof *prose)];
        size_t len = strlen(word);
        if (n + len + 1 > size)
            return n;
        memcpy(text + n, word, len);
        n += len;
        text[n++] = next_random(&seed) % 12 ? ' ' : '\n';
    }
}

static enum scan_choice found(void *who, uint32_t pattern, struct weir_str match)
{
    (void)who, (void)pattern, (void)match;
    return SCAN_MASK;
}

static void text_out(void *who, struct weir_str s)
{
    *(size_t *)who += s.len;
}

static void mask_out(void *who, uint32_t pattern)
{
    (void)pattern;
    ++*(size_t *)who;
}

static const struct scan_hooks hooks = {found, text_out, mask_out};

struct bench {
    struct pattern_set set;
    struct automaton search;
    struct scanner scanner;
    struct scan *scan;
    size_t out;
};

static void feed(struct bench *b, struct weir_str text, size_t piece)
{
    for (size_t at = 0, n; at < text.len; at += n) {
        n = piece < text.len - at ? piece : text.len - at;
        scan_feed(&b->scanner, b->scan, (struct weir_str){text.ptr + at, n}, at + n == text.len, &b->out);
    }
}

static void once(struct bench *b, const char *what, struct weir_str text)
{
    if (strcmp(what, "search") == 0)
        b->out += automaton_finds(&b->search, text);
    else
        feed(b, text, strcmp(what, "pieces") == 0 ? 20 : text.len);
}

/* Callgrind's count for `rounds`; 0 without valgrind. */
static double instructions(const char *self, const char *what, const char *rounds)
{
    char command[512], line[256];
    double count = 0;
    FILE *f;

    snprintf(command, sizeof command,
             "valgrind --tool=callgrind --callgrind-out-file=/dev/null %s %s %s 2>&1 | grep Collected", self, what,
             rounds);
    f = popen(command, "r");
    if (f && fgets(line, sizeof line, f) && strrchr(line, ':'))
        count = strtod(strrchr(line, ':') + 1, NULL);
    if (f)
        pclose(f);
    return count;
}

static void show(struct bench *b, const char *self, const char *what, struct weir_str text)
{
    int64_t best = INT64_MAX;
    int rounds = strcmp(what, "worst") == 0 ? 3 : 50;
    double few, many;

    for (int i = 0; i < 10; i++) {
        int64_t start = clock_us(), us;
        for (int k = 0; k < rounds; k++)
            once(b, what, text);
        us = clock_us() - start;
        best = us < best ? us : best;
    }
    few = instructions(self, what, "2");
    many = instructions(self, what, "12");
    printf("%-7s %6zu B %9.1f us %8.1f MB/s %9.1f instructions/B\n", what, text.len, (double)best / rounds,
           (double)text.len * rounds / (double)best, (many - few) / 10 / (double)text.len);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"search", "scan", "pieces", "worst"};
    static char prose_text[12288], worst_text[12288];
    struct weir_str text = {prose_text, put_prose(prose_text, sizeof prose_text)},
                    worst = {worst_text, sizeof worst_text};
    struct bench b = {.out = 0};

    for (size_t i = 0; i < sizeof worst_text; i++)
        worst_text[i] = i % 2 ? '.' : 'a'; /* at every letter a mail address may begin, and none ends */
    add_patterns(&b.set);
    automaton_init(&b.search, &b.set, true, 1 << 20);
    scanner_init(&b.scanner, &b.set, &hooks, 1 << 20);
    b.scan = must_alloc(scan_size(&b.set));
    if (argc == 3) {
        for (long i = strtol(argv[2], NULL, 10); i > 0; i--)
            once(&b, argv[1], strcmp(argv[1], "worst") == 0 ? worst : text);
    } else {
        for (size_t i = 0; i < 4; i++)
            show(&b, argv[0], all[i], i == 3 ? worst : text);
        printf("%u nodes, %u classes; search: %u states, %zu KB; scan: %u states, %zu KB; %u + %u thrown away\n",
               b.set.node_count, b.set.class_count, b.search.state_count, b.search.row_words / 256,
               b.scanner.a.state_count, b.scanner.a.row_words / 256, b.search.epoch - 1, b.scanner.a.epoch - 1);
    }
    free(b.scan);
    scanner_fini(&b.scanner);
    automaton_fini(&b.search);
    pattern_fini(&b.set);
    return 0;
}
