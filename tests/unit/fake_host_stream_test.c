/* SPDX-License-Identifier: Apache-2.0 */
/* fake_host_stream_test.c -- sdk/weir_test.h: streams cut everywhere, frames, and what would be sent upstream. */
#include "fake_host.h"

/* ---- streams ---- */

/* Replaces "ab" by "*" only when a piece holds both letters: wrong at one cut. */
static enum weir_verdict mask_naively(struct weir_ctx *c, const struct weir_event *e)
{
    struct weir_event out = *e;
    char *p = weir_alloc(c, e->text.len);
    size_t n = 0;

    for (size_t i = 0; i < e->text.len; i++) {
        bool hit = i + 1 < e->text.len && e->text.ptr[i] == 'a' && e->text.ptr[i + 1] == 'b';
        p[n++] = hit ? '*' : e->text.ptr[i];
        i += hit;
    }
    out.text = (struct weir_str){p, n};
    weir_emit(c, &out);
    return WEIR_PASS;
}

/* The same with the `a` held back. */
static enum weir_verdict mask_rightly(struct weir_ctx *c, const struct weir_event *e)
{
    struct weir_event out = *e;
    bool *held = c->local;
    char *p = weir_alloc(c, e->text.len + 2);
    size_t n = 0;

    for (size_t i = 0; i < e->text.len; i++) {
        char x = e->text.ptr[i];
        if (*held && x == 'b') {
            p[n++] = '*';
            *held = false;
            continue;
        }
        if (*held)
            p[n++] = 'a';
        *held = x == 'a';
        if (!*held)
            p[n++] = x;
    }
    if (*held && e->last)
        p[n++] = 'a';
    out.text = (struct weir_str){p, n};
    weir_emit(c, &out);
    return WEIR_PASS;
}

static enum weir_verdict block_b(struct weir_ctx *c, const struct weir_event *e)
{
    weir_emit(c, e);
    return e->text.len && memchr(e->text.ptr, 'b', e->text.len) ? weir_block(c, "b", WEIR_STR("a b")) : WEIR_PASS;
}

static void naive_is_caught(void)
{
    struct weir_test t;

    weir_test_init(&t, TABLE(.on_event = mask_naively), "");
    weir_test_every_cut(&t, WEIR_TEXT, "x ab y", "x * y");
}

START_TEST(streams_at_every_cut)
{
    struct weir_test t;

    expect_death(naive_is_caught, "x a|b y");
    weir_test_init(&t, TABLE(.on_event = mask_rightly, .local_size = sizeof(bool)), "");
    weir_test_every_cut(&t, WEIR_TEXT,
                        "x ab \xc3\xa9"
                        "aab a",
                        "x * \xc3\xa9"
                        "a* a");
    weir_test_same(weir_test_stream(&t, WEIR_TEXT, "ab", 1, 1), "*");
    weir_test_fini(&t);
    weir_test_init(&t, TABLE(.on_event = block_b), "");
    weir_test_every_cut(&t, WEIR_TEXT, "xxbxx", NULL);
    weir_test_every_cut(&t, WEIR_TEXT, "xxx", "xxx");
    weir_test_fini(&t);
}
END_TEST

/* ---- the wire ---- */

static bool decode_delta(struct weir_ctx *c, const struct weir_frame *f, struct weir_error *e)
{
    struct weir_event ev = {.size = sizeof ev, .channel = WEIR_TEXT};
    uint32_t d;

    (void)e;
    if (!f->json) {
        ev.channel = WEIR_DONE_MARK;
        weir_emit(c, &ev);
        return true;
    }
    d = weir_json_get(f->json, 0, "d");
    ev.text = weir_json_text(f->json, d);
    ev.at = f->json->nodes[d].at;
    ev.len = f->json->nodes[d].len;
    ev.escaped = f->json->nodes[d].escaped;
    weir_emit(c, &ev);
    if (f->name.len)
        weir_frame_splice(c, ev.at, ev.len, f->name);
    if (!ev.len)
        weir_frame_drop(c);
    return true;
}

START_TEST(decodes_streams)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, TABLE(.dialect = "test", .decode = decode_delta), "");
    ck_assert(weir_test_decode_stream(
        &t,
        ": hi\r\n\r\ndata:{\"d\":\"a\\u0062\"}\r\rdata: {\"d\":\"\"}\n\nevent: x\ndata: {\ndata: \"d\":\"c\"}\n\n"
        "id: 4\ndata: [DONE]\n\n",
        &e));
    weir_test_same(weir_test_text(&t, WEIR_TEXT, 0, 0), "abc");
    ck_assert_uint_eq(weir_test_event_count(&t), 4);
    weir_test_same(weir_test_event(&t, 0)->event.text, "a\\u0062");
    weir_test_same(
        t.client,
        ": hi\r\n\r\ndata:{\"d\":\"a\\u0062\"}\r\revent: x\ndata: {\ndata: \"d\":\"x\"}\n\nid: 4\ndata: [DONE]\n\n");
    ck_assert(t.done_mark);
    weir_test_again(&t);
    ck_assert(weir_test_decode_body(&t, 200, "{\"d\":\"whole\"}", &e));
    weir_test_same(weir_test_text(&t, WEIR_TEXT, 0, 0), "whole");
    weir_test_same(t.client, "{\"d\":\"whole\"}");
    weir_test_fini(&t);
}
END_TEST

static enum weir_verdict put_quotes(struct weir_ctx *c)
{
    size_t n;

    weir_spans(c, &n);
    for (size_t i = 0; i < n; i++)
        weir_edit(c, i, 0, 1, WEIR_STR("\"\n"));
    return WEIR_PASS;
}

static enum weir_verdict encode_model(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                      struct weir_error *e)
{
    (void)e;
    c->host->http_target(h, "POST", WEIR_STR("http://up/v1"));
    c->host->http_header(h, "X-Key", weir_fact(c, "key"));
    c->host->http_splice(h, weir_request(c)->model_at, weir_request(c)->model_len, to->model);
    return WEIR_PASS;
}

START_TEST(encodes_edits_and_splices)
{
    struct weir_candidate to = weir_test_candidate("up", "big");
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, TABLE(.dialect = "test", .on_request = put_quotes, .encode = encode_model), "");
    weir_test_fact(&t, "key", "k_1");
    weir_test_say(&t, WEIR_USER, "hello");
    weir_test_on_request(&t);
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
    weir_test_same(weir_test_http(&t),
                   "POST http://up/v1\nX-Key: k_1\n\n{\"model\": \"big\", \"messages\": [{\"role\": \"user\", "
                   "\"content\": \"\\\"\\nello\"}]}");
    weir_test_same(weir_test_http_header(&t, "x-key"), "k_1");
    weir_test_fini(&t);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        streams_at_every_cut,
        decodes_streams,
        encodes_edits_and_splices,
    };
    Suite *s = suite_create("fake_host_stream");
    TCase *all = tcase_create("all");

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(s, all);
    return s;
}
