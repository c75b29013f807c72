/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift.c -- a request of Cohere's API -> the canonical request (docs/canonical.md), in that page's order.  Host: step
 * `try`, worker process.
 */
#include "lift.h"

#include <stdio.h>

#include "cohere.h"

bool lift_lossy(struct lift *l, const char *path, bool hint)
{
    return lossy(l->c, str_of(path), hint, l->e);
}

bool lift_unknown(struct lift *l, uint32_t object, const char *path, const char *const *known)
{
    for (EACH_KEY(l->j, k, object)) {
        struct weir_str key = weir_json_text(l->j, k);
        const char *const *w = known;
        char name[LIFT_PATH];
        while (*w && !weir_json_eq(l->j, k, *w, strlen(*w)))
            w++;
        if (*w || !node_there(l->j, k + 1))
            continue;
        snprintf(name, sizeof name, "%s%s%.*s", path, path[0] ? "." : "", (int)(key.len < 48 ? key.len : 48), key.ptr);
        if (!lift_lossy(l, name, false))
            return false;
    }
    return true;
}

bool lift_wrong(struct lift *l, const char *path, const char *want)
{
    snprintf(l->e->code, sizeof l->e->code, "invalid_type");
    snprintf(l->e->field, sizeof l->e->field, "%.60s", path);
    snprintf(l->e->text, sizeof l->e->text, "invalid request: %.100s must be %s.", path, want);
    return false;
}

static uint32_t lift_top(struct lift *l, const char *key)
{
    return lift_at(l, 0, key);
}

/* ---- members that are carried as they are ---- */

struct lift_row {
    const char *key; /* the client's */
    const char *as;  /* the canonical one */
    uint8_t type;    /* what it must be; WEIR_JSON_NULL: whatever it is */
};

static const struct lift_row settings_rows[] = {
    {"max_tokens", "max_output", WEIR_JSON_NUMBER},
    {"temperature", "temperature", WEIR_JSON_NUMBER},
    {"p", "top_p", WEIR_JSON_NUMBER},
    {"k", "top_k", WEIR_JSON_NUMBER},
    {"presence_penalty", "presence_penalty", WEIR_JSON_NUMBER},
    {"frequency_penalty", "frequency_penalty", WEIR_JSON_NUMBER},
    {"seed", "seed", WEIR_JSON_NUMBER},
    {NULL, NULL, 0},
};

/* Rows of the members that are said otherwise, for their names. */
static const struct lift_row names_rows[] = {
    {"stop_sequences", "stop", 0},      {"response_format", "format", 0},
    {"thinking", "reasoning", 0},       {"texts", "input", 0},
    {"documents", "input", 0},          {"output_dimension", "dimensions", 0},
    {"embedding_types", "encoding", 0}, {NULL, NULL, 0},
};

static void put_name(struct lift *l, const struct lift_row *row)
{
    if (strcmp(row->key, row->as) != 0 && node_there(l->j, lift_top(l, row->key)))
        emit_member_text(&l->m, row->as, str_of(row->key));
}

static void lift_names(struct lift *l)
{
    bool chat = weir_request(l->c)->kind == WEIR_CHAT;

    emit_key(&l->m, "names");
    emit_open(&l->m, '{');
    for (const struct lift_row *row = settings_rows; row->key; row++)
        put_name(l, row);
    for (const struct lift_row *row = names_rows; row->key; row++)
        if (!chat || strcmp(row->as, "input") != 0)
            put_name(l, row);
    emit_close(&l->m, '}');
}

static bool lift_rows(struct lift *l, const struct lift_row *row)
{
    for (; row->key; row++) {
        uint32_t v = lift_top(l, row->key);
        if (node_there(l->j, v) && l->j->nodes[v].type != row->type)
            return lift_wrong(l, row->key, row->type == WEIR_JSON_NUMBER ? "a number" : "a string");
        emit_member(&l->m, row->as, l->j, v);
    }
    return true;
}

/* ---- tools ---- */

static bool lift_tool(struct lift *l, uint32_t tool, const char *path)
{
    static const char *const known[] = {"type", "function", NULL};
    static const char *const function_known[] = {"name", "description", "parameters", NULL};
    uint32_t function = lift_at(l, tool, "function");
    char inner[LIFT_PATH];

    snprintf(inner, sizeof inner, "%.80s.function", path);
    if (!node_is_string(l->j, lift_at(l, function, "name")))
        return lift_wrong(l, path, "a function with a name");
    if (!lift_unknown(l, tool, path, known) || !lift_unknown(l, function, inner, function_known))
        return false;
    emit_open(&l->m, '{');
    emit_member(&l->m, "name", l->j, lift_at(l, function, "name"));
    emit_member(&l->m, "description", l->j, lift_at(l, function, "description"));
    emit_member(&l->m, "schema", l->j, lift_at(l, function, "parameters"));
    if (node_true(l->j, lift_top(l, "strict_tools"))) {
        emit_key(&l->m, "strict");
        emit_bool(&l->m, true);
    }
    emit_member_text(&l->m, "at", str_of(path));
    emit_close(&l->m, '}');
    return true;
}

