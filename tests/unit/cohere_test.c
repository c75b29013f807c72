/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere_test.c -- the cohere plugin against hand-written requests, canonical requests, records and events.  Recorded
 * traffic is in cohere_golden_test.c; hostile bytes are in tests/fuzz/cohere.c.
 */
#include "cohere_all.h"
#include "unit.h"

static struct weir_test t;
static struct weir_error e;
static struct weir_test_buf got;

static void setup(void)
{
    weir_test_init(&t, &weir_plugin, "key = token");
    memset(&got, 0, sizeof got);
}

static void teardown(void)
{
    wt_buf_free(&got);
    weir_test_fini(&t);
}

static bool chat(const char *body)
{
    return weir_test_accept(&t, "POST", "/v2/chat", body, &e);
}

/* ---- accept ---- */

static void spans_are(const char *want)
{
    static const char *const where[] = {"system", "user", "assistant", "call", "result", "document", "other"};
    struct weir_test_buf b = {0};
    char place[48];

    for (size_t i = 0; i < weir_test_span_count(&t); i++) {
        const struct weir_span *s = weir_test_span(&t, i);
        snprintf(place, sizeof place, "%s %u.%u ", where[s->where], s->message, s->part);
        wt_add_text(&b, place);
        wt_add(&b, s->text);
        wt_add_text(&b, "\n");
    }
    weir_test_same(b, want);
    wt_buf_free(&b);
}

START_TEST(test_accept_sees_every_text)
{
    ck_assert(
        chat("{\"model\":\"command-a\",\"stream\":true,\"max_tokens\":7,\"documents\":[\"d0\",{\"id\":\"i\",\"data\":"
             "{\"k\":\"d1\"}}],\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
             "[{\"type\":\"text\",\"text\":\"u\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://x\"}},"
             "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA==\"}}]},"
             "{\"role\":\"assistant\",\"tool_plan\":\"p\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"h\"}],"
             "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"{\\\"a\\\":\\\"v\\\"}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"type\":"
             "\"document\",\"document\":{\"data\":\"r\"}}]}]}"));
    weir_test_same(t.request.model, "command-a");
    ck_assert(t.request.stream && t.request.usage_asked);
    ck_assert_int_eq(t.request.max_output, 7);
    spans_are("document 0.0 d0\ndocument 0.0 id\ndocument 0.0 i\ndocument 0.0 data\ndocument 0.0 k\ndocument 0.0 d1\n"
              "system 0.0 s\nuser 1.0 u\ndocument 1.1 http://x\nassistant 2.0 p\nassistant 2.0 h\nother 2.0 f\n"
              "call 2.0 a\ncall 2.0 v\nresult 3.0 data\nresult 3.0 r\n");
}
END_TEST

START_TEST(test_accept_sees_query_and_documents)
{
    ck_assert(weir_test_accept(&t, "POST", "/v2/rerank",
                               "{\"model\":\"rerank-v3.5\",\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\"}]}",
                               &e));
    ck_assert_int_eq(t.request.kind, WEIR_RERANK);
    spans_are("user 0.0 q\ndocument 0.0 a\ndocument 1.0 text\ndocument 1.0 b\n");
    ck_assert(weir_test_accept(&t, "POST", "/v2/embed", "{\"model\":\"m\",\"texts\":[\"a\",\"b\"]}", &e));
    ck_assert_int_eq(t.request.kind, WEIR_EMBEDDING);
    spans_are("document 0.0 a\ndocument 1.0 b\n");
}
END_TEST

static void refused(const char *path, const char *body, const char *field, const char *code)
{
    ck_assert_msg(!weir_test_accept(&t, "POST", path, body, &e), "%s %s", path, body);
    ck_assert_str_eq(e.field, field);
    ck_assert_str_eq(e.code, code);
}

START_TEST(test_accept_refuses)
{
    refused("/v2/chat", "{\"messages\":[]}", "model", "missing_required_parameter");
    refused("/v2/chat", "{\"model\":\"m\"}", "messages", "missing_required_parameter");
    refused("/v2/chat", "{\"model\":\"m\",\"messages\":[],\"Documents\":[]}", "Documents", "unknown_parameter");
    refused("/v2/chat", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":1}]}]}",
            "messages[0].content[0].text", "invalid_type");
    refused("/v2/rerank", "{\"model\":\"m\",\"documents\":[]}", "query", "missing_required_parameter");
    refused("/v2/rerank", "{\"model\":\"m\",\"query\":\"q\"}", "documents", "missing_required_parameter");
    refused("/v1/tokenize", NULL, "", "not_implemented");
}
END_TEST

/* ---- lift ---- */

static void lifted(const char *path, const char *body, const char *want)
{
    struct weir_str s;

    ck_assert_msg(weir_test_accept(&t, "POST", path, body, &e), "%s", e.text);
    s = weir_test_lift(&t, &e);
    ck_assert_msg(s.ptr != NULL, "%s: %s", body, e.text);
    weir_test_same(s, want);
}

START_TEST(test_lift_chat)
{
    lifted(
        "/v2/chat",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},"
        "{\"role\":\"assistant\",\"tool_plan\":\"p\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"null\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"type\":"
        "\"document\",\"document\":{\"data\":{\"x\":1}}}]}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
        "\"f\",\"parameters\":{\"type\":\"object\"}}}],\"strict_tools\":true,\"tool_choice\":\"REQUIRED\",\"p\":0.5,"
        "\"k\":3,\"max_tokens\":9,\"stop_sequences\":[\"x\"],\"thinking\":{\"type\":\"enabled\",\"token_budget\":64},"
        "\"response_format\":{\"type\":\"json_object\",\"json_schema\":{\"type\":\"object\"}}}",
        "{\"names\":{\"max_output\":\"max_tokens\",\"top_p\":\"p\",\"top_k\":\"k\",\"stop\":\"stop_sequences\","
        "\"format\":\"response_format\",\"reasoning\":\"thinking\"},\"stream\":false,\"system\":[{\"type\":\"text\","
        "\"text\":\"s\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]},{\"role\":"
        "\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"p\"},{\"type\":\"call\",\"id\":\"c\",\"name\":\"f\","
        "\"arguments\":\"{}\",\"at\":\"messages[2].tool_calls[0].function.arguments\"}]},{\"role\":\"tool\","
        "\"content\":"
        "[{\"type\":\"result\",\"id\":\"c\",\"content\":[{\"type\":\"text\",\"text\":\"{\\\"x\\\":1}\"}],\"at\":"
        "\"messages[3]\"}]}],\"tools\":[{\"name\":\"f\",\"schema\":{\"type\":\"object\"},\"strict\":true,\"at\":"
        "\"tools[0]\"}],\"tool_choice\":{\"mode\":\"required\"},\"max_output\":9,\"top_p\":0.5,\"top_k\":3,\"stop\":"
        "[\"x\"],\"format\":{\"type\":\"schema\",\"schema\":{\"type\":\"object\"}},\"reasoning\":{\"budget\":64}}");
}
END_TEST

