/* SPDX-License-Identifier: Apache-2.0 */
/* openai_family_test.c -- servers that speak like OpenAI and are not: Mistral, Azure, and what others do otherwise. */
#include "openai_kit.h"
#include "unit.h"

/* As the row of share/presets.conf; tests/integration/openai_family.py has it from there. */
#define MISTRAL                                                                                                        \
    "url = \"https://api.mistral.ai/v1\"; include_usage = false; max_tokens_field = max_tokens; seed_field = "         \
    "random_seed; call_id_length = 9; parts = mistral; reasoning = prompt_mode; reasoning_field = thinking; takes = [" \
    " safe_prompt, guardrails, prediction, prefix ]; lacks = [ logprobs, logit_bias, user, service_tier, verbosity, "  \
    "name, custom_tools, allowed_tools ]"

static bool encodes(const char *options, const char *model, const char *canonical)
{
    struct weir_candidate to = weir_test_candidate("p", model);
    char whole[8192];

    begin(options);
    weir_test_body(&t, "{}");
    t.request.kind = WEIR_CHAT;
    snprintf(whole, sizeof whole, "{%s}", canonical);
    weir_test_canonical(&t, whole);
    return weir_test_encode(&t, &to, &e) == WEIR_PASS;
}

static void body_is(const char *options, const char *model, const char *canonical, const char *want, const char *lossy)
{
    char whole[8192];

    ck_assert_msg(encodes(options, model, canonical), "%s", e.text);
    snprintf(whole, sizeof whole, "{\"model\":\"%s\",%s}", model, want);
    weir_test_same(t.http_body, whole);
    weir_test_same(t.lossy, lossy);
    weir_test_fini(&t);
}

static void refused(const char *options, const char *canonical, const char *field)
{
    ck_assert(!encodes(options, "m", canonical));
    ck_assert_str_eq(e.field, field);
    weir_test_fini(&t);
}

