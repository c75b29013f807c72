/* SPDX-License-Identifier: MIT */
/*
 * hello.c -- in-process provider: answers every chat with a fixed text, word by word.  No network, no key.
 *
 *     providers = ( { name = "hello";  plugin = "hello";  models = [ "hello/world" ];  pause = "200ms"; } );
 *
 * `serve` stands in for an upstream: it writes the bytes of an HTTP/1.1 response, and everything behind it (decode,
 * guardrails, the record) is the same as with a real one.  It must not block: between two words it sets a timer and
 * returns.
 */
#include "weir.h"

#include <stdio.h>

struct hello {
    const char *text;
    int64_t pause;
};

static const struct weir_option options[] = {
    WEIR_OPT(struct hello, text, "hello from weir", "What every answer says: words with spaces between, no quotes."),
    WEIR_OPT(struct hello, pause, "20ms", "Time between two words of a stream.", .unit = WEIR_MS, .min = 0,
             .max = 60000),
    WEIR_OPT_END,
};

struct local {
    const char *rest; /* words not yet sent */
};

static void say(struct weir_ctx *c, const char *text, size_t len, bool last)
{
    weir_serve(c, ((struct weir_str){text, len}), last);
}

/* One record of the stream for each word, then the one that finishes, then the end mark. */
static void next_word(struct weir_ctx *c)
{
    const struct hello *me = c->self;
    struct local *l = c->local;
    size_t n = strcspn(l->rest, " ");
    char record[512];

    if (!*l->rest) {
        weir_serve(
            c,
            WEIR_STR("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"),
            true);
        return;
    }
    n += l->rest[n] == ' ';
    int len =
        snprintf(record, sizeof record, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%.*s\"}}]}\n\n",
                 (int)(n < 256 ? n : 256), l->rest);
    say(c, record, (size_t)len, false);
    l->rest += n;
    weir_after(c, (uint32_t)me->pause, next_word);
}

static void serve(struct weir_ctx *c, const struct weir_candidate *candidate)
{
    const struct hello *me = c->self;
    struct local *l = c->local;
    char reply[2048], body[1024];
    int n;

    (void)candidate;
    if (weir_request(c)->stream) {
        weir_serve(c, WEIR_STR("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"),
                   false);
        l->rest = me->text;
        next_word(c);
        return;
    }
    n = snprintf(body, sizeof body,
                 "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                 "\"content\":\"%.512s\"},\"finish_reason\":\"stop\"}]}",
                 me->text);
    n = snprintf(reply, sizeof reply,
                 "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", n, body);
    say(c, reply, (size_t)n, true);
}

/* The text is put into JSON as it is: what would need escapes is refused when weir starts, not when a client asks. */
static bool init(void *self, const void *shared, struct weir_error *e)
{
    const struct hello *me = self;

    (void)shared;
    if (!strpbrk(me->text, "\"\\\n\r\t") && strlen(me->text) <= 256)
        return true;
    snprintf(e->text, sizeof e->text, "text may have 256 bytes, no quotes, backslashes or line ends");
    snprintf(e->field, sizeof e->field, "text");
    return false;
}

WEIR_PLUGIN(
    .name       = "hello",
    .version    = "1.0",
    .summary    = "Answers every chat with the same words.",
    .options    = options,
    .self_size  = sizeof(struct hello),
    .local_size = sizeof(struct local),
    .dialect    = "openai",
    .init       = init,
    .serve      = serve,
);
