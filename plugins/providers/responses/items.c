/* SPDX-License-Identifier: Apache-2.0 */
/*
 * items.c -- `instructions` and `input` -> `system` and `messages` of the canonical request; called by lift.c.
 *
 * Items that the model made one after the other (reasoning, text, calls) are one assistant message, so that reasoning
 * stays in front of what it led to; results one after the other are one tool message.  An item that has no place is
 * refused or told, and never becomes a message.
 */
#include <stdio.h>

#include "lift.h"

enum role { ROLE_NONE, ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL, ROLE_OTHER };

static bool is_message(const struct weir_json *j, uint32_t item)
{
    return type_is(j, item, "message") ||
           (!node_there(j, weir_json_get(j, item, "type")) && node_is_string(j, weir_json_get(j, item, "role")));
}

static enum role item_role(const struct weir_json *j, uint32_t item)
{
    uint32_t role = weir_json_get(j, item, "role");

    if (type_is(j, item, "function_call") || type_is(j, item, "custom_tool_call") || type_is(j, item, "reasoning"))
        return ROLE_ASSISTANT;
    if (type_is(j, item, "function_call_output") || type_is(j, item, "custom_tool_call_output"))
        return ROLE_TOOL;
    if (!is_message(j, item))
        return ROLE_OTHER;
    return node_says(j, role, "user")                                        ? ROLE_USER
           : node_says(j, role, "assistant")                                 ? ROLE_ASSISTANT
           : node_says(j, role, "system") || node_says(j, role, "developer") ? ROLE_SYSTEM
                                                                             : ROLE_OTHER;
}

/* ---- parts ---- */

static void part_begin(struct lift *l, const char *type)
{
    emit_open(l->m, '{');
    emit_member_text(l->m, "type", str_of(type));
}

static void part_end(struct lift *l, uint32_t part, const struct place *at)
{
    if (node_there(l->j, weir_json_get(l->j, part, "prompt_cache_breakpoint"))) {
        emit_key(l->m, "cache");
        emit_raw(l->m, WEIR_STR("{}"));
    }
    if (at)
        emit_member_text(l->m, "at", place_str(at));
    emit_close(l->m, '}');
}

/* data:TYPE;base64,DATA as its halves; another URL as such. */
static void put_source(struct lift *l, struct weir_str url)
{
    static const char mark[] = ";base64,";
    const char *at = url.len > 5 && memcmp(url.ptr, "data:", 5) == 0 ? memmem(url.ptr, url.len, mark, 8) : NULL;

    if (!at) {
        emit_member_text(l->m, "url", url);
        return;
    }
    emit_member_text(l->m, "data", (struct weir_str){at + 8, url.len - (size_t)(at + 8 - url.ptr)});
    emit_member_text(l->m, "media_type", (struct weir_str){url.ptr + 5, (size_t)(at - url.ptr - 5)});
}

static const char *const image_keys[] = {"type", "image_url", "file_id", "detail", "prompt_cache_breakpoint", NULL};
static const char *const file_keys[] = {
    "type", "file_data", "file_url", "file_id", "filename", "prompt_cache_breakpoint", NULL};
static const char *const audio_keys[] = {"type", "input_audio", "prompt_cache_breakpoint", NULL};
static const char *const text_keys[] = {"type", "text", "annotations", "prompt_cache_breakpoint", NULL};
static const char *const refusal_keys[] = {"type", "refusal", "prompt_cache_breakpoint", NULL};

static bool lift_image(struct lift *l, uint32_t part, const struct place *at)
{
    uint32_t url = weir_json_get(l->j, part, "image_url"), file = weir_json_get(l->j, part, "file_id");

    if (!node_is_string(l->j, url) && !node_is_string(l->j, file))
        return lossy(l->c, place_str(at), false, l->e);
    part_begin(l, "image");
    if (node_is_string(l->j, url))
        put_source(l, node_value(l->c, l->j, url));
    else
        emit_member(l->m, "file", l->j, file);
    emit_member(l->m, "detail", l->j, weir_json_get(l->j, part, "detail"));
    part_end(l, part, at);
    return lift_only(l, part, at, image_keys);
}

static bool lift_file(struct lift *l, uint32_t part, const struct place *at)
{
    uint32_t data = weir_json_get(l->j, part, "file_data"), url = weir_json_get(l->j, part, "file_url");
    uint32_t file = weir_json_get(l->j, part, "file_id");
    struct weir_str value = node_value(l->c, l->j, data);

    if (!node_is_string(l->j, data) && !node_is_string(l->j, url) && !node_is_string(l->j, file))
        return lossy(l->c, place_str(at), false, l->e);
    part_begin(l, "document");
    if (str_starts(value, "data:")) {
        put_source(l, value);
    } else if (value.len) {
        emit_member_text(l->m, "data", value);
        emit_member_lit(l->m, "media_type", "application/pdf");
    } else if (node_is_string(l->j, url)) {
        emit_member(l->m, "url", l->j, url);
    } else {
        emit_member(l->m, "file", l->j, file);
    }
    emit_member(l->m, "name", l->j, weir_json_get(l->j, part, "filename"));
    part_end(l, part, at);
    return lift_only(l, part, at, file_keys);
}

