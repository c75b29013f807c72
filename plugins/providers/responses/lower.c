/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.c -- the canonical request (docs/canonical.md) -> a body for a server that speaks Responses: everything but the
 * items, which are input.c's.  Called by encode.c.
 *
 * The same request gives the same bytes, and the items come last, so that a longer history begins with the bytes of a
 * shorter one.  What the catalogue knows of the model is kept to: its efforts, and what it refuses.
 */
#include "canon.h"
#include "responses.h"

enum { LEAST_OUTPUT = 16 /* tokens: OpenAI refuses less */, LONGEST_USER = 64, LONGEST_NAME = 64 };

struct lower {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct emit *m;
    struct weir_error *e;
    bool tools; /* some have been told */
};

static uint32_t top(const struct lower *l, const char *key)
{
    return weir_json_get(l->j, 0, key);
}

struct weir_str tool_name_sent(struct weir_ctx *c, struct weir_str name)
{
    return canon_call_id(c, name, LONGEST_NAME, false);
}

struct weir_str reasoning_kind(struct weir_ctx *c)
{
    const struct responses *o = c->self;
    struct text t = {.c = c};

    text_str(&t, str_of(o->issuer));
    text_lit(&t, ".encrypted");
    return text_view(&t);
}

static bool word_in(struct weir_str words, struct weir_str word)
{
    while (words.len) {
        const char *blank = memchr(words.ptr, ' ', words.len);
        size_t n = blank ? (size_t)(blank - words.ptr) : words.len;
        if (str_eq((struct weir_str){words.ptr, n}, word))
            return true;
        n += blank != NULL;
        words.ptr += n;
        words.len -= n;
    }
    return false;
}

/* ---- tools ---- */

/* What a freeform tool takes; Chat wraps a grammar that is flat here. */
static void lower_custom(struct lower *l, uint32_t custom)
{
    uint32_t wrapped = weir_json_get(l->j, custom, "grammar");

    if (!weir_json_is(l->j, custom, WEIR_JSON_OBJECT) || weir_json_first(l->j, custom) == WEIR_NO_NODE)
        return;
    emit_key(l->m, "format");
    if (!weir_json_is(l->j, wrapped, WEIR_JSON_OBJECT)) {
        emit_raw(l->m, weir_json_text(l->j, custom));
        return;
    }
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "grammar");
    emit_member(l->m, "syntax", l->j, weir_json_get(l->j, wrapped, "syntax"));
    emit_member(l->m, "definition", l->j, weir_json_get(l->j, wrapped, "definition"));
    emit_close(l->m, '}');
}

static bool lower_tool(struct lower *l, uint32_t tool)
{
    const struct weir_json *j = l->j;
    uint32_t custom = weir_json_get(j, tool, "custom"), schema = weir_json_get(j, tool, "schema");

    if (node_there(j, weir_json_get(j, tool, "hosted")))
        return canon_lossy_at(l->c, tool, "tools", false, l->e);
    if (node_there(j, weir_json_get(j, tool, "cache")) && !canon_lossy_at(l->c, tool, "tools", true, l->e))
        return false;
    if (!l->tools) {
        emit_key(l->m, "tools");
        emit_open(l->m, '[');
        l->tools = true;
    }
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", node_there(j, custom) ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_member_text(l->m, "name", tool_name_sent(l->c, get_value(l->c, j, tool, "name")));
    emit_member(l->m, "description", j, weir_json_get(j, tool, "description"));
    if (node_there(j, custom)) {
        lower_custom(l, custom);
    } else {
        emit_key(l->m, "parameters");
        emit_raw(l->m, weir_json_is(j, schema, WEIR_JSON_OBJECT) ? weir_json_text(j, schema)
                                                                 : WEIR_STR("{\"type\":\"object\",\"properties\":{}}"));
        emit_key(l->m, "strict"); /* absent, OpenAI takes it for true here, other dialects for false */
        emit_bool(l->m, node_true(j, weir_json_get(j, tool, "strict")));
    }
    emit_close(l->m, '}');
    return true;
}

static bool lower_tools(struct lower *l)
{
    for (EACH_ITEM(l->j, tool, top(l, "tools")))
        if (!lower_tool(l, tool))
            return false;
    if (l->tools)
        emit_close(l->m, ']');
    return true;
}

static void lower_named(struct lower *l, struct weir_str name)
{
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", tool_is_custom(l->c, l->j, name) ? WEIR_STR("custom") : WEIR_STR("function"));
    emit_member_text(l->m, "name", tool_name_sent(l->c, name));
    emit_close(l->m, '}');
}

