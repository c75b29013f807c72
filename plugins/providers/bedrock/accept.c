/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c -- a Converse request -> the view of it, and a span for every text in it.
 *
 * The model and the kind of the call stand in the path.  A string is a span unless a rule says that it is none
 * (enumerations, ids, base64), so that nothing a model reads goes by unseen.  A key that a laxer reader than ours could
 * take for a known one is refused.  Host: step `accept`, worker process.
 */
#include "bedrock.h"

#include <stdio.h>

#define LONGEST_WORD 64 /* bytes of an enumeration or an id; what is longer is text */

struct walk {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct weir_request *r;
    struct weir_error *e;
    enum weir_where where;
    uint32_t message, part;
};

static const char *const request_keys[] = {"messages",
                                           "system",
                                           "inferenceConfig",
                                           "toolConfig",
                                           "guardrailConfig",
                                           "additionalModelRequestFields",
                                           "additionalModelResponseFieldPaths",
                                           "promptVariables",
                                           "requestMetadata",
                                           "performanceConfig",
                                           "serviceTier",
                                           "outputConfig",
                                           NULL};
static const char *const message_keys[] = {"role", "content", NULL};
static const char *const block_keys[] = {"text",         "image",
                                         "document",     "video",
                                         "audio",        "toolUse",
                                         "toolResult",   "reasoningContent",
                                         "cachePoint",   "citationsContent",
                                         "guardContent", "searchResult",
                                         "json",         NULL};
static const char *const inner_keys[] = {
    "text",   "format",    "source", "name",      "context",       "citations",       "bytes", "s3Location", "content",
    "status", "toolUseId", "input",  "signature", "reasoningText", "redactedContent", "type",  "ttl",        NULL};

/* ---- refusals ---- */

static bool refuse(struct walk *w, const char *code, const char *field, const char *text)
{
    snprintf(w->e->code, sizeof w->e->code, "%s", code);
    snprintf(w->e->field, sizeof w->e->field, "%s", field);
    snprintf(w->e->text, sizeof w->e->text, "%s", text);
    return false;
}

static bool refuse_type(struct walk *w, const char *field, const char *want)
{
    snprintf(w->e->code, sizeof w->e->code, "invalid_type");
    snprintf(w->e->field, sizeof w->e->field, "%s", field);
    snprintf(w->e->text, sizeof w->e->text, "%s must be %s.", field, want);
    return false;
}

/* What is no plain ASCII is left out of a message for people. */
static bool keys_clear(struct walk *w, uint32_t object, const char *const *known)
{
    uint32_t key = weir_json_strict(w->j, object, known);
    struct weir_str s;
    size_t n = 0;

    if (key == WEIR_NO_NODE)
        return true;
    s = weir_json_text(w->j, key);
    for (size_t i = 0; i < s.len && n < 40; i++)
        if (s.ptr[i] > ' ' && s.ptr[i] < 0x7f)
            w->e->field[n++] = s.ptr[i];
    w->e->field[n] = '\0';
    snprintf(w->e->code, sizeof w->e->code, "unknown_parameter");
    snprintf(w->e->text, sizeof w->e->text, "%s: no member is spelled like this.", w->e->field);
    return false;
}

/* ---- spans ---- */

static void span_node(struct walk *w, uint32_t node, enum weir_where where)
{
    if (node_is_string(w->j, node))
        weir_span(w->c, node, where, WEIR_PLAIN_TEXT, w->message, w->part);
}

/* Nodes below a container stand behind it, so no recursion is needed: hostile depth costs nothing. */
static void span_all(struct walk *w, uint32_t node, enum weir_where where)
{
    for (uint32_t i = node; i < w->j->nodes[node].next; i++)
        span_node(w, i, where);
}

static void span_words(struct walk *w, uint32_t node)
{
    for (uint32_t i = node; i < w->j->nodes[node].next; i++)
        if (w->j->nodes[i].len > LONGEST_WORD)
            span_node(w, i, w->where);
}

