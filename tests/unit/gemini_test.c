/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini_test.c -- the gemini plugin towards its clients: what is read of a request, the canonical request made of it,
 * and what answers of other dialects look like.  Expected values are written by hand after the API's reference.
 */
#include "gemini_all.h"
#include "unit.h"

#define GENERATE "/v1beta/models/m:generateContent"
#define STREAM   "/v1beta/models/m:streamGenerateContent?alt=sse"
#define ARRAY    "/v1beta/models/m:streamGenerateContent"

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

static bool post(const char *path, const char *body)
{
    return weir_test_accept(&t, "POST", path, body, &e);
}

/* ---- accept ---- */

START_TEST(test_accept_reads_path_and_limits)
{
    ck_assert(post("/v1beta/models/openai%2Fgpt-4o:free:streamGenerateContent?key=k&alt=sse",
                   "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":\"12\",\"candidate_count\":2}}"));
    weir_test_same(t.request.model, "openai/gpt-4o:free");
    ck_assert_uint_eq(t.request.model_at, 0);
    ck_assert_int_eq(t.request.kind, WEIR_CHAT);
    ck_assert(t.request.stream);
    ck_assert_ptr_null(t.request.stream_type);
    ck_assert_int_eq(t.request.max_output, 12);
    ck_assert_uint_eq(t.request.choices, 2);

    ck_assert(post("/v1/models/m:streamGenerateContent", "{\"contents\":[]}"));
    ck_assert(t.request.stream);
    ck_assert_str_eq(t.request.stream_type, "application/json");
    ck_assert(post("/v1beta/models/m:embedContent", "{\"content\":{\"parts\":[]}}"));
    ck_assert_int_eq(t.request.kind, WEIR_EMBEDDING);
    ck_assert(post("/v1beta/models/m:batchEmbedContents", "{\"requests\":[]}"));
    ck_assert_int_eq(t.request.kind, WEIR_EMBEDDING);
    ck_assert(post("/v1beta/models/m:countTokens", "{}"));
    ck_assert_int_eq(t.request.kind, WEIR_COUNT_TOKENS);
    ck_assert(!t.request.stream);
    ck_assert(weir_test_accept(&t, "GET", "/v1beta/models/google%2Fm", NULL, &e));
    weir_test_same(t.request.model, "google/m");
}
END_TEST

static void refused(const char *path, const char *body, const char *field)
{
    ck_assert_msg(!post(path, body), "%s %s", path, body);
    ck_assert_str_eq(e.field, field);
}

START_TEST(test_accept_refuses_what_is_not_clear)
{
    refused("/v1beta/models/m:predict", "{\"contents\":[]}", "");
    ck_assert_str_eq(e.code, "unknown_method");
    refused("/v1beta/models/:generateContent", "{\"contents\":[]}", "model");
    refused("/v1beta/models/a%00b:generateContent", "{\"contents\":[]}", "model");
    refused("/v1beta/models/m:generateContent?alt=proto", "{\"contents\":[]}", "alt");
    refused("/v1beta/models/m:generateContent?alt=sse", "{\"contents\":[]}", "alt");
    refused(GENERATE, "[]", "");
    refused(GENERATE, "{}", "contents");
    refused(GENERATE, "{\"contents\":3}", "contents");
    refused(GENERATE, "{\"contents\":[{\"parts\":[{\"text\":1}]}]}", "contents[0].parts[0].text");
    refused(GENERATE, "{\"contents\":[],\"systemInstruction\":{},\"system_instruction\":{}}", "systemInstruction");
    refused(GENERATE, "{\"contents\":[],\"t\\u006fols\":[]}", "t\\u006fols");
    refused(GENERATE, "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":1.5}}",
            "generationConfig.maxOutputTokens");
}
END_TEST

/* One line a span: where, message, part, text. */
static void spans_are(const char *want)
{
    static const char *const where[] = {"system", "user", "assistant", "call", "result", "document", "other"};
    char got[8192] = "";
    size_t n = 0;

    for (size_t i = 0; i < weir_test_span_count(&t); i++) {
        const struct weir_span *s = weir_test_span(&t, i);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %u %u %.*s\n", where[s->where], s->message, s->part,
                              (int)s->text.len, s->text.ptr);
        ck_assert_uint_lt(n, sizeof got);
    }
    ck_assert_str_eq(got, want);
}

