/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_extra.c -- members that only some servers like OpenAI's know -> `extra` of the canonical request; see lift.h.
 *
 * They go to those servers and to no others: the host refuses them for upstreams of other dialects, encode for servers
 * that do not take them.
 */
#include "lift.h"

void lift_known_to_some(struct lift *l)
{
    static const char *const members[] = {"safe_prompt", "guardrails", "prediction"};
    struct emit x = {.t.c = l->c};
    uint32_t i = 0;

    for (size_t n = 0; n < sizeof members / sizeof *members; n++) {
        uint32_t v = weir_json_get(l->j, 0, members[n]);
        if (!weir_json_is(l->j, v, WEIR_JSON_FALSE))
            emit_member(&x, members[n], l->j, v);
    }
    for (EACH_ITEM(l->j, message, l->prefixed ? weir_json_get(l->j, 0, "messages") : WEIR_NO_NODE)) {
        struct weir_str at = lift_item(l->c, WEIR_STR("messages"), i++);
        if (!node_true(l->j, weir_json_get(l->j, message, "prefix")))
            continue;
        emit_comma(&x);
        x.comma = false;
        emit_text(&x, lift_at(l->c, at, "prefix"));
        text_lit(&x.t, ":true");
    }
    if (!x.t.len)
        return;
    emit_key(&l->m, "extra");
    emit_open(&l->m, '{');
    emit_raw(&l->m, text_view(&x.t));
    emit_close(&l->m, '}');
}
