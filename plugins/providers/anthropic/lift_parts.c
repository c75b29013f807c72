/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift_parts.c -- a client's messages and blocks -> the canonical ones (docs/canonical.md).  Called by lift.c.
 *
 * Results stand in user messages here and in messages of their own there, so one message may become two.
 */
#include "lift.h"

#include <stdarg.h>
#include <stdio.h>

struct weir_str place_of(struct weir_ctx *c, const char *fmt, ...)
{
    char *z = weir_alloc(c, 128);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(z, 128, fmt, ap);
    va_end(ap);
    return str_of(z);
}

static bool malformed(struct lift *l, const char *at, const char *want)
{
    snprintf(l->e->code, sizeof l->e->code, "invalid_type");
    snprintf(l->e->field, sizeof l->e->field, "%s", at);
    snprintf(l->e->text, sizeof l->e->text, "%s: Input should be %s.", at, want);
    return false;
}

static bool says_text(const struct lift *l, uint32_t object, const char *key)
{
    uint32_t n = lift_get(l, object, key);

    return node_is_string(l->j, n) && l->j->nodes[n].len > 0;
}

bool lift_unknown(struct lift *l, const char *at, uint32_t key, bool hint)
{
    uint32_t len = l->j->nodes[key].len;
    char name[65];

    snprintf(name, sizeof name, "%.*s", (int)(len < 64 ? len : 64), l->j->text.ptr + l->j->nodes[key].at);
    return !node_there(l->j, key + 1) || lift_lossy(l, at, name, hint);
}

/* Keys of a block that no row knows: told by name.  `known` is ended by NULL. */
static bool only(struct lift *l, uint32_t object, const char *at, const char *const *known)
{
    for (EACH_KEY(l->j, k, object)) {
        const char *const *w = known;
        while (*w && !str_is(weir_json_text(l->j, k), *w))
            w++;
        if (!*w && !lift_unknown(l, at, k, false))
            return false;
    }
    return true;
}

bool lift_cache(struct lift *l, uint32_t object, const char *at)
{
    uint32_t cache = lift_get(l, object, "cache_control");

    if (!weir_json_is(l->j, cache, WEIR_JSON_OBJECT))
        return true;
    emit_key(l->m, "cache");
    emit_open(l->m, '{');
    emit_member(l->m, "ttl", l->j, lift_get(l, cache, "ttl"));
    emit_close(l->m, '}');
    for (EACH_KEY(l->j, k, cache))
        if (!KEY_IS(l->j, k, "type") && !KEY_IS(l->j, k, "ttl") &&
            !lift_unknown(l, place_of(l->c, "%s.cache_control", at).ptr, k, true))
            return false;
    return true;
}

static bool end_part(struct lift *l, uint32_t block, const char *at)
{
    if (!lift_cache(l, block, at))
        return false;
    emit_member_text(l->m, "at", str_of(at));
    emit_close(l->m, '}');
    return true;
}

/* ---- blocks ---- */

static bool lift_text(struct lift *l, uint32_t block, const char *at)
{
    static const char *const known[] = {"type", "text", "citations", "cache_control", NULL};
    uint32_t citations = lift_get(l, block, "citations");

    if (!node_is_string(l->j, lift_get(l, block, "text")))
        return malformed(l, at, "a text block with a string `text`");
    if (!says_text(l, block, "text")) /* no text is no part */
        return true;
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "text");
    emit_member(l->m, "text", l->j, lift_get(l, block, "text"));
    if (!lift_cache(l, block, at))
        return false;
    emit_close(l->m, '}');
    if (weir_json_is(l->j, citations, WEIR_JSON_ARRAY) && l->j->nodes[citations].len > 2 &&
        !lift_lossy(l, at, "citations", true))
        return false;
    return only(l, block, at, known);
}

/* data, url or file of a source.  false: another kind, or nothing in it. */
static bool lift_source(struct lift *l, uint32_t source)
{
    static const struct {
        const char *type, *key, *as;
    } kinds[] = {{"base64", "data", "data"}, {"url", "url", "url"}, {"file", "file_id", "file"}};
    uint32_t type = lift_get(l, source, "type");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!node_says(l->j, type, kinds[i].type) || !node_is_string(l->j, lift_get(l, source, kinds[i].key)))
            continue;
        emit_member(l->m, kinds[i].as, l->j, lift_get(l, source, kinds[i].key));
        if (i == 0)
            emit_member(l->m, "media_type", l->j, lift_get(l, source, "media_type"));
        return true;
    }
    return false;
}

static bool source_fits(const struct lift *l, uint32_t block)
{
    uint32_t source = lift_get(l, block, "source"), type = lift_get(l, source, "type");

    return (node_says(l->j, type, "base64") && node_is_string(l->j, lift_get(l, source, "data"))) ||
           (node_says(l->j, type, "url") && node_is_string(l->j, lift_get(l, source, "url"))) ||
           (node_says(l->j, type, "file") && node_is_string(l->j, lift_get(l, source, "file_id")));
}

