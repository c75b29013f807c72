/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.c -- what of a request points to something that only its server keeps: an earlier response, a conversation, a
 * prompt, an item; called by lift.c and encode.c.
 *
 * Left out, the model would answer another question, so it is refused by its name, whatever the provider's block says.
 */
#include <stdio.h>

#include "responses.h"

static bool refuse(struct weir_error *e, const char *field, const char *why)
{
    snprintf(e->code, sizeof e->code, "unsupported_parameter");
    snprintf(e->field, sizeof e->field, "%s", field);
    snprintf(e->text, sizeof e->text, "%s: not supported for this model: %s", field, why);
    return true;
}

static bool is_reference(const struct weir_json *j, uint32_t item)
{
    return type_is(j, item, "item_reference") ||
           (!node_there(j, weir_json_get(j, item, "type")) && !node_there(j, weir_json_get(j, item, "role")) &&
            node_there(j, weir_json_get(j, item, "id")));
}

bool kept_refuse(const struct weir_json *j, struct weir_error *e)
{
    static const char *const kept[] = {"previous_response_id", "conversation", "prompt"};
    char field[32];
    uint32_t i = 0;

    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
        if (node_there(j, weir_json_get(j, 0, kept[k])))
            return refuse(e, kept[k], "nothing is kept between requests.");
    if (node_true(j, weir_json_get(j, 0, "background")))
        return refuse(e, "background", "nothing runs on behind a request.");
    for (EACH_ITEM(j, item, weir_json_get(j, 0, "input"))) {
        snprintf(field, sizeof field, "input[%u]", (unsigned)i++);
        if (is_reference(j, item))
            return refuse(e, field, "an item_reference names nothing, for nothing is kept.");
    }
    return false;
}