/* ---- blocks ---- */

static bool walk_blocks(struct walk *, uint32_t array, const char *field, unsigned depth);

/* {"bytes"} is base64, {"text"} and {"content"} are text, {"s3Location"} is an address. */
static bool walk_source(struct walk *w, uint32_t source)
{
    if (!keys_clear(w, source, inner_keys))
        return false;
    for (EACH_KEY(w->j, k, source)) {
        if (KEY_IS(w->j, k, "bytes") && node_is_string(w->j, k + 1))
            continue;
        span_all(w, k + 1, WEIR_DOCUMENT);
    }
    return true;
}

/* image, document, video, audio */
static bool walk_media(struct walk *w, uint32_t media)
{
    if (!keys_clear(w, media, inner_keys))
        return false;
    for (EACH_KEY(w->j, k, media)) {
        if (KEY_IS(w->j, k, "source")) {
            if (weir_json_is(w->j, k + 1, WEIR_JSON_OBJECT) ? !walk_source(w, k + 1) : false)
                return false;
            if (!weir_json_is(w->j, k + 1, WEIR_JSON_OBJECT))
                span_all(w, k + 1, WEIR_DOCUMENT);
        } else if (KEY_IS(w->j, k, "format")) {
            span_words(w, k + 1);
        } else {
            span_all(w, k + 1, WEIR_DOCUMENT);
        }
    }
    return true;
}

static bool walk_tool_use(struct walk *w, uint32_t use)
{
    if (!keys_clear(w, use, inner_keys))
        return false;
    for (EACH_KEY(w->j, k, use)) {
        if (KEY_IS(w->j, k, "toolUseId") || KEY_IS(w->j, k, "type"))
            span_words(w, k + 1);
        else if (KEY_IS(w->j, k, "name"))
            span_node(w, k + 1, WEIR_OTHER);
        else
            span_all(w, k + 1, WEIR_TOOL_CALL);
    }
    return true;
}

static bool walk_tool_result(struct walk *w, uint32_t result, unsigned depth)
{
    enum weir_where where = w->where;
    bool good = keys_clear(w, result, inner_keys);

    w->where = WEIR_TOOL_RESULT;
    for (EACH_KEY(w->j, k, result)) {
        if (KEY_IS(w->j, k, "content"))
            good = good && walk_blocks(w, k + 1, "toolResult.content", depth + 1);
        else if (KEY_IS(w->j, k, "toolUseId") || KEY_IS(w->j, k, "status") || KEY_IS(w->j, k, "type"))
            span_words(w, k + 1);
        else
            span_all(w, k + 1, WEIR_TOOL_RESULT);
    }
    w->where = where;
    return good;
}

/* Signatures and redacted content are not for reading, by no one but the issuer. */
static bool walk_reasoning(struct walk *w, uint32_t reasoning)
{
    uint32_t text = weir_json_get(w->j, reasoning, "reasoningText");

    if (!keys_clear(w, reasoning, inner_keys) || !keys_clear(w, text, inner_keys))
        return false;
    for (EACH_KEY(w->j, k, reasoning)) {
        if (KEY_IS(w->j, k, "redactedContent") && node_is_string(w->j, k + 1))
            continue;
        if (k + 1 != text || !weir_json_is(w->j, text, WEIR_JSON_OBJECT))
            span_all(w, k + 1, w->where);
    }
    for (EACH_KEY(w->j, k, text))
        if (!KEY_IS(w->j, k, "signature") || !node_is_string(w->j, k + 1))
            span_all(w, k + 1, w->where);
    return true;
}

