/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai_golden_test.c -- recorded answers of OpenAI, Azure, DeepSeek, Groq, Mistral, xAI and others through decode:
 * they mean what tests/golden/openai.txt says (made by openai.py beside it), and reach the client byte for byte.
 */
#include "openai_all.h"
#include "golden.h"

#define GOLDEN "tests/golden/openai.txt"

static struct weir_test t;
static struct weir_error e;

/* ---- files ---- */

/* Recordings keep one JSON text a line: back to the records they were. */
static char *as_stream(const char *lines)
{
    struct weir_test_buf b = {0};
    struct weir_str rest = {lines, strlen(lines)}, line;

    while (wt_line(&rest, &line)) {
        if (!line.len)
            continue;
        wt_add_text(&b, "data: ");
        wt_add(&b, line);
        wt_add_text(&b, "\n\n");
    }
    wt_add_text(&b, "data: [DONE]\n\n");
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* ---- what came out, in the words of openai.txt ---- */

static void put_texts(struct weir_test_buf *to)
{
    static const struct {
        const char *name;
        enum weir_channel channel;
        uint32_t block;
    } fields[] = {
        {"content", WEIR_TEXT, TEXT_CONTENT},
        {"reasoning", WEIR_REASONING, REASONING_PLAIN},
        {"reasoning_content", WEIR_REASONING, REASONING_CONTENT},
        {"refusal", WEIR_TEXT, TEXT_REFUSAL},
        {"thinking", WEIR_REASONING, REASONING_PARTS},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct weir_str text = weir_test_text(&t, fields[i].channel, 0, fields[i].block);
        if (!text.len)
            continue;
        wt_add_text(to, fields[i].name);
        wt_add_text(to, " 0 ");
        golden_digest(to, "", text);
    }
}

static void put_word(struct weir_test_buf *to, struct weir_str word)
{
    wt_add(to, word.len ? word : WEIR_STR("-"));
    wt_add_text(to, " ");
}

static void put_calls(struct weir_test_buf *to)
{
    for (uint32_t block = 0; block < 4; block++) {
        struct weir_str id = WEIR_STR(""), name = WEIR_STR("");
        char at[32];
        bool any = false;
        for (size_t i = 0; i < weir_test_event_count(&t); i++) {
            const struct weir_event *ev = &weir_test_event(&t, i)->event;
            if (ev->channel != WEIR_ARGUMENTS || ev->block != block)
                continue;
            any = true;
            id = id.len ? id : ev->tool_id;
            name = name.len ? name : ev->tool_name;
        }
        if (!any)
            continue;
        snprintf(at, sizeof at, "call 0 %u ", block);
        wt_add_text(to, at);
        put_word(to, id);
        put_word(to, name);
        golden_digest(to, "", weir_test_text(&t, WEIR_ARGUMENTS, 0, block));
    }
}

static void put_ends(struct weir_test_buf *to)
{
    const struct weir_usage *u = NULL;
    struct weir_str error = WEIR_STR("");
    char line[256];

    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_event *ev = &weir_test_event(&t, i)->event;
        if (ev->channel == WEIR_FINISH) {
            snprintf(line, sizeof line, "finish %u %.*s\n", ev->choice, (int)ev->detail.len, ev->detail.ptr);
            wt_add_text(to, line);
        }
        u = ev->usage ? ev->usage : u;
        error = ev->channel == WEIR_ERRORED ? ev->detail : error;
    }
    if (u) {
        snprintf(line, sizeof line, "usage %lld %lld %lld %lld %lld %lld %lld\n", (long long)u->input,
                 (long long)u->cache_read, (long long)u->cache_write, (long long)u->output, (long long)u->reasoning,
                 (long long)u->audio_in, (long long)u->audio_out);
        wt_add_text(to, line);
    }
    if (error.len) {
        wt_add_text(to, "error ");
        wt_add(to, error);
        wt_add_text(to, "\n");
    }
}