/* Without tools there is nothing to choose, and OpenAI refuses the member. */
static void lower_choice(struct lower *l)
{
    const struct weir_json *j = l->j;
    uint32_t choice = top(l, "tool_choice"), mode = weir_json_get(j, choice, "mode");
    bool required = node_true(j, weir_json_get(j, choice, "required"));

    if (!node_is_string(j, mode) || !l->tools)
        return;
    emit_key(l->m, "tool_choice");
    if (node_says(j, mode, "named")) {
        lower_named(l, get_value(l->c, j, choice, "name"));
        return;
    }
    if (!node_says(j, mode, "allowed")) {
        emit_node(l->m, j, mode);
        return;
    }
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "allowed_tools");
    emit_member_text(l->m, "mode", required ? WEIR_STR("required") : WEIR_STR("auto"));
    emit_key(l->m, "tools");
    emit_open(l->m, '[');
    for (EACH_ITEM(j, name, weir_json_get(j, choice, "names")))
        lower_named(l, node_value(l->c, j, name));
    emit_close(l->m, ']');
    emit_close(l->m, '}');
}

/* ---- reasoning ---- */

/* By its part of the answer's limit, as far as one is known. */
static struct weir_str budget_effort(const struct lower *l, int64_t budget)
{
    int64_t most = weir_json_int(l->j, top(l, "max_output"), 0);

    if (budget == 0)
        return WEIR_STR("none");
    if (most <= 0)
        most = 32768;
    return budget * 10 < most * 3 ? WEIR_STR("low") : budget * 10 < most * 6 ? WEIR_STR("medium") : WEIR_STR("high");
}

/* The strongest of the model's efforts that is not above the one asked for, else its least. */
static struct weir_str effort_near(struct weir_str efforts, struct weir_str asked)
{
    static const char *const ranks[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
    struct weir_str best = WEIR_STR(""), least = WEIR_STR("");
    bool passed = false;

    if (!efforts.len || word_in(efforts, asked))
        return asked;
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        struct weir_str rank = str_of(ranks[i]);
        bool has = word_in(efforts, rank);
        passed |= str_eq(rank, asked);
        if (has && !passed)
            best = rank;
        if (has && !least.len)
            least = rank;
    }
    return !passed ? asked : best.len ? best : least.len ? least : asked;
}

static bool lower_reasoning(struct lower *l)
{
    const struct weir_json *j = l->j;
    uint32_t reasoning = top(l, "reasoning"), show = weir_json_get(j, reasoning, "show");
    int64_t budget = weir_json_int(j, weir_json_get(j, reasoning, "budget"), -1);
    bool shown = node_is_string(j, show) && !node_says(j, show, "none");
    struct weir_str asked = get_value(l->c, j, reasoning, "effort"), effort;

    if (!asked.len && budget >= 0 && budget < 1 << 30)
        asked = budget_effort(l, budget);
    if (str_is(weir_fact(l->c, "model.reasoning"), "false"))
        return !asked.len || str_is(asked, "none") || canon_lossy(l->c, "reasoning", true, l->e);
    effort = effort_near(weir_fact(l->c, "model.efforts"), asked);
    if (!effort.len && !shown) /* as the model likes: there is no word for that */
        return !(node_there(j, weir_json_get(j, reasoning, "adaptive")) ||
                 node_there(j, weir_json_get(j, reasoning, "budget"))) ||
               canon_lossy(l->c, "reasoning", true, l->e);
    emit_key(l->m, "reasoning");
    emit_open(l->m, '{');
    if (effort.len)
        emit_member_text(l->m, "effort", effort);
    if (shown)
        emit_member(l->m, "summary", j, show);
    emit_close(l->m, '}');
    return str_eq(effort, asked) || canon_lossy(l->c, "reasoning", true, l->e);
}

/* ---- scalars ---- */

static bool lower_limit(struct lower *l)
{
    uint32_t node = top(l, "max_output");
    int64_t v = weir_json_int(l->j, node, LEAST_OUTPUT);

    if (!node_there(l->j, node))
        return true;
    emit_key(l->m, "max_output_tokens");
    if (v >= LEAST_OUTPUT) {
        emit_node(l->m, l->j, node);
        return true;
    }
    emit_int(l->m, LEAST_OUTPUT);
    return canon_lossy(l->c, "max_output", true, l->e);
}

static bool is_one(struct weir_str number)
{
    size_t i = 1;

    if (!number.len || number.ptr[0] != '1')
        return false;
    if (i < number.len && number.ptr[i] == '.')
        i++;
    while (i < number.len && number.ptr[i] == '0' && i > 1)
        i++;
    return i == number.len;
}

/* Models that refuse a parameter refuse it at any value but the default. */
static bool lower_sampling(struct lower *l, const char *key)
{
    uint32_t node = top(l, key);

    if (!node_there(l->j, node))
        return true;
    if (word_in(weir_fact(l->c, "model.refuses"), str_of(key)))
        return canon_lossy(l->c, key, is_one(weir_json_text(l->j, node)), l->e);
    emit_member(l->m, key, l->j, node);
    return true;
}

