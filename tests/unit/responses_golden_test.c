/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses_golden_test.c -- recorded answers of OpenAI, Azure, xAI, LM Studio and others through decode: they mean
 * what tests/golden/responses.txt says (made by responses.py beside it), reach a client of the same dialect byte for
 * byte, and mean the same to others, also once answer has said their events anew, as a stream and as a body.
 */
#include "responses_all.h"
#include "responses_grammar.h"
#include "golden.h"

#include <openssl/evp.h>

#define GOLDEN "tests/golden/responses.txt"
#define TOOLS  "\"tools\":[{\"name\":\"write_sql\",\"custom\":{}}]" /* custom calls of others are the vendor's */

static struct weir_test t, again;
static struct weir_error e;

/* ---- files ---- */

/* Recordings keep one JSON text a line, and maybe several answers: the n-th back to the records it was. */
static char *as_stream(const char *lines, unsigned n)
{
    static const char begin[] = "\"response.created\"";
    struct weir_test_buf b = {0};
    struct weir_str rest = {lines, strlen(lines)}, line;
    unsigned seen = 0;

    for (bool first = true; wt_line(&rest, &line); first = false) {
        if (!first && memmem(line.ptr, line.len < 64 ? line.len : 64, begin, sizeof begin - 1))
            seen++;
        if (!line.len || seen != n)
            continue;
        wt_add_text(&b, "data: ");
        wt_add(&b, line);
        wt_add_text(&b, "\n\n");
    }
    ck_assert(b.len > 0);
    return b.ptr;
}

/* ---- what came out, in the words of responses.txt ---- */

static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_sorted(struct weir_test_buf *to, char **lines, size_t n)
{
    qsort(lines, n, sizeof *lines, line_order);
    for (size_t i = 0; i < n; i++) {
        wt_add_text(to, lines[i]);
        free(lines[i]);
    }
}

