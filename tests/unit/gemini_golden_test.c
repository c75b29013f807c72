/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini_golden_test.c -- recorded answers of AI Studio and Vertex through decode: they mean what
 * tests/golden/gemini.txt says (made by gemini.py beside it), reach a client of the same dialect byte for byte, and
 * mean the same once answer has said their events anew, as a stream, as an array and as a body.
 */
#include "gemini_all.h"
#include "golden.h"

#define GOLDEN "tests/golden/gemini.txt"

static struct weir_test t, again;
static struct weir_error e;

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
        wt_add_text(&b, "\r\n\r\n");
    }
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* ---- what came out, in the words of gemini.txt ---- */

static void put_channel(struct weir_test *x, struct weir_test_buf *to, const char *word, enum weir_channel channel)
{
    struct weir_test_buf all = {0};

    for (size_t i = 0; i < weir_test_event_count(x); i++)
        if (weir_test_event(x, i)->event.channel == channel)
            wt_add(&all, weir_test_event(x, i)->text);
    if (all.len)
        golden_digest(to, word, wt_view(&all));
    wt_buf_free(&all);
}

static void put_calls(struct weir_test *x, struct weir_test_buf *to)
{
    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_event *ev = &weir_test_event(x, i)->event;
        char word[256];
        if (ev->channel != WEIR_ARGUMENTS || !ev->tool_name.len)
            continue;
        snprintf(word, sizeof word, "call %.*s", (int)ev->tool_name.len, ev->tool_name.ptr);
        ck_assert(ev->tool_id.len);
        golden_digest(to, word, golden_compact(x, weir_test_text(x, WEIR_ARGUMENTS, ev->choice, ev->block)));
    }
}

static void put_all(struct weir_test *x, struct weir_test_buf *to)
{
    char line[256] = "";

    put_channel(x, to, "text", WEIR_TEXT);
    put_channel(x, to, "thought", WEIR_REASONING);
    put_calls(x, to);
    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_event *ev = &weir_test_event(x, i)->event;
        if (ev->channel == WEIR_OPAQUE)
            golden_digest(to, "signature", ev->detail);
        if (ev->channel == WEIR_VECTOR)
            golden_digest(to, "vector", golden_compact(x, weir_test_event(x, i)->text));
    }
    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_event *ev = &weir_test_event(x, i)->event;
        const struct weir_usage *u = ev->usage;
        if (ev->channel == WEIR_FINISH) {
            wt_add_text(to, "finish ");
            wt_add(to, ev->detail);
            wt_add_text(to, "\n");
        }
        if (u)
            snprintf(line, sizeof line, "usage %lld %lld %lld %lld\n", (long long)u->input, (long long)u->cache_read,
                     (long long)u->output, (long long)u->reasoning);
        if (ev->channel == WEIR_ERRORED)
            snprintf(line, sizeof line, "error %d %u %.*s\n", ev->status, ev->retry_after, (int)ev->value.len,
                     ev->value.ptr);
    }
    wt_add_text(to, line);
}

/* ---- passed through, and said anew ---- */

static void decoded(struct weir_test *x, bool foreign, bool stream, int status, const char *sent)
{
    struct weir_candidate to = weir_test_candidate("gemini", "gemini-3-pro");

    if (foreign) {
        weir_test_begin(x);
        weir_test_canonical(x, stream ? "{\"stream\":true,\"messages\":[]}" : "{\"messages\":[]}");
    } else {
        ck_assert(weir_test_accept(
            x, "POST", stream ? "/v1beta/models/m:streamGenerateContent?alt=sse" : "/v1beta/models/m:generateContent",
            "{\"contents\":[]}", &e));
    }
    weir_test_verdict(weir_test_encode(x, &to, &e), WEIR_PASS);
    ck_assert_msg(stream ? weir_test_decode_stream(x, sent, &e) : weir_test_decode_body(x, status, sent, &e), "%s: %s",
                  e.text, sent);
}

static void say(struct weir_event ev, struct weir_test_buf *to)
{
    ck_assert(weir_test_answer(&again, &ev));
    wt_add(to, wt_view(&again.out));
}

/* The events of `t`, as a client of another dialect's upstream gets them, decoded again. */
static void said_anew(const char *path, struct weir_test_buf *got)
{
    struct weir_test_buf out = {0};
    char *text;

    ck_assert(weir_test_accept(&again, "POST", path, "{\"contents\":[]}", &e));
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        struct weir_event ev = weir_test_event(&t, i)->event;
        ev.text = weir_test_event(&t, i)->text;
        say(ev, &out);
    }
    say((struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_DONE_MARK}, &out);
    wt_add(&out, (struct weir_str){"", 1});
    text = strdup(out.ptr);
    decoded(&again, true, strstr(path, "alt=sse") != NULL, 200, text);
    put_all(&again, got);
    free(text);
    wt_buf_free(&out);
}

static void file_check(const char *name, struct weir_str want)
{
    static const char *const paths[] = {"/v1beta/models/m:streamGenerateContent?alt=sse",
                                        "/v1beta/models/m:streamGenerateContent", "/v1beta/models/m:generateContent"};
    bool stream = strstr(name, ".chunks") != NULL, error = strstr(name, "429") != NULL;
    struct weir_test_buf got = {0};
    char *recorded = golden_recording(name), *sent;

    ck_assert_msg(recorded != NULL, "no recording %s", name);
    sent = stream ? as_stream(recorded) : strdup(recorded);
    decoded(&t, false, stream, error ? 429 : 200, sent);
    ck_assert_msg(t.client.len == strlen(sent) && memcmp(t.client.ptr, sent, t.client.len) == 0,
                  "%s: not byte for byte", name);
    golden_lasts(&t, name);
    decoded(&t, true, stream, error ? 429 : 200, sent);
    golden_lasts(&t, name);
    put_all(&t, &got);
    golden_same(name, "decoded", &got, want);
    for (size_t i = 0; i < 3 && !error && !strstr(name, "embedding"); i++) {
        said_anew(paths[i], &got);
        golden_same(name, paths[i], &got, want);
    }
    free(sent);
    free(recorded);
}

START_TEST(test_recordings)
{
    char *golden = golden_file(GOLDEN), *index = golden_recording("index.json");
    struct weir_str rest, line;
    int files = 0;

    ck_assert_msg(golden != NULL, "no " GOLDEN);
    if (!index) {
        fprintf(stderr, "no recordings here: set WEIR_SHARED\n");
        free(golden);
        return;
    }
    weir_test_init(&t, &weir_plugin, "");
    weir_test_init(&again, &weir_plugin, "");
    rest = (struct weir_str){golden, strlen(golden)};
    while (wt_line(&rest, &line)) {
        const char *start = rest.ptr, *end = strstr(start, "file ");
        char name[256];
        if (line.len < 6 || memcmp(line.ptr, "file ", 5) != 0)
            continue;
        while (end && end[-1] != '\n')
            end = strstr(end + 1, "file ");
        snprintf(name, sizeof name, "%.*s", (int)line.len - 5, line.ptr + 5);
        file_check(name, (struct weir_str){start, end ? (size_t)(end - start) : rest.len});
        files++;
    }
    ck_assert_int_eq(files, 16);
    weir_test_fini(&t);
    weir_test_fini(&again);
    free(index);
    free(golden);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("gemini golden");
    TCase *c = tcase_create("gemini golden");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, test_recordings);
    suite_add_tcase(s, c);
    return s;
}
