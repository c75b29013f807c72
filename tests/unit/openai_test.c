/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai_test.c -- the openai plugin against hand-written bodies, records and bytes.  Recorded traffic is in
 * tests/golden/; hostile bytes are in tests/fuzz/openai_*.c.
 */
#include "openai_all.h"
#include "unit.h"

#define CHAT "/v1/chat/completions"

static struct weir_test t;
static struct weir_error e;

static void setup(void)
{
    weir_test_init(&t, &weir_plugin, "key = sk-test");
}

static void teardown(void)
{
    weir_test_fini(&t);
}

static bool chat(const char *body)
{
    return weir_test_accept(&t, "POST", CHAT, body, &e);
}

/* ---- accept ---- */

START_TEST(test_accept_reads_what_the_host_needs)
{
    ck_assert(chat("{\"model\":\"gpt-4o\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":7,"
                   "\"max_completion_tokens\":100,\"n\":3,\"messages\":[]}"));
    weir_test_same(t.request.model, "gpt-4o");
    ck_assert_uint_eq(t.request.model_at, 10);
    ck_assert_uint_eq(t.request.model_len, 6);
    ck_assert(t.request.stream && t.request.usage_asked);
    ck_assert_int_eq(t.request.max_output, 100);
    ck_assert_uint_eq(t.request.choices, 3);
    ck_assert(chat(
        "{\"max_completion_tokens\":null,\"max_tokens\":7,\"messages\":[],\"model\":\"a\\u002fb\",\"stream\":null}"));
    weir_test_same(t.request.model, "a/b");
    ck_assert_int_eq(t.request.max_output, 7);
    ck_assert(!t.request.stream && !t.request.usage_asked);
}
END_TEST

/* One line a span: where, message, part, "inner" for JSON in a string, text. */
static void spans_are(const char *want)
{
    static const char *const where[] = {"system", "user", "assistant", "call", "result", "document", "other"};
    char got[8192] = "";
    size_t n = 0;

    for (size_t i = 0; i < weir_test_span_count(&t); i++) {
        const struct weir_span *s = weir_test_span(&t, i);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %u %u%s %.*s\n", where[s->where], s->message, s->part,
                              s->form == WEIR_INNER_JSON ? " inner" : "", (int)s->text.len, s->text.ptr);
        ck_assert_uint_lt(n, sizeof got);
    }
    ck_assert_str_eq(got, want);
}

START_TEST(test_accept_spans_of_messages)
{
    ck_assert(chat(
        "{\"model\":\"m\",\"messages\":["
        "{\"role\":\"system\",\"content\":\"rules\"},"
        "{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"more rules\"}]},"
        "{\"role\":\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\",\"text\":\"look\\n\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.test/i?k=secret\",\"detail\":\"low\"}},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,QUJD\"}},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:text/plain,secret\"}},"
        "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\",\"format\":\"wav\"}},"
        "{\"type\":\"file\",\"file\":{\"file_data\":\"data:application/pdf;base64,QUJD\",\"filename\":\"cv.pdf\"}}]},"
        "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\",\"tool_calls\":[{\"id\":\"call_1\",\"type\":"
        "\"function\","
        "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"b\\\"}\"}},{\"id\":\"call_2\",\"type\":\"custom\","
        "\"custom\":{\"name\":\"g\",\"input\":\"free\"}}]},"
        "{\"role\":\"assistant\",\"reasoning_content\":\"hm\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"never\"}"
        "]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"42\"},"
        "{\"role\":\"function\",\"name\":\"old\",\"content\":\"43\"}]}"));
    spans_are("system 0 0 rules\n"
              "system 1 0 more rules\n"
              "other 2 0 ann\n"
              "user 2 0 look\n\n"
              "document 2 1 https://x.test/i?k=secret\n"
              "document 2 3 data:text/plain,secret\n"
              "document 2 5 cv.pdf\n"
              "assistant 3 0 no\n"
              "other 3 0 f\n"
              "call 3 0 inner a\n"
              "call 3 0 inner b\n"
              "other 3 1 g\n"
              "call 3 1 free\n"
              "assistant 4 0 hm\n"
              "assistant 4 0 never\n"
              "result 5 0 42\n"
              "other 6 0 old\n"
              "result 6 0 43\n");
}
END_TEST

START_TEST(test_accept_spans_of_the_rest)
{
    ck_assert(chat(
        "{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"description\":\"does\","
        "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"description\":\"where\"}}},\"strict\":true}}],"
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},\"user\":\"u1\",\"metadata\":{\"k\":"
        "\"v\"},"
        "\"stop\":[\"END\"],\"temperature\":0.5,\"reasoning_effort\":\"low\","
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\"}},"
        "\"prediction\":{\"type\":\"content\",\"content\":[{\"type\":\"text\",\"text\":\"guess\"}]}}"));
    spans_are("other 0 0 f\nother 0 0 does\n"
              "other 0 0 type\nother 0 0 object\nother 0 0 properties\nother 0 0 city\nother 0 0 description\nother 0 "
              "0 where\n"
              "other 0 0 f\nother 0 0 u1\nother 0 0 k\nother 0 0 v\nother 0 0 END\n"
              "other 0 0 name\nother 0 0 s\n"
              "other 0 0 guess\n");
}
END_TEST

/* What no table knows is text, its key too; so is an enumeration that is too long to be one. */
START_TEST(test_accept_unknown_members_are_text)
{
    ck_assert(chat("{\"model\":\"m\",\"documents\":[{\"title\":\"a\"}],\"messages\":[{\"role\":\"user\",\"content\":["
                   "\"bare\",{\"type\":"
                   "\"video\",\"video\":{\"url\":\"v\"}}],\"thoughts\":[\"b\",[\"c\"]]}],\"reasoning_effort\":"
                   "\"0123456789012345678901234567890123456789012345678901234567890123456789\"}"));
    spans_are("other 0 0 documents\nother 0 0 title\nother 0 0 a\n"
              "user 0 0 bare\nuser 0 1 video\nuser 0 1 url\nuser 0 1 v\nuser 0 0 thoughts\nuser 0 0 b\nuser 0 0 c\n"
              "other 0 0 0123456789012345678901234567890123456789012345678901234567890123456789\n");
}
END_TEST

