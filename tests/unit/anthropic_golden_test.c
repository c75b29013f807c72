/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic_golden_test.c -- recorded answers of Anthropic through decode: they mean what tests/golden/anthropic.txt
 * says (made by anthropic.py beside it), reach the client byte for byte, and cost and say the same when their own
 * events are written anew by answer and decoded again, as a stream and as one body.
 */
#include "anthropic_all.h"
#include "golden.h"

#define GOLDEN "tests/golden/anthropic.txt"

static struct weir_test t, other;
static struct weir_error e;

/* ---- files ---- */

/* Recordings keep one JSON text a line: back to the records they were.  Some have several answers; the nth, from 1. */
static char *as_stream(const char *lines, int nth)
{
    struct weir_test_buf b = {0};
    struct weir_str rest = {lines, strlen(lines)}, line;

    while (wt_line(&rest, &line)) {
        if (line.len && nth == 1) {
            wt_add_text(&b, "data: ");
            wt_add(&b, line);
            wt_add_text(&b, "\n\n");
        }
        nth -= line.len && memmem(line.ptr, line.len, "\"message_stop\"", 14);
    }
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

/* ---- what came out, in the words of anthropic.txt ---- */

static void tell_word(struct weir_test_buf *to, struct weir_str word)
{
    wt_add_text(to, " ");
    wt_add(to, word);
}

static void tell_number(struct weir_test_buf *to, const char *name, long long n)
{
    char word[64];

    snprintf(word, sizeof word, "%s %lld ", name, n);
    wt_add_text(to, word);
}

/* JSON without the blanks between its tokens. */
static void tell_compact(struct weir_test_buf *to, struct weir_str s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        if (!quoted && memchr(" \t\r\n", s.ptr[i], 4))
            continue;
        wt_add(to, (struct weir_str){s.ptr + i, 1});
        if (quoted && s.ptr[i] == '\\' && i + 1 < s.len)
            wt_add(to, (struct weir_str){s.ptr + ++i, 1});
        else if (s.ptr[i] == '"')
            quoted = !quoted;
    }
}

/* `same`: a call without input says {}, and blanks say nothing. */
static void tell_call(struct weir_test *from, struct weir_test_buf *to, uint32_t block, bool same)
{
    struct weir_str id = WEIR_STR(""), name = WEIR_STR("");
    struct weir_test_buf input = {0};
    bool any = false;

    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        const struct weir_test_event *ev = weir_test_event(from, i);
        if (ev->event.channel != WEIR_ARGUMENTS || ev->event.block != block)
            continue;
        any = true;
        id = id.len ? id : ev->event.tool_id;
        name = name.len ? name : ev->event.tool_name;
        if (same || ev->event.raw)
            tell_compact(&input, ev->event.raw ? ev->event.text : ev->text);
        else
            wt_add(&input, ev->text);
    }
    if (same && any && !input.len)
        wt_add_text(&input, "{}");
    if (any) {
        tell_number(to, "call", block);
        wt_add(to, id);
        tell_word(to, name);
        wt_add_text(to, " ");
        golden_digest(to, "", wt_view(&input));
    }
    wt_buf_free(&input);
}

static void tell_blocks(struct weir_test *from, struct weir_test_buf *to, bool compaction, bool same)
{
    for (uint32_t block = 0; block < 64; block++) {
        struct weir_str text = weir_test_text(from, WEIR_TEXT, 0, block);
        tell_call(from, to, block, same);
        if (text.len) {
            tell_number(to, compaction && block == 0 ? "compaction" : "text", block);
            golden_digest(to, "", text);
        }
        text = weir_test_text(from, WEIR_REASONING, 0, block);
        if (text.len) {
            tell_number(to, "thinking", block);
            golden_digest(to, "", text);
        }
    }
}

static void tell_opaques(struct weir_test *from, struct weir_test_buf *to)
{
    struct weir_test_buf all = {0};
    long long count = 0;

    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        const struct weir_test_event *ev = weir_test_event(from, i);
        if (ev->event.channel == WEIR_OPAQUE) {
            tell_number(to, "opaque", ev->event.block);
            wt_add(to, ev->event.value);
            wt_add_text(to, " ");
            golden_digest(to, "", ev->event.detail);
        }
        if (ev->event.channel == WEIR_TEXT && ev->event.block >= BLOCK_STRINGS) {
            count++;
            wt_add(&all, ev->text);
        }
    }
    if (count) {
        tell_number(to, "strings", count);
        golden_digest(to, "", wt_view(&all));
    }
    wt_buf_free(&all);
}

static void tell_start_line(struct weir_test *from, struct weir_test_buf *to)
{
    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        const struct weir_event *ev = &weir_test_event(from, i)->event;
        if (ev->channel != WEIR_START)
            continue;
        wt_add_text(to, "start");
        tell_word(to, ev->detail);
        tell_word(to, ev->value);
        wt_add_text(to, "\n");
    }
}

static void tell_ends(struct weir_test *from, struct weir_test_buf *to, bool same)
{
    struct weir_usage u = {-1, -1, -1, -1, -1, -1, -1};
    char line[256];

    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        const struct weir_event *ev = &weir_test_event(from, i)->event;
        if (ev->channel == WEIR_FINISH) {
            wt_add_text(to, "finish");
            tell_word(to, ev->detail);
            wt_add_text(to, "\n");
        }
        usage_take(&u, ev->usage);
    }
    if (same) { /* a client of this dialect is always told of the cache */
        u.cache_read = u.cache_read < 0 ? 0 : u.cache_read;
        u.cache_write = u.cache_write < 0 ? 0 : u.cache_write;
    }
    snprintf(line, sizeof line, "usage %lld %lld %lld %lld %lld %lld %lld\n", (long long)u.input,
             (long long)u.cache_read, (long long)u.cache_write, (long long)u.output, (long long)u.reasoning,
             (long long)u.audio_in, (long long)u.audio_out);
    wt_add_text(to, line);
}

