/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic_test.c -- requests through the anthropic plugin: accept, lift, encode; and errors and lists.  Answers are
 * in anthropic_answer_test.c, recorded traffic in anthropic_golden_test.c, hostile bytes in tests/fuzz/anthropic_*.c.
 */
#include "anthropic_kit.h"

/* OpenAI's clients ask on the same paths, without this header. */
static bool models_get(const char *path)
{
    weir_test_fact(&t, "header.anthropic-version", "2023-06-01");
    return weir_test_accept(&t, "GET", path, NULL, &e);
}

/* ---- accept ---- */

START_TEST(test_accept_reads_what_the_host_needs)
{
    ck_assert(chat("{'model':'claude','max_tokens':7,'stream':true,'messages':[]}"));
    weir_test_same(t.request.model, "claude");
    ck_assert_uint_eq(t.request.model_at, 10);
    ck_assert_uint_eq(t.request.model_len, 6);
    ck_assert(t.request.stream && t.request.usage_asked);
    ck_assert_int_eq(t.request.max_output, 7);
    ck_assert(weir_test_accept(&t, "POST", "/v1/messages/count_tokens",
                               q("{'model':'claude','stream':true,'messages':[]}"), &e));
    ck_assert(!t.request.stream);
    ck_assert_int_eq(t.request.kind, WEIR_COUNT_TOKENS);
    ck_assert(models_get("/v1/models/a%2Fb"));
    weir_test_same(t.request.model, "a/b");
}
END_TEST

START_TEST(test_accept_refuses_what_is_unclear)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{'messages':[]}", "model"},
        {"{'model':'m'}", "messages"},
        {"{'model':1,'messages':[]}", "model"},
        {"{'model':'m','Messages':[],'messages':[]}", "Messages"},
        {"{'model':'m','messages':[{'role':'user','content':[{'type':'text','text':5}]}]}",
         "messages[0].content[0].text"},
        {"{'model':'m','messages':['x']}", "messages[0]"},
        {"{'model':'m','max_tokens':1.5,'messages':[]}", "max_tokens"},
        {"{'model':'m','messages':[],'\\u0073ystem':'x'}", "\\u0073ystem"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(!chat(rows[i].body), "%s", rows[i].body);
        ck_assert_str_eq(e.field, rows[i].field);
    }
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

START_TEST(test_accept_spans)
{
    ck_assert(chat(
        "{'model':'m','system':[{'type':'text','text':'rules','cache_control':{'type':'ephemeral'}}],'messages':["
        "{'role':'user','content':[{'type':'text','text':'look'},"
        "{'type':'image','source':{'type':'base64','media_type':'image/png','data':'QUJD'}},"
        "{'type':'image','source':{'type':'url','url':'https://x.test/?k=secret'}},"
        "{'type':'document','source':{'type':'text','media_type':'text/plain','data':'a paper'},'title':'T'}]},"
        "{'role':'assistant','content':[{'type':'thinking','thinking':'hm','signature':'QUJDREVG'},"
        "{'type':'redacted_thinking','data':'not base64 at all'},"
        "{'type':'tool_use','id':'toolu_1','name':'f','input':{'city':'Rome'}}]},"
        "{'role':'user','content':[{'type':'tool_result','tool_use_id':'toolu_1','content':[{'type':'text','text':'42'}"
        "]}"
        ",{'type':'search_result','source':'https://s.test','title':'S','content':[{'type':'text','text':'found'}]},"
        "{'type':'new_kind','note':'unseen'}]}],"
        "'tools':[{'name':'f','description':'does','input_schema':{'type':'object'}}],'metadata':{'user_id':'u1'},"
        "'stop_sequences':['END']}"));
    spans_are("system 0 0 rules\nuser 0 0 look\ndocument 0 2 https://x.test/?k=secret\ndocument 0 3 a paper\n"
              "document 0 3 T\nassistant 1 0 hm\nassistant 1 1 not base64 at all\nother 1 2 f\ncall 1 2 city\n"
              "call 1 2 Rome\nresult 2 0 42\ndocument 2 1 https://s.test\ndocument 2 1 S\ndocument 2 1 found\n"
              "user 2 2 note\nuser 2 2 unseen\nother 0 0 f\nother 0 0 does\nother 0 0 type\nother 0 0 object\n"
              "other 0 0 u1\nother 0 0 END\n");
}
END_TEST

/* ---- encode, same dialect ---- */

