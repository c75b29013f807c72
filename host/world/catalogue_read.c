/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue_read.c -- the text of a catalogue (docs/models.md) becomes models; see catalogue.h.  One skim, one walk;
 * the text may be anything.  Members that are not known here are passed over: a newer file must not stop an older weir.
 */
#include <stdio.h>

#include "base/json_skim.h"
#include "base/json_text.h"
#include "world/catalogue.h"
#include "world/blocks.h"

#define NAME_MAX_LEN  256
#define PROVIDERS_MAX 128 /* whose names are kept once */
#define TIERS_MAX     8
#define NODES_MAX     4000000

struct reader {
    const struct weir_json *j;
    struct arena *arena;
    struct weir_error *error;
    uint32_t at; /* node at fault */
    const char *providers[PROVIDERS_MAX];
    size_t provider_count;
};

/* A member that is read into a field; `take` tells the error. */
struct member {
    const char *name;
    size_t len;
    bool (*take)(struct reader *, const struct member *, uint32_t node, void *to);
    size_t offset;
};

static bool wrong(struct reader *r, uint32_t node, const char *member, const char *what)
{
    snprintf(r->error->text, sizeof r->error->text, "%s must be %s", member, what);
    snprintf(r->error->field, sizeof r->error->field, "%s", member);
    r->at = node;
    return false;
}