START_TEST(test_lift_documents_and_images)
{
    lifted(
        "/v2/chat",
        "{\"model\":\"m\",\"documents\":[\"d\",{\"id\":\"i\",\"data\":{\"text\":\"only\"}},{\"data\":{\"title\":\"T\","
        "\"n\":1}}],\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"user\",\"content\":[{\"type\":"
        "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA==\",\"detail\":\"low\"}}]}]}",
        "{\"names\":{},\"stream\":false,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"u\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"text\":\"d\",\"at\":\"documents[0]\"},"
        "{\"type\":\"document\",\"text\":\"only\",\"name\":\"i\",\"at\":\"documents[1]\"},{\"type\":\"document\","
        "\"text\":\"title: T\\nn: 1\\n\",\"at\":\"documents[2]\"},{\"type\":\"image\",\"data\":\"AA==\",\"media_type\":"
        "\"image/png\",\"detail\":\"low\",\"at\":\"messages[1].content[0].image_url\"}]}]}");
}
END_TEST

START_TEST(test_lift_embed_and_rerank)
{
    lifted("/v2/embed",
           "{\"model\":\"m\",\"texts\":[\"a\"],\"input_type\":\"search_query\",\"embedding_types\":[\"base64\"],"
           "\"output_dimension\":8,\"truncate\":\"END\"}",
           "{\"names\":{\"input\":\"texts\",\"dimensions\":\"output_dimension\",\"encoding\":\"embedding_types\"},"
           "\"input\":[\"a\"],\"dimensions\":8,\"encoding\":\"base64\",\"input_type\":\"query\"}");
    weir_test_same(t.lossy, "truncate (hint)\n");
    lifted("/v2/rerank", "{\"model\":\"m\",\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\"}],\"top_n\":1}",
           "{\"names\":{\"input\":\"documents\"},\"input\":[\"a\",\"b\"],\"query\":\"q\",\"top_n\":1}");
}
END_TEST

