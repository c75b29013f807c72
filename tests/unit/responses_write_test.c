/* SPDX-License-Identifier: Apache-2.0 */
/* responses_write_test.c -- events of other dialects' upstreams as clients of Responses read them.  The grammar of
 * every stream is checked as a whole (responses_grammar.h), its records by what is written here. */
#include "responses_kit.h"

#define S(s) WEIR_STR(s)

static void ask(const char *members)
{
    char body[1024];

    snprintf(body, sizeof body, "{'model':'asked','input':''%s}", members);
    ck_assert_msg(client(body), "%s", e.text);
    weir_test_fact(&t, "time", "17");
    weir_test_fact(&t, "request_id", "r1");
    got.len = 0;
}

static bool give(struct weir_event ev)
{
    bool ok;

    ev.size = sizeof ev;
    ok = weir_test_answer(&t, &ev);
    wt_add(&got, wt_view(&t.out));
    return ok;
}

#define GIVE(...) ck_assert(give((struct weir_event){__VA_ARGS__}))

static void start(void)
{
    GIVE(.channel = WEIR_START, .detail = S("msg_1"), .value = S("m1"));
}

static void finish(enum weir_finish why)
{
    GIVE(.channel = WEIR_FINISH, .finish = why);
    GIVE(.channel = WEIR_DONE_MARK);
}

static void has(const char *part)
{
    ck_assert_msg(memmem(got.ptr, got.len, q(part), strlen(part)) != NULL, "no %s in\n%.*s", q(part), (int)got.len,
                  got.ptr);
}

static unsigned count(const char *part)
{
    const char *at = got.ptr;
    unsigned n = 0;

    while ((at = strstr(at, q(part)))) {
        at++;
        n++;
    }
    return n;
}

/* The names of the records, without "response.", one a line. */
static void records_are(const char *want)
{
    struct weir_str rest = wt_view(&got), line;
    struct weir_test_buf is = {0};

    grammar_check(got.ptr);
    while (wt_line(&rest, &line))
        if (line.len > 7 && memcmp(line.ptr, "event: ", 7) == 0) {
            size_t skip = line.len > 16 && memcmp(line.ptr + 7, "response.", 9) == 0 ? 16 : 7;
            wt_add(&is, (struct weir_str){line.ptr + skip, line.len - skip});
            wt_add_text(&is, "\n");
        }
    weir_test_same(is, want);
    wt_buf_free(&is);
}

/* ---- streams ---- */

#define RECORD(type, rest, n) "event: " type "\ndata: {'type':'" type "'," rest ",'sequence_number':" n "}\n\n"
#define IN                    "'item_id':'msg_msg_1_0','output_index':0,'content_index':0"
#define ITEM(status, content)                                                                                          \
    "'output_index':0,'item':{'id':'msg_msg_1_0','type':'message','status':'" status                                   \
    "','role':'assistant','content':[" content "]}"
#define PART(text) "{'type':'output_text','text':'" text "','annotations':[]}"
#define RESPONSE(status, output, usage)                                                                                \
    "'response':{'id':'resp_msg_1','object':'response','created_at':17,'status':'" status                              \
    "','background':false,'error':null,'incomplete_details':null,'model':'m1','output':[" output                       \
    "],'previous_response_id':null,'instructions':'be','max_output_tokens':null,'max_tool_calls':null,'metadata':{}"   \
    ",'parallel_tool_calls':true,'prompt_cache_key':null,'reasoning':{'effort':null,'summary':null},"                  \
    "'safety_identifier':null,'temperature':0.50,'text':{'format':{'type':'text'}},'tool_choice':'auto','tools':[],"   \
    "'top_logprobs':0,'top_p':1,'truncation':'disabled','user':null,'store':false,'usage':" usage "}"

