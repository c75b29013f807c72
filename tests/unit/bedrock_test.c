/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock_test.c -- the bedrock plugin against hand-written requests, canonical requests, frames and events.  Recorded
 * traffic is in bedrock_golden_test.c; hostile bytes are in tests/fuzz/bedrock.c.
 */
#include "bedrock_all.h"
#include "unit.h"

#include "base/crc32.h"

#define MODEL "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

static struct weir_test t;
static struct weir_error e;

static void begin(const char *options)
{
    weir_test_init(&t, &weir_plugin, options);
    weir_test_fact(&t, "time", "1795305600"); /* 20261122T000000Z */
}

static void setup(void)
{
    begin("key = token");
}

static void teardown(void)
{
    weir_test_fini(&t);
}

static bool converse(const char *body)
{
    return weir_test_accept(&t, "POST", "/model/m/converse", body, &e);
}

/* ---- accept ---- */

START_TEST(test_accept_reads_the_path)
{
    static const struct {
        const char *path, *model;
        bool stream;
    } rows[] = {
        {"/model/m/converse", "m", false},
        {"/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream", MODEL, true},
        {"/model/" MODEL "/converse", MODEL, false},
        {"/model/anthropic%2Fclaude-4%2e5/converse", "anthropic/claude-4.5", false},
        {"/model/arn:aws:bedrock:us-east-1:1:inference-profile/us.x/converse-stream",
         "arn:aws:bedrock:us-east-1:1:inference-profile/us.x", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(
            weir_test_accept(&t, "POST", rows[i].path, "{\"messages\":[],\"inferenceConfig\":{\"maxTokens\":7}}", &e));
        weir_test_same(t.request.model, rows[i].model);
        ck_assert_int_eq(t.request.stream, rows[i].stream);
        ck_assert_int_eq(t.request.max_output, 7);
        ck_assert_int_eq(t.request.kind, WEIR_CHAT);
        ck_assert(t.request.usage_asked);
        ck_assert_str_eq(t.request.stream_type, "application/vnd.amazon.eventstream");
    }
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
    refused("/model/m/invoke", "{}", "", "unknown_path");
    refused("/model/converse", "{}", "model", "invalid_model");
    refused("/model/a%2/converse", "{}", "model", "invalid_model");
    refused("/model/a%0ab/converse", "{}", "model", "invalid_model");
    refused("/model/m/converse", "[]", "", "invalid_json");
    refused("/model/m/converse", "{}", "messages", "missing_required_parameter");
    refused("/model/m/converse", "{\"messages\":{}}", "messages", "invalid_type");
    refused("/model/m/converse", "{\"messages\":[\"x\"]}", "messages[0]", "invalid_type");
    refused("/model/m/converse", "{\"messages\":[{\"content\":[]}]}", "messages[0].role", "missing_required_parameter");
    refused("/model/m/converse", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "messages[0].content",
            "invalid_type");
    refused("/model/m/converse", "{\"messages\":[],\"inferenceConfig\":{\"maxTokens\":0}}", "inferenceConfig.maxTokens",
            "invalid_type");
    refused("/model/m/converse", "{\"Messages\":[],\"messages\":[]}", "Messages", "unknown_parameter");
    refused("/model/m/converse", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"te\\u0078t\":\"a\"}]}]}",
            "messages[0].content[0].te\\u0078t", "unknown_parameter");
    refused("/model/m/count-tokens", "{\"input\":{\"invokeModel\":{\"body\":\"\"}}}", "input", "invalid_request");
    refused("/model/m/count-tokens", "{\"input\":{\"converse\":{\"messages\":[]},\"x\":{\"a\":\"b\"}}}", "input",
            "invalid_request");
}
END_TEST

/* One line a span: where, message, part, text. */
static void spans_are(const char *want)
{
    struct weir_test_buf b = {0};

    for (size_t i = 0; i < weir_test_span_count(&t); i++) {
        const struct weir_span *s = weir_test_span(&t, i);
        char head[64];
        snprintf(head, sizeof head, "%d %u %u ", (int)s->where, s->message, s->part);
        wt_add_text(&b, head);
        wt_add(&b, s->text);
        wt_add_text(&b, "\n");
    }
    weir_test_same(b, want);
    wt_buf_free(&b);
}

START_TEST(test_accept_spans_every_text)
{
    ck_assert(converse(
        "{\"system\":[{\"text\":\"sys\"},{\"cachePoint\":{\"type\":\"default\"}}],"
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"one\"},"
        "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"QUJD\"}}},"
        "{\"document\":{\"format\":\"txt\",\"name\":\"My doc\",\"source\":{\"text\":\"inside\"},\"context\":\"ctx\"}},"
        "{\"guardContent\":{\"text\":{\"text\":\"guarded\"}}}]},"
        "{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":"
        "\"c2ln\"}}},"
        "{\"reasoningContent\":{\"redactedContent\":\"cmVk\"}},"
        "{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\",\"input\":{\"city\":\"Oslo\"}}}]},"
        "{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t1\",\"status\":\"success\","
        "\"content\":[{\"text\":\"rain\"},{\"json\":{\"k\":\"v\"}}]}}]}],"
        "\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"does\",\"inputSchema\":{\"json\":{}"
        "}}}]}}"));
    spans_are("0 0 0 sys\n"
              "1 0 0 one\n"
              "5 0 2 My doc\n"
              "5 0 2 inside\n"
              "5 0 2 ctx\n"
              "1 0 3 text\n1 0 3 text\n1 0 3 guarded\n"
              "2 1 0 hm\n"
              "6 1 2 f\n"
              "3 1 2 city\n3 1 2 Oslo\n"
              "4 2 0 rain\n4 2 0 k\n4 2 0 v\n"
              "6 0 0 tools\n6 0 0 toolSpec\n6 0 0 name\n6 0 0 f\n6 0 0 description\n6 0 0 does\n6 0 0 inputSchema\n"
              "6 0 0 json\n");
}
END_TEST

START_TEST(test_count_tokens)
{
    struct weir_candidate to = weir_test_candidate("aws", "m:1");

    ck_assert(weir_test_accept(
        &t, "POST", "/model/m/count-tokens",
        "{\"input\":{\"converse\":{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}}}", &e));
    ck_assert_int_eq(t.request.kind, WEIR_COUNT_TOKENS);
    spans_are("1 0 0 hi\n");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_url, "https://bedrock-runtime.us-east-1.amazonaws.com/model/m%3A1/count-tokens");
    ck_assert(weir_test_decode_body(&t, 200, "{\"inputTokens\":5}", &e));
    ck_assert_uint_eq(weir_test_event_count(&t), 0);
}
END_TEST

/* ---- lift ---- */

static void lifted(const char *body, const char *want, const char *lossy_want)
{
    struct weir_str got;

    ck_assert_msg(converse(body), "%s", e.text);
    got = weir_test_lift(&t, &e);
    ck_assert_msg(got.ptr != NULL, "%s", e.text);
    weir_test_same(got, want);
    weir_test_same(t.lossy, lossy_want);
}

