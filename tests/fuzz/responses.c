/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses.c -- hostile requests, canonical requests and answers through the responses plugin.  First byte, lowest two
 * bits: 0 a client's body (accept, encode, lift, and encode of what lift made), 1 a canonical request through encode,
 * 2 a stream, 3 a body; 4: for a client of another dialect; 8: status 500; 16: a server that keeps nothing; 32: the
 * stages hold text back.
 *
 * The fake host checks places, order and `last`, and that what lift and encode write is JSON.  Beyond that: a client of
 * this dialect gets every byte as it came, and what answer makes of the events has the grammar of this dialect.
 */
#include "../unit/responses_all.h"
#include "../unit/responses_grammar.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMED "{\"model\":\"m\",\"input\":\"\",\"stream\":true,\"tools\":[{\"type\":\"custom\",\"name\":\"g\"}]}"
#define FOREIGN  "{\"stream\":true,\"messages\":[],\"tools\":[{\"name\":\"g\",\"custom\":{}}]}"

static void must_be_json(struct weir_test *t, struct weir_str text)
{
    struct weir_json j;

    if (!wt_skim(&t->given, text, &j, NULL))
        wt_die(__FILE__, __LINE__, "no JSON: %.*s", (int)text.len, text.ptr);
}

static void request(struct weir_test *t, const char *text)
{
    struct weir_candidate to = weir_test_candidate("p", "other");
    struct weir_error e;
    struct weir_str made;
    char *canonical;

    if (!weir_test_accept(t, "POST", "/v1/responses", text, &e))
        return;
    if (weir_test_encode(t, &to, &e) == WEIR_PASS)
        must_be_json(t, weir_test_sent(t));
    t->drop = true;
    made = weir_test_lift(t, &e);
    if (!made.ptr)
        return;
    canonical = strndup(made.ptr, made.len);
    weir_test_canonical(t, canonical);
    if (weir_test_encode(t, &to, &e) == WEIR_PASS)
        must_be_json(t, weir_test_sent(t));
    free(canonical);
}

static void canonical(struct weir_test *t, const char *text)
{
    struct weir_candidate to = weir_test_candidate("p", "m");
    struct weir_error e;

    weir_test_begin(t);
    weir_test_canonical(t, text);
    t->drop = true;
    if (weir_test_encode(t, &to, &e) == WEIR_PASS)
        must_be_json(t, weir_test_sent(t));
}

/* What another dialect's upstream says, said in this one; an error ends it. */
static void say_anew(struct weir_test *t)
{
    struct weir_event own = {.size = sizeof own, .channel = WEIR_START};
    struct weir_refusal broken = {.status = 502, .code = "c", .text = "t", .field = "", .in_stream = true};
    struct weir_test_buf all = {0};
    struct weir_test again;
    struct weir_error e;
    bool good, ended = false;

    weir_test_init(&again, &weir_plugin, "");
    if (!weir_test_accept(&again, "POST", "/v1/responses", STREAMED, &e))
        abort();
    good = weir_test_answer(&again, &own);
    wt_add(&all, wt_view(&again.out));
    for (size_t i = 0; good && i < weir_test_event_count(t) && !ended; i++) {
        struct weir_event ev = weir_test_event(t, i)->event;
        ev.text = weir_test_event(t, i)->text;
        if (ev.channel == WEIR_ERRORED || ev.channel == WEIR_VECTOR || ev.copy || ev.channel == WEIR_START)
            continue;
        good = weir_test_answer(&again, &ev);
        ended = good && ev.channel == WEIR_DONE_MARK;
        wt_add(&all, wt_view(&again.out));
    }
    if (!ended) {
        weir_test_refuse(&again, &broken);
        wt_add(&all, wt_view(&again.out));
    }
    grammar_check(all.ptr);
    wt_buf_free(&all);
    weir_test_fini(&again);
}

/* Text set free where the last frame stands: of every block, known or not. */
static void set_free(struct weir_test *t)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct weir_event ev = {.size = sizeof ev, .channel = i % 3, .block = i, .text = WEIR_STR("held \"\n")};
        weir_test_answer(t, &ev);
    }
    weir_test_refuse(t, &(struct weir_refusal){.status = 403, .code = "denied", .text = "t", .in_stream = true});
}

static void answer(struct weir_test *t, const char *text, unsigned flags)
{
    struct weir_candidate to = weir_test_candidate("p", "m");
    bool foreign = flags & 4, stream = !(flags & 1), good;
    struct weir_error e;

    if (foreign) {
        weir_test_begin(t);
        weir_test_canonical(t, FOREIGN);
    } else {
        weir_test_accept(t, "POST", "/v1/responses", STREAMED, &e);
    }
    weir_test_encode(t, &to, &e);
    good = stream ? weir_test_decode_stream(t, text, &e) : weir_test_decode_body(t, flags & 8 ? 500 : 200, text, &e);
    if (!foreign && good && !strstr(text, "[DONE]") && !wt_is(wt_view(&t->client), text))
        wt_die(__FILE__, __LINE__, "not byte for byte");
    if (!foreign && flags & 32)
        set_free(t);
    if (good && foreign)
        say_anew(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_test t;
    struct weir_json j;
    unsigned flags;
    char *text;

    if (!size)
        return 0;
    flags = data[0];
    text = calloc(1, size);
    memcpy(text, data + 1, size - 1);
    weir_test_init(&t, &weir_plugin, flags & 16 ? "stateful = false; issuer = xai" : "");
    if (flags & 2)
        answer(&t, text, flags);
    else if (!wt_skim(&t.given, wt_str(text), &j, NULL))
        ;
    else if (flags & 1)
        canonical(&t, text);
    else
        request(&t, text);
    weir_test_fini(&t);
    free(text);
    return 0;
}
