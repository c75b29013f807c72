/* SPDX-License-Identifier: Apache-2.0 */
/* deny_test.c -- the guardrail deny under the fake host.  What patterns mean is tested in pattern_test.c. */
#include "../../plugins/guardrails/deny.c"

#include "unit.h"
#include "weir_test.h"

static struct weir_test t;
static struct weir_error e;

static void begin(const char *opts)
{
    weir_test_init(&t, &weir_plugin, opts);
}

#define WORDS "words = [ secret, \"blue bird\" ]; patterns = [ \"sk-[a-z0-9]{4,8}\" ]; "

/* ---- what is refused when it is loaded ---- */

static const struct {
    const char *opts, *part;
} refused[] = {
    {"", "nothing to look for"},
    {"words = [ \"\" ]", "word \"\" is empty"},
    {"patterns = [ \"ok\", \"ab*\" ]", "pattern \"ab*\" column 3"},
    {"patterns = [ \"a?\" ]", "column 1: this can match the empty text"},
    {"words = [ a ]; mask = \"a'b\\\"c\"", "without quotes"},
    {"words = [ a ]; mask = \"a\\\\\"", "without quotes"},
    {"words = [ a ]; code = \"\"", "code must be"},
    {"words = [ a ]; code = \"Not This\"", "code must be"},
    {"words = [ a ]; action = maybe", "action"},
    {"words = [ a ]; directions = [ request, answer ]", "directions"},
};

START_TEST(test_refused)
{
    ck_assert(!weir_test_try(&t, &weir_plugin, refused[_i].opts, &e));
    ck_assert_msg(strstr(e.text, refused[_i].part) != NULL, "%s: %s", refused[_i].opts, e.text);
}
END_TEST

/* ---- requests ---- */

START_TEST(test_request_is_blocked)
{
    begin(WORDS);
    weir_test_say(&t, WEIR_SYSTEM, "be kind");
    weir_test_say(&t, WEIR_USER, "tell me of the Blue BIRD");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_same(t.block_code, "denied_content");
    weir_test_same(t.block_reason, "word 2");
    weir_test_begin(&t);
    weir_test_say(&t, WEIR_USER, "my key is sk-abc1");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_same(t.block_reason, "pattern 1");
    weir_test_begin(&t);
    weir_test_say(&t, WEIR_USER, "blue birds are no bluebird, sk-abc is no key");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK); /* a word is found inside longer ones */
    weir_test_fini(&t);
    begin(WORDS "whole_words = true; code = forbidden");
    weir_test_say(&t, WEIR_USER, "blue birds, secrets");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_say(&t, WEIR_TOOL_RESULT, "(secret)");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_same(t.block_code, "forbidden");
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_request_is_masked)
{
    begin(WORDS "action = mask; mask = \"[x]\"");
    weir_test_say(&t, WEIR_USER, "a SECRET and sk-abcd and sk-abcdefghi\n");
    weir_test_say(&t, WEIR_USER, "nothing");
    weir_test_say(&t, WEIR_ASSISTANT, "secretsecret");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_same(weir_test_span(&t, 0)->text, "a [x] and [x] and [x]i\n");
    weir_test_same(weir_test_span(&t, 1)->text, "nothing");
    weir_test_same(weir_test_span(&t, 2)->text, "[x][x]");
    weir_test_same(weir_test_sent(&t), "{\"model\": \"test\", \"messages\": ["
                                       "{\"role\": \"user\", \"content\": \"a [x] and [x] and [x]i\\n\"}, "
                                       "{\"role\": \"user\", \"content\": \"nothing\"}, "
                                       "{\"role\": \"assistant\", \"content\": \"[x][x]\"}]}");
    weir_test_on_record(&t);
    weir_test_same(weir_test_label(&t, "deny.masked"), "5");
    weir_test_same(weir_test_label(&t, "deny.first"), "word 1");
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_clear_request_is_not_touched)
{
    begin(WORDS "action = mask");
    weir_test_say(&t, WEIR_USER, "se cret");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_on_record(&t);
    weir_test_same(weir_test_label(&t, "deny.masked"), "");
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_case_sensitive)
{
    begin(WORDS "case_sensitive = true");
    weir_test_say(&t, WEIR_USER, "Secret");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_say(&t, WEIR_USER, "secret");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_many_matches_cost_one_edit)
{
    static char text[60001];

    for (size_t i = 0; i + 6 <= 60000; i += 6)
        memcpy(text + i, "secret", 6);
    begin(WORDS "action = mask; mask = \"-\"");
    weir_test_say(&t, WEIR_USER, text);
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    ck_assert_uint_eq(weir_test_span(&t, 0)->text.len, 10000);
    weir_test_fini(&t);
}
END_TEST

