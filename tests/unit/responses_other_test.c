/* SPDX-License-Identifier: Apache-2.0 */
/* responses_other_test.c -- Responses beside other dialects: clients as canonical requests and canonical requests as
 * bodies, both written by hand from docs/canonical.md; answers as events for clients of other dialects. */
#include "responses_kit.h"

/* ---- lift ---- */

#define NAMES                                                                                                          \
    "'names':{'system':'instructions','messages':'input','parallel_tools':'parallel_tool_calls','max_output':"         \
    "'max_output_tokens','format':'text.format','verbosity':'text.verbosity','cache_key':'prompt_cache_key'}"
#define HI "{'role':'user','content':[{'type':'text','text':'hi'}]}"

/* Members beside `model` -> members of the canonical request; the names of what was left out, one a line. */
static const struct {
    const char *body, *want, *lossy;
} lifts[] = {
    {"'input':'hi'", "'stream':false,'messages':[" HI "]", ""},
    /* what stands first is the system's, what stands between is a message */
    {"'stream':true,'instructions':'i','input':[{'role':'system','content':'s'},{'role':'user','content':'hi'},{'role':"
     "'developer','content':[{'type':'input_text','text':'d'}]}]",
     "'stream':true,'system':[{'type':'text','text':'i'},{'type':'text','text':'s'}],'messages':[" HI
     ",{'role':'system','content':[{'type':'text','text':'d'}]}]",
     ""},
    /* parts */
    {"'input':[{'role':'user','content':[{'type':'input_image','image_url':'data:image/"
     "png;base64,QUJD','detail':'low'},"
     "{'type':'input_image','image_url':'https://h/i'},{'type':'input_image','file_id':'f1'},{'type':'input_file',"
     "'filename':'a.pdf','file_data':'data:application/pdf;base64,QUI='},{'type':'input_file','file_url':'https://h/"
     "f'},"
     "{'type':'input_audio','input_audio':{'data':'QQ==','format':'wav'}},{'type':'input_text','text':'c',"
     "'prompt_cache_breakpoint':{'mode':'explicit'}}]}]",
     "'stream':false,'messages':[{'role':'user','content':[{'type':'image','data':'QUJD','media_type':'image/png',"
     "'detail':'low','at':'input[0].content[0]'},{'type':'image','url':'https://h/i','at':'input[0].content[1]'},"
     "{'type':'image','file':'f1','at':'input[0].content[2]'},{'type':'document','data':'QUI=','media_type':"
     "'application/pdf','name':'a.pdf','at':'input[0].content[3]'},{'type':'document','url':'https://h/f','at':"
     "'input[0].content[4]'},{'type':'audio','data':'QQ==','format':'wav','at':'input[0].content[5]'},{'type':'text',"
     "'text':'c','cache':{}}]}]",
     ""},
    /* what the model did in one turn is one message, reasoning in front of what it led to; results are another */
    {"'input':[{'type':'message','id':'msg_1','role':'user','content':'hi'},{'type':'reasoning','id':'rs_1','summary':["
     "{"
     "'type':'summary_text','text':'one'},{'type':'summary_text','text':'two'}],'encrypted_content':'gAAA'},{'type':"
     "'message','id':'msg_2','role':'assistant','status':'completed','phase':'commentary','content':[{'type':"
     "'output_text','text':'Let me','annotations':[],'logprobs':[]},{'type':'refusal','refusal':'no'}]},{'type':"
     "'function_call','id':'fc_1','call_id':'c1','name':'f','arguments':'{}','status':'completed'},{'type':"
     "'custom_tool_call','call_id':'c2','name':'g','input':'free'},{'type':'function_call_output','call_id':'c1',"
     "'output':'42'},{'type':'custom_tool_call_output','call_id':'c2','output':[{'type':'input_image','image_url':"
     "'https://h/i'}]}]",
     "'stream':false,'messages':[" HI ",{'role':'assistant','content':[{'type':'reasoning','text':'one\\n\\ntwo',"
     "'opaque':'gAAA','kind':'openai.encrypted'},{'type':'text','text':'Let me'},{'type':'refusal','text':'no'},{"
     "'type':'call','id':'c1','name':'f','arguments':'{}','at':'input[3]'},{'type':'call','id':'c2','name':'g',"
     "'custom':true,'input':'free','at':'input[4]'}]},{'role':'tool','content':[{'type':'result','id':'c1','content':[{"
     "'type':'text','text':'42'}],'at':'input[5]'},{'type':'result','id':'c2','content':[{'type':'image','url':"
     "'https://h/i','at':'input[6].output[0]'}],'at':'input[6]'}]}]",
     "input[2].phase (hint)\n"},
    /* tools */
    {"'input':'hi','tools':[{'type':'function','name':'f','description':'d','parameters':{'b':1.0,'a':2},'strict':true}"
     ","
     "{'type':'function','name':'n','strict':null},{'type':'custom','name':'g','format':{'type':'text'}},{'type':"
     "'custom','name':'h','format':{'type':'grammar','syntax':'lark','definition':'x'}},{'type':'web_search','max':1}],"
     "'tool_choice':{'type':'allowed_tools','mode':'required','tools':[{'type':'function','name':'f'},{'type':'custom',"
     "'name':'g'}]},'parallel_tool_calls':false",
     "'stream':false,'messages':[" HI "],'tools':[{'name':'f','description':'d','schema':{'b':1.0,'a':2},'strict':true,"
     "'at':'tools[0]'},{'name':'n','at':'tools[1]'},{'name':'g','custom':{},'at':'tools[2]'},{'name':'h','custom':{"
     "'type':'grammar','syntax':'lark','definition':'x'},'at':'tools[3]'},{'hosted':'web_search','raw':{'type':"
     "'web_search','max':1},'at':'tools[4]'}],'tool_choice':{'mode':'allowed','names':['f','g'],'required':true},"
     "'parallel_tools':false",
     ""},
    {"'input':'hi','tool_choice':{'type':'function','name':'f'}",
     "'stream':false,'messages':[" HI "],'tool_choice':{'mode':'named','name':'f'}", ""},
    {"'input':'hi','tool_choice':'required'", "'stream':false,'messages':[" HI "],'tool_choice':{'mode':'required'}",
     ""},
    /* scalars */
    {"'input':'hi','max_output_tokens':9,'temperature':1.0,'top_p':0.50,'text':{'format':{'type':'json_schema','name':"
     "'n','schema':{'z':1,'a':2},'strict':true},'verbosity':'low'},'reasoning':{'effort':'high','summary':'auto'},"
     "'service_tier':'flex','metadata':{'k':'v'},'prompt_cache_key':'ck','prompt_cache_options':{'mode':'implicit',"
     "'ttl':'30m'}",
     "'stream':false,'messages':[" HI "],'max_output':9,'temperature':1.0,'top_p':0.50,'format':{'type':'schema',"
     "'name':'n','schema':{'z':1,'a':2},'strict':true},'reasoning':{'effort':'high','show':'auto'},'verbosity':'low',"
     "'service_tier':'flex','metadata':{'k':'v'},'cache_key':'ck','cache':{'ttl':'30m'}",
     ""},
    {"'input':'hi','text':{'format':{'type':'json_object'}}",
     "'stream':false,'messages':[" HI "],'format':{'type':'json'}", ""},
    /* what says nothing, and what changes no meaning */
    {"'input':'hi','store':true,'background':false,'previous_response_id':null,'conversation':null,'prompt':null,"
     "'truncation':'disabled','top_logprobs':0,'tools':[],'include':['reasoning.encrypted_content'],'stream_options':{"
     "'include_obfuscation':false},'max_tool_calls':3,'text':{'format':{'type':'text'}},'surprise':null",
     "'stream':false,'messages':[" HI "]", "store (hint)\nmax_tool_calls (hint)\n"},
};

