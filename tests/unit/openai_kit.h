/* SPDX-License-Identifier: Apache-2.0 */
/* openai_kit.h -- a request of another dialect to a server like OpenAI's, and its answer as lines; for tests. */
#ifndef OPENAI_KIT_H
#define OPENAI_KIT_H

#include "openai_all.h"

#include <check.h>

static struct weir_test t;
static struct weir_error e;

static inline void begin(const char *options)
{
    weir_test_init(&t, &weir_plugin, options);
}

#define OURS   "url = \"https://api.openai.com/v1\""
#define VENDOR "url = \"https://api.vendor.test/v1\""
#define USER   "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]}"
#define SAID   "{\"role\":\"user\",\"content\":\"u\"}"

/* One line an event: what it is, choice, block, "last", "raw", then all that it says. */
static inline const char *events(void)
{
    static const char *const channel[] = {"text",  "reasoning", "arguments", "usage",  "finish",
                                          "error", "done",      "start",     "opaque", "vector"};
    static char got[4096];
    size_t n = 0;

    got[0] = '\0';
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *x = weir_test_event(&t, i);
        const struct weir_event *ev = &x->event;
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %u %u%s%s", channel[ev->channel], ev->choice, ev->block,
                              ev->last ? " last" : "", ev->raw ? " raw" : "");
        if (ev->channel == WEIR_FINISH)
            n += (size_t)snprintf(got + n, sizeof got - n, " =%d", (int)ev->finish);
        if (ev->channel == WEIR_ERRORED)
            n += (size_t)snprintf(got + n, sizeof got - n, " %d", ev->status);
        if (ev->tool_id.len || ev->tool_name.len)
            n += (size_t)snprintf(got + n, sizeof got - n, " %.*s/%.*s", (int)ev->tool_id.len, ev->tool_id.ptr,
                                  (int)ev->tool_name.len, ev->tool_name.ptr);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", x->text.len ? " " : "", (int)x->text.len, x->text.ptr);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", ev->detail.len ? " " : "", (int)ev->detail.len,
                              ev->detail.ptr);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s\n", ev->value.len ? " " : "", (int)ev->value.len,
                              ev->value.ptr);
        ck_assert_uint_lt(n, sizeof got);
    }
    return got;
}

/* A request of another dialect is under way. */
static inline void ask_of(const char *options, bool stream, enum weir_kind kind)
{
    struct weir_candidate to = weir_test_candidate("p", "m");

    begin(options);
    weir_test_body(&t, "{}");
    t.request.kind = kind;
    weir_test_canonical(&t, stream ? "{\"stream\":true,\"messages\":[]}" : "{\"messages\":[]}");
    weir_test_verdict(weir_test_encode(&t, &to, &e), WEIR_PASS);
}

static inline void ask(bool stream, enum weir_kind kind)
{
    ask_of(VENDOR, stream, kind);
}

static inline void stream_means(const char *sse, const char *want)
{
    ask(true, WEIR_CHAT);
    ck_assert_msg(weir_test_decode_stream(&t, sse, &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_fini(&t);
}

static inline void body_means(enum weir_kind kind, int status, const char *body, const char *want)
{
    ask(false, kind);
    ck_assert_msg(weir_test_decode_body(&t, status, body, &e), "%s", e.text);
    ck_assert_str_eq(events(), want);
    weir_test_fini(&t);
}

#define CHUNK(delta)                                                                                                   \
    "data: {\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{" delta                                \
    "},\"finish_reason\":null}]}\n\n"
#define FINISH(reason)                                                                                                 \
    "data: {\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":" reason "}]}\n\n"
#define DONE  "data: [DONE]\n\n"
#define START "start 0 0 c1 m1\n"

#endif