/* ---- answers ---- */

START_TEST(test_stream_is_masked_at_every_cut)
{
    begin(WORDS "action = mask");
    weir_test_every_cut(&t, WEIR_TEXT, "a secret; sk-abcdefgh, bluebird, blue bird",
                        "a [removed]; [removed], bluebird, [removed]");
    weir_test_every_cut(&t, WEIR_TEXT, "secretsecre", "[removed]secre");
    weir_test_every_cut(&t, WEIR_REASONING, "blue blue bird sk-12", "blue [removed] sk-12");
    weir_test_every_cut(&t, WEIR_ARGUMENTS, "sk-sk-abcd", "sk-[removed]");
    weir_test_every_cut(&t, WEIR_TEXT, "gr\xc3\xbc\xc3\x9f secret \xe2\x82\xac",
                        "gr\xc3\xbc\xc3\x9f [removed] \xe2\x82\xac");
    weir_test_fini(&t);
    begin("patterns = [ \"secret[0-9]{2}\", \"etape\", \"[0-9]{2}-[0-9]{2}\" ]; action = mask; mask = \"\"");
    weir_test_every_cut(&t, WEIR_TEXT, "x secret12-34 secretape", "x  secr"); /* overlapping ones are one */
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_stream_is_blocked_at_every_cut)
{
    begin(WORDS);
    weir_test_every_cut(&t, WEIR_TEXT, "this is a secret", NULL);
    weir_test_every_cut(&t, WEIR_REASONING, "sk-abcdefgh and more", NULL);
    weir_test_every_cut(&t, WEIR_TEXT, "this is a secre t", "this is a secre t");
    weir_test_stream(&t, WEIR_TEXT, "say sk-1234567890", 5, 9);
    weir_test_same(t.block_code, "denied_content");
    weir_test_same(t.block_reason, "pattern 1");
    weir_test_fini(&t);
}
END_TEST

static void piece(enum weir_channel channel, uint32_t choice, uint32_t block_no, const char *text, bool last)
{
    const struct weir_event ev = {
        .size = sizeof ev, .channel = channel, .choice = choice, .block = block_no, .text = str_of(text), .last = last};

    weir_test_verdict(weir_test_on_event_full(&t, &ev), WEIR_PASS);
}

START_TEST(test_streams_are_apart)
{
    begin(WORDS "action = mask; mask = \"[x]\"");
    piece(WEIR_TEXT, 0, 0, "a sec", false);
    piece(WEIR_TEXT, 1, 0, "ret blue ", false);
    piece(WEIR_ARGUMENTS, 0, 0, "ret", false);
    piece(WEIR_ARGUMENTS, 0, 1, "ret sk-a", false);
    piece(WEIR_TEXT, 0, 0, "ret b", false);
    piece(WEIR_TEXT, 1, 0, "bird", true);
    piece(WEIR_ARGUMENTS, 0, 1, "bcd", true);
    piece(WEIR_ARGUMENTS, 0, 0, "", true);
    piece(WEIR_TEXT, 0, 0, "ye", true);
    weir_test_same(weir_test_text(&t, WEIR_TEXT, 0, 0), "a [x] bye");
    weir_test_same(weir_test_text(&t, WEIR_TEXT, 1, 0), "ret [x]");
    weir_test_same(weir_test_text(&t, WEIR_ARGUMENTS, 0, 0), "ret");
    weir_test_same(weir_test_text(&t, WEIR_ARGUMENTS, 0, 1), "ret [x]");
    weir_test_fini(&t);
}
END_TEST