static void stream_of(const char *options, const char *sse, const char *want)
{
    ask_of(options, true, WEIR_CHAT);
    ck_assert_msg(weir_test_decode_stream(&t, sse, &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_fini(&t);
}

static void body_of(const char *options, int status, const char *body, const char *want)
{
    ask_of(options, false, WEIR_CHAT);
    ck_assert_msg(weir_test_decode_body(&t, status, body, &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_fini(&t);
}

/* ---- Mistral: requests ---- */

START_TEST(test_mistral_names_of_members)
{
    body_is(MISTRAL, "m",
            "\"stream\":true,\"messages\":[" USER "],\"max_output\":9,\"seed\":7,\"n\":2,\"metadata\":{\"k\":\"v\"},"
            "\"cache_key\":\"c\",\"extra\":{\"safe_prompt\":true,\"guardrails\":[{\"a\":1}],\"prediction\":{\"type\":"
            "\"content\",\"content\":\"x\"}}",
            "\"messages\":[" SAID "],\"max_tokens\":9,\"random_seed\":7,\"n\":2,\"metadata\":{\"k\":\"v\"},"
            "\"prompt_cache_key\":\"c\",\"safe_prompt\":true,\"guardrails\":[{\"a\":1}],\"prediction\":{\"type\":"
            "\"content\",\"content\":\"x\"},\"stream\":true",
            "");
}
END_TEST

/* It answers 422 to what it does not know: hints are left out and told, the rest is refused here. */
START_TEST(test_mistral_members_it_lacks)
{
    body_is(MISTRAL, "m",
            "\"messages\":[{\"role\":\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]}],"
            "\"logit_bias\":{\"1\":2},\"verbosity\":\"low\",\"service_tier\":\"flex\",\"user\":\"u\"",
            "\"messages\":[" SAID "]",
            "messages.name (hint)\nlogit_bias (hint)\nverbosity (hint)\nservice_tier (hint)\nuser (hint)\n");
    refused(MISTRAL, "\"names\":{\"logprobs\":\"top_logprobs\"},\"messages\":[],\"logprobs\":3", "top_logprobs");
    refused(MISTRAL, "\"messages\":[],\"tools\":[{\"name\":\"f\",\"custom\":{},\"at\":\"tools[0]\"}]", "tools[0]");
    refused(VENDOR, "\"messages\":[],\"extra\":{\"safe_prompt\":true}", "safe_prompt");
    refused(VENDOR,
            "\"messages\":[{\"role\":\"assistant\",\"prefix\":true,\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}]",
            "messages.prefix");
}
END_TEST

START_TEST(test_mistral_prefix)
{
    body_is(MISTRAL, "m",
            "\"messages\":[" USER
            ",{\"role\":\"assistant\",\"prefix\":true,\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}],"
            "\"extra\":{\"messages[1].prefix\":true}",
            "\"messages\":[" SAID ",{\"role\":\"assistant\",\"content\":\"x\",\"prefix\":true}]", "");
}
END_TEST

START_TEST(test_mistral_parts)
{
    body_is(
        MISTRAL, "m",
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"data\":\"QQ==\",\"media_type\":\"image/"
        "png\","
        "\"at\":\"x\"},{\"type\":\"image\",\"url\":\"https://h/"
        "i\",\"detail\":\"low\",\"at\":\"x\"},{\"type\":\"document\","
        "\"url\":\"https://h/d\",\"name\":\"d\",\"at\":\"x\"},{\"type\":\"document\",\"data\":\"QQ==\",\"media_type\":"
        "\"application/pdf\",\"at\":\"x\"},{\"type\":\"audio\",\"data\":\"QQ==\",\"format\":\"mp3\",\"at\":\"x\"}]}]",
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,"
        "QQ==\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://h/i\",\"detail\":\"low\"}},{\"type\":"
        "\"document_url\",\"document_url\":\"https://h/d\",\"document_name\":\"d\"},{\"type\":\"document_url\","
        "\"document_url\":\"data:application/pdf;base64,QQ==\"},{\"type\":\"input_audio\",\"input_audio\":\"QQ==\"}]}]",
        "");
}
END_TEST

START_TEST(test_mistral_thinking_goes_back)
{
    body_is(
        MISTRAL, "m",
        "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"hm\"},{\"type\":"
        "\"text\","
        "\"text\":\"a\"},{\"type\":\"call\",\"id\":\"abcdefghi\",\"name\":\"f\",\"arguments\":\"\",\"at\":\"x\"}]}]",
        "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
        "\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":\"a\"}],\"tool_calls\":[{\"id\":\"abcdefghi\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]",
        "");
    /* a refusal is text, for there is no member for it; another issuer's reasoning stays away */
    body_is(
        MISTRAL, "m",
        "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"x\",\"opaque\":\"S\","
        "\"kind\":\"anthropic.signature\"},{\"type\":\"refusal\",\"text\":\"no\"}]}]",
        "\"messages\":[{\"role\":\"assistant\",\"content\":\"no\"}]", "");
}
END_TEST

START_TEST(test_mistral_reasoning_asked_for)
{
    static const struct {
        const char *model, *reasoning, *want, *lossy;
    } rows[] = {
        {"mistral-small", "\"effort\":\"high\"", ",\"reasoning_effort\":\"high\"", ""},
        {"mistral-small", "\"effort\":\"max\"", ",\"reasoning_effort\":\"xhigh\"", ""},
        {"mistral-small", "\"budget\":0", ",\"reasoning_effort\":\"none\"", ""},
        {"mistral-small", "\"adaptive\":true", ",\"prompt_mode\":\"reasoning\"", ""},
        {"magistral-medium", "\"effort\":\"low\"", ",\"prompt_mode\":\"reasoning\"", ""},
        {"magistral-medium", "\"effort\":\"none\"", "", "reasoning (hint)\n"},
    };
    char canonical[128], want[128];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(canonical, sizeof canonical, "\"messages\":[],\"reasoning\":{%s}", rows[i].reasoning);
        snprintf(want, sizeof want, "\"messages\":[]%s", rows[i].want);
        body_is(MISTRAL, rows[i].model, canonical, want, rows[i].lossy);
    }
}
END_TEST

START_TEST(test_mistral_tools)
{
#define TWO                                                                                                            \
    "\"tools\":[{\"name\":\"f\",\"at\":\"x\"},{\"name\":\"g\",\"schema\":{\"a\":1},\"strict\":true,\"at\":\"x\"}]"
#define F "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}"
#define G "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{\"a\":1},\"strict\":true}}"
    body_is(MISTRAL, "m", TWO ",\"messages\":[],\"tool_choice\":{\"mode\":\"required\"},\"parallel_tools\":false",
            "\"tools\":[" F "," G "],\"messages\":[],\"tool_choice\":\"required\",\"parallel_tool_calls\":false", "");
    body_is(MISTRAL, "m", TWO ",\"messages\":[],\"tool_choice\":{\"mode\":\"named\",\"name\":\"g\"}",
            "\"tools\":[" F "," G
            "],\"messages\":[],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}",
            "");
    body_is(MISTRAL, "m",
            TWO ",\"messages\":[],\"tool_choice\":{\"mode\":\"allowed\",\"names\":[\"g\"],\"required\":true}",
            "\"tools\":[" G "],\"messages\":[],\"tool_choice\":\"required\"", "");
    /* what a custom tool was given earlier is a function's argument */
    body_is(
        MISTRAL, "m",
        "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"abcdefghi\",\"name\":\"sh\","
        "\"custom\":true,\"input\":\"say \\\"hi\\\"\",\"at\":\"x\"}]}]",
        "\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"abcdefghi\",\"type\":"
        "\"function\",\"function\":{\"name\":\"sh\",\"arguments\":\"{\\\"input\\\":\\\"say "
        "\\\\\\\"hi\\\\\\\"\\\"}\"}}]}]",
        "");
}
END_TEST

/* A picture that a tool gave stays in the tool's message: no user may speak between a result and the assistant. */
START_TEST(test_mistral_results_hold_pictures)
{
    body_is(MISTRAL, "m",
            "\"messages\":[{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"abcdefghi\",\"content\":[{"
            "\"type\":"
            "\"image\",\"url\":\"https://h/i\",\"at\":\"x\"}],\"at\":\"x\"}]}]",
            "\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"abcdefghi\",\"content\":[{\"type\":\"image_url\","
            "\"image_url\":\"https://h/i\"}]}]",
            "");
}
END_TEST

/* ---- ids of calls ---- */

#define CALL(id)   "{\"type\":\"call\",\"id\":\"" id "\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"x\"}"
#define RESULT(id) "{\"type\":\"result\",\"id\":\"" id "\",\"content\":[],\"at\":\"x\"}"

/* The ids in the body, in their order; how many. */
static size_t ids_in_body(char ids[][48], size_t most)
{
    char *body = strndup(t.http_body.ptr, t.http_body.len); /* which does not end by 0 */
    const char *p = body;
    size_t n = 0;

    while ((p = strstr(p, "id\":\"")) && n < most) {
        size_t len = strcspn(p += 5, "\"");
        snprintf(ids[n++], 48, "%.*s", (int)len, p);
    }
    free(body);
    return n;
}

static size_t ids_of(const char *options, const char *calls, const char *results, char ids[][48])
{
    char canonical[2048];
    size_t n;

    snprintf(canonical, sizeof canonical,
             "\"messages\":[{\"role\":\"assistant\",\"content\":[%s]},{\"role\":\"tool\",\"content\":[%s]}]", calls,
             results);
    ck_assert(encodes(options, "m", canonical));
    n = ids_in_body(ids, 8);
    weir_test_fini(&t);
    return n;
}

START_TEST(test_ids_have_nine_letters_and_digits)
{
    char ids[8][48], again[8][48];

    ck_assert_uint_eq(ids_of(MISTRAL, CALL("call_aVeryLongIdOfOpenAIs") "," CALL("toolu_01") "," CALL("AbC123xyz"),
                             RESULT("toolu_01") "," RESULT("AbC123xyz") "," RESULT("call_aVeryLongIdOfOpenAIs"), ids),
                      6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(strlen(ids[i]), 9);
        ck_assert_uint_eq(strspn(ids[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 9);
    }
    ck_assert_str_eq(ids[2], "AbC123xyz");
    ck_assert_str_ne(ids[0], ids[1]);
    ck_assert_str_eq(ids[3], ids[1]);
    ck_assert_str_eq(ids[4], ids[2]);
    ck_assert_str_eq(ids[5], ids[0]);
    /* the same in every request */
    ck_assert_uint_eq(ids_of(MISTRAL, CALL("call_aVeryLongIdOfOpenAIs"), "", again), 1);
    ck_assert_str_eq(again[0], ids[0]);
}
END_TEST

/* A later id that looks like what was made of an earlier one gets another; the earlier one stays as it was. */
START_TEST(test_ids_never_meet)
{
    char ids[8][48], made[48], calls[512], results[512];

    ck_assert_uint_eq(ids_of(MISTRAL, CALL("toolu_01"), "", ids), 1);
    memcpy(made, ids[0], sizeof made);
    snprintf(calls, sizeof calls, CALL("toolu_01") "," CALL("%s"), made);
    snprintf(results, sizeof results, RESULT("%s") "," RESULT("toolu_01"), made);
    ck_assert_uint_eq(ids_of(MISTRAL, calls, results, ids), 4);
    ck_assert_str_eq(ids[0], made);
    ck_assert_str_ne(ids[1], made);
    ck_assert_uint_eq(strlen(ids[1]), 9);
    ck_assert_str_eq(ids[2], ids[1]);
    ck_assert_str_eq(ids[3], ids[0]);
}
END_TEST

/* The table grows, and finds all of them again. */
START_TEST(test_ids_are_many)
{
    static char canonical[65536], ids[1000][48];
    struct weir_candidate to = weir_test_candidate("p", "m");
    size_t n = 0;

    n += (size_t)snprintf(canonical, sizeof canonical, "{\"messages\":[{\"role\":\"assistant\",\"content\":[");
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(canonical + n, sizeof canonical - n,
                              "%s{\"type\":\"call\",\"id\":\"toolu_%d\",\"name\":\"f\",\"at\":\"x\"}", i ? "," : "", i);
    n += (size_t)snprintf(canonical + n, sizeof canonical - n, "]},{\"role\":\"tool\",\"content\":[");
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(canonical + n, sizeof canonical - n, "%s{\"type\":\"result\",\"id\":\"toolu_%d\"}",
                              i ? "," : "", i);
    snprintf(canonical + n, sizeof canonical - n, "]}]}");
    begin(MISTRAL);
    weir_test_body(&t, "{}");
    t.request.kind = WEIR_CHAT;
    weir_test_canonical(&t, canonical);
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    ck_assert_uint_eq(ids_in_body(ids, 1000), 1000);
    for (size_t i = 0; i < 500; i++) {
        ck_assert_str_eq(ids[i], ids[500 + i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(ids[i], ids[k]);
    }
    weir_test_fini(&t);
}
END_TEST

/* ---- Mistral: answers ---- */

START_TEST(test_mistral_thinking_is_reasoning)
{
    stream_of(
        MISTRAL,
        CHUNK("\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":"
              "\"h\"}]}]") CHUNK("\"content\":[{\"type\":\"text\",\"text\":\"a\"}]") CHUNK("\"content\":\"b\"")
            FINISH("\"stop\"") DONE,
        START
        "reasoning 0 2 h\ntext 0 0 a\ntext 0 0 b\nreasoning 0 2 last\ntext 0 0 last\nfinish 0 0 =1 stop\ndone 0 0\n");
}
END_TEST

/* The call whole, in the record that ends, without index and type; usage beside it. */
START_TEST(test_mistral_call_in_one_record)
{
    stream_of(
        MISTRAL,
        CHUNK("\"role\":\"assistant\",\"content\":\"\"") "data: "
                                                         "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,"
                                                         "\"delta\":{\"content\":\"\",\"tool_calls\":[{"
                                                         "\"id\":\"gSIMJiOkT\",\"function\":{\"name\":\"f\","
                                                         "\"arguments\":\"{}\"}},{\"id\":\"hSIMJiOkT\",\"function\":{"
                                                         "\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":"
                                                         "\"tool_calls\"}],\"usage\":{\"prompt_tokens\":4,"
                                                         "\"completion_tokens\":2,\"total_tokens\":6}}\n\n" DONE,
        START "arguments 0 0 last gSIMJiOkT/f {}\narguments 0 1 last hSIMJiOkT/f {}\nfinish 0 0 =5 tool_calls\n"
              "usage 0 0\ndone 0 0\n");
}
END_TEST

START_TEST(test_mistral_errors)
{
    body_of(MISTRAL, 422,
            "{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"Extra inputs are not "
            "permitted\",\"type\":\"extra_forbidden\"}]}",
            "error 0 0 422 body.seed: Extra inputs are not permitted\n");
    body_of(MISTRAL, 422,
            "{\"object\":\"error\",\"message\":{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"bad\"}]},\"type\":\"invalid_"
            "request_error\","
            "\"param\":null,\"code\":null}",
            "error 0 0 422 body: bad invalid_request_error\n");
    body_of(MISTRAL, 401, "{\"detail\":\"Unauthorized\"}", "error 0 0 401 Unauthorized\n");
    body_of(MISTRAL, 400,
            "{\"object\":\"error\",\"message\":\"no\",\"type\":\"invalid_request_error\",\"code\":\"3230\"}",
            "error 0 0 400 no 3230\n");
}
END_TEST

/* ---- Azure ---- */

static void target_is(const char *options, const char *model, const char *want)
{
    struct weir_candidate to = weir_test_candidate("p", model);

    begin(options);
    ck_assert(weir_test_accept(&t, "POST", "/v1/chat/completions", "{\"model\":\"gpt\",\"messages\":[]}", &e));
    if (want) {
        weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
        weir_test_same(t.http_url, want);
    } else {
        weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    }
    weir_test_fini(&t);
}

START_TEST(test_azure_targets)
{
#define CLASSIC "url = \"https://n.openai.azure.com\"; auth = api-key; key = K; api_version = \"2024-10-21\""
    target_is("url = \"https://n.openai.azure.com/openai/v1\"; auth = api-key; key = K", "dep",
              "https://n.openai.azure.com/openai/v1/chat/completions");
    target_is(CLASSIC, "dep",
              "https://n.openai.azure.com/openai/deployments/dep/chat/completions?api-version=2024-10-21");
    target_is(
        CLASSIC, "a/../b?c d",
        "https://n.openai.azure.com/openai/deployments/a%2F..%2Fb%3Fc%20d/chat/completions?api-version=2024-10-21");
    target_is(CLASSIC, "..", NULL);
    target_is(CLASSIC, ".", NULL);
}
END_TEST

START_TEST(test_azure_credential)
{
    struct weir_candidate to = weir_test_candidate("p", "dep");

    begin(CLASSIC);
    ck_assert(weir_test_accept(&t, "POST", "/v1/embeddings", "{\"model\":\"gpt\",\"input\":\"a\"}", &e));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_url, "https://n.openai.azure.com/openai/deployments/dep/embeddings?api-version=2024-10-21");
    weir_test_same(weir_test_http_header(&t, "api-key"), "K");
    weir_test_same(weir_test_http_header(&t, "authorization"), "");
    weir_test_same(weir_test_sent(&t), "{\"model\":\"dep\",\"input\":\"a\"}");
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_azure_filters)
{
    /* a prompt that was stopped, an answer that was */
    body_of(
        CLASSIC, 400,
        "{\"error\":{\"message\":\"The response was "
        "filtered\",\"type\":null,\"param\":\"prompt\",\"code\":\"content_filter\","
        "\"status\":400,\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\",\"content_filter_result\":{\"hate\":{"
        "\"filtered\":true,\"severity\":\"high\"}}}}}",
        "error 0 0 400 The response was filtered content_filter\n");
    stream_of(
        CLASSIC,
        "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":[{"
        "\"prompt_index\":0,\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":\"safe\"}}}]}"
        "\n\n" CHUNK("\"content\":\"a\"") "data: "
                                          "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"content_filter_"
                                          "offsets\":{\"check_offset\":1},"
                                          "\"content_filter_results\":{},\"finish_reason\":null}]}\n\n" FINISH(
                                              "\"content_filter\"") DONE,
        START "text 0 0 a\ntext 0 0 last\nfinish 0 0 =6 content_filter\ndone 0 0\n");
    body_of(CLASSIC, 404, "{\"error\":{\"code\":\"404\",\"message\":\"Resource not found\"}}",
            "error 0 0 404 Resource not found 404\n");
}
END_TEST

/* ---- what others do otherwise ---- */

/* The end mark is an end too: clients of other dialects are told of one, and a tool call counts. */
START_TEST(test_bug_33_no_finish_but_the_end_mark)
{
    stream_of(VENDOR, CHUNK("\"content\":\"a\"") FINISH("null") FINISH("\"\"") DONE,
              START "text 0 0 a\ntext 0 0 last\nfinish 0 0 =1\ndone 0 0\n");
    stream_of(VENDOR, CHUNK("\"tool_calls\":[{\"id\":\"i\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]") DONE,
              START "arguments 0 0 i/f {}\narguments 0 0 last\nfinish 0 0 =5\ndone 0 0\n");
    stream_of(VENDOR, CHUNK("\"role\":\"assistant\"") DONE, START "finish 0 0 =1\ndone 0 0\n");
    body_of(VENDOR, 200,
            "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":null}]}",
            START "text 0 0 last a\nfinish 0 0 =1\n");
}
END_TEST

/* ... but the end of the bytes is none, and nothing ends well behind an error. */
START_TEST(test_bug_21_bug_22_no_end_is_invented)
{
    stream_of(VENDOR, CHUNK("\"content\":\"a\"") FINISH("null"), START "text 0 0 a\n");
    stream_of(VENDOR,
              CHUNK("\"content\":\"a\"") "data: {\"id\":\"c1\",\"error\":{\"code\":502,\"message\":\"p\"}}\n\n" DONE,
              START "text 0 0 a\nerror 0 0 502 p\ntext 0 0 last\ndone 0 0\n");
}
END_TEST

/* Every call numbered 0: another id with a name is another call, and what has neither belongs to the newest. */
START_TEST(test_bug_01_all_calls_numbered_alike)
{
    stream_of(VENDOR,
              CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]")
                  CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]") CHUNK(
                      "\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"[\"}}]")
                      CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"]\"}}]")
                          CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"z\",\"function\":{\"arguments\":\" \"}}]"),
              START "arguments 0 0 a/f {\narguments 0 0 }\narguments 0 1 b/f [\narguments 0 1 ]\narguments 0 1 z/  \n");
}
END_TEST

/* Neither id nor number: the name again goes on with the call while its arguments are not complete. */
START_TEST(test_calls_by_their_names)
{
    stream_of(VENDOR,
              CHUNK("\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]")
                  CHUNK("\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"}\\\\\\\"\"}}]")
                      CHUNK("\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"}\"}}]")
                          CHUNK("\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"),
              START "arguments 0 0 /f\narguments 0 0 /f {\"a\":\"}\\\"\narguments 0 0 /f {\"}\narguments 0 1 /f {}\n");
}
END_TEST

