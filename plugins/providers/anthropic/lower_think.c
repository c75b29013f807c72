/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_think.c -- how much a model shall think: the canonical `reasoning` as Anthropic's `thinking` and effort.
 *
 * Models up to Claude 4.5 take a budget of tokens, later ones adapt and take an effort.  Called by lower.c; pure.
 */
#include "anthropic.h"

#define LEAST_BUDGET 1024
#define MOST_BUDGET  128000

/* The first number of one or two digits in a model's name, and the one that follows it: "claude-sonnet-4-5-20250929",
 * "claude-3-7-sonnet".  What has no number is taken for new. */
static int version_of(struct weir_str s)
{
    int numbers[2] = {-1, 0}, found = 0;

    for (size_t i = 0; i < s.len && found < 2;) {
        size_t n = 0;
        int v = 0;
        bool start = i == 0 || s.ptr[i - 1] == '-' || s.ptr[i - 1] == '.';
        while (i + n < s.len && s.ptr[i + n] >= '0' && s.ptr[i + n] <= '9' && n < 9)
            v = v * 10 + (s.ptr[i + n++] - '0');
        if (start && n > 0 && n <= 2)
            numbers[found++] = v;
        else if (found)
            break;
        i += n + 1;
    }
    return found ? numbers[0] * 100 + numbers[1] : 9900;
}

static bool is_adaptive(struct weir_str model)
{
    return version_of(model) >= 406;
}

static int64_t budget_of(struct weir_str effort, int64_t max)
{
    static const struct {
        const char *effort;
        int percent;
    } shares[] = {{"minimal", 0}, {"low", 20}, {"medium", 50}, {"high", 80}, {"xhigh", 95}, {"max", 95}};

    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        if (str_is(effort, shares[i].effort))
            return max / 100 * shares[i].percent + max % 100 * shares[i].percent / 100;
    return max / 2;
}

static struct weir_str effort_of(int64_t budget, int64_t max)
{
    return budget < max * 3 / 10 ? WEIR_STR("low") : budget < max * 6 / 10 ? WEIR_STR("medium") : WEIR_STR("high");
}

/* A model that takes a budget: at least 1024, and less than what the whole answer may have. */
static bool budget_take(struct weir_ctx *c, struct thinking *t, int64_t wanted, int64_t max, struct weir_error *e)
{
    if (max <= LEAST_BUDGET) { /* no room to think in */
        t->off = true;
        return canon_lossy(c, "reasoning", true, e);
    }
    t->on = true;
    t->budget = wanted < LEAST_BUDGET ? LEAST_BUDGET : wanted > MOST_BUDGET ? MOST_BUDGET : wanted;
    if (t->budget >= max)
        t->budget = max - 1;
    return true;
}

/* In a loop of tools the turn that called them must begin with its thinking, which only Anthropic's own can be. */
static bool loop_lacks_thinking(struct weir_ctx *c)
{
    const struct weir_json *j = weir_canonical(c);
    bool lacks = false;

    for (EACH_ITEM(j, m, weir_json_get(j, 0, "messages"))) {
        uint32_t role = weir_json_get(j, m, "role");
        bool calls = false, signs = false;
        if (node_says(j, role, "user"))
            lacks = false;
        if (!node_says(j, role, "assistant"))
            continue;
        for (EACH_ITEM(j, part, weir_json_get(j, m, "content"))) {
            calls |= node_says(j, weir_json_get(j, part, "type"), "call");
            signs |= str_starts(get_value(c, j, part, "kind"), "anthropic.");
        }
        lacks = calls && !signs;
    }
    return lacks;
}

bool lower_thinking(struct weir_ctx *c, struct weir_str model, int64_t max, struct thinking *t, struct weir_error *e)
{
    const struct weir_json *j = weir_canonical(c);
    uint32_t r = weir_json_get(j, 0, "reasoning"), budget = weir_json_get(j, r, "budget");
    struct weir_str effort = get_value(c, j, r, "effort"), show = get_value(c, j, r, "show");
    int64_t tokens = weir_json_int(j, budget, -1);

    if (r == WEIR_NO_NODE)
        return true;
    if (str_is(effort, "none") || (budget != WEIR_NO_NODE && tokens == 0)) {
        t->off = true;
        return true;
    }
    if (show.len)
        t->display = str_is(show, "none") ? WEIR_STR("omitted") : WEIR_STR("summarized");
    if (!effort.len && budget == WEIR_NO_NODE && !node_true(j, weir_json_get(j, r, "adaptive")))
        return !show.len || canon_lossy(c, "reasoning", true, e);
    if (is_adaptive(model)) {
        t->on = t->adaptive = true;
        t->effort = str_is(effort, "minimal") ? WEIR_STR("low") : effort;
        if (!effort.len && tokens > 0)
            t->effort = effort_of(tokens, max);
        return true;
    }
    if (loop_lacks_thinking(c)) {
        t->off = true;
        return canon_lossy(c, "reasoning", true, e);
    }
    return budget_take(c, t, tokens > 0 ? tokens : budget_of(effort, max), max, e);
}