static void digest(char *to, size_t size, struct weir_str text)
{
    unsigned char sum[32];
    int n = snprintf(to, size, "%zu ", text.len);

    ck_assert(EVP_Digest(text.len ? text.ptr : "", text.len, sum, NULL, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < sizeof sum; i++)
        n += snprintf(to + n, size - (size_t)n, "%02x", sum[i]);
}

static bool seen_before(struct weir_test *of, size_t i)
{
    const struct weir_event *a = &weir_test_event(of, i)->event;

    for (size_t k = 0; k < i; k++) {
        const struct weir_event *b = &weir_test_event(of, k)->event;
        if (b->channel == a->channel && b->block == a->block)
            return true;
    }
    return false;
}

enum { LINES = 512, LINE = 512 };

/* The line that an event gives, if any: of a text with its first piece. */
static char *event_line(struct weir_test *of, size_t i, const char *word, enum weir_channel channel, bool calls)
{
    static const char *const names[] = {"text", "reasoning", "arguments"};
    const struct weir_event *ev = &weir_test_event(of, i)->event;
    char sum[96], *line = malloc(LINE);
    bool text = ev->channel <= WEIR_ARGUMENTS;

    if (calls && ev->tool_id.len) {
        snprintf(line, LINE, "%scall %.*s %.*s\n", word, (int)ev->tool_id.len, ev->tool_id.ptr, (int)ev->tool_name.len,
                 ev->tool_name.ptr);
        return line;
    }
    if (!calls && channel == WEIR_OPAQUE && ev->channel == WEIR_OPAQUE) {
        ck_assert(str_is(ev->value, "openai.encrypted"));
        digest(sum, sizeof sum, ev->detail);
        snprintf(line, LINE, "%sopaque %s\n", word, sum);
        return line;
    }
    if (!calls && channel == WEIR_TEXT && text && ev->block < STRAY_BLOCK && !seen_before(of, i)) {
        struct weir_str whole = weir_test_text(of, ev->channel, 0, ev->block);
        digest(sum, sizeof sum, whole);
        snprintf(line, LINE, "%stext %s %s\n", word, names[ev->channel], sum);
        if (whole.len)
            return line;
    }
    free(line);
    return NULL;
}

static void put_lines(struct weir_test_buf *to, struct weir_test *of, const char *word, enum weir_channel channel,
                      bool calls)
{
    char *lines[LINES], *line;
    size_t n = 0;

    for (size_t i = 0; i < weir_test_event_count(of); i++) {
        line = event_line(of, i, word, channel, calls);
        if (line)
            lines[n++] = line;
        ck_assert_uint_lt(n, LINES);
    }
    put_sorted(to, lines, n);
}

static void put_ends(struct weir_test_buf *to, struct weir_test *of, const char *word)
{
    static const char *const words[] = {"unknown",    "stop",     "stop_sequence", "length", "context",
                                        "tool_calls", "filtered", "paused",        "failed"};
    struct weir_test_buf usage = {0}, error = {0};
    char line[LINE];

    for (size_t i = 0; i < weir_test_event_count(of); i++) {
        const struct weir_event *ev = &weir_test_event(of, i)->event;
        const struct weir_usage *v = ev->usage;
        if (ev->channel == WEIR_FINISH) {
            snprintf(line, sizeof line, "%sfinish %s\n", word, words[ev->finish]);
            wt_add_text(to, line);
        } else if (v) {
            snprintf(line, sizeof line, "%susage %lld %lld %lld %lld %lld\n", word, (long long)v->input,
                     (long long)v->cache_read, (long long)v->cache_write, (long long)v->output,
                     (long long)v->reasoning);
            wt_add_text(&usage, line);
        } else if (ev->channel == WEIR_ERRORED) {
            snprintf(line, sizeof line, "%serror %.*s\n", word, (int)ev->detail.len, ev->detail.ptr);
            wt_add_text(&error, line);
        }
    }
    wt_add(to, wt_view(&usage));
    wt_add(to, wt_view(&error));
    wt_buf_free(&usage);
    wt_buf_free(&error);
}

static void put_all(struct weir_test_buf *to, struct weir_test *of, const char *word)
{
    put_lines(to, of, word, WEIR_TEXT, false);
    put_lines(to, of, word, WEIR_TEXT, true);
    if (word[0])
        put_lines(to, of, word, WEIR_OPAQUE, false);
    put_ends(to, of, word);
}

/* ---- invariants ---- */

/* What is told beside the texts is none of them said once more, but for arguments that an item already has when it
 * begins. */
static void stray_is_new(const char *name, struct weir_str text)
{
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_event *ev = &weir_test_event(&t, i)->event;
        struct weir_str whole;
        if (ev->channel >= WEIR_ARGUMENTS || ev->block >= STRAY_BLOCK || seen_before(&t, i))
            continue;
        whole = weir_test_text(&t, ev->channel, 0, ev->block);
        ck_assert_msg(whole.len != text.len || memcmp(whole.ptr, text.ptr, text.len) != 0, "%s: said again: %.*s", name,
                      (int)text.len, text.ptr);
    }
}

/* Every text has exactly one `last`; a copy says what its text has said, and nothing is left that is none. */
static void texts_are_right(const char *name)
{
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_event *a = &weir_test_event(&t, i)->event;
        struct weir_str text = weir_test_event(&t, i)->text, whole;
        int lasts = 0;
        if (a->channel > WEIR_ARGUMENTS)
            continue;
        if (a->block >= STRAY_BLOCK)
            stray_is_new(name, text);
        for (size_t k = 0; k < weir_test_event_count(&t); k++) {
            const struct weir_event *b = &weir_test_event(&t, k)->event;
            lasts += b->last && b->channel == a->channel && b->block == a->block;
        }
        ck_assert_msg(lasts == 1, "%s: a text has %d lasts", name, lasts);
        whole = weir_test_text(&t, a->channel, 0, a->block);
        if (a->copy && text.len)
            ck_assert_msg(whole.len == text.len && memcmp(whole.ptr, text.ptr, text.len) == 0, "%s: no copy", name);
    }
}

static void decoded(struct weir_test *to, const char *name, bool foreign, bool stream, int status, const char *sent)
{
    struct weir_candidate c = weir_test_candidate("p", "m");

    if (foreign) {
        weir_test_begin(to);
        weir_test_canonical(to, stream ? "{\"stream\":true,\"messages\":[]," TOOLS "}" : "{\"messages\":[]," TOOLS "}");
    } else {
        ck_assert(weir_test_accept(
            to, "POST", "/v1/responses",
            stream ? "{\"model\":\"m\",\"input\":\"\",\"stream\":true}" : "{\"model\":\"m\",\"input\":\"\"}", &e));
    }
    ck_assert_int_eq(weir_test_encode(to, &c, &e), WEIR_PASS);
    ck_assert_msg(stream ? weir_test_decode_stream(to, sent, &e) : weir_test_decode_body(to, status, sent, &e),
                  "%s: %s", name, e.text);
}

