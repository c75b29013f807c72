/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower.c -- the canonical request (docs/canonical.md) -> OpenAI's body.
 *
 * Members that a server lacks, and those of other vendors that it takes, are options of its block (share/presets.conf
 * has them for the known ones).  Hook `encode`, worker process.
 */
#include "lower.h"

#include <stdio.h>

enum { MOST_STOPS = 4, LONGEST_USER = 64 };

/* ---- what the server is like ---- */

static bool list_has(const struct weir_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

bool openai_takes(const struct openai *o, const char *what)
{
    return list_has(&o->takes, what);
}

bool openai_lacks(const struct openai *o, const char *what)
{
    return list_has(&o->lacks, what);
}

/* The host of the URL ends so. */
static bool host_ends(const char *url, const char *domain)
{
    const char *host = strstr(url, "://");
    size_t n = strlen(domain), len;

    host = host ? host + 3 : url;
    len = strcspn(host, "/:");
    return len >= n && memcmp(host + len - n, domain, n) == 0;
}

bool openai_is_own(const struct openai *o)
{
    return strcmp(o->auth, "api-key") == 0 || host_ends(o->url, "api.openai.com") ||
           host_ends(o->url, ".openai.azure.com") || host_ends(o->url, ".services.ai.azure.com");
}

/* ---- members ---- */

static uint32_t top(const struct lower *w, const char *key)
{
    return weir_json_get(w->j, 0, key);
}

/* A member that the canonical request has under the same or another name; a server may lack it. */
struct member {
    const char *key, *as;
    bool hint;  /* leaving it out changes no meaning */
    bool extra; /* not OpenAI's: only when the block's `takes` has it */
};

static const char *spelled(const struct lower *w, const struct member *m)
{
    if (strcmp(m->key, "seed") == 0)
        return w->o->seed_field;
    if (strcmp(m->key, "dimensions") == 0)
        return w->o->dimensions_field;
    return m->as;
}

static bool put_members(struct lower *w, const struct member *m, size_t n)
{
    for (; n; n--, m++) {
        bool lacks = m->extra ? !openai_takes(w->o, m->key) : openai_lacks(w->o, m->key);
        if (lacks && !canon_lossy(w->c, m->key, m->hint, w->e))
            return false;
        if (!lacks)
            emit_member(&w->m, spelled(w, m), w->j, top(w, m->key));
    }
    return true;
}

static bool put_limit(struct lower *w)
{
    struct weir_str fact = weir_fact(w->c, "model.max_tokens_field");
    const char *field = w->o->max_tokens_field;

    if (strcmp(field, "auto") == 0) {
        bool old = fact.len ? str_is(fact, "max_tokens") : !openai_is_own(w->o);
        field = old ? "max_tokens" : "max_completion_tokens";
    }
    emit_member(&w->m, field, w->j, top(w, "max_output"));
    return true;
}

static size_t item_count(const struct weir_json *j, uint32_t array)
{
    size_t count = 0;

    for (EACH_ITEM(j, n, array))
        count++;
    return count;
}

static bool put_stop(struct lower *w)
{
    uint32_t stop = top(w, "stop");
    size_t count = item_count(w->j, stop);

    if (!count)
        return true;
    if (openai_lacks(w->o, "stop") || (count > MOST_STOPS && openai_is_own(w->o)))
        return canon_lossy(w->c, "stop", false, w->e);
    emit_member(&w->m, "stop", w->j, stop);
    return true;
}

static bool put_logprobs(struct lower *w)
{
    uint32_t n = top(w, "logprobs");

    if (!node_there(w->j, n))
        return true;
    if (openai_lacks(w->o, "logprobs"))
        return canon_lossy(w->c, "logprobs", false, w->e);
    emit_key(&w->m, "logprobs");
    emit_bool(&w->m, true);
    if (weir_json_int(w->j, n, 0) > 0)
        emit_member(&w->m, "top_logprobs", w->j, n);
    return true;
}

static bool put_format(struct lower *w)
{
    uint32_t f = top(w, "format");

    if (!node_there(w->j, f))
        return true;
    if (openai_lacks(w->o, "format"))
        return canon_lossy(w->c, "format", false, w->e);
    emit_key(&w->m, "response_format");
    emit_open(&w->m, '{');
    if (!node_says(w->j, weir_json_get(w->j, f, "type"), "schema")) {
        emit_member_lit(&w->m, "type", "json_object");
        emit_close(&w->m, '}');
        return true;
    }
    emit_member_lit(&w->m, "type", "json_schema");
    emit_key(&w->m, "json_schema");
    emit_open(&w->m, '{');
    if (node_there(w->j, weir_json_get(w->j, f, "name")))
        emit_member(&w->m, "name", w->j, weir_json_get(w->j, f, "name"));
    else
        emit_member_lit(&w->m, "name", "answer"); /* demanded, and says nothing */
    emit_member(&w->m, "description", w->j, weir_json_get(w->j, f, "description"));
    emit_member(&w->m, "schema", w->j, weir_json_get(w->j, f, "schema"));
    emit_member(&w->m, "strict", w->j, weir_json_get(w->j, f, "strict"));
    emit_close(&w->m, '}');
    emit_close(&w->m, '}');
    return true;
}

/* ---- reasoning ---- */

/* A budget as an effort: by its part of the whole limit, else by its size. */
static struct weir_str budget_effort(const struct lower *w, int64_t budget)
{
    int64_t most = weir_json_int(w->j, top(w, "max_output"), 0);

    if (budget < 0)
        return WEIR_STR("");
    if (budget == 0)
        return WEIR_STR("none");
    if (most > 0 && budget < most) {
        double part = (double)budget / (double)most;
        return part < 0.3 ? WEIR_STR("low") : part < 0.6 ? WEIR_STR("medium") : WEIR_STR("high");
    }
    return budget <= 2048 ? WEIR_STR("low") : budget <= 12288 ? WEIR_STR("medium") : WEIR_STR("high");
}

/* OpenRouter's object. */
static void put_reasoning_object(struct lower *w, uint32_t r, bool shown)
{
    uint32_t budget = weir_json_get(w->j, r, "budget"), effort = weir_json_get(w->j, r, "effort");

    emit_key(&w->m, "reasoning");
    emit_open(&w->m, '{');
    if (node_there(w->j, effort))
        emit_member(&w->m, "effort", w->j, effort);
    else if (weir_json_int(w->j, budget, -1) > 0)
        emit_member(&w->m, "max_tokens", w->j, budget);
    else {
        emit_key(&w->m, "enabled");
        emit_bool(&w->m, weir_json_int(w->j, budget, -1) != 0);
    }
    if (!shown) {
        emit_key(&w->m, "exclude");
        emit_bool(&w->m, true);
    }
    emit_close(&w->m, '}');
}

/* DeepSeek's and Moonshot's switch, beside which an effort may stand. */
static void put_thinking(struct lower *w, struct weir_str effort)
{
    bool off = str_is(effort, "none");

    emit_key(&w->m, "thinking");
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "type", off ? WEIR_STR("disabled") : WEIR_STR("enabled"));
    emit_close(&w->m, '}');
    if (!off && effort.len && !openai_lacks(w->o, "effort"))
        emit_member_text(&w->m, "reasoning_effort", effort);
}

