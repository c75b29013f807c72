/* SPDX-License-Identifier: MIT */
/* test_hello.c -- what hello.c answers, whole and streamed. */
#include "weir_test.h"
#include "hello.c"

static void test_answers_whole(void)
{
    struct weir_candidate to = weir_test_candidate("hello", "hello/world");
    struct weir_test t;

    weir_test_init(&t, &weir_plugin, "text = hi");
    weir_test_body(&t, "{\"model\": \"hello/world\", \"messages\": []}");
    weir_test_ok(weir_test_serve(&t, &to));
    weir_test_same(t.served, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 121\r\n\r\n"
                             "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                             "\"assistant\",\"content\":\"hi\"},"
                             "\"finish_reason\":\"stop\"}]}");
    weir_test_int(t.clock_ms, 0);
    weir_test_fini(&t);
}

static void test_streams_word_by_word(void)
{
    struct weir_candidate to = weir_test_candidate("hello", "hello/world");
    struct weir_test t;

    weir_test_init(&t, &weir_plugin, "text = \"hi there\"; pause = 1s");
    weir_test_body(&t, "{\"model\": \"hello/world\", \"stream\": true, \"messages\": []}");
    weir_test_ok(weir_test_serve(&t, &to));
    weir_test_same(t.served, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
                             "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi \"}}]}\n\n"
                             "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"there\"}}]}\n\n"
                             "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
                             "data: [DONE]\n\n");
    weir_test_int(t.clock_ms, 2000);
    weir_test_fini(&t);
}

static void test_refuses_a_text_with_quotes(void)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_ok(!weir_test_try(&t, &weir_plugin, "text = say \"hi\"", &e));
}

int main(void)
{
    test_answers_whole();
    test_streams_word_by_word();
    test_refuses_a_text_with_quotes();
    puts("hello: 3 passed, 0 failed");
    return 0;
}