START_TEST(test_stream_of_text)
{
    static const struct weir_usage usage = {10, 4, -1, 6, 2, -1, -1};

    ask(",'stream':true,'instructions':'be','temperature':0.50,'store':true");
    start();
    GIVE(.channel = WEIR_TEXT, .text = S("a\"\n"));
    GIVE(.channel = WEIR_TEXT, .text = S("b"), .last = true);
    GIVE(.channel = WEIR_USAGE, .usage = &usage);
    finish(WEIR_FINISH_STOP);
    weir_test_same(
        got, q(RECORD("response.created", RESPONSE("in_progress", "", "null"),
                      "0") RECORD("response.in_progress", RESPONSE("in_progress", "", "null"),
                                  "1") RECORD("response.output_item.added", ITEM("in_progress", ""),
                                              "2") RECORD("response.content_part.added", IN ",'part':" PART(""), "3")
                   RECORD("response.output_text.delta", IN ",'delta':'a\\\"\\n','logprobs':[]",
                          "4") RECORD("response.output_text.delta", IN ",'delta':'b','logprobs':[]", "5")
                       RECORD("response.output_text.done", IN ",'text':'a\\\"\\nb','logprobs':[]", "6")
                           RECORD("response.content_part.done", IN ",'part':" PART("a\\\"\\nb"), "7")
                               RECORD("response.output_item.done", ITEM("completed", PART("a\\\"\\nb")), "8")
                                   RECORD("response.completed",
                                          RESPONSE("completed",
                                                   "{'id':'msg_msg_1_0','type':'message','status':'completed','role':"
                                                   "'assistant','content':[" PART("a\\\"\\nb") "]}",
                                                   "{'input_tokens':14,'input_tokens_details':{'cached_tokens':4},"
                                                   "'output_tokens':8,'output_tokens_details':{'reasoning_tokens':2},"
                                                   "'total_tokens':22}"),
                                          "9")));
    grammar_check(got.ptr);
}
END_TEST

