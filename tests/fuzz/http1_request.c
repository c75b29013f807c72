/* SPDX-License-Identifier: Apache-2.0 */
/* http1_request.c -- fuzzes heads of requests; the input is what a client sends. */
#include "http1_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http1_result read_request(struct http1_head *h, const char *bytes, size_t n, size_t *examined,
                                      const struct http1_limits *limits)
{
    enum http1_result result = http1_request(h, bytes, n, examined, limits);

    if (result == HTTP1_OK) {
        must(h->body != HTTP1_UNTIL_CLOSE && h->status == 0);
        must(count_headers(h, "host") == 1 || (h->minor == 0 && count_headers(h, "host") == 0));
        must(h->path.len && (*h->path.ptr == '/' || str_is(h->path, "*")));
        must(h->method.len && !memchr(h->target.ptr, ' ', h->target.len) && !memchr(h->target.ptr, '#', h->target.len));
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_head(read_request, data, size);
    return 0;
}