/* Mistral's: models that have nothing but reasoning have a switch for its prompt, others an effort. */
static bool put_prompt_mode(struct lower *w, struct weir_str model, struct weir_str effort)
{
    if (!effort.len || (str_starts(model, "magistral") && !str_is(effort, "none")))
        emit_member_lit(&w->m, "prompt_mode", "reasoning");
    else if (str_starts(model, "magistral"))
        return canon_lossy(w->c, "reasoning", true, w->e);
    else
        emit_member_text(&w->m, "reasoning_effort", str_is(effort, "max") ? WEIR_STR("xhigh") : effort);
    return true;
}

static bool put_effort(struct lower *w, struct weir_str model)
{
    uint32_t r = top(w, "reasoning");
    struct weir_str effort = get_value(w->c, w->j, r, "effort");
    uint32_t show = weir_json_get(w->j, r, "show");
    bool shown = !node_says(w->j, show, "none"), shows = node_there(w->j, show) && (shown || !openai_is_own(w->o));

    if (!node_there(w->j, r))
        return true;
    if (!effort.len)
        effort = budget_effort(w, weir_json_int(w->j, weir_json_get(w->j, r, "budget"), -1));
    if (strcmp(w->o->reasoning, "none") == 0)
        return canon_lossy(w->c, "reasoning", true, w->e);
    if (strcmp(w->o->reasoning, "prompt_mode") == 0)
        return put_prompt_mode(w, model, effort);
    if (strcmp(w->o->reasoning, "object") == 0)
        put_reasoning_object(w, r, shown);
    else if (strcmp(w->o->reasoning, "thinking") == 0)
        put_thinking(w, effort);
    else if (effort.len)
        emit_member_text(&w->m, "reasoning_effort", effort);
    else if (node_there(w->j, weir_json_get(w->j, r, "adaptive")) || node_there(w->j, weir_json_get(w->j, r, "budget")))
        return canon_lossy(w->c, "reasoning", true, w->e); /* as the model likes: there is no word for that */
    return !shows || strcmp(w->o->reasoning, "object") == 0 || canon_lossy(w->c, "reasoning", true, w->e);
}

/* ---- the rest ---- */

static bool put_tier(struct lower *w)
{
    static const char *const tiers[] = {"auto", "default",   "flex",        "scale", "priority",
                                        "fast", "on_demand", "performance", NULL};
    uint32_t tier = top(w, "service_tier");

    for (size_t i = 0; tiers[i] && !list_has(&w->o->lacks, "service_tier"); i++)
        if (node_says(w->j, tier, tiers[i])) {
            emit_member(&w->m, "service_tier", w->j, tier);
            return true;
        }
    return canon_lossy(w->c, "service_tier", true, w->e);
}

