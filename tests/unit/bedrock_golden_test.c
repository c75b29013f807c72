/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock_golden_test.c -- recorded answers of Bedrock through decode: they mean what tests/golden/bedrock.txt says
 * (made by bedrock.py beside it), reach a client of the same dialect byte for byte, and mean the same once answer has
 * said their events anew, as a stream and as a body.
 */
#include "bedrock_all.h"
#include "golden.h"

#define GOLDEN "tests/golden/bedrock.txt"

static struct weir_test t, again;
static struct weir_error e;

/* {"NAME":PAYLOAD} of each line, back to records with a name. */
static char *as_stream(const char *lines)
{
    struct weir_test_buf b = {0};
    struct weir_str rest = {lines, strlen(lines)}, line;

    while (wt_line(&rest, &line)) {
        const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
        if (!colon)
            continue;
        wt_add_text(&b, "event: ");
        wt_add(&b, (struct weir_str){line.ptr + 2, (size_t)(colon - line.ptr) - 3});
        wt_add_text(&b, "\ndata: ");
        wt_add(&b, (struct weir_str){colon + 1, line.len - (size_t)(colon + 1 - line.ptr) - 1});
        wt_add_text(&b, "\n\n");
    }
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* ---- what came out, in the words of bedrock.txt ---- */

static void put_events(struct weir_test *x, struct weir_test_buf *to, uint32_t block)
{
    struct weir_str id = WEIR_STR(""), name = WEIR_STR(""), signature = WEIR_STR("");
    bool has[3] = {false, false, false};
    char word[256];

    for (size_t i = 0; i < weir_test_event_count(x); i++) {
        const struct weir_event *ev = &weir_test_event(x, i)->event;
        if (ev->block != block)
            continue;
        if (ev->channel <= WEIR_ARGUMENTS)
            has[ev->channel] = true;
        if (ev->channel == WEIR_OPAQUE)
            signature = ev->detail;
        id = id.len ? id : ev->tool_id;
        name = name.len ? name : ev->tool_name;
    }
    if (has[WEIR_TEXT])
        golden_digest(to, "text", weir_test_text(x, WEIR_TEXT, 0, block));
    if (has[WEIR_REASONING])
        golden_digest(to, "reasoning", weir_test_text(x, WEIR_REASONING, 0, block));
    if (signature.len)
        golden_digest(to, "signature", signature);
    snprintf(word, sizeof word, "call %.*s %.*s", (int)id.len, id.ptr, (int)name.len, name.ptr);
    if (has[WEIR_ARGUMENTS])
        golden_digest(to, word, golden_compact(x, weir_test_text(x, WEIR_ARGUMENTS, 0, block)));
}

static void put_all(struct weir_test *x, struct weir_test_buf *to)
{
    char line[256] = "";

    for (uint32_t block = 0; block < 16; block++)
        put_events(x, to, block);
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
                     (long long)u->cache_write, (long long)u->output);
    }
    wt_add_text(to, line);
}

/* ---- said anew ---- */

static void say(struct weir_event ev, struct weir_test_buf *to)
{
    ck_assert(weir_test_answer(&again, &ev));
    wt_add(to, wt_view(&again.out));
}

static size_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static char *frames_as_stream(const struct weir_test_buf *frames)
{
    struct weir_test_buf b = {0};

    for (size_t at = 0, total; at < frames->len; at += total) {
        const char *p = frames->ptr + at;
        total = be32(p);
        wt_add_text(&b, "event: ");
        wt_add(&b, bedrock_header((struct weir_str){p, total}, ":event-type"));
        wt_add_text(&b, "\ndata: ");
        wt_add(&b, (struct weir_str){p + 12 + be32(p + 4), total - 16 - be32(p + 4)});
        wt_add_text(&b, "\n\n");
    }
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* The events of `t`, as a client of another dialect's upstream gets them, decoded again. */
static void said_anew(bool stream, struct weir_test_buf *got)
{
    struct weir_test_buf out = {0};
    bool started = false, used = false;
    char *text;

    ck_assert(weir_test_accept(&again, "POST", stream ? "/model/m/converse-stream" : "/model/m/converse",
                               "{\"messages\":[]}", &e));
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        struct weir_event ev = weir_test_event(&t, i)->event;
        ev.text = weir_test_event(&t, i)->text;
        if (!started && ev.channel != WEIR_START)
            say((struct weir_event){.size = sizeof ev, .channel = WEIR_START}, &out);
        started = true;
        used |= ev.usage != NULL;
        say(ev, &out);
    }
    say((struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_DONE_MARK}, &out);
    if (stream) {
        text = frames_as_stream(&out);
        ck_assert_msg(weir_test_decode_stream(&again, text, &e), "%s", e.text);
    } else {
        wt_add(&out, (struct weir_str){"", 1});
        text = strdup(out.ptr);
        ck_assert_msg(weir_test_decode_body(&again, 200, text, &e), "%s", e.text);
    }
    put_all(&again, got);
    if (!used) { /* counts that nobody said are zero */
        ck_assert(got->len > 15 && memcmp(got->ptr + got->len - 16, "usage 0 -1 -1 0\n", 16) == 0);
        got->len -= 16;
    }
    free(text);
    wt_buf_free(&out);
}

/* ---- the test ---- */

static void file_check(const char *name, struct weir_str want)
{
    bool stream = strstr(name, ".chunks") != NULL, ok;
    struct weir_test_buf got = {0};
    char *recorded, *sent;

    if (!name[0])
        return;
    recorded = golden_recording(name);
    ck_assert_msg(recorded != NULL, "no recording %s", name);
    sent = stream ? as_stream(recorded) : strdup(recorded);
    ck_assert(weir_test_accept(&t, "POST", stream ? "/model/m/converse-stream" : "/model/m/converse",
                               "{\"messages\":[]}", &e));
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

START_TEST(test_recordings)
{
    char *index = golden_recording("index.json"), *golden = golden_file(GOLDEN);

    ck_assert_msg(golden != NULL, "no %s: run tests from the repository's folder", GOLDEN);
    if (index) {
        weir_test_init(&t, &weir_plugin, "");
        weir_test_init(&again, &weir_plugin, "");
        ck_assert_int_eq(files_check(golden), 23);
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
    Suite *s = suite_create("bedrock_golden");
    TCase *c = tcase_create("bedrock_golden");

    tcase_add_test(c, test_recordings);
    suite_add_tcase(s, c);
    return s;
}
