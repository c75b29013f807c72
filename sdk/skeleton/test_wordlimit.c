/* SPDX-License-Identifier: MIT */
/* test_wordlimit.c -- what wordlimit.c promises. */
#include "weir_test.h"
#include "wordlimit.c"

static void test_blocks(void)
{
    struct weir_test t;

    weir_test_init(&t, &weir_plugin, "limit = 3");
    weir_test_say(&t, WEIR_SYSTEM, "be brief");
    weir_test_say(&t, WEIR_USER, "hello");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_say(&t, WEIR_USER, "world");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_same(t.block_code, "too_many_words");
    weir_test_fini(&t);
}

static void test_cuts_the_request(void)
{
    struct weir_test t;

    weir_test_init(&t, &weir_plugin, "limit = 3; over = cut");
    weir_test_say(&t, WEIR_USER, "one two");
    weir_test_say(&t, WEIR_USER, "three \"four\" five");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_same(weir_test_span(&t, 0)->text, "one two");
    weir_test_same(weir_test_span(&t, 1)->text, "three ");
    weir_test_same(weir_test_label(&t, "wordlimit.cut"), "request");
    weir_test_same(weir_test_sent(&t),
                   "{\"model\": \"test\", \"messages\": [{\"role\": \"user\", \"content\": \"one two\"}, "
                   "{\"role\": \"user\", \"content\": \"three \"}]}");
    weir_test_fini(&t);
}

static void test_cuts_the_answer_however_it_comes(void)
{
    struct weir_test t;

    weir_test_init(&t, &weir_plugin, "answer_limit = 2");
    weir_test_every_cut(&t, WEIR_TEXT, "one tw\303\266 three four", "one tw\303\266 ");
    weir_test_every_cut(&t, WEIR_TEXT, "  one\n", "  one\n");
    weir_test_every_cut(&t, WEIR_REASONING, "one two three", "one two three");
    weir_test_fini(&t);
}

static void test_choices_do_not_share_words(void)
{
    struct weir_event first = {.size = sizeof first, .channel = WEIR_TEXT, .text = WEIR_STR("a b c")};
    struct weir_event second = first;
    struct weir_test t;

    second.choice = 1;
    weir_test_init(&t, &weir_plugin, "answer_limit = 2");
    weir_test_on_event_full(&t, &first);
    weir_test_on_event_full(&t, &second);
    weir_test_same(weir_test_text(&t, WEIR_TEXT, 0, 0), "a b ");
    weir_test_same(weir_test_text(&t, WEIR_TEXT, 1, 0), "a b ");
    weir_test_fini(&t);
}

static void test_refuses_bad_options(void)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_ok(!weir_test_try(&t, &weir_plugin, "limit = 0", &e));
    weir_test_same(((struct weir_str){e.field, strlen(e.field)}), "limit");
    weir_test_ok(!weir_test_try(&t, &weir_plugin, "over = shout", &e));
    weir_test_ok(!weir_test_try(&t, &weir_plugin, "limits = 5", &e));
}

int main(void)
{
    test_blocks();
    test_cuts_the_request();
    test_cuts_the_answer_however_it_comes();
    test_choices_do_not_share_words();
    test_refuses_bad_options();
    puts("wordlimit: 5 passed, 0 failed");
    return 0;
}