START_TEST(test_lift_everything)
{
    lifted(
        "{\"inferenceConfig\":{\"maxTokens\":100,\"temperature\":1.0,\"topP\":0.5,\"stopSequences\":[\"a\"]},"
        "\"system\":[{\"text\":\"s\"},{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}],"
        "\"messages\":["
        "{\"role\":\"user\",\"content\":[{\"text\":\"caf\\u00e9\"},{\"cachePoint\":{\"type\":\"default\"}},"
        "{\"image\":{\"format\":\"jpeg\",\"source\":{\"bytes\":\"QQ==\"}}},"
        "{\"document\":{\"format\":\"pdf\",\"name\":\"d\",\"source\":{\"bytes\":\"QQ==\"},\"citations\":{\"enabled\":"
        "true}}}]},"
        "{\"role\":\"assistant\",\"content\":["
        "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":\"c2ln\"}}},"
        "{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\",\"input\":{\"x\": 1.0}}}]},"
        "{\"role\":\"user\",\"content\":[{\"text\":\"and\"},{\"toolResult\":{\"toolUseId\":\"t1\",\"status\":\"error\","
        "\"content\":[{\"text\":\"r\"},{\"json\":{\"a\": 1}}]}}]}],"
        "\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"d\","
        "\"inputSchema\":{\"json\":{\"type\": \"object\"}}}},{\"cachePoint\":{\"type\":\"default\"}}],"
        "\"toolChoice\":{\"tool\":{\"name\":\"f\"}}},"
        "\"additionalModelRequestFields\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000},\"top_k\":5},"
        "\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":\"{"
        "\\\"type\\\":\\\"object\\\"}\",\"name\":\"n\"}}}},"
        "\"serviceTier\":{\"type\":\"flex\"},\"requestMetadata\":{\"a\":\"b\"},"
        "\"performanceConfig\":{\"latency\":\"optimized\"}}",
        "{\"names\":{\"tools\":\"toolConfig.tools\",\"tool_choice\":\"toolConfig.toolChoice\","
        "\"max_output\":\"inferenceConfig.maxTokens\",\"temperature\":\"inferenceConfig.temperature\","
        "\"top_p\":\"inferenceConfig.topP\",\"top_k\":\"additionalModelRequestFields.top_k\","
        "\"stop\":\"inferenceConfig.stopSequences\",\"format\":\"outputConfig.textFormat\","
        "\"reasoning\":\"additionalModelRequestFields.thinking\",\"service_tier\":\"serviceTier.type\","
        "\"metadata\":\"requestMetadata\"},\"stream\":false,"
        "\"system\":[{\"type\":\"text\",\"text\":\"s\",\"cache\":{\"ttl\":\"1h\"}}],"
        "\"messages\":["
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"caf\\u00e9\",\"cache\":{}},"
        "{\"type\":\"image\",\"data\":\"QQ==\",\"media_type\":\"image/jpeg\",\"at\":\"messages[0].content[2]\"},"
        "{\"type\":\"document\",\"data\":\"QQ==\",\"media_type\":\"application/pdf\",\"name\":\"d\",\"citations\":true,"
        "\"at\":\"messages[0].content[3]\"}]},"
        "{\"role\":\"assistant\",\"content\":["
        "{\"type\":\"reasoning\",\"text\":\"hm\",\"opaque\":\"c2ln\",\"kind\":\"bedrock.signature\"},"
        "{\"type\":\"call\",\"id\":\"t1\",\"name\":\"f\",\"arguments\":\"{\\\"x\\\": 1.0}\","
        "\"at\":\"messages[1].content[1]\"}]},"
        "{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"t1\",\"content\":["
        "{\"type\":\"text\",\"text\":\"r\"},{\"type\":\"text\",\"text\":\"{\\\"a\\\": 1}\"}],\"error\":true,"
        "\"at\":\"messages[2].content[1]\"}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"and\"}]}],"
        "\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"schema\":{\"type\": \"object\"},\"cache\":{},"
        "\"at\":\"toolConfig.tools[0]\"}],"
        "\"tool_choice\":{\"mode\":\"named\",\"name\":\"f\"},"
        "\"max_output\":100,\"temperature\":1.0,\"top_p\":0.5,\"top_k\":5,\"stop\":[\"a\"],"
        "\"format\":{\"type\":\"schema\",\"name\":\"n\",\"schema\":{\"type\":\"object\"}},"
        "\"reasoning\":{\"budget\":2000},\"service_tier\":\"flex\",\"metadata\":{\"a\":\"b\"}}",
        "performanceConfig (hint)\n");
}
END_TEST

#define USER(blocks)  "{\"messages\":[{\"role\":\"user\",\"content\":[" blocks "]}]}"
#define LIFTED(parts) "{\"names\":{},\"stream\":false,\"messages\":[{\"role\":\"user\",\"content\":[" parts "]}]}"

START_TEST(test_lift_small_things)
{
    lifted(USER("{\"cachePoint\":{\"type\":\"default\"}},{\"text\":\"a\"},{\"cachePoint\":{\"type\":\"default\"}},"
                "{\"cachePoint\":{\"type\":\"default\"}}"),
           LIFTED("{\"type\":\"text\",\"text\":\"a\",\"cache\":{}}"),
           "messages[0].content[0] (hint)\nmessages[0].content[3] (hint)\n");
    lifted(
        USER(
            "{\"document\":{\"format\":\"txt\",\"name\":\"d\",\"source\":{\"text\":\"abc\"}}},"
            "{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":\"s3://a\"}}}},{\"future\":{\"a\":1}}"),
        LIFTED("{\"type\":\"document\",\"text\":\"abc\",\"name\":\"d\",\"at\":\"messages[0].content[0]\"},"
               "{\"type\":\"other\",\"name\":\"image\",\"raw\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":"
               "\"s3://"
               "a\"}}},\"at\":\"messages[0].content[1]\"},"
               "{\"type\":\"other\",\"name\":\"future\",\"raw\":{\"a\":1},\"at\":\"messages[0].content[2]\"}"),
        "");
    /* what another vendor's answer was given as: weir:openai.encrypted:ZZ and its base64 */
    lifted(USER("{\"reasoningContent\":{\"reasoningText\":{\"text\":\"t\",\"signature\":\"weir:anthropic.signature:"
                "QUJD\"}}},"
                "{\"reasoningContent\":{\"redactedContent\":\"d2VpcjpvcGVuYWkuZW5jcnlwdGVkOlpa\"}},"
                "{\"reasoningContent\":{\"redactedContent\":\"QUJD\"}}"),
           LIFTED("{\"type\":\"reasoning\",\"text\":\"t\",\"opaque\":\"QUJD\",\"kind\":\"anthropic.signature\"},"
                  "{\"type\":\"reasoning\",\"opaque\":\"ZZ\",\"kind\":\"openai.encrypted\"},"
                  "{\"type\":\"reasoning\",\"opaque\":\"QUJD\",\"kind\":\"bedrock.redacted\"}"),
           "");
}
END_TEST

static void lift_refuses(const char *body, const char *field)
{
    ck_assert(converse(body));
    ck_assert_ptr_null(weir_test_lift(&t, &e).ptr);
    ck_assert_str_eq(e.field, field);
}

START_TEST(test_lift_refuses_by_name)
{
    lift_refuses("{\"messages\":[],\"guardrailConfig\":{\"guardrailIdentifier\":\"g\"}}", "guardrailConfig");
    lift_refuses("{\"messages\":[],\"promptVariables\":{\"a\":{\"text\":\"b\"}}}", "promptVariables");
    lift_refuses("{\"messages\":[],\"future\":1}", "future");
    lift_refuses("{\"messages\":[],\"inferenceConfig\":{\"future\":1}}", "inferenceConfig.future");
    lift_refuses("{\"messages\":[],\"additionalModelRequestFields\":{\"x\":1}}", "additionalModelRequestFields.x");
    lift_refuses("{\"messages\":[],\"additionalModelResponseFieldPaths\":[\"/a\"]}",
                 "additionalModelResponseFieldPaths");
    lift_refuses("{\"messages\":[],\"toolConfig\":{\"tools\":[{\"future\":{}}]}}", "toolConfig.tools[0].future");
    lift_refuses(
        "{\"messages\":[],\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{"
        "\"schema\":\"no\"}}}}}",
        "outputConfig.textFormat.structure.jsonSchema.schema");
    t.drop = true;
    ck_assert(converse("{\"messages\":[],\"guardrailConfig\":{\"guardrailIdentifier\":\"g\"}}"));
    weir_test_same(weir_test_lift(&t, &e), "{\"names\":{},\"stream\":false,\"messages\":[]}");
    weir_test_same(t.lossy, "guardrailConfig\n");
}
END_TEST