START_TEST(test_accept_spans_of_every_text)
{
    ck_assert(
        post(GENERATE,
             "{\"system_instruction\":{\"parts\":{\"text\":\"rules\"}},\"contents\":[{\"parts\":[{\"text\":\"hi\"},"
             "{\"inline_data\":{\"mime_type\":\"image/png\",\"data\":\"QUJD\"}},"
             "{\"fileData\":{\"fileUri\":\"https://x.test/?k=1\",\"mimeType\":\"image/png\"}}]},"
             "{\"role\":\"model\",\"parts\":[{\"text\":\"hm\",\"thought\":true,\"thoughtSignature\":\"c2ln\"},"
             "{\"functionCall\":{\"id\":\"1\",\"name\":\"f\",\"args\":{\"city\":[\"Rome\",{\"a\":\"b\"}]}}}]},"
             "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{\"t\":\"sun\"}}}]}],"
             "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"does\",\"parameters\":{\"type\":"
             "\"OBJECT\"}}]}],\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":["
             "\"f\"]}},"
             "\"generationConfig\":{\"stopSequences\":[\"END\"],\"responseMimeType\":\"text/plain\"},"
             "\"labels\":{\"k\":\"v\"},\"brandNew\":{\"x\":\"y\"}}"));
    spans_are("system 0 0 rules\n"
              "user 0 0 hi\n"
              "document 0 2 https://x.test/?k=1\n"
              "assistant 1 0 hm\n"
              "other 1 1 f\ncall 1 1 city\ncall 1 1 Rome\ncall 1 1 a\ncall 1 1 b\n"
              "other 2 0 f\nresult 2 0 t\nresult 2 0 sun\n"
              "other 0 0 f\nother 0 0 does\nother 0 0 type\nother 0 0 OBJECT\n"
              "other 0 0 f\nother 0 0 END\n"
              "other 0 0 labels\nother 0 0 k\nother 0 0 v\nother 0 0 brandNew\nother 0 0 x\nother 0 0 y\n");
    ck_assert(post("/v1beta/models/m:batchEmbedContents",
                   "{\"requests\":[{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"a\"}]},"
                   "\"taskType\":\"RETRIEVAL_DOCUMENT\",\"title\":\"T\"}]}"));
    spans_are("document 0 0 a\ndocument 0 0 T\n");
    ck_assert(
        post("/v1beta/models/m:countTokens",
             "{\"generateContentRequest\":{\"model\":\"models/m\",\"contents\":[{\"parts\":[{\"text\":\"a\"}]}]}}"));
    spans_are("user 0 0 a\n");
}
END_TEST

/* ---- lift ---- */

static void lifts(const char *path, const char *body, const char *want, const char *lost)
{
    struct weir_str got;

    ck_assert_msg(post(path, body), "%s", e.text);
    got = weir_test_lift(&t, &e);
    ck_assert_msg(got.ptr != NULL, "%s", e.text);
    weir_test_same(got, want);
    weir_test_same(t.lossy, lost);
}

static void not_lifted(const char *body, const char *field)
{
    ck_assert_msg(post(GENERATE, body), "%s", e.text);
    ck_assert_ptr_null(weir_test_lift(&t, &e).ptr);
    ck_assert_str_eq(e.field, field);
}

START_TEST(test_lift_a_question)
{
    lifts(
        STREAM,
        "{\"contents\":{\"parts\":{\"text\":\"hi\\n\"}},\"systemInstruction\":{\"parts\":[{\"text\":\"be brief\"}]},"
        "\"generationConfig\":{\"temperature\":1.0,\"topK\":40,\"maxOutputTokens\":\"9\",\"stopSequences\":[\"X\"],"
        "\"seed\":7,\"candidateCount\":1,\"thinkingConfig\":{\"includeThoughts\":true,\"thinkingBudget\":0}},"
        "\"safetySettings\":[{\"category\":\"C\",\"threshold\":\"T\"}],\"serviceTier\":\"flex\",\"labels\":{\"a\":"
        "\"b\"}}",
        "{\"names\":{\"max_output\":\"generationConfig.maxOutputTokens\",\"temperature\":\"generationConfig."
        "temperature\",\"top_k\":\"generationConfig.topK\",\"seed\":\"generationConfig.seed\",\"n\":"
        "\"generationConfig.candidateCount\",\"stop\":\"generationConfig.stopSequences\",\"reasoning\":"
        "\"generationConfig.thinkingConfig\",\"metadata\":\"labels\",\"service_tier\":\"serviceTier\"},"
        "\"stream\":true,\"system\":[{\"type\":\"text\",\"text\":\"be brief\"}],\"messages\":[{\"role\":\"user\","
        "\"content\":[{\"type\":\"text\",\"text\":\"hi\\n\"}]}],\"max_output\":9,\"temperature\":1.0,\"top_k\":40,"
        "\"seed\":7,\"n\":1,\"stop\":[\"X\"],\"reasoning\":{\"budget\":0,\"show\":\"auto\"},\"service_tier\":\"flex\","
        "\"metadata\":{\"a\":\"b\"}}",
        "safetySettings (hint)\n");
}
END_TEST

#define HEAD "{\"names\":{},\"stream\":false,\"messages\":["

START_TEST(test_lift_media)
{
    lifts(GENERATE,
          "{\"contents\":[{\"role\":\"user\",\"parts\":["
          "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QUJD\"},\"mediaResolution\":{\"level\":"
          "\"MEDIA_RESOLUTION_LOW\"}},"
          "{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"-_8\",\"displayName\":\"cv\"}},"
          "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"QUJD\"}},"
          "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://x.test/a.png\"}},"
          "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":"
          "\"https://generativelanguage.googleapis.com/v1beta/files/1\"}},"
          "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1\"}},{\"text\":\"\"}]}]}",
          HEAD
          "{\"role\":\"user\",\"content\":["
          "{\"type\":\"image\",\"data\":\"QUJD\",\"media_type\":\"image/png\",\"detail\":\"low\",\"at\":"
          "\"contents[0].parts[0]\"},"
          "{\"type\":\"document\",\"data\":\"+/8=\",\"media_type\":\"application/pdf\",\"name\":\"cv\",\"at\":"
          "\"contents[0].parts[1]\"},"
          "{\"type\":\"audio\",\"data\":\"QUJD\",\"format\":\"wav\",\"at\":\"contents[0].parts[2]\"},"
          "{\"type\":\"image\",\"url\":\"https://x.test/a.png\",\"at\":\"contents[0].parts[3]\"},"
          "{\"type\":\"image\",\"file\":\"https://generativelanguage.googleapis.com/v1beta/files/1\",\"at\":"
          "\"contents[0].parts[4]\"},"
          "{\"type\":\"other\",\"name\":\"executableCode\",\"raw\":{\"language\":\"PYTHON\",\"code\":\"1\"},\"at\":"
          "\"contents[0].parts[5]\"}]}]}",
          "");
}
END_TEST

/* Ids from the client stay; results find their call by id or by name and order; results come first. */
START_TEST(test_lift_calls_and_results)
{
    lifts(GENERATE,
          "{\"contents\":[{\"parts\":[{\"text\":\"q\"}]},"
          "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"a\",\"name\":\"f\",\"args\":{\"x\":1.0}}},"
          "{\"functionCall\":{\"id\":\"b\",\"name\":\"f\"}},{\"functionCall\":{\"id\":\"c\",\"name\":\"g\"}}]},"
          "{\"parts\":[{\"text\":\"go on\"},{\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":\"one\"}}},"
          "{\"functionResponse\":{\"id\":\"c\",\"name\":\"g\",\"response\":{\"error\":\"bad\"}}},"
          "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"t\":2,\"u\":null}}}]}]}",
          HEAD "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"}]},"
               "{\"role\":\"assistant\",\"content\":["
               "{\"type\":\"call\",\"id\":\"a\",\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1.0}\",\"at\":\"contents[1]."
               "parts[0]\"},"
               "{\"type\":\"call\",\"id\":\"b\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"contents[1].parts[1]\"},"
               "{\"type\":\"call\",\"id\":\"c\",\"name\":\"g\",\"arguments\":\"{}\",\"at\":\"contents[1].parts[2]\"}]},"
               "{\"role\":\"tool\",\"content\":["
               "{\"type\":\"result\",\"id\":\"a\",\"name\":\"f\",\"content\":[{\"type\":\"text\",\"text\":\"one\"}],"
               "\"at\":\"contents[2].parts[1]\"},"
               "{\"type\":\"result\",\"id\":\"c\",\"name\":\"g\",\"content\":[{\"type\":\"text\",\"text\":\"bad\"}],"
               "\"error\":true,\"at\":\"contents[2].parts[2]\"},"
               "{\"type\":\"result\",\"id\":\"b\",\"name\":\"f\",\"content\":[{\"type\":\"text\",\"text\":"
               "\"{\\\"t\\\":2,\\\"u\\\":null}\"}],\"at\":\"contents[2].parts[3]\"}]},"
               "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"go on\"}]}]}",
          "");
    not_lifted("{\"contents\":[{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}]}]}",
               "contents[0].parts[0]");
}
END_TEST