static bool walk_block(struct walk *w, uint32_t block, unsigned depth)
{
    if (!keys_clear(w, block, block_keys))
        return false;
    for (EACH_KEY(w->j, k, block)) {
        uint32_t v = k + 1;
        bool object = weir_json_is(w->j, v, WEIR_JSON_OBJECT), good = true;
        if (object && (KEY_IS(w->j, k, "image") || KEY_IS(w->j, k, "document") || KEY_IS(w->j, k, "video") ||
                       KEY_IS(w->j, k, "audio")))
            good = walk_media(w, v);
        else if (object && KEY_IS(w->j, k, "toolUse"))
            good = walk_tool_use(w, v);
        else if (object && KEY_IS(w->j, k, "toolResult") && depth == 0)
            good = walk_tool_result(w, v, depth);
        else if (object && KEY_IS(w->j, k, "reasoningContent"))
            good = walk_reasoning(w, v);
        else if (KEY_IS(w->j, k, "cachePoint") || KEY_IS(w->j, k, "type"))
            span_words(w, v);
        else
            span_all(w, v, KEY_IS(w->j, k, "searchResult") ? WEIR_DOCUMENT : w->where);
        if (!good)
            return false;
    }
    return true;
}

static bool walk_blocks(struct walk *w, uint32_t array, const char *field, unsigned depth)
{
    uint32_t part = w->part, i = 0;

    if (!weir_json_is(w->j, array, WEIR_JSON_ARRAY))
        return refuse_type(w, field, "an array of objects");
    for (EACH_ITEM(w->j, block, array)) {
        if (depth == 0)
            w->part = i++;
        if (!weir_json_is(w->j, block, WEIR_JSON_OBJECT))
            return refuse_type(w, field, "an array of objects");
        if (!walk_block(w, block, depth))
            return false;
    }
    w->part = part;
    return true;
}

/* ---- the request ---- */

static enum weir_where role_where(const struct weir_json *j, uint32_t role)
{
    return node_says(j, role, "user")        ? WEIR_USER
           : node_says(j, role, "assistant") ? WEIR_ASSISTANT
           : node_says(j, role, "system")    ? WEIR_SYSTEM
                                             : WEIR_OTHER;
}

static bool walk_messages(struct walk *w, uint32_t array)
{
    uint32_t i = 0;

    if (!weir_json_is(w->j, array, WEIR_JSON_ARRAY))
        return refuse_type(w, "messages", "an array of objects");
    for (EACH_ITEM(w->j, m, array)) {
        uint32_t role = weir_json_get(w->j, m, "role"), content = weir_json_get(w->j, m, "content");
        w->message = i++;
        if (!weir_json_is(w->j, m, WEIR_JSON_OBJECT))
            return refuse_type(w, "messages", "an array of objects");
        if (!keys_clear(w, m, message_keys))
            return false;
        if (!node_is_string(w->j, role))
            return refuse_type(w, "messages.role", "a string");
        w->where = role_where(w->j, role);
        for (EACH_KEY(w->j, k, m))
            if (k + 1 == role)
                span_words(w, role);
            else if (k + 1 != content)
                span_all(w, k + 1, w->where);
        if (!walk_blocks(w, content, "messages.content", 0))
            return false;
    }
    w->message = 0;
    w->where = WEIR_OTHER;
    return true;
}

static bool walk_member(struct walk *w, uint32_t key)
{
    uint32_t v = key + 1;

    if (KEY_IS(w->j, key, "messages"))
        return walk_messages(w, v);
    if (KEY_IS(w->j, key, "system")) {
        bool good;
        w->where = WEIR_SYSTEM;
        good = walk_blocks(w, v, "system", 0);
        w->where = WEIR_OTHER;
        return good;
    }
    if (KEY_IS(w->j, key, "performanceConfig") || KEY_IS(w->j, key, "serviceTier") ||
        KEY_IS(w->j, key, "guardrailConfig"))
        span_words(w, v);
    else /* descriptions of tools, schemas, variables of prompts: whatever strings there are */
        span_all(w, v, WEIR_OTHER);
    return true;
}

