/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_think.c -- how much a model shall think: the canonical `reasoning` as Anthropic's `thinking` and effort.
 *
 * Models up to Claude 4.5 take a budget of tokens, later ones adapt and take an effort.  Called by lower.c; pure.
 */
#include "lower.h"

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

/* What the catalogue does not know, the model's name tells. */
static bool is_adaptive(struct weir_ctx *c, struct weir_str model)
{
    struct weir_str fact = weir_fact(c, "model.thinking");

    return fact.len ? !str_is(fact, "budget") : version_of(model) >= 406;
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
static bool budget_take(struct lower *l, int64_t wanted)
{
    struct thinking *t = &l->think;

    if (l->max <= LEAST_BUDGET) { /* no room to think in */
        t->off = true;
        return canon_lossy(l->c, "reasoning", true, l->e);
    }
    t->on = true;
    t->budget = wanted < LEAST_BUDGET ? LEAST_BUDGET : wanted > MOST_BUDGET ? MOST_BUDGET : wanted;
    if (t->budget >= l->max)
        t->budget = l->max - 1;
    return true;
}

/* In a loop of tools the turn that called them must begin with its thinking, which only Anthropic's own can be. */
static bool loop_lacks_thinking(const struct lower *l)
{
    bool lacks = false;

    for (EACH_ITEM(l->j, m, lower_get(l, 0, "messages"))) {
        uint32_t role = lower_get(l, m, "role");
        bool calls = false, signs = false;
        if (node_says(l->j, role, "user"))
            lacks = false;
        if (!node_says(l->j, role, "assistant"))
            continue;
        for (EACH_ITEM(l->j, part, lower_get(l, m, "content"))) {
            calls |= node_says(l->j, lower_get(l, part, "type"), "call");
            signs |= str_starts(lower_value(l, part, "kind"), "anthropic.");
        }
        lacks = calls && !signs;
    }
    return lacks;
}

bool lower_thinking(struct lower *l, struct weir_str model)
{
    uint32_t r = lower_get(l, 0, "reasoning"), budget = lower_get(l, r, "budget");
    struct weir_str effort = lower_value(l, r, "effort"), show = lower_value(l, r, "show");
    int64_t tokens = weir_json_int(l->j, budget, -1);
    struct thinking *t = &l->think;

    if (r == WEIR_NO_NODE)
        return true;
    if (str_is(effort, "none") || (budget != WEIR_NO_NODE && tokens == 0)) {
        t->off = true;
        return true;
    }
    if (show.len)
        t->display = str_is(show, "none") ? WEIR_STR("omitted") : WEIR_STR("summarized");
    if (!effort.len && budget == WEIR_NO_NODE && !node_true(l->j, lower_get(l, r, "adaptive")))
        return !show.len || canon_lossy(l->c, "reasoning", true, l->e);
    if (is_adaptive(l->c, model)) {
        t->on = t->adaptive = true;
        t->effort = str_is(effort, "minimal") ? WEIR_STR("low") : effort;
        if (!effort.len && tokens > 0)
            t->effort = effort_of(tokens, l->max);
        return true;
    }
    if (loop_lacks_thinking(l)) {
        t->off = true;
        return canon_lossy(l->c, "reasoning", true, l->e);
    }
    return budget_take(l, tokens > 0 ? tokens : budget_of(effort, l->max));
}