/* bug 20: flags that Bedrock's clients send mean nothing elsewhere, and unknown ones must not travel. */
START_TEST(test_bug_20_beta_flags_do_not_travel)
{
    lifted("{\"messages\":[],\"additionalModelRequestFields\":{\"anthropic_beta\":[\"x-2025\"]}}",
           "{\"names\":{},\"stream\":false,\"messages\":[]}", "additionalModelRequestFields.anthropic_beta (hint)\n");
    /* and of a client's header nothing is made */
    weir_test_fact(&t, "header.anthropic-beta", "context-1m-2025-08-07");
    struct weir_candidate to = weir_test_candidate("aws", MODEL);
    weir_test_canonical(&t, "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}");
    weir_test_same(weir_test_http_header(&t, "anthropic-beta"), "");
}
END_TEST

/* ---- encode ---- */

static void lowered_for(const char *model, const char *canonical, const char *want, const char *lossy_want)
{
    struct weir_candidate to = weir_test_candidate("aws", model);

    weir_test_canonical(&t, canonical);
    ck_assert_msg(weir_test_encode(&t, &to, &e) == WEIR_PASS, "%s", e.text);
    weir_test_same(weir_test_sent(&t), want);
    weir_test_same(t.lossy, lossy_want);
}

static void lowered(const char *canonical, const char *want)
{
    lowered_for(MODEL, canonical, want, "");
}

#define SAID(parts) "{\"messages\":[{\"role\":\"user\",\"content\":[" parts "]}]}"

START_TEST(test_encode_everything)
{
    lowered_for(
        "us.anthropic.claude-opus-5-v1:0",
        "{\"names\":{},\"stream\":true,\"system\":[{\"type\":\"text\",\"text\":\"s\",\"cache\":{\"ttl\":\"5m\"}}],"
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\",\"cache\":{\"ttl\":\"1h\"}},"
        "{\"type\":\"image\",\"data\":\"QQ==\",\"media_type\":\"image/jpg\",\"at\":\"x\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"hm\",\"opaque\":\"c2ln\",\"kind\":"
        "\"bedrock.signature\"},"
        "{\"type\":\"reasoning\",\"text\":\"no\",\"opaque\":\"x\",\"kind\":\"openai.encrypted\"},"
        "{\"type\":\"call\",\"id\":\"t1\",\"name\":\"f\",\"arguments\":\"{\\\"x\\\": 1.0}\",\"at\":\"x\"}]},"
        "{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"t1\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"r\"}],\"error\":true,\"at\":\"x\"}]}],"
        "\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"schema\":{\"type\": "
        "\"object\"},\"strict\":true,\"cache\":{},\"at\":\"x\"}],"
        "\"tool_choice\":{\"mode\":\"required\"},\"max_output\":100,\"temperature\":1.0,\"top_p\":0.5,\"top_k\":5,"
        "\"stop\":[\"a\"],\"seed\":7,\"format\":{\"type\":\"schema\",\"name\":\"n\",\"schema\":{\"type\":\"object\"},"
        "\"strict\":true},"
        "\"reasoning\":{\"effort\":\"high\"},\"service_tier\":\"flex\",\"user\":\"u-1\",\"metadata\":{\"a\":\"b\"}}",
        "{\"system\":[{\"text\":\"s\"},{\"cachePoint\":{\"type\":\"default\"}}],"
        "\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"d\",\"inputSchema\":{\"json\":{"
        "\"type\": \"object\"}},\"strict\":true}},"
        "{\"cachePoint\":{\"type\":\"default\"}}],\"toolChoice\":{\"any\":{}}},"
        "\"inferenceConfig\":{\"maxTokens\":100,\"temperature\":1.0,\"topP\":0.5,\"stopSequences\":[\"a\"]},"
        "\"additionalModelRequestFields\":{\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"high\"}"
        ",\"top_k\":5},"
        "\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":\"{"
        "\\\"type\\\":\\\"object\\\"}\",\"name\":\"n\"}}}},"
        "\"serviceTier\":{\"type\":\"flex\"},\"requestMetadata\":{\"a\":\"b\",\"user_id\":\"u-1\"},"
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"q\"},{\"cachePoint\":{\"type\":\"default\",\"ttl\":"
        "\"1h\"}},"
        "{\"image\":{\"format\":\"jpeg\",\"source\":{\"bytes\":\"QQ==\"}}}]},"
        "{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":"
        "\"c2ln\"}}},"
        "{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\",\"input\":{\"x\": 1.0}}}]},"
        "{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t1\",\"content\":[{\"text\":\"r\"}],"
        "\"status\":\"error\"}}]}]}",
        "seed (hint)\n");
    weir_test_same(
        t.http_url,
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-opus-5-v1%3A0/converse-stream");
    weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer token");
}
END_TEST

START_TEST(test_encode_reasoning_by_model)
{
    static const struct {
        const char *model, *reasoning, *want;
    } rows[] = {
        {MODEL, "{\"effort\":\"medium\"}", "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5000}}"},
        {MODEL, "{\"effort\":\"low\"}", "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}}"},
        {MODEL, "{\"budget\":3000}", "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":3000}}"},
        {MODEL, "{\"effort\":\"none\"}", "{\"thinking\":{\"type\":\"disabled\"}}"},
        {MODEL, "{\"budget\":0}", "{\"thinking\":{\"type\":\"disabled\"}}"},
        {"anthropic.claude-opus-5", "{\"effort\":\"minimal\"}",
         "{\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"low\"}}"},
        {"anthropic.claude-opus-5", "{\"adaptive\":true}", "{\"thinking\":{\"type\":\"adaptive\"}}"},
        {"us.amazon.nova-2-lite-v1:0", "{\"effort\":\"xhigh\"}",
         "{\"reasoningConfig\":{\"type\":\"enabled\",\"maxReasoningEffort\":\"high\"}}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char canonical[256], want[512];
        snprintf(canonical, sizeof canonical, "{\"messages\":[],\"max_output\":10000,\"reasoning\":%s}",
                 rows[i].reasoning);
        snprintf(want, sizeof want,
                 "{\"inferenceConfig\":{\"maxTokens\":10000},\"additionalModelRequestFields\":%s,\"messages\":[]}",
                 rows[i].want);
        lowered_for(rows[i].model, canonical, want, "");
    }
    lowered_for("mistral.large", "{\"messages\":[],\"reasoning\":{\"effort\":\"low\"}}", "{\"messages\":[]}",
                "reasoning (hint)\n");
    lowered_for(MODEL, "{\"messages\":[],\"max_output\":500,\"reasoning\":{\"effort\":\"low\"}}",
                "{\"inferenceConfig\":{\"maxTokens\":500},\"additionalModelRequestFields\":{},\"messages\":[]}",
                "reasoning (hint)\n");
}
END_TEST

/* What a budget cannot say, and what shall be shown. */
START_TEST(test_encode_reasoning_as_the_model_likes)
{
    lowered_for(MODEL, "{\"messages\":[],\"reasoning\":{\"adaptive\":true}}",
                "{\"additionalModelRequestFields\":{},\"messages\":[]}", "reasoning (hint)\n");
    lowered_for("anthropic.claude-opus-5", "{\"messages\":[],\"reasoning\":{\"adaptive\":true,\"show\":\"none\"}}",
                "{\"additionalModelRequestFields\":{\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"}},"
                "\"messages\":[]}",
                "");
}
END_TEST