static bool lift_tools(struct lift *l)
{
    uint32_t tools = lift_top(l, "tools"), choice = lift_top(l, "tool_choice");
    unsigned i = 0;

    if (node_there(l->j, tools)) {
        emit_key(&l->m, "tools");
        emit_open(&l->m, '[');
        for (EACH_ITEM(l->j, tool, tools)) {
            char path[LIFT_PATH];
            snprintf(path, sizeof path, "tools[%u]", i++);
            if (!lift_tool(l, tool, path))
                return false;
        }
        emit_close(&l->m, ']');
    }
    if (!node_there(l->j, choice))
        return true;
    if (!node_says(l->j, choice, "REQUIRED") && !node_says(l->j, choice, "NONE"))
        return lift_wrong(l, "tool_choice", "REQUIRED or NONE");
    emit_key(&l->m, "tool_choice");
    emit_open(&l->m, '{');
    if (node_says(l->j, choice, "NONE"))
        emit_member_lit(&l->m, "mode", "none");
    else
        emit_member_lit(&l->m, "mode", "required");
    emit_close(&l->m, '}');
    return true;
}

/* ---- settings ---- */

static bool lift_stop(struct lift *l)
{
    uint32_t stop = lift_top(l, "stop_sequences");

    if (!node_there(l->j, stop))
        return true;
    if (!weir_json_is(l->j, stop, WEIR_JSON_ARRAY))
        return lift_wrong(l, "stop_sequences", "an array of strings");
    emit_key(&l->m, "stop");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, n, stop)) {
        if (!node_is_string(l->j, n))
            return lift_wrong(l, "stop_sequences", "an array of strings");
        emit_node(&l->m, l->j, n);
    }
    emit_close(&l->m, ']');
    return true;
}

/* The schema is `json_schema`; older clients say `schema`. */
static bool lift_format(struct lift *l)
{
    static const char *const known[] = {"type", "json_schema", "schema", NULL};
    uint32_t format = lift_top(l, "response_format"), type = lift_at(l, format, "type");
    uint32_t schema = lift_at(l, format, "json_schema");

    if (!node_there(l->j, schema))
        schema = lift_at(l, format, "schema");
    if (!node_there(l->j, format))
        return true;
    if (!lift_unknown(l, format, "response_format", known))
        return false;
    if (node_says(l->j, type, "text"))
        return true;
    if (!node_says(l->j, type, "json_object"))
        return lift_lossy(l, "response_format.type", false);
    if (node_there(l->j, schema) && !weir_json_is(l->j, schema, WEIR_JSON_OBJECT))
        return lift_wrong(l, "response_format.json_schema", "an object");
    emit_key(&l->m, "format");
    emit_open(&l->m, '{');
    if (node_there(l->j, schema))
        emit_member_lit(&l->m, "type", "schema");
    else
        emit_member_lit(&l->m, "type", "json");
    emit_member(&l->m, "schema", l->j, schema);
    emit_close(&l->m, '}');
    return true;
}

static bool lift_thinking(struct lift *l)
{
    static const char *const known[] = {"type", "token_budget", NULL};
    uint32_t thinking = lift_top(l, "thinking"), type = lift_at(l, thinking, "type");
    uint32_t budget = lift_at(l, thinking, "token_budget");
    bool off = node_says(l->j, type, "disabled");

    if (!node_there(l->j, thinking))
        return true;
    if (!off && node_there(l->j, type) && !node_says(l->j, type, "enabled"))
        return lift_wrong(l, "thinking.type", "enabled or disabled");
    if (node_there(l->j, budget) && weir_json_int(l->j, budget, -1) < 0)
        return lift_wrong(l, "thinking.token_budget", "an integer");
    if (!lift_unknown(l, thinking, "thinking", known))
        return false;
    emit_key(&l->m, "reasoning");
    emit_open(&l->m, '{');
    if (off)
        emit_member_lit(&l->m, "effort", "none");
    else if (node_there(l->j, budget))
        emit_member(&l->m, "budget", l->j, budget);
    if (!off && !node_there(l->j, budget)) {
        emit_key(&l->m, "adaptive");
        emit_bool(&l->m, true);
    }
    emit_close(&l->m, '}');
    return true;
}

/* Members that only Cohere knows and that no answer depends on. */
static bool lift_hints(struct lift *l, const char *const *hints)
{
    for (; *hints; hints++)
        if (node_there(l->j, lift_top(l, *hints)) && !lift_lossy(l, *hints, true))
            return false;
    return true;
}