static void lower_text(struct lower *l)
{
    const struct weir_json *j = l->j;
    uint32_t format = top(l, "format"), verbosity = top(l, "verbosity"), name = weir_json_get(j, format, "name");

    if (!node_there(j, format) && !node_there(j, verbosity))
        return;
    emit_key(l->m, "text");
    emit_open(l->m, '{');
    if (node_says(j, weir_json_get(j, format, "type"), "json")) {
        emit_key(l->m, "format");
        emit_raw(l->m, WEIR_STR("{\"type\":\"json_object\"}"));
    } else if (node_there(j, format)) {
        emit_key(l->m, "format");
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "json_schema");
        emit_key(l->m, "name"); /* demanded here, unknown elsewhere */
        emit_quoted(l->m, node_is_string(j, name) ? weir_json_text(j, name) : WEIR_STR("answer"));
        emit_member(l->m, "description", j, weir_json_get(j, format, "description"));
        emit_member(l->m, "schema", j, weir_json_get(j, format, "schema"));
        emit_member(l->m, "strict", j, weir_json_get(j, format, "strict"));
        emit_close(l->m, '}');
    }
    emit_member(l->m, "verbosity", j, verbosity);
    emit_close(l->m, '}');
}

static bool lower_tier(struct lower *l)
{
    static const char *const tiers[] = {"auto", "default", "flex", "priority", "scale", "fast", "ultrafast"};
    uint32_t tier = top(l, "service_tier");

    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
        if (node_says(l->j, tier, tiers[i])) {
            emit_member(l->m, "service_tier", l->j, tier);
            return true;
        }
    return canon_lossy(l->c, "service_tier", true, l->e);
}

/* A longer id goes as letters made of it. */
static void lower_user(struct lower *l)
{
    struct weir_str user = get_value(l->c, l->j, 0, "user");

    if (user.len > LONGEST_USER)
        user = canon_call_id(l->c, user, LONGEST_USER, false);
    if (user.len)
        emit_member_text(l->m, "safety_identifier", user);
}

/* What this dialect cannot say.  Zeros of penalties and one choice say nothing. */
static bool lower_losses(struct lower *l)
{
    static const struct {
        const char *key;
        bool hint, plain; /* `otherwise` is the value that says nothing */
        int64_t otherwise;
    } lost[] = {
        {"top_k", true, false, 0},
        {"min_p", true, true, 0},
        {"presence_penalty", true, true, 0},
        {"frequency_penalty", true, true, 0},
        {"repetition_penalty", true, true, 1},
        {"logit_bias", true, false, 0},
        {"seed", true, false, 0},
        {"n", false, true, 1},
        {"logprobs", false, false, 0},
        {"stop", false, false, 0},
        {"cache", true, false, 0},
    };

    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        uint32_t node = top(l, lost[i].key);
        bool nothing = (lost[i].plain && weir_json_int(l->j, node, -1) == lost[i].otherwise) ||
                       ((weir_json_is(l->j, node, WEIR_JSON_ARRAY) || weir_json_is(l->j, node, WEIR_JSON_OBJECT)) &&
                        l->j->nodes[node].len == 2 && strcmp(lost[i].key, "cache") != 0);
        if (!nothing && !canon_lossy(l->c, lost[i].key, lost[i].hint, l->e))
            return false;
    }
    return true;
}

/* Nothing is kept at the upstream, for the client could not name it: what must come back is asked for. */
static void lower_keeping(struct lower *l)
{
    const struct responses *o = l->c->self;

    emit_key(l->m, "store");
    emit_bool(l->m, false);
    if (!o->encrypted_reasoning || str_is(weir_fact(l->c, "model.reasoning"), "false"))
        return;
    emit_key(l->m, "include");
    emit_raw(l->m, WEIR_STR("[\"reasoning.encrypted_content\"]"));
}

bool lower_body(struct weir_ctx *c, struct emit *m, struct weir_str model, struct weir_error *e)
{
    struct lower l = {c, weir_canonical(c), m, e, false};

    emit_open(m, '{');
    emit_member_text(m, "model", model);
    if (!lower_losses(&l) || !lower_tools(&l))
        return false;
    lower_choice(&l);
    if (l.tools)
        emit_member(m, "parallel_tool_calls", l.j, top(&l, "parallel_tools"));
    if (!lower_limit(&l) || !lower_sampling(&l, "temperature") || !lower_sampling(&l, "top_p") || !lower_reasoning(&l))
        return false;
    lower_text(&l);
    if (!lower_tier(&l))
        return false;
    emit_member(m, "metadata", l.j, top(&l, "metadata"));
    lower_user(&l);
    emit_member(m, "prompt_cache_key", l.j, top(&l, "cache_key"));
    lower_keeping(&l);
    if (node_true(l.j, top(&l, "stream"))) {
        emit_key(m, "stream");
        emit_bool(m, true);
    }
    if (!lower_input(c, m, e))
        return false;
    emit_close(m, '}');
    return true;
}