START_TEST(test_accept_other_paths)
{
    ck_assert(
        weir_test_accept(&t, "POST", "/v1/completions", "{\"model\":\"m\",\"prompt\":\"one\",\"suffix\":\"two\"}", &e));
    spans_are("user 0 0 one\nother 0 0 two\n");
    ck_assert(weir_test_accept(&t, "POST", "/v1/completions", "{\"model\":\"m\",\"prompt\":[\"a\",\"b\"]}", &e));
    spans_are("user 0 0 a\nuser 1 0 b\n");
    ck_assert(weir_test_accept(&t, "POST", "/v1/completions", "{\"model\":\"m\",\"prompt\":[1,2,3]}", &e));
    spans_are("");
    ck_assert(weir_test_accept(&t, "POST", "/v1/embeddings",
                               "{\"model\":\"m\",\"input\":[\"x\",\"y\"],\"encoding_format\":\"base64\"}", &e));
    spans_are("document 0 0 x\ndocument 1 0 y\n");
    ck_assert(
        weir_test_accept(&t, "POST", "/v1/moderations", "{\"input\":[{\"type\":\"text\",\"text\":\"bad?\"}]}", &e));
    spans_are("user 0 0 bad?\n");
    weir_test_same(t.request.model, "omni-moderation-latest");
    ck_assert(weir_test_accept(&t, "GET", "/v1/models", NULL, &e));
    ck_assert(weir_test_accept(&t, "GET", "/v1/models/meta/llama%2F3%20b", NULL, &e));
    weir_test_same(t.request.model, "meta/llama/3 b");
    ck_assert(!weir_test_accept(&t, "GET", "/v1/models/a%00b", NULL, &e));
}
END_TEST

static const struct {
    const char *body, *field, *code, *text;
} bad[] = {
    {"[]", "", "invalid_json", "The body must be a JSON object."},
    {"{\"messages\":[]}", "model", "missing_required_parameter", "Missing required parameter: 'model'."},
    {"{\"model\":\"m\"}", "messages", "missing_required_parameter", "Missing required parameter: 'messages'."},
    {"{\"model\":7,\"messages\":[]}", "model", "invalid_type",
     "Invalid type for 'model': expected a string, but got a number instead."},
    {"{\"model\":\"m\",\"messages\":\"hi\"}", "messages", "invalid_type",
     "Invalid type for 'messages': expected an array, but got a string instead."},
    {"{\"model\":\"m\",\"messages\":[\"hi\"]}", "messages[0]", "invalid_type",
     "Invalid type for 'messages[0]': expected an object, but got a string instead."},
    {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":{}}]}", "messages[0].content", "invalid_type",
     "Invalid type for 'messages[0].content': expected a string or an array or null, but got an object instead."},
    {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{},{\"text\":1}]}]}",
     "messages[0].content[1].text", "invalid_type",
     "Invalid type for 'messages[0].content[1].text': expected a string, but got a number instead."},
    {"{\"model\":\"m\",\"messages\":[],\"stream\":\"true\"}", "stream", "invalid_type",
     "Invalid type for 'stream': expected a boolean or null, but got a string instead."},
    {"{\"model\":\"m\",\"messages\":[],\"n\":1.5}", "n", "invalid_type",
     "Invalid type for 'n': expected an integer, but got another number instead."},
    {"{\"model\":\"m\",\"messages\":[],\"stream_options\":{\"include_usage\":1}}", "stream_options.include_usage",
     "invalid_type",
     "Invalid type for 'stream_options.include_usage': expected a boolean or null, but got a number instead."},
    {"{\"model\":\"m\",\"messages\":[],\"Model\":\"other\"}", "Model", "unknown_parameter",
     "Unknown parameter: 'Model'. Did you mean 'model'?"},
    {"{\"model\":\"m\",\"messages\":[],\"str\\u0065am\":true}", "str\\u0065am", "unknown_parameter",
     "Parameter 'str\\u0065am' is spelled with escapes, which is not accepted."},
    {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"CONTENT\":\"x\"}]}", "messages[0].CONTENT",
     "unknown_parameter", "Unknown parameter: 'messages[0].CONTENT'. Did you mean 'content'?"},
    {"{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"Arguments\":\"\"}}]}]}",
     "messages[0].tool_calls[0].function.Arguments", "unknown_parameter",
     "Unknown parameter: 'messages[0].tool_calls[0].function.Arguments'. Did you mean 'arguments'?"},
};

START_TEST(test_accept_refuses)
{
    ck_assert_msg(!chat(bad[_i].body), "%s", bad[_i].body);
    ck_assert_str_eq(e.field, bad[_i].field);
    ck_assert_str_eq(e.code, bad[_i].code);
    ck_assert_str_eq(e.text, bad[_i].text);
}
END_TEST

/* ---- encode ---- */

#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":\"h\\u0069\"}]"
#define ASKED    "\"stream_options\":{\"include_usage\":true}"

static const struct {
    const char *options, *model, *body, *want;
} sent[] = {
    {"", "m", "{ \"model\" : \"m\", " MESSAGES ",\"seed\":123456789012345678901234567890,\"x\":1.0 }\n",
     "{ \"model\" : \"m\", " MESSAGES ",\"seed\":123456789012345678901234567890,\"x\":1.0 }\n"},
    {"", "up\"m", "{\"model\":\"m\"," MESSAGES "}", "{\"model\":\"up\\\"m\"," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":true," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true," ASKED "," MESSAGES "}"},
    {"", "m", "{" MESSAGES ",\"model\":\"m\",\"stream\":true}",
     "{" MESSAGES ",\"model\":\"m\",\"stream\":true," ASKED "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":true,\"stream_options\":{}," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true," ASKED "," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":true,\"stream_options\":{ }," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true }," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":true,\"stream_options\":null," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true," ASKED "," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream_options\":{\"include_usage\":false},\"stream\":true," MESSAGES "}",
     "{\"model\":\"m\"," ASKED ",\"stream\":true," MESSAGES "}"},
    {"", "m",
     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false,\"include_usage\":null}"
     "," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false,\"include_usage\":true}"
     "," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}"
     "," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":true," ASKED "," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true," ASKED "," MESSAGES "}"},
    {"", "m", "{\"model\":\"m\",\"stream\":false," MESSAGES "}", "{\"model\":\"m\",\"stream\":false," MESSAGES "}"},
    {"include_usage = false", "m", "{\"model\":\"m\",\"stream\":true," MESSAGES "}",
     "{\"model\":\"m\",\"stream\":true," MESSAGES "}"},
};

