/* SPDX-License-Identifier: Apache-2.0 */
/* openai_lower_test.c -- canonical requests as OpenAI's bodies, and the upstream's answers as events for clients of
 * other dialects. */
#include "openai_kit.h"
#include "unit.h"

/* ---- requests ---- */

struct lower_case {
    const char *options, *canonical, *want, *lossy;
};

static enum weir_verdict lowered(const struct lower_case *c, bool drop)
{
    struct weir_candidate to = weir_test_candidate("p", "m");
    char canonical[4096];

    begin(c->options);
    weir_test_body(&t, "{}");
    t.request.kind = WEIR_CHAT;
    snprintf(canonical, sizeof canonical, "{%s}", c->canonical);
    weir_test_canonical(&t, canonical);
    t.drop = drop;
    return weir_test_encode(&t, &to, &e);
}

static const struct lower_case bodies[] = {
    {OURS, "\"messages\":[]", "\"messages\":[]", ""},
    {OURS,
     "\"stream\":true,\"system\":[{\"type\":\"text\",\"text\":\"s\"}],\"messages\":[" USER
     ",{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"t\"}]}],\"max_output\":9",
     "\"messages\":[{\"role\":\"system\",\"content\":\"s\"}," SAID
     ",{\"role\":\"system\",\"content\":\"t\"}],\"max_completion_tokens\":9,\"stream\":true,\"stream_options\":{"
     "\"include_usage\":true}",
     ""},
    {VENDOR "; include_usage = false", "\"stream\":true,\"messages\":[],\"max_output\":9",
     "\"messages\":[],\"max_tokens\":9,\"stream\":true", ""},
    {VENDOR "; max_tokens_field = max_completion_tokens", "\"messages\":[],\"max_output\":9",
     "\"messages\":[],\"max_completion_tokens\":9", ""},
    /* a block of the system's each is a part */
    {VENDOR "; cache_marks = cache_control",
     "\"system\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\",\"cache\":{\"ttl\":\"1h\"}}],"
     "\"messages\":[]",
     "\"messages\":[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":"
     "\"b\",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}]",
     ""},
    {OURS "; cache_marks = prompt_cache_breakpoint",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"cache\":{}}]}]",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"prompt_cache_breakpoint\":{"
     "\"mode\":\"explicit\"}}]}]",
     ""},
    {OURS,
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"cache\":{}},{\"type\":\"text\","
     "\"text\":\"b\",\"cache\":{}}]}]",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":"
     "\"b\"}]}]",
     "cache (hint)\n"},
    /* parts */
    {OURS,
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"data\":\"QQ==\",\"media_type\":\"image/"
     "png\",\"detail\":\"low\",\"at\":\"x\"},{\"type\":\"image\",\"url\":\"https://h/i\",\"at\":\"x\"},{\"type\":"
     "\"document\",\"data\":\"QQ==\",\"media_type\":\"application/pdf\",\"at\":\"x\"},{\"type\":\"document\",\"text\":"
     "\"plain\",\"at\":\"x\"},{\"type\":\"audio\",\"data\":\"QQ==\",\"format\":\"mp3\",\"at\":\"x\"}]}]",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/"
     "png;base64,QQ==\",\"detail\":\"low\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://h/i\"}},{"
     "\"type\":\"file\",\"file\":{\"filename\":\"document.pdf\",\"file_data\":\"data:application/pdf;base64,QQ==\"}},{"
     "\"type\":\"text\",\"text\":\"plain\"},{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QQ==\",\"format\":"
     "\"mp3\"}}]}]",
     ""},
    /* calls, and a message for each result; images come behind the last of them */
    {OURS,
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","
     "\"text\":"
     "\"b\"},{\"type\":\"call\",\"id\":\"c1\",\"name\":\"f\",\"arguments\":\"{\\\"k\\\":1.0}\",\"at\":\"x\"},{\"type\":"
     "\"call\",\"id\":\"c2\",\"name\":\"g\",\"custom\":true,\"input\":\"i\",\"at\":\"x\"}]},{\"role\":\"tool\","
     "\"content\":[{\"type\":\"result\",\"id\":\"c1\",\"content\":[{\"type\":\"text\",\"text\":\"r\"},{\"type\":"
     "\"image\",\"data\":\"QQ==\",\"media_type\":\"image/png\",\"at\":\"x\"}],\"at\":\"x\"}]},{\"role\":\"tool\","
     "\"content\":[{\"type\":\"result\",\"id\":\"c2\",\"content\":[{\"type\":\"text\",\"text\":\"bad\"}],\"error\":"
     "true,\"at\":\"x\"},{\"type\":\"result\",\"id\":\"c3\",\"content\":[],\"at\":\"x\"}]}," USER "]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":\"ab\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"k\\\":1.0}\"}},{\"id\":\"c2\",\"type\":\"custom\",\"custom\":{"
     "\"name\":\"g\",\"input\":\"i\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\","
     "\"text\":\"r\"},{\"type\":\"text\",\"text\":\"(shown in the next user message)\"}]},{\"role\":\"tool\",\"tool_"
     "call_id\":\"c2\",\"content\":\"Error: bad\"},{\"role\":\"tool\",\"tool_call_id\":\"c3\",\"content\":\"\"},{"
     "\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/"
     "png;base64,QQ==\"}}]}," SAID "]",
     ""},
    /* an assistant with calls alone has null; a failed result without text still says so */
    {OURS,
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"c1\",\"name\":\"f\","
     "\"arguments\":\"\",\"at\":\"x\"}]},{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"c1\","
     "\"content\":[],\"error\":true,\"at\":\"x\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\","
     "\"text\":\"no\"}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":"
     "\"Error: \"},{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\"}]",
     ""},
    /* ids that the server takes, the same for a call and its result */
    {VENDOR "; call_id_length = 9",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"abcdefghi\",\"name\":\"f\","
     "\"arguments\":\"{}\",\"at\":\"x\"}]},{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"abcdefghi\","
     "\"content\":[],\"at\":\"x\"}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"abcdefghi\",\"type\":"
     "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":"
     "\"abcdefghi\",\"content\":\"\"}]",
     ""},
    /* reasoning: not for OpenAI, as text for others, with its issuer's data for routers */
    {OURS,
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"h\"},{\"type\":\"text\","
     "\"text\":\"a\"}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]", ""},
    {VENDOR,
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"h\"},{\"type\":"
     "\"reasoning\",\"text\":\"x\",\"opaque\":\"S\",\"kind\":\"anthropic.signature\"},{\"type\":\"text\",\"text\":"
     "\"a\"}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"reasoning_content\":\"h\",\"content\":\"a\"}]", ""},
    {VENDOR "; reasoning_field = reasoning_details",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"h\",\"opaque\":\"S\","
     "\"kind\":\"anthropic.signature\"},{\"type\":\"reasoning\",\"text\":\"s\",\"opaque\":\"E\",\"kind\":\"openai."
     "encrypted\"},{\"type\":\"reasoning\",\"opaque\":\"T\",\"kind\":\"gemini.thought\"},{\"type\":\"call\",\"id\":"
     "\"c1\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"x\"}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"h\","
     "\"signature\":\"S\",\"format\":\"anthropic-claude-v1\",\"index\":0},{\"type\":\"reasoning.text\",\"text\":\"s\","
     "\"index\":1},{\"type\":\"reasoning.encrypted\",\"data\":\"E\",\"format\":\"openai-responses-v1\",\"index\":1},{"
     "\"type\":\"reasoning.encrypted\",\"data\":\"T\",\"id\":\"c1\",\"format\":\"google-gemini-v1\",\"index\":2}],"
     "\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
     "\"arguments\":\"{}\"}}]}]",
     ""},
    /* tools */
    {OURS,
     "\"messages\":[],\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"schema\":{\"b\":1.0,\"a\":2},\"strict\":true,"
     "\"at\":\"x\"},{\"name\":\"g\",\"custom\":{\"type\":\"text\"},\"at\":\"x\"},{\"name\":\"h\",\"custom\":{},\"at\":"
     "\"x\"}],\"tool_choice\":{\"mode\":\"named\",\"name\":\"g\"},\"parallel_tools\":false",
     "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"b\":1.0,"
     "\"a\":2},\"strict\":true}},{\"type\":\"custom\",\"custom\":{\"name\":\"g\",\"format\":{\"type\":\"text\"}}},{"
     "\"type\":\"custom\",\"custom\":{\"name\":\"h\"}}],\"messages\":[],\"tool_choice\":{\"type\":\"custom\","
     "\"custom\":{\"name\":\"g\"}},\"parallel_tool_calls\":false",
     ""},
    {OURS,
     "\"messages\":[],\"tools\":[{\"name\":\"f\",\"at\":\"x\"}],\"tool_choice\":{\"mode\":\"allowed\",\"names\":["
     "\"f\"],\"required\":true}",
     "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"messages\":[],\"tool_choice\":{\"type\":"
     "\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{"
     "\"name\":\"f\"}}]}}",
     ""},
    {OURS, "\"messages\":[],\"tool_choice\":{\"mode\":\"auto\"}", "\"messages\":[]", ""},
    /* scalars keep their bytes */
    {OURS,
     "\"messages\":[],\"temperature\":1.0,\"top_p\":0.10,\"top_k\":4,\"presence_penalty\":0.5,\"logit_bias\":{\"5\":1}"
     ",\"seed\":12345678901234567890,\"n\":2,\"logprobs\":3,\"stop\":[\"a\"],\"format\":{\"type\":\"schema\","
     "\"schema\":{\"b\":1}},\"reasoning\":{\"effort\":\"low\"},\"verbosity\":\"low\",\"service_tier\":\"flex\","
     "\"user\":\"u\",\"metadata\":{\"k\":\"v\"},\"cache_key\":\"k\"",
     "\"messages\":[],\"temperature\":1.0,\"top_p\":0.10,\"presence_penalty\":0.5,\"logit_bias\":{\"5\":1},\"seed\":"
     "12345678901234567890,\"n\":2,\"stop\":[\"a\"],\"logprobs\":true,\"top_logprobs\":3,\"response_format\":{\"type\":"
     "\"json_schema\",\"json_schema\":{\"name\":\"answer\",\"schema\":{\"b\":1}}},\"reasoning_effort\":\"low\","
     "\"verbosity\":\"low\",\"metadata\":{\"k\":\"v\"},\"prompt_cache_key\":\"k\",\"service_tier\":\"flex\",\"safety_"
     "identifier\":\"u\"",
     "top_k (hint)\n"},
    {VENDOR "; takes = [ top_k, min_p ]; lacks = [ metadata, cache_key ]; seed_field = random_seed",
     "\"names\":{\"cache_key\":\"prompt_cache_key\"},\"messages\":[],\"top_k\":4,\"min_p\":0.1,\"seed\":7,"
     "\"logprobs\":0,\"user\":\"u\",\"metadata\":{},\"cache_key\":\"k\",\"format\":{\"type\":\"json\"}",
     "\"messages\":[],\"top_k\":4,\"min_p\":0.1,\"random_seed\":7,\"logprobs\":true,\"response_format\":{\"type\":"
     "\"json_object\"},\"user\":\"u\"",
     "metadata (hint)\nprompt_cache_key (hint)\n"},
    /* effort and budget, in each server's way */
    {OURS, "\"messages\":[],\"max_output\":1000,\"reasoning\":{\"budget\":500}",
     "\"messages\":[],\"max_completion_tokens\":1000,\"reasoning_effort\":\"medium\"", ""},
    {OURS, "\"messages\":[],\"reasoning\":{\"budget\":0}", "\"messages\":[],\"reasoning_effort\":\"none\"", ""},
    {OURS, "\"messages\":[],\"reasoning\":{\"adaptive\":true}", "\"messages\":[]", "reasoning (hint)\n"},
    {OURS, "\"messages\":[],\"service_tier\":\"standard_only\"", "\"messages\":[]", "service_tier (hint)\n"},
    {VENDOR "; reasoning = object", "\"messages\":[],\"reasoning\":{\"budget\":500,\"show\":\"none\"}",
     "\"messages\":[],\"reasoning\":{\"max_tokens\":500,\"exclude\":true}", ""},
    {VENDOR "; reasoning = thinking", "\"messages\":[],\"reasoning\":{\"effort\":\"none\"}",
     "\"messages\":[],\"thinking\":{\"type\":\"disabled\"}", ""},
    {VENDOR "; reasoning = thinking", "\"messages\":[],\"reasoning\":{\"effort\":\"high\"}",
     "\"messages\":[],\"thinking\":{\"type\":\"enabled\"},\"reasoning_effort\":\"high\"", ""},
    {VENDOR "; reasoning = none", "\"messages\":[],\"reasoning\":{\"effort\":\"high\"}", "\"messages\":[]",
     "reasoning (hint)\n"},
};

