/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_answer_test.c -- answers through the anthropic plugin: decode, and answer as a stream and as a body. */
#include "anthropic_kit.h"

#define STREAM "{'model':'m','max_tokens':9,'stream':true,'messages':[{'role':'user','content':'hello'}]}"
#define BODY   "{'model':'m','max_tokens':9,'messages':[{'role':'user','content':'hello'}]}"

/* ---- decode ---- */

#define START_RECORD                                                                                                   \
    "data: {'type':'message_start','message':{'id':'msg_1','model':'claude','content':[],'stop_reason':null,'usage':{" \
    "'input_tokens':5,'cache_read_input_tokens':7,'output_tokens':1}}}\n\n"

/* The events so far, one a line: channel, block, text or what else it says. */
static struct weir_test_buf told;

static const char *events(void)
{
    static const char *const names[] = {"text",  "reasoning", "arguments", "usage",  "finish",
                                        "error", "done",      "start",     "opaque", "vector"};

    told.len = 0;
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *x = weir_test_event(&t, i);
        const struct weir_event *ev = &x->event;
        char line[512];
        int n = snprintf(line, sizeof line, "%s %u", names[ev->channel], ev->block);
        if (ev->usage)
            n += snprintf(line + n, sizeof line - (size_t)n, " %d %d %d %d %d", (int)ev->usage->input,
                          (int)ev->usage->cache_read, (int)ev->usage->cache_write, (int)ev->usage->output,
                          (int)ev->usage->reasoning);
        if (ev->status)
            n += snprintf(line + n, sizeof line - (size_t)n, " %d", ev->status);
        if (ev->channel == WEIR_FINISH)
            n += snprintf(line + n, sizeof line - (size_t)n, " #%d", (int)ev->finish);
        const struct weir_str words[] = {ev->tool_id, ev->tool_name, ev->value, ev->detail,
                                         ev->raw ? ev->text : x->text};
        for (size_t w = 0; w < 5; w++)
            if (words[w].len)
                n += snprintf(line + n, sizeof line - (size_t)n, " [%.*s]", (int)words[w].len, words[w].ptr);
        snprintf(line + n, sizeof line - (size_t)n, "%s%s\n", ev->raw ? " raw" : "", ev->last ? " last" : "");
        wt_add_text(&told, line);
    }
    wt_add(&told, (struct weir_str){"", 1});
    return told.ptr;
}

