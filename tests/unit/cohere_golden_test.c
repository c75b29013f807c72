/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere_golden_test.c -- recorded answers of Cohere through decode: they mean what tests/golden/cohere.txt says (made
 * by cohere.py beside it), reach a client of the same dialect byte for byte, and mean the same once answer has said
 * their events anew, as a stream and as a body.
 */
#include "cohere_all.h"
#include "golden.h"

#define GOLDEN "tests/golden/cohere.txt"
#define CHAT   "{\"model\":\"m\",\"messages\":[]}"

static struct weir_test t, again;
static struct weir_error e;

/* The records of the first `most` lines. */
static char *as_stream(const char *lines, size_t most)
{
    struct weir_test_buf b = {0};
    struct weir_str rest = {lines, strlen(lines)}, line;

    while (most-- && wt_line(&rest, &line)) {
        if (!line.len)
            continue;
        wt_add_text(&b, "data: ");
        wt_add(&b, line);
        wt_add_text(&b, "\n\n");
    }
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* ---- what came out, in the words of cohere.txt ---- */

/* All texts of a channel together, in the order of the events. */
static void put_channel(struct weir_test *x, struct weir_test_buf *to, enum weir_channel channel, const char *word)
{
    struct weir_test_buf all = {0};

    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_test_event *ev = weir_test_event(x, i);
        if (ev->event.channel == channel && !ev->event.copy)
            wt_add(&all, ev->text);
    }
    if (all.len)
        golden_digest(to, word, wt_view(&all));
    wt_buf_free(&all);
}

static void put_said_call(struct weir_test *x, struct weir_test_buf *to, const struct weir_event *first)
{
    char word[256];

    snprintf(word, sizeof word, "call %.*s %.*s", (int)first->tool_id.len, first->tool_id.ptr,
             (int)first->tool_name.len, first->tool_name.ptr);
    golden_digest(to, word, golden_compact(x, weir_test_text(x, WEIR_ARGUMENTS, 0, first->block)));
}

static void put_all(struct weir_test *x, struct weir_test_buf *to)
{
    char usage[256] = "";

    put_channel(x, to, WEIR_REASONING, "reasoning");
    put_channel(x, to, WEIR_TEXT, "text");
    for (size_t i = 0; i < weir_test_event_count(x); i++)
        if (weir_test_event(x, i)->event.channel == WEIR_ARGUMENTS && weir_test_event(x, i)->event.tool_id.len)
            put_said_call(x, to, &weir_test_event(x, i)->event);
    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_event *ev = &weir_test_event(x, i)->event;
        const struct weir_usage *u = ev->usage;
        if (ev->channel == WEIR_FINISH) {
            wt_add_text(to, "finish ");
            wt_add(to, ev->detail);
            wt_add_text(to, "\n");
        }
        if (u)
            snprintf(usage, sizeof usage, "usage %lld %lld %lld\n", (long long)u->input, (long long)u->cache_read,
                     (long long)u->output);
    }
    wt_add_text(to, usage);
}

/* ---- said anew ---- */

static void say(struct weir_event ev, struct weir_test_buf *to)
{
    ck_assert(weir_test_answer(&again, &ev));
    wt_add(to, wt_view(&again.out));
}

/* The events of `t`, as a client of another dialect's upstream gets them, decoded again. */
static void said_anew(bool stream, struct weir_test_buf *got)
{
    struct weir_test_buf out = {0};
    char *text;

    ck_assert(weir_test_accept(&again, "POST", "/v2/chat",
                               stream ? "{\"model\":\"m\",\"messages\":[],\"stream\":true}" : CHAT, &e));
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        struct weir_event ev = weir_test_event(&t, i)->event;
        ev.text = weir_test_event(&t, i)->text;
        if (!ev.copy)
            say(ev, &out);
    }
    say((struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_DONE_MARK}, &out);
    wt_add(&out, (struct weir_str){"", 1});
    text = strdup(out.ptr);
    if (stream)
        ck_assert_msg(weir_test_decode_stream(&again, text, &e), "%s", e.text);
    else
        ck_assert_msg(weir_test_decode_body(&again, 200, text, &e), "%s", e.text);
    put_all(&again, got);
    free(text);
    wt_buf_free(&out);
}

/* ---- the test ---- */

/* A stream that breaks off behind any record is no finished answer, and no error of decode either. */
static void cuts_check(const char *name, const char *recorded)
{
    size_t lines = 0;

    for (const char *p = recorded; *p; p++)
        lines += *p == '\n';
    lines += recorded[0] && recorded[strlen(recorded) - 1] != '\n';
    for (size_t n = 0; n < lines; n++) {
        char *part = as_stream(recorded, n);
        ck_assert(weir_test_accept(&t, "POST", "/v2/chat", CHAT, &e));
        ck_assert_msg(weir_test_decode_stream(&t, part, &e), "%s, %zu records: %s", name, n, e.text);
        for (size_t i = 0; i < weir_test_event_count(&t); i++)
            ck_assert_msg(weir_test_event(&t, i)->event.channel != WEIR_FINISH, "%s, %zu records: an end", name, n);
        free(part);
    }
}