START_TEST(test_encode_bytes)
{
    struct weir_candidate to = weir_test_candidate("p", sent[_i].model);

    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, sent[_i].options);
    ck_assert(chat(sent[_i].body));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), sent[_i].want);
}
END_TEST

START_TEST(test_encode_moderation_without_model)
{
    struct weir_candidate same = weir_test_candidate("p", "omni-moderation-latest"),
                          other = weir_test_candidate("p", "text");

    ck_assert(weir_test_accept(&t, "POST", "/v1/moderations", " {\"input\":\"x\"}", &e));
    weir_test_verdict(weir_test_encode(&t, &same, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), " {\"input\":\"x\"}");
    weir_test_verdict(weir_test_encode(&t, &other, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), " {\"model\":\"text\",\"input\":\"x\"}");
}
END_TEST

START_TEST(test_encode_headers)
{
    static const struct {
        const char *path, *body, *url;
    } paths[] = {
        {CHAT, "{\"model\":\"m\",\"messages\":[]}", "http://h:1/v1/chat/completions"},
        {"/v1/completions", "{\"model\":\"m\"}", "http://h:1/v1/completions"},
        {"/v1/embeddings", "{\"model\":\"m\",\"input\":\"\"}", "http://h:1/v1/embeddings"},
        {"/v1/moderations", "{\"input\":\"\"}", "http://h:1/v1/moderations"},
    };
    struct weir_candidate to = weir_test_candidate("p", "m");

    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, "key = sk-1; url = \"http://h:1/v1//\"; organization = o; project = p");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ck_assert(weir_test_accept(&t, "POST", paths[i].path, paths[i].body, &e));
        weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
        weir_test_same(t.http_method, "POST");
        weir_test_same(t.http_url, paths[i].url);
        weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer sk-1");
        weir_test_same(weir_test_http_header(&t, "content-type"), "application/json");
        weir_test_same(weir_test_http_header(&t, "openai-organization"), "o");
        weir_test_same(weir_test_http_header(&t, "openai-project"), "p");
    }
    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, "key = sk-1; auth = api-key");
    ck_assert(chat("{\"model\":\"m\",\"messages\":[]}"));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_url, "https://api.openai.com/v1/chat/completions");
    weir_test_same(weir_test_http_header(&t, "api-key"), "sk-1");
    weir_test_same(weir_test_http_header(&t, "authorization"), "");
    weir_test_same(weir_test_http_header(&t, "openai-project"), "");
    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, "key = sk-1; auth = none");
    ck_assert(chat("{\"model\":\"m\",\"messages\":[]}"));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http_header(&t, "authorization"), "");
    weir_test_same(weir_test_http_header(&t, "api-key"), "");
}
END_TEST

/* ---- decode: what a stream comes to ---- */

/* One line an event: channel, choice, block, "copy", "last", then text, detail or counts. */
static const char *events(void)
{
    static const char *const channel[] = {"text", "reasoning", "arguments", "usage", "finish", "error", "done"};
    static char got[8192];
    size_t n = 0;

    got[0] = '\0';
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *x = weir_test_event(&t, i);
        const struct weir_event *ev = &x->event;
        const struct weir_usage *u = ev->usage;
        struct weir_str say = ev->detail.len ? ev->detail : x->text;
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %u %u%s%s", channel[ev->channel], ev->choice, ev->block,
                              ev->copy ? " copy" : "", ev->last ? " last" : "");
        if (ev->tool_id.len || ev->tool_name.len)
            n += (size_t)snprintf(got + n, sizeof got - n, " %.*s/%.*s", (int)ev->tool_id.len, ev->tool_id.ptr,
                                  (int)ev->tool_name.len, ev->tool_name.ptr);
        if (u)
            n += (size_t)snprintf(got + n, sizeof got - n, " %lld %lld %lld %lld %lld %lld %lld", (long long)u->input,
                                  (long long)u->cache_read, (long long)u->cache_write, (long long)u->output,
                                  (long long)u->reasoning, (long long)u->audio_in, (long long)u->audio_out);
        if (say.len)
            n += (size_t)snprintf(got + n, sizeof got - n, " %.*s", (int)say.len, say.ptr);
        n += (size_t)snprintf(got + n, sizeof got - n, "\n");
        ck_assert_uint_lt(n, sizeof got);
    }
    return got;
}

static void stream_begin(bool usage_asked)
{
    ck_assert(chat(usage_asked ? "{\"model\":\"m\",\"stream\":true," ASKED "," MESSAGES "}"
                               : "{\"model\":\"m\",\"stream\":true," MESSAGES "}"));
}

