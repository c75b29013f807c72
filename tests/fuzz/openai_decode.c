/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai_decode.c -- hostile answers through decode of the openai plugin.  First byte: 1 a stream, 2 usage was asked
 * for, 4 the legacy path, 8 an error status; then SSE, or a body.
 *
 * The fake host checks that every text is where its event says, and that nothing follows a `last`.  Beyond that: a
 * client that asked for usage gets every byte as it came.
 */
#include "../unit/openai_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *request_body(unsigned flags)
{
    if (!(flags & 1))
        return "{\"model\":\"m\",\"messages\":[],\"prompt\":\"\"}";
    return flags & 2 ? "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
                     : "{\"model\":\"m\",\"messages\":[],\"stream\":true}";
}

/* Each event said anew by the dialect is a record that decode takes. */
static void check_answers(struct weir_test *t)
{
    struct weir_test_buf all = {0};
    size_t n = weir_test_event_count(t);
    struct weir_error e;

    for (size_t i = 0; i < n && i < 16; i++) {
        struct weir_event ev = weir_test_event(t, i)->event;
        ev.text = weir_test_event(t, i)->text;
        if (weir_test_answer(t, &ev))
            wt_add(&all, wt_view(&t->out));
    }
    wt_add(&all, (struct weir_str){"", 1});
    weir_test_again(t);
    t->events.count = 0;
    if (!weir_test_decode_stream(t, all.ptr, &e))
        abort();
    wt_buf_free(&all);
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
    weir_test_accept(&t, "POST", flags & 4 ? "/v1/completions" : "/v1/chat/completions", request_body(flags), &e);
    good =
        flags & 1 ? weir_test_decode_stream(&t, text, &e) : weir_test_decode_body(&t, flags & 8 ? 500 : 200, text, &e);
    if (good && (flags & 3) != 1 && !t.done_mark && !wt_is(wt_view(&t.client), text))
        abort();
    if (good && (flags & 1))
        check_answers(&t);
    weir_test_fini(&t);
    free(text);
    return 0;
}
