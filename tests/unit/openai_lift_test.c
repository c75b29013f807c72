/* SPDX-License-Identifier: Apache-2.0 */
/* openai_lift_test.c -- clients of OpenAI's chat and embeddings as canonical requests, written by hand from
 * docs/canonical.md. */
#include "openai_all.h"
#include "unit.h"

static struct weir_test t;
static struct weir_error e;

static void setup(void)
{
    weir_test_init(&t, &weir_plugin, "");
}

static void teardown(void)
{
    weir_test_fini(&t);
}

static struct weir_str lifted(const char *path, const char *body)
{
    ck_assert_msg(weir_test_accept(&t, "POST", path, body, &e), "%s", e.text);
    return weir_test_lift(&t, &e);
}

/* Members beside `model` -> members of the canonical request; the names of what was left out, one a line. */
struct lift_case {
    const char *body, *want, *lossy;
};

static const struct lift_case chats[] = {
    {"\"messages\":[]", "\"messages\":[]", ""},
    {"\"messages\":[{\"role\":\"user\",\"content\":\"a\\u00e9\\n\"}],\"stream\":true",
     "\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\\u00e9\\n\"}]}]",
     ""},
    /* what stands first is the system's, what stands between is a message */
    {"\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"developer\",\"content\":[{\"type\":\"text\","
     "\"text\":\"b\"}]},{\"role\":\"user\",\"content\":\"u\",\"name\":\"ann\"},{\"role\":\"system\",\"content\":"
     "\"c\"}]",
     "\"system\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}],\"messages\":[{\"role\":"
     "\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]},{\"role\":\"system\",\"content\":[{"
     "\"type\":\"text\",\"text\":\"c\"}]}]",
     ""},
    /* parts */
    {"\"messages\":[{\"role\":\"user\",\"content\":[\"bare\",{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:"
     "image/png;base64,QUJD\",\"detail\":\"low\"}},{\"type\":\"image_url\",\"image_url\":\"https://h/i\"},{\"type\":"
     "\"input_audio\",\"input_audio\":{\"data\":\"QQ==\",\"format\":\"wav\"}},{\"type\":\"file\",\"file\":{\"file_"
     "data\":\"data:application/pdf;base64,QUI=\",\"filename\":\"a.pdf\"}},{\"type\":\"file\",\"file\":{\"file_id\":"
     "\"f1\"}},{\"type\":\"video_url\",\"video_url\":{\"url\":\"https://h/v\"}},{\"type\":\"text\",\"text\":\"\"},{"
     "\"type\":\"novel\",\"x\":1.0}]}]",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"bare\"},{\"type\":\"image\","
     "\"data\":\"QUJD\",\"media_type\":\"image/png\",\"detail\":\"low\",\"at\":\"messages[0].content[1]\"},{\"type\":"
     "\"image\",\"url\":\"https://h/i\",\"at\":\"messages[0].content[2]\"},{\"type\":\"audio\",\"data\":\"QQ==\","
     "\"format\":\"wav\",\"at\":\"messages[0].content[3]\"},{\"type\":\"document\",\"data\":\"QUI=\",\"media_type\":"
     "\"application/pdf\",\"name\":\"a.pdf\",\"at\":\"messages[0].content[4]\"},{\"type\":\"document\",\"file\":"
     "\"f1\",\"at\":\"messages[0].content[5]\"},{\"type\":\"video\",\"url\":\"https://h/v\",\"at\":\"messages[0]."
     "content[6]\"},{\"type\":\"other\",\"name\":\"novel\",\"raw\":{\"type\":\"novel\",\"x\":1.0},\"at\":\"messages["
     "0].content[8]\"}]}]",
     ""},
    /* marks of caching, in both spellings */
    {"\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":"
     "\"ephemeral\",\"ttl\":\"1h\"}},{\"type\":\"text\",\"text\":\"b\",\"prompt_cache_breakpoint\":{\"mode\":"
     "\"explicit\"}}]}],\"prompt_cache_options\":{\"mode\":\"explicit\",\"ttl\":\"12h\"}",
     "\"names\":{\"cache\":\"prompt_cache_options\"},\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
     "\"text\":\"a\",\"cache\":{\"ttl\":\"1h\"}},{\"type\":\"text\",\"text\":\"b\",\"cache\":{\"ttl\":\"12h\"}}]}]",
     ""},
    {"\"messages\":[],\"prompt_cache_options\":{\"mode\":\"implicit\",\"ttl\":\"30m\"},\"prompt_cache_key\":\"k\","
     "\"prompt_cache_retention\":\"24h\"",
     "\"names\":{\"cache_key\":\"prompt_cache_key\",\"cache\":\"prompt_cache_options\"},\"messages\":[],\"cache_key\":"
     "\"k\",\"cache\":{\"ttl\":\"30m\"}",
     "prompt_cache_retention (hint)\n"},
    /* calls and results */
    {"\"messages\":[{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":"
     "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"c2\",\"type\":\"custom\","
     "\"custom\":{\"name\":\"g\",\"input\":\"x\\ny\"}},{\"id\":\"c3\",\"function\":{\"name\":\"h\",\"arguments\":{"
     "\"k\":1.0}}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"42\"}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"c1\",\"name\":\"f\",\"arguments\":"
     "\"{\\\"a\\\":1}\",\"at\":\"messages[0].tool_calls[0]\"},{\"type\":\"call\",\"id\":\"c2\",\"name\":\"g\","
     "\"custom\":true,\"input\":\"x\\ny\",\"at\":\"messages[0].tool_calls[1]\"},{\"type\":\"call\",\"id\":\"c3\","
     "\"name\":\"h\",\"arguments\":\"{\\\"k\\\":1.0}\",\"at\":\"messages[0].tool_calls[2]\"}]},{\"role\":\"tool\","
     "\"content\":[{\"type\":\"result\",\"id\":\"c1\",\"content\":[{\"type\":\"text\",\"text\":\"42\"}],\"at\":"
     "\"messages[1]\"}]}]",
     ""},
    /* functions of old: an id is made of the place */
    {"\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":null,\"function_call\":{"
     "\"name\":\"f\",\"arguments\":\"{}\"}},{\"role\":\"function\",\"name\":\"f\",\"content\":\"r\"}],\"functions\":[{"
     "\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}],\"function_call\":{\"name\":\"f\"}",
     "\"names\":{\"tools\":\"functions\",\"tool_choice\":\"function_call\",\"parallel_tools\":\"functions\"},"
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"}]},{\"role\":\"assistant\","
     "\"content\":[{\"type\":\"call\",\"id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{}\",\"at\":\"messages[1]."
     "function_call\"}]},{\"role\":\"tool\",\"content\":[{\"type\":\"result\",\"id\":\"call_1\",\"name\":\"f\","
     "\"content\":[{\"type\":\"text\",\"text\":\"r\"}],\"at\":\"messages[2]\"}]}],\"tools\":[{\"name\":\"f\","
     "\"schema\":{\"type\":\"object\"},\"at\":\"functions[0]\"}],\"tool_choice\":{\"mode\":\"named\",\"name\":\"f\"},"
     "\"parallel_tools\":false",
     ""},
    /* reasoning: details say all, in pieces or whole; plain text says itself */
    {"\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"hmm\",\"reasoning_details\":[{"
     "\"type\":\"reasoning.text\",\"text\":\"h\",\"index\":0},{\"type\":\"reasoning.text\",\"text\":\"mm\",\"index\":"
     "0},{\"type\":\"reasoning.text\",\"signature\":\"S\",\"format\":\"anthropic-claude-v1\",\"index\":0},{\"type\":"
     "\"reasoning.encrypted\",\"data\":\"R\",\"format\":\"anthropic-claude-v1\",\"index\":1}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"hmm\",\"opaque\":\"S\","
     "\"kind\":\"anthropic.signature\"},{\"type\":\"reasoning\",\"opaque\":\"R\",\"kind\":\"anthropic.redacted\"},{"
     "\"type\":\"text\",\"text\":\"a\"}]}]",
     ""},
    {"\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_details\":[{\"type\":\"reasoning.summary\","
     "\"summary\":\"s\",\"format\":\"openai-responses-v1\",\"index\":0},{\"type\":\"reasoning.encrypted\",\"data\":"
     "\"E\",\"format\":\"openai-responses-v1\",\"index\":0},{\"type\":\"reasoning.encrypted\",\"data\":\"B\","
     "\"format\":\"weir:acme.blob\",\"index\":1},{\"type\":\"reasoning.encrypted\",\"data\":\"?\",\"format\":"
     "\"nobody-v1\",\"index\":2}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"s\",\"opaque\":\"E\","
     "\"kind\":\"openai.encrypted\"},{\"type\":\"reasoning\",\"opaque\":\"B\",\"kind\":\"acme.blob\"},{\"type\":"
     "\"text\",\"text\":\"a\"}]}]",
     "messages[0].reasoning_details (hint)\n"},
    {"\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"hm\",\"reasoning_details\":[],\"tool_"
     "calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"hm\"},{\"type\":\"call\","
     "\"id\":\"c\",\"name\":\"f\",\"arguments\":\"\",\"at\":\"messages[0].tool_calls[0]\"}]}]",
     ""},
    /* a thought of Gemini's stands before the call it belongs to */
    {"\"messages\":[{\"role\":\"assistant\",\"content\":null,\"reasoning_details\":[{\"type\":\"reasoning.encrypted\","
     "\"data\":\"T\",\"id\":\"c2\",\"format\":\"google-gemini-v1\",\"index\":0}],\"tool_calls\":[{\"id\":\"c1\","
     "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"c2\",\"function\":{\"name\":\"g\",\"arguments\":"
     "\"{}\"},\"extra_content\":{\"google\":{\"thought_signature\":\"X\"}}}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"c1\",\"name\":\"f\","
     "\"arguments\":\"{}\",\"at\":\"messages[0].tool_calls[0]\"},{\"type\":\"reasoning\",\"opaque\":\"T\",\"kind\":"
     "\"gemini.thought\"},{\"type\":\"reasoning\",\"opaque\":\"X\",\"kind\":\"gemini.thought\"},{\"type\":\"call\","
     "\"id\":\"c2\",\"name\":\"g\",\"arguments\":\"{}\",\"at\":\"messages[0].tool_calls[1]\"}]}]",
     ""},
    {"\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
     "\"text\":\"t\"}]},{\"type\":\"refusal\",\"refusal\":\"no\"}],\"refusal\":\"never\",\"annotations\":[{}]}]",
     "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\",\"text\":\"t\"},{\"type\":"
     "\"refusal\",\"text\":\"no\"},{\"type\":\"refusal\",\"text\":\"never\"}]}]",
     "messages[0].annotations (hint)\n"},
    /* tools */
    {"\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
     "\"parameters\":{\"b\":1.0,\"a\":2},\"strict\":true},\"cache_control\":{\"type\":\"ephemeral\"}},{\"type\":"
     "\"custom\",\"custom\":{\"name\":\"g\",\"format\":{\"type\":\"text\"}}},{\"type\":\"custom\",\"custom\":{"
     "\"name\":\"h\"}},{\"type\":\"web_search\",\"max\":1}],\"tool_choice\":{\"type\":\"allowed_tools\","
     "\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{"
     "\"type\":\"custom\",\"custom\":{\"name\":\"g\"}}]}},\"parallel_tool_calls\":false",
     "\"names\":{\"parallel_tools\":\"parallel_tool_calls\"},\"messages\":[],\"tools\":[{\"name\":\"f\","
     "\"description\":\"d\",\"schema\":{\"b\":1.0,\"a\":2},\"strict\":true,\"cache\":{},\"at\":\"tools[0]\"},{"
     "\"name\":\"g\",\"custom\":{\"type\":\"text\"},\"at\":\"tools[1]\"},{\"name\":\"h\",\"custom\":{},\"at\":"
     "\"tools[2]\"},{\"hosted\":\"web_search\",\"raw\":{\"type\":\"web_search\",\"max\":1},\"at\":\"tools[3]\"}],"
     "\"tool_choice\":{\"mode\":\"allowed\",\"names\":[\"f\",\"g\"],\"required\":true},\"parallel_tools\":false",
     ""},
    {"\"messages\":[],\"tools\":[],\"tool_choice\":\"any\"", "\"messages\":[],\"tool_choice\":{\"mode\":\"required\"}",
     ""},
    /* scalars keep their bytes; what is asked for anyway is not said */
    {"\"messages\":[],\"max_completion_tokens\":9,\"max_tokens\":7,\"temperature\":1.0,\"top_p\":0.10,\"n\":1,"
     "\"seed\":12345678901234567890,\"logprobs\":true,\"top_logprobs\":3,\"stop\":\"x\",\"user\":\"u\",\"safety_"
     "identifier\":\"s\",\"metadata\":{\"k\":\"v\"},\"verbosity\":\"low\",\"service_tier\":\"flex\",\"logit_bias\":{"
     "\"5\":-100}",
     "\"names\":{\"max_output\":\"max_completion_tokens\",\"user\":\"safety_identifier\"},\"messages\":[],\"max_"
     "output\":9,\"temperature\":1.0,\"top_p\":0.10,\"logit_bias\":{\"5\":-100},\"seed\":12345678901234567890,"
     "\"logprobs\":3,\"stop\":[\"x\"],\"verbosity\":\"low\",\"service_tier\":\"flex\",\"user\":\"s\",\"metadata\":{"
     "\"k\":\"v\"}",
     "max_tokens (hint)\nuser (hint)\n"},
    {"\"messages\":[],\"max_tokens\":7,\"n\":2,\"logprobs\":true,\"stop\":[\"x\",\"y\"],\"temperature\":null,"
     "\"nothing\":null,\"modalities\":[\"text\"],\"store\":false,\"top_k\":4",
     "\"names\":{\"max_output\":\"max_tokens\"},\"messages\":[],\"max_output\":7,\"top_k\":4,\"n\":2,\"logprobs\":0,"
     "\"stop\":[\"x\",\"y\"]",
     ""},
    {"\"messages\":[],\"store\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":true}",
     "\"messages\":[]", "stream_options.include_obfuscation (hint)\nstore (hint)\n"},
    {"\"messages\":[],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"b\":"
     "1,\"a\":2},\"strict\":true}}",
     "\"names\":{\"format\":\"response_format\"},\"messages\":[],\"format\":{\"type\":\"schema\",\"name\":\"n\","
     "\"schema\":{\"b\":1,\"a\":2},\"strict\":true}",
     ""},
    {"\"messages\":[],\"response_format\":{\"type\":\"json_object\"}",
     "\"names\":{\"format\":\"response_format\"},\"messages\":[],\"format\":{\"type\":\"json\"}", ""},
    {"\"messages\":[],\"response_format\":{\"type\":\"text\"}",
     "\"names\":{\"format\":\"response_format\"},\"messages\":[]", ""},
    {"\"messages\":[],\"reasoning_effort\":\"xhigh\"",
     "\"names\":{\"reasoning\":\"reasoning_effort\"},\"messages\":[],\"reasoning\":{\"effort\":\"xhigh\"}", ""},
    {"\"messages\":[],\"reasoning\":{\"max_tokens\":2000,\"exclude\":true}",
     "\"messages\":[],\"reasoning\":{\"budget\":2000,\"show\":\"none\"}", ""},
    {"\"messages\":[],\"thinking\":{\"type\":\"disabled\"}",
     "\"names\":{\"reasoning\":\"thinking\"},\"messages\":[],\"reasoning\":{\"effort\":\"none\"}", ""},
    {"\"messages\":[],\"reasoning\":{\"enabled\":true},\"reasoning_effort\":\"low\"",
     "\"messages\":[],\"reasoning\":{\"adaptive\":true}", "reasoning_effort (hint)\n"},
    /* what only Mistral and servers like it know */
    {"\"messages\":[],\"random_seed\":7,\"prompt_mode\":\"reasoning\",\"safe_prompt\":true,\"tool_choice\":\"any\"",
     "\"names\":{\"seed\":\"random_seed\",\"reasoning\":\"prompt_mode\"},\"messages\":[],\"tool_choice\":{\"mode\":"
     "\"required\"},\"seed\":7,\"reasoning\":{\"adaptive\":true},\"extra\":{\"safe_prompt\":true}",
     ""},
    {"\"messages\":[],\"safe_prompt\":false,\"prompt_mode\":null", "\"messages\":[]", ""},
    {"\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":\"x\",\"prefix\":true}],"
     "\"guardrails\":[{\"a\":1}],\"prediction\":{\"type\":\"content\",\"content\":\"x\"}",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]},{\"role\":\"assistant\","
     "\"prefix\":"
     "true,\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}],\"extra\":{\"guardrails\":[{\"a\":1}],\"prediction\":{"
     "\"type\":"
     "\"content\",\"content\":\"x\"},\"messages[1].prefix\":true}",
     ""},
    {"\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document_url\",\"document_url\":\"https://h/d\","
     "\"document_name\":\"d\"},{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,QQ==\"}]}]",
     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"url\":\"https://h/"
     "d\",\"name\":\"d\",\"at\":"
     "\"messages[0].content[0]\"},{\"type\":\"image\",\"data\":\"QQ==\",\"media_type\":\"image/png\",\"at\":"
     "\"messages[0].content[1]\"}]}]",
     ""},
};