START_TEST(test_lower_chat)
{
    char want[4096];

    weir_test_verdict(lowered(&bodies[_i], false), WEIR_PASS);
    snprintf(want, sizeof want, "{\"model\":\"m\",%s}", bodies[_i].want);
    weir_test_same(t.http_body, want);
    weir_test_same(t.lossy, bodies[_i].lossy);
    weir_test_fini(&t);
}
END_TEST

/* Canonical request -> the field at fault, as the client calls it; with "drop", the body without it. */
static const struct lower_case unsaid[] = {
    {OURS,
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"file\":\"f\",\"at\":\"contents[0]\"},{"
     "\"type\":\"text\",\"text\":\"u\"}]}]",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]}]", "contents[0]"},
    {OURS, "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"url\":\"u\",\"at\":\"d\"}]}]",
     "\"messages\":[]", "d"},
    {OURS, "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"video\",\"url\":\"u\",\"at\":\"v\"}]}]",
     "\"messages\":[]", "v"},
    {OURS,
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"other\",\"name\":\"n\",\"raw\":{},\"at\":\"o\"}]}]",
     "\"messages\":[]", "o"},
    {OURS, "\"messages\":[],\"tools\":[{\"hosted\":\"web_search\",\"raw\":{},\"at\":\"tools[0]\"}]", "\"messages\":[]",
     "tools[0]"},
    {OURS, "\"names\":{\"stop\":\"stop_sequences\"},\"messages\":[],\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]",
     "\"messages\":[]", "stop_sequences"},
    {VENDOR "; lacks = [ n ]", "\"messages\":[],\"n\":2", "\"messages\":[]", "n"},
    {VENDOR "; lacks = [ logprobs ]", "\"messages\":[],\"logprobs\":1", "\"messages\":[]", "logprobs"},
};

