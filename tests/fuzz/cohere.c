/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere.c -- hostile requests and answers through the cohere plugin.  First byte: 1 an answer, not a request; 16 and
 * 32 say of what (chat, embed, rerank); then of a request: 2 what cannot be said is left out, 4 the bytes are a
 * canonical request; of an answer: 2 a stream, 4 an error status, 8 the client wants one body.
 *
 * The fake host checks what every hook promises.  Beyond that: what accept takes, lift can say or refuse by name; what
 * lift makes, encode can make JSON of; events of decode, said anew, mean something to decode again.
 */
#include "../unit/cohere_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
    if (!ok)
        abort();
}

static const struct {
    const char *path, *body;
} kinds[] = {
    {"/v2/chat", "{\"model\":\"m\",\"messages\":[]}"},
    {"/v2/embed", "{\"model\":\"m\",\"texts\":[\"a\"],\"embedding_types\":[\"float\",\"base64\"]}"},
    {"/v2/rerank", "{\"model\":\"m\",\"query\":\"q\",\"documents\":[\"a\"]}"},
};

static size_t kind_of(unsigned flags)
{
    return flags & 16 ? 1 : flags & 32 ? 2 : 0;
}

/* ---- requests ---- */

static bool is_json_object(struct weir_str text)
{
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_json j;
    bool good = wt_skim(&memory, wt_copy(&memory, text), &j, &e) && weir_json_is(&j, 0, WEIR_JSON_OBJECT);

    wt_free(&memory);
    return good;
}

static void check_encode(struct weir_test *t, const char *canonical)
{
    struct weir_candidate to = weir_test_candidate("co", "command-a");
    struct weir_error e;

    weir_test_canonical(t, canonical);
    if (weir_test_encode(t, &to, &e) == WEIR_PASS)
        need(is_json_object(weir_test_sent(t)));
    else
        need(e.text[0] && e.code[0]);
}

static void fuzz_request(struct weir_test *t, const char *text, unsigned flags)
{
    const char *path = kinds[kind_of(flags)].path;
    struct weir_error e;
    struct weir_str canonical;
    char *copy;

    if (!is_json_object(wt_str(text)))
        return;
    if (flags & 4) {
        need(weir_test_accept(t, "POST", path, kinds[kind_of(flags)].body, &e));
        t->drop = flags & 2;
        check_encode(t, text);
        return;
    }
    if (!weir_test_accept(t, "POST", path, text, &e))
        return;
    t->drop = flags & 2;
    canonical = weir_test_lift(t, &e);
    if (!canonical.ptr)
        return;
    copy = strndup(canonical.ptr, canonical.len);
    check_encode(t, copy);
    free(copy);
}

/* ---- answers ---- */

static void say(struct weir_test *t, struct weir_event ev, struct weir_test_buf *to, bool *good)
{
    ev.size = sizeof ev;
    *good = *good && weir_test_answer(t, &ev);
    if (*good)
        wt_add(to, wt_view(&t->out));
}

/* The events as those of an upstream that speaks another dialect. */
static void say_anew(struct weir_test *from, unsigned flags)
{
    static const char streamed[] = "{\"model\":\"m\",\"messages\":[],\"stream\":true}";
    bool stream = !(flags & 8) && !kind_of(flags), good = true;
    struct weir_test_buf all = {0};
    struct weir_test t;
    struct weir_error e;

    weir_test_init(&t, &weir_plugin, "");
    need(weir_test_accept(&t, "POST", kinds[kind_of(flags)].path, stream ? streamed : kinds[kind_of(flags)].body, &e));
    say(&t, (struct weir_event){.channel = WEIR_START}, &all, &good);
    for (size_t i = 0; i < weir_test_event_count(from); i++) {
        struct weir_event ev = weir_test_event(from, i)->event;
        ev.text = weir_test_event(from, i)->text;
        if (ev.channel != WEIR_START && ev.channel != WEIR_DONE_MARK && !ev.copy)
            say(&t, ev, &all, &good);
    }
    say(&t, (struct weir_event){.channel = WEIR_DONE_MARK}, &all, &good);
    wt_add(&all, (struct weir_str){"", 1});
    if (good && stream)
        need(weir_test_decode_stream(&t, all.ptr, &e));
    else if (good)
        need(weir_test_decode_body(&t, 200, all.ptr, &e));
    wt_buf_free(&all);
    weir_test_fini(&t);
}

static void fuzz_answer(struct weir_test *t, const char *text, unsigned flags)
{
    struct weir_error e;
    bool good;

    need(weir_test_accept(t, "POST", kinds[kind_of(flags)].path, kinds[kind_of(flags)].body, &e));
    if (kind_of(flags))
        weir_test_canonical(t, "{\"input\":[\"a\"],\"query\":\"q\"}");
    good = flags & 2 ? weir_test_decode_stream(t, text, &e) : weir_test_decode_body(t, flags & 4 ? 400 : 200, text, &e);
    if (good)
        say_anew(t, flags);
    else
        need(e.text[0]);
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
    weir_test_init(&t, &weir_plugin, "");
    if (data[0] & 1)
        fuzz_answer(&t, text, data[0]);
    else
        fuzz_request(&t, text, data[0]);
    weir_test_fini(&t);
    free(text);
    return 0;
}