static struct weir_str id_of_first_call(void)
{
    struct weir_str got = weir_test_lift(&t, &e);
    const char *at = memmem(got.ptr, got.len, "\"call_", 6);

    ck_assert_ptr_nonnull(at);
    return (struct weir_str){at + 1, (size_t)((const char *)memchr(at + 1, '"', 64) - at) - 1};
}

START_TEST(test_lift_makes_the_same_ids_for_the_same_history)
{
    const char *call = "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}]}";
    const char *more = "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]},"
                       "{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}]}]}";
    char first[64];

    ck_assert(post(GENERATE, call));
    snprintf(first, sizeof first, "%.*s", (int)id_of_first_call().len, id_of_first_call().ptr);
    ck_assert_uint_le(strlen(first), 40);
    ck_assert(post(GENERATE, more));
    weir_test_same(id_of_first_call(), first);
}
END_TEST

/* bug 9 and 10: a signature stays with the part it came with; another issuer's is known by its mark. */
START_TEST(test_bug_09_lift_keeps_signatures)
{
    lifts(GENERATE,
          "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"th\",\"thought\":true}]},"
          "{\"role\":\"model\",\"parts\":[{\"text\":\"ink\",\"thought\":true},"
          "{\"text\":\"\",\"thought\":true,\"thoughtSignature\":\"d2VpcjphbnRocm9waWMuc2lnbmF0dXJlOkVxUT0=\"},"
          "{\"functionCall\":{\"id\":\"a\",\"name\":\"f\"},\"thoughtSignature\":\"AAEC\"},"
          "{\"functionCall\":{\"id\":\"b\",\"name\":\"f\"},\"thoughtSignature\":\"" GEMINI_DUMMY "\"},"
          "{\"text\":\"\",\"thoughtSignature\":\"AwQF\"}]}]}",
          HEAD "{\"role\":\"assistant\",\"content\":["
               "{\"type\":\"reasoning\",\"text\":\"think\",\"opaque\":\"EqQ=\",\"kind\":\"anthropic.signature\"},"
               "{\"type\":\"reasoning\",\"opaque\":\"AAEC\",\"kind\":\"gemini.thought\"},"
               "{\"type\":\"call\",\"id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"contents[1].parts[2]\"},"
               "{\"type\":\"call\",\"id\":\"b\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"contents[1].parts[3]\"},"
               "{\"type\":\"reasoning\",\"opaque\":\"AwQF\",\"kind\":\"gemini.thought\"}]}]}",
          "");
}
END_TEST

