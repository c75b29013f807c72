/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.c -- the canonical request (docs/canonical.md) -> a Converse request.  Host: step `try`, worker process.
 *
 * Messages stand last, so that the bytes of a history are the beginning of those of the next turn.
 */
#include "lower.h"

#include <stdlib.h>

static uint32_t top(struct lower *l, const char *key)
{
    return weir_json_get(l->j, 0, key);
}

bool lower_is(const struct lower *l, const char *family)
{
    return l->model.len && memmem(l->model.ptr, l->model.len, family, strlen(family));
}

/* ---- names of tools, ids of calls ---- */

struct weir_str lower_name(struct lower *l, struct weir_str name)
{
    struct bedrock_local *b = l->c->local;
    struct weir_str sent = canon_call_id(l->c, name, BEDROCK_NAME, false);

    if (str_eq(sent, name))
        return name;
    for (uint32_t i = 0; i < b->name_count; i++)
        if (str_eq(b->names[i].sent, sent))
            return sent;
    if (b->name_count == b->name_cap) {
        uint32_t cap = b->name_cap ? 2 * b->name_cap : 8;
        struct bedrock_name *more = weir_alloc(l->c, cap * sizeof *more);
        if (b->name_count)
            memcpy(more, b->names, b->name_count * sizeof *more);
        b->names = more;
        b->name_cap = cap;
    }
    b->names[b->name_count++] = (struct bedrock_name){sent, text_keep(l->c, name)};
    return sent;
}

struct weir_str lower_call_id(struct lower *l, struct weir_str id)
{
    return lower_is(l, "mistral.") ? canon_call_id(l->c, id, 9, true) : canon_call_id(l->c, id, BEDROCK_NAME, false);
}

/* ---- settings ---- */

/* Claude takes no temperature above 1. */
static bool too_hot(struct lower *l, uint32_t node)
{
    char digits[40];
    struct weir_str s = weir_json_text(l->j, node);

    if (!lower_is(l, "anthropic.") || s.len >= sizeof digits)
        return false;
    memcpy(digits, s.ptr, s.len);
    digits[s.len] = '\0';
    return strtod(digits, NULL) > 1;
}

static bool lower_inference(struct lower *l)
{
    static const char *const keys[][2] = {
        {"max_output", "maxTokens"}, {"temperature", "temperature"}, {"top_p", "topP"}, {"stop", "stopSequences"}};
    bool any = false;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint32_t node = top(l, keys[i][0]);
        if (node == WEIR_NO_NODE)
            continue;
        if (!any) {
            emit_key(&l->m, "inferenceConfig");
            emit_open(&l->m, '{');
        }
        any = true;
        if (i == 1 && too_hot(l, node)) {
            emit_key(&l->m, keys[i][1]);
            emit_int(&l->m, 1);
            if (!canon_lossy(l->c, keys[i][0], true, l->e))
                return false;
            continue;
        }
        emit_member(&l->m, keys[i][1], l->j, node);
    }
    if (any)
        emit_close(&l->m, '}');
    return true;
}

/* Thinking in tokens, for Claude models that take no effort. */
static int64_t thinking_budget(struct lower *l, uint32_t effort)
{
    static const struct {
        const char *effort;
        int64_t tokens, percent;
    } rows[] = {
        {"minimal", 1024, 0}, {"low", 1024, 20},    {"medium", 8192, 50},
        {"high", 16384, 80},  {"xhigh", 24576, 95}, {"max", 24576, 95},
    };
    int64_t most = weir_json_int(l->j, top(l, "max_output"), 0);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t share = most / 100 * rows[i].percent + most % 100 * rows[i].percent / 100;
        if (node_says(l->j, effort, rows[i].effort))
            return most <= 0 ? rows[i].tokens : share < 1024 ? 1024 : share;
    }
    return 0;
}

static void put_thinking(struct lower *l, const char *type, int64_t budget, uint32_t show)
{
    emit_key(&l->m, "thinking");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "type", str_of(type));
    if (budget > 0) {
        emit_key(&l->m, "budget_tokens");
        emit_int(&l->m, budget);
    }
    if (node_is_string(l->j, show))
        emit_member_text(&l->m, "display",
                         node_says(l->j, show, "none") ? WEIR_STR("omitted") : WEIR_STR("summarized"));
    emit_close(&l->m, '}');
}

/* Models up to the family 4.5 think by a budget, later ones by an effort. */
static bool by_budget(const struct lower *l)
{
    return lower_is(l, "claude-3") || lower_is(l, "-4-2025") || lower_is(l, "-4-1-") || lower_is(l, "-4-5-");
}

