/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini_upstream_test.c -- the gemini plugin towards AI Studio and Vertex: what is sent, and what is read of answers.
 * Expected values are written by hand after the API's reference.
 */
#include "gemini_all.h"
#include "unit.h"

#define GENERATE "/v1beta/models/m:generateContent"
#define STREAM   "/v1beta/models/m:streamGenerateContent?alt=sse"

static struct weir_test t;
static struct weir_error e;

static void setup(void)
{
    weir_test_init(&t, &weir_plugin, "key = AIza");
    weir_test_fact(&t, "request_id", "r1");
}

static void teardown(void)
{
    weir_test_fini(&t);
}

static void with_options(const char *options)
{
    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, options);
}

static enum weir_verdict encode_for(const char *model)
{
    struct weir_candidate to = weir_test_candidate("gemini", model);

    return weir_test_encode(&t, &to, &e);
}

/* ---- clients of this dialect ---- */

static void sends(const char *path, const char *body, const char *model, const char *want)
{
    ck_assert_msg(weir_test_accept(&t, "POST", path, body, &e), "%s", e.text);
    weir_test_verdict(encode_for(model), WEIR_PASS);
    weir_test_same(weir_test_http(&t), want);
}

#define BASE    "POST https://generativelanguage.googleapis.com/v1beta/models/"
#define HEADERS "\ncontent-type: application/json\nx-goog-api-key: AIza\n\n"

START_TEST(test_same_dialect_sends_the_clients_bytes)
{
    sends(GENERATE, "{ \"contents\": [], \"odd\": 1.0 }", "gemini-2.5-pro",
          BASE "gemini-2.5-pro:generateContent" HEADERS "{ \"contents\": [], \"odd\": 1.0 }");
    sends(STREAM, "{\"contents\":[]}", "", BASE "m:streamGenerateContent?alt=sse" HEADERS "{\"contents\":[]}");
    sends("/v1/models/m:streamGenerateContent", "{\"contents\":[]}", "n",
          BASE "n:streamGenerateContent" HEADERS "{\"contents\":[]}");
    sends("/v1beta/models/m:batchEmbedContents",
          "{\"requests\":[{\"model\":\"models/m\",\"content\":{}},{\"content\":{}}]}", "n",
          BASE "n:batchEmbedContents" HEADERS
               "{\"requests\":[{\"model\":\"models/n\",\"content\":{}},{\"content\":{}}]}");
    sends("/v1beta/models/m:countTokens", "{\"generateContentRequest\":{\"model\":\"models/m\",\"contents\":[]}}",
          "tunedModels/n",
          "POST https://generativelanguage.googleapis.com/v1beta/tunedModels/n:countTokens" HEADERS
          "{\"generateContentRequest\":{\"model\":\"tunedModels/n\",\"contents\":[]}}");
}
END_TEST