START_TEST(test_numbers_written_as_floats)
{
    stream_of(
        VENDOR,
        "data: "
        "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":1.0,\"delta\":{\"tool_calls\":[{\"index\":2.0,\"id\":"
        "\"i\",\"function\":{\"name\":\"f\",\"arguments\":{\"k\":1}}}]}}]}\n\n",
        START "arguments 1 2 raw i/f {\"k\":1}\n");
    ask_of(VENDOR, true, WEIR_CHAT);
    ck_assert(!weir_test_decode_stream(&t, "data: {\"id\":\"c\",\"choices\":[{\"index\":0.5,\"delta\":{}}]}\n\n", &e));
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_bug_04_choices_that_are_none)
{
    stream_of(VENDOR,
              "data: {\"id\":\"c1\",\"model\":\"m1\",\"choices\":null}\n\ndata: {\"id\":\"c1\",\"model\":\"m1\"}\n\n"
              "data: {\"id\":\"c1\",\"model\":\"m1\",\"choices\":[null,7]}\n\n" CHUNK("\"content\":\"a\""),
              START "text 0 0 a\n");
}
END_TEST

/* Partition: cached tokens are counted once, whatever the vendor calls them; the last word counts. */
START_TEST(test_bug_13_cached_tokens_once)
{
    static const struct {
        const char *usage;
        int64_t input, read, output, reasoning;
    } rows[] = {
        {"\"prompt_tokens\":100,\"completion_tokens\":9,\"prompt_cache_hit_tokens\":64,\"prompt_cache_miss_tokens\":36",
         36, 64, 9, -1}, /* DeepSeek */
        {"\"prompt_tokens\":171,\"completion_tokens\":14,\"prompt_tokens_details\":{\"cached_tokens\":128}", 43, 128,
         14, -1}, /* Mistral */
        {"\"prompt_tokens\":171,\"completion_tokens\":14,\"num_cached_tokens\":128", 43, 128, 14, -1},
        {"\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":22,\"completion_tokens_details\":{\"reasoning_"
         "tokens\":7}",
         10, -1, 5, 7}, /* xAI leaves reasoning out */
        {"\"prompt_tokens\":10,\"completion_tokens\":12,\"total_tokens\":22,\"completion_tokens_details\":{\"reasoning_"
         "tokens\":"
         "7}",
         10, -1, 5, 7},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[512];
        const struct weir_usage *u = NULL;
        snprintf(body, sizeof body,
                 "{\"id\":\"c1\",\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],"
                 "\"usage\":{%s}}",
                 rows[i].usage);
        ask_of(VENDOR, false, WEIR_CHAT);
        ck_assert(weir_test_decode_body(&t, 200, body, &e));
        for (size_t n = 0; n < weir_test_event_count(&t); n++)
            if (weir_test_event(&t, n)->event.channel == WEIR_USAGE)
                u = weir_test_event(&t, n)->event.usage;
        ck_assert(u != NULL);
        ck_assert_int_eq(u->input, rows[i].input);
        ck_assert_int_eq(u->cache_read, rows[i].read);
        ck_assert_int_eq(u->output, rows[i].output);
        ck_assert_int_eq(u->reasoning, rows[i].reasoning);
        weir_test_fini(&t);
    }
}
END_TEST

