/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock_test.c -- what the mock serves, byte by byte where a client would care.  Requests are read by the openai
 * plugin's accept, as they are in the gateway.
 */
#include "../../plugins/providers/mock/chat.c"
#include "../../plugins/providers/mock/mock.c"
#include "../../plugins/providers/mock/rerank.c"
#include "../../plugins/providers/mock/script.c"
#include "../../plugins/providers/mock/vectors.c"
#include "../../plugins/providers/mock/wire.c"
#include "../../plugins/providers/openai/accept.c"
#include "../../plugins/providers/openai/accept_media.c"

#include "weir_test.h"

#include "unit.h"

static const struct weir_path paths[] = {
    {"POST", "/v1/chat/completions", WEIR_CHAT, NULL},
    {"POST", "/v1/completions", WEIR_COMPLETION, NULL},
    {"POST", "/v1/embeddings", WEIR_EMBEDDING, NULL},
    {"POST", "/v1/moderations", WEIR_MODERATION, NULL},
    {NULL, NULL, WEIR_CHAT, NULL},
};

/* The mock, with enough of the dialect around it to take requests.  The room keeps gcc from seeing where the struct
 * ends. */
static struct {
    struct weir_plugin table;
    char room[64];
} plugin;
static struct weir_test t;
static struct weir_error e;

static void refuse(struct weir_ctx *c, const struct weir_refusal *r)
{
    (void)c;
    (void)r;
}

static void setup(void)
{
    plugin.table = weir_plugin;
    plugin.table.accept = openai_accept;
    plugin.table.refuse = refuse;
    plugin.table.paths = paths;
    weir_test_init(&t, &plugin.table, "");
}

static void teardown(void)
{
    weir_test_fini(&t);
}

static void served_at(const char *path, const char *model, const char *body)
{
    struct weir_candidate to = weir_test_candidate("mock", model);

    ck_assert_msg(weir_test_accept(&t, "POST", path, body, &e), "%s", e.text);
    ck_assert(weir_test_serve(&t, &to));
}

/* A chat whose only message is `prompt`, already escaped; `more` are further members of the body, with a comma each. */
static void served(const char *model, const char *more, const char *prompt)
{
    char body[4096];

    snprintf(body, sizeof body, "{\"model\":\"m\",%s\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", more,
             prompt);
    served_at("/v1/chat/completions", model, body);
}

static bool has(const char *text)
{
    return memmem(t.served.ptr, t.served.len, text, strlen(text)) != NULL;
}

static bool ends(const char *text)
{
    size_t n = strlen(text);

    return t.served.len >= n && memcmp(t.served.ptr + t.served.len - n, text, n) == 0;
}

static int count(const char *text)
{
    const char *p = t.served.ptr, *end = p + t.served.len;
    int n = 0;

    for (; (p = memmem(p, (size_t)(end - p), text, strlen(text))) != NULL; p++)
        n++;
    return n;
}

/* The body behind the head, whose content-length must be right. */
static struct weir_str whole(int status)
{
    const char *head_end = memmem(t.served.ptr, t.served.len, "\r\n\r\n", 4);
    const char *length = memmem(t.served.ptr, t.served.len, "content-length: ", 16);
    char line[32];
    struct weir_str body;

    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    ck_assert(t.served.len > strlen(line) && memcmp(t.served.ptr, line, strlen(line)) == 0);
    ck_assert(head_end && length && length < head_end);
    body = (struct weir_str){head_end + 4, t.served.len - (size_t)(head_end + 4 - t.served.ptr)};
    ck_assert_uint_eq((size_t)strtol(length + 16, NULL, 10), body.len);
    return body;
}

/* A chunked body put together; every chunk size must be right. */
static struct weir_str unchunked(void)
{
    static struct weir_test_buf out;
    const char *p = memmem(t.served.ptr, t.served.len, "\r\n\r\n", 4), *end = t.served.ptr + t.served.len;
    size_t n;

    out.len = 0;
    ck_assert(p && memmem(t.served.ptr, (size_t)(p - t.served.ptr), "transfer-encoding: chunked", 26));
    p += 4;
    do {
        char *after;
        n = (size_t)strtoul(p, &after, 16);
        ck_assert(after > p && memcmp(after, "\r\n", 2) == 0 && n <= (size_t)(end - after - 4));
        wt_add(&out, (struct weir_str){after + 2, n});
        p = after + 2 + n;
        ck_assert(memcmp(p, "\r\n", 2) == 0);
        p += 2;
    } while (n);
    ck_assert(p == end);
    return wt_view(&out);
}