START_TEST(test_targets)
{
    static const struct {
        const char *options, *model, *url;
    } rows[] = {
        {"platform = vertex; project = p1; location = europe-west4", "m",
         "https://europe-west4-aiplatform.googleapis.com/v1/projects/p1/locations/europe-west4/publishers/google/"
         "models/m:generateContent"},
        {"platform = vertex; project = p1", "m",
         "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/google/models/"
         "m:generateContent"},
        {"platform = vertex; project = p1; location = eu", "publishers/x/models/m",
         "https://aiplatform.eu.rep.googleapis.com/v1/projects/p1/locations/eu/publishers/x/models/m:generateContent"},
        {"platform = vertex", "m", "https://aiplatform.googleapis.com/v1/publishers/google/models/m:generateContent"},
        {"platform = vertex; project = p1; location = us-east1", "projects/q/locations/us-east1/endpoints/7",
         "https://us-east1-aiplatform.googleapis.com/v1/projects/q/locations/us-east1/endpoints/7:generateContent"},
        {"platform = vertex; url = \"http://127.0.0.1:1/v1/\"", "m",
         "http://127.0.0.1:1/v1/publishers/google/models/m:generateContent"},
        {"url = \"http://127.0.0.1:1/x\"", "a/b?c#d e",
         "http://127.0.0.1:1/x/models/a%2Fb%3Fc%23d%20e:generateContent"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        with_options(rows[i].options);
        ck_assert(weir_test_accept(&t, "POST", GENERATE, "{\"contents\":[]}", &e));
        weir_test_verdict(encode_for(rows[i].model), WEIR_PASS);
        weir_test_same(t.http_url, rows[i].url);
        weir_test_same(weir_test_http_header(&t, "x-goog-api-key"), "");
    }
    with_options("auth = bearer; key = ya29");
    ck_assert(weir_test_accept(&t, "POST", GENERATE, "{\"contents\":[]}", &e));
    weir_test_verdict(encode_for("../x"), WEIR_FAIL);
    weir_test_verdict(encode_for("m"), WEIR_PASS);
    weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer ya29");
}
END_TEST

START_TEST(test_options_that_make_no_url)
{
    struct weir_test other;

    ck_assert(!weir_test_try(&other, &weir_plugin, "platform = vertex; project = \"a/b\"", &e));
    ck_assert_str_eq(e.field, "project");
    ck_assert(!weir_test_try(&other, &weir_plugin, "platform = vertex; location = \"x@y\"", &e));
    ck_assert_str_eq(e.field, "location");
}
END_TEST

/* ---- clients of other dialects ---- */

static void makes(const char *model, const char *canonical, const char *body, const char *lost)
{
    weir_test_begin(&t);
    weir_test_canonical(&t, canonical);
    ck_assert_msg(encode_for(model) == WEIR_PASS, "%s", e.text);
    weir_test_same(weir_test_sent(&t), body);
    weir_test_same(t.lossy, lost);
}

static void cannot(const char *model, const char *canonical, const char *field)
{
    weir_test_begin(&t);
    weir_test_canonical(&t, canonical);
    weir_test_verdict(encode_for(model), WEIR_UNSUPPORTED);
    ck_assert_str_eq(e.field, field);
}

#define USER(text) "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}]}"
#define SAID(text) "{\"role\":\"user\",\"parts\":[{\"text\":\"" text "\"}]}"
#define NO_CONFIG  ",\"generationConfig\":{}}"

START_TEST(test_encode_a_question)
{
    makes(
        "gemini-2.5-flash",
        "{\"stream\":true,\"system\":[{\"type\":\"text\",\"text\":\"one\"},{\"type\":\"text\",\"text\":\"\"},{\"type\":"
        "\"text\",\"text\":\"two\"}],\"messages\":[" USER("a") "," USER(
            "b") "],\"max_output\":9,\"temperature\":1.0,\"top_p\":0.5,\"top_k\":3,\"presence_penalty\":0.1,"
                 "\"frequency_penalty\":0.2,\"seed\":5,\"n\":2,\"stop\":[\"X\"],\"user\":\"u\",\"logit_bias\":{\"1\":2}"
                 "}",
        "{\"systemInstruction\":{\"parts\":[{\"text\":\"one\"},{\"text\":\"two\"}]},\"contents\":[{\"role\":\"user\","
        "\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}],\"generationConfig\":{\"maxOutputTokens\":9,\"temperature\":"
        "1.0,\"topP\":0.5,\"topK\":3,\"presencePenalty\":0.1,\"candidateCount\":2,\"frequencyPenalty\":0.2,"
        "\"stopSequences\":[\"X\"],\"seed\":5}}",
        "user (hint)\nlogit_bias (hint)\n");
    weir_test_same(t.http_url, "https://generativelanguage.googleapis.com/v1beta/models/"
                               "gemini-2.5-flash:streamGenerateContent?alt=sse");
}
END_TEST

START_TEST(test_encode_thinking)
{
    static const struct {
        const char *model, *reasoning, *want, *lost;
    } rows[] = {
        {"gemini-2.5-flash", "{\"effort\":\"none\"}", "\"thinkingBudget\":0", ""},
        {"gemini-2.5-pro", "{\"effort\":\"none\"}", "\"thinkingBudget\":128", "reasoning (hint)\n"},
        {"gemini-2.5-flash", "{\"effort\":\"minimal\"}", "\"thinkingBudget\":512", ""},
        {"gemini-2.5-flash", "{\"effort\":\"low\",\"show\":\"auto\"}",
         "\"includeThoughts\":true,\"thinkingBudget\":1024", ""},
        {"gemini-2.5-flash", "{\"effort\":\"medium\"}", "\"thinkingBudget\":8192", ""},
        {"gemini-2.5-flash", "{\"effort\":\"high\",\"show\":\"none\"}",
         "\"includeThoughts\":false,\"thinkingBudget\":24576", ""},
        {"gemini-2.5-flash", "{\"effort\":\"max\"}", "\"thinkingBudget\":-1", ""},
        {"gemini-2.5-flash", "{\"budget\":77,\"effort\":\"high\"}", "\"thinkingBudget\":77", ""},
        {"gemini-2.5-flash", "{\"adaptive\":true}", "\"thinkingBudget\":-1", ""},
        {"models/gemini-3-flash-preview", "{\"effort\":\"none\"}", "\"thinkingLevel\":\"MINIMAL\"",
         "reasoning (hint)\n"},
        {"gemini-3.1-pro-preview", "{\"effort\":\"minimal\"}", "\"thinkingLevel\":\"LOW\"", ""},
        {"gemini-3-flash", "{\"effort\":\"medium\"}", "\"thinkingLevel\":\"MEDIUM\"", ""},
        {"gemini-3-flash", "{\"effort\":\"xhigh\"}", "\"thinkingLevel\":\"HIGH\"", ""},
        {"gemini-flash-latest", "{\"budget\":1000}", "\"thinkingLevel\":\"LOW\"", ""},
        {"gemini-3-flash", "{\"adaptive\":true}", "", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char canonical[512], want[512];
        snprintf(canonical, sizeof canonical, "{\"messages\":[" USER("a") "],\"reasoning\":%s}", rows[i].reasoning);
        snprintf(want, sizeof want, "{\"contents\":[" SAID("a") "],\"generationConfig\":{\"thinkingConfig\":{%s}}}",
                 rows[i].want);
        makes(rows[i].model, canonical, want, rows[i].lost);
    }
    makes("gemini-2.0-flash", "{\"messages\":[" USER("a") "],\"reasoning\":{\"effort\":\"high\"}}",
          "{\"contents\":[" SAID("a") "]" NO_CONFIG, "reasoning (hint)\n");
    weir_test_fact(&t, "model.thinking", "budget");
    makes("tuned", "{\"messages\":[" USER("a") "],\"reasoning\":{\"effort\":\"low\"}}",
          "{\"contents\":[" SAID("a") "],\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":1024}}}", "");
}
END_TEST

#define TOOL     "{\"name\":\"f\",\"description\":\"d\",\"schema\":{\"type\":\"object\",\"$defs\":{}},\"at\":\"tools[0]\"}"
#define DECLARED "{\"name\":\"f\",\"description\":\"d\",\"parametersJsonSchema\":{\"type\":\"object\",\"$defs\":{}}}"

