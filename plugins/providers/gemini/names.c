/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c -- names of tools that Gemini does not take, and back.  Called by encode and decode.
 */
#include "gemini.h"

static bool name_fits(struct weir_str s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

    if (!s.len || s.len > 128 || !s.ptr[0] || !strchr(letters, s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!s.ptr[i] || (!strchr(letters, s.ptr[i]) && !strchr("0123456789.:-", s.ptr[i])))
            return false;
    return true;
}

/* The same name in the same request gives the same one: history must not change under a prompt cache. */
static struct weir_str name_made(struct weir_ctx *c, struct weir_str original)
{
    struct text seed = {.c = c}, t = {.c = c};

    text_lit(&seed, ":");
    text_str(&seed, original);
    text_lit(&t, "_");
    for (size_t i = 0; i < original.len && i < 80; i++) {
        char ch = original.ptr[i];
        bool word = (ch >= '0' && ch <= '9') || ((ch | 32) >= 'a' && (ch | 32) <= 'z') || ch == '_' || ch == '-';
        text_put(&t, word ? &ch : "_", 1);
    }
    text_lit(&t, "_");
    text_str(&t, canon_call_id(c, text_view(&seed), 12, false));
    return text_view(&t);
}

struct weir_str gemini_name(struct weir_ctx *c, struct weir_str original)
{
    return name_fits(original) ? original : name_made(c, original);
}

struct weir_str gemini_original(struct weir_ctx *c, struct weir_str sent)
{
    const struct weir_json *j = weir_canonical(c);

    if (sent.len && sent.ptr[0] != '_') /* made names begin so */
        return sent;
    for (EACH_ITEM(j, tool, weir_json_get(j, 0, "tools"))) {
        struct weir_str name = get_value(c, j, tool, "name");
        if (name.len && str_eq(gemini_name(c, name), sent))
            return name;
    }
    return sent;
}