static bool lower_claude(struct lower *l, uint32_t reasoning)
{
    uint32_t effort = weir_json_get(l->j, reasoning, "effort"), budget = weir_json_get(l->j, reasoning, "budget");
    int64_t tokens = weir_json_int(l->j, budget, -1), most = weir_json_int(l->j, top(l, "max_output"), 0);
    uint32_t show = weir_json_get(l->j, reasoning, "show");

    if (by_budget(l) && most > 0 && most <= 1024) /* there is no room to think in */
        return node_says(l->j, effort, "none") || tokens == 0 || canon_lossy(l->c, "reasoning", true, l->e);
    if (budget == WEIR_NO_NODE && by_budget(l) && node_is_string(l->j, effort))
        tokens = node_says(l->j, effort, "none") ? 0 : thinking_budget(l, effort);
    if (node_says(l->j, effort, "none") || (tokens == 0 && effort == WEIR_NO_NODE))
        put_thinking(l, "disabled", 0, WEIR_NO_NODE);
    else if (tokens > 0)
        put_thinking(l, "enabled", tokens, show);
    else if (!by_budget(l))
        put_thinking(l, "adaptive", 0, show);
    else if (!canon_lossy(l->c, "reasoning", true, l->e)) /* as the model likes, or only what it shows */
        return false;
    if (!by_budget(l) && node_is_string(l->j, effort) && !node_says(l->j, effort, "none")) {
        emit_key(&l->m, "output_config");
        emit_open(&l->m, '{');
        emit_member_text(&l->m, "effort",
                         node_says(l->j, effort, "minimal") ? WEIR_STR("low") : node_value(l->c, l->j, effort));
        emit_close(&l->m, '}');
    }
    return true;
}

static bool lower_nova(struct lower *l, uint32_t reasoning)
{
    uint32_t effort = weir_json_get(l->j, reasoning, "effort");

    if (!node_is_string(l->j, effort))
        return canon_lossy(l->c, "reasoning", true, l->e);
    emit_key(&l->m, "reasoningConfig");
    emit_open(&l->m, '{');
    if (node_says(l->j, effort, "none")) {
        emit_member_lit(&l->m, "type", "disabled");
    } else {
        emit_member_lit(&l->m, "type", "enabled");
        emit_member_text(&l->m, "maxReasoningEffort",
                         node_says(l->j, effort, "low") || node_says(l->j, effort, "medium")
                             ? node_value(l->c, l->j, effort)
                         : node_says(l->j, effort, "minimal") ? WEIR_STR("low")
                                                              : WEIR_STR("high"));
    }
    emit_close(&l->m, '}');
    return true;
}

/* What Converse hands on to the model without reading it. */
static bool lower_additional(struct lower *l)
{
    uint32_t reasoning = top(l, "reasoning"), top_k = top(l, "top_k");
    bool claude = lower_is(l, "anthropic."), nova = lower_is(l, "nova"), good = true;

    if (reasoning != WEIR_NO_NODE && !claude && !nova) {
        if (!canon_lossy(l->c, "reasoning", true, l->e))
            return false;
        reasoning = WEIR_NO_NODE;
    }
    if (reasoning == WEIR_NO_NODE && top_k == WEIR_NO_NODE)
        return true;
    emit_key(&l->m, "additionalModelRequestFields");
    emit_open(&l->m, '{');
    if (reasoning != WEIR_NO_NODE)
        good = claude ? lower_claude(l, reasoning) : lower_nova(l, reasoning);
    if (top_k != WEIR_NO_NODE && nova) {
        emit_key(&l->m, "inferenceConfig");
        emit_open(&l->m, '{');
        emit_member(&l->m, "topK", l->j, top_k);
        emit_close(&l->m, '}');
    } else {
        emit_member(&l->m, "top_k", l->j, top_k);
    }
    emit_close(&l->m, '}');
    return good;
}

static bool lower_format(struct lower *l)
{
    uint32_t format = top(l, "format"), schema = weir_json_get(l->j, format, "schema");

    if (format == WEIR_NO_NODE)
        return true;
    if (schema == WEIR_NO_NODE) /* JSON of any shape */
        return canon_lossy(l->c, "format", false, l->e);
    emit_key(&l->m, "outputConfig");
    emit_open(&l->m, '{');
    emit_key(&l->m, "textFormat");
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "type", "json_schema");
    emit_key(&l->m, "structure");
    emit_open(&l->m, '{');
    emit_key(&l->m, "jsonSchema");
    emit_open(&l->m, '{');
    emit_member_text(&l->m, "schema", weir_json_text(l->j, schema));
    emit_member(&l->m, "name", l->j, weir_json_get(l->j, format, "name"));
    emit_member(&l->m, "description", l->j, weir_json_get(l->j, format, "description"));
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    emit_close(&l->m, '}');
    return true;
}