START_TEST(test_encode_tools)
{
    static const char *const choices[][2] = {
        {"{\"mode\":\"auto\"}", "{\"mode\":\"AUTO\"}"},
        {"{\"mode\":\"none\"}", "{\"mode\":\"NONE\"}"},
        {"{\"mode\":\"required\"}", "{\"mode\":\"ANY\"}"},
        {"{\"mode\":\"named\",\"name\":\"f\"}", "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}"},
        {"{\"mode\":\"allowed\",\"names\":[\"f\",\"g\"],\"required\":false}",
         "{\"mode\":\"VALIDATED\",\"allowedFunctionNames\":[\"f\",\"g\"]}"},
        {"{\"mode\":\"allowed\",\"names\":[\"f\"],\"required\":true}",
         "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}"},
    };

    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        char canonical[512], want[512];
        snprintf(canonical, sizeof canonical,
                 "{\"messages\":[" USER("a") "],\"tools\":[" TOOL "],\"tool_choice\":%s,\"parallel_tools\":false}",
                 choices[i][0]);
        snprintf(want, sizeof want,
                 "{\"tools\":[{\"functionDeclarations\":[" DECLARED "]}],\"toolConfig\":{\"functionCallingConfig\":%s},"
                 "\"contents\":[" SAID("a") "]" NO_CONFIG,
                 choices[i][1]);
        makes("gemini-2.5-pro", canonical, want, "parallel_tools (hint)\n");
    }
    cannot("gemini-3-pro", "{\"messages\":[],\"tools\":[{\"hosted\":\"web_search\",\"raw\":{},\"at\":\"tools[0]\"}]}",
           "tools[0]");
}
END_TEST

/* bug 30: schemas go whole; for old models what they refuse is left out, and told. */
START_TEST(test_bug_30_schemas)
{
    const char *canonical = "{\"messages\":[" USER(
        "a") "],\"tools\":[{\"name\":\"f\",\"schema\":{\"$schema\":\"s\",\"type\":\"object\","
             "\"additionalProperties\":false,\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],\"format\":\"uri\"},"
             "\"b\":{\"$ref\":\"#/$defs/"
             "B\"},\"c\":{\"oneOf\":[{\"const\":\"x\"},{\"enum\":[1,\"y\"]}]}},\"required\":[\"a\"],"
             "\"$defs\":{\"B\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":1}}}},\"at\":\"tools[0]"
             "\"},"
             "{\"name\":\"g\",\"schema\":{\"type\":\"object\",\"properties\":{}},\"at\":\"tools[1]\"}]}";

    with_options("schema = openapi");
    makes("gemini-1.5-pro", canonical,
          "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{"
          "\"a\":{\"type\":\"string\",\"nullable\":true},\"b\":{\"type\":\"array\",\"items\":{\"type\":\"integer\","
          "\"minimum\":1}},\"c\":{\"anyOf\":[{\"enum\":[\"x\"]},{}]}},\"required\":[\"a\"]}},{\"name\":\"g\"}]}],"
          "\"contents\":[" SAID("a") "]" NO_CONFIG,
          "tools[0] (hint)\n");
    makes("gemini-1.5-pro",
          "{\"messages\":[" USER(
              "a") "],\"format\":{\"type\":\"schema\",\"schema\":{\"type\":\"object\",\"$defs\":{\"R\":"
                   "{\"properties\":{\"r\":{\"$ref\":\"#/$defs/none\"}}}},\"$ref\":\"#/$defs/R\"}}}",
          "{\"contents\":[" SAID("a") "],\"generationConfig\":{\"responseMimeType\":\"application/json\","
                                      "\"responseSchema\":{\"properties\":{\"r\":{\"type\":\"object\"}}}}}",
          "format (hint)\n");
}
END_TEST

/* A schema that names itself twice in each of its members would be endless. */
START_TEST(test_bug_30_endless_schema)
{
    with_options("schema = openapi");
    weir_test_begin(&t);
    weir_test_canonical(
        &t, "{\"messages\":[" USER(
                "a") "],\"format\":{\"type\":\"schema\",\"schema\":{\"$defs\":{\"R\":{"
                     "\"anyOf\":[{\"$ref\":\"#/$defs/R\"},{\"$ref\":\"#/$defs/R\"}]}},\"$ref\":\"#/$defs/R\"}}}");
    weir_test_verdict(encode_for("gemini-1.5-pro"), WEIR_PASS);
    ck_assert_uint_lt(weir_test_sent(&t).len, 2000000);
}
END_TEST

#define CALLS(...) "{\"role\":\"assistant\",\"content\":[" __VA_ARGS__ "]}"
#define CALL(id, name, args)                                                                                           \
    "{\"type\":\"call\",\"id\":\"" id "\",\"name\":\"" name "\",\"arguments\":\"" args "\",\"at\":\"at-" id "\"}"
#define RESULT(id, text)                                                                                               \
    "{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"" id "\",\"content\":[{\"type\":\"text\",\"text\":" \
    "\"" text "\"}],\"at\":\"r-" id "\"}]}"

/* bug 16: all results of a turn in one content, in the order of the calls.  bug 17: no arguments are {}. */
START_TEST(test_bug_16_and_17_results_of_a_turn)
{
    makes("gemini-2.5-pro",
          "{\"messages\":[" USER("q") "," CALLS(CALL("1", "f", "{\\\"x\\\":1.0}") "," CALL("2", "g", "")) "," RESULT(
              "2", "{\\\"t\\\":2}") "," RESULT("1", "sun") "," USER("so") "]}",
          "{\"contents\":[" SAID(
              "q") ",{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{"
                   "\"x\":1.0}}},{\"functionCall\":{\"name\":\"g\",\"args\":{}}}]},{\"role\":\"user\",\"parts\":["
                   "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":\"sun\"}}},"
                   "{\"functionResponse\":{\"name\":\"g\",\"response\":{\"t\":2}}}]}," SAID("so") "]" NO_CONFIG,
          "");
    cannot("gemini-2.5-pro", "{\"messages\":[" USER("q") "," CALLS(CALL("1", "f", "{\\\"x\\\"")) "]}", "at-1");
    ck_assert_str_eq(e.code, "invalid_arguments");
}
END_TEST