/* Converse knows five minutes, which needs no word, and an hour; another one's is told and not sent. */
START_TEST(test_bug_12_lifetimes_of_cache_points)
{
#define CACHED(ttl)                                                                                                    \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\",\"cache\":{\"ttl\":\"" ttl       \
    "\"},\"at\":\"x\"}]}]}"
#define POINT(more)                                                                                                    \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"q\"},{\"cachePoint\":{\"type\":\"default\"" more       \
    "}}]}]}"
    lowered_for(MODEL, CACHED("5m"), POINT(""), "");
    lowered_for(MODEL, CACHED("1h"), POINT(",\"ttl\":\"1h\""), "");
    lowered_for(MODEL, CACHED("30m"), POINT(""), "x (hint)\n");
    lowered_for(MODEL,
                "{\"names\":{\"cache\":\"c\"},\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                "\"text\":\"q\"}]}],\"cache\":{\"ttl\":\"30m\"}}",
                POINT(""), "c (hint)\n");
}
END_TEST

START_TEST(test_encode_tells_names_but_not_zeroes)
{
    lowered_for(MODEL,
                "{\"messages\":[{\"role\":\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\",\"text\":\"q\"}]}],"
                "\"presence_penalty\":0.0,\"frequency_penalty\":0.1,\"logit_bias\":{}}",
                SAID("{\"text\":\"q\"}"), "frequency_penalty (hint)\nmessages.name (hint)\n");
}
END_TEST

/* Claude takes no temperature above 1. */
START_TEST(test_encode_temperature)
{
    lowered_for(MODEL, "{\"names\":{\"temperature\":\"t\"},\"messages\":[],\"temperature\":1.50}",
                "{\"inferenceConfig\":{\"temperature\":1},\"messages\":[]}", "t (hint)\n");
    lowered_for(MODEL, "{\"messages\":[],\"temperature\":1.0}",
                "{\"inferenceConfig\":{\"temperature\":1.0},\"messages\":[]}", "");
    lowered_for("mistral.large", "{\"messages\":[],\"temperature\":1.50}",
                "{\"inferenceConfig\":{\"temperature\":1.50},\"messages\":[]}", "");
}
END_TEST

/* Users and assistants take turns, results come first, and what the system says in between is a user's. */
START_TEST(test_encode_merges_messages)
{
    lowered_for(
        MODEL,
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},"
        "{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"s\"}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"1\",\"name\":\"f\",\"arguments\":\"\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"2\",\"name\":\"f\",\"arguments\":\"{}\"}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"c\"}]},"
        "{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"1\",\"content\":[]},"
        "{\"type\":\"result\",\"id\":\"2\",\"content\":[]}]}],\"cache\":{}}",
        "{\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}}}]}"
        ","
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"},{\"text\":\"<system>s</"
        "system>\"},{\"text\":\"b\"}]},"
        "{\"role\":\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"1\",\"name\":\"f\",\"input\":{}}},"
        "{\"toolUse\":{\"toolUseId\":\"2\",\"name\":\"f\",\"input\":{}}}]},"
        "{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"1\",\"content\":[]}},"
        "{\"toolResult\":{\"toolUseId\":\"2\",\"content\":[]}},{\"text\":\"c\"},{\"cachePoint\":{\"type\":\"default\"}}"
        "]}]}",
        "messages[1] (hint)\n");
}
END_TEST

START_TEST(test_encode_documents)
{
    lowered(SAID("{\"type\":\"document\",\"data\":\"QQ==\",\"media_type\":\"application/pdf\",\"name\":\"my_report  "
                 "v2.pdf\"},"
                 "{\"type\":\"document\",\"data\":\"QQ==\",\"media_type\":\"application/pdf\",\"name\":\"my/report "
                 "v2?pdf\"},"
                 "{\"type\":\"document\",\"text\":\"abc\",\"citations\":true,\"context\":\"c\"}"),
            SAID("{\"document\":{\"format\":\"pdf\",\"name\":\"my-report v2-pdf\",\"source\":{\"bytes\":\"QQ==\"}}},"
                 "{\"document\":{\"format\":\"pdf\",\"name\":\"my-report v2-pdf-2\",\"source\":{\"bytes\":\"QQ==\"}}},"
                 "{\"document\":{\"format\":\"txt\",\"name\":\"doc-3\",\"source\":{\"text\":\"abc\"},\"context\":\"c\","
                 "\"citations\":{\"enabled\":true}}},"
                 "{\"text\":\"doc-3\"}"));
    lowered(SAID("{\"type\":\"document\",\"text\":\"x\",\"name\":\"a-2\"},"
                 "{\"type\":\"document\",\"text\":\"x\",\"name\":\"a\"},"
                 "{\"type\":\"document\",\"text\":\"x\",\"name\":\"a\"},{\"type\":\"text\",\"text\":\"t\"}"),
            SAID("{\"document\":{\"format\":\"txt\",\"name\":\"a-2\",\"source\":{\"text\":\"x\"}}},"
                 "{\"document\":{\"format\":\"txt\",\"name\":\"a\",\"source\":{\"text\":\"x\"}}},"
                 "{\"document\":{\"format\":\"txt\",\"name\":\"a-3\",\"source\":{\"text\":\"x\"}}},{\"text\":\"t\"}"));
}
END_TEST

static void encode_refuses(const char *canonical, const char *field)
{
    struct weir_candidate to = weir_test_candidate("aws", MODEL);

    weir_test_canonical(&t, canonical);
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    ck_assert_str_eq(e.field, field);
}

START_TEST(test_encode_refuses_by_the_clients_name)
{
    encode_refuses("{\"names\":{\"n\":\"candidateCount\"},\"messages\":[],\"n\":2}", "candidateCount");
    encode_refuses("{\"messages\":[],\"logprobs\":0}", "logprobs");
    encode_refuses("{\"names\":{\"format\":\"response_format\"},\"messages\":[],\"format\":{\"type\":\"json\"}}",
                   "response_format");
    encode_refuses(SAID("{\"type\":\"image\",\"url\":\"http://a\",\"at\":\"messages[0].content[0]\"}"),
                   "messages[0].content[0]");
    encode_refuses(SAID("{\"type\":\"image\",\"data\":\"QQ==\",\"media_type\":\"image/tiff\",\"at\":\"m\"}"), "m");
    encode_refuses(SAID("{\"type\":\"document\",\"file\":\"f\",\"at\":\"m\"}"), "m");
    encode_refuses(SAID("{\"type\":\"other\",\"name\":\"x\",\"raw\":1,\"at\":\"m\"}"), "m");
    encode_refuses("{\"messages\":[],\"tools\":[{\"hosted\":\"web_search\",\"raw\":{},\"at\":\"tools[0]\"}]}",
                   "tools[0]");
    encode_refuses("{\"messages\":[],\"tools\":[{\"name\":\"f\",\"custom\":{},\"at\":\"tools[0]\"}]}", "tools[0]");
    encode_refuses("{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]}",
                   "messages[0]");
    encode_refuses(
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":\"assistant\","
        "\"content\":[{\"type\":\"call\",\"id\":\"1\",\"name\":\"f\",\"arguments\":\"[1\",\"at\":\"c\"}]}]}",
        "c");
    ck_assert_str_eq(e.code, "invalid_arguments");
    t.drop = true;
    lowered_for(MODEL, "{\"messages\":[],\"tools\":[{\"hosted\":\"web_search\",\"raw\":{},\"at\":\"tools[0]\"}]}",
                "{\"messages\":[]}", "tools[0]\n");
}
END_TEST

/* bug 17: a call without arguments is a call with an empty object. */
START_TEST(test_bug_17_empty_arguments)
{
    lowered("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":"
            "\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"1\",\"name\":\"f\",\"arguments\":\"\"}]}]}",
            "{\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}"
            "}}]},"
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]},{\"role\":\"assistant\",\"content\":[{"
            "\"toolUse\":{\"toolUseId\":\"1\",\"name\":\"f\",\"input\":{}}}]}]}");
}
END_TEST