static bool lift_chat(struct lift *l)
{
    static const char *const hints[] = {"citation_options", "safety_mode", "priority", NULL};
    static const char *const known[] = {"model",
                                        "messages",
                                        "stream",
                                        "tools",
                                        "strict_tools",
                                        "documents",
                                        "response_format",
                                        "max_tokens",
                                        "stop_sequences",
                                        "temperature",
                                        "seed",
                                        "frequency_penalty",
                                        "presence_penalty",
                                        "k",
                                        "p",
                                        "logprobs",
                                        "tool_choice",
                                        "thinking",
                                        "citation_options",
                                        "safety_mode",
                                        "priority",
                                        "raw_prompting",
                                        NULL};

    emit_key(&l->m, "stream");
    emit_bool(&l->m, weir_request(l->c)->stream);
    if (!lift_messages(l, lift_top(l, "messages")) || !lift_tools(l) || !lift_rows(l, settings_rows))
        return false;
    if (node_true(l->j, lift_top(l, "logprobs"))) {
        emit_key(&l->m, "logprobs");
        emit_int(&l->m, 0);
    }
    if (node_true(l->j, lift_top(l, "raw_prompting")) && !lift_lossy(l, "raw_prompting", false))
        return false;
    return lift_stop(l) && lift_format(l) && lift_thinking(l) && lift_hints(l, hints) && lift_unknown(l, 0, "", known);
}

/* ---- embed ---- */

static bool lift_strings(struct lift *l, const char *key)
{
    uint32_t array = lift_top(l, key);
    unsigned i = 0;

    if (!weir_json_is(l->j, array, WEIR_JSON_ARRAY))
        return lift_wrong(l, key, "an array of strings");
    emit_key(&l->m, "input");
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, n, array)) {
        uint32_t text = node_is_string(l->j, n) ? n : lift_at(l, n, "text");
        char path[LIFT_PATH];
        snprintf(path, sizeof path, "%.60s[%u]", key, i++);
        if (!node_is_string(l->j, text)) /* a text is needed in its place, so nothing can be left out */
            return lift_wrong(l, path, "a text");
        emit_node(&l->m, l->j, text);
    }
    emit_close(&l->m, ']');
    return true;
}

static bool lift_types(struct lift *l)
{
    uint32_t types = lift_top(l, "embedding_types");
    bool floats = false, base64 = false;

    for (EACH_ITEM(l->j, n, types)) {
        floats |= node_says(l->j, n, "float");
        base64 |= node_says(l->j, n, "base64");
        if (!node_says(l->j, n, "float") && !node_says(l->j, n, "base64") && !lift_lossy(l, "embedding_types", false))
            return false;
    }
    if (floats || !base64)
        emit_member_lit(&l->m, "encoding", "float");
    else
        emit_member_lit(&l->m, "encoding", "base64");
    return true;
}

static bool lift_embed(struct lift *l)
{
    static const char *const hints[] = {"truncate", "max_tokens", "priority", NULL};
    static const char *const known[] = {
        "model",    "texts",    "input_type", "embedding_types", "output_dimension", "max_tokens",
        "truncate", "priority", NULL};
    static const char *const purposes[][2] = {{"search_query", "query"},
                                              {"search_document", "document"},
                                              {"classification", "classification"},
                                              {"clustering", "clustering"}};
    uint32_t type = lift_top(l, "input_type");
    const char *purpose = NULL;

    if (!lift_unknown(l, 0, "", known) || !lift_strings(l, "texts"))
        return false;
    emit_member(&l->m, "dimensions", l->j, lift_top(l, "output_dimension"));
    if (!lift_types(l))
        return false;
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (node_says(l->j, type, purposes[i][0]))
            purpose = purposes[i][1];
    if (purpose)
        emit_member_text(&l->m, "input_type", str_of(purpose));
    else if (node_there(l->j, type) && !lift_lossy(l, "input_type", false))
        return false;
    return lift_hints(l, hints);
}

/* ---- rerank ---- */

static bool lift_rerank(struct lift *l)
{
    static const char *const hints[] = {"priority", NULL};
    static const char *const known[] = {"model", "query", "documents", "top_n", "priority", NULL};

    if (!lift_unknown(l, 0, "", known) || !lift_strings(l, "documents"))
        return false;
    emit_member(&l->m, "query", l->j, lift_top(l, "query"));
    if (node_there(l->j, lift_top(l, "top_n")) && weir_json_int(l->j, lift_top(l, "top_n"), 0) <= 0)
        return lift_wrong(l, "top_n", "a positive integer");
    emit_member(&l->m, "top_n", l->j, lift_top(l, "top_n"));
    return lift_hints(l, hints);
}

bool cohere_lift(struct weir_ctx *c, struct weir_error *e)
{
    struct lift l = {.c = c, .j = weir_body(c), .e = e, .m = {.t.c = c}};
    enum weir_kind kind = weir_request(c)->kind;

    emit_open(&l.m, '{');
    lift_names(&l);
    if (kind == WEIR_EMBEDDING ? !lift_embed(&l) : kind == WEIR_RERANK ? !lift_rerank(&l) : !lift_chat(&l))
        return false;
    emit_close(&l.m, '}');
    weir_out(c, text_view(&l.m.t));
    return true;
}