static void not_lifted(const char *path, const char *body, const char *field)
{
    ck_assert_msg(weir_test_accept(&t, "POST", path, body, &e), "%s", e.text);
    ck_assert_msg(weir_test_lift(&t, &e).ptr == NULL, "%s", body);
    ck_assert_str_eq(e.field, field);
}

START_TEST(test_lift_refuses_by_name)
{
    not_lifted("/v2/chat", "{\"model\":\"m\",\"messages\":[],\"raw_prompting\":true}", "raw_prompting");
    not_lifted("/v2/chat", "{\"model\":\"m\",\"messages\":[],\"new_thing\":1}", "new_thing");
    not_lifted("/v2/chat", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"x\":1}]}", "messages[0].x");
    not_lifted("/v2/chat", "{\"model\":\"m\",\"messages\":[{\"role\":\"robot\"}]}", "messages[0]");
    not_lifted("/v2/chat", "{\"model\":\"m\",\"messages\":[],\"documents\":[\"d\"]}", "documents");
    not_lifted("/v2/chat", "{\"model\":\"m\",\"messages\":[],\"tool_choice\":\"AUTO\"}", "tool_choice");
    not_lifted("/v2/embed", "{\"model\":\"m\",\"texts\":[\"a\"],\"images\":[\"x\"]}", "images");
    not_lifted("/v2/embed", "{\"model\":\"m\",\"texts\":[\"a\"],\"embedding_types\":[\"int8\"]}", "embedding_types");
    not_lifted("/v2/rerank", "{\"model\":\"m\",\"query\":\"q\",\"documents\":[[\"a\"]]}", "documents[0]");
    not_lifted("/v2/rerank", "{\"model\":\"m\",\"query\":\"q\",\"documents\":[],\"max_tokens_per_doc\":5}",
               "max_tokens_per_doc");
}
END_TEST

/* ---- encode ---- */

static enum weir_verdict encoded(const char *path, const char *client, const char *canonical)
{
    struct weir_candidate to = weir_test_candidate("co", "up");

    ck_assert_msg(weir_test_accept(&t, "POST", path, client, &e), "%s", e.text);
    if (canonical)
        weir_test_canonical(&t, canonical);
    return weir_test_encode(&t, &to, &e);
}

START_TEST(test_encode_splices_the_model)
{
    ck_assert_int_eq(encoded("/v2/rerank", "{\"model\":\"m\", \"query\":\"q\",\"documents\":[\"a\"]}", NULL),
                     WEIR_PASS);
    weir_test_same(
        weir_test_http(&t),
        "POST https://api.cohere.com/v2/rerank\ncontent-type: application/json\nauthorization: Bearer token\n\n"
        "{\"model\":\"up\", \"query\":\"q\",\"documents\":[\"a\"]}");
}
END_TEST

#define CHAT   "{\"model\":\"m\",\"messages\":[]}"
#define EMBED  "{\"model\":\"m\",\"texts\":[\"a\"]}"
#define RERANK "{\"model\":\"m\",\"query\":\"q\",\"documents\":[]}"

static void lowered(const char *canonical, const char *want)
{
    enum weir_verdict v = encoded("/v2/chat", CHAT, canonical);

    ck_assert_msg(v == WEIR_PASS, "%s: %s", canonical, e.text);
    weir_test_same(t.http_body, want);
}

START_TEST(test_lower_chat)
{
    lowered(
        "{\"stream\":true,\"system\":[{\"type\":\"text\",\"text\":\"s\"}],\"messages\":[{\"role\":\"user\",\"content\":"
        "[{\"type\":\"text\",\"text\":\"u\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":"
        "\"h\"},{\"type\":\"text\",\"text\":\"p\"},{\"type\":\"call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":\"\","
        "\"at\":\"x\"}]},{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"c\",\"content\":[{\"type\":"
        "\"text\",\"text\":\"r\"}],\"error\":true}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\","
        "\"text\":\"x\",\"opaque\":\"o\",\"kind\":\"anthropic.signature\"},{\"type\":\"text\",\"text\":\"a\"}]}],"
        "\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"schema\":{\"type\":\"object\"},\"strict\":true},{\"name\":"
        "\"g\",\"strict\":true}],\"tool_choice\":{\"mode\":\"named\",\"name\":\"f\"},\"max_output\":5,\"temperature\":"
        "1.0,\"top_p\":0.5,\"top_k\":3,\"seed\":1,\"stop\":[\"x\"],\"format\":{\"type\":\"json\"},\"reasoning\":"
        "{\"effort\":\"low\"}}",
        "{\"model\":\"up\",\"stream\":true,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}],\"tool_choice\":\"REQUIRED\",\"strict_tools\":"
        "true,\"max_tokens\":5,\"temperature\":1.0,\"p\":0.5,\"k\":3,\"seed\":1,\"stop_sequences\":[\"x\"],"
        "\"response_format\":{\"type\":\"json_object\"},\"thinking\":{\"type\":\"enabled\",\"token_budget\":1024},"
        "\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},{\"role\":"
        "\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"h\"}],\"tool_plan\":\"p\",\"tool_calls\":"
        "[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\","
        "\"tool_call_id\":\"c\",\"content\":\"Error: r\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
        "\"text\":\"a\"}]}]}");
    weir_test_same(t.lossy, "");
}
END_TEST