static bool lower_tier(struct lower *l)
{
    uint32_t tier = top(l, "service_tier");

    if (tier == WEIR_NO_NODE || node_says(l->j, tier, "auto"))
        return true;
    if (!node_says(l->j, tier, "default") && !node_says(l->j, tier, "flex") && !node_says(l->j, tier, "priority") &&
        !node_says(l->j, tier, "reserved"))
        return canon_lossy(l->c, "service_tier", true, l->e);
    emit_key(&l->m, "serviceTier");
    emit_open(&l->m, '{');
    emit_member(&l->m, "type", l->j, tier);
    emit_close(&l->m, '}');
    return true;
}

/* ---- metadata: short plain strings only ---- */

#define METADATA_MAX 16

static bool metadata_fits(struct weir_str s, bool key)
{
    if (s.len > 256 || (key && !s.len))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c >= 0x7f || c < ' ' || !strchr(" :_@$#=/+,-.", c)))
            return false;
    }
    return true;
}

static void metadata_put(struct lower *l, struct weir_str key, struct weir_str value, size_t *n)
{
    if (!(*n)++) {
        emit_key(&l->m, "requestMetadata");
        emit_open(&l->m, '{');
    }
    emit_text(&l->m, key);
    text_lit(&l->m.t, ":");
    l->m.comma = false;
    emit_text(&l->m, value);
}

static bool lower_metadata(struct lower *l)
{
    struct weir_str user = node_value(l->c, l->j, top(l, "user"));
    bool lost = false, good = true;
    size_t n = 0;

    for (EACH_KEY(l->j, k, top(l, "metadata"))) {
        struct weir_str key = node_value(l->c, l->j, k), value = node_value(l->c, l->j, k + 1);
        if (node_is_string(l->j, k + 1) && metadata_fits(key, true) && metadata_fits(value, false) && n < METADATA_MAX)
            metadata_put(l, key, value, &n);
        else
            lost = true;
    }
    if (lost)
        good = canon_lossy(l->c, "metadata", true, l->e);
    if (user.len && metadata_fits(user, true) && n < METADATA_MAX &&
        weir_json_get(l->j, top(l, "metadata"), "user_id") == WEIR_NO_NODE)
        metadata_put(l, WEIR_STR("user_id"), user, &n);
    else if (user.len)
        good = canon_lossy(l->c, "user", true, l->e) && good;
    if (n)
        emit_close(&l->m, '}');
    return good;
}

/* ---- what Converse has no word for ---- */

static bool lower_refused(struct lower *l)
{
    static const char *const hints[] = {"repetition_penalty", "seed", "verbosity", "cache_key"};
    static const char *const biases[] = {"min_p", "presence_penalty", "frequency_penalty", "logit_bias"};

    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (!canon_lossy(l->c, hints[i], true, l->e))
            return false;
    for (size_t i = 0; i < sizeof biases / sizeof *biases; i++)
        if (!canon_bias_lossy(l->c, biases[i], l->e))
            return false;
    if (!canon_names_lossy(l->c, l->e))
        return false;
    if (weir_json_is(l->j, top(l, "parallel_tools"), WEIR_JSON_FALSE) &&
        !canon_lossy(l->c, "parallel_tools", true, l->e))
        return false;
    if (weir_json_int(l->j, top(l, "n"), 1) != 1 && !canon_lossy(l->c, "n", false, l->e))
        return false;
    return canon_lossy(l->c, "logprobs", false, l->e);
}

enum weir_verdict bedrock_lower(struct weir_ctx *c, struct weir_str model, struct text *body, struct weir_error *e)
{
    struct lower l = {.c = c, .j = weir_canonical(c), .e = e, .model = model, .m = {.t.c = c}};

    text_reserve(&l.m.t, l.j->text.len);
    emit_open(&l.m, '{');
    if (!lower_system(&l) || !lower_tools(&l) || !lower_inference(&l) || !lower_additional(&l) || !lower_format(&l) ||
        !lower_tier(&l) || !lower_metadata(&l) || !lower_refused(&l) || !lower_messages(&l))
        return WEIR_UNSUPPORTED;
    emit_close(&l.m, '}');
    *body = l.m.t;
    return WEIR_PASS;
}
