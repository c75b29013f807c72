/* SPDX-License-Identifier: Apache-2.0 */
/* openai_write_test.c -- events of other dialects' upstreams as OpenAI's clients read them, byte for byte. */
#include "openai_all.h"
#include "unit.h"

static struct weir_test t;
static struct weir_error e;
static struct weir_test_buf got;

static void setup(void)
{
    weir_test_init(&t, &weir_plugin, "");
    memset(&got, 0, sizeof got);
}

static void teardown(void)
{
    wt_buf_free(&got);
    weir_test_fini(&t);
}

static void ask(const char *path, const char *members)
{
    char body[512];

    snprintf(body, sizeof body, "{\"model\":\"asked\",\"messages\":[],\"input\":\"\"%s}", members);
    ck_assert_msg(weir_test_accept(&t, "POST", path, body, &e), "%s", e.text);
    weir_test_fact(&t, "time", "17");
    weir_test_fact(&t, "request_id", "r1");
    got.len = 0;
}

static bool give(struct weir_event ev)
{
    bool ok;

    ev.size = sizeof ev;
    ok = weir_test_answer(&t, &ev);
    wt_add(&got, wt_view(&t.out));
    return ok;
}

#define GIVE(...) ck_assert(give((struct weir_event){__VA_ARGS__}))
#define S(s)      WEIR_STR(s)

static void start(void)
{
    GIVE(.channel = WEIR_START, .detail = S("id1"), .value = S("m1"));
}

#define HEAD     "data: {\"id\":\"id1\",\"object\":\"chat.completion.chunk\",\"created\":17,\"model\":\"m1\",\"choices\":["
#define DELTA(d) HEAD "{\"index\":0,\"delta\":{" d "},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
#define ROLE     DELTA("\"role\":\"assistant\",\"content\":\"\"")
#define ENDED(r) HEAD "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"" r "\"}]}\n\n"
#define DONE     "data: [DONE]\n\n"
#define CHAT     "/v1/chat/completions"

START_TEST(test_stream_of_text)
{
    ask(CHAT, ",\"stream\":true");
    start();
    GIVE(.channel = WEIR_TEXT, .text = S("a\"\n"));
    GIVE(.channel = WEIR_TEXT, .text = S(""), .last = true);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_STOP, .detail = S("end_turn"));
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_STOP);
    GIVE(.channel = WEIR_DONE_MARK);
    weir_test_same(got, ROLE DELTA("\"content\":\"a\\\"\\n\"") ENDED("stop") DONE);
}
END_TEST

/* providers.md, bug 5: only when asked for, behind the finish, with no choice; null in all others. */
START_TEST(test_bug_05_usage_when_asked)
{
    struct weir_usage one = {10, 4, 1, -1, -1, -1, -1}, two = {-1, -1, -1, 6, 2, -1, -1};

    for (int asked = 0; asked < 2; asked++) {
        ask(CHAT, asked ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : ",\"stream\":true");
        start();
        GIVE(.channel = WEIR_USAGE, .usage = &one);
        GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_LENGTH);
        GIVE(.channel = WEIR_USAGE, .usage = &two);
        GIVE(.channel = WEIR_DONE_MARK);
        if (!asked) {
            weir_test_same(got, ROLE ENDED("length") DONE);
            continue;
        }
        weir_test_same(got,
                       HEAD "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
                            "\"finish_reason\":null}],\"usage\":null}\n\n" HEAD
                            "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\"}],\"usage\":null}"
                            "\n\n" HEAD "],\"usage\":{\"prompt_tokens\":15,\"completion_tokens\":8,\"total_tokens\":23,"
                            "\"prompt_tokens_details\":{\"cached_tokens\":4,\"cache_write_tokens\":1},\"completion_"
                            "tokens_details\":{\"reasoning_tokens\":2}}}\n\n" DONE);
    }
}
END_TEST