static void stream_is(const char *sse, const char *want)
{
    ck_assert(chat(STREAM));
    ck_assert_msg(weir_test_decode_stream(&t, q(sse), &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_same(t.client, q(sse));
}

START_TEST(test_decode_of_every_block)
{
    stream_is(
        START_RECORD
        "data: {'type':'content_block_start','index':0,'content_block':{'type':'thinking','thinking':'','signature':"
        "''}}\n\ndata: {'type':'ping'}\n\n"
        "data: {'type':'content_block_delta','index':0,'delta':{'type':'thinking_delta','thinking':'h\\u006d'}}\n\n"
        "data: {'type':'content_block_delta','index':0,'delta':{'type':'signature_delta','signature':'QUJD'}}\n\n"
        "data: {'type':'content_block_stop','index':0}\n\n"
        "data: {'type':'content_block_start','index':1,'content_block':{'type':'redacted_thinking','data':'RA=='}}\n\n"
        "data: {'type':'content_block_stop','index':1}\n\n"
        "data: {'type':'content_block_start','index':2,'content_block':{'type':'text','text':''}}\n\n"
        "data: {'type':'content_block_delta','index':2,'delta':{'type':'text_delta','text':'hi'}}\n\n"
        "data: {'type':'content_block_delta','index':2,'delta':{'type':'citations_delta','citation':{'type':'c',"
        "'cited_text':'from'}}}\n\n"
        "data: {'type':'content_block_stop','index':2}\n\n"
        "data: {'type':'content_block_start','index':3,'content_block':{'type':'tool_use','id':'t1','name':'f',"
        "'input':{}}}\n\n"
        "data: {'type':'content_block_delta','index':3,'delta':{'type':'input_json_delta','partial_json':''}}\n\n"
        "data: {'type':'content_block_delta','index':3,'delta':{'type':'input_json_delta','partial_json':'{\\u007d'}}"
        "\n\n"
        "data: {'type':'content_block_stop','index':3}\n\n"
        "data: {'type':'message_delta','delta':{'stop_reason':'tool_use','stop_sequence':null},'usage':{"
        "'output_tokens':9,'output_tokens_details':{'thinking_tokens':4}}}\n\n"
        "data: {'type':'message_stop'}\n\n",
        "start 0 [claude] [msg_1]\nusage 0 5 7 -1 1 -1\nreasoning 0 [hm]\nopaque 0 [anthropic.signature] [QUJD]\n"
        "reasoning 0 last\nopaque 1 [anthropic.redacted] [RA==]\ntext 2 [hi]\ntext 65536 [from] last\ntext 2 last\n"
        "arguments 3 [t1] [f]\narguments 3 [{}]\narguments 3 last\nusage 0 -1 -1 -1 5 4\nfinish 0 #5 [tool_use]\n"
        "done 0\n");
}
END_TEST

START_TEST(test_decode_of_a_body)
{
    ck_assert(chat(BODY));
    ck_assert(weir_test_decode_body(
        &t, 200,
        q("{'id':'msg_1','type':'message','model':'claude','content':[{'type':'thinking','thinking':'','signature':'QQ="
          "='}"
          ",{'type':'text','text':'a'},{'type':'tool_use','id':'t1','name':'f','input':{'x': 1}}],'stop_reason':"
          "'stop_sequence','stop_sequence':'E','usage':{'input_tokens':2,'cache_creation':{'ephemeral_5m_input_tokens':"
          "3,"
          "'ephemeral_1h_input_tokens':4},'output_tokens':1}}"),
        &e));
    ck_assert_str_eq(events(), q("start 0 [claude] [msg_1]\nopaque 0 [anthropic.signature] [QQ==]\ntext 1 [a] last\n"
                                 "arguments 2 [t1] [f] [{'x': 1}] raw last\nusage 0 2 -1 7 1 -1\n"
                                 "finish 0 #2 [E] [stop_sequence]\n"));
}
END_TEST

START_TEST(test_bug_22_an_error_in_the_stream)
{
    stream_is(START_RECORD
              "event: error\ndata: {'type':'error','error':{'type':'overloaded_error','message':'Busy'}}\n\n",
              "start 0 [claude] [msg_1]\nusage 0 5 7 -1 1 -1\nerror 0 529 [overloaded_error] [Busy]\n");
    stream_is("data: {'error':'plain'}\n\n", "error 0 [plain]\n");
}
END_TEST

START_TEST(test_errors_of_a_status)
{
    ck_assert(chat(BODY));
    ck_assert(weir_test_decode_body(&t, 400,
                                    q("{'type':'error','error':{'type':'invalid_request_error','message':"
                                      "'prompt is too long: 9 tokens > 5 maximum'}}"),
                                    &e));
    ck_assert_str_eq(events(), "error 0 400 [context_length_exceeded] [prompt is too long: 9 tokens > 5 maximum]\n");
    ck_assert(chat(BODY));
    ck_assert(weir_test_decode_body(&t, 413, "<html>", &e));
    ck_assert_str_eq(events(), "error 0 413\n");
}
END_TEST

START_TEST(test_bug_39_stop_reasons)
{
    static const struct {
        const char *reason;
        enum weir_finish finish;
    } rows[] = {
        {"end_turn", WEIR_FINISH_STOP},     {"max_tokens", WEIR_FINISH_LENGTH},
        {"pause_turn", WEIR_FINISH_PAUSED}, {"model_context_window_exceeded", WEIR_FINISH_CONTEXT},
        {"refusal", WEIR_FINISH_FILTERED},  {"tool_use", WEIR_FINISH_TOOL_CALLS},
        {"compaction", WEIR_FINISH_PAUSED}, {"what_comes_next", WEIR_FINISH_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sse[256], want[256];
        snprintf(sse, sizeof sse, "data: {'type':'message_delta','delta':{'stop_reason':'%s'},'usage':{}}\n\n",
                 rows[i].reason);
        snprintf(want, sizeof want, "usage 0 -1 -1 -1 -1 -1\nfinish 0 #%d [%s]\n", (int)rows[i].finish, rows[i].reason);
        stream_is(sse, want);
    }
}
END_TEST

/* What ends without a stop reason has none: the host calls that a truncation. */
START_TEST(test_bug_21_no_stop_is_invented)
{
    stream_is(START_RECORD "data: {'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'a'}}\n\n"
                           "data: {'type':'message_delta','delta':{'stop_reason':null},'usage':{}}\n\n",
              "start 0 [claude] [msg_1]\nusage 0 5 7 -1 1 -1\ntext 0 [a]\nusage 0 -1 -1 -1 -1 -1\n");
}
END_TEST

START_TEST(test_decode_refuses_what_makes_no_sense)
{
    static const char *const rows[] = {
        "data: {'type':'message_delta'}{'type':'message_stop'}\n\n", /* bug 41 */
        "data: {'type':'content_block_delta','index':-1,'delta':{}}\n\n",
        "data: {'type':'content_block_delta','index':70000,'delta':{}}\n\n",
        "data: {'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}\n\n"
        "data: {'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}\n\n",
        "data: {'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'a'}}\n\n"
        "data: {'type':'content_block_stop','index':0}\n\n"
        "data: {'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'b'}}\n\n",
        START_RECORD "data: {'type':'message_start','message':{'id':'msg_2'}}\n\n",
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(chat(STREAM));
        ck_assert_msg(!weir_test_decode_stream(&t, q(rows[i]), &e), "%s", rows[i]);
    }
    stream_is(START_RECORD START_RECORD "data: [DONE]\n\n",
              "start 0 [claude] [msg_1]\nusage 0 5 7 -1 1 -1\nusage 0 5 7 -1 1 -1\n");
}
END_TEST

/* A client of another dialect: names come back as they were, plain text of a custom tool is unwrapped, and what the
 * vendor's own tools did is left out. */
START_TEST(test_decode_for_another_dialect)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    weir_test_begin(&t);
    weir_test_canonical(&t, q("{'stream':true,'messages':[],'tools':[{'name':'a.b'},{'name':'c','custom':{}}]}"));
    ck_assert_int_eq(weir_test_encode(&t, &to, &e), WEIR_PASS);
    ck_assert(weir_test_decode_stream(
        &t,
        "data: "
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"s\","
        "\"name\":\"w\",\"input\":{}}}\n\n"
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
        "\"{}\"}}\n\n"
        "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"web_search_tool_result\","
        "\"content\":[{\"title\":\"x\"}]}}\n\n"
        "data: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t1\","
        "\"name\":\"o7tscn1ru8zh4xw7t6apouu4\",\"input\":{}}}\n\n"
        "data: {\"type\":\"content_block_stop\",\"index\":2}\n\n"
        "data: {\"type\":\"content_block_start\",\"index\":3,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t2\","
        "\"name\":\"c\",\"input\":{}}}\n\n"
        "data: {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
        "\"{\\\"input\\\":\\\"a\\\\n\"}}\n\n"
        "data: {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"
        "\"b\\\"}\"}}\n\n"
        "data: {\"type\":\"content_block_stop\",\"index\":3}\n\n",
        &e));
    ck_assert_str_eq(events(), "arguments 2 [t1] [a.b]\narguments 2 last\ntext 3 [t2] [c] [a\nb] last\n");
}
END_TEST

/* ---- answer, same dialect ---- */

START_TEST(test_answer_of_text_set_free)
{
    struct weir_event ev = {.size = sizeof ev, .channel = WEIR_TEXT, .block = 2, .text = WEIR_STR("a\n")};

    ck_assert(chat(STREAM));
    ck_assert(weir_test_decode_stream(
        &t,
        q("data: {'type':'content_block_start','index':4,'content_block':{'type':'compaction','content':null}}\n\n"),
        &e));
    ck_assert(weir_test_answer(&t, &ev));
    weir_test_same(t.out, q("event: content_block_delta\ndata: {'type':'content_block_delta','index':2,'delta':{'type':"
                            "'text_delta','text':'a\\n'}}\n\n"));
    ev.block = 4;
    ck_assert(weir_test_answer(&t, &ev));
    weir_test_same(t.out, q("event: content_block_delta\ndata: {'type':'content_block_delta','index':4,'delta':{'type':"
                            "'compaction_delta','content':'a\\n'}}\n\n"));
    ev.channel = WEIR_DONE_MARK;
    ck_assert(weir_test_answer(&t, &ev));
    weir_test_same(t.out, q("event: message_stop\ndata: {'type':'message_stop'}\n\n"));
    ev = (struct weir_event){.size = sizeof ev, .channel = WEIR_TEXT, .block = BLOCK_STRINGS, .text = WEIR_STR("a")};
    ck_assert(!weir_test_answer(&t, &ev));
}
END_TEST

/* ---- answer, another dialect ---- */

static struct weir_test_buf said;

static bool say(struct weir_event ev)
{
    bool ok;

    ev.size = sizeof ev;
    ok = weir_test_answer(&t, &ev);
    wt_add(&said, wt_view(&t.out));
    return ok;
}

static bool piece(enum weir_channel channel, uint32_t block, const char *text, bool last)
{
    return say((struct weir_event){.channel = channel, .block = block, .text = wt_str(text), .last = last});
}

static bool call(uint32_t block, const char *id, const char *name, const char *text)
{
    return say((struct weir_event){.channel = WEIR_ARGUMENTS,
                                   .block = block,
                                   .tool_id = wt_str(id),
                                   .tool_name = wt_str(name),
                                   .text = wt_str(text)});
}

static bool opaque(uint32_t block, const char *kind, const char *data)
{
    return say(
        (struct weir_event){.channel = WEIR_OPAQUE, .block = block, .value = wt_str(kind), .detail = wt_str(data)});
}

static bool finish(enum weir_finish f)
{
    return say((struct weir_event){.channel = WEIR_FINISH, .finish = f});
}

static bool mark(void)
{
    return say((struct weir_event){.channel = WEIR_DONE_MARK});
}

static void begin(const char *body)
{
    said.len = 0;
    ck_assert(chat(body));
    ck_assert(say((struct weir_event){.channel = WEIR_START, .detail = WEIR_STR("id1"), .value = WEIR_STR("gpt")}));
}

/* Blocks of the stream in short: "0 text a|b" is block 0 of kind text in two pieces; then the end.  Each record must be
 * named as its type, blocks must not overlap, and nothing may follow the end. */
static const char *short_form(void)
{
    struct weir_str rest = wt_view(&said), line, name = WEIR_STR("");
    struct weir_test_block *memory = NULL;
    bool open = false, over = false;
    int64_t next = 0;
    struct weir_json j;

    told.len = 0;
    while (wt_line(&rest, &line)) {
        if (line.len > 7 && memcmp(line.ptr, "event: ", 7) == 0)
            name = (struct weir_str){line.ptr + 7, line.len - 7};
        if (line.len < 6 || memcmp(line.ptr, "data: ", 6) != 0)
            continue;
        ck_assert(!over && wt_skim(&memory, (struct weir_str){line.ptr + 6, line.len - 6}, &j, &e));
        ck_assert(str_eq(weir_json_text(&j, weir_json_get(&j, 0, "type")), name));
        int64_t index = weir_json_int(&j, weir_json_get(&j, 0, "index"), -1);
        if (str_is(name, "content_block_start")) {
            uint32_t block = weir_json_get(&j, 0, "content_block");
            ck_assert(!open && index == next);
            open = true;
            for (const char *const *k = (const char *const[]){"type", "id", "name", "data", NULL}; *k; k++)
                if (weir_json_get(&j, block, *k) != WEIR_NO_NODE) {
                    wt_add(&told, weir_json_text(&j, weir_json_get(&j, block, *k)));
                    wt_add_text(&told, " ");
                }
        } else if (str_is(name, "content_block_delta")) {
            uint32_t delta = weir_json_get(&j, 0, "delta");
            ck_assert(open && index == next);
            for (const char *const *k = (const char *const[]){"text", "thinking", "partial_json", "signature", NULL};
                 *k; k++)
                if (weir_json_get(&j, delta, *k) != WEIR_NO_NODE) {
                    wt_add(&told, weir_json_text(&j, weir_json_get(&j, delta, *k)));
                    wt_add_text(&told, "|");
                }
        } else if (str_is(name, "content_block_stop")) {
            ck_assert(open && index == next++);
            open = false;
            wt_add_text(&told, "\n");
        } else if (str_is(name, "message_delta")) {
            wt_add(&told, weir_json_text(&j, weir_json_get(&j, weir_json_get(&j, 0, "delta"), "stop_reason")));
        }
        over = str_is(name, "message_stop");
    }
    ck_assert(over && !open);
    wt_free(&memory);
    wt_add(&told, (struct weir_str){"", 1});
    return told.ptr;
}

/* providers.md, section 11.10, to the byte. */
START_TEST(test_answer_of_the_worked_example)
{
    struct weir_usage u = {40, 2, -1, 10, 3, -1, -1};
    const char *want;

    begin(STREAM);
    ck_assert(piece(WEIR_REASONING, 0, "Hm", false));
    ck_assert(piece(WEIR_TEXT, 0, "Let me look.", false));
    ck_assert(call(0, "call_a", "f", ""));
    ck_assert(piece(WEIR_ARGUMENTS, 0, "{\"x\":", false));
    ck_assert(call(1, "call_b", "g", "{}"));
    ck_assert(piece(WEIR_ARGUMENTS, 0, "1}", false));
    ck_assert(piece(WEIR_REASONING, 0, "", true) && piece(WEIR_TEXT, 0, "", true));
    ck_assert(piece(WEIR_ARGUMENTS, 0, "", true) && piece(WEIR_ARGUMENTS, 1, "", true));
    ck_assert(finish(WEIR_FINISH_TOOL_CALLS));
    ck_assert(say((struct weir_event){.channel = WEIR_USAGE, .usage = &u}));
    ck_assert(mark());
    want = q(
        "event: message_start\ndata: {'type':'message_start','message':{'id':'id1','type':'message','role':'assistant',"
        "'model':'gpt','content':[],'stop_reason':null,'stop_sequence':null,'usage':{'input_tokens':5,"
        "'cache_creation_input_tokens':0,'cache_read_input_tokens':0,'output_tokens':1}}}\n\n"
        "event: content_block_start\ndata: {'type':'content_block_start','index':0,'content_block':{'type':'thinking',"
        "'thinking':'','signature':''}}\n\n"
        "event: content_block_delta\ndata: {'type':'content_block_delta','index':0,'delta':{'type':'thinking_delta',"
        "'thinking':'Hm'}}\n\n"
        "event: content_block_delta\ndata: {'type':'content_block_delta','index':0,'delta':{'type':'signature_delta',"
        "'signature':'weir:none:'}}\n\n"
        "event: content_block_stop\ndata: {'type':'content_block_stop','index':0}\n\n"
        "event: content_block_start\ndata: {'type':'content_block_start','index':1,'content_block':{'type':'text',"
        "'text':''}}\n\n"
        "event: content_block_delta\ndata: {'type':'content_block_delta','index':1,'delta':{'type':'text_delta','text':"
        "'Let me look.'}}\n\n"
        "event: content_block_stop\ndata: {'type':'content_block_stop','index':1}\n\n"
        "event: content_block_start\ndata: {'type':'content_block_start','index':2,'content_block':{'type':'tool_use',"
        "'id':'call_a','name':'f','input':{}}}\n\n"
        "event: content_block_delta\ndata: {'type':'content_block_delta','index':2,'delta':{'type':'input_json_delta',"
        "'partial_json':'{\\\"x\\\":'}}\n\n");
    ck_assert_uint_ge(said.len, strlen(want));
    ck_assert_int_eq(strncmp(said.ptr, want, strlen(want)), 0);
    want =
        q("event: message_delta\ndata: {'type':'message_delta','delta':{'stop_reason':'tool_use','stop_sequence':null},"
          "'usage':{'input_tokens':40,'cache_creation_input_tokens':0,'cache_read_input_tokens':2,'output_tokens':13,"
          "'output_tokens_details':{'thinking_tokens':3}}}\n\nevent: message_stop\ndata: {'type':'message_stop'}\n\n");
    ck_assert_int_eq(memcmp(said.ptr + said.len - strlen(want), want, strlen(want)), 0);
    ck_assert_str_eq(short_form(), q("thinking Hm|weir:none:|\ntext Let me look.|\ntool_use call_a f {\\'x\\':|1}|\n"
                                     "tool_use call_b g {}|\ntool_use"));
}
END_TEST

START_TEST(test_bug_14_usage_in_the_start_is_an_estimate)
{
    begin(STREAM);
    /* "hello" and its frame: (5 + 8 + 3) / 4 + 1 */
    ck_assert(memmem(said.ptr, said.len, q("'usage':{'input_tokens':5,"), 26) != NULL);
}
END_TEST

START_TEST(test_bug_02_parallel_calls_take_turns)
{
    begin(STREAM);
    ck_assert(call(0, "a", "f", "{\"x\""));
    ck_assert(call(1, "b", "g", "{\"y\""));
    ck_assert(call(2, "c", "h", "{\"z\":\"}\""));
    ck_assert(piece(WEIR_ARGUMENTS, 1, ":2}", true));
    ck_assert(piece(WEIR_ARGUMENTS, 0, ":1}", true));
    ck_assert(piece(WEIR_ARGUMENTS, 2, "}", true));
    ck_assert(finish(WEIR_FINISH_STOP) && mark());
    ck_assert_str_eq(short_form(), q("tool_use a f {\\'x\\'|:1}|\ntool_use b g {\\'y\\':2}|\n"
                                     "tool_use c h {\\'z\\':\\'}\\'|}|\ntool_use"));
}
END_TEST

START_TEST(test_bug_03_each_kind_in_its_block)
{
    begin(STREAM);
    ck_assert(piece(WEIR_TEXT, 0, "a", false) && piece(WEIR_REASONING, 0, "b", false));
    ck_assert(piece(WEIR_TEXT, 0, "c", false) && piece(WEIR_TEXT, 0, "d", false) && piece(WEIR_TEXT, 0, "", true));
    ck_assert(piece(WEIR_REASONING, 0, "", true) && finish(WEIR_FINISH_STOP) && mark());
    ck_assert_str_eq(short_form(), "text a|\nthinking b|weir:none:|\ntext c|d|\nend_turn");
}
END_TEST

/* Text that comes while a call is half said waits behind it. */
START_TEST(test_text_waits_for_a_call)
{
    begin(STREAM);
    ck_assert(call(0, "a", "f", "{") && piece(WEIR_TEXT, 0, "t", false) && piece(WEIR_TEXT, 0, "u", false));
    ck_assert(piece(WEIR_ARGUMENTS, 0, "}", true) && piece(WEIR_TEXT, 0, "v", true));
    ck_assert(finish(WEIR_FINISH_LENGTH) && mark());
    ck_assert_str_eq(short_form(), "tool_use a f {|}|\ntext tu|v|\nmax_tokens");
}
END_TEST

START_TEST(test_bug_10_opaque_reasoning)
{
    begin(STREAM);
    ck_assert(piece(WEIR_REASONING, 0, "a", true) && opaque(0, "anthropic.signature", "U0lH"));
    ck_assert(piece(WEIR_REASONING, 1, "b", true) && opaque(1, "openai.encrypted", "RU5D"));
    ck_assert(opaque(2, "anthropic.signature", "T05MWQ=="));
    ck_assert(opaque(3, "bedrock.redacted", "UkVE"));
    ck_assert(opaque(0, "gemini.thought", "VA==") && call(0, "x", "f", "{}") && piece(WEIR_ARGUMENTS, 0, "", true));
    ck_assert(finish(WEIR_FINISH_TOOL_CALLS) && mark());
    ck_assert_str_eq(short_form(), "thinking a|U0lH|\nthinking b|weir:openai.encrypted:RU5D|\nthinking T05MWQ==|\n"
                                   "redacted_thinking weir:bedrock.redacted:UkVE \nthinking weir:gemini.thought:VA==|\n"
                                   "tool_use x f {}|\ntool_use");
}
END_TEST

START_TEST(test_bug_17_and_18_empty_pieces)
{
    begin(STREAM);
    ck_assert(piece(WEIR_TEXT, 0, "", false) && piece(WEIR_TEXT, 0, "", true) && call(0, "", "f", ""));
    ck_assert(piece(WEIR_ARGUMENTS, 0, "", true) && finish(WEIR_FINISH_STOP) && mark());
    ck_assert_str_eq(short_form(), "tool_use toolu_id1_0 f \ntool_use");
    begin(STREAM);
    ck_assert(finish(WEIR_FINISH_STOP) && mark());
    ck_assert_str_eq(short_form(), "end_turn");
}
END_TEST

START_TEST(test_custom_tools_are_wrapped)
{
    begin(STREAM);
    ck_assert(say((struct weir_event){.channel = WEIR_TEXT,
                                      .block = 7,
                                      .tool_id = WEIR_STR("a"),
                                      .tool_name = WEIR_STR("c"),
                                      .text = WEIR_STR("x\"")}));
    ck_assert(piece(WEIR_TEXT, 7, "y", true) && piece(WEIR_TEXT, 0, "t", true) && finish(WEIR_FINISH_STOP) && mark());
    ck_assert_str_eq(short_form(), q("tool_use a c {\\'input\\':\\'|x\\\\\\'|y|\\'}|\ntext t|\ntool_use"));
}
END_TEST

START_TEST(test_bug_39_stop_reasons_of_others)
{
    static const struct {
        enum weir_finish finish;
        const char *old, *newer;
    } rows[] = {
        {WEIR_FINISH_STOP, "end_turn", "end_turn"},
        {WEIR_FINISH_STOP_SEQUENCE, "end_turn", "end_turn"},
        {WEIR_FINISH_LENGTH, "max_tokens", "max_tokens"},
        {WEIR_FINISH_CONTEXT, "max_tokens", "model_context_window_exceeded"},
        {WEIR_FINISH_FILTERED, "refusal", "refusal"},
        {WEIR_FINISH_PAUSED, "pause_turn", "pause_turn"},
        {WEIR_FINISH_UNKNOWN, "end_turn", "end_turn"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(STREAM);
        weir_test_fact(&t, "header.anthropic-version", "2023-06-01");
        ck_assert(finish(rows[i].finish) && mark());
        ck_assert_str_eq(short_form(), rows[i].old);
        begin(STREAM);
        weir_test_fact(&t, "header.anthropic-version", "2026-10-21");
        ck_assert(finish(rows[i].finish) && mark());
        ck_assert_str_eq(short_form(), rows[i].newer);
    }
    begin(STREAM);
    ck_assert(!finish(WEIR_FINISH_FAILED)); /* an error, which the host says by refuse */
}
END_TEST

START_TEST(test_answer_as_a_body)
{
    struct weir_usage u = {10, 4, 2, 6, -1, 1, -1};

    begin(BODY);
    ck_assert(piece(WEIR_REASONING, 0, "h\"m", true) && opaque(0, "anthropic.signature", "U0lH"));
    ck_assert(opaque(1, "anthropic.redacted", "UkVE") && piece(WEIR_TEXT, 0, "a", false));
    ck_assert(call(0, "t1", "f", "{\"x\": ") && call(1, "t2", "g", "") && piece(WEIR_ARGUMENTS, 0, "1}", true));
    ck_assert(say((struct weir_event){.channel = WEIR_USAGE, .usage = &u}));
    ck_assert(say(
        (struct weir_event){.channel = WEIR_FINISH, .finish = WEIR_FINISH_STOP_SEQUENCE, .value = WEIR_STR("END")}));
    weir_test_same(said, "");
    ck_assert(mark());
    weir_test_same(said,
                   q("{'id':'id1','type':'message','role':'assistant','model':'gpt','content':[{'type':'thinking',"
                     "'thinking':'h\\'m','signature':'U0lH'},{'type':'redacted_thinking','data':'UkVE'},{'type':"
                     "'text','text':'a'},{'type':'tool_use','id':'t1','name':'f','input':{'x': 1}},{'type':"
                     "'tool_use','id':'t2','name':'g','input':{}}],'stop_reason':'stop_sequence','stop_sequence':"
                     "'END','usage':{'input_tokens':11,'cache_creation_input_tokens':2,'cache_read_input_tokens':4,"
                     "'output_tokens':6}}"));
}
END_TEST

START_TEST(test_answer_says_no)
{
    begin(BODY);
    ck_assert(call(0, "t", "f", "{\"x\":"));
    ck_assert(!mark()); /* a body cannot hold half an object */
    begin(STREAM);
    ck_assert(!say((struct weir_event){.channel = WEIR_TEXT, .choice = 1, .text = WEIR_STR("x")}));
    begin(STREAM);
    ck_assert(call(0, "t", "f", "{}") && piece(WEIR_TEXT, 0, "x", false));
    ck_assert(piece(WEIR_ARGUMENTS, 0, " \n", false));
    ck_assert(!piece(WEIR_ARGUMENTS, 0, "{}", false)); /* too late for that block */
    begin(STREAM);
    ck_assert(!say((struct weir_event){.channel = WEIR_VECTOR}));
}
END_TEST

static void finish_all(void)
{
    teardown();
    wt_buf_free(&told);
    wt_buf_free(&said);
}

Suite *suite(void)
{
    Suite *s = suite_create("anthropic_answer");
    TCase *c = tcase_create("anthropic_answer");

    tcase_add_checked_fixture(c, setup, finish_all);
    tcase_add_test(c, test_decode_of_every_block);
    tcase_add_test(c, test_decode_of_a_body);
    tcase_add_test(c, test_bug_22_an_error_in_the_stream);
    tcase_add_test(c, test_errors_of_a_status);
    tcase_add_test(c, test_bug_39_stop_reasons);
    tcase_add_test(c, test_bug_21_no_stop_is_invented);
    tcase_add_test(c, test_decode_refuses_what_makes_no_sense);
    tcase_add_test(c, test_decode_for_another_dialect);
    tcase_add_test(c, test_answer_of_text_set_free);
    tcase_add_test(c, test_answer_of_the_worked_example);
    tcase_add_test(c, test_bug_14_usage_in_the_start_is_an_estimate);
    tcase_add_test(c, test_bug_02_parallel_calls_take_turns);
    tcase_add_test(c, test_bug_03_each_kind_in_its_block);
    tcase_add_test(c, test_text_waits_for_a_call);
    tcase_add_test(c, test_bug_10_opaque_reasoning);
    tcase_add_test(c, test_bug_17_and_18_empty_pieces);
    tcase_add_test(c, test_custom_tools_are_wrapped);
    tcase_add_test(c, test_bug_39_stop_reasons_of_others);
    tcase_add_test(c, test_answer_as_a_body);
    tcase_add_test(c, test_answer_says_no);
    suite_add_tcase(s, c);
    return s;
}
