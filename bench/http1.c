/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.c -- what reading a head costs: nanoseconds for a typical 336-byte head, and for the same in 1-byte pieces.
 *
 * Instructions: valgrind --tool=callgrind --toggle-collect=http1_request build/bench/http1 1000 0
 * counts 1,000 heads (the second figure is the number of heads that trickle in).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/http1.h"

static const char head[] = "POST /v1/chat/completions HTTP/1.1\r\n"
                           "Host: gateway.example.com\r\n"
                           "Accept: application/json\r\n"
                           "Content-Type: application/json\r\n"
                           "User-Agent: OpenAI/Python 1.55.0\r\n"
                           "Authorization: Bearer sk-0123456789abcdefghijklmno\r\n"
                           "Accept-Encoding: gzip, deflate\r\n"
                           "Connection: keep-alive\r\n"
                           "x-stainless-lang: python\r\n"
                           "x-stainless-os: Linux\r\n"
                           "Content-Length: 2048\r\n"
                           "\r\n";

static const struct http1_limits limits = {16384, 100, 8192};

static void read_once(size_t step)
{
    struct http1_header headers[HTTP1_HEADERS_MAX];
    struct http1_head h = {.headers = headers};
    size_t examined = 0, n = step;

    while (http1_request(&h, head, n, &examined, &limits) == HTTP1_MORE)
        n += step;
    if (h.content_length != 2048 || h.count != 10)
        abort();
}

static double run(long heads, size_t step)
{
    struct timespec a, b;

    clock_gettime(CLOCK_MONOTONIC, &a);
    for (long i = 0; i < heads; i++)
        read_once(step);
    clock_gettime(CLOCK_MONOTONIC, &b);
    return heads ? ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)heads : 0;
}

int main(int argc, char **argv)
{
    long whole = argc > 1 ? strtol(argv[1], NULL, 10) : 500000;
    long trickled = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;

    printf("head of %zu bytes, 10 headers: %.0f ns whole, %.0f ns in 1-byte pieces\n", sizeof head - 1,
           run(whole, sizeof head - 1), run(trickled, 1));
    return 0;
}