START_TEST(test_lift_chat)
{
    char body[4096], want[4096];

    snprintf(body, sizeof body, "{\"model\":\"m\",%s}", chats[_i].body);
    snprintf(want, sizeof want, "{%s}", chats[_i].want);
    struct weir_str got = lifted("/v1/chat/completions", body);
    ck_assert_msg(got.ptr != NULL, "refused: %s", e.text);
    weir_test_same(got, want);
    weir_test_same(t.lossy, chats[_i].lossy);
}
END_TEST

/* Body -> the field at fault. */
static const struct lift_case refused[] = {
    {"\"messages\":[],\"future\":1", "future", NULL},
    {"\"messages\":[],\"audio\":{\"voice\":\"v\"}", "audio", NULL},
    {"\"messages\":[],\"modalities\":[\"text\",\"audio\"]", "modalities", NULL},
    {"\"messages\":[],\"web_search_options\":{}", "web_search_options", NULL},
    {"\"messages\":[],\"top_logprobs\":2", "top_logprobs", NULL},
    {"\"messages\":[],\"reasoning_effort\":\"ultra\"", "reasoning_effort", NULL},
    {"\"messages\":[],\"response_format\":{\"type\":\"grammar\"}", "response_format", NULL},
    {"\"messages\":[],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{},"
     "\"odd\":1}}",
     "response_format.json_schema.odd", NULL},
    {"\"messages\":[],\"stop\":7", "stop", NULL},
    {"\"messages\":[],\"tool_choice\":\"maybe\"", "tool_choice", NULL},
    {"\"messages\":[],\"tools\":[{\"type\":\"function\"}]", "tools[0]", NULL},
    {"\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"returns\":{}}}]",
     "tools[0].function.returns", NULL},
    {"\"messages\":[{\"role\":\"robot\",\"content\":\"x\"}]", "messages[0].role", NULL},
    {"\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"user\",\"content\":\"x\",\"mood\":\"good\"}]",
     "messages[1].mood", NULL},
    {"\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\",\"size\":3}]}]",
     "messages[0].content[0].size", NULL},
    {"\"messages\":[{\"role\":\"assistant\",\"audio\":{\"id\":\"a\"}}]", "messages[0].audio", NULL},
    {"\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"prefix\":true}]", "messages[0].prefix", NULL},
    {"\"messages\":[],\"prompt_mode\":\"poetry\"", "prompt_mode", NULL},
    {"\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document_url\"}]}]", "messages[0].content[0]", NULL},
    {"\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\",\"document_name\":\"d\"}]}]",
     "messages[0].content[0].document_name", NULL},
    {"\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\"}]}]", "messages[0].tool_calls[0]", NULL},
    {"\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]", "messages[0].content[0]", NULL},
};

