/* SPDX-License-Identifier: MIT */
/* test_acme.c -- what acme.c sends. */
#include "weir_test.h"
#include "acme.c"

static void test_sends_the_clients_bytes(void)
{
    struct weir_candidate to = weir_test_candidate("acme", "rocket-2");
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, &weir_plugin, "key = k-123; url = http://127.0.0.1:9/v2");
    weir_test_body(&t, "{\"model\": \"acme/rocket\", \"temperature\": 0.70, \"messages\": []}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http(&t), "POST http://127.0.0.1:9/v2/chat\n"
                                       "authorization: Bearer k-123\n"
                                       "acme-version: 2026-01-01\n"
                                       "\n"
                                       "{\"model\": \"rocket-2\", \"temperature\": 0.70, \"messages\": []}");
    weir_test_fini(&t);
}

static void test_names_the_team(void)
{
    struct weir_candidate to = weir_test_candidate("acme", "rocket-2");
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, &weir_plugin, "key = k-123; team = lab");
    weir_test_say(&t, WEIR_USER, "hello");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http_header(&t, "Acme-Team"), "lab");
    weir_test_same(t.http_url, "https://api.acme.example/v2/chat");
    weir_test_fini(&t);
}

static void test_says_what_it_cannot_do(void)
{
    struct weir_candidate to = weir_test_candidate("acme", "rocket-2"), strange = weir_test_candidate("acme", "a\"b");
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, &weir_plugin, "key = k-123");
    weir_test_body(&t, "{\"model\": \"acme/rocket\", \"logprobs\": true}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    weir_test_same(text_of(e.field), "logprobs");
    weir_test_body(&t, "{\"model\": \"acme/rocket\", \"logprobs\": false}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_verdict(weir_test_encode(&t, &strange, &e), WEIR_UNSUPPORTED);
    t.request.kind = WEIR_EMBEDDING;
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    weir_test_fini(&t);
}

static void test_needs_a_key(void)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_ok(!weir_test_try(&t, &weir_plugin, "", &e));
    weir_test_same(text_of(e.field), "key");
}

int main(void)
{
    test_sends_the_clients_bytes();
    test_names_the_team();
    test_says_what_it_cannot_do();
    test_needs_a_key();
    puts("acme: 4 passed, 0 failed");
    return 0;
}