static void tell_all(struct weir_test *from, struct weir_test_buf *to, bool compaction, bool same)
{
    tell_start_line(from, to);
    tell_blocks(from, to, compaction, same);
    tell_opaques(from, to);
    tell_ends(from, to, same);
}

/* ---- said anew ---- */

static bool is_plain(void)
{
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_event *ev = &weir_test_event(&t, i)->event;
        if (ev->channel == WEIR_TEXT && ev->block >= BLOCK_STRINGS)
            return false; /* the vendor's tools have no place in another dialect's answer */
    }
    return true;
}

/* The events, as the host would hand them to this dialect's `answer`; what comes out is decoded by `other`. */
static void said_anew(const char *name, bool stream)
{
    struct weir_test_buf said = {0}, got = {0}, want = {0};
    struct weir_event mark = {.size = sizeof mark, .channel = WEIR_DONE_MARK};
    bool done = false, ok;

    ck_assert(weir_test_accept(
        &other, "POST", "/v1/messages",
        stream ? "{\"model\":\"m\",\"messages\":[],\"stream\":true}" : "{\"model\":\"m\",\"messages\":[]}", &e));
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        struct weir_event ev = weir_test_event(&t, i)->event;
        ev.text = ev.raw ? ev.text : weir_test_event(&t, i)->text;
        done |= ev.channel == WEIR_DONE_MARK;
        ck_assert_msg(weir_test_answer(&other, &ev), "%s: event %zu cannot be said", name, i);
        wt_add(&said, wt_view(&other.out));
    }
    if (!done) {
        ck_assert(weir_test_answer(&other, &mark));
        wt_add(&said, wt_view(&other.out));
    }
    wt_add(&said, (struct weir_str){"", 1});
    weir_test_again(&other);
    ok = stream ? weir_test_decode_stream(&other, said.ptr, &e) : weir_test_decode_body(&other, 200, said.ptr, &e);
    ck_assert_msg(ok, "%s: said anew: %s: %s", name, e.text, said.ptr);
    tell_all(&t, &want, false, true);
    tell_all(&other, &got, false, true);
    ck_assert_msg(got.len == want.len && memcmp(got.ptr, want.ptr, got.len) == 0, "%s: said anew:\n%.*s\nis not\n%.*s",
                  name, (int)got.len, got.ptr, (int)want.len, want.ptr);
    wt_buf_free(&said);
    wt_buf_free(&got);
    wt_buf_free(&want);
}

/* ---- the test ---- */

static bool decode_file(const char *name, const char *recorded)
{
    bool stream = strstr(name, ".json") == NULL, ok;
    const char *nth = strchr(name, '@');
    char *sse = stream ? as_stream(recorded, nth ? (int)strtol(nth + 1, NULL, 10) : 1) : NULL;

    ck_assert(weir_test_accept(
        &t, "POST", "/v1/messages",
        stream ? "{\"model\":\"m\",\"messages\":[],\"stream\":true}" : "{\"model\":\"m\",\"messages\":[]}", &e));
    ok = stream ? weir_test_decode_stream(&t, sse, &e) : weir_test_decode_body(&t, 200, recorded, &e);
    if (ok) {
        ck_assert_msg(t.client.len == strlen(stream ? sse : recorded) &&
                          memcmp(t.client.ptr, stream ? sse : recorded, t.client.len) == 0,
                      "%s: not byte for byte", name);
        golden_lasts(&t, name);
    }
    free(sse);
    return ok;
}

/* Blocks that are neither text, thinking nor a call of the client's make the numbers of the others go on. */
static bool same_numbers(const char *recorded)
{
    return !strstr(recorded, "\"server_tool_use\",") && !strstr(recorded, "mcp_tool_use") &&
           !strstr(recorded, "\"compaction\"") && !strstr(recorded, "\"fallback\"") &&
           !strstr(recorded, "_tool_result");
}

static void file_check(const char *name, struct weir_str want)
{
    struct weir_test_buf got = {0};
    char *recorded;

    if (!name[0])
        return;
    recorded = golden_recording(name);
    ck_assert_msg(recorded != NULL, "no recording %s", name);
    if (decode_file(name, recorded))
        tell_all(&t, &got, strstr(name, "compaction") != NULL, false);
    else
        wt_add_text(&got, "broken\n");
    ck_assert_msg(got.len == want.len && (!got.len || memcmp(got.ptr, want.ptr, got.len) == 0),
                  "%s:\n got: %.*s\nwant: %.*s", name, (int)got.len, got.ptr, (int)want.len, want.ptr);
    if (!wt_is(wt_view(&got), "broken\n") && is_plain() && same_numbers(recorded)) {
        said_anew(name, true);
        said_anew(name, false);
    }
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
        weir_test_init(&other, &weir_plugin, "");
        ck_assert_int_eq(files_check(golden), 75);
        weir_test_fini(&other);
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
    Suite *s = suite_create("anthropic_golden");
    TCase *c = tcase_create("anthropic_golden");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, test_recordings);
    suite_add_tcase(s, c);
    return s;
}
