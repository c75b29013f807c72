/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny.c -- guardrail: refuses or masks texts that hold a forbidden word or pattern.
 *
 *     guardrails = ( { name = "words";  plugin = "deny";  words = [ "project bluebird" ];  patterns = [
 * "\\bsk-\\w{20,64}" ]; action = "mask"; } );
 *
 * The patterns are compiled once per generation (prepare) and shared; each process makes its own states.  Requests and
 * whole answers are searched first, which is cheap; only what may hold a match is scanned for where.  docs/deny.md
 * tells more.
 */
#include "automaton.h"
#include "memory.h"
#include "scan.h"
#include "text.h"

#define STATES_LIMIT ((size_t)1 << 20)  /* bytes of states, for each of the two automata of a process */
#define SPARE_KEPT   ((size_t)64 << 10) /* of the buffer that answers are put together in */

struct deny {
    struct weir_list words, patterns, directions;
    bool case_sensitive, whole_words;
    const char *action, *mask, *code;
    /* made by init */
    const struct pattern_set *set;
    struct automaton search;
    struct scanner scanner;
    struct scan *whole; /* for texts that are all there */
    bool request, response, arguments, masks;
    char *spare;
    size_t spare_cap;
};

static const char *const action_choices[] = {"block", "mask", NULL};
static const char *const direction_choices[] = {"request", "response", "arguments", NULL};

#define OPT(...) WEIR_OPT(struct deny, __VA_ARGS__)

static const struct weir_option deny_options[] = {
    OPT(words, "", "Texts that are looked for as they stand."),
    OPT(case_sensitive, "false", "Whether upper and lower case of ASCII letters matter in `words`."),
    OPT(whole_words, "false", "Whether `words` match only where no letter, digit or _ touches their ends."),
    OPT(patterns, "", "Regular expressions without * and +: see docs/deny.md."),
    OPT(action, "block",
        "What happens to a text that holds one: the request or the answer is refused, or it is masked.",
        .choices = action_choices),
    OPT(mask, "[removed]", "What stands in its place then; no quotes, backslashes or control characters."),
    OPT(code, "denied_content", "The error code that the client gets when it is refused."),
    OPT(directions, "request response arguments",
        "Which texts are judged: of requests, of answers, arguments of tool calls in answers.",
        .choices = direction_choices),
    WEIR_OPT_END,
};

/* ---- load ---- */

static bool refuse(struct weir_error *e, const char *field, const char *why)
{
    snprintf(e->text, sizeof e->text, "%s", why);
    snprintf(e->field, sizeof e->field, "%s", field);
    return false;
}

