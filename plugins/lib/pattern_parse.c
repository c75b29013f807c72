/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_parse.c -- one regular expression: text -> tree -> nodes of the graph; see pattern.h.
 *
 * Recursive descent.  The tree is needed because {m,n} writes its inside n times.  Characters are code points here and
 * become bytes when the nodes are made, so that no match can begin or end inside a character.
 */
#include "pattern.h"

#include "memory.h"

#define LAST_CHARACTER 0x10ffff

enum kind { NOTHING, CHARACTER, EDGE, NO_EDGE, SEQUENCE, CHOICE, REPEAT };

struct range {
    uint32_t from, to;
};

struct branch {
    enum kind kind;
    uint32_t a, b;              /* SEQUENCE, CHOICE: left, right; REPEAT: what; CHARACTER: ranges [a, b) */
    uint32_t least, most;       /* REPEAT */
    uint32_t shortest, longest; /* bytes of a match */
};

struct parser {
    const char *text, *at;
    bool caseless, failed;
    int depth;
    struct branch *tree;
    uint32_t count, cap;
    struct range *ranges;
    uint32_t range_count, range_cap;
    struct weir_error *error;
};

/* ---- errors and the tree ---- */

static uint32_t refuse(struct parser *p, const char *at, const char *why)
{
    unsigned column = 1;

    if (p->failed)
        return 0;
    p->failed = true;
    for (const char *c = p->text; c < at; c++)
        column += ((unsigned char)*c & 0xc0) != 0x80;
    snprintf(p->error->text, sizeof p->error->text, "pattern \"%.100s\" column %u: %s", p->text, column, why);
    snprintf(p->error->field, sizeof p->error->field, "patterns");
    return 0;
}

static uint32_t branch(struct parser *p, struct branch b)
{
    memory_more(p->tree, p->count, p->cap);
    p->tree[p->count] = b;
    if (b.longest > PATTERN_LONGEST)
        refuse(p, p->at > p->text ? p->at - 1 : p->at, "a match up to here could be longer than 512 bytes");
    return p->count++;
}

static uint32_t join(struct parser *p, uint32_t a, uint32_t b)
{
    const struct branch *x = &p->tree[a], *y = &p->tree[b];

    if (x->kind == NOTHING)
        return b;
    return branch(p, (struct branch){SEQUENCE, a, b, 0, 0, x->shortest + y->shortest, x->longest + y->longest});
}

static uint32_t choose(struct parser *p, uint32_t a, uint32_t b)
{
    const struct branch *x = &p->tree[a], *y = &p->tree[b];

    return branch(p, (struct branch){CHOICE, a, b, 0, 0, x->shortest < y->shortest ? x->shortest : y->shortest,
                                     x->longest > y->longest ? x->longest : y->longest});
}

/* ---- characters ---- */

size_t pattern_decode(const char *s, uint32_t *character)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t len = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = len == 1 ? u[0] : len ? u[0] & (0x7fu >> len) : 0;

    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (!len || c < least[len] || c > LAST_CHARACTER || (c >= 0xd800 && c < 0xe000))
        return 0;
    *character = c;
    return len;
}