static void file_check(const char *name, struct weir_str want)
{
    bool stream = strstr(name, ".chunks") != NULL, ok;
    struct weir_test_buf got = {0};
    char *recorded, *sent;

    if (!name[0])
        return;
    recorded = golden_recording(name);
    ck_assert_msg(recorded != NULL, "no recording %s", name);
    sent = stream ? as_stream(recorded, SIZE_MAX) : strdup(recorded);
    ck_assert(weir_test_accept(&t, "POST", "/v2/chat", CHAT, &e));
    ok = stream ? weir_test_decode_stream(&t, sent, &e) : weir_test_decode_body(&t, 200, sent, &e);
    ck_assert_msg(ok, "%s: %s", name, e.text);
    ck_assert_msg(t.client.len == strlen(sent) && memcmp(t.client.ptr, sent, t.client.len) == 0,
                  "%s: not byte for byte", name);
    golden_lasts(&t, name);
    put_all(&t, &got);
    golden_same(name, "decoded", &got, want);
    said_anew(true, &got);
    golden_same(name, "said anew as a stream", &got, want);
    said_anew(false, &got);
    golden_same(name, "said anew as a body", &got, want);
    if (stream)
        cuts_check(name, recorded);
    free(sent);
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

static const struct weir_event *event_at(size_t i)
{
    ck_assert(i < weir_test_event_count(&t));
    return &weir_test_event(&t, i)->event;
}

/* By hand from the two files. */
static void others_check(void)
{
    char *embedding = golden_recording("cohere/cohere-embedding.json"),
         *rerank = golden_recording("cohere/cohere-reranking.1.json");

    ck_assert(embedding && rerank);
    ck_assert(weir_test_accept(&t, "POST", "/v2/embed", "{\"model\":\"m\",\"texts\":[]}", &e));
    weir_test_canonical(&t, "{\"input\":[\"a\",\"b\"]}");
    ck_assert(weir_test_decode_body(&t, 200, embedding, &e));
    ck_assert_int_eq(weir_test_event_count(&t), 4);
    weir_test_same(event_at(0)->detail, "f5aa3e7b-f011-4c5c-a825-f94669f760e5");
    ck_assert_int_eq(event_at(1)->channel, WEIR_VECTOR);
    weir_test_same(weir_test_event(&t, 1)->text, "[0.03302002, 0.020904541, -0.019744873, -0.0625, 0.04437256]");
    ck_assert_int_eq(event_at(2)->choice, 1);
    weir_test_same(weir_test_event(&t, 2)->text,
                   "[-0.04660034, 0.00037765503, -0.061157227, -0.08239746, -0.010360718]");
    ck_assert_int_eq(event_at(3)->usage->input, 10);

    ck_assert(weir_test_accept(&t, "POST", "/v2/rerank", "{\"model\":\"m\",\"query\":\"q\",\"documents\":[]}", &e));
    weir_test_canonical(&t, "{\"input\":[\"a\",\"b\"],\"query\":\"q\"}");
    ck_assert(weir_test_decode_body(&t, 200, rerank, &e));
    ck_assert_int_eq(weir_test_event_count(&t), 3);
    ck_assert_int_eq(event_at(1)->channel, WEIR_SCORE);
    ck_assert_int_eq(event_at(1)->choice, 1);
    weir_test_same(weir_test_event(&t, 1)->text, "0.10183054");
    ck_assert_int_eq(event_at(2)->choice, 0);
    weir_test_same(weir_test_event(&t, 2)->text, "0.03762639");
    weir_test_same(weir_test_label(&t, "search_units"), "1");
    free(embedding);
    free(rerank);
}

START_TEST(test_recordings)
{
    char *index = golden_recording("index.json"), *golden = golden_file(GOLDEN);

    ck_assert_msg(golden != NULL, "no %s: run tests from the repository's folder", GOLDEN);
    if (index) {
        weir_test_init(&t, &weir_plugin, "");
        weir_test_init(&again, &weir_plugin, "");
        ck_assert_int_eq(files_check(golden), 10);
        others_check();
        weir_test_fini(&t);
        weir_test_fini(&again);
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
    Suite *s = suite_create("cohere_golden");
    TCase *c = tcase_create("cohere_golden");

    tcase_add_test(c, test_recordings);
    suite_add_tcase(s, c);
    return s;
}