/* What is out after each piece: only what may still be a match is missing. */
START_TEST(test_holds_no_more_than_must_be)
{
    static const struct {
        const char *piece, *out;
    } steps[] = {
        {"The ", "The "},          {"s", "The "},
        {"ecr", "The "},           {"ecy", "The secrecy"},
        {" s", "The secrecy "},    {"k-", "The secrecy "},
        {"abcd", "The secrecy "}, /* four more may belong to it */
        {"!", "The secrecy [x]!"}, {" end", "The secrecy [x]! end"},
    };

    begin(WORDS "action = mask; mask = \"[x]\"");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        piece(WEIR_TEXT, 0, 0, steps[i].piece, false);
        weir_test_same(weir_test_text(&t, WEIR_TEXT, 0, 0), steps[i].out);
    }
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_nul_in_a_stream)
{
    const struct weir_event ev = {
        .size = sizeof ev, .channel = WEIR_TEXT, .text = WEIR_STR("a\0secret\0b"), .last = true};
    struct weir_str got;

    begin(WORDS "action = mask; mask = \"[x]\"");
    weir_test_verdict(weir_test_on_event_full(&t, &ev), WEIR_PASS);
    got = weir_test_text(&t, WEIR_TEXT, 0, 0);
    ck_assert(str_eq(got, WEIR_STR("a\0[x]\0b")));
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_directions)
{
    begin(WORDS "directions = [ request ]");
    weir_test_every_cut(&t, WEIR_TEXT, "a secret", "a secret");
    weir_test_every_cut(&t, WEIR_ARGUMENTS, "a secret", "a secret");
    weir_test_fini(&t);
    begin(WORDS "directions = [ response ]");
    weir_test_every_cut(&t, WEIR_TEXT, "a secret", NULL);
    weir_test_every_cut(&t, WEIR_ARGUMENTS, "a secret", "a secret");
    weir_test_begin(&t);
    weir_test_say(&t, WEIR_USER, "secret");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_fini(&t);
    begin(WORDS "directions = [ arguments ]");
    weir_test_every_cut(&t, WEIR_TEXT, "a secret", "a secret");
    weir_test_every_cut(&t, WEIR_ARGUMENTS, "a secret", NULL);
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_large_pieces)
{
    size_t n = 200000;
    char *text = malloc(n + 1), *want = malloc(n + 1);

    memset(text, '.', n);
    memset(want, '.', n);
    memcpy(text + 99990, "secret", 6);
    memcpy(want + 99990, "[x]...", 6);
    text[n] = want[n - 3] = '\0';
    begin(WORDS "action = mask; mask = \"[x]\"");
    weir_test_same(weir_test_stream(&t, WEIR_TEXT, text, 99993, n - 1), want);
    weir_test_same(weir_test_stream(&t, WEIR_TEXT, text, 3, 99991), want);
    weir_test_fini(&t);
    free(text);
    free(want);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("deny");
    TCase *c = tcase_create("deny");

    tcase_add_loop_test(c, test_refused, 0, (int)(sizeof refused / sizeof *refused));
    tcase_add_test(c, test_request_is_blocked);
    tcase_add_test(c, test_request_is_masked);
    tcase_add_test(c, test_clear_request_is_not_touched);
    tcase_add_test(c, test_case_sensitive);
    tcase_add_test(c, test_many_matches_cost_one_edit);
    tcase_add_test(c, test_stream_is_masked_at_every_cut);
    tcase_add_test(c, test_stream_is_blocked_at_every_cut);
    tcase_add_test(c, test_streams_are_apart);
    tcase_add_test(c, test_holds_no_more_than_must_be);
    tcase_add_test(c, test_nul_in_a_stream);
    tcase_add_test(c, test_directions);
    tcase_add_test(c, test_large_pieces);
    suite_add_tcase(s, c);
    return s;
}
