/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_host_misuse_test.c -- sdk/weir_test.h notices what plugins do wrong: tiny ones made here, and the fixtures of
 * tests/plugins/, which are loaded from beside this program.
 */
#include <dlfcn.h>

#include "fake_host.h"

/* ---- misuse ---- */

static void run_request(enum weir_verdict (*hook)(struct weir_ctx *))
{
    struct weir_test t;

    weir_test_init(&t, TABLE(.on_request = hook), "");
    weir_test_say(&t, WEIR_USER, "abc");
    weir_test_on_request(&t);
    weir_test_settle(&t);
}

static enum weir_verdict edit_behind(struct weir_ctx *c)
{
    return weir_edit(c, 0, 2, 4, WEIR_STR("")), WEIR_PASS;
}
static enum weir_verdict edit_nowhere(struct weir_ctx *c)
{
    return weir_edit(c, 1, 0, 0, WEIR_STR("")), WEIR_PASS;
}
static enum weir_verdict emit_early(struct weir_ctx *c)
{
    return weir_emit(c, &(struct weir_event){.size = sizeof(struct weir_event)}), WEIR_PASS;
}
static enum weir_verdict block_mutely(struct weir_ctx *c)
{
    return (void)c, WEIR_BLOCK;
}
static enum weir_verdict wait_for_ever(struct weir_ctx *c)
{
    return (void)c, WEIR_WAIT;
}
static enum weir_verdict resume_and_pass(struct weir_ctx *c)
{
    return weir_resume(c, WEIR_PASS), WEIR_PASS;
}
static enum weir_verdict say_nine(struct weir_ctx *c)
{
    return (void)c, (enum weir_verdict)9;
}
static enum weir_verdict say_unsupported(struct weir_ctx *c)
{
    return (void)c, WEIR_UNSUPPORTED;
}

static void do_edit_behind(void)
{
    run_request(edit_behind);
}
static void do_edit_nowhere(void)
{
    run_request(edit_nowhere);
}
static void do_emit_early(void)
{
    run_request(emit_early);
}
static void do_block_mutely(void)
{
    run_request(block_mutely);
}
static void do_wait_for_ever(void)
{
    run_request(wait_for_ever);
}
static void do_resume_and_pass(void)
{
    run_request(resume_and_pass);
}
static void do_say_nine(void)
{
    run_request(say_nine);
}
static void do_say_unsupported(void)
{
    run_request(say_unsupported);
}

static void run_decode(bool (*decode)(struct weir_ctx *, const struct weir_frame *, struct weir_error *),
                       const char *sse)
{
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, TABLE(.dialect = "test", .decode = decode), "");
    weir_test_decode_stream(&t, sse, &e);
}

static bool emit_elsewhere(struct weir_ctx *c, const struct weir_frame *f, struct weir_error *e)
{
    (void)e;
    weir_emit(c, &(struct weir_event){
                     .size = sizeof(struct weir_event), .text = f->data, .at = 0, .len = (uint32_t)f->data.len});
    return true;
}

static bool emit_sizeless(struct weir_ctx *c, const struct weir_frame *f, struct weir_error *e)
{
    (void)f;
    (void)e;
    weir_emit(c, &(struct weir_event){.channel = WEIR_USAGE});
    return true;
}

static bool emit_after_last(struct weir_ctx *c, const struct weir_frame *f, struct weir_error *e)
{
    struct weir_event ev = {.size = sizeof ev, .channel = WEIR_TEXT, .last = true};

    (void)f;
    (void)e;
    weir_emit(c, &ev);
    weir_emit(c, &ev);
    return true;
}

static bool emit_done(struct weir_ctx *c, const struct weir_frame *f, struct weir_error *e)
{
    (void)f;
    (void)e;
    weir_emit(c, &(struct weir_event){.size = sizeof(struct weir_event), .channel = WEIR_DONE_MARK});
    return true;
}

static void do_emit_elsewhere(void)
{
    run_decode(emit_elsewhere, "data: {\"d\":1}\n\n");
}
static void do_emit_sizeless(void)
{
    run_decode(emit_sizeless, "data: {}\n\n");
}
static void do_emit_after_last(void)
{
    run_decode(emit_after_last, "data: {}\n\n");
}
static void do_emit_after_done(void)
{
    run_decode(emit_done, "data: [DONE]\n\ndata: [DONE]\n\n");
}

static enum weir_verdict encode_badly(struct weir_ctx *c, const struct weir_candidate *to, struct weir_http *h,
                                      struct weir_error *e)
{
    int what = c->self ? *(const char *)c->self : 0;

    (void)to;
    (void)e;
    if (what != 't')
        c->host->http_target(h, "POST", WEIR_STR("http://up"));
    if (what == 'h')
        c->host->http_header(h, "Host", WEIR_STR("other"));
    if (what == 'l')
        c->host->http_header(h, "x", WEIR_STR("a\r\nb: c"));
    if (what == 's')
        c->host->http_splice(h, 0, 1000, WEIR_STR(""));
    return WEIR_PASS;
}

static void run_encode(char what)
{
    struct weir_candidate to = weir_test_candidate("up", "big");
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, TABLE(.dialect = "test", .self_size = 1, .encode = encode_badly), "");
    *(char *)t.ctx.self = what;
    weir_test_say(&t, WEIR_USER, "abc");
    weir_test_encode(&t, &to, &e);
}

static void do_no_target(void)
{
    run_encode('t');
}
static void do_host_header(void)
{
    run_encode('h');
}
static void do_line_in_header(void)
{
    run_encode('l');
}
static void do_long_splice(void)
{
    run_encode('s');
}