static uint32_t width(uint32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void range_add(struct parser *p, uint32_t from, uint32_t to)
{
    memory_more(p->ranges, p->range_count, p->range_cap);
    p->ranges[p->range_count++] = (struct range){from, to};
}

/* The ASCII letters of a range in their other case. */
static void range_other_case(struct parser *p, uint32_t from, uint32_t to)
{
    for (uint32_t c = from; c <= to && c < 128; c++)
        if (pattern_is_word((unsigned char)c) && (c | 32) >= 'a' && c != '_')
            range_add(p, c ^ 32, c ^ 32);
}

static int range_order(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

/* Sorts and joins ranges [first, count), and turns them round. */
static void ranges_settle(struct parser *p, uint32_t first, bool negated)
{
    uint32_t end = p->range_count, n = first, from = 0;

    if (p->caseless)
        for (uint32_t i = first; i < end; i++)
            range_other_case(p, p->ranges[i].from, p->ranges[i].to);
    if (p->range_count > first)
        qsort(p->ranges + first, p->range_count - first, sizeof *p->ranges, range_order);
    for (uint32_t i = first; i < p->range_count; i++) {
        struct range r = p->ranges[i];
        if (n > first && r.from <= p->ranges[n - 1].to + 1) {
            if (r.to > p->ranges[n - 1].to)
                p->ranges[n - 1].to = r.to;
        } else {
            p->ranges[n++] = r;
        }
    }
    p->range_count = n;
    if (!negated)
        return;
    for (uint32_t i = first; i < n; i++) {
        if (p->ranges[i].from > from)
            range_add(p, from, p->ranges[i].from - 1);
        from = p->ranges[i].to + 1;
    }
    if (from <= LAST_CHARACTER)
        range_add(p, from, LAST_CHARACTER);
    memmove(p->ranges + first, p->ranges + n, (p->range_count - n) * sizeof *p->ranges);
    p->range_count -= n - first;
}

/* A branch for ranges [first, count), which are settled. */
static uint32_t character(struct parser *p, uint32_t first, const char *at)
{
    if (p->range_count == first)
        return refuse(p, at, "nothing matches this class");
    return branch(p, (struct branch){CHARACTER, first, p->range_count, 0, 0, width(p->ranges[first].from),
                                     width(p->ranges[p->range_count - 1].to)});
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* \d \w \s and their opposites; false when it is none of them. */
static bool named_class(struct parser *p, char name)
{
    uint32_t first = p->range_count;

    switch (name | 32) {
    case 'd':
        range_add(p, '0', '9');
        break;
    case 'w':
        range_add(p, '0', '9');
        range_add(p, 'A', 'Z');
        range_add(p, '_', '_');
        range_add(p, 'a', 'z');
        break;
    case 's':
        range_add(p, '\t', '\r');
        range_add(p, ' ', ' ');
        break;
    default:
        return false;
    }
    ranges_settle(p, first, name < 'a');
    return true;
}

/* The character behind a backslash, which p->at has passed. */
static uint32_t escaped(struct parser *p)
{
    static const char letters[] = "nrtfv", values[] = "\n\r\t\f\v";
    const char *start = p->at - 1;
    char c = *p->at++;
    const char *found = c ? strchr(letters, c) : NULL;
    int high, low;

    if (found)
        return (unsigned char)values[found - letters];
    if (c == 'x') {
        high = hex(*p->at);
        low = high < 0 ? -1 : hex(p->at[1]);
        if (low < 0)
            return refuse(p, start, "\\x needs two hexadecimal digits");
        p->at += 2;
        return (uint32_t)(high * 16 + low);
    }
    if (c == '\0') {
        p->at--;
        return refuse(p, start, "nothing follows the backslash");
    }
    if (pattern_is_word((unsigned char)c) || (unsigned char)c >= 0x80)
        return refuse(p, start, "unknown escape; there are \\d \\w \\s \\b, their capitals, \\n \\r \\t \\f \\v \\xHH");
    return (unsigned char)c;
}

static uint32_t plain(struct parser *p)
{
    uint32_t c = 0;
    size_t used = pattern_decode(p->at, &c);

    if (!used)
        return refuse(p, p->at, "this is no UTF-8");
    p->at += used;
    return c;
}

/* One member of a class; false when it was a named class, or an error, and begins no range. */
static bool class_member(struct parser *p, uint32_t *c)
{
    if (*p->at != '\\') {
        *c = plain(p);
        return !p->failed;
    }
    p->at++;
    if (*p->at && named_class(p, *p->at)) {
        p->at++;
        return false;
    }
    *c = escaped(p);
    return !p->failed;
}

static uint32_t class_parse(struct parser *p)
{
    const char *start = p->at++;
    uint32_t first = p->range_count, from, to;
    bool negated = *p->at == '^';

    p->at += negated;
    if (*p->at == ']')
        return refuse(p, p->at, "an empty class; write \\] for the bracket itself");
    while (*p->at != ']' && !p->failed) {
        const char *member = p->at;
        if (!*p->at)
            return refuse(p, start, "this class has no ]");
        if (!class_member(p, &from))
            continue;
        to = from;
        if (p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
            p->at++;
            if (!class_member(p, &to))
                return refuse(p, member, "a range needs a character at its end");
            if (to < from)
                return refuse(p, member, "this range runs backwards");
        }
        range_add(p, from, to);
    }
    if (p->failed)
        return 0;
    p->at++;
    ranges_settle(p, first, negated);
    return character(p, first, start);
}

/* ---- expressions ---- */

static uint32_t choice_parse(struct parser *);

static uint32_t group_parse(struct parser *p)
{
    const char *start = p->at++;
    uint32_t inside;

    if (*p->at == '?') {
        if (p->at[1] != ':')
            return refuse(p, start, "of (?...) there is (?:...), and (?i) at the beginning");
        p->at += 2;
    }
    if (++p->depth > PATTERN_DEPTH)
        return refuse(p, start, "groups are nested too deep");
    inside = choice_parse(p);
    p->depth--;
    if (!p->failed && *p->at != ')')
        return refuse(p, start, "this group has no )");
    p->at++;
    return inside;
}

static uint32_t escape_parse(struct parser *p)
{
    const char *start = p->at++;
    uint32_t first = p->range_count, c;

    if (*p->at == 'b' || *p->at == 'B')
        return branch(p, (struct branch){*p->at++ == 'b' ? EDGE : NO_EDGE, 0, 0, 0, 0, 0, 0});
    if (*p->at && named_class(p, *p->at)) {
        p->at++;
    } else {
        c = escaped(p);
        range_add(p, c, c);
        ranges_settle(p, first, false);
    }
    return p->failed ? 0 : character(p, first, start);
}

static uint32_t atom_parse(struct parser *p)
{
    uint32_t first = p->range_count, c;

    switch (*p->at) {
    case '(':
        return group_parse(p);
    case '[':
        return class_parse(p);
    case '\\':
        return escape_parse(p);
    case '.':
        range_add(p, '\n', '\n');
        ranges_settle(p, first, true);
        return character(p, first, p->at++);
    case '*':
    case '+':
    case '?':
    case '{':
        return refuse(p, p->at, "nothing stands before this to repeat");
    case '^':
    case '$':
        return refuse(p, p->at, "^ and $ are not known: a stream has no lines; \\^ and \\$ are the characters");
    }
    c = plain(p);
    if (p->failed)
        return 0;
    range_add(p, c, c);
    ranges_settle(p, first, false);
    return character(p, first, p->at);
}

static bool number(struct parser *p, uint32_t *n)
{
    const char *start = p->at;

    *n = 0;
    while (*p->at >= '0' && *p->at <= '9' && *n <= PATTERN_REPEATS)
        *n = *n * 10 + (uint32_t)(*p->at++ - '0');
    if (*n > PATTERN_REPEATS)
        refuse(p, start, "at most 128 repetitions");
    else if (p->at == start)
        refuse(p, start, "{m} and {m,n} take numbers; \\{ is the bracket itself");
    return !p->failed;
}

static bool bounds(struct parser *p, uint32_t *least, uint32_t *most)
{
    const char *start = p->at;

    if (*p->at == '?') {
        p->at++;
        *least = 0;
        *most = 1;
        return true;
    }
    p->at++;
    if (!number(p, least))
        return false;
    *most = *least;
    if (*p->at == ',') {
        p->at++;
        if (*p->at == '}') {
            refuse(p, start, "{m,} has no bound: write {m,128}");
            return false;
        }
        if (!number(p, most))
            return false;
    }
    if (*p->at++ != '}')
        refuse(p, start, "this { has no }");
    else if (*most < *least || *most == 0)
        refuse(p, start, "these bounds allow nothing");
    return !p->failed;
}

static uint32_t repeat_parse(struct parser *p)
{
    uint32_t what = atom_parse(p), least, most;
    struct branch b;

    if (p->failed || (*p->at != '?' && *p->at != '{' && *p->at != '*' && *p->at != '+'))
        return what;
    if (*p->at == '*' || *p->at == '+')
        return refuse(p, p->at, *p->at == '*' ? "* has no bound: write {0,128}" : "+ has no bound: write {1,128}");
    if (!bounds(p, &least, &most))
        return 0;
    b = p->tree[what];
    what = branch(p, (struct branch){REPEAT, what, 0, least, most, b.shortest * least, b.longest * most});
    if (!p->failed && *p->at && strchr("?{*+", *p->at))
        return refuse(p, p->at, "a repetition of a repetition: put the first into (...)");
    return what;
}

static uint32_t sequence_parse(struct parser *p)
{
    uint32_t all = branch(p, (struct branch){.kind = NOTHING});

    while (!p->failed && *p->at && *p->at != '|' && *p->at != ')') {
        uint32_t next = repeat_parse(p);
        if (!p->failed)
            all = join(p, all, next);
    }
    return all;
}

static uint32_t choice_parse(struct parser *p)
{
    uint32_t all = sequence_parse(p);

    while (!p->failed && *p->at == '|') {
        p->at++;
        uint32_t next = sequence_parse(p);
        if (!p->failed)
            all = choose(p, all, next);
    }
    return all;
}

/* ---- nodes ---- */

struct maker {
    struct pattern_set *set;
    const struct parser *p;
};

/* Characters of one length of which each byte has a range of its own. */
static uint32_t make_bytes(struct maker *m, uint32_t from, uint32_t to, uint32_t out)
{
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint32_t len = width(from);

    for (uint32_t i = len; i-- > 0; from >>= 6, to >>= 6) {
        unsigned low = i ? (from & 0x3f) | 0x80 : from | mark[len], high = i ? (to & 0x3f) | 0x80 : to | mark[len];
        struct pattern_bytes b = {{0}};
        for (unsigned c = low; c <= high; c++)
            b.bits[c >> 6] |= 1ull << (c & 63);
        out = pattern_byte(m->set, &b, out);
    }
    return out;
}

static uint32_t either(struct maker *m, uint32_t a, uint32_t b)
{
    return b ? pattern_node(m->set, PATTERN_SPLIT, a, b) : a;
}

/* Cuts a range above ASCII into ranges that make_bytes() takes; adds them to `entry`. */
static uint32_t make_range(struct maker *m, uint32_t from, uint32_t to, uint32_t out, uint32_t entry)
{
    static const uint32_t ends[] = {0x7ff, 0xffff};

    for (size_t i = 0; i < 2; i++)
        if (from <= ends[i] && to > ends[i])
            return make_range(m, ends[i] + 1, to, out, make_range(m, from, ends[i], out, entry));
    for (uint32_t bits = 6; bits < 6 * width(from); bits += 6) {
        uint32_t low = (1u << bits) - 1;
        if ((from & ~low) == (to & ~low))
            continue;
        if (from & low)
            return make_range(m, (from | low) + 1, to, out, make_range(m, from, from | low, out, entry));
        if ((to & low) != low)
            return make_range(m, to & ~low, to, out, make_range(m, from, (to & ~low) - 1, out, entry));
    }
    return either(m, make_bytes(m, from, to, out), entry);
}

static uint32_t make_character(struct maker *m, const struct branch *b, uint32_t out)
{
    struct pattern_bytes ascii = {{0}};
    uint32_t entry = 0;
    bool any = false;

    for (uint32_t i = b->a; i < b->b; i++) {
        struct range r = m->p->ranges[i];
        for (; r.from <= r.to && r.from < 0x80; r.from++, any = true)
            ascii.bits[r.from >> 6] |= 1ull << (r.from & 63);
        if (r.from <= r.to)
            entry = make_range(m, r.from, r.to, out, entry);
    }
    return any ? either(m, pattern_byte(m->set, &ascii, out), entry) : entry;
}

static uint32_t make(struct maker *m, uint32_t tree, uint32_t out)
{
    const struct branch *b = &m->p->tree[tree];
    uint32_t end = out;

    for (; b->kind == SEQUENCE; b = &m->p->tree[b->a])
        out = make(m, b->b, out);
    switch (b->kind) {
    case NOTHING:
    case SEQUENCE:
        break;
    case CHARACTER:
        return make_character(m, b, out);
    case EDGE:
        return pattern_node(m->set, PATTERN_EDGE, out, 0);
    case NO_EDGE:
        return pattern_node(m->set, PATTERN_NO_EDGE, out, 0);
    case CHOICE:
        return pattern_node(m->set, PATTERN_SPLIT, make(m, b->a, out), make(m, b->b, out));
    case REPEAT:
        end = out;
        for (uint32_t i = b->most; i-- > 0 && out != PATTERN_FULL;) {
            out = make(m, b->a, out);
            if (i >= b->least)
                out = pattern_node(m->set, PATTERN_SPLIT, out, end);
        }
        break;
    }
    return out;
}

static bool parse(struct parser *p, uint32_t *tree)
{
    if (!*p->text)
        refuse(p, p->text, "is empty");
    else if (strlen(p->text) > PATTERN_TEXT)
        refuse(p, p->text, "is longer than 4096 bytes");
    if (p->failed)
        return false;
    if (strncmp(p->text, "(?i)", 4) == 0) {
        p->caseless = true;
        p->at += 4;
    }
    *tree = choice_parse(p);
    if (!p->failed && *p->at)
        refuse(p, p->at, "a ) without its (");
    if (!p->failed && p->tree[*tree].shortest == 0)
        refuse(p, p->text, "this can match the empty text");
    return !p->failed;
}

bool pattern_add(struct pattern_set *set, const char *text, uint32_t id, struct weir_error *e)
{
    struct parser p = {.text = text, .at = text, .error = e};
    struct maker m = {set, &p};
    uint32_t tree = 0, entry = 0;

    if (parse(&p, &tree)) {
        entry = make(&m, tree, pattern_node(set, PATTERN_ACCEPT, 0, id));
        if (entry == PATTERN_FULL)
            refuse(&p, text, "the patterns are too large together");
        else
            pattern_root(set, entry);
        if (p.tree[tree].longest > set->longest)
            set->longest = p.tree[tree].longest;
    }
    free(p.tree);
    free(p.ranges);
    return !p.failed;
}