/* The events of `t`, as a client gets them whose upstream speaks another dialect, decoded again. */
static void said_anew(const char *name, bool stream, struct weir_test_buf *is)
{
    struct weir_event done = {.size = sizeof done, .channel = WEIR_DONE_MARK};
    struct weir_test_buf out = {0};

    ck_assert(weir_test_accept(
        &again, "POST", "/v1/responses",
        stream ? "{\"model\":\"m\",\"input\":\"\",\"stream\":true}" : "{\"model\":\"m\",\"input\":\"\"}", &e));
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        struct weir_event ev = weir_test_event(&t, i)->event;
        ev.text = weir_test_event(&t, i)->text;
        if (ev.channel == WEIR_DONE_MARK)
            continue;
        ck_assert_msg(weir_test_answer(&again, &ev), "%s: event %zu", name, i);
        wt_add(&out, wt_view(&again.out));
    }
    ck_assert(weir_test_answer(&again, &done));
    wt_add(&out, wt_view(&again.out));
    if (stream)
        grammar_check(out.ptr);
    decoded(&again, name, true, stream, 200, out.ptr);
    put_all(is, &again, "told ");
    wt_buf_free(&out);
}

/* ---- the test ---- */

static void file_check(const char *name, unsigned n, struct weir_str want, struct weir_str told)
{
    bool stream = strstr(name, ".json") == NULL, error = memmem(want.ptr, want.len, "error ", 6) != NULL;
    struct weir_test_buf is = {0};
    char *recorded = golden_recording(name), *sent;

    ck_assert_msg(recorded != NULL, "no recording %s", name);
    sent = stream ? as_stream(recorded, n) : strdup(recorded);
    decoded(&t, name, false, stream, error ? 400 : 200, sent);
    ck_assert_msg(t.client.len == strlen(sent) && memcmp(t.client.ptr, sent, t.client.len) == 0,
                  "%s: not byte for byte", name);
    if (wt_is(want, "trimmed\n")) {
        free(sent);
        free(recorded);
        return;
    }
    texts_are_right(name);
    put_all(&is, &t, "");
    golden_same(name, "decoded", &is, want);
    decoded(&t, name, true, stream, error ? 400 : 200, sent);
    texts_are_right(name);
    put_all(&is, &t, "told ");
    golden_same(name, "told", &is, told);
    for (int i = 0; i < 2 && !error; i++) {
        said_anew(name, i == 0, &is);
        golden_same(name, i == 0 ? "as a stream" : "as a body", &is, told);
    }
    free(sent);
    free(recorded);
}

static int files_check(const char *golden)
{
    struct weir_str rest = {golden, strlen(golden)}, line;
    struct weir_test_buf want = {0}, told = {0};
    char name[128] = "";
    unsigned n = 0;
    int files = 0;

    for (bool more = true; more;) {
        more = wt_line(&rest, &line);
        if (!more || (line.len > 5 && memcmp(line.ptr, "file ", 5) == 0)) {
            if (name[0])
                file_check(name, n, wt_view(&want), wt_view(&told));
            files += name[0] != '\0';
            want.len = told.len = 0;
            if (more) {
                snprintf(name, sizeof name, "%.*s", (int)line.len - 5, line.ptr + 5);
                n = (unsigned)strtoul(strrchr(name, ' ') + 1, NULL, 10);
                *strrchr(name, ' ') = '\0';
            }
            continue;
        }
        struct weir_test_buf *to = line.len > 5 && memcmp(line.ptr, "told ", 5) == 0 ? &told : &want;
        wt_add(to, line);
        wt_add_text(to, "\n");
    }
    wt_buf_free(&want);
    wt_buf_free(&told);
    return files;
}

START_TEST(test_recordings)
{
    char *index = golden_recording("index.json"), *golden = golden_file(GOLDEN);

    ck_assert_msg(golden != NULL, "no %s: run tests from the repository's folder", GOLDEN);
    if (index) {
        weir_test_init(&t, &weir_plugin, "");
        weir_test_init(&again, &weir_plugin, "");
        ck_assert_int_eq(files_check(golden), 93);
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
    Suite *s = suite_create("responses_golden");
    TCase *c = tcase_create("responses_golden");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, test_recordings);
    suite_add_tcase(s, c);
    return s;
}