START_TEST(test_lower_documents_and_images)
{
    lowered(
        "{\"stream\":false,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"text\":\"d\","
        "\"name\":"
        "\"n\",\"at\":\"a\"},{\"type\":\"text\",\"text\":\"u\"},{\"type\":\"image\",\"data\":\"AA==\",\"media_type\":"
        "\"image/png\",\"at\":\"b\"},{\"type\":\"image\",\"url\":\"http://x\",\"detail\":\"low\",\"at\":\"c\"}]}]}",
        "{\"model\":\"up\",\"stream\":false,\"documents\":[{\"data\":{\"title\":\"n\",\"text\":\"d\"}}],\"messages\":"
        "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"},{\"type\":\"image_url\",\"image_url\":"
        "{\"url\":\"data:image/png;base64,AA==\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://x\","
        "\"detail\":\"low\"}}]}]}");
}
END_TEST

/* What stands behind the messages' place in the body does not matter here. */
static void hints_are(const char *members, const char *want)
{
    char canonical[512];

    snprintf(canonical, sizeof canonical, "{\"stream\":false,\"messages\":[],%s}", members);
    ck_assert_msg(encoded("/v2/chat", CHAT, canonical) == WEIR_PASS, "%s: %s", members, e.text);
    weir_test_same(t.lossy, want);
}

static void unsayable(const char *members, const char *field)
{
    char canonical[512];

    snprintf(canonical, sizeof canonical, "{\"stream\":false,%s}", members);
    ck_assert_msg(encoded("/v2/chat", CHAT, canonical) == WEIR_UNSUPPORTED, "%s", members);
    ck_assert_str_eq(e.field, field);
}

START_TEST(test_lower_tells_and_refuses)
{
    hints_are("\"logit_bias\":{\"1\":2},\"user\":\"u\",\"parallel_tools\":false",
              "logit_bias (hint)\nuser (hint)\nparallel_tools (hint)\n");
    hints_are("\"presence_penalty\":-1", "presence_penalty (hint)\n");
    hints_are("\"presence_penalty\":0,\"frequency_penalty\":0.5", "");
    hints_are("\"tools\":[{\"name\":\"a\",\"strict\":true},{\"name\":\"b\"}]", "tools.strict (hint)\n");
    unsayable("\"n\":2", "n");
    unsayable("\"logprobs\":0,\"names\":{\"logprobs\":\"top_logprobs\"}", "top_logprobs");
    unsayable("\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]", "stop");
    unsayable("\"tools\":[{\"hosted\":\"web_search\",\"raw\":{},\"at\":\"tools[0]\"}]", "tools[0]");
    unsayable("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"audio\",\"data\":\"\",\"at\":\"here\"}]}]",
              "here");
    unsayable("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"data\":\"\",\"at\":\"pdf\"}]}]",
              "pdf");
    unsayable("\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"c\",\"name\":\"f\","
              "\"arguments\":\"[\",\"at\":\"call\"}]}]",
              "call");
}
END_TEST