START_TEST(test_bug_19_the_clients_bytes_go_through)
{
    static const char body[] = "{ 'temperature': 1.0, 'messages' : [], 'x':1e3, 'model':'big', 'system':'s' }";
    struct weir_candidate to = weir_test_candidate("p", "claude-x");

    ck_assert(chat(body));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), q("{ 'temperature': 1.0, 'messages' : [], 'x':1e3, 'model':'claude-x', "
                                         "'system':'s' }"));
    weir_test_same(t.http_url, "https://api.anthropic.com/v1/messages");
    weir_test_same(weir_test_http_header(&t, "x-api-key"), "sk-test");
    weir_test_same(weir_test_http_header(&t, "anthropic-version"), "2023-06-01");
    weir_test_same(weir_test_http_header(&t, "anthropic-beta"), "");
}
END_TEST

START_TEST(test_bug_38_the_clients_headers_win)
{
    struct weir_candidate to = weir_test_candidate("p", "");

    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, "key = k; auth = bearer; beta = mine; url = \"http://a.test/v1/\"");
    ck_assert(weir_test_accept(&t, "POST", "/v1/messages?beta=true", q("{'model':'m','messages':[]}"), &e));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http_header(&t, "anthropic-beta"), "mine");
    weir_test_fact(&t, "header.anthropic-version", "2026-10-21");
    weir_test_fact(&t, "header.anthropic-beta", "new-thing-2030-01-01,other");
    weir_test_fact(&t, "headers.anthropic-",
                   "anthropic-beta: new-thing-2030-01-01,other\nanthropic-workspace-id: w1\nanthropic-future: x\n");
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http(&t), q("POST http://a.test/v1/messages?beta=true\ncontent-type: application/json\n"
                                         "authorization: Bearer k\nanthropic-version: 2026-10-21\n"
                                         "anthropic-beta: new-thing-2030-01-01,other\nanthropic-workspace-id: w1\n"
                                         "anthropic-future: x\n\n{'model':'m','messages':[]}"));
}
END_TEST

START_TEST(test_encode_counts_tokens)
{
    struct weir_candidate to = weir_test_candidate("p", "");

    ck_assert(weir_test_accept(&t, "POST", "/v1/messages/count_tokens", q("{'model':'m','messages':[]}"), &e));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(t.http_url, "https://api.anthropic.com/v1/messages/count_tokens");
}
END_TEST

/* What another vendor thought came to the client under our mark: Anthropic would refuse its signature. */
START_TEST(test_encode_takes_foreign_thinking_out)
{
#define FOREIGN "{'type':'thinking','thinking':'x','signature':'weir:none:'}"
#define OWN     "{'type':'thinking','thinking':'y','signature':'QUJD'}"
#define WORDS   "{'type':'text','text':'w'}"
    static const struct {
        const char *content, *want;
    } rows[] = {
        {FOREIGN "," WORDS, WORDS},
        {WORDS "," FOREIGN, WORDS},
        {FOREIGN, ""},
        {OWN "," FOREIGN ", " FOREIGN " ," WORDS "," FOREIGN "," FOREIGN, OWN "," WORDS},
        {OWN "," WORDS, OWN "," WORDS},
        {"{'type':'redacted_thinking','data':'weir:bedrock.redacted:QUJD'}," WORDS, WORDS},
    };
    struct weir_candidate to = weir_test_candidate("p", "");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[1024], want[1024];
        snprintf(body, sizeof body, "{'model':'m','messages':[{'role':'assistant','content':[%s]}]}", rows[i].content);
        snprintf(want, sizeof want, "{'model':'m','messages':[{'role':'assistant','content':[%s]}]}", rows[i].want);
        ck_assert(chat(body));
        ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
        weir_test_same(weir_test_sent(&t), q(want));
    }
}
END_TEST

/* ---- lift ---- */

