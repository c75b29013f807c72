/* SPDX-License-Identifier: Apache-2.0 */
/* lower_other.c -- the canonical request -> the body of an embed, or of a rerank.  Host: step `try`, worker process. */
#include "lower.h"

/* Token ids are of the model that made them. */
static bool put_inputs(struct lower *l, const char *key)
{
    uint32_t input = lower_at(l, 0, "input");

    if (!weir_json_is(l->j, input, WEIR_JSON_ARRAY) || weir_json_first(l->j, input) == WEIR_NO_NODE)
        return canon_lossy(l->c, "input", false, l->e);
    emit_key(&l->m, key);
    emit_open(&l->m, '[');
    for (EACH_ITEM(l->j, n, input)) {
        if (!node_is_string(l->j, n)) { /* each must stand in its place: there is no leaving out */
            lossy(l->c, canon_name(l->c, "input"), false, l->e);
            return false;
        }
        emit_node(&l->m, l->j, n);
    }
    emit_close(&l->m, ']');
    return true;
}

static bool put_purpose(struct lower *l)
{
    static const char *const purposes[][2] = {{"query", "search_query"},
                                              {"document", "search_document"},
                                              {"classification", "classification"},
                                              {"clustering", "clustering"}};
    const struct cohere *o = l->c->self;
    uint32_t type = lower_at(l, 0, "input_type");
    struct weir_str purpose = str_of(o->input_type);
    bool known = !node_there(l->j, type);

    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (node_says(l->j, type, purposes[i][0]) || node_says(l->j, type, purposes[i][1])) {
            purpose = str_of(purposes[i][1]);
            known = true;
        }
    emit_member_text(&l->m, "input_type", purpose);
    return known || canon_lossy(l->c, "input_type", true, l->e);
}

bool cohere_lower_embed(struct weir_ctx *c, struct weir_str model, struct text *body, struct weir_error *e)
{
    static const char *const hints[] = {"user", NULL};
    struct lower l = {.c = c, .j = weir_canonical(c), .e = e, .m = {.t.c = c}};

    emit_open(&l.m, '{');
    emit_member_text(&l.m, "model", model);
    if (!put_purpose(&l) || !put_inputs(&l, "texts"))
        return false;
    emit_key(&l.m, "embedding_types");
    emit_raw(&l.m, WEIR_STR("[\"float\"]"));
    emit_member(&l.m, "output_dimension", l.j, lower_at(&l, 0, "dimensions"));
    if (!lower_hints(&l, hints))
        return false;
    emit_close(&l.m, '}');
    *body = l.m.t;
    return true;
}

bool cohere_lower_rerank(struct weir_ctx *c, struct weir_str model, struct text *body, struct weir_error *e)
{
    static const char *const hints[] = {"user", NULL};
    struct lower l = {.c = c, .j = weir_canonical(c), .e = e, .m = {.t.c = c}};

    emit_open(&l.m, '{');
    emit_member_text(&l.m, "model", model);
    emit_member(&l.m, "query", l.j, lower_at(&l, 0, "query"));
    if (!put_inputs(&l, "documents"))
        return false;
    emit_member(&l.m, "top_n", l.j, lower_at(&l, 0, "top_n"));
    if (!lower_hints(&l, hints))
        return false;
    emit_close(&l.m, '}');
    *body = l.m.t;
    return true;
}