/* bug 9: a signature is sent with its part; calls that another model made get the stand-in, the first of them only. */
START_TEST(test_bug_09_signatures_upstream)
{
#define OPAQUE(data, kind) "{\"type\":\"reasoning\",\"opaque\":\"" data "\",\"kind\":\"" kind "\"}"
    makes(
        "gemini-3-pro",
        "{\"messages\":[" USER("q") "," CALLS(
            "{\"type\":\"reasoning\",\"text\":\"hm\",\"opaque\":\"AA==\",\"kind\":"
            "\"anthropic.signature\"}," CALL("1", "f", "{}") "," CALL(
                "2", "f",
                "{}")) "," RESULT("1",
                                  "") "," RESULT("2",
                                                 "") "," CALLS(OPAQUE("AAEC",
                                                                      "gemini.thought") "," CALL("3", "f",
                                                                                                 "{}") ","
                                                                                                       "{\"type\":"
                                                                                                       "\"text\","
                                                                                                       "\"text\":"
                                                                                                       "\"\"}"
                                                                                                       "," OPAQUE(
                                                                                                           "AwQF",
                                                                                                           "gemini"
                                                                                                           "."
                                                                                                           "though"
                                                                                                           "t")) "]}",
        "{\"contents\":[" SAID(
            "q") ",{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{}},"
                 "\"thoughtSignature\":\"" GEMINI_DUMMY "\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]},"
                 "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":\"\"}}},"
                 "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":\"\"}}}]},"
                 "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{}},\"thoughtSignature\":"
                 "\"AAEC\"},"
                 "{\"text\":\"\",\"thoughtSignature\":\"AwQF\"}]}]" NO_CONFIG,
        "");
}
END_TEST

START_TEST(test_encode_media)
{
#define MEDIA(part) "{\"messages\":[{\"role\":\"user\",\"content\":[" part "]}]}"
#define PART(part)  "{\"contents\":[{\"role\":\"user\",\"parts\":[" part "]}]" NO_CONFIG
    makes("gemini-2.5-pro",
          MEDIA("{\"type\":\"image\",\"data\":\"QUJD\",\"media_type\":\"image/png\",\"detail\":\"low\",\"at\":\"a\"},"
                "{\"type\":\"audio\",\"data\":\"QUJD\",\"format\":\"wav\",\"at\":\"b\"},"
                "{\"type\":\"document\",\"text\":\"hi\",\"at\":\"c\"},"
                "{\"type\":\"video\",\"url\":\"https://youtu.be/x\",\"at\":\"d\"}"),
          PART("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QUJD\"}},"
               "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"QUJD\"}},"
               "{\"inlineData\":{\"mimeType\":\"text/plain\",\"data\":\"aGk=\"}},"
               "{\"fileData\":{\"mimeType\":\"video/mp4\",\"fileUri\":\"https://youtu.be/x\"}}"),
          "a (hint)\n");
    makes("gemini-3-pro", MEDIA("{\"type\":\"image\",\"url\":\"https://x.test/a.WEBP?k\",\"at\":\"a\"}"),
          PART("{\"fileData\":{\"mimeType\":\"image/webp\",\"fileUri\":\"https://x.test/a.WEBP?k\"}}"), "");
    cannot("gemini-2.5-pro", MEDIA("{\"type\":\"image\",\"url\":\"https://x.test/a.png\",\"at\":\"a\"}"), "a");
    cannot("gemini-3-pro", MEDIA("{\"type\":\"document\",\"file\":\"file-1\",\"at\":\"a\"}"), "a");
    cannot("gemini-3-pro", MEDIA("{\"type\":\"other\",\"name\":\"x\",\"raw\":1,\"at\":\"a\"}"), "a");
}
END_TEST

START_TEST(test_encode_images_of_results)
{
    const char *canonical = "{\"messages\":[" USER("q") "," CALLS(CALL(
        "1", "f",
        "{}")) ",{\"role\":\"tool\",\"content\":[{\"type\":\"result\","
               "\"id\":\"1\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\",\"data\":\"QUJD\","
               "\"media_type\":\"image/png\",\"at\":\"i\"}],\"error\":true,\"at\":\"r\"}]}]}";
#define MODEL(sig) ",{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{}}" sig "}]},"
#define IMAGE      "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QUJD\"}}"

    makes("gemini-2.5-pro", canonical,
          "{\"contents\":[" SAID("q")
              MODEL("") "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\","
                        "\"response\":{\"error\":\"a\"}}}]},{\"role\":\"user\",\"parts\":[" IMAGE "]}]" NO_CONFIG,
          "");
    makes("gemini-3-pro", canonical,
          "{\"contents\":[" SAID("q")
              MODEL(",\"thoughtSignature\":\"" GEMINI_DUMMY
                    "\"") "{\"role\":\"user\",\"parts\":["
                          "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"error\":\"a\"},\"parts\":[" IMAGE
                          "]}}]}]" NO_CONFIG,
          "");
}
END_TEST

START_TEST(test_encode_system_between)
{
    makes("gemini-2.5-pro",
          "{\"messages\":[" USER("a") ",{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"now\"}]}]}",
          "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},{\"text\":\"<system>\\nnow\\n</"
          "system>\"}]}]" NO_CONFIG,
          "messages.role (hint)\n");
}
END_TEST

