/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_router.c -- members by which OpenRouter's clients choose among providers and have their requests changed; see
 * lift.h.
 *
 * A wish (an order, a speed) is left out and told.  A condition (who may have the data, for which price) is refused,
 * whatever `unsupported` says: an answer that breaks it is worse than none.  A value that asks for what is done anyway
 * says nothing.
 */
#include "lift.h"

/* ---- provider ---- */

enum preference {
    WISH,       /* left out, and told */
    CONDITION,  /* refused */
    WHEN_TRUE,  /* a condition when true */
    WHEN_FALSE, /* a condition when false */
    WHEN_DENY,  /* a condition when it is not "allow" */
};

static const struct {
    const char *key;
    enum preference is;
} preferences[] = {
    {"order", WISH},
    {"sort", WISH},
    {"preferred_min_throughput", WISH},
    {"preferred_max_latency", WISH},
    {"only", CONDITION},
    {"ignore", CONDITION},
    {"quantizations", CONDITION},
    {"max_price", CONDITION},
    {"data_collection", WHEN_DENY},
    {"zdr", WHEN_TRUE},
    {"enforce_distillable_text", WHEN_TRUE},
    {"require_parameters", WHEN_TRUE},
    {"allow_fallbacks", WHEN_FALSE},
};

static bool preference_said(const struct weir_json *j, enum preference is, uint32_t v)
{
    switch (is) {
    case WHEN_TRUE:
        return !weir_json_is(j, v, WEIR_JSON_FALSE);
    case WHEN_FALSE:
        return !node_true(j, v);
    case WHEN_DENY:
        return !node_says(j, v, "allow");
    default:
        return !((weir_json_is(j, v, WEIR_JSON_ARRAY) || weir_json_is(j, v, WEIR_JSON_OBJECT)) &&
                 weir_json_first(j, v) == WEIR_NO_NODE);
    }
}

static bool preference_lift(struct lift *l, uint32_t key, uint32_t v)
{
    struct weir_str name = weir_json_text(l->j, key), at;
    struct text t = {.c = l->c};

    text_lit(&t, "provider.");
    text_str(&t, name);
    at = text_view(&t);
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences; i++) {
        enum preference is = preferences[i].is;
        if (!str_is(name, preferences[i].key))
            continue;
        if (!preference_said(l->j, is, v))
            return true;
        return is == WISH ? lossy(l->c, at, true, l->e)
                          : lift_invalid(l, at, "nothing here is known to keep this condition, so nothing is sent.");
    }
    return lift_invalid(l, at, "there is no such preference.");
}

bool router_provider(struct lift *l, const struct lift_row *row, uint32_t v)
{
    if (!weir_json_is(l->j, v, WEIR_JSON_OBJECT))
        return lift_invalid(l, str_of(row->key), "expected an object.");
    for (EACH_KEY(l->j, k, v))
        if (node_there(l->j, k + 1) && !preference_lift(l, k, k + 1))
            return false;
    return true;
}

/* ---- the rest ---- */

/* Models to fall back to: without them the request fails where it might not have. */
bool router_models(struct lift *l, const struct lift_row *row, uint32_t v)
{
    struct weir_str model = get_value(l->c, l->j, 0, "model");

    for (EACH_ITEM(l->j, n, v))
        if (!str_eq(node_value(l->c, l->j, n), model))
            return lossy(l->c, str_of(row->key), true, l->e);
    return true;
}

/* Those that mend what came out badly, or shorten what would not fit, are left out; the others change the answer. */
bool router_plugins(struct lift *l, const struct lift_row *row, uint32_t v)
{
    uint32_t i = 0;

    if (!weir_json_is(l->j, v, WEIR_JSON_ARRAY))
        return lift_invalid(l, str_of(row->key), "expected an array.");
    for (EACH_ITEM(l->j, n, v)) {
        struct weir_str at = lift_item(l->c, str_of(row->key), i++);
        uint32_t id = weir_json_get(l->j, n, "id");
        bool mends = node_says(l->j, id, "response-healing") || node_says(l->j, id, "context-compression");
        if (!weir_json_is(l->j, weir_json_get(l->j, n, "enabled"), WEIR_JSON_FALSE) && !lossy(l->c, at, mends, l->e))
            return false;
    }
    return true;
}

bool router_transforms(struct lift *l, const struct lift_row *row, uint32_t v)
{
    return weir_json_first(l->j, v) == WEIR_NO_NODE || lossy(l->c, str_of(row->key), true, l->e);
}

/* {include}: usage is always told. */
bool router_usage(struct lift *l, const struct lift_row *row, uint32_t v)
{
    static const char *const known[] = {"include", NULL};

    return lift_rest(l, v, known, str_of(row->key));
}

/* Of old: whether reasoning is shown. */
bool router_include_reasoning(struct lift *l, const struct lift_row *row, uint32_t v)
{
    if (!weir_json_is(l->j, v, WEIR_JSON_FALSE))
        return true;
    emit_key(&l->m, row->as);
    emit_open(&l->m, '{');
    emit_member_lit(&l->m, "show", "none");
    emit_close(&l->m, '}');
    return true;
}