/* providers.md, bugs 1 and 17: places from 0 whatever the blocks are; no arguments are {}. */
START_TEST(test_bug_01_bug_17_calls)
{
    ask(CHAT, ",\"stream\":true");
    start();
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .tool_id = S("a"), .tool_name = S("f"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .text = S("{\"x\":"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 7, .tool_id = S("b"), .tool_name = S("g"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .text = S("1}"), .last = true);
    GIVE(.channel = WEIR_ARGUMENTS, .block = 7, .last = true);
    GIVE(.channel = WEIR_TEXT, .block = 9, .tool_id = S("c"), .tool_name = S("h"), .text = S("in"));
    GIVE(.channel = WEIR_TEXT, .block = 9, .text = S("put"), .last = true);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_STOP);
    GIVE(.channel = WEIR_DONE_MARK);
#define CALL(n, rest) DELTA("\"tool_calls\":[{\"index\":" n "," rest "}]")
    weir_test_same(
        got,
        ROLE CALL("0", "\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}")
            CALL("0", "\"function\":{\"arguments\":\"{\\\"x\\\":\"}")
                CALL("1", "\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}")
                    CALL("0", "\"function\":{\"arguments\":\"1}\"}") CALL("1", "\"function\":{\"arguments\":\"{}\"}")
                        CALL("2", "\"id\":\"c\",\"type\":\"custom\",\"custom\":{\"name\":\"h\",\"input\":\"in\"}")
                            CALL("2", "\"custom\":{\"input\":\"put\"}") ENDED("tool_calls") DONE);
}
END_TEST

/* Mistral's clients: a name in every piece of a call, usage unasked and never null. */
START_TEST(test_stream_for_mistral)
{
    struct weir_usage one = {10, 4, 1, 6, 2, -1, -1};

    weir_test_fact(&t, "header.user-agent", "speakeasy-sdk/typescript 2.7.0 2.884.13 1.0.0 @mistralai/mistralai");
    ask(CHAT, ",\"stream\":true");
    start();
    GIVE(.channel = WEIR_ARGUMENTS, .tool_id = S("a"), .tool_name = S("f"));
    GIVE(.channel = WEIR_ARGUMENTS, .text = S("{}"), .last = true);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS);
    GIVE(.channel = WEIR_USAGE, .usage = &one);
    GIVE(.channel = WEIR_DONE_MARK);
    weir_test_same(got,
                   ROLE CALL("0", "\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}")
                       CALL("0", "\"function\":{\"name\":\"\",\"arguments\":\"{}\"}") ENDED("tool_calls") HEAD
                   "],\"usage\":{\"prompt_tokens\":15,\"completion_tokens\":8,\"total_tokens\":23,"
                   "\"prompt_tokens_details\":{\"cached_tokens\":4,\"cache_write_tokens\":1},\"completion_"
                   "tokens_details\":{\"reasoning_tokens\":2}}}\n\n" DONE);
}
END_TEST

