/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skim.c -- how fast json_skim() reads chat requests of 2, 12 and 200 KB: MB/s, the best of many rounds, and jansson's
 * beside it.
 *
 * Usage: skim [KB ROUNDS]   With arguments it skims one body that often and nothing else, so that
 *     valgrind --tool=callgrind --toggle-collect=json_skim build/bench/skim 12 1000
 * counts the instructions of the skim alone; divided by the bytes it prints, those are instructions per byte.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_skim.h"
#include "base/must.h"

static const char prose[] =
    "## Retries\\n\\nThe client waits `retry_after` seconds and tries again; after three failures it gives up and "
    "reports the last "
    "error.\\n\\n```c\\nfor (int i = 0; i < tries; i++) {\\n\\tif (send_all(fd, \\\"hello\\\", 5))\\n\\t\\treturn "
    "true;\\n\\tsleep_ms(wait);"
    "\\n}\\n```\\n\\nA table of limits follows. Each row names a tenant, its budget and what happens when the budget "
    "is spent; "
    "the defaults are chosen so that a small team never meets them, and a large one sees a clear message in time. ";

static void put_tool(struct buf *b, int i)
{
    buf_printf(b,
               "%s{\"type\":\"function\",\"function\":{\"name\":\"lookup_%d\",\"description\":\"Looks up one record by "
               "its number.\","
               "\"parameters\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":1},"
               "\"kind\":{\"type\":"
               "\"string\",\"enum\":[\"order\",\"invoice\",\"ticket\"]}},\"required\":[\"id\"],"
               "\"additionalProperties\":false}}}",
               i ? "," : "", i);
}

/* A body of about `size` bytes as OpenAI clients send them: messages, then tools, one tool for every 2 KB up to 20. */
static void put_body(struct buf *b, size_t size)
{
    int tools = size / 2048 < 20 ? (int)(size / 2048) : 20;

    buf_lit(b, "{\"model\":\"gpt-4o-mini\",\"temperature\":0.7,\"stream\":true,\"max_tokens\":1024,\"messages\":[");
    for (int i = 0; b->len + (size_t)tools * 370 + 200 < size; i++) {
        size_t left = size - b->len - (size_t)tools * 370, len = 200 + (size_t)i * 97 % 500;
        buf_printf(b, "%s{\"role\":\"%s\",\"content\":\"", i ? "," : "", i % 2 ? "assistant" : "user");
        if (size > 100000)
            len *= 4;
        for (len = len < left ? len : left; len >= sizeof prose; len -= sizeof prose - 1)
            buf_put(b, prose, sizeof prose - 1);
        while (prose[len - 1] == '\\' || prose[len - 2] == '\\') /* no escape is cut in two */
            len--;
        buf_put(b, prose, len);
        buf_lit(b, "\"}");
    }
    buf_lit(b, "],\"tools\":[");
    for (int i = 0; i < tools; i++)
        put_tool(b, i);
    buf_lit(b, "]}");
}

static uint32_t skim_times(struct json_skim *skim, struct weir_str text, int rounds)
{
    struct json_limits limits = {64, 100000};
    struct weir_error error;
    struct weir_json j = {0};

    for (int i = 0; i < rounds; i++)
        if (!json_skim(skim, text, &limits, &j, &error)) {
            fprintf(stderr, "%s\n", error.text);
            exit(1);
        }
    return j.count;
}

static void jansson_times(struct weir_str text, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        json_t *t = json_loadb(text.ptr, text.len, 0, NULL);
        must(t != NULL);
        json_decref(t);
    }
}

static void show(struct json_skim *skim, size_t kb)
{
    int64_t best = INT64_MAX, best_jansson = INT64_MAX;
    int rounds = (int)(20000 / kb) + 1;
    struct buf body = {0};
    uint32_t nodes = 0;

    put_body(&body, kb * 1024);
    for (int i = 0; i < 30; i++) {
        int64_t start = clock_us(), us;
        nodes = skim_times(skim, buf_view(&body), rounds);
        us = clock_us() - start;
        if (us < best)
            best = us;
    }
    for (int i = 0; i < 5; i++) {
        int64_t start = clock_us(), us;
        jansson_times(buf_view(&body), rounds / 20 + 1);
        us = clock_us() - start;
        if (us < best_jansson)
            best_jansson = us;
    }
    printf("%6zu B %6u nodes   skim %8.0f MB/s %8.2f us   jansson %6.0f MB/s\n", body.len, nodes,
           (double)body.len * rounds / (double)best, (double)best / rounds,
           (double)body.len * (rounds / 20 + 1) / (double)best_jansson);
    buf_fini(&body);
}

int main(int argc, char **argv)
{
    struct json_skim skim = {0};
    struct buf body = {0};

    if (argc == 3) {
        int rounds = (int)strtol(argv[2], NULL, 10);
        put_body(&body, (size_t)strtoul(argv[1], NULL, 10) * 1024);
        uint32_t nodes = skim_times(&skim, buf_view(&body), rounds);
        printf("%zu bytes, %u nodes\n", body.len * (size_t)rounds, nodes);
        buf_fini(&body);
    } else {
        for (size_t kb = 2; kb <= 200; kb = kb == 2 ? 12 : kb == 12 ? 200 : 201)
            show(&skim, kb);
    }
    json_skim_fini(&skim);
    return 0;
}