START_TEST(test_lower_refuses_or_drops)
{
    char want[512];

    weir_test_verdict(lowered(&unsaid[_i], false), WEIR_UNSUPPORTED);
    ck_assert_str_eq(e.field, unsaid[_i].lossy);
    weir_test_fini(&t);
    weir_test_verdict(lowered(&unsaid[_i], true), WEIR_PASS);
    snprintf(want, sizeof want, "{\"model\":\"m\",%s}", unsaid[_i].want);
    weir_test_same(t.http_body, want);
    weir_test_fini(&t);
}
END_TEST

/* A made id is legal, and the result has its call's. */
START_TEST(test_lower_call_ids)
{
    static const struct lower_case c = {
        VENDOR "; call_id_length = 9",
        "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"toolu_1\",\"name\":\"f\","
        "\"arguments\":\"{}\",\"at\":\"x\"}]},{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"toolu_1\","
        "\"content\":[],\"at\":\"x\"}]}]",
        "", ""};
    char body[1024], *call, *result;

    weir_test_verdict(lowered(&c, false), WEIR_PASS);
    snprintf(body, sizeof body, "%.*s", (int)t.http_body.len, t.http_body.ptr);
    call = strstr(body, "\"id\":\"");
    result = strstr(body, "\"tool_call_id\":\"");
    ck_assert(call && result);
    call += 6;
    result += 16;
    ck_assert_uint_eq(strspn(call, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 9);
    ck_assert(call[9] == '"' && memcmp(call, result, 10) == 0);
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_lower_limit_by_the_catalogue)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    begin(OURS);
    weir_test_body(&t, "{}");
    weir_test_fact(&t, "model.max_tokens_field", "max_tokens");
    weir_test_canonical(&t, "{\"messages\":[],\"max_output\":5}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_body, "{\"model\":\"m\",\"messages\":[],\"max_tokens\":5}");
    weir_test_same(t.http_url, "https://api.openai.com/v1/chat/completions");
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_lower_embeddings)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    begin(VENDOR "; dimensions_field = output_dimension");
    weir_test_body(&t, "{}");
    t.request.kind = WEIR_EMBEDDING;
    weir_test_canonical(&t, "{\"names\":{\"input_type\":\"taskType\"},\"input\":[\"a\",[1,2]],\"dimensions\":256,"
                            "\"encoding\":\"base64\",\"input_type\":\"query\"}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_body, "{\"model\":\"m\",\"input\":[\"a\",[1,2]],\"output_dimension\":256,\"encoding_format\":"
                                "\"float\"}");
    weir_test_same(t.http_url, "https://api.vendor.test/v1/embeddings");
    weir_test_same(t.lossy, "taskType (hint)\n");
    weir_test_fini(&t);
}
END_TEST

/* ---- answers ---- */

START_TEST(test_stream_begins_with_start)
{
    /* providers.md, bug 4: Azure's first chunk says nothing */
    stream_means("data: {\"choices\":[],\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[]}\n\n" CHUNK(
                     "\"role\":\"assistant\",\"content\":\"\"") CHUNK("\"content\":\"a\"") FINISH("\"stop\"") DONE,
                 START "text 0 0 a\ntext 0 0 last\nfinish 0 0 =1 stop\ndone 0 0\n");
}
END_TEST

START_TEST(test_stream_reasoning_once)
{
    stream_means(CHUNK("\"reasoning\":\"h\",\"reasoning_content\":\"h\"") CHUNK("\"content\":\"a\"") FINISH("\"stop\""),
                 START "reasoning 0 1 h\ntext 0 0 a\nreasoning 0 1 last\ntext 0 0 last\nfinish 0 0 =1 stop\n");
}
END_TEST

START_TEST(test_stream_opaque)
{
    stream_means(
        CHUNK("\"reasoning\":\"h\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"h\",\"format\":"
              "\"anthropic-claude-v1\",\"index\":0}]")
            CHUNK("\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":\"S\",\"format\":\"anthropic-"
                  "claude-v1\",\"index\":0},{\"type\":\"reasoning.encrypted\",\"data\":\"R\",\"format\":\"anthropic-"
                  "claude-v1\",\"index\":1}]") CHUNK("\"reasoning\":\"more\"") CHUNK("\"content\":\"a\""),
        START "reasoning 0 1 h\nreasoning 0 1 last\nopaque 0 1 S anthropic.signature\nopaque 0 4 R "
              "anthropic.redacted\nreasoning 0 16777217 more\ntext 0 0 a\n");
}
END_TEST

START_TEST(test_body_arguments_as_object)
{
    body_means(
        WEIR_CHAT, 200,
        "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"message\":{\"content\":null,\"tool_calls\":[{"
        "\"id\":\"i\",\"function\":{\"name\":\"f\",\"arguments\":{\"k\":\"v\"}}}]},\"logprobs\":{\"content\":[]},"
        "\"finish_reason\":\"stop\"}]}",
        START "arguments 0 0 last raw i/f {\"k\":\"v\"}\nfinish 0 0 =5 stop\n");
}
END_TEST

START_TEST(test_body_finish_words)
{
    static const struct {
        const char *word;
        enum weir_finish finish;
    } words[] = {
        {"stop", WEIR_FINISH_STOP},
        {"eos", WEIR_FINISH_STOP},
        {"length", WEIR_FINISH_LENGTH},
        {"model_length", WEIR_FINISH_CONTEXT},
        {"tool_calls", WEIR_FINISH_TOOL_CALLS},
        {"function_call", WEIR_FINISH_TOOL_CALLS},
        {"content_filter", WEIR_FINISH_FILTERED},
        {"sensitive", WEIR_FINISH_FILTERED},
        {"error", WEIR_FINISH_FAILED},
        {"insufficient_system_resource", WEIR_FINISH_FAILED},
        {"never_heard_of", WEIR_FINISH_STOP},
    };
    char body[256], want[128];

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(body, sizeof body,
                 "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"message\":{},\"finish_reason\":\"%s\"}]}",
                 words[i].word);
        snprintf(want, sizeof want, START "finish 0 0 =%d %s\n", (int)words[i].finish, words[i].word);
        body_means(WEIR_CHAT, 200, body, want);
    }
    body_means(
        WEIR_CHAT, 200,
        "{\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"message\":{},\"finish_reason\":\"stop\",\"stop_reason\":"
        "\"END\"}]}",
        START "finish 0 0 =2 stop END\n");
}
END_TEST

