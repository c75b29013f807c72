/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c -- the graph that patterns share: nodes, keywords as a tree, classes of bytes; see pattern.h. */
#include "pattern.h"

#include <sys/mman.h>

#include "memory.h"

uint32_t pattern_node(struct pattern_set *p, enum pattern_kind kind, uint32_t out, uint32_t arg)
{
    if (p->node_count >= PATTERN_NODES || out == PATTERN_FULL || arg == PATTERN_FULL)
        return PATTERN_FULL;
    if (p->node_count == 0) { /* node 0 is nobody's: 0 means "none" */
        memory_more(p->nodes, p->node_count, p->node_cap);
        p->nodes[p->node_count++] = (struct pattern_node){PATTERN_SPLIT, 0, 0};
    }
    memory_more(p->nodes, p->node_count, p->node_cap);
    p->nodes[p->node_count] = (struct pattern_node){kind, out, arg};
    return p->node_count++;
}

uint32_t pattern_byte(struct pattern_set *p, const struct pattern_bytes *bytes, uint32_t out)
{
    uint32_t i = 0;

    while (i < p->set_count && memcmp(&p->sets[i], bytes, sizeof *bytes) != 0)
        i++;
    if (i == p->set_count) {
        memory_more(p->sets, p->set_count, p->set_cap);
        p->sets[p->set_count++] = *bytes;
    }
    return pattern_node(p, PATTERN_BYTE, out, i);
}

void pattern_root(struct pattern_set *p, uint32_t node)
{
    memory_more(p->roots, p->root_count, p->root_cap);
    p->roots[p->root_count++] = node;
}

/* ---- keywords: one tree, so that those that begin alike are one path ---- */

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool word_refused(struct weir_error *e, const char *text, const char *why)
{
    snprintf(e->text, sizeof e->text, "word \"%.80s\" %s", text, why);
    snprintf(e->field, sizeof e->field, "words");
    return false;
}

bool pattern_add_word(struct pattern_set *p, const char *text, bool caseless, bool whole, uint32_t id,
                      struct weir_error *e)
{
    size_t len = strlen(text);
    struct pattern_word *w;
    uint32_t c;

    if (len == 0)
        return word_refused(e, text, "is empty");
    if (len > PATTERN_LONGEST)
        return word_refused(e, text, "is longer than 512 bytes");
    for (size_t i = 0, used; i < len; i += used)
        if (!(used = pattern_decode(text + i, &c)))
            return word_refused(e, text, "is no UTF-8");
    memory_more(p->words, p->word_count, p->word_cap);
    w = &p->words[p->word_count++];
    *w = (struct pattern_word){memory_resize(NULL, len, 1), (uint32_t)len, id, caseless, whole};
    for (size_t i = 0; i < len; i++)
        w->text[i] = caseless ? folded(text[i]) : text[i];
    if (w->len > p->longest)
        p->longest = w->len;
    return true;
}

static bool begins_at_edge(const struct pattern_word *w)
{
    return w->whole && pattern_is_word((unsigned char)w->text[0]);
}

static int word_group(const struct pattern_word *w)
{
    return w->caseless * 2 + begins_at_edge(w);
}

static int word_order(const void *a, const void *b)
{
    const struct pattern_word *x = a, *y = b;
    int c;

    if (word_group(x) != word_group(y))
        return word_group(x) - word_group(y);
    c = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return c ? c : (x->len > y->len) - (x->len < y->len);
}

static uint32_t either(struct pattern_set *p, uint32_t a, uint32_t b)
{
    return b == 0 ? a : pattern_node(p, PATTERN_SPLIT, a, b);
}

static uint32_t word_end(struct pattern_set *p, const struct pattern_word *w)
{
    uint32_t node = pattern_node(p, PATTERN_ACCEPT, 0, w->id);

    return w->whole && pattern_is_word((unsigned char)w->text[w->len - 1]) ? pattern_node(p, PATTERN_EDGE, node, 0)
                                                                           : node;
}