START_TEST(test_lift_of_messages)
{
    lifts(
        "{'model':'m','messages':[{'role':'user','content':'hi'},{'role':'assistant','content':[{'type':'text','text':"
        "'a'}]}]}",
        "'messages':[{'role':'user','content':[{'type':'text','text':'hi'}]},{'role':'assistant','content':[{'type':"
        "'text','text':'a'}]}]",
        "");
    lifts(
        "{'model':'m','messages':[{'role':'user','content':[{'type':'text','text':'first'},{'type':'tool_result',"
        "'tool_use_id':'t1','is_error':true,'content':'bad'},{'type':'tool_result','tool_use_id':'t2','content':[{"
        "'type':'image','source':{'type':'base64','media_type':'image/png','data':'QUJD'}}]}]}]}",
        "'messages':[{'role':'tool','content':[{'type':'result','id':'t1','content':[{'type':'text','text':'bad'}],"
        "'error':true,'at':'messages[0].content[1]'},{'type':'result','id':'t2','content':[{'type':'image','data':"
        "'QUJD','media_type':'image/png','at':'messages[0].content[2].content[0]'}],'at':'messages[0].content[2]'}]},{"
        "'role':'user','content':[{'type':'text','text':'first'}]}]",
        "");
    lifts(
        "{'model':'m','messages':[{'role':'assistant','content':[{'type':'tool_use','id':'t1','name':'f','input':{'a' "
        ": 1.0}}]}]}",
        "{'type':'call','id':'t1','name':'f','arguments':'{\\'a\\' : 1.0}','at':'messages[0].content[0]'}", "");
    lifts(
        "{'model':'m','messages':[{'role':'user','content':[{'type':'search_result','source':'s','title':'t','content'"
        ":[]}]}]}",
        "{'type':'other','name':'search_result','raw':{'type':'search_result','source':'s','title':'t','content':[]},"
        "'at':'messages[0].content[0]'}",
        "");
}
END_TEST

START_TEST(test_bug_10_a_signature_without_text_is_kept)
{
    lifts(
        "{'model':'m','messages':[{'role':'assistant','content':[{'type':'thinking','thinking':'','signature':'QUJD'},"
        "{'type':'redacted_thinking','data':'REVG'},{'type':'thinking','thinking':'x','signature':"
        "'weir:openai.encrypted:R0hJ'},{'type':'thinking','thinking':'y','signature':'weir:none:'}]}]}",
        "[{'type':'reasoning','opaque':'QUJD','kind':'anthropic.signature'},{'type':'reasoning','opaque':'REVG','kind'"
        ":'anthropic.redacted'},{'type':'reasoning','text':'x','opaque':'R0hJ','kind':'openai.encrypted'},{'type':"
        "'reasoning','text':'y'}]",
        "");
}
END_TEST

START_TEST(test_bug_11_cache_is_carried_part_by_part)
{
    lifts("{'model':'m','system':[{'type':'text','text':'a','cache_control':{'type':'ephemeral','ttl':'1h'}},{'type':"
          "'text','text':'b'}],'messages':[{'role':'user','content':[{'type':'tool_result','tool_use_id':'t','content':"
          "'x','cache_control':{'type':'ephemeral'}}]}],'tools':[{'name':'f','input_schema':{'type':'object'},"
          "'cache_control':{'type':'ephemeral'}}]}",
          "'system':[{'type':'text','text':'a','cache':{'ttl':'1h'}},{'type':'text','text':'b'}],'messages':[{'role':"
          "'tool','content':[{'type':'result','id':'t','content':[{'type':'text','text':'x'}],'cache':{},'at':"
          "'messages[0].content[0]'}]}],'tools':[{'name':'f','schema':{'type':'object'},'cache':{},'at':'tools[0]'}]",
          "");
}
END_TEST

START_TEST(test_lift_of_the_rest)
{
    lifts(
        "{'model':'m','max_tokens':100,'messages':[],'temperature':0.50,'top_p':1,'top_k':5,'stop_sequences':['E'],"
        "'tools':[{'name':'f','input_schema':{}},{'type':'web_search_20250305','name':'web_search'}],'tool_choice':{"
        "'type':'any','disable_parallel_tool_use':true},'metadata':{'user_id':'u'},'service_tier':'auto',"
        "'cache_control':{'type':'ephemeral'},'output_config':{'effort':'high','format':{'type':'json_schema','schema'"
        ":{'type':'object'}}},'thinking':{'type':'adaptive','display':'omitted'}}",
        "'messages':[],'tools':[{'name':'f','schema':{},'at':'tools[0]'},{'hosted':'web_search','raw':{'type':"
        "'web_search_20250305','name':'web_search'},'at':'tools[1]'}],'tool_choice':{'mode':'required'},"
        "'parallel_tools':false,'max_output':100,'temperature':0.50,'top_p':1,'top_k':5,'stop':['E'],'format':{'type':"
        "'schema','schema':{'type':'object'}},'reasoning':{'effort':'high','adaptive':true,'show':'none'},"
        "'service_tier':'auto','user':'u','cache':{}}",
        "");
    lifts("{'model':'m','messages':[],'thinking':{'type':'enabled','budget_tokens':2000}}",
          "'reasoning':{'budget':2000}", "");
    lifts("{'model':'m','messages':[],'thinking':{'type':'disabled'},'output_config':{'effort':'low'}}",
          "'reasoning':{'effort':'none','budget':0}", "output_config.effort (hint)\n");
    lifts("{'model':'m','messages':[],'context_management':{'edits':[{'type':'clear_thinking_20251015','keep':'all'}]},"
          "'mcp_servers':[]}",
          "'messages':[]", "context_management (hint)\n");
}
END_TEST