static bool lift_image(struct lift *l, uint32_t block, const char *at)
{
    static const char *const known[] = {"type", "source", "cache_control", NULL};

    if (!source_fits(l, block))
        return lift_lossy(l, at, "source", false);
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "image");
    lift_source(l, lift_get(l, block, "source"));
    return end_part(l, block, at) && only(l, block, at, known);
}

/* Text of a document: as `data` of a text source, or as `content`. */
static uint32_t document_text(const struct lift *l, uint32_t block)
{
    uint32_t source = lift_get(l, block, "source"), type = lift_get(l, source, "type");
    uint32_t text = node_says(l->j, type, "text")      ? lift_get(l, source, "data")
                    : node_says(l->j, type, "content") ? lift_get(l, source, "content")
                                                       : WEIR_NO_NODE;

    return node_is_string(l->j, text) ? text : WEIR_NO_NODE;
}

static bool lift_document(struct lift *l, uint32_t block, const char *at)
{
    static const char *const known[] = {"type", "source", "title", "context", "citations", "cache_control", NULL};
    uint32_t text = document_text(l, block);

    if (text == WEIR_NO_NODE && !source_fits(l, block))
        return lift_lossy(l, at, "source", false);
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "document");
    if (text != WEIR_NO_NODE)
        emit_member(l->m, "text", l->j, text);
    else
        lift_source(l, lift_get(l, block, "source"));
    emit_member(l->m, "name", l->j, lift_get(l, block, "title"));
    emit_member(l->m, "context", l->j, lift_get(l, block, "context"));
    if (node_true(l->j, lift_get(l, lift_get(l, block, "citations"), "enabled")))
        emit_raw(l->m, WEIR_STR("\"citations\":true"));
    return end_part(l, block, at) && only(l, block, at, known);
}

static bool lift_call(struct lift *l, uint32_t block, const char *at)
{
    static const char *const known[] = {"type", "id", "name", "input", "caller", "cache_control", NULL};
    uint32_t input = lift_get(l, block, "input"), caller = lift_get(l, block, "caller");

    if (!node_is_string(l->j, lift_get(l, block, "id")) || !node_is_string(l->j, lift_get(l, block, "name")))
        return malformed(l, at, "a call with strings `id` and `name`");
    if (node_there(l->j, input) && !weir_json_is(l->j, input, WEIR_JSON_OBJECT))
        return malformed(l, at, "a call whose `input` is an object");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "call");
    emit_member(l->m, "id", l->j, lift_get(l, block, "id"));
    emit_member(l->m, "name", l->j, lift_get(l, block, "name"));
    emit_member_text(l->m, "arguments", node_there(l->j, input) ? weir_json_text(l->j, input) : WEIR_STR("{}"));
    if (!end_part(l, block, at))
        return false;
    if (node_there(l->j, caller) && !node_says(l->j, lift_get(l, caller, "type"), "direct") &&
        !lift_lossy(l, at, "caller", false))
        return false;
    return only(l, block, at, known);
}

/* Claude's thinking keeps its signature; what another vendor thought comes back under our mark. */
static bool lift_thinking(struct lift *l, uint32_t block, const char *at, bool redacted)
{
    static const char *const known[] = {"type", "thinking", "signature", "data", NULL};
    struct weir_str data = lift_value(l, block, redacted ? "data" : "signature");
    struct weir_str kind = redacted ? WEIR_STR("anthropic.redacted") : WEIR_STR("anthropic.signature");

    if (opaque_read(data, &kind, &data) && str_is(kind, "none"))
        data = WEIR_STR("");
    if (!data.len && !says_text(l, block, "thinking"))
        return true;
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "reasoning");
    if (!redacted && says_text(l, block, "thinking"))
        emit_member(l->m, "text", l->j, lift_get(l, block, "thinking"));
    if (data.len) {
        emit_member_text(l->m, "opaque", data);
        emit_member_text(l->m, "kind", kind);
    }
    emit_close(l->m, '}');
    return only(l, block, at, known);
}

static bool lift_other(struct lift *l, uint32_t block, const char *at)
{
    struct weir_str type = lift_value(l, block, "type");

    if (!type.len)
        return malformed(l, at, "a block with a `type`");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "other");
    emit_member_text(l->m, "name", type);
    emit_key(l->m, "raw");
    emit_node(l->m, l->j, block);
    emit_member_text(l->m, "at", str_of(at));
    emit_close(l->m, '}');
    return true;
}

/* ---- results ---- */

static bool lift_result_content(struct lift *l, uint32_t content, const char *at)
{
    uint32_t i = 0;

    if (node_is_string(l->j, content) && l->j->nodes[content].len) {
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "text");
        emit_member(l->m, "text", l->j, content);
        emit_close(l->m, '}');
    }
    for (EACH_ITEM(l->j, inner, content)) {
        const char *here = place_of(l->c, "%s.content[%u]", at, (unsigned)i++).ptr;
        uint32_t type = lift_get(l, inner, "type");
        bool ok = node_says(l->j, type, "text")       ? lift_text(l, inner, here)
                  : node_says(l->j, type, "image")    ? lift_image(l, inner, here)
                  : node_says(l->j, type, "document") ? lift_document(l, inner, here)
                                                      : lift_lossy(l, here, NULL, false);
        if (!ok)
            return false;
    }
    return true;
}