START_TEST(test_lift_refuses_by_the_clients_name)
{
    char body[1024];

    snprintf(body, sizeof body, "{\"model\":\"m\",%s}", refused[_i].body);
    ck_assert(lifted("/v1/chat/completions", body).ptr == NULL);
    ck_assert_str_eq(e.field, refused[_i].want);
}
END_TEST

/* unsupported = "drop": left out, and told. */
START_TEST(test_lift_drops_when_told_to)
{
    weir_test_accept(&t, "POST", "/v1/chat/completions",
                     "{\"model\":\"m\",\"messages\":[],\"future\":1,\"audio\":{\"voice\":\"v\"}}", &e);
    t.drop = true;
    struct weir_str got = weir_test_lift(&t, &e);
    weir_test_same(got, "{\"messages\":[]}");
    weir_test_same(t.lossy, "audio\nfuture\n");
}
END_TEST

START_TEST(test_lift_embeddings)
{
    static const struct lift_case cases[] = {
        {"\"input\":\"a\\u00e9\"", "\"input\":[\"a\\u00e9\"]", ""},
        {"\"input\":[\"a\",\"b\"],\"dimensions\":256,\"encoding_format\":\"base64\",\"user\":\"u\"",
         "\"names\":{\"encoding\":\"encoding_format\"},\"user\":\"u\",\"input\":[\"a\",\"b\"],\"dimensions\":256,"
         "\"encoding\":\"base64\"",
         ""},
        {"\"input\":[1,2]", "\"input\":[[1,2]]", ""},
        {"\"input\":[[1,2],[3]]", "\"input\":[[1,2],[3]]", ""},
        {"\"input\":[ ]", "\"input\":[ ]", ""},
        {"\"input\":\"a\",\"output_dimension\":9",
         "\"names\":{\"dimensions\":\"output_dimension\"},\"input\":[\"a\"],\"dimensions\":9", ""},
        {"\"input\":\"a\",\"input_type\":\"query\"", "\"input\":[\"a\"],\"input_type\":\"query\"", ""},
    };
    char body[512], want[512];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(body, sizeof body, "{\"model\":\"m\",%s}", cases[i].body);
        snprintf(want, sizeof want, "{%s}", cases[i].want);
        struct weir_str got = lifted("/v1/embeddings", body);
        weir_test_same(got, want);
        weir_test_same(t.lossy, cases[i].lossy);
    }
}
END_TEST