START_TEST(test_lift_refuses_by_name)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{'model':'m','messages':[],'container':'c1'}", "container"},
        {"{'model':'m','messages':[],'future':1}", "future"},
        {"{'model':'m','messages':[],'context_management':{'edits':[{'type':'compact_20260112'}]}}",
         "context_management"},
        {"{'model':'m','messages':[],'max_tokens':0}", "max_tokens"},
        {"{'model':'m','messages':[],'thinking':{'type':'new'}}", "thinking.type"},
        {"{'model':'m','messages':[],'output_config':{'task_budget':1}}", "output_config.task_budget"},
        {"{'model':'m','messages':[],'tools':[{'name':'f','input_schema':{},'allowed_callers':['x']}]}",
         "tools[0].allowed_callers"},
        {"{'model':'m','messages':[{'role':'user','content':[{'type':'text','text':'x','new':1}]}]}",
         "messages[0].content[0].new"},
        {"{'model':'m','messages':[{'role':'user','content':[{'type':'tool_result','tool_use_id':'t','content':[{'type'"
         ":"
         "'tool_reference','tool_name':'f'}]}]}]}",
         "messages[0].content[0].content[0]"},
        {"{'model':'m','messages':[{'role':'robot','content':'x'}]}", "messages[0]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(chat(rows[i].body), "%s", e.text);
        ck_assert_msg(weir_test_lift(&t, &e).ptr == NULL, "%s", rows[i].body);
        ck_assert_str_eq(e.field, rows[i].field);
    }
}
END_TEST

/* ---- encode, of the canonical request ---- */

START_TEST(test_lower_of_messages)
{
    lowers_to("{'system':[{'type':'text','text':'a','cache':{}},{'type':'text','text':'b'}],'messages':[{'role':'user',"
              "'content':[{'type':'text','text':'hi'}]}]}",
              "'system':[{'type':'text','text':'a','cache_control':{'type':'ephemeral'}},{'type':'text','text':'b'}],"
              "'messages':[{'role':'user','content':[{'type':'text','text':'hi'}]}]");
    lowers_to(
        "{'messages':[{'role':'user','content':[{'type':'image','data':'QUJD','media_type':'image/jpg','at':'a'},{"
        "'type':'image','url':'https://x.test/i','detail':'low','at':'b'},{'type':'document','data':'QUJD',"
        "'media_type':'application/pdf','name':'n','at':'c'},{'type':'document','data':'aGk=','media_type':"
        "'text/plain','at':'d'}]}]}",
        "'messages':[{'role':'user','content':[{'type':'image','source':{'type':'base64','media_type':'image/jpeg'"
        ",'data':'QUJD'}},{'type':'image','source':{'type':'url','url':'https://x.test/i'}},{'type':'document',"
        "'source':{'type':'base64','media_type':'application/pdf','data':'QUJD'},'title':'n'},{'type':'document',"
        "'source':{'type':'text','media_type':'text/plain','data':'hi'}}]}]");
    weir_test_same(t.lossy, "b.detail (hint)\n");
}
END_TEST

START_TEST(test_bug_15_results_stand_first_in_one_user_message)
{
    lowers_to(
        "{'messages':[{'role':'assistant','content':[{'type':'call','id':'a','name':'f','arguments':'{\\'x\\':1}'},"
        "{'type':'call','id':'b','name':'f','arguments':''}]},{'role':'system','content':[{'type':'text','text':"
        "'be brief'}]},{'role':'tool','content':[{'type':'result','id':'a','content':[{'type':'text','text':'1'}]}"
        "]},{'role':'tool','content':[{'type':'result','id':'b','content':[],'error':true}]},{'role':'user',"
        "'content':[{'type':'text','text':'go on'}]}]}",
        "'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'a','name':'f','input':{'x':1}},{"
        "'type':'tool_use','id':'b','name':'f','input':{}}]},{'role':'user','content':[{'type':'tool_result',"
        "'tool_use_id':'a','content':[{'type':'text','text':'1'}]},{'type':'tool_result','tool_use_id':'b',"
        "'content':[],'is_error':true},{'type':'text','text':'<system>\\nbe brief\\n</system>'},{'type':'text',"
        "'text':'go on'}]}]");
    weir_test_same(t.lossy, "messages[].role (hint)\n");
}
END_TEST

