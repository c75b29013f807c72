/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_error.c -- the shapes in which OpenAI-like servers say that something failed, as one event.  See decode.h.
 *
 * {"error":{"message","type","code"}}, {"error":"text","code"}, {"detail":"text"}, {"detail":[{"loc","msg"}]},
 * {"message"}, {"object":"error",...}, any of them inside an array, and pages that are no JSON.
 */
#include "decode.h"

/* A status among numbers; 0: it is none. */
static int status_of(const struct decoder *d, uint32_t node)
{
    int64_t n = weir_json_int(d->j, node, 0);

    return n >= 400 && n <= 599 ? (int)n : 0;
}

/* Of an error inside a stream that began well. */
static int status_by_word(struct weir_str word)
{
    static const struct {
        const char *word;
        int status;
    } words[] = {
        {"rate_limit_exceeded", 429},   {"rate_limit_error", 429},        {"insufficient_quota", 429},
        {"invalid_request_error", 400}, {"context_length_exceeded", 400}, {"server_error", 500},
        {"internal_server_error", 500}, {"overloaded_error", 503},        {"insufficient_system_resource", 503},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(word, words[i].word))
            return words[i].status;
    return 0;
}

static void put_error(struct decoder *d, struct weir_str detail, uint32_t object)
{
    uint32_t code = weir_json_get(d->j, object, "code"), type = weir_json_get(d->j, object, "type");
    struct weir_event *ev = decode_event(d, WEIR_ERRORED, 0);

    d->l->errored = true;
    ev->detail = detail;
    ev->value = value_of(d, is_text(d, code) ? code : type);
    ev->status = d->frame->status >= 400 ? d->frame->status : status_of(d, code);
    if (!ev->status)
        ev->status = status_of(d, weir_json_get(d->j, object, "status"));
    if (!ev->status)
        ev->status = status_by_word(ev->value);
}

/* FastAPI's list of what is wrong: the first, with its place. */
static struct weir_str first_of_list(struct decoder *d, uint32_t list)
{
    uint32_t item = weir_json_first(d->j, list), loc = weir_json_get(d->j, item, "loc");
    struct text t = {.c = d->c};

    for (EACH_ITEM(d->j, n, loc)) {
        if (!is_text(d, n))
            continue;
        text_str(&t, value_of(d, n));
        text_str(&t, weir_json_next(d->j, loc, n) == WEIR_NO_NODE ? WEIR_STR(": ") : WEIR_STR("."));
    }
    text_str(&t, value_of(d, weir_json_get(d->j, item, "msg")));
    return text_view(&t);
}

static struct weir_str said(struct decoder *d, uint32_t text)
{
    if (is(d, text, WEIR_JSON_OBJECT)) /* Mistral: {"message":{"detail":[...]}} */
        text = weir_json_get(d->j, text, "detail");
    return is(d, text, WEIR_JSON_ARRAY) ? first_of_list(d, text) : value_of(d, text);
}

void decode_error(struct decoder *d, uint32_t error)
{
    uint32_t text = is(d, error, WEIR_JSON_STRING) ? error : weir_json_get(d->j, error, "message");

    if (error == WEIR_NO_NODE || is(d, error, WEIR_JSON_NULL) || is(d, error, WEIR_JSON_FALSE) ||
        (error == text && d->j->nodes[error].len == 0))
        return;
    put_error(d, said(d, text), error == text ? 0 : error);
}

void decode_flat_error(struct decoder *d, uint32_t root, uint32_t error)
{
    uint32_t object = weir_json_get(d->j, root, "object"), text = weir_json_get(d->j, root, "message");
    bool says = str_is(d->frame->name, "error") || (object != WEIR_NO_NODE && KEY_IS(d->j, object, "error"));

    if (d->frame->status < 400 && !says)
        return;
    if (error != WEIR_NO_NODE && !is(d, error, WEIR_JSON_NULL))
        return;
    put_error(d, said(d, text != WEIR_NO_NODE ? text : weir_json_get(d->j, root, "detail")), root);
}

void decode_error_page(struct decoder *d)
{
    uint32_t first = d->j && is(d, 0, WEIR_JSON_ARRAY) ? weir_json_first(d->j, 0) : WEIR_NO_NODE;
    uint32_t error;

    if (first == WEIR_NO_NODE || !is(d, first, WEIR_JSON_OBJECT)) {
        decode_event(d, WEIR_ERRORED, 0)->status = d->frame->status;
        return;
    }
    error = weir_json_get(d->j, first, "error");
    decode_error(d, error);
    decode_flat_error(d, first, error);
}