START_TEST(misuse_is_noticed)
{
    expect_death(do_edit_behind, "weir_edit() of bytes 2 to 4 of span 0");
    expect_death(do_edit_nowhere, "weir_edit() of bytes 0 to 0 of span 1");
    expect_death(do_emit_early, "weir_emit() is not for on_request");
    expect_death(do_block_mutely, "BLOCK without weir_block()");
    expect_death(do_wait_for_ever, "no timer will wake it");
    expect_death(do_resume_and_pass, "did not wait");
    expect_death(do_say_nine, "no verdict at all");
    expect_death(do_say_unsupported, "on_request says UNSUPPORTED");
    expect_death(do_emit_elsewhere, "no whole string of the frame");
    expect_death(do_emit_sizeless, "an event without its size");
    expect_death(do_emit_after_last, "after the `last` of its stream");
    expect_death(do_emit_after_done, "an event after WEIR_DONE_MARK");
    expect_death(do_no_target, "encode gives no target");
    expect_death(do_host_header, "the header Host is set by the host");
    expect_death(do_line_in_header, "has a control character");
    expect_death(do_long_splice, "splice of bytes 0 to 1000");
}
END_TEST

/* ---- the fixtures ---- */

static const struct weir_plugin *fixture(const char *name)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    const struct weir_plugin *p;
    void *so;

    ck_assert_int_gt(n, 0);
    while (n && path[n - 1] != '/')
        n--;
    snprintf(path + n, sizeof path - (size_t)n, "plugins/%s.so", name);
    so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(so != NULL, "%s", dlerror());
    p = dlsym(so, "weir_plugin");
    ck_assert_ptr_nonnull(p);
    return p;
}

static void starts(struct weir_test *t, const char *name, const char *options)
{
    weir_test_init(t, fixture(name), options);
    t->lenient = true;
    ck_assert_str_eq(t->plugin->name, name);
    weir_test_say(t, WEIR_USER, "some text");
}

static void expect_refusal(const char *name, const char *code, const char *field)
{
    struct weir_test t;
    struct weir_error e;

    ck_assert(!weir_test_try(&t, fixture(name), "", &e));
    ck_assert_str_eq(e.code, code);
    ck_assert_str_eq(e.field, field);
}

START_TEST(fixtures_that_do_not_load)
{
    expect_refusal("wrong_abi", "wrong_abi", "");
    expect_refusal("newer_hook", "newer_hook", "");
    expect_refusal("missing_option", "missing_option", "word");
    expect_refusal("bad_options", "bad_option", "limit");
}
END_TEST

START_TEST(fixtures_of_other_sizes)
{
    struct weir_test t;

    starts(&t, "newer_unused", "second = found");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_same(weir_test_label(&t, "newer_unused"), "found");
    weir_test_fini(&t);
    starts(&t, "older", "");
    ck_assert(!t.plugin->on_route && !t.plugin->write);
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_same(weir_test_label(&t, "older"), "was asked");
    weir_test_fini(&t);
}
END_TEST

START_TEST(fixtures_that_wait)
{
    struct weir_test t;

    starts(&t, "never_resumes", "");
    weir_test_verdict(weir_test_on_request(&t), WEIR_WAIT);
    ck_assert(!t.fire);
    weir_test_cancel(&t);
    weir_test_same(t.log, "info: cancelled\n");
    weir_test_fini(&t);
    starts(&t, "resumes_twice", "");
    weir_test_on_request(&t);
    weir_test_verdict(weir_test_settle(&t), WEIR_PASS);
    ck_assert_uint_eq(t.misuses, 1);
    weir_test_fini(&t);
    starts(&t, "slow", "hold = 1");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_fini(&t);
}
END_TEST

START_TEST(fixtures_that_touch_text)
{
    struct weir_test t;

    starts(&t, "edits_badly", "");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    ck_assert_uint_eq(t.misuses, 5);
    weir_test_same(weir_test_span(&t, 0)->text, "some text");
    weir_test_fini(&t);
    starts(&t, "holds_forever", "");
    weir_test_every_cut(&t, WEIR_TEXT, "gone", "");
    weir_test_fini(&t);
    starts(&t, "missing_option", "word = me te");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_fini(&t);
    starts(&t, "crashes", "");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_fini(&t);
}
END_TEST

START_TEST(fixture_that_blocks)
{
    struct weir_candidate to = weir_test_candidate("up", "big");
    struct weir_test t;

    starts(&t, "blocks_everywhere", "");
    weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
    weir_test_same(t.block_code, "blocked_in_request");
    weir_test_fini(&t);
    starts(&t, "blocks_everywhere", "where = route");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_verdict(weir_test_on_route(&t, &to, 1), WEIR_BLOCK);
    weir_test_fini(&t);
    starts(&t, "blocks_everywhere", "where = event");
    weir_test_every_cut(&t, WEIR_TEXT, "text", NULL);
    weir_test_fini(&t);
    starts(&t, "blocks_everywhere", "where = response");
    weir_test_every_cut(&t, WEIR_TEXT, "text", "text");
    weir_test_verdict(weir_test_on_response(&t), WEIR_BLOCK);
    weir_test_fini(&t);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        misuse_is_noticed,  fixtures_that_do_not_load, fixtures_of_other_sizes,
        fixtures_that_wait, fixtures_that_touch_text,  fixture_that_blocks,
    };
    Suite *s = suite_create("fake_host_misuse");
    TCase *all = tcase_create("all");

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(s, all);
    return s;
}