START_TEST(test_lift)
{
    for (size_t i = 0; i < sizeof lifts / sizeof *lifts; i++) {
        char body[4096], want[4096];
        struct weir_str made;
        snprintf(body, sizeof body, "{'model':'m',%s}", lifts[i].body);
        snprintf(want, sizeof want, "{" NAMES ",%s}", lifts[i].want);
        ck_assert_msg(client(body), "%s: %s", e.text, body);
        made = weir_test_lift(&t, &e);
        ck_assert_msg(made.ptr != NULL, "%s: %s", e.text, body);
        weir_test_same(made, q(want));
        weir_test_same(t.lossy, lifts[i].lossy);
    }
}
END_TEST

START_TEST(test_lift_user)
{
    struct weir_str made;

    ck_assert(client("{'model':'m','input':'hi','user':'u','safety_identifier':'s'}"));
    made = weir_test_lift(&t, &e);
    ck_assert(memmem(made.ptr, made.len, q("'user':'safety_identifier'"), 26) != NULL);
    ck_assert(memmem(made.ptr, made.len, q("'user':'s'"), 10) != NULL);
    weir_test_same(t.lossy, "user (hint)\n");
}
END_TEST

/* Refused by the name that the client gave it; with unsupported = "drop" only what points to kept state still is. */
START_TEST(test_lift_refuses)
{
    static const struct {
        const char *members, *field;
        bool always;
    } rows[] = {
        {"'input':'a','previous_response_id':'resp_1'", "previous_response_id", true},
        {"'input':'a','conversation':'conv_1'", "conversation", true},
        {"'input':'a','background':true", "background", true},
        {"'prompt':{'id':'p'}", "prompt", true},
        {"'input':[{'type':'item_reference','id':'msg_1'}]", "input[0]", true},
        {"'stream':true", "input", true},
        {"'input':'a','surprise':1", "surprise", false},
        {"'input':'a','top_logprobs':5", "top_logprobs", false},
        {"'input':'a','truncation':'auto'", "truncation", false},
        {"'input':'a','include':['message.output_text.logprobs']", "include.message.output_text.logprobs", false},
        {"'input':'a','reasoning':{'effort':'extreme'}", "reasoning.effort", false},
        {"'input':'a','text':{'format':{'type':'yaml'}}", "text.format", false},
        {"'input':'a','tool_choice':{'type':'web_search'}", "tool_choice", false},
        {"'input':'a','tools':[{'type':'function','name':'f','defer_loading':true}]", "tools[0].defer_loading", false},
        {"'input':[{'role':'user','content':[{'type':'novel'}]}]", "input[0].content[0]", false},
        {"'input':[{'type':'function_call','call_id':'c','name':'f','arguments':'{}','namespace':'n'}]",
         "input[0].namespace", false},
    };

    for (int drop = 0; drop < 2; drop++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char body[512];
            snprintf(body, sizeof body, "{'model':'m',%s}", rows[i].members);
            ck_assert_msg(client(body), "%s: %s", e.text, body);
            t.drop = drop;
            ck_assert_msg((weir_test_lift(&t, &e).ptr != NULL) == (drop && !rows[i].always), "%s", body);
            if (!drop || rows[i].always)
                ck_assert_str_eq(e.field, rows[i].field);
        }
}
END_TEST