/* Blocks may take turns; every item is done by itself. */
START_TEST(test_stream_of_reasoning_and_calls)
{
    ask(",'stream':true");
    start();
    GIVE(.channel = WEIR_REASONING, .text = S("h"));
    GIVE(.channel = WEIR_REASONING, .text = S("m"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .value = S("openai.encrypted"), .detail = S("gAAA"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .tool_id = S("c1"), .tool_name = S("f"), .text = S("{\"x\":"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 4, .tool_id = S("c2"), .tool_name = S("g"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .text = S("1}"));
    GIVE(.channel = WEIR_TEXT, .block = 5, .tool_id = S("c3"), .tool_name = S("h"), .text = S("free"), .last = true);
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .last = true);
    GIVE(.channel = WEIR_ARGUMENTS, .block = 4, .last = true);
    finish(WEIR_FINISH_TOOL_CALLS);
    records_are("created\nin_progress\noutput_item.added\nreasoning_summary_part.added\nreasoning_summary_text.delta\n"
                "reasoning_summary_text.delta\nreasoning_summary_text.done\nreasoning_summary_part.done\n"
                "output_item.done\noutput_item.added\nfunction_call_arguments.delta\noutput_item.added\n"
                "function_call_arguments.delta\noutput_item.added\ncustom_tool_call_input.delta\n"
                "custom_tool_call_input.done\noutput_item.done\nfunction_call_arguments.done\noutput_item.done\n"
                "function_call_arguments.delta\nfunction_call_arguments.done\noutput_item.done\ncompleted\n");
    has("'item':{'id':'rs_msg_1_0','type':'reasoning','summary':[{'type':'summary_text','text':'hm'}],"
        "'encrypted_content':'gAAA'}");
    has("'item':{'id':'fc_msg_1_1','type':'function_call','status':'completed','call_id':'c1','name':'f','arguments':"
        "'{\\'x\\':1}'}");
    has("'item':{'id':'ctc_msg_1_3','type':'custom_tool_call','status':'completed','call_id':'c3','name':'h','input':"
        "'free'}");
}
END_TEST

/* providers.md, bug 17: no arguments are an empty object; a call without an id gets one. */
START_TEST(test_bug_17_empty_arguments)
{
    ask(",'stream':true");
    start();
    GIVE(.channel = WEIR_ARGUMENTS, .tool_name = S("f"), .last = true);
    finish(WEIR_FINISH_TOOL_CALLS);
    grammar_check(got.ptr);
    has("'status':'completed','call_id':'fc_msg_1_0','name':'f','arguments':'{}'}");
    has("'delta':'{}'");
}
END_TEST

/* A custom tool went to the other upstream as a function of one text: it comes back as what the client declared. */
START_TEST(test_custom_tools_are_unwrapped)
{
#define CUSTOM(stream) ",'stream':" stream ",'tools':[{'type':'custom','name':'sql'},{'type':'function','name':'f'}]"
    for (int stream = 0; stream < 2; stream++) {
        ask(stream ? CUSTOM("true") : CUSTOM("false"));
        start();
        GIVE(.channel = WEIR_ARGUMENTS, .tool_id = S("c1"), .tool_name = S("sql"), .text = S("{\"input\":\"a\\n"));
        GIVE(.channel = WEIR_ARGUMENTS, .text = S("b\"}"), .last = true);
        GIVE(.channel = WEIR_ARGUMENTS, .block = 1, .tool_id = S("c2"), .tool_name = S("f"), .text = S("{}"),
             .last = true);
        GIVE(.channel = WEIR_ARGUMENTS, .block = 2, .tool_id = S("c3"), .tool_name = S("sql"), .text = S("no json"),
             .last = true);
        finish(WEIR_FINISH_TOOL_CALLS);
        has("'type':'custom_tool_call','status':'completed','call_id':'c1','name':'sql','input':'a\\nb'}");
        has("'type':'function_call','status':'completed','call_id':'c2','name':'f','arguments':'{}'}");
        has("'type':'custom_tool_call','status':'completed','call_id':'c3','name':'sql','input':'no json'}");
        if (stream)
            grammar_check(got.ptr);
    }
}
END_TEST

/* ---- ends ---- */

/* providers.md, bugs 37 and 39: what was cut off is incomplete, as an item and as a response. */
START_TEST(test_bug_37_bug_39_incomplete)
{
    static const struct {
        enum weir_finish finish;
        const char *reason; /* NULL: complete */
    } rows[] = {
        {WEIR_FINISH_LENGTH, "max_output_tokens"},
        {WEIR_FINISH_CONTEXT, "max_output_tokens"},
        {WEIR_FINISH_FILTERED, "content_filter"},
        {WEIR_FINISH_STOP, NULL},
        {WEIR_FINISH_STOP_SEQUENCE, NULL},
        {WEIR_FINISH_TOOL_CALLS, NULL},
        {WEIR_FINISH_PAUSED, NULL},
        {WEIR_FINISH_UNKNOWN, NULL},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const char *reason = rows[i / 2].reason;
        bool stream = i % 2;
        char want[128];
        ask(stream ? ",'stream':true" : "");
        start();
        GIVE(.channel = WEIR_TEXT, .text = S("whole"), .last = true);
        GIVE(.channel = WEIR_TEXT, .block = 1, .text = S("cut"), .last = true);
        finish(rows[i / 2].finish);
        if (stream)
            grammar_check(got.ptr);
        snprintf(want, sizeof want, "'incomplete_details':%s%s%s", reason ? "{'reason':'" : "null",
                 reason ? reason : "", reason ? "'}" : "");
        has(want);
        has("{'id':'msg_msg_1_0','type':'message','status':'completed'");
        snprintf(want, sizeof want, "{'id':'msg_msg_1_1','type':'message','status':'%s'",
                 reason ? "incomplete" : "completed");
        ck_assert_uint_eq(count(want), stream ? 2 : 1); /* item.done and the response */
        has(reason ? "'created_at':17,'status':'incomplete'" : "'created_at':17,'status':'completed'");
    }
}
END_TEST

/* What is still open when the limit hits is cut, too: a call with half its arguments. */
START_TEST(test_cut_call)
{
    ask(",'stream':true");
    start();
    GIVE(.channel = WEIR_ARGUMENTS, .tool_id = S("c1"), .tool_name = S("f"), .text = S("{\"x"));
    finish(WEIR_FINISH_LENGTH);
    grammar_check(got.ptr);
    ck_assert_uint_eq(count("'status':'incomplete','call_id':'c1','name':'f','arguments':'{\\\"x'}"), 2);
    has("event: response.incomplete\n");
}
END_TEST

/* providers.md, bug 21: an error after the start ends the stream once: `error`, then response.failed; nothing follows.
 */
START_TEST(test_bug_21_refused_in_stream)
{
    ask(",'stream':true");
    start();
    GIVE(.channel = WEIR_TEXT, .text = S("half"));
    weir_test_refuse(
        &t, &(struct weir_refusal){
                .status = 502, .code = "upstream_truncated", .text = "Broke \"off\".", .field = "", .in_stream = true});
    wt_add(&got, wt_view(&t.out));
    records_are("created\nin_progress\noutput_item.added\ncontent_part.added\noutput_text.delta\nerror\nfailed\n");
    has("{'type':'error','code':'upstream_truncated','message':'Broke \\'off\\'.','param':null,'sequence_number':5}");
    has("'status':'failed','background':false,'error':{'code':'upstream_truncated','message':'Broke \\'off\\'.'}");
    has("'type':'message','status':'incomplete'");
    got.len = 0;
    GIVE(.channel = WEIR_DONE_MARK);
    ck_assert_uint_eq(got.len, 0);
}
END_TEST

START_TEST(test_upstream_failed_in_its_own_words)
{
    ask(",'stream':true");
    start();
    finish(WEIR_FINISH_FAILED);
    records_are("created\nin_progress\nerror\nfailed\n");
    ask("");
    start();
    finish(WEIR_FINISH_FAILED);
    has("'status':'failed','background':false,'error':{'code':'server_error','message':");
}
END_TEST

START_TEST(test_empty_answer)
{
    ask(",'stream':true");
    start();
    GIVE(.channel = WEIR_TEXT, .last = true);
    GIVE(.channel = WEIR_REASONING, .last = true);
    finish(WEIR_FINISH_STOP);
    records_are("created\nin_progress\ncompleted\n");
}
END_TEST

/* ---- bodies ---- */

START_TEST(test_body)
{
    static const struct weir_usage one = {10, -1, 3, -1, -1, -1, -1}, two = {-1, -1, -1, 6, -1, -1, -1};

    ask(",'metadata':{'k':'v'},'tools':[{'type':'function','name':'f'}],'reasoning':{'effort':'low'}");
    start();
    ck_assert_uint_eq(got.len, 0);
    GIVE(.channel = WEIR_USAGE, .usage = &one);
    GIVE(.channel = WEIR_REASONING, .text = S("hm"), .last = true);
    GIVE(.channel = WEIR_TEXT, .block = 1, .text = S("hi"), .last = true);
    GIVE(.channel = WEIR_ARGUMENTS, .block = 2, .tool_id = S("c1"), .tool_name = S("f"), .text = S("{}"), .last = true);
    GIVE(.channel = WEIR_FINISH, .finish = WEIR_FINISH_TOOL_CALLS);
    GIVE(.channel = WEIR_USAGE, .usage = &two);
    ck_assert_uint_eq(got.len, 0);
    GIVE(.channel = WEIR_DONE_MARK);
    weir_test_same(
        got,
        q("{'id':'resp_msg_1','object':'response','created_at':17,'status':'completed','background':false,'error':null,"
          "'incomplete_details':null,'model':'m1','output':[{'id':'rs_msg_1_0','type':'reasoning','summary':[{'type':"
          "'summary_text','text':'hm'}],'encrypted_content':'weir:none:'},{'id':'msg_msg_1_1','type':'message','status'"
          ":"
          "'completed','role':'assistant','content':[{'type':'output_text','text':'hi','annotations':[]}]},{'id':"
          "'fc_msg_1_2','type':'function_call','status':'completed','call_id':'c1','name':'f','arguments':'{}'}],"
          "'previous_response_id':null,'instructions':null,'max_output_tokens':null,'max_tool_calls':null,'metadata':{"
          "'k':'v'},'parallel_tool_calls':true,'prompt_cache_key':null,'reasoning':{'effort':'low'},"
          "'safety_identifier':null,'temperature':1,'text':{'format':{'type':'text'}},'tool_choice':'auto','tools':[{"
          "'type':'function','name':'f'}],'top_logprobs':0,'top_p':1,'truncation':'disabled','user':null,'store':false,"
          "'usage':{'input_tokens':13,'input_tokens_details':{'cached_tokens':0,'cache_write_tokens':3},"
          "'output_tokens':6,'output_tokens_details':{'reasoning_tokens':0},'total_tokens':19}}"));
}
END_TEST

START_TEST(test_ids_of_the_request)
{
    ask("");
    GIVE(.channel = WEIR_START);
    finish(WEIR_FINISH_STOP);
    has("{'id':'resp_r1','object'");
    has("'model':'asked'");
    has("'usage':null");
    ask("");
    GIVE(.channel = WEIR_START, .detail = S("resp_a/b c"));
    finish(WEIR_FINISH_STOP);
    has("{'id':'resp_abc',");
}
END_TEST

/* providers.md, bug 27: what another vendor encrypted carries its name, right behind its text or before what follows.
 */
START_TEST(test_bug_27_opaque_reasoning)
{
    ask(",'stream':true");
    start();
    GIVE(.channel = WEIR_REASONING, .text = S("hm"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .value = S("anthropic.signature"), .detail = S("Uy8="));
    GIVE(.channel = WEIR_OPAQUE, .block = 1, .value = S("anthropic.redacted"), .detail = S("UQ=="));
    GIVE(.channel = WEIR_TEXT, .block = 2, .text = S("a"), .last = true);
    GIVE(.channel = WEIR_OPAQUE, .block = 3, .value = S("gemini.thought"), .detail = S("T"));
    GIVE(.channel = WEIR_ARGUMENTS, .block = 3, .tool_id = S("c"), .tool_name = S("f"), .text = S("{}"), .last = true);
    finish(WEIR_FINISH_TOOL_CALLS);
    grammar_check(got.ptr);
    has("'output':[{'id':'rs_msg_1_0','type':'reasoning','summary':[{'type':'summary_text','text':'hm'}],"
        "'encrypted_content':'weir:anthropic.signature:Uy8='},{'id':'rs_msg_1_1','type':'reasoning','summary':[],"
        "'encrypted_content':'weir:anthropic.redacted:UQ=='},{'id':'msg_msg_1_2',");
    has("{'id':'rs_msg_1_3','type':'reasoning','summary':[],'encrypted_content':'weir:gemini.thought:T'},{'id':"
        "'fc_msg_1_4',");
}
END_TEST

/* An answer has a ceiling: what is kept for the last record must not grow without end. */
START_TEST(test_ceiling)
{
    static char big[4 << 20];
    int n = 0;

    memset(big, 'x', sizeof big);
    ask("");
    start();
    while (give((struct weir_event){.channel = WEIR_TEXT, .text = {big, sizeof big}}))
        ck_assert_int_lt(++n, 17);
    ck_assert_int_eq(n, 16); /* 64 MiB */
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("responses write");
    TCase *c = tcase_create("responses write");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_stream_of_text);
    tcase_add_test(c, test_stream_of_reasoning_and_calls);
    tcase_add_test(c, test_bug_17_empty_arguments);
    tcase_add_test(c, test_custom_tools_are_unwrapped);
    tcase_add_test(c, test_bug_37_bug_39_incomplete);
    tcase_add_test(c, test_cut_call);
    tcase_add_test(c, test_bug_21_refused_in_stream);
    tcase_add_test(c, test_upstream_failed_in_its_own_words);
    tcase_add_test(c, test_empty_answer);
    tcase_add_test(c, test_body);
    tcase_add_test(c, test_ids_of_the_request);
    tcase_add_test(c, test_bug_27_opaque_reasoning);
    tcase_add_test(c, test_ceiling);
    suite_add_tcase(s, c);
    return s;
}
