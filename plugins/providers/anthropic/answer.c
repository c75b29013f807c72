/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c -- events -> what a client of this dialect gets.  Host: steps `stream` and `close`, worker process.
 *
 * Same dialect: text that a stage set free, and the end mark.  Another dialect: all of it, as a machine that has one
 * block open.  Text and thinking end when something else begins; a call ends when its arguments are complete, and what
 * comes before that waits in a queue.  The finish is held until the end mark, because usage goes with it.
 */
#include "anthropic.h"

static struct anthropic_write *writing(struct weir_ctx *c)
{
    return &((struct anthropic_local *)c->local)->write;
}

/* ---- same dialect ---- */

static bool answer_same(struct weir_ctx *c, const struct weir_event *ev)
{
    static const struct {
        const char *type, *key;
    } deltas[] = {
        [WEIR_TEXT] = {"text_delta", "text"},
        [WEIR_REASONING] = {"thinking_delta", "thinking"},
        [WEIR_ARGUMENTS] = {"input_json_delta", "partial_json"},
    };
    const struct anthropic_read *r = &((struct anthropic_local *)c->local)->read;
    const char *type, *key;
    struct emit m = {.t.c = c};

    if (ev->channel == WEIR_DONE_MARK) {
        weir_out(c, WEIR_STR("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
        return true;
    }
    if (ev->channel > WEIR_ARGUMENTS || ev->choice || ev->block >= BLOCK_STRINGS) /* those never leave their frame */
        return false;
    type = deltas[ev->channel].type;
    key = deltas[ev->channel].key;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->blocks[i].index == ev->block && r->blocks[i].kind == BLOCK_COMPACTION) {
            type = "compaction_delta";
            key = "content";
        }
    text_lit(&m.t, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
    text_int(&m.t, ev->block);
    text_lit(&m.t, ",\"delta\":{\"type\":\"");
    text_str(&m.t, str_of(type));
    text_lit(&m.t, "\",\"");
    text_str(&m.t, str_of(key));
    text_lit(&m.t, "\":\"");
    text_json(&m.t, ev->text);
    text_lit(&m.t, "\"}}\n\n");
    weir_out(c, text_view(&m.t));
    return true;
}

/* ---- parts ---- */

static bool is_part(const struct anthropic_part *p, const struct weir_event *ev, bool call)
{
    return p && p->block == ev->block && (call ? p->channel == WEIR_ARGUMENTS : p->channel == ev->channel);
}

/* Follows brackets and strings through the pieces of a call, so that it is known when its JSON is complete. */
static void part_follow(struct anthropic_part *p, struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (p->escaped) {
            p->escaped = false;
        } else if (p->quoted) {
            p->escaped = ch == '\\';
            p->quoted = ch != '"';
        } else if (ch == '"') {
            p->quoted = true;
        } else if (ch == '{' || ch == '[') {
            p->depth++;
        } else if ((ch == '}' || ch == ']') && p->depth) {
            p->depth--;
        }
        p->begun |= !strchr(" \t\r\n", ch) || !ch;
    }
}

static bool part_may_close(const struct anthropic_part *p)
{
    return p->channel != WEIR_ARGUMENTS || p->ended || (!p->custom && p->begun && !p->quoted && p->depth == 0);
}

static struct weir_str mark_of(struct weir_ctx *c, const struct weir_event *ev)
{
    return str_starts(ev->value, "anthropic.") ? text_keep(c, ev->detail) : opaque_mark(c, ev->value, ev->detail);
}

/* Calls without an id, or with one that clients could not send back, get one that is always the same. */
static struct weir_str call_id(struct weir_ctx *c, struct weir_str id, uint32_t block)
{
    struct text t = {.c = c};

    if (!id.len) {
        text_lit(&t, "toolu_");
        text_str(&t, writing(c)->id);
        text_lit(&t, "_");
        text_int(&t, block);
        id = text_view(&t);
    }
    return text_keep(c, canon_call_id(c, id, 64, false));
}

static struct anthropic_part *part_new(struct weir_ctx *c, const struct weir_event *ev, bool call)
{
    struct anthropic_part *p = weir_alloc(c, sizeof *p);

    *p = (struct anthropic_part){.channel = ev->channel, .block = ev->block, .held = {.c = c}};
    if (call) {
        p->custom = ev->channel == WEIR_TEXT;
        p->channel = WEIR_ARGUMENTS;
        p->id = call_id(c, ev->tool_id, ev->block);
        p->name = text_keep(c, ev->tool_name);
    }
    return p;
}

/* ---- one block open ---- */

static bool close_open(struct weir_ctx *c)
{
    struct anthropic_write *w = writing(c);
    struct anthropic_part *p = w->open;

    if (!p)
        return true;
    if (p->channel == WEIR_ARGUMENTS) {
        p->next = w->closed;
        w->closed = p;
    }
    return write_close(c);
}

/* Opens what waits, as long as what is open may be closed; `all`: whatever is missing. */
static bool drain(struct weir_ctx *c, bool all)
{
    struct anthropic_write *w = writing(c);

    while (w->queue && (!w->open || all || part_may_close(w->open))) {
        struct anthropic_part *p = w->queue;
        if (!close_open(c))
            return false;
        w->queue = p->next;
        w->waiting--;
        p->next = NULL;
        w->held -= p->held.len;
        write_open(c, p);
        write_piece(c, p, text_view(&p->held));
        p->held.len = 0;
    }
    return true;
}

static bool part_add(struct weir_ctx *c, struct anthropic_part *p)
{
    struct anthropic_write *w = writing(c);

    if (w->waiting++ == MOST_WAITING)
        return false;
    if (!w->queue)
        w->queue_end = &w->queue;
    *w->queue_end = p;
    w->queue_end = &p->next;
    return drain(c, false);
}

/* A call may go on anywhere in the queue; text only at its end, or its order would change. */
static struct anthropic_part *part_find(struct weir_ctx *c, const struct weir_event *ev, bool call)
{
    struct anthropic_write *w = writing(c);

    if (is_part(w->open, ev, call) && (call || !w->queue))
        return w->open;
    for (struct anthropic_part *p = w->queue; p; p = p->next)
        if (is_part(p, ev, call) && (call || !p->next))
            return p;
    return NULL;
}

static bool is_over(const struct anthropic_write *w, const struct weir_event *ev)
{
    for (const struct anthropic_part *p = w->closed; p; p = p->next)
        if (p->block == ev->block)
            return true;
    return false;
}

static bool only_blanks(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!s.ptr[i] || !strchr(" \t\r\n", s.ptr[i]))
            return false;
    return true;
}