START_TEST(test_lift_tools)
{
    lifts(
        GENERATE,
        "{\"contents\":[],\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"d\",\"parameters\":"
        "{\"type\":\"OBJECT\",\"properties\":{\"type\":{\"type\":\"STRING\",\"nullable\":true,\"example\":\"x\"},"
        "\"n\":{\"type\":\"ARRAY\",\"items\":{\"type\":\"INTEGER\"},\"maxItems\":\"3\"}},\"propertyOrdering\":[\"n\"]}}"
        ","
        "{\"name\":\"g\",\"parametersJsonSchema\":{\"$ref\":\"#/x\"}},{\"name\":\"h\"}]},{\"googleSearch\":{}}],"
        "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\",\"g\"]}}}",
        "{\"names\":{\"tool_choice\":\"toolConfig.functionCallingConfig\"},\"stream\":false,\"messages\":[],\"tools\":["
        "{\"name\":\"f\",\"description\":\"d\",\"schema\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":"
        "[\"string\",\"null\"],\"examples\":[\"x\"]},\"n\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
        "\"maxItems\":3}}},\"at\":\"tools[0].functionDeclarations[0]\"},"
        "{\"name\":\"g\",\"schema\":{\"$ref\":\"#/x\"},\"at\":\"tools[0].functionDeclarations[1]\"},"
        "{\"name\":\"h\",\"schema\":{\"type\":\"object\",\"properties\":{}},\"at\":"
        "\"tools[0].functionDeclarations[2]\"},"
        "{\"hosted\":\"web_search\",\"raw\":{},\"at\":\"tools[1].googleSearch\"}],"
        "\"tool_choice\":{\"mode\":\"allowed\",\"names\":[\"f\",\"g\"],\"required\":true}}",
        "");
}
END_TEST