/* providers.md, section 10: all shapes of errors. */
START_TEST(test_errors)
{
    static const struct {
        int status;
        const char *body, *want;
    } errors[] = {
        {401, "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"code\":\"c\"}}", "error 0 0 401 m c\n"},
        {429, "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"code\":null}}", "error 0 0 429 m t\n"},
        {400, "{\"code\":\"c\",\"error\":\"text\"}", "error 0 0 400 text c\n"},
        {400, "[{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\"}}]", "error 0 0 400 m\n"},
        {404, "{\"detail\":\"Not Found\"}", "error 0 0 404 Not Found\n"},
        {422, "{\"detail\":[{\"loc\":[\"body\",\"top_k\"],\"msg\":\"extra\",\"type\":\"t\"}]}",
         "error 0 0 422 body.top_k: extra\n"},
        {422, "{\"object\":\"error\",\"message\":{\"detail\":[{\"msg\":\"x\"}]},\"type\":\"t\"}",
         "error 0 0 422 x t\n"},
        {400, "{\"id\":\"i\",\"message\":\"m\"}", "error 0 0 400 m\n"},
        {400, "{\"object\":\"error\",\"message\":\"m\",\"type\":\"BadRequestError\",\"code\":400}",
         "error 0 0 400 m BadRequestError\n"},
        {502, "<html>", "error 0 0 502\n"},
        {500, "[1]", "error 0 0 500\n"},
    };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        body_means(WEIR_CHAT, errors[i].status, errors[i].body, errors[i].want);
    stream_means("data: {\"error\":{\"code\":502,\"message\":\"m\"}}\n\n", "error 0 0 502 m\n");
    stream_means("data: {\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\"}}\n\n",
                 "error 0 0 429 m rate_limit_error\n");
}
END_TEST