START_TEST(test_encode_refuses)
{
    cannot("gemini-2.5-pro", "{\"messages\":[" CALLS("{\"type\":\"text\",\"text\":\"a\"}") "]}", "messages[0].role");
    cannot("gemini-2.5-pro", "{\"names\":{\"logprobs\":\"top_logprobs\"},\"messages\":[],\"logprobs\":1}",
           "top_logprobs");
    cannot("gemini-2.5-pro", "{\"messages\":[],\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}", "stop");
    cannot("gemini-2.5-pro", "{\"messages\":[],\"tools\":[" TOOL "],\"format\":{\"type\":\"json\"}}", "format");
    makes("gemini-3-pro", "{\"messages\":[],\"format\":{\"type\":\"json\"},\"seed\":4294967297}",
          "{\"contents\":[],\"generationConfig\":{\"seed\":1,\"responseMimeType\":\"application/json\"}}",
          "seed (hint)\n");
}
END_TEST

/* The same history and one turn more begin with the same bytes. */
START_TEST(test_bug_19_prefix_is_stable)
{
    char first[1024];
    const char *end;

    weir_test_begin(&t);
    weir_test_canonical(&t, "{\"messages\":[" USER("q") "," CALLS(CALL("1", "f", "{}")) "," RESULT("1", "x") "]}");
    weir_test_verdict(encode_for("gemini-3-pro"), WEIR_PASS);
    snprintf(first, sizeof first, "%.*s", (int)weir_test_sent(&t).len, weir_test_sent(&t).ptr);
    end = strstr(first, "]" NO_CONFIG);
    ck_assert_ptr_nonnull(end);
    weir_test_begin(&t);
    weir_test_canonical(&t, "{\"messages\":[" USER("q") "," CALLS(CALL("1", "f", "{}")) "," RESULT("1", "x") "," CALLS(
                                "{\"type\":\"text\",\"text\":\"y\"}") "," USER("z") "]}");
    weir_test_verdict(encode_for("gemini-3-pro"), WEIR_PASS);
    ck_assert(memcmp(weir_test_sent(&t).ptr, first, (size_t)(end - first)) == 0);
}
END_TEST

static void embeds(const char *canonical, const char *want)
{
    weir_test_begin(&t);
    weir_test_canonical(&t, canonical);
    t.request.kind = WEIR_EMBEDDING;
    weir_test_verdict(encode_for("gemini-embedding-001"), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), want);
}

START_TEST(test_encode_embeddings)
{
    const char *canonical =
        "{\"input\":[\"a\\n\",\"b\"],\"dimensions\":8,\"encoding\":\"base64\",\"input_type\":\"query\"}";

    embeds(canonical,
           "{\"requests\":[{\"model\":\"models/gemini-embedding-001\",\"content\":{\"parts\":[{\"text\":\"a\\n\"}]},"
           "\"taskType\":\"RETRIEVAL_QUERY\",\"outputDimensionality\":8},{\"model\":\"models/gemini-embedding-001\","
           "\"content\":{\"parts\":[{\"text\":\"b\"}]},\"taskType\":\"RETRIEVAL_QUERY\",\"outputDimensionality\":8}]}");
    with_options("platform = vertex; project = p");
    embeds(canonical, "{\"instances\":[{\"task_type\":\"RETRIEVAL_QUERY\",\"content\":\"a\\n\"},{\"task_type\":"
                      "\"RETRIEVAL_QUERY\",\"content\":\"b\"}],\"parameters\":{\"outputDimensionality\":8}}");
    ck_assert(memmem(t.http_url.ptr, t.http_url.len, ":predict", 8));
}
END_TEST

/* ---- decode ---- */

/* One line an event: channel, choice, block, "." at the end of its stream, what it says. */
static void events_are(const char *want)
{
    static const char *const names[] = {"text",  "thought", "call",  "usage",  "finish",
                                        "error", "done",    "start", "opaque", "vector"};
    char got[8192] = "";
    size_t n = 0;

    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *x = weir_test_event(&t, i);
        const struct weir_event *ev = &x->event;
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %u %u%s", names[ev->channel], ev->choice, ev->block,
                              ev->copy   ? " copy"
                              : ev->last ? "."
                                         : "");
        if (ev->usage)
            n += (size_t)snprintf(got + n, sizeof got - n, " %d %d %d %d", (int)ev->usage->input,
                                  (int)ev->usage->cache_read, (int)ev->usage->output, (int)ev->usage->reasoning);
        if (ev->channel == WEIR_FINISH)
            n += (size_t)snprintf(got + n, sizeof got - n, " %d", (int)ev->finish);
        if (ev->channel == WEIR_ERRORED)
            n += (size_t)snprintf(got + n, sizeof got - n, " %d %u", ev->status, ev->retry_after);
        const struct weir_str said[] = {ev->tool_id, ev->tool_name, ev->detail, ev->value, x->text};
        for (size_t k = 0; k < 5; k++)
            if (said[k].len)
                n += (size_t)snprintf(got + n, sizeof got - n, " %.*s", (int)said[k].len, said[k].ptr);
        n += (size_t)snprintf(got + n, sizeof got - n, "\n");
        ck_assert_uint_lt(n, sizeof got);
    }
    ck_assert_str_eq(got, want);
}

static void ask(bool foreign, bool stream)
{
    if (!foreign) {
        ck_assert(weir_test_accept(&t, "POST", stream ? STREAM : GENERATE, "{\"contents\":[]}", &e));
    } else {
        weir_test_begin(&t);
        weir_test_canonical(&t, stream ? "{\"stream\":true,\"messages\":[]}" : "{\"messages\":[]}");
    }
    t.events.count = 0;
    weir_test_verdict(encode_for("gemini-3-pro"), WEIR_PASS);
}