START_TEST(test_bug_17_no_arguments_are_an_empty_object)
{
    lowers_to("{'messages':[{'role':'assistant','content':[{'type':'call','id':'a','name':'f','arguments':''}]}]}",
              "'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'a','name':'f','input':{}}]}]");
    weir_test_begin(&t);
    weir_test_canonical(&t, q("{'messages':[{'role':'assistant','content':[{'type':'call','id':'a','name':'f',"
                              "'arguments':'{','at':'messages[3]'}]}]}"));
    struct weir_candidate to = weir_test_candidate("p", "m");
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    ck_assert_str_eq(e.field, "messages[3]");
}
END_TEST

START_TEST(test_bug_18_and_40_empty_text_is_no_block)
{
    lowers_to(
        "{'system':[{'type':'text','text':''}],'messages':[{'role':'assistant','content':[{'type':'text','text':''}"
        ",{'type':'call','id':'a','name':'f','arguments':'{}'}]},{'role':'assistant','content':[]}]}",
        "'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'a','name':'f','input':{}}]}]");
}
END_TEST

START_TEST(test_only_our_own_reasoning_goes_back)
{
    lowers_to(
        "{'messages':[{'role':'assistant','content':[{'type':'reasoning','text':'t','opaque':'QUJD','kind':"
        "'anthropic.signature'},{'type':'reasoning','opaque':'RA==','kind':'anthropic.redacted'},{'type':"
        "'reasoning','text':'o','opaque':'x','kind':'openai.encrypted'},{'type':'reasoning','text':'p'},{'type':"
        "'reasoning','opaque':'RQ==','kind':'anthropic.signature'}]}]}",
        "'messages':[{'role':'assistant','content':[{'type':'thinking','thinking':'t','signature':'QUJD'},{'type':"
        "'redacted_thinking','data':'RA=='},{'type':'thinking','thinking':'','signature':'RQ=='}]}]");
}
END_TEST

START_TEST(test_lower_of_tools)
{
    lowers_to(
        "{'messages':[],'tools':[{'name':'f','description':'d','schema':{'properties':{}},'strict':true,'cache':{"
        "'ttl':'1h'}},{'name':'g','schema':{}},{'name':'c','custom':{}},{'name':'a.b','schema':{'type':'object'}}]"
        ",'tool_choice':{'mode':'named','name':'f'},'parallel_tools':false}",
        "'tools':[{'name':'f','description':'d','input_schema':{'type':'object','properties':{}},'strict':true,"
        "'cache_control':{'type':'ephemeral','ttl':'1h'}},{'name':'g','input_schema':{'type':'object','properties'"
        ":{}}},{'name':'c','input_schema':{'type':'object','properties':{'input':{'type':'string'}},'required':["
        "'input']}},{'name':'o7tscn1ru8zh4xw7t6apouu4','input_schema':{'type':'object'}}],'tool_choice':{'type':"
        "'tool','name':'f','disable_parallel_tool_use':true},'messages':[]");
}
END_TEST

START_TEST(test_lower_of_choices)
{
    static const struct {
        const char *choice, *want;
    } rows[] = {
        {"{'mode':'auto'}", "{'type':'auto'}"},
        {"{'mode':'required'}", "{'type':'any'}"},
        {"{'mode':'none'}", "{'type':'none'}"},
        {"{'mode':'allowed','names':['f'],'required':true}", "{'type':'any'}"},
        {"{'mode':'allowed','names':['f']}", "{'type':'auto'}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char in[512], out[512];
        snprintf(in, sizeof in, "{'messages':[],'tools':[{'name':'f'}],'tool_choice':%s}", rows[i].choice);
        snprintf(
            out, sizeof out,
            "{'model':'m','max_tokens':8192,'tools':[{'name':'f','input_schema':{'type':'object','properties':{}}}],"
            "'tool_choice':%s,'messages':[]}",
            rows[i].want);
        weir_test_same(lowers(in, "m"), q(out));
    }
}
END_TEST

START_TEST(test_lower_of_the_rest)
{
    lowers_to(
        "{'stream':true,'messages':[],'temperature':1.7,'top_p':0.9,'top_k':3,'stop':['E',' \\n'],'user':'u',"
        "'service_tier':'flex','seed':1,'presence_penalty':0,'frequency_penalty':0.5,'n':1,'cache':{'ttl':'24h'}}",
        "'stream':true,'temperature':1,'top_k':3,'stop_sequences':['E'],'metadata':{'user_id':'u'},'cache_control'"
        ":{'type':'ephemeral'},'messages':[]");
    weir_test_same(t.lossy, "frequency_penalty (hint)\nseed (hint)\ntemperature (hint)\ntop_p (hint)\nstop (hint)\n"
                            "service_tier (hint)\ncache (hint)\n");
    lowers_to("{'messages':[],'format':{'type':'schema','name':'x','schema':{'type':'object'}}}",
              "'output_config':{'format':{'type':'json_schema','schema':{'type':'object'}}},'messages':[]");
    lowers_to("{'messages':[],'format':{'type':'json'}}",
              "'system':[{'type':'text','text':'Answer with one JSON object and nothing else.'}],'messages':[]");
}
END_TEST

START_TEST(test_lower_takes_the_limit_of_the_catalogue)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    weir_test_begin(&t);
    weir_test_canonical(&t, q("{'messages':[]}"));
    weir_test_fact(&t, "model.max_output", "64000");
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), q("{'model':'m','max_tokens':64000,'messages':[]}"));
}
END_TEST