/* No controls: names go to terminals, headers and logs. */
static bool printable(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool read_text(struct reader *r, const char *member, uint32_t node, bool empty, const char **to)
{
    struct weir_str s;

    if (!weir_json_is(r->j, node, WEIR_JSON_STRING))
        return wrong(r, node, member, "a string");
    s = json_unescape(r->arena, weir_json_text(r->j, node));
    if (s.len > NAME_MAX_LEN || (!s.len && !empty) || !printable(s))
        return wrong(r, node, member,
                     empty ? "a string of at most 256 bytes, without controls"
                           : "a string of 1 to 256 bytes, without controls");
    *to = s.len ? arena_strdup(r->arena, s) : "";
    return true;
}

static bool take_text(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    return read_text(r, m->name, node, true, to);
}

static bool take_name(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    return read_text(r, m->name, node, false, to);
}

/* Days since 1970 of a day of the Gregorian calendar. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    int64_t era, day;

    y -= m <= 2;
    era = y / 400;
    day = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (y - era * 400) * 365 + (y - era * 400) / 4 - (y - era * 400) / 100 + day - 719468;
}

int64_t catalogue_seconds(const char *date)
{
    int y, m, d, n = 0;

    if (sscanf(date, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 || date[n] || y < 1970 || m < 1 || m > 12 ||
        d < 1 || d > 31)
        return 0;
    return days_of(y, m, d) * 86400;
}

static bool take_released(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    struct catalogue_model *model = to;

    if (!read_text(r, m->name, node, true, &model->released))
        return false;
    model->created = catalogue_seconds(model->released);
    return true;
}

static bool take_tokens(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    int64_t v = weir_json_int(r->j, node, CATALOGUE_UNKNOWN);

    if (v < 0 || v > CATALOGUE_TOKENS_MAX)
        return wrong(r, node, m->name, "a whole number up to 1000000000");
    *(int64_t *)to = v;
    return true;
}

static bool take_price(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    if (!weir_json_is(r->j, node, WEIR_JSON_STRING) || !price_parse(weir_json_text(r->j, node), to))
        return wrong(r, node, m->name, "a price: USD per million tokens as a string such as \"0.25\"");
    return true;
}

static bool take_flag(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    bool yes = weir_json_is(r->j, node, WEIR_JSON_TRUE);

    if (!yes && !weir_json_is(r->j, node, WEIR_JSON_FALSE))
        return wrong(r, node, m->name, "true or false");
    *(int8_t *)to = yes;
    return true;
}

static bool take_modalities(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    uint8_t set = 0;

    if (!weir_json_is(r->j, node, WEIR_JSON_ARRAY))
        return wrong(r, node, m->name, "a list of strings");
    for (uint32_t i = weir_json_first(r->j, node); i != WEIR_NO_NODE; i = weir_json_next(r->j, node, i))
        for (unsigned k = 0; modality_names[k]; k++)
            if (weir_json_is(r->j, i, WEIR_JSON_STRING) && str_is(weir_json_text(r->j, i), modality_names[k]))
                set |= (uint8_t)(1u << k);
    *(uint8_t *)to = set;
    return true;
}

/* The few providers stand at many endpoints. */
static bool take_provider(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    for (size_t i = 0; i < r->provider_count; i++)
        if (weir_json_is(r->j, node, WEIR_JSON_STRING) && str_is(weir_json_text(r->j, node), r->providers[i])) {
            *(const char **)to = r->providers[i];
            return true;
        }
    if (!read_text(r, m->name, node, false, to))
        return false;
    if (r->provider_count < PROVIDERS_MAX)
        r->providers[r->provider_count++] = *(const char **)to;
    return true;
}

/* Each known member of an object; null says as little as none. */
static bool read_members(struct reader *r, uint32_t object, const struct member *members, const char *what, void *to)
{
    if (!weir_json_is(r->j, object, WEIR_JSON_OBJECT))
        return wrong(r, object, what, "an object");
    for (uint32_t k = weir_json_first(r->j, object); k != WEIR_NO_NODE; k = weir_json_next(r->j, object, k + 1))
        for (const struct member *m = members; m->name; m++) {
            if (!weir_json_eq(r->j, k, m->name, m->len) || weir_json_is(r->j, k + 1, WEIR_JSON_NULL))
                continue;
            if (!m->take(r, m, k + 1, (char *)to + m->offset))
                return false;
            break;
        }
    return true;
}

/* Rows of tables of members. */
#define ROW(name, take, at)                                                                                            \
    {                                                                                                                  \
        name, sizeof(name) - 1, take, at                                                                               \
    }
#define PRICE(S, f, name)     ROW(name, take_price, offsetof(S, prices[PRICE_##f]))
#define AT(name, take, field) ROW(name, take, offsetof(struct catalogue_endpoint, field))
#define OF(name, take, field) ROW(name, take, offsetof(struct catalogue_model, field))
#define PRICES(S)                                                                                                      \
    PRICE(S, input_price, "input"), PRICE(S, output_price, "output"), PRICE(S, cache_read_price, "cache_read"),        \
        PRICE(S, cache_write_price, "cache_write"), PRICE(S, reasoning_price, "reasoning")

static const struct member tier_members[] = {
    ROW("tokens", take_tokens, offsetof(struct catalogue_tier, above)),
    PRICES(struct catalogue_tier),
    {NULL, 0, NULL, 0},
};

static bool take_tiers(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    struct catalogue_endpoint *e = to;
    struct catalogue_tier *tiers;

    if (!weir_json_is(r->j, node, WEIR_JSON_ARRAY))
        return wrong(r, node, m->name, "a list of objects");
    tiers = arena_alloc(r->arena, TIERS_MAX * sizeof *tiers);
    e->tiers = tiers;
    for (uint32_t i = weir_json_first(r->j, node); i != WEIR_NO_NODE; i = weir_json_next(r->j, node, i)) {
        struct catalogue_tier *t = &tiers[e->tier_count];
        if (e->tier_count == TIERS_MAX)
            return wrong(r, i, m->name, "a list of at most 8");
        *t = (struct catalogue_tier){.above = CATALOGUE_UNKNOWN};
        for (int k = 0; k < PRICE_KINDS; k++)
            t->prices[k] = PRICE_UNKNOWN;
        if (!read_members(r, i, tier_members, m->name, t))
            return false;
        if (t->above <= (e->tier_count ? t[-1].above : 0))
            return wrong(r, i, m->name, "in the order of \"tokens\", all above 0");
        e->tier_count++;
    }
    return true;
}

static const struct member endpoint_members[] = {
    AT("provider", take_provider, provider),
    AT("model", take_name, upstream),
    AT("status", take_text, status),
    AT("context", take_tokens, context),
    AT("max_output", take_tokens, max_output),
    PRICES(struct catalogue_endpoint),
    ROW("above", take_tiers, 0),
    {NULL, 0, NULL, 0},
};

static bool take_endpoints(struct reader *r, const struct member *m, uint32_t node, void *to)
{
    struct catalogue_model *model = to;

    if (!weir_json_is(r->j, node, WEIR_JSON_ARRAY))
        return wrong(r, node, m->name, "a list of objects");
    for (uint32_t i = weir_json_first(r->j, node); i != WEIR_NO_NODE; i = weir_json_next(r->j, node, i)) {
        struct catalogue_endpoint *e = catalogue_endpoint_new(r->arena, model, "");
        e->upstream = "";
        if (!read_members(r, i, endpoint_members, m->name, e))
            return false;
        if (!*e->provider)
            return wrong(r, i, "provider", "given for each endpoint");
        if (!*e->upstream || strcmp(e->upstream, model->id) == 0)
            e->upstream = model->id;
    }
    return true;
}

/* But for `id`, which is read before them. */
static const struct member model_members[] = {
    OF("name", take_text, name),
    ROW("released", take_released, 0),
    OF("knowledge", take_text, knowledge),
    OF("context", take_tokens, context),
    OF("max_output", take_tokens, max_output),
    OF("inputs", take_modalities, inputs),
    OF("outputs", take_modalities, outputs),
    OF("tools", take_flag, tools),
    OF("reasoning", take_flag, reasoning),
    OF("structured_output", take_flag, structured_output),
    OF("open_weights", take_flag, open_weights),
    OF("max_tokens_field", take_text, max_tokens_field),
    OF("efforts", take_text, efforts),
    OF("tool_efforts", take_text, tool_efforts),
    OF("thinking", take_text, thinking),
    OF("refuses", take_text, refuses),
    OF("parameters", take_text, parameters),
    ROW("endpoints", take_endpoints, 0),
    {NULL, 0, NULL, 0},
};

static bool read_model(struct reader *r, struct catalogue *c, uint32_t node)
{
    struct catalogue_model *m;
    const char *id;

    if (!weir_json_is(r->j, node, WEIR_JSON_OBJECT))
        return wrong(r, node, "models", "a list of objects");
    if (weir_json_get(r->j, node, "id") == WEIR_NO_NODE)
        return wrong(r, node, "id", "given for each model");
    if (!read_text(r, "id", weir_json_get(r->j, node, "id"), false, &id))
        return false;
    if (strchr(id, '*'))
        return wrong(r, node, "id", "a name without a star");
    m = catalogue_model_new(r->arena, id);
    if (!read_members(r, node, model_members, "models", m))
        return false;
    c->models = list_add(r->arena, c->models, &c->model_count, m);
    return true;
}

static int line_of(struct weir_str text, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* Where the skim stopped: it tells the byte only in words. */
static int line_said(struct weir_str text, const char *said)
{
    const char *at = strstr(said, "byte ");
    unsigned long long byte;

    return at && sscanf(at, "byte %llu", &byte) == 1 ? line_of(text, byte) : 0;
}

bool catalogue_read(struct catalogue *c, struct arena *a, struct weir_str text, int *line, struct weir_error *error)
{
    static const struct json_limits limits = {8, NODES_MAX};
    struct json_skim skim = {0};
    struct weir_json j;
    struct reader r = {.j = &j, .arena = a, .error = error};
    uint32_t models;
    bool ok = json_skim(&skim, text, &limits, &j, error);

    *line = ok ? 0 : line_said(text, error->text);
    if (ok) {
        models = weir_json_get(&j, 0, "models");
        ok = weir_json_is(&j, models, WEIR_JSON_ARRAY) || wrong(&r, 0, "models", "a list of objects");
        for (uint32_t i = ok ? weir_json_first(&j, models) : WEIR_NO_NODE; ok && i != WEIR_NO_NODE;
             i = weir_json_next(&j, models, i))
            ok = read_model(&r, c, i);
        if (!ok)
            *line = r.at == WEIR_NO_NODE ? 0 : line_of(text, j.nodes[r.at].at);
    }
    json_skim_fini(&skim);
    return ok;
}