/* Everything reaches the client as it came, and means `want`. */
static void stream_means(const char *sse, const char *want)
{
    stream_begin(true);
    ck_assert_msg(weir_test_decode_stream(&t, sse, &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_same(t.client, sse);
}

#define CHUNK(delta)                                                                                                   \
    "data: {\"id\":\"c1\",\"created\":17,\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{" delta                 \
    "},\"finish_reason\":null}]}\n\n"
#define FINISH(reason) "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":" reason "}]}\n\n"
#define DONE           "data: [DONE]\n\n"
#define USAGE                                                                                                          \
    "data: "                                                                                                           \
    "{\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n"

START_TEST(test_stream_of_text)
{
    stream_means(CHUNK("\"role\":\"assistant\",\"content\":\"\"") CHUNK("\"content\":\"He\\u006c\"")
                     CHUNK("\"content\":\"lo\"") FINISH("\"stop\"") USAGE DONE,
                 "text 0 0 Hel\ntext 0 0 lo\ntext 0 0 last\nfinish 0 0 stop\nusage 0 0 5 -1 -1 2 -1 -1 -1\ndone 0 0\n");
}
END_TEST

START_TEST(test_stream_last_is_on_the_text_of_the_finish_chunk)
{
    stream_means("data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"
                 "data: "
                 "{\"choices\":[{\"finish_reason\":\"stop\",\"index\":0,\"delta\":{\"content\":\"!\"}}],\"usage\":{"
                 "\"total_tokens\":3}}\n\n",
                 "text 0 0 a\ntext 0 0 last !\nfinish 0 0 stop\nusage 0 0 3 -1 -1 -1 -1 -1 -1\n");
}
END_TEST

START_TEST(test_stream_of_all_fields)
{
    stream_means(
        CHUNK("\"refusal\":\"no\"") CHUNK("\"audio\":{\"id\":\"a\",\"data\":\"QUJD\",\"transcript\":\"hi\"}")
            CHUNK("\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}")
                CHUNK("\"tool_calls\":[{\"index\":2,\"id\":\"t\",\"type\":\"custom\",\"custom\":{\"name\":\"g\","
                      "\"input\":\"free\"}}]") FINISH("\"stop\"") DONE,
        "text 0 1 no\ntext 0 2 hi\narguments 0 65536 /f {}\ntext 0 65538 t/g free\n"
        "text 0 1 last\ntext 0 2 last\narguments 0 65536 last\ntext 0 65538 last\nfinish 0 0 stop\ndone 0 0\n");
}
END_TEST

START_TEST(test_stream_with_n)
{
    stream_means("data: "
                 "{\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}},{\"index\":0,\"delta\":{"
                 "\"content\":\"a\"}}]}\n\n"
                 "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
                 "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"c\"}}]}\n\n"
                 "data: {\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n" DONE,
                 "text 1 0 b\ntext 0 0 a\ntext 0 0 last\nfinish 0 0 stop\ntext 1 0 c\ntext 1 0 last\nfinish 1 0 "
                 "length\ndone 0 0\n");
}
END_TEST

START_TEST(test_stream_logprobs_are_copies)
{
    stream_means("data: "
                 "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{"
                 "\"token\":\"a\","
                 "\"bytes\":[97]}],\"refusal\":null}}]}\n\n",
                 "text 0 0 a\ntext 0 0 copy\n");
    ck_assert(weir_test_event(&t, 1)->event.len == strlen("[{\"token\":\"a\",\"bytes\":[97]}]"));
    ck_assert(weir_test_accept(&t, "POST", "/v1/completions", "{\"model\":\"m\",\"stream\":true}", &e));
    ck_assert(weir_test_decode_stream(
        &t, "data: {\"choices\":[{\"text\":\"a\",\"index\":0,\"logprobs\":{\"tokens\":[\"a\"]}}]}\n\n", &e));
    ck_assert_str_eq(events(), "text 0 0 a\ntext 0 0 copy\n");
}
END_TEST

START_TEST(test_stream_reasoning_said_twice)
{
    stream_means(
        CHUNK("\"reasoning\":\"hm\",\"reasoning_content\":\"hm\",\"reasoning_details\":[{\"type\":\"reasoning.text\","
              "\"text\":\"hm\"}]")
            CHUNK(
                "\"reasoning\":\"a\",\"reasoning_details\":[{\"text\":\"b\"},{\"summary\":\"c\"},{\"data\":\"enc\"}]"),
        "reasoning 0 1 hm\nreasoning 0 0 hm\nreasoning 0 3 hm\nreasoning 0 1 a\nreasoning 0 3 b\nreasoning 0 3 c\n");
}
END_TEST

START_TEST(test_stream_of_another_attempt)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    stream_begin(true);
    ck_assert(weir_test_decode_stream(&t, CHUNK("\"content\":\"a\"") FINISH("\"error\""), &e));
    weir_test_encode(&t, &to, &e);
    t.events.count = 0;
    ck_assert(weir_test_decode_stream(&t, CHUNK("\"content\":\"b\"") FINISH("\"stop\""), &e));
    ck_assert_str_eq(events(), "text 0 0 b\ntext 0 0 last\nfinish 0 0 stop\n");
}
END_TEST

START_TEST(test_stream_text_after_the_end)
{
    stream_means(CHUNK("\"content\":\"a\"") FINISH("\"stop\"") CHUNK("\"content\":\"b\"") FINISH("\"stop\"") DONE,
                 "text 0 0 a\ntext 0 0 last\nfinish 0 0 stop\ntext 0 16777216 b\ntext 0 16777216 last\ndone 0 0\n");
}
END_TEST

START_TEST(test_stream_shapes_that_make_no_sense_pass)
{
    stream_means("data: {\"choices\":{\"index\":0}}\n\ndata: {\"choices\":[1,\"x\",null]}\n\n"
                 "data: {\"choices\":[{\"index\":\"0\",\"delta\":[1]}]}\n\ndata: "
                 "{\"choices\":[{\"index\":0,\"delta\":{\"content\":7,"
                 "\"tool_calls\":{\"index\":0},\"reasoning\":{},\"audio\":\"x\"},\"finish_reason\":3,\"logprobs\":"
                 "\"x\"}],\"usage\":[]}\n\n",
                 "");
}
END_TEST

static const char *const senseless[] = {
    "data: {\"choices\":[{\"index\":-1,\"delta\":{}}]}\n\n",
    "data: {\"choices\":[{\"index\":0.5,\"delta\":{}}]}\n\n",
    "data: {\"choices\":[{\"index\":65536,\"delta\":{}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":99999999999}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":-1}]}}]}\n\n",
    "data: {\"choices\":[\n\n",
    "data: [1]\n\n",
    "data: hello\n\n",
};

START_TEST(test_stream_fails_cleanly)
{
    stream_begin(true);
    ck_assert(!weir_test_decode_stream(&t, senseless[_i], &e));
    ck_assert_uint_eq(weir_test_event_count(&t), 0);
}
END_TEST