/* bug 18: blank texts are refused by Bedrock wherever they stand. */
START_TEST(test_bug_18_blank_texts)
{
    lowered("{\"system\":[{\"type\":\"text\",\"text\":\"  \"}],"
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\"},{\"type\":\"text\","
            "\"text\":\"a\"},{\"type\":\"text\",\"text\":\" \\n\"}]},"
            "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"\"}]},"
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},"
            "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"\"},{\"type\":\"call\",\"id\":\"1\","
            "\"name\":\"f\",\"arguments\":\"{}\"}]},"
            "{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"1\",\"content\":[{\"type\":\"text\","
            "\"text\":\"\"}]}]}]}",
            "{\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}"
            "}}]},"
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"},{\"text\":\"b\"}]},"
            "{\"role\":\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"1\",\"name\":\"f\",\"input\":{}}}]},"
            "{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"1\",\"content\":[]}}]}]}");
}
END_TEST

#define CALLED                                                                                                         \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},"                              \
    "{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"1\",\"name\":\"f\",\"arguments\":\"{}\"},"       \
    "{\"type\":\"call\",\"id\":\"2\",\"name\":\"g\",\"arguments\":\"{}\"},"                                            \
    "{\"type\":\"call\",\"id\":\"3\",\"name\":\"f\",\"arguments\":\"{}\"}]}"
#define CALLED_SENT                                                                                                    \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]},{\"role\":\"assistant\",\"content\":["           \
    "{\"toolUse\":{\"toolUseId\":\"1\",\"name\":\"f\",\"input\":{}}},"                                                 \
    "{\"toolUse\":{\"toolUseId\":\"2\",\"name\":\"g\",\"input\":{}}},"                                                 \
    "{\"toolUse\":{\"toolUseId\":\"3\",\"name\":\"f\",\"input\":{}}}]}]"
#define STUB(name) "{\"toolSpec\":{\"name\":\"" name "\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}}}"

/* bug 24: a history with calls needs tools declared; a choice is never lost. */
START_TEST(test_bug_24_tools_of_the_history)
{
    lowered("{" CALLED "]}", "{\"toolConfig\":{\"tools\":[" STUB("f") "," STUB("g") "]}," CALLED_SENT "}");
    lowered("{" CALLED "],\"tool_choice\":{\"mode\":\"none\"}}",
            "{\"toolConfig\":{\"tools\":[" STUB("f") "," STUB("g") "]}," CALLED_SENT "}");
    encode_refuses("{" CALLED
                   "],\"tools\":[{\"name\":\"f\",\"schema\":{},\"at\":\"x\"}],\"tool_choice\":{\"mode\":\"none\"}}",
                   "tool_choice");
    lowered("{\"messages\":[],\"tools\":[{\"name\":\"f\",\"at\":\"x\"}],\"tool_choice\":{\"mode\":\"none\"}}",
            "{\"messages\":[]}");
    lowered("{\"messages\":[],\"tools\":[{\"name\":\"f\",\"at\":\"x\"}],\"tool_choice\":{\"mode\":\"named\",\"name\":"
            "\"f\"}}",
            "{\"toolConfig\":{\"tools\":[" STUB("f") "],\"toolChoice\":{\"tool\":{\"name\":\"f\"}}},\"messages\":[]}");
    lowered("{\"messages\":[],\"tools\":[{\"name\":\"f\",\"at\":\"x\"},{\"name\":\"g\",\"at\":\"x\"}],"
            "\"tool_choice\":{\"mode\":\"allowed\",\"names\":[\"g\"],\"required\":true}}",
            "{\"toolConfig\":{\"tools\":[" STUB("g") "],\"toolChoice\":{\"any\":{}}},\"messages\":[]}");
}
END_TEST

/* Ids and names that Converse would refuse are changed, always in the same way, and names are restored. */
START_TEST(test_encode_ids_and_names)
{
    struct weir_candidate to = weir_test_candidate("aws", "mistral.large");
    struct weir_str sent;
    char *name;

    weir_test_canonical(
        &t, "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]},"
            "{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"call_very|long\",\"name\":\"my.tool\","
            "\"arguments\":\"{}\"}]},"
            "{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"call_very|long\",\"content\":[]}]}]}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    sent = weir_test_sent(&t);
    char *all = strndup(sent.ptr, sent.len), *first = strstr(all, "toolUseId\":\"") + 12,
         *second = strstr(first, "toolUseId\":\"") + 12;
    ck_assert_uint_eq(strcspn(first, "\""), 9);
    ck_assert(strncmp(first, second, 10) == 0);
    name = strstr(first, "\"name\":\"") + 8;
    name[strcspn(name, "\"")] = '\0';
    ck_assert(!strchr(name, '.'));
    char stream[256];
    snprintf(stream, sizeof stream,
             "event: contentBlockStart\ndata: "
             "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"x\",\"name\":\"%s\"}}}\n\n",
             name);
    ck_assert(weir_test_decode_stream(&t, stream, &e));
    weir_test_same(weir_test_event(&t, 0)->event.tool_name, "my.tool");
    free(all);
}
END_TEST

/* The bytes of a history are the beginning of those of the next turn. */
START_TEST(test_encode_is_prefix_stable)
{
    struct weir_candidate to = weir_test_candidate("aws", MODEL);
    struct weir_str sent;
    char *first;
    size_t n;

    weir_test_canonical(&t, "{\"system\":[{\"type\":\"text\",\"text\":\"s\"}]," CALLED "]}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    sent = weir_test_sent(&t);
    n = sent.len - 2; /* without the brackets that close it */
    first = strndup(sent.ptr, n);
    weir_test_canonical(&t, "{\"system\":[{\"type\":\"text\",\"text\":\"s\"}]," CALLED
                            ",{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"1\",\"content\":[]}]}]}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    sent = weir_test_sent(&t);
    ck_assert(sent.len > n && memcmp(sent.ptr, first, n) == 0);
    free(first);
}
END_TEST

/* ---- signing ---- */

#define HI   "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}"
#define KEYS "access_key = AKIDEXAMPLE; secret_key = \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\""
#define SIGNED(token, signature)                                                                                       \
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, "                                \
    "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date" token ", Signature=" signature

static void signed_as(const char *options, const char *path, const char *model, const char *body, const char *want)
{
    struct weir_candidate to = weir_test_candidate("aws", model);

    teardown();
    begin(options);
    ck_assert(weir_test_accept(&t, "POST", path, body, &e));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http_header(&t, "authorization"), want);
}

/* bug 31: the path is encoded once to be sent, and once more to be signed. */
START_TEST(test_bug_31_signed_paths)
{
    signed_as(KEYS, "/model/m/converse-stream", MODEL, HI,
              SIGNED("", "6d710a7046493051c77883612fb24338eca9bb9014ccace7dd9d530e9b3570e0"));
    weir_test_same(t.http_url, "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
                               "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream");
    signed_as(KEYS, "/model/m/converse", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
              HI, SIGNED("", "666e65adb1d4c00185a0d1e114df3d939bab7b935f0ed4d66561b8fd2fd23fa1"));
    signed_as(KEYS "; session_token = \"SESSIONTOKEN==\"", "/model/m/converse", MODEL, HI,
              SIGNED(";x-amz-security-token", "7b8addaa6a0a07b65d1d5228a563af8b32d36ba0afa73213c5eb3f9738d930be"));
    weir_test_same(weir_test_http_header(&t, "x-amz-security-token"), "SESSIONTOKEN==");
    weir_test_same(weir_test_http_header(&t, "x-amz-date"), "20261122T000000Z");
}
END_TEST

/* What is signed is what is sent: with the edits of stages. */
START_TEST(test_signed_body_has_the_edits)
{
    struct weir_candidate to = weir_test_candidate("aws", MODEL);
    const char *body =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"my \\\"name\\\" is X\"},{\"text\":\"h\"}]}],"
        "\"system\":[{\"text\":\"\\u00e9\"}]}";

    teardown();
    begin(KEYS);
    ck_assert(weir_test_accept(&t, "POST", "/model/m/converse", body, &e));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), body);
    t.hook = WT_REQUEST;
    t.host.edit(&t.ctx, 0, 3, 9, WEIR_STR("\"\n"));
    t.host.edit(&t.ctx, 1, 0, 1, WEIR_STR("hi"));
    t.hook = 0;
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"my \\\"\\n is X\"},"
                                       "{\"text\":\"hi\"}]}],\"system\":[{\"text\":\"\\u00e9\"}]}");
    char hash[AWS_HASH];
    aws_hash(weir_test_sent(&t), hash);
    weir_test_same(weir_test_http_header(&t, "x-amz-content-sha256"), hash);
}
END_TEST

