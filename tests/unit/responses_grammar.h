/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses_grammar.h -- checks that a stream is one of this dialect, as its clients take it: names, numbers, order,
 * one terminal, and that every text is said the same each time.  For tests and fuzzers; a stream that is none ends
 * them.
 */
#ifndef RESPONSES_GRAMMAR_H
#define RESPONSES_GRAMMAR_H

#include "weir_test.h"

enum grammar_state { GRAMMAR_BEGUN, GRAMMAR_PART, GRAMMAR_SAID, GRAMMAR_PART_DONE, GRAMMAR_DONE };

struct grammar_item {
    enum grammar_state state;
    struct weir_str type, id;
    struct weir_test_buf text;
};

struct grammar {
    struct weir_test_block *memory;
    const char *stream;
    struct weir_json j; /* of the record at hand */
    struct weir_str type;
    int64_t records;
    struct weir_test_list items;
    bool errored, ended;
};

#define GRAMMAR(g, condition)                                                                                          \
    ((condition) ? (void)0                                                                                             \
                 : wt_die(__FILE__, __LINE__, "record %d, %.*s: does not hold: %s\n%s", (int)(g)->records,             \
                          (int)(g)->type.len, (g)->type.ptr, #condition, (g)->stream))

static inline struct weir_str grammar_text(struct grammar *g, uint32_t object, const char *key)
{
    uint32_t node = weir_json_get(&g->j, object, key);

    GRAMMAR(g, weir_json_is(&g->j, node, WEIR_JSON_STRING));
    return wt_unescape(&g->memory, weir_json_text(&g->j, node), NULL);
}

static inline bool grammar_same(struct weir_str a, struct weir_str b)
{
    return a.len == b.len && (!a.len || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool grammar_has(struct weir_str s, const char *word)
{
    return memmem(s.ptr, s.len, word, strlen(word)) != NULL;
}

static inline struct grammar_item *grammar_item(struct grammar *g)
{
    int64_t i = weir_json_int(&g->j, weir_json_get(&g->j, 0, "output_index"), -1);

    GRAMMAR(g, i >= 0 && (size_t)i < g->items.count);
    return (struct grammar_item *)g->items.items + i;
}

/* The first of an array, or nothing. */
static inline uint32_t grammar_only(struct grammar *g, uint32_t object, const char *key)
{
    uint32_t array = weir_json_get(&g->j, object, key), first;

    GRAMMAR(g, weir_json_is(&g->j, array, WEIR_JSON_ARRAY));
    first = weir_json_first(&g->j, array);
    if (first != WEIR_NO_NODE)
        GRAMMAR(g, weir_json_next(&g->j, array, first) == WEIR_NO_NODE);
    return first;
}

/* What an item says as a whole. */
static inline struct weir_str grammar_whole(struct grammar *g, uint32_t item)
{
    struct weir_str type = grammar_text(g, item, "type");
    uint32_t part;

    if (wt_is(type, "function_call"))
        return grammar_text(g, item, "arguments");
    if (wt_is(type, "custom_tool_call"))
        return grammar_text(g, item, "input");
    part = grammar_only(g, item, wt_is(type, "message") ? "content" : "summary");
    return part == WEIR_NO_NODE ? WEIR_STR("") : grammar_text(g, part, "text");
}

static inline void grammar_added(struct grammar *g)
{
    uint32_t item = weir_json_get(&g->j, 0, "item");
    struct grammar_item *it;

    GRAMMAR(g, weir_json_int(&g->j, weir_json_get(&g->j, 0, "output_index"), -1) == (int64_t)g->items.count);
    it = wt_push(&g->items, sizeof *it);
    it->type = grammar_text(g, item, "type");
    it->id = grammar_text(g, item, "id");
    GRAMMAR(g, it->id.len && grammar_whole(g, item).len == 0);
    if (!wt_is(it->type, "reasoning"))
        GRAMMAR(g, wt_is(grammar_text(g, item, "status"), "in_progress"));
}

static inline void grammar_done(struct grammar *g)
{
    uint32_t item = weir_json_get(&g->j, 0, "item");
    struct grammar_item *it = grammar_item(g);
    bool silent = wt_is(it->type, "reasoning") && it->state == GRAMMAR_BEGUN;

    GRAMMAR(g, silent || it->state == (grammar_has(it->type, "_call") ? GRAMMAR_SAID : GRAMMAR_PART_DONE));
    GRAMMAR(g,
            grammar_same(grammar_text(g, item, "id"), it->id) && grammar_same(grammar_text(g, item, "type"), it->type));
    GRAMMAR(g, grammar_same(grammar_whole(g, item), wt_view(&it->text)));
    it->state = GRAMMAR_DONE;
}

static inline void grammar_part(struct grammar *g, bool ends)
{
    struct grammar_item *it = grammar_item(g);
    struct weir_str text = grammar_text(g, weir_json_get(&g->j, 0, "part"), "text");

    GRAMMAR(g, wt_is(it->type, grammar_has(g->type, "summary") ? "reasoning" : "message"));
    GRAMMAR(g, it->state == (ends ? GRAMMAR_SAID : GRAMMAR_BEGUN));
    GRAMMAR(g, grammar_same(text, wt_view(&it->text)));
    it->state = ends ? GRAMMAR_PART_DONE : GRAMMAR_PART;
}

static inline void grammar_piece(struct grammar *g)
{
    struct grammar_item *it = grammar_item(g);
    bool call = grammar_has(it->type, "_call");
    const char *whole = wt_is(it->type, "function_call") ? "arguments" : call ? "input" : "text";

    GRAMMAR(g, it->state == (call ? GRAMMAR_BEGUN : GRAMMAR_PART));
    GRAMMAR(g, grammar_has(g->type, wt_is(it->type, "message")         ? "output_text"
                                    : wt_is(it->type, "reasoning")     ? "reasoning_summary_text"
                                    : wt_is(it->type, "function_call") ? "function_call_arguments"
                                                                       : "custom_tool_call_input"));
    GRAMMAR(g, grammar_same(grammar_text(g, 0, "item_id"), it->id));
    if (grammar_has(g->type, ".delta")) {
        wt_add(&it->text, grammar_text(g, 0, "delta"));
        return;
    }
    GRAMMAR(g, grammar_same(grammar_text(g, 0, whole), wt_view(&it->text)));
    it->state = GRAMMAR_SAID;
}

static inline void grammar_end(struct grammar *g)
{
    uint32_t response = weir_json_get(&g->j, 0, "response"), output = weir_json_get(&g->j, response, "output");
    bool failed = wt_is(g->type, "response.failed");
    size_t i = 0;

    GRAMMAR(g, grammar_same((struct weir_str){g->type.ptr + 9, g->type.len - 9}, grammar_text(g, response, "status")));
    GRAMMAR(g, failed == g->errored);
    for (uint32_t n = weir_json_first(&g->j, output); n != WEIR_NO_NODE; n = weir_json_next(&g->j, output, n), i++) {
        struct grammar_item *it = (struct grammar_item *)g->items.items + i;
        GRAMMAR(g, i < g->items.count && grammar_same(grammar_text(g, n, "id"), it->id));
        GRAMMAR(g, failed || it->state == GRAMMAR_DONE);
        GRAMMAR(g, grammar_same(grammar_whole(g, n), wt_view(&it->text)));
    }
    GRAMMAR(g, i == g->items.count);
    g->ended = true;
}

static inline void grammar_record(struct grammar *g, struct weir_str name, struct weir_str data)
{
    uint32_t response;

    g->type = name;
    GRAMMAR(g, !g->ended && wt_skim(&g->memory, data, &g->j, NULL));
    g->type = grammar_text(g, 0, "type");
    GRAMMAR(g, grammar_same(name, g->type));
    GRAMMAR(g, weir_json_int(&g->j, weir_json_get(&g->j, 0, "sequence_number"), -1) == g->records);
    response = weir_json_get(&g->j, 0, "response");
    GRAMMAR(g, (g->records == 0) == wt_is(g->type, "response.created"));
    GRAMMAR(g, (g->records == 1) == wt_is(g->type, "response.in_progress"));
    GRAMMAR(g, !g->errored || wt_is(g->type, "response.failed"));
    if (g->records < 2) {
        GRAMMAR(g, wt_is(grammar_text(g, response, "status"), "in_progress"));
        GRAMMAR(g, grammar_only(g, response, "output") == WEIR_NO_NODE);
    } else if (wt_is(g->type, "error")) {
        g->errored = true;
        grammar_text(g, 0, "message");
    } else if (wt_is(g->type, "response.output_item.added")) {
        grammar_added(g);
    } else if (wt_is(g->type, "response.output_item.done")) {
        grammar_done(g);
    } else if (grammar_has(g->type, "_part.")) {
        grammar_part(g, grammar_has(g->type, ".done"));
    } else if (grammar_has(g->type, ".delta") || grammar_has(g->type, ".done")) {
        grammar_piece(g);
    } else {
        GRAMMAR(g, wt_is(g->type, "response.completed") || wt_is(g->type, "response.incomplete") ||
                       wt_is(g->type, "response.failed"));
        grammar_end(g);
    }
    g->records++;
}

static inline void grammar_check(const char *stream)
{
    struct grammar g = {.stream = stream, .type = WEIR_STR("")};
    struct weir_str rest = wt_str(stream), line, data, empty;

    while (wt_line(&rest, &line)) {
        bool three = wt_line(&rest, &data) && wt_line(&rest, &empty);
        GRAMMAR(&g, three && empty.len == 0 && line.len > 7 && memcmp(line.ptr, "event: ", 7) == 0);
        GRAMMAR(&g, data.len > 6 && memcmp(data.ptr, "data: ", 6) == 0);
        grammar_record(&g, (struct weir_str){line.ptr + 7, line.len - 7},
                       (struct weir_str){data.ptr + 6, data.len - 6});
    }
    GRAMMAR(&g, g.ended);
    for (size_t i = 0; i < g.items.count; i++)
        wt_buf_free(&((struct grammar_item *)g.items.items)[i].text);
    wt_list_free(&g.items);
    wt_free(&g.memory);
}

#endif
