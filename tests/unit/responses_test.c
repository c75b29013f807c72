/* SPDX-License-Identifier: Apache-2.0 */
/* responses_test.c -- clients and upstreams that both speak Responses: texts of requests, what is sent, what comes
 * back. */
#include "responses_kit.h"

/* One line a span: where, message, part, "inner" for JSON in a string, text. */
static void spans_are(const char *body, const char *want)
{
    static const char *const names[] = {"system", "user", "assistant", "call", "result", "document", "other"};
    struct weir_test_buf is = {0};
    char line[1024];

    ck_assert_msg(client(body), "%s", e.text);
    for (size_t i = 0; i < weir_test_span_count(&t); i++) {
        const struct weir_span *s = weir_test_span(&t, i);
        snprintf(line, sizeof line, "%s %u %u%s %.*s\n", names[s->where], s->message, s->part,
                 s->form == WEIR_INNER_JSON ? " inner" : "", (int)s->text.len, s->text.ptr);
        wt_add_text(&is, line);
    }
    weir_test_same(is, want);
    wt_buf_free(&is);
}

/* ---- accept ---- */

START_TEST(test_accept_reads_the_request)
{
    ck_assert(client("{'model':'gpt-5','input':'hi','stream':true,'max_output_tokens':50}"));
    weir_test_same(t.request.model, "gpt-5");
    ck_assert(t.request.stream && t.request.usage_asked);
    ck_assert_int_eq(t.request.max_output, 50);
    ck_assert_uint_eq(t.request.model_at, 10);
    ck_assert_uint_eq(t.request.model_len, 5);
    ck_assert(client("{'model':'m'}")); /* a prompt or an earlier response may stand for the input */
    ck_assert(!t.request.stream);
}
END_TEST

START_TEST(test_accept_spans_of_items)
{
    spans_are("{'model':'m','instructions':'rules','input':'hi'}", "system 0 0 rules\nuser 0 0 hi\n");
    spans_are("{'model':'m','input':[{'role':'developer','content':'d'},{'type':'message','role':'user','content':[{"
              "'type':'input_text','text':'a'},{'type':'input_image','image_url':'data:image/png;base64,QUJD'},{'type':"
              "'input_image','image_url':'https://h/secret'},{'type':'input_file','file_data':"
              "'data:text/plain,plain','filename':'f.txt'}]},{'type':'message','role':'assistant','content':[{'type':"
              "'output_text','text':'said','annotations':[{'type':'url_citation','title':'T'}]},{'type':'refusal',"
              "'refusal':'no'}]}]}",
              "system 0 0 d\nuser 1 0 a\ndocument 1 2 https://h/secret\ndocument 1 3 data:text/plain,plain\n"
              "document 1 3 f.txt\nassistant 2 0 said\nassistant 2 0 annotations\nassistant 2 0 type\n"
              "assistant 2 0 url_citation\nassistant 2 0 title\nassistant 2 0 T\nassistant 2 1 no\n");
    spans_are(
        "{'model':'m','input':[{'type':'function_call','call_id':'c1','name':'f','arguments':'{\\'k\\':\\'v\\'}'},"
        "{'type':'function_call_output','call_id':'c1','output':'out'},{'type':'custom_tool_call','call_id':'c2',"
        "'name':'g','input':'free'},{'type':'custom_tool_call_output','call_id':'c2','output':[{'type':"
        "'input_text','text':'part'}]},{'type':'reasoning','id':'rs_1','summary':[{'type':'summary_text','text':"
        "'hm'}],'encrypted_content':'QUJD+/=='},{'type':'web_search_call','id':'ws_1','status':'completed',"
        "'action':{'type':'search','query':'who'}}]}",
        "other 0 0 f\ncall 0 0 inner k\ncall 0 0 inner v\nresult 1 0 out\nother 2 0 g\ncall 2 0 free\n"
        "result 3 0 part\nassistant 4 0 hm\ncall 5 0 action\ncall 5 0 type\ncall 5 0 search\ncall 5 0 query\n"
        "call 5 0 who\n");
}
END_TEST