START_TEST(test_stream_too_many_streams)
{
    struct weir_test_buf sse = {0};
    char line[96];

    stream_begin(true);
    for (int i = 0; i < 1025; i++) {
        snprintf(line, sizeof line, "data: {\"choices\":[{\"index\":%d,\"delta\":{\"content\":\"a\"}}]}\n\n", i);
        wt_add(&sse, wt_str(line));
    }
    wt_add(&sse, (struct weir_str){"", 1});
    ck_assert(!weir_test_decode_stream(&t, sse.ptr, &e));
    ck_assert_uint_eq(weir_test_event_count(&t), 1024);
    wt_buf_free(&sse);
}
END_TEST

/* ---- decode: whole bodies ---- */

static void body_means(const char *body, const char *want)
{
    ck_assert(chat("{\"model\":\"m\"," MESSAGES "}"));
    ck_assert_msg(weir_test_decode_body(&t, 200, body, &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_same(t.client, body);
}

START_TEST(test_body_of_chat)
{
    body_means(
        "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\",\"refusal\":"
        "null,\"tool_calls\":"
        "[{\"id\":\"t1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":"
        "\"t2\",\"function\":"
        "{\"name\":\"g\",\"arguments\":{\"k\":\"v\"}}}]},\"logprobs\":null,\"finish_reason\":\"stop\"},{\"index\":1,"
        "\"message\":"
        "{\"content\":\"b\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
        "text 0 0 last a\narguments 0 0 last t1/f {\"x\":1}\narguments 0 1 last t2/g\ntext 0 131072 last k\ntext 0 "
        "131073 "
        "last v\n"
        "finish 0 0 stop\ntext 1 0 last b\nfinish 1 0 length\nusage 0 0 1 -1 -1 2 -1 -1 -1\n");
}
END_TEST

START_TEST(test_body_of_the_other_kinds)
{
    body_means("{\"id\":\"cmpl\",\"choices\":[{\"text\":\"t\",\"index\":0,\"finish_reason\":\"stop\"}]}",
               "text 0 0 last t\nfinish 0 0 stop\n");
    body_means(
        "{\"object\":\"list\",\"data\":[{\"embedding\":[0.1]}],\"usage\":{\"prompt_tokens\":12,\"total_tokens\":12}}",
        "usage 0 0 12 -1 -1 -1 -1 -1 -1\n");
    body_means("{\"id\":\"modr\",\"results\":[{\"flagged\":false}]}", "");
}
END_TEST

START_TEST(test_body_errors)
{
    static const struct {
        int status;
        const char *body, *want;
    } errors[] = {
        {401, "{\"error\":{\"message\":\"bad \\u006bey\",\"type\":\"x\"}}", "error 0 0 bad key\n"},
        {400, "{\"code\":\"c\",\"error\":\"a string\"}", "error 0 0 a string\n"},
        {422, "{\"detail\":[{\"msg\":\"x\"}]}", "error 0 0 x\n"},
        {400, "{\"object\":\"error\",\"message\":\"flat\",\"code\":400}", "error 0 0 flat\n"},
        {502, "<html>bad gateway</html>", "error 0 0\n"},
        {500, "[]", "error 0 0\n"},
        {200, "{\"error\":{\"message\":\"inside 200\"}}", "error 0 0 inside 200\n"},
        {200, "{\"error\":null,\"choices\":[]}", ""},
    };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        ck_assert(chat("{\"model\":\"m\"," MESSAGES "}"));
        ck_assert(weir_test_decode_body(&t, errors[i].status, errors[i].body, &e));
        ck_assert_str_eq(events(), errors[i].want);
        weir_test_same(t.client, errors[i].body);
    }
    ck_assert(!weir_test_decode_body(&t, 200, "<html>", &e));
}
END_TEST

/* ---- usage: every token once ---- */

static const struct {
    const char *usage, *want;
} usages[] = {
    /* input, cache_read, cache_write, output, reasoning, audio_in, audio_out */
    {"{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,\"prompt_tokens_details\":{\"cached_"
     "tokens\":30,"
     "\"cache_write_tokens\":20,\"audio_tokens\":10},\"completion_tokens_details\":{\"reasoning_tokens\":15,\"audio_"
     "tokens\":5}}",
     "40 30 20 30 15 10 5"},
    {"{\"prompt_tokens\":291,\"completion_tokens\":26,\"total_tokens\":513,\"prompt_tokens_details\":{\"cached_"
     "tokens\":290},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":196}}",
     "1 290 -1 26 196 -1 -1"},
    {"{\"prompt_tokens\":339,\"completion_tokens\":83,\"total_tokens\":422,\"prompt_cache_hit_tokens\":320,\"prompt_"
     "cache_miss_tokens\":19}",
     "19 320 -1 83 -1 -1 -1"},
    {"{\"prompt_tokens\":20,\"completion_tokens\":30,\"total_tokens\":50,\"cached_tokens\":10,\"completion_tokens_"
     "details\":{\"reasoning_tokens\":22}}",
     "10 10 -1 8 22 -1 -1"},
    {"{\"prompt_tokens\":10,\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":99},\"completion_"
     "tokens_details\":"
     "{\"reasoning_tokens\":5}}",
     "0 10 -1 0 1 -1 -1"},
    {"{\"prompt_tokens\":12.0,\"completion_tokens\":1e3,\"total_tokens\":12}", "12 -1 -1 -1 -1 -1 -1"},
    {"{\"prompt_tokens\":-4,\"completion_tokens\":3}", "-1 -1 -1 3 -1 -1 -1"},
    {"{\"prompt_tokens\":99999999999999999999,\"completion_tokens\":3,\"total_tokens\":7}", "4 -1 -1 3 -1 -1 -1"},
    {"{\"total_tokens\":10}", "10 -1 -1 -1 -1 -1 -1"},
};

START_TEST(test_usage)
{
    char body[512], want[128];

    snprintf(body, sizeof body, "{\"choices\":[],\"usage\":%s}", usages[_i].usage);
    snprintf(want, sizeof want, "usage 0 0 %s\n", usages[_i].want);
    body_means(body, want);
}
END_TEST