static bool put_user(struct lower *w)
{
    struct weir_str user = get_value(w->c, w->j, 0, "user");

    if (!user.len)
        return true;
    if (openai_lacks(w->o, "user"))
        return canon_lossy(w->c, "user", true, w->e);
    if (!openai_is_own(w->o)) {
        emit_member_text(&w->m, "user", user);
        return true;
    }
    emit_member_text(&w->m, "safety_identifier",
                     user.len <= LONGEST_USER ? user : canon_call_id(w->c, user, LONGEST_USER, false));
    return true;
}

static bool put_cache(struct lower *w)
{
    uint32_t cache = top(w, "cache");
    bool control = strcmp(w->o->cache_marks, "cache_control") == 0;

    if (!node_there(w->j, cache))
        return true;
    if (!control && strcmp(w->o->cache_marks, "prompt_cache_breakpoint") != 0)
        return canon_lossy(w->c, "cache", true, w->e);
    emit_key(&w->m, control ? "cache_control" : "prompt_cache_options");
    emit_open(&w->m, '{');
    if (control)
        emit_member_lit(&w->m, "type", "ephemeral");
    else
        emit_member_lit(&w->m, "mode", "implicit");
    emit_member(&w->m, "ttl", w->j, weir_json_get(w->j, cache, "ttl"));
    emit_close(&w->m, '}');
    return true;
}

/* What only some servers like OpenAI's know, of clients like OpenAI's.  Paths of what stands deeper are said there. */
static bool put_extra(struct lower *w)
{
    for (EACH_KEY(w->j, k, top(w, "extra"))) {
        struct weir_str name = weir_json_text(w->j, k);
        char key[64] = "";
        if (memchr(name.ptr, '.', name.len) || name.len >= sizeof key)
            continue;
        memcpy(key, name.ptr, name.len);
        if (openai_takes(w->o, key))
            emit_member(&w->m, key, w->j, k + 1);
        else if (!lossy(w->c, name, false, w->e))
            return false;
    }
    return true;
}

static void put_stream(struct lower *w)
{
    bool stream = node_true(w->j, top(w, "stream"));

    if (!stream)
        return;
    emit_key(&w->m, "stream");
    emit_bool(&w->m, true);
    if (!w->o->include_usage)
        return;
    emit_key(&w->m, "stream_options");
    emit_open(&w->m, '{');
    emit_key(&w->m, "include_usage");
    emit_bool(&w->m, true);
    emit_close(&w->m, '}');
}

bool lower_chat(struct lower *w, struct weir_str model)
{
    static const struct member sampling[] = {
        {"temperature", "temperature", false, false},
        {"top_p", "top_p", false, false},
        {"top_k", "top_k", true, true},
        {"min_p", "min_p", true, true},
        {"presence_penalty", "presence_penalty", true, false},
        {"frequency_penalty", "frequency_penalty", true, false},
        {"repetition_penalty", "repetition_penalty", true, true},
        {"logit_bias", "logit_bias", true, false},
        {"seed", "seed", true, false},
        {"n", "n", false, false},
    };
    static const struct member rest[] = {
        {"verbosity", "verbosity", true, false},
        {"metadata", "metadata", true, false},
        {"cache_key", "prompt_cache_key", true, false},
    };
    static const struct member parallel = {"parallel_tools", "parallel_tool_calls", true, false};

    text_reserve(&w->m.t, w->j->text.len);
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "model", model);
    if (!lower_tools(w) || !lower_messages(w) || !lower_choice(w) || !put_members(w, &parallel, 1) || !put_limit(w) ||
        !put_members(w, sampling, sizeof sampling / sizeof *sampling) || !put_stop(w) || !put_logprobs(w) ||
        !put_format(w) || !put_effort(w, model) || !put_members(w, rest, sizeof rest / sizeof *rest) || !put_tier(w) ||
        !put_user(w) || !put_cache(w) || !put_extra(w))
        return false;
    put_stream(w);
    emit_close(&w->m, '}');
    return true;
}

/* Floats are asked for whatever the client wants back: the client's dialect makes the other form of them. */
bool lower_embedding(struct lower *w, struct weir_str model)
{
    static const struct member members[] = {
        {"dimensions", "dimensions", false, false},
        {"input_type", "input_type", true, true},
    };

    emit_open(&w->m, '{');
    emit_member_text(&w->m, "model", model);
    emit_member(&w->m, "input", w->j, top(w, "input"));
    if (!put_members(w, members, sizeof members / sizeof *members))
        return false;
    if (!openai_lacks(w->o, "encoding"))
        emit_member_lit(&w->m, "encoding_format", "float");
    if (!put_user(w))
        return false;
    emit_close(&w->m, '}');
    return true;
}

/* As vLLM, Jina, OpenRouter and others have it; OpenAI itself has none. */
bool lower_rerank(struct lower *w, struct weir_str model)
{
    emit_open(&w->m, '{');
    emit_member_text(&w->m, "model", model);
    emit_member(&w->m, "query", w->j, top(w, "query"));
    emit_member(&w->m, "documents", w->j, top(w, "input"));
    emit_member(&w->m, "top_n", w->j, top(w, "top_n"));
    if (!canon_lossy(w->c, "user", true, w->e))
        return false;
    emit_close(&w->m, '}');
    return true;
}