/* ---- echo ---- */

#define MESSAGE_TAIL ",\"refusal\":null},\"logprobs\":null,\"finish_reason\":"

START_TEST(test_echo_whole)
{
    served("mock/echo", "", "h\\u00e9 \\\"you\\\"\\n");
    /* 11 bytes of prompt and as many of answer: three tokens each */
    weir_test_same(
        whole(200),
        "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1750000000,\"model\":\"mock/echo\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"h\xc3\xa9 "
        "\\\"you\\\"\\n\"" MESSAGE_TAIL
        "\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":3,\"total_tokens\":6,"
        "\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}}}");
}
END_TEST

START_TEST(test_echo_last_user_text_as_edited)
{
    served_at("/v1/chat/completions", "echo",
              "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"first\"},{\"role\":\"assistant\","
              "\"content\":\"x\"},{\"role\":"
              "\"user\",\"name\":\"n\",\"content\":[{\"type\":\"text\",\"text\":\"second\"},{\"type\":\"image_url\","
              "\"image_url\":{\"url\":"
              "\"https://i.test\"}}]},{\"role\":\"assistant\",\"content\":\"y\"}]}");
    ck_assert(has("\"content\":\"second\""));
    served_at("/v1/chat/completions", "echo",
              "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]}");
    ck_assert(has("\"content\":\"\""));
}
END_TEST

#define RECORD(delta, finish)                                                                                          \
    "data: "                                                                                                           \
    "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1750000000,\"model\":\"mock/"          \
    "echo\",\"choices\":["                                                                                             \
    "{\"index\":0,\"delta\":{" delta "},\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"

START_TEST(test_echo_streamed)
{
    served("mock/echo", "\"stream\":true,", "one two\\nthree");
    weir_test_same(unchunked(),
                   RECORD("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null", "null")
                       RECORD("\"content\":\"one \"", "null") RECORD("\"content\":\"two\\n\"", "null")
                           RECORD("\"content\":\"three\"", "null") RECORD("", "\"stop\"") "data: [DONE]\n\n");
    ck_assert(has("content-type: text/event-stream; charset=utf-8\r\n"));
}
END_TEST

START_TEST(test_stream_usage_and_n)
{
    struct weir_str s;

    served("echo", "\"n\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true},", "ab cdef");
    s = unchunked();
    /* 7 bytes in: 2 tokens; 7 bytes out: 2 tokens, twice */
    ck_assert(memmem(s.ptr, s.len,
                     "\"choices\":[],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":4,\"total_tokens\":6,", 74));
    ck_assert_int_eq(count("\"usage\":null"), 8);
    ck_assert_int_eq(count("{\"index\":1,"), 4);
    ck_assert_int_eq(count("\"finish_reason\":\"stop\""), 2);
}
END_TEST

