/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai_accept.c -- hostile bodies through accept and encode of the openai plugin.  First byte: the path; then the
 * body.
 *
 * What must hold of a body that is accepted: no string longer than an enumeration escapes the stages, but for the model
 * and base64; and what is sent is JSON that differs from what came only in `model` and include_usage.
 */
#include "../unit/openai_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool key_is(const struct weir_json *j, uint32_t value, const char *key)
{
    return value && weir_json_eq(j, value - 1, key, strlen(key));
}

static bool may_be_unseen(const struct weir_json *j, uint32_t node)
{
    struct weir_str s = weir_json_text(j, node);

    return s.len <= LONGEST_WORD || key_is(j, node, "model") || key_is(j, node, "data") ||
           (s.len > 5 && strncasecmp(s.ptr, "data:", 5) == 0 && memmem(s.ptr, s.len, ",", 1));
}

/* A span of a string: by its place, or for JSON inside a string by lying in it. */
static bool node_is_seen(struct weir_test *t, const struct weir_json *j, uint32_t node)
{
    const struct weir_node *n = &j->nodes[node];

    for (size_t i = 0; i < weir_test_span_count(t); i++) {
        const struct weir_span *s = weir_test_span(t, i);
        if (s->at >= n->at && s->at + s->len <= n->at + n->len)
            return true;
    }
    return false;
}

static void check_spans(struct weir_test *t)
{
    const struct weir_json *j = &t->json;

    for (uint32_t i = 0; i < j->count; i++) {
        const struct weir_node *n = &j->nodes[i];
        /* A string of JSON without any string in it has no spans, and that is right. */
        if (n->type == WEIR_JSON_STRING && !may_be_unseen(j, i) && !key_is(j, i, "arguments") &&
            !node_is_seen(t, j, i)) {
            const struct weir_node *next = i + 1 < j->count ? &j->nodes[i + 1] : NULL;
            bool key = next && next->at > n->at + n->len &&
                       memchr(j->text.ptr + n->at + n->len, ':', next->at - n->at - n->len);
            if (!key)
                abort();
        }
    }
}

static void check_sent(struct weir_test *t, const char *body)
{
    struct weir_candidate same = weir_test_candidate("p", ""), other = weir_test_candidate("p", "another \"model\"");
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_json j;
    struct weir_str sent;

    weir_test_encode(t, &same, &e);
    sent = weir_test_sent(t);
    if (!t->request.stream && (sent.len != strlen(body) || memcmp(sent.ptr, body, sent.len) != 0))
        abort();
    weir_test_encode(t, &other, &e);
    sent = weir_test_sent(t);
    if (!wt_skim(&memory, sent, &j, &e))
        abort();
    if (!weir_json_is(&j, weir_json_get(&j, 0, "model"), WEIR_JSON_STRING))
        abort();
    if (t->request.stream &&
        !weir_json_is(&j, weir_json_get(&j, weir_json_get(&j, 0, "stream_options"), "include_usage"), WEIR_JSON_TRUE))
        abort();
    wt_free(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const posts[] = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/moderations"};
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_test t;
    struct weir_json j;
    char *body;

    if (!size)
        return 0;
    body = calloc(1, size);
    memcpy(body, data + 1, size - 1);
    weir_test_init(&t, &weir_plugin, "");
    if (data[0] % 5 == 4) {
        struct weir_test_buf path = {0};
        wt_add_text(&path, "/v1/models/x");
        wt_add(&path, (struct weir_str){body, size});
        weir_test_accept(&t, "GET", path.ptr, NULL, &e);
        wt_buf_free(&path);
    } else if (wt_skim(&memory, wt_str(body), &j, &e) && weir_test_accept(&t, "POST", posts[data[0] % 5], body, &e)) {
        check_spans(&t);
        check_sent(&t, body);
    }
    wt_free(&memory);
    weir_test_fini(&t);
    free(body);
    return 0;
}