START_TEST(test_lift_format)
{
    lifts(
        GENERATE,
        "{\"contents\":[],\"generationConfig\":{\"responseMimeType\":\"application/json\",\"responseSchema\":{\"type\":"
        "\"STRING\"},\"responseModalities\":[\"TEXT\"],\"thinkingConfig\":{\"thinkingLevel\":\"HIGH\"}}}",
        "{\"names\":{\"format\":\"generationConfig.responseMimeType\",\"reasoning\":\"generationConfig."
        "thinkingConfig\"},\"stream\":false,\"messages\":[],\"format\":{\"type\":\"schema\",\"schema\":{\"type\":"
        "\"string\"}},\"reasoning\":{\"effort\":\"high\"}}",
        "");
}
END_TEST

START_TEST(test_lift_refuses_by_name)
{
    not_lifted("{\"contents\":[],\"cachedContent\":\"cachedContents/1\"}", "cachedContent");
    not_lifted("{\"contents\":[],\"brandNew\":1}", "brandNew");
    not_lifted("{\"contents\":[],\"generationConfig\":{\"speechConfig\":{}}}", "generationConfig.speechConfig");
    not_lifted("{\"contents\":[],\"generationConfig\":{\"responseMimeType\":\"text/x.enum\"}}",
               "generationConfig.responseMimeType");
    not_lifted("{\"contents\":[],\"generationConfig\":{\"responseModalities\":[\"IMAGE\"]}}",
               "generationConfig.responseModalities");
    not_lifted("{\"contents\":[{\"role\":\"robot\",\"parts\":[]}]}", "contents[0]");
    not_lifted("{\"contents\":[{\"parts\":[{\"functionResponse\":{}}]}]}", "contents[0].parts[0]");
    not_lifted(
        "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"willContinue\":true}}]}]}",
        "functionCall.willContinue");
    t.drop = true;
    lifts(GENERATE, "{\"contents\":[],\"cachedContent\":\"cachedContents/1\"}",
          "{\"names\":{},\"stream\":false,\"messages\":[]}", "cachedContent\n");
}
END_TEST

START_TEST(test_lift_embeddings)
{
#define NAMES "{\"names\":{\"dimensions\":\"outputDimensionality\",\"input_type\":\"taskType\"},"
    lifts("/v1beta/models/m:embedContent",
          "{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]},\"taskType\":"
          "\"RETRIEVAL_QUERY\",\"outputDimensionality\":8}",
          NAMES "\"input\":[\"ab\"],\"dimensions\":8,\"encoding\":\"float\",\"input_type\":\"query\"}", "");
    lifts("/v1beta/models/m:batchEmbedContents",
          "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}},{\"content\":{\"parts\":[{\"text\":\"b\"}]}}]}",
          NAMES "\"input\":[\"a\",\"b\"],\"encoding\":\"float\"}", "");
    ck_assert(post("/v1beta/models/m:batchEmbedContents",
                   "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"taskType\":\"CLUSTERING\"},"
                   "{\"content\":{\"parts\":[{\"text\":\"b\"}]}}]}"));
    ck_assert_ptr_null(weir_test_lift(&t, &e).ptr);
    ck_assert_str_eq(e.field, "requests.taskType");
}
END_TEST

/* ---- answer ---- */

static struct weir_test_buf said;

static void say(struct weir_event ev)
{
    ev.size = sizeof ev;
    ck_assert(weir_test_answer(&t, &ev));
    wt_add(&said, wt_view(&t.out));
}

static void say_text(enum weir_channel channel, uint32_t block, const char *text, bool last)
{
    say((struct weir_event){.channel = channel, .block = block, .text = str_of(text), .last = last});
}