START_TEST(test_lower_thinking)
{
    static const struct {
        const char *reasoning, *want;
    } rows[] = {
        {"{\"effort\":\"none\"}", "\"thinking\":{\"type\":\"disabled\"}"},
        {"{\"budget\":0}", "\"thinking\":{\"type\":\"disabled\"}"},
        {"{\"budget\":-1}", "\"thinking\":{\"type\":\"enabled\"}"},
        {"{\"budget\":77}", "\"thinking\":{\"type\":\"enabled\",\"token_budget\":77}"},
        {"{\"effort\":\"medium\"}", "\"thinking\":{\"type\":\"enabled\",\"token_budget\":8192}"},
        {"{\"effort\":\"max\"}", "\"thinking\":{\"type\":\"enabled\"}"},
        {"{\"adaptive\":true}", "\"thinking\":{\"type\":\"enabled\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char canonical[256], want[256];
        snprintf(canonical, sizeof canonical, "{\"stream\":false,\"messages\":[],\"reasoning\":%s}", rows[i].reasoning);
        snprintf(want, sizeof want, "{\"model\":\"up\",\"stream\":false,%s,\"messages\":[]}", rows[i].want);
        lowered(canonical, want);
    }
    weir_test_fact(&t, "model.reasoning", "false");
    lowered("{\"stream\":false,\"messages\":[],\"reasoning\":{\"effort\":\"none\"}}",
            "{\"model\":\"up\",\"stream\":false,\"messages\":[]}");
}
END_TEST

START_TEST(test_lower_embed_and_rerank)
{
    ck_assert_int_eq(encoded("/v2/embed", EMBED, "{\"input\":[\"a\",\"b\"],\"dimensions\":8,\"encoding\":\"base64\"}"),
                     WEIR_PASS);
    weir_test_same(t.http_body, "{\"model\":\"up\",\"input_type\":\"search_document\",\"texts\":[\"a\",\"b\"],"
                                "\"embedding_types\":[\"float\"],\"output_dimension\":8}");
    ck_assert_int_eq(encoded("/v2/embed", EMBED, "{\"input\":[\"a\"],\"input_type\":\"query\"}"), WEIR_PASS);
    weir_test_same(t.http_body, "{\"model\":\"up\",\"input_type\":\"search_query\",\"texts\":[\"a\"],"
                                "\"embedding_types\":[\"float\"]}");
    ck_assert_int_eq(encoded("/v2/embed", EMBED, "{\"input\":[[1,2]]}"), WEIR_UNSUPPORTED);
    ck_assert_str_eq(e.field, "input");
    ck_assert_int_eq(encoded("/v2/rerank", RERANK, "{\"input\":[\"a\"],\"query\":\"q\",\"top_n\":2}"), WEIR_PASS);
    weir_test_same(t.http_url, "https://api.cohere.com/v2/rerank");
    weir_test_same(t.http_body, "{\"model\":\"up\",\"query\":\"q\",\"documents\":[\"a\"],\"top_n\":2}");
}
END_TEST

/* ---- decode ---- */

/* "CHANNEL choice.block text last" of each event. */
static void events_are(const char *want)
{
    static const char *const channels[] = {"text", "reasoning", "arguments", "usage",  "finish", "error",
                                           "done", "start",     "opaque",    "vector", "score"};
    struct weir_test_buf b = {0};
    char line[128];

    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *ev = weir_test_event(&t, i);
        snprintf(line, sizeof line, "%s %u", channels[ev->event.channel], ev->event.block);
        wt_add_text(&b, line);
        if (ev->event.copy)
            wt_add_text(&b, " copy");
        if (ev->event.tool_id.len) {
            wt_add_text(&b, " id=");
            wt_add(&b, ev->event.tool_id);
        }
        if (ev->text.len) {
            wt_add_text(&b, " ");
            wt_add(&b, ev->text);
        }
        if (ev->event.detail.len) {
            wt_add_text(&b, " ");
            wt_add(&b, ev->event.detail);
        }
        if (ev->event.channel == WEIR_FINISH) {
            snprintf(line, sizeof line, " %d", ev->event.finish);
            wt_add_text(&b, line);
        }
        wt_add_text(&b, ev->event.last ? " last\n" : "\n");
    }
    weir_test_same(b, want);
    wt_buf_free(&b);
}

static bool decoded(const char *stream)
{
    ck_assert(chat("{\"model\":\"m\",\"messages\":[],\"stream\":true}"));
    return weir_test_decode_stream(&t, stream, &e);
}

#define R(json) "data: " json "\n\n"

