/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic_request.c -- hostile bodies through accept, lift and encode of the anthropic plugin.  First byte: 1 the
 * path that counts tokens; 2 the body is a canonical request and goes through encode alone; then the JSON.
 *
 * What must hold: what is sent of a client's body is JSON that differs only in `model` and in foreign thinking; what is
 * lifted is JSON, and encode makes JSON of it, the same twice.
 */
#include "../unit/anthropic_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct weir_str s)
{
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_json j;

    if (!wt_skim(&memory, s, &j, &e))
        abort();
    wt_free(&memory);
}

static void check_same(struct weir_test *t, const char *body)
{
    struct weir_candidate same = weir_test_candidate("p", ""), other = weir_test_candidate("p", "another \"model\"");
    struct weir_error e;

    if (weir_test_encode(t, &same, &e) != WEIR_PASS)
        abort();
    if (!strstr(body, "weir:") && !wt_is(weir_test_sent(t), body))
        abort();
    check_json(weir_test_sent(t));
    if (weir_test_encode(t, &other, &e) != WEIR_PASS)
        abort();
    check_json(weir_test_sent(t));
}

/* `json` becomes the canonical request. */
static void check_lower(struct weir_test *t, const char *json)
{
    static const char *const models[] = {"claude-opus-5", "claude-sonnet-4-5"};
    struct weir_error e;

    for (size_t i = 0; i < 2; i++) {
        struct weir_candidate to = weir_test_candidate("p", models[i]);
        struct weir_test_buf first = {0};
        weir_test_begin(t);
        weir_test_canonical(t, json);
        if (weir_test_encode(t, &to, &e) == WEIR_PASS) {
            wt_add(&first, weir_test_sent(t));
            check_json(wt_view(&first));
            if (weir_test_encode(t, &to, &e) != WEIR_PASS || !str_eq(weir_test_sent(t), wt_view(&first)))
                abort();
        }
        wt_buf_free(&first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_test_block *memory = NULL;
    struct weir_str canonical = {NULL, 0};
    struct weir_error e;
    struct weir_json j;
    struct weir_test t;
    char *body, *z = NULL;

    if (!size)
        return 0;
    body = calloc(1, size);
    memcpy(body, data + 1, size - 1);
    weir_test_init(&t, &weir_plugin, "");
    if (!wt_skim(&memory, wt_str(body), &j, &e)) {
        ;
    } else if (data[0] & 2) {
        if (weir_json_is(&j, 0, WEIR_JSON_OBJECT))
            check_lower(&t, body);
    } else if (weir_test_accept(&t, "POST", data[0] & 1 ? "/v1/messages/count_tokens" : "/v1/messages", body, &e)) {
        check_same(&t, body);
        canonical = weir_test_lift(&t, &e);
        z = canonical.ptr ? strndup(canonical.ptr, canonical.len) : NULL;
        if (z)
            check_lower(&t, z);
    }
    free(z);
    wt_free(&memory);
    weir_test_fini(&t);
    free(body);
    return 0;
}
