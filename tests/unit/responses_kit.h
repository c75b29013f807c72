/* SPDX-License-Identifier: Apache-2.0 */
/* responses_kit.h -- for the responses tests: JSON with ' for ", one instance under the fake host, and what it told. */
#ifndef RESPONSES_KIT_H
#define RESPONSES_KIT_H

#include "responses_all.h"
#include "responses_grammar.h"
#include "unit.h"

static struct weir_test t;
static struct weir_error e;
static struct weir_test_buf got; /* all that answer has written */

/* Good for the eight newest. */
static inline const char *q(const char *s)
{
    static char *room[8];
    static unsigned at;
    char *copy = strdup(s);

    ck_assert(copy != NULL);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    free(room[at % 8]);
    return room[at++ % 8] = copy;
}

static inline void setup(void)
{
    weir_test_init(&t, &weir_plugin, "key = sk-test");
    got = (struct weir_test_buf){0};
}

static inline void teardown(void)
{
    wt_buf_free(&got);
    weir_test_fini(&t);
}

static inline void options(const char *text)
{
    weir_test_fini(&t);
    weir_test_init(&t, &weir_plugin, text);
}

static inline bool client(const char *body)
{
    return weir_test_accept(&t, "POST", "/v1/responses", q(body), &e);
}

/* The events so far, one a line: channel, block, text or what else it says. */
static inline const char *events(void)
{
    static const char *const names[] = {"text",  "reasoning", "arguments", "usage",  "finish",
                                        "error", "done",      "start",     "opaque", "vector"};
    static struct weir_test_buf told;

    told.len = 0;
    for (size_t i = 0; i < weir_test_event_count(&t); i++) {
        const struct weir_test_event *x = weir_test_event(&t, i);
        const struct weir_event *ev = &x->event;
        char line[1024];
        int n = snprintf(line, sizeof line, "%s %u", names[ev->channel], ev->block);
        if (ev->usage)
            n += snprintf(line + n, sizeof line - (size_t)n, " %d %d %d %d %d", (int)ev->usage->input,
                          (int)ev->usage->cache_read, (int)ev->usage->cache_write, (int)ev->usage->output,
                          (int)ev->usage->reasoning);
        if (ev->status)
            n += snprintf(line + n, sizeof line - (size_t)n, " %d", ev->status);
        if (ev->channel == WEIR_FINISH)
            n += snprintf(line + n, sizeof line - (size_t)n, " #%d", (int)ev->finish);
        const struct weir_str words[] = {ev->tool_id, ev->tool_name, ev->value, ev->detail, x->text};
        for (size_t w = 0; w < 5; w++)
            if (words[w].len)
                n += snprintf(line + n, sizeof line - (size_t)n, " [%.*s]", (int)words[w].len, words[w].ptr);
        snprintf(line + n, sizeof line - (size_t)n, "%s%s\n", ev->copy ? " copy" : "", ev->last ? " last" : "");
        wt_add_text(&told, line);
    }
    return told.len ? told.ptr : "";
}

#endif