/* Ids and data are no text as long as they look like that. */
START_TEST(test_accept_hides_nothing)
{
    spans_are("{'model':'m','input':[{'type':'reasoning','summary':[],'encrypted_content':'a real sentence'}],"
              "'tools':[{'type':'function','name':'f','description':'does','parameters':{'type':'object'},'strict':"
              "true},{'type':'mcp','server_url':'https://h'}],'surprise':'x','metadata':{'k':'v'},'user':'ann'}",
              "assistant 0 0 a real sentence\nother 0 0 f\nother 0 0 does\nother 0 0 type\nother 0 0 object\n"
              "other 0 0 server_url\nother 0 0 https://h\nother 0 0 surprise\nother 0 0 x\nother 0 0 k\nother 0 0 v\n"
              "other 0 0 ann\n");
    spans_are("{'model':'m','input':'','previous_response_id':'this is much longer than any id would ever be, and so "
              "it surely is "
              "text'}",
              "other 0 0 this is much longer than any id would ever be, and so it surely is text\n");
}
END_TEST

START_TEST(test_accept_refuses)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{'input':'hi'}", "model"},
        {"{'model':1,'input':'hi'}", "model"},
        {"{'model':'m','input':{'role':'user'}}", "input"},
        {"{'model':'m','input':[{'role':'user','content':'a'},'b']}", "input[1]"},
        {"{'model':'m','input':[{'role':'user','content':5}]}", "input[0].content"},
        {"{'model':'m','input':'a','Instructions':'b'}", "Instructions"},
        {"{'model':'m','input':[{'role':'user','content':[{'type':'input_text','Text':'b'}]}]}",
         "input[0].content[0].Text"},
        {"{'model':'m','input':'a','max_output_tokens':1.5}", "max_output_tokens"},
        {"{'model':'m','input':'a','stream':'yes'}", "stream"},
        {"{'model':'m','in\\u0070ut':'a'}", "in\\u0070ut"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(!client(rows[i].body), "accepted: %s", rows[i].body);
        ck_assert_str_eq(e.field, rows[i].field);
    }
}
END_TEST

/* ---- encode ---- */

static const char *sent_for(const char *body, const char *model)
{
    struct weir_candidate to = weir_test_candidate("p", model);
    struct weir_str sent;

    ck_assert_msg(client(body), "%s", e.text);
    ck_assert_msg(weir_test_encode(&t, &to, &e) == WEIR_PASS, "%s", e.text);
    sent = weir_test_sent(&t);
    return wt_copy(&t.memory, (struct weir_str){sent.ptr, sent.len + 1}).ptr;
}

START_TEST(test_encode_target_and_headers)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    options("key = sk; url = \"https://h/v1/\"; organization = o; project = pr");
    ck_assert(client("{'model':'m','input':'a'}"));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http(&t), "POST https://h/v1/responses\ncontent-type: application/json\n"
                                       "authorization: Bearer sk\nopenai-organization: o\nopenai-project: pr\n\n"
                                       "{\"model\":\"m\",\"input\":\"a\"}");
    options("key = k; auth = api-key");
    ck_assert(client("{'model':'m','input':'a'}"));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http_header(&t, "api-key"), "k");
    weir_test_same(weir_test_http_header(&t, "authorization"), "");
}
END_TEST

/* providers.md, bug 19: every byte but the model's name. */
START_TEST(test_bug_19_the_clients_bytes_go_through)
{
    static const char body[] = "{ 'input' : [ {'role':'user','content':'\\u00e9'} ],'seed':9007199254740993,\n"
                               "  'temperature':1.0, 'model':'mine','previous_response_id':'resp_1','store':true}";

    ck_assert_str_eq(sent_for(body, "mine"), q(body));
    ck_assert_str_eq(sent_for("{'model':'mine','input':'a'}", "th\"eirs"),
                     "{\"model\":\"th\\\"eirs\",\"input\":\"a\"}");
}
END_TEST