/* DeepSeek and Moonshot want what they thought back, within the turn that calls tools and before. */
START_TEST(test_bug_29_reasoning_is_handed_back)
{
    body_is(
        "url = \"https://api.deepseek.com/v1\"; reasoning = thinking; reasoning_field = reasoning_content", "m",
        "\"messages\":[" USER
        ",{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"hm\"},{\"type\":"
        "\"call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"x\"}]},{\"role\":\"tool\",\"content\":"
        "[" RESULT("c") "]}],\"reasoning\":{\"effort\":\"high\"}",
        "\"messages\":[" SAID ",{\"role\":\"assistant\",\"reasoning_content\":\"hm\",\"content\":null,\"tool_calls\":[{"
        "\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\","
        "\"tool_call_id\":\"c\",\"content\":\"\"}],\"thinking\":{\"type\":\"enabled\"},\"reasoning_effort\":\"high\"",
        "");
}
END_TEST

/* Never made to go away so that the tools may stay: GPT-5.4 to 5.6 take both through /responses only. */
START_TEST(test_bug_35_effort_beside_tools_stays)
{
    struct weir_candidate to = weir_test_candidate("p", "gpt-5.5");

    body_is(OURS, "gpt-5.5",
            "\"tools\":[{\"name\":\"g\",\"at\":\"x\"}],\"messages\":[],\"reasoning\":{\"effort\":\"low\"}",
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}],\"messages\":[],\"reasoning_effort\":"
            "\"low\"",
            "");
    begin(OURS);
    ck_assert(weir_test_accept(&t, "POST", "/v1/chat/completions",
                               "{\"model\":\"gpt-5.5\",\"tools\":[],\"messages\":[],\"reasoning_effort\":\"low\"}",
                               &e));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t),
                   "{\"model\":\"gpt-5.5\",\"tools\":[],\"messages\":[],\"reasoning_effort\":\"low\"}");
    weir_test_fini(&t);
}
END_TEST