START_TEST(test_decode_stream)
{
    ck_assert(decoded(
        R("{\"id\":\"i\",\"type\":\"message-start\"}")
            R("{\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":"
              "\"p\"}}}") R("{\"type\":\"tool-call-start\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":"
                            "\"c\",\"function\":"
                            "{\"name\":\"f\",\"arguments\":\"\"}}}}}")
                R("{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":"
                  "{\"arguments\":\"{}\"}}}}}") R("{\"type\":\"tool-call-end\",\"index\":0}")
                    R("{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}},"
                      "\"logprobs\":{\"text\":\"a\"}}") R("{\"type\":\"citation-start\",\"index\":0,\"delta\":{"
                                                          "\"message\":{\"citations\":{\"text\":\"a\"}}}}")
                        R("{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}") "data: [DONE]\n\n"));
    events_are(
        "start 0 i\ntext 65536 p\ntext 65536 last\narguments 0 id=c\narguments 0 {}\narguments 0 last\ntext 0 a\n"
        "text 0 copy\ntext 0 copy\ntext 0 last\nfinish 0 COMPLETE 5\ndone 0\n");
}
END_TEST

START_TEST(test_decode_gives_up)
{
    ck_assert(!decoded(
        R("{\"type\":\"content-delta\",\"index\":-1,\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}}")));
    ck_assert(
        !decoded(R("{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}}")
                     R("{\"type\":\"content-end\",\"index\":0}")
                         R("{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":"
                           "\"b\"}}}}")));
    ck_assert(!decoded("data: {oops\n\n"));
    ck_assert(chat(CHAT));
    ck_assert(!weir_test_decode_body(&t, 200, "<html>", &e));
    ck_assert_str_eq(e.code, "invalid_answer");
}
END_TEST