START_TEST(test_options)
{
    struct weir_candidate to = weir_test_candidate("aws", "m");

    teardown();
    ck_assert(!weir_test_try(&t, &weir_plugin, "access_key = a", &e));
    ck_assert_str_eq(e.field, "secret_key");
    begin("region = cn-north-1");
    ck_assert(converse(HI));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_url, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse");
    weir_test_same(weir_test_http_header(&t, "authorization"), "");
    teardown();
    begin("url = \"http://127.0.0.1:9/\"; key = k; " KEYS);
    ck_assert(converse(HI));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_url, "http://127.0.0.1:9/model/m/converse");
    weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer k");
    ck_assert(!t.http_body_set);
}
END_TEST

/* ---- decode ---- */

/* One line an event. */
static void events_are(const char *want)
{
    static const char *const names[] = {"text",  "reasoning", "arguments", "usage",  "finish",
                                        "error", "done",      "start",     "opaque", "vector"};
    struct weir_test_buf b = {0};

    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *x = weir_test_event(&t, i);
        const struct weir_event *ev = &x->event;
        const struct weir_usage *u = ev->usage;
        char line[512];
        int n = snprintf(line, sizeof line, "%s %u", names[ev->channel], ev->block);
#define ADD(...) n += snprintf(line + n, sizeof line - (size_t)n, __VA_ARGS__)
        if (x->text.len)
            ADD(" '%.*s'", (int)x->text.len, x->text.ptr);
        if (ev->tool_id.len)
            ADD(" id=%.*s name=%.*s", (int)ev->tool_id.len, ev->tool_id.ptr, (int)ev->tool_name.len, ev->tool_name.ptr);
        if (ev->detail.len)
            ADD(" detail=%.*s", (int)ev->detail.len, ev->detail.ptr);
        if (ev->value.len)
            ADD(" value=%.*s", (int)ev->value.len, ev->value.ptr);
        if (ev->channel == WEIR_FINISH)
            ADD(" finish=%d", (int)ev->finish);
        if (ev->status)
            ADD(" status=%d", ev->status);
        if (u)
            ADD(" %lld %lld %lld %lld", (long long)u->input, (long long)u->cache_read, (long long)u->cache_write,
                (long long)u->output);
        ADD("%s\n", ev->last ? " last" : "");
        wt_add_text(&b, line);
    }
    weir_test_same(b, want);
    wt_buf_free(&b);
}

#define EVENT(name, json) "event: " name "\ndata: " json "\n\n"

static void stream(const char *sse)
{
    ck_assert(weir_test_accept(&t, "POST", "/model/m/converse-stream", HI, &e));
    ck_assert_msg(weir_test_decode_stream(&t, sse, &e), "%s", e.text);
}

START_TEST(test_decode_stream)
{
    stream(EVENT("messageStart", "{\"role\":\"assistant\",\"p\":\"abc\"}") EVENT(
        "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"h\\u006d\"}}}")
               EVENT("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"\"}}}")
                   EVENT("contentBlockDelta",
                         "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"c2\"}}}")
                       EVENT("contentBlockDelta",
                             "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"ln\"}}}")
                           EVENT("contentBlockStop", "{\"contentBlockIndex\":0}") EVENT(
                               "contentBlockDelta",
                               "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{"
                               "\"redactedContent\":\"cmVk\"}}}") EVENT("contentBlockStop", "{\"contentBlockIndex\":1}")
                               EVENT("contentBlockDelta", "{\"contentBlockIndex\":2,\"delta\":{\"text\":\"a\"}}") EVENT(
                                   "contentBlockDelta", "{\"contentBlockIndex\":2,\"delta\":{\"text\":\"b\"}}")
                                   EVENT("contentBlockStart", "{\"contentBlockIndex\":3,\"start\":{\"toolUse\":{"
                                                              "\"toolUseId\":\"t1\",\"name\":\"f\"}}}")
                                       EVENT("contentBlockDelta", "{\"contentBlockIndex\":3,\"delta\":{\"toolUse\":"
                                                                  "{\"input\":\"{\\\"x\\\":1}\"}}}")
                                           EVENT("contentBlockStop", "{\"contentBlockIndex\":3}") EVENT("futureEvent",
                                                                                                        "{\"a\":1}")
                                               EVENT("messageStop", "{\"stopReason\":\"tool_use\"}") EVENT(
                                                   "metadata",
                                                   "{\"usage\":{\"inputTokens\":3,\"outputTokens\":227,\"totalTokens\":"
                                                   "1942,\"cacheReadInputTokens\":0,\"cacheWriteInputTokens\":1712}}"));
    events_are("start 0\nreasoning 0 'hm'\nreasoning 0 last\nopaque 0 detail=c2ln value=bedrock.signature\n"
               "opaque 1 detail=cmVk value=bedrock.redacted\ntext 2 'a'\ntext 2 'b'\narguments 3 id=t1 name=f\n"
               "arguments 3 '{\"x\":1}'\narguments 3 last\ntext 2 last\nfinish 0 detail=tool_use finish=5\n"
               "usage 0 3 0 1712 227\n");
}
END_TEST

/* Usage before the end; a label that calls contradict; a stop sequence; a signature without text. */
START_TEST(test_decode_other_orders)
{
    stream(EVENT("contentBlockStart",
                 "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\"}}}")
               EVENT("metadata", "{\"usage\":{\"inputTokens\":1,\"outputTokens\":2}}")
                   EVENT("messageStop", "{\"stopReason\":\"end_turn\"}"));
    events_are("arguments 0 id=t name=f\nusage 0 1 -1 -1 2\narguments 0 last\nfinish 0 detail=end_turn finish=5\n");
    stream(
        EVENT("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"s\"}}}")
            EVENT("contentBlockStop", "{\"contentBlockIndex\":0}") EVENT(
                "messageStop",
                "{\"stopReason\":\"stop_sequence\",\"additionalModelResponseFields\":{\"stop_sequence\":\"END\"}}"));
    events_are("reasoning 0 last\nopaque 0 detail=s value=bedrock.signature\n"
               "finish 0 detail=stop_sequence value=END finish=2\n");
}
END_TEST

START_TEST(test_decode_body)
{
    ck_assert(converse(HI));
    ck_assert(weir_test_decode_body(
        &t, 200,
        "{\"metrics\":{\"latencyMs\":1},\"output\":{\"message\":{\"content\":["
        "{\"reasoningContent\":{\"reasoningText\":{\"signature\":\"s\",\"text\":\"hm\"}}},"
        "{\"text\":\"a\"},{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\",\"input\":{\"x\":1}}},"
        "{\"citationsContent\":{\"content\":[{\"text\":\"c\"},{\"text\":\"d\"}]}}],\"role\":\"assistant\"}},"
        "\"stopReason\":\"max_tokens\",\"usage\":{\"inputTokens\":1,\"outputTokens\":2}}",
        &e));
    events_are("start 0\nreasoning 0 'hm' last\nopaque 0 detail=s value=bedrock.signature\ntext 1 'a' last\n"
               "arguments 2 '{\"x\":1}' id=t name=f last\ntext 3 'c'\ntext 3 'd'\ntext 3 last\n"
               "finish 0 detail=max_tokens finish=3\nusage 0 1 -1 -1 2\n");
    ck_assert(weir_test_event(&t, 4)->event.raw);
}
END_TEST