static void stream_says(bool foreign, const char *sse, const char *want)
{
    ask(foreign, true);
    ck_assert_msg(weir_test_decode_stream(&t, sse, &e), "%s", e.text);
    if (!foreign)
        weir_test_same(t.client, sse);
    events_are(want);
}

static void body_says(bool foreign, int status, const char *body, const char *want)
{
    ask(foreign, false);
    ck_assert_msg(weir_test_decode_body(&t, status, body, &e), "%s", e.text);
    events_are(want);
}

#define CHUNK(parts) "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts "]}}]}\r\n\r\n"
#define ENDS(parts, reason)                                                                                            \
    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts "]},\"finishReason\":\"" reason        \
    "\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":9,\"cachedContentTokenCount\":4,"                        \
    "\"candidatesTokenCount\":2,\"thoughtsTokenCount\":3,\"toolUsePromptTokenCount\":1,\"totalTokenCount\":15}}"       \
    "\r\n\r\n"
#define STOPPED "finish 0 0 1 STOP\nusage 0 0 6 4 2 3\n"

static const char mixed[] = CHUNK("{\"text\":\"h\",\"thought\":true}") CHUNK("{\"text\":\"m\",\"thought\":true}")
    CHUNK("{\"text\":\"a\\n\"}") CHUNK("{\"text\":\"b\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}},"
                                       "\"thoughtSignature\":\"AAEC\"}") CHUNK("{\"text\":\"c\"}")
        ENDS("{\"text\":\"\",\"thoughtSignature\":\"AwQF\"}", "STOP");

START_TEST(test_decode_stream_of_this_dialect)
{
    stream_says(false, mixed,
                "thought 0 0 h\nthought 0 0 m\ntext 0 0 a\n\ntext 0 0 b\ncall 0 0. f {\"x\":1}\ntext 0 0 c\n"
                "text 0 0.\nthought 0 0.\nfinish 0 0 5 STOP\nusage 0 0 6 4 2 3\n");
}
END_TEST

/* bug 8: the end comes in a record of its own and says STOP; bug 9: signatures stand before their part. */
START_TEST(test_bug_08_decode_stream_for_others)
{
    stream_says(true, mixed,
                "start 0 0\nthought 0 0 h\nthought 0 0 m\nthought 0 0.\ntext 0 0 a\n\ntext 0 0. b\n"
                "opaque 0 1 AAEC gemini.thought\n"
                "call 0 0. call_56khsjo8yzghhshlgqy98cqm f {\"x\":1}\ntext 0 1 c\ntext 0 1.\n"
                "opaque 0 1 AwQF gemini.thought\n"
                "finish 0 0 5 STOP\nusage 0 0 6 4 2 3\n");
}
END_TEST

START_TEST(test_decode_parallel_calls)
{
    body_says(true, 200,
              "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"id\":\"1\",\"name\":\"f\",\"args\":{}}},"
              "{\"functionCall\":{\"id\":\"2\",\"name\":\"f\"}}]},\"finishReason\":\"STOP\"}],\"responseId\":\"R\","
              "\"modelVersion\":\"M\"}",
              "start 0 0 R M\ncall 0 0. 1 f {}\ncall 0 1. 2 f {}\nfinish 0 0 5 STOP\n");
}
END_TEST

#define PIECE(path, value, more) "{\"jsonPath\":\"" path "\"," value more "}"
#define PIECES(pieces)           CHUNK("{\"functionCall\":{\"partialArgs\":[" pieces "],\"willContinue\":true}}")
#define MORE                     ",\"willContinue\":true"

static const char partial[] = CHUNK("{\"functionCall\":{\"id\":\"1\",\"name\":\"f\",\"willContinue\":true}}")
    PIECES(PIECE("$.a", "\"stringValue\":\"R\\\"\"", MORE)) PIECES(PIECE("$.a", "\"stringValue\":\"ome\"", ""))
        PIECES(PIECE("$.l[0].x", "\"numberValue\":1.50", "") "," PIECE("$.l[2]", "\"boolValue\":true", ""))
            PIECES(PIECE("$['q r']", "\"nullValue\":\"NULL_VALUE\"", "")) CHUNK("{\"functionCall\":{}}")
                CHUNK("{\"functionCall\":{\"id\":\"2\",\"name\":\"g\",\"willContinue\":true}}")
                    ENDS("{\"text\":\"\"}", "STOP");

START_TEST(test_decode_partial_arguments)
{
    stream_says(true, partial,
                "start 0 0\ncall 0 0 1 f\n"
                "call 0 0. {\"a\":\"R\\\"ome\",\"l\":[{\"x\":1.50},null,true],\"q r\":null}\n"
                "call 0 1 2 g\ncall 0 1. {}\nfinish 0 0 5 STOP\nusage 0 0 6 4 2 3\n");
    stream_says(false, partial,
                "call 0 0 1 f\ntext 0 131072 R\"\ntext 0 131072. ome\ncall 0 0.\ncall 0 1 2 g\ncall 0 1.\n"
                "finish 0 0 5 STOP\nusage 0 0 6 4 2 3\n");
}
END_TEST

START_TEST(test_decode_partial_arguments_that_make_no_sense)
{
    static const char *const paths[] = {"",      "a",     "$", "$.", "$[", "$[x]", "$['a]", "$.l[99999999999]",
                                        "$.a.b", "$.a[0]"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char sse[1024];
        snprintf(sse, sizeof sse,
                 CHUNK("{\"functionCall\":{\"name\":\"f\",\"willContinue\":true,\"partialArgs\":["
                       "{\"jsonPath\":\"$.a\",\"stringValue\":\"x\"},{\"jsonPath\":\"%s\",\"stringValue\":\"y\"}]}}"),
                 paths[i]);
        ask(true, true);
        ck_assert_msg(!weir_test_decode_stream(&t, sse, &e) || i == 3, "%s", paths[i]);
    }
}
END_TEST