START_TEST(test_chunks_cut_between_characters)
{
    served("echo?chunks=3", "\"stream\":true,", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
    /* 8 bytes: shares end at 2, 5 and 8, or at the next whole character */
    ck_assert_int_eq(count("\"delta\":{\"content\":\"\xc3\xa9\xc3\xa9\"}"), 1);
    ck_assert_int_eq(count("\"delta\":{\"content\":\"\xc3\xa9\"}"), 2);
    served("echo?repeat=3", "", "ab");
    ck_assert(has("\"content\":\"ababab\""));
}
END_TEST

START_TEST(test_limit_by_max_tokens)
{
    served("echo", "\"max_tokens\":1,", "12345678");
    ck_assert(has("\"content\":\"1234\"" MESSAGE_TAIL "\"length\""));
    ck_assert(has("\"completion_tokens\":1,"));
}
END_TEST

/* ---- the other models ---- */

START_TEST(test_lorem)
{
    served("mock/lorem?words=3", "", "x");
    ck_assert(has("\"content\":\"Lorem ipsum dolor\""));
    served("mock/lorem?chunks=100", "\"stream\":true,", "x");
    ck_assert_int_eq(count("\"delta\":{\"content\":\""), 100);
    unchunked();
    served("mock/lorem?bytes=10k&chunks=4", "\"stream\":true,", "x");
    ck_assert_int_eq(count("\"delta\":{\"content\":\""), 4);
    ck_assert(unchunked().len > 10240);
}
END_TEST

START_TEST(test_tools)
{
    const char *tools = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look_up\"}}],";

    served("mock/tools", tools, "{\\\"city\\\":\\\"Rome\\\"}");
    ck_assert(has("\"content\":null,\"tool_calls\":[{\"id\":\"call_mock_0\",\"type\":\"function\",\"function\":{"
                  "\"name\":\"look_up\","
                  "\"arguments\":\"{\\\"city\\\":\\\"Rome\\\"}\"}}]" MESSAGE_TAIL "\"tool_calls\""));
    served("mock/tools?calls=2", "", "say \\\"x\\\"");
    ck_assert(has("\"name\":\"mock_tool\",\"arguments\":\"{\\\"text\\\":\\\"say "
                  "\\\\\\\"x\\\\\\\"\\\"}\"}},{\"id\":\"call_mock_1\""));
    served("mock/tools?calls=2&chunks=2", "\"stream\":true,", "{\\\"a\\\":1}");
    /* 7 bytes in two shares: 3 and 4 */
    ck_assert(has("{\"tool_calls\":[{\"index\":0,\"id\":\"call_mock_0\",\"type\":\"function\",\"function\":{\"name\":"
                  "\"mock_tool\",\"arguments\":\"{\\\"a\"}}]}"));
    ck_assert(has("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\":1}\"}}]}"));
    ck_assert(has("{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"\\\":1}\"}}]}"));
    ck_assert(has("\"finish_reason\":\"tool_calls\""));
    served_at("/v1/chat/completions", "mock/tools",
              "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\","
              "\"content\":null,\"tool_calls\":[]},"
              "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"42 degrees\"}]}");
    ck_assert(has("\"content\":\"42 degrees\"" MESSAGE_TAIL "\"stop\""));
}
END_TEST

START_TEST(test_reasoning)
{
    served("mock/reasoning", "", "why");
    ck_assert(has("\"content\":\"why\",\"reasoning_content\":\"The user wrote: why\""));
    /* 19 bytes of thought: 5 tokens; 3 bytes of text: 1 */
    ck_assert(has("\"completion_tokens\":6,"));
    ck_assert(has("\"reasoning_tokens\":5}"));
    served("mock/reasoning", "\"stream\":true,", "why");
    ck_assert(has("\"delta\":{\"reasoning_content\":\"The \"}"));
    served("mock/echo?cached=1&reasoning=7&finish=content_filter", "", "12345678");
    ck_assert(has("\"cached_tokens\":1}") && has("\"reasoning_tokens\":7}") && has("\"completion_tokens\":9,"));
    ck_assert(has("\"finish_reason\":\"content_filter\""));
}
END_TEST

START_TEST(test_legacy_completions)
{
    served_at("/v1/completions", "mock/echo", "{\"model\":\"m\",\"prompt\":\"say it\"}");
    weir_test_same(whole(200),
                   "{\"id\":\"cmpl-mock\",\"object\":\"text_completion\",\"created\":1750000000,\"model\":\"mock/"
                   "echo\",\"choices\":"
                   "[{\"index\":0,\"text\":\"say "
                   "it\",\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":2,"
                   "\"completion_tokens\":2,\"total_tokens\":4,\"prompt_tokens_details\":{\"cached_tokens\":0},"
                   "\"completion_tokens_details\":{\"reasoning_tokens\":0}}}");
    served_at("/v1/completions", "mock/echo", "{\"model\":\"m\",\"stream\":true,\"prompt\":\"say it\"}");
    ck_assert(has("{\"index\":0,\"text\":\"say \",\"logprobs\":null,\"finish_reason\":null}]}"));
    ck_assert(has("{\"index\":0,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"stop\"}]}"));
    ck_assert(!has("delta"));
}
END_TEST

/* Computed once with Python: FNV-1a of the text, splitmix64, (z % 2001 - 1000) / 1000 as float32, then unit length. */
#define HELLO        "0.0432956591,-0.713998616,0.69880718"
#define EMPTY        "0.635584891,-0.370284945,0.677437007"
#define HELLO_BASE64 "ylYxPZ3INr8H5TI/"
START_TEST(test_embeddings)
{
    struct weir_str body;

    served_at("/v1/embeddings", "mock/embed",
              "{\"model\":\"m\",\"input\":[\"hello\",\"\",\"hello\"],\"dimensions\":3}");
    weir_test_same(whole(200), "{\"object\":\"list\",\"data\":["
                               "{\"object\":\"embedding\",\"index\":0,\"embedding\":[" HELLO "]},"
                               "{\"object\":\"embedding\",\"index\":1,\"embedding\":[" EMPTY "]},"
                               "{\"object\":\"embedding\",\"index\":2,\"embedding\":[" HELLO "]}],"
                               "\"model\":\"mock/embed\",\"usage\":{\"prompt_tokens\":3,\"total_tokens\":3}}");
    served_at("/v1/embeddings", "mock/embed",
              "{\"model\":\"m\",\"input\":\"hello\",\"dimensions\":3,\"encoding_format\":\"base64\"}");
    ck_assert(has("\"embedding\":\"" HELLO_BASE64 "\""));
    served_at("/v1/embeddings", "mock/embed", "{\"model\":\"m\",\"input\":[[1,2],[3]]}");
    body = whole(200);
    ck_assert_int_eq(count("\"object\":\"embedding\""), 2);
    served_at("/v1/embeddings", "mock/embed", "{\"model\":\"m\",\"input\":[1,2,3]}");
    ck_assert_int_eq(count("\"object\":\"embedding\""), 1);
    ck_assert(body.len > 0);
}
END_TEST

START_TEST(test_moderations)
{
    served_at("/v1/moderations", "mock/echo", "{\"input\":[\"nice\",\"all violence here\"]}");
    ck_assert(has("\"results\":[{\"flagged\":false,\"categories\":{\"harassment\":false,"));
    ck_assert(has("{\"flagged\":true,"));
    ck_assert(has("\"violence\":true,\"violence/graphic\":false}"));
    ck_assert(has("\"violence\":0.99,\"violence/graphic\":0.01}"));
    whole(200);
}
END_TEST

/* ---- steering ---- */

START_TEST(test_statuses)
{
    served("mock/status/429", "", "x");
    weir_test_same(
        whole(429),
        "{\"error\":{\"message\":\"mock: the status that was asked for\",\"type\":\"requests\",\"param\":null,"
        "\"code\":\"rate_limit_exceeded\"}}");
    ck_assert(has("retry-after: 1\r\n"));
    served("mock/status/503?retry=7", "\"stream\":true,", "x");
    whole(503);
    ck_assert(has("retry-after: 7\r\n") && has("\"type\":\"server_error\""));
    served("mock/echo", "", "[[status=401]] x");
    whole(401);
    ck_assert(has("\"code\":\"invalid_api_key\"") && !has("retry-after"));
    served("mock/status/302", "", "x");
    ck_assert(has("location: "));
}
END_TEST

START_TEST(test_prompt_directives)
{
    served("mock/echo", "\"stream\":true,", "[[chunks=2 finish=length]]\\nabcd");
    ck_assert(has("\"content\":\"ab\"") && has("\"content\":\"cd\"") && has("\"finish_reason\":\"length\""));
    served("mock/echo?chunks=1", "\"stream\":true,", "[[chunks=4]]abcd");
    ck_assert(has("\"content\":\"a\""));
    served("mock/echo", "", "see [[chunks=2]]");
    ck_assert(has("\"content\":\"see [[chunks=2]]\""));
}
END_TEST

START_TEST(test_mistakes_are_said)
{
    static const struct {
        const char *model, *prompt, *text;
        int status;
    } bad[] = {
        {"mock/nothing", "", "mock: no such model: 'mock/nothing'", 404},
        {"mock/echo/x", "", "mock: no such model: 'mock/echo/x'", 404},
        {"mock/echo?firts=1", "", "mock: unknown key: 'firts'", 404},
        {"mock/echo?first=1h", "", "mock: no such number here: '1h'", 404},
        {"mock/echo?chunks=0", "", "mock: no such number here: '0'", 404},
        {"mock/echo?words=99999999999999999999", "", "mock: no such number here: '99999999999999999999'", 404},
        {"mock/fault/nothing", "", "mock: no such fault: 'nothing'", 404},
        {"mock/status/", "", "mock: no such number here: ''", 404},
        {"mock/echo", "[[fault]]", "mock: not of the form key=value: 'fault'", 400},
        {"mock/echo", "[[fault=cut", "mock: [[ without ]]: '[[fault=cut'", 400},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        served(bad[i].model, "\"stream\":true,", bad[i].prompt);
        whole(bad[i].status);
        ck_assert_msg(has(bad[i].text), "%s %s", bad[i].model, bad[i].prompt);
    }
}
END_TEST

START_TEST(test_delays)
{
    served("echo?first=200ms&chunk=10ms", "\"stream\":true,", "a b c");
    /* the head, then a pause behind each of three pieces */
    ck_assert_uint_eq(t.clock_ms, 230);
    unchunked();
    served("echo?first=2s", "", "a");
    ck_assert_uint_eq(t.clock_ms, 2000);
}
END_TEST

/* ---- faults ---- */

START_TEST(test_faults_of_streams)
{
    served("mock/fault/cut", "\"stream\":true,", "a b c");
    ck_assert(ends("\"choices\":[{\"index\":0,\"de") && has("\"content\":\"b \"") && !has("\"content\":\"c\""));
    served("echo?fault=half", "\"stream\":true,", "a b c");
    ck_assert(memmem(unchunked().ptr, unchunked().len, "\"delta\":{\"content\":\"b \"}", 24) && !has("[DONE]"));
    served("echo?fault=nofinish&at=1", "\"stream\":true,", "a b c");
    unchunked();
    ck_assert(has("\"content\":\"a \"") && !has("\"content\":\"b \"") && !has("\"stop\"") && !has("[DONE]"));
    served("echo?fault=nodone", "\"stream\":true,", "a b c");
    unchunked();
    ck_assert(has("\"stop\"") && !has("[DONE]"));
    served("echo?fault=json", "\"stream\":true,", "a b c");
    unchunked();
    ck_assert(has("\"choices\":[{]}") && has("[DONE]"));
    served("echo?fault=chunk&at=0", "\"stream\":true,", "a b c");
    ck_assert(has("10zz\r\n") && !has("\"content\":\"a \""));
    served("echo?fault=error", "\"stream\":true,", "a b c");
    unchunked();
    ck_assert(has("data: {\"error\":{\"message\":\"mock: error in the stream\"") && !has("[DONE]"));
    served("echo?fault=type", "\"stream\":true,", "a b c");
    ck_assert(has("content-type: text/html\r\n"));
    served("echo?fault=head", "\"stream\":true,", "a b c");
    ck_assert_int_eq(count("content-length: "), 2);
    served("echo?fault=drop", "\"stream\":true,", "a b c");
    ck_assert_uint_eq(t.served.len, 0);
    served("echo?fault=cut&at=99", "\"stream\":true,", "a");
    ck_assert(has("\"content\":\"a\"") && !has("\"stop\"") && !has("[DONE]"));
}
END_TEST

START_TEST(test_faults_of_whole_answers)
{
    static const char *const faults[] = {"cut", "half", "json", "type", "head"};
    char model[64];

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        snprintf(model, sizeof model, "mock/fault/%s", faults[i]);
        served(model, "", "abc");
        ck_assert_msg(!ends("}}}"), "%s", faults[i]);
    }
    served("mock/fault/chunk", "", "abc");
    ck_assert(has("transfer-encoding: chunked\r\n\r\n10zz\r\n"));
    served("mock/fault/error", "", "abc");
    whole(200);
    ck_assert(has("\"message\":\"mock: error in the answer\""));
    served("mock/fault/nofinish", "", "abc");
    whole(200);
    ck_assert(has("\"finish_reason\":null"));
}
END_TEST