static void error_is(int status, const char *body, const char *want)
{
    ck_assert(converse(HI));
    ck_assert(weir_test_decode_body(&t, status, body, &e));
    events_are(want);
}

START_TEST(test_decode_errors)
{
    error_is(429, "{\"message\":\"slow\"}", "error 0 detail=slow status=429\n");
    error_is(400, "{\"__type\":\"com.amazon#ValidationException\",\"Message\":\"no\"}",
             "error 0 detail=no value=ValidationException status=400\n");
    error_is(400, "{\"message\":\"Input is too long for requested model.\"}",
             "error 0 detail=Input is too long for requested model. value=context_length_exceeded status=400\n");
    error_is(502, "<html>", "error 0 detail=<html> status=502\n");
    stream(EVENT("throttlingException", "{\"message\":\"slow down\"}"));
    events_are("error 0 detail=slow down value=ThrottlingException status=429\n");
    stream(EVENT("modelStreamErrorException", "{\"message\":\"x\",\"originalStatusCode\":500}"));
    events_are("error 0 detail=x value=ModelStreamErrorException status=424\n");
}
END_TEST

/* An error says all of it in its headers, and its payload is empty. */
START_TEST(test_decode_error_frame)
{
    static const char raw[] = "\0\0\0\x5e\0\0\0\x4e\x73\x65\xc2\x54"
                              "\x0d:message-type\x07\0\x05"
                              "error"
                              "\x0b:error-code\x07\0\x0f"
                              "InternalFailure"
                              "\x0e:error-message\x07\0\x08"
                              "it broke"
                              "\x65\x96\x13\xf8";
    struct weir_frame f = {.stream = true, .status = 200, .raw = {raw, 94}, .name = WEIR_STR("InternalFailure")};

    ck_assert_uint_eq(sizeof raw, 95);
    f.data = WEIR_STR("");
    ck_assert(weir_test_accept(&t, "POST", "/model/m/converse-stream", HI, &e));
    ck_assert(wt_decode(&t, f, &e));
    events_are("error 0 detail=it broke value=InternalFailure\n");
}
END_TEST