/* providers.md, bug 27: reasoning that another vendor did goes to no server of this dialect, in no place of the list.
 */
START_TEST(test_bug_27_foreign_reasoning_is_taken_out)
{
#define THEIRS "{'type':'reasoning','id':'rs_1','summary':[],'encrypted_content':'weir:anthropic.signature:QQ'}"
#define OURS   "{'type':'reasoning','id':'rs_2','summary':[],'encrypted_content':'gAAA'}"
#define USER   "{'role':'user','content':'a'}"
#define LIST(items)                                                                                                    \
    "{'model':'m','input':[" items "]"                                                                                 \
    "}"
    static const struct {
        const char *body, *want;
    } rows[] = {
        {LIST(OURS "," USER), LIST(OURS "," USER)},
        {LIST(THEIRS), LIST("")},
        {LIST(THEIRS "," USER), LIST(USER)},
        {LIST(USER "," THEIRS), LIST(USER)},
        {LIST(USER ", " THEIRS " , " THEIRS ", " USER), LIST(USER ", " USER)},
        {LIST(THEIRS "," USER "," THEIRS "," OURS "," THEIRS), LIST(USER "," OURS)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_str_eq(sent_for(rows[i].body, "m"), q(rows[i].want));
}
END_TEST

/* What only a server that keeps responses can follow. */
START_TEST(test_stateful_option)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{'model':'m','input':'a','previous_response_id':'resp_1'}", "previous_response_id"},
        {"{'model':'m','input':'a','conversation':{'id':'conv_1'}}", "conversation"},
        {"{'model':'m','prompt':{'id':'p'}}", "prompt"},
        {"{'model':'m','input':'a','background':true}", "background"},
        {"{'model':'m','input':[{'role':'user','content':'a'},{'type':'item_reference','id':'msg_1'}]}", "input[1]"},
        {"{'model':'m','input':[{'id':'msg_1'}]}", "input[0]"},
    };
    struct weir_candidate to = weir_test_candidate("p", "m");

    for (int keeps = 0; keeps < 2; keeps++) {
        options(keeps ? "" : "stateful = false");
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            ck_assert(client(rows[i].body));
            ck_assert_int_eq(weir_test_encode(&t, &to, &e), keeps ? WEIR_PASS : WEIR_UNSUPPORTED);
            ck_assert_str_eq(e.field, keeps ? "" : rows[i].field);
            ck_assert(keeps || strncmp(e.text, rows[i].field, strlen(rows[i].field)) == 0);
        }
        ck_assert(client("{'model':'m','input':'a','background':false,'store':true,'previous_response_id':null}"));
        ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    }
}
END_TEST

START_TEST(test_issuer_is_a_word)
{
    struct weir_test other;

    ck_assert(!weir_test_try(&other, &weir_plugin, "issuer = \"x.y\"", &e));
    ck_assert_str_eq(e.field, "issuer");
    ck_assert(!weir_test_try(&other, &weir_plugin, "issuer = \"\"", &e));
    options("issuer = xai");
}
END_TEST

/* ---- decode ---- */

#define STREAMED "{'model':'m','input':'a','stream':true}"
#define R(json)  "data: " json "\n\n"

static void decoded(const char *sse)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    ck_assert(client(STREAMED));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    ck_assert_msg(weir_test_decode_stream(&t, q(sse), &e), "%s", e.text);
}

static void stream_is(const char *sse, const char *want)
{
    decoded(sse);
    ck_assert_str_eq(events(), want);
    weir_test_same(t.client, q(sse));
}

#define CREATED R("{'type':'response.created','response':{'id':'resp_1','model':'gpt','output':[]}}")
#define COMPLETED(items)                                                                                               \
    R("{'type':'response.completed','response':{'id':'resp_1','status':'completed','output':[" items                   \
      "],'usage':{'input_tokens':9,'input_tokens_details':{'cached_tokens':4},'output_tokens':7,"                      \
      "'output_tokens_details':{'reasoning_tokens':2},'total_tokens':16}}}")
