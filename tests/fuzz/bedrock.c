/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.c -- hostile requests and answers through the bedrock plugin.  First byte: 1 an answer, not a request; then
 * of a request: 2 what cannot be said is left out, 4 the bytes are a canonical request, 8 for Mistral; of an answer: 2
 * a stream, 4 an error status, 8 the client wants one body.
 *
 * The fake host checks what every hook promises.  Beyond that: what accept takes, lift can say or refuse by name; what
 * lift makes, encode can make JSON of; events of decode, said anew, are whole frames or a body, and mean something to
 * decode again.
 */
#include "../unit/bedrock_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
    if (!ok)
        abort();
}

/* ---- requests ---- */

static void check_encode(struct weir_test *t, const char *canonical, unsigned flags)
{
    struct weir_candidate to = weir_test_candidate("aws", flags & 8 ? "mistral.large" : "us.anthropic.claude-opus-5");
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_json j;

    weir_test_canonical(t, canonical);
    if (weir_test_encode(t, &to, &e) == WEIR_PASS) {
        need(wt_skim(&memory, wt_copy(&memory, weir_test_sent(t)), &j, &e));
        wt_free(&memory);
    } else {
        need(e.text[0] && e.field[0]);
    }
}

static bool is_json_object(const char *text)
{
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_json j;
    bool good = wt_skim(&memory, wt_copy(&memory, wt_str(text)), &j, &e) && weir_json_is(&j, 0, WEIR_JSON_OBJECT);

    wt_free(&memory);
    return good;
}

static void fuzz_request(struct weir_test *t, const char *text, unsigned flags)
{
    struct weir_error e;
    struct weir_str canonical;
    char *copy;

    if (!is_json_object(text))
        return;
    t->drop = flags & 2;
    if (flags & 4) {
        need(weir_test_accept(t, "POST", "/model/m/converse", "{\"messages\":[]}", &e));
        t->drop = flags & 2;
        check_encode(t, text, flags);
        return;
    }
    if (!weir_test_accept(t, "POST", "/model/m/converse", text, &e))
        return;
    t->drop = flags & 2;
    canonical = weir_test_lift(t, &e);
    if (!canonical.ptr)
        return;
    copy = strndup(canonical.ptr, canonical.len);
    check_encode(t, copy, flags);
    free(copy);
}

/* ---- answers ---- */

static size_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static char *frames_as_stream(const struct weir_test_buf *frames)
{
    struct weir_test_buf b = {0};

    for (size_t at = 0, total; at < frames->len; at += total) {
        const char *p = frames->ptr + at;
        need(frames->len - at >= 16 && (total = be32(p)) >= 16 && total <= frames->len - at);
        struct weir_str name = bedrock_header((struct weir_str){p, total}, ":event-type");
        need(name.len > 0);
        wt_add_text(&b, "event: ");
        wt_add(&b, name);
        wt_add_text(&b, "\ndata: ");
        wt_add(&b, (struct weir_str){p + 12 + be32(p + 4), total - 16 - be32(p + 4)});
        wt_add_text(&b, "\n\n");
    }
    wt_add(&b, (struct weir_str){"", 1});
    return b.ptr;
}

static void say(struct weir_test *t, struct weir_event ev, struct weir_test_buf *to, bool *good)
{
    ev.size = sizeof ev;
    *good = *good && weir_test_answer(t, &ev);
    if (*good)
        wt_add(to, wt_view(&t->out));
}

/* The events as those of an upstream that speaks another dialect. */
static void say_anew(struct weir_test *from, bool stream)
{
    struct weir_test_buf all = {0};
    struct weir_test t;
    struct weir_error e;
    bool good = true;
    char *text;

    weir_test_init(&t, &weir_plugin, "");
    need(weir_test_accept(&t, "POST", stream ? "/model/m/converse-stream" : "/model/m/converse", "{\"messages\":[]}",
                          &e));
    say(&t, (struct weir_event){.channel = WEIR_START}, &all, &good);
    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        struct weir_event ev = weir_test_event(from, i)->event;
        ev.text = weir_test_event(from, i)->text;
        if (ev.channel != WEIR_START)
            say(&t, ev, &all, &good);
    }
    say(&t, (struct weir_event){.channel = WEIR_DONE_MARK}, &all, &good);
    if (good && stream) {
        text = frames_as_stream(&all);
        need(weir_test_decode_stream(&t, text, &e));
        free(text);
    } else if (good) {
        wt_add(&all, (struct weir_str){"", 1});
        need(weir_test_decode_body(&t, 200, all.ptr, &e));
    }
    wt_buf_free(&all);
    weir_test_fini(&t);
}

static void fuzz_answer(struct weir_test *t, const char *text, unsigned flags)
{
    struct weir_error e;
    bool good;

    need(weir_test_accept(t, "POST", "/model/m/converse", "{\"messages\":[]}", &e));
    good = flags & 2 ? weir_test_decode_stream(t, text, &e) : weir_test_decode_body(t, flags & 4 ? 400 : 200, text, &e);
    if (good)
        say_anew(t, !(flags & 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_test t;
    char *text;

    if (!size)
        return 0;
    text = calloc(1, size);
    need(text != NULL);
    memcpy(text, data + 1, size - 1);
    weir_test_init(&t, &weir_plugin, "access_key = a; secret_key = b");
    weir_test_fact(&t, "time", "1795305600");
    if (data[0] & 1)
        fuzz_answer(&t, text, data[0]);
    else
        fuzz_request(&t, text, data[0]);
    weir_test_fini(&t);
    free(text);
    return 0;
}