START_TEST(test_decode_does_not_trust)
{
    static const char *const bad[] = {
        EVENT("contentBlockDelta", "{\"contentBlockIndex\":-1,\"delta\":{\"text\":\"a\"}}"),
        EVENT("contentBlockDelta", "{\"contentBlockIndex\":65536,\"delta\":{\"text\":\"a\"}}"),
        EVENT("contentBlockDelta", "{\"delta\":{\"text\":\"a\"}}"),
        EVENT("contentBlockDelta", "no"),
        EVENT("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}")
            EVENT("contentBlockStop", "{\"contentBlockIndex\":0}")
                EVENT("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"b\"}}"),
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert(weir_test_accept(&t, "POST", "/model/m/converse-stream", HI, &e));
        ck_assert_msg(!weir_test_decode_stream(&t, bad[i], &e), "%s", bad[i]);
    }
    stream(EVENT("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":{\"a\":\"b\"}}}")
               EVENT("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":[]}") EVENT("metadata", "[]")
                   EVENT("messageStop", "{\"stopReason\":7}")
                       EVENT("contentBlockStart", "{\"contentBlockIndex\":0,\"start\":{}}"));
    events_are("");
}
END_TEST

/* ---- answer ---- */

static struct weir_test_buf frames; /* what the client got, all of it */

static void say(struct weir_event ev)
{
    ev.size = sizeof ev;
    ck_assert(weir_test_answer(&t, &ev));
    wt_add(&frames, wt_view(&t.out));
}

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* "name payload\n" of each frame, whose lengths and checksums must be right. */
static void frames_are(const char *want)
{
    struct weir_test_buf b = {0};

    for (size_t at = 0, total; at < frames.len; at += total) {
        const char *p = frames.ptr + at;
        ck_assert_uint_ge(frames.len - at, 16);
        total = be32(p);
        ck_assert(total >= 16 && total <= frames.len - at && be32(p + 4) <= total - 16);
        ck_assert_uint_eq(be32(p + 8), crc32_ieee(0, p, 8));
        ck_assert_uint_eq(be32(p + total - 4), crc32_ieee(0, p, total - 4));
        struct weir_str raw = {p, total}, type = bedrock_header(raw, ":message-type");
        weir_test_same(bedrock_header(raw, ":content-type"), "application/json");
        wt_add(&b, bedrock_header(raw, str_is(type, "event") ? ":event-type" : ":exception-type"));
        wt_add_text(&b, " ");
        wt_add(&b, (struct weir_str){p + 12 + be32(p + 4), total - 16 - be32(p + 4)});
        wt_add_text(&b, "\n");
    }
    weir_test_same(b, want);
    wt_buf_free(&b);
    wt_buf_free(&frames);
}

#define PIECE(channel_, block_, text_)                                                                                 \
    say((struct weir_event){.channel = channel_, .block = block_, .text = WEIR_STR(text_)})
#define LAST(channel_, block_) say((struct weir_event){.channel = channel_, .block = block_, .last = true})
#define CALL(block_, id_)                                                                                              \
    say((struct weir_event){                                                                                           \
        .channel = WEIR_ARGUMENTS, .block = block_, .tool_id = WEIR_STR(id_), .tool_name = WEIR_STR("f")})
#define OPAQUE(block_, kind, data)                                                                                     \
    say((struct weir_event){.channel = WEIR_OPAQUE, .block = block_, .value = WEIR_STR(kind), .detail = WEIR_STR(data)})

static void say_all(void)
{
    static const struct weir_usage first = {5, 2, -1, -1, -1, -1, -1}, second = {-1, -1, 3, 10, 4, -1, -1};

    say((struct weir_event){.channel = WEIR_START, .detail = WEIR_STR("id"), .value = WEIR_STR("m")});
    PIECE(WEIR_REASONING, 0, "h\"m");
    LAST(WEIR_REASONING, 0);
    OPAQUE(0, "anthropic.signature", "c2ln");
    PIECE(WEIR_TEXT, 0, "a");
    PIECE(WEIR_TEXT, 0, "b");
    say((struct weir_event){.channel = WEIR_USAGE, .usage = &first});
    CALL(0, "t1");
    CALL(1, "t2");
    PIECE(WEIR_ARGUMENTS, 1, "{\"y\":");
    PIECE(WEIR_ARGUMENTS, 0, "{\"x\":1}");
    LAST(WEIR_TEXT, 0);
    PIECE(WEIR_ARGUMENTS, 1, "2}");
    LAST(WEIR_ARGUMENTS, 1);
    LAST(WEIR_ARGUMENTS, 0);
    CALL(2, "t3");
    LAST(WEIR_ARGUMENTS, 2);
    say((struct weir_event){.channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS});
    say((struct weir_event){.channel = WEIR_USAGE, .usage = &second});
    say((struct weir_event){.channel = WEIR_DONE_MARK});
}

START_TEST(test_answer_stream)
{
    ck_assert(weir_test_accept(&t, "POST", "/model/m/converse-stream", HI, &e));
    say_all();
    frames_are(
        "messageStart {\"role\":\"assistant\"}\n"
        "contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"h\\\"m\"}}}\n"
        "contentBlockDelta "
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"weir:anthropic.signature:c2ln\"}}}\n"
        "contentBlockStop {\"contentBlockIndex\":0}\n"
        "contentBlockDelta {\"contentBlockIndex\":1,\"delta\":{\"text\":\"a\"}}\n"
        "contentBlockDelta {\"contentBlockIndex\":1,\"delta\":{\"text\":\"b\"}}\n"
        "contentBlockStop {\"contentBlockIndex\":1}\n"
        "contentBlockStart {\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\"}}}\n"
        "contentBlockDelta {\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"x\\\":1}\"}}}\n"
        "contentBlockStop {\"contentBlockIndex\":2}\n"
        "contentBlockStart {\"contentBlockIndex\":3,\"start\":{\"toolUse\":{\"toolUseId\":\"t2\",\"name\":\"f\"}}}\n"
        "contentBlockDelta {\"contentBlockIndex\":3,\"delta\":{\"toolUse\":{\"input\":\"{\\\"y\\\":2}\"}}}\n"
        "contentBlockStop {\"contentBlockIndex\":3}\n"
        "contentBlockStart {\"contentBlockIndex\":4,\"start\":{\"toolUse\":{\"toolUseId\":\"t3\",\"name\":\"f\"}}}\n"
        "contentBlockStop {\"contentBlockIndex\":4}\n"
        "messageStop {\"stopReason\":\"tool_use\"}\n"
        "metadata "
        "{\"usage\":{\"inputTokens\":5,\"outputTokens\":14,\"totalTokens\":24,\"cacheReadInputTokens\":2,"
        "\"cacheWriteInputTokens\":3},\"metrics\":{\"latencyMs\":0}}\n");
}
END_TEST

START_TEST(test_answer_body)
{
    ck_assert(converse(HI));
    say_all();
    weir_test_same(frames,
                   "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
                   "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"h\\\"m\",\"signature\":\"weir:anthropic."
                   "signature:c2ln\"}}},"
                   "{\"text\":\"ab\"},{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\",\"input\":{\"x\":1}}},"
                   "{\"toolUse\":{\"toolUseId\":\"t2\",\"name\":\"f\",\"input\":{\"y\":2}}},"
                   "{\"toolUse\":{\"toolUseId\":\"t3\",\"name\":\"f\",\"input\":{}}}]}},\"stopReason\":\"tool_use\","
                   "\"usage\":{\"inputTokens\":5,\"outputTokens\":14,\"totalTokens\":24,\"cacheReadInputTokens\":2,"
                   "\"cacheWriteInputTokens\":3},"
                   "\"metrics\":{\"latencyMs\":0}}");
    wt_buf_free(&frames);
}
END_TEST

/* Opaque data without a reasoning block, and a stop sequence. */
START_TEST(test_answer_lone_opaque)
{
    ck_assert(converse(HI));
    say((struct weir_event){.channel = WEIR_START});
    OPAQUE(0, "openai.encrypted", "ZZ");
    OPAQUE(1, "bedrock.redacted", "cmVk");
    PIECE(WEIR_TEXT, 0, "a");
    LAST(WEIR_TEXT, 0);
    say((struct weir_event){.channel = WEIR_FINISH, .finish = WEIR_FINISH_STOP_SEQUENCE, .value = WEIR_STR("END")});
    say((struct weir_event){.channel = WEIR_DONE_MARK});
    weir_test_same(frames,
                   "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
                   "{\"reasoningContent\":{\"redactedContent\":\"d2VpcjpvcGVuYWkuZW5jcnlwdGVkOlpa\"}},"
                   "{\"reasoningContent\":{\"redactedContent\":\"cmVk\"}},{\"text\":\"a\"}]}},"
                   "\"stopReason\":\"stop_sequence\",\"additionalModelResponseFields\":{\"stop_sequence\":\"END\"},"
                   "\"usage\":{\"inputTokens\":0,\"outputTokens\":0,\"totalTokens\":0},\"metrics\":{\"latencyMs\":0}}");
    wt_buf_free(&frames);
}
END_TEST

/* A plain stop behind a call is a tool call's; a limit stays a limit. */
START_TEST(test_answer_call_counts)
{
    const struct {
        enum weir_finish finish;
        const char *reason;
    } rows[] = {{WEIR_FINISH_STOP, "tool_use"}, {WEIR_FINISH_LENGTH, "max_tokens"}};

    for (size_t i = 0; i < 2; i++) {
        char want[64];
        ck_assert(converse(HI));
        say((struct weir_event){.channel = WEIR_START});
        CALL(0, "t");
        PIECE(WEIR_ARGUMENTS, 0, "{}");
        LAST(WEIR_ARGUMENTS, 0);
        say((struct weir_event){.channel = WEIR_FINISH, .finish = rows[i].finish});
        say((struct weir_event){.channel = WEIR_DONE_MARK});
        snprintf(want, sizeof want, "\"stopReason\":\"%s\"", rows[i].reason);
        ck_assert_msg(memmem(frames.ptr, frames.len, want, strlen(want)), "%.*s", (int)frames.len, frames.ptr);
        wt_buf_free(&frames);
    }
}
END_TEST

/* Arguments that are no JSON cannot be said as a body: the host is told. */
START_TEST(test_answer_bad_arguments)
{
    struct weir_event done = {.size = sizeof done, .channel = WEIR_DONE_MARK};

    ck_assert(converse(HI));
    say((struct weir_event){.channel = WEIR_START});
    CALL(0, "t");
    PIECE(WEIR_ARGUMENTS, 0, "{\"x\":");
    LAST(WEIR_ARGUMENTS, 0);
    ck_assert(!weir_test_answer(&t, &done));
    wt_buf_free(&frames);
}
END_TEST

/* Upstream and client speak Converse: text that was held goes out under the block's own number. */
START_TEST(test_answer_held_text)
{
    ck_assert(weir_test_accept(&t, "POST", "/model/m/converse-stream", HI, &e));
    PIECE(WEIR_TEXT, 3, "held");
    PIECE(WEIR_ARGUMENTS, 4, "{");
    say((struct weir_event){.channel = WEIR_DONE_MARK});
    frames_are("contentBlockDelta {\"contentBlockIndex\":3,\"delta\":{\"text\":\"held\"}}\n"
               "contentBlockDelta {\"contentBlockIndex\":4,\"delta\":{\"toolUse\":{\"input\":\"{\"}}}\n");
}
END_TEST

START_TEST(test_refuse)
{
    struct weir_refusal f = {403, "denied", "No \"x\".", "", false};

    ck_assert(converse(HI));
    weir_test_refuse(&t, &f);
    weir_test_same(t.out, "{\"__type\":\"AccessDeniedException\",\"message\":\"No \\\"x\\\".\"}");
    f.status = 429;
    f.in_stream = true;
    weir_test_refuse(&t, &f);
    wt_add(&frames, wt_view(&t.out));
    frames_are("throttlingException {\"message\":\"No \\\"x\\\".\"}\n");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        test_accept_reads_the_path,
        test_accept_refuses,
        test_accept_spans_every_text,
        test_count_tokens,
        test_lift_everything,
        test_lift_small_things,
        test_lift_refuses_by_name,
        test_bug_20_beta_flags_do_not_travel,
        test_encode_everything,
        test_encode_reasoning_by_model,
        test_encode_reasoning_as_the_model_likes,
        test_bug_12_lifetimes_of_cache_points,
        test_encode_tells_names_but_not_zeroes,
        test_encode_temperature,
        test_encode_merges_messages,
        test_encode_documents,
        test_encode_refuses_by_the_clients_name,
        test_bug_17_empty_arguments,
        test_bug_18_blank_texts,
        test_bug_24_tools_of_the_history,
        test_encode_ids_and_names,
        test_encode_is_prefix_stable,
        test_bug_31_signed_paths,
        test_signed_body_has_the_edits,
        test_options,
        test_decode_stream,
        test_decode_other_orders,
        test_decode_body,
        test_decode_errors,
        test_decode_error_frame,
        test_decode_does_not_trust,
        test_answer_stream,
        test_answer_body,
        test_answer_lone_opaque,
        test_answer_call_counts,
        test_answer_bad_arguments,
        test_answer_held_text,
        test_refuse,
    };
    Suite *s = suite_create("bedrock");
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
