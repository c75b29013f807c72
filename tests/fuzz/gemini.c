/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini.c -- hostile requests, canonical requests and answers through the gemini plugin.  First byte, lowest three
 * bits: 0 a client's body (accept, lift, and encode of what lift made), 1 embeddings likewise, 2 a canonical request
 * through encode, 3 the same for old models, 4 a stream of this dialect, 5 one for a client of another, 6 a body, 7 a
 * body for another.
 *
 * The fake host checks places, order and `last`, and that what lift and encode write is JSON.  Beyond that: a client of
 * this dialect gets every byte as it came, and what answer makes of the events is a stream that decode takes.
 */
#include "../unit/gemini_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_candidate target(bool old)
{
    return weir_test_candidate("gemini", old ? "gemini-1.5-pro" : "gemini-3-pro");
}

static bool is_json(struct weir_test *t, struct weir_str text)
{
    struct weir_json j;

    return wt_skim(&t->given, text, &j, NULL);
}

static void lift_and_encode(struct weir_test *t, const char *path, const char *text)
{
    struct weir_candidate to = target(false);
    struct weir_error e;
    struct weir_str made;
    char *canonical;

    if (!weir_test_accept(t, "POST", path, text, &e))
        return;
    weir_test_encode(t, &to, &e);
    t->drop = true;
    made = weir_test_lift(t, &e);
    if (!made.ptr)
        return;
    canonical = strndup(made.ptr, made.len);
    weir_test_canonical(t, canonical);
    if (weir_test_encode(t, &to, &e) == WEIR_PASS && !is_json(t, weir_test_sent(t)))
        abort();
    free(canonical);
}

static void encode_canonical(struct weir_test *t, const char *text, bool old)
{
    struct weir_candidate to = target(old);
    struct weir_error e;

    weir_test_begin(t);
    weir_test_canonical(t, text);
    t->drop = true;
    if (weir_test_encode(t, &to, &e) == WEIR_PASS && !is_json(t, weir_test_sent(t)))
        abort();
}

/* What another dialect's upstream says, said in this one. */
static void say_anew(struct weir_test *t, struct weir_test *again)
{
    struct weir_event done = {.size = sizeof done, .channel = WEIR_DONE_MARK};
    struct weir_test_buf all = {0};
    struct weir_error e;
    bool good = true;

    weir_test_accept(again, "POST", "/v1beta/models/m:streamGenerateContent?alt=sse", "{\"contents\":[]}", &e);
    for (size_t i = 0; good && i < weir_test_event_count(t) && i < 64; i++) {
        struct weir_event ev = weir_test_event(t, i)->event;
        ev.text = weir_test_event(t, i)->text;
        good = weir_test_answer(again, &ev);
        wt_add(&all, wt_view(&again->out));
    }
    good = good && weir_test_answer(again, &done);
    wt_add(&all, wt_view(&again->out));
    wt_add(&all, (struct weir_str){"", 1});
    if (good && !weir_test_decode_stream(again, all.ptr, &e))
        abort();
    wt_buf_free(&all);
}

static void decode(struct weir_test *t, struct weir_test *again, const char *text, unsigned flags)
{
    struct weir_candidate to = target(false);
    bool stream = !(flags & 2), foreign = flags & 1, good;
    struct weir_error e;

    if (foreign) {
        weir_test_begin(t);
        weir_test_canonical(t, stream ? "{\"stream\":true,\"messages\":[]}" : "{\"messages\":[]}");
    } else {
        weir_test_accept(t, "POST", "/v1beta/models/m:generateContent", "{\"contents\":[]}", &e);
    }
    weir_test_encode(t, &to, &e);
    good = stream ? weir_test_decode_stream(t, text, &e) : weir_test_decode_body(t, flags & 8 ? 500 : 200, text, &e);
    if (good && !foreign && !wt_is(wt_view(&t->client), text))
        abort();
    if (good && foreign)
        say_anew(t, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_test t, again;
    struct weir_json j;
    unsigned flags;
    char *text;

    if (!size)
        return 0;
    flags = data[0];
    text = calloc(1, size);
    memcpy(text, data + 1, size - 1);
    weir_test_init(&t, &weir_plugin, flags & 16 ? "schema = openapi; platform = vertex" : "");
    weir_test_init(&again, &weir_plugin, "");
    if (flags & 4)
        decode(&t, &again, text, flags & 11);
    else if (!wt_skim(&t.given, wt_str(text), &j, NULL))
        ;
    else if (flags & 2)
        encode_canonical(&t, text, flags & 1);
    else
        lift_and_encode(&t, flags & 1 ? "/v1beta/models/m:batchEmbedContents" : "/v1beta/models/m:generateContent",
                        text);
    weir_test_fini(&t);
    weir_test_fini(&again);
    free(text);
    return 0;
}
