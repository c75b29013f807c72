/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic_answer.c -- hostile answers through decode of the anthropic plugin, and what comes of them through answer
 * as another dialect's.  First byte: 1 a stream, 2 the client speaks another dialect, 4 it wants a stream, 8 an error
 * status; then SSE, or a body.
 *
 * The fake host checks that every text is where its event says, and that nothing follows a `last`.  Beyond that: a
 * client of this dialect gets every byte as it came; and what answer makes of the events is an answer that decode
 * takes.
 */
#include "../unit/anthropic_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool say(struct weir_test *to, struct weir_event ev, struct weir_test_buf *all)
{
    bool ok = weir_test_answer(to, &ev);

    wt_add(all, wt_view(&to->out));
    return ok;
}

/* As the host does it: a start, all events but those that it keeps to itself, an end. */
static bool say_all(struct weir_test *from, struct weir_test *to, struct weir_test_buf *all)
{
    struct weir_event ev = {.size = sizeof ev, .channel = WEIR_START};

    if (!say(to, ev, all))
        abort();
    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        ev = weir_test_event(from, i)->event;
        ev.text = ev.raw ? ev.text : weir_test_event(from, i)->text;
        if (ev.channel == WEIR_ERRORED)
            return false;
        if (ev.channel != WEIR_START && ev.channel != WEIR_DONE_MARK && !say(to, ev, all))
            return false;
    }
    ev = (struct weir_event){.size = sizeof ev, .channel = WEIR_DONE_MARK};
    return say(to, ev, all);
}

static void check_answer(struct weir_test *from, bool stream)
{
    struct weir_test_buf all = {0};
    struct weir_test to;
    struct weir_error e;
    bool ok;

    weir_test_init(&to, &weir_plugin, "");
    weir_test_accept(&to, "POST", "/v1/messages",
                     stream ? "{\"model\":\"m\",\"messages\":[],\"stream\":true}" : "{\"model\":\"m\",\"messages\":[]}",
                     &e);
    ok = say_all(from, &to, &all);
    wt_add(&all, (struct weir_str){"", 1});
    weir_test_again(&to);
    if (ok && !(stream ? weir_test_decode_stream(&to, all.ptr, &e) : weir_test_decode_body(&to, 200, all.ptr, &e)))
        abort();
    wt_buf_free(&all);
    weir_test_fini(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_error e;
    struct weir_test t;
    unsigned flags;
    char *text;
    bool good;

    if (!size)
        return 0;
    flags = data[0];
    text = calloc(1, size);
    memcpy(text, data + 1, size - 1);
    weir_test_init(&t, &weir_plugin, "");
    weir_test_accept(&t, "POST", "/v1/messages", "{\"model\":\"m\",\"messages\":[]}", &e);
    if (flags & 2) {
        struct weir_candidate to = weir_test_candidate("p", "m");
        weir_test_begin(&t);
        weir_test_canonical(&t, "{\"messages\":[],\"tools\":[{\"name\":\"c\",\"custom\":{}},{\"name\":\"f\"}]}");
        weir_test_encode(&t, &to, &e);
    }
    good =
        flags & 1 ? weir_test_decode_stream(&t, text, &e) : weir_test_decode_body(&t, flags & 8 ? 500 : 200, text, &e);
    if (good && !t.done_mark && !wt_is(wt_view(&t.client), text))
        abort();
    if (good)
        check_answer(&t, flags & 4);
    weir_test_fini(&t);
    free(text);
    return 0;
}
