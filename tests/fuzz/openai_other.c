/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai_other.c -- the openai plugin between its clients, its servers and other dialects, with hostile bytes.
 *
 * Bits of the first byte: 1 an answer, else a request.  Of a request: 2 what cannot be said is left out, 4 the bytes
 * are a canonical request, else a client's body, 8 embeddings.  Of an answer: 2 a stream, 4 an error's body, 8
 * embeddings.  16 a router, 64 a server like Mistral's, else OpenAI.  What must hold: what lift and encode make is JSON
 * without a key twice, a refusal names its field, and an answer said anew by the dialect is one that it can read, with
 * as much text as before.
 */
#include "../unit/openai_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

#define CHAT  "/v1/chat/completions"
#define EMBED "/v1/embeddings"
#define BODY  "{\"model\":\"m\",\"messages\":[],\"input\":\"\""

#define ROUTER                                                                                                         \
    "url = \"https://router.test\"; reasoning = object; reasoning_field = reasoning_details; cache_marks = "           \
    "cache_control; call_id_length = 9; takes = [ top_k, video ]"
#define LIKE_MISTRAL                                                                                                   \
    "url = \"https://m.test\"; call_id_length = 9; parts = mistral; reasoning = prompt_mode; reasoning_field = "       \
    "thinking; think = tags; takes = [ safe_prompt, guardrails, prediction, prefix ]; lacks = [ name, custom_tools, "  \
    "allowed_tools ]"

/* ---- requests ---- */

static bool is_json(struct weir_str text, enum weir_json_type type)
{
    struct weir_test_block *memory = NULL;
    struct weir_error e;
    struct weir_json j;
    bool good = wt_skim(&memory, wt_copy(&memory, text), &j, &e) && weir_json_is(&j, 0, type);

    wt_free(&memory);
    return good;
}

static void check_encode(struct weir_test *t, const char *canonical)
{
    struct weir_candidate to = weir_test_candidate("p", "m");
    struct weir_error e;

    weir_test_canonical(t, canonical);
    if (weir_test_encode(t, &to, &e) == WEIR_PASS)
        need(is_json(t->http_body, WEIR_JSON_OBJECT));
    else
        need(e.text[0] != '\0');
}

static void fuzz_request(struct weir_test *t, const char *text, unsigned flags)
{
    const char *path = flags & 8 ? EMBED : CHAT;
    struct weir_str canonical;
    struct weir_error e;
    char *copy;

    if (!is_json(wt_str(text), WEIR_JSON_OBJECT))
        return;
    if (!weir_test_accept(t, "POST", path, flags & 4 ? BODY "}" : text, &e))
        return;
    t->drop = flags & 2;
    if (flags & 4) {
        check_encode(t, text);
        return;
    }
    canonical = weir_test_lift(t, &e);
    if (!canonical.ptr)
        return;
    copy = strndup(canonical.ptr, canonical.len);
    need(is_json(wt_str(copy), WEIR_JSON_OBJECT));
    check_encode(t, copy);
    free(copy);
}

/* ---- answers ---- */

static size_t text_bytes(struct weir_test *t)
{
    size_t n = 0;

    for (size_t i = 0; i < weir_test_event_count(t); i++) {
        const struct weir_test_event *x = weir_test_event(t, i);
        n += x->event.channel == WEIR_TEXT ? x->text.len : 0;
    }
    return n;
}

static void ask_other(struct weir_test *t, bool stream, bool embedding)
{
    struct weir_candidate to = weir_test_candidate("p", "m");
    struct weir_error e;

    need(weir_test_accept(t, "POST", embedding ? EMBED : CHAT, BODY "}", &e));
    weir_test_canonical(t, stream ? "{\"stream\":true,\"messages\":[]}" : "{\"messages\":[],\"input\":[]}");
    need(weir_test_encode(t, &to, &e) == WEIR_PASS);
}

static bool say(struct weir_test *t, struct weir_event ev, struct weir_test_buf *to)
{
    bool good;

    ev.size = sizeof ev;
    good = weir_test_answer(t, &ev);
    if (good)
        wt_add(to, wt_view(&t->out));
    return good;
}

/* To a client that reads OpenAI's dialect, of which a client of another one then gets the events. */
static void say_anew(struct weir_test *from, bool stream, bool embedding)
{
    struct weir_test_buf all = {0};
    struct weir_test t;
    struct weir_error e;
    bool good;

    weir_test_init(&t, &weir_plugin, "");
    need(weir_test_accept(&t, "POST", embedding ? EMBED : CHAT,
                          stream ? BODY ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" : BODY "}",
                          &e));
    good = say(&t, (struct weir_event){.channel = WEIR_START}, &all);
    for (size_t i = 0; good && i < weir_test_event_count(from); i++) {
        struct weir_event ev = weir_test_event(from, i)->event;
        ev.text = weir_test_event(from, i)->text;
        if (ev.channel != WEIR_START && ev.channel != WEIR_DONE_MARK)
            good = say(&t, ev, &all);
    }
    good = good && say(&t, (struct weir_event){.channel = WEIR_DONE_MARK}, &all);
    wt_add(&all, (struct weir_str){"", 1});
    weir_test_fini(&t);
    if (good) {
        weir_test_init(&t, &weir_plugin, "");
        ask_other(&t, stream, embedding);
        need(stream ? weir_test_decode_stream(&t, all.ptr, &e) : weir_test_decode_body(&t, 200, all.ptr, &e));
        need(embedding || text_bytes(&t) == text_bytes(from));
        weir_test_fini(&t);
    }
    wt_buf_free(&all);
}

static void fuzz_answer(struct weir_test *t, const char *text, unsigned flags)
{
    bool stream = flags & 2, embedding = flags & 8;
    struct weir_error e;
    bool good;

    ask_other(t, stream, embedding);
    good = stream ? weir_test_decode_stream(t, text, &e) : weir_test_decode_body(t, flags & 4 ? 400 : 200, text, &e);
    if (!good)
        return;
    say_anew(t, !embedding, embedding);
    say_anew(t, false, embedding);
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
    weir_test_init(&t, &weir_plugin, data[0] & 64 ? LIKE_MISTRAL : data[0] & 16 ? ROUTER : "");
    if (data[0] & 1)
        fuzz_answer(&t, text, data[0]);
    else
        fuzz_request(&t, text, data[0]);
    weir_test_fini(&t);
    free(text);
    return 0;
}