#define ENDED         "usage 0 5 4 -1 5 2\nfinish 0 #1 [completed]\n"
#define MESSAGE(text) "{'type':'message','content':[{'type':'output_text','text':'" text "'}]}"

START_TEST(test_decode_of_a_text)
{
    stream_is(
        CREATED R("{'type':'response.output_item.added','output_index':0,'item':{'id':'msg_1','type':'message','"
                  "content':[]}}") R("{'type':'response.content_part.added','output_index':0,'content_index':0,'part':{"
                                     "'type':'output_text','text':''}}")
            R("{'type':'response.output_text.delta','output_index':0,'content_index':0,'delta':'h\\u00e9','logprobs':[]"
              "}") R("{'type':'response.output_text.delta','output_index':0,'content_index':0,'delta':'y','logprobs':[{"
                     "'token'"
                     ":'y'}]}")
                R("{'type':'response.output_text.done','output_index':0,'content_index':0,'text':'h\xc3\xa9y'}")
                    R("{'type':'response.content_part.done','output_index':0,'content_index':0,'part':{'type':'output_"
                      "text','text':'h\\u00e9y'}}")
                        R("{'type':'response.output_item.done','output_index':0,'item':" MESSAGE("h\xc3\xa9y") "}")
                            COMPLETED(MESSAGE("h\xc3\xa9y")),
        "start 0 [gpt] [resp_1]\ntext 0 [h\xc3\xa9]\ntext 0 [y]\ntext 0 copy\ntext 0 last\n"
        "text 0 [h\xc3\xa9y] copy\ntext 0 [h\xc3\xa9y] copy\ntext 0 [h\xc3\xa9y] copy\n"
        "text 0 [h\xc3\xa9y] copy\n" ENDED);
}
END_TEST

START_TEST(test_decode_of_calls_and_reasoning)
{
    stream_is(
        CREATED R("{'type':'response.reasoning_summary_text.delta','output_index':0,'summary_index':0,'delta':'hm'}")
            R("{'type':'response.output_item.done','output_index':0,'item':{'type':'reasoning','summary':[{'type':'"
              "summary_text','text':'hm'}],'encrypted_content':'QUJD'}}")
                R("{'type':'response.output_item.added','output_index':1,'item':{'type':'function_call','call_id':'c1',"
                  "'name':'f','arguments':''}}")
                    R("{'type':'response.function_call_arguments.delta','output_index':1,'delta':'{}'}")
                        R("{'type':'response.function_call_arguments.done','output_index':1,'arguments':'{}'}")
                            R("{'type':'response.output_item.added','output_index':2,'item':{'type':'custom_tool_call',"
                              "'call_id':'c2','name':'g','input':''}}")
                                R("{'type':'response.custom_tool_call_input.done','output_index':2,'input':'free'}")
                                    COMPLETED(""),
        "start 0 [gpt] [resp_1]\nreasoning 0 [hm]\nreasoning 0 last\nreasoning 0 [hm] copy\n"
        "arguments 1 [c1] [f]\narguments 1 [{}]\narguments 1 last\narguments 1 [{}] copy\ntext 2 [c2] [g]\n"
        "text 2 [free] last\nusage 0 5 4 -1 5 2\nfinish 0 #5 [completed]\n");
}
END_TEST

/* Annotations, what the vendor's tools ask and find, members and records that nobody knows: guardrails see them all. */
START_TEST(test_decode_shows_every_string)
{
    stream_is(R("{'type':'response.output_text.annotation.added','output_index':0,'annotation':{'type':'url_citation',"
                "'title':'A title','url':'https://h/x y'}}")
                  R("{'type':'response.output_item.done','output_index':0,'item':{'id':'ws_1','type':'web_search_call',"
                    "'status':'completed','action':{'type':'search','query':'who is it'}}}")
                      R("{'type':'response.code_interpreter_call_code.delta','output_index':1,'delta':'print(1)'}")
                          R("{'type':'response.output_item.done','output_index':1,'item':{'type':'code_interpreter_"
                            "call','code':"
                            "'print(1)','outputs':[{'type':'logs','logs':'one line'}]}}")
                              R("{'type':'response.novel.event','novel':{'deep':['a word b']}}"),
              "text 65536 [A title] last\ntext 65537 [https://h/x y] last\ntext 65538 [who is it] last\n"
              "text 0 [print(1)]\ntext 0 last\ntext 0 [print(1)] copy\ntext 65539 [one line] last\n"
              "text 65540 [a word b] last\n");
}
END_TEST