START_TEST(test_vectors)
{
    body_means(WEIR_EMBEDDING, 200,
               "{\"object\":\"list\",\"model\":\"m1\",\"data\":[{\"index\":1,\"embedding\":[0.5,-1]},{\"index\":0,"
               "\"embedding\":\"AAAA\"}]}",
               "start 0 0 m1\nvector 1 0 last raw [0.5,-1]\nvector 0 0 last AAAA\n");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("openai_lower");
    TCase *c = tcase_create("openai_lower");

    tcase_add_loop_test(c, test_lower_chat, 0, sizeof bodies / sizeof *bodies);
    tcase_add_loop_test(c, test_lower_refuses_or_drops, 0, sizeof unsaid / sizeof *unsaid);
    tcase_add_test(c, test_lower_call_ids);
    tcase_add_test(c, test_lower_limit_by_the_catalogue);
    tcase_add_test(c, test_lower_embeddings);
    tcase_add_test(c, test_stream_begins_with_start);
    tcase_add_test(c, test_stream_reasoning_once);
    tcase_add_test(c, test_stream_opaque);
    tcase_add_test(c, test_body_arguments_as_object);
    tcase_add_test(c, test_body_finish_words);
    tcase_add_test(c, test_errors);
    tcase_add_test(c, test_vectors);
    suite_add_tcase(s, c);
    return s;
}