static bool lift_audio(struct lift *l, uint32_t part, const struct place *at)
{
    uint32_t audio = weir_json_get(l->j, part, "input_audio");

    if (!node_is_string(l->j, weir_json_get(l->j, audio, "data")))
        return lossy(l->c, place_str(at), false, l->e);
    part_begin(l, "audio");
    emit_member(l->m, "data", l->j, weir_json_get(l->j, audio, "data"));
    emit_member(l->m, "format", l->j, weir_json_get(l->j, audio, "format"));
    part_end(l, part, at);
    return lift_only(l, part, at, audio_keys);
}

static bool lift_text(struct lift *l, uint32_t part, const struct place *at)
{
    const struct weir_json *j = l->j;
    bool refusal = type_is(j, part, "refusal");
    uint32_t text = weir_json_get(j, part, refusal ? "refusal" : "text");
    uint32_t notes = weir_json_get(j, part, "annotations");

    if (!node_is_string(j, text))
        return lossy(l->c, place_str(at), false, l->e);
    part_begin(l, refusal ? "refusal" : "text");
    emit_member(l->m, "text", j, text);
    part_end(l, part, NULL);
    if (weir_json_is(j, notes, WEIR_JSON_ARRAY) && weir_json_first(j, notes) != WEIR_NO_NODE) {
        struct place p = place_at("%.40s.annotations", at->text);
        if (!lossy(l->c, place_str(&p), true, l->e))
            return false;
    }
    return lift_only(l, part, at, refusal ? refusal_keys : text_keys);
}

static bool lift_part(struct lift *l, uint32_t part, const struct place *at)
{
    const struct weir_json *j = l->j;

    if (type_is(j, part, "input_text") || type_is(j, part, "output_text") || type_is(j, part, "text") ||
        type_is(j, part, "refusal"))
        return lift_text(l, part, at);
    if (type_is(j, part, "input_image"))
        return lift_image(l, part, at);
    if (type_is(j, part, "input_file"))
        return lift_file(l, part, at);
    if (type_is(j, part, "input_audio"))
        return lift_audio(l, part, at);
    return lossy(l->c, place_str(at), false, l->e);
}

/* A string, or an array of parts. */
static bool lift_content(struct lift *l, uint32_t content, const struct place *up, const char *key)
{
    uint32_t i = 0;

    if (node_is_string(l->j, content)) {
        part_begin(l, "text");
        emit_member(l->m, "text", l->j, content);
        emit_close(l->m, '}');
    } else if (node_there(l->j, content) && !weir_json_is(l->j, content, WEIR_JSON_ARRAY)) {
        struct place at = place_at("%.40s.%s", up->text, key);
        return lossy(l->c, place_str(&at), false, l->e);
    }
    for (EACH_ITEM(l->j, part, content)) {
        struct place at = place_at("%.40s.%s[%u]", up->text, key, (unsigned)i++);
        if (!lift_part(l, part, &at))
            return false;
    }
    return true;
}

/* ---- items ---- */

static void lift_call(struct lift *l, uint32_t item, const struct place *at)
{
    const struct weir_json *j = l->j;

    part_begin(l, "call");
    emit_member(l->m, "id", j, weir_json_get(j, item, "call_id"));
    emit_member(l->m, "name", j, weir_json_get(j, item, "name"));
    if (type_is(j, item, "custom_tool_call")) {
        emit_key(l->m, "custom");
        emit_bool(l->m, true);
        emit_member(l->m, "input", j, weir_json_get(j, item, "input"));
    } else {
        uint32_t arguments = weir_json_get(j, item, "arguments");
        struct weir_str text = weir_json_is(j, arguments, WEIR_JSON_OBJECT) ? weir_json_text(j, arguments)
                                                                            : node_value(l->c, j, arguments);
        emit_member_text(l->m, "arguments", text);
    }
    part_end(l, item, at);
}

static bool lift_result(struct lift *l, uint32_t item, const struct place *at)
{
    part_begin(l, "result");
    emit_member(l->m, "id", l->j, weir_json_get(l->j, item, "call_id"));
    emit_key(l->m, "content");
    emit_open(l->m, '[');
    if (!lift_content(l, weir_json_get(l->j, item, "output"), at, "output"))
        return false;
    emit_close(l->m, ']');
    part_end(l, item, at);
    return true;
}

/* The texts of a summary, or of the reasoning itself, with a blank line between two. */
static struct weir_str reasoning_text(struct lift *l, uint32_t array)
{
    struct text t = {.c = l->c};

    for (EACH_ITEM(l->j, part, array)) {
        if (t.len)
            text_lit(&t, "\n\n");
        text_str(&t, get_value(l->c, l->j, part, "text"));
    }
    return text_view(&t);
}