static void begin_answer(const char *path)
{
    said.len = 0;
    ck_assert(post(path, "{\"contents\":[]}"));
    say((struct weir_event){.channel = WEIR_START, .detail = WEIR_STR("id1"), .value = WEIR_STR("gpt")});
}

static const struct weir_usage usage = {10, 4, -1, 20, 6, -1, -1};

/* A thought that another vendor signed, a text, a call in two pieces, one without arguments, usage after the end. */
static void say_all(void)
{
    say_text(WEIR_REASONING, 0, "hm", true);
    say((struct weir_event){
        .channel = WEIR_OPAQUE, .detail = WEIR_STR("EqQ="), .value = WEIR_STR("anthropic.signature")});
    say_text(WEIR_TEXT, 0, "a\"", false);
    say_text(WEIR_TEXT, 0, "b", true);
    say((struct weir_event){.channel = WEIR_ARGUMENTS,
                            .tool_id = WEIR_STR("c1"),
                            .tool_name = WEIR_STR("f"),
                            .text = WEIR_STR("{\"x\"\r\n")});
    say_text(WEIR_ARGUMENTS, 0, ":1}", true);
    say((struct weir_event){
        .channel = WEIR_ARGUMENTS, .block = 1, .tool_id = WEIR_STR("c2"), .tool_name = WEIR_STR("g"), .last = true});
    say((struct weir_event){
        .channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS, .detail = WEIR_STR("tool_calls")});
    say((struct weir_event){.channel = WEIR_USAGE, .usage = &usage});
    say((struct weir_event){.channel = WEIR_DONE_MARK});
}

#define TAIL       "\"modelVersion\":\"gpt\",\"responseId\":\"id1\"}"
#define PART(part) "{\"candidates\":[{\"content\":{\"parts\":[" part "],\"role\":\"model\"},\"index\":0}]," TAIL
#define USAGE                                                                                                          \
    "\"usageMetadata\":{\"promptTokenCount\":14,\"candidatesTokenCount\":20,\"totalTokenCount\":40,"                   \
    "\"cachedContentTokenCount\":4,\"thoughtsTokenCount\":6}"
#define CALL_1 "{\"functionCall\":{\"id\":\"c1\",\"name\":\"f\",\"args\":{\"x\"  :1}}}"
#define CALL_2 "{\"functionCall\":{\"id\":\"c2\",\"name\":\"g\",\"args\":{}}}"
#define SIGNED "{\"text\":\"\",\"thought\":true,\"thoughtSignature\":\"d2VpcjphbnRocm9waWMuc2lnbmF0dXJlOkVxUT0=\"}"
#define LAST                                                                                                           \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\","        \
    "\"index\":0}]," USAGE "," TAIL

#define RECORD(data) "data: " data "\r\n\r\n"
START_TEST(test_answer_stream)
{
    begin_answer(STREAM);
    say_all();
    weir_test_same(said, RECORD(PART("{\"text\":\"hm\",\"thought\":true}")) RECORD(PART(SIGNED))
                             RECORD(PART("{\"text\":\"a\\\"\"}")) RECORD(PART("{\"text\":\"b\"}")) RECORD(PART(CALL_1))
                                 RECORD(PART(CALL_2)) RECORD(LAST));
}
END_TEST

START_TEST(test_answer_stream_as_array)
{
    static const char thought[] = PART("{\"text\":\"hm\",\"thought\":true}");
    static const char first[] = PART("{\"text\":\"a\\\"\"}"), second[] = PART("{\"text\":\"b\"}");
    static const char signature[] = PART(SIGNED), call[] = PART(CALL_1), other[] = PART(CALL_2);
    char want[4096];

    begin_answer(ARRAY);
    say_all();
    snprintf(want, sizeof want, "[%s,\r\n%s,\r\n%s,\r\n%s,\r\n%s,\r\n%s,\r\n%s]", thought, signature, first, second,
             call, other, LAST);
    weir_test_same(said, want);
}
END_TEST

START_TEST(test_answer_whole)
{
    begin_answer(GENERATE);
    say_all();
    weir_test_same(said, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true}," SIGNED
                         ",{\"text\":\"a\\\"b\"}," CALL_1 "," CALL_2
                         "],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}]," USAGE "," TAIL);
}
END_TEST