START_TEST(test_hanging)
{
    struct weir_candidate to = weir_test_candidate("mock", "mock/fault/hang");

    ck_assert(weir_test_accept(
        &t, "POST", "/v1/chat/completions",
        "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"a b c\"}]}", &e));
    ck_assert(!weir_test_serve(&t, &to));
    ck_assert(has("\"content\":\"b \"") && !has("\"content\":\"c\""));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("mock");
    TCase *c = tcase_create("mock");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_echo_whole);
    tcase_add_test(c, test_echo_last_user_text_as_edited);
    tcase_add_test(c, test_echo_streamed);
    tcase_add_test(c, test_stream_usage_and_n);
    tcase_add_test(c, test_chunks_cut_between_characters);
    tcase_add_test(c, test_limit_by_max_tokens);
    tcase_add_test(c, test_lorem);
    tcase_add_test(c, test_tools);
    tcase_add_test(c, test_reasoning);
    tcase_add_test(c, test_legacy_completions);
    tcase_add_test(c, test_embeddings);
    tcase_add_test(c, test_moderations);
    tcase_add_test(c, test_statuses);
    tcase_add_test(c, test_prompt_directives);
    tcase_add_test(c, test_mistakes_are_said);
    tcase_add_test(c, test_delays);
    tcase_add_test(c, test_faults_of_streams);
    tcase_add_test(c, test_faults_of_whole_answers);
    tcase_add_test(c, test_hanging);
    suite_add_tcase(s, c);
    return s;
}