static bool part_text(struct weir_ctx *c, struct anthropic_part *p, struct weir_str text)
{
    struct anthropic_write *w = writing(c);
    struct text inner = {.c = c};

    if (p->custom) {
        text_json(&inner, text);
        text = text_view(&inner);
    } else if (p->channel == WEIR_ARGUMENTS) {
        part_follow(p, text);
    }
    if (p == w->open) {
        write_piece(c, p, text);
        return true;
    }
    w->held += text.len;
    if (w->held > MOST_HELD)
        return false;
    text_str(&p->held, text);
    return true;
}

static bool answer_text(struct weir_ctx *c, const struct weir_event *ev)
{
    struct anthropic_write *w = writing(c);
    bool call = ev->channel == WEIR_ARGUMENTS || ev->tool_name.len > 0;
    struct anthropic_part *p;

    for (const struct anthropic_part *q = w->open; !call && q; q = q == w->open ? w->queue : q->next)
        call = q->custom && q->block == ev->block && ev->channel == WEIR_TEXT;
    p = part_find(c, ev, call);
    if (!p && call && is_over(w, ev))
        return only_blanks(ev->text); /* its JSON was complete, and another block has begun since */
    if (!p && !call && !ev->text.len)
        return true; /* clients take no empty block */
    if (!p) {
        p = part_new(c, ev, call);
        if (!part_add(c, p))
            return false;
    }
    if (!part_text(c, p, ev->text))
        return false;
    p->ended |= ev->last;
    return drain(c, false);
}