START_TEST(test_decode_reasons)
{
    static const struct {
        const char *reason;
        enum weir_finish finish;
    } rows[] = {
        {"STOP", WEIR_FINISH_STOP},
        {"MAX_TOKENS", WEIR_FINISH_LENGTH},
        {"SAFETY", WEIR_FINISH_FILTERED},
        {"RECITATION", WEIR_FINISH_FILTERED},
        {"BLOCKLIST", WEIR_FINISH_FILTERED},
        {"PROHIBITED_CONTENT", WEIR_FINISH_FILTERED},
        {"SPII", WEIR_FINISH_FILTERED},
        {"LANGUAGE", WEIR_FINISH_FILTERED},
        {"IMAGE_SAFETY", WEIR_FINISH_FILTERED},
        {"OTHER", WEIR_FINISH_STOP},
        {"BRAND_NEW", WEIR_FINISH_STOP},
        {"MALFORMED_FUNCTION_CALL", WEIR_FINISH_FAILED},
        {"UNEXPECTED_TOOL_CALL", WEIR_FINISH_FAILED},
        {"MISSING_THOUGHT_SIGNATURE", WEIR_FINISH_FAILED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[128], want[128];
        snprintf(body, sizeof body, "{\"candidates\":[{\"finishReason\":\"%s\"}]}", rows[i].reason);
        snprintf(want, sizeof want, "finish 0 0 %d %s\n", (int)rows[i].finish, rows[i].reason);
        body_says(false, 200, body, want);
    }
    body_says(true, 200,
              "{\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\",\"finishMessage\":\"Malformed: f(\"}]}",
              "start 0 0\nerror 0 0 502 0 Malformed: f( MALFORMED_FUNCTION_CALL\n");
}
END_TEST

START_TEST(test_decode_blocked_prompt)
{
    body_says(true, 200, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{\"promptTokenCount\":3}}",
              "start 0 0\nfinish 0 0 6 SAFETY\nusage 0 0 3 0 0 0\n");
}
END_TEST

/* bug 22: errors in a 200 stream; RetryInfo, rounded up; the gateway's own key. */
START_TEST(test_bug_22_errors)
{
    stream_says(true,
                CHUNK("{\"text\":\"a\"}") "data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":"
                                          "\"UNAVAILABLE\"}}\r\n\r\n",
                "start 0 0\ntext 0 0 a\nerror 0 0 503 0 busy UNAVAILABLE\n");
    body_says(
        true, 429,
        "[{\"error\":{\"code\":429,\"message\":\"slow\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":"
        "\"x\",\"retryDelay\":\"34.074824224s\"}]}}]",
        "error 0 0 429 35 slow RESOURCE_EXHAUSTED\n");
    body_says(true, 400,
              "{\"error\":{\"code\":400,\"message\":\"key\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":"
              "\"API_KEY_INVALID\"}]}}",
              "error 0 0 401 0 key INVALID_ARGUMENT\n");
    body_says(true, 502, "<html>", "error 0 0 502 0\n");
    body_says(true, 500, "{}", "error 0 0 500 0\n");
    ask(true, false);
    ck_assert(!weir_test_decode_body(&t, 200, "<html>", &e));
}
END_TEST

START_TEST(test_bug_21_nothing_is_invented_for_a_truncated_stream)
{
    stream_says(true, CHUNK("{\"text\":\"a\"}"), "start 0 0\ntext 0 0 a\n");
}
END_TEST

/* bug 13: of several the last counts; counts may be strings; audio is a part; thoughts are not in the output. */
START_TEST(test_bug_13_usage)
{
    struct weir_usage u;

    ask(false, false);
    ck_assert(weir_test_decode_body(
        &t, 200,
        "{\"usageMetadata\":{\"promptTokenCount\":\"20\",\"cachedContentTokenCount\":5,\"candidatesTokenCount\":7,"
        "\"thoughtsTokenCount\":30,\"toolUsePromptTokenCount\":2,\"promptTokensDetails\":[{\"modality\":\"AUDIO\","
        "\"tokenCount\":4},{\"modality\":\"TEXT\",\"tokenCount\":16}],\"candidatesTokensDetails\":[{\"modality\":"
        "\"AUDIO\",\"tokenCount\":3}],\"totalTokenCount\":59}}",
        &e));
    u = *weir_test_event(&t, 0)->event.usage;
    ck_assert_int_eq(u.input, 13);
    ck_assert_int_eq(u.cache_read, 5);
    ck_assert_int_eq(u.audio_in, 4);
    ck_assert_int_eq(u.output, 4);
    ck_assert_int_eq(u.audio_out, 3);
    ck_assert_int_eq(u.reasoning, 30);
    ck_assert_int_eq(u.input + u.cache_read + u.audio_in + u.output + u.audio_out + u.reasoning, 59);
    body_says(false, 200, "{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}", "");
    body_says(false, 200,
              "{\"usageMetadata\":{\"promptTokenCount\":5,\"thoughtsTokenCount\":7,\"totalTokenCount\":12}}",
              "usage 0 0 5 0 0 7\n");
}
END_TEST

/* A stream without alt=sse is one array. */
START_TEST(test_decode_array)
{
    ck_assert(weir_test_accept(&t, "POST", "/v1beta/models/m:streamGenerateContent", "{\"contents\":[]}", &e));
    weir_test_verdict(encode_for("m"), WEIR_PASS);
    ck_assert(weir_test_decode_body(&t, 200,
                                    "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]},\n"
                                    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":"
                                    "\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1}}]",
                                    &e));
    events_are("text 0 0 a\ntext 0 0. b\nfinish 0 0 1 STOP\nusage 0 0 1 0 0 0\n");
}
END_TEST

START_TEST(test_decode_embeddings)
{
    body_says(true, 200, "{\"embedding\":{\"values\":[0.5,1]}}", "start 0 0\nvector 0 0. [0.5,1]\n");
    body_says(true, 200, "{\"embeddings\":[{\"values\":[1]},{\"values\":[2]}]}",
              "start 0 0\nvector 0 0. [1]\nvector 1 0. [2]\n");
    body_says(true, 200,
              "{\"predictions\":[{\"embeddings\":{\"values\":[1],\"statistics\":{\"token_count\":5}}},"
              "{\"embeddings\":{\"values\":[2],\"statistics\":{\"token_count\":6}}}]}",
              "start 0 0\nvector 0 0. [1]\nvector 1 0. [2]\nusage 0 0 11 -1 -1 -1\n");
}
END_TEST

/* What repeats the text or stands elsewhere is seen too. */
START_TEST(test_decode_other_texts)
{
    body_says(
        false, 200,
        "{\"candidates\":[{\"content\":{\"parts\":[{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1\"}},"
        "{\"text\":\"a\"}]},\"logprobsResult\":{\"x\":1},\"groundingMetadata\":{\"y\":1},\"finishReason\":\"STOP\"}]}",
        "text 0 131072. language\ntext 0 131073. PYTHON\ntext 0 131074. code\ntext 0 131075. 1\ntext 0 0. a\ntext 0 0 "
        "copy\ntext 0 0 copy\nfinish 0 0 1 STOP\n");
}
END_TEST

/* Names that Gemini does not take come back as they were. */
START_TEST(test_tool_names_are_restored)
{
    struct weir_str sent;
    char sse[512];

    weir_test_begin(&t);
    weir_test_canonical(
        &t, "{\"stream\":true,\"messages\":[" USER(
                "a") "],\"tools\":[{\"name\":\"1 f\",\"at\":\"x\"}],\"tool_choice\":{\"mode\":\"named\",\"name\":"
                     "\"1 f\"}}");
    weir_test_verdict(encode_for("gemini-3-pro"), WEIR_PASS);
    sent = weir_test_sent(&t);
    sent.ptr = memmem(sent.ptr, sent.len, "_1_f_", 5);
    ck_assert_ptr_nonnull(sent.ptr);
    sent.len = 17; /* and twelve letters and digits */
    snprintf(sse, sizeof sse, CHUNK("{\"functionCall\":{\"id\":\"1\",\"name\":\"%.*s\",\"args\":{}}}"), (int)sent.len,
             sent.ptr);
    ck_assert(weir_test_decode_stream(&t, sse, &e));
    events_are("start 0 0\ncall 0 0. 1 1 f {}\n");
}
END_TEST

START_TEST(test_decode_gives_up_on_nonsense)
{
    static const char *const senseless[] = {"{\"candidates\":[{\"index\":-1}]}", "{\"candidates\":[{\"index\":70000}]}",
                                            "3", "\"x\""};

    for (size_t i = 0; i < sizeof senseless / sizeof *senseless; i++) {
        ask(true, false);
        ck_assert(!weir_test_decode_body(&t, 200, senseless[i], &e));
    }
    body_says(true, 200,
              "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":1,\"functionCall\":[],\"thought\":2}]}}]}",
              "start 0 0\n");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("gemini upstream");
    TCase *c = tcase_create("gemini upstream");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_same_dialect_sends_the_clients_bytes);
    tcase_add_test(c, test_targets);
    tcase_add_test(c, test_options_that_make_no_url);
    tcase_add_test(c, test_encode_a_question);
    tcase_add_test(c, test_encode_thinking);
    tcase_add_test(c, test_encode_tools);
    tcase_add_test(c, test_bug_30_schemas);
    tcase_add_test(c, test_bug_30_endless_schema);
    tcase_add_test(c, test_bug_16_and_17_results_of_a_turn);
    tcase_add_test(c, test_bug_09_signatures_upstream);
    tcase_add_test(c, test_encode_media);
    tcase_add_test(c, test_encode_images_of_results);
    tcase_add_test(c, test_encode_system_between);
    tcase_add_test(c, test_encode_refuses);
    tcase_add_test(c, test_bug_19_prefix_is_stable);
    tcase_add_test(c, test_encode_embeddings);
    tcase_add_test(c, test_decode_stream_of_this_dialect);
    tcase_add_test(c, test_bug_08_decode_stream_for_others);
    tcase_add_test(c, test_decode_parallel_calls);
    tcase_add_test(c, test_decode_partial_arguments);
    tcase_add_test(c, test_decode_partial_arguments_that_make_no_sense);
    tcase_add_test(c, test_decode_reasons);
    tcase_add_test(c, test_decode_blocked_prompt);
    tcase_add_test(c, test_bug_22_errors);
    tcase_add_test(c, test_bug_21_nothing_is_invented_for_a_truncated_stream);
    tcase_add_test(c, test_bug_13_usage);
    tcase_add_test(c, test_decode_array);
    tcase_add_test(c, test_decode_embeddings);
    tcase_add_test(c, test_decode_other_texts);
    tcase_add_test(c, test_tool_names_are_restored);
    tcase_add_test(c, test_decode_gives_up_on_nonsense);
    suite_add_tcase(s, c);
    return s;
}