/* words[from, to) are sorted and the same in their first `depth` bytes. */
static uint32_t tree(struct pattern_set *p, uint32_t from, uint32_t to, uint32_t depth)
{
    uint32_t entry = 0;

    for (; from < to && p->words[from].len == depth; from++)
        entry = either(p, word_end(p, &p->words[from]), entry);
    while (from < to) {
        unsigned char c = (unsigned char)p->words[from].text[depth];
        struct pattern_bytes bytes = {{0}};
        uint32_t end = from;
        while (end < to && (unsigned char)p->words[end].text[depth] == c)
            end++;
        bytes.bits[c >> 6] |= 1ull << (c & 63);
        if (p->words[from].caseless && c >= 'a' && c <= 'z')
            bytes.bits[(c - 32) >> 6] |= 1ull << ((c - 32) & 63);
        entry = either(p, pattern_byte(p, &bytes, tree(p, from, end, depth + 1)), entry);
        from = end;
    }
    return entry;
}

static bool words_seal(struct pattern_set *p)
{
    bool ok = true;

    if (p->word_count)
        qsort(p->words, p->word_count, sizeof *p->words, word_order);
    for (uint32_t i = 0, end; ok && i < p->word_count; i = end) {
        uint32_t entry;
        for (end = i; end < p->word_count && word_group(&p->words[end]) == word_group(&p->words[i]);)
            end++;
        entry = tree(p, i, end, 0);
        if (begins_at_edge(&p->words[i]))
            entry = pattern_node(p, PATTERN_EDGE, entry, 0);
        ok = entry != PATTERN_FULL;
        pattern_root(p, entry);
    }
    for (uint32_t i = 0; i < p->word_count; i++)
        free(p->words[i].text);
    free(p->words);
    p->words = NULL;
    p->word_count = p->word_cap = 0;
    return ok;
}

/* ---- classes of bytes ---- */

/* Splits every class that is partly inside `b`. */
static void classes_split(struct pattern_set *p, const struct pattern_bytes *b)
{
    int renamed[2][256];
    uint32_t count = 0;

    memset(renamed, -1, sizeof renamed);
    for (int c = 0; c < 256; c++) {
        int *to = &renamed[pattern_has(b, (unsigned char)c)][p->classes[c]];
        if (*to < 0)
            *to = (int)count++;
        p->classes[c] = (uint8_t)*to;
    }
    p->class_count = count;
}

/* ---- the end of building ---- */

static void *move(char **at, void *array, size_t bytes)
{
    char *to = *at;

    if (bytes)
        memcpy(to, array, bytes);
    free(array);
    *at += bytes;
    return to;
}

/* Memory of its own, so that no worker's malloc() writes beside it and makes a copy of its pages. */
static void graph_seal(struct pattern_set *p)
{
    size_t nodes = p->node_count * sizeof *p->nodes, sets = p->set_count * sizeof *p->sets;
    size_t roots = p->root_count * sizeof *p->roots;
    char *at;

    p->sealed_size = sets + nodes + roots + 1;
    p->sealed = mmap(NULL, p->sealed_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->sealed == MAP_FAILED)
        memory_none();
    at = p->sealed;
    p->sets = move(&at, p->sets, sets);
    p->nodes = move(&at, p->nodes, nodes);
    p->roots = move(&at, p->roots, roots);
    mprotect(p->sealed, p->sealed_size, PROT_READ);
}

bool pattern_seal(struct pattern_set *p, struct weir_error *e)
{
    struct pattern_bytes word = {{0}};

    if (!words_seal(p)) {
        snprintf(e->text, sizeof e->text, "the words and patterns are too large together");
        return false;
    }
    for (int c = 0; c < 256; c++)
        if ((p->word_bytes[c] = pattern_is_word((unsigned char)c)))
            word.bits[c >> 6] |= 1ull << (c & 63);
    memset(p->classes, 0, sizeof p->classes);
    classes_split(p, &word); /* \b tells word bytes from others */
    for (uint32_t i = 0; i < p->set_count; i++)
        classes_split(p, &p->sets[i]);
    for (int c = 255; c >= 0; c--)
        p->samples[p->classes[c]] = (uint8_t)c;
    graph_seal(p);
    return true;
}

void pattern_fini(struct pattern_set *p)
{
    for (uint32_t i = 0; i < p->word_count; i++)
        free(p->words[i].text);
    free(p->words);
    if (p->sealed) {
        munmap(p->sealed, p->sealed_size);
    } else {
        free(p->nodes);
        free(p->sets);
        free(p->roots);
    }
    *p = (struct pattern_set){0};
}