START_TEST(test_usage_in_odd_places)
{
    stream_means(
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}]}\n\n"
        "data: "
        "{\"choices\":[{\"index\":0,\"delta\":{}}],\"x_groq\":{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}"
        "}\n\n"
        "data: {\"choices\":[],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{}}\n\n",
        "usage 0 0 1 -1 -1 2 -1 -1 -1\nusage 0 0 3 -1 -1 4 -1 -1 -1\n");
}
END_TEST

/* ---- providers.md section 12: bugs of other gateways, by number ---- */

START_TEST(test_bug_01_tool_index_starts_at_one)
{
    stream_means(CHUNK("\"tool_calls\":[{\"index\":1,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]")
                     CHUNK("\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]"),
                 "arguments 0 1 a/f\narguments 0 1 {}\n");
}
END_TEST

START_TEST(test_bug_02_fragments_of_parallel_calls)
{
    stream_means(
        CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":\"}}]")
            CHUNK("\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}}]")
                CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}},{\"index\":1,\"function\":{"
                      "\"arguments\":\"}\"}}]") FINISH("\"tool_calls\""),
        "arguments 0 0 a/f {\"x\":\narguments 0 1 b/g {\narguments 0 0 1}\narguments 0 1 }\n"
        "arguments 0 0 last\narguments 0 1 last\nfinish 0 0 tool_calls\n");
    weir_test_same(weir_test_text(&t, WEIR_ARGUMENTS, 0, 0), "{\"x\":1}");
    weir_test_same(weir_test_text(&t, WEIR_ARGUMENTS, 0, 1), "{}");
}
END_TEST

START_TEST(test_bug_02_calls_without_index)
{
    stream_means(CHUNK("\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"1\"}},{\"id\":\"b\","
                       "\"function\":{\"name\":\"g\","
                       "\"arguments\":\"2\"}}]")
                     CHUNK("\"tool_calls\":[{\"function\":{\"name\":\"\",\"arguments\":\"3\"}}]")
                         CHUNK("\"tool_calls\":[{\"id\":\"a\",\"function\":{\"arguments\":\"4\"}}]")
                             CHUNK("\"tool_calls\":[{\"function\":{\"name\":\"h\",\"arguments\":\"5\"}}]"),
                 "arguments 0 0 a/f 1\narguments 0 1 b/g 2\narguments 0 1 3\narguments 0 0 a/ 4\narguments 0 2 /h 5\n");
}
END_TEST

START_TEST(test_bug_04_choices_empty)
{
    stream_means(
        "data: {\"choices\":[],\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n" CHUNK(
            "\"content\":\"a\""),
        "text 0 0 a\n");
    weir_test_same(((struct openai_local *)t.ctx.local)->id, "c1");
}
END_TEST

START_TEST(test_bug_05_usage_chunk_only_when_asked)
{
    stream_begin(false);
    ck_assert(weir_test_decode_stream(&t, CHUNK("\"content\":\"a\"") FINISH("\"stop\"") USAGE DONE, &e));
    weir_test_same(t.client, CHUNK("\"content\":\"a\"") FINISH("\"stop\"") DONE);
    ck_assert(strstr(events(), "usage 0 0 5 -1 -1 2 -1 -1 -1\n") != NULL);
}
END_TEST

START_TEST(test_bug_05_usage_beside_other_things_stays)
{
    stream_begin(false);
    ck_assert(weir_test_decode_stream(
        &t, "data: {\"choices\":[],\"usage\":{\"total_tokens\":1},\"citations\":[\"u\"]}\n\n", &e));
    weir_test_same(t.client, "data: {\"choices\":[],\"usage\":null,\"citations\":[\"u\"]}\n\n");
    stream_begin(false);
    ck_assert(weir_test_decode_stream(
        &t, "data: {\"choices\":[{\"index\":0,\"delta\":{}}],\"usage\":{\"total_tokens\":1}}\n\n", &e));
    weir_test_same(t.client, "data: {\"choices\":[{\"index\":0,\"delta\":{}}],\"usage\":{\"total_tokens\":1}}\n\n");
}
END_TEST

START_TEST(test_bug_05_not_hidden_when_not_asked_for_by_us)
{
    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, "include_usage = false");
    stream_begin(false);
    ck_assert(weir_test_decode_stream(&t, USAGE, &e));
    weir_test_same(t.client, USAGE);
}
END_TEST

START_TEST(test_bug_07_comments)
{
    stream_means(": OPENROUTER PROCESSING\n\n" CHUNK("\"content\":\"a\"") ": keep-alive\n\n", "text 0 0 a\n");
}
END_TEST

START_TEST(test_bug_08_finish_in_a_chunk_of_its_own)
{
    stream_means(CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]")
                     FINISH("null") FINISH("\"\"") FINISH("\"stop\"") FINISH("\"stop\""),
                 "arguments 0 0 a/f {}\narguments 0 0 last\nfinish 0 0 stop\n");
}
END_TEST

START_TEST(test_bug_17_empty_arguments)
{
    stream_means(CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]")
                     CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":null}}]") FINISH("\"tool_calls\""),
                 "arguments 0 0 a/f\narguments 0 0 last\nfinish 0 0 tool_calls\n");
}
END_TEST

START_TEST(test_bug_21_nothing_is_invented_for_a_truncated_stream)
{
    stream_means(CHUNK("\"content\":\"a\""), "text 0 0 a\n");
    stream_means(CHUNK("\"content\":\"a\"") FINISH("\"stop\""), "text 0 0 a\ntext 0 0 last\nfinish 0 0 stop\n");
    stream_means(CHUNK("\"content\":\"a\"") DONE, "text 0 0 a\ntext 0 0 last\ndone 0 0\n");
}
END_TEST