START_TEST(test_lower_refuses_by_the_clients_name)
{
    static const struct {
        const char *canonical, *field;
    } rows[] = {
        {"{'messages':[],'n':2}", "n"},
        {"{'names':{'logprobs':'top_logprobs'},'messages':[],'logprobs':3}", "top_logprobs"},
        {"{'messages':[{'role':'user','content':[{'type':'audio','data':'QQ==','format':'wav','at':'m[0].c[1]'}]}]}",
         "m[0].c[1]"},
        {"{'messages':[{'role':'user','content':[{'type':'image','file':'file-1','at':'x'}]}]}", "x"},
        {"{'messages':[],'tools':[{'hosted':'web_search','raw':{},'at':'tools[0]'}]}", "tools[0]"},
        {"{'messages':[],'tool_choice':{'mode':'required'}}", "tool_choice"},
        {"{'messages':[],'temperature':0.5,'reasoning':{'effort':'low'}}", "temperature"},
    };
    struct weir_candidate to = weir_test_candidate("p", "claude-opus-5");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_test_begin(&t);
        weir_test_canonical(&t, q(rows[i].canonical));
        ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
        ck_assert_str_eq(e.field, rows[i].field);
    }
}
END_TEST

START_TEST(test_lower_of_thinking)
{
    static const struct {
        const char *model, *reasoning, *want;
    } rows[] = {
        {"claude-opus-5", "{'effort':'minimal'}", "'thinking':{'type':'adaptive'},'output_config':{'effort':'low'},"},
        {"claude-opus-4-6", "{'effort':'max'}", "'thinking':{'type':'adaptive'},'output_config':{'effort':'max'},"},
        {"claude-opus-5", "{'budget':9000}", "'thinking':{'type':'adaptive'},'output_config':{'effort':'high'},"},
        {"claude-opus-5", "{'budget':1500}", "'thinking':{'type':'adaptive'},'output_config':{'effort':'low'},"},
        {"claude-opus-5", "{'adaptive':true,'show':'auto'}", "'thinking':{'type':'adaptive','display':'summarized'},"},
        {"claude-sonnet-4-5-20250929", "{'effort':'medium'}", "'thinking':{'type':'enabled','budget_tokens':5000},"},
        {"claude-3-7-sonnet-20250219", "{'effort':'minimal'}", "'thinking':{'type':'enabled','budget_tokens':1024},"},
        {"claude-sonnet-4-5", "{'budget':20000}", "'thinking':{'type':'enabled','budget_tokens':9999},"},
        {"claude-sonnet-4-5", "{'effort':'none'}", "'thinking':{'type':'disabled'},"},
        {"claude-sonnet-4-20250514", "{'budget':0}", "'thinking':{'type':'disabled'},"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char in[256], out[256];
        snprintf(in, sizeof in, "{'messages':[],'max_output':10000,'reasoning':%s}", rows[i].reasoning);
        snprintf(out, sizeof out, "{'model':'%s','max_tokens':10000,%s'messages':[]}", rows[i].model, rows[i].want);
        weir_test_same(lowers(in, rows[i].model), q(out));
    }
}
END_TEST

/* A budget model in the middle of a loop of tools that another vendor's model began. */
START_TEST(test_thinking_is_off_in_a_foreign_loop)
{
    struct weir_str body = lowers(
        "{'names':{'reasoning':'reasoning_effort'},'messages':[{'role':'assistant','content':[{'type':'call','id':"
        "'a','name':'f','arguments':'{}'}]},{'role':'tool','content':[{'type':'result','id':'a','content':[]}]}],"
        "'reasoning':{'effort':'high'}}",
        "claude-sonnet-4-5");

    ck_assert(memmem(body.ptr, body.len, q("'thinking':{'type':'disabled'}"), 30) != NULL);
    weir_test_same(t.lossy, "reasoning_effort (hint)\n");
}
END_TEST

/* The next turn's bytes begin with this one's. */
START_TEST(test_bug_19_prefixes_are_stable)
{
#define TURN                                                                                                           \
    "{'role':'user','content':[{'type':'text','text':'hi'}]},{'role':'assistant','content':[{'type':'text','text':'a'" \
    "}]}"
    struct weir_str one = lowers("{'tools':[{'name':'f'}],'messages':[" TURN "]}", "m"), two;
    char *kept = strndup(one.ptr, one.len - 2);

    two = lowers("{'tools':[{'name':'f'}],'messages':[" TURN "," TURN "]}", "m");
    ck_assert_int_eq(strncmp(kept, two.ptr, strlen(kept)), 0);
    free(kept);
}
END_TEST

/* There and back: every mapped field of a request is what it was. */
START_TEST(test_round_trip)
{
    static const char body[] =
        "{'model':'claude-opus-5','max_tokens':100,'stream':true,'stop_sequences':['E'],'thinking':{'type':'adaptive',"
        "'display':'omitted'},'output_config':{'effort':'high','format':{'type':'json_schema','schema':{'type':'object'"
        "}}"
        "},'metadata':{'user_id':'u'},'service_tier':'auto','cache_control':{'type':'ephemeral','ttl':'1h'},'system':[{"
        "'type':'text','text':'s','cache_control':{'type':'ephemeral'}}],'tools':[{'name':'f','description':'d',"
        "'input_schema':{'type':'object','x':1.0},'strict':true}],'tool_choice':{'type':'auto',"
        "'disable_parallel_tool_use':true},'messages':[{'role':'user','content':[{'type':'text','text':'\\u00e9'},{'"
        "type'"
        ":'image','source':{'type':'url','url':'u'}},{'type':'document','source':{'type':'text','media_type':'text/"
        "plain'"
        ",'data':'d'},'title':'t','context':'c','citations':{'enabled':true}}]},{'role':'assistant','content':[{'type':"
        "'thinking','thinking':'th','signature':'QQ=='},{'type':'tool_use','id':'t1','name':'f','input':{'a' "
        ":1.50}}]},{"
        "'role':'user','content':[{'type':'tool_result','tool_use_id':'t1','content':[{'type':'text','text':'r'}],"
        "'is_error':true},{'type':'text','text':'go'}]}]}";
    struct weir_candidate to = weir_test_candidate("p", "claude-opus-5");
    struct weir_str canonical;
    char *z;

    ck_assert(chat(body));
    canonical = weir_test_lift(&t, &e);
    z = strndup(canonical.ptr, canonical.len);
    weir_test_begin(&t);
    weir_test_canonical(&t, z);
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_sent(&t), q(body));
    weir_test_same(t.lossy, "");
    free(z);
}
END_TEST