START_TEST(test_decode_usage)
{
    static const struct {
        const char *usage;
        int64_t input, cached, output;
    } rows[] = {
        {"{\"billed_units\":{\"input_tokens\":1,\"output_tokens\":2},\"tokens\":{\"input_tokens\":10,\"output_tokens\":"
         "4},"
         "\"cached_tokens\":3}",
         7, 3, 4},
        {"{\"billed_units\":{\"input_tokens\":1,\"output_tokens\":2}}", 1, -1, 2},
        {"{\"tokens\":{\"input_tokens\":5.0,\"output_tokens\":2.0},\"cached_tokens\":9}", 0, 5, 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[400];
        const struct weir_usage *u;
        snprintf(body, sizeof body, "{\"message\":{\"content\":[]},\"finish_reason\":\"COMPLETE\",\"usage\":%s}",
                 rows[i].usage);
        ck_assert(chat(CHAT));
        ck_assert(weir_test_decode_body(&t, 200, body, &e));
        ck_assert_int_eq(weir_test_event(&t, 1)->event.channel, WEIR_USAGE);
        u = weir_test_event(&t, 1)->event.usage;
        ck_assert_int_eq(u->input, rows[i].input);
        ck_assert_int_eq(u->cache_read, rows[i].cached);
        ck_assert_int_eq(u->output, rows[i].output);
    }
}
END_TEST

static void error_is(int status, const char *message, const char *code)
{
    const struct weir_event *ev = &weir_test_event(&t, weir_test_event_count(&t) - 1)->event;

    ck_assert_int_eq(ev->channel, WEIR_ERRORED);
    ck_assert_int_eq(ev->status, status);
    weir_test_same(ev->detail, message);
    weir_test_same(ev->value, code);
}

START_TEST(test_decode_errors)
{
    ck_assert(chat(CHAT));
    ck_assert(weir_test_decode_body(&t, 429, "{\"id\":\"i\",\"message\":\"slow down\"}", &e));
    error_is(429, "slow down", "");
    ck_assert(weir_test_decode_body(&t, 400, "{\"message\":\"too many tokens: 9\"}", &e));
    error_is(400, "too many tokens: 9", "context_length_exceeded");
    ck_assert(weir_test_decode_body(&t, 502, "<html>", &e));
    error_is(502, "<html>", "");
}
END_TEST

START_TEST(test_bug_22_errors_in_a_stream)
{
    ck_assert(decoded(R("{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"broke\"}}")));
    error_is(0, "broke", "");
    ck_assert(decoded(R("{\"message\":\"not this way\"}")));
    error_is(0, "not this way", "");
}
END_TEST

START_TEST(test_bug_08_a_call_counts_before_the_label)
{
    ck_assert(chat(CHAT));
    ck_assert(
        weir_test_decode_body(&t, 200,
                              "{\"id\":\"i\",\"message\":{\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\","
                              "\"arguments\":\"null\"}}]},\"finish_reason\":\"COMPLETE\"}",
                              &e));
    events_are("start 0 i\narguments 0 id=c\narguments 0 last\nfinish 0 COMPLETE 5\n");
}
END_TEST

START_TEST(test_bug_21_no_end_is_no_end)
{
    ck_assert(decoded(R("{\"type\":\"message-end\",\"delta\":{\"finish_reason\":null}}")));
    events_are("");
}
END_TEST

/* ---- answer ---- */

static void say(struct weir_event ev)
{
    ev.size = sizeof ev;
    ck_assert(weir_test_answer(&t, &ev));
    wt_add(&got, wt_view(&t.out));
}

#define GIVE(...)  say((struct weir_event){__VA_ARGS__})
#define S(literal) WEIR_STR(literal)

static void said(const char *want)
{
    weir_test_same(got, want);
    got.len = 0;
}

/* Two calls take turns, a thought before them. */
static void give_calls(void)
{
    const struct weir_usage u = {7, 3, -1, 4, 1, -1, -1};

    GIVE(.channel = WEIR_START, .detail = S("i"));
    GIVE(.channel = WEIR_REASONING, .block = 4, .text = S("h"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .block = 4, .value = S("anthropic.signature"), .detail = S("x"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 7, .tool_id = S("a"), .tool_name = S("f"), .text = S("{"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 8, .tool_id = S("b"), .tool_name = S("g"), .last = true);
    GIVE(.channel = WEIR_ARGUMENTS, .block = 7, .text = S("}"), .last = true);
    GIVE(.channel = WEIR_USAGE, .usage = &u);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_STOP);
    GIVE(.channel = WEIR_DONE_MARK);
}

#define E(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"

START_TEST(test_bug_01_02_calls_are_numbered_and_never_mixed)
{
    ck_assert(chat("{\"model\":\"m\",\"messages\":[],\"stream\":true}"));
    give_calls();
    said(
        "event: message-start\ndata: "
        "{\"id\":\"i\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\","
        "\"content\":[],\"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}}\n\n" E(
            "content-start",
            ",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}")
            E("content-delta", ",\"index\":0,\"delta\":{\"message\":{\"content\":{\"thinking\":\"h\"}}}")
                E("content-end", ",\"index\":0") E(
                    "tool-call-start",
                    ",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"a\",\"type\":\"function\","
                    "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}}}")
                    E("tool-call-delta",
                      ",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{\"}}}}")
                        E("tool-call-delta", ",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{"
                                             "\"arguments\":\"}\"}}}}") E("tool-call-end", ",\"index\":0")
                            E("tool-call-start",
                              ",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"b\",\"type\":\"function\","
                              "\"function\":{\"name\":\"g\",\"arguments\":\"\"}}}}")
                                E("tool-call-delta",
                                  ",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{"
                                  "\"arguments\":\"{}\"}}}}") E("tool-call-end", ",\"index\":1")
                                    E("message-end", ",\"delta\":{\"finish_reason\":\"TOOL_CALL\",\"usage\":{\"billed_"
                                                     "units\":{\"input_tokens\":10,"
                                                     "\"output_tokens\":5},\"tokens\":{\"input_tokens\":10,\"output_"
                                                     "tokens\":5},\"cached_tokens\":3}}"));
}
END_TEST

START_TEST(test_bug_17_no_arguments_are_an_object)
{
    ck_assert(chat(CHAT));
    give_calls();
    said("{\"id\":\"i\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"h\"}],"
         "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{"
         "\"id\":"
         "\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"TOOL_"
         "CALL\","
         "\"usage\":{\"billed_units\":{\"input_tokens\":10,\"output_tokens\":5},\"tokens\":{\"input_tokens\":10,"
         "\"output_tokens\":5},\"cached_tokens\":3}}");
}
END_TEST

START_TEST(test_bug_03_text_and_thoughts_are_apart)
{
    ck_assert(chat(CHAT));
    GIVE(.channel = WEIR_START, .detail = S("i"));
    GIVE(.channel = WEIR_REASONING, .text = S("h"));
    GIVE(.channel = WEIR_TEXT, .text = S("a"));
    GIVE(.channel = WEIR_REASONING, .text = S("i"), .last = true);
    GIVE(.channel = WEIR_TEXT, .text = S("b"), .last = true);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_LENGTH);
    GIVE(.channel = WEIR_DONE_MARK);
    said("{\"id\":\"i\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hi\"},"
         "{\"type\":\"text\",\"text\":\"ab\"}]},\"finish_reason\":\"MAX_TOKENS\",\"usage\":{\"billed_units\":{"
         "\"input_tokens\":0,\"output_tokens\":0},\"tokens\":{\"input_tokens\":0,\"output_tokens\":0}}}");
}
END_TEST

START_TEST(test_answer_text_that_was_held)
{
    ck_assert(chat("{\"model\":\"m\",\"messages\":[],\"stream\":true}"));
    GIVE(.channel = WEIR_TEXT, .block = 1, .text = S("a"));
    GIVE(.channel = WEIR_TEXT, .block = BLOCK_PLAN, .text = S("p"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 2, .text = S("{"));
    GIVE(.channel = WEIR_DONE_MARK);
    said(E("content-delta", ",\"index\":1,\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}")
             E("tool-plan-delta", ",\"delta\":{\"message\":{\"tool_plan\":\"p\"}}")
                 E("tool-call-delta",
                   ",\"index\":2,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{\"}}}}"));
}
END_TEST

START_TEST(test_answer_vectors_in_both_forms)
{
    ck_assert(weir_test_accept(&t, "POST", "/v2/embed",
                               "{\"model\":\"m\",\"texts\":[\"x\",\"y\"],\"embedding_types\":[\"float\",\"base64\"]}",
                               &e));
    GIVE(.channel = WEIR_START, .detail = S("i"));
    GIVE(.channel = WEIR_VECTOR, .choice = 1, .text = S("[1]"), .last = true);
    GIVE(.channel = WEIR_VECTOR, .choice = 0, .text = S("AACAPwAAAL8="), .last = true);
    GIVE(.channel = WEIR_DONE_MARK);
    said("{\"id\":\"i\",\"texts\":[\"x\",\"y\"],\"embeddings\":{\"float\":[[1,-0.5],[1]],\"base64\":[\"AACAPwAAAL8=\","
         "\"AACAPw==\"]},\"meta\":{\"api_version\":{\"version\":\"2\"}},\"response_type\":\"embeddings_by_type\"}");
}
END_TEST

START_TEST(test_answer_scores)
{
    const struct weir_usage u = {5, -1, -1, 0, -1, -1, -1};

    ck_assert(weir_test_accept(&t, "POST", "/v2/rerank", RERANK, &e));
    GIVE(.channel = WEIR_START, .detail = S("i"));
    GIVE(.channel = WEIR_SCORE, .choice = 2, .text = S("0.5"), .last = true);
    GIVE(.channel = WEIR_SCORE, .choice = 0, .text = S("1e-3"), .last = true);
    GIVE(.channel = WEIR_USAGE, .usage = &u);
    GIVE(.channel = WEIR_DONE_MARK);
    said("{\"id\":\"i\",\"results\":[{\"index\":2,\"relevance_score\":0.5},{\"index\":0,\"relevance_score\":1e-3}],"
         "\"meta\":"
         "{\"api_version\":{\"version\":\"2\"},\"billed_units\":{\"input_tokens\":5}}}");
}
END_TEST

START_TEST(test_refuse)
{
    struct weir_refusal f = {.status = 403, .code = "denied", .text = "no \"x\"", .field = ""};

    ck_assert(chat("{\"model\":\"m\",\"messages\":[],\"stream\":true}"));
    weir_test_fact(&t, "request_id", "r1");
    weir_test_refuse(&t, &f);
    weir_test_same(t.out, "{\"id\":\"r1\",\"message\":\"no \\\"x\\\"\"}");
    f.in_stream = true;
    weir_test_refuse(&t, &f);
    weir_test_same(t.out, E("message-end", ",\"delta\":{\"error\":\"no \\\"x\\\"\",\"finish_reason\":\"ERROR\"}"));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        test_accept_sees_every_text,
        test_accept_sees_query_and_documents,
        test_accept_refuses,
        test_lift_chat,
        test_lift_documents_and_images,
        test_lift_embed_and_rerank,
        test_lift_refuses_by_name,
        test_encode_splices_the_model,
        test_lower_chat,
        test_lower_documents_and_images,
        test_lower_tells_and_refuses,
        test_lower_thinking,
        test_lower_embed_and_rerank,
        test_decode_stream,
        test_decode_gives_up,
        test_decode_usage,
        test_decode_errors,
        test_bug_22_errors_in_a_stream,
        test_bug_08_a_call_counts_before_the_label,
        test_bug_21_no_end_is_no_end,
        test_bug_01_02_calls_are_numbered_and_never_mixed,
        test_bug_17_no_arguments_are_an_object,
        test_bug_03_text_and_thoughts_are_apart,
        test_answer_text_that_was_held,
        test_answer_vectors_in_both_forms,
        test_answer_scores,
        test_refuse,
    };
    Suite *s = suite_create("cohere");
    TCase *c = tcase_create("cohere");

    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