START_TEST(test_bug_22_errors_inside_200)
{
    stream_means("data: {\"error\":{\"message\":\"boom\",\"code\":500}}\n\n", "error 0 0 boom\n");
    stream_means("event: error\ndata: {\"error\":{\"message\":\"m\",\"type\":\"t\"}}\n\n", "error 0 0 m\n");
    stream_means("event: error\ndata: {\"message\":\"flat\"}\n\n", "error 0 0 flat\n");
    stream_means("data: "
                 "{\"id\":\"x\",\"error\":{\"code\":502,\"message\":\"p\"},\"choices\":[{\"index\":0,\"delta\":{"
                 "\"content\":\"a\"},"
                 "\"finish_reason\":\"error\"}]}\n\n" DONE,
                 "text 0 0 last a\nfinish 0 0 error\nerror 0 0 p\ndone 0 0\n");
}
END_TEST

START_TEST(test_bug_33_nothing_follows_done)
{
    stream_begin(true);
    ck_assert(weir_test_decode_stream(&t, CHUNK("\"content\":\"a\"") DONE CHUNK("\"content\":\"b\"") DONE, &e));
    ck_assert_str_eq(events(), "text 0 0 a\ntext 0 0 last\ndone 0 0\n");
    weir_test_same(t.client, CHUNK("\"content\":\"a\"") DONE);
}
END_TEST

START_TEST(test_bug_34_reasoning_is_not_text)
{
    stream_means(CHUNK("\"content\":null,\"reasoning_content\":\"hm\"")
                     CHUNK("\"content\":\"a\",\"reasoning_content\":null")
                         CHUNK("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"p\"}]},"
                               "{\"type\":\"text\",\"text\":\"q\"}]"),
                 "reasoning 0 0 hm\ntext 0 0 a\nreasoning 0 2 p\ntext 0 0 q\n");
}
END_TEST

START_TEST(test_bug_40_content_null)
{
    body_means("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":null},\"finish_reason\":\"stop\"}]}",
               "finish 0 0 stop\n");
    ck_assert(chat("{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]},{"
                   "\"role\":\"assistant\"}]}"));
}
END_TEST

START_TEST(test_bug_41_records_glued_together)
{
    stream_begin(true);
    ck_assert(!weir_test_decode_stream(&t, "data: {\"choices\":[]}{\"choices\":[]}\n\n", &e));
}
END_TEST

/* ---- answer, refuse, list ---- */

static void answer_is(struct weir_event ev, const char *want)
{
    ev.size = sizeof ev;
    ck_assert(weir_test_answer(&t, &ev));
    weir_test_same(t.out, want);
}

#define HEAD                                                                                                           \
    "data: "                                                                                                           \
    "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":17,\"model\":\"m1\",\"choices\":[{\"index\":1,"
#define TAIL ",\"logprobs\":null,\"finish_reason\":null}]}\n\n"

START_TEST(test_answer_chat)
{
    stream_begin(true);
    ck_assert(weir_test_decode_stream(&t, CHUNK("\"content\":\"x\""), &e));
    answer_is(
        (struct weir_event){.channel = WEIR_TEXT, .choice = 1, .text = WEIR_STR("a\"\n\x01\xed\xa0\xbd\xff\xc3\xa9")},
        HEAD "\"delta\":{\"content\":\"a\\\"\\n\\u0001\\ud83d\xef\xbf\xbd\xc3\xa9\"}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_TEXT, .choice = 1, .block = TEXT_REFUSAL, .text = WEIR_STR("a")},
              HEAD "\"delta\":{\"refusal\":\"a\"}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_TEXT, .choice = 1, .block = TEXT_TRANSCRIPT, .text = WEIR_STR("a")},
              HEAD "\"delta\":{\"audio\":{\"transcript\":\"a\"}}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_TEXT, .choice = 1, .block = TEXT_CUSTOM + 2, .text = WEIR_STR("a")},
              HEAD "\"delta\":{\"tool_calls\":[{\"index\":2,\"custom\":{\"input\":\"a\"}}]}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_REASONING, .choice = 1, .text = WEIR_STR("a")},
              HEAD "\"delta\":{\"reasoning_content\":\"a\"}" TAIL);
    answer_is(
        (struct weir_event){.channel = WEIR_REASONING, .choice = 1, .block = REASONING_PLAIN, .text = WEIR_STR("a")},
        HEAD "\"delta\":{\"reasoning\":\"a\"}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_ARGUMENTS, .choice = 1, .block = 3, .text = WEIR_STR("\"x\\n")},
              HEAD "\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"arguments\":\"\\\"x\\\\n\"}}]}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_ARGUMENTS,
                                  .choice = 1,
                                  .block = 3,
                                  .text = WEIR_STR(""),
                                  .tool_id = WEIR_STR("i"),
                                  .tool_name = WEIR_STR("f")},
              HEAD "\"delta\":{\"tool_calls\":[{\"index\":3,\"id\":\"i\",\"type\":\"function\",\"function\":{\"name\":"
                   "\"f\",\"arguments\":\"\"}}]}" TAIL);
    answer_is(
        (struct weir_event){
            .channel = WEIR_ARGUMENTS, .choice = 1, .block = ARGUMENTS_FUNCTION, .text = WEIR_STR("{}")},
        HEAD "\"delta\":{\"function_call\":{\"arguments\":\"{}\"}}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_TEXT, .choice = 1, .block = BLOCK_AGAIN, .text = WEIR_STR("a")},
              HEAD "\"delta\":{\"content\":\"a\"}" TAIL);
    answer_is((struct weir_event){.channel = WEIR_FINISH, .choice = 1, .detail = WEIR_STR("stop")},
              HEAD "\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n");
    answer_is((struct weir_event){.channel = WEIR_DONE_MARK}, "data: [DONE]\n\n");
}
END_TEST

START_TEST(test_answer_completion_before_any_frame)
{
    ck_assert(weir_test_accept(&t, "POST", "/v1/completions", "{\"model\":\"asked\",\"stream\":true}", &e));
    weir_test_fact(&t, "request_id", "r1");
    answer_is((struct weir_event){.channel = WEIR_TEXT, .text = WEIR_STR("a")},
              "data: "
              "{\"id\":\"chatcmpl-r1\",\"object\":\"text_completion\",\"created\":0,\"model\":\"asked\",\"choices\":[{"
              "\"index\":0,"
              "\"text\":\"a\"" TAIL);
    ck_assert(!weir_test_answer(
        &t, &(struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_REASONING, .text = WEIR_STR("a")}));
}
END_TEST

