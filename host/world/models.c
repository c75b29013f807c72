/* SPDX-License-Identifier: Apache-2.0 */
#include "world/providers.h"

/* What the one star of the pattern took of a name that fits it. */
static struct weir_str star_of(struct weir_str pattern, struct weir_str name)
{
    const char *star = memchr(pattern.ptr, '*', pattern.len);
    size_t head = (size_t)(star - pattern.ptr);

    return str_sub(name, head, name.len - (pattern.len - head - 1));
}

/* Whether the rule fits, and the upstream's name by it; a star that took nothing names nothing. */
static bool rule_fits(const struct model_rule *r, struct weir_str model, struct weir_str *upstream)
{
    if (r->glob ? !str_glob(r->pattern, model) : !str_eq(r->pattern, model))
        return false;
    if (!r->upstream.len)
        *upstream = model;
    else if (str_is(r->upstream, "*"))
        *upstream = star_of(r->pattern, model);
    else
        *upstream = r->upstream;
    return upstream->len > 0;
}

bool provider_serves(const struct provider *p, struct weir_str model, struct weir_str *upstream)
{
    for (size_t i = 0; i < p->rule_count; i++)
        if (rule_fits(&p->rules[i], model, upstream))
            return true;
    return false;
}

static size_t stars(struct weir_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == '*';
    return n;
}

static bool read_rule(struct block *b, const char *text, struct model_rule *rule)
{
    const char *equals = strchr(text, '=');
    struct place place = b->place;

    if (b->setting && config_setting_get_member(b->setting, "models"))
        place = build_place(b->build, config_setting_get_member(b->setting, "models"));
    rule->pattern = equals ? (struct weir_str){text, (size_t)(equals - text)} : str_of(text);
    rule->upstream = equals ? str_of(equals + 1) : WEIR_STR("");
    rule->glob = stars(rule->pattern) > 0;
    if (!rule->pattern.len || (equals && !rule->upstream.len)) {
        build_fault(b->build, place, "models: \"%.80s\" has an empty side; write \"NAME=UPSTREAM\"", text);
        return false;
    }
    if (stars(rule->upstream) && (!str_is(rule->upstream, "*") || stars(rule->pattern) != 1)) {
        build_fault(b->build, place,
                    "models: \"%.80s\": behind = a star stands alone, for one star before it; write \"openai/*=*\"",
                    text);
        return false;
    }
    return true;
}

bool models_read(struct block *b, struct provider *p)
{
    struct arena *a = &b->build->world->arena;
    bool ok = true;

    if (!p->models.count) {
        const char **own = arena_alloc(a, 2 * sizeof(*own));
        own[0] = arena_printf(a, "%s/*=*", p->in.name);
        p->models = (struct weir_list){own, 1};
    }
    p->rules = arena_alloc(a, p->models.count * sizeof(*p->rules));
    p->rule_count = p->models.count;
    for (size_t i = 0; i < p->models.count; i++)
        ok &= read_rule(b, p->models.items[i], &p->rules[i]);
    return ok;
}
