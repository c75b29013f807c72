/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_cloud_test.c -- Claude on Vertex AI and on Bedrock: addresses, bodies, credentials. */
#include "anthropic_kit.h"

#define VERTEX  "platform = vertex; project = p-1"
#define BEDROCK "platform = bedrock; region = eu-west-1; access_key = AKIDEXAMPLE; secret_key = s3cret"

static void begin(const char *set)
{
    weir_test_init(&t, &weir_plugin, set);
    weir_test_fact(&t, "time", "1795305600");
}

static struct weir_str sends(const char *body, const char *model)
{
    struct weir_candidate to = weir_test_candidate("p", model);

    ck_assert_msg(chat(body), "accept: %s", e.text);
    ck_assert_msg(weir_test_encode(&t, &to, &e) == WEIR_PASS, "encode: %s", e.text);
    return weir_test_sent(&t);
}

START_TEST(test_vertex_addresses)
{
    static const char *const rows[][3] = {
        {"", "claude-opus-4-1@20250805",
         "https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/anthropic/models/"
         "claude-opus-4-1@20250805:rawPredict"},
        {"; location = us-east5", "a/../b",
         "https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/publishers/"
         "anthropic/models/a%2F..%2Fb:rawPredict"},
        {"; url = \"http://x/v1/\"", "m",
         "http://x/v1/projects/p-1/locations/global/publishers/anthropic/models/m:rawPredict"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char set[128];
        snprintf(set, sizeof set, VERTEX "%s", rows[i][0]);
        begin(set);
        weir_test_kept(&t, "ya29.x");
        sends("{'model':'m','max_tokens':1,'messages':[]}", rows[i][1]);
        weir_test_same(t.http_url, rows[i][2]);
        weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer ya29.x");
        weir_test_fini(&t);
    }
}
END_TEST

/* Order and bytes of what stays are the client's; the version's header is not sent, the betas' is as it came. */
START_TEST(test_vertex_bodies)
{
    begin(VERTEX);
    weir_test_kept(&t, "ya29.x");
    weir_test_fact(&t, "header.anthropic-version", "2023-06-01");
    weir_test_fact(&t, "header.anthropic-beta", "any-2030-01-01");
    weir_test_same(
        sends("{'max_tokens': 1, 'temperature':1.0,'model':'m','stream':true,'system':'s','messages':[ ]}", "x"),
        q("{'anthropic_version':'vertex-2023-10-16','max_tokens':1,'temperature':1.0,'stream':true,'system':'s','"
          "messages':[ ]}"));
    ck_assert_ptr_nonnull(memmem(t.http_url.ptr, t.http_url.len, ":streamRawPredict", 17));
    weir_test_same(weir_test_http_header(&t, "anthropic-version"), "");
    weir_test_same(weir_test_http_header(&t, "anthropic-beta"), "any-2030-01-01");
    weir_test_same(sends("{'anthropic_version':'mine','model':'m','max_tokens':1,'messages':[]}", "x"),
                   q("{'anthropic_version':'mine','max_tokens':1,'messages':[]}"));
    weir_test_same(
        sends(
            "{'model':'m','max_tokens':1,'messages':[{'role':'assistant','content':[{'type':'thinking','thinking':'x',"
            "'signature':'weir:none:'},{'type':'text','text':'a'}]}]}",
            "x"),
        q("{'anthropic_version':'vertex-2023-10-16','max_tokens':1,'messages':[{'role':'assistant','content':[{'type':'"
          "text',"
          "'text':'a'}]}]}"));
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_vertex_from_other_dialects)
{
    struct weir_candidate to = weir_test_candidate("p", "claude-sonnet-4-5@20250929");

    begin(VERTEX);
    weir_test_kept(&t, "ya29.x");
    weir_test_canonical(&t, q("{'model':'m','stream':false,'max_tokens':5,'messages':[{'role':'user','content':[{'type'"
                              ":'text','text':'hi'}]}]}"));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    ck_assert(memmem(weir_test_sent(&t).ptr, weir_test_sent(&t).len, "\"model\"", 7) == NULL);
    ck_assert_int_eq(strncmp(weir_test_sent(&t).ptr, "{\"anthropic_version\":\"vertex-2023-10-16\",", 41), 0);
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_without_a_credential_it_waits)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    begin(VERTEX);
    ck_assert(chat("{'model':'m','max_tokens':1,'messages':[]}"));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_WAIT);
    weir_test_kept(&t, "ya29.x");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_fini(&t);
    begin(VERTEX "; key = ya29.mine"); /* with a key there is nothing to wait for */
    sends("{'model':'m','max_tokens':1,'messages':[]}", "m");
    weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer ya29.mine");
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_bedrock_bodies)
{
    begin(BEDROCK);
    weir_test_same(sends("{'model':'m','stream':true,'max_tokens':1,'messages':[]}",
                         "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                   q("{'anthropic_version':'bedrock-2023-05-31','max_tokens':1,'messages':[]}"));
    weir_test_same(
        t.http_url,
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/"
        "invoke-with-response-stream");
    ck_assert(t.http_enveloped);
    ck_assert_int_eq(strncmp(weir_test_http_header(&t, "authorization").ptr,
                             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-west-1/bedrock/aws4_request, ", 80),
                     0);
    weir_test_same(weir_test_http_header(&t, "x-amz-security-token"), "");
    weir_test_fini(&t);
    begin("platform = bedrock; region = eu-west-1; key = bedrock-api-key");
    sends("{'messages':[],'max_tokens':1,'model':'m','stream':false}", "m");
    weir_test_same(weir_test_sent(&t), q("{'anthropic_version':'bedrock-2023-05-31','messages':[],'max_tokens':1}"));
    weir_test_same(weir_test_http_header(&t, "authorization"), "Bearer bedrock-api-key");
    weir_test_fini(&t);
    begin("platform = bedrock; region = eu-west-1; credentials = chain");
    weir_test_kept(&t, "ASIA1\nsecret\ntoken==");
    sends("{'messages':[],'max_tokens':1,'model':'m'}", "m");
    weir_test_same(weir_test_http_header(&t, "x-amz-security-token"), "token==");
    weir_test_fini(&t);
}
END_TEST

/* bug 12: what older Claudes on Bedrock refuse is left out there, and told; nowhere else. */
START_TEST(test_bug_12_cache_control_as_bedrock_takes_it)
{
    static const char body[] =
        "{'model':'m','max_tokens':1,'cache_control':{'type':'ephemeral'},'tools':[{'name':'f','cache_control':"
        "{'ttl':'1h','type':'ephemeral'}}],'messages':[{'role':'user','content':[{'type':'text','text':'ttl',"
        "'cache_control':{'type':'ephemeral','ttl':'5m'}},{'type':'text','text':'x'}]}]}";

    begin(BEDROCK);
    weir_test_same(sends(body, "anthropic.claude-3-7-sonnet-20250219-v1:0"),
                   q("{'anthropic_version':'bedrock-2023-05-31','max_tokens':1,'tools':[{'name':'f','cache_control':"
                     "{'type':'ephemeral'}}],'messages':[{'role':'user','content':[{'type':'text','text':'ttl',"
                     "'cache_control':{'type':'ephemeral'}},{'type':'text','text':'x'}]}]}"));
    weir_test_same(t.lossy, "cache_control (hint)\ncache_control.ttl (hint)\ncache_control.ttl (hint)\n");
    sends(body, "anthropic.claude-sonnet-4-5-20250929-v1:0");
    weir_test_same(t.lossy, "");
    ck_assert(memmem(weir_test_sent(&t).ptr, weir_test_sent(&t).len, "\"ttl\":\"1h\"", 10) != NULL);
    weir_test_fini(&t);
}
END_TEST

/* bug 20: Bedrock refuses a request with a flag that it does not know. */
START_TEST(test_bug_20_only_flags_that_bedrock_knows)
{
    begin(BEDROCK);
    weir_test_fact(&t, "header.anthropic-beta", "oauth-2025-04-20, context-1m-2025-08-07,,effort-2025-11-24");
    weir_test_same(
        sends("{'model':'m','max_tokens':1,'messages':[]}", "m"),
        q("{'anthropic_version':'bedrock-2023-05-31','anthropic_beta':['context-1m-2025-08-07','effort-2025-11-24'],"
          "'max_tokens':1,'messages':[]}"));
    weir_test_same(t.lossy, "anthropic-beta:oauth-2025-04-20 (hint)\n");
    weir_test_same(weir_test_http_header(&t, "anthropic-beta"), "");
    weir_test_fini(&t);
    begin(BEDROCK "; betas = [ mine ]");
    weir_test_fact(&t, "header.anthropic-beta", "context-1m-2025-08-07,mine");
    weir_test_same(
        sends("{'model':'m','max_tokens':1,'messages':[]}", "m"),
        q("{'anthropic_version':'bedrock-2023-05-31','anthropic_beta':['mine'],'max_tokens':1,'messages':[]}"));
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_bedrock_counts_no_tokens)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    begin(BEDROCK);
    ck_assert(weir_test_accept(&t, "POST", "/v1/messages/count_tokens", q("{'model':'m','messages':[]}"), &e));
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_bedrocks_own_figures_do_not_reach_clients)
{
    begin(BEDROCK);
    sends("{'model':'m','max_tokens':1,'stream':true,'messages':[]}", "m");
    ck_assert(weir_test_decode_stream(
        &t,
        q("event: message_stop\ndata: "
          "{'type':'message_stop','amazon-bedrock-invocationMetrics':{'inputTokenCount':3}}\n\n"),
        &e));
    weir_test_same(t.client, q("event: message_stop\ndata: {'type':'message_stop'}\n\n"));
    weir_test_fini(&t);
}
END_TEST

START_TEST(test_options_that_do_not_fit)
{
    static const char *const rows[][2] = {
        {"platform = vertex", "project"},
        {"platform = vertex; project = \"a/b\"", "project"},
        {VERTEX "; location = \"x.evil/\"", "location"},
        {"platform = bedrock", "region"},
        {"platform = bedrock; region = \"x/y\"", "region"},
        {"access_key = a", "secret_key"},
        {"platform = bedrock; region = r; key = k; credentials = chain", "credentials"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(!weir_test_try(&t, &weir_plugin, rows[i][0], &e), "%s", rows[i][0]);
        ck_assert_str_eq(e.field, rows[i][1]);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("anthropic_cloud");
    TCase *c = tcase_create("all");

    tcase_add_test(c, test_vertex_addresses);
    tcase_add_test(c, test_vertex_bodies);
    tcase_add_test(c, test_vertex_from_other_dialects);
    tcase_add_test(c, test_without_a_credential_it_waits);
    tcase_add_test(c, test_bedrock_bodies);
    tcase_add_test(c, test_bug_12_cache_control_as_bedrock_takes_it);
    tcase_add_test(c, test_bug_20_only_flags_that_bedrock_knows);
    tcase_add_test(c, test_bedrock_counts_no_tokens);
    tcase_add_test(c, test_bedrocks_own_figures_do_not_reach_clients);
    tcase_add_test(c, test_options_that_do_not_fit);
    suite_add_tcase(s, c);
    return s;
}