/* The mask may come to stand in JSON that stands in JSON: nothing in it may need an escape. */
static bool check_mask(const char *mask, struct weir_error *e)
{
    uint32_t c;

    for (size_t used; *mask; mask += used) {
        used = pattern_decode(mask, &c);
        if (!used || c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            return refuse(e, "mask", "mask must be UTF-8 without quotes, backslashes and control characters");
    }
    return true;
}

static bool check_code(const char *code, struct weir_error *e)
{
    size_t n = strlen(code);

    if (n == 0 || n > 47 || strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return refuse(e, "code", "code must be 1 to 47 of a-z, 0-9 and _");
    return true;
}

static bool compile(struct pattern_set *set, const struct deny *o, struct weir_error *e)
{
    uint32_t id = 0;

    for (size_t i = 0; i < o->words.count; i++)
        if (!pattern_add_word(set, o->words.items[i], !o->case_sensitive, o->whole_words, id++, e))
            return false;
    for (size_t i = 0; i < o->patterns.count; i++)
        if (!pattern_add(set, o->patterns.items[i], id++, e))
            return false;
    return pattern_seal(set, e);
}

static bool prepare(void *shared, const void *opts, struct weir_error *e)
{
    const struct deny *o = opts;

    if (o->words.count + o->patterns.count == 0)
        return refuse(e, "words", "deny has nothing to look for: give it words or patterns");
    if (o->directions.count == 0)
        return refuse(e, "directions", "deny has nowhere to look: directions is empty");
    if (!check_mask(o->mask, e) || !check_code(o->code, e))
        return false;
    if (compile(shared, o, e))
        return true;
    pattern_fini(shared);
    return false;
}

static bool listed(const struct weir_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

static const struct scan_hooks scan_hooks;

static bool init(void *self, const void *shared, struct weir_error *e)
{
    struct deny *me = self;

    (void)e;
    me->set = shared;
    me->request = listed(&me->directions, "request");
    me->response = listed(&me->directions, "response");
    me->arguments = listed(&me->directions, "arguments");
    me->masks = strcmp(me->action, "mask") == 0;
    automaton_init(&me->search, me->set, true, STATES_LIMIT);
    scanner_init(&me->scanner, me->set, &scan_hooks, STATES_LIMIT);
    me->whole = memory_resize(NULL, scan_size(me->set), 1);
    memset(me->whole, 0, scan_size(me->set));
    return true;
}

static void fini(void *self)
{
    struct deny *me = self;

    automaton_fini(&me->search);
    scanner_fini(&me->scanner);
    free(me->whole);
    free(me->spare);
}

/* ---- one text ---- */

/* Each (choice, channel, block) of an answer is a text of its own. */
struct stream {
    struct stream *next;
    enum weir_channel channel;
    uint32_t choice, block;
    struct scan *scan;
};

struct local {
    struct stream *streams;
    uint32_t masked; /* matches */
    uint32_t first;  /* the first one's pattern */
};

/* What comes out of a text: one borrowed piece as long as that is enough, else put together in `spare`. */
struct passed {
    struct deny *me;
    struct local *local;
    struct weir_str piece;
    size_t len; /* of spare; > 0: piece is in it */
    uint32_t stopped_by;
};

static void spare_put(struct passed *p, struct weir_str s)
{
    struct deny *me = p->me;

    if (p->len + s.len > me->spare_cap) {
        me->spare_cap = (p->len + s.len) * 2;
        me->spare = memory_resize(me->spare, me->spare_cap, 1);
    }
    if (s.len)
        memcpy(me->spare + p->len, s.ptr, s.len);
    p->len += s.len;
}

static void pass_text(void *who, struct weir_str s)
{
    struct passed *p = who;

    if (p->len == 0 && p->piece.len == 0) {
        p->piece = s;
        return;
    }
    if (p->len == 0)
        spare_put(p, p->piece);
    spare_put(p, s);
}

static void pass_mask(void *who, uint32_t pattern)
{
    struct passed *p = who;

    if (p->local->masked++ == 0)
        p->local->first = pattern;
    pass_text(p, str_of(p->me->mask));
}

static enum scan_choice found(void *who, uint32_t pattern, struct weir_str match)
{
    struct passed *p = who;

    (void)match;
    p->stopped_by = pattern;
    return p->me->masks ? SCAN_MASK : SCAN_STOP;
}

static const struct scan_hooks scan_hooks = {found, pass_text, pass_mask};

static struct weir_str passed_text(const struct passed *p)
{
    return p->len ? (struct weir_str){p->me->spare, p->len} : p->piece;
}

static void passed_end(struct passed *p)
{
    if (p->me->spare_cap > SPARE_KEPT) {
        free(p->me->spare);
        p->me->spare = NULL;
        p->me->spare_cap = 0;
    }
}

/* ---- hooks ---- */

/* "word 3" or "pattern 1": counted from 1, as they stand in the configuration. */
static struct weir_str name_of(const struct deny *me, uint32_t id, char *to, size_t room)
{
    bool word = id < me->words.count;
    int n = snprintf(to, room, "%s %zu", word ? "word" : "pattern", (word ? id : id - me->words.count) + (size_t)1);

    return (struct weir_str){to, (size_t)n};
}

static enum weir_verdict block(struct weir_ctx *c, uint32_t id)
{
    const struct deny *me = c->self;
    char name[32];

    return weir_block(c, me->code, name_of(me, id, name, sizeof name));
}

static enum weir_verdict judge_span(struct weir_ctx *c, size_t i, struct weir_str text)
{
    struct deny *me = c->self;
    struct local *local = c->local;
    struct passed p = {.me = me, .local = local};
    uint32_t masked = local->masked;

    if (!automaton_finds(&me->search, text))
        return WEIR_PASS;
    if (!scan_feed(&me->scanner, me->whole, text, true, &p))
        return block(c, p.stopped_by);
    if (local->masked != masked)
        weir_edit(c, i, 0, text.len, passed_text(&p));
    passed_end(&p);
    return WEIR_PASS;
}

static enum weir_verdict on_request(struct weir_ctx *c)
{
    const struct deny *me = c->self;
    enum weir_verdict v = WEIR_PASS;
    size_t n = 0;
    const struct weir_span *spans = me->request ? weir_spans(c, &n) : NULL;

    for (size_t i = 0; i < n && v == WEIR_PASS; i++)
        v = judge_span(c, i, weir_at(spans, c->host->span_size, i)->text);
    return v;
}

static struct stream *stream_find(struct weir_ctx *c, const struct weir_event *e)
{
    struct local *l = c->local;
    struct stream *s = l->streams;

    while (s && (s->channel != e->channel || s->choice != e->choice || s->block != e->block))
        s = s->next;
    return s;
}

static struct stream *stream_new(struct weir_ctx *c, const struct weir_event *e)
{
    const struct deny *me = c->self;
    struct local *l = c->local;
    struct stream *s = weir_alloc(c, sizeof *s);

    s->scan = weir_alloc(c, scan_size(me->set));
    s->channel = e->channel;
    s->choice = e->choice;
    s->block = e->block;
    s->next = l->streams;
    return l->streams = s;
}

static enum weir_verdict on_event(struct weir_ctx *c, const struct weir_event *e)
{
    struct deny *me = c->self;
    struct passed p = {.me = me, .local = c->local};
    struct stream *s = stream_find(c, e);
    struct weir_event out = *e;
    bool wanted = e->channel == WEIR_ARGUMENTS ? me->arguments : me->response;

    if (!wanted || (!s && e->last && !automaton_finds(&me->search, e->text))) { /* all of it is clear */
        weir_emit(c, &out);
        return WEIR_PASS;
    }
    if (!s)
        s = stream_new(c, e);
    if (!scan_feed(&me->scanner, s->scan, e->text, e->last, &p))
        return block(c, p.stopped_by);
    out.text = passed_text(&p);
    weir_emit(c, &out); /* also when it is empty: `last` must reach the next stage */
    passed_end(&p);
    return WEIR_PASS;
}

static void on_record(struct weir_ctx *c)
{
    const struct deny *me = c->self;
    const struct local *l = c->local;
    char count[16], name[32];
    int n;

    if (!l->masked)
        return;
    n = snprintf(count, sizeof count, "%u", l->masked);
    weir_label(c, WEIR_STR("deny.masked"), ((struct weir_str){count, (size_t)n}));
    weir_label(c, WEIR_STR("deny.first"), name_of(me, l->first, name, sizeof name));
}

WEIR_PLUGIN(
    .name        = "deny",
    .version     = "1.0",
    .summary     = "Refuses or masks texts that hold forbidden words or patterns.",
    .options     = deny_options,
    .shared_size = sizeof(struct pattern_set),
    .self_size   = sizeof(struct deny),
    .local_size  = sizeof(struct local),
    .prepare     = prepare,
    .init        = init,
    .fini        = fini,
    .on_request  = on_request,
    .on_event    = on_event,
    .on_record   = on_record,
);