static bool lift_result(struct lift *l, uint32_t block, const char *at)
{
    static const char *const known[] = {"type", "tool_use_id", "content", "is_error", "cache_control", NULL};

    if (!node_is_string(l->j, lift_get(l, block, "tool_use_id")))
        return malformed(l, at, "a result with a string `tool_use_id`");
    emit_open(l->m, '{');
    emit_member_lit(l->m, "type", "result");
    emit_member(l->m, "id", l->j, lift_get(l, block, "tool_use_id"));
    emit_key(l->m, "content");
    emit_open(l->m, '[');
    if (!lift_result_content(l, lift_get(l, block, "content"), at))
        return false;
    emit_close(l->m, ']');
    if (node_true(l->j, lift_get(l, block, "is_error")))
        emit_raw(l->m, WEIR_STR("\"error\":true"));
    return end_part(l, block, at) && only(l, block, at, known);
}

/* ---- messages ---- */

static bool lift_block(struct lift *l, uint32_t block, const char *at)
{
    uint32_t type = lift_get(l, block, "type");

    if (!weir_json_is(l->j, block, WEIR_JSON_OBJECT))
        return malformed(l, at, "a block");
    if (node_says(l->j, type, "text"))
        return lift_text(l, block, at);
    if (node_says(l->j, type, "image"))
        return lift_image(l, block, at);
    if (node_says(l->j, type, "document"))
        return lift_document(l, block, at);
    if (node_says(l->j, type, "tool_use"))
        return lift_call(l, block, at);
    if (node_says(l->j, type, "tool_result"))
        return lift_result(l, block, at);
    if (node_says(l->j, type, "thinking") || node_says(l->j, type, "redacted_thinking"))
        return lift_thinking(l, block, at, !node_says(l->j, type, "thinking"));
    return lift_other(l, block, at);
}

static bool is_result(const struct lift *l, uint32_t block)
{
    return node_says(l->j, lift_get(l, block, "type"), "tool_result");
}

/* One canonical message: of the content's results, or of all the rest. */
static bool lift_half(struct lift *l, const char *role, uint32_t content, uint32_t index, bool results)
{
    uint32_t i = 0;

    emit_open(l->m, '{');
    emit_member_text(l->m, "role", str_of(role));
    emit_key(l->m, "content");
    emit_open(l->m, '[');
    if (!results && node_is_string(l->j, content) && l->j->nodes[content].len) {
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "text");
        emit_member(l->m, "text", l->j, content);
        emit_close(l->m, '}');
    }
    for (EACH_ITEM(l->j, block, content)) {
        const char *at = place_of(l->c, "messages[%u].content[%u]", (unsigned)index, (unsigned)i++).ptr;
        if (is_result(l, block) == results && !lift_block(l, block, at))
            return false;
    }
    emit_close(l->m, ']');
    emit_close(l->m, '}');
    return true;
}

bool lift_message(struct lift *l, uint32_t message, uint32_t index)
{
    static const char *const known[] = {"role", "content", NULL};
    static const char *const roles[] = {"user", "assistant", "system", NULL};
    const char *at = place_of(l->c, "messages[%u]", (unsigned)index).ptr;
    uint32_t content = lift_get(l, message, "content"), role = lift_get(l, message, "role");
    const char *const *said = roles;
    bool results = false, rest = false;

    while (*said && !node_says(l->j, role, *said))
        said++;
    if (!*said)
        return malformed(l, at, "a message of role user, assistant or system");
    for (EACH_ITEM(l->j, block, content)) {
        results |= is_result(l, block);
        rest |= !is_result(l, block);
    }
    if (results && !lift_half(l, "tool", content, index, true))
        return false;
    if ((rest || !results) && !lift_half(l, *said, content, index, false))
        return false;
    return only(l, message, at, known);
}

bool lift_system(struct lift *l, uint32_t system)
{
    uint32_t i = 0;

    if (!node_there(l->j, system))
        return true;
    emit_key(l->m, "system");
    emit_open(l->m, '[');
    if (node_is_string(l->j, system) && l->j->nodes[system].len) {
        emit_open(l->m, '{');
        emit_member_lit(l->m, "type", "text");
        emit_member(l->m, "text", l->j, system);
        emit_close(l->m, '}');
    }
    for (EACH_ITEM(l->j, block, system)) {
        const char *at = place_of(l->c, "system[%u]", (unsigned)i++).ptr;
        bool ok = node_says(l->j, lift_get(l, block, "type"), "text") ? lift_text(l, block, at)
                                                                      : lift_lossy(l, at, NULL, false);
        if (!ok)
            return false;
    }
    emit_close(l->m, ']');
    return true;
}