/* ---- errors and lists ---- */

START_TEST(test_refuse)
{
    static const struct {
        struct weir_refusal refusal;
        const char *want;
    } rows[] = {
        {{403, "denied", "No.", "", false},
         "{'type':'error','error':{'type':'permission_error','message':'No.','details':{'code':'denied'}},'request_id':"
         "'r1'}"},
        {{400, "", "Bad.", "messages[0]", true},
         "event: error\ndata: {'type':'error','error':{'type':'invalid_request_error','message':'messages[0]: Bad.'},"
         "'request_id':'r1'}\n\n"},
        {{400, "context_length_exceeded",
          "This model's maximum context length is 128,000 tokens. However, your messages resulted in 130001 tokens.",
          "", false},
         "{'type':'error','error':{'type':'invalid_request_error','message':'prompt is too long: 130001 tokens > "
         "128000 "
         "maximum','details':{'code':'context_length_exceeded'}},'request_id':'r1'}"},
    };
    static const struct {
        int status;
        const char *type;
    } types[] = {
        {401, "authentication_error"},
        {402, "billing_error"},
        {404, "not_found_error"},
        {408, "timeout_error"},
        {409, "conflict_error"},
        {413, "request_too_large"},
        {422, "invalid_request_error"},
        {429, "rate_limit_error"},
        {500, "api_error"},
        {502, "api_error"},
        {504, "timeout_error"},
        {529, "overloaded_error"},
    };

    weir_test_fact(&t, "request_id", "r1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weir_test_refuse(&t, &rows[i].refusal);
        weir_test_same(t.out, q(rows[i].want));
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct weir_refusal r = {types[i].status, "", "x", "", false};
        weir_test_refuse(&t, &r);
        ck_assert(memmem(t.out.ptr, t.out.len, types[i].type, strlen(types[i].type)) != NULL);
    }
}
END_TEST