START_TEST(test_stream_of_reasoning)
{
    ask(CHAT, ",\"stream\":true");
    start();
    GIVE(.channel = WEIR_REASONING, .text = S("h"));
    GIVE(.channel = WEIR_REASONING, .text = S("m"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .detail = S("S"), .value = S("anthropic.signature"));
    GIVE(.channel = WEIR_OPAQUE, .block = 1, .detail = S("R"), .value = S("anthropic.redacted"));
    GIVE(.channel = WEIR_OPAQUE, .block = 2, .detail = S("T"), .value = S("gemini.thought"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .tool_id = S("c"), .tool_name = S("f"), .text = S("{}"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .block = 4, .detail = S("U"), .value = S("gemini.thought"));
    GIVE(.channel = WEIR_OPAQUE, .block = 5, .detail = S("V"), .value = S("acme.blob"));
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS);
    GIVE(.channel = WEIR_DONE_MARK);
#define DETAIL(d) DELTA("\"reasoning_details\":[{" d "}]")
    weir_test_same(
        got,
        ROLE DELTA("\"reasoning_content\":\"h\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"h\","
                   "\"index\":0}]")
            DELTA("\"reasoning_content\":\"m\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"m\","
                  "\"index\":0}]")
                DETAIL("\"type\":\"reasoning.text\",\"signature\":\"S\",\"format\":\"anthropic-claude-v1\",\"index\":0")
                    DETAIL("\"type\":\"reasoning.encrypted\",\"data\":\"R\",\"format\":\"anthropic-claude-v1\","
                           "\"index\":1")
                        DETAIL("\"type\":\"reasoning.encrypted\",\"data\":\"T\",\"id\":\"c\",\"format\":\"google-"
                               "gemini-v1\",\"index\":2")
                            CALL("0", "\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
                                      "\"{}\"}")
                                DETAIL("\"type\":\"reasoning.encrypted\",\"data\":\"U\",\"format\":\"google-gemini-"
                                       "v1\",\"index\":3")
                                    DETAIL("\"type\":\"reasoning.encrypted\",\"data\":\"V\",\"format\":\"weir:acme."
                                           "blob\",\"index\":4") ENDED("tool_calls") DONE);
}
END_TEST

/* Choices take turns; each begins with its role, and lacks nothing at the mark of the end. */
START_TEST(test_stream_of_choices)
{
    ask(CHAT, ",\"stream\":true,\"n\":2");
    start();
    GIVE(.channel = WEIR_TEXT, .choice = 1, .text = S("b"));
    GIVE(.channel = WEIR_TEXT, .text = S("a"));
    GIVE(.channel = WEIR_FINISH, .choice = 1, .finish = WEIR_FINISH_FILTERED);
    GIVE(.channel = WEIR_DONE_MARK);
    weir_test_same(
        got, ROLE HEAD "{\"index\":1,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
                       "\"finish_reason\":null}]}\n\n" HEAD
                       "{\"index\":1,\"delta\":{\"content\":\"b\"},\"logprobs\":null,\"finish_reason\":null}]}"
                       "\n\n" DELTA("\"content\":\"a\"") HEAD
        "{\"index\":1,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"content_filter\"}]}\n\n" ENDED("stop") DONE);
}
END_TEST

START_TEST(test_functions_of_old)
{
    ask(CHAT, ",\"stream\":true,\"functions\":[{\"name\":\"f\"}]");
    start();
    GIVE(.channel = WEIR_ARGUMENTS, .block = 1, .tool_id = S("a"), .tool_name = S("f"), .text = S("{}"), .last = true);
    ck_assert(!give((struct weir_event){.channel = WEIR_ARGUMENTS, .block = 2, .tool_name = S("g")}));
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS);
    GIVE(.channel = WEIR_DONE_MARK);
    weir_test_same(got,
                   ROLE DELTA("\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}") ENDED("function_call") DONE);
}
END_TEST

/* providers.md, bug 21: a failure is no end. */
START_TEST(test_bug_21_failed_is_not_finished)
{
    ask(CHAT, ",\"stream\":true");
    start();
    ck_assert(!give((struct weir_event){.channel = WEIR_FINISH, .finish = WEIR_FINISH_FAILED}));
    weir_test_same(got, ROLE);
}
END_TEST

START_TEST(test_start_without_names)
{
    ask(CHAT, ",\"stream\":true");
    GIVE(.channel = WEIR_START);
    weir_test_same(got, "data: {\"id\":\"chatcmpl-r1\",\"object\":\"chat.completion.chunk\",\"created\":17,\"model\":"
                        "\"asked\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                        "\"logprobs\":null,\"finish_reason\":null}]}\n\n");
}
END_TEST

/* ---- one body ---- */

START_TEST(test_body)
{
    struct weir_usage usage = {3, -1, -1, 4, -1, -1, -1};

    ask(CHAT, ",\"n\":2");
    start();
    GIVE(.channel = WEIR_TEXT, .choice = 1, .text = S("b"), .last = true);
    GIVE(.channel = WEIR_REASONING, .text = S("h"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .detail = S("S"), .value = S("bedrock.signature"));
    GIVE(.channel = WEIR_OPAQUE, .block = 1, .detail = S("T"), .value = S("gemini.thought"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 2, .tool_id = S("c"), .tool_name = S("f"), .last = true);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS);
    GIVE(.channel = WEIR_FINISH, .choice = 1, .finish = WEIR_FINISH_CONTEXT);
    GIVE(.channel = WEIR_USAGE, .usage = &usage);
    weir_test_same(got, "");
    GIVE(.channel = WEIR_DONE_MARK);
    weir_test_same(
        got,
        "{\"id\":\"id1\",\"object\":\"chat.completion\",\"created\":17,\"model\":\"m1\",\"choices\":[{\"index\":0,"
        "\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"reasoning_content\":\"h\",\"reasoning_"
        "details\":[{\"type\":\"reasoning.text\",\"text\":\"h\",\"signature\":\"S\",\"format\":\"bedrock-converse-v1\","
        "\"index\":0},{\"type\":\"reasoning.encrypted\",\"data\":\"T\",\"id\":\"c\",\"format\":\"google-gemini-v1\","
        "\"index\":1}],\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{}\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"},{\"index\":1,\"message\":{\"role\":"
        "\"assistant\",\"content\":\"b\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"length\"}],\"usage\":{"
        "\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}");
}
END_TEST

/* ---- embeddings ---- */

/* 1.0 is 00 00 80 3f, -0.5 is 00 00 00 bf in little-endian: AACAPwAAAL8=. */
START_TEST(test_bug_32_vectors_in_both_forms)
{
    struct weir_usage usage = {5, -1, -1, -1, -1, -1, -1};

    for (int base64 = 0; base64 < 2; base64++) {
        ask("/v1/embeddings", base64 ? ",\"encoding_format\":\"base64\"" : "");
        GIVE(.channel = WEIR_START, .value = S("m1"));
        GIVE(.channel = WEIR_VECTOR, .choice = 1, .text = S("[1.0, -5e-1]"), .last = true);
        GIVE(.channel = WEIR_VECTOR, .choice = 0, .text = S("AACAPwAAAL8="), .last = true);
        GIVE(.channel = WEIR_USAGE, .usage = &usage);
        GIVE(.channel = WEIR_DONE_MARK);
#define LIST(a, b)                                                                                                     \
    "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":" a "},{\"object\":"           \
    "\"embedding\",\"index\":1,\"embedding\":" b                                                                       \
    "}],\"model\":\"m1\",\"usage\":{\"prompt_tokens\":5,\"total_tokens\":"                                             \
    "5}}"
        weir_test_same(got, base64 ? LIST("\"AACAPwAAAL8=\"", "\"AACAPwAAAL8=\"") : LIST("[1,-0.5]", "[1.0, -5e-1]"));
    }
}
END_TEST

START_TEST(test_vectors_lengths)
{
    static const struct {
        const char *numbers, *base64;
    } cases[] = {{"[]", "\"\""}, {"[1]", "\"AACAPw==\""}, {"[1,1,1]", "\"AACAPwAAgD8AAIA/\""}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct emit m = {.t.c = &t.ctx};
        t.hook = WT_ANSWER;
        vector_put(&m, str_of(cases[i].numbers), true);
        weir_test_same(text_view(&m.t), cases[i].base64);
        t.hook = 0;
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("openai_write");
    TCase *c = tcase_create("openai_write");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_stream_of_text);
    tcase_add_test(c, test_bug_05_usage_when_asked);
    tcase_add_test(c, test_bug_01_bug_17_calls);
    tcase_add_test(c, test_stream_for_mistral);
    tcase_add_test(c, test_stream_of_reasoning);
    tcase_add_test(c, test_stream_of_choices);
    tcase_add_test(c, test_functions_of_old);
    tcase_add_test(c, test_bug_21_failed_is_not_finished);
    tcase_add_test(c, test_start_without_names);
    tcase_add_test(c, test_body);
    tcase_add_test(c, test_bug_32_vectors_in_both_forms);
    tcase_add_test(c, test_vectors_lengths);
    suite_add_tcase(s, c);
    return s;
}