/* Google's own signature, by way of another dialect, goes with the part that follows. */
START_TEST(test_bug_09_answer_puts_signature_on_its_part)
{
    static const char *const paths[] = {STREAM, ARRAY, GENERATE};

    for (size_t i = 0; i < 3; i++) {
        begin_answer(paths[i]);
        say((struct weir_event){
            .channel = WEIR_OPAQUE, .detail = WEIR_STR("AAEC"), .value = WEIR_STR("gemini.thought")});
        say((struct weir_event){.channel = WEIR_ARGUMENTS, .tool_name = WEIR_STR("f"), .last = true});
        say((struct weir_event){.channel = WEIR_DONE_MARK});
        ck_assert(memmem(said.ptr, said.len,
                         "{\"functionCall\":{\"name\":\"f\",\"args\":{}},\"thoughtSignature\":\"AAEC\"}", 65));
        ck_assert(i != 1 || said.ptr[0] == '[');
    }
}
END_TEST

START_TEST(test_answer_reasons)
{
    static const struct {
        enum weir_finish finish;
        const char *want;
    } rows[] = {
        {WEIR_FINISH_STOP, "STOP"},           {WEIR_FINISH_STOP_SEQUENCE, "STOP"}, {WEIR_FINISH_LENGTH, "MAX_TOKENS"},
        {WEIR_FINISH_CONTEXT, "MAX_TOKENS"},  {WEIR_FINISH_FILTERED, "SAFETY"},    {WEIR_FINISH_UNKNOWN, "STOP"},
        {WEIR_FINISH_PAUSED, "CONTINUATION"}, {WEIR_FINISH_FAILED, "OTHER"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char want[64];
        begin_answer(GENERATE);
        say((struct weir_event){.channel = WEIR_FINISH, .finish = rows[i].finish});
        say((struct weir_event){.channel = WEIR_DONE_MARK});
        snprintf(want, sizeof want, "\"parts\":[],\"role\":\"model\"},\"finishReason\":\"%s\"", rows[i].want);
        ck_assert_msg(memmem(said.ptr, said.len, want, strlen(want)) != NULL, "%.*s", (int)said.len, said.ptr);
    }
}
END_TEST

/* Two choices of a body, their pieces taking turns. */
START_TEST(test_answer_choices)
{
    begin_answer(GENERATE);
    for (uint32_t i = 0; i < 4; i++)
        say((struct weir_event){
            .channel = WEIR_TEXT, .choice = i % 2, .text = str_of(i < 2 ? "x" : "y"), .last = i > 1});
    for (uint32_t i = 0; i < 2; i++)
        say((struct weir_event){.channel = WEIR_FINISH, .choice = i, .finish = WEIR_FINISH_STOP});
    say((struct weir_event){.channel = WEIR_DONE_MARK});
    weir_test_same(said,
                   "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"xy\"}],\"role\":\"model\"},\"finishReason\":"
                   "\"STOP\",\"index\":0},{\"content\":{\"parts\":[{\"text\":\"xy\"}],\"role\":\"model\"},"
                   "\"finishReason\":\"STOP\",\"index\":1}]," TAIL);
}
END_TEST

START_TEST(test_answer_refuses_arguments_that_are_no_object)
{
    struct weir_event ev = {.size = sizeof ev,
                            .channel = WEIR_ARGUMENTS,
                            .tool_name = WEIR_STR("f"),
                            .text = WEIR_STR("{\"x\":"),
                            .last = true};

    begin_answer(STREAM);
    ck_assert(!weir_test_answer(&t, &ev));
    ev.text = WEIR_STR("[1]");
    ck_assert(!weir_test_answer(&t, &ev));
}
END_TEST

START_TEST(test_answer_embeddings)
{
    said.len = 0;
    ck_assert(post("/v1beta/models/m:batchEmbedContents", "{\"requests\":[]}"));
    say((struct weir_event){.channel = WEIR_START});
    say((struct weir_event){.channel = WEIR_VECTOR, .choice = 0, .text = WEIR_STR("[0.5,"), .raw = true});
    say((struct weir_event){.channel = WEIR_VECTOR, .choice = 0, .text = WEIR_STR("1e-3]"), .raw = true, .last = true});
    say((struct weir_event){.channel = WEIR_VECTOR, .choice = 1, .text = WEIR_STR("[2]"), .raw = true, .last = true});
    say((struct weir_event){.channel = WEIR_DONE_MARK});
    weir_test_same(said, "{\"embeddings\":[{\"values\":[0.5,1e-3]},{\"values\":[2]}]}");
    said.len = 0;
    ck_assert(post("/v1beta/models/m:embedContent", "{\"content\":{}}"));
    say((struct weir_event){.channel = WEIR_START});
    say((struct weir_event){.channel = WEIR_VECTOR, .text = WEIR_STR("[2]"), .raw = true, .last = true});
    say((struct weir_event){.channel = WEIR_DONE_MARK});
    weir_test_same(said, "{\"embedding\":{\"values\":[2]}}");
}
END_TEST

/* ---- errors and lists ---- */

START_TEST(test_refuse)
{
    struct weir_refusal f = {400, "invalid_type", "No \"x\".", "contents", false};

    ck_assert(post(STREAM, "{\"contents\":[]}"));
    weir_test_refuse(&t, &f);
    weir_test_same(t.out, "{\"error\":{\"code\":400,\"message\":\"No \\\"x\\\".\",\"status\":\"INVALID_ARGUMENT\","
                          "\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"
                          "\"INVALID_TYPE\",\"domain\":\"weir\"},{\"@type\":\"type.googleapis.com/google.rpc."
                          "BadRequest\",\"fieldViolations\":[{\"field\":\"contents\",\"description\":\"No \\\"x\\\".\"}"
                          "]}]}}");
    f = (struct weir_refusal){529, "", "Later.", "", true};
    weir_test_refuse(&t, &f);
    weir_test_same(t.out, "data: {\"error\":{\"code\":503,\"message\":\"Later.\",\"status\":\"UNAVAILABLE\","
                          "\"details\":[]}}\r\n\r\n");
    begin_answer(ARRAY);
    say_text(WEIR_TEXT, 0, "a", false);
    weir_test_refuse(&t, &f);
    weir_test_same(t.out, ",\r\n{\"error\":{\"code\":503,\"message\":\"Later.\",\"status\":\"UNAVAILABLE\","
                          "\"details\":[]}}]");
}
END_TEST

START_TEST(test_list)
{
    struct weir_model models[] = {{WEIR_STR("openai/gpt"), WEIR_STR("openai"), 1}, {WEIR_STR("m"), WEIR_STR("g"), 2}};

    ck_assert(weir_test_accept(&t, "GET", "/v1beta/models", NULL, &e));
    weir_test_list(&t, models, 2);
    weir_test_same(t.out, "{\"models\":[{\"name\":\"models/openai/gpt\",\"displayName\":\"openai/gpt\"},"
                          "{\"name\":\"models/m\",\"displayName\":\"m\"}]}");
    ck_assert(weir_test_accept(&t, "GET", "/v1beta/models/m", NULL, &e));
    weir_test_list(&t, models + 1, 1);
    weir_test_same(t.out, "{\"name\":\"models/m\",\"displayName\":\"m\"}");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("gemini");
    TCase *c = tcase_create("gemini");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_accept_reads_path_and_limits);
    tcase_add_test(c, test_accept_refuses_what_is_not_clear);
    tcase_add_test(c, test_accept_spans_of_every_text);
    tcase_add_test(c, test_lift_a_question);
    tcase_add_test(c, test_lift_media);
    tcase_add_test(c, test_lift_calls_and_results);
    tcase_add_test(c, test_lift_makes_the_same_ids_for_the_same_history);
    tcase_add_test(c, test_bug_09_lift_keeps_signatures);
    tcase_add_test(c, test_lift_tools);
    tcase_add_test(c, test_lift_format);
    tcase_add_test(c, test_lift_refuses_by_name);
    tcase_add_test(c, test_lift_embeddings);
    tcase_add_test(c, test_answer_stream);
    tcase_add_test(c, test_answer_stream_as_array);
    tcase_add_test(c, test_answer_whole);
    tcase_add_test(c, test_bug_09_answer_puts_signature_on_its_part);
    tcase_add_test(c, test_answer_reasons);
    tcase_add_test(c, test_answer_choices);
    tcase_add_test(c, test_answer_refuses_arguments_that_are_no_object);
    tcase_add_test(c, test_answer_embeddings);
    tcase_add_test(c, test_refuse);
    tcase_add_test(c, test_list);
    suite_add_tcase(s, c);
    return s;
}