START_TEST(test_refuse)
{
    stream_begin(true);
    weir_test_refuse(&t,
                     &(struct weir_refusal){.status = 400, .code = "invalid_type", .text = "say \"x\"", .field = "n"});
    weir_test_same(t.out, "{\"error\":{\"message\":\"say "
                          "\\\"x\\\"\",\"type\":\"invalid_request_error\",\"param\":\"n\",\"code\":\"invalid_type\"}}");
    weir_test_refuse(&t,
                     &(struct weir_refusal){.status = 429, .code = "rate_limit_exceeded", .text = "slow", .field = ""});
    weir_test_same(t.out, "{\"error\":{\"message\":\"slow\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":"
                          "\"rate_limit_exceeded\"}}");
    weir_test_refuse(
        &t, &(struct weir_refusal){.status = 403, .code = "denied", .text = "no", .field = "", .in_stream = true});
    weir_test_same(t.out, "data: "
                          "{\"error\":{\"message\":\"no\",\"type\":\"permission_error\",\"param\":null,\"code\":"
                          "\"denied\"}}\n\ndata: [DONE]\n\n");
    weir_test_refuse(&t, &(struct weir_refusal){.status = 502, .code = "", .text = "cut \xe2\x82", .field = NULL});
    weir_test_same(t.out, "{\"error\":{\"message\":\"cut "
                          "\xef\xbf\xbd\xef\xbf\xbd\",\"type\":\"server_error\",\"param\":null,\"code\":null}}");
}
END_TEST

START_TEST(test_list)
{
    const struct weir_model models[] = {{WEIR_STR("a/b"), WEIR_STR("o"), 5}, {WEIR_STR("c"), WEIR_STR(""), 0}};

    ck_assert(weir_test_accept(&t, "GET", "/v1/models", NULL, &e));
    weir_test_list(&t, models, 2);
    weir_test_same(
        t.out, "{\"object\":\"list\",\"data\":[{\"id\":\"a/b\",\"object\":\"model\",\"created\":5,\"owned_by\":\"o\"},"
               "{\"id\":\"c\",\"object\":\"model\",\"created\":0,\"owned_by\":\"\"}]}");
    weir_test_list(&t, models, 0);
    weir_test_same(t.out, "{\"object\":\"list\",\"data\":[]}");
    ck_assert(weir_test_accept(&t, "GET", "/v1/models/a%2Fb", NULL, &e));
    weir_test_list(&t, models, 1);
    weir_test_same(t.out, "{\"id\":\"a/b\",\"object\":\"model\",\"created\":5,\"owned_by\":\"o\"}");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

Suite *suite(void)
{
    Suite *s = suite_create("openai");
    TCase *c = tcase_create("openai");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_accept_reads_what_the_host_needs);
    tcase_add_test(c, test_accept_spans_of_messages);
    tcase_add_test(c, test_accept_spans_of_the_rest);
    tcase_add_test(c, test_accept_unknown_members_are_text);
    tcase_add_test(c, test_accept_other_paths);
    tcase_add_loop_test(c, test_accept_refuses, 0, COUNT(bad));
    tcase_add_loop_test(c, test_encode_bytes, 0, COUNT(sent));
    tcase_add_test(c, test_encode_moderation_without_model);
    tcase_add_test(c, test_encode_headers);
    tcase_add_test(c, test_stream_of_text);
    tcase_add_test(c, test_stream_last_is_on_the_text_of_the_finish_chunk);
    tcase_add_test(c, test_stream_of_all_fields);
    tcase_add_test(c, test_stream_with_n);
    tcase_add_test(c, test_stream_logprobs_are_copies);
    tcase_add_test(c, test_stream_reasoning_said_twice);
    tcase_add_test(c, test_stream_of_another_attempt);
    tcase_add_test(c, test_stream_text_after_the_end);
    tcase_add_test(c, test_stream_shapes_that_make_no_sense_pass);
    tcase_add_loop_test(c, test_stream_fails_cleanly, 0, COUNT(senseless));
    tcase_add_test(c, test_stream_too_many_streams);
    tcase_add_test(c, test_body_of_chat);
    tcase_add_test(c, test_body_of_the_other_kinds);
    tcase_add_test(c, test_body_errors);
    tcase_add_loop_test(c, test_usage, 0, COUNT(usages));
    tcase_add_test(c, test_usage_in_odd_places);
    tcase_add_test(c, test_bug_01_tool_index_starts_at_one);
    tcase_add_test(c, test_bug_02_fragments_of_parallel_calls);
    tcase_add_test(c, test_bug_02_calls_without_index);
    tcase_add_test(c, test_bug_04_choices_empty);
    tcase_add_test(c, test_bug_05_usage_chunk_only_when_asked);
    tcase_add_test(c, test_bug_05_usage_beside_other_things_stays);
    tcase_add_test(c, test_bug_05_not_hidden_when_not_asked_for_by_us);
    tcase_add_test(c, test_bug_07_comments);
    tcase_add_test(c, test_bug_08_finish_in_a_chunk_of_its_own);
    tcase_add_test(c, test_bug_17_empty_arguments);
    tcase_add_test(c, test_bug_21_nothing_is_invented_for_a_truncated_stream);
    tcase_add_test(c, test_bug_22_errors_inside_200);
    tcase_add_test(c, test_bug_33_nothing_follows_done);
    tcase_add_test(c, test_bug_34_reasoning_is_not_text);
    tcase_add_test(c, test_bug_40_content_null);
    tcase_add_test(c, test_bug_41_records_glued_together);
    tcase_add_test(c, test_answer_chat);
    tcase_add_test(c, test_answer_completion_before_any_frame);
    tcase_add_test(c, test_refuse);
    tcase_add_test(c, test_list);
    suite_add_tcase(s, c);
    return s;
}