/* An item with nothing but an id stands for what OpenAI has kept: it says nothing here. */
static void lift_thought(struct lift *l, uint32_t item)
{
    struct weir_str text = reasoning_text(l, weir_json_get(l->j, item, "summary")), kind = WEIR_STR("openai.encrypted");
    struct weir_str opaque = get_value(l->c, l->j, item, "encrypted_content");

    if (!text.len)
        text = reasoning_text(l, weir_json_get(l->j, item, "content"));
    if (!text.len && !opaque.len)
        return;
    if (opaque_read(opaque, &kind, &opaque) && str_is(kind, "none"))
        opaque.len = 0;
    if (!text.len && !opaque.len)
        return;
    part_begin(l, "reasoning");
    if (text.len)
        emit_member_text(l->m, "text", text);
    if (opaque.len) {
        emit_member_text(l->m, "opaque", opaque);
        emit_member_text(l->m, "kind", kind);
    }
    emit_close(l->m, '}');
}

/* Ids and states name what OpenAI keeps, and are left behind with it. */
static const char *const message_keys[] = {"type", "id", "status", "role", "content", NULL};
static const char *const thought_keys[] = {"type", "id", "status", "summary", "content", "encrypted_content", NULL};
static const char *const result_keys[] = {"type", "id", "status", "call_id", "output", "prompt_cache_breakpoint", NULL};
static const char *const call_keys[] = {
    "type", "id", "status", "call_id", "name", "arguments", "prompt_cache_breakpoint", NULL};
static const char *const custom_call_keys[] = {
    "type", "id", "status", "call_id", "name", "input", "prompt_cache_breakpoint", NULL};

static bool lift_item(struct lift *l, uint32_t item, const struct place *at)
{
    const struct weir_json *j = l->j;
    const char *const *known = message_keys;

    if (is_message(j, item)) {
        if (!lift_content(l, weir_json_get(j, item, "content"), at, "content"))
            return false;
    } else if (type_is(j, item, "reasoning")) {
        lift_thought(l, item);
        known = thought_keys;
    } else if (item_role(j, item) == ROLE_TOOL) {
        if (!lift_result(l, item, at))
            return false;
        known = result_keys;
    } else {
        lift_call(l, item, at);
        known = type_is(j, item, "custom_tool_call") ? custom_call_keys : call_keys;
    }
    return lift_only(l, item, at, known);
}

/* ---- both lists ---- */

/* How many system messages `input` begins with. */
static uint32_t leading(const struct weir_json *j, uint32_t input)
{
    uint32_t n = 0;

    for (EACH_ITEM(j, item, input)) {
        if (item_role(j, item) != ROLE_SYSTEM)
            break;
        n++;
    }
    return n;
}

static bool lift_system(struct lift *l, uint32_t input, uint32_t first)
{
    uint32_t instructions = weir_json_get(l->j, 0, "instructions"), i = 0;
    struct place at = place_at("instructions");

    if (!node_there(l->j, instructions) && !first)
        return true;
    if (weir_json_is(l->j, instructions, WEIR_JSON_ARRAY))
        return lossy(l->c, WEIR_STR("instructions"), false, l->e);
    emit_key(l->m, "system");
    emit_open(l->m, '[');
    if (!lift_content(l, instructions, &at, "content"))
        return false;
    for (EACH_ITEM(l->j, item, input)) {
        if (i == first)
            break;
        at = place_at("input[%u]", (unsigned)i++);
        if (!lift_item(l, item, &at))
            return false;
    }
    emit_close(l->m, ']');
    return true;
}

static void turn_begin(struct lift *l, enum role role)
{
    static const char *const names[] = {"", "system", "user", "assistant", "tool", ""};

    emit_open(l->m, '{');
    emit_member_text(l->m, "role", str_of(names[role]));
    emit_key(l->m, "content");
    emit_open(l->m, '[');
}

static void turn_end(struct lift *l, enum role open)
{
    if (open == ROLE_NONE)
        return;
    emit_close(l->m, ']');
    emit_close(l->m, '}');
}

static bool lift_messages(struct lift *l, uint32_t input, uint32_t first)
{
    enum role open = ROLE_NONE;
    uint32_t i = 0;

    for (EACH_ITEM(l->j, item, input)) {
        struct place at = place_at("input[%u]", (unsigned)i);
        enum role role = item_role(l->j, item);
        if (i++ < first)
            continue;
        if (role == ROLE_OTHER) {
            if (!lossy(l->c, place_str(&at), false, l->e))
                return false;
            continue;
        }
        if (role != open || role == ROLE_USER || role == ROLE_SYSTEM) {
            turn_end(l, open);
            turn_begin(l, role);
            open = role;
        }
        if (!lift_item(l, item, &at))
            return false;
    }
    turn_end(l, open);
    return true;
}

bool lift_input(struct weir_ctx *c, struct emit *m, struct weir_error *e)
{
    struct lift l = {c, weir_body(c), m, e};
    uint32_t input = weir_json_get(l.j, 0, "input"), first = leading(l.j, input);

    if (!lift_system(&l, input, first))
        return false;
    emit_key(m, "messages");
    emit_open(m, '[');
    if (node_is_string(l.j, input)) {
        turn_begin(&l, ROLE_USER);
        lift_content(&l, input, &(struct place){"input"}, "content");
        turn_end(&l, ROLE_USER);
    }
    if (!lift_messages(&l, input, first))
        return false;
    emit_close(m, ']');
    return true;
}