static void decode_file(const char *name, const char *recorded)
{
    bool stream = strstr(name, ".json") == NULL;
    char *sse = !stream ? NULL : strstr(name, ".sse") ? strdup(recorded) : as_stream(recorded);
    bool ok;

    ck_assert(weir_test_accept(&t, "POST", "/v1/chat/completions",
                               stream ? "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
                                        "{\"include_usage\":true}}"
                                      : "{\"model\":\"m\",\"messages\":[]}",
                               &e));
    ok = stream ? weir_test_decode_stream(&t, sse, &e) : weir_test_decode_body(&t, 200, recorded, &e);
    ck_assert_msg(ok, "%s: %s", name, e.text);
    ck_assert_msg(t.client.len == strlen(stream ? sse : recorded) &&
                      memcmp(t.client.ptr, stream ? sse : recorded, t.client.len) == 0,
                  "%s: not byte for byte", name);
    golden_lasts(&t, name);
    free(sse);
}

/* ---- the same through the other dialects' doors ---- */

/* All that the events say but for where: texts by channel, calls by name, ends. */
static void sum_events(struct weir_test *from, struct weir_test_buf *to)
{
    for (int channel = WEIR_TEXT; channel <= WEIR_ARGUMENTS; channel++)
        for (size_t i = 0; i < weir_test_event_count(from); i++) {
            const struct weir_test_event *x = weir_test_event(from, i);
            if ((int)x->event.channel != channel)
                continue;
            wt_add(to, x->event.tool_name);
            if (channel != WEIR_ARGUMENTS || !wt_is(x->text, "{}")) /* what was empty is that */
                wt_add(to, x->text);
        }
    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        const struct weir_event *ev = &weir_test_event(from, i)->event;
        char line[64];
        if (ev->channel != WEIR_FINISH && ev->channel != WEIR_ERRORED)
            continue;
        snprintf(line, sizeof line, "\n%d %u %d", (int)ev->channel, ev->choice, (int)ev->finish);
        wt_add_text(to, line);
    }
}

static void decode_lowered(struct weir_test *to, const char *bytes, bool stream)
{
    struct weir_candidate candidate = weir_test_candidate("p", "m");

    weir_test_init(to, &weir_plugin, "");
    weir_test_body(to, "{}");
    to->request.kind = WEIR_CHAT;
    weir_test_canonical(to, stream ? "{\"stream\":true,\"messages\":[]}" : "{\"messages\":[]}");
    weir_test_verdict(weir_test_encode(to, &candidate, &e), WEIR_PASS);
    ck_assert_msg(stream ? weir_test_decode_stream(to, bytes, &e) : weir_test_decode_body(to, 200, bytes, &e), "%s",
                  e.text);
}

/* The events of `from`, said to a client of OpenAI's. */
static bool write_anew(struct weir_test *from, bool stream, struct weir_test_buf *to)
{
    struct weir_event done = {.size = sizeof done, .channel = WEIR_DONE_MARK};
    struct weir_test w;
    bool good = true;

    weir_test_init(&w, &weir_plugin, "");
    ck_assert(weir_test_accept(
        &w, "POST", "/v1/chat/completions",
        stream ? "{\"model\":\"m\",\"messages\":[],\"stream\":true}" : "{\"model\":\"m\",\"messages\":[]}", &e));
    for (size_t i = 0; i <= weir_test_event_count(from) && good; i++) {
        struct weir_event ev = i < weir_test_event_count(from) ? weir_test_event(from, i)->event : done;
        ev.text = i < weir_test_event_count(from) ? weir_test_event(from, i)->text : WEIR_STR("");
        if (ev.channel == WEIR_DONE_MARK && i < weir_test_event_count(from))
            continue;
        good = ev.channel != WEIR_ERRORED && weir_test_answer(&w, &ev);
        wt_add(to, wt_view(&w.out));
    }
    wt_add(to, (struct weir_str){"", 1});
    weir_test_fini(&w);
    return good;
}