static bool walk_request(struct walk *w, uint32_t root)
{
    uint32_t config = weir_json_get(w->j, root, "inferenceConfig");
    uint32_t limit = weir_json_get(w->j, config, "maxTokens");
    static const char *const config_keys[] = {"maxTokens", "temperature", "topP", "stopSequences", NULL};

    if (!weir_json_is(w->j, root, WEIR_JSON_OBJECT))
        return refuse(w, "invalid_json", "", "The body must be a JSON object.");
    if (!keys_clear(w, root, request_keys) || !keys_clear(w, config, config_keys))
        return false;
    if (weir_json_get(w->j, root, "messages") == WEIR_NO_NODE)
        return refuse(w, "missing_required_parameter", "messages", "messages is missing.");
    if (node_there(w->j, limit)) {
        w->r->max_output = weir_json_int(w->j, limit, -1);
        if (w->r->max_output <= 0)
            return refuse_type(w, "inferenceConfig.maxTokens", "a positive integer");
    }
    for (EACH_KEY(w->j, k, root))
        if (!walk_member(w, k))
            return false;
    return true;
}

/* ---- the path ---- */

static int hex_digit(char ch)
{
    return ch >= '0' && ch <= '9' ? ch - '0' : (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (ch | 32) - 'a' + 10 : -1;
}

/* false: a percent sign without two digits, or what no name of a model holds. */
static bool id_decode(struct text *t, struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '%') {
            int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(s.ptr[i + 2]);
            if (low < 0)
                return false;
            ch = (char)(high << 4 | low);
            i += 2;
        }
        if (ch <= ' ' || ch >= 0x7f)
            return false;
        text_put(t, &ch, 1);
    }
    return s.len > 0;
}

/* /model/ID/ACTION; an id may have slashes in it, so the last one counts. */
static bool read_path(struct walk *w)
{
    struct weir_str path = w->r->path, id, action;
    const char *slash = memrchr(path.ptr, '/', path.len);
    struct text t = {.c = w->c};
    size_t skip = sizeof "/model/" - 1;

    action = (struct weir_str){slash + 1, path.len - (size_t)(slash + 1 - path.ptr)};
    w->r->stream = str_is(action, "converse-stream");
    if (str_is(action, "count-tokens"))
        w->r->kind = WEIR_COUNT_TOKENS;
    else if (!w->r->stream && !str_is(action, "converse"))
        return refuse(w, "unknown_path", "",
                      "Of a model's paths only converse, converse-stream and count-tokens are served here.");
    id = (size_t)(slash - path.ptr) > skip ? (struct weir_str){path.ptr + skip, (size_t)(slash - path.ptr) - skip}
                                           : WEIR_STR("");
    if (!id_decode(&t, id))
        return refuse(w, "invalid_model", "modelId", "The path names no model.");
    w->r->model = text_view(&t);
    return true;
}

bool bedrock_accept(struct weir_ctx *c, struct weir_request *r, struct weir_error *e)
{
    struct walk w = {.c = c, .j = weir_body(c), .r = r, .e = e, .where = WEIR_OTHER};
    uint32_t root = 0;

    if (!read_path(&w))
        return false;
    if (!w.j || !weir_json_is(w.j, 0, WEIR_JSON_OBJECT))
        return refuse(&w, "invalid_json", "", "The body must be a JSON object.");
    if (r->kind == WEIR_COUNT_TOKENS) {
        uint32_t input = weir_json_get(w.j, 0, "input");
        root = weir_json_get(w.j, input, "converse");
        /* input.invokeModel is base64 of another dialect: texts that no stage would see */
        if (root == WEIR_NO_NODE || w.j->nodes[input].next != w.j->nodes[0].next ||
            w.j->nodes[root].next != w.j->nodes[input].next || weir_json_first(w.j, input) + 1 != root ||
            weir_json_first(w.j, 0) + 1 != input)
            return refuse(&w, "invalid_request", "input", "input.converse, and nothing else, is counted here.");
    }
    r->usage_asked = true;
    r->stream_type = "application/vnd.amazon.eventstream";
    return walk_request(&w, root);
}