/* A signature belongs to the thinking that has just been said; what stands alone gets a block of its own. */
static bool answer_opaque(struct weir_ctx *c, const struct weir_event *ev)
{
    struct anthropic_write *w = writing(c);
    struct weir_str kind = ev->value;
    bool redacted = kind.len > 9 && memcmp(kind.ptr + kind.len - 9, ".redacted", 9) == 0;
    struct anthropic_part *p = w->open && !w->queue ? w->open : w->queue;

    while (p && p != w->open && p->next)
        p = p->next;
    if (!redacted && !str_is(kind, "gemini.thought") && p && p->channel == WEIR_REASONING && p->block == ev->block &&
        !p->signature.len) {
        p->signature = mark_of(c, ev);
        return true;
    }
    p = weir_alloc(c, sizeof *p);
    *p = (struct anthropic_part){.channel = redacted ? WEIR_OPAQUE : WEIR_REASONING,
                                 .block = UINT32_MAX, /* no text goes on here */
                                 .signature = mark_of(c, ev),
                                 .held = {.c = c}};
    return part_add(c, p);
}

/* ---- begin and end ---- */

/* Four bytes a token, and a little for each text; what is no text is not counted. */
static int64_t estimate(struct weir_ctx *c)
{
    size_t n = 0, bytes = 0;
    const struct weir_span *spans = weir_spans(c, &n);

    for (size_t i = 0; i < n; i++)
        bytes += weir_at(spans, c->host->span_size, i)->text.len + 8;
    return (int64_t)(bytes + 3) / 4 + 1;
}

static void answer_start(struct weir_ctx *c, const struct weir_event *ev)
{
    struct anthropic_write *w = writing(c);
    struct text id = {.c = c};

    *w = (struct anthropic_write){.on = true,
                                  .stream = weir_request(c)->stream,
                                  .content.t.c = c,
                                  .input.c = c,
                                  .usage = {-1, -1, -1, -1, -1, -1, -1},
                                  .estimate = estimate(c)};
    if (!ev->detail.len) {
        text_lit(&id, "msg_");
        text_str(&id, weir_fact(c, "request_id"));
    }
    w->id = text_keep(c, ev->detail.len ? ev->detail : text_view(&id));
    w->model = text_keep(c, ev->value.len ? ev->value : weir_request(c)->model);
    write_start(c);
}

static void usage_take(struct weir_usage *to, const struct weir_usage *from)
{
    int64_t *t = (int64_t *)to;
    const int64_t *s = (const int64_t *)from;

    for (size_t i = 0; from && i < sizeof *to / sizeof *t; i++)
        if (s[i] >= 0)
            t[i] = s[i] < MOST_TOKENS ? s[i] : MOST_TOKENS;
}

static bool answer_end(struct weir_ctx *c)
{
    if (!drain(c, true) || !close_open(c))
        return false;
    write_end(c);
    return true;
}

bool anthropic_answer(struct weir_ctx *c, const struct weir_event *ev)
{
    struct anthropic_write *w = writing(c);

    if (ev->channel == WEIR_START) {
        answer_start(c, ev);
        return true;
    }
    if (!w->on)
        return answer_same(c, ev);
    if (ev->choice) /* nobody asked for more than one answer */
        return false;
    switch (ev->channel) {
    case WEIR_TEXT:
    case WEIR_REASONING:
    case WEIR_ARGUMENTS:
        return answer_text(c, ev);
    case WEIR_OPAQUE:
        return answer_opaque(c, ev);
    case WEIR_USAGE:
        usage_take(&w->usage, ev->usage);
        return true;
    case WEIR_FINISH:
        w->finish = ev->finish;
        w->stop = text_keep(c, ev->value);
        return ev->finish != WEIR_FINISH_FAILED; /* an error, which is not for us to word */
    case WEIR_DONE_MARK:
        return answer_end(c);
    default:
        return false;
    }
}