/* ---- reasoning between tags ---- */

#define TAGS VENDOR "; think = tags"

/* The texts of a whole answer, however it was cut. */
static void think_is(const char *options, const char *text, const char *reasoning, const char *rest)
{
    size_t len = strlen(text);

    for (size_t cut = 1; cut <= len; cut++) {
        char sse[8192], got[2][512] = {"", ""};
        size_t n = 0;
        for (size_t i = 0; i < len; i += cut)
            n += (size_t)snprintf(
                sse + n, sizeof sse - n,
                "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%.*s\"}}]}\n\n", (int)cut,
                text + i);
        snprintf(sse + n, sizeof sse - n, "%s%s", FINISH("\"stop\""), DONE);
        ask_of(options, true, WEIR_CHAT);
        ck_assert(weir_test_decode_stream(&t, sse, &e));
        for (size_t i = 0; i < weir_test_event_count(&t); i++) {
            const struct weir_test_event *x = weir_test_event(&t, i);
            if (x->event.channel == WEIR_TEXT || x->event.channel == WEIR_REASONING)
                strncat(got[x->event.channel == WEIR_TEXT], x->text.ptr ? x->text.ptr : "", x->text.len);
        }
        ck_assert_str_eq(got[0], reasoning);
        ck_assert_str_eq(got[1], rest);
        weir_test_fini(&t);
        if (cut > 9 && cut + 1 < len)
            cut = len - 1;
    }
}