/* providers.md, bug 40: null, absent and "" are no text. */
START_TEST(test_bug_40_lift_content_null)
{
    static const char *const contents[] = {"\"content\":null,", "\"content\":\"\",", "\"content\":[],", ""};
    char body[512];

    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        snprintf(body, sizeof body,
                 "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",%s\"tool_calls\":[{\"id\":\"c\",\"function\":{"
                 "\"name\":\"f\",\"arguments\":\"{}\"}}]}]}",
                 contents[i]);
        struct weir_str got = lifted("/v1/chat/completions", body);
        weir_test_same(got,
                       "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"call\",\"id\":\"c\",\"name\":"
                       "\"f\",\"arguments\":\"{}\",\"at\":\"messages[0].tool_calls[0]\"}]}]}");
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("openai_lift");
    TCase *c = tcase_create("openai_lift");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, test_lift_chat, 0, sizeof chats / sizeof *chats);
    tcase_add_loop_test(c, test_lift_refuses_by_the_clients_name, 0, sizeof refused / sizeof *refused);
    tcase_add_test(c, test_lift_drops_when_told_to);
    tcase_add_test(c, test_lift_embeddings);
    tcase_add_test(c, test_bug_40_lift_content_null);
    suite_add_tcase(s, c);
    return s;
}