/* providers.md, bug 28: an item that is not known is refused by its place, or left out and told; never a message. */
START_TEST(test_bug_28_unknown_items_become_no_message)
{
    static const char *const types[] = {"web_search_call", "compaction", "mcp_call", "computer_call", "novel"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char body[256];
        struct weir_str made;
        snprintf(body, sizeof body, "{'model':'m','input':[{'role':'user','content':'hi'},{'type':'%s','id':'x'}]}",
                 types[i]);
        ck_assert(client(body));
        t.drop = false;
        ck_assert(weir_test_lift(&t, &e).ptr == NULL);
        ck_assert_str_eq(e.field, "input[1]");
        ck_assert(client(body));
        t.drop = true;
        made = weir_test_lift(&t, &e);
        weir_test_same(made, q("{" NAMES ",'stream':false,'messages':[" HI "]}"));
        weir_test_same(t.lossy, "input[1]\n");
    }
}
END_TEST

/* Reasoning without a follower, without text, or with our own mark. */
START_TEST(test_bug_28_lift_of_reasoning)
{
    static const struct {
        const char *item, *want;
    } rows[] = {
        {"{'type':'reasoning','id':'rs_1','summary':[]}", "'content':[]"},
        {"{'type':'reasoning','summary':[],'encrypted_content':'weir:none:'}", "'content':[]"},
        {"{'type':'reasoning','summary':[{'type':'summary_text','text':'t'}],'encrypted_content':'weir:none:'}",
         "'content':[{'type':'reasoning','text':'t'}]"},
        {"{'type':'reasoning','summary':[],'content':[{'type':'reasoning_text','text':'t'}]}",
         "'content':[{'type':'reasoning','text':'t'}]"},
        {"{'type':'reasoning','summary':[{'type':'summary_text','text':'t'}],'encrypted_content':"
         "'weir:anthropic.signature:Uy8='}",
         "'content':[{'type':'reasoning','text':'t','opaque':'Uy8=','kind':'anthropic.signature'}]"},
        {"{'type':'reasoning','summary':[],'encrypted_content':'gAAA'}",
         "'content':[{'type':'reasoning','opaque':'gAAA','kind':'openai.encrypted'}]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[512], want[512];
        snprintf(body, sizeof body, "{'model':'m','input':[%s]}", rows[i].item);
        snprintf(want, sizeof want, "{" NAMES ",'stream':false,'messages':[{'role':'assistant',%s}]}", rows[i].want);
        ck_assert(client(body));
        weir_test_same(weir_test_lift(&t, &e), q(want));
    }
}
END_TEST

/* ---- lower ---- */

static bool lowered(const char *canonical)
{
    struct weir_candidate to = weir_test_candidate("p", "gpt");

    weir_test_begin(&t);
    weir_test_canonical(&t, q(canonical));
    return weir_test_encode(&t, &to, &e) == WEIR_PASS;
}

#define KEEP "'store':false,'include':['reasoning.encrypted_content']"
#define U    "{'type':'message','role':'user','content':[{'type':'input_text','text':'hi'}]}"

static const struct {
    const char *canonical, *want, *lossy;
} lowers[] = {
    {"'messages':[" HI "]", KEEP ",'input':[" U "]", ""},
    {"'stream':true,'system':[{'type':'text','text':'s'}],'messages':[" HI "]",
     KEEP ",'stream':true,'instructions':'s','input':[" U "]", ""},
    /* several texts of the system stay apart */
    {"'system':[{'type':'text','text':'a'},{'type':'text','text':''},{'type':'text','text':'b'}],'messages':[{'role':"
     "'system','content':[{'type':'text','text':'c'}]}]",
     KEEP ",'input':[{'type':'message','role':'developer','content':[{'type':'input_text','text':'a'}]},{'type':"
          "'message','role':'developer','content':[{'type':'input_text','text':'b'}]},{'type':'message','role':"
          "'developer','content':[{'type':'input_text','text':'c'}]}]",
     ""},
    {"'messages':[{'role':'user','content':[{'type':'image','data':'QUJD','media_type':'image/png','detail':'low'},{"
     "'type':'image','url':'https://h/i'},{'type':'document','data':'QUI=','media_type':'application/pdf','name':"
     "'a.pdf'},{'type':'document','url':'https://h/"
     "f'},{'type':'document','text':'plain'},{'type':'audio','data':'QQ==',"
     "'format':'wav'},{'type':'text','text':''}]}]",
     KEEP ",'input':[{'type':'message','role':'user','content':[{'type':'input_image','image_url':"
          "'data:image/png;base64,QUJD','detail':'low'},{'type':'input_image','image_url':'https://h/i'},{'type':"
          "'input_file','file_data':'data:application/pdf;base64,QUI=','filename':'a.pdf'},{'type':'input_file',"
          "'file_url':'https://h/f'},{'type':'input_text','text':'plain'},{'type':'input_audio','input_audio':{'data':"
          "'QQ==','format':'wav'}}]}]",
     ""},
    /* calls and results have no ids of stored items, and results know what kind of call they answer */
    {"'messages':[{'role':'assistant','content':[{'type':'text','text':'a'},{'type':'text','text':'b'},{'type':'call',"
     "'id':'c1','name':'f','arguments':'{\\'x\\':1}'},{'type':'call','id':'c2','name':'g','custom':true,'input':'free'}"
     ","
     "{'type':'refusal','text':'no'}]},{'role':'tool','content':[{'type':'result','id':'c1','content':[{'type':'text',"
     "'text':'42'}]},{'type':'result','id':'c2','content':[{'type':'text','text':'1'},{'type':'image','url':"
     "'https://h/i'}]},{'type':'result','id':'c3','content':[]}]}]",
     KEEP
     ",'input':[{'type':'message','role':'assistant','content':[{'type':'output_text','text':'a','annotations':[]},"
     "{'type':'output_text','text':'b','annotations':[]}]},{'type':'function_call','call_id':'c1','name':'f',"
     "'arguments':'{\\'x\\':1}'},{'type':'custom_tool_call','call_id':'c2','name':'g','input':'free'},{'type':"
     "'message','role':'assistant','content':[{'type':'refusal','refusal':'no'}]},{'type':'function_call_output',"
     "'call_id':'c1','output':'42'},{'type':'custom_tool_call_output','call_id':'c2','output':[{'type':"
     "'input_text','text':'1'},{'type':'input_image','image_url':'https://h/i'}]},{'type':'function_call_output',"
     "'call_id':'c3','output':''}]",
     ""},
    /* tools: `strict` is always said */
    {"'messages':[],'tools':[{'name':'f','description':'d','schema':{'b':1.0,'a':2},'strict':true},{'name':'n'},{"
     "'name':'g','custom':{}},{'name':'h','custom':{'type':'grammar','grammar':{'syntax':'lark','definition':'x'}}}],"
     "'tool_choice':{'mode':'named','name':'g'},'parallel_tools':false",
     "'tools':[{'type':'function','name':'f','description':'d','parameters':{'b':1.0,'a':2},'strict':true},{'type':"
     "'function','name':'n','parameters':{'type':'object','properties':{}},'strict':false},{'type':'custom','name':'g'}"
     ","
     "{'type':'custom','name':'h','format':{'type':'grammar','syntax':'lark','definition':'x'}}],'tool_choice':{'type':"
     "'custom','name':'g'},'parallel_tool_calls':false," KEEP ",'input':[]",
     ""},
    {"'messages':[],'tools':[{'name':'f'}],'tool_choice':{'mode':'allowed','names':['f'],'required':true}",
     "'tools':[{'type':'function','name':'f','parameters':{'type':'object','properties':{}},'strict':false}],"
     "'tool_choice':{'type':'allowed_tools','mode':'required','tools':[{'type':'function','name':'f'}]}," KEEP
     ",'input':[]",
     ""},
    {"'messages':[],'tool_choice':{'mode':'auto'},'parallel_tools':true", KEEP ",'input':[]", ""},
    /* scalars */
    {"'messages':[],'max_output':100,'temperature':1.0,'top_p':0.5,'format':{'type':'schema','schema':{'z':1,'a':2}},"
     "'reasoning':{'effort':'low','show':'auto'},'verbosity':'high','service_tier':'flex','user':'u','metadata':{'k':"
     "'v'},'cache_key':'c'",
     "'max_output_tokens':100,'temperature':1.0,'top_p':0.5,'reasoning':{'effort':'low','summary':'auto'},'text':{"
     "'format':{'type':'json_schema','name':'answer','schema':{'z':1,'a':2}},'verbosity':'high'},'service_tier':'flex',"
     "'metadata':{'k':'v'},'safety_identifier':'u','prompt_cache_key':'c'," KEEP ",'input':[]",
     ""},
    {"'messages':[],'max_output':5,'format':{'type':'json'},'service_tier':'standard_only','reasoning':{'budget':9000},"
     "'seed':1,'top_k':2,'n':1,'presence_penalty':0,'frequency_penalty':0.5,'stop':[],'logit_bias':{}",
     "'max_output_tokens':16,'reasoning':{'effort':'high'},'text':{'format':{'type':'json_object'}}," KEEP
     ",'input':[]",
     "top_k (hint)\nfrequency_penalty (hint)\nseed (hint)\nmax_output (hint)\nservice_tier (hint)\n"},
    {"'messages':[],'max_output':1000,'reasoning':{'budget':0,'show':'none'}",
     "'max_output_tokens':1000,'reasoning':{'effort':'none'}," KEEP ",'input':[]", ""},
};

START_TEST(test_lower)
{
    for (size_t i = 0; i < sizeof lowers / sizeof *lowers; i++) {
        char canonical[4096], want[4096];
        snprintf(canonical, sizeof canonical, "{%s}", lowers[i].canonical);
        snprintf(want, sizeof want, "{'model':'gpt',%s}", lowers[i].want);
        ck_assert_msg(lowered(canonical), "%s: %s", e.text, canonical);
        weir_test_same(weir_test_sent(&t), q(want));
        weir_test_same(t.lossy, lowers[i].lossy);
    }
}
END_TEST

START_TEST(test_lower_refuses)
{
    static const struct {
        const char *members, *field;
    } rows[] = {
        {"'names':{'n':'generationConfig.candidateCount'},'messages':[],'n':2", "generationConfig.candidateCount"},
        {"'messages':[],'logprobs':2", "logprobs"},
        {"'messages':[],'stop':['END']", "stop"},
        {"'messages':[],'tools':[{'hosted':'web_search','raw':{},'at':'tools[3]'}]", "tools[3]"},
        {"'messages':[{'role':'user','content':[{'type':'video','url':'u','at':'messages[0].content[0]'}]}]",
         "messages[0].content[0]"},
        {"'messages':[{'role':'user','content':[{'type':'image','file':'f','at':'messages[0].content[0]'}]}]",
         "messages[0].content[0]"},
        {"'messages':[{'role':'user','content':[{'type':'other','name':'x','raw':{},'at':'a.b'}]}]", "a.b"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char canonical[512];
        snprintf(canonical, sizeof canonical, "{%s}", rows[i].members);
        ck_assert_msg(!lowered(canonical), "%s", canonical);
        ck_assert_str_eq(e.field, rows[i].field);
    }
}
END_TEST

static void fact(const char *name, const char *value)
{
    weir_test_fact(&t, name, value);
}

static void lowers_with(const char *name, const char *value, const char *members, const char *want, const char *lossy)
{
    struct weir_candidate to = weir_test_candidate("p", "gpt");
    char canonical[1024], body[1024];

    snprintf(canonical, sizeof canonical, "{'messages':[],%s}", members);
    snprintf(body, sizeof body, "{'model':'gpt',%s,'input':[]}", want);
    weir_test_begin(&t);
    fact(name, value);
    weir_test_canonical(&t, q(canonical));
    ck_assert_msg(weir_test_encode(&t, &to, &e) == WEIR_PASS, "%s", e.text);
    weir_test_same(weir_test_sent(&t), q(body));
    weir_test_same(t.lossy, lossy);
}

/* The catalogue says what a model takes. */
START_TEST(test_lower_by_the_catalogue)
{
    lowers_with("model.reasoning", "false", "'reasoning':{'effort':'high'}", "'store':false", "reasoning (hint)\n");
    lowers_with("model.reasoning", "false", "'reasoning':{'effort':'none'}", "'store':false", "");
    lowers_with("model.reasoning", "true", "'reasoning':{'effort':'high'}", "'reasoning':{'effort':'high'}," KEEP, "");
    lowers_with("model.efforts", "low medium high", "'reasoning':{'effort':'max'}",
                "'reasoning':{'effort':'high'}," KEEP, "reasoning (hint)\n");
    lowers_with("model.efforts", "low high", "'reasoning':{'effort':'medium'}", "'reasoning':{'effort':'low'}," KEEP,
                "reasoning (hint)\n");
    lowers_with("model.efforts", "medium high", "'reasoning':{'effort':'none'}",
                "'reasoning':{'effort':'medium'}," KEEP, "reasoning (hint)\n");
    lowers_with("model.refuses", "temperature top_p", "'temperature':1.0", KEEP, "temperature (hint)\n");
    options("encrypted_reasoning = false");
    ck_assert(lowered("{'messages':[]}"));
    weir_test_same(weir_test_sent(&t), q("{'model':'gpt','store':false,'input':[]}"));
}
END_TEST

START_TEST(test_lower_refused_by_the_catalogue)
{
    struct weir_candidate to = weir_test_candidate("p", "gpt");

    fact("model.refuses", "temperature");
    weir_test_canonical(&t, q("{'messages':[],'temperature':0.2}"));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_UNSUPPORTED);
    ck_assert_str_eq(e.field, "temperature");
}
END_TEST

/* providers.md, bug 17: no arguments are an empty object. */
START_TEST(test_bug_17_empty_arguments)
{
    ck_assert(
        lowered("{'messages':[{'role':'assistant','content':[{'type':'call','id':'c','name':'f','arguments':''}]}]"
                "}"));
    weir_test_same(weir_test_sent(&t),
                   q("{'model':'gpt'," KEEP ",'input':[{'type':'function_call','call_id':'c','name':"
                     "'f','arguments':'{}'}]}"));
}
END_TEST

/* providers.md, bug 27: encrypted reasoning goes back in its place, without ids, nothing stored; only to its issuer;
 * and not when nothing follows that it led to, for that is refused. */
START_TEST(test_bug_27_reasoning_goes_back_to_its_issuer)
{
#define TURN(kind, rest)                                                                                               \
    "{'messages':[{'role':'assistant','content':[{'type':'reasoning','text':'hm','opaque':'gAAA','kind':'" kind        \
    "'}" rest "]}]}"
#define CALL    ",{'type':'call','id':'c','name':'f','arguments':'{}'}"
#define WITHOUT "{'model':'gpt'," KEEP ",'input':[{'type':'function_call','call_id':'c','name':'f','arguments':'{}'}]}"
#define WITH                                                                                                           \
    "{'model':'gpt'," KEEP ",'input':[{'type':'reasoning','summary':[{'type':'summary_text','text':'hm'}],"            \
    "'encrypted_content':'gAAA'},{'type':'function_call','call_id':'c','name':'f','arguments':'{}'}]}"
    ck_assert(lowered(TURN("openai.encrypted", CALL)));
    weir_test_same(weir_test_sent(&t), q(WITH));
    weir_test_same(t.lossy, "");
    ck_assert(lowered(TURN("anthropic.signature", CALL)));
    weir_test_same(weir_test_sent(&t), q(WITHOUT));
    weir_test_same(t.lossy, "messages.reasoning (hint)\n");
    ck_assert(lowered(TURN("xai.encrypted", CALL)));
    weir_test_same(weir_test_sent(&t), q(WITHOUT));
    ck_assert(lowered(TURN("openai.encrypted", "")));
    weir_test_same(weir_test_sent(&t), q("{'model':'gpt'," KEEP ",'input':[]}"));
    options("issuer = xai");
    ck_assert(lowered(TURN("xai.encrypted", CALL)));
    weir_test_same(weir_test_sent(&t), q(WITH));
    ck_assert(lowered(TURN("openai.encrypted", CALL)));
    weir_test_same(weir_test_sent(&t), q(WITHOUT));
}
END_TEST

/* providers.md, bug 35: tools and effort go together here, which chat refuses for the newest models. */
START_TEST(test_bug_35_tools_with_effort)
{
    ck_assert(lowered("{'messages':[" HI "],'tools':[{'name':'f','schema':{'type':'object'}}],'reasoning':{'effort':"
                      "'high'}}"));
    weir_test_same(weir_test_sent(&t),
                   q("{'model':'gpt','tools':[{'type':'function','name':'f','parameters':{'type':'object'},'strict':"
                     "false}],'reasoning':{'effort':'high'}," KEEP ",'input':[" U "]}"));
}
END_TEST

/* providers.md, bug 19: a longer history begins with the bytes of the shorter one. */
START_TEST(test_bug_19_prefix_is_stable)
{
    struct weir_test_buf shorter = {0};
    struct weir_str longer;

    ck_assert(lowered("{'system':[{'type':'text','text':'s'}],'messages':[" HI "]}"));
    wt_add(&shorter, weir_test_sent(&t));
    shorter.len -= 2; /* ]} */
    ck_assert(lowered("{'system':[{'type':'text','text':'s'}],'messages':[" HI
                      ",{'role':'assistant','content':[{'type':"
                      "'text','text':'yes'}]}," HI "]}"));
    longer = weir_test_sent(&t);
    ck_assert(longer.len > shorter.len && memcmp(longer.ptr, shorter.ptr, shorter.len) == 0);
    wt_buf_free(&shorter);
}
END_TEST

/* ---- decode, for clients of other dialects ---- */

#define R(json) "data: " json "\n\n"

static void told_is(const char *canonical, const char *sse, const char *want)
{
    ck_assert_msg(lowered(canonical), "%s", e.text);
    ck_assert_msg(weir_test_decode_stream(&t, q(sse), &e), "%s", e.text);
    ck_assert_str_eq(events(), q(want));
}

#define PLAIN "{'stream':true,'messages':[]}"
#define DONE_REC                                                                                                       \
    R("{'type':'response.completed','response':{'id':'resp_1','status':'completed','output':[],'usage':{"              \
      "'input_tokens':9,'input_tokens_details':{'cached_tokens':4,'cache_write_tokens':3},'output_tokens':7,"          \
      "'output_tokens_details':{'reasoning_tokens':2},'total_tokens':16}}}")

/* Summaries of one item are one block with its encrypted whole behind; copies and the vendor's tools say nothing. */
START_TEST(test_told_to_others)
{
    told_is(
        PLAIN,
        R("{'type':'response.created','response':{'id':'resp_1','model':'gpt'}}")
            R("{'type':'response.output_item.added','output_index':0,'item':{'type':'reasoning','summary':[]}}") R(
                "{'type':'response.reasoning_summary_text.delta','output_index':0,'summary_index':0,'delta':'one'}")
                R("{'type':'response.reasoning_summary_text.done','output_index':0,'summary_index':0,'text':'one'}") R(
                    "{'type':'response.reasoning_summary_text.delta','output_index':0,'summary_index':1,'delta':'two'}")
                    R("{'type':'response.output_item.done','output_index':0,'item':{'type':'reasoning','summary':[{'"
                      "type':'summary_text','text':'one'},{'type':'summary_text','text':'two'}],'encrypted_content':'"
                      "gAAA'}}") R("{'type':'response.output_item.done','output_index':1,'item':{'type':'web_search_"
                                   "call','action':{'query':'who is'}}}")
                        R("{'type':'response.mcp_call_arguments.delta','output_index':2,'delta':'{}'}") R(
                            "{'type':'response.output_text.delta','output_index':3,'content_index':0,'delta':'hi'}")
                            R("{'type':'response.output_text.annotation.added','output_index':3,'annotation':{'title':'"
                              "a b'}}")
                                R("{'type':'response.output_text.done','output_index':3,'content_index':0,'text':'hi'}")
                                    DONE_REC,
        "start 0 [gpt] [resp_1]\nreasoning 0 [one]\nreasoning 0 [\n\n]\nreasoning 0 [two]\nreasoning 0 last\n"
        "opaque 0 [openai.encrypted] [gAAA]\ntext 3 [hi]\ntext 3 last\nusage 0 2 4 3 5 2\nfinish 0 #1 [completed]\n"
        "done 0\n");
}
END_TEST

/* Names that were changed for the upstream come back as they were; what a call says before its name is in its whole. */
START_TEST(test_told_calls)
{
    told_is("{'stream':true,'messages':[],'tools':[{'name':'f'},{'name':'g','custom':{}}]}",
            R("{'type':'response.function_call_arguments.delta','output_index':0,'delta':'{\\'a'}")
                R("{'type':'response.output_item.added','output_index':0,'item':{'type':'function_call','call_id':'c1',"
                  "'name':'f','arguments':''}}")
                    R("{'type':'response.function_call_arguments.delta','output_index':0,'delta':'\\':1}'}")
                        R("{'type':'response.function_call_arguments.done','output_index':0,'arguments':'{\\'a\\':1}'}")
                            R("{'type':'response.output_item.added','output_index':1,'item':{'type':'custom_tool_call',"
                              "'call_id':'c2','name':'g','input':''}}")
                                R("{'type':'response.custom_tool_call_input.delta','output_index':1,'delta':'free'}")
                                    R("{'type':'response.output_item.done','output_index':1,'item':{'type':'custom_"
                                      "tool_call','call_id':'c2','name':'g','input':'free'}}")
                                        R("{'type':'response.output_item.done','output_index':2,'item':{'type':'custom_"
                                          "tool_call','call_id':'xs_1','name':'x_search','input':'q'}}") DONE_REC,
            "arguments 0 [c1] [f]\narguments 0 [{'a':1}] last\ntext 1 [c2] [g]\ntext 1 [free]\ntext 1 last\n"
            "start 0 [resp_1]\nusage 0 2 4 3 5 2\nfinish 0 #5 [completed]\ndone 0\n");
}
END_TEST

START_TEST(test_told_renamed_tools)
{
#define LONG "a.name.with.dots"
    struct weir_str sent, name;
    const char *at;
    char sse[512], want[256];

    ck_assert(lowered("{'stream':true,'messages':[],'tools':[{'name':'" LONG "'}]}"));
    sent = weir_test_sent(&t);
    at = memmem(sent.ptr, sent.len, q("'name':'"), 8);
    ck_assert(at != NULL);
    name = (struct weir_str){at + 8, strcspn(at + 8, "\"")};
    ck_assert(name.len && !memchr(name.ptr, '.', name.len));
    snprintf(
        sse, sizeof sse,
        R("{'type':'response.output_item.done','output_index':0,'item':{'type':'function_call','call_id':'c','name':"
          "'%.*s','arguments':'{}'}}"),
        (int)name.len, name.ptr);
    snprintf(want, sizeof want, "arguments 0 [c] [" LONG "]\narguments 0 [{}] last\n");
    told_is("{'stream':true,'messages':[],'tools':[{'name':'" LONG "'}]}", sse, want);
}
END_TEST

START_TEST(test_told_issuer)
{
    static const char record[] =
        R("{'type':'response.output_item.done','output_index':0,'item':{'type':'reasoning','summary':[],"
          "'encrypted_content':'%s'}}");
    char sse[256];

    options("issuer = xai");
    snprintf(sse, sizeof sse, record, "gAAA");
    told_is(PLAIN, sse, "opaque 0 [xai.encrypted] [gAAA]\n");
    snprintf(sse, sizeof sse, record, "weir:anthropic.redacted:QQ=="); /* the upstream is a weir, too */
    told_is(PLAIN, sse, "opaque 0 [anthropic.redacted] [QQ==]\n");
    snprintf(sse, sizeof sse, record, "weir:none:");
    told_is(PLAIN, sse, "");
}
END_TEST

/* providers.md, bug 39: reasons come in words that all dialects share. */
START_TEST(test_bug_39_reasons)
{
    told_is(PLAIN,
            R("{'type':'response.incomplete','response':{'status':'incomplete','incomplete_details':{'reason':'max_"
              "output_tokens'},'output':[]}}"),
            "start 0\nfinish 0 #3 [max_output_tokens]\ndone 0\n");
    told_is(PLAIN,
            R("{'type':'response.incomplete','response':{'status':'incomplete','incomplete_details':{'reason':'novel'},"
              "'output':[]}}"),
            "start 0\nfinish 0 #0 [novel]\ndone 0\n");
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("responses other");
    TCase *c = tcase_create("responses other");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_lift);
    tcase_add_test(c, test_lift_user);
    tcase_add_test(c, test_lift_refuses);
    tcase_add_test(c, test_bug_28_unknown_items_become_no_message);
    tcase_add_test(c, test_bug_28_lift_of_reasoning);
    tcase_add_test(c, test_lower);
    tcase_add_test(c, test_lower_refuses);
    tcase_add_test(c, test_lower_by_the_catalogue);
    tcase_add_test(c, test_lower_refused_by_the_catalogue);
    tcase_add_test(c, test_bug_17_empty_arguments);
    tcase_add_test(c, test_bug_27_reasoning_goes_back_to_its_issuer);
    tcase_add_test(c, test_bug_35_tools_with_effort);
    tcase_add_test(c, test_bug_19_prefix_is_stable);
    tcase_add_test(c, test_told_to_others);
    tcase_add_test(c, test_told_calls);
    tcase_add_test(c, test_told_renamed_tools);
    tcase_add_test(c, test_told_issuer);
    tcase_add_test(c, test_bug_39_reasons);
    suite_add_tcase(s, c);
    return s;
}