/* A whole that is not what the pieces said is a text of its own: nothing is let through as a copy that is none. */
START_TEST(test_decode_false_copies)
{
    stream_is(R("{'type':'response.output_text.delta','output_index':0,'content_index':0,'delta':'ab'}")
                  R("{'type':'response.output_text.done','output_index':0,'content_index':0,'text':'other'}")
                      R("{'type':'response.output_text.delta','output_index':0,'content_index':0,'delta':'late'}")
                          COMPLETED(MESSAGE("third")),
              "text 0 [ab]\ntext 0 last\ntext 65536 [other] last\ntext 65537 [late] last\nstart 0 [resp_1]\n"
              "text 65538 [third] last\n" ENDED);
}
END_TEST

START_TEST(test_decode_of_a_body)
{
    static const char body[] =
        "{'id':'resp_1','model':'gpt','status':'completed','error':null,'output':[{'type':'reasoning','summary':["
        "{'type':'summary_text','text':'one'},{'type':'summary_text','text':'two'}]},{'type':'message','content':[{"
        "'type':'output_text','text':'a','annotations':[]},{'type':'refusal','refusal':'no'}]},{'type':'function_call',"
        "'call_id':'c1','name':'f','arguments':'{\\'x\\':1}'}],'output_text':'a'}";

    ck_assert(client("{'model':'m','input':'a'}"));
    ck_assert(weir_test_decode_body(&t, 200, q(body), &e));
    ck_assert_str_eq(events(), q("start 0 [gpt] [resp_1]\nreasoning 0 [one] last\nreasoning 1 [two] last\n"
                                 "text 2 [a] last\ntext 3 [no] last\narguments 4 [c1] [f]\n"
                                 "arguments 4 [{'x':1}] last\ntext 2 [a] copy\nfinish 0 #5 [completed]\n"));
    weir_test_same(t.client, q(body));
}
END_TEST

/* providers.md, bug 37: all three terminals are one. */
START_TEST(test_bug_37_every_terminal)
{
#define TERMINAL(kind, more)                                                                                           \
    R("{'type':'response." kind "','response':{'id':'r','status':'" kind "','output':[]" more "}}")
    stream_is(TERMINAL("completed", ""), "start 0 [r]\nfinish 0 #1 [completed]\n");
    stream_is(TERMINAL("incomplete", ",'incomplete_details':{'reason':'max_output_tokens'}"),
              "start 0 [r]\nfinish 0 #3 [max_output_tokens]\n");
    stream_is(TERMINAL("incomplete", ",'incomplete_details':{'reason':'content_filter'}"),
              "start 0 [r]\nfinish 0 #6 [content_filter]\n");
    stream_is(TERMINAL("incomplete", ",'incomplete_details':{'reason':'steered'}"),
              "start 0 [r]\nfinish 0 #0 [steered]\n");
    stream_is(TERMINAL("failed", ",'error':{'code':'server_error','message':'Broken'}"),
              "error 0 502 [server_error] [Broken]\n");
    stream_is(TERMINAL("cancelled", ""), "start 0 [r]\nfinish 0 #8 [cancelled]\n");
}
END_TEST