START_TEST(test_bug_34_reasoning_between_tags)
{
    think_is(TAGS, "<think>hm</think>yes", "hm", "yes");
    think_is(TAGS, " <think> hm </think>  yes </think>", "hm ", "yes </think>");
    think_is(TAGS, "<think>a</thi</think>b", "a</thi", "b");
    think_is(TAGS, "<think>a</th", "a</th", "");
    think_is(TAGS, "<think></think>yes", "", "yes");
    think_is(TAGS, "<thin", "", "<thin");
    think_is(TAGS, " <thi no", "", " <thi no");
    think_is(TAGS, "yes <think>a</think>", "", "yes <think>a</think>");
    think_is(VENDOR, "<think>hm</think>yes", "", "<think>hm</think>yes");
    think_is(VENDOR "; think = begun", "hm</think>yes", "hm", "yes");
    body_of(TAGS, 200,
            "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"message\":{\"content\":\"<think>\\u0068\\n</"
            "think>\\n\\ny\\\"\"},"
            "\"finish_reason\":\"stop\"},{\"message\":{\"content\":\"<th\"},\"finish_reason\":\"stop\"}]}",
            START
            "reasoning 0 5 last h\n\ntext 0 0 last y\"\nfinish 0 0 =1 stop\ntext 1 0 last <th\nfinish 1 0 =1 stop\n");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("openai_family");
    TCase *c = tcase_create("openai_family");

    tcase_set_timeout(c, 30);
    tcase_add_test(c, test_mistral_names_of_members);
    tcase_add_test(c, test_mistral_members_it_lacks);
    tcase_add_test(c, test_mistral_prefix);
    tcase_add_test(c, test_mistral_parts);
    tcase_add_test(c, test_mistral_thinking_goes_back);
    tcase_add_test(c, test_mistral_reasoning_asked_for);
    tcase_add_test(c, test_mistral_tools);
    tcase_add_test(c, test_mistral_results_hold_pictures);
    tcase_add_test(c, test_ids_have_nine_letters_and_digits);
    tcase_add_test(c, test_ids_never_meet);
    tcase_add_test(c, test_ids_are_many);
    tcase_add_test(c, test_mistral_thinking_is_reasoning);
    tcase_add_test(c, test_mistral_call_in_one_record);
    tcase_add_test(c, test_mistral_errors);
    tcase_add_test(c, test_azure_targets);
    tcase_add_test(c, test_azure_credential);
    tcase_add_test(c, test_azure_filters);
    tcase_add_test(c, test_bug_33_no_finish_but_the_end_mark);
    tcase_add_test(c, test_bug_21_bug_22_no_end_is_invented);
    tcase_add_test(c, test_bug_01_all_calls_numbered_alike);
    tcase_add_test(c, test_calls_by_their_names);
    tcase_add_test(c, test_numbers_written_as_floats);
    tcase_add_test(c, test_bug_04_choices_that_are_none);
    tcase_add_test(c, test_bug_13_cached_tokens_once);
    tcase_add_test(c, test_bug_29_reasoning_is_handed_back);
    tcase_add_test(c, test_bug_35_effort_beside_tools_stays);
    tcase_add_test(c, test_bug_34_reasoning_between_tags);
    suite_add_tcase(s, c);
    return s;
}