START_TEST(test_list)
{
    const struct weir_model models[] = {{WEIR_STR("claude-a"), WEIR_STR("x"), 1700000000},
                                        {WEIR_STR("b/c"), WEIR_STR("x"), 0},
                                        {WEIR_STR("d"), WEIR_STR("x"), 0}};
#define A "{'type':'model','id':'claude-a','display_name':'claude-a','created_at':'2023-11-14T22:13:20Z'}"
#define B "{'type':'model','id':'b/c','display_name':'b/c','created_at':'1970-01-01T00:00:00Z'}"
#define D "{'type':'model','id':'d','display_name':'d','created_at':'1970-01-01T00:00:00Z'}"

    ck_assert(models_get("/v1/models?limit=1000"));
    weir_test_list(&t, models, 3);
    weir_test_same(t.out, q("{'data':[" A "," B "," D "],'has_more':false,'first_id':'claude-a','last_id':'d'}"));
    ck_assert(models_get("/v1/models?limit=1&after_id=claude-a"));
    weir_test_list(&t, models, 3);
    weir_test_same(t.out, q("{'data':[" B "],'has_more':true,'first_id':'b/c','last_id':'b/c'}"));
    ck_assert(models_get("/v1/models?after_id=b%2fc"));
    weir_test_list(&t, models, 3);
    weir_test_same(t.out, q("{'data':[" D "],'has_more':false,'first_id':'d','last_id':'d'}"));
    ck_assert(models_get("/v1/models?limit=1&before_id=d"));
    weir_test_list(&t, models, 3);
    weir_test_same(t.out, q("{'data':[" B "],'has_more':true,'first_id':'b/c','last_id':'b/c'}"));
    weir_test_list(&t, models, 0);
    weir_test_same(t.out, q("{'data':[],'has_more':false,'first_id':null,'last_id':null}"));
    ck_assert(models_get("/v1/models/d"));
    weir_test_list(&t, models + 2, 1);
    weir_test_same(t.out, q(D));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("anthropic");
    TCase *c = tcase_create("anthropic");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_accept_reads_what_the_host_needs);
    tcase_add_test(c, test_accept_refuses_what_is_unclear);
    tcase_add_test(c, test_accept_spans);
    tcase_add_test(c, test_bug_19_the_clients_bytes_go_through);
    tcase_add_test(c, test_bug_38_the_clients_headers_win);
    tcase_add_test(c, test_encode_counts_tokens);
    tcase_add_test(c, test_encode_takes_foreign_thinking_out);
    tcase_add_test(c, test_lift_of_messages);
    tcase_add_test(c, test_bug_10_a_signature_without_text_is_kept);
    tcase_add_test(c, test_bug_11_cache_is_carried_part_by_part);
    tcase_add_test(c, test_lift_of_the_rest);
    tcase_add_test(c, test_lift_refuses_by_name);
    tcase_add_test(c, test_lower_of_messages);
    tcase_add_test(c, test_bug_15_results_stand_first_in_one_user_message);
    tcase_add_test(c, test_bug_17_no_arguments_are_an_empty_object);
    tcase_add_test(c, test_bug_18_and_40_empty_text_is_no_block);
    tcase_add_test(c, test_only_our_own_reasoning_goes_back);
    tcase_add_test(c, test_lower_of_tools);
    tcase_add_test(c, test_lower_of_choices);
    tcase_add_test(c, test_lower_of_the_rest);
    tcase_add_test(c, test_lower_takes_the_limit_of_the_catalogue);
    tcase_add_test(c, test_lower_refuses_by_the_clients_name);
    tcase_add_test(c, test_lower_of_thinking);
    tcase_add_test(c, test_thinking_is_off_in_a_foreign_loop);
    tcase_add_test(c, test_bug_19_prefixes_are_stable);
    tcase_add_test(c, test_round_trip);
    tcase_add_test(c, test_refuse);
    tcase_add_test(c, test_list);
    suite_add_tcase(s, c);
    return s;
}