/* providers.md, bug 22: errors in a stream that began with 200, in every shape, told once. */
START_TEST(test_bug_22_errors_in_streams)
{
    stream_is(R("{'type':'error','code':'rate_limit_exceeded','message':'Slow','param':null,'sequence_number':2}")
                  R("{'type':'response.failed','response':{'status':'failed','error':{'code':'x','message':'Again'},'"
                    "output':[]}}"),
              "error 0 429 [rate_limit_exceeded] [Slow]\n");
    stream_is(R("{'type':'error','error':{'type':'insufficient_quota','code':null,'message':'Paid?'}}"),
              "error 0 429 [insufficient_quota] [Paid?]\n");
    stream_is(R("{'error':{'message':'Chat shape','code':'server_error'}}"),
              "error 0 502 [server_error] [Chat shape]\n");
    stream_is("event: error\n" R("{'message':'Bare'}"), "error 0 [Bare]\n");
}
END_TEST

START_TEST(test_errors_of_a_status)
{
    static const struct {
        int status;
        const char *body, *want;
    } rows[] = {
        {400,
         "{'error':{'message':'Bad','type':'invalid_request_error','param':'temperature','code':'unsupported_value'}}",
         "error 0 400 [unsupported_value] [Bad]\n"},
        {429, "{'code':'Too many','error':'Slow down'}", "error 0 429 [Slow down]\n"},
        {422, "{'detail':'Not so'}", "error 0 422 [Not so]\n"},
        {502, "<html>", "error 0 502\n"},
        {500, "[]", "error 0 500\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(client("{'model':'m','input':'a'}"));
        ck_assert(weir_test_decode_body(&t, rows[i].status, q(rows[i].body), &e));
        ck_assert_str_eq(events(), rows[i].want);
        weir_test_same(t.client, q(rows[i].body));
    }
}
END_TEST

/* providers.md, bug 21: no end is invented; [DONE] after a terminal is let through, without one it is none. */
START_TEST(test_bug_21_a_truncated_stream_has_no_end)
{
    decoded(CREATED R("{'type':'response.output_text.delta','output_index':0,'content_index':0,'delta':'a'}")
                R("[DONE]"));
    ck_assert_str_eq(events(), "start 0 [gpt] [resp_1]\ntext 0 [a]\n");
    ck_assert(memmem(t.client.ptr, t.client.len, "DONE", 4) == NULL);
    stream_is(COMPLETED("") R("[DONE]"), "start 0 [resp_1]\n" ENDED "done 0\n");
}
END_TEST

START_TEST(test_decode_refuses_nonsense)
{
    ck_assert(client(STREAMED));
    ck_assert(!weir_test_decode_stream(&t, "data: nonsense\n\n", &e));
    ck_assert_str_eq(e.code, "invalid_answer");
    ck_assert(client(STREAMED));
    ck_assert(!weir_test_decode_stream(
        &t, q(R("{'type':'response.output_text.delta','output_index':-1,'content_index':0,'delta':'a'}")), &e));
    ck_assert(client("{'model':'m','input':'a'}"));
    ck_assert(!weir_test_decode_body(&t, 200, "[]", &e));
}
END_TEST

/* ---- answer, refuse ---- */

static void held(struct weir_event ev, const char *want)
{
    ev.size = sizeof ev;
    ck_assert(weir_test_answer(&t, &ev));
    weir_test_same(t.out, q(want));
}

/* Text set free ahead of a frame takes its number; the frame and all behind it count on from there. */
START_TEST(test_numbers_go_on)
{
#define DELTA(n, s)                                                                                                    \
    "{'type':'response.output_text.delta','item_id':'msg_1','output_index':0,'content_index':0,'delta':'" s            \
    "','logprobs':[],'sequence_number':" n "}"
    decoded(R("{'type':'response.created','response':{'id':'resp_1'},'sequence_number':0}") R(DELTA("1", "a")));
    held((struct weir_event){.channel = WEIR_TEXT, .text = WEIR_STR("held \"")},
         "event: response.output_text.delta\ndata: "
         "{'type':'response.output_text.delta','item_id':'msg_1','output_index':"
         "0,'content_index':0,'delta':'held \\\"','logprobs':[],'sequence_number':1}\n\n");
    ck_assert_uint_eq(t.frame_splices.count, 1); /* the frame ahead of which it goes */
    weir_test_same(((struct weir_test_splice *)t.frame_splices.items)->with, "2");
    ck_assert_uint_eq(((struct weir_test_splice *)t.frame_splices.items)->at, sizeof DELTA("", "a") - 2);
    t.client.len = 0;
    ck_assert(weir_test_decode_stream(&t, q(R(DELTA("2", "b")) R(DELTA("3", "c"))), &e));
    weir_test_same(t.client, q(R(DELTA("3", "b")) R(DELTA("4", "c"))));
    weir_test_refuse(&t, &(struct weir_refusal){.status = 403, .code = "denied", .text = "No.", .in_stream = true});
    ck_assert(memmem(t.out.ptr, t.out.len, q("'sequence_number':5}\n\nevent: response.failed"), 44) != NULL);
}
END_TEST

START_TEST(test_held_text_without_numbers)
{
    decoded(R("{'type':'response.function_call_arguments.delta','output_index':3,'delta':'a'}"));
    held((struct weir_event){.channel = WEIR_ARGUMENTS, .text = WEIR_STR("x")},
         "event: response.function_call_arguments.delta\ndata: {'type':'response.function_call_arguments.delta',"
         "'output_index':3,'delta':'x'}\n\n");
    ck_assert(!weir_test_answer(&t, &(struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_TEXT}));
    ck_assert(!weir_test_answer(
        &t, &(struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_TEXT, .block = 9}));
}
END_TEST

START_TEST(test_refuse_body)
{
    static const struct {
        int status;
        const char *code, *field, *want;
    } rows[] = {
        {400, "unsupported_parameter", "prompt",
         "{'error':{'message':'T','type':'invalid_request_error','param':'prompt','code':'unsupported_parameter'}}"},
        {403, "denied", "", "{'error':{'message':'T','type':'permission_error','param':null,'code':'denied'}}"},
        {429, "rate_limit_exceeded", "",
         "{'error':{'message':'T','type':'rate_limit_error','param':null,'code':'rate_limit_exceeded'}}"},
        {502, "", "", "{'error':{'message':'T','type':'server_error','param':null,'code':null}}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(client(STREAMED));
        weir_test_refuse(&t, &(struct weir_refusal){
                                 .status = rows[i].status, .code = rows[i].code, .text = "T", .field = rows[i].field});
        weir_test_same(t.out, q(rows[i].want));
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("responses");
    TCase *c = tcase_create("responses");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_accept_reads_the_request);
    tcase_add_test(c, test_accept_spans_of_items);
    tcase_add_test(c, test_accept_hides_nothing);
    tcase_add_test(c, test_accept_refuses);
    tcase_add_test(c, test_encode_target_and_headers);
    tcase_add_test(c, test_bug_19_the_clients_bytes_go_through);
    tcase_add_test(c, test_bug_27_foreign_reasoning_is_taken_out);
    tcase_add_test(c, test_stateful_option);
    tcase_add_test(c, test_issuer_is_a_word);
    tcase_add_test(c, test_decode_of_a_text);
    tcase_add_test(c, test_decode_of_calls_and_reasoning);
    tcase_add_test(c, test_decode_shows_every_string);
    tcase_add_test(c, test_decode_false_copies);
    tcase_add_test(c, test_decode_of_a_body);
    tcase_add_test(c, test_bug_37_every_terminal);
    tcase_add_test(c, test_bug_22_errors_in_streams);
    tcase_add_test(c, test_errors_of_a_status);
    tcase_add_test(c, test_bug_21_a_truncated_stream_has_no_end);
    tcase_add_test(c, test_decode_refuses_nonsense);
    tcase_add_test(c, test_numbers_go_on);
    tcase_add_test(c, test_held_text_without_numbers);
    tcase_add_test(c, test_refuse_body);
    suite_add_tcase(s, c);
    return s;
}