static void round_trip(const char *name, const char *recorded)
{
    bool stream = strstr(name, ".json") == NULL;
    char *bytes = !stream || strstr(name, ".sse") ? strdup(recorded) : as_stream(recorded);
    struct weir_test first, second;

    if (strstr(name, "completion-text") || strstr(name, "embedding")) { /* no chat */
        free(bytes);
        return;
    }
    decode_lowered(&first, bytes, stream);
    for (int to_stream = 0; to_stream < 2; to_stream++) {
        struct weir_test_buf anew = {0}, want = {0}, got = {0};
        if (write_anew(&first, to_stream, &anew)) {
            decode_lowered(&second, anew.ptr, to_stream);
            sum_events(&first, &want);
            sum_events(&second, &got);
            ck_assert_msg(got.len == want.len && memcmp(got.ptr, want.ptr, want.len) == 0,
                          "%s, said anew:\n got: %.*s\nwant: %.*s", name, (int)got.len, got.ptr, (int)want.len,
                          want.ptr);
            weir_test_fini(&second);
        }
        wt_buf_free(&anew);
        wt_buf_free(&want);
        wt_buf_free(&got);
    }
    weir_test_fini(&first);
    free(bytes);
}

/* A client of another dialect is told the same. */
static void lowered_check(const char *name, const char *recorded, struct weir_str want)
{
    bool stream = strstr(name, ".json") == NULL;
    char *bytes = !stream || strstr(name, ".sse") ? strdup(recorded) : as_stream(recorded);
    struct weir_test outer = t;
    struct weir_test_buf got = {0};

    decode_lowered(&t, bytes, stream);
    golden_lasts(&t, name);
    put_texts(&got);
    put_calls(&got);
    put_ends(&got);
    ck_assert_msg(got.len == want.len && (!got.len || memcmp(got.ptr, want.ptr, got.len) == 0),
                  "%s, lowered:\n got: %.*s\nwant: %.*s", name, (int)got.len, got.ptr, (int)want.len, want.ptr);
    weir_test_fini(&t);
    t = outer;
    wt_buf_free(&got);
    free(bytes);
}

/* ---- the test ---- */

static void file_check(const char *name, struct weir_str want)
{
    struct weir_test_buf got = {0};
    char *recorded;

    if (!name[0])
        return;
    recorded = golden_recording(name);
    ck_assert_msg(recorded != NULL, "no recording %s", name);
    decode_file(name, recorded);
    put_texts(&got);
    put_calls(&got);
    put_ends(&got);
    ck_assert_msg(got.len == want.len && (!got.len || memcmp(got.ptr, want.ptr, got.len) == 0),
                  "%s:\n got: %.*s\nwant: %.*s", name, (int)got.len, got.ptr, (int)want.len, want.ptr);
    lowered_check(name, recorded, want);
    round_trip(name, recorded);
    wt_buf_free(&got);
    free(recorded);
}

static int files_check(const char *golden)
{
    struct weir_str rest = {golden, strlen(golden)}, line;
    struct weir_test_buf want = {0};
    char name[128] = "";
    int files = 0;

    while (wt_line(&rest, &line)) {
        if (line.len > 5 && memcmp(line.ptr, "file ", 5) == 0) {
            file_check(name, wt_view(&want));
            snprintf(name, sizeof name, "%.*s", (int)line.len - 5, line.ptr + 5);
            want.len = 0;
            files++;
            continue;
        }
        wt_add(&want, line);
        wt_add_text(&want, "\n");
    }
    file_check(name, wt_view(&want));
    wt_buf_free(&want);
    return files;
}

START_TEST(test_recordings)
{
    char *index = golden_recording("index.json"), *golden = golden_file(GOLDEN);

    ck_assert_msg(golden != NULL, "no %s: run tests from the repository's folder", GOLDEN);
    if (index) {
        weir_test_init(&t, &weir_plugin, "");
        ck_assert_int_eq(files_check(golden), 52);
        weir_test_fini(&t);
    } else {
        ck_assert_msg(!getenv("CI"), "no recordings, and in CI nothing may be skipped");
        printf("skipped: no recordings in $WEIR_SHARED/data/fixtures or ../shared/data/fixtures\n");
    }
    free(index);
    free(golden);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("openai_golden");
    TCase *c = tcase_create("openai_golden");

    tcase_add_test(c, test_recordings);
    suite_add_tcase(s, c);
    return s;
}
